"""Theorem 2, sharper: with λ*, κ = 1.5/(1 - q/2) instead of 2.5, and the best constant step size;
and A frozen.
"""

import sympy as sp

from boundcheck.exact.evaluate import t
from boundcheck.kernel import Theorem
from boundcheck.language.symbols import D, G, L, Lhat, T, a, alpha, b, bound, kappa, q, s, zeta
from boundcheck.language.vocabulary import MINIMUM_GRADIENT, MinimumOver
from boundcheck.proof import Proof, eq, gt, le, script

from ..meft.lora import BALL, THEOREM_2_BEST_STEP, THEOREM_2_REPAIRED
from ..meft.theorems import THEOREM_2_FROZEN_A
from . import lemma_1, variants
from .claims import ROOT_TERM
from .descent import (
    SQUARE,
    TOTAL,
    B_last,
    above_minimum,
    along_segment,
    descent,
    descent_in_ball,
    summed,
)
from .eigenvalue import radical, root_equals, root_quantity
from .setting import (
    FRESH,
    W0,
    A,
    Meft,
    above_0,
    at_least_0,
    defined,
    horizon_above_0,
    quantity,
    quotients,
    step_above_0,
    unit_interval,
)
from .theorem_2 import StepSize, divided_by_step


def _sharp_lemma(proof: Proof) -> tuple[Theorem, Theorem]:
    """λ*-smoothness on the ball, and λ* > 0."""
    signs = proof.positive(L, G, a, b, s)
    smooth = proof.cite(lemma_1.sharp.proof, "Lemma 1, sharp", "By its own proof.")
    first = above_0(proof, "s²L(a² + b²)/2", s**2 * L * (a**2 + b**2) / 2, signs)
    return smooth, above_0(proof, "λ*", Lhat, proof.recall("Lhat"), first)


def _sum(proof: Proof, smooth: Theorem, positive: Theorem, weight: Theorem) -> Theorem:
    """α(1 - L̂α/2) Σ_t E‖∇F(v_t)‖² <= D + T L̂α²ζ²/2 on the ball of radii a, b."""
    return summed(
        proof, descent_in_ball(proof, Meft(proof, s, (a, b)), smooth, BALL, positive), weight
    )


@script(THEOREM_2_REPAIRED, "sharp", fresh=FRESH)
def repaired(proof: Proof) -> None:
    """The paper's step size and horizon."""
    by, share = proof.by, 1 - q / 2
    smooth, constant = _sharp_lemma(proof)
    step_size = StepSize(proof, constant)
    total = divided_by_step(
        proof, step_size, _sum(proof, smooth, step_size.positive, step_size.weight)
    )
    half, ratio = step_size.at_most_half(), step_size.in_units()
    room = above_0(proof, "1 - q/2", share, half, ratio, meaning="$q = L̂α$ is at most 1/2.")
    factor = proof.step(
        "κ(1 - q/2)",
        eq(kappa * share, sp.Rational(3, 2)),
        defined(proof, kappa),
        by.quotient(room)[0],
        meaning="The definition of κ, its denominator cleared.",
    )
    noise = sp.Rational(3, 2) * Lhat * alpha * zeta**2
    least = proof.step(
        "least",
        le(share * MINIMUM_GRADIENT, noise),
        step_size.long,
        proof.step("in q", le(share * TOTAL, T * noise), total, ratio, meaning="L̂α is q."),
        by.minimum(SQUARE),
        room,
        meaning="The least of T numbers is at most their mean.",
    )
    limit, term = defined(proof, bound), step_size.root_term()
    value = proof.step(
        "bound", eq(bound, kappa * Lhat * alpha * zeta**2), limit, term, meaning="The bound is κS."
    )
    lines = room, least, factor, value
    proof.conclude(proof.step("κS", proof.claim.conclusion, *lines, meaning="Divided by 1 - q/2."))


class BestStep:
    """The step size α = 2q/(κL̂), q = sqrt(L̂D/(ζ²T)) and κ = q + sqrt(q² + 2), without roots and
    quotients.

    Attributes:
        constant, noise, long: L̂, ζ and T are positive.
        signs: the same, and D.
        units, inverses: ζ · 1/ζ = 1 and 1/ζ > 0, and of T likewise.
        ratio, ratio_square: q > 0, and q²ζ²T = L̂D.
        above, growth: κ > q, and κ > 0.
        quadratic: κ² = 2qκ + 2.
        value, positive: ακL̂ = 2q, and α > 0.
        weight: L̂α² >= 0.

    """

    def __init__(self, proof: Proof, constant: Theorem):
        by = proof.by
        gap, self.noise = proof.positive(D, zeta)
        self.constant, self.long = constant, horizon_above_0(proof)
        self.signs = [constant, gap, self.noise, self.long]
        self.units, self.inverses = quotients(proof, self.noise, self.long)
        square, signs = eq(q**2 * zeta**2 * T, Lhat * D), [*self.signs, *self.inverses]
        ratio, growth = (quantity(proof.claim, x) for x in (q, kappa))
        self.ratio, self.ratio_square = root_quantity(proof, "q", ratio, square, signs, self.units)
        wide = above_0(proof, "q² + 2", radical(growth.expression).base, self.ratio)
        kappa_is, root = proof.quantity(growth), by.root(wide)
        self.above = proof.step("$κ > q$", gt(kappa, q), kappa_is, by.positive_root(wide))
        self.growth = above_0(proof, "κ", kappa, self.above, self.ratio)
        self.quadratic = proof.step(
            "$κ² = 2qκ + 2$",
            eq(kappa**2, 2 * q * kappa + 2),
            kappa_is,
            root,
            meaning="κ is a root of the quadratic that the best step solves.",
        )
        self.value = proof.step(
            "$ακL̂ = 2q$",
            eq(alpha * kappa * Lhat, 2 * q),
            defined(proof, alpha),
            by.quotient(self.growth)[0],
            by.quotient(constant)[0],
            meaning="The step size, its denominator cleared.",
        )
        divisor = above_0(proof, "κL̂", kappa * Lhat, self.growth, constant)
        self.positive = step_above_0(proof, divisor, self.value, self.ratio)
        self.weight = at_least_0(proof, "L̂α²", Lhat * alpha**2, constant, self.positive)


@script(THEOREM_2_BEST_STEP, "sharp", fresh=FRESH)
def best_step(proof: Proof) -> None:
    """α = 2q/(κL̂), for every T."""
    smooth, constant = _sharp_lemma(proof)
    best = BestStep(proof, constant)
    conclude(proof, best, _sum(proof, smooth, best.positive, best.weight))


@script(THEOREM_2_FROZEN_A, "sharp", fresh=FRESH)
def frozen(proof: Proof) -> None:
    """The same for v = B: F is smooth on all of space, so the run needs no ball."""
    signs = proof.positive(s, L, a)
    smooth = proof.cite(variants.frozen.proof, "Lemma 1 with A frozen", "By its own proof.")
    value = above_0(proof, "s²La²", quantity(proof.claim, Lhat).expression, signs)
    constant = above_0(proof, "L̂", Lhat, proof.recall("Lhat"), value)
    best = BestStep(proof, constant)
    along = along_segment(proof, smooth, unit_interval(proof), "all of space")
    above = above_minimum(proof, proof.recall("F(B) = f(W)"), W0 + s * B_last * A)
    lines = descent(proof, along, above, best.positive)
    conclude(proof, best, summed(proof, lines, best.weight))


def conclude(proof: Proof, best: BestStep, total: Theorem, square: sp.Expr = SQUARE) -> None:
    """The claim at the best step size, from α(1 - L̂α/2) Σ_t x_t <= D + T L̂α²ζ²/2, `square` being
    x_t = E‖∇F(v_t)‖².
    """
    by, sums = proof.by, sp.Sum(square, (t, 1, T))
    scaled = proof.step(
        "times L̂",
        le(
            Lhat * alpha * (1 - Lhat * alpha / 2) * sums,
            T * zeta**2 * (q**2 + (Lhat * alpha) ** 2 / 2),
        ),
        best.constant,
        total,
        best.ratio_square,
        meaning="L̂D is $q²ζ²T$.",
    )
    cleared = proof.step(
        "times $κ²$",
        le(2 * q * (kappa - q) * sums, T * zeta**2 * q**2 * (kappa**2 + 2)),
        at_least_0(proof, "κ²", kappa**2, best.growth),
        scaled,
        best.value,
        meaning="L̂ακ is 2q.",
    )
    divided = proof.step(
        "divided by 2q",
        le((kappa - q) * sums, T * zeta**2 * q * kappa * (kappa - q)),
        best.ratio,
        cleared,
        best.quadratic,
        meaning="$κ² + 2$ is $2κ(κ - q)$, as $κ² = 2qκ + 2$.",
    )
    most = proof.step(
        "$Σ ≤ Tκqζ²$",
        le(sums, T * zeta**2 * q * kappa),
        best.above,
        divided,
        meaning="κ exceeds q.",
    )
    size = at_least_0(proof, "qζ²", q * zeta**2, best.ratio, best.noise)
    signs, squares = [*best.signs, best.inverses[1]], (best.ratio_square, best.units[1])
    term = root_equals(proof, "S", ROOT_TERM, q * zeta**2, size, signs, *squares)
    least = proof.step(
        "least",
        le(MinimumOver(square, t, 1, T), kappa * q * zeta**2),
        best.long,
        by.minimum(square),
        most,
        meaning="The least of T numbers is at most their mean.",
    )
    lines = least, defined(proof, bound), term
    proof.conclude(
        proof.step("κS", proof.claim.conclusion, *lines, meaning="The bound is κS, and S is $qζ²$.")
    )
