"""Random models and terms. A model is exact: rational weights, rational matrices, quadratic
functions.

Values are drawn from a seed by name, time and what the past tells apart, so that a process is
adapted by construction.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from itertools import pairwise
from random import Random

import hypothesis.strategies as st

from boundcheck.kernel import Fact, Law, TermError, terms
from boundcheck.kernel.builders import before, expect, inner, maximum, mean, norm, power, total
from boundcheck.kernel.meaning import (
    Interval,
    MatrixFunction,
    Model,
    denote,
    denote_matrix,
    exact,
    holds,
)
from boundcheck.kernel.terms import (
    ANY,
    CONSTANT,
    NEXT,
    NOW,
    Index,
    Matrix,
    Scalar,
    Symbol,
    Time,
    Variable,
)
from tests.layers import examples

Numbers = tuple[tuple[Fraction, ...], ...]

DIMENSIONS = ("m", "n", "k")
FEW = examples(30)
SEEDS = st.integers(0, 2**32 - 1)
# Zeros and ties are common on purpose.
ENTRIES = [Fraction(x) for x in (-2, -1, 0, 0, 1, 1, 2, 3)] + [Fraction(1, 2), Fraction(-3, 2)]
LAGGED = 1
INDICES = (NOW, NEXT, Index("t", -1), Index("", 1), Index("T", 0), Index("T", 1), Index("", 0))
PASTS = (None, NOW, NEXT, Index("", 1), Index("T", 0))
KINDS = (CONSTANT, ANY, *(Time(i, lag) for i in (NOW, NEXT, Index("", 1)) for lag in (0, LAGGED)))
SHAPES = tuple((rows, columns) for rows in DIMENSIONS for columns in DIMENSIONS)


@dataclass(frozen=True)
class World(Model):
    """A model whose symbols are drawn from a seed, but for those that are set: at a time and an
    outcome."""

    seed: int = 0
    choice: tuple[tuple[Symbol | Variable, Callable[[int, int], Numbers | Fraction]], ...] = ()

    def having(self, x, value):
        return bound(replace(self, choice=(*self.choice, (x, value))))

    def with_functions(self, **functions):
        return replace(self, functions={**self.functions, **functions})


@cache
def _number(place):
    return Random(place).choice(ENTRIES)


def bound(world):
    """The same world with its symbols as a function of the seed and the choice."""

    def symbols(x, time, outcome):
        for chosen, value in reversed(world.choice):
            if chosen == x:
                return value(time, outcome)
        if x.when == CONSTANT:
            label = "everywhere"
        elif x.when == ANY:
            label = (time, outcome)
        else:
            label = (time, x.when.lag, world.past(time + x.when.lag)[outcome])
        # A kind and a shape are part of what a symbol is; its index is not.
        if isinstance(x, Variable):
            return _number(f"{world.seed} {x.name} {label}")
        rows, columns = (world.dimensions[name] for name in x.shape)
        place = f"{world.seed} {x.name} {x.shape} {label}"
        return tuple(
            tuple(_number(f"{place} {i} {j}") for j in range(columns)) for i in range(rows)
        )

    return replace(world, symbols=symbols)


def quadratic(seed, name):
    """c + ⟨b, x⟩ + ½⟨x, d·x⟩ + ½⟨e, x⟩² with coefficients by block and place, on blocks of any
    shapes."""

    def number(*place):
        return exact(_number(f"{seed} {name} {place}"))

    def entries(point):
        return [
            ((b, i, j), x)
            for b, grid in enumerate(point)
            for i, row in enumerate(grid)
            for j, x in enumerate(row)
        ]

    def slope(point):
        return sum((number("e", *at) * x for at, x in entries(point)), exact(0))

    def value(point):
        half = exact(Fraction(1, 2))
        along = slope(point)
        parts = (number("b", *at) * x + half * number("d", *at) * x * x for at, x in entries(point))
        return sum(parts, number("c")) + half * along * along

    def gradient(point):
        along = slope(point)

        def at(b, i, j, x):
            return number("b", b, i, j) + number("d", b, i, j) * x + number("e", b, i, j) * along

        return tuple(
            tuple(tuple(at(b, i, j, x) for j, x in enumerate(row)) for i, row in enumerate(grid))
            for b, grid in enumerate(point)
        )

    return MatrixFunction(value, gradient)


@st.composite
def worlds(draw, outcomes=3):
    """A model: sizes 1 to 3, T 1 to 3, few outcomes, and a past that tells more apart as time goes
    on."""
    dimensions = {name: draw(st.integers(1, 3)) for name in DIMENSIONS}
    count = draw(st.integers(1, outcomes))
    shares = draw(st.lists(st.integers(1, 4), min_size=count, max_size=count))
    weights = tuple(Fraction(x, sum(shares)) for x in shares)
    levels = [(0,) * count]
    for _ in range(4):
        split = draw(st.lists(st.integers(0, 1), min_size=count, max_size=count))
        levels.append(tuple(2 * label + bit for label, bit in zip(levels[-1], split, strict=True)))
    seed = draw(SEEDS)
    first = draw(st.integers(0, 1))

    def past(time):
        return levels[max(0, min(time + first, len(levels) - 1))]

    functions = {name: quadratic(seed, name) for name in ("f", "g")}
    return bound(
        World(
            dimensions,
            draw(st.integers(1, 3)),
            weights,
            past,
            lambda *_: Fraction(0),
            functions,
            seed,
        )
    )


def symbols(shape, kinds=KINDS):
    """A symbol of a shape; its name says its kind, so that a name has one kind."""
    return st.builds(
        lambda name, when: Symbol(name + _kind_letter(when), shape, when),
        st.sampled_from("XY"),
        st.sampled_from(kinds),
    )


def variables(kinds=KINDS):
    return st.builds(
        lambda name, when: Variable(name + _kind_letter(when), when),
        st.sampled_from("ab"),
        st.sampled_from(kinds),
    )


def _kind_letter(when):
    return f"p{when.lag}" if isinstance(when, Time) else str(when)[0]


SHAPED = st.sampled_from(SHAPES)


@st.composite
def letters(draw, shape, depth=1, kinds=KINDS):
    """A symbol, a block of a gradient, or a mean."""
    kind = draw(st.sampled_from(("symbol", "symbol", "gradient", "mean"))) if depth else "symbol"
    if kind == "gradient":
        point = [draw(matrices(shape, depth - 1, kinds))]
        if draw(st.booleans()):
            point.insert(draw(st.integers(0, 1)), draw(matrices(draw(SHAPED), depth - 1, kinds)))
        places = [i for i, x in enumerate(point) if x.shape == shape]
        return terms.Gradient(
            draw(st.sampled_from("fg")), tuple(point), draw(st.sampled_from(places))
        )
    if kind == "mean":
        return mean(Matrix.of(draw(letters(shape, depth - 1, kinds))), draw(st.sampled_from(PASTS)))
    return draw(symbols(shape, kinds))


@st.composite
def words(draw, shape, depth=1, kinds=KINDS):
    """A product of one to three letters or transposes."""
    names = (shape[0], *draw(st.lists(st.sampled_from(DIMENSIONS), max_size=2)), shape[1])
    product = None
    for rows, columns in pairwise(names):
        flip = draw(st.booleans())
        letter = Matrix.of(
            draw(letters((columns, rows) if flip else (rows, columns), depth, kinds))
        )
        factor = letter.T if flip else letter
        product = factor if product is None else product @ factor
    return product if product is not None else Matrix.zero(shape)


RATIONALS = st.sampled_from(ENTRIES)


@st.composite
def matrices(draw, shape, depth=1, kinds=KINDS):
    """A sum of up to three words, with numbers or variables as coefficients."""
    result = Matrix.zero(shape)
    for _ in range(draw(st.integers(0, 10)) % 4):
        coefficient = Scalar.of(draw(RATIONALS))
        if draw(st.booleans()):
            coefficient = coefficient * draw(variables(kinds)) + draw(RATIONALS)
        result = result + draw(words(shape, depth, kinds)).scaled(coefficient)
    return result


@st.composite
def points(draw, shapes=None, depth=1):
    """One or two blocks."""
    shapes = shapes or tuple(draw(st.lists(SHAPED, min_size=1, max_size=2)))
    return tuple(draw(matrices(shape, depth)) for shape in shapes)


@st.composite
def scalars(draw, depth=1, rational=False, kinds=KINDS, size=2):
    """A polynomial in atoms of every kind; `rational` ones denote single numbers, and not
    intervals."""
    result = Scalar.of(draw(RATIONALS))
    for _ in range(draw(st.integers(1, size))):
        product = Scalar.of(draw(RATIONALS))
        for _ in range(draw(st.integers(1, 2))):
            product = product * draw(_factors(depth, rational, kinds))
        result = result + product
    return result


SIMPLE = ("variable", "trace", "value")
NESTED = ("expectation", "expectation", "total", "minimum", "inverse", "before", "power", "maximum")


@st.composite
def _factors(draw, depth, rational, kinds):
    offered = SIMPLE + (() if rational else ("norm", "norm")) + ("number",)
    if depth:
        offered += NESTED + (() if rational else ("root",))
    kind = draw(st.sampled_from(offered))
    deeper = max(depth - 1, 0)
    if kind == "variable":
        return Scalar.of(draw(variables(kinds)))
    if kind == "number":
        return Scalar.of(
            draw(st.sampled_from((terms.Dimension("m"), terms.Horizon(), terms.Clock())))
        )
    if kind == "trace":
        shape = draw(SHAPED)
        return inner((draw(words(shape, deeper, kinds)),), (draw(matrices(shape, 0, kinds)),))
    if kind == "value":
        return Scalar.of(
            terms.Value(draw(st.sampled_from("fg")), (draw(matrices(draw(SHAPED), deeper, kinds)),))
        )
    if kind == "norm":
        return norm(
            draw(st.sampled_from((terms.FROBENIUS, terms.SPECTRAL))),
            draw(matrices(draw(SHAPED), deeper, kinds)),
        )
    body = draw(scalars(deeper, rational, kinds, size=1))
    if kind == "expectation":
        return expect(body, draw(st.sampled_from(PASTS)))
    if kind == "total":
        return total(body)
    if kind == "before":
        try:
            return before(body)
        except TermError:
            return total(body)
    if kind == "power":
        return power(body, Index(draw(st.sampled_from("tT")), draw(st.integers(-1, 1))))
    if kind == "maximum":
        return maximum(body, draw(scalars(deeper, rational, kinds, size=1)))
    if kind == "minimum":
        return Scalar.of(terms.Minimum(body))
    return (
        Scalar.of(terms.Root(body)) if kind == "root" else Scalar.of(terms.Inverse(body * body + 1))
    )


def everywhere(world):
    """Every time and outcome."""
    return [(t, i) for t in range(1, world.horizon + 1) for i in range(len(world.weights))]


def raised(world, p, relation=">="):
    """The fact p + c >= 0 (or >) with the least simple c that makes it true; c = 0 where it is true
    already."""
    least = min(denote(p, world, t, i).low for t, i in everywhere(world))
    spare = 0 if relation == ">=" else 1
    return Fact(relation, p if least >= spare else p + (-(least // 1) + spare))


def numbers(x):
    """The exact value of what denotes a single number or rational matrix."""
    if isinstance(x, Interval):
        if x.low != x.high:
            raise TermError(f"{x} is not exact")
        return x.low
    return tuple(tuple(numbers(y) for y in row) for row in x)


def setting(world, x, value):
    """The world in which x has the value that a term has in this one, at every time and outcome."""

    def known(time, outcome):
        if isinstance(value, Matrix):
            return numbers(denote_matrix(value, world, time, outcome))
        return numbers(denote(value, world, time, outcome))

    return world.having(x, known)


def agree(x, y, width=Fraction(1, 10**6)):
    """Whether two enclosures may be of one number, and are narrow enough to say so."""
    size = max(abs(x.low), abs(x.high), Fraction(1))
    return (
        max(x.low, y.low) <= min(x.high, y.high)
        and max(x.high - x.low, y.high - y.low) <= width * size
    )


def same(x, y):
    return len(x) == len(y) and all(
        len(r) == len(s) and all(agree(p, q) for p, q in zip(r, s, strict=True))
        for r, s in zip(x, y, strict=True)
    )


def judged(statement, world, tries=3):
    """Whether a statement holds; a law never certainly does, and does not where one of a few tries
    refutes it."""
    if isinstance(statement, Fact):
        return holds(statement, world)
    for attempt in range(tries):
        other = world
        for x in statement.variables:
            other = other.having(x, _anything(world, x, attempt))
        if (
            all(judged(p, other, 1) for p in statement.premises)
            and judged(statement.conclusion, other, 1) is False
        ):
            return False
    return None


def _anything(world, x, attempt):
    drawn = bound(replace(world, choice=(), seed=world.seed + 7919 * (attempt + 1)))
    return lambda time, outcome: drawn.symbols(x, time, outcome)


def true_in(world, statements):
    """Whether all of the statements certainly hold, laws taken at their word."""
    return all(isinstance(x, Law) or holds(x, world) for x in statements)
