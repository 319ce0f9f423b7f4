"""Losses, gradients and moments of the objectives, each against a naive twin: autograd, differences, loops."""

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis.strategies import DataObject

from boundcheck.problems.objective import Objective
from boundcheck.problems.pseudo_huber import PseudoHuber, synthetic
from boundcheck.problems.softmax import SoftmaxRegression, digits
from tests.problems.rounding import EPSILON, gradient_rounding, loss_rounding, operations
from tests.strategies import matrices, objectives, pseudo_huber_problems, softmax_problems, weights


def assert_close(got: torch.Tensor, expected: torch.Tensor, allowed: float) -> None:
    assert got.shape == expected.shape
    assert got.dtype == torch.float64
    assert (got - expected).abs().max().item() <= allowed


@given(st.data(), softmax_problems())
def test_softmax_loss_is_the_cross_entropy(data: DataObject, objective: SoftmaxRegression) -> None:
    W = data.draw(weights(objective.shape))
    # Torch's own cross-entropy, from the logits and the class numbers.
    expected = torch.stack([torch.nn.functional.cross_entropy(objective._X @ w.T, objective._labels) for w in W])
    assert_close(objective.loss(W), expected, loss_rounding(objective, W))


@given(st.data(), pseudo_huber_problems())
def test_pseudo_huber_loss_is_its_formula(data: DataObject, objective: PseudoHuber) -> None:
    W = data.draw(weights(objective.shape))
    delta, n = objective.delta, objective.samples
    terms = [delta**2 * ((1 + ((w - M) / delta) ** 2).sqrt() - 1) for w in W for M in objective._targets]
    expected = torch.stack([term.sum() for term in terms]).reshape(len(W), n).mean(1)
    # The printed form cancels near zero: its error is a unit roundoff of delta^2 for each entry.
    allowed = loss_rounding(objective, W) + operations(objective) * EPSILON * delta**2
    assert_close(objective.loss(W), expected, allowed)


@given(st.data(), objectives())
def test_gradient_is_that_of_autograd(data: DataObject, objective: Objective) -> None:
    W = data.draw(weights(objective.shape)).requires_grad_()
    (expected,) = torch.autograd.grad(objective.loss(W).sum(), W)
    W = W.detach()
    assert_close(objective.gradient(W), expected, gradient_rounding(objective, W))


@given(st.data(), objectives())
def test_gradient_is_the_limit_of_differences(data: DataObject, objective: Objective) -> None:
    W = data.draw(weights(objective.shape, replicas=1))
    U = torch.tensor(data.draw(matrices(objective.shape, 1.0))).unsqueeze(0)
    step = 1e-5
    difference = (objective.loss(W + step * U) - objective.loss(W - step * U)).item() / (2 * step)
    slope = (objective.gradient(W) * U).sum().item()
    # Either side is within L step^2 |U|^2 / 2 of its tangent, whatever the third derivative is.
    curvature = objective.smoothness.value * step * U.square().sum().item() / 2
    assert abs(difference - slope) <= curvature + 2 * loss_rounding(objective, W) / step


@given(st.data(), objectives())
def test_gradient_is_the_mean_of_the_samples_gradients(data: DataObject, objective: Objective) -> None:
    W = data.draw(weights(objective.shape))
    each = objective.sample_gradients(W)
    assert each.shape == (len(W), objective.samples, *objective.shape)
    assert_close(objective.gradient(W), each.mean(1), gradient_rounding(objective, W))


@given(st.data(), objectives())
def test_sample_gradients_are_those_of_problems_with_one_sample(data: DataObject, objective: Any) -> None:
    W = data.draw(weights(objective.shape))
    for i in range(objective.samples):
        if isinstance(objective, PseudoHuber):
            alone = PseudoHuber(objective._targets[i : i + 1].numpy(), objective.delta).gradient(W)
        else:
            logits = W @ objective._X[i]
            wanted = torch.nn.functional.one_hot(objective._labels[i], objective.shape[0])
            alone = (logits.softmax(-1) - wanted).unsqueeze(-1) * objective._X[i]
        each = objective.sample_gradients(W)[:, i]
        assert_close(each, alone, objective.samples * gradient_rounding(objective, W))


@given(st.data(), objectives(), st.integers(1, 12))
def test_batch_gradient_is_the_mean_over_its_indices(data: DataObject, objective: Objective, batch: int) -> None:
    W = data.draw(weights(objective.shape))
    index = st.integers(0, objective.samples - 1)
    chosen = data.draw(
        st.lists(st.lists(index, min_size=batch, max_size=batch), min_size=len(W), max_size=len(W)), label="indices"
    )
    each = objective.sample_gradients(W)
    expected = torch.stack([torch.stack([each[j, i] for i in row]).mean(0) for j, row in enumerate(chosen)])
    # A sample's gradient may be n times as large as G, which bounds their mean.
    allowed = objective.samples * batch * gradient_rounding(objective, W)
    assert_close(objective.batch_gradient(W, torch.tensor(chosen)), expected, allowed)


@given(st.data(), objectives())
def test_second_moments_are_means_of_products(data: DataObject, objective: Objective) -> None:
    W = data.draw(weights(objective.shape))
    each = objective.sample_gradients(W)
    rows, columns = objective.second_moments(W)
    size = each.square().sum((-2, -1)).mean(1).max().item()
    # Relative to the mean of the squares; a softmax probability has an error of its own.
    allowed = operations(objective) * EPSILON * size + 2 * size**0.5 * gradient_rounding(objective, W)
    assert_close(rows, torch.einsum("rnij,rnlj->ril", each, each) / objective.samples, allowed)
    assert_close(columns, torch.einsum("rnji,rnjl->ril", each, each) / objective.samples, allowed)


@given(st.data(), objectives())
def test_replicas_do_not_mix(data: DataObject, objective: Objective) -> None:
    W = data.draw(weights(objective.shape, replicas=4))
    indices = torch.arange(8).reshape(4, 2) % objective.samples
    allowed = gradient_rounding(objective, W)
    for i in range(4):
        one, chosen = W[i : i + 1], indices[i : i + 1]
        assert_close(objective.loss(W)[i : i + 1], objective.loss(one), loss_rounding(objective, W))
        assert_close(objective.gradient(W)[i : i + 1], objective.gradient(one), allowed)
        batched = objective.batch_gradient(W, indices)[i : i + 1]
        assert_close(batched, objective.batch_gradient(one, chosen), objective.samples * allowed)
        size = objective.sample_gradients(one).square().sum((-2, -1)).mean().item()
        for all_of_them, alone in zip(objective.second_moments(W), objective.second_moments(one), strict=True):
            assert_close(all_of_them[i : i + 1], alone, operations(objective) * EPSILON * size + allowed * size**0.5)


def test_a_gradient_is_finite_at_logits_of_any_size() -> None:
    objective = SoftmaxRegression("large", np.array([[1e3, -1e3], [1e3, 1e3]]), np.array([0, 1]))
    W = 1e3 * torch.ones(1, 2, 2, dtype=torch.float64) * torch.tensor([[1.0], [-1.0]])
    assert objective.loss(W).isfinite().all()
    assert objective.gradient(W).isfinite().all()


def test_pseudo_huber_loss_keeps_its_digits_near_the_target() -> None:
    # (1/2) x^2 to all digits, where delta^2 (sqrt(1 + x^2) - 1) would give zero.
    objective = PseudoHuber(np.zeros((1, 1, 1)), 1.0)
    assert objective.loss(torch.full((1, 1, 1), 1e-9, dtype=torch.float64)).item() == pytest.approx(5e-19, rel=1e-15)


def test_digits_are_centred_and_whole() -> None:
    objective = digits()
    assert (objective.shape, objective.samples, objective.units) == ((10, 64), 1797, "nats")
    assert objective._X.mean(0).abs().max() < 1797 * EPSILON
    assert objective._labels.bincount().tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    at_zero = objective.loss(torch.zeros(1, 10, 64, dtype=torch.float64)).item()
    assert at_zero == pytest.approx(np.log(10), rel=1797 * EPSILON)


def test_synthetic_targets_come_from_the_seed() -> None:
    one, same, other = (synthetic(3, 4, 5, 1.0, 1.0, 0.1, seed)._targets for seed in (0, 0, 1))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert one.shape == (5, 3, 4)
    assert torch.equal(synthetic(3, 4, 5, 1.0, 1.0, 0.0, 0)._targets.std(0), torch.zeros(3, 4, dtype=torch.float64))
