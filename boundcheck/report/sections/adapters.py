"""Brackets of several adapters on one problem, a figure for each problem and a panel for each adapter."""

from markupsafe import Markup
from matplotlib.figure import Figure

from boundcheck.problems.adapters import ADAPTERS, title_of
from boundcheck.report.section import Folder, Material
from boundcheck.report.sections.smoothness import by_problem, by_rank, draw
from boundcheck.report.stored import StoredRun
from boundcheck.report.style import panels
from boundcheck.report.words import slug

title = "Every adapter: bracket against rank"
see = """The nearer the marks come to the lowest line of a panel, the less that line can be improved."""
place = 420

_LEAD = """<p>The same bracket for each reparametrisation W(v), each on its own domain. On LoReFT's Stiefel manifold all
derivatives are Riemannian, and sampled pairs stand for curvatures along random directions.</p>"""
_CAPTION = """Lines: claims about the adapter, rounded up. Marks: lower estimates. How far a mark stays below the lowest
line is what this f leaves unused of the worst case; the adversary below shows which lines could not be lower."""


def build(material: Material, folder: Folder) -> Markup:
    figures = [
        folder.figure(f"adapters_{slug(problem)}", figure, _CAPTION)
        for problem, figure in adapter_figures(material.brackets).items()
    ]
    return Markup(_LEAD) + Markup("").join(figures) if figures else Markup()


def adapter_figures(runs: list[StoredRun]) -> dict[str, Figure]:
    """For each problem with brackets of several adapters a figure, by the problem's name."""
    drawn = draw(lambda runs: title_of(runs[0].adapter), "\n")
    return {
        problem: panels([by_rank(group) for group in groups], drawn, most=3, tall=1.75)
        for problem, groups in _compared(runs).items()
    }


def _compared(runs: list[StoredRun]) -> dict[str, list[list[StoredRun]]]:
    """The brackets of each adapter, by problem, where there are several adapters."""
    found = {}
    for group in by_problem([run for run in runs if not run.is_theorem]):
        kinds = dict.fromkeys((*ADAPTERS, *(run.adapter for run in group)))
        of_each = [[run for run in group if run.adapter == kind] for kind in kinds]
        if len(several := list(filter(None, of_each))) > 1:
            found[group[0].problem] = several
    return found
