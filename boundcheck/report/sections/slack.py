"""What each inequality of Lemma 1 gives away, as waterfalls from the measured ratio to the constant."""

from itertools import pairwise

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from boundcheck.measure.parts import Chain
from boundcheck.report.section import Folder, Material, Waterfall
from boundcheck.report.stored import highest_rank, known
from boundcheck.report.style import BLUE, ORANGE, VERMILLION, ones_and_threes, panels, ticks

title = "What each inequality gives away"
place = 460

_VERSIONS = {"printed": "Lemma 1, as printed", "repaired": "Lemma 1, repaired", "sharp": "Lemma 1, sharp"}
_CAPTION = """From the measured ratio ‖∇F(v₁) − ∇F(v₂)‖ / ‖v₁ − v₂‖ to the lemma's constant, link by link, on a
logarithmic axis. A red bar goes the wrong way: the printed (13) makes the denominator larger."""


def build(material: Material, folder: Folder) -> Markup:
    return folder.figure("slack", slack_figure(_waterfalls(material)), _CAPTION)


def _waterfalls(material: Material) -> list[Waterfall]:
    """Those that are given, and that of the bracket of highest rank of each problem, at its steepest sampled pair."""
    best = highest_rank(run for run in material.brackets if run.slack)
    return [*material.waterfalls, *((f"{run.problem}, rank {run.rank}", run.slack) for run in best)]


def slack_figure(waterfalls: list[Waterfall]) -> Figure | None:
    """Waterfalls of the chains of Lemma 1, a row for each pair of points that is named, a column for each version."""
    items = [(name, chain) for name, chains in waterfalls for chain in chains]
    return panels(items, _draw_slack, most=3, tall=2.3) if items else None


def _draw_slack(axis: Axes, item: tuple[str, Chain]) -> None:
    name, chain = item
    links = chain.links
    levels = [chain.measured, *(known(link.value) for link in links)]
    labels = ["measured", *(link.label for link in links), "bound"]
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
    ticks(axis.xaxis, ones_and_threes(low, max(levels) * 2.6))
    axis.set_yticks(range(len(labels)), labels[::-1])
    axis.tick_params(axis="y", labelsize=6.5)
    axis.set_title(f"{_VERSIONS[chain.version]}\n{name}", loc="left")
