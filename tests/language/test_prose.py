"""Formulas in texts: a terminal, a page and a paper show the same signs; what is typed for LaTeX
has its value."""

import math
import re
from html import unescape
from xml.etree import ElementTree

import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from boundcheck.language import prose
from boundcheck.language.catalogue import catalogue
from boundcheck.language.prose import typed

LETTERS = "abLCrGTσλζακηΔW"
# What the converter to MathML writes for what is typed.
SAME = {"-": "−", "*": "∗"}

TYPESET = [
    ("σ_1 ≤ σ", r"\sigma_{1} \le \sigma"),
    ("‖XY‖_F ≤ ‖X‖_op‖Y‖_F", r"\| X Y \|_{F} \le \| X \|_{\mathrm{op}} \| Y \|_{F}"),
    ("2LC√r·σ + G", r"2 L C \sqrt{r} \cdot \sigma + G"),
    ("√rσ", r"\sqrt{r} \sigma"),
    ("√(rσ)", r"\sqrt{r \sigma}"),
    ("O(r^(1/4) / T^(1/2))", r"O (r^{1 / 4} / T^{1 / 2})"),
    ("r^-1, α ∝ r^(-1/4)", r"r^{-1} , \alpha \propto r^{- 1 / 4}"),
    ("λ* ≤ L̂, f*", r"\lambda^{*} \le \hat{L} , f^{*}"),
    ("a*b", r"a * b"),
    ("T_min, T_t, v_(t+1), b ≈ U_3h", r"T_{\min} , T_{t} , v_{t + 1} , b \approx U_{3} h"),
    ("σ₁(A)², WᵀW = I", r"\sigma_{1} (A)^{2} , W^{\top} W = I"),
    ("min_t E‖∇F(v_t)‖²", r"\min_{t} \mathbb{E} \| \nabla F (v_{t}) \|^{2}"),
    ("κ = 1.5/(1 - q/2)", r"\kappa = 1.5 / (1 - q / 2)"),
    ("v_{t+1}, Σ_{s<t} x^{2}", r"v_{t + 1} , \sum_{s < t} x^{2}"),
    ("{x}_1", r"\{x\}_{1}"),
    ("", ""),
    ("√", r"\surd"),
    ("x_", r"x \text{\_}"),
    ("(a", "(a"),
    ("a)", "a )"),
    ("x\\y", r"x \text{\textbackslash{}} y"),
]


@pytest.mark.parametrize("typed, set_", TYPESET)
def test_a_formula_is_set_as_papers_set_it(typed, set_):
    assert prose.latex(typed) == set_


atoms = st.one_of(
    st.sampled_from(LETTERS),
    st.integers(0, 99).map(str),
    st.sampled_from(["a_1", "T_t", "r^2", "‖W‖_F", "√r", "x²"]),
)
formulas = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" + ", " - ", " ≤ ", " / ", "·", " = "]), inner).map(
            "".join
        ),
        inner.map("({})".format),
        st.tuples(st.sampled_from(LETTERS), st.sampled_from("_^"), inner).map(
            lambda x: f"{x[0]}{x[1]}({x[2]})"
        ),
        inner.map("√({})".format),
    ),
    max_leaves=8,
)


def shown(formula):
    """The signs of a formula on a page, in their order, without the brackets and roots, which are
    drawn."""
    element = ElementTree.fromstring(prose.html(f"${formula}$"))
    return re.sub(r"[()\s]", "", "".join(element.itertext()))


@given(formulas)
def test_no_sign_is_lost_or_added_or_moved(formula):
    """A reader of the page sees what was typed: scripts are lower or higher, and roots are
    drawn."""
    typed = re.sub(r"[()\s_^√]", "", formula).translate(str.maketrans(SAME | {"²": "2"}))
    assert unescape(shown(formula)).replace("⋅", "·") == typed


@given(formulas, formulas)
def test_two_formulas_never_look_the_same(one, other):
    """But for what is only spelled in two ways: spaces, and the brackets around a script or a root
    of one sign."""

    def spelled(formula):
        formula = re.sub(r"\s", "", formula).replace("²", "^2")
        return re.sub(r"([_^√])\((\w+|[^\W\d_])\)", r"\1\2", formula)

    if spelled(one) != spelled(other):
        assert prose.html(f"${one}$") != prose.html(f"${other}$")


ASCII = st.text(st.characters(max_codepoint=126, min_codepoint=32))


@given(ASCII)
def test_any_text_is_shown_as_text(text):
    """Whatever a person wrote outside of formulas comes out as typed: no tag, and no command of TeX
    but ours."""
    words = text.replace("$", "").replace("`", "")
    assert unescape(prose.html(words)) == prose.plain(words) == words
    # What is left once our own commands are taken out is no sign of TeX.
    assert not re.search(
        r"[&%#_^~{}\\]", re.sub(r"\\text[a-z]+\{\}|\\[&%$#_{}]", "", prose.tex(words))
    )


@given(ASCII)
def test_a_formula_brings_no_tag(text):
    element = ElementTree.fromstring(f"<p>{prose.html('$' + text.replace('$', '') + '$')}</p>")
    assert not {each.tag for each in element.iter()} & {"script", "a", "img", "style"}


def test_a_name_of_the_code_is_set_as_code():
    said = "`a.b_c` is $‖x‖$, not `<b>`"
    assert prose.plain(said) == "`a.b_c` is ‖x‖, not `<b>`"
    assert (
        prose.html(said)
        == f"<code>a.b_c</code> is {prose.html('$‖x‖$')}, not <code>&lt;b&gt;</code>"
    )
    assert (
        prose.tex(said) == r"\texttt{a.\allowbreak{}b\_\allowbreak{}c} is $\| x \|$, not"
        r" \texttt{\textless{}b\textgreater{}}"
    )
    assert prose.plain("a $`x`$ and `$y$`") == "a `x` and `$y$`"
    assert prose.html("a $`x`$ and `$y$`") == f"a {prose.html('$`x`$')} and <code>$y$</code>"
    assert prose.html("`` and `") == "`` and `"


def test_data_is_made_plain_as_a_whole():
    assert prose.plainly({"a": ["$x_1$", ("in $y$", 2)], "$b$": None}) == {
        "a": ["x_1", ["in y", 2]],
        "$b$": None,
    }


def test_words_stay_words():
    said = 'False off the ball: $‖v‖ > a$, 5 % & "more" < all'
    assert prose.plain(said) == 'False off the ball: ‖v‖ > a, 5 % & "more" < all'
    assert prose.html("5 < 6 & <b>") == "5 &lt; 6 &amp; &lt;b&gt;"
    assert prose.tex(said) == r'False off the ball: $\| v \| > a$, 5 \% \& "more" \textless{} all'
    assert prose.tex("λ of L̂, café") == r"\ensuremath{\lambda} of \ensuremath{\hat{L}}, café"
    assert prose.html("it costs $5") == "it costs $5"


@pytest.mark.parametrize("sign", ["^", "_", "~", "\\", "%", "#", "&", "{", "}"])
def test_a_sign_that_tex_spells_out_is_itself_on_a_page(sign):
    assert unescape(re.sub("<.*?>", "", prose.html(f"$x {sign}$"))) == f"x{sign}"


TYPED = [
    (r"\frac{2 D \hat{L}}{T}", "2 D L̂/T"),
    (r"2 C L \sqrt{r} \sigma + G", "2 C L √r σ + G"),
    (r"\sqrt[4]{r}", "r^(1/4)"),
    (r"- f^* + F(v)", "-f* + F(v)"),
    (r"\left\| - \nabla F(v_{1}) \right\|_F^{2}", "‖-∇F(v_1)‖_F²"),
    (r"\nabla_{A} F(v)", "∇_A F(v)"),
    (r"\mathbb{E}\left[ g_{t} \mid v_{t} \right]", "E[g_t | v_t]"),
    (r"\min_{1 \le t \le T} f(t)", "min_(1 ≤ t ≤ T) f(t)"),
    (r"\frac{\sum_{t=1}^{T} x_{t}}{T}", "(Σ_(t = 1)^T x_t)/T"),
    (r"\text{for all } W_1, W_2 \in \mathbb{R}^{d \times k}", "for all W_1, W_2 ∈ ℝ^(d × k)"),
    (r"N^{-1} \Lambda_m, \; N \text{ the norms}", "N⁻¹ Λ_m, N the norms"),
    (r"A \wedge B", "A and B"),
    (r"\unknown{x}", "unknownx"),
    (r"\mathrm{a\_b}", "a_b"),
    (r"x_12", "x_12"),
    ("", ""),
    (r"\frac", "/()"),
    ("}{", "}()"),
]


@pytest.mark.parametrize("latex, expected", TYPED)
def test_a_formula_is_typed_as_a_person_would(latex, expected):
    assert typed(latex) == expected


RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
NAME = "[A-Za-zα-ωℓ][A-Za-zα-ω]*\u0302?(?:_[A-Za-z0-9]+)?"
TOKEN = re.compile(rf"\s*(?:(\d+)|({NAME})|([⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)|(.))")


def value_of(formula, values):
    """The value of a typed formula, as Python has it once what stands side by side is
    multiplied."""
    made = ""
    is_factor = False
    for number, name, raised, sign in TOKEN.findall(re.sub(rf"√({NAME}|\d+)", r"√(\1)", formula)):
        if is_factor and (number or name or sign in ("(", "√")):
            made += "*"
        made += (
            f"**({raised.translate(RAISED)})"
            if raised
            else f"values[{name!r}]"
            if name in values
            else ""
        )
        made += (
            number
            or {"√": "sqrt", "^": "**", "·": "*"}.get(sign, sign)
            or (name if name == "max" else "")
        )
        is_factor = bool(number or raised or sign == ")" or name in values)
    return eval(made, {"sqrt": math.sqrt, "max": max, "values": values})


def agrees(expression, latex, values, names):
    exact = float(expression.subs(values).evalf())
    return math.isclose(value_of(typed(latex), names), exact, rel_tol=1e-9, abs_tol=1e-9)


@pytest.mark.parametrize("id", [claim.id for claim in catalogue.values() if claim.quantities])
def test_every_formula_of_the_catalogue_has_its_value(id):
    claim = catalogue[id]
    for quantity in claim.quantities:
        letters = sorted(quantity.expression.free_symbols, key=str)
        # Where all that stands under a root, below a bar or under a power is positive.
        numbers = [
            {"w_0": 9.0, "Lhat": 5.0}.get(str(x), 0.3 + 0.07 * place)
            for place, x in enumerate(letters)
        ]
        names = {typed(claim.latex(x)): number for x, number in zip(letters, numbers, strict=True)}
        assert len(names) == len(letters), names
        values = dict(zip(letters, numbers, strict=True))
        assert agrees(quantity.expression, claim.latex(quantity.expression), values, names)


x, y, z = sp.symbols("x y z", positive=True)
VALUES = {x: 1.3, y: 0.7, z: 2.1}
leaves = st.sampled_from([x, y, z, sp.Integer(1), sp.Integer(2), sp.Rational(3, 2)])
expressions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: pair[0] + pair[1]),
        st.tuples(inner, inner).map(lambda pair: pair[0] - pair[1]),
        st.tuples(inner, inner).map(lambda pair: pair[0] * pair[1]),
        st.tuples(inner, inner).map(lambda pair: pair[0] / (pair[1] ** 2 + 1)),
        inner.map(lambda e: sp.sqrt(e**2 + 1)),
        inner.map(lambda e: (e**2 + 1) ** sp.Rational(1, 4)),
        st.tuples(inner, st.integers(2, 3)).map(lambda pair: pair[0] ** pair[1]),
        st.tuples(inner, inner).map(lambda pair: (pair[0] ** 2 + 1) ** (x + 1) * pair[1]),
        st.tuples(inner, inner).map(lambda pair: sp.Max(pair[0], pair[1] ** 2, evaluate=False)),
    ),
    max_leaves=8,
)


@given(expressions)
def test_any_formula_has_its_value(expression):
    names = {str(letter): value for letter, value in VALUES.items()}
    exact = expression.subs(VALUES).evalf()
    if abs(exact) < 1e8:
        assert agrees(expression, sp.latex(expression, root_notation=True), VALUES, names)


@given(st.text(max_size=40))
def test_no_text_is_too_strange(text):
    for show in (prose.plain, prose.html, prose.tex, typed):
        assert isinstance(show(f"{text} $x_1$"), str)
        assert isinstance(show(text), str)


@pytest.mark.parametrize("id", catalogue)
def test_every_statement_is_shown_without_a_command(id):
    claim = catalogue[id]
    text = typed(claim.statement_latex)
    assert not set(text) & set("\\{}$&#%")
    assert text.count("‖") % 2 == 0
    assert all(text.count(a) == text.count(b) for a, b in ("()", "[]", "⟨⟩"))
