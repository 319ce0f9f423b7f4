"""Convergence theorems of other papers, for a function F that is smooth with a given constant, ell.

Each is stated at its prescribed constant step, for T iterates v_1, ..., v_T. Its first quantity is
Lhat, which is ell here, as in the theorems that derive Lhat.
"""

from dataclasses import replace

import sympy as sp

from boundcheck.language import algorithms
from boundcheck.language import hypotheses as words
from boundcheck.language.claim import EVERY_T, Quantity
from boundcheck.language.measures import LEAST_GRADIENT
from boundcheck.language.sentence import theorem
from boundcheck.language.symbols import D, Lhat, T, abc_a, abc_b, abc_c, alpha, bound, ell, zeta

from ..jiang2024.claims import ASSUMPTION_4, BOUNDED_BELOW, ROOT_TERM
from ..meft.lora import CONDITIONALLY_UNBIASED

SMOOTH = words.SMOOTH.claim(
    "classic.smooth",
    "The function that is minimised is smooth along its iterates",
    "the descent lemma's hypothesis, such as Nesterov 2004, section 1.2.2",
    note=(
        "One segment at a time, from an iterate to the next, the last of them to $v_(T+1)$, which"
        " step $T$ computes."
    ),
)

SMOOTH_AROUND = words.SMOOTH_AROUND.claim(
    "classic.smooth_around",
    "The function that is minimised is smooth around its iterates",
    "boundcheck; less than the smoothness on all of space of Abbaszadehpeivasti, de Klerk and"
    " Zamani 2022",
    note=(
        "One ball at a time: its diameter is the segment from an iterate to the next, the last to"
        " $v_(T+1)$. The proof leaves the segments, and stays in the balls."
    ),
)

ABC = words.EXPECTED_SMOOTHNESS.claim(
    "classic.abc",
    "Expected smoothness (ABC)",
    "Khaled and Richtárik 2023, expected smoothness, stated given the past, as the proof uses it",
)

GIVEN_SMOOTHNESS = Quantity(Lhat, ell, "smoothness constant of F, which is given")
_DETERMINISTIC = "$g$ is the full gradient: no noise, and the expectation is the value itself. "

GRADIENT_DESCENT = theorem(
    "nesterov2004.gradient_descent",
    "Nesterov, gradient descent",
    "Nesterov, Introductory Lectures on Convex Optimization, 2004, section 1.2.3, at the step 1/L",
    EVERY_T,
    (SMOOTH, BOUNDED_BELOW),
    (
        GIVEN_SMOOTHNESS,
        Quantity(alpha, 1 / Lhat, "constant step size"),
        Quantity(bound, 2 * Lhat * D / T),
    ),
    note=_DETERMINISTIC + "The book's $N$ steps have $N + 1 = T$ iterates.",
    algorithm=algorithms.GRADIENT_DESCENT,
    measure=LEAST_GRADIENT,
)

KHALED = theorem(
    "khaled2020.theorem2",
    "Khaled–Richtárik, Theorem 2, under ABC",
    "Khaled and Richtárik, Better Theory for SGD in the Nonconvex World, TMLR 2023 (arXiv"
    " 2002.03329), Theorem 2, at the step of its Corollary 1 with $√(2D/(ℓCT))$ in place of the"
    " member that a target accuracy sets",
    EVERY_T,
    (SMOOTH, ABC, CONDITIONALLY_UNBIASED, BOUNDED_BELOW),
    (
        GIVEN_SMOOTHNESS,
        Quantity(
            alpha,
            1
            / sp.Max(
                Lhat * abc_b,
                sp.sqrt(Lhat * abc_a * T, evaluate=False),
                sp.sqrt(Lhat * abc_c * T / (2 * D), evaluate=False),
            ),
            "constant step size, one over the largest",
        ),
        Quantity(
            bound, Lhat * abc_c * alpha + 2 * D / T * (1 / alpha + 2 * Lhat * abc_a * alpha * T)
        ),
    ),
    note=(
        "The theorem's power $(1 + ℓAα²)^T$ stands here by its bound $1 + 2ℓAα²T$, which holds"
        " because $ℓAα²T ≤ 1$ at this step; Corollary 1 takes 3 for it, which is the most that it"
        " can be."
    ),
    algorithm=algorithms.SGD,
    measure=LEAST_GRADIENT,
)

BOUNDED_VARIANCE = replace(
    KHALED.case(
        "khaled2020.bounded_variance",
        "Khaled–Richtárik, bounded variance",
        "Khaled and Richtárik, Better Theory for SGD in the Nonconvex World, TMLR 2023 (arXiv"
        " 2002.03329), Theorem 2, at $A = 0$, $B = 1$, $C = ζ²$",
        {abc_a: sp.Integer(0), abc_b: sp.Integer(1), abc_c: zeta**2},
    ),
    hypotheses=(SMOOTH, ASSUMPTION_4, CONDITIONALLY_UNBIASED, BOUNDED_BELOW),
)

GHADIMI = theorem(
    "ghadimi2013.corollary2_2",
    "Ghadimi–Lan, Corollary 2.2",
    "Ghadimi and Lan, Stochastic First- and Zeroth-Order Methods for Nonconvex Stochastic"
    " Programming, SIAM J. Optim. 23(4), 2013, Corollary 2.2, at its best $D̃ = D_f = √(2D/L)$",
    EVERY_T,
    BOUNDED_VARIANCE.hypotheses,
    (
        GIVEN_SMOOTHNESS,
        # min(1/L, D~/(sigma sqrt N)), the step of the theorem above.
        next(quantity for quantity in BOUNDED_VARIANCE.quantities if quantity.symbol == alpha),
        Quantity(
            bound,
            GRADIENT_DESCENT.quantities[-1].expression
            + sp.Mul(2 * sp.sqrt(2), ROOT_TERM, evaluate=False),
        ),
    ),
    note="The paper bounds the mean at an iterate drawn uniformly at random, hence the smallest.",
    algorithm=algorithms.SGD,
    measure=LEAST_GRADIENT,
)

BEST_STEP = theorem(
    "abbaszadehpeivasti2022.best_step",
    "Abbaszadehpeivasti et al., gradient descent, best step",
    "Abbaszadehpeivasti, de Klerk and Zamani, The exact worst-case convergence rate of the gradient"
    " method with fixed step lengths for L-smooth functions, Optim. Lett., 2022, at the step that"
    " minimises the bound",
    EVERY_T,
    (SMOOTH_AROUND, BOUNDED_BELOW),
    (
        GIVEN_SMOOTHNESS,
        Quantity(alpha, 2 / (sp.sqrt(3) * Lhat), "constant step size"),
        Quantity(bound, 4 * D / ((T - 1) * (4 * alpha - Lhat**2 * alpha**3) + 2 / Lhat)),
    ),
    note=_DETERMINISTIC
    + "The paper's $N$ steps have $N + 1 = T$ iterates. Of its $min(4h - Lh², 4h - L²h³)$ the "
    "second is the smaller at this step $h$, which is longer than $1/L$.",
    algorithm=algorithms.GRADIENT_DESCENT,
    measure=LEAST_GRADIENT,
)

CLAIMS = (
    SMOOTH,
    SMOOTH_AROUND,
    ABC,
    GRADIENT_DESCENT,
    GHADIMI,
    KHALED,
    BOUNDED_VARIANCE,
    BEST_STEP,
)
