"""How many replicas an upper limit needs to lie below a bound."""

from itertools import groupby

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from boundcheck.checked.coverage import Power
from boundcheck.report.style import LOOKS, log_y, panels, ticks


def power_figure(found: list[Power]) -> Figure | None:
    """The replicas that an upper limit needs against the relative gap, a panel for each coefficient of variation."""
    known = sorted((each for each in found if each.replicas is not None), key=lambda each: each.variation)
    # One look for a range in all panels.
    ranges = list(dict.fromkeys(each.range for each in known))
    items = [(ranges, list(group)) for _, group in groupby(known, key=lambda each: each.variation)]
    return panels(items, _draw_power, tall=2.4) if items else None


def _draw_power(axis: Axes, item: tuple[list[float | None], list[Power]]) -> None:
    ranges, found = item
    for reach, (marker, colour) in zip(ranges, LOOKS, strict=False):
        points = [each for each in found if each.range == reach]
        for each in points[:1]:
            text = each.method if reach is None else f"{each.method}, values up to {reach:g} times the mean"
            replicas = [point.replicas or 0 for point in points]
            axis.plot([point.gap for point in points], replicas, marker, color=colour, ls="-", lw=1, ms=3.5, label=text)
    shown = [each.replicas for each in found if each.replicas is not None]
    axis.set_xscale("log")
    log_y(axis, min(shown), max(shown))
    ticks(axis.xaxis, sorted({each.gap for each in found}))
    axis.set_xlabel("(bound − mean) / mean")
    axis.set_ylabel("replicas")
    axis.set_title(f"coefficient of variation {found[0].variation:g}", loc="left")
