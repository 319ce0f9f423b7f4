"""Polyak's heavy ball (1964): a gradient step, and a share beta of the step before it; v_0 = v_1."""

import sympy as sp

from boundcheck.language.algorithms.linear import LinearMethod, g, v
from boundcheck.language.symbols import alpha, beta

# The iterate before v.
u = sp.Symbol("u")

HEAVY_BALL = LinearMethod(
    "heavy_ball",
    "heavy ball",
    (alpha, beta),
    starting=((beta, sp.Rational(1, 2)),),
    moves=((v, v - alpha * g + beta * (v - u)), (u, v)),
)
