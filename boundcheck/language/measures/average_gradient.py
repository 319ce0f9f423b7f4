"""The average expected squared gradient norm."""

from boundcheck.language.measures.base import SQUARED_GRADIENT, PerformanceMeasure, Statistic

AVERAGE_GRADIENT = PerformanceMeasure(
    "average_gradient", "average squared gradient norm", Statistic.AVERAGE, SQUARED_GRADIENT
)
