"""Matrices have what was prescribed, reach every edge case, shrink to readable ones, and contradictions are refused."""

from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given, seed, settings
from hypothesis.strategies import DataObject, SearchStrategy

from boundcheck.errors import InputError
from boundcheck.testing import SIZES, ball, matrices, orthogonal, shapes
from tests.layers import examples, sampled
from tests.testing.exact import ROUNDING, as_array, is_within, singular_values
from tests.testing.found import smallest, some

DTYPES, LIBRARIES = ("float32", "float64"), ("numpy", "torch")
KINDS = ("zero", "extremal", "repeated", "rank-deficient", "generic", "ill-conditioned")

each_dtype = pytest.mark.parametrize("dtype", DTYPES)
each_library = pytest.mark.parametrize("library", LIBRARIES)


@each_library
@each_dtype
def test_library_and_dtype_are_as_asked(library: str, dtype: str) -> None:
    for strategy in (matrices, lambda **kind: ball((2, 3), 1.0, **kind), lambda **kind: orthogonal(3, 2, **kind)):
        X = some(strategy(library=library, dtype=dtype))
        assert isinstance(X, np.ndarray if library == "numpy" else torch.Tensor)
        assert str(X.dtype).removeprefix("torch.") == dtype


@each_dtype
@given(data=st.data())
def test_a_norm_is_met_from_below(dtype: str, data: DataObject) -> None:
    norm = data.draw(SIZES)
    rank = data.draw(st.none() | st.integers(1, 5))
    shape = data.draw(shapes(6, least=rank or 1))
    X = data.draw(matrices(shape, rank=rank, norm=norm, dtype=dtype))
    assert X.shape == shape
    assert is_within(X, norm)
    assert singular_values(X)[0] >= norm * (1 - ROUNDING[dtype])


@each_dtype
@examples(5)
@given(data=st.data())
def test_a_norm_is_met_from_below_by_large_matrices(dtype: str, data: DataObject) -> None:
    X = data.draw(matrices((64, 64), rank=64, norm=0.7, dtype=dtype))
    assert is_within(X, 0.7)
    assert singular_values(X)[0] >= 0.7 * (1 - ROUNDING[dtype])


@each_dtype
@given(data=st.data())
def test_a_ball_holds_its_matrices(dtype: str, data: DataObject) -> None:
    radius = data.draw(SIZES)
    assert is_within(data.draw(ball(data.draw(shapes(6)), radius, dtype=dtype)), radius)


@given(st.integers(0, 8), st.data())
def test_a_rank_is_met(rank: int, data: DataObject) -> None:
    S = singular_values(data.draw(matrices(rank=rank)))
    assert (ROUNDING["float64"] * S[0] < S).sum() == rank


@each_dtype
@given(data=st.data())
def test_singular_values_are_met(dtype: str, data: DataObject) -> None:
    spectrum = data.draw(st.lists(st.one_of(st.just(0.0), st.floats(0.125, 8)), max_size=5))
    X = data.draw(matrices(spectrum=spectrum, dtype=dtype))
    S, largest = singular_values(X), max(spectrum, default=0.0)
    expected = np.zeros(len(S))
    expected[: len(spectrum)] = sorted(spectrum, reverse=True)
    np.testing.assert_allclose(S, expected, rtol=0, atol=ROUNDING[dtype] * largest)
    assert largest == 0 or is_within(X, largest)


@each_dtype
@given(data=st.data())
def test_a_condition_number_is_met(dtype: str, data: DataObject) -> None:
    most = {"float32": 2.0, "float64": 12.0}[dtype]
    condition = 10 ** data.draw(st.floats(0, most))
    S = singular_values(data.draw(matrices(condition=condition, dtype=dtype)))
    assert S[-1] * condition == pytest.approx(S[0], rel=ROUNDING[dtype] * condition)


WANTED = {
    "zero": lambda S: S[0] == 0,
    "extremal": lambda S: len(S) > 2 and S[-1] > S[0] * (1 - 1e-6) > 0,
    "repeated": lambda S: (
        len(S) > 3 and S[1] > S[0] * (1 - 1e-6) and S[2] < S[0] / 1.5 and S[3] > S[2] * (1 - 1e-6) > 0
    ),
    "rank-deficient": lambda S: S[0] > 0 and S[-1] < 1e-15 * S[0],
    "generic": lambda S: len(S) > 2 and S[0] > 0 and 0.1 < S[-1] / S[0] < 0.9 and len({*S.round(3)}) == len(S),
    "ill-conditioned": lambda S: S[0] > 0 and 0.9e-12 < S[-1] / S[0] < 1.1e-12,
}


@sampled(3, 1)
@each_library
@each_dtype
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_spectrum_is_drawn(kind: str, dtype: str, library: str) -> None:
    for strategy in (matrices(library=library, dtype=dtype), ball((4, 5), 2.0, library=library, dtype=dtype)):
        some(strategy, lambda X: WANTED[kind](singular_values(X)))


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_a_kind_is_what_it_says(kind: str, data: DataObject) -> None:
    S = singular_values(data.draw(matrices(spectrum=kind)))
    count = len(S)
    rounding = ROUNDING["float64"] * S[0]
    if kind == "zero":
        assert S[0] == 0
    elif kind == "extremal":
        assert S[-1] >= S[0] - rounding > 0
    elif kind == "repeated":
        assert (S[0 : count - 1 : 2] - S[1:count:2] <= rounding).all()
    elif kind == "rank-deficient":
        assert S[-1] <= rounding < S[0]
    elif kind == "generic":
        assert S[0] > 0
    else:
        assert S[-1] == pytest.approx(1e-12 * S[0], rel=1e-2)


@sampled(3)
@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param(lambda X: np.abs(X).max() > 100, id="large"),
        pytest.param(lambda X: 0 < np.abs(X).max() < 0.01, id="small"),
        *(pytest.param(lambda X, s=s: X.shape == s, id=str(s)) for s in [(1, 1), (1, 8), (8, 1), (8, 8)]),
    ],
)
def test_extreme_sizes_and_shapes_are_drawn(wanted: Callable[[np.ndarray], bool]) -> None:
    some(matrices(), wanted)


def test_points_inside_of_a_ball_are_drawn() -> None:
    some(ball((3, 3), 2.0), lambda X: 0 < singular_values(X)[0] < 1.9)


@each_dtype
@given(data=st.data())
def test_orthogonal_matrices_are_orthonormal(dtype: str, data: DataObject) -> None:
    rows, columns = data.draw(shapes(9))
    Q = as_array(data.draw(orthogonal(rows, columns, dtype=dtype)))
    assert Q.shape == (rows, columns)
    gram = Q.T @ Q if rows >= columns else Q @ Q.T
    np.testing.assert_allclose(gram, np.eye(min(rows, columns)), rtol=0, atol=ROUNDING[dtype])


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param(lambda Q: (-np.eye(3)[::-1] == Q).all(), id="signed permutation"),
        pytest.param(lambda Q: np.isclose(np.abs(Q), np.array([1, 2]).max() / 3).sum() == 6, id="reflection"),
        pytest.param(lambda Q: not np.isclose(Q * 840, (Q * 840).round()).any(), id="random"),
    ],
)
def test_orthogonal_matrices_of_each_kind_are_drawn(wanted: Callable[[np.ndarray], bool]) -> None:
    some(orthogonal(3, 3), wanted)


READABLE = {
    "any": (matrices(), lambda X: True, [[0]]),
    "not 0": (matrices(), lambda X: X.any(), [[1]]),
    "norm": (matrices(norm=3), lambda X: True, [[3]]),
    "rank and norm": (matrices((3, 3), rank=2, norm=2), lambda X: True, [[2, 0, 0], [0, 2, 0], [0, 0, 0]]),
    "a row of two": (matrices(), lambda X: X.any() and X.shape[1] > 1, [[1, 0]]),
    "rank-deficient": (matrices(spectrum="rank-deficient"), lambda X: True, [[1, 0], [0, 0]]),
    "singular values": (matrices(spectrum=[1, 3]), lambda X: True, [[3, 0], [0, 1]]),
    "condition": (matrices(condition=8, norm=1), lambda X: True, [[1, 0], [0, 1 / 8]]),
    "ball": (ball((2, 2), 5.0), lambda X: X.any(), [[5, 0], [0, 5]]),
    "orthogonal": (orthogonal(2, 3), lambda X: True, [[1, 0, 0], [0, 1, 0]]),
}


@pytest.mark.full
@pytest.mark.parametrize("case", READABLE)
def test_examples_shrink_to_a_small_diagonal_matrix(case: str) -> None:
    strategy, wanted, expected = READABLE[case]
    assert smallest(strategy, wanted).tolist() == expected


@pytest.mark.full
def test_examples_that_are_not_diagonal_shrink_to_readable_ones() -> None:
    swap = smallest(matrices((3, 3), norm=1), lambda X: X[0, 1] != 0)
    assert {*np.abs(swap).ravel().tolist()} == {0.0, 1.0}
    dense = smallest(matrices((3, 3), norm=1), lambda X: (X != 0).all())
    np.testing.assert_allclose(np.abs(3 * dense).round(6) % 1, 0)


def drawn(strategy: SearchStrategy) -> list[bytes]:
    found = []

    @seed(5)
    @settings(max_examples=20, database=None, derandomize=False)
    @given(strategy)
    def draw(X: np.ndarray) -> None:
        found.append(X.tobytes())

    draw()
    return found


def global_generators() -> list[Any]:
    return [np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()]  # noqa: NPY002


def test_the_same_seed_draws_the_same_whatever_the_global_generators_are() -> None:
    first = drawn(matrices())
    assert len({*first}) > 10
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002
    assert drawn(matrices()) == first


def test_no_global_generator_is_used() -> None:
    used = []

    def is_random(Q: np.ndarray) -> bool:
        used.append(global_generators())
        return not np.isclose(Q * 840, (Q * 840).round()).any()

    some(orthogonal(3, 3), is_random)
    assert used[1:] == used[:-1]


REFUSED: list[tuple[str, Callable[[], Any]]] = [
    ("shape", lambda: matrices((0, 3))),
    ("shape", lambda: matrices((2,))),
    ("shape", lambda: matrices((2, 3), rank=3)),
    ("shape", lambda: matrices((1, 3), spectrum=[1, 2])),
    ("shape", lambda: matrices((1, 3), spectrum="rank-deficient")),
    ("shape", lambda: matrices((2, 2), rank=2, spectrum="rank-deficient")),
    ("shape", lambda: matrices((1, 2), spectrum="ill-conditioned")),
    ("shape", lambda: matrices((1, 2), condition=2)),
    ("rank", lambda: matrices(rank=-1)),
    ("rank", lambda: matrices(rank=1.0)),
    ("rank", lambda: matrices(rank=True)),
    ("rank", lambda: matrices((3, 3), rank=2, condition=5)),
    ("rank", lambda: matrices(rank=1, spectrum="zero")),
    ("rank", lambda: matrices(rank=1, spectrum="repeated")),
    ("rank", lambda: matrices(rank=0, spectrum="rank-deficient")),
    ("rank", lambda: matrices(rank=2, spectrum=[1, 1])),
    ("norm", lambda: matrices(norm=0)),
    ("norm", lambda: matrices(norm=float("nan"))),
    ("norm", lambda: matrices(norm=1e39, dtype="float32")),
    ("norm", lambda: matrices(norm=1, rank=0)),
    ("norm", lambda: matrices(norm=1, spectrum="zero")),
    ("norm", lambda: matrices(norm=1, spectrum=[1])),
    ("condition", lambda: matrices(condition=0.5)),
    ("condition", lambda: matrices(condition=1e13)),
    ("condition", lambda: matrices(condition=1e5, dtype="float32")),
    ("condition", lambda: matrices(condition=2, rank=1)),
    ("condition", lambda: matrices(condition=1, rank=0)),
    ("condition", lambda: matrices(condition=2, spectrum="generic")),
    ("condition", lambda: matrices(condition=2, spectrum=[2, 1])),
    ("spectrum", lambda: matrices(spectrum="flat")),
    ("spectrum", lambda: matrices(spectrum=[-1])),
    ("spectrum", lambda: matrices(spectrum=[float("inf")])),
    ("library", lambda: matrices(library="jax")),
    ("dtype", lambda: matrices(dtype="float16")),
    ("radius", lambda: ball((2, 2), -1.0)),
    ("shape", lambda: ball((2, 0), 1.0)),
    ("rows", lambda: orthogonal(0, 2)),
    ("columns", lambda: orthogonal(2, 0)),
    ("largest", lambda: shapes(0)),
    ("least", lambda: shapes(3, least=0)),
]


@pytest.mark.parametrize(("field", "call"), REFUSED)
def test_contradictions_are_refused_at_once(field: str, call: Callable[[], Any]) -> None:
    with pytest.raises(InputError) as caught:
        call()
    assert caught.value.field == field


def test_a_drawn_shape_that_does_not_fit_is_refused_when_it_is_drawn() -> None:
    strategy = matrices(st.just((2, 3)), rank=3)
    with pytest.raises(InputError, match="shape"):
        some(strategy)
