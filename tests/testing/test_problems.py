"""Problems of every kind, rank and scale are drawn, with data that may be zero, ill-conditioned or rank-deficient."""

from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given
from hypothesis.strategies import DataObject

from boundcheck.errors import InputError
from boundcheck.problems.adapters import ADAPTERS, LoRA
from boundcheck.problems.clipped import Clipped
from boundcheck.problems.least_squares import LeastSquares
from boundcheck.problems.pseudo_huber import PseudoHuber
from boundcheck.problems.softmax import SoftmaxRegression
from boundcheck.testing import (
    adapters,
    clipped_problems,
    domains,
    least_squares_problems,
    objectives,
    offsets,
    problems,
    pseudo_huber_problems,
    slopes,
    softmax_problems,
)
from tests.layers import examples, sampled
from tests.testing.found import smallest, some

each_adapter = pytest.mark.parametrize("kind", ADAPTERS)
FAMILIES: dict[type, Callable[..., Any]] = {
    Clipped: clipped_problems,
    PseudoHuber: pseudo_huber_problems,
    SoftmaxRegression: softmax_problems,
    LeastSquares: least_squares_problems,
}


@pytest.mark.parametrize("family", FAMILIES)
@examples(20)
@given(data=st.data())
def test_objectives_have_the_shape_asked_for(family: type, data: DataObject) -> None:
    objective = data.draw(FAMILIES[family]((3, 2)) if family is Clipped else FAMILIES[family]((3, 2), samples=3))
    assert isinstance(objective, family)
    assert tuple(objective.shape) == (3, 2)
    assert objective.samples <= 3
    assert torch.isfinite(objective.gradient(torch.zeros(1, 3, 2, dtype=torch.float64))).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_each_number_of_samples_is_drawn(family: type) -> None:
    most = {} if family is Clipped else {"samples": 3}
    for n in (1, 2, 3):
        some(FAMILIES[family](**most), lambda objective, n=n: objective.samples == n)


@pytest.mark.parametrize("family", [Clipped, PseudoHuber, SoftmaxRegression])
def test_objectives_of_each_kind_are_drawn_and_have_a_bounded_gradient(family: type) -> None:
    objective = some(objectives(), lambda objective: isinstance(objective, family))
    assert objective.gradient_bound.value < float("inf")


def test_objectives_without_curvature_are_drawn() -> None:
    some(objectives(), lambda objective: objective.smoothness.value < 1e-300 and objective.gradient_bound.value == 0)


@given(slopes(), offsets())
def test_slopes_have_a_minimum_and_offsets_cancel(slope: Any, shifts: tuple[Any, ...]) -> None:
    assert slope.knots[0][1] <= 0 <= slope.knots[-1][1]
    assert sum(shifts) == 0
    assert 1 <= len(shifts) <= 3


def test_slopes_that_are_not_convex_are_drawn() -> None:
    some(slopes(), lambda slope: any(piece.slope < 0 for piece in slope.pieces))


@sampled(3)
@each_adapter
def test_adapters_of_each_rank_scale_and_shape_are_drawn(kind: str) -> None:
    for rank in (1, 4):
        some(adapters(kind), lambda adapter, rank=rank: adapter.rank == rank)
    some(adapters(kind), lambda adapter: adapter.W0.shape[0] != adapter.W0.shape[1])
    if ADAPTERS[kind].has_scale:
        some(adapters(kind), lambda adapter: adapter.scale == 0.25)


@sampled(4)
@each_adapter
def test_a_rank_of_64_is_drawn(kind: str) -> None:
    adapter: Any = some(adapters(kind, (64, 64), rank=64))
    assert (tuple(adapter.W0.shape), adapter.rank) == ((64, 64), 64)


@pytest.mark.parametrize("name", ["A", "B"])
def test_frozen_factors_of_each_kind_are_drawn(name: str) -> None:
    strategy = adapters("vera", (4, 5), rank=3)
    some(strategy, lambda adapter: not getattr(adapter, name).any())
    some(strategy, lambda adapter: torch.linalg.matrix_rank(getattr(adapter, name)) == 1)
    some(strategy, lambda adapter: (torch.linalg.svdvals(getattr(adapter, name)) > 1.9).all())


@given(st.data())
def test_the_domain_of_dora_keeps_columns_from_zero(data: DataObject) -> None:
    adapter = data.draw(adapters("dora"))
    radii = data.draw(domains(adapter))
    assert adapter.scale * radii["a"] * radii["b"] < adapter.constants(radii)["w_0"]


def test_problems_of_full_and_deficient_rank_are_drawn() -> None:
    some(problems(), lambda p: p.adapter.rank == min(p.objective.shape) > 1)
    some(problems(), lambda p: p.adapter.rank == 1 < min(p.objective.shape) and p.adapter.scale != 1)
    some(problems("dora"), lambda p: p.adapter.kind == "dora" and p.adapter.W0.any())


@given(problems(scale=3.0))
def test_the_scale_is_as_asked(problem: Any) -> None:
    assert isinstance(problem.adapter, LoRA)
    assert problem.adapter.scale == 3


@pytest.mark.full
def test_problems_shrink_to_numbers() -> None:
    problem = smallest(problems())
    assert tuple(problem.objective.shape) == (1, 1)
    assert problem.adapter.W0.tolist() == [[0]]
    assert (problem.adapter.rank, problem.adapter.scale) == (1, 1)


REFUSED: list[tuple[str, Callable[[], Any]]] = [
    ("kind", lambda: adapters("ia3")),
    ("shape", lambda: adapters("lora", (0, 2))),
    ("rank", lambda: adapters("lora", (2, 3), rank=3)),
    ("rank", lambda: adapters("lora", rank=0)),
    ("most", lambda: adapters("lora", most=0)),
    ("kind", lambda: problems("ia3")),
    ("scale", lambda: problems("full", scale=2.0)),
    ("scale", lambda: problems("lora", scale=-1.0)),
    ("shape", lambda: objectives((1, 0))),
    *((field, call) for call in FAMILIES.values() for field, call in [("shape", lambda call=call: call((2,)))]),
    *(("samples", lambda call=call: call(samples=0)) for call in FAMILIES.values() if call is not clipped_problems),
]


@pytest.mark.parametrize(("field", "call"), REFUSED)
def test_bad_arguments_are_refused(field: str, call: Callable[[], Any]) -> None:
    with pytest.raises(InputError) as caught:
        call()
    assert caught.value.field == field
