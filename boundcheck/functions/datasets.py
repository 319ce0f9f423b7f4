"""The data of real problems, which scikit-learn bundles, and the checks of data that a person brings.

Both data sets are centred, so that no direction of the features is the mean.
"""

import importlib.util
import math
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np

from boundcheck.errors import InputError

Bundled = Literal["digits", "breast-cancer"]


def digits_data() -> tuple[np.ndarray, np.ndarray]:
    """1797 handwritten digits of 8 x 8 pixels: pixels over 16, each centred, shape (1797, 64); labels 0..9."""
    table = _table("digits.csv.gz")
    pixels, labels = table[:, :-1] / 16.0, table[:, -1].astype(np.int64)
    return pixels - pixels.mean(axis=0), labels


def breast_cancer_data() -> tuple[np.ndarray, np.ndarray]:
    r"""569 tumours with 30 measurements: shape (569, 30); labels 0 (malignant) and 1 (benign).

    Each feature has mean 0 and variance 1/30, so that rows have mean square norm 1.
    """
    table = _table("breast_cancer.csv", skiprows=1)
    X, labels = table[:, :-1], table[:, -1].astype(np.int64)
    return (X - X.mean(axis=0)) / (X.std(axis=0) * math.sqrt(X.shape[1])), labels


def data_of(name: Bundled, bias: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Features and labels of ``digits`` or ``breast-cancer``; with bias each feature vector has a 1 at its end."""
    X, labels = digits_data() if name == "digits" else breast_cancer_data()
    return (with_ones(X) if bias else X), labels


def with_ones(X: np.ndarray) -> np.ndarray:
    """The features with one more column, of ones."""
    return np.hstack([X, np.ones((len(X), 1))])


@cache
def _table(name: str, skiprows: int = 0) -> np.ndarray:
    """The numbers of a file of scikit-learn's data, read once; nobody may write to them."""
    table = np.loadtxt(_bundled(name), delimiter=",", skiprows=skiprows)
    table.flags.writeable = False
    return table


def _bundled(name: str) -> Path:
    """A file of scikit-learn's data, found without importing it: that takes longer than most experiments."""
    package = importlib.util.find_spec("sklearn")
    if package is None or package.origin is None:
        raise InputError("scikit-learn", "(not installed)", "the package, whose data this problem is about")
    return Path(package.origin).parent / "datasets" / "data" / name


def checked_matrix(field: str, value: np.ndarray, expected: str) -> np.ndarray:
    """A copy of a matrix in float64.

    Raises:
        InputError: for what is no matrix, or empty, or not finite.

    """
    matrix = np.array(value, dtype=np.float64)
    if matrix.ndim != 2 or matrix.size == 0 or not np.isfinite(matrix).all():
        raise InputError(field, f"array of shape {matrix.shape}", expected)
    return matrix


def checked_features(X: np.ndarray) -> np.ndarray:
    """Features as a finite matrix of floats, shape (n, k); raises InputError for others."""
    return checked_matrix("X", X, "a finite matrix, one row a sample")


def checked_labels(labels: np.ndarray, samples: int) -> np.ndarray:
    """Class numbers from 0, one a sample, shape (n,); raises InputError for others."""
    if labels.shape != (samples,) or not np.issubdtype(labels.dtype, np.integer) or labels.min() < 0:
        raise InputError("labels", f"{labels.dtype} of shape {labels.shape}", f"{samples} integers from 0")
    return labels
