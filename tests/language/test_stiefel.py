"""LoReFT's descent inequality on the Stiefel manifold, in (R, V) and in (R, U), by plain NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boundcheck.language.catalogue import catalogue
from tests.layers import examples

IDS = ("meft.loreft_rank1", "meft.loreft_sharp", "meft.loreft", "meft.loreft_trained")


def excess(
    rows: tuple[np.ndarray, np.ndarray],
    V: tuple[np.ndarray, np.ndarray],
    W0: np.ndarray,
    L: float,
    G: float,
    bend: float,
    *,
    trained: bool = False,
) -> float:
    """The left side of the claims over ‖v_2 - v_1‖²/2, where f is a separable Huber function; in (R, U), of U_i."""
    (R1, R2), (V1, V2) = rows, V

    def f(W: np.ndarray) -> float:
        small = np.minimum(abs(W), bend)
        return float((small * abs(W) - small**2 / 2).sum())

    weights = [W0 + R.T @ X for R, X in zip(rows, V, strict=True)]
    M = np.clip(weights[0], -bend, bend)
    # Scaled, so that ‖∇f‖_op ≤ G at W_1; f is then L-smooth.
    scale = min(L, G / max(float(np.linalg.norm(M, 2)), 1e-12))
    M = scale * M
    slope, moved = V1 @ M.T, V2 - V1
    if trained:
        # U = V + R W_0.
        slope, moved = slope - R1 @ M @ W0.T, moved + (R2 - R1) @ W0
    slope = slope - (slope @ R1.T + R1 @ slope.T) @ R1 / 2
    linear = (slope * (R2 - R1)).sum() + ((R1 @ M) * moved).sum()
    way = ((R2 - R1) ** 2).sum() + (moved**2).sum()
    if way < 1e-9:
        # The points are one but for rounding, and so would the quotient be.
        return 0.0
    return float(2 * (scale * (f(weights[1]) - f(weights[0])) - linear) / way)


@pytest.mark.parametrize("id", IDS)
@examples(200)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1e-3, 0.1, 1.0]), st.sampled_from([0.05, 1.0, 20.0]))
def test_it_holds_at_any_two_points(id: str, seed: int, way: float, bend: float) -> None:
    random = np.random.default_rng(seed)
    r = 1 if id == "meft.loreft_rank1" else int(random.integers(1, 4))
    d, k = int(random.integers(r, 6)), int(random.integers(1, 6))
    start = random.standard_normal((r, d))
    rows = tuple(np.linalg.qr(X.T)[0].T for X in (start, start + way * random.standard_normal((r, d))))
    # QR chooses signs: those that bring the rows near each other again.
    rows = rows[0], np.sign((rows[0] * rows[1]).sum(1, keepdims=True)) * rows[1]
    nu, L, G = np.exp(random.uniform(-2, 2, 3))
    first = random.standard_normal((r, k))
    V = tuple(nu * X / max(np.linalg.norm(X, 2), 1.0) for X in (first, first + way * random.standard_normal((r, k))))
    numbers = {"L": L, "G": G, "nu": nu} | ({"r": 1} if r == 1 and "rank1" in id else {})
    bound = catalogue[id].bound(**numbers)
    W0, trained = random.standard_normal((d, k)), id == "meft.loreft_trained"
    W0 /= max(np.linalg.norm(W0, 2), 1.0) if trained else 1.0
    assert excess(rows, V, W0, L, G, bend, trained=trained) <= bound * (1 + 1e-6) + 1e-6
