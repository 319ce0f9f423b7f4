"""Measured coverage: that it finds what is broken, passes what is sound, and measures what it
says."""

import json
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from boundcheck.experiment.coverage import (
    BERNSTEIN,
    BETTING,
    BOUNDED,
    COLUMNS,
    LEVEL,
    LOWER,
    SIMULTANEOUS,
    SIZES,
    STUDENT,
    STUDENT_ON_SKEWED,
    UNBOUNDED,
    Method,
    assess,
    clopper_pearson,
    coverage,
)
from boundcheck.experiment.statistics import betting_lower_limit
from tests.layers import full

EXPERIMENTS = 2000

# One worker makes what all of them look at.
pytestmark = pytest.mark.xdist_group("coverage")


@pytest.fixture(scope="module", params=[200, pytest.param(EXPERIMENTS, marks=full)])
def experiments(request):
    return request.param


@pytest.fixture(scope="module")
def measured(experiments):
    return coverage(experiments, seed=1)


@full
def test_nonasymptotic_limits_miss_no_more_often_than_they_say(measured, experiments):
    """By the counts themselves: more misses than these happen to a right method once in ten million
    times."""
    sound = [each for each in measured if each.kind == "nonasymptotic"]
    assert {each.method for each in sound} == {BETTING.name, BERNSTEIN.name, LOWER.name}
    assert all(each.misses <= binom.ppf(1 - 1e-7, experiments, 1 - LEVEL) for each in sound)
    assert all(each.holds for each in sound)


@full
@pytest.mark.parametrize("experiments", [EXPERIMENTS], indirect=True)
def test_student_fails_where_few_skewed_replicas_hide_the_tail(measured):
    student = {(each.distribution, each.n): each for each in measured if each.kind == "asymptotic"}
    for name in ("1 in 50", "lognormal", "Pareto 2.5, cut at 100", "exponential"):
        assert not student[name, 16].holds
        # The mean is above the interval, which is how a bound would be called supported that is
        # not.
        assert student[name, 16].above > 0.9 * student[name, 16].misses
    # No success in 16 draws leaves an interval of width 0: 0.98^16 of the experiments.
    assert student["1 in 50", 16].low < 0.98**16 < student["1 in 50", 16].high
    for name in ("beta(2, 2)", "audit times"):
        assert all(abs(student[name, n].rate - 0.05) < 0.02 for n in SIZES)


@full
@pytest.mark.parametrize("n", STUDENT_ON_SKEWED)
def test_what_pages_say_of_student_on_skewed_replicas_is_measured(n):
    """And no interval that holds at any number of replicas misses them as often."""
    (skewed,) = (each for each in BOUNDED if each.name == "1 in 50")
    student, betting = assess((STUDENT, BETTING), skewed, n, 4000, np.random.default_rng([0, n]))
    assert student.rate == pytest.approx(STUDENT_ON_SKEWED[n], abs=0.01)
    assert student.holds is (n == 1024)
    assert betting.holds


def test_each_method_is_measured_wherever_it_can_be_and_its_numbers_fit_together(
    measured, experiments
):
    found = {(each.distribution, each.method, each.n): each for each in measured}
    expected = {
        (d.name, m.name, n) for d in BOUNDED for m in (BETTING, BERNSTEIN, STUDENT) for n in SIZES
    }
    expected |= {(d.name, m.name, n) for d in UNBOUNDED for m in (STUDENT, LOWER) for n in SIZES}
    expected |= {(COLUMNS.name, SIMULTANEOUS.name, n) for n in SIZES[:2]}
    assert found.keys() == expected
    assert len(measured) == len(expected)
    for each in measured:
        assert each.experiments == experiments
        assert each.above <= each.misses
        assert each.low <= each.rate == each.misses / experiments <= each.high
        assert each.width >= 0
        assert json.loads(json.dumps(each.as_json(), allow_nan=False))["holds"] == each.holds
    for d, n in product(BOUNDED, SIZES):
        assert found[d.name, BETTING.name, n].width < found[d.name, BERNSTEIN.name, n].width


def halved(method):
    """The method, with limits at half of their distance from the middle."""

    def limits(x, largest):
        lower, upper = method.limits(x, largest)
        return (3 * lower + upper) / 4, (lower + 3 * upper) / 4

    return Method(f"half of {method.name}", "nonasymptotic", limits)


def uncorrected(x, largest):
    """Fifty limits, each at the level of one: some column's limit fails more often than one in
    twenty times."""
    lower = betting_lower_limit(np.swapaxes(x, -1, -2), 1 - LEVEL).max(-1)
    return lower, np.full_like(lower, np.inf)


@full
@pytest.mark.parametrize(
    "method, wrong, distribution, n",
    [
        (BETTING, halved(BETTING), BOUNDED[0], 1024),
        (STUDENT, halved(STUDENT), BOUNDED[0], 1024),
        (SIMULTANEOUS, Method("uncorrected", "nonasymptotic", uncorrected), COLUMNS, 16),
    ],
    ids=["betting", "Student", "simultaneous"],
)
def test_limits_that_are_too_tight_are_found_out(method, wrong, distribution, n):
    honest, tight = assess((method, wrong), distribution, n, EXPERIMENTS, np.random.default_rng(2))
    assert honest.holds
    assert not tight.holds


@given(trials=st.integers(1, 400), data=st.data())
def test_clopper_pearson_inverts_the_binomial_tails(trials, data):
    count = data.draw(st.integers(0, trials))
    low, high = clopper_pearson(count, trials)
    assert (
        low == 0
        if count == 0
        else binom.sf(count - 1, trials, low) == pytest.approx(0.005, rel=1e-6)
    )
    assert (
        high == 1
        if count == trials
        else binom.cdf(count, trials, high) == pytest.approx(0.005, rel=1e-6)
    )
