"""The average gap F(v_t) - f* over the iterates, which theorems about SGD on convex functions bound."""

from boundcheck.language.measures.base import GAP, PerformanceMeasure, Statistic

AVERAGE_GAP = PerformanceMeasure("average_gap", "average gap", Statistic.AVERAGE, GAP)
