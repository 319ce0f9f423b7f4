"""Simulations with a known mean: whether intervals miss it as rarely as they say, and the replicas that a gap needs."""

from collections.abc import Callable, Hashable, Iterator
from itertools import cycle, groupby

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from boundcheck.checked.coverage import Coverage, Power
from boundcheck.language.view import Head, Part, Picture, Table, numeric
from boundcheck.present.section import Material, placed
from boundcheck.present.sections.attacks import kept
from boundcheck.present.style import GREY, LOOKS, VERMILLION, log_y, panels, ticks
from boundcheck.present.words import number

# Rates below this are drawn on a linear scale, so that a rate of 0 has a place.
_LINEAR = 1e-3
_RATES = (0, 0.001, 0.01, 0.1, 1)
_MISSES = """Share of simulated experiments with a known mean in which the interval does not contain it, with the
99\u202f% limits of Clopper and Pearson, for each distribution and number of replicas. Dashed: the stated error. A
nonasymptotic interval must lie left of it or on it; an asymptotic one only comes to do so as replicas grow, and later
the more skewed the replicas are."""
_RATES_OF = """{} experiments each. Above: misses with the mean above the upper limit, of which a wrong “supported”
would come. Only where the lower of the 99\u202f% limits exceeds the stated error is a method said to miss more often
than it states."""


@placed(
    370,
    "How often the intervals miss",
    "A nonasymptotic interval must lie left of the dashed line or on it, and then misses no more often than it says.",
)
def coverage(material: Material) -> Iterator[Part]:
    found = material.study.coverage
    if not found:
        return
    yield from kept(material.study)
    yield Picture("coverage", lambda: coverage_figure(found), _MISSES)
    rates = map(numeric, ("Stated", "Largest rate"))
    head: Head = ("Method", "Kind", "Replicas", *rates, "Where", numeric("Above, there"), "Holds in")
    rows = [_most_missed(group) for group in _grouped(found, lambda each: (each.method, each.n))]
    caption = _RATES_OF.format(number(found[0].experiments))
    yield Table(head, rows, caption, most=None)


def _most_missed(group: list[Coverage]) -> tuple[str, ...]:
    worst = max(group, key=lambda each: each.rate)
    above = worst.above / worst.experiments
    held = f"{sum(each.holds for each in group)} of {len(group)}"
    numbers = (f"{worst.error:.3g}", f"{worst.rate:.2g}", worst.distribution, f"{above:.2g}")
    return worst.method, worst.kind, str(worst.n), *numbers, held


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


def _grouped(found: list[Coverage], key: Callable[[Coverage], Hashable]) -> list[list[Coverage]]:
    """The results in groups, one for each key, in the order in which the keys come."""
    groups: dict[Hashable, list[Coverage]] = {}
    for each in found:
        groups.setdefault(key(each), []).append(each)
    return list(groups.values())


_POWER = """The least number of replicas at which the upper limit lies below the bound in {:.0f}\u202f% of experiments,
against the gap between bound and mean. A limit by betting needs a certified range, and more replicas the longer it is;
a theorem's own range is often thousands of times the mean, which is why a verdict is then asymptotic and says so."""


@placed(
    380, "How many replicas a gap needs", "The lower a curve, the fewer replicas a limit needs to lie below the bound."
)
def power(material: Material) -> Iterator[Part]:
    if found := material.study.power:
        yield from kept(material.study)
        yield Picture("power", lambda: power_figure(found), _POWER.format(100 * found[0].wanted))


def power_figure(found: list[Power]) -> Figure | None:
    """The replicas that an upper limit needs against the relative gap, a panel for each coefficient of variation."""
    known = sorted((each for each in found if each.replicas is not None), key=lambda each: each.variation)
    # One look for a range in all panels.
    ranges = list(dict.fromkeys(each.range for each in known))
    items = [(ranges, list(group)) for _, group in groupby(known, key=lambda each: each.variation)]
    return panels(items, _draw_power, tall=2.4) if items else None


def _draw_power(axis: Axes, item: tuple[list[float | None], list[Power]]) -> None:
    ranges, found = item
    for reach, (marker, colour) in zip(ranges, cycle(LOOKS), strict=False):
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
