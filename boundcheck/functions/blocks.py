"""Arithmetic on an ensemble in blocks of replicas, whose temporaries a core's cache holds, or in one for each core."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import TypeVar

import torch
from torch import Tensor

# Numbers in a temporary of a block: for each core what its cache holds a few of, on an accelerator what memory does.
_CACHE, _MEMORY = 2**18, 2**26

Result = TypeVar("Result")
Results = TypeVar("Results", bound=Tensor | tuple[Tensor, ...])


def in_blocks(f: Callable[[slice], Results], W: Tensor, numbers: int) -> Results:
    """Join what f gives for blocks of the replicas of W, each with temporaries of `numbers` numbers a replica.

    Results are tensors of shape (R, ...), or named tuples of them.
    """
    size = max(at_once(W.device) // numbers, 1)
    if len(W) <= size:
        return f(slice(None))
    parts = [f(slice(begin, begin + size)) for begin in range(0, len(W), size)]
    first = parts[0]
    # Mypy does not narrow a type variable: that all parts are of one type stands in the signature.
    if isinstance(first, Tensor):
        return torch.cat(parts)  # type: ignore[arg-type,return-value]
    return type(first)(*(torch.cat(column) for column in zip(*parts, strict=True)))


def at_once(device: torch.device) -> int:
    """The size of a temporary, in numbers, where there are several replicas."""
    return _CACHE * torch.get_num_threads() if device.type == "cpu" else _MEMORY


# The threads that there are where torch uses fewer.
_THREADS: ContextVar[int | None] = ContextVar("threads", default=None)


def on_cores(work: Callable[[slice], Result], parts: Sequence[slice]) -> list[Result]:
    """Do the work for parts of the replicas with the threads that torch leaves idle, in the inference mode of this one.

    It has to be work that threads may do at once. If its numbers depend on which replicas are computed together, the
    parts must not depend on how many threads there are.
    """
    threads, is_inference = cores(), torch.is_inference_mode_enabled()

    def done(part: slice) -> Result:
        with torch.inference_mode(is_inference):
            return work(part)

    if min(threads, len(parts)) == 1:
        return [work(part) for part in parts]
    return list(_pool(threads).map(done, parts))


def cores() -> int:
    """The number of threads that can compute at once, each as torch does now; 1 inside one of them."""
    return max((_THREADS.get() or 1) // torch.get_num_threads(), 1)


def in_parts(replicas: int, count: int) -> list[slice]:
    """The replicas in `count` parts, or in one part each if there are fewer, as even as integers can be."""
    count = min(count, replicas)
    return [slice(replicas * i // count, replicas * (i + 1) // count) for i in range(count)]


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, "replicas")


# A process that is forked off has none of the threads.
os.register_at_fork(after_in_child=_pool.cache_clear)


@contextmanager
def at_most(threads: int | None) -> Iterator[None]:
    """Let torch compute with at most so many CPU threads, or with as many as there are where it is None."""
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
