"""The adapter and F(v) = f(W(v)): pull-backs against autograd, variances against enumeration, norms
against SVD."""

import math

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given
from mpmath import mp

from boundcheck.functions.adapters import Full, LoRA, make_adapter
from boundcheck.functions.arithmetic import seeded, square_norm
from boundcheck.functions.objective import Setting, table_of
from boundcheck.functions.objectives.linear import LeastSquares
from boundcheck.functions.problem import Problem
from boundcheck.language.catalogue import catalogue
from boundcheck.language.function import Constant
from boundcheck.properties import (
    SCALES,
    SIZES,
    adapters,
    domain_points,
    matrices,
    pseudo_huber_problems,
)
from tests.experiment.small import each_kind, refused
from tests.language.plain import Plain, dot, exactly, single
from tests.layers import examples
from tests.strategies import domains

some_examples = examples(15)


@given(SIZES, SIZES, SCALES)
def test_jacobian_bound_is_attained_in_one_dimension(a, b, scale):
    adapter = LoRA(torch.zeros(1, 1, dtype=torch.float64), 1, scale)
    v = (
        torch.full((1, 1, 1), a, dtype=torch.float64),
        torch.full((1, 1, 1), b, dtype=torch.float64),
    )
    gradient = adapter.pull_back(v, torch.ones(1, 1, 1, dtype=torch.float64))
    assert adapter.jacobian_bound({"a": a, "b": b}) == pytest.approx(
        square_norm(gradient).sqrt().item(), rel=1e-11
    )
    assert adapter.jacobian_bound({"a": a, "b": b}) == pytest.approx(
        scale * math.sqrt(a**2 + b**2), rel=1e-11
    )


@st.composite
def of_kind(draw, kind):
    """A problem with this adapter, a domain and two points in it; G may be known on the domain
    alone."""
    adapter = draw(adapters(kind, most=3))
    d, k = adapter.W0.shape
    if draw(st.booleans()):
        objective = draw(pseudo_huber_problems((d, k)))
    else:
        samples = draw(st.integers(1, 4))
        objective = LeastSquares(draw(matrices((samples, k))), draw(matrices((samples, d))))
    radii = draw(domains(adapter))
    return Problem(objective, adapter), radii, draw(domain_points(adapter, radii, replicas=2))


@each_kind
@some_examples
@given(st.data())
def test_gradient_bound_holds_on_the_domain(kind, data):
    problem, radii, v = data.draw(of_kind(kind))
    G = problem.gradient_bound(radii)
    objective = problem.objective
    W0 = problem.adapter.W0.unsqueeze(0)
    near = objective.gradient(
        W0
    ).norm().item() + objective.smoothness.value * problem.adapter.reach(radii)
    assert G.value == pytest.approx(min(near, objective.gradient_bound.value), rel=1e-9, abs=1e-12)
    drawn = problem.adapter.draw(radii, 8, seeded(data.draw(st.integers(0, 100))))
    for points_of_domain in (v, drawn):
        gradients = problem.weight_gradient(points_of_domain).norm(dim=(1, 2))
        assert gradients.max().item() <= G.value * (1 + 1e-12)
        squares = square_norm(problem.gradient(points_of_domain))
        assert squares.max().item() <= problem.trivial_bound(radii) * (1 + 1e-12)
    assert G.kind == "certified"


def test_a_gradient_bound_that_was_estimated_says_so():
    objective = LeastSquares(np.eye(2), np.ones((2, 3)))
    objective.smoothness = Constant(1.0, "estimated", "a guess")
    problem = Problem(objective, LoRA(torch.zeros(3, 2, dtype=torch.float64), 1))
    assert problem.gradient_bound({"a": 1.0, "b": 1.0}).kind == "estimated"


@each_kind
@some_examples
@given(st.data())
def test_rounding_covers_what_exact_arithmetic_finds(kind, data):
    """Of pseudo-Huber: the only part of it that an adapter makes is that of W and of the
    pull-back."""
    adapter = data.draw(adapters(kind, most=2))
    problem = Problem(data.draw(pseudo_huber_problems(tuple(adapter.W0.shape))), adapter)
    v = data.draw(domain_points(adapter, data.draw(domains(adapter))))
    loss = problem.loss(v)
    loss_error, gradient_error = problem.rounding(v, loss)
    with mp.workdps(40):
        plain = Plain(adapter, exactly)
        at = single(v, read=exactly)
        targets = exactly(problem.objective._targets)
        delta = mp.mpf(problem.objective.delta)
        ratios = (plain.weight(at) - targets) / delta
        roots = (1 + ratios * ratios) ** 0.5
        assert abs(delta**2 * (roots - 1).sum() / len(targets) - loss.item()) <= loss_error.item()
        expected = plain.pull_back(at, (delta * ratios / roots).sum(0) / len(targets))
        found = single(problem.gradient(v), read=exactly)
        square = sum(dot(x - y, x - y) for x, y in zip(found, expected, strict=True))
        assert square**0.5 <= gradient_error.item()


@each_kind
def test_an_adapter_of_another_shape_is_refused(kind):
    one = torch.ones(1, 1, dtype=torch.float64)
    adapter = make_adapter(kind, one, 1, 1.0, {"A": one, "B": one})
    assert (
        refused(lambda: Problem(LeastSquares(np.ones((2, 2)), np.ones((2, 1))), adapter)).field
        == "adapter.W0"
    )


def test_what_the_first_iterate_determines_is_rounded_up():
    """Norms of blocks by singular values; the distance to the minimiser, by a least-squares solver,
    is in its bound."""
    random = seeded(0)
    table = {"kind": "least-squares", "d": 2, "k": 3, "samples": 8, "noise": 0.1}
    objective = table_of(table).build(Setting())
    W0 = torch.zeros(2, 3, dtype=torch.float64)
    lora = Problem(objective, LoRA(W0, 2))
    full = Problem(objective, Full(W0))
    v = lora.adapter.initial(1.5, random)
    found = lora.inputs_at(catalogue["meft.unconditional_gd"], v)
    for name, part in zip(("a_1", "b_1"), v, strict=True):
        norm = np.linalg.norm(part[0].numpy(), 2)
        assert norm < found[name] <= max(norm, 1e-8 * found["a_1"]) * (1 + 1e-8)
    w = (torch.randn((1, 2, 3), generator=random, dtype=torch.float64),)
    least = np.linalg.lstsq(objective._X.numpy(), objective._targets.numpy(), rcond=None)[0].T
    bound = full.distance_bound(w)
    strong = full.strong_convexity
    assert bound is not None
    assert strong is not None
    assert np.linalg.norm(w[0][0].numpy() - least) <= bound.value
    slope = np.linalg.norm(full.gradient(w)[0].numpy())
    assert bound.value == pytest.approx(slope / strong.value, rel=1e-9)
    assert full.inputs_at(catalogue["su2016.nesterov"], w) == {"R_1": bound.value}
    assert lora.distance_bound(v) is None
