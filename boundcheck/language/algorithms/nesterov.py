"""Nesterov's accelerated gradient method with momentum (t - 1)/(t + 2), as Su, Boyd and Candès (2016) write it."""

import sympy as sp

from boundcheck.language.algorithms.linear import LinearMethod, g, v
from boundcheck.language.symbols import alpha
from boundcheck.language.vocabulary import t

# Where the gradient is taken; measures speak of v.
y = sp.Symbol("y")
_NEXT = y - alpha * g

NESTEROV = LinearMethod(
    "nesterov",
    "Nesterov's method",
    (alpha,),
    moves=((v, _NEXT), (y, _NEXT + (t - 1) / (t + 2) * (_NEXT - v))),
    at=y,
)
