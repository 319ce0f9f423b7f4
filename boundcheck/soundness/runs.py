"""Mutants of measured runs: what a run states made false, or made weaker, tried by measurement.

A false one is shown to be so before it is run, by an exact number: a bound below every E‖∇F(v_t)‖², a constant that is
exceeded, a hypothesis that fails at an exact point. A true one has every hypothesis for certain, whatever is drawn.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

from boundcheck.measure import measure
from boundcheck.measure.result import Result
from boundcheck.soundness.courses import Setting, factors, hard, kinks, scalars
from boundcheck.soundness.faults import Run, false_bounds, false_constants, false_hypotheses, true_runs
from boundcheck.soundness.trial import Trial
from boundcheck.verdicts import Verdict

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


def try_run(mutant: Run, folder: str | Path) -> Trial:
    """Measure a mutant, with its run below `folder`, and say whether the verdict is right."""
    begin = time.perf_counter()
    (result,) = measure(mutant.table, folder)
    return judged(mutant, result, time.perf_counter() - begin)


def judged(mutant: Run, result: Result, seconds: float) -> Trial:
    """The record of a trial, from the verdict and the blame of its run.

    Wrong is support for a false run, blame on a theorem that is true, and a true run that is violated or said to have
    broken a hypothesis. Caught is a false run whose fault is named, be it because it was seen, or because nothing
    vouches for what the spec assumes.
    """
    verdict, blame = result.verdict, result.blame and (result.blame.kind, result.blame.name)
    if mutant.true:
        wrong = verdict in (Verdict.VIOLATED, Verdict.HYPOTHESIS_FAILED)
    else:
        wrong = verdict.is_supported or (verdict is Verdict.VIOLATED and mutant.blame not in (None, blame))
    named = blame is not None and blame == mutant.blame and verdict is not Verdict.UNINFORMATIVE
    return Trial(
        "measurement",
        mutant.subject,
        mutant.kind,
        mutant.change,
        mutant.true,
        mutant.witness,
        verdict,
        wrong=wrong,
        caught=not mutant.true and named,
        seconds=seconds,
    )
