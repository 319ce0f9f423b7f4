"""A theorem of one's own, a sentence of one's own words; and one that is false."""

import sympy as sp

from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim, Quantifier, Quantity
from boundcheck.language.sentence import theorem
from boundcheck.language.symbols import D, Lhat, T, alpha, bound
from tests.outside.my_algorithm import HALVED
from tests.outside.my_hypothesis import NO_RISE
from tests.outside.my_measure import LAST_GRADIENT

SMOOTH, CONVEX, BELOW = (
    catalogue[id]
    for id in ("classic.smooth_everywhere", "classic.convex", "jiang2024.bounded_below")
)
RISES_NOT = NO_RISE.claim("outer.no_rise", "F does not rise", "mine")


def sentence(name: str, factor: str) -> Claim:
    """Of convex functions no step makes the gradient larger, so that the last is the least, which
    descent bounds."""
    formula = sp.Rational(factor) * Lhat * D / T
    return theorem(
        f"outer.{name}",
        "Halved descent",
        "mine",
        Quantifier(),
        (SMOOTH, CONVEX, BELOW, RISES_NOT),
        (
            catalogue["nesterov2004.gradient_descent"].quantities[0],
            Quantity(alpha, 1 / Lhat, "twice the step"),
            Quantity(bound, formula, "bound on the last squared gradient"),
        ),
        algorithm=HALVED,
        measure=LAST_GRADIENT,
    )


HALVED_DESCENT = sentence("halved", "8/3")
FALSE = sentence("halved_falsely", "1/100")
