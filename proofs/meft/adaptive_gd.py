"""meft.adaptive_gd: each step is as long as the descent in W allows, and the steps are summed as they come."""

import sympy as sp

from boundcheck.exact.evaluate import t
from boundcheck.kernel import Theorem
from boundcheck.language.algorithms import REACH, STEEPNESS, STEP, share
from boundcheck.language.claim import as_typed
from boundcheck.language.symbols import D, L, T, a_1, b_1, bound
from boundcheck.language.vocabulary import W, i
from boundcheck.proof import Proof, eq, ge, gt, le, script

from ..jiang2024.setting import MEFT, defined, quantity
from .adaptive import ADAPTIVE_GD, GOES_ON, C, K, first, growth, steep, stretch
from .factors import (
    AWAY,
    FALL,
    FALLEN,
    LEAST,
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

# The sum of the steps before t, and of all steps.
TRAVELLED = sp.Sum(STEP.xreplace({t: i}), (i, 1, t - 1))
ALL = sp.Sum(STEP, (t, 1, T))
INSIDE = first**2 + 2 * growth * T
ROOM = sp.sqrt(INSIDE) - first


@script(ADAPTIVE_GD, "sharp", MEFT)
def adaptive_gd(proof: Proof) -> None:
    """One step lowers F by 3/4 of the step times ‖∇F‖²; the rest is sums."""
    by = proof.by
    divisor = proof.assume(GOES_ON)
    (smooth,) = proof.positive(L)
    unit, inverse = by.quotient(divisor)
    half = defined(proof, share)
    positive = proof.step("$α > 0$", gt(STEP, 0), inverse, half)
    descent = Descent(proof, STEP, positive, smooth)
    exact = proof.step("$α(LJ² + m) = 1/K$", eq(descent.local, 1 / K), unit, half)
    short = proof.step("$α(LJ² + m) ≤ 2$", le(descent.local, 2), exact)
    falls = proof.step(
        "F falls by cαP",
        le(C * STEP * P, FALL),
        descent.lowered(short),
        proof.step("αP/(2K)", eq(STEP * P * descent.local, STEP * P / K), exact),
        meaning="Each step lowers F by 3/4 of the step times the squared gradient norm.",
    )
    spent = proof.induct("$S_t ≥ 0$", ge(TRAVELLED, 0), first=[], then=[positive])
    room = proof.step("$αP ≥ 0$", ge(STEP * P, 0), positive, proof.step("$P ≥ 0$", ge(P, 0), hints=[u, w]))
    fallen = proof.induct("$f(W_t) ≤ f(W_1)$", le(NOW, STARTED), first=[], then=[falls, room], meaning="No step rises.")
    away = descent.away(TRAVELLED, C, spent, fallen, falls)
    gain, begin, slow = _slow(descent, exact, away, spent, fallen)

    # The sum S of all steps: pS + qS²/2 >= T.
    square, so_far = proof.step("$qα² ≥ 0$", ge(growth * STEP**2, 0), gain, positive), TRAVELLED.xreplace({t - 1: t})
    counted = proof.induct(
        "$pS_t + qS_t²/2 ≥ t - 1$",
        ge(first * TRAVELLED + growth * TRAVELLED**2 / 2, t - 1),
        first=[],
        then=[slow, square],
        meaning="Each step adds at least 1.",
    )
    more = proof.step("one more", ge(first * so_far + growth * so_far**2 / 2, t), counted, slow, square)
    total = ge(first * ALL + growth * ALL**2 / 2, T)
    grown = proof.state("$pS + qS²/2 ≥ T$", total, by.at(more, T), meaning="At $t = T$.")

    # C S min_t ‖∇F(v_t)‖² <= D.
    least = proof.step(
        "$α min ≤ αP$", le(STEP * LEAST, STEP * P), positive, by.least(SQUARE), descent.squared_gradient()
    )
    weighted = proof.step("$α min ≤ (F(v_t) - F(v_(t+1)))/c$", le(C * STEP * LEAST, FALL), falls, least)
    summed = proof.step(
        "$cS min ≤ D$",
        le(C * ALL * LEAST, D),
        by.sum(weighted),
        by.telescope(NOW),
        descent.gap,
        by.instance(descent.below, {W: W_t.xreplace({t: T + 1})}),
        meaning="Summed over t, the values of F telescope.",
    )
    _conclusion(proof, gain, begin, grown, proof.step("$S ≥ 0$", ge(ALL, 0), by.sum(positive)), summed)


def _slow(
    descent: Descent, exact: Theorem, away: Theorem, spent: Theorem, fallen: Theorem
) -> tuple[Theorem, Theorem, Theorem]:
    """Q > 0, p > 0, and 1/α_t <= p + qS_t."""
    proof, by, smooth = descent.proof, descent.proof.by, descent.smooth
    signs = proof.positive(L, D, T, a_1, b_1)
    inverses = [by.quotient(each)[1] for each in (signs[1], proof.step("$T > 0$", gt(T, 0)))]
    radicand = proof.step("under the root", gt(quantity(proof.claim, stretch).expression.base, 0), inverses, signs)
    root = by.positive_root(by.positive_root(radicand))
    share = proof.step("$stretch > 0$", gt(stretch, 0), defined(proof, stretch), root)
    inverse = list(by.quotient(share))
    more = proof.step("$1 + stretch ≥ 0$", ge(1 + stretch, 0), share)
    reach = []
    for size, length, radius, norm in zip((size_a, size_b), (away_a, away_b), (a_1, b_1), descent.norms(), strict=True):
        whole = proof.step(f"${as_typed(size)}²$, first", le(size**2, (radius + length) ** 2), norm, signs)
        parts = (1 + 1 / stretch) * radius**2 + (1 + stretch) * length**2
        mixed = proof.step(
            f"${as_typed(size)}$, mixed",
            le(2 * radius * length, radius**2 / stretch + stretch * length**2),
            inverse,
            hints=[radius - stretch * length],
        )
        reach.append(proof.step(f"${as_typed(size)}²$", le(size**2, parts), whole, mixed))
    inside = proof.step("$F(v_1) - F(v_t) ≤ D$", le(FALLEN, D), descent.gap, by.instance(descent.below, {W: W_t}))
    near = proof.step(
        "$c‖v_t - v_1‖² ≤ S_tD$",
        le(C * AWAY, TRAVELLED * D),
        away,
        proof.step("$S_t$", le(TRAVELLED * FALLEN, TRAVELLED * D), spent, inside),
    )
    lengths = proof.step(
        "$LJ²$", le(L * REACH, L * (1 + 1 / stretch) * (a_1**2 + b_1**2) + L * (1 + stretch) * AWAY), smooth, reach
    )
    weight = proof.step("$L(1 + stretch) ≥ 0$", ge(L * (1 + stretch), 0), smooth, more)
    scaled = proof.step(
        "$cL‖v_t - v_1‖²$", le(C * L * (1 + stretch) * AWAY, L * (1 + stretch) * TRAVELLED * D), weight, near
    )
    steepest, starts, grows = (defined(proof, x) for x in (steep, first, growth))
    limit = proof.step(
        "$1/α ≤ p + qS_t$",
        le(K * STEEPNESS, first + growth * TRAVELLED),
        lengths,
        scaled,
        descent.steepest(fallen),
        steepest,
        starts,
        grows,
    )
    gain = proof.step("$q > 0$", gt(growth, 0), grows, proof.step("$LD > 0$", gt(L * D, 0), smooth, signs), share)
    size = proof.step("$√(2LD) ≥ 0$", ge(steep, 0), steepest)
    begin = proof.step("$p > 0$", gt(first, 0), starts, signs, size, inverse, degree=4)
    slow = ge(STEP * (first + growth * TRAVELLED), 1)
    return gain, begin, proof.step("$1 ≤ α(p + qS_t)$", slow, exact, descent.positive, limit)


def _conclusion(proof: Proof, gain: Theorem, begin: Theorem, grown: Theorem, sums: Theorem, least: Theorem) -> None:
    """S >= (sqrt(p² + 2qT) - p)/q, and the bound."""
    by = proof.by
    more = proof.step("$qT > 0$", gt(growth * T, 0), gain)
    radicand = proof.step("$p² + 2qT ≥ 0$", ge(INSIDE, 0), more)
    square, size = by.root(radicand), by.root_nonnegative(INSIDE)
    ahead = proof.step("$qS + p ≥ 0$", ge(growth * ALL + first, 0), gain, sums, begin)
    squares = proof.step("$p² + 2qT ≤ (qS + p)²$", le(sp.sqrt(INSIDE) ** 2, (growth * ALL + first) ** 2), gain, grown)
    below = by.from_squares(squares, ahead, sp.sqrt(INSIDE), square)
    above = proof.step("$p² < p² + 2qT$", gt(INSIDE, first**2), more)
    room = proof.step("$√(p² + 2qT) > p$", gt(ROOM, 0), by.from_squares(above, size, first, square))
    limit = proof.step(
        "$c(√(p² + 2qT) - p)$ times the bound",
        eq(C * ROOM * bound, D * growth),
        defined(proof, bound),
        by.quotient(proof.step("$c(√(p² + 2qT) - p) > 0$", gt(C * ROOM, 0), room))[0],
    )
    sign = by.at_least(proof.step("$‖∇F‖² ≥ 0$", ge(SQUARE, 0)), SQUARE)
    scaled = proof.step("qS min", le(ROOM * LEAST, growth * ALL * LEAST), below, sign)
    product = proof.step("$cqS min ≤ qD$", le(C * growth * ALL * LEAST, growth * D), gain, least)
    proof.conclude(proof.step("bound", proof.claim.conclusion, room, limit, scaled, product))
