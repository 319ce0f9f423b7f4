"""A check that a gradient is that of its function: over short segments, values change by what the gradient says."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from boundcheck.errors import InputError
from boundcheck.functions.adapters import Adapter
from boundcheck.functions.constant import EPSILON
from boundcheck.functions.norms import Point, inner, square_norm

# Bounds on rounding errors that come from outside are estimates as often as not: so much more is allowed.
MARGIN = 16.0
# The length of a segment, over the size of the point, at least.
_SHORTEST = 2.0**-40


class Segments(NamedTuple):
    """The lengths of segments: a gradient is refused where each of them speaks against it.

    Attributes:
        over: by how much the change along each is to be larger than what rounding may be of it.
        longest: over the size of the point. Farther away a function may turn and come back.

    """

    over: tuple[float, ...]
    longest: float


FINE = Segments((2.0**12, 2.0**20), 2.0**-20)
COARSE = Segments((2.0**8,), 2.0**-10)
"""Those of a function in float64, and of one that may be in single precision."""


class Smooth(Protocol):
    """A function that can be held against its gradient: a `Function`, or what an adapter makes of a matrix."""

    def loss(self, v: Point) -> Tensor:
        """The values, shape (R,)."""
        ...

    def gradient(self, v: Point) -> Point:
        """The gradient."""
        ...

    def rounding(self, v: Point, loss: Tensor) -> tuple[Tensor, Tensor]:
        """The errors that values and gradient may have, two of shape (R,)."""
        ...

    def retract(self, v: Point, step: Point) -> Point:
        """The point reached by a step."""
        ...


class Slope(NamedTuple):
    """A slope along a segment, by values and by the gradient, and the difference allowed between the two."""

    seen: float
    said: float
    allowed: float


@dataclass(frozen=True)
class _Through:
    """The function <M, W(v)>, whose gradient is the pull-back of M."""

    adapter: Adapter
    matrix: Tensor

    def loss(self, v: Point) -> Tensor:
        return inner((self.matrix,), (self.adapter.weight(v),))

    def gradient(self, v: Point) -> Point:
        return self.adapter.pull_back(v, self.matrix.expand(len(v[0]), -1, -1))

    def rounding(self, v: Point, loss: Tensor) -> tuple[Tensor, Tensor]:
        sizes, (d, k) = self.adapter.sizes(v), self.matrix.shape[-2:]
        size = torch.linalg.matrix_norm(self.matrix)
        off = EPSILON * (sizes.terms + d * k) * size * sizes.weight
        return off, EPSILON * (sizes.terms + d + k) * size * sizes.products * sizes.jacobian

    def retract(self, v: Point, step: Point) -> Point:
        return self.adapter.retract(v, step)


def check_pull_back(adapter: Adapter, v: Point) -> None:
    """Refuse an adapter whose `pull_back` is not the adjoint of the derivative of its `weight` at v, with R = 1."""
    random = torch.Generator().manual_seed(0)
    M = _drawn((adapter.W0.unsqueeze(0),), random)[0]
    wrong = disagreement(_Through(adapter, M), v, FINE, random)
    if wrong is not None:
        expected = f"{wrong.seen:.8g}, by which `weight` changes, to within {wrong.allowed:.1g}"
        raise InputError("adapter.pull_back", f"a slope of {wrong.said:.8g} along a short segment", expected)


def disagreement(f: Smooth, v: Point, segments: Segments, random: torch.Generator) -> Slope | None:
    r"""The first direction in which a gradient is not that of its function at v, with R = 1; None where there is none.

    Between the ends :math:`v_\pm` of a segment through v, the function changes by the mean of
    :math:`\langle\nabla F, v_+ - v_-\rangle`. This mean differs from the value at v by at most :math:`|v_+ - v_-|`
    times the distance of the gradient from that at v. Twice this distance at the ends is allowed, and rounding.
    Directions are along the gradient, each block of length 1, so that a small one counts too, and at random.
    """
    loss, g = f.loss(v), f.gradient(v)
    off, size = f.rounding(v, loss)[0].item(), square_norm(v).sqrt().item() or 1.0
    steep = square_norm(g).sqrt().item()
    wanted = [over * MARGIN * off / steep if steep > 0 else math.inf for over in segments.over]
    lengths = [min(max(length, _SHORTEST * size), segments.longest * size) for length in wanted]
    directions = (_by_blocks(g), _by_blocks(_drawn(v, random)))
    steps = [tuple(sign * h * part for part in d) for d, h, sign in product(directions, lengths, (1, -1))]
    stacked: Point = tuple(torch.cat(parts) for parts in zip(*steps, strict=True))
    ends = f.retract(tuple(part.expand(len(steps), -1, -1) for part in v), stacked)
    losses, slopes = f.loss(ends), f.gradient(ends)
    errors = f.rounding(ends, losses)
    moved = square_norm(tuple(x - y for x, y in zip(slopes, g, strict=True))).sqrt()
    rows = []
    for i in range(0, len(steps), 2):
        chord = tuple(part[i : i + 1] - part[i + 1 : i + 2] for part in ends)
        length = square_norm(chord).sqrt().item()
        sums = EPSILON * (losses[i : i + 2].abs().sum().item() + (v[0].numel() + 64) * steep * length)
        rounding = MARGIN * (errors[0][i : i + 2].sum().item() + errors[1][i : i + 2].max().item() * length) + sums
        allowed = 2 * length * moved[i : i + 2].max().item() + rounding
        rows.append((losses[i].item() - losses[i + 1].item(), inner(g, chord).item(), allowed, length))
    for along in (rows[: len(lengths)], rows[len(lengths) :]):
        wrong = [row for row in along if _differ(*row)]
        if len(wrong) == len(along):
            seen, said, allowed, length = wrong[-1]
            return Slope(seen / length, said / length, allowed / length)
    return None


def _differ(seen: float, said: float, allowed: float, length: float) -> bool:
    # What is no number speaks against nothing here: a run shows it.
    return length > 0 and math.isfinite(allowed) and abs(seen - said) > allowed


def _by_blocks(u: Point) -> Point:
    """Each block over its length, and all over theirs; a block of length 0 stays 0."""
    lengths = [torch.linalg.vector_norm(part) for part in u]
    share = math.sqrt(max(sum(bool(length > 0) for length in lengths), 1))
    return tuple(part / (share * length) if length > 0 else part for part, length in zip(u, lengths, strict=True))


def _drawn(like: Point, random: torch.Generator) -> Point:
    made = (torch.randn(part.shape, generator=random, dtype=torch.float64) for part in like)
    return tuple(x.to(part.device) for x, part in zip(made, like, strict=True))


def near(v: Point, retract: Callable[[Point, Point], Point], random: torch.Generator) -> Point:
    """A point near v, an eighth of its size away, at which no block is 0."""
    size = square_norm(v).sqrt().item() or 1.0
    return retract(v, tuple(size / 8 * part for part in _by_blocks(_drawn(v, random))))
