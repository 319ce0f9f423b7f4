"""The least expected squared gradient norm, which theorems about nonconvex functions bound."""

from boundcheck.language.measures.base import SQUARED_GRADIENT, PerformanceMeasure, Statistic

LEAST_GRADIENT = PerformanceMeasure("least_gradient", "least squared gradient norm", Statistic.LEAST, SQUARED_GRADIENT)
