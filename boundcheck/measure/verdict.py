"""The five run verdicts, and the only place where they are given.

hypothesis-failed   a hypothesis of the theorem did not hold on the run: the theorem says nothing about it
uninformative       all held, but the bound is no smaller than what is known without it
supported           the time average, which the proof bounds, lies below the bound at the stated level
violated            every iterate's expected squared gradient norm lies above the bound at the stated level
inconclusive        none of these
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from boundcheck.claims.enclose import lower, upper
from boundcheck.measure.audit import Audit, Evidence
from boundcheck.measure.intervals import Interval, mean_interval, simultaneous_lower_limits

Name = Literal["supported", "violated", "hypothesis-failed", "uninformative", "inconclusive"]

# The nonasymptotic interval is used where it resolves this fraction of the bound.
_RESOLUTION = 0.25


@dataclass(frozen=True)
class Outcome:
    """What a run says of its theorem.

    Attributes:
        verdict, reason: one of the five, and why in one sentence.
        measured: mean over replicas of the (stratified) time average of the squared gradient norm.
        smallest: the smallest mean over replicas within a stratum: descriptive, and biased low as any minimum is.
        interval: the confidence interval of its expectation; None when the run diverged.
        bound: the theorem's right-hand side.
        trivial: the bound that needs no theorem, J^2 G^2.
        first: the squared gradient norm at v_1, known exactly and the same for all replicas.

    """

    verdict: Name
    reason: str
    measured: float
    smallest: float
    interval: Interval | None
    bound: float
    trivial: float
    first: float


def judge(evidence: Evidence, audits: list[Audit], first: float, level: float) -> Outcome:
    """The outcome of a run, from its audits and its measured gradient norms."""
    record, plan, problem = evidence.record, evidence.plan, evidence.problem
    squares = record.trace["gradient_square_norm"].values
    averages = squares @ record.schedule.weights
    trivial = problem.trivial_bound(plan.radii)
    bound = plan.values["bound"]
    diverged = not np.isfinite(squares).all()
    interval = None if diverged else mean_interval(averages, trivial, _RESOLUTION * bound, level)

    def outcome(verdict: Name, reason: str) -> Outcome:
        smallest = float(squares.mean(0).min())
        return Outcome(verdict, reason, float(averages.mean()), smallest, interval, bound, trivial, first)

    failed = [each.hypothesis for each in audits if each.status == "failed"]
    if failed or interval is None:
        what = ", ".join(dict.fromkeys(failed)) or "a gradient that is a finite number"
        return outcome("hypothesis-failed", f"the run broke {what}, so the theorem says nothing about it")
    known, name = min((first, "the gradient at v_1"), (trivial, "the trivial bound J^2 G^2"))
    if bound >= known:
        return outcome("uninformative", f"the bound {bound:.4g} is not below {known:.4g}, {name}: T is too short")
    return outcome(*_compare(evidence, squares, interval, level))


def _compare(evidence: Evidence, squares: np.ndarray, interval: Interval, level: float) -> tuple[Name, str]:
    """Supported, violated or inconclusive, against the safe ends of the bound's enclosure."""
    plan, claim = evidence.plan, evidence.claim
    ball = claim.enclosures(**plan.inputs)["bound"]
    limits = f"{interval.kind} {interval.level:.0%} interval, {interval.method}"
    if interval.upper <= lower(ball):
        share = interval.upper / lower(ball)
        return "supported", f"the time average is at most {share:.0%} of the bound ({limits})"
    if interval.lower <= upper(ball):
        return "inconclusive", f"the bound lies inside the {limits}: more replicas are needed"
    if not evidence.record.schedule.is_every_step:
        advice = "set run.audits = run.steps to test the minimum over t"
        return (
            "inconclusive",
            f"the time average lies above the bound ({limits}), the minimum was not seen: {advice}",
        )
    if simultaneous_lower_limits(squares, level).min() > upper(ball):
        return (
            "violated",
            f"every iterate lies above the bound (simultaneous nonasymptotic {level:.0%} limits)",
        )
    return "inconclusive", f"the time average lies above the bound ({limits}), but not every iterate does"
