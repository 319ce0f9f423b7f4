"""What is read off a step, against closed forms; and how far rounding may move it."""

import copy
import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from boundcheck.functions.arithmetic import Point
from boundcheck.functions.networks.adapt import adapt, sites_of
from boundcheck.functions.networks.function import (
    OBSERVABLES,
    Rounding,
    _spectral,
    block_names,
    block_norms,
    observe,
    rounding_of,
    top_curvatures,
    weights_of,
)
from boundcheck.functions.networks.network import Network
from tests.layers import sampled

from .small import KINDS, flat, network_of, random_direction, seeded

D, K, SAMPLES = 4, 3, 6


class Squares:
    """Half the squared distance of a linear map's outputs from targets: F is known to the last digit."""

    name, units, samples = "squares", "", SAMPLES

    def __init__(self) -> None:
        random = np.random.default_rng(0)
        self.X, self.Y = random.standard_normal((SAMPLES, K)), random.standard_normal((SAMPLES, D))

    def losses(self, model: nn.Module, indices: Tensor) -> Tensor:
        like = next(model.parameters())
        x, y = (torch.tensor(z).to(like)[indices] for z in (self.X, self.Y))
        return (model(x) - y).square().sum(1) / 2

    def hits(self, model: nn.Module, indices: Tensor) -> Tensor:
        return torch.zeros(len(indices))

    @property
    def covariance(self) -> np.ndarray:
        return self.X.T @ self.X / SAMPLES

    def value(self, W: np.ndarray) -> Any:
        """F in long floats."""
        gap = self.X.astype(np.longdouble) @ W.astype(np.longdouble).T - self.Y
        return (gap * gap).sum() / (2 * SAMPLES)


def linear(kind: str, scale: float = 1.5) -> Network:
    """Linear regression through an adapter."""
    generator = seeded(1)
    model = nn.Sequential(nn.Linear(K, D, bias=False).double())
    with torch.no_grad():
        model[0].weight.copy_(torch.randn(D, K, generator=generator))
    adapt(model, kind, ["0"], None if kind == "full" else 2, scale, 1.0, generator)
    network = Network(model, sites_of(model), Squares(), 4)
    network.write(tuple(torch.randn(part.shape, generator=generator, dtype=part.dtype) for part in network.point()))
    return network


def seen(network: Network, step: Point, rounding: Rounding | None = None) -> dict[str, Any]:
    v, look = network.point(), network.look()
    network.write(network.retract(v, step))
    after, look_next = network.point(), network.look()
    network.write(v)
    return observe(network, v, after, look, look_next, rounding or rounding_of(network))


def exact_smoothness(network: Network, step: Point) -> tuple[Any, Any]:
    """That of F and of f along a step of LoRA, at 64 bits of mantissa."""
    adapter, task = network.sites[0].adapter, network.task
    A, B, dA, dB = (x[0].numpy().astype(np.longdouble) for x in (*network.point(), *step))
    s, W0 = np.longdouble(adapter.scale), adapter.W0.numpy().astype(np.longdouble)
    change = s * (dB @ A + B @ dA + dB @ dA)
    X, Y = task.X.astype(np.longdouble), task.Y.astype(np.longdouble)
    slope = ((X @ (W0 + s * B @ A).T - Y).T @ X) / SAMPLES
    bend = ((X @ change.T) ** 2).sum() / SAMPLES
    # F(v') - F(v) - <∇F, Δ>: what is of second order in W, and the part of the change that is of second order in v.
    second = s * (dB @ dA)
    return (bend + 2 * (slope * second).sum()) / ((dA**2).sum() + (dB**2).sum()), bend / (change**2).sum()


@sampled(3)
@pytest.mark.parametrize("length", [1.0, 1e-2, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8])
def test_smoothness_along_a_step_of_lora_is_the_exact_one_within_its_error(length: float) -> None:
    network = linear("lora")
    u = random_direction(network)
    step = tuple(length * part / flat(u).norm() for part in u)
    # The step that floating point takes.
    v = network.point()
    taken = tuple((x + y) - x for x, y in zip(v, step, strict=True))
    found, (in_v, in_w) = seen(network, step), exact_smoothness(network, taken)
    assert found["step_length"] == pytest.approx(length, rel=1e-6)
    assert abs(found["path_smoothness"] - in_v) <= found["path_smoothness_error"]
    assert abs(found["weight_smoothness"] - in_w) <= found["weight_smoothness_error"]
    # An error that says something, as long as the step does.
    if length >= 1e-4:
        assert found["path_smoothness_error"] < 1e-3 * abs(in_v)
        assert found["path_smoothness"] == pytest.approx(float(in_v), rel=1e-3)
        assert found["weight_smoothness"] == pytest.approx(float(in_w), rel=1e-3)


def test_smoothness_of_full_fine_tuning_is_that_of_the_covariance() -> None:
    network = linear("full")
    step = random_direction(network)
    found = seen(network, step)
    d = step[0][0].numpy()
    expected = np.trace(d @ network.task.covariance @ d.T) / (d**2).sum()
    assert found["path_smoothness"] == pytest.approx(expected, rel=1e-12)
    assert found["weight_smoothness"] == pytest.approx(expected, rel=1e-12)
    turned = np.linalg.norm(d @ network.task.covariance) / np.linalg.norm(d)
    assert found["gradient_ratio"] == pytest.approx(turned, rel=1e-12)
    values, vectors = np.linalg.eigh(network.task.covariance)
    for place in (0, -1):
        along = torch.tensor(np.outer(np.ones(D), vectors[:, place]))[None]
        assert seen(network, (along,))["path_smoothness"] == pytest.approx(values[place], rel=1e-10)


def test_errors_grow_as_the_step_shrinks() -> None:
    network, rounding = linear("lora"), Rounding(1e-12, 1e-11)
    u = random_direction(network)
    errors = [seen(network, tuple(t * part for part in u), rounding) for t in (1.0, 0.1, 0.01, 0.001)]
    for name in ("path_smoothness_error", "weight_smoothness_error"):
        values = [each[name] for each in errors]
        assert all(5 < y / x < 101 for x, y in pairwise(values))
    for each in errors:
        length = each["step_length"]
        assert each["path_smoothness_error"] == pytest.approx((2 * 1e-12 + 1e-11 * length) * 2 / length**2, rel=1e-12)
        size = math.sqrt(each["gradient_square_norm"])
        assert each["gradient_square_norm_error"] == pytest.approx(1e-11 * (2 * size + 1e-11), rel=1e-12)
        assert each["gradient_ratio_error"] == pytest.approx(2e-11 / length, rel=1e-12)
        assert each["loss_error"] == 1e-12


@pytest.mark.parametrize("kind", ["lora", "loreft"])
def test_a_step_of_length_0_has_smoothness_0(kind: str) -> None:
    network = network_of(kind)
    v = network.point()
    look = network.look()
    found = observe(network, v, v, look, look, Rounding(1e-12, 1e-12))
    for name in ("step_length", "path_smoothness", "path_smoothness_error", "weight_smoothness"):
        assert found[name] == 0
    for name in ("gradient_ratio", "gradient_ratio_error"):
        assert math.isnan(found[name]) if network.is_curved else found[name] == 0


def test_a_step_to_no_number_is_observed_as_none() -> None:
    network = linear("lora")
    look, v = network.look(), network.point()
    after = tuple(part * math.nan for part in v)
    lost = replace(look, losses=look.losses * math.nan, gradient=tuple(part * math.nan for part in look.gradient))
    found = observe(network, v, after, look, lost, Rounding(1e-12, 1e-12))
    assert math.isnan(found["path_smoothness"])
    assert math.isnan(found["gradient_ratio"])
    assert math.isnan(found["step_length"])
    assert found["norm"] == [math.inf] * 2
    assert found["loss"] == look.loss


@sampled(4)
@pytest.mark.parametrize("kind", KINDS)
def test_everything_else_is_what_its_name_says(kind: str) -> None:
    network = network_of(kind)
    v, look = network.point(), network.look()
    g = network.batch_gradient(torch.tensor([0, 2]))
    step = tuple(-0.05 * part for part in g)
    found = seen(network, step, Rounding(1e-13, 1e-12))
    after = network.retract(v, step)
    assert set(found) | {"noise_variance", "conditional_bias", "conditional_bias_error"} == set(OBSERVABLES)
    moved = flat(after) - flat(v)
    assert found["step_length"] == pytest.approx(moved.norm().item(), rel=1e-9)
    assert found["slope"] == pytest.approx((flat(look.gradient) * moved).sum().item(), rel=1e-9)
    assert found["loss"] == look.loss
    assert found["gradient_square_norm"] == pytest.approx(flat(look.gradient).square().sum().item(), rel=1e-12)
    for place, M in enumerate(look.weight_gradients):
        assert found["weight_gradient_spectral"][place] == pytest.approx(np.linalg.norm(M.numpy(), 2), rel=1e-9)
        assert found["weight_gradient_frobenius"][place] == pytest.approx(np.linalg.norm(M.numpy()), rel=1e-12)
    blocks = [block for site in network.sites for block in site.adapter.blocks]
    ends = [
        [part for site, at in zip(network.sites, network.split(x), strict=True) for part in site.adapter.bounded(at)]
        for x in (v, after)
    ]
    for norm, block, x, y in zip(found["norm"], blocks, *ends, strict=True):
        sizes = [np.abs(z[0]).max() if block.norm == "max" else np.linalg.norm(z[0], 2) for z in (x.numpy(), y.numpy())]
        assert norm == pytest.approx(max(sizes), rel=1e-9)
        if block.norm == "orthonormal":
            assert norm == pytest.approx(1, rel=1e-12)
    larger = np.maximum(block_norms(network, v), block_norms(network, after))
    assert found["norm"] == pytest.approx(larger, rel=1e-12)
    network.write(after)
    F = network.losses().mean().item()
    network.write(v)
    expected = 2 * (F - look.loss - (flat(look.gradient) * moved).sum().item()) / moved.square().sum().item()
    assert found["path_smoothness"] == pytest.approx(expected, rel=1e-6)
    if not network.is_curved:
        network.write(after)
        turned = flat(network.batch_gradient(torch.arange(network.task.samples))) - flat(look.gradient)
        network.write(v)
        assert found["gradient_ratio"] == pytest.approx((turned.norm() / moved.norm()).item(), rel=1e-9)
        assert found["gradient_ratio_error"] == pytest.approx(2e-12 / moved.norm().item(), rel=1e-9)
    assert network.is_curved == math.isnan(found["gradient_ratio"])
    names = block_names(network.sites)
    assert len(names) == len(blocks) == len(set(names))
    assert names[0] == f"{network.sites[0].name} {blocks[0].name}"


@pytest.mark.parametrize("kind", KINDS)
def test_weights_are_those_that_the_network_has(kind: str) -> None:
    network = network_of(kind)
    for site, W in zip(network.sites, weights_of(network, network.point()), strict=True):
        x = torch.randn(2, 8, generator=seeded(0), dtype=torch.float64)
        bias = 0 if site.affine or site.module.bias is None else site.module.bias
        expected = site.inputs(x)[:, 0] @ W.T + bias
        torch.testing.assert_close(site.module(x).detach(), expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("kind", ["lora", "loreft", "vera"])
def test_rounding_is_that_of_the_type_and_leaves_the_parameters_alone(kind: str) -> None:
    network = network_of(kind)
    estimates = {}
    for dtype in (torch.float64, torch.float32):
        model = copy.deepcopy(network.model).to(dtype)
        other = Network(model, sites_of(model), network.task, 2)
        before = [parameter.clone() for parameter in other.parameters]
        estimates[dtype] = rounding_of(other)
        assert all(torch.equal(x, y) for x, y in zip(other.parameters, before, strict=True))
    loss, size = network.look().loss, math.sqrt(network.look().square_norm)
    assert 1e-17 < estimates[torch.float64].loss / loss < 1e-13
    assert 1e-9 < estimates[torch.float32].loss / loss < 1e-4
    assert 1e-17 < estimates[torch.float64].gradient / size < 1e-11
    assert 1e-9 < estimates[torch.float32].gradient / size < 1e-2


def test_rounding_covers_the_errors_of_float32() -> None:
    """Here known, from the same numbers in float64."""
    exact = network_of("lora")
    for seed in range(4):
        u = random_direction(exact, seed)
        exact.write(tuple((x + 0.1 * y).float().double() for x, y in zip(exact.point(), u, strict=True)))
        # Frozen weights and points that float32 has, so that what differs are the operations.
        model = exact.model.float()
        single = Network(model, sites_of(model), exact.task, 2)
        rounding, look = rounding_of(single), single.look()
        exact = Network(model.double(), sites_of(model), exact.task, 2)
        true = exact.look()
        assert abs(look.loss - true.loss) <= rounding.loss
        assert (flat(look.gradient) - flat(true.gradient)).norm().item() <= rounding.gradient


class InSingle(nn.Module):
    """A layer that computes in float32 whatever it is given, as some losses and norms of large models do."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer.float()

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x.float()).double()


def test_a_model_that_computes_in_float32_inside_is_found_out() -> None:
    network = network_of("lora")
    honest = rounding_of(network)
    network.model.norm = InSingle(network.model.norm)
    assert network.point()[0].dtype == network.parameters[0].dtype == torch.float64
    found = rounding_of(network)
    assert 1e-9 < found.loss / network.look().loss < 1e-5
    assert found.loss > 1e4 * honest.loss
    assert found.gradient > 1e4 * honest.gradient


def test_curvatures_of_linear_regression_are_those_of_the_covariance() -> None:
    network = linear("full")
    largest = np.linalg.eigvalsh(network.task.covariance)[-1]
    assert top_curvatures(network, np.random.default_rng(1), 1e-10) == pytest.approx((largest, largest), rel=1e-9)


def test_the_spectral_norm_of_a_large_matrix_is_repeatable_and_draws_from_no_generator_of_others() -> None:
    X = torch.randn(1030, 1040, generator=seeded(1), dtype=torch.float64)
    X[0] += 3 * X[1:40].sum(0)
    state = torch.get_rng_state()
    found = _spectral(X)
    exact = torch.linalg.matrix_norm(X, 2).item()
    assert 0.99 * exact <= found <= exact * (1 + 1e-12)
    assert torch.equal(torch.get_rng_state(), state)
    assert _spectral(X) == found
