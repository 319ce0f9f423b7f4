"""Theorems 4.6 to 4.8, and SGD on convex functions: one step in expectation, and an induction or a
sum over t.

Under Polyak–Łojasiewicz the gap F - f* is followed, on convex functions the squared distance to a
minimiser.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import sympy as sp

from boundcheck.exact.evaluate import at_time, t
from boundcheck.kernel import Theorem
from boundcheck.language.algorithms import gamma, omega
from boundcheck.language.symbols import (
    R_1,
    D,
    Lhat,
    T,
    alpha,
    bound,
    ell,
    eta,
    eta_max,
    f_star,
    mu_F,
    zeta,
)
from boundcheck.language.vocabulary import (
    EuclideanNorm,
    Expectation,
    InnerProduct,
    MatrixExpectation,
    g_t,
    v,
    v1,
    v2,
    v_next,
    v_star,
    v_t,
)
from boundcheck.proof import Proof, eq, ge, le, script

from ..jiang2024.descent import (
    NEXT,
    NOW,
    SLOPE,
    SQUARE,
    along_run,
    expected_decrease,
    gap_at_start,
    given_constant,
    half,
    noise,
    one_step,
    square_nonnegative,
    sum_of_run,
    variance,
)
from ..jiang2024.setting import (
    above_0,
    at_least_0,
    defined,
    divided,
    horizon_above_0,
    quantity,
    step_above_0,
    theta,
)
from ..meft.lora import CONDITIONALLY_UNBIASED
from ..methods.claims import CONVEX, STRONGLY_CONVEX_EVERYWHERE
from ..methods.convex import Inverse, Smooth
from .claims import (
    CONSTANT_STEP,
    CONTRACTION,
    CONVEX_AVERAGE,
    DECREASING_STEP,
    NONCONVEX,
    PL,
    gamma_min,
    late,
    omega_min,
    rest,
    spread,
)

# E F(v_t) - f*, and the same at t + 1.
GAP, GAP_NEXT = Expectation(NOW) - f_star, Expectation(NEXT) - f_star


@dataclass(frozen=True)
class Step:
    """A step of at most 1/L̂.

    Attributes:
        size: α, which may depend on t.
        positive: α > 0.
        short: L̂α <= 1.
        weight: L̂α² >= 0.

    """

    size: sp.Expr
    positive: Theorem
    short: Theorem
    weight: Theorem


def given_step(proof: Proof, constant: Theorem) -> Step:
    """The constant step that is given, from L̂ > 0 and η <= η_max = 1/L̂."""
    longest, size = (defined(proof, x) for x in (eta_max, alpha))
    positive = step_above_0(proof, size, proof.positive(eta))
    unit, _ = proof.by.quotient(constant)
    short = proof.step(
        "$L̂α ≤ 1$",
        le(Lhat * alpha, 1),
        longest,
        unit,
        size,
        constant,
        proof.assume(proof.claim.conditions[-1]),
    )
    return Step(
        alpha, positive, short, at_least_0(proof, "L̂α²", Lhat * alpha**2, constant, positive)
    )


@script(NONCONVEX, "sharp", fresh=[theta])
def nonconvex(proof: Proof) -> None:
    """The sum over t, divided by αT/2."""
    constant = given_constant(proof)
    step = given_step(proof, constant)
    total = sum_of_run(proof, constant, step.positive, step.weight)
    factors = [step.positive, horizon_above_0(proof)]
    twice, limit = (
        half(proof, total, step.positive, step.short),
        2 * D + T * Lhat * alpha**2 * zeta**2,
    )
    unit = proof.by.quotient(factors[1])[0]
    divided(proof, "αT", alpha * T, limit, factors, twice, unit, label="divided by αT")


@script(CONSTANT_STEP, "sharp", fresh=[theta])
def constant_step(proof: Proof) -> None:
    """The gap, less what the noise leaves, shrinks by the factor 1 - αμ_F at each step."""
    step = given_step(proof, given_constant(proof))
    shrinks = gap_shrinks(proof, step)
    (growth,) = proof.positive(mu_F)
    unit = defined(proof, rest), proof.by.quotient(growth)[0]
    conclude_geometric(proof, step, (shrinks, *unit), (GAP, GAP_NEXT, D), rest, gap_at_start(proof))


def conclude_geometric(
    proof: Proof,
    step: Step,
    lines: Sequence[Theorem],
    course: tuple[sp.Expr, sp.Expr, sp.Expr],
    rest: sp.Symbol,
    first: Theorem,
) -> None:
    """Conclude the bound on the last x, where x - rest shrinks by the factor 1 - αμ_F at each step.

    The course is x at t and at t + 1, and what bounds it at 1 by the line `first`. The lines bound
    x at t + 1, and say what the rest is.
    """
    now, after, start = course
    beyond = proof.step(
        "beyond the rest",
        le(after - rest, (1 - alpha * mu_F) * (now - rest)),
        *lines,
        meaning="At the rest, the noise adds what the step takes away.",
    )
    steepest = proof.assume(proof.claim.conditions[0])
    factor = at_least_0(
        proof,
        "1 - αμ_F",
        1 - alpha * mu_F,
        step.short,
        steepest,
        step.positive,
        meaning="No function is steeper near its least value than its smoothness allows.",
    )
    geometric = proof.induct(
        "geometric",
        le(now - rest, (1 - alpha * mu_F) ** (t - 1) * (start - rest)),
        first=[first],
        then=[beyond, factor],
        meaning="By induction over t: each step multiplies by $1 - αμ_F$, which is not negative.",
    )
    limit = defined(proof, bound)
    proof.conclude(
        proof.step(
            "the last",
            proof.claim.conclusion,
            proof.by.at(geometric, T),
            limit,
            meaning="At $t = T$.",
        )
    )


def gap_shrinks(proof: Proof, step: Step) -> Theorem:
    """E F(v_{t+1}) - f* <= (1 - αμ_F)(E F(v_t) - f*) + L̂α²ζ²/2, from one step of at most 1/L̂."""
    lines, size = one_step(proof, along_run(proof), step.positive, step.size), step.size
    decrease = expected_decrease(proof, lines, step.weight)
    inequality = proof.by.instance(proof.given(PL), {v: v_t})
    mean = proof.step(
        "PL in the mean", ge(SQUARE, 2 * mu_F * GAP), proof.by.expectation(inequality)
    )
    spare = at_least_0(
        proof,
        "(1 - L̂α)αE‖∇F‖²",
        (1 - Lhat * size) * size * SQUARE,
        step.short,
        step.positive,
        square_nonnegative(proof),
    )
    return proof.step(
        "the gap shrinks",
        le(GAP_NEXT, (1 - size * mu_F) * GAP + Lhat * size**2 * zeta**2 / 2),
        decrease,
        spare,
        mean,
        step.positive,
        meaning="1 - L̂α/2 is at least 1/2, and the gradient is large where the gap is.",
    )


# What the step ω/(γ + t) is over, and what the noise adds.
LATER, NOISE = gamma + t, Lhat * omega**2 * zeta**2 / 2


@script(DECREASING_STEP, "sharp", fresh=[theta])
def decreasing_step(proof: Proof) -> None:
    """(γ + t) times the gap stays below its first value, or below what the noise leaves of it."""
    by, smoothness, product = proof.by, defined(proof, Lhat), omega * mu_F
    signs = proof.positive(ell, omega, gamma, mu_F, D)
    long, steep, gentle = map(proof.assume, proof.claim.conditions)
    least, start = (defined(proof, x) for x in (omega_min, gamma_min))
    constant = above_0(proof, "L̂", Lhat, smoothness, signs)
    divisor = above_0(proof, "γ + t", LATER, signs)
    unit, inverse = by.quotient(divisor)

    # The step ω/(γ + t), which begins at 1/L̂ or less.
    begins, size = (
        proof.step("$L̂ω ≤ γ + 1$", le(Lhat * omega, gamma + 1), gentle, start),
        omega / LATER,
    )
    positive = above_0(proof, "α", size, signs[1], inverse)
    short = proof.step("$L̂α ≤ 1$", le(Lhat * size, 1), begins, unit, inverse)
    step = Step(size, positive, short, at_least_0(proof, "L̂α²", Lhat * size**2, constant))
    room = above_0(proof, "ωμ_F - 1", product - 1, signs[3], steep, least, by.quotient(signs[3])[0])
    double = by.quotient(above_0(proof, "2(ωμ_F - 1)", 2 * (product - 1), room))[0]
    beyond = proof.step("$γ + t ≥ ωμ_F$", ge(LATER, product), long, signs[1], begins)
    ahead = at_least_0(
        proof, "(γ + t + 1)(γ + t - ωμ_F)", (LATER + 1) * (LATER - product), beyond, divisor
    )

    once = proof.step(
        "times γ + t",
        le(LATER * GAP_NEXT, (LATER - product) * GAP + NOISE / LATER),
        divisor,
        gap_shrinks(proof, step),
        unit,
        meaning="The step, times γ + t, is ω.",
    )
    shrunk = (LATER - product) * LATER * GAP + NOISE
    twice = proof.step("times $(γ + t)²$", le(LATER**2 * GAP_NEXT, shrunk), divisor, once, unit)
    further = proof.step(
        "times $(γ + t)²(γ + t + 1)$",
        le((LATER + 1) * LATER**2 * GAP_NEXT, (LATER + 1) * shrunk),
        twice,
        divisor,
    )
    # The maximum ν is at least each of its two arguments, the one with the noise and the first
    # value.
    largest, members = defined(proof, late), quantity(proof.claim, late).expression
    above = {
        each.has(zeta): proof.step("ν is the larger one", ge(late, each), largest, below)
        for each, below in zip(members.args, by.below_maximum(members), strict=True)
    }
    adds = proof.step(
        "what the noise adds", le(NOISE, (product - 1) * late), above[True], room, double
    )
    scaled = proof.step(
        "(γ + t + 1) times what the noise adds",
        le((LATER + 1) * NOISE, (LATER + 1) * (product - 1) * late),
        adds,
        divisor,
    )
    stays = proof.induct(
        "(γ + t) times the gap",
        le(LATER * GAP, late),
        first=[gap_at_start(proof), above[False]],
        then=[
            ahead,
            further,
            scaled,
            above_0(proof, "ν", late, above[False], signs),
            above_0(proof, "(γ + t)²", LATER**2, divisor),
        ],
        meaning="By induction over t: $(γ + t)² - 1$ is less than $(γ + t)²$.",
    )
    last = above_0(proof, "γ + T", gamma + T, signs)
    divided(proof, "(γ + T)", gamma + T, late, [last], by.at(stays, T), label="divided by γ + T")


PULL = InnerProduct(SLOPE, v_t - v_star)
NEAR, NEAR_NEXT = (EuclideanNorm(x - v_star) ** 2 for x in (v_t, v_next))
FAR, FAR_NEXT = Expectation(NEAR), Expectation(NEAR_NEXT)


class Begun:
    """What both proofs begin with.

    Attributes:
        smooth: F, and its minimiser.
        step: the step α <= 1/L̂, which is given.
        unit: 1/L̂ as a step.
        shorter: α²E‖∇F‖² <= (α/L̂)E‖∇F‖².
        moved: E‖v_{t+1} - v*‖² <= E‖v_t - v*‖² - 2αE⟨∇F(v_t), v_t - v*⟩ + α²(E‖∇F‖² + ζ²).

    """

    def __init__(self, proof: Proof):
        self.smooth = Smooth(proof)
        self.step = given_step(proof, self.smooth.constant)
        unit, positive = proof.by.quotient(self.smooth.constant)
        self.unit = Inverse(1 / Lhat, positive, unit)
        self.shorter = proof.step(
            "$α ≤ 1/L̂$, times $αE‖∇F‖²$",
            le(alpha**2 * SQUARE, alpha / Lhat * SQUARE),
            self.step.short,
            self.step.positive,
            self.unit.positive,
            unit,
            square_nonnegative(proof),
        )
        self.moved = moved_away(proof)


def moved_away(proof: Proof) -> Theorem:
    """E‖v_{t+1} - v*‖² <= E‖v_t - v*‖² - 2αE⟨∇F(v_t), v_t - v*⟩ + α²(E‖∇F(v_t)‖² + ζ²)."""
    by, update = proof.by, v_t - alpha * g_t
    equation = proof.define(v_next, update, "$v_(t+1) = v_t - αg_t$")
    unbiased = proof.assume(CONDITIONALLY_UNBIASED)
    right = NEAR - 2 * alpha * InnerProduct(g_t, v_t - v_star) + alpha**2 * EuclideanNorm(g_t) ** 2
    opened = proof.step(
        "a step, squared",
        eq(EuclideanNorm(update - v_star) ** 2, right),
        *map(by.expansion, (update - v_star, v_t - v_star, g_t)),
    )
    line = by.rewrite(opened, eq(NEAR_NEXT, right), (equation, v_next, update))
    mean = eq(
        Expectation(NEAR_NEXT, v_t),
        NEAR - 2 * alpha * PULL + alpha**2 * Expectation(EuclideanNorm(g_t) ** 2, v_t),
    )
    given = proof.step(
        "given the past",
        mean,
        by.rewrite(by.expectation(line, t), mean, (unbiased, MatrixExpectation(g_t, v_t), SLOPE)),
        meaning="The expectation given the past, the gradient being unbiased.",
    )
    return proof.step(
        "the distance after a step",
        le(FAR_NEXT, FAR - 2 * alpha * Expectation(PULL) + alpha**2 * (SQUARE + zeta**2)),
        by.expectation(given),
        by.expectation(variance(proof, unbiased)),
        noise(proof),
        meaning="Expectations, the tower rule, and Assumption 4.",
    )


@script(CONVEX_AVERAGE, "sharp", fresh=[theta])
def average(proof: Proof) -> None:
    """Each step comes nearer by twice the step times the gap, but for the noise."""
    by, begun = proof.by, Begun(proof)
    convex = proof.given(CONVEX)
    nearer = proof.step(
        "nearer",
        le(FAR_NEXT + 2 * alpha * GAP, FAR + alpha**2 * zeta**2),
        begun.moved,
        by.expectation(begun.smooth.pull(convex, begun.unit)),
        begun.step.positive,
        begun.shorter,
    )
    last = at_time(NEAR, T + 1)
    square = proof.step("$‖v - v*‖² ≥ 0$ at $T + 1$", ge(last, 0))
    limit = R_1**2 + T * alpha**2 * zeta**2
    total = proof.step(
        "sum",
        le(2 * alpha * sp.Sum(GAP, (t, 1, T)), limit),
        by.sum(nearer),
        by.telescope(FAR),
        by.expectation(begun.smooth.near_squared()),
        at_least_0(proof, "E‖v_(T+1) - v*‖²", Expectation(last), by.expectation(square)),
        meaning="Summed over t, the distances telescope.",
    )
    long = horizon_above_0(proof)
    lines, factors = (total, by.quotient(long)[0]), [begun.step.positive, long]
    divided(proof, "2αT", 2 * alpha * T, limit, factors, *lines, label="divided by αT")


@script(CONTRACTION, "sharp", fresh=[theta])
def contraction(proof: Proof) -> None:
    """The squared distance, less what the noise leaves, shrinks by the factor 1 - αμ_F at each
    step.
    """
    by, begun = proof.by, Begun(proof)
    smooth, positive = begun.smooth, begun.step.positive
    convex = proof.given(STRONGLY_CONVEX_EVERYWHERE)
    towards = proof.step(
        "strong convexity towards v*",
        ge(PULL, NOW - f_star + mu_F / 2 * NEAR),
        by.instance(convex, {v1: v_t, v2: v_star}),
        smooth.minimum,
    )
    gap = proof.step(
        "$F - f* ≥ ‖∇F‖²/(2L̂)$",
        ge(NOW - f_star, EuclideanNorm(SLOPE) ** 2 / (2 * Lhat)),
        smooth.lowered(v_t, begun.unit),
        by.instance(smooth.least, {v: v_t - SLOPE / Lhat}),
    )
    shrinks = proof.step(
        "the distance shrinks",
        le(FAR_NEXT, (1 - alpha * mu_F) * FAR + alpha**2 * zeta**2),
        begun.moved,
        by.expectation(towards),
        by.expectation(gap),
        positive,
        begun.shorter,
    )
    (growth,) = proof.positive(mu_F)
    unit = defined(proof, spread), proof.by.quotient(growth)[0]
    started = by.expectation(smooth.near_squared())
    conclude_geometric(
        proof, begun.step, (shrinks, *unit), (FAR, FAR_NEXT, R_1**2), spread, started
    )
