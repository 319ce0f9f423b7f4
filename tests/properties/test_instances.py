"""What claims are tried on is always something that the claim speaks of."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from boundcheck.functions.adapters import ADAPTERS
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim
from boundcheck.properties import assignments, instances
from boundcheck.worst_case.instance import AdapterInstance
from boundcheck.worst_case.relation import Assignment
from boundcheck.worst_case.tried import certify
from tests.layers import examples
from tests.properties.test_drawn import BOUNDED

few = examples(12)
each_kind = pytest.mark.parametrize("kind", ADAPTERS)


def lemma(kind: str) -> Claim:
    return catalogue[ADAPTERS[kind].claims[0]]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@each_kind
def test_the_points_of_an_instance_are_inside_exactly(kind: str, dtype: str) -> None:
    @few
    @given(instances(lemma(kind), adapter=kind, largest=4, dtype=dtype))
    def check(instance: AdapterInstance) -> None:
        instance.check()
        assert certify(instance).inside
        if dtype == "float32":
            blocks = zip(instance.adapter.blocks * 2, instance.v + instance.other, strict=True)
            parts = [part.numpy() for block, part in blocks if block.norm != "orthonormal"]
            for part in (*parts, instance.direction, instance.tilt):
                assert (part.astype(np.float32) == part).all()

    check()


@few
@given(assignments(BOUNDED))
def test_an_assignment_is_within_what_is_given(made: Assignment) -> None:
    made.check()
    assert certify(made).inside
    # Ties included, which are decided exactly.
    assert np.linalg.norm(made.matrices["X"], 2) <= made.numbers["a"] * (1 + 1e-12)
    assert np.linalg.norm(made.matrices["Y"]) <= made.numbers["a"] * (1 + 1e-12)
