"""What `bc.measure` returns: a list that is a frame, a data set of the stored traces, a page, and a
screen."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import boundcheck as bc
from boundcheck.experiment.result import AtSmoothness, GradientRatio, Results, Subject, read
from boundcheck.experiment.store import finished
from boundcheck.experiment.view import show_course
from boundcheck.language.evidence import Audit
from boundcheck.language.function import Constant
from tests.experiment.small import refused
from tests.layers import full
from tests.present.texts import text_of
from tests.results import ESTIMATES, a_run

from .small import bracket_table, theorem_table

SWEEP = theorem_table(run__steps=112, run__audits=4, adapter__rank=[2, 1], seed=[5, 3])
OTHER = theorem_table(run__steps=115, run__audits=3)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def sweep(root):
    return bc.measure(SWEEP, root)


@pytest.fixture(scope="module")
def others(root):
    """A run and a bracket, which make no grid."""
    return bc.measure([OTHER, bracket_table()], root)


@full
def test_a_frame_has_the_values_of_the_json_and_the_fields_that_were_varied(sweep, others):
    frame = sweep.to_frame()
    assert [*zip(frame["adapter.rank"], frame["seed"], strict=True)] == [
        *itertools.product([2, 1], [5, 3])
    ]
    assert [name for name in frame if "." in name or name == "seed"] == ["adapter.rank", "seed"]
    for results in (sweep, others):
        for row, result in zip(results.to_frame().to_dict("records"), results, strict=True):
            said = result.as_json()
            for name in ("run_id", "claim", "verdict", "reason", "measured", "bound"):
                assert row[name] == said[name]
            for name in ("lower", "upper", "level", "kind"):
                found = row[f"interval_{name}"]
                if said["interval"]:
                    assert found == said["interval"][name]
                else:
                    assert found == "exact" if name == "kind" else pd.isna(found)
            assert row["ratio"] == said["measured"] / said["bound"]
            assert row["bound_kind"] == result.bound_kind
            ratio = said.get("gradient_ratio", {"value": None, "rounding": None})
            assert ("gradient_ratio" in said) == ("plan" in said)
            for name, part in (("", "value"), ("_error", "rounding")):
                found = row[f"largest_gradient_ratio{name}"]
                assert pd.isna(found) if ratio[part] is None else found == ratio[part]
            blame = said["blame"]
            assert (
                row["blame"] == f"{blame['kind']} {blame['name']}"
                if blame
                else pd.isna(row["blame"])
            )


def test_frames_of_nothing_and_of_one():
    assert Results([], ".").to_frame().empty
    assert len(Results([a_run()], ".").to_frame()) == 1
    assert refused(Results([], ".").to_xarray).field == "results"


@pytest.mark.parametrize(
    "changes, kind",
    [
        ({}, "estimated"),
        ({"constants": {"smoothness": Constant(1.0, "certified", "")}}, "certified"),
        (
            {
                "constants": {
                    "a": Constant(1.0, "certified", ""),
                    "b": Constant(1.0, "estimated", ""),
                }
            },
            "estimated",
        ),
        (
            {"constants": {"infimum": Constant(0.0, "certified", "")}, "estimates": ESTIMATES},
            "estimated",
        ),
        (
            {
                "constants": {"a": Constant(1.0, "certified", "")},
                "spec": {"seed": 1, "adapter": {"kind": "lora", "rank": 1}, "assume": {"L": 1.0}},
            },
            "assumed",
        ),
    ],
    ids=["nothing told", "certified", "one estimated", "a network", "assumed"],
)
def test_a_bound_is_certified_only_where_all_constants_are(changes, kind):
    result = a_run(**changes)
    assert result.bound_kind == kind
    assert Results([result], ".").to_frame()["bound_kind"][0] == kind
    assert f"({kind})" in result._repr_html_()


@full
def test_a_trace_is_the_stored_one_with_attributes(sweep, root):
    result = sweep[0]
    trace = result.to_xarray(root)
    xr.testing.assert_equal(trace, finished(root / result.run_id)[1])
    for name in ("run_id", "claim", "verdict", "measured", "bound"):
        assert trace.attrs[name] == result.as_json()[name]
    # Attributes of files: no objects.
    assert all(type(value) in (str, int, float) for value in trace.attrs.values())
    xr.testing.assert_identical(sweep[:1].to_xarray(), trace)


def test_the_largest_gradient_ratio_is_that_of_the_trace(sweep, root):
    """What rounding leaves of it is the most; older results, which have none, are read as
    before."""
    for result in sweep:
        trace = result.to_xarray(root)
        found = result.gradient_ratio
        assert found is not None
        assert found.value is not None
        assert found.rounding is not None
        value, error = (trace[name].values for name in ("gradient_ratio", "gradient_ratio_error"))
        assert found.value - found.rounding == (value - error).max()
        assert f"largest gradient ratio: {found}" in text_of(result._repr_html_())
        old = {name: each for name, each in result.as_json().items() if name != "gradient_ratio"}
        assert read(old) == replace(result, gradient_ratio=None)
        assert read(result.as_json()) == result


def test_of_a_grid_each_field_is_an_axis_in_the_order_of_the_spec(sweep, root):
    both = sweep.to_xarray()
    assert dict(both.sizes) == {"adapter.rank": 2, "seed": 2, "replica": 6, "stratum": 4}
    assert both["adapter.rank"].values.tolist() == [2, 1]
    assert both["seed"].values.tolist() == [5, 3]
    for result in sweep:
        point = {"adapter.rank": result.spec["adapter"]["rank"], "seed": result.spec["seed"]}
        there = both.sel(point)
        assert there["run_id"].item() == result.run_id
        assert there["measured"].item() == result.measured
        trace = result.to_xarray(root)
        for name, x in trace.data_vars.items():
            assert np.array_equal(there[name], x, equal_nan=True)
            assert there[name].attrs == x.attrs


@full
def test_where_there_is_no_grid_there_is_an_index(sweep, others, root):
    for results in (sweep[:3], others):
        both = results.to_xarray()
        assert both.sizes["run"] == len(results)
        for place, result in enumerate(results):
            there = both.isel(run=place)
            assert there["run_id"].item() == result.run_id
            for name, x in result.to_xarray(root).data_vars.items():
                padded = there[name].values[tuple(slice(n) for n in x.shape)]
                assert np.array_equal(padded, x, equal_nan=True)
                # What a shorter trace does not have is no number.
                assert (
                    np.isnan(there[name].values).sum()
                    == there[name].size - x.size + np.isnan(x.values).sum()
                )
    assert sweep[:3].to_xarray()["adapter.rank"].values.tolist() == [2, 2, 1]


def test_a_folder_that_is_gone_or_another_runs_is_refused(sweep, root, tmp_path):
    assert refused(sweep[0].to_xarray, tmp_path).field == "RUN"
    (tmp_path / sweep[0].run_id).symlink_to(root / sweep[1].run_id)
    assert refused(sweep[0].to_xarray, tmp_path).field == "runs"


def test_names_that_a_page_would_take_for_something_else_are_text():
    result = a_run(claim="<i> & $x_1$", reason="<script>alert(1)</script>")
    for shown in (result, Results([result, a_run()], ".")):
        page = text_of(shown._repr_html_())
        assert "<script>alert(1)</script>" in page
        assert "<i> & $x_1$" in page


NAMES = (
    "loss",
    "gradient_square_norm",
    "noise_variance",
    "path_smoothness",
    "path_smoothness_error",
)
RATIO = ("gradient_ratio", "gradient_ratio_error")


def shown(capsys, squares, noise, ratio=(0.75, 0.0101), audit=(), **constants):
    """What is printed of a run with these squared gradient norms, a gradient ratio, and this L̂ by
    the path."""
    found = replace(ESTIMATES, **({"path": 2.0, "path_sure": 1.9} | constants))
    rows = [[1.0 + place, square, 0.5, 1.5, 0.01, *ratio] for place, square in enumerate(squares)]
    columns = {
        name: (("replica", "stratum"), [list(column)])
        for name, column in zip(NAMES + RATIO, zip(*rows, strict=True), strict=True)
    }
    whole = {
        name: (("replica", "stratum", "site"), np.ones((1, len(rows), 2)))
        for name in ("norm", "weight_gradient_spectral")
    }
    times = {"time": (("replica", "stratum"), [list(range(1, len(rows) + 1))])}
    result = a_run(
        problem=Subject("Model", "loss", sample="8 of 10 samples"),
        audit=audit,
        estimates=found,
        gradient_ratio=GradientRatio(*ratio) if math.isfinite(ratio[0]) else None,
        theorems=(
            AtSmoothness("path", "", found.path, "", 1.0, 0.25, None, None, None, None),
            AtSmoothness("layers", "", 8.0, "", 0.25, None, None, None, None, None),
            AtSmoothness("printed", "sigma", None, "", None, None, None, None, None, None),
        ),
    )
    show_course(xr.Dataset(columns | whole | times), result, noise)
    return capsys.readouterr().err


@pytest.mark.parametrize("failed", [(), ("Algorithm 1",), ("meft.unbiased",), ("L̂ α < 2",)])
def test_steps_are_denied_to_be_those_of_sgd_only_where_they_were_not(capsys, failed):
    """And of others no step size is told."""
    audit = tuple(Audit(id, "hypothesis", "failed", None, None, f"why {id}") for id in failed)
    text = shown(capsys, [1.0], [0.0], audit=audit)
    is_sgd = "Algorithm 1" not in failed
    assert ("not those of SGD" in text) is not is_sgd
    assert ("largest step" in text) is is_sgd
    assert all(f"why {id}" in text for id in failed)
    assert len(text.splitlines()) <= 12


def test_a_smoothness_that_is_mostly_rounding_is_no_constant(capsys):
    """It is None, and no step is short enough for that to say anything."""
    text = shown(capsys, [1.0], [0.0], path=None, path_sure=0.36)
    assert "no L̂ (path)" in text
    assert "0.25" not in text.split("(path)")[1].splitlines()[0]
    assert "below 0.25 at L̂ = 8 (layers)" in text
    assert "no L̂ (path)" in shown(capsys, [1.0], [0.0], path=0.0, path_sure=0.0)
    said = shown(capsys, [1.0], [0.0], path=2.0, path_sure=1.0)
    assert "below 1 at L̂ = 1 to 2 (path), 0.25" in said


@pytest.mark.parametrize(
    "ratio, line",
    [
        ((0.75, 0.0101), "0.75 ± 0.011, a lower estimate"),
        ((0.75, 0.0), "0.75 ± 0, a lower estimate"),
        ((0.75, 0.75), "lost in rounding, a lower estimate"),
        ((0.0, 2.0), "lost in rounding, a lower estimate"),
        ((math.nan, math.nan), None),
    ],
)
def test_a_gradient_ratio_that_rounding_hides_is_no_number(capsys, ratio, line):
    """Its rounding is rounded up; on a curved domain there is no ratio."""
    text = shown(capsys, [1.0], [0.0], ratio)
    assert (line is not None) == ("‖Δ∇F‖ / ‖Δv‖" in text)
    assert line is None or line in text
