"""Theorem 2, sharper: with λ*, κ = 1.5/(1 - q/2) in place of 2.5, and the best constant step size."""

import sympy as sp

from boundcheck.claims.jiang2024 import MINIMUM_GRADIENT, ROOT_TERM
from boundcheck.claims.meft import BALL, THEOREM_2_BEST_STEP, THEOREM_2_REPAIRED
from boundcheck.claims.symbols import D, G, L, Lhat, T, a, alpha, b, kappa, q, s, zeta
from boundcheck.kernel import Theorem
from boundcheck.prove import Proof, eq, ge, gt, le, script

from . import lemma_1
from .descent import SQUARE, TOTAL, descent, summed
from .setting import READING, Meft, radical
from .theorem_2 import Step, divided_by_step


def quantity(claim, symbol: sp.Symbol):
    """The claim's quantity of that symbol."""
    return next(x for x in claim.quantities if x.symbol == symbol)


def _sharp_lemma(proof: Proof) -> tuple[Meft, Theorem, Theorem]:
    """The setting, λ*-smoothness on the ball, and λ* > 0."""
    signs = proof.positive(L, G, a, b, s)
    smooth = proof.cite(lemma_1.sharp.proof, "Lemma 1, sharp")
    root = radical(quantity(THEOREM_2_REPAIRED, Lhat).expression)
    first = proof.step("s²L(a² + b²)/2", gt(s**2 * L * (a**2 + b**2) / 2, 0), signs)
    positive = proof.step("λ* > 0", gt(Lhat, 0), proof.recall("Lhat"), first, proof.by.root_nonnegative(root.base))
    return Meft(proof, s, (a, b)), smooth, positive


@script(THEOREM_2_REPAIRED, "sharp", READING)
def repaired(proof: Proof) -> None:
    """The paper's step size and horizon."""
    by = proof.by
    m, smooth, constant = _sharp_lemma(proof)
    step = Step(proof, THEOREM_2_REPAIRED, constant)
    lines = descent(proof, m, smooth, BALL, step.positive)
    total = divided_by_step(proof, step, summed(proof, lines, [*step.signs, step.positive]))
    half = step.half(THEOREM_2_REPAIRED)
    ratio = _ratio(proof, step)
    room = proof.step("1 - q/2 > 0", gt(1 - q / 2, 0), half, ratio, meaning="q = L̂α is at most 1/2.")
    unit, _ = by.quotient(room)
    factor = proof.step(
        "κ(1 - q/2)",
        eq(kappa * (1 - q / 2), sp.Rational(3, 2)),
        proof.quantity(quantity(THEOREM_2_REPAIRED, kappa)),
        unit,
    )
    least = proof.step(
        "least",
        le((1 - q / 2) * MINIMUM_GRADIENT, sp.Rational(3, 2) * Lhat * alpha * zeta**2),
        step.long,
        proof.step("in q", le((1 - q / 2) * TOTAL, sp.Rational(3, 2) * T * Lhat * alpha * zeta**2), total, ratio),
        by.minimum(SQUARE),
        room,
        factor=[0],
        meaning="The least of T numbers is at most their mean.",
    )
    bound = proof.quantity(THEOREM_2_REPAIRED.quantities[-1])
    term = step.root_term(ROOT_TERM)
    value = proof.step("bound", eq(proof.claim.quantities[-1].symbol, kappa * Lhat * alpha * zeta**2), bound, term)
    proof.conclude(
        proof.step(
            "κS", THEOREM_2_REPAIRED.conclusion, room, least, factor, value, factor=[0], meaning="Divided by 1 - q/2."
        )
    )


def _ratio(proof: Proof, step: Step) -> Theorem:
    """Q = L̂α: both are positive, with equal squares."""
    by, defined = proof.by, quantity(THEOREM_2_REPAIRED, q)
    root, value = defined.expression, Lhat * alpha
    radicand = proof.step("L̂D/(ζ²T)", gt(root.base, 0), step.signs, step.inverses)
    squared = by.root(radicand)
    squares = proof.step("q²", eq(value**2, root.base), step.square, *step.units)
    size = proof.step("L̂α ≥ 0", ge(value, 0), step.positive, step.signs)
    below = by.from_squares(
        proof.step("q²", ge(root.base, value**2), squares), by.root_nonnegative(root.base), value, squared
    )
    above = by.from_squares(proof.step("q²", ge(value**2, root.base), squares), size, root, squared)
    return proof.step("q", eq(q, value), proof.quantity(defined), by.equal(below, above))


@script(THEOREM_2_BEST_STEP, "sharp", READING)
def best_step(proof: Proof) -> None:
    """α = 2q/(κL̂), for every T."""
    by = proof.by
    m, smooth, constant = _sharp_lemma(proof)
    gap, noise, horizon = (proof.positive(x)[0] for x in (D, zeta, T))
    long = proof.step("T > 0", gt(T, 0), horizon)
    signs = [constant, gap, noise, long]
    ratio, growth = quantity(THEOREM_2_BEST_STEP, q), quantity(THEOREM_2_BEST_STEP, kappa)
    (unit_noise, inverse_noise), (unit_long, inverse_long) = by.quotient(noise), by.quotient(long)
    radicand = proof.step("L̂D/(ζ²T)", gt(ratio.expression.base, 0), signs, inverse_noise, inverse_long)
    q_is, q_squared = proof.quantity(ratio), by.root(radicand)
    q_positive = proof.step("q > 0", gt(q, 0), q_is, by.positive_root(radicand))
    q_square = proof.step("q²", eq(q**2 * zeta**2 * T, Lhat * D), q_is, q_squared, unit_noise, unit_long)
    inside = radical(growth.expression).base
    wide = proof.step("q² + 2 > 0", gt(inside, 0), proof.step("2", gt(2, 0)), q_positive, hints=[q])
    kappa_is, root = proof.quantity(growth), by.root(wide)
    above = proof.step("κ > q", gt(kappa, q), kappa_is, by.positive_root(wide))
    kappa_positive = proof.step("κ > 0", gt(kappa, 0), above, q_positive)
    quadratic = proof.step(
        "κ² = 2qκ + 2",
        eq(kappa**2, 2 * q * kappa + 2),
        kappa_is,
        root,
        meaning="κ is a root of the quadratic that the best step solves.",
    )
    unit_kappa, inverse_kappa = by.quotient(kappa_positive)
    divisor = proof.step("κL̂ > 0", gt(kappa * Lhat, 0), kappa_positive, constant)
    unit_constant, inverse_constant = by.quotient(constant)
    alpha_is = proof.quantity(quantity(THEOREM_2_BEST_STEP, alpha))
    step = proof.step("α", eq(alpha * kappa * Lhat, 2 * q), alpha_is, unit_kappa, unit_constant)
    positive = proof.step("α > 0", gt(alpha, 0), divisor, step, q_positive, factor=[0])
    lines = descent(proof, m, smooth, BALL, positive)
    total = summed(proof, lines, [constant, positive])
    scaled = proof.step(
        "times L̂",
        le(Lhat * alpha * (1 - Lhat * alpha / 2) * TOTAL, T * zeta**2 * (q**2 + (Lhat * alpha) ** 2 / 2)),
        constant,
        total,
        q_square,
        meaning="L̂D is q²ζ²T.",
    )
    weight = proof.step("κ² ≥ 0", ge(kappa**2, 0), kappa_positive)
    cleared = proof.step(
        "times κ²",
        le(2 * q * (kappa - q) * TOTAL, T * zeta**2 * q**2 * (kappa**2 + 2)),
        weight,
        scaled,
        step,
        meaning="L̂ακ is 2q.",
    )
    divided = proof.step(
        "divided by 2q",
        le((kappa - q) * TOTAL, T * zeta**2 * q * kappa * (kappa - q)),
        q_positive,
        cleared,
        quadratic,
        factor=[0],
    )
    sums = proof.step(
        "Σ ≤ Tκqζ²", le(TOTAL, T * zeta**2 * q * kappa), above, divided, factor=[0], meaning="κ exceeds q."
    )
    term = _root_term(proof, signs, (q_positive, noise), (q_square, unit_long, inverse_long))
    bound = proof.quantity(THEOREM_2_BEST_STEP.quantities[-1])
    least = proof.step("least", le(MINIMUM_GRADIENT, kappa * q * zeta**2), long, by.minimum(SQUARE), sums, factor=[0])
    proof.conclude(proof.step("κS", THEOREM_2_BEST_STEP.conclusion, least, bound, term))


def _root_term(proof: Proof, signs: list[Theorem], sizes: tuple[Theorem, ...], facts: tuple[Theorem, ...]) -> Theorem:
    """sqrt(DL̂ζ²/T) = qζ²."""
    by, root, value = proof.by, ROOT_TERM, q * zeta**2
    q_square, unit_long, inverse_long = facts
    radicand = proof.step("DL̂ζ²/T", gt(root.base, 0), signs, inverse_long)
    squares = proof.step("S²", eq(value**2, root.base), q_square, unit_long)
    size = proof.step("qζ² ≥ 0", ge(value, 0), *sizes)
    squared = by.root(radicand)
    below = by.from_squares(
        proof.step("S²", ge(root.base, value**2), squares), by.root_nonnegative(root.base), value, squared
    )
    above = by.from_squares(proof.step("S²", ge(value**2, root.base), squares), size, root, squared)
    return proof.step("S", eq(root, value), by.equal(below, above), meaning="Both are positive, with equal squares.")
