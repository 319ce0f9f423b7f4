"""The least expected squared gradient norm, which theorems about nonconvex functions bound."""

from boundcheck.language.measures.base import SQUARED_GRADIENT, Over, PerformanceMeasure

LEAST_GRADIENT = PerformanceMeasure("least_gradient", "least squared gradient norm", Over.LEAST, SQUARED_GRADIENT)
