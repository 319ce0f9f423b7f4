"""What runs say together: exponents in the rank of what is measured, and in the horizon of how loose a theorem is.

Runs belong together when their specs are equal in everything but what is swept: nothing is read off runs that differ in
anything else. Seeds are what is repeated: the initial point and the minibatches, on the same problem.
"""

import json
import math
import textwrap
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from itertools import chain
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from boundcheck.claims import catalogue
from boundcheck.measure.exponent import Exponent, fit_exponent
from boundcheck.measure.tables import AdapterSpec, RunSpec
from boundcheck.problems.adapters import ADAPTERS
from boundcheck.report.stored import StoredRun
from boundcheck.report.style import GREY, VERMILLION, decades, looks_of, panels
from boundcheck.report.words import number, rank_exponent, titled
from boundcheck.verdicts import Verdict

Row = dict[str, Any]

# How a title writes a marker.
_GLYPHS = {"o": "●", "s": "■", "^": "▲", "D": "◆", "v": "▼", "P": "✚", "X": "✖"}
# The printed statement whose exponent of r stands beside the measured one.
_PRINTED = "jiang2024.theorem2"
# (key of the result, what it is called, the power of the loss's unit)
_QUANTITIES = (
    ("smallest", "minₜ E‖∇F(vₜ)‖²", 2),
    ("first_variance", "noise variance at v₁", 2),
    ("decrease", "F(v₁) − minₜ E F(vₜ)", 1),
)
# A mean this far off the fitted line, relatively, is told of: a power law is then a poor description.
_BENT = 0.25
# A slope over less than this factor of T says little of the next decade.
_SPAN = 100
_FEWEST = 3


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

    def values(self, read: Callable[[StoredRun], float | None]) -> np.ndarray:
        """A number of each run, shape (seeds, m); NaN where it has none."""
        return np.array([[math.nan if (y := read(run)) is None else y for run in row] for row in self.runs])

    def fit(self, y: np.ndarray, keep: np.ndarray) -> Exponent | None:
        """The exponent of y in x over the kept columns; None where they are too few or not positive."""
        if not _positive(y[:, keep]).all():
            return None
        level = self.first.result["spec"]["run"].get("level", RunSpec().level)
        return fit_exponent(self.x[keep], y[:, keep], level)


def rank_figure(runs: list[StoredRun]) -> Figure | None:
    """Gradient, noise and decrease against rank, a series for each scale, with fitted lines and their exponents.

    Points are geometric means over seeds, dots the seeds. None where no group of runs has three ranks.
    """
    panes = _together(_sweeps(runs, "adapter.rank", _FEWEST), ("seed", "adapter.rank", "adapter.scale"))
    titles = settings([sweeps[0].first for sweeps in panes], ("adapter.scale", "adapter.rank"))
    looks = looks_of([_scale(sweep.first) for sweeps in panes for sweep in sweeps])
    items = [
        (f"{title}, T\u00a0=\u00a0{number(sweeps[0].first.result['plan']['steps'])}", sweeps, quantity, looks)
        for title, sweeps in zip(titles, panes, strict=True)
        for quantity in _QUANTITIES
        if any(_positive(sweep.values(_reader(quantity[0]))).any() for sweep in sweeps)
    ]
    return panels(items, _draw_rank, most=3, tall=2.5) if items else None


def rank_exponents(runs: list[StoredRun]) -> list[Row]:
    """For each sweep over ranks and each quantity the fitted exponent, and what is known of it from formulas.

    Keys: problem, scale, claim, quantity, steps, ranks, seeds, exponent, interval (a table, or None), deviation,
    formula and source (an exponent that a formula has, and which; empty strings where none has), note.
    """
    sweeps, rows = _sweeps(runs, "adapter.rank", _FEWEST), []
    titles = settings([sweep.first for sweep in sweeps], ("adapter.scale", "adapter.rank"))
    for title, sweep in zip(titles, sweeps, strict=True):
        for key, name, _ in _QUANTITIES:
            y = sweep.values(_reader(key))
            if np.isnan(y).all():
                continue
            found = sweep.fit(y, sweep.x > 0)
            rows.append(
                {"problem": title, "scale": _scale(sweep.first), "claim": titled(sweep.first.result), "quantity": name}
                | {"steps": sweep.first.result["plan"]["steps"], "ranks": [int(x) for x in sweep.x]}
                | dict(zip(("formula", "source"), _formula(sweep.first, key), strict=True))
                | _fitted(sweep, found)
                | {"note": "; ".join(_rank_notes(sweep, found))}
            )
    return rows


def horizon_figure(runs: list[StoredRun]) -> Figure | None:
    """Measured over bound against T, a line for each claim, a panel for each problem, rank and scale.

    A hollow marker is a run of which its theorem says nothing. None where no group of runs has two horizons.
    """
    panes = _together(_sweeps(runs, "run.steps", 2), ("seed", "run.steps", "claim", "lipschitz"))
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
    sweeps, rows = _sweeps(runs, "run.steps", 2), []
    for title, sweep in zip(settings([sweep.first for sweep in sweeps]), sweeps, strict=True):
        ratios = sweep.values(ratio_of)
        keep, found = _fit_horizon(sweep)
        ends = [float(np.exp(np.log(y).mean())) if _positive(y) else None for y in (ratios[:, 0], ratios[:, -1])]
        rows.append(
            {"problem": title, "claim": titled(sweep.first.result), "horizons": [int(x) for x in sweep.x]}
            | {"fitted": [int(x) for x in sweep.x[keep]] if found else [], "ratios": ends}
            | _fitted(sweep, found)
            | {"warning": "; ".join(_horizon_warnings(sweep, keep, found))}
        )
    return rows


def _sweeps(runs: list[StoredRun], swept: str, fewest: int) -> list[Sweep]:
    """Groups equal in all but `swept` and the seed; without seeds that lack a value, and runs that chose their T."""
    found = []
    fields = {id(run): leaves(run.result["spec"]) for run in runs if run.is_theorem}
    fixed = {key for key, each in fields.items() if isinstance(each["run.steps"], int) and each[swept] is not None}
    for group in groups([run for run in runs if id(run) in fixed], (swept, "seed")):
        cells = {(fields[id(run)]["seed"], fields[id(run)][swept]): run for run in group}
        x = sorted({value for _, value in cells})
        seeds = [seed for seed in sorted({seed for seed, _ in cells}) if all((seed, value) in cells for value in x)]
        if len(x) >= fewest and seeds:
            found.append(Sweep(np.array(x, float), [[cells[seed, value] for value in x] for seed in seeds]))
    return found


def _together(sweeps: list[Sweep], free: tuple[str, ...]) -> list[list[Sweep]]:
    """The sweeps that share a panel: equal in all but `free`."""
    by_run = {id(sweep.first): sweep for sweep in sweeps}
    return [[by_run[id(run)] for run in group] for group in groups([sweep.first for sweep in sweeps], free)]


def groups(runs: list[StoredRun], free: tuple[str, ...]) -> list[list[StoredRun]]:
    """Runs whose specs are equal in every field but `free`, each field by its path, such as ``adapter.rank``."""
    found: dict[str, list[StoredRun]] = {}
    for run in runs:
        fixed = {path: value for path, value in leaves(run.result["spec"]).items() if path not in free}
        found.setdefault(json.dumps(fixed, sort_keys=True), []).append(run)
    return list(found.values())


def leaves(table: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """The fields of a spec by path."""
    found: dict[str, Any] = {}
    for name, value in table.items():
        found |= leaves(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return found


def settings(runs: list[StoredRun], free: tuple[str, ...] = ("claim", "lipschitz")) -> list[str]:
    """What to call each run: problem, adapter, rank, scale and what else tells them apart, but for `free`."""
    unsaid = {"seed", "run.steps", "adapter.kind", "adapter.rank", "adapter.scale", *free}
    specs, titles = [leaves(run.result["spec"]) for run in runs], []
    for run in runs:
        titles.append(run.problem + (f", {ADAPTERS[run.adapter].title}" if run.adapter != "lora" else ""))
        if "adapter.rank" not in free and run.rank is not None:
            titles[-1] += f", rank {run.rank}"
        if "adapter.scale" not in free and _scale(run) != "1":
            titles[-1] += f", s\u00a0=\u00a0{_scale(run)}"
    for path in sorted(
        {path for spec in specs for path in spec} - unsaid, key=lambda path: (path[:7] != "problem", path)
    ):
        # What a spec leaves open has no value to say.
        values = ["" if spec.get(path) is None else str(spec[path]) for spec in specs]
        apart = list(zip(titles, values, strict=True))
        if len(set(apart)) > len(set(titles)):
            several = {title for title in titles if len({v for t, v in apart if t == title}) > 1}
            said = f", {path.removeprefix('problem.')}\u00a0=\u00a0"
            titles = [title + (said + value if title in several and value else "") for title, value in apart]
    return titles


def _scale(run: StoredRun) -> str:
    scale = run.result["spec"]["adapter"]["scale"]
    return str(scale).replace("sqrt(r)", "√r") if isinstance(scale, str) else f"{scale:g}"


def _reader(key: str) -> Callable[[StoredRun], float | None]:
    return lambda run: run.result.get(key)


def ratio_of(run: StoredRun) -> float | None:
    """Measured average over bound; None where no number was measured."""
    measured = run.result["measured"]
    return None if measured is None else float(measured / run.result["bound"])


def _positive(y: np.ndarray) -> Any:
    """Which columns, or whether all of a row, can stand on a log axis."""
    return ((y > 0) & (y < math.inf)).all(0)


@cache
def _printed_exponent() -> Any:
    return rank_exponent(catalogue[_PRINTED], None)


def _formula(run: StoredRun, key: str) -> tuple[str, str]:
    """The exponent of the rank that a formula has for a quantity, and which formula."""
    if key == "smallest":
        return str(_printed_exponent()), f"{catalogue[_PRINTED].title}, C free of r"
    adapter = run.result["spec"]["adapter"]
    if key == "first_variance" and run.adapter == "lora" and adapter.get("start", "lora") == "lora":
        # At B = 0 only B has a gradient, s N Aᵀ, and the mean of |N Aᵀ|² over A is |N|² r gain²/k.
        factors = [AdapterSpec(rank=r, scale=adapter["scale"]).factor for r in (1, 4)]
        exponent = 1 + 2 * math.log(factors[1] / factors[0], 4)
        return f"{exponent:g}".replace("-", "−"), "s²r, in the mean over A at B = 0"
    return "", ""


def _fitted(sweep: Sweep, found: Exponent | None) -> Row:
    return {
        "seeds": len(sweep.runs),
        "exponent": found.slope if found else None,
        "interval": asdict(found.interval) if found and found.interval else None,
        "deviation": found.deviation if found else None,
    }


def _rank_notes(sweep: Sweep, found: Exponent | None) -> list[str]:
    silent, count = sum(map(is_silent, chain(*sweep.runs))), len(sweep.runs) * len(sweep.x)
    notes = _fit_notes(found) if found else ["not positive and finite in every run, so there is no exponent"]
    if sweep.first.result["spec"]["run"].get("batch") == "balanced":
        notes.append("the batch follows the noise, and so the rank")
    if silent:
        given = sweep.first.result["spec"]["run"].get("step_size") is not None
        setter = "" if given else " that set the step size"
        notes.append(f"the theorem{setter} says nothing of {silent} of these {count} runs")
    return notes


def _fit_notes(found: Exponent) -> list[str]:
    notes = [] if found.interval else [f"{found.seeds} seeds, of which no interval is made"]
    if found.deviation > _BENT:
        notes.append(f"no power law: a mean lies {found.deviation:.0%} off the line")
    return notes


def is_silent(run: StoredRun) -> bool:
    """Whether the theorem says nothing of the run."""
    return run.verdict.is_silent


def _fit_horizon(sweep: Sweep) -> tuple[np.ndarray, Exponent | None]:
    """Which horizons the exponent of measured/bound is fitted to, and that exponent."""
    ratios = sweep.values(ratio_of)
    drawn = _positive(ratios)
    told = drawn & ~np.array([[is_silent(run) for run in row] for row in sweep.runs]).any(0)
    keep = told if told.sum() >= _FEWEST else drawn
    return keep, sweep.fit(ratios, keep)


def _horizon_warnings(sweep: Sweep, keep: np.ndarray, found: Exponent | None) -> list[str]:
    """What keeps these runs from telling how measured/bound goes with T, in the order in which it matters."""
    told = (
        ("T too short to tell: below T_min", _is_short),
        ("T too short to tell: the bound is uninformative", lambda run: run.verdict is Verdict.UNINFORMATIVE),
        ("a hypothesis failed", lambda run: run.verdict is Verdict.HYPOTHESIS_FAILED and not _is_short(run)),
        (
            "no ratio above 0, from a run that diverged or a bound that is no bound,",
            lambda run: not 0 < (ratio_of(run) or 0) < math.inf,
        ),
    )
    columns, warnings = list(zip(*sweep.runs, strict=True)), []
    for words, holds in told:
        where = [number(int(x)) for x, column in zip(sweep.x, columns, strict=True) if any(map(holds, column))]
        warnings += [f"{words} at T = {', '.join(where)}"] if where else []
    if found is None:
        return [*warnings, "T too short to tell: fewer than three horizons, so there is no slope"]
    if any(is_silent(run) for column, kept in zip(columns, keep, strict=True) if kept for run in column):
        warnings.append("fitted to runs of which the theorem says nothing, for want of others")
    if (span := float(sweep.x[keep].max() / sweep.x[keep].min())) < _SPAN:
        warnings.append(f"T too short to tell: the line spans a factor of {number(span, 2)} in T")
    warnings += _fit_notes(found)
    if found.interval and found.interval.lower <= 0 <= found.interval.upper:
        warnings.append("the interval holds 0: whether the bound loosens or tightens with T cannot be told")
    return warnings


def _is_short(run: StoredRun) -> bool:
    return bool(run.result["plan"]["steps"] < run.result["plan"]["values"].get("T_min", 0))


def _draw_rank(axis: Axes, item: tuple[str, list[Sweep], tuple[str, str, int], dict[str, Any]]) -> None:
    title, sweeps, (key, name, power), looks = item
    shown, lines, ranks = [], [textwrap.fill(title, 24)], sorted({x for sweep in sweeps for x in sweep.x})
    for sweep in sweeps:
        marker, colour = looks[_scale(sweep.first)]
        y = sweep.values(_reader(key))
        positive = _positive(y)
        if not positive.any():
            continue
        x, mean = sweep.x[positive], np.exp(np.log(y[:, positive]).mean(0))
        axis.plot(x, mean, marker, color=colour, ms=5, label=f"s = {_scale(sweep.first)}, geometric mean over seeds")
        axis.plot(np.tile(x, len(y)), y[:, positive].ravel(), ".", color=colour, ms=2.5, alpha=0.6)
        shown += y[:, positive].ravel().tolist()
        found = sweep.fit(y, sweep.x > 0)
        if found:
            axis.plot(x, found.line(x), "-", color=colour, lw=0.9)
            shown += found.line(x).tolist()
        lines.append(f"{_GLYPHS[marker]} {_slope(found)}")
        if key == "smallest" and sweep is sweeps[0]:
            # From the mean at the first rank: only the slope says something.
            reference = mean[0] * (x / x[0]) ** float(_printed_exponent())
            axis.plot(x, reference, "--", color=GREY, lw=1, label="slope {}: {}".format(*_formula(sweep.first, key)))
            shown += reference.tolist()
    _log_axes(axis, min(shown), max(shown), ranks)
    units = sweeps[0].first.result["problem"]["units"] + ("²" if power > 1 else "")
    axis.set(xlabel="rank r", ylabel=f"{name} [{units}]")
    axis.set_title("\n".join(lines), loc="left")


def _draw_horizon(axis: Axes, item: tuple[str, list[Sweep], dict[str, Any]]) -> None:
    title, sweeps, looks = item
    shown, lines, horizons = [1.0], [textwrap.fill(title, 46)], sorted({x for sweep in sweeps for x in sweep.x})
    for sweep in sweeps:
        claim, ratios = titled(sweep.first.result), sweep.values(ratio_of)
        marker, colour = looks[claim]
        axis.plot([], [], marker, color=colour, ms=4.5, label=claim)
        for run, x, y in zip(chain(*sweep.runs), np.tile(sweep.x, len(ratios)), ratios.ravel(), strict=True):
            if 0 < y < math.inf:
                axis.plot([x], [y], marker, color=colour, ms=4.5, mfc="none" if is_silent(run) else colour, alpha=0.7)
                shown.append(y)
        keep, found = _fit_horizon(sweep)
        if found:
            axis.plot(sweep.x[keep], found.line(sweep.x[keep]), "-", color=colour, lw=0.9)
            shown += found.line(sweep.x[keep]).tolist()
        lines.append(f"{_GLYPHS[marker]} {_slope(found)}")
    axis.axhline(1, color=VERMILLION, lw=0.8, ls=":", label="the bound")
    axis.plot([], [], "o", color=GREY, mfc="none", ms=4.5, label="hollow: the theorem says nothing of the run")
    _log_axes(axis, min(shown), max(shown), horizons)
    axis.set(xlabel="horizon T", ylabel="measured / bound")
    axis.set_title("\n".join(lines), loc="left")


def _slope(found: Exponent | None) -> str:
    if found is None:
        return "no slope"
    limits = f" [{found.interval.lower:.2f}, {found.interval.upper:.2f}]" if found.interval else ""
    return f"slope {found.slope:.2f}{limits}".replace("-", "−")


def _log_axes(axis: Axes, low: float, high: float, x: list[float]) -> None:
    """Both axes logarithmic, with ticks at the values of x and room for two on the other."""
    axis.set(xscale="log", yscale="log")
    axis.yaxis.set_minor_locator(NullLocator())
    widening = max(math.sqrt(3 * low / high), 1.0)
    decades(axis, low / widening, high * widening)
    axis.set_xlim(x[0] / (x[-1] / x[0]) ** 0.08, x[-1] * (x[-1] / x[0]) ** 0.08)
    axis.xaxis.set_major_locator(FixedLocator(x))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(round(value))))
    axis.xaxis.set_minor_locator(NullLocator())
