"""Processes that another one starts, and that end when it does, however it ends.

As a program this file becomes another command: ``python -I -S child.py PARENT COMMAND...``. It has
Python's own library alone, so that it is there in milliseconds.
"""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Sequence
from threading import Thread

# Of Linux: the signal that a process gets when its parent ends.
_SET_PARENT_DEATH_SIGNAL = 1
# Seconds between two looks at whether the parent lives, where the system does not tell.
_LOOKS = 0.5


def end_with(parent: int) -> None:
    """Let this process end when its parent does, whose number is `parent`, even if that is killed.

    Linux kills it at once; elsewhere a thread looks twice a second. A parent that has ended already
    ends it here.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    else:
        Thread(target=_watch, args=(parent,), daemon=True).start()
    _end_without(parent)


def watched(command: Sequence[str]) -> list[str]:
    """The command of a process that becomes `command`, and ends with this one on Linux, elsewhere
    by itself.
    """
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *command]


def _watch(parent: int) -> None:
    while True:
        _end_without(parent)
        time.sleep(_LOOKS)


def _end_without(parent: int) -> None:
    # Whose parent ends gets another one.
    if os.getppid() != parent:
        os._exit(1)


if __name__ == "__main__":
    end_with(int(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])
