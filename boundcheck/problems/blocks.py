"""Arithmetic on an ensemble in blocks of replicas, whose temporaries a core's cache holds."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
    size = max(at_once(W.device) // numbers, 1)
    if len(W) <= size:
        return f(slice(None))
    parts = [f(slice(begin, begin + size)) for begin in range(0, len(W), size)]
    first = parts[0]
    if isinstance(first, Tensor):
        return torch.cat(parts)  # type: ignore[arg-type,return-value]
    return type(first)(*(torch.cat(column) for column in zip(*parts, strict=True)))


def at_once(device: torch.device) -> int:
    """Numbers of a temporary, where there are several replicas."""
    return _CACHE * torch.get_num_threads() if device.type == "cpu" else _MEMORY


@contextmanager
def at_most(threads: int | None) -> Iterator[None]:
    """Compute with at most so many CPU threads, or with as many as there are where it is None."""
    before = torch.get_num_threads()
    if threads is None or threads >= before:
        yield
        return
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
