"""From sympy to the kernel: claims and steps of proofs, written in the vocabulary of claims, as
kernel statements.

Every letter has a role, and no reading assumes one in silence: the catalogue's scalars are
constants, and a `Reading` says what each other letter is. A vector such as v is read as its blocks
(A, B). Roots and quotients become the kernel's atoms root(x) and inverse(x), so that every formula
of a claim has a translation. Two symbols with one name, such as two
with different assumptions, would be one letter to a reader: the second one is refused.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property, partial, reduce, wraps
from math import prod
from types import MappingProxyType
from typing import TypeVar

import sympy as sp
from sympy.matrices.expressions.matexpr import MatrixExpr

from boundcheck.errors import InputError
from boundcheck.kernel import Fact, KernelError, builders
from boundcheck.kernel import terms as k
from boundcheck.kernel.rules import gradients
from boundcheck.kernel.terms import ANY, CONSTANT, ONE, Index, Matrix, Point, Scalar, Symbol, Time
from boundcheck.language import symbols
from boundcheck.language import vocabulary as words

_Result = TypeVar("_Result")

# The scalars of the catalogue, by name: constants, except T and those that are also dimensions.
CATALOGUE = {str(symbol.name): symbol for symbol in symbols.LETTERS}
_STRICT = (sp.StrictLessThan, sp.StrictGreaterThan)
_HOW_TO_DECLARE = "fresh= of a script, or a Reading, says what a letter is that no claim has"


@dataclass(frozen=True)
class Process:
    """The blocks of an iterate such as v_t, and when it is known: at its own time, or one later if
    it is drawn.
    """

    blocks: tuple[sp.MatrixSymbol, ...]
    drawn: bool = False

    @property
    def lag(self) -> int:
        """The number of steps after t at which the value at t is known."""
        return int(self.drawn)


def _is_known(kind: type) -> bool:
    """True if a class is truly one of sympy's or of the vocabulary's: another may compute, and
    compare, as it likes.
    """
    module = str(kind.__module__)
    ours = module == words.__name__ or module.startswith("sympy.")
    return ours and getattr(sys.modules.get(module), kind.__name__, None) is kind


def is_plain(*expressions: sp.Basic) -> bool:
    """True if expressions are made of classes of sympy and of the vocabulary alone, so that they
    are what they show.
    """
    return all(
        _is_known(type(part)) for each in expressions for part in sp.preorder_traversal(each)
    )


def _told(
    translate: Callable[[Reading, sp.Basic], _Result],
) -> Callable[[Reading, sp.Basic], _Result]:
    """Make a translation name the expression that it cannot translate, whatever refused it."""

    @wraps(translate)
    def told(reading: Reading, node: sp.Basic) -> _Result:
        if isinstance(node, sp.Basic) and not _is_known(type(node)):
            raise InputError(
                "expression",
                node,
                f"an expression of sympy, and not your own {type(node).__name__}",
            )
        try:
            return translate(reading, node)
        except (
            KernelError,
            ArithmeticError,
            AttributeError,
            IndexError,
            KeyError,
            TypeError,
            ValueError,
        ) as error:
            if isinstance(error, InputError):
                raise
            raise InputError("expression", node, f"one that has a meaning, not {error}") from error

    return told


@dataclass(frozen=True)
class Reading:
    """A reading of claims and steps: what their letters stand for.

    Attributes:
        points: the matrices for which a matrix symbol stands, if it is not a letter itself: v_1 is
            (A_1, B_1), W is W_0 + sBA.
        processes: for an iterate at t, such as v_t, its blocks.
        constants: letters (numbers and matrices) that are constants.
        arbitrary: letters that may be any function of time and outcome.

    Raises:
        InputError: for a letter with two roles, for two letters with one name, for a letter of the
            catalogue that is `arbitrary`, and for another one of the name of a whole number of it.

    """

    points: Mapping[sp.MatrixSymbol, tuple[MatrixExpr, ...]] = field(default_factory=dict)
    processes: Mapping[words.Iterate, Process] = field(default_factory=dict)
    constants: Collection[sp.Basic] = frozenset()
    arbitrary: Collection[sp.Basic] = frozenset()

    def __post_init__(self) -> None:
        """Keep a copy of the input, and refuse letters that a reader could not tell apart."""
        for name in ("points", "processes"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))
        for name in ("constants", "arbitrary"):
            letters = tuple(getattr(self, name))
            for letter in letters:
                _check_letter(name, letter)
            object.__setattr__(self, name, frozenset(letters))
        for name, each in (("points", sp.MatrixSymbol), ("processes", words.Iterate)):
            for symbol in getattr(self, name):
                if not isinstance(symbol, each):
                    raise InputError(name, symbol, f"a {each.__name__} to be read as its blocks")
        owner: dict[str, words.Iterate] = {}
        for iterate, process in self.processes.items():
            blocks = process.blocks if type(process) is Process else ()
            if (
                iterate.args[1] != words.t
                or not blocks
                or not all(isinstance(x, sp.MatrixSymbol) for x in blocks)
            ):
                raise InputError(
                    "processes",
                    iterate,
                    "an iterate at t, such as v_t, with a Process of its blocks",
                )
        _check_names([x.name for x in (*self.constants, *self.arbitrary, *self.points)])
        _check_names([str(x.args[0]) for x in self.processes])
        for iterate, process in self.processes.items():
            for block in process.blocks:
                # A_t itself is the block A of v_t, by its name; no two vectors share another block.
                alone = len(process.blocks) == 1 and block.name == str(iterate.args[0])
                if not alone and owner.setdefault(block.name, iterate) != iterate:
                    raise InputError(
                        "processes",
                        iterate,
                        f"its own blocks; {block} is one of {owner[block.name]}",
                    )
        # A_t is a process itself, and the same one as the block of v_t.
        blocks_drawn = dict.fromkeys(
            (x, each.drawn) for each in self.processes.values() for x in each.blocks
        )
        _check_names([block.name for block, _ in blocks_drawn])

    def having(self, constants: Iterable[sp.Basic]) -> Reading:
        """A copy of this reading with more constants."""
        return Reading(self.points, self.processes, {*self.constants, *constants}, self.arbitrary)

    @cached_property
    def letters(self) -> frozenset[sp.Basic]:
        """All letters declared as constants or as arbitrary."""
        return frozenset(self.constants) | frozenset(self.arbitrary)

    @cached_property
    def known(self) -> dict[str, sp.Basic]:
        """The numbers that have a role, by name: the catalogue's, where no other one was
        declared.
        """
        return CATALOGUE | {x.name: x for x in self.letters if isinstance(x, sp.Symbol)}

    @cached_property
    def _named(self) -> dict[str, list[sp.Basic]]:
        """The letters that have a role, by name: those declared, vectors, and the blocks of
        processes.
        """
        found: dict[str, list[sp.Basic]] = {}
        blocks = (block for process in self.processes.values() for block in process.blocks)
        for each in (*self.letters, *self.points, *blocks):
            found.setdefault(each.name, []).append(each)
        return found

    @cached_property
    def _blocks(self) -> Mapping[sp.Basic, int]:
        """The place of each matrix that is a block of a vector; raises InputError if one is at two
        places.
        """
        found: dict[sp.Basic, int] = {}
        for point in self.points.values():
            for place, block in enumerate(point):
                if isinstance(block, sp.MatrixSymbol) and found.setdefault(block, place) != place:
                    raise InputError(
                        "points", block, "a block at one place of the vectors that have it"
                    )
        return found

    # Relations.

    @_told
    def facts(self, relation: sp.Basic) -> tuple[Fact, ...]:
        """A relation, or a conjunction of relations, as facts.

        Raises InputError for a relation without a translation, or one that sympy has evaluated
        away.
        """
        if isinstance(relation, sp.And):
            return tuple(fact for part in relation.args for fact in self.facts(part))
        if isinstance(relation, sp.core.relational._Inequality) and isinstance(
            relation.lts, sp.Max
        ):
            # A bound on a maximum bounds each of its arguments.
            lower = sp.Lt if relation.func in _STRICT else sp.Le
            parts = (lower(x, relation.gts, evaluate=False) for x in relation.lts.args)
            return tuple(map(self.fact, parts))
        return (self.fact(relation),)

    @_told
    def fact(self, relation: sp.Basic) -> Fact:
        """A single relation as a fact; raises InputError as `facts`, and for a conjunction."""
        if isinstance(relation, sp.And):
            raise InputError("statement", relation, "a single relation")
        if isinstance(relation, sp.Eq):
            left, right = relation.args
            if not isinstance(left, MatrixExpr):
                return Fact("=", self.scalar(left) - self.scalar(right))
            pairs = zip(self.point(left), self.point(right), strict=True)
            return Fact("=", builders.norm(k.FROBENIUS, *(x - y for x, y in pairs)))
        if not isinstance(relation, sp.core.relational._Inequality):
            raise InputError(
                "statement", relation, "a relation <=, <, >=, > or Eq that sympy does not evaluate"
            )
        sign = ">" if relation.func in _STRICT else ">="
        return Fact(sign, self.scalar(relation.gts) - self.scalar(relation.lts))

    # Numbers.

    @_told
    def scalar(self, node: sp.Expr) -> Scalar:
        """A scalar expression as a polynomial over atoms; raises InputError if it has no
        translation.
        """
        match node:
            case sp.Rational():
                return Scalar.of(Fraction(int(node.p), int(node.q)))
            case sp.Symbol():
                return self._symbol(node)
            case sp.Add():
                return Scalar.sum(self.scalar(x) for x in node.args)
            case sp.Mul():
                return prod(map(self.scalar, node.args), start=ONE)
            case sp.Pow():
                return self._power(node)
            case sp.Abs():
                return Scalar.of(k.Root(self.scalar(node.args[0]) ** 2))
            case sp.Max():
                return builders.maximum(*map(self.scalar, node.args))
            case sp.Min():
                return -builders.maximum(*(-self.scalar(x) for x in node.args))
            case words.FrobeniusNorm() | words.EuclideanNorm() | words.SpectralNorm():
                kind = k.SPECTRAL if isinstance(node, words.SpectralNorm) else k.FROBENIUS
                return builders.norm(kind, *self.point(node.args[0]))
            case words.Value():
                return Scalar.of(k.Value(function_name(node.args[0]), self.point(node.args[1])))
            case words.InnerProduct():
                return builders.inner(self.point(node.args[0]), self.point(node.args[1]))
            case words.Expectation():
                body = self.scalar(node.args[0])
                given = self._given(node, body)
                if builders.known(body, given):
                    past = f", given {node.args[1]}" if given is not None else ""
                    expected = f"the expectation of what is random{past}; this is a constant there"
                    raise InputError("expectation", node, expected)
                return builders.expect(body, given)
            case words.MinimumOver():
                _check_all_times(node, *node.args[1:])
                return Scalar.of(k.Minimum(self.scalar(node.args[0])))
            case sp.Sum():
                return self._sum(node)
        raise InputError("expression", node, "a scalar in the vocabulary of claims")

    def _symbol(self, node: sp.Symbol) -> Scalar:
        if node == words.t:
            return Scalar.of(k.Clock())
        if node == words.i:
            raise InputError("symbol", node, "a sum over i around it")
        if node == symbols.T:
            return Scalar.of(k.Horizon())
        if is_dimension(node):
            self._check_dimension(node)
            return Scalar.of(k.Dimension(node.name))
        if node in self.arbitrary:
            return Scalar.of(k.Variable(node.name, ANY))
        if self.known.get(node.name) == node:
            return Scalar.of(k.Variable(node.name, CONSTANT))
        raise InputError("symbol", node, without_role(node, self.letters))

    def _check_dimension(self, node: sp.Symbol) -> None:
        """Check that no other letter has the name of a dimension, which needs no role."""
        if any(each != node for each in self._named.get(node.name, ())):
            raise InputError("symbol", node, without_role(node, self._named[node.name]))

    def _shape(self, node: MatrixExpr) -> tuple[str, str]:
        for size in node.shape:
            if isinstance(size, sp.Symbol):
                self._check_dimension(size)
        return shape_names(node)

    def _power(self, node: sp.Pow) -> Scalar:
        exponent = node.exp
        base = self.scalar(node.base)
        if exponent.has(words.t, symbols.T):
            times = exponent.coeff(words.t) + exponent.coeff(symbols.T)
            if not (times.is_Integer and times > 0):
                raise InputError(
                    "exponent", exponent, "a whole number of times t or T, plus a number"
                )
            return builders.power(base ** int(times), index(exponent / times))
        if not isinstance(exponent, sp.Rational) or exponent.q not in (1, 2, 4):
            raise InputError("exponent", exponent, "an integer, a half or a quarter")
        is_product = exponent.is_Integer and exponent > 0
        if (
            base.number is not None
            and (base.number < 0 or (base.number == 0 and exponent < 0))
            and not is_product
        ):
            raise InputError(
                "expression", node, "a root of what is not negative, and a divisor that is not 0"
            )
        for _ in range({1: 0, 2: 1, 4: 2}[int(exponent.q)]):
            base = Scalar.of(k.Root(base))
        return (base if exponent > 0 else Scalar.of(k.Inverse(base))) ** abs(int(exponent.p))

    def _sum(self, node: sp.Sum) -> Scalar:
        """A sum over t from 1 to T, or over earlier times i from 1 to an index at t."""
        if len(node.limits) != 1:
            raise InputError("sum", node, "a sum over t, or over i, alone")
        ((counter, first, last),) = node.limits
        if counter == words.t:
            _check_all_times(node, counter, first, last)
            return builders.total(self.scalar(node.function))
        if counter != words.i or first != 1 or node.function.has(words.t):
            raise InputError(
                "range",
                node,
                "t from 1 to T, or i from 1 to a time such as t - 1, without t inside",
            )
        body = self.scalar(node.function.xreplace({words.i: words.t}))
        return builders.before_at(body, index(last + 1))

    # Matrices and vectors.

    @_told
    def point(self, node: MatrixExpr) -> Point:
        """A matrix or vector expression as its blocks; raises InputError if it has no
        translation.
        """
        match node:
            case sp.MatrixSymbol() if node in self.points:
                blocks = [self.point(x) for x in self.points[node]]
                for part, found in zip(self.points[node], blocks, strict=True):
                    if len(found) != 1:
                        raise InputError("points", part, "a single matrix as a block")
                return tuple(block for (block,) in blocks)
            case sp.MatrixSymbol():
                for letters, when in ((self.constants, CONSTANT), (self.arbitrary, ANY)):
                    if node in letters:
                        return (Matrix.of(Symbol(node.name, self._shape(node), when)),)
                raise InputError("matrix", node, without_role(node, [*self.letters, *self.points]))
            case sp.ZeroMatrix():
                return (Matrix.zero(self._shape(node)),)
            case words.Iterate():
                process = self._process(node)
                at = Time(index(node.args[1]), process.lag)
                return tuple(Matrix.of(Symbol(x.name, self._shape(x), at)) for x in process.blocks)
            case words.Gradient():
                return gradients(function_name(node.args[0]), self.point(node.args[1]))
            case words.PartialGradient():
                function, place, block = node.args
                slopes = gradients(function_name(function), self.point(place))
                return (slopes[self._place(block, place, len(slopes))],)
            case words.Pair():
                return self.point(node.args[0]) + self.point(node.args[1])
            case words.MatrixExpectation():
                body = self.point(node.args[0])
                given = self._given(node, *body)
                if all(builders.known(x, given) for x in body):
                    raise InputError(
                        "expectation",
                        node,
                        "the expectation of what is random; this is a constant there",
                    )
                return tuple(builders.mean(x, given) for x in body)
            case sp.Transpose():
                return tuple(x.T for x in self.point(node.arg))
            case sp.MatAdd():
                parts = zip(*map(self.point, node.args), strict=True)
                return tuple(
                    reduce(Matrix.__add__, blocks, Matrix.zero(blocks[0].shape)) for blocks in parts
                )
            case sp.MatMul() | sp.MatPow():
                return self._product(node)
        raise InputError("expression", node, "a matrix in the vocabulary of claims")

    def _place(self, block: MatrixExpr, point: MatrixExpr, count: int) -> int:
        """The place of a block in a vector: its own, or one with as many blocks, where it is
        called by its name.
        """
        own = point.args if isinstance(point, words.Pair) else self.points.get(point, ())
        named = self._blocks
        if block in own:
            return own.index(block)
        if any(len(x) == count and block in x for x in self.points.values()):
            return named[block]
        raise InputError("block", block, f"a block of {point}")

    def _product(self, node: sp.MatMul | sp.MatPow) -> Point:
        if isinstance(node, sp.MatPow) and not (node.exp.is_Integer and node.exp >= 1):
            raise InputError("exponent", node.exp, "a whole number from 1 on")
        factors = [node.base] * int(node.exp) if isinstance(node, sp.MatPow) else node.args
        scale, product = ONE, None
        for factor in factors:
            if not isinstance(factor, MatrixExpr):
                scale = scale * self.scalar(factor)
                continue
            point = self.point(factor)
            if product is not None and len(product) + len(point) != 2:
                raise InputError(
                    "expression", node, "a product of matrices, or of a number and a vector"
                )
            product = point if product is None else (product[0] @ point[0],)
        return tuple(x.scaled(scale) for x in product or ())

    def _given(
        self, node: words.Expectation | words.MatrixExpectation, *body: Scalar | Matrix
    ) -> Index | None:
        """The past up to t, for an expectation that is conditional on an iterate v_t.

        The kernel knows only the whole past. So nothing else in the body may be known by then, if
        only v_t is given.
        """
        if len(node.args) == 1:
            return None
        iterate = node.args[1]
        if len(node.args) > 2 or not isinstance(iterate, words.Iterate):
            raise InputError("given", node.args[1:], "one iterate, whose past is meant")
        process = self._process(iterate)
        if process.drawn:
            raise InputError("given", iterate, "an iterate that is known at its own time")
        # The sum over earlier times is known too, and v_t does not tell it.
        if any(isinstance(x, k.Before) for part in body for x in part.inside):
            expected = "an expectation without a sum over earlier times, which is known as well"
            raise InputError("given", node, expected)
        known = [x for each in self.processes.values() if not each.drawn for x in each.blocks]
        other = next((x for x in known if x not in process.blocks), None)
        if other is not None:
            raise InputError(
                "given",
                iterate,
                f"an iterate whose blocks alone are known; {other} is known as well",
            )
        given = index(iterate.args[1])
        for letter in sorted(
            x for part in body for x in part.inside if isinstance(x, Symbol | k.Variable)
        ):
            if letter.when == ANY:
                raise InputError(
                    "given", node, f"an expectation of processes and constants, not of any {letter}"
                )
            when = letter.when
            if isinstance(when, Time) and builders.known(letter, given) and when.index != given:
                raise InputError(
                    "given",
                    iterate,
                    f"everything in the expectation that is known by then, {letter} too",
                )
        return given

    def _process(self, node: words.Iterate) -> Process:
        process = self.processes.get(at_t(node))
        if process is None:
            known = ", ".join(map(str, self.processes)) or "(none)"
            raise InputError("iterate", node, f"one of the processes {known}; {_HOW_TO_DECLARE}")
        return process


def at_t(iterate: words.Iterate) -> words.Iterate:
    """The iterate at t, which is the key of its process in a reading."""
    name, _, rows, columns = iterate.args
    return words.Iterate(name, words.t, rows, columns)


def index(t: sp.Expr) -> Index:
    """The kernel's index for t + 1, T + 1 or a number; raises InputError for another expression."""
    for base, symbol in (("t", words.t), ("T", symbols.T), ("", sp.Integer(0))):
        offset = t - symbol
        if offset.is_Integer:
            return Index(base, int(offset))
    raise InputError("index", t, "t, T or a number, plus a whole number")


def _check_all_times(node: sp.Expr, t: sp.Symbol, first: sp.Expr, last: sp.Expr) -> None:
    if (t, first, last) != (words.t, 1, symbols.T):
        raise InputError("range", node, "t from 1 to T")


# The letters.


def _check_letter(role: str, letter: sp.Basic) -> None:
    """Check that a letter may have a declared role: it is one.

    A number of a claim's own may have the name of one of the catalogue's. A whole number may not,
    nor a letter of a proof's own, which stands beside those of claims.
    """
    if isinstance(letter, sp.Dummy) or not isinstance(letter, sp.Symbol | sp.MatrixSymbol):
        raise InputError(role, letter, "a Symbol or a MatrixSymbol, whose name says which it is")
    if isinstance(letter, sp.MatrixSymbol):
        return
    name, own = letter.name, CATALOGUE.get(letter.name)
    if own is not None and (role == "arbitrary" or (own != letter and own.is_integer)):
        raise InputError(role, letter, _another_name(own))
    if is_dimension(letter):
        if role == "arbitrary":
            raise InputError(role, letter, "a number that may vary; a dimension does not")
    elif letter not in (
        sp.Symbol(name),
        sp.Symbol(name, real=True),
        sp.Symbol(name, positive=True),
    ):
        # The numbers that the kernel knows are real ones, which a proof may assume to be positive.
        raise InputError(
            role, letter, "a number that is assumed to be real, or positive, or nothing"
        )


def _check_names(names: list[str]) -> None:
    twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if twice is not None:
        raise InputError("letter", twice, "one letter of this name, with one role")


def _another_name(own: sp.Symbol) -> str:
    return f"another name: {own.name} is a constant of the catalogue, {_assumed(own)}"


def _assumed(symbol: sp.Symbol) -> str:
    known = [
        name for name, value in symbol._assumptions_orig.items() if value and name != "commutative"
    ]
    return f"a {' '.join(known)} number" if known else "any number"


def without_role(node: sp.Basic, letters: Iterable[sp.Basic]) -> str:
    """A text on what is expected in place of a letter without a role: the letter of its name with a
    role, or a role.
    """
    other = next((x for x in letters if x.name == node.name), None)
    if isinstance(node, sp.Symbol) and other is None:
        other = CATALOGUE.get(node.name)
    if other is None:
        return f"a letter with a role; {_HOW_TO_DECLARE}"
    told = _assumed(other) if isinstance(other, sp.Symbol) else f"of shape {other.shape}"
    return f"the letter of this name that has a role, which is {told}"


def function_name(symbol: sp.Basic) -> str:
    """The name of a function; raises InputError for a symbol with assumptions."""
    if symbol != sp.Symbol(getattr(symbol, "name", "")):
        raise InputError("function", symbol, "a plain Symbol, such as f, that names a function")
    return str(symbol.name)


def is_dimension(symbol: sp.Symbol) -> bool:
    """True if a symbol is assumed to be a positive integer and nothing else, as dimensions of
    matrices are.
    """
    plain = symbol == sp.Symbol(symbol.name, positive=True, integer=True)
    return bool(
        plain
        and builders.size_of(symbol.name) is None
        and CATALOGUE.get(symbol.name, symbol) == symbol
    )


def shape_names(node: MatrixExpr) -> tuple[str, str]:
    """The names of a matrix's dimensions; raises InputError for any other size."""
    names = []
    for size in node.shape:
        if size.is_Integer:
            names.append("one" if size == 1 else f"size{size}")
        elif isinstance(size, sp.Symbol) and is_dimension(size):
            names.append(str(size.name))
        else:
            own = CATALOGUE.get(str(size))
            expected = f'a number, or Symbol("{size}", positive=True, integer=True)'
            raise InputError("dimension", size, _another_name(own) if own else expected)
    return names[0], names[1]


# Relations that sympy leaves unevaluated even if it knows a sign.


ge = partial(sp.Ge, evaluate=False)
"""The relation left >= right, unevaluated."""
gt = partial(sp.Gt, evaluate=False)
"""The relation left > right, unevaluated."""
le = partial(sp.Le, evaluate=False)
"""The relation left <= right, unevaluated."""
eq = partial(sp.Eq, evaluate=False)
"""The relation left = right, unevaluated."""
