"""Meanings enclose: interval arithmetic, roots, norms and averages against exact or floating-point
ones."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boundcheck.kernel import Fact, TermError, terms
from boundcheck.kernel.builders import expect, maximum, norm
from boundcheck.kernel.meaning import (
    Interval,
    denote,
    denote_matrix,
    exact,
    holds,
    positive_semidefinite,
)
from boundcheck.kernel.terms import (
    ANY,
    FROBENIUS,
    NEXT,
    NOW,
    SPECTRAL,
    Inverse,
    Matrix,
    Root,
    Scalar,
    Variable,
)
from tests.kernel.refusals import Foreign
from tests.kernel.strategies import World, bound
from tests.layers import examples

SMALL = st.fractions(-5, 5, max_denominator=7)
A = terms.Symbol("A", ("m", "n"))
a = Variable("a", terms.Time(NOW))
b = Variable("b", ANY)


def world(rows=((1,),), horizon=2):
    """Two outcomes with weights 1/4 and 3/4, told apart from time 2 on; A is the matrix of these
    rows."""
    dimensions = {"m": len(rows), "n": len(rows[0]), "k": 1}
    weights = Fraction(1, 4), Fraction(3, 4)
    made = World(dimensions, horizon, weights, lambda t: (0, int(t >= 2)), lambda *_: Fraction(0))
    matrix = tuple(tuple(Fraction(x) for x in row) for row in rows)
    return bound(made).having(A, lambda *_: matrix).having(b, lambda t, i: Fraction(10 * t + i))


def value(p, t=1, outcome=0, **how):
    return denote(Scalar.of(p), world(**how), t, outcome)


@examples(60)
@given(SMALL, SMALL, SMALL, SMALL, st.fractions(0, 1), st.fractions(0, 1))
def test_intervals_enclose(p, q, r, s, share, other):
    x = Interval(min(p, q), max(p, q))
    y = Interval(min(r, s), max(r, s))
    u = x.low + share * (x.high - x.low)
    v = y.low + other * (y.high - y.low)
    for result, number in ((x + y, u + v), (x - y, u - v), (x * y, u * v)):
        assert result.low <= number <= result.high
    root = x.root()
    assert max(root.low, 0) ** 2 <= max(u, 0) <= root.high**2
    assert exact(p) * exact(r) == exact(p * r)


@given(st.fractions(0, 1000))
def test_roots_are_narrow_and_exact_where_they_can_be(x):
    root = exact(x).root()
    assert root.low**2 <= x <= root.high**2
    assert root.high - root.low <= Fraction(1, 1 << 120)
    assert exact(x * x).root() == exact(x)


@examples(60)
@given(
    st.lists(st.lists(st.integers(-3, 3), min_size=3, max_size=3), min_size=1, max_size=3),
    st.integers(1, 3),
)
def test_norms_are_those_of_numpy(rows, columns):
    rows = [row[:columns] for row in rows]
    for kind, order in ((FROBENIUS, "fro"), (SPECTRAL, 2)):
        number = np.linalg.norm(np.array(rows, dtype=float), order)
        enclosed = value(norm(kind, Matrix.of(A)), rows=rows)
        assert (
            enclosed.low - Fraction(1, 10**9)
            <= Fraction(float(number))
            <= enclosed.high + Fraction(1, 10**9)
        )
        assert enclosed.high - enclosed.low < Fraction(1, 10**6)


@examples(60)
@given(st.lists(st.integers(-2, 2), min_size=6, max_size=6), st.integers(-2, 2))
def test_semidefinite_is_what_eigenvalues_say(entries, shift):
    p, q, r, s, t, u = entries
    matrix = [[p + shift, q, r], [q, s + shift, t], [r, t, u + shift]]
    least = np.linalg.eigvalsh(np.array(matrix, dtype=float))[0]
    if abs(least) > 1e-9:
        assert positive_semidefinite([[Fraction(x) for x in row] for row in matrix]) == (least > 0)
    gram = [
        [Fraction(sum(x * y for x, y in zip(v, w, strict=True))) for w in matrix] for v in matrix
    ]
    assert positive_semidefinite(gram)


def test_every_kind_of_atom_has_its_value():
    of = Scalar.of
    assert value(terms.Horizon()) == exact(2)
    assert value(terms.Dimension("m"), rows=((1,), (2,))) == exact(2)
    assert value(Root(of(9))) == exact(3)
    assert value(Root(of(-9))) == exact(0)
    assert value(Inverse(of(4))) == exact(Fraction(1, 4))
    assert value(Inverse(of(0))) == exact(0)
    assert value(terms.Minimum(of(b)), outcome=1) == exact(11)
    assert value(maximum(of(3), of(b), of(-9)), outcome=1) == exact(11)
    assert value(expect(of(b), None)) == exact(Fraction(43, 4))
    assert value(expect(of(b), NOW), t=1, outcome=1) == exact(Fraction(43, 4))
    assert value(expect(of(b), NEXT), t=1, outcome=1) == exact(11)
    assert value(expect(of(b), NOW), t=2, outcome=0) == exact(20)


def test_an_inverse_around_zero_has_no_value():
    nearly = Scalar.of(Root(Scalar.of(2))) ** 2 - 2
    with pytest.raises(TermError, match="around 0"):
        value(Inverse(nearly))


def test_a_kind_of_term_that_is_not_known_has_no_meaning():
    class ForeignAtom(terms.Atom):
        key = "(foreign)"

        def __str__(self):
            return self.key

    with pytest.raises(TermError, match="has no meaning"):
        value(ForeignAtom())
    with pytest.raises(TermError, match="has no meaning"):
        denote_matrix(Matrix.of(Foreign()), world(), 1, 0)


def test_the_zero_matrix_has_its_shape():
    assert denote_matrix(Matrix.zero(("m", "n")), world(((1, 2),)), 1, 0) == ((exact(0), exact(0)),)


def test_facts_hold_at_every_time_and_outcome_or_nowhere():
    of = Scalar.of
    assert holds(Fact(">=", of(b) - 10), world()) is True
    assert holds(Fact(">", of(b) - 10), world()) is False
    assert holds(Fact(">=", of(b) - 11), world()) is False
    assert holds(Fact(">=", 20 - of(b)), world()) is False
    assert holds(Fact(">=", 21 - of(b)), world()) is True
    assert holds(Fact("=", of(b) - of(b)), world()) is True
    assert holds(Fact("=", of(b) - 10), world()) is False
    assert holds(Fact("=", of(Root(of(2))) ** 2 - 2), world()) is None
    assert holds(Fact(">=", of(Root(of(2))) ** 2 - 2), world()) is None
    assert holds(Fact("=", of(Root(of(2))) - Fraction(7, 5)), world()) is False
