"""The figures of the statistics: whether intervals miss as rarely as they say, and how many replicas they need."""

from collections.abc import Callable, Hashable
from itertools import groupby
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from boundcheck.measure.coverage import Coverage, Power
from boundcheck.report.style import GREY, LOOKS, VERMILLION, decades, panels

# Rates below this are drawn on a linear scale, so that a rate of 0 has a place.
_LINEAR = 1e-3
_RATES = (0, 0.001, 0.01, 0.1, 1)


def coverage_figure(found: list[Coverage]) -> Figure | None:
    """The measured rate of misses for each distribution and n, a panel for each method, beside the stated one."""
    return panels(_grouped(found, lambda each: each.method), _draw_coverage, tall=2.15) if found else None


def power_figure(found: list[Power]) -> Figure | None:
    """The replicas that an upper limit needs against the relative gap, a panel for each coefficient of variation."""
    known = sorted((each for each in found if each.replicas is not None), key=lambda each: each.variation)
    # One look for a range in all panels.
    ranges = list(dict.fromkeys(each.range for each in known))
    items = [(ranges, list(group)) for _, group in groupby(known, key=lambda each: each.variation)]
    return panels(items, _draw_power, tall=2.4) if items else None


def _draw_coverage(axis: Axes, found: list[Coverage]) -> None:
    names = list(dict.fromkeys(each.distribution for each in found))
    sizes = sorted({each.n for each in found})
    for each in found:
        place = sizes.index(each.n)
        y = names.index(each.distribution) + 0.25 * (place - (len(sizes) - 1) / 2)
        marker, colour = LOOKS[place]
        axis.plot([each.low, each.high], [y, y], color=colour, lw=1)
        axis.plot(each.rate, y, marker, color=colour, ms=3.5, label=f"{each.n:,} replicas")
        if not each.holds:
            axis.plot(each.rate, y, "o", color=VERMILLION, ms=7, mfc="none", label="misses more than stated")
    axis.axvline(found[0].error, color=GREY, lw=1, ls="--", label="stated")
    axis.set_xscale("symlog", linthresh=_LINEAR, linscale=0.5)
    axis.set_xlim(-_LINEAR / 4, 1.2)
    axis.xaxis.set_major_locator(FixedLocator(_RATES))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axis.set_yticks(range(len(names)), names)
    axis.set_ylim(len(names) - 0.5, -0.5)
    axis.set_xlabel("rate of misses")
    axis.set_title(f"{found[0].method}: {found[0].kind}", loc="left")


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
    axis.set_yscale("log")
    axis.yaxis.set_minor_locator(NullLocator())
    decades(axis, min(shown), max(shown))
    axis.xaxis.set_major_locator(FixedLocator(sorted({each.gap for each in found})))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axis.set_xlabel("(bound − mean) / mean")
    axis.set_ylabel("replicas")
    axis.set_title(f"coefficient of variation {found[0].variation:g}", loc="left")


def coverage_rows(found: list[Coverage]) -> list[dict[str, Any]]:
    """For each method and number of replicas the distribution on which it misses most often, for the page's table."""
    rows = []
    for group in _grouped(found, lambda each: (each.method, each.n)):
        worst = max(group, key=lambda each: each.rate)
        rows.append(
            {
                "method": worst.method,
                "kind": worst.kind,
                "n": worst.n,
                "error": worst.error,
                "rate": worst.rate,
                "where": worst.distribution,
                "above": worst.above / worst.experiments,
                "held": sum(each.holds for each in group),
                "of": len(group),
            }
        )
    return rows


def _grouped(found: list[Coverage], key: Callable[[Coverage], Hashable]) -> list[list[Coverage]]:
    """Those of one key together, in the order in which the keys come."""
    groups: dict[Hashable, list[Coverage]] = {}
    for each in found:
        groups.setdefault(key(each), []).append(each)
    return list(groups.values())
