"""Performance measures, which theorems bound. `MEASURES` has those of this package by id."""

from boundcheck.language.measures.average_gap import AVERAGE_GAP
from boundcheck.language.measures.average_gradient import AVERAGE_GRADIENT
from boundcheck.language.measures.base import Measure, Observed, PerformanceMeasure
from boundcheck.language.measures.last_distance import LAST_DISTANCE
from boundcheck.language.measures.last_gap import LAST_GAP
from boundcheck.language.measures.least_factor_gradient import LEAST_FACTOR_GRADIENT
from boundcheck.language.measures.least_gradient import LEAST_GRADIENT
from boundcheck.language.measures.least_gradient_on_each_path import LEAST_GRADIENT_ON_EACH_PATH
from boundcheck.language.measures.smoothness import SMOOTHNESS

MEASURES: dict[str, Measure] = {
    each.id: each
    for each in (
        *(LEAST_GRADIENT, LEAST_GRADIENT_ON_EACH_PATH, AVERAGE_GRADIENT, LEAST_FACTOR_GRADIENT),
        *(LAST_GAP, AVERAGE_GAP, LAST_DISTANCE, SMOOTHNESS),
    )
}

__all__ = [
    "AVERAGE_GAP",
    "AVERAGE_GRADIENT",
    "LAST_DISTANCE",
    "LAST_GAP",
    "LEAST_FACTOR_GRADIENT",
    "LEAST_GRADIENT",
    "LEAST_GRADIENT_ON_EACH_PATH",
    "MEASURES",
    "SMOOTHNESS",
    "Measure",
    "Observed",
    "PerformanceMeasure",
]
