"""Limits for a mean, verdicts that they earn, times of audits, and exponents, each against its
definition."""

import itertools
import json
import math
from pathlib import Path
from typing import get_args

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import binom, chi, norm, ttest_1samp
from scipy.stats import t as student_t

from boundcheck.experiment.result import read
from boundcheck.experiment.statistics import (
    _BETS,
    FEWEST_REPLICAS,
    Kind,
    Schedule,
    bernstein_limits,
    betting_limits,
    betting_lower_limit,
    earned_by,
    fit_exponent,
    mean_interval,
    spread_over_times,
    student_interval,
    student_limits,
    student_replicas,
)
from boundcheck.verdicts import Verdict
from tests.experiment.small import refused
from tests.results import stored

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
nonnegative = arrays(
    np.float64, st.integers(1, 40), elements=st.floats(0, 1e6, allow_subnormal=False)
)


def most_failures(experiments, probability):
    """More failures than this happen to a right method once in ten million times."""
    return binom.ppf(1 - 1e-7, experiments, probability)


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
    """Maurer and Pontil's V, by its own definition: the mean of half the squared differences of
    pairs."""
    lower, upper = bernstein_limits(largest * x, largest, level)
    n = len(x)
    delta = (1 - level) / 2
    variance = sum((a - b) ** 2 for a, b in itertools.combinations(x.tolist(), 2)) / (n * (n - 1))
    half = math.sqrt(2 * variance * math.log(2 / delta) / n) + 7 * math.log(2 / delta) / (
        3 * (n - 1)
    )
    mean = sum(x.tolist()) / n
    assert lower == pytest.approx(largest * max(mean - half, 0), rel=1e-7, abs=1e-9 * largest)
    assert upper == pytest.approx(largest * min(mean + half, 1), rel=1e-7)


@given(
    x=arrays(np.float64, st.integers(1, 12), elements=st.floats(0, 1e3, allow_subnormal=False)),
    delta=st.floats(-30, -0.5).map(lambda power: 10.0**power),
    unit=st.sampled_from([1.0, 1e-12, 1e9]),
)
def test_betting_limit_never_claims_more_than_its_capital(x, delta, unit):
    """Where the limit is, the capital in 50 digits has really reached 1/delta: rounding is on the
    safe side."""
    limit = betting_lower_limit(unit * x, delta)
    if limit > 0:
        with mpmath.workdps(50):
            gains = [mpmath.mpf(value) / mpmath.mpf(limit) - 1 for value in (unit * x).tolist()]
            capital = mpmath.fsum(
                mpmath.fprod(1 + c * gain for gain in gains) for c in _BETS.tolist()
            ) / len(_BETS)
            assert capital * delta >= 1


@pytest.mark.full
@pytest.mark.parametrize("n", [1, 3, 16, 37, 200])
def test_a_batch_is_its_rows(n):
    """More rows than one chunk holds, of different kinds, among them zeros and constants."""
    random = np.random.default_rng(n)
    x = random.exponential(size=(100_000 // n, n)) ** random.choice(
        [0, 1, 8], size=(100_000 // n, 1)
    )
    x[::7] *= random.random((len(x[::7]), n)) < 0.1
    batch = betting_lower_limit(x, 0.01)
    some = slice(None, None, len(x) // 250)
    rows = [betting_lower_limit(row, 0.01) for row in x[some]]
    assert batch[some] == pytest.approx(rows, rel=1e-12, abs=0)
    assert (
        betting_lower_limit(x[:24].reshape(2, 3, 4, n), 0.01).ravel()
        == betting_lower_limit(x[:24], 0.01)
    ).all()
    for limits in (lambda x: betting_limits(x, x.max(), LEVEL), lambda x: student_limits(x, LEVEL))[
        : 1 + (n > 1)
    ]:
        assert np.stack(limits(x))[:, 0] == pytest.approx(
            np.stack(limits(np.vstack([x[0], x[0], x.max(0)])))[:, 0]
        )


@pytest.mark.parametrize("scale", [5e-324, 1e-320, 2.3e-308, 1e300, 1.7e308])
def test_betting_limit_at_the_ends_of_floats(scale):
    """Neither rounding of the smallest floats nor a sum beyond the largest one raises the limit."""
    x = np.array([scale, scale, 0.0, scale, scale])
    limit = float(betting_lower_limit(x, 0.1))
    plain = float(betting_lower_limit(np.sign(x), 0.1))
    assert mpmath.mpf(limit) <= mpmath.mpf(scale) * mpmath.mpf(plain) * (1 + mpmath.mpf(10) ** -12)
    assert limit >= scale * plain * (1 - 1e-9) - 1e-323


@pytest.mark.parametrize("value", [-1e-9, np.inf, np.nan])
def test_betting_limit_refuses_what_is_no_finite_nonnegative_number(value):
    with pytest.raises(ValueError, match=f"finite nonnegative samples, got {value}"):
        betting_lower_limit(np.array([[1.0, 1.0], [1.0, value]]), 0.05)


@given(
    x=arrays(np.float64, st.integers(2, 50), elements=st.floats(0, 1e3)),
    level=st.floats(0.5, 0.999),
)
def test_student_interval_is_scipys_cut_at_zero(x, level):
    interval = student_interval(x, level)
    # SciPy's own interval is NaN where the spread is zero.
    error = x.std(ddof=1) / np.sqrt(len(x))
    lower, upper = (
        student_t.interval(level, len(x) - 1, loc=x.mean(), scale=error)
        if error
        else [x.mean()] * 2
    )
    assert interval.lower == pytest.approx(max(lower, 0.0), rel=1e-9, abs=1e-9)
    assert interval.upper == pytest.approx(upper, rel=1e-9)
    assert interval.kind == "asymptotic"
    assert interval.level == level


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


@given(
    effect=st.floats(0.15, 6),
    unit=st.sampled_from([1e-9, 1.0, 1e6]),
    level=st.sampled_from([0.5, 0.9, 0.95, 0.99]),
    power=st.sampled_from([0.6, 0.9, 0.99]),
)
def test_student_replicas_is_the_first_that_is_enough(effect, unit, level, power):
    """Against every n from 2 on, and a naive noncentral t: the integral over the chi of a Gaussian
    tail."""
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
    near = student_replicas(1.0, 3.2395e-3, 1 + 1e-5, 0.95)
    far = student_replicas(1.0, 1.0, 1 + 1e-5, 0.95)
    # (1.96 + 1.2816)^2 deviations^2 / gap^2, by Student and by the Gaussian approximation.
    assert near == pytest.approx(10.5074 * 3.2395e-3**2 * 1e10, rel=1e-4)
    assert far == pytest.approx(10.5074e10, rel=1e-4)
    for bound, deviation in ((1.0, 1.0), (0.5, 1.0), (np.nan, 1.0), (2.0, np.inf), (2.0, np.nan)):
        with pytest.raises(ValueError, match="a bound above the mean"):
            student_replicas(1.0, deviation, bound, 0.95)


ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("kind", get_args(Kind))
@pytest.mark.parametrize("replicas", [1, 2, FEWEST_REPLICAS - 1, FEWEST_REPLICAS, 1000])
def test_support_is_as_good_as_the_interval_that_it_stands_on(kind, replicas):
    earned = earned_by(kind, replicas)
    assert (earned == "supported") is (kind != "asymptotic")
    assert earned.is_supported is (kind != "asymptotic" or replicas >= 8)
    if earned.is_supported:
        assert read(stored("supported", kind, replicas)).verdict is earned
        assert read(stored(earned, kind, replicas)).verdict is earned


@pytest.mark.parametrize(
    "result, field",
    [
        (stored("proved", "exact"), "verdict"),
        (stored("", "exact"), "verdict"),
        (stored(None, "exact"), "verdict"),
        (stored(["supported"], "exact"), "verdict"),
        (stored("supported", "asymptotic", 7), "verdict"),
        (stored("supported (asymptotic)", "asymptotic", 4), "verdict"),
        (stored("supported (asymptotic)", "nonasymptotic"), "verdict"),
        (stored("supported", None), "interval.kind"),
        (stored("supported", "certain"), "interval.kind"),
    ],
    ids=str,
)
def test_a_verdict_that_its_interval_does_not_bear_is_refused_by_name(result, field):
    assert refused(read, result).field == field


def test_what_the_repository_keeps_is_shown_with_its_ground():
    """Whatever the version that stored it: no asymptotic interval stands behind a bare
    `supported`."""
    for path in sorted((ROOT / "reports").glob("*/results.json")):
        results = json.loads(path.read_text(encoding="utf-8"))
        for result in results if isinstance(results, list) else []:
            kind = (result["interval"] or {}).get("kind")
            verdict = read(result).verdict
            assert (verdict == "supported (asymptotic)") is (
                verdict.is_supported and kind == "asymptotic"
            )
            assert verdict.split()[0] == result["verdict"].split()[0]


def test_the_gravest_verdict_stands_for_several():
    assert (
        Verdict.gravest([Verdict.SUPPORTED, Verdict.SUPPORTED_ASYMPTOTIC])
        is Verdict.SUPPORTED_ASYMPTOTIC
    )
    assert (
        Verdict.gravest([Verdict.UNINFORMATIVE, Verdict.VIOLATED, Verdict.SUPPORTED])
        is Verdict.VIOLATED
    )
    assert [each for each in Verdict if each.is_silent] == ["hypothesis-failed", "uninformative"]


def test_every_time_of_a_stratum_is_equally_likely_and_replicas_are_independent():
    replicas = 40_000
    schedule = Schedule.draw(12, 4, replicas, np.random.default_rng(4))
    assert schedule.edges.tolist() == [0, 1, 2, 7, 12]
    for column, (low, high) in zip(
        schedule.times.T, itertools.pairwise(schedule.edges.tolist()), strict=True
    ):
        counts = np.array([(column == t).sum() for t in range(low + 1, high + 1)])
        share = 1 / (high - low)
        assert counts.sum() == replicas
        assert np.abs(counts - replicas * share).max() <= 6 * np.sqrt(
            replicas * share * (1 - share)
        )
    first, second = (schedule.times - schedule.times.mean(0)).T[2:]
    assert abs(np.corrcoef(first, second)[0, 1]) < 6 / np.sqrt(replicas)
    assert abs(np.corrcoef(first[:-1], first[1:])[0, 1]) < 6 / np.sqrt(replicas)


@given(st.integers(1, 8), st.integers(3, 6), st.integers(0, 10_000))
def test_slope_and_interval_are_those_of_the_naive_twin(seeds, points, number):
    random = np.random.default_rng(number)
    x = random.uniform(1, 100, points)
    y = random.lognormal(size=(seeds, points))
    found = fit_exponent(x, y, 0.9)
    slopes = [np.polyfit(np.log(x), np.log(row), 1)[0] for row in y]
    assert found.slope == pytest.approx(np.mean(slopes), rel=1e-6)
    ratio = np.exp(np.log(y).mean(0)) / found.line(x)
    assert found.deviation == pytest.approx(max(max(ratio), max(1 / ratio)) - 1, rel=1e-6)
    assert found.seeds == seeds
    assert (found.interval is None) == (seeds < 3)
    if seeds >= 3:
        limits = ttest_1samp(slopes, 0).confidence_interval(0.9)
        assert (found.interval.lower, found.interval.upper) == pytest.approx(limits, rel=1e-6)
        assert found.interval.level == 0.9
        assert found.interval.kind == "asymptotic"


@given(st.floats(0.1, 2))
def test_a_bend_shows_in_the_deviation(bend):
    x = np.array([1.0, 10, 100])
    # Residuals of the middle of three equally spaced points and of its ends are as 2 to -1.
    y = np.array([[1, np.exp(bend), 1]] * 3)
    found = fit_exponent(x, y, 0.95)
    assert found.slope == pytest.approx(0, abs=1e-9)
    assert found.deviation == pytest.approx(np.expm1(2 * bend / 3))


def test_two_points_are_no_evidence_of_a_power_law():
    assert fit_exponent(np.array([1.0, 2, 2]), np.ones((3, 3)), 0.95) is None
    assert fit_exponent(np.array([3.0]), np.ones((3, 1)), 0.95) is None


@given(
    st.lists(st.floats(-10, 10), min_size=8, max_size=8),
    st.permutations([1, 2, 2, 3]) | st.permutations([1, 1, 3, 3]),
)
def test_pairs_of_strata_do_not_say_less_than_the_spread(h, sizes):
    """On average over all audit times of strata of different sizes the estimate is at least the
    variance."""
    cut = np.split(np.arange(8), np.cumsum(sizes)[:-1])
    terms = np.array(h)
    totals = []
    estimates = []
    for chosen in itertools.product(*cut):
        parts = np.array([len(each) * terms[t] for each, t in zip(cut, chosen, strict=True)])
        totals.append(parts.sum())
        spread, pairs = spread_over_times(parts, np.array(sizes))
        assert pairs == 1
        estimates.append(spread**2)
    assert np.mean(estimates) >= np.var(totals) * (1 - 1e-9) - 1e-9
