"""Bars: a waterfall that starts at what was measured, each bar from one value to the next; and shares of a whole."""

from collections.abc import Sequence
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from boundcheck.experiment.result import Bar, Link
from boundcheck.present.stored import known
from boundcheck.present.style import BLUE, GREY, ORANGE, VERMILLION, marks, panels, ticks
from boundcheck.present.words import number

# How far below the largest value an axis goes; what is deeper is off it.
_DEEPEST = 1e-6
_ESTIMATED = "\u00a0*"


def draw_links(
    axis: Axes, start: str, measured: float, links: Sequence[Link], end: str, title: str, most: str = ""
) -> None:
    """Draw a bar for what was measured, one for each link, and one for where they end; the factor of `most` is bold.

    A link of chance is grey, with its interval; one that goes the wrong way is red. An asterisk stands at a label whose
    constant is only estimated.
    """
    levels = [measured, *(known(link.value) for link in links)]
    largest = max(levels)
    low = max(min((x for x in levels if x > 0), default=largest), largest * _DEEPEST) / 1.6
    rows = [(start, low, levels[0], BLUE), *_rows(links, levels), (end, low, levels[-1], BLUE)]
    for place, (_, before, after, colour) in enumerate(rows):
        y = len(rows) - 1 - place
        left, right = (max(x, low) for x in sorted((before, after)))
        axis.barh(y, right - left, left=left, height=0.7, color=colour, lw=0)
        if 0 < place < len(rows) - 1:
            weight = "bold" if links[place - 1].label == most else "normal"
            _say(axis, y, (before, after, right), links[place - 1], weight)
    axis.set_xscale("log")
    axis.set_xlim(low, largest * 2.6)
    ticks(axis.xaxis, marks(low, largest * 2.6))
    axis.set_yticks(range(len(rows)), [label for label, *_ in rows[::-1]])
    axis.tick_params(axis="y", labelsize=6.5)
    axis.set_title(title, loc="left")


def shares_figure(rows: Sequence[tuple[str, dict[str, int]]], looks: dict[str, str], of: str) -> Figure | None:
    """A figure with a bar for each row, cut into the shares of what is counted there, with the total beside it."""
    counted = [(name, counts) for name, counts in rows if sum(counts.values())]
    return panels([(counted, looks, of)], _draw_shares, tall=0.4 + 0.26 * len(counted)) if counted else None


def _draw_shares(axis: Axes, item: tuple[Sequence[tuple[str, dict[str, int]]], dict[str, str], str]) -> None:
    rows, looks, of = item
    for place, (_, counts) in enumerate(rows):
        whole, left = sum(counts.values()), 0.0
        for what, count in counts.items():
            axis.barh(place, 100 * count / whole, left=left, height=0.7, color=looks[what], lw=0, label=what)
            left += 100 * count / whole
        axis.text(101, place, number(whole), va="center", fontsize=7)
    axis.set_xlim(0, 100)
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.set_yticks(range(len(rows)), [name for name, _ in rows])
    ticks(axis.xaxis, range(0, 101, 25))
    axis.set_xlabel(f"% {of}; at the right, of how many")


def _rows(links: Sequence[Link], levels: Sequence[float]) -> list[tuple[str, float, float, str]]:
    found = []
    for link, (before, after) in zip(links, pairwise(levels), strict=True):
        of_chance = isinstance(link, Bar) and link.is_chance
        estimated = _ESTIMATED if isinstance(link, Bar) and link.estimated else ""
        colour = GREY if of_chance else ORANGE if after >= before * (1 - 1e-12) else VERMILLION
        found.append((link.label + estimated, before, after, colour))
    return found


def _say(axis: Axes, y: float, ends: tuple[float, float, float], link: Link, weight: str) -> None:
    """Draw the factor beside a bar, if it is not 1, and the interval of what the bar adds."""
    before, after, right = ends
    factor = f"{after / before:.3g}" if before > 0 else "1"
    if isinstance(link, Bar) and link.lower is not None and link.upper is not None and link.upper > link.lower:
        limits = [max(before + x, right * _DEEPEST) for x in (link.lower, link.upper)]
        axis.plot(limits, [y, y], color="black", lw=0.8, solid_capstyle="butt")
        right = max(right, limits[1])
    if factor != "1":
        axis.text(right * 1.06, y, f"×{factor}", va="center", fontsize=6.5, fontweight=weight)
