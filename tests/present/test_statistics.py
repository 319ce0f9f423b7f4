"""The figures of coverage and power show every number, where it is, and texts that can be read."""

from dataclasses import replace

import numpy as np
import pytest

from boundcheck.checked.coverage import coverage, power
from boundcheck.present.sections.attacks import coverage_figure, power_figure
from boundcheck.present.style import VERMILLION, pdf, svg

from .texts import assert_no_text_overlaps


@pytest.fixture(scope="module")
def measured():
    return coverage(60, seed=0)


@pytest.fixture(scope="module")
def powers():
    return power(20, seed=0)


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
        bars = [line.get_xdata() for line in axis.lines if len(line.get_xdata()) == 2 and line.get_linestyle() == "-"]
        assert [tuple(bar) for bar in bars] == [(e.low, e.high) for e in measured if e.method == method]
    assert coverage_figure([]) is None


def test_what_misses_too_often_is_ringed(measured):
    broken = [replace(each, low=0.2, rate=0.3, high=0.4) for each in measured]
    for axis in coverage_figure(broken).axes:
        rings = [line for line in axis.lines if line.get_color() == VERMILLION]
        assert len(rings) == len([each for each in broken if axis.get_title("left").startswith(each.method + ":")])


def test_every_number_of_replicas_is_shown_on_log_axes(powers):
    figure = power_figure(powers)
    assert len(figure.axes) == 2
    colours = {}
    for axis, variation in zip(figure.axes, (0.25, 1.0), strict=True):
        assert (axis.get_xscale(), axis.get_yscale()) == ("log", "log")
        shown = sorted(point for points in marks(axis).values() for point in points)
        assert shown == sorted((each.gap, each.replicas) for each in powers if each.variation == variation)
        for line in axis.lines:
            assert colours.setdefault(line.get_label(), line.get_color()) == line.get_color()
    assert len(set(colours.values())) == len(colours) == 4


def test_what_more_than_the_most_replicas_would_need_is_left_out(powers):
    some = [replace(each, replicas=None) if each.gap < 0.2 else each for each in powers]
    shown = [x for axis in power_figure(some).axes for points in marks(axis).values() for x, _ in points]
    assert min(shown) == 0.25
    assert power_figure([replace(each, replicas=None) for each in powers]) is None


@pytest.mark.full
def test_texts_can_be_read_and_files_are_the_same_each_time(measured, powers):
    for make, found in ((coverage_figure, measured), (power_figure, powers)):
        assert_no_text_overlaps(make(found))
        assert svg(make(found)) == svg(make(found))
        assert pdf(make(found)) == pdf(make(found))
