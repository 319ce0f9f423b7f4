"""A figure holds all that it says: its legend ends within its edges, however long its names are."""

from __future__ import annotations

import pytest
from matplotlib.axes import Axes

from boundcheck.report.style import panels

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
