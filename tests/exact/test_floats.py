"""The error bounds of the fast arithmetic contain its errors, against Arb on the same floats; casts
of problems."""

import math
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
import torch
from flint import arb, ctx
from hypothesis import given
from hypothesis import strategies as st

from boundcheck.exact.balls import Balls, ball_of, matrix_of
from boundcheck.exact.evaluate import Model
from boundcheck.exact.floats import Approx, Comparison, Rounded
from boundcheck.functions.adapters import LoRA
from boundcheck.functions.adapters.base import cast_to
from boundcheck.functions.problem import Problem
from boundcheck.language.symbols import a, b
from boundcheck.language.vocabulary import FrobeniusNorm, InnerProduct, SpectralNorm
from tests.functions.twins import KINDS, each_kind, some_examples

m, k = sp.symbols("m k", positive=True, integer=True)
X = sp.MatrixSymbol("X", m, k)
Y = sp.MatrixSymbol("Y", k, m)
Z = sp.MatrixSymbol("Z", m, k)

EXPRESSIONS = [
    FrobeniusNorm(X * Y * Z),
    FrobeniusNorm(X - Z),
    FrobeniusNorm(X * Y - (Y.T * X.T).T),
    FrobeniusNorm(sp.HadamardProduct(X, Z)) - FrobeniusNorm(X) * SpectralNorm(Z),
    SpectralNorm(X * Y),
    SpectralNorm(X - sp.Rational(1, 3) * Z),
    InnerProduct(X, Z) * a - b**3,
    sp.Trace(X * Y) ** 2,
    sp.sqrt(sp.Abs(InnerProduct(X, Z), evaluate=False)),
    1 / (1 + FrobeniusNorm(a * X) ** sp.Rational(3, 2)),
    sp.Max(FrobeniusNorm(X), b * FrobeniusNorm(Z), evaluate=False)
    - sp.Min(a, FrobeniusNorm(X), evaluate=False),
    FrobeniusNorm((X * Y) ** 3 - sp.Identity(m)),
]


def matrix(rows, columns, exponent, dtype, seed):
    X = np.random.default_rng(seed).standard_normal((rows, columns)) * 10.0**exponent
    return X.astype(dtype).astype(np.float64)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("expression", EXPRESSIONS, ids=str)
@given(data=st.data())
def test_the_exact_value_is_within_the_error(expression, dtype, data):
    # In float32 down to where squares underflow, and up to where products of three do not overflow.
    rows = data.draw(st.integers(1, 12))
    columns = data.draw(st.integers(1, 12))
    low = -25 if dtype == "float32" else -170
    exponents = [data.draw(st.sampled_from([0.0, -3.0, 4.0, float(low)])) for _ in range(3)]
    seed = data.draw(st.integers(0, 99))
    shapes = ((rows, columns), (columns, rows), (rows, columns))
    values = [
        matrix(*shape, e, dtype, seed + i)
        for i, (shape, e) in enumerate(zip(shapes, exponents, strict=True))
    ]
    numbers = {a: 0.1, b: data.draw(st.sampled_from([3.0, 1e-3]))}
    sides = {m: rows, k: columns}
    do = Rounded(getattr(torch, dtype))
    tensors = {
        letter: (do.exact(torch.tensor(x)),) for letter, x in zip((X, Y, Z), values, strict=True)
    }
    found = Model(do, {x: Approx(y, 0.0) for x, y in numbers.items()}, tensors, sides=sides).number(
        expression
    )
    with ctx.workprec(900):
        exact = {letter: (matrix_of(x),) for letter, x in zip((X, Y, Z), values, strict=True)}
        model = Model(
            Balls(), {x: ball_of(Fraction(y)) for x, y in numbers.items()}, exact, sides=sides
        )
        away = abs(model.number(expression) - arb(found.value))
        assert away <= arb(found.error)
    # And says something, where nothing underflows or cancels.
    if min(exponents) == max(exponents) == 0 and expression in (EXPRESSIONS[0], EXPRESSIONS[4]):
        assert found.error <= 1e4 * do.epsilon * (1 + abs(found.value)) * rows * columns


@pytest.mark.parametrize(
    "exponent", [Fraction(1, 3), Fraction(100, 3), Fraction(-301, 3), Fraction(7, 2), Fraction(99)]
)
@pytest.mark.parametrize("value", [0.0123, 1234.5, 1e-30, 1e30, 16.0])
def test_powers_are_within_their_error_though_the_exponent_is_rounded(value, exponent):
    found = Rounded(torch.float64).power(Approx(value, 0.0), exponent)
    if math.isfinite(found.value):
        with ctx.workprec(400):
            assert abs(Balls().power(arb(value), exponent) - arb(found.value)) <= arb(found.error)


def test_no_number_is_larger_or_smaller():
    do = Rounded(torch.float64)
    lost = Approx(math.nan, math.inf)
    for pick in (do.larger, do.smaller):
        for pair in ((lost, Approx(1.0, 0.0)), (Approx(1.0, 0.0), lost)):
            assert math.isnan(pick(*pair).value)
    assert do.rational(Fraction(10**400)).value == math.inf


def test_what_overflows_is_no_verdict():
    do = Rounded(torch.float32)
    huge = do.exact(torch.full((2, 2), 1e30))
    for number in (do.length((do.product(huge, huge),)), do.spectral(do.product(huge, huge))):
        compared = Comparison(number, Approx(1.0, 0.0))
        assert not compared.holds
        assert not compared.fails
    assert not Comparison(do.power(Approx(0.0, 1.0), Fraction(-1)), Approx(1.0, 0.0)).holds
    assert do.power(Approx(1e300, 0.0), Fraction(2)).value == math.inf


# What was measured, a bound, and their ratio, which exceeds 1 where the bound is exceeded.
RATIOS = [
    (1, 2, 0.5),
    (2, 1, 2),
    (0, 0, 0),
    (-1, 2, 0),
    (1, 0, math.inf),
    (1, -1, math.inf),
    (-4, -2, 0.5),
    (-2, -4, 2),
    (0, -1, math.inf),
]


@pytest.mark.parametrize("measured, bound, ratio", RATIOS)
def test_ratios_of_any_sign_exceed_1_where_the_bound_is_exceeded(measured, bound, ratio):
    compared = Comparison(Approx(float(measured), 0.0), Approx(float(bound), 0.0))
    assert compared.ratio == ratio
    assert (ratio > 1) == compared.fails == (not compared.holds)
    # Near ties neither hold nor fail.
    compared = Comparison(Approx(1.0, 0.2), Approx(1.1, 0.0))
    assert compared.holds is False
    assert compared.fails is False


@each_kind
@some_examples
@given(data=st.data())
def test_a_cast_problem_computes_in_its_type(kind, data):
    objective = data.draw(KINDS[kind])
    d, columns = objective.shape
    problem = Problem(objective, LoRA(torch.zeros(d, columns, dtype=torch.float64), 1))
    v = tuple(
        torch.full((1, *block.shape), 0.25, dtype=torch.float64) for block in problem.adapter.blocks
    )
    small = cast_to(problem, torch.float32, "cpu")
    size = (
        1
        + max(float(part.abs().max()) for part in problem.gradient(v))
        + objective.smoothness.value
    )
    for coarse, fine in zip(
        small.gradient(tuple(part.float() for part in v)), problem.gradient(v), strict=True
    ):
        assert coarse.dtype == torch.float32
        assert torch.allclose(coarse.double(), fine, rtol=0, atol=1e-4 * size)
    assert problem.gradient(v)[0].dtype == torch.float64
