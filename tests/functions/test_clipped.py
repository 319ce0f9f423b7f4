"""`PiecewiseLinear` against sums and sampled pairs; `Clipped` against it, as the same f in floats."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given

from boundcheck.errors import InputError
from boundcheck.functions.arithmetic import EPSILON
from boundcheck.functions.objectives.clipped import Clipped
from boundcheck.functions.piecewise import PiecewiseLinear
from boundcheck.properties.problem_strategies import fractions, slopes
from tests.experiment.small import refused

PLACES = fractions(-6, 6)
ZERO = (Fraction(0),)


def held(slope: PiecewiseLinear) -> PiecewiseLinear:
    """The f' whose knots are the nearest floats."""
    return PiecewiseLinear.through(*((float(w), float(value)) for w, value in slope.knots))


def at(*places: Fraction) -> torch.Tensor:
    return torch.tensor([float(w) for w in places], dtype=torch.float64).reshape(-1, 1, 1)


@given(slopes(), PLACES, PLACES)
def test_integral_is_the_limit_of_sums(slope: PiecewiseLinear, start: Fraction, end: Fraction) -> None:
    cells = 32
    width = (end - start) / cells
    total = sum(slope.value(start + i * width) for i in range(cells)) * width
    # f' moves by at most L |width| within a cell, half of that on average.
    allowed = slope.lipschitz * width**2 * cells / 2
    assert abs(slope.integral(end) - slope.integral(start) - total) <= allowed


@given(slopes())
def test_value_goes_through_the_knots_and_is_constant_beyond_them(slope: PiecewiseLinear) -> None:
    assert all(slope.value(w) == value for w, value in slope.knots)
    (first, low), (last, high) = slope.knots[0], slope.knots[-1]
    assert (slope.value(first - 7), slope.value(last + 7)) == (low, high)
    for (w, value), (after, value_after) in itertools.pairwise(slope.knots):
        assert slope.value((w + after) / 2) == (value + value_after) / 2


@given(slopes(), PLACES, PLACES)
def test_lipschitz_constant_and_bound_are_not_exceeded(slope: PiecewiseLinear, u: Fraction, w: Fraction) -> None:
    assert abs(slope.value(u) - slope.value(w)) <= slope.lipschitz * abs(u - w)
    assert abs(slope.value(w)) <= slope.bound
    assert slope.integral(w) >= slope.minimum


@given(slopes())
def test_lipschitz_constant_bound_and_minimum_are_attained(slope: PiecewiseLinear) -> None:
    values = dict(slope.knots)
    steepest = [abs(values[u] - values[w]) / (w - u) for u, w in itertools.pairwise(values)]
    assert slope.lipschitz == max(steepest, default=0)
    assert slope.bound in {abs(value) for value in values.values()}
    # Where f' rises through 0, which it does somewhere, unless it is 0 at a knot.
    zeros = [w for w, value in slope.knots if value == 0]
    for (u, low), (w, high) in itertools.pairwise(slope.knots):
        if low < 0 < high:
            zeros.append(u + (w - u) * low / (low - high))
    assert all(slope.value(zero) == 0 for zero in zeros)
    assert slope.minimum == min(map(slope.integral, zeros))


def test_clipped_is_a_huber_function() -> None:
    slope = PiecewiseLinear.clipped(slope=2, bound="1/3", zero=5)
    assert (slope.lipschitz, slope.bound) == (2, Fraction(1, 3))
    assert [slope.value(Fraction(w)) for w in (4, 5, 6)] == [Fraction(-1, 3), 0, Fraction(1, 3)]
    assert slope.integral(Fraction(5)) == slope.minimum
    assert slope.integral(Fraction(51, 10)) - slope.minimum == Fraction(1, 100)


@pytest.mark.parametrize(
    "knots",
    [
        pytest.param((), id="none"),
        pytest.param(((1, -1), (0, 1)), id="out of order"),
        pytest.param(((0, -1), (0, 1)), id="a jump"),
        pytest.param(((0, 1), (1, 1)), id="no minimum on the left"),
        pytest.param(((0, -1), (1, "-1/9")), id="no minimum on the right"),
        pytest.param(((0, 1),), id="one that is not zero"),
        pytest.param(((0, float("nan")), (1, 1)), id="NaN"),
        pytest.param(((float("-inf"), -1), (1, 1)), id="infinite"),
        pytest.param((("1/0", -1), (1, 1)), id="divided by zero"),
        pytest.param((("left", -1), (1, 1)), id="words"),
    ],
)
def test_knots_that_are_no_derivative_are_refused(knots: tuple) -> None:
    assert refused(PiecewiseLinear.through, *knots).field == "knots"


@given(slopes())
def test_constants_are_rounded_outward_by_little(slope: PiecewiseLinear) -> None:
    objective, exact = Clipped(slope, ZERO), held(slope)
    for constant, value, outward in (
        (objective.smoothness, exact.lipschitz, 1),
        (objective.gradient_bound, exact.bound, 1),
        (objective.infimum, exact.minimum, -1),
    ):
        assert constant.kind == "certified"
        assert constant.how
        assert 0 <= outward * (Fraction(constant.value) - value) <= 2 * Fraction(EPSILON) * abs(value)


@pytest.mark.parametrize(
    "bad",
    [
        (),
        (1,),
        (1, 1, -1),
        (0.1, 0.2, -0.3),
        (Fraction(1, 3), Fraction(-1, 4)),
        (float("nan"),),
        (float("inf"), -float("inf")),
    ],
    ids=str,
)
def test_offsets_whose_sum_is_not_zero_are_refused(bad: tuple) -> None:
    assert refused(lambda: Clipped(PiecewiseLinear.clipped(1, 1), bad)).field == "offsets"


@pytest.mark.parametrize("huge", [10**400, Fraction(10**400, 3)], ids=["whole", "third"])
def test_numbers_beyond_the_floats_are_refused(huge: Fraction) -> None:
    for slope, c in ((PiecewiseLinear.through((-huge, -1), (0, 1)), 1), (PiecewiseLinear.clipped(1, 1), huge)):
        with pytest.raises(InputError, match="range of floats"):
            Clipped(slope, (c, -c))


DIRECTION = np.array([[1.0, -2.0, 0.5], [0.0, 4.0, 0.25]])


@given(slopes())
def test_the_slope_and_the_direction_are_as_they_are_held(slope: PiecewiseLinear) -> None:
    objective = Clipped(slope, ZERO, direction=DIRECTION)
    assert objective.slope == held(slope)
    assert objective.direction.tolist() == DIRECTION.tolist()
    assert objective.shape == (2, 3)


def test_the_direction_is_a_copy() -> None:
    direction = np.ones((2, 2))
    objective = Clipped(PiecewiseLinear.clipped(1, 1), ZERO, direction=direction)
    direction[:] = 7
    assert objective.direction.tolist() == [[1, 1], [1, 1]]
    assert objective.gradient(torch.ones(1, 2, 2, dtype=torch.float64)).tolist() == [[[1, 1], [1, 1]]]


def test_knots_that_floats_cannot_tell_apart_are_refused() -> None:
    slope = PiecewiseLinear.through((1, -1), (1 + Fraction(1, 10**30), 1))
    assert refused(Clipped, slope, ZERO).field == "knots"
