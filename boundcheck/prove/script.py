"""Proof scripts: how one is declared, found and loaded.

A script is a Python file with functions marked ``@script(claim, version, reading)``. Those of the catalogue's claims
lie in `proofs/`, one folder per paper; a user's own is any file.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Literal

from boundcheck.claims import Claim
from boundcheck.errors import InputError
from boundcheck.kernel import KernelError
from boundcheck.prove.proof import Proof
from boundcheck.prove.translate import Reading

Version = Literal["printed", "repaired", "sharp"]
VERSIONS: tuple[Version, ...] = ("printed", "repaired", "sharp")

_PACKAGE = "boundcheck_proofs"


@dataclass(frozen=True, eq=False)
class Script:
    """A proof of a claim, in one version.

    Attributes:
        id: the claim's, or one of the script's own for a lemma that is in no catalogue.
        version: ``printed`` (the paper's lines), ``repaired`` (the paper's statement, another proof) or ``sharp``.
        instead: hypotheses of the claim that this proof replaces by others, by id.
        is_statement: whether its lines are the claim itself, so that a false one refutes the claim and not a proof.

    """

    id: str
    version: Version
    title: str
    claim: Claim | None
    reading: Reading
    build: Callable[[Proof], None]
    instead: Mapping[str, Claim] = field(default_factory=dict)
    is_statement: bool = False

    @cached_property
    def proof(self) -> Proof:
        """The proof that the function fills, run once.

        Raises:
            InputError: where it asks for what cannot be translated, or a rule of the kernel refuses it.

        """
        proof = Proof(self.claim, self.reading)
        try:
            self.build(proof)
        except KernelError as error:
            raise InputError(
                f"{self.id}, {self.version}", type(error).__name__, f"a rule that applies: {error}"
            ) from error
        return proof


def script(
    claim: Claim | str,
    version: Version,
    reading: Reading | None = None,
    *,
    title: str = "",
    instead: Mapping[str, Claim] | None = None,
    is_statement: bool = False,
) -> Callable[[Callable[[Proof], None]], Script]:
    """Mark a function as the proof of a claim, or of a lemma that is only named; it gets the `Proof` to fill.

    With `is_statement` the lines of a printed script are the claim, so that a false one refutes it.

    Raises:
        InputError: for a version other than printed, repaired and sharp.

    """
    if version not in VERSIONS:
        raise InputError("version", version, f"one of {', '.join(VERSIONS)}")
    known = claim if isinstance(claim, Claim) else None
    id = known.id if known else str(claim)

    def mark(build: Callable[[Proof], None]) -> Script:
        name = title or (known.title if known else id)
        return Script(id, version, name, known, reading or Reading(), build, dict(instead or {}), is_statement)

    return mark


def folder() -> Path:
    """Where the proof scripts of papers lie: in the package where it was installed, beside it in a checkout."""
    package = Path(__file__).parents[1]
    inside = package / "proofs"
    return inside if inside.is_dir() else package.parent / "proofs"


def papers() -> list[str]:
    """The papers that have proof scripts."""
    return sorted(path.name for path in folder().iterdir() if (path / "__init__.py").is_file())


def of_paper(paper: str) -> list[Script]:
    """All scripts of a paper, in the order of its files; raises InputError for a paper without any."""
    package = package_of(paper)
    names = importlib.import_module(package).SCRIPTS
    return [each for name in names for each in _scripts(importlib.import_module(f"{package}.{name}"))]


def package_of(paper: str) -> str:
    """The name under which a paper's folder is imported; raises InputError for a paper without any."""
    if paper not in papers():
        raise InputError("paper", paper, f"one of {', '.join(papers())}")
    if _PACKAGE not in sys.modules:
        package = ModuleType(_PACKAGE)
        package.__path__ = [str(folder())]
        sys.modules[_PACKAGE] = package
    return f"{_PACKAGE}.{paper}"


def find(targets: Sequence[Claim | str | Path]) -> list[Script]:
    """The scripts of claims, ids, papers and files, each once; of all papers where there is no target.

    An id stands for the claims below it as well: jiang2024.lemma1 for jiang2024.lemma1.any_points.

    Raises:
        InputError: for a target that has no script.

    """
    found: dict[int, Script] = {}
    for target in targets or papers():
        found |= {id(each): each for each in _of_target(target)}
    return list(found.values())


def _of_target(target: Claim | str | Path) -> list[Script]:
    if isinstance(target, Path) or (isinstance(target, str) and target.endswith(".py")):
        return of_file(Path(target))
    name = target.id if isinstance(target, Claim) else target
    if name in papers():
        return of_paper(name)
    everything = [each for paper in papers() for each in of_paper(paper)]
    chosen = [each for each in everything if f"{each.id}.".startswith(f"{name}.")]
    if not chosen:
        ids = list(dict.fromkeys(each.id for each in everything))
        near = get_close_matches(name, ids, n=3, cutoff=0.5) or ids[:3]
        raise InputError(
            "target", name, f"a paper, a .py file, or the id of a claim with a proof, such as {', '.join(near)}"
        )
    return chosen


def of_file(path: Path) -> list[Script]:
    """All scripts of a file; raises InputError where there is none, or the file cannot be run."""
    if not path.is_file():
        raise InputError("script", path, "a file that exists, the id of a claim, or a paper")
    spec = importlib.util.spec_from_file_location(f"{_PACKAGE}_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise InputError("script", path, "a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except InputError:
        raise
    except Exception as error:
        raise InputError("script", path, f"a file that runs, and not one that raises {error!r}") from error
    finally:
        sys.path.pop(0)
    found = _scripts(module)
    if not found:
        raise InputError("script", path, "a file with a function marked @script(claim, version)")
    return found


def _scripts(module: ModuleType) -> list[Script]:
    # In the order of the file, and not those that it imports from another.
    return [x for x in vars(module).values() if isinstance(x, Script) and x.build.__module__ == module.__name__]
