"""Lemma 1 for adapters that are LoRA under another name, or half of it: DiReFT with bias, and B frozen."""

from collections.abc import Sequence
from dataclasses import replace

from boundcheck.claims.symbols import L, Lhat, a, b, s
from boundcheck.claims.vocabulary import A1, A2, W1, W2, A, B, F, FrobeniusNorm, Gradient, Value, f
from boundcheck.kernel import Theorem
from boundcheck.prove import Proof, eq, ge, le, script

from ..meft.adapters import DIREFT, FROZEN_B, FROZEN_FACTOR_B
from .claims import ASSUMPTION_1
from .lemma_1 import smoothness
from .setting import READING, UNSCALED, W0, quantity

ONE_FACTOR = replace(READING, constants=READING.constants | {B}, arbitrary=READING.arbitrary - {B})

# W at A_1 and A_2, and ∇f(W_1) - ∇f(W_2).
POINT_1, POINT_2 = W0 + s * B * A1, W0 + s * B * A2
TURNED = Gradient(f, POINT_1) - Gradient(f, POINT_2)
TURN, MOVE = FrobeniusNorm(TURNED), FrobeniusNorm(A1 - A2)


@script(DIREFT, "sharp", READING)
def direft(proof: Proof) -> None:
    """λ* at scale 1, of A = [U_1 b] and B = U_2ᵀ: nothing in the proof asks what the columns of A are."""
    smoothness(proof, DIREFT, UNSCALED, (a, b))


@script(FROZEN_B, "sharp", ONE_FACTOR)
def frozen(proof: Proof) -> None:
    """∇F(A) = sBᵀ∇f(W), and W moves by sB(A_1 - A_2)."""
    by = proof.by
    signs = proof.positive(L, b, s)
    size = proof.step("s ≥ 0", ge(s, 0), signs)
    radius = proof.assume(FROZEN_FACTOR_B)
    turn = _turn(proof, proof.assume(ASSUMPTION_1, forall=[W1, W2]), radius, size, signs)
    law = proof.define(Value(F, A), Value(f, W0 + s * B * A), "F(A) = f(W)", forall=[A])
    chain = proof.state(
        "chain rule",
        eq(Gradient(F, A), s * B.T * Gradient(f, W0 + s * B * A)),
        by.chain_rule(law, 0),
        meaning="For all A, by the chain rule.",
    )
    image = proof.step(
        "Bᵀ∇f",
        le(FrobeniusNorm(B.T * TURNED), b * TURN),
        by.submultiplicative("op", "F", B.T, TURNED),
        radius,
        meaning="‖XY‖_F ≤ ‖X‖_op‖Y‖_F once more.",
    )
    reach = s**2 * L * b**2 * MOVE
    inner = proof.step(
        "sBᵀ∇f",
        le(FrobeniusNorm(s * B.T * TURNED), reach),
        by.homogeneous(size, "F", B.T * TURNED),
        image,
        proof.step("sb∇f", le(s * b * TURN, reach), proof.step("sb ≥ 0", ge(s * b, 0), signs), turn),
        signs,
        meaning="The bounds on ∇f and on its product with Bᵀ, times s.",
    )
    gradients = [
        (by.instance(chain, {A: x}), Gradient(F, x), s * B.T * Gradient(f, point))
        for x, point in ((A1, POINT_1), (A2, POINT_2))
    ]
    relation = le(FrobeniusNorm(Gradient(F, A1) - Gradient(F, A2)), reach)
    line = proof.step("∇F", relation, by.rewrite(inner, relation, *gradients), meaning="By the chain rule.")
    defined = proof.quantity(quantity(FROZEN_B, Lhat))
    final = proof.step("(8)", FROZEN_B.conclusion, line, defined, meaning="L̂ is s²Lb².")
    proof.conclude(final, forall=[A1, A2])


def _turn(proof: Proof, smooth: Theorem, radius: Theorem, size: Theorem, signs: Sequence[Theorem]) -> Theorem:
    """‖∇f(W_1) - ∇f(W_2)‖ <= Lsb‖A_1 - A_2‖."""
    by, change = proof.by, B * (A1 - A2)
    product = proof.step(
        "BA",
        le(FrobeniusNorm(change), b * MOVE),
        by.submultiplicative("op", "F", B, A1 - A2),
        radius,
        meaning="‖XY‖_F ≤ ‖X‖_op‖Y‖_F, and ‖B‖_op ≤ b.",
    )
    moved = proof.step(
        "W",
        le(FrobeniusNorm(POINT_1 - POINT_2), s * b * MOVE),
        by.homogeneous(size, "F", change),
        product,
        signs,
        meaning="W_1 - W_2 is sB(A_1 - A_2).",
    )
    return proof.step(
        "∇f",
        le(TURN, L * s * b * MOVE),
        by.instance(smooth, {W1: POINT_1, W2: POINT_2}),
        moved,
        signs,
        meaning="f is L-smooth.",
    )
