"""The figures of how tight a lemma is: the adversary's best ratio, the slack of each step, the parts of curvature."""

from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from boundcheck.report.stored import StoredRun
from boundcheck.report.style import BLUE, GREEN, GREY, ORANGE, PURPLE, VERMILLION, decades, panels

Search = dict[str, Any]
"""What `boundcheck falsify --json` says of a claim, with ``label``, what to call it, ``drawn``, whether a figure shows
it, ``curve``, what its ratio can be at most by rank, or nothing, ``proof``, what the kernel says of it or ``by hand``,
the claim's ``argument``, and ``file``, where the best instance is written, relative to the page."""
Waterfall = tuple[str, list[dict[str, Any]]]
"""The name of a pair of points, and the chains of Lemma 1 there, as `boundcheck.measure.slack` has them."""

_LOOKS = (("o", GREEN), ("s", BLUE), ("^", ORANGE), ("v", VERMILLION), ("D", PURPLE))
_VERSIONS = {"printed": "Lemma 1, as printed", "repaired": "Lemma 1, repaired", "sharp": "Lemma 1, sharp"}
_PARTS = (
    ("gauss-newton", 0, 0, "Gauss–Newton, AA", GREEN, "--"),
    ("gauss-newton", 0, 1, "Gauss–Newton, AB", GREEN, ":"),
    ("gauss-newton", 1, 1, "Gauss–Newton, BB", GREEN, "-"),
    ("bilinear", 0, 1, "bilinear, AB", VERMILLION, "-"),
)


def search_figure(searches: list[Search]) -> Figure | None:
    """The largest certified ratio of measured over bound against rank, a series for each search and choice of radii.

    Where a search has a ``curve``, what the ratio can be at most by the claims' own formulas, it is drawn as a line.
    """
    return panels([searches], _draw_searches) if searches else None


def slack_figure(waterfalls: list[Waterfall]) -> Figure | None:
    """Waterfalls of the chains of Lemma 1, a row for each pair of points that is named, a column for each version."""
    items = [(name, chain) for name, chains in waterfalls for chain in chains]
    return panels(items, _draw_slack, most=3, tall=2.3) if items else None


def split_figure(runs: list[StoredRun]) -> Figure | None:
    """The spectral norms of the blocks of both parts of the Hessian along a run, for LoRA."""
    chosen = [run for run in runs if run.adapter == "lora" and "split" in run.trace]
    best: dict[str, StoredRun] = {}
    for run in chosen:
        held = best.get(run.problem)
        if held is None or (run.rank or 0) > (held.rank or 0):
            best[run.problem] = run
    return panels(list(best.values()), _draw_split) if best else None


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


def _draw_slack(axis: Axes, item: tuple[str, dict[str, Any]]) -> None:
    name, chain = item
    links = chain["links"]
    levels = [chain["measured"], *(link["value"] for link in links)]
    labels = ["measured", *(link["label"] for link in links), "bound"]
    low = min(levels) / 1.6
    bars = [(low, levels[0]), *pairwise(levels), (low, levels[-1])]
    for place, (start, end) in enumerate(bars):
        ends = place in (0, len(bars) - 1)
        colour = BLUE if ends else (ORANGE if end >= start * (1 - 1e-12) else VERMILLION)
        y = len(bars) - 1 - place
        axis.barh(y, abs(end - start), left=min(start, end), height=0.7, color=colour, lw=0)
        factor = f"{end / start:.3g}"
        if not ends and factor != "1":
            axis.text(max(start, end) * 1.06, y, f"×{factor}", va="center", fontsize=6.5)
    axis.set_xscale("log")
    axis.set_xlim(low, max(levels) * 2.6)
    axis.xaxis.set_minor_locator(NullLocator())
    _plain_ticks(axis, low, max(levels) * 2.6)
    axis.set_yticks(range(len(labels)), labels[::-1])
    axis.tick_params(axis="y", labelsize=6.5)
    axis.set_title(f"{_VERSIONS[chain['version']]}\n{name}", loc="left")


def _plain_ticks(axis: Axes, low: float, high: float) -> None:
    exponents = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    ticks = [digit * 10.0**e for e in exponents for digit in (1, 3) if low <= digit * 10.0**e <= high]
    axis.xaxis.set_major_locator(FixedLocator(ticks))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))


def _draw_split(axis: Axes, run: StoredRun) -> None:
    split = run.trace["split"]
    times, parts = run.trace["look_time"].values, split.attrs["parts"].split()
    shown: list[float] = []
    for part, row, column, text, colour, line in _PARTS:
        values = split.values[parts.index(part), row, column]
        axis.plot(times, np.where(values > 0, values, np.nan), line, color=colour, lw=1.2, label=text)
        shown += values[values > 0].tolist()
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.xaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_minor_locator(NullLocator())
    _plain_ticks(axis, float(times[0]), float(times[-1]))
    decades(axis, max(min(shown), max(shown) * 1e-5), max(shown))
    axis.set_xlabel("iteration t, from B = 0")
    axis.set_ylabel(f"norm of the block [{run.result['problem']['units']}]")
    axis.set_title(f"{run.problem}, LoRA, rank {run.rank}", loc="left")
