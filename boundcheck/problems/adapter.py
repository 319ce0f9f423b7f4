"""`LoRA`: the reparametrisation W(v) = W0 + s B A, its derivative, and the constants of the composition lemma.

A point v is the pair (A, B), batched over replicas: A has shape (R, r, k), B has shape (R, d, r).
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from boundcheck.errors import InputError

Point = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class LoRA:
    """Low-rank adaptation of a frozen W0 (Hu et al. 2021; jiang2024, Eq. (1) at scale 1).

    Attributes:
        W0: the frozen weight, shape (d, k).
        rank: r, at most min(d, k).
        scale: s > 0.

    """

    W0: Tensor
    rank: int
    scale: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a W0 that is no finite matrix, and a rank or scale for which W(v) is no low-rank update."""
        if self.W0.ndim != 2 or not torch.isfinite(self.W0).all():
            raise InputError("adapter.W0", f"of shape {tuple(self.W0.shape)}", "a matrix of finite numbers")
        if not 1 <= self.rank <= min(self.W0.shape):
            raise InputError("adapter.rank", self.rank, f"an integer from 1 to min(d, k) = {min(self.W0.shape)}")
        if not 0 < self.scale < math.inf:
            raise InputError("adapter.scale", self.scale, "a positive real")

    def weight(self, v: Point) -> Tensor:
        """W0 + s B A, shape (R, d, k)."""
        A, B = v
        return self.W0 + self.scale * (B @ A)

    def pull_back(self, v: Point, gradient: Tensor) -> Point:
        r"""The gradient in v of f(W(v)), :math:`(s B^\top \nabla f, s \nabla f A^\top)`, from that in W.

        Source: jiang2024, appendix A.4, the chain rule before Eq. (11).
        """
        A, B = v
        return self.scale * (B.mT @ gradient), self.scale * (gradient @ A.mT)

    def mean_square_pull_back(self, v: Point, moments: tuple[Tensor, Tensor]) -> Tensor:
        r"""The mean of :math:`s^2(\|B^\top G_i\|_F^2 + \|G_i A^\top\|_F^2)` over samples, shape (R,).

        Args:
            v: the point.
            moments: the means of :math:`G_i G_i^\top` and :math:`G_i^\top G_i`, which are all that is needed of G_i.

        """
        A, B = v
        rows, columns = moments
        return self.scale**2 * ((B * (rows @ B)).sum((-2, -1)) + (A * (A @ columns)).sum((-2, -1)))

    def initial(self, gain: float, generator: torch.Generator) -> Point:
        r"""LoRA's start with R = 1: entries of A are :math:`N(0, \mathrm{gain}^2/k)`, B = 0."""
        d, k = self.W0.shape
        A = torch.randn((1, self.rank, k), generator=generator, dtype=torch.float64, device=self.W0.device)
        return gain / math.sqrt(k) * A, self.W0.new_zeros((1, d, self.rank))

    def jacobian_bound(self, a: float, b: float) -> float:
        r"""J with :math:`\|DW(v)\| \le J = s\sqrt{a^2 + b^2}` on the ball of radii a and b."""
        return self.scale * math.hypot(a, b)
