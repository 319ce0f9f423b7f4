"""The share of the descent inequality's last term that each step of a run needed."""

import textwrap

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from boundcheck.measure.schedule import Schedule
from boundcheck.report.section import Folder, Material
from boundcheck.report.stored import StoredRun, known
from boundcheck.report.style import BLUE, GREEN, GREY, VERMILLION, log_y, panels
from boundcheck.report.sweeps import settings
from boundcheck.report.words import titled
from boundcheck.words.hypotheses.evidence import beyond_rounding

title = "What the descent inequality leaves unused"
see = """Near 1 a step needed the whole constant; far below 1 the constant is larger than the step needed."""
place = 320

_MOST_PANELS = 6
# Letters that a line of a title holds.
_TITLE = 46
_CAPTION = """Whatever the algorithm,
$F(v_(t+1)) ≤ F(v_t) + ⟨∇F(v_t), v_(t+1) − v_t⟩ + ½L̂‖v_(t+1) − v_t‖²$
where F is $L̂$-smooth. With the descent curvature $ℓ_t$ in place of $L̂$ this is an equation, so $ℓ_t/L̂$ is the share
of the last term that a step needed: what is missing to 1 is given away there. A share of 0 or less, on a segment
along which F bends down, has no place on the axis and is marked at its lower edge. The gradient ratio
$‖∇F(v_(t+1)) − ∇F(v_t)‖/‖v_(t+1) − v_t‖$ of the same step is at most $L̂$ there too, and a lower estimate of the
smoothness of F."""


def build(material: Material, folder: Folder) -> Markup:
    return folder.figure("descent", descent_figure(material.theorems), _CAPTION)


def _has_constant(run: StoredRun) -> bool:
    return run.is_theorem and run.course.plan.smoothness is not None


def descent_figure(runs: list[StoredRun]) -> Figure | None:
    r"""The descent curvature over the claim's constant at each audited step, median and largest over replicas.

    Of every algorithm
    :math:`F(v_{t+1}) \le F(v_t) + \langle\nabla F(v_t), \Delta_t\rangle + (\hat L/2)\|\Delta_t\|^2`, where
    :math:`\Delta_t = v_{t+1} - v_t`; with :math:`\ell_t` in place of :math:`\hat L` it is an equation, so
    :math:`\ell_t/\hat L` is the share of the last term that step t needed. Of each problem and claim the longest run of
    highest rank is drawn, and six at most.
    """
    best: dict[tuple[str, str], StoredRun] = {}
    for run in filter(_has_constant, runs):
        key = str(run.result.settings.problem), titled(run.result)
        if key not in best or _size(run) > _size(best[key]):
            best[key] = run
    chosen = list(best.values())[:_MOST_PANELS]
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
    axis.set_title("\n".join(textwrap.fill(line, _TITLE) for line in (title, titled(run.result))), loc="left")
