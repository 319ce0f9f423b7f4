"""ReLoRA in the setting of jiang2024: Theorem 2 where the factors are merged and begun again, as often as one likes.

W_t = W_0 + Z_t + s B_t A_t, v_t = (A_t, B_t, Z_t), and F(v) = f(W_0 + Z + sBA), whose gradient in A and B is meant.
"""

import sympy as sp

from boundcheck.claims.claim import Claim
from boundcheck.claims.symbols import G, a, b, s, zeta
from boundcheck.claims.vocabulary import (
    A,
    A_t,
    B,
    B_t,
    Expectation,
    F,
    FrobeniusNorm,
    Gradient,
    MatrixExpectation,
    PartialGradient,
    SpectralNorm,
    d,
    f,
    k,
    v_t,
)
from boundcheck.words.algorithms.relora import DECLARED, RELORA, A_moved, B_moved, Z_t, g_a, g_b
from boundcheck.words.hypotheses.ball import BALL
from boundcheck.words.hypotheses.bounded_gradient import BOUNDED_SPECTRAL_GRADIENT
from boundcheck.words.hypotheses.bounded_variance import BOUNDED_VARIANCE
from boundcheck.words.hypotheses.unbiased import UNBIASED
from boundcheck.words.measures import LEAST_FACTOR_GRADIENT
from boundcheck.words.sentence import theorem

from ..jiang2024.claims import ASSUMPTION_1, BOUNDED_BELOW
from .lora import BOUND, THEOREM_2_BEST_STEP

W_t = sp.MatrixSymbol("W_0", d, k) + Z_t + s * B_t * A_t
SLOPE_A, SLOPE_B = (PartialGradient(F, v_t, block) for block in (A, B))
_SETTING = r"\text{for all } t, \text{ where } v_t = (A_t, B_t, Z_t) \text{ and } F(A, B, Z) = f(W_0 + Z + s B A)"

EACH_STEP_IN_BALL = Claim(
    "meft.each_step_in_ball",
    "Factors in a ball, before and after each step",
    "jiang2024, Assumption 2, of the factors that a restart replaces too",
    sp.And(
        *(sp.Le(SpectralNorm(x), bound) for x, bound in ((A_t, a), (A_moved, a), (B_t, b), (B_moved, b))),
    ),
    r"\text{for all } t",
    word=BALL,
)

GRADIENT_BOUND_AT_ITERATES = Claim(
    "meft.gradient_bound_at_iterates",
    "Bounded gradient in W at the iterates, spectral norm",
    "jiang2024, Assumption 3(2), of the iterates alone",
    sp.Le(SpectralNorm(Gradient(f, W_t)), G),
    r"\text{for all } t",
    word=BOUNDED_SPECTRAL_GRADIENT,
)

FACTORS_UNBIASED = Claim(
    "meft.factors_unbiased",
    "Conditionally unbiased stochastic gradient in the factors",
    "jiang2024, section 3, before Algorithm 1, given the past, to which the factors drawn at a restart belong",
    sp.And(sp.Eq(MatrixExpectation(g_a, v_t), SLOPE_A), sp.Eq(MatrixExpectation(g_b, v_t), SLOPE_B)),
    _SETTING,
    word=UNBIASED,
)

FACTORS_VARIANCE = Claim(
    "meft.factors_variance",
    "Bounded variance of the stochastic gradient in the factors",
    "jiang2024, Assumption 4",
    sp.Le(Expectation(FrobeniusNorm(g_a - SLOPE_A) ** 2 + FrobeniusNorm(g_b - SLOPE_B) ** 2), zeta**2),
    _SETTING,
    word=BOUNDED_VARIANCE,
)

THEOREM_2_RELORA = theorem(
    "meft.relora",
    "Theorem 2 for ReLoRA, best constant step",
    "boundcheck; jiang2024, Theorem 2, for the algorithm of Lialin, Muckatira, Shivagunde and Rumshisky, ICLR 2024",
    THEOREM_2_BEST_STEP.quantifier,
    (
        ASSUMPTION_1,
        EACH_STEP_IN_BALL,
        GRADIENT_BOUND_AT_ITERATES,
        FACTORS_VARIANCE,
        FACTORS_UNBIASED,
        BOUNDED_BELOW,
    ),
    (*THEOREM_2_BEST_STEP.quantities[:-1], BOUND),
    algorithm=RELORA,
    measure=LEAST_FACTOR_GRADIENT,
    declared=DECLARED,
    note="For any restarts that keep W, whenever and at whatever factors, also random ones that the past "
    "chooses. D is counted once, not once a restart, and L̂ is that of one segment. The gradient is that in "
    "the factors of step t: a restart changes it, though neither W nor F. Its own start, $B = 0$, keeps b "
    "small.",
)

CLAIMS = (EACH_STEP_IN_BALL, GRADIENT_BOUND_AT_ITERATES, FACTORS_UNBIASED, FACTORS_VARIANCE, THEOREM_2_RELORA)
