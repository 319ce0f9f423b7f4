"""The adapter and F(v) = f(W(v)): pull-backs against autograd, variances against enumeration, norms against SVD."""

import math

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis.strategies import DataObject

from boundcheck.problems.adapter import LoRA, Point
from boundcheck.problems.problem import Problem, inner, spectral_norm, square_norm
from tests.problems.rounding import EPSILON, operations, pulled_back_rounding
from tests.strategies import SCALES, SIZES, matrices, points, problems, shapes


def draw_points(data: DataObject, problem: Problem, replicas: int = 3) -> Point:
    return data.draw(points(problem.objective.shape, problem.adapter.rank, (2.0, 0.5), replicas))


def variance_rounding(problem: Problem, v: Point) -> float:
    """Rounding error of a mean square, and of the square of the mean."""
    n = problem.objective.samples
    size = problem.adapter.scale**2 * square_norm(v).max().item() * (n * problem.objective.gradient_bound.value) ** 2
    return operations(problem.objective) * EPSILON * size + 2 * size**0.5 * n * pulled_back_rounding(problem, v)


@given(st.data(), problems())
def test_weight_is_the_scaled_product(data: DataObject, problem: Problem) -> None:
    A, B = v = draw_points(data, problem)
    W0, scale = problem.adapter.W0.numpy(), problem.adapter.scale
    expected = np.stack([W0 + scale * b @ a for a, b in zip(A.numpy(), B.numpy(), strict=True)])
    size = np.abs(W0).max() + scale * square_norm(v).max().item()
    np.testing.assert_allclose(problem.adapter.weight(v).numpy(), expected, rtol=0, atol=16 * EPSILON * size)


@given(st.data(), problems())
def test_gradient_is_that_of_autograd(data: DataObject, problem: Problem) -> None:
    A, B = draw_points(data, problem)
    v = (A.requires_grad_(), B.requires_grad_())
    expected = torch.autograd.grad(problem.loss(v).sum(), v)
    v = (A.detach(), B.detach())
    allowed = pulled_back_rounding(problem, v)
    by_hand = problem.adapter.pull_back(v, problem.weight_gradient(v))
    for got, again, wanted in zip(problem.gradient(v), by_hand, expected, strict=True):
        assert torch.equal(got, again)
        assert got.shape == wanted.shape
        assert (got - wanted).abs().max().item() <= allowed


@given(st.data(), problems())
def test_pull_back_is_the_adjoint_of_the_derivative(data: DataObject, problem: Problem) -> None:
    v, direction = draw_points(data, problem, 1), draw_points(data, problem, 1)
    G = torch.tensor(data.draw(matrices(problem.objective.shape, 1.0))).unsqueeze(0)
    (A, B), (dA, dB) = v, direction
    moved = problem.adapter.scale * (dB @ A + B @ dA)
    size = problem.adapter.scale * (square_norm(v) * square_norm(direction)).sqrt().item()
    difference = (G * moved).sum() - inner(problem.adapter.pull_back(v, G), direction)
    assert abs(difference.item()) <= operations(problem.objective) * EPSILON * size * G.norm().item()


@given(st.data(), problems())
def test_variance_is_that_of_the_enumerated_samples(data: DataObject, problem: Problem) -> None:
    v = draw_points(data, problem)
    n = problem.objective.samples
    each = [problem.batch_gradient(v, torch.full((3, 1), i)) for i in range(n)]
    mean_square = torch.stack([square_norm(g) for g in each]).mean(0)
    allowed = variance_rounding(problem, v)
    moments = problem.objective.second_moments(problem.adapter.weight(v))
    got = problem.adapter.mean_square_pull_back(v, moments)
    assert got.shape == (3,)
    assert (got - mean_square).abs().max().item() <= allowed
    mean = problem.gradient(v)
    central = torch.stack([square_norm((g[0] - mean[0], g[1] - mean[1])) for g in each]).mean(0)
    assert (problem.sample_variance(v) - central).abs().max().item() <= 2 * allowed


@given(st.data(), problems())
def test_noise_in_v_is_at_most_the_jacobian_times_that_in_w(data: DataObject, problem: Problem) -> None:
    v = draw_points(data, problem)
    W = problem.adapter.weight(v)
    each = problem.objective.sample_gradients(W)
    in_w = (each - problem.objective.gradient(W).unsqueeze(1)).square().sum((-2, -1)).mean(1)
    most = problem.adapter.jacobian_bound(2.0, 0.5) ** 2 * in_w
    assert (problem.sample_variance(v) <= most + 4 * variance_rounding(problem, v)).all()


@given(st.data(), problems())
def test_gradient_is_at_most_the_jacobian_times_that_in_w(data: DataObject, problem: Problem) -> None:
    v = draw_points(data, problem)
    most = problem.adapter.jacobian_bound(2.0, 0.5) * problem.weight_gradient(v).flatten(1).norm(dim=1)
    assert (square_norm(problem.gradient(v)).sqrt() <= most + pulled_back_rounding(problem, v)).all()


@given(st.data(), problems())
def test_balanced_rescaling_of_the_factors_leaves_the_loss(data: DataObject, problem: Problem) -> None:
    A, B = draw_points(data, problem, 1)
    # F is constant along (t A, B / t), so it is not coercive. Powers of two change no digit.
    assert torch.equal(problem.loss((2.0**40 * A, 2.0**-40 * B)), problem.loss((A, B)))


@given(SIZES, SIZES, SCALES)
def test_jacobian_bound_is_attained_in_one_dimension(a: float, b: float, scale: float) -> None:
    adapter = LoRA(torch.zeros(1, 1, dtype=torch.float64), 1, scale)
    v = (torch.full((1, 1, 1), a, dtype=torch.float64), torch.full((1, 1, 1), b, dtype=torch.float64))
    gradient = adapter.pull_back(v, torch.ones(1, 1, 1, dtype=torch.float64))
    assert adapter.jacobian_bound(a, b) == pytest.approx(square_norm(gradient).sqrt().item(), rel=8 * EPSILON)
    assert adapter.jacobian_bound(a, b) == pytest.approx(scale * math.sqrt(a**2 + b**2), rel=8 * EPSILON)


def test_initial_point_is_that_of_lora() -> None:
    adapter = LoRA(torch.zeros(30, 400, dtype=torch.float64), 20)
    A, B = adapter.initial(2.0, torch.Generator().manual_seed(0))
    again, _ = adapter.initial(2.0, torch.Generator().manual_seed(0))
    assert torch.equal(A, again)
    assert (A.shape, B.shape) == ((1, 20, 400), (1, 30, 20))
    assert not B.any()
    # 8000 entries N(0, 4/400): mean and variance within five standard errors.
    assert abs(A.mean().item()) < 5 * 0.1 / math.sqrt(8000)
    assert abs(A.var().item() / 0.01 - 1) < 5 * math.sqrt(2 / 8000)


@given(st.lists(matrices((3, 5)), min_size=1, max_size=4), st.lists(matrices((4, 3)), min_size=4, max_size=4))
def test_norm_and_inner_product_are_those_of_the_concatenation(A: list[np.ndarray], B: list[np.ndarray]) -> None:
    v = (torch.tensor(np.stack(A)), torch.tensor(np.stack(B[: len(A)])))
    u = (v[0].flip(0), v[1].flip(0))
    flat_v, flat_u = (torch.cat([part.flatten(1) for part in point], 1) for point in (v, u))
    torch.testing.assert_close(square_norm(v), (flat_v * flat_v).sum(1), rtol=64 * EPSILON, atol=0)
    size = (square_norm(v) * square_norm(u)).sqrt().max().item()
    torch.testing.assert_close(inner(u, v), (flat_u * flat_v).sum(1), rtol=0, atol=64 * EPSILON * size)


@given(st.data(), shapes(12))
def test_spectral_norm_is_the_largest_singular_value(data: DataObject, shape: tuple[int, int]) -> None:
    batch = np.stack([data.draw(matrices(shape)) for _ in range(3)])
    expected = np.linalg.svd(batch, compute_uv=False)[:, 0]
    np.testing.assert_allclose(spectral_norm(torch.tensor(batch)).numpy(), expected, rtol=4 * sum(shape) * EPSILON)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (5, 5)])
def test_spectral_norm_of_zero_is_zero(shape: tuple[int, int]) -> None:
    assert spectral_norm(torch.zeros(2, *shape, dtype=torch.float64)).tolist() == [0, 0]
