"""Arithmetic on an ensemble in blocks of replicas, whose temporaries a core's cache holds, or in one for each core."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from itertools import pairwise
from typing import TypeVar

import torch
from torch import Tensor

# Numbers in a temporary of a block: for each core what its cache holds a few of, on an accelerator what memory does.
_CACHE, _MEMORY = 2**18, 2**26

Results = TypeVar("Results", bound=Tensor | tuple[Tensor, ...])


def in_blocks(f: Callable[[slice], Results], W: Tensor, numbers: int) -> Results:
    """Join what f gives for blocks of the replicas of W, each with temporaries of `numbers` numbers a replica.

    Results are tensors of shape (R, ...), or named tuples of them.
    """
    limit = _CACHE * torch.get_num_threads() if W.device.type == "cpu" else _MEMORY
    size = max(limit // numbers, 1)
    if len(W) <= size:
        return f(slice(None))
    parts = [f(slice(begin, begin + size)) for begin in range(0, len(W), size)]
    first = parts[0]
    if isinstance(first, Tensor):
        return torch.cat(parts)  # type: ignore[arg-type,return-value]
    return type(first)(*(torch.cat(column) for column in zip(*parts, strict=True)))


# The threads that there are where torch uses fewer.
_THREADS: ContextVar[int | None] = ContextVar("threads", default=None)


def on_cores(work: Callable[[slice], None], replicas: int) -> None:
    """Do the work of all replicas: each thread that there is has a part of them, as even as integers can be.

    It is for loops that let go of the interpreter, whose numbers do not depend on which replicas are computed together.
    """
    threads = min(_THREADS.get() or torch.get_num_threads(), replicas)
    edges = [replicas * i // threads for i in range(threads + 1)]
    first, *others = (slice(begin, end) for begin, end in pairwise(edges))
    waiting = [_pool(threads - 1).submit(work, part) for part in others]
    work(first)
    for each in waiting:
        each.result()


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
