"""Theorem 2 of jiang2024: as printed, (15) to (24) and (14), and beyond it; and repaired, with
constant 2 for 2.5.

(22) loses a factor of 4. The lines after it are still true for the printed step size, by the
repaired proof: their derivation is false, and so are the lines for any other step size that the
derivation allows.
"""

import sympy as sp

from boundcheck.exact.evaluate import at_time
from boundcheck.kernel import Theorem
from boundcheck.language.symbols import (
    C,
    D,
    G,
    L,
    Lhat,
    T,
    T_min,
    alpha,
    bound,
    f_star,
    q,
    r,
    sigma,
    zeta,
)
from boundcheck.language.vocabulary import (
    MINIMUM_GRADIENT,
    EuclideanNorm,
    Expectation,
    F,
    Value,
    g_t,
    v_first,
)
from boundcheck.proof import Proof, eq, ge, le, script

from . import lemma_1, paper
from .claims import ASSUMPTION_2, LEMMA_1, ROOT_TERM, THEOREM_2
from .descent import (
    NEXT,
    NOISE,
    NOW,
    SLOPE,
    SQUARE,
    TOTAL,
    Descent,
    descent_in_ball,
    expected_descent,
    noise,
    square_nonnegative,
    summed,
)
from .eigenvalue import root_equals, root_quantity
from .setting import (
    FRESH,
    READING,
    Meft,
    above_0,
    at_least_0,
    defined,
    horizon_above_0,
    quantity,
    quotients,
)
from .witnesses import LAST_ITERATE, NEGATIVE, SETTLED


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

    def __init__(self, proof: Proof, constant: Theorem):
        gap, noise = proof.positive(D, zeta)
        # A proof of no claim takes the printed theorem's.
        self.proof, self.claim = proof, proof.claim or THEOREM_2
        self.long = horizon_above_0(proof)
        self.signs = [constant, gap, noise, self.long]
        self.units, self.inverses = quotients(proof, constant, noise, self.long)
        square = eq(alpha**2 * Lhat * zeta**2 * T, D)
        size, signs = quantity(self.claim, alpha), [gap, *self.inverses]
        self.positive, self.square = root_quantity(proof, "α", size, square, signs, self.units)
        self.weight = at_least_0(proof, "L̂α²", Lhat * alpha**2, constant, self.positive)

    def root_term(self) -> Theorem:
        """sqrt(DL̂ζ²/T) = L̂αζ²."""
        value = Lhat * alpha * zeta**2
        size = at_least_0(self.proof, "L̂αζ²", value, self.positive, self.signs)
        signs = [*self.signs, self.inverses[2]]
        return root_equals(
            self.proof, "S", ROOT_TERM, value, size, signs, self.square, self.units[2]
        )

    def in_units(self) -> Theorem:
        """The ratio q = L̂α."""
        formula, size = quantity(self.claim, q), Lhat * alpha
        positive = at_least_0(self.proof, "L̂α", size, self.positive, self.signs)
        signs, squares = [*self.signs, *self.inverses], (self.square, *self.units)
        root = root_equals(
            self.proof, "√(L̂D/(ζ²T))", formula.expression, size, positive, signs, *squares
        )
        means = "q is the step size in units of 1/L̂."
        return self.proof.step("q", eq(q, size), self.proof.quantity(formula), root, meaning=means)

    def at_most_half(self) -> Theorem:
        """α <= 1/(2L̂), from T >= 4L̂D/ζ²."""
        proof, double = self.proof, 2 * Lhat * alpha
        shortest = proof.quantity(quantity(self.claim, T_min))
        horizon = proof.assume(self.claim.conditions[0])
        long = proof.step(
            "$Tζ² ≥ 4L̂D$", ge(T * zeta**2, 4 * Lhat * D), shortest, horizon, self.units[1]
        )
        squares = proof.step(
            "$(2L̂α)² ≤ 1$",
            le(double**2, 1),
            above_0(proof, "ζ²T", zeta**2 * T, self.signs),
            proof.step(
                "$(2L̂α)²ζ²T ≤ ζ²T$", le(double**2 * zeta**2 * T, zeta**2 * T), self.square, long
            ),
            meaning="$α²ζ²T$ is $D/L̂$, and $4L̂D$ is at most $ζ²T$.",
        )
        small = proof.by.from_squares(squares, at_least_0(proof, "1", 1), double)
        return proof.step(
            "$α ≤ 1/(2L̂)$",
            le(Lhat * alpha, sp.Rational(1, 2)),
            small,
            meaning="As the paper says, from $T ≥ 4L̂D/ζ²$.",
        )


def start(proof: Proof) -> tuple[StepSize, Descent]:
    """The paper's step size, and (15) and (16), from the repaired Lemma 1."""
    m, signs = Meft(proof), proof.positive(L, C, G, sigma, r)
    smooth = proof.cite(lemma_1.repaired.proof, "Lemma 1", "By its repaired proof.")
    value = above_0(proof, "2LC√rσ + G", quantity(LEMMA_1, Lhat).expression, signs)
    constant = above_0(proof, "L̂", Lhat, proof.recall("Lhat"), value)
    step_size = StepSize(proof, constant)
    return step_size, descent_in_ball(proof, m, smooth, ASSUMPTION_2, step_size.positive)


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


def at_most_two(
    proof: Proof, step_size: StepSize, half: Theorem, total: Theorem, square: Theorem
) -> Theorem:
    """Σ_t E‖∇F(v_t)‖² <= 2 T L̂αζ², for α <= 1/(2L̂); `square` says that no term is negative."""
    return proof.step(
        "$Σ ≤ 2TL̂αζ²$",
        le(TOTAL, 2 * T * Lhat * alpha * zeta**2),
        divided_by_step(proof, step_size, total),
        half,
        at_least_0(proof, "Σ", TOTAL, proof.by.sum(square)),
        meaning="1 - L̂α/2 is at least 3/4.",
    )


CHANGE, FALL = Expectation(NEXT) - Expectation(NOW), Expectation(NOW) - Expectation(NEXT)
# What (22) to (24) add for each step; (21) gives four times as much.
ADDED = sp.Rational(1, 2) * Lhat * alpha * zeta**2
GAP = Value(F, v_first) - f_star
BOUND = quantity(THEOREM_2, bound).expression


@script(THEOREM_2, "printed", fresh=FRESH)
def printed(proof: Proof) -> None:
    """(15) to (24) and (14); and what the printed chain proves once (22) is corrected."""
    by, half, (step_size, lines) = proof.by, Lhat / 2 * alpha**2, start(proof)
    unit = step_size.units[2]
    proof.step(
        "(17)",
        eq(half * EuclideanNorm(g_t) ** 2, half * EuclideanNorm(g_t - SLOPE + SLOPE) ** 2),
        meaning="The gradient is taken off and put back.",
    )
    both = EuclideanNorm(g_t - SLOPE) ** 2 + EuclideanNorm(SLOPE) ** 2
    line18 = proof.step(
        "(18)",
        le(half * EuclideanNorm(g_t) ** 2, 2 * half * both),
        proof.step(
            "$‖a + b‖²$",
            le(EuclideanNorm(g_t) ** 2, 2 * both),
            *map(by.expansion, (g_t, SLOPE, g_t - SLOPE, g_t - 2 * SLOPE)),
            meaning="$2‖a‖² + 2‖b‖² - ‖a + b‖²$ is $‖a - b‖²$.",
        ),
        step_size.weight,
        meaning=(
            "True and wasteful: in expectation the factor 2 is 1, for the gradient is unbiased."
        ),
    )
    expected = expected_descent(proof, lines)
    line19 = proof.step(
        "(19)",
        le(CHANGE + alpha * SQUARE, Lhat * alpha**2 * (NOISE + SQUARE)),
        by.expectation(expected),
        by.expectation(line18),
        meaning="(18) in (16), and expectations; it needs the gradient unbiased given the past.",
    )
    line20 = proof.step(
        "(20)",
        le(CHANGE + alpha * SQUARE, Lhat * alpha**2 * zeta**2 + Lhat * alpha**2 * SQUARE),
        line19,
        noise(proof),
        step_size.weight,
        meaning="Assumption 4.",
    )
    short, square = step_size.at_most_half(), square_nonnegative(proof)
    line21 = proof.step(
        "(21)",
        le(CHANGE, Lhat * alpha**2 * zeta**2 - alpha / 2 * SQUARE),
        line20,
        proof.step("$L̂α² ≤ α/2$", le(Lhat * alpha**2, alpha / 2), short, step_size.positive),
        square,
        meaning="For $α ≤ 1/(2L̂)$, as $T ≥ 4L̂D/ζ²$ makes it.",
    )
    quotient, inverse = by.quotient(step_size.positive)
    proof.step(
        "(22)",
        le(SQUARE, 2 * FALL / alpha + ADDED),
        meaning="$2/α$ times $L̂α²ζ²$ is $2L̂αζ²$, and not $L̂αζ²/2$.",
        derived_from=[line21, quotient, inverse, *step_size.signs],
        witness=NEGATIVE,
    )
    corrected = proof.step(
        "(22), corrected",
        le(SQUARE, 2 * FALL / alpha + 4 * ADDED),
        step_size.positive,
        line21,
        quotient,
        meaning="What (21) gives, times 2/α.",
    )
    two = at_most_two(
        proof, step_size, short, summed(proof, lines, step_size.weight, expected), square
    )
    line23 = proof.step(
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
        at_least_0(proof, "TL̂αζ²", T * ADDED, step_size.signs, step_size.positive),
        meaning="A sum of false lines; true for the printed step size, by the repaired proof.",
    )
    mean = proof.step(
        "(24), first $≤$",
        le(MINIMUM_GRADIENT, TOTAL / T),
        step_size.long,
        by.minimum(SQUARE),
        unit,
        meaning="The least of T numbers is at most their mean.",
    )
    line24 = proof.step(
        "(24), second $≤$",
        le(TOTAL / T, 2 * D / (alpha * T) + ADDED),
        step_size.long,
        line23,
        proof.recall("$D = F(v_1) - f*$"),
        unit,
        meaning="(23) divided by T.",
    )
    term = step_size.root_term()
    proof.step(
        "(14)",
        le(MINIMUM_GRADIENT, BOUND),
        mean,
        line24,
        proof.step(
            "$2D/(αT) + L̂αζ²/2$",
            eq(2 * D / (alpha * T) + ADDED, 5 * ADDED),
            step_size.square,
            quotient,
            unit,
            meaning="The step size put in.",
        ),
        term,
        meaning="Substituting the step size.",
    )
    total = proof.step(
        "(23), corrected",
        le(TOTAL, 2 * D / alpha + 4 * T * ADDED),
        by.sum(corrected),
        by.telescope(Expectation(NOW)),
        *lines.ends,
        inverse,
        meaning=(
            "The sum of the corrected (22): the values of F telescope, and the last is at least f*."
        ),
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
    paper.quote(proof, paper.THEOREM_2)


@script(
    "jiang2024.theorem2.any_step",
    "printed",
    READING,
    title="(23) and (24), were they for every constant $α ≤ 1/(2L̂)$",
    is_statement=True,
)
def any_step(proof: Proof) -> None:
    """(21) to (24) use only that the step size is at most 1/(2L̂), and nothing about T."""
    *_, positive = proof.positive(L, C, G, sigma, r, D, zeta, alpha)
    smooth = proof.cite(lemma_1.repaired.proof, "Lemma 1", "By its repaired proof.")
    proof.assume(le(Lhat * alpha, sp.Rational(1, 2)), name="$α ≤ 1/(2L̂)$")
    descent_in_ball(proof, Meft(proof), smooth, ASSUMPTION_2, positive)
    limit = 2 * GAP / alpha + T * ADDED
    proof.step(
        "(23), any α", le(TOTAL, limit), meaning="As (22), of which it is the sum.", witness=SETTLED
    )
    proof.step(
        "(24), any α", le(TOTAL / T, limit / T), meaning="(23) divided by T.", witness=SETTLED
    )
    paper.quote(proof, paper.THEOREM_2)


@script(
    "jiang2024.algorithm1",
    "printed",
    READING,
    title="The bound of Theorem 2, were it of the returned $v_T$",
    is_statement=True,
)
def last_iterate(proof: Proof) -> None:
    """The bound holds for the least of T expectations, not for the returned iterate."""
    step_size, _ = start(proof)
    step_size.at_most_half()
    last = Expectation(EuclideanNorm(at_time(SLOPE, T)) ** 2)
    proof.step(
        "(14) of $v_T$",
        le(last, BOUND),
        meaning=(
            "The theorem bounds the least over $t$, and its proof the mean: return $v_τ$, $τ$"
            " uniform on $1, …, T$."
        ),
        witness=LAST_ITERATE,
    )
    paper.quote(proof, paper.THEOREM_2)


@script(THEOREM_2, "repaired", fresh=FRESH)
def repaired(proof: Proof) -> None:
    """The paper's statement by a shorter proof, which gives 2 instead of 2.5."""
    by = proof.by
    step_size, lines = start(proof)
    total = summed(proof, lines, step_size.weight)
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
    limit = defined(proof, bound)
    proof.conclude(
        proof.step("(9)", THEOREM_2.conclusion, least, limit, meaning="2 is at most 2.5.")
    )
