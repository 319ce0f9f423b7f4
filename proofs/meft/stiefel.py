"""LoReFT: the descent inequality between two points with orthonormal rows, with the gradient on
their manifold.

The part of ∇_RF that is normal to the manifold at R_1 is SR_1, with S = sym(∇_RF R_1ᵀ) of norm at
most Gν. As R_1 and R_2 = R_1 + Δ have the same R Rᵀ, ⟨SR_1, Δ⟩ = -⟨S, ΔΔᵀ⟩/2, which is of second
order, and so is all the rest. In (R, U), as pyreft trains it, V = U - RW_0, and RᵀR adds one term.
"""

from collections.abc import Callable

import sympy as sp
from sympy import MatrixSymbol

from boundcheck.kernel import Theorem
from boundcheck.language.claim import as_typed
from boundcheck.language.symbols import G, H, J, L, Lhat, nu
from boundcheck.language.vocabulary import (
    F,
    FrobeniusNorm,
    Gradient,
    InnerProduct,
    PartialGradient,
    SpectralNorm,
    Value,
    W,
    f,
    v,
    v1,
    v2,
)
from boundcheck.proof import Proof, eq, ge, le, script

from ..jiang2024 import eigenvalue
from ..jiang2024.eigenvalue import Entries, Facts, Pair, radical
from ..jiang2024.setting import (
    FRESH,
    W0,
    at_least_0,
    defined,
    descent_of_f,
    f_of,
    quantity,
    smooth_f,
)
from .adapters import (
    EDITS,
    GRADIENT_BOUND_IN_DOMAIN,
    LOREFT,
    LOREFT_RANK_1,
    LOREFT_SHARP,
    LOREFT_TRAINED,
    R1,
    R2,
    U1,
    U2,
    UNTURNED,
    V1,
    V2,
    R,
    U,
    V,
    tangent,
)

IN_R, IN_V = R2 - R1, V2 - V1
MOVE_R, MOVE_V = FrobeniusNorm(IN_R), FrobeniusNorm(IN_V)
WEIGHTS = [W0 + x.T * y for x, y in ((R1, V1), (R2, V2))]
CHANGE, M = WEIGHTS[1] - WEIGHTS[0], Gradient(f, WEIGHTS[0])
# The blocks of the gradient of F at v_1, by the chain rule.
SLOPES = V1 * M.T, R1 * M
# What a proof assumes of two points: R_1R_1ᵀ = R_2R_2ᵀ, and bounds on their norms and on the
# gradient at the first one.
SAME = eq(R1 * R1.T, R2 * R2.T)
SHORT, SHORT_TOO = (le(SpectralNorm(x), 1) for x in (R1, R2))
NEAR, FAR = (le(SpectralNorm(x), nu) for x in (V1, V2))
BOUNDED = le(SpectralNorm(M), G)
PREMISES = SAME, SHORT, NEAR, FAR, BOUNDED


BEND = (nu * MOVE_R + MOVE_V) ** 2
Curvature = Callable[[Proof, Facts], Theorem]


def _curvature(proof: Proof, signs: Facts) -> Theorem:
    """L‖ΔW‖² <= L(νp + u)²."""
    by, reach = proof.by, nu * MOVE_R + MOVE_V
    short, far = proof.local(SHORT), proof.local(FAR)
    moved = proof.step(
        "ΔW",
        le(FrobeniusNorm(CHANGE), reach),
        by.triangle("F", IN_R.T * V2, R1.T * IN_V),
        by.submultiplicative("F", "op", IN_R.T, V2),
        by.submultiplicative("op", "F", R1.T, IN_V),
        short,
        far,
        meaning="$R_2ᵀV_2 - R_1ᵀV_1 = ΔRᵀV_2 + R_1ᵀΔV$.",
    )
    squares = proof.step(
        "$‖ΔW‖²$", le(FrobeniusNorm(CHANGE) ** 2, reach**2), moved, by.nonnegative("F", CHANGE)
    )
    return proof.step("$L‖ΔW‖²$", le(L * FrobeniusNorm(CHANGE) ** 2, L * reach**2), squares, signs)


def in_weights(
    proof: Proof, signs: Facts, bend: sp.Expr = BEND, curvature: Curvature = _curvature
) -> Theorem:
    """f(W_2) - f(W_1) less the tangent linear part is at most (L·bend + Gνp² + 2Gpu)/2, p = ‖ΔR‖
    and u = ‖ΔV‖.

    `curvature` proves L‖ΔW‖² <= L·bend; bend is (νp + u)², or less.
    """
    by = proof.by
    smooth = smooth_f(proof)
    same, short, near = map(proof.local, (SAME, SHORT, NEAR))
    steep = proof.assume(GRADIENT_BOUND_IN_DOMAIN, where={W: WEIGHTS[0]}, role="local")
    mixed = proof.step(
        "$⟨M, ΔRᵀΔV⟩$",
        le(InnerProduct(M, IN_R.T * IN_V), G * MOVE_R * MOVE_V),
        by.cauchy_schwarz(IN_R * M, IN_V),
        by.submultiplicative("F", "op", IN_R, M),
        steep,
        at_least_0(proof, "pu", MOVE_R * MOVE_V),
        meaning="$⟨ΔR M, ΔV⟩$, by Cauchy-Schwarz, and $‖M‖_op ≤ G$.",
    )
    fall = Value(f, WEIGHTS[1]) - Value(f, WEIGHTS[0])
    linear = InnerProduct(tangent(SLOPES[0]), IN_R) + InnerProduct(SLOPES[1], IN_V)
    return proof.step(
        "by f",
        le(fall - linear, (L * bend + G * nu * MOVE_R**2) / 2 + G * MOVE_R * MOVE_V),
        descent_of_f(proof, smooth, WEIGHTS[0], CHANGE),
        curvature(proof, signs),
        mixed,
        normal(proof, V1, nu, near, (same, short, steep), signs),
        meaning=(
            "The descent lemma for $f$. Of $⟨M, ΔW⟩$ the linear part is that of $F$, but for its"
            " normal part."
        ),
    )


def of_loss(
    proof: Proof,
    line: Theorem,
    limit: sp.Expr,
    blocks: tuple[MatrixSymbol, MatrixSymbol],
    slopes: tuple[sp.MatrixExpr, sp.MatrixExpr],
    weight: sp.MatrixExpr,
) -> Theorem:
    """The left side of the claim is at most this, from the line that says so of f, with ∇F by the
    chain rule.
    """
    by = proof.by
    law = f_of(proof, weight)
    relation = le(proof.claim.conclusion.lhs, limit)
    at = dict(zip((PartialGradient(F, v1, x) for x in blocks), slopes, strict=True))
    same = proof.step(
        "as values of F", relation.xreplace(at), line, [by.instance(law, {v: x}) for x in (v1, v2)]
    )
    chain = [
        (by.instance(by.chain_rule(law, i), {v: v1}), left, right)
        for i, (left, right) in enumerate(at.items())
    ]
    return proof.step(
        "by F", relation, by.rewrite(same, relation, *chain), meaning="By the chain rule."
    )


def second_order(
    proof: Proof, signs: Facts, bend: sp.Expr = BEND, curvature: Curvature = _curvature
) -> Theorem:
    """`in_weights` as a line about F, in (R, V)."""
    line = in_weights(proof, signs, bend, curvature)
    limit = (L * bend + G * nu * MOVE_R**2) / 2 + G * MOVE_R * MOVE_V
    return of_loss(proof, line, limit, (R, V), SLOPES, W0 + R.T * V)


def normal(
    proof: Proof,
    x: sp.MatrixExpr,
    radius: sp.Expr,
    near: Theorem,
    facts: Facts,
    signs: Facts,
    M: sp.MatrixExpr = M,
) -> Theorem:
    """⟨SR_1, ΔR⟩ <= G·radius·p²/2, with S = sym(XMᵀR_1ᵀ), M the gradient of f at W_1, and ‖X‖_op at
    most the radius.

    `facts` say that R Rᵀ is the same at both points, and that ‖R_1‖_op ≤ 1 and ‖M‖_op ≤ G.
    """
    by, slope, (same, short, steep) = proof.by, x * M.T * R1.T, facts
    gap = R2 * R2.T - R1 * R1.T
    inner = proof.step(
        f"$‖M({as_typed(x)})ᵀΔR‖$",
        le(FrobeniusNorm(M * (x.T * IN_R)), G * radius * MOVE_R),
        by.submultiplicative("op", "F", M, x.T * IN_R),
        by.submultiplicative("op", "F", x.T, IN_R),
        steep,
        near,
        signs,
    )
    turned = R1 * M * x.T * IN_R
    outer = proof.step(
        f"$‖R_1M({as_typed(x)})ᵀΔR‖$",
        le(FrobeniusNorm(turned), G * radius * MOVE_R),
        by.submultiplicative("op", "F", R1, M * x.T * IN_R),
        short,
        inner,
    )
    bent = proof.step(
        f"$-⟨S, ΔRΔRᵀ⟩$, ${as_typed(x)}$",
        le(-InnerProduct(slope, IN_R * IN_R.T), G * radius * MOVE_R**2),
        by.cauchy_schwarz(-R1 * (M * x.T * IN_R), IN_R),
        proof.step(
            f"$‖R_1M({as_typed(x)})ᵀΔR‖p$",
            le(FrobeniusNorm(turned) * MOVE_R, G * radius * MOVE_R**2),
            outer,
        ),
        meaning="By Cauchy-Schwarz, as $‖R_1‖_op ≤ 1$ and $‖M‖_op ≤ G$.",
    )
    nothing = proof.step(
        f"$⟨S, R_2R_2ᵀ - R_1R_1ᵀ⟩$, ${as_typed(x)}$",
        le(InnerProduct(slope, gap), 0),
        by.cauchy_schwarz(slope, gap),
        same,
        meaning="$R Rᵀ$ is the same at both points.",
    )
    return proof.step(
        f"$⟨SR_1, ΔR⟩$, ${as_typed(x)}$",
        le(InnerProduct((slope + slope.T) * R1, IN_R) / 2, G * radius * MOVE_R**2 / 2),
        bent,
        nothing,
        meaning="S is symmetric, and $ΔR R_1ᵀ + R_1ΔRᵀ = R_2R_2ᵀ - R_1R_1ᵀ - ΔRΔRᵀ$.",
    )


def conclude(proof: Proof, *because: Theorem) -> None:
    """The claim, from what bounds its right side."""
    whole = proof.by.block_norm(v2 - v1)
    final = proof.step(
        "descent", proof.claim.conclusion, *because, whole, meaning="$‖Δv‖² = p² + u²$."
    )
    proof.conclude(final)


def by_blocks(
    proof: Proof,
    line: Theorem,
    entries: Entries,
    signs: Facts,
    moves: Pair = (MOVE_R, MOVE_V),
) -> list[Theorem]:
    """The line, and that the form of the matrix with these entries in both moves is at most
    L̂‖Δv‖².
    """
    constant = quantity(proof.claim, Lhat)
    eigen = eigenvalue.top_eigenvalue(
        proof, Lhat, constant.expression, entries, [proof.quantity(constant), *signs]
    )
    values = eigenvalue.values(entries, Lhat, moves)
    return [line, proof.by.instance(eigenvalue.quadratic_form(proof), values, *eigen)]


@script(LOREFT_SHARP, "sharp", fresh=FRESH)
def sharp(proof: Proof) -> None:
    """The right side is the form of [[Lν² + Gν, Lν + G], [Lν + G, L]] in (p, u)."""
    signs = proof.positive(L, G, nu)
    line = second_order(proof, signs)
    conclude(proof, *by_blocks(proof, line, (L * nu**2 + G * nu, L * nu + G, L), signs))


def _halves(
    proof: Proof, x: sp.MatrixExpr, y: sp.MatrixExpr, limit: sp.Expr, *within: Theorem
) -> Theorem:
    """The spectral norm of the mean of x and y is at most this, as theirs are."""
    by, half = proof.by, at_least_0(proof, "1/2", sp.Rational(1, 2))
    return proof.step(
        f"$‖({x} + {y})/2‖$",
        le(SpectralNorm((x + y) / 2), limit),
        by.triangle("op", x / 2, y / 2),
        *(by.homogeneous(half, "op", z) for z in (x, y)),
        *within,
    )


def _without_turning(proof: Proof, signs: Facts) -> Theorem:
    """L‖ΔW‖² <= L(ν²p² + u²), as ΔRᵀV and RᵀΔV at the means R, V of both points are at right
    angles.
    """
    by, (mean_r, mean_v) = proof.by, ((R1 + R2) / 2, (V1 + V2) / 2)
    in_r, in_v = IN_R.T * mean_v, mean_r.T * IN_V
    lengths = []
    for part, way, limit, split, small in (
        (
            in_r,
            MOVE_R,
            nu,
            by.submultiplicative("F", "op", IN_R.T, mean_v),
            _halves(proof, V1, V2, nu, proof.local(NEAR), proof.local(FAR)),
        ),
        (
            in_v,
            MOVE_V,
            sp.Integer(1),
            by.submultiplicative("op", "F", mean_r.T, IN_V),
            _halves(proof, R1, R2, sp.Integer(1), proof.local(SHORT), proof.local(SHORT_TOO)),
        ),
    ):
        bound = proof.step(
            f"$‖{as_typed(part)}‖$", le(FrobeniusNorm(part), limit * way), split, small
        )
        square = le(FrobeniusNorm(part) ** 2, limit**2 * way**2)
        lengths.append(
            proof.step(f"$‖{as_typed(part)}‖²$", square, bound, by.nonnegative("F", part))
        )
    slope = mean_v * IN_V.T
    zero = [
        proof.step(
            f"$⟨VΔVᵀ, {name}⟩$",
            le(InnerProduct(slope, gap), 0),
            by.cauchy_schwarz(slope, gap),
            proof.local(given),
        )
        for name, gap, given in (
            ("R_2R_2ᵀ - R_1R_1ᵀ", R2 * R2.T - R1 * R1.T, SAME),
            ("R_2R_1ᵀ - R_1R_2ᵀ", R2 * R1.T - R1 * R2.T, UNTURNED.conclusion),
        )
    ]
    whole = proof.step(
        "$‖ΔW‖²$",
        le(FrobeniusNorm(CHANGE) ** 2, nu**2 * MOVE_R**2 + MOVE_V**2),
        *(by.expansion(x) for x in (CHANGE, in_r, in_v)),
        *lengths,
        *zero,
        meaning=(
            "$ΔW = ΔRᵀV + RᵀΔV$ at the means, and $2ΔR Rᵀ$ is $R_2R_2ᵀ - R_1R_1ᵀ + R_2R_1ᵀ -"
            " R_1R_2ᵀ$, which is 0."
        ),
    )
    return proof.step(
        "$L‖ΔW‖²$",
        le(L * FrobeniusNorm(CHANGE) ** 2, L * (nu**2 * MOVE_R**2 + MOVE_V**2)),
        whole,
        signs,
    )


@script(LOREFT_RANK_1, "sharp", fresh=FRESH)
def rank_1(proof: Proof) -> None:
    """The right side is the form of [[Lν² + Gν, G], [G, L]] in (p, u)."""
    signs, bend = proof.positive(L, G, nu), nu**2 * MOVE_R**2 + MOVE_V**2
    line = second_order(proof, signs, bend, _without_turning)
    form = by_blocks(proof, line, (L * nu**2 + G * nu, G, L), signs)
    conclude(proof, *form)


@script(LOREFT, "sharp", fresh=FRESH)
def composed(proof: Proof) -> None:
    """(νp + u)² is at most J²(p² + u²), and νp² + 2pu at most H(p² + u²)."""
    by, signs = proof.by, proof.positive(L, G, nu)
    stretch, bend, whole = (defined(proof, symbol) for symbol in (J, H, Lhat))
    line, total = second_order(proof, signs), MOVE_R**2 + MOVE_V**2
    radicand = radical(quantity(proof.claim, J).expression).base
    spread = proof.step(
        "$J²$",
        eq(J**2, 1 + nu**2),
        stretch,
        by.root(proof.step("radicand of J", ge(radicand, 0), signs)),
    )
    square = proof.step("$(νp + u)²$", le((nu * MOVE_R + MOVE_V) ** 2, (1 + nu**2) * total))
    curved = proof.step(
        "$L(νp + u)²$", le(L * (nu * MOVE_R + MOVE_V) ** 2, L * (1 + nu**2) * total), square, signs
    )
    entries = nu, sp.Integer(1), sp.Integer(0)
    eigen = eigenvalue.top_eigenvalue(
        proof, H, quantity(proof.claim, H).expression, entries, [bend, *signs]
    )
    form = by.instance(
        eigenvalue.quadratic_form(proof), eigenvalue.values(entries, H, (MOVE_R, MOVE_V)), *eigen
    )
    bent = proof.step(
        "$G(νp² + 2pu)$", le(G * (nu * MOVE_R**2 + 2 * MOVE_R * MOVE_V), G * H * total), form, signs
    )
    length = proof.step("$LJ²$", eq(L * J**2 * total, L * (1 + nu**2) * total), spread)
    larger = proof.step("L̂", eq(Lhat * total, (L * J**2 + G * H) * total), whole)
    conclude(proof, line, curved, bent, length, larger)


# At these values of V.
AT = {V1: EDITS[1], V2: EDITS[2]}
MOVE_U, MOVE_EDIT = FrobeniusNorm(U2 - U1), MOVE_V.xreplace(AT)
WEIGHT, WEIGHT_2 = (W0 + x.T * y for x, y in zip((R1, R2), EDITS[1:], strict=True))
M_U = Gradient(f, WEIGHT)
STEEP = le(SpectralNorm(M_U), G)
SLOPES_U = EDITS[1] * M_U.T - R1 * M_U * W0.T, R1 * M_U
NEAR_U, FAR_U = (le(SpectralNorm(x), nu) for x in EDITS[1:])
GIVEN = le(SpectralNorm(W0), 1)


@script(LOREFT_TRAINED, "sharp", fresh=(*FRESH, V, V1, V2))
def trained(proof: Proof) -> None:
    """The right side is the form of [[L(1 + ν)² + G(3 + ν), L(1 + ν) + G], [L(1 + ν) + G, L]] in
    (p, ‖ΔU‖).
    """
    by, signs = proof.by, proof.positive(L, G, nu)
    line = proof.generalise(in_weights(proof, signs), [R1, R2, V1, V2], PREMISES)
    same, short, near, far, given = map(proof.local, (SAME, SHORT, NEAR_U, FAR_U, GIVEN))
    steep = proof.assume(GRADIENT_BOUND_IN_DOMAIN, where={W: WEIGHT}, role="local")
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
    total = at_least_0(proof, "νp + ‖ΔV‖ + (1 + ν)p + ‖ΔU‖", reach + farther, signs)
    wider = le(reach**2, farther**2)
    squares = proof.step(
        "$(νp + ‖ΔV‖)²$", wider, moved, total, meaning="The difference of the squares is a product."
    )
    bend = proof.step("$L(νp + ‖ΔV‖)²$", le(L * wider.lhs, L * wider.rhs), squares, signs)
    crossed = proof.step(
        "$Gp‖ΔV‖$", le(G * MOVE_R * MOVE_EDIT, G * MOVE_R * (MOVE_U + MOVE_R)), moved, signs
    )
    image = proof.step(
        "$‖R_1W_0‖$",
        le(SpectralNorm(-R1 * W0), 1),
        by.submultiplicative("op", "op", R1, W0),
        short,
        given,
    )
    top, cross, low = entries
    limit = (top * MOVE_R**2 + 2 * cross * MOVE_R * MOVE_U + low * MOVE_U**2) / 2
    fall = Value(f, WEIGHT_2) - Value(f, WEIGHT)
    linear = InnerProduct(tangent(SLOPES_U[0]), IN_R) + InnerProduct(SLOPES_U[1], U2 - U1)
    whole = proof.step(
        "by f, in (R, U)",
        le(fall - linear, limit),
        at_edits,
        bend,
        crossed,
        normal(proof, -R1 * W0, sp.Integer(1), image, (same, short, steep), signs, M_U),
        meaning=(
            "R enters once more, by $RᵀR$, and its part that is normal to the manifold is of second"
            " order too."
        ),
    )
    final = of_loss(proof, whole, limit, (R, U), SLOPES_U, W0 + R.T * EDITS[0])
    form = by_blocks(proof, final, entries, signs, (MOVE_R, MOVE_U))
    conclude(proof, *form)
