"""Rational matrices, roots of rational numbers, and an arithmetic for `evaluate` that is exact as long as it can be.

`Rationals` computes with fractions as long as numbers are rational, and with Arb balls from there on.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import reduce
from math import isqrt

from flint import arb, arb_mat

from boundcheck.exact.balls import Balls, ball_of

Rows = tuple[tuple[Fraction, ...], ...]


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


def inner(x: Rows, y: Rows) -> Fraction:
    """The sum of the products of entries."""
    return sum((p * q for r, s in zip(x, y, strict=True) for p, q in zip(r, s, strict=True)), Fraction(0))


def squared(x: Rows) -> Fraction:
    """The squared Frobenius norm."""
    return inner(x, x)


def corner(height: int, width: int) -> Rows:
    """The matrix with a 1 in the first place and 0 elsewhere."""
    return tuple(tuple(Fraction(int(i == j == 0)) for j in range(width)) for i in range(height))


def root(x: Fraction) -> Fraction | None:
    """The root of x if it is rational, else None."""
    found = Fraction(isqrt(x.numerator), isqrt(x.denominator)) if x >= 0 else None
    return found if found is not None and found**2 == x else None


def root_above(x: Fraction, bits: int = 40) -> Fraction:
    """The root of x if it is rational, else a rational number above it."""
    exact = root(x)
    return Fraction(isqrt(int(x * 4**bits)) + 1, 2**bits) if exact is None else exact


def root_below(x: Fraction, bits: int = 40) -> Fraction:
    """A rational number that is at most the root of x."""
    return Fraction(isqrt(int(x * 4**bits)), 2**bits)


Number = Fraction | arb
Matrix = tuple[tuple[Number, ...], ...]

_BALLS = Balls()


def ball(x: Number) -> arb:
    """The number as a ball."""
    return ball_of(x) if isinstance(x, Fraction) else x


class Rationals:
    """Numbers are fractions where they can be, else `arb`; a matrix is a tuple of rows of them."""

    def rational(self, x: Fraction) -> Number:
        return x

    def add(self, x: Number, y: Number) -> Number:
        return x + y if isinstance(x, Fraction) and isinstance(y, Fraction) else ball(x) + ball(y)

    def times(self, x: Number, y: Number) -> Number:
        if isinstance(x, Fraction) and isinstance(y, Fraction):
            return x * y
        found = ball(x) * ball(y)
        # 0 times a finite number is exactly 0.
        return Fraction(0) if 0 in (x, y) and found.is_finite() else found

    def power(self, x: Number, exponent: Fraction) -> Number:
        found: Number | None = x
        roots = exponent.denominator
        while isinstance(found, Fraction) and roots % 2 == 0:
            found, roots = root(found), roots // 2
        if isinstance(found, Fraction) and roots == 1 and (found or exponent >= 0):
            return Fraction(found**exponent.numerator)
        return _BALLS.power(ball(x), exponent)

    def exp(self, x: Number) -> Number:
        # A ball that may be 0 is neither equal to it nor unequal.
        return Fraction(1) if x == 0 else _BALLS.exp(ball(x))

    def log(self, x: Number) -> Number:
        return Fraction(0) if x == 1 else _BALLS.log(ball(x))

    def larger(self, x: Number, y: Number) -> Number:
        return max(x, y) if isinstance(x, Fraction) and isinstance(y, Fraction) else ball(x).max(ball(y))

    def smaller(self, x: Number, y: Number) -> Number:
        return min(x, y) if isinstance(x, Fraction) and isinstance(y, Fraction) else ball(x).min(ball(y))

    def plus(self, X: Matrix, Y: Matrix) -> Matrix:
        return tuple(tuple(map(self.add, row, other)) for row, other in zip(X, Y, strict=True))

    def product(self, X: Matrix, Y: Matrix) -> Matrix:
        columns = self.transposed(Y)
        return tuple(tuple(self._dot(row, column) for column in columns) for row in X)

    def entrywise(self, X: Matrix, Y: Matrix) -> Matrix:
        return tuple(tuple(map(self.times, row, other)) for row, other in zip(X, Y, strict=True))

    def scaled(self, c: Number, X: Matrix) -> Matrix:
        return tuple(tuple(self.times(c, x) for x in row) for row in X)

    def transposed(self, X: Matrix) -> Matrix:
        return tuple(zip(*X, strict=True))

    def constant(self, diagonal: int, rows: int, columns: int) -> Matrix:
        return tuple(tuple(Fraction(diagonal * (i == j)) for j in range(columns)) for i in range(rows))

    def inner(self, x: tuple[Matrix, ...], y: tuple[Matrix, ...]) -> Number:
        parts = [self._dot(r, s) for X, Y in zip(x, y, strict=True) for r, s in zip(X, Y, strict=True)]
        total: Number = Fraction(0)
        return reduce(self.add, parts, total)

    def length(self, x: tuple[Matrix, ...]) -> Number:
        return self.power(self.inner(x, x), Fraction(1, 2))

    def spectral(self, X: Matrix) -> Number:
        if 1 in (len(X), len(X[0])):
            return self.length((X,))
        return _BALLS.spectral(arb_mat([[ball(x) for x in row] for row in X]))

    def _dot(self, x: Sequence[Number], y: Sequence[Number]) -> Number:
        total: Number = Fraction(0)
        return reduce(self.add, map(self.times, x, y), total)
