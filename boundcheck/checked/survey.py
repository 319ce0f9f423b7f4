"""All trials of the checker, spread over processes, and their counts: what `boundcheck soundness` reports.

A part that is finished is kept until the report is written, so that a survey that was killed goes on where it was.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import torch

from boundcheck.checked.coverage import clopper_pearson
from boundcheck.checked.engines.asked import examinations
from boundcheck.checked.gallery import gallery
from boundcheck.checked.malformed.kinds import Malformed, malformed
from boundcheck.checked.malformed.trials import input_trials
from boundcheck.checked.proofs import false_mutants, true_variations
from boundcheck.checked.readings import rereadings
from boundcheck.checked.runs import run_mutants
from boundcheck.checked.statements import drawn
from boundcheck.checked.trial import Layer, Mutant, Trial, as_json, tried
from boundcheck.engines import engine_of
from boundcheck.errors import InputError
from boundcheck.files import parse_json, read_text, replace_file
from boundcheck.parallel import Call, Running
from boundcheck.progress import Tick, silent
from boundcheck.proofs import papers
from boundcheck.version import __version__

LAYERS: tuple[Layer, ...] = ("proof", "reading", "input", "falsification", "measurement", "engines")
# Lines, statements, inputs, runs and claims are split into so many parts. A run takes half a second: a third is tried.
_PARTS, _RUNS_EVERY = 32, 3
# A process that tries a part of the lines runs the proofs of all papers before, which takes a minute and the memory for
# which loky replaces it afterwards.
_PROOFS = 6
CONFIDENCE = 0.95
"""Of each upper limit for the share of verdicts that are wrong."""
# Bytes of a part that is kept.
_MOST = 2**26


@dataclass(frozen=True)
class Survey:
    """The trials and what they add up to.

    Attributes:
        trials: all of them, in an order that never changes.
        undecided: mutants of statements that are neither shown to be false nor true by construction, and not tried.
        made: the day on which they were tried.

    """

    trials: tuple[Trial, ...]
    undecided: int
    made: str = field(default_factory=lambda: date.today().isoformat())

    @property
    def wrong(self) -> tuple[Trial, ...]:
        """The wrong verdicts."""
        return tuple(trial for trial in self.trials if trial.wrong)

    def of(self, layer: Layer, true: bool) -> tuple[Trial, ...]:
        """The trials of the true, or of the false, mutants of a layer."""
        return tuple(trial for trial in self.trials if trial.layer == layer and trial.true == true)

    def as_json(self) -> dict[str, Any]:
        """The figures, each rate with its upper confidence limit, when they were made, and every wrong verdict."""
        return {
            "date": self.made,
            "version": __version__,
            "confidence": CONFIDENCE,
            "false": _counted([trial for trial in self.trials if not trial.true]),
            "true": _counted([trial for trial in self.trials if trial.true]),
            "layers": {layer: self._layer(layer) for layer in LAYERS},
            "kinds": self.kinds(),
            "undecided": self.undecided,
            "wrong": [as_json(trial) for trial in self.wrong],
        }

    def _layer(self, layer: Layer) -> dict[str, Any]:
        false, true = self.of(layer, False), self.of(layer, True)
        most = {
            "seconds": max((trial.seconds for trial in (*false, *true)), default=0.0),
            "mebibytes": max((trial.mebibytes for trial in (*false, *true)), default=0.0),
        }
        caught = {"caught": sum(trial.caught for trial in false)}
        return {"false": _counted(false) | caught, "true": _counted(true), "most": most}

    def kinds(self) -> list[dict[str, Any]]:
        """For each kind of change to a false mutant: how many, the share caught, and the time to catch, by layer."""
        rows = []
        for layer in LAYERS:
            found = self.of(layer, False)
            for kind in sorted({trial.kind for trial in found}):
                some = [trial for trial in found if trial.kind == kind]
                caught = [trial.seconds for trial in some if trial.caught]
                times = {"median": median(caught), "longest": max(caught)} if caught else {}
                rows.append({"layer": layer, "kind": kind, "tried": len(some), "caught": len(caught), "seconds": times})
        return rows


def _counted(trials: Sequence[Trial]) -> dict[str, Any]:
    outcomes = Counter(trial.outcome for trial in trials)
    wrong = sum(trial.wrong for trial in trials)
    # One-sided, and exact for trials that are drawn one by one from what could be made.
    at_most = clopper_pearson(wrong, len(trials), 1 - CONFIDENCE)[1] if trials else None
    return {
        "tried": len(trials),
        "wrong": wrong,
        "at_most": at_most,
        "outcomes": dict(sorted(outcomes.items())),
    }


def survey(share: int = 1, jobs: int = 1, tick: Tick = silent, keep: Path | None = None) -> Survey:
    """Try the mutants of every layer.

    Args:
        share: 1 for all of them, 10 for a tenth: every tenth line, claim, statement, run and input.
        jobs: processes to spread them over.
        tick: told of progress.
        keep: the folder of finished parts, which are not made again by the same code; none is kept without one.

    Raises:
        InputError: for a share or jobs below 1.

    """
    for name, value in (("share", share), ("jobs", jobs)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise InputError(name, value, "an integer from 1 on")
    tick("drawing mutants", 0, 1)
    statements, runs = drawn(share), run_mutants(share * _RUNS_EVERY)
    # Statements that share a climb are next to each other.
    ordered = sorted(statements.decided, key=lambda each: (each.adapter, each.constants))
    work: dict[Layer, list[tuple[Any, ...]]] = {
        "proof": [(_proofs, share * _PROOFS, share * part) for part in range(_PROOFS)],
        "reading": [(_readings, share), (_gallery,)],
        "input": [(_inputs, part) for part in _parts(malformed(share))],
        "falsification": [(_tried, part) for part in _parts(ordered)],
        "measurement": [(_tried, part) for part in _parts(runs)],
        "engines": [(_engines, share * _PARTS, share * part) for part in range(_PARTS)],
    }
    calls = [
        Call(
            f"{layer}, part {place} of {len(parts)}",
            _kept,
            (keep and keep / _code() / str(share) / f"{layer}-{place}.json", *part),
            10.0 if layer == "input" else 1.0,
        )
        for layer, parts in work.items()
        for place, part in enumerate(parts, 1)
    ]
    with Running(calls, engine_of(jobs), tick) as running:
        found = [trial for part in running.results() for trial in part]
    return Survey(tuple(found), statements.undecided)


@cache
def _code() -> str:
    """A hash of all that the trials depend on of ours: the package, and the papers."""
    digest = hashlib.sha256()
    for root in (Path(__file__).parents[1], *(paper.folder for paper in papers().values())):
        for path in sorted(root.rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _kept(path: Path | None, function: Callable[..., list[Trial]], *arguments: Any) -> list[Trial]:
    """What the function finds, from the file that has it if there is one."""
    if path is None:
        return function(*arguments)
    try:
        return [Trial(**row) for row in parse_json(read_text(path, _MOST))]
    except (OSError, ValueError, TypeError):
        # There is none, or it is not whole.
        found = function(*arguments)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, json.dumps([as_json(trial) for trial in found]).encode())
    return found


def _parts(items: Sequence[Any]) -> list[Sequence[Any]]:
    size = -(-len(items) // _PARTS)
    return [items[first : first + size] for first in range(0, len(items), size)] if items else []


def _tried(mutants: Iterable[Mutant]) -> list[Trial]:
    # One thread: the pool has as many processes as there are cores.
    torch.set_num_threads(1)
    return [tried(mutant) for mutant in mutants]


def _proofs(every: int, first: int) -> list[Trial]:
    return _tried([*false_mutants(every, first), *true_variations(every, first)])


def _readings(every: int) -> list[Trial]:
    return _tried(islice(rereadings(), 0, None, every))


def _gallery() -> list[Trial]:
    return _tried(gallery())


def _engines(every: int, first: int) -> list[Trial]:
    return _tried(examinations(every, first))


def _inputs(inputs: Sequence[Malformed]) -> list[Trial]:
    return list(input_trials(inputs))
