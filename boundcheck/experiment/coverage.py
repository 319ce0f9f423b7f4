"""Confidence limits, held against known means: how often they miss.

Nothing here judges a run. It draws experiments from distributions whose mean is known and counts
how often the limits of `boundcheck.experiment.statistics`, from which run verdicts are given, miss
it.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.special import betaincinv

from boundcheck.experiment import statistics
from boundcheck.system.files import Json

SIZES = (16, 64, 1024)
"""The numbers of replicas at which coverage is measured."""
LEVEL = 0.95
"""Of the two-sided intervals, and of the one-sided limits."""
STUDENT_ON_SKEWED = {8: 0.85, 32: 0.52, 128: 0.07, 1024: 0.06}
"""The rate at which Student's 95 % interval misses, by the number of replicas, where 1 in 50 of
these is not 0.

Of 4,000 experiments each; pages say it beside what rests on Student, and a test measures it again.
"""

# Of the limits of a measured rate, by Clopper and Pearson.
_CONFIDENCE = 0.99
# Numbers of samples that are held at once.
_CHUNK = 1 << 20
_COLUMNS = 50
# The toy run: so many steps in so many strata of audit times, which are not all of one size.
_STEPS = 60
_STRATA = 8

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
    """A way to make limits at `LEVEL`: of x, shape (experiments, n), and a range or None; the upper
    may be infinite.
    """

    name: str
    kind: statistics.Kind
    limits: Callable[[np.ndarray, Any], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Coverage:
    """The rate at which limits missed a known mean.

    Attributes:
        distribution, n, method, kind: what was measured, on how many replicas, and what it
            promises.
        experiments, misses: how many intervals were made, and how many of them did not contain the
            mean.
        above: misses with the mean above the upper limit, those of which a wrong *supported* would
            come.
        rate: misses / experiments.
        low, high: the 99 % limits of Clopper and Pearson for the probability of a miss.
        error: the probability of a miss that is stated.
        width: the median width of the intervals (mean - lower limit where there is no upper one),
            over the mean.

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

    def as_json(self) -> Json:
        """Every number, and the conclusion."""
        return asdict(self) | {"holds": self.holds}


def _one_sided(lower: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return lower, np.full_like(lower, np.inf)


BETTING = Method(
    "betting", "nonasymptotic", lambda x, largest: statistics.betting_limits(x, largest, LEVEL)
)
BERNSTEIN = Method(
    "empirical Bernstein",
    "nonasymptotic",
    lambda x, largest: statistics.bernstein_limits(x, largest, LEVEL),
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
    """Pareto's distribution on [1, largest], cut off there, by the inverse of its distribution
    function.
    """
    tail = largest**-shape
    mean = shape / (shape - 1) * (1 - largest ** (1 - shape)) / (1 - tail)
    return Distribution(
        f"Pareto {shape:g}, cut at {largest:g}",
        lambda random, size: (1 - random.random(size) * (1 - tail)) ** (-1 / shape),
        mean,
        largest,
    )


def _toy_run() -> Distribution:
    """The statistic of a run verdict: a decaying curve times a replica's noise, at a replica's own
    audit times.
    """
    curve = 0.05 + 1 / (1 + np.arange(_STEPS) / 3)

    def draw(random: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
        schedule = statistics.Schedule.draw(_STEPS, _STRATA, int(np.prod(size)), random)
        noise = 2 * random.beta(2, 2, size)
        return noise * (curve[schedule.times - 1] @ schedule.weights).reshape(size)

    return Distribution("audit times", draw, float(curve.mean()), 2 * float(curve.max()))


BOUNDED = (
    Distribution("beta(2, 2)", lambda random, size: random.beta(2, 2, size), 0.5, 1.0),
    Distribution(
        "fair coin", lambda random, size: (random.random(size) < 0.5).astype(float), 0.5, 1.0
    ),
    Distribution(
        "1 in 50", lambda random, size: (random.random(size) < 0.02).astype(float), 0.02, 1.0
    ),
    _pareto(2.5, 100.0),
    _toy_run(),
)
UNBOUNDED = (
    Distribution("exponential", lambda random, size: random.exponential(size=size), 1.0),
    Distribution("lognormal", lambda random, size: random.lognormal(size=size), float(np.exp(0.5))),
)
COLUMNS = Distribution(
    f"{_COLUMNS} exponentials", lambda random, size: random.exponential(size=(*size, _COLUMNS)), 1.0
)
CASES = (
    *((distribution, (BETTING, BERNSTEIN, STUDENT)) for distribution in BOUNDED),
    *((distribution, (STUDENT, LOWER)) for distribution in UNBOUNDED),
    (COLUMNS, (SIMULTANEOUS,)),
)


def coverage(experiments: int = 4000, seed: int = 0) -> list[Coverage]:
    """The rates at which each method's limits miss the mean, for each distribution that it can be
    used on and each n.

    Args:
        experiments: how many intervals are made for each.
        seed: of the random numbers; each distribution and n has its own stream.

    """
    found = []
    for number, (distribution, methods) in enumerate(CASES):
        # All columns at the most replicas would take as long as everything else.
        sizes = SIZES[:2] if distribution is COLUMNS else SIZES
        for n in sizes:
            found += assess(
                methods, distribution, n, experiments, np.random.default_rng([seed, number, n])
            )
    return found


def assess(
    methods: tuple[Method, ...],
    distribution: Distribution,
    n: int,
    experiments: int,
    random: np.random.Generator,
) -> list[Coverage]:
    """The rates at which the limits of each method miss the mean of a distribution, all on the same
    experiments.
    """
    limits: dict[str, list[np.ndarray]] = {method.name: [] for method in methods}
    size = max(_CHUNK // (n * (_COLUMNS if distribution is COLUMNS else 1)), 1)
    for begin in range(0, experiments, size):
        x = distribution.draw(random, (min(size, experiments - begin), n))
        for method in methods:
            limits[method.name].append(np.stack(method.limits(x, distribution.largest)))
    found = []
    mean = distribution.mean
    for method in methods:
        lower, upper = np.concatenate(limits[method.name], axis=1)
        above = int((mean > upper).sum())
        misses = above + int((mean < lower).sum())
        width = float(np.median(np.where(np.isinf(upper), mean, upper) - lower)) / mean
        counts = (
            experiments,
            misses,
            above,
            misses / experiments,
            *clopper_pearson(misses, experiments),
        )
        found.append(
            Coverage(distribution.name, n, method.name, method.kind, *counts, 1 - LEVEL, width)
        )
    return found


def clopper_pearson(
    count: int, trials: int, tail: float = (1 - _CONFIDENCE) / 2
) -> tuple[float, float]:
    """The exact limits for a probability of which `count` events in `trials` were seen; each misses
    at most at `tail`.

    Together they are the 99 % limits, if nothing else is said.
    """
    low = float(betaincinv(count, trials - count + 1, tail)) if count else 0.0
    high = float(betaincinv(count + 1, trials - count, 1 - tail)) if count < trials else 1.0
    return low, high
