"""How a command ends: what a person or the system did wrong becomes one line and an exit code, and no traceback."""

from collections.abc import Iterator
from contextlib import contextmanager

from boundcheck.errors import BoundcheckError
from boundcheck.signals import Stopped, stoppable
from boundcheck.sinks import open_streams, say


@contextmanager
def in_one_line() -> Iterator[None]:
    """End the program in one line: with 2 for bad input and sinks that fail, with 128 and its number for a signal."""
    try:
        with stoppable(), open_streams():
            yield
    except BoundcheckError as error:
        say(str(error))
        raise SystemExit(2) from None
    except Stopped as stopped:
        say("stopped; what is finished is kept, and the same command goes on from there")
        raise SystemExit(stopped.exit_code) from None
