"""Confidence limits against their promise: coverage by simulation, formulas, and capital in 50 digits."""

import itertools
import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import binom, chi, norm
from scipy.stats import t as student_t

from boundcheck.experiment.statistics import (
    _BETS,
    bernstein_limits,
    betting_limits,
    betting_lower_limit,
    log_bets,
    log_mixture,
    mean_interval,
    simultaneous_lower_limits,
    student_interval,
    student_limits,
    student_quantile,
    student_replicas,
)
from tests.layers import sampled

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


@sampled(7)
@pytest.mark.parametrize("n", [2, 32, 256])
@pytest.mark.parametrize("name", DISTRIBUTIONS)
@pytest.mark.parametrize("largest", [1.0, 1e-3])
def test_betting_interval_covers_the_mean_as_often_as_it_says(name, n, largest):
    draw, mean = DISTRIBUTIONS[name]
    samples = largest * draw(np.random.default_rng([n, len(name)]), (EXPERIMENTS, n))
    lower, upper = betting_limits(samples, largest, LEVEL)
    below = (lower > largest * mean * (1 + 1e-12)).sum()
    above = (upper < largest * mean * (1 - 1e-12)).sum()
    # Each end has half of the error to itself.
    assert max(below, above) <= most_failures(EXPERIMENTS, (1 - LEVEL) / 2)


@given(
    x=arrays(np.float64, st.integers(2, 40), elements=st.floats(0, 1, allow_subnormal=False)),
    largest=st.floats(1e-3, 1e3),
    level=st.floats(0.5, 0.999),
)
def test_bernstein_interval_is_the_formula(x, largest, level):
    """Maurer and Pontil's V, by its own definition: the mean of half the squared differences of pairs."""
    lower, upper = bernstein_limits(largest * x, largest, level)
    n, delta = len(x), (1 - level) / 2
    variance = sum((a - b) ** 2 for a, b in itertools.combinations(x.tolist(), 2)) / (n * (n - 1))
    half = math.sqrt(2 * variance * math.log(2 / delta) / n) + 7 * math.log(2 / delta) / (3 * (n - 1))
    mean = sum(x.tolist()) / n
    assert lower == pytest.approx(largest * max(mean - half, 0), rel=1e-7, abs=1e-9 * largest)
    assert upper == pytest.approx(largest * min(mean + half, 1), rel=1e-7)


@given(x=nonnegative, delta=st.floats(1e-12, 0.5))
def test_betting_limit_lies_between_zero_and_the_sample_mean(x, delta):
    assert 0 <= betting_lower_limit(x, delta) <= x.mean()


@given(x=nonnegative, exponent=st.integers(-60, 60))
def test_betting_limit_does_not_depend_on_the_unit(x, exponent):
    scale = 2.0**exponent
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


@pytest.mark.full
@pytest.mark.parametrize("n", [1, 3, 16, 37, 200])
def test_a_batch_is_its_rows(n):
    """More rows than one chunk holds, of different kinds, among them zeros and constants."""
    random = np.random.default_rng(n)
    x = random.exponential(size=(100_000 // n, n)) ** random.choice([0, 1, 8], size=(100_000 // n, 1))
    x[::7] *= random.random((len(x[::7]), n)) < 0.1
    batch = betting_lower_limit(x, 0.01)
    some = slice(None, None, len(x) // 250)
    rows = [betting_lower_limit(row, 0.01) for row in x[some]]
    assert batch[some] == pytest.approx(rows, rel=1e-12, abs=0)
    assert (betting_lower_limit(x[:24].reshape(2, 3, 4, n), 0.01).ravel() == betting_lower_limit(x[:24], 0.01)).all()
    for limits in (lambda x: betting_limits(x, x.max(), LEVEL), lambda x: student_limits(x, LEVEL))[: 1 + (n > 1)]:
        assert np.stack(limits(x))[:, 0] == pytest.approx(np.stack(limits(np.vstack([x[0], x[0], x.max(0)])))[:, 0])


@given(x=nonnegative, m=st.floats(0.05, 20), cut=st.integers(0, 40))
def test_capital_is_the_mixture_of_products_and_grows_sample_by_sample(x, m, cut):
    ratios = (x / (x.mean() or 1) / m)[:, None]
    naive = np.mean([np.prod([mpmath.mpf(1 + c * (ratio - 1)) for ratio in ratios[:, 0]]) for c in _BETS])
    assert log_mixture(log_bets(ratios))[0] == pytest.approx(float(mpmath.log(naive)), rel=1e-9, abs=1e-9)
    parts = log_bets(ratios[:cut]) + log_bets(ratios[cut:])
    assert parts == pytest.approx(log_bets(ratios), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("scale", [5e-324, 1e-320, 2.3e-308, 1e300, 1.7e308])
def test_betting_limit_at_the_ends_of_floats(scale):
    """Neither rounding of the smallest floats nor a sum beyond the largest one raises the limit."""
    x = np.array([scale, scale, 0.0, scale, scale])
    limit, plain = float(betting_lower_limit(x, 0.1)), float(betting_lower_limit(np.sign(x), 0.1))
    assert mpmath.mpf(limit) <= mpmath.mpf(scale) * mpmath.mpf(plain) * (1 + mpmath.mpf(10) ** -12)
    assert limit >= scale * plain * (1 - 1e-9) - 1e-323


def test_betting_limit_refuses_a_negative_sample():
    with pytest.raises(ValueError, match="nonnegative samples, got -1e-09"):
        betting_lower_limit(np.array([1.0, -1e-9]), 0.05)


@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_betting_limit_refuses_what_is_no_finite_number(value):
    with pytest.raises(ValueError, match=f"finite nonnegative samples, got {value}"):
        betting_lower_limit(np.array([[1.0, 1.0], [1.0, value]]), 0.05)


@given(x=arrays(np.float64, st.integers(2, 50), elements=st.floats(0, 1e3)), level=st.floats(0.5, 0.999))
def test_student_interval_is_scipys_cut_at_zero(x, level):
    interval = student_interval(x, level)
    # SciPy's own interval is NaN where the spread is zero.
    error = x.std(ddof=1) / np.sqrt(len(x))
    lower, upper = student_t.interval(level, len(x) - 1, loc=x.mean(), scale=error) if error else [x.mean()] * 2
    assert interval.lower == pytest.approx(max(lower, 0.0), rel=1e-9, abs=1e-9)
    assert interval.upper == pytest.approx(upper, rel=1e-9)
    assert (interval.kind, interval.level) == ("asymptotic", level)


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
    experiments, columns, replicas, level = EXPERIMENTS, 12, 24, 0.8
    random = np.random.default_rng(4)
    common = random.exponential(size=(experiments, replicas, 1))
    own = random.exponential(size=(experiments, replicas, columns))
    # Skewed to the right, mean 1 in every column.
    x = np.where(random.random((experiments, replicas, columns)) < shared, common, own)
    failures = (simultaneous_lower_limits(x, level) > 1).any(1).sum()
    assert 0 < failures <= most_failures(experiments, 1 - level)


def test_simultaneous_limits_are_bonferroni_over_columns():
    x = np.random.default_rng(6).exponential(size=(20, 5))
    expected = [betting_lower_limit(x[:, j], 0.05 / 5) for j in range(5)]
    assert simultaneous_lower_limits(x, 0.95) == pytest.approx(expected)


@given(
    effect=st.floats(0.15, 6),
    unit=st.sampled_from([1e-9, 1.0, 1e6]),
    level=st.sampled_from([0.5, 0.9, 0.95, 0.99]),
    power=st.sampled_from([0.6, 0.9, 0.99]),
)
def test_student_replicas_is_the_first_that_is_enough(effect, unit, level, power):
    """Against every n from 2 on, and a naive noncentral t: the integral over the chi of a Gaussian tail."""
    found = student_replicas(unit, unit, (1 + effect) * unit, level, power)

    def share(n):
        quantile = student_t.ppf((1 + level) / 2, n - 1)
        s = chi(n - 1).ppf((np.arange(4000) + 0.5) / 4000) / np.sqrt(n - 1)
        return norm.sf(quantile * s - effect * np.sqrt(n)).mean()

    assert share(found) >= power - 1e-4
    assert all(share(n) < power + 1e-4 for n in range(2, min(found, 40)))
    assert found == 2 or share(found - 1) < power + 1e-4


def test_student_replicas_at_its_ends():
    assert student_replicas(1.0, 0.0, 1.1, 0.95) == 2
    near, far = student_replicas(1.0, 3.2395e-3, 1 + 1e-5, 0.95), student_replicas(1.0, 1.0, 1 + 1e-5, 0.95)
    # (1.96 + 1.2816)^2 deviations^2 / gap^2, by Student and by the Gaussian approximation.
    assert near == pytest.approx(10.5074 * 3.2395e-3**2 * 1e10, rel=1e-4)
    assert far == pytest.approx(10.5074e10, rel=1e-4)
    for bound, deviation in ((1.0, 1.0), (0.5, 1.0), (np.nan, 1.0), (2.0, np.inf), (2.0, np.nan)):
        with pytest.raises(ValueError, match="a bound above the mean"):
            student_replicas(1.0, deviation, bound, 0.95)


@given(st.floats(0.01, 0.9999), st.integers(2, 10**6))
def test_student_quantiles_are_those_of_scipy_stats(level: float, n: int) -> None:
    assert student_quantile(level, n) == pytest.approx(student_t.ppf((1 + level) / 2, n - 1), rel=1e-12)
