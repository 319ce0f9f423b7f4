"""The hypotheses of a theorem, each held against the run: what was observed, the limit, and how it is known.

Each hypothesis is a word that says how a run is held against it. What a theorem says of constants it says on its ball,
so that only iterates inside of it can contradict one.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np
import sympy as sp
import torch
from sympy.core.relational import Relational

from boundcheck.experiment.plan import Plan, Start, make_sampler
from boundcheck.experiment.run import Record
from boundcheck.experiment.schema import GradientRatio
from boundcheck.experiment.spec import ASSUMABLE, Spec
from boundcheck.experiment.streams import generator
from boundcheck.functions.arithmetic import Point, replicate
from boundcheck.functions.checks import Draws, Mean, as_drawn, mean_of_minibatches
from boundcheck.functions.draws import Sampler
from boundcheck.functions.problem import End, Problem
from boundcheck.language.claim import Claim, checked
from boundcheck.language.evidence import Audit, Guilt, Status, status_of
from boundcheck.language.evidence import Evidence as Recorded
from boundcheck.language.function import Function
from boundcheck.language.hypotheses import SMOOTH, Blamed, Hypothesis, assumed
from boundcheck.language.measures import SMOOTHNESS
from boundcheck.language.prose import typed
from boundcheck.language.sentence import ranges_over_letters, smoothness_of, words_of
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
    def problem(self) -> Problem:
        """The function, as a problem in one matrix."""
        return cast(Problem, self.function)

    @property
    def smoothness(self) -> float:
        """The least known upper bound on the smoothness of F; the plan's L̂ where its constants are not known."""
        if not self.function.is_known:
            return self.plan.smoothness
        return min((end.value for end in known_ends(self)), default=math.inf)

    @cached_property
    @torch.inference_mode()
    def minibatches(self) -> Mean | None:
        if self.plan.batch is None:
            return None
        last, device = self.record.last, str(self.record.last[0].device)
        random = generator(self.spec, "pilot", device)
        drawn = drawn_by(make_sampler(self.spec, self.plan, self.function, len(last[0]), random), last)
        # What has diverged is no number, and says nothing.
        return mean_of_minibatches(self.function, tuple(part[:1] for part in last), self.plan.batch, drawn)


def drawn_by(sampler: Sampler | None, v: Point) -> Draws:
    """Minibatches as a run draws them, at its points or at one point for all of its replicas."""
    law, indices = (None, None) if sampler is None else (sampler.law(), sampler.draw())
    if law is None or indices is None:
        return ()
    return as_drawn(v if len(v[0]) == len(indices) else replicate(v, len(indices)), indices, law.replaced)


def audit(evidence: Evidence) -> list[Audit]:
    """Audit each hypothesis of the claim, its conditions, its step size, and smoothness along the segments travelled.

    Where a claim has no L̂, its algorithm says what a step takes for granted.

    The audits come in the order in which they would be blamed. Step size and sampling are choices, and nothing else
    explains them away; a constant that is contradicted inside the ball is wrong whatever follows from it; T_min and the
    longest step follow from constants, and the ball may be left because of any of these.
    """
    found: dict[str, list[Audit]] = {"sampling": [], "constant": [], "ball": []}
    for hypothesis, word in words_of(evidence.claim):
        for turn, row in _rows(evidence, hypothesis, word):
            found[turn].append(row)
    if not ranges_over_letters(evidence.claim):
        said = typed(evidence.claim.quantifier)
        found["constant"].append(assumed("the range", f"cannot be audited: nothing says whether the run is one {said}"))
    if evidence.sampling is not None:
        found["sampling"] = list(evidence.sampling)
    # Of a function whose L̂ is not known beforehand smoothness is a hypothesis like the others.
    is_said = evidence.function.is_known and SMOOTHNESS.letter in evidence.claim.names
    smoothness = _segment_smoothness(evidence) if is_said else []
    follows = [*smoothness, *evidence.spec.algorithm.rows(evidence), *_conditions(evidence)]
    return [_step_size(evidence), *found["sampling"], *found["constant"], *follows, *found["ball"]]


def _rows(evidence: Evidence, hypothesis: Claim, word: Hypothesis | None) -> list[tuple[Blamed, Audit]]:
    if word is None:
        how = f"cannot be audited: {hypothesis.title} is no word that a run can be held against"
        return [("constant", assumed(hypothesis.id, how))]
    return word.rows(evidence, hypothesis.id)


def _step_size(e: Evidence) -> Audit:
    used, prescribed = e.plan.step_size, e.plan.prescribed
    status: Status = "held" if math.isclose(used, prescribed, rel_tol=1e-9) else "failed"
    how = "what the spec gives" if e.spec.takes_step_size else "what the theorem prescribes at these constants"
    return Audit("step size", "constant", status, used, prescribed, how, e.spec.algorithm.step_size)


def _conditions(e: Evidence) -> list[Audit]:
    """Audit the claim's conditions, as the claim has them and as the spec assumes them; the stricter limit counts."""
    if not e.function.is_known:
        return [_longest_step(e)]
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
        name, symbol = f"{c.lhs} {c.rel_op} {c.rhs}", _blamed(e, c)
        # T may be too short; any other number that a user gives is a constant, which may be too large.
        guilt: Guilt = "horizon" if c.lhs == T else "constant"
        limit = max(limits) if c.rel_op in (">", ">=") else min(limits)
        found.append(Audit(name, guilt, status, observed, limit, "decided without rounding", symbol))
    return found


def _value(claim: Claim, expression: sp.Expr, inputs: Mapping[str, Any]) -> float:
    """The value of an expression over parameters and quantities."""
    values = {name: float(value) for name, value in inputs.items()}
    values |= {name: float(claim.function(name)(**values)) for name in claim.names if name in _letters(expression)}
    return float(expression.subs({x: values[str(x.name)] for x in expression.free_symbols}))


def _blamed(e: Evidence, condition: Relational) -> str:
    """The letter of a condition: its left side, or a number that the run was free to choose."""
    letters = _letters(condition)
    chosen = (name for name in (*e.spec.free, *sorted(letters)) if name in letters)
    return str(condition.lhs.name) if condition.lhs.is_Symbol else next(chosen)


def _longest_step(e: Evidence) -> Audit:
    """Audit whether the step is no longer than the L̂ that was seen allows, which rounding error may hide."""
    free = e.spec.free[0]
    condition = next(c for c in e.claim.conditions if str(c.lhs) == free)
    step, known = e.plan.step_size, {p.name: 1.0 for p in e.claim.parameters}

    def longest(smoothness: float) -> float:
        if not smoothness > 0:
            return math.inf
        return float(e.claim.function(str(condition.rhs))(**known | {SMOOTH.letter: smoothness}))

    def allowed(limit: float) -> bool:
        return step < limit if condition.rel_op == "<" else step <= limit

    sure, seen = longest(e.sure_smoothness), longest(e.plan.smoothness)
    status: Status = "failed" if not allowed(sure) else "held" if allowed(seen) else "assumed"
    how = f"what {condition.rhs} is at the smoothness that was seen along the path; L̂ is at least that"
    return Audit(str(condition), "constant", status, step, seen, how, free)


def _segment_smoothness(e: Evidence) -> list[Audit]:
    """Audit the descent curvature and the gradient ratio of each segment against what the hypotheses say of F.

    Neither may be above that. It is L̂, unless the theorem has another formula for L̂ than the hypotheses have. The
    ball is convex, so that a segment between two of its points is inside.
    """
    limit, claim, more = e.plan.smoothness, e.spec.said, ""
    formula, said = claim.expression(SMOOTHNESS.letter), smoothness_of(claim)
    names = claim.names[: claim.names.index(SMOOTHNESS.letter) + 1]
    symbol = SMOOTHNESS.letter
    if said and formula not in said:
        # What the theorem calls L̂ is a number that no hypothesis speaks of.
        known = {x: _value(claim, x, e.plan.inputs) for x in said if _letters(x) <= {*e.plan.inputs, *claim.names}}
        if not known:
            return []
        formula = min(known, key=lambda each: known[each])
        limit, names, symbol = known[formula], (), str(formula) if formula.is_Symbol else symbol
    assumed = [name for name in names if name in e.spec.assume]
    certified = True
    if assumed:
        more = "; the limit is assumed by the spec"
        ends = [end.value for end in known_ends(e)]
        # A plan with a number in place of L̂ has not the constants of which the theorem makes it.
        if {p.name for p in claim.parameters} <= e.plan.inputs.keys():
            ends.append(_value(claim, SMOOTHNESS.symbol, e.plan.inputs))
        certified = e.problem.objective.smoothness.kind == "certified" and any(limit >= value for value in ends)
    # Of what went into it, what the spec assumes is to blame before what is known.
    blamable = (*assumed[::-1], *(name for name in ASSUMABLE if name in _letters(formula)))
    symbol = next((name for name in blamable if name in e.spec.assume), symbol)
    seen = {"path_smoothness": ("smoothness of F", "descent inequality on the segment from v_t to v_(t+1)")}
    if not e.problem.adapter.is_curved:
        seen["gradient_ratio"] = ("smoothness of F, gradient ratio", "‖∇F(v_(t+1)) − ∇F(v_t)‖ / ‖v_(t+1) − v_t‖")
    found = []
    for name, (hypothesis, what) in seen.items():
        sure, how = e.surely(name), f"{what}, rounding error taken off, at {e.looks}{more}"
        if not said and not assumed and sure is not None and limit < sure <= e.smoothness < math.inf:
            # No hypothesis is broken: what is known of F allows it.
            continue
        found.append(Audit(hypothesis, "constant", status_of(sure, limit, certified), sure, limit, how, symbol))
    return found


def _letters(expression: sp.Expr) -> set[str]:
    return {str(x.name) for x in expression.free_symbols}


def largest_ratio(e: Evidence) -> GradientRatio | None:
    """The gradient ratio that is largest with its rounding error taken off; None where none was a number."""
    if "gradient_ratio" not in e.record.trace:
        return None
    value, error = (e.record.trace[name].values[e.finite] for name in ("gradient_ratio", "gradient_ratio_error"))
    known = np.isfinite(value) & np.isfinite(error)
    if not known.any():
        return None
    place = int((value - error)[known].argmax())
    return GradientRatio(float(value[known][place]), float(error[known][place]))


def known_ends(e: Evidence) -> list[End]:
    """The known upper bounds on the smoothness along the segments travelled, of a problem in one matrix."""
    without = e.problem.adapter.needs_ball and not e.plan.radii
    return [] if without else e.problem.upper_ends(e.plan.radii)
