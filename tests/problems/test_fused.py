"""The compiled loops of the pseudo-Huber loss say what torch's operations do."""

import numpy as np
import pytest
import torch

from boundcheck.problems.pseudo_huber import PseudoHuber, synthetic

# What is compiled is in the extra `fast`, which the quick layer does without.
pytestmark = pytest.mark.full
pytest.importorskip("numba")


def weights(size: float) -> torch.Tensor:
    return size * torch.tensor(np.random.default_rng(1).standard_normal((9, 5, 3)))


def objective(delta: float = 0.7) -> PseudoHuber:
    return synthetic(5, 3, 11, delta, 1.0, 0.5, seed=0)


# From 1e19 delta on the squares are beyond float32.
@pytest.mark.parametrize("size", [0.0, 1e-9, 1.0, 1e6, 1e18, 1e19, 1e25, 1e100])
@pytest.mark.parametrize("delta", [1e-6, 0.7, 1e6])
def test_loops_agree_within_rounding(size: float, delta: float) -> None:
    f, W = objective(delta), weights(size)
    indices = torch.tensor(np.random.default_rng(2).integers(f.samples, size=(9, 4)))
    P, Q = (torch.tensor(np.random.default_rng(3).standard_normal(shape)) for shape in ((9, 2, 5), (3, 2)))
    sides = ((P, None), (None, Q), (P, Q), (None, None))
    loss, gradient, mean = f.loss(W), f.gradient(W), f.batch_gradient(W, indices)
    surveys = [f.survey(W, sides, among) for among in (None, indices)]
    loss_error, gradient_error = f.rounding(W, loss)
    with torch.inference_mode():
        assert ((f.loss(W) - loss).abs() <= loss_error).all()
        assert (torch.linalg.matrix_norm(f.gradient(W) - gradient) <= gradient_error).all()
        assert (torch.linalg.matrix_norm(f.batch_gradient(W, indices) - mean) <= gradient_error).all()
        for expected, among in zip(surveys, (None, indices), strict=True):
            found = f.survey(W, sides, among)
            assert ((found.loss - expected.loss).abs() <= loss_error).all()
            assert (torch.linalg.matrix_norm(found.gradient - expected.gradient) <= gradient_error).all()
            torch.testing.assert_close(found.in_v, expected.in_v, rtol=1e-13, atol=0)
            torch.testing.assert_close(found.in_w, expected.in_w, rtol=1e-13, atol=0)


def test_what_is_no_number_stays_none() -> None:
    f, W = objective(), weights(1.0)
    W[3, 1, 1], W[4, 0, 0] = torch.nan, torch.inf
    with torch.inference_mode():
        loss, gradient = f.loss(W), f.survey(W, ((None, None),)).gradient
        batch = f.batch_gradient(W, torch.zeros(9, 2, dtype=torch.int64))
    for found in (loss, gradient.flatten(1).sum(1), batch.flatten(1).sum(1)):
        assert torch.isfinite(found).tolist() == [i not in (3, 4) for i in range(9)]


def test_a_slope_is_right_to_a_few_units_of_roundoff() -> None:
    f = PseudoHuber(np.zeros((1, 1, 1)), 1.0)
    W = torch.tensor(np.geomspace(1e-12, 1e18, 20_001)).view(-1, 1, 1)
    x = W.flatten().numpy().astype(np.longdouble)
    root = np.sqrt(1 + x * x)
    with torch.inference_mode():
        slope = f.batch_gradient(W, torch.zeros(len(W), 1, dtype=torch.int64)).flatten().numpy()
        loss = f.loss(W).flatten().numpy()
    assert abs(slope / (x / root) - 1).max() < 4 * np.finfo(float).eps
    assert abs(loss / (x * x / (1 + root)) - 1).max() < 8 * np.finfo(float).eps


def test_a_loop_is_compiled_where_nothing_can_be_kept_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    from numba.core.caching import CacheImpl

    from boundcheck.problems.compiled.pseudo_huber import _compiled

    monkeypatch.setattr(CacheImpl, "_locator_classes", [])
    assert _compiled(lambda x: x + 1)(1) == 2
