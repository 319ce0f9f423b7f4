"""The exact rate of gradient descent, at the step 2/(√3ℓ): two inequalities meet in the middle of
each step.
"""

import sympy as sp
from sympy.matrices.expressions.matexpr import MatrixExpr

from boundcheck.kernel import Theorem
from boundcheck.language import algorithms
from boundcheck.language.symbols import D, Lhat, T, alpha, f_star
from boundcheck.language.vocabulary import (
    MINIMUM_GRADIENT,
    EuclideanNorm,
    F,
    Gradient,
    InnerProduct,
    v1,
    v2,
    v_next,
    v_t,
)
from boundcheck.proof import Proof, eq, ge, gt, le, script

from ..jiang2024.descent import CHANGE, NEXT, NOW, SLOPE, SQUARE, above, given_constant, kept
from ..jiang2024.setting import (
    above_0,
    at_least_0,
    defined,
    divided,
    step_above_0,
    theta,
    unit_interval,
)
from .claims import BEST_STEP, SMOOTH_AROUND

CENTRE, RADIUS = (v_t + v_next) / 2, EuclideanNorm(CHANGE) / 2
SLOPE_NEXT = Gradient(F, v_next)
TURN = SLOPE - SLOPE_NEXT
# The part of a step whose length is 1/L̂ times the gradient's.
PART = sp.sqrt(3) / 2
# 1/L̂, and where the two inequalities meet.
SHARE = 1 / Lhat
MIDDLE = CENTRE - SHARE / 2 * TURN
STEEP, STEEP_NEXT, ACROSS = (
    InnerProduct(x, y) for x, y in ((SLOPE, SLOPE), (SLOPE_NEXT, SLOPE_NEXT), (SLOPE, SLOPE_NEXT))
)
TURNED = STEEP + STEEP_NEXT - 2 * ACROSS


class Step:
    """What is known of the step α = 2/(√3L̂), and of F in the ball around it.

    Attributes:
        unit: L̂ times 1/L̂ is 1.
        inverse: 1/L̂ > 0.
        positive: α > 0.
        square: 3L̂α² = 4/L̂.
        long: α >= 1/L̂.
        part: (√3/2)α = 1/L̂.
        three: √3² = 3.

    """

    def __init__(self, proof: Proof):
        self.proof, by = proof, proof.by
        constant = given_constant(proof)
        self.unit, self.inverse = by.quotient(constant)
        size, three = defined(proof, alpha), above_0(proof, "3", 3)
        self.three, self.root = by.root(three), by.positive_root(three)
        self.positive = step_above_0(proof, size, self.root, self.inverse)
        self.part = proof.step("$(√3/2)α = 1/L̂$", eq(PART * alpha, SHARE), size, self.three)
        self.square = proof.step(
            "$3L̂α² = 4/L̂$", eq(3 * Lhat * alpha**2, 4 * SHARE), size, self.three, self.unit
        )
        half = sp.Rational(3, 2)
        most = by.from_squares(
            proof.step("$(3/2)² ≤ 3$", le(half**2, 3)), self.root, half, self.three
        )
        self.long = proof.step("$α ≥ 1/L̂$", ge(alpha, SHARE), size, most, self.inverse)
        least = by.from_squares(
            proof.step("$3 ≤ 2²$", le(3, 4)),
            above_0(proof, "2", 2),
            sp.sqrt(3),
            self.three,
        )
        self._less = proof.step("$√3/2 ≤ 1$", le(PART, 1), least)
        self._between = unit_interval(proof)
        self._law = proof.given(SMOOTH_AROUND)
        ends = {"$v_t$": v_t, "$v_(t+1)$": v_next}
        self._ends = {
            x: proof.step(f"{name} is in the ball", le(EuclideanNorm(x - CENTRE), RADIUS))
            for name, x in ends.items()
        }
        self.turn = proof.step(
            "$‖∇F(v_t) - ∇F(v_(t+1))‖ ≤ L̂‖v_(t+1) - v_t‖$",
            le(EuclideanNorm(TURN), Lhat * EuclideanNorm(CHANGE)),
            by.instance(self._law, {v1: v_t, v2: v_next}, *self._ends.values()),
            proof.recall("Lhat"),
        )

    def to_middle(self, end: MatrixExpr, sign: int) -> Theorem:
        """F at the middle is at most (sign 1) what it is from this end on, or at least that (sign
        -1).
        """
        by, (low, high) = self.proof.by, self._between
        step, centre = MIDDLE - end, MIDDLE - CENTRE
        inside = self.proof.step(
            "to the middle",
            le(EuclideanNorm(end + theta * step - CENTRE), RADIUS),
            by.triangle("F", (1 - theta) * (end - CENTRE), theta * centre),
            by.homogeneous(high, "F", CHANGE),
            by.homogeneous(low, "F", SHARE * TURN),
            by.homogeneous(self.inverse, "F", TURN),
            low,
            self.turn,
            self.inverse,
            self.unit,
        )
        return self._along(end, step, inside, sign)

    def down(self) -> Theorem:
        """F(v_t + (√3/2)(v_{t+1} - v_t)) <= F(v_t) + (√3/2)⟨∇F, v_{t+1} - v_t⟩ + (3/8)L̂‖v_{t+1} -
        v_t‖².
        """
        by, proof, (low, high) = self.proof.by, self.proof, self._between
        step, far = PART * CHANGE, theta * PART
        begun = at_least_0(proof, "θ√3/2", far, low, self.root)
        ends = proof.step("$θ√3/2 ≤ 1$", ge(1 - far, 0), high, self._less)
        inside = proof.step(
            "down the step",
            le(EuclideanNorm(v_t + theta * step - CENTRE), RADIUS),
            by.triangle("F", (1 - far) * (v_t - CENTRE), far * (v_next - CENTRE)),
            by.homogeneous(ends, "F", CHANGE),
            by.homogeneous(begun, "F", CHANGE),
        )
        return self._along(v_t, step, inside, 1)

    def _along(self, end: MatrixExpr, step: MatrixExpr, inside: Theorem, sign: int) -> Theorem:
        by, low = self.proof.by, self._between[0]
        along = self.proof.step(
            "along it",
            le(
                EuclideanNorm(Gradient(F, end + theta * step) - Gradient(F, end)),
                Lhat * theta * EuclideanNorm(step),
            ),
            by.instance(self._law, {v1: end + theta * step, v2: end}, inside, self._ends[end]),
            by.homogeneous(low, "F", step),
            self.proof.recall("Lhat"),
        )
        return by.descent_lemma(along, F, end, step, Lhat, theta, sign)


@script(BEST_STEP, "sharp", fresh=[theta])
def best_step(proof: Proof) -> None:
    """Each step lowers F by 5α/12 of its own squared gradient and α/4 of the next, and 1/(2L̂) of
    the last is left.
    """
    by, step = proof.by, Step(proof)
    (equation,) = algorithms.GRADIENT_DESCENT.recurrence
    move = (proof.define(*equation.args, "the algorithm"), *equation.args)
    met = in_the_middle(proof, (step.to_middle(v_t, 1), step.to_middle(v_next, -1)), step.unit)
    along = by.rewrite(
        met,
        ge(
            NOW - NEXT,
            alpha / 2 * (STEEP + ACROSS) + SHARE / 4 * TURNED - Lhat / 4 * alpha**2 * STEEP,
        ),
        move,
    )
    squares = proof.step(
        "squared",
        le(TURNED, Lhat**2 * InnerProduct(CHANGE, CHANGE)),
        step.turn,
        by.expansion(TURN),
        by.expansion(CHANGE),
    )
    less = by.rewrite(squares, le(TURNED, Lhat**2 * alpha**2 * STEEP), move)
    falls = proof.step(
        "a step falls",
        ge(
            NOW - NEXT,
            5 * alpha / 12 * EuclideanNorm(SLOPE) ** 2 + alpha / 4 * EuclideanNorm(SLOPE_NEXT) ** 2,
        ),
        along,
        less,
        step.long,
        step.unit,
        step.square,
        by.expansion(SLOPE),
        by.expansion(SLOPE_NEXT),
        meaning="The step is longer than $1/L̂$, and $3L̂α² = 4/L̂$.",
    )

    down = proof.step(
        "1/L̂ along the step",
        ge(
            NOW - f_star,
            -PART * InnerProduct(SLOPE, CHANGE) - Lhat / 2 * PART**2 * InnerProduct(CHANGE, CHANGE),
        ),
        above(proof, v_t + PART * CHANGE),
        step.down(),
        by.expansion(PART * CHANGE),
        step.three,
    )
    gap = proof.step(
        "the gap",
        ge(NOW - f_star, SHARE / 2 * EuclideanNorm(SLOPE) ** 2),
        by.rewrite(
            down,
            ge(NOW - f_star, PART * alpha * STEEP - Lhat / 2 * PART**2 * alpha**2 * STEEP),
            move,
        ),
        step.part,
        step.square,
        by.expansion(SLOPE),
    )
    left = kept(proof, by.expectation(falls), step.positive, 2 * alpha / 3, sp.Integer(0))
    last = last_gap(
        proof, left, by.expectation(gap), step.inverse, (T - 1) * 2 * alpha / 3 * MINIMUM_GRADIENT
    )

    # The divisor of the bound is four times what D is divided by.
    divisor = (T - 1) * (4 * alpha - Lhat**2 * alpha**3) + 2 / Lhat
    cubed = proof.step(
        "$3L̂²α³ = 4α$", eq(3 * Lhat**2 * alpha**3, 4 * alpha), step.square, step.unit
    )
    size = proof.step(
        "the divisor is positive",
        gt(divisor, 0),
        cubed,
        step.inverse,
        step.positive,
    )
    divided(proof, "the divisor", divisor, 4 * D, [size], last, cubed, label="divided")


def in_the_middle(proof: Proof, ends: tuple[Theorem, Theorem], unit: Theorem) -> Theorem:
    """F(v_t) - F(v_{t+1}), from what F is at most in the middle, from v_t on, and at least, from
    v_{t+1} on.
    """
    by, pull = proof.by, InnerProduct(SLOPE, CHANGE) + InnerProduct(SLOPE_NEXT, CHANGE)
    return proof.step(
        "in the middle",
        ge(NOW - NEXT, -pull / 2 + SHARE / 4 * TURNED - Lhat / 4 * InnerProduct(CHANGE, CHANGE)),
        *ends,
        by.expansion(MIDDLE - v_t),
        by.expansion(MIDDLE - v_next),
        unit,
        meaning=(
            "From $v_t$ on $F$ is not above its upper bound there, and from $v_(t+1)$ on not below"
            " its lower one."
        ),
    )


def last_gap(
    proof: Proof, left: Theorem, gap: Theorem, inverse: Theorem, fallen: sp.Expr
) -> Theorem:
    """`fallen` and 1/(2L̂) of min_t E‖∇F(v_t)‖² are at most D: F(v_1) - F(v_T) is left, and at T
    the gap of `gap`.
    """
    by = proof.by
    weighed = proof.step(
        "times 1/L̂", le(SHARE * MINIMUM_GRADIENT, SHARE * SQUARE), by.least(SQUARE), inverse
    )
    return proof.step(
        "the last gap is left",
        le(fallen + SHARE / 2 * MINIMUM_GRADIENT, D),
        *(by.at(line, T) for line in (left, gap, weighed)),
        meaning="$F(v_T)$ is as far above $f*$ as its gradient allows.",
    )
