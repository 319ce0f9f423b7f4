"""Print, parse, compare: what is shown of a statement or a certificate says that one and no other."""

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
from boundcheck.kernel import Fact, Law
from boundcheck.kernel.builders import norm
from boundcheck.kernel.derive import RELATIONS, derivation
from boundcheck.kernel.terms import ANY, NOW, ONE, ZERO, Inverse, Matrix, Scalar, Symbol, Time, Variable
from boundcheck.proof import notation
from boundcheck.proof.notation import Identity, Summand, from_latex, latex, letters, read_identity, tokens_of
from tests.judged import SCRIPTS, of_the_paper
from tests.kernel.strategies import matrices, scalars, symbols, variables
from tests.layers import examples

FACTS = st.builds(Fact, st.sampled_from(RELATIONS), scalars(2))
BOUND = st.lists(st.one_of(symbols(("m", "n"), (ANY,)), variables((ANY,))), max_size=2)
LAWS = st.recursive(
    st.builds(Law, BOUND, st.lists(FACTS, max_size=2), FACTS),
    lambda laws: st.builds(Law, BOUND, st.lists(st.one_of(FACTS, laws), max_size=2), FACTS),
    max_leaves=3,
)


@examples(300)
@given(st.one_of(FACTS, LAWS))
def test_any_statement_reads_back(statement: Fact | Law) -> None:
    try:
        table = letters([statement])
    except InputError:
        # One name for two things, of which none is displayed.
        assume(False)
    text = str(statement)
    made = latex(text, table)
    assert notation.read(text, table) == statement
    assert tokens_of(from_latex(made, table)) == tokens_of(text)
    assert "\n" not in text


@examples(60)
@given(FACTS, FACTS)
def test_two_facts_have_two_texts(first: Fact, second: Fact) -> None:
    try:
        table = letters([first, second])
    except InputError:
        assume(False)
    same = first == second
    assert (str(first) == str(second)) == same
    assert (latex(str(first), table) == latex(str(second), table)) == same


def test_an_inverse_to_a_power_has_brackets() -> None:
    """Without them its exponent would look like that of what is below the line."""
    x = Scalar.of(Variable("x"))
    inverse = Scalar.of(Inverse(x))
    fact = Fact(">=", inverse * inverse + inverse)
    table = letters([fact])
    made = latex(str(fact), table)
    assert r"\left(\frac{1}{ {x} }\right) ^{ 2 }" in made
    assert r"\frac{1}{ {x} } +" in made
    assert tokens_of(from_latex(made, table)) == tokens_of(str(fact))
    # A bracket that closes another group is no LaTeX of ours.
    with pytest.raises(InputError):
        from_latex(made.replace(r"}\right)", "}"), table)


@pytest.mark.full
@of_the_paper
def test_every_theorem_of_every_proof_reads_back() -> None:
    ends = [x.theorem for script in SCRIPTS for x in script.proof.steps]
    ends += [script.proof.conclusion for script in SCRIPTS if script.proof.conclusion]
    seen = derivation(ends)
    assert len(seen) > 1500
    for theorem in seen:
        statements = [*theorem.hypotheses, theorem.conclusion]
        table = letters(statements)
        for statement in statements:
            assert notation.read(str(statement), table) == statement
        made = latex(str(theorem.conclusion), table)
        assert tokens_of(from_latex(made, table)) == tokens_of(str(theorem.conclusion))


X = Symbol("X", ("m", "n"))
REFUSED = {
    "nothing": "",
    "no relation": "x",
    "two relations": "0 <= x <= 1",
    "an unknown letter": "0 <= q",
    "a matrix as a number": "0 <= X",
    "a number as a matrix": "0 <= ‖x‖_F",
    "a norm that does not close": "0 <= ‖X",
    "a sign that is none": "0 <= x ; x",
    "letters of another alphabet": "0 <= \u0445",
    "an index of a constant": "0 <= x[t]",
    "brackets without end": "(" * 5000 + "x",
    "more than the statement": "0 <= x 1",
    "a transposed number": "0 <= xᵀ",
    "a power of a matrix": "0 <= ‖X^2‖_F",
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_what_is_no_statement_is_refused(text: str) -> None:
    table = letters([Fact(">=", Scalar.of(Variable("x"))), Fact(">=", _norm(X))])
    with pytest.raises(InputError):
        notation.read(text, table)


def _norm(symbol: Symbol) -> Scalar:
    return norm("F", Matrix.of(symbol))


def test_one_name_for_two_things_has_no_table() -> None:
    both = Fact(">=", _norm(X) + Variable("X"))
    with pytest.raises(InputError, match="name = X: expected one thing of this name"):
        letters([both])
    assert notation.shown(both).letters == {}
    # Nor may a number and a process share one, or matrices of two shapes.
    for other in (Variable("X", Time(NOW)), _norm(Symbol("X", ("n", "m"), Time(NOW)))):
        with pytest.raises(InputError, match="name = X: expected one thing of this name"):
            letters([Fact(">=", _norm(X) + other)])
    # A process is written with its time, and is another letter.
    apart = Fact(">=", _norm(X) + _norm(Symbol("X", ("m", "n"), Time(NOW))))
    assert set(notation.shown(apart).roles) == {"X", "X[t]", "m", "n"}


@examples(60)
@given(matrices(("m", "n")))
def test_a_matrix_says_its_shape_where_it_is_zero(matrix: Matrix) -> None:
    assert str(matrix) == "0[m, n]" or matrix.terms


@pytest.mark.parametrize("text", [r"\frac{1}{2}", r"\mathbf{x}_{t+1} \leq \|A\|", "", r"\text{for all } x"])
def test_formulas_are_formulas(text: str) -> None:
    assert notation.check_math(text) == text


@examples(200)
@given(st.text(st.sampled_from(r"\{}$%#&~<>^_abx 1()[]") | st.characters(), max_size=12))
def test_what_passes_as_a_formula_cannot_leave_it(text: str) -> None:
    try:
        notation.check_math(text)
    except InputError:
        return
    assert text.isascii()
    assert text.isprintable() or not text
    assert not re.search(r"[$%#&~<>]|\\[()\[\]]|\\\\", re.sub(r"\\[{}|,;:! ]", "", text))
    plain = re.sub(r"\\[{}]", "", text)
    assert plain.count("{") == plain.count("}")


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
        found = notation.identity_of(theorem)
        assert not (product(found.left) - sum(map(value, found.right), ZERO)).terms
        assert read_identity(notation.identity(theorem), found.letters) == found
        rows = notation.identity_latex(theorem)
        assert len(rows) == 1 + max(len(found.right), 1)
        assert read_identity(" ".join(from_latex(row, found.letters) for row in rows), found.letters) == found


x, y = (Scalar.of(Variable(name)) for name in "xy")
BOTH = Identity(
    (x, y - 1), (Summand(Fraction(-3, 4), (x,), y + 1), Summand(Fraction(1), (x * x,)), Summand(Fraction(2), ()))
)


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
