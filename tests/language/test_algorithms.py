"""Algorithms: torch step, exact step and recurrence say the same, and what cannot be a method is
refused."""

import math
from fractions import Fraction

import hypothesis.strategies as st
import numpy as np
import pytest
import sympy as sp
import torch
from boundcheck.proofs.meft.theorems import ADAPTIVE_GD, C
from hypothesis import assume, given

from boundcheck.errors import InputError
from boundcheck.functions.adapters import FrozenA
from boundcheck.functions.arithmetic import square_norm
from boundcheck.functions.checks import check_steps
from boundcheck.functions.problem import Problem
from boundcheck.functions.sgd import advance
from boundcheck.language.algorithms import (
    ADAGRAD_NORM,
    ADAPTIVE_LORA_GD,
    ALGORITHMS,
    GRADIENT_DESCENT,
    HEAVY_BALL,
    NESTEROV,
    SGD,
    SLOPE,
    STEP,
    LinearMethod,
    g,
    share,
    v,
)
from boundcheck.language.symbols import L, alpha, delta, eta
from boundcheck.language.vocabulary import (
    A_t,
    B_t,
    EuclideanNorm,
    F,
    FrobeniusNorm,
    Gradient,
    Iterate,
    SpectralNorm,
    g_t,
    i,
    n,
    t,
    v_t,
)
from boundcheck.properties import problems
from boundcheck.worst_case.short_run import check_theorem
from tests.experiment.small import pseudo_huber, random_point
from tests.language.small import SPACE, point, rationals
from tests.layers import examples

LINEAR = [each for each in ALGORITHMS.values() if isinstance(each, LinearMethod)]
x, w = sp.symbols("x w")
# A method of one's own: its query and coefficients are not those of another.
OWN = LinearMethod(
    "own",
    "own",
    (alpha,),
    moves=((v, (v + x) / 2 - alpha * g), (x, x - v / (t + 1) + 2 * g)),
    at=v + (x - v) / t,
)
coordinates = st.lists(st.integers(-64, 64).map(lambda i: i / 16), min_size=2, max_size=2)
shares = st.integers(1, 15).map(lambda i: Fraction(i, 16))

each_linear = pytest.mark.parametrize("algorithm", [*LINEAR, OWN], ids=lambda each: each.id)


def values(algorithm, share):
    return {symbol.name: share / (1 + i) for i, symbol in enumerate(algorithm.parameters)}


def by_recurrence(algorithm, start, eigenvalues, numbers, steps):
    """The iterates by the equations of the statement, term by term: a naive twin."""
    now = {letter.name: start for letter, _ in algorithm.moves}
    found = []
    for time in range(1, steps + 1):
        known = {t: time} | {symbol: numbers[symbol.name] for symbol in algorithm.parameters}

        def valued(node, now=now, known=known):
            match node:
                case sp.MatAdd():
                    return sum(map(valued, node.args))
                case sp.MatMul():
                    *scalars, vector = node.args
                    coefficient = sp.Mul(*scalars).subs(known)
                    return Fraction(int(coefficient.p), int(coefficient.q)) * valued(vector)
                case Gradient():
                    return eigenvalues * valued(node.args[1])
            return eigenvalues * now["v"] if node == g_t else now[str(node.args[0])]

        found.append(now["v"])
        now = {str(each.lhs.args[0]): valued(each.rhs) for each in algorithm.recurrence}
    return found


@each_linear
@given(start=coordinates, eigenvalues=coordinates, share=shares)
def test_steps_of_rationals_are_the_recurrence_and_leave_the_state_before_alone(
    algorithm, start, eigenvalues, share
):
    steep = rationals(eigenvalues)
    numbers = values(algorithm, share)
    state = algorithm.exact_start(rationals(start), numbers)
    for time, expected in enumerate(
        by_recurrence(algorithm, rationals(start), steep, numbers, 4), 1
    ):
        assert all(algorithm.iterate(state) == expected)
        state = algorithm.exact_step(
            state, steep * algorithm.exact_query(state, time, numbers), time, numbers
        )
    assert all(isinstance(x, Fraction) for x in algorithm.iterate(state))
    floats = {name: float(x) for name, x in numbers.items()}
    old = algorithm.start(point(np.array(start)), floats)
    before = [part.clone() for vector in old for part in vector]
    assert len(algorithm.step(old, point(np.array(eigenvalues)), 1, floats)) == len(old)
    assert all(map(torch.equal, before, (part for vector in old for part in vector)))
    check_steps(algorithm, floats)


def test_replicas_do_not_meet():
    v = torch.randn(4, 3, 2, dtype=torch.float64)
    gradient = torch.randn(4, 3, 2, dtype=torch.float64)
    for algorithm in ALGORITHMS.values():
        numbers = dict.fromkeys(
            (*(symbol.name for symbol in algorithm.parameters), *algorithm.asks), 0.5
        )
        state = algorithm.step(algorithm.start((v,), numbers), (gradient,), 1, numbers)
        for k in range(4):
            one = algorithm.step(
                algorithm.start((v[k : k + 1],), numbers), (gradient[k : k + 1],), 1, numbers
            )
            assert all(torch.equal(x[0][k : k + 1], y[0]) for x, y in zip(state, one, strict=True))


def test_the_statements_are_those_of_the_papers():
    (step,) = SGD.recurrence
    assert step == sp.Eq(Iterate("v", t + 1, n, 1), v_t - alpha * g_t)
    (step,) = ADAGRAD_NORM.recurrence
    squares = sp.Sum(EuclideanNorm(Gradient(F, v_t.xreplace({t: i}))) ** 2, (i, 1, t))
    assert step.rhs == v_t - eta / sp.sqrt(delta**2 + squares) * Gradient(F, v_t)
    before = rationals([3.0])
    at = rationals([5.0])
    next_v, next_y = NESTEROV.exact_step(
        (before, at), rationals([4.0]), 7, {"alpha": Fraction(1, 2)}
    )
    assert next_v == at - 2
    assert next_y == next_v + Fraction(6, 9) * (next_v - before)


@pytest.mark.parametrize("algorithm", [*LINEAR, OWN, ADAGRAD_NORM], ids=lambda each: each.id)
@given(
    start=coordinates,
    other=coordinates,
    gradients=st.lists(coordinates, min_size=2, max_size=2),
    share=shares,
)
def test_a_step_drifts_no_farther_than_it_says(algorithm, start, other, gradients, share):
    size = np.linalg.norm
    numbers = {name: float(x) for name, x in values(algorithm, share).items()}
    states = [algorithm.exact_start(np.array(x), numbers) for x in (start, other)]
    one, two = (
        algorithm.exact_step(state, np.array(g), 2, numbers, SPACE)
        for state, g in zip(states, gradients, strict=True)
    )
    apart = [float(size(x - y)) for x, y in zip(*states, strict=True)]
    limits = algorithm.drift(apart, float(size(np.subtract(*gradients))), 2, numbers)
    for x, y, limit in zip(one, two, limits, strict=True):
        assert size(x - y) <= limit * (1 + 1e-9) + 1e-12
    places = [algorithm.exact_query(state, 2, numbers) for state in states]
    assert size(places[0] - places[1]) <= algorithm.reach(apart, 2, numbers) * (1 + 1e-9) + 1e-12


def test_only_steps_along_one_gradient_keep_a_curved_domain():
    assert [each.keeps_curves for each in (SGD, GRADIENT_DESCENT, ADAGRAD_NORM)] == [True] * 3
    assert not any(each.keeps_curves for each in (HEAVY_BALL, NESTEROV, OWN))
    place = (torch.zeros(1, 1, 1),)
    moved = SGD.step(
        (place,), (torch.ones(1, 1, 1),), 1, {"alpha": 0.5}, lambda v, u: (v[0] + 8 * u[0],)
    )
    assert moved[0][0].item() == -4
    with pytest.raises(InputError, match="flat"):
        HEAVY_BALL.step((place, place), place, 1, {"alpha": 1.0, "beta": 0.5}, lambda v, u: v)


@pytest.mark.parametrize(
    "move, at",
    [
        (v * g, v),
        (v - alpha * g**2, v),
        (v + 1, v),
        (v - w * g, v),
        (v - alpha * g, v + g),
        (sp.sqrt(v), v),
    ],
    ids=str,
)
def test_what_is_not_linear_is_refused(move, at):
    with pytest.raises(InputError) as caught:
        LinearMethod("bad", "bad", (alpha,), moves=((v, move),), at=at)
    assert caught.value.field == "algorithm.bad"


ONE = float(1 - C) * 2
SIZES = st.sampled_from([1e-3, 0.3, 1.0, 5.0])
POSITIVE = st.floats(-6, 6).map(lambda x: 10.0**x)


def numbers_of(problem):
    return {"share": ONE, "L": problem.adapter.scale**2 * problem.objective.smoothness.value}


@given(problems(), SIZES, st.integers(0, 2**16))
@examples(20)
def test_a_step_is_that_of_the_statement(problem, size, seed):
    """Transcribed with NumPy, from the recurrence's own step; and the exact face has the same."""
    v = random_point(problem, 3, size, seed)
    numbers = numbers_of(problem)
    state = ADAPTIVE_LORA_GD.start(v, numbers)
    told = ADAPTIVE_LORA_GD.asked(problem, v)
    gradient = problem.gradient(v)
    after = ADAPTIVE_LORA_GD.step(state, gradient, 1, numbers | told)
    # Where the steepness is 0 there is no step.
    for at in torch.isfinite(after[1][0].flatten()).nonzero().flatten():
        A, B = (part[at].numpy() for part in v)
        M = problem.adapter.scale * problem.weight_gradient(v)[at].numpy()
        known = {
            L: numbers["L"],
            share: ONE,
            SpectralNorm(A_t): np.linalg.norm(A, 2),
            SpectralNorm(B_t): np.linalg.norm(B, 2),
            FrobeniusNorm(SLOPE): np.linalg.norm(M),
        }
        expected = float(STEP.xreplace({x: sp.Float(value) for x, value in known.items()}))
        assert after[1][0][at].item() == pytest.approx(expected, rel=1e-9)
        assert after[2][0][at].item() == after[1][0][at].item()
        np.testing.assert_allclose(
            after[0][0][at], A - expected * gradient[0][at].numpy(), rtol=1e-9, atol=1e-12
        )
        one = {name: x[at].item() for name, x in told.items()}
        moved, step, spent = ADAPTIVE_LORA_GD.exact_step(
            (B, 0, 0), gradient[1][at].numpy(), 1, numbers | one
        )
        np.testing.assert_allclose(after[0][1][at], moved, rtol=1e-9, atol=1e-12)
        assert step == spent == pytest.approx(expected, rel=1e-9)


@given(problems(), SIZES, st.integers(0, 2**16))
@examples(20)
def test_the_theorem_and_each_line_of_it_hold(problem, size, seed):
    """The descent of each step, what the sum of the steps leaves, and the bound, at every T: but
    for rounding."""
    v = random_point(problem, 1, size, seed)
    numbers = numbers_of(problem)
    inputs = problem.inputs(ADAPTIVE_GD, problem.norms(v), "least") | problem.inputs_at(
        ADAPTIVE_GD, v
    )
    gap = (
        problem.loss(v).item()
        - problem.objective.infimum.value
        + problem.rounding(v, problem.loss(v))[0].item()
    )
    assume(gap > 0 and numbers["L"] > 0)
    least = float("inf")
    state = ADAPTIVE_LORA_GD.start(v, numbers)
    for time in range(1, 40):
        now = state[0]
        loss = problem.loss(now)
        lost, off = (x.item() for x in problem.rounding(now, loss))
        length = square_norm(problem.gradient(now)).sqrt().item()
        least = min(least, max(length - off, 0.0) ** 2)
        state, _ = advance(ADAPTIVE_LORA_GD, problem, state, time, numbers, None)
        step = state[1][0].item()
        spent = state[2][0].item()
        # Where F is all but flat, the step is beyond all floats.
        assume(math.isfinite(step))
        after = problem.loss(state[0])
        fall = loss.item() - after.item() + lost + problem.rounding(state[0], after)[0].item()
        # Where the gradient is lost in rounding there is nothing to see.
        assert fall >= float(C) * step * max(length - off, 0.0) ** 2 * (1 - 1e-9)
        middle = gap / (float(C) * spent)
        assert least <= middle * (1 + 1e-9)
        bound = ADAPTIVE_GD.bound(**{k: float(x) for k, x in inputs.items()}, D=gap, T=time)
        assert middle <= bound * (1 + 1e-9)


def test_what_cannot_tell_is_refused():
    with pytest.raises(InputError, match="roots"):
        ADAGRAD_NORM.exact_step(
            (rationals([1.0]), Fraction(1)), rationals([1.0]), 1, {"eta": 1, "delta": 1}
        )
    problem = pseudo_huber()
    frozen = Problem(
        problem.objective, FrozenA(problem.adapter.W0, torch.ones(2, 4, dtype=torch.float64))
    )
    with pytest.raises(InputError, match="both factors trained"):
        frozen.factor_sizes((torch.ones(1, 4, 2, dtype=torch.float64),))
    with pytest.raises(InputError, match=r"asks for reach, slope"):
        check_theorem(ADAPTIVE_GD)


def test_with_the_same_numbers_steps_drift_with_the_gradient():
    numbers = {"share": 0.5, "L": 2.0, "reach": 3.0, "slope": 4.0}
    assert ADAPTIVE_LORA_GD.drift((1.0, 1.0, 1.0), 20.0, 1, numbers) == (2.0, 0.0, 1.0)
    assert ADAPTIVE_LORA_GD.reach((1.0, 5.0, 7.0), 1, numbers) == 1.0
