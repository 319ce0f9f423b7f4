"""Labels, numbers for people, and exponents of the rank read off the formulas."""

import re
from html import unescape

import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from boundcheck.language import prose
from boundcheck.language.catalogue import catalogue
from boundcheck.present.words import rank_exponent, said, sentence_of


@pytest.mark.parametrize(
    "claim, lipschitz, exponent",
    [
        ("jiang2024.theorem2", None, sp.Rational(1, 4)),
        ("jiang2024.theorem2", "sigma", sp.Rational(1, 4)),
        ("jiang2024.theorem2", "sqrt(r) sigma", sp.Rational(1, 2)),
        ("jiang2024.rate", None, sp.Rational(1, 4)),
        ("meft.theorem2_repaired", None, 0),
        ("meft.theorem2_best_step", None, 0),
    ],
)
def test_rank_exponent_is_that_of_the_formula(claim, lipschitz, exponent):
    assert rank_exponent(catalogue[claim], lipschitz) == exponent


@pytest.mark.parametrize(
    "typed, shown",
    [
        ("plain <words>", "plain &lt;words&gt;"),
        ("a_long_name and a.dotted.name_2", "<code>a_long_name</code>"),
        ("jiang2024.bounded_below failed", "<code>jiang2024.bounded_below</code> failed"),
    ],
)
def test_a_text_without_formulas_stays_as_it_is(typed, shown):
    assert shown in said(typed)
    assert "<math" not in said(typed)


def test_formulas_are_typeset_with_dollars_and_where_a_script_tells():
    assert said("from $C ≤ σ$ on") == Markup(f"from {prose.html('$C ≤ σ$')} on")
    assert said("from v_t to v_(t+1), or v_{t+1}.") == Markup("from {} to {}, or {}.").format(
        *(Markup(prose.html(f"${x}$")) for x in ("v_t", "v_(t+1)", "v_(t+1)"))
    )
    assert said("(at v_1)") == Markup("(at {})").format(Markup(prose.html("$v_1$")))
    assert said("eta_max") == prose.html("$η_max$")
    assert sentence_of("the bound") == "The bound"
    assert said(Markup("<b>a_1</b>")) == "<b>a_1</b>"


@given(st.text(st.sampled_from("ab_^$ .,()<>v1{}"), max_size=30))
def test_no_letter_of_a_text_is_lost(text):
    shown = unescape(re.sub("<.*?>", "", said(text)))
    assert [x for x in shown if x.isalnum()] == [x for x in text if x.isalnum()]
