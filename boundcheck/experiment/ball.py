"""A watch on whether every iterate stays in the ball: certified between audits by the length travelled."""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from boundcheck.functions.arithmetic import EPSILON, Point, spectral_norm
from boundcheck.language.evidence import ROUNDING


@dataclass
class BallWatch:
    """A watch that keeps, for each replica, a lower bound on its distance to the boundary of the ball.

    A step of Frobenius length l changes a spectral norm by at most l, so the norms need computing only when the length
    travelled since they were last known has used up the distance. The ball is convex: segments stay inside with
    their ends.

    Attributes:
        radii: the bounds on the spectral norms of the blocks of v.
        room: a lower bound on radius minus norm, shape (blocks, R).
        largest: the largest spectral norm of each block computed so far.
        outside: the first iteration with an iterate outside, or None.

    """

    radii: tuple[float, ...]
    room: Tensor
    largest: tuple[float, ...]
    outside: int | None = None
    _slack: Tensor | None = field(default=None, init=False, repr=False)

    @classmethod
    def start(cls, radii: tuple[float, ...], v: Point) -> "BallWatch":
        """Watch from the first iterate on."""
        room = torch.zeros(len(radii), len(v[0]), dtype=torch.float64, device=v[0].device)
        watch = cls(radii, room, (0.0,) * len(radii))
        watch.look(v, 1)
        return watch

    def follow(self, v: Point, step_size: float, lengths: Tensor, t: int) -> None:
        """Account for steps in a row.

        Args:
            v: the iterates that they led to, blocks of shape (steps, R, rows, columns).
            step_size: of all.
            lengths: of the blocks of their gradients, shape (steps, blocks, R).
            t: the iteration of the first of these iterates.

        """
        if self._slack is None:
            # A float step is longer than alpha ||g|| by at most a unit roundoff of each entry that it leads to.
            slack = [EPSILON * math.sqrt(x[0, 0].numel()) * radius for x, radius in zip(v, self.radii, strict=True)]
            self._slack = lengths.new_tensor(slack).unsqueeze(1)
        costs = torch.add(self._slack, lengths, alpha=step_size * (1 + ROUNDING))
        first = 0
        while first < len(costs):
            left = torch.cat([self.room.unsqueeze(0), -costs[first:]]).cumsum(0)[1:]
            # Written so that NaN, from a run that diverged, looks too.
            used_up = (~(left >= 0)).flatten(1).any(1)
            if not used_up.any():
                self.room = left[-1]
                return
            first += int(used_up.to(torch.uint8).argmax())
            self.look(tuple(part[first] for part in v), t + first)
            first += 1

    def look(self, v: Point, t: int) -> None:
        """Compute the spectral norms at v, the iterate of iteration t."""
        norms = torch.stack([spectral_norm(part) for part in v])
        limits = norms.new_tensor(self.radii).unsqueeze(1)
        self.room = limits * (1 + ROUNDING) - norms
        self.largest = tuple(max(x, y) for x, y in zip(self.largest, norms.amax(1).tolist(), strict=True))
        if self.outside is None and bool((self.room < 0).any()):
            self.outside = t
