"""All trials of reliability, and their counts: what `boundcheck reliability` reports."""

import csv
import io
import platform
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from random import Random
from typing import Any

import psutil

from boundcheck.checked.attacks.damage import WAYS
from boundcheck.checked.attacks.subjects import SUBJECTS
from boundcheck.checked.attacks.trials import KINDS, LINE, READ, SAME, Attack, Trial, tried
from boundcheck.errors import InputError
from boundcheck.progress import Tick, silent
from boundcheck.version import __version__

# How often each kind of attack is made on a subject; of a damage, in each way.
_DISK, _MOMENTS, _SIGNALS, _DAMAGES, _RACES = 10, 50, 5, 4, 2
# How often each kind of attack is made at least: a page that counts no races says nothing about them.
_FEW = 3


@dataclass(frozen=True)
class Survey:
    """The trials, and the machine on which they were made."""

    trials: tuple[Trial, ...]
    machine: dict[str, str]

    @property
    def wrong(self) -> tuple[Trial, ...]:
        """Those that went wrong."""
        return tuple(trial for trial in self.trials if trial.wrong)

    @cached_property
    def kinds(self) -> list[dict[str, Any]]:
        """For each kind of attack how often it was tried, and what came of it."""
        found = [(kind, [trial for trial in self.trials if trial.kind == kind]) for kind in KINDS.values()]
        return [_counted(trials) | {"kind": kind} for kind, trials in found if trials]

    @cached_property
    def subjects(self) -> list[dict[str, Any]]:
        """The same for each subject."""
        found = [(name, [trial for trial in self.trials if trial.subject == name]) for name in SUBJECTS]
        return [_counted(trials) | {"subject": name} for name, trials in found if trials]

    @property
    def total(self) -> dict[str, Any]:
        """The same for all."""
        return _counted(self.trials)

    def as_json(self) -> dict[str, Any]:
        """The counts, the machine, and every trial that went wrong."""
        return {
            "all": self.total,
            "kinds": self.kinds,
            "subjects": self.subjects,
            "machine": self.machine,
            "wrong": [asdict(trial) for trial in self.wrong],
        }

    def as_csv(self) -> bytes:
        """A row for each trial."""
        out = io.StringIO()
        writer = csv.DictWriter(out, [each.name for each in fields(Trial)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(trial) | {"seconds": f"{trial.seconds:.2f}"} for trial in self.trials)
        return out.getvalue().encode()


def _counted(trials: Any) -> dict[str, Any]:
    outcomes = Counter(trial.outcome for trial in trials)
    named = {"same": outcomes[SAME], "line": outcomes[LINE], "read": outcomes[READ]}
    return {"tried": len(trials), "wrong": sum(trial.wrong for trial in trials)} | named


def attacks(share: int = 1) -> list[Attack]:
    """Every attack, or of each kind every n-th and a few at least; always the same, in an order that favours no kind.

    Those of a kind are spread over its ways and over the subjects: each is made on whom it was made least on so far.
    """
    found, order = list[Attack](), Random(0)
    made = [attack for name in SUBJECTS for attack in _on(name)]
    for kind in KINDS:
        left = [attack for attack in made if attack.kind == kind]
        order.shuffle(left)
        wanted = min(len(left), max(-(-len(left) // share), _FEW))
        on, of = Counter(attack.subject for attack in found), Counter[str]()
        for _ in range(wanted):
            chosen = min(left, key=lambda each: (of[each.way], of[each.subject], on[each.subject]))
            left.remove(chosen)
            found.append(chosen)
            of.update((chosen.way, chosen.subject))
    order.shuffle(found)
    return found


def _on(name: str) -> Iterator[Attack]:
    subject = SUBJECTS[name]
    if subject.reads:
        yield from (Attack(name, "damage", seed, way) for seed in range(_DAMAGES) for way in WAYS)
    if subject.writes:
        troubles = ("kill", "full disk", "torn", "read-only", "failing disk", "no permission")
        yield from (Attack(name, kind, seed) for seed in range(_DISK) for kind in troubles)
        yield from (Attack(name, "race", seed) for seed in range(_RACES))
    if subject.is_long:
        yield from (Attack(name, "SIGKILL", seed) for seed in range(_MOMENTS))
        yield from (Attack(name, kind, seed) for seed in range(_SIGNALS) for kind in ("SIGTERM", "SIGINT"))


def survey(share: int = 1, jobs: int = 1, tick: Tick = silent) -> Survey:
    """Make the attacks.

    Args:
        share: 1 for all of them, 10 for every tenth; a few at least of each kind.
        jobs: how many at a time.
        tick: told of progress.

    Raises:
        InputError: for a share or jobs below 1.

    """
    for name, value in (("share", share), ("jobs", jobs)):
        if value < 1:
            raise InputError(name, value, "an integer from 1 on")
    chosen, found = attacks(share), list[Trial]()
    with ThreadPoolExecutor(jobs) as pool:
        for trial in pool.map(tried, chosen):
            found.append(trial)
            tick(trial.kind, len(found), len(chosen))
    return Survey(tuple(found), machine())


def machine() -> dict[str, str]:
    """What the trials ran on."""
    return {
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "machine": platform.machine(),
        "cores": str(psutil.cpu_count()),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "python": platform.python_version(),
        "boundcheck": __version__,
    }
