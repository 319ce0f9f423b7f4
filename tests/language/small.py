"""Small smooth functions, the measure of a method on them, and points in rationals and in Torch."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch

from boundcheck.language.algorithms import Space

SPACE = Space(lambda x: float((x * x).sum()), lambda x: float(x) ** 0.5)


@dataclass(frozen=True)
class Look:
    gradient_square: float
    gap: float
    square_distance: float


def huber(L, widths):
    """L v²/2 up to the width, and a line beyond: smooth with L, and convex."""

    def value(v):
        return float(
            L * np.where(abs(v) <= widths, v * v / 2, widths * abs(v) - widths**2 / 2).sum()
        )

    return value, lambda v: L * np.clip(v, -widths, widths)


def wave(L, widths):
    """L w² (1 - cos(v/w)): smooth with L, and not convex."""
    return lambda v: float(
        (L * widths**2 * (1 - np.cos(v / widths))).sum()
    ), lambda v: L * widths * np.sin(v / widths)


def measured(algorithm, measure, f, start, numbers, T):
    """The measure of T iterates, by the exact face in floats."""
    value, slope = f
    state = algorithm.exact_start(start, numbers)
    looks = []
    for t in range(1, T + 1):
        v = algorithm.iterate(state)
        looks.append(Look(float((slope(v) ** 2).sum()), value(v), float(v @ v)))
        gradient = slope(algorithm.exact_query(state, t, numbers))
        state = algorithm.exact_step(state, gradient, t, numbers, SPACE)
    return float(
        measure.value([measure.observable.of(looks[t - 1]) for t in measure.over.times(T)])
    )


def rationals(values):
    return np.array([Fraction(x) for x in values], dtype=object)


def point(values):
    """A point of one block for one replica."""
    return (torch.tensor([[float(x) for x in values]], dtype=torch.float64).unsqueeze(0),)
