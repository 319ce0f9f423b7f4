"""Nesterov's method on convex functions: an energy whose weights are polynomials in t."""

import sympy as sp
from sympy.matrices.expressions.matexpr import MatrixExpr

from boundcheck.exact.evaluate import t
from boundcheck.kernel import Theorem
from boundcheck.language import algorithms
from boundcheck.language.claim import Claim
from boundcheck.language.symbols import R_1, Lhat, T, alpha, bound, f_star
from boundcheck.language.vocabulary import (
    EuclideanNorm,
    F,
    Gradient,
    InnerProduct,
    Iterate,
    Value,
    n,
    v,
    v1,
    v2,
    v_star,
    v_t,
)
from boundcheck.proof import Process, Proof, Reading, eq, ge, gt, le, script

from ..jiang2024.descent import NEXT, NOW, v_first, v_next
from ..jiang2024.setting import quantity, theta
from .claims import CONVEX, NESTEROV
from .minimiser import Inverse, Smooth, inverse_step

y_t = Iterate("y", t, n, 1)
y_next, y_first = (y_t.xreplace({t: time}) for time in (t + 1, sp.Integer(1)))
y = sp.MatrixSymbol("y", n, 1)
# y is where Nesterov's method takes its gradients.
READING = Reading(processes={v_t: Process((v,)), y_t: Process((y,))}, constants={v_star}, arbitrary={theta, v, v1, v2})


# θ, and the point z_t whose distance to v* is part of the energy.
SHARE = (t + 1) / 2
CENTRE = SHARE * y_t - (t - 1) / 2 * v_t
SLOPE = Gradient(F, y_t)
GAP, GAP_NEXT = NOW - f_star, NEXT - f_star
DISTANCE = EuclideanNorm(CENTRE - v_star) ** 2
DISTANCE_NEXT = DISTANCE.xreplace({t: t + 1})


@script(NESTEROV, "sharp", READING)
def nesterov(proof: Proof) -> None:
    """The energy (t² - 1)(F(v_t) - f*)/4 + L̂‖z_t - v*‖²/2 does not grow."""
    by, smooth = proof.by, Smooth(proof, NESTEROV)
    step = inverse_step(proof, NESTEROV, smooth.constant)
    first, second = algorithms.NESTEROV.recurrence
    moves = [(proof.define(*each.args, "the algorithm"), *each.args) for each in (first, second)]
    begins = proof.define(y_first, v_first, "$y_1 = v_1$")
    pulled = _pulled(proof, smooth, step, moves)
    above = by.instance(smooth.least, {v: v_next})
    energy = (t**2 - 1) / 4 * GAP + Lhat / 2 * DISTANCE
    falls = proof.step(
        "the energy falls",
        le(((t + 1) ** 2 - 1) / 4 * GAP_NEXT + Lhat / 2 * DISTANCE_NEXT, energy),
        pulled,
        above,
    )
    near = smooth.near_squared()
    moved = le(EuclideanNorm(y_first - v_star) ** 2, R_1**2)
    start = proof.step(
        "the energy at the start",
        le(Lhat * EuclideanNorm(y_first - v_star) ** 2, Lhat * R_1**2),
        smooth.constant,
        by.rewrite(near, moved, (begins, y_first, v_first)),
    )
    kept = proof.induct("the energy", le(energy, Lhat / 2 * R_1**2), first=[start], then=[falls])
    rest = proof.step(
        "$L̂‖z‖² ≥ 0$",
        ge(Lhat * DISTANCE_NEXT, 0),
        smooth.constant,
        proof.step("$‖z‖² ≥ 0$", ge(DISTANCE_NEXT, 0), by.nonnegative("F", (CENTRE - v_star).xreplace({t: t + 1}))),
    )
    late = proof.step("one step later", le((t + 1) ** 2 * GAP_NEXT, 2 * Lhat * R_1**2), pulled, kept, rest)
    gap = smooth.distant(v_first, smooth.flat(step))
    early = proof.step(
        "at the start",
        le(NOW.xreplace({t: sp.Integer(1)}) - f_star, 2 * Lhat * R_1**2),
        gap,
        proof.step("L̂ times", le(Lhat * EuclideanNorm(v_first - v_star) ** 2, Lhat * R_1**2), smooth.constant, near),
        proof.step("$L̂R_1² ≥ 0$", ge(Lhat * R_1**2, 0), smooth.constant, proof.positive(R_1)),
    )
    line = proof.induct(
        "the gap",
        le(t**2 * GAP, 2 * Lhat * R_1**2),
        first=[early],
        then=[late],
        meaning="At $t = 1$ smoothness alone says more.",
    )
    last = by.expectation(by.at(line, T))
    _divided(proof, NESTEROV, last, 2 * Lhat * R_1**2)


def _pulled(proof: Proof, smooth: Smooth, step: Inverse, moves: list) -> Theorem:
    """θ²(F(v_{t+1}) - f*) + L̂‖z_{t+1} - v*‖²/2 <= θ(θ - 1)(F(v_t) - f*) + L̂‖z_t - v*‖²/2."""
    return proof.step(
        "the energy, step by step",
        le(SHARE**2 * GAP_NEXT + Lhat / 2 * DISTANCE_NEXT, SHARE * (SHARE - 1) * GAP + Lhat / 2 * DISTANCE),
        _gains(proof, smooth, step, moves),
        _moved(proof, smooth, step, moves),
    )


def _gains(proof: Proof, smooth: Smooth, step: Inverse, moves: list) -> list[Theorem]:
    """What the step from y_t gains, and what convexity says of y_t, v_t and v*; weighed with θ², θ(θ - 1) and θ."""
    by = proof.by
    convex = proof.assume(CONVEX, forall=[v1, v2])
    lowered = by.rewrite(
        smooth.lowered(y_t, step), le(NEXT, Value(F, y_t) - alpha / 2 * EuclideanNorm(SLOPE) ** 2), moves[0]
    )
    begun, _ = by.time()
    whole = proof.step("$θ² ≥ 0$", ge(SHARE**2, 0), begun)
    part = proof.step("$θ(θ - 1) ≥ 0$", ge(SHARE * (SHARE - 1), 0), begun)
    at_y = Value(F, y_t)
    return [
        proof.step(
            "$θ²$ times the step",
            le(SHARE**2 * (NEXT - at_y), -(SHARE**2) * alpha / 2 * EuclideanNorm(SLOPE) ** 2),
            whole,
            lowered,
        ),
        proof.step(
            "$θ(θ - 1)$ times convexity at $v_t$",
            ge(SHARE * (SHARE - 1) * (NOW - at_y), SHARE * (SHARE - 1) * InnerProduct(SLOPE, v_t - y_t)),
            part,
            by.instance(convex, {v1: y_t, v2: v_t}),
        ),
        proof.step(
            "θ times convexity at v*",
            ge(SHARE * (f_star - at_y), SHARE * InnerProduct(SLOPE, v_star - y_t)),
            begun,
            by.instance(convex, {v1: y_t, v2: v_star}),
            smooth.minimum,
        ),
    ]


def _moved(proof: Proof, smooth: Smooth, step: Inverse, moves: list) -> tuple[Theorem, Theorem]:
    """L̂/2 ‖z_{t+1} - v*‖², which is at most that of z_t - θα∇F(y_t); and the square of the latter."""
    by = proof.by
    after = CENTRE - alpha * SHARE * SLOPE
    change = CENTRE.xreplace({t: t + 1}) - after
    shorter = proof.step(
        "$z$ moves by $θα∇F(y_t)$",
        le(DISTANCE_NEXT, EuclideanNorm(after - v_star) ** 2),
        by.triangle("F", after - v_star, change),
        _no_change(proof, change, moves),
        by.nonnegative("F", after - v_star),
        by.nonnegative("F", (CENTRE - v_star).xreplace({t: t + 1})),
    )
    far = proof.step(
        "L̂/2 times",
        le(Lhat / 2 * DISTANCE_NEXT, Lhat / 2 * EuclideanNorm(after - v_star) ** 2),
        smooth.constant,
        shorter,
    )
    opened = proof.step(
        "the distance",
        eq(
            Lhat / 2 * EuclideanNorm(after - v_star) ** 2,
            Lhat / 2 * DISTANCE
            - SHARE * InnerProduct(SLOPE, CENTRE - v_star)
            + alpha * SHARE**2 / 2 * EuclideanNorm(SLOPE) ** 2,
        ),
        by.expansion(after - v_star),
        by.expansion(CENTRE - v_star),
        by.expansion(SLOPE),
        step.unit,
    )
    return far, opened


def _no_change(proof: Proof, change: MatrixExpr, moves: list) -> Theorem:
    """z_{t+1} = z_t - θα∇F(y_t): what is left has the factor (t + 2)/(t + 2) - 1."""
    by = proof.by
    unit, _ = by.quotient(proof.step("$t + 2 > 0$", gt(t + 2, 0), by.time()[0]))
    nothing = t / (t + 2) + 2 / (t + 2) - 1
    factor = proof.step("$(t + 2)/(t + 2) - 1 ≥ 0$", ge(nothing, 0), unit)
    rest = (t - 1) / 2 * (y_t - alpha * SLOPE - v_t)
    zero = proof.step("$‖0‖ = 0$", eq(EuclideanNorm(nothing * rest), 0), by.homogeneous(factor, "F", rest), unit)
    return by.rewrite(zero, eq(EuclideanNorm(change), 0), *moves)


def _divided(proof: Proof, claim: Claim, last: Theorem, total: sp.Expr) -> None:
    """The bound, from the line times T²."""
    by = proof.by
    long = proof.step("$T > 0$", gt(T, 0), proof.positive(T))
    limit = proof.step(
        "$T²$ times the bound",
        eq(T**2 * bound, total),
        proof.quantity(quantity(claim, bound)),
        by.quotient(long)[0],
        degree=3,
    )
    square = proof.step("$T² > 0$", gt(T**2, 0), long)
    proof.conclude(proof.step("divided by $T²$", claim.conclusion, square, last, limit, factor=[0]))
