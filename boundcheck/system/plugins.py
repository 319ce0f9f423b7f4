"""Doors: what lies outside of this package, by its import path or an entry point; and what lies in
it, by listing.

A path in a file opens code only at or under a path that a person allows: one that was typed
(`--allow-code`, or a file or folder that is itself an argument), and the caller's from Python.
Nothing is allowed where nobody said so. Python's own modules are never opened, and of installed
packages those alone that register an entry point. A place is found without running anything, and
reading a stored result or instance opens nothing.
"""

import ast
import importlib
import importlib.machinery
import importlib.util
import os
import pkgutil
import re
import shlex
import site
import sys
import sysconfig
import zlib
from collections import UserDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, cached_property
from pathlib import Path
from traceback import walk_tb
from types import FrameType, ModuleType
from typing import Any, Generic, TypeVar

from boundcheck.errors import CodeError, InputError, did_you_mean, raised
from boundcheck.system.files import path_from_here

T = TypeVar("T")
# The names of modules that were opened; the folders in which their neighbours lie; and what may be
# opened now.
_opened: set[str] = set()
_homes: set[Path] = set()
_allowed: ContextVar[tuple[Path, ...]] = ContextVar("allowed", default=())


def is_path(text: object) -> bool:
    """True if a text is an import path, and no plain name."""
    return isinstance(text, str) and ":" in text


def is_ours(made: object) -> bool:
    """True if an object's class is of this package: nobody has proved what one from outside says of
    itself.
    """
    return type(made).__module__.partition(".")[0] == "boundcheck"


def keeps(made: object, owner: type, *names: str) -> bool:
    """True if these methods of an object are those of `owner`, and no derived class has others in
    their place.

    Another way to compute what a method does stands for that method alone.
    """
    return all(
        getattr(getattr(made, name), "__func__", None) is getattr(owner, name) for name in names
    )


def allowed() -> tuple[Path, ...]:
    """The files and folders from which import paths may open code now; another process is handed
    them.
    """
    return _allowed.get()


@contextmanager
def allowing(*paths: str | Path) -> Iterator[None]:
    """Let import paths open code in these files, and in files under these folders, wherever a link
    leads.

    Raises InputError for one that is not there.
    """
    for path in paths:
        if not os.path.exists(path):
            raise InputError("allow_code", path, "a file, or a folder, that is there")
    before = _allowed.set((*allowed(), *(Path(path).resolve() for path in paths)))
    try:
        yield
    finally:
        _allowed.reset(before)


def as_options(paths: Iterable[str | Path]) -> list[str]:
    """The options that allow these paths, for a command that is typed again from here."""
    return [word for path in paths for word in ("--allow-code", path_from_here(Path(path)))]


@contextmanager
def typed(field: str, text: str) -> Iterator[None]:
    """Let a module, a file, or an import path into one, open its code, because a person typed it.

    Raises InputError as `check` does, but for what is not allowed.
    """
    with allowing(*_files(field, text)):
        yield


def check(field: str, text: str) -> None:
    """Refuse an import path that would open code where nobody allowed it.

    Raises InputError naming the field, for this, for what is never opened, and where there is no
    such module.
    """
    files = _files(field, text)
    for file in files:
        if not any(file.is_relative_to(each) for each in allowed()):
            # Of a module in packages each package above runs too.
            enough = shlex.quote(str(file if len(files) == 1 else files[0].parent))
            expected = (
                f"a path that is allowed: it opens code in {file}; allow it with --allow-code"
                f" {enough}"
            )
            raise InputError(field, text, f"{expected}, from Python with allow_code=")


def opened(field: str, text: str) -> Any:
    """The object at ``module:name`` or ``folder/file.py:name``, or a whole module, imported where
    that is allowed.

    Raises InputError naming the field, as `check` does; and where there is no such object, or its
    module does not run.
    """
    check(field, text)
    return installed(field, text)


def installed(field: str, value: str) -> Any:
    """The module or object that an entry point names, ``module`` or ``module:name``: the installer
    allowed it.

    Raises InputError where there is no such thing, or it does not run.
    """
    place, _, name = value.rpartition(":") if is_path(value) else (value, "", "")
    try:
        module = _file(Path(place).resolve()) if place.endswith(".py") else imported(place)
        _opened.add(module.__name__)
    except InputError:
        raise
    except (Exception, SystemExit) as error:
        raise InputError(field, value, f"a module that runs, and not {raised(error)}") from error
    if not is_path(value):
        return module
    if not hasattr(module, name):
        raise InputError(field, value, f"a name that is in {place}")
    return getattr(module, name)


def _files(field: str, text: str) -> list[Path]:
    """The files that an import path runs, those of the packages above a module too. None of them is
    run.

    Raises InputError for what is no import path, no module that is there, or never opened.
    """
    place, name = text.rpartition(":")[::2] if is_path(text) else (text, "whole")
    is_file = place.endswith(".py")
    if not name.isidentifier() or not (
        is_file or all(part.isidentifier() for part in place.split("."))
    ):
        raise InputError(field, text, "an import path, module:name or file.py:name")
    try:
        files = [Path(place).resolve(strict=True)] if is_file else list(_of_module(place))
    except (OSError, RuntimeError, ValueError, ImportError) as error:
        raise InputError(field, text, f"a module that runs, and not {raised(error)}") from None
    top = "" if is_file else place.partition(".")[0]
    if top in sys.stdlib_module_names or any(_is_never_opened(file, top) for file in files):
        expected = (
            f"a path to code of one's own: {place} is of Python or an installed package, and no"
            " path opens it"
        )
        raise InputError(field, text, f"{expected}; a package names what it has by an entry point")
    if not files or not all(file.is_file() for file in files):
        raise InputError(field, text, "the path of a file, or of a module in files")
    return files


def _of_module(name: str) -> Iterator[Path]:
    """The files of a module and of the packages above it; none of a package without code or of a
    built-in module.
    """
    places: Sequence[str] | None = None
    parts = name.split(".")
    for whole in (".".join(parts[: i + 1]) for i in range(len(parts))):
        if (module := sys.modules.get(whole)) is not None:
            origin = getattr(module, "__file__", None)
            places = getattr(module, "__path__", None)
        else:
            # As `importlib` asks them; `importlib.util.find_spec` would run the packages above.
            asked = (each.find_spec(whole, places) for each in _finders())
            spec = next((each for each in asked if each is not None), None)
            if spec is None:
                raise ModuleNotFoundError(f"No module named {whole!r}")
            origin = spec.origin if spec.has_location else None
            places = spec.submodule_search_locations
        if origin is not None:
            yield Path(origin).resolve()
        elif places is None:
            return


def _finders() -> Iterator[Any]:
    if _Neighbours not in sys.meta_path:
        sys.meta_path.append(_Neighbours)
    return (each for each in list(sys.meta_path) if hasattr(each, "find_spec"))


def _is_never_opened(file: Path, top: str) -> bool:
    """True if a file is of Python or an installed package, except of ours and those that register
    an entry point.
    """
    if not is_of_an_installation(str(file)) or file.is_relative_to(
        Path(__file__).resolve().parents[1]
    ):
        return False
    from importlib.metadata import distributions

    every = (entry for each in distributions() for entry in each.entry_points)
    return top not in {
        re.split(r"[.:]", x.value)[0] for x in every if x.group.startswith("boundcheck.")
    }


@cache
def is_of_an_installation(place: str) -> bool:
    """True if a file, or folder, is of Python's own library or of an installed package."""
    homes = [sysconfig.get_path(each) for each in ("stdlib", "platstdlib", "purelib", "platlib")]
    homes += [*site.getsitepackages(), site.getusersitepackages()]
    return any(Path(place).resolve().is_relative_to(Path(home).resolve()) for home in homes)


@contextmanager
def theirs(tick: Callable[..., Any] | None = None) -> Iterator[None]:
    """Call what may call code of a person's own: words, problems, adapters, sections.

    An error on whose way through the calls lies code from outside is told in one line, with its
    place. Others are ours, and keep their traceback; so does what `tick` raises, by which a person
    may stop a run. Raises CodeError naming the function, its file and its line.
    """
    try:
        yield
    except (Exception, SystemExit) as error:
        if type(error).__module__.partition(".")[0] == "boundcheck":
            raise
        way = [
            (frame.f_code, line)
            for frame, line in walk_tb(error.__traceback__)
            if _is_outside(frame)
        ]
        if not way or way[0][0] is getattr(tick, "__code__", None):
            raise
        code, line = way[-1]
        place = f"line {line} of {Path(code.co_filename).name}"
        raise CodeError(
            code.co_qualname, place, f"code that runs, and not {raised(error)}"
        ) from error


def _is_outside(frame: FrameType) -> bool:
    """True if a frame is of neither boundcheck nor a library; what was opened as a part of one is a
    person's own.
    """
    name = str(frame.f_globals.get("__name__", ""))
    root = name.partition(".")[0]
    # What is generated at run time, by Hypothesis for one, is in no module that is there.
    if root == "boundcheck" or root in sys.stdlib_module_names or name not in sys.modules:
        return False
    installed = {"site-packages", "dist-packages"} & set(Path(frame.f_code.co_filename).parts)
    return not installed or name in _opened


def imported(name: str, package: str | None = None) -> ModuleType:
    """The module of this name; as for a script, it may lie in the current folder, or beside what
    was opened.
    """
    found = importlib.import_module(name, package)
    file = getattr(found, "__file__", None)
    if file and (here := Path.cwd()) in Path(file).parents and not is_of_an_installation(file):
        _homes.add(here)
    return found


class _Neighbours:
    """Finds, after all else, what lies beside code that was opened, for imports in that code alone.

    On `sys.path` the folder would offer its files to every library that looks for a module which is
    not installed.
    """

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: object = None) -> Any:
        """Find a module as Python asks a finder; the calls that led here show who imports."""
        if path is not None:
            return None
        who: FrameType | None = sys._getframe(1)
        while who is not None and str(who.f_globals.get("__name__")).startswith("importlib"):
            who = who.f_back
        file = Path(who.f_code.co_filename) if who is not None else Path()
        if file == Path(__file__):
            homes = [*_homes, Path.cwd()]
        else:
            homes = [
                home
                for home in _homes
                if home in file.parents and not is_of_an_installation(str(file))
            ]
        return (
            importlib.machinery.PathFinder.find_spec(name, list(map(str, homes))) if homes else None
        )


def _file(path: Path) -> ModuleType:
    """The module in a file, run once for what the file holds; as a script it may import its
    neighbours.
    """
    content = path.read_bytes()
    name = f"{path.stem}_{zlib.crc32(content + str(path).encode()):08x}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None:
            raise ImportError(f"{path} is no Python file")
        sys.modules[name] = importlib.util.module_from_spec(spec)
        _homes.add(path.parent)
        next(_finders())
        try:
            # What was read, and not what is kept in a folder beside as compiled from it.
            exec(compile(content, path, "exec", dont_inherit=True), vars(sys.modules[name]))
            _check_neighbours(path)
        except BaseException:
            del sys.modules[name]
            raise
    return sys.modules[name]


def _check_neighbours(path: Path) -> None:
    """Refuse a file that imports its neighbour by name and was given another module: another
    folder's, or a library's.

    Raises ImportError naming both.
    """
    waiting = [path]
    known = {path}
    while waiting:
        here = waiting.pop()
        nodes = list(ast.walk(ast.parse(here.read_bytes())))
        names = {each.name for node in nodes if isinstance(node, ast.Import) for each in node.names}
        names |= {
            node.module
            for node in nodes
            if isinstance(node, ast.ImportFrom) and node.module and not node.level
        }
        for name in {each.partition(".")[0] for each in names}:
            neighbour = here.parent / f"{name}.py"
            if name not in sys.modules or not neighbour.is_file():
                continue
            found = getattr(sys.modules[name], "__file__", None)
            if found is None or Path(found).resolve() != neighbour:
                raise ImportError(
                    f"{name} is {found or 'built in'} here, and not {neighbour}, which needs"
                    " another name"
                )
            waiting += {neighbour} - known
            known.add(neighbour)


def listed(package: str, base: Any) -> list[Any]:
    """The classes derived from `base` that the modules of a package define."""
    found: list[Any] = []
    for each in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}."):
        members = vars(importlib.import_module(each.name)).values()
        found += [
            x
            for x in members
            if isinstance(x, type) and issubclass(x, base) and x.__module__ == each.name
        ]
    return [each for each in found if each is not base]


class Registry(UserDict[str, T], Generic[T]):
    """Things by the name that a spec gives them: those of this package, and those from outside that
    were opened.

    An import path that was not opened is not known.
    """

    def __init__(
        self,
        field: str,
        group: str,
        own: Callable[[], Mapping[str, T]],
        made: Callable[[str, Any], T],
    ) -> None:
        """Look at nothing yet.

        Args:
            field: of a spec that names one.
            group: of entry points.
            own: those of this package, called when one is first asked for.
            made: what is kept of an object from outside, given its name too; raises InputError for
                what is none.

        """
        self.field = field
        self.group = group
        self._own = own
        self._made = made

    @cached_property
    def data(self) -> dict[str, T]:  # type: ignore[override]
        """What is known by now."""
        return dict(self._own())

    def open(self, name: Any) -> T:
        """The thing that is known, that an entry point names, or at an import path that is allowed;
        it is known then.

        Raises InputError naming the field, for none of these.
        """
        value = name
        if is_path(name):
            # Each time: what was allowed once is not allowed to every file.
            check(self.field, name)
        elif not isinstance(name, str) or name not in self.data:
            from importlib.metadata import entry_points

            named = entry_points(group=self.group, name=name) if isinstance(name, str) else ()
            value = next((entry.value for entry in named), "")
        if not value:
            known = f"one of {', '.join(map(repr, self._own()))}, or an import path module:name"
            raise InputError(self.field, name, known + did_you_mean(name, self._own()))
        if name not in self.data:
            self.data[name] = self._made(name, installed(self.field, value))
        return self.data[name]
