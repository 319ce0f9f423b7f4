"""Losses, gradients, moments and constants of the objectives against naive twins, and what is
refused of their data."""

import math
from fractions import Fraction

import hypothesis.strategies as st
import mpmath as mp
import numpy as np
import pytest
import torch
from hypothesis import given, target

from boundcheck.functions.objective import Setting, table_of
from boundcheck.functions.objectives.clipped import Clipped
from boundcheck.functions.objectives.linear import (
    LeastSquares,
    ReadoutNetwork,
    SoftmaxRegression,
)
from boundcheck.functions.objectives.pseudo_huber import PseudoHuber, synthetic
from boundcheck.functions.piecewise import PiecewiseLinear
from boundcheck.properties import pseudo_huber_problems, softmax_problems
from tests.functions.twins import (
    EPSILON,
    KINDS,
    clipped_problems,
    distance,
    each_kind,
    exactly,
    gradient_rounding,
    least_squares_problems,
    loss_rounding,
    networks,
    operations,
    some_examples,
    top_eigenvalue,
    weights,
)


def built(bias=False, **table):
    return table_of(table).build(Setting(bias=bias))


def assert_close(got, expected, allowed):
    assert got.shape == expected.shape
    assert got.dtype == torch.float64
    assert (got - expected).abs().max().item() <= allowed


@each_kind
@some_examples
@given(st.data())
def test_everything_is_the_formula_to_within_its_rounding(kind, data):
    objective = data.draw(KINDS[kind])
    W = data.draw(weights(objective.shape))
    loss = objective.loss(W)
    gradient = objective.gradient(W)
    each = objective.sample_gradients(W)
    errors = objective.rounding(W, loss)
    assert errors[0].shape == errors[1].shape == loss.shape == (len(W),)
    # The constants in front of the unit roundoff are some hundreds; underflow apart.
    for error, roundings in zip(errors, (loss_rounding, gradient_rounding), strict=True):
        assert error.max().item() <= 100 * (roundings(objective, W) + EPSILON)
    steepest = gradient.flatten(1).norm(dim=1).max().item()
    assert steepest <= objective.gradient_bound.value + gradient_rounding(objective, W)
    assert loss.min().item() >= objective.infimum.value - loss_rounding(objective, W)
    for i, w in enumerate(W):
        exact = exactly(objective, w)
        assert abs(loss[i].item() - exact.loss) <= errors[0][i].item()
        assert distance(gradient[i], exact.gradient) <= errors[1][i].item()
        # A sample's gradient may be n times as large as the mean of them.
        allowed = objective.samples * gradient_rounding(objective, W)
        assert all(
            distance(got, wanted) <= allowed
            for got, wanted in zip(each[i], exact.samples, strict=True)
        )


def of_features(kind, X, W, random):
    """An objective of W x, which is about 1; of least squares the targets are the computed W x."""
    labels = np.arange(len(X)) % len(W)
    if kind == "least squares":
        return LeastSquares(X, X @ W.T)
    if kind == "softmax":
        return SoftmaxRegression(kind, X, labels)
    if kind == "clipped":
        return Clipped(
            PiecewiseLinear.clipped(1, 3), [0], direction=random.standard_normal((3, 4)) @ X
        )
    readout = random.standard_normal((4, len(W)))
    return ReadoutNetwork(
        kind, X, labels, readout, "tanh" if kind == "tanh network" else "identity"
    )


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("size", [1.0, 1e4, 1e8])
@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if kind not in ("pseudo-Huber", "separable", "tilted")]
)
def test_rounding_is_covered_where_outputs_cancel(kind, size, seed):
    """Rows of W are large, but orthogonal to all of the data but for 1: outputs keep the rounding
    errors of size."""
    random = np.random.default_rng(seed)
    X = random.standard_normal((4, 6))
    null_space = np.linalg.svd(X)[2][4:]
    W = random.standard_normal((3, 6)) + size * random.standard_normal((3, 2)) @ null_space
    objective = of_features(kind, X, W, random)
    weight = torch.tensor(W).unsqueeze(0)
    loss = objective.loss(weight)
    exact = exactly(objective, weight[0])
    errors = objective.rounding(weight, loss)
    assert abs(loss.item() - exact.loss) <= errors[0].item()
    assert distance(objective.gradient(weight)[0], exact.gradient) <= errors[1].item()


@each_kind
@some_examples
@given(st.data())
def test_derivatives_of_the_gradient_are_those_of_autograd(kind, data):
    objective = data.draw(KINDS[kind])
    W, direction = (data.draw(weights(objective.shape, replicas=2)) for _ in range(2))
    (gradient,) = torch.autograd.grad(
        objective.loss(W.requires_grad_()).sum(), W, create_graph=True
    )
    expected = torch.zeros_like(W)
    if gradient.requires_grad:
        (expected,) = torch.autograd.grad((gradient * direction).sum(), W, materialize_grads=True)
    W = W.detach()
    forward = torch.func.jvp(objective.gradient, (W,), (direction,))[1]
    # A second derivative changes with W as fast as it likes, in units of L over the size of the
    # data.
    size = (1 + W.norm().item()) * direction.norm().item() * objective.smoothness.value
    allowed = 1000 * operations(objective) * EPSILON * (1 + objective.smoothness.value) * size
    assert_close(forward, expected, allowed)
    assert_close(torch.func.vjp(objective.gradient, W)[1](direction)[0], expected, allowed)


def test_losses_keep_their_digits_where_they_are_small():
    # x^2/2 to all digits, where delta^2 (sqrt(1 + x^2) - 1) would give zero.
    W = torch.ones(1, 1, 1, dtype=torch.float64)
    assert PseudoHuber(np.zeros((1, 1, 1)), 1.0).loss(1e-9 * W).item() == pytest.approx(
        5e-19, rel=1e-15
    )


@pytest.mark.parametrize("size", [1e3, 1e6])
@pytest.mark.parametrize("activation", ["identity", "tanh"])
def test_losses_are_finite_at_outputs_of_any_size(activation, size):
    X = np.array([[1e3, -1e3], [1e3, 1e3]])
    labels = np.array([0, 1])
    W = size * torch.ones(1, 2, 2, dtype=torch.float64) * torch.tensor([[1.0], [-1.0]])
    for objective in (
        ReadoutNetwork("large", X, labels, np.eye(2), activation),
        SoftmaxRegression("large", X, labels),
    ):
        weight = W[:, : objective.shape[0]].repeat(1, 2, 1)[:, : objective.shape[0]]
        for result in (
            objective.loss(weight),
            objective.gradient(weight),
            *objective.survey(weight, ((None, None),)),
        ):
            assert result.isfinite().all()


@pytest.mark.parametrize("size", [1e155, 1e160, 1e200, 1e308])
@pytest.mark.parametrize("delta", [1e-3, 1.0, 1e3])
def test_a_pseudo_huber_loss_whose_squares_overflow_is_no_number_and_no_minimum(size, delta):
    objective = PseudoHuber(np.zeros((2, 2, 2)), delta)
    W = torch.full((1, 2, 2), size, dtype=torch.float64)

    def told():
        survey = objective.survey(W, ((None, None),))
        batch = objective.batch_gradient(W, torch.tensor([[0, 1]]))
        return [objective.loss(W), objective.gradient(W), batch, survey.loss, survey.gradient]

    # Compiled loops, where there are any, are for inference.
    with torch.inference_mode():
        found = told()
    assert not any(torch.isfinite(x).any() for x in (*found, *told()))


def test_synthetic_data_come_from_the_seed():
    one, same, other = (synthetic(3, 4, 5, 1.0, 1.0, 0.1, seed)._targets for seed in (0, 0, 1))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert torch.equal(
        synthetic(3, 4, 5, 1.0, 1.0, 0.0, 0)._targets.std(0), torch.zeros(3, 4, dtype=torch.float64)
    )
    table = {"kind": "least-squares", "d": 3, "k": 4, "samples": 5}
    made, again, another = (built(**table, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(made._targets, again._targets)
    assert torch.equal(made._X, again._X)
    assert not torch.equal(made._targets, another._targets)
    # Almost without noise there is an M that fits all of them; with it, they have variance 1 +
    # noise^2.
    exact = built(**table | {"samples": 50, "noise": 1e-16})
    fit = np.linalg.lstsq(exact._X.numpy(), exact._targets.numpy(), rcond=None)[0]
    assert exact.loss(torch.tensor(fit.T).unsqueeze(0)).item() < 1e-28
    noisy = built(**table | {"d": 200, "k": 100, "samples": 200, "noise": 2.0})._targets
    assert noisy.var().item() == pytest.approx(5, rel=0.05)


def hessian(objective, W):
    """At one W, shape (1, d, k), as a matrix of dk rows."""
    size = W.numel()
    return torch.func.jacfwd(objective.gradient)(W).reshape(size, size)


@each_kind
@some_examples
@given(st.data())
def test_hessian_is_no_larger_than_the_smoothness(kind, data):
    objective = data.draw(KINDS[kind])
    H = hessian(objective, data.draw(weights(objective.shape, replicas=1)))
    largest = torch.linalg.eigvalsh(H).abs().max().item()
    L = objective.smoothness.value
    if L > 0:
        target(largest / L)
    allowed = 100 * len(H) * EPSILON * L
    assert (H - H.T).abs().max().item() <= allowed
    assert largest <= L + allowed


def certified(bound, value):
    """Whether the bound is at least the value, which is known to some 50 digits, and no more than
    1e-9 above it."""
    with mp.workdps(60):
        near = mp.mpf(10) ** -40
        return (
            value * (1 - near)
            <= mp.mpf(bound)
            <= value * (1 + mp.mpf(10) ** -9) + mp.mpf(2) ** -1070
        )


def mean_norm(X):
    return mp.fsum(mp.sqrt(mp.fsum(mp.mpf(x) ** 2 for x in row)) for row in X.tolist()) / len(X)


@some_examples
@given(st.one_of(softmax_problems(), least_squares_problems()))
def test_constants_of_linear_models_are_those_of_their_data(objective):
    X = objective._X.numpy()
    with mp.workdps(60):
        bend, square = {
            SoftmaxRegression: (2, 2),
            LeastSquares: (1, 0),
        }[type(objective)]
        assert certified(objective.smoothness.value, top_eigenvalue(X) / (bend * len(X)))
        if square:
            assert certified(objective.gradient_bound.value, mp.sqrt(square) * mean_norm(X))
        else:
            assert objective.gradient_bound.value == math.inf


def network_constants(objective, eigenvalue):
    """L and G from their formulas, given the largest eigenvalue of X^T X."""
    U = objective._readout.numpy()
    square = top_eigenvalue(U.T if len(U) < U.shape[1] else U)
    curvature = square / 2
    if objective.activation == "tanh":
        gaps = [
            abs(mp.mpf(x) - mp.mpf(y)) for column in U.T.tolist() for x in column for y in column
        ]
        # The largest |tanh''|, where tanh is 1/sqrt(3).
        curvature += abs(mp.diff(mp.tanh, mp.atanh(1 / mp.sqrt(3)), 2)) * max(gaps)
    return curvature * eigenvalue / objective.samples, mp.sqrt(2 * square) * mean_norm(
        objective._X.numpy()
    )


@some_examples
@given(st.one_of(networks("tanh"), networks("identity")))
def test_network_constants_are_those_of_its_data_and_readout(objective):
    # Of a numerical second derivative 20 digits are right.
    with mp.workdps(60):
        L, G = network_constants(objective, top_eigenvalue(objective._X.numpy()))
        assert certified(objective.smoothness.value, L * (1 - mp.mpf(10) ** -20))
        assert certified(objective.gradient_bound.value, G)


@given(clipped_problems())
def test_clipped_constants_are_those_of_the_slope_along_the_direction(objective):
    square = sum(Fraction(x) ** 2 for x in objective.direction.flat)
    exact = objective.slope.lipschitz * square
    assert exact <= Fraction(objective.smoothness.value) <= exact * (1 + Fraction(2 * EPSILON))
    # A gradient bound of zero is exact; the root of others is rounded up.
    bound = objective.slope.bound**2 * square
    assert (
        is_rounded_up(objective.gradient_bound.value, bound)
        or bound == objective.gradient_bound.value == 0
    )
    least = objective.slope.minimum
    assert 0 <= least - Fraction(objective.infimum.value) <= 2 * Fraction(EPSILON) * abs(least)


def test_pseudo_huber_constants_are_attained():
    objective = PseudoHuber(np.zeros((1, 2, 3)), 0.5)
    near = torch.full((1, 2, 3), 1e-6, dtype=torch.float64)
    far = torch.full((1, 2, 3), 1e6, dtype=torch.float64)
    assert (
        objective.gradient(near).norm().item()
        >= 0.999 * objective.smoothness.value * near.norm().item()
    )
    assert objective.gradient(far).norm().item() >= 0.999 * objective.gradient_bound.value
    assert objective.loss(0 * near).item() == objective.infimum.value


def is_rounded_up(bound, square):
    """Whether the bound is at least the root of `square`, in exact arithmetic, and by a few ulps at
    most."""
    return Fraction(bound * (1 - 4 * EPSILON)) ** 2 < square <= Fraction(bound) ** 2


@given(pseudo_huber_problems())
def test_pseudo_huber_gradient_bound_is_rounded_up(objective):
    d, k = objective.shape
    assert is_rounded_up(objective.gradient_bound.value, Fraction(objective.delta) ** 2 * d * k)
