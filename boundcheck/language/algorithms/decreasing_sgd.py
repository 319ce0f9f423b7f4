r"""SGD with the decreasing step :math:`\omega/(\gamma + t)` of Robbins and Monro (1951)."""

import sympy as sp

from boundcheck.language.algorithms.linear import LinearMethod, g, v
from boundcheck.language.symbols import Parameter
from boundcheck.language.vocabulary import t

omega, gamma = sp.symbols("omega gamma", positive=True)
# What a theorem about it declares.
DECLARED = (
    Parameter(omega, "positive real", "numerator of the step $ω/(γ + t)$", r"\omega"),
    Parameter(gamma, "positive real", "how many steps late the step $ω/(γ + t)$ begins", r"\gamma"),
)

DECREASING_SGD = LinearMethod(
    "decreasing_sgd",
    "SGD, decreasing steps",
    (omega, gamma),
    is_stochastic=True,
    keeps_step=False,
    moves=((v, v - omega / (gamma + t) * g),),
)
