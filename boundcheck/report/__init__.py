"""Reports: figures, tables and one self-contained page from stored runs; and the reference audits of papers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from boundcheck.errors import InputError
from boundcheck.progress import Tick, silent

__all__ = ["audit"]

PAPERS = ("jiang2024",)


def audit(
    paper: str, out: str | Path | None = None, runs: str | Path = "runs", device: str = "cpu", tick: Tick = silent
) -> dict[str, Any]:
    """Run all that boundcheck has on a paper and write the report.

    Args:
        paper: its key, ``jiang2024``.
        out: the folder of the report, ``reports/<paper>`` where left out.
        runs: where the run folders are kept; finished runs are read and not repeated.
        device: a torch device.
        tick: told of progress.

    Returns:
        ``findings`` (number, locator, verdict, evidence), ``report`` (the page's path) and ``runs``.

    Raises:
        InputError: for an unknown paper, a bad device, or folders that cannot be written.

    """
    if paper not in PAPERS:
        raise InputError("paper", paper, f"one of {', '.join(PAPERS)}")
    # Deferred, like torch in `measure`: matplotlib is slow to import.
    from boundcheck.report import jiang2024

    return jiang2024.audit(Path(out or Path("reports") / paper), Path(runs), device, tick)
