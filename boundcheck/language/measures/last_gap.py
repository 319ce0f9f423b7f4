"""The gap F(v_T) - f* at the last iterate, which theorems about convex functions bound."""

from boundcheck.language.measures.base import GAP, Over, PerformanceMeasure

LAST_GAP = PerformanceMeasure("last_gap", "last gap", Over.LAST, GAP)
