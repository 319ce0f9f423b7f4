"""Gradient descent and heavy ball: the descent lemma along the run, and sums, without noise."""

import sympy as sp
from sympy.matrices.expressions.matexpr import MatrixExpr

from boundcheck.exact.evaluate import t
from boundcheck.kernel import Theorem
from boundcheck.language.claim import Claim
from boundcheck.language.symbols import D, Lhat, T, alpha, beta, bound, ell, eta, eta_max
from boundcheck.language.vocabulary import (
    MINIMUM_GRADIENT,
    EuclideanNorm,
    Expectation,
    F,
    InnerProduct,
    Iterate,
    Value,
    W,
    f,
    n,
    v,
    v1,
    v2,
    v_t,
)
from boundcheck.proof import Process, Proof, Reading, eq, ge, gt, le, script

from ..classics.claims import GRADIENT_DESCENT
from ..jiang2024.descent import (
    NEXT,
    NOW,
    SLOPE,
    SQUARE,
    TOTAL,
    above_minimum,
    along_run,
    gap_at_start,
    on_segment,
    v_last,
    v_next,
)
from ..jiang2024.setting import quantity, theta
from .claims import HEAVY_BALL

u_t = Iterate("u", t, n, 1)
u_next = u_t.xreplace({t: t + 1})
u = sp.MatrixSymbol("u", n, 1)
# u is the iterate before v.
READING = Reading(points={W: (v,)}, processes={v_t: Process((v,)), u_t: Process((u,))}, arbitrary={theta, v, v1, v2})


class Run:
    """What both proofs begin and end with.

    Attributes:
        constant: L̂ > 0.
        line: F(v_{t+1}) <= F(v_t) + ⟨∇F(v_t), v_{t+1} - v_t⟩ + L̂/2 ‖v_{t+1} - v_t‖².
        start: D = E F(v_1) - f*.
        above: F(v_{T+1}) >= f*.
        long: T > 0.

    """

    def __init__(self, proof: Proof, claim: Claim):
        self.proof = proof
        smoothness = proof.quantity(quantity(claim, Lhat))
        self.constant = proof.step("$L̂ > 0$", gt(Lhat, 0), smoothness, proof.positive(ell))
        law = proof.define(Value(F, v), Value(f, v), "$F(v) = f(v)$", forall=[v])
        self.line = on_segment(proof, along_run(proof), "")
        self.start, self.above = gap_at_start(proof), above_minimum(proof, law, v_last, v_last)
        self.long = proof.step("$T > 0$", gt(T, 0), proof.positive(T))

    @property
    def end(self) -> Theorem:
        """E F(v_{T+1}) >= f*."""
        return self.proof.by.expectation(self.above)

    def moved(self, update: MatrixExpr) -> Theorem:
        """The line with v_{t+1} = `update` put in, which is defined so."""
        equation = self.proof.define(v_next, update, "the algorithm")
        change = update - v_t
        goal = le(NEXT - NOW - InnerProduct(SLOPE, change), Lhat / 2 * EuclideanNorm(change) ** 2)
        return self.proof.state("update", goal, self.proof.by.rewrite(self.line, goal, (equation, v_next, update)))


@script(GRADIENT_DESCENT, "sharp", READING)
def gradient_descent(proof: Proof) -> None:
    """A step of 1/L̂ lowers F by ‖∇F‖²/(2L̂)."""
    by, run = proof.by, Run(proof, GRADIENT_DESCENT)
    size = proof.quantity(quantity(GRADIENT_DESCENT, alpha))
    unit, inverse = by.quotient(run.constant)
    positive = proof.step("$α > 0$", gt(alpha, 0), size, inverse)
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
    scaled = proof.step("times 2L̂", le(TOTAL, 2 * Lhat * D), run.constant, total, exact)
    limit = proof.step(
        "T times the bound",
        eq(T * bound, 2 * Lhat * D),
        proof.quantity(quantity(GRADIENT_DESCENT, bound)),
        by.quotient(run.long)[0],
    )
    proof.conclude(
        proof.step("divided by T", GRADIENT_DESCENT.conclusion, run.long, by.minimum(SQUARE), scaled, limit, factor=[0])
    )


@script(HEAVY_BALL, "sharp", READING)
def heavy_ball(proof: Proof) -> None:
    """The squared lengths of the steps add up to a multiple of D, and bound the gradients."""
    by, run = proof.by, Run(proof, HEAVY_BALL)
    longest, size = (proof.quantity(quantity(HEAVY_BALL, x)) for x in (eta_max, alpha))
    momentum, step = proof.positive(beta, eta)
    positive = proof.step("$α > 0$", gt(alpha, 0), size, step)
    below = proof.assume(HEAVY_BALL.conditions[1])
    unit, _ = by.quotient(run.constant)
    most = proof.step("$L̂η_max = 2(1 - β)$", eq(Lhat * eta_max, 2 * (1 - beta)), longest, unit)
    room = proof.step(
        "$1 - β - L̂α/2 > 0$",
        gt(ROOM, 0),
        most,
        size,
        proof.step("$L̂η < L̂η_max$", gt(Lhat * eta_max, Lhat * eta), run.constant, below),
    )
    before, after = v_t - u_t, v_next - v_t
    update = v_t - alpha * SLOPE + beta * before
    equation = proof.define(v_next, update, "$v_(t+1) = v_t - α∇F(v_t) + β(v_t - u_t)$")
    lowered = _falls(proof, run, equation, update, momentum, positive)
    steep = _steep(proof, equation, update, before, after, momentum)
    total = _summed(proof, run, lowered, steep, (momentum, positive, room))
    units = [by.quotient(x)[0] for x in (run.long, positive, room)]
    limit = proof.step(
        "Tα(1 - β - L̂α/2) times the bound",
        eq(T * alpha * ROOM * bound, (1 + beta) ** 2 * D),
        proof.quantity(quantity(HEAVY_BALL, bound)),
        units,
        degree=3,
    )
    weight = proof.step("$α(1 - β - L̂α/2) ≥ 0$", ge(alpha * ROOM, 0), positive, room)
    least = proof.step(
        "least", le(T * alpha * ROOM * MINIMUM_GRADIENT, (1 + beta) ** 2 * D), weight, by.minimum(SQUARE), total
    )
    proof.conclude(
        proof.step("divided", HEAVY_BALL.conclusion, run.long, positive, room, least, limit, factor=[0, 1, 2])
    )


ROOM = 1 - beta - Lhat * alpha / 2
# The last step, Δ_t = v_t - u_t, and the next one.
PAST, MOVE = (Expectation(EuclideanNorm(x) ** 2) for x in (v_t - u_t, v_next - u_next))


def _summed(proof: Proof, run: Run, lowered: Theorem, steep: Theorem, signs: tuple[Theorem, ...]) -> Theorem:
    """α(1 - β - L̂α/2) Σ E‖∇F(v_t)‖² <= (1 + β)²D."""
    by, (momentum, positive, room) = proof.by, signs
    shifted = proof.define(u_next, v_t, "$u_(t+1) = v_t$")
    still = proof.define(u_t.xreplace({t: sp.Integer(1)}), v_t.xreplace({t: sp.Integer(1)}), "$u_1 = v_1$")
    past, move = (EuclideanNorm(x) ** 2 for x in (v_t - u_t, v_next - u_next))
    energy = le(alpha * (NEXT - NOW) + beta / 2 * (move - past) + ROOM * move, 0)
    slope = le(alpha**2 * EuclideanNorm(SLOPE) ** 2, (1 + beta) * (beta * past + move))
    falls, bounds = (
        by.expectation(by.rewrite(theorem, goal, (shifted, u_next, v_t)))
        for theorem, goal in ((lowered, energy), (steep, slope))
    )
    first, final = (PAST.xreplace({t: x}) for x in (sp.Integer(1), T + 1))
    norm = EuclideanNorm((v_t - u_t).xreplace({t: sp.Integer(1)}))
    begin = proof.step(
        "$Δ_1 = 0$",
        eq(first, 0),
        by.expectation(proof.step("$‖Δ_1‖² = 0$", eq(norm**2, 0), still)),
        meaning="There is no step before the first.",
    )
    end = proof.step("$E‖Δ_(T+1)‖² ≥ 0$", ge(final, 0), by.expectation(_square(proof, T + 1)))
    moves = sp.Sum(MOVE, (t, 1, T))
    lengths = proof.step(
        "$(1 - β - L̂α/2) ΣE‖Δ_(t+1)‖² ≤ αD$",
        le(ROOM * moves, alpha * D),
        by.sum(falls),
        by.telescope(Expectation(NOW)),
        by.telescope(PAST),
        begin,
        proof.step("$β/2 E‖Δ_(T+1)‖²$", ge(beta * final, 0), momentum, end),
        proof.step(
            "$α(D - E F(v_1) + E F(v_(T+1))) ≥ 0$", ge(alpha * D, alpha * (START - LAST)), positive, run.start, run.end
        ),
    )
    gradients = proof.step(
        "$α²ΣE‖∇F‖² ≤ (1 + β)² ΣE‖Δ_(t+1)‖²$",
        le(alpha**2 * TOTAL, (1 + beta) ** 2 * moves),
        by.sum(bounds),
        by.telescope(PAST),
        begin,
        proof.step("$β(1 + β)E‖Δ_(T+1)‖²$", ge(beta * (1 + beta) * final, 0), momentum, end, degree=3),
    )
    both = proof.step(
        "times 1 - β - L̂α/2", le(ROOM * alpha**2 * TOTAL, ROOM * (1 + beta) ** 2 * moves), room, gradients
    )
    square = proof.step("$(1 + β)² ≥ 0$", ge((1 + beta) ** 2, 0), hints=[1 + beta])
    scaled = proof.step(
        "times $(1 + β)²$", le((1 + beta) ** 2 * ROOM * moves, (1 + beta) ** 2 * alpha * D), square, lengths
    )
    return proof.step("divided by α", le(ROOM * alpha * TOTAL, (1 + beta) ** 2 * D), positive, both, scaled, factor=[0])


START, LAST = (Expectation(NOW.xreplace({t: x})) for x in (sp.Integer(1), T + 1))


def _square(proof: Proof, time: sp.Expr) -> Theorem:
    norm = EuclideanNorm((v_t - u_t).xreplace({t: time}))
    return proof.step(f"$‖Δ‖² ≥ 0$ at ${time}$", ge(norm**2, 0), hints=[norm])


def _falls(
    proof: Proof, run: Run, equation: Theorem, update: MatrixExpr, momentum: Theorem, positive: Theorem
) -> Theorem:
    """α(F(v_{t+1}) - F(v_t)) + β/2 (‖Δ_{t+1}‖² - ‖Δ_t‖²) + (1 - β - L̂α/2)‖Δ_{t+1}‖² <= 0."""
    by, before, after = proof.by, v_t - u_t, v_next - v_t
    past, move = EuclideanNorm(before) ** 2, EuclideanNorm(after) ** 2
    pull = InnerProduct(SLOPE, after)
    inner = _pull(proof, equation, update, before, after)
    across = proof.step(
        "$2⟨Δ_t, Δ_(t+1)⟩$",
        le(2 * InnerProduct(before, after), past + move),
        by.expansion(before - after),
        by.expansion(before),
        by.expansion(after),
        proof.step(
            "$‖Δ_t - Δ_(t+1)‖² ≥ 0$", ge(EuclideanNorm(before - after) ** 2, 0), by.nonnegative("F", before - after)
        ),
    )
    half = proof.step(
        "$β⟨Δ_t, Δ_(t+1)⟩$", le(beta * InnerProduct(before, after), beta / 2 * (past + move)), momentum, across
    )
    scaled = proof.step(
        "α times the descent", le(alpha * (NEXT - NOW) - alpha * pull, alpha * Lhat / 2 * move), positive, run.line
    )
    return proof.step(
        "F and the last step",
        le(alpha * (NEXT - NOW) + beta / 2 * (move - past) + ROOM * move, 0),
        scaled,
        inner,
        half,
        meaning="The energy $F(v_t) + β‖Δ_t‖²/(2α)$ falls.",
    )


def _pull(proof: Proof, equation: Theorem, update: MatrixExpr, before: MatrixExpr, after: MatrixExpr) -> Theorem:
    """α⟨∇F(v_t), Δ_{t+1}⟩ = β⟨Δ_t, Δ_{t+1}⟩ - ‖Δ_{t+1}‖²."""
    by, change = proof.by, update - v_t
    said = proof.step(
        "pull of the update",
        eq(alpha * InnerProduct(SLOPE, change), beta * InnerProduct(before, change) - EuclideanNorm(change) ** 2),
        by.expansion(change),
    )
    goal = eq(alpha * InnerProduct(SLOPE, after), beta * InnerProduct(before, after) - EuclideanNorm(after) ** 2)
    return proof.state("pull", goal, by.rewrite(said, goal, (equation, v_next, update)))


def _steep(
    proof: Proof, equation: Theorem, update: MatrixExpr, before: MatrixExpr, after: MatrixExpr, momentum: Theorem
) -> Theorem:
    """α²‖∇F(v_t)‖² <= (1 + β)(β‖Δ_t‖² + ‖Δ_{t+1}‖²)."""
    by, change = proof.by, update - v_t
    both = before + change
    size = proof.step(
        "$β‖Δ_t + Δ_(t+1)‖² ≥ 0$",
        ge(beta * EuclideanNorm(both) ** 2, 0),
        momentum,
        proof.step("$‖Δ_t + Δ_(t+1)‖² ≥ 0$", ge(EuclideanNorm(both) ** 2, 0), by.nonnegative("F", both)),
    )
    right = (1 + beta) * (beta * EuclideanNorm(before) ** 2 + EuclideanNorm(change) ** 2)
    said = proof.step(
        "the gradient by the update",
        le(alpha**2 * EuclideanNorm(SLOPE) ** 2, right),
        size,
        *map(by.expansion, (both, before, change, SLOPE)),
    )
    goal = le(
        alpha**2 * EuclideanNorm(SLOPE) ** 2,
        (1 + beta) * (beta * EuclideanNorm(before) ** 2 + EuclideanNorm(after) ** 2),
    )
    return proof.state("the gradient by two steps", goal, by.rewrite(said, goal, (equation, v_next, update)))
