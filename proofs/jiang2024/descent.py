"""From a smooth F to the sum of the squared gradients along Algorithm 1: the part common to all
versions of Theorem 2.

The result is α(1 - L̂α/2) Σ_t E‖∇F(v_t)‖² <= D + T L̂α²ζ²/2, for any constant step size α > 0.
Divided by αT it is Theorem 2 at any step below 2/L̂, for a vector v and any F that is smooth along
the run, so also for every adapter's.
"""

from dataclasses import dataclass, replace

import sympy as sp

from boundcheck.exact.evaluate import at_time, t
from boundcheck.kernel import Theorem
from boundcheck.language.claim import Claim
from boundcheck.language.hypotheses import UNBIASED
from boundcheck.language.symbols import D, Lhat, T, alpha, ell, eta, eta_max, f_star, r, zeta
from boundcheck.language.vocabulary import (
    MINIMUM_GRADIENT,
    A_t,
    B_t,
    EuclideanNorm,
    Expectation,
    F,
    Gradient,
    InnerProduct,
    Iterate,
    MatrixExpectation,
    Value,
    W,
    d,
    g,
    g_t,
    k,
    v,
    v1,
    v2,
    v_first,
    v_last,
    v_next,
    v_t,
)
from boundcheck.proof import Proof, eq, ge, gt, le, script

from ..classics.claims import SMOOTH
from ..meft.lora import CONDITIONALLY_UNBIASED
from ..meft.theorems import THEOREM_2_ANY_STEP
from .claims import ASSUMPTION_4, BOUNDED_BELOW
from .setting import (
    Meft,
    above_0,
    at_least_0,
    defined,
    divided,
    horizon_above_0,
    segment,
    step_above_0,
    theta,
    unit_interval,
)

A_next, B_next = Iterate("A", t + 1, r, k), Iterate("B", t + 1, d, r)
A_last, B_last = Iterate("A", T + 1, r, k), Iterate("B", T + 1, d, r)

CHANGE = v_next - v_t
BEYOND = v_t + theta * CHANGE
SLOPE = Gradient(F, v_t)
SQUARE = Expectation(EuclideanNorm(SLOPE) ** 2)
NOISE = Expectation(EuclideanNorm(g_t - SLOPE) ** 2)
NOW, NEXT = Value(F, v_t), Value(F, v_next)
TOTAL = sp.Sum(SQUARE, (t, 1, T))
SUMMED = D + T * Lhat * alpha**2 * zeta**2 / 2


@dataclass(frozen=True)
class Descent:
    """What is known of one step of SGD, and of the run.

    Attributes:
        line16: F(v_{t+1}) - F(v_t) + α⟨∇F, g_t⟩ <= L̂α²/2 ‖g_t‖².
        unbiased: E[g_t | v_t] = ∇F.
        size: α, which may depend on t.
        ends: D = E F(v_1) - f*, and E F(v_{T+1}) >= f*; none of one step alone.

    """

    line16: Theorem
    unbiased: Theorem
    size: sp.Expr
    ends: tuple[Theorem, ...] = ()


def descent(proof: Proof, along: Theorem, above: Theorem, step_size: Theorem) -> Descent:
    """`one_step`, with both ends of the run, from F(v_{T+1}) >= f*."""
    step = one_step(proof, along, step_size)
    return replace(step, ends=(gap_at_start(proof), end_of_run(proof, above)))


def one_step(proof: Proof, along: Theorem, step_size: Theorem, size: sp.Expr = alpha) -> Descent:
    """(15) and (16), and the mean of the stochastic gradient, from smoothness along the segment and
    α >= 0.
    """
    by, line15 = proof.by, on_segment(proof, along)
    update = proof.define(v_next, v_t - size * g_t, "Algorithm 1: $v_(t+1) = v_t - αg_t$")
    linear = NEXT - NOW + size * InnerProduct(SLOPE, g_t)
    substituted = le(linear, Lhat / 2 * EuclideanNorm(size * g_t) ** 2)
    line16 = proof.step(
        "(16)",
        le(linear, Lhat / 2 * size**2 * EuclideanNorm(g_t) ** 2),
        by.rewrite(line15, substituted, (update, v_next, v_t - size * g_t)),
        by.homogeneous(step_size, "F", g_t),
        meaning="The update of Algorithm 1 put in.",
    )
    listed = proof.claim.hypotheses if proof.claim else ()
    mine = next((x for x in listed if x.word is UNBIASED), None)
    unbiased = proof.given(mine) if mine else proof.assume(CONDITIONALLY_UNBIASED)
    return Descent(line16, unbiased, size)


def noise(proof: Proof) -> Theorem:
    """E‖g_t - ∇F‖² <= ζ²."""
    return proof.assume(ASSUMPTION_4, where={g: g_t, v: v_t})


def descent_in_ball(
    proof: Proof, m: Meft, smooth: Theorem, ball: Claim, step_size: Theorem
) -> Descent:
    """`descent` from smoothness on the ball, which is convex and contains the segment."""
    near_a, near_b, far_a, far_b = inside = [
        *proof.assume(ball),
        *proof.assume(ball, where={t: t + 1}),
    ]
    between = unit_interval(proof)
    points = [
        segment(proof, "segment, A", (A_t, A_next), m.radii[0], (near_a, far_a), between),
        segment(proof, "segment, B", (B_t, B_next), m.radii[1], (near_b, far_b), between),
    ]
    along = along_segment(proof, smooth, between, "the ball", *points, *inside)
    law, last = proof.recall("$F(v) = f(W)$"), m.weight(A_last, B_last)
    return descent(proof, along, above_minimum(proof, law, last), step_size)


def along_segment(
    proof: Proof, smooth: Theorem, between: tuple[Theorem, Theorem], domain: str, *inside: Theorem
) -> Theorem:
    """‖∇F(v_t + θ(v_{t+1} - v_t)) - ∇F(v_t)‖ <= L̂θ‖v_{t+1} - v_t‖, both points `inside` of where F
    is smooth.
    """
    return from_start(
        proof, between, domain, proof.by.instance(smooth, {v1: BEYOND, v2: v_t}, *inside)
    )


def from_start(
    proof: Proof, between: tuple[Theorem, Theorem], domain: str, *smooth: Theorem
) -> Theorem:
    """The same, for an F that is smooth between the start of the segment and its point."""
    return proof.step(
        "along the segment",
        le(EuclideanNorm(Gradient(F, BEYOND) - SLOPE), Lhat * theta * EuclideanNorm(CHANGE)),
        *smooth,
        proof.by.homogeneous(between[0], "F", CHANGE),
        meaning=f"F is smooth on {domain}.",
    )


def on_segment(proof: Proof, along: Theorem) -> Theorem:
    """The descent lemma on the segment from v_t to v_{t+1}."""
    return proof.state(
        "(15)",
        le(NEXT - NOW - InnerProduct(SLOPE, CHANGE), Lhat / 2 * EuclideanNorm(CHANGE) ** 2),
        proof.by.descent_lemma(along, F, v_t, CHANGE, Lhat, theta),
        meaning=(
            "The descent lemma; it needs smoothness on the segment, and not at the iterates alone."
        ),
    )


def gap_at_start(proof: Proof) -> Theorem:
    """D = E F(v_1) - f*."""
    gap = proof.define(D, Value(F, v_first) - f_star, "$D = F(v_1) - f*$")
    return proof.step(
        "start",
        eq(D, Expectation(Value(F, v_first)) - f_star),
        proof.by.expectation(gap),
        meaning="The expectation of a number is that number.",
    )


def end_of_run(proof: Proof, above: Theorem) -> Theorem:
    """E F(v_{T+1}) >= f*, from F(v_{T+1}) >= f*."""
    return proof.step(
        "end",
        ge(Expectation(Value(F, v_last)), f_star),
        proof.by.expectation(above),
        meaning="Expectations of both sides.",
    )


def above_minimum(proof: Proof, law: Theorem, weight: sp.MatrixExpr) -> Theorem:
    """F(v_{T+1}) >= f*, from F(v) = f(W) and W there."""
    by = proof.by
    below = proof.assume(BOUNDED_BELOW, forall=[W])
    return proof.step(
        "$F ≥ f*$",
        ge(Value(F, v_last), f_star),
        by.instance(law, {v: v_last}),
        by.instance(below, {W: weight}),
        meaning="F takes values of f.",
    )


def expected_descent(proof: Proof, lines: Descent) -> Theorem:
    """E[F(v_{t+1}) | v_t] - F(v_t) + α‖∇F‖² <= L̂α²/2 E[‖g_t‖² | v_t]."""
    by = proof.by
    mean = (lines.unbiased, MatrixExpectation(g_t, v_t), SLOPE)
    right = Lhat / 2 * lines.size**2 * Expectation(EuclideanNorm(g_t) ** 2, v_t)
    left = Expectation(NEXT, v_t) - NOW
    inner = le(left + lines.size * InnerProduct(SLOPE, SLOPE), right)
    return proof.step(
        "given the past",
        le(left + lines.size * EuclideanNorm(SLOPE) ** 2, right),
        by.rewrite(by.expectation(lines.line16, t), inner, mean),
        by.expansion(SLOPE),
        meaning="The expectation of (16) given the past, the gradient being unbiased.",
    )


def variance(proof: Proof, unbiased: Theorem) -> Theorem:
    """E[‖g_t‖² | v_t] = E[‖g_t - ∇F‖² | v_t] + ‖∇F‖²: an equation; the paper's (18) loses a factor
    of 2 here.
    """
    by = proof.by
    mean = (unbiased, MatrixExpectation(g_t, v_t), SLOPE)
    centred = eq(
        Expectation(EuclideanNorm(g_t - SLOPE) ** 2, v_t),
        Expectation(InnerProduct(g_t, g_t), v_t) - InnerProduct(SLOPE, SLOPE),
    )
    return proof.step(
        "variance",
        eq(
            Expectation(EuclideanNorm(g_t) ** 2, v_t),
            Expectation(EuclideanNorm(g_t - SLOPE) ** 2, v_t) + EuclideanNorm(SLOPE) ** 2,
        ),
        by.rewrite(by.expectation(by.expansion(g_t - SLOPE), t), centred, mean),
        by.expectation(by.expansion(g_t), t),
        by.expansion(SLOPE),
        meaning="Unbiased given the past: the cross term vanishes.",
    )


def expected_decrease(
    proof: Proof, lines: Descent, weight: Theorem, expected: Theorem | None = None
) -> Theorem:
    """E F(v_{t+1}) - E F(v_t) + αE‖∇F‖² <= L̂α²/2 (ζ² + E‖∇F‖²), from the expected descent and L̂α²
    >= 0.
    """
    size = lines.size
    given = proof.step(
        "exact variance",
        le(
            Expectation(NEXT, v_t) - NOW + size * EuclideanNorm(SLOPE) ** 2,
            Lhat
            / 2
            * size**2
            * (Expectation(EuclideanNorm(g_t - SLOPE) ** 2, v_t) + EuclideanNorm(SLOPE) ** 2),
        ),
        expected or expected_descent(proof, lines),
        variance(proof, lines.unbiased),
        meaning="The variance put in, where the paper takes (18).",
    )
    return proof.step(
        "expected descent",
        le(
            Expectation(NEXT) - Expectation(NOW) + size * SQUARE,
            Lhat / 2 * size**2 * (zeta**2 + SQUARE),
        ),
        proof.by.expectation(given),
        noise(proof),
        weight,
        meaning="Expectations, the tower rule, and Assumption 4.",
    )


def summed(
    proof: Proof, lines: Descent, weight: Theorem, expected: Theorem | None = None
) -> Theorem:
    """α(1 - L̂α/2) Σ_t E‖∇F(v_t)‖² <= D + T L̂α²ζ²/2, from the expected descent and L̂α² >= 0."""
    by = proof.by
    decrease = expected_decrease(proof, lines, weight, expected)
    return proof.step(
        "sum",
        le(alpha * (1 - Lhat * alpha / 2) * TOTAL, SUMMED),
        by.sum(decrease),
        by.telescope(Expectation(NOW)),
        *lines.ends,
        meaning="Summed over t, the values of F telescope, and the last is at least f*.",
    )


def half(proof: Proof, total: Theorem, positive: Theorem, short: Theorem) -> Theorem:
    """αΣ_t E‖∇F(v_t)‖² <= 2D + T L̂α²ζ², from the sum, α > 0 and L̂α <= 1."""
    sums = at_least_0(proof, "ΣE‖∇F‖²", TOTAL, proof.by.sum(square_nonnegative(proof)))
    return proof.step(
        "half",
        le(alpha * TOTAL, 2 * SUMMED),
        total,
        short,
        sums,
        positive,
        meaning="1 - L̂α/2 is at least 1/2.",
    )


def square_nonnegative(proof: Proof) -> Theorem:
    """E‖∇F(v_t)‖² >= 0."""
    by = proof.by
    square = at_least_0(proof, "‖∇F‖²", EuclideanNorm(SLOPE) ** 2)
    return at_least_0(proof, "E‖∇F‖²", SQUARE, by.expectation(square))


SQUARE_NEXT = at_time(SQUARE, t + 1)
# What p_t lacks of the least of p_1, ..., p_T: nothing, except at T + 1.
LACKING, LACKING_NEXT = (sp.Max(0, MINIMUM_GRADIENT - x) for x in (SQUARE, SQUARE_NEXT))


def kept(proof: Proof, falls: Theorem, positive: Theorem, rate: sp.Expr, cost: sp.Expr) -> Theorem:
    """E F(v_1) - E F(v_t) >= (t - 1)(r min_t E‖∇F(v_t)‖² - c), where a step counts the next
    gradient as well.

    Args:
        proof: the proof.
        falls: E F(v_t) - E F(v_{t+1}) >= (r - α/4) E‖∇F(v_t)‖² + α/4 E‖∇F(v_{t+1})‖² - c.
        positive: what shows that r > α/4 and α > 0.
        rate: r.
        cost: c.

    """
    by = proof.by
    none = by.below_maximum(LACKING)[0]
    least = by.least(SQUARE)
    nothing = by.maximum_below(
        sp.Integer(0),
        at_least_0(proof, "0", 0),
        proof.step("$m ≤ p_t$", le(MINIMUM_GRADIENT - SQUARE, 0), least),
    )
    gone, ahead = D + f_star - Expectation(NOW), by.below_maximum(LACKING_NEXT)[1]
    lacks = proof.step("α times what is lacking", le(alpha * LACKING, 0), nothing, positive)
    least_gone = (t - 1) * (rate * MINIMUM_GRADIENT - cost)
    lost = proof.induct(
        "what F has lost",
        ge(gone + alpha / 4 * LACKING, least_gone),
        first=[
            gap_at_start(proof),
            by.at(proof.step("α", ge(alpha * LACKING, 0), none, positive), sp.Integer(1)),
        ],
        then=[
            falls,
            lacks,
            proof.step(
                "α times the next",
                ge(alpha * LACKING_NEXT, alpha * (MINIMUM_GRADIENT - SQUARE_NEXT)),
                ahead,
                positive,
            ),
            proof.step(
                "times this one",
                ge((rate - alpha / 4) * SQUARE, (rate - alpha / 4) * MINIMUM_GRADIENT),
                least,
                positive,
            ),
        ],
        meaning=(
            "By induction over $t$: $v_(T+1)$ may have a smaller gradient than the least, and"
            " counts as what it has."
        ),
    )
    return proof.step("without what is lacking", ge(gone, least_gone), lost, lacks)


def given_constant(proof: Proof) -> Theorem:
    """L̂ > 0, which is ell, and given."""
    return above_0(proof, "L̂", Lhat, defined(proof, Lhat), proof.positive(ell))


def above(proof: Proof, point: sp.MatrixExpr) -> Theorem:
    """F >= f* at a point."""
    return proof.by.instance(proof.given(BOUNDED_BELOW), {v: point})


@script(THEOREM_2_ANY_STEP, "sharp", fresh=[theta])
def any_step(proof: Proof) -> None:
    """The step size is given, and as long as the divisor is positive."""
    share = 1 - Lhat * alpha / 2
    smoothness, size = (defined(proof, x) for x in (Lhat, alpha))
    signs = proof.positive(ell, eta)
    constant = above_0(proof, "L̂", Lhat, smoothness, signs)
    step_size = step_above_0(proof, size, signs)
    total = sum_of_run(proof, constant, step_size)
    unit, _ = proof.by.quotient(constant)
    longest = proof.step("$η_max L̂ = 2$", eq(eta_max * Lhat, 2), defined(proof, eta_max), unit)
    below = proof.assume(THEOREM_2_ANY_STEP.conditions[0])
    room = above_0(
        proof,
        "1 - L̂α/2",
        share,
        longest,
        proof.step("$L̂η_max > L̂η$", gt(Lhat * eta_max, Lhat * eta), constant, below),
        size,
        meaning="The step is shorter than 2/L̂.",
    )
    long = horizon_above_0(proof)
    weight = at_least_0(proof, "α(1 - L̂α/2)", alpha * share, step_size, room)
    least = proof.step(
        "least",
        le(alpha * T * share * MINIMUM_GRADIENT, SUMMED),
        total,
        weight,
        proof.by.minimum(SQUARE),
        meaning="The least of T numbers is at most their mean.",
    )
    factors, words = [step_size, long, room], "αT(1 - L̂α/2)"
    divided(proof, words, alpha * T * share, SUMMED, factors, least, label=f"divided by {words}")


def sum_of_run(
    proof: Proof, constant: Theorem, positive: Theorem, weight: Theorem | None = None
) -> Theorem:
    """The sum for an F that is f itself, and smooth along the run, from L̂ > 0 and α > 0."""
    lines = descent(proof, along_run(proof), above(proof, v_last), positive)
    weight = weight or at_least_0(proof, "L̂α²", Lhat * alpha**2, constant, positive)
    return summed(proof, lines, weight)


def along_run(proof: Proof) -> Theorem:
    """Smoothness along the segment from v_t to v_{t+1}, only between its start and its points."""
    between = unit_interval(proof)
    smooth = proof.given(SMOOTH)
    return from_start(
        proof,
        between,
        "the segments between iterates",
        proof.by.instance(smooth, {theta: theta}, *between),
        proof.recall("Lhat"),
    )
