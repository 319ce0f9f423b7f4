"""Rigorous numbers: outward rounding against exact fractions, and signs decided without rounding,
ties included."""

import math
from fractions import Fraction

import mpmath
import pytest
import sympy as sp
from flint import arb
from hypothesis import example, given
from hypothesis import strategies as st

from boundcheck.exact.balls import Balls, enclose, length, lower, sign, upper
from boundcheck.exact.evaluate import Model, t
from boundcheck.language.catalogue import catalogue
from boundcheck.language.symbols import T
from boundcheck.language.vocabulary import FrobeniusNorm
from tests.experiment.small import refused

THEOREM_2 = catalogue["jiang2024.theorem2"]
SMALL = st.integers(1, 30)
x = sp.Symbol("x")
X = sp.MatrixSymbol("X", 2, 2)


def ball_of(fraction):
    return enclose(sp.Rational(fraction.numerator, fraction.denominator), {})


@given(st.fractions(), st.just(Fraction(0)) | st.fractions(min_value=0))
@example(Fraction(1, 3), Fraction(0))
@example(Fraction(0), Fraction(0))
@example(Fraction(2) ** 60 + 1, Fraction(0))
@example(Fraction(1, 3) * Fraction(2) ** -1070, Fraction(0))
def test_lower_and_upper_are_outward_of_the_whole_ball(middle, radius):
    ball = ball_of(middle) + arb(0, 1) * ball_of(radius) if radius else ball_of(middle)
    below = lower(ball)
    above = upper(ball)
    assert Fraction(below) <= middle - radius
    assert Fraction(above) >= middle + radius
    if not radius:
        assert above <= math.nextafter(math.nextafter(below, math.inf), math.inf)
        assert lower(arb(float(middle))) == float(middle) == upper(arb(float(middle)))


@pytest.mark.parametrize(
    "ball", [arb("nan"), arb("+inf"), arb(1) / arb(0), arb("1e400"), arb("-1e400")]
)
@pytest.mark.parametrize("end", [lower, upper])
def test_an_end_that_is_no_finite_float_is_refused(ball, end):
    with pytest.raises(ArithmeticError, match="no finite bound"):
        end(ball)


@given(st.fractions(-50, 50, max_denominator=50), st.fractions(-50, 50, max_denominator=50))
def test_max_min_and_powers_are_enclosed(p, q):
    a, b = (sp.Rational(z.numerator, z.denominator) for z in (p, q))
    formula = sp.Max(x, b, evaluate=False) ** 3 - sp.Min(x, b, evaluate=False) * sp.Abs(x - b) ** 3
    exact = max(p, q) ** 3 - min(p, q) * abs(p - q) ** 3
    assert (
        Fraction(lower(enclose(formula, {x: a})))
        <= exact
        <= Fraction(upper(enclose(formula, {x: a})))
    )


@given(st.integers(1, 1000), st.integers(2, 6), st.integers(-3, 3))
def test_roots_are_enclosed(base, index, power):
    ball = enclose(x ** sp.Rational(power, index), {x: sp.Integer(base)})
    # x^(p/q) is enclosed by y exactly when its q-th power is enclosed by y^q.
    assert (ball**index).overlaps(ball_of(Fraction(base) ** power))
    assert ball.rel_accuracy_bits() > 50


@pytest.mark.parametrize(
    "formula", [sp.sin(x), sp.Symbol("y"), sp.pi * x, sp.Piecewise((x, x > 1), (1, True))], ids=str
)
def test_what_has_no_enclosure_is_refused(formula):
    assert refused(enclose, formula, {x: sp.Integer(2)}).field == "formula"


BEYOND = [
    sp.Sum(t, (t, 1, 3)),
    sp.Sum(x, (t, 1, T)),
    T * x,
    t + x,
    FrobeniusNorm(X),
    sp.Float(0.5) * x,
]


@pytest.mark.parametrize("formula", BEYOND, ids=str)
def test_an_enclosure_has_no_times_matrices_and_floats(formula):
    for decide in (enclose, sign):
        assert refused(decide, formula, {x: sp.Integer(2)}).field == "formula"


@given(st.integers(-3, 3), st.integers(0, 3))
def test_an_absolute_value_is_not_below_0(middle, radius):
    ball = Model(Balls(), {x: arb(middle, radius)}).number(sp.Abs(x))
    # But for the rounding of a radius.
    assert float(ball.lower()) >= -1e-7
    assert all(ball.contains(abs(arb(end))) for end in (middle - radius, middle, middle + radius))


GROWTH = {
    sp.exp(x) - sp.E: lambda v: mpmath.exp(v) - mpmath.e,
    sp.log(x) * 3: lambda v: 3 * mpmath.log(v),
    2**x: lambda v: mpmath.power(2, v),
    x**x: lambda v: mpmath.power(v, v),
    x ** sp.sqrt(2): lambda v: mpmath.power(v, mpmath.sqrt(2)),
    sp.exp(-x) / sp.log(x + 1): lambda v: mpmath.exp(-v) / mpmath.log(v + 1),
}


@pytest.mark.parametrize("formula", GROWTH, ids=str)
@given(value=st.fractions(Fraction(1, 100), 50, max_denominator=1000))
def test_exponentials_logarithms_and_powers_are_enclosed(formula, value):
    ball = enclose(formula, {x: sp.Rational(value.numerator, value.denominator)})
    with mpmath.workdps(60):
        wanted = GROWTH[formula](mpmath.mpf(value.numerator) / value.denominator)
        assert mpmath.mpf(lower(ball)) <= wanted <= mpmath.mpf(upper(ball))
    assert (upper(ball) - lower(ball)) <= 1e-12 * (1 + abs(upper(ball)))


def test_a_power_of_whole_exponent_is_exact_whatever_its_base():
    n = sp.Symbol("n")
    assert enclose((-2) ** n, {n: sp.Integer(3)}) == -8
    assert enclose(sp.Integer(0) ** (n + 1), {n: sp.Integer(3)}) == 0
    assert enclose(4**n, {n: sp.Rational(1, 2)}) == 2


def test_the_sign_of_exponentials_is_told_where_they_differ_and_a_tie_is_not():
    difference = sp.exp(x) - sp.exp(1)
    assert sign(difference, {x: 1 + sp.Rational(1, 10**1000)}) == 1
    assert sign(difference, {x: 1 - sp.Rational(1, 10**1000)}) == -1
    assert sign(sp.log(x), {x: sp.Integer(1)}) == 0
    ties = (
        (difference, 1),
        (sp.log(x**2) - 2 * sp.log(x), 3),
        (2 ** sp.sqrt(x) - 2 ** sp.sqrt(2), 2),
    )
    for tie, value in ties:
        assert refused(sign, tie, {x: sp.Integer(value)}).field == "sign"


@pytest.mark.parametrize("value", [0, -1])
def test_what_has_no_value_has_no_sign(value):
    assert refused(sign, sp.log(x), {x: sp.Integer(value)}).field == "sign"


def test_a_tie_of_more_radicals_than_can_be_told_is_refused_at_once():
    total = sum(sp.sqrt(p) for p in sp.primerange(2, 120))
    assert refused(sign, sp.sqrt(x) - total, {x: sp.expand(total**2)}).field == "sign"


@given(st.fractions(), st.fractions())
def test_sign_is_that_of_exact_arithmetic(p, q):
    a, b = (sp.Rational(z.numerator, z.denominator) for z in (p, q))
    assert sign(x - b, {x: a}) == (p > q) - (p < q)


@pytest.mark.parametrize("direction", [-1, 0, 1])
@pytest.mark.parametrize("bits", [60, 200, 1000, 4000, 20_000])
def test_sign_tells_very_near_numbers_apart(bits, direction):
    near = sp.sqrt(2) * sp.sqrt(3) + direction * sp.Rational(1, 2**bits)
    assert sign(x - sp.sqrt(6), {x: near}) == direction


@given(st.integers(2, 1000), st.integers(2, 1000), st.integers(-1, 1), st.integers(60, 400))
def test_sign_decides_ties_of_nested_radicals(a, b, direction, bits):
    # sqrt(a) + sqrt(b) is sqrt(a + b + 2 sqrt(ab)), which no ball can tell.
    nested = sp.sqrt(x + 2 * sp.sqrt(a * b))
    difference = nested - sp.sqrt(a) - sp.sqrt(b) + direction * sp.Rational(1, 2**bits)
    assert sign(difference, {x: sp.Integer(a + b)}) == direction


def decides(inputs, accepted=(), wrong=(), name="T"):
    """Theorem 2 is accepted at these values of an input, and for its horizon alone refused at
    those."""
    for value in accepted:
        THEOREM_2.check(inputs | {name: value})
    for value in wrong:
        assert refused(THEOREM_2.check, inputs | {name: value}).field == "T"


@given(SMALL, SMALL, SMALL, SMALL, SMALL, st.integers(1, 512), st.booleans())
def test_the_shortest_horizon_is_accepted_and_one_step_less_is_not(
    L, C, sigma, G, D, rank, is_square
):
    """Where it is an integer it is accepted itself; the roots of an irrational one are decided
    exactly."""
    inputs = {
        "L": L,
        "C": C,
        "sigma": sigma,
        "G": G,
        "D": D,
        "r": rank**2 if is_square else rank,
        "zeta": 1,
    }
    # The floor of 4 D (2 L C sqrt(r) sigma + G).
    under = (8 * D * L * C * sigma) ** 2 * inputs["r"]
    root = math.isqrt(under)
    shortest = root + 4 * D * G + (root**2 < under)
    decides(inputs, [shortest, shortest + 1], [shortest - 1])
    # The paper's own C = sqrt(r) sigma: the roots of the rank cancel into an integer.
    T_min = 4 * D * (2 * L * rank * sigma**2 + G)
    decides(inputs | {"C": sp.sqrt(rank) * sigma, "r": rank}, [T_min], [T_min - 1])


@pytest.mark.parametrize("digits", [10, 30, 300, 1000])
def test_a_gap_that_moves_the_shortest_horizon_by_less_than_a_float_counts(digits):
    inputs = {"L": 1, "C": 1, "sigma": 1, "G": 3, "r": 4, "zeta": 1, "T": 28}
    tiny = Fraction(1, 10**digits)
    decides(inputs, [Fraction(1), 1 - tiny], [1 + tiny], "D")


@given(st.lists(st.floats(-2, 2), min_size=1, max_size=4), st.floats(0, 1e-9))
@example([0.0], 1e-17)
def test_a_length_is_a_number_also_around_zero(numbers, width):
    """The square of a ball around 0 holds negative numbers; the length is that of points in it."""
    found = length(arb(x, width) for x in numbers)
    assert found.is_finite()
    assert found.overlaps(length(numbers))
