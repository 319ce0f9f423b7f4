"""Algorithms: how v_1, v_2, ... come about. `ALGORITHMS` has those of this package by id."""

from boundcheck.words.algorithms.adagrad_norm import ADAGRAD_NORM
from boundcheck.words.algorithms.adaptive_lora_gd import ADAPTIVE_LORA_GD
from boundcheck.words.algorithms.base import Algorithm
from boundcheck.words.algorithms.decreasing_sgd import DECREASING_SGD
from boundcheck.words.algorithms.gradient_descent import GRADIENT_DESCENT
from boundcheck.words.algorithms.heavy_ball import HEAVY_BALL
from boundcheck.words.algorithms.linear import LinearMethod
from boundcheck.words.algorithms.nesterov import NESTEROV
from boundcheck.words.algorithms.relora import RELORA
from boundcheck.words.algorithms.sgd import SGD

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
