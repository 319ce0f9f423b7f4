"""Definitions and hypotheses that speak of the number t: each of these would prove something
false."""

import pytest
import sympy as sp

from boundcheck.errors import InputError
from boundcheck.exact.evaluate import t
from boundcheck.language.algorithms import GRADIENT_DESCENT, SGD
from boundcheck.language.claim import Claim, Quantifier, Quantity, for_all
from boundcheck.language.symbols import Parameter, T, alpha
from boundcheck.language.vocabulary import (
    EuclideanNorm,
    Expectation,
    F,
    FrobeniusNorm,
    Iterate,
    Value,
    g_t,
    i,
    n,
    v_t,
)
from boundcheck.proof import Process, Proof, Reading, eq, judge, le, script

m, k = (sp.Symbol(name, positive=True, integer=True) for name in ("m", "k"))
A, B, X = (sp.MatrixSymbol(name, m, k) for name in "ABX")
u = sp.Symbol("u")
c = sp.Symbol("x")
READING = Reading(
    processes={Iterate("A", t, m, k): Process((A,))}, constants={B, c}, arbitrary={X, u}
)


def at(time):
    return Iterate("A", time, m, k)


SIZE = FrobeniusNorm(B)
# Definitions, in their order, of which the last cannot be.
DEFINED = {
    "a start that varies": [(at(1), t * B)],
    "a start that varies by a power": [(at(1), sp.Integer(2) ** (t - 1) * B)],
    "an iterate at another fixed time": [(at(2), B)],
    "the iterates by their start": [(at(t), at(1) + B)],
    "the start by the iterates": [(at(1), (Expectation(FrobeniusNorm(at(t))) + 1) * B)],
    "the start by a later iterate": [
        (at(t + 1), at(t)),
        (at(1), (Expectation(FrobeniusNorm(at(t + 5))) + 1) * B),
    ],
    "a number by a sum of what may be anything": [
        (u, FrobeniusNorm(at(t))),
        (c, Expectation(sp.Sum(u, (t, 1, T)))),
        (at(t + 1), (c + 1) * B),
    ],
    "a number of the time": [(c, t)],
    "a number by a sum over earlier times": [(c, sp.Sum(1, (i, 1, t - 1)))],
    "a dimension": [(m, sp.Rational(1, 2))],
    "a time before t": [(i, sp.Rational(1, 2))],
}


@pytest.mark.parametrize("equations", DEFINED.values(), ids=DEFINED)
def test_what_varies_or_returns_to_itself_is_no_definition(equations):
    proof = Proof(None, READING)
    for left, right in equations[:-1]:
        proof.define(left, right)
    with pytest.raises(InputError):
        proof.define(*equations[-1])


@pytest.mark.parametrize("value", [t * FrobeniusNorm(X) ** 2, sp.Sum(1, (i, 1, t - 1)), u])
def test_a_function_has_one_value_at_a_point(value):
    with pytest.raises(InputError, match="of constants and of the point alone"):
        Proof(None, READING).define(Value(F, X), value, forall=[X])


def test_a_recurrence_with_a_start_is_a_definition():
    proof = Proof(None, READING)
    proof.define(at(t + 1), at(t) + B)
    proof.define(at(1), 2 * B)


def hypothesis(relation):
    return Claim("my.hypothesis", "Hypothesis", "mine", relation, for_all(t))


def verdict(claim, build, **options):
    return judge(script(claim, "sharp", **options)(build)).verdict


MOVED = {
    "before the first time": (le(FrobeniusNorm(at(t)), (t - 1) * SIZE), t - 1, 1),
    "after the last time": (le(FrobeniusNorm(at(t)), (T - t) * SIZE), t + 1, T),
    "a truth about the times": (le(t * SIZE, T * SIZE), t + 1, T),
}


@pytest.mark.parametrize("relation, moved, time", MOVED.values(), ids=MOVED)
def test_a_hypothesis_that_names_the_time_is_not_moved_out_of_it(relation, moved, time):
    given = hypothesis(relation)
    claim = Claim("my.moved", "Moved", "mine", le(SIZE, 0), Quantifier(), (given,))

    def build(proof):
        by = proof.by
        line = by.at(proof.assume(given, where={t: moved}), time)
        iterates = [at(0), at(T + 1)] if relation.has(Iterate) else []
        sizes = [by.nonnegative("F", each) for each in (B, *iterates)]
        proof.conclude(proof.step("line", claim.conclusion, line, *sizes))

    assert verdict(claim, build) == "unknown"


def test_a_condition_that_names_the_time_is_not_met_at_another_one():
    given = hypothesis(le(FrobeniusNorm(at(t)), t - 1))
    premise = le(FrobeniusNorm(at(t + 1)), t - 1)
    claim = Claim(
        "my.condition", "Condition", "mine", le(FrobeniusNorm(at(2)), 0), Quantifier(), (given,)
    )

    def build(proof):
        local = proof.local(premise)
        line = proof.step("line", claim.conclusion, proof.by.at(local, 1))
        proof.conclude(line)

    assert verdict(claim, build) == "unknown"


@pytest.mark.parametrize("algorithm", [SGD, GRADIENT_DESCENT], ids=lambda each: each.id)
def test_the_letters_of_an_algorithm_are_not_for_a_proof_to_choose(algorithm):
    """With the noise set to 0, or F to a constant, no algorithm moves."""
    Y = sp.MatrixSymbol("Y", n, 1)
    step = Parameter(alpha, "positive real", "step size")
    claim = Claim(
        "my.still",
        "Nothing moves",
        "mine",
        eq(EuclideanNorm(v_t.xreplace({t: t + 1}) - v_t), 0),
        quantities=(Quantity(sp.Symbol("twice", positive=True), 2 * alpha, "twice the step"),),
        declared=(step,),
        algorithm=algorithm,
    )

    def build(proof):
        by = proof.by
        (equation,) = algorithm.recurrence
        update = proof.define(*equation.args)
        if algorithm is SGD:
            slope = (proof.define(g_t, sp.ZeroMatrix(n, 1)), g_t, sp.ZeroMatrix(n, 1))
            proof.conclude(by.rewrite(update, claim.conclusion, slope))
        else:
            proof.define(Value(F, Y), Value(sp.Symbol("h"), sp.ZeroMatrix(n, 1)), forall=[Y])
            proof.conclude(proof.step("line", claim.conclusion, update))

    assert verdict(claim, build, fresh=[Y]) == "unknown"
