"""Problems and inputs of claims are as asked."""

import doctest
import importlib
import subprocess
import sys

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given

from boundcheck import properties
from boundcheck.language.catalogue import catalogue
from boundcheck.properties import adapters, offsets, slopes
from tests.layers import examples, full
from tests.properties.drawn import claim_inputs
from tests.properties.test_drawn import FAMILIES
from tests.strategies import domains


@pytest.mark.parametrize("family", FAMILIES)
@examples(20)
@given(data=st.data())
def test_objectives_have_the_shape_asked_for(family, data):
    objective = data.draw(FAMILIES[family]((3, 2)))
    assert isinstance(objective, family)
    assert tuple(objective.shape) == (3, 2)
    assert torch.isfinite(objective.gradient(torch.zeros(1, 3, 2, dtype=torch.float64))).all()


@given(slopes(), offsets())
def test_slopes_have_a_minimum_and_offsets_cancel(slope, shifts):
    assert slope.knots[0][1] <= 0 <= slope.knots[-1][1]
    assert sum(shifts) == 0
    assert 1 <= len(shifts) <= 3


@given(st.data())
def test_the_domain_of_dora_keeps_columns_from_zero(data):
    adapter = data.draw(adapters("dora"))
    radii = data.draw(domains(adapter))
    assert adapter.scale * radii["a"] * radii["b"] < adapter.constants(radii)["w_0"]


EVALUABLE = [id for id, claim in catalogue.items() if claim.quantities]


@pytest.mark.parametrize("id", EVALUABLE)
@given(data=st.data())
def test_claim_inputs_are_in_the_domain(id, data):
    claim = catalogue[id]
    claim.check(data.draw(claim_inputs(claim)))


@full
@pytest.mark.parametrize("name", ["matrix_strategies", "problem_strategies"])
def test_examples_in_docstrings_are_right(name):
    found = doctest.testmod(importlib.import_module(f"boundcheck.properties.{name}"))
    assert found.failed == 0


def test_what_there_is_not_is_no_attribute():
    # Names that modules only use are not exported.
    for name in ("strategy", "np"):
        with pytest.raises(AttributeError, match=f"no attribute '{name}'"):
            getattr(properties, name)


@full
def test_no_name_is_hidden_by_a_module_that_was_imported_first_and_pytest_is_not_imported():
    code = """
import boundcheck.properties.check, types, sys, boundcheck.properties as t
modules = [x for x in t.__all__ if isinstance(getattr(t, x), types.ModuleType)]
print(modules, set(t.__all__) <= set(dir(t)))
print("pytest" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[] True\nFalse\n"
