"""Gradient descent on LoRA's factors at a step that needs to know nothing in advance: no ball, no bound, no horizon."""

import sympy as sp

from boundcheck.language.algorithms import ADAPTIVE_LORA_GD, DECREASE, share
from boundcheck.language.claim import Quantity
from boundcheck.language.hypotheses import FINITE_STEP, START_NORMS
from boundcheck.language.measures import LEAST_GRADIENT_ON_EACH_PATH
from boundcheck.language.sentence import theorem
from boundcheck.language.symbols import D, L, T, a_1, b_1, bound

from ..jiang2024.claims import ASSUMPTION_1, BOUNDED_BELOW

# The step is 1/(K(L J_t² + m_t)). For large T the bound is sqrt(K/(2c³)) D sqrt(LD/T), which K = 2 makes smallest.
K = sp.Integer(2)
C = DECREASE.subs(share, 1 / K)
# The norm of ∇f(W) is at most this where f(W) <= f(W_1).
STEEPEST = sp.Pow(2 * L * D, sp.Rational(1, 2), evaluate=False)

START = START_NORMS.claim("meft.start", "The norms of the factors at the start", "boundcheck")
GOES_ON = FINITE_STEP.claim(
    "meft.goes_on",
    "The step is a number",
    "boundcheck",
    note="It fails where $A_t$, $B_t$ and the gradient in W are all zero, and there the algorithm has nothing "
    "left to do.",
)

steep = sp.Symbol("steep", positive=True)
stretch = sp.Symbol("stretch", positive=True)
first = sp.Symbol("first", positive=True)
growth = sp.Symbol("growth", positive=True)

ADAPTIVE_GD = theorem(
    "meft.adaptive_gd",
    "Gradient descent on LoRA at an adaptive step",
    "boundcheck; without Assumptions 2 and 3 of jiang2024, and without a horizon or a ball that is chosen beforehand",
    r"\text{for every } T",
    (ASSUMPTION_1, BOUNDED_BELOW, START, GOES_ON),
    (
        Quantity(share, 1 / K, "numerator of the step"),
        Quantity(steep, STEEPEST, "bound on the norm of the gradient in $W$, where $F$ is at most $F(v_1)$"),
        Quantity(
            stretch,
            sp.Pow(2 * K * C * L * (a_1**2 + b_1**2) ** 2 / (D * T), sp.Rational(1, 4), evaluate=False),
            "how the growth of the factors is shared out: $(x + y)²$ is at most $(1 + 1/stretch)x² + (1 + stretch)y²$",
        ),
        Quantity(
            first, K * (L * (1 + 1 / stretch) * (a_1**2 + b_1**2) + steep), "what one over the step is at most at first"
        ),
        Quantity(
            growth, K * L * (1 + stretch) * D / C, "how fast one over the step grows with the sum of the steps before"
        ),
        Quantity(bound, D * growth / (C * (sp.sqrt(first**2 + 2 * growth * T) - first))),
    ),
    note="$g$ is the full gradient and $W = W_0 + BA$. The step at $t$ is $1/(2(L(σ_1(A_t)² + σ_1(B_t)²) + "
    "‖∇f(W_t)‖_F))$. It does not know $T$: the bound falls as $1/√T$, at every $T$ at once. With a scale "
    "$s$, apply it to $X → f(W_0 + sX)$, which is $s²L$-smooth.",
    algorithm=ADAPTIVE_LORA_GD,
    measure=LEAST_GRADIENT_ON_EACH_PATH,
)

CLAIMS = (START, GOES_ON, ADAPTIVE_GD)
