"""A paper's study: simulations and worst cases, which take minutes to make and are the same for every reader.

`boundcheck audit --full` makes it and the repository keeps it; an audit without `--full` reads it back, and says so.
"""

from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any

from boundcheck.checked.coverage import Coverage, Power
from boundcheck.errors import InputError, raised
from boundcheck.experiment.numerics import NUMERICS
from boundcheck.system.files import parse_json, read_text
from boundcheck.version import __version__
from boundcheck.worst_case.worst_case import Case

_PARTS: dict[str, type[Any]] = {"coverage": Coverage, "power": Power, "worst_cases": Case}


@dataclass(frozen=True)
class Study:
    """A study: simulations and worst cases, which no run of this audit gives.

    Attributes:
        coverage, power: how often the intervals of the verdicts miss, and how many replicas they need.
        worst_cases: the worst cases of theorems, by performance estimation.
        made_by: the version that made it, and its `NUMERICS`.
        kept: whether it was read from what the repository keeps, and not made just now.

    """

    coverage: list[Coverage] = field(default_factory=list)
    power: list[Power] = field(default_factory=list)
    worst_cases: list[Case] = field(default_factory=list)
    made_by: dict[str, Any] = field(default_factory=lambda: {"boundcheck": __version__, "numerics": NUMERICS})
    kept: bool = False

    @property
    def is_new(self) -> bool:
        """True if it holds anything that was made just now."""
        return not self.kept and any(getattr(self, name) for name in _PARTS)

    def as_json(self) -> dict[str, Any]:
        """Every number, and what made them; parts that hold nothing are left out."""
        found = {name: [each.as_json() for each in getattr(self, name)] for name in _PARTS}
        return {name: part for name, part in found.items() if part} | {"made_by": self.made_by}


def kept(paper: str) -> Study:
    """The study that the repository keeps of a paper.

    Raises:
        InputError: where there is none, or it cannot be read.

    """
    path = _folder() / paper / "statistics.json"
    try:
        stored = parse_json(read_text(path))
        parts = {name: [_made(kind, each) for each in stored[name]] for name, kind in _PARTS.items()}
        return Study(**parts, made_by={name: stored["made_by"][name] for name in ("boundcheck", "numerics")}, kept=True)
    except (OSError, ValueError, KeyError, TypeError) as error:
        expected = f"the study that `boundcheck audit {paper} --full` makes ({raised(error)})"
        raise InputError("study", path.name, expected) from None


def _made(kind: type[Any], stored: dict[str, Any]) -> Any:
    # What is derived from the fields is written for other readers; a field with a default may be newer than the study.
    named = [each.name for each in fields(kind) if each.name in stored or each.default is MISSING]
    return kind(**{name: stored[name] for name in named})


def _folder() -> Path:
    """The folder of the reports: in the package if it was installed, beside it in a checkout, like the proofs."""
    package = Path(__file__).parents[1]
    inside = package / "reports"
    return inside if inside.is_dir() else package.parent / "reports"
