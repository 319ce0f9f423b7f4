"""The first iterate lies within R_1 of a minimiser."""

import sympy as sp

from boundcheck.exact.digits import UP, shown
from boundcheck.language.claim import Claim, Statement
from boundcheck.language.hypotheses.base import Hypothesis, Worst
from boundcheck.language.hypotheses.evidence import Audit, Evidence, used
from boundcheck.language.instance import Answer, Instance, at_most
from boundcheck.language.symbols import R_1, f_star
from boundcheck.language.vocabulary import EuclideanNorm, F, Value, v_first, v_star


def _held(e: Evidence, id: str) -> list[Audit]:
    known, limit = e.problem.distance_bound(e.start.v), used(e, R_1.name)
    certified = known is not None and known.kind == "certified" and limit >= known.value
    how = f"{shown(known.value, 6, UP)} is {known.kind}: {known.how}" if known else "no bound on the distance is known"
    if R_1.name in e.spec.assume:
        how = f"assumed by the spec; {how}"
    return [Audit(id, "constant", "held" if certified else "assumed", None, limit, how, R_1.name)]


def _decided(instance: Instance, word: Hypothesis, hypothesis: Claim) -> Answer:
    radius = word.symbols[0]
    return at_most("the distance from v_1 to a minimiser", instance.distance(), radius, instance.value(radius))


NEAR_MINIMISER = Hypothesis(
    "near_minimiser",
    "the first iterate is near a minimiser",
    (R_1,),
    says=(
        Statement(
            sp.And(sp.Eq(Value(F, v_star), f_star), sp.Le(EuclideanNorm(v_first - v_star), R_1)),
            r"\text{for a } v^* \text{ where } F \text{ is least}",
        ),
    ),
    worst=Worst(distance=R_1),
    held=_held,
    decided=_decided,
)
