"""Algorithms, which make v_1, v_2, ... `ALGORITHMS` has those of this package by id."""

from boundcheck.language.algorithms.adagrad_norm import ADAGRAD_NORM
from boundcheck.language.algorithms.adaptive_lora_gd import ADAPTIVE_LORA_GD
from boundcheck.language.algorithms.base import Algorithm
from boundcheck.language.algorithms.decreasing_sgd import DECREASING_SGD
from boundcheck.language.algorithms.gradient_descent import GRADIENT_DESCENT
from boundcheck.language.algorithms.heavy_ball import HEAVY_BALL
from boundcheck.language.algorithms.linear import LinearMethod
from boundcheck.language.algorithms.nesterov import NESTEROV
from boundcheck.language.algorithms.relora import RELORA
from boundcheck.language.algorithms.sgd import SGD

ALGORITHMS: dict[str, Algorithm] = {
    each.id: each
    for each in (
        *(SGD, DECREASING_SGD, GRADIENT_DESCENT, HEAVY_BALL, NESTEROV, ADAGRAD_NORM),
        *(ADAPTIVE_LORA_GD, RELORA),
    )
}

__all__ = [
    "ADAGRAD_NORM",
    "ADAPTIVE_LORA_GD",
    "ALGORITHMS",
    "DECREASING_SGD",
    "GRADIENT_DESCENT",
    "HEAVY_BALL",
    "NESTEROV",
    "RELORA",
    "SGD",
    "Algorithm",
    "LinearMethod",
]
