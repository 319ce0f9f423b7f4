"""Theorem 2, sharper: with λ*, κ = 1.5/(1 - q/2) instead of 2.5, and the best constant step size; and A frozen."""

import sympy as sp

from boundcheck.exact.evaluate import t
from boundcheck.kernel import Theorem
from boundcheck.language.claim import Claim, Quantity
from boundcheck.language.symbols import D, G, L, Lhat, T, a, alpha, b, bound, kappa, q, s, zeta
from boundcheck.language.vocabulary import MINIMUM_GRADIENT, MinimumOver
from boundcheck.proof import Proof, eq, ge, gt, le, script

from ..meft.lora import BALL, LEMMA_1_SHARP, THEOREM_2_BEST_STEP, THEOREM_2_REPAIRED
from ..meft.theorems import THEOREM_2_FROZEN_A
from . import lemma_1, variants
from .claims import ROOT_TERM
from .descent import SQUARE, TOTAL, B_last, along_segment, descent, descent_in_ball, expected_descent, summed
from .eigenvalue import radical, root_equals, root_quantity
from .setting import READING, Meft, quantity, unit_interval
from .theorem_2 import StepSize, divided_by_step


def _sharp_lemma(proof: Proof) -> tuple[Theorem, Theorem]:
    """λ*-smoothness on the ball, and λ* > 0."""
    signs = proof.positive(L, G, a, b, s)
    smooth = proof.cite(lemma_1.sharp.proof, "Lemma 1, sharp", "By its own proof.")
    root = radical(quantity(LEMMA_1_SHARP, Lhat).expression)
    first = proof.step("$s²L(a² + b²)/2 > 0$", gt(s**2 * L * (a**2 + b**2) / 2, 0), signs)
    positive = proof.step("$λ* > 0$", gt(Lhat, 0), proof.recall("Lhat"), first)
    return smooth, positive


def _sum(proof: Proof, smooth: Theorem, positive: Theorem, weight: Theorem) -> Theorem:
    """α(1 - L̂α/2) Σ_t E‖∇F(v_t)‖² <= D + T L̂α²ζ²/2 on the ball of radii a, b."""
    lines = descent_in_ball(proof, Meft(proof, s, (a, b)), smooth, BALL, positive)
    return summed(proof, lines, expected_descent(proof, lines), weight)


@script(THEOREM_2_REPAIRED, "sharp", READING)
def repaired(proof: Proof) -> None:
    """The paper's step size and horizon."""
    by, share = proof.by, 1 - q / 2
    smooth, constant = _sharp_lemma(proof)
    step_size = StepSize(proof, THEOREM_2_REPAIRED, constant)
    total = divided_by_step(proof, step_size, _sum(proof, smooth, step_size.positive, step_size.weight))
    half, ratio = step_size.at_most_half(), step_in_units(proof, step_size)
    room = proof.step("$1 - q/2 > 0$", gt(share, 0), half, ratio, meaning="$q = L̂α$ is at most 1/2.")
    unit, _ = by.quotient(room)
    factor = proof.step(
        "κ(1 - q/2)",
        eq(kappa * share, sp.Rational(3, 2)),
        proof.quantity(quantity(THEOREM_2_REPAIRED, kappa)),
        unit,
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
    limit, term = proof.quantity(quantity(THEOREM_2_REPAIRED, bound)), step_size.root_term()
    value = proof.step("bound", eq(bound, kappa * Lhat * alpha * zeta**2), limit, term, meaning="The bound is κS.")
    proof.conclude(
        proof.step("κS", THEOREM_2_REPAIRED.conclusion, room, least, factor, value, meaning="Divided by 1 - q/2.")
    )


def step_in_units(proof: Proof, step_size: StepSize) -> Theorem:
    """The ratio q = L̂α."""
    defined = quantity(THEOREM_2_REPAIRED, q)
    size = proof.step("$L̂α ≥ 0$", ge(Lhat * alpha, 0), step_size.positive, step_size.signs)
    signs = [*step_size.signs, *step_size.inverses]
    root = root_equals(
        proof, "√(L̂D/(ζ²T))", defined.expression, Lhat * alpha, size, signs, step_size.square, *step_size.units
    )
    return proof.step(
        "q", eq(q, Lhat * alpha), proof.quantity(defined), root, meaning="q is the step size in units of 1/L̂."
    )


class BestStep:
    """The step size α = 2q/(κL̂), q = sqrt(L̂D/(ζ²T)) and κ = q + sqrt(q² + 2), without roots and quotients.

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

    def __init__(self, proof: Proof, claim: Claim, constant: Theorem):
        by = proof.by
        gap, self.noise, horizon = proof.positive(D, zeta, T)
        self.constant, self.long = constant, proof.step("$T > 0$", gt(T, 0))
        self.signs = [constant, gap, self.noise, self.long]
        quotients = [by.quotient(x) for x in (self.noise, self.long)]
        self.units, self.inverses = [x for x, _ in quotients], [x for _, x in quotients]
        square, signs = eq(q**2 * zeta**2 * T, Lhat * D), [*self.signs, *self.inverses]
        self.ratio, self.ratio_square = root_quantity(proof, "q", quantity(claim, q), square, signs, self.units)
        self._solve_quadratic(proof, quantity(claim, kappa))
        unit, _ = by.quotient(self.growth)
        self.value = proof.step(
            "$ακL̂ = 2q$",
            eq(alpha * kappa * Lhat, 2 * q),
            proof.quantity(quantity(claim, alpha)),
            unit,
            by.quotient(constant)[0],
            meaning="The step size, its denominator cleared.",
        )
        divisor = proof.step("$κL̂ > 0$", gt(kappa * Lhat, 0), self.growth, constant)
        self.positive = proof.step("$α > 0$", gt(alpha, 0), divisor, self.value, self.ratio)
        self.weight = proof.step("$L̂α² ≥ 0$", ge(Lhat * alpha**2, 0), constant, self.positive)

    def _solve_quadratic(self, proof: Proof, defined: Quantity) -> None:
        """κ > q, κ > 0 and κ² = 2qκ + 2."""
        by = proof.by
        wide = proof.step("$q² + 2 > 0$", gt(radical(defined.expression).base, 0), self.ratio)
        kappa_is, root = proof.quantity(defined), by.root(wide)
        self.above = proof.step("$κ > q$", gt(kappa, q), kappa_is, by.positive_root(wide))
        self.growth = proof.step("$κ > 0$", gt(kappa, 0), self.above, self.ratio)
        self.quadratic = proof.step(
            "$κ² = 2qκ + 2$",
            eq(kappa**2, 2 * q * kappa + 2),
            kappa_is,
            root,
            meaning="κ is a root of the quadratic that the best step solves.",
        )


@script(THEOREM_2_BEST_STEP, "sharp", READING)
def best_step(proof: Proof) -> None:
    """α = 2q/(κL̂), for every T."""
    smooth, constant = _sharp_lemma(proof)
    best = BestStep(proof, THEOREM_2_BEST_STEP, constant)
    conclude(proof, THEOREM_2_BEST_STEP, best, _sum(proof, smooth, best.positive, best.weight))


@script(THEOREM_2_FROZEN_A, "sharp", variants.ONE_FACTOR)
def frozen(proof: Proof) -> None:
    """The same for v = B: F is smooth on all of space, so the run needs no ball."""
    signs = proof.positive(s, L, a)
    smooth = proof.cite(variants.frozen.proof, "Lemma 1 with A frozen", "By its own proof.")
    value = proof.step("$s²La² > 0$", gt(quantity(THEOREM_2_FROZEN_A, Lhat).expression, 0), signs)
    constant = proof.step("$L̂ > 0$", gt(Lhat, 0), proof.recall("Lhat"), value)
    best = BestStep(proof, THEOREM_2_FROZEN_A, constant)
    along = along_segment(proof, smooth, unit_interval(proof), "all of space")
    lines = descent(proof, along, proof.recall("F(B) = f(W)"), variants.HALF_A.weight(B_last), best.positive)
    total = summed(proof, lines, expected_descent(proof, lines), best.weight)
    conclude(proof, THEOREM_2_FROZEN_A, best, total)


def conclude(proof: Proof, claim: Claim, best: BestStep, total: Theorem, square: sp.Expr = SQUARE) -> None:
    """The claim at the best step size, from α(1 - L̂α/2) Σ_t x_t <= D + T L̂α²ζ²/2, `square` being x_t = E‖∇F(v_t)‖²."""
    by, sums = proof.by, _in_units_of_ratio(proof, best, total, sp.Sum(square, (t, 1, T)))
    size = proof.step("$qζ² ≥ 0$", ge(q * zeta**2, 0), best.ratio, best.noise)
    signs, squares = [*best.signs, best.inverses[1]], (best.ratio_square, best.units[1])
    term = root_equals(proof, "S", ROOT_TERM, q * zeta**2, size, signs, *squares)
    least = proof.step(
        "least",
        le(MinimumOver(square, t, 1, T), kappa * q * zeta**2),
        best.long,
        by.minimum(square),
        sums,
        meaning="The least of T numbers is at most their mean.",
    )
    limit = proof.quantity(quantity(claim, bound))
    proof.conclude(proof.step("κS", claim.conclusion, least, limit, term, meaning="The bound is κS, and S is $qζ²$."))


def _in_units_of_ratio(proof: Proof, best: BestStep, total: Theorem, sums: sp.Expr) -> Theorem:
    """Σ_t E‖∇F(v_t)‖² <= Tκqζ², of these sums."""
    scaled = proof.step(
        "times L̂",
        le(Lhat * alpha * (1 - Lhat * alpha / 2) * sums, T * zeta**2 * (q**2 + (Lhat * alpha) ** 2 / 2)),
        best.constant,
        total,
        best.ratio_square,
        meaning="L̂D is $q²ζ²T$.",
    )
    cleared = proof.step(
        "times $κ²$",
        le(2 * q * (kappa - q) * sums, T * zeta**2 * q**2 * (kappa**2 + 2)),
        proof.step("$κ² ≥ 0$", ge(kappa**2, 0), best.growth),
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
    return proof.step("$Σ ≤ Tκqζ²$", le(sums, T * zeta**2 * q * kappa), best.above, divided, meaning="κ exceeds q.")
