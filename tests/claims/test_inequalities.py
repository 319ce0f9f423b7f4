"""The inequalities between matrices that the proofs rest on, over sampled ranks, shapes and spectra.

Slack is relative: a unit roundoff for each of the additions that a computed norm or product takes.
"""

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis.strategies import DataObject, DrawFn

from boundcheck.problems.norms import Point
from boundcheck.testing import SIZES, matrices, pairs, points, shapes

EPSILON = 2.0**-52


def spectral(X: np.ndarray) -> float:
    return float(np.linalg.norm(X, 2))


def frobenius(X: np.ndarray) -> float:
    return float(np.linalg.norm(X))


def slack(*sizes: int) -> float:
    """Relative rounding error of a computed norm of a product with these dimensions."""
    return 4 * sum(sizes) * EPSILON


@st.composite
def products(draw: DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Matrices X and Y whose product exists."""
    (rows, columns), inner = draw(shapes()), draw(st.integers(1, 8))
    return draw(matrices((rows, inner))), draw(matrices((inner, columns)))


@given(products())
def test_submultiplicativity_with_one_spectral_norm(factors: tuple[np.ndarray, np.ndarray]) -> None:
    X, Y = factors
    most = min(spectral(X) * frobenius(Y), frobenius(X) * spectral(Y))
    assert frobenius(X @ Y) <= most * (1 + slack(*X.shape, *Y.shape))


@given(products())
def test_the_paper_loses_a_factor_root_rank_by_two_frobenius_norms(factors: tuple[np.ndarray, np.ndarray]) -> None:
    X, Y = factors
    rounding = 1 + slack(*X.shape, *Y.shape)
    assert frobenius(X @ Y) <= frobenius(X) * frobenius(Y) * rounding
    assert frobenius(X) * frobenius(Y) <= np.sqrt(min(X.shape)) * spectral(X) * frobenius(Y) * rounding


@given(matrices())
def test_frobenius_is_at_most_root_rank_times_spectral(X: np.ndarray) -> None:
    rounding = slack(*X.shape)
    rank = np.linalg.matrix_rank(X)
    assert spectral(X) <= frobenius(X) * (1 + rounding)
    # Singular values that matrix_rank takes for zero are below a unit roundoff of the largest.
    assert frobenius(X) <= np.sqrt(rank) * spectral(X) * (1 + rounding)


@given(st.data(), shapes(), SIZES, SIZES)
def test_the_weight_is_lipschitz_in_the_factors(data: DataObject, shape: tuple[int, int], a: float, b: float) -> None:
    rank = data.draw(st.integers(1, min(shape)))
    v1, v2 = data.draw(pairs(shape, rank, (a, b)))
    (A1, B1), (A2, B2) = ([part[0].numpy() for part in v] for v in (v1, v2))
    change = frobenius(B1 @ A1 - B2 @ A2)
    # The difference of two products has their rounding errors, however near they are.
    rounding = slack(*shape, rank) * (frobenius(B1) * frobenius(A1) + frobenius(B2) * frobenius(A2))
    assert change <= b * frobenius(A1 - A2) + a * frobenius(B1 - B2) + rounding
    # Assumption 3(1) with C = sigma, which the paper takes sqrt(r) times as large.
    assert change <= max(a, b) * (frobenius(A1 - A2) + frobenius(B1 - B2)) + rounding


@given(SIZES, st.integers(1, 8))
def test_the_lipschitz_constant_sigma_is_optimal(sigma: float, rank: int) -> None:
    # B fixed at sigma times the identity: W moves exactly sigma times as far as A.
    B = sigma * np.eye(rank)
    step = np.ones((rank, 3))
    assert frobenius(B @ step) == pytest.approx(sigma * frobenius(step), rel=slack(rank, rank, 3))


@given(st.floats(2, 1e6))
def test_no_lipschitz_constant_serves_all_factors(t: float) -> None:
    # A = B = t against A = B = 0: the ratio t / 2 has no bound.
    A, B = np.array([[t]]), np.array([[t]])
    assert frobenius(B @ A) / (frobenius(A) + frobenius(B)) == pytest.approx(t / 2, rel=slack(1))


@given(st.data(), shapes())
def test_factor_norms_against_the_euclidean_norm(data: DataObject, shape: tuple[int, int]) -> None:
    rank = data.draw(st.integers(1, min(shape)))
    A, B = (part[0].numpy() for part in data.draw(points(shape, rank, (1.0, 1.0))))
    total, euclidean = frobenius(A) + frobenius(B), float(np.hypot(frobenius(A), frobenius(B)))
    rounding = 1 + slack(*shape, rank)
    # jiang2024, Eq. (11), prints these two as equal, and (13) divides by the larger one.
    assert euclidean <= total * rounding
    assert total <= np.sqrt(2) * euclidean * rounding


@given(st.data(), shapes())
def test_the_cross_term_is_bounded_by_the_spectral_norm(data: DataObject, shape: tuple[int, int]) -> None:
    rank = data.draw(st.integers(1, min(shape)))
    dA, dB = (part[0].numpy() for part in data.draw(points(shape, rank, (1.0, 1.0))))
    M = data.draw(matrices(shape))
    cross = abs(float((M * (dB @ dA)).sum()))
    # The rounding error of a sum of products is that of the products' Frobenius norms.
    rounding = slack(*shape, rank) * frobenius(M) * frobenius(dB) * frobenius(dA)
    assert cross <= spectral(M) * frobenius(dB) * frobenius(dA) + rounding


@given(st.data(), shapes(), SIZES, SIZES)
def test_a_ball_is_convex(data: DataObject, shape: tuple[int, int], a: float, b: float) -> None:
    rank = data.draw(st.integers(1, min(shape)))
    v1, v2 = (data.draw(points(shape, rank, (a, b))) for _ in range(2))
    share = data.draw(st.floats(0, 1))
    between: Point = (v1[0] + share * (v2[0] - v1[0]), v1[1] + share * (v2[1] - v1[1]))
    for part, radius in zip(between, (a, b), strict=True):
        assert float(torch.linalg.matrix_norm(part, 2)) <= radius * (1 + slack(*shape, rank))
