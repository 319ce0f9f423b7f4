"""What the rows on readings of jiang2024 rest on, by naive twins: plain numbers, and no line of a
proof."""

import math
from fractions import Fraction

import numpy as np
import pytest
from boundcheck.proofs.jiang2024.claims import THEOREM_2
from boundcheck.proofs.jiang2024.reading import CHOICES
from hypothesis import given
from hypothesis import strategies as st

sizes = st.fractions(0, 9, max_denominator=9)
logs = st.floats(0, 8)


@given(sizes, sizes, sizes, sizes)
def test_the_spectral_radius_of_the_comparison_matrix_is_its_row_sum(p, g, a, b):
    """[[P, P + G], [P + G, P]] is symmetric: what bounds sums of norms bounds their squares, with
    no root of 2."""
    first = p * (a + b) + g * b
    second = p * (a + b) + g * a
    row_sum = 2 * p + g
    assert first + second <= row_sum * (a + b)
    assert first**2 + second**2 <= row_sum**2 * (a**2 + b**2)
    # It is attained where both factors move equally, so that no smaller number serves.
    assert (p * 2 * a + g * a) ** 2 * 2 == row_sum**2 * 2 * a**2


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 4))
def test_a_symmetric_matrix_stretches_no_norm_less_than_the_euclidean_one(seed, first, second):
    """The fact behind the mend of (11): along the top eigenvector every norm is stretched by the
    spectral radius."""
    random = np.random.default_rng(seed)
    half = random.standard_normal((first + second, first + second))
    hessian = half + half.T
    values, vectors = np.linalg.eigh(hessian)
    top = int(np.argmax(np.abs(values)))

    def sum_of_norms(x):
        return np.linalg.norm(x[:first]) + np.linalg.norm(x[first:])

    # Rounding is relative, of the order of the size times the unit roundoff.
    vector = vectors[:, top]
    spectral = np.linalg.norm(hessian, 2)
    assert sum_of_norms(hessian @ vector) >= spectral * sum_of_norms(vector) * (1 - 1e-12)


def gradient(f, a, b):
    slope = f(b @ a)
    return b.T @ slope, slope @ a.T


@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3))
def test_both_norms_have_the_printed_constant_on_the_ball(seed, d, k, r):
    """F(A, B) = f(BA) with f' = W - M clipped entry by entry, whose L is 1 and whose G is √(dk): C
    = σ = 1."""
    random = np.random.default_rng(seed)
    target = random.uniform(-2, 2, (d, k))
    points = []
    for _ in range(2):
        pair = random.standard_normal((r, k)), random.standard_normal((d, r))
        points.append([x / np.linalg.norm(x, 2) * random.uniform() for x in pair])
    ends = [gradient(lambda w: np.clip(w - target, -1, 1), *point) for point in points]
    change, move = (
        [np.linalg.norm(x - y) for x, y in zip(*pair, strict=True)] for pair in (ends, points)
    )
    constant = 2 * math.sqrt(r) + math.sqrt(d * k)
    assert sum(change) <= constant * sum(move) * (1 + 1e-12)
    assert math.hypot(*change) <= constant * math.hypot(*move) * (1 + 1e-12)


def bound(**numbers):
    """The printed bound, at D = L = G = ζ = 1 and a horizon of which the theorem speaks."""
    return (
        THEOREM_2.bound(**{"L": 1, "G": 1, "D": 1, "zeta": 1, "T": 10**20} | numbers) * 10**10 / 2.5
    )


@given(logs, st.floats(1, 8))
def test_with_a_hidden_constant_the_exponents_are_as_printed(log_rank, sigma):
    rank = round(10**log_rank)
    ratio = bound(C=8, sigma=sigma, r=rank) / (rank**0.25 * sigma**0.5)
    assert 4.0 * (1 - 1e-9) <= ratio <= math.sqrt(17) * (1 + 1e-9)


@given(logs, st.floats(1, 1000))
def test_with_the_least_constant_the_bound_grows_as_sigma(log_rank, sigma):
    rank = round(10**log_rank)
    ratio = bound(C=sigma, sigma=sigma, r=rank) / (rank**0.25 * sigma)
    assert math.sqrt(2) * (1 - 1e-9) <= ratio <= math.sqrt(3) * (1 + 1e-9)
    own = bound(C=math.sqrt(rank) * sigma, sigma=sigma, r=rank) / (rank**0.5 * sigma)
    assert math.sqrt(2) * (1 - 1e-9) <= own <= math.sqrt(3) * (1 + 1e-9)


@pytest.mark.parametrize("batch", [1, 4, 16, 64])
def test_a_large_batch_lowers_the_bound_until_the_horizon_is_too_short(batch):
    """At the shortest horizon the bound is 5L̂D/T, which no batch goes below."""
    numbers = {"L": 1, "C": 1, "sigma": 1, "G": 1, "r": 4, "D": 1, "zeta": 1 / math.sqrt(batch)}
    shortest = 4 * 5 * batch
    assert math.isclose(THEOREM_2.bound(**numbers, T=shortest), 5 * 5 / shortest)
    for horizon in (shortest + 1, 10 * shortest):
        assert THEOREM_2.bound(**numbers, T=horizon) > 25 / horizon
        assert THEOREM_2.bound(**numbers | {"zeta": 1}, T=horizon) >= THEOREM_2.bound(
            **numbers, T=horizon
        )


def test_the_moments_of_a_gaussian_start_contradict_a_bound_on_every_run():
    """‖A_0‖_F²/σ² is chi-squared: at every size rk(rk + 2) is more than r²k, which the ball would
    allow."""
    assert all(Fraction(r * k * (r * k + 2)) > r**2 * k for r in range(1, 9) for k in range(1, 9))


def test_each_choice_has_its_words_and_at_least_two_readings():
    readings = [reading for choice in CHOICES for reading in choice.readings]
    assert len(readings) == len(set(readings))
    assert all(len(choice.readings) >= 2 and '"' in choice.words for choice in CHOICES)
