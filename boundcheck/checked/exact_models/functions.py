"""Functions whose values and gradients are exact: of one number, and F(A, B) = f(W_0 + sBA) at rational matrices.

Written from the definitions, in rational numbers: nothing here is taken from what is tried.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from itertools import pairwise

from boundcheck.errors import InputError
from boundcheck.exact.evaluate import VectorFunction
from boundcheck.exact.rationals import Rows, plus, root_above, scaled, times, transposed

Number = Fraction | int
Pair = tuple[Rows, Rows]


@dataclass(frozen=True)
class Curve:
    """F of one number, by F': linear between knots (x, F'(x)), and beyond them as next to its ends.

    F is 0 at the origin.
    """

    knots: tuple[tuple[Fraction, Fraction], ...]
    origin: Fraction = Fraction(0)

    @classmethod
    def through(cls, *knots: tuple[Number, Number]) -> Curve:
        """The curve through knots whose numbers are of either kind, the positions in order."""
        return cls(tuple((Fraction(x), Fraction(slope)) for x, slope in knots))

    @classmethod
    def flat_beyond(cls, knots: Sequence[tuple[Fraction, Fraction]]) -> Curve:
        """The curve whose F' is constant beyond the outer knots, and whose F is 0 at the first."""
        (first, low), (last, high) = knots[0], knots[-1]
        return cls(((first - 1, low), *knots, (last + 1, high)), first)

    @classmethod
    def clipped(cls, curvature: Fraction, steepest: Fraction, zero: Fraction) -> Curve:
        """The curve with F' = L (x - zero), clipped to [-G, G]."""
        width = steepest / curvature
        return cls.flat_beyond(((zero - width, -steepest), (zero + width, steepest)))

    @cached_property
    def curvatures(self) -> tuple[Fraction, ...]:
        """F'' on each piece."""
        return tuple((after - slope) / (y - x) for (x, slope), (y, after) in pairwise(self.knots))

    @cached_property
    def smoothness(self) -> Fraction:
        """The largest |F''|."""
        return max(map(abs, self.curvatures))

    @cached_property
    def steepest(self) -> Fraction:
        """The largest |F'| at a knot; of all, where F' is constant beyond its ends."""
        return max(abs(slope) for _, slope in self.knots)

    def slope(self, x: Fraction) -> Fraction:
        """F'(x)."""
        place = max(sum(knot <= x for knot, _ in self.knots) - 1, 0)
        place = min(place, len(self.curvatures) - 1)
        start, slope = self.knots[place]
        return slope + self.curvatures[place] * (x - start)

    def value(self, x: Fraction) -> Fraction:
        """F(x), the integral of F' from the origin."""
        low, high = sorted((self.origin, x))
        stops = [low, *(knot for knot, _ in self.knots if low < knot < high), high]
        total = sum(((self.slope(p) + self.slope(q)) / 2 * (q - p) for p, q in pairwise(stops)), Fraction(0))
        return total if x >= self.origin else -total

    @cached_property
    def least(self) -> Fraction | None:
        """The least value of F; None where it falls without end."""
        (_, first), (_, last) = self.knots[0], self.knots[-1]
        left, right = self.curvatures[0], self.curvatures[-1]
        if left < 0 or right < 0 or (left == 0 and first > 0) or (right == 0 and last < 0):
            return None
        # Where a piece's line is 0 beyond the piece F still has a value, which is no less than the least.
        pieces = zip(self.knots, self.curvatures, strict=False)
        zeros = (x - slope / curvature for (x, slope), curvature in pieces if curvature)
        return min(map(self.value, (*zeros, *(x for x, _ in self.knots))))

    @property
    def is_least_at_0(self) -> bool:
        """True if F is nowhere below F(0)."""
        return self.least == self.value(Fraction(0))


def parabola(curvature: Number) -> Curve:
    """F(x) = L x²/2."""
    return Curve.through((-1, -curvature), (1, curvature))


def huber(curvature: Number, slope: Fraction) -> Curve:
    """F' = L x clipped to [-G, G]."""
    return Curve(Curve.clipped(Fraction(curvature), slope, Fraction(0)).knots)


def teeth(curvature: Fraction, step: Fraction, steps: int) -> Curve:
    """F' is 1 at each iterate of so many steps α, and between two of them falls at the rate L to 1 - Lα/2 halfway.

    Left of the last iterate F is L x²/2. Of all functions whose gradient is 1 at the iterates it falls least.
    """
    last = 1 / curvature
    knots: list[tuple[Fraction, Fraction]] = [(last - 1, 1 - curvature), (last, Fraction(1))]
    for place in range(steps):
        start = last + place * step
        knots += [(start + step / 2, 1 - curvature * step / 2), (start + step, Fraction(1))]
    return Curve((*knots, (knots[-1][0] + 1, Fraction(1))))


def hill(curvature: Number, start: Fraction) -> Curve:
    """F' rises at the rate L from the minimiser 0 half of the way to the start, and falls to 0 there."""
    top = curvature * start / 2
    return Curve.through((-1, -curvature), (0, 0), (start / 2, top), (start, 0), (start + 1, 0))


FLAT = Curve.through((0, 0), (1, 0))


@dataclass(frozen=True)
class Factored:
    """F(A, B) = f(W_0 + sBA) with f(W) = Σ_ij f_ij(W_ij).

    Attributes:
        curves: f_ij, d x k.
        scale: s.
        rank: r; A is r x k, B is d x r.
        origin: W_0, d x k; zero where it is None.

    """

    curves: tuple[tuple[Curve, ...], ...]
    scale: Fraction = Fraction(1)
    rank: int = 1
    origin: Rows | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """(d, k)."""
        return len(self.curves), len(self.curves[0])

    @property
    def start(self) -> Rows:
        """W_0."""
        return self.origin or ((Fraction(0),) * self.shape[1],) * self.shape[0]

    def weight(self, v: Pair) -> Rows:
        """W_0 + sBA at v = (A, B)."""
        return plus(self.start, times(v[1], v[0]), self.scale)

    def f(self, W: Rows) -> Fraction:
        """The value of f at W."""
        rows = zip(self.curves, W, strict=True)
        return sum((each.value(x) for row in rows for each, x in zip(*row, strict=True)), Fraction(0))

    def slope(self, W: Rows) -> Rows:
        """∇f(W)."""
        rows = zip(self.curves, W, strict=True)
        return tuple(tuple(each.slope(x) for each, x in zip(*row, strict=True)) for row in rows)

    def gradient(self, v: Pair, noise: Rows | None = None) -> Pair:
        """Both blocks of ∇F, or of the gradient of a sample's loss, whose ∇f has the noise added."""
        M = self.slope(self.weight(v))
        M = M if noise is None else plus(M, noise)
        return scaled(self.scale, times(transposed(v[1]), M)), scaled(self.scale, times(M, transposed(v[0])))

    @cached_property
    def least(self) -> Fraction:
        """The least value of f; raises ValueError where it falls without end."""
        found = [each.least for row in self.curves for each in row]
        if None in found:
            raise ValueError("f falls without end")
        return sum(filter(None, found), Fraction(0))

    @cached_property
    def smoothness(self) -> Fraction:
        """The smoothness constant of f."""
        return max(each.smoothness for row in self.curves for each in row)

    @cached_property
    def steepest(self) -> Fraction:
        """A bound on ‖∇f‖_F that is attained where it is rational."""
        return root_above(sum((each.steepest**2 for row in self.curves for each in row), Fraction(0)))

    @cached_property
    def functions(self) -> dict[str, VectorFunction]:
        """F and f, by name."""
        f, slope, gradient = cache(self.f), cache(self.slope), cache(self.gradient)
        return {
            "f": VectorFunction(lambda W: f(single(W)), lambda W: (slope(single(W)),)),
            "F": VectorFunction(lambda v: f(self.weight(_pair(v))), lambda v: gradient(_pair(v))),
        }


def _pair(point: tuple[Rows, ...]) -> Pair:
    if len(point) != 2:
        raise InputError("point", f"{len(point)} blocks", "two")
    return point[0], point[1]


def single(point: tuple[Rows, ...]) -> Rows:
    """The only block of a point; raises InputError if there are more."""
    if len(point) != 1:
        raise InputError("point", f"{len(point)} blocks", "one")
    return point[0]
