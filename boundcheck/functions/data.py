"""Data of real problems, and certified constants of data.

Both data sets come with scikit-learn, and are centred, so that no direction of the features is the
mean. Constants are Arb enclosures of the numbers that an objective's L and G are made of.
"""

import hashlib
import importlib.util
import math
from collections.abc import Callable
from functools import cache, wraps
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
from flint import arb, arb_mat, ctx

from boundcheck.errors import InputError
from boundcheck.exact.balls import length, lower, upper
from boundcheck.language.function import Constant

Bundled = Literal["digits", "breast-cancer"]
_BITS = 128
Bound = TypeVar("Bound")


def data_of(name: Bundled, bias: bool = False) -> tuple[np.ndarray, np.ndarray]:
    r"""Features and labels of scikit-learn's data; with bias each feature vector has a 1 at its
    end.

    ``digits`` are 1797 handwritten digits of 8 x 8 pixels: pixels over 16, each centred, shape
    (1797, 64); labels 0..9. ``breast-cancer`` are 569 tumours with 30 measurements: shape (569,
    30); labels 0 (malignant) and 1 (benign). Each feature has mean 0 and variance 1/30, so that
    rows have mean square norm 1.
    """
    table = _table("digits.csv.gz") if name == "digits" else _table("breast_cancer.csv", skiprows=1)
    X = table[:, :-1]
    labels = table[:, -1].astype(np.int64)
    if name == "digits":
        X = X / 16.0 - (X / 16.0).mean(axis=0)
    else:
        X = (X - X.mean(axis=0)) / (X.std(axis=0) * math.sqrt(X.shape[1]))
    return (with_ones(X) if bias else X), labels


def with_ones(X: np.ndarray) -> np.ndarray:
    """The features with one more column, of ones."""
    return np.hstack([X, np.ones((len(X), 1))])


@cache
def _table(name: str, skiprows: int = 0) -> np.ndarray:
    """The numbers of a file of scikit-learn's data, read once; nobody may write to them."""
    # Found without importing it, which takes longer than most experiments.
    package = importlib.util.find_spec("sklearn")
    if package is None or package.origin is None:
        raise InputError(
            "scikit-learn", "(not installed)", "the package, whose data this problem is about"
        )
    file = Path(package.origin).parent / "datasets" / "data" / name
    table = np.loadtxt(file, delimiter=",", skiprows=skiprows)
    table.flags.writeable = False
    return table


def _once(bound: Callable[[np.ndarray], Bound]) -> Callable[[np.ndarray], Bound]:
    """The bound, found only once for the same numbers: the experiments of a sweep share their
    data.
    """
    found: dict[tuple[Any, ...], Bound] = {}

    @wraps(bound)
    def known(X: np.ndarray) -> Bound:
        key = (X.shape, X.dtype.str, hashlib.sha256(X.tobytes()).digest())
        return found[key] if key in found else found.setdefault(key, bound(X))

    return known


@_once
def largest_gram_eigenvalue(X: np.ndarray) -> float:
    r"""A proved upper bound on :math:`\lambda_{\max}(X^\top X)` of a finite X, shape (n, k), to
    about twelve digits.

    The exact Gram matrix M of the floats in X is enclosed, brought near diagonal form as
    :math:`Q^{-1} M Q` with Q the computed eigenvectors, and bounded by Gershgorin's discs. Whatever
    errors Q has, similarity keeps the spectrum.
    """
    return max(upper(centre + radius) for centre, radius in _discs(X))


@_once
def smallest_gram_eigenvalue(X: np.ndarray) -> float:
    r"""A proved lower bound on :math:`\lambda_{\min}(X^\top X)`, in the same way; 0 where no
    positive one is found.
    """
    return max(min(lower(centre - radius) for centre, radius in _discs(X)), 0.0)


def _discs(X: np.ndarray) -> list[tuple[arb, arb]]:
    """Centres and radii of Gershgorin's discs of a matrix with the spectrum of the Gram matrix."""
    _, vectors = np.linalg.eigh(X.T @ X)
    with ctx.workprec(_BITS):
        exact = arb_mat(X.tolist())
        Q = arb_mat(vectors.tolist())
        similar = Q.solve(exact.transpose() * exact * Q).tolist()
        return [
            (row[i], sum((abs(x) for j, x in enumerate(row) if j != i), arb(0)))
            for i, row in enumerate(similar)
        ]


@_once
def mean_row_norm(X: np.ndarray) -> arb:
    """An enclosure of the mean Euclidean norm of the rows of X, shape (n, k)."""
    with ctx.workprec(_BITS):
        return sum(map(length, X.tolist()), arb(0)) / len(X)


def linear_smoothness(X: np.ndarray, divisor: int = 1) -> Constant:
    r"""L of a linear model whose terms bend by at most 1/divisor: :math:`\lambda_{\max}(X^\top X /
    n)` over that.
    """
    over = "n" if divisor == 1 else f"({divisor}n)"
    value = math.nextafter(largest_gram_eigenvalue(X) / (divisor * len(X)), math.inf)
    return Constant(
        value, "certified", f"largest eigenvalue of X^T X / {over}, bounded above with Arb"
    )
