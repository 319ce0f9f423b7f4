"""A call from a prompt or a notebook shows how far it is, if it takes long and somebody can see it; nothing stays."""

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from rich.console import Console

import boundcheck as bc
from boundcheck.errors import InputError
from boundcheck.system import terminal
from boundcheck.system.limits import Tick, silent
from boundcheck.system.terminal import ProgressLine, watched

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


def read(file: int, until: str = "") -> str:
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


@contextmanager
def at_a_terminal(seconds: float) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    here, there = pty.openpty()
    called = subprocess.Popen([sys.executable, "-c", CALL.format(seconds)], stdout=there, stderr=there)
    os.close(there)
    try:
        yield called, here
    finally:
        called.kill()
        called.wait()
        os.close(here)


@pytest.mark.full
def test_a_long_call_at_a_terminal_shows_a_line_that_is_gone_at_the_end() -> None:
    with at_a_terminal(0.8) as (called, screen):
        text = read(screen)
        assert called.wait() == 0
    shown, _, rest = text.rpartition("the stage")
    assert shown.count("the stage") >= 1
    assert "25%" in text
    assert ERASE in rest
    assert SHOW_CURSOR in rest
    assert rest.rstrip().endswith(f"{ERASE}done")


def test_a_short_call_at_a_terminal_shows_nothing() -> None:
    with at_a_terminal(0.0) as (_, screen):
        assert read(screen).strip() == "done"


def test_where_there_is_no_terminal_nothing_is_shown() -> None:
    done = subprocess.run([sys.executable, "-c", CALL.format(0.5)], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("done\n", "")
    with watched(False) as tick:
        assert tick is silent


def test_an_interrupt_leaves_no_line_and_a_cursor() -> None:
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

    def __init__(self) -> None:
        self.shown: dict[str, Any] = {}
        self.count = 0

    def display(self, what: Any, display_id: bool) -> Any:
        assert display_id is True
        self.count += 1
        self.shown["1"] = what._repr_mimebundle_(None, None)
        return type("Handle", (), {"display_id": "1"})

    def update_display(self, what: Any, display_id: str, raw: bool = False) -> None:
        self.shown[display_id] = what if raw else what._repr_mimebundle_(None, None)
        self.count += 1


@pytest.fixture
def cell(monkeypatch: pytest.MonkeyPatch) -> Cell:
    import IPython.display

    made = Cell()
    monkeypatch.setattr(terminal, "STDERR", Console(force_jupyter=True))
    monkeypatch.setattr(terminal, "_AFTER", 0.05)
    monkeypatch.setattr(terminal, "_EVERY", 0.02)
    monkeypatch.setattr(IPython.display, "display", made.display)
    monkeypatch.setattr(IPython.display, "update_display", made.update_display)
    return made


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.parametrize("ends", [None, KeyboardInterrupt], ids=["at the end", "by an interrupt"])
def test_in_a_notebook_one_output_is_replaced_and_then_empty(ends: type[BaseException] | None, cell: Cell) -> None:
    try:
        with watched(False) as tick:
            for done in range(1, 3):
                tick(f"stage {done}", done, 4)
                wait_for(lambda done=done: f"stage {done}" in cell.shown.get("1", {}).get("text/html", ""))
            if ends is not None:
                raise ends
    except KeyboardInterrupt:
        assert ends is KeyboardInterrupt
    assert cell.count >= 3
    assert cell.shown == {"1": {"text/plain": "", "text/html": ""}}


def test_a_short_call_in_a_notebook_shows_nothing(cell: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "_AFTER", 60)
    with watched(False) as tick:
        tick("stage", 1, 4)
    assert cell.count == 0


def test_a_call_within_a_call_shows_nothing(cell: Cell) -> None:
    with watched(False) as outer:
        assert isinstance(outer, ProgressLine)
        with watched(False) as inner:
            assert inner is silent
    with watched(False) as again:
        assert isinstance(again, ProgressLine)


@pytest.fixture
def watching(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Each call that is watched, and whether it tells of seconds."""
    found = []

    @contextmanager
    def noted(in_seconds: bool) -> Iterator[Tick]:
        found.append(in_seconds)
        yield silent

    monkeypatch.setattr(terminal, "watched", noted)
    return found


CALLS: dict[str, tuple[Any, ...]] = {
    "prove": ("no.such_claim",),
    "falsify": ("no.such_claim",),
    "measure": ({"claim": "no.such_claim"},),
    "audit": ("no_such_paper",),
}


@pytest.mark.parametrize("name", CALLS)
def test_each_function_is_watched_unless_the_caller_listens(name: str, watching: list[bool]) -> None:
    function = getattr(bc, name)
    with pytest.raises(InputError):
        function(*CALLS[name])
    assert watching == [name == "audit"]
    with pytest.raises(InputError):
        function(*CALLS[name], tick=silent)
    with pytest.raises(InputError):
        # By its place.
        bc.measure({"claim": "no.such_claim"}, "runs", "cpu", silent)
    assert len(watching) == 1
