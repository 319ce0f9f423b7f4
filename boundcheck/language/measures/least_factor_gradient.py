"""The least expected squared gradient norm in the factors A and B, where v has a base as well, which no step moves."""

from boundcheck.language.measures.base import SQUARED_FACTOR_GRADIENT, PerformanceMeasure, Statistic

LEAST_FACTOR_GRADIENT = PerformanceMeasure(
    "least_factor_gradient", "least squared gradient norm in the factors", Statistic.LEAST, SQUARED_FACTOR_GRADIENT
)
