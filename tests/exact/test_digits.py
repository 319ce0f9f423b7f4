"""A number that is printed is rounded where it says: read back, a bound is no better than it was,
nor much worse."""

import math
import re
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from boundcheck.exact.digits import DOWN, UP, Toward, last_place, rounded, shown, telling
from boundcheck.language.view import short
from boundcheck.present.latex import significant
from boundcheck.present.words import number, signed

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
POSITIVE = st.floats(min_value=1e-290, max_value=1e290)
_POWERS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
# All that writes a number at so many digits, rounded where it is told.
WRITERS = {
    "terminal": shown,
    "notebook": short,
    "page": number,
    "LaTeX": lambda value, digits, toward: significant(value, toward, digits),
}


def read_back(text):
    """The number that a person reads."""
    text = (
        re.sub(r"\\ensuremath\{(.*)\}$", r"\1", text)
        .replace(r"\,", "")
        .replace("\u202f", "")
        .replace("−", "-")
    )
    text = re.sub(r"\\times10\^\{(-?\d+)\}", r"e\1", text)
    text = re.sub(r"×10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)$", lambda power: f"e{power[1].translate(_POWERS)}", text)
    return Decimal(text)


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
@given(POSITIVE | POSITIVE.map(lambda x: -x), st.integers(1, 12))
@example(0.04920974, 3)
@example(0.99999999, 3)
@example(0.1, 3)
@example(99999.5, 3)
@example(1e5, 1)
def test_a_bound_read_back_is_a_bound_and_near(write, value, digits):
    unit = Decimal(1).scaleb(last_place(value, digits))
    up, down, nearest = (
        read_back(write(value, digits, toward)) for toward in (UP, DOWN, Toward.NEAREST)
    )
    assert float(down) <= value <= float(up)
    assert up - Decimal(value) <= unit
    assert Decimal(value) - down <= unit
    assert 2 * abs(nearest - Decimal(value)) <= unit
    assert down <= nearest <= up


@given(st.floats(-1e6, 1e6))
def test_limits_of_an_exponent_are_limits(value):
    assert float(read_back(signed(value, DOWN))) <= value <= float(read_back(signed(value, UP)))


@given(FLOATS, st.integers(1, 17))
def test_to_the_nearest_it_is_what_python_prints(value, digits):
    assert shown(value, digits) == (f"{value:.{digits}g}" if value else "0")


@pytest.mark.parametrize("value", [0.1, 2.5, 1e-3, 4.92e-2, 123.0])
def test_what_needs_no_more_digits_is_not_rounded_away(value):
    assert shown(value, 3, UP) == shown(value, 3, DOWN) == f"{value:.3g}"


@pytest.mark.parametrize("toward", Toward)
@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, 0.0])
def test_every_float_can_be_shown(value, toward):
    for write in (shown, short, number):
        assert write(value, 3, toward)


@given(POSITIVE, st.floats(-1e-3, 1e-3), st.sampled_from([Toward.NEAREST, DOWN]))
@example(0.04920974, 1e-9, Toward.NEAREST)
def test_what_is_shown_never_contradicts_what_is_so(bound, share, toward):
    value = bound * (1 + share)
    digits = telling(bound, (value, toward))
    most = rounded(bound, last_place(bound, digits), UP)
    assert (rounded(value, last_place(value, digits), toward) > most) == (value > bound)
    assert digits == 3 or value > bound
