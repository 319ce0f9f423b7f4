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
from boundcheck.experiment.blame import blamed
from boundcheck.experiment.horizons import at_the_longest, informative_horizon
from boundcheck.experiment.intervals import Interval, mean_interval, simultaneous_lower_limits, student_replicas
from boundcheck.experiment.schema import Blame
from boundcheck.experiment.support import FEWEST_REPLICAS, earned_by
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


@dataclass(frozen=True)
class Outcome:
    """The outcome of a run: what it says of its theorem.

    Attributes:
        verdict, reason: which, and why in one sentence.
        blame: who is to blame for a run that does not support its theorem; None for one that does.
        measured: what the run shows of the theorem's measure: of an algorithm with noise the mean over replicas of the
            (stratified) time average, or of the last; without noise the smallest seen, the average or the last.
        shown: what that is called, and how it stands to the measure where it is another.
        smallest: the smallest mean over replicas within a stratum: descriptive, and biased low as any minimum is.
        interval: the confidence interval of its expectation; None when the run diverged.
        bound: the theorem's right-hand side.
        trivial: the bound that needs no theorem, J^2 G^2.
        first: what is known of the measure at v_1 without any theorem, the same for all replicas.

    """

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

    Attributes:
        seen: the observable at the audits, and between what it surely is.
        mean: the statistic: over replicas, or of the one trajectory.
        is_finite: whether all values are finite numbers.
        interval: its interval; None where one is not, of a single replica, and where not enough was looked at.
        rounding: the rounding error of the statistic.
        called: what it is called, and how it stands to the measure where it is another.

    """

    seen: Enclosure
    is_finite: bool
    mean: float
    interval: Interval | None
    rounding: float
    called: str


def judge(evidence: Evidence, audits: list[Audit]) -> Outcome:
    """The outcome of a run, from its audits and what it shows of the measure."""
    plan = evidence.plan
    before, at_first = evidence.spec.measure.first(evidence.start, plan.inputs)
    bound, measured = plan.values["bound"], _measured(evidence)

    def outcome(verdict: Verdict, reason: str, blame: Blame | None) -> Outcome:
        smallest = float(measured.seen.value.mean(0).min())
        # Where a run diverged, what overflowed may be recorded as 0.
        mean, smallest = (math.nan, math.nan) if measured.seen.is_lost else (measured.mean, smallest)
        # How a run is held against a word from outside is its author's word.
        by_others = (word.id for _, word in words_of(evidence.claim) if word and not is_ours(word))
        rests = verdict.resting_on((*evidence.function.given, *evidence.spec.measure.given, *by_others))
        said = rests, reason, blame, mean, measured.called, smallest, measured.interval
        return Outcome(*said, bound, plan.trivial, before)

    failed = list(dict.fromkeys(each.hypothesis for each in audits if each.status == "failed"))
    blame = blamed(audits, "failed")
    if not measured.is_finite and blame is None:
        blame = Blame("rounding", "overflow", "a gradient is no finite number, and no hypothesis failed before")
    if blame is not None:
        what = ", ".join(failed) or "a gradient that is a finite number"
        return outcome(Verdict.HYPOTHESIS_FAILED, f"the run broke {what}, so the theorem says nothing about it", blame)
    if not evidence.function.is_known:
        return outcome(*_in_hindsight(evidence, audits, measured))
    # Inside the ball, or an audit had failed; of a measure that is not of gradients the limit is infinite.
    if (most := float(measured.seen.low.max())) > plan.trivial * (1 + _ROUNDED):
        digits = telling(plan.trivial, (most, DOWN), digits=4)
        seen, limit = shown(most, digits, DOWN), shown(plan.trivial, digits, UP)
        reason = f"a squared gradient norm of {seen} was seen, and {limit} is J²G² by the problem's own G"
        return outcome(*_said(Verdict.HYPOTHESIS_FAILED, "constant", BOUNDED_GRADIENT.letter, reason))
    if bound <= 0:
        reason = f"the bound {shown(bound, 4, UP)} is not positive, so the claim says nothing"
        return outcome(*_said(Verdict.HYPOTHESIS_FAILED, "constant", "bound", reason))
    known, name = min((before, at_first), (plan.trivial, "the trivial bound J²G²"))
    if bound >= known:
        reason = f"the bound {shown(bound, 4, UP)} is not below {shown(known, 4, UP)}, {name}: "
        if evidence.spec.takes_step_size and at_the_longest(evidence.claim, plan.inputs) >= known:
            reason += "at this step and noise no T is long enough"
            return outcome(*_said(Verdict.UNINFORMATIVE, "constant", evidence.spec.free[0], reason))
        reason += "T is too short"
        return outcome(*_said(Verdict.UNINFORMATIVE, "horizon", T.name, reason))
    verdict, reason, blame = _compare(evidence, measured)
    assumed = blamed(audits, "assumed")
    if assumed is not None and verdict.is_decided:
        return outcome(Verdict.INCONCLUSIVE, f"{reason}, but {assumed.name} is not certified", assumed)
    return outcome(verdict, reason, blame)


# What overflowed is refused afterwards.
@np.errstate(invalid="ignore")
def _measured(evidence: Evidence) -> _Measured:
    measure, seen = evidence.spec.measure, evidence.spec.measure.seen(evidence)
    finite = bool(np.isfinite(seen.low).all() and np.isfinite(seen.high).all())
    if evidence.spec.is_stochastic:
        return _of_replicas(evidence, seen, finite)
    schedule, what = evidence.record.schedule, measure.shown(is_stochastic=False)
    low, value, high = (x[0] for x in seen)
    if measure.over is Statistic.LEAST:
        least = int(np.argmin(high))
        # What was not seen may be smaller still.
        below = max(float(low.min()), 0.0) if schedule.is_every_step else 0.0
        return _exact(seen, finite, (below, float(value[least]), float(high[least])), what)
    if measure.over is Statistic.LAST:
        return _exact(seen, finite, (float(low[-1]), float(value[-1]), float(high[-1])), what)
    means = tuple(float(x @ schedule.weights) for x in (low, value, high))
    if not schedule.is_every_step:
        return _Measured(seen, finite, means[1], None, means[2] - means[1], what)
    return _exact(seen, finite, means, what)


def _exact(seen: Enclosure, finite: bool, ends: tuple[float, ...], called: str) -> _Measured:
    """The statistic of one trajectory, which is exact but for rounding."""
    low, value, high = ends
    interval = Interval(low, high, 1.0, "exact", "the one trajectory") if finite else None
    return _Measured(seen, finite, value, interval, high - value, called)


def _of_replicas(evidence: Evidence, seen: Enclosure, finite: bool) -> _Measured:
    """The mean over replicas of the time average, or of what was last."""
    plan, spec, weights = evidence.plan, evidence.spec, _weights(evidence)
    values, rounding = seen.value @ weights, float(((seen.high - seen.value) @ weights).max())
    several = finite and len(values) > 1
    bound, level = plan.values["bound"], spec.run.level
    interval = mean_interval(values, plan.trivial, _RESOLUTION * bound, level) if several else None
    called = spec.measure.shown(is_stochastic=True)
    return _Measured(seen, finite, float(values.mean()), interval, rounding, called)


def _weights(evidence: Evidence) -> np.ndarray:
    """The weight of each audit in what is averaged over replicas: all on the last, or as the schedule has them."""
    schedule = evidence.record.schedule.weights
    is_last = evidence.spec.measure.seen_over(is_stochastic=True) is Statistic.LAST
    return np.eye(len(schedule))[-1] if is_last else schedule


def _in_hindsight(evidence: Evidence, audits: list[Audit], measured: _Measured) -> tuple[Verdict, str, Blame | None]:
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


def _compare(evidence: Evidence, measured: _Measured) -> tuple[Verdict, str, Blame | None]:
    """Decide whether the theorem is supported, violated or neither, against the safe ends of the bound's enclosure."""
    interval, claim = measured.interval, evidence.claim
    if not measured.is_finite:
        raise ValueError("expected finite measurements")
    if interval is None:
        advice = "set run.audits = run.steps to see it at every iterate"
        reason = f"the {measured.called} was not seen: {advice}"
        return _said(Verdict.INCONCLUSIVE, "statistics", "audits", reason)
    ball = claim.enclosures(**evidence.plan.inputs_of(claim))["bound"]
    what, replicas = measured.called, len(measured.seen.value)
    limits = f"{interval.kind} {interval.level:.0%} interval, {interval.method} over {replicas} replicas"
    if interval.kind == "exact":
        limits = "exact but for rounding"
    # Of an exact interval the rounding error is part already.
    slack = 0.0 if interval.kind == "exact" else measured.rounding
    strata, schedule = measured.seen.value.shape[1], evidence.record.schedule
    if interval.kind == "asymptotic" and strata < _FEWEST_STRATA and not schedule.is_every_step:
        reason = f"audits = {strata} may all miss a short time of large gradients: take {_FEWEST_STRATA} or more"
        return _said(Verdict.INCONCLUSIVE, "statistics", "audits", reason)
    if interval.upper + slack <= lower(ball):
        share = (interval.upper + slack) / lower(ball)
        return _supported(interval, replicas, f"the {what} is at most {_percent(share)} of the bound", limits)
    # Where replicas differ by more than that, it is they who cannot tell.
    coarse = interval.kind == "exact" or 2 * measured.rounding >= interval.upper - interval.lower
    if coarse and measured.mean - measured.rounding <= upper(ball) < measured.mean + measured.rounding:
        reason = f"the {what} is within its rounding error {shown(measured.rounding, 2, UP)} of the bound"
        return _said(Verdict.INCONCLUSIVE, "rounding", "gradient_square_norm", reason)
    if interval.lower <= upper(ball) and evidence.spec.is_stochastic:
        return (
            Verdict.INCONCLUSIVE,
            f"the bound lies inside the {limits}: {_advice(evidence, measured)}",
            _statistics(evidence, measured),
        )
    # Of a smallest that was not seen at every iterate nothing is known below, and that is what it lacks.
    seen_whole = evidence.spec.measure.over is not Statistic.LEAST or schedule.is_every_step
    if interval.lower <= upper(ball) and seen_whole:
        ends = f"{shown(interval.lower, 4, DOWN)} and {shown(interval.upper, 4, UP)}"
        reason = f"the {what} is between {ends}, and so is the bound"
        return _said(Verdict.INCONCLUSIVE, "constant", SMOOTHNESS.letter, reason)
    return _above(evidence, measured, upper(ball), limits)


def _above(evidence: Evidence, measured: _Measured, bound: float, limits: str) -> tuple[Verdict, str, Blame | None]:
    """Decide whether a statistic above the bound violates it: the smallest over t does, or the one that it is about."""
    over, what, level = evidence.spec.measure.over, measured.called, evidence.spec.run.level
    if over is Statistic.LEAST and not evidence.record.schedule.is_every_step:
        advice = "set run.audits = run.steps to test the minimum over t"
        reason = f"the {what} lies above the bound ({limits}), the minimum was not seen: {advice}"
        return _said(Verdict.INCONCLUSIVE, "statistics", "audits", reason)
    # The statistic is the smallest of the means of these columns.
    lowest = _columns(over, measured.seen.low, evidence)
    limits_at_t = (
        simultaneous_lower_limits(np.maximum(lowest, 0.0), level) if evidence.spec.is_stochastic else lowest[0]
    )
    if limits_at_t.min() > bound:
        how = (
            f"simultaneous nonasymptotic {level:.0%} limits"
            if evidence.spec.is_stochastic
            else "exact but for rounding"
        )
        reason = f"every iterate lies above the bound ({how})"
        if over is not Statistic.LEAST:
            reason = f"the {what} lies above the bound ({how})"
        return Verdict.VIOLATED, reason, Blame("claim", evidence.claim.id, f"every hypothesis held, and {reason}")
    if (_columns(over, measured.seen.value, evidence).mean(0) > bound).all():
        where = "every mean over replicas" if over is Statistic.LEAST else f"the {what}"
        reason = f"{where} lies above the bound, but not every {level:.0%} limit: more replicas are needed"
        return _said(Verdict.INCONCLUSIVE, "statistics", "replicas", reason)
    reason = f"the {what} lies above the bound ({limits}), but not every iterate does"
    return Verdict.INCONCLUSIVE, reason, Blame("statistics", "minimum", f"{reason}: the theorem is about the smallest")


def _said(verdict: Verdict, kind: Guilt, name: str, reason: str) -> tuple[Verdict, str, Blame]:
    """A verdict whose blame has the same reason."""
    return verdict, reason, Blame(kind, name, reason)


def _supported(interval: Interval, replicas: int, said: str, limits: str) -> tuple[Verdict, str, Blame | None]:
    """The verdict of a bound above the interval: less if it is Student's than if it holds at any number of replicas."""
    verdict = earned_by(interval.kind, replicas)
    if interval.kind == "asymptotic":
        limits += (
            f"; it misses more than {100 * (1 - interval.level):.2g}% where they are skewed, a few far above the rest"
        )
    if verdict.is_supported:
        return verdict, f"{said} ({limits})", None
    reason = f"{said} ({limits}), but {replicas} replicas are too few to rest on that: take {FEWEST_REPLICAS} or more"
    return verdict, reason, Blame("statistics", "replicas", reason)


def _columns(over: Statistic, values: np.ndarray, evidence: Evidence) -> np.ndarray:
    """The values that are averaged over replicas, shape (R, ...): at each t, over t, or at the end."""
    if over is Statistic.LEAST:
        return values
    return values[:, -1:] if over is Statistic.LAST else (values @ evidence.record.schedule.weights)[:, None]


def _advice(evidence: Evidence, measured: _Measured) -> str:
    """Words for how many replicas would tell, if mean and spread are as they were seen."""
    spread, bound = float((measured.seen.value @ _weights(evidence)).std(ddof=1)), evidence.plan.values["bound"]
    if measured.mean >= bound or spread == 0:
        return "more replicas are needed"
    needed = max(student_replicas(measured.mean, spread, bound, evidence.spec.run.level), FEWEST_REPLICAS)
    return f"about {needed} replicas would tell, at this mean and spread"


def _statistics(evidence: Evidence, measured: _Measured) -> Blame:
    return Blame("statistics", "replicas", f"{len(measured.seen.value)} replicas: {_advice(evidence, measured)}")


def _percent(share: float) -> str:
    if share < 1e-5:
        return "0.001%"
    return f"{rounded(100 * share, 0, UP) if share >= 0.095 else shown(100 * share, 2, UP)}%"
