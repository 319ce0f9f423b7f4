"""The average expected squared gradient norm."""

from boundcheck.language.measures.base import SQUARED_GRADIENT, Over, PerformanceMeasure

AVERAGE_GRADIENT = PerformanceMeasure(
    "average_gradient", "average squared gradient norm", Over.AVERAGE, SQUARED_GRADIENT
)
