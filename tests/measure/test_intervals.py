"""Confidence limits against their promise: coverage by simulation, and a naive twin of the betting limit."""

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import binom
from scipy.stats import t as student_t

from boundcheck.measure.intervals import (
    _BETS,
    betting_interval,
    betting_lower_limit,
    mean_interval,
    simultaneous_lower_limits,
    student_interval,
)

EXPERIMENTS = 2000
LEVEL = 0.9

# Samples in [0, 1], and their mean.
DISTRIBUTIONS = {
    "skewed": (lambda random, shape: random.beta(0.1, 2.0, shape), 0.1 / 2.1),
    "rare": (lambda random, shape: (random.random(shape) < 0.03).astype(float), 0.03),
    "fair coin": (lambda random, shape: (random.random(shape) < 0.5).astype(float), 0.5),
    "beta": (lambda random, shape: random.beta(2.0, 5.0, shape), 2.0 / 7.0),
    "top-heavy": (lambda random, shape: 1 - random.beta(0.1, 2.0, shape), 1 - 0.1 / 2.1),
    "constant": (lambda random, shape: np.full(shape, 0.3), 0.3),
}
nonnegative = arrays(np.float64, st.integers(1, 40), elements=st.floats(0, 1e6, allow_subnormal=False))


def most_failures(experiments, probability):
    """More failures than this happen to a right method once in ten million times."""
    return binom.ppf(1 - 1e-7, experiments, probability)


def naive_limit(x, delta, points=20_000):
    """The first m of a grid on (0, mean] at which the mixture of the bets no longer exceeds 1/delta."""
    if not x.any():
        return 0.0
    for m in np.linspace(0, x.mean(), points + 1)[1:]:
        if np.mean([np.prod(1 + c * (x / m - 1)) for c in _BETS]) <= 1 / delta:
            return m
    raise AssertionError("at the mean the capital is at most 1")


@pytest.mark.parametrize("n", [2, 32, 256])
@pytest.mark.parametrize("name", DISTRIBUTIONS)
@pytest.mark.parametrize("largest", [1.0, 1e-3])
def test_betting_interval_covers_the_mean_as_often_as_it_says(name, n, largest):
    draw, mean = DISTRIBUTIONS[name]
    experiments = EXPERIMENTS if largest == 1 else EXPERIMENTS // 10
    samples = largest * draw(np.random.default_rng([n, len(name)]), (experiments, n))
    intervals = [betting_interval(x, largest, LEVEL) for x in samples]
    below = sum(each.lower > largest * mean * (1 + 1e-12) for each in intervals)
    above = sum(each.upper < largest * mean * (1 - 1e-12) for each in intervals)
    # Each end has half of the error to itself.
    assert max(below, above) <= most_failures(experiments, (1 - LEVEL) / 2)
    assert {each.kind for each in intervals} == {"nonasymptotic"}


@pytest.mark.parametrize("largest", [1e-9, 1e-12, 1e-15])
def test_betting_interval_covers_the_mean_of_small_numbers(largest):
    """Squared gradient norms of 1e-12 are what a small scale or a small delta makes."""
    draw, mean = DISTRIBUTIONS["beta"]
    samples = largest * draw(np.random.default_rng(5), (400, 32))
    intervals = [betting_interval(x, largest, LEVEL) for x in samples]
    misses = sum(not each.lower <= largest * mean <= each.upper for each in intervals)
    assert misses <= most_failures(400, 1 - LEVEL)


@pytest.mark.parametrize("n", [1, 2, 7, 40])
@pytest.mark.parametrize("delta", [0.2, 0.025, 1e-4])
def test_betting_limit_is_that_of_a_grid_search(n, delta):
    x = np.random.default_rng(n).exponential(size=n)
    assert betting_lower_limit(x, delta) == pytest.approx(naive_limit(x, delta), abs=1.1 * x.mean() / 20_000)


@given(x=nonnegative, delta=st.floats(1e-12, 0.5))
def test_betting_limit_lies_between_zero_and_the_sample_mean(x, delta):
    assert 0 <= betting_lower_limit(x, delta) <= x.mean()


@given(x=nonnegative, exponent=st.integers(-60, 60))
def test_betting_limit_does_not_depend_on_the_unit(x, exponent):
    scale = 2.0**exponent
    assert betting_lower_limit(scale * x, 0.025) == pytest.approx(
        scale * betting_lower_limit(x, 0.025), rel=1e-8, abs=0
    )


@pytest.mark.parametrize("scale", [1e6, 1.0, 1e-3, 1e-6, 1e-9, 1e-12, 1e-15, 1e-60])
def test_betting_limit_of_small_numbers_is_a_scaled_one(scale):
    x = np.random.default_rng(0).exponential(size=32)
    assert betting_lower_limit(scale * x, 0.025) == pytest.approx(
        scale * betting_lower_limit(x, 0.025), rel=1e-8, abs=0
    )


@given(x=nonnegative, data=st.data())
def test_betting_limit_grows_with_any_sample(x, data):
    i = data.draw(st.integers(0, len(x) - 1))
    more = x.copy()
    more[i] += data.draw(st.floats(0, 1e6))
    assert betting_lower_limit(more, 0.05) >= betting_lower_limit(x, 0.05) * (1 - 1e-8)


@given(x=nonnegative, delta=st.floats(1e-9, 0.4))
def test_betting_limit_falls_as_more_certainty_is_asked(x, delta):
    assert betting_lower_limit(x, delta / 2) <= betting_lower_limit(x, delta) * (1 + 1e-8)


@given(
    x=arrays(np.float64, st.integers(1, 12), elements=st.floats(0, 1e3, allow_subnormal=False)),
    delta=st.floats(-30, -0.5).map(lambda power: 10.0**power),
    unit=st.sampled_from([1.0, 1e-12, 1e9]),
)
def test_betting_limit_never_claims_more_than_its_capital(x, delta, unit):
    """Where the limit is, the capital in 50 digits has really reached 1/delta: rounding is on the safe side."""
    limit = betting_lower_limit(unit * x, delta)
    if limit > 0:
        with mpmath.workdps(50):
            gains = [mpmath.mpf(value) / mpmath.mpf(limit) - 1 for value in (unit * x).tolist()]
            capital = mpmath.fsum(mpmath.fprod(1 + c * gain for gain in gains) for c in _BETS.tolist()) / len(_BETS)
            assert capital * delta >= 1


def test_betting_limit_does_not_depend_on_the_order_of_the_samples():
    x = np.random.default_rng(1).exponential(size=30)
    assert betting_lower_limit(x[::-1], 0.05) == pytest.approx(betting_lower_limit(x, 0.05), rel=1e-8, abs=0)


def test_betting_limit_approaches_the_mean():
    x = np.random.default_rng(2).random(20_000)
    assert 0.98 * x.mean() < betting_lower_limit(x, 0.025) < x.mean()


@pytest.mark.parametrize("n", [1, 5, 100])
def test_betting_limit_of_zeros_is_zero(n):
    assert betting_lower_limit(np.zeros(n), 0.05) == 0.0


def test_betting_limit_refuses_a_negative_sample():
    with pytest.raises(ValueError, match="nonnegative samples, got -1e-09"):
        betting_lower_limit(np.array([1.0, -1e-9]), 0.05)


def test_betting_interval_of_a_constant_holds_it_inside():
    for value in (0.0, 0.3, 1.0):
        interval = betting_interval(np.full(50, value), 1.0, 0.95)
        assert 0 <= interval.lower <= value <= interval.upper <= 1


@given(x=arrays(np.float64, st.integers(2, 50), elements=st.floats(0, 1e3)), level=st.floats(0.5, 0.999))
def test_student_interval_is_scipys_cut_at_zero(x, level):
    interval = student_interval(x, level)
    # SciPy's own interval is NaN where the spread is zero.
    error = x.std(ddof=1) / np.sqrt(len(x))
    lower, upper = student_t.interval(level, len(x) - 1, loc=x.mean(), scale=error) if error else [x.mean()] * 2
    assert interval.lower == pytest.approx(max(lower, 0.0), rel=1e-9, abs=1e-9)
    assert interval.upper == pytest.approx(upper, rel=1e-9)
    assert (interval.kind, interval.level) == ("asymptotic", level)


def test_student_interval_covers_the_mean_of_gaussians():
    samples = 5 + np.random.default_rng(3).standard_normal((EXPERIMENTS, 6))
    intervals = [student_interval(x, LEVEL) for x in samples]
    misses = sum(not each.lower <= 5 <= each.upper for each in intervals)
    assert misses <= most_failures(EXPERIMENTS, 1 - LEVEL)
    assert misses >= EXPERIMENTS - binom.ppf(1 - 1e-7, EXPERIMENTS, LEVEL)


@given(
    n=st.integers(2, 500),
    largest=st.floats(1e-3, 1e3),
    resolution=st.floats(1e-3, 1e3),
    level=st.floats(0.51, 0.999),
    seeds=st.tuples(st.integers(0, 99), st.integers(100, 199)),
)
def test_the_kind_of_interval_is_chosen_without_the_data(n, largest, resolution, level, seeds):
    uniform, skewed = (np.random.default_rng(seed).random(n) for seed in seeds)
    samples = [largest * uniform, largest * skewed**30, np.zeros(n), np.full(n, largest)]
    kinds = {mean_interval(x, largest, resolution, level).kind for x in samples}
    resolved = largest * np.log(2 / (1 - level)) / n <= resolution
    assert kinds == {"nonasymptotic" if resolved else "asymptotic"}


@pytest.mark.parametrize("shared", [0.0, 0.9])
def test_simultaneous_limits_fail_in_no_column_as_often_as_they_say(shared):
    """The error counts experiments in which any column fails, with columns independent or nearly the same."""
    experiments, columns, replicas, level = 600, 12, 24, 0.8
    random = np.random.default_rng(4)
    failures = 0
    for _ in range(experiments):
        common, own = random.exponential(size=(replicas, 1)), random.exponential(size=(replicas, columns))
        # Skewed to the right, mean 1 in every column.
        x = np.where(random.random((replicas, columns)) < shared, common, own)
        failures += bool((simultaneous_lower_limits(x, level) > 1).any())
    assert failures <= most_failures(experiments, 1 - level)


def test_simultaneous_limits_are_bonferroni_over_columns():
    x = np.random.default_rng(6).exponential(size=(20, 5))
    expected = [betting_lower_limit(x[:, j], 0.05 / 5) for j in range(5)]
    assert simultaneous_lower_limits(x, 0.95) == pytest.approx(expected)
