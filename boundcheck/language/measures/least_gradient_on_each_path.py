"""The least squared gradient norm on each path, for algorithms whose steps depend on where they start."""

from boundcheck.language.measures.base import SQUARED_GRADIENT, PerformanceMeasure, Statistic

LEAST_GRADIENT_ON_EACH_PATH = PerformanceMeasure(
    "least_gradient_on_each_path",
    "least squared gradient norm, on each path",
    Statistic.LEAST,
    SQUARED_GRADIENT,
    pathwise=True,
)
