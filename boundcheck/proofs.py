"""The papers: folders of claims, proof scripts, findings and experiments, found where they lie.

A paper is a folder with a `claims.py`, whose `CLAIMS` are its claims. What else it may have: proof
scripts, the referee's table in `findings.py`, specs of runs in `experiments/*.toml`,
`proved.json`, and for its report `programme.py` and `report.py`. Papers lie in `proofs/`, in
installed packages that name them by an entry point of the group `boundcheck.papers`, and in folders
that are given, or named in the environment variable BOUNDCHECK_PAPERS.

This module is the package of the folders in `proofs/`: ``boundcheck.proofs.jiang2024.claims`` is a
file there.
"""

import importlib
import importlib.util
import keyword
import os
import sys
import tempfile
import traceback
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from boundcheck.errors import InputError, did_you_mean, one_of, raised
from boundcheck.system.files import asking, path_from_here

# In the package where it was installed, beside it in a checkout.
HOME = next(
    path
    for path in (Path(__file__).parent / "proofs", Path(__file__).parents[1] / "proofs")
    if path.is_dir()
)
__path__ = [str(HOME)]

GROUP = "boundcheck.papers"
VARIABLE = "BOUNDCHECK_PAPERS"


@dataclass(frozen=True)
class Paper:
    """A paper's folder.

    Attributes:
        key: the folder's name, with which the ids of its claims begin.
        package: the name under which its modules are imported.
        folder: where it lies.

    """

    key: str
    package: str
    folder: Path

    @property
    def is_ours(self) -> bool:
        """True if the paper lies in `proofs/`, where people have read it."""
        return self.folder.parent == HOME

    @property
    def typed(self) -> str:
        """The paper's name on a command line: its key, or the path of a folder that somebody
        gave.
        """
        return path_from_here(self.folder) if self.key in _given() else self.key

    def has(self, name: str) -> bool:
        """True if the paper has a module of that name."""
        return (self.folder / f"{name}.py").is_file()

    def part(self, name: str) -> ModuleType | None:
        """The paper's module of that name; None where it has none.

        Raises:
            InputError: for a module that cannot be run.

        """
        if not self.has(name):
            return None
        with running(self.folder / f"{name}.py", self.folder):
            return importlib.import_module(f"{self.package}.{name}")

    def claims(self) -> tuple[Any, ...]:
        """The paper's claims, `CLAIMS` of its `claims.py`.

        Raises:
            InputError: where there is no such thing, or the id of a claim does not begin with the
                key.

        """
        module = self.part("claims")
        if getattr(getattr(module, "__spec__", None), "_initializing", False):
            raise InputError(
                "script",
                self.folder / "claims.py",
                "imports of no module with an @script, which asks for claims that are not there"
                " yet",
            )
        found = self.listed("claims", "CLAIMS", "claims", lambda x: hasattr(x, "statement_latex"))
        ids = [each.id for each in found]
        foreign = [id for id in ids if not self.is_ours and not id.startswith(f"{self.key}.")]
        if foreign:
            raise InputError("claim", foreign[0], f"an id of its paper's, {self.key}.…")
        if len(set(ids)) < len(ids) or not ids:
            raise InputError(
                "CLAIMS", self.folder / "claims.py", "at least one claim, and each id once"
            )
        return found

    def listed(
        self, part: str, name: str, what: str, is_one: Callable[[Any], bool]
    ) -> tuple[Any, ...]:
        """The list of that name in one of the paper's modules; empty where there is none.

        Raises InputError for what is no tuple or list, or has something else in it.
        """
        found = getattr(self.part(part), name, ())
        if not isinstance(found, tuple | list) or not all(map(is_one, found)):
            raise InputError(name, self.folder / f"{part}.py", f"a tuple of {what}")
        return tuple(found)

    def modules(self) -> list[str]:
        """The names of the modules with proof scripts: `SCRIPTS` of the package, else all with an
        ``@script(``.
        """
        if self.has("__init__"):
            with running(self.folder / "__init__.py", self.folder):
                named: Sequence[str] | None = getattr(
                    importlib.import_module(self.package), "SCRIPTS", None
                )
            if named is not None:
                return list(named)
        files = sorted(self.folder.glob("*.py"))
        return [path.stem for path in files if "@script(" in path.read_text(encoding="utf-8")]


@contextmanager
def running(what: object, home: Path) -> Iterator[None]:
    """Run the code of a person's own file; where it fails, an InputError says in one line what and
    where.
    """
    try:
        yield
    except InputError:
        raise
    except (Exception, SystemExit) as error:
        raise InputError(
            "script", what, f"one that runs, and not {raised(error, _place(error, home))}"
        ) from error


def _place(error: BaseException, home: Path) -> str:
    """The last line of the folder's own files that led to an error."""
    if isinstance(error, SyntaxError):
        return f"line {error.lineno} of {Path(error.filename or home).name}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [x for x in frames if Path(x.filename).resolve().is_relative_to(home.resolve())] or frames
    return f"line {own[-1].lineno} of {Path(own[-1].filename).name}"


def papers() -> dict[str, Paper]:
    """All papers by key: those of `proofs/`, the ones with a referee's table first; those
    installed; those given.
    """
    return _ours() | _installed() | _given()


def paper_of(key: str) -> Paper:
    """The paper of that key; raises InputError where there is none."""
    # What is installed takes long to look through.
    found = _ours().get(key) or _given().get(key) or _installed().get(key)
    if found is None:
        raise InputError("paper", key, one_of(key, papers()))
    return found


def parts(name: str) -> list[ModuleType]:
    """The modules of that name of all papers in `proofs/`; those of others change no run."""
    found = (paper.part(name) for paper in _ours().values())
    return [module for module in found if module is not None]


def paper_at(target: str | Path) -> Paper:
    """The paper of a key, or in a folder, which this process and those that it starts then know.

    Raises:
        InputError: for what is neither.

    """
    if isinstance(target, str) and target in papers():
        return papers()[target]
    folder = Path(target)
    if not (folder / "claims.py").is_file():
        expected = f"a paper ({', '.join(papers())}), or a folder with a claims.py"
        raise InputError("paper", target, expected + did_you_mean(target, papers()))
    folder = folder.resolve()
    known = next((paper for paper in papers().values() if paper.folder.resolve() == folder), None)
    if known is not None:
        return known
    paper = _loaded(folder)
    if paper.key in papers():
        raise InputError(
            "paper",
            target,
            f"a folder of another name: {paper.key} is at {papers()[paper.key].folder}",
        )
    named = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = os.pathsep.join([*([named] if named else []), str(folder)])
    return paper


def home_of(spec: Path) -> Path | None:
    """The folder of the paper that has a spec among its experiments; None of any other spec."""
    folder = spec.resolve().parent
    is_of_paper = folder.name == "experiments" and (folder.parent / "claims.py").is_file()
    return folder.parent if is_of_paper else None


@cache
def _ours() -> dict[str, Paper]:
    found = [path.parent for path in HOME.glob("*/claims.py")]
    found.sort(key=lambda folder: (not (folder / "findings.py").is_file(), folder.name))
    return {
        folder.name: Paper(folder.name, f"{__name__}.{folder.name}", folder) for folder in found
    }


@cache
def _installed() -> dict[str, Paper]:
    from importlib.metadata import entry_points

    found = {}
    for entry in entry_points(group=GROUP):
        spec = importlib.util.find_spec(entry.value)
        places = list(spec.submodule_search_locations or ()) if spec else []
        if not places or not (Path(places[0]) / "claims.py").is_file():
            raise InputError(
                f"entry point {GROUP}",
                entry.name,
                f"a package with a claims.py, and not {entry.value}",
            )
        if entry.name not in _ours():
            found[entry.name] = Paper(entry.name, entry.value, Path(places[0]))
    return found


def _given() -> dict[str, Paper]:
    named = [Path(each) for each in os.environ.get(VARIABLE, "").split(os.pathsep) if each]
    return {paper.key: paper for paper in map(_loaded, named) if paper.key not in _ours()}


@cache
def _loaded(folder: Path) -> Paper:
    """The paper in a folder, as a package of a name that no other folder has."""
    folder = folder.resolve()
    if not (folder / "claims.py").is_file():
        raise InputError(VARIABLE, folder, "folders with a claims.py")
    if not folder.name.isidentifier():
        raise InputError("paper", folder, "a folder whose name is a word of letters, digits and _")
    for path in folder.glob("*.py"):
        if not (there := path.resolve()).is_relative_to(folder):
            raise InputError("paper", path, f"a file of the folder's own, and no link to {there}")
    above = f"boundcheck_papers_{zlib.crc32(str(folder.parent).encode()):08x}"
    if above not in sys.modules:
        package = ModuleType(above)
        package.__path__ = [str(folder.parent)]
        sys.modules[above] = package
    return Paper(folder.name, f"{above}.{folder.name}", folder)


# Its Python files end in .txt, so that nothing takes it for a paper, and the name in them is
# replaced.
_TEMPLATE = HOME / "new_paper"
_NAME = "my_paper"


def new(folder: Path) -> list[Path]:
    """Make the folder, with claims, a proof, a referee's table, and an experiment on a CSV file.

    Returns:
        Its files.

    Raises:
        InputError: for a name that no module can have, and for a folder that is there or cannot be
            made.

    """
    name = folder.name.replace("-", "_")
    if not name.isidentifier() or keyword.iskeyword(name) or not name.isascii():
        raise InputError("FOLDER", folder.name, "a name of letters, digits and _, such as my_paper")
    if name in papers():
        there = papers()[name].folder
        raise InputError(
            "FOLDER",
            folder,
            f"another name, for {name} is a paper that is known already, at {there}",
        )
    folder = folder.with_name(name)
    if folder.exists():
        raise InputError("FOLDER", folder, "a folder that is not there yet")
    # It is there whole or not at all, under a name that no other process takes.
    with asking("FOLDER", folder, "a folder that can be made"):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as beside:
            made = Path(beside) / folder.name
            names = []
            for source in sorted(
                x for x in _TEMPLATE.rglob("*") if x.suffix in {".txt", ".toml", ".csv"}
            ):
                names.append(source.relative_to(_TEMPLATE).as_posix().removesuffix(".txt"))
                (made / names[-1]).parent.mkdir(parents=True, exist_ok=True)
                text = source.read_text(encoding="utf-8").replace(_NAME, folder.name)
                (made / names[-1]).write_text(text, encoding="utf-8")
            made.rename(folder)
    return [folder / name for name in names]
