"""What the theory says of the claims' numbers to one another, decided exactly and not by rounding."""

from fractions import Fraction
from typing import Any

import pytest
import sympy as sp
from flint import arb, ctx, fmpq
from hypothesis import given
from hypothesis import strategies as st

from boundcheck.exact.balls import enclose, sign
from boundcheck.functions.adapters import ADAPTERS
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim
from boundcheck.language.symbols import D, G, L, Lhat, T, kappa, q, r, w_0, zeta
from boundcheck.properties import claim_inputs

LEMMA_1 = catalogue["jiang2024.lemma1"]
SHARP = catalogue["meft.lemma1_sharp"]
EQUAL_RADII = catalogue["meft.lemma1_sharp_equal_radii"]
THEOREM_2 = catalogue["jiang2024.theorem2"]
REPAIRED = catalogue["meft.theorem2_repaired"]
BEST_STEP = catalogue["meft.theorem2_best_step"]

# Each claim about an adapter, once.
OF_ADAPTERS = tuple(dict.fromkeys(id for adapter in ADAPTERS.values() for id in adapter.claims))
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

RATIONALS = st.fractions(Fraction(1, 100), 100, max_denominator=100)
RANKS = st.integers(1, 512)


def as_written(claim: Claim, symbol: sp.Symbol) -> sp.Expr:
    """The formula over earlier quantities, where `claim.expression` resolves them."""
    return next(quantity.expression for quantity in claim.quantities if quantity.symbol == symbol)


@given(claim_inputs(EQUAL_RADII), RANKS)
def test_sharp_constant_is_at_most_the_printed_one(inputs: dict[str, Any], rank: int) -> None:
    values = LEMMA_1.check(inputs | {"C": inputs["sigma"], "r": rank})
    gap = LEMMA_1.expression("Lhat") - EQUAL_RADII.expression("Lhat")
    # They are equal at rank 1 only.
    assert sign(gap, values) == (0 if rank == 1 else 1)


@given(claim_inputs(BEST_STEP), st.floats(0.01, 0.99), st.booleans())
def test_no_other_step_gives_a_smaller_bound(inputs: dict[str, Any], share: float, longer: bool) -> None:
    values = BEST_STEP.check(inputs)
    # Any other step in (0, 2 / Lhat), where the repaired proof allows one.
    best = BEST_STEP.expression("alpha")
    step = best + sp.Rational(share) * ((2 / Lhat if longer else 0) - best)
    averaged_descent = (D / (step * T) + Lhat * step * zeta**2 / 2) / (1 - Lhat * step / 2)
    gap = (averaged_descent - BEST_STEP.expression("bound")).subs(Lhat, BEST_STEP.expression("Lhat"))
    assert sign(gap, values) == 1


@given(claim_inputs(THEOREM_2))
def test_the_printed_bound_is_loose_at_its_own_smoothness(inputs: dict[str, Any]) -> None:
    values = THEOREM_2.check(inputs)
    repaired = as_written(REPAIRED, REPAIRED.quantities[-1].symbol)
    repaired = repaired.subs(kappa, as_written(REPAIRED, kappa)).subs(q, as_written(REPAIRED, q))
    repaired = repaired.subs(Lhat, THEOREM_2.expression("Lhat"))
    assert sign(THEOREM_2.expression("bound") - repaired, values) == 1


def smoothness(id: str) -> sp.Expr:
    return catalogue[id].expression("Lhat")


@pytest.mark.parametrize(("sharper", "other"), ORDERED)
@given(data=st.data())
def test_a_sharper_constant_is_no_larger(sharper: str, other: str, data: st.DataObject) -> None:
    claim = catalogue[other]
    assert sign(smoothness(other) - smoothness(sharper), claim.check(data.draw(claim_inputs(claim)))) >= 0


@pytest.mark.parametrize("id", OF_ADAPTERS)
@given(data=st.data(), factor=st.fractions(1, 10, max_denominator=100))
def test_a_constant_grows_with_the_domain_and_with_f(id: str, data: st.DataObject, factor: Fraction) -> None:
    claim = catalogue[id]
    values = claim.check(data.draw(claim_inputs(claim)))
    symbol = data.draw(st.sampled_from([p.symbol for p in claim.parameters if p.symbol != r]))
    grown = values | {symbol: values[symbol] * sp.Rational(factor)}
    # All but w_0 say how large something may be.
    least, most = (grown, values) if symbol == w_0 else (values, grown)
    if claim.failing(most):
        return
    Lhat = claim.expression("Lhat")
    low, high = (enclose(Lhat, point, bits=1024) for point in (least, most))
    assert not low > high


@pytest.mark.parametrize("id", OF_ADAPTERS)
@given(data=st.data(), factor=RATIONALS)
def test_a_constant_is_in_the_units_of_f(id: str, data: st.DataObject, factor: Fraction) -> None:
    claim = catalogue[id]
    values = claim.check(data.draw(claim_inputs(claim)))
    in_other_units = values | {x: values[x] * sp.Rational(factor) for x in (L, G) if x in values}
    Lhat = claim.expression("Lhat")
    with ctx.workprec(256):
        expected = enclose(Lhat, values, bits=256) * arb(fmpq(factor.numerator, factor.denominator))
        assert enclose(Lhat, in_other_units, bits=256).overlaps(expected)
