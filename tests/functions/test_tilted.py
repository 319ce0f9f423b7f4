"""`Tilted` against its formula f(W) + <N, W>: in 50 digits, by automatic differentiation, by loops over samples."""

from fractions import Fraction

import hypothesis.strategies as st
import mpmath as mp
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis.strategies import DataObject, DrawFn

from boundcheck.functions.adapters import LoRA
from boundcheck.functions.curvature import bilinear_product, gauss_newton_product
from boundcheck.functions.objective import Objective
from boundcheck.functions.objectives.clipped import Tilted
from boundcheck.functions.objectives.pseudo_huber import synthetic
from boundcheck.functions.problem import Problem
from boundcheck.language.function import Constant
from boundcheck.properties import ball, directions, points, weights
from tests.experiment.small import refused
from tests.functions.exactly import DIGITS, distance, exactly, matrix
from tests.functions.kinds import KINDS, each_kind
from tests.layers import examples, sampled

few_examples = examples(10)
SIZES = [1e-6, 0.1, 1.0, 1e3]


@st.composite
def tilted_problems(draw: DrawFn, kind: str) -> tuple[Objective, np.ndarray, Tilted]:
    """An objective of that kind, N of any spectrum and size, and the two together."""
    base = draw(KINDS[kind])
    tilt = draw(ball(tuple(base.shape), draw(st.sampled_from(SIZES))))
    return base, tilt, Tilted(base, tilt)


@sampled(3, 0)
@each_kind
@few_examples
@given(st.data())
def test_loss_and_gradients_are_the_formula_to_within_their_rounding(kind: str, data: DataObject) -> None:
    base, tilt, objective = data.draw(tilted_problems(kind))
    W = data.draw(weights(base.shape, replicas=2))
    loss, gradient = objective.loss(W), objective.gradient(W)
    errors = objective.rounding(W, loss)
    assert errors[0].shape == errors[1].shape == loss.shape == (2,)
    for i, w in enumerate(W):
        with mp.workdps(DIGITS):
            exact, N = exactly(base, w), matrix(torch.tensor(tilt))
            pairs = [(x, y) for row, other in zip(N, matrix(w), strict=True) for x, y in zip(row, other, strict=True)]
            expected = exact.loss + mp.fsum(x * y for x, y in pairs)
            slopes = [[x + y for x, y in zip(*rows, strict=True)] for rows in zip(exact.gradient, N, strict=True)]
            assert abs(loss[i].item() - expected) <= errors[0][i].item()
            assert distance(gradient[i], slopes) <= errors[1][i].item()


@each_kind
@few_examples
@given(st.data())
def test_errors_of_rounding_are_small(kind: str, data: DataObject) -> None:
    """No more than the objective's own at the same size of loss, and some roundings of the linear part."""
    base, tilt, objective = data.draw(tilted_problems(kind))
    W = data.draw(weights(base.shape, replicas=2))
    loss = objective.loss(W)
    linear = float(np.linalg.norm(tilt)) * torch.linalg.matrix_norm(W)
    own = base.rounding(W, loss.abs() + linear)
    slope = base.gradient_bound.value
    if slope == float("inf"):
        slope = torch.linalg.matrix_norm(base.gradient(W))
    more = 2.0**-48 * (tilt.size + 8) * (loss.abs() + linear), 2.0**-48 * (slope + float(np.linalg.norm(tilt)))
    for found, without, extra in zip(objective.rounding(W, loss), own, more, strict=True):
        assert (found >= without).all()
        assert (found <= without + extra).all()


@each_kind
@few_examples
@given(st.data())
def test_constants_are_those_of_the_sum(kind: str, data: DataObject) -> None:
    base, tilt, objective = data.draw(tilted_problems(kind))
    assert objective.smoothness == base.smoothness
    assert (objective.shape, objective.samples) == (base.shape, base.samples)
    G, own = objective.gradient_bound, base.gradient_bound
    assert G.kind == own.kind == "certified"
    if own.value == float("inf"):
        assert G.value == float("inf")
        return
    # Not less than the sum, exactly, and by no more than the last digit.
    square = sum((Fraction(x) ** 2 for x in tilt.ravel().tolist()), Fraction(0))
    assert (Fraction(G.value) - Fraction(own.value)) ** 2 >= square
    assert G.value >= own.value
    below = Fraction(float(np.nextafter(G.value, 0))) - Fraction(own.value)
    assert below <= 0 or below**2 <= square


def test_the_bound_is_attained_where_the_tilt_is_along_the_gradient() -> None:
    """Far from every target each entry of a pseudo-Huber gradient is delta, all but exactly."""
    base = synthetic(d=2, k=3, samples=4, delta=0.5, signal=1.0, noise=0.1, seed=0)
    W = torch.full((1, 2, 3), 1e9, dtype=torch.float64)
    objective = Tilted(base, np.full((2, 3), 2.0))
    length = torch.linalg.matrix_norm(objective.gradient(W)).item()
    assert length == pytest.approx(objective.gradient_bound.value, rel=1e-12)


def test_an_estimated_bound_stays_estimated() -> None:
    base = synthetic(d=2, k=3, samples=4, delta=0.5, signal=1.0, noise=0.1, seed=0)
    base.gradient_bound = Constant(base.gradient_bound.value, "estimated", "a guess")
    found = Tilted(base, np.ones((2, 3))).gradient_bound
    assert found.kind == "estimated"
    assert found.how.startswith("a guess")


@each_kind
@few_examples
@given(st.data())
def test_there_is_no_infimum_but_minus_infinity(kind: str, data: DataObject) -> None:
    base, tilt, objective = data.draw(tilted_problems(kind))
    infimum = objective.infimum
    assert infimum.kind == "certified"
    assert infimum.value == -float("inf")
    # Of a loss that is at most linear, a tilt steeper than its gradient leaves none.
    if tilt.any() and base.gradient_bound.value < float("inf"):
        steep = Tilted(base, tilt * (1 + 2 * base.gradient_bound.value / np.linalg.norm(tilt)))
        down = -torch.tensor(steep.tilt).unsqueeze(0) / float(np.linalg.norm(steep.tilt))
        near, far = (steep.loss(distance * down).item() for distance in (1e3, 1e6))
        assert far < near < base.loss(0 * down).item()


@few_examples
@given(st.data())
def test_a_tilt_moves_the_second_part_of_the_curvature_alone(data: DataObject) -> None:
    base, tilt, objective = data.draw(tilted_problems("pseudo-Huber"))
    adapter = LoRA(torch.zeros(base.shape, dtype=torch.float64), 1, 2.0)
    v, u = data.draw(points(tuple(base.shape), 1, (1.0, 1.0))), data.draw(directions(adapter))
    level, tilted = Problem(base, adapter), Problem(objective, adapter)
    for x, y in zip(gauss_newton_product(level, v, u), gauss_newton_product(tilted, v, u), strict=True):
        assert torch.equal(x, y)
    of_tilt = adapter.pull_back(u, torch.tensor(tilt).unsqueeze(0))
    allowed = 1e-14 * (base.gradient_bound.value + np.linalg.norm(tilt))
    parts = zip(bilinear_product(level, v, u), bilinear_product(tilted, v, u), of_tilt, strict=True)
    assert all((x + more - y).abs().max().item() <= allowed for x, y, more in parts)


BASE = synthetic(d=2, k=3, samples=4, delta=0.5, signal=1.0, noise=0.1, seed=0)


@pytest.mark.parametrize(
    "tilt",
    [np.ones((3, 2)), np.ones(6), np.ones((1, 2, 3)), np.float64(1), np.full((2, 3), np.nan), np.full((2, 3), np.inf)],
    ids=["transposed", "a row", "three axes", "a number", "NaN", "infinite"],
)
def test_what_is_no_tilt_is_refused(tilt: np.ndarray) -> None:
    assert refused(lambda: Tilted(BASE, tilt)).field == "tilt"
