"""Whether intervals miss as rarely as they say: the rate of misses in simulations with a known mean."""

from collections.abc import Callable, Hashable
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from boundcheck.checked.coverage import Coverage
from boundcheck.report.style import GREY, LOOKS, VERMILLION, panels, ticks

# Rates below this are drawn on a linear scale, so that a rate of 0 has a place.
_LINEAR = 1e-3
_RATES = (0, 0.001, 0.01, 0.1, 1)


def coverage_figure(found: list[Coverage]) -> Figure | None:
    """The measured rate of misses for each distribution and n, a panel for each method, beside the stated one."""
    return panels(_grouped(found, lambda each: each.method), _draw_coverage, tall=2.15) if found else None


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
    ticks(axis.xaxis, _RATES)
    axis.set_yticks(range(len(names)), names)
    axis.set_ylim(len(names) - 0.5, -0.5)
    axis.set_xlabel("rate of misses")
    axis.set_title(f"{found[0].method}: {found[0].kind}", loc="left")


def coverage_rows(found: list[Coverage]) -> list[dict[str, Any]]:
    """For each method and number of replicas the distribution on which it misses most often, for the page's table."""
    rows = []
    for group in _grouped(found, lambda each: (each.method, each.n)):
        worst = max(group, key=lambda each: each.rate)
        rows.append(
            {
                **{name: getattr(worst, name) for name in ("method", "kind", "n", "error", "rate")},
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
