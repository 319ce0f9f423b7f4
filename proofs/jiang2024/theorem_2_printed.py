"""Theorem 2 of jiang2024 as printed, (15) to (24) and (14), with the paper's own step size; and beyond it.

Where (22) loses a factor of 4, the lines after it are still true for the printed step size, by the repaired proof: what
is false is their derivation, and the lines themselves for any other step size that the derivation allows.
"""

import sympy as sp

from boundcheck.claims.jiang2024 import ASSUMPTION_2, MINIMUM_GRADIENT, ROOT_TERM, THEOREM_2
from boundcheck.claims.symbols import C, D, G, L, Lhat, T, alpha, f_star, r, sigma, zeta
from boundcheck.claims.vocabulary import EuclideanNorm, Expectation, F, Value, t
from boundcheck.kernel import Theorem
from boundcheck.prove import Proof, eq, ge, le, script

from . import lemma_1
from .descent import NEXT, NOISE, NOW, SLOPE, SQUARE, TOTAL, Descent, descent, expected_descent, g_t, summed, v_first
from .setting import READING, Meft
from .theorem_2 import CONDITIONAL, Step, at_most_two, positive_constant
from .witnesses import LAST_ITERATE, NEGATIVE, SETTLED

FALL = Expectation(NOW) - Expectation(NEXT)
SMALLER = sp.Rational(1, 2) * Lhat * alpha * zeta**2
GAP = Value(F, v_first) - f_star


@script(THEOREM_2, "printed", READING, instead=CONDITIONAL)
def printed(proof: Proof) -> None:
    m = Meft(proof)
    signs = proof.positive(L, C, G, sigma, r)
    smooth = proof.cite(lemma_1.repaired.proof, "Lemma 1", "By its repaired proof.")
    constant = positive_constant(proof, signs)
    step = Step(proof, THEOREM_2, constant)
    lines = descent(proof, m, smooth, ASSUMPTION_2, step.positive)
    half = step.half(THEOREM_2)
    line21 = _to_line21(proof, lines, step, half)
    _line22(proof, step, line21)
    line22_corrected = _corrected(proof, step, line21)
    _after_line22(proof, lines, step, half)
    _four(proof, lines, step, line22_corrected)


def _to_line21(proof: Proof, lines: Descent, step: Step, half_step: Theorem) -> Theorem:
    by, both = proof.by, EuclideanNorm(g_t - SLOPE) ** 2 + EuclideanNorm(SLOPE) ** 2
    half = sp.Rational(1, 2) * Lhat * alpha**2
    proof.step(
        "(17)",
        eq(half * EuclideanNorm(g_t) ** 2, half * EuclideanNorm(g_t - SLOPE + SLOPE) ** 2),
        printed=r"\frac{\hat{L}}{2} \alpha^2 \|\mathbf{g}_t\|^2 = \frac{\hat{L}}{2} \alpha^2 \|\mathbf{g}_t - "
        r"\nabla f(\mathbf{v}_t) + \nabla f(\mathbf{v}_t)\|^2",
        meaning="The gradient is taken off and put back.",
    )
    weight = proof.step("weight", ge(Lhat * alpha**2, 0), step.signs, step.positive)
    line18 = proof.step(
        "(18)",
        le(half * EuclideanNorm(g_t) ** 2, 2 * half * both),
        proof.step(
            "a + b",
            le(EuclideanNorm(g_t) ** 2, 2 * both),
            *(by.expansion(x) for x in (g_t, SLOPE, g_t - SLOPE, g_t - 2 * SLOPE)),
            meaning="2‖a‖² + 2‖b‖² - ‖a + b‖² is ‖a - b‖².",
        ),
        weight,
        printed=r"\frac{\hat{L}}{2} \alpha^2 \|\mathbf{g}_t\|^2 \le \hat{L} \alpha^2 (\|\mathbf{g}_t - "
        r"\nabla f(\mathbf{v}_t)\|^2 + \|\nabla f(\mathbf{v}_t)\|^2)",
        meaning="True and wasteful: in expectation the factor 2 is 1, for the gradient is unbiased.",
    )
    change = Expectation(NEXT) - Expectation(NOW)
    line19 = proof.step(
        "(19)",
        le(change + alpha * SQUARE, Lhat * alpha**2 * (NOISE + SQUARE)),
        by.expectation(expected_descent(proof, lines)),
        by.expectation(line18),
        printed=r"\mathbb{E}[f(\mathbf{v}_{t+1}) - f(\mathbf{v}_t)] + \alpha \mathbb{E}[\|\nabla f(\mathbf{v}_t)\|^2] \le "
        r"\hat{L} \alpha^2 \mathbb{E}[\|\mathbf{g}_t - \nabla f(\mathbf{v}_t)\|^2 + \|\nabla f(\mathbf{v}_t)\|^2]",
        meaning="(18) in (16), and expectations; it needs the gradient unbiased given the past.",
    )
    line20 = proof.step(
        "(20)",
        le(change + alpha * SQUARE, Lhat * alpha**2 * zeta**2 + Lhat * alpha**2 * SQUARE),
        line19,
        lines.noise,
        weight,
        printed=r"\mathbb{E}[f(\mathbf{v}_{t+1}) - f(\mathbf{v}_t)] + \alpha \mathbb{E}[\|\nabla f(\mathbf{v}_t)\|^2] \le "
        r"\hat{L}\alpha^2\zeta^2 + \hat{L}\alpha^2\mathbb{E}[\|\nabla f(\mathbf{v}_t)\|^2]",
        meaning="Assumption 4.",
    )
    share = proof.step("α/2", le(Lhat * alpha**2, alpha / 2), half_step, step.positive)
    size = proof.step("E‖∇F‖² ≥ 0", ge(SQUARE, 0), by.expectation(square_nonnegative(proof)))
    return proof.step(
        "(21)",
        le(change, Lhat * alpha**2 * zeta**2 - alpha / 2 * SQUARE),
        line20,
        share,
        size,
        printed=r"\mathbb{E}[f(\mathbf{v}_{t+1}) - f(\mathbf{v}_t)] \le \hat{L}\alpha^2\zeta^2 - "
        r"\frac{\alpha}{2}\mathbb{E}[\|\nabla f(\mathbf{v}_t)\|^2]",
        meaning="For α ≤ 1/(2L̂), as T ≥ 4L̂D/ζ² makes it.",
    )


def square_nonnegative(proof: Proof) -> Theorem:
    """‖∇F(v_t)‖² >= 0."""
    return proof.step("‖∇F‖² ≥ 0", ge(EuclideanNorm(SLOPE) ** 2, 0), proof.by.nonnegative("F", SLOPE))


def _line22(proof: Proof, step: Step, line21: Theorem) -> None:
    proof.step(
        "(22)",
        le(SQUARE, 2 * FALL / alpha + SMALLER),
        printed=r"\mathbb{E}[\|\nabla f(\mathbf{v}_t)\|^2] \le \frac{2(\mathbb{E}[f(\mathbf{v}_t) - "
        r"f(\mathbf{v}_{t+1})])}{\alpha} + \frac{\hat{L}\alpha\zeta^2}{2}",
        meaning="2/α times L̂α²ζ² is 2L̂αζ², and not L̂αζ²/2.",
        derived_from=[line21, *proof.by.quotient(step.positive), *step.signs],
        witness=NEGATIVE,
    )


def _corrected(proof: Proof, step: Step, line21: Theorem) -> Theorem:
    quotient, _ = proof.by.quotient(step.positive)
    return proof.step(
        "(22), corrected",
        le(SQUARE, 2 * FALL / alpha + 2 * Lhat * alpha * zeta**2),
        step.positive,
        line21,
        quotient,
        factor=[0],
        meaning="What (21) gives.",
    )


def _after_line22(proof: Proof, lines: Descent, step: Step, half: Theorem) -> None:
    """(23), (24) and (14): true for the printed step size, because the repaired proof bounds the sum by 2TL̂αζ²."""
    by = proof.by
    total = summed(proof, lines, [*step.signs, step.positive])
    two = at_most_two(proof, step, half, total)
    quotient, inverse = by.quotient(step.positive)
    start = proof.recall("D = F(v_1) - f*")
    line23 = proof.step(
        "(23)",
        le(TOTAL, 2 * GAP / alpha + T * SMALLER),
        proof.step(
            "2D/α + TL̂αζ²/2",
            eq(2 * D / alpha + T * SMALLER, sp.Rational(5, 2) * T * Lhat * alpha * zeta**2),
            step.square,
            quotient,
            meaning="With the printed step size put in, D is α²L̂ζ²T.",
        ),
        two,
        start,
        proof.step("TL̂αζ²", ge(T * Lhat * alpha * zeta**2, 0), step.signs, step.positive, step.long),
        printed=r"\sum_{t=1}^T \mathbb{E}[\|\nabla f(\mathbf{v}_t)\|^2] \le \frac{2(f(\mathbf{v}_1) - f^*)}{\alpha} + "
        r"\frac{T\hat{L}\alpha\zeta^2}{2}",
        meaning="A sum of false lines; true for the printed step size, by the repaired proof.",
    )
    line24 = proof.step(
        "(24), second ≤",
        le(TOTAL / T, 2 * D / (alpha * T) + SMALLER),
        step.long,
        line23,
        start,
        step.unit,
        quotient,
        factor=[0],
        printed=r"\frac{\sum_{t=1}^T \mathbb{E}[\|\nabla f(\mathbf{v}_t)\|^2]}{T} \le \frac{2D}{\alpha T} + "
        r"\frac{\hat{L}\alpha\zeta^2}{2}",
        meaning="(23) divided by T.",
    )
    mean = proof.step(
        "(24), first ≤",
        le(MINIMUM_GRADIENT, TOTAL / T),
        step.long,
        by.minimum(SQUARE),
        step.unit,
        factor=[0],
        printed=r"\min_{t=1:T} \mathbb{E}[\|\nabla f(\mathbf{v}_t)\|^2] \le \frac{\sum_{t=1}^T "
        r"\mathbb{E}[\|\nabla f(\mathbf{v}_t)\|^2]}{T}",
        meaning="The least of T numbers is at most their mean.",
    )
    proof.step(
        "(14)",
        le(MINIMUM_GRADIENT, THEOREM_2.quantities[-1].expression),
        mean,
        line24,
        proof.step(
            "step size put in",
            eq(2 * D / (alpha * T) + SMALLER, sp.Rational(5, 2) * Lhat * alpha * zeta**2),
            step.square,
            quotient,
            step.unit,
        ),
        step.root_term(ROOT_TERM),
        printed=r"\min_{t=1:T} \mathbb{E}[\|\nabla f(\mathbf{v}_t)\|^2] \le 2.5 \sqrt{\frac{D\hat{L}\zeta^2}{T}}",
        meaning="Substituting the step size.",
    )


def _four(proof: Proof, lines: Descent, step: Step, line22: Theorem) -> None:
    """What the printed chain proves once (22) is corrected: 4 in place of 2.5."""
    by = proof.by
    quotient, inverse = by.quotient(step.positive)
    total = proof.step(
        "(23), corrected",
        le(TOTAL, 2 * D / alpha + 2 * T * Lhat * alpha * zeta**2),
        by.sum(line22),
        by.telescope(Expectation(NOW)),
        lines.start,
        lines.end,
        inverse,
    )
    proof.step(
        "(14), corrected",
        le(MINIMUM_GRADIENT, sp.Mul(4, ROOT_TERM, evaluate=False)),
        step.long,
        by.minimum(SQUARE),
        total,
        proof.step("2D/α", eq(2 * D / alpha, 2 * T * Lhat * alpha * zeta**2), step.square, quotient),
        step.root_term(ROOT_TERM),
        factor=[0],
        meaning="The printed chain, its algebra mended, proves 4 and not 2.5.",
    )


@script(
    "jiang2024.theorem2.any_step",
    "printed",
    READING,
    title="(23) and (24), for any constant α ≤ 1/(2L̂)",
    is_statement=True,
)
def any_step(proof: Proof) -> None:
    """(21) to (24) use of the step size that it is at most 1/(2L̂), and of T nothing."""
    m = Meft(proof)
    proof.positive(L, C, G, sigma, r)
    smooth = proof.cite(lemma_1.repaired.proof, "Lemma 1", "By its repaired proof.")
    proof.positive(D, zeta)
    (step,) = proof.positive(alpha)
    proof.assume(le(Lhat * alpha, sp.Rational(1, 2)), name="α ≤ 1/(2L̂)")
    descent(proof, m, smooth, ASSUMPTION_2, step)
    bound = 2 * GAP / alpha + T * SMALLER
    proof.step("(23), any α", le(TOTAL, bound), meaning="As (22), of which it is the sum.", witness=SETTLED)
    proof.step("(24), any α", le(TOTAL / T, bound / T), meaning="(23) divided by T.", witness=SETTLED)


@script(
    "jiang2024.algorithm1",
    "printed",
    READING,
    title='Algorithm 1, "Result: v_T"',
    instead=CONDITIONAL,
    is_statement=True,
)
def last_iterate(proof: Proof) -> None:
    """The bound holds of the least of T expectations, and not of the iterate that is returned."""
    m = Meft(proof)
    signs = proof.positive(L, C, G, sigma, r)
    smooth = proof.cite(lemma_1.repaired.proof, "Lemma 1", "By its repaired proof.")
    step = Step(proof, THEOREM_2, positive_constant(proof, signs))
    descent(proof, m, smooth, ASSUMPTION_2, step.positive)
    step.half(THEOREM_2)
    last = Expectation(EuclideanNorm(SLOPE.xreplace({t: T})) ** 2)
    proof.step(
        "(14) of v_T",
        le(last, THEOREM_2.quantities[-1].expression),
        printed=r"\textbf{Result: } \mathbf{v}_T",
        meaning="The theorem bounds the least over t. Return v_τ with τ uniform on 1..T, whose mean is what the proof bounds.",
        witness=LAST_ITERATE,
    )
