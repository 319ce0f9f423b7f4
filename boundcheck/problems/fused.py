"""The loops of a pseudo-Huber loss, compiled by numba: each number is read once, and no temporary is written.

All take W of shape (R, dk), targets of shape (n, dk), and 1/delta^2. Each replica is one thread's.
"""

from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Loop = TypeVar("Loop", bound=Callable[..., None])

_compiled: Callable[[Loop], Loop] = njit(nogil=True, cache=True, fastmath={"contract"}, error_model="numpy")


@_compiled
def mean_slopes(W: Floats, targets: Floats, indices: NDArray[np.int64], curvature: float, out: Floats) -> None:
    """The mean of phi'(W - M_i) over each replica's own minibatch, shape (R, dk)."""
    batch = indices.shape[1]
    for replica in range(len(W)):
        w, total = W[replica], out[replica]
        total[:] = 0
        for i in range(batch):
            target = targets[indices[replica, i]]
            for j in range(len(w)):
                x = w[j] - target[j]
                total[j] += x / np.sqrt(1 + curvature * (x * x))
        for j in range(len(w)):
            total[j] /= batch


@_compiled
def losses(W: Floats, targets: Floats, curvature: float, out: Floats) -> None:
    """f(W), shape (R,)."""
    for replica in range(len(W)):
        w, total = W[replica], np.zeros(W.shape[1])
        for i in range(len(targets)):
            target = targets[i]
            for j in range(len(w)):
                square = (w[j] - target[j]) ** 2
                total[j] += square / (1 + np.sqrt(1 + curvature * square))
        out[replica] = total.sum() / len(targets)


@_compiled
def survey(
    W: Floats, targets: Floats, rows: int, curvature: float, loss: Floats, gradient: Floats, slopes: Floats
) -> None:
    """f(W), its gradient, shape (R, dk), and phi'(W - M_i) for each i, shape (R, d, n, k), with d = `rows`."""
    samples, columns = len(targets), W.shape[1] // rows
    for replica in range(len(W)):
        total, mean = np.zeros(W.shape[1]), gradient[replica]
        mean[:] = 0
        for row in range(rows):
            first = row * columns
            for i in range(samples):
                slope = slopes[replica, row, i]
                for j in range(columns):
                    x = W[replica, first + j] - targets[i, first + j]
                    root = np.sqrt(1 + curvature * (x * x))
                    slope[j] = x / root
                    mean[first + j] += slope[j]
                    total[first + j] += x * x / (1 + root)
        for j in range(len(mean)):
            mean[j] /= samples
        loss[replica] = total.sum() / samples
