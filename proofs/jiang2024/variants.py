"""Lemma 1 beyond the paper: one factor frozen; DiReFT; and two layers, whose constants do not add
up.
"""

from dataclasses import dataclass

import sympy as sp
from sympy import MatrixSymbol

from boundcheck.kernel import Theorem
from boundcheck.language.claim import Claim
from boundcheck.language.symbols import G_2, G, L, Lhat, a, a_2, b, b_2, r, s, s_2
from boundcheck.language.vocabulary import (
    A1,
    A2,
    B1,
    B2,
    W1,
    W2,
    A,
    B,
    F,
    FrobeniusNorm,
    Gradient,
    InnerProduct,
    PartialGradient,
    Value,
    W,
    d,
    f,
    k,
    v,
    v1,
    v2,
)
from boundcheck.proof import Proof, eq, ge, le, script

from ..meft.adapters import DIREFT, FROZEN_B, FROZEN_FACTOR_B
from ..meft.lora import (
    FROZEN_A,
    FROZEN_FACTOR,
    LAYER_1,
    LAYER_2,
    LAYER_A,
    LAYER_B,
    LAYER_BALLS,
    LAYER_GRADIENTS,
    LAYER_WEIGHTS,
    LAYERS,
    LEMMA_1_SHARP,
)
from . import eigenvalue
from .eigenvalue import Facts
from .lemma_1 import entries_at, sharp_lemma
from .setting import (
    FRESH,
    UNSCALED,
    W0,
    Matrices,
    at_least_0,
    defined,
    descent_of_f,
    f_of,
    quantity,
    smooth_f,
)


def one_frozen(
    proof: Proof,
    held: MatrixSymbol,
    trained: tuple[MatrixSymbol, MatrixSymbol, MatrixSymbol],
    radius: sp.Symbol,
    small: Claim,
    words: tuple[str, str],
) -> None:
    """∇F is that of f times the frozen factor, and W moves by the trained one times it, each with
    its scale.

    Args:
        proof: the proof.
        held: the frozen factor.
        trained: any value of the other one, and two.
        radius: the bound on the spectral norm of the frozen one, which the claim `small` says.
        small: that claim.
        words: what the gradient in v is of the one in W, and how W moves, as meanings write them.

    """
    by, (any_value, first, second), (pulled, moved) = proof.by, trained, words
    on_right = held == A
    norms = "$‖XY‖_F ≤ ‖X‖_F‖Y‖_op$" if on_right else "$‖XY‖_F ≤ ‖X‖_op‖Y‖_F$"

    def beside(x: sp.MatrixExpr, frozen: sp.MatrixExpr = held) -> sp.MatrixExpr:
        """The product with the frozen factor, as in BA."""
        return x * frozen if on_right else frozen * x

    def split(x: sp.MatrixExpr, frozen: sp.MatrixExpr = held) -> Theorem:
        """The norm of that product is at most that of x times the spectral norm of the frozen
        factor.
        """
        return (
            by.submultiplicative("F", "op", x, frozen)
            if on_right
            else by.submultiplicative("op", "F", frozen, x)
        )

    weight, *points = (W0 + s * beside(x) for x in trained)
    slope, *slopes = (Gradient(f, x) for x in (weight, *points))
    change, turned = first - second, slopes[0] - slopes[1]
    move, turn = FrobeniusNorm(change), FrobeniusNorm(turned)
    signs = proof.positive(L, radius, s)
    size = at_least_0(proof, "s", s, signs)
    bounded, smooth = proof.assume(small), smooth_f(proof)
    product = proof.step(
        "BA",
        le(FrobeniusNorm(beside(change)), radius * move),
        split(change),
        bounded,
        meaning=f"{norms}, and $‖{held.name}‖_op ≤ {radius}$.",
    )
    apart = proof.step(
        "W",
        le(FrobeniusNorm(points[0] - points[1]), s * radius * move),
        by.homogeneous(size, "F", beside(change)),
        product,
        signs,
        meaning=f"$W_1 - W_2$ is ${moved}$.",
    )
    bend = proof.step(
        "$∇f$",
        le(turn, L * s * radius * move),
        by.instance(smooth, dict(zip((W1, W2), points, strict=True))),
        apart,
        signs,
        meaning="f is L-smooth.",
    )
    name = any_value.name
    law = proof.define(
        Value(F, any_value), Value(f, weight), f"$F({name}) = f(W)$", forall=[any_value]
    )
    chain = proof.state(
        "chain rule",
        eq(Gradient(F, any_value), s * beside(slope, held.T)),
        by.chain_rule(law, 0),
        meaning=f"For all ${name}$, by the chain rule.",
    )
    pull = beside(turned, held.T)
    image = proof.step(
        f"${pulled}$",
        le(FrobeniusNorm(pull), radius * turn),
        split(turned, held.T),
        bounded,
        meaning=f"{norms} once more.",
    )
    reach = s**2 * L * radius**2 * move
    scaled = proof.step(f"$s{radius} ≥ 0$", ge(s * radius, 0), signs)
    inner = proof.step(
        f"$s{pulled}$",
        le(FrobeniusNorm(s * pull), reach),
        by.homogeneous(size, "F", pull),
        image,
        proof.step(f"$s{radius}∇f$", le(s * radius * turn, reach), scaled, bend),
        signs,
        meaning=f"The bounds on $∇f$ and on its product with ${held.name}ᵀ$, times $s$.",
    )
    gradients = [
        (by.instance(chain, {any_value: x}), Gradient(F, x), s * beside(there, held.T))
        for x, there in zip((first, second), slopes, strict=True)
    ]
    relation = le(FrobeniusNorm(Gradient(F, first) - Gradient(F, second)), reach)
    line = proof.step(
        "$∇F$", relation, by.rewrite(inner, relation, *gradients), meaning="By the chain rule."
    )
    constant = defined(proof, Lhat)
    final = proof.step(
        "(8)", proof.claim.conclusion, line, constant, meaning=f"$L̂$ is $s²L{radius}²$."
    )
    proof.conclude(final)


@script(FROZEN_A, "sharp", fresh=FRESH)
def frozen(proof: Proof) -> None:
    """∇F(B) = s∇f(W)Aᵀ, and W moves by s(B_1 - B_2)A."""
    one_frozen(proof, A, (B, B1, B2), a, FROZEN_FACTOR, ("∇fAᵀ", "s(B_1 - B_2)A"))


C1, C2 = (MatrixSymbol(f"A'_{i}", r, k) for i in (1, 2))
E1, E2 = (MatrixSymbol(f"B'_{i}", d, r) for i in (1, 2))

FACTORS = (A, B, LAYER_A, LAYER_B), (A1, B1, C1, E1), (A2, B2, C2, E2)
# The pair of weights at v, v_1 and v_2, between the last two of which there is a segment.
w, w1, w2 = (LAYER_WEIGHTS.xreplace(dict(zip(FACTORS[0], x, strict=True))) for x in FACTORS)


@dataclass(frozen=True)
class Layer:
    """One of the layers: the block of the weights, those of v, their values at v_1 and v_2, and its
    constants.

    `slope` is M, the layer's block of the gradient of f where v is v_1.
    """

    weight: MatrixSymbol
    blocks: tuple[MatrixSymbol, MatrixSymbol]
    start: Matrices
    end: Matrices
    bound: sp.Symbol
    radii: tuple[sp.Symbol, sp.Symbol]
    scale: sp.Symbol
    slope: sp.MatrixExpr

    @property
    def changes(self) -> Matrices:
        """ΔA and ΔB."""
        return self.end[0] - self.start[0], self.end[1] - self.start[1]

    @property
    def gradients(self) -> Matrices:
        """The blocks of ∇F(v_1), by the chain rule: sB_1ᵀM and sMA_1ᵀ."""
        return self.scale * self.start[1].T * self.slope, self.scale * self.slope * self.start[0].T

    @property
    def top(self) -> sp.Expr:
        """λ*, its larger eigenvalue."""
        constants = {G: self.bound, a: self.radii[0], b: self.radii[1], s: self.scale}
        return quantity(LEMMA_1_SHARP, Lhat).expression.xreplace(constants)


PAIR = (
    Layer(LAYER_1, (A, B), (A1, B1), (A2, B2), G, (a, b), s, PartialGradient(f, w1, LAYER_1)),
    Layer(
        LAYER_2,
        (LAYER_A, LAYER_B),
        (C1, E1),
        (C2, E2),
        G_2,
        (a_2, b_2),
        s_2,
        PartialGradient(f, w1, LAYER_2),
    ),
)


@script(LAYERS, "sharp", fresh=FRESH)
def layers(proof: Proof) -> None:
    """F's own descent inequality between the two pairs of weights, with the term of each layer."""
    by = proof.by
    signs = proof.positive(L, G, a, b, s, G_2, a_2, b_2, s_2)
    smooth = smooth_f(proof)
    law = f_of(proof, w, "$F(v) = f(U, U')$")
    ball = LAYER_BALLS.conclusion.args
    bounded = proof.assume(LAYER_GRADIENTS, where={W: w}, forall=[v], given=ball)
    # Sympy sorts the parts of a conjunction.
    slopes = {
        part.lhs.args[0].args[2]: x
        for part, x in zip(LAYER_GRADIENTS.conclusion.args, bounded, strict=True)
    }
    near, far = (
        [
            relation.xreplace(dict(zip((A, B, LAYER_A, LAYER_B), point, strict=True)))
            for relation in ball
        ]
        for point in ((*PAIR[0].start, *PAIR[1].start), (*PAIR[0].end, *PAIR[1].end))
    )
    inside = list(map(proof.local, (*near, *far)))
    form, formula = eigenvalue.quadratic_form(proof), quantity(LAYERS, Lhat)
    constant, below = proof.quantity(formula), by.below_maximum(formula.expression)
    larger = [
        proof.step(
            f"$L̂ ≥ {name}$",
            ge(Lhat, layer.top),
            constant,
            below,
            meaning="A maximum is at least each number.",
        )
        for name, layer in zip(("λ", "λ'"), PAIR, strict=True)
    ]
    bounds = [
        layer_bound(
            proof, layer, by.instance(slopes[layer.weight], {v: v1}), inside, signs, form, above
        )
        for layer, above in zip(PAIR, larger, strict=True)
    ]
    relation = LAYERS.conclusion
    linear = sum(
        InnerProduct(x, y)
        for layer in PAIR
        for x, y in zip(layer.gradients, layer.changes, strict=True)
    )
    line = proof.step(
        "layers",
        relation.xreplace({InnerProduct(Gradient(F, v1), v2 - v1): linear}),
        descent_of_f(proof, smooth, w1, w2 - w1),
        *(by.instance(law, {v: point}) for point in (v1, v2)),
        by.block_norm(w2 - w1),
        by.block_norm(v2 - v1),
        *bounds,
        meaning="The descent lemma for f, with the bounds of both layers put in.",
    )
    values = [pair for layer in PAIR for pair in zip(layer.blocks, layer.gradients, strict=True)]
    chain = [
        (by.instance(by.chain_rule(law, i), {v: v1}), PartialGradient(F, v1, block), value)
        for i, (block, value) in enumerate(values)
    ]
    final = proof.step(
        "(15)", relation, by.rewrite(line, relation, *chain), meaning="By the chain rule."
    )
    proof.conclude(final)


def layer_bound(
    proof: Proof,
    layer: Layer,
    slope: Theorem,
    inside: Facts,
    signs: Facts,
    form: Theorem,
    larger: Theorem,
) -> Theorem:
    """L‖ΔW‖² + 2s⟨M, ΔBΔA⟩ <= L̂ (‖ΔA‖² + ‖ΔB‖²)."""
    by, where, (in_a, in_b) = proof.by, f", ${layer.weight}$", layer.changes
    move_a, move_b = FrobeniusNorm(in_a), FrobeniusNorm(in_b)
    total = move_a**2 + move_b**2
    size = proof.step(f"$s ≥ 0${where}", ge(layer.scale, 0), signs)
    moved = layer.end[1] * layer.end[0] - layer.start[1] * layer.start[0]
    reach, change = (
        layer.radii[1] * move_a + layer.radii[0] * move_b,
        FrobeniusNorm(layer.scale * moved),
    )
    product = proof.step(
        f"$BA${where}",
        le(FrobeniusNorm(moved), reach),
        by.triangle("F", layer.end[1] * in_a, in_b * layer.start[0]),
        by.submultiplicative("op", "F", layer.end[1], in_a),
        by.submultiplicative("F", "op", in_b, layer.start[0]),
        inside,
        meaning="$B_2A_2 - B_1A_1 = B_2ΔA + ΔBA_1$.",
    )
    longer = proof.step(
        f"$‖ΔW‖${where}",
        le(change, layer.scale * reach),
        by.homogeneous(size, "F", moved),
        product,
        size,
        meaning="ΔW is s times that.",
    )
    squares = proof.step(
        f"$‖ΔW‖²${where}",
        le(change**2, (layer.scale * reach) ** 2),
        longer,
        by.nonnegative("F", layer.scale * moved),
    )
    curved = proof.step(
        f"$L‖ΔW‖²${where}",
        le(L * change**2, L * (layer.scale * reach) ** 2),
        squares,
        proof.step(f"$L ≥ 0${where}", ge(L, 0), signs),
        meaning="Squares of nonnegative numbers, times L.",
    )
    crossed = proof.step(
        f"$⟨M, ΔBΔA⟩${where}",
        le(InnerProduct(layer.slope, in_b * in_a), layer.bound * move_a * move_b),
        by.cauchy_schwarz(in_b.T * layer.slope, in_a),
        by.submultiplicative("F", "op", in_b.T, layer.slope),
        slope,
        proof.step(f"$‖ΔA‖‖ΔB‖ ≥ 0${where}", ge(move_a * move_b, 0)),
        meaning="$⟨ΔBᵀM, ΔA⟩$, by Cauchy-Schwarz, and $‖M‖_op ≤ G$.",
    )
    entries = entries_at(layer.scale, layer.radii, layer.bound)
    eigen = eigenvalue.top_eigenvalue(proof, layer.top, layer.top, entries, signs, where)
    values = eigenvalue.values(entries, layer.top, (move_a, move_b))
    stretched = proof.step(
        f"$λ${where}",
        le(layer.top * total, Lhat * total),
        larger,
        proof.step(f"$‖ΔA‖² + ‖ΔB‖² ≥ 0${where}", ge(total, 0)),
        meaning="L̂ is at least λ.",
    )
    return proof.step(
        f"layer{where}",
        le(L * change**2 + 2 * layer.scale * InnerProduct(layer.slope, in_b * in_a), Lhat * total),
        curved,
        crossed,
        size,
        by.instance(form, values, *eigen),
        stretched,
        meaning=(
            "The left side is at most the quadratic form of $[[P, K], [K, Q]]$ at $(‖ΔA‖, ‖ΔB‖)$."
        ),
    )


@script(DIREFT, "sharp", fresh=FRESH)
def direft(proof: Proof) -> None:
    """λ* at scale 1, of A = [U_1 b] and B = U_2ᵀ: nothing in the proof asks what the columns of A
    are.
    """
    sharp_lemma(proof, UNSCALED, (a, b))


@script(FROZEN_B, "sharp", fresh=FRESH)
def frozen_b(proof: Proof) -> None:
    """∇F(A) = sBᵀ∇f(W), and W moves by sB(A_1 - A_2)."""
    one_frozen(proof, B, (A, A1, A2), b, FROZEN_FACTOR_B, ("Bᵀ∇f", "sB(A_1 - A_2)"))
