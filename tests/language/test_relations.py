"""What the theory says of the claims' numbers to one another, decided exactly and not by
rounding."""

import math
from fractions import Fraction

import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from boundcheck.errors import InputError
from boundcheck.exact.balls import sign
from boundcheck.language.catalogue import catalogue
from boundcheck.language.symbols import D, T, ell, zeta
from tests.properties.drawn import claim_inputs

LEMMA_1 = catalogue["jiang2024.lemma1"]
EQUAL_RADII = catalogue["meft.lemma1_sharp_equal_radii"]
ANY_STEP = catalogue["meft.theorem2_any_step"]
AVERAGE = catalogue["meft.theorem2_average"]
ATTAINED = catalogue["meft.theorem2_average_sharp"]
# The sharper one first.
ORDERED = [
    ("meft.lemma1_sharp", "meft.lora"),
    ("meft.frozen_a", "meft.lemma1_sharp"),
    ("meft.frozen_b", "meft.lemma1_sharp"),
    ("meft.dora_blocks", "meft.dora"),
    ("meft.loreft_sharp", "meft.loreft"),
    ("meft.loreft_rank1", "meft.loreft_sharp"),
]

RANKS = st.integers(1, 512)


@given(claim_inputs(EQUAL_RADII), RANKS)
def test_sharp_constant_is_at_most_the_printed_one(inputs, rank):
    values = LEMMA_1.check(inputs | {"C": inputs["sigma"], "r": rank})
    gap = LEMMA_1.expression("Lhat") - EQUAL_RADII.expression("Lhat")
    # They are equal at rank 1 only.
    assert sign(gap, values) == (0 if rank == 1 else 1)


def smoothness(id):
    return catalogue[id].expression("Lhat")


@pytest.mark.parametrize("sharper, other", ORDERED)
@given(data=st.data())
def test_a_sharper_constant_is_no_larger(sharper, other, data):
    claim = catalogue[other]
    assert (
        sign(smoothness(other) - smoothness(sharper), claim.check(data.draw(claim_inputs(claim))))
        >= 0
    )


@pytest.mark.parametrize(
    "step, allowed", [("0.6", True), (Fraction(2, 3), False), (0.7, False), ("1e9", False)]
)
def test_any_step_is_below_two_over_ell_and_says_so(step, allowed):
    inputs = {"ell": 3, "D": 1, "zeta": 1, "T": 10, "eta": step}
    if allowed:
        assert 0 < ANY_STEP.bound(**inputs) < math.inf
        return
    with pytest.raises(InputError, match=r"expected eta < eta_max = 0\.666667") as caught:
        ANY_STEP.bound(**inputs)
    assert caught.value.field == "eta"


@given(claim_inputs(AVERAGE), st.integers(1, 64))
def test_the_average_on_a_parabola_lies_between_what_is_attained_and_the_bound(inputs, horizon):
    """Exactly, for rational q: E‖∇F(v_t)‖² of F = ℓv²/2 and noise ±ζ, step by step from D =
    q²ζ²T/ℓ."""
    values = AVERAGE.check(inputs)
    q = 1 / (2 + values[D] / values[ell])
    noise = values[zeta] ** 2
    square = 2 * q**2 * noise * horizon
    total = sp.Integer(0)
    for _ in range(horizon):
        total += square
        square = (1 - q) ** 2 * square + q**2 * noise
    at = {**values, T: sp.Integer(horizon), D: q**2 * noise * horizon / values[ell]}
    assert sign(AVERAGE.expression("bound") - total / horizon, at) == 1
    assert sign(total / horizon - ATTAINED.expression("attained"), at) >= 0
