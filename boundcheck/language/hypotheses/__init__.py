"""Hypotheses, which theorems assume. `HYPOTHESES` has those of this package by id."""

from boundcheck.language.hypotheses.ball import BALL
from boundcheck.language.hypotheses.base import Hypothesis, Worst
from boundcheck.language.hypotheses.bounded_below import BOUNDED_BELOW
from boundcheck.language.hypotheses.bounded_gradient import BOUNDED_GRADIENT, BOUNDED_SPECTRAL_GRADIENT
from boundcheck.language.hypotheses.bounded_variance import BOUNDED_VARIANCE
from boundcheck.language.hypotheses.convex import CONVEX, STRONGLY_CONVEX, STRONGLY_CONVEX_EVERYWHERE
from boundcheck.language.hypotheses.expected_smoothness import EXPECTED_SMOOTHNESS
from boundcheck.language.hypotheses.finite_step import FINITE_STEP
from boundcheck.language.hypotheses.frozen_factor import FROZEN_FACTOR
from boundcheck.language.hypotheses.lipschitz_adapter import LIPSCHITZ_ADAPTER
from boundcheck.language.hypotheses.near_minimiser import NEAR_MINIMISER
from boundcheck.language.hypotheses.polyak_lojasiewicz import POLYAK_LOJASIEWICZ
from boundcheck.language.hypotheses.smooth import SMOOTH, SMOOTH_AROUND, SMOOTH_EVERYWHERE
from boundcheck.language.hypotheses.smooth_in_w import SMOOTH_IN_W
from boundcheck.language.hypotheses.start_norms import START_NORMS
from boundcheck.language.hypotheses.unbiased import UNBIASED

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
