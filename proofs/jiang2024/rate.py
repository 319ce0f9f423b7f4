"""The rate of jiang2024, r^(1/4): what C hides, and which power of r the paper's own C gives.

The rank is a number x² here, so its roots are polynomials; everything else is as in the claims.
"""

import sympy as sp

from boundcheck.claims.symbols import C, D, G, L, T, c, r, sigma, zeta
from boundcheck.prove import Proof, Reading, ge, gt, le, script

from .claims import RATE, THEOREM_2

x = sp.Symbol("x", positive=True)

# The squares of both bounds, with the paper's C = √r σ, at r = x².
PRINTED = sp.expand((THEOREM_2.expression("bound") ** 2).subs(C, sp.sqrt(r) * sigma).subs(r, x**2).doit())
SUBSTITUTED = sp.expand(RATE.expression("bound") ** 2).subs(r, x**2)


@script(
    "jiang2024.rate.with_own_constant",
    "sharp",
    Reading(constants={x}),
    title="With $C = √rσ$ no $c$ free of $r$ makes the rate $O(r^(1/4))$",
)
def no_constant(proof: Proof) -> None:
    """Whatever c is, the printed rate bounds the printed bound for ranks up to (2c²/(25DLσζ²))² at most."""
    by = proof.by
    signs = proof.positive(L, G, D, T, c, sigma, zeta, x)
    horizon = proof.step("$T > 0$", gt(T, 0), signs)
    rate = proof.assume(
        le(PRINTED, SUBSTITUTED), name="$bound ≤ c r^(1/4) σ^(1/2) T^(-1/2)$, squared, at the rank $r = x²$"
    )
    slope = sp.Rational(25, 2) * D * L * sigma**2 * zeta**2
    cleared = proof.step(
        "cleared",
        le(slope * x**2, c**2 * sigma * x),
        horizon,
        rate,
        by.quotient(horizon)[0],
        proof.step("term with $G ≥ 0$", ge(sp.Rational(25, 4) * D * G * zeta**2, 0), signs),
        factor=[0],
        meaning="Times T; the part with G only helps.",
    )
    relation = le(slope * x, c**2 * sigma)
    line = proof.step(
        "$√r ≤ 2c²/(25DLσζ²)$", relation, signs[-1], cleared, factor=[0], meaning="So c cannot serve for every rank."
    )
    proof.conclude(line, relation=relation)


@script(
    "jiang2024.rate.exponent",
    "sharp",
    Reading(constants={x}),
    title="With $C = √rσ$ the printed bound is between constants times $r^(1/2)$",
)
def exponent(proof: Proof) -> None:
    """bound² T lies between (25/2)DLσ²ζ² r and (25/4)Dζ²(2Lσ² + G) r, for r >= 1."""
    by = proof.by
    signs = proof.positive(L, G, D, T, sigma, zeta, x)
    horizon = proof.step("$T > 0$", gt(T, 0), signs)
    _, inverse = by.quotient(horizon)
    one = proof.assume(ge(x, 1), name="$r = x²$ is at least 1")
    low = sp.Rational(25, 2) * D * L * sigma**2 * zeta**2
    high = sp.Rational(25, 4) * D * zeta**2 * (2 * L * sigma**2 + G)
    rank = proof.step("$r ≥ 1$", ge(x**2, 1), one)
    rest = proof.step("term with $G ≥ 0$", ge(sp.Rational(25, 4) * D * G * zeta**2 / T, 0), signs, inverse)
    proof.step("below", ge(PRINTED, low * x**2 / T), rest, meaning="No smaller power than $r^(1/2)$.")
    relation = le(PRINTED, high * x**2 / T)
    line = proof.step("above", relation, rest, rank, meaning="And no larger one.")
    proof.conclude(line, relation=relation)
