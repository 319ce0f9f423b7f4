"""LoRA, W(v) = W0 + s B A, with both factors trained or one of them frozen; and DiReFT, which is LoRA on [h; 1]."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from boundcheck.functions.adapters.base import (
    ROUND_UP,
    Adapter,
    Block,
    Radii,
    Sizes,
    check_factors,
    check_rank,
    check_scale,
    gaussian,
    size,
    spectral_bound,
)
from boundcheck.functions.norms import Point, product, spectral_norm
from boundcheck.functions.objective import Side
from boundcheck.system.plugins import keeps


@dataclass(frozen=True)
class LoRA(Adapter):
    """Low-rank adaptation of a frozen W0 (Hu et al. 2021; jiang2024, Eq. (1) at scale 1). v = (A, B).

    Attributes:
        rank: r, at most min(d, k).
        scale: s > 0.

    """

    kind = "lora"
    place = 20
    is_run = True
    title = "LoRA"
    radius_names = ("a", "b")
    radius_of: ClassVar[Mapping[str, str]] = {"a": "σ₁(A)", "b": "σ₁(B)"}
    needs_ball = True
    has_diagonal = True
    # At B = 0 only B has a gradient, s N Aᵀ, and the mean of |N Aᵀ|² over A is |N|² r gain²/k.
    noise_at_start: ClassVar[tuple[int, int, str] | None] = 2, 1, "s²r, in the mean over A at B = 0"
    rank: int
    scale: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a W0 that is not a finite matrix, and a rank or scale for which W(v) is not a low-rank update."""
        super().__post_init__()
        check_rank(self.rank, self.W0)
        check_scale(self.scale)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """A, shape (r, k), and B, shape (d, r)."""
        d, k = self.W0.shape
        return Block("A", (self.rank, k), "spectral", "a"), Block("B", (d, self.rank), "spectral", "b")

    def weight(self, v: Point) -> Tensor:
        """W0 + s B A, shape (R, d, k)."""
        A, B = v
        return self.W0 + product(self.scale * B, A)

    def pull_back(self, v: Point, gradient: Tensor) -> Point:
        r"""The gradient in v of f(W(v)), :math:`(s B^\top \nabla f, s \nabla f A^\top)`, from that in W.

        Source: jiang2024, appendix A.4, the chain rule before Eq. (11).
        """
        A, B = v
        return product((self.scale * B).mT, gradient), product(gradient, (self.scale * A).mT)

    @property
    def scale_of_factors(self) -> float | None:
        """The scale s; None if a subclass has a `weight` or `pull_back` of its own."""
        return self.scale if keeps(self, LoRA, "weight", "pull_back") else None

    def factor_sizes(self, v: Point, gradient: Tensor) -> tuple[Tensor, Tensor]:
        """The sum of the squared spectral norms of A and B, and the norm of the gradient in BA."""
        A, B = (spectral_norm(part)[:, None, None] for part in v)
        return A * A + B * B, self.scale * size(gradient)[:, None, None]

    def pull_back_outer(self, v: Point, outputs: Tensor, inputs: Tensor) -> Point:
        """The samples' gradients by products with the factors: a d x k matrix for each sample would cost more."""
        A, B = v
        return self.scale * ((outputs @ B).mT @ inputs), self.scale * (outputs.mT @ (inputs @ A.mT))

    def sides(self, v: Point) -> tuple[Side, ...]:
        """Bᵀ on the left, and Aᵀ on the right."""
        A, B = v
        return (self.scale * B.mT, None), (None, self.scale * A.mT)

    def initial(self, gain: float, generator: torch.Generator) -> Point:
        r"""LoRA's start with R = 1: entries of A are :math:`N(0, \mathrm{gain}^2/k)`, B = 0."""
        d, k = self.W0.shape
        return gaussian((self.rank, k), gain / math.sqrt(k), generator), self.W0.new_zeros((1, d, self.rank))

    def diagonal(self, gain: float) -> Point:
        """A start with R = 1 at which `gain` is on the diagonals of A and B, and 0 elsewhere."""
        d, k = self.W0.shape
        A, B = (
            gain * torch.eye(*shape, dtype=self.W0.dtype, device=self.W0.device)
            for shape in ((self.rank, k), (d, self.rank))
        )
        return A.unsqueeze(0), B.unsqueeze(0)

    def constants(self, radii: Radii) -> dict[str, float]:
        """The scale s, the radii a and b, the larger one sigma, and r."""
        a, b = radii["a"], radii["b"]
        return {"s": self.scale, "a": a, "b": b, "sigma": max(a, b), "r": self.rank}

    def sizes(self, v: Point) -> Sizes:
        """Sums of r products in W, and A and B in the pull-back."""
        A, B = (size(part) for part in v)
        return Sizes(self.rank + 4, size(self.W0) + self.scale * A * B, self.scale * (A + B))

    def reach(self, radii: Radii) -> float:
        r""":math:`s\sqrt r\,ab`, of an update of rank r and spectral norm at most s a b."""
        return self.scale * math.sqrt(self.rank) * radii["a"] * radii["b"] * ROUND_UP


@dataclass(frozen=True)
class DiReFT(LoRA):
    """DiReFT with bias (jiang2024, Eq. (3)): h + U_2ᵀ(U_1 h + b) is W [h; 1] with W = [I 0] + U_2ᵀ[U_1 b].

    So it is LoRA with k = d + 1 at scale 1: A = [U_1 b], B = U_2ᵀ, and nothing else is different.
    """

    kind = "direft"
    place = 50
    edits_hidden = True
    title = "DiReFT"
    has_scale = False


class _OneFactor(Adapter):
    """W(v) = W0 + s B A, where one factor is frozen and v is the other one."""

    scale: float
    is_linear = True

    @property
    def _factor(self) -> Tensor:
        """The frozen factor."""
        (name,) = self.frozen
        found: Tensor = getattr(self, name)
        return found

    def __post_init__(self) -> None:
        """Refuse factors that are not finite matrices of fitting shapes, and a scale that is not positive."""
        super().__post_init__()
        check_factors(self.W0, **dict.fromkeys(self.frozen, self._factor))
        check_scale(self.scale)

    @property
    def rank(self) -> int:
        """r, the number of rows of A and of columns of B."""
        return min(self._factor.shape)

    def initial(self, gain: float, generator: torch.Generator) -> Point:
        """The start, at which the trained factor is 0."""
        return (self.W0.new_zeros((1, *self.blocks[0].shape)),)

    def constants(self, radii: Radii) -> dict[str, float]:
        """The scale s, and the spectral norm of the frozen factor, rounded up."""
        return {"s": self.scale} | {parameter: spectral_bound(self._factor) for parameter in self.frozen.values()}

    def sizes(self, v: Point) -> Sizes:
        """Sums of r products in W, and the frozen factor in the pull-back."""
        frozen = self.scale * size(self._factor)
        return Sizes(self.rank + 4, size(self.W0) + frozen * size(v[0]), frozen.expand(len(v[0])))

    def reach(self, radii: Radii) -> float:
        r""":math:`s\sqrt r` times the radius and the spectral norm of the frozen factor."""
        (radius,) = self.radius_names
        return self.scale * math.sqrt(self.rank) * radii[radius] * spectral_bound(self._factor) * ROUND_UP


@dataclass(frozen=True)
class FrozenA(_OneFactor):
    """LoRA with A frozen at random (Zhang et al. 2023, LoRA-FA): W(v) = W0 + s B A with v = (B,).

    Attributes:
        A: the frozen factor, shape (r, k).
        scale: s > 0.

    """

    kind = "frozen-a"
    place = 30
    is_run = True
    title = "LoRA, A frozen"
    radius_names = ("b",)
    radius_of: ClassVar[Mapping[str, str]] = {"b": "σ₁(B)"}
    frozen: ClassVar[Mapping[str, str]] = {"A": "a"}
    A: Tensor
    scale: float = 1.0

    @property
    def blocks(self) -> tuple[Block, ...]:
        """B, shape (d, r)."""
        return (Block("B", (self.W0.shape[0], self.rank), "spectral", "b"),)

    def weight(self, v: Point) -> Tensor:
        """W0 + s B A, shape (R, d, k)."""
        return self.W0 + self.scale * (v[0] @ self.A)

    def pull_back(self, v: Point, gradient: Tensor) -> Point:
        r"""The gradient in B, :math:`s \nabla f A^\top`."""
        return (self.scale * (gradient @ self.A.mT),)

    def pull_back_outer(self, v: Point, outputs: Tensor, inputs: Tensor) -> Point:
        """The samples' gradients by a product with A: a d x k matrix for each sample would cost more."""
        return (self.scale * (outputs.mT @ (inputs @ self.A.mT)),)

    def sides(self, v: Point) -> tuple[Side, ...]:
        """Aᵀ on the right."""
        return ((None, self.scale * self.A.mT),)


@dataclass(frozen=True)
class FrozenB(_OneFactor):
    """LoRA with B frozen: W(v) = W0 + s B A with v = (A,).

    Attributes:
        B: the frozen factor, shape (d, r).
        scale: s > 0.

    """

    kind = "frozen-b"
    place = 40
    is_run = True
    title = "LoRA, B frozen"
    radius_names = ("a",)
    radius_of: ClassVar[Mapping[str, str]] = {"a": "σ₁(A)"}
    frozen: ClassVar[Mapping[str, str]] = {"B": "b"}
    B: Tensor
    scale: float = 1.0

    @property
    def blocks(self) -> tuple[Block, ...]:
        """A, shape (r, k)."""
        return (Block("A", (self.rank, self.W0.shape[1]), "spectral", "a"),)

    def weight(self, v: Point) -> Tensor:
        """W0 + s B A, shape (R, d, k)."""
        return self.W0 + self.scale * (self.B @ v[0])

    def pull_back(self, v: Point, gradient: Tensor) -> Point:
        r"""The gradient in A, :math:`s B^\top \nabla f`."""
        return (self.scale * (self.B.mT @ gradient),)

    def sides(self, v: Point) -> tuple[Side, ...]:
        """Bᵀ on the left."""
        return ((self.scale * self.B.mT, None),)
