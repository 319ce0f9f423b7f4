"""meft.unconditional_gd: within rho of v_1 the step is as short as the descent in W needs, and so it stays within."""

import sympy as sp

from boundcheck.exact.evaluate import t
from boundcheck.kernel import Theorem
from boundcheck.language.algorithms import REACH, STEEPNESS
from boundcheck.language.claim import as_typed
from boundcheck.language.symbols import D, L, Lhat, T, a_1, alpha, b_1, bound, rho
from boundcheck.language.vocabulary import Expectation, W
from boundcheck.proof import Proof, eq, ge, gt, le, script
from boundcheck.proof.by import discharged

from ..jiang2024.setting import MEFT, quantity
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
    by = proof.by
    (smooth,) = proof.positive(L)
    fourth = _rho(proof, smooth)
    positive, exact, short = _step(proof, smooth)
    descent = Descent(proof, alpha, positive, smooth)
    here = proof.local(le(HALF * AWAY, TRAVELLED * FALLEN), name="at t, by induction")
    spent = proof.step("$αt > 0$", gt(TRAVELLED, 0), positive, by.time())
    far = proof.step("$‖v_t - v_1‖² ≥ 0$", ge(AWAY, 0))
    fallen = proof.step("$F(v_t) ≤ F(v_1)$", le(NOW, STARTED), spent, here, far)
    near = _near(descent, here, fourth, short)
    falls = _falls(descent, exact, near, fallen)
    more = proof.step("$αt ≥ 0$", ge(TRAVELLED, 0), spent)
    away = descent.away(TRAVELLED, HALF, lambda _: (more, fallen, falls))
    _conclusion(descent, discharged(falls, away), exact)


def _rho(proof: Proof, smooth: Theorem) -> Theorem:
    """Lρ⁴ = 2DT."""
    by, formula = proof.by, quantity(UNCONDITIONAL_GD, rho).expression
    unit, inverse = by.quotient(smooth)
    radicand = proof.step("$2DT/L ≥ 0$", ge(formula.base, 0), inverse, proof.positive(D, T))
    root = sp.Pow(formula.base, HALF, evaluate=False)
    size = by.root_nonnegative(formula.base)
    once = proof.step("$ρ²$", eq(rho**2, root), proof.quantity(quantity(UNCONDITIONAL_GD, rho)), by.root(size))
    return proof.step("$Lρ⁴ = 2DT$", eq(L * rho**4, 2 * D * T), once, by.root(radicand), unit)


def _step(proof: Proof, smooth: Theorem) -> tuple[Theorem, Theorem, Theorem]:
    """α > 0, L̂α = 1 and αLρ² <= 1."""
    by, signs = proof.by, proof.positive(a_1, b_1)
    formula = proof.quantity(quantity(UNCONDITIONAL_GD, Lhat))
    size = proof.step("$ρ ≥ 0$", ge(rho, 0), proof.recall("rho"))
    sum_ = proof.step("$a_1² + b_1² > 0$", gt(a_1**2 + b_1**2, 0), signs)
    radius = by.positive_root(sum_)
    rest = ge(Lhat - L * rho**2 - L * RADIUS**2, 0)
    most = proof.step("$L̂ ≥ Lρ²$ and more", rest, formula, smooth, size, radius, by.root(sum_))
    square = proof.step("$L(a_1² + b_1²) > 0$", gt(L * RADIUS**2, 0), smooth, sum_)
    flat = proof.step("$Lρ² ≥ 0$", ge(L * rho**2, 0), smooth)
    unit, over = by.quotient(proof.step("$L̂ > 0$", gt(Lhat, 0), most, square, flat))
    step = proof.quantity(quantity(UNCONDITIONAL_GD, alpha))
    positive = proof.step("$α > 0$", gt(alpha, 0), step, over)
    exact = proof.step("$L̂α = 1$", eq(Lhat * alpha, 1), step, unit)
    below = proof.step("$Lρ² ≤ L̂$", le(L * rho**2, Lhat), most, square)
    return positive, exact, proof.step("$αLρ² ≤ 1$", le(alpha * L * rho**2, 1), positive, exact, below)


def _near(descent: Descent, here: Theorem, fourth: Theorem, short: Theorem) -> Theorem:
    """‖v_t - v_1‖² <= ρ²."""
    proof, by, positive = descent.proof, descent.proof.by, descent.positive
    inside = proof.step("$F(v_1) - F(v_t) ≤ D$", le(FALLEN, D), descent.gap, by.instance(descent.below, {W: W_t}))
    soon, late = by.time()
    share = proof.step(
        "αt times",
        le(TRAVELLED * FALLEN, TRAVELLED * D),
        inside,
        proof.step("$αt ≥ 0$", ge(TRAVELLED, 0), positive),
    )
    whole = proof.step(
        "$αtD ≤ αTD$",
        le(TRAVELLED * D, alpha * T * D),
        late,
        proof.step("$αD ≥ 0$", ge(alpha * D, 0), positive, proof.positive(D)),
    )
    path = proof.step("$‖v_t - v_1‖² ≤ αLρ⁴$", le(AWAY, alpha * L * rho**4), here, share, whole, fourth)
    scaled = proof.step("$αLρ⁴ ≤ ρ²$", le(alpha * L * rho**4, rho**2), short, proof.step("$ρ² ≥ 0$", ge(rho**2, 0)))
    return proof.step("$‖v_t - v_1‖² ≤ ρ²$", le(AWAY, rho**2), path, scaled)


def _falls(descent: Descent, exact: Theorem, near: Theorem, fallen: Theorem) -> Theorem:
    """F(v_{t+1}) <= F(v_t) - αP/2, since LJ² + m <= L̂."""
    proof, positive = descent.proof, descent.positive
    reach = _reach(descent, near)
    limit = proof.step("$LJ²$", le(L * REACH, L * (RADIUS + rho) ** 2), descent.smooth, reach)
    local = proof.step("$LJ² + m ≤ L̂$", le(STEEPNESS, Lhat), limit, descent.steepest(fallen), proof.recall("Lhat"))
    once = proof.step("$α(LJ² + m) ≤ 1$", le(descent.local, 1), positive, local, exact)
    lowered = descent.lowered(proof.step("$α(LJ² + m) ≤ 2$", le(descent.local, 2), once))
    room = proof.step("$αP ≥ 0$", ge(alpha * P, 0), positive, proof.step("$P ≥ 0$", ge(P, 0), hints=[u, w]))
    spare = proof.step("αP times", ge(alpha * P * (1 - descent.local), 0), room, once)
    return proof.step("F falls by αP/2", le(HALF * alpha * P, FALL), lowered, spare, meaning="As with an L̂-smooth F.")


def _reach(descent: Descent, near: Theorem) -> Theorem:
    """J² <= (sqrt(a_1² + b_1²) + ρ)²."""
    proof, by = descent.proof, descent.proof.by
    signs = proof.positive(a_1, b_1)
    squares = [
        proof.step(f"${as_typed(size)}²$", le(size**2, (radius + length) ** 2), norm, signs)
        for size, radius, length, norm in zip(
            (size_a, size_b), (a_1, b_1), (away_a, away_b), descent.norms(), strict=True
        )
    ]
    mixed = a_1 * away_a + b_1 * away_b
    cross = proof.step("$mixed² ≤$", le(mixed**2, (a_1**2 + b_1**2) * AWAY))
    weight = proof.step("$a_1² + b_1² ≥ 0$", ge(a_1**2 + b_1**2, 0))
    scaled = proof.step("times $ρ²$", le((a_1**2 + b_1**2) * AWAY, (a_1**2 + b_1**2) * rho**2), weight, near)
    size = by.root_nonnegative(quantity(UNCONDITIONAL_GD, rho).expression.base)
    sign = proof.step("$ρ ≥ 0$, again", ge(rho, 0), proof.recall("rho"))
    larger = proof.step("$ρ√(a_1² + b_1²) ≥ 0$", ge(RADIUS * rho, 0), sign)
    whole = proof.step("squares", le(mixed**2, (a_1**2 + b_1**2) * rho**2), cross, scaled)
    below = by.from_squares(whole, larger, mixed, by.root(weight))
    return proof.step("$J² ≤$", le(REACH, (RADIUS + rho) ** 2), squares, below, near, by.root(weight))


def _conclusion(descent: Descent, falls: Theorem, exact: Theorem) -> None:
    """The falls add up to D at most."""
    proof, by = descent.proof, descent.proof.by
    lowered = proof.step("$α/2 ‖∇F‖²$", le(HALF * alpha * SQUARE, FALL), falls, descent.squared_gradient())
    end = by.instance(descent.below, {W: W_t.xreplace({t: T + 1})})
    mean = Expectation(SQUARE)
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
    limit = proof.step(
        "T times the bound",
        eq(T * bound, 2 * Lhat * D),
        proof.quantity(quantity(UNCONDITIONAL_GD, bound)),
        by.quotient(long)[0],
    )
    least = proof.step("T min", UNCONDITIONAL_GD.conclusion, long, by.minimum(mean), scaled, limit)
    proof.conclude(least)
