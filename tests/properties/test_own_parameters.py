"""Claims with parameters of their own are searched, checked, stored and replayed with a value for each."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sympy as sp

from boundcheck.errors import InputError
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim, Quantity
from boundcheck.language.symbols import L, Lhat, Parameter, symbol_of
from boundcheck.properties import ClaimViolatedError, check_claim
from boundcheck.properties.session import using
from boundcheck.worst_case import falsify
from boundcheck.worst_case.search import Search
from boundcheck.worst_case.stored import replayed, save

KAPPA = Parameter(symbol_of("kappa", "positive real"), "positive real", "a factor")
STEPS = Parameter(symbol_of("m_1", "positive integer"), "positive integer", "how often")
THETA = Parameter(symbol_of("theta", "positive real"), "positive real", "a share")
kappa, m_1 = KAPPA.symbol, STEPS.symbol
FULL, REPAIRED = catalogue["meft.full"], catalogue["meft.theorem2_repaired"]


def smooth(constant: Any, *declared: Parameter, **more: Any) -> Claim:
    """F is smooth with this constant, where W is trained itself."""
    quantity = Quantity(Lhat, constant, "mine")
    return Claim("my.full", "Mine", "me", FULL.conclusion, "", FULL.hypotheses, (quantity,), declared=declared, **more)


TRUE = smooth(L * (1 + kappa) ** m_1, KAPPA, STEPS)
# True of kappa from 1 on, of which the condition speaks.
LIMITED = smooth(L * kappa, KAPPA, conditions=(sp.Ge(kappa, 1),))
FALSE = smooth(L * kappa**m_1, KAPPA, STEPS)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path) -> Iterator[None]:
    with using(folder=tmp_path):
        yield


@pytest.mark.full
@pytest.mark.parametrize("claim", [TRUE, LIMITED], ids=["true", "true where it speaks"])
def test_a_true_claim_is_not_violated(claim: Claim) -> None:
    assert check_claim(claim, adapter="full", examples=20).ratio <= 1
    assert not falsify(claim, Search([1], adapter="full", starts=2, rounds=4, examples=8)).violated


@pytest.mark.full
def test_a_false_one_is_and_what_breaks_it_has_a_value_of_each(tmp_path: Path) -> None:
    with pytest.raises(ClaimViolatedError) as caught:
        check_claim(FALSE, adapter="full", examples=60)
    instance = caught.value.instance
    assert {*instance.given} == {"kappa", "m_1"}
    assert instance.given["kappa"] < 1
    save(instance, tmp_path / "found.json")
    again, found = replayed(tmp_path / "found.json")
    assert found.violated
    assert again.claim == FALSE
    data = json.loads((tmp_path / "found.json").read_text())
    for given, field in (
        ({}, "given.kappa"),
        ({"kappa": 0.5, "m_1": 1, "L": 1}, "given.L"),
        ({"kappa": "1"}, "given.kappa"),
    ):
        (tmp_path / "changed.json").write_text(json.dumps(data | {"given": given}))
        with pytest.raises(InputError) as refused:
            replayed(tmp_path / "changed.json")
        assert refused.value.field == field


@pytest.mark.full
def test_a_value_that_is_given_is_taken() -> None:
    assert falsify(FALSE, Search([1], {"kappa": 0.5}, adapter="full", starts=2, rounds=8, examples=0)).violated
    assert not falsify(FALSE, Search([1], {"kappa": 2}, adapter="full", starts=2, rounds=8, examples=0)).violated
    with pytest.raises(InputError, match=r"^lambda_1 = "):
        falsify(FALSE, Search([1], {"lambda_1": 2}, adapter="full", starts=2, rounds=8, examples=0))


@pytest.mark.full
def test_a_theorem_has_them_in_its_runs() -> None:
    *before, bound = REPAIRED.quantities
    looser = Quantity(bound.symbol, bound.expression * (1 + THETA.symbol), bound.meaning)
    theorem = replace(REPAIRED, id="my.theorem", quantities=(*before, looser), declared=(THETA,))
    assert check_claim(theorem, adapter="lora", examples=8).ratio <= 1
