"""The variance of the stochastic gradient is at most zeta^2."""

import sympy as sp

from boundcheck.language.algorithms.relora import IN_FACTORS, SLOPE_A, SLOPE_B, g_a, g_b
from boundcheck.language.claim import Claim, Statement
from boundcheck.language.cost import Cost
from boundcheck.language.hypotheses.base import Hypothesis, Worst
from boundcheck.language.hypotheses.evidence import Audit, Evidence, at_looks
from boundcheck.language.instance import Answer, Instance, at_most
from boundcheck.language.symbols import zeta
from boundcheck.language.vocabulary import (
    SLOPE,
    SQUARE,
    EuclideanNorm,
    Expectation,
    F,
    FrobeniusNorm,
    Gradient,
    g,
    g_t,
    v,
)


def _held(e: Evidence, id: str) -> list[Audit]:
    limit = (e.plan.zeta or 0.0) ** 2
    if not e.function.is_known:
        source = "an estimate from some of the samples" if e.partial else "exact variance by enumerating the samples"
        how = f"{source}, at {e.looks}: the largest that was seen, set after the run"
        return [Audit(id, "constant", "assumed", limit, limit, how, zeta.name)]
    observed, surely = e.most("noise_variance"), e.surely("noise_variance")
    return [at_looks(e, id, observed, surely, limit, "exact variance by enumerating the samples", zeta.name)]


def _decided(instance: Instance, word: Hypothesis, hypothesis: Claim) -> Answer:
    limit = word.symbols[0]
    return at_most("the largest variance", instance.variance(), f"{limit}²", instance.value(limit).square())


AT_ANY_POINT = Statement(sp.Le(Expectation(EuclideanNorm(g - Gradient(F, v)) ** 2), zeta**2), r"\text{for all } v")
AT_ITERATES = Statement(sp.Le(Expectation(EuclideanNorm(g_t - SLOPE) ** 2), zeta**2), r"\text{for all } t")
IN_THE_FACTORS = Statement(
    sp.Le(Expectation(FrobeniusNorm(g_a - SLOPE_A) ** 2 + FrobeniusNorm(g_b - SLOPE_B) ** 2), zeta**2), IN_FACTORS
)
BOUNDED_VARIANCE = Hypothesis(
    "bounded_variance",
    "bounded variance",
    (zeta,),
    says=(AT_ANY_POINT, AT_ITERATES, IN_THE_FACTORS),
    worst=Worst(noise=zeta),
    is_about_noise=True,
    held=_held,
    decided=_decided,
    cost=Cost(
        "ζ² for the variance",
        ((EuclideanNorm(g_t) ** 2, SQUARE + zeta**2),),
        "‖gₜ‖² is ‖∇F‖² and the variance of a minibatch gradient, for which ζ² stands at every t",
    ),
)
