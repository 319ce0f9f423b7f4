"""Runs on matrices from beginning to end: gradients beside the bound, the share of each step, where a theorem loses."""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from boundcheck.exact.digits import DOWN, UP
from boundcheck.experiment.intervals import student_interval
from boundcheck.experiment.schedule import Schedule
from boundcheck.experiment.schema import Bar, Waterfall
from boundcheck.language.evidence import beyond_rounding
from boundcheck.language.view import Code, Fold, Part, Picture, Prose, Table, line, numeric, paragraph
from boundcheck.present.bars import draw_links
from boundcheck.present.named import distinct
from boundcheck.present.section import Material, placed
from boundcheck.present.stored import StoredRun, known
from boundcheck.present.style import BLUE, GREEN, GREY, VERMILLION, extent, log_y, panels
from boundcheck.present.sweeps import settings
from boundcheck.present.words import number, sentence_of, titled

# Panels of a figure.
_MOST = 6
_GRADIENT = """Mean squared gradient norm of F along the run, from full gradients at audit times that were drawn at
random before it, one in each stratum of t for each replica. Dashed: what was measured. The red line is the theorem's
bound at the constants that were fixed before the run: where it is about the smallest over t of the expected square and
there is noise, the average over t was measured, which is no less."""


@placed(
    220,
    "Bound against measured gradient norm",
    "Where a run agrees with its theorem, the dashed line lies below the red one; where the bound says anything new, "
    "the red one lies below the dotted one.",
)
def gradient(material: Material) -> Iterator[Part]:
    yield Picture("gradient_norm", lambda: gradient_figure(material.theorems), _GRADIENT)


def _is_drawn(run: StoredRun) -> bool:
    return run.is_theorem and "batch" in run.result.spec["run"] and run.measure.is_of_gradients


def gradient_figure(runs: list[StoredRun]) -> Figure | None:
    """Squared gradient norm over t for runs of theorems that bound it, beside their bounds; None if there are none.

    Drawn are the runs whose T was chosen to be informative, or, if there are none of these, the first runs.
    """
    runs = list(filter(_is_drawn, runs))
    chosen = [run for run in runs if run.result.settings.run.steps == "informative"] or runs[:_MOST]
    return panels(chosen, _draw_gradient) if chosen else None


def band(
    axis: Axes, x: np.ndarray, values: np.ndarray, mean: np.ndarray, level: float
) -> tuple[np.ndarray, np.ndarray]:
    """Draw Student's limits over replicas at each time, for values of shape (R, M); return both."""
    # Of a run that diverged there are none.
    with np.errstate(invalid="ignore", over="ignore"):
        limits = [student_interval(column, level) for column in values.T]
    # A lower limit of 0 has no place on a log axis; the band then ends at a tenth of the mean.
    ends = np.maximum([i.lower for i in limits], 0.1 * mean), np.array([i.upper for i in limits])
    words = f"pointwise asymptotic {level:.0%} interval over replicas"
    axis.fill_between(x, *ends, color=BLUE, alpha=0.25, lw=0, label=words)
    return ends


def _draw_gradient(axis: Axes, run: StoredRun) -> None:
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
    axis.set_title("\n".join(textwrap.fill(line, 40) for line in lines), loc="left")


_DESCENT = """Whatever the algorithm,
$F(v_(t+1)) ≤ F(v_t) + ⟨∇F(v_t), v_(t+1) − v_t⟩ + ½L̂‖v_(t+1) − v_t‖²$
where F is $L̂$-smooth. With the descent curvature $ℓ_t$ in place of $L̂$ this is an equation, so $ℓ_t/L̂$ is the share
of the last term that a step needed: what is missing to 1 is given away there. A share of 0 or less, on a segment
along which F bends down, has no place on the axis and is marked at its lower edge. The gradient ratio
$‖∇F(v_(t+1)) − ∇F(v_t)‖/‖v_(t+1) − v_t‖$ of the same step is at most $L̂$ there too, and a lower estimate of the
smoothness of F."""


@placed(
    320,
    "What the descent inequality leaves unused",
    "Near 1 a step needed the whole constant; far below 1 the constant is larger than the step needed.",
)
def descent(material: Material) -> Iterator[Part]:
    yield Picture("descent", lambda: descent_figure(material.theorems), _DESCENT)


def _has_constant(run: StoredRun) -> bool:
    return run.is_theorem and run.course.plan.smoothness is not None


def descent_figure(runs: list[StoredRun]) -> Figure | None:
    r"""The descent curvature over the claim's constant at each audited step, median and largest over replicas.

    For every algorithm
    :math:`F(v_{t+1}) \le F(v_t) + \langle\nabla F(v_t), \Delta_t\rangle + (\hat L/2)\|\Delta_t\|^2`, where
    :math:`\Delta_t = v_{t+1} - v_t`; with :math:`\ell_t` in place of :math:`\hat L` it is an equation, so
    :math:`\ell_t/\hat L` is the share of the last term that step t needed. For each problem and claim the longest run
    of highest rank is drawn, and six at most.
    """
    best: dict[tuple[str, str], StoredRun] = {}
    for run in filter(_has_constant, runs):
        key = str(run.result.settings.problem), titled(run.result)
        if key not in best or _size(run) > _size(best[key]):
            best[key] = run
    chosen = list(best.values())[:_MOST]
    items = list(zip(settings(chosen), chosen, strict=True))
    return panels(items, _draw_descent, tall=2.2) if items else None


def _size(run: StoredRun) -> tuple[int, int]:
    return run.rank or 0, run.course.plan.steps


def _draw_descent(axis: Axes, item: tuple[str, StoredRun]) -> None:
    title, run = item
    steps = run.course.plan.steps
    shares = beyond_rounding(run.trace, "path_smoothness") / known(run.course.plan.smoothness)
    edges = Schedule.edges_of(steps, shares.shape[1])
    middle = (edges[:-1] + 1 + edges[1:]) / 2
    finite = np.isfinite(shares).all(0)
    curves = {"largest over replicas": shares.max(0), "median over replicas": np.median(shares, 0)}
    curves = curves if len(shares) > 1 else {"of the only replica": shares[0]}
    shown = np.concatenate([curve[finite & (curve > 0)] for curve in curves.values()])
    if "gradient_ratio" in run.trace and np.isfinite(run.trace["gradient_ratio"].values).all():
        ratio, off = (run.trace[name].values for name in ("gradient_ratio", "gradient_ratio_error"))
        most = np.where(ratio > off, ratio, 0.0).max(0) / known(run.course.plan.smoothness)
        axis.plot(middle, np.where(most > 0, most, np.nan), color=GREEN, lw=1, label="gradient ratio, the largest")
        shown = np.concatenate([shown, most[most > 0]])
    low, label_below = float(shown.min(initial=1.0)), "at the lower edge: 0 or less, F bends down there"
    for (text, curve), colour in zip(curves.items(), (VERMILLION, BLUE)[-len(curves) :], strict=True):
        shape, label = np.where(finite & (curve > 0), curve, np.nan), f"descent curvature ℓₜ, {text}"
        axis.plot(middle, shape, ".-", color=colour, lw=1, ms=3, label=label)
        below = middle[finite & (curve <= 0)]
        if len(below):
            axis.plot(below, np.full(len(below), low / 2), "v", color=colour, ms=4, mfc="none", label=label_below)
    axis.axhline(1, color=GREY, lw=1, ls="--", label="1: the claim's own constant")
    bent = float((shares <= 0).mean())
    log_y(axis, low / 2 if bent else low, float(shown.max(initial=1.0)))
    axis.set_xlim(0, steps)
    axis.set_xlabel("iteration t" + (f" (F bends down on {bent:.0%} of the audited steps)" if bent else ""))
    axis.set_ylabel("smoothness / L̂")
    axis.set_title("\n".join(textwrap.fill(line, 46) for line in (title, titled(run.result))), loc="left")


_WATERFALL = """From what was measured to the bound, inequality by inequality. Each step of v − αg is an equation,
$F(v_(t+1)) = F(v_t) − α⟨∇F, g_t⟩ + ½α²ℓ_t‖g_t‖²$, and so is their sum: the factors are exact, and their product is the
bound over what was measured; in another order of the links, each would be another. Grey: chance, which is 0 in
expectation, with its interval as a line. Red: the wrong way, past what chance explains. *: a constant that is only
estimated. Dashed: what the same sum would say with another step, at which something else would have been measured."""


@placed(
    310,
    "Where the theorem loses",
    "Read each panel from the top: a bar is an inequality of the proof, and its length is the factor that it gives "
    "away.",
)
def waterfall(material: Material) -> Iterator[Part]:
    found, chosen = lost(material), drawn(material)
    if not found:
        return
    yield Picture("waterfall", lambda: waterfall_figure(chosen), _WATERFALL)
    for each in chosen:
        yield line(Prose(f"{each.called}.", "strong"), Prose(each.waterfall.says))
    yield from map(paragraph, dict.fromkeys(each.waterfall.says for each in found if not each.has_links))
    for each in found:
        if each.has_links:
            says = [] if each in chosen else [paragraph(each.waterfall.says, "small")]
            yield Fold(line(Prose(f"{each.called} (run"), Code(f"{each.run.result.run_id})")), (each.table, *says))


@dataclass(frozen=True)
class Lost:
    """A run with its waterfall and its name."""

    name: str
    run: StoredRun
    waterfall: Waterfall

    @property
    def called(self) -> str:
        """Its name in one line."""
        return self.name.replace("\n", ", ")

    @property
    def table(self) -> Table:
        """A table of the links, with what each adds and gives away."""
        x, level = self.waterfall, self.run.result.settings.run.level
        caption = (
            f"It starts at {number(x.measured)}, the {x.start}. What each link adds lies between these; {x.intervals}."
        )
        head = ("Link", numeric("Value"), numeric("Factor"), numeric(f"Adds, at {100 * level:.0f}\u202f%"))
        rows = [
            (
                link.label,
                number(link.value, toward=UP),
                number(link.factor),
                self.added(link),
                number(link.rounding, toward=UP),
                Prose(f"{sentence_of(link.why)}. {_estimated(link)}"),
            )
            for link in x.links
        ]
        return Table((*head, numeric("Rounding"), "What is given away"), rows, caption, most=None)

    @property
    def has_links(self) -> bool:
        """True if there is something to draw: a waterfall without links says why it has none."""
        return bool(self.waterfall.links)

    def added(self, bar: Bar) -> str:
        """The interval of what a link adds, in words; a dash if it has none."""
        return "–" if bar.lower is None else f"{number(bar.lower, toward=DOWN)} to {number(bar.upper, toward=UP)}"


def _estimated(link: Bar) -> str:
    return f"Only estimated: {', '.join(f'`{each}`' for each in link.estimated)}." if link.estimated else ""


def lost(material: Material) -> list[Lost]:
    """The runs, on matrices or of networks, that have a waterfall or a reason for having none."""
    named = [(each.name, each.run) for each in material.networks]
    others = material.theorems
    named += [(f"{name}\n{titled(run.result)}", run) for name, run in zip(settings(others), others, strict=True)]
    return [Lost(name, run, run.course.waterfall) for name, run in named if run.course.waterfall is not None]


def drawn(material: Material) -> list[Lost]:
    """For each problem and claim the longest run of highest rank, six at most.

    Runs of networks are those that differ in more than the seed.
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


def waterfall_figure(chosen: list[Lost]) -> Figure | None:
    """A panel for each run: from what was measured to the bound, link by link, on a logarithmic axis."""
    most = max((len(each.waterfall.links) for each in chosen), default=0)
    return panels(chosen, _draw_waterfall, tall=0.9 + 0.2 * most) if chosen else None


def _draw_waterfall(axis: Axes, each: Lost) -> None:
    found, result = each.waterfall, each.run.course
    end = "bound" if each.run.bound is not None else "where it ends"
    title = "\n".join(textwrap.fill(line, 30) for line in each.name.split("\n"))
    draw_links(axis, found.start, known(found.measured), found.links, end, title, found.most)
    if found.at_best is not None:
        words = "what the same sum says with the step at which it is smallest"
        axis.axvline(found.at_best.bound, color=GREEN, lw=0.9, ls="--", zorder=0, label=words)
    axis.set_xlabel(each.run.measure.observable.axis(result.problem.units))
