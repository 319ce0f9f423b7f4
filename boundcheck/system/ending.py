"""The end of a command: bad input, a signal and a failing sink become one line and an exit code,
and no traceback.
"""

import errno
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from io import TextIOWrapper
from threading import Timer
from types import FrameType
from typing import Any

from boundcheck.errors import BoundcheckError
from boundcheck.shown import visible

_ENDING = (signal.SIGINT, signal.SIGTERM)
# Seconds after which a stop that was lost, or has to wait, comes again.
_AGAIN = 0.02


class Stopped(BaseException):
    """A signal that asks the process to end; its number is the only argument.

    It is no Exception, which code may catch.
    """

    @property
    def exit_code(self) -> int:
        """The exit code for a shell: 128 plus the number of the signal."""
        return 128 + int(self.args[0])


@contextmanager
def stoppable() -> Iterator[None]:
    """Raise `Stopped` at the first Ctrl-C or SIGTERM; a second one ends the process at once."""
    before = {each: signal.signal(each, _stop) for each in _ENDING}
    hook = sys.unraisablehook
    sys.unraisablehook = partial(_lost, hook)
    try:
        yield
    finally:
        sys.unraisablehook = hook
        for each, handler in before.items():
            signal.signal(each, handler)


def _stop(number: int, frame: FrameType | None) -> None:
    while frame is not None:
        # What is cut off between a call of LLVM and the note of who owns the result now is freed
        # twice: the process dies.
        if frame.f_globals.get("__name__", "").startswith("llvmlite"):
            _stop_again(number)
            return
        frame = frame.f_back
    for each in _ENDING:
        signal.signal(each, signal.SIG_DFL)
    raise Stopped(number)


def _lost(others: Callable[[Any], object], unraisable: Any) -> None:
    """Raise a stop again a little later if it came where none is raised, as in a function that C
    calls to compile.
    """
    stopped = unraisable.exc_value
    if not isinstance(stopped, Stopped):
        others(unraisable)
        return
    (number,) = stopped.args
    signal.signal(number, _stop)
    _stop_again(number)


def _stop_again(number: int) -> None:
    again = Timer(_AGAIN, os.kill, (os.getpid(), number))
    again.daemon = True
    again.start()


# The exit code for a shell of a program that SIGPIPE ends.
_PIPE_CLOSED = 141
# What the system says of a disk that is full, a pipe that nobody reads, a device that fails.
_BROKEN = {errno.ENOSPC, errno.EDQUOT, errno.EPIPE, errno.EIO, errno.EBADF}


@contextmanager
def open_streams() -> Iterator[None]:
    """Make sure that stdout and stderr are there, whatever they were started with, and can print
    any name of any file.

    A sink that fails ends the program with one line and exit code 2. A pipe whose reader has what
    it wants ends it as
    it does other programs: in silence, by the exit code of its signal.
    """
    for number, name in ((1, "stdout"), (2, "stderr")):
        if getattr(sys, name) is None:
            # A file that is opened later would get its number, and all that is printed.
            _to_nowhere(number)
            setattr(sys, name, os.fdopen(number, "w", encoding="utf-8"))
        if isinstance(stream := getattr(sys, name), TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        yield
        sys.stdout.flush()
    except (OSError, SystemExit) as error:
        # Rich and typer end with 1, which means that something was refuted.
        if any(isinstance(each, BrokenPipeError) for each in (error, error.__context__)):
            for number in (1, 2):
                _to_nowhere(number)
            raise SystemExit(_PIPE_CLOSED) from None
        if isinstance(error, SystemExit) or error.errno not in _BROKEN:
            raise
        say(
            "the output cannot be written"
            f" ({error.strerror}){f': {error.filename}' if error.filename else ''}"
        )
        raise SystemExit(2) from None


@contextmanager
def unheard() -> Iterator[None]:
    """Silence what is written on stderr, also by the processes that are started meanwhile."""
    try:
        kept = os.dup(2)
    except OSError:
        # It is closed.
        yield
        return
    _to_nowhere(2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def say(message: str) -> None:
    """Print one line on stderr, where that takes it; what stdout still holds is lost if it cannot
    be written.
    """
    for stream, text in (
        (sys.stdout, ""),
        (sys.stderr, f"boundcheck: {' '.join(visible(message).split())}\n"),
    ):
        try:
            stream.write(text)
            stream.flush()
        except OSError:
            # Python writes out what is left at its end, and would complain.
            _to_nowhere(stream.fileno())


def _to_nowhere(number: int) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    if nowhere != number:
        os.dup2(nowhere, number)
        os.close(nowhere)


@contextmanager
def in_one_line() -> Iterator[None]:
    """End the program with one line: exit code 2 for bad input and sinks that fail, 128 and its
    number for a signal.
    """
    try:
        with stoppable(), open_streams():
            yield
    except BoundcheckError as error:
        say(str(error))
        raise SystemExit(2) from None
    except Stopped as stopped:
        say("stopped; what is finished is kept, and the same command goes on from there")
        # What is torn down now would complain below that line, as asyncio does of zarr's writes.
        logging.disable()
        raise SystemExit(stopped.exit_code) from None
