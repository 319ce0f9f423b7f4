"""Attacks on commands: killed, short of disk, given damaged files, or run twice at a time. No work may be lost.

A trial is one subject under one attack. Its end is held against that of the same command which nobody attacked.

Right is what came out as if nothing had happened, byte by byte, and what was refused in one line, if the same command
then does so. Everything else is wrong: a traceback, several lines, a process that hangs or stays behind, a file that is
lost, torn, left over or written through a link, another result.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from random import Random
from threading import Lock

from boundcheck.checked.attacked import SUBJECTS, WAYS, End, Running, Trouble
from boundcheck.checked.trial import Trial, is_line
from boundcheck.errors import BoundcheckError
from boundcheck.system.files import UNFINISHED

KINDS = {
    "kill": "killed at a write (SIGKILL)",
    "SIGKILL": "killed at a moment (SIGKILL)",
    "SIGTERM": "stopped at a moment (SIGTERM)",
    "SIGINT": "stopped at a moment (Ctrl-C)",
    "full disk": "a disk that is full from a write on",
    "torn": "a disk that is full in the middle of a file",
    "read-only": "a disk that is read-only from a write on",
    "failing disk": "a write that fails once (I/O error)",
    "no permission": "a write that fails once (no permission)",
    "damage": "a file that is damaged, or no file",
    "race": "two processes in one folder",
}
"""The kinds of attacks, in words."""
SAME, LINE, READ = "as if nothing had happened", "one line", "read as what it says"
# Times of an undisturbed end, and seconds more, after which a process hangs.
_PATIENCE, _LEAST = 20.0, 60.0
_SIGNALS = ("SIGKILL", "SIGTERM", "SIGINT")
_NONE = Trouble("none")
# How often each kind of attack is made on a subject; of a damage, in each way.
_DISK, _MOMENTS, _SIGNALLED, _DAMAGES, _RACES = 10, 50, 5, 4, 2
# How often each kind of attack is made at least: a page that counts no races says nothing about them.
_FEW = 3
_LEFT_OVER = (UNFINISHED, ".partial", ".tmp")
Files = dict[str, bytes | str]


@dataclass(frozen=True)
class Attack:
    """An attack, which follows from its fields alone.

    Attributes:
        subject: who is attacked.
        kind: "damage", "race", the name of a signal, which comes at any moment, or the kind of a `Trouble`.
        way: of a damage.
        seed: of what is left to chance: the file and the place in it, the number of the write, or the moment.

    """

    subject: str
    kind: str
    seed: int
    way: str = ""

    def tried(self) -> Trial:
        """Attack the subject in a folder of its own."""
        with _LOCK:
            # Threads that attack one subject at a time share it.
            truth = _truth(self.subject)
        began = time.perf_counter()
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
            world = shutil.copytree(truth.before, Path(name) / "world", symlinks=True)
            made = _Made(self, truth, world, Random(repr(self)))
            try:
                outcome, wrong = made.outcome(), False
            except _WrongError as error:
                outcome, wrong = str(error), True
            said = " / ".join(made.lines[-6:] if wrong else made.lines[-1:])
        seconds = time.perf_counter() - began
        return Trial("attack", self.subject, KINDS[self.kind], made.change, True, said, outcome, wrong, False, seconds)


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
    if not subject.prints:
        troubles = ("kill", "full disk", "torn", "read-only", "failing disk", "no permission")
        yield from (Attack(name, kind, seed) for seed in range(_DISK) for kind in troubles)
        yield from (Attack(name, "race", seed) for seed in range(_RACES))
    if subject.is_long:
        yield from (Attack(name, "SIGKILL", seed) for seed in range(_MOMENTS))
        yield from (Attack(name, kind, seed) for seed in range(_SIGNALLED) for kind in ("SIGTERM", "SIGINT"))


class _WrongError(Exception):
    """Something went wrong."""


@dataclass(frozen=True)
class _Truth:
    """A subject that nobody attacks: what it finds, what it leaves, and how it ended."""

    before: Path
    found: Files
    left: Files
    end: End


class _Made:
    """An attack under way."""

    def __init__(self, attack: Attack, truth: _Truth, world: Path, random: Random) -> None:
        self.attack, self.truth, self.world, self.random = attack, truth, world, random
        self.subject, self.change, self.lines = SUBJECTS[attack.subject], attack.way, list[str]()
        # The codes with which the command may end if nobody attacks it, and another process may have run it before.
        self.well = (0, 2) if self.subject.once else (0,)

    def outcome(self) -> str:
        """Make the attack and judge its end; raises _WrongError."""
        kind, truth = self.attack.kind, self.truth
        if kind == "damage":
            return self._damaged()
        if kind == "race":
            self.change = "two processes at a time"
            both = [Running(self.attack.subject, self.world, _NONE, f"racer{i}") for i in range(2)]
            for running in both:
                self._ended(running, self.well)
            self._check_same(_files(self.world))
            return SAME
        if kind in _SIGNALS:
            number, moment = signal.Signals[kind], self.random.random() * truth.end.seconds
            self.change = f"{number.name} after {moment:.2f} s"
            running = Running(self.attack.subject, self.world, _NONE, "attacked")
            time.sleep(moment)
            running.send(number)
            killed = (-signal.SIGKILL if number == signal.SIGKILL else 128 + number, -number)
            end = self._ended(running, (*killed, 0))
        else:
            trouble = Trouble(kind, self.random.randint(1, max(truth.end.writes, 1)))
            self.change = f"at write {trouble.at} of {truth.end.writes}"
            running = Running(self.attack.subject, self.world, trouble, "attacked")
            end = self._ended(running, (-signal.SIGKILL, 0) if kind == "kill" else (2, 0))
        # What was there before is there, as it was or as the command makes it. What it removes at its end, such as a
        # checkpoint, it may replace before; the second run reads it.
        now = _files(self.world)
        for name, content in truth.found.items():
            if name in truth.left and now.get(name) not in (content, truth.left[name]):
                raise _WrongError(f"{name} was {'torn' if name in now else 'lost'}")
        self._ended(Running(self.attack.subject, self.world, _NONE, "again"), self.well)
        self._check_same(_files(self.world))
        return LINE if end.code == 2 else SAME

    def _damaged(self) -> str:
        subject = self.subject
        pattern = self.random.choice(subject.reads)
        found = sorted(each for each in self.world.glob(pattern) if each.is_file())
        if not found:
            raise BoundcheckError(f"{subject.name} finds no {pattern}, which it is said to read")
        path = self.random.choice(found)
        name = path.relative_to(self.world).as_posix()
        other = path
        for mine, theirs in subject.twin.items():
            place = "/".join(name.split("/")[: mine.count("/") + 1])
            if fnmatch(place, mine):
                other = self.world / (theirs + name[len(place) :])
                break
        if other == path or not other.is_file():
            # It has none of its kind.
            other = next(each for each in sorted(self.world.rglob("*")) if each.is_file() and each != path)
        self.change = f"{name}: {self.attack.way}"
        WAYS[self.attack.way](self.random, path, other)
        before = _files(self.world)
        end = self._ended(Running(self.attack.subject, self.world, _NONE, "attacked"), (0, 2))
        after = _files(self.world)
        for each, content in before.items():
            # What was refused is as it was; no other file is touched, such as the one at the end of a link.
            own = self.truth.left.get(each) != self.truth.found.get(each)
            if each != name and not own and after.get(each) != content:
                raise _WrongError(f"{each} was changed")
        if end.code == 2 or pattern in subject.authored:
            self._check_nothing_left_over(after)
            return LINE if end.code == 2 else READ
        self._check_same(after, frozenset({name}))
        if subject.prints and end.printed != self.truth.end.printed:
            raise _WrongError("something else was printed")
        return SAME

    def _ended(self, running: Running, codes: tuple[int, ...]) -> End:
        """The end of a process, which must have one of these codes and no fault."""
        end = running.end(self.truth.end.seconds * _PATIENCE + _LEAST)
        self.lines = end.lines or self.lines
        if fault := fault_of(end, codes):
            raise _WrongError(fault)
        return end

    def _check_same(self, now: Files, aside: frozenset[str] = frozenset()) -> None:
        self._check_nothing_left_over(now)
        names = {name for name in now.keys() | self.truth.left.keys() if now.get(name) != self.truth.left.get(name)}
        if names - aside:
            raise _WrongError(f"another {sorted(names - aside)[0]}")

    def _check_nothing_left_over(self, now: Files) -> None:
        if left := sorted(name for name in now if name.endswith(_LEFT_OVER)):
            raise _WrongError(f"{left[0]} was left over")


def fault_of(end: End, codes: tuple[int, ...]) -> str | None:
    """The fault in the end of a process that was to end with one of these codes; None if there is none."""
    if end.code is None:
        return "it hangs"
    if "Traceback" in end.said:
        return "a traceback"
    if end.code not in codes:
        return f"it ended with {end.code}"
    if len(end.lines) > 1 or not all(map(is_line, end.lines)):
        return "several lines"
    if end.code == 2 and not end.lines:
        return "no line"
    return "a process stayed behind" if end.orphans else None


_LOCK = Lock()
_KEPT = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)


@cache
def _truth(name: str) -> _Truth:
    root = Path(_KEPT.name) / re.sub(r"\W", "_", name)
    (before := root / "before").mkdir(parents=True)
    made = Running(name, before, _NONE, "prepare", "prepare").end(_LEAST * _PATIENCE)
    world = shutil.copytree(before, root / "world")
    end = Running(name, world, _NONE, "truth").end(_LEAST * _PATIENCE)
    if made.code != 0 or end.code != 0:
        raise BoundcheckError(f"{name}, which nobody attacked, ended with {end.code}: {made.said}{end.said}")
    # The first of all includes what every process imports.
    again = shutil.copytree(before, root / "again" / "world")
    seconds = Running(name, again, _NONE, "truth").end(_LEAST * _PATIENCE).seconds
    return _Truth(before, _files(before), _files(world), replace(end, seconds=seconds))


def _files(folder: Path) -> Files:
    """The files of a folder but hidden ones, which are locks and caches: the content of each, or what else it is."""
    found: Files = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if any(part.startswith(".") for part in name.parts) or (path.is_dir() and not path.is_symlink()):
            continue
        if path.is_symlink():
            found[name.as_posix()] = f"a link to {os.readlink(path)}"
        else:
            found[name.as_posix()] = path.read_bytes() if path.is_file() else "no file"
    return found
