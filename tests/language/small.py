"""Small smooth functions, convex and not, with a gradient in rationals and in Torch; and methods of one's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import hypothesis.strategies as st
import numpy as np
import torch
from hypothesis.strategies import DrawFn

from boundcheck.language.algorithms import Algorithm, Numbers, Space
from boundcheck.language.measures import PerformanceMeasure

SPACE = Space(lambda x: float((x * x).sum()), lambda x: float(x) ** 0.5)


@dataclass(frozen=True)
class Smooth:
    """A function of R^n that is separable: the sum of pieces, each of one coordinate."""

    value: Callable[[np.ndarray], float]
    gradient: Callable[[np.ndarray], np.ndarray]
    minimiser: np.ndarray
    L: float
    m: float = 0.0


def quadratic(eigenvalues: np.ndarray) -> Smooth:
    """Half the sum of eigenvalues times squares."""
    smooth = float(np.abs(eigenvalues).max())
    return Smooth(
        lambda v: float((eigenvalues * v * v).sum() / 2),
        lambda v: eigenvalues * v,
        np.zeros(len(eigenvalues)),
        smooth,
        float(eigenvalues.min()),
    )


def huber(width: np.ndarray) -> Smooth:
    """v²/2 up to the width, and a line beyond: smooth with L = 1, and convex."""
    return Smooth(
        lambda v: float(np.where(abs(v) <= width, v * v / 2, width * abs(v) - width**2 / 2).sum()),
        lambda v: np.clip(v, -width, width),
        np.zeros(len(width)),
        1.0,
    )


def wave(heights: np.ndarray) -> Smooth:
    """Heights times (1 - cos v): smooth, not convex, least at 0."""
    return Smooth(
        lambda v: float((heights * (1 - np.cos(v))).sum()),
        lambda v: heights * np.sin(v),
        np.zeros(len(heights)),
        float(heights.max()),
    )


SIZES = st.floats(0.05, 4)


@st.composite
def smooth_functions(draw: DrawFn, kinds: tuple[str, ...]) -> tuple[Smooth, np.ndarray]:
    """One of these kinds, and a start."""
    n = draw(st.integers(1, 3))
    shape = np.array(draw(st.lists(SIZES, min_size=n, max_size=n)))
    start = np.array(draw(st.lists(st.floats(-3, 3), min_size=n, max_size=n)))
    made = {"quadratic": quadratic, "huber": huber, "wave": wave}[draw(st.sampled_from(kinds))](shape)
    return made, start


@dataclass(frozen=True)
class Look:
    gradient_square: float
    gap: float
    square_distance: float


def measured(
    algorithm: Algorithm, measure: PerformanceMeasure, f: Smooth, start: np.ndarray, numbers: Numbers, T: int
) -> float:
    """The measure of T iterates, by the exact face in floats."""
    state, looks = algorithm.exact_start(start, numbers), []
    for t in range(1, T + 1):
        v = algorithm.iterate(state)
        g = f.gradient(v)
        apart = v - f.minimiser
        looks.append(Look(float(g @ g), f.value(v) - f.value(f.minimiser), float(apart @ apart)))
        gradient = f.gradient(algorithm.exact_query(state, t, numbers))
        state = algorithm.exact_step(state, gradient, t, numbers, SPACE)
    return float(measure.value([measure.observable.of(looks[t - 1]) for t in measure.over.times(T)]))


def rationals(values: list[float]) -> np.ndarray:
    return np.array([Fraction(x) for x in values], dtype=object)


def point(values: np.ndarray) -> tuple[torch.Tensor, ...]:
    """A point of one block for one replica."""
    return (torch.tensor([[float(x) for x in values]], dtype=torch.float64).unsqueeze(0),)
