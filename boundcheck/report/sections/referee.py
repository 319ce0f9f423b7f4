"""The lines behind each row of the referee's table."""

from typing import Any

from boundcheck.prove.rows import JudgedRow
from boundcheck.report.sections.proofs import shown_end, shown_line

__all__ = ["evidence"]


def evidence(row: JudgedRow) -> list[dict[str, Any]]:
    """For each line to which a row and what follows from it refer: its proof, the line or what the proof concludes."""
    return [
        {
            "ref": ref,
            "title": proof.script.title,
            "called": proof.script.called,
            "verdict": proof.verdict,
            "trust": proof.trust,
            "line": shown_line(proof, step) if step else None,
            "end": None if step else shown_end(proof),
        }
        for each in (row, *row.follows)
        for ref, proof, step in each.lines
    ]
