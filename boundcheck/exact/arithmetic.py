"""`Arithmetic`: the numbers and matrices in which an expression is evaluated. Its implementations are beside it.

`balls` decides, `rationals` is exact as long as it can be, `running_error` is fast and knows its errors,
`autodiff` has derivatives, `cost` counts.
"""

from fractions import Fraction
from typing import Protocol, TypeVar

S = TypeVar("S")
M = TypeVar("M")


class Numbers(Protocol[S]):
    """Numbers S, and what may be done with them."""

    def rational(self, x: Fraction) -> S:
        """A rational number in this arithmetic."""

    def add(self, x: S, y: S) -> S:
        """The sum."""

    def times(self, x: S, y: S) -> S:
        """The product."""

    def power(self, x: S, exponent: Fraction) -> S:
        """A rational power."""

    def exp(self, x: S) -> S:
        """The exponential."""

    def log(self, x: S) -> S:
        """The natural logarithm; NaN where x may be 0 or less."""

    def larger(self, x: S, y: S) -> S:
        """The larger of two numbers."""

    def smaller(self, x: S, y: S) -> S:
        """The smaller of two numbers."""


class Arithmetic(Numbers[S], Protocol[S, M]):
    """Numbers S and matrices M. A vector of several blocks is a tuple of matrices."""

    def plus(self, X: M, Y: M) -> M:
        """The sum of two matrices."""

    def product(self, X: M, Y: M) -> M:
        """The product of two matrices."""

    def entrywise(self, X: M, Y: M) -> M:
        """The Hadamard product of two matrices."""

    def scaled(self, c: S, X: M) -> M:
        """A matrix times a number."""

    def transposed(self, X: M) -> M:
        """The transpose."""

    def constant(self, diagonal: int, rows: int, columns: int) -> M:
        """The matrix with this number on its diagonal and 0 elsewhere."""

    def inner(self, x: tuple[M, ...], y: tuple[M, ...]) -> S:
        """The sum over blocks of tr(X^T Y)."""

    def length(self, x: tuple[M, ...]) -> S:
        """The root of the sum of all squared entries."""

    def spectral(self, X: M) -> S:
        """The largest singular value."""
