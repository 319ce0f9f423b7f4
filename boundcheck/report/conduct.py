"""An audit from first to last: processes measure and attack while the proofs are judged; then the page.

What takes long to import is imported where it is needed, so that the proofs are on the screen within seconds.
"""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

from joblib import cpu_count

from boundcheck.parallel import Call, Running
from boundcheck.progress import Tick
from boundcheck.prove import ProofAudit, prove
from boundcheck.report import work
from boundcheck.report.experiments import REFERENCE, SHORT, Programme

# About how many seconds the page takes, once everything is measured.
_PAGE = 8

Calls = dict[str, list[Call]]


def conduct(
    out: Path, runs: Path, device: str, full: bool, tick: Tick, proved: Callable[[ProofAudit], None]
) -> dict[str, Any]:
    """See `boundcheck.report.audit`."""
    programme = REFERENCE if full else SHORT
    # Each process has one thread, and a GPU is one device.
    jobs = cpu_count() if device == "cpu" else 1

    def told(stage: str, done: int, total: int) -> None:
        tick(stage, round(done / jobs), round(total / jobs) + _PAGE)

    asked = _asked(programme, runs, device)
    calls = [call for part in asked.values() for call in part]
    total = round(sum(call.seconds for call in calls))
    told("proofs", 0, total)
    running = Running(calls, jobs, told)
    proofs = prove("jiang2024")
    proved(proofs)
    # Deferred: what draws takes seconds to import, and the processes work meanwhile.
    from boundcheck.report import jiang2024

    answers = iter(running.results())
    found = {name: [next(answers) for _ in part] for name, part in asked.items()}
    told("page", total, total)
    return jiang2024.write(programme, proofs, found, out, runs)


def _asked(programme: Programme, runs: Path, device: str) -> Calls:
    """The calls of every part of the programme, by the name of the part."""
    experiments = [each for sweep in programme.sweeps for each in sweep.experiments()]
    asked: Calls = {
        "experiments": [Call(_named(table), work.experiment, (table, runs, device), x) for table, x in experiments],
        "faults": [Call(words, work.experiment, (table, runs, device), 2.0) for words, table in programme.faults],
        "attacks": [
            Call(f"attack on {x.claim}", work.search, (x.claim, x.lipschitz, x.ranks, x.examples), x.seconds)
            for x in programme.attacks
        ],
        "waterfall": [Call("the chains of Lemma 1", work.waterfall, programme.waterfall, 2.0)],
    }
    if programme.worst_cases:
        # PEPit is an extra: a report without it has no worst cases.
        solvable = programme.worst_cases if importlib.util.find_spec("PEPit") else ()
        asked["coverage"] = [Call("coverage", work.coverage, (), 12.0)]
        asked["power"] = [Call("power", work.power, (), 12.0)]
        asked["worst_cases"] = [Call(f"worst case of {id}", work.worst_cases, (id,), 3.0) for id in solvable]
    return asked


def _named(table: dict[str, Any]) -> str:
    claim, problem, rank = table["claim"], table["problem"]["kind"], table["adapter"].get("rank")
    return f"{claim} on {problem}" + (f", rank {rank}" if rank else "")
