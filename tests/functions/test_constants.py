"""The certified constants of the objectives hold on every sample, and are those of their formulas, rounded up."""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import mpmath as mp
import numpy as np
import pytest
import torch
from hypothesis import given, target
from hypothesis.strategies import DataObject

from boundcheck.functions.data import breast_cancer_data, digits_data, largest_gram_eigenvalue
from boundcheck.functions.objective import Objective
from boundcheck.functions.objectives.clipped import Clipped
from boundcheck.functions.objectives.linear import (
    LeastSquares,
    LogisticRegression,
    ReadoutNetwork,
    SoftmaxRegression,
    digits_network,
    digits_readout,
    synthetic_regression,
)
from boundcheck.functions.objectives.pseudo_huber import PseudoHuber
from boundcheck.properties import pseudo_huber_problems, softmax_problems, weights
from tests.functions.eigenvalues import is_above_the_top, is_below_the_top, top_eigenvalue
from tests.functions.kinds import (
    KINDS,
    clipped_problems,
    each_kind,
    least_squares_problems,
    logistic_problems,
    networks,
    some_examples,
)
from tests.functions.rounding import EPSILON, gradient_rounding, loss_rounding
from tests.layers import sampled


@each_kind
@some_examples
@given(st.data())
def test_all_three_are_certified(kind: str, data: DataObject) -> None:
    objective = data.draw(KINDS[kind])
    for constant in (objective.smoothness, objective.gradient_bound, objective.infimum):
        assert constant.kind == "certified"
        assert constant.how


@each_kind
@some_examples
@given(st.data())
def test_gradient_is_lipschitz_with_the_smoothness(kind: str, data: DataObject) -> None:
    objective = data.draw(KINDS[kind])
    W = data.draw(weights(objective.shape, replicas=2))
    share = 10 ** data.draw(st.floats(-4, 0))
    W1, W2 = W[:1], W[:1] + share * (W[1:] - W[:1])
    distance = (W1 - W2).norm().item()
    change = (objective.gradient(W1) - objective.gradient(W2)).norm().item()
    if distance > 0 and objective.smoothness.value > 0:
        target(change / distance / objective.smoothness.value)
    rounding = gradient_rounding(objective, W1) + gradient_rounding(objective, W2)
    assert change <= objective.smoothness.value * distance + rounding


@each_kind
@some_examples
@given(st.data())
def test_gradient_is_bounded(kind: str, data: DataObject) -> None:
    objective = data.draw(KINDS[kind])
    W = data.draw(weights(objective.shape))
    norms = objective.gradient(W).flatten(1).norm(dim=1)
    assert norms.max().item() <= objective.gradient_bound.value + gradient_rounding(objective, W)


@each_kind
@some_examples
@given(st.data())
def test_loss_is_at_least_the_infimum(kind: str, data: DataObject) -> None:
    objective = data.draw(KINDS[kind])
    W = data.draw(weights(objective.shape))
    assert objective.loss(W).min().item() >= objective.infimum.value - loss_rounding(objective, W)


def hessian(objective: Objective, W: torch.Tensor) -> torch.Tensor:
    """At one W, shape (1, d, k), as a matrix of dk rows."""
    size = W.numel()
    return torch.func.jacfwd(objective.gradient)(W).reshape(size, size)


@each_kind
@some_examples
@given(st.data())
def test_hessian_is_no_larger_than_the_smoothness(kind: str, data: DataObject) -> None:
    objective = data.draw(KINDS[kind])
    H = hessian(objective, data.draw(weights(objective.shape, replicas=1)))
    largest, L = torch.linalg.eigvalsh(H).abs().max().item(), objective.smoothness.value
    if L > 0:
        target(largest / L)
    allowed = 100 * len(H) * EPSILON * L
    assert (H - H.T).abs().max().item() <= allowed
    assert largest <= L + allowed


def certified(bound: float, value: Any) -> bool:
    """Whether the bound is at least the value, which is known to some 50 digits, and no more than 1e-9 above it."""
    with mp.workdps(60):
        near = mp.mpf(10) ** -40
        return value * (1 - near) <= mp.mpf(bound) <= value * (1 + mp.mpf(10) ** -9) + mp.mpf(2) ** -1070


def mean_norm(X: np.ndarray) -> Any:
    return mp.fsum(mp.sqrt(mp.fsum(mp.mpf(x) ** 2 for x in row)) for row in X.tolist()) / len(X)


@some_examples
@given(softmax_problems())
def test_softmax_constants_are_those_of_its_data(objective: SoftmaxRegression) -> None:
    X = objective._X.numpy()
    with mp.workdps(60):
        assert certified(objective.smoothness.value, top_eigenvalue(X) / (2 * len(X)))
        assert certified(objective.gradient_bound.value, mp.sqrt(2) * mean_norm(X))


@some_examples
@given(least_squares_problems())
def test_least_squares_smoothness_is_that_of_its_data_and_there_is_no_gradient_bound(objective: LeastSquares) -> None:
    X = objective._X.numpy()
    with mp.workdps(60):
        assert certified(objective.smoothness.value, top_eigenvalue(X) / len(X))
    assert objective.gradient_bound.value == math.inf


@some_examples
@given(logistic_problems())
def test_logistic_constants_are_those_of_its_data(objective: LogisticRegression) -> None:
    X = objective._X.numpy()
    with mp.workdps(60):
        assert certified(objective.smoothness.value, top_eigenvalue(X) / (4 * len(X)))
        assert certified(objective.gradient_bound.value, mp.sqrt(objective.shape[0]) * mean_norm(X))


def network_constants(objective: ReadoutNetwork, eigenvalue: Any) -> tuple[Any, Any]:
    """L and G from their formulas, given the largest eigenvalue of X^T X."""
    U = objective._readout.numpy()
    square = top_eigenvalue(U.T if len(U) < U.shape[1] else U)
    curvature = square / 2
    if objective.activation == "tanh":
        gaps = [abs(mp.mpf(x) - mp.mpf(y)) for column in U.T.tolist() for x in column for y in column]
        # The largest |tanh''|, where tanh is 1/sqrt(3).
        curvature += abs(mp.diff(mp.tanh, mp.atanh(1 / mp.sqrt(3)), 2)) * max(gaps)
    return curvature * eigenvalue / objective.samples, mp.sqrt(2 * square) * mean_norm(objective._X.numpy())


@some_examples
@given(st.one_of(networks("tanh"), networks("identity")))
def test_network_constants_are_those_of_its_data_and_readout(objective: ReadoutNetwork) -> None:
    # Of a numerical second derivative 20 digits are right.
    with mp.workdps(60):
        L, G = network_constants(objective, top_eigenvalue(objective._X.numpy()))
        assert certified(objective.smoothness.value, L * (1 - mp.mpf(10) ** -20))
        assert certified(objective.gradient_bound.value, G)


@given(clipped_problems())
def test_clipped_constants_are_those_of_the_slope_along_the_direction(objective: Clipped) -> None:
    square = sum(Fraction(x) ** 2 for x in objective.direction.flat)
    exact = objective.slope.lipschitz * square
    assert exact <= Fraction(objective.smoothness.value) <= exact * (1 + Fraction(2 * EPSILON))
    # A gradient bound of zero is exact; the root of others is rounded up.
    bound = objective.slope.bound**2 * square
    assert is_rounded_up(objective.gradient_bound.value, bound) or bound == objective.gradient_bound.value == 0
    assert Fraction(objective.infimum.value) <= objective.slope.minimum


def divisor(objective: Objective) -> Fraction:
    """What L is the largest eigenvalue of X^T X over, for the data sets."""
    n = Fraction(objective.samples)
    if isinstance(objective, ReadoutNetwork):
        with mp.workdps(60):
            curvature = network_constants(objective, objective.samples)[0] * (1 - mp.mpf(10) ** -20)
            return n / (Fraction(int(curvature.man)) * Fraction(2) ** int(curvature.exp))
    return n * {SoftmaxRegression: 2, LogisticRegression: 4, LeastSquares: 1}[type(objective)]


@sampled(3, 2)
@pytest.mark.parametrize(
    "build",
    [
        lambda: SoftmaxRegression("digits", *digits_data()),
        lambda: SoftmaxRegression("breast cancer", *breast_cancer_data()),
        lambda: LogisticRegression("breast cancer", *breast_cancer_data()),
        lambda: synthetic_regression(3, 20, 200, 0.1, 0),
        lambda: digits_network(16, 0),
        lambda: digits_readout(8, bias=False),
        lambda: digits_readout(8, bias=True),
    ],
    ids=["digits", "cancer", "logistic", "regression", "network", "readout", "biased readout"],
)
def test_smoothness_of_real_data_is_proved_by_elimination_and_tight(build: Callable[[], Any]) -> None:
    objective = build()
    X, level = objective._X.numpy(), Fraction(objective.smoothness.value) * divisor(objective)
    assert is_above_the_top(level, X)
    assert is_below_the_top(level * (1 - Fraction(1, 10**9)), X)


def test_elimination_and_quotients_tell_a_bound_from_others() -> None:
    X = np.array([[3.0, 0.0], [0.0, 1.0]])
    little = Fraction(1, 10**30)
    assert is_above_the_top(9 + little, X)
    assert not is_above_the_top(9 - little, X)
    assert is_below_the_top(9 - little, X)
    assert not is_below_the_top(9 + little, X)
    assert top_eigenvalue(X) == largest_gram_eigenvalue(X) == 9


def test_pseudo_huber_constants_are_attained() -> None:
    objective = PseudoHuber(np.zeros((1, 2, 3)), 0.5)
    near = torch.full((1, 2, 3), 1e-6, dtype=torch.float64)
    far = torch.full((1, 2, 3), 1e6, dtype=torch.float64)
    assert objective.gradient(near).norm().item() >= 0.999 * objective.smoothness.value * near.norm().item()
    assert objective.gradient(far).norm().item() >= 0.999 * objective.gradient_bound.value
    assert objective.loss(0 * near).item() == objective.infimum.value


def is_rounded_up(bound: float, square: Fraction) -> bool:
    """Whether the bound is at least the root of `square`, in exact arithmetic, and by a few ulps at most."""
    return Fraction(bound * (1 - 4 * EPSILON)) ** 2 < square <= Fraction(bound) ** 2


@given(pseudo_huber_problems())
def test_pseudo_huber_gradient_bound_is_rounded_up(objective: PseudoHuber) -> None:
    d, k = objective.shape
    assert is_rounded_up(objective.gradient_bound.value, Fraction(objective.delta) ** 2 * d * k)
