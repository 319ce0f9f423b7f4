"""Calls over processes: results in the order of the calls, the longest begun first, and what is told of progress."""

import pytest

from boundcheck.engines import engine_of
from boundcheck.errors import InputError
from boundcheck.parallel import Call, Running


def square(x: int) -> int:
    if x == 13:
        raise InputError("x", x, "another number")
    return x * x


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_are_in_the_order_of_the_calls(jobs: int) -> None:
    calls = [Call(f"square of {x}", square, (x,), seconds) for x, seconds in ((3, 1.0), (4, 5.0), (5, 2.0))]
    told: list[tuple[str, int, int]] = []
    assert Running(calls, engine_of(jobs), lambda *each: told.append(each)).results() == [9, 16, 25]
    assert {total for _, _, total in told} == {8}
    assert told[-1][1] == 8
    assert {stage for stage, _, _ in told} == {call.name for call in calls}
    if jobs == 1:
        assert [stage for stage, _, _ in told] == ["square of 4", "square of 5", "square of 3"]


def test_no_calls_have_no_results() -> None:
    assert Running([], engine_of(2), lambda *each: None).results() == []


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_in_a_process_is_told_as_one_here(jobs: int) -> None:
    with pytest.raises(InputError, match="x = 13: expected another number"):
        Running([Call("thirteen", square, (13,))], engine_of(jobs), lambda *each: None).results()
