"""The smoothness of F against rank, from below and from above, a panel for each problem."""

import json
from collections.abc import Callable

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from boundcheck.claims.about import about
from boundcheck.exact.digits import UP, shown
from boundcheck.problems.adapters import ADAPTERS
from boundcheck.report.section import Folder, Material
from boundcheck.report.stored import StoredRun, known
from boundcheck.report.style import BLUE, GREEN, GREY, ORANGE, PURPLE, VERMILLION, log_y, panels
from boundcheck.report.words import norm_names

title = "Smoothness bracket against rank"
see = """The true constant lies between the highest mark and the lowest line that is a theorem."""
place = 400

_CAPTION = """Lines: what each lemma claims for the smoothness constant of F(v) = f(W(v)) on the ball. Marks: lower
estimates from what was sampled or found{along}. The true constant lies between the highest mark and the lowest line
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


def build(material: Material, folder: Folder) -> Markup:
    caption = _CAPTION.format(along="" if material.brackets else " along the runs")
    return folder.figure("smoothness", bracket_figure([*material.theorems, *material.brackets]), caption)


def bracket_figure(runs: list[StoredRun]) -> Figure | None:
    """Lower estimates and upper bounds against rank, a panel for each problem that has one adapter of a rank.

    Brackets on one fixed ball are drawn where there are any; else the smoothness along the runs, each in its own ball.
    """
    brackets = [run for run in runs if not run.is_theorem]
    ranked = [run for run in brackets or runs if run.rank is not None]
    groups = [group for group in by_problem(ranked) if len({run.adapter for run in group}) == 1]
    return panels([by_rank(group) for group in groups], draw(lambda runs: runs[0].problem, ": ")) if groups else None


def ends(run: StoredRun) -> dict[str, float]:
    """The upper ends by role: the printed ones by their C, that of composition, and sharp, the least but for those."""
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
    """The runs on each problem."""
    groups: dict[str, list[StoredRun]] = {}
    for run in runs:
        groups.setdefault(json.dumps(run.result.settings.problem, sort_keys=True), []).append(run)
    return list(groups.values())


def by_rank(runs: list[StoredRun]) -> list[StoredRun]:
    """One run of each rank, the last of those with the same."""
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
    """What draws a bracket against rank, with a name for its runs above it, then their radii."""

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
        positive = [value for value in shown if value > 0]
        log_y(axis, min(positive), max(positive))
        axis.set_xticks(positions, [str(run.rank or "any") for run in runs])
        axis.set_xlim(-0.4, len(runs) - 0.6)
        axis.set_xlabel("rank r")
        axis.set_ylabel(f"smoothness [{runs[0].result.problem.units}]")
        axis.set_title(then.join(filter(None, (name(runs), _radii(runs)))), loc="left")

    return drawn
