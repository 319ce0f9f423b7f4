"""A CUDA device where there is none: numbers are computed on the CPU, and devices are told apart as torch does.

Torch's own FakeTensorMode has shapes and no numbers, so that nothing which looks at a number runs in it; and in a build
for the CPU it takes no derivative, and does not index. Here all of a run is run, and its numbers can be compared.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

import boundcheck

CUDA, NAME = torch.device("cuda:0"), "no real device"
Crossed = Counter[tuple[str, str]]
"""How often numbers crossed, by file and function of boundcheck, and by what was called."""
_ROOT = str(Path(boundcheck.__file__).parent) + "/"

# What has a number of a tensor as its result, for which a processor waits until the device has it.
_NUMBERS = {"item", "tolist", "__bool__", "__float__", "__int__", "__index__", "equal", "allclose", "is_nonzero"}
# What has a result whose shape depends on numbers, and waits as well.
_SHAPES = {"nonzero", "masked_select", "bincount", "unique", "repeat_interleave"}
# What brings numbers from one device to another one, or has nothing to do with where they are.
_BETWEEN = {"copy_", "data.__set__", "grad.__set__", "_has_compatible_shallow_copy_type", "grad", "backward"}
# What joins tensors; elsewhere a number that is a tensor of the CPU may stand beside those of a device.
_JOINS = {"stack", "cat", "concat", "concatenate", "hstack", "vstack"}


class PretendedCuda(TorchFunctionMode):
    """While it is on, tensors made for ``cuda`` say that they are there, and mix with none of the CPU.

    A tensor is there if its memory is marked; so views, parameters, and what `torch.func` wraps are there with it.

    Attributes:
        crossings: how often numbers came back, or indices went there.

    """

    def __init__(self) -> None:
        super().__init__()
        self.crossings: Crossed = Counter()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Refuse what torch refuses; else compute, and mark the result."""
        kwargs = kwargs or {}
        name = _name(func)
        if name in _ANSWERS and is_there(args[0]):
            return _ANSWERS[name]
        if name == "_parse_to" and args and is_there(args[0]):
            return CUDA, *func(*args, **kwargs)[1:]
        if name in ("to", "cpu", "cuda"):
            return self._moved(func, name, *args, **kwargs)
        tensors = list(_tensors((args, kwargs)))
        there = [x for x in tensors if is_there(x)]
        device = kwargs.get("device")
        if there:
            self._check(name, args, tensors, there)
        on = bool(there) if device is None else torch.device(device).type == "cuda"
        _check_generator((args, kwargs), on)
        if on and device is not None:
            kwargs = kwargs | {"device": "cpu"}
        found = func(*args, **kwargs)
        if name == "grad":
            # A gradient is where the tensor is in which it was taken.
            inputs = kwargs["inputs"] if "inputs" in kwargs else args[1]
            for x, y in zip(_tensors((inputs,)), found, strict=True):
                if y is not None and is_there(x):
                    _mark(y)
            return found
        if on and name == "as_tensor" and not there:
            # It does not share memory with what it is made from.
            found = found.clone()
        if on and name not in _BETWEEN:
            for x in _tensors((found,)):
                _mark(x)
        return found

    def _check(self, name: str, args: Any, tensors: list[Tensor], there: list[Tensor]) -> None:
        """Refuse a mix of devices, and note what crosses."""
        if name in ("numpy", "__array__"):
            raise TypeError(f"can't convert {CUDA} device type tensor to numpy. Use Tensor.cpu() first")
        if name in _NUMBERS or (name in ("tensor", "as_tensor") and not isinstance(args[0], Tensor)):
            self._cross(name)
        indexed = name in ("__getitem__", "__setitem__")
        if indexed:
            self._index(name, args)
            tensors = [args[0], *_tensors(args[2:])]
            if not is_there(args[0]):
                raise RuntimeError("indices should be either on cpu or on the same device as the indexed tensor (cpu)")
        elif name in _SHAPES:
            self._cross(name)
        others = [x for x in tensors if not is_there(x) and (x.ndim > 0 or name in _JOINS)]
        if name == "copy_" and others:
            self._cross(name)
        elif others and name not in _BETWEEN:
            raise RuntimeError(f"Expected all tensors to be on the same device, but {name} was given {CUDA} and cpu")
        elif name == "untyped_storage":
            # As torch.save does.
            self._cross(name)

    def _index(self, name: str, args: Any) -> None:
        places = args[1] if isinstance(args[1], tuple) else (args[1],)
        if any(isinstance(x, list | np.ndarray) or (isinstance(x, Tensor) and not is_there(x)) for x in places):
            self._cross(f"{name} by the CPU's")
        if any(isinstance(x, Tensor) and x.dtype == torch.bool for x in places) and name == "__getitem__":
            self._cross(f"{name} by truth")

    def _moved(self, func: Any, name: str, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """What `to`, `cpu` and `cuda` give."""
        before = is_there(x)
        if name == "to" and args and isinstance(args[0], Tensor):
            args, kwargs = (
                (),
                kwargs | {"device": CUDA if is_there(args[0]) else args[0].device, "dtype": args[0].dtype},
            )
        if name == "to":
            device, dtype, *_ = torch._C._nn._parse_to(*args, **{k: v for k, v in kwargs.items() if k != "copy"})
        else:
            device, dtype = torch.device(name), None
        after = before if device is None else device.type == "cuda"
        if device is not None and device.type not in ("cpu", "cuda"):
            return func(x, *args, **kwargs)
        found = x.to(dtype) if dtype is not None else x
        if kwargs.get("copy") and found is x:
            found = x.clone()
        if before != after:
            self._cross("to the device" if after else "to the CPU")
            found = found.clone() if found is x else found
        return _mark(found) if after else found

    def _cross(self, what: str) -> None:
        self.crossings[_place(), what] += 1


def is_there(x: Any) -> bool:
    """Whether it is a tensor on the device."""
    return isinstance(x, Tensor) and getattr(_memory(x), "there", False)


def _mark(x: Tensor) -> Tensor:
    _memory(x).there = True
    return x


def _memory(x: Tensor) -> torch.UntypedStorage:
    while torch._C._functorch.is_functorch_wrapped_tensor(x):
        x = torch._C._functorch.get_unwrapped(x)
    return x.untyped_storage()


_ANSWERS = {"device.__get__": CUDA, "is_cuda.__get__": True, "is_cpu.__get__": False}


def _name(func: Any) -> str:
    """That of a function or method; of a property its own, and what is done."""
    of = getattr(func, "__self__", None)
    if func.__name__ in ("__get__", "__set__"):
        return f"{of.__name__}.{func.__name__}"
    return str(func.__name__)


def _tensors(values: Any) -> Iterator[Tensor]:
    for x in values.values() if isinstance(values, dict) else values:
        if isinstance(x, Tensor):
            yield x
        elif isinstance(x, tuple | list | dict):
            yield from _tensors(x)


def _check_generator(given: Any, on: bool) -> None:
    for values in given:
        for x in values.values() if isinstance(values, dict) else values:
            if isinstance(x, torch.Generator) and (x.device.type == "cuda") != on:
                wanted = "cuda" if on else "cpu"
                raise RuntimeError(f"Expected a '{wanted}' device type for generator but found '{x.device.type}'")


def _place() -> str:
    """File and function of boundcheck from which torch was called."""
    frame: Any = sys._getframe(1)
    while frame is not None and not frame.f_code.co_filename.startswith(_ROOT):
        frame = frame.f_back
    if frame is None:
        return "outside"
    return f"{frame.f_code.co_filename.removeprefix(_ROOT)} {frame.f_code.co_qualname.partition('.<locals>')[0]}"


class _Generator(torch.Generator):
    """One that says where it is: its numbers are the CPU's."""

    def __new__(cls, device: Any = "cpu") -> "_Generator":
        made: _Generator = super().__new__(cls, "cpu")
        made._at = CUDA if torch.device(device).type == "cuda" else torch.device(device)
        return made

    @property
    def device(self) -> torch.device:
        return self._at


@contextmanager
def pretended_cuda() -> Iterator[PretendedCuda]:
    """Have a device ``cuda``; what is drawn has to be drawn from a generator that was given.

    Raises:
        AssertionError: where torch's own generator was used.

    """
    stand_ins: dict[str, Callable[..., Any]] = {
        "get_device_name": lambda *_: NAME,
        "reset_peak_memory_stats": lambda *_: None,
        "synchronize": lambda *_: None,
        "max_memory_allocated": lambda *_: 2**20,
        "get_rng_state": lambda *_: torch.empty(0),
        "set_rng_state": lambda *_: None,
    }
    before = torch.get_rng_state()
    patched = mock.patch.multiple(torch.cuda, **stand_ins), mock.patch("torch.Generator", _Generator)
    with patched[0], patched[1], PretendedCuda() as pretended:
        yield pretended
    assert torch.equal(before, torch.get_rng_state()), "torch's own generator was used"
