"""The least squared gradient norm on each path, for algorithms whose steps depend on where they start."""

from boundcheck.language.measures.base import SQUARED_GRADIENT, Over, PerformanceMeasure

LEAST_GRADIENT_ON_EACH_PATH = PerformanceMeasure(
    "least_gradient_on_each_path",
    "least squared gradient norm, on each path",
    Over.LEAST,
    SQUARED_GRADIENT,
    is_sure=True,
)
