"""Work that would take too long, or too much room, is refused: once its pace is seen, or before
anything is made."""

import subprocess
import sys

import hypothesis.strategies as st
import pytest
from hypothesis import given

import boundcheck as bc
from boundcheck.errors import InputError
from boundcheck.system import limits
from boundcheck.system.limits import GIB, Demand, available, check_memory, limited, silent
from tests.experiment.small import refused, theorem_table


def paced(monkeypatch, seconds, tick, total):
    """Ticks of a stage at these times, one unit each."""
    clock = iter(seconds)
    monkeypatch.setattr(limits.time, "monotonic", lambda: next(clock))
    for done in range(len(seconds)):
        tick("run", done, total)


@given(st.integers(10, 10**9), st.floats(1, 100), st.floats(0.01, 1e3))
def test_a_stage_is_refused_that_takes_longer_than_it_may(total, pace, hours):
    needed = total * pace / 3600
    with pytest.MonkeyPatch.context() as patch:
        tick = limited(silent, hours)
        seconds = [pace * i for i in range(9)]
        if needed > hours * 1.001:
            assert refused(paced, patch, seconds, tick, total).field == "hours"
        elif needed < hours * 0.999:
            paced(patch, seconds, tick, total)


def test_a_stage_is_judged_once_and_told_of_all(monkeypatch):
    told = []
    paced(monkeypatch, [0.0, 3.0, 6.0, 1e6, 2e6], limited(lambda *each: told.append(each), 1.0), 5)
    assert told == [("run", done, 5) for done in range(5)]


@pytest.mark.parametrize("limit", [0, -1, float("nan")])
def test_no_time_and_no_memory_at_all_are_refused(limit):
    assert refused(limited, silent, limit).field == "hours"
    assert refused(check_memory, [], limit).field == "memory"


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.full)])
def test_a_run_of_too_many_steps_is_refused_in_its_first_seconds(jobs, tmp_path, monkeypatch):
    """A trillion steps between the audits of which nothing would be told."""
    if jobs == 1:
        monkeypatch.setattr(limits, "_KNOWN_AFTER", 0.2)
    table = theorem_table(run__steps=10**12, run__audits=4)
    assert (
        refused(
            bc.measure, [table, theorem_table()] if jobs == 2 else table, tmp_path, executor=jobs
        ).field
        == "hours"
    )


PARTS = st.lists(
    st.builds(Demand, st.sampled_from(["a", "b", "c"]), st.integers(), st.integers(0, 2**40)),
    min_size=1,
)


@given(PARTS, st.floats(1e-6, 2**11))
def test_what_is_larger_than_its_limit_is_refused_by_its_largest_part(parts, memory):
    taken = sum(part.bytes for part in parts)
    if taken <= memory * GIB:
        assert check_memory(parts, memory) == taken
        return
    with pytest.raises(InputError, match="--memory allows") as caught:
        check_memory(parts, memory)
    largest = max(part.bytes for part in parts)
    assert (caught.value.field, caught.value.value) in {
        (p.field, p.value) for p in parts if p.bytes == largest
    }


def test_memory_of_the_host_is_not_that_of_an_accelerator(monkeypatch):
    there = {"cpu": 100, "cuda": 10}
    monkeypatch.setattr(limits, "available", there.__getitem__)
    parts = [Demand("points", 1, 9), Demand("trace", 2, 99, on_host=True)]
    assert check_memory(parts, device="cuda") == 108
    assert refused(check_memory, [*parts, Demand("points", 1, 2)], device="cuda").field == "points"
    assert refused(check_memory, parts, device="cpu").field == "trace"


def test_a_container_has_what_its_group_has_left(tmp_path, monkeypatch):
    limit = tmp_path / "max"
    taken = tmp_path / "current"
    monkeypatch.setattr(limits, "_CGROUPS", [(str(limit), str(taken))])
    outside = available()
    assert outside > 2**20
    limit.write_text("1048576\n")
    taken.write_text("1000000\n")
    assert available() == 48576
    limit.write_text("max\n")
    assert available() > 2**20


def test_what_ulimit_leaves_is_all_there_is():
    """In a process of its own, whose limit can only sink: addresses that it has are not available
    again."""
    code = (
        "import resource, psutil; from boundcheck.system.limits import available;now ="
        " psutil.Process().memory_info().vms;resource.setrlimit(resource.RLIMIT_AS, (now + 2**28,"
        " resource.RLIM_INFINITY)); print(available())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 2**26 < int(done.stdout) <= 2**28 * 3 // 4
