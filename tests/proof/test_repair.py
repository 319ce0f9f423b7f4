"""A false lemma is told which number makes it true: what is offered is proved, and near it is a
number with which it is false."""

import pytest
import sympy as sp

from boundcheck.errors import InputError
from boundcheck.proof import eq, ge, judge, le, lemma, script
from boundcheck.proof.repair import repairs

x, y = sp.symbols("x y")
p = sp.Symbol("p", positive=True)
YOUNG = le(x * y, p * x**2 / 4 + y**2 / (2 * p))


def found(says, *given):
    return [
        (str(each.number), str(each.mended))
        for each in repairs(lemma("my.lemma", says=says, given=given))
    ]


@pytest.mark.full
def test_what_is_offered_is_proved_and_the_nearest_number_is_refuted():
    for each in repairs(lemma("my.young", says=YOUNG)):
        assert judge(lemma("my.mended", says=each.says)).verdict == "proved"
        ends = sorted([each.number, each.mended])
        assert ends[0] <= each.broken <= ends[1]
        assert each.broken != each.mended
    assert [x[:2] for x in found(YOUNG)][:2] == [("1/2", "1"), ("1/4", "1/2")]


def test_one_number_of_an_equation_is_mended():
    assert found(eq(y**2, x**2 + 3 * x + 1), eq(y, x + 1)) == [("3", "2")]


def test_a_side_without_a_number_is_multiplied():
    assert found(le((x + y) ** 2, x**2 + y**2)) == [("1", "2")]


def test_what_is_given_stays():
    assert found(le(x, y / 4), le(2 * x, y), ge(y, 0)) == [("1/4", "1/2"), ("1", "2")]


@pytest.mark.full
def test_there_may_be_none():
    assert found(le(sp.Abs(x) + sp.Abs(y), sp.Abs(x + y))) == []


def test_what_is_no_lemma_is_refused():
    with pytest.raises(InputError, match="lemma"):
        list(repairs(script("my.own", "printed")(lambda proof: None)))
