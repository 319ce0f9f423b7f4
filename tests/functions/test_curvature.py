"""Products with the Hessian of F, its parts and its top eigenvalue, against naive twins; of every
adapter."""

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given

from boundcheck.functions.arithmetic import inner, seeded, square_norm
from boundcheck.functions.objectives.linear import ReadoutNetwork
from boundcheck.functions.problem import (
    Problem,
    adjoint,
    bilinear_product,
    curved,
    derivative,
    gauss_newton_product,
    hessian_vector_product,
    leaves,
    top_curvature,
)
from boundcheck.properties import adapters, directions, domain_points
from tests.experiment.small import each_flat_kind, each_kind, pseudo_huber, random_point, softmax
from tests.functions.twins import KINDS, SMOOTH, on_the_geodesic
from tests.language.plain import Plain, dot, single
from tests.layers import examples
from tests.strategies import domains
from tests.test_twins import SAMPLES, D, K, adapter_of
from tests.test_twins import softmax as regression

PRODUCTS = {
    "whole": hessian_vector_product,
    "gauss-newton": gauss_newton_product,
    "bilinear": bilinear_product,
}

few_examples = examples(5)


def network(random):
    X = random.standard_normal((SAMPLES, K))
    readout = random.standard_normal((D, D))
    return ReadoutNetwork("network", X, np.arange(SAMPLES) % D, readout, "tanh")


def generic(kind, make):
    """A problem through an adapter, two of its points, and two tangent directions."""
    random = np.random.default_rng(7)
    problem = Problem(make(random), adapter_of(kind, random))
    v = problem.adapter.draw(dict.fromkeys(problem.adapter.radius_names, 0.75), 2, seeded(5))
    u = tuple(torch.tensor(random.standard_normal(part.shape)) for part in v)
    return problem, v, problem.adapter.tangent(v, u)


def along(v, u, step):
    return tuple(x + step * y for x, y in zip(v, u, strict=True))


def second_difference(of, step):
    """The second derivative at 0, likewise."""
    near = of(step) + of(-step)
    far = of(2 * step) + of(-2 * step)
    return (16 * near - far - 30 * of(0.0)) / (12 * step**2)


@pytest.mark.parametrize("make", [regression, network])
def test_product_of_loreft_is_that_of_losses_along_a_geodesic(make):
    problem, v, u = generic("loreft", make)
    expected = second_difference(lambda t: problem.loss(on_the_geodesic(v, u, t)), 2e-3)
    found = inner(u, hessian_vector_product(problem, v, u))
    assert (found - expected).abs().max() <= 1e-6 * expected.abs().max()


def drawn(data, kind, names):
    """A problem of any of these objectives, a point of any spectrum, and a tangent direction."""
    objective = data.draw(st.sampled_from(names).flatmap(KINDS.__getitem__))
    adapter = data.draw(adapters(kind, objective.shape))
    v = data.draw(domain_points(adapter, data.draw(domains(adapter)), replicas=2))
    return (
        Problem(objective, adapter),
        v,
        adapter.tangent(v, data.draw(directions(adapter, replicas=2))),
    )


def size_of_hessian(problem, v):
    """About how large the terms are that products with it are made of; the derivatives of DoRA grow
    as columns do."""
    sizes = problem.adapter.sizes(v)
    jacobian = (torch.as_tensor(sizes.products) * (1 + sizes.jacobian)).max().item()
    slope = torch.linalg.matrix_norm(problem.weight_gradient(v)).max().item()
    return (1 + jacobian) ** 2 * (problem.objective.smoothness.value + slope)


@each_kind
@few_examples
@given(st.data())
def test_each_part_is_that_of_the_plain_formulas(kind, data):
    problem, v, u = drawn(data, kind, SMOOTH)
    found = {name: inner(u, product(problem, v, u)) for name, product in PRODUCTS.items()}
    M = problem.weight_gradient(v)
    W = problem.adapter.weight(v)
    plain = Plain(problem.adapter)
    for i in range(2):
        at = single(v, i)
        way = single(u, i)
        change = plain.first(at, way)
        # Of f itself, whose derivatives are tested with the objectives.
        turn = torch.func.jvp(
            problem.objective.gradient, (W[i : i + 1],), (torch.tensor(change).unsqueeze(0),)
        )[1]
        curved = dot(change, turn[0].numpy())
        bent = dot(M[i].numpy(), plain.second(at, way))
        allowed = 1e-10 * size_of_hessian(problem, v) * square_norm(u)[i].item() + 1e-300
        assert abs(found["gauss-newton"][i].item() - curved) <= allowed
        assert abs(found["bilinear"][i].item() - bent) <= allowed
        assert abs(found["whole"][i].item() - curved - bent) <= allowed


@each_kind
@pytest.mark.parametrize("part", PRODUCTS)
@few_examples
@given(st.data())
def test_products_are_symmetric(kind, part, data):
    problem, v, x = drawn(data, kind, SMOOTH)
    y = problem.adapter.tangent(v, data.draw(directions(problem.adapter, replicas=2)))
    forth, back = (inner(a, PRODUCTS[part](problem, v, b)) for a, b in ((x, y), (y, x)))
    lengths = (square_norm(x) * square_norm(y)).sqrt().max().item()
    assert (forth - back).abs().max().item() <= 1e-12 * size_of_hessian(problem, v) * (
        lengths + 1e-300
    )


@each_kind
@pytest.mark.parametrize("part", PRODUCTS)
def test_products_see_and_give_the_tangent_part_of_each_replica_alone(kind, part):
    problem, v, _ = generic(kind, regression)
    random = seeded(6)
    u = tuple(torch.randn(x.shape, generator=random, dtype=torch.float64) for x in v)
    product = PRODUCTS[part](problem, v, u)
    seen = PRODUCTS[part](problem, v, problem.adapter.tangent(v, u))
    for got, same, projected in zip(
        product, seen, problem.adapter.tangent(v, product), strict=True
    ):
        torch.testing.assert_close(got, same, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(got, projected, rtol=1e-12, atol=1e-12)
    # Replicas do not mix.
    for i in range(2):
        alone = PRODUCTS[part](problem, *(tuple(x[i : i + 1] for x in point) for point in (v, u)))
        for one, many in zip(alone, product, strict=True):
            torch.testing.assert_close(one[0], many[i], rtol=1e-12, atol=1e-12)


@each_kind
def test_derivative_and_adjoint_are_those_of_forward_and_reverse_mode(kind):
    problem, v, u = generic(kind, regression)
    at = leaves(v)
    M = torch.randn_like(problem.adapter.weight(v))
    assert all(torch.equal(x, y) and x.requires_grad for x, y in zip(at, v, strict=True))
    W = (problem.adapter.weight(at),)
    forward = torch.func.jvp(lambda *w: problem.adapter.weight(w), v, u)[1]
    backward = torch.func.vjp(lambda *w: problem.adapter.weight(w), *v)[1](M)
    torch.testing.assert_close(derivative(W, at, u)[0], forward)
    torch.testing.assert_close(adjoint(W, at, (M,)), backward)
    # Of what does not depend on v it is 0.
    assert all(not part.any() for part in adjoint((M,), at, (M,)))


@each_flat_kind
def test_products_can_be_differentiated_again(kind):
    """The derivative of H(v)w along u is symmetric in w and u, and that of central differences."""
    problem, v, u = generic(kind, network)
    w = tuple(part.flip(-1) for part in u)
    at = leaves(v)
    size = 1e-5
    found = derivative(curved(problem, at, w), at, u)
    torch.testing.assert_close(found, derivative(curved(problem, at, u), at, w))
    ends = [hessian_vector_product(problem, along(v, u, step), w) for step in (-size, size)]
    difference = tuple((y - x) / (2 * size) for x, y in zip(*ends, strict=True))
    torch.testing.assert_close(
        tuple(part.detach() for part in found), difference, rtol=1e-5, atol=1e-7
    )


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
@given(
    seed=st.integers(0, 1000), rank=st.integers(1, 4), size=st.sampled_from([0.0, 0.1, 1.0, 5.0])
)
def test_top_curvature_is_the_largest_absolute_eigenvalue(name, seed, rank, size):
    problem = PROBLEMS[name](rank=rank)
    v = random_point(problem, size=size, seed=seed)
    if size == 0:
        # LoRA's start, where eigenvalues come in pairs of opposite sign.
        v = (random_point(problem, seed=seed)[0], v[1])
    true = torch.linalg.eigvalsh(dense_hessian(problem, v)).abs().max().item()
    found = top_curvature(problem, v, np.random.default_rng(seed))
    assert true * (1 - 1e-4) <= found <= true * (1 + 1e-9)
    for tolerance in (1e-1, 1e-2):
        # Not converged, it still is a lower estimate.
        assert top_curvature(problem, v, np.random.default_rng(seed), tolerance) <= true * (
            1 + 1e-9
        )


@any_problem
@pytest.mark.parametrize("d, k", [(2, 1), (1, 2), (2, 2)])
def test_top_curvature_in_very_few_dimensions_and_of_a_flat_point(name, d, k):
    if name == "softmax" and d == 1:
        pytest.skip("one class has no loss")
    problem = PROBLEMS[name](rank=1, d=d, k=k)
    v = random_point(problem)
    true = torch.linalg.eigvalsh(dense_hessian(problem, v)).abs().max().item()
    assert top_curvature(problem, v, np.random.default_rng(0)) == pytest.approx(true, rel=1e-6)
    # A = B = 0 and hardly a gradient in W: the Hessian is the zero matrix.
    weak = type(problem)(problem.objective, type(problem.adapter)(problem.adapter.W0, 1, 1e-8))
    assert 0 <= top_curvature(weak, tuple(0 * x for x in v), np.random.default_rng(0)) < 1e-6
