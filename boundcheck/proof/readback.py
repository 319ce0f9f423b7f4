"""From the text of a kernel statement back to the statement: the displayed text must say what was proved.

(Pollack, "How to believe a machine-checked proof", 1998; Wiedijk, "Pollack-inconsistency", 2012.) The reader knows only
the letters and the signs, and not how the text was made.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from functools import reduce
from typing import TypeVar

from boundcheck.errors import InputError
from boundcheck.kernel import Fact, KernelError, Law, Statement
from boundcheck.kernel.terms import (
    Before,
    Clock,
    Dimension,
    Expectation,
    Gradient,
    Horizon,
    Index,
    Inverse,
    Letter,
    Matrix,
    Maximum,
    Mean,
    Minimum,
    Norm,
    Power,
    Root,
    Scalar,
    Symbol,
    Time,
    Total,
    Trace,
    Value,
    Variable,
    When,
)
from boundcheck.proof.letters import FunctionLetter, Letters, Number, OfShape, Size, at_times

TOKEN = re.compile(r"‖_F|‖_op|‖|∇_\d+|∇|<=|[A-Za-z][A-Za-z0-9_']*|\d+|[-+*/^()\[\],;:|ᵀ<=]")
_OPERATORS = {"root": Root, "inverse": Inverse, "min_t": Minimum, "sum_t": Total}
_RELATIONS = {"<=": ">=", "<": ">", "=": "="}
_Worth = Scalar | Matrix
_Part = TypeVar("_Part")


def tokens_of(text: str) -> list[str]:
    """The signs of a text; raises InputError for a sign that no statement has."""
    found = TOKEN.findall(text)
    if "".join(found) != "".join(text.split()):
        raise InputError("text", text, "the text of a statement of the kernel")
    return found


def read(text: str, letters: Letters) -> Statement:
    """The statement that a text says, with these letters as its names.

    Raises:
        InputError: for a text that is not a statement.

    """
    reader = Reader(tokens_of(text), letters)
    try:
        statement = reader.statement()
        if reader.next():
            raise reader.unexpected("the end")
    except (KernelError, RecursionError) as error:
        raise InputError("text", text, f"the text of a statement of the kernel, and not {error}") from error
    return statement


class Reader:
    """A parser by recursive descent: each method reads the part that its name says."""

    def __init__(self, tokens: list[str], letters: Letters) -> None:
        self.tokens, self.letters, self.place = tokens, letters, 0
        # What t is called: a sum over earlier times has one with a prime more.
        self.now = "t"

    def next(self) -> str:
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def take(self, *wanted: str) -> str:
        token = self.next()
        if wanted and token not in wanted:
            raise self.unexpected(" or ".join(wanted))
        self.place += 1
        return token

    def skip(self, token: str) -> bool:
        found = self.next() == token
        self.place += found
        return found

    def unexpected(self, wanted: str) -> InputError:
        return InputError("text", " ".join(self.tokens[self.place : self.place + 5]) or "(the end)", wanted)

    # Statements.

    def statement(self) -> Statement:
        if self.next() in ("for", "always"):
            return self.law()
        # A law among the premises of a law is in brackets, and no fact begins with a bracket and "for".
        if self.tokens[self.place : self.place + 2] in (["(", "for"], ["(", "always"]):
            self.take("(")
            law = self.law()
            self.take(")")
            return law
        return self.fact()

    def law(self) -> Law:
        variables: list[Symbol | Variable] = []
        if self.take("for", "always") == "for":
            self.take("all")
            variables = self.several(self.bound)
        premises = self.several(self.statement, ";") if self.skip("with") else []
        self.take(":")
        return Law(variables, premises, self.fact())

    def fact(self) -> Fact:
        left = self.number()
        relation = self.take(*_RELATIONS)
        right = self.number()
        return Fact(_RELATIONS[relation], left - right if relation == "=" else right - left)

    def bound(self) -> Symbol | Variable:
        found = self.named(self.take())
        letter = next(iter(found.atoms())) if isinstance(found, Scalar) else _letter(found)
        if not isinstance(letter, Symbol | Variable):
            raise InputError("text", letter, "a letter over which a law ranges")
        return letter

    def several(self, read_one: Callable[[], _Part], sign: str = ",") -> list[_Part]:
        found = [read_one()]
        while self.skip(sign):
            found.append(read_one())
        return found

    # Numbers and matrices.

    def number(self) -> Scalar:
        found = self.sum()
        if not isinstance(found, Scalar):
            raise InputError("text", found, "a number")
        return found

    def matrix(self) -> Matrix:
        found = self.sum()
        if not isinstance(found, Matrix):
            raise InputError("text", found, "a matrix")
        return found

    def sum(self) -> _Worth:
        total = self.product()
        while self.next() in ("+", "-"):
            sign = self.take()
            summand = self.product()
            total = _plus(total, summand if sign == "+" else _scaled(summand, -1))
        return total

    def product(self) -> _Worth:
        sign = -1 if self.skip("-") else 1
        factors = self.several(self.factor, "*")
        return _scaled(reduce(_times, factors), sign)

    def factor(self) -> _Worth:
        found = self.unit()
        if self.skip("ᵀ"):
            if not isinstance(found, Matrix):
                raise InputError("text", found, "a matrix to be transposed")
            return found.T
        if self.skip("^"):
            if not isinstance(found, Scalar):
                raise InputError("text", found, "a number to be raised to a power")
            if not self.skip("["):
                return found ** int(self.take())
            exponent = self.index()
            self.take("]")
            return Scalar.of(Power(found, exponent))
        return found

    def unit(self) -> _Worth:
        token = self.take()
        if token.isdigit():
            return self.rational(token)
        if token == "(":
            inside = self.sum()
            self.take(")")
            return inside
        if token == "‖":
            return Scalar.of(self.norm())
        if token.startswith("∇"):
            return self.gradient(token)
        if token == "E":
            return self.expectation()
        if token == "tr":
            (matrix,) = self.point()
            ((word, _),) = matrix.terms.items()
            return Scalar.of(Trace(word))
        if token == self.now:
            return Scalar.of(Clock())
        if token == "sum":
            return self.partial_sum()
        if token == "max":
            self.take("(")
            members = self.several(self.number)
            self.take(")")
            return Scalar.of(Maximum(tuple(members)))
        if token in _OPERATORS:
            self.take("(")
            body = self.number()
            self.take(")")
            return Scalar.of(_OPERATORS[token](body))
        return Scalar.of(Horizon()) if token == "T" else self.named(token)

    def partial_sum(self) -> Scalar:
        outer = self.now
        self.now = f"{outer}'"
        for sign in ("[", self.now, "<", outer, "]", "("):
            self.take(sign)
        body = self.number()
        self.take(")")
        self.now = outer
        return Scalar.of(Before(body))

    def rational(self, token: str) -> _Worth:
        if token == "0" and self.next() == "[":
            self.take("[")
            shape = self.take(), self.take(",") and self.take()
            self.take("]")
            return Matrix.zero(shape)
        return Scalar.of(Fraction(int(token), int(self.take()) if self.skip("/") else 1))

    def norm(self) -> Norm:
        start = self.place
        blocks = self.point() if self.next() == "(" else ()
        # One block in brackets is a factor of a product, such as (a + b)*X.
        if len(blocks) < 2:
            self.place = start
            blocks = (self.matrix(),)
        return Norm(self.take("‖_F", "‖_op").removeprefix("‖_"), blocks)

    def gradient(self, token: str) -> Matrix:
        block = int(token.removeprefix("∇_")) - 1 if token != "∇" else 0
        function = self.take()
        return Matrix.of(Gradient(function, self.point(), block))

    def expectation(self) -> _Worth:
        self.take("[")
        body = self.sum()
        given = None
        if self.skip("|"):
            self.take("past")
            self.take("of")
            given = self.index()
        self.take("]")
        if isinstance(body, Scalar):
            return Scalar.of(Expectation(body, given))
        return Matrix.of(Mean(_letter(body), given))

    def point(self) -> tuple[Matrix, ...]:
        """Matrices in brackets; anything else ends the list, and the caller finds a sign that it does not expect."""
        self.take("(")
        blocks: list[Matrix] = []
        while True:
            block = self.sum()
            if not isinstance(block, Matrix):
                return ()
            blocks.append(block)
            if not self.skip(","):
                break
        self.take(")")
        return tuple(blocks)

    def index(self) -> Index:
        base = {self.now: "t", "T": "T"}.get(self.next(), "")
        self.skip(self.next() if base else "")
        if base and self.next() not in ("+", "-"):
            return Index(base, 0)
        sign = -1 if self.skip("-") else 1
        self.skip("+")
        return Index(base, sign * int(self.take()))

    def named(self, name: str) -> _Worth:
        role = self.letters.get(at_times(name) if self.next() == "[" else name)
        match role:
            case Size():
                return Scalar.of(Dimension(name))
            case Number():
                return Scalar.of(Variable(name, self.when(role)))
            case OfShape():
                return Matrix.of(Symbol(name, role.shape, self.when(role)))
            case FunctionLetter():
                return Scalar.of(Value(name, self.point()))
        raise InputError("text", name, f"one of the letters {', '.join(self.letters)}")

    def when(self, role: Number | OfShape) -> When:
        if self.next() != "[":
            return role.kind
        self.take("[")
        index = self.index()
        self.take("]")
        return Time(index, role.lag)


def _letter(matrix: Matrix) -> Letter:
    ((((letter, _),), _),) = matrix.terms.items()
    return letter


def _plus(left: _Worth, right: _Worth) -> _Worth:
    if isinstance(left, Scalar) and isinstance(right, Scalar):
        return left + right
    if isinstance(left, Matrix) and isinstance(right, Matrix):
        return left + right
    raise InputError("text", right, "a sum of numbers alone, or of matrices")


def _scaled(worth: _Worth, sign: int) -> _Worth:
    return worth.scaled(sign) if isinstance(worth, Matrix) else worth * sign


def _times(left: _Worth, right: _Worth) -> _Worth:
    if isinstance(left, Matrix):
        return left @ right if isinstance(right, Matrix) else left.scaled(right)
    return right.scaled(left) if isinstance(right, Matrix) else left * right
