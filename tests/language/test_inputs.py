"""What a person may type for a symbol, and the one line that names field and value where it cannot be used."""

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from boundcheck.errors import BoundcheckError, InputError
from boundcheck.language.catalogue import catalogue
from boundcheck.language.inputs import exact
from boundcheck.language.prose import plain

LEMMA_1 = catalogue["jiang2024.lemma1"]
THEOREM_2 = catalogue["jiang2024.theorem2"]
INPUTS = {"L": 1, "C": 1, "sigma": 1, "G": 3, "r": 4, "D": 1, "zeta": 0.1, "T": 10_000}


def refusal(inputs: dict[str, Any]) -> InputError:
    """The error that all three evaluations of Theorem 2 raise, which must be the same and of one line."""
    errors = []
    for evaluate in (THEOREM_2.values, THEOREM_2.bound, THEOREM_2.enclosures):
        with pytest.raises(InputError) as caught:
            evaluate(**inputs)
        errors.append(caught.value)
    assert len({str(error) for error in errors}) == 1
    assert "\n" not in str(errors[0])
    assert isinstance(errors[0], BoundcheckError)
    assert isinstance(errors[0], ValueError)
    return errors[0]


def assert_names(error: InputError, field: str, value: object) -> None:
    assert error.field == field
    assert str(error).startswith(f"{field} = ")
    assert str(value) in str(error)
    assert "expected " in str(error)


@pytest.mark.parametrize("name", ["Lhat", "lambda", "t", "l", ""])
def test_an_unknown_symbol_is_named(name: str) -> None:
    error = refusal(INPUTS | {name: 5.25})
    assert_names(error, name, 5.25)
    assert "L, C, G, sigma, r, D, zeta, T" in str(error)


@pytest.mark.parametrize("name", INPUTS)
def test_a_missing_symbol_is_named_with_its_meaning(name: str) -> None:
    error = refusal({key: value for key, value in INPUTS.items() if key != name})
    assert_names(error, name, "(not given)")
    assert plain(next(p.meaning for p in THEOREM_2.parameters if p.name == name)) in str(error)


def test_all_missing_symbols_are_named_at_once() -> None:
    error = refusal({name: INPUTS[name] for name in INPUTS if name not in {"L", "T"}})
    assert_names(error, "L, T", "(not given)")


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize("value", [0, -1, -0.0, "0", "-1/2", Fraction(-1, 3), -sp.sqrt(2)])
def test_a_value_that_is_not_positive_is_refused(name: str, value: Any) -> None:
    assert_names(refusal(INPUTS | {name: value}), name, value)


NO_NUMBERS = [
    math.nan,
    math.inf,
    -math.inf,
    "nan",
    "inf",
    np.float64("nan"),
    np.float32("inf"),
    sp.nan,
    sp.oo,
    sp.zoo,
    sp.I,
    sp.Symbol("x"),
    True,
    False,
    np.True_,
    None,
    1j,
    [1],
    {},
    "",
    "one",
    "1,5",
    "1/0",
    "0x10",
    "1 2",
]


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize("value", NO_NUMBERS, ids=repr)
def test_what_is_no_finite_number_is_refused(name: str, value: Any) -> None:
    assert_names(refusal(INPUTS | {name: value}), name, value)


@pytest.mark.parametrize("value", ["a\nb", "1\n2", "a\r\nb", np.ones((2, 2)), sp.ones(2, 2)], ids=repr)
def test_a_value_of_many_lines_is_refused_in_one(value: Any) -> None:
    assert refusal(INPUTS | {"L": value}).field == "L"


@pytest.mark.parametrize("name", ["r", "T"])
@pytest.mark.parametrize("value", [0.5, 10_000.5, "20001/2", Fraction(40_001, 4), sp.sqrt(10**9 + 1)])
def test_a_fractional_integer_is_refused(name: str, value: Any) -> None:
    error = refusal(INPUTS | {name: value})
    assert_names(error, name, value)
    assert "positive integer" in str(error)


def test_a_horizon_that_is_too_short_is_named_with_its_limit() -> None:
    error = refusal(INPUTS | {"T": 2_799})
    assert_names(error, "T", 2_799)
    assert "T >= T_min = 2800" in str(error)
    assert "jiang2024.theorem2" in str(error)


def test_a_claim_without_quantities_has_nothing_to_evaluate() -> None:
    with pytest.raises(InputError, match=r"^claim = jiang2024\.assumption1: expected [^\n]*$"):
        catalogue["jiang2024.assumption1"].check({})


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (3, sp.Integer(3)),
        (np.int64(3), sp.Integer(3)),
        (3.0, sp.Integer(3)),
        ("10_000", sp.Integer(10_000)),
        ("0.1", sp.Rational(1, 10)),
        ("1e-3", sp.Rational(1, 1000)),
        ("3/4", sp.Rational(3, 4)),
        (" 7 ", sp.Integer(7)),
        (Fraction(1, 3), sp.Rational(1, 3)),
        (0.1, sp.Rational(3602879701896397, 2**55)),
        (np.float32(0.1), sp.Rational(13421773, 2**27)),
        (sp.sqrt(2), sp.sqrt(2)),
    ],
)
def test_a_number_is_taken_exactly(value: Any, number: sp.Expr) -> None:
    assert exact("L", value) == number


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_its_binary_value(value: float) -> None:
    number = exact("L", value)
    assert Fraction(int(number.p), int(number.q)) == Fraction(value)


@pytest.mark.parametrize("value", [sp.Float("0.1"), sp.pi], ids=str)
def test_any_sympy_number_is_evaluated_or_refused(value: sp.Expr) -> None:
    try:
        ball = LEMMA_1.enclosures(L=1, C=1, sigma=value, G=3, r=4)["Lhat"]
    except InputError as error:
        assert error.field == "sigma"  # noqa: PT017
    else:
        assert float(ball) == pytest.approx(4 * float(value) + 3)


@pytest.mark.parametrize(
    ("id", "extreme"),
    [
        pytest.param("jiang2024.lemma1", {"L": 1e300, "C": 1e300}, id="a quantity overflows"),
        pytest.param("jiang2024.theorem2", {"G": "1e400", "T": 10**410}, id="an input overflows"),
        pytest.param("jiang2024.theorem2", {"zeta": 1e-200, "T": 10**420}, id="a square underflows"),
    ],
)
def test_numbers_beyond_floats_are_refused(id: str, extreme: dict[str, Any]) -> None:
    names = {p.name for p in catalogue[id].parameters}
    with pytest.raises(InputError):
        catalogue[id].values(**{name: value for name, value in (INPUTS | extreme).items() if name in names})


def test_a_claim_that_assumes_another_formula_is_another_claim() -> None:
    claim = catalogue["jiang2024.theorem2"]
    halved = claim.assuming(
        {"Lhat": claim.quantities[0].symbol / 2, "bound": claim.quantities[-1].symbol * sp.Rational(2, 5)}
    )
    whole, half = claim.values(**INPUTS), halved.values(**INPUTS)
    assert half["Lhat"] == whole["Lhat"] / 2
    # All that follows from it follows.
    assert half["T_min"] == pytest.approx(whole["T_min"] / 2)
    assert half["bound"] == pytest.approx(whole["bound"] * 0.4 / 2**0.5)
    assert "nothing vouches for it" in halved.note
    assert claim.values(**INPUTS) == whole
