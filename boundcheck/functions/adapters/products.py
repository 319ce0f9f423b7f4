"""VeRA and LoHa: updates that are products with more in them than two trained factors."""

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
from boundcheck.functions.norms import Point


@dataclass(frozen=True)
class VeRA(Adapter):
    r"""Vector-based random matrix adaptation (Kopiczko, Blankevoort and Asano 2024, Eq. (2)).

    :math:`W(v) = W_0 + s\,\mathrm{diag}(b)\,B\,\mathrm{diag}(d)\,A` with frozen A, B; v = (d, b), two vectors as
    matrices of one column. The radii a and b bound their entries.

    Attributes:
        A: frozen, shape (r, k).
        B: frozen, shape (d, r).
        scale: s > 0.

    """

    kind = "vera"
    place = 70
    title = "VeRA"
    radius_names = ("a", "b")
    radius_of: ClassVar[Mapping[str, str]] = {"a": "max |d|", "b": "max |b|"}
    frozen: ClassVar[Mapping[str, str]] = {"A": "a_0", "B": "b_0"}
    A: Tensor
    B: Tensor
    scale: float = 1.0

    def __post_init__(self) -> None:
        """Refuse factors that are not finite matrices of fitting shapes, and a scale that is not positive."""
        super().__post_init__()
        check_factors(self.W0, A=self.A, B=self.B)
        check_scale(self.scale)

    @property
    def rank(self) -> int:
        """r, the number of rows of A."""
        return len(self.A)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The inner vector d, shape (r, 1), and the outer one b, shape (d, 1)."""
        return Block("d", (self.rank, 1), "max", "a"), Block("b", (self.W0.shape[0], 1), "max", "b")

    def weight(self, v: Point) -> Tensor:
        """W0 + s diag(b) B diag(d) A."""
        inner, outer = v
        return self.W0 + self.scale * ((outer * self.B) @ (inner * self.A))

    def pull_back(self, v: Point, gradient: Tensor) -> Point:
        r"""The row sums of :math:`s A \circ (B^\top \mathrm{diag}(b) M)`, for d, and other row sums for b.

        Those for b are of :math:`s M \circ (B\,\mathrm{diag}(d) A)`.
        """
        inner, outer = v
        in_rank = self.A * ((outer * self.B).mT @ gradient)
        in_rows = gradient * (self.B @ (inner * self.A))
        return self.scale * in_rank.sum(-1, keepdim=True), self.scale * in_rows.sum(-1, keepdim=True)

    def initial(self, gain: float, generator: torch.Generator) -> Point:
        """The start of its authors: d = 0.1 and b = 0."""
        return self.W0.new_full((1, self.rank, 1), 0.1), self.W0.new_zeros((1, self.W0.shape[0], 1))

    def constants(self, radii: Radii) -> dict[str, float]:
        """s, the radii a and b, and the spectral norms a_0 and b_0 of the frozen factors, rounded up."""
        norms = {"a_0": spectral_bound(self.A), "b_0": spectral_bound(self.B)}
        return {"s": self.scale, "a": radii["a"], "b": radii["b"]} | norms

    def sizes(self, v: Point) -> Sizes:
        """Sums of r products of scaled factors in W; one scaled and one bare factor in the pull-back."""
        inner, outer = v
        A, B = size(inner * self.A), size(outer * self.B)
        jacobian = self.scale * (size(self.A) * B + size(self.B) * A)
        return Sizes(self.rank + 8, size(self.W0) + self.scale * A * B, jacobian)

    def reach(self, radii: Radii) -> float:
        r""":math:`s\sqrt r\,b\,b_0\,a\,a_0`."""
        sizes = radii["a"] * radii["b"] * spectral_bound(self.A) * spectral_bound(self.B)
        return self.scale * math.sqrt(self.rank) * sizes * ROUND_UP


@dataclass(frozen=True)
class LoHa(Adapter):
    r"""The Hadamard product of two low-rank products (Hyeon-Woo, Ye-Bin and Oh 2022, Proposition 1).

    :math:`W(v) = W_0 + s (B_1 A_1) \circ (B_2 A_2)` with v = (A_1, B_1, A_2, B_2).

    Attributes:
        rank: r of each product, at most min(d, k); that of the update is up to its square.
        scale: s > 0.

    """

    kind = "loha"
    place = 90
    title = "LoHa"
    radius_names = ("a", "b")
    radius_of: ClassVar[Mapping[str, str]] = {"a": "σ₁(A)", "b": "σ₁(B)"}
    rank: int
    scale: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a W0 that is not a finite matrix, and a rank or scale for which W(v) is not such an update."""
        super().__post_init__()
        check_rank(self.rank, self.W0)
        check_scale(self.scale)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """A_1, B_1, A_2 and B_2."""
        d, k = self.W0.shape
        shapes = {"A": (self.rank, k), "B": (d, self.rank)}
        return tuple(Block(f"{x}_{i}", shapes[x], "spectral", x.lower()) for i in (1, 2) for x in "AB")

    def weight(self, v: Point) -> Tensor:
        """W0 + s (B_1 A_1) ∘ (B_2 A_2)."""
        A1, B1, A2, B2 = v
        return self.W0 + self.scale * ((B1 @ A1) * (B2 @ A2))

    def pull_back(self, v: Point, gradient: Tensor) -> Point:
        """LoRA's pull-back for each product, with the gradient times the other product in place of the gradient."""
        A1, B1, A2, B2 = v
        first, second = self.scale * gradient * (B2 @ A2), self.scale * gradient * (B1 @ A1)
        return B1.mT @ first, first @ A1.mT, B2.mT @ second, second @ A2.mT

    def initial(self, gain: float, generator: torch.Generator) -> Point:
        """Gaussian factors but for B_2 = 0, so that W starts at W0."""
        d, k = self.W0.shape
        A1, A2 = (gaussian((self.rank, k), gain / math.sqrt(k), generator) for _ in range(2))
        B1 = gaussian((d, self.rank), gain / math.sqrt(self.rank), generator)
        return A1, B1, A2, torch.zeros_like(B1)

    def constants(self, radii: Radii) -> dict[str, float]:
        """s, and the radii a of both A and b of both B."""
        return {"s": self.scale, "a": radii["a"], "b": radii["b"]}

    def sizes(self, v: Point) -> Sizes:
        """Two sums of r products, and their product."""
        A1, B1, A2, B2 = (size(part) for part in v)
        jacobian = self.scale * ((A1 + B1) * A2 * B2 + A1 * B1 * (A2 + B2))
        return Sizes(2 * self.rank + 8, size(self.W0) + self.scale * A1 * B1 * A2 * B2, jacobian)

    def reach(self, radii: Radii) -> float:
        r""":math:`s\sqrt r\,(ab)^2`, by :math:`\|X \circ Y\|_F \le \|X\|_F\|Y\|_{op}`."""
        return self.scale * math.sqrt(self.rank) * (radii["a"] * radii["b"]) ** 2 * ROUND_UP
