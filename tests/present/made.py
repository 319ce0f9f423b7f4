"""Stored runs that differ from others in parts of their results, as data would have them."""

from __future__ import annotations

import copy
from typing import Any

from boundcheck.experiment.result import read
from boundcheck.language.view import Picture
from boundcheck.present.material import Material, StoredRun
from tests.results import a_run

EMPTY: dict[str, Any] = a_run(run_id="0123456789ab", reason="it was made up", first=1.0, decrease=None).as_json()
"""What a made-up run has that no test of figures looks at."""


def changed(run: StoredRun, **parts: Any) -> StoredRun:
    """The run with other parts of its result, each by its name, that of a table's entry as ``plan__values__Lhat``."""
    data = run.result.as_json()
    for path, value in parts.items():
        *tables, name = path.split("__")
        table = data
        for each in tables:
            table = table[each]
        table[name] = copy.deepcopy(value)
    return StoredRun(read(data), run.trace)


def figure_of(section: Any, *given: Any, **parts: Any) -> Any:
    """The first figure of a section on the page of this material; None where it draws none."""
    pictures = [each for each in section.build(Material(*given, **parts)) if isinstance(each, Picture)]
    return pictures[0].draw() if pictures else None
