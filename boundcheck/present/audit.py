"""`audit`, all of a paper in one report, and `Audited`, what it comes to.

Processes measure and attack while the proofs are judged; then the page is made. What takes long to
import is imported where it is needed, so that the proofs are on the screen within seconds.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from joblib import cpu_count

from boundcheck.experiment.coverage import coverage
from boundcheck.language.view import Badge, Part, Prose, Shown, Table, View, line
from boundcheck.present import programme
from boundcheck.proof import ProofAudit, prove
from boundcheck.proof.audit import rows_of
from boundcheck.proofs import paper_at
from boundcheck.system.executors import Call, Running, engine_of
from boundcheck.system.limits import Tick, silent
from boundcheck.system.plugins import allowed, allowing, as_options

if TYPE_CHECKING:
    import pandas as pd

    from boundcheck.experiment.result import Results

# About how many seconds the page takes, once everything is measured.
_PAGE = 8


class Audited(dict[str, Any], Shown):
    """The outcome of an audit, with the keys of `boundcheck audit --json`.

    Attributes:
        paper: its key.
        runs: the folder in which the runs are kept.

    """

    def __init__(self, found: Mapping[str, Any], paper: str, runs: Path) -> None:
        """Keep what was found of a paper, and where the runs are."""
        super().__init__(found)
        self.paper = paper
        self.runs = runs

    @property
    def results(self) -> Results:
        """The results of its runs, but for those with planted faults; raises InputError if a folder
        has changed.
        """
        from boundcheck.experiment.experiment import read_run
        from boundcheck.experiment.result import Results

        return Results(
            (read_run(self.runs / each["run_id"])[0] for each in self["runs"]), self.runs
        )

    def to_frame(self) -> pd.DataFrame:
        """A frame with a row for each finding: ``number``, ``locator``, ``verdict``, ``evidence``,
        ``summary``.
        """
        import pandas as pd

        return pd.DataFrame(
            self["findings"], columns=["number", "locator", "verdict", "evidence", "summary"]
        )

    def view(self) -> View:
        """The verdict in a paragraph, and every finding."""
        findings = [
            (
                str(x["number"]),
                Prose(x["locator"]),
                Badge(x["verdict"]),
                Prose(x["summary"] or x["evidence"]),
            )
            for x in self["findings"]
        ]
        parts: list[Part] = [
            line(Prose(self["summary"])),
            Table(("no.", "where", "verdict", "finding"), findings),
            line(f"Report: {self['report']}"),
        ]
        return View(f"{self.paper}, audited", parts=tuple(parts))


def audit(
    paper: str | Path,
    out: str | Path | None = None,
    *,
    runs: str | Path = "runs",
    device: str = "cpu",
    tick: Tick = silent,
    full: bool = False,
    proved: Callable[[ProofAudit], None] = silent,
    latex: bool = False,
    allow_code: Iterable[str | Path] = (),
) -> Audited:
    """Audit a paper and write the report: its proofs, runs of its theorems, and searches for what
    breaks its bounds.

    Args:
        paper: its key, such as ``jiang2024``, or its folder.
        out: the folder of the report; where left out, ``reports/<paper>`` of the full one,
            ``<runs>/report-<paper>`` of the short one.
        runs: where the run folders are kept; finished runs are read and not repeated.
        device: a torch device.
        tick: told of progress, in seconds.
        full: make the whole report that papers cite, and not only what its argument needs.
        proved: told of the proofs as soon as they are judged, long before the runs have finished.
        latex: write the folder ``latex`` for a paper too.
        allow_code: the files, and the folders, in which import paths of its experiments may open
            code, beside its own.

    Returns:
        ``summary`` (the verdict in a paragraph), ``findings`` (number, locator, verdict, evidence),
        ``report`` (the page's path), ``runs``, ``faults``, ``searches``, and ``adds``, what the
        full report has on top. It shows itself in a notebook; `Audited.to_frame` has the findings,
        and `Audited.results` the runs.

    Raises:
        InputError: for an unknown paper, a bad device, and folders that cannot be written.

    """
    subject = paper_at(paper)
    folder = Path("reports") / subject.key if full else Path(runs) / f"report-{subject.key}"
    # An iterator is gone through once.
    permitted = tuple(allow_code)
    with allowing(subject.folder, *permitted):
        asked = programme.programme_of(subject, full)
        if permitted:
            asked = replace(asked, command=f"{asked.command} {shlex.join(as_options(permitted))}")
        # Each process has one thread, and a GPU is one device.
        jobs = cpu_count() if device == "cpu" else 1
        by_part = _calls(asked, Path(runs), device)
        calls = [call for part in by_part.values() for call in part]
        total = round(sum(call.seconds for call in calls))

        def told(stage: str, done: int, total: int) -> None:
            tick(stage, round(done / jobs), round(total / jobs) + _PAGE)

        told("proofs", 0, total)
        with Running(calls, engine_of(jobs), told) as running:
            proofs = prove(subject.key)
            if not subject.has("findings"):
                proofs = replace(proofs, rows=rows_of(proofs.claims))
            proved(proofs)
            # Deferred: what draws takes seconds to import, and the processes work meanwhile.
            from boundcheck.present import paper as report

            answers = iter(running.results())
        found = {name: [next(answers) for _ in part] for name, part in by_part.items()}
        told("page", total, total)
        made = report.write(subject, asked, proofs, found, Path(out or folder), Path(runs), latex)
    return Audited(made, subject.key, Path(runs))


def _calls(asked: programme.Programme, runs: Path, device: str) -> dict[str, list[Call]]:
    """The calls of every part of the programme, by the name of the part."""
    where = (runs, device, allowed())

    def named(table: dict[str, Any]) -> str:
        # A table that is no spec is refused where it is run, with the field that is wrong.
        said = {name: x for name, x in table.items() if isinstance(x, dict)}
        kind = said.get("problem", {}).get("kind") or said.get("model", {}).get("kind", "a model")
        rank = said.get("adapter", {}).get("rank")
        return f"{table.get('claim', 'an experiment')} on {kind}" + (
            f", rank {rank}" if rank else ""
        )

    experiments = [each for sweep in asked.sweeps for each in sweep.experiments()]
    calls = {
        "experiments": [
            Call(named(table), programme.experiment, (table, *where), x) for table, x in experiments
        ],
        "faults": [
            Call(words, programme.experiment, (table, *where), 2.0) for words, table in asked.faults
        ],
        "attacks": [
            Call(
                f"attack on {x.claim}",
                programme.search,
                (x.claim, x.lipschitz, x.ranks, x.examples),
                x.seconds,
            )
            for x in asked.attacks
        ],
    }
    if asked.waterfall:
        calls["waterfall"] = [
            Call("the chains of Lemma 1", programme.waterfall, asked.waterfall, 2.0)
        ]
    if asked.statistics:
        calls["coverage"] = [Call("coverage", coverage, (), 12.0)]
    if asked.worst_cases:
        calls["worst_cases"] = [
            Call(f"worst case of {id}", programme.worst_cases, (id,), 3.0)
            for id in asked.worst_cases
        ]
    return calls
