"""Theorems about momentum, about a step that depends on the run, and about convex functions:
without noise.

Each is about a function F that is smooth with a given constant, ell, and speaks of T iterates v_1,
..., v_T.
"""

import sympy as sp

from boundcheck.language import algorithms
from boundcheck.language import hypotheses as words
from boundcheck.language.claim import EVERY_T, Quantity
from boundcheck.language.measures import AVERAGE_GRADIENT, LAST_DISTANCE, LAST_GAP, LEAST_GRADIENT
from boundcheck.language.sentence import theorem
from boundcheck.language.symbols import (
    R_1,
    D,
    Lhat,
    T,
    alpha,
    beta,
    bound,
    delta,
    delta_min,
    eta,
    eta_max,
    mu_F,
)

from ..classics.claims import GIVEN_SMOOTHNESS, SMOOTH
from ..jiang2024.claims import BOUNDED_BELOW

SMOOTH_EVERYWHERE = words.SMOOTH_EVERYWHERE.claim(
    "classic.smooth_everywhere",
    "The function that is minimised is smooth on all of space",
    "such as Nesterov 2004, section 1.2.2",
)

CONVEX = words.CONVEX.claim(
    "classic.convex",
    "The function that is minimised is convex",
    "the first-order condition, such as Boyd and Vandenberghe 2004, section 3.1.3",
)

STRONGLY_CONVEX = words.STRONGLY_CONVEX.claim(
    "classic.strongly_convex",
    "The function that is minimised is strongly convex around a minimiser",
    "Boyd and Vandenberghe 2004, section 9.1.2, stated of a ball",
)

STRONGLY_CONVEX_EVERYWHERE = words.STRONGLY_CONVEX_EVERYWHERE.claim(
    "classic.strongly_convex_everywhere",
    "The function that is minimised is strongly convex on all of space",
    "Boyd and Vandenberghe 2004, section 9.1.2",
)

NEAR_MINIMISER = words.NEAR_MINIMISER.claim(
    "classic.near_minimiser",
    "The first iterate is near a minimiser",
    "the bound on the initial distance of Nesterov 2004, section 2.1.5",
)

HEAVY_BALL = theorem(
    "classic.heavy_ball",
    "Heavy ball, nonconvex",
    "boundcheck; with the Lyapunov function of iPiano, Ochs, Chen, Brox and Pock, SIAM J. Imaging"
    " Sci. 7(2), 2014",
    EVERY_T,
    (SMOOTH, BOUNDED_BELOW),
    (
        GIVEN_SMOOTHNESS,
        Quantity(eta_max, 2 * (1 - beta) / Lhat, "what the step size must stay below"),
        Quantity(alpha, eta, "constant step size, which is given"),
        Quantity(
            bound,
            (1 + beta) ** 2 * D / (T * alpha * (1 - beta - Lhat * alpha / 2)),
        ),
    ),
    (sp.Lt(beta, 1), sp.Lt(eta, eta_max)),
    algorithm=algorithms.HEAVY_BALL,
    measure=LEAST_GRADIENT,
    note="$v_0 = v_1$. At the step $(1 - β)/ℓ$ the bound is $2ℓ(1 + β)²D/((1 - β)²T)$.",
)

HEAVY_BALL_SHORT_STEP = theorem(
    "classic.heavy_ball_short_step",
    "Heavy ball, nonconvex, at a short step",
    HEAVY_BALL.source,
    HEAVY_BALL.quantifier,
    HEAVY_BALL.hypotheses,
    (
        GIVEN_SMOOTHNESS,
        Quantity(eta_max, (1 - beta**2) / Lhat, "the longest step"),
        Quantity(alpha, eta, "constant step size, which is given"),
        Quantity(bound, 2 * D / (alpha * T)),
    ),
    (sp.Lt(beta, 1), sp.Le(eta, eta_max)),
    algorithm=algorithms.HEAVY_BALL,
    measure=LEAST_GRADIENT,
    note=(
        "$v_0 = v_1$. What falls is $F(v_t) + (1 - ℓα)/(2α) ‖v_t - v_(t-1)‖²$, by $α/2 ‖∇F(v_t)‖²$"
        " at least. The bound of `classic.heavy_ball`, which has longer steps too, is the smaller"
        " one where $β² + 4β + ℓα < 1$."
    ),
)

ADAGRAD_NORM = theorem(
    "ward2019.adagrad_norm",
    "AdaGrad-norm, without noise",
    "Ward, Wu and Bottou, AdaGrad stepsizes: sharp convergence over nonconvex landscapes, ICML"
    " 2019, the batch setting from a large initial value",
    EVERY_T,
    (SMOOTH, BOUNDED_BELOW),
    (
        GIVEN_SMOOTHNESS,
        Quantity(delta_min, eta * Lhat, "what the first value of b must reach"),
        Quantity(bound, 2 * D / eta * (delta + 2 * D / eta) / T),
    ),
    (sp.Ge(delta, delta_min),),
    algorithm=algorithms.ADAGRAD_NORM,
    measure=AVERAGE_GRADIENT,
    note="$b_0 = δ$. The paper speaks of any δ; from $δ ≥ ηℓ$ on every step is at most 1/ℓ.",
)

NESTEROV = theorem(
    "su2016.nesterov",
    "Nesterov's method, convex",
    "Nesterov 1983; Su, Boyd and Candès, A differential equation for modeling Nesterov's"
    " accelerated gradient method, JMLR 17, 2016, Theorem 6 at $r = 3$",
    EVERY_T,
    (SMOOTH_EVERYWHERE, CONVEX, NEAR_MINIMISER),
    (
        GIVEN_SMOOTHNESS,
        Quantity(alpha, 1 / Lhat, "constant step size"),
        Quantity(bound, 2 * Lhat * R_1**2 / T**2),
    ),
    algorithm=algorithms.NESTEROV,
    measure=LAST_GAP,
    note="The paper's k steps have $k + 1 = T$ iterates.",
)

CONVEX_DESCENT = theorem(
    "drori2014.gradient_descent",
    "Drori–Teboulle, gradient descent, convex",
    "Drori and Teboulle, Performance of first-order methods for smooth convex minimization: a novel"
    " approach, Math. Program. 145, 2014, Theorem 3.1 at the step 1/L",
    EVERY_T,
    NESTEROV.hypotheses,
    (
        GIVEN_SMOOTHNESS,
        Quantity(alpha, 1 / Lhat, "constant step size"),
        Quantity(bound, Lhat * R_1**2 / (4 * T - 2)),
    ),
    algorithm=algorithms.GRADIENT_DESCENT,
    measure=LAST_GAP,
    note="The paper's N steps have $N + 1 = T$ iterates. A Huber function attains the bound.",
)

_LONGEST = Quantity(alpha, 2 / (Lhat + mu_F), "constant step size")
_LEFT = (Lhat - mu_F) / (Lhat + mu_F)
_BOOK = "Nesterov, Introductory Lectures on Convex Optimization, 2004, Theorem 2.1.15"
_STEPS = (
    "The book's $k$ steps have $k + 1 = T$ iterates. A quadratic with the eigenvalues $ℓ$ and $μ_F$"
    " attains it."
)

# What a step leaves of the squared distance.
left = sp.Symbol("left", positive=True)

STRONG_DESCENT_EVERYWHERE = theorem(
    "nesterov2004.theorem2_1_15",
    "Nesterov, Theorem 2.1.15, gradient descent, strongly convex",
    _BOOK,
    EVERY_T,
    (SMOOTH_EVERYWHERE, STRONGLY_CONVEX_EVERYWHERE, NEAR_MINIMISER),
    (
        GIVEN_SMOOTHNESS,
        _LONGEST,
        Quantity(left, _LEFT**2, "what a step leaves of the squared distance"),
        Quantity(bound, left ** (T - 1) * R_1**2),
    ),
    (sp.Lt(mu_F, Lhat),),
    algorithm=algorithms.GRADIENT_DESCENT,
    measure=LAST_DISTANCE,
    note=_STEPS,
)

STRONG_DESCENT = theorem(
    "nesterov2004.strongly_convex",
    "Nesterov, gradient descent, strongly convex around a minimiser",
    f"boundcheck; {_BOOK}, for F that is strongly convex around $v*$ alone",
    EVERY_T,
    (SMOOTH_EVERYWHERE, STRONGLY_CONVEX, NEAR_MINIMISER),
    (
        GIVEN_SMOOTHNESS,
        _LONGEST,
        Quantity(bound, _LEFT ** (2 * T - 2) * R_1**2),
    ),
    (sp.Lt(mu_F, Lhat),),
    algorithm=algorithms.GRADIENT_DESCENT,
    measure=LAST_DISTANCE,
    note=_STEPS,
    argument=(
        "Between $v*$ and $v_t$ the gradient grows by $∇F(v_t) = H(v_t - v*)$, for a symmetric $H$"
        " with eigenvalues from $μ_F$ to $ℓ$: of a smooth $F$ the mean of its Hessian on the"
        " segment, and else a limit of such means. At the step $α = 2/(ℓ + μ_F)$ the eigenvalues of"
        " $I - αH$ are from $-(ℓ - μ_F)/(ℓ + μ_F)$ to $(ℓ - μ_F)/(ℓ + μ_F)$, and $v_(t+1) - v* = (I"
        " - αH)(v_t - v*)$. So no iterate is farther from $v*$ than $v_1$, and each step shrinks"
        " the distance by that factor."
    ),
    unproved=(
        "The kernel has no mean of a Hessian on a segment, and the points by which it proves the"
        " theorem for an F that is strongly convex on all of space may lie outside the ball."
    ),
)

CLAIMS = (
    SMOOTH_EVERYWHERE,
    CONVEX,
    STRONGLY_CONVEX,
    STRONGLY_CONVEX_EVERYWHERE,
    NEAR_MINIMISER,
    HEAVY_BALL,
    HEAVY_BALL_SHORT_STEP,
    ADAGRAD_NORM,
    NESTEROV,
    CONVEX_DESCENT,
    STRONG_DESCENT_EVERYWHERE,
    STRONG_DESCENT,
)
