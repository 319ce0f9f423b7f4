"""ReLoRA in the setting of jiang2024: Theorem 2 where the factors are merged and begun again, as often as one likes.

W_t = W_0 + Z_t + s B_t A_t, v_t = (A_t, B_t, Z_t), and F(v) = f(W_0 + Z + sBA), whose gradient in A and B is meant.
"""

from boundcheck.language.algorithms import RELORA, RELORA_DECLARED
from boundcheck.language.hypotheses import (
    BALL,
    BEFORE_AND_AFTER_EACH_STEP,
    BOUNDED_SPECTRAL_GRADIENT,
    BOUNDED_VARIANCE,
    GRADIENT_AT_ITERATES,
    UNBIASED,
    UNBIASED_IN_THE_FACTORS,
    VARIANCE_IN_THE_FACTORS,
)
from boundcheck.language.measures import LEAST_FACTOR_GRADIENT
from boundcheck.language.sentence import theorem

from ..jiang2024.claims import ASSUMPTION_1, BOUNDED_BELOW
from .lora import BOUND, THEOREM_2_BEST_STEP

EACH_STEP_IN_BALL = BALL.claim(
    "meft.each_step_in_ball",
    "Factors in a ball, before and after each step",
    "jiang2024, Assumption 2, of the factors that a restart replaces too",
    BEFORE_AND_AFTER_EACH_STEP,
)

GRADIENT_BOUND_AT_ITERATES = BOUNDED_SPECTRAL_GRADIENT.claim(
    "meft.gradient_bound_at_iterates",
    "Bounded gradient in W at the iterates, spectral norm",
    "jiang2024, Assumption 3(2), of the iterates alone",
    GRADIENT_AT_ITERATES,
)

FACTORS_UNBIASED = UNBIASED.claim(
    "meft.factors_unbiased",
    "Conditionally unbiased stochastic gradient in the factors",
    "jiang2024, section 3, before Algorithm 1, given the past, to which the factors drawn at a restart belong",
    UNBIASED_IN_THE_FACTORS,
)

FACTORS_VARIANCE = BOUNDED_VARIANCE.claim(
    "meft.factors_variance",
    "Bounded variance of the stochastic gradient in the factors",
    "jiang2024, Assumption 4",
    VARIANCE_IN_THE_FACTORS,
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
    declared=RELORA_DECLARED,
    note="For any restarts that keep W, whenever and at whatever factors, also random ones that the past "
    "chooses. D is counted once, not once a restart, and L̂ is that of one segment. The gradient is that in "
    "the factors of step t: a restart changes it, though neither W nor F. Its own start, $B = 0$, keeps b "
    "small.",
)

CLAIMS = (EACH_STEP_IN_BALL, GRADIENT_BOUND_AT_ITERATES, FACTORS_UNBIASED, FACTORS_VARIANCE, THEOREM_2_RELORA)
