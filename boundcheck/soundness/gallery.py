"""Trials of the gallery of ways to be misled, which lies beside the tests in a checkout: `tests/prove/wrong`.

An installed package has no tests, and so no gallery; the page then says nothing of it.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import Any

from boundcheck.soundness.trial import Trial

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


def gallery_trials() -> list[Trial]:
    """Each entry, which must be refused for its reason, and its true twin, which must pass."""
    return [trial for module, case in entries() for trial in _trials(module, case)]


def _trials(module: str, case: Any) -> Iterator[Trial]:
    for true, act in ((False, case.wrong), (True, case.twin)):
        began = perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            said = act(Path(folder))
        refused = bool(re.search(case.why, said)) if not true else bool(said)
        yield Trial(
            layer="reading",
            subject="the gallery",
            kind=f"true variation: {module}" if true else f"gallery, {module}",
            change=f"without {case.name}" if true else case.name,
            true=true,
            witness="the fault is mended" if true else case.why,
            outcome="refused" if refused else "passed" if true else "believed",
            wrong=not refused and not true,
            caught=refused and not true,
            seconds=perf_counter() - began,
        )
