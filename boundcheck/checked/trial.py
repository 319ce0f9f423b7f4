"""A trial of boundcheck: something is tried of which it is known what must come out, and the record says what did.

A `Mutant` is put to one layer. Its truth is decided before the layer sees it: by an exact witness where it is false, by
how it is made where it is true. An input or a command under attack must end in one line or as if nothing had happened.

Inputs are tried in processes, within a limit of memory and of time. The memory limit is on addresses (RLIMIT_AS). It is
set after Python, torch and boundcheck are imported, and counts from what they have mapped. The peak memory of an input
is the peak of the process, as Linux reports it. An input that takes too long is killed with its process, and another
process tries the next. Time is that of processors, so that a machine with other work finds the same; what waits and
does nothing ends by the clock.
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
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, replace
from functools import partial
from io import StringIO
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from time import perf_counter
from typing import Any, ClassVar, Literal, NamedTuple, Protocol

import psutil
import torch

from boundcheck.errors import BoundcheckError
from boundcheck.system.child import watched

# Characters of a line that a person still reads.
_LONGEST = 1000

Layer = Literal["proof", "reading", "input", "falsification", "measurement", "engines", "attack"]


@dataclass(frozen=True)
class Answer:
    """The answer of a layer about a mutant.

    Attributes:
        outcome: as in a `Trial`.
        accepts: whether it vouches for the mutant, which is wrong of a false one.
        rejects: whether it says that the mutant is false, which is wrong of a true one.
        seconds: what work that mutants share has taken, which counts in the time of each.

    """

    outcome: str
    accepts: bool
    rejects: bool
    seconds: float = 0.0


@dataclass(frozen=True)
class Trial:
    """The record of something that was tried: what is known of it, and what came out.

    Attributes:
        layer: which kind of evidence was asked.
        subject: the id of the claim, the line of a proof script, the input, or the command that was attacked.
        kind: the kind of change, input or attack; "true variation: ..." of what stays true; of a claim that engines are
            examined on with ", not known" where neither is known.
        change: the change in words, such as "bound by 17/25".
        true: whether the mutant is true; also of a claim of which nothing is known, of an input that was read, and of a
            command under attack.
        witness: of a false one, the exact instance on which it fails, in one line; of a true one, why it is true; of an
            input or a command, what it said; then the traceback of a layer that died.
        outcome: what the layer said, or how the input or the command ended; "traceback" where the layer died.
        wrong: the unforgivable: a false statement, or one that reads as another, called proved, a run called supported
            whose constants, hypotheses or claim were false, or a true statement called refuted or violated; two engines
            that contradict each other; an input that ends in anything but one line or a reading; work that is lost.
        caught: a false one that the layer showed to be false; of a proof also "not proved"; of an input "one line".
        seconds: how long the layer took.
        mebibytes: of input, the most memory that it took beyond what was there before.

    """

    layer: Layer
    subject: str
    kind: str
    change: str
    true: bool
    witness: str
    outcome: str
    wrong: bool
    caught: bool
    seconds: float
    mebibytes: float = 0.0


@dataclass(frozen=True)
class Mutant(ABC):
    """Something with one place changed, whose truth is decided. The fields are those of a `Trial`."""

    layer: ClassVar[Layer]
    subject: str
    kind: str
    change: str
    true: bool
    witness: str

    @abstractmethod
    def ask(self) -> Answer:
        """Ask the layer about it."""

    def __str__(self) -> str:
        return f"{self.subject}: {self.kind}, {self.change}; {self.witness}"

    def tried(self) -> Trial:
        """Put it to its layer. A layer that dies of it is wrong, and the next mutant is tried."""
        began = perf_counter()
        try:
            answer = self.ask()
        except Exception:
            said = f"{self.witness}; {traceback.format_exc(limit=-3)}"
            died = self.recorded(Answer("traceback", accepts=False, rejects=False), perf_counter() - began)
            return replace(died, witness=said, wrong=True)
        return self.recorded(answer, perf_counter() - began + answer.seconds)

    def recorded(self, answer: Answer, seconds: float) -> Trial:
        """The record of an answer: to vouch for a false mutant or to reject a true one is wrong."""
        wrong = answer.rejects if self.true else answer.accepts
        known = (self.layer, self.subject, self.kind, self.change, self.true, self.witness)
        return Trial(*known, answer.outcome, wrong, caught=answer.rejects and not self.true, seconds=seconds)


class Tryable(Protocol):
    """A mutant, or an attack on a command."""

    def tried(self) -> Trial:
        """Try it; whatever goes wrong is in the record."""


def tried(make: Callable[..., Iterable[Tryable]], *arguments: Any) -> list[Trial]:
    """The trials of what is made, one after the other in one thread: a pool has as many processes as cores."""
    torch.set_num_threads(1)
    return [each.tried() for each in make(*arguments)]


def is_line(text: str) -> bool:
    """True if a person can read it as one line."""
    return text.isprintable() and len(text) <= _LONGEST


def varied(kind: str) -> str:
    """The kind of a change that keeps a true statement true."""
    return f"true variation: {kind}"


# Inputs, tried in processes within limits

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
    """The end of an input: what was changed, and the worst of what came of it, in the process and on the command line.

    Beside it stand the line that refused it, or what went wrong; seconds of processors; and the most memory that it
    took beyond what was there before, where Linux says so.
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
    program = f"from boundcheck.checked.trial import serve; serve({other.fileno()})"
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
