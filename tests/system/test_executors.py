"""Calls over processes: results in the order of the calls, the longest begun first, none lost, what
is told of them."""

import multiprocessing
import os
import signal
import time
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context

import hypothesis.strategies as st
import pytest
from hypothesis import given

from boundcheck.errors import InputError
from boundcheck.system.executors import Call, Running, engine_of
from boundcheck.system.limits import silent
from tests.experiment.small import refused
from tests.layers import full


def square(x):
    if x == 13:
        raise InputError("x", x, "another number")
    return x * x


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_are_in_the_order_of_the_calls(jobs):
    calls = [
        Call(f"square of {x}", square, (x,), seconds)
        for x, seconds in ((3, 1.0), (4, 5.0), (5, 2.0))
    ]
    told = []
    assert Running(calls, engine_of(jobs), lambda *each: told.append(each)).results() == [9, 16, 25]
    assert Running([], engine_of(jobs), lambda *each: None).results() == []
    assert {total for _, _, total in told} == {8}
    assert told[-1][1] == 8
    assert {stage for stage, _, _ in told} == {call.name for call in calls}
    if jobs == 1:
        assert [stage for stage, _, _ in told] == ["square of 4", "square of 5", "square of 3"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_in_a_process_is_told_as_one_here(jobs):
    assert (
        refused(
            Running([Call("thirteen", square, (13,))], engine_of(jobs), lambda *each: None).results
        ).field
        == "x"
    )


def spread():
    Running(
        [Call("three", square, (3,)), Call("four", square, (4,))], engine_of(2), lambda *each: None
    ).results()


@full
def test_a_process_of_multiprocessing_that_spread_calls_ends_when_it_is_done():
    process = multiprocessing.get_context("spawn").Process(target=spread)
    process.start()
    # Those that it spread them over would wait for more work for 300 s.
    process.join(120)
    ended = process.exitcode
    process.kill()
    assert ended == 0


class LostError(BaseException):
    """A process ended."""


class Fragile:
    """An engine in this process; a call that dies takes down all that are under way."""

    field = "jobs"
    again = 2
    shares_fate = True

    def __init__(self, room, turns):
        self.room = room
        self.turns = turns
        self.most = 0
        self.flying = []

    def submit(self, works):
        made = [(Future(), work) for work in works]
        self.flying += made
        self.most = max(self.most, len(self.flying))
        return [future for future, _ in made]

    def proceed(self):
        if not self.flying:
            return
        self.turns.append(self.turns.pop(0))
        future, work = self.flying.pop(self.turns[0] % len(self.flying))
        try:
            future.set_result(work())
        except LostError:
            lost = [future, *(each for each, _ in self.flying)]
            self.flying = []
            for each in lost:
                each.set_exception(RuntimeError("a process ended"))

    def renew(self):
        pass

    def close(self, unfinished):
        pass


def dying(left, i):
    if left[i]:
        left[i] -= 1
        raise LostError
    return i


@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=8),
    st.integers(1, 4),
    st.lists(st.integers(0, 9), min_size=1),
)
def test_a_call_whose_process_is_lost_is_made_again_and_no_other_is_blamed(deaths, room, turns):
    left = dict(enumerate(deaths))
    calls = [Call(str(i), dying, (left, i)) for i in left]
    engine = Fragile(room, turns)
    blamed = []
    try:
        found = Running(calls, engine, lambda *each: None).results()
    except InputError as error:
        blamed = [int(str(error.value))]
    if blamed:
        assert deaths[blamed[0]] > 0
        assert sum(deaths) > engine.again
    else:
        assert found == list(left)
        assert max(deaths) <= engine.again
    assert engine.most <= room


def dies(marker, always=False):
    """Kills its process, the first time or each."""
    if always or not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "lives"


def slow(seconds):
    time.sleep(seconds)
    return "slow"


@full
def test_a_killed_process_is_replaced_and_a_call_that_kills_every_process_is_named(tmp_path):
    calls = [Call(str(i), slow, (0.01,)) for i in range(6)] + [
        Call("once", dies, (tmp_path / "died",))
    ]
    with Running(calls, engine_of(2), lambda *each: None) as running:
        assert running.results() == ["slow"] * 6 + ["lives"]
    calls = [Call("innocent", slow, (1.0,), 9.0), Call("guilty", dies, (tmp_path / "died", True))]
    with (
        Running(calls, engine_of(2), lambda *each: None) as running,
        pytest.raises(InputError) as refused,
    ):
        running.results()
    assert refused.value.field == "jobs"
    assert refused.value.value == "guilty"


@pytest.mark.parametrize(
    "made", [ThreadPoolExecutor, partial(ProcessPoolExecutor, mp_context=get_context("spawn"))]
)
def test_any_executor_makes_calls_and_is_left_to_who_made_it(made):
    """Also a call that Python cannot pickle; an error of a call is told as it was raised."""
    with made(1) as executor:
        calls = [Call(str(x), lambda x=x: square(x), (), float(x)) for x in range(5)]
        for _ in range(2):
            with Running(calls, engine_of(executor), lambda *each: None) as running:
                assert running.results() == [x * x for x in range(5)]
        with (
            pytest.raises(ZeroDivisionError),
            Running([Call("", lambda: 1 / 0, ())], engine_of(executor), silent) as run,
        ):
            run.results()
        assert executor.submit(square, 2).result() == 4
    assert refused(Running, calls, engine_of(executor), silent).field == "executor"


@full
def test_an_executor_whose_process_is_killed_is_told_of_in_one_line(tmp_path):
    calls = [Call("guilty", dies, (tmp_path / "died", True)), Call("innocent", slow, (1.0,))]
    with (
        ProcessPoolExecutor(1, get_context("spawn")) as executor,
        Running(calls, engine_of(executor), silent) as running,
        pytest.raises(InputError) as refused,
    ):
        running.results()
    assert refused.value.field == "executor"


@pytest.mark.parametrize(
    "cluster",
    ["", "dask", "tcp://127.0.0.1:1", "kubernetes://here", "slurm?nonsense=1&cluster=local"],
)
def test_a_cluster_of_another_form_is_refused(cluster, tmp_path):
    if cluster.startswith("slurm"):
        pytest.importorskip("submitit")
    assert refused(engine_of, cluster, tmp_path).field == "cluster"
