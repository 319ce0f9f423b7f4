"""A figure holds all that it says: its legend ends within its edges, and its ticks have room."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given
from matplotlib.axes import Axes

from boundcheck.report.style import marks, panels

LONG = "average squared gradient norm in the factors, and its asymptotic interval"


@pytest.mark.parametrize("count", [1, 2])
def test_the_legend_is_within_the_figure(count: int) -> None:
    def draw(axis: Axes, _: int) -> None:
        for name in (LONG, LONG.upper() if count == 1 else f"{LONG}, {LONG}", "short"):
            axis.plot([0, 1], [0, 1], label=name)

    figure = panels(list(range(count)), draw)
    figure.draw_without_rendering()
    (legend,) = figure.legends
    box = legend.get_window_extent()
    assert figure.bbox.x0 <= box.x0
    assert box.x1 <= figure.bbox.x1


@given(st.floats(-30, 30), st.floats(1, 60))
def test_an_axis_has_a_few_ticks_however_long_it_is(low: float, decades: float) -> None:
    """Two at least, within the axis."""
    places = marks(10.0**low, 10.0 ** (low + decades))
    assert 2 <= len(places) <= 7
    assert all(10.0**low <= x <= 10.0 ** (low + decades) for x in places)
