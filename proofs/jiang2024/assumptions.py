"""The assumptions of jiang2024 as claims: which are redundant on the ball, impossible to satisfy,
or never used.
"""

from dataclasses import replace

import sympy as sp
from sympy import MatrixSymbol

from boundcheck.kernel import Theorem
from boundcheck.language.claim import as_typed
from boundcheck.language.symbols import C, G, L, Lhat, r, s, sigma
from boundcheck.language.vocabulary import (
    A1,
    A2,
    B1,
    B2,
    W1,
    W2,
    EuclideanNorm,
    F,
    FrobeniusNorm,
    Gradient,
    SpectralNorm,
    Value,
    W,
    d,
    f,
    k,
    n,
    v,
    v1,
    v2,
)
from boundcheck.proof import Proof, Reading, eq, ge, le, script

from ..meft.lora import CONDITIONALLY_UNBIASED
from . import lemma_1
from .claims import ASSUMPTION_3_1, ASSUMPTION_3_2, LEMMA_1
from .setting import (
    MEFT,
    READING,
    W0,
    A,
    B,
    Meft,
    at_least_0,
    f_of,
    frobenius_norms,
    quantity,
    segment,
    smooth_f,
    theta,
    unit_interval,
)
from .witnesses import DRAWN_ONCE, SMALL_BALL

z = sp.Symbol("z", positive=True)

# Matrices of norm 1 whose product has norm 1, such as those with a single entry 1 in the corner.
P, Q = MatrixSymbol("P", r, k), MatrixSymbol("Q", d, r)
far, half_far, origin = (MatrixSymbol(name, n, 1) for name in ("v_z", "v_h", "v_0"))


def _corner(size: sp.Symbol) -> Reading:
    """The points v_z = (zP, zQ), v_h = (zP, 0) and v_0 = 0, for a number z."""
    none = sp.ZeroMatrix(r, k), sp.ZeroMatrix(d, r)
    points = {far: (size * P, size * Q), half_far: (size * P, none[1]), origin: none}
    return replace(MEFT, points=MEFT.points | points, constants=MEFT.constants | {P, Q, z})


CORNER, EDGE = _corner(z), _corner(sigma)


def _unit(proof: Proof) -> list[Theorem]:
    """‖P‖ = ‖Q‖ = ‖QP‖ = 1, in either norm."""
    return [
        proof.assume(eq(norm(matrix), 1), name=f"$‖{as_typed(matrix)}‖ = 1$", role="choice")
        for matrix in (P, Q, Q * P)
        for norm in (FrobeniusNorm, SpectralNorm)
    ]


def _length(proof: Proof, size: Theorem, matrix: MatrixSymbol, unit: list[Theorem]) -> Theorem:
    """‖zX‖_F = z, for X one of P and Q."""
    return proof.step(
        f"$‖z{matrix}‖$",
        eq(FrobeniusNorm(z * matrix), z),
        proof.by.homogeneous(size, "F", matrix),
        unit,
    )


@script(
    "jiang2024.assumption2.segment", "repaired", READING, title="The ball of Assumption 2 is convex"
)
def convex_ball(proof: Proof) -> None:
    """The ball contains the segment between any two of its points, which is where the descent lemma
    needs it.
    """
    ends = [le(SpectralNorm(x), sigma) for x in (A1, A2)]
    inside = list(map(proof.local, ends))
    line = segment(proof, "segment", (A1, A2), sigma, inside, unit_interval(proof))
    proof.conclude(
        line,
        forall=[A1, A2, theta],
        such_that=[*ends, ge(theta, 0), ge(1, theta)],
        relation=le(SpectralNorm(A1 + theta * (A2 - A1)), sigma),
    )


@script(
    "jiang2024.assumption3.1.on_ball",
    "sharp",
    READING,
    title="Assumption 3(1) is no assumption on the ball: $C = σ$",
)
def on_ball(proof: Proof) -> None:
    """By ‖XY‖_F <= ‖X‖_op‖Y‖_F; the paper's C = √rσ is loose by √r."""
    m = Meft(proof)
    proof.positive(sigma)
    near = list(map(proof.local, m.ball(A1, B1)))
    far_ = list(map(proof.local, m.ball(A2, B2)))
    relation = ASSUMPTION_3_1.conclusion.xreplace(m.weights | {C: sigma})
    product = lemma_1.product_difference(m, near, far_)
    line = proof.step("3(1)", relation, product, meaning="$W_1 - W_2$ is $B_1A_1 - B_2A_2$.")
    proof.conclude(line, forall=[v1, v2], such_that=m.balls, relation=relation)


@script("jiang2024.assumption3.1.optimal", "sharp", EDGE, title="On the ball no C below σ serves")
def optimal(proof: Proof) -> None:
    """A = σP, and B = σQ against 0."""
    by, m = proof.by, Meft(proof)
    (radius,) = proof.positive(sigma)
    unit = _unit(proof)
    law = proof.assume(ASSUMPTION_3_1, where=m.weights, forall=[v1, v2], given=m.balls)
    norms = [by.homogeneous(radius, kind, matrix) for kind in ("F", "op") for matrix in (P, Q)]
    inside = [
        proof.step(
            f"$‖σ{matrix}‖ ≤ σ$",
            le(SpectralNorm(sigma * matrix), sigma),
            norms,
            unit,
            meaning=f"$σ{matrix}$ lies in the ball.",
        )
        for matrix in (P, Q)
    ]
    zero = proof.step("$‖0‖ ≤ σ$", ge(sigma, 0), radius)
    gap = by.instance(law, {v1: far, v2: half_far}, *inside, zero)
    product = by.homogeneous(at_least_0(proof, "σ²", sigma**2, radius), "F", Q * P)
    relation = ge(C, sigma)
    line = proof.step(
        "$C ≥ σ$",
        relation,
        radius,
        gap,
        product,
        norms,
        unit,
        meaning="W moves by $σ²QP$ and B by σQ, so $σ² ≤ Cσ$.",
    )
    proof.conclude(line, relation=relation)


@script(
    "jiang2024.assumption3.1.anywhere",
    "sharp",
    CORNER,
    title='No C makes Assumption 3(1) true "for any parameters"',
)
def anywhere(proof: Proof) -> None:
    """A = zP, B = zQ against 0, with z = 2C + 1: z² <= 2Cz is false."""
    by, m = proof.by, Meft(proof)
    (size,) = proof.positive(z)
    unit = _unit(proof)
    law = proof.assume(ASSUMPTION_3_1, where=m.weights, forall=[v1, v2])
    gap = by.instance(law, {v1: far, v2: origin})
    norms = [_length(proof, size, matrix, unit) for matrix in (P, Q)]
    product = by.homogeneous(at_least_0(proof, "z²", z**2, size), "F", Q * P)
    bounded = proof.step(
        "$z ≤ 2C$",
        le(z, 2 * C),
        size,
        gap,
        product,
        norms,
        unit,
        meaning="W moves by $z²QP$, and A and B by z each, so $z² ≤ 2Cz$.",
    )
    chosen = proof.define(z, 2 * C + 1, "$z = 2C + 1$")
    absurd = le(1, 0)
    proof.conclude(
        proof.step("absurd", absurd, bounded, chosen, meaning="$2C + 1 ≤ 2C$ is false."),
        relation=absurd,
    )


@script(
    "jiang2024.assumption3.2.redundant",
    "sharp",
    READING,
    title="Assumption 3(2) follows from Assumptions 1 and 2 on the ball",
)
def redundant(proof: Proof) -> None:
    """G = ‖∇f(W_0)‖ + Ls√rσ² serves; the rank enters here and nowhere else."""
    by, m = proof.by, Meft(proof, s)
    signs = proof.positive(L, s, sigma, r)
    smooth = smooth_f(proof)
    near = list(map(proof.local, m.ball(A, B)))
    weight, reach = m.weight(A, B), sp.sqrt(r) * sigma**2
    small = frobenius_norms(proof, {A: near[0]}, signs)
    product = proof.step(
        "BA",
        le(FrobeniusNorm(B * A), reach),
        by.submultiplicative("op", "F", B, A),
        near[1],
        small,
        signs,
        meaning="$‖BA‖_F ≤ ‖B‖_op‖A‖_F$.",
    )
    moved = proof.step(
        "$∇f$",
        le(FrobeniusNorm(Gradient(f, weight) - Gradient(f, W0)), L * s * reach),
        by.instance(smooth, {W1: weight, W2: W0}),
        by.homogeneous(at_least_0(proof, "s", s, signs), "F", B * A),
        at_least_0(proof, "sL", s * L, signs),
        product,
        meaning="$f$ is $L$-smooth, and $W - W_0$ is $sBA$.",
    )
    relation = ASSUMPTION_3_2.conclusion.xreplace(
        {W: weight, G: FrobeniusNorm(Gradient(f, W0)) + L * s * reach}
    )
    line = proof.step(
        "3(2)",
        relation,
        by.triangle("F", Gradient(f, weight) - Gradient(f, W0), Gradient(f, W0)),
        moved,
        meaning="$∇f(W)$ is $∇f(W) - ∇f(W_0)$ and $∇f(W_0)$.",
    )
    proof.conclude(line, forall=[v], such_that=m.ball(A, B), relation=relation)


V = MatrixSymbol("V", d, k)
LEAST_SQUARES = replace(
    CORNER,
    points=MEFT.points | {W: (z * V,)},
    constants=CORNER.constants | {V},
    arbitrary=CORNER.arbitrary - {W},
)


@script(
    "jiang2024.assumption3.2.anywhere",
    "sharp",
    LEAST_SQUARES,
    title="Everywhere, Assumption 3(2) excludes least squares",
)
def excludes_least_squares(proof: Proof) -> None:
    """f(W) = ‖W‖²/2 has ∇f(W) = W, of norm G + 1 at W = (G + 1)V."""
    by = proof.by
    (size,) = proof.positive(z)
    unit = proof.assume(eq(FrobeniusNorm(V), 1), name="$‖V‖ = 1$", role="choice")
    linear = proof.assume(eq(Gradient(f, W1), W1), forall=[W1], name="$∇f(W) = W$", role="choice")
    law = proof.assume(ASSUMPTION_3_2, where={W: W1}, forall=[W1])
    bounded = proof.step(
        "$‖W‖ ≤ G$",
        le(FrobeniusNorm(W), G),
        by.triangle("F", W - Gradient(f, W), Gradient(f, W)),
        by.instance(law, {W1: W}),
        by.instance(linear, {W1: W}),
        meaning="Assumption 3(2), with $∇f(W) = W$.",
    )
    chosen = proof.define(z, G + 1, "$z = G + 1$")
    length = proof.step(
        "$‖W‖ = z$",
        eq(FrobeniusNorm(W), z),
        by.homogeneous(size, "F", V),
        unit,
        meaning="$W$ is $zV$, and $‖V‖ = 1$.",
    )
    absurd = le(1, 0)
    line = proof.step("absurd", absurd, bounded, length, chosen, meaning="$G + 1 ≤ G$ is false.")
    proof.conclude(line, relation=absurd)


@script(
    "jiang2024.coercivity",
    "sharp",
    CORNER,
    title=(
        "$F$ has one value along $(zP, 0)$, of length $z$ at least: it is not coercive, whatever"
        " $f$ is"
    ),
)
def coercivity(proof: Proof) -> None:
    """F is constant along (zP, 0), which leaves every bounded set."""
    by, m = proof.by, Meft(proof, s)
    (size,) = proof.positive(z)
    unit = _unit(proof)
    law = f_of(proof, m.weight(A, B))
    relation = eq(Value(F, half_far), Value(F, origin))
    line = proof.step(
        "constant",
        relation,
        by.instance(law, {v: half_far}),
        by.instance(law, {v: origin}),
        meaning="$B = 0$, so $W = W_0$.",
    )
    squares = proof.step(
        "$‖v‖² ≥ z²$",
        ge(EuclideanNorm(half_far) ** 2, z**2),
        by.block_norm(half_far),
        _length(proof, size, P, unit),
        meaning=(
            "The squared norm of a pair is the sum of those of its parts, of which one is $z²$."
        ),
    )
    length = by.from_squares(squares, by.nonnegative("F", half_far), z)
    proof.step(
        "unbounded", ge(EuclideanNorm(half_far), z), length, meaning="For every z, however large."
    )
    proof.conclude(line, relation=relation)


@script(
    "jiang2024.unbiased.without_replacement",
    "printed",
    READING,
    title="Unbiased gradients, without replacement",
    is_statement=True,
)
def without_replacement(proof: Proof) -> None:
    """Each gradient is unbiased for itself; given the first, the second of two is not."""
    proof.step(
        "$E[g_t | past]$",
        CONDITIONALLY_UNBIASED.conclusion,
        printed=r"\nabla f(\mathbf{v}, \boldsymbol{\theta}_0) = \mathbb{E}[\mathbf{g}]",
        meaning=(
            "What the proof uses. Of two samples with gradients ±1 in W, once one is drawn, the"
            " other is certain."
        ),
        witness=DRAWN_ONCE,
    )


@script(
    "jiang2024.training_against_fine_tuning",
    "printed",
    READING,
    title="The smoothness constant is at least $L$, without $√r ≥ 1/(2Cσ)$",
    is_statement=True,
)
def worse_bound(proof: Proof) -> None:
    """L̂ may be smaller than L; the paper states the condition under which it is not."""
    proof.positive(L, C, G, sigma)
    proof.quantity(quantity(LEMMA_1, Lhat))
    proof.step(
        "$L̂ ≥ L$",
        ge(Lhat, L),
        meaning=(
            "At $L = 1$ and $σ = C = G = 1/10$ the printed constant is 3/25. ($ζ$ and $D$ differ as"
            " well.)"
        ),
        witness=SMALL_BALL,
    )
