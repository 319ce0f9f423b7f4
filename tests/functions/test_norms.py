"""Norms of blocks, and the domains that they make: points drawn, projected, told inside from outside, and refused."""

import math
from collections.abc import Callable
from itertools import pairwise

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis.strategies import DataObject

from boundcheck.functions.adapters import ADAPTERS, Adapter, DoRA
from boundcheck.functions.arithmetic import Point, inner, lengths, product, spectral_norm, square_norm
from boundcheck.properties import SEEDS, SIZES, adapters, ball, domain_points, domains, matrices, shapes
from tests.experiment.small import refused
from tests.layers import examples, sampled

EPSILON = 2.0**-52
# How far inside of the boundary `draw` and `project` stay, and what may be computed of it.
NEAR = 2e-13

each_kind = pytest.mark.parametrize("kind", ADAPTERS)
some_examples = examples(15)


@given(st.lists(matrices((3, 5)), min_size=1, max_size=4), st.lists(matrices((4, 3)), min_size=4, max_size=4))
def test_norm_and_inner_product_are_those_of_the_concatenation(A: list[np.ndarray], B: list[np.ndarray]) -> None:
    v = (torch.tensor(np.stack(A)), torch.tensor(np.stack(B[: len(A)])))
    u = (v[0].flip(0), v[1].flip(0))
    for count in (1, 2, 3):
        v, u = ((*point, point[0])[:count] for point in (v, u))
        flat_v, flat_u = (torch.cat([part.flatten(1) for part in point], 1) for point in (v, u))
        torch.testing.assert_close(square_norm(v), (flat_v * flat_v).sum(1), rtol=64 * EPSILON, atol=0)
        torch.testing.assert_close(lengths(v).square().sum(0), square_norm(v), rtol=64 * EPSILON, atol=0)
        size = (square_norm(v) * square_norm(u)).sqrt().max().item()
        torch.testing.assert_close(inner(u, v), (flat_u * flat_v).sum(1), rtol=0, atol=64 * EPSILON * size)


@given(st.data(), shapes(12))
def test_spectral_norm_is_the_largest_singular_value(data: DataObject, shape: tuple[int, int]) -> None:
    batch = np.stack([data.draw(matrices(shape)) for _ in range(3)])
    expected = np.linalg.svd(batch, compute_uv=False)[:, 0]
    np.testing.assert_allclose(spectral_norm(torch.tensor(batch)).numpy(), expected, rtol=4 * sum(shape) * EPSILON)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (5, 5)])
def test_spectral_norm_of_zero_is_zero(shape: tuple[int, int]) -> None:
    assert spectral_norm(torch.zeros(2, *shape, dtype=torch.float64)).tolist() == [0, 0]


@pytest.mark.parametrize("size", [1e-300, 1e-160, 1e150, 1e200, 1e300])
def test_spectral_norm_of_numbers_whose_squares_are_none(size: float) -> None:
    X = torch.tensor([[[3.0, 0.0], [0.0, 4.0], [0.0, 0.0]]], dtype=torch.float64)
    assert spectral_norm(size * X).item() == pytest.approx(4 * size, rel=1e-14)


@pytest.mark.parametrize("entry", [math.nan, math.inf, -math.inf])
def test_a_matrix_with_an_entry_that_is_no_number_has_norm_infinity(entry: float) -> None:
    X = torch.eye(3, dtype=torch.float64).repeat(2, 1, 1)
    X[0, 1, 2] = entry
    assert spectral_norm(X).tolist() == [math.inf, 1.0]


def sizes(adapter: Adapter, v: Point) -> list[np.ndarray]:
    """The norm of each block and replica, by singular values and entries."""
    found = []
    for block, part in zip(adapter.blocks, adapter.bounded(v), strict=True):
        match block.norm:
            case "spectral":
                found.append(np.linalg.svd(part.numpy(), compute_uv=False)[:, 0])
            case "max":
                found.append(np.abs(part.numpy()).max((1, 2)))
            case "orthonormal":
                found.append(np.abs(np.linalg.svd(part.numpy(), compute_uv=False) ** 2 - 1).max(1))
    return found


def limits(adapter: Adapter, radii: dict[str, float]) -> list[float]:
    return [radii[block.radius] if block.radius else 1e-12 for block in adapter.blocks]


@each_kind
@some_examples
@given(st.data())
def test_points_are_drawn_inside_and_half_of_them_extremal(kind: str, data: DataObject) -> None:
    adapter = data.draw(adapters(kind, most=16))
    radii = data.draw(domains(adapter))
    v = adapter.draw(radii, 8, torch.Generator().manual_seed(data.draw(SEEDS)))
    assert [tuple(part.shape) for part in v] == [(8, *block.shape) for block in adapter.blocks]
    assert adapter.inside(v, radii).all()
    adapter.check(v, radii)
    for norms, limit in zip(sizes(adapter, v), limits(adapter, radii), strict=True):
        assert (norms <= limit).all()
    for block, part in zip(adapter.blocks, adapter.bounded(v), strict=True):
        if block.norm == "max":
            assert (part[::2].abs() == radii[block.radius]).all()
            assert (part[1::2].abs() < radii[block.radius]).all()
        elif block.norm == "spectral":
            values = np.linalg.svd(part.numpy(), compute_uv=False)
            assert (values[::2] >= radii[block.radius] * (1 - NEAR)).all()
            assert (values[1::2].min(1) < radii[block.radius] * (1 - NEAR)).all()


@each_kind
def test_points_are_drawn_from_the_generator_and_differ(kind: str) -> None:
    adapter = small(kind)
    radii = dict.fromkeys(adapter.radius_names, 0.1)
    one, same, other = (adapter.draw(radii, 5, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1))
    for x, y, z in zip(one, same, other, strict=True):
        assert torch.equal(x, y)
        assert not torch.equal(x, z)
        assert not any(torch.equal(x[i], x[j]) for i, j in pairwise(range(1, 5, 2)))


def small(kind: str) -> Adapter:
    """One adapter of rank 2 on 3 x 4 matrices."""
    W0 = torch.eye(3, 4, dtype=torch.float64) + 2
    A, B = torch.ones(2, 4, dtype=torch.float64), torch.ones(3, 2, dtype=torch.float64)
    frozen = {"full": [], "frozen-a": [A], "frozen-b": [B], "vera": [A, B]}
    return ADAPTERS[kind](W0, *frozen.get(kind, [2]))


@sampled(3, 0)
@each_kind
@some_examples
@given(st.data())
def test_what_is_inside_is_projected_to_itself(kind: str, data: DataObject) -> None:
    adapter = data.draw(adapters(kind))
    radii = data.draw(domains(adapter))
    v = data.draw(domain_points(adapter, radii, replicas=2))
    drawn = adapter.draw(radii, 8, torch.Generator().manual_seed(data.draw(SEEDS)))
    for point in (v, drawn):
        assert adapter.inside(point, radii).all()
        projected = adapter.project(point, radii)
        for block, x, y in zip(adapter.blocks, point, projected, strict=True):
            if block.norm == "orthonormal" or kind == "loreft-trained":
                torch.testing.assert_close(x, y, rtol=0, atol=1e-14 * (1 + max(radii.values(), default=0.0)))
            else:
                assert torch.equal(x, y)


@sampled(3, 1)
@each_kind
@some_examples
@given(st.data(), SIZES)
def test_projection_leads_inside_and_is_idempotent(kind: str, data: DataObject, factor: float) -> None:
    adapter = data.draw(adapters(kind))
    radii = data.draw(domains(adapter))
    v = tuple(factor * part for part in data.draw(domain_points(adapter, radii, replicas=2)))
    projected = adapter.project(v, radii)
    assert adapter.inside(projected, radii).all()
    for block, x, y in zip(adapter.blocks, projected, adapter.project(projected, radii), strict=True):
        if block.norm == "orthonormal" or kind == "loreft-trained":
            torch.testing.assert_close(x, y, rtol=0, atol=1e-14 * (1 + max(radii.values(), default=0.0)))
        else:
            assert torch.equal(x, y)


@sampled(3, 0)
@each_kind
@some_examples
@given(st.data(), SIZES)
def test_projection_is_onto_the_nearest_point(kind: str, data: DataObject, factor: float) -> None:
    """No point of the domain lies further along what was cut off; of a manifold, none lies further along v itself."""
    adapter = data.draw(adapters(kind))
    radii = data.draw(domains(adapter))
    v = tuple(factor * part for part in data.draw(domain_points(adapter, radii, replicas=2)))
    if not adapter.is_flat:
        v = (v[0] + factor * torch.tensor(data.draw(ball(tuple(v[0].shape[1:]), 1.0))), v[1])
    projected = adapter.project(v, radii)
    # Where U is rounded beside R, so is what was cut off.
    beside = max(v[0].norm().item(), projected[0].norm().item()) if kind == "loreft-trained" else 0.0
    for block, x, y in zip(adapter.blocks, *map(adapter.bounded, (v, projected)), strict=True):
        away = x if block.norm == "orthonormal" else x - y
        match block.norm:
            case "spectral":
                furthest = radii[block.radius] * torch.linalg.svdvals(away).sum(-1)
            case "max":
                furthest = radii[block.radius] * away.abs().sum((1, 2))
            case "orthonormal":
                furthest = torch.linalg.svdvals(away).sum(-1)
        reached = (away * y).sum((1, 2))
        radius = radii.get(block.radius, 1.0)
        scale = (x.norm().item() + beside) * max(y.norm().item(), radius if beside else 0.0)
        assert (reached >= furthest * (1 - 4 * NEAR * (1 + beside / radius)) - 1e-14 * scale).all()


@each_kind
@some_examples
@given(st.data(), st.floats(1e-9, 10))
def test_a_point_off_the_domain_is_not_inside_and_is_refused_by_name(
    kind: str, data: DataObject, excess: float
) -> None:
    adapter = data.draw(adapters(kind))
    radii = data.draw(domains(adapter))
    drawn = adapter.draw(radii, 2, torch.Generator().manual_seed(data.draw(SEEDS)))
    number = data.draw(st.integers(0, len(drawn) - 1))
    # The first of two is extremal.
    v = tuple(part * (1 + excess) if i == number else part for i, part in enumerate(drawn))
    assert not adapter.inside(v, radii)[0]
    error, block = refused(adapter.check, v, radii), adapter.blocks[number]
    assert error.field == f"v.{block.name}"
    words = ("orthonormal",) if block.norm == "orthonormal" else ("at most", block.radius)
    assert all(word in error.expected for word in words)
    adapter.check(v)


@each_kind
@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda x: x * math.nan, id="NaN"),
        pytest.param(lambda x: x * math.inf, id="infinite"),
        pytest.param(lambda x: x[0], id="one point without its axis"),
        pytest.param(lambda x: x.mT, id="transposed"),
        pytest.param(lambda x: x[..., None], id="four axes"),
        pytest.param(lambda x: x[:, :0], id="no rows"),
        pytest.param(lambda x: x[:0], id="no replicas"),
        pytest.param(lambda x: x[0, 0, 0], id="a number"),
    ],
)
def test_a_block_that_is_none_is_refused_by_name(kind: str, spoil: Callable[[torch.Tensor], torch.Tensor]) -> None:
    adapter = small(kind)
    radii = dict.fromkeys(adapter.radius_names, 0.1)
    v = adapter.draw(radii, 3, torch.Generator().manual_seed(0))
    for number, block in enumerate(adapter.blocks):
        bad = tuple(spoil(part) if i == number else part for i, part in enumerate(v))
        for limits in (None, radii):
            assert refused(adapter.check, bad, limits).field == f"v.{block.name}"


@pytest.mark.parametrize("kind", sorted(set(ADAPTERS) - {"full", "frozen-a", "frozen-b"}))
def test_blocks_of_unequal_numbers_of_replicas_are_refused(kind: str) -> None:
    adapter = small(kind)
    v = adapter.draw(dict.fromkeys(adapter.radius_names, 0.1), 3, torch.Generator().manual_seed(0))
    error = refused(adapter.check, (v[0], *(part[:2] for part in v[1:])))
    assert error.field in {f"v.{block.name}" for block in adapter.blocks}


@each_kind
def test_another_number_of_blocks_is_refused(kind: str) -> None:
    adapter = small(kind)
    v = adapter.draw(dict.fromkeys(adapter.radius_names, 0.1), 3, torch.Generator().manual_seed(0))
    for bad in ((), v[:-1], (*v, v[0])):
        error = refused(adapter.check, bad)
        assert error.field == "v"
        assert all(block.name in error.expected for block in adapter.blocks)


@sampled(3, 2)
@each_kind
@some_examples
@given(st.data())
def test_reach_is_how_far_w_can_be(kind: str, data: DataObject) -> None:
    adapter = data.draw(adapters(kind))
    radii = data.draw(domains(adapter))
    reach = adapter.reach(radii)
    drawn = adapter.draw(radii, 16, torch.Generator().manual_seed(data.draw(SEEDS)))
    for v in (drawn, data.draw(domain_points(adapter, radii, replicas=2))):
        rounding = (adapter.sizes(v).terms * EPSILON * adapter.sizes(v).weight).max().item()
        assert (adapter.weight(v) - adapter.W0).norm(dim=(1, 2)).max().item() <= reach + rounding


@pytest.mark.parametrize("kind", sorted(set(ADAPTERS) - {"dora"}))
def test_reach_is_reached_where_all_singular_values_are_at_their_radii(kind: str) -> None:
    """At rank 1 on 1 x 1 matrices every bound is an equality."""
    one = torch.ones(1, 1, dtype=torch.float64)
    adapter = ADAPTERS[kind](
        3 * one,
        *{"frozen-a": [2 * one], "frozen-b": [2 * one], "vera": [2 * one, 5 * one]}.get(
            kind, [] if kind == "full" else [1]
        ),
    )
    radii = dict.fromkeys(adapter.radius_names, 0.7)
    v = adapter.draw(radii, 1, torch.Generator().manual_seed(0))
    assert (adapter.weight(v) - adapter.W0).abs().item() == pytest.approx(adapter.reach(radii), rel=1e-11)


def jacobian(adapter: Adapter, v: Point) -> np.ndarray:
    """DW(v)^T, from the pull-back of each unit matrix."""
    d, k = adapter.W0.shape
    units = torch.eye(d * k, dtype=torch.float64).reshape(-1, d, k)
    rows = adapter.pull_back(tuple(part.expand(d * k, -1, -1) for part in v), units)
    return torch.cat([part.flatten(1) for part in rows], 1).numpy()


@sampled(3, 0)
@each_kind
@some_examples
@given(st.data())
def test_jacobian_bound_is_at_least_the_norm_of_the_derivative(kind: str, data: DataObject) -> None:
    adapter = data.draw(adapters(kind))
    radii = data.draw(domains(adapter))
    bound = adapter.jacobian_bound(radii)
    drawn = adapter.draw(radii, 4, torch.Generator().manual_seed(data.draw(SEEDS)))
    points = [data.draw(domain_points(adapter, radii)), *(tuple(x[i : i + 1] for x in drawn) for i in range(4))]
    for v in points:
        assert np.linalg.norm(jacobian(adapter, v), 2) <= bound * (1 + 1e-12)


def test_jacobian_bound_of_dora_does_not_exist_where_a_column_may_vanish() -> None:
    adapter = DoRA(torch.eye(3, dtype=torch.float64), 1)
    # At A = -e_1, B = 2 e_1 and half of the way there, a column of W0 + B A is as short as one likes.
    radii = {"a": 2.0, "b": 2.0, "mu": 1.0}
    assert adapter.jacobian_bound(radii) == math.inf


@each_kind
def test_blocks_have_the_radii_of_their_adapter(kind: str) -> None:
    adapter = small(kind)
    named = [block.radius for block in adapter.blocks if block.radius]
    assert tuple(dict.fromkeys(named)) == adapter.radius_names
    assert adapter.is_flat != kind.startswith("loreft")


@pytest.mark.parametrize("size", [3, 40])
def test_product_of_small_and_of_large_matrices(size: int) -> None:
    X = torch.tensor(np.random.default_rng(0).standard_normal((5, size, size)))
    with torch.inference_mode():
        torch.testing.assert_close(product(X, X.mT), X @ X.mT, rtol=1e-13, atol=1e-13)
        torch.testing.assert_close(product(X.mT, X[0]), X.mT @ X[0], rtol=1e-13, atol=1e-13)
