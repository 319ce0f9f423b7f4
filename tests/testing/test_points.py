"""Points lie in their ball, exactly; aligned and adversarial pairs are that; every kind is drawn, for every adapter."""

from collections.abc import Callable
from functools import partial
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis.strategies import DataObject

from boundcheck.errors import InputError
from boundcheck.problems.adapters import ADAPTERS, Adapter
from boundcheck.problems.norms import Point, spectral_norm, square_norm
from boundcheck.testing import (
    SIZES,
    adapters,
    directions,
    domain_points,
    domains,
    factor_pairs,
    pairs,
    points,
    shapes,
    weights,
)
from tests.layers import examples, sampled
from tests.testing.exact import ROUNDING, as_array, is_within, singular_values
from tests.testing.found import smallest, some

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


def ranks(pair: tuple[np.ndarray, np.ndarray]) -> list[int]:
    return [int((singular_values(X) > 1e-13).sum()) for X in pair]


def is_extremal(X: Any, radius: float) -> bool:
    return bool((singular_values(X) >= radius * (1 - 1e-6)).all())


@pytest.mark.parametrize("kind", ["adversarial", None])
def test_both_adversarial_instances_are_drawn(kind: str | None) -> None:
    strategy = factor_pairs((4, 5), 3, RADII, kind=kind)
    some(strategy, lambda v: is_extremal(v[0], 2.0) and is_extremal(v[1], 0.5))
    # The instance at which lambda* is attained, in any directions.
    some(strategy, lambda v: ranks(v) == [1, 1] and norm(v[1] @ v[0]) > 0.999 and np.count_nonzero(v[0]) > 5)


@each_dtype
@examples(4)
@given(data=st.data())
def test_the_largest_rank_is_drawn(dtype: str, data: DataObject) -> None:
    A, B = data.draw(factor_pairs((64, 64), 64, RADII, kind="aligned", dtype=dtype))
    assert A.shape == B.shape == (64, 64)
    assert is_within(A, 2.0)
    assert norm(B @ A) == pytest.approx(norm(A) * norm(B), rel=1e-4)


@pytest.mark.full
@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("aligned", ([[0, 0, 0], [0, 0, 0]], [[0, 0], [0, 0]])),
        ("adversarial", ([[2, 0, 0], [0, 2, 0]], [[0.5, 0], [0, 0.5]])),
        ("free", ([[0, 0, 0], [0, 0, 0]], [[0, 0], [0, 0]])),
    ],
)
def test_factors_shrink_to_diagonal_matrices(kind: str, expected: tuple[Any, Any]) -> None:
    A, B = smallest(factor_pairs((2, 3), 2, RADII, kind=kind))
    assert (A.tolist(), B.tolist()) == expected


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param(lambda A, B: is_extremal(A[0], 2.0) and is_extremal(B[0], 0.5), id="both factors extremal"),
        pytest.param(lambda A, B: A.any() and not B.any(), id="LoRA's start, B = 0"),
        pytest.param(lambda A, B: not A.any() and not B.any(), id="the origin"),
        pytest.param(lambda A, B: 0 < spectral_norm(A) < 1.9 and 0 < spectral_norm(B) < 0.49, id="interior"),
        pytest.param(lambda A, B: norm((B @ A)[0]) < 0.9 and norm(A[0]) > 1.9 and norm(B[0]) > 0.4, id="not aligned"),
    ],
)
def test_points_of_each_kind_are_drawn(wanted: Callable[[torch.Tensor, torch.Tensor], bool]) -> None:
    some(points((4, 5), 3, RADII), lambda v: wanted(*v))


@each_dtype
@given(data=st.data())
def test_pairs_lie_in_the_ball(dtype: str, data: DataObject) -> None:
    for point in data.draw(pairs((4, 3), 2, (0.7, 1.3), dtype=dtype)):
        assert [tuple(part.shape) for part in point] == [(1, 2, 3), (1, 4, 2)]
        assert {str(part.dtype) for part in point} == {f"torch.{dtype}"}
        assert is_within(point[0][0], 0.7)
        assert is_within(point[1][0], 1.3)


def apart(v: Point, w: Point) -> float:
    return float(square_norm(tuple(x - y for x, y in zip(v, w, strict=True))).sqrt())


@sampled(6)
@each_dtype
@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param(lambda x: 0 < x < 1.5e-4, id="near"),
        pytest.param(lambda x: 1e-3 < x < 1e-2, id="between"),
        pytest.param(lambda x: x > 4, id="far"),
    ],
)
def test_near_and_far_pairs_are_drawn(wanted: Callable[[float], bool], dtype: str) -> None:
    some(pairs((4, 5), 3, RADII, dtype=dtype), lambda pair: wanted(apart(*pair)))


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


@pytest.mark.full
def test_points_of_a_domain_shrink_to_multiples_of_the_identity() -> None:
    radii = {"a": 2.0, "b": 3.0, "mu": 4.0}
    A, B, m = smallest(domain_points(some(adapters("dora", (2, 2), rank=2)), radii))
    assert (A.tolist(), B.tolist(), m.tolist()) == ([[[2, 0], [0, 2]]], [[[3, 0], [0, 3]]], [[[4, 4]]])


@given(data=st.data())
def test_directions_and_weights_are_batched(data: DataObject) -> None:
    adapter = data.draw(adapters("loha"))
    u = data.draw(directions(adapter, replicas=3))
    assert [tuple(part.shape) for part in u] == [(3, *block.shape) for block in adapter.blocks]
    assert max(spectral_norm(part).max().item() for part in u) <= 1
    W = data.draw(weights((2, 3), replicas=2))
    assert W.shape == (2, 2, 3)
    assert spectral_norm(W).max().item() <= 10


def test_weights_from_zero_to_large_are_drawn() -> None:
    for least, most in ((0, 0), (0.05, 0.1), (9, 10)):
        some(weights((2, 3), 1), lambda W, least=least, most=most: least <= spectral_norm(W).item() <= most)


LORA = some(adapters("lora", (2, 3), rank=1))
REFUSED: list[tuple[str, Callable[[], Any]]] = [
    ("shape", lambda: factor_pairs((2, 0), 1, RADII)),
    ("rank", lambda: factor_pairs((2, 3), 0, RADII)),
    ("radii", lambda: factor_pairs((2, 3), 1, (1.0,))),
    ("radii.b", lambda: factor_pairs((2, 3), 1, (1.0, 0.0))),
    ("kind", lambda: factor_pairs((2, 3), 1, RADII, kind="any")),
    ("dtype", lambda: factor_pairs((2, 3), 1, RADII, dtype="half")),
    ("library", lambda: factor_pairs((2, 3), 1, RADII, library="jax")),
    ("replicas", lambda: points((2, 3), 1, RADII, 0)),
    ("radii.a", lambda: pairs((2, 3), 1, (-1.0, 1.0))),
    ("radii", lambda: domain_points(LORA, {"a": 1.0})),
    ("radii.b", lambda: domain_points(LORA, {"a": 1.0, "b": float("inf")})),
    ("replicas", lambda: domain_points(LORA, {"a": 1.0, "b": 1.0}, 0)),
    ("replicas", lambda: directions(LORA, 0)),
    ("replicas", lambda: weights((2, 3), 0)),
    ("shape", lambda: weights((2, -3))),
]


@pytest.mark.parametrize(("field", "call"), REFUSED)
def test_bad_arguments_are_refused(field: str, call: Callable[[], Any]) -> None:
    with pytest.raises(InputError) as caught:
        call()
    assert caught.value.field == field
