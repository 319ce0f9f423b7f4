"""Algorithm 1 on an ensemble against a plain loop over replicas, how a step moves, and the law of
its minibatches."""

import itertools
import math

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given
from scipy.stats import chisquare

from boundcheck.functions.arithmetic import seeded
from boundcheck.functions.sgd import Reshuffled, Sampler, WithReplacement, draw_batch, sgd_step
from boundcheck.properties import adapters, directions, domain_points, problems
from tests.functions.twins import EPSILON, geodesic
from tests.layers import examples

REPLICAS = 3


def test_batches_are_uniform():
    indices = draw_batch(1000, 50, 7, seeded(0))
    assert indices.shape == (1000, 50)
    assert indices.dtype == torch.int64
    assert chisquare(indices.flatten().bincount(minlength=7).numpy()).pvalue > 0.001
    # Neighbours in a batch are independent: all 49 pairs are as likely.
    neighbours = (indices[:, ::2] * 7 + indices[:, 1::2]).flatten().bincount(minlength=49)
    assert chisquare(neighbours.numpy()).pvalue > 0.001


@st.composite
def moves(draw):
    """A point of LoReFT's domain, and a tangent direction of length about 1."""
    adapter = draw(adapters("loreft"))
    v = draw(domain_points(adapter, {"nu": 1.0}))
    return adapter, v, adapter.tangent(v, draw(directions(adapter)))


@examples(15)
@given(moves())
def test_the_geodesic_bends_at_right_angles_by_the_acceleration(move):
    adapter, v, u = move
    zero = torch.zeros((), dtype=torch.float64)
    one = torch.ones((), dtype=torch.float64)

    def velocity(t):
        return torch.func.jvp(lambda x: geodesic(v[0][0], u[0][0], x), (t,), (one,))[1]

    torch.testing.assert_close(
        geodesic(v[0][0], u[0][0], one) @ geodesic(v[0][0], u[0][0], one).mT, v[0][0] @ v[0][0].mT
    )
    torch.testing.assert_close(velocity(zero), u[0][0], rtol=0, atol=1e-13)
    bent = torch.func.jvp(velocity, (zero,), (one,))[1]
    torch.testing.assert_close(bent, adapter.acceleration(v, u)[0][0], rtol=0, atol=1e-13)
    assert not adapter.acceleration(v, u)[1].any()
    # None of it along the manifold.
    assert adapter.tangent(v, adapter.acceleration(v, u))[0].abs().max().item() <= 1e-13


@examples(15)
@given(moves())
def test_retraction_stays_on_the_manifold_and_is_of_second_order(move):
    adapter, v, u = move
    for size in (1e-2, 1e-1, 1.0, 10.0):
        R, V = adapter.retract(v, tuple(size * part for part in u))
        identity = torch.eye(adapter.rank, dtype=torch.float64)
        assert (R @ R.mT - identity).abs().max().item() <= 64 * EPSILON
        torch.testing.assert_close(V, v[1] + size * u[1])
        if size < 1:
            apart = R[0] - geodesic(v[0][0], u[0][0], torch.tensor(size, dtype=torch.float64))
            assert apart.norm().item() <= (size * u[0].norm().item()) ** 3 + 64 * EPSILON
    # From no number it leads to none, and leaves other replicas alone.
    two, step = (tuple(part.repeat(2, 1, 1) for part in point) for point in (v, u))
    for value in (math.nan, math.inf, -math.inf):
        step[0][0, 0, 0] = value
        R, V = adapter.retract(two, step)
        assert torch.isnan(R[0]).all()
        torch.testing.assert_close(R[1], adapter.retract(v, u)[0][0], rtol=0, atol=64 * EPSILON)
        assert torch.equal(V, two[1] + step[1])


@pytest.mark.parametrize("samples, batch", [(6, 2), (7, 3), (5, 5), (4, 1)])
def test_an_epoch_draws_every_sample_at_most_once_and_only_from_what_is_left(samples, batch):
    sampler = Reshuffled(REPLICAS, batch, samples, seeded(0))
    for _ in range(5):
        seen = [set() for _ in range(REPLICAS)]
        for _ in range(samples // batch):
            law = sampler.law()
            indices = sampler.draw()
            assert law.candidates.shape == (REPLICAS, samples - len(seen[0]))
            for drawn, left, row in zip(
                seen, law.candidates.tolist(), indices.tolist(), strict=True
            ):
                assert set(left) == set(range(samples)) - drawn
                assert len(set(row)) == batch
                assert set(row) <= set(left)
                drawn |= set(row)


def test_without_replacement_every_order_is_equally_likely():
    sampler = Reshuffled(20_000, 2, 3, seeded(0))
    counts = {}
    for row in sampler.draw().tolist():
        counts[tuple(row)] = counts.get(tuple(row), 0) + 1
    assert set(counts) == set(itertools.permutations(range(3), 2))
    assert chisquare(list(counts.values())).pvalue > 1e-3


@pytest.mark.parametrize("kind", [WithReplacement, Reshuffled])
def test_a_restored_sampler_goes_on_as_it_would_have(kind):
    whole = kind(REPLICAS, 2, 7, seeded(3))
    for _ in range(5):
        whole.draw()
    other = kind(REPLICAS, 2, 7, seeded(4))
    other.restore(whole.state())
    for _ in range(9):
        assert torch.equal(whole.law().candidates, other.law().candidates)
        assert torch.equal(whole.draw(), other.draw())


@given(problems(), st.integers(0, 100))
def test_the_whole_sample_is_a_step_of_gradient_descent(problem, seed):
    sampler = Sampler()
    assert sampler.law() is None
    v = problem.adapter.initial(1.0, seeded(seed))
    moved, g = sgd_step(problem, v, 0.1, sampler.draw())
    for part, gradient, after, used in zip(v, problem.gradient(v), moved, g, strict=True):
        assert torch.equal(used, gradient)
        assert torch.equal(after, part - 0.1 * gradient)
