"""LoHa, an adapter in one file from outside: the Hadamard product of two low-rank products, and the
claim about it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import sympy as sp
import torch
from torch import Tensor

from boundcheck.functions.adapters.base import Adapter, Block, Radii, Sizes, gaussian, size
from boundcheck.functions.arithmetic import ROUND_UP, Point
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim, Quantifier, Quantity
from boundcheck.language.symbols import G, L, Lhat, a, b, s


def top(first: sp.Expr, cross: sp.Expr, second: sp.Expr) -> sp.Expr:
    """The top eigenvalue of [[first, cross], [cross, second]]."""
    return (first + second) / 2 + sp.sqrt(((first - second) / 2) ** 2 + cross**2)


LAMBDA = top(
    2 * L * s**2 * a**2 * b**4 + G * s * b**2,
    2 * L * s**2 * a**3 * b**3 + 2 * G * s * a * b,
    2 * L * s**2 * a**4 * b**2 + G * s * a**2,
)
COMPOSITION = catalogue["meft.composition"]
SHARP = Claim(
    "example.loha",
    "LoHa, sharp",
    "Hyeon-Woo, Ye-Bin and Oh 2022, Proposition 1",
    COMPOSITION.conclusion,
    Quantifier(
        within=(
            r"\text{for } v_1, v_2 \text{ in the domain } \sigma_1(A_i) \le a, \; "
            r"\sigma_1(B_i) \le b \text{ of } W(v) = W_0 + s (B_1 A_1) \circ (B_2 A_2)"
        )
    ),
    (catalogue["jiang2024.assumption1"], catalogue["meft.gradient_bound_in_domain"]),
    (Quantity(Lhat, LAMBDA, "smoothness constant of F, a top eigenvalue"),),
    argument=(
        "$‖X ∘ Y‖_F ≤ ‖X‖_F‖Y‖_op$, $‖M ∘ Y‖_op ≤ ‖M‖_op‖Y‖_op$ (Schur) and $|⟨M, X ∘ Y⟩| ≤"
        " ‖M‖_op‖X‖_F‖Y‖_F$. The form in the norms of $(A_1, B_1, A_2, B_2)$ is nonnegative and the"
        " same for both pairs, which then share them."
    ),
)


@dataclass(frozen=True)
class LoHa(Adapter):
    r"""The Hadamard product of two low-rank products (Hyeon-Woo, Ye-Bin and Oh 2022, Proposition
    1).

    :math:`W(v) = W_0 + s (B_1 A_1) \circ (B_2 A_2)` with v = (A_1, B_1, A_2, B_2).

    Each product has rank r; that of the update is up to its square.
    """

    title = "LoHa"
    radius_names = ("a", "b")
    radius_of: ClassVar[Mapping[str, str]] = {"a": "σ₁(A)", "b": "σ₁(B)"}
    # Where this file is, the claim is, too.
    claims = (f"{__file__}:SHARP",)
    composition = claims[0]
    rank: int
    scale: float = 1.0

    @property
    def blocks(self) -> tuple[Block, ...]:
        # The last two dimensions: W0 is batched in the adversary's search.
        d, k = self.W0.shape[-2:]
        pair = (
            Block("A", (self.rank, k), "spectral", "a"),
            Block("B", (d, self.rank), "spectral", "b"),
        )
        return tuple(replace(x, name=f"{x.name}_{i}") for i in (1, 2) for x in pair)

    def weight(self, v: Point) -> Tensor:
        A1, B1, A2, B2 = v
        return self.W0 + self.scale * ((B1 @ A1) * (B2 @ A2))

    def pull_back(self, v: Point, gradient: Tensor) -> Point:
        """LoRA's pull-back for each product, with the gradient times the other product in place of
        the gradient.
        """
        A1, B1, A2, B2 = v
        first, second = self.scale * gradient * (B2 @ A2), self.scale * gradient * (B1 @ A1)
        return B1.mT @ first, first @ A1.mT, B2.mT @ second, second @ A2.mT

    def initial(self, gain: float, generator: torch.Generator) -> Point:
        d, k = self.W0.shape
        A1, A2 = (gaussian((self.rank, k), gain / math.sqrt(k), generator) for _ in range(2))
        B1 = gaussian((d, self.rank), gain / math.sqrt(self.rank), generator)
        return A1, B1, A2, torch.zeros_like(B1)

    def constants(self, radii: Radii) -> dict[str, float]:
        return {"s": self.scale, "a": radii["a"], "b": radii["b"]}

    def sizes(self, v: Point) -> Sizes:
        A1, B1, A2, B2 = (size(part) for part in v)
        jacobian = self.scale * ((A1 + B1) * A2 * B2 + A1 * B1 * (A2 + B2))
        return Sizes(2 * self.rank + 8, size(self.W0) + self.scale * A1 * B1 * A2 * B2, jacobian)

    def reach(self, radii: Radii) -> float:
        r""":math:`s\sqrt r\,(ab)^2`, by :math:`\|X \circ Y\|_F \le \|X\|_F\|Y\|_{op}`."""
        return self.scale * math.sqrt(self.rank) * (radii["a"] * radii["b"]) ** 2 * ROUND_UP
