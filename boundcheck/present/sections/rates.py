"""Fitted exponents beside formulas: in the rank, of what is measured; in T, of how loose a bound is as T grows."""

import math
import textwrap
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from boundcheck.experiment.spec import AdapterSpec, about_its_own_step
from boundcheck.experiment.statistics import Exponent
from boundcheck.functions.adapters import ADAPTERS
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim
from boundcheck.language.measures import PerformanceMeasure
from boundcheck.language.sentence import limit_of, measure_of
from boundcheck.language.symbols import T
from boundcheck.language.view import Column, Head, Part, Picture, Prose, Stack, Table, numeric, paragraph
from boundcheck.language.view import Row as Cells
from boundcheck.present.section import Material, placed
from boundcheck.present.stored import StoredRun
from boundcheck.present.style import GREY, VERMILLION, looks_of, panels
from boundcheck.present.sweeps import (
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
from boundcheck.present.words import number, rank_exponent, sentence_of, signed, titled, within
from boundcheck.verdicts import Verdict

# A slope over less than this factor of T says little of the next decade.
_SPAN = 100
# A key of the result, what it is called, and its unit over that of the loss.
Quantity = tuple[str, str, str]
SEE_RANK = """The slope of a line is the power of the rank with which a quantity grows; the dashed line has the slope of
the printed bound."""
MARKS = """Large marks: geometric means over seeds; dots: the seeds. Lines: fitted power laws, with the exponent and its
interval above each panel. Dashed: what the printed bound would make of r."""
FITTED = """Exponent p in $r^p$, the mean over seeds of least-squares slopes in logarithms, with Student's interval over
seeds (asymptotic). Off the line: how far a geometric mean over seeds lies from the fitted law at most. {} A formula's
exponent is that of a bound, or of a mean over A, not of what one run must show."""
_RANK = "Runs of one problem at one T that differ in the rank and the seed alone; a seed repeats the start and the "
_RANK += f"minibatches, not the problem. {MARKS}"
_BIASED = """The smallest mean within a stratum stands for $min_t E$ and is biased low; the decrease is a lower
estimate of the gap to the infimum over matrices of rank r."""


@placed(260, "How the rank enters", SEE_RANK)
def rank(material: Material) -> Iterator[Part]:
    rows = rank_exponents(material.theorems)
    if rows:
        yield Picture("rank", lambda: rank_figure(material.theorems), _RANK)
        yield rank_table(rows, FITTED.format(_BIASED))


def rank_table(rows: Sequence[Row], caption: str) -> Table:
    """A table of the exponents of `rank_exponents`, with what to know of each."""
    head: list[str | Column] = [
        "Problem",
        numeric("T"),
        "s",
        "Quantity",
        "Ranks",
        numeric("Seeds"),
        numeric("p"),
        numeric("Interval"),
    ]
    head += [numeric("Off the line"), "By formula"]
    return Table(head, [cells for row in rows for cells in _rank_row(row)], caption, "rank")


def _rank_row(row: Row) -> Iterator[Cells]:
    off = "–" if row["deviation"] is None else f"{100 * row['deviation']:.0f}\u202f%"
    formula = Stack((row["formula"] or "–", *([Prose(row["source"], "small")] if row["source"] else [])))
    ranks = ", ".join(map(str, row["ranks"]))
    cells = (Prose(row["problem"]), number(row["steps"]), row["scale"], Prose(row["quantity"]), ranks)
    yield *cells, str(row["seeds"]), _exponent(row), within(row["interval"]), off, formula
    if row["note"]:
        yield paragraph(f"{sentence_of(row['note'])}.", "small")


def _exponent(row: Row) -> str:
    return "–" if row["exponent"] is None else signed(row["exponent"])


_HORIZON = """What was measured for each theorem over its bound, under noise the average over t where it bounds the
smallest, for runs that differ in T and the seed alone. Hollow: a hypothesis failed or the bound is uninformative, so
the theorem says nothing of that run. A slope of 0 is a bound that is as loose at every T."""
_SLOPES = """Exponent of measured/bound in T, fitted over the horizons at which the theorem says something for every
seed, or, with a warning, over all where these are fewer than three; Student's interval over seeds (asymptotic)."""


@placed(
    280,
    "How loose a bound is as T grows",
    "A line that falls is a bound that grows looser with $T$; a level line is a bound that is as loose at every $T$.",
)
def horizon(material: Material) -> Iterator[Part]:
    rows = horizon_slopes(material.theorems)
    if rows:
        yield Picture("horizon", lambda: horizon_figure(material.theorems), _HORIZON)
        numbers = map(numeric, ("Seeds", "At the first T", "At the last", "Exponent", "Interval"))
        head: Head = ("Problem", "Claim", "T", *numbers)
        cells = [cells for row in rows for cells in _horizon_row(row)]
        yield Table(head, cells, _SLOPES, "horizon")


def _horizon_row(row: Row) -> Iterator[Cells]:
    horizons = ", ".join(map(number, row["horizons"]))
    cells = (Prose(row["problem"]), Prose(row["claim"]), horizons, str(row["seeds"]))
    yield *cells, *map(number, row["ratios"]), _exponent(row), within(row["interval"])
    if row["warning"]:
        yield paragraph(f"{sentence_of(row['warning'])}.", "small")


def _quantities(run: StoredRun) -> tuple[Quantity, ...]:
    """The quantities that are read off a run: its theorem's measure, the noise, and the decrease of F."""
    seen = run.measure.observable
    return (
        ("smallest", f"minₜ E[{seen.letters or seen.called}]", seen.units),
        ("first_variance", "noise variance at v₁", "{}²"),
        ("decrease", "F(v₁) − minₜ E F(vₜ)", "{}"),
    )


def rank_figure(runs: list[StoredRun]) -> Figure | None:
    """A figure of the theorems' measures, noise and decrease against rank, with fitted lines and exponents.

    There is a series for each scale. Points are geometric means over seeds, dots the seeds. None where no group of runs
    has three ranks.
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
    """A row for each sweep over ranks and each quantity: the fitted exponent, and what is known of it from formulas.

    Keys: problem, scale, claim, quantity, key (of the quantity in a result), steps, ranks, seeds, exponent, interval
    (a table, or None), deviation, formula and source (an exponent that a formula has, and which; empty strings where
    none has), note.
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
    """The exponent of the rank in a formula for a quantity, and which formula; empty strings if there is none."""
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
    """A row for each sweep over T: the exponent of measured/bound in T, and a warning if runs are too short to tell.

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
    """The mask of the horizons that the exponent of measured/bound is fitted to, and that exponent."""
    ratios = sweep.values(lambda run: run.result.ratio)
    drawn = positive(ratios)
    told = drawn & ~np.array([[run.verdict.is_silent for run in row] for row in sweep.runs]).any(0)
    keep = told if told.sum() >= FEWEST else drawn
    return keep, sweep.fit(ratios, keep)


def _horizon_warnings(sweep: Sweep, keep: np.ndarray, found: Exponent | None) -> list[str]:
    """The reasons why these runs cannot tell how measured/bound goes with T, in the order in which they matter."""
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
