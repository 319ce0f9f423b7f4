"""Lemma 1 of jiang2024 as printed, (11) to (13), with denominators cleared; and its "any v_1, v_2"."""

from collections.abc import Sequence

from boundcheck.claims.symbols import C, G, L, Lhat, r, sigma
from boundcheck.claims.vocabulary import A1, A2, B1, B2, W1, W2, A_t, B_t, FrobeniusNorm, W, v, v1, v2
from boundcheck.kernel import Theorem
from boundcheck.prove import Proof, eq, ge, le, script

from . import lemma_1, paper
from .ball import frobenius_norms
from .claims import ASSUMPTION_1, ASSUMPTION_2, ASSUMPTION_3_1, ASSUMPTION_3_2, LEMMA_1
from .setting import LENGTH, MOVE, MOVE_A, MOVE_B, READING, A, B, Meft, quantity
from .witnesses import DENOMINATOR, OFF_THE_BALL, PYTHAGORAS

APART = MOVE_A + MOVE_B
SIZES = FrobeniusNorm(A1.T) + FrobeniusNorm(B1.T)
CONSTANT = quantity(LEMMA_1, Lhat).expression


class Printed:
    """The hypotheses as printed, on the ball, and the two norms in the lines."""

    def __init__(self, proof: Proof):
        self.proof, self.m = proof, Meft(proof)
        m = self.m
        self.signs = proof.positive(L, C, G, sigma, r)
        m.chain_rule()
        self.smooth = proof.assume(ASSUMPTION_1, forall=[W1, W2])
        self.lipschitz = proof.assume(ASSUMPTION_3_1, where={W1: m.w1, W2: m.w2}, forall=[v1, v2], given=m.balls)
        self.bounded = proof.assume(ASSUMPTION_3_2, where={W: m.weight(A, B)}, forall=[v], given=m.ball(A, B))
        self.block_a = FrobeniusNorm(B1.T * m.slope1 - B2.T * m.slope2)
        self.block_b = FrobeniusNorm(m.slope1 * A1.T - m.slope2 * A2.T)


@script(LEMMA_1, "printed", READING)
def printed(proof: Proof) -> None:
    """(11) to (13); (10) holds by the repaired proof."""
    p = Printed(proof)
    near = proof.assume(ASSUMPTION_2, where={A_t: A1, B_t: B1}, role="local")
    proof.assume(ASSUMPTION_2, where={A_t: A2, B_t: B2}, role="local")
    proof.step(
        "(11)",
        eq(LENGTH, p.block_a + p.block_b),
        printed=paper.LEMMA_1["(11)"],
        meaning="The norm of a pair is the root of the sum of the squares of its parts' norms, and not their sum.",
        witness=PYTHAGORAS,
    )
    _line13(p, _line12(p), near)
    # The same fact as the repaired proof's, for these two points of the ball.
    lemma = proof.cite(lemma_1.repaired.proof, "repaired", "The paper's statement, by its repaired proof.")
    proof.step(
        "(10)",
        le(LENGTH, Lhat * MOVE),
        proof.by.instance(lemma, {v1: v1, v2: v2}),
        printed=paper.LEMMA_1["(10)"],
        meaning="True, by the repaired proof; as printed it is drawn from (13), whose first line is false.",
    )


def _line12(p: Printed) -> tuple[Theorem, Theorem]:
    """The two blocks, each split in two and bounded by submultiplicativity."""
    proof, by, m, turned = p.proof, p.proof.by, p.m, p.m.slope1 - p.m.slope2
    split = proof.step(
        "(12), triangle",
        le(p.block_a, FrobeniusNorm(B1.T * turned) + FrobeniusNorm((B1.T - B2.T) * m.slope2)),
        by.triangle("F", B1.T * turned, (B1.T - B2.T) * m.slope2),
        printed=paper.LEMMA_1["(12), triangle"],
        meaning="What (11) inserts is 0; then the triangle inequality.",
    )
    change_a = proof.step(
        "(12)",
        le(p.block_a, FrobeniusNorm(B1.T) * m.turn + FrobeniusNorm(B1.T - B2.T) * FrobeniusNorm(m.slope2)),
        split,
        by.submultiplicative("F", "F", B1.T, turned),
        by.submultiplicative("F", "F", B1.T - B2.T, m.slope2),
        printed=paper.LEMMA_1["(12)"],
        meaning="Called Cauchy-Schwarz; it is submultiplicativity. With $‖XY‖_F ≤ ‖X‖_op‖Y‖_F$ no $√r$ would enter.",
    )
    change_b = proof.step(
        "(12), similarly",
        le(p.block_b, m.turn * FrobeniusNorm(A1.T) + FrobeniusNorm(m.slope2) * FrobeniusNorm(A1.T - A2.T)),
        by.triangle("F", turned * A1.T, m.slope2 * (A1.T - A2.T)),
        by.submultiplicative("F", "F", turned, A1.T),
        by.submultiplicative("F", "F", m.slope2, A1.T - A2.T),
        printed=paper.LEMMA_1["(12), similarly"],
        meaning="The block of B, in the same way.",
    )
    return change_a, change_b


def _line13(p: Printed, line12: tuple[Theorem, Theorem], near: Sequence[Theorem]) -> None:
    """The ratio is at most the printed constant, in three steps; each is multiplied by ‖A_1 - A_2‖ + ‖B_1 - B_2‖."""
    proof, by, m = p.proof, p.proof.by, p.m
    first = m.turn * SIZES + FrobeniusNorm(m.slope2) * APART
    proof.step(
        "(13), first $≤$",
        le(LENGTH * APART, first * MOVE),
        printed=paper.LEMMA_1["(13), first $≤$"],
        meaning="$‖v_1 - v_2‖$ is replaced by $‖A_1 - A_2‖ + ‖B_1 - B_2‖$, which is larger: the wrong way, by up to "
        "$√2$.",
        derived_from=[*line12, by.nonnegative("F", v1 - v2)],
        witness=DENOMINATOR,
    )
    moved = L * FrobeniusNorm(m.w1 - m.w2)
    second = moved * SIZES + G * APART
    proof.step(
        "(13), second $≤$",
        le(first, second),
        by.instance(p.smooth, {W1: m.w1, W2: m.w2}),
        by.instance(p.bounded, {v: v2}),
        printed=paper.LEMMA_1["(13), second $≤$"],
        meaning="Assumption 1 and Assumption 3(2).",
    )
    small = frobenius_norms(proof, {A1: near[0], B1: near[1]}, p.signs)
    reach = L * C * APART
    proof.step(
        "(13), third $≤$",
        le(second, CONSTANT * APART),
        proof.step(
            "$L‖W_1 - W_2‖$",
            le(moved, reach),
            by.instance(p.lipschitz, {v1: v1, v2: v2}),
            p.signs,
            meaning="Assumption 3(1), times L.",
        ),
        small,
        proof.step("$LC(‖A_1 - A_2‖ + ‖B_1 - B_2‖) ≥ 0$", ge(reach, 0), p.signs),
        printed=paper.LEMMA_1["(13), third $≤$"],
        meaning="Assumptions 2 and 3(1); $‖A_1‖_F ≤ √r ‖A_1‖_op$ is where the rank enters.",
    )


@script(
    "jiang2024.lemma1.any_points", "printed", READING, title='Lemma 1, for "any given $v_1$, $v_2$"', is_statement=True
)
def any_points(proof: Proof) -> None:
    """Assumption 2 is about iterates alone, so the lemma's own quantifier ranges over all of space."""
    Printed(proof)
    proof.step(
        "(10), any $v_1$, $v_2$",
        le(LENGTH, CONSTANT * MOVE),
        printed=paper.LEMMA_1["(10), any $v_1$, $v_2$"],
        meaning="Off the ball $F$ is as steep as $A$ and $B$ are large. (And $v$ lies in $ℝ^n$, not $ℝ^m$.)",
        witness=OFF_THE_BALL,
    )
