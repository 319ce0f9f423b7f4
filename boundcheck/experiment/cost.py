"""Costs of an experiment: its memory, known from shapes before anything is made; its time, from a step and a look."""

import itertools
import math
import time
from collections.abc import Callable

import torch

from boundcheck.experiment.plan import Plan, Start, make_sampler
from boundcheck.experiment.run import MOST_WAITING
from boundcheck.experiment.spec import Spec
from boundcheck.experiment.streams import generator
from boundcheck.functions.arithmetic import at_most, replicate
from boundcheck.functions.problem import Problem
from boundcheck.functions.sgd import advance
from boundcheck.language.function import Function
from boundcheck.system.ending import say
from boundcheck.system.limits import Demand, gib

# Seconds below which nothing is said; and for how long a step is tried again, whose first call may take longer.
_SOON, _TRIAL = 5.0, 0.1
# Copies of a trace: as it is made, as it is read, and what a verdict makes of it.
_TRACES = 4
# Replicas of the iterates of a bracket.
_ITERATING = 8
# Gradients that a rare look takes: three in each product of Lanczos, for F and for f.
_PRODUCTS = 2 * 3 * 20


def drawn(spec: Spec) -> tuple[Demand, ...]:
    """The memory that it takes to make what a spec describes."""
    table = spec.problem or spec.model
    return table.demands() if table else ()


def held(spec: Spec, function: Function, plan: Plan | None = None) -> tuple[Demand, ...]:
    """The memory that an experiment takes beside its function; what is not planned yet counts as little."""
    if isinstance(function, Problem) and spec.is_bracket:
        bracket, pair = spec.bracket, 16 * function.adapter.size
        return (
            Demand("bracket.pairs", bracket.pairs, bracket.pairs * pair),
            Demand("bracket.iterates", bracket.iterates, _ITERATING * bracket.iterates * pair),
            *function.demands(max(bracket.ascents, _ITERATING), 1, 0),
        )
    run, replicas = spec.run, spec.replicas
    batch, strata = _batch(spec, plan) or 1, _strata(spec, plan)
    # Beside what is observed, the time.
    columns = 1 + len(spec.algorithm.shows)
    columns += sum(math.prod(function.sizes[dim] for dim in each.dims) for each in function.observables.values())
    trace = Demand("run.audits", strata, _TRACES * 8 * replicas * strata * columns, on_host=True)
    # Of an epoch: its order, and the keys that it is sorted by.
    order = 0 if run.sampling == "with replacement" or not spec.is_stochastic else 4 * 8 * replicas * function.samples
    return (*function.demands(replicas, batch, MOST_WAITING), trace, Demand("run.replicas", replicas, order))


def weight(spec: Spec, function: Function, plan: Plan | None = None) -> float:
    """A cheap estimate of an experiment's time beside others on functions of the same kind: nothing is tried.

    It counts the gradients that the experiment takes, each as large as the function says; a look is one of all samples.
    """
    if spec.is_bracket:
        bracket = spec.bracket
        points = bracket.pairs + _ITERATING * bracket.iterates + bracket.ascents * bracket.rounds
        return points * function.work(function.samples)
    step, look = function.work(_batch(spec, plan) or function.samples), function.work(function.samples)
    return spec.replicas * (_steps(spec, plan) * step + _strata(spec, plan) * look)


@torch.inference_mode()
def seconds(spec: Spec, function: Function, start: Start, plan: Plan, device: str) -> float:
    """An estimate of how long a run takes, from a step and a look tried at v_1; nothing of the run itself is drawn."""
    replicas = spec.replicas
    # A network computes replicas one by one.
    tried = replicas if function.is_known else 1
    strata = _strata(spec, plan)
    sampler = make_sampler(spec, plan, function, tried, generator(spec, "pilot", device))
    v, algorithm = replicate(start.v, tried), spec.algorithm
    state, law = algorithm.start(v, plan.numbers), sampler.law()

    def step() -> None:
        advance(algorithm, function, state, 1, plan.numbers, sampler.draw())

    with at_most(function.threads):
        stepping = _taken(step, plan.steps * replicas / tried, device)
        looking = _taken(lambda: function.observe(v, v, law), strata * replicas / tried, device)
    rare = spec.run.looks * _PRODUCTS * looking / (strata * replicas / tried) if function.looks else 0.0
    return stepping + looking + rare


def _taken(work: Callable[[], object], times: float, device: str) -> float:
    """The seconds that so many repetitions of some work take; a long first call, which may compile, is not believed."""
    begun, least = time.perf_counter(), math.inf
    for again in itertools.count():
        before = time.perf_counter()
        work()
        if device.startswith("cuda"):
            torch.cuda.synchronize(device)
        now = time.perf_counter()
        least = min(least, now - before)
        if least * times < _SOON or (again and now - begun > _TRIAL):
            break
    return least * times


def announce(name: str, taken: int, lasting: float) -> None:
    """Say on stderr what a run is going to take, where one has to wait for it."""
    if lasting >= _SOON:
        say(f"this run ({name}) will take about {_span(lasting)} and {gib(taken)}")


def _span(lasting: float) -> str:
    for unit, size in (("days", 86400), ("h", 3600), ("min", 60)):
        if lasting >= 2 * size:
            return f"{lasting / size:.3g} {unit}"
    return f"{lasting:.2g} s"


def _batch(spec: Spec, plan: Plan | None) -> int | None:
    """The number of samples of a step; None where it is not known, or where it is all of them."""
    batch = plan.batch if plan else spec.run.batch
    return batch if isinstance(batch, int) and spec.is_stochastic else None


def _steps(spec: Spec, plan: Plan | None) -> int:
    steps = plan.steps if plan else spec.run.steps
    return steps if isinstance(steps, int) else spec.run.audits or 1


def _strata(spec: Spec, plan: Plan | None) -> int:
    steps = _steps(spec, plan)
    return min(spec.run.audits or steps, steps)
