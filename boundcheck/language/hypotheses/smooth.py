"""F is smooth along the iterates, in balls around the segments between them, or on all of space."""

import sympy as sp

from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim, Statement
from boundcheck.language.hypotheses.base import Blamed, Hypothesis, Worst, assumed
from boundcheck.language.hypotheses.evidence import Audit, Evidence
from boundcheck.language.instance import Answer, Instance, at_most
from boundcheck.language.symbols import Lhat, ell
from boundcheck.language.vocabulary import EuclideanNorm, F, Gradient, v1, v2


class Smooth(Hypothesis):
    """Smoothness of F: it follows from what the adapter's sharpest claim rests on; for a network it is only seen."""

    def rows(self, evidence: Evidence, id: str) -> list[tuple[Blamed, Audit]]:
        """The rows of those hypotheses, or of what was seen."""
        if not evidence.function.is_known:
            seen = evidence.plan.values[Lhat.name]
            how = f"the largest smoothness along a segment, its rounding error added, at {evidence.looks}: measured, "
            return [("constant", Audit(id, "constant", "assumed", seen, seen, how + "not proved", Lhat.name))]
        rests_on = catalogue[evidence.problem.adapter.claims[0]].hypotheses
        return [row for each in rests_on for row in _rows_of(each, evidence)]


def _rows_of(hypothesis: Claim, evidence: Evidence) -> list[tuple[Blamed, Audit]]:
    if isinstance(hypothesis.word, Hypothesis):
        return hypothesis.word.rows(evidence, hypothesis.id)
    return [("constant", assumed(hypothesis.id, f"cannot be audited: {hypothesis.title}"))]


def _decided(instance: Instance, word: Hypothesis, hypothesis: Claim) -> Answer:
    limit = word.symbols[0]
    return at_most("the smoothness of F", instance.smoothness(word.smooth_on), limit, instance.value(limit))


_IS_SMOOTH = Worst(is_smooth=True)
_IS_LIPSCHITZ = sp.Le(EuclideanNorm(Gradient(F, v1) - Gradient(F, v2)), ell * EuclideanNorm(v1 - v2))
SMOOTH = Smooth(
    "smooth",
    "F is smooth along the iterates",
    (ell,),
    says=(Statement(_IS_LIPSCHITZ, r"\text{for } v_1, v_2 \text{ on the iterates and the segments between them}"),),
    worst=_IS_SMOOTH,
    smooth_on="path",
    decided=_decided,
)
SMOOTH_AROUND = Smooth(
    "smooth_around",
    "F is smooth around the iterates",
    (ell,),
    says=(Statement(_IS_LIPSCHITZ, r"\text{for } v_1, v_2 \text{ in the balls whose diameters are the steps}"),),
    worst=_IS_SMOOTH,
    smooth_on="space",
    decided=_decided,
)
SMOOTH_EVERYWHERE = Smooth(
    "smooth_everywhere",
    "F is smooth on all of space",
    (ell,),
    says=(Statement(_IS_LIPSCHITZ, r"\text{for all } v_1, v_2"),),
    worst=_IS_SMOOTH,
    smooth_on="space",
    decided=_decided,
)
