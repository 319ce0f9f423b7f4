"""F of a network over replicas, its observables against their definitions, and their rounding
errors."""

import copy
import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from boundcheck.functions.arithmetic import seeded
from boundcheck.functions.networks import function as functions
from boundcheck.functions.networks.adapt import adapt, sites_of
from boundcheck.functions.networks.function import (
    LOOKS,
    OBSERVABLES,
    NetworkFunction,
    Rounding,
    observe,
    rounding_of,
)
from boundcheck.functions.networks.network import Network
from boundcheck.functions.sgd import Reshuffled, WithReplacement

from .small import KINDS, equal, flat, network_of, random_direction, random_point, windows

each_of_two = pytest.mark.parametrize("kind", ["lora", "loreft"])
REPLICAS = 3


def function_of(kind, held_out=4):
    return NetworkFunction("GPT", network_of(kind), 99, windows(held_out, seed=8))


def points(function):
    """One for each replica."""
    drawn = [random_point(function.network, seed) for seed in range(10, 10 + REPLICAS)]
    return tuple(torch.cat(parts) for parts in zip(*drawn, strict=True))


def at(function, v, i):
    """The network at the point of one replica."""
    function.network.write(tuple(part[i : i + 1] for part in v))
    return function.network


def rows(point, i):
    return flat(part[i] for part in point)


@each_of_two
def test_what_is_known_of_a_point_is_that_of_a_loop_over_replicas(kind):
    function = function_of(kind)
    v = points(function)
    indices = torch.tensor([[0, 3], [1, 1], [4, 2]])
    loss = function.loss(v)
    gradient = function.gradient(v)
    batch = function.batch_gradient(v, indices)
    variance = function.sample_variance(v)
    accuracy = function.accuracy(v)
    assert loss.shape == variance.shape == (REPLICAS,)
    for i in range(REPLICAS):
        network = at(function, v, i)
        look = network.look()
        assert loss[i].item() == pytest.approx(look.loss, rel=1e-13)
        assert torch.equal(rows(gradient, i), flat(look.gradient))
        assert torch.equal(rows(batch, i), flat(network.batch_gradient(indices[i])))
        assert variance[i].item() == look.variance
        assert accuracy[i] == network.accuracy()
    assert len(set(loss.tolist())) == REPLICAS


@each_of_two
def test_a_step_is_that_of_each_network_as_it_holds_it(kind):
    function = function_of(kind)
    v = points(function)
    step = tuple(-0.1 * part for part in function.gradient(v))
    found = function.retract(v, step)
    for i in range(REPLICAS):
        x, u = (tuple(part[i : i + 1] for part in each) for each in (v, step))
        torch.testing.assert_close(
            rows(found, i), flat(function.network.retract(x, u)), rtol=1e-15, atol=0
        )


def test_a_step_is_rounded_to_the_type_of_the_network():
    function = function_of("lora")
    function.network.model.float()
    v = points(function)
    found = function.retract(v, tuple(1e-3 * torch.ones_like(part) for part in v))
    for part, x in zip(found, v, strict=True):
        assert part.dtype == torch.float64
        assert torch.equal(part, (x + 1e-3).float().double())


@each_of_two
def test_the_first_iterate_is_where_the_network_was_taken_and_rounding_is_measured_there(kind):
    network = network_of(kind)
    first = network.point()
    expected = rounding_of(network)
    function = NetworkFunction("GPT", network, 99)
    at(function, points(function), 0)
    assert torch.equal(flat(function.initial("lora", 1.0, seeded(0))), flat(first))
    loss, gradient = function.rounding(points(function), torch.zeros(REPLICAS))
    assert loss.tolist() == [expected.loss] * REPLICAS
    assert gradient.tolist() == [expected.gradient] * REPLICAS


@pytest.mark.full
def test_a_look_and_held_out_samples_are_those_of_a_single_point():
    function = function_of("lora")
    v = tuple(part[1:2] for part in points(function))
    found = function.look(v, np.random.default_rng(5))
    network = at(function, v, 0)
    assert tuple(found) == tuple(LOOKS)
    assert tuple(found.values()) == functions.top_curvatures(
        network, np.random.default_rng(5), 0.01
    )
    other = Network(network.model, network.sites, windows(4, seed=8))
    assert function.held_out_ends(v) == (other.losses().mean().item(), other.accuracy())
    assert NetworkFunction("GPT", network, 99).held_out_ends(v) is None


def observed(function, law):
    """What a function observes over a step of each replica, and what the networks do, one by
    one."""
    v = points(function)
    v_next = function.retract(v, tuple(-0.1 * part for part in function.gradient(v)))
    expected = []
    for i in range(REPLICAS):
        x, y = (tuple(part[i : i + 1] for part in point) for point in (v, v_next))
        look_next = at(function, v_next, i).look()
        network = at(function, v, i)
        expected.append(observe(network, x, y, network.look(), look_next, function.noise))
    return function.observe(v, v_next, law), expected


@each_of_two
def test_what_is_observed_is_that_of_a_loop_over_replicas(kind):
    function = function_of(kind)
    law = WithReplacement(REPLICAS, 2, function.samples, seeded(0)).law()
    found, expected = observed(function, law)
    assert set(found) == set(OBSERVABLES)
    for name, observable in OBSERVABLES.items():
        assert found[name].shape == (
            REPLICAS,
            *(function.sizes[dim] for dim in observable.dims),
        ), name
    for i, row in enumerate(expected):
        for name, value in row.items():
            assert found[name][i].numpy() == pytest.approx(
                np.array(value), rel=1e-9, abs=1e-13, nan_ok=True
            ), name
    variance = function.sample_variance(points(function))
    assert torch.equal(found["noise_variance"], variance / 2)
    assert not found["conditional_bias"].any()
    # Without a minibatch there is no noise.
    assert not observed(function, None)[0]["noise_variance"].any()


def test_in_an_epoch_each_replica_has_its_own_candidates():
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


def test_a_point_that_one_step_leads_to_and_another_leaves_is_gone_through_once(monkeypatch):
    """Looks over three steps in a row: four points are looked at."""
    function = function_of("lora")
    v = tuple(part[:1] for part in points(function))
    path = [v]
    for _ in range(3):
        path.append(
            function.retract(path[-1], tuple(-0.1 * part for part in function.gradient(path[-1])))
        )
    before, after = (
        tuple(torch.cat(parts) for parts in zip(*some, strict=True))
        for some in (path[:-1], path[1:])
    )
    alone = [function.observe(x, y, None) for x, y in pairwise(path)]
    passes = {"look": 0, "losses": 0}
    for name in passes:
        real = getattr(Network, name)

        def counted(self, *arguments, name=name, real=real):
            passes[name] += 1
            return real(self, *arguments)

        monkeypatch.setattr(Network, name, counted)
    together = function.observe(before, after, None)
    assert passes == {"look": 4, "losses": 0}
    for name in OBSERVABLES:
        expected = torch.cat([each[name] for each in alone])
        torch.testing.assert_close(together[name], expected, rtol=1e-6, atol=1e-12, msg=name)


D = 4
K = 3
SAMPLES = 6


class Squares:
    """Half the squared distance of a linear map's outputs from targets: F is known to the last
    digit."""

    name = "squares"
    units = ""
    samples = SAMPLES

    def __init__(self):
        random = np.random.default_rng(0)
        self.X = random.standard_normal((SAMPLES, K))
        self.Y = random.standard_normal((SAMPLES, D))

    def losses(self, model, indices):
        like = next(model.parameters())
        x, y = (torch.tensor(z).to(like)[indices] for z in (self.X, self.Y))
        return (model(x) - y).square().sum(1) / 2

    def hits(self, model, indices):
        return torch.zeros(len(indices))


def linear():
    """Linear regression through LoRA."""
    generator = seeded(1)
    model = nn.Sequential(nn.Linear(K, D, bias=False).double())
    with torch.no_grad():
        model[0].weight.copy_(torch.randn(D, K, generator=generator))
    adapt(model, "lora", ["0"], 2, 1.5, 1.0, generator)
    network = Network(model, sites_of(model), Squares(), 4)
    network.write(
        tuple(
            torch.randn(part.shape, generator=generator, dtype=part.dtype)
            for part in network.point()
        )
    )
    return network


def seen(network, step, rounding=None):
    v = network.point()
    look = network.look()
    network.write(network.retract(v, step))
    after = network.point()
    look_next = network.look()
    network.write(v)
    return observe(network, v, after, look, look_next, rounding or rounding_of(network))


def exact_smoothness(network, step):
    """That of F and of f along a step of LoRA, at 64 bits of mantissa."""
    adapter = network.sites[0].adapter
    task = network.task
    A, B, dA, dB = (x[0].numpy().astype(np.longdouble) for x in (*network.point(), *step))
    s = np.longdouble(adapter.scale)
    W0 = adapter.W0.numpy().astype(np.longdouble)
    change = s * (dB @ A + B @ dA + dB @ dA)
    X = task.X.astype(np.longdouble)
    Y = task.Y.astype(np.longdouble)
    slope = ((X @ (W0 + s * B @ A).T - Y).T @ X) / SAMPLES
    bend = ((X @ change.T) ** 2).sum() / SAMPLES
    # F(v') - F(v) - <∇F, Δ>: what is of second order in W, and the part of the change that is of
    # second order in v.
    second = s * (dB @ dA)
    return (bend + 2 * (slope * second).sum()) / ((dA**2).sum() + (dB**2).sum()), bend / (
        change**2
    ).sum()


@pytest.mark.parametrize("length", [1.0, 1e-2, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8])
def test_smoothness_along_a_step_of_lora_is_the_exact_one_within_its_error(length):
    network = linear()
    u = random_direction(network)
    step = tuple(length * part / flat(u).norm() for part in u)
    # The step that floating point takes.
    v = network.point()
    taken = tuple((x + y) - x for x, y in zip(v, step, strict=True))
    found = seen(network, step)
    in_v, in_w = exact_smoothness(network, taken)
    assert found["step_length"] == pytest.approx(length, rel=1e-6)
    assert abs(found["path_smoothness"] - in_v) <= found["path_smoothness_error"]
    assert abs(found["weight_smoothness"] - in_w) <= found["weight_smoothness_error"]
    # An error that says something, as long as the step does.
    if length >= 1e-4:
        assert found["path_smoothness_error"] < 1e-3 * abs(in_v)
        assert found["path_smoothness"] == pytest.approx(float(in_v), rel=1e-3)
        assert found["weight_smoothness"] == pytest.approx(float(in_w), rel=1e-3)


@each_of_two
def test_a_step_of_length_0_has_smoothness_0_and_one_to_no_number_has_none(kind):
    network = network_of(kind)
    look = network.look()
    v = network.point()
    found = observe(network, v, v, look, look, Rounding(1e-12, 1e-12))
    for name in ("step_length", "path_smoothness", "path_smoothness_error", "weight_smoothness"):
        assert found[name] == 0
    for name in ("gradient_ratio", "gradient_ratio_error"):
        assert math.isnan(found[name]) if network.is_curved else found[name] == 0
    after = tuple(part * math.nan for part in v)
    lost = replace(
        look,
        losses=look.losses * math.nan,
        gradient=tuple(part * math.nan for part in look.gradient),
    )
    found = observe(network, v, after, look, lost, Rounding(1e-12, 1e-12))
    assert all(
        math.isnan(found[name]) for name in ("path_smoothness", "gradient_ratio", "step_length")
    )
    assert found["norm"] == [math.inf] * len(found["norm"])
    assert found["loss"] == look.loss


@pytest.mark.parametrize("kind", KINDS)
def test_everything_else_is_what_its_name_says(kind):
    network = network_of(kind)
    v = network.point()
    look = network.look()
    g = network.batch_gradient(torch.tensor([0, 2]))
    step = tuple(-0.05 * part for part in g)
    found = seen(network, step, Rounding(1e-13, 1e-12))
    after = network.retract(v, step)
    assert set(found) | {"noise_variance", "conditional_bias", "conditional_bias_error"} == set(
        OBSERVABLES
    )
    moved = flat(after) - flat(v)
    assert found["step_length"] == pytest.approx(moved.norm().item(), rel=1e-9)
    assert found["slope"] == pytest.approx((flat(look.gradient) * moved).sum().item(), rel=1e-9)
    assert found["loss"] == look.loss
    assert found["gradient_square_norm"] == pytest.approx(
        flat(look.gradient).square().sum().item(), rel=1e-12
    )
    for place, M in enumerate(look.weight_gradients):
        assert found["weight_gradient_spectral"][place] == pytest.approx(
            np.linalg.norm(M.numpy(), 2), rel=1e-9
        )
        assert found["weight_gradient_frobenius"][place] == pytest.approx(
            np.linalg.norm(M.numpy()), rel=1e-12
        )
    blocks = [block for site in network.sites for block in site.adapter.blocks]
    ends = [
        [
            part
            for site, at in zip(network.sites, network.split(x), strict=True)
            for part in site.adapter.bounded(at)
        ]
        for x in (v, after)
    ]
    for norm, block, x, y in zip(found["norm"], blocks, *ends, strict=True):
        sizes = [
            np.abs(z[0]).max() if block.norm == "max" else np.linalg.norm(z[0], 2)
            for z in (x.numpy(), y.numpy())
        ]
        assert norm == pytest.approx(max(sizes), rel=1e-9)
        if block.norm == "orthonormal":
            assert norm == pytest.approx(1, rel=1e-12)
    network.write(after)
    F = network.losses().mean().item()
    network.write(v)
    expected = (
        2
        * (F - look.loss - (flat(look.gradient) * moved).sum().item())
        / moved.square().sum().item()
    )
    assert found["path_smoothness"] == pytest.approx(expected, rel=1e-6)
    if not network.is_curved:
        network.write(after)
        turned = flat(network.batch_gradient(torch.arange(network.task.samples))) - flat(
            look.gradient
        )
        network.write(v)
        assert found["gradient_ratio"] == pytest.approx(
            (turned.norm() / moved.norm()).item(), rel=1e-9
        )
        assert found["gradient_ratio_error"] == pytest.approx(2e-12 / moved.norm().item(), rel=1e-9)
    # Errors of 1e-13 in a loss and 1e-12 in a gradient.
    length = found["step_length"]
    size = math.sqrt(found["gradient_square_norm"])
    assert found["loss_error"] == 1e-13
    assert found["path_smoothness_error"] == pytest.approx(
        (2e-13 + 1e-12 * length) * 2 / length**2, rel=1e-12
    )
    assert found["gradient_square_norm_error"] == pytest.approx(
        1e-12 * (2 * size + 1e-12), rel=1e-12
    )
    assert network.is_curved == math.isnan(found["gradient_ratio"])
    names = NetworkFunction("GPT", network, 99).names["blocks"].split("\n")
    assert len(names) == len(blocks) == len(set(names))
    assert names[0] == f"{network.sites[0].name} {blocks[0].name}"


@pytest.mark.parametrize("kind", ["lora", "loreft", "dora"])
def test_rounding_is_that_of_the_type_and_leaves_the_parameters_alone(kind):
    network = network_of(kind)
    estimates = {}
    for dtype in (torch.float64, torch.float32):
        model = copy.deepcopy(network.model).to(dtype)
        other = Network(model, sites_of(model), network.task, 2)
        before = [parameter.clone() for parameter in other.parameters]
        estimates[dtype] = rounding_of(other)
        assert equal(other.parameters, before)
    loss = network.look().loss
    size = math.sqrt(network.look().square_norm)
    assert 1e-17 < estimates[torch.float64].loss / loss < 1e-13
    assert 1e-9 < estimates[torch.float32].loss / loss < 1e-4
    assert 1e-17 < estimates[torch.float64].gradient / size < 1e-11
    assert 1e-9 < estimates[torch.float32].gradient / size < 1e-2


def test_rounding_covers_the_errors_of_float32():
    """Here known, from the same numbers in float64."""
    exact = network_of("lora")
    for seed in range(4):
        u = random_direction(exact, seed)
        exact.write(
            tuple((x + 0.1 * y).float().double() for x, y in zip(exact.point(), u, strict=True))
        )
        # Frozen weights and points that float32 has, so that what differs are the operations.
        model = exact.model.float()
        single = Network(model, sites_of(model), exact.task, 2)
        rounding = rounding_of(single)
        look = single.look()
        exact = Network(model.double(), sites_of(model), exact.task, 2)
        true = exact.look()
        assert abs(look.loss - true.loss) <= rounding.loss
        assert (flat(look.gradient) - flat(true.gradient)).norm().item() <= rounding.gradient


class InSingle(nn.Module):
    """A layer that computes in float32 whatever it is given, as some losses and norms of large
    models do."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer.float()

    def forward(self, x):
        return self.layer(x.float()).double()


def test_a_model_that_computes_in_float32_inside_is_found_out():
    network = network_of("lora")
    honest = rounding_of(network)
    network.model.norm = InSingle(network.model.norm)
    assert network.point()[0].dtype == network.parameters[0].dtype == torch.float64
    found = rounding_of(network)
    assert 1e-9 < found.loss / network.look().loss < 1e-5
    assert found.loss > 1e4 * honest.loss
    assert found.gradient > 1e4 * honest.gradient


def test_the_spectral_norm_of_a_large_matrix_is_repeatable_and_draws_from_no_generator():
    X = torch.randn(1030, 1040, generator=seeded(1), dtype=torch.float64)
    X[0] += 3 * X[1:40].sum(0)
    state = torch.get_rng_state()
    found = functions._spectral(X)
    exact = torch.linalg.matrix_norm(X, 2).item()
    assert 0.99 * exact <= found <= exact * (1 + 1e-12)
    assert torch.equal(torch.get_rng_state(), state)
    assert functions._spectral(X) == found
