"""The squared distance of the last iterate to a minimiser, which theorems about strongly convex functions bound."""

from boundcheck.language.measures.base import SQUARED_DISTANCE, PerformanceMeasure, Statistic

LAST_DISTANCE = PerformanceMeasure("last_distance", "last squared distance", Statistic.LAST, SQUARED_DISTANCE)
