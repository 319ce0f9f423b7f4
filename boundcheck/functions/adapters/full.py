"""Full fine-tuning, the baseline: W itself is trained."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from boundcheck.functions.adapters.base import ROUND_UP, Adapter, Block, Radii, Sizes, size
from boundcheck.functions.norms import Point
from boundcheck.functions.objective import Side


@dataclass(frozen=True)
class Full(Adapter):
    """W(v) = W0 + v, so that F has the smoothness of f. The ball says where to look, not where the claim holds."""

    kind = "full"
    place = 10
    has_rank = False
    is_run = True
    title = "full fine-tuning"
    has_scale = False
    is_linear = True
    is_isometry = True
    radius_names = ("rho",)
    radius_of: ClassVar[Mapping[str, str]] = {"rho": "σ₁(W − W₀)"}

    @property
    def rank(self) -> int:
        """min(d, k)."""
        return min(self.W0.shape)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The change of W, shape (d, k)."""
        d, k = self.W0.shape
        return (Block("W", (d, k), "spectral", "rho"),)

    def weight(self, v: Point) -> Tensor:
        """W0 + v."""
        return self.W0 + v[0]

    def pull_back(self, v: Point, gradient: Tensor) -> Point:
        """The gradient in W."""
        return (gradient,)

    def sides(self, v: Point) -> tuple[Side, ...]:
        """The identity."""
        return ((None, None),)

    def initial(self, gain: float, generator: torch.Generator) -> Point:
        """The point v = 0, at which W is W0."""
        return (torch.zeros_like(self.W0).unsqueeze(0),)

    def constants(self, radii: Radii) -> dict[str, float]:
        """No constants: the claim speaks of L alone."""
        return {}

    def sizes(self, v: Point) -> Sizes:
        """The sizes of the one sum in W."""
        return Sizes(4, size(self.W0) + size(v[0]), torch.ones_like(size(v[0])))

    def reach(self, radii: Radii) -> float:
        r""":math:`\sqrt{\min(d, k)}\,\rho`."""
        return math.sqrt(self.rank) * radii["rho"] * ROUND_UP
