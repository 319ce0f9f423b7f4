"""Strategies for singular values: of every kind of spectrum, of a given rank or condition number, in a ball.

Singular values are given relative to the largest, decreasing. Small strategies that are drawn very often are here too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import hypothesis.strategies as st
import numpy as np
from hypothesis.strategies import DrawFn, SearchStrategy

SEEDS = st.integers(0, 2**32 - 1)
"""Seeds of random generators."""
SIZES = st.floats(-3, 3).map(lambda exponent: 10.0**exponent)
"""Positive floats from 0.001 to 1000; shrinks to 1."""

LARGEST_CONDITION = 1e12

# Hypothesis examines a strategy when it is first drawn from, which takes longer than to draw: so each is made once.
kept = lru_cache(maxsize=1024)
choice = kept(st.sampled_from)


@kept
def signs(count: int) -> SearchStrategy[np.ndarray]:
    """Arrays of `count` numbers, each 1 or -1; shrinks to all 1."""
    return st.lists(st.sampled_from([1.0, -1.0]), min_size=count, max_size=count).map(np.array)


@kept
@st.composite
def _generic(draw: DrawFn, count: int) -> np.ndarray:
    """Singular values over the largest, evenly spaced down to 1/count, or random."""
    seed = draw(st.none() | SEEDS)
    if seed is None:
        return np.arange(count, 0, -1) / max(count, 1)
    rest = np.random.default_rng(seed).uniform(size=max(count - 1, 0))
    return np.concatenate([np.ones(min(count, 1)), np.sort(rest)[::-1]])


@kept
@st.composite
def of_condition(draw: DrawFn, count: int, condition: float) -> np.ndarray:
    """Singular values from 1 to 1/condition: all 1 but the last, or evenly spaced in their logarithm."""
    if count == 1:
        return np.ones(1)
    middle = draw(choice((0.0, 1.0))) * np.arange(count - 1) / (count - 1)
    # The last one is exactly 1/condition, and not a power of about that size.
    return np.append(condition**-middle, 1 / condition)


@dataclass(frozen=True)
class _Kind:
    """A kind of spectrum.

    Attributes:
        least: the fewest singular values, not 0, for which it exists.
        values: the singular values over the largest, decreasing, given how many are not 0.

    """

    least: int
    values: Callable[[int], SearchStrategy[np.ndarray]]


SPECTRA: dict[str, _Kind] = {
    "zero": _Kind(0, kept(lambda count: st.just(np.zeros(count)))),
    "extremal": _Kind(1, kept(lambda count: st.just(np.ones(count)))),
    "repeated": _Kind(2, kept(lambda count: st.just(0.5 ** (np.arange(count) // 2)))),
    "rank-deficient": _Kind(1, kept(lambda count: st.just(np.ones(count)))),
    "generic": _Kind(1, _generic),
    "ill-conditioned": _Kind(2, lambda count: of_condition(count, LARGEST_CONDITION)),
}
"""Kinds of spectra by name, the simplest first."""


@kept
@st.composite
def relative_spectra(draw: DrawFn, count: int, rank: int | None = None, kind: str | None = None) -> np.ndarray:
    """`count` singular values over the largest, decreasing, of one kind or any; all are 0 at rank 0."""
    if rank == 0 or kind == "zero":
        return np.zeros(count)
    if kind is None:
        kind = draw(choice(tuple(name for name in SPECTRA if name != "zero" and _fits(name, count, rank))))
    if rank is None:
        rank = draw(st.integers(1, count - 1)) if kind == "rank-deficient" else count
    return np.append(draw(SPECTRA[kind].values(rank)), np.zeros(count - rank))


def _fits(kind: str, count: int, rank: int | None) -> bool:
    if kind == "rank-deficient":
        return count > (1 if rank is None else rank)
    return SPECTRA[kind].least <= (count if rank is None else rank)


@kept
@st.composite
def spectra_in_ball(draw: DrawFn, count: int, radius: float) -> np.ndarray:
    """Singular values of any kind, decreasing: the largest equal to the radius, all 0, or generic inside the ball."""
    kind = draw(choice(tuple(name for name in SPECTRA if _fits(name, count, None))))
    share = draw(choice((1.0, 0.5, 0.01))) if kind == "generic" else 1.0
    return radius * share * draw(relative_spectra(count, None, kind))
