"""A network over replicas is a loop over networks: `NetworkFunction` against the network at each point."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from boundcheck.functions.arithmetic import Point
from boundcheck.functions.draws import Draw, Reshuffled, WithReplacement
from boundcheck.functions.networks.function import (
    LOOKS,
    OBSERVABLES,
    NetworkFunction,
    observe,
    rounding_of,
    top_curvatures,
)
from boundcheck.functions.networks.network import Network

from .small import flat, network_of, random_point, seeded, windows

KINDS = pytest.mark.parametrize("kind", ["lora", "loreft"])
REPLICAS = 3


def function_of(kind: str, held_out: int = 4) -> NetworkFunction:
    return NetworkFunction("GPT", network_of(kind), 99, windows(held_out, seed=8))


def points(function: NetworkFunction) -> Point:
    """One for each replica."""
    drawn = [random_point(function.network, seed) for seed in range(10, 10 + REPLICAS)]
    return tuple(torch.cat(parts) for parts in zip(*drawn, strict=True))


def at(function: NetworkFunction, v: Point, i: int) -> Network:
    """The network at the point of one replica."""
    function.network.write(tuple(part[i : i + 1] for part in v))
    return function.network


def rows(point: Point, i: int) -> Tensor:
    return flat(part[i] for part in point)


@KINDS
def test_what_is_known_of_a_point_is_that_of_a_loop_over_replicas(kind: str) -> None:
    function = function_of(kind)
    v, indices = points(function), torch.tensor([[0, 3], [1, 1], [4, 2]])
    loss, gradient, batch = function.loss(v), function.gradient(v), function.batch_gradient(v, indices)
    variance, accuracy = function.sample_variance(v), function.accuracy(v)
    assert loss.shape == variance.shape == (REPLICAS,)
    for i in range(REPLICAS):
        network = at(function, v, i)
        look = network.look()
        assert loss[i].item() == pytest.approx(look.loss, rel=1e-13)
        assert torch.equal(rows(gradient, i), flat(look.gradient))
        assert torch.equal(rows(batch, i), flat(network.batch_gradient(indices[i])))
        assert (variance[i].item(), accuracy[i]) == (look.variance, network.accuracy())
    assert len(set(loss.tolist())) == REPLICAS


@KINDS
def test_a_step_is_that_of_each_network_as_it_holds_it(kind: str) -> None:
    function = function_of(kind)
    v = points(function)
    step = tuple(-0.1 * part for part in function.gradient(v))
    found = function.retract(v, step)
    for i in range(REPLICAS):
        x, u = (tuple(part[i : i + 1] for part in each) for each in (v, step))
        torch.testing.assert_close(rows(found, i), flat(function.network.retract(x, u)), rtol=1e-15, atol=0)


def test_a_step_is_rounded_to_the_type_of_the_network() -> None:
    function = function_of("lora")
    function.network.model.float()
    v = points(function)
    found = function.retract(v, tuple(1e-3 * torch.ones_like(part) for part in v))
    for part, x in zip(found, v, strict=True):
        assert part.dtype == torch.float64
        assert torch.equal(part, (x + 1e-3).float().double())


@KINDS
def test_the_first_iterate_is_where_the_network_was_taken_and_rounding_is_measured_there(kind: str) -> None:
    network = network_of(kind)
    first, expected = network.point(), rounding_of(network)
    function = NetworkFunction("GPT", network, 99)
    at(function, points(function), 0)
    assert torch.equal(flat(function.initial("lora", 1.0, seeded(0))), flat(first))
    loss, gradient = function.rounding(points(function), torch.zeros(REPLICAS))
    assert loss.tolist() == [expected.loss] * REPLICAS
    assert gradient.tolist() == [expected.gradient] * REPLICAS


@pytest.mark.full
def test_a_look_and_held_out_samples_are_those_of_a_single_point() -> None:
    function = function_of("lora")
    v = tuple(part[1:2] for part in points(function))
    found = function.look(v, np.random.default_rng(5))
    network = at(function, v, 0)
    assert tuple(found) == tuple(LOOKS)
    assert tuple(found.values()) == top_curvatures(network, np.random.default_rng(5), 0.01)
    other = Network(network.model, network.sites, windows(4, seed=8))
    assert function.held_out_ends(v) == (other.losses().mean().item(), other.accuracy())
    assert NetworkFunction("GPT", network, 99).held_out_ends(v) is None


def observed(function: NetworkFunction, law: Draw | None) -> tuple[dict[str, Tensor], list[dict[str, Any]]]:
    """What a function observes over a step of each replica, and what the networks do, one by one."""
    v = points(function)
    v_next = function.retract(v, tuple(-0.1 * part for part in function.gradient(v)))
    expected = []
    for i in range(REPLICAS):
        x, y = (tuple(part[i : i + 1] for part in point) for point in (v, v_next))
        look_next = at(function, v_next, i).look()
        network = at(function, v, i)
        expected.append(observe(network, x, y, network.look(), look_next, function.noise))
    return function.observe(v, v_next, law), expected


@KINDS
def test_what_is_observed_is_that_of_a_loop_over_replicas(kind: str) -> None:
    function = function_of(kind)
    law = WithReplacement(REPLICAS, 2, function.samples, seeded(0)).law()
    found, expected = observed(function, law)
    assert set(found) == set(OBSERVABLES)
    for name, observable in OBSERVABLES.items():
        assert found[name].shape == (REPLICAS, *(function.sizes[dim] for dim in observable.dims)), name
    for i, row in enumerate(expected):
        for name, value in row.items():
            assert found[name][i].numpy() == pytest.approx(np.array(value), rel=1e-9, abs=1e-13, nan_ok=True), name
    variance = function.sample_variance(points(function))
    assert torch.equal(found["noise_variance"], variance / 2)
    assert not found["conditional_bias"].any()
    # Without a minibatch there is no noise.
    assert not observed(function, None)[0]["noise_variance"].any()


def test_in_an_epoch_each_replica_has_its_own_candidates() -> None:
    function = function_of("lora")
    sampler = Reshuffled(REPLICAS, 2, function.samples, seeded(1))
    sampler.draw()
    law = sampler.law()
    found, _ = observed(function, law)
    v = points(function)
    for i in range(REPLICAS):
        network = at(function, v, i)
        left = law.candidates[i]
        assert len(left) == 3
        pairs = [flat(network.batch_gradient(left[[j, k]])) for j, k in ((0, 1), (0, 2), (1, 2))]
        whole = flat(network.look().gradient)
        bias = (torch.stack(pairs).mean(0) - whole).norm().item()
        noise = np.mean([(pair - whole).square().sum().item() for pair in pairs])
        assert found["conditional_bias"][i].item() == pytest.approx(bias, rel=1e-9)
        assert found["noise_variance"][i].item() == pytest.approx(noise, rel=1e-9)
    assert (found["conditional_bias"] > 1e-3).all()
    assert (found["conditional_bias_error"] == 4 * function.noise.gradient).all()


def test_a_point_that_one_step_leads_to_and_another_leaves_is_gone_through_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Looks over three steps in a row: four points are looked at."""
    function = function_of("lora")
    v = tuple(part[:1] for part in points(function))
    path = [v]
    for _ in range(3):
        path.append(function.retract(path[-1], tuple(-0.1 * part for part in function.gradient(path[-1]))))
    before, after = (tuple(torch.cat(parts) for parts in zip(*some, strict=True)) for some in (path[:-1], path[1:]))
    alone = [function.observe(x, y, None) for x, y in pairwise(path)]
    passes = {"look": 0, "losses": 0}
    for name in passes:
        real = getattr(Network, name)

        def counted(self: Network, *arguments: Any, name: str = name, real: Any = real) -> Any:
            passes[name] += 1
            return real(self, *arguments)

        monkeypatch.setattr(Network, name, counted)
    together = function.observe(before, after, None)
    assert passes == {"look": 4, "losses": 0}
    for name in OBSERVABLES:
        expected = torch.cat([each[name] for each in alone])
        torch.testing.assert_close(together[name], expected, rtol=1e-6, atol=1e-12, msg=name)
