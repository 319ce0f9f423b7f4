"""The reference report on jiang2024: which experiments it runs, and what it finds from them."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from joblib import Parallel, cpu_count, delayed

from boundcheck.claims import catalogue
from boundcheck.falsify import falsify
from boundcheck.falsify.climb import Climber
from boundcheck.falsify.show import rounded_down
from boundcheck.falsify.structure import Structure, constants_of
from boundcheck.measure import measure
from boundcheck.measure.slack import slack
from boundcheck.measure.spec import expand
from boundcheck.progress import Tick, prefixed
from boundcheck.prove import ProofAudit, prove
from boundcheck.report.page import Finding, load_runs, write_page
from boundcheck.report.stored import StoredRun
from boundcheck.report.tightness import Search, Waterfall
from boundcheck.report.words import label, number

_PSEUDO_HUBER = {"kind": "pseudo-huber", "d": 4, "k": 4, "samples": 16, "delta": 0.25, "signal": 1.0, "noise": 0.5}
_DIGITS = {"kind": "digits"}
# Steps of each climb of the adversary.
_ROUNDS = 96

_READOUT = {"kind": "readout", "components": 16}
_TARGETS = {"kind": "pseudo-huber", "d": 8, "k": 8, "samples": 16, "delta": 0.25, "signal": 1.0, "noise": 0.5}
_SAMPLES = {"pairs": 128, "iterates": 32, "points": 4, "ascents": 3, "rounds": 12}

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
        "bracket": {"pairs": 512, "iterates": 128, "points": 8},
    },
    {
        "claim": "jiang2024.lemma1",
        "problem": _PSEUDO_HUBER,
        "adapter": {"rank": [1, 2, 4]},
        "domain": {"a": 2.0, "b": 2.0},
    },
)

# For each adapter the claim that its bracket is held against, and its domain.
_ADAPTERS: dict[str, tuple[str, dict[str, float]]] = {
    "full": ("meft.full", {"rho": 1.0}),
    "lora": ("meft.lemma1_sharp", {"a": 1.0, "b": 1.0}),
    "frozen-a": ("meft.frozen_a", {"b": 1.0}),
    "frozen-b": ("meft.frozen_b", {"a": 1.0}),
    "direft": ("meft.direft", {"a": 1.0, "b": 1.0}),
    "loreft": ("meft.loreft_sharp", {"nu": 1.0}),
    "vera": ("meft.vera_sharp", {"a": 1.0, "b": 1.0}),
    "dora": ("meft.dora_blocks", {"a": 0.5, "b": 0.5, "mu": 1.0}),
    "loha": ("meft.loha_sharp", {"a": 1.0, "b": 1.0}),
}


def _adapter_experiments() -> Iterator[dict[str, Any]]:
    for problem in (_TARGETS, _READOUT):
        for kind, (claim, domain) in _ADAPTERS.items():
            adapter = {"kind": kind} | ({} if kind == "full" else {"rank": [1, 2, 4, 8]})
            # The split of the curvature is shown once, on the digits themselves.
            bracket = _SAMPLES | {"looks": 0}
            yield {"claim": claim, "problem": problem, "adapter": adapter, "domain": domain, "bracket": bracket}


# What the adversary is asked: claim, C, ranks, and how many other structures to try.
_SEARCHES: tuple[tuple[str, str, tuple[int, ...], int], ...] = (
    ("meft.lemma1_sharp", "sigma", tuple(range(1, 9)), 16),
    ("jiang2024.lemma1", "sigma", (1, 2, 4, 8), 4),
    ("jiang2024.lemma1", "sqrt(r) sigma", (1, 2, 4, 8), 4),
    *((claim, "sigma", (1, 4), 8) for kind, (claim, _) in _ADAPTERS.items() if kind != "lora"),
    ("meft.loreft_rank1", "sigma", (1,), 8),
)


_TITLE = "jiang2024, audited: A Unified Convergence Theory for Large Language Model Efficient Fine-tuning"
_LEAD = (
    "The proofs of the paper line by line, its statements repaired and sharpened, and what runs say of them: softmax "
    "regression over the 1797 handwritten digits that scikit-learn bundles (64 pixels, 10 classes), and pseudo-Huber "
    "matrix regression, with certified L, G and f*."
)


def audit(out: Path, runs: Path, device: str, tick: Tick) -> dict[str, Any]:
    """Audit every proof, run every experiment and search, and write the report into `out`.

    Returns:
        ``findings`` (number, locator, verdict, evidence), ``report`` (the page's path), ``runs`` (id and verdict) and
        ``searches`` (id, ratio, violated).

    """
    proofs = prove("jiang2024", tick=prefixed(tick, "proofs: "))
    jobs = cpu_count() if device == "cpu" else 1
    specs = [spec for each in (*EXPERIMENTS, *_adapter_experiments()) for spec in expand(each)]
    results = measure(specs, runs, device, tick, jobs)
    searches = _searched(proofs, jobs, tick)
    stored = load_runs([runs / result["run_id"] for result in results])
    found = [*findings(stored), _search_finding(searches)]
    command = "boundcheck audit jiang2024"
    page = out / "index.html"
    files = write_page(stored, page, _TITLE, _LEAD, command, found, proofs, searches, [_extremal_waterfall()])
    return {
        "findings": [asdict(finding) for finding in sorted([*_proof_findings(proofs), *found], key=lambda x: x.number)],
        "report": str(files[0]),
        "runs": [{key: result[key] for key in ("run_id", "claim", "verdict", "reason")} for result in results],
        "searches": [{key: each[key] for key in ("id", "lipschitz", "ratio", "violated")} for each in searches],
    }


def _searched(proofs: ProofAudit, jobs: int, tick: Tick) -> list[Search]:
    """What the adversary found of each claim, each search in a process of its own."""
    calls = (delayed(_search)(*each) for each in _SEARCHES)
    found: list[Search] = []
    for search in Parallel(jobs, return_as="generator")(calls):
        found.append(search)
        tick("falsification", len(found), len(_SEARCHES))
    proved = {claim.id: claim.verdict for claim in proofs.claims}
    return [each | {"proof": proved.get(each["id"], "by hand")} for each in found]


def _search(id: str, lipschitz: str, ranks: tuple[int, ...], examples: int) -> Search:
    # One thread: the pool has as many processes as there are cores, and results do not depend on how many those are.
    torch.set_num_threads(1)
    found = falsify(id, ranks, lipschitz=lipschitz, starts=8, rounds=_ROUNDS, examples=examples).as_json()
    curve = {str(rank): _tightest(rank, lipschitz) for rank in ranks} if id == "jiang2024.lemma1" else {}
    lora = id in ("meft.lemma1_sharp", "jiang2024.lemma1")
    named = {"label": label(id, lipschitz), "argument": catalogue[id].argument, "lipschitz": lipschitz}
    file = f"instances/{id}{'' if lipschitz == 'sigma' else '.sqrt_r'}.json"
    return found | named | {"file": file, "drawn": lora, "curve": curve}


def _tightest(rank: int, lipschitz: str) -> float:
    """What measured over bound can be at most for the printed lemma at L = G = sigma = 1: λ* over its constant."""
    ones: dict[str, Any] = {"L": 1, "G": 1, "sigma": 1}
    C = 1.0 if lipschitz == "sigma" else rank**0.5
    sharp = catalogue["meft.lemma1_sharp_equal_radii"].bound(**ones)
    return sharp / catalogue["jiang2024.lemma1"].bound(**ones, C=C, r=rank)


def _extremal_waterfall() -> Waterfall:
    """The chains at an instance of rank 4 on which λ* is tight, also where G bounds the Frobenius norm of ∇f."""
    claim, rank = catalogue["jiang2024.lemma1"], 4
    structure = Structure.of(claim, "lora", (rank + 1, rank + 1, rank), constants_of("lora", claim, {}))
    instance = Climber(structure, 8, 0).run(_ROUNDS).best(claim, "sigma")
    chains = slack(instance.problem, instance.v, instance.other, instance.radii)
    return f"adversary's, rank {rank}", [chain.as_json() for chain in chains]


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


def _percent(ratio: float) -> str:
    """A certified lower bound, rounded down."""
    return f"{rounded_down(100 * ratio, 2)} %"


def _common(runs: list[StoredRun]) -> str:
    """The verdict of all runs, or the gravest of theirs."""
    order = ("violated", "hypothesis-failed", "inconclusive", "uninformative", "supported")
    return min((run.result["verdict"] for run in runs), key=order.index)


def _bracket_evidence(runs: list[StoredRun]) -> str:
    last = max((run for run in runs if run.problem == "digits"), key=lambda run: run.rank or 0)
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
