"""Projected gradient search for the instance on which a smoothness claim is tightest, from many starts at once.

Over all f with smoothness L and a gradient of spectral norm G, the largest second derivative of F along u at v is
L‖DW[u]‖_F² + G‖D²W[u, u]‖_*, with the nuclear norm; if G bounds the gradient's Frobenius norm, with the Frobenius norm.
The search climbs this number over v, u and the adapter's frozen matrices, and then builds an f that reaches it, and a
pair of points.
"""

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from boundcheck.functions.adapters import ADAPTERS, Adapter
from boundcheck.functions.arithmetic import Point
from boundcheck.functions.curvature import derivative, leaves
from boundcheck.language.claim import Claim
from boundcheck.worst_case.instance import AdapterInstance, unit
from boundcheck.worst_case.structure import Structure

# The distance between the two points of a pair, over the size of the domain.
_APART = 2.0**-17
_TINY = 1e-300
_GROW, _SHRINK = 1.5, 0.5


@dataclass
class _State:
    """Points, directions and frozen matrices of all starts, the two derivatives of W there, and the reached values."""

    v: Point
    u: Point
    frozen: dict[str, Tensor]
    slope: Tensor
    bent: Tensor
    values: Tensor


class Climber:
    """The search over one structure, from `starts` random starts."""

    def __init__(self, structure: Structure, starts: int, seed: int) -> None:
        self.structure, self.starts = structure, starts
        self.random = torch.Generator().manual_seed(seed)
        frozen = {name: self._sized(name, self._normal(shape)) for name, shape in structure.shapes.items()}
        self.outline = structure.adapter({name: X[0] for name, X in frozen.items()})
        v = self.outline.draw(structure.radii, starts, self.random)
        u = tuple(self._normal(block.shape) for block in self.outline.blocks)
        self.state = self._state(v, u, frozen)
        self.steps = torch.full((starts,), 0.3, dtype=torch.float64)

    def run(self, rounds: int) -> "Climber":
        """Climb for `rounds` rounds; the reached value never falls."""
        for _ in range(rounds):
            self._round()
        return self

    def best(self, claim: Claim, lipschitz: str) -> AdapterInstance:
        """The instance from the start that reached the most."""
        return self.instance(claim, lipschitz, int(self.state.values.nan_to_num(-1.0).argmax()))

    def instance(self, claim: Claim, lipschitz: str, which: int) -> AdapterInstance:
        """The instance from one start: the pair of points near it with the largest Lipschitz ratio."""
        state, s = self.state, self.structure
        adapter = s.adapter({name: X[which] for name, X in state.frozen.items()})
        v, u = (tuple(part[which : which + 1] for part in point) for point in (state.v, state.u))
        v = self._inward(v)
        direction, tilt = steepest_loss(adapter, v, u, s.spectral)
        pairs = self._pairs(adapter, v, u) if adapter.is_flat else [(v, u)]
        return max(
            (
                AdapterInstance.around(claim, adapter, s.radii, lipschitz, s.L, s.G, direction, tilt, *pair, s.given)
                for pair in pairs
            ),
            key=lambda instance: instance.ratio,
        )

    def _pairs(self, adapter: Adapter, v: Point, u: Point) -> list[tuple[Point, Point]]:
        """Pairs of v and a point beside it along u: on either side, or both brought a little inside."""
        step = _APART * min(self.structure.radii.values())
        inner = tuple((1 - 2 * _APART) * part for part in v)
        found = []
        for start, sign in ((v, 1.0), (v, -1.0), (inner, 1.0)):
            to = adapter.retract(start, tuple(sign * step * part for part in u))
            found.append((start, self._inward(adapter.project(to, self.structure.radii))))
        return found

    def _inward(self, v: Point) -> Point:
        """Shrink by more than the rounding errors of norms, so that the points are exactly inside."""
        return self.outline.inward(v, self.structure.radii, 1e-13)

    def _normal(self, shape: tuple[int, int]) -> Tensor:
        return torch.randn((self.starts, *shape), generator=self.random, dtype=torch.float64)

    def _sized(self, name: str, X: Tensor) -> Tensor:
        """A frozen matrix brought to its norm."""
        norm = self.structure.frozen[ADAPTERS[self.structure.kind].frozen[name]]
        if name == "W0":
            return norm * X / torch.linalg.vector_norm(X, dim=-2, keepdim=True)
        return norm * X / torch.linalg.matrix_norm(X, 2, keepdim=True)

    def _state(self, v: Point, u: Point, frozen: dict[str, Tensor]) -> _State:
        u = self.outline.unit(v, u)
        slope, bent = _derivatives(_with(self.outline, frozen), v, u)
        return _State(v, u, frozen, slope, bent, self._value(slope, bent))

    def _value(self, slope: Tensor, bent: Tensor) -> Tensor:
        s = self.structure
        # The dual of the norm in which G bounds the gradient.
        turned = torch.linalg.matrix_norm(bent, "nuc" if s.spectral else "fro").clamp(min=0)
        return s.L * slope.square().sum((-2, -1)) + s.G * turned

    def _round(self) -> None:
        state, blocks, names = self.state, len(self.state.v), list(self.state.frozen)
        # The best f at the current points. With it the value is smooth, and at most the value of the best f elsewhere.
        twist, stretch = _steepest(state.bent, self.structure.spectral), 2 * self.structure.L * state.slope

        with torch.enable_grad():
            variables = leaves((*state.v, *state.u, *state.frozen.values()))
            v, u = variables[:blocks], variables[blocks : 2 * blocks]
            adapter = _with(self.outline, dict(zip(names, variables[2 * blocks :], strict=True)))
            along, across = _graph(adapter, v, self.outline.unit(v, u))
            total = (stretch * along + self.structure.G * twist * across).sum()
            slopes = torch.autograd.grad(total, variables, materialize_grads=True)
        in_v, in_u, in_frozen = slopes[:blocks], slopes[blocks : 2 * blocks], slopes[2 * blocks :]
        rises = dict(zip(names, in_frozen, strict=True))
        gained = torch.zeros_like(state.values, dtype=torch.bool)
        for other in (self._cautious(in_v, in_u, rises), self._bold(in_v, in_u, rises)):
            better = other.values > self.state.values
            self.state = _chosen(better, other, self.state)
            gained |= better
        self.steps = torch.where(gained, (_GROW * self.steps).clamp(max=1.0), _SHRINK * self.steps).clamp(min=1e-9)

    def _bold(self, in_v: Point, in_u: Point, rises: Mapping[str, Tensor]) -> _State:
        """Move to where each slope is largest over the domain: a convex function is largest at such an end."""
        state = self.state
        v = self.outline.extreme(in_v, self.structure.radii)
        half = 0.5 / state.values.clamp(min=_TINY)[:, None, None]
        u = tuple(x + half * g for x, g in zip(state.u, in_u, strict=True))
        frozen = {}
        for name, X in state.frozen.items():
            U, _, Vh = torch.linalg.svd(rises[name], full_matrices=False)
            frozen[name] = X if name == "W0" else self._sized(name, U @ Vh)
        return self._state(v, u, frozen)

    def _cautious(self, in_v: Point, in_u: Point, rises: Mapping[str, Tensor]) -> _State:
        """A step along each slope, projected onto the domain."""
        state, radii, step = self.state, self.structure.radii, self.steps[:, None, None]
        size = math.sqrt(sum(radius**2 for radius in radii.values()))
        moved = tuple(step * size * g for g in self.outline.unit(state.v, in_v))
        v = self.outline.project(self.outline.retract(state.v, moved), radii)
        u = tuple(x + step * g for x, g in zip(state.u, self.outline.unit(state.v, in_u), strict=True))
        frozen = {
            name: self._sized(name, X + step * torch.linalg.matrix_norm(X, keepdim=True) * unit(rises[name]))
            for name, X in state.frozen.items()
        }
        return self._state(v, u, frozen)


def steepest_loss(adapter: Adapter, v: Point, u: Point, spectral: bool) -> tuple[np.ndarray, np.ndarray]:
    """E and N, shapes (d, k), of the loss that bends F most along u at v: E = DW[u] over its norm, N of norm 1.

    N is the gradient that makes most of D²W[u, u], of spectral norm 1, or of Frobenius norm 1 where not `spectral`.
    """
    slope, bent = _derivatives(adapter, v, u)
    return unit(slope)[0].numpy(), _steepest(bent, spectral)[0].numpy()


def _steepest(bent: Tensor, spectral: bool) -> Tensor:
    if not spectral:
        return unit(bent)
    U, S, Vh = torch.linalg.svd(bent, full_matrices=False)
    # Where D²W[u, u] is 0, the gradient gains nothing.
    return (U * (1e-9 * S[..., :1] < S).unsqueeze(-2)) @ Vh


def _with(outline: Adapter, frozen: Mapping[str, Tensor]) -> Adapter:
    """The adapter with a batch of frozen matrices, one for each start."""
    adapter = copy.copy(outline)
    for name, X in frozen.items():
        object.__setattr__(adapter, name, X)
    return adapter


def _derivatives(adapter: Adapter, v: Point, u: Point) -> tuple[Tensor, Tensor]:
    """The first and second derivative of W along the geodesic from v in the direction u, shape (R, d, k)."""
    with torch.enable_grad():
        slope, bent = _graph(adapter, leaves(v), u)
    return slope.detach(), bent.detach()


def _graph(adapter: Adapter, v: Point, u: Point) -> tuple[Tensor, Tensor]:
    """The derivatives of `_derivatives` for v of a graph: both can be differentiated again."""
    # The direction is fixed, although a tangent may be computed from v.
    at = tuple(part.clone() for part in v)
    W = (adapter.weight(at),)
    slope = derivative(W, at, u)
    (bent,) = derivative(slope, at, u)
    if not adapter.is_flat:
        bent = bent + derivative(W, at, adapter.acceleration(v, u))[0]
    return slope[0], bent


def _chosen(mask: Tensor, yes: _State, no: _State) -> _State:
    def pick(x: Tensor, y: Tensor) -> Tensor:
        return torch.where(mask.view(-1, *[1] * (x.ndim - 1)), x, y)

    return _State(
        tuple(pick(x, y) for x, y in zip(yes.v, no.v, strict=True)),
        tuple(pick(x, y) for x, y in zip(yes.u, no.u, strict=True)),
        {name: pick(yes.frozen[name], X) for name, X in no.frozen.items()},
        pick(yes.slope, no.slope),
        pick(yes.bent, no.bent),
        pick(yes.values, no.values),
    )
