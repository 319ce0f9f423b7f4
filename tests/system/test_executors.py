"""Calls over processes: results in the order of the calls, the longest begun first, none lost, what is told of them."""

import multiprocessing
import os
import signal
import time
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from boundcheck.errors import InputError
from boundcheck.system.executors import Call, Running, Work, engine_of


def square(x: int) -> int:
    if x == 13:
        raise InputError("x", x, "another number")
    return x * x


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_are_in_the_order_of_the_calls(jobs: int) -> None:
    calls = [Call(f"square of {x}", square, (x,), seconds) for x, seconds in ((3, 1.0), (4, 5.0), (5, 2.0))]
    told: list[tuple[str, int, int]] = []
    assert Running(calls, engine_of(jobs), lambda *each: told.append(each)).results() == [9, 16, 25]
    assert Running([], engine_of(jobs), lambda *each: None).results() == []
    assert {total for _, _, total in told} == {8}
    assert told[-1][1] == 8
    assert {stage for stage, _, _ in told} == {call.name for call in calls}
    if jobs == 1:
        assert [stage for stage, _, _ in told] == ["square of 4", "square of 5", "square of 3"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_in_a_process_is_told_as_one_here(jobs: int) -> None:
    with pytest.raises(InputError, match="x = 13: expected another number"):
        Running([Call("thirteen", square, (13,))], engine_of(jobs), lambda *each: None).results()


def spread() -> None:
    Running([Call("three", square, (3,)), Call("four", square, (4,))], engine_of(2), lambda *each: None).results()


@pytest.mark.full
def test_a_process_of_multiprocessing_that_spread_calls_ends_when_it_is_done() -> None:
    process = multiprocessing.get_context("spawn").Process(target=spread)
    process.start()
    # Those that it spread them over would wait for more work for 300 s.
    process.join(120)
    ended = process.exitcode
    process.kill()
    assert ended == 0


class LostError(Exception):
    """A process ended."""


class Fragile:
    """An engine in this process; a call that dies takes down all that are under way."""

    again, shares_fate = 2, True

    def __init__(self, room: int, turns: list[int]) -> None:
        self.room: int | None = room
        self.turns, self.most = turns, 0
        self.flying: list[tuple[Future[Any], Work]] = []

    def submit(self, works: Sequence[Work]) -> list[Future[Any]]:
        made: list[tuple[Future[Any], Work]] = [(Future(), work) for work in works]
        self.flying += made
        self.most = max(self.most, len(self.flying))
        return [future for future, _ in made]

    def proceed(self) -> None:
        if not self.flying:
            return
        self.turns.append(self.turns.pop(0))
        future, work = self.flying.pop(self.turns[0] % len(self.flying))
        try:
            future.set_result(work())
        except LostError as error:
            lost, self.flying = [future, *(each for each, _ in self.flying)], []
            for each in lost:
                each.set_exception(error)

    def lost(self, error: BaseException) -> bool:
        return isinstance(error, LostError)

    def close(self, unfinished: bool) -> None:
        pass


def dying(left: dict[int, int], i: int) -> int:
    if left[i]:
        left[i] -= 1
        raise LostError
    return i


@given(st.lists(st.integers(0, 3), min_size=1, max_size=8), st.integers(1, 4), st.lists(st.integers(0, 9), min_size=1))
def test_a_call_whose_process_is_lost_is_made_again_and_no_other_is_blamed(
    deaths: list[int], room: int, turns: list[int]
) -> None:
    left = dict(enumerate(deaths))
    calls = [Call(str(i), dying, (left, i)) for i in left]
    engine = Fragile(room, turns)
    blamed: list[int] = []
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


def dies(marker: Path, always: bool = False) -> str:
    """Kills its process, the first time or each."""
    if always or not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "lives"


def slow(seconds: float) -> str:
    time.sleep(seconds)
    return "slow"


@pytest.mark.full
def test_a_killed_process_is_replaced_and_a_call_that_kills_every_process_is_named(tmp_path: Path) -> None:
    calls = [Call(str(i), slow, (0.01,)) for i in range(6)] + [Call("once", dies, (tmp_path / "died",))]
    with Running(calls, engine_of(2), lambda *each: None) as running:
        assert running.results() == ["slow"] * 6 + ["lives"]
    calls = [Call("innocent", slow, (1.0,), 9.0), Call("guilty", dies, (tmp_path / "died", True))]
    with Running(calls, engine_of(2), lambda *each: None) as running, pytest.raises(InputError) as refused:
        running.results()
    assert (refused.value.field, refused.value.value) == ("jobs", "guilty")


@pytest.mark.parametrize(
    "cluster", ["", "dask", "tcp://127.0.0.1:1", "kubernetes://here", "slurm?nonsense=1&cluster=local"]
)
def test_a_cluster_of_another_form_is_refused(cluster: str, tmp_path: Path) -> None:
    if cluster.startswith("slurm"):
        pytest.importorskip("submitit")
    with pytest.raises(InputError, match=r"^cluster = "):
        engine_of(1, cluster, tmp_path)
