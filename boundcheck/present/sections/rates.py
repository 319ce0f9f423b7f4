"""Exponents that runs give together, beside formulas: of what is measured in the rank, of how loose
a bound is in T.

Nothing is read off runs that differ in anything but what is swept. A new seed draws the initial
point and the minibatches again, on the same problem.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import cache
from itertools import chain
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from boundcheck.exact.digits import DOWN, UP
from boundcheck.experiment.spec import AdapterSpec, about_its_own_step
from boundcheck.experiment.statistics import Exponent, fit_exponent
from boundcheck.functions.adapters import ADAPTERS
from boundcheck.language.catalogue import catalogue
from boundcheck.language.measures import PerformanceMeasure
from boundcheck.language.sentence import limit_of, measure_of
from boundcheck.language.symbols import T
from boundcheck.language.view import Head, Part, Prose, Row, Stack, Table, numeric, paragraph
from boundcheck.present import style
from boundcheck.present.material import Material, StoredRun, groups, placed, settings
from boundcheck.present.style import GREY, VERMILLION, log_y, name_axes, ticks, wrapped
from boundcheck.present.words import number, rank_exponent, sentence_of, signed, titled, within
from boundcheck.system.tables import fields_of
from boundcheck.verdicts import Verdict

Found = dict[str, Any]
"""What is known of an exponent, as a row of a table."""
# A key of the result, what it is called, and its unit over that of the loss.
Quantity = tuple[str, str, str]
FEWEST = 3
"""The fewest points that a line is fitted through, and the fewest seeds that make an interval."""
# A mean this far off the fitted line, relatively, is told of: a power law is then a poor
# description.
_BENT = 0.25
# A slope over less than this factor of T says little of the next decade.
_SPAN = 100
# How a title writes a marker.
_GLYPHS = {"o": "●", "s": "■", "^": "▲", "D": "◆", "v": "▼", "P": "✚", "X": "✖"}


@dataclass(frozen=True)
class Sweep:
    """Runs on a full grid of seeds and one swept number.

    Attributes:
        x: the swept number, shape (m,), rising.
        runs: for each seed its runs, in the order of x.

    """

    x: np.ndarray
    runs: list[list[StoredRun]]

    @property
    def first(self) -> StoredRun:
        """The run that stands for what all have in common."""
        return self.runs[0][0]

    def values(self, key: str) -> np.ndarray:
        """The number with this key of each run, shape (seeds, m); NaN for a run that has none."""
        found = [[getattr(run.result, key, None) for run in row] for row in self.runs]
        return np.array([[math.nan if x is None else x for x in row] for row in found])

    def fit(self, y: np.ndarray, keep: np.ndarray) -> Exponent | None:
        """The exponent of y in x over the kept columns; None where they are too few or not
        positive.
        """
        if not _positive(y[:, keep]).all():
            return None
        return fit_exponent(self.x[keep], y[:, keep], self.first.result.settings.run.level)

    def fitted(self, found: Exponent | None) -> Found:
        """The columns of a table that say what was fitted."""
        return {
            "seeds": len(self.runs),
            "exponent": found.slope if found else None,
            "interval": asdict(found.interval) if found and found.interval else None,
            "deviation": found.deviation if found else None,
        }


def _sweeps(runs: list[StoredRun], swept: str, fewest: int) -> list[Sweep]:
    """The sweeps over `swept`: groups of runs that are equal in all else but the seed.

    Seeds that lack a value, and runs that chose their T, are left out.
    """
    found = []
    fields = {id(run): fields_of(run.result.spec) for run in runs if run.is_theorem}
    fixed = {
        key
        for key, each in fields.items()
        if isinstance(each["run.steps"], int) and each[swept] is not None
    }
    for group in groups([run for run in runs if id(run) in fixed], (swept, "seed")):
        cells = {(fields[id(run)]["seed"], fields[id(run)][swept]): run for run in group}
        x = sorted({value for _, value in cells})
        seeds = [
            seed
            for seed in sorted({seed for seed, _ in cells})
            if all((seed, value) in cells for value in x)
        ]
        if len(x) >= fewest and seeds:
            found.append(
                Sweep(np.array(x, float), [[cells[seed, value] for value in x] for seed in seeds])
            )
    return found


def _together(sweeps: list[Sweep], free: tuple[str, ...]) -> list[list[Sweep]]:
    """The sweeps that share a panel: equal in all but `free`."""
    by_run = {id(sweep.first): sweep for sweep in sweeps}
    return [
        [by_run[id(run)] for run in group]
        for group in groups([sweep.first for sweep in sweeps], free)
    ]


def _positive(y: np.ndarray) -> Any:
    """True where all values of a column, or of a whole row, can stand on a log axis."""
    return ((y > 0) & (y < math.inf)).all(0)


def _fit_notes(found: Exponent) -> list[str]:
    """Notes on a fit, to be read before one believes it."""
    notes = [] if found.interval else [f"{found.seeds} seeds, of which no interval is made"]
    if found.deviation > _BENT:
        notes.append(f"no power law: a mean lies {found.deviation:.0%} off the line")
    return notes


def _slope_words(marker: str, found: Exponent | None) -> str:
    """A slope and its interval above a panel, after the marker of its line."""
    if found is None:
        return f"{_GLYPHS[marker]} no slope"
    limits = (
        f" [{signed(found.interval.lower, DOWN)}, {signed(found.interval.upper, UP)}]"
        if found.interval
        else ""
    )
    return f"{_GLYPHS[marker]} slope {signed(found.slope)}{limits}"


def _log_axes(axis: Axes, shown: list[float], x: list[float]) -> None:
    """Make both axes logarithmic, with ticks at the values of x and room for two ticks on the
    y-axis.
    """
    low, high = min(shown), max(shown)
    widening = max(math.sqrt(3 * low / high), 1.0)
    axis.set_xscale("log")
    log_y(axis, low / widening, high * widening)
    axis.set_xlim(x[0] / (x[-1] / x[0]) ** 0.08, x[-1] * (x[-1] / x[0]) ** 0.08)
    ticks(axis.xaxis, x, lambda value: number(round(value)))


MARKS = """Large marks: geometric means over seeds; dots: the seeds. Lines: fitted power laws, with
the exponent and its interval above each panel. Dashed: what the printed bound would make of r."""
FITTED = """Exponent p in $r^p$, the mean over seeds of least-squares slopes in logarithms, with
Student's interval over seeds (asymptotic). Off the line: how far a geometric mean over seeds lies
from the fitted law at most. {} A formula's exponent is that of a bound, or of a mean over A, not of
what one run must show."""
_RANK = (
    "Runs of one problem at one T that differ in the rank and the seed alone; a seed repeats the"
    " start and the "
    f"minibatches, not the problem. {MARKS}"
)
_BIASED = """The smallest mean within a stratum stands for $min_t E$ and is biased low; the decrease
is a lower estimate of the gap to the infimum over matrices of rank r."""


@placed(260, "How the rank enters")
def rank(material: Material) -> Iterator[Part]:
    """The slope of a line is the power of the rank with which a quantity grows; the dashed line has
    the slope of the printed bound.
    """
    yield from rank_parts(material.theorems, _RANK, _BIASED)


def rank_parts(runs: list[StoredRun], drawn: str, biased: str) -> Iterator[Part]:
    """Measure, noise and decrease against rank, with fitted lines, and a table of exponents; none
    without a sweep.

    There is a series for each scale. Points are geometric means over seeds, dots the seeds.

    Args:
        runs: of which those that differ in rank and seed alone are a sweep.
        drawn: the caption of the figure.
        biased: what of the quantities is biased, for the caption of the table.

    """
    rows = rank_exponents(runs)
    panes = _together(
        _sweeps(runs, "adapter.rank", FEWEST), ("seed", "adapter.rank", "adapter.scale")
    )
    titles = settings([sweeps[0].first for sweeps in panes], ("adapter.scale", "adapter.rank"))
    looks = style.looks_of([sweep.first.scale for sweeps in panes for sweep in sweeps])
    items = [
        (f"{title}, T\u00a0=\u00a0{number(sweeps[0].first.steps)}", sweeps, quantity)
        for title, sweeps in zip(titles, panes, strict=True)
        for quantity in _quantities(sweeps[0].first)
        if any(_positive(sweep.values(quantity[0])).any() for sweep in sweeps)
    ]

    def draw(axis: Axes, item: tuple[str, list[Sweep], Quantity]) -> None:
        title, sweeps, (key, name, unit) = item
        shown, lines, ranks = (
            [],
            [wrapped(title, 24)],
            sorted({x for sweep in sweeps for x in sweep.x}),
        )
        for sweep in sweeps:
            marker, colour = looks[sweep.first.scale]
            y = sweep.values(key)
            drawable = _positive(y)
            if not drawable.any():
                continue
            x, mean = sweep.x[drawable], np.exp(np.log(y[:, drawable]).mean(0))
            axis.plot(
                x,
                mean,
                marker,
                color=colour,
                ms=5,
                label=f"s = {sweep.first.scale}, geometric mean over seeds",
            )
            axis.plot(
                np.tile(x, len(y)), y[:, drawable].ravel(), ".", color=colour, ms=2.5, alpha=0.6
            )
            shown += y[:, drawable].ravel().tolist()
            found = sweep.fit(y, sweep.x > 0)
            if found:
                axis.plot(x, found.line(x), "-", color=colour, lw=0.9)
                shown += found.line(x).tolist()
            lines.append(_slope_words(marker, found))
            slope = _formula(sweep.first, key)
            if key == "smallest" and sweep is sweeps[0] and all(slope):
                # From the mean at the first rank: only the slope says something.
                reference = mean[0] * (x / x[0]) ** float(_printed_exponent())
                axis.plot(x, reference, "--", color=GREY, lw=1, label="slope {}: {}".format(*slope))
                shown += reference.tolist()
        _log_axes(axis, shown, ranks)
        units = unit.format(sweeps[0].first.result.problem.units)
        name_axes(axis, "\n".join(lines), "rank r", name + (f" [{units}]" if units else ""))

    yield from style.pictured("rank", items, draw, drawn, most=3, tall=2.5)
    head: Head = (
        "Problem",
        numeric("T"),
        "s",
        "Quantity",
        "Ranks",
        numeric("Seeds"),
        numeric("p"),
        numeric("Interval"),
        numeric("Off the line"),
        "By formula",
    )
    cells: list[Row] = []
    for row in rows:
        source = [Prose(row["source"], "small")] if row["source"] else []
        cells.append(
            (
                Prose(row["problem"]),
                number(row["steps"]),
                row["scale"],
                Prose(row["quantity"]),
                ", ".join(map(str, row["ranks"])),
                *_fitted_cells(row),
                "–" if row["deviation"] is None else f"{100 * row['deviation']:.0f}\u202f%",
                Stack((row["formula"] or "–", *source)),
            )
        )
        cells += [paragraph(f"{sentence_of(row['note'])}.", "small")] if row["note"] else []
    if rows:
        yield Table(head, cells, FITTED.format(biased), "rank")


def _fitted_cells(row: Found) -> tuple[str, str, str]:
    """The seeds, the exponent and its interval."""
    return (
        str(row["seeds"]),
        "–" if row["exponent"] is None else signed(row["exponent"]),
        within(row["interval"]),
    )


_HORIZON = """What was measured for each theorem over its bound, under noise the average over t
where it bounds the smallest, for runs that differ in T and the seed alone. Hollow: a hypothesis
failed or the bound is uninformative, so the theorem says nothing of that run. A slope of 0 is a
bound that is as loose at every T."""
_SLOPES = """Exponent of measured/bound in T, fitted over the horizons at which the theorem says
something for every seed, or, with a warning, over all where these are fewer than three; Student's
interval over seeds (asymptotic)."""


@placed(280, "How loose a bound is as T grows")
def horizon(material: Material) -> Iterator[Part]:
    """A line that falls is a bound that grows looser with $T$; a level line is a bound that is as
    loose at every $T$.
    """
    rows = horizon_slopes(material.theorems)
    if not rows:
        return
    # A panel for each problem, rank and scale, a line for each claim.
    sweeps = _sweeps(material.theorems, "run.steps", 2)
    panes = _together(sweeps, ("seed", "run.steps", "claim", "lipschitz"))
    titles, looks = (
        settings([of[0].first for of in panes]),
        style.looks_of([titled(x.first.result) for x in sweeps]),
    )

    def draw(axis: Axes, item: tuple[str, list[Sweep]]) -> None:
        title, sweeps = item
        shown, lines, horizons = (
            [1.0],
            [wrapped(title, 46)],
            sorted({x for sweep in sweeps for x in sweep.x}),
        )
        for sweep in sweeps:
            claim, ratios = titled(sweep.first.result), sweep.values("ratio")
            marker, colour = looks[claim]
            axis.plot([], [], marker, color=colour, ms=4.5, label=claim)
            for run, x, y in zip(
                chain(*sweep.runs), np.tile(sweep.x, len(ratios)), ratios.ravel(), strict=True
            ):
                if 0 < y < math.inf:
                    fill = "none" if run.verdict.is_silent else colour
                    axis.plot([x], [y], marker, color=colour, ms=4.5, mfc=fill, alpha=0.7)
                    shown.append(y)
            keep, found = _fit_horizon(sweep)
            if found:
                axis.plot(sweep.x[keep], found.line(sweep.x[keep]), "-", color=colour, lw=0.9)
                shown += found.line(sweep.x[keep]).tolist()
            lines.append(_slope_words(marker, found))
        axis.axhline(1, color=VERMILLION, lw=0.8, ls=":", label="the bound")
        axis.plot(
            [],
            [],
            "o",
            color=GREY,
            mfc="none",
            ms=4.5,
            label="hollow: the theorem says nothing of the run",
        )
        _log_axes(axis, shown, horizons)
        name_axes(axis, "\n".join(lines), "horizon T", "measured / bound")

    yield from style.pictured(
        "horizon", list(zip(titles, panes, strict=True)), draw, _HORIZON, tall=2.3
    )
    numbers = map(numeric, ("Seeds", "At the first T", "At the last", "Exponent", "Interval"))
    cells: list[Row] = []
    for row in rows:
        names = Prose(row["problem"]), Prose(row["claim"]), ", ".join(map(number, row["horizons"]))
        seeds, *fitted = _fitted_cells(row)
        cells.append((*names, seeds, *map(number, row["ratios"]), *fitted))
        cells += [paragraph(f"{sentence_of(row['warning'])}.", "small")] if row["warning"] else []
    yield Table(("Problem", "Claim", "T", *numbers), cells, _SLOPES, "horizon")


def _quantities(run: StoredRun) -> tuple[Quantity, ...]:
    """The quantities that are read off a run: its theorem's measure, the noise, and the decrease of
    F.
    """
    seen = run.measure.observable
    return (
        ("smallest", f"minₜ E[{seen.letters or seen.called}]", seen.units),
        ("first_variance", "noise variance at v₁", "{}²"),
        ("decrease", "F(v₁) − minₜ E F(vₜ)", "{}"),
    )


def rank_exponents(runs: list[StoredRun]) -> list[Found]:
    """A row for each sweep over ranks and each quantity: the fitted exponent, and what is known of
    it from formulas.

    Keys: problem, scale, claim, quantity, key (of the quantity in a result), steps, ranks, seeds,
    exponent, interval (a table, or None), deviation, formula and source (an exponent that a formula
    has, and which; empty strings where none has), note.
    """
    sweeps, rows = _sweeps(runs, "adapter.rank", FEWEST), []
    titles = settings([sweep.first for sweep in sweeps], ("adapter.scale", "adapter.rank"))
    for title, sweep in zip(titles, sweeps, strict=True):
        run = sweep.first
        for key, name, _ in _quantities(run):
            y = sweep.values(key)
            if np.isnan(y).all():
                continue
            found, (formula, source) = sweep.fit(y, sweep.x > 0), _formula(run, key)
            row: Found = {
                "problem": title,
                "scale": run.scale,
                "claim": titled(run.result),
                "quantity": name,
                "key": key,
            }
            row |= {"steps": run.course.plan.steps, "ranks": [int(x) for x in sweep.x]}
            row |= {"formula": formula, "source": source} | sweep.fitted(found)
            rows.append(row | {"note": "; ".join(_rank_notes(sweep, found))})
    return rows


def _rank_notes(sweep: Sweep, found: Exponent | None) -> list[str]:
    silent, count = (
        sum(run.verdict.is_silent for run in chain(*sweep.runs)),
        len(sweep.runs) * len(sweep.x),
    )
    notes = (
        _fit_notes(found)
        if found
        else ["not positive and finite in every run, so there is no exponent"]
    )
    if sweep.first.result.settings.run.batch == "balanced":
        notes.append("the batch follows the noise, and so the rank")
    if silent:
        given = sweep.first.result.settings.run.step_size is not None
        setter = "" if given else " that set the step size"
        notes.append(f"the theorem{setter} says nothing of {silent} of these {count} runs")
    return notes


@cache
def _printed_exponent() -> Any:
    """The exponent of r in the printed statement, which stands beside the measured one."""
    return rank_exponent(about_its_own_step()[0], None)


def _formula(run: StoredRun, key: str) -> tuple[str, str]:
    """The exponent of the rank in a formula for a quantity, and which formula; empty strings if
    there is none.
    """
    if key == "smallest":
        printed = about_its_own_step()[0]
        measure = measure_of(printed)
        if (
            not isinstance(measure, PerformanceMeasure)
            or measure.observable != run.measure.observable
        ):
            return "", ""
        return str(_printed_exponent()), f"{printed.title}, C free of r"
    adapter = run.result.settings.adapter
    noise = ADAPTERS[run.adapter].noise_at_start if run.adapter in ADAPTERS else None
    if (
        key == "first_variance"
        and noise
        and adapter.start == AdapterSpec.model_fields["start"].default
    ):
        factors = [AdapterSpec(rank=r, scale=adapter.scale).factor for r in (1, 4)]
        exponent = noise[1] + noise[0] * math.log(factors[1] / factors[0], 4)
        return f"{exponent:g}".replace("-", "−"), noise[2]
    return "", ""


def horizon_slopes(runs: list[StoredRun]) -> list[Found]:
    """A row for each sweep over T: the exponent of measured/bound in T, and a warning if runs are
    too short to tell.

    It is fitted over the T at which the theorem says something for every seed, or over all where
    these are fewer than
    three. Keys: problem, claim, horizons, fitted (those that the line was fitted to), seeds,
    exponent, interval, deviation, ratios (the geometric means at the first and the last T), warning
    (empty where there is none).
    """
    sweeps, rows = _sweeps(runs, "run.steps", 2), []
    for title, sweep in zip(settings([sweep.first for sweep in sweeps]), sweeps, strict=True):
        ratios = sweep.values("ratio")
        keep, found = _fit_horizon(sweep)
        ends = [
            float(np.exp(np.log(y).mean())) if _positive(y) else None
            for y in (ratios[:, 0], ratios[:, -1])
        ]
        row: Found = {
            "problem": title,
            "claim": titled(sweep.first.result),
            "horizons": [int(x) for x in sweep.x],
        }
        row |= {
            "fitted": [int(x) for x in sweep.x[keep]] if found else [],
            "ratios": ends,
        } | sweep.fitted(found)
        rows.append(row | {"warning": "; ".join(_horizon_warnings(sweep, keep, found))})
    return rows


def _fit_horizon(sweep: Sweep) -> tuple[np.ndarray, Exponent | None]:
    """The mask of the horizons that the exponent of measured/bound is fitted to, and that
    exponent.
    """
    ratios = sweep.values("ratio")
    drawn = _positive(ratios)
    told = drawn & ~np.array([[run.verdict.is_silent for run in row] for row in sweep.runs]).any(0)
    keep = told if told.sum() >= FEWEST else drawn
    return keep, sweep.fit(ratios, keep)


def _horizon_warnings(sweep: Sweep, keep: np.ndarray, found: Exponent | None) -> list[str]:
    """The reasons why these runs cannot tell how measured/bound goes with T, in the order in which
    they matter.
    """

    def is_short(run: StoredRun) -> bool:
        plan, limit = run.course.plan, limit_of(catalogue[run.result.claim], T)
        return limit is not None and plan.steps < (plan.values.get(limit) or 0)

    told: tuple[tuple[str, Callable[[StoredRun], bool]], ...] = (
        ("T too short to tell: below T_min", is_short),
        (
            "T too short to tell: the bound is uninformative",
            lambda run: run.verdict is Verdict.UNINFORMATIVE,
        ),
        (
            "a hypothesis failed",
            lambda run: run.verdict is Verdict.HYPOTHESIS_FAILED and not is_short(run),
        ),
        (
            "no ratio above 0, from a run that diverged or a bound that is no bound,",
            lambda run: not 0 < (run.result.ratio or 0) < math.inf,
        ),
    )
    columns, warnings = list(zip(*sweep.runs, strict=True)), []
    for words, holds in told:
        where = [
            number(int(x))
            for x, column in zip(sweep.x, columns, strict=True)
            if any(map(holds, column))
        ]
        warnings += [f"{words} at T = {', '.join(where)}"] if where else []
    if found is None:
        return [*warnings, "T too short to tell: fewer than three horizons, so there is no slope"]
    if any(
        run.verdict.is_silent
        for column, kept in zip(columns, keep, strict=True)
        if kept
        for run in column
    ):
        warnings.append("fitted to runs of which the theorem says nothing, for want of others")
    if (span := float(sweep.x[keep].max() / sweep.x[keep].min())) < _SPAN:
        warnings.append(f"T too short to tell: the line spans a factor of {number(span, 2)} in T")
    warnings += _fit_notes(found)
    if found.interval and found.interval.lower <= 0 <= found.interval.upper:
        warnings.append(
            "the interval holds 0: whether the bound loosens or tightens with T cannot be told"
        )
    return warnings
