"""The certified constants of the objectives hold on every sample, and cannot be made smaller."""

from fractions import Fraction

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given, target
from hypothesis.strategies import DataObject

from boundcheck.problems.objective import Objective
from boundcheck.problems.pseudo_huber import PseudoHuber
from boundcheck.problems.softmax import SoftmaxRegression, digits
from tests.problems.rounding import EPSILON, gradient_rounding, loss_rounding
from tests.strategies import objectives, pseudo_huber_problems, weights


@given(st.data(), objectives())
def test_all_three_are_certified(data: DataObject, objective: Objective) -> None:
    for constant in (objective.smoothness, objective.gradient_bound, objective.infimum):
        assert constant.kind == "certified"
        assert constant.how


@given(st.data(), objectives())
def test_gradient_is_lipschitz_with_the_smoothness(data: DataObject, objective: Objective) -> None:
    W = data.draw(weights(objective.shape, replicas=2))
    share = 10 ** data.draw(st.floats(-4, 0))
    W1, W2 = W[:1], W[:1] + share * (W[1:] - W[:1])
    distance = (W1 - W2).norm().item()
    change = (objective.gradient(W1) - objective.gradient(W2)).norm().item()
    if distance > 0:
        target(change / distance / objective.smoothness.value)
    rounding = gradient_rounding(objective, W1) + gradient_rounding(objective, W2)
    assert change <= objective.smoothness.value * distance + rounding


@given(st.data(), objectives())
def test_gradient_is_bounded(data: DataObject, objective: Objective) -> None:
    W = data.draw(weights(objective.shape))
    norms = objective.gradient(W).flatten(1).norm(dim=1)
    assert norms.max().item() <= objective.gradient_bound.value + gradient_rounding(objective, W)


@given(st.data(), objectives())
def test_loss_is_at_least_the_infimum(data: DataObject, objective: Objective) -> None:
    W = data.draw(weights(objective.shape))
    assert objective.loss(W).min().item() >= objective.infimum.value - loss_rounding(objective, W)


@given(st.data(), objectives())
def test_loss_is_below_its_quadratic_upper_bound(data: DataObject, objective: Objective) -> None:
    W1, W2 = data.draw(weights(objective.shape, replicas=2)).split(1)
    tangent = objective.loss(W1) + (objective.gradient(W1) * (W2 - W1)).sum()
    most = tangent + objective.smoothness.value / 2 * (W2 - W1).square().sum()
    rounding = sum(loss_rounding(objective, W) + gradient_rounding(objective, W) * W.norm().item() for W in (W1, W2))
    assert objective.loss(W2).item() <= most.item() + 4 * rounding


def test_softmax_smoothness_is_attained_by_two_equal_classes() -> None:
    objective = SoftmaxRegression("two classes", np.array([[3.0, 4.0]]), np.array([1]))
    W = torch.tensor([[[3.0, 4.0], [-3.0, -4.0]]], dtype=torch.float64) * 1e-6
    change = (objective.gradient(W) - objective.gradient(0 * W)).norm().item()
    assert objective.smoothness.value == pytest.approx(25 / 2, rel=1e-12)
    assert change / W.norm().item() >= 0.999 * objective.smoothness.value


def test_softmax_gradient_bound_is_attained_by_a_confident_mistake() -> None:
    objective = SoftmaxRegression("two classes", np.array([[3.0, 4.0]]), np.array([1]))
    mistaken = torch.tensor([[[3.0, 4.0], [-3.0, -4.0]]], dtype=torch.float64)
    assert objective.gradient(mistaken).norm().item() >= 0.999 * objective.gradient_bound.value


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


@given(st.floats(1e-3, 1e3))
def test_softmax_gradient_bound_is_rounded_up(x: float) -> None:
    objective = SoftmaxRegression("one pixel", np.array([[x]]), np.array([1]))
    assert is_rounded_up(objective.gradient_bound.value, 2 * Fraction(x) ** 2)


def test_digits_have_the_constants_of_their_data() -> None:
    objective = digits()
    X = objective._X.numpy()
    assert objective.smoothness.value == pytest.approx(np.linalg.norm(X, 2) ** 2 / len(X) / 2, rel=1e-9)
    mean = np.linalg.norm(X, axis=1).mean()
    assert objective.gradient_bound.value == pytest.approx(np.sqrt(2) * mean, rel=1e-12)
