"""Certified constants of data: Arb enclosures of the numbers that an objective's L and G are made of."""

import hashlib
import math
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import numpy as np
from flint import arb, arb_mat, ctx

from boundcheck.exact.balls import length, lower, upper
from boundcheck.functions.constant import Constant

_BITS = 128
Bound = TypeVar("Bound")


def _once(bound: Callable[[np.ndarray], Bound]) -> Callable[[np.ndarray], Bound]:
    """The bound, found only once for the same numbers: the experiments of a sweep share their data."""
    found: dict[tuple[Any, ...], Bound] = {}

    @wraps(bound)
    def known(X: np.ndarray) -> Bound:
        key = (X.shape, X.dtype.str, hashlib.sha256(X.tobytes()).digest())
        return found[key] if key in found else found.setdefault(key, bound(X))

    return known


@_once
def largest_gram_eigenvalue(X: np.ndarray) -> float:
    r"""A proved upper bound on :math:`\lambda_{\max}(X^\top X)`, tight to about twelve digits.

    The exact Gram matrix M of the floats in X is enclosed, brought near diagonal form as :math:`Q^{-1} M Q` with Q
    the computed eigenvectors, and bounded by Gershgorin's discs. Whatever errors Q has, similarity keeps the spectrum.

    Args:
        X: data, shape (n, k), finite.

    """
    return max(upper(centre + radius) for centre, radius in _discs(X))


def linear_smoothness(X: np.ndarray, divisor: int = 1) -> Constant:
    r"""L of a linear model whose terms bend by at most 1/divisor: :math:`\lambda_{\max}(X^\top X / n)` over that."""
    over = "n" if divisor == 1 else f"({divisor}n)"
    value = math.nextafter(largest_gram_eigenvalue(X) / (divisor * len(X)), math.inf)
    return Constant(value, "certified", f"largest eigenvalue of X^T X / {over}, bounded above with Arb")


def linear_gradient_bound(X: np.ndarray, square: int, said: str) -> Constant:
    r"""G of a linear model whose terms have slopes of size at most :math:`\sqrt{square}`; `said` names that square."""
    value = upper(mean_row_norm(X) * arb(square).sqrt())
    return Constant(value, "certified", f"sqrt({said}) times the mean norm of x, rounded up with Arb")


@_once
def smallest_gram_eigenvalue(X: np.ndarray) -> float:
    r"""A proved lower bound on :math:`\lambda_{\min}(X^\top X)`, in the same way; 0 where no positive one is found."""
    return max(min(lower(centre - radius) for centre, radius in _discs(X)), 0.0)


def _discs(X: np.ndarray) -> list[tuple[arb, arb]]:
    """Centres and radii of Gershgorin's discs of a matrix with the spectrum of the Gram matrix."""
    _, vectors = np.linalg.eigh(X.T @ X)
    with ctx.workprec(_BITS):
        exact = arb_mat(X.tolist())
        Q = arb_mat(vectors.tolist())
        similar = Q.solve(exact.transpose() * exact * Q).tolist()
        return [(row[i], sum((abs(x) for j, x in enumerate(row) if j != i), arb(0))) for i, row in enumerate(similar)]


@_once
def mean_row_norm(X: np.ndarray) -> arb:
    """An enclosure of the mean Euclidean norm of the rows of X, shape (n, k)."""
    with ctx.workprec(_BITS):
        return sum(map(length, X.tolist()), arb(0)) / len(X)
