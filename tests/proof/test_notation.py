"""Print, parse, compare: what is shown of a statement or a certificate says that one and no
other."""

import re
from math import prod

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from boundcheck.errors import InputError
from boundcheck.kernel import Fact, Law, rules
from boundcheck.kernel.builders import norm
from boundcheck.kernel.derive import RELATIONS, derivation
from boundcheck.kernel.terms import (
    ANY,
    NOW,
    ONE,
    ZERO,
    Inverse,
    Matrix,
    Scalar,
    Symbol,
    Time,
    Variable,
)
from boundcheck.proof import notation
from boundcheck.proof.certificate import certify
from boundcheck.proof.notation import from_latex, latex, letters, read_line, tokens_of
from tests.judged import SCRIPTS, of_the_paper
from tests.kernel.strategies import matrices, scalars, symbols, variables
from tests.layers import examples

from .entailments import entailed

FACTS = st.builds(Fact, st.sampled_from(RELATIONS), scalars(2))
BOUND = st.lists(st.one_of(symbols(("m", "n"), (ANY,)), variables((ANY,))), max_size=2)
LAWS = st.recursive(
    st.builds(Law, BOUND, st.lists(FACTS, max_size=2), FACTS),
    lambda laws: st.builds(Law, BOUND, st.lists(st.one_of(FACTS, laws), max_size=2), FACTS),
    max_leaves=3,
)


@examples(300)
@given(st.one_of(FACTS, LAWS))
def test_any_statement_reads_back(statement):
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
def test_two_facts_have_two_texts(first, second):
    try:
        table = letters([first, second])
    except InputError:
        assume(False)
    same = first == second
    assert (str(first) == str(second)) == same
    assert (latex(str(first), table) == latex(str(second), table)) == same


def test_an_inverse_to_a_power_has_brackets():
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
def test_every_theorem_of_every_proof_reads_back():
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
def test_what_is_no_statement_is_refused(text):
    table = letters([Fact(">=", Scalar.of(Variable("x"))), Fact(">=", _norm(X))])
    with pytest.raises(InputError):
        notation.read(text, table)


def _norm(symbol):
    return norm("F", Matrix.of(symbol))


def test_one_name_for_two_things_has_no_table():
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
def test_a_matrix_says_its_shape_where_it_is_zero(matrix):
    assert str(matrix) == "0[m, n]" or matrix.terms


@pytest.mark.parametrize(
    "text", [r"\frac{1}{2}", r"\mathbf{x}_{t+1} \leq \|A\|", "", r"\text{for all } x"]
)
def test_formulas_are_formulas(text):
    assert notation.check_math(text) == text


@examples(200)
@given(st.text(st.sampled_from(r"\{}$%#&~<>^_abx 1()[]") | st.characters(), max_size=12))
def test_what_passes_as_a_formula_cannot_leave_it(text):
    try:
        notation.check_math(text)
    except InputError:
        return
    assert text.isascii()
    assert text.isprintable() or not text
    assert not re.search(r"[$%#&~<>]|\\[()\[\]]|\\\\", re.sub(r"\\[{}|,;:! ]", "", text))
    plain = re.sub(r"\\[{}]", "", text)
    assert plain.count("{") == plain.count("}")


@pytest.mark.full
@of_the_paper
def test_every_certificate_of_the_paper_is_shown_as_it_was_checked():
    closed = [
        x.theorem
        for script in SCRIPTS
        for x in script.proof.steps
        if x.theorem.rule == "certificate"
    ]
    assert len(closed) > 400
    for theorem in closed:
        (_, left), *summands = notation.identity_of(theorem)
        assert prod(left, start=ONE) == sum((prod(each, start=ONE) for _, each in summands), ZERO)
        assert len(notation.identity_latex(theorem)) == 1 + len(summands)


@examples(60)
@given(entailed())
def test_an_identity_is_read_back_line_by_line(given):
    theorem = certify(given.goal, [rules.assume(premise) for premise in given.premises])
    assert theorem is not None
    lines = notation.identity_of(theorem)
    table = letters(Fact(">=", factor) for _, factors in lines for factor in factors)
    assert [read_line(text, table) for text, _ in lines] == [
        prod(factors, start=ONE) for _, factors in lines
    ]
    assert notation.identity(theorem) == " ".join(text for text, _ in lines)


LINE = "- 3/4*x*(y - 1)^2"


@pytest.mark.parametrize("text", ["", "x =", "y y", "2*", "(y", "q", "1/0", "x^y", "x = y"])
def test_what_is_no_line_of_an_identity_is_refused(text):
    table = letters([Fact(">=", Scalar.of(Variable("x")) + Variable("y"))])
    assert (
        read_line(f"= {LINE}", table) == read_line(LINE, table) != read_line(f"+ {LINE[2:]}", table)
    )
    with pytest.raises(InputError):
        read_line(text, table)
