"""Gradient descent and Nesterov's method on convex functions, and gradient descent on strongly
convex ones.

Each step of theirs is compared with v*, where F is least and its gradient is 0.
"""

from dataclasses import dataclass

import sympy as sp
from sympy.matrices.expressions.matexpr import MatrixExpr

from boundcheck.exact.evaluate import at_time, t
from boundcheck.kernel import Theorem
from boundcheck.language import algorithms
from boundcheck.language.algorithms import Algorithm
from boundcheck.language.claim import as_typed
from boundcheck.language.symbols import R_1, Lhat, T, alpha, bound, f_star, mu_F
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
    v_first,
    v_next,
    v_star,
    v_t,
)
from boundcheck.proof import Proof, eq, ge, le, script

from ..jiang2024.descent import NEXT, NOW, SLOPE, given_constant
from ..jiang2024.setting import (
    above_0,
    at_least_0,
    defined,
    divided,
    horizon_above_0,
    step_above_0,
    theta,
    unit_interval,
)
from .claims import (
    CONVEX,
    CONVEX_DESCENT,
    NEAR_MINIMISER,
    NESTEROV,
    SMOOTH_EVERYWHERE,
    STRONG_DESCENT_EVERYWHERE,
    STRONGLY_CONVEX_EVERYWHERE,
    left,
)

y_t = Iterate("y", t, n, 1)
# y is where Nesterov's method takes its gradients.
GAP, GAP_NEXT = NOW - f_star, NEXT - f_star
Equation = tuple[Theorem, MatrixExpr, MatrixExpr]


def moves(proof: Proof, algorithm: Algorithm) -> list[Equation]:
    """The equations of an algorithm, as `by.rewrite` takes them."""
    return [
        (proof.define(*each.args, "the algorithm"), *each.args) for each in algorithm.recurrence
    ]


class Everywhere:
    """Smoothness on all of space with the constant ell, which is L̂.

    Attributes:
        constant: L̂ > 0.
        law: for all v_1, v_2, ‖∇F(v_1) - ∇F(v_2)‖ <= ell ‖v_1 - v_2‖.

    """

    def __init__(self, proof: Proof):
        self.proof, self.constant = proof, given_constant(proof)
        self.law = proof.given(SMOOTH_EVERYWHERE)
        self._between = unit_interval(proof)

    def above(self, x: MatrixExpr, step: MatrixExpr, sign: int = 1) -> Theorem:
        """F(x + δ) - F(x) - ⟨∇F(x), δ⟩ <= L̂/2 ‖δ‖²; with the sign -1 it is >= -L̂/2 ‖δ‖²."""
        by = self.proof.by
        along = self.proof.step(
            f"from ${as_typed(x)}$ to ${as_typed(x + step)}$",
            le(
                EuclideanNorm(Gradient(F, x + theta * step) - Gradient(F, x)),
                Lhat * theta * EuclideanNorm(step),
            ),
            by.instance(self.law, {v1: x + theta * step, v2: x}),
            by.homogeneous(self._between[0], "F", step),
            self.proof.recall("Lhat"),
        )
        return by.descent_lemma(along, F, x, step, Lhat, theta, sign)


@dataclass(frozen=True)
class Inverse:
    """A step of 1/L̂.

    Attributes:
        size: α, as the proof writes it.
        positive: α > 0.
        unit: L̂α = 1.

    """

    size: sp.Expr
    positive: Theorem
    unit: Theorem


class Smooth(Everywhere):
    """A function that is smooth on all of space, and least at v*, near which v_1 is.

    Attributes:
        least: for all v, F(v) >= f*.
        minimum: F(v*) = f*.
        near: ‖v_1 - v*‖ <= R_1.

    """

    def __init__(self, proof: Proof):
        super().__init__(proof)
        self.minimum, self.near, self.least = proof.given(NEAR_MINIMISER)

    def step(self) -> Inverse:
        """The step α of a claim that takes 1/L̂ for it."""
        size, (unit, inverse) = defined(self.proof, alpha), self.proof.by.quotient(self.constant)
        return Inverse(
            alpha,
            step_above_0(self.proof, size, inverse),
            self.proof.step("$L̂α = 1$", eq(Lhat * alpha, 1), size, unit),
        )

    def lowered(self, x: MatrixExpr, step: Inverse) -> Theorem:
        """F(x - α∇F(x)) <= F(x) - α/2 ‖∇F(x)‖², at a step of 1/L̂."""
        by, slope, size = self.proof.by, Gradient(F, x), step.size
        return self.proof.step(
            f"a step from ${as_typed(x)}$",
            le(Value(F, x - size * slope), Value(F, x) - size / 2 * EuclideanNorm(slope) ** 2),
            self.above(x, -size * slope),
            by.homogeneous(step.positive, "F", slope),
            by.expansion(slope),
            step.unit,
        )

    def flat(self, step: Inverse) -> Theorem:
        """‖∇F(v*)‖ <= 0: a step from v* would lower F."""
        by, slope = self.proof.by, Gradient(F, v_star)
        squares = self.proof.step(
            "$‖∇F(v*)‖² ≤ 0$",
            le(EuclideanNorm(slope) ** 2, 0),
            step.positive,
            self.lowered(v_star, step),
            by.instance(self.least, {v: v_star - step.size * slope}),
            self.minimum,
        )
        return by.from_squares(squares, at_least_0(self.proof, "0", 0), EuclideanNorm(slope))

    def distant(self, x: MatrixExpr, flat: Theorem) -> Theorem:
        """F(x) - f* <= L̂/2 ‖x - v*‖²."""
        by, slope, step = self.proof.by, Gradient(F, v_star), x - v_star
        return self.proof.step(
            f"the gap at ${as_typed(x)}$",
            le(Value(F, x) - f_star, Lhat / 2 * EuclideanNorm(step) ** 2),
            self.above(v_star, step),
            by.cauchy_schwarz(slope, step),
            flat,
            self.minimum,
        )

    def near_squared(self) -> Theorem:
        """‖v_1 - v*‖² <= R_1²."""
        size, (radius,) = EuclideanNorm(v_first - v_star) ** 2, self.proof.positive(R_1)
        return self.proof.step("$‖v_1 - v*‖² ≤ R_1²$", le(size, R_1**2), self.near, radius)

    def pull(self, convex: Theorem, step: Inverse) -> Theorem:
        """F(v_t) - f* <= ⟨∇F(v_t), v_t - v*⟩ - α/2 ‖∇F(v_t)‖², at α = 1/L̂, from convexity: for all
        v_1, v_2.
        """
        by, beyond = self.proof.by, v_star + step.size * SLOPE
        return self.proof.step(
            "beyond v*",
            le(GAP, InnerProduct(SLOPE, v_t - v_star) - step.size / 2 * EuclideanNorm(SLOPE) ** 2),
            by.instance(convex, {v1: v_t, v2: beyond}),
            self.distant(beyond, self.flat(step)),
            by.homogeneous(step.positive, "F", SLOPE),
            by.expansion(SLOPE),
            step.unit,
            meaning=(
                "$F$ lies above its tangent at $v_t$, and below a parabola at $v*$: compared at $v*"
                " + α∇F(v_t)$."
            ),
        )


# Of T iterates, numbered from 0 to T - 1, the one at t has the number PAST, and LEFT more would
# make 2T - 1.
PAST, LEFT, WHOLE = t - 1, 2 * T - t, 2 * T - 1
STEEP, STEEP_NEXT = (EuclideanNorm(Gradient(F, x)) ** 2 for x in (v_t, v_next))
AWAY, AWAY_NEXT, AWAY_FIRST = (EuclideanNorm(x - v_star) ** 2 for x in (v_t, v_next, v_first))
PULL = InnerProduct(SLOPE, v_t - v_star)


@script(CONVEX_DESCENT, "sharp", fresh=[theta])
def convex_descent(proof: Proof) -> None:
    """The multipliers of Drori and Teboulle, added up step by step: what is left over is a square
    each time.
    """
    by, smooth = proof.by, Smooth(proof)
    step = smooth.step()
    (move,) = moves(proof, algorithms.GRADIENT_DESCENT)
    convex = proof.given(CONVEX)
    ends = by.time()[1]
    signs = {
        t: above_0(proof, "t", t),
        LEFT: above_0(proof, "2T - t", LEFT, ends),
        LEFT - 1: at_least_0(proof, "2T - t - 1", LEFT - 1, ends),
        WHOLE: above_0(proof, "2T - 1", WHOLE),
    }

    def times(value: sp.Expr, line: Theorem, *factors: sp.Expr) -> Theorem:
        """The value, which is not negative, times these factors."""
        for factor in factors:
            value = value * factor
            line = proof.step(f"times ${as_typed(factor)}$", ge(value, 0), line, signs[factor])
        return line

    falls = _interpolated(proof, smooth, convex, step, move)
    pulls = proof.step(
        "times α, too",
        le(alpha * GAP, alpha * PULL - alpha**2 * STEEP / 2),
        step.positive,
        smooth.pull(convex, step),
    )
    # What is left over at each step, and how much more of it there is.
    short, spare = LEFT * alpha * SLOPE - (v_t - v_star), LEFT + PAST * (2 * LEFT - 1)
    over = LEFT**2 * alpha**2 * STEEP - 2 * LEFT * alpha * PULL + AWAY
    square = proof.step(
        "a square",
        ge(over, 0),
        by.expansion(short),
        by.expansion(SLOPE),
        by.expansion(v_t - v_star),
    )
    signs[spare] = proof.step("what is left of it", ge(spare, 0), signs[LEFT], signs[LEFT - 1])
    rest = times(over, square, spare, WHOLE)
    pulled = alpha * PULL - alpha * GAP - alpha**2 * STEEP / 2
    after, right = v_t - alpha * SLOPE - v_star, AWAY - 2 * alpha * PULL + alpha**2 * STEEP
    inside = PAST * LEFT * (2 * alpha * GAP + alpha**2 * STEEP) + (2 * LEFT - WHOLE) * AWAY
    kept = proof.induct(
        "what is kept",
        le(WHOLE * inside, LEFT**2 * AWAY_FIRST),
        first=[],
        then=[
            above_0(proof, "(2T - t)²", LEFT**2, signs[LEFT]),
            at_least_0(proof, "(2T - t - 1)²", (LEFT - 1) ** 2),
            times(
                alpha * (NOW - NEXT) - alpha**2 * (STEEP + STEEP_NEXT) / 2,
                falls,
                WHOLE,
                LEFT,
                LEFT,
                LEFT - 1,
                t,
            ),
            times(pulled, pulls, WHOLE, WHOLE, LEFT, LEFT - 1),
            rest,
            by.rewrite(
                proof.step(
                    "a step on",
                    eq(EuclideanNorm(after) ** 2, right),
                    *map(by.expansion, (after, SLOPE, v_t - v_star)),
                ),
                eq(AWAY_NEXT, right),
                move,
            ),
        ],
        meaning="By induction over t: two inequalities, weighed, and a square.",
    )
    last = [by.at(x, T) for x in (kept, times(pulled, pulls, WHOLE, t), times(over, square, WHOLE))]
    gap = at_time(GAP, T)
    most = proof.step(
        "the last gap",
        le(2 * WHOLE * alpha * gap, AWAY_FIRST),
        above_0(proof, "T²", T**2),
        *last,
        meaning="At $t = T$ another square is left over.",
    )
    scaled = proof.step(
        "times L̂",
        le(2 * WHOLE * gap, Lhat * R_1**2),
        smooth.constant,
        most,
        smooth.near_squared(),
        step.unit,
    )
    long = above_0(proof, "4T - 2", 4 * T - 2)
    divided(
        proof,
        "4T - 2",
        4 * T - 2,
        Lhat * R_1**2,
        [long],
        by.expectation(scaled),
        label="divided by 4T - 2",
    )


def _interpolated(
    proof: Proof, smooth: Smooth, convex: Theorem, step: Inverse, move: Equation
) -> Theorem:
    """α(F(v_t) - F(v_{t+1})) >= α²(‖∇F(v_t)‖² + ‖∇F(v_{t+1})‖²)/2."""
    by, after = proof.by, v_t - alpha * SLOPE
    there = Gradient(F, after)
    turn = there - SLOPE
    said = proof.step(
        "interpolation",
        ge(Value(F, v_t) - Value(F, after), alpha / 2 * (STEEP + EuclideanNorm(there) ** 2)),
        by.instance(convex, {v1: after, v2: v_t + alpha * turn}),
        smooth.above(v_t, alpha * turn),
        by.homogeneous(step.positive, "F", turn),
        *map(by.expansion, (turn, SLOPE, there)),
        step.unit,
    )
    line = by.rewrite(said, ge(NOW - NEXT, alpha / 2 * (STEEP + STEEP_NEXT)), move)
    return proof.step(
        "times α",
        ge(alpha * (NOW - NEXT), alpha**2 * (STEEP + STEEP_NEXT) / 2),
        step.positive,
        line,
    )


# θ, and the point z_t whose distance to v* is part of the energy.
SHARE = (t + 1) / 2
CENTRE = SHARE * y_t - (t - 1) / 2 * v_t
CENTRE_NEXT = at_time(CENTRE, t + 1)
SLOPE_Y = Gradient(F, y_t)
DISTANCE, DISTANCE_NEXT = (EuclideanNorm(x - v_star) ** 2 for x in (CENTRE, CENTRE_NEXT))


@script(NESTEROV, "sharp", fresh=[theta])
def nesterov(proof: Proof) -> None:
    """The energy (t² - 1)(F(v_t) - f*)/4 + L̂‖z_t - v*‖²/2 does not grow."""
    by, smooth = proof.by, Smooth(proof)
    step = smooth.step()
    equations, y_first = moves(proof, algorithms.NESTEROV), at_time(y_t, 1)
    begins = proof.define(y_first, v_first, "$y_1 = v_1$")
    convex = proof.given(CONVEX)
    steep = alpha / 2 * EuclideanNorm(SLOPE_Y) ** 2
    lowered = by.rewrite(smooth.lowered(y_t, step), le(NEXT, Value(F, y_t) - steep), equations[0])
    # What the step from y_t gains, and what convexity says of y_t, v_t and v*; weighed with θ², θ(θ
    # - 1) and θ.
    at_y, whole, part = Value(F, y_t), SHARE**2, SHARE * (SHARE - 1)
    gains = [
        proof.step(
            "$θ²$ times the step",
            le(whole * (NEXT - at_y), -whole * steep),
            lowered,
        ),
        at_least_0(proof, "θ(θ - 1)", part),
        by.instance(convex, {v1: y_t, v2: v_t}),
        by.instance(convex, {v1: y_t, v2: v_star}),
        smooth.minimum,
    ]
    pulled = proof.step(
        "the energy, step by step",
        le(whole * GAP_NEXT + Lhat / 2 * DISTANCE_NEXT, part * GAP + Lhat / 2 * DISTANCE),
        gains,
        smooth.constant,
        _moved(proof, smooth, step, equations),
    )
    energy = (t**2 - 1) / 4 * GAP + Lhat / 2 * DISTANCE
    falls = proof.step(
        "the energy falls",
        le(((t + 1) ** 2 - 1) / 4 * GAP_NEXT + Lhat / 2 * DISTANCE_NEXT, energy),
        pulled,
        by.instance(smooth.least, {v: v_next}),
    )
    near, most = smooth.near_squared(), 2 * Lhat * R_1**2
    start = proof.step(
        "the energy at the start",
        le(Lhat * EuclideanNorm(y_first - v_star) ** 2, Lhat * R_1**2),
        smooth.constant,
        by.rewrite(
            near, le(EuclideanNorm(y_first - v_star) ** 2, R_1**2), (begins, y_first, v_first)
        ),
    )
    kept = proof.induct("the energy", le(energy, most / 4), first=[start], then=[falls])
    late = proof.step(
        "one step later", le((t + 1) ** 2 * GAP_NEXT, most), pulled, kept, smooth.constant
    )
    early = proof.step(
        "at the start",
        le(at_time(GAP, 1), most),
        smooth.distant(v_first, smooth.flat(step)),
        smooth.constant,
        near,
    )
    line = proof.induct(
        "the gap",
        le(t**2 * GAP, most),
        first=[early],
        then=[late],
        meaning="At $t = 1$ smoothness alone says more.",
    )
    long = horizon_above_0(proof)
    square, last = above_0(proof, "T²", T**2, long), by.expectation(by.at(line, T))
    divided(proof, "$T²$", T**2, most, [long, long], last, square, label="divided by $T²$")


def _moved(
    proof: Proof, smooth: Smooth, step: Inverse, equations: list[Equation]
) -> tuple[Theorem, Theorem]:
    """L̂/2 ‖z_{t+1} - v*‖², which is at most that of z_t - θα∇F(y_t); and the square of the
    latter.
    """
    by, after = proof.by, CENTRE - alpha * SHARE * SLOPE_Y
    # What is left of z_{t+1} - z_t + θα∇F(y_t) has the factor (t + 2)/(t + 2) - 1.
    change, nothing = CENTRE_NEXT - after, t / (t + 2) + 2 / (t + 2) - 1
    unit, _ = by.quotient(above_0(proof, "t + 2", t + 2))
    factor = at_least_0(proof, "(t + 2)/(t + 2) - 1", nothing, unit)
    rest = (t - 1) / 2 * (y_t - alpha * SLOPE_Y - v_t)
    zero = proof.step(
        "$‖0‖ = 0$", eq(EuclideanNorm(nothing * rest), 0), by.homogeneous(factor, "F", rest), unit
    )
    shorter = proof.step(
        "$z$ moves by $θα∇F(y_t)$",
        le(DISTANCE_NEXT, EuclideanNorm(after - v_star) ** 2),
        by.triangle("F", after - v_star, change),
        by.rewrite(zero, eq(EuclideanNorm(change), 0), *equations),
    )
    length = Lhat / 2 * EuclideanNorm(after - v_star) ** 2
    pull, steep = InnerProduct(SLOPE_Y, CENTRE - v_star), EuclideanNorm(SLOPE_Y) ** 2
    opened = proof.step(
        "the distance",
        eq(length, Lhat / 2 * DISTANCE - SHARE * pull + alpha * SHARE**2 / 2 * steep),
        *map(by.expansion, (after - v_star, CENTRE - v_star, SLOPE_Y)),
        step.unit,
    )
    return shorter, opened


# Strong convexity, at the step 2/(ℓ + μ_F).
FROM_STAR = v_t - v_star
SLOPES, PULLS, FAR = (
    InnerProduct(SLOPE, SLOPE),
    InnerProduct(SLOPE, FROM_STAR),
    InnerProduct(FROM_STAR, FROM_STAR),
)
# What the gradient is more than that of the parabola with μ_F, and its squared norm and pull to v*.
MORE = SLOPE - mu_F * FROM_STAR
MORE_STEEP, MORE_PULL = SLOPES - 2 * mu_F * PULLS + mu_F**2 * FAR, PULLS - mu_F * FAR


@script(STRONG_DESCENT_EVERYWHERE, "sharp", fresh=[theta])
def strong_descent(proof: Proof) -> None:
    """Each step multiplies the squared distance by ((L̂ - μ_F)/(L̂ + μ_F))² at most."""
    by, smooth = proof.by, Smooth(proof)
    (curved,) = proof.positive(mu_F)
    size = defined(proof, alpha)
    unit, _ = by.quotient(above_0(proof, "L̂ + μ_F", Lhat + mu_F, smooth.constant, curved))
    double = proof.step("$α(L̂ + μ_F) = 2$", eq(alpha * (Lhat + mu_F), 2), size, unit)
    factor = defined(proof, left)
    kept = proof.step(
        "what a step leaves", eq(left, 1 - alpha**2 * mu_F * Lhat), factor, size, unit
    )
    positive = proof.step("it is not negative", ge(left, 0), factor)
    (move,) = moves(proof, algorithms.GRADIENT_DESCENT)
    nearer = proof.step(
        "a step comes nearer",
        le(EuclideanNorm(FROM_STAR - alpha * SLOPE) ** 2, left * AWAY),
        proof.step(
            "times $α²$",
            ge(alpha**2 * (Lhat + mu_F) * PULLS, alpha**2 * (SLOPES + mu_F * Lhat * FAR)),
            _cocoercive(proof, smooth),
            at_least_0(proof, "α²", alpha**2),
        ),
        by.expansion(FROM_STAR - alpha * SLOPE),
        by.expansion(FROM_STAR),
        double,
        kept,
    )
    distance = proof.induct(
        "geometric",
        le(AWAY, left ** (t - 1) * R_1**2),
        first=[smooth.near_squared()],
        then=[by.rewrite(nearer, le(AWAY_NEXT, left * AWAY), move), positive],
        meaning="By induction over t.",
    )
    proof.conclude(
        proof.step(
            "the last",
            proof.claim.conclusion,
            by.expectation(by.at(distance, T)),
            defined(proof, bound),
        )
    )


def _cocoercive(proof: Proof, smooth: Smooth) -> Theorem:
    """(L̂ + μ_F)⟨∇F(v_t), v_t - v*⟩ >= ‖∇F(v_t)‖² + μ_FL̂‖v_t - v*‖²."""
    by, share = proof.by, 1 / (Lhat - mu_F)
    room = above_0(proof, "L̂ - μ_F", Lhat - mu_F, proof.assume(proof.claim.conditions[0]))
    unit, _ = by.quotient(room)
    convex = proof.given(STRONGLY_CONVEX_EVERYWHERE)
    whole, positive = by.quotient(smooth.constant)
    flat = smooth.flat(Inverse(1 / Lhat, positive, whole))
    beyond, back, slope = v_star + share * MORE, v_t - share * MORE, Gradient(F, v_star)
    sums = proof.step(
        "four lines",
        le(
            2 * share * InnerProduct(SLOPE, MORE) + mu_F * EuclideanNorm(back - v_star) ** 2,
            PULLS + Lhat * EuclideanNorm(share * MORE) ** 2,
        ),
        by.instance(convex, {v1: v_t, v2: beyond}),
        smooth.distant(beyond, flat),
        by.instance(convex, {v1: v_star, v2: back}),
        by.cauchy_schwarz(slope, v_star - back),
        flat,
        smooth.above(v_t, -share * MORE),
        smooth.minimum,
        meaning=(
            "$F$ is above its parabolas with $μ_F$ at $v_t$ and at $v*$, and below those with $L̂$."
        ),
    )
    # A product of L̂ - μ_F and one over it would be 1 before the kernel sees it.
    scaled = proof.step(
        "times $L̂ - μ_F$",
        le((Lhat * share - mu_F * share) * MORE_STEEP, (Lhat - mu_F) * MORE_PULL),
        sums,
        by.expansion(back - v_star),
        by.expansion(share * MORE),
        unit,
        room,
    )
    return proof.step(
        "cocoercive", ge((Lhat + mu_F) * PULLS, SLOPES + mu_F * Lhat * FAR), scaled, unit
    )
