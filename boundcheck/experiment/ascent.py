"""Projected ascent: a search over the domain for the point at which F is most curved.

It climbs the length of H(v)u over points v and unit directions u in turn, many starts at once. Any value that it finds
is one of F's curvatures at a point of the domain, hence a lower estimate of the smoothness constant.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from boundcheck.functions.adapters import Radii
from boundcheck.functions.arithmetic import Point, square_norm
from boundcheck.functions.curvature import curved, derivative, hessian_vector_product, leaves
from boundcheck.functions.problem import Problem
from boundcheck.system.limits import Tick

# Products H(v)u for each step of v: the direction need only keep up with the point.
_TURNS = 2
_FIRST_STEP = 0.5
_GROW, _SHRINK = 1.5, 0.4


@dataclass(frozen=True)
class Climb:
    """The end of each start's climb: points, unit directions, and the lengths of H(v)u, shape (R,)."""

    v: Point
    u: Point
    lengths: Tensor


def ascend(problem: Problem, v: Point, u: Point, radii: Radii, rounds: int, tick: Tick) -> Climb:
    """Climb from points v of the domain, shape (R, ...), and directions u, for a number of rounds.

    Each round turns u into H(v)u and then moves v along the gradient of the length in v, projected back onto the
    domain; a step that gains nothing is undone and shortened. So the lengths never fall.
    """
    u = problem.adapter.unit(v, u)
    lengths = _length(problem, v, u)
    size = sum(radius**2 for radius in radii.values()) ** 0.5
    steps = torch.full_like(lengths, _FIRST_STEP * size)
    for done in range(rounds):
        for _ in range(_TURNS):
            u = problem.adapter.unit(v, hessian_vector_product(problem, v, u))
        lengths = _length(problem, v, u)
        uphill = problem.adapter.unit(v, _uphill(problem, v, u))
        moved = tuple(steps[:, None, None] * part for part in uphill)
        # A point that is no number has no singular values; it stays what it is, because it gains nothing.
        to = problem.adapter.project(problem.adapter.retract(_finite(v), _finite(moved)), radii)
        turned = problem.adapter.unit(to, u)
        found = _length(problem, to, turned)
        # Written so that a NaN is no gain.
        gained = found > lengths
        v, u = _where(gained, to, v), _where(gained, turned, u)
        lengths = torch.where(gained, found, lengths)
        steps = torch.where(gained, _GROW * steps, _SHRINK * steps)
        tick("ascent", done + 1, rounds)
    return Climb(v, u, lengths)


def _length(problem: Problem, v: Point, u: Point) -> Tensor:
    return square_norm(hessian_vector_product(problem, v, u)).sqrt()


def _uphill(problem: Problem, v: Point, u: Point) -> Point:
    r"""Half the gradient in v of :math:`\|H(v)u\|^2`, which is :math:`D^3F(v)[H u, u, \cdot]`.

    Third derivatives are symmetric, so that it is the derivative along u of H(v)[Hu]. On a curved domain, terms of its
    curvature are left out, and the step shows whether it goes uphill.
    """
    image = hessian_vector_product(problem, v, u)
    with torch.enable_grad():
        at = leaves(v)
        return tuple(part.detach() for part in derivative(curved(problem, at, image), at, u))


def _finite(v: Point) -> Point:
    return tuple(torch.nan_to_num(part, 0.0, 0.0, 0.0) for part in v)


def _where(mask: Tensor, yes: Point, no: Point) -> Point:
    return tuple(torch.where(mask[:, None, None], x, y) for x, y in zip(yes, no, strict=True))
