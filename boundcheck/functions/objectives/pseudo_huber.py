"""Pseudo-Huber matrix regression: a bounded-gradient loss whose constants are exact by hand."""

import math
from collections.abc import Sequence
from functools import cache
from types import ModuleType
from typing import Literal

import numpy as np
import torch
from flint import arb, ctx
from torch import Tensor

from boundcheck.exact.balls import upper
from boundcheck.functions.arithmetic import (
    EPSILON,
    Bounds,
    Point,
    cores,
    in_blocks,
    in_parts,
    on_cores,
)
from boundcheck.functions.objective import (
    Moments,
    Objective,
    ProblemTable,
    Setting,
    mean_of,
    mean_squares,
)
from boundcheck.functions.objective import Side as Map
from boundcheck.language.function import Constant, Descent
from boundcheck.system.limits import Demand
from boundcheck.system.plugins import is_ours, keeps
from boundcheck.system.tables import Count, Real, Seed, Side

# Below the root of the largest number of float32.
_SMALL = 1e19


class PseudoHuber(Objective):
    r"""The mean over noisy targets :math:`M_i` of :math:`\sum_{jl} \varphi((W - M_i)_{jl})`.

    With :math:`\varphi(x) = \delta^2(\sqrt{1 + (x/\delta)^2} - 1)`: :math:`\varphi'' \le 1` gives L
    = 1, :math:`|\varphi'| \le \delta` gives :math:`G = \delta\sqrt{dk}`, and f is at least 0. The
    slope is xq and the loss :math:`x^2 q/(1 + q)` with :math:`q = 1/\sqrt{1 + (x/\delta)^2}`, of
    which x is W - M_i.
    """

    is_convex = True
    is_shared = True
    units = "loss units"

    def __init__(self, targets: np.ndarray, delta: float, device: str = "cpu") -> None:
        """Take targets, shape (n, d, k), and the width delta > 0 of the quadratic part."""
        targets = np.asarray(targets, dtype=np.float64)
        self.name = "pseudo-Huber"
        self.delta = delta
        self.samples = len(targets)
        self.shape = (targets.shape[1], targets.shape[2])
        self._targets = torch.tensor(targets, device=device)
        # With the samples between rows and columns, so that a product with all of them is one of
        # matrices.
        self._between = self._targets.transpose(0, 1).contiguous()
        self._one = self._targets.new_ones(())
        self._curvature = 1 / delta**2
        # As the compiled loops take them: rows of dk, and samples last.
        self._rows = self._targets.flatten(1).cpu().numpy()
        self._last = np.ascontiguousarray(self._targets.permute(1, 2, 0).cpu().numpy())
        self._largest = float(abs(targets).max())
        self._small = _SMALL * delta - self._largest
        self.smoothness = Constant(
            1.0, "certified", "the second derivative of each term is at most 1"
        )
        with ctx.workprec(64):
            radius = arb(delta) * arb(self.shape[0] * self.shape[1]).sqrt()
        self.gradient_bound = Constant(
            upper(radius), "certified", "delta sqrt(d k), rounded up with Arb"
        )
        self.infimum = Constant(0.0, "certified", "each term is nonnegative")

    def loss(self, W: Tensor) -> Tensor:
        if (loops := _loops(W)) is not None:
            losses = W.new_empty(W.shape[0])
            loops.losses(*self._arrays(W), losses.numpy())
            return losses

        def loss(part: slice) -> Tensor:
            x = self._known(W[part]).unsqueeze(1) - self._targets
            root = self._inverse_root(x)
            return (x.square() * (root / (root + 1))).flatten(1).sum(1) / self.samples

        return in_blocks(loss, W, self._targets.numel())

    def gradient(self, W: Tensor) -> Tensor:
        return in_blocks(
            lambda part: self.sample_gradients(W[part]).mean(1), W, self._targets.numel()
        )

    def first_order(self, W: Tensor) -> tuple[Tensor, Tensor]:
        """Loss and gradient, which share their roots; the loss is that of `loss` to the last
        bit.
        """
        if not keeps(self, PseudoHuber, "loss", "gradient"):
            return super().first_order(W)
        if _loops(W) is not None:
            return self.loss(W), self.batch_gradient(
                W, torch.arange(self.samples).expand(len(W), -1)
            )

        def both(part: slice) -> tuple[Tensor, Tensor]:
            x = self._known(W[part]).unsqueeze(1) - self._targets
            root = self._inverse_root(x)
            losses = x.square() * (root / (root + 1))
            return losses.flatten(1).sum(1) / self.samples, x.mul_(root).mean(1)

        return in_blocks(both, W, self._targets.numel())

    def batch_gradient(self, W: Tensor, indices: Tensor) -> Tensor:
        if (loops := _loops(W)) is not None:
            mean = torch.empty(W.shape, dtype=W.dtype)
            loops.mean_slopes(
                *self._arrays(W), indices.contiguous().numpy(), mean.flatten(1).numpy()
            )
            return mean

        def gradient(part: slice) -> Tensor:
            # Whole matrices are copied: general indexing goes number by number.
            chosen = self._targets.index_select(0, indices[part].flatten())
            chosen = chosen.view(-1, indices.shape[1], *self.shape)
            x = torch.sub(self._known(W[part]).unsqueeze(1), chosen, out=chosen)
            return x.mul_(self._inverse_root(x)).sum(1)

        return in_blocks(gradient, W, indices.shape[1] * W[0].numel()).div_(indices.shape[1])

    def descend(
        self,
        W0: Tensor,
        scale: float,
        v: Point,
        batches: Sequence[Tensor],
        sizes: Sequence[float],
    ) -> Descent | None:
        """The steps by compiled loops, which make W and pull back the gradient while both are in a
        core's cache.
        """
        if (loops := _loops(W0)) is None or not keeps(self, PseudoHuber, "batch_gradient"):
            return None
        A, B = (part.clone(memory_format=torch.contiguous_format) for part in v)
        steps = len(sizes)
        replicas = len(A)
        As, Bs = (part.new_empty(steps + 1, *part.shape) for part in (A, B))
        lengths = A.new_empty(steps, 2, replicas)
        given = W0.contiguous().numpy(), scale, self._rows, self._curvature, self._small
        tensors = A, B, torch.stack(list(batches)), A.new_tensor(sizes), As, Bs, lengths
        arrays = [x.numpy() for x in tensors]

        def take(part: slice) -> None:
            loops.descend(*given, *arrays, part.start, part.stop)

        on_cores(take, in_parts(replicas, cores()))
        return Descent((As, Bs), lengths)

    def mean_of_samples(self, W: Tensor, indices: Tensor) -> Tensor:
        # This package's own minibatches are made of these gradients.
        own = is_ours(self)
        return (
            PseudoHuber.batch_gradient(self, W, indices)
            if own
            else super().mean_of_samples(W, indices)
        )

    def sample_gradients(self, W: Tensor) -> Tensor:
        """phi'(W - M_i) for each i, shape (R, n, d, k)."""
        x = self._known(W).unsqueeze(1) - self._targets
        return x * self._inverse_root(x)

    def survey(self, W: Tensor, sides: tuple[Map, ...], among: Tensor | None = None) -> Moments:
        """`Objective.survey`, in which loss and gradient share their roots."""
        if (loops := _loops(W)) is not None and (stacked := _stacked(sides, W)) is not None:
            *maps, plain = stacked
            loss = W.new_empty(len(W))
            gradient = torch.empty(W.shape, dtype=W.dtype)
            in_v, in_w = (W.new_empty(len(W), self.samples) for _ in range(2))
            arrays = (x.numpy() for x in (*maps, loss, gradient, in_v, in_w))
            loops.survey(W.numpy(), self._last, self._curvature, self._is_small(W), *arrays)
            squares = in_v.add_(in_w, alpha=plain), in_w
            in_v, in_w = (mean_of(x, among, slice(None)) for x in squares)
            return Moments(loss, gradient, in_v, in_w, gradient)

        def survey(part: slice) -> Moments:
            x = self._known(W[part]).unsqueeze(2) - self._between
            root = self._inverse_root(x)
            slopes = x * root
            losses = x.mul_(slopes).div_(root.add_(1))
            in_v, in_w = mean_squares(slopes, sides, among, part)
            gradient = slopes.sum(2) / self.samples
            return Moments(losses.flatten(1).sum(1) / self.samples, gradient, in_v, in_w, gradient)

        return in_blocks(survey, W, self._targets.numel())

    def rounding(self, W: Tensor, loss: Tensor) -> Bounds:
        """W - M_i and what follows are right to a few units of roundoff; sums of n or dk terms to
        as many more.
        """
        terms = self.samples + self.shape[0] * self.shape[1] + 32
        return EPSILON * terms * loss, torch.full_like(
            loss, EPSILON * terms * self.gradient_bound.value
        )

    def _arrays(self, W: Tensor) -> tuple[np.ndarray, np.ndarray, float, bool]:
        """The first arguments of the compiled loops."""
        return W.flatten(1).numpy(), self._rows, self._curvature, self._is_small(W)

    def _is_small(self, W: Tensor) -> bool:
        return W.abs().max().item() < self._small

    def _known(self, W: Tensor) -> Tensor:
        """W, and NaN for entries whose squares overflow: q would be 0, and the slope 0, as at a
        minimum.
        """
        most = math.sqrt(torch.finfo(W.dtype).max) / 16 * min(self.delta, 1.0) - self._largest
        return torch.where(W.abs() < most, W, torch.nan)

    def _inverse_root(self, x: Tensor) -> Tensor:
        """The number q of this class's docstring."""
        return torch.addcmul(self._one, x, x, value=self._curvature).rsqrt_()


def _loops(W: Tensor) -> ModuleType | None:
    """The compiled loops, for W on a CPU of which no derivative is asked."""
    return _compiled() if W.device.type == "cpu" and torch.is_inference_mode_enabled() else None


@cache
def _compiled() -> ModuleType | None:
    try:
        from boundcheck.functions import loops
    except ImportError:
        return None
    return loops


def _stacked(sides: tuple[Map, ...], W: Tensor) -> tuple[Tensor, Tensor, int] | None:
    """All P, and the transposes of all Q, one above the other, and how many sides have neither;
    None if one has both.

    One product then gives the squares of PG for all P.
    """
    if any(left is not None and right is not None for left, right in sides):
        return None
    none = [W.new_empty(len(W), 0, size) for size in W.shape[1:]]
    each = (
        [left for left, _ in sides],
        [right if right is None else right.mT for _, right in sides],
    )
    left, right = (
        torch.cat([empty, *(P.expand(len(W), -1, -1) for P in found if P is not None)], 1)
        for empty, found in zip(none, each, strict=True)
    )
    return left, right, sum(side == (None, None) for side in sides)


def synthetic(
    d: int,
    k: int,
    samples: int,
    delta: float,
    signal: float,
    noise: float,
    seed: int,
    device: str = "cpu",
) -> PseudoHuber:
    """Targets M + noise: M Gaussian with entries of size `signal`, and per-sample Gaussian noise of
    size `noise`.
    """
    random = np.random.default_rng(seed)
    mean = signal * random.standard_normal((d, k))
    return PseudoHuber(mean + noise * random.standard_normal((samples, d, k)), delta, device)


class PseudoHuberSpec(ProblemTable):
    """Pseudo-Huber matrix regression on synthetic targets; see `synthetic`."""

    kind: Literal["pseudo-huber"]
    d: Side = 8
    """rows of W"""
    k: Side = 8
    """columns of W"""
    samples: Count = 64
    """n"""
    delta: Real = 1.0
    """δ, the residual at which the loss turns from a square to a norm"""
    signal: Real = 1.0
    """standard deviation of the entries of the targets' mean"""
    noise: Real = 1.0
    """standard deviation of the noise of targets"""
    seed: Seed = 0
    """of the data"""

    def demands(self) -> tuple[Demand, ...]:
        """The memory for the targets: noise, sum, and the copies that the objective keeps, in two
        orders.
        """
        return (
            Demand("problem.samples", self.samples, 4 * 8 * self.samples * self.d * (self.k + 1)),
        )

    def build(self, setting: Setting) -> PseudoHuber:
        sizes = self.d, self.k + setting.bias, self.samples
        return synthetic(*sizes, self.delta, self.signal, self.noise, self.seed, setting.device)
