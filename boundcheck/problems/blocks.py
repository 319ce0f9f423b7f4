"""Arithmetic on an ensemble in blocks of replicas, whose temporaries a core's cache holds."""

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor

# Numbers in each temporary of a block.
_CACHE = 2**16

Results = TypeVar("Results", bound=Tensor | tuple[Tensor, ...])


def in_blocks(f: Callable[[slice], Results], replicas: int, numbers: int) -> Results:
    """Join what f gives for blocks of replicas, each with temporaries of `numbers` numbers a replica.

    Results are tensors of shape (R, ...), or tuples of them.
    """
    size = max(_CACHE // numbers, 1)
    if replicas <= size:
        return f(slice(None))
    parts = [f(slice(begin, begin + size)) for begin in range(0, replicas, size)]
    first = parts[0]
    if isinstance(first, Tensor):
        return torch.cat(parts)  # type: ignore[arg-type,return-value]
    joined = [torch.cat(column) for column in zip(*parts, strict=True)]
    return type(first)._make(joined) if hasattr(first, "_make") else tuple(joined)  # type: ignore[return-value]
