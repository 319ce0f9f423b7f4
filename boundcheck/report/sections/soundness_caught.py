"""What the checker catches of what is false, and how fast."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from boundcheck.report.style import BLUE, GREY, VERMILLION, panels

# Seconds; what took less is drawn here.
_LEAST = 1e-3


def trials_figure(kinds: list[dict[str, Any]]) -> Figure:
    """For each kind of change the time to catch it, a panel for each layer, and how many of how many were caught."""
    # A processor's time is counted in hundredths of a second, and may be 0.
    times = [max(x, _LEAST) for row in kinds for x in row["seconds"].values()] or [1.0]
    limits = min(times) / 1.5, max(times) * 1.5
    items = [
        (limits, [row for row in kinds if row["layer"] == layer])
        for layer in dict.fromkeys(row["layer"] for row in kinds)
    ]
    return panels(items, _draw, most=2, tall=2.5)


def _draw(axis: Axes, item: tuple[tuple[float, float], list[dict[str, Any]]]) -> None:
    limits, rows = item
    for y, row in enumerate(rows):
        if row["seconds"]:
            median, longest = (max(row["seconds"][name], _LEAST) for name in ("median", "longest"))
            axis.plot([median, longest], [y, y], color=BLUE, lw=1, label="from the median to the longest")
            axis.plot(median, y, "o", color=BLUE, ms=4, label="median time to catch")
        whole = row["caught"] == row["tried"]
        axis.annotate(
            f"{row['caught']:,} of {row['tried']:,}",
            (1.02, y),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=7,
            color=GREY if whole else VERMILLION,
        )
    axis.set_xscale("log")
    axis.set_xlim(*limits)
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axis.set_yticks(range(len(rows)), [row["kind"] for row in rows])
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.set_xlabel("seconds")
    caught, tried = (sum(row[name] for row in rows) for name in ("caught", "tried"))
    axis.set_title(f"{rows[0]['layer']}: {caught:,} of {tried:,} caught", loc="left")
