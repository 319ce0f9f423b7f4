"""Points v and their norms, batched over replicas; and how an ensemble is computed in parts.

Temporaries are made for a block of replicas that a core's cache holds, or one block for each core.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

Bounds = tuple[Tensor, Tensor]
"""Bounds on the rounding errors of a loss, and of its gradient, of shape (R,)."""
Point = tuple[Tensor, ...]
"""A point v, or a gradient or direction: its blocks, each of shape (R, rows, columns)."""
State = tuple[Point, ...]
"""The state of an algorithm: points, of which it makes its next iterate."""

# Twice the unit roundoff of float64: what bounds on rounding errors are counted in, with that
# factor to spare.
EPSILON = 2.0**-52
# Covers the rounding of the few float operations of a bound.
ROUND_UP = 1 + 2.0**-40
# Multiplications in a product of two small matrices.
_SMALL = 2**13


def seeded(seed: int, device: str = "cpu") -> torch.Generator:
    """A generator on `device`, at the start of the numbers of this seed."""
    return torch.Generator(device).manual_seed(seed)


def product(X: Tensor, Y: Tensor) -> Tensor:
    """XY of each pair in a batch. NumPy multiplies small matrices in a third of torch's time on a
    CPU.
    """
    is_small = X.shape[-2] * X.shape[-1] * Y.shape[-1] <= _SMALL
    # Never where a derivative of it may be asked for.
    if (
        is_small
        and torch.is_inference_mode_enabled()
        and isinstance(X, Tensor)
        and X.device.type == "cpu"
    ):
        # Torch overflows without a word, and NumPy is to do the same.
        with np.errstate(over="ignore", invalid="ignore"):
            return torch.from_numpy(np.matmul(X.numpy(), Y.numpy()))
    return X @ Y


def square_norm(v: Point) -> Tensor:
    """The squared Euclidean norm of a point or gradient, summed over all of its parts: shape
    (R,).
    """
    return torch.stack([part.square().sum((-2, -1)) for part in v]).sum(0)


def euclidean_norm(v: Point) -> Tensor:
    """The root of `square_norm`, shape (R,)."""
    return square_norm(v).sqrt()


def lengths(v: Point) -> Tensor:
    """The Frobenius norm of each block of a point or gradient: shape (blocks, R)."""
    return torch.stack([torch.linalg.vector_norm(part, dim=(1, 2)) for part in v])


def inner(u: Point, v: Point) -> Tensor:
    """The Euclidean inner product of two points or gradients, shape (R,)."""
    return torch.stack([(x * y).sum((-2, -1)) for x, y in zip(u, v, strict=True)]).sum(0)


def apart(u: Point, v: Point) -> Point:
    """The difference u - v, in each block."""
    return tuple(x - y for x, y in zip(u, v, strict=True))


def moved(v: Point, u: Point) -> Point:
    """The sum v + u, in each block."""
    return tuple(x + y for x, y in zip(v, u, strict=True))


def replica(v: Point, i: int) -> Point:
    """The point of one replica, with R = 1."""
    return tuple(part[i : i + 1] for part in v)


def joined(points: Iterable[Point]) -> Point:
    """The replicas of several points, one after the other."""
    return tuple(torch.cat(parts) for parts in zip(*points, strict=True))


def replicate(v: Point, replicas: int) -> Point:
    """A point with R = 1, repeated for every replica."""
    return tuple(part.expand(replicas, -1, -1).clone() for part in v)


def gradient_ratio(v: Point, w: Point, at_v: Point, at_w: Point) -> Tensor:
    r"""The ratio :math:`\|\nabla F(v) - \nabla F(w)\| / \|v - w\|` of each pair, shape (R,); 0
    where v = w.

    This is what jiang2024, Lemma 1 bounds: no Lipschitz constant of the gradient of F is less than
    it. The gradients of F at v and w are `at_v` and `at_w`.
    """
    change = square_norm(apart(at_v, at_w))
    distance = square_norm(apart(v, w))
    return (change / distance.where(distance > 0, 1.0)).sqrt() * (distance > 0)


def spectral_norm(X: Tensor) -> Tensor:
    """The largest singular value of each matrix in a batch, from the eigenvalues of its smaller
    Gram matrix.

    The largest singular value loses nothing to squaring, and a rank-r factor costs an r x r
    eigenproblem. Entries are scaled to at most 1 first, so that no square overflows; a matrix with
    an entry that is no number has norm infinity.
    """
    size = X.abs().amax((-2, -1))
    lost = ~torch.isfinite(size)
    scale = torch.where(lost | (size == 0), 1.0, size)
    scaled = (X / scale[..., None, None]).nan_to_num(0.0, 0.0, 0.0)
    gram = scaled @ scaled.mT if X.shape[-2] <= X.shape[-1] else scaled.mT @ scaled
    return torch.where(
        lost, torch.inf, torch.linalg.eigvalsh(gram)[..., -1].clamp(min=0).sqrt() * scale
    )


# Numbers in a temporary of a block: for each core what its cache holds a few of, on an accelerator
# what memory does.
_CACHE = 2**18
_MEMORY = 2**26
# The threads that there are where torch uses fewer.
_THREADS: ContextVar[int | None] = ContextVar("threads", default=None)

Result = TypeVar("Result")
Results = TypeVar("Results", bound=Tensor | tuple[Tensor, ...])


def at_once(device: torch.device) -> int:
    """The size of a temporary, in numbers, where there are several replicas."""
    return _CACHE * torch.get_num_threads() if device.type == "cpu" else _MEMORY


def in_blocks(f: Callable[[slice], Results], W: Tensor, numbers: int) -> Results:
    """Join what f gives for blocks of the replicas of W, each with temporaries of `numbers` numbers
    a replica.

    Results are tensors of shape (R, ...), or tuples of them, with names or without.
    """
    size = max(at_once(W.device) // numbers, 1)
    if len(W) <= size:
        return f(slice(None))
    parts = [f(slice(begin, begin + size)) for begin in range(0, len(W), size)]
    first = parts[0]
    # Mypy does not narrow a type variable: that all parts are of one type stands in the signature.
    if isinstance(first, Tensor):
        return torch.cat(parts)  # type: ignore[arg-type,return-value]
    make: Any = getattr(type(first), "_make", tuple)
    return make(torch.cat(column) for column in zip(*parts, strict=True))


def in_parts(replicas: int, count: int) -> list[slice]:
    """The replicas in `count` parts, or in one part each if there are fewer, as even as integers
    can be.
    """
    count = min(count, replicas)
    return [slice(replicas * i // count, replicas * (i + 1) // count) for i in range(count)]


def cores() -> int:
    """The number of threads that can compute at once, each as torch does now; 1 inside one of
    them.
    """
    return max((_THREADS.get() or 1) // torch.get_num_threads(), 1)


def on_cores(work: Callable[[slice], Result], parts: Sequence[slice]) -> list[Result]:
    """Do the work for parts of the replicas with the threads that torch leaves idle, in the
    inference mode of this one.

    It has to be work that threads may do at once. If its numbers depend on which replicas are
    computed together, the parts must not depend on how many threads there are.
    """
    threads = cores()
    is_inference = torch.is_inference_mode_enabled()

    def done(part: slice) -> Result:
        with torch.inference_mode(is_inference):
            return work(part)

    if min(threads, len(parts)) == 1:
        return [work(part) for part in parts]
    return list(_pool(threads).map(done, parts))


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, "replicas")


# A process that is forked off has none of the threads.
os.register_at_fork(after_in_child=_pool.cache_clear)


@contextmanager
def at_most(threads: int | None) -> Iterator[None]:
    """Let torch compute with at most so many CPU threads, or with as many as there are where it is
    None.
    """
    before = torch.get_num_threads()
    if threads is None or threads >= before:
        yield
        return
    torch.set_num_threads(threads)
    token = _THREADS.set(before)
    try:
        yield
    finally:
        _THREADS.reset(token)
        torch.set_num_threads(before)
