"""LoRA and VeRA by composition, and VeRA with λ*: products of two trained matrices, and frozen ones."""

from collections.abc import Sequence

import sympy as sp
from sympy import MatrixSymbol

from boundcheck.kernel import Theorem
from boundcheck.language.claim import Claim, as_typed
from boundcheck.language.symbols import G, H, J, L, Lhat, a, a_0, b, b_0, r, s
from boundcheck.language.vocabulary import A, B, FrobeniusNorm, SpectralNorm, W, d, v, v1, v2
from boundcheck.proof import Proof, Reading, ge, le, script

from ..jiang2024.lemma_1 import gradient_differences, product_difference, smoothness, stretched
from ..jiang2024.roots import radical
from ..jiang2024.setting import LENGTH, MOVE, READING, Blocks, Meft, quantity
from .adapters import INNER, LORA, OUTER, VERA, VERA_DOMAIN, VERA_SHARP
from .lora import GRADIENT_BOUND, LEMMA_1_SHARP

_INNERS = INNER, *(MatrixSymbol(f"Lambda_d_{i}", r, r) for i in (1, 2))
_OUTERS = OUTER, *(MatrixSymbol(f"Lambda_b_{i}", d, d) for i in (1, 2))
_PAIRS = tuple(zip(_INNERS, _OUTERS, strict=True))
IN_VERA = Blocks(_INNERS, _OUTERS, (A, B), (a_0, b_0))
_FACTORS = {x for point in (v, v1, v2) for x in READING.points[point]}
VERA_LETTERS = Reading(
    points=dict(zip((v, v1, v2), _PAIRS, strict=True)),
    constants=READING.constants | {A, B},
    arbitrary=(READING.arbitrary - _FACTORS) | {*_INNERS, *_OUTERS},
)


def sharp_constant(size: sp.Expr) -> sp.Expr:
    """λ* with this in place of the scale."""
    return quantity(LEMMA_1_SHARP, Lhat).expression.xreplace({s: size})


def conclude(
    proof: Proof, claim: Claim, m: Meft, length: Theorem, larger: Theorem, *, such_that: Sequence[sp.Basic] = ()
) -> None:
    """The claim, from the same with λ*, and from L̂ being at least that."""
    nonnegative = proof.by.nonnegative("F", v1 - v2)
    final = proof.step("(8)", claim.conclusion, length, larger, nonnegative, meaning="The constant is at least λ*.")
    proof.conclude(final, forall=[v1, v2], such_that=[*m.balls, *such_that])


def composed_is_larger(proof: Proof, claim: Claim, m: Meft, signs: Sequence[Theorem]) -> Theorem:
    """LJ² + GH is at least λ*, by sGS(a - b)² with S = s²L, or by the trace of the matrix and its cross term."""
    by, size, top = proof.by, m.size, sharp_constant(m.size)
    defined = [proof.quantity(quantity(claim, symbol)) for symbol in (J, H, Lhat)]
    curved, stretch = radical(top), radical(quantity(claim, J).expression)
    half = size**2 * L * (a**2 + b**2) / 2 + size * G
    squared = by.root(proof.step("radicand of J", ge(stretch.base, 0), signs))
    root = by.root(proof.step("radicand of λ", ge(curved.base, 0), signs))
    weight = proof.step("$s³LG ≥ 0$", ge(size**3 * L * G, 0), signs)
    squares = proof.step(
        "$root²$",
        le(curved.base, half**2),
        weight,
        hints=[a - b],
        meaning="They differ by $s³LG(a - b)²$.",
    )
    small = by.from_squares(squares, proof.step("$half ≥ 0$", ge(half, 0), signs), curved, root)
    spread = proof.step("$J²$", sp.Eq(J**2, size**2 * (a**2 + b**2), evaluate=False), defined[0], squared)
    return proof.step(
        "$L̂ ≥ λ*$",
        ge(Lhat, top),
        small,
        proof.step("L̂", sp.Eq(Lhat, size**2 * L * (a**2 + b**2) + size * G, evaluate=False), defined[1:], spread),
        meaning="The trace of a matrix and its cross term are at least its eigenvalue.",
    )


@script(LORA, "sharp", READING)
def lora(proof: Proof) -> None:
    """λ* is at most s²L(a² + b²) + sG."""
    m, signs = Meft(proof, s, (a, b)), proof.positive(L, G, s, a, b)
    top = sharp_constant(s)
    length = smoothness(m, (top, top), [], signs)
    line = proof.step("λ*", le(LENGTH, top * MOVE), length, meaning="Lemma 1, sharp.")
    conclude(proof, LORA, m, line, composed_is_larger(proof, LORA, m, signs))


def _inside(
    m: Meft, place: int, ball: Sequence[Theorem], small: Sequence[Theorem], signs: Sequence[Theorem]
) -> list[Theorem]:
    """Both factors in W at one of the points: ‖Λ_dA‖_op <= aa_0 and ‖Λ_bB‖_op <= bb_0."""
    proof, by = m.proof, m.proof.by
    parts = zip(m.factors[place], m.reach, m.ends[place][1:], (A, B), ball, small, strict=True)
    return [
        proof.step(
            f"$σ_1({as_typed(factor)})$",
            le(SpectralNorm(factor), limit),
            by.submultiplicative("op", "op", x, behind),
            proof.step(
                f"$σ_1({as_typed(x)})σ_1({behind})$",
                le(SpectralNorm(x) * SpectralNorm(behind), limit),
                near,
                frozen,
                signs,
            ),
            meaning="$‖XY‖_op ≤ ‖X‖_op‖Y‖_op$.",
        )
        for factor, limit, x, behind, near, frozen in parts
    ]


def _with_frozen(
    m: Meft, bare: Sequence[Theorem], small: Sequence[Theorem], signs: Sequence[Theorem]
) -> tuple[Theorem, Theorem, Theorem]:
    """The bounds of LoRA on what its factors do, in terms of Λ_d and Λ_b: each is a_0b_0 times LoRA's."""
    proof, by, both = m.proof, m.proof.by, sp.Mul(*m.blocks.sizes)
    (in_a, in_b), (move_a, move_b) = m.radii, m.moves
    changes = [x - y for x, y in zip(*(end for _, *end in m.ends), strict=True)]
    moved = [
        proof.step(
            f"$‖{as_typed(x * behind)}‖$",
            le(FrobeniusNorm(x * behind), size * FrobeniusNorm(x)),
            by.submultiplicative("F", "op", x, behind),
            frozen,
        )
        for x, behind, size, frozen in zip(changes, (A, B), m.blocks.sizes, small, strict=True)
    ]
    ((left1, right1), (left2, right2)) = m.factors
    unheld = right1.T * m.slope1 - right2.T * m.slope2, m.slope1 * left1.T - m.slope2 * left2.T
    rows = in_b * m.turn + G * move_b, in_a * m.turn + G * move_a
    found = []
    for x, behind, row, bound, way, size, frozen in zip(
        unheld, (A, B), rows, bare[:2], reversed(moved), reversed(m.blocks.sizes), small, strict=True
    ):
        inner = proof.step(f"$∇$ before ${behind}ᵀ$", le(FrobeniusNorm(x), size * row), bound, way, signs)
        found.append(
            proof.step(
                f"$∇$ and ${behind}ᵀ$",
                le(FrobeniusNorm(x * behind.T), both * row),
                by.submultiplicative("F", "op", x, behind.T),
                proof.step(
                    f"$‖∇‖σ_1({behind})$", le(FrobeniusNorm(x) * SpectralNorm(behind), both * row), inner, frozen, signs
                ),
                meaning=f"${behind}$ is frozen, and multiplies the bound by its norm.",
            )
        )
    limit = both * (in_b * move_a + in_a * move_b)
    weights = [proof.step(f"${as_typed(size)} ≥ 0$", ge(size, 0), signs) for size in m.reach]
    moved_by = le(FrobeniusNorm(right1 * left1 - right2 * left2), limit)
    product = proof.step("the product", moved_by, bare[2], moved, weights, meaning="LoRA's bound, times both norms.")
    return found[0], found[1], product


def vera_length(proof: Proof) -> tuple[Meft, Theorem, list[Theorem]]:
    """λ* of VeRA: its factors in W are Λ_dA and Λ_bB."""
    m = Meft(proof, s, (a, b), IN_VERA)
    signs = proof.positive(L, G, s, a, b, a_0, b_0)
    near, far = m.inside()
    bounded = proof.assume(GRADIENT_BOUND, where={W: m.w2}, role="local")
    held = dict(zip(VERA_DOMAIN.conclusion.args, proof.assume(VERA_DOMAIN), strict=True))
    small = [fact for x in (A, B) for relation, fact in held.items() if relation.lhs == SpectralNorm(x)]
    inside = [_inside(m, place, ball, small, signs) for place, ball in enumerate((near, far))]
    bare = (*gradient_differences(m, inside[0], bounded), product_difference(m, *inside))
    top = sharp_constant(m.size)
    length = stretched(m, _with_frozen(m, bare, small, signs), (top, top), [], signs)
    return m, proof.step("λ*", le(LENGTH, top * MOVE), length, meaning="As for LoRA, with $sa_0b_0$ for $s$."), signs


@script(VERA, "sharp", VERA_LETTERS)
def vera(proof: Proof) -> None:
    """λ* with sa_0b_0 for s, which is at most (sa_0b_0)²L(a² + b²) + sa_0b_0G."""
    m, line, signs = vera_length(proof)
    larger = composed_is_larger(proof, VERA, m, signs)
    conclude(proof, VERA, m, line, larger, such_that=[le(SpectralNorm(m.slope2), G)])


@script(VERA_SHARP, "sharp", VERA_LETTERS)
def vera_sharp(proof: Proof) -> None:
    """λ* with sa_0b_0 for s."""
    m, line, _ = vera_length(proof)
    defined = proof.quantity(quantity(VERA_SHARP, Lhat))
    conclude(proof, VERA_SHARP, m, line, defined, such_that=[le(SpectralNorm(m.slope2), G)])
