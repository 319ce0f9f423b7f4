"""Points lie in their ball, exactly; aligned and adversarial pairs are that; extremal ones are, for every adapter."""

from functools import partial
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis.strategies import DataObject

from boundcheck.functions.adapters import ADAPTERS, Adapter
from boundcheck.functions.arithmetic import Point, spectral_norm
from boundcheck.properties import (
    SIZES,
    adapters,
    directions,
    domain_points,
    domains,
    factor_pairs,
    pairs,
    shapes,
    weights,
)
from tests.layers import examples, sampled
from tests.properties.exact import ROUNDING, as_array, is_within, singular_values
from tests.properties.found import some

RADII = (2.0, 0.5)
KINDS = ("aligned", "adversarial", "free")

each_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])
each_library = pytest.mark.parametrize("library", ["numpy", "torch"])
each_kind = pytest.mark.parametrize("kind", KINDS)
each_adapter = pytest.mark.parametrize("kind", ADAPTERS)


def norm(X: Any) -> float:
    return float(singular_values(X)[0])


@each_kind
@each_dtype
@examples(50)
@given(data=st.data())
def test_factors_lie_in_the_ball(kind: str, dtype: str, data: DataObject) -> None:
    (d, k), rank = data.draw(shapes(5)), data.draw(st.integers(1, 6))
    a, b = data.draw(SIZES), data.draw(SIZES)
    A, B = data.draw(factor_pairs((d, k), rank, (a, b), kind=kind, dtype=dtype))
    assert (A.shape, B.shape) == ((rank, k), (d, rank))
    assert is_within(A, a)
    assert is_within(B, b)
    if kind != "free":
        product = norm(as_array(B) @ as_array(A))
        assert product == pytest.approx(norm(A) * norm(B), rel=2 * ROUNDING[dtype], abs=0)
    if kind == "adversarial":
        assert norm(A) >= a * (1 - ROUNDING[dtype])
        assert norm(B) >= b * (1 - ROUNDING[dtype])


@each_library
@each_dtype
def test_factors_have_the_library_and_dtype_asked_for(library: str, dtype: str) -> None:
    for X in some(factor_pairs((2, 3), 2, RADII, library=library, dtype=dtype)):
        assert isinstance(X, np.ndarray if library == "numpy" else torch.Tensor)
        assert str(X.dtype).removeprefix("torch.") == dtype


@each_dtype
@examples(4)
@given(data=st.data())
def test_the_largest_rank_is_drawn(dtype: str, data: DataObject) -> None:
    A, B = data.draw(factor_pairs((64, 64), 64, RADII, kind="aligned", dtype=dtype))
    assert A.shape == B.shape == (64, 64)
    assert is_within(A, 2.0)
    assert norm(B @ A) == pytest.approx(norm(A) * norm(B), rel=1e-4)


@each_dtype
@given(data=st.data())
def test_pairs_lie_in_the_ball(dtype: str, data: DataObject) -> None:
    for point in data.draw(pairs((4, 3), 2, (0.7, 1.3), dtype=dtype)):
        assert [tuple(part.shape) for part in point] == [(1, 2, 3), (1, 4, 2)]
        assert {str(part.dtype) for part in point} == {f"torch.{dtype}"}
        assert is_within(point[0][0], 0.7)
        assert is_within(point[1][0], 1.3)


@each_adapter
@examples(40)
@given(data=st.data())
def test_domain_points_lie_in_the_domain(kind: str, data: DataObject) -> None:
    adapter = data.draw(adapters(kind))
    radii = data.draw(domains(adapter))
    v = data.draw(domain_points(adapter, radii, replicas=2))
    adapter.check(v, radii)
    for block, part in zip(adapter.blocks, adapter.bounded(v), strict=True):
        if block.norm == "spectral":
            assert is_within(part[0], radii[block.radius])
        elif block.norm == "max":
            assert float(part.abs().max()) <= radii[block.radius]


def at_radius(adapter: Adapter, v: Point, radii: dict[str, float]) -> bool:
    """Whether all blocks with a radius are extremal: singular values, or entries, all equal to it."""
    sizes = [
        (part.abs().amin() if block.norm == "max" else torch.linalg.svdvals(part).amin()) / radii[block.radius]
        for block, part in zip(adapter.blocks, adapter.bounded(v), strict=True)
        if block.radius
    ]
    return min(map(float, sizes)) > 1 - 1e-12


@sampled(3)
@each_adapter
def test_extremal_points_of_every_claim_are_drawn(kind: str) -> None:
    adapter = some(adapters(kind, (4, 5), rank=3))
    radii = dict.fromkeys(adapter.radius_names, 0.1)
    strategy = domain_points(adapter, radii)
    some(strategy, lambda v: at_radius(adapter, v, radii))
    curved = [block.norm == "orthonormal" for block in adapter.blocks]
    at_zero = partial(zip, curved, strict=True)
    some(strategy, lambda v: all(bent or part.abs().max() < 1e-15 for bent, part in at_zero(adapter.bounded(v))))


@given(data=st.data())
def test_directions_and_weights_are_batched(data: DataObject) -> None:
    adapter = data.draw(adapters("loha"))
    u = data.draw(directions(adapter, replicas=3))
    assert [tuple(part.shape) for part in u] == [(3, *block.shape) for block in adapter.blocks]
    assert max(spectral_norm(part).max().item() for part in u) <= 1
    W = data.draw(weights((2, 3), replicas=2))
    assert W.shape == (2, 2, 3)
    assert spectral_norm(W).max().item() <= 10
