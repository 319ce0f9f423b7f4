"""Gradient descent at steps that are found as it goes: its faces agree, and its theorem holds on random problems."""

import hypothesis.strategies as st
import numpy as np
import pytest
import sympy as sp
import torch
from boundcheck.proofs.meft.adaptive import ADAPTIVE_GD, C
from boundcheck.proofs.meft.theorems import UNCONDITIONAL_GD
from hypothesis import assume, given

from boundcheck.errors import InputError
from boundcheck.functions.adapters import FrozenA, LoRA
from boundcheck.functions.least_squares import LeastSquares
from boundcheck.functions.norms import square_norm
from boundcheck.functions.problem import Problem
from boundcheck.functions.sgd import advance
from boundcheck.language.algorithms import ADAPTIVE_LORA_GD, SGD, SLOPE, STEP, share
from boundcheck.language.measures import LEAST_GRADIENT_ON_EACH_PATH
from boundcheck.language.sentence import theorem
from boundcheck.language.symbols import L
from boundcheck.language.vocabulary import A_t, B_t, FrobeniusNorm, SpectralNorm
from boundcheck.properties import problems
from boundcheck.worst_case.theorem import check_theorem
from tests.experiment.small import pseudo_huber, random_point
from tests.layers import examples

ONE = float(1 - C) * 2
SIZES = st.sampled_from([1e-3, 0.3, 1.0, 5.0])
POSITIVE = st.floats(-6, 6).map(lambda x: 10.0**x)


def numbers_of(problem: Problem) -> dict[str, float]:
    return {"share": ONE, "L": problem.adapter.scale**2 * problem.objective.smoothness.value}


@given(problems(), SIZES, st.integers(0, 2**16))
@examples(20)
def test_a_step_is_that_of_the_statement(problem: Problem, size: float, seed: int) -> None:
    """Transcribed with NumPy, from the recurrence's own step; and the exact face has the same."""
    v, numbers = random_point(problem, 3, size, seed), numbers_of(problem)
    state = ADAPTIVE_LORA_GD.start(v, numbers)
    told = ADAPTIVE_LORA_GD.asked(problem, v)
    gradient = problem.gradient(v)
    after = ADAPTIVE_LORA_GD.step(state, gradient, 1, numbers | told)
    # Where the steepness is 0 there is no step.
    for i in torch.isfinite(after[1][0].flatten()).nonzero().flatten():
        A, B = (part[i].numpy() for part in v)
        M = problem.adapter.scale * problem.weight_gradient(v)[i].numpy()
        known = {
            L: numbers["L"],
            share: ONE,
            SpectralNorm(A_t): np.linalg.norm(A, 2),
            SpectralNorm(B_t): np.linalg.norm(B, 2),
            FrobeniusNorm(SLOPE): np.linalg.norm(M),
        }
        expected = float(STEP.xreplace({x: sp.Float(value) for x, value in known.items()}))
        assert after[1][0][i].item() == pytest.approx(expected, rel=1e-9)
        assert after[2][0][i].item() == after[1][0][i].item()
        np.testing.assert_allclose(after[0][0][i], A - expected * gradient[0][i].numpy(), rtol=1e-9, atol=1e-12)
        one = {name: x[i].item() for name, x in told.items()}
        moved, step, spent = ADAPTIVE_LORA_GD.exact_step((B, 0, 0), gradient[1][i].numpy(), 1, numbers | one)
        np.testing.assert_allclose(after[0][1][i], moved, rtol=1e-9, atol=1e-12)
        assert step == spent == pytest.approx(expected, rel=1e-9)


@given(problems(), SIZES, st.integers(0, 2**16))
@examples(20)
def test_the_theorem_and_each_line_of_it_hold(problem: Problem, size: float, seed: int) -> None:
    """The descent of each step, what the sum of the steps leaves, and the bound, at every T: but for rounding."""
    v, numbers = random_point(problem, 1, size, seed), numbers_of(problem)
    inputs = problem.inputs(ADAPTIVE_GD, problem.norms(v), "least") | problem.inputs_at(ADAPTIVE_GD, v)
    gap = problem.loss(v).item() - problem.objective.infimum.value + problem.rounding(v, problem.loss(v))[0].item()
    assume(gap > 0 and numbers["L"] > 0)
    least, state = float("inf"), ADAPTIVE_LORA_GD.start(v, numbers)
    for t in range(1, 40):
        now = state[0]
        loss = problem.loss(now)
        lost, off = (x.item() for x in problem.rounding(now, loss))
        length = square_norm(problem.gradient(now)).sqrt().item()
        least = min(least, max(length - off, 0.0) ** 2)
        state, _ = advance(ADAPTIVE_LORA_GD, problem, state, t, numbers, None)
        step, spent = state[1][0].item(), state[2][0].item()
        after = problem.loss(state[0])
        fall = loss.item() - after.item() + lost + problem.rounding(state[0], after)[0].item()
        # Where the gradient is lost in rounding there is nothing to see.
        assert fall >= float(C) * step * max(length - off, 0.0) ** 2 * (1 - 1e-9)
        middle = gap / (float(C) * spent)
        assert least <= middle * (1 + 1e-9)
        bound = ADAPTIVE_GD.bound(**{k: float(x) for k, x in inputs.items()}, D=gap, T=t)
        assert middle <= bound * (1 + 1e-9)


def test_no_ball_is_needed() -> None:
    """Towards a target that is far the factors grow thirtyfold, and the bound holds all the same."""
    objective = LeastSquares(np.eye(3), 3e4 * np.diag([1.0, 2.0, 3.0]))
    problem = Problem(objective, LoRA(torch.zeros(3, 3, dtype=torch.float64), 2))
    v, numbers = problem.initial("lora", 3.0, torch.Generator().manual_seed(0)), numbers_of(problem)
    first = max(norm.item() for norm in problem.norms(v).values())
    known = problem.inputs(ADAPTIVE_GD, problem.norms(v), "least") | problem.inputs_at(ADAPTIVE_GD, v)
    gap, least, T = problem.loss(v).item() * (1 + 1e-9), float("inf"), 1000
    state = ADAPTIVE_LORA_GD.start(v, numbers)
    for t in range(1, T + 1):
        least = min(least, square_norm(problem.gradient(state[0])).item())
        state, _ = advance(ADAPTIVE_LORA_GD, problem, state, t, numbers, None)
    assert max(norm.item() for norm in problem.norms(state[0]).values()) > 30 * first
    assert least <= ADAPTIVE_GD.bound(**{k: float(x) for k, x in known.items()}, D=gap, T=T)


@given(POSITIVE, POSITIVE, POSITIVE, POSITIVE, st.integers(1, 10**8))
def test_the_share_of_growth_is_near_the_best(L: float, D: float, a_1: float, b_1: float, T: int) -> None:
    """Within 14 per cent, of a claim that left it open; and for large T the bound is the smaller of the two."""
    inputs = {"L": L, "D": D, "a_1": a_1, "b_1": b_1, "T": T}
    values = ADAPTIVE_GD.values(**inputs)
    best = np.inf
    for e in values["stretch"] * np.geomspace(1e-4, 1e4, 401):
        first = 2 * (L * (1 + 1 / e) * (a_1**2 + b_1**2) + values["steep"])
        growth = 8 / 3 * (1 + e) * L * D
        best = min(best, (first + np.sqrt(first**2 + 2 * growth * T)) * D / (2 * T * 0.75))
    assert values["bound"] <= 1.14 * best
    late = inputs | {"T": 10**40}
    assert ADAPTIVE_GD.bound(**late) <= 0.6 * UNCONDITIONAL_GD.bound(**late)


def test_what_cannot_tell_is_refused() -> None:
    problem = pseudo_huber()
    frozen = Problem(problem.objective, FrozenA(problem.adapter.W0, torch.ones(2, 4, dtype=torch.float64)))
    with pytest.raises(InputError, match="both factors trained"):
        frozen.factor_sizes((torch.ones(1, 4, 2, dtype=torch.float64),))
    with pytest.raises(InputError, match=r"asks for reach, slope"):
        check_theorem(ADAPTIVE_GD)


def test_a_measure_of_each_path_is_of_no_noise() -> None:
    parts = (ADAPTIVE_GD.id, "noise", "", "", ADAPTIVE_GD.hypotheses, ADAPTIVE_GD.quantities)
    with pytest.raises(InputError, match=r"claim\.measure"):
        theorem(*parts, algorithm=SGD, measure=LEAST_GRADIENT_ON_EACH_PATH)


def test_with_the_same_numbers_steps_drift_with_the_gradient() -> None:
    numbers = {"share": 0.5, "L": 2.0, "reach": 3.0, "slope": 4.0}
    assert ADAPTIVE_LORA_GD.drift((1.0, 1.0, 1.0), 20.0, 1, numbers) == (2.0, 0.0, 1.0)
    assert ADAPTIVE_LORA_GD.reach((1.0, 5.0, 7.0), 1, numbers) == 1.0
