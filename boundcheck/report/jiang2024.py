"""The reference report on jiang2024: which experiments it runs, and what it finds from them."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from boundcheck.measure import measure
from boundcheck.progress import Tick, prefixed
from boundcheck.prove import ProofAudit, prove
from boundcheck.report.figures import StoredRun
from boundcheck.report.page import Finding, load_runs, write_page
from boundcheck.report.words import label, number

_PSEUDO_HUBER = {"kind": "pseudo-huber", "d": 4, "k": 4, "samples": 16, "delta": 0.25, "signal": 1.0, "noise": 0.5}
_DIGITS = {"kind": "digits"}

# Each is a sweep, as a spec file would hold it.
EXPERIMENTS: tuple[dict[str, Any], ...] = (
    {
        "claim": "meft.theorem2_repaired",
        "problem": _DIGITS,
        "adapter": {"rank": [1, 2, 4, 8], "gain": 2.0},
        "run": {"replicas": 16, "audits": 64},
    },
    {
        "claim": "jiang2024.theorem2",
        "problem": _PSEUDO_HUBER,
        "adapter": {"rank": [1, 2, 4], "gain": 1.5},
        "run": {"replicas": 1024, "audits": 64},
    },
    {
        "claim": "jiang2024.lemma1",
        "problem": _DIGITS,
        "adapter": {"rank": [1, 2, 4, 8]},
        "domain": {"a": 2.0, "b": 2.0},
    },
    {
        "claim": "jiang2024.lemma1",
        "problem": _PSEUDO_HUBER,
        "adapter": {"rank": [1, 2, 4]},
        "domain": {"a": 2.0, "b": 2.0},
    },
)

_TITLE = "jiang2024, audited: A Unified Convergence Theory for Large Language Model Efficient Fine-tuning"
_LEAD = (
    "The proofs of the paper line by line, its statements repaired and sharpened, and what runs say of them: softmax "
    "regression over the 1797 handwritten digits that scikit-learn bundles (64 pixels, 10 classes), and pseudo-Huber "
    "matrix regression, with certified L, G and f*."
)


def audit(out: Path, runs: Path, device: str, tick: Tick) -> dict[str, Any]:
    """Audit every proof, run every experiment, and write the report into `out`.

    Returns:
        ``findings`` (number, locator, verdict, evidence), ``report`` (the page's path) and ``runs`` (id and verdict).

    """
    proofs = prove("jiang2024", tick=prefixed(tick, "proofs: "))
    results = []
    for number_of_experiment, experiment in enumerate(EXPERIMENTS, start=1):
        prefix = f"experiment {number_of_experiment}/{len(EXPERIMENTS)}: "
        results += measure(experiment, runs, device, prefixed(tick, prefix))
    stored = load_runs([runs / result["run_id"] for result in results])
    found = findings(stored)
    command = "boundcheck audit jiang2024"
    files = write_page(stored, out / "index.html", _TITLE, _LEAD, command, found, proofs)
    return {
        "findings": [asdict(finding) for finding in sorted([*_proof_findings(proofs), *found], key=lambda x: x.number)],
        "report": str(files[0]),
        "runs": [{key: result[key] for key in ("run_id", "claim", "verdict", "reason")} for result in results],
    }


def _proof_findings(proofs: ProofAudit) -> list[Finding]:
    """The rows that the proofs establish, and the editorial ones."""
    return [
        Finding(each.row.number, each.row.locator, each.verdict, each.evidence, each.row.finding)
        for each in proofs.rows
    ]


def findings(runs: list[StoredRun]) -> list[Finding]:
    """The rows of the referee's table that measurement has something to say of, in the paper's order.

    The other rows are about lines of proofs, of which no run can say anything.
    """
    brackets = [run for run in runs if run.result["claim"] == "jiang2024.lemma1"]
    printed = [run for run in runs if run.result["claim"] == "jiang2024.theorem2"]
    theorems = [run for run in runs if run.is_theorem]
    return [
        Finding(8, "Lemma 1, Eq. (8)", _common(brackets), _bracket_evidence(brackets)),
        Finding(12, "Theorem 2, Eq. (9)", _common(printed), _theorem_evidence(printed)),
        _ball_finding(theorems),
    ]


def _common(runs: list[StoredRun]) -> str:
    """The verdict of all runs, or the gravest of theirs."""
    order = ("violated", "hypothesis-failed", "inconclusive", "uninformative", "supported")
    return min((run.result["verdict"] for run in runs), key=order.index)


def _bracket_evidence(runs: list[StoredRun]) -> str:
    last = max((run for run in runs if run.problem == "digits"), key=lambda run: run.rank)
    ends = "; ".join(f"{label(end['claim'], end['lipschitz'])}: {number(end['value'])}" for end in last.result["upper"])
    within = sum(run.result["verdict"] == "supported" for run in runs)
    return (
        f"In {within} of {len(runs)} brackets over ranks and problems, no lower estimate exceeds the printed constant. "
        f"On digits at rank {last.rank} the largest estimate is {number(last.result['measured'])}, against {ends}."
    )


def _theorem_evidence(runs: list[StoredRun]) -> str:
    each = "; ".join(
        f"{run.problem}, rank {run.rank}: {run.result['verdict']}, measured {number(run.result['measured'])} "
        f"against {number(run.result['bound'])}"
        for run in runs
    )
    return f"Average over t of the expected squared gradient norm, every hypothesis audited. {each}."


def _ball_finding(runs: list[StoredRun]) -> Finding:
    balls = ("jiang2024.assumption2", "meft.ball")
    stayed = sum(all(a["status"] == "held" for a in run.result["audit"] if a["hypothesis"] in balls) for run in runs)
    return Finding(
        18,
        "Assumption 2: σ → L̂ → α → iterates → σ",
        "supported" if stayed == len(runs) else "hypothesis-failed",
        f"σ was fixed before each run and every iterate of every replica held against it: in {stayed} of {len(runs)} "
        "runs all stayed inside, so that the theorem speaks of them.",
    )
