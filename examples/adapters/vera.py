"""VeRA, an adapter in one file from outside: two trained vectors between frozen matrices, and the
claim about it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import sympy as sp
import torch
from torch import Tensor

from boundcheck.functions.adapters.base import Adapter, Block, Radii, Sizes, size, spectral_bound
from boundcheck.functions.arithmetic import ROUND_UP, Point
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim, Quantifier, Quantity
from boundcheck.language.symbols import Lhat, Parameter, s

# The radii a and b bound the entries of the two vectors, and these the frozen matrices.
a_0, b_0 = sp.symbols("a_0 b_0", positive=True)
DECLARED = (
    Parameter(a_0, "positive real", "bound on the spectral norm of the frozen A"),
    Parameter(b_0, "positive real", "bound on the spectral norm of the frozen B"),
)
# LoRA's constant, with the frozen matrices' norms in the scale.
SCALE = s * a_0 * b_0
LAMBDA = catalogue["meft.lemma1_sharp"].expression("Lhat").xreplace({s: SCALE})
COMPOSITION = catalogue["meft.composition"]
SHARP = Claim(
    "example.vera",
    "VeRA, sharp",
    "Kopiczko, Blankevoort and Asano 2024, Eq. (2)",
    COMPOSITION.conclusion,
    Quantifier(
        within=(
            r"\text{for } v_1, v_2 \text{ in the domain } |d_i| \le a, \; |b_i| \le b "
            r"\text{ of } W(v) = W_0 + s \, \mathrm{diag}(b) B \, \mathrm{diag}(d) A"
        )
    ),
    (catalogue["jiang2024.assumption1"], catalogue["meft.gradient_bound_in_domain"]),
    (Quantity(Lhat, LAMBDA, "smoothness constant of F, a top eigenvalue"),),
    argument=(
        "A frozen factor multiplies the norm of a change in W, and of a gradient behind it, by its"
        " own norm: Lemma 1, sharp, with $sa_0b_0$ for $s$. A difference between diagonals is no"
        " longer than that between matrices."
    ),
    declared=DECLARED,
)


@dataclass(frozen=True)
class VeRA(Adapter):
    r"""Vector-based random matrix adaptation (Kopiczko, Blankevoort and Asano 2024, Eq. (2)).

    :math:`W(v) = W_0 + s\,\mathrm{diag}(b)\,B\,\mathrm{diag}(d)\,A` with frozen A, B; v = (d, b),
    two vectors as matrices of one column. The radii a and b bound their entries.
    """

    title = "VeRA"
    radius_names = ("a", "b")
    radius_of: ClassVar[Mapping[str, str]] = {"a": "max |d|", "b": "max |b|"}
    # Where this file is, the claim is, too.
    claims = (f"{__file__}:SHARP",)
    composition = claims[0]
    frozen: ClassVar[Mapping[str, str]] = {"A": "a_0", "B": "b_0"}
    A: Tensor
    B: Tensor
    scale: float = 1.0

    @property
    def rank(self) -> int:
        return len(self.A)

    @property
    def blocks(self) -> tuple[Block, ...]:
        return Block("d", (self.rank, 1), "max", "a"), Block("b", (self.W0.shape[0], 1), "max", "b")

    def weight(self, v: Point) -> Tensor:
        inner, outer = v
        return self.W0 + self.scale * ((outer * self.B) @ (inner * self.A))

    def pull_back(self, v: Point, gradient: Tensor) -> Point:
        r"""The row sums of :math:`s A \circ (B^\top \mathrm{diag}(b) M)`, for d, and other row sums
        for b.

        Those for b are of :math:`s M \circ (B\,\mathrm{diag}(d) A)`.
        """
        inner, outer = v
        in_rank = self.A * ((outer * self.B).mT @ gradient)
        in_rows = gradient * (self.B @ (inner * self.A))
        return self.scale * in_rank.sum(-1, keepdim=True), self.scale * in_rows.sum(
            -1, keepdim=True
        )

    def initial(self, gain: float, generator: torch.Generator) -> Point:
        """The start of its authors: d = 0.1 and b = 0."""
        return self.W0.new_full((1, self.rank, 1), 0.1), self.W0.new_zeros((1, self.W0.shape[0], 1))

    def constants(self, radii: Radii) -> dict[str, float]:
        """s, the radii a and b, and the spectral norms a_0 and b_0 of the frozen factors, rounded
        up.
        """
        norms = {"a_0": spectral_bound(self.A), "b_0": spectral_bound(self.B)}
        return {"s": self.scale, "a": radii["a"], "b": radii["b"]} | norms

    def sizes(self, v: Point) -> Sizes:
        """Sums of r products of scaled factors in W; one scaled and one bare factor in the
        pull-back.
        """
        inner, outer = v
        A, B = size(inner * self.A), size(outer * self.B)
        jacobian = self.scale * (size(self.A) * B + size(self.B) * A)
        return Sizes(self.rank + 8, size(self.W0) + self.scale * A * B, jacobian)

    def reach(self, radii: Radii) -> float:
        sizes = radii["a"] * radii["b"] * spectral_bound(self.A) * spectral_bound(self.B)
        return self.scale * math.sqrt(self.rank) * sizes * ROUND_UP
