"""Exact witnesses of smoothness: W(v) of each adapter written plainly, in rational numbers, and where F curves most.

Let f have the Hessian L E ∘ E and the gradient nearly G N at W(v), as a function with one kink has just beside it. Then
the second derivative of F along u is L <E, DW[u]>² + G <N, D²W[u, u]>, and with E along DW[u] the first term is
L‖DW[u]‖². Over ‖u‖² that is a lower bound on the smoothness constant of F on any convex domain that v is in. Nothing
here is taken from the code that searches or certifies: derivatives are those of power series in t along v + t u.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from itertools import combinations, product
from math import isqrt
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from boundcheck.exact.balls import Rows, inner, plus, root, rows, scaled, times, transposed

# The share of G that is kept for the height of the kink, without which f would have none.
_HEIGHT = Fraction(1, 10**9)
_DIGITS = 1000


@dataclass(frozen=True)
class Jet:
    """c₀ + c₁t + c₂t², exactly, with what is beyond t² dropped."""

    c0: Fraction
    c1: Fraction = Fraction(0)
    c2: Fraction = Fraction(0)

    def __add__(self, other: Jet) -> Jet:
        return Jet(self.c0 + other.c0, self.c1 + other.c1, self.c2 + other.c2)

    def __mul__(self, other: Jet) -> Jet:
        return Jet(
            self.c0 * other.c0,
            self.c0 * other.c1 + self.c1 * other.c0,
            self.c0 * other.c2 + self.c1 * other.c1 + self.c2 * other.c0,
        )

    def __truediv__(self, other: Jet) -> Jet:
        first = self.c0 / other.c0
        second = (self.c1 - first * other.c1) / other.c0
        return Jet(first, second, (self.c2 - first * other.c2 - second * other.c1) / other.c0)

    def root(self) -> Jet:
        """The square root, where that of c₀ is rational; raises ValueError where it is not."""
        first = root(self.c0)
        if not first:
            raise ValueError(f"{self.c0} is not the square of a positive rational")
        second = self.c1 / (2 * first)
        return Jet(first, second, (self.c2 - second**2) / (2 * first))


# A matrix of jets: NumPy adds and multiplies them by their own operators.
Jets: TypeAlias = NDArray[Any]
Blocks: TypeAlias = tuple[Rows, ...]


def spectral_at_most(X: Rows, limit: Fraction) -> bool:
    """True if the spectral norm of a matrix with at most two rows or columns is at most the limit, exactly."""
    short = X if len(X) <= len(X[0]) else transposed(X)
    gram = times(short, transposed(short))
    gap = [[limit**2 * (i == j) - x for j, x in enumerate(row)] for i, row in enumerate(gram)]
    if len(gap) == 1:
        return gap[0][0] >= 0
    (p, q), (q_, w) = gap
    return p >= 0 and w >= 0 and p * w - q * q_ >= 0


@dataclass(frozen=True)
class Point:
    """One adapter at one point v, with the gradient that f has there.

    Attributes:
        kind: the adapter's.
        constants: L, G, the scale s where there is one, the radii, and the norms of frozen matrices.
        v: the blocks of the point.
        tilt: N, of norm at most 1.
        frozen: the frozen matrices by name, W0 among them only where it matters to the derivatives.
        frobenius: whether the Frobenius norm of N is at most 1, and not only its spectral norm.

    """

    kind: str
    constants: Mapping[str, Fraction]
    v: Blocks
    tilt: Rows
    frozen: Mapping[str, Rows]
    frobenius: bool = False

    def along(self, u: Blocks) -> tuple[Rows, Rows]:
        """DW[u] and D²W[u, u] along the geodesic of u, which is a straight line but for LoReFT's R."""
        bends = [scaled(0, part) for part in u]
        if self.kind in _CURVED:
            # The geodesic of the Stiefel manifold has the second derivative -δδᵀR.
            bends[0] = scaled(-1, times(times(u[0], transposed(u[0])), self.v[0]))
        W = moved(self.kind, self.v, u, tuple(bends), self.frozen)
        scale = self.constants.get("s", Fraction(1)) if self.kind != "dora" else Fraction(1)
        first = tuple(tuple(scale * x.c1 for x in row) for row in W)
        return first, tuple(tuple(2 * scale * x.c2 for x in row) for row in W)

    def bend(self, u: Blocks) -> Fraction:
        """The second derivative of F along u, L‖DW[u]‖² + G(1 - 10⁻⁹)<N, D²W[u, u]>."""
        first, second = self.along(u)
        L, height = self.constants["L"], self.constants["G"] * (1 - _HEIGHT)
        return L * inner(first, first) + height * inner(self.tilt, second)

    def curvature(self, u: Blocks) -> Fraction:
        """The second derivative of F along u over ‖u‖²."""
        return self.bend(u) / sum((inner(part, part) for part in u), Fraction(0))

    def tangent(self, u: Blocks) -> Blocks:
        """The part of u along which v can move: all of it, but for LoReFT's R."""
        if self.kind not in _CURVED:
            return u
        product = times(u[0], transposed(self.v[0]))
        symmetric = scaled(Fraction(-1, 2), plus(product, transposed(product)))
        return plus(u[0], times(symmetric, self.v[0])), *u[1:]

    @cached_property
    def direction(self) -> Blocks:
        """A rational u close to that of the largest curvature, found in floats; which it is matters to no proof."""
        directions = [self.tangent(u) for *_, u in units(self.v)]
        own = [self.bend(u) for u in directions]
        form = np.diag([float(x) for x in own])
        for i, j in combinations(range(len(own)), 2):
            both = self.bend(_added(directions[i], directions[j]))
            form[i, j] = form[j, i] = float(both - own[i] - own[j]) / 2
        # On a curved domain the units overlap; their Gram matrix makes the quotient one of vectors.
        gram = np.array(
            [[float(sum(inner(x, y) for x, y in zip(p, q, strict=True))) for q in directions] for p in directions]
        )
        values, vectors = np.linalg.eigh(gram)
        kept = vectors[:, values > 1e-9] / np.sqrt(values[values > 1e-9])
        best = kept @ np.linalg.eigh(kept.T @ form @ kept)[1][:, -1]
        weights = [Fraction(float(x)).limit_denominator(_DIGITS) for x in best / np.abs(best).max()]
        u = tuple(scaled(0, part) for part in self.v)
        for weight, unit in zip(weights, directions, strict=True):
            u = _added(u, tuple(scaled(weight, part) for part in unit))
        return u

    def check(self) -> None:
        """Raise ValueError unless v is in the domain and f is as the hypotheses have it, all exactly."""
        c = self.constants
        bounded = self.v
        if self.kind == "loreft-trained":
            bounded = (self.v[0], tuple(map(tuple, _edit(self.v[0], self.v[1], Fraction(-1)))))
        for (name, norm), part in zip(_DOMAINS[self.kind], bounded, strict=True):
            if norm == "orthonormal":
                size = range(len(part))
                good = times(part, transposed(part)) == rows(*([int(i == j) for j in size] for i in size))
            elif norm == "max":
                good = all(abs(x) <= c[name] for row in part for x in row)
            else:
                good = name not in c or spectral_at_most(part, c[name])
            if not good:
                raise ValueError(f"{self.kind}: a block of v is outside of its domain")
        for name, limit in _FROZEN.get(self.kind, {}).items():
            if name == "W0":
                if any(inner((column,), (column,)) < c[limit] ** 2 for column in transposed(self.frozen[name])):
                    raise ValueError("dora: a column of W0 is too short")
            elif not spectral_at_most(self.frozen[name], c[limit]):
                raise ValueError(f"{self.kind}: the frozen {name} is too large")
        if not (inner(self.tilt, self.tilt) <= 1 if self.frobenius else spectral_at_most(self.tilt, Fraction(1))):
            raise ValueError(f"{self.kind}: the gradient of f is larger than G")

    def __str__(self) -> str:
        """The point, the direction and the gradient, in one line of exact numbers."""

        def shown(X: Rows) -> str:
            return "[" + "; ".join(" ".join(map(str, row)) for row in X) + "]"

        constants = ", ".join(f"{name} = {x}" for name, x in self.constants.items())
        frozen = "".join(f", {name} = {shown(X)}" for name, X in self.frozen.items())
        point, u = (", ".join(map(shown, blocks)) for blocks in (self.v, self.direction))
        return f"{self.kind} at v = ({point}){frozen} with {constants}, ∇f = G {shown(self.tilt)}, u = ({u})"


def _added(u: Blocks, w: Blocks) -> Blocks:
    return tuple(plus(x, y) for x, y in zip(u, w, strict=True))


def _dora(v: list[Jets], frozen: Mapping[str, Jets]) -> Jets:
    A, B, m = v
    # The frozen "s" is a matrix of one entry.
    V = frozen["W0"] + (B @ A) * frozen["s"]
    return m * V / np.array([(column @ column).root() for column in V.T], dtype=object)


def _edit(R: Any, U: Any, minus: Any) -> Any:
    """U - R [I 0], of jets or of fractions: what LoReFT in (R, U) has as V."""
    R, V = np.array(R, dtype=object), np.array(U, dtype=object)
    shared = min(R.shape[1], V.shape[1])
    V[:, :shared] += R[:, :shared] * minus
    return V


# Their first block has orthonormal rows.
_CURVED = ("loreft", "loreft-trained")
# W(v) - W0 over s; of DoRA W(v) itself.
_WEIGHTS: dict[str, Callable[[list[Jets], Mapping[str, Jets]], Jets]] = {
    "full": lambda v, frozen: v[0],
    "lora": lambda v, frozen: v[1] @ v[0],
    "direft": lambda v, frozen: v[1] @ v[0],
    "frozen-a": lambda v, frozen: v[0] @ frozen["A"],
    "frozen-b": lambda v, frozen: frozen["B"] @ v[0],
    "loreft": lambda v, frozen: v[0].T @ v[1],
    "loreft-trained": lambda v, frozen: v[0].T @ _edit(v[0], v[1], Jet(Fraction(-1))),
    "vera": lambda v, frozen: (v[1] * frozen["B"]) @ (v[0] * frozen["A"]),
    "dora": _dora,
    "loha": lambda v, frozen: (v[1] @ v[0]) * (v[3] @ v[2]),
}
_DOMAINS: dict[str, tuple[tuple[str, str], ...]] = {
    "full": (("rho", "spectral"),),
    "lora": (("a", "spectral"), ("b", "spectral")),
    "direft": (("a", "spectral"), ("b", "spectral")),
    "frozen-a": (("b", "spectral"),),
    "frozen-b": (("a", "spectral"),),
    "loreft": (("", "orthonormal"), ("nu", "spectral")),
    "loreft-trained": (("", "orthonormal"), ("nu", "spectral")),
    "vera": (("a", "max"), ("b", "max")),
    "dora": (("a", "spectral"), ("b", "spectral"), ("mu", "max")),
    "loha": (("a", "spectral"), ("b", "spectral"), ("a", "spectral"), ("b", "spectral")),
}
_FROZEN: dict[str, dict[str, str]] = {
    "frozen-a": {"A": "a"},
    "frozen-b": {"B": "b"},
    "vera": {"A": "a_0", "B": "b_0"},
    "dora": {"W0": "w_0"},
}


def moved(kind: str, v: Blocks, u: Blocks, bends: Blocks, frozen: Mapping[str, Rows]) -> Jets:
    """W(v + ut + bends t²/2) - W0 over s as a power series in t; of DoRA W itself."""
    jet = np.frompyfunc(lambda x, y, z: Jet(x, y, z / 2), 3, 1)
    moving = [jet(*(np.array(x, dtype=object) for x in parts)) for parts in zip(v, u, bends, strict=True)]
    still = {name: np.frompyfunc(Jet, 1, 1)(np.array(X, dtype=object)) for name, X in frozen.items()}
    return _WEIGHTS[kind](moving, still)


def units(v: Blocks) -> Iterator[tuple[int, int, int, Blocks]]:
    """Every entry of every block by its place, with the direction along which it alone moves."""
    for which, part in enumerate(v):
        for i, j in product(range(len(part)), range(len(part[0]))):
            one = tuple(tuple(Fraction(int((k, m) == (i, j))) for m in range(len(part[0]))) for k in range(len(part)))
            yield which, i, j, tuple(one if w == which else scaled(0, X) for w, X in enumerate(v))


# Candidates of the largest curvature: points at the edge of the domain. How large it is there is then computed.

# A rational unit vector that is along no axis, and one at right angles to it.
UNIT, ACROSS = rows((Fraction(3, 5), Fraction(4, 5))), rows((Fraction(-4, 5), Fraction(3, 5)))
TURN = (*UNIT, *ACROSS)
_ONE = rows((1,))
_FINE = 10**6


@cache
def steepest(kind: str, items: tuple[tuple[str, Fraction], ...], frobenius: bool, rank: int) -> Point:
    """The candidate of the largest curvature at these constants, checked to be inside of every hypothesis.

    Args:
        kind: the adapter's.
        items: L, G, s, radii and norms of frozen matrices, by name.
        frobenius: whether G bounds the Frobenius norm of the gradient of f, and not only its spectral norm.
        rank: the adapter's.

    Raises:
        ValueError: where there is no candidate of that rank.

    """
    found = [point for point in _candidates(kind, dict(items), rank) if not frobenius or point.frobenius]
    if not found:
        raise ValueError(f"no exact point of {kind} at rank {rank} with a gradient of Frobenius norm G")
    for point in found:
        point.check()
    return max(found, key=lambda point: point.curvature(point.direction))


def _candidates(kind: str, c: Mapping[str, Fraction], rank: int) -> Iterator[Point]:
    square = rows((1, 0), (0, 1))
    match kind, rank:
        case "lora", 2:
            yield Point(kind, c, (scaled(c["a"], TURN), scaled(c["b"], square)), TURN, {})
        case "loreft", 2:
            # At R = Q and V = νI the gradient -Qᵀ makes the most of δRᵀδV.
            yield Point(kind, c, (TURN, scaled(c["nu"], square)), scaled(-1, transposed(TURN)), {})
        case "loreft", 1:
            # V along one axis, δV along the other.
            tilt = plus(times(transposed(UNIT), rows((-1, 0))), times(transposed(ACROSS), rows((0, 1))))
            yield Point(kind, c, (UNIT, scaled(c["nu"], rows((1, 0)))), tilt, {})
        case "loreft-trained", 1 | 2:
            # V = U - R along R or across, and gradients of either sign along R and across it.
            R = TURN if rank == 2 else UNIT
            along = times(transposed(R), R)
            across = plus(square, along, Fraction(-1))
            mirror = plus(along, across, Fraction(-1))
            for V, nu in product((R,) if rank == 2 else (R, ACROSS), (c["nu"], -c["nu"])):
                for tilt in (mirror, scaled(-1, mirror), square, scaled(-1, square)):
                    yield Point(kind, c, (R, plus(R, scaled(nu, V))), tilt, {})
        case "dora", 1:
            yield from _dora_candidates(c)
        case "direft", 1:
            # k = d + 1: the last column is the bias.
            yield Point(kind, c, (scaled(c["a"], UNIT), scaled(c["b"], _ONE)), UNIT, {}, True)
        case _, 1:
            # All matrices of one entry, as large as they may be.
            v = tuple(scaled(c[name], _ONE) for name, _ in _DOMAINS[kind])
            frozen = {name: scaled(c[limit], _ONE) for name, limit in _FROZEN.get(kind, {}).items()}
            yield Point(kind, c, v, _ONE, frozen, True)
        case _:
            raise ValueError(f"no exact point of {kind} at rank {rank}")


def _dora_candidates(c: Mapping[str, Fraction]) -> Iterator[Point]:
    """A column that BA makes shorter, or turns, or both, with a gradient of f along or across it."""
    reach = c["s"] * c["a"] * c["b"]
    for x, y in ((-1, 0), (0, 1), (Fraction(-3, 5), Fraction(4, 5)), (Fraction(-4, 5), Fraction(3, 5))):
        # The column is (q, 0) after BA, and W0 is what was there before, at least w_0 long.
        rest = c["w_0"] ** 2 - (reach * y) ** 2
        q = reach * x + (Fraction(isqrt(int(rest * _FINE**2)) + 1, _FINE) if rest > 0 else 0)
        if q <= 0:
            continue
        W0 = transposed(rows((q - reach * x, -reach * y)))
        v = (scaled(c["a"], _ONE), scaled(c["b"], transposed(rows((x, y)))), scaled(c["mu"], _ONE))
        for tilt in (rows((1, 0)), rows((-1, 0)), rows((0, 1)), rows((0, -1)), UNIT, ACROSS):
            yield Point("dora", c, v, transposed(tilt), {"W0": W0, "s": scaled(c["s"], _ONE)}, True)
