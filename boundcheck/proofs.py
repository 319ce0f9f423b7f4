"""The papers: folders of claims, proof scripts, findings and experiments, found where they lie.

This module is the package of the folders in `proofs/`: ``boundcheck.proofs.jiang2024.claims`` is a file there.
"""

import importlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

from boundcheck.errors import InputError


def _home() -> Path:
    """Where the papers lie: in the package where it was installed, beside it in a checkout."""
    package = Path(__file__).parent
    inside = package / "proofs"
    return inside if inside.is_dir() else package.parent / "proofs"


HOME = _home()
__path__ = [str(HOME)]


@dataclass(frozen=True)
class Paper:
    """A folder with the claims of a paper in `claims.py`, and what else is found there.

    Attributes:
        key: the folder's name, with which the ids of the paper's claims begin.
        package: the name under which its modules are imported.
        folder: where it lies.

    """

    key: str
    package: str
    folder: Path

    def part(self, name: str) -> ModuleType | None:
        """Its module of that name; None where it has none."""
        if not (self.folder / f"{name}.py").is_file():
            return None
        return importlib.import_module(f"{self.package}.{name}")


@cache
def papers() -> dict[str, Paper]:
    """All papers by key, in the order of the alphabet."""
    found = sorted(path.parent for path in HOME.glob("*/claims.py"))
    return {folder.name: Paper(folder.name, f"{__name__}.{folder.name}", folder) for folder in found}


def paper_of(key: str) -> Paper:
    """The paper of that key; raises InputError where there is none."""
    if key not in papers():
        raise InputError("paper", key, f"one of {', '.join(papers())}")
    return papers()[key]
