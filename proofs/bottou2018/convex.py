"""SGD on convex functions: the squared distance to a minimiser, one step after the other."""

import sympy as sp

from boundcheck.exact.evaluate import t
from boundcheck.kernel import Theorem
from boundcheck.language.claim import Claim
from boundcheck.language.symbols import R_1, Lhat, T, alpha, bound, f_star, mu_F, zeta
from boundcheck.language.vocabulary import (
    EuclideanNorm,
    Expectation,
    InnerProduct,
    MatrixExpectation,
    g,
    v,
    v1,
    v2,
    v_star,
    v_t,
)
from boundcheck.proof import Process, Proof, Reading, eq, ge, gt, le, script

from ..jiang2024.descent import (
    NOW,
    SLOPE,
    SQUARE,
    g_t,
    noise,
    square_nonnegative,
    v_next,
    variance,
)
from ..jiang2024.setting import quantity, theta
from ..meft.lora import CONDITIONALLY_UNBIASED
from ..methods.claims import CONVEX, STRONGLY_CONVEX_EVERYWHERE
from ..methods.minimiser import Inverse, Smooth
from .claims import CONTRACTION, CONVEX_AVERAGE, spread
from .sgd import GAP, Step, conclude_geometric, given_step

READING = Reading(
    processes={v_t: Process((v,)), g_t: Process((g,), drawn=True)},
    constants={v_star},
    arbitrary={theta, v, v1, v2},
)
PULL = InnerProduct(SLOPE, v_t - v_star)
NEAR, NEAR_NEXT = (EuclideanNorm(x - v_star) ** 2 for x in (v_t, v_next))
FAR, FAR_NEXT = Expectation(NEAR), Expectation(NEAR_NEXT)
FAR_FIRST, FAR_LAST = (FAR.xreplace({t: x}) for x in (sp.Integer(1), T + 1))


class Begun:
    """What both proofs begin with.

    Attributes:
        smooth: F, and its minimiser.
        step: the step α <= 1/L̂, which is given.
        unit: 1/L̂ as a step.
        shorter: α²E‖∇F‖² <= (α/L̂)E‖∇F‖².
        moved: E‖v_{t+1} - v*‖² <= E‖v_t - v*‖² - 2αE⟨∇F(v_t), v_t - v*⟩ + α²(E‖∇F‖² + ζ²).

    """

    def __init__(self, proof: Proof, claim: Claim):
        self.smooth = Smooth(proof, claim)
        self.step = given_step(proof, claim, self.smooth.constant)
        unit, positive = proof.by.quotient(self.smooth.constant)
        self.unit = Inverse(1 / Lhat, positive, unit)
        most = proof.step("$α ≤ 1/L̂$", le(alpha, 1 / Lhat), self.step.short, positive, unit)
        part = proof.step("$α(1/L̂ - α) ≥ 0$", ge(alpha * (1 / Lhat - alpha), 0), most, self.step.positive)
        self.shorter = proof.step(
            "$α ≤ 1/L̂$, times $αE‖∇F‖²$", le(alpha**2 * SQUARE, alpha / Lhat * SQUARE), part, square_nonnegative(proof)
        )
        self.moved = moved_away(proof, self.step)


def moved_away(proof: Proof, step: Step) -> Theorem:
    """E‖v_{t+1} - v*‖² <= E‖v_t - v*‖² - 2αE⟨∇F(v_t), v_t - v*⟩ + α²(E‖∇F(v_t)‖² + ζ²)."""
    by, after = proof.by, v_t - alpha * g_t - v_star
    equation = proof.define(v_next, v_t - alpha * g_t, "$v_(t+1) = v_t - αg_t$")
    unbiased = proof.assume(CONDITIONALLY_UNBIASED)
    right = NEAR - 2 * alpha * InnerProduct(g_t, v_t - v_star) + alpha**2 * EuclideanNorm(g_t) ** 2
    opened = proof.step(
        "a step, squared",
        eq(EuclideanNorm(after) ** 2, right),
        by.expansion(after),
        by.expansion(v_t - v_star),
        by.expansion(g_t),
    )
    line = by.rewrite(opened, eq(NEAR_NEXT, right), (equation, v_next, v_t - alpha * g_t))
    square = Expectation(EuclideanNorm(g_t) ** 2, v_t)
    mean = (unbiased, MatrixExpectation(g_t, v_t), SLOPE)
    given = proof.step(
        "given the past",
        eq(Expectation(NEAR_NEXT, v_t), NEAR - 2 * alpha * PULL + alpha**2 * square),
        by.rewrite(
            by.expectation(line, t), eq(Expectation(NEAR_NEXT, v_t), NEAR - 2 * alpha * PULL + alpha**2 * square), mean
        ),
        meaning="The expectation given the past, the gradient being unbiased.",
    )
    weight = proof.step("$α² ≥ 0$", ge(alpha**2, 0), step.positive)
    return proof.step(
        "the distance after a step",
        le(FAR_NEXT, FAR - 2 * alpha * Expectation(PULL) + alpha**2 * (SQUARE + zeta**2)),
        by.expectation(given),
        by.expectation(variance(proof, unbiased)),
        noise(proof),
        weight,
        meaning="Expectations, the tower rule, and Assumption 4.",
    )


@script(CONVEX_AVERAGE, "sharp", READING)
def average(proof: Proof) -> None:
    """Each step comes nearer by twice the step times the gap, but for the noise."""
    by, begun = proof.by, Begun(proof, CONVEX_AVERAGE)
    convex = proof.assume(CONVEX, forall=[v1, v2])
    pull = proof.step(
        "pull, times 2α",
        ge(2 * alpha * Expectation(PULL), 2 * alpha * GAP + alpha / Lhat * SQUARE),
        by.expectation(begun.smooth.pull(convex, begun.unit)),
        begun.step.positive,
    )
    nearer = proof.step(
        "nearer", le(FAR_NEXT + 2 * alpha * GAP, FAR + alpha**2 * zeta**2), begun.moved, pull, begun.shorter
    )
    end = proof.step("$E‖v_(T+1) - v*‖² ≥ 0$", ge(FAR_LAST, 0), by.expectation(_square(proof, T + 1)))
    total = proof.step(
        "sum",
        le(2 * alpha * sp.Sum(GAP, (t, 1, T)), R_1**2 + T * alpha**2 * zeta**2),
        by.sum(nearer),
        by.telescope(FAR),
        by.expectation(begun.smooth.near_squared()),
        end,
        meaning="Summed over t, the distances telescope.",
    )
    long = proof.step("$T > 0$", gt(T, 0), proof.positive(T))
    units = [by.quotient(x)[0] for x in (begun.step.positive, long)]
    limit = proof.step(
        "2αT times the bound",
        eq(2 * alpha * T * bound, R_1**2 + T * alpha**2 * zeta**2),
        proof.quantity(quantity(CONVEX_AVERAGE, bound)),
        units,
        degree=3,
    )
    proof.conclude(
        proof.step(
            "divided by αT", CONVEX_AVERAGE.conclusion, begun.step.positive, long, total, limit, units[1], factor=[0, 1]
        )
    )


def _square(proof: Proof, time: sp.Expr) -> Theorem:
    norm = EuclideanNorm((v_t - v_star).xreplace({t: time}))
    return proof.step(f"$‖v - v*‖² ≥ 0$ at ${time}$", ge(norm**2, 0), hints=[norm])


@script(CONTRACTION, "sharp", READING)
def contraction(proof: Proof) -> None:
    """The squared distance, less what the noise leaves, shrinks by the factor 1 - αμ_F at each step."""
    by, begun = proof.by, Begun(proof, CONTRACTION)
    smooth, positive = begun.smooth, begun.step.positive
    convex = proof.assume(STRONGLY_CONVEX_EVERYWHERE, forall=[v1, v2])
    towards = proof.step(
        "strong convexity towards v*",
        ge(PULL, NOW - f_star + mu_F / 2 * NEAR),
        by.instance(convex, {v1: v_t, v2: v_star}),
        smooth.minimum,
    )
    pull = proof.step(
        "times 2α",
        ge(2 * alpha * Expectation(PULL), 2 * alpha * GAP + alpha * mu_F * FAR),
        by.expectation(towards),
        positive,
    )
    gap = proof.step(
        "$F - f* ≥ ‖∇F‖²/(2L̂)$",
        ge(NOW - f_star, EuclideanNorm(SLOPE) ** 2 / (2 * Lhat)),
        smooth.lowered(v_t, begun.unit),
        by.instance(smooth.least, {v: v_t - SLOPE / Lhat}),
    )
    steep = proof.step("times 2α, too", ge(2 * alpha * GAP, alpha / Lhat * SQUARE), by.expectation(gap), positive)
    shrinks = proof.step(
        "the distance shrinks",
        le(FAR_NEXT, (1 - alpha * mu_F) * FAR + alpha**2 * zeta**2),
        begun.moved,
        pull,
        steep,
        begun.shorter,
    )
    (growth,) = proof.positive(mu_F)
    unit = proof.step(
        "$μ_F$ times the rest",
        eq(mu_F * spread, alpha * zeta**2),
        proof.quantity(quantity(CONTRACTION, spread)),
        by.quotient(growth)[0],
    )
    started = by.expectation(smooth.near_squared())
    conclude_geometric(proof, CONTRACTION, begun.step, (shrinks, unit), (FAR, FAR_NEXT, R_1**2), spread, started)
