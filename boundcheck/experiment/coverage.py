"""Confidence limits, held against known means: how often they miss, and how many replicas they need.

Nothing here judges a run. It draws experiments from distributions whose mean is known and counts how often the limits
of `boundcheck.experiment.statistics`, from which run verdicts are given, miss it.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.special import betaincinv

from boundcheck.experiment import statistics
from boundcheck.system.limits import Tick, silent

SIZES = (16, 64, 1024)
"""The numbers of replicas at which coverage is measured."""
GAPS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0)
"""The relative gaps (bound - mean)/mean at which power is measured."""
VARIATIONS = (0.25, 1.0)
"""The coefficients of variation of a replica's value at which power is measured."""
RANGES = (2.0, 10.0, 100.0)
"""The certified ranges, in units of the mean, at which the power of betting is measured."""

LEVEL = 0.95
"""Of the two-sided intervals, and of the one-sided limits."""
STUDENT_ON_SKEWED = {8: 0.85, 32: 0.52, 128: 0.07, 1024: 0.06}
"""The rate at which Student's 95 % interval misses, by the number of replicas, where 1 in 50 of these is not 0.

Of 4,000 experiments each; pages say it beside what rests on Student, and a test measures it again.
"""

# Of the limits of a measured rate, by Clopper and Pearson; and the share of experiments whose upper limit is to lie
# below a bound.
_CONFIDENCE, _WANTED = 0.99, 0.9
# Numbers of samples that are held at once.
_CHUNK = 1 << 20
# Samples of each experiment whose bets are held at once.
_SAMPLES = 32
_COLUMNS = 50
# The toy run: so many steps in so many strata of audit times, which are not all of one size.
_STEPS, _STRATA = 60, 8
_MOST_REPLICAS = 10**5
# Numbers of replicas that are tried, each about 5 % above the one before.
GRID = np.unique(np.geomspace(2, _MOST_REPLICAS, 222).round().astype(int)).tolist()

Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


@dataclass(frozen=True)
class Distribution:
    """Nonnegative variables with a known mean, in [0, largest] where `largest` is known."""

    name: str
    draw: Draw
    mean: float
    largest: float | None = None


@dataclass(frozen=True)
class Method:
    """A way to make limits at `LEVEL`: of x, shape (experiments, n), and a range or None; the upper may be infinite."""

    name: str
    kind: statistics.Kind
    limits: Callable[[np.ndarray, Any], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Coverage:
    """The rate at which limits missed a known mean.

    Attributes:
        distribution, n, method, kind: what was measured, on how many replicas, and what it promises.
        experiments, misses: how many intervals were made, and how many of them did not contain the mean.
        above: misses with the mean above the upper limit, those of which a wrong *supported* would come.
        rate: misses / experiments.
        low, high: the 99 % limits of Clopper and Pearson for the probability of a miss.
        error: the probability of a miss that is stated.
        width: the median width of the intervals (mean - lower limit where there is no upper one), over the mean.

    """

    distribution: str
    n: int
    method: str
    kind: statistics.Kind
    experiments: int
    misses: int
    above: int
    rate: float
    low: float
    high: float
    error: float
    width: float

    @property
    def holds(self) -> bool:
        """False only where the measured rate is above the stated one for certain."""
        return self.low <= self.error

    def as_json(self) -> dict[str, Any]:
        """Every number, and the conclusion."""
        return asdict(self) | {"holds": self.holds}


@dataclass(frozen=True)
class Power:
    """The least number of replicas at which an upper limit lies below a bound.

    Attributes:
        method, kind: what makes the limit, and what it promises.
        range: the certified range over the mean; None where the method needs none.
        variation: the coefficient of variation of a replica's value.
        gap: (bound - mean)/mean.
        level: of the two-sided interval.
        wanted: the share of experiments whose upper limit is to lie below the bound.
        experiments: how many were simulated at each number of replicas.
        replicas: the least number on a grid with steps of 5 %, or None where it is above 100,000.

    """

    method: str
    kind: statistics.Kind
    range: float | None
    variation: float
    gap: float
    level: float
    wanted: float
    experiments: int
    replicas: int | None

    def as_json(self) -> dict[str, Any]:
        """Every number."""
        return asdict(self)


def _one_sided(lower: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return lower, np.full_like(lower, np.inf)


BETTING = Method("betting", "nonasymptotic", lambda x, largest: statistics.betting_limits(x, largest, LEVEL))
BERNSTEIN = Method(
    "empirical Bernstein", "nonasymptotic", lambda x, largest: statistics.bernstein_limits(x, largest, LEVEL)
)
STUDENT = Method("Student", "asymptotic", lambda x, largest: statistics.student_limits(x, LEVEL))
LOWER = Method(
    "betting, lower limit",
    "nonasymptotic",
    lambda x, largest: _one_sided(np.asarray(statistics.betting_lower_limit(x, 1 - LEVEL))),
)
# A miss is an experiment in which any column's limit exceeds the mean, which all columns share.
SIMULTANEOUS = Method(
    LOWER.name,
    "nonasymptotic",
    lambda x, largest: _one_sided(statistics.simultaneous_lower_limits(x, LEVEL).max(-1)),
)


def _pareto(shape: float, largest: float) -> Distribution:
    """Pareto's distribution on [1, largest], cut off there, by the inverse of its distribution function."""
    tail = largest**-shape
    mean = shape / (shape - 1) * (1 - largest ** (1 - shape)) / (1 - tail)
    return Distribution(
        f"Pareto {shape:g}, cut at {largest:g}",
        lambda random, size: (1 - random.random(size) * (1 - tail)) ** (-1 / shape),
        mean,
        largest,
    )


def _toy_run() -> Distribution:
    """The statistic of a run verdict: a decaying curve times a replica's noise, at a replica's own audit times."""
    curve = 0.05 + 1 / (1 + np.arange(_STEPS) / 3)

    def draw(random: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
        schedule = statistics.Schedule.draw(_STEPS, _STRATA, int(np.prod(size)), random)
        noise = 2 * random.beta(2, 2, size)
        return noise * (curve[schedule.times - 1] @ schedule.weights).reshape(size)

    return Distribution("audit times", draw, float(curve.mean()), 2 * float(curve.max()))


BOUNDED = (
    Distribution("beta(2, 2)", lambda random, size: random.beta(2, 2, size), 0.5, 1.0),
    Distribution("fair coin", lambda random, size: (random.random(size) < 0.5).astype(float), 0.5, 1.0),
    Distribution("1 in 50", lambda random, size: (random.random(size) < 0.02).astype(float), 0.02, 1.0),
    _pareto(2.5, 100.0),
    _toy_run(),
)
UNBOUNDED = (
    Distribution("exponential", lambda random, size: random.exponential(size=size), 1.0),
    Distribution("lognormal", lambda random, size: random.lognormal(size=size), float(np.exp(0.5))),
)
COLUMNS = Distribution(f"{_COLUMNS} exponentials", lambda random, size: random.exponential(size=(*size, _COLUMNS)), 1.0)
CASES = (
    *((distribution, (BETTING, BERNSTEIN, STUDENT)) for distribution in BOUNDED),
    *((distribution, (STUDENT, LOWER)) for distribution in UNBOUNDED),
    (COLUMNS, (SIMULTANEOUS,)),
)


def coverage(experiments: int = 4000, seed: int = 0, tick: Tick = silent) -> list[Coverage]:
    """The rates at which each method's limits miss the mean, for each distribution that it can be used on and each n.

    Args:
        experiments: how many intervals are made for each.
        seed: of the random numbers; each distribution and n has its own stream.
        tick: told of progress.

    """
    found = []
    for number, (distribution, methods) in enumerate(CASES):
        # All columns at the most replicas would take as long as everything else.
        sizes = SIZES[:2] if distribution is COLUMNS else SIZES
        for n in sizes:
            found += assess(methods, distribution, n, experiments, np.random.default_rng([seed, number, n]))
        tick("coverage", number + 1, len(CASES))
    return found


def assess(
    methods: tuple[Method, ...], distribution: Distribution, n: int, experiments: int, random: np.random.Generator
) -> list[Coverage]:
    """The rates at which the limits of each method miss the mean of a distribution, all on the same experiments."""
    limits: dict[str, list[np.ndarray]] = {method.name: [] for method in methods}
    size = max(_CHUNK // (n * (_COLUMNS if distribution is COLUMNS else 1)), 1)
    for begin in range(0, experiments, size):
        x = distribution.draw(random, (min(size, experiments - begin), n))
        for method in methods:
            limits[method.name].append(np.stack(method.limits(x, distribution.largest)))
    found, mean = [], distribution.mean
    for method in methods:
        lower, upper = np.concatenate(limits[method.name], axis=1)
        above = int((mean > upper).sum())
        misses = above + int((mean < lower).sum())
        width = float(np.median(np.where(np.isinf(upper), mean, upper) - lower)) / mean
        counts = (experiments, misses, above, misses / experiments, *clopper_pearson(misses, experiments))
        found.append(Coverage(distribution.name, n, method.name, method.kind, *counts, 1 - LEVEL, width))
    return found


def clopper_pearson(count: int, trials: int, tail: float = (1 - _CONFIDENCE) / 2) -> tuple[float, float]:
    """The exact limits for a probability of which `count` events in `trials` were seen; each misses at most at `tail`.

    Together they are the 99 % limits, if nothing else is said.
    """
    low = float(betaincinv(count, trials - count + 1, tail)) if count else 0.0
    high = float(betaincinv(count + 1, trials - count, 1 - tail)) if count < trials else 1.0
    return low, high


def power(experiments: int = 2000, seed: int = 0, tick: Tick = silent) -> list[Power]:
    """The least number of replicas at which the upper limit lies below the bound, for each gap of the two.

    Student's limit is tried on gamma variables, betting's on beta variables of each range, all of mean 1. Left out are
    ranges within which no beta variable varies so much, and bounds above the range, which hold without any replica.

    Args:
        experiments: how many are simulated at each number of replicas; each gap is tried on the same ones.
        seed: of the random numbers.
        tick: told of progress.

    """
    cases = [(variation, largest) for variation in VARIATIONS for largest in (None, *RANGES)]
    found = []
    for number, (variation, largest) in enumerate(cases):
        gaps = [gap for gap in GAPS if largest is None or 1 + gap < largest]
        if largest is None:
            method, draw = STUDENT, gamma(variation)
            tests: Sequence[StudentTest | BettingTest] = [StudentTest(1 + gap) for gap in gaps]
        elif largest - 1 > variation**2:
            method, draw = BETTING, beta(variation, largest)
            tests = [BettingTest(1 + gap, largest) for gap in gaps]
        else:
            continue
        least = least_replicas(tests, draw, experiments, np.random.default_rng([seed, number]))
        for gap, replicas in zip(gaps, least, strict=True):
            given = (method.name, method.kind, largest, variation, gap, LEVEL, _WANTED, experiments)
            found.append(Power(*given, replicas))
        tick("power", number + 1, len(cases))
    return found


def gamma(variation: float) -> Draw:
    """Gamma variables of mean 1."""
    return lambda random, size: random.gamma(variation**-2, variation**2, size)


def beta(variation: float, largest: float) -> Draw:
    """Beta variables stretched to [0, largest], of mean 1."""
    share = 1 / largest
    total = (largest - 1) / variation**2 - 1
    return lambda random, size: largest * random.beta(share * total, (1 - share) * total, size)


# Tests: a bound, and experiments that grow until their upper limits lie below it. `share` is the share of those whose
# limit does, with the further samples x, shape (more, experiments).


class StudentTest:
    """Student's upper limit against a bound, from running sums."""

    def __init__(self, bound: float) -> None:
        self.bound, self.n, self.sums = bound, 0, np.zeros(())

    def share(self, x: np.ndarray) -> float:
        self.n += len(x)
        self.sums = self.sums + np.stack([x.sum(0), (x**2).sum(0)])
        mean = self.sums[0] / self.n
        variance = np.maximum(self.sums[1] - self.n * mean**2, 0) / (self.n - 1)
        return float((mean + statistics.student_half_width(np.sqrt(variance), self.n, LEVEL) < self.bound).mean())


class BettingTest:
    """Betting's upper limit against a bound: it lies below where the capital at the bound has passed 1/delta."""

    def __init__(self, bound: float, largest: float) -> None:
        self.bound, self.largest, self.logs = bound, largest, np.zeros(())

    def share(self, x: np.ndarray) -> float:
        ratios = (self.largest - x) / (self.largest - self.bound)
        for begin in range(0, len(ratios), _SAMPLES):
            self.logs = self.logs + statistics.log_bets(ratios[begin : begin + _SAMPLES])
        return float((statistics.log_mixture(self.logs) > -np.log((1 - LEVEL) / 2)).mean())


def least_replicas(
    tests: Sequence[StudentTest | BettingTest], draw: Draw, experiments: int, random: np.random.Generator
) -> list[int | None]:
    """For each test the first number of replicas on the grid at which the share is as large as wanted."""
    found: list[int | None] = [None] * len(tests)
    for before, n in pairwise([0, *GRID]):
        x = draw(random, (n - before, experiments))
        for number, test in enumerate(tests):
            if found[number] is None and test.share(x) >= _WANTED:
                found[number] = n
        if None not in found:
            break
    return found
