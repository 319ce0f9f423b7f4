"""The loops of a pseudo-Huber loss, compiled by numba: each number is read once, and no large
temporary is written.

All take 1/delta^2, and whether (W - M_i)^2/delta^2 is within the range of float32, or which entries
W must stay below for that. The numbers of a replica are its own, whatever others are computed with
it. All is in one file, because numba keeps what it compiled until the file changes; each loop has a
twin in PyTorch, for where numba is not installed.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from boundcheck.errors import InputError

try:
    from numba import njit
    from numba.core import config
except ImportError:
    raise
except Exception as error:
    raise InputError(
        ".numba_config.yaml", "in this folder", "a file that numba can read, or none"
    ) from error

# Numba reads a file .numba_config.yaml of the current folder, which may name the folder of what was
# compiled before: numba unpickles that, and so would run a stranger's code. Before anything is
# compiled it looks again, where there is no such file: variables of the environment alone say what
# it is to do.
_settings: Any = config
_settings._config_fname = ""
_settings.reload_config()

Floats = NDArray[np.float64]
Function = TypeVar("Function", bound=Callable[..., Any])

# Samples that a survey goes through at a time: rows that are long enough, of slopes that a core's
# cache holds.
_TILE = 64

_options: dict[str, Any] = {"nogil": True, "fastmath": {"contract"}, "error_model": "numpy"}
_inlined: Callable[[Function], Function] = njit(inline="always")
_part: Callable[[Function], Function] = njit(**_options)


def _compiled(function: Function) -> Function:
    """Compile a function, and keep it for other processes where there is a folder in which it can
    be.
    """
    try:
        return njit(cache=True, **_options)(function)
    except RuntimeError:
        # Neither beside this file nor in a home of the user's.
        return njit(**_options)(function)


@_inlined
def _inverse_root(z: float, is_small: bool) -> float:
    r""":math:`1/\sqrt z` to a few units of roundoff: from float32 by a step that takes its error to
    the third power.
    """
    if not is_small:
        # Of a z that overflowed nothing is known: 0 would be the slope at a minimum.
        return 1 / np.sqrt(z) if z < np.inf else np.nan
    q = np.float64(np.float32(1) / np.sqrt(np.float32(z)))
    rest = 1 - z * q * q
    return q + q * rest * (0.5 + 0.375 * rest)


@_part
def _add_slopes(w: Floats, target: Floats, curvature: float, is_small: bool, total: Floats) -> None:
    """Add phi'(w - M_i) to `total`."""
    for j in range(len(w)):
        x = w[j] - target[j]
        total[j] += x * _inverse_root(1 + curvature * (x * x), is_small)


@_part
def _multiply(X: Floats, Y: Floats, out: Floats) -> None:
    """Write XY to `out`, summing four terms at a time while they are in registers."""
    rows, inner = X.shape
    fours = inner - inner % 4
    for i in range(rows):
        x, total = X[i], out[i]
        total[:] = 0
        for m in range(0, fours, 4):
            x0, x1, x2, x3 = x[m], x[m + 1], x[m + 2], x[m + 3]
            y0, y1, y2, y3 = Y[m], Y[m + 1], Y[m + 2], Y[m + 3]
            for j in range(len(total)):
                total[j] += (x0 * y0[j] + x1 * y1[j]) + (x2 * y2[j] + x3 * y3[j])
        for m in range(fours, inner):
            x0, y0 = x[m], Y[m]
            for j in range(len(total)):
                total[j] += x0 * y0[j]


@_part
def _copy(X: Floats, out: Floats) -> None:
    # An assignment of arrays takes numba seconds to compile.
    for i in range(X.shape[0]):
        for j in range(X.shape[1]):
            out[i, j] = X[i, j]


@_part
def _transpose(X: Floats, out: Floats) -> None:
    for i in range(X.shape[0]):
        for j in range(X.shape[1]):
            out[j, i] = X[i, j]


@_part
def _move(X: Floats, size: float, gradient: Floats, squares: Floats) -> float:
    """Put X - size * gradient in place of X, and return the Frobenius norm of the gradient."""
    squares[:] = 0
    for i in range(X.shape[0]):
        for j in range(X.shape[1]):
            g = gradient[i, j]
            X[i, j] -= size * g
            squares[j] += g * g
    return np.sqrt(squares.sum())


@_part
def _weight(W0: Floats, scale: float, A: Floats, B: Floats, tops: Floats, W: Floats) -> float:
    """Write W0 + sBA to `W`, and return the size of its largest entry."""
    _multiply(B, A, W)
    tops[:] = 0
    for i in range(W.shape[0]):
        for j in range(W.shape[1]):
            w = W0[i, j] + scale * W[i, j]
            W[i, j] = w
            if abs(w) > tops[j]:
                tops[j] = abs(w)
    return tops.max()


@_compiled
def descend(
    W0: Floats,
    scale: float,
    targets: Floats,
    curvature: float,
    small: float,
    A: Floats,
    B: Floats,
    batches: NDArray[np.int64],
    sizes: Floats,
    As: Floats,
    Bs: Floats,
    lengths: Floats,
    begin: int,
    end: int,
) -> None:
    """Take SGD steps on f(W0 + sBA) in some of the replicas, moving A, shape (R, r, k), and B,
    shape (R, d, r).

    Minibatches have shape (steps, R, m). It writes A and B before the first step and after each,
    and the lengths of their gradients, shape (steps, 2, R).
    """
    steps, _, batch = batches.shape
    (r, k), d = A.shape[1:], B.shape[1]
    # Products are along rows: so are W and g, g^T, and of each factor and its gradient what is
    # multiplied as rows.
    W, g, g_t, b_t = np.empty((d, k)), np.empty((d, k)), np.empty((k, d)), np.empty((r, d))
    in_a, in_b, over_k, over_d = np.empty((r, k)), np.empty((r, d)), np.empty(k), np.empty(d)
    w, total = W.reshape(d * k), g.reshape(d * k)
    for replica in range(begin, end):
        a, b = A[replica], B[replica]
        _transpose(b, b_t)
        _copy(a, As[0, replica])
        _copy(b, Bs[0, replica])
        for t in range(steps):
            is_small = _weight(W0, scale, a, b, over_k, W) < small
            total[:] = 0
            for i in range(batch):
                _add_slopes(w, targets[batches[t, replica, i]], curvature, is_small, total)
            for j in range(d * k):
                total[j] *= scale / batch
            _transpose(g, g_t)
            _multiply(b_t, g, in_a)
            _multiply(a, g_t, in_b)
            lengths[t, 0, replica] = _move(a, sizes[t], in_a, over_k)
            lengths[t, 1, replica] = _move(b_t, sizes[t], in_b, over_d)
            _transpose(b_t, b)
            _copy(a, As[t + 1, replica])
            _copy(b, Bs[t + 1, replica])


@_compiled
def mean_slopes(
    W: Floats,
    targets: Floats,
    curvature: float,
    is_small: bool,
    indices: NDArray[np.int64],
    out: Floats,
) -> None:
    """Write the mean of phi'(W - M_i) over each replica's own minibatch, (R, dk), of W and targets
    with rows of dk.
    """
    batch = indices.shape[1]
    for replica in range(len(W)):
        w, total = W[replica], out[replica]
        total[:] = 0
        for i in range(batch):
            _add_slopes(w, targets[indices[replica, i]], curvature, is_small, total)
        for j in range(len(w)):
            total[j] /= batch


@_compiled
def losses(W: Floats, targets: Floats, curvature: float, is_small: bool, out: Floats) -> None:
    """Write f(W), shape (R,), of W and targets with rows of dk."""
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
    left: Floats,
    right: Floats,
    loss: Floats,
    gradient: Floats,
    in_v: Floats,
    in_w: Floats,
) -> None:
    r"""Write f(W), its gradient, and for each i :math:`\|PG_i\|_F^2 + \|G_iQ\|_F^2` and
    :math:`\|G_i\|_F^2`, (R, n).

    W has shape (R, d, k), targets (d, k, n), P as `left` (R, p, d), and the transpose of Q as
    `right` (R, q, k).
    """
    replicas, d, k = W.shape
    samples, p, q = targets.shape[2], left.shape[1], right.shape[1]
    slopes_of = np.empty(d * k * _TILE)
    left_of = np.empty(p * k * _TILE)
    right_of = np.empty(q * _TILE)
    for replica in range(replicas):
        in_v[replica] = 0
        in_w[replica] = 0
        mean, total = gradient[replica].reshape(d * k), 0.0
        mean[:] = 0
        for first in range(0, samples, _TILE):
            width = min(_TILE, samples - first)
            slopes = slopes_of[: d * k * width].reshape(d * k, width)
            square, losses = in_w[replica, first : first + width], np.zeros(width)
            for j in range(d * k):
                w = W[replica, j // k, j % k]
                target = targets[j // k, j % k, first : first + width]
                slope = slopes[j]
                for i in range(width):
                    x = w - target[i]
                    root = _inverse_root(1 + curvature * (x * x), is_small)
                    slope[i] = x * root
                    square[i] += slope[i] * slope[i]
                    losses[i] += x * slope[i] / (1 + root)
                mean[j] += slope.sum() / samples
            total += losses.sum()
            square = in_v[replica, first : first + width]
            on_left = left_of[: p * k * width]
            _multiply(left[replica], slopes.reshape(d, k * width), on_left.reshape(p, k * width))
            _add_squares(on_left.reshape(p * k, width), square)
            on_right = right_of[: q * width].reshape(q, width)
            for row in range(d):
                _multiply(right[replica], slopes[row * k : (row + 1) * k], on_right)
                _add_squares(on_right, square)
        loss[replica] = total / samples


@_part
def _add_squares(X: Floats, total: Floats) -> None:
    """Add the sums of squares over columns."""
    for i in range(X.shape[0]):
        for j in range(X.shape[1]):
            total[j] += X[i, j] * X[i, j]
