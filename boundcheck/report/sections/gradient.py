"""The figure of a theorem about gradients: squared gradient norm over t along its runs, beside the bound."""

import textwrap

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from boundcheck.measure.intervals import student_interval
from boundcheck.measure.schedule import Schedule
from boundcheck.report.section import Folder, Material
from boundcheck.report.stored import StoredRun, known
from boundcheck.report.style import BLUE, GREEN, GREY, VERMILLION, extent, log_y, panels
from boundcheck.report.words import titled

title = "Bound against measured gradient norm"
see = """Where a run agrees with its theorem, the dashed line lies below the red one; where the bound says anything
new, the red one lies below the dotted one."""
place = 220

# Panels of runs that nobody chose, and letters that a line of a title holds.
_MOST, _TITLE = 6, 40
_CAPTION = """Mean squared gradient norm of F along the run, from full gradients at audit times that were drawn at
random before it, one in each stratum of t for each replica. Dashed: what was measured. The red line is the theorem's
bound at the constants that were fixed before the run: where it is about the smallest over t of the expected square and
there is noise, the average over t was measured, which is no less."""


def build(material: Material, folder: Folder) -> Markup:
    return folder.figure("gradient_norm", gradient_figure(material.theorems), _CAPTION)


def _is_drawn(run: StoredRun) -> bool:
    return run.is_theorem and "batch" in run.result.spec["run"] and run.measure.is_of_gradients


def gradient_figure(runs: list[StoredRun]) -> Figure | None:
    """Squared gradient norm over t for runs of theorems that bound it, beside their bounds; None where there is none.

    Those whose T was chosen to be informative, or, where there are none, the first of them.
    """
    runs = list(filter(_is_drawn, runs))
    chosen = [run for run in runs if run.result.settings.run.steps == "informative"] or runs[:_MOST]
    return panels(chosen, _draw) if chosen else None


def band(
    axis: Axes, x: np.ndarray, values: np.ndarray, mean: np.ndarray, level: float
) -> tuple[np.ndarray, np.ndarray]:
    """Draw Student's limits over replicas at each time, for values of shape (R, M); returns both."""
    # Of a run that diverged there are none.
    with np.errstate(invalid="ignore", over="ignore"):
        limits = [student_interval(column, level) for column in values.T]
    # A lower limit of 0 has no place on a log axis; the band then ends at a tenth of the mean.
    ends = np.maximum([i.lower for i in limits], 0.1 * mean), np.array([i.upper for i in limits])
    words = f"pointwise asymptotic {level:.0%} interval over replicas"
    axis.fill_between(x, *ends, color=BLUE, alpha=0.25, lw=0, label=words)
    return ends


def _draw(axis: Axes, run: StoredRun) -> None:
    result, squares = run.course, run.trace["gradient_square_norm"].values
    steps, level = result.plan.steps, result.settings.run.level
    bound, first = known(run.bound), known(result.first)
    edges = Schedule.edges_of(steps, squares.shape[1])
    middle = (edges[:-1] + 1 + edges[1:]) / 2
    mean = squares.mean(0)
    axis.plot(middle, mean, color=BLUE, lw=1, label="mean over replicas, by stratum of t")
    low, high = band(axis, middle, squares, mean, level)
    axis.axhline(bound, color=VERMILLION, lw=1.2, label="the theorem's bound")
    axis.axhline(first, color=GREY, lw=0.8, ls=":", label="at the first iterate (known without the theorem)")
    interval = result.interval
    if interval is not None:
        axis.axhspan(interval.lower, interval.upper, color=GREEN, alpha=0.25, lw=0)
        words = f"{run.shown}, and its {interval.kind} interval"
        axis.axhline(known(result.measured), color=GREEN, lw=1, ls="--", label=words)
    log_y(axis, extent(low)[0], extent(bound, first, high)[1])
    axis.set_xlim(0, steps)
    axis.set_xlabel("iteration t")
    axis.set_ylabel(run.measure.observable.axis(result.problem.units))
    lines = f"{run.title}: {run.verdict}", titled(result)
    axis.set_title("\n".join(textwrap.fill(line, _TITLE) for line in lines), loc="left")
