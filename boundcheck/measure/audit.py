"""The hypotheses of a theorem, each held against the run: what was observed, the limit, and how it is known.

Which hypotheses are audited follows from the claim: every one it lists has an audit here, found by its id. What a
theorem says of constants it says on its ball, so that only iterates inside of it can contradict one.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np

from boundcheck.claims import Claim, catalogue
from boundcheck.claims.inputs import checked
from boundcheck.claims.symbols import T
from boundcheck.measure.ball import ROUNDING
from boundcheck.measure.plan import Plan, Start
from boundcheck.measure.result import Audit, Guilt, Status
from boundcheck.measure.run import Record
from boundcheck.measure.spec import Spec
from boundcheck.problems.constant import EPSILON, End
from boundcheck.problems.inputs import theory_inputs, upper_ends
from boundcheck.problems.observe import norm_name
from boundcheck.problems.problem import Problem
from boundcheck.words.function import Function

# The share of all iterates that noise above zeta^2 may have gone unseen at, at 95 %, for zeta to count as held.
_UNSEEN = 0.05


@dataclass(frozen=True)
class Evidence:
    """What an audit may look at.

    Attributes:
        claim: the spec's theorem, with what it assumes.
        spec, function, start, plan, record: of the run.
        sampling: what is known of the sampling from how it was made; where it is None the trace shows it.
        partial: on which of its samples the function was looked at, where not on all.

    """

    claim: Claim
    spec: Spec
    function: Function
    start: Start
    plan: Plan
    record: Record
    sampling: tuple[Audit, ...] | None = None
    partial: str = ""

    @property
    def problem(self) -> Problem:
        """The function, of a hypothesis that only a problem in one matrix can be held to."""
        return cast(Problem, self.function)

    @property
    def looks(self) -> str:
        """Over what the maxima run, in words."""
        replicas, strata = self.record.schedule.times.shape
        some = f"{strata} random iterates" if self.record.schedule.at_random else f"{strata} iterates"
        times = "every iterate" if self.record.schedule.is_every_step else some
        times += f", on {self.partial}" if self.partial else ""
        return f"{times} of each of {replicas} replicas" if self.spec.is_stochastic and replicas > 1 else times

    @property
    def finite(self) -> np.ndarray:
        """Which audited steps led from numbers to numbers, shape (R, M); the others speak against nothing."""
        numbers = [self.record.trace[name].values for name in self.function.norm_names.values()]
        return np.all([np.isfinite(x).reshape(*x.shape[:2], -1).all(-1) for x in numbers], axis=0)

    @cached_property
    def inside(self) -> np.ndarray:
        """Which audited steps began and ended inside the ball, shape (R, M); where there is none, which are finite."""
        found = self.finite.copy()
        for radius, name in self.function.norm_names.items():
            if radius in self.plan.radii:
                found &= self.record.trace[name].values <= self.plan.radii[radius] * (1 + ROUNDING)
        return found

    def most(self, name: str) -> float | None:
        """The largest value of an observable inside the ball; NaN where one is; None where nothing was inside."""
        return _largest(self.record.trace[name].values[self.inside])

    def surely(self, name: str) -> float | None:
        """The largest value of an observable inside the ball, less the bound on its rounding error; as `most`."""
        trace = self.record.trace
        return _largest((trace[name].values - trace[f"{name}_error"].values)[self.inside])

    @property
    def sure_smoothness(self) -> float:
        """The largest smoothness along the path, less its rounding error; at least 0, and of finite numbers alone."""
        trace = self.record.trace
        with np.errstate(invalid="ignore"):
            values = (trace["path_smoothness"].values - trace["path_smoothness_error"].values)[self.inside]
        return float(values[np.isfinite(values)].max(initial=0.0))


def _largest(values: np.ndarray) -> float | None:
    return float(np.max(values)) if values.size else None


def audit(evidence: Evidence) -> list[Audit]:
    """Audit each hypothesis of the claim, its conditions, its step size, and smoothness along the segments travelled.

    In the order in which one would be blamed. Step size and sampling are choices, and nothing else explains them away;
    a constant that is contradicted inside the ball is wrong whatever follows from it; T_min and the longest step follow
    from constants, and the ball may be left because of any of these.
    """
    found = [each for h in evidence.claim.hypotheses for each in AUDITS[h.id](evidence)]
    balls = [each for each in found if each.hypothesis in _BALLS]
    others = [each for each in found if each not in balls]
    sampling = [each for each in others if each.hypothesis in _SAMPLING]
    constants = [each for each in others if each not in sampling]
    if evidence.sampling is not None:
        sampling = list(evidence.sampling)
    # Of a function whose L̂ is not known beforehand smoothness is a hypothesis like the others.
    smoothness = [_segment_smoothness(evidence)] if evidence.function.is_known else []
    return [_step_size(evidence), *sampling, *constants, *smoothness, *_conditions(evidence), *balls]


def _verdict(observed: float | None, limit: float, certified: bool = True) -> Status:
    # Written so that NaN fails.
    if observed is not None and not observed <= limit:
        return "failed"
    return "held" if certified else "assumed"


def _step_size(e: Evidence) -> Audit:
    used, prescribed = e.plan.step_size, e.plan.prescribed
    status: Status = "held" if math.isclose(used, prescribed, rel_tol=1e-9) else "failed"
    how = "what the spec gives" if e.spec.takes_step_size else "what the theorem prescribes at these constants"
    return Audit("step size", "constant", status, used, prescribed, how, "alpha")


def _used(e: Evidence, name: str) -> float:
    return float(e.plan.inputs[name])


def _smooth_in_w(e: Evidence) -> list[Audit]:
    L = e.problem.objective.smoothness
    if "L" in e.spec.assume:
        # What a claim is given of f is that of X -> f(W0 + sX) where the claim has no scale.
        known = float(theory_inputs(e.claim, e.problem, e.plan.radii or e.start.norms, e.spec.lipschitz)["L"])
        certified, limit = L.kind == "certified" and _used(e, "L") >= known, _used(e, "L")
        how = f"assumed by the spec; {known:.6g} is {L.kind}: {L.how}"
    else:
        certified, limit, how = L.kind == "certified", L.value, f"the limit is {L.kind}: {L.how}"
    return [Audit("jiang2024.assumption1", "constant", "held" if certified else "assumed", None, limit, how, "L")]


def _bounded_below(e: Evidence) -> list[Audit]:
    """That F fell by no more than D: it did not reach below what D says that f does."""
    D, known = _used(e, "D"), e.start.gap
    trace = e.record.trace
    # D is rounded up from F(v_1) as computed; a fall that its error explains is none.
    lowest = _largest(-(trace["loss"].values + trace["loss_error"].values)[e.inside])
    fall = None if lowest is None else known.value + e.function.infimum.value + lowest
    certified = known.kind == "certified" and known.value <= D
    source = f"D is {known.kind}: {known.how}"
    if "D" in e.spec.assume:
        source = f"D is assumed by the spec, {known.value:.6g} is {known.kind}"
    certified = certified and not e.partial
    how = f"the largest fall F(v_1) - F(v_t) at {e.looks}; {source}"
    return [Audit("jiang2024.bounded_below", "constant", _verdict(fall, D, certified), fall, D, how, "D")]


def _ball(e: Evidence, hypothesis: str) -> list[Audit]:
    ball = e.record.ball
    if ball is None:
        return []
    found = []
    for block, known, radius in zip(e.problem.adapter.blocks, ball.largest, ball.radii, strict=True):
        audited = e.record.trace[norm_name(block.name)].values
        norm = max(known, float(audited[np.isfinite(audited)].max(initial=0.0)))
        # Whether an iterate left, the watch decides; its largest norm may be of an earlier look.
        status: Status = "failed" if ball.outside is not None and norm > radius else "held"
        how = f"spectral norm of {block.name}: every iterate of every replica, by the length travelled between looks"
        if ball.outside is not None:
            how += f"; first outside at t = {ball.outside}"
        found.append(Audit(hypothesis, "hypothesis", status, norm, radius, how, block.radius))
    return found


def _lipschitz(e: Evidence) -> Audit:
    sigma, C = max(e.plan.radii.values()), _used(e, "C")
    how = "on the ball, C = sigma holds for every pair by ||XY||_F <= ||X||_op ||Y||_F"
    # The sigma of the plan is the float; C is that float or a multiple of it by sqrt(r) >= 1.
    return Audit("jiang2024.assumption3.1", "constant", _verdict(sigma, C), sigma, C, how, "C")


def _gradient_in_w(e: Evidence, hypothesis: str, norm: str) -> Audit:
    G, observed = e.problem.gradient_bound(e.plan.radii), e.most(f"weight_gradient_{norm}")
    limit, certified = G.value, G.kind == "certified"
    how = f"{norm.capitalize()} norm at {e.looks}; the limit is {G.kind}: {G.how}"
    if "G" in e.spec.assume:
        scale = float(theory_inputs(e.claim, e.problem, e.plan.radii, e.spec.lipschitz)["G"]) / G.value
        limit = _used(e, "G") / scale
        certified = certified and limit >= G.value
        how = f"{norm.capitalize()} norm at {e.looks}; the limit is assumed by the spec, {G.value:.6g} is {G.kind}"
    # The rounding error of a norm of dk numbers, each of them right to some units of roundoff.
    d, k = e.problem.objective.shape
    surely = None if observed is None else observed * (1 - (d * k + 64) * EPSILON)
    return Audit(hypothesis, "constant", _verdict(surely, limit, certified), observed, limit, how, "G")


def _noise(e: Evidence) -> list[Audit]:
    zeta = e.plan.zeta or 0.0
    if not e.function.is_known:
        source = "an estimate from some of the samples" if e.partial else "exact variance by enumerating the samples"
        how = f"{source}, at {e.looks}: the largest that was seen, set after the run"
        return [Audit("jiang2024.assumption4", "constant", "assumed", zeta * zeta, zeta * zeta, how, "zeta")]
    observed, limit = e.most("noise_variance"), zeta * zeta
    how = f"exact variance by enumerating the samples, at {e.looks}; the limit was fixed before the run"
    sizes, replicas = np.diff(e.record.schedule.edges), len(e.record.schedule.times)
    # Looks miss k_j failing iterates in stratum j of size n_j with probability prod (1 - k_j/n_j), which is at most
    # exp(-sum k_j / max n_j): below 1/20 once sum k_j is 3 max n_j.
    share = 0.0 if e.record.schedule.is_every_step else 3 * sizes.max() / (replicas * sizes.sum())
    status = _verdict(e.surely("noise_variance"), limit, share <= _UNSEEN)
    if status == "held" and e.inside.all() and share > 0:
        how += f"; at 95% fewer than {math.ceil(1e4 * share) / 1e4:g} of all iterates fail"
    if status == "assumed":
        how += f"; more than {_UNSEEN:.0%} of all iterates may fail unseen: more audits or replicas are needed"
    return [Audit("jiang2024.assumption4", "constant", status, observed, limit, how, "zeta")]


def _unbiased(e: Evidence, hypothesis: str) -> list[Audit]:
    """That the mean of the minibatch gradient given the past is the gradient, whatever the iterate."""
    trace = e.record.trace
    bias, error = (trace[name].values[e.finite] for name in ("conditional_bias", "conditional_bias_error"))
    law, n = e.spec.run.sampling, e.function.samples
    # In an epoch of several minibatches a bias of 0 where one looked says nothing of where one did not.
    known = law == "with replacement" or 2 * (e.plan.batch or n) > n or e.record.schedule.is_every_step
    status = _verdict(_largest(bias - error), 0.0, known)
    if law == "with replacement":
        how = "minibatches are drawn uniformly with replacement, independent of the past"
    else:
        how = "minibatches are drawn without replacement: given the past, from what the epoch has left"
    size = "more than rounding" if status == "failed" else "within rounding"
    how += f"; exact bias by enumerating the samples at {e.looks}, {size}"
    return [Audit(hypothesis, "hypothesis", status, _largest(bias), 0.0, how)]


def _conditions(e: Evidence) -> list[Audit]:
    """The claim's own conditions, and as the spec assumes them, of which the stricter one counts."""
    if not e.function.is_known:
        return [_longest_step(e)]
    inputs = {name: float(value) for name, value in e.plan.inputs.items()}
    values = checked(e.claim.parameters, e.plan.inputs_of(e.claim))
    found = []
    for c in e.claim.conditions:
        limits = [float(claim.function(str(c.rhs))(**inputs)) for claim in (e.claim, e.spec.prescription)]
        failing = any(c in claim.failing(values) for claim in (e.claim, e.spec.prescription))
        status: Status = "failed" if failing else "held"
        name, symbol = f"{c.lhs} {c.rel_op} {c.rhs}", str(c.lhs)
        # T may be too short; any other number that a user gives is a constant, which may be too large.
        guilt: Guilt = "horizon" if c.lhs == T else "constant"
        limit = max(limits) if c.lhs == T else min(limits)
        found.append(Audit(name, guilt, status, inputs[symbol], limit, "decided without rounding", symbol))
    return found


def _longest_step(e: Evidence) -> Audit:
    """That the step is below 2/L̂, where L̂ is what was seen; rounding error may hide which it is."""
    path, sure = e.plan.values["Lhat"], e.sure_smoothness
    longest, too_long = (2 / x if x > 0 else math.inf for x in (path, sure))
    step = e.plan.step_size
    status: Status = "failed" if not step < too_long else "held" if step < longest else "assumed"
    how = "the step has to be shorter than 2/L̂; L̂ is at least the smoothness seen along the path"
    return Audit("eta < eta_max", "constant", status, step, longest, how, "eta")


def _segment_smoothness(e: Evidence) -> Audit:
    if not e.function.is_known:
        seen = e.plan.values["Lhat"]
        how = f"the largest smoothness along a segment, its rounding error added, at {e.looks}: measured, not proved"
        return Audit("smoothness of F", "constant", "assumed", seen, seen, how, "Lhat")
    sure, limit = e.surely("path_smoothness"), e.plan.values["Lhat"]
    how = f"descent inequality on the segment from v_t to v_(t+1), rounding error taken off, at {e.looks}"
    claim = catalogue[e.spec.claim]
    assumed = [name for name in claim.names[: claim.names.index("Lhat") + 1] if name in e.spec.assume]
    certified = True
    if assumed:
        how += "; the limit is assumed by the spec"
        known = [end.value for end in _known_ends(e)]
        known.append(float(claim.function("Lhat")(**{name: float(x) for name, x in e.plan.inputs.items()})))
        certified = e.problem.objective.smoothness.kind == "certified" and any(limit >= value for value in known)
    # Of what went into it, what the spec assumes is to blame before what is known.
    symbol = next((name for name in (*assumed[::-1], "L", "G", "C") if name in e.spec.assume), "Lhat")
    return Audit("smoothness of F", "constant", _verdict(sure, limit, certified), sure, limit, how, symbol)


def _known_ends(e: Evidence) -> list[End]:
    without = e.problem.adapter.needs_ball and not e.plan.radii
    return [] if without else upper_ends(e.problem, e.plan.radii)


def _smooth(e: Evidence) -> list[Audit]:
    """That F is smooth: as it was seen, or by what the sharpest claim about the adapter rests on."""
    if not e.function.is_known:
        return [_segment_smoothness(e)]
    found = _smooth_in_w(e)
    if e.problem.adapter.needs_ball:
        found += [_gradient_in_w(e, "meft.gradient_bound", "spectral"), *_ball(e, "meft.ball")]
    return found


def _frozen(e: Evidence) -> list[Audit]:
    a = e.problem.adapter.constants(e.plan.radii)["a"]
    return [
        Audit(
            "meft.frozen_factor",
            "constant",
            "held",
            None,
            a,
            "the spectral norm of the frozen A, rounded up with Arb",
            "a",
        )
    ]


_BALLS = ("jiang2024.assumption2", "meft.ball")
_SAMPLING = ("jiang2024.unbiased", "meft.unbiased")

AUDITS: dict[str, Callable[[Evidence], list[Audit]]] = {
    "jiang2024.assumption1": _smooth_in_w,
    "jiang2024.assumption2": lambda e: _ball(e, "jiang2024.assumption2"),
    "jiang2024.assumption3": lambda e: [
        _lipschitz(e),
        _gradient_in_w(e, "jiang2024.assumption3.2", "frobenius"),
    ],
    "jiang2024.assumption4": _noise,
    "jiang2024.unbiased": lambda e: _unbiased(e, "jiang2024.unbiased"),
    "jiang2024.bounded_below": _bounded_below,
    "meft.ball": lambda e: _ball(e, "meft.ball"),
    "meft.frozen_factor": _frozen,
    "meft.gradient_bound": lambda e: [_gradient_in_w(e, "meft.gradient_bound", "spectral")],
    "meft.unbiased": lambda e: _unbiased(e, "meft.unbiased"),
    "classic.smooth": _smooth,
    "classic.smooth_around": _smooth_in_w,
}
