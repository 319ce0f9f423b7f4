"""The rate of jiang2024, r^(1/4) σ^(1/2): right in r for the least C, wrong in σ for every C, wrong in r for its own C.

The rank, or its root, is a number x² here, so that roots are polynomials; everything else is as in the claims. Each
proof names the C that it is about: the least on the ball is σ, the paper's example is √r σ.
"""

import sympy as sp

from boundcheck.language.symbols import C, D, G, L, T, alpha, c, r, sigma, zeta
from boundcheck.proof import Proof, Reading, eq, ge, gt, le, script

from .claims import RATE, THEOREM_2

x = sp.Symbol("x", positive=True)


def squared(constant: sp.Expr) -> sp.Expr:
    """The square of the printed bound at that C, with r = x²."""
    return sp.expand((THEOREM_2.expression("bound") ** 2).subs(C, constant).subs(r, x**2).doit())


# The squares of both bounds, with the paper's C = √r σ, at r = x².
PRINTED = squared(sp.sqrt(r) * sigma)
SUBSTITUTED = sp.expand(RATE.expression("bound") ** 2).subs(r, x**2)
HIDDEN = sp.Rational(25, 2) * D * L * zeta**2


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
    line = proof.step("$√r ≤ 2c²/(25DLσζ²)$", relation, signs[-1], cleared, meaning="So c cannot serve for every rank.")
    proof.conclude(line, relation=relation)


@script(
    "jiang2024.rate.any_constant",
    "sharp",
    Reading(constants={x}),
    title="Whatever $C ≥ σ$ is, no $c$ free of $σ$ makes the rate $O(σ^(1/2))$",
)
def no_root_of_sigma(proof: Proof) -> None:
    """L̂ ≥ 2L√rσ², so the printed rate bounds the printed bound for σ up to 2c²/(25DLζ²) at most."""
    by = proof.by
    signs = proof.positive(L, G, D, T, C, c, sigma, zeta, x)
    horizon = proof.step("$T > 0$", gt(T, 0), signs)
    rate = proof.assume(
        le(squared(C), SUBSTITUTED), name="$bound ≤ c r^(1/4) σ^(1/2) T^(-1/2)$, squared, at the rank $r = x²$"
    )
    large = proof.assume(ge(C, sigma), name="$C ≥ σ$, as Assumption 3(1) makes it on the ball")
    cleared = proof.step(
        "cleared",
        le(HIDDEN * C * sigma * x, c**2 * sigma * x),
        horizon,
        rate,
        by.quotient(horizon)[0],
        proof.step("term with $G ≥ 0$", ge(sp.Rational(25, 4) * D * G * zeta**2, 0), signs),
        factor=[0],
        meaning="Times T; the part with G only helps.",
    )
    size = proof.step("$σ√r > 0$", gt(sigma * x, 0), signs)
    bounded = proof.step("$C ≤ 2c²/(25DLζ²)$", le(HIDDEN * C, c**2), size, cleared)
    scale = proof.step("$25DLζ²/2 ≥ 0$", ge(HIDDEN, 0), signs)
    relation = le(HIDDEN * sigma, c**2)
    line = proof.step(
        "$σ ≤ 2c²/(25DLζ²)$",
        relation,
        bounded,
        proof.step("$C$ put in", le(HIDDEN * sigma, HIDDEN * C), scale, large),
        meaning="So c cannot serve for every σ: the bound grows as σ, and not as its root.",
    )
    proof.conclude(line, relation=relation)


def between(proof: Proof, constant: sp.Expr, size: sp.Expr, power: str) -> None:
    """The printed bound's square times T lies between (25/2)DLσ²ζ² times `size` and (25/4)Dζ²(2Lσ² + G) times it."""
    by, bound = proof.by, squared(constant)
    signs = proof.positive(L, G, D, T, sigma, zeta, x)
    horizon = proof.step("$T > 0$", gt(T, 0), signs)
    _, inverse = by.quotient(horizon)
    one = proof.assume(ge(x, 1), name="$r = x²$ is at least 1")
    low = HIDDEN * sigma**2
    high = sp.Rational(25, 4) * D * zeta**2 * (2 * L * sigma**2 + G)
    rank = one if size == x else proof.step("the power of $r$ is at least 1", ge(size, 1), one)
    rest = proof.step("term with $G ≥ 0$", ge(sp.Rational(25, 4) * D * G * zeta**2 / T, 0), signs, inverse)
    proof.step("below", ge(bound, low * size / T), rest, meaning=f"No smaller power than ${power}$.")
    relation = le(bound, high * size / T)
    line = proof.step("above", relation, rest, rank, meaning="And no larger one.")
    proof.conclude(line, relation=relation)


@script(
    "jiang2024.rate.exponent",
    "sharp",
    Reading(constants={x}),
    title="With $C = √rσ$ the printed bound is between constants times $r^(1/2)$",
)
def exponent(proof: Proof) -> None:
    """bound² T lies between (25/2)DLσ²ζ² r and (25/4)Dζ²(2Lσ² + G) r, for r >= 1."""
    between(proof, sp.sqrt(r) * sigma, x**2, "r^(1/2)")


@script(
    "jiang2024.rate.least_constant",
    "sharp",
    Reading(constants={x}),
    title="With $C = σ$ the printed bound is between constants times $r^(1/4)$",
)
def least_constant(proof: Proof) -> None:
    """bound² T lies between (25/2)DLσ²ζ² √r and (25/4)Dζ²(2Lσ² + G) √r, for r >= 1."""
    between(proof, sigma, x, "r^(1/4)")


@script(
    "jiang2024.rate.step_size",
    "sharp",
    title="With $C = σ$ the printed step size is between constants times $r^(-1/4)$",
)
def step_size(proof: Proof) -> None:
    """α²√r lies between D/((2Lσ² + G)ζ²T) and D/(2Lσ²ζ²T); so it falls as σ grows, too."""
    by, root = proof.by, sp.sqrt(r)
    signs = proof.positive(L, G, D, T, alpha, sigma, zeta, r)
    horizon = proof.step("$T > 0$", gt(T, 0), signs)
    squared = by.root(proof.step("$r ≥ 0$", ge(r, 0), signs))
    one = by.from_squares(proof.step("$r ≥ 1$", ge(r, 1), signs), by.root_nonnegative(r), sp.Integer(1), squared)
    spread = alpha**2 * zeta**2 * T
    chosen = proof.assume(
        eq(spread * (2 * L * sigma**2 * root + G), D),
        name="$α = √(D/(L̂ζ²T))$, squared, with $C = σ$",
        role="choice",
    )
    rest = proof.step("term with $G ≥ 0$", ge(spread * G, 0), horizon, signs)
    proof.step(
        "above", le(spread * 2 * L * sigma**2 * root, D), chosen, rest, meaning="It falls no slower than $r^(-1/4)$."
    )
    relation = ge(spread * (2 * L * sigma**2 + G) * root, D)
    line = proof.step("below", relation, chosen, rest, one, meaning="And no faster.")
    proof.conclude(line, relation=relation)
