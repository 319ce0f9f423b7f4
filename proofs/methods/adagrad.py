"""AdaGrad-norm: the descent lemma at a step that depends on the run, and a sum that telescopes."""

import sympy as sp

from boundcheck.exact.evaluate import t
from boundcheck.kernel import Theorem
from boundcheck.language.algorithms import ADAGRAD_NORM as ALGORITHM
from boundcheck.language.symbols import D, Lhat, T, bound, delta, delta_min, eta
from boundcheck.language.vocabulary import EuclideanNorm, i
from boundcheck.proof import Proof, eq, ge, gt, le, script

from ..jiang2024.descent import ANY_FUNCTION, NEXT, NOW, SLOPE, TOTAL
from ..jiang2024.setting import quantity
from .claims import ADAGRAD_NORM
from .descent import Run

P = EuclideanNorm(SLOPE) ** 2
BEFORE = sp.Sum(P.xreplace({t: i}), (i, 1, t - 1))
# b_{t-1}² and b_t².
PAST, GROWN = delta**2 + BEFORE, delta**2 + sp.Sum(P.xreplace({t: i}), (i, 1, t))
last, now = sp.sqrt(PAST), sp.sqrt(GROWN)
# What telescopes: b_{t-1} - δ²/b_{t-1}, which is 0 at t = 1.
POTENTIAL = last - delta**2 / last
FURTHER = now - delta**2 / now


@script(ADAGRAD_NORM, "sharp", ANY_FUNCTION)
def adagrad_norm(proof: Proof) -> None:
    """Each step lowers F by η/2 times what b_t - δ²/b_t grows by."""
    by, run = proof.by, Run(proof, ADAGRAD_NORM)
    start, step = proof.positive(delta, eta)
    square = proof.step("$‖∇F‖² ≥ 0$", ge(P, 0), by.nonnegative("F", SLOPE))
    before = proof.induct("$Σ_(s<t) ‖∇F‖² ≥ 0$", ge(BEFORE, 0), first=[], then=[square])
    past = proof.step("$b_(t-1)² > 0$", gt(PAST, 0), start, before)
    grown = proof.step("$b_t² > 0$", gt(GROWN, 0), start, before, square)
    roots = [(by.root(x), by.positive_root(x)) for x in (past, grown)]
    lowered = _lowered(proof, run, step, roots, before, square)
    gains = _gains(proof, roots, before, square)
    scaled = proof.step("times η/2", ge(eta / 2 * P / now, eta / 2 * (FURTHER - POTENTIAL)), step, gains)
    falls = proof.step("the potential", le(eta / 2 * (FURTHER - POTENTIAL), NOW - NEXT), lowered, scaled)
    first = proof.step(
        "0 at the start",
        eq(POTENTIAL.xreplace({t: sp.Integer(1)}), 0),
        by.quotient(by.positive_root(proof.step("$δ² > 0$", gt(delta**2, 0), start)))[0],
        by.root(proof.step("$δ² ≥ 0$", ge(delta**2, 0), start)),
        meaning="There b is δ.",
    )
    ends = [x.xreplace({t: T}) for x in (GROWN, now, FURTHER)]
    largest = proof.state("$b_T² > 0$", gt(ends[0], 0), by.at(grown, T))
    total = proof.step(
        "sum",
        le(eta / 2 * ends[2], D),
        by.sum(falls),
        by.telescope(POTENTIAL),
        by.telescope(NOW),
        first,
        run.above,
        proof.recall("$D = F(v_1) - f*$"),
        meaning="Both sides telescope.",
    )
    _conclusion(proof, run, total, (start, step, largest, *(by.at(x, T) for x in roots[1])), ends[1])


Roots = list[tuple[Theorem, Theorem]]


def _lowered(proof: Proof, run: Run, step: Theorem, roots: Roots, before: Theorem, square: Theorem) -> Theorem:
    """F(v_{t+1}) <= F(v_t) - η/2 ‖∇F‖²/b_t, since b_t >= δ >= ηL̂."""
    by, (equation, positive) = proof.by, roots[1]
    unit, inverse = by.quotient(positive)
    squares = proof.step("$δ² ≤ b_t²$", le(delta**2, GROWN), before, square)
    above = by.from_squares(squares, proof.step("$b_t ≥ 0$", ge(now, 0), positive), delta, equation)
    short = proof.step(
        "$L̂η ≤ b_t$",
        le(Lhat * eta, now),
        above,
        proof.assume(ADAGRAD_NORM.conditions[0]),
        proof.quantity(quantity(ADAGRAD_NORM, delta_min)),
    )
    size = proof.step("$η/b_t > 0$", gt(eta / now, 0), step, inverse)
    share = proof.step("$L̂η/b_t ≤ 1$", le(Lhat * eta / now, 1), short, inverse, unit)
    (recurrence,) = ALGORITHM.recurrence
    part = proof.step("$η‖∇F‖²/b_t ≥ 0$", ge(eta / now * P, 0), size, square)
    length = by.homogeneous(size, "F", SLOPE)
    move = EuclideanNorm(eta / now * SLOPE)
    return proof.step(
        "descent",
        le(NEXT, NOW - eta / 2 * P / now),
        run.moved(recurrence.rhs),
        by.expansion(SLOPE),
        proof.step("L̂ times the squared length", le(Lhat * move**2, eta / now * P), share, part, length),
        meaning="The step is at most 1/L̂.",
    )


def _gains(proof: Proof, roots: Roots, before: Theorem, square: Theorem) -> Theorem:
    """‖∇F‖²/b_t is at least what b - δ²/b grows by: b_{t-1}² >= δ², and ‖∇F‖² = b_t² - b_{t-1}²."""
    by = proof.by
    (old, was), (new, positive) = roots
    (unit_old, inverse_old), (unit, inverse) = by.quotient(was), by.quotient(positive)
    squares = proof.step("$b_(t-1)² ≤ b_t²$", le(PAST, GROWN), square)
    grows = by.from_squares(squares, proof.step("$b_t ≥ 0$", ge(now, 0), positive), last, old, new)
    part = proof.step("$(b_t - b_(t-1))/b_t ≥ 0$", ge((now - last) / now, 0), grows, inverse)
    falls = proof.step("1/b falls", ge(1 / last - 1 / now, 0), part, inverse_old, unit, unit_old)
    spare = proof.step("$(b_(t-1)² - δ²)(1/b_(t-1) - 1/b_t)$", ge(BEFORE * (1 / last - 1 / now), 0), before, falls)
    return proof.step(
        "what b grows by",
        ge(P / now, FURTHER - POTENTIAL),
        spare,
        proof.step("$b_(t-1)²/b_(t-1)$", eq(delta**2 / last + BEFORE / last, last), unit_old, old),
        proof.step("$b_t²/b_t$", eq(delta**2 / now + BEFORE / now + P / now, now), unit, new),
    )


def _conclusion(proof: Proof, run: Run, total: Theorem, signs: tuple[Theorem, ...], root: sp.Expr) -> None:
    """η²Σ‖∇F‖² <= 2D(ηδ + 2D)."""
    by = proof.by
    start, step, _, equation, positive = signs
    (gap,) = proof.positive(D)
    unit, _ = by.quotient(positive)
    squares = sp.Sum(P, (t, 1, T))
    most = proof.step("times $b_T$", le(eta * squares, 2 * D * root), positive, total, unit, equation, degree=2)
    whole = proof.step("$η(b_T + δ) > 0$", gt(root + delta, 0), positive, start)
    limit = proof.step(
        "$ηb_T ≤ ηδ + 2D$",
        le(eta * root, eta * delta + 2 * D),
        whole,
        most,
        equation,
        gap,
        start,
        factor=[0],
        meaning="A number whose square it nearly bounds.",
    )
    sums = proof.step(
        "$η²Σ‖∇F‖²$",
        le(eta**2 * squares, 2 * D * (eta * delta + 2 * D)),
        proof.step("times η", le(eta**2 * squares, 2 * D * eta * root), step, most),
        proof.step("times 2D", le(2 * D * eta * root, 2 * D * (eta * delta + 2 * D)), gap, limit),
    )
    units = [by.quotient(x)[0] for x in (run.long, step)]
    goal = proof.step(
        "$η²T$ times the bound",
        eq(eta**2 * T * bound, 2 * D * (eta * delta + 2 * D)),
        proof.quantity(quantity(ADAGRAD_NORM, bound)),
        units,
        degree=3,
    )
    mean = proof.step("in the mean", le(eta**2 * TOTAL, 2 * D * (eta * delta + 2 * D)), by.expectation(sums))
    squared = proof.step("$η² > 0$", gt(eta**2, 0), step)
    proof.conclude(
        proof.step("divided by $η²T$", ADAGRAD_NORM.conclusion, squared, run.long, mean, goal, units[0], factor=[0, 1])
    )
