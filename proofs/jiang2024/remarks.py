"""What jiang2024 says beside its theorems: its rate, the larger constant, the worse bound, the start, the ball.

The rate r^(1/4) σ^(1/2) is right in r for the least C, wrong in σ for every C, and wrong in r for the paper's own C.
The rank, or its root, is a number x² there, so that roots are polynomials; all else is as in the claims. Each proof
names the C that it is about: the least on the ball is σ, the paper's example is √r σ. Each remark is stated as exactly
as the text allows, and proved; what the text does not say is in the title.
"""

import sympy as sp

from boundcheck.kernel import Theorem
from boundcheck.language.symbols import C, D, G, L, Lhat, T, alpha, bound, c, r, sigma, zeta
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
from .claims import LEMMA_1, RATE, ROOT_TERM, THEOREM_2
from .setting import Meft, quantity

x = sp.Symbol("x", positive=True)


def squared(constant: sp.Expr) -> sp.Expr:
    """The square of the printed bound at that C, with r = x²."""
    return sp.expand((THEOREM_2.expression("bound") ** 2).subs(C, constant).subs(r, x**2).doit())


# The squares of both bounds, with the paper's C = √r σ, at r = x².
PRINTED = squared(sp.sqrt(r) * sigma)
SUBSTITUTED = sp.expand(RATE.expression("bound") ** 2).subs(r, x**2)
HIDDEN = sp.Rational(25, 2) * D * L * zeta**2


@script(
    "jiang2024.rate.with_own_constant",
    "sharp",
    Reading(constants={x}),
    title="With $C = √rσ$ no $c$ free of $r$ makes the rate $O(r^(1/4))$",
)
def no_constant(proof: Proof) -> None:
    """Whatever c is, the printed rate bounds the printed bound for ranks up to (2c²/(25DLσζ²))² at most."""
    by = proof.by
    signs = proof.positive(L, G, D, T, c, sigma, zeta, x)
    horizon = proof.step("$T > 0$", gt(T, 0), signs)
    rate = proof.assume(
        le(PRINTED, SUBSTITUTED), name="$bound ≤ c r^(1/4) σ^(1/2) T^(-1/2)$, squared, at the rank $r = x²$"
    )
    slope = sp.Rational(25, 2) * D * L * sigma**2 * zeta**2
    cleared = proof.step(
        "cleared",
        le(slope * x**2, c**2 * sigma * x),
        horizon,
        rate,
        by.quotient(horizon)[0],
        proof.step("term with $G ≥ 0$", ge(sp.Rational(25, 4) * D * G * zeta**2, 0), signs),
        factor=[0],
        meaning="Times T; the part with G only helps.",
    )
    relation = le(slope * x, c**2 * sigma)
    line = proof.step("$√r ≤ 2c²/(25DLσζ²)$", relation, signs[-1], cleared, meaning="So c cannot serve for every rank.")
    proof.conclude(line, relation=relation)


@script(
    "jiang2024.rate.any_constant",
    "sharp",
    Reading(constants={x}),
    title="Whatever $C ≥ σ$ is, no $c$ free of $σ$ makes the rate $O(σ^(1/2))$",
)
def no_root_of_sigma(proof: Proof) -> None:
    """L̂ ≥ 2L√rσ², so the printed rate bounds the printed bound for σ up to 2c²/(25DLζ²) at most."""
    by = proof.by
    signs = proof.positive(L, G, D, T, C, c, sigma, zeta, x)
    horizon = proof.step("$T > 0$", gt(T, 0), signs)
    rate = proof.assume(
        le(squared(C), SUBSTITUTED), name="$bound ≤ c r^(1/4) σ^(1/2) T^(-1/2)$, squared, at the rank $r = x²$"
    )
    large = proof.assume(ge(C, sigma), name="$C ≥ σ$, as Assumption 3(1) makes it on the ball")
    cleared = proof.step(
        "cleared",
        le(HIDDEN * C * sigma * x, c**2 * sigma * x),
        horizon,
        rate,
        by.quotient(horizon)[0],
        proof.step("term with $G ≥ 0$", ge(sp.Rational(25, 4) * D * G * zeta**2, 0), signs),
        factor=[0],
        meaning="Times T; the part with G only helps.",
    )
    size = proof.step("$σ√r > 0$", gt(sigma * x, 0), signs)
    bounded = proof.step("$C ≤ 2c²/(25DLζ²)$", le(HIDDEN * C, c**2), size, cleared)
    scale = proof.step("$25DLζ²/2 ≥ 0$", ge(HIDDEN, 0), signs)
    relation = le(HIDDEN * sigma, c**2)
    line = proof.step(
        "$σ ≤ 2c²/(25DLζ²)$",
        relation,
        bounded,
        proof.step("$C$ put in", le(HIDDEN * sigma, HIDDEN * C), scale, large),
        meaning="So c cannot serve for every σ: the bound grows as σ, and not as its root.",
    )
    proof.conclude(line, relation=relation)


def between(proof: Proof, constant: sp.Expr, size: sp.Expr, power: str) -> None:
    """The printed bound's square times T lies between (25/2)DLσ²ζ² times `size` and (25/4)Dζ²(2Lσ² + G) times it."""
    by, bound = proof.by, squared(constant)
    signs = proof.positive(L, G, D, T, sigma, zeta, x)
    horizon = proof.step("$T > 0$", gt(T, 0), signs)
    _, inverse = by.quotient(horizon)
    one = proof.assume(ge(x, 1), name="$r = x²$ is at least 1")
    low = HIDDEN * sigma**2
    high = sp.Rational(25, 4) * D * zeta**2 * (2 * L * sigma**2 + G)
    rank = one if size == x else proof.step("the power of $r$ is at least 1", ge(size, 1), one)
    rest = proof.step("term with $G ≥ 0$", ge(sp.Rational(25, 4) * D * G * zeta**2 / T, 0), signs, inverse)
    proof.step("below", ge(bound, low * size / T), rest, meaning=f"No smaller power than ${power}$.")
    relation = le(bound, high * size / T)
    line = proof.step("above", relation, rest, rank, meaning="And no larger one.")
    proof.conclude(line, relation=relation)


@script(
    "jiang2024.rate.exponent",
    "sharp",
    Reading(constants={x}),
    title="With $C = √rσ$ the printed bound is between constants times $r^(1/2)$",
)
def exponent(proof: Proof) -> None:
    """bound² T lies between (25/2)DLσ²ζ² r and (25/4)Dζ²(2Lσ² + G) r, for r >= 1."""
    between(proof, sp.sqrt(r) * sigma, x**2, "r^(1/2)")


@script(
    "jiang2024.rate.least_constant",
    "sharp",
    Reading(constants={x}),
    title="With $C = σ$ the printed bound is between constants times $r^(1/4)$",
)
def least_constant(proof: Proof) -> None:
    """bound² T lies between (25/2)DLσ²ζ² √r and (25/4)Dζ²(2Lσ² + G) √r, for r >= 1."""
    between(proof, sigma, x, "r^(1/4)")


@script(
    "jiang2024.rate.step_size",
    "sharp",
    title="With $C = σ$ the printed step size is between constants times $r^(-1/4)$",
)
def step_size(proof: Proof) -> None:
    """α²√r lies between D/((2Lσ² + G)ζ²T) and D/(2Lσ²ζ²T); so it falls as σ grows, too."""
    by, root = proof.by, sp.sqrt(r)
    signs = proof.positive(L, G, D, T, alpha, sigma, zeta, r)
    horizon = proof.step("$T > 0$", gt(T, 0), signs)
    squared = by.root(proof.step("$r ≥ 0$", ge(r, 0), signs))
    one = by.from_squares(proof.step("$r ≥ 1$", ge(r, 1), signs), by.root_nonnegative(r), sp.Integer(1), squared)
    spread = alpha**2 * zeta**2 * T
    chosen = proof.assume(
        eq(spread * (2 * L * sigma**2 * root + G), D),
        name="$α = √(D/(L̂ζ²T))$, squared, with $C = σ$",
        role="choice",
    )
    rest = proof.step("term with $G ≥ 0$", ge(spread * G, 0), horizon, signs)
    proof.step(
        "above", le(spread * 2 * L * sigma**2 * root, D), chosen, rest, meaning="It falls no slower than $r^(-1/4)$."
    )
    relation = ge(spread * (2 * L * sigma**2 + G) * root, D)
    line = proof.step("below", relation, chosen, rest, one, meaning="And no faster.")
    proof.conclude(line, relation=relation)


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
