"""f is L-smooth in W."""

import sympy as sp

from boundcheck.exact.digits import UP, shown
from boundcheck.language.claim import Claim, Statement
from boundcheck.language.hypotheses.base import Hypothesis, Worst
from boundcheck.language.hypotheses.evidence import Audit, Evidence, used
from boundcheck.language.instance import Answer, Instance, at_most
from boundcheck.language.symbols import L
from boundcheck.language.vocabulary import W1, W2, FrobeniusNorm, Gradient, f


def _held(e: Evidence, id: str) -> list[Audit]:
    known = e.problem.objective.smoothness
    certified, limit, how = known.kind == "certified", known.value, f"the limit is {known.kind}: {known.how}"
    if L.name in e.spec.assume:
        # What a claim is given of f is that of X -> f(W0 + sX) where the claim has no scale.
        inputs = e.function.inputs(e.claim, e.plan.radii or e.start.norms, e.spec.lipschitz)
        least, limit = float(inputs[L.name]), used(e, L.name)
        certified = certified and limit >= least
        how = f"assumed by the spec; {shown(least, 6, UP)} is {known.kind}: {known.how}"
    return [Audit(id, "constant", "held" if certified else "assumed", None, limit, how, L.name)]


def _decided(instance: Instance, word: Hypothesis, hypothesis: Claim) -> Answer:
    limit = word.symbols[0]
    return at_most("the largest slope of ∇f", instance.weight_smoothness(), limit, instance.value(limit))


SMOOTH_IN_W = Hypothesis(
    "smooth_in_w",
    "f is smooth in W",
    (L,),
    says=(
        Statement(
            sp.Le(FrobeniusNorm(Gradient(f, W1) - Gradient(f, W2)), L * FrobeniusNorm(W1 - W2)),
            r"\text{for all } W_1, W_2 \in \mathbb{R}^{d \times k}",
        ),
    ),
    worst=Worst(),
    held=_held,
    decided=_decided,
)
