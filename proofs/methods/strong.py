"""Gradient descent on strongly convex functions, at the step 2/(ℓ + μ_F): its gradient is cocoercive."""

from boundcheck.exact.evaluate import t
from boundcheck.kernel import Theorem
from boundcheck.language import algorithms
from boundcheck.language.symbols import R_1, Lhat, T, alpha, bound, mu_F
from boundcheck.language.vocabulary import EuclideanNorm, F, Gradient, InnerProduct, v, v1, v2, v_star, v_t
from boundcheck.proof import Process, Proof, Reading, eq, ge, gt, le, script

from ..jiang2024.descent import v_next
from ..jiang2024.setting import quantity, theta
from .claims import STRONG_DESCENT_EVERYWHERE as CLAIM
from .claims import STRONGLY_CONVEX_EVERYWHERE, left
from .minimiser import Inverse, Smooth

READING = Reading(processes={v_t: Process((v,))}, constants={v_star}, arbitrary={theta, v, v1, v2})

SLOPE, AWAY = Gradient(F, v_t), v_t - v_star
STEEP, PULL, FAR = InnerProduct(SLOPE, SLOPE), InnerProduct(SLOPE, AWAY), InnerProduct(AWAY, AWAY)
# What the gradient is more than that of the parabola with μ_F, and its squared norm and pull to v*.
MORE = SLOPE - mu_F * AWAY
MORE_STEEP, MORE_PULL = STEEP - 2 * mu_F * PULL + mu_F**2 * FAR, PULL - mu_F * FAR
SHARE = 1 / (Lhat - mu_F)


@script(CLAIM, "sharp", READING)
def strong_descent(proof: Proof) -> None:
    """Each step multiplies the squared distance by ((L̂ - μ_F)/(L̂ + μ_F))² at most."""
    by, smooth = proof.by, Smooth(proof, CLAIM)
    (curved,) = proof.positive(mu_F)
    size = proof.quantity(quantity(CLAIM, alpha))
    unit, _ = by.quotient(proof.step("$L̂ + μ_F > 0$", gt(Lhat + mu_F, 0), smooth.constant, curved))
    double = proof.step("$α(L̂ + μ_F) = 2$", eq(alpha * (Lhat + mu_F), 2), size, unit)
    factor = proof.quantity(quantity(CLAIM, left))
    kept = proof.step("what a step leaves", eq(left, 1 - alpha**2 * mu_F * Lhat), factor, size, unit, degree=3)
    positive = proof.step("it is not negative", ge(left, 0), factor, hints=[(Lhat - mu_F) / (Lhat + mu_F)])
    (equation,) = algorithms.GRADIENT_DESCENT.recurrence
    move = (proof.define(*equation.args, "the algorithm"), *equation.args)
    cocoercive = _cocoercive(proof, smooth)
    square = proof.step("$α² ≥ 0$", ge(alpha**2, 0), hints=[alpha])
    nearer = proof.step(
        "a step comes nearer",
        le(EuclideanNorm(AWAY - alpha * SLOPE) ** 2, left * EuclideanNorm(AWAY) ** 2),
        proof.step(
            "times $α²$",
            ge(alpha**2 * (Lhat + mu_F) * PULL, alpha**2 * (STEEP + mu_F * Lhat * FAR)),
            cocoercive,
            square,
        ),
        by.expansion(AWAY - alpha * SLOPE),
        by.expansion(AWAY),
        double,
        kept,
        degree=3,
    )
    line = le(EuclideanNorm(v_next - v_star) ** 2, left * EuclideanNorm(AWAY) ** 2)
    distance = proof.induct(
        "geometric",
        le(EuclideanNorm(AWAY) ** 2, left ** (t - 1) * R_1**2),
        first=[smooth.near_squared()],
        then=[by.rewrite(nearer, line, move), positive],
        meaning="By induction over t.",
    )
    limit = proof.quantity(quantity(CLAIM, bound))
    proof.conclude(proof.step("the last", CLAIM.conclusion, by.expectation(by.at(distance, T)), limit))


def _cocoercive(proof: Proof, smooth: Smooth) -> Theorem:
    """(L̂ + μ_F)⟨∇F(v_t), v_t - v*⟩ >= ‖∇F(v_t)‖² + μ_FL̂‖v_t - v*‖²."""
    by = proof.by
    room = proof.step("$L̂ - μ_F > 0$", gt(Lhat - mu_F, 0), proof.assume(CLAIM.conditions[0]))
    unit, _ = by.quotient(room)
    convex = proof.assume(STRONGLY_CONVEX_EVERYWHERE, forall=[v1, v2])
    whole, positive = by.quotient(smooth.constant)
    flat = smooth.flat(Inverse(1 / Lhat, positive, whole))
    beyond, back = v_star + SHARE * MORE, v_t - SHARE * MORE
    sums = proof.step(
        "four lines",
        le(
            2 * SHARE * InnerProduct(SLOPE, MORE) + mu_F * EuclideanNorm(back - v_star) ** 2,
            PULL + Lhat * EuclideanNorm(SHARE * MORE) ** 2,
        ),
        by.instance(convex, {v1: v_t, v2: beyond}),
        smooth.distant(beyond, flat),
        by.instance(convex, {v1: v_star, v2: back}),
        by.cauchy_schwarz(Gradient(F, v_star), v_star - back),
        proof.step(
            "no slope at v*",
            le(EuclideanNorm(Gradient(F, v_star)) * EuclideanNorm(back - v_star), 0),
            flat,
            by.nonnegative("F", back - v_star),
        ),
        smooth.above(v_t, -SHARE * MORE),
        smooth.minimum,
        meaning="$F$ is above its parabolas with $μ_F$ at $v_t$ and at $v*$, and below those with $L̂$.",
    )
    opened = proof.step(
        "squares put in",
        le(SHARE * MORE_STEEP, MORE_PULL),
        sums,
        by.expansion(back - v_star),
        by.expansion(SHARE * MORE),
        unit,
        degree=3,
    )
    # A product of L̂ - μ_F and one over it would be 1 before the kernel sees it.
    scaled = proof.step(
        "times $L̂ - μ_F$",
        le((Lhat * SHARE - mu_F * SHARE) * MORE_STEEP, (Lhat - mu_F) * MORE_PULL),
        opened,
        room,
    )
    return proof.step("cocoercive", ge((Lhat + mu_F) * PULL, STEEP + mu_F * Lhat * FAR), scaled, unit, degree=3)
