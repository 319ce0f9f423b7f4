"""Doors: what lies outside of this package, by its import path or an entry point; and what lies in it, by listing.

Code is run for a text that a person typed, ``module:name`` or ``file.py:name``, and for no other: reading a stored
result or instance opens nothing.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import pkgutil
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import FrameType, ModuleType, TracebackType
from typing import Any, Generic, TypeVar

from boundcheck.errors import CodeError, InputError, raised

T = TypeVar("T")
# The names of modules that were opened.
_opened: set[str] = set()


def is_path(text: object) -> bool:
    """Whether a text is an import path, and no plain name."""
    return isinstance(text, str) and ":" in text


def keeps(made: object, owner: type, *names: str) -> bool:
    """Whether these methods of an object are those of `owner`, and no derived class has others in their place.

    What is computed in another way than by a method stands for that method alone.
    """
    return all(getattr(getattr(made, name), "__func__", None) is getattr(owner, name) for name in names)


def opened(field: str, text: str) -> Any:
    """The object at ``module:name`` or ``folder/file.py:name``, whose module is imported.

    Raises:
        InputError: naming the field, where there is no such thing, or its module does not run.

    """
    place, _, name = text.rpartition(":")
    if not place or not name.isidentifier():
        raise InputError(field, text, "an import path, module:name or file.py:name")
    module = module_at(field, place, text)
    if not hasattr(module, name):
        raise InputError(field, text, f"a name that is in {place}")
    return getattr(module, name)


def module_at(field: str, place: str, text: str = "") -> ModuleType:
    """The module called so, or the one in this file ``folder/file.py``, which is run.

    Args:
        field: that errors name.
        place: where the module is.
        text: what was typed, of which the place is a part; the place itself if left out.

    Raises:
        InputError: naming the field, where there is no such module, or it does not run.

    """
    try:
        found = _file(Path(place)) if place.endswith(".py") else _module(place)
        _opened.add(found.__name__)
        return found
    except InputError:
        raise
    except (Exception, SystemExit) as error:
        raise InputError(field, text or place, f"a module that runs, and not {raised(error)}") from error


@contextmanager
def theirs(tick: Callable[..., Any] | None = None) -> Iterator[None]:
    """Call what may call code of a person's own: words, problems, adapters, sections.

    An error on whose way through the calls lies code from outside is told in one line, with its place. Others are ours,
    and keep their traceback; so does what `tick` raises, by which a person may stop a run.

    Raises:
        CodeError: naming the function, its file and its line.

    """
    try:
        yield
    except (Exception, SystemExit) as error:
        if type(error).__module__.partition(".")[0] == "boundcheck":
            raise
        way = [each for each in _way(error.__traceback__) if _is_outside(each.tb_frame)]
        if not way or way[0].tb_frame.f_code is getattr(tick, "__code__", None):
            raise
        code = way[-1].tb_frame.f_code
        place = f"line {way[-1].tb_lineno} of {Path(code.co_filename).name}"
        raise CodeError(code.co_qualname, place, f"code that runs, and not {raised(error)}") from error


def _way(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def _is_outside(frame: FrameType) -> bool:
    """Whether it is of neither boundcheck nor a library; what was opened as a part of one is a person's own."""
    name = str(frame.f_globals.get("__name__", ""))
    root = name.partition(".")[0]
    # What is generated at run time, by Hypothesis for one, is in no module that is there.
    if root == "boundcheck" or root in sys.stdlib_module_names or name not in sys.modules:
        return False
    installed = {"site-packages", "dist-packages"} & set(Path(frame.f_code.co_filename).parts)
    return not installed or name in _opened


def _module(name: str) -> ModuleType:
    # As for a script, what lies in the current folder is found too; after all else, so that it hides nothing.
    if not {"", str(Path.cwd())} & set(sys.path):
        sys.path.append(str(Path.cwd()))
    return importlib.import_module(name)


def _file(path: Path) -> ModuleType:
    """The module in a file, run once for what the file holds; as a script it may import its neighbours."""
    content = path.read_bytes()
    name = f"{path.stem}_{zlib.crc32(content + str(path.resolve()).encode()):08x}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise ImportError(f"{path} is no Python file")
        sys.modules[name] = importlib.util.module_from_spec(spec)
        if (folder := str(path.resolve().parent)) not in sys.path:
            sys.path.append(folder)
        try:
            spec.loader.exec_module(sys.modules[name])
            _check_neighbours(path.resolve())
        except BaseException:
            del sys.modules[name]
            raise
    return sys.modules[name]


def _check_neighbours(path: Path) -> None:
    """Refuse a file that means its neighbour by a name, and was given another module: another folder's, or a library's.

    Raises:
        ImportError: naming both.

    """
    waiting, known = [path], {path}
    while waiting:
        here = waiting.pop()
        for name in _imports(here):
            neighbour = here.parent / f"{name}.py"
            if name not in sys.modules or not neighbour.is_file():
                continue
            found = getattr(sys.modules[name], "__file__", None)
            if found is None or Path(found).resolve() != neighbour:
                raise ImportError(
                    f"{name} is {found or 'built in'} here, and not {neighbour}, which needs another name"
                )
            waiting += {neighbour} - known
            known.add(neighbour)


def _imports(path: Path) -> set[str]:
    """The first part of the name of each module that a file imports."""
    tree = ast.parse(path.read_bytes())
    found = {each.name for node in ast.walk(tree) if isinstance(node, ast.Import) for each in node.names}
    found |= {x.module for x in ast.walk(tree) if isinstance(x, ast.ImportFrom) and x.module and not x.level}
    return {name.split(".")[0] for name in found}


def listed(package: str, base: Any) -> list[Any]:
    """The classes derived from `base` that the modules of a package define."""
    found: list[Any] = []
    for each in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}."):
        members = vars(importlib.import_module(each.name)).values()
        found += [x for x in members if isinstance(x, type) and issubclass(x, base) and x.__module__ == each.name]
    return [each for each in found if each is not base]


class Registry(Mapping[str, T], Generic[T]):
    """Things by the name that a spec gives them: those of this package, and those from outside that were opened."""

    def __init__(
        self, field: str, group: str, own: Callable[[], Mapping[str, T]], made: Callable[[str, Any], T]
    ) -> None:
        """Look at nothing yet.

        Args:
            field: of a spec that names one.
            group: of entry points.
            own: those of this package, called when one is first asked for.
            made: what is kept of an object from outside, given its name too; raises InputError for what is none.

        """
        self.field, self.group, self._own, self._made = field, group, own, made

    @cached_property
    def _known(self) -> dict[str, T]:
        return dict(self._own())

    def __getitem__(self, name: str) -> T:
        """One that is known; an import path that was not opened is not."""
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        """The names that are known."""
        return iter(self._known)

    def __len__(self) -> int:
        """How many are known."""
        return len(self._known)

    def open(self, name: Any) -> T:
        """One that is known, that an entry point names, or at an import path that a person typed; it is known then.

        Raises:
            InputError: naming the field, for none of these.

        """
        if not isinstance(name, str):
            raise self._unknown(name)
        if name not in self._known:
            self._known[name] = self._made(name, opened(self.field, name) if is_path(name) else self._installed(name))
        return self._known[name]

    def _installed(self, name: str) -> Any:
        from importlib.metadata import entry_points

        for entry in entry_points(group=self.group, name=name):
            return opened(self.field, entry.value)
        raise self._unknown(name)

    def _unknown(self, name: object) -> InputError:
        expected = f"one of {', '.join(map(repr, self._own()))}, or an import path module:name"
        return InputError(self.field, name, expected)
