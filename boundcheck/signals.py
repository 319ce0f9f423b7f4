"""What ends a command from outside: Ctrl-C, and the SIGTERM of a system that stops a job."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Timer
from types import FrameType
from typing import Any, NoReturn

_ENDING = (signal.SIGINT, signal.SIGTERM)
# Seconds after which a stop that was lost is raised again.
_AGAIN = 0.02


class Stopped(BaseException):
    """A signal asks the process to end; its number is the only argument. It is no Exception, which code may catch."""

    @property
    def exit_code(self) -> int:
        """What a shell is told: 128 and the number."""
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


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    for each in _ENDING:
        signal.signal(each, signal.SIG_DFL)
    raise Stopped(number)


def _lost(others: Callable[[Any], object], unraisable: Any) -> None:
    """Raise a stop again a little later that came where nothing is raised, as in a function that C calls to compile."""
    stopped = unraisable.exc_value
    if not isinstance(stopped, Stopped):
        others(unraisable)
        return
    (number,) = stopped.args
    signal.signal(number, _stop)
    again = Timer(_AGAIN, os.kill, (os.getpid(), number))
    again.daemon = True
    again.start()
