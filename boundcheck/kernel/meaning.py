"""The meaning of terms and statements: `denote` gives their values at rational matrices, `holds`
says if a fact holds.

Everything is enclosed in intervals with rational ends, so that "certainly false" is exact even
where roots and spectral norms are irrational. The rules do not use this module; their tests do, and
witnesses of refuted steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor, isqrt

from boundcheck.kernel import terms as k
from boundcheck.kernel.derive import Fact
from boundcheck.kernel.terms import (
    FROBENIUS,
    Atom,
    Index,
    Letter,
    Matrix,
    Scalar,
    Symbol,
    TermError,
    Time,
    Variable,
)

_BITS = 128


@dataclass(frozen=True)
class Interval:
    """The real numbers from `low` to `high`, both rational."""

    low: Fraction
    high: Fraction

    def __add__(self, other: Interval) -> Interval:
        return Interval(self.low + other.low, self.high + other.high)

    def __sub__(self, other: Interval) -> Interval:
        return Interval(self.low - other.high, self.high - other.low)

    def __mul__(self, other: Interval) -> Interval:
        if self.low == self.high and other.low == other.high:
            return exact(self.low * other.low)
        ends = [x * y for x in (self.low, self.high) for y in (other.low, other.high)]
        return Interval(min(ends), max(ends)).rounded()

    def rounded(self) -> Interval:
        """The interval with short ends, wider by less than 2^-128. An exact number stays exact."""
        if self.low == self.high:
            return self
        grid = 1 << _BITS
        return Interval(
            Fraction(self.low * grid // 1, grid), Fraction(-(-self.high * grid // 1), grid)
        )

    def root(self) -> Interval:
        """The square root; 0 for a negative number."""
        ends = [_root(max(end, Fraction(0))) for end in (self.low, self.high)]
        return Interval(ends[0].low, ends[1].high)


def exact(value: int | Fraction) -> Interval:
    """A rational number as an interval."""
    return Interval(Fraction(value), Fraction(value))


def _root(value: Fraction) -> Interval:
    scaled = value.numerator * value.denominator
    whole = isqrt(scaled)
    if whole * whole == scaled:
        return exact(Fraction(whole, value.denominator))
    unit = value.denominator << _BITS
    below = isqrt(scaled << (2 * _BITS))
    return Interval(Fraction(below, unit), Fraction(below + 1, unit))


Grid = tuple[tuple[Interval, ...], ...]


@dataclass(frozen=True)
class MatrixFunction:
    """A differentiable function on tuples of matrices: its value and all blocks of its gradient."""

    value: Callable[[tuple[Grid, ...]], Interval]
    gradient: Callable[[tuple[Grid, ...]], tuple[Grid, ...]]


@dataclass(frozen=True)
class Model:
    """Values for everything that a term can name.

    Attributes:
        dimensions: the number that each name in a shape stands for.
        horizon: T.
        weights: probabilities of the outcomes 0, 1, ...
        past: the label, per outcome, of what is known at a time 1, 2, ...; outcomes with one label
            look alike then.
        symbols: for a symbol or variable, a time and an outcome: its matrix or number.
        functions: by name.
        known: values found so far. Paths share their beginnings, and each of them asks for an
            expectation.

    """

    dimensions: Mapping[str, int]
    horizon: int
    weights: tuple[Fraction, ...]
    past: Callable[[int], tuple[int, ...]]
    symbols: Callable[[Symbol | Variable, int, int], tuple[tuple[Fraction, ...], ...] | Fraction]
    functions: Mapping[str, MatrixFunction] = field(default_factory=dict)
    known: dict[tuple[Atom, bool, int, int], Interval] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def time(self, index: Index, t: int) -> int:
        """The number that an index stands for at time t."""
        return {"t": t, "T": self.horizon, "": 0}[index.base] + index.offset


def holds(
    fact: Fact,
    model: Model,
    times: Sequence[int] | None = None,
    outcomes: Sequence[int] | None = None,
) -> bool | None:
    """True if the fact holds at these times and outcomes, by default all; None if intervals are too
    wide to tell.
    """
    when = times or range(1, model.horizon + 1)
    where = outcomes or range(len(model.weights))
    verdicts: set[bool | None] = set()
    for value in (denote(fact.polynomial, model, t, outcome) for t in when for outcome in where):
        if fact.relation == "=":
            sure, never = value.low == 0 == value.high, not value.low <= 0 <= value.high
        elif fact.relation == ">":
            sure, never = value.low > 0, value.high <= 0
        else:
            sure, never = value.low >= 0, value.high < 0
        verdicts.add(True if sure else (False if never else None))
    return False if False in verdicts else (None if None in verdicts else True)


def denote(scalar: Scalar, model: Model, t: int, outcome: int) -> Interval:
    """The value of a scalar at a time and an outcome."""
    value = exact(0)
    for monomial, coefficient in scalar.terms.items():
        product = exact(coefficient)
        for atom, exponent in monomial:
            # The square of a Frobenius norm is rational if its matrix is.
            squared = isinstance(atom, k.Norm) and atom.kind == FROBENIUS and exponent % 2 == 0
            # An expectation is the same on all outcomes with the same past.
            where = (
                _shares(model, atom.given, t, outcome)[0][0]
                if isinstance(atom, k.Expectation)
                else outcome
            )
            place = (atom, squared, t, where)
            if place not in model.known:
                model.known[place] = _atom(atom, model, t, where, squared=squared)
            power = exact(1)
            for _ in range(exponent // 2 if squared else exponent):
                power = power * model.known[place]
            product = product * power
        value = value + product
    return value


def _atom(atom: Atom, model: Model, t: int, outcome: int, *, squared: bool) -> Interval:
    match atom:
        case Variable():
            when = model.time(atom.when.index, t) if isinstance(atom.when, Time) else t
            # A model gives a variable a number, and a symbol a matrix.
            return exact(model.symbols(atom, when, outcome))  # type: ignore[arg-type]
        case k.Dimension():
            return exact(model.dimensions[atom.name])
        case k.Horizon():
            return exact(model.horizon)
        case k.Clock():
            return exact(t)
        case k.Power():
            base, product = denote(atom.base, model, t, outcome), exact(1)
            for _ in range(model.time(atom.exponent, t)):
                product = product * base
            return product
        case k.Norm():
            blocks = [denote_matrix(x, model, t, outcome) for x in atom.blocks]
            if atom.kind != FROBENIUS:
                return _spectral(blocks[0])
            squares = (x * x for block in blocks for row in block for x in row)
            square = sum((Interval(max(x.low, Fraction(0)), x.high) for x in squares), exact(0))
            return square if squared else square.root()
        case k.Trace():
            grid = denote_matrix(Matrix.word(atom.word), model, t, outcome)
            return sum((grid[i][i] for i in range(len(grid))), exact(0))
        case k.Value():
            point = tuple(denote_matrix(x, model, t, outcome) for x in atom.point)
            return model.functions[atom.function].value(point)
        case k.Root():
            return denote(atom.body, model, t, outcome).root()
        case k.Inverse():
            x = denote(atom.body, model, t, outcome)
            if x.low == x.high == 0:
                return x
            if x.low <= 0 <= x.high:
                raise TermError("an interval around 0 has no inverse")
            return Interval(1 / x.high, 1 / x.low).rounded()
        case k.Total():
            return sum(
                (denote(atom.body, model, i, outcome) for i in range(1, model.horizon + 1)),
                exact(0),
            )
        case k.Before():
            return sum((denote(atom.body, model, i, outcome) for i in range(1, t)), exact(0))
        case k.Maximum():
            values = [denote(x, model, t, outcome) for x in atom.members]
            return Interval(max(x.low for x in values), max(x.high for x in values))
        case k.Minimum():
            values = [denote(atom.body, model, i, outcome) for i in range(1, model.horizon + 1)]
            return Interval(min(x.low for x in values), min(x.high for x in values))
        case k.Expectation():
            shares = _shares(model, atom.given, t, outcome)
            return sum((share * denote(atom.body, model, t, i) for i, share in shares), exact(0))
    raise TermError(f"{atom!r} has no meaning")


def _shares(model: Model, given: Index | None, t: int, outcome: int) -> list[tuple[int, Interval]]:
    """The outcomes with the same past as this one, with their conditional probabilities."""
    labels = (0,) * len(model.weights) if given is None else model.past(model.time(given, t))
    alike = [i for i in range(len(model.weights)) if labels[i] == labels[outcome]]
    whole = sum(model.weights[i] for i in alike)
    return [(i, exact(model.weights[i] / whole)) for i in alike]


def denote_matrix(matrix: Matrix, model: Model, t: int, outcome: int) -> Grid:
    """The value of a matrix at a time and an outcome."""
    total: Grid | None = None
    for word, coefficient in matrix.terms.items():
        factors = [_letter(letter, model, t, outcome, flipped) for letter, flipped in word]
        product = factors[0]
        for factor in factors[1:]:
            product = multiplied(product, factor)
        scale = denote(coefficient, model, t, outcome)
        product = tuple(tuple(scale * x for x in row) for row in product)
        total = product if total is None else added(total, product)
    if total is None:
        rows, columns = (model.dimensions[name] for name in matrix.shape)
        return ((exact(0),) * columns,) * rows
    return total


def _letter(letter: Letter, model: Model, t: int, outcome: int, flipped: bool) -> Grid:
    match letter:
        case Symbol():
            when = model.time(letter.when.index, t) if isinstance(letter.when, Time) else t
            value = model.symbols(letter, when, outcome)
            rows = (tuple(exact(x) for x in row) for row in value)  # type: ignore[union-attr]
            grid: Grid = tuple(rows)
        case k.Gradient():
            point = tuple(denote_matrix(x, model, t, outcome) for x in letter.point)
            grid = model.functions[letter.function].gradient(point)[letter.block]
        case k.Mean():
            shares = _shares(model, letter.given, t, outcome)
            grids = [(share, _letter(letter.letter, model, t, i, False)) for i, share in shares]
            scaled = [tuple(tuple(share * x for x in row) for row in each) for share, each in grids]
            grid = scaled[0]
            for each in scaled[1:]:
                grid = added(grid, each)
        case _:
            raise TermError(f"{letter!r} has no meaning")
    return tuple(zip(*grid, strict=True)) if flipped else grid


def multiplied(x: Grid, y: Grid) -> Grid:
    """The product of two matrices."""
    columns = list(zip(*y, strict=True))
    return tuple(
        tuple(sum((p * q for p, q in zip(row, c, strict=True)), exact(0)) for c in columns)
        for row in x
    )


def added(x: Grid, y: Grid) -> Grid:
    """The sum of two matrices."""
    return tuple(tuple(p + q for p, q in zip(r, s, strict=True)) for r, s in zip(x, y, strict=True))


def _spectral(grid: Grid) -> Interval:
    """The largest singular value: the one of the midpoints by bisection, widened by the norm of the
    radii.
    """
    middle = [[(x.low + x.high) / 2 for x in row] for row in grid]
    radius = _root(sum(((x.high - x.low) ** 2 / 4 for row in grid for x in row), Fraction(0))).high
    gram = [
        [sum((r[i] * r[j] for r in middle), Fraction(0)) for j in range(len(middle[0]))]
        for i in range(len(middle[0]))
    ]
    low, high = Fraction(0), sum((gram[i][i] for i in range(len(gram))), Fraction(0))
    if len(gram) == 1 or len(middle) == 1:
        low = high
    elif not any(map(any, gram)):
        high = Fraction(0)
    while high - low > Fraction(high, 1 << 40):
        between = (low + high) / 2
        # A short numerator and denominator, within a relative error of 2^-60, keep later steps
        # fast.
        bits = 60 + between.denominator.bit_length() - between.numerator.bit_length()
        between = Fraction(floor(between * (1 << bits)), 1 << bits) if bits > 0 else between
        size = range(len(gram))
        shifted = [[(between if i == j else Fraction(0)) - gram[i][j] for j in size] for i in size]
        low, high = (low, between) if positive_semidefinite(shifted) else (between, high)
    return Interval(max(_root(low).low - radius, Fraction(0)), _root(high).high + radius)


def positive_semidefinite(matrix: list[list[Fraction]]) -> bool:
    """True if a symmetric rational matrix is positive semidefinite, by exact elimination (LDLᵀ)."""
    rows = [list(row) for row in matrix]
    size = len(rows)
    for place in range(size):
        pivot = rows[place][place]
        if pivot < 0 or (pivot == 0 and any(rows[place][j] for j in range(place, size))):
            return False
        for i in range(place + 1, size):
            if pivot and rows[i][place]:
                ratio = rows[i][place] / pivot
                rows[i] = [x - ratio * y for x, y in zip(rows[i], rows[place], strict=True)]
    return True
