"""Runs at adaptive steps: the trace shows each step, which the audit holds against the proof; a stopped run goes on."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import boundcheck as bc
from boundcheck.experiment.plan import Start, build
from boundcheck.experiment.result import RunResult
from boundcheck.experiment.spec import parse
from boundcheck.experiment.store import finished
from boundcheck.functions.sgd import advance
from boundcheck.verdicts import Verdict

TABLE: dict[str, Any] = {
    "claim": "meft.adaptive_gd",
    "problem": {"kind": "pseudo-huber", "d": 4, "k": 4, "samples": 8, "delta": 100.0, "signal": 10.0, "noise": 0.5},
    "adapter": {"rank": 2, "gain": 3.0},
    "run": {"steps": 40, "audits": None},
}


def run(table: dict[str, Any], runs: Path) -> tuple[RunResult, xr.Dataset]:
    (result,) = bc.measure(table, runs)
    return result, finished(runs / result.run_id)[1]


def test_the_trace_has_the_steps_of_a_plain_loop(tmp_path: Path) -> None:
    result, trace = run(TABLE, tmp_path)
    spec = parse(TABLE)
    function = build(spec, "cpu")
    state = spec.algorithm.start(Start.draw(spec, function, "cpu").v, result.plan.numbers)
    steps = []
    for t in range(1, 41):
        state, _ = advance(spec.algorithm, function, state, t, result.plan.numbers, None)
        steps.append(state[1][0].item())
    np.testing.assert_allclose(trace["step"].values[0], steps, rtol=1e-12)
    np.testing.assert_allclose(trace["sum_of_steps"].values[0], np.add.accumulate(steps), rtol=1e-14)
    assert result.verdict == Verdict.SUPPORTED
    rows = {row.hypothesis: row for row in result.audit}
    assert {rows[name].status for name in ("descent of each step", "sum of the steps")} == {"held"}
    assert rows["sum of the steps"].limit < result.bound


def test_an_l_that_is_too_small_is_blamed_for_a_step_that_is_too_long(tmp_path: Path) -> None:
    result, _ = run(TABLE | {"assume": {"L": "L/30"}}, tmp_path)
    assert result.verdict == Verdict.HYPOTHESIS_FAILED
    assert (result.blame.kind, result.blame.name) == ("constant", "L")
    assert "descent of each step" in result.blame.evidence


@pytest.mark.full
def test_a_run_that_was_stopped_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    whole, trace = run(TABLE, tmp_path / "whole")

    def stop(_: str, done: int, __: int) -> None:
        if done == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bc.measure(TABLE, tmp_path / "stopped", tick=stop)
    resumed, again = run(TABLE, tmp_path / "stopped")
    assert resumed == whole
    xr.testing.assert_identical(again, trace)
