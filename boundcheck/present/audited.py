"""`Audited`, the value of `bc.audit`: the plain data of the audit, which shows itself, with its runs as results."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boundcheck.language.notebook import Shown
from boundcheck.language.view import Badge, Cell, Fold, Part, Prose, Table, View, line
from boundcheck.worst_case.view import rounded_down

if TYPE_CHECKING:
    import pandas as pd

    from boundcheck.experiment.results import Results


class Audited(dict[str, Any], Shown):
    """The outcome of an audit, with the keys of `boundcheck audit --json`.

    Attributes:
        paper: its key.
        runs: the folder in which the runs are kept.

    """

    def __init__(self, found: Mapping[str, Any], paper: str, runs: Path) -> None:
        """Keep what was found of a paper, and where the runs are."""
        super().__init__(found)
        self.paper, self.runs = paper, runs

    @property
    def results(self) -> Results:
        """The results of its runs, but for those with planted faults; raises InputError if a folder has changed."""
        from boundcheck.experiment.results import Results
        from boundcheck.experiment.store import finished

        return Results((finished(self.runs / each["run_id"])[0] for each in self["runs"]), self.runs)

    def to_frame(self) -> pd.DataFrame:
        """A frame with a row for each finding: ``number``, ``locator``, ``verdict``, ``evidence``, ``summary``."""
        import pandas as pd

        return pd.DataFrame(self["findings"], columns=["number", "locator", "verdict", "evidence", "summary"])

    def view(self) -> View:
        """The verdict in a paragraph, the referee's table, and what runs and searches came to."""
        findings = [
            (str(x["number"]), Prose(x["locator"]), Badge(x["verdict"]), Prose(x["summary"] or x["evidence"]))
            for x in self["findings"]
        ]
        searches = [
            (
                x["id"],
                x["lipschitz"],
                rounded_down(x["ratio"], 6),
                Badge("violated" if x["violated"] else "not violated"),
            )
            for x in self["searches"]
        ]
        parts: list[Part] = [line(Prose(self["summary"])), Table(("no.", "where", "verdict", "finding"), findings)]
        parts += _runs("Runs", self["runs"]) + _runs("Runs with a planted fault", self["faults"])
        if searches:
            table = Table(("claim", "C is", "measured / bound, at least", "verdict"), searches)
            parts.append(Fold(line(f"Searches for an instance that breaks a bound: {len(searches)}"), (table,)))
        parts += [line(f"Report: {self['report']}")]
        return View(f"{self.paper}, audited", parts=tuple(parts))


def _runs(title: str, runs: list[dict[str, Any]]) -> list[Part]:
    if not runs:
        return []
    planted = any("planted" in x for x in runs)
    head = ("run", "claim", "verdict", "why", *(["planted"] if planted else []))
    rows: list[tuple[Cell, ...]] = [
        (x["run_id"], x["claim"], Badge(x["verdict"]), Prose(x["reason"]), *([Prose(x["planted"])] if planted else []))
        for x in runs
    ]
    return [Fold(line(f"{title}: {len(runs)}"), (Table(head, rows),))]
