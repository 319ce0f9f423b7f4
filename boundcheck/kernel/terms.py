"""Terms in normal form: two terms that rings and linearity make equal are the same object. And the
kernel's errors.

Scalars are polynomials with rational coefficients over atoms; matrices are noncommutative
polynomials in letters and their transposes, with scalar coefficients. Everything is a function of
the time t, 1 <= t <= T, and of the outcome of a probability space; `builders.known` and
`builders.timed` say of which. Rules are in `rules`, meanings in `meaning`.

A term is its `key`, an injective text: keys are compared, hashed and sorted, and nothing else is. A
term never changes. Its text (`str`) reads back as the term itself, given what its letters are:
names are plain letters and digits, each operator has a sign of its own, and a letter at a time is
written `A[t+1]`.

An error says which rule refused, which premise is at fault, and why. The kernel never uses
`assert`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from itertools import pairwise
from types import MappingProxyType
from typing import Any, ClassVar


class KernelError(Exception):
    """Base class: nothing was proved."""


class TermError(KernelError):
    """The term has no normal form, or no meaning."""


class ShapeError(TermError):
    """The shapes of a sum or product of matrices do not fit."""

    def __init__(self, operation: str, left: object, right: object) -> None:
        shapes = [f"{x} of shape {getattr(x, 'shape', '?')}" for x in (left, right)]
        super().__init__(f"shapes do not fit: {shapes[0]} {operation} {shapes[1]}")


class RuleError(KernelError):
    """A rule does not apply: `rule`, the number of the `premise` at fault (None: an argument), and
    why.
    """

    def __init__(self, rule: str, premise: int | None, why: str) -> None:
        self.rule = rule
        self.premise = premise
        self.why = why
        where = "" if premise is None else f", premise {premise + 1}"
        super().__init__(f"{rule}{where}: {why}")


class ReplayError(KernelError):
    """A theorem does not follow by its own derivation."""


@dataclass(frozen=True)
class Index:
    """A point of time, `base` + `offset`, where the base is t, T or 0 (written as nothing)."""

    base: str
    offset: int

    def __post_init__(self) -> None:
        if (
            type(self.base) is not str
            or self.base not in ("t", "T", "")
            or type(self.offset) is not int
        ):
            raise TermError(
                f"not an index: {self.base!r} + {self.offset!r}: the base is t, T or nothing, the"
                " offset an integer"
            )

    def __str__(self) -> str:
        if not self.base:
            return str(self.offset)
        return self.base + (f"{self.offset:+d}" if self.offset else "")

    def moved(self, t: Index) -> Index:
        """The index with t replaced by this index."""
        return Index(t.base, t.offset + self.offset) if self.base == "t" else self

    def certainly_at_most(self, other: Index) -> bool:
        """True if this index is at most the other for all t and T with 1 <= t <= T."""
        if self.base == other.base:
            return self.offset <= other.offset
        order = ("", "t", "T")
        # t is at least 1, and T is at least t.
        gain = 1 if not self.base else 0
        return (
            order.index(self.base) < order.index(other.base) and self.offset <= other.offset + gain
        )


NOW = Index("t", 0)
NEXT = Index("t", 1)


@dataclass(frozen=True)
class Time:
    """The time when a symbol has its value: `index` of a process. The past knows it from `index` +
    `lag` on.
    """

    index: Index
    lag: int = 0

    def __str__(self) -> str:
        return f"{self.index}~{self.lag}"


CONSTANT = "constant"
ANY = "any"
When = str | Time


def _check_when(when: object) -> None:
    known = type(when) is str and when in (CONSTANT, ANY)
    if not known and not (
        type(when) is Time and type(when.index) is Index and type(when.lag) is int
    ):
        raise TermError(f"not a kind of symbol: {when!r}")


def _check_given(given: object) -> None:
    if given is not None and type(given) is not Index:
        raise TermError(f"not a past: {given!r}")


# ASCII letters only: a letter of another alphabet may look the same.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_']*\Z")
# Words that have a meaning of their own in the text of a term.
RESERVED = frozenset(
    {
        "E",
        "T",
        "all",
        "always",
        "for",
        "inverse",
        "max",
        "min_t",
        "of",
        "past",
        "root",
        "sum",
        "sum_t",
        "tr",
        "with",
    }
)
# t, and t with primes, the times that sums range over.
_TIME = re.compile(r"(?<![A-Za-z0-9_'])t'*(?![A-Za-z0-9_'])")


def _check_name(*names: str) -> None:
    for name in names:
        if (
            type(name) is not str
            or not _NAME.match(name)
            or name in RESERVED
            or _TIME.fullmatch(name)
        ):
            raise TermError(
                f"{name!r} cannot be a name: a name is a letter, then letters, digits, _ and ', all"
                " of them ASCII"
            )


def _check_shape(shape: object) -> None:
    if type(shape) is not tuple or len(shape) != 2:
        raise TermError(f"not a shape: {shape!r}")
    _check_name(*shape)


def _letter_text(name: str, when: When) -> str:
    return f"{name}[{when.index}]" if isinstance(when, Time) else name


def _given_text(given: Index | None) -> str:
    return "" if given is None else f" | past of {given}"


def _product_text(coefficient: Fraction, factors: list[str]) -> str:
    if not factors:
        return str(coefficient)
    sign = {Fraction(1): "", Fraction(-1): "-"}.get(coefficient, f"{coefficient}*")
    return sign + "*".join(factors)


def _sum_text(summands: list[str]) -> str:
    return "".join(
        f" - {x[1:]}" if i and x.startswith("-") else (f" + {x}" if i else x)
        for i, x in enumerate(summands)
    )


Rational = int | Fraction


class Term:
    """Anything with a key."""

    key: str

    def _fill(self, **content: Any) -> None:
        """Set the parts of the term, once, in its constructor."""
        vars(self).update(content)

    def __setattr__(self, name: str, value: object) -> None:
        raise TermError(f"{name} of {self} cannot be set: terms do not change")

    def __delattr__(self, name: str) -> None:
        raise TermError(f"{name} of {self} cannot be deleted: terms do not change")

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Term) and self.key == other.key)

    def __hash__(self) -> int:
        return hash(self.key)

    def __lt__(self, other: Term) -> bool:
        return self.key < other.key

    def __repr__(self) -> str:
        return str(self)

    @cached_property
    def inside(self) -> frozenset[Term]:
        """The term and every term inside of it."""
        return frozenset({self}).union(*(part.inside for part in parts_of(self)))


def keys_of(terms: Iterable[Term]) -> str:
    """The keys of several terms, side by side."""
    return " ".join(x.key for x in terms)


class Atom(Term):
    """A scalar that polynomials treat as a variable. The kinds of atoms are in `atoms`."""

    # The terms that it contains.
    parts: tuple[Matrix | Scalar, ...] = ()

    def raised(self, exponent: int) -> str:
        """The text of its power with this exponent, from 2 on."""
        return f"{self}^{exponent}"


Monomial = tuple[tuple[Atom, int], ...]


class Scalar(Term):
    """A polynomial: nonzero rational coefficients of monomials, which are sorted powers of
    atoms.
    """

    terms: Mapping[Monomial, Fraction]

    def __init__(self, terms: Mapping[Monomial, Rational]) -> None:
        # Sorting refuses what is not a monomial, also where there is only one.
        sorted_ = sorted(terms.items(), key=lambda item: _monomial_key(item[0]))
        kept = {m: c if type(c) is Fraction else _fraction(c) for m, c in sorted_ if c}
        self._fill(terms=MappingProxyType(kept))

    # An attribute of other terms, here made when it is asked for.
    @cached_property
    def key(self) -> str:  # type: ignore[override]
        """The polynomial as an injective text."""
        return " ".join(["(+", *(f"{c}*{_monomial_key(m)}" for m, c in self.terms.items())]) + ")"

    @staticmethod
    def of(value: Atom | Rational | Scalar) -> Scalar:
        """A number, an atom or a polynomial as a polynomial."""
        if isinstance(value, Scalar):
            return value
        if isinstance(value, Atom):
            return Scalar({((value, 1),): 1})
        if isinstance(value, int | Fraction):
            return Scalar({(): Fraction(value)})
        raise TermError(
            f"a scalar is a polynomial, an atom or a rational number, and not {value!r}"
        )

    @staticmethod
    def sum(scalars: Iterable[Scalar]) -> Scalar:
        """The sum of the terms, collected in one go."""
        total: dict[Monomial, Fraction] = {}
        for scalar in scalars:
            for monomial, c in scalar.terms.items():
                total[monomial] = total[monomial] + c if monomial in total else c
        return Scalar(total)

    def __add__(self, other: Scalar | Atom | Rational) -> Scalar:
        return Scalar.sum((self, Scalar.of(other)))

    __radd__ = __add__

    def __neg__(self) -> Scalar:
        return Scalar({m: -c for m, c in self.terms.items()})

    def __sub__(self, other: Scalar | Atom | Rational) -> Scalar:
        return self + -Scalar.of(other)

    def __rsub__(self, other: Scalar | Atom | Rational) -> Scalar:
        return Scalar.of(other) - self

    def __mul__(self, other: Scalar | Atom | Rational) -> Scalar:
        factor = Scalar.of(other)
        # Most products are of coefficients of matrices, most of which are 1.
        if type(factor) is Scalar and self._is_one():
            return factor
        if type(self) is Scalar and factor._is_one():
            return self
        product: dict[Monomial, Fraction] = {}
        for m1, c1 in self.terms.items():
            for m2, c2 in factor.terms.items():
                monomial, c = _times(m1, m2), c1 * c2
                product[monomial] = product[monomial] + c if monomial in product else c
        return Scalar(product)

    __rmul__ = __mul__

    def _is_one(self) -> bool:
        return len(self.terms) == 1 and self.terms.get(()) == 1

    def __pow__(self, exponent: int) -> Scalar:
        if exponent < 0:
            raise TermError(
                f"{self} to the power {exponent}: polynomials have exponents from 0 on; use inverse"
            )
        result = ONE
        for _ in range(exponent):
            result = result * self
        return result

    @cached_property
    def number(self) -> Fraction | None:
        """The value of a constant polynomial; None for any other."""
        return self.terms.get((), Fraction(0)) if not set(self.terms) - {()} else None

    def atoms(self) -> list[Atom]:
        """Its atoms, sorted."""
        return sorted({atom for monomial in self.terms for atom, _ in monomial})

    def __str__(self) -> str:
        pieces = [
            _product_text(c, [a.raised(e) if e > 1 else str(a) for a, e in m])
            for m, c in self.terms.items()
        ]
        return _sum_text(pieces) or "0"


def _fraction(value: object) -> Fraction:
    if type(value) is not int:
        raise TermError(f"a coefficient is an integer or a fraction, and not {value!r}")
    return Fraction(value)


@cache
def _monomial_key(monomial: Monomial) -> str:
    """An injective text of a monomial; raises TermError for anything else."""
    if type(monomial) is not tuple or not all(isinstance(atom, Atom) for atom, _ in monomial):
        raise TermError(f"not a product of atoms: {monomial!r}")
    if any(type(exponent) is not int or exponent < 1 for _, exponent in monomial):
        raise TermError("the exponents of a polynomial are positive integers")
    if any(not x.key < y.key for (x, _), (y, _) in pairwise(monomial)):
        raise TermError("the atoms of a monomial are sorted, each once")
    return ".".join(f"{atom.key}^{exponent}" for atom, exponent in monomial)


def _times(left: Monomial, right: Monomial) -> Monomial:
    if not left or not right:
        return left or right
    exponents = dict(left)
    for atom, exponent in right:
        exponents[atom] = exponents.get(atom, 0) + exponent
    return tuple(sorted(exponents.items(), key=lambda item: item[0].key))


ZERO, ONE = Scalar({}), Scalar({(): 1})


class Letter(Term):
    """A factor of products of matrices. Attribute `shape`: the names of its numbers of rows and
    columns.
    """

    shape: tuple[str, str]


class Symbol(Letter):
    """A named matrix."""

    name: str
    when: When

    def __init__(self, name: str, shape: tuple[str, str], when: When = CONSTANT) -> None:
        _check_name(name, *shape)
        _check_shape(shape)
        _check_when(when)
        self._fill(name=name, shape=shape, when=when, key=f"[{name}:{shape[0]},{shape[1]}:{when}]")

    def __str__(self) -> str:
        return _letter_text(self.name, self.when)


class Gradient(Letter):
    """Block number `block` of the gradient of a differentiable function at a point, which is a
    tuple of matrices.
    """

    function: str
    point: tuple[Matrix, ...]
    block: int

    def __init__(self, function: str, point: tuple[Matrix, ...], block: int = 0) -> None:
        _check_name(function)
        _check_point(point)
        if type(block) is not int or not 0 <= block < len(point):
            raise TermError(f"a point of {len(point)} blocks has no block {block!r}")
        key = f"[grad {function} {block} {keys_of(point)}]"
        self._fill(function=function, point=point, block=block, shape=point[block].shape, key=key)

    def __str__(self) -> str:
        block = f"_{self.block + 1}" if len(self.point) > 1 else ""
        return f"∇{block}{self.function}({', '.join(map(str, self.point))})"


class Mean(Letter):
    """The expectation of a letter given the past up to an index, or without a condition if `given`
    is None.
    """

    letter: Letter
    given: Index | None

    def __init__(self, letter: Letter, given: Index | None) -> None:
        _check_given(given)
        if not isinstance(letter, Letter):
            raise TermError(f"{letter!r} is not a letter")
        self._fill(
            letter=letter, given=given, shape=letter.shape, key=f"[mean {letter.key} {given}]"
        )

    def __str__(self) -> str:
        return f"E[{self.letter}{_given_text(self.given)}]"


def _check_point(point: object) -> None:
    if type(point) is not tuple or not point or any(type(x) is not Matrix for x in point):
        raise TermError(f"a point is a tuple of matrices, and not {point!r}")


@cache
def _check_word(word: Word) -> None:
    if type(word) is not tuple or any(
        not isinstance(x, Letter) or type(flipped) is not bool for x, flipped in word
    ):
        raise TermError(f"not a product of letters: {word!r}")
    shapes = [letter.shape[::-1] if flipped else letter.shape for letter, flipped in word]
    if not word or any(left[1] != right[0] for left, right in pairwise(shapes)):
        raise TermError(f"shapes {shapes} have no product")


Word = tuple[tuple[Letter, bool], ...]


class Matrix(Term):
    """A noncommutative polynomial: scalar coefficients of words, which are products of letters and
    transposes.
    """

    shape: tuple[str, str]
    terms: Mapping[Word, Scalar]

    def __init__(self, shape: tuple[str, str], terms: Mapping[Word, Scalar]) -> None:
        _check_shape(shape)
        if any(type(c) is not Scalar for c in terms.values()):
            raise TermError(
                f"the coefficients of a matrix are polynomials, and not {list(terms.values())!r}"
            )
        kept = {w: terms[w] for w in sorted(terms, key=word_key) if terms[w].terms}
        self._fill(shape=shape, terms=MappingProxyType(kept))
        for word in self.terms:
            _check_word(word)
            if word_shape(word) != shape:
                raise TermError(f"a word of shape {word_shape(word)} in a matrix of shape {shape}")

    # An attribute of other terms, here made when it is asked for.
    @cached_property
    def key(self) -> str:  # type: ignore[override]
        """The matrix as an injective text."""
        terms = "".join(f" {c.key}*{word_key(w)}" for w, c in self.terms.items())
        return f"(m {self.shape[0]},{self.shape[1]}{terms})"

    @staticmethod
    def of(letter: Letter | Matrix) -> Matrix:
        """A letter as a matrix."""
        return (
            letter
            if isinstance(letter, Matrix)
            else Matrix(letter.shape, {((letter, False),): ONE})
        )

    @staticmethod
    def word(word: Word) -> Matrix:
        """A product of letters as a matrix."""
        return Matrix(word_shape(word), {word: ONE})

    @staticmethod
    def zero(shape: tuple[str, str]) -> Matrix:
        return Matrix(shape, {})

    @property
    def T(self) -> Matrix:  # noqa: N802
        return Matrix(self.shape[::-1], {transposed(word): c for word, c in self.terms.items()})

    @staticmethod
    def sum(shape: tuple[str, str], matrices: Sequence[Matrix]) -> Matrix:
        """The sum of matrices of this shape, collected in one go."""
        total: dict[Word, list[Scalar]] = {}
        for matrix in matrices:
            if matrix.shape != shape:
                raise ShapeError("+", matrices[0], matrix)
            for word, c in matrix.terms.items():
                total.setdefault(word, []).append(c)
        return Matrix(shape, {word: Scalar.sum(each) for word, each in total.items()})

    def __add__(self, other: Matrix) -> Matrix:
        return Matrix.sum(self.shape, (self, other))

    def __neg__(self) -> Matrix:
        return self.scaled(-1)

    def __sub__(self, other: Matrix) -> Matrix:
        return self + -other

    def scaled(self, factor: Scalar | Atom | Rational) -> Matrix:
        factor = Scalar.of(factor)
        return Matrix(self.shape, {word: c * factor for word, c in self.terms.items()})

    __rmul__ = scaled

    def __matmul__(self, other: Matrix) -> Matrix:
        if self.shape[1] != other.shape[0]:
            raise ShapeError("@", self, other)
        product: dict[Word, list[Scalar]] = {}
        for w1, c1 in self.terms.items():
            for w2, c2 in other.terms.items():
                product.setdefault(w1 + w2, []).append(c1 * c2)
        return Matrix(
            (self.shape[0], other.shape[1]),
            {word: Scalar.sum(each) for word, each in product.items()},
        )

    def __str__(self) -> str:
        pieces = []
        for word, c in self.terms.items():
            factors = [f"{letter}{'ᵀ' if flipped else ''}" for letter, flipped in word]
            if c.number is not None:
                pieces.append(_product_text(c.number, factors))
            else:
                pieces.append("*".join([f"({c})" if len(c.terms) > 1 else str(c), *factors]))
        return _sum_text(pieces) or f"0[{self.shape[0]}, {self.shape[1]}]"


def transposed(word: Word) -> Word:
    """The transpose of a product: the transposes in reverse order."""
    return tuple((letter, not flipped) for letter, flipped in reversed(word))


def word_shape(word: Word) -> tuple[str, str]:
    """The shape of a product."""
    (first, flipped), (last, last_flipped) = word[0], word[-1]
    return first.shape[1 if flipped else 0], last.shape[0 if last_flipped else 1]


@cache
def word_key(word: Word) -> str:
    """A text that no other word has."""
    return ".".join(letter.key + ("'" if flipped else "") for letter, flipped in word)


Point = tuple[Matrix, ...]


def difference(x: Point, y: Point) -> Point:
    """The blocks of x - y."""
    return tuple(p - q for p, q in zip(x, y, strict=True))


def parts_of(term: Term) -> Iterable[Term]:
    """The terms inside a term. Raises TermError for a letter of unknown kind, which may hide
    anything.
    """
    if isinstance(term, Scalar):
        return term.atoms()
    if isinstance(term, Matrix):
        return [x for word, c in term.terms.items() for x in (c, *(letter for letter, _ in word))]
    if isinstance(term, Atom):
        return term.parts
    if isinstance(term, Gradient):
        return term.point
    if isinstance(term, Mean):
        return (term.letter,)
    if isinstance(term, Letter) and not isinstance(term, Symbol):
        raise TermError(f"unknown kind of letter: {term!r}")
    return ()


def forget() -> None:
    """Drop the cached products, so that they are computed again from the letters."""
    for remembered in (_monomial_key, _check_word, word_key):
        remembered.cache_clear()


FROBENIUS, SPECTRAL = "F", "op"


class Variable(Atom):
    """A named real number."""

    name: str
    when: When

    def __init__(self, name: str, when: When = CONSTANT) -> None:
        _check_name(name)
        _check_when(when)
        self._fill(name=name, when=when, key=f"{name}:{when}")

    def __str__(self) -> str:
        return _letter_text(self.name, self.when)


class Dimension(Atom):
    """The positive integer that a name in a shape stands for. A dimension cannot be generalised."""

    name: str

    def __init__(self, name: str) -> None:
        _check_name(name)
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
    """The base to the power t - 1 or T - 1, and 1 where that is 0; use `power`, which takes other
    exponents.
    """

    base: Scalar
    exponent: Index

    def __init__(self, base: Scalar, exponent: Index) -> None:
        if type(base) is not Scalar:
            raise TermError(f"{base!r} is not a polynomial")
        if type(exponent) is not Index or exponent not in (Index("t", -1), Index("T", -1)):
            raise TermError(f"the exponent of a power is t-1 or T-1, and not {exponent!r}")
        self._fill(
            base=base, exponent=exponent, parts=(base,), key=f"(power {exponent} {base.key})"
        )

    def __str__(self) -> str:
        return f"({self.base})^[{self.exponent}]"

    def raised(self, exponent: int) -> str:
        return f"({self})^{exponent}"


class Norm(Atom):
    """The Frobenius norm of a tuple of blocks, or the spectral norm of one block; use `norm`."""

    kind: str
    blocks: Point

    def __init__(self, kind: str, blocks: Point) -> None:
        _check_point(blocks)
        is_kind = type(kind) is str and kind in (FROBENIUS, SPECTRAL)
        if not is_kind or (kind == SPECTRAL and len(blocks) > 1):
            raise TermError(
                f"{len(blocks)} blocks have no norm {kind!r}: F takes any number, op takes one"
            )
        self._fill(kind=kind, blocks=blocks, parts=blocks, key=f"(norm {kind} {keys_of(blocks)})")

    def __str__(self) -> str:
        inside = ", ".join(map(str, self.blocks))
        return f"‖{inside if len(self.blocks) == 1 else f'({inside})'}‖_{self.kind}"


class Trace(Atom):
    """The trace of a word, which is canonical among its rotations and transposes; use `inner`."""

    word: Word

    def __init__(self, word: Word) -> None:
        _check_word(word)
        if word_shape(word)[0] != word_shape(word)[1]:
            raise TermError(
                f"a trace needs a square matrix, and not one of shape {word_shape(word)}"
            )
        rotations = [w[i:] + w[:i] for w in (word, transposed(word)) for i in range(len(word))]
        first = min(rotations, key=word_key)
        self._fill(word=first, key=f"(trace {word_key(first)})")

    # As `key` of a polynomial: made when it is asked for.
    @cached_property
    def parts(self) -> tuple[Matrix | Scalar, ...]:  # type: ignore[override]
        """The product as a matrix."""
        return (Matrix.word(self.word),)

    def __str__(self) -> str:
        return f"tr({self.parts[0]})"


class Value(Atom):
    """The value of a differentiable function at a point."""

    function: str
    point: Point

    def __init__(self, function: str, point: Point) -> None:
        _check_name(function)
        _check_point(point)
        self._fill(
            function=function, point=point, parts=point, key=f"(value {function} {keys_of(point)})"
        )

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
        self._fill(body=body, parts=(body,), key=f"({self.name} {body.key})")

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
        self._fill(members=members, parts=members, key=f"(max {keys_of(members)})")

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
            raise TermError(
                f"a partial sum of {body}, which has a sum or a minimum over all times in it"
            )

    def __str__(self) -> str:
        body = _TIME.sub(lambda found: f"{found[0]}'", str(self.body))
        return f"sum[t' < t]({body})"


class Expectation(Atom):
    """The expectation of the body, given the past up to an index or unconditional if `given` is
    None; use `expect`.
    """

    body: Scalar
    given: Index | None

    def __init__(self, body: Scalar, given: Index | None) -> None:
        if type(body) is not Scalar:
            raise TermError(f"{body!r} is not a polynomial")
        _check_given(given)
        self._fill(body=body, given=given, parts=(body,), key=f"(E {given} {body.key})")

    def __str__(self) -> str:
        return f"E[{self.body}{_given_text(self.given)}]"
