"""Pseudo-Huber matrix regression: a bounded-gradient loss whose constants are exact by hand."""

import numpy as np
import torch
from flint import arb, ctx
from torch import Tensor

from boundcheck.errors import InputError
from boundcheck.exact.balls import upper
from boundcheck.problems.constant import EPSILON, Constant

# Numbers in the temporaries of a minibatch gradient; blocks of replicas are cut to this, which a core's cache holds.
_CACHE = 2**16


class PseudoHuber:
    r"""The mean over noisy targets :math:`M_i` of :math:`\sum_{jl} \varphi((W - M_i)_{jl})`.

    With :math:`\varphi(x) = \delta^2(\sqrt{1 + (x/\delta)^2} - 1)`: :math:`\varphi'' \le 1` gives L = 1,
    :math:`|\varphi'| \le \delta` gives :math:`G = \delta\sqrt{dk}`, and f is at least 0.
    """

    units = "loss units"

    def __init__(self, targets: np.ndarray, delta: float, device: str = "cpu") -> None:
        """Take targets, shape (n, d, k), and the width delta > 0 of the quadratic part."""
        targets = np.asarray(targets, dtype=np.float64)
        if targets.ndim != 3 or targets.size == 0 or not np.isfinite(targets).all():
            raise InputError("targets", f"array of shape {targets.shape}", "finite targets of shape (n, d, k)")
        if not 0 < delta < float("inf"):
            raise InputError("delta", delta, "a positive real")
        self.name = "pseudo-Huber"
        self.delta = delta
        self.samples = len(targets)
        self.shape = (targets.shape[1], targets.shape[2])
        self._targets = torch.tensor(targets, device=device)
        self.smoothness = Constant(1.0, "certified", "the second derivative of each term is at most 1")
        with ctx.workprec(64):
            radius = arb(delta) * arb(self.shape[0] * self.shape[1]).sqrt()
        self.gradient_bound = Constant(upper(radius), "certified", "delta sqrt(d k), rounded up with Arb")
        self.infimum = Constant(0.0, "certified", "each term is nonnegative")

    def loss(self, W: Tensor) -> Tensor:
        """f(W), shape (R,)."""
        square = (W.unsqueeze(1) - self._targets).square()
        # delta^2 (sqrt(1 + u) - 1) as x^2 / (sqrt(1 + u) + 1): no cancellation near x = 0.
        return (square / (self._one_plus(square).sqrt_() + 1)).sum((-2, -1)).mean(-1)

    def gradient(self, W: Tensor) -> Tensor:
        """The gradient of f at W, shape (R, d, k)."""
        return self.sample_gradients(W).mean(1)

    def batch_gradient(self, W: Tensor, indices: Tensor) -> Tensor:
        """The mean of the samples' gradients over each replica's own minibatch, shape (R, d, k)."""
        block = max(_CACHE // (indices.shape[-1] * self.shape[0] * self.shape[1]), 1)
        parts = zip(torch.split(W, block), torch.split(indices, block), strict=True)
        return torch.cat([self._slope(w.unsqueeze(1) - self._targets[i]).mean(1) for w, i in parts])

    def sample_gradients(self, W: Tensor) -> Tensor:
        """phi'(W - M_i) for each i, shape (R, n, d, k)."""
        return self._slope(W.unsqueeze(1) - self._targets)

    def rounding(self, W: Tensor, loss: Tensor) -> tuple[Tensor, Tensor]:
        """W - M_i and what follows are right to a few units of roundoff; sums of n or dk terms to as many more."""
        terms = self.samples + self.shape[0] * self.shape[1] + 32
        return EPSILON * terms * loss, torch.full_like(loss, EPSILON * terms * self.gradient_bound.value)

    def second_moments(self, W: Tensor) -> tuple[Tensor, Tensor]:
        """Row and column second moments of the sample gradients, shapes (R, d, d) and (R, k, k)."""
        G = self.sample_gradients(W)
        return (G @ G.mT).mean(1), (G.mT @ G).mean(1)

    def _slope(self, x: Tensor) -> Tensor:
        return x * self._one_plus(x.square()).rsqrt_()

    def _one_plus(self, square: Tensor) -> Tensor:
        return (square / self.delta**2).add_(1)


def synthetic(
    d: int, k: int, samples: int, delta: float, signal: float, noise: float, seed: int, device: str = "cpu"
) -> PseudoHuber:
    """Targets M + noise: M Gaussian with entries of size `signal`, and per-sample Gaussian noise of size `noise`."""
    random = np.random.default_rng(seed)
    mean = signal * random.standard_normal((d, k))
    return PseudoHuber(mean + noise * random.standard_normal((samples, d, k)), delta, device)
