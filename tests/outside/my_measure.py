"""A performance measure of one's own, one file: the squared gradient at the last iterate."""

from boundcheck.language.measures import SQUARED_GRADIENT, PerformanceMeasure, Statistic

LAST_GRADIENT = PerformanceMeasure(
    "last_gradient", "last squared gradient", Statistic.LAST, SQUARED_GRADIENT
)
