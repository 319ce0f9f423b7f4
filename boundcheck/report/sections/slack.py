"""What each inequality of Lemma 1 gives away, as waterfalls from the measured ratio to the constant."""

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from boundcheck.measure.parts import Chain
from boundcheck.report.bars import draw_links
from boundcheck.report.section import Folder, Material, Waterfall
from boundcheck.report.stored import highest_rank
from boundcheck.report.style import panels

title = "What each inequality gives away"
see = """Read each panel from the top: a bar is an inequality of the proof, and its length is the factor that it gives
away."""
place = 460

_VERSIONS = {"printed": "Lemma 1, as printed", "repaired": "Lemma 1, repaired", "sharp": "Lemma 1, sharp"}
_CAPTION = """From the measured ratio ‖∇F(v₁) − ∇F(v₂)‖ / ‖v₁ − v₂‖ to the lemma's constant, link by link, on a
logarithmic axis. A red bar goes the wrong way: the printed (13) makes the denominator larger."""


def build(material: Material, folder: Folder) -> Markup:
    return folder.figure("slack", slack_figure(_waterfalls(material)), _CAPTION)


def _waterfalls(material: Material) -> list[Waterfall]:
    """Those that are given, and that of the bracket of highest rank of each problem, at its steepest sampled pair."""
    best = highest_rank(run for run in material.brackets if run.slack)
    return [*material.waterfalls, *((run.title, run.slack) for run in best)]


def slack_figure(waterfalls: list[Waterfall]) -> Figure | None:
    """Waterfalls of the chains of Lemma 1, a row for each pair of points that is named, a column for each version."""
    items = [(name, chain) for name, chains in waterfalls for chain in chains]
    return panels(items, _draw_slack, most=3, tall=2.3) if items else None


def _draw_slack(axis: Axes, item: tuple[str, Chain]) -> None:
    name, chain = item
    draw_links(axis, "measured", chain.measured, chain.links, "bound", f"{_VERSIONS[chain.version]}\n{name}")
