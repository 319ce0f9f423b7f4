"""What ends a command from outside: Ctrl-C, and the SIGTERM of a system that stops a job."""

import ctypes
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

_ENDING = (signal.SIGINT, signal.SIGTERM)
# Of Linux: the signal that a process gets when its parent ends.
_SET_PARENT_DEATH_SIGNAL = 1


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
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    for each in _ENDING:
        signal.signal(each, signal.SIG_DFL)
    raise Stopped(number)


def end_with_parent() -> None:
    """Let this process end when the one that started it does, even if that is killed; on Linux, elsewhere nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)
