"""The gradient of f in W is bounded by G, in the Frobenius or the spectral norm."""

from dataclasses import dataclass
from functools import partial
from typing import Literal

import sympy as sp

from boundcheck.exact.digits import UP, shown
from boundcheck.language.algorithms.relora import W_t
from boundcheck.language.claim import Claim, Statement
from boundcheck.language.hypotheses.base import Hypothesis, Worst
from boundcheck.language.hypotheses.evidence import Audit, Evidence, rounding, status_of, used
from boundcheck.language.instance import Answer, Instance, at_most
from boundcheck.language.symbols import G
from boundcheck.language.vocabulary import FrobeniusNorm, Gradient, SpectralNorm, W, f

# Twice the unit roundoff of float64.
_EPSILON = 2.0**-52


def _held(norm: str, e: Evidence, id: str) -> list[Audit]:
    known, observed = e.problem.gradient_bound(e.plan.radii), e.most(f"weight_gradient_{norm}")
    limit, certified = known.value, known.kind == "certified"
    how = f"{norm.capitalize()} norm at {e.looks}; the limit is {known.kind}: {known.how}"
    if G.name in e.spec.assume:
        scale = float(e.function.inputs(e.claim, e.plan.radii, e.spec.lipschitz)[G.name]) / known.value
        limit = used(e, G.name) / scale
        certified = certified and limit >= known.value
        how = (
            f"{norm.capitalize()} norm at {e.looks}; the limit is assumed by the spec, {shown(known.value, 6, UP)} is "
        )
        how += known.kind
    # The rounding error of a norm of dk numbers, each of them right to some units of roundoff.
    d, k = e.problem.objective.shape
    surely = None if observed is None else observed * (1 - (d * k + 64) * _EPSILON)
    status, error = status_of(surely, limit, certified), rounding(observed, surely)
    return [Audit(id, "constant", status, observed, limit, how, G.name, error)]


def _decided(norm: Literal["frobenius", "spectral"], instance: Instance, word: Hypothesis, hypothesis: Claim) -> Answer:
    limit = word.symbols[0]
    return at_most(f"the largest {norm} norm of ∇f", instance.weight_gradient(norm), limit, instance.value(limit))


@dataclass(frozen=True)
class BoundedGradient(Hypothesis):
    """A bound on a norm of the gradient in W."""

    norm: Literal["frobenius", "spectral"] = "frobenius"


IN_THE_BALL = Statement(
    sp.Le(SpectralNorm(Gradient(f, W)), G),
    r"\text{for all } W = W_0 + s B A \text{ with } (A, B) \text{ in the ball}",
)
AT_ITERATES = Statement(sp.Le(SpectralNorm(Gradient(f, W_t)), G), r"\text{for all } t")
BOUNDED_GRADIENT = BoundedGradient(
    "bounded_gradient",
    "bounded gradient in W",
    (G,),
    says=(Statement(sp.Le(FrobeniusNorm(Gradient(f, W)), G), r"\text{for all } W"),),
    worst=Worst(),
    held=partial(_held, "frobenius"),
    decided=partial(_decided, "frobenius"),
)
BOUNDED_SPECTRAL_GRADIENT = BoundedGradient(
    "bounded_spectral_gradient",
    "bounded spectral norm of the gradient in W",
    (G,),
    says=(IN_THE_BALL, AT_ITERATES),
    worst=Worst(),
    held=partial(_held, "spectral"),
    decided=partial(_decided, "spectral"),
    norm="spectral",
)
