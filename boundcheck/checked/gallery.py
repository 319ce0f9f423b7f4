"""Trials of the gallery of ways to be misled, which lies beside the tests in a checkout: `tests/prove/wrong`.

An installed package has no tests and so no gallery. The page then leaves it out.
"""

from __future__ import annotations

import re
import sys
import tempfile
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from boundcheck.checked.mutation import varied
from boundcheck.checked.trial import Answer, Mutant

_ROOT = Path(__file__).parents[2]
_FOLDER = _ROOT / "tests" / "prove" / "wrong"
_PACKAGE = ".".join(_FOLDER.relative_to(_ROOT).parts)


def entries() -> list[tuple[str, Any]]:
    """Every entry with the name of its module; none where there is no checkout."""
    if not (_FOLDER / "case.py").is_file():
        return []
    if str(_ROOT) not in sys.path:
        sys.path.insert(0, str(_ROOT))
    modules = sorted({path.stem for path in _FOLDER.glob("*.py")} - {"__init__", "case", "test_gallery"})
    return [(module, case) for module in modules for case in import_module(f"{_PACKAGE}.{module}").CASES]


@dataclass(frozen=True)
class Entry(Mutant):
    """An entry, which must be refused for its reason, or its true twin, which must pass."""

    layer = "reading"
    case: Any

    def ask(self) -> Answer:
        """Whether the act is refused, and for the right reason."""
        with tempfile.TemporaryDirectory() as folder:
            said = (self.case.twin if self.true else self.case.wrong)(Path(folder))
        if self.true:
            return Answer("refused" if said else "passed", accepts=True, rejects=False)
        refused = bool(re.search(self.case.why, said))
        return Answer("refused" if refused else "believed", accepts=not refused, rejects=refused)


def gallery() -> list[Entry]:
    """Each entry and its twin."""
    return [
        entry
        for module, case in entries()
        for entry in (
            Entry("the gallery", f"gallery, {module}", case.name, False, case.why, case),
            Entry("the gallery", varied(module), f"without {case.name}", True, "the fault is mended", case),
        )
    ]
