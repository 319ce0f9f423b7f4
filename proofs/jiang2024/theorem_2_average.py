"""Theorem 2 for the average over t, and a parabola on which its factor κ cannot be improved."""

from dataclasses import dataclass

import sympy as sp

from boundcheck.exact.evaluate import t
from boundcheck.kernel import Theorem
from boundcheck.language.claim import Claim
from boundcheck.language.symbols import Lhat, T, alpha, attained, bound, ell, kappa, q, zeta
from boundcheck.language.vocabulary import (
    EuclideanNorm,
    Expectation,
    F,
    Gradient,
    InnerProduct,
    MatrixExpectation,
    Value,
    f,
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
    along_run,
    descent,
    expected_descent,
    gap_at_start,
    summed,
    v_first,
    v_last,
    v_next,
    variance,
)
from .setting import quantity
from .theorem_2 import StepSize, divided_by_step
from .theorem_2_sharp import step_in_units

SIZE = q * zeta**2
# By what share a step shrinks E‖∇F(v_t)‖² on the parabola, and what the noise leaves of it in the end.
SHRINKS, REST = q * (2 - q), SIZE / (2 - q)
FIRST = 2 * q**2 * zeta**2 * T
LAST = SQUARE.xreplace({t: T + 1})


@dataclass(frozen=True)
class Known:
    """What both proofs know of the step.

    Attributes:
        step: the paper's step size.
        ratio, positive: q = L̂α, and q > 0.
        half: q <= 1/2.
        room: 2 - q > 0.
        factor: κ(2 - q) = 3.
        term: S = qζ².

    """

    step: StepSize
    ratio: Theorem
    positive: Theorem
    half: Theorem
    room: Theorem
    factor: Theorem
    term: Theorem


def known(proof: Proof, claim: Claim) -> Known:
    """The step, and κ and S without roots and quotients."""
    constant = proof.step("$L̂ > 0$", gt(Lhat, 0), proof.quantity(quantity(claim, Lhat)), proof.positive(ell))
    step = StepSize(proof, claim, constant)
    ratio = step_in_units(proof, step)
    positive = proof.step("$q > 0$", gt(q, 0), ratio, step.positive, step.signs)
    half = proof.step("$q ≤ 1/2$", le(q, sp.Rational(1, 2)), step.at_most_half(), ratio)
    room = proof.step("$2 - q > 0$", gt(2 - q, 0), half)
    share = proof.step("$1 - q/2 > 0$", gt(1 - q / 2, 0), half)
    factor = proof.step(
        "κ(2 - q)", eq(kappa * (2 - q), 3), proof.quantity(quantity(claim, kappa)), proof.by.quotient(share)[0]
    )
    return Known(step, ratio, positive, half, room, factor, step.root_term())


@script(THEOREM_2_AVERAGE, "sharp", ANY_FUNCTION)
def average(proof: Proof) -> None:
    """The sum over t, divided by αT."""
    it = known(proof, THEOREM_2_AVERAGE)
    law = proof.define(Value(F, v), Value(f, v), "$F(v) = f(v)$", forall=[v])
    lines = descent(proof, along_run(proof), law, v_last, it.step.positive)
    total = divided_by_step(proof, it.step, summed(proof, lines, expected_descent(proof, lines), it.step.weight))
    limit = proof.step(
        "the bound, times 2 - q",
        eq((2 - q) * bound, 3 * SIZE),
        proof.quantity(quantity(THEOREM_2_AVERAGE, bound)),
        it.factor,
        it.term,
        it.ratio,
    )
    sums = proof.step("in q", le((2 - q) * TOTAL, 3 * T * SIZE), total, it.ratio, meaning="L̂α is q.")
    most = proof.step("Σ", le(TOTAL, T * bound), it.room, sums, limit, meaning="Divided by 2 - q.")
    conclude(proof, it, THEOREM_2_AVERAGE, most)


def conclude(proof: Proof, it: Known, claim: Claim, most: Theorem) -> None:
    """The claim about the average, from a line about the sum."""
    unit = proof.by.quotient(it.step.long)[0]
    proof.conclude(proof.step("divided by T", claim.conclusion, it.step.long, most, unit))


# By how much E‖∇F(v_t)‖² is above what the noise leaves of it.
ABOVE, ABOVE_NEXT, ABOVE_END = (sp.Max(0, x - REST) for x in (SQUARE, SQUARE_NEXT, LAST))


@script(THEOREM_2_AVERAGE_SHARP, "sharp", ANY_FUNCTION)
def average_sharp(proof: Proof) -> None:
    """E‖∇F(v_t)‖² has a recursion, whose sum is exact but for its last term, which is at most κS."""
    by, it = proof.by, known(proof, THEOREM_2_AVERAGE_SHARP)
    shrinks = proof.step("$q(2 - q) > 0$", gt(SHRINKS, 0), it.positive, it.room)
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
        it.positive,
        proof.step("times κ", eq(3 * q * TOTAL, kappa * (3 * q * SIZE * T - LAST)), total, it.factor),
        proof.step("κ times the last", le(kappa * LAST, kappa**2 * SIZE), growth, last),
        meaning="Divided by 3q.",
    )
    limit = proof.quantity(THEOREM_2_AVERAGE_SHARP.quantities[-1])
    cleared = proof.step(
        "T times what is attained",
        eq(T * attained, kappa * SIZE * T - kappa**2 * zeta**2 / 3),
        limit,
        by.quotient(it.step.long)[0],
        it.term,
        it.ratio,
    )
    conclude(proof, it, THEOREM_2_AVERAGE_SHARP, proof.step("at least", ge(TOTAL, T * attained), sums, cleared))


def _on_parabola(proof: Proof, it: Known) -> tuple[Theorem, Theorem]:
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
    recursion = proof.step(
        "a step",
        eq(SQUARE_NEXT, (1 - SHRINKS) * SQUARE + q**2 * zeta**2),
        by.expectation(_moved(proof, here, steep)),
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
        it.step.square,
        it.ratio,
        constant,
    )
    return begins, recursion


def _moved(proof: Proof, here: tuple[Theorem, sp.MatrixExpr, sp.MatrixExpr], steep: Theorem) -> Theorem:
    """E[‖v_{t+1}‖² | v_t] = (1 - L̂α)²‖v_t‖² + α²ζ², from ∇F(v_t) = ℓv_t."""
    by, unbiased, update = proof.by, proof.assume(CONDITIONALLY_UNBIASED), v_t - alpha * g_t
    move = proof.define(v_next, update, "Algorithm 1: $v_(t+1) = v_t - αg_t$")
    mean = Expectation(EuclideanNorm(v_next) ** 2, v_t)
    opened = by.rewrite(
        by.expectation(by.expansion(update), t),
        eq(
            mean,
            (1 - 2 * alpha * ell) * InnerProduct(v_t, v_t) + alpha**2 * Expectation(InnerProduct(g_t, g_t), v_t),
        ),
        (move, v_next, update),
        (unbiased, MatrixExpectation(g_t, v_t), SLOPE),
        here,
    )
    return proof.step(
        "given the past",
        eq(mean, (1 - Lhat * alpha) ** 2 * EuclideanNorm(v_t) ** 2 + alpha**2 * zeta**2),
        opened,
        by.expansion(v_t),
        by.expectation(by.expansion(g_t), t),
        variance(proof, unbiased),
        proof.assume(FULL_VARIANCE),
        steep,
        proof.recall("Lhat"),
    )


def _last(proof: Proof, it: Known, shrinks: Theorem, first: Theorem, recursion: Theorem) -> Theorem:
    """E‖∇F(v_{T+1})‖² <= κqζ², as t times what is above the rest stays below a bound."""
    by, size, factor = proof.by, q**2 * zeta**2, 1 + t * SHRINKS
    (noise,) = proof.positive(zeta)
    unit, inverse = by.quotient(it.room)
    rest = proof.step("q(2 - q) times the rest", eq((2 * q - q**2) * REST, size), unit)
    none = by.below_maximum(ABOVE)[0]
    falls = _falls(proof, rest, recursion)
    begun, _ = by.time()
    long = proof.step("$tq(2 - q) > 0$", gt(t * SHRINKS, 0), shrinks)
    longer = proof.step("$1 + tq(2 - q) > 0$", gt(factor, 0), long)
    squared = proof.step("$(q(2 - q))² ≥ 0$", ge(SHRINKS**2, 0), hints=[SHRINKS])
    taken = proof.step("times $(q(2 - q))²$", ge(SHRINKS**2 * ABOVE, 0), none, squared)
    then = [
        proof.step("times 1 + tq(2 - q)", le(factor * ABOVE_NEXT, factor * (1 - SHRINKS) * ABOVE), falls, longer),
        proof.step("times t", ge(t * SHRINKS**2 * ABOVE, 0), begun, taken),
    ]
    start, positive = SQUARE.xreplace({t: sp.Integer(1)}), proof.step("$q²ζ² > 0$", gt(size, 0), it.positive, noise)
    left = proof.step("the rest $≥ 0$", ge(REST, 0), inverse, it.positive, noise)
    begins = by.maximum_below(
        FIRST,
        proof.step("$0 ≤ 2q²ζ²T$", le(0, FIRST), positive, it.step.long),
        proof.step("at first", le(start - REST, FIRST), first, left),
    )
    slow = proof.induct("falls as 1/t", le((1 + (t - 1) * SHRINKS) * ABOVE, FIRST), first=[begins], then=then)
    end = by.at(proof.step("one step later", le(factor * ABOVE_NEXT, FIRST), slow, then), T)
    beyond, more = by.below_maximum(ABOVE_END)
    short = proof.step("times T", le(T * SHRINKS * ABOVE_END, FIRST), end, beyond)
    above = proof.step("q(2 - q) times it", le(SHRINKS * ABOVE_END, 2 * size), it.step.long, short)
    later = proof.step("the last above it", le(SHRINKS * (LAST - REST), SHRINKS * ABOVE_END), shrinks, more)
    lacks = proof.step("what the sum lacks", le(SHRINKS * LAST, 3 * size), later, rest, above)
    return proof.step("the last", le(LAST, kappa * SIZE), it.positive, it.room, lacks, it.factor)


def _falls(proof: Proof, rest: Theorem, recursion: Theorem) -> Theorem:
    """A step leaves the share 1 - q(2 - q) of what is above the rest, at most."""
    by = proof.by
    none, more = by.below_maximum(ABOVE)
    share = proof.step("$1 - q(2 - q) ≥ 0$", ge(1 - SHRINKS, 0), hints=[1 - q])
    kept = proof.step("what is left of it", le((1 - SHRINKS) * (SQUARE - REST), (1 - SHRINKS) * ABOVE), share, more)
    return by.maximum_below(
        (1 - SHRINKS) * ABOVE,
        proof.step("$0 ≤$", le(0, (1 - SHRINKS) * ABOVE), share, none),
        proof.step("the next", le(SQUARE_NEXT - REST, (1 - SHRINKS) * ABOVE), recursion, rest, kept),
    )
