"""Numbers are fractions while they can be, and balls from there on; matrices are those of NumPy."""

from __future__ import annotations

from fractions import Fraction

import flint
import numpy as np
import pytest
from flint import arb
from hypothesis import given
from hypothesis import strategies as st

from boundcheck.exact.balls import Rationals, number, rows, times, transposed

small = st.fractions(min_value=-4, max_value=4, max_denominator=6)
do = Rationals()


def near(x: Fraction | arb) -> float:
    return float(x)


@given(st.lists(st.lists(small, min_size=3, max_size=3), min_size=2, max_size=2), st.data())
def test_arithmetic_of_matrices(entries: list[list[Fraction]], data: st.DataObject) -> None:
    X, floats = rows(*entries), np.array(entries, dtype=float)
    with flint.ctx.workprec(160):
        assert near(do.length((X,))) == pytest.approx(np.linalg.norm(floats))
        assert near(do.spectral(X)) == pytest.approx(np.linalg.norm(floats, 2), abs=1e-7)
    assert do.inner((X,), (X,)) == sum(x * x for row in X for x in row)
    assert do.product(X, do.transposed(X)) == times(X, transposed(X))
    assert do.plus(X, do.scaled(Fraction(-1), X)) == do.constant(0, 2, 3)
    assert do.entrywise(X, X) == tuple(tuple(x * x for x in row) for row in X)


@given(small, small)
def test_arithmetic_of_numbers(x: Fraction, y: Fraction) -> None:
    root = do.power(x * x, Fraction(1, 2))
    assert root == abs(x)
    irrational = do.power(Fraction(2), Fraction(1, 2))
    assert isinstance(irrational, arb)
    for z in (x, do.times(x, irrational)):
        assert near(do.add(z, y)) == pytest.approx(near(z) + near(y))
        assert near(do.times(z, y)) == pytest.approx(near(z) * near(y))
        assert near(do.larger(z, y)) == pytest.approx(max(near(z), near(y)))
        assert near(do.smaller(z, y)) == pytest.approx(min(near(z), near(y)))
    assert do.times(Fraction(0), irrational) == Fraction(0)
    assert near(do.power(Fraction(16), Fraction(-1, 4))) == 0.5


def test_nothing_is_made_of_what_is_not_defined() -> None:
    assert not do.power(Fraction(0), Fraction(-1)).is_finite()
    assert not do.times(Fraction(0), do.power(Fraction(0), Fraction(-1))).is_finite()
    assert not do.power(Fraction(-1), Fraction(1, 2)).is_finite()
    assert do.spectral(number(-3)) == 3
