"""Theorem 2 of jiang2024 repaired, with constant 2 instead of 2.5; and the step size of all versions."""

from collections.abc import Mapping, Sequence

import sympy as sp

from boundcheck.kernel import Theorem
from boundcheck.language.claim import Claim
from boundcheck.language.symbols import C, D, G, L, Lhat, T, T_min, alpha, bound, r, sigma, zeta
from boundcheck.language.vocabulary import MINIMUM_GRADIENT
from boundcheck.proof import Proof, eq, ge, gt, le, script

from ..meft.lora import CONDITIONALLY_UNBIASED
from . import lemma_1
from .claims import ASSUMPTION_2, LEMMA_1, ROOT_TERM, THEOREM_2, UNBIASED
from .descent import SQUARE, TOTAL, UNPRINTED, Descent, descent_in_ball, expected_descent, square_nonnegative, summed
from .roots import root_equals, root_quantity
from .setting import READING, Meft, quantity

CONDITIONAL = {UNBIASED.id: CONDITIONALLY_UNBIASED}


class StepSize:
    """The paper's step size α = sqrt(D/(L̂ζ²T)), without roots and quotients.

    Attributes:
        signs: L̂, D, ζ and T are positive.
        long: T > 0.
        units: L̂ · 1/L̂ = 1, and of ζ and T likewise.
        inverses: 1/L̂ > 0, and of ζ and T likewise.
        positive: α > 0.
        square: α²L̂ζ²T = D.
        weight: L̂α² >= 0.

    """

    def __init__(self, proof: Proof, claim: Claim, constant: Theorem):
        gap, noise, horizon = proof.positive(D, zeta, T)
        self.proof, self.claim = proof, claim
        self.long = proof.step("$T > 0$", gt(T, 0), horizon)
        self.signs = [constant, gap, noise, self.long]
        quotients = [proof.by.quotient(x) for x in (constant, noise, self.long)]
        self.units, self.inverses = [x for x, _ in quotients], [x for _, x in quotients]
        square = eq(alpha**2 * Lhat * zeta**2 * T, D)
        self.positive, self.square = root_quantity(
            proof, "α", quantity(claim, alpha), square, [gap, *self.inverses], self.units
        )
        self.weight = proof.step("$L̂α² ≥ 0$", ge(Lhat * alpha**2, 0), constant, self.positive)

    def root_term(self) -> Theorem:
        """sqrt(DL̂ζ²/T) = L̂αζ²."""
        value = Lhat * alpha * zeta**2
        size = self.proof.step("$L̂αζ² ≥ 0$", ge(value, 0), self.positive, self.signs)
        signs = [*self.signs, self.inverses[2]]
        return root_equals(self.proof, "S", ROOT_TERM, value, size, signs, self.square, self.units[2])

    def at_most_half(self) -> Theorem:
        """α <= 1/(2L̂), from T >= 4L̂D/ζ²."""
        proof, double = self.proof, 2 * Lhat * alpha
        shortest = proof.quantity(quantity(self.claim, T_min))
        horizon = proof.assume(self.claim.conditions[0])
        long = proof.step("$Tζ² ≥ 4L̂D$", ge(T * zeta**2, 4 * Lhat * D), shortest, horizon, self.units[1], self.signs)
        squares = proof.step(
            "$(2L̂α)² ≤ 1$",
            le(double**2, 1),
            proof.step("$ζ²T > 0$", gt(zeta**2 * T, 0), self.signs),
            proof.step("$(2L̂α)²ζ²T ≤ ζ²T$", le(double**2 * zeta**2 * T, zeta**2 * T), self.square, long),
            factor=[0],
            meaning="$α²ζ²T$ is $D/L̂$, and $4L̂D$ is at most $ζ²T$.",
        )
        small = proof.by.from_squares(squares, proof.step("$1 ≥ 0$", ge(1, 0)), double)
        return proof.step(
            "$α ≤ 1/(2L̂)$", le(Lhat * alpha, sp.Rational(1, 2)), small, meaning="As the paper says, from $T ≥ 4L̂D/ζ²$."
        )


def positive_constant(proof: Proof, signs: Sequence[Theorem]) -> Theorem:
    """L̂ > 0, from the formula of Lemma 1."""
    value = proof.step("$2LC√rσ + G > 0$", gt(quantity(LEMMA_1, Lhat).expression, 0), signs)
    return proof.step("$L̂ > 0$", gt(Lhat, 0), proof.recall("Lhat"), value)


def start(proof: Proof, printed: Mapping[str, str] = UNPRINTED) -> tuple[StepSize, Descent]:
    """The paper's step size, and (15) and (16), from the repaired Lemma 1."""
    m, signs = Meft(proof), proof.positive(L, C, G, sigma, r)
    smooth = proof.cite(lemma_1.repaired.proof, "Lemma 1", "By its repaired proof.")
    step_size = StepSize(proof, THEOREM_2, positive_constant(proof, signs))
    return step_size, descent_in_ball(proof, m, smooth, ASSUMPTION_2, step_size.positive, printed)


def divided_by_step(proof: Proof, step_size: StepSize, total: Theorem) -> Theorem:
    """(1 - L̂α/2) Σ_t E‖∇F(v_t)‖² <= (3/2) T L̂αζ², from the sum and the step size."""
    return proof.step(
        "divided by α",
        le((1 - Lhat * alpha / 2) * TOTAL, sp.Rational(3, 2) * T * Lhat * alpha * zeta**2),
        step_size.positive,
        total,
        step_size.square,
        factor=[0],
        meaning="With the step size put in, D is $α²L̂ζ²T$.",
    )


def at_most_two(proof: Proof, step_size: StepSize, half: Theorem, total: Theorem, square: Theorem) -> Theorem:
    """Σ_t E‖∇F(v_t)‖² <= 2 T L̂αζ², for α <= 1/(2L̂); `square` says that no term is negative."""
    return proof.step(
        "$Σ ≤ 2TL̂αζ²$",
        le(TOTAL, 2 * T * Lhat * alpha * zeta**2),
        divided_by_step(proof, step_size, total),
        half,
        proof.step("$Σ ≥ 0$", ge(TOTAL, 0), proof.by.sum(square)),
        meaning="1 - L̂α/2 is at least 3/4.",
    )


@script(THEOREM_2, "repaired", READING, instead=CONDITIONAL)
def repaired(proof: Proof) -> None:
    """The paper's statement by a shorter proof, which gives 2 instead of 2.5."""
    by = proof.by
    step_size, lines = start(proof)
    total = summed(proof, lines, expected_descent(proof, lines), step_size.weight)
    two = at_most_two(proof, step_size, step_size.at_most_half(), total, square_nonnegative(proof))
    least = proof.step(
        "constant 2",
        le(MINIMUM_GRADIENT, sp.Mul(2, ROOT_TERM, evaluate=False)),
        step_size.long,
        by.minimum(SQUARE),
        two,
        step_size.root_term(),
        factor=[0],
        meaning="The least of T numbers is at most their mean: the theorem with 2 in place of 2.5.",
    )
    limit, root = proof.quantity(quantity(THEOREM_2, bound)), by.root_nonnegative(ROOT_TERM.base)
    proof.conclude(proof.step("(9)", THEOREM_2.conclusion, least, limit, root, meaning="2 is at most 2.5."))
