"""Exact tests of whether points are in the domain of an adapter, ties on its boundary included."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, cast

import numpy as np
from flint import fmpq, fmpq_mat
from torch import Tensor

from boundcheck.functions.adapters import Adapter
from boundcheck.functions.adapters.base import Block
from boundcheck.functions.arithmetic import Point


def is_within(adapter: Adapter, v: Point, radii: Mapping[str, float]) -> bool:
    """True if a point is in the domain, decided exactly; blocks must be made orthonormal before."""
    bounded = cast(Any, adapter).bounded(tuple(map(_fractions, v)))
    parts = zip(adapter.blocks, bounded, strict=True)
    return all(_within(block, rows, radii[block.radius]) for block, rows in parts if block.radius)


def _fractions(part: Tensor) -> np.ndarray:
    """A block of one point as an array of rationals."""
    exact: np.ndarray = np.vectorize(Fraction, otypes=[object])(part[0].cpu().numpy())
    return exact


def _within(block: Block, rows: np.ndarray, radius: float) -> bool:
    if block.norm == "max":
        return bool((abs(rows) <= radius).all())
    return is_spectral_norm_within(rows, Fraction(radius))


def is_spectral_norm_within(rows: np.ndarray, radius: Fraction) -> bool:
    """True if the spectral norm of a matrix of floats is at most a rational, decided exactly, ties included."""
    rows = rows if rows.shape[0] <= rows.shape[1] else rows.T
    X = fmpq_mat([[_rational(x) for x in row] for row in rows.tolist()])
    gap = -(X * X.transpose())
    for i in range(gap.nrows()):
        gap[i, i] += _rational(radius) ** 2
    # The eigenvalues of a symmetric matrix are real. None is negative exactly if the signs of its characteristic
    # polynomial alternate.
    signed = gap.charpoly().coeffs()
    degree = len(signed) - 1
    return all((-1) ** (degree - i) * x >= 0 for i, x in enumerate(signed))


def _rational(x: float | Fraction) -> fmpq:
    exact = Fraction(x)
    return fmpq(exact.numerator, exact.denominator)
