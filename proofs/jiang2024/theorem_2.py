"""Theorem 2 of jiang2024: as printed, line by line; repaired, with constant 2 in place of 2.5; and sharp."""

import sympy as sp

from boundcheck.claims import Claim
from boundcheck.claims.jiang2024 import ASSUMPTION_2, LEMMA_1, MINIMUM_GRADIENT, ROOT_TERM, THEOREM_2, UNBIASED
from boundcheck.claims.meft import CONDITIONALLY_UNBIASED
from boundcheck.claims.symbols import C, D, G, L, Lhat, T, T_min, alpha, r, sigma, zeta
from boundcheck.claims.vocabulary import EuclideanNorm
from boundcheck.kernel import Theorem
from boundcheck.prove import Proof, eq, ge, gt, le, script

from . import lemma_1
from .descent import SLOPE, SQUARE, TOTAL, descent, summed
from .setting import READING, Meft

CONDITIONAL = {UNBIASED.id: CONDITIONALLY_UNBIASED}


class Step:
    """The paper's step size α = sqrt(D/(L̂ζ²T)): what it says without roots and quotients."""

    def __init__(self, proof: Proof, claim: Claim, constant: Theorem):
        by = proof.by
        alpha_is = next(q for q in claim.quantities if q.symbol == alpha)
        self.defined = proof.quantity(alpha_is)
        gap, noise, horizon = (proof.positive(x)[0] for x in (D, zeta, T))
        self.signs = [constant, gap, noise, horizon]
        self.long = proof.step("T > 0", gt(T, 0), horizon)
        quotients = [by.quotient(x) for x in (constant, noise, self.long)]
        self.proof, self.units, self.inverses = proof, [x for x, _ in quotients], [x for _, x in quotients]
        self.unit, self.inverse = self.units[2], self.inverses[2]
        root = alpha_is.expression
        radicand = proof.step("D/(L̂ζ²T)", gt(root.base, 0), gap, self.inverses)
        self.positive = proof.step("α > 0", gt(alpha, 0), self.defined, by.positive_root(radicand))
        self.square = proof.step(
            "α²",
            eq(alpha**2 * Lhat * zeta**2 * T, D),
            self.defined,
            by.root(radicand),
            *self.units,
            meaning="The step size, squared.",
        )

    def root_term(self, root: sp.Expr) -> Theorem:
        """sqrt(DL̂ζ²/T) = L̂αζ²."""
        proof, by, value = self.proof, self.proof.by, Lhat * alpha * zeta**2
        radicand = proof.step("DL̂ζ²/T", gt(root.base, 0), self.signs, self.inverse)
        squares = proof.step(
            "S²", eq(value**2, root.base), self.square, self.unit, meaning="The two sides have equal squares."
        )
        size = proof.step("L̂αζ² ≥ 0", ge(value, 0), self.positive, self.signs)
        squared = by.root(radicand)
        below = by.from_squares(
            proof.step("S²", ge(root.base, value**2), squares), by.root_nonnegative(root.base), value, squared
        )
        above = by.from_squares(proof.step("S²", ge(value**2, root.base), squares), size, root, squared)
        return proof.step(
            "S", eq(root, value), by.equal(below, above), meaning="Both are positive, with equal squares."
        )

    def half(self, claim: Claim) -> Theorem:
        """α <= 1/(2L̂), from T >= 4L̂D/ζ²."""
        proof, by = self.proof, self.proof.by
        shortest = proof.quantity(next(q for q in claim.quantities if q.symbol == T_min))
        horizon = proof.assume(claim.conditions[0])
        long = proof.step("T", ge(T * zeta**2, 4 * Lhat * D), shortest, horizon, self.units[1], self.signs)
        squares = proof.step(
            "(2L̂α)²",
            le((2 * Lhat * alpha) ** 2, 1),
            proof.step("ζ²T > 0", gt(zeta**2 * T, 0), self.signs, self.long),
            proof.step("(2L̂α)²ζ²T", le((2 * Lhat * alpha) ** 2 * zeta**2 * T, zeta**2 * T), self.square, long),
            factor=[0],
        )
        one = proof.step("1", ge(1, 0))
        small = by.from_squares(squares, one, 2 * Lhat * alpha)
        return proof.step("α ≤ 1/(2L̂)", le(Lhat * alpha, sp.Rational(1, 2)), small, meaning="As the paper says.")


def positive_constant(proof: Proof, signs: list[Theorem]) -> Theorem:
    """L̂ > 0, from the formula of Lemma 1."""
    formula = LEMMA_1.quantities[0]
    value = proof.step("2LC√rσ + G", gt(formula.expression, 0), signs)
    return proof.step("L̂ > 0", gt(Lhat, 0), proof.recall("Lhat"), value)


def divided_by_step(proof: Proof, step: Step, total: Theorem) -> Theorem:
    """(1 - L̂α/2) Σ_t E‖∇F(v_t)‖² <= (3/2) T L̂αζ², from the sum and the step size."""
    return proof.step(
        "divided by α",
        le((1 - Lhat * alpha / 2) * TOTAL, sp.Rational(3, 2) * T * Lhat * alpha * zeta**2),
        step.positive,
        total,
        step.square,
        factor=[0],
        meaning="With the step size put in, D is α²L̂ζ²T.",
    )


def nonnegative_total(proof: Proof) -> Theorem:
    """Σ_t E‖∇F(v_t)‖² >= 0."""
    by = proof.by
    square = proof.step("‖∇F‖² ≥ 0", ge(EuclideanNorm(SLOPE) ** 2, 0), by.nonnegative("F", SLOPE))
    return proof.step("Σ ≥ 0", ge(TOTAL, 0), by.sum(by.expectation(square)))


def at_most_two(proof: Proof, step: Step, half: Theorem, total: Theorem) -> Theorem:
    """Σ_t E‖∇F(v_t)‖² <= 2 T L̂αζ², for α <= 1/(2L̂)."""
    return proof.step(
        "Σ ≤ 2TL̂αζ²",
        le(TOTAL, 2 * T * Lhat * alpha * zeta**2),
        divided_by_step(proof, step, total),
        half,
        nonnegative_total(proof),
        meaning="1 - L̂α/2 is at least 3/4.",
    )


@script(THEOREM_2, "repaired", READING, instead=CONDITIONAL)
def repaired(proof: Proof) -> None:
    """The paper's statement by a shorter proof, which gives 2 in place of 2.5."""
    by, m = proof.by, Meft(proof)
    signs = proof.positive(L, C, G, sigma, r)
    smooth = proof.cite(lemma_1.repaired.proof, "Lemma 1", "Repaired.")
    step = Step(proof, THEOREM_2, positive_constant(proof, signs))
    lines = descent(proof, m, smooth, ASSUMPTION_2, step.positive)
    total = summed(proof, lines, [*step.signs, step.positive])
    two = at_most_two(proof, step, step.half(THEOREM_2), total)
    least = proof.step(
        "constant 2",
        le(MINIMUM_GRADIENT, sp.Mul(2, ROOT_TERM, evaluate=False)),
        step.long,
        by.minimum(SQUARE),
        two,
        step.root_term(ROOT_TERM),
        factor=[0],
        meaning="The least of T numbers is at most their mean: the theorem with 2 in place of 2.5.",
    )
    bounded, root = proof.quantity(THEOREM_2.quantities[-1]), by.root_nonnegative(ROOT_TERM.base)
    proof.conclude(proof.step("(9)", THEOREM_2.conclusion, least, bounded, root, meaning="2 is at most 2.5."))
