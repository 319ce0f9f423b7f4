"""Confidence limits for a mean, each labelled by what it promises: `nonasymptotic` or `asymptotic`.

Level and sample size are fixed by the spec before a run; nothing here looks at data to choose a method.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.optimize import brentq
from scipy.stats import t as student_t

Kind = Literal["nonasymptotic", "asymptotic"]

# Fractions c of the largest admissible bet. Few and fixed: a mixture over them is still one e-value.
_BETS = np.array([0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9, 0.99])

# Limits below this share of the sample mean are called 0.
_LEAST = 1e-9


@dataclass(frozen=True)
class Interval:
    """A two-sided confidence interval for a mean.

    Attributes:
        lower, upper: the limits; `lower` is at least 0 where the variable is nonnegative.
        level: the stated coverage.
        kind: ``nonasymptotic`` if it holds at this sample size, ``asymptotic`` if only in the limit.
        method: what made it.

    """

    lower: float
    upper: float
    level: float
    kind: Kind
    method: str


def betting_lower_limit(x: np.ndarray, delta: float) -> float:
    r"""A lower confidence limit for the mean of i.i.d. nonnegative variables, with no upper range needed.

    If the mean is at most m, each bet :math:`\prod_i (1 + c(x_i/m - 1))`, 0 <= c < 1, has expectation at most 1, and so
    has their mixture over c. By Markov's inequality it exceeds 1/delta with probability at most delta, and it falls
    as m grows: the limit is the m at which it equals 1/delta. (Waudby-Smith and Ramdas, JRSS B 2024, for the method.)

    Args:
        x: samples, shape (n,), nonnegative.
        delta: the probability with which the limit may exceed the mean, in (0, 1).

    Returns:
        The limit, at least 0.

    Raises:
        ValueError: for a negative sample.

    """
    if (x < 0).any():
        raise ValueError(f"expected nonnegative samples, got {x.min()}")
    mean = float(x.mean())
    if mean == 0:
        return 0.0
    relative = x / mean  # so that nothing below depends on the unit of x

    def log_capital(log_m: float) -> float:
        logs = np.log1p(_BETS[:, None] * (relative * np.exp(-log_m) - 1)).sum(1)
        return float(np.logaddexp.reduce(logs) - np.log(len(_BETS)))

    # At m = 1, the mean, every bet has capital at most 1 (Jensen), so the root lies below it. In log m, brentq's
    # absolute accuracy of 2e-12 is a relative one, which the last factor more than makes up for.
    least = float(np.log(_LEAST))
    if log_capital(least) < -np.log(delta):
        return 0.0
    root = brentq(lambda log_m: log_capital(log_m) + np.log(delta), least, 0.0)
    return float(np.exp(root)) * (1 - 1e-9) * mean


def betting_interval(x: np.ndarray, largest: float, level: float) -> Interval:
    """A nonasymptotic interval for i.i.d. variables in [0, largest], by betting on x and on largest - x."""
    delta = (1 - level) / 2
    upper = largest - betting_lower_limit(np.maximum(largest - x, 0.0), delta)
    return Interval(betting_lower_limit(x, delta), upper, level, "nonasymptotic", "betting")


def student_interval(x: np.ndarray, level: float) -> Interval:
    """Student's interval over replicas, exact for Gaussian means and otherwise only in the limit of many replicas."""
    with np.errstate(over="ignore"):  # a spread beyond floats makes a limit of infinity, which supports nothing
        half = float(student_t.ppf((1 + level) / 2, len(x) - 1) * x.std(ddof=1) / np.sqrt(len(x)))
    mean = float(x.mean())
    return Interval(max(mean - half, 0.0), mean + half, level, "asymptotic", "Student")


def mean_interval(x: np.ndarray, largest: float, resolution: float, level: float) -> Interval:
    """The nonasymptotic interval where n replicas can resolve the mean to `resolution`, else Student's.

    An upper limit in [0, largest] from n variables is no finer than largest * log(1/delta) / n. The choice depends on
    the range, the level and n alone, never on the data.
    """
    delta = (1 - level) / 2
    if largest * np.log(1 / delta) / len(x) <= resolution:
        return betting_interval(x, largest, level)
    return student_interval(x, level)


def simultaneous_lower_limits(x: np.ndarray, level: float) -> np.ndarray:
    """Lower limits that hold for all columns at once (Bonferroni over betting), x of shape (n, columns)."""
    delta = (1 - level) / x.shape[1]
    return np.array([betting_lower_limit(column, delta) for column in x.T])
