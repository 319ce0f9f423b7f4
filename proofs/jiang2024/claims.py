"""jiang2024 as printed: Assumptions 1-4, Lemma 1, Theorem 2 and the rate that the paper derives
from it.

Z. Jiang et al., "A Unified Convergence Theory for Large Language Model Efficient Fine-tuning",
2024. Nothing is corrected here, not even false statements; `meft` has the sharper and repaired
ones.
"""

import sympy as sp
from sympy import Rational

from boundcheck.language import hypotheses as words
from boundcheck.language.algorithms import SGD
from boundcheck.language.claim import Claim, Quantifier, Quantity, Setting
from boundcheck.language.hypotheses import (
    BALL,
    BOUNDED_BELOW_IN_W,
    BOUNDED_GRADIENT,
    BOUNDED_VARIANCE,
    LIPSCHITZ_ADAPTER,
    ONE_RADIUS,
    SMOOTH_IN_W,
    UNBIASED_AT_ANY_POINT,
    VARIANCE_AT_ANY_POINT,
)
from boundcheck.language.measures import LEAST_GRADIENT
from boundcheck.language.sentence import AS_ITS_PARTS, theorem
from boundcheck.language.symbols import C, D, G, L, Lhat, T, T_min, alpha, bound, c, r, sigma, zeta
from boundcheck.language.vocabulary import (
    MINIMUM_GRADIENT,
    W0,
    A,
    B,
    EuclideanNorm,
    F,
    Gradient,
    d,
    g_t,
    k,
    v1,
    v2,
)

ASSUMPTION_1 = SMOOTH_IN_W.claim(
    "jiang2024.assumption1", "Assumption 1 (f is L-smooth in W)", "jiang2024, Assumption 1"
)

ASSUMPTION_2 = BALL.claim(
    "jiang2024.assumption2", "Assumption 2 (bounded factors)", "jiang2024, Assumption 2", ONE_RADIUS
)

ASSUMPTION_3_1 = LIPSCHITZ_ADAPTER.claim(
    "jiang2024.assumption3.1",
    "Assumption 3, part 1 (W is Lipschitz in A and B)",
    "jiang2024, Assumption 3(1)",
)

ASSUMPTION_3_2 = BOUNDED_GRADIENT.claim(
    "jiang2024.assumption3.2",
    "Assumption 3, part 2 (bounded gradient in W)",
    "jiang2024, Assumption 3(2)",
)

ASSUMPTION_3 = Claim(
    "jiang2024.assumption3",
    "Assumption 3",
    "jiang2024, Assumption 3",
    sp.And(ASSUMPTION_3_1.conclusion, ASSUMPTION_3_2.conclusion),
    AS_ITS_PARTS,
    (ASSUMPTION_3_1, ASSUMPTION_3_2),
)

ASSUMPTION_4 = BOUNDED_VARIANCE.claim(
    "jiang2024.assumption4",
    "Assumption 4 (bounded noise)",
    "jiang2024, Assumption 4",
    VARIANCE_AT_ANY_POINT,
)

UNBIASED = words.UNBIASED.claim(
    "jiang2024.unbiased",
    "Unbiased stochastic gradient",
    "jiang2024, section 3, before Algorithm 1",
    UNBIASED_AT_ANY_POINT,
    note="The proof needs it conditionally on the past; sampling without replacement breaks that.",
)

BOUNDED_BELOW = words.BOUNDED_BELOW.claim(
    "jiang2024.bounded_below",
    "f is bounded below",
    "jiang2024, section 2, after Eq. (4)",
    BOUNDED_BELOW_IN_W,
)

# What Algorithm 1 draws in place of the blocks of ∇F.
NOISE = sp.MatrixSymbol("g_A", r, k), sp.MatrixSymbol("g_B", d, r)
# "For any parameters" can only be meant of those that satisfy Assumption 2.
MEFT = Setting(
    (A, B),
    W0 + B * A,
    noise=((g_t, NOISE),),
    domain=(ASSUMPTION_2,),
    within=(ASSUMPTION_3_1, ASSUMPTION_3_2),
)

LEMMA_1 = Claim(
    "jiang2024.lemma1",
    "Lemma 1, as printed",
    "jiang2024, Lemma 1, Eq. (8)",
    sp.Le(EuclideanNorm(Gradient(F, v1) - Gradient(F, v2)), Lhat * EuclideanNorm(v1 - v2)),
    Quantifier((v1, v2), spoken="for any"),
    (ASSUMPTION_1, ASSUMPTION_2, ASSUMPTION_3),
    (
        Quantity(
            Lhat, 2 * L * C * sp.sqrt(r) * sigma + G, "smoothness constant of $F(v) = f(W_0 + BA)$"
        ),
    ),
    note='"Any $v_1$, $v_2$" can only be meant of points that satisfy Assumption 2.',
    setting=MEFT,
)

STEP_SIZE = Quantity(alpha, sp.sqrt(D / (Lhat * zeta**2 * T), evaluate=False), "constant step size")
SHORTEST_HORIZON = Quantity(
    T_min, 4 * Lhat * D / zeta**2, "fewest iterations that the statement speaks of"
)

# Under one root, as the paper prints it; the repaired theorems use it too.
ROOT_TERM = sp.sqrt(D * Lhat * zeta**2 / T, evaluate=False)

THEOREM_2 = theorem(
    "jiang2024.theorem2",
    "Theorem 2, as printed",
    "jiang2024, Theorem 2, Eq. (9)",
    Quantifier(),
    (ASSUMPTION_1, ASSUMPTION_2, ASSUMPTION_3, ASSUMPTION_4, UNBIASED, BOUNDED_BELOW),
    (
        *LEMMA_1.quantities,
        STEP_SIZE,
        SHORTEST_HORIZON,
        Quantity(bound, sp.Mul(Rational(5, 2), ROOT_TERM, evaluate=False)),
    ),
    (sp.Ge(T, T_min),),
    algorithm=SGD,
    measure=LEAST_GRADIENT,
    setting=MEFT,
)

RATE = Claim(
    "jiang2024.rate",
    "Convergence rate, as printed",
    'jiang2024, section 3, "Convergence rate"',
    sp.Le(MINIMUM_GRADIENT, bound),
    Quantifier(within=r"\text{for a constant } c \text{ free of } r, \sigma, T"),
    THEOREM_2.hypotheses,
    (
        Quantity(
            bound,
            c * r ** Rational(1, 4) * sp.sqrt(sigma) / sp.sqrt(T),
            "the O-term, its constant named",
        ),
    ),
    note="The paper prints an $O(·)$; $C$, for which its example is $√r·σ$, hides in $c$.",
)

CLAIMS = (
    ASSUMPTION_1,
    ASSUMPTION_2,
    ASSUMPTION_3,
    ASSUMPTION_3_1,
    ASSUMPTION_3_2,
    ASSUMPTION_4,
    UNBIASED,
    BOUNDED_BELOW,
    LEMMA_1,
    THEOREM_2,
    RATE,
)
