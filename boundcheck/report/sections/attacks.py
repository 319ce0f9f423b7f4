"""What the adversary found: the tightest instance of each claim, with its certified ratio."""

import json
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from boundcheck.report.section import Search
from boundcheck.report.style import BLUE, GREEN, GREY, ORANGE, PURPLE, VERMILLION, panels

_LOOKS = (("o", GREEN), ("s", BLUE), ("^", ORANGE), ("v", VERMILLION), ("D", PURPLE))


def search_figure(searches: list[Search]) -> Figure | None:
    """The largest certified ratio of measured over bound against rank, a series for each search and choice of radii.

    Where a search has a ``curve``, what the ratio can be at most by the claims' own formulas, it is drawn as a line.
    """
    drawn = [search for search in searches if search["drawn"]]
    return panels([drawn], _draw_searches) if drawn else None


def _draw_searches(axis: Axes, searches: list[Search]) -> None:
    ranks: list[int] = sorted({row["rank"] for search in searches for row in search["rows"]})
    series = [(search, text, rows) for search in searches for text, rows in _series(search).items()]
    for (search, text, rows), (marker, colour) in zip(series, _LOOKS, strict=False):
        x = [ranks.index(row["rank"]) for row in rows]
        if search["curve"]:
            axis.plot(x, [search["curve"][str(row["rank"])] for row in rows], "-", color=colour, lw=0.8)
        axis.plot(x, [row["ratio"] for row in rows], marker, color=colour, ms=4, mfc="none", label=text)
    axis.axhline(1, color=GREY, lw=0.8, ls=":", label="the bound: above it a claim would be violated")
    axis.set_xticks(range(len(ranks)), [str(rank) for rank in ranks])
    axis.set_xlabel("rank r")
    axis.set_ylabel("measured / bound")
    axis.set_ylim(0, 1.08)
    axis.set_title("Largest certified ratio that was found", loc="left")


def _series(search: Search) -> dict[str, list[dict[str, Any]]]:
    """The rows of a search by its label and radii."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in search["rows"]:
        a, b = row["constants"].get("a"), row["constants"].get("b")
        text = search["label"] + (f", a = {a:g}, b = {b:g}" if a != b else "")
        found.setdefault(text, []).append(row)
    return found


def instance(search: Search) -> bytes:
    """The best instance as `boundcheck falsify --replay` reads it."""
    return (json.dumps(search["instance"], indent=1) + "\n").encode()
