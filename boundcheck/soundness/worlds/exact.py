"""Rational matrices, and F(A, B) = f(W_0 + sBA) with an f whose values and gradients are exact."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from math import isqrt
from typing import NamedTuple

from boundcheck.problems.piecewise import PiecewiseLinear

Rows = tuple[tuple[Fraction, ...], ...]
Pair = tuple[Rows, Rows]

FLAT = PiecewiseLinear(((Fraction(0), Fraction(0)),))


class NoValueError(Exception):
    """A point that is none of the function's, a time that a run does not reach, or an entry that is irrational."""


def rows(*entries: Sequence[Fraction | int | str]) -> Rows:
    """A matrix from its rows."""
    return tuple(tuple(Fraction(x) for x in row) for row in entries)


def number(x: Fraction | int | str) -> Rows:
    """A matrix with one entry."""
    return rows((x,))


def transposed(x: Rows) -> Rows:
    """The transpose."""
    return tuple(zip(*x, strict=True))


def times(x: Rows, y: Rows) -> Rows:
    """The product xy."""
    columns = transposed(y)
    return tuple(tuple(sum((p * q for p, q in zip(row, c, strict=True)), Fraction(0)) for c in columns) for row in x)


def plus(x: Rows, y: Rows, scale: Fraction | int = 1) -> Rows:
    """The sum x + scale · y."""
    return tuple(tuple(p + scale * q for p, q in zip(r, s, strict=True)) for r, s in zip(x, y, strict=True))


def scaled(scale: Fraction | int, x: Rows) -> Rows:
    """The multiple scale · x."""
    return tuple(tuple(scale * p for p in row) for row in x)


def squared(x: Rows) -> Fraction:
    """The squared Frobenius norm."""
    return sum((p * p for row in x for p in row), Fraction(0))


def corner(height: int, width: int) -> Rows:
    """The matrix with a 1 in the first place and 0 elsewhere."""
    return tuple(tuple(Fraction(int(i == j == 0)) for j in range(width)) for i in range(height))


def root_above(x: Fraction, bits: int = 40) -> Fraction:
    """A rational number that is at least the root of x, and the root where that is rational."""
    whole = isqrt(x.numerator * x.denominator)
    if whole**2 == x.numerator * x.denominator:
        return Fraction(whole, x.denominator)
    return Fraction(isqrt(int(x * 4**bits)) + 1, 2**bits)


def root_below(x: Fraction, bits: int = 40) -> Fraction:
    """A rational number that is at most the root of x."""
    return Fraction(isqrt(int(x * 4**bits)), 2**bits)


class Smooth(NamedTuple):
    """A differentiable function of a few matrices: its value, and its gradient in the same blocks.

    Both raise NoValueError for another number of blocks than it takes.
    """

    value: Callable[[tuple[Rows, ...]], Fraction]
    gradient: Callable[[tuple[Rows, ...]], tuple[Rows, ...]]


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
        """The least value of f."""
        return sum((s.minimum for row in self.slopes for s in row), Fraction(0))

    @cached_property
    def smoothness(self) -> Fraction:
        """L."""
        return max(s.lipschitz for row in self.slopes for s in row)

    @cached_property
    def steepest(self) -> Fraction:
        """A bound on ‖∇f‖_F that is attained where it is rational."""
        return root_above(sum((s.bound**2 for row in self.slopes for s in row), Fraction(0)))

    @cached_property
    def functions(self) -> dict[str, Smooth]:
        """F and F's f, by name."""
        f, slope = cache(self.f), cache(self.slope)
        loss, gradient = cache(lambda v: self.f(self.weight(v))), cache(self.gradient)
        return {
            "f": Smooth(lambda w: f(single(w)), lambda w: (slope(single(w)),)),
            "F": Smooth(lambda v: loss(_pair(v)), lambda v: gradient(_pair(v))),
        }


def _pair(point: tuple[Rows, ...]) -> Pair:
    if len(point) != 2:
        raise NoValueError(f"F takes two blocks, and not {len(point)}")
    return point[0], point[1]


def single(point: tuple[Rows, ...]) -> Rows:
    """The matrix that is the only block of a point; raises NoValueError where there are more."""
    if len(point) != 1:
        raise NoValueError(f"one matrix is wanted, and not {len(point)}")
    return point[0]
