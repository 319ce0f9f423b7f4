"""A claim's own parameters: declared, known everywhere, and never dropped or taken for another."""

import pickle
import re
from dataclasses import replace
from fractions import Fraction

import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from boundcheck.exact.balls import lower, upper
from boundcheck.language import vocabulary
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim, Quantifier, Quantity, for_all
from boundcheck.language.symbols import L, Lhat, Parameter, T, bound, look, symbol_of
from tests.experiment.small import refused

KAPPA = Parameter(symbol_of("kappa", "positive real"), "positive real", "a factor", r"\varkappa")
STEPS = Parameter(symbol_of("m_1", "positive integer"), "positive integer", "how often")
SHIFT = Parameter(symbol_of("shift", "real"), "real", "a shift")
kappa = KAPPA.symbol
m_1 = STEPS.symbol
shift = SHIFT.symbol


def claim(expression, *declared, **more):
    return Claim(
        "my.claim",
        "Mine",
        "me",
        sp.Le(1, Lhat),
        quantities=(Quantity(Lhat, expression, "mine"),),
        declared=declared,
        **more,
    )


MINE = claim(L * kappa**m_1 + sp.exp(shift), KAPPA, STEPS, SHIFT)


def test_parameters_are_the_catalogues_and_then_its_own():
    assert [p.name for p in MINE.parameters] == ["L", "kappa", "m_1", "shift"]
    assert MINE.own == (KAPPA, STEPS, SHIFT)
    assert catalogue["jiang2024.theorem2"].own == ()
    assert r"\varkappa^{m_{1}}" in MINE.definitions_latex[0]


@given(
    st.fractions(Fraction(1, 9), 9, max_denominator=9),
    st.fractions(Fraction(1, 9), 9, max_denominator=9),
    st.integers(1, 9),
    st.integers(-9, 9),
)
def test_values_are_enclosed(smoothness, factor, steps, moved):
    inputs = {"L": smoothness, "kappa": factor, "m_1": steps, "shift": moved}
    value = MINE.values(**inputs)["Lhat"]
    ball = MINE.enclosures(**inputs)["Lhat"]
    assert lower(ball) * (1 - 1e-13) <= value <= upper(ball) * (1 + 1e-13)


@pytest.mark.parametrize(
    "change, field",
    [
        ({"kappa": 0}, "kappa"),
        ({"kappa": -1}, "kappa"),
        ({"m_1": 1.5}, "m_1"),
        ({"m_1": "sqrt(4)+1/2"}, "m_1"),
        ({"shift": "nan"}, "shift"),
        ({"other": 1}, "other"),
    ],
)
def test_domains_are_kept(change, field):
    inputs = {"L": 1, "kappa": 1, "m_1": 1, "shift": -1}
    assert refused(MINE.values, **inputs | change).field == field
    del inputs["kappa"]
    assert "a factor" in str(refused(MINE.values, **inputs))


def test_they_travel_to_other_claims_and_processes():
    inputs = {"L": 2, "kappa": 3, "m_1": 2, "shift": 0}
    assert pickle.loads(pickle.dumps(MINE)).values(**inputs) == MINE.values(**inputs)
    special = MINE.case("my.case", "Mine", "me", {m_1: sp.Integer(2)})
    assert [p.name for p in special.parameters] == ["L", "kappa", "shift"]
    del inputs["m_1"]
    assert special.bound(**inputs) == 19
    assert MINE.assuming({"Lhat": L}).declared == ()
    assert MINE.assuming({"Lhat": kappa + Lhat}).own == MINE.own
    # What a hypothesis declares, a claim that rests on it knows.
    resting = claim(
        L * kappa, hypotheses=(Claim("my.bound", "Mine", "me", sp.Le(kappa, 2), declared=(KAPPA,)),)
    )
    assert resting.own == (KAPPA,)
    assert r"\varkappa" in resting.definitions_latex[0]


x = sp.Symbol("x", positive=True)


@pytest.mark.parametrize(
    "make, field",
    [
        (lambda: claim(L * kappa), "claim.quantities"),
        (lambda: claim(sp.Symbol("L")), "claim.quantities"),
        (lambda: claim(sp.Dummy("L", positive=True)), "claim.quantities"),
        (lambda: claim(bound), "claim.quantities"),
        (lambda: claim("L"), "claim"),
        (lambda: claim(2), "claim"),
        (lambda: claim(L, conditions=(sp.Ge(kappa, 1),)), "claim.conditions"),
        (lambda: claim(L, conditions=(sp.true,)), "claim.conditions"),
        (lambda: claim(L, hypotheses=claim(L)), "claim.hypotheses"),
        (lambda: claim(L, hypotheses=(sp.Ge(L, 1),)), "claim.hypotheses"),
        (lambda: claim(L, conditions=sp.Ge(L, 1)), "claim.conditions"),
        (lambda: claim(L, conditions=None), "claim.conditions"),
        (lambda: claim(L * kappa, KAPPA, KAPPA), "claim.declared"),
        (lambda: claim(L * kappa, KAPPA, STEPS), "claim.declared"),
        (
            lambda: claim(
                L * kappa,
                KAPPA,
                hypotheses=(claim(kappa, Parameter(kappa, "positive real", "else")),),
            ),
            "claim.declared",
        ),
        (
            lambda: claim(x * kappa, KAPPA, Parameter(x, "positive real", "", r"\varkappa")),
            "claim.declared",
        ),
        (lambda: replace(claim(L), quantifier="for all v_1, v_2"), "claim.quantifier"),
        (lambda: replace(claim(L), quantifier=for_all(vocabulary.W)), "claim.quantifier"),
        (lambda: replace(claim(L), quantifier=for_all(sp.Symbol("L"))), "claim.quantifier"),
        (lambda: for_all(sp.Symbol("L"), L), "quantifier.letters"),
        (lambda: for_all("L"), "quantifier.letters"),
        (lambda: for_all(2 * L), "quantifier.letters"),
        (lambda: Quantifier([L]), "quantifier.letters"),
        (lambda: Quantifier((L,), 5), "quantifier.within"),
        (lambda: Quantifier((L,), spoken="for no"), "quantifier.spoken"),
        (lambda: Quantifier((L,), is_typed=True), "quantifier.is_typed"),
        (lambda: Quantifier((vocabulary.W, vocabulary.A), is_typed=True), "quantifier.is_typed"),
        (lambda: Parameter(x, "positive integer", ""), "parameter.symbol"),
        (lambda: Parameter(sp.Dummy("x", positive=True), "positive real", ""), "parameter.symbol"),
        (lambda: Parameter("x", "positive real", ""), "parameter.symbol"),
        (lambda: Parameter(x, "real number", ""), "parameter.domain"),
        (lambda: Parameter(T, "positive integer", "epochs"), "parameter.symbol"),
        (lambda: Parameter(symbol_of("exp", "real"), "real", ""), "parameter.symbol"),
    ],
)
def test_a_claim_that_says_no_one_thing_is_refused_when_it_is_made(make, field):
    assert refused(make).field == field


def test_text_and_a_case_in_which_a_condition_fails_are_no_special_case():
    for where in ({"L": sp.Integer(1)}, {L: "1"}, {L: 1}):
        refused(MINE.case, "x", "x", "me", where)
    limited = claim(L * kappa, KAPPA, conditions=(sp.Le(kappa, 2),))
    assert limited.case("x", "x", "me", {kappa: sp.Integer(2)}).conditions == ()
    assert "kappa <= 2" in str(refused(limited.case, "x", "x", "me", {kappa: sp.Integer(3)}))


@pytest.mark.parametrize(
    "condition",
    [sp.Eq(kappa, 2), sp.Ne(kappa, 3), sp.Lt(2 * kappa, 5), sp.Ge(sp.exp(kappa), 2)],
    ids=str,
)
def test_conditions_of_any_kind_are_decided(condition):
    limited = claim(L * kappa, KAPPA, conditions=(condition,))
    assert limited.bound(L=1, kappa=2) == 2
    wrong = "1/10" if isinstance(condition, sp.GreaterThan) else 3
    assert "says nothing" in str(refused(limited.bound, L=1, kappa=wrong))


@pytest.mark.parametrize(
    "name", ["amax", "maximum", "numpy", "pi", "power", "select", "abs", "float", "array"]
)
def test_a_name_of_numpys_is_a_name(name):
    taken = Parameter(symbol_of(name, "positive real"), "positive real", "mine")
    mine = claim(sp.Max(L, taken.symbol) + sp.sqrt(L) + sp.Abs(taken.symbol - 1), taken)
    assert mine.bound(**{"L": 4, name: 9}) == 9 + 2 + 8


def in_italics(latex):
    """Letters side by side that would be read as a product."""
    upright = re.sub(r"\\(?:text|operatorname|mathrm)\{[^{}]*\}|\\[A-Za-z]+", " ", latex)
    return re.findall("[A-Za-z]{3,}", upright)


@pytest.mark.parametrize("claim", catalogue.values(), ids=lambda claim: claim.id)
def test_no_word_of_a_claim_is_set_as_a_product(claim):
    assert in_italics(r"spread + v_{star} + \mathrm{bound} + \alpha") == ["spread", "star"]
    shown = [
        claim.statement_latex,
        *claim.definitions_latex,
        *(each.latex for each in claim.parameters),
    ]
    assert [word for latex in shown for word in in_italics(latex)] == []


@pytest.mark.parametrize(
    "name, latex",
    [
        ("v_star", "v^*"),
        ("Lhat", r"\hat{L}"),
        ("Lambda_d_1", r"\Lambda_{d,1}"),
        ("gradnorm", r"\mathrm{gradnorm}"),
    ],
)
def test_a_name_looks_as_a_letter_or_as_a_word(name, latex):
    """Of SymPy's own, `gradnorm` would be the norm of a product, and `v_star` a product below a
    v."""
    assert look(name) == latex


@given(st.from_regex(r"[A-Za-z]{1,8}(_[A-Za-z0-9]{1,5}){0,2}", fullmatch=True))
def test_no_name_is_set_as_a_product(name):
    assert in_italics(look(name)) == []
    assert look(name).count("{") == look(name).count("}")


@pytest.mark.parametrize(
    "node", [vocabulary.Gradient, vocabulary.FrobeniusNorm, vocabulary.MinimumOver], ids=str
)
def test_a_node_that_lacks_an_argument_is_refused_where_it_is_written(node):
    with pytest.raises(TypeError, match="expected"):
        node(*[vocabulary.v] * (node.arity[0] - 1))
