"""W is C-Lipschitz in its factors."""

from collections.abc import Mapping
from typing import Literal

import sympy as sp

from boundcheck.language.claim import Claim, Statement
from boundcheck.language.hypotheses.base import Hypothesis, Worst
from boundcheck.language.hypotheses.evidence import Audit, Evidence, status_of, used
from boundcheck.language.instance import Answer, Instance, at_most
from boundcheck.language.symbols import C, r, sigma
from boundcheck.language.vocabulary import A1, A2, B1, B2, W1, W2, FrobeniusNorm

Lipschitz = Literal["sigma", "sqrt(r) sigma"]
"""The readings of C on a ball of radius sigma; the first is the least that C can be."""

LEAST: Lipschitz = "sigma"
LARGER: Lipschitz = "sqrt(r) sigma"
READINGS: Mapping[str, sp.Expr] = {LEAST: sigma, LARGER: sp.sqrt(r) * sigma}


def _held(e: Evidence, id: str) -> list[Audit]:
    sigma, limit = max(e.plan.radii.values()), used(e, C.name)
    how = "on the ball, C = σ holds for every pair by ‖XY‖_F ≤ ‖X‖_op‖Y‖_F"
    # The sigma of the plan is the float; C is that float or a multiple of it by sqrt(r) >= 1.
    return [Audit(id, "constant", status_of(sigma, limit), sigma, limit, how, C.name)]


def _decided(instance: Instance, word: Hypothesis, hypothesis: Claim) -> Answer:
    limit = word.symbols[0]
    return at_most("the least constant on the domain", instance.adapter_lipschitz(), limit, instance.value(limit))


LIPSCHITZ_ADAPTER = Hypothesis(
    "lipschitz_adapter",
    "W is Lipschitz in its factors",
    (C,),
    says=(
        Statement(
            sp.Le(FrobeniusNorm(W1 - W2), C * (FrobeniusNorm(A1 - A2) + FrobeniusNorm(B1 - B2))),
            r"\text{for any } A_i, B_i \text{ and } W_i = W_0 + B_i A_i",
        ),
    ),
    worst=Worst(),
    held=_held,
    decided=_decided,
)
