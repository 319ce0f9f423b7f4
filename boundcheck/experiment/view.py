"""Views of the results of runs and brackets, and of several of them; and a training run on the
screen.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from boundcheck.errors import InputError
from boundcheck.exact.digits import DOWN, UP, Toward, shown
from boundcheck.experiment.result import (
    FROM_BELOW,
    BracketResult,
    GradientRatio,
    Link,
    Result,
    Results,
    RunResult,
    toward_of,
    trace_of,
)
from boundcheck.experiment.store import finished
from boundcheck.language.catalogue import catalogue
from boundcheck.language.screen import show
from boundcheck.language.symbols import toward
from boundcheck.language.view import (
    Badge,
    Cell,
    Fold,
    Part,
    Prose,
    Table,
    View,
    line,
    short,
    view_of,
)
from boundcheck.system.tables import fields_of
from boundcheck.system.terminal import screen


@trace_of.register
def _trace(result: Result, runs: Path) -> xr.Dataset:
    stored, trace = finished(runs / result.run_id)
    # A result that was read says so in its verdict and its reason.
    if replace(result, verdict=stored.verdict, reason=stored.reason) != stored:
        raise InputError(
            "runs", runs, f"the folder of run {result.run_id}; the one there has another result"
        )
    told = {
        name: value
        for name, value in result.as_json().items()
        if isinstance(value, str | int | float)
    }
    return trace.assign_attrs(told)


@view_of.register(Results)
def _results_view(results: Results) -> View:
    """A table with a row for each result, its columns those of the frame; a single result by
    itself.
    """
    if len(results) == 1:
        return results[0].view()
    fields = list(results.varied)
    rows: list[tuple[Cell, ...]] = []
    for each, row in zip(results, results.rows, strict=True):
        varied = (_text(row[path]) for path in fields)
        rows.append((*varied, Badge(row["verdict"]), *_numbers(each), Prose(row["reason"])))
    table = Table((*fields, "verdict", "measured", "interval", "bound", "why"), rows)
    claims = ", ".join(dict.fromkeys(each.claim for each in results))
    return View(f"{len(results)} runs", claims, parts=(table,))


@view_of.register(Result)
def _result_view(of: Result) -> View:
    """The view of a run: what was measured against what, why it has its verdict, and what it was
    held against.
    """
    measured, interval, bound = _numbers(of)
    called = f", the {of.shown}" if isinstance(of, RunResult) and of.shown else ""
    sides = line(f"measured {measured}{called}, interval {interval};", f"bound {bound}")
    made: list[Part] = [line(Prose(of.reason))]
    if of.blame is not None:
        why = [] if of.blame.evidence == of.reason else [Prose(of.blame.evidence)]
        made.append(line("to blame:", of.blame.kind, of.blame.name, *why))
    ends: list[Part] = []
    if of.lower:
        lower = [(name, short(x, toward=DOWN)) for name, x in of.lower.items()]
        ends.append(Table(("lower estimate by", "value"), lower))
    if of.upper:
        upper = [(x.claim, x.lipschitz, short(x.value, toward=UP), x.trust) for x in of.upper]
        ends.append(Table(("upper end by", "C is", "value", "trust"), upper))
    if isinstance(of, BracketResult):
        sides = line(f"largest lower estimate {measured};", f"bound {bound}")
        made += ends
        for chain in of.slack:
            made += _chain(
                f"What the {chain.version} proof gives away", chain.measured, chain.links
            )
    if isinstance(of, RunResult):
        values = {"T": of.plan.steps} | of.plan.numbers | of.plan.values
        made.append(
            line(
                ", ".join(f"{name} = {short(x, toward=toward(name))}" for name, x in values.items())
            )
        )
        if of.gradient_ratio:
            made.append(line(f"largest gradient ratio: {of.gradient_ratio}, {FROM_BELOW}"))
        if ends:
            made.append(Fold(line("The smoothness of F, from both sides"), tuple(ends)))
        if (lost := of.waterfall) is not None:
            made.append(line(Prose(lost.says)))
            made += _chain("Where the theorem loses on this run", lost.measured, lost.links)
    audits = ((x.hypothesis, Badge(x.status), *x.shown(short, 4), Prose(x.how)) for x in of.audit)
    heads = (
        ("hypothesis", "status", "observed", "limit", "how"),
        (
            "constant",
            "value",
            "kind",
            "how",
        ),
    )
    made += _folded("Its hypotheses, as they held on the run", heads[0], audits)
    constants = []
    for name, constant in of.constants.items():
        # Of an infinite one nothing is known.
        value = constant.value if math.isfinite(constant.value) else None
        shown_value = short(value, toward=toward_of(name, constant))
        constants.append((name, shown_value, constant.kind, Prose(constant.how)))
    made += _folded("Constants that the problem says of itself", heads[1], constants)
    made += _folded(
        "The spec", ("field", "value"), ((path, _text(x)) for path, x in fields_of(of.spec).items())
    )
    made += _folded("Made with", ("", ""), ((name, _text(x)) for name, x in of.environment.items()))
    title = (
        f"{catalogue[of.claim].title if of.claim in catalogue else of.claim}, on {of.problem.name}"
    )
    return View(title, f"{of.claim}, run {of.run_id}", of.verdict, (sides,), tuple(made))


def _numbers(of: Result) -> tuple[str, str, str]:
    """What was measured, its interval, and the bound, at as many digits as tell them apart."""
    digits = of.digits(4)
    found = of.interval
    interval = "–"
    if found is not None:
        # What is known without chance has no level.
        level = "" if found.kind == "exact" else f"{found.level:.0%}, "
        interval = (
            f"[{short(found.lower, digits, DOWN)}, {short(found.upper, digits, UP)}]"
            f" ({level}{found.kind})"
        )
    return (
        short(of.measured, digits, of.toward),
        interval,
        f"{short(of.bound, digits, UP)} ({of.bound_kind})",
    )


def _chain(title: str, measured: float | None, links: Sequence[Link]) -> list[Part]:
    begin: tuple[Cell, ...] = ("measured", short(measured), "", "")
    rows = ((x.label, short(x.value, toward=UP), short(x.factor), Prose(x.why)) for x in links)
    return _folded(title, ("up to", "value", "factor", "why"), [begin, *rows]) if links else []


def _folded(title: str, head: tuple[str, ...], rows: Iterable[Sequence[Cell]]) -> list[Part]:
    """A table behind its title; nothing where it has no rows."""
    found = list(rows)
    return [Fold(line(title), (Table(head, found),))] if found else []


def _text(value: Any) -> str:
    return "–" if value is None else str(value)


# Records that are printed.
_ROWS = 8
# Where loss, ζ², ℓ, its rounding error, σ and G are rounded to.
_TOWARD = (*[Toward.NEAREST] * 3, UP, *[Toward.NEAREST] * 2)
_COLUMNS = (
    "t",
    "loss",
    "‖∇F‖²",
    "ζ²",
    "gradient ratio",
    "descent curvature ℓ",
    "± rounding",
    "σ",
    "G",
)
_SCALARS = (
    "loss",
    "gradient_square_norm",
    "noise_variance",
    "path_smoothness",
    "path_smoothness_error",
)
_RATIO = ("gradient_ratio", "gradient_ratio_error")


def show_course(trace: xr.Dataset, result: RunResult, noise: list[float]) -> None:
    """Show a few of the records, and what they come to, on stderr.

    ``noise`` is what was taken off each squared gradient norm, because a part of the samples was
    looked at.
    """
    told: list[tuple[str, ...]] = []
    rows = trace.isel(replica=0)
    count = int(np.isfinite(rows["loss"].values).sum())
    for place in np.unique(np.linspace(0, count - 1, min(count, _ROWS)).astype(int)):
        row = rows.isel(stratum=int(place))
        loss, square, *others = (row[name].item() for name in _SCALARS)
        largest = [float(row[name].max()) for name in ("norm", "weight_gradient_spectral")]
        cells = [
            shown(x, 4, toward)
            for x, toward in zip((loss, *others, *largest), _TOWARD, strict=True)
        ]
        ratio, off = (row[name].item() for name in _RATIO)
        # An unbiased estimate of a square may be negative: then the square is below its noise.
        is_seen = square > 0 or noise[place] == 0
        gradient = f"{square:.4g}" if is_seen else f"≈ 0, below its noise of {noise[place]:.2g}"
        # On a curved domain there is no ratio.
        slope = "–" if math.isnan(ratio) else str(GradientRatio(ratio, off))
        told.append((str(int(row["time"])), cells[0], gradient, cells[1], slope, *cells[2:]))
    lines = [f"{result.verdict}: {result.reason}"]
    failed = [each for each in result.audit if each.status == "failed"]
    lines += [f"  {each.hypothesis}: {each.how}" for each in failed]
    meaning = catalogue[result.claim].quantities[-1].meaning
    for at in result.theorems:
        # Of steps that are none of the theorem's it says nothing, and L̂ is all that is known.
        said = "" if failed or at.bound is None else f"; the {meaning} is {shown(at.bound, 4, UP)}"
        way = " ".join(filter(None, (at.way, at.lipschitz and f"C = {at.lipschitz}")))
        # A result has None for infinity.
        ends = (at.value, UP), (at.longest, DOWN)
        value, longest = (
            "∞" if x is None or math.isinf(x) else shown(x, 4, toward) for x, toward in ends
        )
        if at.way == "path" and not at.value:
            lines.append(f"  no L̂ ({way}): the descent curvature is mostly rounding error")
        else:
            lines.append(f"  L̂ = {value} ({way}): steps of SGD below {longest}{said}")
    if result.gradient_ratio is not None:
        lines.append(
            f"  largest gradient ratio ‖Δ∇F‖ / ‖Δv‖: {result.gradient_ratio}, {FROM_BELOW}"
        )
    if (lost := result.waterfall) is not None:
        links = [
            f"{x.label} ×{x.factor:.3g}" if x.factor is not None else x.label for x in lost.links
        ]
        start = lost.start if lost.measured is None else f"{lost.start} {lost.measured:.3g}"
        lines += [f"  {' → '.join((start, *links))}"] if links else []
        lines.append(f"  {lost.says}")
    table = Table(_COLUMNS, told, f"{result.problem.name}, on {result.problem.sample}")
    show(screen(stderr=True), table, *map(line, lines))


def verdicts_table(results: Iterable[dict[str, Any]]) -> Table:
    """The verdict on each run, who is to blame, why, and the largest gradient ratio that was
    seen.
    """
    rows: list[tuple[Cell, ...]] = []
    for x in results:
        blame = x.get("blame")
        found = x.get("gradient_ratio")
        who = f"{blame['kind']} {blame['name']}" if blame else ""
        ratio = str(GradientRatio(**found)) if found else "–"
        cells = (x["run_id"], x["claim"], Badge(x["verdict"]), ratio, who, Prose(x["reason"]))
        rows.append(cells)
    head = ("run", "claim", "verdict", "gradient ratio", "to blame", "reason")
    return Table(head, rows, most=None)
