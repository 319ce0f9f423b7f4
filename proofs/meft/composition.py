"""The composition lemma for any W(v), and full fine-tuning, where W(v) is v."""

from sympy import MatrixSymbol

from boundcheck.language.symbols import G, H, J, L, Lhat
from boundcheck.language.vocabulary import (
    W1,
    W2,
    EuclideanNorm,
    F,
    FrobeniusNorm,
    Gradient,
    SpectralNorm,
    Value,
    W,
    f,
    n,
    v,
    v1,
    v2,
)
from boundcheck.proof import Proof, Reading, eq, ge, le, script

from ..jiang2024.claims import ASSUMPTION_1
from ..jiang2024.setting import LENGTH, MOVE, quantity
from .adapters import CHAIN_RULE, COMPOSITION, FULL, LIPSCHITZ, N1, N2, M, image, pulled, u
from .lora import GRADIENT_BOUND

# v is a vector, and the arguments of Φ are one vector and a matrix.
ANY_ADAPTER = Reading(points={MatrixSymbol("p", n, 1): (u, M)}, arbitrary={u, v, v1, v2, M, N1, N2, W, W1, W2})
FREE = Reading(arbitrary={W, W1, W2})


@script(COMPOSITION, "sharp", ANY_ADAPTER)
def composition(proof: Proof) -> None:
    """∇F(v_1) - ∇F(v_2) = DW(v_1)*[∇f(W_1) - ∇f(W_2)] + (DW(v_1) - DW(v_2))*∇f(W_2)."""
    by, signs, (w1, w2) = proof.by, proof.positive(L, G, J, H), map(image, (v1, v2))
    slopes = Gradient(f, w1), Gradient(f, w2)
    here, mixed, there = pulled(v1, slopes[0]), pulled(v1, slopes[1]), pulled(v2, slopes[1])
    turn = FrobeniusNorm(slopes[0] - slopes[1])
    at_both = dict(zip((N1, N2), slopes, strict=True))
    smooth = proof.assume(ASSUMPTION_1, forall=[W1, W2])
    lipschitz = proof.assume(LIPSCHITZ, where=at_both, role="local")
    steep = proof.assume(GRADIENT_BOUND, where={W: w2}, role="local")
    chain = [proof.assume(CHAIN_RULE, where={v: point}, role="local") for point in (v1, v2)]
    turned = proof.step(
        "$∇f(W_1) - ∇f(W_2)$",
        le(turn, L * J * MOVE),
        by.instance(smooth, {W1: w1, W2: w2}),
        lipschitz,
        signs,
        meaning="$f$ is $L$-smooth, and $W$ moves by at most $J‖v_1 - v_2‖$.",
    )
    size = proof.step("$H‖v_1 - v_2‖ ≥ 0$", ge(H * MOVE, 0), signs)
    line = proof.step(
        "both changes",
        le(EuclideanNorm(here - there), (L * J**2 + G * H) * MOVE),
        by.triangle("F", here - mixed, mixed - there),
        lipschitz,
        proof.step("J times the first", le(J * turn, L * J**2 * MOVE), turned, signs),
        proof.step("H times the second", le(H * SpectralNorm(slopes[1]) * MOVE, G * H * MOVE), steep, size),
        meaning="The gradient in W changes, and what pulls it back to v.",
    )
    relation = le(LENGTH, (L * J**2 + G * H) * MOVE)
    equations = [(fact, Gradient(F, x), y) for fact, x, y in zip(chain, (v1, v2), (here, there), strict=True)]
    final = proof.step("$∇F$", relation, by.rewrite(line, relation, *equations), meaning="By the chain rule.")
    defined = proof.quantity(quantity(COMPOSITION, Lhat))
    whole = proof.step("(8)", COMPOSITION.conclusion, final, defined, meaning="L̂ is $LJ² + GH$.")
    given = [LIPSCHITZ.conclusion.xreplace(at_both), GRADIENT_BOUND.conclusion.xreplace({W: w2})]
    given += [CHAIN_RULE.conclusion.xreplace({v: point}) for point in (v1, v2)]
    proof.conclude(whole, forall=[v1, v2], such_that=given)


@script(FULL, "sharp", FREE)
def full(proof: Proof) -> None:
    """F is f."""
    by = proof.by
    smooth = proof.assume(ASSUMPTION_1, forall=[W1, W2])
    law = proof.define(Value(F, W), Value(f, W), "$F(W) = f(W)$", forall=[W])
    same = proof.state("$∇F$", eq(Gradient(F, W), Gradient(f, W)), by.chain_rule(law, 0), meaning="At every W.")
    equations = [(by.instance(same, {W: x}), Gradient(F, x), Gradient(f, x)) for x in (W1, W2)]
    relation = le(FULL.conclusion.lhs, L * FrobeniusNorm(W1 - W2))
    line = by.rewrite(by.instance(smooth, {W1: W1, W2: W2}), relation, *equations)
    final = proof.step("(8)", FULL.conclusion, line, proof.quantity(quantity(FULL, Lhat)), meaning="L̂ is L.")
    proof.conclude(final, forall=[W1, W2])
