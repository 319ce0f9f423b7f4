"""An adapter of one's own, one file, with the claim about it: W(v) = W0 + s v."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from boundcheck.functions.adapters.base import Adapter, Block, Radii, Sizes, size
from boundcheck.functions.arithmetic import ROUND_UP, Point
from boundcheck.functions.objective import Side
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim, Quantity
from boundcheck.language.symbols import L, Lhat, s

FULL = catalogue["meft.full"]
SMOOTH = Claim(
    "outer.scaled",
    "A scaled change of W",
    "mine",
    FULL.conclusion,
    FULL.quantifier,
    FULL.hypotheses,
    (Quantity(Lhat, s**2 * L, "smoothness constant of F"),),
)
FALSE = Claim(
    "outer.scaled_falsely",
    "A scaled change of W, too well",
    "mine",
    FULL.conclusion,
    FULL.quantifier,
    FULL.hypotheses,
    (Quantity(Lhat, s**2 * L / 2, "smoothness constant of F"),),
)


@dataclass(frozen=True)
class Scaled(Adapter):
    """W(v) = W0 + s v, which makes F s^2 L smooth."""

    title = "scaled"
    claims = (f"{__name__}:SMOOTH",)
    composition = f"{__name__}:SMOOTH"
    radius_names = ("rho",)
    options = ("scale",)
    is_run = True
    is_linear = True
    scale: float = 1.0

    @property
    def blocks(self) -> tuple[Block, ...]:
        d, k = self.W0.shape
        return (Block("V", (d, k), "spectral", "rho"),)

    def weight(self, v: Point) -> Tensor:
        return self.W0 + self.scale * v[0]

    def pull_back(self, v: Point, gradient: Tensor) -> Point:
        return (self.scale * gradient,)

    def sides(self, v: Point) -> tuple[Side, ...]:
        like = self.scale * torch.eye(len(self.W0), dtype=self.W0.dtype)
        return ((like, None),)

    def initial(self, gain: float, generator: torch.Generator) -> Point:
        return (torch.zeros_like(self.W0).unsqueeze(0),)

    def constants(self, radii: Radii) -> dict[str, float]:
        return {"s": self.scale}

    def sizes(self, v: Point) -> Sizes:
        return Sizes(
            4, size(self.W0) + self.scale * size(v[0]), self.scale * torch.ones_like(size(v[0]))
        )

    def reach(self, radii: Radii) -> float:
        return self.scale * math.sqrt(min(self.W0.shape)) * radii["rho"] * ROUND_UP
