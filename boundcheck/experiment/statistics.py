"""The statistics of runs: confidence limits for a mean, the times of audits, and the exponent of a
power law.

Each interval is labelled by what it promises, `exact`, `nonasymptotic` or `asymptotic`, and earns a
verdict by that. Level and sample size are fixed by the spec before a run; nothing here looks at
data to choose a method. Limits are computed for a batch of experiments at once, along the last
axis. `boundcheck.experiment.coverage` measures whether they keep what they promise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from scipy.special import nctdtr, ndtri, stdtrit

from boundcheck.errors import InputError
from boundcheck.verdicts import Verdict

Kind = Literal["exact", "nonasymptotic", "asymptotic"]
"""The promise of an interval: of a number without chance, one that holds at its sample size, or in
the limit alone."""

FEWEST_REPLICAS = 8
"""An asymptotic interval over fewer supports nothing."""

# Fractions c of the largest admissible bet. Few and fixed: a mixture over them is still one
# e-value.
_BETS = np.array([0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9, 0.99])

# Limits below this share of the sample mean are called 0.
_LEAST = 1e-9
# Newton's steps in log m end here, and the limit is lowered by more than rounding can have raised
# it.
_STEP = 1e-11
_MARGIN = 1e-9
# Numbers that one array of a chunk may hold: few enough to stay in a cache.
_CHUNK = 1 << 19
# Factors of a bet that are multiplied before a logarithm is taken; 16 of them lie far inside the
# range of floats.
_GROUP = 16


@dataclass(frozen=True)
class Interval:
    """A two-sided confidence interval for a mean."""

    lower: float  # at least 0 where the variable is nonnegative
    upper: float
    level: float  # the stated coverage
    kind: Kind
    method: str  # what made it


def earned_by(kind: Kind, replicas: int) -> Verdict:
    """The verdict that a bound above an interval of this kind earns."""
    if kind != "asymptotic":
        return Verdict.SUPPORTED
    return Verdict.SUPPORTED_ASYMPTOTIC if replicas >= FEWEST_REPLICAS else Verdict.INCONCLUSIVE


def borne(said: Verdict, kind: Kind | None, replicas: int) -> Verdict:
    """The verdict that was said, with the ground that the interval of this kind gives to one that
    is `supported`.

    Raises InputError for a verdict that the interval does not bear.
    """
    if not said.is_supported:
        return said
    if kind is None:
        raise InputError(
            "interval.kind", "(none)", f"one of {', '.join(get_args(Kind))}, behind what is {said}"
        )
    earned = earned_by(kind, replicas)
    if not earned.is_supported:
        raise InputError(
            "verdict",
            said,
            f"{FEWEST_REPLICAS} replicas or more behind its asymptotic interval, not {replicas}:"
            " measure again",
        )
    if said.plain is Verdict.SUPPORTED_ASYMPTOTIC and earned is not said.plain:
        raise InputError("verdict", said, f"{earned}, by an interval that is {kind}")
    return earned.resting_on(said.given)


def betting_lower_limit(x: np.ndarray, delta: float) -> np.ndarray | np.float64:
    r"""A lower confidence limit for the mean of i.i.d. nonnegative variables, with no upper range
    needed.

    If the mean is at most m, each bet :math:`\prod_i (1 + c(x_i/m - 1))`, 0 <= c < 1, has
    expectation at most 1, and so has their mixture over c. By Markov's inequality it exceeds
    1/delta with probability at most delta, and it falls
    as m grows: the limit is the m at which it equals 1/delta, rounded down. (Waudby-Smith and
    Ramdas, JRSS B 2024, for the method.)

    Args:
        x: samples, shape (..., n), nonnegative and finite; each row along the last axis is an
            experiment.
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
    """The limits of rows with a positive sample, by Newton's method for the capital's logarithm
    over log m.

    In log m each bet has a convex falling logarithm, and so has their mixture: a tangent lies below
    it and ends before the root. Each iterate after the first is therefore a lower limit itself, and
    they rise to the root.
    """
    largest = x.max(1)
    # So that nothing below depends on the unit of x, and no sum overflows. Experiments are columns:
    # sums over samples are then fast for few samples too.
    relative = np.ascontiguousarray((x / largest[:, None]).T)
    mean = relative.mean(0)
    relative /= mean
    least = np.log(_LEAST)
    log_m = np.zeros(len(x))
    active = np.arange(len(x))
    while active.size:
        # The capital that each bet makes of one unit, shape (bets, n, experiments).
        factors = 1 + _BETS[:, None, None] * (
            relative.take(active, axis=1) * np.exp(-log_m[active]) - 1
        )
        logs = _log_product(factors)
        value = np.logaddexp.reduce(logs, axis=0) - np.log(len(_BETS))
        slopes = (1 - _BETS)[:, None] * np.reciprocal(factors, out=factors).sum(1) - len(relative)
        slope = (np.exp(logs - value) * slopes).mean(0)
        following = np.maximum(log_m[active] - (value + np.log(delta)) / slope, least)
        moved = np.abs(following - log_m[active])
        log_m[active] = following
        active = active[moved > _STEP]
    limits = np.exp(log_m) * (1 - _MARGIN) * mean * largest
    # Towards 0, because the products of the smallest floats are not rounded to a relative accuracy.
    return np.where(log_m > least, np.nextafter(limits, 0), 0.0)


def _log_product(factors: np.ndarray) -> np.ndarray:
    """The logarithm of the product over samples, one logarithm for every few factors."""
    bets, n, experiments = factors.shape
    groups = n // _GROUP
    front, rest = np.split(factors, [groups * _GROUP], axis=1)
    products = front.reshape(bets, _GROUP, groups, experiments).prod(1)
    return np.log(products).sum(1) + np.log(rest.prod(1))


def betting_limits(x: np.ndarray, largest: float, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Both limits for i.i.d. variables in [0, largest], x of shape (..., n), by betting on x and on
    largest - x.
    """
    delta = (1 - level) / 2
    upper = largest - betting_lower_limit(np.maximum(largest - x, 0.0), delta)
    return np.asarray(betting_lower_limit(x, delta)), np.asarray(upper)


def bernstein_limits(x: np.ndarray, largest: float, level: float) -> tuple[np.ndarray, np.ndarray]:
    r"""Both limits for i.i.d. variables in [0, largest], x of shape (..., n), n >= 2, in closed
    form.

    The mean lies above the sample mean by more than :math:`\sqrt{2V\log(2/\delta)/n} +
    7R\log(2/\delta)/(3(n-1))`, V the sample variance and R the range, with
    probability at most delta, and below it likewise: the simple twin of betting. (Maurer and
    Pontil, COLT 2009, Theorem 4.)
    """
    n, log = x.shape[-1], np.log(4 / (1 - level))  # 2/delta, where each side has half of the error
    half = np.sqrt(2 * x.var(-1, ddof=1) * log / n) + 7 * largest * log / (3 * (n - 1))
    mean = x.mean(-1)
    return np.maximum(mean - half, 0.0), np.minimum(mean + half, largest)


def student_quantile(level: float, n: int) -> float:
    """The number of standard errors of n samples that Student's two-sided interval reaches to each
    side.

    From `scipy.special`: to import `scipy.stats` takes longer than to judge a run.
    """
    return float(stdtrit(n - 1, (1 + level) / 2))


def student_half_width(deviation: np.ndarray, n: int, level: float) -> np.ndarray:
    """The distance of Student's limits from the mean of n samples with these standard
    deviations.
    """
    return student_quantile(level, n) * deviation / np.sqrt(n)


def student_limits(x: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Student's limits for the mean of nonnegative variables, x of shape (..., n)."""
    with np.errstate(
        over="ignore"
    ):  # a spread beyond floats makes a limit of infinity, which supports nothing
        half = student_half_width(x.std(-1, ddof=1), x.shape[-1], level)
    mean = x.mean(-1)
    return np.maximum(mean - half, 0.0), mean + half


def student_interval(x: np.ndarray, level: float) -> Interval:
    """Student's interval over replicas, exact for Gaussian means and otherwise only in the limit of
    many replicas.
    """
    lower, upper = student_limits(x, level)
    return Interval(float(lower), float(upper), level, "asymptotic", "Student")


def mean_interval(x: np.ndarray, largest: float, resolution: float, level: float) -> Interval:
    """The nonasymptotic interval where n replicas can resolve the mean to `resolution`, else
    Student's.

    An upper limit in [0, largest] from n variables is no finer than largest * log(1/delta) / n. The
    choice depends on the range, the level and n alone, never on the data.
    """
    delta = (1 - level) / 2
    if largest * np.log(1 / delta) / len(x) <= resolution:
        lower, upper = betting_limits(x, largest, level)
        return Interval(float(lower), float(upper), level, "nonasymptotic", "betting")
    return student_interval(x, level)


def simultaneous_lower_limits(x: np.ndarray, level: float) -> np.ndarray:
    """Lower limits that all hold at once at this level (Bonferroni over betting), x of shape (...,
    n, columns).
    """
    delta = (1 - level) / x.shape[-1]
    return np.asarray(betting_lower_limit(np.swapaxes(x, -1, -2), delta))


def student_replicas(
    mean: float, deviation: float, bound: float, level: float, power: float = 0.9
) -> int:
    r"""The least n >= 2 at which Student's upper limit lies below `bound` with probability `power`.

    For Gaussian samples :math:`\sqrt n(\mathrm{bound} - \bar x)/s` is noncentral t with n - 1
    degrees of freedom and noncentrality :math:`\sqrt n(\mathrm{bound} -
    \mathrm{mean})/\mathrm{deviation}`; it has to exceed Student's quantile. Exact up to a million
    replicas, where the Gaussian approximation takes over, and approximate for samples that are not
    Gaussian.

    Raises:
        ValueError: where the bound is not above the mean, which no number of replicas changes, and
            for a deviation that is not finite.

    """
    if not (bound > mean and 0 <= deviation < np.inf):
        raise ValueError(
            f"expected a bound above the mean {mean} and a finite deviation, got {bound},"
            f" {deviation}"
        )
    # Beyond a gap of 10^4 deviations the distribution function gives up, and two or three replicas
    # are enough.
    effect = (bound - mean) / max(deviation, 1e-4 * (bound - mean))
    quantile = (1 + level) / 2
    gaussian = ((ndtri(quantile) + ndtri(power)) / effect) ** 2
    if gaussian > 1e6:
        return int(np.ceil(gaussian))

    def enough(n: int) -> bool:
        return bool(1 - nctdtr(n - 1, effect * np.sqrt(n), student_quantile(level, n)) >= power)

    # Student's quantile lies above the Gaussian one, by so little that the least n is a few
    # replicas away.
    n = max(int(gaussian), 2)
    while not enough(n):
        n += 1
    return n


@dataclass(frozen=True)
class Schedule:
    r"""Stratified audit times: the iterations 1..T are cut into M strata, and each replica gets one
    time in each.

    The first strata are short, 1, 1, 2, 4, ... iterations, because gradients may be large for a
    short time at first. They are at most half of all, and the others are as equal as integers can
    be.

    With :math:`n_j` the size of stratum j, :math:`\sum_j (n_j/T) h(t_{ij})` has expectation
    :math:`\frac1T \sum_t h(t)` for every replica i and any function h of time.
    """

    edges: np.ndarray  # shape (M + 1,); stratum j holds the iterations edges[j] + 1 to edges[j + 1]
    times: np.ndarray  # shape (R, M), the audit time of each replica in each stratum
    at_random: bool = (
        True  # whether they were drawn so; those of a training run come at equal distances
    )

    @classmethod
    def draw(
        cls, steps: int, strata: int, replicas: int, random: np.random.Generator, last: bool = False
    ) -> Schedule:
        """Independent uniform times for each replica and stratum; with strata = steps, every
        iteration.

        The last iteration is a stratum of its own where it must be seen.
        """
        alone = last and 1 < strata < steps
        edges = (
            np.append(cls.edges_of(steps - 1, strata - 1), steps)
            if alone
            else cls.edges_of(steps, strata)
        )
        return cls(edges, random.integers(edges[:-1] + 1, edges[1:] + 1, size=(replicas, strata)))

    @staticmethod
    def edges_of(steps: int, strata: int) -> np.ndarray:
        """The ends of the strata, from 0 to `steps`."""
        ends = [0]
        # Short ones while they are shorter than an equal share of what is left.
        while (
            len(ends) <= strata // 2
            and max(ends[-1], 1) * (strata - len(ends) + 1) < steps - ends[-1]
        ):
            ends.append(max(2 * ends[-1], 1))
        left = strata - len(ends) + 1
        return np.array(
            [*ends[:-1], *(ends[-1] + np.arange(left + 1) * (steps - ends[-1]) // left)]
        )

    @property
    def weights(self) -> np.ndarray:
        """The shares of the strata in the run, shape (M,), with sum 1."""
        return np.diff(self.edges) / self.edges[-1]

    @property
    def is_every_step(self) -> bool:
        """True if every replica is audited at every iteration."""
        return len(self.edges) == self.edges[-1] + 1


def spread_over_times(parts: np.ndarray, sizes: np.ndarray) -> tuple[float, int]:
    r"""The standard deviation of a sum over strata with one random time in each, and the number of
    its pairs.

    Of two neighbouring strata, of sizes n_a and n_b and with terms h, it takes :math:`\max(n_a,
    n_b)^2(h_a - h_b)^2` for the variance, which is no less in expectation. Strata of one time have
    none; the last of an odd number is held against the one before it. (Cochran, Sampling
    Techniques, 1977, section 5A.12, on collapsed strata.)
    """
    some = sizes > 1
    sizes, terms = sizes[some], parts[some] / sizes[some]
    pairs = len(sizes) // 2
    variance = 0.0
    for a, b in ((2 * i, 2 * i + 1) for i in range(pairs)):
        variance += max(sizes[a], sizes[b]) ** 2 * (terms[a] - terms[b]) ** 2
    if len(sizes) % 2:
        variance += sizes[-1] ** 2 * (terms[-1] - terms[-2]) ** 2
    return math.sqrt(variance), pairs


@dataclass(frozen=True)
class Exponent:
    r"""A power law :math:`y \approx e^c x^p`, fitted to each of several seeds."""

    slope: float  # p, the mean over seeds of the least-squares slopes of log y on log x
    intercept: (
        float  # c, the mean of the intercepts: the line is that of the geometric mean over seeds
    )
    interval: Interval | None  # Student's for p, over seeds; None with fewer than three
    seeds: int
    # The largest deviation of the geometric mean over seeds from the line, as (larger over smaller)
    # - 1. Where it is large, no power law describes the data, whatever the interval.
    deviation: float

    def line(self, x: np.ndarray) -> np.ndarray:
        """The fitted law at x, of the same shape."""
        return np.exp(self.intercept + self.slope * np.log(x))


def fit_exponent(x: np.ndarray, y: np.ndarray, level: float) -> Exponent | None:
    r"""Fit :math:`y_i \propto x^{p_i}` for each seed i by least squares in logarithms; the exponent
    is the mean of p_i.

    The interval takes the p_i as independent with one mean: it covers what another seed changes,
    and not a bend that all seeds share, which is for ``deviation`` to show.

    Args:
        x: shape (m,), positive and finite.
        y: shape (seeds, m), positive and finite, a row for each independent seed.
        level: the stated coverage, in (0, 1).

    Returns:
        The exponent; None where x has fewer than three values that differ.

    """
    # Fewer points always lie on a line.
    if len(np.unique(x)) < 3:
        return None
    log_x = np.log(x)
    log_y = np.log(y)
    centred = log_x - log_x.mean()
    slopes = log_y @ centred / (centred @ centred)
    slope = float(slopes.mean())
    intercept = float(log_y.mean() - slope * log_x.mean())
    residuals = log_y.mean(0) - (intercept + slope * log_x)
    deviation = float(np.expm1(np.abs(residuals).max()))
    interval = None
    # Fewer seeds make an interval of no use. Not `student_interval`, whose mean is nonnegative: a
    # slope has either sign.
    if len(y) >= 3:
        half = float(student_half_width(slopes.std(ddof=1), len(y), level))
        interval = Interval(slope - half, slope + half, level, "asymptotic", "Student over seeds")
    return Exponent(slope, intercept, interval, len(y), deviation)
