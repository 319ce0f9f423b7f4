"""The gap F(v_T) - f* at the last iterate, which theorems about convex functions bound."""

from boundcheck.language.measures.base import GAP, PerformanceMeasure, Statistic

LAST_GAP = PerformanceMeasure("last_gap", "last gap", Statistic.LAST, GAP)
