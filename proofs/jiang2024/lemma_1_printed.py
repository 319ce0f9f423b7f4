"""Lemma 1 of jiang2024 as printed, (11) to (13), with denominators cleared; and its "any v_1, v_2"."""

import sympy as sp

from boundcheck.claims.jiang2024 import (
    A1,
    A2,
    ASSUMPTION_1,
    ASSUMPTION_2,
    ASSUMPTION_3_1,
    ASSUMPTION_3_2,
    B1,
    B2,
    LEMMA_1,
    W1,
    W2,
    A_t,
    B_t,
    W,
    v,
    v1,
    v2,
)
from boundcheck.claims.symbols import C, G, L, Lhat, r, sigma
from boundcheck.claims.vocabulary import FrobeniusNorm
from boundcheck.kernel import Theorem
from boundcheck.prove import Proof, eq, ge, le, script

from . import lemma_1
from .setting import LENGTH, MOVE, MOVE_A, MOVE_B, READING, A, B, Meft
from .witnesses import DENOMINATOR, OFF_THE_BALL, PYTHAGORAS

APART = MOVE_A + MOVE_B


class Printed:
    """The hypotheses as printed, on the ball, and the two norms that the lines are about."""

    def __init__(self, proof: Proof):
        self.proof, self.m = proof, Meft(proof)
        m = self.m
        self.signs = proof.positive(L, C, G, sigma, r)
        self.chain = m.chain_rule()
        self.smooth = proof.assume(ASSUMPTION_1, forall=[W1, W2])
        ball = [*m.ball(A1, B1), *m.ball(A2, B2)]
        self.lipschitz = proof.assume(ASSUMPTION_3_1, where={W1: m.w1, W2: m.w2}, forall=[v1, v2], given=ball)
        self.bounded = proof.assume(ASSUMPTION_3_2, where={W: m.weight(A, B)}, forall=[v], given=m.ball(A, B))
        self.block_a = FrobeniusNorm(B1.T * m.slope1 - B2.T * m.slope2)
        self.block_b = FrobeniusNorm(m.slope1 * A1.T - m.slope2 * A2.T)
        self.sizes = FrobeniusNorm(A1.T) + FrobeniusNorm(B1.T)
        self.first = m.turn * self.sizes + FrobeniusNorm(m.slope2) * APART
        self.second = L * FrobeniusNorm(m.w1 - m.w2) * self.sizes + G * APART


@script(LEMMA_1, "printed", READING)
def printed(proof: Proof) -> None:
    p = Printed(proof)
    near = proof.assume(ASSUMPTION_2, where={A_t: A1, B_t: B1}, role="local")
    proof.assume(ASSUMPTION_2, where={A_t: A2, B_t: B2}, role="local")
    by = proof.by
    proof.step(
        "(11)",
        eq(LENGTH, p.block_a + p.block_b),
        printed=r"\frac{\|\nabla f(\mathbf{v}_1) - \nabla f(\mathbf{v}_2)\|_F}{\|\mathbf{v}_1 - \mathbf{v}_2\|_F} = "
        r"\frac{\|\mathbf{B}_1^\top \nabla_{\mathbf{W}_1}f - \mathbf{B}_2^\top \nabla_{\mathbf{W}_2}f\|_F + "
        r"\|\nabla_{\mathbf{W}_1}f \mathbf{A}_1^\top - \nabla_{\mathbf{W}_2}f \mathbf{A}_2^\top\|_F}"
        r"{\|\mathbf{v}_1 - \mathbf{v}_2\|_F}",
        meaning="The norm of a pair is not the sum of the norms of its parts, but the root of the sum of their squares.",
        witness=PYTHAGORAS,
    )
    line12 = _line12(p)
    _line13(p, line12, near)
    # The same fact as the repaired proof's, for these two points of the ball.
    repaired = by.instance(proof.cite(lemma_1.repaired.proof, "repaired", "The paper's statement."), {v1: v1, v2: v2})
    proof.step(
        "(10)",
        le(LENGTH, Lhat * MOVE),
        repaired,
        printed=r"\|\nabla f(\mathbf{v}_1) - \nabla f(\mathbf{v}_2)\| \le (2LC\sqrt{r}\sigma + G)\|\mathbf{v}_1 - \mathbf{v}_2\|",
        meaning="True, by the repaired proof; as printed it is drawn from (13), whose first line is false.",
    )


def by_nonnegative(proof: Proof) -> Theorem:
    """That the Euclidean distance of v_1 and v_2 is not negative."""
    return proof.by.nonnegative("F", v1 - v2)


def _line12(p: Printed) -> tuple[Theorem, Theorem]:
    proof, by, m, turned = p.proof, p.proof.by, p.m, p.m.slope1 - p.m.slope2
    inserted = r"\mathbf{B}_1^\top \nabla_{\mathbf{W}_1}f - \mathbf{B}_1^\top \nabla_{\mathbf{W}_2}f + "
    inserted += r"\mathbf{B}_1^\top \nabla_{\mathbf{W}_2}f - \mathbf{B}_2^\top \nabla_{\mathbf{W}_2}f"
    split = proof.step(
        "(12), triangle",
        le(p.block_a, FrobeniusNorm(B1.T * turned) + FrobeniusNorm((B1.T - B2.T) * m.slope2)),
        by.triangle("F", B1.T * turned, (B1.T - B2.T) * m.slope2),
        printed=rf"\| {inserted} \|_F \le \|\mathbf{{B}}_1^\top (\nabla_{{\mathbf{{W}}_1}}f - "
        r"\nabla_{\mathbf{W}_2}f)\|_F + \|(\mathbf{B}_1^\top - \mathbf{B}_2^\top) \nabla_{\mathbf{W}_2}f\|_F",
        meaning="What (11) inserts is 0; then the triangle inequality.",
    )
    change_a = proof.step(
        "(12)",
        le(p.block_a, FrobeniusNorm(B1.T) * m.turn + FrobeniusNorm(B1.T - B2.T) * FrobeniusNorm(m.slope2)),
        split,
        by.submultiplicative("F", "F", B1.T, turned),
        by.submultiplicative("F", "F", B1.T - B2.T, m.slope2),
        printed=r"\le \|\mathbf{B}_1^\top\|_F \|\nabla_{\mathbf{W}_1}f - \nabla_{\mathbf{W}_2}f\|_F + "
        r"\|\mathbf{B}_1^\top - \mathbf{B}_2^\top\|_F \|\nabla_{\mathbf{W}_2}f\|_F",
        meaning="Called Cauchy-Schwarz; it is submultiplicativity. With ‖XY‖_F ≤ ‖X‖_op‖Y‖_F no √r would enter.",
    )
    change_b = proof.step(
        "(12), similarly",
        le(p.block_b, m.turn * FrobeniusNorm(A1.T) + FrobeniusNorm(m.slope2) * FrobeniusNorm(A1.T - A2.T)),
        by.triangle("F", turned * A1.T, m.slope2 * (A1.T - A2.T)),
        by.submultiplicative("F", "F", turned, A1.T),
        by.submultiplicative("F", "F", m.slope2, A1.T - A2.T),
        printed=r"\le \|\nabla_{\mathbf{W}_1} f - \nabla_{\mathbf{W}_2} f\|_F \|\mathbf{A}_1^\top\|_F + "
        r"\|\nabla_{\mathbf{W}_2} f\|_F \|\mathbf{A}_1^\top - \mathbf{A}_2^\top\|_F",
        meaning="The block of B, in the same way.",
    )
    return change_a, change_b


def _line13(p: Printed, line12: tuple[Theorem, Theorem], near: tuple[Theorem, Theorem]) -> list[Theorem]:
    proof, by, m = p.proof, p.proof.by, p.m
    first = proof.step(
        "(13), first ≤",
        le(LENGTH * APART, p.first * MOVE),
        printed=r"\frac{\|\nabla f(\mathbf{v}_1) - \nabla f(\mathbf{v}_2)\|_F}{\|\mathbf{v}_1 - \mathbf{v}_2\|_F} \le "
        r"\frac{\|\nabla_{\mathbf{W}_1} f - \nabla_{\mathbf{W}_2} f\|_F (\|\mathbf{A}_1^\top\|_F + \|\mathbf{B}_1^\top\|_F)"
        r" + \|\nabla_{\mathbf{W}_2} f\|_F (\|\mathbf{A}_1^\top - \mathbf{A}_2^\top\|_F + \|\mathbf{B}_1^\top - "
        r"\mathbf{B}_2^\top\|_F)}{\|\mathbf{A}_1 - \mathbf{A}_2\|_F + \|\mathbf{B}_1 - \mathbf{B}_2\|_F}",
        meaning="‖v_1 - v_2‖ is replaced by ‖A_1 - A_2‖ + ‖B_1 - B_2‖, which is larger: the wrong way, by up to √2.",
        derived_from=[*line12, by_nonnegative(proof)],
        witness=DENOMINATOR,
    )
    smooth, bounded = by.instance(p.smooth, {W1: m.w1, W2: m.w2}), by.instance(p.bounded, {v: v2})
    second = proof.step(
        "(13), second ≤",
        le(p.first, p.second),
        smooth,
        bounded,
        printed=r"\le \frac{L \|\mathbf{W}_1 - \mathbf{W}_2\|_F (\|\mathbf{A}_1^\top\|_F + \|\mathbf{B}_1^\top\|_F)}"
        r"{\|\mathbf{A}_1 - \mathbf{A}_2\|_F + \|\mathbf{B}_1 - \mathbf{B}_2\|_F} + G",
        meaning="Assumption 1 and Assumption 3(2).",
    )
    small = [_frobenius(p, x, ball) for x, ball in zip((A1, B1), near, strict=True)]
    third = proof.step(
        "(13), third ≤",
        le(p.second, LEMMA_1.quantities[0].expression * APART),
        proof.step(
            "distance",
            le(L * FrobeniusNorm(m.w1 - m.w2), L * C * APART),
            by.instance(p.lipschitz, {v1: v1, v2: v2}),
            p.signs,
        ),
        small,
        proof.step("LC", ge(L * C * APART, 0), p.signs),
        printed=r"\le 2LC\sqrt{r}\sigma + G",
        meaning="Assumptions 2 and 3(1); ‖A_1‖_F ≤ √r ‖A_1‖_op is where the rank enters.",
    )
    return [first, second, third]


def _frobenius(p: Printed, x: sp.MatrixSymbol, near: Theorem) -> Theorem:
    """‖X‖_F <= √r σ for a factor in the ball."""
    proof, by = p.proof, p.proof.by
    squares = proof.step(f"‖{x}‖_F²", le(FrobeniusNorm(x) ** 2, r * sigma**2), by.rank(x, r), near, p.signs, degree=3)
    root = sp.sqrt(r)
    size = proof.step("√rσ", ge(root * sigma, 0), by.root_nonnegative(r), p.signs)
    squared = by.root(proof.step("r ≥ 0", ge(r, 0), p.signs))
    small = by.from_squares(squares, size, FrobeniusNorm(x), squared)
    return proof.step(f"‖{x}‖_F", le(FrobeniusNorm(x), root * sigma), small)


@script("jiang2024.lemma1.any_points", "printed", READING, title='Lemma 1, for "any given v_1, v_2"', is_statement=True)
def any_points(proof: Proof) -> None:
    """Assumption 2 speaks of iterates alone, so that the lemma's own quantifier ranges over all of space."""
    Printed(proof)
    proof.step(
        "(10), any v_1, v_2",
        le(LENGTH, LEMMA_1.quantities[0].expression * MOVE),
        printed=r"\text{for any given } \mathbf{v}_1, \mathbf{v}_2 \in \mathbb{R}^m",
        meaning="Off the ball F is as steep as A and B are large. (And v lies in R^n, not R^m.)",
        witness=OFF_THE_BALL,
    )
