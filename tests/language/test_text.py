"""The parser of texts: what it reads is what Python computes, and all that is typed ends in a value or a line."""

from __future__ import annotations

import time
from fractions import Fraction

import pytest
import sympy as sp
from hypothesis import example, given
from hypothesis import strategies as st

from boundcheck.errors import InputError
from boundcheck.language.inputs import exact, formula, is_plain
from boundcheck.language.symbols import D, L

AT = {L: Fraction(3, 7), D: Fraction(5)}


def value(tree: tuple) -> Fraction:
    """A naive twin: the tree as Python's fractions have it."""
    match tree:
        case (str() as number,):
            return Fraction(number)
        case (sp.Symbol() as symbol,):
            return AT[symbol]
        case ("-", x):
            return -value(x)
        case (x, "**", int() as n):
            return value(x) ** n
        case (x, "+", y):
            return value(x) + value(y)
        case (x, "-", y):
            return value(x) - value(y)
        case (x, "*", y):
            return value(x) * value(y)
        case (x, "/", y):
            return value(x) / value(y)
        case (("Min" | "Max") as name, x, y):
            return (min if name == "Min" else max)(value(x), value(y))
    raise AssertionError(tree)


def typed(tree: tuple) -> str:
    match tree:
        case (str() | sp.Symbol() as leaf,):
            return str(leaf)
        case ("-", x):
            return f"-({typed(x)})"
        case (x, str() as sign, int() as n):
            return f"({typed(x)}) {sign} {n}"
        case (("Min" | "Max") as name, x, y):
            return f"{name}({typed(x)}, {typed(y)})"
        case (x, sign, y):
            return f"({typed(x)}) {sign}({typed(y)})"
    raise AssertionError(tree)


LEAVES = st.sampled_from([(x,) for x in ("2", "0.1", "1e-3", "1_0.5", "3.", ".25", L, D)])
TREES = st.recursive(
    LEAVES,
    lambda part: st.one_of(
        st.tuples(st.just("-"), part),
        st.tuples(part, st.just("**"), st.integers(-3, 3)),
        st.tuples(part, st.sampled_from("+-*/"), part),
        st.tuples(st.sampled_from(["Min", "Max"]), part, part),
    ),
    max_leaves=8,
)


@given(TREES)
def test_a_formula_is_what_fractions_compute(tree: tuple) -> None:
    try:
        wanted = value(tree)
    except ZeroDivisionError:
        return
    read = formula("L", typed(tree), [L, D]).xreplace(
        {x: sp.Rational(y.numerator, y.denominator) for x, y in AT.items()}
    )
    # Min of two numbers stays as it was typed.
    assert read.doit() == sp.Rational(wanted.numerator, wanted.denominator)


@pytest.mark.parametrize(
    ("text", "wanted"),
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
def test_a_number_may_have_roots_and_powers(text: str, wanted: object) -> None:
    assert exact("L", text) == wanted


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
    **dict.fromkeys(("", " ", "()", "x", "L[0]", "L.real", "L()", "L.doit()", "sin(L)", "L +"), "a formula"),
    **dict.fromkeys(("sqrt", "sqrt()", "sqrt(L, L)", "sqrt(x=L)", "Max(L)", "Max(*[L])"), "a formula"),
    **dict.fromkeys(
        (
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
        ),
        "a formula",
    ),
    **dict.fromkeys(
        ("f'{L}'", "1j", "0x10", "0b1", "007", "1e", "1__0", "True", "None", "...", "await L", "L # D"), "a formula"
    ),
    **dict.fromkeys(
        ("__import__('os')", "exec", "eval(L)", "(L,)", "[L]", "{L}", "*L", "5if 1else 3", "L\\", "\x00"), "a formula"
    ),
}


@pytest.mark.parametrize("text", LINES, ids=lambda text: text[:20].encode("ascii", "replace").decode())
def test_what_is_no_formula_has_its_line(text: str) -> None:
    began = time.monotonic()
    with pytest.raises(InputError) as caught:
        formula("L", text, [L, D])
    assert LINES[text] in caught.value.expected
    assert "\n" not in str(caught.value)
    assert time.monotonic() - began < 5


ALPHABET = st.sampled_from(
    [*"LD0123456789.+-*/(), \t_eE", "**", "sqrt(", "exp(", "log(", "Max(", "1e99", "9**9", "σ", "ｄ", "'", "@"]
)


@given(st.lists(ALPHABET, max_size=40).map("".join) | st.text())
@example("exp(exp(exp(exp(exp(9)))))")
@example("Max(sqrt(2)+sqrt(3),sqrt(5+2*sqrt(6)))")
@example("(sqrt(2)+sqrt(3)+sqrt(5))**1000")
@example("log(log(log(9**999)))")
@example("sqrt(1e999+1)*sqrt(1e999-1)")
@example("+".join(f"sqrt({p})" for p in range(2, 60)))
def test_any_text_ends_in_a_value_or_a_line(text: str) -> None:
    for read in (lambda: exact("L", text), lambda: formula("L", text, [L, D])):
        try:
            assert isinstance(read(), sp.Expr)
        except InputError as error:
            assert "\n" not in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    "name", ["", "1x", "x y", "lambda", "sqrt", "exp", "Max", "σ", "x'", "x-y", "_x", "x" * 65, "x\n"]
)
def test_a_name_that_cannot_be_typed_is_none(name: str) -> None:
    assert not is_plain(name)
    assert is_plain("kappa_1")
