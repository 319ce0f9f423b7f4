"""A check that the faces of a run's words and functions agree where it starts; where they do not, nothing is run.

A function states its loss, its gradient, minibatches of it and their variance; an algorithm states its step twice, and
a measure states three times what it is. A run that trusts a face that contradicts the others is evidence of nothing.
"""

import math
from collections.abc import Mapping
from types import SimpleNamespace

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from boundcheck.errors import InputError
from boundcheck.experiment.audit import Evidence, drawn_by
from boundcheck.experiment.ball import BallWatch
from boundcheck.experiment.plan import Plan, Start, make_sampler
from boundcheck.experiment.run import Record
from boundcheck.experiment.schedule import Schedule
from boundcheck.experiment.spec import Spec
from boundcheck.experiment.streams import generator
from boundcheck.functions.arithmetic import EPSILON, Point, replicate, square_norm
from boundcheck.functions.checks import (
    COARSE,
    FINE,
    MARGIN,
    Draws,
    Mean,
    check_pull_back,
    check_steps,
    disagreement,
    mean_of_minibatches,
    near,
)
from boundcheck.functions.draws import Sampler
from boundcheck.functions.problem import Problem
from boundcheck.language.function import Function
from boundcheck.language.hypotheses import MOST_SAMPLES
from boundcheck.language.measures import SMOOTHNESS


@torch.inference_mode()
def check_run(spec: Spec, function: Function, start: Start, plan: Plan, device: str) -> None:
    """Hold the faces of what a run is made of against each other, at v_1 and near it, in a few evaluations.

    No verdict rests on the word of a function whose constants are not known: it is looked at coarsely.

    Raises:
        InputError: which names the face, what it says, and what the others say.

    """
    sampler = make_sampler(spec, plan, function, spec.replicas, generator(spec, "pilot", device))
    check_function(function, start.v, plan.batch, sampler)
    if spec.restarts:
        _check_restart(function, start.v, spec.adapter.gain)
    sizes = square_norm(start.v).sqrt().item(), math.sqrt(start.square_norm)
    asked = spec.algorithm.asked(function, start.v)
    numbers = plan.numbers | {name: value.item() for name, value in asked.items()}
    check_steps(spec.algorithm, numbers, *sizes, is_flat=function.is_flat)
    _check_measure(spec, function, start, plan, device)


@torch.inference_mode()
def check_function(function: Function, v: Point, batch: int | None = None, sampler: Sampler | None = None) -> None:
    """Hold values, gradient, minibatches of a run's size and their variance against each other at v and near it.

    Minibatches that a run's sampler draws are held against their samples too.
    """
    random = torch.Generator().manual_seed(0)
    points = [v, near(v, function.retract, random)] if function.is_known else [v]
    for point in points:
        if isinstance(function, Problem):
            check_pull_back(function.adapter, point)
        wrong = disagreement(function, point, FINE if function.is_known else COARSE, random)
        if wrong is not None:
            expected = f"{wrong.seen:.8g}, by which its loss changes, to within {wrong.allowed:.1g}"
            raise InputError("problem.gradient", f"a slope of {wrong.said:.8g} along a short segment", expected)
        _check_samples(function, point, batch, drawn_by(sampler, point))


def _check_restart(function: Function, v: Point, gain: float) -> None:
    """Refuse a restart that changes the value of F near v, where there is something to merge."""
    random = torch.Generator(v[0].device).manual_seed(0)
    merged = near(v, function.retract, torch.Generator().manual_seed(0))
    begun = function.restart(merged, gain, random)
    (before, after) = (
        (x, function.rounding(point, x)[0]) for point in (merged, begun) for x in (function.loss(point),)
    )
    allowed = MARGIN * (before[1] + after[1]).item()
    if math.isfinite(allowed) and abs((before[0] - after[0]).item()) > allowed:
        expected = f"{before[0].item():.8g}, the loss before it, to within {allowed:.1g}: a restart keeps W"
        raise InputError("problem.restart", f"a loss of {after[0].item():.8g}", expected)


def _check_samples(function: Function, v: Point, batch: int | None, drawn: Draws) -> None:
    """Check that minibatches have the gradient as their mean, and the variance that the function says.

    It looks at those of a single sample where there are not too many, and at those of a run.
    """
    alone = function.is_known and function.samples <= MOST_SAMPLES
    sizes = [1] if alone else [] if batch else [function.samples]
    means = {size: mean_of_minibatches(function, v, size) for size in sizes}
    if batch:
        means[batch] = mean_of_minibatches(function, v, batch, drawn)
    for size, mean in means.items():
        if mean.is_off:
            slope = square_norm(function.gradient(v)).sqrt().item()
            given = f"a mean of length {mean.length:.8g} over minibatches of {size}, {mean.bias:.3g} off"
            expected = f"the gradient, of length {slope:.8g}, to within {mean.allowed:.1g}"
            raise InputError("problem.batch_gradient", given, expected)
        if mean.is_mixed:
            given = f"one of a minibatch of {size} that is off by {mean.mixed:.3g} times what rounding explains"
            raise InputError("problem.batch_gradient", given, "the mean gradient of the samples at its indices")
    if alone:
        one = means[1]
        _check_moment(function.sample_variance(v).item(), one.squares - one.length**2, one, "")
    elif isinstance(function, Problem):
        _check_parts(function, v, next(iter(means.values())))


def _check_parts(problem: Problem, v: Point, mean: Mean) -> None:
    """Check the samples' mean square against that of their parts, and one part's against its samples one by one."""
    parts = torch.split(torch.arange(problem.samples, device=v[0].device), MOST_SAMPLES)
    squares = [problem.survey(v, part.unsqueeze(0)).in_v.item() for part in parts]
    joined = math.fsum(len(part) * x for part, x in zip(parts, squares, strict=True)) / problem.samples
    _check_moment(problem.survey(v).in_v.item(), joined, mean, f", taken {MOST_SAMPLES} at a time")
    one_by_one = problem.batch_gradient(replicate(v, MOST_SAMPLES), parts[0].unsqueeze(1))
    # A part may have all of it.
    larger = problem.samples / MOST_SAMPLES
    _check_moment(squares[0], square_norm(one_by_one).mean().item(), mean, f", of the first {MOST_SAMPLES}", larger)


def _check_moment(said: float, seen: float, mean: Mean, which: str, larger: float = 1.0) -> None:
    allowed = 4 * MARGIN * larger * mean.spread * mean.blur
    if math.isfinite(allowed) and abs(seen - said) > allowed:
        expected = f"{seen:.8g}, that of the gradients of single samples{which}, to within {allowed:.1g}"
        raise InputError("problem.sample_variance", f"{said:.8g}", expected)


def _check_measure(spec: Spec, function: Function, start: Start, plan: Plan, device: str) -> None:
    """Check what a run would see of its measure at v_1, and what is said of it there, against the measure itself."""
    observable, is_looked_at = spec.measure.observable, spec.measure.is_looked_at
    law = make_sampler(spec, plan, function, 1, generator(spec, "pilot", device)).law()
    steep = plan.values.get(SMOOTHNESS.letter, 0.0)
    step = 1 / steep if steep > 0 else plan.step_size
    v_next = function.retract(start.v, tuple(-step * part for part in function.gradient(start.v)))
    found = function.observe(start.v, v_next, law)
    least, most = _looks(function, start, v_next, found)
    if not is_looked_at:
        # What no other engine can look at, a run alone sees, and its verdict says so.
        return
    low, high = (float(observable.of(look)) for look in (least, most))
    record = _record(function, start.v, v_next, plan, found)
    seen = spec.measure.seen(Evidence(spec.theorem, spec, function, start, plan, record))
    if float(seen.high.max()) < low or float(seen.low.min()) > high:
        given = f"between {float(seen.low.min()):.8g} and {float(seen.high.max()):.8g} at v_1"
        expected = f"{_between(low, high)}, its {observable.name} there"
        raise InputError(f"measure.{spec.measure.id}.seen", given, expected)
    first, what = spec.measure.first(start, plan.inputs)
    if first < low:
        expected = f"at least {low:.8g}, its {observable.name} there"
        raise InputError(f"measure.{spec.measure.id}.first", f"{first:.8g}, {what}", expected)


def _looks(
    function: Function, start: Start, v_next: Point, found: Mapping[str, Tensor]
) -> tuple[SimpleNamespace, SimpleNamespace]:
    """The least and the most that a look at v_1 can show, after a check that a run would see the same there."""
    loss, slope = start.loss, start.square_norm
    lost, off = (x.item() for x in function.rounding(start.v, start.v[0].new_tensor([loss])))
    blur = off * (2 * math.sqrt(slope) + off) + EPSILON * (sum(part.numel() for part in start.v) + 64) * slope
    for name, known, allowed in (("loss", loss, MARGIN * lost), ("gradient_square_norm", slope, MARGIN * blur)):
        if name in found and abs(found[name].item() - known) > allowed:
            expected = f"{known:.8g}, as loss and gradient say, to within {allowed:.1g}"
            raise InputError("problem.observe", f"{name} = {found[name].item():.8g} at v_1", expected)
    after = function.loss(v_next)
    fall = loss - after.item() - lost - function.rounding(v_next, after)[0].item()
    # F cannot fall by more than its gap; an infimum that is too high an audit blames, and not a measure.
    fall = min(fall, start.gap.value) if fall > 0 else 0.0
    ends = ((slope - blur, slope - blur, fall, 0.0), (slope + blur, slope + blur, math.inf, math.inf))
    names = ("gradient_square", "factor_gradient_square", "gap", "square_distance")
    least, most = (
        SimpleNamespace(**{name: torch.tensor([x], dtype=torch.float64) for name, x in zip(names, end, strict=True)})
        for end in ends
    )
    return least, most


def _record(function: Function, v: Point, v_next: Point, plan: Plan, found: Mapping[str, Tensor]) -> Record:
    """The record that a run of one step would leave."""
    columns = {
        name: (("replica", "stratum", *function.observables[name].dims), x.cpu().numpy()[:, None])
        for name, x in found.items()
    }
    schedule = Schedule(np.array([0, 1]), np.array([[1]]))
    ball = BallWatch.start(tuple(plan.radii.values()), v) if plan.radii else None
    return Record(schedule, xr.Dataset(columns), ball, v_next)


def _between(low: float, high: float) -> str:
    return f"between {low:.8g} and {high:.8g}" if math.isfinite(high) else f"at least {low:.8g}"
