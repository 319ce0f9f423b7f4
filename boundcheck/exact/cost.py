"""`Cost`: the steps that an expression takes to evaluate, counted by the walk that evaluates it.

Numbers are None, matrices their shapes. So the walk also finds nodes without a value, and shapes that do not fit.
"""

from dataclasses import dataclass
from fractions import Fraction

Shape = tuple[int, int]


@dataclass
class Cost:
    """An `Arithmetic` that counts steps and computes nothing.

    Attributes:
        steps: so far; each takes about as long as the sum of two entries of matrices of balls.

    """

    steps: int = 0

    def rational(self, x: Fraction) -> None:
        self.steps += 1

    def add(self, x: None, y: None) -> None:
        self.steps += 1

    times = larger = smaller = add

    def power(self, x: None, exponent: Fraction) -> None:
        self.steps += 1

    def exp(self, x: None) -> None:
        self.steps += 1

    log = exp

    def plus(self, X: Shape, Y: Shape) -> Shape:
        """The sum of two matrices; raises ValueError where their shapes differ."""
        if X != Y:
            raise ValueError(f"{X} and {Y}")
        return self.constant(0, *X)

    entrywise = plus

    def product(self, X: Shape, Y: Shape) -> Shape:
        """The product of two matrices; raises ValueError where they do not fit."""
        if X[1] != Y[0]:
            raise ValueError(f"{X} and {Y}")
        self.steps += X[0] * X[1] * Y[1] // 16
        return self.constant(0, X[0], Y[1])

    def scaled(self, c: None, X: Shape) -> Shape:
        return self.constant(0, *X)

    def transposed(self, X: Shape) -> Shape:
        return self.constant(0, X[1], X[0])

    def constant(self, diagonal: int, rows: int, columns: int) -> Shape:
        self.steps += rows * columns
        return rows, columns

    def inner(self, x: tuple[Shape, ...], y: tuple[Shape, ...]) -> None:
        """The sum over blocks of tr(X^T Y); raises ValueError where their shapes differ."""
        for X, Y in zip(x, y, strict=True):
            self.plus(X, Y)

    def length(self, x: tuple[Shape, ...]) -> None:
        self.inner(x, x)

    def spectral(self, X: Shape) -> None:
        # Elimination in the smaller of both sides, a few times.
        self.product(X, (X[1], X[0]))
        self.steps += 8 * min(X) ** 3
