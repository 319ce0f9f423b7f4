"""Strategies for problems F(v) = f(W(v)): objectives with certified constants, adapters of every kind, their domains.

All are small, float64 and on the CPU. Data and frozen matrices are drawn as matrices.py draws matrices, and shrink so.
"""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import numpy as np
import sympy as sp
from hypothesis.strategies import DrawFn, SearchStrategy
from torch import Tensor

from boundcheck.errors import InputError
from boundcheck.functions.adapters import ADAPTERS, Adapter, make_adapter
from boundcheck.functions.objective import Objective
from boundcheck.functions.objectives.clipped import Clipped
from boundcheck.functions.objectives.linear import LeastSquares, SoftmaxRegression
from boundcheck.functions.objectives.pseudo_huber import PseudoHuber
from boundcheck.functions.piecewise import PiecewiseLinear
from boundcheck.functions.problem import Problem
from boundcheck.properties.strategies.matrices import Shape, ball, check_positive, check_shape, check_size, shapes
from boundcheck.properties.strategies.spectra import choice, kept

SCALES = st.sampled_from([1.0, 0.25, 2.0])
"""Scales s of an adapter."""

# Rows and columns of W, at most, where they are not given.
_LARGEST = 5


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


def _check_adapter(kind: str) -> None:
    if kind not in ADAPTERS:
        raise InputError("kind", kind, f"one of {', '.join(ADAPTERS)}")


def _shapes(shape: Shape | None) -> SearchStrategy[Shape]:
    if shape is None:
        return shapes(_LARGEST)
    check_shape(shape)
    return st.just(shape)


@kept
def _data(shape: Shape) -> SearchStrategy[np.ndarray]:
    """Data that may be rank-deficient, ill-conditioned or zero, small or large."""
    return st.sampled_from([1.0, 0.1, 30.0]).flatmap(lambda norm: ball(shape, norm))


def clipped_problems(shape: Shape | None = None) -> SearchStrategy[Clipped]:
    """`Clipped` losses along a direction of any rank but 0: f' from `slopes`, one to three samples from `offsets`.

    W has shape (d, k), each up to 5 where it is not given. At slope 0 the loss is constant, and L and G are 0.

    Raises:
        InputError: for a malformed shape.

    """
    return _clipped(_shapes(shape))


@st.composite
def _clipped(draw: DrawFn, shape: SearchStrategy[Shape]) -> Clipped:
    direction = draw(_data(draw(shape)).filter(np.any))
    return Clipped(draw(slopes()), draw(offsets()), direction=direction)


def pseudo_huber_problems(shape: Shape | None = None, *, samples: int = 6) -> SearchStrategy[PseudoHuber]:
    """Pseudo-Huber regressions from nearly quadratic to nearly absolute: targets M + N_i, each of any spectrum.

    W has shape (d, k), each up to 5 where it is not given; there are up to `samples` targets, and none need be noisy.

    Raises:
        InputError: for a malformed shape, and samples below 1.

    """
    check_size("samples", samples)
    return _pseudo_huber(_shapes(shape), samples)


@st.composite
def _pseudo_huber(draw: DrawFn, shape: SearchStrategy[Shape], samples: int) -> PseudoHuber:
    size = draw(shape)
    delta, signal, noise = (draw(choice((1.0, 0.1, 10.0))) for _ in range(3))
    mean = draw(ball(size, signal))
    targets = [mean + draw(ball(size, noise)) for _ in range(draw(st.integers(1, samples)))]
    return PseudoHuber(np.stack(targets), delta)


def softmax_problems(shape: Shape | None = None, *, samples: int = 6) -> SearchStrategy[SoftmaxRegression]:
    """Softmax regressions; the data may be rank-deficient, ill-conditioned or zero, and L and G are 0 then.

    W has shape (classes, k), each up to 5 where it is not given; there are up to `samples` samples.

    Raises:
        InputError: for a malformed shape, and samples below 1.

    """
    check_size("samples", samples)
    return _softmax(_shapes(shape), samples)


@st.composite
def _softmax(draw: DrawFn, shape: SearchStrategy[Shape], samples: int) -> SoftmaxRegression:
    classes, k = draw(shape)
    rest = draw(st.lists(st.integers(0, classes - 1), max_size=samples - 1))
    # The largest label says how many classes there are.
    labels = np.array([classes - 1, *rest])
    return SoftmaxRegression("small", draw(_data((len(labels), k))), labels)


def least_squares_problems(shape: Shape | None = None, *, samples: int = 6) -> SearchStrategy[LeastSquares]:
    """Linear regressions on data and targets of any spectrum; their gradients are unbounded over all W.

    W has shape (d, k), each up to 5 where it is not given; there are up to `samples` samples.

    Raises:
        InputError: for a malformed shape, and samples below 1.

    """
    check_size("samples", samples)
    return _least_squares(_shapes(shape), samples)


@st.composite
def _least_squares(draw: DrawFn, shape: SearchStrategy[Shape], samples: int) -> LeastSquares:
    (d, k), n = draw(shape), draw(st.integers(1, samples))
    return LeastSquares(draw(_data((n, k))), draw(_data((n, d))))


def objectives(shape: Shape | None = None) -> SearchStrategy[Objective]:
    """Small objectives with a bounded gradient: `clipped_problems`, `pseudo_huber_problems` or `softmax_problems`.

    Raises:
        InputError: for a malformed shape.

    """
    return st.one_of(clipped_problems(shape), pseudo_huber_problems(shape), softmax_problems(shape))


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
    return _adapters(kind, shape, rank, most)


@st.composite
def _adapters(draw: DrawFn, kind: str, shape: Shape | None, rank: int | None, most: int) -> Adapter:
    if shape is None:
        least = draw(st.integers(1, most)) if rank is None else rank
        shape = least + draw(st.integers(0, 3)), least + draw(st.integers(0, 3))
    (d, k), scale = shape, draw(SCALES)
    r = draw(st.integers(1, min(d, k, most))) if rank is None else rank
    W0 = draw(ball(shape, 1.0, library="torch"))
    sides = {"A": (r, k), "B": (d, r)}
    # W0 is frozen in all of them.
    frozen: dict[str, Tensor] = {name: draw(_frozen(sides[name])) for name in ADAPTERS[kind].frozen if name in sides}
    return make_adapter(kind, W0 + 2 if "W0" in ADAPTERS[kind].frozen else W0, r, scale, frozen)


@kept
def _frozen(shape: Shape) -> SearchStrategy[Any]:
    return st.sampled_from([0.5, 2.0]).flatmap(lambda norm: ball(shape, norm, library="torch"))


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
        if not ADAPTERS[kind].has_scale:
            raise InputError("scale", scale, f"none: {kind} has no scale")
    return _problems(kind, scale)


@st.composite
def _problems(draw: DrawFn, kind: str, scale: float | None) -> Problem:
    objective = draw(objectives())
    adapter: Any = draw(adapters(kind, objective.shape, most=_LARGEST))
    return Problem(objective, adapter if scale is None else replace(adapter, scale=scale))
