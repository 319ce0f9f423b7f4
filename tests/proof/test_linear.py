"""Exact linear programming: its weights against their definition and SciPy's linprog, and that it prints nothing."""

import hypothesis.strategies as st
import numpy as np
import pytest
from flint import fmpq
from hypothesis import given
from scipy.optimize import linprog

from boundcheck.proof.sums import combine
from tests.layers import examples

ROWS = 3
vectors = st.lists(st.integers(-3, 3), min_size=ROWS, max_size=ROWS)


def poly(vector: list[int]) -> dict:
    return {place: fmpq(x) for place, x in enumerate(vector) if x}


@given(vectors, st.lists(vectors.filter(any), min_size=1, max_size=6), st.data())
@examples(100)
def test_weights_are_exact_and_as_cheap_as_those_of_linprog(
    target: list[int], columns: list, data: st.DataObject
) -> None:
    nonnegative = data.draw(st.integers(0, len(columns)))
    costs = [1.0 + place / 7 for place in range(len(columns))]
    found = combine(poly(target), [poly(column) for column in columns], costs, nonnegative)
    # A free weight is the difference of two; a cost is relative to the largest coefficient of its column.
    A = np.array(columns, float).T
    free = -A[:, nonnegative:]
    per = np.array(costs) * abs(A).max(0)
    twin = linprog([*per, *per[nonnegative:]], A_eq=np.hstack([A, free]), b_eq=target, method="highs-ds")
    assert (found is None) == (twin.status != 0)
    if found is not None:
        sums = [sum(w * column[row] for w, column in zip(found, columns, strict=True)) for row in range(ROWS)]
        assert sums == [fmpq(x) for x in target]
        assert all(w >= 0 for w in found[:nonnegative])
        assert float(sum(abs(float(w)) * c for w, c in zip(found, per, strict=True))) == pytest.approx(twin.fun)


def test_a_search_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    """HiGHS would: what it prints on stdout is there beside the one object of --json."""
    assert combine(poly([1, 0, 2]), [poly([1, 0, 2])], [1.0], 1) == [fmpq(1)]
    assert capfd.readouterr() == ("", "")
