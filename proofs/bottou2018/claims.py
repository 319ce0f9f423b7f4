"""SGD as the survey of Bottou, Curtis and Nocedal analyses it: section 4, with noise of bounded
variance.

In the survey's letters μ = μ_G = 1, M = ζ² and M_V = 0, so that E‖g‖² ≤ ‖∇F‖² + ζ² given the past.
Where the survey takes strong convexity, its proofs use the Polyak–Łojasiewicz inequality alone,
which is what is assumed here.
"""

import sympy as sp

from boundcheck.language.algorithms import (
    DECREASING_SGD,
    DECREASING_SGD_DECLARED,
    SGD,
    gamma,
    omega,
)
from boundcheck.language.claim import EVERY_T, Quantity
from boundcheck.language.hypotheses import POLYAK_LOJASIEWICZ
from boundcheck.language.measures import AVERAGE_GAP, AVERAGE_GRADIENT, LAST_DISTANCE, LAST_GAP
from boundcheck.language.sentence import theorem
from boundcheck.language.symbols import R_1, D, Lhat, T, alpha, bound, eta, eta_max, mu_F, zeta

from ..classics.claims import GIVEN_SMOOTHNESS, SMOOTH
from ..jiang2024.claims import ASSUMPTION_4, BOUNDED_BELOW
from ..meft.lora import CONDITIONALLY_UNBIASED
from ..methods.claims import CONVEX, NEAR_MINIMISER, SMOOTH_EVERYWHERE, STRONGLY_CONVEX_EVERYWHERE

_SURVEY = (
    "Bottou, Curtis and Nocedal, Optimization methods for large-scale machine learning, SIAM Review"
    " 60(2), 2018, {}"
)

PL = POLYAK_LOJASIEWICZ.claim(
    "bottou2018.pl",
    "The Polyak–Łojasiewicz inequality",
    _SURVEY.format(
        "Eq. (4.12), which follows from strong convexity; Karimi, Nutini and Schmidt, ECML 2016"
    ),
)

_STEP = (
    GIVEN_SMOOTHNESS,
    Quantity(eta_max, 1 / Lhat, "the longest step"),
    Quantity(alpha, eta, "constant step size, which is given"),
)
_NOISE = Lhat * alpha * zeta**2

NONCONVEX = theorem(
    "bottou2018.theorem4_8",
    "SGD, nonconvex, constant step",
    _SURVEY.format("Theorem 4.8"),
    EVERY_T,
    (SMOOTH, ASSUMPTION_4, CONDITIONALLY_UNBIASED, BOUNDED_BELOW),
    (*_STEP, Quantity(bound, _NOISE + 2 * D / (alpha * T))),
    (sp.Le(eta, eta_max),),
    algorithm=SGD,
    measure=AVERAGE_GRADIENT,
)

# What the noise leaves of the gap, however long the run.
rest = sp.Symbol("rest", positive=True)

CONSTANT_STEP = theorem(
    "bottou2018.theorem4_6",
    "SGD under Polyak–Łojasiewicz, constant step",
    _SURVEY.format("Theorem 4.6"),
    EVERY_T,
    (SMOOTH, ASSUMPTION_4, CONDITIONALLY_UNBIASED, PL),
    (
        *_STEP,
        Quantity(
            rest, _NOISE / (2 * mu_F), "what the noise leaves of the gap, however long the run"
        ),
        Quantity(bound, rest + (1 - alpha * mu_F) ** (T - 1) * (D - rest)),
    ),
    (sp.Le(mu_F, Lhat), sp.Le(eta, eta_max)),
    algorithm=SGD,
    measure=LAST_GAP,
    note="The survey bounds the gap at $w_k$, with the power $k - 1$: its k is T.",
)

late = sp.Symbol("late", positive=True)
omega_min = sp.Symbol("omega_min", positive=True)
gamma_min = sp.Symbol("gamma_min", real=True)

DECREASING_STEP = theorem(
    "bottou2018.theorem4_7",
    "SGD under Polyak–Łojasiewicz, decreasing step",
    _SURVEY.format("Theorem 4.7"),
    EVERY_T,
    (SMOOTH, ASSUMPTION_4, CONDITIONALLY_UNBIASED, PL),
    (
        GIVEN_SMOOTHNESS,
        Quantity(omega_min, 1 / mu_F, "what $ω$ must exceed"),
        Quantity(
            gamma_min,
            omega * Lhat - 1,
            "what $γ$ must reach, so that the first step is at most $1/ℓ$",
        ),
        Quantity(
            late,
            sp.Max(omega**2 * Lhat * zeta**2 / (2 * (omega * mu_F - 1)), (gamma + 1) * D),
            "numerator of the bound",
        ),
        Quantity(bound, late / (gamma + T)),
    ),
    (sp.Le(mu_F, Lhat), sp.Gt(omega, omega_min), sp.Ge(gamma, gamma_min)),
    algorithm=DECREASING_SGD,
    measure=LAST_GAP,
    declared=DECREASING_SGD_DECLARED,
    note="The step is $ω/(γ + t)$ at $t$; $ω$ is the survey's $β$, and its $ν$ is the numerator.",
)

_NEAR_BY = (NEAR_MINIMISER, ASSUMPTION_4, CONDITIONALLY_UNBIASED)

CONVEX_AVERAGE = theorem(
    "bottou2018.convex_average",
    "SGD, convex, constant step",
    "boundcheck; the setting of the survey's section 4, by the analysis of Nemirovski, Juditsky,"
    " Lan and Shapiro, SIAM J. Optim. 19(4), 2009, section 2.2, with smoothness in place of bounded"
    " gradients",
    EVERY_T,
    (SMOOTH_EVERYWHERE, CONVEX, *_NEAR_BY),
    (*_STEP, Quantity(bound, R_1**2 / (2 * alpha * T) + alpha * zeta**2 / 2)),
    (sp.Le(eta, eta_max),),
    algorithm=SGD,
    measure=AVERAGE_GAP,
    note=(
        "The gap at the mean of $v_1, …, v_T$ is no larger, by Jensen's inequality, which is no"
        " part of the proof."
    ),
)

# What the noise leaves of the squared distance, however long the run.
spread = sp.Symbol("spread", positive=True)

CONTRACTION = theorem(
    "bottou2018.contraction",
    "SGD, strongly convex, constant step",
    "boundcheck; the setting of the survey's section 4, in the distance, as Moulines and Bach,"
    " NeurIPS 2011, section 3",
    EVERY_T,
    (SMOOTH_EVERYWHERE, STRONGLY_CONVEX_EVERYWHERE, *_NEAR_BY),
    (
        *_STEP,
        Quantity(
            spread,
            alpha * zeta**2 / mu_F,
            "what the noise leaves of the squared distance, however long the run",
        ),
        Quantity(
            bound,
            spread + (1 - alpha * mu_F) ** (T - 1) * (R_1**2 - spread),
        ),
    ),
    (sp.Lt(mu_F, Lhat), *CONSTANT_STEP.conditions[1:]),
    algorithm=SGD,
    measure=LAST_DISTANCE,
    note=(
        "Each step multiplies the expected squared distance by $1 - αμ_F$ at most, and adds $α²ζ²$"
        " at most."
    ),
)

CLAIMS = (PL, NONCONVEX, CONSTANT_STEP, DECREASING_STEP, CONVEX_AVERAGE, CONTRACTION)
