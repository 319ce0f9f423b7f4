"""Problems have the shape, samples and scale that are asked for, and domains of which their claims speak."""

from typing import Any

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given
from hypothesis.strategies import DataObject

from boundcheck.functions.adapters import ADAPTERS, LoRA
from boundcheck.functions.objectives.clipped import Clipped
from boundcheck.properties import (
    adapters,
    domains,
    offsets,
    problems,
    slopes,
)
from tests.layers import examples
from tests.properties.test_drawn import FAMILIES

each_adapter = pytest.mark.parametrize("kind", ADAPTERS)


@pytest.mark.parametrize("family", FAMILIES)
@examples(20)
@given(data=st.data())
def test_objectives_have_the_shape_asked_for(family: type, data: DataObject) -> None:
    objective = data.draw(FAMILIES[family]((3, 2)) if family is Clipped else FAMILIES[family]((3, 2), samples=3))
    assert isinstance(objective, family)
    assert tuple(objective.shape) == (3, 2)
    assert objective.samples <= 3
    assert torch.isfinite(objective.gradient(torch.zeros(1, 3, 2, dtype=torch.float64))).all()


@given(slopes(), offsets())
def test_slopes_have_a_minimum_and_offsets_cancel(slope: Any, shifts: tuple[Any, ...]) -> None:
    assert slope.knots[0][1] <= 0 <= slope.knots[-1][1]
    assert sum(shifts) == 0
    assert 1 <= len(shifts) <= 3


@given(st.data())
def test_the_domain_of_dora_keeps_columns_from_zero(data: DataObject) -> None:
    adapter = data.draw(adapters("dora"))
    radii = data.draw(domains(adapter))
    assert adapter.scale * radii["a"] * radii["b"] < adapter.constants(radii)["w_0"]


@given(problems(scale=3.0))
def test_the_scale_is_as_asked(problem: Any) -> None:
    assert isinstance(problem.adapter, LoRA)
    assert problem.adapter.scale == 3
