"""How what is measured, noise and decrease go with the rank: fitted exponents beside those of formulas."""

import math
import textwrap
from functools import cache
from itertools import chain
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from boundcheck.claims import Claim
from boundcheck.measure.exponent import Exponent
from boundcheck.measure.spec import about_its_own_step
from boundcheck.measure.tables import AdapterSpec
from boundcheck.problems.adapters import ADAPTERS
from boundcheck.report.stored import StoredRun
from boundcheck.report.style import GREY, looks_of, panels
from boundcheck.report.sweeps import (
    FEWEST,
    Row,
    Sweep,
    fit_notes,
    log_axes,
    positive,
    reader,
    settings,
    slope_words,
    sweeps_over,
    together,
)
from boundcheck.report.words import number, rank_exponent, titled
from boundcheck.words import measure_of
from boundcheck.words.measures import PerformanceMeasure

# A key of the result, what it is called, and its unit over that of the loss.
Quantity = tuple[str, str, str]


def _quantities(run: StoredRun) -> tuple[Quantity, ...]:
    """What is read off a run: of its theorem's measure, and of noise and decrease."""
    seen = run.measure.observable
    return (
        ("smallest", f"minₜ E[{seen.letters or seen.called}]", seen.units),
        ("first_variance", "noise variance at v₁", "{}²"),
        ("decrease", "F(v₁) − minₜ E F(vₜ)", "{}"),
    )


def rank_figure(runs: list[StoredRun]) -> Figure | None:
    """What theorems bound, noise and decrease against rank, a series for each scale, with fitted lines and exponents.

    Points are geometric means over seeds, dots the seeds. None where no group of runs has three ranks.
    """
    panes = together(sweeps_over(runs, "adapter.rank", FEWEST), ("seed", "adapter.rank", "adapter.scale"))
    titles = settings([sweeps[0].first for sweeps in panes], ("adapter.scale", "adapter.rank"))
    looks = looks_of([sweep.first.scale for sweeps in panes for sweep in sweeps])
    items = [
        (f"{title}, T\u00a0=\u00a0{number(sweeps[0].first.course.plan.steps)}", sweeps, quantity, looks)
        for title, sweeps in zip(titles, panes, strict=True)
        for quantity in _quantities(sweeps[0].first)
        if any(positive(sweep.values(reader(quantity[0]))).any() for sweep in sweeps)
    ]
    return panels(items, _draw_rank, most=3, tall=2.5) if items else None


def rank_exponents(runs: list[StoredRun]) -> list[Row]:
    """For each sweep over ranks and each quantity the fitted exponent, and what is known of it from formulas.

    Keys: problem, scale, claim, quantity, steps, ranks, seeds, exponent, interval (a table, or None), deviation,
    formula and source (an exponent that a formula has, and which; empty strings where none has), note.
    """
    sweeps, rows = sweeps_over(runs, "adapter.rank", FEWEST), []
    titles = settings([sweep.first for sweep in sweeps], ("adapter.scale", "adapter.rank"))
    for title, sweep in zip(titles, sweeps, strict=True):
        for key, name, _ in _quantities(sweep.first):
            y = sweep.values(reader(key))
            if np.isnan(y).all():
                continue
            found = sweep.fit(y, sweep.x > 0)
            rows.append(
                {
                    "problem": title,
                    "scale": sweep.first.scale,
                    "claim": titled(sweep.first.result),
                    "quantity": name,
                    "key": key,
                }
                | {"steps": sweep.first.course.plan.steps, "ranks": [int(x) for x in sweep.x]}
                | dict(zip(("formula", "source"), _formula(sweep.first, key), strict=True))
                | sweep.fitted(found)
                | {"note": "; ".join(_rank_notes(sweep, found))}
            )
    return rows


def _printed() -> Claim:
    """The printed statement whose exponent of r stands beside the measured one."""
    return about_its_own_step()[0]


@cache
def _printed_exponent() -> Any:
    return rank_exponent(_printed(), None)


def _formula(run: StoredRun, key: str) -> tuple[str, str]:
    """The exponent of the rank that a formula has for a quantity, and which formula."""
    if key == "smallest":
        printed = measure_of(_printed())
        if not isinstance(printed, PerformanceMeasure) or printed.observable != run.measure.observable:
            return "", ""
        return str(_printed_exponent()), f"{_printed().title}, C free of r"
    adapter = run.result.settings.adapter
    noise = ADAPTERS[run.adapter].noise_at_start if run.adapter in ADAPTERS else None
    if key == "first_variance" and noise and adapter.start == AdapterSpec.model_fields["start"].default:
        factors = [AdapterSpec(rank=r, scale=adapter.scale).factor for r in (1, 4)]
        exponent = noise[1] + noise[0] * math.log(factors[1] / factors[0], 4)
        return f"{exponent:g}".replace("-", "−"), noise[2]
    return "", ""


def _rank_notes(sweep: Sweep, found: Exponent | None) -> list[str]:
    silent, count = sum(run.verdict.is_silent for run in chain(*sweep.runs)), len(sweep.runs) * len(sweep.x)
    notes = fit_notes(found) if found else ["not positive and finite in every run, so there is no exponent"]
    if sweep.first.result.settings.run.batch == "balanced":
        notes.append("the batch follows the noise, and so the rank")
    if silent:
        given = sweep.first.result.settings.run.step_size is not None
        setter = "" if given else " that set the step size"
        notes.append(f"the theorem{setter} says nothing of {silent} of these {count} runs")
    return notes


def _draw_rank(axis: Axes, item: tuple[str, list[Sweep], Quantity, dict[str, Any]]) -> None:
    title, sweeps, (key, name, unit), looks = item
    shown, lines, ranks = [], [textwrap.fill(title, 24)], sorted({x for sweep in sweeps for x in sweep.x})
    for sweep in sweeps:
        marker, colour = looks[sweep.first.scale]
        y = sweep.values(reader(key))
        drawable = positive(y)
        if not drawable.any():
            continue
        x, mean = sweep.x[drawable], np.exp(np.log(y[:, drawable]).mean(0))
        axis.plot(x, mean, marker, color=colour, ms=5, label=f"s = {sweep.first.scale}, geometric mean over seeds")
        axis.plot(np.tile(x, len(y)), y[:, drawable].ravel(), ".", color=colour, ms=2.5, alpha=0.6)
        shown += y[:, drawable].ravel().tolist()
        found = sweep.fit(y, sweep.x > 0)
        if found:
            axis.plot(x, found.line(x), "-", color=colour, lw=0.9)
            shown += found.line(x).tolist()
        lines.append(slope_words(marker, found))
        slope = _formula(sweep.first, key)
        if key == "smallest" and sweep is sweeps[0] and all(slope):
            # From the mean at the first rank: only the slope says something.
            reference = mean[0] * (x / x[0]) ** float(_printed_exponent())
            axis.plot(x, reference, "--", color=GREY, lw=1, label="slope {}: {}".format(*slope))
            shown += reference.tolist()
    log_axes(axis, min(shown), max(shown), ranks)
    units = unit.format(sweeps[0].first.result.problem.units)
    axis.set(xlabel="rank r", ylabel=name + (f" [{units}]" if units else ""))
    axis.set_title("\n".join(lines), loc="left")
