"""An objective of one's own, one file: the log-cosh of the way to noisy targets."""

import math

import torch
from torch import Tensor

from boundcheck.functions.arithmetic import EPSILON
from boundcheck.functions.objective import Objective
from boundcheck.language.function import Constant


class LogCosh(Objective):
    r"""The mean over targets M_i of :math:`\sum_{jl} \log\cosh (W - M_i)_{jl}`: L = 1, G =
    sqrt(dk), f >= 0."""

    is_convex = True
    units = "loss units"

    def __init__(
        self, d: int = 3, k: int = 3, samples: int = 6, seed: int = 0, device: str = "cpu"
    ) -> None:
        random = torch.Generator().manual_seed(seed)
        self.name = "log-cosh"
        self.shape = (d, k)
        self.samples = samples
        self._targets = torch.randn((samples, d, k), generator=random, dtype=torch.float64).to(
            device
        )
        self.smoothness = Constant(
            1.0, "certified", "the second derivative of log cosh is at most 1"
        )
        self.gradient_bound = Constant(
            math.nextafter(math.sqrt(d * k), math.inf), "certified", "tanh is at most 1"
        )
        self.infimum = Constant(0.0, "certified", "cosh is at least 1")

    def loss(self, W: Tensor) -> Tensor:
        return self._ways(W).cosh().log().flatten(1).sum(1) / self.samples

    def gradient(self, W: Tensor) -> Tensor:
        return self.sample_gradients(W).mean(1)

    def batch_gradient(self, W: Tensor, indices: Tensor) -> Tensor:
        return (W.unsqueeze(1) - self._targets[indices]).tanh().mean(1)

    def sample_gradients(self, W: Tensor) -> Tensor:
        return self._ways(W).tanh()

    def rounding(self, W: Tensor, loss: Tensor) -> tuple[Tensor, Tensor]:
        terms = EPSILON * (self.samples + W[0].numel() + 64)
        return terms * (loss + W[0].numel()), torch.full_like(
            loss, terms * self.gradient_bound.value
        )

    def _ways(self, W: Tensor) -> Tensor:
        return W.unsqueeze(1) - self._targets
