"""Losses, gradients and moments of the objectives, against naive twins: 50 digits, autograd, differences, loops."""

from fractions import Fraction

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis.strategies import DataObject

from boundcheck.functions.objective import Objective
from boundcheck.functions.objectives.clipped import Clipped
from boundcheck.functions.objectives.linear import (
    LeastSquares,
    LogisticRegression,
    ReadoutNetwork,
    SoftmaxRegression,
    synthetic_regression,
)
from boundcheck.functions.objectives.pseudo_huber import PseudoHuber, synthetic
from boundcheck.functions.piecewise import PiecewiseLinear
from boundcheck.properties import weights
from tests.functions.exactly import distance, exactly
from tests.functions.kinds import KINDS, each_kind, networks, some_examples
from tests.functions.rounding import EPSILON, gradient_rounding, loss_rounding, operations
from tests.layers import sampled


def assert_close(got: torch.Tensor, expected: torch.Tensor, allowed: float) -> None:
    assert got.shape == expected.shape
    assert got.dtype == torch.float64
    assert (got - expected).abs().max().item() <= allowed


@given(st.data(), st.one_of(networks("tanh"), networks("identity")))
def test_network_loss_is_the_cross_entropy_of_its_logits(data: DataObject, objective: ReadoutNetwork) -> None:
    W = data.draw(weights(objective.shape))
    labels = objective._targets.argmax(-1)
    activation = {"tanh": torch.nn.Tanh(), "identity": torch.nn.Identity()}[objective.activation]
    logits = torch.stack([activation(objective._X @ w.T) @ objective._readout.T for w in W])
    assert_close(objective.logits(W), logits, 8 * operations(objective) * EPSILON * (1 + logits.abs().max().item()))
    expected = torch.stack([torch.nn.functional.cross_entropy(one, labels) for one in logits])
    assert_close(objective.loss(W), expected, 4 * loss_rounding(objective, W))


@each_kind
@some_examples
@given(st.data())
def test_everything_is_the_formula_to_within_its_rounding(kind: str, data: DataObject) -> None:
    objective = data.draw(KINDS[kind])
    W = data.draw(weights(objective.shape))
    loss, gradient, each = objective.loss(W), objective.gradient(W), objective.sample_gradients(W)
    errors = objective.rounding(W, loss)
    assert errors[0].shape == errors[1].shape == loss.shape == (len(W),)
    for i, w in enumerate(W):
        exact = exactly(objective, w)
        assert abs(loss[i].item() - exact.loss) <= errors[0][i].item()
        assert distance(gradient[i], exact.gradient) <= errors[1][i].item()
        # A sample's gradient may be n times as large as the mean of them.
        allowed = objective.samples * gradient_rounding(objective, W)
        assert all(distance(got, wanted) <= allowed for got, wanted in zip(each[i], exact.samples, strict=True))


def of_features(kind: str, X: np.ndarray, W: np.ndarray, random: np.random.Generator) -> Objective:
    """An objective of W x, which is about 1; of least squares the targets are the computed W x."""
    labels = np.arange(len(X)) % len(W)
    if kind == "least squares":
        return LeastSquares(X, X @ W.T)
    if kind == "softmax":
        return SoftmaxRegression(kind, X, labels)
    if kind == "logistic":
        return LogisticRegression(kind, X, labels)
    if kind == "clipped":
        return Clipped(PiecewiseLinear.clipped(1, 3), [0], direction=random.standard_normal((3, 4)) @ X)
    readout = random.standard_normal((4, len(W)))
    return ReadoutNetwork(kind, X, labels, readout, "tanh" if kind == "tanh network" else "identity")


@sampled(5)
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("size", [1.0, 1e4, 1e8])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "pseudo-Huber"])
def test_rounding_is_covered_where_outputs_cancel(kind: str, size: float, seed: int) -> None:
    """Rows of W are large, but orthogonal to all of the data but for 1: outputs keep the rounding errors of size."""
    random = np.random.default_rng(seed)
    X = random.standard_normal((4, 6))
    null_space = np.linalg.svd(X)[2][4:]
    W = random.standard_normal((3, 6)) + size * random.standard_normal((3, 2)) @ null_space
    objective, weight = of_features(kind, X, W, random), torch.tensor(W).unsqueeze(0)
    loss, exact = objective.loss(weight), exactly(objective, weight[0])
    errors = objective.rounding(weight, loss)
    assert abs(loss.item() - exact.loss) <= errors[0].item()
    assert distance(objective.gradient(weight)[0], exact.gradient) <= errors[1].item()


@each_kind
@some_examples
@given(st.data())
def test_errors_of_rounding_are_small(kind: str, data: DataObject) -> None:
    objective = data.draw(KINDS[kind])
    W = data.draw(weights(objective.shape))
    loss_error, gradient_error = objective.rounding(W, objective.loss(W))
    # The constants in front of the unit roundoff are some hundreds; underflow apart.
    for error, roundings in ((loss_error, loss_rounding), (gradient_error, gradient_rounding)):
        assert error.max().item() <= 100 * (roundings(objective, W) + EPSILON)


@sampled(3, 0)
@each_kind
@some_examples
@given(st.data())
def test_derivatives_of_the_gradient_are_those_of_autograd(kind: str, data: DataObject) -> None:
    objective = data.draw(KINDS[kind])
    W, direction = (data.draw(weights(objective.shape, replicas=2)) for _ in range(2))
    (gradient,) = torch.autograd.grad(objective.loss(W.requires_grad_()).sum(), W, create_graph=True)
    expected = torch.zeros_like(W)
    if gradient.requires_grad:
        (expected,) = torch.autograd.grad((gradient * direction).sum(), W, materialize_grads=True)
    W = W.detach()
    forward = torch.func.jvp(objective.gradient, (W,), (direction,))[1]
    # A second derivative changes with W as fast as it likes, in units of L over the size of the data.
    size = (1 + W.norm().item()) * direction.norm().item() * objective.smoothness.value
    allowed = 1000 * operations(objective) * EPSILON * (1 + objective.smoothness.value) * size
    assert_close(forward, expected, allowed)
    assert_close(torch.func.vjp(objective.gradient, W)[1](direction)[0], expected, allowed)


@sampled(3, 2)
@each_kind
@some_examples
@given(st.data())
def test_derivatives_are_mapped_over_directions_and_points(kind: str, data: DataObject) -> None:
    objective = data.draw(KINDS[kind])
    W, directions = data.draw(weights(objective.shape, replicas=1)), data.draw(weights(objective.shape, replicas=3))

    def product(direction: torch.Tensor) -> torch.Tensor:
        return torch.func.jvp(objective.gradient, (W,), (direction,))[1]

    mapped = torch.vmap(product)(directions.unsqueeze(1))
    allowed = 100 * operations(objective) * EPSILON * objective.smoothness.value * directions.norm().item()
    assert_close(mapped, torch.stack([product(direction.unsqueeze(0)) for direction in directions]), allowed)
    gradients = torch.vmap(objective.gradient)(directions.unsqueeze(1)).squeeze(1)
    assert_close(gradients, objective.gradient(directions), gradient_rounding(objective, directions))


@each_kind
@some_examples
@given(st.data())
def test_a_survey_is_what_the_other_methods_say(kind: str, data: DataObject) -> None:
    objective = data.draw(KINDS[kind])
    W = data.draw(weights(objective.shape))
    each = objective.sample_gradients(W)
    survey = objective.survey(W, ((None, None),))
    assert_close(survey.loss, objective.loss(W), loss_rounding(objective, W))
    assert_close(survey.gradient, objective.gradient(W), gradient_rounding(objective, W))
    squares = each.square().sum((-2, -1)).mean(1)
    size = squares.max().item()
    # Relative to the squares; a softmax probability has an error of its own.
    allowed = operations(objective) * EPSILON * size + 2 * size**0.5 * gradient_rounding(objective, W)
    assert_close(survey.in_v, squares, allowed)
    assert_close(survey.in_w, squares, allowed)


def test_logistic_loss_keeps_its_digits_where_the_data_are_fit() -> None:
    # e^-50 to all digits, where log(1 + e^-50) would give zero.
    objective = LogisticRegression("fit", np.array([[1.0]]), np.array([1]))
    W = torch.full((1, 1, 1), 50.0, dtype=torch.float64)
    assert objective.loss(W).item() == pytest.approx(np.exp(-50), rel=4 * EPSILON)
    assert objective.gradient(W).item() == pytest.approx(-np.exp(-50), rel=4 * EPSILON)


@pytest.mark.parametrize("size", [1e3, 1e6])
@pytest.mark.parametrize("activation", ["identity", "tanh"])
def test_losses_are_finite_at_outputs_of_any_size(activation: str, size: float) -> None:
    X, labels = np.array([[1e3, -1e3], [1e3, 1e3]]), np.array([0, 1])
    W = size * torch.ones(1, 2, 2, dtype=torch.float64) * torch.tensor([[1.0], [-1.0]])
    for objective in (
        ReadoutNetwork("large", X, labels, np.eye(2), activation),
        SoftmaxRegression("large", X, labels),
        LogisticRegression("large", X, labels),
        LogisticRegression("large", X, labels + 1),
    ):
        weight = W[:, : objective.shape[0]].repeat(1, 2, 1)[:, : objective.shape[0]]
        for result in (objective.loss(weight), objective.gradient(weight), *objective.survey(weight, ((None, None),))):
            assert result.isfinite().all()


@pytest.mark.parametrize(("classes", "rows"), [(1, 1), (2, 1), (3, 3), (5, 5)])
def test_logistic_regression_has_a_row_for_each_class_but_one_for_two(classes: int, rows: int) -> None:
    labels = np.arange(classes)
    objective = LogisticRegression("rows", np.eye(classes), labels)
    assert objective.shape == (rows, classes)
    # A confident W that is right: each row says yes to its class and no to others.
    right = torch.tensor(np.where(labels[None] == (labels if rows > 1 else np.array([1]))[:, None], 20.0, -20.0))
    assert objective.loss(right.unsqueeze(0)).item() < 1e-6
    assert objective.loss(-right.unsqueeze(0)).item() == pytest.approx(20 * rows, rel=1e-6)


def test_least_squares_solution_has_no_gradient() -> None:
    objective = synthetic_regression(3, 4, 50, 0.5, 0)
    X, Y = objective._X.numpy(), objective._targets.numpy()
    best = torch.tensor(np.linalg.lstsq(X, Y, rcond=None)[0].T).unsqueeze(0)
    assert objective.gradient(best).norm().item() <= 1e-12
    assert objective.loss(best).item() == pytest.approx(((X @ best[0].T.numpy() - Y) ** 2).sum() / 100, rel=1e-12)


def test_least_squares_is_exact_in_small_integers() -> None:
    objective = LeastSquares(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0], [0.0]]))
    W = torch.tensor([[[2.0, -1.0]]], dtype=torch.float64)
    # The residuals are -1 and 2.
    assert Fraction(objective.loss(W).item()) == Fraction(5, 4)
    assert objective.gradient(W).tolist() == [[[2.5, 3.0]]]


@pytest.mark.parametrize("size", [1e155, 1e160, 1e200, 1e308])
@pytest.mark.parametrize("delta", [1e-3, 1.0, 1e3])
def test_a_pseudo_huber_loss_whose_squares_overflow_is_no_number_and_no_minimum(size: float, delta: float) -> None:
    objective, W = PseudoHuber(np.zeros((2, 2, 2)), delta), torch.full((1, 2, 2), size, dtype=torch.float64)

    def told() -> list[torch.Tensor]:
        survey, batch = objective.survey(W, ((None, None),)), objective.batch_gradient(W, torch.tensor([[0, 1]]))
        return [objective.loss(W), objective.gradient(W), batch, survey.loss, survey.gradient]

    # Compiled loops, where there are any, are for inference.
    with torch.inference_mode():
        found = told()
    assert not any(torch.isfinite(x).any() for x in (*found, *told()))


def test_pseudo_huber_loss_keeps_its_digits_near_the_target() -> None:
    # (1/2) x^2 to all digits, where delta^2 (sqrt(1 + x^2) - 1) would give zero.
    objective = PseudoHuber(np.zeros((1, 1, 1)), 1.0)
    assert objective.loss(torch.full((1, 1, 1), 1e-9, dtype=torch.float64)).item() == pytest.approx(5e-19, rel=1e-15)


def test_synthetic_targets_come_from_the_seed() -> None:
    one, same, other = (synthetic(3, 4, 5, 1.0, 1.0, 0.1, seed)._targets for seed in (0, 0, 1))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert one.shape == (5, 3, 4)
    assert torch.equal(synthetic(3, 4, 5, 1.0, 1.0, 0.0, 0)._targets.std(0), torch.zeros(3, 4, dtype=torch.float64))


def test_synthetic_regressions_come_from_the_seed() -> None:
    one, same, other = (synthetic_regression(3, 4, 5, 0.1, seed) for seed in (0, 0, 1))
    assert torch.equal(one._targets, same._targets)
    assert torch.equal(one._X, same._X)
    assert not torch.equal(one._targets, other._targets)
    assert (one.shape, one.samples, one._X.shape) == ((3, 4), 5, (5, 4))
    # Without noise there is an M that fits all of them; with it, they have variance 1 + noise^2.
    exact = synthetic_regression(2, 3, 50, 0.0, 0)
    fit = np.linalg.lstsq(exact._X.numpy(), exact._targets.numpy(), rcond=None)[0]
    assert exact.loss(torch.tensor(fit.T).unsqueeze(0)).item() < 1e-28
    noisy = synthetic_regression(200, 100, 200, 2.0, 0)._targets
    assert noisy.var().item() == pytest.approx(5, rel=0.05)
