"""Formulas in texts: a terminal, a page and a paper show the same signs."""

import re
from html import unescape
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boundcheck.language import prose

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


@pytest.mark.parametrize(("typed", "set_"), TYPESET)
def test_a_formula_is_set_as_papers_set_it(typed: str, set_: str) -> None:
    assert prose.latex(typed) == set_


atoms = st.one_of(
    st.sampled_from(LETTERS), st.integers(0, 99).map(str), st.sampled_from(["a_1", "T_t", "r^2", "‖W‖_F", "√r", "x²"])
)
formulas = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" + ", " - ", " ≤ ", " / ", "·", " = "]), inner).map("".join),
        inner.map("({})".format),
        st.tuples(st.sampled_from(LETTERS), st.sampled_from("_^"), inner).map(lambda x: f"{x[0]}{x[1]}({x[2]})"),
        inner.map("√({})".format),
    ),
    max_leaves=8,
)


def shown(formula: str) -> str:
    """The signs of a formula on a page, in their order, without the brackets and roots, which are drawn."""
    element = ElementTree.fromstring(prose.html(f"${formula}$"))
    return re.sub(r"[()\s]", "", "".join(element.itertext()))


@given(formulas)
def test_no_sign_is_lost_or_added_or_moved(formula: str) -> None:
    """A reader of the page sees what was typed: scripts are lower or higher, and roots are drawn."""
    typed = re.sub(r"[()\s_^√]", "", formula).translate(str.maketrans(SAME | {"²": "2"}))
    assert unescape(shown(formula)).replace("⋅", "·") == typed


@given(formulas, formulas)
def test_two_formulas_never_look_the_same(one: str, other: str) -> None:
    """But for what is only spelled in two ways: spaces, and the brackets around a script or a root of one sign."""

    def spelled(formula: str) -> str:
        formula = re.sub(r"\s", "", formula).replace("²", "^2")
        return re.sub(r"([_^√])\((\w+|[^\W\d_])\)", r"\1\2", formula)

    if spelled(one) != spelled(other):
        assert prose.html(f"${one}$") != prose.html(f"${other}$")


ASCII = st.text(st.characters(max_codepoint=126, min_codepoint=32))


@given(ASCII)
def test_any_text_is_shown_as_text(text: str) -> None:
    """Whatever a person wrote outside of formulas comes out as typed: no tag, and no command of TeX but ours."""
    words = text.replace("$", "").replace("`", "")
    assert unescape(prose.html(words)) == prose.plain(words) == words
    # What is left once our own commands are taken out is no sign of TeX.
    assert not re.search(r"[&%#_^~{}\\]", re.sub(r"\\text[a-z]+\{\}|\\[&%$#_{}]", "", prose.tex(words)))


@given(st.text())
def test_no_text_is_too_strange(text: str) -> None:
    for show in (prose.plain, prose.html, prose.tex):
        assert isinstance(show(f"{text} $x_1$"), str)


@given(ASCII)
def test_a_formula_brings_no_tag(text: str) -> None:
    element = ElementTree.fromstring(f"<p>{prose.html('$' + text.replace('$', '') + '$')}</p>")
    assert not {each.tag for each in element.iter()} & {"script", "a", "img", "style"}


def test_a_name_of_the_code_is_set_as_code() -> None:
    said = "`a.b_c` is $‖x‖$, not `<b>`"
    assert prose.plain(said) == "`a.b_c` is ‖x‖, not `<b>`"
    assert prose.html(said) == f"<code>a.b_c</code> is {prose.html('$‖x‖$')}, not <code>&lt;b&gt;</code>"
    assert prose.tex(said) == (
        r"\texttt{a.\allowbreak{}b\_\allowbreak{}c} is $\| x \|$, not \texttt{\textless{}b\textgreater{}}"
    )
    assert prose.plain("a $`x`$ and `$y$`") == "a `x` and `$y$`"
    assert prose.html("a $`x`$ and `$y$`") == f"a {prose.html('$`x`$')} and <code>$y$</code>"
    assert prose.html("`` and `") == "`` and `"


def test_data_is_made_plain_as_a_whole() -> None:
    assert prose.plainly({"a": ["$x_1$", ("in $y$", 2)], "$b$": None}) == {"a": ["x_1", ["in y", 2]], "$b$": None}


def test_words_stay_words() -> None:
    said = 'False off the ball: $‖v‖ > a$, 5 % & "more" < all'
    assert prose.plain(said) == 'False off the ball: ‖v‖ > a, 5 % & "more" < all'
    assert prose.html("5 < 6 & <b>") == "5 &lt; 6 &amp; &lt;b&gt;"
    assert prose.tex(said) == r'False off the ball: $\| v \| > a$, 5 \% \& "more" \textless{} all'
    assert prose.tex("λ of L̂, café") == r"\ensuremath{\lambda} of \ensuremath{\hat{L}}, café"
    assert prose.html("it costs $5") == "it costs $5"


@pytest.mark.parametrize("sign", ["^", "_", "~", "\\", "%", "#", "&", "{", "}"])
def test_a_sign_that_tex_spells_out_is_itself_on_a_page(sign: str) -> None:
    assert unescape(re.sub("<.*?>", "", prose.html(f"$x {sign}$"))) == f"x{sign}"
