"""A hash of everything that a run can reach: data, and code from outside of this package with all
that it reads.

An installed package is known by its release, Python's own library and what boundcheck rests on by
their names. All else
is looked into: source and code of functions and classes, closures, defaults, the objects of
methods, the globals and imports that code names, attributes of classes, objects and modules. What
cannot be looked into, such as an open file, gets a number of its own each time, so that no result
of another run is taken for this one's. What code reads only while it runs, such as a file or a
variable of the environment, is in no hash.
"""

import dis
import hashlib
import inspect
import os
import sys
import types
import weakref
from _thread import LockType, RLock
from collections.abc import Callable, Iterable, Iterator
from copyreg import dispatch_table
from functools import cache, cached_property
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import sympy as sp

from boundcheck.system.plugins import imported, is_of_an_installation

# What boundcheck rests on, beside Python's own library: a result keeps their versions, and its id
# does not.
_RESTS_ON = (
    "boundcheck",
    "flint",
    "numpy",
    "pandas",
    "peft",
    "scipy",
    "sklearn",
    "sympy",
    "torch",
    "transformers",
)
_PLAIN = frozenset(
    {type(None), type(...), type(NotImplemented), bool, int, float, complex, str, bytes}
)
# What Python keeps in each module or class, and no code reads numbers from.
_KEPT = frozenset(
    [
        *(
            "__doc__",
            "__module__",
            "__name__",
            "__package__",
            "__path__",
            "__file__",
            "__cached__",
            "__spec__",
        ),
        *(
            "__loader__",
            "__builtins__",
            "__warningregistry__",
            "__dict__",
            "__weakref__",
            "__slotnames__",
            "_abc_impl",
        ),
    ]
)
# No length of a part.
_END = b"\xff" * 8


def content_of(thing: Any) -> str:
    """A hash that changes with every number that a thing holds, and with the code from outside that
    it can call.
    """
    digest, look = hashlib.sha256(), _Look()
    open_parts: list[Iterator[Any]] = [iter((thing,))]
    while open_parts:
        part = next(open_parts[-1], _END)
        if part is _END:
            open_parts.pop()
            digest.update(_END)
            continue
        head, inside = look.at(part)
        digest.update(len(head).to_bytes(8, "big"))
        digest.update(head)
        if inside is not None:
            open_parts.append(inside)
    return digest.hexdigest()


class _Look:
    """The things met on the way: each is named by its number when it is met again, so that cycles
    end.
    """

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        # Kept, so that no other thing gets its id.
        self._kept: list[Any] = []
        self._files: set[str] = set()

    def at(self, x: Any) -> tuple[bytes, Iterator[Any] | None]:
        """The bytes by which a thing begins, and what is inside of it, if anything is."""
        if type(x) is bytes:
            # As they are: those of data are long.
            return b"bytes " + x, None
        if type(x) in _PLAIN:
            return f"{type(x).__name__} {x!r}".encode(errors="surrogatepass"), None
        if isinstance(x, sp.Basic):
            # By value: SymPy shares equal expressions or not, as its caches have them.
            return sp.srepr(x).encode(), iter(
                {type(each): None for each in sp.preorder_traversal(x)}
            )
        if (number := self._numbers.setdefault(id(x), len(self._kept))) < len(self._kept):
            return f"again {number}".encode(), None
        self._kept.append(x)
        if known := _known(x):
            return known, None
        name = x.__qualname__ if isinstance(x, type | types.FunctionType) else ""
        return f"{type(x).__qualname__} {name}".encode(), self._inside(x)

    def _inside(self, x: Any) -> Iterator[Any]:
        """The parts of a thing; a number of its own where they cannot be told."""
        try:
            yield from self._parts(x)
        except Exception as error:
            # Whatever its own code raises when it is asked.
            yield from (type(error).__name__, _unlike_any())

    def _parts(self, x: Any) -> Iterator[Any]:
        kind: Any = type(x)
        torch = sys.modules.get("torch")
        if kind in _PARTS:
            yield from _PARTS[kind](x)
        elif isinstance(x, types.ModuleType | type):
            if isinstance(x, types.ModuleType):
                yield from self._source(x.__name__)
            else:
                yield from self._source(x.__module__)
                yield from (*x.__bases__, kind)
            for name, value in list(vars(x).items()):
                if name not in _KEPT:
                    yield from (name, value)
        elif isinstance(x, types.FunctionType):
            home = x.__globals__.get("__name__")
            yield from self._source(home)
            yield from (
                _text(x.__code__),
                x.__defaults__,
                x.__kwdefaults__,
                x.__closure__,
                x.__dict__,
            )
            # The globals of an installed package are known.
            if not _is_installed(home):
                yield from _read_by(x.__code__, x.__globals__)
        elif isinstance(x, np.ndarray | np.generic):
            array = np.asarray(x)
            yield f"{array.dtype} {array.shape}"
            yield array.tolist() if array.dtype.hasobject else np.ascontiguousarray(array).tobytes()
            yield from _held(x)
        elif torch and isinstance(x, torch.Tensor):
            yield from (kind, f"{x.dtype} {tuple(x.shape)} {x.layout} {x.requires_grad}")
            dense = x if x.layout == torch.strided else x.to_dense()
            # As bytes: NumPy does not have all types of torch.
            plain = dense.detach().cpu().resolve_conj().resolve_neg().contiguous()
            yield plain.reshape(-1).view(torch.uint8).numpy().tobytes()
            yield from _held(x)
            yield x._backward_hooks
        elif torch and isinstance(x, torch.Generator):
            yield from (str(x.device), x.get_state())
        else:
            yield from _of_object(x)

    def _source(self, name: str | None) -> Iterator[bytes | str]:
        """The file in which a module from outside was written, once; nothing where there is none,
        as in a notebook.
        """
        file = getattr(sys.modules.get(name or ""), "__file__", None)
        if file and file not in self._files and not _is_installed(name) and Path(file).is_file():
            self._files.add(file)
            yield Path(file).read_bytes()


def _unlike_any() -> bytes:
    return os.urandom(16)


def _known(x: Any) -> bytes:
    """The name of what an installed package has under that name, with its release; nothing for all
    else.
    """
    kind = type(x)
    if isinstance(x, types.ModuleType):
        home, name = x.__name__, ""
    elif isinstance(x, type | types.FunctionType):
        home, name = str(x.__module__), x.__qualname__
        # One may bear the name of what it wraps, or takes the place of.
        if isinstance(x, types.FunctionType) and not _is_installed(x.__globals__.get("__name__")):
            return b""
    elif kind in _PARTS or not _is_installed(kind.__module__):
        return b""
    else:
        # Such as the catalogue, which holds more than what a run is made on, or a constant like
        # torch.float64.
        home = kind.__module__
        name = next((name for name, each in vars(sys.modules[home]).items() if each is x), "")
    if not _is_installed(home):
        return b""
    if not isinstance(x, types.ModuleType):
        found: Any = sys.modules.get(home)
        for each in name.split("."):
            found = getattr(found, "__dict__", {}).get(each)
        if not name or found is not x:
            return b""
    top = home.partition(".")[0]
    # Of our own, the name alone: where it stands in the package is no part of what a run computes.
    return f"{top if top == 'boundcheck' and name else home} {name} ".encode() + _release(top)


def _is_installed(name: str | None) -> bool:
    """True if a module is of this package, of Python's own library, or of an installed package."""
    top = (name or "").partition(".")[0]
    module = sys.modules.get(top)
    if module is None or top == "boundcheck":
        return top == "boundcheck"
    places = [getattr(module, "__file__", None) or "", *getattr(module, "__path__", ())]
    origin = getattr(getattr(module, "__spec__", None), "origin", None)
    return origin in ("built-in", "frozen") or any(
        is_of_an_installation(place) for place in places if place
    )


@cache
def _release(top: str) -> bytes:
    """The digests of all files of an installed package, as its installer wrote them, or its
    version.
    """
    # Deferred: only packages of others need it.
    from importlib.metadata import distribution, packages_distributions

    if top in _RESTS_ON or top in sys.stdlib_module_names:
        return b""
    found = [distribution(each) for each in dict.fromkeys(packages_distributions().get(top, ()))]
    return (
        "".join(each.read_text("RECORD") or each.version for each in found).encode()
        or _unlike_any()
    )


def _text(x: Any) -> str:
    """A constant of code, or code with those inside of it, however Python shares them."""
    if isinstance(x, types.CodeType):
        names = (x.co_names, x.co_varnames, x.co_cellvars, x.co_freevars)
        counts = (x.co_argcount, x.co_posonlyargcount, x.co_kwonlyargcount, x.co_flags)
        return repr(
            (x.co_code, x.co_exceptiontable, *names, *counts, [_text(each) for each in x.co_consts])
        )
    if isinstance(x, tuple | frozenset):
        parts = [_text(each) for each in x]
        return f"{type(x).__name__} {parts if isinstance(x, tuple) else sorted(parts)}"
    return f"{type(x).__name__} {x!r}"


def _read_by(code: types.CodeType, around: dict[str, Any]) -> Iterator[Any]:
    """The globals that code names, its own and that of all functions in it, and the modules that it
    imports.
    """
    constants: list[Any] = []
    for each in dis.get_instructions(code):
        if each.opname in ("LOAD_GLOBAL", "LOAD_NAME") and each.argval in around:
            yield from (each.argval, around[each.argval])
        elif each.opname == "IMPORT_NAME":
            # Its level and the names that it imports are the last constants before it.
            yield from (
                each.argval,
                _imported(each.argval, around, constants[-1] or (), constants[-2]),
            )
        elif each.opname in ("LOAD_CONST", "LOAD_SMALL_INT"):
            constants.append(each.argval)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _read_by(constant, around)


def _imported(name: str, around: dict[str, Any], names: tuple[str, ...], level: int) -> Any:
    """The modules that a statement imports when it is run; the release of an installed one.

    What is from outside is imported now, to be looked into; None where that fails.
    """
    top = name.partition(".")[0]
    if not level:
        spec = None if top in sys.modules else find_spec(top)
        places = [spec.origin or "", *(spec.submodule_search_locations or ())] if spec else []
        if _is_installed(top) or any(map(is_of_an_installation, places)):
            return _release(top)
    try:
        module = imported("." * level + name, around.get("__package__"))
        inside = [f"{module.__name__}.{each}" for each in names if not hasattr(module, each)]
        # The statement gives the name of the package above it to what it imports without names.
        return [
            module,
            sys.modules[module.__name__.partition(".")[0]] if not level else None,
            *map(imported, inside),
        ]
    except (ImportError, SystemExit):
        # As it will when it is run.
        return None


def _of_object(x: Any) -> Iterator[Any]:
    """The class of an object, its attributes, and what it says of itself where it is to be
    copied.
    """
    kind: Any = type(x)
    yield kind
    # Whether a class has an idea of its own of what its objects are made from.
    names = ("__reduce_ex__", "__reduce__", "__getstate__")
    own = kind in dispatch_table or any(
        getattr(kind, name) is not getattr(object, name) for name in names
    )
    is_installed = _is_installed(kind.__module__)
    said = dispatch_table[kind](x) if kind in dispatch_table else x.__reduce_ex__(4)
    if not own or not is_installed or isinstance(said, str):
        yield from _held(x)
    if isinstance(said, str):
        # A global of that name, or what wraps a function, which was held.
        homes = (
            each
            for each in list(sys.modules.values())
            if getattr(each, "__dict__", {}).get(said) is x
        )
        yield from (said, next(homes, None) or getattr(x, "__wrapped__", None) or _unlike_any())
        return
    made, arguments, state, *items = (*said, None, None, None)[:5]
    # The state of what says nothing of it is what was held.
    yield from (made, arguments, state if own else None, *(each and list(each) for each in items))


def _held(x: Any) -> Iterator[Any]:
    """The attributes of an object, without what it computed from the others and kept."""
    for name, value in list(getattr(x, "__dict__", {}).items()):
        if not isinstance(inspect.getattr_static(type(x), name, None), cached_property):
            yield from (name, value)
    for kind in type(x).__mro__:
        for name, each in vars(kind).items():
            if isinstance(each, types.MemberDescriptorType):
                try:
                    yield from (name, each.__get__(x))
                except AttributeError:
                    yield name


def _of_set(x: Any) -> Iterator[Any]:
    plain = all(type(each) in _PLAIN for each in x)
    yield from sorted(x, key=lambda each: (type(each).__name__, repr(each))) if plain else x


def _of_cell(x: types.CellType) -> tuple[Any, ...]:
    try:
        return (x.cell_contents,)
    except ValueError:
        return ()


# What is inside of the kinds that Python itself is made of.
_PARTS: dict[type, Callable[[Any], Iterable[Any]]] = {
    **dict.fromkeys((list, tuple), iter),
    **dict.fromkeys((set, frozenset), _of_set),
    **dict.fromkeys((dict, types.MappingProxyType), lambda x: chain.from_iterable(list(x.items()))),
    **dict.fromkeys(
        (staticmethod, classmethod, types.MethodType),
        lambda x: (x.__func__, getattr(x, "__self__", None)),
    ),
    **dict.fromkeys(
        (types.BuiltinFunctionType, types.MethodWrapperType), lambda x: (x.__name__, x.__self__)
    ),
    # What compiled code has no number in.
    **dict.fromkeys(
        (
            *(
                types.ClassMethodDescriptorType,
                types.GetSetDescriptorType,
                types.MemberDescriptorType,
            ),
            *(types.MethodDescriptorType, types.WrapperDescriptorType),
        ),
        lambda x: (x.__name__,),
    ),
    # A lock holds no number.
    **dict.fromkeys((LockType, type(RLock())), lambda x: ()),
    property: lambda x: (x.fget, x.fset, x.fdel),
    cached_property: lambda x: (x.func,),
    types.CellType: _of_cell,
    types.CodeType: lambda x: (_text(x),),
    weakref.ref: lambda x: (x(),),
}
