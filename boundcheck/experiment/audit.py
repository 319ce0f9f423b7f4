"""What a run is held against: the faces of what it is made of before it, and the hypotheses of its
theorem after it.

A function states its loss, its gradient, minibatches of it and their variance; an algorithm states
its step twice, and a measure states three times what it is. A run that trusts a face that
contradicts the others is evidence of nothing, and is not begun. Each hypothesis is a word that says
how a run is held against it. What a theorem says of constants it says on its ball, so that only
iterates inside of it can contradict one.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import numpy as np
import sympy as sp
import torch
import xarray as xr

from boundcheck.errors import InputError
from boundcheck.experiment.plan import Experiment, Plan, Start
from boundcheck.experiment.result import GradientRatio
from boundcheck.experiment.run import BallWatch, Record
from boundcheck.experiment.spec import ASSUMABLE, Spec
from boundcheck.experiment.statistics import Schedule
from boundcheck.functions.arithmetic import (
    EPSILON,
    Point,
    euclidean_norm,
    replicate,
    seeded,
    square_norm,
)
from boundcheck.functions.checks import (
    COARSE,
    FINE,
    MARGIN,
    Draws,
    Mean,
    as_drawn,
    check_pull_back,
    check_steps,
    disagreement,
    mean_of_minibatches,
    near,
)
from boundcheck.functions.problem import End, Problem
from boundcheck.functions.sgd import Sampler
from boundcheck.language.claim import Claim, checked
from boundcheck.language.evidence import (
    OFF_SAMPLES,
    OFF_SLOPE,
    Audit,
    Guilt,
    Status,
    largest,
    status_of,
)
from boundcheck.language.evidence import Evidence as Recorded
from boundcheck.language.function import Function
from boundcheck.language.hypotheses import MOST_SAMPLES, SMOOTH, assumed
from boundcheck.language.measures import SMOOTHNESS
from boundcheck.language.prose import typed
from boundcheck.language.sentence import smoothness_of, words_of
from boundcheck.language.symbols import T


@dataclass(frozen=True)
class Evidence(Recorded):
    """All that an audit may look at, in the types of a run."""

    spec: Spec
    function: Function
    start: Start
    plan: Plan
    record: Record

    @property
    def smoothness(self) -> float:
        """The least known upper bound on the smoothness of F; the plan's L̂ where its constants are
        not known.
        """
        if not self.function.is_known:
            return self.plan.smoothness
        return min((end.value for end in known_ends(self)), default=math.inf)

    @cached_property
    @torch.inference_mode()
    def minibatches(self) -> Mean | None:
        if self.plan.batch is None:
            return None
        last = self.record.last
        experiment = Experiment(self.spec, self.function, str(last[0].device))
        drawn = drawn_by(experiment.sampler(self.plan.batch, len(last[0])), last)
        # What has diverged is no number, and says nothing.
        return mean_of_minibatches(
            self.function, tuple(part[:1] for part in last), self.plan.batch, drawn
        )


def drawn_by(sampler: Sampler | None, v: Point) -> Draws:
    """Minibatches as a run draws them, at its points or at one point for all of its replicas."""
    law, indices = (None, None) if sampler is None else (sampler.law(), sampler.draw())
    if law is None or indices is None:
        return ()
    return as_drawn(
        v if len(v[0]) == len(indices) else replicate(v, len(indices)), indices, law.replaced
    )


def audit(evidence: Evidence) -> list[Audit]:
    """Audit each hypothesis of the claim, its conditions, its step size, and smoothness along the
    segments travelled.

    Where a claim has no L̂, its algorithm says what a step takes for granted.

    The audits come in the order in which they would be blamed. Step size and sampling are choices,
    and nothing else explains them away; a constant that is contradicted inside the ball is wrong
    whatever follows from it; T_min and the longest step follow from constants, and the ball may be
    left because of any of these.
    """
    spec = evidence.spec
    plan = evidence.plan
    used = plan.step_size
    prescribed = plan.prescribed
    status: Status = "held" if math.isclose(used, prescribed, rel_tol=1e-9) else "failed"
    how = (
        "what the spec gives"
        if spec.takes_step_size
        else "what the theorem prescribes at these constants"
    )
    step_size = Audit(
        "step size", "constant", status, used, prescribed, how, spec.algorithm.step_size
    )
    found: dict[str, list[Audit]] = {"sampling": [], "constant": [], "ball": []}
    for hypothesis, word in words_of(evidence.claim):
        if word is None:
            how = f"cannot be audited: {hypothesis.title} is no word that a run can be held against"
            found["constant"].append(assumed(hypothesis.id, how))
            continue
        for turn, row in word.rows(evidence, hypothesis.id):
            found[turn].append(row)
    if evidence.claim.quantifier.within:
        said = typed(evidence.claim.quantifier.latex)
        found["constant"].append(
            assumed("the range", f"cannot be audited: nothing says whether the run is one {said}")
        )
    if evidence.sampling is not None:
        found["sampling"] = list(evidence.sampling)
    # Of a function whose L̂ is not known beforehand smoothness is a hypothesis like the others.
    is_said = evidence.function.is_known and SMOOTHNESS.letter in evidence.claim.names
    smoothness = _segment_smoothness(evidence) if is_said else []
    conditions = _conditions(evidence) if evidence.function.is_known else [_longest_step(evidence)]
    follows = [*smoothness, *spec.algorithm.rows(evidence), *conditions]
    computed = [
        _as_computed(evidence, name, hypothesis, how)
        for name, hypothesis, how, is_due in (
            (OFF_SLOPE, "gradient", _OF_THE_LOSS, evidence.function.is_known),
            (
                OFF_SAMPLES,
                "minibatches",
                _OF_SAMPLES,
                evidence.plan.batch is not None and evidence.sampling is None,
            ),
        )
        if is_due
    ]
    return [step_size, *found["sampling"], *computed, *found["constant"], *follows, *found["ball"]]


_OF_THE_LOSS = (
    "the gradient of F is that of its loss, by how this changes along short segments, at some of"
    " the audits"
)
_OF_SAMPLES = "each gradient that moved the run is the mean of the gradients of its samples"


def _as_computed(e: Evidence, name: str, hypothesis: str, how: str) -> Audit:
    """Audit whether what a run was computed with is what the theorem speaks of, to within
    rounding.
    """
    if name not in e.record.trace:
        return assumed(hypothesis, f"cannot be audited here: {how}")
    excess = e.record.trace[name].values[e.finite]
    # What is no number says nothing.
    most = largest(excess[np.isfinite(excess)])
    how = f"{how}, at {e.looks}"
    if most is None or most <= 0:
        return Audit(hypothesis, "hypothesis", "held", None, None, f"{how}, within rounding")
    how = f"{how}: how far one is off, the most that rounding explains taken off"
    return Audit(hypothesis, "hypothesis", "failed", most, 0.0, how)


def _conditions(e: Evidence) -> list[Audit]:
    """Audit the claim's conditions, as the claim has them and as the spec assumes them; the
    stricter limit counts.
    """
    inputs = e.plan.inputs
    values = checked(e.claim.parameters, e.plan.inputs_of(e.claim))
    found = []
    for c in e.claim.conditions:
        observed, *limits = (
            _value(claim, side, inputs)
            for claim, side in ((e.claim, c.lhs), (e.claim, c.rhs), (e.spec.prescription, c.rhs))
        )
        failing = any(c in claim.failing(values) for claim in (e.claim, e.spec.prescription))
        status: Status = "failed" if failing else "held"
        # T may be too short; any other number that a user gives is a constant, which may be too
        # large.
        guilt: Guilt = "horizon" if c.lhs == T else "constant"
        limit = max(limits) if c.rel_op in (">", ">=") else min(limits)
        # Where the left side is no letter, a number that the run was free to choose is to blame.
        chosen = (name for name in (*e.spec.free, *sorted(_letters(c))) if name in _letters(c))
        symbol = c.lhs.name if c.lhs.is_Symbol else next(chosen)
        name = f"{c.lhs} {c.rel_op} {c.rhs}"
        how = "decided without rounding"
        found.append(Audit(name, guilt, status, observed, limit, how, symbol))
    return found


def _value(claim: Claim, expression: sp.Expr, inputs: Mapping[str, Any]) -> float:
    """The value of an expression over parameters and quantities."""
    values = {name: float(value) for name, value in inputs.items()}
    values |= {
        name: float(claim.function(name)(**values))
        for name in claim.names
        if name in _letters(expression)
    }
    return float(expression.subs({x: values[x.name] for x in expression.free_symbols}))


def _letters(expression: sp.Expr) -> set[str]:
    return {x.name for x in expression.free_symbols}


def _longest_step(e: Evidence) -> Audit:
    """Audit whether the step is no longer than the L̂ that was seen allows, which rounding error
    may hide.
    """
    free = e.spec.free[0]
    condition = next(c for c in e.claim.conditions if str(c.lhs) == free)
    step = e.plan.step_size
    known = {p.name: 1.0 for p in e.claim.parameters}

    def longest(smoothness: float) -> float:
        if not smoothness > 0:
            return math.inf
        return float(e.claim.function(str(condition.rhs))(**known | {SMOOTH.letter: smoothness}))

    def allowed(limit: float) -> bool:
        return step < limit if condition.rel_op == "<" else step <= limit

    seen = None if math.isnan(e.plan.smoothness) else longest(e.plan.smoothness)
    status: Status = "held" if seen is not None and allowed(seen) else "assumed"
    if not allowed(longest(e.sure_smoothness)):
        status = "failed"
    how = (
        f"what {condition.rhs} is at the smoothness that was seen along the path; L̂ is at least"
        " that"
    )
    return Audit(str(condition), "constant", status, step, seen, how, free)


def _segment_smoothness(e: Evidence) -> list[Audit]:
    """Audit the descent curvature and the gradient ratio of each segment against what the
    hypotheses say of F.

    Neither may be above that. It is L̂, unless the theorem has another formula for L̂ than the
    hypotheses have. The ball is convex, so that a segment between two of its points is inside.
    """
    limit = e.plan.smoothness
    claim = e.spec.said
    more = ""
    formula = claim.expression(SMOOTHNESS.letter)
    said = smoothness_of(claim)
    names = claim.names[: claim.names.index(SMOOTHNESS.letter) + 1]
    symbol = SMOOTHNESS.letter
    if said and formula not in said:
        # What the theorem calls L̂ is a number that no hypothesis speaks of.
        known = {
            x: _value(claim, x, e.plan.inputs)
            for x in said
            if _letters(x) <= {*e.plan.inputs, *claim.names}
        }
        if not known:
            return []
        formula = min(known, key=lambda each: known[each])
        limit = known[formula]
        names = ()
        symbol = str(formula) if formula.is_Symbol else symbol
    by_spec = [name for name in names if name in e.spec.assume]
    certified = True
    if by_spec:
        more = "; the limit is assumed by the spec"
        ends = [end.value for end in known_ends(e)]
        # A plan with a number in place of L̂ has not the constants of which the theorem makes it.
        if {p.name for p in claim.parameters} <= e.plan.inputs.keys():
            ends.append(_value(claim, SMOOTHNESS.symbol, e.plan.inputs))
        certified = e.problem.objective.smoothness.kind == "certified" and any(
            limit >= value for value in ends
        )
    # Of what went into it, what the spec assumes is to blame before what is known.
    blamable = (*by_spec[::-1], *(name for name in ASSUMABLE if name in _letters(formula)))
    symbol = next((name for name in blamable if name in e.spec.assume), symbol)
    seen = {
        "path_smoothness": (
            "smoothness of F",
            "descent inequality on the segment from v_t to v_(t+1)",
        )
    }
    if not e.problem.adapter.is_curved:
        seen["gradient_ratio"] = (
            "smoothness of F, gradient ratio",
            "‖∇F(v_(t+1)) − ∇F(v_t)‖ / ‖v_(t+1) − v_t‖",
        )
    found = []
    for name, (hypothesis, what) in seen.items():
        sure = e.surely(name)
        how = f"{what}, rounding error taken off, at {e.looks}{more}"
        if (
            not said
            and not by_spec
            and sure is not None
            and limit < sure <= e.smoothness < math.inf
        ):
            # No hypothesis is broken: what is known of F allows it.
            continue
        found.append(
            Audit(
                hypothesis, "constant", status_of(sure, limit, certified), sure, limit, how, symbol
            )
        )
    return found


def largest_ratio(e: Evidence) -> GradientRatio | None:
    """The gradient ratio that is largest with its rounding error taken off; None where none was a
    number.
    """
    if "gradient_ratio" not in e.record.trace:
        return None
    value, error = (
        e.record.trace[name].values[e.finite] for name in ("gradient_ratio", "gradient_ratio_error")
    )
    known = np.isfinite(value) & np.isfinite(error)
    if not known.any():
        return None
    place = int((value - error)[known].argmax())
    ratio = GradientRatio(float(value[known][place]), float(error[known][place]))
    return replace(ratio, value=None) if ratio.is_lost else ratio


def known_ends(e: Evidence) -> list[End]:
    """The known upper bounds on the smoothness along the segments travelled, of a problem in one
    matrix.
    """
    without = e.problem.adapter.needs_ball and not e.plan.radii
    return [] if without else e.problem.upper_ends(e.plan.radii)


@torch.inference_mode()
def check_run(experiment: Experiment, plan: Plan) -> None:
    """Hold the faces of what a run is made of against each other, at v_1 and near it, in a few
    evaluations.

    No verdict rests on the word of a function whose constants are not known: it is looked at
    coarsely. Raises InputError, which names the face, what it says, and what the others say.
    """
    spec = experiment.spec
    function = experiment.function
    start = experiment.start
    check_function(function, start.v, plan.batch, experiment.sampler(plan.batch, spec.replicas))
    if spec.restarts:
        # Where there is something to merge, a restart is to keep W, and with it the value of F.
        random = seeded(0, experiment.device)
        merged = near(start.v, function.retract, seeded(0))
        begun = function.restart(merged, spec.adapter.gain, random)
        before = function.loss(merged)
        after = function.loss(begun)
        off = function.rounding(merged, before)[0] + function.rounding(begun, after)[0]
        allowed = MARGIN * off.item()
        if math.isfinite(allowed) and abs((before - after).item()) > allowed:
            raise InputError(
                "problem.restart",
                f"a loss of {after.item():.8g}",
                f"{before.item():.8g}, the loss before it, to within {allowed:.1g}: a restart"
                " keeps W",
            )
    sizes = euclidean_norm(start.v).item(), math.sqrt(start.square_norm)
    asked = spec.algorithm.asked(function, start.v)
    numbers = plan.numbers | {name: value.item() for name, value in asked.items()}
    check_steps(spec.algorithm, numbers, *sizes, is_flat=function.is_flat)
    _check_measure(experiment, plan)


@torch.inference_mode()
def check_function(
    function: Function, v: Point, batch: int | None = None, sampler: Sampler | None = None
) -> None:
    """Hold values, gradient, minibatches of a run's size and their variance against each other at v
    and near it.

    Minibatches that a run's sampler draws are held against their samples too.
    """
    random = seeded(0)
    points = [v, near(v, function.retract, random)] if function.is_known else [v]
    for point in points:
        if isinstance(function, Problem):
            check_pull_back(function.adapter, point)
        wrong = disagreement(function, point, FINE if function.is_known else COARSE, random)
        if wrong is not None:
            raise InputError(
                "problem.gradient",
                f"a slope of {wrong.said:.8g} along a short segment",
                f"{wrong.seen:.8g}, by which its loss changes, to within {wrong.allowed:.1g}",
            )
        _check_samples(function, point, batch, drawn_by(sampler, point))


def _check_samples(function: Function, v: Point, batch: int | None, drawn: Draws) -> None:
    """Check that minibatches have the gradient as their mean, and the variance that the function
    says.

    It looks at those of a single sample where there are not too many, and at those of a run. Else
    the samples' mean square is held against that of their parts, and one part's against its samples
    one by one.
    """
    alone = function.is_known and function.samples <= MOST_SAMPLES
    sizes = [1] if alone else [] if batch else [function.samples]
    means = {size: mean_of_minibatches(function, v, size) for size in sizes}
    if batch:
        means[batch] = mean_of_minibatches(function, v, batch, drawn)
    for size, mean in means.items():
        if mean.is_off:
            slope = euclidean_norm(function.gradient(v)).item()
            given = (
                f"a mean of length {mean.length:.8g} over minibatches of {size},"
                f" {mean.bias:.3g} off"
            )
            raise InputError(
                "problem.batch_gradient",
                given,
                f"the gradient, of length {slope:.8g}, to within {mean.allowed:.1g}",
            )
        if mean.is_mixed:
            given = (
                f"one of a minibatch of {size} that is off by {mean.mixed:.3g} times what rounding"
                " explains"
            )
            raise InputError(
                "problem.batch_gradient", given, "the mean gradient of the samples at its indices"
            )
    if alone:
        one = means[1]
        _check_moment(function.sample_variance(v).item(), one.squares - one.length**2, one, "")
    elif isinstance(function, Problem):
        mean = next(iter(means.values()))
        samples = function.samples
        parts = torch.split(torch.arange(samples, device=v[0].device), MOST_SAMPLES)
        squares = [function.survey(v, part.unsqueeze(0)).in_v.item() for part in parts]
        joined = math.fsum(len(part) * x for part, x in zip(parts, squares, strict=True)) / samples
        _check_moment(
            function.survey(v).in_v.item(), joined, mean, f", taken {MOST_SAMPLES} at a time"
        )
        one_by_one = function.batch_gradient(replicate(v, MOST_SAMPLES), parts[0].unsqueeze(1))
        seen = square_norm(one_by_one).mean().item()
        # A part may have all of it.
        _check_moment(
            squares[0], seen, mean, f", of the first {MOST_SAMPLES}", samples / MOST_SAMPLES
        )


def _check_moment(said: float, seen: float, mean: Mean, which: str, larger: float = 1.0) -> None:
    allowed = 4 * MARGIN * larger * mean.spread * mean.blur
    if math.isfinite(allowed) and abs(seen - said) > allowed:
        raise InputError(
            "problem.sample_variance",
            f"{said:.8g}",
            f"{seen:.8g}, that of the gradients of single samples{which}, to within {allowed:.1g}",
        )


def _check_measure(experiment: Experiment, plan: Plan) -> None:
    """Check what a run would see of its measure at v_1, and what is said of it there, against the
    measure itself.
    """
    spec = experiment.spec
    function = experiment.function
    start = experiment.start
    measure = spec.measure
    v = start.v
    loss = start.loss
    slope = start.square_norm
    law = experiment.sampler(plan.batch, 1).law()
    steep = plan.values.get(SMOOTHNESS.letter, 0.0)
    step = 1 / steep if steep > 0 else plan.step_size
    v_next = function.retract(v, tuple(-step * part for part in function.gradient(v)))
    found = function.observe(v, v_next, law)
    # That a run would see the same loss and gradient there.
    lost, off = (x.item() for x in function.rounding(v, v[0].new_tensor([loss])))
    blur = (
        off * (2 * math.sqrt(slope) + off)
        + EPSILON * (sum(part.numel() for part in v) + 64) * slope
    )
    for name, known, allowed in (
        ("loss", loss, MARGIN * lost),
        ("gradient_square_norm", slope, MARGIN * blur),
    ):
        if name in found and abs(found[name].item() - known) > allowed:
            raise InputError(
                "problem.observe",
                f"{name} = {found[name].item():.8g} at v_1",
                f"{known:.8g}, as loss and gradient say, to within {allowed:.1g}",
            )
    if not measure.is_looked_at:
        # What no other engine can look at, a run alone sees, and its verdict says so.
        return
    after = function.loss(v_next)
    fall = loss - after.item() - lost - function.rounding(v_next, after)[0].item()
    # F cannot fall by more than its gap; an infimum that is too high an audit blames, and not a
    # measure.
    fall = min(fall, start.gap.value) if fall > 0 else 0.0
    # The least and the most that a look at v_1 can show.
    names = ("gradient_square", "factor_gradient_square", "gap", "square_distance")
    ends = (
        (slope - blur, slope - blur, fall, 0.0),
        (slope + blur, slope + blur, math.inf, math.inf),
    )
    looks = (
        dict(zip(names, torch.tensor(end, dtype=torch.float64).unsqueeze(1), strict=True))
        for end in ends
    )
    low, high = (float(measure.observable.of(SimpleNamespace(**look))) for look in looks)
    # The record that a run of one step would leave.
    columns = {
        name: (("replica", "stratum", *function.observables[name].dims), x.cpu().numpy()[:, None])
        for name, x in found.items()
    }
    ball = BallWatch.start(tuple(plan.radii.values()), v) if plan.radii else None
    record = Record(Schedule(np.array([0, 1]), np.array([[1]])), xr.Dataset(columns), ball, v_next)
    seen = measure.seen(Evidence(spec.theorem, spec, function, start, plan, record))
    name = measure.observable.name
    if float(seen.high.max()) < low or float(seen.low.min()) > high:
        given = f"between {float(seen.low.min()):.8g} and {float(seen.high.max()):.8g} at v_1"
        between = (
            f"between {low:.8g} and {high:.8g}" if math.isfinite(high) else f"at least {low:.8g}"
        )
        raise InputError(f"measure.{measure.id}.seen", given, f"{between}, its {name} there")
    first, what = measure.first(start, plan.inputs)
    if first < low:
        raise InputError(
            f"measure.{measure.id}.first",
            f"{first:.8g}, {what}",
            f"at least {low:.8g}, its {name} there",
        )
