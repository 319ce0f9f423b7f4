"""Arithmetics that decide: Arb balls, and rationals as long as numbers are rational; the sign of an
expression.

Every result contains the exact value, whatever the inputs are: Arb (through python-flint)
propagates rounding errors outward. The enclosure of a spectral norm is as tight as the working
precision allows, also where singular values are equal.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from functools import reduce
from typing import Any

import numpy as np
import sympy as sp
from flint import arb, arb_mat, ctx, fmpq, fmpz

from boundcheck.errors import InputError
from boundcheck.exact.evaluate import Model, NoValueError, rational_exponent

# Relative width to which a spectral norm is enclosed, at most.
_WIDTH = 2.0**-80


def ball_of(x: Fraction) -> arb:
    """A ball that contains a rational, at the working precision."""
    return arb(fmpq(x.numerator, x.denominator))


def power(base: arb, exponent: Fraction) -> arb:
    """A rational power of a ball."""
    # Roots first: x.root(n) is tighter than exp(log(x)/n), and right at x = 0. Products, because x
    # ** 2 is NaN in python-flint for a ball around 0.
    n = exponent.denominator
    m = exponent.numerator
    square = base if n == 1 else (base.sqrt() if n == 2 else base.root(n))
    product = arb(1)
    left = abs(m)
    while left:
        product = product * square if left % 2 else product
        square = square * square
        left = left // 2
    return product if m > 0 else 1 / product


def length(numbers: Iterable[arb | float]) -> arb:
    """The root of the sum of the squares."""
    # A ball around 0 has a square that holds negative numbers, too; a root of these is none.
    return sum((x * x for x in map(arb, numbers)), arb(0)).nonnegative_part().sqrt()


def upper(ball: arb) -> float:
    """The smallest float that this module can prove to be at least the ball's upper end."""
    return _outward(ball.upper(), math.inf)


def lower(ball: arb) -> float:
    """The largest float that this module can prove to be at most the ball's lower end."""
    # Not by the upper end of -ball, which python-flint rounds.
    return _outward(ball.lower(), -math.inf)


def _outward(end: arb, direction: float) -> float:
    nearest = float(end)
    if not math.isfinite(nearest):
        raise ArithmeticError(f"no finite bound: the enclosure ends at {end}")
    beyond = arb(nearest) >= end if direction > 0 else arb(nearest) <= end
    return nearest if beyond else math.nextafter(nearest, direction)


Blocks = tuple[arb_mat, ...]
"""The blocks of a vector of balls, as matrices."""


def blocks_of(v: Iterable[np.ndarray]) -> Blocks:
    """The blocks of a vector, from arrays of balls."""
    return tuple(arb_mat(part.tolist()) for part in v)


class Vector(tuple[np.ndarray, ...]):
    """The blocks of a vector of balls, which add and scale as one."""

    def __add__(self, other: Any) -> Vector:
        """The sum, block by block."""
        return Vector(x + y for x, y in zip(self, other, strict=True))

    def __sub__(self, other: Any) -> Vector:
        """The difference, block by block."""
        return Vector(x - y for x, y in zip(self, other, strict=True))

    def __rmul__(self, c: Any) -> Vector:
        """The vector with each number multiplied by the ball c."""
        return Vector(c * x for x in self)


def square_norm_of(v: Iterable[np.ndarray]) -> arb:
    """The squared Euclidean norm of a vector of balls."""
    return sum(((x * x).sum() for x in v), arb(0))


class Balls:
    """Arithmetic on `arb` and `arb_mat`; the caller sets the precision by
    ``flint.ctx.workprec``.
    """

    rational = staticmethod(ball_of)
    power = staticmethod(power)
    add = plus = staticmethod(operator.add)
    times = product = staticmethod(operator.mul)
    exp = staticmethod(arb.exp)
    log = staticmethod(arb.log)
    larger = staticmethod(arb.max)
    smaller = staticmethod(arb.min)
    transposed = staticmethod(arb_mat.transpose)

    def entrywise(self, X: arb_mat, Y: arb_mat) -> arb_mat:
        return arb_mat(
            [
                [x * y for x, y in zip(*rows, strict=True)]
                for rows in zip(X.tolist(), Y.tolist(), strict=True)
            ]
        )

    def scaled(self, c: arb, X: arb_mat) -> arb_mat:
        return X * c

    def constant(self, diagonal: int, rows: int, columns: int) -> arb_mat:
        return arb_mat([[diagonal * (i == j) for j in range(columns)] for i in range(rows)])

    def inner(self, x: Blocks, y: Blocks) -> arb:
        pairs = zip(x, y, strict=True)
        return sum(
            (p * q for X, Y in pairs for p, q in zip(X.entries(), Y.entries(), strict=True)), arb(0)
        )

    def length(self, x: Blocks) -> arb:
        return length(p for X in x for p in X.entries())

    def spectral(self, X: arb_mat) -> arb:
        gram = X.transpose() * X if X.ncols() <= X.nrows() else X * X.transpose()
        return largest_eigenvalue(gram).nonnegative_part().sqrt()


def matrix_of(rows: Sequence[Sequence[float | Fraction]] | np.ndarray) -> arb_mat:
    """The matrix with these exact numbers, floats or fractions, as entries."""
    return arb_mat(
        [[ball_of(Fraction(x)) for x in row] for row in np.asarray(rows, dtype=object).tolist()]
    )


def largest_eigenvalue(M: arb_mat) -> arb:
    r"""An enclosure of :math:`\lambda_{\max}` of a symmetric positive semidefinite matrix of balls.

    A Rayleigh quotient at the eigenvector that floats find bounds it below, the trace bounds it
    above. Between these two, bisection asks whether :math:`cI - M` is positive definite, which
    elimination tells by the signs of its pivots, until they are 2^-80 apart, relative to the upper
    one, or the precision tells no more.
    """
    rows = M.tolist()
    if all(x == 0 for i, row in enumerate(rows) for j, x in enumerate(row) if i != j):
        return reduce(arb.max, (abs(row[i]) for i, row in enumerate(rows)))
    low = arb(0)
    high = M.trace().upper()
    middles = np.array([[float(x.mid()) for x in row] for row in rows])
    if np.isfinite(middles).all():
        vector = arb_mat([[x] for x in np.linalg.eigh(middles)[1][:, -1].tolist()])
        turned = vector.transpose()
        low = max((turned * M * vector)[0, 0] / (turned * vector)[0, 0], low, key=float)
    if not high > 0:
        return arb(0).union(high)
    # Start near the lower end: floats leave it only a few units of roundoff away.
    guesses = [(low * (1 + arb(2) ** -bits)).upper() for bits in (70, 50, 40, 20)]
    for guess in guesses:
        if _is_definite(M, guess):
            high = min(high, guess, key=float)
            break
    low = low.lower()
    while high - low > high * _WIDTH:
        middle = ((low + high) / 2).mid()
        # Nothing lies between two neighbours.
        definite = _is_definite(M, middle) if low < middle < high else None
        if definite is None:
            break
        low, high = (low, middle) if definite else (middle, high)
    return low.union(high)


def _is_definite(M: arb_mat, c: arb) -> bool | None:
    """True if cI - M is positive definite, False if it certainly is not, None if the precision
    cannot tell.
    """
    rows = [
        [(c if i == j else arb(0)) - x for j, x in enumerate(row)]
        for i, row in enumerate(M.tolist())
    ]
    for k, pivots in enumerate(rows):
        pivot = pivots[k]
        if not pivot > 0:
            return False if pivot < 0 else None
        for row in rows[k + 1 :]:
            ratio = row[k] / pivot
            for j in range(k + 1, len(rows)):
                row[j] -= ratio * pivots[j]
    return True


# A ball can come out NaN, where a root's argument straddles 0; more bits may help.
_LADDER = (64, 256, 1024, 4096)


def enclose(
    expression: sp.Expr, values: Mapping[sp.Symbol, sp.Expr], bits: int = _LADDER[0]
) -> arb:
    """Enclose `expression` at `values`, at `bits` of precision or, where these give no number, at
    more.

    Args:
        expression: built of rationals, symbols, sums, products, powers, exp, log, Max, Min and Abs.
            A power whose exponent is not rational at `values` is exp(exponent log(base)), of a base
            that is positive.
        values: for each symbol an exact sympy number (rational, or such as sqrt(2) and exp(1)).
        bits: working precision; the ball is wider where the expression cancels, and always right.

    Returns:
        A ball that contains the exact value. It is NaN or unbounded only where 4096 bits find no
        number either.

    Raises:
        InputError: for a node that has no enclosure here.

    """
    model = Model(Balls(), values=values, horizon=0, floats=False)
    try:
        for precision in (bits, *(more for more in _LADDER if more > bits)):
            with ctx.workprec(precision):
                ball = model.number(expression)
            if ball.is_finite():
                break
    except (NoValueError, KeyError) as error:
        raise InputError(
            "formula",
            error.args[0],
            "numbers and known symbols, with + - * /, powers, exp, log, Min, Max and Abs alone",
        ) from None
    return ball


# If even the most bits cannot decide a tie, fewer are tried to find a difference.
_FIRST_BITS = 64
_FEW_BITS = 2**15
_MOST_BITS = 2**22


def sign(expression: sp.Expr, values: Mapping[sp.Symbol, sp.Expr]) -> int:
    """Decide the sign of `expression` at exact `values`: -1, 0 or 1, and never by rounding.

    Raises:
        InputError: for an expression that has no value there, and for a sign that cannot be
            decided: with exp, log or an irrational exponent, a value that is 0 or as good as 0;
            else one that four million bits do not decide.

    """
    bits = _FIRST_BITS
    most = _FIRST_BITS
    separation = None
    while bits <= most:
        ball = enclose(expression, values, bits)
        if ball > 0:
            return 1
        if ball < 0:
            return -1
        if ball.is_zero():
            return 0
        if bits == _FIRST_BITS:
            # Only ties need the separation bound.
            separation = _separation(expression, values)
            most = _FEW_BITS if separation is None or separation > _MOST_BITS else _MOST_BITS
        if (
            separation is not None
            and ball.is_finite()
            and ball.abs_upper() < arb(1) / arb(2) ** fmpz(separation)
        ):
            return 0
        bits *= 2
    at = ", ".join(f"{symbol} = {value}" for symbol, value in values.items())
    raise InputError(
        "sign",
        expression,
        f"a number whose sign {most} bits tell" + (f", which at {at} they do not" * bool(at)),
    )


def _separation(expression: sp.Expr, values: Mapping[sp.Symbol, sp.Expr]) -> int | None:
    """An n such that the absolute value is 0 or at least 2^-n; None where none is known."""
    inside = (expression, *(values[symbol] for symbol in expression.free_symbols))
    nodes = [node for each in inside for node in sp.preorder_traversal(each)]
    exponents = {
        node: rational_exponent(node, values) for node in nodes if isinstance(node, sp.Pow)
    }
    if None in exponents.values() or any(
        isinstance(node, sp.exp | sp.log) or node is sp.E for node in nodes
    ):
        return None
    sizes: Any = _Sizes()
    u, v = Model(sizes, values=values, horizon=0, floats=False).number(expression)
    radicals = {
        (node.base, int(exponent.q)) for node, exponent in exponents.items() if exponent is not None
    }
    return u * (math.prod(q for _, q in radicals) - 1) + v + 1


_Size = tuple[int, int]


class _Sizes:
    """Upper bounds on log2 of u and v, for a number as a quotient of algebraic integers."""

    def rational(self, x: Fraction) -> _Size:
        return abs(x.numerator).bit_length(), x.denominator.bit_length()

    def add(self, x: _Size, y: _Size) -> _Size:
        return max(x[0] + y[1], y[0] + x[1]) + 1, x[1] + y[1]

    def times(self, x: _Size, y: _Size) -> _Size:
        return x[0] + y[0], x[1] + y[1]

    def larger(self, x: _Size, y: _Size) -> _Size:
        return max(x[0], y[0]), max(x[1], y[1])

    smaller = larger

    def power(self, x: _Size, exponent: Fraction) -> _Size:
        u, v = x
        p = exponent.numerator
        q = exponent.denominator
        # The q-th root of U/V is that of U V^(q-1) over V.
        u = -(-(u + (q - 1) * v) // q)
        u = u * abs(p)
        v = v * abs(p)
        return (u, v) if p > 0 else (v, u)


# Rational matrices, and roots of rationals

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
    return tuple(
        tuple(sum((p * q for p, q in zip(row, c, strict=True)), Fraction(0)) for c in columns)
        for row in x
    )


def plus(x: Rows, y: Rows, scale: Fraction | int = 1) -> Rows:
    """The sum x + scale · y."""
    return tuple(
        tuple(p + scale * q for p, q in zip(r, s, strict=True)) for r, s in zip(x, y, strict=True)
    )


def scaled(scale: Fraction | int, x: Rows) -> Rows:
    """The multiple scale · x."""
    return tuple(tuple(scale * p for p in row) for row in x)


def inner(x: Rows, y: Rows) -> Fraction:
    """The sum of the products of entries."""
    return sum(
        (p * q for r, s in zip(x, y, strict=True) for p, q in zip(r, s, strict=True)), Fraction(0)
    )


def squared(x: Rows) -> Fraction:
    """The squared Frobenius norm."""
    return inner(x, x)


def corner(height: int, width: int) -> Rows:
    """The matrix with a 1 in the first place and 0 elsewhere."""
    return tuple(tuple(Fraction(int(i == j == 0)) for j in range(width)) for i in range(height))


def root(x: Fraction) -> Fraction | None:
    """The root of x if it is rational, else None."""
    found = Fraction(math.isqrt(x.numerator), math.isqrt(x.denominator)) if x >= 0 else None
    return found if found is not None and found**2 == x else None


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
            found = root(found)
            roots = roots // 2
        if isinstance(found, Fraction) and roots == 1 and (found or exponent >= 0):
            return Fraction(found**exponent.numerator)
        return _BALLS.power(ball(x), exponent)

    def exp(self, x: Number) -> Number:
        # A ball that may be 0 is neither equal to it nor unequal.
        return Fraction(1) if x == 0 else _BALLS.exp(ball(x))

    def log(self, x: Number) -> Number:
        return Fraction(0) if x == 1 else _BALLS.log(ball(x))

    def larger(self, x: Number, y: Number) -> Number:
        return (
            max(x, y)
            if isinstance(x, Fraction) and isinstance(y, Fraction)
            else ball(x).max(ball(y))
        )

    def smaller(self, x: Number, y: Number) -> Number:
        return (
            min(x, y)
            if isinstance(x, Fraction) and isinstance(y, Fraction)
            else ball(x).min(ball(y))
        )

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
        return tuple(
            tuple(Fraction(diagonal * (i == j)) for j in range(columns)) for i in range(rows)
        )

    def inner(self, x: tuple[Matrix, ...], y: tuple[Matrix, ...]) -> Number:
        parts = [
            self._dot(r, s) for X, Y in zip(x, y, strict=True) for r, s in zip(X, Y, strict=True)
        ]
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
