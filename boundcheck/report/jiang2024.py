"""The report on jiang2024: what its proofs, its experiments and the adversary's searches come to."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from boundcheck.claims import catalogue
from boundcheck.falsify.show import rounded_down
from boundcheck.falsify.worst_case import WorstCase
from boundcheck.prove import ProofAudit
from boundcheck.report import study
from boundcheck.report.experiments import Attack, Programme
from boundcheck.report.page import load_runs, write_page
from boundcheck.report.section import Finding, Material, Search
from boundcheck.report.stored import StoredRun
from boundcheck.report.words import label, number
from boundcheck.verdicts import Verdict

_TITLE = "jiang2024, audited: A Unified Convergence Theory for Large Language Model Efficient Fine-tuning"
_LEAD = (
    "The proofs of the paper line by line, its statements repaired and sharpened, and what runs say of them: softmax "
    "regression over the 1797 handwritten digits that scikit-learn bundles (64 pixels, 10 classes), and pseudo-Huber "
    "matrix regression, with certified L, G and f*."
)
_STATEMENTS = ("jiang2024.lemma1", "jiang2024.theorem2")


def write(
    programme: Programme, proofs: ProofAudit, found: dict[str, list[Any]], out: Path, runs: Path
) -> dict[str, Any]:
    """Write the report on what was found into `out`.

    Args:
        programme: what was asked.
        proofs: the audit of the proofs.
        found: the answers, by the name of the part of the programme.
        out: the folder of the report.
        runs: the folder of the run folders.

    Returns:
        The keys of `boundcheck audit --json`.

    """
    honest, faulty = (
        load_runs([runs / result["run_id"] for result in found[part]]) for part in ("experiments", "faults")
    )
    searches = [
        _search(attack, answer, proofs) for attack, answer in zip(programme.attacks, found["attacks"], strict=True)
    ]
    numbers = _study(found) if programme.worst_cases else study.kept("jiang2024")
    measured = [*findings(honest), _search_finding(searches), _slowest_finding(honest, numbers.worst_cases)]
    material = Material(
        honest,
        findings=measured,
        proofs=proofs,
        searches=searches,
        waterfalls=[(f"adversary's, rank {programme.waterfall[1]}", found["waterfall"][0])],
        study=numbers,
        faults=[(words, run) for (words, _), run in zip(programme.faults, faulty, strict=True)],
        command=programme.command,
    )
    adds = f" This is the short report. With --full it has more: {programme.adds}." if programme.adds else ""
    files = write_page(material, out / "index.html", _TITLE, _LEAD + adds)
    shown = ("run_id", "claim", "verdict", "reason", "blame")
    return {
        "summary": _summary(proofs, honest, material.faults, searches),
        "findings": [asdict(x) for x in sorted([*_proof_findings(proofs), *measured], key=lambda x: x.number)],
        "report": str(files[0]),
        "runs": [{key: run.result.get(key) for key in shown} for run in honest],
        "faults": [{"planted": words} | {key: run.result.get(key) for key in shown} for words, run in material.faults],
        "searches": [{key: each[key] for key in ("id", "lipschitz", "ratio", "violated")} for each in searches],
        "adds": programme.adds,
    }


def _summary(
    proofs: ProofAudit, runs: list[StoredRun], faults: Sequence[tuple[str, StoredRun]], searches: list[Search]
) -> str:
    """The verdict in a paragraph."""
    statements = ", ".join(f"{proofs[id].title}: {proofs[id].verdict}" for id in _STATEMENTS)
    said = [f"{statements} (repaired: the statement is true, by another proof than the printed one)."]
    rows = Counter[str](row.verdict for row in proofs.rows)
    said.append(f"Of {len(proofs.rows)} findings from the proofs {_counted(rows)}.")
    said.append(f"Of {len(runs)} runs {_counted(Counter[str](run.verdict for run in runs))}.")
    if faults:
        planted = Counter[str](run.verdict for _, run in faults)
        said.append(f"Of {len(faults)} runs with a planted fault {_counted(planted)}.")
    broken = [each["label"] for each in searches if each["violated"]]
    said.append(
        f"The adversary attacked {len(searches)} bounds and broke {', '.join(broken) if broken else 'none'} of them."
    )
    return " ".join(said)


def _counted(verdicts: Counter[str]) -> str:
    parts = [f"{count} {'is' if count == 1 else 'are'} {verdict}" for verdict, count in verdicts.most_common()]
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _search(attack: Attack, answer: dict[str, Any], proofs: ProofAudit) -> Search:
    """What the adversary found of a claim, with what the page says of the claim."""
    id, lipschitz = attack.claim, attack.lipschitz
    proved = {claim.id: claim.verdict for claim in proofs.claims}
    curve = {str(rank): _tightest(rank, lipschitz) for rank in attack.ranks} if id == "jiang2024.lemma1" else {}
    return answer | {
        "label": label(id, lipschitz),
        "argument": catalogue[id].argument,
        "lipschitz": lipschitz,
        "file": f"instances/{id}{'' if lipschitz == 'sigma' else '.sqrt_r'}.json",
        "drawn": id in ("meft.lemma1_sharp", "jiang2024.lemma1"),
        "curve": curve,
        "proof": proved.get(id, "by hand"),
    }


def _study(found: dict[str, list[Any]]) -> study.Study:
    """The simulations and worst cases of this audit."""
    (coverage,), (power,) = found["coverage"], found["power"]
    return study.Study(coverage, power, [case for part in found["worst_cases"] for case in part])


def _tightest(rank: int, lipschitz: str) -> float:
    """What measured over bound can be at most for the printed lemma at L = G = sigma = 1: λ* over its constant."""
    ones: dict[str, Any] = {"L": 1, "G": 1, "sigma": 1}
    C = 1.0 if lipschitz == "sigma" else rank**0.5
    sharp = catalogue["meft.lemma1_sharp_equal_radii"].bound(**ones)
    return sharp / catalogue["jiang2024.lemma1"].bound(**ones, C=C, r=rank)


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


def _search_finding(searches: list[Search]) -> Finding:
    printed = next(each for each in searches if each["id"] == "jiang2024.lemma1")
    sharp = next(each for each in searches if each["id"] == "meft.lemma1_sharp")
    first, *_, last = printed["rows"]
    reached = min(row["ratio"] for row in sharp["rows"])
    ranks = sorted(row["rank"] for row in sharp["rows"])
    broken = [each["label"] for each in searches if each["violated"]]
    verdict = f"It breaks {', '.join(broken)}." if broken else "It breaks none of the claims."
    return Finding(
        8,
        "Lemma 1, Eq. (8), attacked",
        "violated" if printed["violated"] else "not violated",
        f"{verdict} At L = G = σ = 1 and C = σ the printed constant is reached to {_percent(first['ratio'])} at "
        f"rank {first['rank']} and to {_percent(last['ratio'])} at rank {last['rank']}, because of its √r; λ* is "
        f"reached to {_percent(reached)} or more at each rank from {ranks[0]} to {ranks[-1]}, with "
        "a = b and with a ≠ b.",
    )


def _slowest_finding(runs: list[StoredRun], cases: list[WorstCase]) -> Finding:
    """How near to the repaired bound SGD has been brought, by performance estimation and by the hard instance."""
    broken = sorted({label(case.claim, "sigma") for case in cases if case.violated})
    said = [f"Performance estimation breaks {', '.join(broken)}." if broken else "No theorem is broken."]
    for run in [run for run in runs if run.result["spec"]["problem"]["kind"] == "hard"][-1:]:
        steps, share = number(run.result["plan"]["steps"]), run.result["measured"] / run.result["bound"]
        said.append(f"On the hard instance at T = {steps} the average is {share:.0%} of the repaired bound.")
    for case in [case for case in cases if case.claim == "meft.theorem2_repaired"][-1:]:
        said.append(
            f"The exact worst case over all smooth F and two-point noise is {case.ratio:.0%} of it at T = {case.steps},"
            " by a numerical solution."
        )
    return Finding(12, "Theorem 2, Eq. (9), attacked", "violated" if broken else "not violated", " ".join(said))


def _percent(ratio: float) -> str:
    """A certified lower bound, rounded down."""
    return f"{rounded_down(100 * ratio, 2)} %"


def _common(runs: list[StoredRun]) -> Verdict:
    """The verdict of all runs, or the gravest of theirs."""
    return Verdict.gravest(run.verdict for run in runs)


def _bracket_evidence(runs: list[StoredRun]) -> str:
    last = max((run for run in runs if run.problem == "digits"), key=lambda run: run.rank or 0)
    ends = "; ".join(f"{label(end['claim'], end['lipschitz'])}: {number(end['value'])}" for end in last.result["upper"])
    within = sum(run.verdict.is_supported for run in runs)
    return (
        f"In {within} of {len(runs)} brackets over ranks and problems, no lower estimate exceeds the printed constant. "
        f"On digits at rank {last.rank} the largest estimate is {number(last.result['measured'])}, against {ends}."
    )


def _theorem_evidence(runs: list[StoredRun]) -> str:
    each = "; ".join(
        f"{run.problem}, rank {run.rank}: {run.verdict}, measured {number(run.result['measured'])} "
        f"against {number(run.result['bound'])}"
        for run in runs
    )
    return f"Average over t of the expected squared gradient norm, every hypothesis audited. {each}."


def _ball_finding(runs: list[StoredRun]) -> Finding:
    balls = ("jiang2024.assumption2", "meft.ball")
    held = [[a["status"] == "held" for a in run.result["audit"] if a["hypothesis"] in balls] for run in runs]
    within = [all(each) for each in held if each]
    return Finding(
        18,
        "Assumption 2: σ → L̂ → α → iterates → σ",
        Verdict.SUPPORTED if all(within) else Verdict.HYPOTHESIS_FAILED,
        f"σ was fixed before each run and every iterate of every replica held against it: in {sum(within)} of "
        f"{len(within)} runs of theorems with a ball all stayed inside, so that the theorem speaks of them.",
    )
