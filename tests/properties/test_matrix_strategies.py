"""Matrices and points have what was prescribed, whatever was drawn before, and lie in their ball or
domain, exactly."""

from functools import partial

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given, seed, settings

from boundcheck.functions.arithmetic import spectral_norm
from boundcheck.properties import (
    SIZES,
    adapters,
    ball,
    directions,
    domain_points,
    matrices,
    orthogonal,
    shapes,
)
from tests.experiment.small import each_kind
from tests.layers import examples
from tests.properties.small import ROUNDING, as_array, is_within, singular_values, some
from tests.strategies import domains

DTYPES = ("float32", "float64")
LIBRARIES = ("numpy", "torch")
KINDS = ("zero", "extremal", "repeated", "rank-deficient", "generic", "ill-conditioned")

each_dtype = pytest.mark.parametrize("dtype", DTYPES)
each_library = pytest.mark.parametrize("library", LIBRARIES)


@each_library
@each_dtype
def test_library_and_dtype_are_as_asked(library, dtype):
    kind = {"library": library, "dtype": dtype}
    strategies = matrices(**kind), ball((2, 3), 1.0, **kind), orthogonal(3, 2, **kind)
    for X in map(some, strategies):
        assert isinstance(X, np.ndarray if library == "numpy" else torch.Tensor)
        assert str(X.dtype).removeprefix("torch.") == dtype


@each_dtype
@given(data=st.data())
def test_a_norm_is_met_from_below_and_a_rank_is_met(dtype, data):
    norm = data.draw(SIZES)
    rank = data.draw(st.none() | st.integers(1, 5))
    shape = data.draw(shapes(6, least=rank or 1))
    X = data.draw(matrices(shape, rank=rank, norm=norm, dtype=dtype))
    S = singular_values(X)
    assert X.shape == shape
    assert is_within(X, norm)
    assert S[0] >= norm * (1 - ROUNDING[dtype])
    # In float32 a singular value of 1e-12 of the norm is no longer told from 0.
    assert rank is None or dtype == "float32" or (ROUNDING["float64"] * S[0] < S).sum() == rank


@each_dtype
@given(data=st.data())
def test_singular_values_are_met(dtype, data):
    spectrum = data.draw(st.lists(st.one_of(st.just(0.0), st.floats(0.125, 8)), max_size=5))
    X = data.draw(matrices(spectrum=spectrum, dtype=dtype))
    S = singular_values(X)
    largest = max(spectrum, default=0.0)
    expected = np.zeros(len(S))
    expected[: len(spectrum)] = sorted(spectrum, reverse=True)
    np.testing.assert_allclose(S, expected, rtol=0, atol=ROUNDING[dtype] * largest)
    assert largest == 0 or is_within(X, largest)


@each_dtype
@given(data=st.data())
def test_a_condition_number_is_met(dtype, data):
    most = {"float32": 2.0, "float64": 12.0}[dtype]
    condition = 10 ** data.draw(st.floats(0, most))
    S = singular_values(data.draw(matrices(condition=condition, dtype=dtype)))
    assert S[-1] * condition == pytest.approx(S[0], rel=ROUNDING[dtype] * condition)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_a_kind_is_what_it_says(kind, data):
    S = singular_values(data.draw(matrices(spectrum=kind)))
    count = len(S)
    rounding = ROUNDING["float64"] * S[0]
    assert {
        "zero": S[0] == 0,
        "extremal": S[-1] >= S[0] - rounding > 0,
        "repeated": (S[0 : count - 1 : 2] - S[1:count:2] <= rounding).all(),
        "rank-deficient": S[-1] <= rounding < S[0],
        "generic": S[0] > 0,
        "ill-conditioned": S[-1] == pytest.approx(1e-12 * S[0], rel=1e-2),
    }[kind]


@each_dtype
@given(data=st.data())
def test_orthogonal_matrices_are_orthonormal(dtype, data):
    rows, columns = data.draw(shapes(9))
    Q = as_array(data.draw(orthogonal(rows, columns, dtype=dtype)))
    assert Q.shape == (rows, columns)
    gram = Q.T @ Q if rows >= columns else Q @ Q.T
    np.testing.assert_allclose(gram, np.eye(min(rows, columns)), rtol=0, atol=ROUNDING[dtype])


def test_the_same_seed_draws_the_same_and_no_global_generator_is_used():
    def drawn():
        found = []

        @seed(5)
        @settings(max_examples=40, database=None, derandomize=False)
        @given(matrices())
        def draw(X):
            found.append(X.tobytes())

        draw()
        return found

    def state():
        return [np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()]  # noqa: NPY002

    before = state()
    first = drawn()
    assert state() == before
    assert len({*first}) > 10
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002
    assert drawn() == first


@each_kind
@examples(40)
@given(data=st.data())
def test_domain_points_lie_in_the_domain(kind, data):
    adapter = data.draw(adapters(kind))
    radii = data.draw(domains(adapter))
    v = data.draw(domain_points(adapter, radii, replicas=2))
    adapter.check(v, radii)
    for block, part in zip(adapter.blocks, adapter.bounded(v), strict=True):
        if block.norm == "spectral":
            assert is_within(part[0], radii[block.radius])
        elif block.norm == "max":
            assert float(part.abs().max()) <= radii[block.radius]


def at_radius(adapter, v, radii):
    """Whether all blocks with a radius are extremal: singular values, or entries, all equal to
    it."""
    sizes = [
        (part.abs().amin() if block.norm == "max" else torch.linalg.svdvals(part).amin())
        / radii[block.radius]
        for block, part in zip(adapter.blocks, adapter.bounded(v), strict=True)
        if block.radius
    ]
    return min(map(float, sizes)) > 1 - 1e-12


@each_kind
def test_extremal_points_of_every_claim_are_drawn(kind):
    adapter = some(adapters(kind, (4, 5), rank=3))
    radii = dict.fromkeys(adapter.radius_names, 0.1)
    strategy = domain_points(adapter, radii)
    some(strategy, lambda v: at_radius(adapter, v, radii))
    curved = [block.norm == "orthonormal" for block in adapter.blocks]
    at_zero = partial(zip, curved, strict=True)
    some(
        strategy,
        lambda v: all(
            bent or part.abs().max() < 1e-15 for bent, part in at_zero(adapter.bounded(v))
        ),
    )


@given(data=st.data())
def test_directions_are_batched(data):
    adapter = data.draw(adapters("lora"))
    u = data.draw(directions(adapter, replicas=3))
    assert [tuple(part.shape) for part in u] == [(3, *block.shape) for block in adapter.blocks]
    assert max(spectral_norm(part).max().item() for part in u) <= 1
