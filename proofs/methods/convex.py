"""Gradient descent and Nesterov's method on convex functions: the descent lemma anywhere, and a minimiser."""

import sympy as sp
from sympy.matrices.expressions.matexpr import MatrixExpr

from boundcheck.claims import Claim
from boundcheck.claims.symbols import R_1, Lhat, T, alpha, bound, ell, f_star
from boundcheck.claims.vocabulary import (
    EuclideanNorm,
    Expectation,
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
from .claims import CONVEX, NEAR_MINIMISER, NESTEROV, SMOOTH_EVERYWHERE

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
    near = proof.step(
        "‖v_1 - v*‖² ≤ R_1²",
        le(EuclideanNorm(v_first - v_star) ** 2, R_1**2),
        smooth.near,
        by.nonnegative("F", v_first - v_star),
        proof.positive(R_1),
    )
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
