"""Lemma 1 of jiang2024: as printed, (11) to (13); sharp, with λ*; and repaired, with the paper's
own constant.

The printed lines have their denominators cleared, and are also read for a sum of norms and for any
two points.
"""

import sympy as sp

from boundcheck.kernel import Theorem
from boundcheck.language.claim import as_typed
from boundcheck.language.hypotheses import BOUNDED_SPECTRAL_GRADIENT
from boundcheck.language.symbols import C, G, L, Lhat, a, b, r, s, sigma
from boundcheck.language.vocabulary import (
    A1,
    A2,
    B1,
    B2,
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
from boundcheck.proof import Proof, eq, ge, le, script

from ..meft.lora import LEMMA_1_SHARP, LEMMA_1_SHARP_EQUAL_RADII
from . import eigenvalue, paper
from .claims import ASSUMPTION_2, ASSUMPTION_3_1, ASSUMPTION_3_2, LEMMA_1
from .eigenvalue import Entries, Facts, Pair, TwoFacts
from .setting import (
    FRESH,
    LENGTH,
    MOVE,
    MOVE_A,
    MOVE_B,
    READING,
    UNSCALED,
    A,
    B,
    Meft,
    at_least_0,
    defined,
    frobenius_norms,
    quantity,
    smooth_f,
)
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
        self.smooth, self.lipschitz, self.bounded = on_the_ball(m)
        self.block_a = FrobeniusNorm(B1.T * m.slope1 - B2.T * m.slope2)
        self.block_b = FrobeniusNorm(m.slope1 * A1.T - m.slope2 * A2.T)
        self.first = m.turn * SIZES + FrobeniusNorm(m.slope2) * APART


def on_the_ball(m: Meft) -> tuple[Theorem, Theorem, Theorem]:
    """Assumptions 1, 3(1) and 3(2), as laws."""
    assume = m.proof.assume
    return (
        smooth_f(m.proof),
        assume(ASSUMPTION_3_1, where=m.weights, forall=[v1, v2], given=m.balls),
        assume(ASSUMPTION_3_2, where={W: m.weight(A, B)}, forall=[v], given=m.ball(A, B)),
    )


def inside(proof: Proof) -> Facts:
    """Both points are in the ball, of which the first one's bounds are used."""
    near, _ = (
        proof.assume(ASSUMPTION_2, where={A_t: x, B_t: y}, role="local")
        for x, y in ((A1, B1), (A2, B2))
    )
    return near


@script(LEMMA_1, "printed", fresh=FRESH)
def printed(proof: Proof) -> None:
    """(11) to (13); (10) holds by the repaired proof."""
    p, near = Printed(proof), inside(proof)
    proof.step(
        "(11)",
        eq(LENGTH, p.block_a + p.block_b),
        meaning=(
            "The norm of a pair is the root of the sum of the squares of its parts' norms, and not"
            " their sum."
        ),
        witness=PYTHAGORAS,
    )
    proof.step(
        "(13), first $≤$",
        le(LENGTH * APART, p.first * MOVE),
        meaning=(
            "$‖v_1 - v_2‖$ is replaced by $‖A_1 - A_2‖ + ‖B_1 - B_2‖$, which is larger: the wrong"
            " way, by up to $√2$."
        ),
        derived_from=[*_line12(p), proof.by.nonnegative("F", v1 - v2)],
        witness=DENOMINATOR,
    )
    _line13(p, near)
    # The same fact as the repaired proof's, for these two points of the ball.
    lemma = proof.cite(repaired.proof, "repaired", "The paper's statement, by its repaired proof.")
    proof.step(
        "(10)",
        le(LENGTH, Lhat * MOVE),
        proof.by.instance(lemma, {v1: v1, v2: v2}),
        meaning=(
            "True, by the repaired proof; as printed it is drawn from (13), whose first line is"
            " false."
        ),
    )
    paper.quote(proof, paper.LEMMA_1)


def _line12(p: Printed) -> TwoFacts:
    """The two blocks, each split in two and bounded by submultiplicativity."""
    proof, by, m, turned = p.proof, p.proof.by, p.m, p.m.slope1 - p.m.slope2
    split = proof.step(
        "(12), triangle",
        le(p.block_a, FrobeniusNorm(B1.T * turned) + FrobeniusNorm((B1.T - B2.T) * m.slope2)),
        by.triangle("F", B1.T * turned, (B1.T - B2.T) * m.slope2),
        meaning="What (11) inserts is 0; then the triangle inequality.",
    )
    change_a = proof.step(
        "(12)",
        le(
            p.block_a,
            FrobeniusNorm(B1.T) * m.turn + FrobeniusNorm(B1.T - B2.T) * FrobeniusNorm(m.slope2),
        ),
        split,
        by.submultiplicative("F", "F", B1.T, turned),
        by.submultiplicative("F", "F", B1.T - B2.T, m.slope2),
        meaning=(
            "Called Cauchy-Schwarz; it is submultiplicativity. With $‖XY‖_F ≤ ‖X‖_op‖Y‖_F$ no $√r$"
            " would enter."
        ),
    )
    change_b = proof.step(
        "(12), similarly",
        le(
            p.block_b,
            m.turn * FrobeniusNorm(A1.T) + FrobeniusNorm(m.slope2) * FrobeniusNorm(A1.T - A2.T),
        ),
        by.triangle("F", turned * A1.T, m.slope2 * (A1.T - A2.T)),
        by.submultiplicative("F", "F", turned, A1.T),
        by.submultiplicative("F", "F", m.slope2, A1.T - A2.T),
        meaning="The block of B, in the same way.",
    )
    return change_a, change_b


def _line13(p: Printed, near: Facts) -> TwoFacts:
    """The last two steps to the printed constant, each multiplied by ‖A_1 - A_2‖ + ‖B_1 - B_2‖."""
    proof, by, m, first = p.proof, p.proof.by, p.m, p.first
    moved = L * FrobeniusNorm(m.w1 - m.w2)
    second = moved * SIZES + G * APART
    line = proof.step(
        "(13), second $≤$",
        le(first, second),
        by.instance(p.smooth, m.weights),
        by.instance(p.bounded, {v: v2}),
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
        at_least_0(proof, "LC(‖A_1 - A_2‖ + ‖B_1 - B_2‖)", reach, p.signs),
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
    """As printed Assumption 3(1) is for all points too, and no instance meets it; nothing can be
    said there then.
    """
    Printed(proof)
    proof.step(
        "(10), any $v_1$, $v_2$",
        le(LENGTH, CONSTANT * MOVE),
        meaning="Off the ball $F$ is as steep as $A$ and $B$ are large.",
        witness=OFF_THE_BALL,
    )
    paper.quote(proof, paper.LEMMA_1)


@script(
    "jiang2024.lemma1.sum_of_norms",
    "sharp",
    READING,
    title="Lemma 1 by (11) to (13), with $‖(X, Y)‖ := ‖X‖_F + ‖Y‖_F$ on both sides",
)
def sum_of_norms(proof: Proof) -> None:
    """Every printed line is valid for this norm."""
    p, near = Printed(proof), inside(proof)
    line12, line13 = _line12(p), _line13(p, near)
    both, change, limit = (
        p.block_a + p.block_b,
        sum(map(FrobeniusNorm, p.m.changes)),
        CONSTANT * APART,
    )
    gradients = p.m.gradients(p.chain)
    zero = at_least_0(proof, "0", sp.Integer(0))
    ends = [proof.by.rewrite(zero, compare(change, both), *gradients) for compare in (le, ge)]
    proof.step(
        "(11)",
        eq(change, both),
        proof.by.equal(*ends),
        meaning="By the chain rule, over one denominator.",
    )
    first = proof.step("(13), first $≤$", le(both, p.first), line12, meaning="(12), added up.")
    most = proof.step("(13)", le(both, limit), first, line13, meaning="All three together.")
    relation = le(change, limit)
    line = proof.step(
        "(10), sum of norms",
        relation,
        proof.by.rewrite(most, relation, *gradients),
        meaning="By the chain rule.",
    )
    paper.quote(proof, paper.LEMMA_1)
    proof.conclude(line, forall=[v1, v2], such_that=p.m.balls, relation=relation)


@script(
    "jiang2024.lemma1.euclidean_norm",
    "sharp",
    READING,
    title="Lemma 1 by (12) and (13), in the Euclidean norm and with the printed constant",
)
def euclidean_norm(proof: Proof) -> None:
    """By (12) the blocks change by [[P, P + G], [P + G, P]] times (‖A_1 - A_2‖, ‖B_1 - B_2‖) at
    most.

    The matrix is symmetric with row sums 2P + G, the printed constant, which is then its spectral
    radius too. So a bound in the sum of norms is one in the Euclidean norm.
    """
    p, near = Printed(proof), inside(proof)
    m, by, signs = p.m, proof.by, p.signs
    (change_a, change_b), (small_a, small_b) = (
        _line12(p),
        frobenius_norms(proof, {A1: near[0], B1: near[1]}, signs),
    )
    turned = proof.step(
        "$∇f$",
        le(m.turn, L * C * APART),
        by.instance(p.smooth, m.weights),
        by.instance(p.lipschitz, {v1: v1, v2: v2}),
        signs,
        meaning="Assumptions 1 and 3(1).",
    )
    slope = by.instance(p.bounded, {v: v2})
    entry = L * C * sp.sqrt(r) * sigma
    size = at_least_0(proof, "√rσ", sp.sqrt(r) * sigma, signs)
    squares, images = [], []
    rows = (A, p.block_a, change_a, small_b, MOVE_B), (B, p.block_b, change_b, small_a, MOVE_A)
    for (block, pulled, line, small, move), change in zip(rows, m.changes, strict=True):
        image, norm = entry * APART + G * move, FrobeniusNorm(change)
        row = proof.step(f"row ${block}$", le(pulled, image), line, small, turned, slope, size)
        relation = le(norm, image)
        bound = proof.step(
            f"$∇_{block}F$", relation, by.rewrite(row, relation, *m.gradients(p.chain))
        )
        squares.append(
            proof.step(
                f"$∇_{block}F$, squared", le(norm**2, image**2), bound, by.nonnegative("F", change)
            )
        )
        images.append(image)
    stretched = proof.step(
        "spectral radius",
        le(images[0] ** 2 + images[1] ** 2, CONSTANT**2 * (MOVE_A**2 + MOVE_B**2)),
        at_least_0(proof, "P(P + G)", entry * (entry + G), signs),
        meaning="The difference is $2P(P + G)(‖A_1 - A_2‖ - ‖B_1 - B_2‖)²$, with $P = LC√rσ$.",
    )
    whole = proof.step(
        "squares",
        le(LENGTH**2, CONSTANT**2 * MOVE**2),
        squares,
        stretched,
        by.block_norm(Gradient(F, v1) - Gradient(F, v2)),
        by.block_norm(v1 - v2),
    )
    limit = at_least_0(
        proof, "(2P + G)‖v_1 - v_2‖", CONSTANT * MOVE, signs, by.nonnegative("F", v1 - v2)
    )
    relation = le(LENGTH, CONSTANT * MOVE)
    last = proof.step(
        "(10), from (12)",
        relation,
        by.from_squares(whole, limit, LENGTH),
        meaning="In the norm that (8) names, with its constant.",
    )
    proof.conclude(last, forall=[v1, v2], such_that=m.balls, relation=relation)


def gradient_differences(m: Meft, near: Facts, bounded: Theorem) -> TwoFacts:
    """The two lines that bound B_1ᵀ∇f(W_1) - B_2ᵀ∇f(W_2) and ∇f(W_1)A_1ᵀ - ∇f(W_2)A_2ᵀ, from
    ‖∇f(W_2)‖_op <= G.

    `near` are bounds on the spectral norms of the factors A_1 and B_1, which are what they are next
    to in W.
    """
    proof, by, turned = m.proof, m.proof.by, m.slope1 - m.slope2
    ((left1, right1), (left2, right2)), (in_a, in_b) = m.factors, m.reach
    change_a = proof.step(
        "$∇A$",
        le(
            FrobeniusNorm(right1.T * m.slope1 - right2.T * m.slope2),
            in_b * m.turn + G * FrobeniusNorm(right1 - right2),
        ),
        by.triangle("F", right1.T * turned, (right1 - right2).T * m.slope2),
        by.submultiplicative("op", "F", right1.T, turned),
        by.submultiplicative("F", "op", (right1 - right2).T, m.slope2),
        near[1],
        bounded,
        meaning=(
            "The left side is $B_1ᵀ(∇f(W_1) - ∇f(W_2)) + (B_1 - B_2)ᵀ∇f(W_2)$, and $‖XY‖_F ≤"
            " ‖X‖_op‖Y‖_F$: no $√r$."
        ),
    )
    change_b = proof.step(
        "$∇B$",
        le(
            FrobeniusNorm(m.slope1 * left1.T - m.slope2 * left2.T),
            in_a * m.turn + G * FrobeniusNorm(left1 - left2),
        ),
        by.triangle("F", turned * left1.T, m.slope2 * (left1 - left2).T),
        by.submultiplicative("F", "op", turned, left1.T),
        by.submultiplicative("op", "F", m.slope2, (left1 - left2).T),
        near[0],
        bounded,
        meaning="The left side is $(∇f(W_1) - ∇f(W_2))A_1ᵀ + ∇f(W_2)(A_1 - A_2)ᵀ$.",
    )
    return change_a, change_b


def product_difference(m: Meft, near: Facts, far: Facts) -> Theorem:
    """‖B_1A_1 - B_2A_2‖ <= b‖A_1 - A_2‖ + a‖B_1 - B_2‖ on the ball, of the factors in W."""
    by, ((left1, right1), (left2, right2)), (in_a, in_b) = m.proof.by, m.factors, m.reach
    limit = in_b * FrobeniusNorm(left1 - left2) + in_a * FrobeniusNorm(right1 - right2)
    return m.proof.step(
        "BA",
        le(FrobeniusNorm(right1 * left1 - right2 * left2), limit),
        by.triangle("F", right1 * (left1 - left2), (right1 - right2) * left2),
        by.submultiplicative("op", "F", right1, left1 - left2),
        by.submultiplicative("F", "op", right1 - right2, left2),
        near[1],
        far[0],
        meaning="$B_1A_1 - B_2A_2 = B_1(A_1 - A_2) + (B_1 - B_2)A_2$.",
    )


def block_bounds(
    m: Meft,
    entries: Entries,
    differences: Facts,
    turned: Theorem,
    scale: Theorem,
    signs: Facts,
) -> list[Theorem]:
    """Each block of ∇F(v_1) - ∇F(v_2) is at most a row of [[P, K], [K, Q]] times (‖A_1 - A_2‖, ‖B_1
    - B_2‖).
    """
    proof, by, (top, cross, low), (move_a, move_b) = m.proof, m.proof.by, entries, m.moves
    chain = m.chain_rule()
    (_, *first), (_, *second) = m.ends
    pulls = zip(m.blocks.pull(*first, m.slope1), m.blocks.pull(*second, m.slope2), strict=True)
    rows = top * move_a + cross * move_b, cross * move_a + low * move_b
    weights = {
        x: proof.step(f"$s{as_typed(x)} ≥ 0$", ge(m.size * x, 0), signs)
        for x in dict.fromkeys(m.radii)
    }
    found = []
    for block, change, pulled, part, bound, radius in zip(
        m.trained, m.changes, pulls, differences, rows, reversed(m.radii), strict=True
    ):
        inside = pulled[0] - pulled[1]
        row = proof.step(
            f"row ${as_typed(block)}$",
            le(FrobeniusNorm(m.scale * inside), bound),
            by.homogeneous(scale, "F", inside),
            part,
            turned,
            weights[radius],
            signs,
            meaning=f"The bound on $∇{as_typed(block)}$ with that on $∇f$ put in.",
        )
        relation = le(FrobeniusNorm(change), bound)
        rewritten = by.rewrite(row, relation, *m.gradients(chain))
        found.append(
            proof.step(
                f"$∇_({as_typed(block)})F$", relation, rewritten, meaning="By the chain rule."
            )
        )
    return found


def stretched_length(
    m: Meft,
    constant: sp.Expr,
    entries: Entries,
    images: Facts,
    eigen: TwoFacts,
    signs: Facts,
) -> Theorem:
    """‖∇F(v_1) - ∇F(v_2)‖ <= l‖v_1 - v_2‖, l the top eigenvalue of the matrix with these
    entries.
    """
    proof, by = m.proof, m.proof.by
    nonnegative = [
        proof.step(f"${name} ≥ 0$", ge(x, 0), signs) for name, x in zip("PKQ", entries, strict=True)
    ]
    values = eigenvalue.values(entries, constant, m.moves, tuple(map(FrobeniusNorm, m.changes)))
    apart = [x - y for x, y in zip(*(ends for _, *ends in m.ends), strict=True)]
    norms = [by.nonnegative("F", z) for z in (*apart, *m.changes)]
    squares = proof.step(
        "squares",
        le(LENGTH**2, constant**2 * MOVE**2),
        by.instance(eigenvalue.stretch(proof), values, *eigen, *images, *nonnegative, *norms),
        by.block_norm(Gradient(F, v1) - Gradient(F, v2)),
        by.block_norm(v1 - v2),
        meaning="The squared length of a pair is the sum of the squared norms of its parts.",
    )
    size = at_least_0(proof, "l‖v_1 - v_2‖", constant * MOVE, eigen[0], nonnegative)
    return by.from_squares(squares, size, LENGTH)


def entries_at(scale: sp.Expr, radii: Pair, bound: sp.Symbol = G) -> Entries:
    """P, K and Q of [[s²Lb², s²Lab + sG], [s²Lab + sG, s²La²]]."""
    (in_a, in_b), curvature = radii, scale**2 * L
    return curvature * in_b**2, curvature * in_a * in_b + scale * bound, curvature * in_a**2


def stretched(
    m: Meft,
    bounds: tuple[Theorem, Theorem, Theorem],
    constant: Pair,
    because: Facts,
    signs: Facts,
) -> Theorem:
    """‖∇F(v_1) - ∇F(v_2)‖ <= λ*‖v_1 - v_2‖, from bounds on both blocks' gradients and on the
    product.

    Args:
        m: the setting.
        bounds: on the differences of the gradients in A and in B, and of BA, each but for s; those
            of LoRA, times the norms of what is frozen.
        constant: the letter for λ*, or its formula once more, and its formula.
        because: why they are the same.
        signs: of the letters.

    """
    proof, by, (in_a, in_b), (move_a, move_b) = m.proof, m.proof.by, m.radii, m.moves
    *differences, product = bounds
    smooth = smooth_f(proof)
    nonnegative = at_least_0(proof, "s", m.scale, signs)
    (left1, right1), (left2, right2) = m.factors
    turned = proof.step(
        "$∇f$",
        le(m.turn, L * m.size * (in_b * move_a + in_a * move_b)),
        by.instance(smooth, m.weights),
        by.homogeneous(nonnegative, "F", right1 * left1 - right2 * left2),
        product,
        signs,
        meaning="$f$ is $L$-smooth, and $W_1 - W_2$ is $s$ times the difference of $BA$.",
    )
    entries = entries_at(m.size, m.radii)
    images = block_bounds(m, entries, differences, turned, nonnegative, signs)
    eigen = eigenvalue.top_eigenvalue(proof, *constant, entries, [*because, *signs])
    return stretched_length(m, constant[0], entries, images, eigen, signs)


def smoothness(m: Meft, constant: Pair, because: Facts, signs: Facts) -> Theorem:
    """Lemma 1 with the top eigenvalue of [[s²Lb², s²Lab + sG], [s²Lab + sG, s²La²]] on the ball of
    radii a, b.
    """
    steep = next(
        each for each in m.proof.claim.hypotheses if each.word is BOUNDED_SPECTRAL_GRADIENT
    )
    bounded = m.proof.assume(
        steep, where={W: m.weight(*m.trained)}, forall=[v], given=m.ball(*m.trained)
    )
    near, far = m.inside()
    differences = gradient_differences(m, near, m.proof.by.instance(bounded, {v: v2}))
    bounds = (*differences, product_difference(m, near, far))
    return stretched(m, bounds, constant, because, signs)


def sharp_lemma(proof: Proof, scale: sp.Expr, radii: tuple[sp.Symbol, sp.Symbol]) -> None:
    """A claim that says λ* itself."""
    m, constant = Meft(proof, scale, radii), quantity(proof.claim, Lhat)
    signs = proof.positive(L, G, *dict.fromkeys(radii), *scale.free_symbols)
    final = smoothness(m, (Lhat, constant.expression), [proof.quantity(constant)], signs)
    line = proof.step("(10), sharp", proof.claim.conclusion, final, meaning="Roots of both sides.")
    proof.conclude(line)


@script(LEMMA_1_SHARP, "sharp", fresh=FRESH)
def sharp(proof: Proof) -> None:
    """λ*, with scale and unequal radii."""
    sharp_lemma(proof, s, (a, b))


@script(LEMMA_1_SHARP_EQUAL_RADII, "sharp", fresh=FRESH)
def equal_radii(proof: Proof) -> None:
    """λ* on the paper's own ball, at scale 1."""
    sharp_lemma(proof, UNSCALED, (sigma, sigma))


def without_rank(m: Meft, signs: Facts) -> tuple[sp.Expr, Theorem]:
    """‖∇F(v_1) - ∇F(v_2)‖ <= (2LCσ + G)‖v_1 - v_2‖ under the paper's assumptions, without √r; and
    that constant.
    """
    proof, by = m.proof, m.proof.by
    (smooth, lipschitz, bounded), near = on_the_ball(m), inside(proof)
    spectral = proof.step(
        "$∇f(W_2)$",
        le(SpectralNorm(m.slope2), G),
        by.spectral_below_frobenius(m.slope2),
        by.instance(bounded, {v: v2}),
        meaning="Assumption 3(2), in the smaller norm.",
    )
    differences = gradient_differences(m, near, spectral)
    turned = proof.step(
        "$∇f$",
        le(m.turn, L * C * (MOVE_A + MOVE_B)),
        by.instance(smooth, m.weights),
        by.instance(lipschitz, {v1: v1, v2: v2}),
        signs,
        meaning="Assumptions 1 and 3(1).",
    )
    entries = (sigma * L * C, sigma * L * C + G, sigma * L * C)
    images = block_bounds(m, entries, differences, turned, at_least_0(proof, "1", m.scale), signs)
    constant = 2 * L * C * sigma + G
    eigen = eigenvalue.top_eigenvalue(proof, constant, constant, entries, signs)
    tight = stretched_length(m, constant, entries, images, eigen, signs)
    line = proof.step(
        "without $√r$",
        le(LENGTH, constant * MOVE),
        tight,
        meaning="Already sharper than printed: the rank is gone.",
    )
    return constant, line


@script(LEMMA_1, "repaired", fresh=FRESH)
def repaired(proof: Proof) -> None:
    """The paper's constant in the paper's Euclidean norm, for v_1 and v_2 in the ball of Assumption
    2.
    """
    by, m = proof.by, Meft(proof)
    signs = proof.positive(L, C, G, sigma, r)
    formula = defined(proof, Lhat)
    constant, tight = without_rank(m, signs)
    squared = by.root(at_least_0(proof, "r", r, signs))
    root = by.from_squares(
        proof.step("$r ≥ 1$", ge(r, 1), signs), by.root_nonnegative(r), sp.Integer(1), squared
    )
    larger = proof.step(
        "$√r ≥ 1$",
        ge(Lhat, constant),
        formula,
        root,
        signs,
        meaning="Which only weakens it.",
    )
    final = proof.step(
        "(10)", le(LENGTH, Lhat * MOVE), tight, larger, meaning="The paper's statement."
    )
    proof.conclude(final)
