"""The two figures of a report: bound against measured gradient norm over t, and smoothness bracket against rank.

Both are drawn at print size from stored runs alone, and come out the same byte for byte from the same runs.
"""

import io
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from boundcheck.measure.intervals import student_interval
from boundcheck.measure.schedule import Schedule
from boundcheck.report.words import label, number

# Okabe and Ito's colours, which readers with colour blindness can tell apart.
_BLUE, _ORANGE, _GREEN, _VERMILLION, _PURPLE, _GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#666666"
# rcParams; matplotlib's stubs want a literal type for every key.
_STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "legend.fontsize": 7.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "boundcheck",
    "pdf.fonttype": 42,
}
_WIDTH = 6.75  # inches, the text width of a two-column paper
_UPPER_STYLE = {
    "meft.lemma1_sharp sigma": (_GREEN, "-"),
    "jiang2024.lemma1 sigma": (_ORANGE, "--"),
    "jiang2024.lemma1 sqrt(r) sigma": (_VERMILLION, ":"),
}
_LOWER_STYLE = {
    "curvature": ("top Hessian eigenvalue (Lanczos)", "s", _BLUE),
    "pairs": ("sampled pairs", "o", _PURPLE),
    "iterates": ("consecutive iterates", "^", _GREY),
    "path": ("largest along the run", "s", _BLUE),
    "median of path": ("median along the run", "o", _PURPLE),
}


@dataclass(frozen=True)
class StoredRun:
    """A finished run as a figure needs it: its result and its trace."""

    result: dict[str, Any]
    trace: xr.Dataset

    @property
    def is_theorem(self) -> bool:
        """Whether it is a run of Algorithm 1, and not the bracket of a lemma."""
        return "plan" in self.result

    @property
    def problem(self) -> str:
        """The objective's name, as titles print it."""
        return str(self.result["problem"]["name"])

    @property
    def rank(self) -> int:
        """The adapter's rank."""
        return int(self.result["spec"]["adapter"]["rank"])


def gradient_figure(runs: list[StoredRun]) -> Figure | None:
    """Squared gradient norm over t for each theorem run, beside its bound; None where there is no such run."""
    runs = [run for run in runs if run.is_theorem]
    return _panels(runs, _draw_gradient) if runs else None


def bracket_figure(runs: list[StoredRun]) -> Figure | None:
    """Lower estimates and upper bounds of the smoothness constant against rank, a panel for each problem.

    Brackets on one fixed ball are drawn where there are any; else the smoothness along the runs, each in its own ball.
    """
    chosen = [run for run in runs if not run.is_theorem] or runs
    groups: dict[str, dict[int, StoredRun]] = {}
    for run in chosen:
        groups.setdefault(run.problem, {})[run.rank] = run
    panels = [[group[rank] for rank in sorted(group)] for group in groups.values()]
    return _panels(panels, _draw_bracket) if panels else None


def svg(figure: Figure) -> str:
    """The figure as an SVG element, without the date that matplotlib would put in."""
    buffer = io.StringIO()
    with mpl.rc_context(_STYLE):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def pdf(figure: Figure) -> bytes:
    """The figure as a PDF for a paper."""
    buffer = io.BytesIO()
    with mpl.rc_context(_STYLE):
        figure.savefig(buffer, format="pdf", metadata={"CreationDate": None, "Creator": None, "Producer": None})
    return buffer.getvalue()


def _panels(items: list[Any], draw: Any) -> Figure:
    """One panel an item, two in a row, with one legend for all under them."""
    columns = min(len(items), 2)
    rows = -(-len(items) // columns)
    with mpl.rc_context(_STYLE):
        height = 2.05 * rows + (0.7 if columns == 2 else 1.2)
        figure = Figure(figsize=(_WIDTH if columns == 2 else 0.6 * _WIDTH, height), layout="constrained")
        axes = list(figure.subplots(rows, columns, squeeze=False).flat)
        entries: dict[str, Any] = {}
        for axis, item in zip(axes, items, strict=False):
            draw(axis, item)
            entries |= dict(zip(*reversed(axis.get_legend_handles_labels()), strict=True))
        for axis in axes[len(items) :]:
            axis.set_axis_off()
        figure.legend(
            entries.values(), entries.keys(), loc="outside lower center", ncols=2 if columns == 2 else 1, frameon=False
        )
    return figure


def _draw_gradient(axis: Axes, run: StoredRun) -> None:
    result, squares = run.result, run.trace["gradient_square_norm"].values
    steps, level = result["plan"]["steps"], result["spec"]["run"]["level"]
    edges = Schedule.edges_of(steps, squares.shape[1])
    middle = (edges[:-1] + 1 + edges[1:]) / 2
    mean = squares.mean(0)
    pointwise = [student_interval(column, level) for column in squares.T]
    axis.plot(middle, mean, color=_BLUE, lw=1, label="mean over replicas, by stratum of t")
    # A lower limit of 0 has no place on a log axis; the band then ends at a tenth of the mean.
    band = np.maximum([i.lower for i in pointwise], 0.1 * mean), np.array([i.upper for i in pointwise])
    axis.fill_between(
        middle, *band, color=_BLUE, alpha=0.25, lw=0, label=f"pointwise {level:.0%} interval over replicas"
    )
    axis.axhline(result["bound"], color=_VERMILLION, lw=1.2, label="the theorem's bound on the average over t")
    axis.axhline(result["first"], color=_GREY, lw=0.8, ls=":", label="at the first iterate (known without the theorem)")
    interval = result["interval"]
    if interval is not None:
        axis.axhspan(interval["lower"], interval["upper"], color=_GREEN, alpha=0.25, lw=0)
        axis.axhline(result["measured"], color=_GREEN, lw=1, ls="--", label="average over t, and its interval")
    axis.set_yscale("log")
    axis.yaxis.set_minor_locator(NullLocator())
    _decades(axis, float(np.nanmin(band[0])), max(result["bound"], result["first"], float(np.nanmax(band[1]))))
    axis.set_xlim(0, steps)
    axis.set_xlabel("iteration t")
    axis.set_ylabel(f"‖∇F(v$_t$)‖² [{result['problem']['units']}²]")
    lines = f"{run.problem}, rank {run.rank}: {result['verdict']}", label(result["claim"], result["spec"]["lipschitz"])
    axis.set_title("\n".join(lines), loc="left")


def _draw_bracket(axis: Axes, runs: list[StoredRun]) -> None:
    ranks = [run.rank for run in runs]
    positions = np.arange(len(ranks))
    for number_of_end, end in enumerate(runs[0].result["upper"]):
        colour, line = _UPPER_STYLE[f"{end['claim']} {end['lipschitz']}"]
        values = [run.result["upper"][number_of_end]["value"] for run in runs]
        axis.plot(
            positions, values, line, color=colour, lw=1.2, marker="_", ms=9, label=label(end["claim"], end["lipschitz"])
        )
    for kind, (text, marker, colour) in _LOWER_STYLE.items():
        values = [run.result["lower"].get(kind, np.nan) for run in runs]
        if np.isfinite(values).any():
            axis.plot(positions, values, marker, color=colour, ms=4, mfc="none", label=text)
    shown = [v for run in runs for v in (*run.result["lower"].values(), *(end["value"] for end in run.result["upper"]))]
    axis.set_yscale("log")
    axis.yaxis.set_minor_locator(NullLocator())
    _decades(axis, min(v for v in shown if v > 0), max(shown))
    axis.set_xticks(positions, [str(rank) for rank in ranks])
    axis.set_xlim(-0.4, len(ranks) - 0.6)
    axis.set_xlabel("rank r")
    axis.set_ylabel(f"smoothness [{runs[0].result['problem']['units']}]")
    radii = {tuple(run.result["radii"]) for run in runs}
    ball = "each run's own ball"
    if len(radii) == 1:
        a, b = radii.pop()
        ball = f"σ₁(A) ≤ {number(a)}, σ₁(B) ≤ {number(b)}"
    axis.set_title(f"{runs[0].problem}: {ball}", loc="left")


def _decades(axis: Axes, low: float, high: float) -> None:
    """Ticks at 1, 2 and 5 of each decade (only 1 on a long axis), printed as plain numbers."""
    axis.set_ylim(low / 1.4, high * 1.4)
    exponents = range(int(np.floor(np.log10(low))) - 1, int(np.ceil(np.log10(high))) + 1)
    digits = (1,) if high / low > 3000 else (1, 2, 5)
    axis.yaxis.set_major_locator(FixedLocator([digit * 10.0**exponent for exponent in exponents for digit in digits]))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
