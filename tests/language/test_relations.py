"""What the theory says of the claims' numbers to one another, decided exactly and not by rounding."""

from typing import Any

import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from boundcheck.exact.balls import sign
from boundcheck.language.catalogue import catalogue
from boundcheck.properties import claim_inputs

LEMMA_1 = catalogue["jiang2024.lemma1"]
SHARP = catalogue["meft.lemma1_sharp"]
EQUAL_RADII = catalogue["meft.lemma1_sharp_equal_radii"]
# The sharper one first.
ORDERED = [
    ("meft.lemma1_sharp", "meft.lora"),
    ("meft.frozen_a", "meft.lemma1_sharp"),
    ("meft.frozen_b", "meft.lemma1_sharp"),
    ("meft.vera_sharp", "meft.vera"),
    ("meft.loha_sharp", "meft.loha"),
    ("meft.dora_blocks", "meft.dora"),
    ("meft.loreft_sharp", "meft.loreft"),
    ("meft.loreft_rank1", "meft.loreft_sharp"),
]

RANKS = st.integers(1, 512)


@given(claim_inputs(EQUAL_RADII), RANKS)
def test_sharp_constant_is_at_most_the_printed_one(inputs: dict[str, Any], rank: int) -> None:
    values = LEMMA_1.check(inputs | {"C": inputs["sigma"], "r": rank})
    gap = LEMMA_1.expression("Lhat") - EQUAL_RADII.expression("Lhat")
    # They are equal at rank 1 only.
    assert sign(gap, values) == (0 if rank == 1 else 1)


def smoothness(id: str) -> sp.Expr:
    return catalogue[id].expression("Lhat")


@pytest.mark.parametrize(("sharper", "other"), ORDERED)
@given(data=st.data())
def test_a_sharper_constant_is_no_larger(sharper: str, other: str, data: st.DataObject) -> None:
    claim = catalogue[other]
    assert sign(smoothness(other) - smoothness(sharper), claim.check(data.draw(claim_inputs(claim)))) >= 0
