"""Theorems 4.6 to 4.8: the expected decrease of one step, and an induction over t."""

from collections.abc import Sequence
from dataclasses import dataclass

import sympy as sp

from boundcheck.exact.evaluate import t
from boundcheck.kernel import Theorem
from boundcheck.language.algorithms import gamma, omega
from boundcheck.language.claim import Claim
from boundcheck.language.symbols import D, Lhat, T, alpha, bound, ell, eta, eta_max, f_star, mu_F, zeta
from boundcheck.language.vocabulary import Expectation, F, Value, f, v, v_t
from boundcheck.proof import Proof, eq, ge, gt, le, script

from ..jiang2024.descent import (
    ANY_FUNCTION,
    NEXT,
    NOW,
    SQUARE,
    along_run,
    descent,
    expected_decrease,
    expected_descent,
    gap_at_start,
    half,
    one_step,
    square_nonnegative,
    summed,
    v_last,
)
from ..jiang2024.setting import quantity
from .claims import CONSTANT_STEP, DECREASING_STEP, NONCONVEX, PL, gamma_min, late, omega_min, rest

# E F(v_t) - f*, and the same at t + 1.
GAP, GAP_NEXT = Expectation(NOW) - f_star, Expectation(NEXT) - f_star


@script(NONCONVEX, "sharp", ANY_FUNCTION)
def nonconvex(proof: Proof) -> None:
    """The sum over t, divided by αT/2."""
    by = proof.by
    step = given_step(proof, NONCONVEX, positive_constant(proof, NONCONVEX))
    law = proof.define(Value(F, v), Value(f, v), "$F(v) = f(v)$", forall=[v])
    lines = descent(proof, along_run(proof), law, v_last, step.positive)
    total = summed(proof, lines, expected_descent(proof, lines), step.weight)
    long = proof.step("$T > 0$", gt(T, 0), proof.positive(T))
    least = half(proof, total, step.positive, step.short)
    units = [by.quotient(x)[0] for x in (step.positive, long)]
    limit = proof.step(
        "αT times the bound",
        eq(alpha * T * bound, 2 * D + T * Lhat * alpha**2 * zeta**2),
        proof.quantity(quantity(NONCONVEX, bound)),
        units,
        degree=3,
    )
    proof.conclude(
        proof.step("divided by αT", NONCONVEX.conclusion, step.positive, long, least, limit, units[1], factor=[0, 1])
    )


@dataclass(frozen=True)
class Step:
    """A step of at most 1/L̂.

    Attributes:
        size: α, which may depend on t.
        positive: α > 0.
        short: L̂α <= 1.
        weight: L̂α² >= 0.

    """

    size: sp.Expr
    positive: Theorem
    short: Theorem
    weight: Theorem


def positive_constant(proof: Proof, claim: Claim) -> Theorem:
    """L̂ > 0, which is given."""
    return proof.step("$L̂ > 0$", gt(Lhat, 0), proof.quantity(quantity(claim, Lhat)), proof.positive(ell))


def given_step(proof: Proof, claim: Claim, constant: Theorem) -> Step:
    """The constant step that is given, from L̂ > 0 and η <= η_max = 1/L̂."""
    longest, size = (proof.quantity(quantity(claim, x)) for x in (eta_max, alpha))
    positive = proof.step("$α > 0$", gt(alpha, 0), size, proof.positive(eta))
    unit, _ = proof.by.quotient(constant)
    most = proof.step("$L̂η_max = 1$", eq(Lhat * eta_max, 1), longest, unit)
    below = proof.assume(claim.conditions[-1])
    short = proof.step(
        "$L̂α ≤ 1$",
        le(Lhat * alpha, 1),
        most,
        size,
        proof.step("$L̂η ≤ L̂η_max$", le(Lhat * eta, Lhat * eta_max), constant, below),
    )
    return Step(alpha, positive, short, proof.step("$L̂α² ≥ 0$", ge(Lhat * alpha**2, 0), constant, positive))


@script(CONSTANT_STEP, "sharp", ANY_FUNCTION)
def constant_step(proof: Proof) -> None:
    """The gap, less what the noise leaves, shrinks by the factor 1 - αμ_F at each step."""
    by = proof.by
    step = given_step(proof, CONSTANT_STEP, positive_constant(proof, CONSTANT_STEP))
    shrinks = gap_shrinks(proof, step)
    (growth,) = proof.positive(mu_F)
    unit = proof.step(
        "$2μ_F$ times the rest",
        eq(2 * mu_F * rest, Lhat * alpha * zeta**2),
        proof.quantity(quantity(CONSTANT_STEP, rest)),
        by.quotient(growth)[0],
    )
    conclude_geometric(proof, CONSTANT_STEP, step, (shrinks, unit), (GAP, GAP_NEXT, D), rest, gap_at_start(proof))


def conclude_geometric(
    proof: Proof,
    claim: Claim,
    step: Step,
    lines: Sequence[Theorem],
    course: tuple[sp.Expr, sp.Expr, sp.Expr],
    rest: sp.Symbol,
    first: Theorem,
) -> None:
    """Conclude the bound on the last x, where x - rest shrinks by the factor 1 - αμ_F at each step.

    The course is x at t and at t + 1, and what bounds it at 1 by the line `first`. The lines bound x at t + 1, and say
    what the rest is.
    """
    now, after, start = course
    beyond = proof.step(
        "beyond the rest",
        le(after - rest, (1 - alpha * mu_F) * (now - rest)),
        *lines,
        step.positive,
        meaning="At the rest, the noise adds what the step takes away.",
    )
    geometric = proof.induct(
        "geometric",
        le(now - rest, (1 - alpha * mu_F) ** (t - 1) * (start - rest)),
        first=[first],
        then=[beyond, _stays_positive(proof, claim, step)],
        meaning="By induction over t: each step multiplies by $1 - αμ_F$, which is not negative.",
    )
    limit = proof.quantity(quantity(claim, bound))
    proof.conclude(proof.step("the last", claim.conclusion, proof.by.at(geometric, T), limit, meaning="At $t = T$."))


def _stays_positive(proof: Proof, claim: Claim, step: Step) -> Theorem:
    """1 - αμ_F >= 0, from μ_F <= L̂ and L̂α <= 1."""
    gentle = proof.step(
        "$α(L̂ - μ_F) ≥ 0$", ge(alpha * (Lhat - mu_F), 0), proof.assume(claim.conditions[0]), step.positive
    )
    return proof.step(
        "$1 - αμ_F ≥ 0$",
        ge(1 - alpha * mu_F, 0),
        step.short,
        gentle,
        meaning="No function is steeper near its least value than its smoothness allows.",
    )


def gap_shrinks(proof: Proof, step: Step) -> Theorem:
    """E F(v_{t+1}) - f* <= (1 - αμ_F)(E F(v_t) - f*) + L̂α²ζ²/2, from one step of at most 1/L̂."""
    lines, size = one_step(proof, along_run(proof), step.positive, step.size), step.size
    decrease = expected_decrease(proof, lines, expected_descent(proof, lines), step.weight)
    spare = proof.step("$(1 - L̂α)α ≥ 0$", ge((1 - Lhat * size) * size, 0), step.short, step.positive)
    square = square_nonnegative(proof)
    half = proof.step(
        "half of the descent",
        le(Expectation(NEXT) - Expectation(NOW) + size / 2 * SQUARE, Lhat * size**2 * zeta**2 / 2),
        decrease,
        proof.step("$(1 - L̂α)αE‖∇F‖² ≥ 0$", ge((1 - Lhat * size) * size * SQUARE, 0), spare, square),
        meaning="1 - L̂α/2 is at least 1/2.",
    )
    inequality = proof.assume(PL, where={v: v_t})
    mean = proof.step("PL in the mean", ge(SQUARE, 2 * mu_F * GAP), proof.by.expectation(inequality))
    steep = proof.step("αPL", ge(size * SQUARE, 2 * size * mu_F * GAP), mean, step.positive)
    return proof.step(
        "the gap shrinks",
        le(GAP_NEXT, (1 - size * mu_F) * GAP + Lhat * size**2 * zeta**2 / 2),
        half,
        steep,
        meaning="The gradient is large where the gap is.",
    )


# What the step ω/(γ + t) is over.
LATER = gamma + t


@script(DECREASING_STEP, "sharp", ANY_FUNCTION)
def decreasing_step(proof: Proof) -> None:
    """(γ + t) times the gap stays below its first value, or below what the noise leaves of it."""
    by = proof.by
    late_ = Late(proof)
    further = _further(proof, late_)
    least, first = _at_least_both(proof)
    adds = proof.step(
        "what the noise adds", le(NOISE, (omega * mu_F - 1) * late), least, late_.room, late_.double, degree=3
    )
    scaled = proof.step(
        "(γ + t + 1) times what the noise adds",
        le((LATER + 1) * NOISE, (LATER + 1) * (omega * mu_F - 1) * late),
        adds,
        late_.divisor,
    )
    size = proof.step("$ν > 0$", gt(late, 0), first, proof.step("$(γ + 1)D > 0$", gt((gamma + 1) * D, 0), late_.signs))
    stays = proof.induct(
        "(γ + t) times the gap",
        le(LATER * GAP, late),
        first=[gap_at_start(proof), first],
        then=[late_.ahead, further, scaled, size, late_.divisor],
        factor=[5, 5],
        meaning="By induction over t: $(γ + t)² - 1$ is less than $(γ + t)²$.",
    )
    last = proof.step("$γ + T > 0$", gt(gamma + T, 0), late_.signs, proof.positive(T))
    limit = proof.step(
        "(γ + T) times the bound",
        eq((gamma + T) * bound, late),
        proof.quantity(quantity(DECREASING_STEP, bound)),
        by.quotient(last)[0],
    )
    proof.conclude(proof.step("divided by γ + T", DECREASING_STEP.conclusion, last, by.at(stays, T), limit, factor=[0]))


NOISE = Lhat * omega**2 * zeta**2 / 2


class Late:
    """The step ω/(γ + t), from ω > 1/μ_F, γ >= ωL̂ - 1 and μ_F <= L̂.

    Attributes:
        signs: what is positive by its domain.
        divisor: γ + t > 0.
        unit: (γ + t) times 1/(γ + t) is 1.
        step: the step, which is at most 1/L̂.
        room: ωμ_F - 1 > 0.
        double: 2(ωμ_F - 1) times one over it is 1.
        ahead: (γ + t + 1)(γ + t - ωμ_F) >= 0.

    """

    def __init__(self, proof: Proof):
        by, growth = proof.by, quantity(DECREASING_STEP, Lhat)
        smoothness = proof.quantity(growth)
        self.signs = signs = proof.positive(ell, omega, gamma, mu_F, D)
        long, steep, gentle = map(proof.assume, DECREASING_STEP.conditions)
        least, start = (proof.quantity(quantity(DECREASING_STEP, x)) for x in (omega_min, gamma_min))
        constant = proof.step("$L̂ > 0$", gt(Lhat, 0), smoothness, signs)
        self.divisor = proof.step("$γ + t > 0$", gt(LATER, 0), signs, by.time()[0])
        self.unit, inverse = by.quotient(self.divisor)
        begins = proof.step("$L̂ω ≤ γ + 1$", le(Lhat * omega, gamma + 1), gentle, start)
        self.step = _late_step(proof, constant, signs[1], begins, (self.divisor, self.unit, inverse))
        more = proof.step("$μ_F(ω - 1/μ_F) > 0$", gt(mu_F * (omega - omega_min), 0), signs[3], steep)
        self.room = proof.step("$ωμ_F - 1 > 0$", gt(omega * mu_F - 1, 0), more, least, by.quotient(signs[3])[0])
        self.double = by.quotient(proof.step("$2(ωμ_F - 1) > 0$", gt(2 * (omega * mu_F - 1), 0), self.room))[0]
        product = proof.step("$ωμ_F ≤ ωL̂$", le(omega * mu_F, omega * Lhat), long, signs[1])
        beyond = proof.step("$γ + t ≥ ωμ_F$", ge(LATER, omega * mu_F), product, begins, by.time()[0])
        self.ahead = proof.step(
            "$(γ + t + 1)(γ + t - ωμ_F) ≥ 0$", ge((LATER + 1) * (LATER - omega * mu_F), 0), beyond, self.divisor
        )


def _further(proof: Proof, late_: Late) -> Theorem:
    """How the gap shrinks, times (γ + t)²(γ + t + 1)."""
    shrinks = gap_shrinks(proof, late_.step)
    once = proof.step(
        "times γ + t",
        le(LATER * GAP_NEXT, (LATER - omega * mu_F) * GAP + NOISE / LATER),
        late_.divisor,
        shrinks,
        late_.unit,
        meaning="The step, times γ + t, is ω.",
    )
    twice = proof.step(
        "times $(γ + t)²$",
        le(LATER**2 * GAP_NEXT, (LATER - omega * mu_F) * LATER * GAP + NOISE),
        late_.divisor,
        once,
        late_.unit,
    )
    return proof.step(
        "times $(γ + t)²(γ + t + 1)$",
        le((LATER + 1) * LATER**2 * GAP_NEXT, (LATER + 1) * ((LATER - omega * mu_F) * LATER * GAP + NOISE)),
        twice,
        late_.divisor,
    )


def _late_step(
    proof: Proof,
    constant: Theorem,
    numerator: Theorem,
    begins: Theorem,
    over: tuple[Theorem, Theorem, Theorem],
) -> Step:
    """The step ω/(γ + t), which `begins` at 1/L̂ or less."""
    divisor, unit, inverse = over
    size = omega / LATER
    positive = proof.step("$α > 0$", gt(size, 0), numerator, inverse)
    most = proof.step("$L̂ω ≤ γ + t$", le(Lhat * omega, LATER), begins, proof.by.time()[0])
    short = proof.step("$L̂α ≤ 1$", le(Lhat * size, 1), divisor, most, unit, inverse)
    return Step(size, positive, short, proof.step("$L̂α² ≥ 0$", ge(Lhat * size**2, 0), constant, positive))


def _at_least_both(proof: Proof) -> tuple[Theorem, Theorem]:
    """The maximum ν is at least each of its two arguments, the one with the noise first."""
    formula = quantity(DECREASING_STEP, late)
    largest, args = proof.quantity(formula), formula.expression.args
    found = {
        each.has(zeta): proof.step("ν is the larger one", ge(late, each), largest, below)
        for each, below in zip(args, proof.by.below_maximum(formula.expression), strict=True)
    }
    return found[True], found[False]
