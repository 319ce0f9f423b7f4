"""The data that are bundled, and the problems that are made of them."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_breast_cancer, load_digits

from boundcheck.functions.data import breast_cancer_data, digits_data
from boundcheck.functions.objectives.linear import ReadoutNetwork, SoftmaxRegression, digits_network, digits_readout
from tests.functions.rounding import EPSILON

BARE, BIASED = (digits_readout(16, bias) for bias in (False, True))


def test_digits_are_pixels_over_sixteen_less_their_means() -> None:
    X, labels = digits_data()
    pixels, expected = load_digits(return_X_y=True)
    # Bit for bit: reports rest on these numbers.
    assert np.array_equal(X, pixels / 16.0 - (pixels / 16.0).mean(axis=0))
    assert np.array_equal(labels, expected)


def test_breast_cancer_is_standardised() -> None:
    X, labels = breast_cancer_data()
    raw, expected = load_breast_cancer(return_X_y=True)
    assert np.array_equal(labels, expected)
    assert X.shape == (569, 30)
    np.testing.assert_allclose(X.mean(axis=0), 0, atol=1e-14)
    np.testing.assert_allclose(X.var(axis=0), 1 / 30, rtol=1e-12)
    assert np.square(X).sum(axis=1).mean() == pytest.approx(1, rel=1e-12)
    assert np.linalg.norm(X, axis=1).max() < 4
    # A feature is moved and scaled, no more.
    assert np.corrcoef(X[:, 3], raw[:, 3])[0, 1] == pytest.approx(1, rel=1e-12)


def test_breast_cancer_has_two_classes() -> None:
    objective = SoftmaxRegression("breast cancer", *breast_cancer_data())
    assert (objective.shape, objective.samples, objective.name) == ((2, 30), 569, "breast cancer")
    assert objective._targets.sum(0).int().tolist() == [212, 357]
    at_zero = objective.loss(torch.zeros(1, 2, 30, dtype=torch.float64)).item()
    assert at_zero == pytest.approx(np.log(2), rel=569 * EPSILON)


def identity(objective: ReadoutNetwork) -> torch.Tensor:
    return torch.eye(*objective.shape, dtype=torch.float64).unsqueeze(0)


def test_digits_network_comes_from_the_seed() -> None:
    one, same, other = (digits_network(400, seed) for seed in (0, 0, 1))
    assert torch.equal(one._readout, same._readout)
    assert not torch.equal(one._readout, other._readout)
    assert (one.shape, one.samples, one.activation) == ((400, 64), 1797, "tanh")
    # 4000 entries N(0, 1/400): mean and variance within five standard errors.
    assert abs(one._readout.mean().item()) < 5 * 0.05 / np.sqrt(4000)
    assert abs(400 * one._readout.var().item() - 1) < 5 * np.sqrt(2 / 4000)
    at_zero = one.loss(torch.zeros(1, 400, 64, dtype=torch.float64)).item()
    assert at_zero == pytest.approx(np.log(10), rel=1797 * EPSILON)


def test_representation_is_the_principal_components() -> None:
    X, _ = digits_data()
    h = BARE._X.numpy()
    assert np.square(h).sum(axis=1).mean() == pytest.approx(1, rel=1e-12)
    covariance = h.T @ h / len(h)
    spectrum = np.linalg.eigvalsh(X.T @ X)[::-1][:16]
    np.testing.assert_allclose(covariance, np.diag(spectrum / spectrum.sum()), atol=1e-12)
    # Each axis, which is had back from the data, has its largest entry positive.
    axes = np.linalg.lstsq(h, X, rcond=None)[0]
    assert (axes[np.arange(16), np.abs(axes).argmax(axis=1)] > 0).all()


def test_readout_is_the_means_of_the_classes() -> None:
    _, labels = digits_data()
    h, U = BARE._X.numpy(), BARE._readout.numpy()
    assert BARE.activation == BIASED.activation == "identity"
    for c in range(10):
        np.testing.assert_allclose(U[c], 8 * h[labels == c].mean(axis=0), atol=1e-13)


def test_bias_adds_a_column_that_moves_the_representation() -> None:
    assert (BARE.shape, BIASED.shape) == ((16, 16), (16, 17))
    assert torch.equal(BIASED._X[:, :16], BARE._X)
    assert torch.equal(BIASED._X[:, 16], torch.ones(1797, dtype=torch.float64))
    assert torch.equal(BIASED._readout, BARE._readout)
    W, shift = identity(BIASED), torch.arange(16, dtype=torch.float64) / 16
    W[0, :, 16] = shift
    expected = (BARE._X + shift) @ BARE._readout.T
    torch.testing.assert_close(BIASED.logits(W)[0], expected, rtol=0, atol=1e-13)
