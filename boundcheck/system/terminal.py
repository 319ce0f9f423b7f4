"""Output that the commands share: tables for a terminal and for a pipe, one JSON object on stdout,
progress.

`screen` decides once for each of stdout and stderr. A terminal gets tables that are folded to its
width, and colours. A pipe, a file and a terminal that is dumb get a line for each row, whole, with
tabs between the cells. NO_COLOR and FORCE_COLOR rule the colours of both, COLUMNS the width of a
terminal.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from rich.console import Console, ConsoleOptions, RenderResult
from rich.progress import BarColumn, Progress, Task, TextColumn, TimeRemainingColumn
from rich.table import Column
from rich.table import Table as RichTable
from rich.text import Text

from boundcheck.errors import InputError
from boundcheck.shown import visible
from boundcheck.system.limits import Tick, silent
from boundcheck.verdicts import Look, look_of, spoken

# No line is longer: what is not for a screen is never cut or folded.
_ENDLESS = 10**9


class _Screen(Console):
    """A console on which no text that is printed commands the terminal."""

    def print(self, *objects: Any, **options: Any) -> None:
        """Print as rich does, with texts as `boundcheck.shown.visible` has them."""
        seen = (
            visible(x) if isinstance(x, str) else _shown(x) if isinstance(x, Text) else x
            for x in objects
        )
        super().print(*seen, **options)


def screen(stderr: bool = False) -> Console:
    """The console on which people read stdout, or stderr: `is_interactive` says whether that is a
    screen.
    """
    stream = sys.stderr if stderr else sys.stdout
    if stream is not None and stream.isatty() and os.environ.get("TERM") not in ("dumb", "unknown"):
        return _Screen(stderr=stderr, emoji=False)
    # With a height too: without one a dumb terminal has 80 columns, whatever is said.
    return _Screen(stderr=stderr, emoji=False, width=_ENDLESS, height=25, force_interactive=False)


STDOUT = screen()
STDERR = screen(stderr=True)

# Seconds for which the expected speed of the work counts as much as the one that is seen.
_PRIOR = 10.0


def assignments_of(texts: list[str]) -> dict[str, str]:
    """The values by name; raises InputError for what is no NAME=VALUE, and for a name that is set
    twice.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip() or not value.strip() or "=" in value:
            raise InputError("--set", text, "one NAME=VALUE, such as --set L=1 --set r=8")
        if name.strip() in found:
            raise InputError("--set", text, f"one value for {name.strip()}, which is set twice")
        found[name.strip()] = value.strip()
    return found


_COLOURS = {
    Look.BAD: "red",
    Look.OPEN: "yellow",
    Look.IF: "magenta",
    Look.OTHERWISE: "blue",
    Look.WELL: "green",
    Look.LIMIT: "cyan",
    Look.ASIDE: "dim",
}


def coloured(verdict: str) -> Text:
    """A verdict for a table: green or cyan where all is well, red where something is false, yellow
    where it is open.
    """
    return Text(spoken(verdict), style=_COLOURS[look_of(verdict)])


class Table(RichTable):
    """A table that folds what is too wide for a screen, and elsewhere is a line for each row with
    tabs between cells.

    So a person loses nothing, `cut -f2` takes a column, and `grep` finds a row whole.
    """

    def __init__(self, *headers: str | Column, **look: Any) -> None:
        """Take headers, or columns of rich's where one is not to be folded, and what else rich's
        table takes.
        """
        columns = (
            Column(each, overflow="fold") if isinstance(each, str) else each for each in headers
        )
        super().__init__(*columns, **look)

    def add(self, *cells: object) -> None:
        """Add a row; a cell is shown as it stands, without markup."""
        self.add_row(*map(_shown, cells))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if console.is_interactive:
            yield from super().__rich_console__(console, options)
            return
        heads = tuple(column.header for column in self.columns)
        for row in (
            *([heads] if self.show_header else []),
            *zip(*(column.cells for column in self.columns), strict=True),
        ):
            # Line breaks and tabs, which would end a cell, become spaces. Rendered here: on its way
            # through the console a tab would become spaces.
            cells = (
                Text(" ").join(x for line in _shown(cell).split("\n") for x in line.split("\t"))
                for cell in row
            )
            yield from Text("\t").join(cells).render(console, end="\n")


def _shown(cell: object) -> Text:
    """A cell as text; a sign that would command the terminal, or hide, is written as an escape.

    A text keeps its colour; those of several colours are our own words.
    """
    if not isinstance(cell, Text):
        # Before it is a text, which drops some of these signs.
        return Text(visible(str(cell)))
    return cell if cell.plain == (seen := visible(cell.plain)) else Text(seen, style=cell.style)


def print_json(value: dict[str, Any]) -> None:
    """Print one JSON object, in which no number is NaN or infinite."""
    print(json.dumps(value, allow_nan=False))


class _TimeLeft(TimeRemainingColumn):
    """The time left: from what the work is expected to take where that is known, at once; else from
    its speed.
    """

    def render(self, task: Task) -> Text:
        ends = task.fields.get("ends")
        if ends is None:
            return super().render(task)
        left = max(round(ends - time.monotonic()), 0)
        return Text(f"about {left // 60}:{left % 60:02d} left", style="progress.remaining")


class ProgressLine:
    """A line on stderr with the stage, a bar, and the time left.

    With `in_seconds` the units of work are the seconds that it is expected to take: the time left
    is then known from the start, for the whole and not for a stage, and is corrected by the speed
    that is seen.
    """

    def __init__(self, bar: Progress, in_seconds: bool) -> None:
        """Take the bar to draw on."""
        self._bar = bar
        self._in_seconds = in_seconds
        self._began = time.monotonic()
        self._stage = ""
        self._task = bar.add_task("starting", total=None)

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Tell of the units done and the units in all; see `boundcheck.system.limits.Tick`."""
        stage = visible(stage)
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
    """The display of a progress line: on stderr, from which it is gone at the end."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        _TimeLeft(),
    )
    # What is printed on stdout stays there, also where only stderr is a terminal.
    hidden = not (STDERR.is_interactive or STDERR.is_jupyter)
    return Progress(
        *columns,
        console=STDERR,
        transient=True,
        redirect_stdout=False,
        auto_refresh=auto_refresh,
        disable=hidden,
    )


@contextmanager
def progress(in_seconds: bool = False) -> Iterator[ProgressLine]:
    """A progress line on stderr, which is gone at the end; where that is no screen there is
    none.
    """
    with bar() as drawn:
        yield ProgressLine(drawn, in_seconds)


# Seconds until the line appears, and between two looks at it.
_AFTER = 2.0
_EVERY = 0.25
# Two lines at a time would draw over each other: a call from within another one shows nothing.
_DRAWN = threading.Lock()


@contextmanager
def watched(in_seconds: bool) -> Iterator[Tick]:
    """A tick for a call to tell its progress to whoever waits; see `ProgressLine` for `in_seconds`.

    At a terminal the line is drawn again and again, and nothing is left of it. In a notebook an
    output of the cell is replaced, and empty at the end; rich's own way to do so needs widgets.
    """
    if not (STDERR.is_jupyter or sys.stderr.isatty()) or not _DRAWN.acquire(blocking=False):
        yield silent
        return
    line, ended = bar(auto_refresh=False), threading.Event()
    # It is there where there is a notebook.
    page: Any = import_module("IPython.display") if STDERR.is_jupyter else None
    outputs: list[str] = []

    def draw() -> None:
        if page is None:
            line.start()
            line.refresh()
        elif outputs:
            page.update_display(line, display_id=outputs[0])
        else:
            outputs.append(page.display(line, display_id=True).display_id)

    def draw_until_the_end() -> None:
        wait = _AFTER
        while not ended.wait(wait):
            draw()
            wait = _EVERY

    drawer = threading.Thread(target=draw_until_the_end, daemon=True)
    try:
        drawer.start()
        yield ProgressLine(line, in_seconds)
    finally:
        ended.set()
        drawer.join()
        if page is None:
            line.stop()
        for output in outputs:
            page.update_display({"text/plain": "", "text/html": ""}, raw=True, display_id=output)
        _DRAWN.release()
