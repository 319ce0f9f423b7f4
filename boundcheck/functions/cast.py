"""A problem in another floating-point type, or on another device: what its computations lose in float32, or on CUDA."""

import copy
from typing import TypeVar

import torch
from torch import Tensor

from boundcheck.functions.adapters import Adapter

Thing = TypeVar("Thing")


def cast_to(thing: Thing, dtype: torch.dtype, device: str) -> Thing:
    """A copy of a problem, objective or adapter with its tensors on this device, the floating ones in this type.

    Its constants stay what they are: those of the float64 original.
    """
    made = copy.copy(thing)
    for name, value in vars(thing).items():
        if isinstance(value, Tensor):
            kept = value.to(device, dtype) if value.is_floating_point() else value.to(device)
            object.__setattr__(made, name, kept)
        elif isinstance(value, Adapter) or hasattr(value, "sample_gradients"):
            object.__setattr__(made, name, cast_to(value, dtype, device))
        elif isinstance(value, tuple) and all(hasattr(x, "sample_gradients") for x in value):
            object.__setattr__(made, name, tuple(cast_to(x, dtype, device) for x in value))
    return made
