"""One factor is frozen, and its spectral norm is at most a."""

import sympy as sp

from boundcheck.language.claim import Claim, Statement
from boundcheck.language.hypotheses.base import Hypothesis, Worst
from boundcheck.language.hypotheses.evidence import Audit, Evidence
from boundcheck.language.instance import HOLDS, Answer, Instance, at_most
from boundcheck.language.symbols import a, b
from boundcheck.language.vocabulary import A, SpectralNorm


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
