"""Theorem 2 at any constant step below 2/L̂, for any function that is smooth along the run: the sum, divided by αT.

There are no factors: v is a vector and F is f itself, so the theorem holds for every adapter's F.
"""

from boundcheck.kernel import Theorem
from boundcheck.language.symbols import Lhat, T, alpha, bound, ell, eta, eta_max
from boundcheck.language.vocabulary import MINIMUM_GRADIENT, F, Value, W, f, g, g_t, v, v1, v2, v_t
from boundcheck.proof import Process, Proof, Reading, eq, ge, gt, le, script

from ..classics.claims import SMOOTH
from ..meft.theorems import THEOREM_2_ANY_STEP
from .ball import unit_interval
from .descent import BEYOND, SQUARE, SUMMED, descent, expected_descent, from_start, summed, v_last
from .setting import quantity, theta

# W is v, as in full fine-tuning.
ANY_FUNCTION = Reading(
    points={W: (v,)},
    processes={v_t: Process((v,)), g_t: Process((g,), drawn=True)},
    arbitrary={theta, v, v1, v2},
)


@script(THEOREM_2_ANY_STEP, "sharp", ANY_FUNCTION)
def any_step(proof: Proof) -> None:
    """The step size is given, and as long as the divisor is positive."""
    by, share = proof.by, 1 - Lhat * alpha / 2
    constant, step_size = _constants(proof)
    law = proof.define(Value(F, v), Value(f, v), "$F(v) = f(v)$", forall=[v])
    lines = descent(proof, along_run(proof), law, v_last, step_size)
    weight = proof.step("$L̂α² ≥ 0$", ge(Lhat * alpha**2, 0), constant, step_size)
    total = summed(proof, lines, expected_descent(proof, lines), weight)
    room = _room(proof, constant)
    long = proof.step("$T > 0$", gt(T, 0), proof.positive(T))
    limit = proof.step(
        "αT(1 - L̂α/2) times the bound",
        eq(alpha * T * share * bound, SUMMED),
        proof.quantity(quantity(THEOREM_2_ANY_STEP, bound)),
        *(by.quotient(x)[0] for x in (step_size, long, room)),
        meaning="The bound, its denominators cleared.",
        degree=3,
    )
    size = proof.step("$α(1 - L̂α/2) ≥ 0$", ge(alpha * share, 0), step_size, room)
    least = proof.step(
        "least",
        le(alpha * T * share * MINIMUM_GRADIENT, SUMMED),
        total,
        size,
        by.minimum(SQUARE),
        meaning="The least of T numbers is at most their mean.",
    )
    final = proof.step(
        "divided by αT(1 - L̂α/2)", THEOREM_2_ANY_STEP.conclusion, step_size, long, room, least, limit, factor=[0, 1, 2]
    )
    proof.conclude(final)


def _constants(proof: Proof) -> tuple[Theorem, Theorem]:
    """L̂ > 0 and α > 0, which are given."""
    smoothness, step_size = (proof.quantity(quantity(THEOREM_2_ANY_STEP, x)) for x in (Lhat, alpha))
    signs = proof.positive(ell, eta)
    return (
        proof.step("$L̂ > 0$", gt(Lhat, 0), smoothness, signs),
        proof.step("$α > 0$", gt(alpha, 0), step_size, signs),
    )


def along_run(proof: Proof) -> Theorem:
    """Smoothness along the segment from v_t to v_{t+1}, only between its start and its points."""
    between = unit_interval(proof)
    where, given = {v1: BEYOND, v2: v_t}, [ge(theta, 0), ge(1, theta)]
    smooth = proof.assume(SMOOTH, where=where, forall=[theta], given=given)
    return from_start(
        proof,
        between,
        "the segments between iterates",
        proof.by.instance(smooth, {theta: theta}, *between),
        proof.recall("Lhat"),
    )


def _room(proof: Proof, constant: Theorem) -> Theorem:
    """1 - L̂α/2 > 0, from η < 2/L̂."""
    unit, _ = proof.by.quotient(constant)
    longest = proof.step(
        "$η_max L̂ = 2$", eq(eta_max * Lhat, 2), proof.quantity(quantity(THEOREM_2_ANY_STEP, eta_max)), unit
    )
    below = proof.assume(THEOREM_2_ANY_STEP.conditions[0])
    return proof.step(
        "$1 - L̂α/2 > 0$",
        gt(1 - Lhat * alpha / 2, 0),
        longest,
        proof.step("$L̂η_max > L̂η$", gt(Lhat * eta_max, Lhat * eta), constant, below),
        proof.recall("alpha"),
        meaning="The step is shorter than 2/L̂.",
    )
