"""Theorem 2 for the average over t, and a parabola on which its factor κ cannot be improved."""

import sympy as sp

from boundcheck.exact.evaluate import t
from boundcheck.kernel import Theorem
from boundcheck.language.symbols import Lhat, T, alpha, attained, bound, ell, kappa, q, zeta
from boundcheck.language.vocabulary import (
    EuclideanNorm,
    Expectation,
    F,
    Gradient,
    InnerProduct,
    MatrixExpectation,
    g_t,
    v,
    v_t,
)
from boundcheck.proof import Proof, eq, ge, gt, le, script

from ..meft.lora import CONDITIONALLY_UNBIASED
from ..meft.theorems import FULL_VARIANCE, PARABOLA, THEOREM_2_AVERAGE, THEOREM_2_AVERAGE_SHARP
from .descent import (
    ANY_FUNCTION,
    SLOPE,
    SQUARE,
    SQUARE_NEXT,
    TOTAL,
    gap_at_start,
    given_constant,
    sum_of_run,
    v_first,
    v_next,
    variance,
)
from .setting import defined
from .theorem_2 import StepSize, divided_by_step

SIZE = q * zeta**2
# By what share a step shrinks E‖∇F(v_t)‖² on the parabola, and what the noise leaves of it in the end.
SHRINKS, REST = q * (2 - q), SIZE / (2 - q)
FIRST = 2 * q**2 * zeta**2 * T
LAST = SQUARE.xreplace({t: T + 1})


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
        self.some = proof.step("$q > 0$", gt(q, 0), self.ratio, self.positive, self.signs)
        half = proof.step("$q ≤ 1/2$", le(q, sp.Rational(1, 2)), self.at_most_half(), self.ratio)
        self.room = proof.step("$2 - q > 0$", gt(2 - q, 0), half)
        share, _ = proof.by.quotient(proof.step("$1 - q/2 > 0$", gt(1 - q / 2, 0), half))
        self.factor = proof.step("κ(2 - q)", eq(kappa * (2 - q), 3), defined(proof, kappa), share)
        self.term = self.root_term()

    def conclude(self, most: Theorem) -> None:
        """The claim about the average, from a line about the sum."""
        unit, said = self.units[2], self.claim.conclusion
        self.proof.conclude(self.proof.step("divided by T", said, self.long, most, unit))


@script(THEOREM_2_AVERAGE, "sharp", ANY_FUNCTION)
def average(proof: Proof) -> None:
    """The sum over t, divided by αT."""
    it = Average(proof)
    total = divided_by_step(proof, it, sum_of_run(proof, it.signs[0], it.positive, it.weight))
    lines = defined(proof, bound), it.factor, it.term, it.ratio
    limit = proof.step("the bound, times 2 - q", eq((2 - q) * bound, 3 * SIZE), *lines)
    sums = proof.step("in q", le((2 - q) * TOTAL, 3 * T * SIZE), total, it.ratio, meaning="L̂α is q.")
    it.conclude(proof.step("Σ", le(TOTAL, T * bound), it.room, sums, limit, meaning="Divided by 2 - q."))


# By how much E‖∇F(v_t)‖² is above what the noise leaves of it.
ABOVE, ABOVE_NEXT, ABOVE_END = (sp.Max(0, x - REST) for x in (SQUARE, SQUARE_NEXT, LAST))


@script(THEOREM_2_AVERAGE_SHARP, "sharp", ANY_FUNCTION)
def average_sharp(proof: Proof) -> None:
    """E‖∇F(v_t)‖² has a recursion, whose sum is exact but for its last term, which is at most κS."""
    by, it = proof.by, Average(proof)
    shrinks = proof.step("$q(2 - q) > 0$", gt(SHRINKS, 0), it.some, it.room)
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
    growth = proof.step("$κ > 0$", gt(kappa, 0), it.room, it.factor)
    sums = proof.step(
        "Σ",
        ge(TOTAL, kappa * SIZE * T - kappa**2 * zeta**2 / 3),
        it.some,
        proof.step("times κ", eq(3 * q * TOTAL, kappa * (3 * q * SIZE * T - LAST)), total, it.factor),
        proof.step("κ times the last", le(kappa * LAST, kappa**2 * SIZE), growth, last),
        meaning="Divided by 3q.",
    )
    cleared = proof.step(
        "T times what is attained",
        eq(T * attained, kappa * SIZE * T - kappa**2 * zeta**2 / 3),
        defined(proof, attained),
        it.units[2],
        it.term,
        it.ratio,
    )
    it.conclude(proof.step("at least", ge(TOTAL, T * attained), sums, cleared))


def _on_parabola(proof: Proof, it: Average) -> tuple[Theorem, Theorem]:
    """E‖∇F(v_1)‖² = 2q²ζ²T, and E‖∇F(v_{t+1})‖² = (1 - q(2 - q)) E‖∇F(v_t)‖² + q²ζ²."""
    by = proof.by
    slope, value = proof.assume(PARABOLA, forall=[v])
    constant = proof.recall("Lhat")
    here, there = ((by.instance(slope, {v: x}), Gradient(F, x), ell * x) for x in (v_t, v_next))
    steep, steep_next = (
        proof.step(
            "its slope",
            eq(EuclideanNorm(Gradient(F, x)) ** 2, Lhat**2 * EuclideanNorm(x) ** 2),
            by.rewrite(
                by.expansion(Gradient(F, x)), eq(EuclideanNorm(Gradient(F, x)) ** 2, ell**2 * InnerProduct(x, x)), law
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
    right = (1 - 2 * alpha * ell) * InnerProduct(v_t, v_t) + alpha**2 * Expectation(InnerProduct(g_t, g_t), v_t)
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
        eq(SQUARE.xreplace({t: sp.Integer(1)}), FIRST),
        by.at(by.expectation(steep), sp.Integer(1)),
        by.expectation(by.instance(value, {v: v_first})),
        gap_at_start(proof),
        it.square,
        it.ratio,
        constant,
    )
    return begins, recursion


def _last(proof: Proof, it: Average, shrinks: Theorem, first: Theorem, recursion: Theorem) -> Theorem:
    """E‖∇F(v_{T+1})‖² <= κqζ², as t times what is above the rest stays below a bound."""
    by, size, factor = proof.by, q**2 * zeta**2, 1 + t * SHRINKS
    (noise,) = proof.positive(zeta)
    unit, inverse = by.quotient(it.room)
    rest = proof.step("q(2 - q) times the rest", eq((2 * q - q**2) * REST, size), unit)
    # A step leaves the share 1 - q(2 - q) of what is above the rest, at most.
    (none, more), left = by.below_maximum(ABOVE), (1 - SHRINKS) * ABOVE
    share = proof.step("$1 - q(2 - q) ≥ 0$", ge(1 - SHRINKS, 0), hints=[1 - q])
    kept = proof.step("what is left of it", le((1 - SHRINKS) * (SQUARE - REST), left), share, more)
    falls = by.maximum_below(
        left,
        proof.step("$0 ≤$", le(0, left), share, none),
        proof.step("the next", le(SQUARE_NEXT - REST, left), recursion, rest, kept),
    )
    long = proof.step("$tq(2 - q) > 0$", gt(t * SHRINKS, 0), shrinks)
    longer = proof.step("$1 + tq(2 - q) > 0$", gt(factor, 0), long)
    squared = proof.step("$(q(2 - q))² ≥ 0$", ge(SHRINKS**2, 0), hints=[SHRINKS])
    taken = proof.step("times $(q(2 - q))²$", ge(SHRINKS**2 * ABOVE, 0), none, squared)
    then = [
        proof.step("times 1 + tq(2 - q)", le(factor * ABOVE_NEXT, factor * (1 - SHRINKS) * ABOVE), falls, longer),
        proof.step("times t", ge(t * SHRINKS**2 * ABOVE, 0), by.time()[0], taken),
    ]
    start, positive = SQUARE.xreplace({t: sp.Integer(1)}), proof.step("$q²ζ² > 0$", gt(size, 0), it.some, noise)
    spare = proof.step("the rest $≥ 0$", ge(REST, 0), inverse, it.some, noise)
    begins = by.maximum_below(
        FIRST,
        proof.step("$0 ≤ 2q²ζ²T$", le(0, FIRST), positive, it.long),
        proof.step("at first", le(start - REST, FIRST), first, spare),
    )
    slow = proof.induct("falls as 1/t", le((1 + (t - 1) * SHRINKS) * ABOVE, FIRST), first=[begins], then=then)
    end = by.at(proof.step("one step later", le(factor * ABOVE_NEXT, FIRST), slow, then), T)
    beyond, more = by.below_maximum(ABOVE_END)
    short = proof.step("times T", le(T * SHRINKS * ABOVE_END, FIRST), end, beyond)
    above = proof.step("q(2 - q) times it", le(SHRINKS * ABOVE_END, 2 * size), it.long, short)
    later = proof.step("the last above it", le(SHRINKS * (LAST - REST), SHRINKS * ABOVE_END), shrinks, more)
    lacks = proof.step("what the sum lacks", le(SHRINKS * LAST, 3 * size), later, rest, above)
    return proof.step("the last", le(LAST, kappa * SIZE), it.some, it.room, lacks, it.factor)
