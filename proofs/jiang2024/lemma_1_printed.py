"""Lemma 1 of jiang2024 as printed, (11) to (13), with denominators cleared; the same for a sum of norms; any points."""

from collections.abc import Sequence

import sympy as sp

from boundcheck.kernel import Theorem
from boundcheck.language.symbols import C, G, L, Lhat, r, sigma
from boundcheck.language.vocabulary import A1, A2, B1, B2, W1, W2, A_t, B_t, F, FrobeniusNorm, Gradient, W, v, v1, v2
from boundcheck.proof import Proof, eq, ge, le, script

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
        self.chain = m.chain_rule()
        self.smooth = proof.assume(ASSUMPTION_1, forall=[W1, W2])
        self.lipschitz = proof.assume(ASSUMPTION_3_1, where={W1: m.w1, W2: m.w2}, forall=[v1, v2], given=m.balls)
        self.bounded = proof.assume(ASSUMPTION_3_2, where={W: m.weight(A, B)}, forall=[v], given=m.ball(A, B))
        self.block_a = FrobeniusNorm(B1.T * m.slope1 - B2.T * m.slope2)
        self.block_b = FrobeniusNorm(m.slope1 * A1.T - m.slope2 * A2.T)
        self.first = m.turn * SIZES + FrobeniusNorm(m.slope2) * APART

    def inside(self) -> Sequence[Theorem]:
        """Both points are in the ball, of which the first one's bounds are used."""
        near: Sequence[Theorem] = self.proof.assume(ASSUMPTION_2, where={A_t: A1, B_t: B1}, role="local")
        self.proof.assume(ASSUMPTION_2, where={A_t: A2, B_t: B2}, role="local")
        return near


@script(LEMMA_1, "printed", READING)
def printed(proof: Proof) -> None:
    """(11) to (13); (10) holds by the repaired proof."""
    p = Printed(proof)
    near = p.inside()
    proof.step(
        "(11)",
        eq(LENGTH, p.block_a + p.block_b),
        printed=paper.LEMMA_1["(11)"],
        meaning="The norm of a pair is the root of the sum of the squares of its parts' norms, and not their sum.",
        witness=PYTHAGORAS,
    )
    proof.step(
        "(13), first $≤$",
        le(LENGTH * APART, p.first * MOVE),
        printed=paper.LEMMA_1["(13), first $≤$"],
        meaning="$‖v_1 - v_2‖$ is replaced by $‖A_1 - A_2‖ + ‖B_1 - B_2‖$, which is larger: the wrong way, by up to "
        "$√2$.",
        derived_from=[*_line12(p), proof.by.nonnegative("F", v1 - v2)],
        witness=DENOMINATOR,
    )
    _line13(p, near)
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


def _line13(p: Printed, near: Sequence[Theorem]) -> tuple[Theorem, Theorem]:
    """The last two steps to the printed constant, each multiplied by ‖A_1 - A_2‖ + ‖B_1 - B_2‖."""
    proof, by, m, first = p.proof, p.proof.by, p.m, p.first
    moved = L * FrobeniusNorm(m.w1 - m.w2)
    second = moved * SIZES + G * APART
    line = proof.step(
        "(13), second $≤$",
        le(first, second),
        by.instance(p.smooth, {W1: m.w1, W2: m.w2}),
        by.instance(p.bounded, {v: v2}),
        printed=paper.LEMMA_1["(13), second $≤$"],
        meaning="Assumption 1 and Assumption 3(2).",
    )
    small = frobenius_norms(proof, {A1: near[0], B1: near[1]}, p.signs)
    reach = L * C * APART
    return line, proof.step(
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
    "jiang2024.lemma1.any_points",
    "printed",
    READING,
    title="Lemma 1 off the ball, with Assumption 3(1) on the ball alone",
    is_statement=True,
)
def any_points(proof: Proof) -> None:
    """As printed Assumption 3(1) is for all points too, and no instance meets it; nothing can be said there then."""
    Printed(proof)
    proof.step(
        "(10), any $v_1$, $v_2$",
        le(LENGTH, CONSTANT * MOVE),
        printed=paper.LEMMA_1["(10), any $v_1$, $v_2$"],
        meaning="Off the ball $F$ is as steep as $A$ and $B$ are large.",
        witness=OFF_THE_BALL,
    )


@script(
    "jiang2024.lemma1.sum_of_norms",
    "sharp",
    READING,
    title="(11) to (13) with $‖(X, Y)‖ := ‖X‖_F + ‖Y‖_F$ on both sides",
)
def sum_of_norms(proof: Proof) -> None:
    """Every printed line is valid for this norm."""
    by, p = proof.by, Printed(proof)
    near, chain, m = p.inside(), p.chain, p.m
    first = proof.step("(13), first $≤$", le(p.block_a + p.block_b, p.first), _line12(p), meaning="(12), added up.")
    limit = proof.step(
        "(13)", le(p.block_a + p.block_b, CONSTANT * APART), first, _line13(p, near), meaning="All three together."
    )
    in_a, in_b = map(FrobeniusNorm, m.changes)
    relation = le(in_a + in_b, CONSTANT * APART)
    line = proof.step(
        "(10), sum of norms", relation, by.rewrite(limit, relation, *m.gradients(chain)), meaning="By the chain rule."
    )
    proof.conclude(line, forall=[v1, v2], such_that=m.balls, relation=relation)


@script(
    "jiang2024.lemma1.euclidean_norm",
    "sharp",
    READING,
    title="What (11) to (13) show of the Euclidean norm: $√2(2LC√r·σ + G)$",
)
def euclidean_norm(proof: Proof) -> None:
    """The Euclidean norm of two numbers is at most their sum, which is at most √2 times it."""
    by, p = proof.by, Printed(proof)
    m = p.m
    p.inside()
    law = proof.cite(sum_of_norms.proof, "sum of norms", "(11) to (13), for the norm for which they are valid.")
    line = by.instance(law, {v1: v1, v2: v2})
    norms = [by.nonnegative("F", x) for x in (*m.changes, A1 - A2, B1 - B2, v1 - v2)]
    in_a, in_b = map(FrobeniusNorm, m.changes)
    shorter = by.from_squares(
        proof.step(
            "$‖(X, Y)‖² ≤ (‖X‖ + ‖Y‖)²$",
            le(LENGTH**2, (in_a + in_b) ** 2),
            by.block_norm(Gradient(F, v1) - Gradient(F, v2)),
            norms,
        ),
        proof.step("$‖X‖ + ‖Y‖ ≥ 0$", ge(in_a + in_b, 0), norms),
        LENGTH,
    )
    root = sp.sqrt(2)
    two = proof.step("$2 ≥ 0$", ge(sp.Integer(2), 0))
    longer = by.from_squares(
        proof.step(
            "$(‖X‖ + ‖Y‖)² ≤ 2‖(X, Y)‖²$",
            le(APART**2, 2 * MOVE**2),
            by.block_norm(v1 - v2),
            hints=[MOVE_A - MOVE_B],
        ),
        proof.step("$√2‖(X, Y)‖ ≥ 0$", ge(root * MOVE, 0), by.root_nonnegative(sp.Integer(2)), norms),
        APART,
        by.root(two),
    )
    size = proof.step("$L̂ ≥ 0$", ge(CONSTANT, 0), p.signs, by.root_nonnegative(r))
    scaled = proof.step("$L̂$ times it", le(CONSTANT * APART, root * CONSTANT * MOVE), longer, size, degree=2)
    relation = le(LENGTH, root * CONSTANT * MOVE)
    last = proof.step("(10), with $√2$", relation, shorter, line, scaled, meaning="The norm that (8) names.")
    proof.conclude(last, forall=[v1, v2], such_that=m.balls, relation=relation)
