"""What a person may type for a number or a formula ends in an exact value, or in a line that names
field and value."""

import math
import operator
import time
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from hypothesis import example, given
from hypothesis import strategies as st

from boundcheck.errors import BoundcheckError, InputError
from boundcheck.language.catalogue import catalogue
from boundcheck.language.prose import plain
from boundcheck.language.symbols import D, L, exact, formula, is_plain

THEOREM_2 = catalogue["jiang2024.theorem2"]
INPUTS = {"L": 1, "C": 1, "sigma": 1, "G": 3, "r": 4, "D": 1, "zeta": 0.1, "T": 10_000}


def refusal(inputs):
    """The error that all three evaluations of Theorem 2 raise, which must be the same and of one
    line."""
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


def assert_names(error, field, value):
    assert error.field == field
    assert str(error).startswith(f"{field} = ")
    assert str(value) in str(error)
    assert "expected " in str(error)


def test_an_unknown_symbol_and_a_missing_one_are_named():
    for name in ("Lhat", "lambda", "t", "l", ""):
        error = refusal(INPUTS | {name: 5.25})
        assert_names(error, name, 5.25)
        assert "L, C, G, sigma, r, D, zeta, T" in str(error)
    for parameter in THEOREM_2.parameters:
        error = refusal({key: value for key, value in INPUTS.items() if key != parameter.name})
        assert_names(error, parameter.name, "(not given)")
        assert plain(parameter.meaning) in str(error)


NO_VALUES = [
    0,
    -1,
    -0.0,
    "0",
    "-1/2",
    Fraction(-1, 3),
    -sp.sqrt(2),
    math.nan,
    math.inf,
    -math.inf,
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
    "nan",
    "inf",
    "one",
    "1,5",
    "1/0",
    "0x10",
    "1 2",
]


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize("value", NO_VALUES, ids=repr)
def test_what_is_no_finite_positive_number_is_refused(name, value):
    assert_names(refusal(INPUTS | {name: value}), name, value)


@pytest.mark.parametrize(
    "value", ["a\nb", "1\n2", "a\r\nb", np.ones((2, 2)), sp.ones(2, 2)], ids=repr
)
def test_a_value_of_many_lines_is_refused_in_one(value):
    assert refusal(INPUTS | {"L": value}).field == "L"


@pytest.mark.parametrize("name", ["r", "T"])
@pytest.mark.parametrize(
    "value", [0.5, 10_000.5, "20001/2", Fraction(40_001, 4), sp.sqrt(10**9 + 1)]
)
def test_a_fractional_integer_is_refused(name, value):
    error = refusal(INPUTS | {name: value})
    assert_names(error, name, value)
    assert "positive integer" in str(error)


def test_a_horizon_that_is_too_short_is_named_with_its_limit():
    error = refusal(INPUTS | {"T": 2_799})
    assert_names(error, "T", 2_799)
    assert "T >= T_min = 2800" in str(error)
    assert "jiang2024.theorem2" in str(error)


def test_a_claim_without_quantities_has_nothing_to_evaluate():
    with pytest.raises(InputError, match=r"^claim = jiang2024\.assumption1: expected [^\n]*$"):
        catalogue["jiang2024.assumption1"].check({})


@pytest.mark.parametrize(
    "value, number",
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
def test_a_number_is_taken_exactly(value, number):
    assert exact("L", value) == number


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_its_binary_value(value):
    number = exact("L", value)
    assert Fraction(int(number.p), int(number.q)) == Fraction(value)


@pytest.mark.parametrize(
    "id, extreme",
    [
        pytest.param("jiang2024.lemma1", {"L": 1e300, "C": 1e300}, id="a quantity overflows"),
        pytest.param("jiang2024.theorem2", {"G": "1e400", "T": 10**410}, id="an input overflows"),
        pytest.param(
            "jiang2024.theorem2", {"zeta": 1e-200, "T": 10**420}, id="a square underflows"
        ),
    ],
)
def test_numbers_beyond_floats_are_refused(id, extreme):
    names = {p.name for p in catalogue[id].parameters}
    with pytest.raises(InputError):
        catalogue[id].values(
            **{name: value for name, value in (INPUTS | extreme).items() if name in names}
        )


def test_a_claim_that_assumes_another_formula_is_another_claim():
    claim = catalogue["jiang2024.theorem2"]
    halved = claim.assuming(
        {
            "Lhat": claim.quantities[0].symbol / 2,
            "bound": claim.quantities[-1].symbol * sp.Rational(2, 5),
        }
    )
    whole = claim.values(**INPUTS)
    half = halved.values(**INPUTS)
    assert half["Lhat"] == whole["Lhat"] / 2
    # All that follows from it follows.
    assert half["T_min"] == pytest.approx(whole["T_min"] / 2)
    assert half["bound"] == pytest.approx(whole["bound"] * 0.4 / 2**0.5)
    assert "nothing vouches for it" in halved.note
    assert claim.values(**INPUTS) == whole


AT = {L: Fraction(3, 7), D: Fraction(5)}


SIGNS = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": pow,
}
SIGNS |= {"Min": min, "Max": max}


def joined(one, sign, other):
    x, p = one
    y, q = other
    text = f"{sign}({x}, {y})" if sign in ("Min", "Max") else f"({x}) {sign}({y})"
    try:
        return text, None if p is None or q is None else SIGNS[sign](p, q)
    except ZeroDivisionError:
        return text, None


def of(number):
    return number, Fraction(number)


FORMULAS = st.recursive(
    st.sampled_from(
        [
            *map(of, ("2", "0.1", "1e-3", "1_0.5", "3.", ".25")),
            *((str(x), p) for x, p in AT.items()),
        ]
    ),
    lambda part: st.one_of(
        part.map(lambda one: (f"-({one[0]})", None if one[1] is None else -one[1])),
        st.builds(joined, part, st.just("**"), st.integers(-3, 3).map(str).map(of)),
        st.builds(joined, part, st.sampled_from(sorted(SIGNS.keys() - {"**"})), part),
    ),
    max_leaves=8,
)


@given(FORMULAS)
def test_a_formula_is_what_fractions_compute(case):
    text, wanted = case
    if wanted is None:
        return
    read = formula("L", text, [L, D]).xreplace(
        {x: sp.Rational(y.numerator, y.denominator) for x, y in AT.items()}
    )
    # Min of two numbers stays as it was typed.
    assert read.doit() == sp.Rational(wanted.numerator, wanted.denominator)


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("sqrt(8)/2", sp.sqrt(2)),
        ("2**(1/2)", sp.sqrt(2)),
        ("exp(0)", 1),
        ("log(exp(3))", 3),
        ("exp(1)", sp.E),
        ("-2**2", -4),
        ("2**-1", sp.Rational(1, 2)),
        ("+3", 3),
        ("\t3 /\n4 ", sp.Rational(3, 4)),
    ],
)
def test_a_number_may_have_roots_and_powers(text, wanted):
    assert exact("L", text) == wanted


NO_FORMULAS = [
    "",
    " ",
    "()",
    "x",
    "L[0]",
    "L.real",
    "L()",
    "L.doit()",
    "sin(L)",
    "L +",
    "L\\",
    "\x00",
    "sqrt",
    "sqrt()",
    "sqrt(L, L)",
    "sqrt(x=L)",
    "Max(L)",
    "Max(*[L])",
    "lambda: L",
    "L if L else D",
    "L or D",
    "L < D",
    "not L",
    "L // D",
    "L % D",
    "L @ D",
    "~L",
    "L := 3",
    "L;D",
    "'L'",
    "f'{L}'",
    "1j",
    "0x10",
    "0b1",
    "007",
    "1e",
    "1__0",
    "True",
    "None",
    "...",
    "await L",
    "L # D",
    "__import__('os')",
    "exec",
    "eval(L)",
    "(L,)",
    "[L]",
    "{L}",
    "*L",
    "5if 1else 3",
]
LINES = {
    "bound.ｄｏｉｔ()": "ASCII",
    "σ": "ASCII",
    "L" + "+L" * 500: "characters",
    "(" * 300 + "L" + ")" * 300: "a formula",
    "sqrt(" * 60 + "L" + ")" * 60: "inside of one another",
    "9" * 401: "400 digits",
    "1e1001": "exponents",
    "1e-99999999999999999999": "exponents",
    "L**1001": "exponents",
    "L**(1/1001)": "exponents",
    "9**9**9**9": "exponents",
    "L**D": "rational",
    "(9**900)**900": "bits",
    "((L**900)**900)": "bits",
    "(1e999*1e999)**2*1e999": "bits",
    "exp(1e300*log(9))": "a power",
    "1/(L-L)": "real value",
    "1e999*L": "in a formula",
    "L/1e999": "in a formula",
    "log(0)": "real value",
    "sqrt(-1)": "real value",
    **dict.fromkeys(NO_FORMULAS, "a formula"),
}


@pytest.mark.parametrize(
    "text", LINES, ids=lambda text: text[:20].encode("ascii", "replace").decode()
)
def test_what_is_no_formula_has_its_line(text):
    began = time.monotonic()
    with pytest.raises(InputError) as caught:
        formula("L", text, [L, D])
    assert LINES[text] in caught.value.expected
    assert "\n" not in str(caught.value)
    assert time.monotonic() - began < 5


ALPHABET = st.sampled_from(
    [
        *"LD0123456789.+-*/(), \t_eE",
        "**",
        "sqrt(",
        "exp(",
        "log(",
        "Max(",
        "1e99",
        "9**9",
        "σ",
        "ｄ",
        "'",
        "@",
    ]
)


@given(st.lists(ALPHABET, max_size=40).map("".join) | st.text())
@example("exp(exp(exp(exp(exp(9)))))")
@example("Max(sqrt(2)+sqrt(3),sqrt(5+2*sqrt(6)))")
@example("(sqrt(2)+sqrt(3)+sqrt(5))**1000")
@example("log(log(log(9**999)))")
@example("sqrt(1e999+1)*sqrt(1e999-1)")
@example("+".join(f"sqrt({p})" for p in range(2, 60)))
def test_any_text_ends_in_a_value_or_a_line(text):
    for read in (lambda: exact("L", text), lambda: formula("L", text, [L, D])):
        try:
            assert isinstance(read(), sp.Expr)
        except InputError as error:
            assert "\n" not in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    "name",
    ["", "1x", "x y", "lambda", "sqrt", "exp", "Max", "σ", "x'", "x-y", "_x", "x" * 65, "x\n"],
)
def test_a_name_that_cannot_be_typed_is_none(name):
    assert not is_plain(name)
    assert is_plain("kappa_1")
