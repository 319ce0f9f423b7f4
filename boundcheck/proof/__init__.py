"""Finding proofs and refuting steps: sympy to kernel, certificates, SMT, exact witnesses, and proof scripts."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

from boundcheck.language.claim import Claim
from boundcheck.proof.outcome import ProofAudit
from boundcheck.proof.proof import Proof
from boundcheck.proof.results import ClaimAudit
from boundcheck.proof.rows import judge_rows
from boundcheck.proof.script import Script, find, named, script
from boundcheck.proof.symbol_roles import Process
from boundcheck.proof.translate import Reading, eq, ge, gt, le
from boundcheck.proof.verdict import claim_verdict, judge
from boundcheck.proof.witness import Witness, at_numbers
from boundcheck.proofs import papers
from boundcheck.system.limits import Tick, silent

__all__ = [
    "ClaimAudit",
    "Process",
    "Proof",
    "ProofAudit",
    "Reading",
    "Script",
    "Witness",
    "at_numbers",
    "eq",
    "ge",
    "gt",
    "judge",
    "le",
    "prove",
    "script",
]


def prove(*targets: Claim | str | Path, tick: Tick = silent) -> ProofAudit:
    """Audit proofs: run their scripts, let the kernel replay every line, hold refuted lines against their witnesses.

    Args:
        targets: claims or their ids, papers or their folders, or your own proof scripts; by default all papers.
        tick: is called with the progress.

    Returns:
        Per claim its verdict and its proofs, in the order of the scripts; and the referee's table of each paper.

    Raises:
        InputError: for any other target, and for a script that cannot be run.

    """
    began = perf_counter()
    targets = tuple(map(named, targets))
    scripts = find(targets)
    claims: dict[str, list[Script]] = {}
    for each in scripts:
        claims.setdefault(each.id, []).append(each)
    audits, done = [], 0
    for id, versions in claims.items():
        judged = []
        for each in versions:
            tick(f"{id}, {each.version}", done, len(scripts))
            judged.append(judge(each))
            done += 1
        printed = sorted(judged, key=lambda proof: proof.script.version != "printed")
        audits.append(ClaimAudit(id, printed[-1].script.title, claim_verdict(judged), tuple(printed)))
    by_id = {audit.id: audit for audit in audits}
    whole = [paper for paper in papers() if paper in (targets or papers())]
    rows = tuple(row for paper in whole for row in judge_rows(paper, by_id))
    return ProofAudit(tuple(audits), rows, perf_counter() - began)
