"""F is bounded below, by D less than it is at v_1."""

import sympy as sp

from boundcheck.exact.digits import UP, shown
from boundcheck.language.claim import Claim, Statement
from boundcheck.language.cost import Cost
from boundcheck.language.hypotheses.base import Hypothesis, Worst
from boundcheck.language.hypotheses.evidence import Audit, Evidence, largest, status_of, used
from boundcheck.language.instance import UNKNOWN, Answer, Instance, at_least, at_most
from boundcheck.language.symbols import D, f_star
from boundcheck.language.vocabulary import F, Value, W, f, v, v_first, v_last


def _held(e: Evidence, id: str) -> list[Audit]:
    """Check that F fell by no more than D, and so did not go below the least value that D allows."""
    gap, known = used(e, D.name), e.start.gap
    trace = e.record.trace
    # D is rounded up from F(v_1) as computed; a fall that its error explains is none.
    lowest = largest(-(trace["loss"].values + trace["loss_error"].values)[e.inside])
    fall = None if lowest is None else known.value + e.function.infimum.value + lowest
    source = f"D is {known.kind}: {known.how}"
    if D.name in e.spec.assume:
        source = f"D is assumed by the spec, {shown(known.value, 6, UP)} is {known.kind}"
    certified = known.kind == "certified" and known.value <= gap and not e.partial
    how = f"the largest fall F(v_1) - F(v_t) at {e.looks}; {source}"
    return [Audit(id, "constant", status_of(fall, gap, certified), fall, gap, how, D.name)]


def _decided(instance: Instance, word: Hypothesis, hypothesis: Claim) -> Answer:
    """Decide whether F is nowhere below f*, and D, where the instance has one, is the gap at v_1 or more."""
    below = at_least("the infimum of F", instance.infimum(), f_star, instance.value(f_star))
    gap = instance.value(D)
    return below if gap == UNKNOWN else below & at_most("F(v_1) less its infimum", instance.gap(), D, gap)


_COST = Cost(
    "D for the fall of F",
    ((Value(F, v_first), D + f_star), (Value(F, v_last), f_star)),
    "D is all that F might ever fall by, and stands for what it fell by",
)
IN_W = Statement(sp.Ge(Value(f, W), f_star), r"\text{for all } W")
IN_V = Statement(sp.Ge(Value(F, v), f_star), r"\text{for all } v")
BOUNDED_BELOW = Hypothesis(
    "bounded_below",
    "bounded below",
    (D,),
    says=(IN_W, IN_V),
    worst=Worst(gap=D),
    held=_held,
    decided=_decided,
    cost=_COST,
)
