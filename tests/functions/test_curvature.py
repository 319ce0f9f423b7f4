"""Hessian-vector products against finite differences and double backward, top curvature against dense Hessians."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from boundcheck.functions.curvature import difference_ratio, hessian_vector_product, top_curvature
from tests.experiment.small import pseudo_huber, random_point, softmax
from tests.layers import sampled

PROBLEMS = {"pseudo-Huber": pseudo_huber, "softmax": softmax}
any_problem = pytest.mark.parametrize("name", PROBLEMS)


def flat(v):
    return torch.cat([part.reshape(-1) for part in v])


def dense_hessian(problem, v):
    """Of F at a single point, by reverse over reverse differentiation of the loss itself."""
    shapes = [part.shape for part in v]
    sizes = [part.numel() for part in v]

    def loss(x):
        A, B = torch.split(x, sizes)
        return problem.loss((A.reshape(shapes[0]), B.reshape(shapes[1]))).sum()

    return torch.func.hessian(loss)(flat(v))


@any_problem
@given(seed=st.integers(0, 1000), rank=st.integers(1, 4), size=st.sampled_from([0.0, 0.1, 1.0, 5.0]))
def test_top_curvature_is_the_largest_absolute_eigenvalue(name, seed, rank, size):
    problem = PROBLEMS[name](rank=rank)
    v = random_point(problem, size=size, seed=seed)
    if size == 0:
        # LoRA's start, where eigenvalues come in pairs of opposite sign.
        v = (random_point(problem, seed=seed)[0], v[1])
    true = torch.linalg.eigvalsh(dense_hessian(problem, v)).abs().max().item()
    found = top_curvature(problem, v, np.random.default_rng(seed))
    assert found <= true * (1 + 1e-9)
    assert found >= true * (1 - 1e-4)


@sampled(4)
@any_problem
@pytest.mark.parametrize("tolerance", [1e-1, 1e-2])
def test_an_unconverged_lanczos_is_still_a_lower_estimate(name, tolerance):
    problem = PROBLEMS[name](rank=4, d=6, k=6, samples=12)
    v = random_point(problem)
    true = torch.linalg.eigvalsh(dense_hessian(problem, v)).abs().max().item()
    for seed in range(20):
        assert top_curvature(problem, v, np.random.default_rng(seed), tolerance) <= true * (1 + 1e-9)


@any_problem
@pytest.mark.parametrize(("d", "k"), [(2, 1), (1, 2), (2, 2)])
def test_top_curvature_in_very_few_dimensions(name, d, k):
    if name == "softmax" and d == 1:
        pytest.skip("one class has no loss")
    problem = PROBLEMS[name](rank=1, d=d, k=k)
    v = random_point(problem)
    true = torch.linalg.eigvalsh(dense_hessian(problem, v)).abs().max().item()
    assert top_curvature(problem, v, np.random.default_rng(0)) == pytest.approx(true, rel=1e-6)


@any_problem
def test_top_curvature_of_a_flat_point_is_zero(name):
    """A = B = 0 and a gradient of 0 in W: the Hessian is the zero matrix."""
    problem = PROBLEMS[name](rank=2)
    weak = type(problem)(problem.objective, type(problem.adapter)(problem.adapter.W0, 2, 1e-8))
    v = tuple(torch.zeros_like(x) for x in random_point(problem))
    assert 0 <= top_curvature(weak, v, np.random.default_rng(0)) < 1e-6


@any_problem
def test_difference_ratio_of_a_point_with_itself_is_zero(name):
    problem = PROBLEMS[name]()
    v = random_point(problem, replicas=3)
    w = tuple(x.clone() for x in v)
    w[0][1] += 0.5
    ratios = difference_ratio(problem, v, w)
    assert ratios[0] == ratios[2] == 0
    assert ratios[1] > 0


@any_problem
def test_difference_ratio_tends_to_the_curvature_along_the_difference(name):
    problem = PROBLEMS[name]()
    v, direction = random_point(problem), random_point(problem, seed=1)
    w = tuple(x + 1e-6 * y for x, y in zip(v, direction, strict=True))
    product = flat(hessian_vector_product(problem, v, direction))
    expected = (product.norm() / flat(direction).norm()).item()
    assert difference_ratio(problem, v, w).item() == pytest.approx(expected, rel=1e-4)
