"""The judgement of a theorem's run: the only place where a run gets its verdict, of those in
`boundcheck.verdicts`.

A theorem about an average is judged by the average, and one about the least of T expectations by
the least: where there is noise, a bound above the average is above the least too, and only one
below every iterate is violated. Gradient
descent has no noise: its least is exact but for rounding.

No L of a network is known. So each L̂ of one is an estimate, and a lower one of what it estimates:
it shows what a theorem would say if nothing worse was missed, and earns no verdict.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from boundcheck.exact.balls import lower, upper
from boundcheck.exact.digits import DOWN, UP, Toward, rounded, shown, telling
from boundcheck.experiment.audit import Evidence, largest_ratio
from boundcheck.experiment.plan import Plan, at_the_longest, informative_horizon
from boundcheck.experiment.result import AtSmoothness, Blame, Estimates
from boundcheck.experiment.spec import about_its_own_step
from boundcheck.experiment.statistics import (
    FEWEST_REPLICAS,
    Interval,
    earned_by,
    mean_interval,
    simultaneous_lower_limits,
    student_replicas,
)
from boundcheck.functions.networks.network import Site
from boundcheck.functions.problem import End, adapter_ends
from boundcheck.language.catalogue import about, catalogue
from boundcheck.language.evidence import Audit, Guilt, less_rounding
from boundcheck.language.hypotheses import BOUNDED_BELOW, BOUNDED_GRADIENT, BOUNDED_VARIANCE, SMOOTH
from boundcheck.language.measures import SMOOTHNESS, Enclosure, Statistic
from boundcheck.language.sentence import gradient_norm, is_ours, limit_of, words_of
from boundcheck.language.symbols import T, exact
from boundcheck.verdicts import Verdict

# The nonasymptotic interval is used where it resolves this fraction of the bound.
_RESOLUTION = 0.25
# The relative error of J^2 G^2, which is a product of a few floats.
_ROUNDED = 1e-12
# An asymptotic interval needs that many strata of t, the first of them short ones.
_FEWEST_STRATA = 8

# A verdict, why in one sentence, and who is to blame.
Said = tuple[Verdict, str, Blame | None]


def judge(evidence: Evidence, audits: list[Audit]) -> dict[str, Any]:
    """The fields of a `RunResult` that say what a run shows of its theorem, from its audits and
    measurements.
    """
    plan = evidence.plan
    measure = evidence.spec.measure
    first, at_first = measure.first(evidence.start, plan.inputs)
    measured = _measured(evidence)
    verdict, reason, blame = _judged(evidence, audits, measured, first, at_first)
    # How a run is held against a word from outside is its author's word.
    by_others = (word.id for _, word in words_of(evidence.claim) if word and not is_ours(word))
    drawn = evidence.function.drawn if evidence.spec.is_stochastic else ()
    # Where a run diverged, what overflowed may be recorded as 0.
    is_lost = measured.seen.is_lost
    return {
        "verdict": verdict.resting_on(
            (*evidence.function.given, *drawn, *measure.given, *by_others)
        ),
        "reason": reason,
        "blame": blame,
        "measured": math.nan if is_lost else measured.mean,
        "shown": measured.called,
        "smallest": math.nan if is_lost else float(measured.seen.value.mean(0).min()),
        "interval": measured.interval,
        "bound": plan.values["bound"],
        "trivial": plan.trivial,
        "first": first,
    }


@dataclass(frozen=True)
class _Measured:
    """The measured values of the observable, shape (R, M), and what is known of the statistic that
    is tested.

    ``mean`` is the statistic, over the ``values`` of replicas or of the one trajectory; its
    interval is None of a single replica, and where not enough was looked at. It is ``called`` so,
    with how it stands to the measure where it is another.
    """

    seen: Enclosure
    is_finite: bool
    values: np.ndarray
    mean: float
    interval: Interval | None
    rounding: float
    called: str


# What overflowed is refused afterwards.
@np.errstate(invalid="ignore")
def _measured(evidence: Evidence) -> _Measured:
    plan = evidence.plan
    spec = evidence.spec
    measure = evidence.spec.measure
    schedule = evidence.record.schedule
    seen = measure.seen(evidence)
    what = measure.shown(is_stochastic=spec.is_stochastic)
    interval = None
    finite = bool(np.isfinite(seen.low).all() and np.isfinite(seen.high).all())
    if spec.is_stochastic:
        # Of each replica the time average, or what was last.
        is_last = measure.seen_over(is_stochastic=True) is Statistic.LAST
        weights = np.eye(len(schedule.weights))[-1] if is_last else schedule.weights
        values = seen.value @ weights
        rounding = float(((seen.high - seen.value) @ weights).max())
        if finite and len(values) > 1:
            interval = mean_interval(
                values, plan.trivial, _RESOLUTION * plan.values["bound"], spec.run.level
            )
        return _Measured(seen, finite, values, float(values.mean()), interval, rounding, what)
    # The statistic of one trajectory, which is exact but for rounding.
    low, value, high = (x[0] for x in seen)
    if measure.over is Statistic.LEAST:
        least = int(np.argmin(high))
        # What was not seen may be smaller still.
        below = max(float(low.min()), 0.0) if schedule.is_every_step else 0.0
        ends = [below, float(value[least]), float(high[least])]
    elif measure.over is Statistic.LAST:
        ends = [float(x[-1]) for x in (low, value, high)]
    else:
        ends = [float(x @ schedule.weights) for x in (low, value, high)]
    if finite and (schedule.is_every_step or measure.over is not Statistic.AVERAGE):
        interval = Interval(ends[0], ends[2], 1.0, "exact", "the one trajectory")
    return _Measured(seen, finite, np.array(ends[1:2]), ends[1], interval, ends[2] - ends[1], what)


def blamed(audits: list[Audit], status: str) -> Blame | None:
    """The first of the audits with this status, in the order in which `audit` gives them; None
    where there is none.
    """
    each = next((each for each in audits if each.status == status), None)
    if each is None:
        return None
    if each.observed is not None and math.isnan(each.observed):
        return Blame(
            "rounding",
            each.hypothesis,
            f"{each.hypothesis}: what was observed is no number ({each.how})",
        )
    name = (
        each.symbol
        if each.guilt == "constant"
        else T.name
        if each.guilt == "horizon"
        else each.hypothesis
    )
    if each.status == "assumed":
        how = (
            f"{each.symbol or each.hypothesis} is not certified, and nothing seen contradicts it:"
            f" {each.how}"
        )
    elif each.observed is None or each.limit is None:
        how = f"{each.hypothesis}: {each.how}"
    elif each.guilt == "horizon":
        observed, limit = each.shown(shown, 6)
        how = f"T = {observed}, where the theorem needs {each.hypothesis} = {limit}"
    elif each.hypothesis == "step size":
        times = f"{each.observed / each.limit:.8g} times the prescribed {each.limit:.8g}"
        how = f"the step size was {each.observed:.8g}, {times}"
    else:
        observed, limit = each.shown(shown, 4)
        how = f"{each.hypothesis}: {observed} was seen where {limit} is the limit ({each.how})"
    return Blame(each.guilt, name, how)


def _judged(
    evidence: Evidence, audits: list[Audit], measured: _Measured, first: float, at_first: str
) -> Said:
    """The verdict: by a hypothesis that failed, a bound that says nothing new, and then by measured
    against bound.
    """
    plan = evidence.plan
    bound = evidence.plan.values["bound"]
    failed = list(dict.fromkeys(each.hypothesis for each in audits if each.status == "failed"))
    blame = blamed(audits, "failed")
    if not measured.is_finite and blame is None:
        blame = Blame(
            "rounding",
            "overflow",
            "a gradient is no finite number, and no hypothesis failed before",
        )
    if blame is not None:
        what = ", ".join(failed) or "a gradient that is a finite number"
        return (
            Verdict.HYPOTHESIS_FAILED,
            f"the run broke {what}, so the theorem says nothing about it",
            blame,
        )
    if not evidence.function.is_known:
        return _in_hindsight(evidence, audits, measured)
    # Inside the ball, or an audit had failed; of a measure that is not of gradients the limit is
    # infinite.
    if (most := float(measured.seen.low.max())) > plan.trivial * (1 + _ROUNDED):
        digits = telling(plan.trivial, (most, DOWN), digits=4)
        seen = shown(most, digits, DOWN)
        limit = shown(plan.trivial, digits, UP)
        reason = (
            f"a squared gradient norm of {seen} was seen, and {limit} is J²G² by the problem's"
            " own G"
        )
        return _said(Verdict.HYPOTHESIS_FAILED, "constant", BOUNDED_GRADIENT.letter, reason)
    if bound <= 0:
        reason = f"the bound {shown(bound, 4, UP)} is not positive, so the claim says nothing"
        return _said(Verdict.HYPOTHESIS_FAILED, "constant", "bound", reason)
    known, name = min((first, at_first), (plan.trivial, "the trivial bound J²G²"))
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


def _in_hindsight(evidence: Evidence, audits: list[Audit], measured: _Measured) -> Said:
    """The verdict on a run whose constants are the largest that it showed: nothing for its theorem
    or against it.
    """
    plan = evidence.plan
    first = evidence.start.square_norm
    looks = evidence.looks
    path = plan.smoothness
    sure = evidence.sure_smoothness
    bound = plan.values["bound"]
    hidden = any(
        each.status == "assumed" for each in audits if each.symbol == evidence.spec.free[0]
    )
    # Of an L̂ that was not measured it is NaN.
    if not path <= 2 * sure or hidden:
        reason = (
            f"the descent curvature along the path is mostly rounding error, at {looks}: no L̂ was"
            " measured"
        )
        if (ratio := largest_ratio(evidence)) is not None:
            reason += f"; the largest gradient ratio, a lower estimate, is {ratio}"
        if path <= 2 * sure:
            reason = (
                "the rounding error of the descent curvature along the path hides whether the step"
                " is below 2/L̂"
            )
        return _said(Verdict.INCONCLUSIVE, "rounding", SMOOTHNESS.letter, reason)
    if math.isnan(bound):
        reason = "a constant of the theorem was measured as 0, so it says nothing about the run"
        return _said(Verdict.UNINFORMATIVE, "constant", BOUNDED_VARIANCE.letter, reason)
    if not (first > 0 and measured.mean > 0):
        reason = (
            f"the gradient cannot be told from the noise of so few samples ({looks}): take more"
        )
        return _said(Verdict.UNINFORMATIVE, "statistics", "samples", reason)
    if bound >= first:
        reason = (
            f"the bound at the smoothness that was seen, {shown(bound, 4, UP)}, "
            f"is not below {shown(first, 4)}, the squared gradient norm at v_1"
        )
        try:
            reason += f", before T = {informative_horizon(evidence.claim, plan.inputs, first)}"
        except ArithmeticError:
            reason += ", at no T: it takes a shorter step or a larger batch"
            return _said(Verdict.UNINFORMATIVE, "constant", evidence.spec.free[0], reason)
        return _said(Verdict.UNINFORMATIVE, "horizon", T.name, reason)
    side = "at most" if measured.mean <= bound else "above"
    digits = telling(bound, (measured.mean, Toward.NEAREST), digits=4)
    value = shown(measured.mean, digits)
    most = shown(bound, digits, UP)
    measure = evidence.spec.measure
    found = (
        f"{measure.seen_over(is_stochastic=True).word}"
        f" {value}{measure.standing(is_stochastic=True)}"
    )
    reason = f"the {found} is {side} {most}, the bound at the smoothness that was seen"
    return Verdict.INCONCLUSIVE, f"{reason}, but that is no bound on L̂", blamed(audits, "assumed")


def _compare(evidence: Evidence, measured: _Measured) -> Said:
    """Decide whether the theorem is supported, violated or neither, against the safe ends of the
    bound's enclosure.
    """
    interval = measured.interval
    claim = evidence.claim
    spec = evidence.spec
    schedule = evidence.record.schedule
    # As of measurements that are no numbers, which were blamed on rounding before.
    if interval is None:
        advice = "set run.audits = run.steps to see it at every iterate"
        return _said(
            Verdict.INCONCLUSIVE,
            "statistics",
            "audits",
            f"the {measured.called} was not seen: {advice}",
        )
    ball = claim.enclosures(**evidence.plan.inputs_of(claim))["bound"]
    what = measured.called
    replicas, strata = measured.seen.value.shape
    is_exact = interval.kind == "exact"
    limits = (
        f"{interval.kind} {interval.level:.0%} interval, {interval.method} over {replicas} replicas"
    )
    if is_exact:
        limits = "exact but for rounding"
    if interval.kind == "asymptotic" and strata < _FEWEST_STRATA and not schedule.is_every_step:
        reason = (
            f"audits = {strata} may all miss a short time of large gradients: take {_FEWEST_STRATA}"
            " or more"
        )
        return _said(Verdict.INCONCLUSIVE, "statistics", "audits", reason)
    # Of an exact interval the rounding error is part already.
    most = interval.upper + (0.0 if is_exact else measured.rounding)
    if most <= lower(ball):
        part = most / lower(ball)
        percent = (
            rounded(100 * part, 0, UP)
            if part >= 0.095
            else shown(100 * part, 2, UP)
            if part >= 1e-5
            else 0.001
        )
        if interval.kind == "asymptotic":
            missed = f"{100 * (1 - interval.level):.2g}%"
            limits += (
                f"; it misses more than {missed} where they are skewed, a few far above the rest"
            )
        # Less is earned by Student's interval than by one that holds at any number of replicas.
        verdict = earned_by(interval.kind, replicas)
        reason = f"the {what} is at most {percent}% of the bound ({limits})"
        if verdict.is_supported:
            return verdict, reason, None
        reason += (
            f", but {replicas} replicas are too few to rest on that: take {FEWEST_REPLICAS} or more"
        )
        return _said(verdict, "statistics", "replicas", reason)
    # Where replicas differ by more than that, it is they who cannot tell.
    coarse = is_exact or 2 * measured.rounding >= interval.upper - interval.lower
    if (
        coarse
        and measured.mean - measured.rounding <= upper(ball) < measured.mean + measured.rounding
    ):
        reason = (
            f"the {what} is within its rounding error {shown(measured.rounding, 2, UP)} of the"
            " bound"
        )
        return _said(Verdict.INCONCLUSIVE, "rounding", "gradient_square_norm", reason)
    if interval.lower <= upper(ball) and spec.is_stochastic:
        spread = float(measured.values.std(ddof=1))
        advice = "more replicas are needed"
        if measured.mean < evidence.plan.values["bound"] and spread != 0:
            needed = student_replicas(
                measured.mean, spread, evidence.plan.values["bound"], spec.run.level
            )
            advice = (
                f"about {max(needed, FEWEST_REPLICAS)} replicas would tell, at this mean and spread"
            )
        blame = Blame("statistics", "replicas", f"{replicas} replicas: {advice}")
        return Verdict.INCONCLUSIVE, f"the bound lies inside the {limits}: {advice}", blame
    # Of a smallest that was not seen at every iterate nothing is known below, and that is what it
    # lacks.
    seen_whole = spec.measure.over is not Statistic.LEAST or schedule.is_every_step
    if interval.lower <= upper(ball) and seen_whole:
        ends = f"{shown(interval.lower, 4, DOWN)} and {shown(interval.upper, 4, UP)}"
        reason = f"the {what} is between {ends}, and so is the bound"
        return _said(Verdict.INCONCLUSIVE, "constant", SMOOTHNESS.letter, reason)
    return _above(evidence, measured, upper(ball), limits)


def _above(evidence: Evidence, measured: _Measured, bound: float, limits: str) -> Said:
    """Decide whether a statistic above the bound violates it: the smallest over t does, or the one
    that it is about.
    """
    spec = evidence.spec
    schedule = evidence.record.schedule
    what = measured.called
    level = evidence.spec.run.level
    over = spec.measure.over
    is_least = over is Statistic.LEAST
    if is_least and not schedule.is_every_step:
        advice = "set run.audits = run.steps to test the minimum over t"
        reason = f"the {what} lies above the bound ({limits}), the minimum was not seen: {advice}"
        return _said(Verdict.INCONCLUSIVE, "statistics", "audits", reason)

    def columns(values: np.ndarray) -> np.ndarray:
        """What is averaged over replicas, shape (R, ...): at each t, over t, or at the end; the
        least mean counts.
        """
        if is_least:
            return values
        return values[:, -1:] if over is Statistic.LAST else (values @ schedule.weights)[:, None]

    lowest = columns(measured.seen.low)
    if spec.is_stochastic:
        limits_at_t = simultaneous_lower_limits(np.maximum(lowest, 0.0), level)
        how = f"simultaneous nonasymptotic {level:.0%} limits"
    else:
        limits_at_t = lowest[0]
        how = "exact but for rounding"
    if limits_at_t.min() > bound:
        reason = f"{'every iterate' if is_least else f'the {what}'} lies above the bound ({how})"
        return (
            Verdict.VIOLATED,
            reason,
            Blame("claim", evidence.claim.id, f"every hypothesis held, and {reason}"),
        )
    if (columns(measured.seen.value).mean(0) > bound).all():
        where = "every mean over replicas" if is_least else f"the {what}"
        reason = (
            f"{where} lies above the bound, but not every {level:.0%} limit: more replicas are"
            " needed"
        )
        return _said(Verdict.INCONCLUSIVE, "statistics", "replicas", reason)
    reason = f"the {what} lies above the bound ({limits}), but not every iterate does"
    return (
        Verdict.INCONCLUSIVE,
        reason,
        Blame("statistics", "minimum", f"{reason}: the theorem is about the smallest"),
    )


def _said(verdict: Verdict, kind: Guilt, name: str, reason: str) -> Said:
    """A verdict whose blame has the same reason."""
    return verdict, reason, Blame(kind, name, reason)


Smoothness = tuple[str, str, float | None, str]
"""An estimate of L̂: the first four fields of `AtSmoothness`."""


def estimates_of(sites: Sequence[Site], trace: xr.Dataset, gap: float) -> Estimates:
    """Read the constants off a trace, all but D, which is the gap; values that are no numbers are
    passed over.
    """
    curvatures = trace["weight_curvature"].values if "weight_curvature" in trace else np.array([])
    # Of each block or site, along the last axis, the most that was seen.
    placed = ("norm", "weight_gradient_spectral", "weight_gradient_frobenius")
    most = [[_largest(x) for x in np.moveaxis(trace[name].values, -1, 0)] for name in placed]
    norms = iter(most[0])
    radii = {}
    for site in sites:
        found: dict[str, float] = {}
        for block in site.adapter.blocks:
            norm = next(norms)
            if block.radius:
                # Two blocks may share a radius. A ball of radius 0 is none; a block of zeros is in
                # any.
                found[block.radius] = max(found.get(block.radius, 0.0), norm, 1e-12)
        radii[site.name] = found
    names = [site.name for site in sites]
    path = _largest(trace["path_smoothness"].values + trace["path_smoothness_error"].values)
    sure = _largest(less_rounding(trace, "path_smoothness"))
    return Estimates(
        path=path if 0 < path <= 2 * sure else None,
        path_sure=sure or None,
        L=max(_largest(less_rounding(trace, "weight_smoothness")), _largest(curvatures)) or None,
        curvature=_largest(trace["curvature"].values) or None,
        zeta_square=_largest(trace["noise_variance"].values),
        D=gap,
        radii=radii,
        G=dict(zip(names, most[1], strict=True)),
        G_frobenius=dict(zip(names, most[2], strict=True)),
    )


def _largest(values: np.ndarray) -> float:
    """The largest finite value, and at least 0."""
    return float(values[np.isfinite(values)].max(initial=0.0))


def smoothness_of(sites: Sequence[Site], found: Estimates) -> list[Smoothness]:
    """L̂ by the path, by the sharpest claim about each layer, and as printed, where these say
    something.

    The largest over the layers is the constant of all of them, since D²F is at most the sum over
    layers of what each contributes (`meft.layers`); f has to be jointly smooth in their weights, as
    the L that is used is.
    """
    ways: list[Smoothness] = [
        ("path", "", found.path, "the largest smoothness along the segments that were looked at")
    ]
    layers: list[float] = []
    printed: dict[str, list[float]] = {}
    for site in sites:
        radii = found.radii[site.name]
        if not found.L or not found.G[site.name]:
            continue
        # The least constant that our claims give, each with G in the norm that it is about.
        sharpest = math.inf
        for G, is_frobenius in ((found.G, False), (found.G_frobenius, True)):
            for end in _ends(site, radii, found.L, G[site.name]):
                norm = gradient_norm(catalogue[end.claim])
                if not _is_printed(end.claim) and (norm == "frobenius") == is_frobenius:
                    sharpest = min(sharpest, end.value)
        layers.append(sharpest)
        if not any(map(_is_printed, site.adapter.claims)):
            continue
        # What papers print is of one radius.
        common = dict.fromkeys(radii, max(radii.values()))
        for end in _ends(site, common, found.L, found.G_frobenius[site.name]):
            if _is_printed(end.claim):
                printed.setdefault(end.lipschitz, []).append(end.value)
    # Infinite where the claims about a layer say nothing, as those about DoRA do where a column may
    # vanish.
    if layers:
        how = (
            "the largest λ* of a layer, at the norms, the gradients and the joint L that were"
            " measured"
        )
        ways.append(("layers", "", max(layers), how))
    for lipschitz, values in printed.items():
        how = (
            "the printed constant of the layer where it is largest, at the same L and norms, scale"
            " taken into f"
        )
        ways.append(("printed", lipschitz, max(values), how))
    return ways


def _is_printed(id: str) -> bool:
    said = about(id)
    return said is not None and said.is_printed


def _ends(
    site: Site, radii: dict[str, float], smoothness: float, gradient_bound: float
) -> list[End]:
    """The upper ends that the claims about a layer give; none where they are beyond the range of
    floats.
    """
    try:
        return adapter_ends(site.adapter, radii, smoothness, gradient_bound)
    except ArithmeticError:
        return []


def theorem_rows(evidence: Evidence, found: Estimates) -> tuple[AtSmoothness, ...]:
    """A row for each L̂, with what the theorems say there: the run's own, and the one that
    prescribes its step.
    """
    rows = []
    letter = SMOOTHNESS.letter
    noise = math.sqrt(found.zeta_square)
    theorem, algorithm = about_its_own_step()
    names = [str(x) for x in (algorithm.step_size, limit_of(theorem, T), theorem.names[-1])]
    for way, lipschitz, value, how in smoothness_of(evidence.function.sites, found):
        printed: list[float | None] = [None] * 3
        if value and value < math.inf and found.zeta_square > 0 and found.D and found.D > 0:
            at_it = theorem.assuming({letter: exact(letter, value)})
            steps = float(evidence.plan.steps)
            inputs = {BOUNDED_BELOW.letter: found.D, BOUNDED_VARIANCE.letter: noise, T.name: steps}
            given = {p.name: inputs[p.name] for p in at_it.parameters}
            printed = [float(at_it.function(name)(**given)) for name in names]
        rows.append(
            AtSmoothness(way, lipschitz, value, how, *own_step(evidence, found, value), *printed)
        )
    return tuple(rows)


def in_hindsight(evidence: Evidence, found: Estimates) -> Plan:
    """The plan with the constants that the run showed, and the claim's quantities there.

    The bound is NaN where a constant was measured as 0, or the step is longer than the claim
    allows; and so are L̂ and the bound where no L̂ was measured.
    """
    plan = evidence.plan
    noise = math.sqrt(found.zeta_square)
    path = math.nan if found.path is None else found.path
    inputs = plan.inputs | {SMOOTH.letter: path, BOUNDED_VARIANCE.letter: noise}
    _, bound, _ = own_step(evidence, found, found.path)
    values = (
        {SMOOTHNESS.letter: path} | plan.numbers | {"bound": math.nan if bound is None else bound}
    )
    return replace(plan, inputs=inputs, values=values, zeta=noise)


def own_step(
    evidence: Evidence, found: Estimates, smoothness: float | None
) -> tuple[float | None, float | None, int | None]:
    """The theorem at the run's own step and this L̂: the longest step, the bound, and the
    iterations that it needs.
    """
    if smoothness is None:
        return None, None, None
    plan = evidence.plan
    claim = evidence.claim
    inputs = {name: float(x) for name, x in plan.inputs.items()} | {
        SMOOTH.letter: smoothness,
        BOUNDED_VARIANCE.letter: math.sqrt(found.zeta_square),
    }
    longest = 2 / smoothness if smoothness > 0 else math.inf
    if not all(0 < value < math.inf for value in inputs.values()) or not plan.step_size < longest:
        return longest, None, None
    try:
        needed = informative_horizon(claim, inputs, evidence.start.square_norm)
    except ArithmeticError:
        needed = None
    return longest, claim.bound(**inputs), needed
