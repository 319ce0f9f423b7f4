"""The exponent of a power law over independent seeds, with Student's interval and how far the law itself is off."""

from dataclasses import dataclass

import numpy as np

from boundcheck.errors import InputError
from boundcheck.experiment.intervals import Interval, student_quantile

# Fewer points always lie on a line, and fewer seeds make an interval of no use.
_FEWEST_POINTS = 3
_FEWEST_SEEDS = 3


@dataclass(frozen=True)
class Exponent:
    r"""A power law :math:`y \approx e^c x^p`, fitted to each of several seeds.

    Attributes:
        slope: p, the mean over seeds of the least-squares slopes of log y on log x.
        intercept: c, the mean over seeds of the intercepts, so that the line is that of the geometric mean over seeds.
        interval: Student's for p, over seeds; None with fewer than three.
        seeds: how many there are.
        deviation: the largest relative deviation of the geometric mean over seeds from the line, as (larger over
            smaller) - 1. Where it is large, no power law describes the data, whatever the interval.

    """

    slope: float
    intercept: float
    interval: Interval | None
    seeds: int
    deviation: float

    def line(self, x: np.ndarray) -> np.ndarray:
        """The fitted law at x, of the same shape."""
        fitted: np.ndarray = np.exp(self.intercept + self.slope * np.log(x))
        return fitted


def fit_exponent(x: np.ndarray, y: np.ndarray, level: float) -> Exponent | None:
    r"""Fit :math:`y_i \propto x^{p_i}` for each seed i by least squares in logarithms; the exponent is the mean of p_i.

    The interval takes the p_i as independent with one mean: it covers what another seed changes, and not a bend that
    all seeds share, which is for ``deviation`` to show.

    Args:
        x: shape (m,), positive.
        y: shape (seeds, m), positive, a row for each independent seed.
        level: the stated coverage, in (0, 1).

    Returns:
        The exponent; None where x has fewer than three values that differ.

    Raises:
        InputError: for shapes that do not fit, no seed, a level out of range, a value not positive and finite.

    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    if x.ndim != 1:
        raise InputError("x", x.shape, "shape (m,)")
    if y.ndim != 2 or y.shape[1] != len(x) or len(y) == 0:
        raise InputError("y", y.shape, f"shape (seeds, {len(x)}) with at least one seed")
    if not 0 < level < 1:
        raise InputError("level", level, "a number between 0 and 1")
    for name, values in (("x", x), ("y", y)):
        wrong = values[~((values > 0) & (values < np.inf))]
        if len(wrong):
            raise InputError(name, wrong[0], "numbers that are positive and finite")
    if len(np.unique(x)) < _FEWEST_POINTS:
        return None
    log_x, log_y = np.log(x), np.log(y)
    centred = log_x - log_x.mean()
    slopes = log_y @ centred / (centred @ centred)
    slope = float(slopes.mean())
    intercept = float(log_y.mean() - slope * log_x.mean())
    residuals = log_y.mean(0) - (intercept + slope * log_x)
    deviation = float(np.expm1(np.abs(residuals).max()))
    return Exponent(slope, intercept, _student(slopes, level), len(y), deviation)


def _student(slopes: np.ndarray, level: float) -> Interval | None:
    # Not `student_interval`, whose mean is nonnegative: a slope may have either sign.
    if len(slopes) < _FEWEST_SEEDS:
        return None
    half = float(student_quantile(level, len(slopes)) * slopes.std(ddof=1) / np.sqrt(len(slopes)))
    mean = float(slopes.mean())
    return Interval(mean - half, mean + half, level, "asymptotic", "Student over seeds")
