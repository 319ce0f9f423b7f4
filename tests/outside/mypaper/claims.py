"""The claims of a paper of one's own: a lemma about a product, and gradient descent at half of the
usual step."""

import sympy as sp

from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim, Quantity, for_all
from boundcheck.language.symbols import D, L, Lhat, T, a, alpha, bound
from boundcheck.language.vocabulary import A1, B1, MINIMUM_GRADIENT, FrobeniusNorm, SpectralNorm

DESCENT = catalogue["nesterov2004.gradient_descent"]
FULL = catalogue["meft.full"]

BOUNDED = Claim("mypaper.bounded", "B_1 is bounded", "mypaper, Eq. (1)", sp.Le(SpectralNorm(B1), a))

PRODUCT = Claim(
    "mypaper.product",
    "Lemma 1",
    "mypaper, Lemma 1",
    sp.Le(FrobeniusNorm(B1 * A1), a * FrobeniusNorm(A1)),
    for_all(A1),
    (BOUNDED,),
)

SMOOTH = Claim(
    "mypaper.smooth",
    "Lemma 2",
    "mypaper, Lemma 2",
    FULL.conclusion,
    FULL.quantifier,
    FULL.hypotheses,
    (Quantity(Lhat, 3 * L, "smoothness constant of F = f, three times too large"),),
)

HALF_STEP = Claim(
    "mypaper.half_step",
    "Theorem 3",
    "mypaper, Theorem 3",
    sp.Le(MINIMUM_GRADIENT, bound),
    DESCENT.quantifier,
    DESCENT.hypotheses,
    (
        DESCENT.quantities[0],
        Quantity(alpha, 1 / (2 * Lhat), "constant step size"),
        Quantity(
            bound, sp.Rational(8, 3) * Lhat * D / T, "bound on the smallest squared gradient norm"
        ),
    ),
    note=DESCENT.note,
)

CLAIMS = (BOUNDED, PRODUCT, SMOOTH, HALF_STEP)
