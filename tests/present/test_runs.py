"""Theorems beside each other, and the constant that each step needed: the right groups, the right
numbers, readable."""

import numpy as np
import pytest
import xarray as xr

from boundcheck.present.material import StoredRun
from boundcheck.present.sections.rates import rank_exponents
from boundcheck.present.sections.runs import theorem_rows, theorems
from boundcheck.present.sections.smoothness import descent, gradient

from .made import changed, figure_of
from .test_rates import SWEPT, by_rank, synthetic
from .texts import assert_no_text_overlaps

BEST = "meft.theorem2_best_step"
PRINTED = "jiang2024.theorem2"
REPAIRED = "meft.theorem2_repaired"


def exact(claim, **result):
    """A run of gradient descent, whose spec has no word of noise."""
    certain = {
        "lower": 0.5,
        "upper": 0.5,
        "level": 1.0,
        "kind": "exact",
        "method": "the one trajectory",
    }
    run = synthetic({"claim": claim}, **{"interval": certain} | result)
    steps = {name: run.result.spec["run"][name] for name in ("steps", "audits")}
    return changed(run, spec__run=steps, plan__batch=None)


def along(path, lipschitz=5.0, error=0.0, **changes):
    run = synthetic({name.replace("__", "."): value for name, value in changes.items()})
    found = changed(run, plan__values__Lhat=lipschitz).result
    seen = {"path_smoothness": path, "path_smoothness_error": np.full_like(path, error)}
    return StoredRun(
        found, xr.Dataset({name: (("replica", "stratum"), x) for name, x in seen.items()})
    )


def test_claims_stand_side_by_side_with_the_least_bound_first():
    runs = [
        synthetic({"claim": claim}, bound=bound, measured=0.5)
        for claim, bound in ((PRINTED, 4.0), (BEST, 2.0))
    ]
    rows = theorem_rows(runs)
    assert [(row.run.bound, row.run.ratio) for row in rows] == [(2.0, 0.25), (4.0, 0.125)]
    assert rows[0].claim.startswith("Theorem 2, repaired, best")
    assert {row.problem for row in rows} == {"pseudo-Huber, rank 2"}
    assert {row.run.course.plan.step_size for row in rows} == {0.1}
    assert not any(row.run.verdict.is_silent for row in rows)


@pytest.mark.parametrize(
    "path",
    [path for path in SWEPT if path not in ("claim", "lipschitz")] + ["seed", "adapter.rank"],
)
def test_claims_on_different_runs_are_not_compared(path):
    other = {"adapter.start": "diagonal"}.get(path, 17)
    assert (
        theorem_rows([synthetic({"claim": BEST}), synthetic({"claim": PRINTED, path: other})]) == []
    )
    assert (
        figure_of(
            theorems, [synthetic({"claim": BEST}), synthetic({"claim": PRINTED, path: other})]
        )
        is None
    )


def test_equal_horizons_are_compared_however_they_were_chosen():
    chosen = synthetic({"claim": PRINTED, "run.steps": "informative"}, steps=100)
    assert len(theorem_rows([synthetic({"claim": BEST}), chosen])) == 2
    longer = synthetic({"claim": PRINTED, "run.steps": "informative"}, steps=101)
    assert theorem_rows([synthetic({"claim": BEST}), longer]) == []


def test_a_run_without_noise_stands_beside_every_noise():
    descent = exact("meft.theorem2_repaired", bound=0.1)
    noisy = [
        synthetic({"claim": claim, "run.batch": batch})
        for claim in (BEST, PRINTED)
        for batch in (8, 32)
    ]
    rows = theorem_rows([descent, *noisy])
    assert len(rows) == 6
    assert [row.run.bound for row in rows] == [0.1, 1.0, 1.0] * 2
    assert {row.problem for row in rows} == {
        f"pseudo-Huber, rank 2, run.batch\u00a0=\u00a0{batch}" for batch in (8, 32)
    }
    full = [synthetic({"claim": claim, "run.batch": "full"}) for claim in (BEST, PRINTED)]
    assert [row.claim.endswith("full batch") for row in theorem_rows(full)] == [True, True]
    assert theorem_rows([descent, synthetic({"claim": BEST, "problem.d": 5})]) == []


def test_a_run_without_a_ball_stands_beside_every_ball():
    balls = [
        synthetic({"claim": claim, "domain.a": a}) for claim in (BEST, PRINTED) for a in (2.0, 3.0)
    ]
    run = synthetic(
        {"claim": "meft.theorem2_frozen_a", "adapter.kind": "frozen-a", "domain.a": None}, bound=0.1
    )
    free = changed(run, plan__radii={})
    rows = theorem_rows([free, *balls])
    assert [row.run.bound for row in rows] == [0.1, 1.0, 1.0] * 2
    # And gradient descent on a ball beside those of its own.
    descent = exact("nesterov2004.gradient_descent", bound=0.2)
    rows = theorem_rows([free, *balls, changed(descent, spec__domain__a=2.0)])
    assert [row.run.bound for row in rows] == [0.1, 0.2, 1.0, 1.0, 0.1, 1.0, 1.0]


def test_a_claim_is_not_compared_with_itself():
    same = [synthetic({"claim": BEST, "lipschitz": C}) for C in ("sigma", "sqrt(r) sigma")]
    assert theorem_rows(same) == []
    assert (
        len(
            theorem_rows(
                [synthetic({"claim": PRINTED, "lipschitz": C}) for C in ("sigma", "sqrt(r) sigma")]
            )
        )
        == 2
    )
    kinds = theorem_rows(
        [synthetic({"claim": BEST, "adapter.kind": kind}) for kind in ("lora", "frozen-a")]
    )
    assert len({row.claim for row in kinds}) == 2


def test_bars_go_from_what_was_measured_to_the_bound():
    values = {BEST: (0.5, 2.0), PRINTED: (0.25, 8.0)}
    runs = [synthetic({"claim": claim}, measured=m, bound=b) for claim, (m, b) in values.items()]
    (axis,) = figure_of(theorems, runs).axes
    bars = {tuple(line.get_xdata()) for line in axis.lines if len(line.get_xdata()) == 2}
    assert set(values.values()) <= bars
    assert {text.get_text() for text in axis.texts} >= {"×4.00", "×32.0"}
    heights = {
        tuple(line.get_xdata()): line.get_ydata()[0]
        for line in axis.lines
        if len(line.get_xdata()) == 2
    }
    assert heights[values[BEST]] > heights[values[PRINTED]], "the least bound is on top"


def test_what_has_no_place_on_a_log_axis_does_not_break_it():
    unsure = {
        "lower": 0.0,
        "upper": float("inf"),
        "level": 0.95,
        "kind": "asymptotic",
        "method": "Student",
    }
    runs = [
        synthetic(
            {"claim": BEST},
            measured=float("nan"),
            smallest=float("nan"),
            interval=None,
            verdict="hypothesis-failed",
        ),
        synthetic({"claim": PRINTED}, bound=-2.0, verdict="hypothesis-failed"),
        synthetic({"claim": REPAIRED}, interval=unsure),
    ]
    assert [row.run.bound for row in theorem_rows(runs)] == [1.0, 1.0, None]
    figure = figure_of(theorems, runs)
    assert_no_text_overlaps(figure)
    low, high = figure.axes[0].get_xlim()
    assert 0.01 < low < high < 100
    # Nothing at all to draw but the names.
    assert figure_of(theorems, [runs[1], changed(runs[1], claim=REPAIRED)]) is not None


def test_shares_are_those_of_the_trace():
    random = np.random.default_rng(0)
    path = random.uniform(0.1, 4, (5, 8))
    (axis,) = figure_of(descent, [along(path, 5.0)]).axes
    lines = {line.get_label(): np.asarray(line.get_ydata(), float) for line in axis.lines}
    assert lines["descent curvature ℓₜ, largest over replicas"] == pytest.approx(path.max(0) / 5)
    assert lines["descent curvature ℓₜ, median over replicas"] == pytest.approx(
        np.median(path, 0) / 5
    )
    assert set(lines["1: the claim's own constant"]) == {1.0}
    assert not any("lower edge" in text for text in lines)
    assert axis.get_xlabel() == "iteration t"


def test_a_gradient_ratio_is_drawn_beside_the_descent_curvature_unless_rounding_hides_it():
    random = np.random.default_rng(0)
    path = random.uniform(0.1, 4, (5, 8))
    ratio = random.uniform(0.1, 4, (5, 8))
    error = np.zeros((5, 8))
    error[:, 3] = 5.0
    run = along(path, 5.0)
    for name, values in (("gradient_ratio", ratio), ("gradient_ratio_error", error)):
        run.trace[name] = (("replica", "stratum"), values)
    (axis,) = figure_of(descent, [run]).axes
    (drawn,) = (
        np.asarray(x.get_ydata(), float)
        for x in axis.lines
        if x.get_label().startswith("gradient ratio")
    )
    assert np.isnan(drawn[3])
    assert np.delete(drawn, 3) == pytest.approx(np.delete(ratio.max(0) / 5, 3))
    # On a curved domain there is none.
    run.trace["gradient_ratio"].values[:] = np.nan
    assert not any(
        x.get_label().startswith("gradient ratio") for x in figure_of(descent, [run]).axes[0].lines
    )


def test_a_curvature_that_is_mostly_rounding_is_not_drawn():
    path = np.tile(np.linspace(1.0, 2.0, 22), (6, 1))
    path[:, -3:] = 9e13
    (axis,) = figure_of(descent, [along(path, error=0.5)]).axes
    drawn = np.concatenate([line.get_ydata() for line in axis.lines])
    assert np.nanmax(drawn) > 1e13
    path[:, -3:] = 9e13
    noisy = along(path)
    noisy.trace["path_smoothness_error"].values[:, -3:] = 1e14
    (axis,) = figure_of(descent, [noisy]).axes
    assert np.nanmax(np.concatenate([line.get_ydata() for line in axis.lines])) <= 1


GAPS = "drori2014.gradient_descent", "su2016.nesterov"
GRADIENTS = "nesterov2004.gradient_descent", "abbaszadehpeivasti2022.best_step"


def of(claim, **result):
    return exact(claim, measured=0.5, **result)


def test_a_panel_is_about_one_quantity():
    runs = [of(claim) for claim in (*GAPS, *GRADIENTS)]
    rows = theorem_rows(runs)
    assert [(row.run.axis, row.run.shown) for row in rows] == [
        *[("F(vₜ) − f* [loss units]", "last gap")] * 2,
        *[("‖∇F(vₜ)‖² [loss units²]", "smallest squared gradient norm")] * 2,
    ]
    labels = [axis.get_xlabel() for axis in figure_of(theorems, runs).axes]
    assert labels == ["F(vₜ) − f* [loss units]", "‖∇F(vₜ)‖² [loss units²]"]
    assert theorem_rows([of(GAPS[0]), of(GRADIENTS[0])]) == []


def test_a_gap_is_not_drawn_as_a_gradient():
    assert figure_of(gradient, [synthetic({"claim": GAPS[0]})]) is None
    gap, *_ = rank_exponents(by_rank([1, 2, 4], 3, lambda seed, rank: rank**0.5, claim=GAPS[0]))
    assert gap["quantity"] == "minₜ E[F(vₜ) − f*]"
    assert gap["formula"] == ""
