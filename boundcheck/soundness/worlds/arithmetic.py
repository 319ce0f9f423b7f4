"""Rational arithmetic for `boundcheck.claims.evaluate` as long as numbers are rational, and Arb balls from there on."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import reduce

from flint import arb, arb_mat

from boundcheck.claims.balls import Balls
from boundcheck.claims.enclose import ball_of
from boundcheck.soundness.matrices import root

Number = Fraction | arb
Matrix = tuple[tuple[Number, ...], ...]

_BALLS = Balls()


def ball(x: Number) -> arb:
    """The number as a ball."""
    return ball_of(x) if isinstance(x, Fraction) else x


class Rationals:
    """Numbers are fractions where they can be, else `arb`; a matrix is a tuple of rows of them."""

    def rational(self, x: Fraction) -> Number:
        """An exact number."""
        return x

    def add(self, x: Number, y: Number) -> Number:
        """The sum."""
        return x + y if isinstance(x, Fraction) and isinstance(y, Fraction) else ball(x) + ball(y)

    def times(self, x: Number, y: Number) -> Number:
        """The product."""
        if isinstance(x, Fraction) and isinstance(y, Fraction):
            return x * y
        found = ball(x) * ball(y)
        # 0 times what is finite is exactly 0.
        return Fraction(0) if 0 in (x, y) and found.is_finite() else found

    def power(self, x: Number, exponent: Fraction) -> Number:
        """A rational power, exact where the roots of x are."""
        found: Number | None = x
        roots = exponent.denominator
        while isinstance(found, Fraction) and roots % 2 == 0:
            found, roots = root(found), roots // 2
        if isinstance(found, Fraction) and roots == 1 and (found or exponent > 0):
            return Fraction(found**exponent.numerator)
        return _BALLS.power(ball(x), exponent)

    def exp(self, x: Number) -> Number:
        """The exponential."""
        return _BALLS.exp(ball(x)) if x != 0 else Fraction(1)

    def log(self, x: Number) -> Number:
        """The natural logarithm."""
        return _BALLS.log(ball(x)) if x != 1 else Fraction(0)

    def larger(self, x: Number, y: Number) -> Number:
        """The larger of two."""
        return max(x, y) if isinstance(x, Fraction) and isinstance(y, Fraction) else ball(x).max(ball(y))

    def smaller(self, x: Number, y: Number) -> Number:
        """The smaller of two."""
        return min(x, y) if isinstance(x, Fraction) and isinstance(y, Fraction) else ball(x).min(ball(y))

    def plus(self, X: Matrix, Y: Matrix) -> Matrix:
        """The sum of two matrices."""
        return tuple(tuple(map(self.add, row, other)) for row, other in zip(X, Y, strict=True))

    def product(self, X: Matrix, Y: Matrix) -> Matrix:
        """The product of two matrices."""
        columns = self.transposed(Y)
        return tuple(tuple(self._dot(row, column) for column in columns) for row in X)

    def entrywise(self, X: Matrix, Y: Matrix) -> Matrix:
        """The Hadamard product of two matrices."""
        return tuple(tuple(map(self.times, row, other)) for row, other in zip(X, Y, strict=True))

    def scaled(self, c: Number, X: Matrix) -> Matrix:
        """A matrix times a number."""
        return tuple(tuple(self.times(c, x) for x in row) for row in X)

    def transposed(self, X: Matrix) -> Matrix:
        """The transpose."""
        return tuple(zip(*X, strict=True))

    def constant(self, diagonal: int, rows: int, columns: int) -> Matrix:
        """The matrix with this number on its diagonal and 0 elsewhere."""
        return tuple(tuple(Fraction(diagonal * (i == j)) for j in range(columns)) for i in range(rows))

    def inner(self, x: tuple[Matrix, ...], y: tuple[Matrix, ...]) -> Number:
        """The sum over blocks of tr(X^T Y)."""
        parts = [self._dot(r, s) for X, Y in zip(x, y, strict=True) for r, s in zip(X, Y, strict=True)]
        total: Number = Fraction(0)
        return reduce(self.add, parts, total)

    def length(self, x: tuple[Matrix, ...]) -> Number:
        """The root of the sum of all squared entries."""
        return self.power(self.inner(x, x), Fraction(1, 2))

    def spectral(self, X: Matrix) -> Number:
        """The largest singular value."""
        if 1 in (len(X), len(X[0])):
            return self.length((X,))
        return _BALLS.spectral(arb_mat([[ball(x) for x in row] for row in X]))

    def _dot(self, x: Sequence[Number], y: Sequence[Number]) -> Number:
        total: Number = Fraction(0)
        return reduce(self.add, map(self.times, x, y), total)
