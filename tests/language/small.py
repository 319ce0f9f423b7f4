"""A small smooth function, the measure of a method on it, and points in rationals and in Torch."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch

from boundcheck.language.algorithms import Algorithm, Numbers, Space
from boundcheck.language.measures import PerformanceMeasure

SPACE = Space(lambda x: float((x * x).sum()), lambda x: float(x) ** 0.5)


@dataclass(frozen=True)
class Look:
    gradient_square: float
    gap: float
    square_distance: float


def measured(
    algorithm: Algorithm, measure: PerformanceMeasure, widths: np.ndarray, start: np.ndarray, numbers: Numbers, T: int
) -> float:
    """The measure of T iterates, by the exact face in floats, on a sum of Huber functions, least at 0 and 1-smooth."""
    state, looks = algorithm.exact_start(start, numbers), []
    for t in range(1, T + 1):
        v = algorithm.iterate(state)
        looks.append(Look(float((slope(widths, v) ** 2).sum()), gap(widths, v), float(v @ v)))
        gradient = slope(widths, algorithm.exact_query(state, t, numbers))
        state = algorithm.exact_step(state, gradient, t, numbers, SPACE)
    return float(measure.value([measure.observable.of(looks[t - 1]) for t in measure.over.times(T)]))


def gap(widths: np.ndarray, v: np.ndarray) -> float:
    """v²/2 up to the width, and a line beyond."""
    return float(np.where(abs(v) <= widths, v * v / 2, widths * abs(v) - widths**2 / 2).sum())


def slope(widths: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.clip(v, -widths, widths)


def rationals(values: list[float]) -> np.ndarray:
    return np.array([Fraction(x) for x in values], dtype=object)


def point(values: np.ndarray) -> tuple[torch.Tensor, ...]:
    """A point of one block for one replica."""
    return (torch.tensor([[float(x) for x in values]], dtype=torch.float64).unsqueeze(0),)
