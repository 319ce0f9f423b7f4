"""An audit from first to last: processes measure and attack while the proofs are judged; then the page.

What takes long to import is imported where it is needed, so that the proofs are on the screen within seconds.
"""

import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from joblib import cpu_count

from boundcheck.present import work
from boundcheck.present.forms import Form
from boundcheck.present.programme import Programme, programme_of
from boundcheck.proof import ProofAudit, prove
from boundcheck.proof.audit import rows_of
from boundcheck.proofs import Paper
from boundcheck.system.executors import Call, Running, engine_of
from boundcheck.system.limits import Tick
from boundcheck.system.plugins import allowed, as_options

# About how many seconds the page takes, once everything is measured.
_PAGE = 8

Calls = dict[str, list[Call]]


def conduct(
    paper: Paper,
    out: Path,
    runs: Path,
    device: str,
    full: bool,
    tick: Tick,
    proved: Callable[[ProofAudit], None],
    also: Iterable[Form] = (),
    allow_code: Sequence[str | Path] = (),
) -> dict[str, Any]:
    """Audit a paper and write its report, as `boundcheck.present.audit` says."""
    programme = programme_of(paper, full)
    if allow_code:
        programme = replace(programme, command=f"{programme.command} {shlex.join(as_options(allow_code))}")
    # Each process has one thread, and a GPU is one device.
    jobs = cpu_count() if device == "cpu" else 1

    def told(stage: str, done: int, total: int) -> None:
        tick(stage, round(done / jobs), round(total / jobs) + _PAGE)

    asked = _asked(programme, runs, device)
    calls = [call for part in asked.values() for call in part]
    total = round(sum(call.seconds for call in calls))
    told("proofs", 0, total)
    with Running(calls, engine_of(jobs), told) as running:
        proofs = prove(paper.key)
        if not paper.has("findings"):
            proofs = replace(proofs, rows=rows_of(proofs.claims))
        proved(proofs)
        # Deferred: what draws takes seconds to import, and the processes work meanwhile.
        from boundcheck.present import paper as report

        answers = iter(running.results())
    found = {name: [next(answers) for _ in part] for name, part in asked.items()}
    told("page", total, total)
    return report.write(paper, programme, proofs, found, out, runs, also)


def _asked(programme: Programme, runs: Path, device: str) -> Calls:
    """The calls of every part of the programme, by the name of the part."""
    experiments = [each for sweep in programme.sweeps for each in sweep.experiments()]
    attack, solve = (
        (partial(work.if_possible, each) if programme.as_possible else each) for each in (work.search, work.worst_cases)
    )
    where = (runs, device, allowed())
    asked: Calls = {
        "experiments": [Call(_named(table), work.experiment, (table, *where), x) for table, x in experiments],
        "faults": [Call(words, work.experiment, (table, *where), 2.0) for words, table in programme.faults],
        "attacks": [
            Call(f"attack on {x.claim}", attack, (x.claim, x.lipschitz, x.ranks, x.examples), x.seconds)
            for x in programme.attacks
        ],
    }
    if programme.waterfall:
        asked["waterfall"] = [Call("the chains of Lemma 1", work.waterfall, programme.waterfall, 2.0)]
    if programme.statistics:
        asked |= {part: [Call(part, work.statistics, (part,), 12.0)] for part in ("coverage", "power")}
    if programme.worst_cases:
        asked["worst_cases"] = [Call(f"worst case of {id}", solve, (id,), 3.0) for id in programme.worst_cases]
    return asked


def _named(table: dict[str, Any]) -> str:
    # A table that is no spec is refused where it is run, with the field that is wrong.
    said = {name: x for name, x in table.items() if isinstance(x, dict)}
    kind = said.get("problem", {}).get("kind") or said.get("model", {}).get("kind", "a model")
    rank = said.get("adapter", {}).get("rank")
    return f"{table.get('claim', 'an experiment')} on {kind}" + (f", rank {rank}" if rank else "")
