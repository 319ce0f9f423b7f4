"""Data that are bundled and what is certified of data: proved, at least the exact value, and
tight."""

from fractions import Fraction

import mpmath as mp
import numpy as np
import pytest
import torch
from hypothesis import given
from sklearn.datasets import load_breast_cancer, load_digits

from boundcheck.exact.balls import lower, upper
from boundcheck.functions import data
from boundcheck.functions.data import data_of, largest_gram_eigenvalue, mean_row_norm
from boundcheck.functions.objective import Setting, table_of
from boundcheck.properties import matrices
from tests.functions.twins import is_above_the_top, is_below_the_top
from tests.layers import examples

BARE, BIASED = (table_of({"kind": "readout"}).build(Setting(bias=bias)) for bias in (False, True))


def test_digits_are_pixels_over_sixteen_less_their_means():
    X, labels = data_of("digits")
    pixels, expected = load_digits(return_X_y=True)
    # Bit for bit: reports rest on these numbers.
    assert np.array_equal(X, pixels / 16.0 - (pixels / 16.0).mean(axis=0))
    assert np.array_equal(labels, expected)


def test_breast_cancer_is_standardised():
    X, labels = data_of("breast-cancer")
    raw, expected = load_breast_cancer(return_X_y=True)
    assert np.array_equal(labels, expected)
    assert X.shape == (569, 30)
    np.testing.assert_allclose(X.mean(axis=0), 0, atol=1e-14)
    np.testing.assert_allclose(X.var(axis=0), 1 / 30, rtol=1e-12)
    assert np.square(X).sum(axis=1).mean() == pytest.approx(1, rel=1e-12)
    assert np.linalg.norm(X, axis=1).max() < 4
    # A feature is moved and scaled, no more.
    assert np.corrcoef(X[:, 3], raw[:, 3])[0, 1] == pytest.approx(1, rel=1e-12)


def test_digits_network_comes_from_the_seed():
    one, same, other = (
        table_of({"kind": "two-layer", "hidden": 400, "seed": seed}).build(Setting())
        for seed in (0, 0, 1)
    )
    assert torch.equal(one._readout, same._readout)
    assert not torch.equal(one._readout, other._readout)
    assert one.shape == (400, 64)
    assert one.samples == 1797
    assert one.activation == "tanh"
    # 4000 entries N(0, 1/400): mean and variance within five standard errors.
    assert abs(one._readout.mean().item()) < 5 * 0.05 / np.sqrt(4000)
    assert abs(400 * one._readout.var().item() - 1) < 5 * np.sqrt(2 / 4000)
    at_zero = one.loss(torch.zeros(1, 400, 64, dtype=torch.float64)).item()
    assert at_zero == pytest.approx(np.log(10), rel=1797 * EPSILON)


def test_the_readout_is_of_principal_components_and_the_means_of_the_classes():
    X, labels = data_of("digits")
    h = BARE._X.numpy()
    U = BARE._readout.numpy()
    assert np.square(h).sum(axis=1).mean() == pytest.approx(1, rel=1e-12)
    spectrum = np.linalg.eigvalsh(X.T @ X)[::-1][:16]
    np.testing.assert_allclose(h.T @ h / len(h), np.diag(spectrum / spectrum.sum()), atol=1e-12)
    # Each axis, which is had back from the data, has its largest entry positive.
    axes = np.linalg.lstsq(h, X, rcond=None)[0]
    assert (axes[np.arange(16), np.abs(axes).argmax(axis=1)] > 0).all()
    assert BARE.activation == BIASED.activation == "identity"
    for c in range(10):
        np.testing.assert_allclose(U[c], 8 * h[labels == c].mean(axis=0), atol=1e-13)
    # A bias adds a column that moves the representation.
    assert BARE.shape == (16, 16)
    assert BIASED.shape == (16, 17)
    assert torch.equal(BIASED._X, torch.cat([BARE._X, torch.ones(1797, 1, dtype=torch.float64)], 1))
    assert torch.equal(BIASED._readout, BARE._readout)


EPSILON = 2.0**-52


@examples(50)
@given(matrices())
def test_eigenvalue_bound_of_floats_is_proved_and_tight(X):
    bound = largest_gram_eigenvalue(X)
    # A tie is no excess.
    assert is_above_the_top(Fraction(bound) * (1 + Fraction(1, 10**30)) + Fraction(1, 10**60), X)
    computed = float(np.linalg.eigvalsh(X.T @ X)[-1])
    assert bound >= computed * (1 - 4 * sum(X.shape) * EPSILON)
    assert bound <= computed * (1 + 1e-9)


@pytest.mark.parametrize("name", ["digits", "breast-cancer"])
def test_eigenvalue_bound_of_real_data_is_proved_by_elimination_and_tight(name):
    X, _ = data_of(name)
    bound = Fraction(largest_gram_eigenvalue(X))
    little = Fraction(1, 10**9)
    assert is_above_the_top(bound, X)
    assert is_below_the_top(bound * (1 - little), X)
    # Elimination and quotients tell a bound from others.
    assert not is_above_the_top(bound * (1 - little), X)
    assert not is_below_the_top(bound, X)


@given(matrices())
def test_mean_row_norm_is_enclosed(X):
    ball = mean_row_norm(X)
    with mp.workdps(50):
        rows = [mp.sqrt(mp.fsum(mp.mpf(x) ** 2 for x in row)) for row in X.tolist()]
        mean = mp.fsum(rows) / len(rows)
        assert mp.mpf(lower(ball)) <= mean * (1 + mp.mpf(10) ** -40)
        assert mp.mpf(upper(ball)) >= mean * (1 - mp.mpf(10) ** -40)
    assert upper(ball) <= np.nextafter(np.nextafter(lower(ball), np.inf), np.inf)


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
