"""F(A, B) = f(W_0 + sBA) at rational matrices, with an f whose values and gradients are exact."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property

from boundcheck.errors import InputError
from boundcheck.exact.evaluate import VectorFunction
from boundcheck.exact.rationals import Rows, plus, root_above, scaled, times, transposed
from boundcheck.functions.piecewise import PiecewiseLinear

Pair = tuple[Rows, Rows]

FLAT = PiecewiseLinear(((Fraction(0), Fraction(0)),))


@dataclass(frozen=True)
class Meft:
    """F(A, B) = f(W_0 + sBA), f(W) = Σ_ij f_ij(W_ij), with each derivative f_ij' piecewise linear.

    Attributes:
        slopes: the derivatives, d x k.
        scale: s.
        rank: r; A is r x k, B is d x r.
        origin: W_0, d x k; zero where it is None.

    """

    slopes: tuple[tuple[PiecewiseLinear, ...], ...]
    scale: Fraction = Fraction(1)
    rank: int = 1
    origin: Rows | None = None

    @cached_property
    def shape(self) -> tuple[int, int]:
        """(d, k)."""
        return len(self.slopes), len(self.slopes[0])

    @cached_property
    def start(self) -> Rows:
        """W_0."""
        return self.origin or ((Fraction(0),) * self.shape[1],) * self.shape[0]

    def weight(self, v: Pair) -> Rows:
        """W_0 + sBA at v = (A, B)."""
        return plus(self.start, times(v[1], v[0]), self.scale)

    def f(self, w: Rows) -> Fraction:
        """The value of f at W."""
        return sum((s.integral(x) for s, x in self._entries(w)), Fraction(0))

    def slope(self, w: Rows) -> Rows:
        """∇f(W)."""
        values = iter([s.value(x) for s, x in self._entries(w)])
        return tuple(tuple(next(values) for _ in row) for row in w)

    def _entries(self, w: Rows) -> list[tuple[PiecewiseLinear, Fraction]]:
        return [pair for ss, xs in zip(self.slopes, w, strict=True) for pair in zip(ss, xs, strict=True)]

    def gradient(self, v: Pair, noise: Rows | None = None) -> Pair:
        """Both blocks of the gradient of F, or of a sample's loss."""
        m = self.slope(self.weight(v))
        m = m if noise is None else plus(m, noise)
        return scaled(self.scale, times(transposed(v[1]), m)), scaled(self.scale, times(m, transposed(v[0])))

    @cached_property
    def minimum(self) -> Fraction:
        return sum((s.minimum for row in self.slopes for s in row), Fraction(0))

    @cached_property
    def smoothness(self) -> Fraction:
        return max(s.lipschitz for row in self.slopes for s in row)

    @cached_property
    def steepest(self) -> Fraction:
        """A bound on ‖∇f‖_F that is attained where it is rational."""
        return root_above(sum((s.bound**2 for row in self.slopes for s in row), Fraction(0)))

    @cached_property
    def functions(self) -> dict[str, VectorFunction]:
        """F and its f, by name."""
        f, slope = cache(self.f), cache(self.slope)
        loss, gradient = cache(lambda v: self.f(self.weight(v))), cache(self.gradient)
        return {
            "f": VectorFunction(lambda w: f(single(w)), lambda w: (slope(single(w)),)),
            "F": VectorFunction(lambda v: loss(_pair(v)), lambda v: gradient(_pair(v))),
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
