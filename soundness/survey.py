"""All trials, spread over processes, and their counts: what `boundcheck soundness` and `boundcheck
reliability` report.

Each layer makes its trials in parts. A part of soundness that is finished is kept until the report
is written, so that a survey that was killed goes on where it was.
"""

import csv
import hashlib
import io
import json
import platform
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any, ClassVar

import psutil

import boundcheck
from boundcheck.errors import check_count
from boundcheck.experiment.coverage import clopper_pearson
from boundcheck.proofs import papers
from boundcheck.system.executors import Call, Running, engine_of
from boundcheck.system.files import parse_json, read_text, replace_file
from boundcheck.system.limits import Tick, silent
from boundcheck.version import __version__
from soundness.attacks import KINDS, LINE, READ, SAME, SUBJECTS, attacks
from soundness.inputs import malformed
from soundness.proofs import mutants
from soundness.readings import gallery, rereadings
from soundness.runs import run_mutants
from soundness.sequents import sequents
from soundness.smoothness import drawn
from soundness.statements import examinations
from soundness.trial import Layer, Trial, tried

LAYERS: dict[Layer, str] = {
    "proof": "a changed line of a proof, or a changed claim with its whole script",
    "statement": (
        "what a claim, or a changed one, says to the kernel, held against the claim as exact runs"
        " evaluate it"
    ),
    "reading": (
        "a script, claim, witness, file or page that would mislead, and letters renamed or given"
        " another role"
    ),
    "input": "a malformed spec, number, claim, instance, run, text or model's folder",
    "falsification": "a changed claim about an adapter's smoothness",
    "measurement": "a run with a planted fault",
    "engines": (
        "a theorem at a multiple of its constant, under more, fewer or edited hypotheses, put to"
        " every engine"
    ),
}
"""The layers whose verdicts are tried, and what each is asked about."""
CONFIDENCE = 0.95
"""The confidence of each upper limit for the share of verdicts that are wrong."""
# Lines, statements, inputs, runs and claims are split into so many parts. A run takes half a
# second: a third is tried.
_PARTS = 32
_RUNS_EVERY = 3
# A thread cannot be stopped: it ends with its part, which is a few seconds of inputs.
_INPUTS = 256
# A process that tries a part of the lines runs the proofs of all papers before, which takes a
# minute and the memory for which loky replaces it afterwards.
_PROOFS = 6
_SEQUENTS = 4
# Bytes of a part that is kept.
_MOST = 2**26


@dataclass(frozen=True)
class Survey(ABC):
    """The trials, in an order that never changes, and what they add up to."""

    # What the table of all trials calls each field of one, and the digits of its seconds.
    columns: ClassVar[dict[str, str]]
    digits: ClassVar[int]
    trials: tuple[Trial, ...]

    @property
    def wrong(self) -> tuple[Trial, ...]:
        """The trials that went wrong."""
        return tuple(trial for trial in self.trials if trial.wrong)

    @abstractmethod
    def as_json(self) -> dict[str, Any]:
        """The figures, and every trial that went wrong."""

    def rows(self, trials: Iterable[Trial]) -> list[dict[str, Any]]:
        """The fields of trials, as the tables call them."""
        return [
            {column: getattr(trial, name) for column, name in self.columns.items()}
            for trial in trials
        ]

    def as_csv(self) -> bytes:
        """A row for each trial."""
        out = io.StringIO()
        writer = csv.DictWriter(out, list(self.columns), lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            row | {"seconds": f"{row['seconds']:.{self.digits}f}"} for row in self.rows(self.trials)
        )
        return out.getvalue().encode()


@dataclass(frozen=True)
class Soundness(Survey):
    """The rate of wrong verdicts.

    Attributes:
        undecided: mutants of statements that are neither shown to be false nor true by
            construction, and not tried.
        made: the day on which they were tried.

    """

    columns: ClassVar[dict[str, str]] = {each.name: each.name for each in fields(Trial)}
    digits = 3
    undecided: int = 0
    made: str = field(default_factory=lambda: date.today().isoformat())

    def of(self, layer: Layer, true: bool) -> tuple[Trial, ...]:
        """The trials of the true, or of the false, mutants of a layer."""
        return tuple(trial for trial in self.trials if trial.layer == layer and trial.true == true)

    def as_json(self) -> dict[str, Any]:
        """The figures, each rate with its upper confidence limit, when they were made, and every
        wrong verdict.

        For each kind of change to a false mutant: how many, the share caught, and the time to
        catch, by layer.
        """

        def rates(trials: Sequence[Trial]) -> dict[str, Any]:
            wrong = sum(trial.wrong for trial in trials)
            # One-sided, and exact for trials that are drawn one by one from what could be made.
            at_most = clopper_pearson(wrong, len(trials), 1 - CONFIDENCE)[1] if trials else None
            outcomes = dict(sorted(Counter(trial.outcome for trial in trials).items()))
            return {"tried": len(trials), "wrong": wrong, "at_most": at_most, "outcomes": outcomes}

        layers = {}
        kinds = []
        for layer in LAYERS:
            false = self.of(layer, False)
            true = self.of(layer, True)
            both = (*false, *true)
            most = {
                name: max((getattr(x, name) for x in both), default=0.0)
                for name in ("seconds", "mebibytes")
            }
            caught = {"caught": sum(trial.caught for trial in false)}
            layers[layer] = {"false": rates(false) | caught, "true": rates(true), "most": most}
            for kind in sorted({trial.kind for trial in false}):
                some = [trial for trial in false if trial.kind == kind]
                seconds = [trial.seconds for trial in some if trial.caught]
                times = {"median": median(seconds), "longest": max(seconds)} if seconds else {}
                row = {
                    "layer": layer,
                    "kind": kind,
                    "tried": len(some),
                    "caught": len(seconds),
                    "seconds": times,
                }
                kinds.append(row)
        return {
            "date": self.made,
            "version": __version__,
            "confidence": CONFIDENCE,
            "false": rates([trial for trial in self.trials if not trial.true]),
            "true": rates([trial for trial in self.trials if trial.true]),
            "layers": layers,
            "kinds": kinds,
            "undecided": self.undecided,
            "wrong": self.rows(self.wrong),
        }


@dataclass(frozen=True)
class Reliability(Survey):
    """The ends of commands that were attacked, and the machine on which that was done."""

    columns: ClassVar[dict[str, str]] = {
        **{name: name for name in ("subject", "kind", "change", "outcome")},
        "said": "witness",
        "wrong": "wrong",
        "seconds": "seconds",
    }
    digits = 2
    machine: dict[str, str] = field(
        default_factory=lambda: {
            "system": f"{platform.system()} {platform.release().split('-')[0]}",
            "machine": platform.machine(),
            "cores": str(psutil.cpu_count()),
            "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
            "python": platform.python_version(),
            "boundcheck": __version__,
        }
    )

    def as_json(self) -> dict[str, Any]:
        """The counts of all, of each kind of attack and of each command; the machine; and what went
        wrong.
        """

        def ends(trials: Sequence[Trial]) -> dict[str, Any]:
            outcomes = Counter(trial.outcome for trial in trials)
            named = {"same": outcomes[SAME], "line": outcomes[LINE], "read": outcomes[READ]}
            return {"tried": len(trials), "wrong": sum(trial.wrong for trial in trials)} | named

        def by(name: str, values: Iterable[str]) -> list[dict[str, Any]]:
            found = (
                (value, [trial for trial in self.trials if getattr(trial, name) == value])
                for value in values
            )
            return [ends(trials) | {name: value} for value, trials in found if trials]

        return {
            "all": ends(self.trials),
            "kinds": by("kind", KINDS.values()),
            "subjects": by("subject", SUBJECTS),
            "machine": self.machine,
            "wrong": self.rows(self.wrong),
        }


def soundness(
    share: int = 1, jobs: int = 1, tick: Tick = silent, keep: Path | None = None
) -> Soundness:
    """Try the mutants of every layer.

    Args:
        share: 1 for all of them, 10 for a tenth: every tenth line, claim, statement, run and input.
        jobs: processes to spread them over.
        tick: told of progress.
        keep: the folder of finished parts, which are not made again by the same code; none is kept
            without one.

    Raises:
        InputError: for a share or jobs below 1.

    """
    _check(share=share, jobs=jobs)

    def batched(items: Sequence[Any], parts: int = _PARTS) -> list[Sequence[Any]]:
        size = max(-(-len(items) // parts), 1)
        return [items[first : first + size] for first in range(0, len(items), size)]

    tick("drawing mutants", 0, 1)
    statements, undecided = drawn(share)
    # Statements that share a climb are next to each other.
    ordered = sorted(statements, key=lambda each: (each.adapter, each.constants))
    # Of lines, claims and scripts a process is sent a few numbers alone, and makes its share of
    # them anew.
    work: dict[Layer, list[tuple[Any, ...]]] = {
        "proof": [(tried, mutants, share * _PROOFS, share * part) for part in range(_PROOFS)],
        "statement": [
            (tried, sequents, share * _SEQUENTS, share * part) for part in range(_SEQUENTS)
        ],
        "reading": [(tried, rereadings, share), (tried, gallery)],
        "input": [(tried, list, part) for part in batched(malformed(share), _INPUTS)],
        "falsification": [(tried, list, part) for part in batched(ordered)],
        "measurement": [(tried, list, part) for part in batched(run_mutants(share * _RUNS_EVERY))],
        "engines": [(tried, examinations, share * _PARTS, share * part) for part in range(_PARTS)],
    }
    folder = keep and keep / _code() / str(share)
    calls: dict[bool, list[Call]] = {False: [], True: []}
    for layer, parts in work.items():
        for place, part in enumerate(parts, 1):
            path = folder and folder / f"{layer}-{place}.json"
            calls[layer == "input"].append(
                Call(f"{layer}, part {place} of {len(parts)}", _kept, (path, *part))
            )
    # Each input is tried in a process of its own, and the threads share what they compare it with.
    with ThreadPoolExecutor(jobs) as threads:
        trials = *_made(calls[False], jobs, tick), *_made(calls[True], threads, tick)
    return Soundness(trials, undecided)


def reliability(share: int = 1, jobs: int = 1, tick: Tick = silent) -> Reliability:
    """Make the attacks.

    Args:
        share: 1 for all of them, 10 for every tenth; a few at least of each kind.
        jobs: how many at a time.
        tick: told of progress.

    Raises:
        InputError: for a share or jobs below 1.

    """
    _check(share=share, jobs=jobs)
    calls = [Call(KINDS[attack.kind], tried, (list, [attack])) for attack in attacks(share)]
    with ThreadPoolExecutor(jobs) as threads:
        return Reliability(_made(calls, threads, tick))


def _check(**counts: int) -> None:
    for name, value in counts.items():
        check_count(name, value)


def _made(calls: Sequence[Call], executor: int | Executor, tick: Tick) -> tuple[Trial, ...]:
    with Running(calls, engine_of(executor), tick) as running:
        return tuple(trial for part in running.results() for trial in part)


@cache
def _code() -> str:
    """A hash of all that the trials depend on of ours: the package, the papers, and what is
    here.
    """
    digest = hashlib.sha256()
    package = Path(boundcheck.__file__).parent
    here = Path(__file__).parent
    for root in (package, here, *(paper.folder for paper in papers().values())):
        for path in sorted(root.rglob("*.py")):
            digest.update(
                path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0"
            )
    return digest.hexdigest()[:16]


def _kept(path: Path | None, function: Callable[..., list[Trial]], *arguments: Any) -> list[Trial]:
    """The trials that the function makes, from the file that has them if there is one."""
    if path is None:
        return function(*arguments)
    try:
        return [Trial(**row) for row in parse_json(read_text(path, _MOST))]
    except (OSError, ValueError, TypeError):
        # There is none, or it is not whole.
        found = function(*arguments)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, json.dumps([asdict(trial) for trial in found]).encode())
    return found
