"""The loops of a pseudo-Huber loss, compiled by numba: each number is read once, and no temporary is written.

All take W of shape (R, dk), targets of shape (n, dk), 1/delta^2, and whether (W - M_i)^2/delta^2 is within the range
of float32.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Function = TypeVar("Function", bound=Callable[..., Any])

_inlined: Callable[[Function], Function] = njit(inline="always")


def _compiled(function: Function) -> Function:
    """Compiled, and kept for other processes where there is a folder in which it can be."""
    options = {"nogil": True, "fastmath": {"contract"}, "error_model": "numpy"}
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:
        # Neither beside this file nor in a home of the user's.
        return njit(**options)(function)


@_inlined
def _inverse_root(z: float, is_small: bool) -> float:
    r""":math:`1/\sqrt z` to a few units of roundoff: from float32 by a step that takes its error to the third power."""
    if not is_small:
        return 1 / np.sqrt(z)
    q = np.float64(np.float32(1) / np.sqrt(np.float32(z)))
    rest = 1 - z * q * q
    return q + q * rest * (0.5 + 0.375 * rest)


@_compiled
def mean_slopes(
    W: Floats, targets: Floats, curvature: float, is_small: bool, indices: NDArray[np.int64], out: Floats
) -> None:
    """The mean of phi'(W - M_i) over each replica's own minibatch, shape (R, dk)."""
    batch = indices.shape[1]
    for replica in range(len(W)):
        w, total = W[replica], out[replica]
        total[:] = 0
        for i in range(batch):
            target = targets[indices[replica, i]]
            for j in range(len(w)):
                x = w[j] - target[j]
                total[j] += x * _inverse_root(1 + curvature * (x * x), is_small)
        for j in range(len(w)):
            total[j] /= batch


@_compiled
def losses(W: Floats, targets: Floats, curvature: float, is_small: bool, out: Floats) -> None:
    """f(W), shape (R,)."""
    for replica in range(len(W)):
        w, total = W[replica], np.zeros(W.shape[1])
        for i in range(len(targets)):
            target = targets[i]
            for j in range(len(w)):
                square = (w[j] - target[j]) ** 2
                root = _inverse_root(1 + curvature * square, is_small)
                total[j] += square * root / (1 + root)
        out[replica] = total.sum() / len(targets)


@_compiled
def survey(
    W: Floats,
    targets: Floats,
    curvature: float,
    is_small: bool,
    loss: Floats,
    gradient: Floats,
    squares: Floats,
    slopes: Floats,
) -> None:
    """f(W), its gradient, shape (R, dk), the mean of the samples' squares, and phi'(W - M_i), shape (R, d, n, k)."""
    _, rows, samples, columns = slopes.shape
    for replica in range(len(W)):
        total, square, mean = np.zeros(W.shape[1]), np.zeros(W.shape[1]), gradient[replica]
        mean[:] = 0
        for row in range(rows):
            first = row * columns
            for i in range(samples):
                slope = slopes[replica, row, i]
                for j in range(columns):
                    x = W[replica, first + j] - targets[i, first + j]
                    root = _inverse_root(1 + curvature * (x * x), is_small)
                    slope[j] = x * root
                    mean[first + j] += x * root
                    square[first + j] += (x * root) * (x * root)
                    total[first + j] += x * x * root / (1 + root)
        for j in range(len(mean)):
            mean[j] /= samples
        loss[replica] = total.sum() / samples
        squares[replica] = square.sum() / samples
