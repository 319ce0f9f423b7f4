"""A false line that nobody gave a witness is refuted at small numbers, and a true one never is."""

from fractions import Fraction

import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from boundcheck.language.vocabulary import F, FrobeniusNorm, SpectralNorm, Value, d, k
from boundcheck.proof import Reading, judge, le, script

x, y = sp.symbols("x y")
a, b, eps = sp.symbols("a_0 b_0 eps", positive=True)
n = sp.Symbol("n_0", positive=True, integer=True)
X = sp.MatrixSymbol("X", d, k)
Y = sp.MatrixSymbol("Y", k, n)
Z = sp.MatrixSymbol("Z", d, k)
LETTERS = Reading(constants={x, y, a, b, eps, X, Y, Z})
HALF = sp.Rational(1, 2)


def judged(line, *known):
    def build(proof):
        premises = [*proof.positive(a, b, eps), *map(proof.assume, known)]
        proof.conclude(proof.step("line", line, *premises), relation=line)

    return judge(script("my.lemma", "sharp", LETTERS)(build))


FALSE = {
    "Young": le(a * b, a**2 / (4 * eps) + eps * b**2 / 2),
    "a product": le(FrobeniusNorm(X * Y), SpectralNorm(X) * SpectralNorm(Y)),
    "a sum": le(FrobeniusNorm(X + Z) ** 2, FrobeniusNorm(X) ** 2 + FrobeniusNorm(Z) ** 2),
    "norms the wrong way": le(FrobeniusNorm(X), SpectralNorm(X)),
    "a square": le(x, x**2),
    "between small numbers": le(35 * x, 25 * x**2 + 12),
}


@pytest.mark.parametrize("name", FALSE)
def test_a_false_line_is_refuted_without_a_witness_of_its_author(name):
    proof = judged(FALSE[name])
    (line,) = proof.steps
    assert line.verdict == "refuted"
    assert line.step.witness is not None
    assert proof.verdict == "unknown"
    assert "line" in proof.reason


def test_what_is_assumed_holds_at_the_numbers():
    bound = le(FrobeniusNorm(X), x)
    assert judged(le(FrobeniusNorm(X), x), bound).verdict == "proved"
    assert judged(le(FrobeniusNorm(X), HALF * x), bound).steps[-1].verdict == "refuted"
    # Nothing breaks it that meets what is assumed.
    assert judged(le(x * y, 2), le(x, 1), le(y, 1), le(-x, 0)).steps[-1].verdict != "refuted"


def test_a_line_about_a_function_is_refuted_by_a_quadratic():
    assert judged(le(Value(F, X), 0)).steps[-1].verdict == "refuted"


small = st.integers(-3, 3).map(lambda i: Fraction(i, 2))


@pytest.mark.full
@given(small, small, small)
def test_it_says_what_arithmetic_says_of_quadratic_forms(p, q, r):
    """Px² + qxy + ry² is nowhere negative where p, r ≥ 0 and q² ≤ 4pr."""
    P, Q, R = (sp.Rational(z.numerator, z.denominator) for z in (p, q, r))
    form = P * x**2 + Q * x * y + R * y**2
    if not form.free_symbols:
        return
    line = judged(le(0, form)).steps[-1]
    is_true = p >= 0 and r >= 0 and q**2 <= 4 * p * r
    assert line.verdict == ("proved" if is_true else "refuted")
