"""Gradient descent on LoRA's factors at a step that needs to know nothing in advance: no ball, no bound, no horizon."""

import sympy as sp

from boundcheck.claims.claim import Claim, Quantity
from boundcheck.claims.symbols import D, L, T, a_1, b_1, bound
from boundcheck.claims.vocabulary import (
    A_t,
    B_t,
    EuclideanNorm,
    F,
    FrobeniusNorm,
    Gradient,
    MinimumOver,
    SpectralNorm,
    d,
    f,
    k,
    t,
    v_t,
)

from ..jiang2024.claims import ASSUMPTION_1, BOUNDED_BELOW

# The step is 1/(K(L J_t^2 + m_t)), and each lowers F by at least c times the step times the squared gradient norm.
K, C = sp.Integer(2), sp.Rational(7, 10)
W0 = sp.MatrixSymbol("W_0", d, k)
# J_t^2, which bounds the squared norm of the derivative of W; m_t; and their share in 1/step.
REACH = SpectralNorm(A_t) ** 2 + SpectralNorm(B_t) ** 2
SLOPE = Gradient(f, W0 + B_t * A_t)
STEEPNESS = L * REACH + FrobeniusNorm(SLOPE)
STEP = 1 / (K * STEEPNESS)

START = Claim(
    "meft.start",
    "The norms of the factors at the start",
    "boundcheck",
    sp.And(sp.Le(SpectralNorm(A_t.xreplace({t: 1})), a_1), sp.Le(SpectralNorm(B_t.xreplace({t: 1})), b_1)),
)
GOES_ON = Claim(
    "meft.goes_on",
    "The step is a number",
    "boundcheck",
    sp.Gt(STEEPNESS, 0),
    r"\text{for all } t",
    note="It fails where A_t, B_t and the gradient in W are all zero, and there the algorithm has nothing left to do.",
)

steep = sp.Symbol("steep", positive=True)
first = sp.Symbol("first", positive=True)
growth = sp.Symbol("growth", positive=True)

ADAPTIVE_GD = Claim(
    "meft.adaptive_gd",
    "Gradient descent on LoRA at an adaptive step",
    "boundcheck; without Assumptions 2 and 3 of jiang2024, and without a horizon or a ball that is chosen beforehand",
    sp.Le(MinimumOver(EuclideanNorm(Gradient(F, v_t)) ** 2, t, 1, T), bound),
    r"\text{for every } T",
    (ASSUMPTION_1, BOUNDED_BELOW, START, GOES_ON),
    (
        Quantity(
            steep,
            sp.Pow(2 * L * D, sp.Rational(1, 2), evaluate=False),
            "bound on the norm of the gradient in W, where F is at most F(v_1)",
        ),
        Quantity(first, K * (2 * L * (a_1**2 + b_1**2) + steep), "bound on one over the first step"),
        Quantity(growth, 2 * K * L * D / C, "how fast one over the step grows with the sum of the steps before"),
        Quantity(
            bound,
            D * growth / (C * (sp.sqrt(first**2 + 2 * growth * T) - first)),
            "bound on the smallest squared gradient norm",
        ),
    ),
    note="g is the full gradient and W = W_0 + BA. The step at t is 1/(2(L(σ_1(A_t)² + σ_1(B_t)²) + ‖∇f(W_t)‖_F)). "
    "The bound falls as 1/sqrt(T), at every T at once.",
)

CLAIMS = (START, GOES_ON, ADAPTIVE_GD)
