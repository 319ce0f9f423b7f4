"""Translation keeps the number: what the kernel makes of an expression denotes what NumPy does; or
it refuses."""

from dataclasses import replace
from fractions import Fraction
from math import isclose

import pytest
import sympy as sp
from hypothesis import assume, given
from hypothesis import strategies as st

from boundcheck.errors import InputError
from boundcheck.exact.evaluate import t
from boundcheck.kernel import Fact, builders, rules
from boundcheck.kernel.meaning import Model, denote, exact
from boundcheck.language import vocabulary as words
from boundcheck.language.catalogue import catalogue
from boundcheck.language.symbols import L, T, r
from boundcheck.language.vocabulary import (
    EuclideanNorm,
    Expectation,
    FrobeniusNorm,
    Gradient,
    Value,
    d,
    f,
    i,
)
from boundcheck.proof import Reading, eq, ge, gt, le
from boundcheck.proof.statement import reading_of
from tests.experiment.small import refused
from tests.kernel.strategies import ENTRIES, everywhere, worlds
from tests.layers import examples

from .reference import CUBIC, READING, A, Reference, g_t, measures, n, scalars, v, v_t, x, y

FEW = examples(60)
M = sp.MatrixSymbol("M", d, d)
N = sp.MatrixSymbol("N", d, d)
u = sp.MatrixSymbol("u", words.n, 1)
READING = replace(READING, arbitrary=READING.arbitrary | {M, N, u})
VALUES = st.sampled_from([entry for entry in ENTRIES if entry])


def constants(**numbers):
    """A model with nothing but numbers."""
    return Model(
        {"r": int(numbers.get("r", 1)), "d": 2},
        int(numbers.get("T", 1)),
        (Fraction(1),),
        lambda _: (0,),
        lambda atom, *_: numbers[atom.name],
    )


def same(value, number, rel=1e-9):
    return all(
        isclose(float(end), float(number), rel_tol=rel, abs_tol=rel)
        for end in (value.low, value.high)
    )


def translated(expression):
    """The expression; another one is drawn for an expectation that is none, or that is given less
    than the past."""
    try:
        return READING.scalar(expression)
    except InputError as error:
        assume(error.field not in ("expectation", "given"))
        raise


@FEW
@given(scalars(), VALUES, VALUES)
def test_scalars_denote_what_sympy_evaluates(expression, first, second):
    point = {x: sp.Rational(first), y: sp.Rational(second)}
    wanted = expression.subs(point).evalf(30)
    # Where sympy turned a quotient into one by 0 on the way.
    assume(wanted.is_finite and wanted.is_real)
    value = denote(READING.scalar(expression), constants(x=first, y=second), 1, 0)
    assert same(value, wanted), expression


@examples(120)
@given(measures(), worlds())
def test_matrices_time_and_chance_denote_what_numpy_computes(expression, world):
    world = world.with_functions(f=CUBIC)
    scalar = translated(expression)
    reference = Reference(world)
    for time, outcome in everywhere(world)[:4]:
        value = denote(scalar, world, time, outcome)
        wanted = reference.number(expression, time, outcome)
        assert same(value, wanted, 1e-8), (expression, time, outcome)


@FEW
@given(measures(1), measures(1), st.sampled_from([ge, gt, le, eq, sp.Lt]))
def test_a_relation_is_the_difference_of_its_sides_with_the_right_sign(left, right, relation):
    difference = translated(left) - translated(right)
    fact = READING.fact(
        relation(left, right) if relation is not sp.Lt else sp.Lt(left, right, evaluate=False)
    )
    sign = {ge: ">=", gt: ">", le: ">=", sp.Lt: ">", eq: "="}[relation]
    assert fact == Fact(sign, -difference if relation in (le, sp.Lt) else difference)


def test_conjunctions_and_maxima_are_one_fact_each():
    below = sp.Le(sp.Max(FrobeniusNorm(M), FrobeniusNorm(N), evaluate=False), x, evaluate=False)
    parts = [READING.fact(le(FrobeniusNorm(each), x)) for each in (M, N)]
    assert set(READING.facts(below)) == set(parts)
    both = sp.And(le(FrobeniusNorm(M), x), le(FrobeniusNorm(N), x))
    assert set(READING.facts(both)) == set(parts)
    with pytest.raises(InputError, match=r"statement = .*expected a single relation"):
        READING.fact(both)
    assert (
        READING.fact(below)
        == rules.maximum_at_most(tuple(map(rules.assume, parts)), READING.scalar(x)).fact
    )


def test_an_equation_of_vectors_is_that_the_difference_vanishes():
    fact = READING.fact(eq(v, 2 * v_t))
    blocks = [p - q for p, q in zip(READING.point(v), READING.point(2 * v_t), strict=True)]
    assert fact == Fact("=", builders.norm("F", *blocks))


MEASURED = [claim for claim in catalogue.values() if claim.quantities]


@pytest.mark.parametrize("claim", MEASURED, ids=lambda claim: claim.id)
def test_conditions_and_definitions_of_claims_have_a_translation(claim):
    reading = reading_of(claim)
    for condition in claim.conditions:
        strict = isinstance(condition, sp.StrictGreaterThan | sp.StrictLessThan)
        assert reading.fact(condition).relation == (">" if strict else ">=")
    for quantity in claim.quantities:
        assert reading.fact(eq(quantity.symbol, quantity.expression)).relation == "="


def lemma(expression):
    return le(expression, 1)


CUBE_ROOT = sp.Rational(1, 3)
REFUSED = {
    "true": (sp.true, "statement", "True", "does not evaluate"),
    "false": (sp.Le(2, 1), "statement", "False", "does not evaluate"),
    "python bool": (True, "statement", "True", "relation"),
    "text": ("x <= 1", "statement", "x <= 1", "relation"),
    "unequal": (sp.Ne(x, y), "statement", "Ne(x, y)", "relation"),
    "or": (sp.Or(le(x, 1), le(y, 1)), "statement", "|", "relation"),
    "not": (sp.Not(sp.And(le(x, 1), le(y, 1))), "statement", "1", "relation"),
    "logarithm": (lemma(sp.log(x)), "expression", "log(x)", "vocabulary"),
    "float": (lemma(sp.Float(0.5) * x), "expression", "0.5", "vocabulary"),
    "infinity": (le(x, sp.oo), "expression", "oo", "vocabulary"),
    "not a number": (le(x, sp.nan), "expression", "nan", "vocabulary"),
    "pi": (lemma(sp.pi), "expression", "pi", "vocabulary"),
    "imaginary": (lemma(sp.sqrt(-2)), "expression", "I", "vocabulary"),
    "cube root": (lemma((x**2 + 1) ** CUBE_ROOT), "exponent", "1/3", "a half or a quarter"),
    "eighth root": (
        lemma((x**2 + 1) ** sp.Rational(1, 8)),
        "exponent",
        "1/8",
        "a half or a quarter",
    ),
    "symbolic power": (lemma(2**x), "exponent", "x", "an integer"),
    "trace": (lemma(sp.Trace(M)), "expression", "Trace(M)", "vocabulary"),
    "determinant": (lemma(sp.Determinant(M)), "expression", "Determinant(M)", "vocabulary"),
    "entry": (lemma(M[0, 0]), "expression", "M[0, 0]", "vocabulary"),
    "identity": (lemma(FrobeniusNorm(M - sp.Identity(d))), "expression", "I", "vocabulary"),
    "entrywise product": (
        lemma(FrobeniusNorm(sp.HadamardProduct(M, N))),
        "expression",
        "M",
        "vocabulary",
    ),
    "matrix as a number": (
        le(x, 1).xreplace({x: FrobeniusNorm(M)}).func(M, 1, evaluate=False),
        "expression",
        "M",
        "",
    ),
    "piecewise": (
        lemma(sp.Piecewise((x, x > 0), (y, True))),
        "expression",
        "Piecewise",
        "vocabulary",
    ),
    "sum from 0": (lemma(sp.Sum(FrobeniusNorm(v_t), (t, 0, T))), "range", "Sum", "t from 1 to T"),
    "sum to T - 1": (
        lemma(sp.Sum(FrobeniusNorm(v_t), (t, 1, T - 1))),
        "range",
        "Sum",
        "t from 1 to T",
    ),
    "sum over s": (lemma(sp.Sum(x, (y, 1, T))), "range", "Sum", "t from 1 to T"),
    "least from 2": (
        lemma(words.MinimumOver(FrobeniusNorm(v_t), t, 2, T)),
        "range",
        "min_",
        "t from 1 to T",
    ),
    "two vectors": (lemma(FrobeniusNorm(v.T * v)), "expression", "v", "a number and a vector"),
    "a vector's square": (
        lemma(FrobeniusNorm(v * v.T)),
        "expression",
        "v",
        "a number and a vector",
    ),
    "every other time": (
        lemma(FrobeniusNorm(words.Iterate("v", 2 * t, n, 1))),
        "index",
        "2*t",
        "whole number",
    ),
    "half a step": (
        lemma(FrobeniusNorm(words.Iterate("v", t + sp.Rational(1, 2), n, 1))),
        "index",
        "t + 1/2",
        "whole",
    ),
    "given a matrix": (lemma(Expectation(FrobeniusNorm(v_t), M)), "given", "M", "one iterate"),
}


@pytest.mark.parametrize("relation, field, value, expected", REFUSED.values(), ids=REFUSED)
def test_what_has_no_translation_is_named(relation, field, value, expected):
    error = refused(READING.facts, relation)
    assert error.field == field
    assert value in str(error.value)
    assert expected in error.expected


@pytest.mark.parametrize("name", ["x", "L", "r", "T"])
def test_a_symbol_is_a_constant_a_dimension_or_the_horizon(name):
    symbol = {"r": r, "T": T, "L": L}.get(name, sp.Symbol(name))
    (atom,) = Reading(constants={sp.Symbol("x")}).scalar(symbol).atoms()
    assert str(atom) == name
    assert not builders.timed(atom)


# What would be read as something else, so that what is false could be proved, or would end in a
# traceback.


MISREAD = {
    # t inside of a sum over i could be read as i.
    "a sum with the time inside": eq(sp.Sum(t, (i, 1, t)), t**2),
    # SymPy flattens nested sums, and limits beyond the first could be dropped.
    "a double sum": eq(
        sp.Sum(sp.Sum(FrobeniusNorm(v_t), (t, 1, T)), (t, 1, T)),
        sp.Sum(FrobeniusNorm(v_t), (t, 1, T)),
    ),
    "a sum over another index too": eq(sp.Sum(y, (t, 1, T), (words.k, 1, 5)), T * y),
    # An inverse or a root of a matrix could be read as a vector without blocks.
    "inverse matrices": eq(words.InnerProduct(M.I, M.I), 0),
    "a function of an inverse": eq(Value(f, M.I), Value(f, N.I)),
    "a root of a matrix": eq(
        Value(f, sp.MatPow(M, sp.Rational(1, 2))), Value(f, sp.MatPow(N, sp.Rational(1, 2)))
    ),
    # A second thing that is given could be dropped.
    "given two": eq(
        Expectation(EuclideanNorm(g_t) ** 2, v_t, g_t), Expectation(EuclideanNorm(g_t) ** 2, v_t)
    ),
    "a symbolic power of a matrix": lemma(FrobeniusNorm(sp.MatPow(M, words.n))),
    "a block that the vector has not": lemma(FrobeniusNorm(words.PartialGradient(f, v, M))),
    "a vector plus one of another make": lemma(EuclideanNorm(v + u)),
    "a vector and one of another make": lemma(words.InnerProduct(v, u)),
    "the spectral norm of a vector": lemma(words.SpectralNorm(v)),
    "a vector that is 0": eq(v, sp.ZeroMatrix(words.n, 1)),
    "a name with a space": lemma(sp.Symbol("a b")),
}


@pytest.mark.parametrize("relation", MISREAD.values(), ids=MISREAD)
def test_what_would_be_misread_is_refused(relation):
    refused(READING.facts, relation)


LAST = 4


TIMES = [
    (t, lambda at: at),
    (sp.Sum(t, (t, 1, T)), lambda at: LAST * (LAST + 1) // 2),
    (sp.Sum(1 / t, (t, 1, T)), lambda at: sum(Fraction(1, s) for s in range(1, LAST + 1))),
    (sp.Sum(i**2, (i, 1, t - 1)), lambda at: sum(s * s for s in range(1, at))),
    (sp.Sum(3, (i, 1, t)), lambda at: 3 * at),
    (sp.Sum(i, (i, 1, T)), lambda at: LAST * (LAST + 1) // 2),
    (sp.Sum(i, (i, 1, T + 1)), lambda at: (LAST + 1) * (LAST + 2) // 2),
    (sp.Integer(3) ** (t - 1), lambda at: 3 ** (at - 1)),
    (sp.Rational(1, 2) ** T, lambda at: Fraction(1, 2**LAST)),
    ((1 - 1 / t) ** (2 * T - 2), lambda at: (1 - Fraction(1, at)) ** (2 * LAST - 2)),
    (sp.Sum(sp.Integer(2) ** (i - 1), (i, 1, t - 1)), lambda at: 2 ** (at - 1) - 1),
]


@pytest.mark.parametrize("at", [1, 2, LAST])
@pytest.mark.parametrize(
    "expression, value", TIMES, ids=[str(expression) for expression, _ in TIMES]
)
def test_the_time_is_a_number(expression, value, at):
    model = replace(constants(), horizon=LAST)
    assert denote(Reading().scalar(expression), model, at, 0) == exact(value(at))


def test_a_gradient_has_the_blocks_of_its_point():
    assert [block.shape for block in READING.point(Gradient(f, v))] == [("k", "n"), ("m", "k")]
    (block,) = READING.point(words.PartialGradient(f, v, A))
    assert block == READING.point(Gradient(f, v))[0]
