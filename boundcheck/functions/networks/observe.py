"""The observables of a network at an iterate and over the next step, and estimates of their rounding errors."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.sparse.linalg import ArpackError
from torch import Tensor

from boundcheck.functions.adapters.base import cast_to
from boundcheck.functions.arithmetic import Point, apart, gradient_ratio, inner, spectral_norm, square_norm
from boundcheck.functions.curvature import largest_eigenvalue
from boundcheck.functions.networks.network import Evaluation, Network, narrow_of, widened
from boundcheck.functions.networks.sites import Site
from boundcheck.language.function import Observable
from boundcheck.system.limits import Tick, available, silent

_OBSERVABLES = {
    "loss": "F(v_t)",
    "loss_error": "estimate of the rounding error of loss",
    "gradient_square_norm": "squared Euclidean norm of the gradient of F at v_t",
    "gradient_square_norm_error": "estimate of the rounding error of gradient_square_norm",
    "noise_variance": "exact E[||g_t - grad F(v_t)||^2 | past], by enumerating the samples",
    "conditional_bias": "exact ||E[g_t | past] - grad F(v_t)||; 0 with replacement, else by enumerating the samples",
    "conditional_bias_error": "estimate of the rounding error of conditional_bias",
    "step_length": "||v_{t+1} - v_t||",
    "slope": "<grad F(v_t), v_{t+1} - v_t>",
    "path_smoothness": "2 (F(v_{t+1}) - F(v_t) - <grad F(v_t), step>) / |step|^2",
    "path_smoothness_error": "estimate of the rounding error of path_smoothness",
    "gradient_ratio": "||grad F(v_{t+1}) - grad F(v_t)|| / ||v_{t+1} - v_t||, on the same samples",
    "gradient_ratio_error": "estimate of the rounding error of gradient_ratio",
    "weight_smoothness": "path_smoothness of f, in the matrices W of all sites",
    "weight_smoothness_error": "estimate of the rounding error of weight_smoothness",
}
_OF_SITES = {
    "weight_gradient_spectral": "spectral norm of the gradient of f in W at v_t",
    "weight_gradient_frobenius": "Frobenius norm of the gradient of f in W at v_t",
}
_OF_BLOCKS = {"norm": "norm of the block, the larger of those at v_t and v_{t+1}: spectral, or the largest entry"}
OBSERVABLES = (
    {name: Observable(meaning) for name, meaning in _OBSERVABLES.items()}
    | {name: Observable(meaning, ("site",)) for name, meaning in _OF_SITES.items()}
    | {name: Observable(meaning, ("block",)) for name, meaning in _OF_BLOCKS.items()}
)
"""What is observed at an audit, by name."""

LOOKS = {
    "curvature": "largest absolute eigenvalue of the Hessian of F, of the first replica",
    "weight_curvature": "the same of f, jointly in the matrices W of all sites",
}
"""What is observed at a few iterates."""

# Above this size, a randomised decomposition finds the spectral norm, which is then a lower estimate.
_LARGEST = 1024
# The vectors that Lanczos keeps. For one part in a hundred, it then needs half as many products as with SciPy's 20.
_SUBSPACE = 8
# For the estimate of rounding errors: samples, points on a line, order of the differences, standard deviations.
_SAMPLES, _POINTS, _ORDER, _MARGIN = 16, 7, 4, 4.0


@dataclass(frozen=True)
class Rounding:
    """Estimates of the rounding error of F, and of the norm of the gradient's, at one point.

    Attributes:
        loss, gradient: of both, by how they scatter.
        held: of the gradient, by how far it is from that in double precision; infinite where these were not compared.

    """

    loss: float
    gradient: float
    held: float = math.inf

    @property
    def of_ratio(self) -> float:
        """The smaller estimate of the gradient's error: a gradient that scatters by more than rounding has kinks."""
        return min(self.gradient, self.held)


def rounding_of(network: Network) -> Rounding:
    r"""Estimate the rounding errors of F and its gradient by differences of order k = 4 along a line of seven points.

    Differences of a smooth function of that order vanish with the step; what is left is noise, and has the standard
    deviation :math:`\sqrt{(2k)!}/k!` times that of a value. So it counts every rounding on the way, whatever type it
    happens in. It is taken over 16 samples, as four standard deviations for safety: an estimate, no bound. The mean of
    the samples' losses has no larger deviation than the root of their mean variance, which is known much better than
    that of a single number.

    Where weights are in bfloat16 or float16, steps that are too short to change what is rounded would show no noise. So
    there the estimate is at least the distance of loss and gradient from those in single precision at the same weights,
    with the same margin, and at least a unit of roundoff of both. Where memory is too small for that, it is at least
    the size of loss and gradient themselves.

    Source: Moré and Wild, "Estimating computational noise", SIAM J. Sci. Comput. 33 (2011).
    """
    random = torch.Generator().manual_seed(0)
    samples = torch.arange(min(_SAMPLES, network.task.samples), device=network.device)
    v = network.point()
    u = tuple(torch.randn(part.shape, generator=random, dtype=torch.float64).to(part) for part in v)
    spacing = torch.finfo(network.parameters[0].dtype).eps ** (1 / 3)
    size = max(square_norm(v).sqrt().item(), 1.0) / square_norm(u).sqrt().item()
    losses, gradients = [], []
    for place in range(_POINTS):
        network.write(network.retract(v, tuple(place * spacing * size * part for part in u)))
        look = network.look(samples)
        losses.append(look.losses / math.sqrt(len(look.losses)))
        gradients.append(torch.cat([part.flatten() for part in look.gradient]))
    network.write(v)
    loss, gradient = _noise(torch.stack(losses)), _noise(torch.stack(gradients))
    if not (narrow := narrow_of(network.model)):
        return Rounding(loss, gradient, _from_double(network, samples))
    look, unit = network.look(samples), max(torch.finfo(x.dtype).eps for x in narrow) / 2
    if 4 * sum(x.numel() for x in narrow) > available(str(network.device)):
        return Rounding(max(loss, look.loss), max(gradient, math.sqrt(look.square_norm)))
    with widened(network.model):
        wide = network.look(samples)
    off = (look.losses - wide.losses).square().mean().sqrt().item()
    gap = square_norm(apart(look.gradient, wide.gradient)).sqrt().item()
    return Rounding(
        max(loss, _MARGIN * off, unit * wide.loss), max(gradient, _MARGIN * gap, unit * math.sqrt(wide.square_norm))
    )


def _from_double(network: Network, samples: Tensor) -> float:
    """The distance of the gradient in single precision from that in double at the same weights, with the same margin.

    It is measured close to the first iterate and not there: at B = 0, half of LoRA's gradient is exactly 0. In a
    network with kinks, such as one with ReLU, a gradient scatters by more than its rounding, and this tells the
    rounding alone.
    """
    every, v = list(network.model.parameters()), network.point()
    single = torch.float32 in {x.dtype for x in every} and all(x.is_floating_point() for x in every)
    room = 8 * sum(x.numel() for x in every) <= available(str(network.device))
    if not (single and room) or network.is_curved or network.device.type == "mps":
        return math.inf
    random, spacing = torch.Generator().manual_seed(1), torch.finfo(torch.float32).eps ** (1 / 3)
    away = tuple(spacing * torch.randn(part.shape, generator=random, dtype=torch.float64).to(part) for part in v)
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
    off, size = square_norm(apart(look.gradient, wide.gradient)).sqrt().item(), math.sqrt(wide.square_norm)
    return max(_MARGIN * off, torch.finfo(torch.float32).eps * size)


def _noise(values: Tensor) -> float:
    """Four standard deviations of a vector's noise, from its values at equally spaced points, shape (points, n)."""
    differences = torch.diff(values, n=_ORDER, dim=0)
    variance = math.factorial(_ORDER) ** 2 / math.factorial(2 * _ORDER) * differences.square().sum(1).mean().item()
    return _MARGIN * math.sqrt(variance)


def weights_of(network: Network, v: Point) -> list[Tensor]:
    """W(v) at each site up to a constant, in float64, shape (d, k)."""
    found = []
    for site, part in zip(network.sites, network.split(v), strict=True):
        adapter = cast_to(site.adapter, torch.float64, str(part[0].device))
        found.append(adapter.weight(part)[0])
    return found


def observe(
    network: Network, v: Point, v_next: Point, look: Evaluation, look_next: Evaluation, rounding: Rounding
) -> dict[str, Any]:
    r"""The observables of the step from v to v_next; without noise and bias, which are the sampler's.

    The descent curvature of a segment is
    :math:`\ell_t = 2 (F(v_{t+1}) - F(v_t) - \langle\nabla F(v_t), \Delta\rangle) / \|\Delta\|^2`: the descent
    inequality (jiang2024, Eq. (15)) holds exactly when it is at most L̂. In W it is the same of f, and a lower estimate
    of L. The gradient ratio is what Lemma 1 bounds. It loses less to rounding: the errors of two gradients are divided
    by the length of the step, and those of two losses by its square. A step of length 0 has smoothness 0 of each kind.
    Where a domain is curved, gradients at two points cannot be subtracted, and the gradient ratio is NaN.

    Args:
        network: F.
        v: an iterate.
        v_next: the one after it, as the model holds it.
        look: all samples at v.
        look_next: the same samples at v_next.
        rounding: of F and its gradient.

    """
    step = apart(v_next, v)
    length = square_norm(step).sqrt().item()
    slope = inner(look.gradient, step).item()
    changes = [y - x for x, y in zip(weights_of(network, v), weights_of(network, v_next), strict=True)]
    moved = math.sqrt(sum(x.square().sum().item() for x in changes))
    turn = sum((x * y).sum().item() for x, y in zip(changes, look.weight_gradients, strict=True))
    size = math.sqrt(look.square_norm)
    in_v = _smoothness(look.loss, look_next.loss, slope, length, rounding.loss, rounding.gradient)
    # The gradient in W is computed from the same numbers, to about the same relative accuracy.
    weight_size = math.sqrt(sum(x.square().sum().item() for x in look.weight_gradients))
    relative = rounding.gradient / size if size > 0 else 0.0
    in_w = _smoothness(look.loss, look_next.loss, turn, moved, rounding.loss, relative * weight_size)
    ratio = gradient_ratio(v, v_next, look.gradient, look_next.gradient).item()
    ratio_error = 2 * rounding.of_ratio / length if length else 0.0
    if network.is_curved:
        ratio, ratio_error = math.nan, math.nan
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
        "norm": [max(x, y) for x, y in zip(block_norms(network, v), block_norms(network, v_next), strict=True)],
    }


def _smoothness(
    loss: float, loss_next: float, slope: float, length: float, loss_error: float, gradient_error: float
) -> tuple[float, float]:
    """The smoothness along a segment, and its error.

    The error is that of two losses, and of the gradient along the segment, over half the square of its length.
    """
    half = length * length / 2
    if half == 0:
        return 0.0, 0.0
    return (loss_next - loss - slope) / half, (2 * loss_error + gradient_error * length) / half


def block_norms(network: Network, v: Point) -> list[float]:
    """The norm of every block, in order; 1 for orthonormal rows."""
    found = []
    for site, part in zip(network.sites, network.split(v), strict=True):
        norms = {"spectral": spectral_norm, "max": lambda x: x.abs().amax((-2, -1)), "orthonormal": spectral_norm}
        parts = zip(site.adapter.blocks, site.adapter.bounded(part), strict=True)
        found += [norms[block.norm](x).item() for block, x in parts]
    return found


def block_names(sites: tuple[Site, ...]) -> list[str]:
    """The names of the blocks: site, and the block's name."""
    return [f"{site.name} {block.name}" for site in sites for block in site.adapter.blocks]


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
    r"""Lower estimates of :math:`\|\nabla^2 F(v)\|` and :math:`\|\nabla^2 f(W)\|`, jointly in all sites, by Lanczos.

    Progress is counted in products; a restart may need more of them than the first round.
    """
    v = network.point()
    weights = tuple(torch.empty(site.adapter.W0.shape, device=network.device) for site in network.sites)
    done = 0

    def told(product: Callable[[Point], Point]) -> Callable[[Point], Point]:
        def counted(u: Point) -> Point:
            nonlocal done
            done += 1
            tick("curvature", done, max(done, 2 * (_SUBSPACE + 2)))
            return product(u)

        return counted

    return (
        _top(told(network.hessian_vector_product), v, random, tolerance, lambda u: network.tangent(v, u)),
        _top(told(network.weight_hessian_vector_product), weights, random, tolerance, lambda u: u),
    )


def _top(
    product: Callable[[Point], Point],
    like: Point,
    random: np.random.Generator,
    tolerance: float,
    tangent: Callable[[Point], Point],
) -> float:
    """The largest absolute eigenvalue; NaN if a product is not finite."""
    try:
        return largest_eigenvalue(product, like, random, tolerance, tangent, _SUBSPACE)
    except ArpackError:
        return math.nan
