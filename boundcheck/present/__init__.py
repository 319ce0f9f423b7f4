"""Reports: figures, tables and one self-contained page from stored runs; and the audits of papers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from boundcheck.proofs import paper_at
from boundcheck.system.limits import Tick, silent
from boundcheck.system.plugins import allowing

if TYPE_CHECKING:
    from boundcheck.present.audited import Audited
    from boundcheck.proof import ProofAudit

__all__ = ["audit"]


def audit(
    paper: str | Path,
    out: str | Path | None = None,
    runs: str | Path = "runs",
    device: str = "cpu",
    tick: Tick = silent,
    full: bool = False,
    proved: Callable[[ProofAudit], None] = lambda proofs: None,
    latex: bool = False,
    pdf: bool = False,
    allow_code: Iterable[str | Path] = (),
) -> Audited:
    """Audit a paper and write the report: its proofs, runs of its theorems, and searches for what breaks its bounds.

    Args:
        paper: its key, such as ``jiang2024``, or its folder.
        out: the folder of the report; where left out, ``reports/<paper>`` of the full one, ``<runs>/report-<paper>`` of
            the short one.
        runs: where the run folders are kept; finished runs are read and not repeated.
        device: a torch device.
        tick: told of progress, in seconds.
        full: make the whole report that papers cite, and not only what its argument needs.
        proved: told of the proofs as soon as they are judged, long before the runs have finished.
        latex: write the folder ``latex`` for a paper too.
        pdf: write ``report.pdf`` too, the report on paper, by typst.
        allow_code: the files, and the folders, in which import paths of its experiments may open code, beside its own.

    Returns:
        ``summary`` (the verdict in a paragraph), ``findings`` (number, locator, verdict, evidence), ``report`` (the
        page's path), ``runs``, ``faults``, ``searches``, and ``adds``, what the full report has on top. It shows itself
        in a notebook; `Audited.to_frame` has the findings, and `Audited.results` the runs.

    Raises:
        InputError: for an unknown paper, a bad device, folders that cannot be written, and a form whose package is
            not installed.

    """
    subject = paper_at(paper)
    from boundcheck.present.audited import Audited
    from boundcheck.present.conduct import conduct
    from boundcheck.present.forms import forms

    # What is missing for a form is said before anything is measured.
    also = forms(latex, pdf)

    folder = Path("reports") / subject.key if full else Path(runs) / f"report-{subject.key}"
    # An iterator is gone through once.
    allowed = tuple(allow_code)
    with allowing(subject.folder, *allowed):
        made = conduct(subject, Path(out or folder), Path(runs), device, full, tick, proved, also, allowed)
    return Audited(made, subject.key, Path(runs))
