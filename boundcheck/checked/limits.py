"""A process that tries inputs one after the other, within a limit of memory and of time.

The memory limit is on addresses (RLIMIT_AS). It is set after Python, torch and boundcheck are imported, and counts from
what they have mapped. The peak memory of an input is the peak of the process, as Linux reports it. An input that takes
too long is killed with its process, and another process tries the next. Time is that of processors, so that a machine
with other work finds the same; what waits and does nothing ends by the clock.
"""

from __future__ import annotations

import math
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, replace
from functools import partial
from io import StringIO
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from time import perf_counter
from typing import Literal, NamedTuple, Protocol

import psutil
import torch

from boundcheck.checked.trial import is_line
from boundcheck.errors import BoundcheckError
from boundcheck.system.child import watched

Outcome = Literal["one line", "accepted", "traceback", "several lines", "too long", "too much memory"]

# Seconds for a process to import what it needs; seconds to wait beyond a limit that a child process has; and seconds
# between two looks at the time that a process has taken.
_START, _GRACE, _LOOKS = 300.0, 5.0, 0.2


class Limits(NamedTuple):
    """The most that an input may take: seconds of processors, how many times as long by the clock, and bytes.

    The bytes are those beyond what is mapped before it.
    """

    seconds: float = 20.0
    size: int = 2**31
    patience: float = 8.0


LIMITS = Limits()
"""The limits for the input of a user."""


class Attempt(Protocol):
    """An input, and how it is tried. It can be pickled."""

    def make(self, folder: Path, store: Path) -> str:
        """Write it into a folder of its own and say what was changed; `store` keeps what several inputs share."""

    def attempt(self) -> None:
        """Try it as the command line would, in its folder."""

    def command(self) -> Sequence[str] | None:
        """The arguments of the command line that tries it in its folder; None where that is not asked for."""


@dataclass(frozen=True)
class Found:
    """The end of an input.

    Attributes:
        change: what was changed.
        outcome: the worst of what came of it, in the process and on the command line.
        said: the line that refused it, or what went wrong.
        seconds: how much time of processors it took.
        mebibytes: the most memory that it took beyond what was there before, where Linux says so.

    """

    change: str
    outcome: Outcome
    said: str
    seconds: float
    mebibytes: float = 0.0


def in_processes(attempts: Sequence[Attempt], limits: Limits) -> Iterator[Found]:
    """Each input, tried in a process that is replaced when it is killed or dies."""
    done = 0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        while left := attempts[done:]:
            for found in _in_process(left, limits, Path(name)):
                done += 1
                yield found


def _in_process(attempts: Sequence[Attempt], limits: Limits, root: Path) -> Iterator[Found]:
    """The ends of the first inputs, up to one that ended its process."""
    mine, other = Pipe()
    # Not by multiprocessing, which the processes of a pool cannot use. The session of the process is killed as a whole.
    program = f"from boundcheck.checked.limits import serve; serve({other.fileno()})"
    process = subprocess.Popen(
        watched([sys.executable, "-P", "-c", program]),
        pass_fds=[other.fileno()],
        start_new_session=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    other.close()
    spent = partial(_spent, psutil.Process(process.pid))

    def comes(seconds: float) -> bool:
        """True if a message comes before the process has taken so much time, or its patience by the clock."""
        began, clock = spent(), perf_counter()
        while not mine.poll(_LOOKS):
            if spent() - began > seconds or perf_counter() - clock > limits.patience * seconds:
                return False
        return True

    try:
        mine.send((attempts, limits, root))
        if not mine.poll(_START):
            raise TimeoutError(f"a process that tries inputs has not started within {_START:g} s")
        mine.recv()
        for _ in attempts:
            change, began = "", spent()
            # Three messages: what was changed, what came of it in the process, and on the command line.
            for wait in (limits.seconds, limits.seconds, limits.seconds + _GRACE):
                if not comes(wait):
                    yield Found(change, "too long", "its process was killed", spent() - began)
                    return
                try:
                    message = mine.recv()
                except EOFError:
                    yield Found(change, "traceback", "its process ended by itself", spent() - began)
                    return
                change = message if isinstance(message, str) else change
            yield message
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        mine.close()


def _spent(process: psutil.Process) -> float:
    """Seconds of processors that a process has taken with all that it started; 0 once it has ended."""
    total = 0.0
    with suppress(psutil.Error):
        for each in (process, *process.children(recursive=True)):
            times = each.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def serve(descriptor: int) -> None:
    """Try the inputs that come through a pipe, and send three messages about each; see `_in_process`."""
    pipe: Connection = Connection(descriptor)
    attempts, limits, root = pipe.recv()
    torch.set_num_threads(1)
    os.environ["BOUNDCHECK_CACHE"] = str(root / "cache")
    (store := root / "store").mkdir(exist_ok=True)
    limit_memory(limits.size)
    pipe.send("ready")
    for each in attempts:
        with tempfile.TemporaryDirectory(dir=root, ignore_cleanup_errors=True) as name, chdir(name):
            pipe.send(change := each.make(Path(name), store))
            found = attempted(each, change)
            if found.seconds > limits.seconds:
                found = replace(found, outcome="too long")
            pipe.send(found)
            pipe.send(_on_command_line(each, found, limits))


def attempted(each: Attempt, change: str) -> Found:
    """Try an input in this process and this folder."""
    before = mebibytes("VmRSS")
    forget_peak()
    began, noise = os.times(), StringIO()
    outcome: Outcome = "accepted"
    said = ""
    try:
        # Warnings are lines too, and each input is to show its own.
        with _heard(noise), warnings.catch_warnings():
            each.attempt()
    except BoundcheckError as error:
        said = " ".join(str(error).split())
        outcome = "one line"
        if not is_line(f"boundcheck: {said}") or noise.getvalue().strip():
            outcome, said = "several lines", f"{noise.getvalue()}{said}"
    except Exception as error:
        said = traceback.format_exc(limit=-3)
        # torch raises a RuntimeError, the system an OSError.
        of_memory = isinstance(error, MemoryError) or "allocate memory" in str(error)
        outcome = "too much memory" if of_memory else "traceback"
    seconds = sum(os.times()[:4]) - sum(began[:4])
    return Found(change, outcome, said, seconds, max(mebibytes("VmHWM") - before, 0.0))


def _on_command_line(each: Attempt, found: Found, limits: Limits) -> Found:
    """The end on the command line of an input that was refused: it must be refused there by the same line."""
    if found.outcome != "one line" or (arguments := each.command()) is None:
        return found
    try:
        asked = subprocess.run(
            watched([sys.executable, "-P", "-m", "boundcheck", *arguments]),
            capture_output=True,
            timeout=limits.patience * limits.seconds,
            stdin=subprocess.DEVNULL,
            preexec_fn=partial(resource.setrlimit, resource.RLIMIT_CPU, (math.ceil(limits.seconds),) * 2),
        )
    except subprocess.TimeoutExpired:
        return replace(found, outcome="too long", said="on the command line")
    if -asked.returncode in (signal.SIGXCPU, signal.SIGKILL):
        return replace(found, outcome="too long", said="on the command line")
    lines = asked.stderr.decode(errors="replace").strip()
    if asked.returncode == 2 and lines == f"boundcheck: {found.said}":
        return found
    outcome: Outcome = "traceback" if "Traceback" in lines else "several lines"
    return replace(found, outcome=outcome, said=f"code {asked.returncode}, {lines} for {found.said}")


@contextmanager
def _heard(noise: StringIO) -> Iterator[None]:
    """Keep what Python and C code print on stderr; stdout is lost."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as below, redirect_stderr(noise), redirect_stdout(StringIO()):
        kept = os.dup(2)
        os.dup2(below.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            below.seek(0)
            noise.write(below.read().decode(errors="replace"))


def limit_memory(size: int) -> None:
    """Let this process map so many bytes more than it has mapped, where Linux says how many those are."""
    if mapped := mebibytes("VmSize"):
        resource.setrlimit(resource.RLIMIT_AS, (int(mapped * 2**20) + size,) * 2)


def mebibytes(name: str) -> float:
    """The size of this process on Linux: VmSize of its addresses, VmRSS of its memory, VmHWM at its peak; else 0."""
    try:
        found = re.search(rf"^{name}:\s*(\d+) kB", Path("/proc/self/status").read_text(), re.M)
    except OSError:
        return 0.0
    return int(found[1]) / 2**10 if found else 0.0


def forget_peak() -> None:
    """Count the peak of the memory of this process from here on, where Linux can."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        # The peak is then the largest since the process began.
        return
