"""One factor is frozen, and its spectral norm is at most a."""

import sympy as sp

from boundcheck.claims import Claim
from boundcheck.claims.claim import Statement
from boundcheck.claims.symbols import a, b
from boundcheck.claims.vocabulary import A, SpectralNorm
from boundcheck.words.hypotheses.base import Hypothesis, Worst
from boundcheck.words.hypotheses.evidence import Audit, Evidence
from boundcheck.words.instance import HOLDS, Answer, Instance, at_most


def _held(e: Evidence, id: str) -> list[Audit]:
    constants, adapter = e.problem.adapter.constants(e.plan.radii), e.problem.adapter
    how = "the spectral norm of the frozen {0}, rounded up with Arb"
    return [
        Audit(id, "constant", "held", None, constants[symbol], how.format(field), symbol)
        for field, symbol in adapter.frozen.items()
    ]


def _decided(instance: Instance, word: Hypothesis, hypothesis: Claim) -> Answer:
    radii = {a, b} & hypothesis.conclusion.free_symbols
    answer = HOLDS if radii else instance.decide(hypothesis.conclusion)
    for radius in sorted(radii, key=str):
        answer &= at_most(
            f"the norm of a frozen factor within {radius}", instance.frozen(radius), radius, instance.value(radius)
        )
    return answer


FROZEN_FACTOR = Hypothesis(
    "frozen_factor",
    "one factor is frozen",
    (a, b),
    says=(Statement(sp.Le(SpectralNorm(A), a), r"\text{for the frozen } A"),),
    worst=Worst(is_smooth=True),
    smooth_on="frozen",
    held=_held,
    decided=_decided,
)
