"""Arithmetics of floats for `evaluate`: one that knows its rounding errors, and one with
derivatives.
"""

import math
import operator
from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

import torch
from torch import Tensor


class Approx(NamedTuple):
    """A number as computed, and a bound on its error; NaN or infinite where the arithmetic
    overflowed.
    """

    value: float
    error: float

    @property
    def low(self) -> float:
        """A lower bound on the exact number."""
        return self.value - self.error

    @property
    def high(self) -> float:
        """An upper bound on the exact number."""
        return self.value + self.error


class Comparison(NamedTuple):
    """Both sides of an inequality as computed, with bounds on their rounding errors; `strict`
    excludes equality.
    """

    measured: Approx
    bound: Approx
    strict: bool = False

    @property
    def ratio(self) -> float:
        """Measured over bound; 0 if both are 0 or less, infinity if only the bound is 0 or less."""
        return quotient(self.measured.value, self.bound.value)

    @property
    def holds(self) -> bool:
        """True if the inequality holds whatever the rounding errors are; False for a near-tie."""
        high = self.measured.high
        low = self.bound.low
        return high < low or (high == low and not self.strict)

    @property
    def fails(self) -> bool:
        """True if the inequality fails whatever the rounding errors are."""
        low = self.measured.low
        high = self.bound.high
        return low > high or (low == high and self.strict)


def quotient(measured: float, bound: float) -> float:
    """Measured over bound for numbers of any sign: above 1 exactly where measured is above
    bound.
    """
    if bound > 0:
        return max(measured / bound, 0.0)
    if measured >= 0 or bound == 0:
        return math.inf if measured > bound else 0.0
    return bound / measured


class ApproxMatrix(NamedTuple):
    """A matrix as computed, and a bound on the Frobenius norm of its error."""

    value: Tensor
    error: float


class Rounded:
    """Arithmetic on `Approx` and `ApproxMatrix`; matrices in one floating-point type, numbers in
    float64.

    Attributes:
        epsilon: twice the unit roundoff of the matrices' type, the unit of the error bounds; the
            factor 2 is to spare. Underflow is counted besides.

    """

    def __init__(self, dtype: torch.dtype, device: str = "cpu") -> None:
        """Compute in this type on this device."""
        self.dtype = dtype
        self.device = device
        self.epsilon = torch.finfo(dtype).eps
        self._tiny = torch.finfo(dtype).tiny

    def exact(self, X: Tensor) -> ApproxMatrix:
        """A matrix of exact floats, which must be of this arithmetic's type."""
        return ApproxMatrix(X.to(self.device, self.dtype), 0.0)

    def rational(self, x: Fraction) -> Approx:
        try:
            return _rounded(float(x))
        except OverflowError:
            return Approx(math.inf, math.inf)

    def add(self, x: Approx, y: Approx) -> Approx:
        return _rounded(x.value + y.value, x.error + y.error)

    def times(self, x: Approx, y: Approx) -> Approx:
        carried = abs(x.value) * y.error + x.error * abs(y.value) + x.error * y.error
        return _rounded(x.value * y.value, carried)

    def power(self, x: Approx, exponent: Fraction) -> Approx:
        """A rational power; an interval around 0 has only powers with an exponent that is not
        negative.
        """
        if not exponent:
            return Approx(1.0, 0.0)
        e = float(exponent)
        if x.low > 0:
            ends = sorted(
                (_or_infinity(operator.pow, x.low, e), _or_infinity(operator.pow, x.high, e))
            )
            value = _or_infinity(operator.pow, x.value, e)
            # The exponent itself is rounded, which moves the power by its logarithm.
            moved = abs(value) * (8 + abs(e * math.log(x.value))) * _EPSILON
            return _rounded(value, max(ends[1] - value, value - ends[0]) + 2 * moved)
        if e < 0 or (exponent.denominator > 1 and x.high < 0):
            return Approx(math.nan, math.inf)
        if exponent.denominator > 1:
            return _rounded(
                _or_infinity(operator.pow, max(x.value, 0.0), e),
                _or_infinity(operator.pow, x.high, e),
            )
        result = Approx(1.0, 0.0)
        square = x
        left = exponent.numerator
        while left:
            result = self.times(result, square) if left % 2 else result
            square = self.times(square, square)
            left = left // 2
        return result

    def exp(self, x: Approx) -> Approx:
        low, high, value = (_or_infinity(math.exp, end) for end in (*_wider(x), x.value))
        return _rounded(value, max(high - value, value - low) + 8 * high * _EPSILON)

    def log(self, x: Approx) -> Approx:
        """The natural logarithm; NaN unless the interval is above 0."""
        ends = _wider(x)
        if not 0 < ends[0] <= ends[1] < math.inf:
            return Approx(math.nan, math.inf)
        value, low, high = map(math.log, (x.value, *ends))
        return _rounded(
            value, max(high - value, value - low) + 8 * max(abs(low), abs(high)) * _EPSILON
        )

    def larger(self, x: Approx, y: Approx) -> Approx:
        return _picked(max, x, y)

    def smaller(self, x: Approx, y: Approx) -> Approx:
        return _picked(min, x, y)

    def plus(self, X: ApproxMatrix, Y: ApproxMatrix) -> ApproxMatrix:
        total = X.value + Y.value
        return ApproxMatrix(total, X.error + Y.error + self.epsilon * _size(total))

    def product(self, X: ApproxMatrix, Y: ApproxMatrix) -> ApproxMatrix:
        r"""The product of two matrices, with an error of :math:`\gamma_n\|X\|\|Y\|` besides those
        of its factors.
        """
        x = _size(X.value)
        y = _size(Y.value)
        product = X.value @ Y.value
        own = X.value.shape[-1] * (self.epsilon * x * y + product.numel() * self._tiny)
        return ApproxMatrix(product, own + X.error * y + x * Y.error + X.error * Y.error)

    def entrywise(self, X: ApproxMatrix, Y: ApproxMatrix) -> ApproxMatrix:
        x = _size(X.value)
        y = _size(Y.value)
        own = self.epsilon * x * y + X.value.numel() * self._tiny
        return ApproxMatrix(X.value * Y.value, own + X.error * y + x * Y.error + X.error * Y.error)

    def scaled(self, c: Approx, X: ApproxMatrix) -> ApproxMatrix:
        size = _size(X.value)
        scale = abs(c.value)
        own = 2 * self.epsilon * scale * size + X.value.numel() * self._tiny
        return ApproxMatrix(c.value * X.value, own + scale * X.error + c.error * (size + X.error))

    def transposed(self, X: ApproxMatrix) -> ApproxMatrix:
        return ApproxMatrix(X.value.mT, X.error)

    def constant(self, diagonal: int, rows: int, columns: int) -> ApproxMatrix:
        return self.exact(diagonal * torch.eye(rows, columns))

    def inner(self, x: tuple[ApproxMatrix, ...], y: tuple[ApproxMatrix, ...]) -> Approx:
        value = error = 0.0
        for X, Y in zip(x, y, strict=True):
            a = _size(X.value)
            b = _size(Y.value)
            value += (X.value * Y.value).sum().item()
            error += X.value.numel() * (self.epsilon * a * b + self._tiny)
            error += X.error * b + a * Y.error + X.error * Y.error
        return _rounded(value, error + len(x) * _EPSILON * abs(value))

    def length(self, x: tuple[ApproxMatrix, ...]) -> Approx:
        value = math.hypot(*(torch.linalg.vector_norm(X.value).item() for X in x))
        terms = sum(X.value.numel() for X in x)
        own = terms * self.epsilon * value + math.sqrt(terms * self._tiny)
        return _rounded(value, math.hypot(*(X.error for X in x)) + own)

    def spectral(self, X: ApproxMatrix) -> Approx:
        """The largest singular value, with an error of a small multiple of the sides times the unit
        of roundoff.
        """
        if not torch.isfinite(X.value).all():
            return Approx(math.nan, math.inf)
        value = torch.linalg.matrix_norm(X.value, 2).item()
        sides = sum(X.value.shape)
        return _rounded(
            value, X.error + 4 * sides * self.epsilon * value + math.sqrt(sides * self._tiny)
        )


# The unit of roundoff of float64, the type of numbers; and a bound on the error of a result that
# underflows.
_EPSILON = torch.finfo(torch.float64).eps
_TINY = 2.0**-1000


def _rounded(value: float, error: float = 0.0) -> Approx:
    """A number with its own rounding added to the error that it carries."""
    return Approx(value, error * (1 + 4 * _EPSILON) + abs(value) * _EPSILON + _TINY)


def _picked(pick: Callable[[float, float], float], x: Approx, y: Approx) -> Approx:
    lost = math.isnan(x.value) or math.isnan(y.value)
    return (
        Approx(math.nan, math.inf)
        if lost
        else Approx(pick(x.value, y.value), max(x.error, y.error))
    )


def _size(X: Tensor) -> float:
    return torch.linalg.vector_norm(X.double()).item()


def _or_infinity(function: Callable[..., float], *given: float) -> float:
    try:
        return function(*given)
    except OverflowError:
        return math.inf


def _wider(x: Approx) -> tuple[float, float]:
    """The ends of the interval, moved outward by their own rounding."""
    rounding = 4 * _EPSILON * (abs(x.value) + x.error)
    return x.low - rounding, x.high + rounding


class Graded:
    """Arithmetic on numbers, which are tensors without dimensions, and on matrices: autograd can
    follow it.

    It has no rounding bounds. A power that is not real is NaN, and so is the logarithm of a
    negative number.
    """

    add = plus = staticmethod(torch.add)
    times = entrywise = scaled = staticmethod(torch.mul)
    product = staticmethod(torch.matmul)
    transposed = staticmethod(torch.t)
    exp = staticmethod(torch.exp)
    log = staticmethod(torch.log)
    larger = staticmethod(torch.maximum)
    smaller = staticmethod(torch.minimum)

    def rational(self, x: Fraction) -> Tensor:
        """The nearest float64; infinity for a number beyond its range."""
        try:
            return torch.tensor(float(x), dtype=torch.float64)
        except OverflowError:
            return torch.tensor(torch.inf if x > 0 else -torch.inf, dtype=torch.float64)

    def power(self, x: Tensor, exponent: Fraction) -> Tensor:
        return x ** (int(exponent) if exponent.denominator == 1 else float(exponent))

    def constant(self, diagonal: int, rows: int, columns: int) -> Tensor:
        return diagonal * torch.eye(rows, columns, dtype=torch.float64)

    def inner(self, x: tuple[Tensor, ...], y: tuple[Tensor, ...]) -> Tensor:
        return torch.stack([(X * Y).sum() for X, Y in zip(x, y, strict=True)]).sum()

    def length(self, x: tuple[Tensor, ...]) -> Tensor:
        return torch.linalg.vector_norm(torch.cat([X.flatten() for X in x]))

    def spectral(self, X: Tensor) -> Tensor:
        return torch.linalg.matrix_norm(X, 2)
