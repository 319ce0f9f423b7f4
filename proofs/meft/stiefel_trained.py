"""LoReFT in (R, U), as pyreft trains it: the line of `stiefel` at V = U - RW_0, and what RᵀR adds to it."""

from dataclasses import replace

import sympy as sp

from boundcheck.language.symbols import G, L, nu
from boundcheck.language.vocabulary import FrobeniusNorm, Gradient, InnerProduct, SpectralNorm, Value, W, f, v, v1, v2
from boundcheck.proof import Proof, ge, le, script

from ..jiang2024.setting import W0
from .adapters import EDITS, LOREFT_TRAINED, R1, R2, U1, U2, V1, V2, R, U, tangent
from .lora import GRADIENT_BOUND
from .stiefel import (
    IN_R,
    MOVE_R,
    MOVE_V,
    PREMISES,
    SAME,
    SHORT,
    STIEFEL,
    by_blocks,
    conclude,
    in_weights,
    normal,
    of_loss,
)

TRAINED = replace(
    STIEFEL,
    points={v: (R, U), v1: (R1, U1), v2: (R2, U2)},
    arbitrary=STIEFEL.arbitrary | {U, U1, U2},
)
# At these values of V.
AT = {V1: EDITS[1], V2: EDITS[2]}
MOVE_U, MOVE_EDIT = FrobeniusNorm(U2 - U1), MOVE_V.xreplace(AT)
WEIGHT, WEIGHT_2 = (W0 + x.T * y for x, y in zip((R1, R2), EDITS[1:], strict=True))
M = Gradient(f, WEIGHT)
STEEP = le(SpectralNorm(M), G)
SLOPES = EDITS[1] * M.T - R1 * M * W0.T, R1 * M
NEAR, FAR = (le(SpectralNorm(x), nu) for x in EDITS[1:])
GIVEN = le(SpectralNorm(W0), 1)


@script(LOREFT_TRAINED, "sharp", TRAINED)
def trained(proof: Proof) -> None:
    """The right side is the form of [[L(1 + ν)² + G(3 + ν), L(1 + ν) + G], [L(1 + ν) + G, L]] in (p, ‖ΔU‖)."""
    by, signs = proof.by, proof.positive(L, G, nu)
    line = proof.generalise(in_weights(proof, signs), [R1, R2, V1, V2], PREMISES)
    same, short, near, far, given = (proof.local(fact) for fact in (SAME, SHORT, NEAR, FAR, GIVEN))
    steep = proof.assume(GRADIENT_BOUND, where={W: WEIGHT}, role="local")
    at_edits = by.instance(line, {R1: R1, R2: R2, **AT}, same, short, near, far, steep)
    moved = proof.step(
        "$‖ΔV‖$",
        le(MOVE_EDIT, MOVE_U + MOVE_R),
        by.triangle("F", U2 - U1, -IN_R * W0),
        by.submultiplicative("F", "op", IN_R, W0),
        proof.step("$p‖W_0‖$", le(MOVE_R * SpectralNorm(W0), MOVE_R), given),
        meaning="$ΔV = ΔU - ΔRW_0$, and $‖W_0‖_op ≤ 1$.",
    )
    entries = L * (1 + nu) ** 2 + G * (3 + nu), L * (1 + nu) + G, L
    reach, farther = nu * MOVE_R + MOVE_EDIT, (1 + nu) * MOVE_R + MOVE_U
    total = proof.step("$νp + ‖ΔV‖ + (1 + ν)p + ‖ΔU‖ ≥ 0$", ge(reach + farther, 0), signs)
    wider = le(reach**2, farther**2)
    squares = proof.step("$(νp + ‖ΔV‖)²$", wider, moved, total, meaning="The difference of the squares is a product.")
    bend = proof.step("$L(νp + ‖ΔV‖)²$", le(L * wider.lhs, L * wider.rhs), squares, signs)
    crossed = proof.step("$Gp‖ΔV‖$", le(G * MOVE_R * MOVE_EDIT, G * MOVE_R * (MOVE_U + MOVE_R)), moved, signs)
    image = proof.step(
        "$‖R_1W_0‖$", le(SpectralNorm(-R1 * W0), 1), by.submultiplicative("op", "op", R1, W0), short, given, signs
    )
    top, cross, low = entries
    limit = (top * MOVE_R**2 + 2 * cross * MOVE_R * MOVE_U + low * MOVE_U**2) / 2
    fall = Value(f, WEIGHT_2) - Value(f, WEIGHT)
    linear = InnerProduct(tangent(SLOPES[0]), IN_R) + InnerProduct(SLOPES[1], U2 - U1)
    whole = proof.step(
        "by f, in (R, U)",
        le(fall - linear, limit),
        at_edits,
        bend,
        crossed,
        normal(proof, -R1 * W0, sp.Integer(1), image, (same, short, steep), signs, M),
        meaning="R enters once more, by $RᵀR$, and its part that is normal to the manifold is of second order too.",
    )
    final = of_loss(proof, LOREFT_TRAINED, whole, limit, (R, U), SLOPES, W0 + R.T * EDITS[0])
    form = by_blocks(proof, LOREFT_TRAINED, final, entries, signs, (MOVE_R, MOVE_U))
    conclude(proof, LOREFT_TRAINED, *form, such_that=[SAME, SHORT, NEAR, FAR, STEEP, GIVEN])
