"""F and its derivatives, for every kind of adapter in a small GPT, against naive twins.

The twins are autograd on all samples at once and on one at a time, whole Hessians, and a copy of
the network that has one matrix in the place of each adapter.
"""

import copy

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given
from torch import nn

from boundcheck.errors import InputError
from boundcheck.functions.arithmetic import inner
from boundcheck.functions.networks.adapt import sites_of
from boundcheck.functions.networks.function import top_curvatures
from boundcheck.functions.networks.network import Leaf, Network, probed
from tests.layers import examples, full

from . import small
from .small import (
    KINDS,
    adapted,
    equal,
    flat,
    mean_loss,
    merged,
    network_of,
    random_direction,
    random_point,
)

each_kind = pytest.mark.parametrize("kind", KINDS)
each_flat_kind = pytest.mark.parametrize("kind", small.FLAT)


def close(got, expected, rtol=1e-11):
    assert [part.shape for part in got] == [part.shape for part in expected]
    size = flat(expected).norm().item()
    assert size > 0
    assert (flat(got) - flat(expected)).norm().item() <= rtol * size


def weight_direction(network, seed=6):
    generator = torch.Generator().manual_seed(seed)
    shapes = [site.adapter.W0.shape for site in network.sites]
    return tuple(torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes)


def gradient_of(network, loss):
    """By autograd, as blocks; Riemannian where the domain is curved."""
    left = iter(torch.autograd.grad(loss, network.parameters))
    blocks = tuple(next(left).unsqueeze(0) for site in network.sites for _ in site.adapter.blocks)
    return network.tangent(network.point(), blocks)


@each_kind
def test_a_look_is_what_autograd_says_of_all_samples_at_once_and_of_each(kind):
    network = network_of(kind)
    look = network.look()
    expected = mean_loss(network)
    assert look.loss == pytest.approx(expected.item(), rel=1e-14)
    gradient = gradient_of(network, expected)
    close(look.gradient, gradient)
    close(network.batch_gradient(torch.arange(5)), gradient)
    assert look.square_norm == pytest.approx(flat(gradient).square().sum().item(), rel=1e-11)
    torch.testing.assert_close(network.losses(), look.losses, rtol=1e-14, atol=0)
    losses = [network.task.losses(network.model, torch.tensor([i]))[0] for i in range(5)]
    gradients = torch.stack([flat(gradient_of(network, loss)) for loss in losses])
    torch.testing.assert_close(look.losses, torch.stack(losses).detach(), rtol=1e-12, atol=0)
    torch.testing.assert_close(look.sample_squares, gradients.square().sum(1), rtol=1e-11, atol=0)
    variance = (gradients - gradients.mean(0)).square().sum(1).mean().item()
    assert variance > 1e-3 * look.square_norm
    assert look.variance == pytest.approx(variance, rel=1e-10)


@examples(12)
@given(
    st.sampled_from(sorted(KINDS)),
    st.lists(st.integers(0, 4), min_size=1, max_size=8),
    st.integers(1, 9),
    st.sampled_from([0.25, 1.0, 8.0]),
)
def test_samples_count_as_often_as_they_are_named(kind, indices, chunk, scale):
    network = network_of(kind, chunk=chunk, scale=scale)
    look = network.look(torch.tensor(indices))
    whole = network.look()
    alone = [network.batch_gradient(torch.tensor([i])) for i in range(5)]
    mean = tuple(
        sum(alone[i][place] for i in indices) / len(indices) for place in range(len(alone[0]))
    )
    close(look.gradient, mean, 1e-10)
    close(network.batch_gradient(torch.tensor(indices)), mean, 1e-10)
    torch.testing.assert_close(look.losses, whole.losses[indices], rtol=1e-12, atol=0)
    torch.testing.assert_close(
        look.sample_squares, whole.sample_squares[indices], rtol=1e-10, atol=1e-300
    )


@each_kind
def test_weight_gradients_are_those_of_one_matrix_a_site(kind):
    network = network_of(kind)
    found = network.look().weight_gradients
    model, names = merged(network)
    weights = [model.get_parameter(name) for name in names]
    loss = mean_loss(network, model)
    torch.testing.assert_close(loss, mean_loss(network), rtol=1e-13, atol=0)
    close(found, torch.autograd.grad(loss, weights))
    with probed(network.sites) as probes:
        close(found, torch.autograd.grad(mean_loss(network), probes))


@each_flat_kind
def test_products_are_those_of_the_whole_hessian(kind):
    network = network_of(kind)
    hessian = small.dense_hessian(network)
    for seed in (4, 5):
        u = random_direction(network, seed)
        product = network.hessian_vector_product(u)
        assert [part.shape for part in product] == [part.shape for part in u]
        torch.testing.assert_close(
            flat(product), hessian @ flat(u), rtol=0, atol=1e-11 * hessian.norm().item()
        )


def second_difference(network, u, step):
    """The second derivative of F along retractions, right to fourth order."""
    v = network.point()
    losses = []
    for t in (-2, -1, 0, 1, 2):
        network.write(network.retract(v, tuple(t * step * part for part in u)))
        losses.append(mean_loss(network).item())
    network.write(v)
    return (16 * (losses[1] + losses[3]) - losses[0] - losses[4] - 30 * losses[2]) / (12 * step**2)


@each_kind
def test_products_are_symmetric_and_those_of_losses_along_a_retraction(kind):
    """The polar retraction is one of second order: along it F bends as along a geodesic."""
    network = network_of(kind)
    x, y = (network.tangent(network.point(), random_direction(network, seed)) for seed in (4, 5))
    forth, back = (inner(a, network.hessian_vector_product(b)).item() for a, b in ((x, y), (y, x)))
    assert abs(forth) > 1e-4
    assert forth == pytest.approx(back, rel=1e-10)
    found = inner(x, network.hessian_vector_product(x)).item()
    assert found == pytest.approx(second_difference(network, x, 2e-4), rel=1e-5)


def test_products_of_loreft_see_and_give_the_tangent_part_alone():
    network = network_of("loreft")
    v = network.point()
    u = random_direction(network)
    product = network.hessian_vector_product(u)
    close(product, network.hessian_vector_product(network.tangent(v, u)))
    close(product, network.tangent(v, product))
    # The direction was no tangent.
    assert flat(u).norm() > 1.01 * flat(network.tangent(v, u)).norm()


@pytest.mark.parametrize("kind", ["lora", "full", "loreft"])
def test_products_in_the_weights_are_those_of_the_whole_hessian(kind):
    network = network_of(kind)
    hessian = small.hessian_in(network, *merged(network))
    for u in (weight_direction(network), weight_direction(network, 7)):
        product = network.weight_hessian_vector_product(u)
        assert [part.shape for part in product] == [part.shape for part in u]
        torch.testing.assert_close(
            flat(product), hessian @ flat(u), rtol=0, atol=1e-11 * hessian.norm().item()
        )


def test_accuracy_is_the_share_of_next_tokens_that_were_the_likeliest():
    network = network_of("lora")
    ids = network.task.ids
    right = 0
    for row in ids:
        likeliest = network.model(row[None, :-1])[0].argmax(1)
        right += sum(int(x == y) for x, y in zip(likeliest, row[1:], strict=True))
    assert network.accuracy() == pytest.approx(right / (5 * small.SHAPE.context), rel=1e-14)


@each_kind
def test_what_is_written_is_read_back(kind):
    network = network_of(kind)
    v = random_point(network, seed=9)
    network.write(v)
    assert equal(network.point(), v)
    # A copy: it does not follow the parameters.
    read = network.point()
    network.write(tuple(part + 1 for part in v))
    assert torch.equal(read[0], v[0])


def with_dropout():
    """In training, all but one module of it, with dropout before the head."""
    model = adapted("lora")
    model.norm = nn.Sequential(model.norm, nn.Dropout(0.5))
    network = Network(model.train(), sites_of(model), small.windows(), 2)
    network.write(random_point(network))
    model.blocks[0].eval()
    return network


def modes(network):
    return [module.training for module in network.model.modules()]


USES = {
    "losses": lambda network: [network.losses()],
    "accuracy": lambda network: [torch.tensor(network.accuracy())],
    "batch_gradient": lambda network: network.batch_gradient(torch.arange(5)),
    "look": lambda network: [(look := network.look()).losses, *look.gradient],
    "in v": lambda network: network.hessian_vector_product(random_direction(network)),
    "in W": lambda network: network.weight_hessian_vector_product(weight_direction(network)),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_there_is_no_dropout_and_modes_and_hooks_are_left_as_they_were(use):
    """Also after an error."""
    network = with_dropout()
    before = modes(network)
    assert len(set(before)) == 2
    assert mean_loss(network) != mean_loss(network)
    torch.testing.assert_close(network.losses(), network_of("lora").losses(), rtol=1e-13, atol=0)
    assert equal(use(network), use(network))
    assert modes(network) == before
    failing = network.model.head.register_forward_pre_hook(lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        use(network)
    failing.remove()
    assert modes(network) == before
    assert not any(site.module._forward_hooks for site in network.sites)


def test_looking_leaves_parameters_gradients_and_generators_alone():
    network = with_dropout()
    state = torch.get_rng_state()
    v = network.point()
    network.look()
    network.hessian_vector_product(random_direction(network))
    network.batch_gradient(torch.arange(2))
    assert equal(network.point(), v)
    assert all(parameter.grad is None for parameter in network.model.parameters())
    assert torch.equal(torch.get_rng_state(), state)


def units():
    """What multiplies matrices, each with a precision of its own."""
    return torch.backends.cuda.matmul, torch.backends.cudnn.conv, torch.backends.cudnn.rnn


@pytest.fixture
def precisions_restored():
    every = (torch.backends, *units())
    legacy = (torch.backends.cuda.matmul, torch.backends.cudnn)
    before = [each.fp32_precision for each in every]
    allowed = [each.allow_tf32 for each in legacy]
    yield
    for each, value in zip(legacy, allowed, strict=True):
        each.allow_tf32 = value
    for each, value in zip(every, before, strict=True):
        each.fp32_precision = value


@pytest.mark.parametrize("way", ["as it used to be set", "as a Trainer sets it"])
def test_there_is_no_tf32_and_what_was_set_is_left(way, precisions_restored):
    if way == "as it used to be set":
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    else:
        # Each follows what is set for all, unless it was set itself, as by a run of boundcheck
        # before.
        for unit in units():
            unit.fp32_precision = "none"
        torch.backends.fp32_precision = "tf32"
    network = network_of("lora")
    seen = []
    before = [unit.fp32_precision for unit in units()]
    assert before == ["tf32"] * 3
    network.model.head.register_forward_pre_hook(
        lambda *_: seen.extend(unit.fp32_precision for unit in units())
    )
    network.look()
    assert seen
    assert "tf32" not in seen
    assert [unit.fp32_precision for unit in units()] == before


@each_kind
def test_a_model_in_float32_is_seen_as_one_in_float64(kind):
    network = network_of(kind)
    model = copy.deepcopy(network.model).float()
    single = Network(model, sites_of(model), network.task, 2)
    exact = network.look()
    look = single.look()
    assert look.losses.dtype == torch.float64
    assert look.sample_squares.dtype == torch.float64
    assert look.gradient[0].dtype == torch.float64
    assert look.weight_gradients[0].dtype == torch.float64
    close((look.losses,), (exact.losses,), 1e-5)
    close((look.sample_squares,), (exact.sample_squares,), 1e-3)
    close(look.gradient, exact.gradient, 1e-3)
    close(look.weight_gradients, exact.weight_gradients, 1e-3)
    close(single.batch_gradient(torch.arange(5)), exact.gradient, 1e-3)
    u = random_direction(network)
    W = weight_direction(network)
    close(single.hessian_vector_product(u), network.hessian_vector_product(u), 1e-2)
    close(single.weight_hessian_vector_product(W), network.weight_hessian_vector_product(W), 1e-2)


class Wrapped(nn.Module):
    """A layer that is used in some way of its own."""

    def __init__(self, layer, use):
        super().__init__()
        self.layer = layer
        self.use = use

    def forward(self, x):
        return self.use(self.layer, x)


def wrapping(use, kind="lora"):
    """The GPT with a layer that is used in this way."""
    model = adapted(kind)
    model.blocks[0].attention.out = Wrapped(model.blocks[0].attention.out, use)
    network = Network(model, sites_of(model), small.windows(), 2)
    network.write(random_point(network))
    return network


@torch.no_grad()
def without_gradients(layer, x):
    return layer(x)


MISUSED = {
    # As in models whose samples are the second axis.
    "turned": (
        lambda layer, x: layer(x.transpose(0, 1)).transpose(0, 1),
        " = a module: expected inputs and outputs",
    ),
    "never called": (lambda layer, x: x, ""),
    "called without gradients": (without_gradients, ""),
}


@pytest.mark.parametrize("use, words", MISUSED.values(), ids=MISUSED)
def test_a_site_without_gradients_of_samples_is_named(use, words):
    network = wrapping(use)
    with pytest.raises(InputError, match=rf"blocks\.0\.attention\.out\.layer{words}"):
        network.look()
    assert not any(site.module._forward_hooks for site in network.sites)


@pytest.mark.parametrize("kind", ["lora", "dora"])
def test_a_site_that_is_used_twice_has_the_gradients_of_both_uses(kind):
    network = wrapping(lambda layer, x: layer(torch.tanh(layer(x))), kind)
    look = network.look()
    close(look.gradient, gradient_of(network, mean_loss(network)))
    alone = [network.task.losses(network.model, torch.tensor([i]))[0] for i in range(5)]
    squares = torch.stack([flat(gradient_of(network, loss)).square().sum() for loss in alone])
    torch.testing.assert_close(look.sample_squares, squares, rtol=1e-11, atol=0)
    # As a function of W, which both uses share.
    with probed(network.sites) as probes:
        close(look.weight_gradients, torch.autograd.grad(mean_loss(network), probes))


@full
@pytest.mark.parametrize("kind", ["lora", "direft", "loreft"])
def test_curvatures_are_those_of_the_whole_hessians(kind):
    network = network_of(kind)
    in_v, in_w = top_curvatures(network, np.random.default_rng(0), 1e-8)
    if kind == "loreft":
        units = torch.eye(flat(network.point()).numel(), dtype=torch.float64)
        sizes = [part.numel() for part in network.point()]
        rows = []
        for unit in units:
            parts = zip(unit.split(sizes), network.point(), strict=True)
            rows.append(flat(network.hessian_vector_product(tuple(x.view_as(y) for x, y in parts))))
        hessian = torch.stack(rows)
    else:
        hessian = small.dense_hessian(network)
    assert in_v == pytest.approx(torch.linalg.eigvalsh(hessian).abs().max().item(), rel=1e-6)
    in_weights = small.hessian_in(network, *merged(network))
    assert in_w == pytest.approx(torch.linalg.eigvalsh(in_weights).abs().max().item(), rel=1e-6)


def test_the_fields_of_a_leaf_are_those_that_ids_of_runs_are_made_of():
    """By a hash of them a run of a network is found again."""
    assert list(vars(Leaf(torch.ones(2, 1)))) == ["parameter", "transposed"]


@pytest.mark.parametrize("kind", ["lora", "dora"])
def test_samples_at_a_time_are_as_many_as_fit_and_change_nothing(kind, monkeypatch):
    from boundcheck.functions.networks import network as module

    whole = network_of(kind, samples=8, chunk=8)
    looks = []
    for room in (8, 7, 3, 1, 0.5):
        monkeypatch.setattr(
            module, "available", lambda device, room=room: room * whole.sample_bytes
        )
        made = Network.fitting(whole.model, whole.sites, whole.task, 8)
        assert made.chunk == {8: 8, 7: 4, 3: 2, 1: 1, 0.5: 1}[room]
        looks.append(made.look())
    for look in looks[1:]:
        torch.testing.assert_close(look.losses, looks[0].losses, rtol=1e-12, atol=0)
        torch.testing.assert_close(
            flat(look.gradient), flat(looks[0].gradient), rtol=1e-10, atol=1e-14
        )
        torch.testing.assert_close(look.sample_squares, looks[0].sample_squares, rtol=1e-10, atol=0)


@full
def test_a_sample_takes_what_is_said_of_it_to_within_a_factor():
    """At least what torch counts of a look, as it grows with its samples, and at most four
    times."""
    from torch.profiler import ProfilerActivity, profile

    def most(chunk):
        network = network_of("lora", samples=32, chunk=chunk)
        network.look()
        with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as found:
            network.look(torch.arange(chunk))
        events = [
            each for each in found.profiler.kineto_results.events() if each.name() == "[memory]"
        ]
        changes = [each.nbytes() for each in sorted(events, key=lambda each: each.start_ns())]
        return int(np.cumsum(changes).max())

    assert 1 <= network_of("lora").sample_bytes / ((most(32) - most(8)) / 24) <= 4
