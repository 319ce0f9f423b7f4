"""Gradient descent on convex functions, by the multipliers of Drori and Teboulle."""

import sympy as sp

from boundcheck.exact.evaluate import t
from boundcheck.kernel import Theorem
from boundcheck.language import algorithms
from boundcheck.language.claim import as_typed
from boundcheck.language.symbols import R_1, Lhat, T, alpha, bound, f_star
from boundcheck.language.vocabulary import EuclideanNorm, F, Gradient, InnerProduct, Value, v, v1, v2, v_star, v_t
from boundcheck.proof import Process, Proof, Reading, eq, ge, gt, le, script

from ..jiang2024.descent import NEXT, NOW, v_first, v_next
from ..jiang2024.setting import quantity, theta
from .claims import CONVEX, CONVEX_DESCENT
from .minimiser import Inverse, Smooth, inverse_step

READING = Reading(processes={v_t: Process((v,))}, constants={v_star}, arbitrary={theta, v, v1, v2})

GAP = NOW - f_star
# Of T iterates, numbered from 0 to T - 1, the one at t has the number PAST, and LEFT more would make 2T - 1.
PAST, LEFT, WHOLE = t - 1, 2 * T - t, 2 * T - 1
V_SLOPE, V_SLOPE_NEXT = (Gradient(F, x) for x in (v_t, v_next))
STEEP, STEEP_NEXT = (EuclideanNorm(x) ** 2 for x in (V_SLOPE, V_SLOPE_NEXT))
AWAY, AWAY_NEXT, AWAY_FIRST = (EuclideanNorm(x - v_star) ** 2 for x in (v_t, v_next, v_first))
PULL = InnerProduct(V_SLOPE, v_t - v_star)
# What is left over at each step: the square of LEFT α∇F(v_t) - (v_t - v*).
SQUARE = LEFT**2 * alpha**2 * STEEP - 2 * LEFT * alpha * PULL + AWAY


def _weighed(past: sp.Expr, left: sp.Expr, gap: sp.Expr, steep: sp.Expr, away: sp.Expr) -> sp.Basic:
    """What the proof keeps: (2T - 1)(pl(2αδ + α²‖g‖²) + (2l - 2T + 1)‖v - v*‖²) <= l²‖v_1 - v*‖²."""
    inside = past * left * (2 * alpha * gap + alpha**2 * steep) + (2 * left - WHOLE) * away
    return le(WHOLE * inside, left**2 * AWAY_FIRST)


@script(CONVEX_DESCENT, "sharp", READING)
def convex_descent(proof: Proof) -> None:
    """The multipliers of Drori and Teboulle, added up step by step: what is left over is a square each time."""
    by, smooth = proof.by, Smooth(proof, CONVEX_DESCENT)
    step = inverse_step(proof, CONVEX_DESCENT, smooth.constant)
    (equation,) = algorithms.GRADIENT_DESCENT.recurrence
    move = (proof.define(*equation.args, "the algorithm"), *equation.args)
    convex = proof.assume(CONVEX, forall=[v1, v2])
    signs = _signs(proof)
    falls = _interpolated(proof, smooth, convex, step, move)
    pulls = proof.step(
        "times α, too", le(alpha * GAP, alpha * PULL - alpha**2 * STEEP / 2), step.positive, smooth.pull(convex, step)
    )
    rest, square = _left_over(proof, signs)
    added = [
        _times(
            proof,
            alpha * (NOW - NEXT) - alpha**2 * (STEEP + STEEP_NEXT) / 2,
            falls,
            signs,
            WHOLE,
            LEFT,
            LEFT,
            LEFT - 1,
            t,
        ),
        _times(proof, alpha * PULL - alpha * GAP - alpha**2 * STEEP / 2, pulls, signs, WHOLE, WHOLE, LEFT, LEFT - 1),
    ]
    kept = proof.induct(
        "what is kept",
        _weighed(PAST, LEFT, GAP, STEEP, AWAY),
        first=[],
        then=[
            proof.step("$(2T - t)² > 0$", gt(LEFT**2, 0), signs[LEFT]),
            proof.step("$(2T - t - 1)² ≥ 0$", ge((LEFT - 1) ** 2, 0), hints=[LEFT - 1]),
            *added,
            rest,
            _moved_away(proof, move),
        ],
        factor=[1],
        meaning="By induction over t: two inequalities, weighed, and a square.",
    )
    pull = _times(proof, alpha * PULL - alpha * GAP - alpha**2 * STEEP / 2, pulls, signs, WHOLE, t)
    over = _times(proof, SQUARE, square, signs, WHOLE)
    (steps,) = proof.positive(T)
    gap = GAP.xreplace({t: T})
    last = proof.step(
        "the last gap",
        le(2 * (2 * T - 1) * alpha * gap, AWAY_FIRST),
        proof.step("$T² > 0$", gt(T**2, 0), steps),
        *(by.at(x, T) for x in (kept, pull, over)),
        factor=[0],
        meaning="At $t = T$ another square is left over.",
    )
    _within(proof, smooth, step.unit, last)


def _within(proof: Proof, smooth: Smooth, unit: Theorem, last: Theorem) -> None:
    """The bound, from 2(2T - 1)α(F(v_T) - f*) <= ‖v_1 - v*‖²."""
    by, gap = proof.by, GAP.xreplace({t: T})
    near = proof.step("within $R_1$", le(2 * (2 * T - 1) * alpha * gap, R_1**2), last, smooth.near_squared())
    scaled = proof.step("times L̂", le(2 * (2 * T - 1) * gap, Lhat * R_1**2), smooth.constant, near, unit)
    long = proof.step("$4T - 2 > 0$", gt(4 * T - 2, 0), proof.positive(T))
    limit = proof.step(
        "4T - 2 times the bound",
        eq((4 * T - 2) * bound, Lhat * R_1**2),
        proof.quantity(quantity(CONVEX_DESCENT, bound)),
        by.quotient(long)[0],
    )
    proof.conclude(
        proof.step("divided by 4T - 2", CONVEX_DESCENT.conclusion, long, by.expectation(scaled), limit, factor=[0])
    )


def _signs(proof: Proof) -> dict[sp.Expr, Theorem]:
    """The signs of t, 2T - t, 2T - t - 1 and 2T - 1."""
    (begun, ends), (steps,) = proof.by.time(), proof.positive(T)
    return {
        t: proof.step("$t > 0$", gt(t, 0), begun),
        LEFT: proof.step("$2T - t > 0$", gt(LEFT, 0), ends, steps),
        LEFT - 1: proof.step("$2T - t - 1 ≥ 0$", ge(LEFT - 1, 0), ends, steps),
        WHOLE: proof.step("$2T - 1 > 0$", gt(WHOLE, 0), steps),
    }


def _times(proof: Proof, value: sp.Expr, line: Theorem, signs: dict[sp.Expr, Theorem], *factors: sp.Expr) -> Theorem:
    """The value, which is not negative, times these factors."""
    for factor in factors:
        value = value * factor
        line = proof.step(f"times ${as_typed(factor)}$", ge(value, 0), line, signs[factor])
    return line


def _left_over(proof: Proof, signs: dict[sp.Expr, Theorem]) -> tuple[Theorem, Theorem]:
    """The square (2T - t)²α²‖g‖² - 2(2T - t)α⟨g, v_t - v*⟩ + ‖v_t - v*‖² >= 0, also times what is left of it."""
    by, short = proof.by, LEFT * alpha * V_SLOPE - (v_t - v_star)
    square = proof.step(
        "a square",
        ge(SQUARE, 0),
        proof.step("$‖·‖² ≥ 0$", ge(EuclideanNorm(short) ** 2, 0), by.nonnegative("F", short)),
        by.expansion(short),
        by.expansion(V_SLOPE),
        by.expansion(v_t - v_star),
    )
    spare = LEFT + PAST * (2 * LEFT - 1)
    more = proof.step(
        "$(t - 1)(4T - 2t - 1) ≥ 0$", ge(PAST * (2 * LEFT - 1), 0), by.time()[0], signs[LEFT], signs[LEFT - 1]
    )
    weight = proof.step("what is left of it", ge(spare, 0), more, signs[LEFT])
    return _times(proof, SQUARE, square, {**signs, spare: weight}, spare, WHOLE), square


def _moved_away(proof: Proof, move: tuple) -> Theorem:
    """‖v_{t+1} - v*‖² = ‖v_t - v*‖² - 2α⟨g, v_t - v*⟩ + α²‖g‖²."""
    by, after = proof.by, v_t - alpha * V_SLOPE - v_star
    right = AWAY - 2 * alpha * PULL + alpha**2 * STEEP
    line = proof.step(
        "a step on",
        eq(EuclideanNorm(after) ** 2, right),
        by.expansion(after),
        by.expansion(V_SLOPE),
        by.expansion(v_t - v_star),
    )
    return by.rewrite(line, eq(AWAY_NEXT, right), move)


def _interpolated(proof: Proof, smooth: Smooth, convex: Theorem, step: Inverse, move: tuple) -> Theorem:
    """α(F(v_t) - F(v_{t+1})) >= α²(‖∇F(v_t)‖² + ‖∇F(v_{t+1})‖²)/2."""
    by = proof.by
    after = v_t - alpha * V_SLOPE
    there = Gradient(F, after)
    turn = there - V_SLOPE
    far = by.instance(convex, {v1: after, v2: v_t + alpha * turn})
    near = smooth.above(v_t, alpha * turn)
    said = proof.step(
        "interpolation",
        ge(Value(F, v_t) - Value(F, after), alpha / 2 * (STEEP + EuclideanNorm(there) ** 2)),
        far,
        near,
        by.homogeneous(step.positive, "F", turn),
        by.expansion(turn),
        by.expansion(V_SLOPE),
        by.expansion(there),
        step.unit,
    )
    line = by.rewrite(said, ge(NOW - NEXT, alpha / 2 * (STEEP + STEEP_NEXT)), move)
    return proof.step("times α", ge(alpha * (NOW - NEXT), alpha**2 * (STEEP + STEEP_NEXT) / 2), step.positive, line)
