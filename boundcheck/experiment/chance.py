"""A test of whether something that training computes is drawn at random: made twice, it differs."""

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from types import FunctionType, MethodType, ModuleType
from typing import Any

import joblib
import numpy as np
import torch
from torch import Tensor

from boundcheck.functions.checks import MARGIN

TIMES = 16
"""The number of times that something is made whose generators move while it stays the same."""
# Containers that are looked into for generators: larger ones are data.
_LARGEST = 1024
_PLAIN = (str, bytes, int, float, complex, type(None), type, ModuleType, Tensor, np.ndarray)


def draws(make: Callable[[], Sequence[Tensor]], *things: Any) -> bool | None:
    """True if tensors that are made again differ by more than rounding.

    They are made from the same state of all generators first, which shows what rounding does where sums have no order.

    Args:
        make: what makes them.
        things: where generators of its own may be.

    Returns:
        None where a generator moved, and still they were the same each time.

    """
    with undisturbed(*things):
        again = make()
    with undisturbed(*things) as generators:
        state, first = _moved(generators), make()
        units = [torch.finfo(x.dtype).eps for x in first if x.is_floating_point()]
        allowed = MARGIN * min(apart(first, again), MARGIN * max(units, default=0.0) * apart(first))
        for _ in range(TIMES):
            if not apart(first, make()) <= allowed:
                return True
            if _moved(generators) == state:
                return False
    return None


def apart(one: Sequence[Tensor], other: Sequence[Tensor] | None = None) -> float:
    """The norm of the difference of two lists of tensors, or of one list; infinity where their shapes differ."""
    if other is None:
        other = [torch.zeros_like(x) for x in one]
    if [x.shape for x in one] != [x.shape for x in other]:
        return math.inf
    pairs = ((x.double(), y.double()) for x, y in zip(one, other, strict=True))
    differences = (torch.where((x == y) | (x.isnan() & y.isnan()), 0.0, x - y) for x, y in pairs)
    return math.hypot(*(torch.linalg.vector_norm(x).item() for x in differences))


@contextmanager
def undisturbed(*things: Any) -> Iterator[list[Any]]:
    """Keep the generators of Python, NumPy and torch, on all devices, and those of some things as they were.

    The things themselves, and what they reach, keep their attributes. The context gives their generators.
    """
    generators, attributes = _reached(things)
    states = _states(generators)
    # NumPy's global generator, which others draw from.
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        with torch.random.fork_rng():
            yield generators
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
        for generator, state in zip(generators, states, strict=True):
            _SETTERS[type(generator)](generator, state)
        for now, before in attributes:
            if now.keys() != before.keys() or any(now[name] is not value for name, value in before.items()):
                now.clear()
                now.update(before)


def _reached(things: Sequence[Any]) -> tuple[list[Any], list[tuple[dict[str, Any], dict[str, Any]]]]:
    """The generators that things, or the code of their classes, reach; and the attributes of what the things reach."""
    waiting, generators, attributes = list(things), [], []
    # Kept, so that no other object gets a place that was looked at.
    seen: dict[int, Any] = {}
    while waiting:
        x = waiting.pop()
        if isinstance(x, _PLAIN) or id(x) in seen:
            continue
        seen[id(x)] = x
        if type(x) in _GETTERS:
            generators.append(x)
        elif isinstance(x, FunctionType):
            # Code may call other code, and draw from what stands beside it.
            named = (x.__globals__.get(name) for name in x.__code__.co_names)
            waiting += [each for each in named if isinstance(each, FunctionType) or type(each) in _GETTERS]
            waiting += [x.__defaults__, x.__kwdefaults__]
            for cell in x.__closure__ or ():
                with suppress(ValueError):
                    waiting.append(cell.cell_contents)
        elif isinstance(x, MethodType):
            waiting += [x.__self__, x.__func__]
        elif isinstance(x, partial):
            waiting += [x.func, x.args, x.keywords]
        elif isinstance(x, Mapping | list | tuple | set):
            waiting += (x.values() if isinstance(x, Mapping) else x) if len(x) <= _LARGEST else ()
        if isinstance(kept := getattr(x, "__dict__", None), dict) and not isinstance(x, FunctionType):
            attributes.append((kept, dict(kept)))
            waiting += kept.values()
            for kind in type(x).__mro__:
                if id(kind) not in seen:
                    seen[id(kind)] = kind
                    waiting += [each for each in vars(kind).values() if isinstance(each, FunctionType)]
    return generators, attributes


_GETTERS: dict[type, Callable[[Any], Any]] = {
    torch.Generator: torch.Generator.get_state,
    np.random.Generator: lambda x: x.bit_generator.state,
    np.random.RandomState: np.random.RandomState.get_state,
    random.Random: random.Random.getstate,
}
_SETTERS: dict[type, Callable[[Any, Any], Any]] = {
    torch.Generator: torch.Generator.set_state,
    np.random.Generator: lambda x, state: setattr(x.bit_generator, "state", state),
    np.random.RandomState: np.random.RandomState.set_state,
    random.Random: random.Random.setstate,
}


def _states(generators: Sequence[Any]) -> list[Any]:
    return [_GETTERS[type(each)](each) for each in generators]


def _moved(generators: Sequence[Any]) -> str:
    """A hash that changes with the state of any of these generators, and of those of Python, NumPy and torch."""
    cuda = torch.cuda.get_rng_state_all()
    states = [random.getstate(), np.random.get_state(), torch.get_rng_state(), *cuda, *_states(generators)]  # noqa: NPY002
    return joblib.hash([x.numpy() if isinstance(x, Tensor) else x for x in states])
