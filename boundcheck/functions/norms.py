"""Norms and inner products of points and matrices, batched over replicas. Spectral work is done on small matrices."""

import numpy as np
import torch
from torch import Tensor

Point = tuple[Tensor, ...]
"""A point v, or a gradient or direction: its blocks, each of shape (R, rows, columns)."""
State = tuple[Point, ...]
"""The state of an algorithm: points, of which it makes its next iterate."""

# Multiplications in a product of two small matrices.
_SMALL = 2**13


def product(X: Tensor, Y: Tensor) -> Tensor:
    """XY of each pair in a batch. NumPy multiplies small matrices in a third of torch's time on a CPU."""
    is_small = X.shape[-2] * X.shape[-1] * Y.shape[-1] <= _SMALL
    # Never where a derivative of it may be asked for.
    if is_small and torch.is_inference_mode_enabled() and isinstance(X, Tensor) and X.device.type == "cpu":
        # Torch overflows without a word, and NumPy is to do the same.
        with np.errstate(over="ignore", invalid="ignore"):
            return torch.from_numpy(np.matmul(X.numpy(), Y.numpy()))
    return X @ Y


def square_norm(v: Point) -> Tensor:
    """The squared Euclidean norm of a point or gradient, summed over all of its parts: shape (R,)."""
    return torch.stack([part.square().sum((-2, -1)) for part in v]).sum(0)


def lengths(v: Point) -> Tensor:
    """The Frobenius norm of each block of a point or gradient: shape (blocks, R)."""
    return torch.stack([torch.linalg.vector_norm(part, dim=(1, 2)) for part in v])


def inner(u: Point, v: Point) -> Tensor:
    """The Euclidean inner product of two points or gradients, shape (R,)."""
    return torch.stack([(x * y).sum((-2, -1)) for x, y in zip(u, v, strict=True)]).sum(0)


def apart(u: Point, v: Point) -> Point:
    """The difference u - v, in each block."""
    return tuple(x - y for x, y in zip(u, v, strict=True))


def gradient_ratio(v: Point, w: Point, at_v: Point, at_w: Point) -> Tensor:
    r"""The ratio :math:`\|\nabla F(v) - \nabla F(w)\| / \|v - w\|` of each pair, shape (R,); 0 where v = w.

    This is what jiang2024, Lemma 1 bounds: no Lipschitz constant of the gradient of F is less than it.

    The gradients of F at v and w are `at_v` and `at_w`.
    """
    change, distance = square_norm(apart(at_v, at_w)), square_norm(apart(v, w))
    return (change / distance.where(distance > 0, 1.0)).sqrt() * (distance > 0)


def spectral_norm(X: Tensor) -> Tensor:
    """The largest singular value of each matrix in a batch, from the eigenvalues of its smaller Gram matrix.

    The largest singular value loses nothing to squaring, and a rank-r factor costs an r x r eigenproblem. Entries are
    scaled to at most 1 first, so that no square overflows; a matrix with an entry that is no number has norm infinity.
    """
    scaled, scale, lost = _scaled(X)
    gram = scaled @ scaled.mT if X.shape[-2] <= X.shape[-1] else scaled.mT @ scaled
    return torch.where(lost, torch.inf, torch.linalg.eigvalsh(gram)[..., -1].clamp(min=0).sqrt() * scale)


def _scaled(X: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """X with entries at most 1, what they were divided by, and where an entry is no number."""
    size = X.abs().amax((-2, -1))
    lost = ~torch.isfinite(size)
    scale = torch.where(lost | (size == 0), 1.0, size)
    return (X / scale[..., None, None]).nan_to_num(0.0, 0.0, 0.0), scale, lost
