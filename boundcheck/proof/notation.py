"""The notation of kernel statements: their letters, their text read back, their LaTeX, and the
identities behind them.

The displayed text must say what was proved (Pollack, "How to believe a machine-checked proof",
1998; Wiedijk, "Pollack-inconsistency", 2012). So whatever is shown is read back, by a reader that
knows only the letters and the signs, and not how the text was made; and LaTeX is the text, sign by
sign, so that two statements never look the same.
"""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from math import prod
from typing import TypeVar

from boundcheck.errors import InputError
from boundcheck.kernel import Fact, KernelError, Law, Statement, Theorem
from boundcheck.kernel import terms as k
from boundcheck.kernel.builders import size_of
from boundcheck.kernel.terms import (
    ONE,
    Dimension,
    Gradient,
    Index,
    Matrix,
    Scalar,
    Symbol,
    Time,
    Value,
    Variable,
)
from boundcheck.kernel.terms import Letter as KernelLetter
from boundcheck.language.symbols import LATEX_NAMES, look

# Letters: what each name stands for. A name stands for one thing.

_PROCESS, _FUNCTION, _SIZE = "process", "function", "size"
_KINDS = {
    k.CONSTANT: "a {}",
    k.ANY: "any {}, at each time and outcome",
    _PROCESS: "a random {} at each time, known ",
    _FUNCTION: "a differentiable function of {}",
    _SIZE: "a dimension, a positive integer",
}


@dataclass(frozen=True)
class Role:
    """The meaning of a name: a number or a matrix, a function of matrices, or a dimension.

    Attributes:
        kind: of a number or matrix: it is constant, arbitrary, or the value of a process.
        shapes: that of a matrix, or those of a function's arguments; none for a number.
        lag: how much later than t a process is known.

    """

    kind: str
    shapes: tuple[tuple[str, str], ...] = ()
    lag: int = 0

    def __str__(self) -> str:
        shapes = ["×".join(str(size_of(name) or name) for name in shape) for shape in self.shapes]
        thing = (
            ", ".join(shapes)
            if self.kind == _FUNCTION
            else f"{shapes[0]} matrix"
            if shapes
            else "number"
        )
        when = (
            ("at its own time" if self.lag == 0 else f"from {self.lag} later on")
            if self.kind == _PROCESS
            else ""
        )
        return _KINDS[self.kind].format(thing) + when


Letters = Mapping[str, Role]


def letters(statements: Iterable[Statement]) -> dict[str, Role]:
    """The role of each name in these statements; a process has a time, so that `B` and `B[t]` are
    two names.

    Raises InputError if one name stands for two things, because the text would not say which.
    """
    found: dict[str, Role] = {}
    for statement in statements:
        for name, role in _roles(statement):
            if found.setdefault(name, role) != role:
                raise InputError(
                    "name", name, f"one thing of this name, not both {found[name]} and {role}"
                )
    for name, role in found.items():
        # v may be any point, and v[t] an iterate: but not a number and a matrix.
        process = found.get(_at_times(name))
        if process and (role.kind in (_FUNCTION, _SIZE) or role.shapes != process.shapes):
            raise InputError("name", name, f"one thing of this name, not both {role} and {process}")
    return dict(sorted(found.items()))


def _roles(statement: Statement) -> Iterator[tuple[str, Role]]:
    if isinstance(statement, Law):
        for part in (*statement.premises, statement.conclusion):
            yield from _roles(part)
    terms = statement.polynomial.inside if isinstance(statement, Fact) else statement.variables
    for term in terms:
        shapes = (term.shape,) if isinstance(term, Symbol | Matrix) else ()
        yield from ((name, Role(_SIZE)) for shape in shapes for name in shape)
        match term:
            case Variable(when=Time(lag=lag)) | Symbol(when=Time(lag=lag)):
                yield _at_times(term.name), Role(_PROCESS, shapes, lag)
            case Variable() | Symbol():
                yield term.name, Role(str(term.when), shapes)
            case Dimension():
                yield term.name, Role(_SIZE)
            case Value() | Gradient():
                yield term.function, Role(_FUNCTION, tuple(x.shape for x in term.point))


def _at_times(name: str) -> str:
    """The key of a process in a table of letters."""
    return f"{name}[t]"


# From the text back to the statement.

TOKEN = re.compile(r"‖_F|‖_op|‖|∇_\d+|∇|<=|[A-Za-z][A-Za-z0-9_']*|\d+|[-+*/^()\[\],;:|ᵀ<=]")
_OPERATORS = {"root": k.Root, "inverse": k.Inverse, "min_t": k.Minimum, "sum_t": k.Total}
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

    Raises InputError for a text that is not a statement.
    """
    reader = _Reader(tokens_of(text), letters)
    return reader.all_of(reader.statement)


class _Reader:
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

    def all_of(self, read_one: Callable[[], _Part]) -> _Part:
        """A part with nothing after it."""
        try:
            found = read_one()
            if self.next():
                raise self.unexpected("the end")
        except (KernelError, RecursionError, ValueError, ZeroDivisionError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(
                "text", " ".join(self.tokens), f"the text of the kernel, and not {error}"
            ) from error
        return found

    def inside(self, read_one: Callable[[], _Part]) -> _Part:
        """A part in brackets."""
        self.take("(")
        found = read_one()
        self.take(")")
        return found

    def several(self, read_one: Callable[[], _Part], sign: str = ",") -> list[_Part]:
        found = [read_one()]
        while self.skip(sign):
            found.append(read_one())
        return found

    def unexpected(self, wanted: str) -> InputError:
        return InputError(
            "text", " ".join(self.tokens[self.place : self.place + 5]) or "(the end)", wanted
        )

    # Statements.

    def statement(self) -> Statement:
        # A law among the premises of a law is in brackets, and no fact begins with a bracket and
        # "for".
        if self.tokens[self.place : self.place + 2] in (["(", "for"], ["(", "always"]):
            return self.inside(self.statement)
        if self.next() not in ("for", "always"):
            return self.fact()
        variables: list[Symbol | Variable] = []
        if self.take() == "for":
            self.take("all")
            variables = self.several(self.bound)
        premises = self.several(self.statement, ";") if self.skip("with") else []
        self.take(":")
        return Law(variables, premises, self.fact())

    def bound(self) -> Symbol | Variable:
        found = self.named(self.take())
        letter = next(iter(found.atoms())) if isinstance(found, Scalar) else _letter(found)
        if not isinstance(letter, Symbol | Variable):
            raise InputError("text", letter, "a letter over which a law ranges")
        return letter

    def fact(self) -> Fact:
        left = self.number()
        relation = self.take(*_RELATIONS)
        right = self.number()
        return Fact(_RELATIONS[relation], left - right if relation == "=" else right - left)

    # Numbers and matrices.

    def number(self) -> Scalar:
        found = self.sum()
        if not isinstance(found, Scalar):
            raise InputError("text", found, "a number")
        return found

    def sum(self) -> _Worth:
        total = self.product()
        while self.next() in ("+", "-"):
            sign = ONE if self.take() == "+" else -ONE
            right = _times(sign, self.product())
            if isinstance(total, Scalar) and isinstance(right, Scalar):
                total = total + right
                continue
            if not (isinstance(total, Matrix) and isinstance(right, Matrix)):
                raise InputError("text", right, "a sum of numbers alone, or of matrices")
            total = total + right
        return total

    def product(self) -> _Worth:
        sign = -ONE if self.skip("-") else ONE
        return _times(sign, reduce(_times, self.several(self.factor, "*")))

    def factor(self) -> _Worth:
        found = self.unit()
        if self.skip("ᵀ"):
            if not isinstance(found, Matrix):
                raise InputError("text", found, "a matrix to be transposed")
            return found.T
        if self.skip("^"):
            if not isinstance(found, Scalar):
                raise InputError("text", found, "a number to be raised to a power")
            return (
                Scalar.of(k.Power(found, self.time()))
                if self.next() == "["
                else found ** int(self.take())
            )
        return found

    def unit(self) -> _Worth:
        token = self.take()
        if token.isdigit():
            if token == "0" and self.skip("["):
                shape = self.take(), self.take(",") and self.take()
                self.take("]")
                return Matrix.zero(shape)
            return Scalar.of(Fraction(int(token), int(self.take()) if self.skip("/") else 1))
        if token == "(":
            self.place -= 1
            return self.inside(self.sum)
        if token == "‖":
            start = self.place
            blocks = self.point() if self.next() == "(" else ()
            # One block in brackets is a factor of a product, such as (a + b)*X.
            if len(blocks) < 2:
                self.place = start
                block = self.sum()
                if not isinstance(block, Matrix):
                    raise InputError("text", block, "a matrix")
                blocks = (block,)
            return Scalar.of(k.Norm(self.take("‖_F", "‖_op").removeprefix("‖_"), blocks))
        if token.startswith("∇"):
            number = int(token.removeprefix("∇_")) - 1 if token != "∇" else 0
            return Matrix.of(Gradient(self.take(), self.point(), number))
        if token == "E":
            self.take("[")
            mean = self.sum()
            given = None
            if self.skip("|"):
                self.take("past")
                self.take("of")
                given = self.index()
            self.take("]")
            return (
                Scalar.of(k.Expectation(mean, given))
                if isinstance(mean, Scalar)
                else Matrix.of(k.Mean(_letter(mean), given))
            )
        if token == "tr":
            (matrix,) = self.point()
            ((word, _),) = matrix.terms.items()
            return Scalar.of(k.Trace(word))
        if token == self.now:
            return Scalar.of(k.Clock())
        if token == "sum":
            # Over earlier times: sum[t' < t](...), where t is called t'.
            outer = self.now
            self.now = f"{outer}'"
            for sign in ("[", self.now, "<", outer, "]"):
                self.take(sign)
            body = self.inside(self.number)
            self.now = outer
            return Scalar.of(k.Before(body))
        if token == "max":
            return Scalar.of(k.Maximum(tuple(self.inside(lambda: self.several(self.number)))))
        if token in _OPERATORS:
            return Scalar.of(_OPERATORS[token](self.inside(self.number)))
        return Scalar.of(k.Horizon()) if token == "T" else self.named(token)

    def point(self) -> tuple[Matrix, ...]:
        """Matrices in brackets; anything else ends the list, and the caller finds a sign that it
        does not expect.
        """
        self.take("(")
        blocks: list[Matrix] = []
        while not blocks or self.skip(","):
            block = self.sum()
            if not isinstance(block, Matrix):
                return ()
            blocks.append(block)
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

    def time(self) -> Index:
        """An index in square brackets."""
        self.take("[")
        found = self.index()
        self.take("]")
        return found

    def named(self, name: str) -> _Worth:
        role = self.letters.get(_at_times(name) if self.next() == "[" else name)
        if role is None:
            raise InputError("text", name, f"one of the letters {', '.join(self.letters)}")
        if role.kind == _SIZE:
            return Scalar.of(Dimension(name))
        if role.kind == _FUNCTION:
            return Scalar.of(Value(name, self.point()))
        when: k.When = Time(self.time(), role.lag) if role.kind == _PROCESS else role.kind
        return (
            Matrix.of(Symbol(name, role.shapes[0], when))
            if role.shapes
            else Scalar.of(Variable(name, when))
        )


def _letter(matrix: Matrix) -> KernelLetter:
    ((((letter, _),), _),) = matrix.terms.items()
    return letter


def _times(left: _Worth, right: _Worth) -> _Worth:
    if isinstance(left, Matrix):
        return left @ right if isinstance(right, Matrix) else left.scaled(right)
    return right.scaled(left) if isinstance(right, Matrix) else left * right


# The text in LaTeX, and back.

# Signs that are the same everywhere. The LaTeX of each is one piece without spaces.
_SIGNS = {
    "‖": r"\|", "‖_F": r"\|_{F}", "‖_op": r"\|_{\mathrm{op}}", "∇": r"\nabla", "ᵀ": r"^{\top}",
    "<=": r"\le", "<": "<", "=": "=", "*": r"\,", "+": "+", "-": "-", "/": "/", "(": "(", ")": ")",
    "[": "[", "]": "]", ",": ",", ";": ";", ":": ":", "|": r"\mid", "E": r"\mathbb{E}",
    "tr": r"\operatorname{tr}", "min_t": r"\min_{t}", "max": r"\max", "sum_t": r"\sum_{t}",
    "sum": r"\sum", "t": "t", "T": "T", "for": r"\forall", "all": r"\;",
    "with": r"\quad\text{with}\quad", "always": r"\text{always}\;", "past": r"\text{past}\;",
    "of": r"\text{of}\;",
}  # fmt: skip
# Signs that open a group: how it begins in LaTeX, and how it begins and ends in the text.
_GROUPS = {
    "root": (r"\sqrt{", "root (", ")"),
    "inverse": (r"\frac{1}{", "inverse (", ")"),
    "index": ("_{", "[", "]"),
    "^": ("^{", "^", ""),
    "power": (r"^{\,", "^ [", "]"),
}
_END = "}"
# An inverse to a power: without brackets the exponent would be read as that of what is below the
# line.
_BRACKETED = (r"\left(\frac{1}{", r"}\right)")
# A time that a sum over earlier times ranges over.
_TIME = re.compile("t'+")
_CLOSES = {"(": ")", "[": "]"}


def latex(text: str, letters: Letters) -> str:
    """A statement's text in LaTeX, in the letters of the papers if these tell the names apart;
    needs amsmath.
    """
    names, rest = _latex_names(letters), deque(tokens_of(text))

    def until(end: str) -> Iterator[str]:
        """The pieces of a group, whose last sign is taken away."""
        before = ""
        while rest and rest[0] != end:
            token = rest.popleft()
            if token in ("root", "inverse"):
                # The bracket that opens what the sign is over.
                rest.popleft()
                inside = list(until(")"))
                has_power = token == "inverse" and rest and rest[0] == "^"
                begins, ends = _BRACKETED if has_power else (_GROUPS[token][0], _END)
                yield from (begins, *inside, ends)
            elif token == "[" and (before in names or before in ("0", "sum")):
                yield from (_GROUPS["index"][0], *until("]"), _END)
            elif token == "^" and rest[0] == "[":
                rest.popleft()
                yield from (_GROUPS["power"][0], *until("]"), _END)
            elif token == "^":
                yield from (_GROUPS["^"][0], rest.popleft(), _END)
            elif token in _CLOSES:
                yield from (_SIGNS[token], *until(_CLOSES[token]), _SIGNS[_CLOSES[token]])
            elif token in names:
                yield names[token]
            elif token.startswith("∇_"):
                yield rf"\nabla_{{{token.removeprefix('∇_')}}}"
            else:
                yield token if token.isdigit() or _TIME.fullmatch(token) else _SIGNS[token]
            before = token
        if rest:
            rest.popleft()

    return " ".join(until(""))


def from_latex(text: str, letters: Letters) -> str:
    """The text from which `latex` made this; raises InputError for any other LaTeX."""
    back = {made: sign for signs in (_SIGNS, _latex_names(letters)) for sign, made in signs.items()}
    back |= {rf"\nabla_{{{i}}}": f"∇_{i}" for i in range(1, 100)}
    opening = {made: (begins, end, _END) for made, begins, end in _GROUPS.values()}
    opening[_BRACKETED[0]] = (*_GROUPS["inverse"][1:], _BRACKETED[1])
    found: list[str] = []
    # Of each open group: the piece that ends it, and the sign for that.
    ends: list[tuple[str, str]] = []
    for piece in text.split():
        if piece in opening:
            begins, end, closing = opening[piece]
            found.append(begins)
            ends.append((closing, end))
        elif ends and piece == ends[-1][0]:
            found.append(ends.pop()[1])
        elif piece.isdigit() or _TIME.fullmatch(piece):
            found.append(piece)
        elif piece in back:
            found.append(back[piece])
        else:
            raise InputError("LaTeX", piece, "a sign of a statement of the kernel")
    return " ".join(found)


# Greek letters that do not look like a Latin one.
_LETTERS = """alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu xi pi rho sigma tau
phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega"""
_GREEK = frozenset(_LETTERS.split())
# A letter with primes and subscripts: a longer name is spelled out.
_LETTER = re.compile(r"([A-Za-z]+)'*(_[A-Za-z0-9]+)*")
_PREFERRED = {str(symbol.name): made for symbol, made in LATEX_NAMES.items()}


def _latex_names(letters: Letters) -> dict[str, str]:
    """The LaTeX of each name: as in the papers, or the name itself if two would look the same."""
    plain, wanted = dict[str, str](), dict[str, str]()
    for name in sorted({name.removesuffix(_at_times("")) for name in letters}):
        found = _LETTER.fullmatch(name)
        short = look(name) if found and (len(found[1]) == 1 or found[1] in _GREEK) else ""
        plain[name] = rf"\mathtt{{{name.replace('_', chr(92) + '_')}}}"
        wanted[name] = f"{{{_PREFERRED.get(name) or short or plain[name]}}}"
    looks = list(wanted.values())
    return {
        name: made if looks.count(made) == 1 and " " not in made and made != "{T}" else plain[name]
        for name, made in wanted.items()
    }


# A paper's line may contain letters, signs and these commands, in groups that close.
_ALLOWED = """ varepsilon nu varphi ell top bot nabla partial infty emptyset forall exists in notin
subset subseteq cup cap setminus times cdot cdots dots ldots pm mp circ odot otimes oplus star le
leq ge geq lt gt ne neq approx sim simeq equiv propto ll gg to rightarrow Rightarrow mapsto mid
vdash langle rangle lVert rVert Vert lvert rvert left right big Big bigl bigr Bigl Bigr sum prod int
min max sup inf lim log ln exp det arg dim ker operatorname frac tfrac dfrac sqrt hat bar tilde vec
dot ddot widehat widetilde overline underline prime mathbb mathbf mathrm mathcal mathtt mathsf
mathit boldsymbol bm text textbf textit textrm quad qquad """
_COMMANDS = frozenset("|,;:!{} ") | _GREEK | frozenset(_ALLOWED.split())


def check_math(text: str) -> str:
    """The LaTeX of a formula, unchanged; raises InputError if it could print, or do, more than a
    formula.
    """
    signs = re.sub(r"\\(?:[a-zA-Z]+|.)", "", text)
    unknown = [x for x in re.findall(r"\\([a-zA-Z]+|.)", text) if x not in _COMMANDS]
    depth, lowest = 0, 0
    for sign in signs:
        depth += (sign == "{") - (sign == "}")
        lowest = min(lowest, depth)
    if unknown or depth or lowest < 0 or re.search(r"[$%#&~<>\n\\]|[^\x20-\x7e]", signs):
        what = f"\\{unknown[0]}" if unknown else "an unknown sign, or groups that do not close"
        raise InputError(
            "printed", text, f"one formula in LaTeX, with \\le for <, and without {what}"
        )
    return text


# Statements as a person sees them.

UNCLEAR = r"\text{(two letters of one name)}"
"""In place of LaTeX where one name stands for two things."""


@dataclass(frozen=True)
class Display:
    """Statements as printed: the text and LaTeX of each, in one table of letters.

    If one name stands for two things, there is no table, and only the text is printed.
    """

    texts: tuple[str, ...]
    latex: tuple[str, ...]
    letters: Letters

    @property
    def roles(self) -> dict[str, str]:
        """The role of each letter, in words; the 3 of a 3×4 matrix is no letter."""
        return {name: str(role) for name, role in self.letters.items() if size_of(name) is None}

    @property
    def by_role(self) -> dict[str, list[str]]:
        """The letters by what they are."""
        return {
            role: [x for x, each in self.roles.items() if each == role]
            for role in self.roles.values()
        }

    @property
    def told(self) -> str:
        """The letters in a sentence, grouped by what they are."""
        return "; ".join(f"{', '.join(names)}: {role}" for role, names in self.by_role.items())

    @property
    def told_latex(self) -> dict[str, list[str]]:
        """The letters grouped by what they are, each in LaTeX as the statements have it."""
        return {
            role: [latex(name, self.letters) for name in names]
            for role, names in self.by_role.items()
        }


def shown(*statements: Statement) -> Display:
    """The statements as they are printed."""
    texts = tuple(map(str, statements))
    try:
        table = letters(statements)
    except InputError:
        return Display(texts, tuple(UNCLEAR for _ in texts), {})
    return Display(texts, tuple(latex(text, table) for text in texts), table)


# The identity behind a theorem by certificate, to check by hand: factor · goal = Σ weight ·
# premises · square.


def identity_of(theorem: Theorem) -> list[tuple[str, list[Scalar]]]:
    """The lines of the identity behind a theorem by certificate, each with the factors of what it
    says.

    The first line is the left side, the others are the summands of the right side, which begin with
    their signs. In the text each factor is in brackets unless it is a single letter, norm or the
    like.
    """
    goal, terms, multipliers, factor = theorem.arguments
    premises = [premise.fact.polynomial for premise in theorem.premises]
    left = [*(premises[place] for place in factor), goal.polynomial]
    lines = [("*".join(map(_factor, left)), left)]
    summands = [(weight, places, root, 2) for squares, places in terms for weight, root in squares]
    for weight, places, other, power in summands + [
        (Fraction(1), (place,), x, 1) for x, place in multipliers
    ]:
        factors = [premises[place] for place in places]
        texts = list(map(_factor, factors))
        if other.number is not None:
            weight *= other.number**power
        else:
            texts = [*texts, f"{_factor(other)}^2"] if power == 2 else [_factor(other), *texts]
            factors += [other] * power
        size, sign = abs(weight), "-" if weight < 0 else "+" if lines[1:] else ""
        text = "*".join(texts if texts and size == 1 else [str(size), *texts])
        begins = "" if lines[1:] else "="
        lines.append((" ".join(filter(None, (begins, sign, text))), [Scalar.of(weight), *factors]))
    return lines if lines[1:] else [*lines, ("= 0", [Scalar({})])]


def _factor(scalar: Scalar) -> str:
    is_atom = any(
        scalar == Scalar.of(atom) for atom in scalar.atoms() if not isinstance(atom, k.Power)
    )
    return str(scalar) if is_atom else f"({scalar})"


def identity(theorem: Theorem) -> str | None:
    """The identity that closes a line, as text; None if a rule yields the line as it stands."""
    return (
        " ".join(line for line, _ in identity_of(theorem))
        if theorem.rule == "certificate"
        else None
    )


def identity_latex(theorem: Theorem) -> list[str]:
    """The lines of the identity in LaTeX; empty where one of them could be read as something
    else.
    """
    lines = identity_of(theorem)
    try:
        table = letters(Fact(">=", factor) for _, factors in lines for factor in factors)
        made = [latex(line, table) for line, _ in lines]
        said = [read_line(from_latex(line, table), table) for line in made]
    except InputError:
        return []
    return made if said == [prod(factors, start=ONE) for _, factors in lines] else []


def read_line(text: str, letters: Letters) -> Scalar:
    """The number that a line of an identity says; raises InputError if it says none."""
    reader = _Reader(tokens_of(text), letters)
    reader.skip("=")
    reader.skip("+")
    return reader.all_of(reader.number)
