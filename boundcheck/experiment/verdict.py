"""The judgement of a theorem's run: the only place where a run gets its verdict, of those in `boundcheck.verdicts`.

A theorem about an average is judged by the average, and one about the least of T expectations by the least: where there
is noise, a bound above the average is above the least too, and only one below every iterate is violated. Gradient
descent has no noise: its least is exact but for rounding.
"""

import math
from dataclasses import dataclass

import numpy as np

from boundcheck.exact.balls import lower, upper
from boundcheck.exact.digits import DOWN, UP, Toward, rounded, shown, telling
from boundcheck.experiment.audit import Evidence, largest_ratio
from boundcheck.experiment.plan import at_the_longest, informative_horizon
from boundcheck.experiment.result import Blame
from boundcheck.experiment.statistics import (
    FEWEST_REPLICAS,
    Interval,
    earned_by,
    mean_interval,
    simultaneous_lower_limits,
    student_replicas,
)
from boundcheck.language.evidence import Audit, Guilt
from boundcheck.language.hypotheses import BOUNDED_GRADIENT, BOUNDED_VARIANCE
from boundcheck.language.measures import SMOOTHNESS, Enclosure, Statistic
from boundcheck.language.sentence import is_ours, words_of
from boundcheck.language.symbols import T
from boundcheck.verdicts import Verdict

# The nonasymptotic interval is used where it resolves this fraction of the bound.
_RESOLUTION = 0.25
# The relative error of J^2 G^2, which is a product of a few floats.
_ROUNDED = 1e-12
# An asymptotic interval needs that many strata of t, the first of them short ones.
_FEWEST_STRATA = 8

# A verdict, why in one sentence, and who is to blame.
Said = tuple[Verdict, str, Blame | None]


def blamed(audits: list[Audit], status: str) -> Blame | None:
    """The first of the audits with this status, in the order in which `audit` gives them; None where there is none."""
    each = next((each for each in audits if each.status == status), None)
    if each is None:
        return None
    if each.observed is not None and math.isnan(each.observed):
        return Blame("rounding", each.hypothesis, f"{each.hypothesis}: what was observed is no number ({each.how})")
    name = each.symbol if each.guilt == "constant" else T.name if each.guilt == "horizon" else each.hypothesis
    if each.status == "assumed":
        how = f"{each.symbol or each.hypothesis} is not certified, and nothing seen contradicts it: {each.how}"
    elif each.observed is None or each.limit is None:
        how = f"{each.hypothesis}: {each.how}"
    elif each.guilt == "horizon":
        observed, limit = each.shown(_written, 6)
        how = f"T = {observed}, where the theorem needs {each.hypothesis} = {limit}"
    elif each.hypothesis == "step size":
        times = f"{each.observed / each.limit:.8g} times the prescribed {each.limit:.8g}"
        how = f"the step size was {each.observed:.8g}, {times}"
    else:
        observed, limit = each.shown(_written, 4)
        how = f"{each.hypothesis}: {observed} was seen where {limit} is the limit ({each.how})"
    return Blame(each.guilt, name, how)


def _written(value: float | None, digits: int, toward: Toward) -> str:
    return "nothing" if value is None else shown(value, digits, toward)


@dataclass(frozen=True)
class Outcome:
    """The outcome of a run: what it says of its theorem, by the fields of a `RunResult`."""

    verdict: Verdict
    reason: str
    blame: Blame | None
    measured: float
    shown: str
    smallest: float
    interval: Interval | None
    bound: float
    trivial: float
    first: float


@dataclass(frozen=True)
class _Measured:
    """The measured values of the observable, shape (R, M), and what is known of the statistic that is tested.

    ``mean`` is the statistic, over replicas or of the one trajectory; its interval is None of a single replica, and
    where not enough was looked at. It is ``called`` so, with how it stands to the measure where it is another.
    """

    seen: Enclosure
    is_finite: bool
    mean: float
    interval: Interval | None
    rounding: float
    called: str


def judge(evidence: Evidence, audits: list[Audit]) -> Outcome:
    """The outcome of a run, from its audits and what it shows of the measure."""
    plan, measure = evidence.plan, evidence.spec.measure
    before, at_first = measure.first(evidence.start, plan.inputs)
    measured = _measured(evidence)
    verdict, reason, blame = _judged(evidence, audits, measured, before, at_first)
    # How a run is held against a word from outside is its author's word.
    by_others = (word.id for _, word in words_of(evidence.claim) if word and not is_ours(word))
    rests = verdict.resting_on((*evidence.function.given, *measure.given, *by_others))
    # Where a run diverged, what overflowed may be recorded as 0.
    is_lost = measured.seen.is_lost
    return Outcome(
        verdict=rests,
        reason=reason,
        blame=blame,
        measured=math.nan if is_lost else measured.mean,
        shown=measured.called,
        smallest=math.nan if is_lost else float(measured.seen.value.mean(0).min()),
        interval=measured.interval,
        bound=plan.values["bound"],
        trivial=plan.trivial,
        first=before,
    )


def _judged(evidence: Evidence, audits: list[Audit], measured: _Measured, before: float, at_first: str) -> Said:
    """The verdict: by a hypothesis that failed, a bound that says nothing new, and then by measured against bound."""
    plan, bound = evidence.plan, evidence.plan.values["bound"]
    failed = list(dict.fromkeys(each.hypothesis for each in audits if each.status == "failed"))
    blame = blamed(audits, "failed")
    if not measured.is_finite and blame is None:
        blame = Blame("rounding", "overflow", "a gradient is no finite number, and no hypothesis failed before")
    if blame is not None:
        what = ", ".join(failed) or "a gradient that is a finite number"
        return Verdict.HYPOTHESIS_FAILED, f"the run broke {what}, so the theorem says nothing about it", blame
    if not evidence.function.is_known:
        return _in_hindsight(evidence, audits, measured)
    # Inside the ball, or an audit had failed; of a measure that is not of gradients the limit is infinite.
    if (most := float(measured.seen.low.max())) > plan.trivial * (1 + _ROUNDED):
        digits = telling(plan.trivial, (most, DOWN), digits=4)
        seen, limit = shown(most, digits, DOWN), shown(plan.trivial, digits, UP)
        reason = f"a squared gradient norm of {seen} was seen, and {limit} is J²G² by the problem's own G"
        return _said(Verdict.HYPOTHESIS_FAILED, "constant", BOUNDED_GRADIENT.letter, reason)
    if bound <= 0:
        reason = f"the bound {shown(bound, 4, UP)} is not positive, so the claim says nothing"
        return _said(Verdict.HYPOTHESIS_FAILED, "constant", "bound", reason)
    known, name = min((before, at_first), (plan.trivial, "the trivial bound J²G²"))
    if bound >= known:
        reason = f"the bound {shown(bound, 4, UP)} is not below {shown(known, 4, UP)}, {name}: "
        if evidence.spec.takes_step_size and at_the_longest(evidence.claim, plan.inputs) >= known:
            reason += "at this step and noise no T is long enough"
            return _said(Verdict.UNINFORMATIVE, "constant", evidence.spec.free[0], reason)
        return _said(Verdict.UNINFORMATIVE, "horizon", T.name, f"{reason}T is too short")
    verdict, reason, blame = _compare(evidence, measured)
    in_doubt = blamed(audits, "assumed")
    if in_doubt is not None and verdict.is_decided:
        return Verdict.INCONCLUSIVE, f"{reason}, but {in_doubt.name} is not certified", in_doubt
    return verdict, reason, blame


# What overflowed is refused afterwards.
@np.errstate(invalid="ignore")
def _measured(evidence: Evidence) -> _Measured:
    plan, spec, measure, schedule = evidence.plan, evidence.spec, evidence.spec.measure, evidence.record.schedule
    seen, what = measure.seen(evidence), measure.shown(is_stochastic=spec.is_stochastic)
    finite = bool(np.isfinite(seen.low).all() and np.isfinite(seen.high).all())
    if spec.is_stochastic:
        # The mean over replicas of the time average, or of what was last.
        weights = _weights(evidence)
        values, rounding = seen.value @ weights, float(((seen.high - seen.value) @ weights).max())
        interval = None
        if finite and len(values) > 1:
            interval = mean_interval(values, plan.trivial, _RESOLUTION * plan.values["bound"], spec.run.level)
        return _Measured(seen, finite, float(values.mean()), interval, rounding, what)
    # The statistic of one trajectory, which is exact but for rounding.
    low, value, high = (x[0] for x in seen)
    is_seen = True
    if measure.over is Statistic.LEAST:
        least = int(np.argmin(high))
        # What was not seen may be smaller still.
        below = max(float(low.min()), 0.0) if schedule.is_every_step else 0.0
        ends = below, float(value[least]), float(high[least])
    elif measure.over is Statistic.LAST:
        ends = float(low[-1]), float(value[-1]), float(high[-1])
    else:
        ends = float(low @ schedule.weights), float(value @ schedule.weights), float(high @ schedule.weights)
        is_seen = schedule.is_every_step
    interval = Interval(ends[0], ends[2], 1.0, "exact", "the one trajectory") if finite and is_seen else None
    return _Measured(seen, finite, ends[1], interval, ends[2] - ends[1], what)


def _weights(evidence: Evidence) -> np.ndarray:
    """The weight of each audit in what is averaged over replicas: all on the last, or as the schedule has them."""
    schedule = evidence.record.schedule.weights
    is_last = evidence.spec.measure.seen_over(is_stochastic=True) is Statistic.LAST
    return np.eye(len(schedule))[-1] if is_last else schedule


def _in_hindsight(evidence: Evidence, audits: list[Audit], measured: _Measured) -> Said:
    """The verdict on a run whose constants are the largest that it showed: nothing for its theorem or against it."""
    plan, first, looks = evidence.plan, evidence.start.square_norm, evidence.looks
    path, sure, bound = plan.smoothness, evidence.sure_smoothness, plan.values["bound"]
    hidden = any(each.status == "assumed" for each in audits if each.symbol == evidence.spec.free[0])
    if path > 2 * sure or hidden:
        reason = f"the descent curvature along the path is mostly rounding error, at {looks}: no L̂ was measured"
        if (ratio := largest_ratio(evidence)) is not None:
            reason += f"; the largest gradient ratio, a lower estimate, is {ratio}"
        if path <= 2 * sure:
            reason = "the rounding error of the descent curvature along the path hides whether the step is below 2/L̂"
        return _said(Verdict.INCONCLUSIVE, "rounding", SMOOTHNESS.letter, reason)
    if math.isnan(bound):
        reason = "a constant of the theorem was measured as 0, so it says nothing about the run"
        return _said(Verdict.UNINFORMATIVE, "constant", BOUNDED_VARIANCE.letter, reason)
    if not (first > 0 and measured.mean > 0):
        reason = f"the gradient cannot be told from the noise of so few samples ({looks}): take more"
        return _said(Verdict.UNINFORMATIVE, "statistics", "samples", reason)
    if bound >= first:
        reason = f"the bound at the smoothness that was seen, {shown(bound, 4, UP)}, "
        reason += f"is not below {shown(first, 4)}, the gradient at v_1"
        try:
            reason += f", before T = {informative_horizon(evidence.claim, plan.inputs, first)}"
        except ArithmeticError:
            reason += ", at no T: it takes a shorter step or a larger batch"
            return _said(Verdict.UNINFORMATIVE, "constant", evidence.spec.free[0], reason)
        return _said(Verdict.UNINFORMATIVE, "horizon", T.name, reason)
    side = "at most" if measured.mean <= bound else "above"
    digits = telling(bound, (measured.mean, Toward.NEAREST), digits=4)
    value, most = shown(measured.mean, digits), shown(bound, digits, UP)
    measure = evidence.spec.measure
    found = f"{measure.seen_over(is_stochastic=True).word} {value}{measure.standing(is_stochastic=True)}"
    reason = f"the {found} is {side} {most}, the bound at the smoothness that was seen"
    return Verdict.INCONCLUSIVE, f"{reason}, but that is no bound on L̂", blamed(audits, "assumed")


def _compare(evidence: Evidence, measured: _Measured) -> Said:
    """Decide whether the theorem is supported, violated or neither, against the safe ends of the bound's enclosure."""
    interval, claim, spec, schedule = measured.interval, evidence.claim, evidence.spec, evidence.record.schedule
    if not measured.is_finite:
        raise ValueError("expected finite measurements")
    if interval is None:
        advice = "set run.audits = run.steps to see it at every iterate"
        return _said(Verdict.INCONCLUSIVE, "statistics", "audits", f"the {measured.called} was not seen: {advice}")
    ball = claim.enclosures(**evidence.plan.inputs_of(claim))["bound"]
    what, (replicas, strata) = measured.called, measured.seen.value.shape
    is_exact = interval.kind == "exact"
    limits = f"{interval.kind} {interval.level:.0%} interval, {interval.method} over {replicas} replicas"
    if is_exact:
        limits = "exact but for rounding"
    if interval.kind == "asymptotic" and strata < _FEWEST_STRATA and not schedule.is_every_step:
        reason = f"audits = {strata} may all miss a short time of large gradients: take {_FEWEST_STRATA} or more"
        return _said(Verdict.INCONCLUSIVE, "statistics", "audits", reason)
    # Of an exact interval the rounding error is part already.
    most = interval.upper + (0.0 if is_exact else measured.rounding)
    if most <= lower(ball):
        share = _percent(most / lower(ball))
        return _supported(interval, replicas, f"the {what} is at most {share} of the bound", limits)
    # Where replicas differ by more than that, it is they who cannot tell.
    coarse = is_exact or 2 * measured.rounding >= interval.upper - interval.lower
    if coarse and measured.mean - measured.rounding <= upper(ball) < measured.mean + measured.rounding:
        reason = f"the {what} is within its rounding error {shown(measured.rounding, 2, UP)} of the bound"
        return _said(Verdict.INCONCLUSIVE, "rounding", "gradient_square_norm", reason)
    if interval.lower <= upper(ball) and spec.is_stochastic:
        advice = _advice(evidence, measured)
        blame = Blame("statistics", "replicas", f"{replicas} replicas: {advice}")
        return Verdict.INCONCLUSIVE, f"the bound lies inside the {limits}: {advice}", blame
    # Of a smallest that was not seen at every iterate nothing is known below, and that is what it lacks.
    seen_whole = spec.measure.over is not Statistic.LEAST or schedule.is_every_step
    if interval.lower <= upper(ball) and seen_whole:
        ends = f"{shown(interval.lower, 4, DOWN)} and {shown(interval.upper, 4, UP)}"
        reason = f"the {what} is between {ends}, and so is the bound"
        return _said(Verdict.INCONCLUSIVE, "constant", SMOOTHNESS.letter, reason)
    return _above(evidence, measured, upper(ball), limits)


def _above(evidence: Evidence, measured: _Measured, bound: float, limits: str) -> Said:
    """Decide whether a statistic above the bound violates it: the smallest over t does, or the one that it is about."""
    spec, schedule, what, level = evidence.spec, evidence.record.schedule, measured.called, evidence.spec.run.level
    over = spec.measure.over
    is_least = over is Statistic.LEAST
    if is_least and not schedule.is_every_step:
        advice = "set run.audits = run.steps to test the minimum over t"
        reason = f"the {what} lies above the bound ({limits}), the minimum was not seen: {advice}"
        return _said(Verdict.INCONCLUSIVE, "statistics", "audits", reason)

    def columns(values: np.ndarray) -> np.ndarray:
        """What is averaged over replicas, shape (R, ...): at each t, over t, or at the end; the least mean counts."""
        if is_least:
            return values
        return values[:, -1:] if over is Statistic.LAST else (values @ schedule.weights)[:, None]

    lowest = columns(measured.seen.low)
    if spec.is_stochastic:
        limits_at_t = simultaneous_lower_limits(np.maximum(lowest, 0.0), level)
        how = f"simultaneous nonasymptotic {level:.0%} limits"
    else:
        limits_at_t, how = lowest[0], "exact but for rounding"
    if limits_at_t.min() > bound:
        reason = f"{'every iterate' if is_least else f'the {what}'} lies above the bound ({how})"
        return Verdict.VIOLATED, reason, Blame("claim", evidence.claim.id, f"every hypothesis held, and {reason}")
    if (columns(measured.seen.value).mean(0) > bound).all():
        where = "every mean over replicas" if is_least else f"the {what}"
        reason = f"{where} lies above the bound, but not every {level:.0%} limit: more replicas are needed"
        return _said(Verdict.INCONCLUSIVE, "statistics", "replicas", reason)
    reason = f"the {what} lies above the bound ({limits}), but not every iterate does"
    return Verdict.INCONCLUSIVE, reason, Blame("statistics", "minimum", f"{reason}: the theorem is about the smallest")


def _said(verdict: Verdict, kind: Guilt, name: str, reason: str) -> Said:
    """A verdict whose blame has the same reason."""
    return verdict, reason, Blame(kind, name, reason)


def _supported(interval: Interval, replicas: int, said: str, limits: str) -> Said:
    """The verdict of a bound above the interval: less if it is Student's than if it holds at any number of replicas."""
    verdict = earned_by(interval.kind, replicas)
    if interval.kind == "asymptotic":
        missed = f"{100 * (1 - interval.level):.2g}%"
        limits += f"; it misses more than {missed} where they are skewed, a few far above the rest"
    if verdict.is_supported:
        return verdict, f"{said} ({limits})", None
    reason = f"{said} ({limits}), but {replicas} replicas are too few to rest on that: take {FEWEST_REPLICAS} or more"
    return verdict, reason, Blame("statistics", "replicas", reason)


def _advice(evidence: Evidence, measured: _Measured) -> str:
    """Words for how many replicas would tell, if mean and spread are as they were seen."""
    spread, bound = float((measured.seen.value @ _weights(evidence)).std(ddof=1)), evidence.plan.values["bound"]
    if measured.mean >= bound or spread == 0:
        return "more replicas are needed"
    needed = max(student_replicas(measured.mean, spread, bound, evidence.spec.run.level), FEWEST_REPLICAS)
    return f"about {needed} replicas would tell, at this mean and spread"


def _percent(share: float) -> str:
    if share < 1e-5:
        return "0.001%"
    return f"{rounded(100 * share, 0, UP) if share >= 0.095 else shown(100 * share, 2, UP)}%"
