"""What the commands share at a terminal: values typed as NAME=VALUE, one JSON object on stdout, a progress line."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from boundcheck.errors import InputError
from boundcheck.verdicts import Verdict, is_well

STDOUT, STDERR = Console(), Console(stderr=True)

# Seconds for which the expected speed of the work counts as much as the one that is seen.
_PRIOR = 10.0


def assignments_of(texts: list[str]) -> dict[str, str]:
    """The values by name; raises InputError for what is no NAME=VALUE, and for a name that is set twice."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise InputError("--set", text, "NAME=VALUE, such as r=8")
        if name.strip() in found:
            raise InputError("--set", text, f"one value for {name.strip()}, which is set twice")
        found[name.strip()] = value.strip()
    return found


_COLOURS = {
    "refuted": "red",
    Verdict.VIOLATED: "red",
    # True in the limit of many replicas alone.
    Verdict.SUPPORTED_ASYMPTOTIC: "cyan",
    "editorial": "dim",
}


def coloured(verdict: str) -> str:
    """A verdict for a table: green or cyan where all is well, red where something is false, yellow where it is open."""
    colour = _COLOURS.get(verdict, "green" if is_well(verdict) else "yellow")
    return f"[{colour}]{verdict}[/]"


def print_json(value: dict[str, Any]) -> None:
    """Print one JSON object, in which no number is NaN or infinite."""
    print(json.dumps(value, allow_nan=False))


class _TimeLeft(TimeRemainingColumn):
    """The time left: from what the work is expected to take where that is known, at once; else from its speed."""

    def render(self, task: Task) -> Text:
        ends = task.fields.get("ends")
        if ends is None:
            return super().render(task)
        left = max(round(ends - time.monotonic()), 0)
        return Text(f"about {left // 60}:{left % 60:02d} left", style="progress.remaining")


class ProgressLine:
    """A line on stderr with the stage, a bar, and the time left.

    With `in_seconds` the units of work are the seconds that it is expected to take: the time left is then known from
    the start, for the whole and not for a stage, and is corrected by the speed that is seen.
    """

    def __init__(self, bar: Progress, in_seconds: bool) -> None:
        """Take the bar to draw on."""
        self._bar, self._in_seconds = bar, in_seconds
        self._began, self._stage = time.monotonic(), ""
        self._task = bar.add_task("starting", total=None)

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Tell of the units done and the units in all; see `boundcheck.progress.Tick`."""
        if self._in_seconds:
            passed = time.monotonic() - self._began
            # Work goes as fast as expected until enough of it is done.
            ends = self._began + total * (passed + _PRIOR) / (done + _PRIOR)
            self._bar.update(self._task, description=stage, completed=done, total=total, ends=ends)
            return
        if stage != self._stage:
            self._bar.remove_task(self._task)
            self._stage, self._task = stage, self._bar.add_task(stage, total=total)
        self._bar.update(self._task, completed=done)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Take the line away while something else is printed."""
        self._bar.stop()
        try:
            yield
        finally:
            self._bar.start()


def bar(auto_refresh: bool = True) -> Progress:
    """What a progress line is drawn on: stderr, from which it is gone at the end."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        _TimeLeft(),
    )
    # What is printed on stdout stays there, also where only stderr is a terminal.
    return Progress(*columns, console=STDERR, transient=True, redirect_stdout=False, auto_refresh=auto_refresh)


@contextmanager
def progress(in_seconds: bool = False) -> Iterator[ProgressLine]:
    """A progress line on stderr, which is gone at the end."""
    with bar() as drawn:
        yield ProgressLine(drawn, in_seconds)
