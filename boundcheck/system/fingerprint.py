"""A hash of what a run is made on: its data, and the text of code from outside of this package.

Code from outside is known by the text of its file, or of its notebook's cell, and by what it keeps
or names: closures, defaults, attributes of objects and classes, globals, and modules from outside.
An installed package is known by its release, Python's own library and what boundcheck rests on by
their names. For code whose text cannot be read, and for objects that cannot be looked into, a user
states a version. What code reads or imports for the first time while it runs is in no hash.
"""

import dis
import hashlib
import inspect
import linecache
import sys
import types
import weakref
from _thread import LockType, RLock
from collections.abc import Callable, Iterable, Iterator
from copyreg import dispatch_table
from functools import cache, cached_property
from itertools import chain
from typing import Any

import numpy as np
import sympy as sp

from boundcheck.errors import InputError, raised
from boundcheck.system.plugins import is_of_an_installation

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
# What Python keeps in each class, and no code reads numbers from.
_KEPT = frozenset(
    {"__doc__", "__module__", "__dict__", "__weakref__", "__slotnames__", "_abc_impl"}
)
# No length of a part.
_END = b"\xff" * 8


def content_of(thing: Any, version: str = "") -> str:
    """A hash that changes with every number that a thing holds, and with the code from outside that
    it can call.

    Args:
        thing: anything.
        version: what a user states of code that is in no file, and of what cannot be looked into.

    Raises:
        InputError: asking for a version, where one is needed and there is none.

    """
    digest = hashlib.sha256()
    look = _Look(version)
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

    def __init__(self, version: str) -> None:
        self._version = version
        self._numbers: dict[int, int] = {}
        # Kept, so that no other thing gets its id.
        self._kept: list[Any] = []

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
        """The parts of a thing; the stated version where they cannot be told."""
        try:
            yield from self._parts(x)
        except Exception as error:
            # Whatever its own code raises when it is asked.
            if not self._version:
                name = getattr(x, "__qualname__", type(x).__qualname__)
                raise InputError(
                    "version",
                    "(not given)",
                    'a text such as "1" in the table problem, or of the objective, that you change'
                    f" with the code, since {name} cannot be read ({raised(error)})",
                ) from error
            yield self._version

    def _parts(self, x: Any) -> Iterator[Any]:
        kind: Any = type(x)
        torch = sys.modules.get("torch")
        if kind in _PARTS:
            yield from _PARTS[kind](x)
        elif isinstance(x, types.ModuleType):
            yield _text(x.__file__)
        elif isinstance(x, type):
            yield from (*x.__bases__, kind)
            for name, value in list(vars(x).items()):
                if name not in _KEPT:
                    yield from (name, value)
        elif isinstance(x, types.FunctionType):
            yield from self._function(x)
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

    def _function(self, x: types.FunctionType) -> Iterator[Any]:
        """Data, code and text of a function, and what its code names around it."""
        yield from (x.__defaults__, x.__kwdefaults__, x.__closure__, x.__dict__)
        # Several functions may have one file and one name.
        codes = [x.__code__]
        for code in codes:
            yield from (code.co_qualname, code.co_code, f"{code.co_names} {code.co_flags}")
            for each in code.co_consts:
                if isinstance(each, types.CodeType):
                    codes.append(each)
                else:
                    yield repr(sorted(map(repr, each)) if isinstance(each, frozenset) else each)
        # An installed package is known, with its globals.
        if _is_installed(home := x.__globals__.get("__name__")):
            return
        text = _text(code.co_filename) or _text(x.__globals__.get("__file__")) or self._version
        # What is generated, as for a named tuple, is in no module: its code is all that there is.
        if not text and home in sys.modules:
            raise LookupError(f"{code.co_filename} is no file")
        yield text
        scopes = [x.__globals__]
        for each in chain.from_iterable(map(dis.get_instructions, codes)):
            if each.opname.startswith("IMPORT_"):
                # What it imported when it ran, under a name that may begin where the function is.
                for full, module in sorted(sys.modules.items()):
                    is_meant = f".{full}".endswith(f".{each.argval}")
                    if is_meant or f"{each.argval}.".startswith(f"{full}."):
                        scopes += [] if _is_installed(full) else [{each.argval: module}]
        for scope in scopes:
            for name in dict.fromkeys(name for code in codes for name in code.co_names):
                value = scope.get(name, _END)
                if value is not _END:
                    yield from (name, value)
                if (
                    isinstance(value, types.ModuleType)
                    and not _is_installed(value.__name__)
                    and all(vars(value) is not each for each in scopes)
                ):
                    scopes.append(vars(value))


def _text(file: str | None) -> str:
    """The text of a file, or of a notebook's cell; nothing where there is none."""
    linecache.checkcache(file or "")
    return "".join(linecache.getlines(file or ""))


def _known(x: Any) -> bytes:
    """The name of what an installed package has under that name, with its release; nothing for all
    else.
    """
    kind = type(x)
    if isinstance(x, types.ModuleType):
        home = x.__name__
        name = ""
    elif isinstance(x, type | types.FunctionType):
        home = str(x.__module__)
        name = x.__qualname__
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
    if not found:
        raise InputError("package", top, "one that was installed, with its metadata")
    return "".join(each.read_text("RECORD") or each.version for each in found).encode()


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
        yield from (said, next(homes, None) or x.__wrapped__)
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


# What is inside of the kinds that Python itself is made of.
_PARTS: dict[type, Callable[[Any], Iterable[Any]]] = {
    **dict.fromkeys((list, tuple), iter),
    **dict.fromkeys((set, frozenset), _of_set),
    **dict.fromkeys((dict, types.MappingProxyType), lambda x: chain.from_iterable(list(x.items()))),
    **dict.fromkeys(
        (staticmethod, classmethod, types.MethodType),
        lambda x: (x.__func__, getattr(x, "__self__", None)),
    ),
    types.BuiltinFunctionType: lambda x: (x.__name__, x.__self__),
    # No number is in these.
    **dict.fromkeys(
        (LockType, type(RLock()), types.GetSetDescriptorType, types.MemberDescriptorType),
        lambda x: (),
    ),
    property: lambda x: (x.fget, x.fset, x.fdel),
    cached_property: lambda x: (x.func,),
    types.CellType: lambda x: (x.cell_contents,),
    weakref.ref: lambda x: (x(),),
}
