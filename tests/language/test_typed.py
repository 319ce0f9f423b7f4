"""A formula on one line says what it says in LaTeX: read back by other code it has its value."""

import math
import re

import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from boundcheck.language.catalogue import catalogue
from boundcheck.language.prose import typed
from tests.layers import sampled

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


@pytest.mark.parametrize(("latex", "expected"), TYPED)
def test_a_formula_is_typed_as_a_person_would(latex: str, expected: str) -> None:
    assert typed(latex) == expected


RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
TOKEN = re.compile(r"\s*(?:(\d+)|(max|[A-Za-zα-ωℓ][A-Za-zα-ω]*\u0302?(?:_[A-Za-z0-9]+)?)|([⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)|(.))")


class Twin:
    """The value of a typed formula: sums of products of powers, where what stands side by side is a product."""

    def __init__(self, text: str, values: dict[str, float]) -> None:
        self.signs = [next(filter(None, match)) for match in TOKEN.findall(text)]
        self.values = values

    def value(self) -> float:
        found = self.sum()
        assert not self.signs, self.signs
        return found

    def peek(self) -> str:
        return self.signs[0] if self.signs else ""

    def sum(self) -> float:
        found = self.product()
        while self.peek() in ("+", "-"):
            found += self.product() if self.signs.pop(0) == "+" else -self.product()
        return found

    def product(self) -> float:
        if self.peek() == "-":
            self.signs.pop(0)
            return -self.product()
        found = self.power()
        while self.peek() and self.peek() not in "+-),":
            if self.peek() == "/":
                self.signs.pop(0)
                found /= self.power()
            elif self.peek() == "·":
                self.signs.pop(0)
            else:
                found *= self.power()
        return found

    def power(self) -> float:
        found = self.base()
        if self.peek() == "^":
            self.signs.pop(0)
            return math.pow(found, self.base())
        if self.peek() and self.peek()[0] in "⁰¹²³⁴⁵⁶⁷⁸⁹⁻":
            return math.pow(found, int(self.signs.pop(0).translate(RAISED)))
        return found

    def base(self) -> float:
        sign = self.signs.pop(0)
        if sign == "√":
            return math.sqrt(self.base())
        if sign == "(":
            found = self.sum()
            assert self.signs.pop(0) == ")"
            return found
        if sign == "max":
            assert self.signs.pop(0) == "("
            found = self.sum()
            while self.signs.pop(0) == ",":
                found = max(found, self.sum())
            return found
        return self.values[sign] if sign in self.values else float(sign)


def agrees(expression: sp.Expr, latex: str, values: dict[sp.Symbol, float], names: dict[str, float]) -> bool:
    exact = float(expression.subs(values).evalf())
    return math.isclose(Twin(typed(latex), names).value(), exact, rel_tol=1e-9, abs_tol=1e-9)


@sampled(4)
@pytest.mark.parametrize("id", [claim.id for claim in catalogue.values() if claim.quantities])
def test_every_formula_of_the_catalogue_has_its_value(id: str) -> None:
    claim = catalogue[id]
    for quantity in claim.quantities:
        letters = sorted(quantity.expression.free_symbols, key=str)
        # Where all that stands under a root, below a bar or under a power is positive.
        numbers = [{"w_0": 9.0, "Lhat": 5.0}.get(str(x), 0.3 + 0.07 * place) for place, x in enumerate(letters)]
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
def test_any_formula_has_its_value(expression: sp.Expr) -> None:
    names = {str(letter): value for letter, value in VALUES.items()}
    exact = expression.subs(VALUES).evalf()
    if abs(exact) < 1e8:
        assert agrees(expression, sp.latex(expression, root_notation=True), VALUES, names)


@given(st.text(max_size=40))
def test_any_text_is_shown(text: str) -> None:
    assert isinstance(typed(text), str)


@sampled(4)
@pytest.mark.parametrize("id", catalogue)
def test_every_statement_is_shown_without_a_command(id: str) -> None:
    claim = catalogue[id]
    text = typed(claim.statement_latex)
    assert not set(text) & set("\\{}$&#%")
    assert text.count("‖") % 2 == 0
    assert all(text.count(a) == text.count(b) for a, b in ("()", "[]", "⟨⟩"))
