"""Figures along runs of networks: gradient, smoothness with each L̂, and the constants of the theory, over t."""

import math
import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from boundcheck.measure.intervals import student_interval
from boundcheck.report.stored import StoredRun
from boundcheck.report.style import BLUE, GREEN, GREY, LOOKS, ORANGE, PURPLE, VERMILLION, decades, panels
from boundcheck.report.sweeps import groups, settings
from boundcheck.report.words import number

MOST = 9
"""Runs that the figures show: as many as there are adapters."""

# Each L̂ by way and C: what it is called, and how its line looks.
WAYS = {
    ("path", ""): ("L̂ by the path: the largest ℓₜ", GREEN, "-"),
    ("layers", ""): ("L̂ by layers: the largest λ*", ORANGE, "--"),
    ("printed", "sigma"): ("L̂ as printed, C\u00a0=\u00a0σ", GREY, "-."),
    ("printed", "sqrt(r) sigma"): ("L̂ as printed, C\u00a0=\u00a0√r\u202fσ", GREY, ":"),
}
# Letters in a line of a panel's title.
_LETTERS = 31
# How far below its largest value an axis goes; what is deeper is marked at its edge.
_DEEPEST = 1e-8
# The blocks whose spectral norm is measured; of the others it is the largest entry, or 1.
_SPECTRAL = frozenset({"A", "B", "V", "W", "A_1", "A_2", "B_1", "B_2"})
# Replicas that make an interval.
_FEWEST = 3


@dataclass(frozen=True)
class Named:
    """A run, and what to call it beside the others."""

    name: str
    run: StoredRun

    @property
    def title(self) -> str:
        """The lines above a panel."""
        return "\n".join([*textwrap.wrap(self.name, _LETTERS), self.run.result["verdict"]])

    def over(self, name: str, how: Callable[..., Any]) -> np.ndarray:
        """An observable over t, shape (M,), over the replicas that have a number there; NaN where none has."""
        values: np.ndarray = how(np.ma.masked_invalid(self.run.trace[name].values), axis=0).filled(np.nan)
        return values

    @property
    def times(self) -> np.ndarray:
        """When it was looked at, shape (M,), in the mean over replicas."""
        times: np.ndarray = self.run.trace["time"].values.mean(0)
        return times


def named_runs(runs: list[StoredRun]) -> list[Named]:
    """The runs, each called by adapter, rank, and what else tells it from the others; by its model, if these differ."""
    several, found = len({run.problem for run in runs}) > 1, []
    seeds = len({run.result["spec"]["seed"] for run in runs}) > 1
    for run, text in zip(runs, settings(runs), strict=True):
        rest = text.removeprefix(run.problem)
        name = (f"{run.problem}, " if several else "") + ("LoRA" if run.adapter == "lora" else "")
        name += re.sub(r", (?:run|model|adapter)\.", ", ", rest).removeprefix("" if run.adapter == "lora" else ", ")
        found.append(Named(name + (f", seed {run.result['spec']['seed']}" if seeds else ""), run))
    return found


def distinct(named: list[Named]) -> list[Named]:
    """The first of those that differ in the seed alone."""
    firsts = {id(group[0]) for group in groups([each.run for each in named], ("seed",))}
    return [each for each in named if id(each.run) in firsts]


def along_figures(named: list[Named]) -> dict[str, Figure]:
    """The figures of at most `MOST` runs, the first of those that differ in the seed alone; by the names of files."""
    chosen = distinct(named)[:MOST]
    looks = [(LOOKS[place % 5][1], ("-", "--")[place // 5]) for place in range(len(chosen))]
    courses = [(*course, list(zip(chosen, looks, strict=True))) for course in _COURSES]
    return {
        "gradient_norm": panels(chosen, _draw_gradient, most=3),
        "smoothness": panels(chosen, _draw_smoothness, most=3, tall=2.2),
        "constants": panels(courses, _draw_course, tall=1.9),
    }


def _log_axis(axis: Axes, shown: list[np.ndarray], below: bool = False) -> float:
    """A log axis around the positive numbers of what is shown, with room for marks below; returns the lower edge."""
    values = np.concatenate([np.asarray(x, float).ravel() for x in shown])
    positive = values[(values > 0) & (values < math.inf)]
    high = float(positive.max(initial=0.0)) or 1.0
    low = max(float(positive.min(initial=high)), high * _DEEPEST)
    below |= bool((positive < low).any())
    span = max(math.log10(high / low), 0.3)
    low, edge = low / 10 ** (0.1 * span if below else 0), low / 10 ** (0.1 * span)
    axis.set_yscale("log")
    axis.yaxis.set_minor_locator(NullLocator())
    decades(axis, low, high)
    if span > 3:
        exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        axis.yaxis.set_major_locator(FixedLocator([10.0**e for e in exponents[:: math.ceil(span / 5)]]))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda y, _: number(y, 1)))
    return edge


def _curve(axis: Axes, x: np.ndarray, y: np.ndarray, **look: Any) -> None:
    """A line through the positive numbers, with points where there are few."""
    axis.plot(x, np.where(y > 0, y, np.nan), marker="." if len(x) <= 40 else "", ms=3, lw=1, **look)


def _mark_below(axis: Axes, x: np.ndarray, y: np.ndarray, edge: float, words: str) -> str:
    """Marks at the lower edge where y is not positive, and words about how often that is."""
    below = np.isfinite(y) & (y <= 0)
    if not below.any():
        return ""
    axis.plot(x[below], np.full(below.sum(), edge), "v", color=BLUE, ms=3.5, mfc="none", mew=0.6, label=words)
    return f"; ≤ 0 at {below.sum() / np.isfinite(y).sum():.0%}"


def _draw_gradient(axis: Axes, each: Named) -> None:
    result, x = each.run.result, each.times
    squares, level = each.run.trace["gradient_square_norm"].values, result["spec"]["run"]["level"]
    mean = each.over("gradient_square_norm", np.ma.mean)
    _curve(axis, x, mean, color=BLUE, label="‖∇F(vₜ)‖², mean over replicas")
    shown = [mean]
    if len(squares) >= _FEWEST and np.isfinite(squares).all():
        limits = [student_interval(column, level) for column in squares.T]
        # A lower limit of 0 has no place on a log axis; the band then ends at a tenth of the mean.
        band = np.maximum([i.lower for i in limits], 0.1 * mean), np.array([i.upper for i in limits])
        words = f"pointwise {level:.0%} interval over replicas"
        axis.fill_between(x, *band, color=BLUE, alpha=0.25, lw=0, label=words)
        shown += band
    lines = (
        ("bound", "bound on the average, at L̂ by the path", VERMILLION, "-"),
        ("measured", "average over t", GREEN, "--"),
        ("first", "at v₁", GREY, ":"),
    )
    for key, words, colour, line in lines:
        if result[key] is not None and result[key] > 0:
            axis.axhline(result[key], color=colour, lw=1.1, ls=line, label=words)
            shown.append(np.array([result[key]]))
    edge = _log_axis(axis, shown, bool((mean <= 0).any()))
    share = _mark_below(axis, x, mean, edge, "at the edge: an estimate that is not positive")
    axis.set(xlim=(0, result["plan"]["steps"] + 1), xlabel=f"iteration t{share}")
    axis.set_ylabel(f"‖∇F‖² [{result['problem']['units']}²]")
    axis.set_title(each.title, loc="left")


def _draw_smoothness(axis: Axes, each: Named) -> None:
    result, trace, x = each.run.result, each.run.trace, each.times
    path, error = each.over("path_smoothness", np.ma.max), each.over("path_smoothness_error", np.ma.max)
    upper = path + error
    _curve(axis, x, path, color=BLUE, label="ℓₜ, the largest over replicas")
    shown = [path]
    # A band thinner than the line is none.
    if (error > 0.02 * np.abs(path)).any():
        ends = np.where(upper > 0, np.maximum(path - error, 1e-3 * upper), np.nan), np.where(upper > 0, upper, np.nan)
        axis.fill_between(x, *ends, color=BLUE, alpha=0.25, lw=0, label="± estimate of its rounding error")
        shown.append(upper)
    for row in result["theorems"]:
        if row["value"]:
            words, colour, line = WAYS[row["way"], row["lipschitz"]]
            axis.axhline(row["value"], color=colour, lw=1.1, ls=line, label=words)
            shown.append(np.array([row["value"]]))
    longest = 2 / _step(each.run)
    axis.axhline(longest, color=VERMILLION, lw=0.9, ls=":", label="2/η: for an L̂ above it the step is too long")
    looked = trace["curvature"].values[0] if "curvature" in trace else np.array([])
    if np.isfinite(looked).any():
        axis.plot(trace["look_time"].values[0], looked, "D", color=PURPLE, ms=4, label="curvature |λ| of ∇²F (Lanczos)")
    edge = _log_axis(axis, [*shown, looked, np.array([longest])], bool((path <= 0).any()))
    share = _mark_below(axis, x, path, edge, "at the edge: 0 or less, F bends down there")
    axis.set(xlim=(0, result["plan"]["steps"] + 1), xlabel=f"iteration t{share}")
    axis.set_ylabel(f"smoothness [{result['problem']['units']}]")
    axis.set_title(each.title, loc="left")


def _largest(each: Named, name: str, keep: list[int] | None = None) -> np.ndarray | None:
    """The largest over replicas and the kept places of an observable of blocks or sites."""
    values = each.run.trace[name].values
    values = values if keep is None else values[:, :, keep]
    if not values.shape[2]:
        return None
    found: np.ndarray = np.ma.masked_invalid(values).max((0, 2)).filled(np.nan)
    return found


def _sigma(each: Named) -> np.ndarray | None:
    names = str(each.run.trace.attrs.get("blocks", "")).split("\n")
    return _largest(each, "norm", [i for i, name in enumerate(names) if name.rsplit(" ", 1)[-1] in _SPECTRAL])


# Of each panel what it shows, its unit in words (empty for the loss's own), and how it is read off a run.
_COURSES: tuple[tuple[str, str, Callable[[Named], np.ndarray | None]], ...] = (
    ("F(vₜ), mean over replicas", "", lambda each: each.over("loss", np.ma.mean)),
    ("ζₜ of a minibatch gradient", "", lambda each: np.sqrt(each.over("noise_variance", np.ma.max))),
    ("σₜ, largest spectral norm of a block", "1", _sigma),
    ("Gₜ, largest ‖∇f‖ of a matrix", "", lambda each: _largest(each, "weight_gradient_spectral")),
)


def _draw_course(axis: Axes, item: tuple[str, str, Callable[[Named], Any], list[tuple[Named, Any]]]) -> None:
    title, unit, read, rows = item
    shown = []
    for each, (colour, line) in rows:
        y = read(each)
        if y is not None:
            _curve(axis, each.times, y, color=colour, ls=line, label=each.name)
            shown.append(y)
    if shown:
        _log_axis(axis, shown)
    units = unit or rows[0][0].run.result["problem"]["units"]
    axis.set(xlabel="iteration t", ylabel=f"{title.split(',')[0].split(' ')[0]} [{units}]")
    axis.set_xlim(0, max(each.run.result["plan"]["steps"] for each, _ in rows) + 1)
    axis.set_title(title, loc="left")


