"""A hash of what a run is made on: data, frozen matrices, W0, and code from outside of this package."""

import hashlib
import inspect
import json
import sys
from collections.abc import Iterator, Mapping
from functools import cached_property, partial
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
import sympy as sp
import torch

from boundcheck.errors import InputError

# The code of this package has a version of its own, and what these are is known by theirs.
_KNOWN = ("boundcheck", "builtins", "functools", "math", "numpy", "peft", "torch", "transformers")
_PLAIN = (type(None), bool, int, float, complex, str, bytes)


def content_of(thing: Any) -> str:
    """A hash that changes with every number that a thing holds, and with the source of what is from outside.

    Raises:
        InputError: for what it holds whose content cannot be told.

    """
    digest = hashlib.sha256()
    seen: dict[int, Any] = {}
    for part in _parts(thing, seen):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def _parts(x: Any, seen: dict[int, Any]) -> Iterator[bytes]:
    """The bytes that a thing consists of; what was met before is named by its number, so that cycles end."""
    if isinstance(x, _PLAIN):
        yield f"{type(x).__name__} {x!r}".encode()
        return
    if id(x) in seen:
        yield f"again {list(seen).index(id(x))}".encode()
        return
    # Kept, so that no other thing gets its id.
    seen[id(x)] = x
    if isinstance(x, torch.Tensor | np.ndarray):
        array = np.asarray(_bits(x) if isinstance(x, torch.Tensor) else x)
        if array.dtype.hasobject:
            array = np.array([repr(each) for each in array.flat])
        yield f"array {array.dtype} {array.shape}".encode()
        yield np.ascontiguousarray(array).tobytes()
        return
    yield _name_of(x).encode()
    for part in _inside(x):
        yield from _parts(part, seen)


def _bits(x: torch.Tensor) -> np.ndarray:
    plain = x.detach().cpu().contiguous()
    # NumPy does not have all types of torch.
    found: np.ndarray = (plain.view(torch.int16) if plain.dtype == torch.bfloat16 else plain).numpy()
    return found


def _name_of(x: Any) -> str:
    named = x if isinstance(x, type | FunctionType | BuiltinFunctionType | ModuleType) else type(x)
    return f"{getattr(named, '__module__', '')} {getattr(named, '__qualname__', named)}"


def _inside(x: Any) -> Iterator[Any]:
    """What a thing consists of."""
    if isinstance(x, Mapping):
        yield from (each for pair in x.items() for each in pair)
    elif isinstance(x, list | tuple):
        yield from x
    elif isinstance(x, set | frozenset):
        yield from sorted(x, key=repr)
    elif isinstance(x, sp.Basic):
        yield sp.srepr(x)
    elif isinstance(x, ModuleType | BuiltinFunctionType | torch.dtype | torch.device | np.dtype):
        yield str(x) if not isinstance(x, ModuleType) else x.__name__
    elif isinstance(x, partial):
        yield from (x.func, x.args, x.keywords)
    elif isinstance(x, MethodType):
        yield from (x.__func__, x.__self__)
    elif isinstance(x, FunctionType):
        yield from _of_function(x)
    elif isinstance(x, CodeType):
        yield from (x.co_code, x.co_names, *x.co_consts)
    elif isinstance(x, type):
        yield from _of_class(x)
    elif isinstance(x, torch.nn.Module):
        yield from (type(x), x.training, dict(x.state_dict()))
    elif isinstance(x, torch.Generator):
        yield x.get_state()
    else:
        yield type(x)
        yield from _held(x)


def _held(x: Any) -> Iterator[Any]:
    """The attributes of an object, without what it computed from the others and kept."""
    if not hasattr(x, "__dict__") and not hasattr(type(x), "__slots__"):
        try:
            yield json.dumps(x, default=repr)
        except (TypeError, ValueError):
            raise InputError("problem", type(x).__name__, "what has numbers and code that can be hashed") from None
    slots = (name for kind in type(x).__mro__ for name in getattr(kind, "__slots__", ()))
    for name in (*getattr(x, "__dict__", ()), *slots):
        if hasattr(x, name) and not isinstance(getattr(type(x), name, None), cached_property):
            yield from (name, getattr(x, name))


def _is_known(x: Any) -> bool:
    return str(getattr(x, "__module__", "")).partition(".")[0] in _KNOWN


def _source(x: Any) -> bytes:
    """The file in which something from outside was written; nothing where there is none, as in a notebook."""
    file = getattr(sys.modules.get(x.__module__ or ""), "__file__", None)
    return Path(file).read_bytes() if file and Path(file).is_file() else b""


def _of_function(x: FunctionType) -> Iterator[Any]:
    """Its file and its code, and what it takes from around it."""
    if _is_known(x):
        return
    yield from (_source(x), x.__code__, x.__defaults__, x.__kwdefaults__, inspect.getclosurevars(x).nonlocals)
    found = inspect.getclosurevars(x).globals
    yield dict(sorted(found.items()))


def _of_class(x: type) -> Iterator[Any]:
    for each in x.__mro__:
        if not _is_known(each):
            yield from (each.__qualname__, _source(each))
            if not _source(each):
                yield from (value for _, value in sorted(vars(each).items()) if isinstance(value, FunctionType))
