"""The hypotheses of a theorem, each held against the run: what was observed, the limit, and how it is known.

Which hypotheses are audited follows from the claim: every one it lists has an audit here, found by its id.
"""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from boundcheck.claims import Claim
from boundcheck.claims.inputs import checked
from boundcheck.measure.plan import Plan
from boundcheck.measure.run import Record
from boundcheck.problems.constant import EPSILON
from boundcheck.problems.problem import Problem

Status = Literal["held", "failed"]


@dataclass(frozen=True)
class Audit:
    """One hypothesis on one run.

    Attributes:
        hypothesis: its id in the catalogue, or ``T >= T_min``.
        status: ``failed`` on a single counterexample; ``held`` means on everything that was looked at.
        observed: the largest value seen (or the number itself), None where there is nothing to see.
        limit: what it may be at most (of T: at least).
        how: what was looked at, or the argument.

    """

    hypothesis: str
    status: Status
    observed: float | None
    limit: float | None
    how: str

    def as_json(self) -> dict[str, Any]:
        """The audit as plain data."""
        return asdict(self)


@dataclass(frozen=True)
class Evidence:
    """What an audit may look at."""

    claim: Claim
    problem: Problem
    plan: Plan
    record: Record

    @property
    def looks(self) -> str:
        """Over what the maxima run, in words."""
        replicas, strata = self.record.schedule.times.shape
        times = "every iterate" if self.record.schedule.is_every_step else f"{strata} random iterates"
        return f"{times} of each of {replicas} replicas"

    def most(self, name: str) -> float:
        """The largest value of an observable; NaN where one is."""
        return float(np.max(self.record.trace[name].values))

    def surely(self, name: str) -> float:
        """The largest value of an observable less the bound on its rounding error; NaN where one is."""
        trace = self.record.trace
        return float(np.max(trace[name].values - trace[f"{name}_error"].values))


def audit(evidence: Evidence) -> list[Audit]:
    """Audit each hypothesis of the claim, its conditions, and smoothness along the segments that were travelled."""
    found = [each for h in evidence.claim.hypotheses for each in AUDITS[h.id](evidence)]
    return [*found, *_conditions(evidence), _segment_smoothness(evidence)]


def _verdict(observed: float, limit: float) -> Status:
    return "held" if observed <= limit else "failed"


def _smooth_in_w(e: Evidence) -> list[Audit]:
    L = e.problem.objective.smoothness
    return [Audit("jiang2024.assumption1", "held", None, L.value, f"the limit is {L.kind}: {L.how}")]


def _bounded_below(e: Evidence) -> list[Audit]:
    infimum = e.problem.objective.infimum
    return [Audit("jiang2024.bounded_below", "held", None, infimum.value, f"f* is {infimum.kind}: {infimum.how}")]


def _ball(e: Evidence, hypothesis: str) -> list[Audit]:
    ball, radii = e.record.ball, e.plan.radii
    found = []
    for factor, norm, radius in zip("AB", ball.largest, radii.values(), strict=True):
        # Whether an iterate left, the watch decides; its largest norm may be of an earlier look.
        status: Status = "failed" if ball.outside is not None and norm > radius else "held"
        how = f"spectral norm of {factor}: every iterate of every replica, by the length travelled between looks"
        if ball.outside is not None:
            how += f"; first outside at t = {ball.outside}"
        found.append(Audit(hypothesis, status, norm, radius, how))
    return found


def _lipschitz(e: Evidence) -> Audit:
    sigma, C = max(e.plan.radii.values()), float(e.plan.inputs["C"])
    how = "on the ball, C = sigma holds for every pair by ||XY||_F <= ||X||_op ||Y||_F"
    # The sigma of the plan is the float; C is that float or a multiple of it by sqrt(r) >= 1.
    return Audit("jiang2024.assumption3.1", _verdict(sigma, C), sigma, C, how)


def _gradient_in_w(e: Evidence, hypothesis: str, norm: str) -> Audit:
    G, observed = e.problem.gradient_bound(e.plan.radii), e.most(f"weight_gradient_{norm}")
    how = f"{norm.capitalize()} norm at {e.looks}; the limit is {G.kind}: {G.how}"
    # The rounding error of a norm of dk numbers, each of them right to some units of roundoff.
    d, k = e.problem.objective.shape
    surely = observed * (1 - (d * k + 64) * EPSILON)
    return Audit(hypothesis, _verdict(surely, G.value), observed, G.value, how)


def _noise(e: Evidence) -> list[Audit]:
    observed, limit = e.most("noise_variance"), e.plan.zeta**2
    status = _verdict(e.surely("noise_variance"), limit)
    how = f"exact variance by enumerating the samples, at {e.looks}; the limit was fixed before the run"
    sizes, replicas = np.diff(e.record.schedule.edges), len(e.record.schedule.times)
    if status == "held" and not e.record.schedule.is_every_step:
        # Looks miss k_j failing iterates in stratum j of size n_j with probability prod (1 - k_j/n_j), which is at most
        # exp(-sum k_j / max n_j): below 1/20 once sum k_j is 3 max n_j.
        share = 3 * sizes.max() / (replicas * sizes.sum())
        how += f"; at 95% fewer than {math.ceil(1e4 * share) / 1e4:g} of all iterates fail"
    return [Audit("jiang2024.assumption4", status, observed, limit, how)]


def _unbiased(hypothesis: str) -> list[Audit]:
    how = "by construction: minibatches are drawn uniformly with replacement, independent of the past"
    return [Audit(hypothesis, "held", None, None, how)]


def _conditions(e: Evidence) -> list[Audit]:
    exact_values = checked(e.claim.parameters, e.plan.inputs)
    failing = e.claim.failing(exact_values)
    table = e.plan.values | {name: float(value) for name, value in e.plan.inputs.items()}
    return [
        Audit(
            f"{c.lhs} {c.rel_op} {c.rhs}",
            "failed" if c in failing else "held",
            table[str(c.lhs)],
            table[str(c.rhs)],
            "decided without rounding",
        )
        for c in e.claim.conditions
    ]


def _segment_smoothness(e: Evidence) -> Audit:
    sure = e.surely("path_smoothness")
    how = f"descent inequality on the segment from v_t to v_(t+1), rounding error taken off, at {e.looks}"
    return Audit("smoothness of F", _verdict(sure, e.plan.values["Lhat"]), sure, e.plan.values["Lhat"], how)


AUDITS: dict[str, Callable[[Evidence], list[Audit]]] = {
    "jiang2024.assumption1": _smooth_in_w,
    "jiang2024.assumption2": lambda e: _ball(e, "jiang2024.assumption2"),
    "jiang2024.assumption3": lambda e: [
        _lipschitz(e),
        _gradient_in_w(e, "jiang2024.assumption3.2", "frobenius"),
    ],
    "jiang2024.assumption4": _noise,
    "jiang2024.unbiased": lambda e: _unbiased("jiang2024.unbiased"),
    "jiang2024.bounded_below": _bounded_below,
    "meft.ball": lambda e: _ball(e, "meft.ball"),
    "meft.gradient_bound": lambda e: [_gradient_in_w(e, "meft.gradient_bound", "spectral")],
    "meft.unbiased": lambda e: _unbiased("meft.unbiased"),
}
