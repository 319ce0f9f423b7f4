"""`watched`: the progress line of a call from a notebook or a prompt, which appears once the call takes two seconds.

In a script whose stderr is no terminal nothing is shown.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Protocol

from rich.progress import Progress

from boundcheck.progress import Tick, silent
from boundcheck.terminal import STDERR, ProgressLine, bar

# Seconds until the line appears, and between two looks at it.
_AFTER, _EVERY = 2.0, 0.25
# Two lines at a time would draw over each other: a call from within another one shows nothing.
_DRAWN = threading.Lock()


class _Place(Protocol):
    """Where the line is drawn."""

    def draw(self) -> None:
        """Draw it, or draw it again."""

    def clear(self) -> None:
        """Leave nothing of it."""


class _Terminal:
    def __init__(self, line: Progress) -> None:
        self._line = line

    def draw(self) -> None:
        self._line.start()
        self._line.refresh()

    def clear(self) -> None:
        self._line.stop()


class _Cell:
    """An output of a notebook's cell, which is replaced again and again; rich's own way to do so needs widgets."""

    def __init__(self, line: Progress) -> None:
        # It is there where there is a notebook.
        self._page: Any = import_module("IPython.display")
        self._line, self._id = line, ""

    def draw(self) -> None:
        if self._id:
            self._page.update_display(self._line, display_id=self._id)
        else:
            self._id = self._page.display(self._line, display_id=True).display_id

    def clear(self) -> None:
        if self._id:
            self._page.update_display({"text/plain": "", "text/html": ""}, raw=True, display_id=self._id)


@contextmanager
def watched(in_seconds: bool) -> Iterator[Tick]:
    """What a call is to tell of its progress, for whoever waits; see `ProgressLine` for `in_seconds`."""
    if not (STDERR.is_jupyter or sys.stderr.isatty()) or not _DRAWN.acquire(blocking=False):
        yield silent
        return
    line, ended = bar(auto_refresh=False), threading.Event()
    place: _Place = _Cell(line) if STDERR.is_jupyter else _Terminal(line)
    drawer = threading.Thread(target=_draw, args=(place, ended), daemon=True)
    try:
        drawer.start()
        yield ProgressLine(line, in_seconds)
    finally:
        ended.set()
        drawer.join()
        place.clear()
        _DRAWN.release()


def _draw(place: _Place, ended: threading.Event) -> None:
    wait = _AFTER
    while not ended.wait(wait):
        place.draw()
        wait = _EVERY
