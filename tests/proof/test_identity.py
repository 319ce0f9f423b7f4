"""Certificates as they are shown: text and LaTeX say the identity that the kernel checked, and no other."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction
from functools import reduce
from operator import mul

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from boundcheck.errors import InputError
from boundcheck.kernel.terms import ONE, ZERO, Scalar, Variable
from boundcheck.proof.notation import (
    Identity,
    Summand,
    from_latex,
    identity,
    identity_latex,
    identity_of,
    latex,
    read_identity,
    tokens_of,
)
from tests.judged import SCRIPTS, of_the_paper
from tests.kernel.strategies import scalars
from tests.layers import examples


@st.composite
def identities(draw: st.DrawFn) -> Identity:
    """Of factors that are made of one term, so that few have one name for two things."""
    base = draw(scalars(2).filter(lambda x: bool(x.terms)))
    factors = st.sampled_from([base, base * base, base - 1, base * 2 + 1, base * -1, *map(Scalar.of, base.atoms())])
    weights = st.fractions(-9, 9, max_denominator=9).filter(bool)
    roots = st.none() | factors.filter(lambda x: x.number is None)
    summands = st.builds(Summand, weights, st.lists(factors, max_size=3).map(tuple), roots)
    left, right = draw(st.lists(factors, min_size=1, max_size=3)), draw(st.lists(summands, max_size=3))
    return Identity(tuple(left), tuple(right))


@examples(100)
@given(identities())
def test_any_identity_reads_back(found: Identity) -> None:
    """Factor by factor, and not as polynomials, which would be equal on both sides."""
    try:
        table = found.letters
    except InputError:
        # One name for two things, of which none is displayed.
        assume(False)
    text = " ".join(found.lines)
    assert read_identity(text, table) == found
    made = " ".join(latex(line, table) for line in found.lines)
    assert tokens_of(from_latex(made, table)) == tokens_of(text)


def product(factors: Iterable[Scalar]) -> Scalar:
    return reduce(mul, factors, ONE)


def value(summand: Summand) -> Scalar:
    square = ONE if summand.root is None else summand.root * summand.root
    return product(summand.factors) * square * summand.weight


@pytest.mark.full
@of_the_paper
def test_every_certificate_of_the_paper_is_shown_as_it_was_checked() -> None:
    closed = [x.theorem for script in SCRIPTS for x in script.proof.steps if x.theorem.rule == "certificate"]
    assert len(closed) > 400
    for theorem in closed:
        found = identity_of(theorem)
        assert not (product(found.left) - sum(map(value, found.right), ZERO)).terms
        assert read_identity(identity(theorem), found.letters) == found
        rows = identity_latex(theorem)
        assert len(rows) == 1 + max(len(found.right), 1)
        assert read_identity(" ".join(from_latex(row, found.letters) for row in rows), found.letters) == found


x, y = (Scalar.of(Variable(name)) for name in "xy")
BOTH = Identity(
    (x, y - 1), (Summand(Fraction(-3, 4), (x,), y + 1), Summand(Fraction(1), (x * x,)), Summand(Fraction(2), ()))
)


def test_an_identity_is_a_line_a_summand() -> None:
    assert BOTH.lines == ["x*(-1 + y)", "= - 3/4*x*(1 + y)^2", "+ (x^2)", "+ 2"]
    assert [latex(line, BOTH.letters) for line in BOTH.lines] == [
        r"{x} \, ( - 1 + {y} )",
        r"= - 3 / 4 \, {x} \, ( 1 + {y} ) ^{ 2 }",
        r"+ ( {x} ^{ 2 } )",
        "+ 2",
    ]
    assert Identity((x - x,), ()).lines == ["(0)", "= 0"]


@pytest.mark.parametrize(
    "text", ["", "x", "x =", "x = y y", "x = y^2*x", "x = y^3", "x = 2*", "x = (y", "x = q", "x = 1/0", "x - y = 1"]
)
def test_what_is_no_identity_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        read_identity(text, BOTH.letters)


@pytest.mark.parametrize(
    ("line", "other"),
    [(1, "= 3/4*x*(1 + y)^2"), (1, "= - 3/4*x*(y - 1)^2"), (2, "+ x^2"), (3, "- 2"), (0, "(y - 1)*x")],
)
def test_another_text_is_another_identity(line: int, other: str) -> None:
    lines = [*BOTH.lines]
    lines[line] = other
    assert read_identity(" ".join(lines), BOTH.letters) != BOTH
    assert not re.fullmatch(re.escape(BOTH.lines[line]), other)
