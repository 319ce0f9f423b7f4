"""A call in a process of its own, within limits, and how it ended.

The process is forked from one that has imported everything. It has a folder to itself, and ends as
a command does. The memory limit is on addresses (RLIMIT_AS), and counts from what is mapped when
the call begins. The time limit is on that of processors, so that a machine with other work finds
the same; what waits and does nothing ends by the clock. Peak memory is that of the process, as
Linux reports it.
"""

from __future__ import annotations

import fcntl
import json
import math
import multiprocessing
import os
import re
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from functools import cache
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerContext
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import torch

from boundcheck.__main__ import main
from boundcheck.errors import BoundcheckError
from boundcheck.system.child import end_with
from boundcheck.system.ending import in_one_line

IMPORTED = [
    "boundcheck.cli",
    "boundcheck.experiment.bracket",
    "boundcheck.experiment.experiment",
    "boundcheck.functions.networks.corpora",
    "boundcheck.functions.networks.gpt",
    "boundcheck.present.page",
    "boundcheck.present.paper",
    "boundcheck.present.sections",
    "boundcheck.proof.audit",
    "boundcheck.worst_case.search",
    "soundness.attacks",
    "soundness.inputs",
]
"""What most commands import; the process from which the others are forked has done so."""
# What models' folders need besides, where it is installed: it would else take ten times as long as
# all the rest.
_MODELS = [
    "boundcheck.functions.networks.bridge",
    *(
        f"transformers.models.{name}"
        for name in ("bert.modeling_bert", "bert.tokenization_bert", "gpt2.modeling_gpt2")
    ),
]
# Seconds for processes that one leaves behind to end; characters of a line that a person still
# reads.
_GRACE = 20.0
_LONGEST = 1000
_STREAMS = ("stdout", "stderr")
_ROOM = 2**20
# One thread at a time asks how processes ended: to start one asks it of all, and whoever asks
# second of one that has just ended would read that it ended with 255.
_ASKING = Lock()
Armed = Callable[[list[str]], AbstractContextManager[object]]
"""Lets something happen to a process, and adds what it writes to a list."""


class Limits(NamedTuple):
    """The most that a call may take: seconds of processors, how many times as long by the clock,
    and bytes.

    The bytes are those beyond what is mapped before it.
    """

    seconds: float = 20.0
    size: int = 2**31
    patience: float = 8.0


LIMITS = Limits()
"""The limits for the input of a user."""


@dataclass(frozen=True)
class End:
    """The end of a process: all that it said on stderr and printed on stdout, and how many writes
    it came to.

    Its code is the number of the signal that ended it, below 0, and None of one that took too long.
    `orphans` says whether it left processes behind, `spent` the seconds of processors that it took,
    and `mebibytes` the most memory beyond what was there before; both are 0 of a process that was
    killed.
    """

    code: int | None
    said: str
    printed: str
    seconds: float
    writes: int
    orphans: bool
    spent: float = 0.0
    mebibytes: float = 0.0

    @property
    def lines(self) -> list[str]:
        """The lines that it said."""
        return [line for line in self.said.splitlines() if line.strip()]


def fault_of(end: End, codes: tuple[int, ...] = (0, 2)) -> str | None:
    """The fault in the end of a process that was to end with one of these codes; None if there is
    none.
    """
    if end.code in (None, -signal.SIGXCPU):
        return "it hangs"
    # torch raises a RuntimeError, and the system an OSError.
    if re.search("MemoryError|allocate memory", end.said):
        return "too much memory"
    if "Traceback" in end.said:
        return "a traceback"
    if end.code not in codes:
        return f"it ended with {end.code}"
    if len(end.lines) > 1 or not all(
        line.isprintable() and len(line) <= _LONGEST for line in end.lines
    ):
        return "several lines"
    if end.code == 2 and not end.lines:
        return "no line"
    return "a process stayed behind" if end.orphans else None


class Running:
    """A call that runs in the folder `world`; beside it, under a name, is written what it says."""

    def __init__(
        self,
        call: Callable[[], object],
        world: Path,
        name: str,
        limits: Limits,
        armed: Armed = nullcontext,
    ) -> None:
        self._beside = world.parent / name
        self._began = time.perf_counter()
        self._heard = list[int]()
        self._beside.mkdir()
        for stream in _STREAMS:
            # Of all that a process writes pipes alone have room when a disk has none. They are read
            # once their writer has ended; what they hold until then is less than they have room
            # for.
            os.mkfifo(self._beside / stream)
            self._heard.append(os.open(self._beside / stream, os.O_RDONLY | os.O_NONBLOCK))
            if sys.platform == "linux":
                fcntl.fcntl(self._heard[-1], fcntl.F_SETPIPE_SZ, _ROOM)
        self._process = _context().Process(
            target=_run, args=(call, world, self._beside, limits, armed)
        )
        with _ASKING:
            self._process.start()

    def send(self, number: int) -> None:
        """Send it a signal."""
        if self._exitcode() is None and self._process.pid:
            os.kill(self._process.pid, number)

    def end(self, seconds: float) -> End:
        """Wait for it, at most so long; then it is killed, and after a while all processes of its
        group.
        """
        wait([self._process.sentinel], seconds)
        code = self._exitcode()
        took = time.perf_counter() - self._began
        orphans = False
        deadline = time.monotonic() + (_GRACE if code is not None else 0.0)
        with suppress(ProcessLookupError):
            while self._process.pid:
                os.killpg(self._process.pid, 0)
                if time.monotonic() > deadline:
                    os.killpg(self._process.pid, signal.SIGKILL)
                    wait([self._process.sentinel])
                    orphans = code is not None
                    break
                time.sleep(0.02)
        texts = []
        for descriptor in self._heard:
            with os.fdopen(descriptor, "rb") as pipe:
                texts.append((pipe.read() or b"").decode(errors="replace"))
        printed, said = texts
        if code in (0, 1) and not (self._beside / "begun").exists():
            raise BoundcheckError(
                f"a worker of the survey ended with {code} before it tried {self._beside.name}"
            )
        taken = self._beside / "taken"
        counts = json.loads(taken.read_text()) if taken.exists() else (0, 0.0, 0.0)
        return End(code, said, printed, took, counts[0], orphans, *counts[1:])

    def _exitcode(self) -> int | None:
        with _ASKING:
            return self._process.exitcode


def ended(
    call: Callable[[], object], world: Path, name: str = "ended", limits: Limits = LIMITS
) -> End:
    """The end of a call, which can be pickled, within limits."""
    return Running(call, world, name, limits).end(limits.seconds * limits.patience)


def command(*arguments: str) -> None:
    """Run `boundcheck` as `python -m boundcheck` does."""
    sys.argv = ["boundcheck", *arguments]
    main()


@cache
def _context() -> ForkServerContext:
    made = multiprocessing.get_context("forkserver")
    made.set_forkserver_preload([*IMPORTED, *_MODELS])
    return made


def _run(
    call: Callable[[], object], world: Path, beside: Path, limits: Limits, armed: Armed
) -> None:
    # Its own parent is the server that forks, which ends with the process that asked for this one.
    end_with(os.getppid())
    if (asking := multiprocessing.parent_process()) is None or not asking.is_alive():
        return
    (beside / "begun").touch()
    torch.set_num_threads(1)
    os.setsid()
    os.chdir(world)
    for number, name in enumerate(_STREAMS, start=1):
        os.dup2(os.open(beside / name, os.O_WRONLY), number)
        setattr(sys, name, os.fdopen(number, "w", encoding="utf-8", closefd=False))
    # Nothing is kept outside of the folder.
    os.environ |= {
        "HOME": str(world),
        "XDG_CACHE_HOME": str(world / "cache"),
        "BOUNDCHECK_CACHE": str(world / "cache"),
    }
    if mapped := mebibytes("VmSize"):
        resource.setrlimit(resource.RLIMIT_AS, (int(mapped * 2**20) + limits.size,) * 2)
    if limits.seconds < math.inf:
        # At the second limit it would be killed, as by anybody.
        most = math.ceil(limits.seconds)
        resource.setrlimit(resource.RLIMIT_CPU, (most, most + 1))
    forget_peak()
    before = mebibytes("VmRSS")
    writes = list[str]()
    try:
        with in_one_line(), armed(writes):
            call()
    finally:
        taken = len(writes), sum(os.times()[:4]), max(mebibytes("VmHWM") - before, 0.0)
        (beside / "taken").write_text(json.dumps(taken))


@cache
def kept() -> tempfile.TemporaryDirectory[str]:
    """A folder that is there until this process ends."""
    # Made when it is asked for: each process that is forked has imported this file.
    return tempfile.TemporaryDirectory(ignore_cleanup_errors=True)


def mebibytes(name: str) -> float:
    """The size of this process on Linux: VmSize of its addresses, VmRSS of its memory, VmHWM at its
    peak; else 0.
    """
    try:
        found = re.search(rf"^{name}:\s*(\d+) kB", Path("/proc/self/status").read_text(), re.M)
    except OSError:
        return 0.0
    return int(found[1]) / 2**10 if found else 0.0


def forget_peak() -> None:
    """Count the peak of the memory of this process from here on, where Linux can."""
    # Elsewhere the peak is the largest since the process began.
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
