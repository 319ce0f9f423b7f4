"""`NetworkFunction`: F of a network over R replicas, which differ in v alone, what is observed, and
how it is made.

The network holds one point at a time, so replicas are computed one by one. A point is first rounded
to the network's type, and everything is measured at the rounded point.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from scipy.sparse.linalg import ArpackError
from torch import Tensor

from boundcheck.functions.adapters.base import cast_to
from boundcheck.functions.arithmetic import (
    Bounds,
    Point,
    apart,
    euclidean_norm,
    gradient_ratio,
    inner,
    joined,
    replica,
    seeded,
    spectral_norm,
    square_norm,
)
from boundcheck.functions.networks.adapt import adapt, sites_of
from boundcheck.functions.networks.corpora import Loaded, Task
from boundcheck.functions.networks.network import Evaluation, Network, narrow_of, widened
from boundcheck.functions.problem import OBSERVED, largest_eigenvalue
from boundcheck.functions.sgd import Draw
from boundcheck.language.function import Constant, Function, Observable
from boundcheck.system.limits import Demand, Tick, available, silent

# Estimates here are what bounds are where constants are known; what is of W is observed at each
# site.
OBSERVABLES = {
    name: Observable(meaning.replace("bound on", "estimate of"))
    for name, meaning in OBSERVED.items()
    if not name.startswith("weight_gradient") and name != "noise_variance_error"
} | {
    "gradient_ratio": Observable(f"{OBSERVED['gradient_ratio']}, on the same samples"),
    "weight_smoothness": Observable("path_smoothness of f, in the matrices W of all sites"),
    "weight_smoothness_error": Observable("estimate of the rounding error of weight_smoothness"),
    "weight_gradient_spectral": Observable(
        "spectral norm of the gradient of f in W at v_t", ("site",)
    ),
    "weight_gradient_frobenius": Observable(
        "Frobenius norm of the gradient of f in W at v_t", ("site",)
    ),
    "norm": Observable(
        "norm of the block, the larger of those at v_t and v_{t+1}: spectral, or the largest entry",
        ("block",),
    ),
}
"""What is observed at an audit, by name."""

LOOKS = {
    "curvature": "largest absolute eigenvalue of the Hessian of F, of the first replica",
    "weight_curvature": "the same of f, jointly in the matrices W of all sites",
}
"""What is observed at a few iterates."""

# Above this size, a randomised decomposition finds the spectral norm, which is then a lower
# estimate.
_LARGEST = 1024
# The vectors that Lanczos keeps. For one part in a hundred, it then needs half as many products as
# with SciPy's 20.
_SUBSPACE = 8
# Relative accuracy of Lanczos: its result is a lower estimate anyway.
_TOLERANCE = 0.01
# For the estimate of rounding errors: samples, points on a line, order of the differences, standard
# deviations.
_SAMPLES = 16
_POINTS = 7
_ORDER = 4
_MARGIN = 4.0


@dataclass(frozen=True)
class Rounding:
    """Estimates of the rounding error of F, and of the norm of the gradient's, at one point, by how
    they scatter.
    """

    loss: float
    gradient: float
    # Of the gradient, by how far it is from that in double precision; infinite where these were not
    # compared.
    held: float = math.inf


def rounding_of(network: Network) -> Rounding:
    r"""Estimate the rounding errors of F and its gradient by differences of order k = 4 along a
    line of seven points.

    Differences of a smooth function of that order vanish with the step; what is left is noise, and
    has the standard deviation :math:`\sqrt{(2k)!}/k!` times that of a value. So it counts every
    rounding on the way, whatever type it happens in. It is taken over 16 samples, as four standard
    deviations for safety: an estimate, no bound. The mean of the samples' losses has no larger
    deviation than the root of their mean variance, which is known much better than that of a single
    number.

    Where weights are in bfloat16 or float16, steps that are too short to change what is rounded
    would show no noise. So there the estimate is at least the distance of loss and gradient from
    those in single precision at the same weights, with the same margin, and at least a unit of
    roundoff of both. Where memory is too small for that, it is at least the size of loss and
    gradient themselves.

    Source: Moré and Wild, "Estimating computational noise", SIAM J. Sci. Comput. 33 (2011).
    """
    random = seeded(0)
    samples = torch.arange(min(_SAMPLES, network.task.samples), device=network.device)
    v = network.point()
    u = tuple(torch.randn(part.shape, generator=random, dtype=torch.float64).to(part) for part in v)
    spacing = torch.finfo(network.parameters[0].dtype).eps ** (1 / 3)
    size = max(euclidean_norm(v).item(), 1.0) / euclidean_norm(u).item()
    losses = []
    gradients = []
    for place in range(_POINTS):
        network.write(network.retract(v, tuple(place * spacing * size * part for part in u)))
        look = network.look(samples)
        losses.append(look.losses / math.sqrt(len(look.losses)))
        gradients.append(torch.cat([part.flatten() for part in look.gradient]))
    network.write(v)
    loss = _noise(torch.stack(losses))
    gradient = _noise(torch.stack(gradients))
    if not (narrow := narrow_of(network.model)):
        return Rounding(loss, gradient, _from_double(network, samples))
    look = network.look(samples)
    unit = max(torch.finfo(x.dtype).eps for x in narrow) / 2
    if 4 * sum(x.numel() for x in narrow) > available(str(network.device)):
        return Rounding(max(loss, look.loss), max(gradient, math.sqrt(look.square_norm)))
    with widened(network.model):
        wide = network.look(samples)
    off = (look.losses - wide.losses).square().mean().sqrt().item()
    gap = euclidean_norm(apart(look.gradient, wide.gradient)).item()
    return Rounding(
        max(loss, _MARGIN * off, unit * wide.loss),
        max(gradient, _MARGIN * gap, unit * math.sqrt(wide.square_norm)),
    )


def _from_double(network: Network, samples: Tensor) -> float:
    """The distance of the gradient in single precision from that in double at the same weights,
    with the same margin.

    It is measured close to the first iterate and not there: at B = 0, half of LoRA's gradient is
    exactly 0. In a network with kinks, such as one with ReLU, a gradient scatters by more than its
    rounding, and this tells the rounding alone.
    """
    every = list(network.model.parameters())
    v = network.point()
    single = torch.float32 in {x.dtype for x in every} and all(x.is_floating_point() for x in every)
    room = 8 * sum(x.numel() for x in every) <= available(str(network.device))
    if not (single and room) or network.is_curved or network.device.type == "mps":
        return math.inf
    random = seeded(1)
    spacing = torch.finfo(torch.float32).eps ** (1 / 3)
    away = tuple(
        spacing * torch.randn(part.shape, generator=random, dtype=torch.float64).to(part)
        for part in v
    )
    try:
        network.write(network.retract(v, away))
        look = network.look(samples)
        with widened(network.model, torch.float64):
            wide = network.look(samples)
    except RuntimeError:
        # What a model is made of may have no double precision.
        return math.inf
    finally:
        network.write(v)
    off = euclidean_norm(apart(look.gradient, wide.gradient)).item()
    size = math.sqrt(wide.square_norm)
    return max(_MARGIN * off, torch.finfo(torch.float32).eps * size)


def _noise(values: Tensor) -> float:
    """Four standard deviations of a vector's noise, from its values at equally spaced points, shape
    (points, n).
    """
    differences = torch.diff(values, n=_ORDER, dim=0)
    variance = (
        math.factorial(_ORDER) ** 2
        / math.factorial(2 * _ORDER)
        * differences.square().sum(1).mean().item()
    )
    return _MARGIN * math.sqrt(variance)


def weights_of(network: Network, v: Point) -> list[Tensor]:
    """W(v) at each site up to a constant, in float64, shape (d, k)."""
    parts = zip(network.sites, network.split(v), strict=True)
    return [
        cast_to(site.adapter, torch.float64, str(v[0].device)).weight(part)[0]
        for site, part in parts
    ]


def observe(
    network: Network,
    v: Point,
    v_next: Point,
    look: Evaluation,
    look_next: Evaluation,
    rounding: Rounding,
) -> dict[str, Any]:
    r"""The observables of the step from v to v_next; without noise and bias, which are the
    sampler's.

    Both smoothnesses are those of `Problem.observe`. In W the descent curvature is that of f, and a
    lower estimate of
    L. The gradient ratio loses less to rounding: the errors of two gradients are divided by the
    length of the step, and those of two losses by its square. Of `look`, all samples at v, and
    `look_next`, the same at v_next, v_next is held as the model holds it.
    """
    step = apart(v_next, v)
    length = euclidean_norm(step).item()
    slope = inner(look.gradient, step).item()
    changes = [
        y - x for x, y in zip(weights_of(network, v), weights_of(network, v_next), strict=True)
    ]
    moved = math.sqrt(sum(x.square().sum().item() for x in changes))
    turn = sum((x * y).sum().item() for x, y in zip(changes, look.weight_gradients, strict=True))
    size = math.sqrt(look.square_norm)
    in_v = _smoothness(look.loss, look_next.loss, slope, length, rounding.loss, rounding.gradient)
    # The gradient in W is computed from the same numbers, to about the same relative accuracy.
    weight_size = math.sqrt(sum(x.square().sum().item() for x in look.weight_gradients))
    relative = rounding.gradient / size if size > 0 else 0.0
    in_w = _smoothness(
        look.loss, look_next.loss, turn, moved, rounding.loss, relative * weight_size
    )
    ratio = gradient_ratio(v, v_next, look.gradient, look_next.gradient).item()
    # A gradient that scatters by more than rounding has kinks.
    ratio_error = 2 * min(rounding.gradient, rounding.held) / length if length else 0.0
    if network.is_curved:
        ratio = math.nan
        ratio_error = math.nan
    return {
        "loss": look.loss,
        "loss_error": rounding.loss,
        "gradient_square_norm": look.square_norm,
        "gradient_square_norm_error": rounding.gradient * (2 * size + rounding.gradient),
        "step_length": length,
        "slope": slope,
        "path_smoothness": in_v[0],
        "path_smoothness_error": in_v[1],
        "gradient_ratio": ratio,
        "gradient_ratio_error": ratio_error,
        "weight_smoothness": in_w[0],
        "weight_smoothness_error": in_w[1],
        "weight_gradient_spectral": [_spectral(x) for x in look.weight_gradients],
        "weight_gradient_frobenius": [x.norm().item() for x in look.weight_gradients],
        "norm": [
            max(x, y)
            for x, y in zip(block_norms(network, v), block_norms(network, v_next), strict=True)
        ],
    }


def _smoothness(
    loss: float,
    loss_next: float,
    slope: float,
    length: float,
    loss_error: float,
    gradient_error: float,
) -> tuple[float, float]:
    """The smoothness along a segment, and its error: that of two losses and of the gradient, over
    half its square.
    """
    half = length * length / 2
    if half == 0:
        return 0.0, 0.0
    return (loss_next - loss - slope) / half, (2 * loss_error + gradient_error * length) / half


def block_norms(network: Network, v: Point) -> list[float]:
    """The norm of every block, in order; 1 for orthonormal rows."""
    found = []
    for site, part in zip(network.sites, network.split(v), strict=True):
        for block, x in zip(site.adapter.blocks, site.adapter.bounded(part), strict=True):
            found.append(
                (x.abs().amax((-2, -1)) if block.norm == "max" else spectral_norm(x)).item()
            )
    return found


def _spectral(X: Tensor) -> float:
    if min(X.shape) <= _LARGEST:
        return spectral_norm(X.unsqueeze(0)).item()
    # It draws from torch's generator, which is then restored.
    with torch.random.fork_rng(devices=[X.device] if X.is_cuda else []):
        torch.manual_seed(0)
        return torch.svd_lowrank(X, q=6, niter=6)[1][0].item()


def top_curvatures(
    network: Network, random: np.random.Generator, tolerance: float, tick: Tick = silent
) -> tuple[float, float]:
    r"""Lower estimates of :math:`\|\nabla^2 F(v)\|` and :math:`\|\nabla^2 f(W)\|`, jointly in all
    sites, by Lanczos.

    Progress is counted in products; a restart may need more of them than the first round.
    """
    v = network.point()
    weights = tuple(
        torch.empty(site.adapter.W0.shape, device=network.device) for site in network.sites
    )
    done = 0

    def top(
        product: Callable[[Point], Point], like: Point, tangent: Callable[[Point], Point]
    ) -> float:
        def counted(u: Point) -> Point:
            nonlocal done
            done += 1
            tick("curvature", done, max(done, 2 * (_SUBSPACE + 2)))
            return product(u)

        try:
            return largest_eigenvalue(counted, like, random, tolerance, tangent, _SUBSPACE)
        except ArpackError:
            # A product was not finite.
            return math.nan

    return (
        top(network.hessian_vector_product, v, lambda u: network.tangent(v, u)),
        top(network.weight_hessian_vector_product, weights, lambda u: u),
    )


class NetworkFunction(Function):
    """F of a network and its samples.

    The network holds a point; `parameters` is how many numbers the model had before it was adapted,
    and `held_out` are samples that are not trained on, if there are any.
    """

    is_flat = False
    observables = OBSERVABLES
    looks = LOOKS
    infimum = Constant(0.0, "certified", "cross-entropy is nonnegative")

    def __init__(
        self, name: str, network: Network, parameters: int, held_out: Task | None = None
    ) -> None:
        """Take a network at its first iterate."""
        self.name = name
        self.units = network.task.units
        self.samples = network.task.samples
        self.network = network
        self.parameters = parameters
        self.held_out = held_out
        self.sites = network.sites
        blocks = [
            f"{site.name} {block.name}" for site in network.sites for block in site.adapter.blocks
        ]
        self.constants = {"infimum": self.infimum}
        # No radius bounds the norms of the blocks.
        self.norm_names = {"": "norm"}
        self.sizes = {"site": len(network.sites), "block": len(blocks)}
        self.names = {
            "sites": "\n".join(site.name for site in network.sites),
            "blocks": "\n".join(blocks),
        }
        trained = sum(parameter.numel() for parameter in network.parameters)
        self.facts = {"sites": len(network.sites), "trained": trained, "parameters": parameters}
        self._first = network.point()

    @classmethod
    def adapted(
        cls,
        loaded: Loaded,
        kind: str,
        targets: Sequence[str],
        rank: int | None,
        scale: float,
        gain: float,
        random: Any,
    ) -> "NetworkFunction":
        """F of a model with adapters of one kind at these targets, at the start that `random`
        draws, on the CPU.

        Raises InputError for a target or a rank that does not exist.
        """
        parameters = sum(parameter.numel() for parameter in loaded.model.parameters())
        adapt(loaded.model, kind, targets, rank, scale, gain, random)
        network = Network.fitting(loaded.model, sites_of(loaded.model), loaded.task)
        return cls(loaded.name, network, parameters, loaded.held_out)

    def initial(self, start: str, gain: float, random: torch.Generator) -> Point:
        """The network's first point, which was drawn when it was adapted."""
        return self._first

    def demands(self, replicas: int, batch: int, waiting: int) -> tuple[Demand, ...]:
        """The memory for the samples of a look, gradients in W of two looks, and the points of all
        replicas.
        """
        network = self.network
        weights = sum(site.adapter.W0.numel() for site in self.sites)
        return (
            Demand("model", self.name, network.chunk * network.sample_bytes + 3 * 8 * weights),
            Demand(
                "run.replicas",
                replicas,
                6 * 8 * replicas * sum(part.numel() for part in self._first) + waiting,
            ),
        )

    @cached_property
    def noise(self) -> Rounding:
        """Estimates of the rounding errors of F and its gradient, from their noise at the first
        iterate.
        """
        with _autograd():
            self.network.write(self._first)
            return rounding_of(self.network)

    def _each(self, v: Point, do: Callable[[int], Any]) -> list[Any]:
        """The results of a function for each of the points, with the network at that point."""
        found = []
        with _autograd():
            for i in range(len(v[0])):
                self.network.write(replica(v, i))
                found.append(do(i))
        return found

    def loss(self, v: Point) -> Tensor:
        return torch.stack(self._each(v, lambda i: self.network.losses().mean())).cpu()

    def gradient(self, v: Point) -> Point:
        return joined(self._each(v, lambda i: self.network.look().gradient))

    def batch_gradient(self, v: Point, indices: Tensor) -> Point:
        return joined(self._each(v, lambda i: self.network.batch_gradient(indices[i])))

    def mean_of_samples(self, v: Point, indices: Tensor) -> Point:
        return joined(self._each(v, lambda i: self.network.look(indices[i]).gradient))

    def sample_variance(self, v: Point) -> Tensor:
        return torch.tensor(
            self._each(v, lambda i: self.network.look().variance), dtype=torch.float64
        )

    def rounding(self, v: Point, loss: Tensor) -> Bounds:
        """Estimates of the rounding errors of loss and gradient, those at the first iterate."""
        like = torch.ones(len(v[0]), dtype=torch.float64)
        return self.noise.loss * like, self.noise.gradient * like

    def retract(self, v: Point, step: Point) -> Point:
        """The point reached from v by a step, rounded to the network's type."""

        def held(i: int) -> Point:
            self.network.write(self.network.retract(replica(v, i), replica(step, i)))
            return self.network.point()

        return joined(self._each(v, held))

    def observe(self, v: Point, v_next: Point, law: Draw | None) -> dict[str, Tensor]:
        """The observables of steps; see the function `observe`.

        A point at which one step ends and another starts is computed once.
        """

        # It tells points apart, to the last bit.
        def key(v: Point, i: int) -> bytes:
            return b"".join(part[i].cpu().numpy().tobytes() for part in v)

        keys = [key(v, i) for i in range(len(v[0]))]
        looks: dict[bytes, Evaluation] = dict(
            zip(keys, self._each(v, lambda i: self.network.look()), strict=True)
        )
        rows = []
        for i in range(len(keys)):
            look = looks[keys[i]]
            x = replica(v, i)
            y = replica(v_next, i)
            look_next = looks.get(key(v_next, i)) or self._each(y, lambda _: self.network.look())[0]
            noise = {"noise_variance": 0.0, "conditional_bias": 0.0, "conditional_bias_error": 0.0}
            if law is not None and law.replaced:
                noise["noise_variance"] = law.noise(look.variance, 0.0)
            elif law is not None:
                candidates = law.candidates[i]
                with _autograd():
                    self.network.write(x)
                    mean = self.network.batch_gradient(candidates)
                bias = euclidean_norm(apart(mean, look.gradient)).item()
                squares = look.sample_squares[candidates.to(look.sample_squares.device)]
                variance = max(squares.mean().item() - square_norm(mean).item(), 0.0)
                # Each of the two means is off by its own rounding error; see `functions.problem`.
                error = 4 * self.noise.gradient
                noise = dict(zip(noise, (law.noise(variance, bias), bias, error), strict=True))
            rows.append(observe(self.network, x, y, look, look_next, self.noise) | noise)
        return {
            name: (
                torch.tensor([row[name] for row in rows], dtype=torch.float64).reshape(
                    len(rows), *(self.sizes[dim] for dim in observable.dims)
                )
            )
            for name, observable in OBSERVABLES.items()
        }

    def look(self, v: Point, random: np.random.Generator, tick: Tick = silent) -> dict[str, float]:
        """The largest curvatures of F and of f at a single point."""
        with _autograd():
            self.network.write(v)
            return dict(
                zip(LOOKS, top_curvatures(self.network, random, _TOLERANCE, tick), strict=True)
            )

    def accuracy(self, v: Point) -> list[float]:
        return self._each(v, lambda i: self.network.accuracy())

    def held_out_ends(self, v: Point) -> tuple[float, float] | None:
        if self.held_out is None:
            return None
        other = Network(self.network.model, self.sites, self.held_out, self.network.chunk)
        self.network.write(v)
        return other.losses().mean().item(), other.accuracy()


@contextmanager
def _autograd() -> Iterator[None]:
    """Turn gradients on while inside, also in a run, which keeps no graph."""
    with torch.inference_mode(False), torch.enable_grad():
        yield
