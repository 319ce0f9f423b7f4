"""The kinds of atoms: what polynomials are made of, apart from numbers. `builders` makes them in normal form."""

from __future__ import annotations

from typing import ClassVar

from boundcheck.kernel.errors import TermError
from boundcheck.kernel.names import check_name, given_text, letter_text, primed
from boundcheck.kernel.terms import (
    Atom,
    Matrix,
    Point,
    Scalar,
    Word,
    check_point,
    check_word,
    transposed,
    word_key,
    word_shape,
)
from boundcheck.kernel.times import CONSTANT, Index, When, check_given, check_when

FROBENIUS, SPECTRAL = "F", "op"


class Variable(Atom):
    """A named real number."""

    name: str
    when: When

    def __init__(self, name: str, when: When = CONSTANT) -> None:
        check_name(name)
        check_when(when)
        self._fill(name=name, when=when, key=f"{name}:{when}")

    def __str__(self) -> str:
        return letter_text(self.name, self.when)


class Dimension(Atom):
    """The positive integer that a name in a shape stands for. A dimension cannot be generalised."""

    name: str

    def __init__(self, name: str) -> None:
        check_name(name)
        self._fill(name=name, key=f"(dimension {name})")

    def __str__(self) -> str:
        return self.name


class Horizon(Atom):
    """T, the last time, a positive integer."""

    key = "(horizon)"

    def __str__(self) -> str:
        return "T"


class Clock(Atom):
    """The number t, from 1 to T."""

    key = "(clock)"

    def __str__(self) -> str:
        return "t"


class Power(Atom):
    """The base to the power t - 1 or T - 1, and 1 where that is 0; use `power`, which takes other exponents."""

    base: Scalar
    exponent: Index

    def __init__(self, base: Scalar, exponent: Index) -> None:
        if type(base) is not Scalar:
            raise TermError(f"{base!r} is not a polynomial")
        if type(exponent) is not Index or exponent not in (Index("t", -1), Index("T", -1)):
            raise TermError(f"the exponent of a power is t-1 or T-1, and not {exponent!r}")
        self._fill(base=base, exponent=exponent, key=f"(power {exponent} {base.key})")

    def parts(self) -> tuple[Matrix | Scalar, ...]:
        return (self.base,)

    def __str__(self) -> str:
        return f"({self.base})^[{self.exponent}]"

    def raised(self, exponent: int) -> str:
        return f"({self})^{exponent}"


class Norm(Atom):
    """The Frobenius norm of a tuple of blocks, or the spectral norm of one block; use `norm`."""

    kind: str
    blocks: Point

    def __init__(self, kind: str, blocks: Point) -> None:
        check_point(blocks)
        if (
            type(kind) is not str
            or kind not in (FROBENIUS, SPECTRAL)
            or not blocks
            or (kind == SPECTRAL and len(blocks) > 1)
        ):
            raise TermError(f"{len(blocks)} blocks have no norm {kind!r}: F takes any number, op takes one")
        self._fill(kind=kind, blocks=blocks, key=f"(norm {kind} {' '.join(x.key for x in blocks)})")

    def parts(self) -> tuple[Matrix | Scalar, ...]:
        return self.blocks

    def __str__(self) -> str:
        inside = ", ".join(map(str, self.blocks))
        return f"‖{inside if len(self.blocks) == 1 else f'({inside})'}‖_{self.kind}"


class Trace(Atom):
    """The trace of a word, which is canonical among its rotations and transposes; use `inner`."""

    word: Word

    def __init__(self, word: Word) -> None:
        check_word(word)
        if word_shape(word)[0] != word_shape(word)[1]:
            raise TermError(f"a trace needs a square matrix, and not one of shape {word_shape(word)}")
        rotations = [w[i:] + w[:i] for w in (word, transposed(word)) for i in range(len(word))]
        first = min(rotations, key=word_key)
        self._fill(word=first, key=f"(trace {word_key(first)})")

    def parts(self) -> tuple[Matrix | Scalar, ...]:
        return (Matrix.word(self.word),)

    def __str__(self) -> str:
        return f"tr({self.parts()[0]})"


class Value(Atom):
    """The value of a differentiable function at a point."""

    function: str
    point: Point

    def __init__(self, function: str, point: Point) -> None:
        check_name(function)
        check_point(point)
        self._fill(function=function, point=point, key=f"(value {function} {' '.join(x.key for x in point)})")

    def parts(self) -> tuple[Matrix | Scalar, ...]:
        return self.point

    def __str__(self) -> str:
        return f"{self.function}({', '.join(map(str, self.point))})"


class _Operator(Atom):
    name: ClassVar[str]
    # How it is written, where that is not its name.
    text: ClassVar[str] = ""
    body: Scalar

    def __init__(self, body: Scalar) -> None:
        if type(body) is not Scalar:
            raise TermError(f"{body!r} is not a polynomial")
        self._fill(body=body, key=f"({self.name} {body.key})")

    def parts(self) -> tuple[Matrix | Scalar, ...]:
        return (self.body,)

    def __str__(self) -> str:
        return f"{self.text or self.name}({self.body})"


class Root(_Operator):
    """The square root of a nonnegative number, and 0 for a negative one."""

    name = "root"


class Inverse(_Operator):
    """One over a number that is not 0, and 0 for 0."""

    name = "inverse"


class Maximum(Atom):
    """The largest of several numbers; use `maximum`."""

    members: tuple[Scalar, ...]

    def __init__(self, members: tuple[Scalar, ...]) -> None:
        if type(members) is not tuple or any(type(x) is not Scalar for x in members):
            raise TermError(f"{members!r} are not polynomials")
        if len(members) < 2 or list(members) != sorted(set(members)):
            raise TermError("the members of a maximum are sorted, two or more, each once")
        self._fill(members=members, key=f"(max {' '.join(x.key for x in members)})")

    def parts(self) -> tuple[Matrix | Scalar, ...]:
        return self.members

    def __str__(self) -> str:
        return f"max({', '.join(map(str, self.members))})"


class Minimum(_Operator):
    """The least value of the body over 1 <= t <= T."""

    name, text = "min", "min_t"


class Total(_Operator):
    """The sum of the body over 1 <= t <= T; use `total`."""

    name, text = "sum", "sum_t"


class Before(_Operator):
    """The sum of the body over the times before t, which is 0 at t = 1; use `before`.

    In its text the times of the body have one prime more than t has around it.
    """

    name = "before"

    def __init__(self, body: Scalar) -> None:
        super().__init__(body)
        if any(isinstance(x, Total | Minimum) for x in body.inside):
            raise TermError(f"a partial sum of {body}, which has a sum or a minimum over all times in it")

    def __str__(self) -> str:
        return f"sum[t' < t]({primed(str(self.body))})"


class Expectation(Atom):
    """The expectation of the body, given the past up to an index or unconditional if `given` is None; use `expect`."""

    body: Scalar
    given: Index | None

    def __init__(self, body: Scalar, given: Index | None) -> None:
        if type(body) is not Scalar:
            raise TermError(f"{body!r} is not a polynomial")
        check_given(given)
        self._fill(body=body, given=given, key=f"(E {given} {body.key})")

    def parts(self) -> tuple[Matrix | Scalar, ...]:
        return (self.body,)

    def __str__(self) -> str:
        return f"E[{self.body}{given_text(self.given)}]"
