"""Confidence limits for a mean, each labelled by what it promises: `exact`, `nonasymptotic` or `asymptotic`.

Level and sample size are fixed by the spec before a run; nothing here looks at data to choose a method. Limits are
computed for a batch of experiments at once, along the last axis. `boundcheck.checked.coverage` measures whether they
keep what they promise.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import nctdtr, ndtri, stdtrit

from boundcheck.experiment.support import Kind

# Fractions c of the largest admissible bet. Few and fixed: a mixture over them is still one e-value.
_BETS = np.array([0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9, 0.99])

# Limits below this share of the sample mean are called 0.
_LEAST = 1e-9
# Newton's steps in log m end here, and the limit is lowered by more than rounding can have raised it.
_STEP, _MARGIN = 1e-11, 1e-9
# Numbers that one array of a chunk may hold: few enough to stay in a cache.
_CHUNK = 1 << 19
# Factors of a bet that are multiplied before a logarithm is taken; 16 of them lie far inside the range of floats.
_GROUP = 16


@dataclass(frozen=True)
class Interval:
    """A two-sided confidence interval for a mean.

    Attributes:
        lower, upper: the limits; `lower` is at least 0 where the variable is nonnegative.
        level: the stated coverage.
        kind: ``exact`` of a number without chance, ``nonasymptotic`` if it holds at this sample size, ``asymptotic``
            if only in the limit.
        method: what made it.

    """

    lower: float
    upper: float
    level: float
    kind: Kind
    method: str


def log_bets(ratios: np.ndarray) -> np.ndarray:
    r"""The logarithms of the bets :math:`\prod_i (1 + c(x_i/m - 1))`, a row for each fraction c.

    Args:
        ratios: x/m, shape (n, experiments). Logarithms of further samples are added to those of the first.

    Returns:
        Shape (bets, experiments).

    """
    return _log_product(_factors(ratios))


def log_mixture(logs: np.ndarray) -> np.ndarray:
    """The logarithm of the mean over bets, shape (experiments,), from those of the bets, one a row."""
    return np.logaddexp.reduce(logs, axis=0) - np.log(len(_BETS))


def betting_lower_limit(x: np.ndarray, delta: float) -> np.ndarray | np.float64:
    r"""A lower confidence limit for the mean of i.i.d. nonnegative variables, with no upper range needed.

    If the mean is at most m, each bet :math:`\prod_i (1 + c(x_i/m - 1))`, 0 <= c < 1, has expectation at most 1, and so
    has their mixture over c. By Markov's inequality it exceeds 1/delta with probability at most delta, and it falls
    as m grows: the limit is the m at which it equals 1/delta, rounded down. (Waudby-Smith and Ramdas, JRSS B 2024, for
    the method.)

    Args:
        x: samples, shape (..., n), nonnegative and finite; each row along the last axis is an experiment.
        delta: the probability with which the limit may exceed the mean, in (0, 1).

    Returns:
        The limits, at least 0, shape (...); a number for x of shape (n,).

    Raises:
        ValueError: for a negative or infinite sample.

    """
    wrong = ~((x >= 0) & (x < np.inf))
    if wrong.any():
        raise ValueError(f"expected finite nonnegative samples, got {x[wrong].flat[0]}")
    rows = x.reshape(-1, x.shape[-1])
    limits = np.zeros(len(rows))
    some = np.flatnonzero(rows.any(1))
    size = max(_CHUNK // (len(_BETS) * x.shape[-1]), 1)
    for begin in range(0, len(some), size):
        chunk = some[begin : begin + size]
        limits[chunk] = _lower_limits(rows[chunk], delta)
    return limits.reshape(x.shape[:-1])[()]


def _lower_limits(x: np.ndarray, delta: float) -> np.ndarray:
    """The limits of rows with a positive sample, by Newton's method for the capital's logarithm over log m.

    In log m each bet has a convex falling logarithm, and so has their mixture: a tangent lies below it and ends before
    the root. Each iterate after the first is therefore a lower limit itself, and they rise to the root.
    """
    largest = x.max(1)
    # So that nothing below depends on the unit of x, and no sum overflows. Experiments are columns: sums over samples
    # are then fast for few samples too.
    relative = np.ascontiguousarray((x / largest[:, None]).T)
    mean = relative.mean(0)
    relative /= mean
    least = np.log(_LEAST)
    log_m = np.zeros(len(x))
    active = np.arange(len(x))
    while active.size:
        value, slope = _log_capital(relative.take(active, axis=1), log_m[active])
        following = np.maximum(log_m[active] - (value + np.log(delta)) / slope, least)
        moved = np.abs(following - log_m[active])
        log_m[active] = following
        active = active[moved > _STEP]
    limits = np.exp(log_m) * (1 - _MARGIN) * mean * largest
    # Towards 0, because the products of the smallest floats are not rounded to a relative accuracy.
    return np.where(log_m > least, np.nextafter(limits, 0), 0.0)


def _log_capital(relative: np.ndarray, log_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The logarithm of the mixture of bets and its derivative by log m, each of shape (experiments,)."""
    factors = _factors(relative * np.exp(-log_m))
    logs = _log_product(factors)
    value = log_mixture(logs)
    slopes = (1 - _BETS)[:, None] * np.reciprocal(factors, out=factors).sum(1) - len(relative)
    return value, (np.exp(logs - value) * slopes).mean(0)


def _factors(ratios: np.ndarray) -> np.ndarray:
    """The capital that each bet makes of one unit, shape (bets, n, experiments)."""
    return 1 + _BETS[:, None, None] * (ratios - 1)


def _log_product(factors: np.ndarray) -> np.ndarray:
    """The logarithm of the product over samples, one logarithm for every few factors."""
    bets, n, experiments = factors.shape
    groups = n // _GROUP
    front, rest = np.split(factors, [groups * _GROUP], axis=1)
    products = front.reshape(bets, _GROUP, groups, experiments).prod(1)
    return np.log(products).sum(1) + np.log(rest.prod(1))


def betting_limits(x: np.ndarray, largest: float, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Both limits for i.i.d. variables in [0, largest], x of shape (..., n), by betting on x and on largest - x."""
    delta = (1 - level) / 2
    upper = largest - betting_lower_limit(np.maximum(largest - x, 0.0), delta)
    return np.asarray(betting_lower_limit(x, delta)), np.asarray(upper)


def bernstein_limits(x: np.ndarray, largest: float, level: float) -> tuple[np.ndarray, np.ndarray]:
    r"""Both limits for i.i.d. variables in [0, largest], x of shape (..., n), n >= 2, in closed form.

    The mean lies above the sample mean by more than
    :math:`\sqrt{2V\log(2/\delta)/n} + 7R\log(2/\delta)/(3(n-1))`, V the sample variance and R the range, with
    probability at most delta, and below it likewise: the simple twin of betting. (Maurer and Pontil, COLT 2009,
    Theorem 4.)
    """
    n, log = x.shape[-1], np.log(4 / (1 - level))  # 2/delta, where each side has half of the error
    half = np.sqrt(2 * x.var(-1, ddof=1) * log / n) + 7 * largest * log / (3 * (n - 1))
    mean = x.mean(-1)
    return np.maximum(mean - half, 0.0), np.minimum(mean + half, largest)


def student_quantile(level: float, n: int) -> float:
    """The number of standard errors of n samples that Student's two-sided interval reaches to each side.

    From `scipy.special`: to import `scipy.stats` takes longer than to judge a run.
    """
    return float(stdtrit(n - 1, (1 + level) / 2))


def student_half_width(deviation: np.ndarray, n: int, level: float) -> np.ndarray:
    """The distance of Student's limits from the mean of n samples with these standard deviations."""
    return student_quantile(level, n) * deviation / np.sqrt(n)


def student_limits(x: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Student's limits for the mean of nonnegative variables, x of shape (..., n)."""
    with np.errstate(over="ignore"):  # a spread beyond floats makes a limit of infinity, which supports nothing
        half = student_half_width(x.std(-1, ddof=1), x.shape[-1], level)
    mean = x.mean(-1)
    return np.maximum(mean - half, 0.0), mean + half


def betting_interval(x: np.ndarray, largest: float, level: float) -> Interval:
    """A nonasymptotic interval for i.i.d. variables in [0, largest], by `betting_limits`, x of shape (n,)."""
    lower, upper = betting_limits(x, largest, level)
    return Interval(float(lower), float(upper), level, "nonasymptotic", "betting")


def student_interval(x: np.ndarray, level: float) -> Interval:
    """Student's interval over replicas, exact for Gaussian means and otherwise only in the limit of many replicas."""
    lower, upper = student_limits(x, level)
    return Interval(float(lower), float(upper), level, "asymptotic", "Student")


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
    """Lower limits that hold for all columns at once (Bonferroni over betting).

    Args:
        x: nonnegative samples, shape (..., n, columns).
        level: the probability with which no column's limit exceeds its mean.

    Returns:
        Shape (..., columns).

    """
    delta = (1 - level) / x.shape[-1]
    return np.asarray(betting_lower_limit(np.swapaxes(x, -1, -2), delta))


def student_replicas(mean: float, deviation: float, bound: float, level: float, power: float = 0.9) -> int:
    r"""The least n >= 2 at which Student's upper limit lies below `bound` with probability `power`.

    For Gaussian samples :math:`\sqrt n(\mathrm{bound} - \bar x)/s` is noncentral t with n - 1 degrees of freedom and
    noncentrality :math:`\sqrt n(\mathrm{bound} - \mathrm{mean})/\mathrm{deviation}`; it has to exceed Student's
    quantile. Exact up to a million replicas, where the Gaussian approximation takes over, and approximate for samples
    that are not Gaussian.

    Raises:
        ValueError: where the bound is not above the mean, which no number of replicas changes, and for a deviation
            that is not finite.

    """
    if not (bound > mean and 0 <= deviation < np.inf):
        raise ValueError(f"expected a bound above the mean {mean} and a finite deviation, got {bound}, {deviation}")
    # Beyond a gap of 10^4 deviations the distribution function gives up, and two or three replicas are enough.
    effect = (bound - mean) / max(deviation, 1e-4 * (bound - mean))
    quantile = (1 + level) / 2
    gaussian = ((ndtri(quantile) + ndtri(power)) / effect) ** 2
    if gaussian > 1e6:
        return int(np.ceil(gaussian))

    def enough(n: int) -> bool:
        return bool(1 - nctdtr(n - 1, effect * np.sqrt(n), student_quantile(level, n)) >= power)

    # Student's quantile lies above the Gaussian one, by so little that the least n is a few replicas away.
    n = max(int(gaussian), 2)
    while not enough(n):
        n += 1
    return n
