"""meft.relora: the descent is taken in W, which a restart keeps, so that f(W_t) telescopes over all
restarts.

With x = ‖g_A‖, y = ‖g_B‖, M the gradient of f at W_t, ΔA = -αg_A and ΔB = -αg_B: a step moves W by
s(B'ΔA + ΔB A), B' = B + ΔB. So no segment between iterates matters, nor any point of the ball but
those of the run.
"""

from collections.abc import Sequence

import sympy as sp

from boundcheck.exact.evaluate import at_time, t
from boundcheck.kernel import Theorem
from boundcheck.language.algorithms import (
    RELORA,
    SLOPE_A,
    SLOPE_B,
    A_moved,
    B_moved,
    W_t,
    Z_t,
    g_a,
    g_b,
)
from boundcheck.language.measures import factor_gradient_square
from boundcheck.language.symbols import D, G, L, Lhat, T, a, alpha, b, s, zeta
from boundcheck.language.vocabulary import (
    A,
    A_t,
    B,
    B_t,
    Expectation,
    F,
    FrobeniusNorm,
    Gradient,
    InnerProduct,
    MatrixExpectation,
    Value,
    f,
    v,
    v_t,
)
from boundcheck.proof import Proof, eq, le, script

from ..jiang2024 import eigenvalue
from ..jiang2024.descent import above_minimum, end_of_run, gap_at_start
from ..jiang2024.setting import (
    FRESH,
    W0,
    above_0,
    at_least_0,
    descent_of_f,
    f_of,
    quantity,
    smooth_f,
)
from ..jiang2024.theorem_2_sharp import BestStep, conclude
from .theorems import (
    EACH_STEP_IN_BALL,
    FACTORS_UNBIASED,
    FACTORS_VARIANCE,
    GRADIENT_BOUND_AT_ITERATES,
    THEOREM_2_RELORA,
    Z,
)

M = Gradient(f, W_t)
W_moved, W_next = W0 + Z_t + s * B_moved * A_moved, at_time(W_t, t + 1)
MOVE, PRODUCT = W_moved - W_t, B_moved * A_moved - B_t * A_t
NOW, NEXT = Value(F, v_t), Value(F, at_time(v_t, t + 1))
x, y = FrobeniusNorm(g_a), FrobeniusNorm(g_b)
# ⟨∇F, g⟩, ‖g‖² and ‖∇F‖², over the factors.
INNER = InnerProduct(SLOPE_A, g_a) + InnerProduct(SLOPE_B, g_b)
SIZE = x**2 + y**2
STEEPNESS = factor_gradient_square(v_t)
SQUARE = Expectation(STEEPNESS)
# λ* is the top eigenvalue of [[P, K], [K, R]].
ENTRIES = s**2 * L * b**2, s**2 * L * a * b + s * G, s**2 * L * a**2
FORM = ENTRIES[0] * x**2 + 2 * ENTRIES[1] * x * y + ENTRIES[2] * y**2


@script(THEOREM_2_RELORA, "sharp", fresh=FRESH)
def relora(proof: Proof) -> None:
    """One step of a segment by λ*; what a restart does to F is nothing."""
    by, signs = proof.by, proof.positive(L, G, a, b, s)
    formula = quantity(proof.claim, Lhat)
    # λ* is the top eigenvalue of [[P, K], [K, R]].
    because = [proof.quantity(formula), *signs]
    eigen = eigenvalue.top_eigenvalue(proof, Lhat, formula.expression, ENTRIES, because)
    best = BestStep(proof, above_0(proof, "λ*", Lhat, eigen[0], signs))
    law = f_of(proof, W0 + Z + s * B * A)
    step = _step(proof, law, signs, best.positive, eigen)
    decrease = proof.step(
        "expected descent",
        le(
            Expectation(NEXT) - Expectation(NOW) + alpha * SQUARE,
            Lhat / 2 * alpha**2 * (zeta**2 + SQUARE),
        ),
        by.expectation(_given_the_past(proof, step)),
        proof.assume(FACTORS_VARIANCE),
        best.weight,
        meaning="Expectations, the tower rule, and the bound on the variance.",
    )
    total = proof.step(
        "sum",
        le(
            alpha * (1 - Lhat * alpha / 2) * sp.Sum(SQUARE, (t, 1, T)),
            D + T * Lhat * alpha**2 * zeta**2 / 2,
        ),
        by.sum(decrease),
        by.telescope(Expectation(NOW)),
        gap_at_start(proof),
        end_of_run(proof, above_minimum(proof, law, at_time(W_t, T + 1))),
        meaning="The values of F telescope over all restarts at once: D is counted once.",
    )
    conclude(proof, best, total, SQUARE)


def _step(
    proof: Proof,
    law: Theorem,
    signs: Sequence[Theorem],
    positive: Theorem,
    eigen: tuple[Theorem, Theorem],
) -> Theorem:
    """F(v_{t+1}) - F(v_t) + α⟨∇F, g⟩ <= λ*α²/2 ‖g‖², as W_{t+1} is W' whatever the factors are
    now.
    """
    by = proof.by
    size = at_least_0(proof, "s", s, signs)
    bent, bound = InnerProduct(M, g_b * g_a), s * alpha**2 * G * x * y
    crossed = proof.step(
        "$⟨M, g_Bg_A⟩$",
        le(bent, G * x * y),
        by.cauchy_schwarz(g_b.T * M, g_a),
        by.submultiplicative("F", "op", g_b.T, M),
        proof.assume(GRADIENT_BOUND_AT_ITERATES),
        at_least_0(proof, "xy", x * y),
        meaning="$⟨g_BᵀM, g_A⟩$, by Cauchy-Schwarz, and $‖M‖_op ≤ G$.",
    )
    weight = at_least_0(proof, "sα²", s * alpha**2, size, positive)
    crossed = proof.step("$sα²⟨M, g_Bg_A⟩$", le(s * alpha**2 * bent, bound), weight, crossed)

    inside, change_a, change_b = proof.assume(EACH_STEP_IN_BALL), A_moved - A_t, B_moved - B_t
    product = proof.step(
        "$B'A' - BA$",
        le(FrobeniusNorm(PRODUCT), alpha * (b * x + a * y)),
        by.triangle("F", B_moved * change_a, change_b * A_t),
        by.submultiplicative("op", "F", B_moved, change_a),
        by.submultiplicative("F", "op", change_b, A_t),
        by.homogeneous(positive, "F", g_a),
        by.homogeneous(positive, "F", g_b),
        positive,
        *inside,
        meaning="$B'A' - BA = B'ΔA + ΔB A$: what is asked of the ball is $‖B'‖ ≤ b$ and $‖A‖ ≤ a$.",
    )
    reach, move = s * alpha * (b * x + a * y), FrobeniusNorm(MOVE)
    longer = proof.step(
        "$‖ΔW‖$",
        le(move, reach),
        by.homogeneous(size, "F", PRODUCT),
        product,
        size,
        meaning="s times.",
    )
    squares = proof.step("$‖ΔW‖²$", le(move**2, reach**2), longer, by.nonnegative("F", MOVE))
    moved = proof.step("$L/2 ‖ΔW‖²$", le(L / 2 * move**2, L / 2 * reach**2), squares, signs)
    form = by.instance(
        eigenvalue.quadratic_form(proof), eigenvalue.values(ENTRIES, Lhat, (x, y)), *eigen
    )
    slopes = [
        (by.instance(by.chain_rule(law, i), {v: v_t}), slope, value)
        for i, (slope, value) in enumerate(((SLOPE_A, s * B_t.T * M), (SLOPE_B, s * M * A_t.T)))
    ]
    linear = sum(
        InnerProduct(value, g) for (_, _, value), g in zip(slopes, (g_a, g_b), strict=True)
    )
    limit = alpha**2 / 2 * Lhat * SIZE
    weighted = proof.step(
        "$λ*‖g‖²$",
        le(alpha**2 / 2 * FORM, limit),
        at_least_0(proof, "α²", alpha**2, positive),
        form,
        meaning="$λ*$ is the top eigenvalue of the form in $(‖g_A‖, ‖g_B‖)$.",
    )
    in_w = proof.step(
        "a step, in W",
        le(Value(f, W_moved) - Value(f, W_t) + alpha * linear, limit),
        descent_of_f(proof, smooth_f(proof), W_t, MOVE, "descent in W"),
        crossed,
        moved,
        weighted,
        meaning="$⟨M, ΔW⟩$ is $-α⟨∇F, g⟩ + sα²⟨M, g_Bg_A⟩$.",
    )
    (kept,) = RELORA.recurrence
    merged = proof.define(*kept.args, "ReLoRA: $Z_(t+1) = Z_t + sB'A' - sB_(t+1)A_(t+1)$")
    same = le(Value(f, W_next) - Value(f, W_t) + alpha * INNER, limit)
    line = proof.state(
        "W is kept",
        same,
        by.rewrite(in_w, same, (merged, *kept.args), *slopes),
        meaning="A restart keeps W, and so f(W); and the chain rule.",
    )
    return proof.step(
        "a step",
        le(NEXT - NOW + alpha * INNER, limit),
        line,
        *(by.instance(law, {v: point}) for point in (v_t, at_time(v_t, t + 1))),
        meaning="F takes values of f.",
    )


def _given_the_past(proof: Proof, step: Theorem) -> Theorem:
    """E[F(v_{t+1}) | v_t] - F(v_t) + α‖∇F‖² <= L̂α²/2 (E[‖g_t - ∇F‖² | v_t] + ‖∇F‖²)."""
    by, pairs = proof.by, ((SLOPE_A, g_a), (SLOPE_B, g_b))
    means = [
        (theorem, MatrixExpectation(g, v_t), slope)
        for theorem, (slope, g) in zip(proof.assume(FACTORS_UNBIASED), pairs, strict=True)
    ]
    fall = Expectation(NEXT, v_t) - NOW
    inner = sum(InnerProduct(slope, slope) for slope, _ in pairs)
    mean = le(fall + alpha * inner, Lhat / 2 * alpha**2 * Expectation(SIZE, v_t))
    descent = proof.step(
        "given the past",
        le(fall + alpha * STEEPNESS, Lhat / 2 * alpha**2 * Expectation(SIZE, v_t)),
        by.rewrite(by.expectation(step, t), mean, *means),
        *(by.expansion(slope) for slope, _ in pairs),
        meaning=(
            "The gradient is unbiased given the past, to which the factors drawn at a restart"
            " belong."
        ),
    )
    # E[‖g‖² | v_t] = E[‖g - ∇‖² | v_t] + ‖∇‖², of each factor.
    variances, noise = [], sp.Integer(0)
    for (slope, g), each in zip(pairs, means, strict=True):
        off = FrobeniusNorm(g - slope) ** 2
        noise += off
        centred = eq(
            Expectation(off, v_t), Expectation(InnerProduct(g, g), v_t) - InnerProduct(slope, slope)
        )
        variances.append(
            proof.step(
                f"variance, ${slope.args[2]}$",
                eq(
                    Expectation(FrobeniusNorm(g) ** 2, v_t),
                    Expectation(off, v_t) + FrobeniusNorm(slope) ** 2,
                ),
                by.rewrite(by.expectation(by.expansion(g - slope), t), centred, each),
                by.expectation(by.expansion(g), t),
                by.expansion(slope),
            )
        )
    return proof.step(
        "exact variance",
        le(fall + alpha * STEEPNESS, Lhat / 2 * alpha**2 * (Expectation(noise, v_t) + STEEPNESS)),
        descent,
        *variances,
        meaning="The variance put in, an equation.",
    )
