"""`Rebased`: any adapter with a base that moves, for algorithms that merge what was trained and begin again."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from boundcheck.functions.adapters.base import ROUND_UP, Adapter, Block, Radii, Sizes, size
from boundcheck.functions.norms import Point
from boundcheck.functions.objective import Side

BASE_RADIUS = "z"
"""The radius of what was merged."""


@dataclass(frozen=True)
class Rebased(Adapter):
    """W(v) = Z + U(u) at v = (u, Z), where U(u) is the weight of another adapter, and Z what was merged before.

    No step moves Z: it is no direction of the domain, and gradients have zeros there. So F's smoothness is that of the
    other adapter, whatever Z is.

    Attributes:
        inner: the other adapter, around the same W0.

    """

    inner: Adapter

    def __post_init__(self) -> None:
        """Take over what the inner adapter is to others, with one more radius."""
        super().__post_init__()
        inner = self.inner
        # A frozen object has no other way to keep what is not a field.
        vars(self).update({name: getattr(inner, name) for name in ("kind", "title", "claims", "composition")})
        vars(self).update({name: getattr(inner, name) for name in ("needs_ball", "has_diagonal", "frozen")})
        vars(self).update(radius_names=(*inner.radius_names, BASE_RADIUS))

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks of the inner adapter, and Z, shape (d, k)."""
        d, k = self.W0.shape
        return *self.inner.blocks, Block("Z", (d, k), "spectral", BASE_RADIUS)

    @property
    def is_flat(self) -> bool:
        """False: a step does not move Z."""
        return False

    def bounded(self, v: Point) -> Point:
        """The matrices that the inner adapter's domain bounds, and Z."""
        return *self.inner.bounded(v[:-1]), v[-1]

    def at(self, bounded: Point) -> Point:
        """The inner adapter's point, and Z."""
        return *self.inner.at(bounded[:-1]), bounded[-1]

    def weight(self, v: Point) -> Tensor:
        """Z + U(u)."""
        return v[-1] + self.inner.weight(v[:-1])

    def pull_back(self, v: Point, gradient: Tensor) -> Point:
        """The inner adapter's pull-back, and 0 in Z."""
        return *self.inner.pull_back(v[:-1], gradient), torch.zeros_like(v[-1])

    def sides(self, v: Point) -> tuple[Side, ...] | None:
        return self.inner.sides(v[:-1])

    def initial(self, gain: float, generator: torch.Generator) -> Point:
        """The inner adapter's start; nothing is merged yet."""
        return *self.inner.initial(gain, generator), self._nothing()

    def diagonal(self, gain: float) -> Point:
        """The inner adapter's diagonal start."""
        return *self.inner.diagonal(gain), self._nothing()

    def _nothing(self) -> Tensor:
        return torch.zeros_like(self.W0).unsqueeze(0)

    def restart(self, v: Point, gain: float, generator: torch.Generator) -> Point:
        """A start for each replica, drawn anew, and the Z at which W is what it was."""
        starts = [self.inner.initial(gain, generator) for _ in range(len(v[0]))]
        fresh: Point = tuple(torch.cat(parts) for parts in zip(*starts, strict=True))
        return *fresh, self.weight(v) - self.inner.weight(fresh)

    def tangent(self, v: Point, u: Point) -> Point:
        """The tangent part in the other blocks, and 0 in Z."""
        return *self.inner.tangent(v[:-1], u[:-1]), torch.zeros_like(u[-1])

    def acceleration(self, v: Point, u: Point) -> Point:
        """The inner adapter's acceleration, and 0 in Z."""
        return *self.inner.acceleration(v[:-1], u[:-1]), torch.zeros_like(u[-1])

    def retract(self, v: Point, u: Point) -> Point:
        """A step in all blocks but Z."""
        return *self.inner.retract(v[:-1], u[:-1]), v[-1]

    def constants(self, radii: Radii) -> dict[str, float]:
        """The inner adapter's constants, of which Z is no part."""
        return self.inner.constants(radii)

    def sizes(self, v: Point) -> Sizes:
        """The inner adapter's sizes, with Z as one more term of W."""
        inside = self.inner.sizes(v[:-1])
        return inside._replace(terms=inside.terms + 1, weight=inside.weight + size(v[-1]))

    def reach(self, radii: Radii) -> float:
        r"""The inner adapter's reach, plus :math:`\sqrt{\min(d, k)}` times the radius of Z."""
        return (self.inner.reach(radii) + math.sqrt(min(self.W0.shape)) * radii[BASE_RADIUS]) * ROUND_UP
