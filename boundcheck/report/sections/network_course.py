"""Figures along runs of networks: gradient, smoothness with each L̂, and the constants of the theory, over t."""

import math
import textwrap
from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from boundcheck.report.named import WAYS, Named, distinct
from boundcheck.report.sections.gradient import band
from boundcheck.report.style import BLUE, GREEN, GREY, LOOKS, ORANGE, PURPLE, VERMILLION, log_y, panels, ticks
from boundcheck.words.hypotheses.lipschitz_adapter import LARGER, LEAST

MOST = 9
"""Runs that the figures show: as many as there are adapters."""

# How the line of each L̂ looks.
_LINES = {
    ("path", ""): (GREEN, "-"),
    ("layers", ""): (ORANGE, "--"),
    ("printed", LEAST): (GREY, "-."),
    ("printed", LARGER): (GREY, ":"),
}
# Letters in a line of a legend.
_LEGEND = 46
# How far below its largest value an axis goes; what is deeper is marked at its edge.
_DEEPEST = 1e-14
# Numbers within this factor are drawn on a linear axis.
_CLOSE = 4
# The blocks whose spectral norm is measured; of the others it is the largest entry, or 1.
_SPECTRAL = frozenset({"A", "B", "V", "W", "A_1", "A_2", "B_1", "B_2"})
# Replicas that make an interval.
_FEWEST = 3


def along_figures(named: list[Named]) -> dict[str, Figure]:
    """The figures of at most `MOST` runs, the first of those that differ in the seed alone; by the names of files."""
    chosen = distinct(named)[:MOST]
    if not chosen:
        return {}
    looks = [(LOOKS[place % 5][1], ("-", "--")[place // 5]) for place in range(len(chosen))]
    courses = [
        (title, read, list(zip(chosen, looks, strict=True)))
        for title, read in _COURSES
        if any(read(each) is not None for each in chosen)
    ]
    return {
        "gradient_norm": panels(chosen, _draw_gradient, most=3),
        "smoothness": panels(chosen, _draw_smoothness, most=3, tall=2.2),
        "constants": panels(courses, _draw_course, tall=1.9),
    }


def _log_axis(axis: Axes, shown: list[np.ndarray], below: bool = False) -> float:
    """A log axis around the positive numbers of what is shown, with room for marks below; returns the lower edge.

    Where they lie close together, and nothing is below, it is linear.
    """
    values = np.concatenate([np.asarray(x, float).ravel() for x in shown])
    positive = values[(values > 0) & (values < math.inf)]
    high = float(positive.max(initial=0.0)) or 1.0
    low = max(float(positive.min(initial=high)), high * _DEEPEST)
    below |= bool((positive < low).any())
    if high < _CLOSE * low and not below:
        axis.set_ylim(low - 0.1 * (high - low or high), high + 0.1 * (high - low or high))
        return low
    # Room for two ticks at least.
    widening = math.sqrt(max(10 * low / high, 1.0))
    low, high = low / widening, high * widening
    span = math.log10(high / low)
    low, edge = low / 10 ** (0.1 * span if below else 0), low / 10 ** (0.1 * span)
    log_y(axis, low, high)
    places = axis.yaxis.get_major_locator()()
    if span > 3:
        exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        places = [10.0**e for e in exponents[:: math.ceil(span / 5)]]
    ticks(axis.yaxis, places)
    return edge


def _curve(axis: Axes, x: np.ndarray, y: np.ndarray, **look: Any) -> None:
    """A line through the positive numbers, with points where there are few."""
    axis.plot(x, np.where(y > 0, y, np.nan), marker="." if len(x) <= 40 else "", ms=3, lw=1, **look)


def _mark_below(axis: Axes, x: np.ndarray, y: np.ndarray, edge: float, words: str) -> str:
    """Marks at the lower edge of what is below it, which is most often negative; and how often it is, in words."""
    below = np.isfinite(y) & (y < edge)
    if not below.any():
        return ""
    axis.plot(x[below], np.full(below.sum(), edge), "v", color=BLUE, ms=3.5, mfc="none", mew=0.6, label=words)
    return f"; ≤ 0 at {(y[below] <= 0).sum() / np.isfinite(y).sum():.0%}"


def _draw_gradient(axis: Axes, each: Named) -> None:
    result, x = each.run.course, each.times
    squares, level = each.run.trace["gradient_square_norm"].values, result.settings.run.level
    mean = each.over("gradient_square_norm", np.ma.mean)
    _curve(axis, x, mean, color=BLUE, label="‖∇F(vₜ)‖²" + each.among(", mean over replicas"))
    shown = [mean]
    if len(squares) >= _FEWEST and np.isfinite(squares).all():
        shown += band(axis, x, squares, mean, level)
    lines = (
        ("bound", f"bound on the {each.run.measure.over.word}, at L̂ by the path", VERMILLION, "-"),
        ("measured", f"the {each.run.measure.seen_over(is_stochastic=True).word} over t", GREEN, "--"),
        ("first", "at v₁", GREY, ":"),
    )
    for key, words, colour, line in lines:
        if getattr(result, key) is not None and getattr(result, key) > 0 and (key != "bound" or each.steps_as_sgd):
            axis.axhline(getattr(result, key), color=colour, lw=1.1, ls=line, label=words)
            shown.append(np.array([getattr(result, key)]))
    edge = _log_axis(axis, shown, bool((mean <= 0).any()))
    share = _mark_below(axis, x, mean, edge, "at the edge: an estimate that is not positive")
    axis.set(xlim=(0, result.plan.steps + 1), xlabel=f"iteration t{share}")
    axis.set_ylabel(f"‖∇F‖² [{result.problem.units}²]")
    axis.set_title(each.title, loc="left")


def _draw_smoothness(axis: Axes, each: Named) -> None:
    result, trace, x = each.run.course, each.run.trace, each.times
    path, error = each.over("path_smoothness", np.ma.max), each.over("path_smoothness_error", np.ma.max)
    among = each.among(", the largest over replicas")
    _curve(axis, x, path, color=BLUE, label="descent curvature ℓₜ" + among)
    shown = [path, *_bars(axis, x, path, error, "ℓₜ", BLUE)]
    if "gradient_ratio" in trace:
        ratio, off = each.over("gradient_ratio", np.ma.max), each.over("gradient_ratio_error", np.ma.max)
        told = np.where(ratio > off, ratio, np.nan)
        if np.isfinite(told).any():
            _curve(axis, x, told, color=PURPLE, label="gradient ratio ‖Δ∇F‖ / ‖Δv‖" + among)
            shown += [told, *_bars(axis, x, told, off, "the ratio", PURPLE)]
    for row in result.theorems:
        if row.value:
            way = row.way, row.lipschitz
            colour, line = _LINES[way]
            axis.axhline(row.value, color=colour, lw=1.1, ls=line, label=WAYS[way])
            shown.append(np.array([row.value]))
    if each.steps_as_sgd:
        words = "2/η: for an L̂ above it the step is too long"
        axis.axhline(2 / each.step_size, color=VERMILLION, lw=0.9, ls=":", label=words)
        shown.append(np.array([2 / each.step_size]))
    looked = trace["curvature"].values[0] if "curvature" in trace else np.array([])
    if np.isfinite(looked).any():
        axis.plot(trace["look_time"].values[0], looked, "D", color=GREY, ms=4, label="curvature |λ| of ∇²F (Lanczos)")
    edge = _log_axis(axis, [*shown, looked], bool((path <= 0).any()))
    share = _mark_below(axis, x, path, edge, "at the edge: 0 or less, F bends down there")
    axis.set(xlim=(0, result.plan.steps + 1), xlabel=f"iteration t{share}")
    axis.set_ylabel(f"smoothness [{result.problem.units}]")
    axis.set_title(each.title, loc="left")


def _bars(axis: Axes, x: np.ndarray, y: np.ndarray, error: np.ndarray, name: str, colour: str) -> list[np.ndarray]:
    """Bars from what rounding leaves of y to what it may add; one that is shorter than the line is wide is none."""
    upper = y + error
    barred = (upper > 0) & (error > 0.02 * np.abs(y))
    if not barred.any():
        return []
    ends = np.maximum(y - error, 1e-3 * upper)[barred], upper[barred]
    axis.vlines(x[barred], *ends, color=colour, alpha=0.3, lw=2, label=f"{name} ± estimate of its rounding error")
    return [ends[1]]


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


# Of each panel what it shows, and how that is read off a run.
_COURSES: tuple[tuple[str, Callable[[Named], np.ndarray | None]], ...] = (
    ("F(vₜ)", lambda each: each.over("loss", np.ma.mean)),
    ("ζₜ, deviation of a minibatch gradient", lambda each: np.sqrt(each.over("noise_variance", np.ma.max))),
    ("σₜ, largest spectral norm of a block", _sigma),
    ("Gₜ, largest ‖∇f‖ of a matrix", lambda each: _largest(each, "weight_gradient_spectral")),
)


def _draw_course(axis: Axes, item: tuple[str, Callable[[Named], Any], list[tuple[Named, tuple[str, str]]]]) -> None:
    title, read, rows = item
    shown = []
    for each, (colour, line) in rows:
        y = read(each)
        if y is not None:
            _curve(axis, each.times, y, color=colour, ls=line, label=textwrap.fill(each.name, _LEGEND))
            shown.append(y)
    _log_axis(axis, shown)
    # Norms of blocks have no unit.
    units = "" if read is _sigma else f" [{rows[0][0].run.result.problem.units}]"
    axis.set(xlabel="iteration t", ylabel=title.split(",")[0] + units)
    axis.set_xlim(0, max(each.run.course.plan.steps for each, _ in rows) + 1)
    axis.set_title(title, loc="left")
