"""The largest eigenvalue of X^T X in other ways than the package has: QR iterations in 60 digits, and elimination."""

from fractions import Fraction
from typing import Any

import mpmath as mp
import numpy as np
from flint import arb, arb_mat, ctx, fmpq

DIGITS = 60
BITS = 256


def top_eigenvalue(X: np.ndarray) -> Any:
    """To some 50 digits, for small matrices."""
    with mp.workdps(DIGITS):
        exact = mp.matrix(X.tolist())
        return max(mp.eigsy(exact.T * exact, eigvals_only=True))


def is_above_the_top(bound: Fraction, X: np.ndarray) -> bool:
    """Whether elimination in interval arithmetic, all pivots positive, proves bound I - X^T X positive definite."""
    with ctx.workprec(BITS):
        rows = _gram(X).tolist()
        level = arb(fmpq(bound.numerator, bound.denominator))
        rest = [[level - x if i == j else -x for j, x in enumerate(row)] for i, row in enumerate(rows)]
        while rest:
            (pivot, *across), *below = rest
            if not pivot > 0:
                return False
            rest = [[x - row[0] * y / pivot for x, y in zip(row[1:], across, strict=True)] for row in below]
        return True


def is_below_the_top(bound: Fraction, X: np.ndarray) -> bool:
    """Whether a vector has a Rayleigh quotient above the bound, for certain."""
    vector = np.linalg.eigh(X.T @ X)[1][:, -1:]
    with ctx.workprec(BITS):
        v = arb_mat(vector.tolist())
        quotient = (v.transpose() * _gram(X) * v)[0, 0] / (v.transpose() * v)[0, 0]
        return bool(quotient > arb(fmpq(bound.numerator, bound.denominator)))


def _gram(X: np.ndarray) -> arb_mat:
    exact = arb_mat(X.tolist())
    return exact.transpose() * exact
