"""Strategies for problems F(v) = f(W(v)), their domains and short runs of SGD on them, and for the inputs of claims.

All are small, float64 and on the CPU. Data and frozen matrices are drawn, and shrink, as `matrix_strategies` says. An
input of a claim is a value for each symbol, in its domain, with the conditions met, some barely.
"""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import numpy as np
import sympy as sp
from hypothesis import assume
from hypothesis.strategies import DrawFn, SearchStrategy
from torch import Tensor

from boundcheck.errors import InputError
from boundcheck.exact.balls import enclose, sign
from boundcheck.functions.adapters import ADAPTERS, Adapter, make_adapter
from boundcheck.functions.objective import Objective
from boundcheck.functions.objectives.clipped import Clipped
from boundcheck.functions.objectives.linear import LeastSquares, SoftmaxRegression
from boundcheck.functions.objectives.pseudo_huber import PseudoHuber
from boundcheck.functions.piecewise import PiecewiseLinear
from boundcheck.functions.problem import Problem
from boundcheck.functions.sgd import Run
from boundcheck.language.claim import Claim, checked
from boundcheck.language.sentence import limit_of
from boundcheck.language.symbols import Number, T
from boundcheck.properties.matrix_strategies import (
    SIZES,
    Shape,
    ball,
    check_positive,
    check_shape,
    check_size,
    choice,
    domain_points,
    kept,
    shapes,
)

SCALES = st.sampled_from([1.0, 0.25, 2.0])
"""Scales s of an adapter."""
KINDS = ("full", "frozen-a", "lora", "direft")
"""The adapters of `runs`."""
POSITIVE_REALS: SearchStrategy[Number] = st.one_of(
    SIZES,
    st.integers(1, 100),
    st.fractions(Fraction(1, 100), 100, max_denominator=1000),
    st.decimals("0.01", 100, places=2).map(str),
)
"""Positive reals of every type that claims take: float, int, Fraction, and decimals as strings."""

# Rows and columns of W, at most, where they are not given.
_LARGEST = 5
_DOMAINS: Mapping[str, SearchStrategy[Number]] = {
    "positive real": POSITIVE_REALS,
    "positive integer": st.integers(1, 10_000),
    "real": st.one_of(POSITIVE_REALS, st.integers(-100, 0)),
}


# Objectives.


def fractions(least: Fraction | int, most: Fraction | int) -> SearchStrategy[Fraction]:
    """Fractions, some of them exact as floats."""
    return st.fractions(least, most, max_denominator=16)


@st.composite
def slopes(draw: DrawFn, most: int = 4) -> PiecewiseLinear:
    """Any f' of an f with a minimum: one knot or several up to `most`, steep or flat, f convex or not. Shrinks to 0."""
    positions = sorted(draw(st.lists(fractions(-most, most), min_size=1, max_size=5, unique=True)))
    values = [draw(fractions(-most, most)) for _ in positions]
    values[0], values[-1] = -abs(values[0]), abs(values[-1])
    if len(values) == 1:
        values = [Fraction(0)]
    return PiecewiseLinear(tuple(zip(positions, values, strict=True)))


@st.composite
def offsets(draw: DrawFn, most: int = 2) -> tuple[Fraction, ...]:
    """One to three offsets of a sample's derivative from the mean, whose sum is 0. Shrinks to the one offset 0."""
    first = draw(st.lists(fractions(-most, most), max_size=2))
    return (*first, -sum(first, Fraction(0)))


@kept
def _data(shape: Shape) -> SearchStrategy[np.ndarray]:
    """Data that may be rank-deficient, ill-conditioned or zero, small or large."""
    return st.sampled_from([1.0, 0.1, 30.0]).flatmap(lambda norm: ball(shape, norm))


def _shapes(shape: Shape | None, samples: int = 1) -> SearchStrategy[Shape]:
    """The given shape or any; raises InputError for a malformed one, and for samples below 1."""
    check_size("samples", samples)
    if shape is None:
        return shapes(_LARGEST)
    check_shape(shape)
    return st.just(shape)


def clipped_problems(shape: Shape | None = None) -> SearchStrategy[Clipped]:
    """`Clipped` losses along a direction of any rank but 0: f' from `slopes`, one to three samples from `offsets`.

    W has shape (d, k), each up to 5 where it is not given. At slope 0 the loss is constant, and L and G are 0.

    Raises:
        InputError: for a malformed shape.

    """
    sizes = _shapes(shape)

    @st.composite
    def drawn(draw: DrawFn) -> Clipped:
        direction = draw(_data(draw(sizes)))
        if not direction.any():
            # In place of a filter, which the simplest example would not pass.
            direction = np.zeros_like(direction)
            direction[0, 0] = 1
        return Clipped(draw(slopes()), draw(offsets()), direction=direction)

    return drawn()


def pseudo_huber_problems(shape: Shape | None = None, *, samples: int = 6) -> SearchStrategy[PseudoHuber]:
    """Pseudo-Huber regressions from nearly quadratic to nearly absolute: targets M + N_i, each of any spectrum.

    W has shape (d, k), each up to 5 where it is not given; there are up to `samples` targets, and none need be noisy.

    Raises:
        InputError: for a malformed shape, and samples below 1.

    """
    sizes = _shapes(shape, samples)

    @st.composite
    def drawn(draw: DrawFn) -> PseudoHuber:
        size = draw(sizes)
        delta, signal, noise = (draw(choice((1.0, 0.1, 10.0))) for _ in range(3))
        mean = draw(ball(size, signal))
        targets = [mean + draw(ball(size, noise)) for _ in range(draw(st.integers(1, samples)))]
        return PseudoHuber(np.stack(targets), delta)

    return drawn()


def softmax_problems(shape: Shape | None = None, *, samples: int = 6) -> SearchStrategy[SoftmaxRegression]:
    """Softmax regressions; the data may be rank-deficient, ill-conditioned or zero, and L and G are 0 then.

    W has shape (classes, k), each up to 5 where it is not given; there are up to `samples` samples.

    Raises:
        InputError: for a malformed shape, and samples below 1.

    """
    sizes = _shapes(shape, samples)

    @st.composite
    def drawn(draw: DrawFn) -> SoftmaxRegression:
        classes, k = draw(sizes)
        rest = draw(st.lists(st.integers(0, classes - 1), max_size=samples - 1))
        # The largest label says how many classes there are.
        labels = np.array([classes - 1, *rest])
        return SoftmaxRegression("small", draw(_data((len(labels), k))), labels)

    return drawn()


def least_squares_problems(shape: Shape | None = None, *, samples: int = 6) -> SearchStrategy[LeastSquares]:
    """Linear regressions on data and targets of any spectrum; their gradients are unbounded over all W.

    W has shape (d, k), each up to 5 where it is not given; there are up to `samples` samples.

    Raises:
        InputError: for a malformed shape, and samples below 1.

    """
    sizes = _shapes(shape, samples)

    @st.composite
    def drawn(draw: DrawFn) -> LeastSquares:
        (d, k), n = draw(sizes), draw(st.integers(1, samples))
        return LeastSquares(draw(_data((n, k))), draw(_data((n, d))))

    return drawn()


def objectives(shape: Shape | None = None) -> SearchStrategy[Objective]:
    """Small objectives with a bounded gradient: `clipped_problems`, `pseudo_huber_problems` or `softmax_problems`.

    Raises:
        InputError: for a malformed shape.

    """
    return st.one_of(clipped_problems(shape), pseudo_huber_problems(shape), softmax_problems(shape))


# Adapters, problems and runs.


def _check_adapter(kind: str) -> None:
    if kind not in ADAPTERS:
        raise InputError("kind", kind, f"one of {', '.join(ADAPTERS)}")


@kept
def _frozen(shape: Shape) -> SearchStrategy[Any]:
    return st.sampled_from([0.5, 2.0]).flatmap(lambda norm: ball(shape, norm, library="torch"))


def adapters(
    kind: str, shape: Shape | None = None, *, rank: int | None = None, most: int = 4
) -> SearchStrategy[Adapter]:
    """Adapters of a kind around a W0, float64, with a scale of 1/4, 1 or 2 where the kind has one.

    W0 has spectral norm up to 1, but for DoRA, whose columns must not be near 0: 2 more in each entry. Frozen factors
    have spectral norm up to 1/2 or 2, and any spectrum. Shrinks to W0 = 0, rank 1 and scale 1.

    Args:
        kind: one of the names in `boundcheck.functions.adapters.ADAPTERS`.
        shape: (d, k), of W; where it is not given, the sides differ by up to 3.
        rank: r, up to the least side of a given shape; left out, from 1 to `most`.
        most: the largest rank that is drawn.

    Raises:
        InputError: for any other value.

    """
    _check_adapter(kind)
    if shape is not None:
        check_shape(shape)
    check_size("most", most)
    if rank is not None:
        check_size("rank", rank)
        if shape is not None and rank > min(shape):
            raise InputError("rank", rank, f"at most min(d, k) = {min(shape)}")

    @st.composite
    def drawn(draw: DrawFn) -> Adapter:
        size = shape
        if size is None:
            least = draw(st.integers(1, most)) if rank is None else rank
            size = least + draw(st.integers(0, 3)), least + draw(st.integers(0, 3))
        (d, k), scale = size, draw(SCALES)
        r = draw(st.integers(1, min(d, k, most))) if rank is None else rank
        W0 = draw(ball(size, 1.0, library="torch"))
        sides = {"A": (r, k), "B": (d, r)}
        # W0 is frozen in all of them.
        frozen: dict[str, Tensor] = {
            name: draw(_frozen(sides[name])) for name in ADAPTERS[kind].frozen if name in sides
        }
        return make_adapter(kind, W0 + 2 if "W0" in ADAPTERS[kind].frozen else W0, r, scale, frozen)

    return drawn()


@st.composite
def domains(draw: DrawFn, adapter: Adapter) -> dict[str, float]:
    """Radii for the domain of an adapter, by name, at which its claims say something.

    They are from 0.05 to 3, or a share of the limit that a condition of the adapter sets.
    """
    radii = {name: draw(choice((1.0, 0.05, 0.5, 3.0))) for name in adapter.radius_names}
    for condition in adapter.conditions():
        limited = [name for name in radii if name in map(str, condition.rhs.free_symbols)]
        if isinstance(condition, sp.StrictGreaterThan) and limited:
            known = adapter.constants(radii | {limited[-1]: 1.0})
            at_one = float(condition.rhs.subs({x: known[str(x)] for x in condition.rhs.free_symbols}))
            radii[limited[-1]] = draw(choice((0.5, 0.01, 0.9))) * known[str(condition.lhs)] / at_one
    return radii


def problems(kind: str = "lora", *, scale: float | None = None) -> SearchStrategy[Problem]:
    """Small problems of `objectives` in `adapters` of that kind, of every rank that the shape of W allows.

    Raises:
        InputError: for an unknown kind, and a scale that is not positive or that the kind does not have.

    """
    _check_adapter(kind)
    if scale is not None:
        check_positive("scale", scale)
        if "scale" not in ADAPTERS[kind].options:
            raise InputError("scale", scale, f"none: {kind} has no scale")

    @st.composite
    def drawn(draw: DrawFn) -> Problem:
        objective = draw(objectives())
        adapter: Any = draw(adapters(kind, objective.shape, most=_LARGEST))
        return Problem(objective, adapter if scale is None else replace(adapter, scale=scale))

    return drawn()


def runs(kind: str | None = None, *, horizon: int = 4) -> SearchStrategy[Run]:
    """Short runs of SGD on least squares or a clipped loss of one to three samples, with W of up to 3 x 3.

    `boundcheck.functions.sgd` computes their exact expectations. The start has norms up to 1, the step is 1, 1/2, 1/4
    or 1/16, and T up to `horizon`. Shrinks to one step of size 1 on a loss of a 1 x 1 matrix with one sample.

    Args:
        kind: of adapter, one of ``full``, ``frozen-a``, ``lora`` and ``direft``; None for all.
        horizon: the largest T, up to 4.

    Raises:
        InputError: for any other value.

    """
    if kind is not None and kind not in KINDS:
        raise InputError("kind", kind, f"one of {', '.join(KINDS)}")
    check_size("horizon", horizon)
    if horizon > 4:
        raise InputError("horizon", horizon, "at most 4")

    @st.composite
    def drawn(draw: DrawFn) -> Run:
        shape = draw(shapes(3))
        losses: list[SearchStrategy[Objective]] = [clipped_problems(shape), least_squares_problems(shape, samples=3)]
        objective = draw(st.one_of(losses))
        adapter = draw(adapters(draw(choice(KINDS)) if kind is None else kind, shape))
        start = draw(domain_points(adapter, dict.fromkeys(adapter.radius_names, 1.0)))
        steps = draw(st.integers(1, horizon))
        return Run(Problem(objective, adapter), start, draw(choice((1.0, 0.5, 0.25, 0.0625))), steps)

    return drawn()


# Inputs of claims.


def shortest_horizon(claim: Claim, inputs: Mapping[str, Number]) -> int:
    """The least T that a claim allows. The T in `inputs` is ignored.

    Raises:
        InputError: for an input that is missing or out of its domain.

    """
    values, limit = checked(claim.parameters, inputs), limit_of(claim, T)
    if limit is None:
        return 1
    least = claim.expression(limit)
    lower_end: Any = enclose(least, values, bits=256).lower()
    floor = int(lower_end.ceil().unique_fmpz())
    return floor if sign(sp.Integer(floor) - least, values) >= 0 else floor + 1


@st.composite
def claim_inputs(draw: DrawFn, claim: Claim) -> dict[str, Number]:
    """A value for each symbol of a claim by its name: of every type, in its domain, T often the shortest horizon.

    >>> from boundcheck.language.catalogue import catalogue
    >>> from hypothesis import find
    >>> find(claim_inputs(catalogue["meft.full"]), lambda inputs: True)
    {'L': 1.0}
    """
    exponents = {x for q in claim.quantities for power in q.expression.atoms(sp.Pow) for x in power.exp.free_symbols}
    # A high power leaves the range of floats.
    inputs: dict[str, Any] = {
        p.name: draw(st.integers(1, 10) if p.symbol in exponents else _DOMAINS[p.domain]) for p in claim.parameters
    }
    others = []
    for condition in claim.conditions:
        name = str(condition.lhs)
        value = _within(draw, claim, condition, inputs) if name in inputs else None
        if value is None:
            others.append(condition)
        else:
            inputs[name] = value
    # A condition that does not simply limit one parameter is met by chance, or the example is discarded.
    if others:
        assume(not {*others} & {*claim.failing(checked(claim.parameters, inputs))})
    return inputs


def _within(draw: DrawFn, claim: Claim, condition: Any, inputs: Mapping[str, Number]) -> Any:
    """A value of the left side that meets a condition, some barely; None if the right side is not a plain number."""
    if isinstance(condition, sp.GreaterThan) and condition.lhs == T and str(condition.rhs) == limit_of(claim, T):
        return shortest_horizon(claim, inputs) + draw(st.one_of(st.just(0), st.integers(0, 10**6)))
    # A limit may be a quantity that the claim derives.
    rhs = claim.expression(str(condition.rhs)) if str(condition.rhs) in claim.names else condition.rhs
    limit = rhs.subs(checked(claim.parameters, inputs))
    positive = Fraction(int(limit.p), int(limit.q)) if isinstance(limit, sp.Rational) and limit > 0 else None
    match condition:
        case sp.StrictGreaterThan() | sp.StrictLessThan() if positive:
            beyond = 1 + Fraction(10 ** draw(st.floats(-6, 2)))
            return positive * beyond if isinstance(condition, sp.StrictGreaterThan) else positive / beyond
        case sp.GreaterThan() if positive and not condition.lhs.is_integer:
            return positive * (1 + Fraction(draw(st.sampled_from([0, 1, 8, 800])), 8))
        case sp.GreaterThan() if limit.is_nonpositive:
            # Every value of its domain is beyond it.
            return inputs[str(condition.lhs)]
        case sp.LessThan() if positive and positive.denominator == 1 and condition.lhs.is_integer:
            return draw(st.integers(1, int(positive)))
        case sp.LessThan() if positive:
            return positive * Fraction(draw(st.sampled_from([8, 7, 1])), 8)
    return None
