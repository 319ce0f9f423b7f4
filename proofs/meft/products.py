"""The composition lemma for any W(v); full fine-tuning and LoRA by it; and any number of layers.

What is proved of one layer is summed over all, which are numbered by t.
"""

from collections.abc import Sequence

import sympy as sp

from boundcheck.kernel import Theorem
from boundcheck.language.symbols import G, H, J, L, Lhat, a, b, s
from boundcheck.language.vocabulary import (
    W1,
    W2,
    A,
    A_t,
    B,
    B_t,
    EuclideanNorm,
    F,
    FrobeniusNorm,
    Gradient,
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
from ..jiang2024.eigenvalue import radical
from ..jiang2024.lemma_1 import smoothness
from ..jiang2024.setting import FRESH, LENGTH, MOVE, Meft, at_least_0, defined, quantity, smooth_f
from ..jiang2024.variants import Layer, layer_bound
from .adapters import (
    CHAIN_RULE,
    COMPOSITION,
    FULL,
    GRADIENT_BOUND_IN_DOMAIN,
    LIPSCHITZ,
    LORA,
    N1,
    N2,
    image,
    pulled,
)
from .lora import (
    ALL_LAYERS,
    EACH_LAYER_BALL,
    EACH_LAYER_GRADIENT,
    FAR_A,
    FAR_B,
    JOINT_DESCENT,
    LEMMA_1_SHARP,
    SLOPE,
)


@script(COMPOSITION, "sharp")
def composition(proof: Proof) -> None:
    """∇F(v_1) - ∇F(v_2) = DW(v_1)*[∇f(W_1) - ∇f(W_2)] + (DW(v_1) - DW(v_2))*∇f(W_2)."""
    by, signs, (w1, w2) = proof.by, proof.positive(L, G, J, H), map(image, (v1, v2))
    slopes = Gradient(f, w1), Gradient(f, w2)
    here, mixed, there = pulled(v1, slopes[0]), pulled(v1, slopes[1]), pulled(v2, slopes[1])
    turn = FrobeniusNorm(slopes[0] - slopes[1])
    at_both = dict(zip((N1, N2), slopes, strict=True))
    smooth = smooth_f(proof)
    lipschitz = proof.assume(LIPSCHITZ, where=at_both, role="local")
    steep = proof.assume(GRADIENT_BOUND_IN_DOMAIN, where={W: w2}, role="local")
    chain = [proof.assume(CHAIN_RULE, where={v: point}, role="local") for point in (v1, v2)]
    turned = proof.step(
        "$∇f(W_1) - ∇f(W_2)$",
        le(turn, L * J * MOVE),
        by.instance(smooth, {W1: w1, W2: w2}),
        lipschitz,
        signs,
        meaning="$f$ is $L$-smooth, and $W$ moves by at most $J‖v_1 - v_2‖$.",
    )
    size = at_least_0(proof, "H‖v_1 - v_2‖", H * MOVE, signs)
    line = proof.step(
        "both changes",
        le(EuclideanNorm(here - there), (L * J**2 + G * H) * MOVE),
        by.triangle("F", here - mixed, mixed - there),
        lipschitz,
        proof.step("J times the first", le(J * turn, L * J**2 * MOVE), turned, signs),
        proof.step(
            "H times the second", le(H * SpectralNorm(slopes[1]) * MOVE, G * H * MOVE), steep, size
        ),
        meaning="The gradient in W changes, and what pulls it back to v.",
    )
    relation = le(LENGTH, (L * J**2 + G * H) * MOVE)
    equations = [
        (fact, Gradient(F, x), y) for fact, x, y in zip(chain, (v1, v2), (here, there), strict=True)
    ]
    final = proof.step(
        "$∇F$", relation, by.rewrite(line, relation, *equations), meaning="By the chain rule."
    )
    constant = defined(proof, Lhat)
    whole = proof.step("(8)", proof.claim.conclusion, final, constant, meaning="L̂ is $LJ² + GH$.")
    proof.conclude(whole)


@script(FULL, "sharp")
def full(proof: Proof) -> None:
    """F is f."""
    by = proof.by
    smooth = smooth_f(proof)
    law = proof.define(Value(F, W), Value(f, W), "$F(W) = f(W)$", forall=[W])
    same = proof.state(
        "$∇F$", eq(Gradient(F, W), Gradient(f, W)), by.chain_rule(law, 0), meaning="At every W."
    )
    equations = [(by.instance(same, {W: x}), Gradient(F, x), Gradient(f, x)) for x in (W1, W2)]
    relation = le(proof.claim.conclusion.lhs, L * FrobeniusNorm(W1 - W2))
    line = by.rewrite(by.instance(smooth, {W1: W1, W2: W2}), relation, *equations)
    final = proof.step("(8)", proof.claim.conclusion, line, defined(proof, Lhat), meaning="L̂ is L.")
    proof.conclude(final)


def sharp_constant(size: sp.Expr) -> sp.Expr:
    """λ* with this in place of the scale."""
    return quantity(LEMMA_1_SHARP, Lhat).expression.xreplace({s: size})


def conclude(m: Meft, length: Theorem, larger: Theorem) -> None:
    """The claim, from the same with λ*, and from L̂ being at least that."""
    proof = m.proof
    final = proof.step(
        "(8)", proof.claim.conclusion, length, larger, meaning="The constant is at least λ*."
    )
    proof.conclude(final)


def composed_is_larger(m: Meft, signs: Sequence[Theorem]) -> Theorem:
    """LJ² + GH is at least λ*, by sGS(a - b)² with S = s²L, or by the trace of the matrix and its
    cross term.
    """
    proof, by, size, top = m.proof, m.proof.by, m.size, sharp_constant(m.size)
    by_formula = [defined(proof, symbol) for symbol in (J, H, Lhat)]
    curved, stretch = radical(top), radical(quantity(proof.claim, J).expression)
    half = size**2 * L * (a**2 + b**2) / 2 + size * G
    squared = by.root(proof.step("radicand of J", ge(stretch.base, 0), signs))
    root = by.root(proof.step("radicand of λ", ge(curved.base, 0), signs))
    weight = at_least_0(proof, "s³LG", size**3 * L * G, signs)
    squares = proof.step(
        "$root²$", le(curved.base, half**2), weight, meaning="They differ by $s³LG(a - b)²$."
    )
    small = by.from_squares(squares, at_least_0(proof, "half", half, signs), curved, root)
    spread = proof.step(
        "$J²$", sp.Eq(J**2, size**2 * (a**2 + b**2), evaluate=False), by_formula[0], squared
    )
    return proof.step(
        "$L̂ ≥ λ*$",
        ge(Lhat, top),
        small,
        proof.step(
            "L̂",
            sp.Eq(Lhat, size**2 * L * (a**2 + b**2) + size * G, evaluate=False),
            by_formula[1:],
            spread,
        ),
        meaning="The trace of a matrix and its cross term are at least its eigenvalue.",
    )


@script(LORA, "sharp", fresh=FRESH)
def lora(proof: Proof) -> None:
    """λ* is at most s²L(a² + b²) + sG."""
    m, signs = Meft(proof, s, (a, b)), proof.positive(L, G, s, a, b)
    top = sharp_constant(s)
    length = smoothness(m, (top, top), [], signs)
    line = proof.step("λ*", le(LENGTH, top * MOVE), length, meaning="Lemma 1, sharp.")
    conclude(m, line, composed_is_larger(m, signs))


ANY_LAYER = Layer(W, (A, B), (A_t, B_t), (FAR_A, FAR_B), G, (a, b), s, SLOPE)


@script(ALL_LAYERS, "sharp", fresh=FRESH)
def all_layers(proof: Proof) -> None:
    """L‖ΔW‖² + 2s⟨M, ΔBΔA⟩ <= L̂(‖ΔA‖² + ‖ΔB‖²) at each layer, and so in sum."""
    signs = proof.positive(L, G, a, b, s)
    joint, inside, steep = map(proof.assume, (JOINT_DESCENT, EACH_LAYER_BALL, EACH_LAYER_GRADIENT))
    constant = defined(proof, Lhat)
    larger = proof.step("$L̂ ≥ λ*$", ge(Lhat, ANY_LAYER.top), constant)
    one = layer_bound(
        proof, ANY_LAYER, steep, inside, signs, eigenvalue.quadratic_form(proof), larger
    )
    line = proof.step(
        "all layers",
        proof.claim.conclusion,
        joint,
        proof.by.sum(one),
        meaning="Of $⟨M, ΔW⟩$ the linear part is that of $F$, and the rest is $s⟨M, ΔBΔA⟩$.",
    )
    proof.conclude(line)
