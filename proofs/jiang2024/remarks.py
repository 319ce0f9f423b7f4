"""What jiang2024 says beside its theorems: the larger constant, the worse bound, the start, and runs that stay inside.

Each is stated as exactly as the text allows, and proved; what the text does not say is in the title.
"""

import sympy as sp

from boundcheck.kernel import Theorem
from boundcheck.language.symbols import C, D, G, L, Lhat, T, alpha, bound, r, sigma, zeta
from boundcheck.language.vocabulary import (
    A,
    EuclideanNorm,
    Expectation,
    F,
    FrobeniusNorm,
    Gradient,
    SpectralNorm,
    k,
    v,
)
from boundcheck.proof import Proof, Reading, eq, ge, gt, le, script

from .assumptions import CORNER, origin
from .claims import LEMMA_1, ROOT_TERM, THEOREM_2
from .setting import Meft, quantity

CONSTANT = quantity(LEMMA_1, Lhat)


def _larger(proof: Proof) -> tuple[Theorem, list[Theorem]]:
    """L̂ ≥ L + G, from √r ≥ 1/(2Cσ), which the text prints as its condition."""
    by = proof.by
    signs = proof.positive(L, C, G, sigma, r)
    defined = proof.quantity(CONSTANT)
    _, lipschitz, _, radius, _ = signs
    law = proof.assume(ge(sp.sqrt(r), 1 / (2 * C * sigma)), name="$√r ≥ 1/(2Cσ)$")
    half = proof.step("$2σ√r ≥ 1/C$", ge(2 * sigma * sp.sqrt(r), 1 / C), radius, law, by.quotient(radius)[0])
    cleared = proof.step("$2Cσ√r ≥ 1$", ge(2 * C * sigma * sp.sqrt(r), 1), lipschitz, half, by.quotient(lipschitz)[0])
    line = proof.step(
        "$L̂ ≥ L + G$",
        ge(Lhat, L + G),
        defined,
        proof.step("times L", ge(2 * L * C * sigma * sp.sqrt(r), L), cleared, signs),
        meaning="$2LC√rσ$ alone is at least L.",
    )
    return line, signs


@script("jiang2024.remarks.larger_constant", "sharp", title="The new smoothness constant is larger if $√r ≥ 1/(2Cσ)$")
def larger_constant(proof: Proof) -> None:
    """As the text says, below Lemma 1."""
    line, signs = _larger(proof)
    relation = gt(Lhat, L)
    proof.conclude(proof.step("$L̂ > L$", relation, line, signs), relation=relation)


@script(
    "jiang2024.remarks.worse_bound",
    "sharp",
    title="The bound of Theorem 2 is worse with $L̂$ than with $L$, at the same $D$ and $ζ$, if $√r ≥ 1/(2Cσ)$",
)
def worse_bound(proof: Proof) -> None:
    """Bounds are compared and not what they bound, which is ∇_v F for the one and ∇_W f for the other."""
    by = proof.by
    line, signs = _larger(proof)
    signs = [*signs, *proof.positive(D, zeta, T)]
    _, inverse = by.quotient(proof.step("$T > 0$", gt(T, 0), signs))
    full, low = (sp.sqrt(ROOT_TERM.base.xreplace({Lhat: x}), evaluate=False) for x in (L, Lhat))
    share = proof.step("$Dζ²/T ≥ 0$", ge(D * zeta**2 / T, 0), signs, inverse)
    inside = proof.step(
        "radicands",
        ge(low.base, full.base),
        line,
        share,
        proof.step("term with $G ≥ 0$", ge(D * zeta**2 / T * G, 0), signs, share),
    )
    above = proof.step("$DLζ²/T ≥ 0$", ge(full.base, 0), signs, inverse)
    both = [by.root(above), by.root(proof.step("$DL̂ζ²/T ≥ 0$", ge(low.base, 0), inside, above))]
    larger = by.root_nonnegative(low.base)
    longer = by.from_squares(inside, larger, full, *both)
    factor, _ = quantity(THEOREM_2, bound).expression.args
    relation = le(sp.Mul(factor, full, evaluate=False), sp.Mul(factor, low, evaluate=False))
    line = proof.step("bounds", relation, longer, meaning="Times 2.5.")
    proof.conclude(line, relation=relation)


@script(
    "jiang2024.remarks.start",
    "sharp",
    Reading(arbitrary={A}),
    title="$σ_1(A_0)²$ is $kσ²$ at least on average, where the entries of $A_0$ have the variance $σ²$",
)
def start(proof: Proof) -> None:
    """E‖A_0‖_F² is the sum of rk variances, and ‖A_0‖_F² has at most r squared singular values."""
    by = proof.by
    rank = proof.step("$r > 0$", gt(r, 0))
    entries = proof.assume(
        eq(Expectation(FrobeniusNorm(A) ** 2), r * k * sigma**2),
        name="$E‖A_0‖_F² = rkσ²$: $rk$ entries of variance $σ²$",
    )
    spread = proof.step(
        "$E‖A_0‖_F² ≤ rE[σ_1²]$",
        le(Expectation(FrobeniusNorm(A) ** 2), r * Expectation(SpectralNorm(A) ** 2)),
        by.expectation(by.rank(A, r)),
        meaning="A matrix with r rows has r singular values, of which the spectral norm is the largest.",
    )
    relation = ge(Expectation(SpectralNorm(A) ** 2), k * sigma**2)
    line = proof.step(
        "$E[σ_1²] ≥ kσ²$",
        relation,
        rank,
        spread,
        entries,
        meaning="So for $k ≥ 2$ a bound σ on $σ_1(A_0)$ is another number than that deviation.",
    )
    proof.conclude(line, relation=relation)


@script(
    "jiang2024.remarks.origin", "sharp", CORNER, title="At $A = 0$, $B = 0$ the gradient of $F$ is 0, whatever $∇f$ is"
)
def at_origin(proof: Proof) -> None:
    """Bᵀ∇f(W) and ∇f(W)Aᵀ vanish there, so a small ‖∇F‖ says nothing of ‖∇f‖."""
    by, m = proof.by, Meft(proof)
    at_zero = [by.instance(law, {v: origin}) for law in m.chain_rule()]
    length = EuclideanNorm(Gradient(F, origin))
    squares = proof.step("squares", le(length**2, 0), by.block_norm(Gradient(F, origin)), at_zero)
    size = proof.step("$0 ≥ 0$", ge(sp.Integer(0), 0))
    relation = eq(length, 0)
    equal = by.equal(by.nonnegative("F", Gradient(F, origin)), by.from_squares(squares, size, length))
    proof.conclude(proof.step("$‖∇F(0)‖ = 0$", relation, equal), relation=relation)


entry, change = sp.symbols("a_t g_a", real=True)


@script(
    "jiang2024.remarks.leaves_the_ball",
    "sharp",
    Reading(constants={entry, change}),
    title="At $d = k = r = 1$ a step from the edge of the ball leaves it at any $g_A < 0$, whatever $α$ is",
)
def leaves_the_ball(proof: Proof) -> None:
    """A_{t+1} = A_t - αg_A: whatever α and σ are, a step of Algorithm 1 can break Assumption 2."""
    step, _ = proof.positive(alpha, sigma)
    edge = proof.assume(eq(entry, sigma), name="$A_t = σ$", role="choice")
    outward = proof.assume(gt(-change, 0), name="$g_A < 0$", role="choice")
    relation = gt(entry - alpha * change, sigma)
    line = proof.step(
        "$A_(t+1) > σ$",
        relation,
        step,
        edge,
        outward,
        meaning="Noise without a bound goes as far from any point of the ball.",
    )
    proof.conclude(line, relation=relation)
