"""A base that moves: W is kept where what was trained is merged, and nothing else changes; of every adapter."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given
from hypothesis.strategies import DataObject

from boundcheck.errors import InputError
from boundcheck.experiment.audit import check_function
from boundcheck.functions.adapters import ADAPTERS, Adapter, Rebased, make_adapter
from boundcheck.functions.arithmetic import Point, square_norm
from boundcheck.functions.objectives.pseudo_huber import PseudoHuber
from boundcheck.functions.problem import Problem
from tests.functions.kinds import some_examples

each_kind = pytest.mark.parametrize("kind", ADAPTERS)
seeds = st.integers(0, 2**16)
gains = st.sampled_from([0.1, 1.0, 10.0])


def adapter(data: DataObject, kind: str) -> tuple[Rebased, torch.Generator]:
    random = torch.Generator().manual_seed(data.draw(seeds))
    d, k = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 4))
    W0, A, B = (torch.randn(shape, generator=random, dtype=torch.float64) for shape in ((d, k), (1, k), (d, 1)))
    inner = make_adapter(kind, W0, 1 if ADAPTERS[kind].has_rank else None, 0.5, {"A": A, "B": B})
    return Rebased(W0, inner), random


def somewhere(adapter: Adapter, replicas: int, gain: float, random: torch.Generator) -> Point:
    """A start and a step of the size of `gain`, then another after a restart, so that every block is moved."""
    v = tuple(part.expand(replicas, -1, -1) for part in adapter.initial(gain, random))
    for _ in range(2):
        v = adapter.restart(v, gain, random)
        v = adapter.retract(v, tuple(gain * torch.randn(x.shape, generator=random, dtype=x.dtype) for x in v))
    return v


@each_kind
@some_examples
@given(data=st.data(), gain=gains)
def test_a_restart_keeps_w_and_is_a_start_for_each_replica(kind: str, data: DataObject, gain: float) -> None:
    rebased, random = adapter(data, kind)
    v = somewhere(rebased, 3, gain, random)
    again = rebased.restart(v, gain, random)
    before, after = rebased.weight(v), rebased.weight(again)
    size = torch.linalg.matrix_norm(before).max() + torch.linalg.matrix_norm(again[-1]).max() + 1
    assert torch.allclose(before, after, rtol=0, atol=1e-14 * float(size) * 64)
    start = rebased.inner.initial(gain, random)
    for part, shape in zip(again, (*(x.shape[1:] for x in start), rebased.W0.shape), strict=True):
        assert part.shape == (3, *shape)
    # Blocks that start from zeros do so again.
    for part, like in zip(again, start, strict=False):
        assert bool((part == 0).all()) == bool((like == 0).all())


@each_kind
@some_examples
@given(data=st.data(), gain=gains)
def test_at_the_start_it_is_the_inner_adapter_and_no_step_moves_the_base(kind, data: DataObject, gain: float) -> None:
    rebased, random = adapter(data, kind)
    start = rebased.initial(gain, random)
    assert torch.equal(rebased.weight(start), rebased.inner.weight(start[:-1]))
    v = somewhere(rebased, 2, gain, random)
    M = torch.randn((2, *rebased.W0.shape), generator=random, dtype=torch.float64)
    pulled = rebased.pull_back(v, M)
    assert not pulled[-1].any()
    for part, like in zip(pulled, rebased.inner.pull_back(v[:-1], M), strict=False):
        assert torch.equal(part, like)
    moved = rebased.retract(v, pulled)
    assert torch.equal(moved[-1], v[-1])
    assert not rebased.tangent(v, v)[-1].any()
    # The distance from W0 is at most the reach.
    radii = dict(zip(rebased.radius_names, (1e9,) * len(rebased.radius_names), strict=True))
    norms = Problem(objective(rebased), rebased).norms(v) if rebased.inner.is_run else None
    if norms is not None:
        radii = {name: norm.max().item() for name, norm in norms.items()}
        far = torch.linalg.matrix_norm(rebased.weight(v) - rebased.W0).max().item()
        assert far <= rebased.reach(radii) * (1 + 1e-12)


def objective(rebased: Adapter) -> PseudoHuber:
    d, k = rebased.W0.shape
    return PseudoHuber(torch.linspace(-1, 1, 3 * d * k, dtype=torch.float64).reshape(3, d, k), 0.5)


@each_kind
@some_examples
@given(data=st.data(), gain=gains)
def test_its_faces_agree(kind: str, data: DataObject, gain: float) -> None:
    rebased, random = adapter(data, kind)
    v = tuple(part[:1] for part in somewhere(rebased, 1, gain, random))
    check_function(Problem(objective(rebased), rebased), v)


@some_examples
@given(data=st.data(), gain=gains)
def test_the_radius_of_what_was_merged_bounds_the_gradient_and_nothing_else(data: DataObject, gain: float) -> None:
    rebased, random = adapter(data, "lora")
    v = somewhere(rebased, 2, gain, random)
    problem = Problem(objective(rebased), rebased)
    radii = {name: norm.max().item() + 1e-9 for name, norm in problem.norms(v).items()}
    assert set(radii) == {"a", "b", "z"}
    assert rebased.constants(radii) == rebased.inner.constants(radii)
    steepest = torch.linalg.matrix_norm(problem.weight_gradient(v)).max().item()
    assert steepest <= problem.gradient_bound(radii).value
    assert square_norm(problem.gradient(v)).max().item() <= problem.trivial_bound(radii) * (1 + 1e-12)


@each_kind
def test_another_adapter_cannot_begin_again(kind: str) -> None:
    W0 = torch.eye(2, dtype=torch.float64)
    made = make_adapter(kind, W0, 1 if ADAPTERS[kind].has_rank else None, 1.0, {"A": W0[:1], "B": W0[:, :1]})
    random = torch.Generator().manual_seed(0)
    with pytest.raises(InputError, match="an adapter whose base moves"):
        made.restart(made.initial(1.0, random), 1.0, random)
