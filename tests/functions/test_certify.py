"""Certified constants of data are proved: at least the exact value, in exact arithmetic, and tight."""

from fractions import Fraction

import mpmath as mp
import numpy as np
import sympy as sp
from flint import arb
from hypothesis import given
from hypothesis import strategies as st

from boundcheck.exact.balls import lower, upper
from boundcheck.functions import data
from boundcheck.functions.data import largest_gram_eigenvalue, mean_row_norm
from boundcheck.properties import matrices
from tests.layers import examples

EPSILON = 2.0**-52


def exact_matrix(X: np.ndarray) -> sp.Matrix:
    """The very numbers that the floats are."""
    return sp.Matrix([[sp.Rational(*x.as_integer_ratio()) for x in row] for row in X.astype(float).tolist()])


def is_proved(bound: float, X: np.ndarray) -> bool:
    """Whether bound I - X^T X is positive semidefinite, by elimination over the rationals."""
    exact = exact_matrix(X)
    gap = sp.Rational(*bound.as_integer_ratio()) * sp.eye(X.shape[1]) - exact.T * exact
    return bool(gap.is_positive_semidefinite)


def integer_matrices() -> st.SearchStrategy[np.ndarray]:
    rows = st.integers(1, 3).flatmap(
        lambda columns: st.lists(
            st.lists(st.integers(-9, 9), min_size=columns, max_size=columns), min_size=1, max_size=4
        )
    )
    return rows.map(lambda values: np.array(values, dtype=float))


@given(integer_matrices())
def test_eigenvalue_bound_of_integers_is_exact_to_its_digits(X: np.ndarray) -> None:
    bound = largest_gram_eigenvalue(X)
    with mp.workdps(50):
        largest = max(mp.eigsy(mp.matrix((X.T @ X).tolist()), eigvals_only=True))
        assert mp.mpf(bound) >= largest - mp.mpf(10) ** -40
        assert mp.mpf(bound) <= largest * (1 + mp.mpf(10) ** -9)
    assert is_proved(bound, X)


@examples(50)
@given(matrices())
def test_eigenvalue_bound_of_floats_is_proved_and_tight(X: np.ndarray) -> None:
    bound = largest_gram_eigenvalue(X)
    assert is_proved(bound, X)
    computed = float(np.linalg.eigvalsh(X.T @ X)[-1])
    assert bound >= computed * (1 - 4 * sum(X.shape) * EPSILON)
    assert bound <= computed * (1 + 1e-9)


def test_a_bound_that_is_too_small_is_not_called_proved() -> None:
    X = np.array([[3.0, 0.0], [0.0, 1.0]])
    assert is_proved(9.0, X)
    assert not is_proved(np.nextafter(9.0, 0.0), X)


@given(matrices())
def test_mean_row_norm_is_enclosed(X: np.ndarray) -> None:
    ball = mean_row_norm(X)
    with mp.workdps(50):
        rows = [mp.sqrt(mp.fsum(mp.mpf(x) ** 2 for x in row)) for row in X.tolist()]
        mean = mp.fsum(rows) / len(rows)
        assert mp.mpf(lower(ball)) <= mean * (1 + mp.mpf(10) ** -40)
        assert mp.mpf(upper(ball)) >= mean * (1 - mp.mpf(10) ** -40)
    assert upper(ball) <= np.nextafter(np.nextafter(lower(ball), np.inf), np.inf)


def test_mean_row_norm_of_exact_roots() -> None:
    ball = mean_row_norm(np.array([[3.0, 4.0], [5.0, 12.0]]))
    assert ball.contains(arb(9))
    assert Fraction(lower(ball)) == Fraction(upper(ball)) == 9


def test_a_bound_is_found_once_for_the_same_numbers(monkeypatch):
    """And anew for others: in the same array, of another shape, or with another entry."""
    asked, X = [], np.arange(6.0).reshape(2, 3)
    real = data._discs
    monkeypatch.setattr(data, "_discs", lambda X: (asked.append(X.shape), real(X))[1])
    first = largest_gram_eigenvalue(X / 7)
    assert largest_gram_eigenvalue(np.asfortranarray(X / 7)) == first
    assert asked == [(2, 3)]
    assert largest_gram_eigenvalue((X / 7).reshape(3, 2)) != first
    changed = X / 7
    changed[0, 0] = -1.0
    assert largest_gram_eigenvalue(changed) != first
    assert asked == [(2, 3), (3, 2), (2, 3)]
