"""The progress line: the time left, of a stage from its speed, of all of an audit from what it is expected to take."""

import io

import pytest
from rich.console import Console
from rich.progress import Progress

from boundcheck import terminal
from boundcheck.terminal import ProgressLine, _TimeLeft, progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(terminal.time, "monotonic", lambda: now[0])
    return now


def left(bar: Progress) -> str:
    return str(_TimeLeft().render(bar.tasks[-1]))


def quiet() -> Progress:
    return Progress(console=Console(file=io.StringIO()))


def test_the_time_left_is_known_at_once_and_corrected_by_what_is_seen(clock: list[float]) -> None:
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


def test_a_stage_of_other_units_has_a_bar_of_its_own() -> None:
    bar = quiet()
    line = ProgressLine(bar, in_seconds=False)
    for stage in ("pilot", "run"):
        for done in range(3):
            line(stage, done, 2)
    assert [(task.description, task.completed, task.total) for task in bar.tasks] == [("run", 2, 2)]
    assert "left" not in left(bar)


def test_what_is_printed_aside_is_on_stdout_alone(capsys: pytest.CaptureFixture[str]) -> None:
    with progress(in_seconds=True) as line:
        line("proofs", 0, 10)
        with line.aside():
            print("the table")
        line("runs", 5, 10)
    assert capsys.readouterr().out == "the table\n"
