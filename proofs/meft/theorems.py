"""Convergence theorems about MeFT that rest on fewer hypotheses than jiang2024's Theorem 2.

With A frozen there is no ball and no bound on the gradient; gradient descent needs neither for both
factors, and at an adaptive step nothing in advance. At a step that is given, and not prescribed,
what the proof needs is smoothness along
the run. ReLoRA merges the factors and begins again: W_t = W_0 + Z_t + s B_t A_t, v_t = (A_t, B_t,
Z_t), and F(v) = f(W_0 + Z + sBA), whose gradient in A and B is meant.
"""

import sympy as sp

from boundcheck.language import hypotheses as words
from boundcheck.language.algorithms import (
    ADAPTIVE_LORA_GD,
    DECREASE,
    RELORA,
    RELORA_DECLARED,
    SGD,
    g_a,
    g_b,
    share,
)
from boundcheck.language.algorithms import GRADIENT_DESCENT as DESCENT
from boundcheck.language.claim import EVERY_T, Claim, Quantifier, Quantity, Setting, for_all
from boundcheck.language.measures import (
    AVERAGE_GRADIENT,
    LEAST_FACTOR_GRADIENT,
    LEAST_GRADIENT,
    LEAST_GRADIENT_ON_EACH_PATH,
)
from boundcheck.language.sentence import theorem
from boundcheck.language.symbols import (
    D,
    L,
    Lhat,
    T,
    T_min,
    a_1,
    alpha,
    attained,
    b_1,
    bound,
    ell,
    eta,
    eta_max,
    f_star,
    kappa,
    q,
    rho,
    zeta,
)
from boundcheck.language.vocabulary import (
    W0,
    A,
    B,
    EuclideanNorm,
    Expectation,
    F,
    Gradient,
    Value,
    d,
    g_t,
    k,
    t,
    v,
    v_t,
)

from ..classics.claims import BOUNDED_VARIANCE, GIVEN_SMOOTHNESS, GRADIENT_DESCENT
from ..jiang2024.claims import ASSUMPTION_1, ASSUMPTION_4, BOUNDED_BELOW, NOISE
from ..methods.claims import SMOOTH_EVERYWHERE
from .lora import (
    BOUND,
    CONDITIONALLY_UNBIASED,
    FROZEN_A,
    FROZEN_FACTOR,
    MEFT,
    THEOREM_2_BEST_STEP,
    THEOREM_2_REPAIRED,
)

# The step is 1/(K(L J_t² + m_t)). For large T the bound is sqrt(K/(2c³)) D sqrt(LD/T), which K = 2
# makes smallest.
K = sp.Integer(2)
C = DECREASE.subs(share, 1 / K)
# The norm of ∇f(W) is at most this where f(W) <= f(W_1).
STEEPEST = sp.Pow(2 * L * D, sp.Rational(1, 2), evaluate=False)

START = words.START_NORMS.claim("meft.start", "The norms of the factors at the start", "boundcheck")
GOES_ON = words.FINITE_STEP.claim(
    "meft.goes_on",
    "The step is a number",
    "boundcheck",
    note=(
        "It fails where $A_t$, $B_t$ and the gradient in W are all zero, and there the algorithm"
        " has nothing left to do."
    ),
)

ANYWHERE = Setting((A, B), W0 + B * A)

steep = sp.Symbol("steep", positive=True)
stretch = sp.Symbol("stretch", positive=True)
first = sp.Symbol("first", positive=True)
growth = sp.Symbol("growth", positive=True)

ADAPTIVE_GD = theorem(
    "meft.adaptive_gd",
    "Gradient descent on LoRA at an adaptive step",
    "boundcheck; without Assumptions 2 and 3 of jiang2024, and without a horizon or a ball that is"
    " chosen beforehand",
    EVERY_T,
    (ASSUMPTION_1, BOUNDED_BELOW, START, GOES_ON),
    (
        Quantity(share, 1 / K, "numerator of the step"),
        Quantity(
            steep,
            STEEPEST,
            "bound on the norm of the gradient in $W$, where $F$ is at most $F(v_1)$",
        ),
        Quantity(
            stretch,
            sp.Pow(
                2 * K * C * L * (a_1**2 + b_1**2) ** 2 / (D * T), sp.Rational(1, 4), evaluate=False
            ),
            "how the growth of the factors is shared out: $(x + y)²$ is at most $(1 + 1/stretch)x²"
            " + (1 + stretch)y²$",
        ),
        Quantity(
            first,
            K * (L * (1 + 1 / stretch) * (a_1**2 + b_1**2) + steep),
            "what one over the step is at most at first",
        ),
        Quantity(
            growth,
            K * L * (1 + stretch) * D / C,
            "how fast one over the step grows with the sum of the steps before",
        ),
        Quantity(bound, D * growth / (C * (sp.sqrt(first**2 + 2 * growth * T) - first))),
    ),
    note=(
        "$g$ is the full gradient and $W = W_0 + BA$. The step at $t$ is $1/(2(L(σ_1(A_t)² +"
        " σ_1(B_t)²) + ‖∇f(W_t)‖_F))$. It does not know $T$: the bound falls as $1/√T$, at every"
        " $T$ at once. With a scale $s$, apply it to $X → f(W_0 + sX)$, which is $s²L$-smooth."
    ),
    algorithm=ADAPTIVE_LORA_GD,
    measure=LEAST_GRADIENT_ON_EACH_PATH,
    setting=ANYWHERE,
)

THEOREM_2_FROZEN_A = theorem(
    "meft.theorem2_frozen_a",
    "Theorem 2 with A frozen, best constant step",
    "boundcheck; jiang2024, Theorem 2, where B alone is trained",
    THEOREM_2_BEST_STEP.quantifier,
    (ASSUMPTION_1, FROZEN_FACTOR, ASSUMPTION_4, CONDITIONALLY_UNBIASED, BOUNDED_BELOW),
    (*FROZEN_A.quantities, *THEOREM_2_BEST_STEP.quantities[1:]),
    note="No ball and no bound on the gradient: v is B, and no run can leave where F is L̂-smooth.",
    algorithm=SGD,
    measure=LEAST_GRADIENT,
    setting=FROZEN_A.setting,
)

UNCONDITIONAL_GD = theorem(
    "meft.unconditional_gd",
    "Gradient descent without Assumptions 2 and 3",
    "boundcheck; jiang2024, Theorem 2, without noise and with neither a ball nor a bound on the"
    " gradient",
    EVERY_T,
    (ASSUMPTION_1, BOUNDED_BELOW, START),
    (
        Quantity(
            rho,
            sp.Pow(2 * D * T / L, sp.Rational(1, 4), evaluate=False),
            "how far from $v_1$ the iterates can get",
        ),
        Quantity(
            Lhat,
            L * (sp.sqrt(a_1**2 + b_1**2) + rho) ** 2 + STEEPEST,
            "what $LJ² + m$ is at most within $ρ$ of $v_1$, where $F$ is at most $F(v_1)$",
        ),
        *GRADIENT_DESCENT.quantities[1:],
    ),
    note=(
        "$g$ is the full gradient, and $W = W_0 + BA$. With a scale $s$, apply it to $X → f(W_0 +"
        " sX)$, which is $s²L$-smooth. The last bound falls as $1/√T$ alone, because $ρ²$ grows as"
        " $√T$."
    ),
    algorithm=DESCENT,
    measure=LEAST_GRADIENT,
    setting=ANYWHERE,
)

THEOREM_2_ANY_STEP = theorem(
    "meft.theorem2_any_step",
    "Theorem 2, repaired, at any constant step",
    "boundcheck; jiang2024, Theorem 2, by the sum that proves it before a step is chosen",
    THEOREM_2_BEST_STEP.quantifier,
    BOUNDED_VARIANCE.hypotheses,
    (
        GIVEN_SMOOTHNESS,
        Quantity(eta_max, 2 / Lhat, "what the step size must stay below"),
        Quantity(alpha, eta, "constant step size, which is given"),
        Quantity(
            bound,
            (D / (alpha * T) + Lhat * alpha * zeta**2 / 2) / (1 - Lhat * alpha / 2),
        ),
    ),
    (sp.Lt(eta, eta_max),),
    note=(
        "For the step of a run that was not made for a theorem. At a fixed step the bound does not"
        " fall to 0 as T grows, but to what the noise leaves."
    ),
    algorithm=SGD,
    measure=LEAST_GRADIENT,
)

THEOREM_2_EVERYWHERE = theorem(
    "meft.theorem2_everywhere",
    "Theorem 2, sharper, where F is smooth on all of space",
    "boundcheck; jiang2024, Theorem 2, by what interpolates F between consecutive iterates",
    Quantifier(),
    (SMOOTH_EVERYWHERE, *BOUNDED_VARIANCE.hypotheses[1:]),
    (
        GIVEN_SMOOTHNESS,
        *(x for x in THEOREM_2_REPAIRED.quantities if x.symbol in (alpha, T_min, q)),
        Quantity(kappa, (6 + q) / (4 - q), "replaces the printed 2.5; at most 13/7, towards 1.5"),
        BOUND,
    ),
    THEOREM_2_REPAIRED.conditions,
    note=(
        "For factors that are all trained, F is smooth in a ball alone, which this proof leaves: it"
        " asks F in the middle of each step, and where the step would lead without noise. It is"
        " about A frozen, full fine-tuning, and every other F whose smoothness needs no ball. It"
        " bounds the least of $E‖∇F(v_t)‖²$: their average may be larger, up to the bound of"
        " `meft.theorem2_average`."
    ),
    algorithm=SGD,
    measure=LEAST_GRADIENT,
)

THEOREM_2_AVERAGE = theorem(
    "meft.theorem2_average",
    "Theorem 2, repaired, for the average",
    "boundcheck; jiang2024, Theorem 2, by the sum that proves it",
    Quantifier(),
    BOUNDED_VARIANCE.hypotheses,
    (
        GIVEN_SMOOTHNESS,
        *(x for x in THEOREM_2_REPAIRED.quantities if x.symbol in (alpha, T_min, q, kappa)),
        BOUND,
    ),
    THEOREM_2_REPAIRED.conditions,
    note=(
        "About the average over $t$, where `meft.theorem2_everywhere` is about the least. "
        "`meft.theorem2_average_sharp` says that no smaller $κ$ serves."
    ),
    algorithm=SGD,
    measure=AVERAGE_GRADIENT,
)

PARABOLA = Claim(
    "meft.parabola",
    "F is a parabola with its zero at 0",
    "boundcheck; the same curvature in every direction",
    sp.And(
        sp.Eq(Value(F, v), f_star + ell / 2 * EuclideanNorm(v) ** 2),
        sp.Eq(Gradient(F, v), ell * v),
    ),
    for_all(v),
)

FULL_VARIANCE = Claim(
    "meft.full_variance",
    "Noise of the largest variance at each step",
    "boundcheck; jiang2024, Assumption 4, with equality",
    sp.Eq(Expectation(EuclideanNorm(g_t - Gradient(F, v_t)) ** 2, v_t), zeta**2),
    for_all(t),
)

THEOREM_2_AVERAGE_SHARP = Claim(
    "meft.theorem2_average_sharp",
    "SGD on a parabola: the average is at least $κS - κ²ζ²/(3T)$",
    "boundcheck; jiang2024, Theorem 2, on a parabola",
    sp.Ge(AVERAGE_GRADIENT.statement, attained),
    EVERY_T,
    (PARABOLA, FULL_VARIANCE, CONDITIONALLY_UNBIASED),
    (
        *THEOREM_2_AVERAGE.quantities[:-1],
        Quantity(
            attained,
            THEOREM_2_AVERAGE.quantities[-1].expression - kappa**2 * zeta**2 / (3 * T),
            "what the average expected squared gradient norm comes to at least",
        ),
    ),
    THEOREM_2_AVERAGE.conditions,
    note=(
        "There is such a run for every $ℓ$, $ζ$ and $T$ and every $q$ up to 1/2: one with $F(v_1) -"
        " f* = q²ζ²T/ℓ$. So $κS$, the bound of `meft.theorem2_average`, is left by a part of"
        " $κ/(3qT)$ at most, and as $T$ grows at one $q$ no factor below $κ$ serves."
    ),
)

# What was merged so far.
Z = sp.MatrixSymbol("Z", d, k)
EACH_STEP_IN_BALL = words.BALL.claim(
    "meft.each_step_in_ball",
    "Factors in a ball, before and after each step",
    "jiang2024, Assumption 2, of the factors that a restart replaces too",
    words.BEFORE_AND_AFTER_EACH_STEP,
)

GRADIENT_BOUND_AT_ITERATES = words.BOUNDED_SPECTRAL_GRADIENT.claim(
    "meft.gradient_bound_at_iterates",
    "Bounded gradient in W at the iterates, spectral norm",
    "jiang2024, Assumption 3(2), of the iterates alone",
    words.GRADIENT_AT_ITERATES,
)

FACTORS_UNBIASED = words.UNBIASED.claim(
    "meft.factors_unbiased",
    "Conditionally unbiased stochastic gradient in the factors",
    "jiang2024, section 3, before Algorithm 1, given the past, to which the factors drawn at a"
    " restart belong",
    words.UNBIASED_IN_THE_FACTORS,
)

FACTORS_VARIANCE = words.BOUNDED_VARIANCE.claim(
    "meft.factors_variance",
    "Bounded variance of the stochastic gradient in the factors",
    "jiang2024, Assumption 4",
    words.VARIANCE_IN_THE_FACTORS,
)

THEOREM_2_RELORA = theorem(
    "meft.relora",
    "Theorem 2 for ReLoRA, best constant step",
    "boundcheck; jiang2024, Theorem 2, for the algorithm of Lialin, Muckatira, Shivagunde and"
    " Rumshisky, ICLR 2024",
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
    setting=Setting(
        (A, B, Z),
        MEFT.weight + Z,
        noise=((g_a, NOISE[:1]), (g_b, NOISE[1:])),
        within=(FACTORS_VARIANCE, FACTORS_UNBIASED),
    ),
    declared=RELORA_DECLARED,
    note=(
        "For any restarts that keep W, whenever and at whatever factors, also random ones that the"
        " past chooses. D is counted once, not once a restart, and L̂ is that of one segment. The"
        " gradient is that in the factors of step t: a restart changes it, though neither W nor F."
        " Its own start, $B = 0$, keeps b small."
    ),
)

CLAIMS = (
    THEOREM_2_FROZEN_A,
    UNCONDITIONAL_GD,
    THEOREM_2_ANY_STEP,
    THEOREM_2_EVERYWHERE,
    THEOREM_2_AVERAGE,
    PARABOLA,
    FULL_VARIANCE,
    THEOREM_2_AVERAGE_SHARP,
)
ADAPTIVE = START, GOES_ON, ADAPTIVE_GD
MERGED = (
    EACH_STEP_IN_BALL,
    GRADIENT_BOUND_AT_ITERATES,
    FACTORS_UNBIASED,
    FACTORS_VARIANCE,
    THEOREM_2_RELORA,
)
