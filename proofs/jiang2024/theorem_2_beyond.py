"""Theorem 2 where F is smooth on all of space, and for the average over t, with a parabola on which
that is sharp.

Where F is smooth on all of space, a step counts the slopes at both of its ends. What the noise of a
step takes from the slope after it is bounded, because the slope differs little from that where the
step would have led without noise.
"""

import sympy as sp

from boundcheck.exact.evaluate import at_time, t
from boundcheck.kernel import Theorem
from boundcheck.language.symbols import Lhat, T, alpha, attained, bound, ell, f_star, kappa, q, zeta
from boundcheck.language.vocabulary import (
    MINIMUM_GRADIENT,
    EuclideanNorm,
    Expectation,
    F,
    Gradient,
    InnerProduct,
    MatrixExpectation,
    g_t,
    v,
    v1,
    v2,
    v_first,
    v_next,
    v_t,
)
from boundcheck.proof import Proof, eq, ge, gt, le, script

from ..classics.exact_rate import (
    ACROSS,
    MIDDLE,
    SHARE,
    SLOPE_NEXT,
    STEEP,
    STEEP_NEXT,
    TURNED,
    in_the_middle,
    last_gap,
)
from ..meft.lora import CONDITIONALLY_UNBIASED
from ..meft.theorems import (
    FULL_VARIANCE,
    PARABOLA,
    THEOREM_2_AVERAGE,
    THEOREM_2_AVERAGE_SHARP,
    THEOREM_2_EVERYWHERE,
)
from ..methods.convex import Everywhere
from .descent import (
    NEXT,
    NOW,
    SLOPE,
    SQUARE,
    SQUARE_NEXT,
    TOTAL,
    above,
    gap_at_start,
    given_constant,
    kept,
    noise,
    sum_of_run,
    variance,
)
from .setting import above_0, at_least_0, defined, theta
from .theorem_2 import StepSize, divided_by_step

# The step size in units of 1/L̂, what a step takes from F, and what its noise gives back.
Q = Lhat * alpha
RATE, COST = alpha * (1 - Q / 4), Lhat * alpha**2 / 4 * (2 + Q) * zeta**2
# The bound, and its difference from the least squared gradient, times 4 - q.
SIZE = Lhat * alpha * zeta**2
EXCESS = (4 - Q) * MINIMUM_GRADIENT - (6 + Q) * SIZE
NOISE = g_t - SLOPE
# Where the step would lead without noise.
QUIET = v_t - alpha * SLOPE
SLOPE_QUIET = Gradient(F, QUIET)
LENGTH, PULL, PULL_NEXT = (InnerProduct(x, g_t) for x in (g_t, SLOPE, SLOPE_NEXT))
QUIET_PULL, QUIET_STEEP = (InnerProduct(SLOPE_QUIET, x) for x in (g_t, SLOPE))
LOUD = LENGTH - 2 * PULL + STEEP


class Step(Everywhere):
    """What is known of the step α, and of F, which is smooth on all of space.

    Attributes:
        size: the step α.
        half: L̂α <= 1/2.
        unit, inverse: L̂ times 1/L̂ is 1, and 1/L̂ > 0.
        move: v_{t+1} = v_t - αg_t, as `by.rewrite` takes it.

    """

    def __init__(self, proof: Proof):
        super().__init__(proof)
        self.size = StepSize(proof, self.constant)
        self.half = self.size.at_most_half()
        self.unit, self.inverse = proof.by.quotient(self.constant)
        update = v_t - alpha * g_t
        self.move = (
            proof.define(v_next, update, "Algorithm 1: $v_(t+1) = v_t - αg_t$"),
            v_next,
            update,
        )

    def met(self) -> Theorem:
        """F(v_t) - F(v_{t+1}) is at least what the slopes at both ends say."""
        by, ends = (
            self.proof.by,
            (
                self.above(v_t, MIDDLE - v_t),
                self.above(v_next, MIDDLE - v_next, -1),
            ),
        )
        pulled = alpha / 2 * (PULL + PULL_NEXT) + SHARE / 4 * TURNED - Lhat / 4 * alpha**2 * LENGTH
        return by.rewrite(
            in_the_middle(self.proof, ends, self.unit), ge(NOW - NEXT, pulled), self.move
        )

    def square(self) -> Theorem:
        """(1 - L̂α)/(4L̂) times ‖∇F(v_{t+1}) - ∇F(v_t) + L̂α(g_t - ∇F(v_t))‖² >= 0."""
        by, proof, x = self.proof.by, self.proof, SLOPE_NEXT - SLOPE + Q * NOISE
        turn = PULL_NEXT - ACROSS - PULL + STEEP
        square = proof.step("a square", ge(TURNED + 2 * Q * turn + Q**2 * LOUD, 0), by.expansion(x))
        weight = at_least_0(proof, "(1 - L̂α)/L̂", (1 - Q) * SHARE, self.half, self.inverse)
        return proof.step(
            "times (1 - L̂α)/L̂",
            ge((1 - Q) * SHARE * (TURNED + 2 * Q * turn + Q**2 * LOUD), 0),
            square,
            weight,
        )

    def against(self) -> Theorem:
        """L̂α² times ⟨∇F(v_{t+1}) - ∇F(v_t - α∇F(v_t)), g_t - ∇F(v_t)⟩ >= -L̂α‖g_t - ∇F(v_t)‖²."""
        by, proof, turn = self.proof.by, self.proof, SLOPE_QUIET - SLOPE_NEXT
        law = proof.step(
            "from where it would lead",
            le(EuclideanNorm(turn), Lhat * EuclideanNorm(v_next - QUIET)),
            by.instance(self.law, {v1: QUIET, v2: v_next}),
            proof.recall("Lhat"),
        )
        near = proof.step(
            "no further than the noise",
            le(EuclideanNorm(turn), Q * EuclideanNorm(NOISE)),
            by.rewrite(
                law, le(EuclideanNorm(turn), Lhat * EuclideanNorm(alpha * NOISE)), self.move
            ),
            by.homogeneous(self.size.positive, "F", NOISE),
        )
        agree = proof.step(
            "the noise and the slope after it",
            ge(PULL_NEXT - ACROSS - QUIET_PULL + QUIET_STEEP + Q * LOUD, 0),
            by.cauchy_schwarz(turn, NOISE),
            proof.step(
                "times the noise",
                le(EuclideanNorm(turn) * EuclideanNorm(NOISE), Q * EuclideanNorm(NOISE) ** 2),
                near,
            ),
            by.expansion(NOISE),
            meaning=(
                "The slope after the step differs from that without noise by L̂α times the noise at"
                " most."
            ),
        )
        goal = ge(Lhat * alpha**2 * (PULL_NEXT - ACROSS - QUIET_PULL + QUIET_STEEP + Q * LOUD), 0)
        return proof.step("times $L̂α²$", goal, agree, self.size.weight)

    def gap(self) -> Theorem:
        """F(v_t) - f* >= ‖∇F(v_t)‖²/(2L̂)."""
        by, proof, inside = self.proof.by, self.proof, v_t - SHARE * SLOPE
        lowest = above(proof, inside)
        return proof.step(
            "the gap",
            ge(NOW - f_star, SHARE / 2 * EuclideanNorm(SLOPE) ** 2),
            self.above(v_t, -SHARE * SLOPE),
            lowest,
            by.homogeneous(self.inverse, "F", SLOPE),
            by.expansion(SLOPE),
            self.unit,
        )


@script(THEOREM_2_EVERYWHERE, "sharp", fresh=[theta])
def everywhere(proof: Proof) -> None:
    """Each step lowers F by a part of both squared gradients, and 1/(2L̂) of the last is left."""
    by, step = proof.by, Step(proof)
    kept_next, lost = alpha / 4 * STEEP_NEXT, alpha * (2 * Q + Q**2) / 4
    path = proof.step(
        "a step falls",
        ge(
            NOW - NEXT,
            kept_next
            + alpha * (Q - 1 - Q**2) / 4 * STEEP
            + alpha * (1 + Q**2 / 2) * PULL
            - lost * LENGTH
            + alpha * Q / 2 * (QUIET_PULL - QUIET_STEEP),
        ),
        step.met(),
        step.square(),
        step.against(),
        step.unit,
        meaning="What the slopes at both ends say, less the two squares that the noise is in.",
    )
    unbiased, fall = proof.assume(CONDITIONALLY_UNBIASED), NOW - Expectation(NEXT, v_t)
    less = alpha * (3 + Q + Q**2) / 4 * STEEP - lost * Expectation(LENGTH, v_t)
    given = proof.step(
        "given the past",
        ge(
            fall,
            alpha / 4 * Expectation(EuclideanNorm(SLOPE_NEXT) ** 2, v_t)
            + (RATE - alpha / 4) * EuclideanNorm(SLOPE) ** 2
            - lost * Expectation(EuclideanNorm(NOISE) ** 2, v_t),
        ),
        by.rewrite(
            by.expectation(path, t),
            ge(fall, alpha / 4 * Expectation(STEEP_NEXT, v_t) + less),
            (unbiased, MatrixExpectation(g_t, v_t), SLOPE),
        ),
        by.expectation(by.expansion(SLOPE_NEXT), t),
        by.expectation(by.expansion(g_t), t),
        by.expansion(SLOPE),
        variance(proof, unbiased),
        meaning="The variance of the noise put in.",
    )
    times = proof.step(
        "what the noise is multiplied by", ge(lost, 0), step.size.positive, step.constant
    )
    falls = proof.step(
        "expected fall",
        ge(
            Expectation(NOW) - Expectation(NEXT),
            (RATE - alpha / 4) * SQUARE + alpha / 4 * SQUARE_NEXT - COST,
        ),
        by.expectation(given),
        proof.step(
            "the noise",
            le(lost * Expectation(EuclideanNorm(NOISE) ** 2), lost * zeta**2),
            noise(proof),
            times,
        ),
        meaning="Expectations, the tower rule, and Assumption 4.",
    )
    left = kept(proof, falls, [step.size.positive, step.half], RATE, COST)
    fallen = (T - 1) * (RATE * MINIMUM_GRADIENT - COST)
    last = last_gap(proof, left, by.expectation(step.gap()), step.inverse, fallen)

    # κS, from (4 - q) min_t E‖∇F(v_t)‖² <= (6 + q)L̂αζ².
    room = above_0(proof, "4 - L̂α", 4 - Q, step.half)
    least, units = _no_excess(proof, step, last, room), step.size.in_units()
    smaller = above_0(proof, "4 - q", 4 - q, room, units)
    factor = proof.step(
        "κ(4 - q)", eq(kappa * (4 - q), 6 + q), defined(proof, kappa), by.quotient(smaller)[0]
    )
    limit = defined(proof, bound)
    value = proof.step("bound", eq(bound, kappa * SIZE), limit, step.size.root_term())
    below = proof.step("in q", le((4 - q) * MINIMUM_GRADIENT, (6 + q) * SIZE), least, units)
    most = proof.step("the bound, times 4 - q", eq((4 - q) * bound, (6 + q) * SIZE), factor, value)
    proof.conclude(
        proof.step("κS", proof.claim.conclusion, smaller, below, most, meaning="Divided by 4 - q.")
    )


def _no_excess(proof: Proof, step: Step, last: Theorem, room: Theorem) -> Theorem:
    """(4 - L̂α) min_t E‖∇F(v_t)‖² <= (6 + L̂α)L̂αζ², as a positive number of times the difference
    is at most 0.
    """
    size, taken = (
        step.size,
        (T - 1) * Q / 4 * ((4 - Q) * MINIMUM_GRADIENT - (2 + Q) * SIZE) + MINIMUM_GRADIENT / 2,
    )
    scaled = proof.step(
        "times L̂",
        le(taken - Q * SIZE * T, 0),
        step.constant,
        last,
        size.square,
        step.unit,
        meaning="D is $L̂α²ζ²T$.",
    )
    short = above_0(proof, "L̂α", Q, size.positive, step.constant)
    many = at_least_0(
        proof,
        "(T - 1)L̂α",
        (T - 1) * Q,
        proof.step("$T ≥ 1$", ge(T - 1, 0), proof.positive(T)),
        short,
    )
    times = (T - 1) * Q / 2 * (4 - Q) + 1
    cleared = proof.step(
        "times 4 - L̂α",
        le(times * EXCESS, 0),
        proof.step("scaled by it", le((4 - Q) * (taken - Q * SIZE * T), 0), room, scaled),
        proof.step(
            "times $L̂αζ²$",
            ge(SIZE * (2 - Q) * (3 - 2 * Q), 0),
            at_least_0(proof, "L̂αζ²", SIZE, short),
            at_least_0(proof, "(2 - L̂α)(3 - 2L̂α)", (2 - Q) * (3 - 2 * Q), step.half),
        ),
    )
    often = proof.step(
        "how often", gt(times, 0), proof.step("times", ge((T - 1) * Q * (4 - Q), 0), many, room)
    )
    return proof.step("least", le(EXCESS, 0), often, cleared)


TERM = q * zeta**2
# By what share a step shrinks E‖∇F(v_t)‖² on the parabola, and what the noise leaves of it in the
# end.
SHRINKS, REST = q * (2 - q), TERM / (2 - q)
FIRST = 2 * q**2 * zeta**2 * T
LAST = at_time(SQUARE, T + 1)


class Average(StepSize):
    """What both proofs know of the step, in units of 1/L̂; κ and S are without roots and quotients.

    Attributes:
        ratio, some, room: q = L̂α, q > 0 and 2 - q > 0.
        factor: κ(2 - q) = 3.
        term: S = qζ².

    """

    def __init__(self, proof: Proof):
        super().__init__(proof, given_constant(proof))
        self.ratio = self.in_units()
        self.some = above_0(proof, "q", q, self.ratio, self.positive, self.signs)
        half = proof.step("$q ≤ 1/2$", le(q, sp.Rational(1, 2)), self.at_most_half(), self.ratio)
        self.room = above_0(proof, "2 - q", 2 - q, half)
        share, _ = proof.by.quotient(above_0(proof, "1 - q/2", 1 - q / 2, half))
        self.factor = proof.step("κ(2 - q)", eq(kappa * (2 - q), 3), defined(proof, kappa), share)
        self.term = self.root_term()

    def conclude(self, most: Theorem) -> None:
        """The claim about the average, from a line about the sum."""
        unit, said = self.units[2], self.claim.conclusion
        self.proof.conclude(self.proof.step("divided by T", said, self.long, most, unit))


@script(THEOREM_2_AVERAGE, "sharp", fresh=[theta])
def average(proof: Proof) -> None:
    """The sum over t, divided by αT."""
    it = Average(proof)
    total = divided_by_step(proof, it, sum_of_run(proof, it.signs[0], it.positive, it.weight))
    lines = defined(proof, bound), it.factor, it.term, it.ratio
    limit = proof.step("the bound, times 2 - q", eq((2 - q) * bound, 3 * TERM), *lines)
    sums = proof.step(
        "in q", le((2 - q) * TOTAL, 3 * T * TERM), total, it.ratio, meaning="L̂α is q."
    )
    it.conclude(
        proof.step("Σ", le(TOTAL, T * bound), it.room, sums, limit, meaning="Divided by 2 - q.")
    )


# By how much E‖∇F(v_t)‖² is above what the noise leaves of it.
ABOVE, ABOVE_NEXT, ABOVE_END = (sp.Max(0, x - REST) for x in (SQUARE, SQUARE_NEXT, LAST))


@script(THEOREM_2_AVERAGE_SHARP, "sharp", fresh=[theta])
def average_sharp(proof: Proof) -> None:
    """E‖∇F(v_t)‖² has a recursion, whose sum is exact but for its last term, which is at most
    κS.
    """
    by, it = proof.by, Average(proof)
    shrinks = above_0(proof, "q(2 - q)", SHRINKS, it.some, it.room)
    first, recursion = _on_parabola(proof, it)
    last = _last(proof, it, shrinks, first, recursion)
    total = proof.step(
        "sum",
        eq(SHRINKS * TOTAL, 3 * q**2 * zeta**2 * T - LAST),
        by.sum(recursion),
        by.telescope(SQUARE),
        first,
        meaning="Summed over t, all but the first and the last cancel.",
    )
    growth = above_0(proof, "κ", kappa, it.room, it.factor)
    sums = proof.step(
        "Σ",
        ge(TOTAL, kappa * TERM * T - kappa**2 * zeta**2 / 3),
        it.some,
        proof.step(
            "times κ", eq(3 * q * TOTAL, kappa * (3 * q * TERM * T - LAST)), total, it.factor
        ),
        proof.step("κ times the last", le(kappa * LAST, kappa**2 * TERM), growth, last),
        meaning="Divided by 3q.",
    )
    cleared = proof.step(
        "T times what is attained",
        eq(T * attained, kappa * TERM * T - kappa**2 * zeta**2 / 3),
        defined(proof, attained),
        it.units[2],
        it.term,
        it.ratio,
    )
    it.conclude(proof.step("at least", ge(TOTAL, T * attained), sums, cleared))


def _on_parabola(proof: Proof, it: Average) -> tuple[Theorem, Theorem]:
    """E‖∇F(v_1)‖² = 2q²ζ²T, and E‖∇F(v_{t+1})‖² = (1 - q(2 - q)) E‖∇F(v_t)‖² + q²ζ²."""
    by = proof.by
    slope, value = proof.given(PARABOLA)
    constant = proof.recall("Lhat")
    here, there = ((by.instance(slope, {v: x}), Gradient(F, x), ell * x) for x in (v_t, v_next))
    steep, steep_next = (
        proof.step(
            "its slope",
            eq(EuclideanNorm(Gradient(F, x)) ** 2, Lhat**2 * EuclideanNorm(x) ** 2),
            by.rewrite(
                by.expansion(Gradient(F, x)),
                eq(EuclideanNorm(Gradient(F, x)) ** 2, ell**2 * InnerProduct(x, x)),
                law,
            ),
            by.expansion(x),
            constant,
        )
        for x, law in ((v_t, here), (v_next, there))
    )
    # ‖v_{t+1}‖² given the past, from ∇F(v_t) = ℓv_t.
    unbiased, update = proof.assume(CONDITIONALLY_UNBIASED), v_t - alpha * g_t
    move = proof.define(v_next, update, "Algorithm 1: $v_(t+1) = v_t - αg_t$")
    mean = Expectation(EuclideanNorm(v_next) ** 2, v_t)
    right = (1 - 2 * alpha * ell) * InnerProduct(v_t, v_t) + alpha**2 * Expectation(
        InnerProduct(g_t, g_t), v_t
    )
    opened = by.rewrite(
        by.expectation(by.expansion(update), t),
        eq(mean, right),
        (move, v_next, update),
        (unbiased, MatrixExpectation(g_t, v_t), SLOPE),
        here,
    )
    moved = proof.step(
        "given the past",
        eq(mean, (1 - Lhat * alpha) ** 2 * EuclideanNorm(v_t) ** 2 + alpha**2 * zeta**2),
        opened,
        by.expansion(v_t),
        by.expectation(by.expansion(g_t), t),
        variance(proof, unbiased),
        proof.assume(FULL_VARIANCE),
        steep,
        constant,
    )
    recursion = proof.step(
        "a step",
        eq(SQUARE_NEXT, (1 - SHRINKS) * SQUARE + q**2 * zeta**2),
        by.expectation(moved),
        by.expectation(steep),
        by.expectation(steep_next),
        it.ratio,
    )
    begins = proof.step(
        "the start",
        eq(at_time(SQUARE, 1), FIRST),
        by.at(by.expectation(steep), sp.Integer(1)),
        by.expectation(by.instance(value, {v: v_first})),
        gap_at_start(proof),
        it.square,
        it.ratio,
        constant,
    )
    return begins, recursion


def _last(
    proof: Proof, it: Average, shrinks: Theorem, first: Theorem, recursion: Theorem
) -> Theorem:
    """E‖∇F(v_{T+1})‖² <= κqζ², as t times what is above the rest stays below a bound."""
    by, size, factor = proof.by, q**2 * zeta**2, 1 + t * SHRINKS
    (noise,) = proof.positive(zeta)
    unit, inverse = by.quotient(it.room)
    rest = proof.step("q(2 - q) times the rest", eq((2 * q - q**2) * REST, size), unit)
    # A step leaves the share 1 - q(2 - q) of what is above the rest, at most.
    (none, more), left = by.below_maximum(ABOVE), (1 - SHRINKS) * ABOVE
    share = at_least_0(proof, "1 - q(2 - q)", 1 - SHRINKS)
    kept = proof.step("what is left of it", le((1 - SHRINKS) * (SQUARE - REST), left), share, more)
    falls = by.maximum_below(
        left,
        proof.step("$0 ≤$", le(0, left), share, none),
        proof.step("the next", le(SQUARE_NEXT - REST, left), recursion, rest, kept),
    )
    long = above_0(proof, "tq(2 - q)", t * SHRINKS, shrinks)
    longer = above_0(proof, "1 + tq(2 - q)", factor, long)
    squared = at_least_0(proof, "(q(2 - q))²", SHRINKS**2)
    taken = proof.step("times $(q(2 - q))²$", ge(SHRINKS**2 * ABOVE, 0), none, squared)
    then = [
        proof.step(
            "times 1 + tq(2 - q)",
            le(factor * ABOVE_NEXT, factor * (1 - SHRINKS) * ABOVE),
            falls,
            longer,
        ),
        proof.step("times t", ge(t * SHRINKS**2 * ABOVE, 0), by.time()[0], taken),
    ]
    start, positive = (
        at_time(SQUARE, 1),
        above_0(proof, "q²ζ²", size, it.some, noise),
    )
    spare = proof.step("the rest $≥ 0$", ge(REST, 0), inverse, it.some, noise)
    begins = by.maximum_below(
        FIRST,
        proof.step("$0 ≤ 2q²ζ²T$", le(0, FIRST), positive, it.long),
        proof.step("at first", le(start - REST, FIRST), first, spare),
    )
    slow = proof.induct(
        "falls as 1/t", le((1 + (t - 1) * SHRINKS) * ABOVE, FIRST), first=[begins], then=then
    )
    end = by.at(proof.step("one step later", le(factor * ABOVE_NEXT, FIRST), slow, then), T)
    beyond, more = by.below_maximum(ABOVE_END)
    short = proof.step("times T", le(T * SHRINKS * ABOVE_END, FIRST), end, beyond)
    above = proof.step("q(2 - q) times it", le(SHRINKS * ABOVE_END, 2 * size), it.long, short)
    later = proof.step(
        "the last above it", le(SHRINKS * (LAST - REST), SHRINKS * ABOVE_END), shrinks, more
    )
    lacks = proof.step("what the sum lacks", le(SHRINKS * LAST, 3 * size), later, rest, above)
    return proof.step("the last", le(LAST, kappa * TERM), it.some, it.room, lacks, it.factor)
