"""Sweeps: runs are grouped rightly and never mixed, exponents are those of the runs, figures can be
read."""

import copy
import itertools
import math

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from boundcheck.experiment.result import read
from boundcheck.present.material import StoredRun, settings
from boundcheck.present.sections.rates import horizon, horizon_slopes, rank, rank_exponents
from boundcheck.system.tables import fields_of

from .made import EMPTY, changed, figure_of

SPEC = {
    "claim": "meft.theorem2_best_step",
    "seed": 0,
    "lipschitz": "sigma",
    "problem": {"kind": "pseudo-huber", "d": 8, "k": 8, "seed": 0},
    "adapter": {"kind": "lora", "rank": 2, "scale": 1.0, "gain": 1.0, "start": "lora"},
    "domain": {"a": None, "b": None},
    "run": {"steps": 100, "batch": 8, "zeta": None, "replicas": 16, "audits": 8, "level": 0.95},
}


def synthetic(changes=None, steps=None, **result):
    """A run whose spec differs from `SPEC` by `changes`, a value by path, and whose result is
    given."""
    spec = copy.deepcopy(SPEC)
    for path, value in (changes or {}).items():
        *tables, name = path.split(".")
        table = spec
        for each in tables:
            table = table[each]
        table[name] = value
    steps = steps or (100 if spec["run"]["steps"] == "informative" else spec["run"]["steps"])
    values = {"Lhat": 5.0, "alpha": 0.1, "bound": 1.0}
    found = EMPTY | {
        "claim": spec["claim"],
        "spec": spec,
        "problem": {"name": "pseudo-Huber", "units": "loss units"},
        "plan": {
            "steps": steps,
            "batch": 8,
            "inputs": {},
            "values": values,
            "numbers": {"alpha": 0.1},
            "radii": {"a": 1.0, "b": 1.0},
        },
        "verdict": "supported",
        "measured": 0.5,
        "smallest": 0.2,
        "bound": 1.0,
        "interval": {
            "lower": 0.4,
            "upper": 0.6,
            "level": 0.95,
            "kind": "asymptotic",
            "method": "Student",
        },
    }
    seen = {
        "path_smoothness": np.ones((4, 8)),
        "path_smoothness_error": np.zeros((4, 8)),
        "loss": np.ones((4, 8)),
    }
    return StoredRun(
        read(found | result),
        xr.Dataset({name: (("replica", "stratum"), x) for name, x in seen.items()}),
    )


def by_rank(ranks, seeds, law, **changes):
    """Runs over ranks and seeds with `smallest` = law(seed, rank)."""
    grid = itertools.product(range(seeds), ranks)
    named = {name.replace("__", "."): value for name, value in changes.items()}
    return [
        synthetic(
            named | {"seed": seed, "adapter.rank": rank},
            smallest=law(seed, rank),
            first_variance=float(rank),
        )
        for seed, rank in grid
    ]


def by_steps(ratios, seeds=4, verdicts=None, **changes):
    named = {name.replace("__", "."): value for name, value in changes.items()}
    return [
        synthetic(
            named | {"seed": seed, "run.steps": steps},
            measured=ratio * (1 + 0.01 * seed),
            verdict=(verdicts or {}).get(steps, "supported"),
        )
        for seed in range(seeds)
        for steps, ratio in ratios.items()
    ]


def shuffled(runs):
    return [runs[i] for i in np.random.default_rng(0).permutation(len(runs))]


SWEPT = [
    path
    for path in fields_of(SPEC)
    if path not in ("seed", "adapter.rank", "adapter.kind", "run.steps")
]
OTHER = {
    "adapter.start": "diagonal",
    "run.batch": 32,
    "run.replicas": 35,
    "claim": "meft.theorem2_repaired",
    "lipschitz": "sqrt(r) sigma",
    "problem.kind": "digits",
    "run.level": 0.9,
}


@given(
    st.floats(-2, 2),
    st.lists(st.integers(1, 64), min_size=3, max_size=5, unique=True),
    st.integers(3, 5),
)
def test_rank_exponent_is_that_of_the_runs_in_any_order(p, ranks, seeds):
    runs = shuffled(by_rank(ranks, seeds, lambda seed, rank: (seed + 1) * rank**p))
    gradient, noise = rank_exponents(runs)
    assert gradient["exponent"] == pytest.approx(p, abs=1e-6)
    assert gradient["ranks"] == sorted(ranks)
    assert gradient["seeds"] == seeds
    assert gradient["interval"]["lower"] <= gradient["exponent"] <= gradient["interval"]["upper"]
    assert noise["exponent"] == pytest.approx(1)
    # There is no decrease in these results, and no row of it.
    assert [row["quantity"] for row in (gradient, noise)] == [
        "minₜ E[‖∇F(vₜ)‖²]",
        "noise variance at v₁",
    ]


@pytest.mark.parametrize("path", SWEPT)
def test_runs_that_differ_in_anything_else_are_not_mixed(path):
    other = OTHER.get(path, 3.5)
    name = path.replace(".", "__")
    runs = by_rank([1, 2, 4], 3, lambda _, r: r) + by_rank(
        [1, 2, 4], 3, lambda _, r: 1 / r, **{name: other}
    )
    rows = [row for row in rank_exponents(runs) if "‖∇F" in row["quantity"]]
    assert sorted(row["exponent"] for row in rows) == pytest.approx([-1, 1])
    # One of the two sweeps alone has too few ranks; the other's runs must not fill it up.
    runs = by_rank([1, 2], 3, lambda _, r: r) + by_rank([4], 3, lambda _, r: r, **{name: other})
    assert rank_exponents(runs) == []
    horizons = by_steps({10: 0.5}) + by_steps({1000: 0.5}, **{name: other})
    assert horizon_slopes(horizons) == []
    assert figure_of(horizon, horizons) is None


def test_runs_that_choose_their_own_horizon_are_in_no_sweep():
    chosen = by_rank([1, 2, 4], 3, lambda _, r: r, run__steps="informative")
    runs = [changed(run, plan__steps=77) for run in chosen]
    assert rank_exponents(runs) == []
    assert figure_of(rank, runs) is None


def test_a_seed_that_lacks_a_rank_is_left_out():
    runs = by_rank([1, 2, 4], 4, lambda _, r: r)
    rows = rank_exponents(runs[:-1])
    assert {row["seeds"] for row in rows} == {3}
    assert {tuple(row["ranks"]) for row in rows} == {(1, 2, 4)}


@pytest.mark.parametrize("scale, exponent", [(1.0, "1"), ("16/r", "−1"), ("16/sqrt(r)", "0")])
def test_what_formulas_say_stands_beside(scale, exponent):
    gradient, noise = rank_exponents(by_rank([1, 2, 4], 3, lambda _, r: r, adapter__scale=scale))
    assert gradient["formula"] == "1/4"
    assert noise["formula"] == exponent
    # No such formula of a start with B other than 0, or of another adapter.
    for changes in ({"adapter__start": "diagonal"}, {"adapter__kind": "frozen-a"}):
        _, other = rank_exponents(
            by_rank([1, 2, 4], 3, lambda _, r: r, adapter__scale=scale, **changes)
        )
        assert other["formula"] == ""
        assert other["source"] == ""


def test_notes_say_what_a_rank_exponent_leaves_open():
    def note(runs):
        return rank_exponents(runs)[0]["note"]

    assert note(by_rank([1, 2, 4], 3, lambda _, r: r)) == ""
    assert "2 seeds" in note(by_rank([1, 2, 4], 2, lambda _, r: r))
    assert "no power law" in note(by_rank([1, 2, 4], 3, lambda _, r: 10.0 if r == 2 else 1.0))
    assert "follows the noise" in note(by_rank([1, 2, 4], 3, lambda _, r: r, run__batch="balanced"))
    runs = by_rank([1, 2, 4], 3, lambda _, r: r - 1)
    assert "not positive" in note(runs)
    assert rank_exponents(runs)[0]["exponent"] is None
    broken = by_rank([1, 2, 4], 3, lambda _, r: r)
    broken[0] = changed(broken[0], verdict="hypothesis-failed")
    assert "1 of these 9 runs" in note(broken)


def test_horizon_slope_is_that_of_the_runs():
    (row,) = horizon_slopes(shuffled(by_steps({t: 0.1 * t**0.3 for t in (10, 100, 1000)})))
    assert row["exponent"] == pytest.approx(0.3)
    assert row["warning"] == ""
    assert row["fitted"] == row["horizons"] == [10, 100, 1000]
    geometric = math.prod(1 + 0.01 * seed for seed in range(4)) ** (1 / 4)
    assert row["ratios"] == pytest.approx([geometric * 0.1 * t**0.3 for t in (10, 1000)])


def test_horizons_where_the_theorem_says_nothing_are_fitted_only_for_want_of_others():
    law = {t: 0.1 * t**0.3 for t in (10, 100, 1000)}
    (row,) = horizon_slopes(by_steps({1: 50.0} | law, verdicts={1: "uninformative"}))
    assert row["fitted"] == [10, 100, 1000]
    assert row["exponent"] == pytest.approx(0.3)
    assert row["warning"] == "T too short to tell: the bound is uninformative at T = 1"
    (row,) = horizon_slopes(by_steps(law, verdicts={10: "hypothesis-failed"}))
    assert row["fitted"] == [10, 100, 1000]
    assert row["warning"].startswith(
        "a hypothesis failed at T = 10; fitted to runs of which the theorem says nothing"
    )


def test_warnings_say_when_runs_are_too_short_to_tell():
    def warning(ratios, **arguments):
        (row,) = horizon_slopes(by_steps(ratios, **arguments))
        return row["warning"]

    assert "factor of 50 in T" in warning({t: t**0.3 for t in (20, 100, 1000)})
    assert "fewer than three horizons" in warning({10: 0.1, 1000: 0.3})
    assert "2 seeds" in warning({t: t**0.3 for t in (10, 100, 1000)}, seeds=2)
    level = by_steps(dict.fromkeys((10, 100, 1000), 0.5))
    factors = [run.course.plan.steps ** (0.1 * (-1) ** run.result.settings.seed) for run in level]
    tilted = [
        changed(run, measured=run.result.measured * x)
        for run, x in zip(level, factors, strict=True)
    ]
    assert "the interval holds 0" in horizon_slopes(tilted)[0]["warning"]
    assert "no power law" in warning({10: 0.1, 100: 0.9, 1000: 0.3})
    short = by_steps(
        {t: t**0.3 for t in (10, 100, 1000)},
        verdicts={10: "hypothesis-failed"},
        claim="jiang2024.theorem2",
    )
    (row,) = horizon_slopes([changed(run, plan__values={"T_min": 40.0}) for run in short])
    assert row["warning"].startswith("T too short to tell: below T_min at T = 10; fitted")
    diverged = by_steps({10: 0.1, 100: 0.2, 1000: 0.4, 10000: 0.8})
    diverged[-1] = changed(diverged[-1], measured=math.nan)
    (row,) = horizon_slopes(diverged)
    assert "at T = 10\u202f000" in row["warning"]
    assert row["fitted"] == [10, 100, 1000]
    assert row["ratios"][1] is None


def test_settings_say_what_tells_runs_apart_and_no_more():
    runs = [
        synthetic({"problem.d": d, "problem.k": d, "adapter.rank": rank, "seed": seed})
        for d, rank, seed in ((4, 1, 0), (8, 1, 1), (8, 2, 2))
    ]
    assert settings(runs) == [
        "pseudo-Huber, rank 1, d\u00a0=\u00a04",
        "pseudo-Huber, rank 1, d\u00a0=\u00a08",
        "pseudo-Huber, rank 2",
    ]
    assert settings(runs[1:], ("adapter.rank",)) == ["pseudo-Huber", "pseudo-Huber"]
    scaled = synthetic({"adapter.scale": "16/sqrt(r)", "adapter.kind": "frozen-a"})
    assert settings([scaled])[0].endswith("rank 2, s\u00a0=\u00a016/√r")


def test_hollow_markers_are_the_runs_of_which_a_theorem_says_nothing():
    verdicts = {10: "uninformative", 100: "hypothesis-failed", 1000: "supported"}
    (axis,) = figure_of(horizon, by_steps(dict.fromkeys(verdicts, 0.5), verdicts=verdicts)).axes
    points = [
        line for line in axis.lines if len(line.get_xdata()) == 1 and line.get_marker() == "o"
    ]
    assert len(points) == 12
    for point in points:
        assert (point.get_markerfacecolor() == "none") == (point.get_xdata()[0] < 1000)
