"""Views of the results of runs and brackets, and of several of them; and a training run on the
screen.
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from textwrap import shorten
from typing import Any

import numpy as np
import xarray as xr

from boundcheck.errors import InputError
from boundcheck.exact.digits import DOWN, UP, shown
from boundcheck.experiment.result import (
    FROM_BELOW,
    BracketResult,
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
from boundcheck.system.terminal import screen
from boundcheck.verdicts import amount, spoken


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
        varied = ("–" if row[path] is None else str(row[path]) for path in fields)
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
    audits = ((x.hypothesis, Badge(x.status), *x.shown(short, 4), Prose(x.how)) for x in of.audit)
    heads = ("hypothesis", "status", "observed", "limit", "how")
    made += _folded("Its hypotheses, as they held on the run", heads, audits)
    constants = []
    for name, constant in of.constants.items():
        # Of an infinite one nothing is known.
        value = constant.value if math.isfinite(constant.value) else None
        shown_value = short(value, toward=toward_of(name, constant))
        constants.append((name, shown_value, constant.kind, Prose(constant.how)))
    said = "Constants that the problem says of itself"
    made += _folded(said, ("constant", "value", "kind", "how"), constants)
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


def _folded(title: str, head: tuple[str, ...], rows: Iterable[Sequence[Cell]]) -> list[Part]:
    """A table behind its title; nothing where it has no rows."""
    found = list(rows)
    return [Fold(line(title), (Table(head, found),))] if found else []


_ADVICE = (
    '  to meet them: optim="sgd", lr_scheduler_type="constant", max_grad_norm=0, no'
    " momentum, weight decay or dropout"
)


def _cut(how: str) -> str:
    """How a hypothesis failed, in two lines; the page has it whole."""
    return shorten(how, 140, placeholder="…")


def show_course(
    trace: xr.Dataset, result: RunResult, noise: list[float], optimizer: str = "SGD"
) -> None:
    """Show what theory says of a run of this optimizer, what to do, and what was measured, on
    stderr.

    ``noise`` is what was taken off each squared gradient norm, because a part of the samples was
    looked at.
    """
    failed = {each.hypothesis: each.how for each in result.audit if each.status == "failed"}
    how = failed.pop("Algorithm 1", "")
    said = "the theorem says nothing about this run" if failed else result.reason
    if how:
        said = "its steps are not those of SGD at a constant step"
        said += f", but {optimizer}'s" if optimizer != "SGD" else f": {_cut(how)}"
    lines = [f"{spoken(result.verdict)}: {said}"]
    for id, why in failed.items():
        lines.append(f"  {catalogue[id].title if id in catalogue else id}: no, {_cut(why)}")
    lines += [_ADVICE] if how else _steps(result)
    rows = trace.isel(replica=0)
    count = int(np.isfinite(rows["loss"].values).sum())
    seen = dict[str, list[str]]()
    for place in (0, count - 1):
        loss, square, variance = (
            rows[name].values[place].item()
            for name in ("loss", "gradient_square_norm", "noise_variance")
        )
        # An unbiased estimate of a square may be negative: then the square is below its noise.
        is_seen = square > 0 or noise[place] == 0
        gradient = shown(square) if is_seen else f"≈ 0, below its noise of {noise[place]:.2g}"
        for name, text in (("loss", shown(loss)), ("‖∇F‖²", gradient), ("ζ²", shown(variance))):
            seen.setdefault(name, []).append(text)
    lines.append(
        f"  measured at {amount(count, 'step')}, on {result.problem.sample}: "
        + ", ".join(f"{name} {' → '.join(dict.fromkeys(ends))}" for name, ends in seen.items())
    )
    if result.gradient_ratio is not None:
        lines.append(
            f"  largest gradient ratio ‖Δ∇F‖ / ‖Δv‖: {result.gradient_ratio}, {FROM_BELOW}"
        )
    show(screen(stderr=True), *(line(Prose(each)) for each in lines))


def _steps(result: RunResult) -> Iterator[str]:
    """The longest step at each L̂ that was seen, beside the run's own; and one with a smaller
    bound.
    """
    steps = []
    for at in result.theorems:
        if at.way == "path" and not at.value:
            yield "  no L̂ (path): the descent curvature is mostly rounding error"
        elif at.way != "printed" and at.value and at.longest:
            value = shown(at.value, 4, UP)
            if at.way == "path" and result.estimates and result.estimates.path_sure is not None:
                value = f"{shown(result.estimates.path_sure, 4, DOWN)} to {value}"
            steps.append(f"{shown(at.longest, 4, DOWN)} at L̂ = {value} ({at.way})")
    if steps:
        own = result.plan.step_size
        yours = "" if own is None else f"; yours: {shown(own)}"
        yield f"  largest step that the theorem allows: below {', '.join(steps)}{yours}"
    if result.waterfall and (best := result.waterfall.at_best):
        yield (
            f"  a step of {shown(best.step, 3)} would bound the average by"
            f" {shown(best.bound, 3, UP)}, {shown(best.factor, 3)} times less than yours"
        )


def verdicts_table(results: Iterable[dict[str, Any]]) -> Table:
    """The verdict on each run, who is to blame, and why."""
    rows: list[tuple[Cell, ...]] = []
    for x in results:
        blame = x.get("blame")
        who = f"{blame['kind']} {blame['name']}" if blame else ""
        # Without its interval.
        why = re.sub(r" \([^()]*\)$", "", x["reason"])
        rows.append((x["run_id"], x["claim"], Badge(x["verdict"]), who, Prose(why)))
    return Table(("run", "claim", "verdict", "to blame", "reason"), rows, most=None)
