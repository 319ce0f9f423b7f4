"""Rational matrices as tuples of rows, their few operations, and roots of rational numbers."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import isqrt

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
    """The root of x, where it is rational."""
    found = Fraction(isqrt(x.numerator), isqrt(x.denominator)) if x >= 0 else None
    return found if found is not None and found**2 == x else None


def root_above(x: Fraction, bits: int = 40) -> Fraction:
    """A rational number that is at least the root of x, and the root where that is rational."""
    exact = root(x)
    return Fraction(isqrt(int(x * 4**bits)) + 1, 2**bits) if exact is None else exact


def root_below(x: Fraction, bits: int = 40) -> Fraction:
    """A rational number that is at most the root of x."""
    return Fraction(isqrt(int(x * 4**bits)), 2**bits)
