"""Gradient descent and Nesterov's method on convex functions: the descent lemma anywhere, and a minimiser."""

import sympy as sp
from sympy.matrices.expressions.matexpr import MatrixExpr

from boundcheck.claims import Claim
from boundcheck.claims.symbols import R_1, Lhat, T, alpha, bound, ell, f_star
from boundcheck.claims.vocabulary import (
    EuclideanNorm,
    F,
    Gradient,
    InnerProduct,
    Iterate,
    Value,
    n,
    t,
    v,
    v1,
    v2,
    v_star,
    v_t,
)
from boundcheck.kernel import Theorem
from boundcheck.prove import Process, Proof, Reading, eq, ge, gt, le, script
from boundcheck.words import algorithms

from ..jiang2024.ball import unit_interval
from ..jiang2024.descent import NEXT, NOW, v_first, v_next
from ..jiang2024.setting import quantity, theta
from .claims import CONVEX, CONVEX_DESCENT, NEAR_MINIMISER, NESTEROV, SMOOTH_EVERYWHERE

y_t = Iterate("y", t, n, 1)
y_next, y_first = (y_t.xreplace({t: time}) for time in (t + 1, sp.Integer(1)))
y = sp.MatrixSymbol("y", n, 1)
# y is where Nesterov's method takes its gradients.
READING = Reading(processes={v_t: Process((v,)), y_t: Process((y,))}, constants={v_star}, arbitrary={theta, v, v1, v2})


class Smooth:
    """A function that is smooth on all of space, and least at v*, near which v_1 is.

    Attributes:
        constant: L̂ > 0.
        least: for all v, F(v) >= f*.
        minimum: F(v*) = f*.
        near: ‖v_1 - v*‖ <= R_1.

    """

    def __init__(self, proof: Proof, claim: Claim):
        self.proof = proof
        self.smoothness = proof.quantity(quantity(claim, Lhat))
        self.constant = proof.step("L̂ > 0", gt(Lhat, 0), self.smoothness, proof.positive(ell))
        self._law = proof.assume(SMOOTH_EVERYWHERE, forall=[v1, v2])
        self._between = unit_interval(proof)
        self.least = proof.assume(ge(Value(F, v), f_star), forall=[v], name="v* is where F is least")
        self.minimum, self.near = proof.assume(NEAR_MINIMISER)

    def above(self, x: MatrixExpr, step: MatrixExpr) -> Theorem:
        """F(x + δ) <= F(x) + ⟨∇F(x), δ⟩ + L̂/2 ‖δ‖²."""
        by = self.proof.by
        along = self.proof.step(
            f"from {x} to {x + step}",
            le(EuclideanNorm(Gradient(F, x + theta * step) - Gradient(F, x)), Lhat * theta * EuclideanNorm(step)),
            by.instance(self._law, {v1: x + theta * step, v2: x}),
            by.homogeneous(self._between[0], "F", step),
            self.smoothness,
        )
        return by.descent_lemma(along, F, x, step, Lhat, theta)

    def lowered(self, x: MatrixExpr, size: Theorem, unit: Theorem) -> Theorem:
        """F(x - α∇F(x)) <= F(x) - α/2 ‖∇F(x)‖², from α > 0 and L̂α = 1."""
        by, slope = self.proof.by, Gradient(F, x)
        return self.proof.step(
            f"a step from {x}",
            le(Value(F, x - alpha * slope), Value(F, x) - alpha / 2 * EuclideanNorm(slope) ** 2),
            self.above(x, -alpha * slope),
            by.homogeneous(size, "F", slope),
            by.expansion(slope),
            unit,
        )

    def flat(self, size: Theorem, unit: Theorem) -> Theorem:
        """‖∇F(v*)‖ <= 0: a step from v* would lower F."""
        by, slope = self.proof.by, Gradient(F, v_star)
        squares = self.proof.step(
            "‖∇F(v*)‖² ≤ 0",
            le(EuclideanNorm(slope) ** 2, 0),
            size,
            self.lowered(v_star, size, unit),
            by.instance(self.least, {v: v_star - alpha * slope}),
            self.minimum,
            factor=[0],
        )
        return by.from_squares(squares, self.proof.step("0 ≥ 0", ge(0, 0)), EuclideanNorm(slope))

    def distant(self, x: MatrixExpr, flat: Theorem) -> Theorem:
        """F(x) - f* <= L̂/2 ‖x - v*‖²."""
        by, slope, step = self.proof.by, Gradient(F, v_star), x - v_star
        return self.proof.step(
            f"the gap at {x}",
            le(Value(F, x) - f_star, Lhat / 2 * EuclideanNorm(step) ** 2),
            self.above(v_star, step),
            by.cauchy_schwarz(slope, step),
            self.proof.step(
                "no slope at v*", le(EuclideanNorm(slope) * EuclideanNorm(step), 0), flat, by.nonnegative("F", step)
            ),
            self.minimum,
        )

    def near_squared(self) -> Theorem:
        """‖v_1 - v*‖² <= R_1²."""
        size, (radius,) = self.proof.by.nonnegative("F", v_first - v_star), self.proof.positive(R_1)
        return self.proof.step(
            "‖v_1 - v*‖² ≤ R_1²", le(EuclideanNorm(v_first - v_star) ** 2, R_1**2), self.near, size, radius
        )


def inverse_step(proof: Proof, claim: Claim, constant: Theorem) -> tuple[Theorem, Theorem]:
    """α > 0 and L̂α = 1, of the step 1/L̂."""
    size = proof.quantity(quantity(claim, alpha))
    unit, inverse = proof.by.quotient(constant)
    return proof.step("α > 0", gt(alpha, 0), size, inverse), proof.step("L̂α = 1", eq(Lhat * alpha, 1), size, unit)


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
    size, unit = inverse_step(proof, NESTEROV, smooth.constant)
    first, second = algorithms.NESTEROV.recurrence
    moves = [(proof.define(*each.args, "the algorithm"), *each.args) for each in (first, second)]
    begins = proof.define(y_first, v_first, "y_1 = v_1")
    pulled = _pulled(proof, smooth, (size, unit), moves)
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
        "L̂‖z‖² ≥ 0",
        ge(Lhat * DISTANCE_NEXT, 0),
        smooth.constant,
        proof.step("‖z‖² ≥ 0", ge(DISTANCE_NEXT, 0), by.nonnegative("F", (CENTRE - v_star).xreplace({t: t + 1}))),
    )
    late = proof.step("one step later", le((t + 1) ** 2 * GAP_NEXT, 2 * Lhat * R_1**2), pulled, kept, rest)
    gap = smooth.distant(v_first, smooth.flat(size, unit))
    early = proof.step(
        "at the start",
        le(NOW.xreplace({t: sp.Integer(1)}) - f_star, 2 * Lhat * R_1**2),
        gap,
        proof.step("L̂ times", le(Lhat * EuclideanNorm(v_first - v_star) ** 2, Lhat * R_1**2), smooth.constant, near),
        proof.step("L̂R_1² ≥ 0", ge(Lhat * R_1**2, 0), smooth.constant, proof.positive(R_1)),
    )
    line = proof.induct(
        "the gap",
        le(t**2 * GAP, 2 * Lhat * R_1**2),
        first=[early],
        then=[late],
        meaning="At t = 1 smoothness alone says more.",
    )
    last = by.expectation(by.at(line, T))
    _divided(proof, NESTEROV, last, 2 * Lhat * R_1**2)


def _pulled(proof: Proof, smooth: Smooth, step: tuple[Theorem, Theorem], moves: list) -> Theorem:
    """θ²(F(v_{t+1}) - f*) + L̂‖z_{t+1} - v*‖²/2 <= θ(θ - 1)(F(v_t) - f*) + L̂‖z_t - v*‖²/2."""
    by, (size, unit) = proof.by, step
    convex = proof.assume(CONVEX, forall=[v1, v2])
    lowered = by.rewrite(
        smooth.lowered(y_t, size, unit), le(NEXT, Value(F, y_t) - alpha / 2 * EuclideanNorm(SLOPE) ** 2), moves[0]
    )
    begun, _ = by.time()
    whole = proof.step("θ² ≥ 0", ge(SHARE**2, 0), begun)
    part = proof.step("θ(θ - 1) ≥ 0", ge(SHARE * (SHARE - 1), 0), begun)
    at_y = Value(F, y_t)
    gains = [
        proof.step(
            "θ² times the step",
            le(SHARE**2 * (NEXT - at_y), -(SHARE**2) * alpha / 2 * EuclideanNorm(SLOPE) ** 2),
            whole,
            lowered,
        ),
        proof.step(
            "θ(θ - 1) times convexity at v_t",
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
    after = CENTRE - alpha * SHARE * SLOPE
    change = CENTRE.xreplace({t: t + 1}) - after
    shorter = proof.step(
        "z moves by θα∇F(y_t)",
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
        unit,
    )
    return proof.step(
        "the energy, step by step",
        le(SHARE**2 * GAP_NEXT + Lhat / 2 * DISTANCE_NEXT, SHARE * (SHARE - 1) * GAP + Lhat / 2 * DISTANCE),
        far,
        opened,
        gains,
    )


def _no_change(proof: Proof, change: MatrixExpr, moves: list) -> Theorem:
    """z_{t+1} = z_t - θα∇F(y_t): what is left has the factor (t + 2)/(t + 2) - 1."""
    by = proof.by
    unit, _ = by.quotient(proof.step("t + 2 > 0", gt(t + 2, 0), by.time()[0]))
    nothing = t / (t + 2) + 2 / (t + 2) - 1
    factor = proof.step("(t + 2)/(t + 2) - 1 ≥ 0", ge(nothing, 0), unit)
    rest = (t - 1) / 2 * (y_t - alpha * SLOPE - v_t)
    zero = proof.step("‖0‖ = 0", eq(EuclideanNorm(nothing * rest), 0), by.homogeneous(factor, "F", rest), unit)
    return by.rewrite(zero, eq(EuclideanNorm(change), 0), *moves)


def _divided(proof: Proof, claim: Claim, last: Theorem, total: sp.Expr) -> None:
    """The bound, from the line times T²."""
    by = proof.by
    long = proof.step("T > 0", gt(T, 0), proof.positive(T))
    limit = proof.step(
        "T² times the bound",
        eq(T**2 * bound, total),
        proof.quantity(quantity(claim, bound)),
        by.quotient(long)[0],
        degree=3,
    )
    square = proof.step("T² > 0", gt(T**2, 0), long)
    proof.conclude(proof.step("divided by T²", claim.conclusion, square, last, limit, factor=[0]))


# Of T iterates, numbered from 0 to T - 1, the one at t has the number PAST, and LEFT more would make 2T - 1.
PAST, LEFT, WHOLE = t - 1, 2 * T - t, 2 * T - 1
V_SLOPE, V_SLOPE_NEXT = (Gradient(F, x) for x in (v_t, v_next))
STEEP, STEEP_NEXT = (EuclideanNorm(x) ** 2 for x in (V_SLOPE, V_SLOPE_NEXT))
AWAY, AWAY_NEXT, AWAY_FIRST = (EuclideanNorm(x - v_star) ** 2 for x in (v_t, v_next, v_first))
PULL = InnerProduct(V_SLOPE, v_t - v_star)


def _weighed(past: sp.Expr, left: sp.Expr, gap: sp.Expr, steep: sp.Expr, away: sp.Expr) -> sp.Basic:
    """What the proof keeps: (2T - 1)(pl(2αδ + α²‖g‖²) + (2l - 2T + 1)‖v - v*‖²) <= l²‖v_1 - v*‖²."""
    inside = past * left * (2 * alpha * gap + alpha**2 * steep) + (2 * left - WHOLE) * away
    return le(WHOLE * inside, left**2 * AWAY_FIRST)


@script(CONVEX_DESCENT, "sharp", READING)
def convex_descent(proof: Proof) -> None:
    """The multipliers of Drori and Teboulle, added up step by step: what is left over is a square each time."""
    by, smooth = proof.by, Smooth(proof, CONVEX_DESCENT)
    size, unit = inverse_step(proof, CONVEX_DESCENT, smooth.constant)
    (equation,) = algorithms.GRADIENT_DESCENT.recurrence
    move = (proof.define(*equation.args, "the algorithm"), *equation.args)
    convex = proof.assume(CONVEX, forall=[v1, v2])
    signs = _signs(proof)
    falls = _interpolated(proof, smooth, convex, (size, unit), move)
    pulls = _pull_to_minimum(proof, smooth, convex, (size, unit))
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
            proof.step("(2T - t)² > 0", gt(LEFT**2, 0), signs[LEFT]),
            proof.step("(2T - t - 1)² ≥ 0", ge((LEFT - 1) ** 2, 0), hints=[LEFT - 1]),
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
        proof.step("T² > 0", gt(T**2, 0), steps),
        *(by.at(x, T) for x in (kept, pull, over)),
        factor=[0],
        meaning="At t = T another square is left over.",
    )
    _within(proof, smooth, unit, last)


def _within(proof: Proof, smooth: Smooth, unit: Theorem, last: Theorem) -> None:
    """The bound, from 2(2T - 1)α(F(v_T) - f*) <= ‖v_1 - v*‖²."""
    by, gap = proof.by, GAP.xreplace({t: T})
    near = proof.step("within R_1", le(2 * (2 * T - 1) * alpha * gap, R_1**2), last, smooth.near_squared())
    scaled = proof.step("times L̂", le(2 * (2 * T - 1) * gap, Lhat * R_1**2), smooth.constant, near, unit)
    long = proof.step("4T - 2 > 0", gt(4 * T - 2, 0), proof.positive(T))
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
        t: proof.step("t > 0", gt(t, 0), begun),
        LEFT: proof.step("2T - t > 0", gt(LEFT, 0), ends, steps),
        LEFT - 1: proof.step("2T - t - 1 ≥ 0", ge(LEFT - 1, 0), ends, steps),
        WHOLE: proof.step("2T - 1 > 0", gt(WHOLE, 0), steps),
    }


def _times(proof: Proof, value: sp.Expr, line: Theorem, signs: dict[sp.Expr, Theorem], *factors: sp.Expr) -> Theorem:
    """The value, which is not negative, times these factors."""
    for factor in factors:
        value = value * factor
        line = proof.step(f"times {factor}", ge(value, 0), line, signs[factor])
    return line


def _left_over(proof: Proof, signs: dict[sp.Expr, Theorem]) -> tuple[Theorem, Theorem]:
    """The square (2T - t)²α²‖g‖² - 2(2T - t)α⟨g, v_t - v*⟩ + ‖v_t - v*‖² >= 0, also times what is left of it."""
    by, short = proof.by, LEFT * alpha * V_SLOPE - (v_t - v_star)
    square = proof.step(
        "a square",
        ge(SQUARE, 0),
        proof.step("‖·‖² ≥ 0", ge(EuclideanNorm(short) ** 2, 0), by.nonnegative("F", short)),
        by.expansion(short),
        by.expansion(V_SLOPE),
        by.expansion(v_t - v_star),
    )
    spare = LEFT + PAST * (2 * LEFT - 1)
    more = proof.step(
        "(t - 1)(4T - 2t - 1) ≥ 0", ge(PAST * (2 * LEFT - 1), 0), by.time()[0], signs[LEFT], signs[LEFT - 1]
    )
    weight = proof.step("what is left of it", ge(spare, 0), more, signs[LEFT])
    return _times(proof, SQUARE, square, {**signs, spare: weight}, spare, WHOLE), square


SQUARE = LEFT**2 * alpha**2 * STEEP - 2 * LEFT * alpha * PULL + AWAY


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


def _interpolated(proof: Proof, smooth: Smooth, convex: Theorem, step: tuple[Theorem, Theorem], move: tuple) -> Theorem:
    """α(F(v_t) - F(v_{t+1})) >= α²(‖∇F(v_t)‖² + ‖∇F(v_{t+1})‖²)/2."""
    by, (size, unit) = proof.by, step
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
        by.homogeneous(size, "F", turn),
        by.expansion(turn),
        by.expansion(V_SLOPE),
        by.expansion(there),
        unit,
    )
    line = by.rewrite(said, ge(NOW - NEXT, alpha / 2 * (STEEP + STEEP_NEXT)), move)
    return proof.step("times α", ge(alpha * (NOW - NEXT), alpha**2 * (STEEP + STEEP_NEXT) / 2), size, line)


def _pull_to_minimum(proof: Proof, smooth: Smooth, convex: Theorem, step: tuple[Theorem, Theorem]) -> Theorem:
    """α(F(v_t) - f*) <= α⟨∇F(v_t), v_t - v*⟩ - α²‖∇F(v_t)‖²/2."""
    by, (size, unit) = proof.by, step
    beyond = v_star + alpha * V_SLOPE
    line = proof.step(
        "beyond v*",
        le(GAP, PULL - alpha / 2 * STEEP),
        by.instance(convex, {v1: v_t, v2: beyond}),
        smooth.distant(beyond, smooth.flat(size, unit)),
        by.homogeneous(size, "F", V_SLOPE),
        by.expansion(V_SLOPE),
        unit,
    )
    return proof.step("times α, too", le(alpha * GAP, alpha * PULL - alpha**2 * STEEP / 2), size, line)
