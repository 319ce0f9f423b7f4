"""The figures of worst cases and coverage show every number where it is, and can be read."""

import numpy as np
import pytest

from boundcheck.experiment.coverage import coverage
from boundcheck.language.catalogue import catalogue
from boundcheck.present.material import Study
from boundcheck.present.sections import attacks
from boundcheck.present.style import pdf, svg
from boundcheck.worst_case.worst_case import Case

from .made import changed, figure_of
from .test_rates import synthetic
from .texts import assert_no_text_overlaps

REPAIRED = "meft.theorem2_repaired"
PRINTED = "jiang2024.theorem2"
GHADIMI = "ghadimi2013.corollary2_2"
KHALED = "khaled2020.bounded_variance"
BEST = "meft.theorem2_best_step"
DESCENT = ("nesterov2004.gradient_descent", "abbaszadehpeivasti2022.best_step")
HARD = {"problem.kind": "hard"}


def case(claim, steps, ratio, **inputs):
    """A worst case of so much of a bound of 4; nothing is solved."""
    method = "gradient descent" if claim in DESCENT else "two-point SGD"
    values = {p.name: 1.0 for p in catalogue[claim].parameters} | {"T": float(steps)} | inputs
    return Case(claim, steps, method, values, 3.0, 0.1, 4.0, 4 * ratio, 1e-9)


def hard_run(steps, measured, claim=REPAIRED, **result):
    interval = measured and {
        "lower": 0.9 * measured,
        "upper": 1.2 * measured,
        "kind": "nonasymptotic",
    }
    interval = interval and interval | {"level": 0.95, "method": "betting"}
    found = {"verdict": "uninformative", "measured": measured, "bound": 2.0, "interval": interval}
    return synthetic(HARD | {"claim": claim}, steps=steps, **found | result)


CASES = [
    case(id, T, 0.1 * place + T / 100)
    for place, id in enumerate((REPAIRED, PRINTED, GHADIMI, KHALED), 1)
    for T in (2, 3, 4)
]
CASES += [case(id, T, 1 - place / 4) for place, id in enumerate(DESCENT) for T in (9, 2, 5)]
RUNS = [hard_run(T, 2 - 5 / T) for T in (10, 30, 100, 400, 2000)]


def worst_figure(cases, runs):
    return figure_of(attacks.worst_cases, runs, study=Study(worst_cases=cases))


def coverage_figure(found):
    return figure_of(attacks.coverage, study=Study(coverage=found))


def axes_by_title(figure):
    return {axis.get_title("left"): axis for axis in figure.axes}


def joined(axis):
    """The points of each line that goes through marks."""
    drawn = [
        line
        for line in axis.lines
        if line.get_linestyle() == "-" and line.get_marker() not in ("None", ".")
    ]
    return [list(zip(*line.get_data(), strict=True)) for line in drawn if len(line.get_xdata())]


def hollow(axis):
    marks = [
        line
        for line in axis.lines
        if line.get_markerfacecolor() == "white" and len(line.get_xdata())
    ]
    return [(line.get_xdata()[0], line.get_ydata()[0]) for line in marks]


def bars(axis):
    """T and both ends of each interval."""
    lines = [
        line
        for line in axis.lines
        if line.get_marker() == "None" and len(set(line.get_xdata())) == 1
    ]
    return [(line.get_xdata()[0], *line.get_ydata()) for line in lines]


def test_each_number_is_drawn_in_the_panel_of_its_method():
    panels = axes_by_title(worst_figure(CASES, RUNS))
    assert list(panels) == ["Gradient descent", "SGD, two-point noise"]
    for (title, axis), methods in zip(
        panels.items(), ({"gradient descent"}, {"two-point SGD"}), strict=True
    ):
        mine = [each for each in CASES if each.method in methods]
        for id in {each.claim for each in mine}:
            points = sorted((each.steps, each.ratio) for each in mine if each.claim == id)
            assert points in joined(axis), (title, id)
        assert len(joined(axis)) == len({each.claim for each in mine})
        assert axis.get_xscale() == "log"
        assert axis.get_ylim()[0] == 0
    assert hollow(panels["Gradient descent"]) == bars(panels["Gradient descent"]) == []
    axis = panels["SGD, two-point noise"]
    assert hollow(axis) == [(run.course.plan.steps, run.result.measured / 2) for run in RUNS]
    for run, (steps, low, high) in zip(RUNS, bars(axis), strict=True):
        assert steps == run.course.plan.steps
        assert low == run.result.interval.lower / 2
        assert high == run.result.interval.upper / 2


def test_runs_that_say_nothing_of_the_worst_case_are_left_out(stored):
    silent = [
        hard_run(10, 1.0, verdict="hypothesis-failed"),
        hard_run(10, None),
        hard_run(10, float("nan")),
        synthetic({"claim": REPAIRED}),
        # Under an assumption of one's own, and brackets.
        changed(hard_run(10, 1.0), spec__assume={"Lhat": "Lhat/2"}),
        *stored,
    ]
    assert worst_figure([], silent) is None
    assert hollow(worst_figure([], [*silent, hard_run(30, 1.0)]).axes[0]) == [(30, 0.5)]


def test_another_value_of_c_is_told():
    def words(**inputs):
        (axis,) = worst_figure([case(PRINTED, 2, 0.5, **inputs)], []).axes
        return {line.get_label() for line in axis.lines if line.get_label().startswith("Theorem 2")}

    assert words() == words(C=2.0, sigma=2.0) == {"Theorem 2, as printed, C\u00a0=\u00a0σ"}
    assert words(C=2.0) == {"Theorem 2, as printed, C\u00a0=\u00a02.00"}


@pytest.fixture(scope="module")
def measured():
    return coverage(60, seed=0)


def marks(axis):
    """The points of an axis by the label of their series."""
    found = {}
    for line in axis.lines:
        if not line.get_label().startswith("_"):
            x, y = (np.atleast_1d(values).tolist() for values in line.get_data())
            found.setdefault(line.get_label(), []).extend(zip(x, y, strict=True))
    return found


def test_every_rate_is_shown_in_the_panel_of_its_method(measured):
    figure = coverage_figure(measured)
    axes = {axis.get_title("left").split(":")[0]: axis for axis in figure.axes if axis.has_data()}
    assert set(axes) == {each.method for each in measured}
    for method, axis in axes.items():
        shown = marks(axis)
        assert shown["stated"][0][0] == pytest.approx(0.05)
        names = [label.get_text() for label in axis.get_yticklabels()]
        for n in (16, 64, 1024):
            points = {names[round(y)]: x for x, y in shown[f"{n:,} replicas"]}
            expected = {e.distribution: e.rate for e in measured if (e.method, e.n) == (method, n)}
            assert points == expected
        failing = [(each.rate) for each in measured if each.method == method and not each.holds]
        assert [x for x, _ in shown.get("misses more than stated", [])] == failing
        bars = [
            line.get_xdata()
            for line in axis.lines
            if len(line.get_xdata()) == 2 and line.get_linestyle() == "-"
        ]
        assert [tuple(bar) for bar in bars] == [
            (e.low, e.high) for e in measured if e.method == method
        ]
    assert coverage_figure([]) is None


@pytest.mark.full
def test_texts_can_be_read_and_files_are_the_same_each_time(measured):
    assert_no_text_overlaps(coverage_figure(measured))
    assert svg(coverage_figure(measured)) == svg(coverage_figure(measured))
    assert pdf(coverage_figure(measured)) == pdf(coverage_figure(measured))
