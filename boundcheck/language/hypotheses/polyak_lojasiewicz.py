"""F satisfies the Polyak–Łojasiewicz inequality: its gradient is large where it lies far above its least value."""

import sympy as sp

from boundcheck.exact.digits import DOWN, shown
from boundcheck.language.claim import Claim, Statement
from boundcheck.language.hypotheses.base import Hypothesis
from boundcheck.language.hypotheses.evidence import Audit, Evidence, used
from boundcheck.language.instance import HOLDS, Answer, Instance, at_least
from boundcheck.language.symbols import f_star, mu_F
from boundcheck.language.vocabulary import EuclideanNorm, F, Gradient, Value, v


def _held(e: Evidence, id: str) -> list[Audit]:
    known, limit = e.problem.strong_convexity, used(e, mu_F.name)
    certified = known is not None and known.kind == "certified" and limit <= known.value
    how = "no constant is known"
    if known:
        how = f"F is strongly convex, from which it follows; {shown(known.value, 6, DOWN)} is {known.kind}: {known.how}"
    if mu_F.name in e.spec.assume:
        how = f"assumed by the spec; {how}"
    return [Audit(id, "constant", "held" if certified else "assumed", None, limit, how, mu_F.name)]


def _decided(instance: Instance, word: Hypothesis, hypothesis: Claim) -> Answer:
    """Decide by strong convexity, from which it follows; without that nothing is decided."""
    least = word.symbols[0]
    strong = at_least("the strong convexity of F", instance.convexity("space"), least, instance.value(least))
    return strong if strong == HOLDS else Answer("open", "F is not known to be strongly convex")


POLYAK_LOJASIEWICZ = Hypothesis(
    "polyak_lojasiewicz",
    "F satisfies the Polyak–Łojasiewicz inequality",
    (mu_F,),
    says=(
        Statement(sp.Ge(EuclideanNorm(Gradient(F, v)) ** 2, 2 * mu_F * (Value(F, v) - f_star)), r"\text{for all } v"),
    ),
    held=_held,
    decided=_decided,
    no_instance="the slopes of an instance end, where the inequality asks for steeper ones",
)
