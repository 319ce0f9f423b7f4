"""F is convex, or strongly convex with constant mu_F."""

from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Literal

import sympy as sp

from boundcheck.exact.digits import DOWN, shown
from boundcheck.language.claim import Claim, Statement
from boundcheck.language.hypotheses.base import Hypothesis, Worst
from boundcheck.language.hypotheses.evidence import Audit, Evidence, used
from boundcheck.language.instance import Answer, Extent, Instance, at_least
from boundcheck.language.symbols import mu_F
from boundcheck.language.vocabulary import EuclideanNorm, F, Gradient, InnerProduct, Value, v1, v2


def _convex(e: Evidence, id: str) -> list[Audit]:
    if e.function.is_known and e.problem.is_convex:
        return [Audit(id, "hypothesis", "held", None, None, "f is convex, and W is an affine function of v")]
    return [Audit(id, "hypothesis", "assumed", None, None, "nothing says that F is convex")]


def _strongly_convex(e: Evidence, id: str) -> list[Audit]:
    known, limit = e.problem.strong_convexity, used(e, mu_F.name)
    certified = known is not None and known.kind == "certified" and limit <= known.value
    how = (
        f"{shown(known.value, 6, DOWN)} is {known.kind}: {known.how}"
        if known
        else "no constant of strong convexity is known"
    )
    if mu_F.name in e.spec.assume:
        how = f"assumed by the spec; {how}"
    return [Audit(id, "constant", "held" if certified else "assumed", None, limit, how, mu_F.name)]


def _decided(instance: Instance, word: Hypothesis, hypothesis: Claim) -> Answer:
    return at_least("the convexity of F", instance.convexity("space"), 0, Extent.of(Fraction(0)))


def _decided_strong(where: Literal["near", "space"], instance: Instance, word: Hypothesis, hypothesis: Claim) -> Answer:
    least = word.symbols[0]
    return at_least("the strong convexity of F", instance.convexity(where), least, instance.value(least))


_TANGENT = Value(F, v1) + InnerProduct(Gradient(F, v1), v2 - v1)
_EVERYWHERE = r"\text{for all } v_1, v_2"
_IS_STRONG = sp.Ge(Value(F, v2), _TANGENT + mu_F / 2 * EuclideanNorm(v2 - v1) ** 2)
CONVEX = Hypothesis(
    "convex",
    "F is convex",
    (),
    Worst(is_convex=True),
    held=_convex,
    decided=_decided,
    says=(Statement(sp.Ge(Value(F, v2), _TANGENT), _EVERYWHERE),),
)
STRONGLY_CONVEX = Hypothesis(
    "strongly_convex",
    "F is strongly convex",
    (mu_F,),
    says=(Statement(_IS_STRONG, r"\text{for all } v_1, v_2 \text{ within } R_1 \text{ of } v^*"),),
    worst=Worst(is_convex=True, strong=mu_F),
    held=_strongly_convex,
    decided=partial(_decided_strong, "near"),
)
STRONGLY_CONVEX_EVERYWHERE = replace(
    STRONGLY_CONVEX,
    id="strongly_convex_everywhere",
    title="F is strongly convex on all of space",
    says=(Statement(_IS_STRONG, _EVERYWHERE),),
    decided=partial(_decided_strong, "space"),
    no_instance="the slopes of an instance end, where strong convexity asks for steeper ones",
)
