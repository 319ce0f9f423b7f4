"""What people see: tables whole on any screen and in any pipe, colours where they are wanted, and
how far a call is."""

import io
import os
import pty
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.progress import Progress
from rich.text import Text

import boundcheck as bc
from boundcheck.system import terminal
from boundcheck.system.limits import silent
from boundcheck.system.terminal import ProgressLine, Table, _TimeLeft, watched
from tests.experiment.small import refused


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(terminal.time, "monotonic", lambda: now[0])
    return now


def left(bar):
    return str(_TimeLeft().render(bar.tasks[-1]))


def quiet():
    return Progress(console=Console(file=io.StringIO()))


def test_the_time_left_is_known_at_once_and_corrected_by_what_is_seen(clock):
    bar = quiet()
    line = ProgressLine(bar, in_seconds=True)
    line("proofs", 0, 60)
    assert left(bar) == "about 1:00 left"
    clock[0] += 10
    # Between two words of progress it counts down.
    assert left(bar) == "about 0:50 left"
    # Twice as slow as expected.
    clock[0] += 30
    line("a run", 20, 60)
    slow = left(bar)
    assert "about 0:50 left" < slow < "about 1:20 left"
    line("page", 60, 60)
    clock[0] += 500
    assert left(bar) == "about 0:00 left"
    assert len(bar.tasks) == 1


def test_a_stage_of_other_units_has_a_bar_of_its_own():
    bar = quiet()
    line = ProgressLine(bar, in_seconds=False)
    for stage in ("pilot", "run"):
        for done in range(3):
            line(stage, done, 2)
    assert [(task.description, task.completed, task.total) for task in bar.tasks] == [("run", 2, 2)]
    assert "left" not in left(bar)


# Letters of many scripts, signs and spaces, without what commands a terminal.
words = st.text(
    st.characters(exclude_categories=("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Mn", "Me")),
    max_size=200,
)
tables = st.integers(1, 6).flatmap(
    lambda n: st.lists(st.lists(words, min_size=n, max_size=n), min_size=1, max_size=5)
)


def drawn(rows, **console):
    table = Table(*(f"column {i}" for i in range(len(rows[0]))))
    out = io.StringIO()
    for row in rows:
        table.add(*row)
    Console(file=out, emoji=False, color_system=None, **console).print(table)
    return out.getvalue()


PIPE = {"width": terminal._ENDLESS, "force_interactive": False}


@given(tables)
def test_in_a_pipe_each_row_is_a_line_and_each_cell_is_whole(rows):
    heads, *lines = drawn(rows, **PIPE).split("\n")[:-1]
    assert heads.split("\t") == [f"column {i}" for i in range(len(rows[0]))]
    assert [line.split("\t") for line in lines] == rows


@given(tables, st.integers(60, 200))
def test_on_a_screen_a_table_is_folded_to_its_width_and_loses_no_sign(rows, width):
    lines = drawn(rows, width=width, force_terminal=True).splitlines()
    assert all(Text(line).cell_len <= width for line in lines)
    # What stands in a column, line by line, between the bars.
    cut = [line.split("│")[1:-1] for line in lines if line.startswith("│")]
    for place in range(len(rows[0])):
        if any("│" in cell for row in rows for cell in row):
            return
        seen = "".join(line[place] for line in cut)
        assert "".join(seen.split()) == "".join("".join(row[place] for row in rows).split())


@given(st.text(max_size=50))
def test_no_cell_commands_the_terminal_or_takes_a_second_line(text):
    *_, line = drawn([[text, "end"]], **PIPE).split("\n")[:-1]
    assert line.endswith("\tend")
    assert line.count("\t") == 1
    assert not any(
        category(sign)[0] == "C" or category(sign) in ("Zl", "Zp")
        for sign in line.replace("\t", "")
    )


def test_markup_in_a_cell_is_text():
    text = "[red]x[/red] :smile: [link=a]b[/link]"
    assert drawn([[text]], **PIPE).splitlines()[-1] == text
    assert text in drawn([[text]], width=80, force_terminal=True)


SHOWN = """
from boundcheck.system.terminal import STDERR, STDOUT, Table, coloured, progress
table = Table("verdict", "reason")
table.add(coloured("refuted"), "word " * 30)
STDOUT.print(table)
with progress() as tick:
    tick("stage", 1, 2)
"""
ESCAPE = "\x1b["


def read(file, until=""):
    """What a terminal shows, to its end or until it has shown this."""
    text = ""
    while not until or until not in text:
        try:
            part = os.read(file, 4096)
        except OSError:
            # Of Linux, where the other side has closed it.
            break
        if not part:
            break
        text += part.decode()
    return text


def shown(on_a_screen, **environment):
    """What a process prints on stdout and stderr, which are a terminal of 80 columns or a pipe."""
    names = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TTY_COMPATIBLE", "TTY_INTERACTIVE")
    env = {k: v for k, v in os.environ.items() if k not in names} | {"TERM": "xterm"} | environment
    command = [sys.executable, "-c", SHOWN]
    if not on_a_screen:
        return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, env=env, stdin=theirs, stdout=theirs, stderr=theirs):
        os.close(theirs)
        text = read(ours)
    os.close(ours)
    return text


@pytest.mark.parametrize(
    "on_a_screen, environment, is_folded, has_colour, has_progress",
    [
        (True, {}, True, True, True),
        (True, {"NO_COLOR": "1"}, True, False, True),
        (True, {"TERM": "dumb"}, False, False, False),
        (True, {"COLUMNS": "40"}, True, True, True),
        (False, {}, False, False, False),
        (False, {"COLUMNS": "40"}, False, False, False),
        (False, {"FORCE_COLOR": "1"}, False, True, False),
        (False, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False, False),
    ],
    ids=str,
)
def test_a_screen_and_the_environment_decide_the_look(
    on_a_screen, environment, is_folded, has_colour, has_progress
):
    text = shown(on_a_screen, **environment)
    assert ("━" in text) is is_folded
    assert (
        f"refuted\t{'word ' * 30}" in text.replace(f"{ESCAPE}31m", "").replace(f"{ESCAPE}0m", "")
    ) is not is_folded
    assert (f"{ESCAPE}31mrefuted" in text) is has_colour
    assert ("stage" in text) is has_progress
    if "COLUMNS" in environment and on_a_screen:
        widest = max(
            len(line.rstrip()) for line in text.splitlines() if line.startswith(("┏", "└"))
        )
        assert widest == 40


CALL = """
import signal, time
from boundcheck.system import terminal
# A shell lets what it runs in the background ignore interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)
terminal._AFTER, terminal._EVERY = 0.2, 0.05
with terminal.watched(False) as tick:
    tick("the stage", 1, 4)
    time.sleep({})
print("done")
"""
# Takes away the line that the cursor is on.
ERASE = "\x1b[2K"
SHOW_CURSOR = "\x1b[?25h"


@contextmanager
def at_a_terminal(seconds):
    here, there = pty.openpty()
    called = subprocess.Popen(
        [sys.executable, "-c", CALL.format(seconds)], stdout=there, stderr=there
    )
    os.close(there)
    try:
        yield called, here
    finally:
        called.kill()
        called.wait()
        os.close(here)


@pytest.mark.full
def test_a_long_call_at_a_terminal_shows_a_line_that_is_gone_at_the_end():
    with at_a_terminal(0.8) as (called, screen):
        text = read(screen)
        assert called.wait() == 0
    shown, _, rest = text.rpartition("the stage")
    assert shown.count("the stage") >= 1
    assert "25%" in text
    assert ERASE in rest
    assert SHOW_CURSOR in rest
    assert rest.rstrip().endswith(f"{ERASE}done")


def test_where_there_is_no_terminal_or_a_call_is_short_nothing_is_shown():
    with at_a_terminal(0.0) as (_, screen):
        assert read(screen).strip() == "done"
    done = subprocess.run(
        [sys.executable, "-c", CALL.format(0.5)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "done\n"
    assert done.stderr == ""
    with watched(False) as tick:
        assert tick is silent


def test_an_interrupt_leaves_no_line_and_a_cursor():
    with at_a_terminal(30) as (called, screen):
        text = read(screen, "the stage")
        called.send_signal(signal.SIGINT)
        rest = read(screen)
        assert called.wait() != 0
    assert "the stage" in text
    last = rest[rest.rindex("the stage") :] if "the stage" in rest else rest
    before, _, traceback = last.partition("Traceback")
    assert before.rstrip("\r\n").endswith(ERASE)
    assert SHOW_CURSOR in before
    assert traceback.rstrip().endswith("KeyboardInterrupt")


class Cell:
    """The outputs of a cell of a notebook, by their ids."""

    def __init__(self):
        self.shown = {}
        self.count = 0

    def display(self, what, display_id):
        assert display_id is True
        self.count += 1
        self.shown["1"] = what._repr_mimebundle_(None, None)
        return type("Handle", (), {"display_id": "1"})

    def update_display(self, what, display_id, raw=False):
        self.shown[display_id] = what if raw else what._repr_mimebundle_(None, None)
        self.count += 1


@pytest.fixture
def cell(monkeypatch):
    import IPython.display

    made = Cell()
    monkeypatch.setattr(terminal, "STDERR", Console(force_jupyter=True))
    monkeypatch.setattr(terminal, "_AFTER", 0.05)
    monkeypatch.setattr(terminal, "_EVERY", 0.02)
    monkeypatch.setattr(IPython.display, "display", made.display)
    monkeypatch.setattr(IPython.display, "update_display", made.update_display)
    return made


def wait_for(condition):
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.parametrize("ends", [None, KeyboardInterrupt], ids=["at the end", "by an interrupt"])
def test_in_a_notebook_one_output_is_replaced_and_then_empty(ends, cell):
    try:
        with watched(False) as tick:
            for done in range(1, 3):
                tick(f"stage {done}", done, 4)
                wait_for(
                    lambda done=done: (
                        f"stage {done}" in cell.shown.get("1", {}).get("text/html", "")
                    )
                )
            if ends is not None:
                raise ends
    except KeyboardInterrupt:
        assert ends is KeyboardInterrupt
    assert cell.count >= 3
    assert cell.shown == {"1": {"text/plain": "", "text/html": ""}}


def test_a_short_call_in_a_notebook_shows_nothing_nor_does_one_within_a_call(cell, monkeypatch):
    monkeypatch.setattr(terminal, "_AFTER", 60)
    for _ in range(2):
        with watched(False) as outer, watched(False) as inner:
            outer("stage", 1, 4)
            assert isinstance(outer, ProgressLine)
            assert inner == silent
    assert cell.count == 0


@pytest.fixture
def watching(monkeypatch):
    """Each call that is watched, and whether it tells of seconds."""
    found = []

    @contextmanager
    def noted(in_seconds):
        found.append(in_seconds)
        yield silent

    monkeypatch.setattr(terminal, "watched", noted)
    return found


CALLS = {
    "prove": ("no.such_claim",),
    "falsify": ("no.such_claim",),
    "measure": ({"claim": "no.such_claim"},),
    "audit": ("no_such_paper",),
}


@pytest.mark.parametrize("name", CALLS)
def test_each_function_is_watched_unless_the_caller_listens(name, watching):
    function = getattr(bc, name)
    refused(function, *CALLS[name])
    assert watching == [name == "audit"]
    refused(function, *CALLS[name], tick=silent)
    assert len(watching) == 1
