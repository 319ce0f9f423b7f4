"""Inputs of claims are in their domains, of every type, and barely meet conditions now and then; and the package."""

import doctest
import importlib
import subprocess
import sys
from fractions import Fraction

import hypothesis.strategies as st
import pytest
from hypothesis import given
from hypothesis.strategies import DataObject

from boundcheck import properties
from boundcheck.exact.balls import enclose
from boundcheck.language.catalogue import catalogue
from boundcheck.properties import claim_inputs, shortest_horizon
from tests.properties.found import some

EVALUABLE = [id for id, claim in catalogue.items() if claim.quantities]


@pytest.mark.parametrize("id", EVALUABLE)
@given(data=st.data())
def test_claim_inputs_are_in_the_domain(id: str, data: DataObject) -> None:
    claim = catalogue[id]
    claim.check(data.draw(claim_inputs(claim)))


@pytest.mark.parametrize("kind", [int, float, str, Fraction])
def test_claim_inputs_of_each_type_are_drawn(kind: type) -> None:
    some(claim_inputs(catalogue["jiang2024.lemma1"]), lambda inputs: isinstance(inputs["L"], kind))


def test_the_shortest_horizon_is_drawn() -> None:
    claim = catalogue["jiang2024.theorem2"]

    def is_shortest(inputs: dict) -> bool:
        return enclose(claim.expression("T_min"), claim.check(inputs)) > inputs["T"] - 1

    inputs = some(claim_inputs(claim), is_shortest)
    assert shortest_horizon(claim, inputs) == inputs["T"]


@pytest.mark.full
@pytest.mark.parametrize("name", ["matrices", "points", "problems", "runs", "inputs"])
def test_examples_in_docstrings_are_right(name: str) -> None:
    found = doctest.testmod(importlib.import_module(f"boundcheck.properties.strategies.{name}"))
    assert found.failed == 0


def test_what_there_is_not_is_no_attribute() -> None:
    # Names that modules only use are not exported.
    for name in ("strategy", "np"):
        with pytest.raises(AttributeError, match=f"no attribute '{name}'"):
            getattr(properties, name)


@pytest.mark.full
@pytest.mark.parametrize("first", ["check", "strategies.matrices", "strategies.instances"])
def test_no_name_is_hidden_by_a_module_that_was_imported_first_and_pytest_is_not_imported(first: str) -> None:
    code = f"""
import boundcheck.properties.{first}, types, sys, boundcheck.properties as t
print([x for x in t.__all__ if isinstance(getattr(t, x), types.ModuleType)], set(t.__all__) <= set(dir(t)))
print("pytest" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[] True\nFalse\n"
