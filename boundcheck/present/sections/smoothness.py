"""The smoothness of F from below and above: against rank, by adapter, by what a proof gives away, by its parts."""

import json
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from boundcheck.exact.digits import UP, shown
from boundcheck.experiment.schema import Chain
from boundcheck.functions.adapters import ADAPTERS, title_of
from boundcheck.language.catalogue import about
from boundcheck.language.view import Part, Picture, paragraph
from boundcheck.present.bars import draw_links
from boundcheck.present.section import Material, Waterfall, placed
from boundcheck.present.stored import StoredRun, highest_rank, known
from boundcheck.present.style import BLUE, GREEN, GREY, ORANGE, PURPLE, VERMILLION, log_y, marks, panels, ticks
from boundcheck.present.words import norm_names, slug

_BRACKETS = """Lines: what each lemma claims for the smoothness constant of F(v) = f(W(v)) on the ball. Marks: lower
estimates from what was sampled or found{}. The true constant lies between the highest mark and the lowest line
that is a theorem; a sampled ratio is never a bound from above."""
_UPPER = {
    "sharp": ("sharpest claim", GREEN, "-"),
    "composition": ("composition lemma, LJ² + GH", GREY, "-."),
    "printed sigma": ("Lemma 1, as printed, C\u00a0=\u00a0σ", ORANGE, "--"),
    "printed sqrt(r) sigma": ("Lemma 1, as printed, C\u00a0=\u00a0√r\u202fσ", VERMILLION, ":"),
}
_LOWER = {
    "ascent": ("largest curvature found by projected ascent", "D", BLUE, "full"),
    "curvature": ("top Hessian eigenvalue (Lanczos)", "s", BLUE, "none"),
    "pairs": ("sampled pairs", "o", PURPLE, "none"),
    "iterates": ("consecutive iterates", "^", GREY, "none"),
    "gradient ratio": ("largest gradient ratio along the run", "D", BLUE, "none"),
    "path": ("largest descent curvature along the run", "s", BLUE, "none"),
    "median of path": ("median descent curvature along the run", "o", PURPLE, "none"),
}


@placed(
    400,
    "Smoothness bracket against rank",
    "The true constant lies between the highest mark and the lowest line that is a theorem.",
)
def smoothness(material: Material) -> Iterator[Part]:
    runs = [*material.theorems, *material.brackets]
    caption = _BRACKETS.format("" if material.brackets else " along the runs")
    yield Picture("smoothness", lambda: bracket_figure(runs), caption)


def bracket_figure(runs: list[StoredRun]) -> Figure | None:
    """Lower estimates and upper bounds against rank, a panel for each problem whose runs with a rank have one adapter.

    Brackets on one fixed ball are drawn if there are any; else the smoothness along the runs, each in its own ball.
    """
    brackets = [run for run in runs if not run.is_theorem]
    ranked = [run for run in brackets or runs if run.rank is not None]
    groups = [group for group in by_problem(ranked) if len({run.adapter for run in group}) == 1]
    return panels([by_rank(group) for group in groups], draw(lambda runs: runs[0].problem, ": ")) if groups else None


def ends(run: StoredRun) -> dict[str, float]:
    """The upper ends by role: the printed ones by their C, that of composition, and sharp, the least not printed."""
    found: dict[str, float] = {}
    for end in run.result.upper:
        said = about(end.claim)
        if said is not None and said.is_printed:
            found[f"printed {end.lipschitz}"] = end.value
            continue
        found["sharp"] = min(found.get("sharp", np.inf), end.value)
        if run.adapter in ADAPTERS and end.claim == ADAPTERS[run.adapter].composition:
            found["composition"] = end.value
    return found


def by_problem(runs: list[StoredRun]) -> list[list[StoredRun]]:
    """The runs in groups, one for each problem."""
    groups: dict[str, list[StoredRun]] = {}
    for run in runs:
        groups.setdefault(json.dumps(run.result.settings.problem, sort_keys=True), []).append(run)
    return list(groups.values())


def by_rank(runs: list[StoredRun]) -> list[StoredRun]:
    """One run of each rank, in the order of ranks: the last of those with the same rank."""
    return [run for _, run in sorted({run.rank or 0: run for run in runs}.items())]


def _radii(runs: list[StoredRun]) -> str:
    different = {json.dumps(run.result.radii) for run in runs}
    if len(different) > 1:
        return "each run's own ball"
    names = norm_names(runs[0].adapter)
    equal: dict[float, list[str]] = {}
    for name, radius in runs[0].result.radii.items():
        equal.setdefault(radius, []).append(names.get(name, name).removeprefix("max "))
    return "; ".join(f"{', '.join(norms)} ≤ {shown(radius, 3, UP)}" for radius, norms in equal.items())


def draw(name: Callable[[list[StoredRun]], str], then: str) -> Callable[[Axes, list[StoredRun]], None]:
    """A function that draws a bracket against rank, with a name for its runs above it, then their radii."""

    def drawn(axis: Axes, runs: list[StoredRun]) -> None:
        positions, shown = np.arange(len(runs)), []
        upper = [ends(run) for run in runs]
        for role, (text, colour, line) in _UPPER.items():
            values = [each.get(role, np.nan) for each in upper]
            if role == "composition" and values == [each.get("sharp") for each in upper]:
                continue
            if np.isfinite(values).any():
                axis.plot(positions, values, line, color=colour, lw=1.2, marker="_", ms=9, label=text)
                shown += values
        for kind, (text, marker, colour, fill) in _LOWER.items():
            values = [known(run.result.lower.get(kind)) for run in runs]
            if np.isfinite(values).any():
                axis.plot(positions, values, marker, color=colour, ms=4, fillstyle=fill, label=text)
                shown += values
        if positive := [value for value in shown if value > 0]:
            log_y(axis, min(positive), max(positive))
        axis.set_xticks(positions, [str(run.rank or "any") for run in runs])
        axis.set_xlim(-0.4, len(runs) - 0.6)
        axis.set_xlabel("rank r")
        axis.set_ylabel(f"smoothness [{runs[0].result.problem.units}]")
        axis.set_title(then.join(filter(None, (name(runs), _radii(runs)))), loc="left")

    return drawn


_ADAPTERS = """The same bracket for each reparametrisation W(v), each on its own domain. On LoReFT's Stiefel manifold
all derivatives are Riemannian, and sampled pairs stand for curvatures along random directions."""
_OF_EACH = """Lines: claims about the adapter, rounded up. Marks: lower estimates. How far a mark stays below the lowest
line is what this f leaves unused of the worst case; the adversary below shows which lines could not be lower."""


@placed(
    420,
    "Every adapter: bracket against rank",
    "The nearer the marks come to the lowest line of a panel, the less that line can be improved.",
)
def adapters(material: Material) -> Iterator[Part]:
    drawn = adapter_figures(material.brackets)
    if drawn:
        yield paragraph(_ADAPTERS)
    for problem, draw_ in drawn.items():
        yield Picture(f"adapters_{slug(problem)}", draw_, _OF_EACH)


def adapter_figures(runs: list[StoredRun]) -> dict[str, Callable[[], Figure]]:
    """Functions that draw the figures of problems with brackets of several adapters, by the problem's name."""
    drawn = draw(lambda runs: title_of(runs[0].adapter), "\n")
    return {
        problem: partial(panels, [by_rank(group) for group in groups], drawn, most=3, tall=1.75)
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


_VERSIONS = {"printed": "Lemma 1, as printed", "repaired": "Lemma 1, repaired", "sharp": "Lemma 1, sharp"}
_SLACK = """From the measured ratio ‖∇F(v₁) − ∇F(v₂)‖ / ‖v₁ − v₂‖ to the lemma's constant, link by link, on a
logarithmic axis. A red bar goes the wrong way: the printed (13) makes the denominator larger."""


@placed(
    460,
    "What each inequality gives away",
    "Read each panel from the top: a bar is an inequality of the proof, and its length is the factor that it gives "
    "away.",
)
def slack(material: Material) -> Iterator[Part]:
    yield Picture("slack", lambda: slack_figure(_waterfalls(material)), _SLACK)


def _waterfalls(material: Material) -> list[Waterfall]:
    """The given waterfalls, and for each problem that of its bracket of highest rank, at its steepest sampled pair."""
    best = highest_rank(run for run in material.brackets if run.slack)
    return [*material.waterfalls, *((run.title, run.slack) for run in best)]


def slack_figure(waterfalls: list[Waterfall]) -> Figure | None:
    """Waterfalls of the chains of Lemma 1, a row for each pair of points that is named, a column for each version."""
    items = [(name, chain) for name, chains in waterfalls for chain in chains]
    return panels(items, _draw_slack, most=3, tall=2.3) if items else None


def _draw_slack(axis: Axes, item: tuple[str, Chain]) -> None:
    name, chain = item
    draw_links(axis, "measured", chain.measured, chain.links, "bound", f"{_VERSIONS[chain.version]}\n{name}")


_PARTS = (
    ("gauss-newton", 0, 0, "Gauss–Newton, AA", GREEN, "--"),
    ("gauss-newton", 0, 1, "Gauss–Newton, AB", GREEN, ":"),
    ("gauss-newton", 1, 1, "Gauss–Newton, BB", GREEN, "-"),
    ("bilinear", 0, 1, "bilinear, AB", VERMILLION, "-"),
)
_SPLIT = """Spectral norms of the blocks of ∇²F along Algorithm 1 from B = 0: what the curvature of f makes
(Gauss–Newton), and what the product BA makes of the gradient of f (bilinear), which couples A with B alone. At B = 0
the blocks AA and AB of the first are 0."""


@placed(
    480,
    "Where the curvature comes from",
    "Compare the green curves with the red one: the curvature of $f$, and that which the product $BA$ makes.",
)
def curvature_split(material: Material) -> Iterator[Part]:
    yield Picture("curvature_split", lambda: split_figure(material.runs), _SPLIT)


def _is_split(run: StoredRun) -> bool:
    return run.has_default_adapter and "split" in run.trace


def split_figure(runs: list[StoredRun]) -> Figure | None:
    """The spectral norms of the blocks of both parts of the Hessian along a run, for LoRA."""
    chosen = highest_rank(filter(_is_split, runs))
    return panels(chosen, _draw_split) if chosen else None


def _draw_split(axis: Axes, run: StoredRun) -> None:
    split = run.trace["split"]
    times, parts = run.trace["look_time"].values, split.attrs["parts"].split()
    shown: list[float] = []
    for part, row, column, text, colour, line in _PARTS:
        values = split.values[parts.index(part), row, column]
        axis.plot(times, np.where(values > 0, values, np.nan), line, color=colour, lw=1.2, label=text)
        shown += values[values > 0].tolist()
    axis.set_xscale("log")
    ticks(axis.xaxis, marks(float(times[0]), float(times[-1])))
    log_y(axis, max(min(shown), max(shown) * 1e-5), max(shown))
    axis.set_xlabel("iteration t, from B = 0")
    axis.set_ylabel(f"norm of the block [{run.result.problem.units}]")
    axis.set_title(f"{run.problem}, LoRA, rank {run.rank}", loc="left")
