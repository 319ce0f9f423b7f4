"""How loose a bound is as T grows: measured over bound against T, and its exponent."""

import math
import textwrap
from itertools import chain
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from boundcheck.claims import catalogue
from boundcheck.claims.symbols import T
from boundcheck.measure.exponent import Exponent
from boundcheck.report.stored import StoredRun
from boundcheck.report.style import GREY, VERMILLION, looks_of, panels
from boundcheck.report.sweeps import (
    FEWEST,
    Row,
    Sweep,
    fit_notes,
    log_axes,
    positive,
    settings,
    slope_words,
    sweeps_over,
    together,
)
from boundcheck.report.words import number, titled
from boundcheck.verdicts import Verdict
from boundcheck.words import limit_of

# A slope over less than this factor of T says little of the next decade.
_SPAN = 100


def horizon_figure(runs: list[StoredRun]) -> Figure | None:
    """Measured over bound against T, a line for each claim, a panel for each problem, rank and scale.

    A hollow marker is a run of which its theorem says nothing. None where no group of runs has two horizons.
    """
    panes = together(sweeps_over(runs, "run.steps", 2), ("seed", "run.steps", "claim", "lipschitz"))
    titles = settings([sweeps[0].first for sweeps in panes])
    looks = looks_of([titled(sweep.first.result) for sweeps in panes for sweep in sweeps])
    items = [(title, sweeps, looks) for title, sweeps in zip(titles, panes, strict=True)]
    return panels(items, _draw_horizon, tall=2.3) if items else None


def horizon_slopes(runs: list[StoredRun]) -> list[Row]:
    """For each sweep over T the exponent of measured/bound in T, and a warning where the runs are too short to tell.

    It is fitted over the T at which the theorem says something for every seed, or over all where these are fewer than
    three. Keys: problem, claim, horizons, fitted (those that the line was fitted to), seeds, exponent, interval,
    deviation, ratios (the geometric means at the first and the last T), warning (empty where there is none).
    """
    sweeps, rows = sweeps_over(runs, "run.steps", 2), []
    for title, sweep in zip(settings([sweep.first for sweep in sweeps]), sweeps, strict=True):
        ratios = sweep.values(lambda run: run.result.ratio)
        keep, found = _fit_horizon(sweep)
        ends = [float(np.exp(np.log(y).mean())) if positive(y) else None for y in (ratios[:, 0], ratios[:, -1])]
        rows.append(
            {"problem": title, "claim": titled(sweep.first.result), "horizons": [int(x) for x in sweep.x]}
            | {"fitted": [int(x) for x in sweep.x[keep]] if found else [], "ratios": ends}
            | sweep.fitted(found)
            | {"warning": "; ".join(_horizon_warnings(sweep, keep, found))}
        )
    return rows


def _fit_horizon(sweep: Sweep) -> tuple[np.ndarray, Exponent | None]:
    """Which horizons the exponent of measured/bound is fitted to, and that exponent."""
    ratios = sweep.values(lambda run: run.result.ratio)
    drawn = positive(ratios)
    told = drawn & ~np.array([[run.verdict.is_silent for run in row] for row in sweep.runs]).any(0)
    keep = told if told.sum() >= FEWEST else drawn
    return keep, sweep.fit(ratios, keep)


def _horizon_warnings(sweep: Sweep, keep: np.ndarray, found: Exponent | None) -> list[str]:
    """What keeps these runs from telling how measured/bound goes with T, in the order in which it matters."""
    told = (
        ("T too short to tell: below T_min", _is_short),
        ("T too short to tell: the bound is uninformative", lambda run: run.verdict is Verdict.UNINFORMATIVE),
        ("a hypothesis failed", lambda run: run.verdict is Verdict.HYPOTHESIS_FAILED and not _is_short(run)),
        (
            "no ratio above 0, from a run that diverged or a bound that is no bound,",
            lambda run: not 0 < (run.result.ratio or 0) < math.inf,
        ),
    )
    columns, warnings = list(zip(*sweep.runs, strict=True)), []
    for words, holds in told:
        where = [number(int(x)) for x, column in zip(sweep.x, columns, strict=True) if any(map(holds, column))]
        warnings += [f"{words} at T = {', '.join(where)}"] if where else []
    if found is None:
        return [*warnings, "T too short to tell: fewer than three horizons, so there is no slope"]
    if any(run.verdict.is_silent for column, kept in zip(columns, keep, strict=True) if kept for run in column):
        warnings.append("fitted to runs of which the theorem says nothing, for want of others")
    if (span := float(sweep.x[keep].max() / sweep.x[keep].min())) < _SPAN:
        warnings.append(f"T too short to tell: the line spans a factor of {number(span, 2)} in T")
    warnings += fit_notes(found)
    if found.interval and found.interval.lower <= 0 <= found.interval.upper:
        warnings.append("the interval holds 0: whether the bound loosens or tightens with T cannot be told")
    return warnings


def _is_short(run: StoredRun) -> bool:
    plan, limit = run.course.plan, limit_of(catalogue[run.result.claim], T)
    return limit is not None and plan.steps < (plan.values.get(limit) or 0)


def _draw_horizon(axis: Axes, item: tuple[str, list[Sweep], dict[str, Any]]) -> None:
    title, sweeps, looks = item
    shown, lines, horizons = [1.0], [textwrap.fill(title, 46)], sorted({x for sweep in sweeps for x in sweep.x})
    for sweep in sweeps:
        claim, ratios = titled(sweep.first.result), sweep.values(lambda run: run.result.ratio)
        marker, colour = looks[claim]
        axis.plot([], [], marker, color=colour, ms=4.5, label=claim)
        for run, x, y in zip(chain(*sweep.runs), np.tile(sweep.x, len(ratios)), ratios.ravel(), strict=True):
            if 0 < y < math.inf:
                axis.plot(
                    [x], [y], marker, color=colour, ms=4.5, mfc="none" if run.verdict.is_silent else colour, alpha=0.7
                )
                shown.append(y)
        keep, found = _fit_horizon(sweep)
        if found:
            axis.plot(sweep.x[keep], found.line(sweep.x[keep]), "-", color=colour, lw=0.9)
            shown += found.line(sweep.x[keep]).tolist()
        lines.append(slope_words(marker, found))
    axis.axhline(1, color=VERMILLION, lw=0.8, ls=":", label="the bound")
    axis.plot([], [], "o", color=GREY, mfc="none", ms=4.5, label="hollow: the theorem says nothing of the run")
    log_axes(axis, min(shown), max(shown), horizons)
    axis.set(xlabel="horizon T", ylabel="measured / bound")
    axis.set_title("\n".join(lines), loc="left")
