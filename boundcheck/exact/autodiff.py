"""An arithmetic with derivatives, for `boundcheck.exact.evaluate`: float64 tensors, which autograd can follow."""

from fractions import Fraction

import torch
from torch import Tensor


class Graded:
    """Arithmetic on numbers, which are tensors without dimensions, and on matrices, without rounding bounds."""

    def rational(self, x: Fraction) -> Tensor:
        """The nearest float64; infinity for a number beyond its range."""
        try:
            return torch.tensor(float(x), dtype=torch.float64)
        except OverflowError:
            return torch.tensor(torch.inf if x > 0 else -torch.inf, dtype=torch.float64)

    def add(self, x: Tensor, y: Tensor) -> Tensor:
        return x + y

    def times(self, x: Tensor, y: Tensor) -> Tensor:
        return x * y

    def power(self, x: Tensor, exponent: Fraction) -> Tensor:
        """A rational power; NaN where it is not real."""
        return x ** (int(exponent) if exponent.denominator == 1 else float(exponent))

    def exp(self, x: Tensor) -> Tensor:
        return x.exp()

    def log(self, x: Tensor) -> Tensor:
        """The natural logarithm; NaN of a negative number."""
        return x.log()

    def larger(self, x: Tensor, y: Tensor) -> Tensor:
        return torch.maximum(x, y)

    def smaller(self, x: Tensor, y: Tensor) -> Tensor:
        return torch.minimum(x, y)

    def plus(self, X: Tensor, Y: Tensor) -> Tensor:
        return X + Y

    def product(self, X: Tensor, Y: Tensor) -> Tensor:
        return X @ Y

    def entrywise(self, X: Tensor, Y: Tensor) -> Tensor:
        return X * Y

    def scaled(self, c: Tensor, X: Tensor) -> Tensor:
        return c * X

    def transposed(self, X: Tensor) -> Tensor:
        return X.mT

    def constant(self, diagonal: int, rows: int, columns: int) -> Tensor:
        return diagonal * torch.eye(rows, columns, dtype=torch.float64)

    def inner(self, x: tuple[Tensor, ...], y: tuple[Tensor, ...]) -> Tensor:
        return torch.stack([(X * Y).sum() for X, Y in zip(x, y, strict=True)]).sum()

    def length(self, x: tuple[Tensor, ...]) -> Tensor:
        return torch.linalg.vector_norm(torch.cat([X.flatten() for X in x]))

    def spectral(self, X: Tensor) -> Tensor:
        return torch.linalg.matrix_norm(X, 2)
