"""Lemma 1 of jiang2024: repaired, with the paper's own constant; and sharp, with λ*."""

from collections.abc import Sequence

import sympy as sp

from boundcheck.claims import Claim
from boundcheck.claims.symbols import C, G, L, Lhat, a, b, r, s, sigma
from boundcheck.claims.vocabulary import (
    A1,
    A2,
    B1,
    B2,
    W1,
    W2,
    A_t,
    B_t,
    F,
    FrobeniusNorm,
    Gradient,
    SpectralNorm,
    W,
    v,
    v1,
    v2,
)
from boundcheck.kernel import Theorem
from boundcheck.prove import Proof, ge, le, script

from ..meft.lora import GRADIENT_BOUND, LEMMA_1_SHARP, LEMMA_1_SHARP_EQUAL_RADII
from . import eigenvalue
from .claims import ASSUMPTION_1, ASSUMPTION_2, ASSUMPTION_3_1, ASSUMPTION_3_2, LEMMA_1
from .eigenvalue import Entries
from .setting import CHANGE_A, CHANGE_B, LENGTH, MOVE, MOVE_A, MOVE_B, READING, UNSCALED, A, B, Meft, quantity


def gradient_differences(m: Meft, near: Sequence[Theorem], bounded: Theorem) -> tuple[Theorem, Theorem]:
    """The two lines that bound B_1ᵀ∇f(W_1) - B_2ᵀ∇f(W_2) and ∇f(W_1)A_1ᵀ - ∇f(W_2)A_2ᵀ, from ‖∇f(W_2)‖_op <= G."""
    proof, by, turned = m.proof, m.proof.by, m.slope1 - m.slope2
    change_a = proof.step(
        "∇A",
        le(FrobeniusNorm(B1.T * m.slope1 - B2.T * m.slope2), m.radii[1] * m.turn + G * MOVE_B),
        by.triangle("F", B1.T * turned, (B1 - B2).T * m.slope2),
        by.submultiplicative("op", "F", B1.T, turned),
        by.submultiplicative("F", "op", (B1 - B2).T, m.slope2),
        near[1],
        bounded,
        meaning="The left side is B_1ᵀ(∇f(W_1) - ∇f(W_2)) + (B_1 - B_2)ᵀ∇f(W_2), and ‖XY‖_F ≤ ‖X‖_op‖Y‖_F: no √r.",
    )
    change_b = proof.step(
        "∇B",
        le(FrobeniusNorm(m.slope1 * A1.T - m.slope2 * A2.T), m.radii[0] * m.turn + G * MOVE_A),
        by.triangle("F", turned * A1.T, m.slope2 * (A1 - A2).T),
        by.submultiplicative("F", "op", turned, A1.T),
        by.submultiplicative("op", "F", m.slope2, (A1 - A2).T),
        near[0],
        bounded,
        meaning="The left side is (∇f(W_1) - ∇f(W_2))A_1ᵀ + ∇f(W_2)(A_1 - A_2)ᵀ.",
    )
    return change_a, change_b


def product_difference(m: Meft, near: Sequence[Theorem], far: Sequence[Theorem]) -> Theorem:
    """‖B_1A_1 - B_2A_2‖ <= b‖A_1 - A_2‖ + a‖B_1 - B_2‖ on the ball."""
    by = m.proof.by
    return m.proof.step(
        "BA",
        le(FrobeniusNorm(B1 * A1 - B2 * A2), m.radii[1] * MOVE_A + m.radii[0] * MOVE_B),
        by.triangle("F", B1 * (A1 - A2), (B1 - B2) * A2),
        by.submultiplicative("op", "F", B1, A1 - A2),
        by.submultiplicative("F", "op", B1 - B2, A2),
        near[1],
        far[0],
        meaning="B_1A_1 - B_2A_2 = B_1(A_1 - A_2) + (B_1 - B_2)A_2.",
    )


def block_bounds(
    m: Meft,
    entries: Entries,
    differences: Sequence[Theorem],
    turned: Theorem,
    scale: Theorem,
    signs: Sequence[Theorem],
) -> list[Theorem]:
    """Each block of ∇F(v_1) - ∇F(v_2) is at most a row of [[P, K], [K, R]] times (‖A_1 - A_2‖, ‖B_1 - B_2‖)."""
    proof, by, (top, cross, low) = m.proof, m.proof.by, entries
    chain = m.chain_rule()
    found = []
    for name, change, inside, part, bound in (
        ("A", CHANGE_A, B1.T * m.slope1 - B2.T * m.slope2, differences[0], top * MOVE_A + cross * MOVE_B),
        ("B", CHANGE_B, m.slope1 * A1.T - m.slope2 * A2.T, differences[1], cross * MOVE_A + low * MOVE_B),
    ):
        row = proof.step(
            f"row {name}",
            le(FrobeniusNorm(m.scale * inside), bound),
            by.homogeneous(scale, "F", inside),
            part,
            turned,
            signs,
            degree=3,
            meaning=f"The bound on ∇{name} with that on ∇f put in.",
        )
        relation = le(FrobeniusNorm(change), bound)
        rewritten = by.rewrite(row, relation, *m.gradients(chain))
        found.append(proof.step(f"∇_{name}F", relation, rewritten, meaning="By the chain rule."))
    return found


def stretched_length(
    m: Meft,
    constant: sp.Expr,
    entries: Entries,
    images: Sequence[Theorem],
    eigen: tuple[Theorem, Theorem],
    signs: Sequence[Theorem],
) -> Theorem:
    """‖∇F(v_1) - ∇F(v_2)‖ <= l‖v_1 - v_2‖, l the top eigenvalue of the matrix with these entries."""
    proof, by = m.proof, m.proof.by
    nonnegative = [proof.step(f"{name} ≥ 0", ge(x, 0), signs) for name, x in zip("PKR", entries, strict=True)]
    values = eigenvalue.values(entries, constant, (MOVE_A, MOVE_B), (FrobeniusNorm(CHANGE_A), FrobeniusNorm(CHANGE_B)))
    norms = [by.nonnegative("F", z) for z in (A1 - A2, B1 - B2, CHANGE_A, CHANGE_B)]
    squares = proof.step(
        "squares",
        le(LENGTH**2, constant**2 * MOVE**2),
        by.instance(eigenvalue.stretch(proof), values, *eigen, *images, *nonnegative, *norms),
        by.block_norm(Gradient(F, v1) - Gradient(F, v2)),
        by.block_norm(v1 - v2),
        meaning="The squared length of a pair is the sum of the squared norms of its parts.",
    )
    size = proof.step("l‖v_1 - v_2‖ ≥ 0", ge(constant * MOVE, 0), eigen[0], nonnegative)
    return by.from_squares(squares, size, LENGTH)


def smoothness(proof: Proof, claim: Claim, scale: sp.Expr, radii: tuple[sp.Symbol, sp.Symbol]) -> None:
    """Lemma 1 with the top eigenvalue of [[s²Lb², s²Lab + sG], [s²Lab + sG, s²La²]] on the ball of radii a, b."""
    by, m = proof.by, Meft(proof, scale, radii)
    signs = proof.positive(L, G, *dict.fromkeys(radii), *scale.free_symbols)
    entries = (
        scale**2 * L * radii[1] ** 2,
        scale**2 * L * radii[0] * radii[1] + scale * G,
        scale**2 * L * radii[0] ** 2,
    )
    constant = quantity(claim, Lhat)
    defined = proof.quantity(constant)
    smooth = proof.assume(ASSUMPTION_1, forall=[W1, W2])
    bounded = proof.assume(GRADIENT_BOUND, where={W: m.weight(A, B)}, forall=[v], given=m.ball(A, B))
    near = [proof.local(relation) for relation in m.ball(A1, B1)]
    far = [proof.local(relation) for relation in m.ball(A2, B2)]

    differences = gradient_differences(m, near, by.instance(bounded, {v: v2}))
    product = product_difference(m, near, far)
    nonnegative = proof.step("s ≥ 0", ge(scale, 0), signs)
    turned = proof.step(
        "∇f",
        le(m.turn, L * scale * (radii[1] * MOVE_A + radii[0] * MOVE_B)),
        by.instance(smooth, {W1: m.w1, W2: m.w2}),
        by.homogeneous(nonnegative, "F", B1 * A1 - B2 * A2),
        product,
        signs,
        degree=3,
        meaning="f is L-smooth, and W_1 - W_2 is s times BA's difference.",
    )
    images = block_bounds(m, entries, differences, turned, nonnegative, signs)
    eigen = eigenvalue.top_eigenvalue(proof, Lhat, constant.expression, entries, [defined, *signs])
    final = stretched_length(m, Lhat, entries, images, eigen, signs)
    line = proof.step("(10), sharp", claim.conclusion, final, meaning="Roots of both sides.")
    proof.conclude(line, forall=[v1, v2], such_that=m.balls)


@script(LEMMA_1_SHARP, "sharp", READING)
def sharp(proof: Proof) -> None:
    """λ*, with scale and unequal radii."""
    smoothness(proof, LEMMA_1_SHARP, s, (a, b))


@script(LEMMA_1_SHARP_EQUAL_RADII, "sharp", READING)
def equal_radii(proof: Proof) -> None:
    """λ* on the paper's own ball, at scale 1."""
    smoothness(proof, LEMMA_1_SHARP_EQUAL_RADII, UNSCALED, (sigma, sigma))


def without_rank(m: Meft, signs: Sequence[Theorem]) -> tuple[sp.Expr, Theorem]:
    """‖∇F(v_1) - ∇F(v_2)‖ <= (2LCσ + G)‖v_1 - v_2‖ under the paper's assumptions, without √r; and that constant."""
    proof, by = m.proof, m.proof.by
    smooth = proof.assume(ASSUMPTION_1, forall=[W1, W2])
    lipschitz = proof.assume(ASSUMPTION_3_1, where={W1: m.w1, W2: m.w2}, forall=[v1, v2], given=m.balls)
    bounded = proof.assume(ASSUMPTION_3_2, where={W: m.weight(A, B)}, forall=[v], given=m.ball(A, B))
    near = proof.assume(ASSUMPTION_2, where={A_t: A1, B_t: B1}, role="local")
    proof.assume(ASSUMPTION_2, where={A_t: A2, B_t: B2}, role="local")

    spectral = proof.step(
        "∇f(W_2)",
        le(SpectralNorm(m.slope2), G),
        by.spectral_below_frobenius(m.slope2),
        by.instance(bounded, {v: v2}),
        meaning="Assumption 3(2), in the smaller norm.",
    )
    differences = gradient_differences(m, near, spectral)
    turned = proof.step(
        "∇f",
        le(m.turn, L * C * (MOVE_A + MOVE_B)),
        by.instance(smooth, {W1: m.w1, W2: m.w2}),
        by.instance(lipschitz, {v1: v1, v2: v2}),
        signs,
        meaning="Assumptions 1 and 3(1).",
    )
    entries = (sigma * L * C, sigma * L * C + G, sigma * L * C)
    images = block_bounds(m, entries, differences, turned, proof.step("1 ≥ 0", ge(m.scale, 0)), signs)
    constant = 2 * L * C * sigma + G
    eigen = eigenvalue.top_eigenvalue(proof, constant, constant, entries, signs)
    tight = stretched_length(m, constant, entries, images, eigen, signs)
    line = proof.step(
        "without √r", le(LENGTH, constant * MOVE), tight, meaning="Already sharper than printed: the rank is gone."
    )
    return constant, line


@script(LEMMA_1, "repaired", READING)
def repaired(proof: Proof) -> None:
    """The paper's constant in the paper's Euclidean norm, for v_1 and v_2 in the ball of Assumption 2."""
    by, m = proof.by, Meft(proof)
    signs = proof.positive(L, C, G, sigma, r)
    defined = proof.quantity(quantity(LEMMA_1, Lhat))
    constant, tight = without_rank(m, signs)
    squared = by.root(proof.step("r ≥ 0", ge(r, 0), signs))
    root = by.from_squares(proof.step("r ≥ 1", ge(r, 1), signs), by.root_nonnegative(r), sp.Integer(1), squared)
    larger = proof.step("√r ≥ 1", ge(Lhat, constant), defined, root, signs, degree=4, meaning="Which only weakens it.")
    final = proof.step("(10)", le(LENGTH, Lhat * MOVE), tight, larger, meaning="The paper's statement.")
    proof.conclude(final, forall=[v1, v2], such_that=m.balls)
