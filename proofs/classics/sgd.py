"""SGD on any smooth function, at a step that is the smallest of several: Ghadimi and Lan, Khaled
and Richtárik.
"""

import sympy as sp

from boundcheck.exact.evaluate import at_time, t
from boundcheck.kernel import Theorem
from boundcheck.language.claim import as_typed
from boundcheck.language.symbols import D, Lhat, T, abc_a, abc_b, abc_c, alpha, f_star, zeta
from boundcheck.language.vocabulary import (
    MINIMUM_GRADIENT,
    EuclideanNorm,
    Expectation,
    v_last,
    v_t,
)
from boundcheck.proof import Proof, eq, ge, gt, le, script

from ..jiang2024.claims import ROOT_TERM
from ..jiang2024.descent import (
    NEXT,
    NOW,
    SLOPE,
    SQUARE,
    SUMMED,
    above,
    along_run,
    end_of_run,
    expected_descent,
    gap_at_start,
    given_constant,
    half,
    one_step,
    square_nonnegative,
    sum_of_run,
)
from ..jiang2024.setting import (
    above_0,
    at_least_0,
    divided,
    horizon_above_0,
    quantity,
    step_above_0,
    theta,
)
from .claims import ABC, BOUNDED_VARIANCE, GHADIMI, KHALED


class LeastStep:
    """The step α = 1/max(m_1, m_2, ...), of which the member with D is positive.

    Attributes:
        largest: the maximum.
        below: m_i <= max, by m_i.
        last: the member with D.
        radicands: L̂, T and D are positive, and 2 before them where that member is a product of
            roots.
        last_positive: the last member is.
        constant, positive, long, distance: L̂, α, T and D are positive.
        unit: α max = 1.
        noise: ζ > 0, or C > 0.

    """

    def __init__(self, proof: Proof, noise: sp.Symbol):
        by, formula = proof.by, quantity(proof.claim, alpha)
        self.proof, self.largest = proof, 1 / formula.expression
        self.below = dict(zip(self.largest.args, by.below_maximum(self.largest), strict=True))
        self.constant = given_constant(proof)
        self.long = horizon_above_0(proof)
        self.distance, self.noise = proof.positive(D, noise)
        (self.last,) = (x for x in self.largest.args if x.has(D))
        self.radicands = [self.constant, self.long, self.distance]
        if self.last.is_Pow:
            signs = [self.constant, self.long, self.noise, by.quotient(self.distance)[1]]
            self.last_positive = by.positive_root(above_0(proof, "L̂CT/(2D)", self.last.base, signs))
        else:
            # A root that sympy takes of each factor.
            self.radicands.insert(0, above_0(proof, "2", 2))
            roots = [by.positive_root(x) for x in self.radicands]
            self.last_positive = above_0(
                proof, "m_2", self.last, self.noise, roots, by.quotient(roots[3])[1]
            )
        most = above_0(proof, "max", self.largest, self.last_positive, self.below[self.last])
        unit, inverse = by.quotient(most)
        size = proof.quantity(formula)
        self.positive = step_above_0(proof, size, inverse)
        self.unit = proof.step("$α max = 1$", eq(alpha * self.largest, 1), size, unit)

    def at_most(self, member: sp.Expr) -> Theorem:
        """αm <= 1 for a member m of the maximum."""
        label, below = f"$α$ times ${as_typed(member)}$", self.below[member]
        return self.proof.step(label, le(alpha * member, 1), self.unit, self.positive, below)

    def divided(self, total: sp.Expr, line: Theorem) -> None:
        """Conclude the claim, whose bound is the total over αT."""
        divided(
            self.proof, "αT", alpha * T, total, [self.positive, self.long], line, label="divided"
        )


def least(proof: Proof, step: LeastStep) -> Theorem:
    """αT min_t E‖∇F(v_t)‖² <= 2D + T L̂α²ζ²."""
    total = sum_of_run(proof, step.constant, step.positive)
    twice = half(proof, total, step.positive, step.at_most(Lhat))
    return proof.step(
        "least",
        le(alpha * T * MINIMUM_GRADIENT, 2 * SUMMED),
        twice,
        step.positive,
        proof.by.minimum(SQUARE),
        meaning="The least of T numbers is at most their mean.",
    )


@script(BOUNDED_VARIANCE, "sharp", fresh=[theta])
def bounded_variance(proof: Proof) -> None:
    """The sum over t, divided by αT/2."""
    step = LeastStep(proof, zeta)
    step.divided(2 * SUMMED, least(proof, step))


@script(GHADIMI, "sharp", fresh=[theta])
def ghadimi(proof: Proof) -> None:
    """1/α is at most the sum of the two members, and α is at most one over the second."""
    by, step = proof.by, LeastStep(proof, zeta)
    member, distance, noise = step.last, step.distance, step.noise
    # 2D times the second member, and √T times the root of the bound: sqrt(2DL̂ζ²T).
    root = 2 * D * member
    squares, roots = ([rule(x) for x in step.radicands] for rule in (by.root, by.positive_root))
    over_root, _ = by.quotient(roots[3])
    above_0(proof, "√(2DL̂ζ²T)", root, noise, roots)
    found = proof.step(
        "T min",
        le(T * MINIMUM_GRADIENT, 2 * D * step.largest + T * Lhat * alpha * zeta**2),
        step.positive,
        least(proof, step),
        step.unit,
        meaning="Divided by α, which is one over the maximum.",
    )
    sum_ = by.maximum_below(
        Lhat + member,
        proof.step("$L̂ ≤$", le(Lhat, Lhat + member), step.last_positive),
        proof.step("$m_2 ≤$", le(member, Lhat + member), step.constant),
    )
    first = proof.step(
        "2D max",
        le(2 * D * step.largest, 2 * D * Lhat + root),
        distance,
        sum_,
        squares[3],
        over_root,
    )
    part = root / sp.sqrt(D)
    short = proof.step(
        "times $√D$", le(alpha * part, 2 * sp.sqrt(D)), step.at_most(member), roots[3], over_root
    )
    late = proof.step(
        "$TL̂αζ²$",
        le(T * Lhat * alpha * zeta**2, root),
        short,
        above_0(proof, "√(2L̂ζ²T)", part, noise, roots[:3]),
        squares[:3],
        meaning="α is at most one over the second member.",
    )
    unit, inverse = by.quotient(step.long)
    inside = above_0(proof, "DL̂ζ²/T", ROOT_TERM.base, step.constant, distance, noise, inverse)
    last = sp.Mul(T, ROOT_TERM, evaluate=False)
    size = proof.step("$T$ times the root of the bound $≥ 0$", ge(last, 0), step.long)
    trivial = proof.step("its square", le((root / sp.sqrt(2)) ** 2, D * Lhat * T * zeta**2))
    whole = by.from_squares(trivial, size, root / sp.sqrt(2), by.root(inside), unit, *squares[1:])
    rest = sp.Mul(2 * sp.sqrt(2), last, evaluate=False)
    twice = proof.step("$2√(2DL̂ζ²T)$", le(2 * root, rest), whole, roots[0])
    lines = found, first, late, twice
    divided(proof, "T", T, 2 * D * Lhat + rest, [step.long], *lines, label="divided by T")


# What the gap grows by at each step, less what the gradients take from it.
X = Lhat * abc_a * alpha**2
GAP, GAP_NEXT = Expectation(NOW) - f_star, Expectation(NEXT) - f_star
TAKEN = alpha / 2 * MINIMUM_GRADIENT - Lhat * alpha**2 * abc_c / 2


@script(KHALED, "sharp", fresh=[theta])
def expected_smoothness(proof: Proof) -> None:
    """δ_{t+1} <= (1 + x)δ_t - r for x = L̂Aα², so that δ grows by no more than powers of 1 + x."""
    by, step = proof.by, LeastStep(proof, abc_c)
    grows = _grows(proof, step)
    (share,), slope = proof.positive(abc_a), step.distance
    (member,) = (x for x in step.largest.args if x.has(abc_a))
    positive = above_0(proof, "x", X, step.constant, share, step.positive)
    factor = above_0(proof, "1 + x", 1 + X, positive)
    scaled = proof.step("x times", le(X * GAP_NEXT, X * ((1 + X) * GAP - TAKEN)), positive, grows)
    now, then = (
        le(X * gap, X * (1 + X) ** n * D - TAKEN * ((1 + X) ** n - 1))
        for gap, n in ((GAP, t - 1), (GAP_NEXT, t))
    )
    stays = proof.induct("the gap", now, first=[gap_at_start(proof)], then=[scaled, factor])
    following = proof.step("the gap, one step later", then, stays, scaled, factor)
    power = (1 + X) ** T
    end = end_of_run(proof, above(proof, v_last))
    taken = proof.step(
        "all that is taken",
        le(TAKEN * (power - 1), X * power * D),
        by.at(following, T),
        end,
        positive,
    )
    # α²m² <= 1, for the member m whose square m² is.
    square = member.base
    radicand = at_least_0(proof, as_typed(square), square, step.constant, share)
    label, roots = f"${as_typed(square)} ≤ max²$", (by.root(radicand), by.root_nonnegative(square))
    squares = proof.step(label, le(square, step.largest**2), step.below[member], *roots)
    short = proof.step("at most 1", le(alpha**2 * square, 1), squares, step.unit)
    low, high = _powers(proof, positive, factor, short)
    more = proof.step(
        "$(1 + x)^T > 1$",
        gt(power - 1, 0),
        low,
        positive,
    )
    spare = proof.step(
        "$(1 + x)^T D$ times", ge(power * D * (power - 1 - X * T), 0), low, more, slope
    )
    least = proof.step("r T", le(TAKEN * T, power * D), more, spare, taken)
    total = T * Lhat * alpha**2 * abc_c + 2 * D * (1 + 2 * X * T)
    most = proof.step("αT min", le(alpha * T * MINIMUM_GRADIENT, total), least, slope, high)
    step.divided(total, most)


def _grows(proof: Proof, step: LeastStep) -> Theorem:
    """E F(v_{t+1}) - f* <= (1 + x)(E F(v_t) - f*) - r."""
    by = proof.by
    lines = one_step(proof, along_run(proof), step.positive)
    weight = at_least_0(proof, "L̂α²", Lhat * alpha**2, step.constant, step.positive)
    moment = 2 * abc_a * (NOW - f_star) + abc_b * EuclideanNorm(SLOPE) ** 2 + abc_c
    given = proof.step(
        "expected smoothness",
        le(
            Expectation(NEXT, v_t) - NOW + alpha * EuclideanNorm(SLOPE) ** 2,
            Lhat / 2 * alpha**2 * moment,
        ),
        expected_descent(proof, lines),
        proof.assume(ABC),
        weight,
    )
    square = square_nonnegative(proof)
    return proof.step(
        "the gap grows",
        le(GAP_NEXT, (1 + X) * GAP - TAKEN),
        by.expectation(given),
        at_least_0(
            proof,
            "α(1 - L̂αB)E‖∇F‖²",
            alpha * (1 - Lhat * alpha * abc_b) * SQUARE,
            step.positive,
            step.at_most(Lhat * abc_b),
            square,
        ),
        step.positive,
        by.least(SQUARE),
        meaning="Half of the descent is left, since L̂αB is at most 1.",
    )


def _powers(
    proof: Proof, positive: Theorem, factor: Theorem, short: Theorem
) -> tuple[Theorem, Theorem]:
    """1 + xT <= (1 + x)^T <= 1 + 2xT, where xT <= 1."""
    by = proof.by
    n, ends = t - 1, by.time()[1]
    square = at_least_0(proof, "(t - 1)x²", n * X**2)
    low = ge((1 + X) ** n, 1 + n * X)
    lower = proof.induct("at least 1 + (t - 1)x", low, first=[], then=[square, factor])
    lower = proof.step("at least 1 + tx", at_time(low, t + 1), lower, factor)
    within = proof.step("$(t - 1)x ≤ 1$", le(n * X, 1), positive, short, ends)
    room = proof.step(
        "$x²(1 + (t - 1)(1 - (t - 1)x))$",
        ge(X**2 * (1 + n * (1 - n * X)), 0),
        proof.step("1 + (t - 1)(1 - (t - 1)x)", ge(1 + n * (1 - n * X), 0), within),
    )
    high = le((1 + X) ** n, 1 + n * X + n**2 * X**2)
    higher = proof.induct(
        "at most $1 + y + y²$", high, first=[], then=[room, factor], meaning="For $y = (t - 1)x$."
    )
    higher = proof.step(
        "at most $1 + y + y²$, one step later", at_time(high, t + 1), higher, room, factor
    )
    most = proof.step(
        "at most 1 + 2xT",
        le((1 + X) ** T, 1 + 2 * X * T),
        by.at(higher, T),
        short,
        positive,
    )
    return by.at(lower, T), most
