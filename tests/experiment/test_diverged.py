"""Runs that diverge, by a step size that no claim prescribed: they end as hypothesis-failed, in a valid result."""

import json

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from matplotlib.figure import Figure

from boundcheck.experiment import experiment, measure
from boundcheck.experiment.plan import make_plan
from boundcheck.present.page import export_data, write_runs
from boundcheck.present.stored import load_runs
from boundcheck.present.style import extent, log_y
from tests.layers import sampled

from .small import THEOREMS, WITH_SHORTEST, theorem_table, with_values

STEP_SIZES = [1e2, 1e6, 1e20, 1e77, 1e80, 1e120, 1e155, 1e160, 1e200, 1e300, np.inf, np.nan]


def diverge(table, step_size, runs, monkeypatch):
    """The result of a run with this step size, or the exception that ended it."""

    def doctored(*arguments):
        return with_values(make_plan(*arguments), alpha=step_size)

    monkeypatch.setattr(experiment, "make_plan", doctored)
    (result,) = measure(table, runs)
    text = (runs / result.run_id / "result.json").read_text()
    stored = json.loads(text, parse_constant=pytest.fail)
    assert stored.pop("digests")
    assert stored == result.as_json()
    return result


@sampled(12)
@pytest.mark.parametrize("step_size", STEP_SIZES)
@pytest.mark.parametrize("every", [False, True])
def test_a_diverged_pseudo_huber_run_is_hypothesis_failed(step_size, every, tmp_path, monkeypatch):
    table = theorem_table(run__steps=110, run__audits=110 if every else 11)
    result = diverge(table, step_size, tmp_path, monkeypatch)
    assert result.verdict == "hypothesis-failed"
    assert "meft.ball" in result.reason


@sampled(4)
@pytest.mark.parametrize("step_size", [1e3, 1e6, 1e77, 1e155, 1e300, np.inf, np.nan])
def test_a_diverged_softmax_run_is_hypothesis_failed(step_size, tmp_path, monkeypatch):
    table = theorem_table(
        problem={"kind": "digits"}, run={"zeta": 5.0, "batch": 2, "replicas": 2, "steps": 110, "audits": 10}
    )
    result = diverge(table, step_size, tmp_path, monkeypatch)
    assert result.verdict == "hypothesis-failed"
    assert "meft.ball" in result.reason


@sampled(4)
@pytest.mark.parametrize("id", THEOREMS)
@pytest.mark.parametrize("factor", [20.0, 1e3])
def test_a_run_that_jumps_about_is_hypothesis_failed(id, factor, tmp_path, monkeypatch):
    result = diverge(theorem_table(claim=id), factor, tmp_path, monkeypatch)
    assert result.verdict == "hypothesis-failed"
    ball = "jiang2024.assumption2" if id.startswith("jiang") else "meft.ball"
    assert ball in result.reason


@sampled(4)
@pytest.mark.parametrize("id", WITH_SHORTEST)
@pytest.mark.parametrize("zeta", [1e-2, 1e-4, 1e-6])
def test_a_run_far_below_its_shortest_horizon_diverges_by_itself(id, zeta, tmp_path):
    """The step size is then far above 1/L-hat. No doctor is needed, and no warning helps."""
    (result,) = measure(theorem_table(claim=id, run__zeta=zeta), tmp_path)
    assert result.verdict == "hypothesis-failed"
    assert "T >= T_min" in result.reason


@pytest.mark.full
@pytest.mark.parametrize("id", WITH_SHORTEST)
@pytest.mark.parametrize(("steps", "seed"), [(10, 1), (120, 0), (120, 1), (120, 3)])
def test_a_pilot_far_below_the_shortest_horizon_is_the_audits_to_report(id, steps, seed, tmp_path):
    """All but T is left to a pilot, which diverges: that is no fault of the batch or of any other field."""
    table = {
        "claim": id,
        "seed": seed,
        "problem": {"kind": "pseudo-huber", "d": 2, "k": 1, "samples": 8, "signal": 0.69, "noise": 0.99},
        "adapter": {"rank": 1, "gain": 0.17},
        "run": {"steps": steps, "audits": 10, "replicas": 4},
    }
    (result,) = measure(table, tmp_path)
    assert result.verdict == "hypothesis-failed"
    assert "T >= T_min" in result.reason


@pytest.mark.full
@pytest.mark.parametrize("step_size", [1e2, 1e20, 1e80, 1e155, 1e160, 1e300, np.inf, np.nan])
def test_the_page_of_a_diverged_run_is_written_and_says_so(step_size, tmp_path, monkeypatch):
    """Of a run that left every range of floats the page, its figures on log axes and its files in JSON are there."""
    table = theorem_table(run__steps=48, run__audits=12)
    result = diverge(table, step_size, tmp_path, monkeypatch)
    page = tmp_path / "page" / "index.html"
    files = write_runs([tmp_path / result.run_id], page, "t", "l", "c")
    files += export_data(load_runs([tmp_path / result.run_id]), tmp_path / "data")
    assert {"gradient_norm.svg", "descent.svg", "smoothness.svg", "results.json"} <= {path.name for path in files}
    (row,) = json.loads((tmp_path / "page" / "results.json").read_text(), parse_constant=pytest.fail)
    assert row["verdict"] == "hypothesis-failed"
    trace = load_runs([tmp_path / result.run_id])[0].trace
    if not np.isfinite(trace["loss"]).all():
        # No number is shown for what was measured, such as the 0 that overflow leaves.
        assert row["measured"] is None
        assert '<td class="n">diverged</td>' in page.read_text()


@given(st.lists(st.floats(), max_size=6))
def test_an_axis_can_show_the_extent_of_any_numbers(values):
    low, high = extent(values, [])
    assert 0 < low <= high < np.inf
    axis = Figure().subplots()
    log_y(axis, low, high)
    bottom, top = axis.get_ylim()
    assert 0 < bottom < low
    assert bottom < top < np.inf
    assert len(axis.yaxis.get_major_locator()()) <= 80
