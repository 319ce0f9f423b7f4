"""Hypotheses: what theorems assume. `HYPOTHESES` has those of this package by id."""

from boundcheck.words.hypotheses.ball import BALL
from boundcheck.words.hypotheses.base import Hypothesis, Worst
from boundcheck.words.hypotheses.bounded_below import BOUNDED_BELOW
from boundcheck.words.hypotheses.bounded_gradient import BOUNDED_GRADIENT, BOUNDED_SPECTRAL_GRADIENT
from boundcheck.words.hypotheses.bounded_variance import BOUNDED_VARIANCE
from boundcheck.words.hypotheses.convex import CONVEX, STRONGLY_CONVEX, STRONGLY_CONVEX_EVERYWHERE
from boundcheck.words.hypotheses.expected_smoothness import EXPECTED_SMOOTHNESS
from boundcheck.words.hypotheses.finite_step import FINITE_STEP
from boundcheck.words.hypotheses.frozen_factor import FROZEN_FACTOR
from boundcheck.words.hypotheses.lipschitz_adapter import LIPSCHITZ_ADAPTER
from boundcheck.words.hypotheses.near_minimiser import NEAR_MINIMISER
from boundcheck.words.hypotheses.polyak_lojasiewicz import POLYAK_LOJASIEWICZ
from boundcheck.words.hypotheses.smooth import SMOOTH, SMOOTH_AROUND, SMOOTH_EVERYWHERE
from boundcheck.words.hypotheses.smooth_in_w import SMOOTH_IN_W
from boundcheck.words.hypotheses.start_norms import START_NORMS
from boundcheck.words.hypotheses.unbiased import UNBIASED

HYPOTHESES: dict[str, Hypothesis] = {
    each.id: each
    for each in (
        *(SMOOTH_IN_W, SMOOTH, SMOOTH_AROUND, SMOOTH_EVERYWHERE, BALL, FROZEN_FACTOR, LIPSCHITZ_ADAPTER),
        *(BOUNDED_GRADIENT, BOUNDED_SPECTRAL_GRADIENT, BOUNDED_VARIANCE, EXPECTED_SMOOTHNESS, UNBIASED),
        *(BOUNDED_BELOW, CONVEX, STRONGLY_CONVEX, STRONGLY_CONVEX_EVERYWHERE, POLYAK_LOJASIEWICZ, NEAR_MINIMISER),
        *(START_NORMS, FINITE_STEP),
    )
}

__all__ = [
    "BALL",
    "BOUNDED_BELOW",
    "BOUNDED_GRADIENT",
    "BOUNDED_SPECTRAL_GRADIENT",
    "BOUNDED_VARIANCE",
    "CONVEX",
    "EXPECTED_SMOOTHNESS",
    "FINITE_STEP",
    "FROZEN_FACTOR",
    "HYPOTHESES",
    "LIPSCHITZ_ADAPTER",
    "NEAR_MINIMISER",
    "POLYAK_LOJASIEWICZ",
    "SMOOTH",
    "SMOOTH_AROUND",
    "SMOOTH_EVERYWHERE",
    "SMOOTH_IN_W",
    "START_NORMS",
    "STRONGLY_CONVEX",
    "STRONGLY_CONVEX_EVERYWHERE",
    "UNBIASED",
    "Hypothesis",
    "Worst",
]
