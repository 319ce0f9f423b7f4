"""Mutants of measured runs: what a run states made false, or made weaker, tried by measurement.

A false one is shown to be so before it is run, by an exact number: a bound below every E‖∇F(v_t)‖², a constant that is
exceeded, a hypothesis that fails at an exact point. A true one has every hypothesis for certain, whatever is drawn.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from boundcheck.checked.courses import Setting, factors, hard, kinks, scalars
from boundcheck.checked.faults import Run, false_bounds, false_constants, false_hypotheses, true_runs

_CLASSICS = ("ghadimi2013.corollary2_2", "khaled2020.bounded_variance")
# Too few to tell a bound that is false by half.
_FEW = 3


def _settings() -> Iterator[Setting]:
    yield from kinks("nesterov2004.gradient_descent", (1, 2, 6))
    yield from kinks("abbaszadehpeivasti2022.best_step", (1, 2, 6))
    for id in ("jiang2024.theorem2", "meft.theorem2_repaired", "meft.theorem2_best_step"):
        yield from factors(id, (12,))
        yield from hard(id, ((8, 0.3),))
    for id in (*_CLASSICS, "meft.theorem2_frozen_a", "meft.theorem2_any_step"):
        yield from scalars(id, (2, 12), (0,))


def run_mutants(every: int = 1) -> list[Run]:
    """Every n-th of the false and of the true runs, in an order that never changes."""
    found = _all()
    return [*(run for run in found if not run.true)][::every] + [run for run in found if run.true][::every]


@cache
def _all() -> tuple[Run, ...]:
    found: list[Run] = []
    for setting in _settings():
        bounds = list(false_bounds(setting))
        found += [*bounds, *false_constants(setting), *false_hypotheses(setting), *true_runs(setting)]
        if "zeta" in setting.table["run"]:
            found += [_with_few(run) for run in bounds[:1]]
    return tuple(found)


def _with_few(run: Run) -> Run:
    """The same with few replicas, which cannot show it, and must not speak for it either."""
    table = run.table | {"run": run.table["run"] | {"replicas": _FEW}}
    return replace(run, change=f"{run.change}, of {_FEW} replicas", table=table, blame=None)
