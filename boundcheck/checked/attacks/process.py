"""A subject in a process of its own, from its start to whatever ends it.

The process is forked from one that has imported everything, so that a trial takes no longer than its work.
"""

from __future__ import annotations

import fcntl
import json
import math
import multiprocessing
import os
import signal
import sys
import time
from dataclasses import dataclass
from functools import cache
from multiprocessing.context import ForkServerContext
from pathlib import Path

from boundcheck.checked.attacks.subjects import SUBJECTS
from boundcheck.checked.attacks.troubles import Trouble
from boundcheck.checked.malformed.limits import limit_memory
from boundcheck.experiment import run
from boundcheck.system.child import end_with
from boundcheck.system.ending import in_one_line

# Bytes of addresses beyond those at the start; seconds for processes that a killed one leaves behind to end.
_MEMORY, _GRACE = 2**31, 20.0
_STREAMS, _ROOM = ("stdout", "stderr"), 2**20
_IMPORTED = ("boundcheck.checked.attacks.imported",)


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
        self._beside, self._began = world.parent / name, time.perf_counter()
        self._beside.mkdir()
        # Pipes: of all that a process writes they alone have room when a disk has none.
        self._heard = {name: _pipe(self._beside / name) for name in _STREAMS}
        self._process = _context().Process(target=_run, args=(subject, step, world, trouble, self._beside))
        self._process.start()

    def send(self, number: int) -> None:
        """Send it a signal."""
        if self._process.is_alive() and self._process.pid:
            os.kill(self._process.pid, number)

    def end(self, seconds: float) -> End:
        """Wait for it, at most so long; then it is killed."""
        self._process.join(seconds)
        code, took = self._process.exitcode, time.perf_counter() - self._began
        orphans = not self._is_alone(_GRACE if code is not None else 0.0)
        printed, said = (_all(descriptor) for descriptor in self._heard.values())
        writes = self._beside / "writes"
        count = len(json.loads(writes.read_text())) if writes.exists() else 0
        return End(code, said, printed, took, count, orphans and code is not None)

    def _is_alone(self, seconds: float) -> bool:
        """True if no process of its group is left in so many seconds; those left are killed."""
        deadline = time.monotonic() + seconds
        while self._process.pid:
            try:
                os.killpg(self._process.pid, 0)
            except ProcessLookupError:
                return True
            if time.monotonic() > deadline:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.join()
                return False
            time.sleep(0.02)
        return True


def _pipe(path: Path) -> int:
    """Make a pipe that is read once its writer has ended; what it holds until then is less than it has room for."""
    os.mkfifo(path)
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _ROOM)
    return descriptor


def _all(descriptor: int) -> str:
    with os.fdopen(descriptor, "rb") as pipe:
        return (pipe.read() or b"").decode(errors="replace")


@cache
def _context() -> ForkServerContext:
    made = multiprocessing.get_context("forkserver")
    made.set_forkserver_preload(list(_IMPORTED))
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
