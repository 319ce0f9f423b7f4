"""Views of the results of runs and brackets, and of several of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import singledispatch
from pathlib import Path
from typing import Any

import xarray as xr

from boundcheck.errors import InputError
from boundcheck.exact.digits import DOWN, UP
from boundcheck.experiment.result import BracketResult, Result, RunResult
from boundcheck.experiment.results import Results, rows_of, varied
from boundcheck.experiment.schema import FROM_BELOW, Link
from boundcheck.experiment.store import finished
from boundcheck.language.catalogue import catalogue
from boundcheck.language.notebook import Shown
from boundcheck.language.symbols import toward
from boundcheck.language.view import Badge, Cell, Fold, Line, Part, Prose, Table, View, line, short
from boundcheck.system.tables import fields_of


def trace_of(result: Result, runs: Path) -> xr.Dataset:
    """The trace of a run in its folder; see `Result.to_xarray`."""
    stored, trace = finished(runs / result.run_id)
    if stored != result:
        raise InputError("runs", runs, f"the folder of run {result.run_id}; the one there has another result")
    told = {name: value for name, value in result.as_json().items() if isinstance(value, str | int | float)}
    return trace.assign_attrs(told)


@singledispatch
def view_of(shown: Shown) -> View:
    """The view of a result of this package that a notebook shows."""
    raise TypeError(f"expected a result, got {type(shown).__name__}")


@view_of.register(Results)
def _results_view(results: Results) -> View:
    """A table with a row for each result, its columns those of the frame; a single result by itself."""
    if len(results) == 1:
        return results[0].view()
    fields = list(varied(results))
    rows: list[tuple[Cell, ...]] = [
        (
            *(_text(row[path]) for path in fields),
            Badge(row["verdict"]),
            _measured(each),
            _interval(each),
            _bound(each),
            Prose(row["reason"]),
        )
        for each, row in zip(results, rows_of(results), strict=True)
    ]
    table = Table((*fields, "verdict", "measured", "interval", "bound", "why"), rows)
    claims = ", ".join(dict.fromkeys(each.claim for each in results))
    return View(f"{len(results)} runs", claims, parts=(table,))


@view_of.register(Result)
def _result_view(of: Result) -> View:
    """The view of a run: what was measured against what, why it has its verdict, and what it was held against."""
    parts = [
        line(Prose(of.reason)),
        *_blame(of),
        *(_bracket(of) if isinstance(of, BracketResult) else _run(of) if isinstance(of, RunResult) else ()),
        *_folded(
            "Its hypotheses, as they held on the run",
            ("hypothesis", "status", "observed", "limit", "how"),
            ((x.hypothesis, Badge(x.status), *x.shown(short, 4), Prose(x.how)) for x in of.audit),
        ),
        *_folded(
            "Constants that the problem says of itself",
            ("constant", "value", "kind", "how"),
            ((name, short(x.value, toward=x.toward(name)), x.kind, Prose(x.how)) for name, x in of.constants.items()),
        ),
        *_folded("The spec", ("field", "value"), ((path, _text(x)) for path, x in fields_of(of.spec).items())),
        *_folded("Made with", ("", ""), ((name, _text(x)) for name, x in of.environment.items())),
    ]
    title = catalogue[of.claim].title if of.claim in catalogue else of.claim
    return View(
        f"{title}, on {of.problem.name}", f"{of.claim}, run {of.run_id}", of.verdict, (_sides(of),), tuple(parts)
    )


def _sides(of: Result) -> Line:
    bound = f"bound {_bound(of)}"
    if isinstance(of, BracketResult):
        return line(f"largest lower estimate {_measured(of)};", bound)
    shown = f", the {of.shown}," if isinstance(of, RunResult) and of.shown else ","
    return line(f"measured {_measured(of)}{shown} interval {_interval(of)};", bound)


def _measured(of: Result) -> str:
    return short(of.measured, of.digits(4), of.toward)


def _bound(of: Result) -> str:
    return f"{short(of.bound, of.digits(4), UP)} ({of.bound_kind})"


def _blame(of: Result) -> list[Part]:
    if of.blame is None:
        return []
    why = [] if of.blame.evidence == of.reason else [Prose(of.blame.evidence)]
    return [line("to blame:", of.blame.kind, of.blame.name, *why)]


def _interval(of: Result) -> str:
    found = of.interval
    if found is None:
        return "–"
    ends = f"[{short(found.lower, of.digits(4), DOWN)}, {short(found.upper, of.digits(4), UP)}]"
    # What is known without chance has no level.
    return f"{ends} ({found.kind})" if found.kind == "exact" else f"{ends} ({found.level:.0%}, {found.kind})"


def _bracket(of: BracketResult) -> list[Part]:
    """Both ends of a bracket, and what the proofs give away at its steepest pair."""
    chains = (_chain(f"What the {x.version} proof gives away", x.measured, x.links) for x in of.slack)
    return [*_ends(of), *(part for chain in chains for part in chain)]


def _ends(of: Result) -> list[Part]:
    lower = [(name, short(x, toward=DOWN)) for name, x in of.lower.items()]
    upper = [(x.claim, x.lipschitz, short(x.value, toward=UP), x.trust) for x in of.upper]
    parts: list[Part] = [Table(("lower estimate by", "value"), lower)] if lower else []
    return parts + ([Table(("upper end by", "C is", "value", "trust"), upper)] if upper else [])


def _run(of: RunResult) -> list[Part]:
    """The plan of a run, and where its theorem loses."""
    values = {"T": of.plan.steps} | of.plan.numbers | of.plan.values
    plan = line(", ".join(f"{name} = {short(x, toward=toward(name))}" for name, x in values.items()))
    ends, lost = _ends(of), of.waterfall
    parts: list[Part] = [plan]
    parts += [line(f"largest gradient ratio: {of.gradient_ratio}, {FROM_BELOW}")] if of.gradient_ratio else []
    parts += [Fold(line("The smoothness of F, from both sides"), tuple(ends))] if ends else []
    if lost is not None:
        parts += [line(Prose(lost.says)), *_chain("Where the theorem loses on this run", lost.measured, lost.links)]
    return parts


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
