"""meft.unconditional_gd: within rho of v_1 the step is as short as the descent in W needs, and so it stays within."""

import sympy as sp

from boundcheck.exact.evaluate import t
from boundcheck.kernel import Theorem
from boundcheck.language.algorithms import REACH, STEEPNESS
from boundcheck.language.claim import as_typed
from boundcheck.language.symbols import D, L, Lhat, T, a_1, alpha, b_1, rho
from boundcheck.language.vocabulary import Expectation, W
from boundcheck.proof import Proof, eq, ge, gt, le, script
from boundcheck.proof.by import discharged

from ..jiang2024.setting import MEFT, defined, divided, quantity
from .factors import (
    AWAY,
    FALL,
    FALLEN,
    NOW,
    SQUARE,
    STARTED,
    Descent,
    P,
    W_t,
    away_a,
    away_b,
    size_a,
    size_b,
    u,
    w,
)
from .theorems import UNCONDITIONAL_GD

HALF = sp.Rational(1, 2)
# At t = 1 nothing has been travelled: that t steps have is not sharp, but says at every t that F has not risen.
TRAVELLED = alpha * t
RADIUS = sp.sqrt(a_1**2 + b_1**2)


@script(UNCONDITIONAL_GD, "sharp", MEFT)
def unconditional_gd(proof: Proof) -> None:
    """By induction over t: F has not risen, v_t is within rho of v_1, and the next step lowers F by half of αP."""
    by, radicand = proof.by, quantity(proof.claim, rho).expression.base
    (smooth,) = proof.positive(L)
    unit, inverse = by.quotient(smooth)
    size, root = by.root_nonnegative(radicand), sp.Pow(radicand, HALF, evaluate=False)
    square = by.root(proof.step("$2DT/L ≥ 0$", ge(radicand, 0), inverse, proof.positive(D, T)))
    once = proof.step("$ρ²$", eq(rho**2, root), defined(proof, rho), by.root(size))
    fourth = proof.step("$Lρ⁴ = 2DT$", eq(L * rho**4, 2 * D * T), once, square, unit)
    positive, exact, short = _step(proof, smooth)
    descent = Descent(proof, alpha, positive, smooth)
    here = proof.local(le(HALF * AWAY, TRAVELLED * FALLEN), name="at t, by induction")
    spent = proof.step("$αt > 0$", gt(TRAVELLED, 0), positive, by.time())
    far = proof.step("$‖v_t - v_1‖² ≥ 0$", ge(AWAY, 0))
    fallen = proof.step("$F(v_t) ≤ F(v_1)$", le(NOW, STARTED), spent, here, far)

    # ‖v_t - v_1‖² <= ρ².
    inside = proof.step("$F(v_1) - F(v_t) ≤ D$", le(FALLEN, D), descent.gap, by.instance(descent.below, {W: W_t}))
    path = proof.step(
        "$‖v_t - v_1‖² ≤ αLρ⁴$",
        le(AWAY, alpha * L * rho**4),
        here,
        proof.step(
            "αt times",
            le(TRAVELLED * FALLEN, TRAVELLED * D),
            inside,
            proof.step("$αt ≥ 0$", ge(TRAVELLED, 0), positive),
        ),
        proof.step(
            "$αtD ≤ αTD$",
            le(TRAVELLED * D, alpha * T * D),
            by.time()[1],
            proof.step("$αD ≥ 0$", ge(alpha * D, 0), positive, proof.positive(D)),
        ),
        fourth,
    )
    scaled = proof.step("$αLρ⁴ ≤ ρ²$", le(alpha * L * rho**4, rho**2), short, proof.step("$ρ² ≥ 0$", ge(rho**2, 0)))
    near = proof.step("$‖v_t - v_1‖² ≤ ρ²$", le(AWAY, rho**2), path, scaled)

    # F(v_{t+1}) <= F(v_t) - αP/2, since LJ² + m <= L̂.
    limit = proof.step("$LJ²$", le(L * REACH, L * (RADIUS + rho) ** 2), smooth, _reach(descent, near))
    local = proof.step("$LJ² + m ≤ L̂$", le(STEEPNESS, Lhat), limit, descent.steepest(fallen), proof.recall("Lhat"))
    once = proof.step("$α(LJ² + m) ≤ 1$", le(descent.local, 1), positive, local, exact)
    lowered = descent.lowered(proof.step("$α(LJ² + m) ≤ 2$", le(descent.local, 2), once))
    room = proof.step("$αP ≥ 0$", ge(alpha * P, 0), positive, proof.step("$P ≥ 0$", ge(P, 0), hints=[u, w]))
    spare = proof.step("αP times", ge(alpha * P * (1 - descent.local), 0), room, once)
    falls = proof.step("F falls by αP/2", le(HALF * alpha * P, FALL), lowered, spare, meaning="As with an L̂-smooth F.")
    away = descent.away(TRAVELLED, HALF, proof.step("$αt ≥ 0$", ge(TRAVELLED, 0), spent), fallen, falls)

    # The falls add up to D at most.
    lowered = proof.step(
        "$α/2 ‖∇F‖²$", le(HALF * alpha * SQUARE, FALL), discharged(falls, away), descent.squared_gradient()
    )
    end, mean = by.instance(descent.below, {W: W_t.xreplace({t: T + 1})}), Expectation(SQUARE)
    total = proof.step(
        "sum",
        le(HALF * alpha * sp.Sum(mean, (t, 1, T)), D),
        by.sum(by.expectation(lowered)),
        by.telescope(Expectation(NOW)),
        by.expectation(descent.gap),
        by.expectation(end),
        meaning="Summed over t, the values of F telescope.",
    )
    constant = proof.step("$L̂ ≥ 0$", ge(Lhat, 0), proof.recall("Lhat"), proof.positive(L))
    scaled = proof.step("times 2L̂", le(sp.Sum(mean, (t, 1, T)), 2 * Lhat * D), constant, total, exact)
    long = proof.step("$T > 0$", gt(T, 0))
    divided(proof, "T", T, 2 * Lhat * D, [long], by.minimum(mean), scaled, label="T min")


def _step(proof: Proof, smooth: Theorem) -> tuple[Theorem, Theorem, Theorem]:
    """α > 0, L̂α = 1 and αLρ² <= 1."""
    by, signs = proof.by, proof.positive(a_1, b_1)
    formula = defined(proof, Lhat)
    size = proof.step("$ρ ≥ 0$", ge(rho, 0), proof.recall("rho"))
    sum_ = proof.step("$a_1² + b_1² > 0$", gt(a_1**2 + b_1**2, 0), signs)
    radius, root = by.positive_root(sum_), by.root(sum_)
    rest = ge(Lhat - L * rho**2 - L * RADIUS**2, 0)
    most = proof.step("$L̂ ≥ Lρ²$ and more", rest, formula, smooth, size, radius, root)
    square = proof.step("$L(a_1² + b_1²) > 0$", gt(L * RADIUS**2, 0), smooth, sum_)
    flat = proof.step("$Lρ² ≥ 0$", ge(L * rho**2, 0), smooth)
    unit, over = by.quotient(proof.step("$L̂ > 0$", gt(Lhat, 0), most, square, flat))
    step = defined(proof, alpha)
    positive = proof.step("$α > 0$", gt(alpha, 0), step, over)
    exact = proof.step("$L̂α = 1$", eq(Lhat * alpha, 1), step, unit)
    below = proof.step("$Lρ² ≤ L̂$", le(L * rho**2, Lhat), most, square)
    return positive, exact, proof.step("$αLρ² ≤ 1$", le(alpha * L * rho**2, 1), positive, exact, below)


def _reach(descent: Descent, near: Theorem) -> Theorem:
    """J² <= (sqrt(a_1² + b_1²) + ρ)²."""
    proof, by = descent.proof, descent.proof.by
    signs, total = proof.positive(a_1, b_1), a_1**2 + b_1**2
    sides = zip((size_a, size_b), (a_1, b_1), (away_a, away_b), descent.norms(), strict=True)
    squares = [
        proof.step(f"${as_typed(size)}²$", le(size**2, (radius + length) ** 2), norm, signs)
        for size, radius, length, norm in sides
    ]
    mixed = a_1 * away_a + b_1 * away_b
    cross = proof.step("$mixed² ≤$", le(mixed**2, total * AWAY))
    weight = proof.step("$a_1² + b_1² ≥ 0$", ge(total, 0))
    scaled = proof.step("times $ρ²$", le(total * AWAY, total * rho**2), weight, near)
    sign = proof.step("$ρ ≥ 0$, again", ge(rho, 0), proof.recall("rho"))
    larger = proof.step("$ρ√(a_1² + b_1²) ≥ 0$", ge(RADIUS * rho, 0), sign)
    whole = proof.step("squares", le(mixed**2, total * rho**2), cross, scaled)
    below = by.from_squares(whole, larger, mixed, by.root(weight))
    return proof.step("$J² ≤$", le(REACH, (RADIUS + rho) ** 2), squares, below, near, by.root(weight))
