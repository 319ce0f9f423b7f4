"""Work that would take too long is refused once its pace is seen, and never later."""

from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

import boundcheck as bc
from boundcheck.errors import InputError
from boundcheck.system import limits
from boundcheck.system.limits import limited, silent
from tests.experiment.small import theorem_table


def paced(monkeypatch: pytest.MonkeyPatch, seconds: list[float], tick: limits.Tick, total: int) -> None:
    """Ticks of a stage at these times, one unit each."""
    clock = iter(seconds)
    monkeypatch.setattr(limits.time, "monotonic", lambda: next(clock))
    for done in range(len(seconds)):
        tick("run", done, total)


@given(st.integers(10, 10**9), st.floats(1, 100), st.floats(0.01, 1e3))
def test_a_stage_is_refused_that_takes_longer_than_it_may(total: int, pace: float, hours: float) -> None:
    needed = total * pace / 3600
    with pytest.MonkeyPatch.context() as patch:
        tick, seconds = limited(silent, hours), [pace * i for i in range(9)]
        if needed > hours * 1.001:
            with pytest.raises(
                InputError, match=r"^hours = .*: expected at least .* takes at this pace, or less work$"
            ):
                paced(patch, seconds, tick, total)
        elif needed < hours * 0.999:
            paced(patch, seconds, tick, total)


def test_a_stage_is_judged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    paced(monkeypatch, [0.0, 3.0, 6.0, 1e6, 2e6], limited(silent, 1.0), 5)


def test_it_is_told_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []
    paced(monkeypatch, [0.0, 1.0, 2.0], limited(lambda *each: told.append(each), 1.0), 3)
    assert told == [("run", 0, 3), ("run", 1, 3), ("run", 2, 3)]


@pytest.mark.parametrize("hours", [0, -1, float("nan")])
def test_no_time_at_all_is_refused(hours: float) -> None:
    with pytest.raises(InputError, match=r"^hours = .*: expected a positive number$"):
        limited(silent, hours)


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.full)])
def test_a_run_of_too_many_steps_is_refused_in_its_first_seconds(
    jobs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trillion steps between the audits of which nothing would be told."""
    if jobs == 1:
        monkeypatch.setattr(limits, "_KNOWN_AFTER", 0.2)
    table = theorem_table(run__steps=10**12, run__audits=4)
    with pytest.raises(InputError, match=r"^hours = 24: expected at least .*, which run with its 1e\+12 units takes"):
        bc.measure([table, theorem_table()] if jobs == 2 else table, tmp_path, executor=jobs)
