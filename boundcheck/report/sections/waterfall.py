"""Where each theorem loses on each run, from what was measured to the bound; the words are in the template."""

import textwrap
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from boundcheck.exact.digits import DOWN, UP
from boundcheck.measure.parts import Bar, Waterfall
from boundcheck.report.bars import draw_links
from boundcheck.report.named import distinct
from boundcheck.report.section import Material
from boundcheck.report.stored import StoredRun, known
from boundcheck.report.style import GREEN, panels
from boundcheck.report.sweeps import settings
from boundcheck.report.words import number, titled

# Panels of the figure, and letters that a line of a title holds.
_MOST, _TITLE = 6, 30


@dataclass(frozen=True)
class Lost:
    """A run with its waterfall, and what to call it."""

    name: str
    run: StoredRun
    waterfall: Waterfall

    @property
    def has_links(self) -> bool:
        """Whether there is something to draw: a waterfall without links says why it has none."""
        return bool(self.waterfall.links)

    def added(self, bar: Bar) -> str:
        """Between what lies what a link adds, by its interval."""
        return "–" if bar.lower is None else f"{number(bar.lower, toward=DOWN)} to {number(bar.upper, toward=UP)}"


def lost(material: Material) -> list[Lost]:
    """The runs that have a waterfall, or the reason for none: on matrices, or of networks."""
    named = [(each.name, each.run) for each in material.networks]
    others = material.theorems
    named += [(f"{name}\n{titled(run.result)}", run) for name, run in zip(settings(others), others, strict=True)]
    return [Lost(name, run, run.course.waterfall) for name, run in named if run.course.waterfall is not None]


def drawn(material: Material) -> list[Lost]:
    """Of each problem and claim the longest run of highest rank, of networks those that differ in more than the seed.

    Six at most.
    """
    firsts = {id(each.run) for each in distinct(material.networks)}
    best: dict[tuple[str, str], Lost] = {}
    for each in lost(material):
        result = each.run.result
        own = each.name if each.run.is_network else str(result.settings.problem)
        key = own, titled(result)
        if not each.has_links or (each.run.is_network and id(each.run) not in firsts):
            continue
        if key not in best or _size(each.run) > _size(best[key].run):
            best[key] = each
    return list(best.values())[:_MOST]


def _size(run: StoredRun) -> tuple[int, int]:
    return run.rank or 0, run.course.plan.steps


def waterfall_figure(chosen: list[Lost]) -> Figure | None:
    """A panel for each run: from what was measured to the bound, link by link, on a logarithmic axis."""
    most = max((len(each.waterfall.links) for each in chosen), default=0)
    return panels(chosen, _draw, tall=0.9 + 0.2 * most) if chosen else None


def _draw(axis: Axes, each: Lost) -> None:
    found, result = each.waterfall, each.run.course
    end = "bound" if each.run.bound is not None else "where it ends"
    title = "\n".join(textwrap.fill(line, _TITLE) for line in each.name.split("\n"))
    draw_links(axis, found.start, known(found.measured), found.links, end, title, found.most)
    if found.at_best is not None:
        words = "what the same sum says with the step at which it is smallest"
        axis.axvline(found.at_best.bound, color=GREEN, lw=0.9, ls="--", zorder=0, label=words)
    axis.set_xlabel(each.run.measure.observable.axis(result.problem.units))
