"""Where what is printed goes: sinks that are closed, full or broken end in one line, and not in a traceback."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper

from boundcheck.shown import visible

# What the system says of a disk that is full, a pipe that nobody reads, a device that fails.
_BROKEN = {errno.ENOSPC, errno.EDQUOT, errno.EPIPE, errno.EIO, errno.EBADF}


@contextmanager
def open_streams() -> Iterator[None]:
    """Let stdout and stderr be there, whatever they were started with, and print any name of any file.

    A sink that fails ends the program with one line and exit code 2.
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
    except OSError as error:
        if error.errno not in _BROKEN:
            raise
        say(f"the output cannot be written ({error.strerror}){f': {error.filename}' if error.filename else ''}")
        raise SystemExit(2) from None


@contextmanager
def unheard() -> Iterator[None]:
    """Let nothing be heard of what is written on stderr, and of the processes that are started meanwhile."""
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
    """One line on stderr, where that takes it; what stdout still holds is lost if it cannot be written."""
    for stream, text in ((sys.stdout, ""), (sys.stderr, f"boundcheck: {' '.join(visible(message).split())}\n")):
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
