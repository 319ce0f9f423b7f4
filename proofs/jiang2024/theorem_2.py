"""Theorem 2 of jiang2024: as printed, (15) to (24) and (14), and beyond it; and repaired, with constant 2 for 2.5.

(22) loses a factor of 4. The lines after it are still true for the printed step size, by the repaired proof: their
derivation is false, and so are the lines for any other step size that the derivation allows.
"""

from collections.abc import Mapping, Sequence

import sympy as sp

from boundcheck.exact.evaluate import t
from boundcheck.kernel import Theorem
from boundcheck.language.claim import Claim
from boundcheck.language.symbols import C, D, G, L, Lhat, T, T_min, alpha, bound, f_star, r, sigma, zeta
from boundcheck.language.vocabulary import MINIMUM_GRADIENT, EuclideanNorm, Expectation, F, Value
from boundcheck.proof import Proof, eq, ge, gt, le, script

from ..meft.lora import CONDITIONALLY_UNBIASED
from . import lemma_1, paper
from .claims import ASSUMPTION_2, LEMMA_1, ROOT_TERM, THEOREM_2, UNBIASED
from .descent import (
    NEXT,
    NOISE,
    NOW,
    SLOPE,
    SQUARE,
    TOTAL,
    UNPRINTED,
    Descent,
    descent_in_ball,
    expected_descent,
    g_t,
    noise,
    square_nonnegative,
    summed,
    v_first,
)
from .eigenvalue import root_equals, root_quantity
from .setting import READING, Meft, quantity
from .witnesses import LAST_ITERATE, NEGATIVE, SETTLED

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
        self.long = proof.step("$T > 0$", gt(T, 0))
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
        long = proof.step("$Tζ² ≥ 4L̂D$", ge(T * zeta**2, 4 * Lhat * D), shortest, horizon, self.units[1])
        squares = proof.step(
            "$(2L̂α)² ≤ 1$",
            le(double**2, 1),
            proof.step("$ζ²T > 0$", gt(zeta**2 * T, 0), self.signs),
            proof.step("$(2L̂α)²ζ²T ≤ ζ²T$", le(double**2 * zeta**2 * T, zeta**2 * T), self.square, long),
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


CHANGE, FALL = Expectation(NEXT) - Expectation(NOW), Expectation(NOW) - Expectation(NEXT)
# What (22) to (24) add for each step; (21) gives four times as much.
ADDED = sp.Rational(1, 2) * Lhat * alpha * zeta**2
GAP = Value(F, v_first) - f_star
BOUND = quantity(THEOREM_2, bound).expression


@script(THEOREM_2, "printed", READING, instead=CONDITIONAL)
def printed(proof: Proof) -> None:
    """(15) to (24) and (14); and what the printed chain proves once (22) is corrected."""
    step_size, lines = start(proof, paper.THEOREM_2)
    line18 = _line18(proof, step_size)
    expected = expected_descent(proof, lines)
    line20 = _line20(proof, lines, step_size, line18, expected)
    half, square = step_size.at_most_half(), square_nonnegative(proof)
    line21 = _line21(proof, step_size, line20, half, square)
    line22 = _line22(proof, step_size, line21)
    two = at_most_two(proof, step_size, half, summed(proof, lines, expected, step_size.weight), square)
    line23 = _line23(proof, step_size, two)
    mean = _line24(proof, step_size, line23)
    term = step_size.root_term()
    _line14(proof, step_size, mean, term)
    _mended(proof, lines, step_size, line22, term)


def _line18(proof: Proof, step_size: StepSize) -> Theorem:
    """(17) and (18): L̂α²/2 ‖g_t‖² <= L̂α²(‖g_t - ∇F‖² + ‖∇F‖²)."""
    by, half = proof.by, Lhat / 2 * alpha**2
    both = EuclideanNorm(g_t - SLOPE) ** 2 + EuclideanNorm(SLOPE) ** 2
    proof.step(
        "(17)",
        eq(half * EuclideanNorm(g_t) ** 2, half * EuclideanNorm(g_t - SLOPE + SLOPE) ** 2),
        printed=paper.THEOREM_2["(17)"],
        meaning="The gradient is taken off and put back.",
    )
    return proof.step(
        "(18)",
        le(half * EuclideanNorm(g_t) ** 2, 2 * half * both),
        proof.step(
            "$‖a + b‖²$",
            le(EuclideanNorm(g_t) ** 2, 2 * both),
            *(by.expansion(x) for x in (g_t, SLOPE, g_t - SLOPE, g_t - 2 * SLOPE)),
            meaning="$2‖a‖² + 2‖b‖² - ‖a + b‖²$ is $‖a - b‖²$.",
        ),
        step_size.weight,
        printed=paper.THEOREM_2["(18)"],
        meaning="True and wasteful: in expectation the factor 2 is 1, for the gradient is unbiased.",
    )


def _line20(proof: Proof, lines: Descent, step_size: StepSize, line18: Theorem, expected: Theorem) -> Theorem:
    """(19) and (20): E[F(v_{t+1}) - F(v_t)] + αE‖∇F‖² <= L̂α²ζ² + L̂α²E‖∇F‖²."""
    line19 = proof.step(
        "(19)",
        le(CHANGE + alpha * SQUARE, Lhat * alpha**2 * (NOISE + SQUARE)),
        proof.by.expectation(expected),
        proof.by.expectation(line18),
        printed=paper.THEOREM_2["(19)"],
        meaning="(18) in (16), and expectations; it needs the gradient unbiased given the past.",
    )
    return proof.step(
        "(20)",
        le(CHANGE + alpha * SQUARE, Lhat * alpha**2 * zeta**2 + Lhat * alpha**2 * SQUARE),
        line19,
        noise(proof),
        step_size.weight,
        printed=paper.THEOREM_2["(20)"],
        meaning="Assumption 4.",
    )


def _line21(proof: Proof, step_size: StepSize, line20: Theorem, half: Theorem, square: Theorem) -> Theorem:
    """(21): E[F(v_{t+1}) - F(v_t)] <= L̂α²ζ² - α/2 E‖∇F‖²."""
    return proof.step(
        "(21)",
        le(CHANGE, Lhat * alpha**2 * zeta**2 - alpha / 2 * SQUARE),
        line20,
        proof.step("$L̂α² ≤ α/2$", le(Lhat * alpha**2, alpha / 2), half, step_size.positive),
        square,
        printed=paper.THEOREM_2["(21)"],
        meaning="For $α ≤ 1/(2L̂)$, as $T ≥ 4L̂D/ζ²$ makes it.",
    )


def _line22(proof: Proof, step_size: StepSize, line21: Theorem) -> Theorem:
    """(22), which is false, and what (21) gives instead."""
    quotient, inverse = proof.by.quotient(step_size.positive)
    proof.step(
        "(22)",
        le(SQUARE, 2 * FALL / alpha + ADDED),
        printed=paper.THEOREM_2["(22)"],
        meaning="$2/α$ times $L̂α²ζ²$ is $2L̂αζ²$, and not $L̂αζ²/2$.",
        derived_from=[line21, quotient, inverse, *step_size.signs],
        witness=NEGATIVE,
    )
    return proof.step(
        "(22), corrected",
        le(SQUARE, 2 * FALL / alpha + 4 * ADDED),
        step_size.positive,
        line21,
        quotient,
        meaning="What (21) gives, times 2/α.",
    )


def _line23(proof: Proof, step_size: StepSize, two: Theorem) -> Theorem:
    """(23): true for the printed step size, because the repaired proof bounds the sum by 2TL̂αζ²."""
    quotient, _ = proof.by.quotient(step_size.positive)
    return proof.step(
        "(23)",
        le(TOTAL, 2 * GAP / alpha + T * ADDED),
        proof.step(
            "$2D/α + TL̂αζ²/2$",
            eq(2 * D / alpha + T * ADDED, 5 * T * ADDED),
            step_size.square,
            quotient,
            meaning="With the printed step size put in, D is $α²L̂ζ²T$.",
        ),
        two,
        proof.recall("$D = F(v_1) - f*$"),
        proof.step("$TL̂αζ² ≥ 0$", ge(T * ADDED, 0), step_size.signs, step_size.positive),
        printed=paper.THEOREM_2["(23)"],
        meaning="A sum of false lines; true for the printed step size, by the repaired proof.",
    )


def _line24(proof: Proof, step_size: StepSize, line23: Theorem) -> tuple[Theorem, Theorem]:
    """(24): min_t E‖∇F(v_t)‖² <= Σ_t E‖∇F(v_t)‖²/T <= 2D/(αT) + L̂αζ²/2."""
    quotient, _ = proof.by.quotient(step_size.positive)
    first = proof.step(
        "(24), first $≤$",
        le(MINIMUM_GRADIENT, TOTAL / T),
        step_size.long,
        proof.by.minimum(SQUARE),
        step_size.units[2],
        printed=paper.THEOREM_2["(24), first $≤$"],
        meaning="The least of T numbers is at most their mean.",
    )
    second = proof.step(
        "(24), second $≤$",
        le(TOTAL / T, 2 * D / (alpha * T) + ADDED),
        step_size.long,
        line23,
        proof.recall("$D = F(v_1) - f*$"),
        step_size.units[2],
        printed=paper.THEOREM_2["(24), second $≤$"],
        meaning="(23) divided by T.",
    )
    return first, second


def _line14(proof: Proof, step_size: StepSize, line24: tuple[Theorem, Theorem], term: Theorem) -> None:
    """(14), the theorem: min_t E‖∇F(v_t)‖² <= 2.5 sqrt(DL̂ζ²/T)."""
    quotient, _ = proof.by.quotient(step_size.positive)
    proof.step(
        "(14)",
        le(MINIMUM_GRADIENT, BOUND),
        line24,
        proof.step(
            "$2D/(αT) + L̂αζ²/2$",
            eq(2 * D / (alpha * T) + ADDED, 5 * ADDED),
            step_size.square,
            quotient,
            step_size.units[2],
            meaning="The step size put in.",
        ),
        term,
        printed=paper.THEOREM_2["(14)"],
        meaning="Substituting the step size.",
    )


def _mended(proof: Proof, lines: Descent, step_size: StepSize, line22: Theorem, term: Theorem) -> None:
    """What the printed chain proves once (22) is corrected: 4 instead of 2.5."""
    by = proof.by
    quotient, inverse = by.quotient(step_size.positive)
    total = proof.step(
        "(23), corrected",
        le(TOTAL, 2 * D / alpha + 4 * T * ADDED),
        by.sum(line22),
        by.telescope(Expectation(NOW)),
        lines.start,
        lines.end,
        inverse,
        meaning="The sum of the corrected (22): the values of F telescope, and the last is at least f*.",
    )
    proof.step(
        "(14), corrected",
        le(MINIMUM_GRADIENT, sp.Mul(4, ROOT_TERM, evaluate=False)),
        step_size.long,
        by.minimum(SQUARE),
        total,
        proof.step("2D/α", eq(2 * D / alpha, 4 * T * ADDED), step_size.square, quotient),
        term,
        meaning="The printed chain, its algebra mended, proves 4 and not 2.5.",
    )


@script(
    "jiang2024.theorem2.any_step",
    "printed",
    READING,
    title="(23) and (24), were they for every constant $α ≤ 1/(2L̂)$",
    is_statement=True,
)
def any_step(proof: Proof) -> None:
    """(21) to (24) use only that the step size is at most 1/(2L̂), and nothing about T."""
    proof.positive(L, C, G, sigma, r, D, zeta)
    (positive,) = proof.positive(alpha)
    smooth = proof.cite(lemma_1.repaired.proof, "Lemma 1", "By its repaired proof.")
    proof.assume(le(Lhat * alpha, sp.Rational(1, 2)), name="$α ≤ 1/(2L̂)$")
    descent_in_ball(proof, Meft(proof), smooth, ASSUMPTION_2, positive, paper.THEOREM_2)
    limit = 2 * GAP / alpha + T * ADDED
    proof.step("(23), any α", le(TOTAL, limit), meaning="As (22), of which it is the sum.", witness=SETTLED)
    proof.step("(24), any α", le(TOTAL / T, limit / T), meaning="(23) divided by T.", witness=SETTLED)


@script(
    "jiang2024.algorithm1",
    "printed",
    READING,
    title="The bound of Theorem 2, were it of the returned $v_T$",
    instead=CONDITIONAL,
    is_statement=True,
)
def last_iterate(proof: Proof) -> None:
    """The bound holds for the least of T expectations, not for the returned iterate."""
    step_size, _ = start(proof, paper.THEOREM_2)
    step_size.at_most_half()
    last = Expectation(EuclideanNorm(SLOPE.xreplace({t: T})) ** 2)
    proof.step(
        "(14) of $v_T$",
        le(last, BOUND),
        printed=paper.THEOREM_2["(14) of $v_T$"],
        meaning="The theorem bounds the least over $t$, and its proof the mean: return $v_τ$, $τ$ uniform on $1, …, "
        "T$.",
        witness=LAST_ITERATE,
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
        meaning="The least of T numbers is at most their mean: the theorem with 2 in place of 2.5.",
    )
    limit, root = proof.quantity(quantity(THEOREM_2, bound)), by.root_nonnegative(ROOT_TERM.base)
    proof.conclude(proof.step("(9)", THEOREM_2.conclusion, least, limit, meaning="2 is at most 2.5."))
