"""Without noise: gradient descent, heavy ball, and AdaGrad-norm, whose step depends on the run.

The descent lemma is taken along the run, and summed.
"""

import sympy as sp
from sympy.matrices.expressions.matexpr import MatrixExpr

from boundcheck.exact.evaluate import at_time, t
from boundcheck.kernel import Theorem
from boundcheck.language import algorithms
from boundcheck.language.symbols import D, Lhat, T, alpha, beta, delta, delta_min, eta, eta_max
from boundcheck.language.vocabulary import (
    MINIMUM_GRADIENT,
    EuclideanNorm,
    Expectation,
    InnerProduct,
    Iterate,
    i,
    n,
    v_last,
    v_next,
    v_t,
)
from boundcheck.proof import Proof, eq, ge, gt, le, script

from ..classics.claims import GRADIENT_DESCENT
from ..jiang2024.descent import (
    NEXT,
    NOW,
    SLOPE,
    SQUARE,
    TOTAL,
    above,
    along_run,
    gap_at_start,
    given_constant,
    on_segment,
)
from ..jiang2024.setting import (
    above_0,
    at_least_0,
    defined,
    divided,
    horizon_above_0,
    step_above_0,
    theta,
)
from .claims import ADAGRAD_NORM, HEAVY_BALL, HEAVY_BALL_SHORT_STEP

# The iterate before v_t.
u_t = Iterate("u", t, n, 1)
u_next = at_time(u_t, t + 1)
FIRST, AFTER = {t: sp.Integer(1)}, {t: T + 1}
# The steps before and after v_t, and what the heavy ball makes of the second.
BEFORE_IT, MOVED = v_t - u_t, v_t - alpha * SLOPE + beta * (v_t - u_t)
PAST_STEP, NEXT_STEP = (EuclideanNorm(x) ** 2 for x in (BEFORE_IT, v_next - u_next))


class Run:
    """What the proofs begin and end with.

    Attributes:
        constant: L̂ > 0.
        line: F(v_{t+1}) <= F(v_t) + ⟨∇F(v_t), v_{t+1} - v_t⟩ + L̂/2 ‖v_{t+1} - v_t‖².
        start: D = E F(v_1) - f*.
        above, end: F(v_{T+1}) >= f*, and the expectations of both sides.
        long: T > 0.

    """

    def __init__(self, proof: Proof):
        self.proof, self.constant = proof, given_constant(proof)
        self.line = on_segment(proof, along_run(proof))
        self.start, self.above = gap_at_start(proof), above(proof, v_last)
        self.end, self.long = proof.by.expectation(self.above), horizon_above_0(proof)

    def moved(self, update: MatrixExpr) -> Theorem:
        """The line with v_{t+1} = `update` put in, which is defined so."""
        equation = self.proof.define(v_next, update, "the algorithm")
        change = update - v_t
        goal = le(NEXT - NOW - InnerProduct(SLOPE, change), Lhat / 2 * EuclideanNorm(change) ** 2)
        return self.proof.state(
            "update", goal, self.proof.by.rewrite(self.line, goal, (equation, v_next, update))
        )


@script(GRADIENT_DESCENT, "sharp", fresh=[theta])
def gradient_descent(proof: Proof) -> None:
    """A step of 1/L̂ lowers F by ‖∇F‖²/(2L̂)."""
    by, run = proof.by, Run(proof)
    size = defined(proof, alpha)
    unit, inverse = by.quotient(run.constant)
    positive = step_above_0(proof, size, inverse)
    exact = proof.step("$L̂α = 1$", eq(Lhat * alpha, 1), size, unit)
    lowered = proof.step(
        "descent",
        le(NEXT, NOW - alpha / 2 * EuclideanNorm(SLOPE) ** 2),
        run.moved(v_t - alpha * SLOPE),
        by.homogeneous(positive, "F", SLOPE),
        by.expansion(SLOPE),
        exact,
    )
    total = proof.step(
        "sum",
        le(alpha / 2 * TOTAL, D),
        by.sum(by.expectation(lowered)),
        by.telescope(Expectation(NOW)),
        run.start,
        run.end,
        meaning="Summed over t, the values of F telescope.",
    )
    lines = by.minimum(SQUARE), total, run.constant, exact
    divided(proof, "T", T, 2 * Lhat * D, [run.long], *lines, label="divided by T")


@script(HEAVY_BALL, "sharp", fresh=[theta])
def heavy_ball(proof: Proof) -> None:
    """The squared lengths of the steps Δ_t = v_t - u_t add up to a multiple of D, and bound the
    gradients.
    """
    by, run = proof.by, Run(proof)
    longest, size = (defined(proof, x) for x in (eta_max, alpha))
    momentum, step = proof.positive(beta, eta)
    positive = step_above_0(proof, size, step)
    below = proof.assume(proof.claim.conditions[1])
    unit, _ = by.quotient(run.constant)
    share = 1 - beta - Lhat * alpha / 2
    room = above_0(
        proof,
        "1 - β - L̂α/2",
        share,
        longest,
        unit,
        size,
        run.constant,
        below,
    )
    equation = proof.define(v_next, MOVED, "$v_(t+1) = v_t - α∇F(v_t) + β(v_t - u_t)$")
    lowered, steep = _energy(proof, run, (equation, v_next, MOVED), momentum, positive)
    past, move = PAST_STEP, NEXT_STEP
    energy = le(alpha * (NEXT - NOW) + beta / 2 * (move - past) + share * move, 0)
    slope = le(alpha**2 * EuclideanNorm(SLOPE) ** 2, (1 + beta) * (beta * past + move))
    (falls, bounds), begin, end = _from_rest(proof, {energy: lowered, slope: steep})
    moves = sp.Sum(Expectation(move), (t, 1, T))
    lengths = proof.step(
        "$(1 - β - L̂α/2) ΣE‖Δ_(t+1)‖² ≤ αD$",
        le(share * moves, alpha * D),
        by.sum(falls),
        by.telescope(Expectation(NOW)),
        by.telescope(Expectation(past)),
        begin,
        momentum,
        end,
        positive,
        run.start,
        run.end,
    )
    gradients = proof.step(
        "$α²ΣE‖∇F‖² ≤ (1 + β)² ΣE‖Δ_(t+1)‖²$",
        le(alpha**2 * TOTAL, (1 + beta) ** 2 * moves),
        by.sum(bounds),
        by.telescope(Expectation(past)),
        begin,
        momentum,
        end,
    )
    total = proof.step(
        "times 1 - β - L̂α/2, divided by α",
        le(share * alpha * TOTAL, (1 + beta) ** 2 * D),
        positive,
        room,
        gradients,
        lengths,
    )
    least = proof.step(
        "least",
        le(T * alpha * share * MINIMUM_GRADIENT, (1 + beta) ** 2 * D),
        positive,
        room,
        by.minimum(SQUARE),
        total,
    )
    divisor, factors = T * alpha * share, [run.long, positive, room]
    divided(
        proof, "Tα(1 - β - L̂α/2)", divisor, (1 + beta) ** 2 * D, factors, least, label="divided"
    )


@script(HEAVY_BALL_SHORT_STEP, "sharp", fresh=[theta])
def heavy_ball_short_step(proof: Proof) -> None:
    """F(v_t) + (1 - L̂α)/(2α) ‖Δ_t‖² falls by α/2 ‖∇F(v_t)‖²: the steps' own lengths need not be
    summed.
    """
    by, run = proof.by, Run(proof)
    longest, size = (defined(proof, x) for x in (eta_max, alpha))
    positive = step_above_0(proof, size, *proof.positive(eta))
    below = proof.assume(proof.claim.conditions[1])
    unit, _ = by.quotient(run.constant)
    room = at_least_0(
        proof,
        "1 - β² - L̂α",
        1 - beta**2 - Lhat * alpha,
        longest,
        unit,
        size,
        run.constant,
        below,
    )
    share = 1 - Lhat * alpha
    weight = at_least_0(proof, "1 - L̂α", share, room)
    equation = proof.define(v_next, MOVED, "$v_(t+1) = v_t - α∇F(v_t) + β(v_t - u_t)$")
    after, change = v_next - v_t, MOVED - v_t
    square, length = EuclideanNorm(SLOPE) ** 2, EuclideanNorm(after) ** 2
    rest = beta**2 * PAST_STEP - alpha**2 * square
    by_update = proof.step(
        "pull of the update",
        eq(2 * alpha * InnerProduct(SLOPE, change) + EuclideanNorm(change) ** 2, rest),
        *map(by.expansion, (change, BEFORE_IT, SLOPE)),
    )
    pull = eq(2 * alpha * InnerProduct(SLOPE, after) + length, rest)
    pulled = proof.state("pull", pull, by.rewrite(by_update, pull, (equation, v_next, MOVED)))
    lowered = proof.step(
        "F and the last step",
        le(2 * alpha * (NEXT - NOW) + share * (length - PAST_STEP) + alpha**2 * square, 0),
        positive,
        run.line,
        pulled,
        room,
        meaning="The energy $F(v_t) + (1 - L̂α)‖Δ_t‖²/(2α)$ falls.",
    )
    energy = le(2 * alpha * (NEXT - NOW) + share * (NEXT_STEP - PAST_STEP) + alpha**2 * square, 0)
    (falls,), begin, end = _from_rest(proof, {energy: lowered})
    total = proof.step(
        "sum",
        le(alpha**2 * TOTAL, 2 * alpha * D),
        by.sum(falls),
        by.telescope(Expectation(NOW)),
        by.telescope(Expectation(PAST_STEP)),
        begin,
        weight,
        end,
        positive,
        run.start,
        run.end,
        meaning="Summed over t, the energy telescopes.",
    )
    least = proof.step(
        "least", le(alpha * T * MINIMUM_GRADIENT, 2 * D), positive, by.minimum(SQUARE), total
    )
    divided(proof, "αT", alpha * T, 2 * D, [positive, run.long], least, label="divided")


def _from_rest(
    proof: Proof, lines: dict[sp.Basic, Theorem]
) -> tuple[list[Theorem], Theorem, Theorem]:
    """The expectations of lines about Δ_{t+1}, which are goals by what shows them at v_t; Δ_1 = 0;
    E‖Δ_{T+1}‖² >= 0.
    """
    by = proof.by
    shifted = proof.define(u_next, v_t, "$u_(t+1) = v_t$")
    still = proof.define(u_t.xreplace(FIRST), v_t.xreplace(FIRST), "$u_1 = v_1$")
    means = [
        by.expectation(by.rewrite(line, goal, (shifted, u_next, v_t)))
        for goal, line in lines.items()
    ]
    first, last = (PAST_STEP.xreplace(time) for time in (FIRST, AFTER))
    nothing = proof.step("$‖Δ_1‖² = 0$", eq(first, 0), still)
    begin = proof.step(
        "$Δ_1 = 0$",
        eq(Expectation(first), 0),
        by.expectation(nothing),
        meaning="There is no step before the first.",
    )
    square = proof.step("$‖Δ‖² ≥ 0$ at $T + 1$", ge(last, 0))
    return (
        means,
        begin,
        at_least_0(proof, "E‖Δ_(T+1)‖²", Expectation(last), by.expectation(square)),
    )


def _energy(
    proof: Proof,
    run: Run,
    move: tuple[Theorem, MatrixExpr, MatrixExpr],
    momentum: Theorem,
    positive: Theorem,
) -> tuple[Theorem, Theorem]:
    """α(F(v_{t+1}) - F(v_t)) + β/2 (‖Δ_{t+1}‖² - ‖Δ_t‖²) + (1 - β - L̂α/2)‖Δ_{t+1}‖² <= 0, and a
    bound on ‖∇F(v_t)‖².
    """
    by, before, after, change = proof.by, v_t - u_t, v_next - v_t, move[2] - v_t
    past, length = EuclideanNorm(before) ** 2, EuclideanNorm(after) ** 2
    said = proof.step(
        "pull of the update",
        eq(
            alpha * InnerProduct(SLOPE, change),
            beta * InnerProduct(before, change) - EuclideanNorm(change) ** 2,
        ),
        by.expansion(change),
    )
    pull = eq(alpha * InnerProduct(SLOPE, after), beta * InnerProduct(before, after) - length)
    inner = proof.state("pull", pull, by.rewrite(said, pull, move))
    half = proof.step(
        "$β⟨Δ_t, Δ_(t+1)⟩$",
        le(beta * InnerProduct(before, after), beta / 2 * (past + length)),
        momentum,
        *map(by.expansion, (before - after, before, after)),
    )
    falls = proof.step(
        "F and the last step",
        le(
            alpha * (NEXT - NOW)
            + beta / 2 * (length - past)
            + (1 - beta - Lhat * alpha / 2) * length,
            0,
        ),
        positive,
        run.line,
        inner,
        half,
        meaning="The energy $F(v_t) + β‖Δ_t‖²/(2α)$ falls.",
    )
    both = before + change
    steep = alpha**2 * EuclideanNorm(SLOPE) ** 2
    by_update = proof.step(
        "the gradient by the update",
        le(steep, (1 + beta) * (beta * past + EuclideanNorm(change) ** 2)),
        momentum,
        *map(by.expansion, (both, before, change, SLOPE)),
    )
    goal = le(steep, (1 + beta) * (beta * past + length))
    return falls, proof.state("the gradient by two steps", goal, by.rewrite(by_update, goal, move))


P = EuclideanNorm(SLOPE) ** 2
BEFORE = sp.Sum(at_time(P, i), (i, 1, t - 1))
# b_{t-1}² and b_t².
PAST, GROWN = delta**2 + BEFORE, delta**2 + sp.Sum(at_time(P, i), (i, 1, t))
last, now = sp.sqrt(PAST), sp.sqrt(GROWN)
# What telescopes: b_{t-1} - δ²/b_{t-1}, which is 0 at t = 1.
POTENTIAL = last - delta**2 / last
FURTHER = now - delta**2 / now


@script(ADAGRAD_NORM, "sharp", fresh=[theta])
def adagrad_norm(proof: Proof) -> None:
    """Each step lowers F by η/2 times what b_t - δ²/b_t grows by."""
    by, run = proof.by, Run(proof)
    start, step = proof.positive(delta, eta)
    square = at_least_0(proof, "‖∇F‖²", P)
    before = proof.induct("$Σ_(s<t) ‖∇F‖² ≥ 0$", ge(BEFORE, 0), first=[], then=[square])
    past = above_0(proof, "b_(t-1)²", PAST, start, before)
    grown = above_0(proof, "b_t²", GROWN, start, before)
    (old, was), (new, positive) = ((by.root(x), by.positive_root(x)) for x in (past, grown))
    (unit_old, inverse_old), (unit, inverse) = by.quotient(was), by.quotient(positive)
    reached = at_least_0(proof, "b_t", now)

    # F(v_{t+1}) <= F(v_t) - η/2 ‖∇F‖²/b_t, since b_t >= δ >= ηL̂.
    above = by.from_squares(
        proof.step("$δ² ≤ b_t²$", le(delta**2, GROWN), before), reached, delta, new
    )
    short = proof.step(
        "$L̂η ≤ b_t$",
        le(Lhat * eta, now),
        above,
        proof.assume(proof.claim.conditions[0]),
        defined(proof, delta_min),
    )
    size = above_0(proof, "η/b_t", eta / now, step, inverse)
    share = proof.step("$L̂η/b_t ≤ 1$", le(Lhat * eta / now, 1), short, inverse, unit)
    length, move = by.homogeneous(size, "F", SLOPE), EuclideanNorm(eta / now * SLOPE)
    (recurrence,) = algorithms.ADAGRAD_NORM.recurrence
    lowered = proof.step(
        "descent",
        le(NEXT, NOW - eta / 2 * P / now),
        run.moved(recurrence.rhs),
        by.expansion(SLOPE),
        proof.step(
            "L̂ times the squared length",
            le(Lhat * move**2, eta / now * P),
            share,
            size,
            square,
            length,
        ),
        meaning="The step is at most 1/L̂.",
    )

    # ‖∇F‖²/b_t is at least what b - δ²/b grows by: b_{t-1}² >= δ², and ‖∇F‖² = b_t² - b_{t-1}².
    squares = proof.step("$b_(t-1)² ≤ b_t²$", le(PAST, GROWN))
    grows = by.from_squares(squares, reached, last, old, new)
    falls = proof.step(
        "1/b falls", ge(1 / last - 1 / now, 0), grows, inverse, inverse_old, unit, unit_old
    )
    gains = proof.step(
        "what b grows by",
        ge(P / now, FURTHER - POTENTIAL),
        proof.step(
            "$(b_(t-1)² - δ²)(1/b_(t-1) - 1/b_t)$",
            ge(BEFORE * (1 / last - 1 / now), 0),
            before,
            falls,
        ),
        unit_old,
        old,
        unit,
        new,
    )
    falls = proof.step(
        "the potential", le(eta / 2 * (FURTHER - POTENTIAL), NOW - NEXT), lowered, step, gains
    )
    first = proof.step(
        "0 at the start",
        eq(POTENTIAL.xreplace(FIRST), 0),
        by.quotient(by.positive_root(above_0(proof, "δ²", delta**2, start)))[0],
        by.root(at_least_0(proof, "δ²", delta**2)),
        meaning="There b is δ.",
    )
    ends = [at_time(x, T) for x in (GROWN, now, FURTHER)]
    proof.state("$b_T² > 0$", gt(ends[0], 0), by.at(grown, T))
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
    _within(proof, run, total, (start, step, by.at(new, T), by.at(positive, T)), ends[1])


def _within(
    proof: Proof, run: Run, total: Theorem, signs: tuple[Theorem, ...], root: sp.Expr
) -> None:
    """η²Σ‖∇F‖² <= 2D(ηδ + 2D), where the root is b_T, and the bound."""
    by, (start, step, equation, positive) = proof.by, signs
    (gap,) = proof.positive(D)
    unit, _ = by.quotient(positive)
    squares, limit = sp.Sum(P, (t, 1, T)), 2 * D * (eta * delta + 2 * D)
    most = proof.step(
        "times $b_T$", le(eta * squares, 2 * D * root), positive, total, unit, equation
    )
    whole = above_0(proof, "η(b_T + δ)", root + delta, positive, start)
    largest = proof.step(
        "$ηb_T ≤ ηδ + 2D$",
        le(eta * root, eta * delta + 2 * D),
        whole,
        most,
        equation,
        gap,
        start,
        meaning="A number whose square it nearly bounds.",
    )
    sums = proof.step(
        "$η²Σ‖∇F‖²$",
        le(eta**2 * squares, limit),
        step,
        most,
        gap,
        largest,
    )
    mean = proof.step("in the mean", le(eta**2 * TOTAL, limit), by.expectation(sums))
    squared = above_0(proof, "η²", eta**2, step)
    factors, lines = [step, step, run.long], (mean, squared, by.quotient(run.long)[0])
    divided(proof, "$η²T$", eta**2 * T, limit, factors, *lines, label="divided by $η²T$")
