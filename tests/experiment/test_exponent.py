"""Exponents: power laws come back exactly, intervals cover, units and order do not matter, bends are seen."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, ttest_1samp

from boundcheck.errors import InputError
from boundcheck.experiment.statistics import fit_exponent

exponents = st.floats(-3, 3)
scales = st.floats(1e-6, 1e6)
abscissas = st.lists(st.integers(1, 10_000), min_size=3, max_size=6, unique=True).map(lambda xs: np.array(xs, float))


def noisy(seeds: int, points: int, number: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(number)
    return np.sort(random.uniform(1, 100, points)), random.lognormal(size=(seeds, points))


@given(abscissas, st.lists(st.tuples(exponents, scales), min_size=1, max_size=5))
def test_power_laws_come_back(x, laws):
    y = np.array([c * x**p for p, c in laws])
    found = fit_exponent(x, y, 0.95)
    assert found.slope == pytest.approx(np.mean([p for p, _ in laws]), abs=1e-6)
    assert found.deviation == pytest.approx(0, abs=1e-6)
    assert found.seeds == len(laws)
    assert (found.interval is None) == (len(laws) < 3)
    np.testing.assert_allclose(found.line(x), np.exp(np.log(y).mean(0)), rtol=1e-6)


@pytest.mark.parametrize(("seeds", "points"), [(3, 3), (4, 5), (8, 3)])
def test_slope_and_interval_are_those_of_the_naive_twin(seeds, points):
    x, y = noisy(seeds, points, seeds)
    found = fit_exponent(x, y, 0.9)
    slopes = [np.polyfit(np.log(x), np.log(row), 1)[0] for row in y]
    assert found.slope == pytest.approx(np.mean(slopes))
    limits = ttest_1samp(slopes, 0).confidence_interval(0.9)
    assert (found.interval.lower, found.interval.upper) == pytest.approx(limits)
    assert found.interval.level == 0.9
    assert found.interval.kind == "asymptotic"
    mean = np.exp(np.log(y).mean(0))
    ratio = mean / found.line(x)
    assert found.deviation == pytest.approx(max(max(ratio), max(1 / ratio)) - 1)


def test_interval_covers_at_its_level():
    """Gaussian errors of log y and a slope that varies with the seed: Student's interval is exact there."""
    random = np.random.default_rng(7)
    x, level, fits, held = np.array([1.0, 2, 4, 8]), 0.9, 2000, 0
    for _ in range(fits):
        p = 0.25 + 0.2 * random.normal(size=4)
        log_y = p[:, None] * np.log(x) + 0.3 * random.normal(size=(4, 4))
        interval = fit_exponent(x, np.exp(log_y), level).interval
        held += interval.lower <= 0.25 <= interval.upper
    # Both tails: an interval that always covers is as wrong as one that covers too seldom.
    low, high = binom.interval(1 - 1e-4, fits, level)
    assert low <= held <= high


@given(st.integers(0, 10_000), scales, scales, st.permutations(range(4)))
def test_units_and_order_do_not_matter(number, unit_x, unit_y, order):
    x, y = noisy(3, 4, number)
    one, other = fit_exponent(x, y, 0.95), fit_exponent(unit_x * x[order], unit_y * y[:, order], 0.95)
    assert other.slope == pytest.approx(one.slope, abs=1e-6)
    assert other.deviation == pytest.approx(one.deviation, abs=1e-6)
    assert other.interval.lower == pytest.approx(one.interval.lower, abs=1e-6)


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


@pytest.mark.parametrize(
    ("field", "x", "y", "level"),
    [
        ("x", [1.0, 0, 2], [[1.0, 1, 1]], 0.95),
        ("x", [[1.0, 2, 3]], [[1.0, 1, 1]], 0.95),
        ("y", [1.0, 2, 3], [[1.0, -1, 1]], 0.95),
        ("y", [1.0, 2, 3], [[1.0, np.nan, 1]], 0.95),
        ("y", [1.0, 2, 3], [[1.0, np.inf, 1]], 0.95),
        ("y", [1.0, 2, 3], [[1.0, 1]], 0.95),
        ("y", [1.0, 2, 3], [1.0, 1, 1], 0.95),
        ("y", [1.0, 2, 3], np.ones((0, 3)), 0.95),
        ("level", [1.0, 2, 3], [[1.0, 1, 1]], 1.0),
    ],
)
def test_bad_input_is_named(field, x, y, level):
    with pytest.raises(InputError) as error:
        fit_exponent(np.array(x), np.array(y), level)
    assert error.value.field == field
