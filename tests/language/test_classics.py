"""The theorems of other papers, and those without a ball: their bounds to one another, and against descents in NumPy.

A descent here is written out in a few lines, on functions whose smoothness constant is known exactly.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis.strategies import DrawFn

from boundcheck.errors import InputError
from boundcheck.exact.balls import sign
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim
from boundcheck.language.symbols import D, T, ell, zeta
from boundcheck.properties import SEEDS, ball, claim_inputs, shapes

Vector = np.ndarray
Factors = tuple[np.ndarray, np.ndarray]

ROUNDING = 1 + 1e-9
GRADIENT_DESCENT = catalogue["nesterov2004.gradient_descent"]
LONGER_STEP = catalogue["abbaszadehpeivasti2022.best_step"]
GHADIMI = catalogue["ghadimi2013.corollary2_2"]
EXPECTED_SMOOTHNESS = catalogue["khaled2020.theorem2"]
BOUNDED_VARIANCE = catalogue["khaled2020.bounded_variance"]
FROZEN_A = catalogue["meft.theorem2_frozen_a"]
UNCONDITIONAL = catalogue["meft.unconditional_gd"]
ANY_STEP = catalogue["meft.theorem2_any_step"]
AVERAGE, ATTAINED = catalogue["meft.theorem2_average"], catalogue["meft.theorem2_average_sharp"]
HORIZONS = st.integers(1, 40)
SIZES = st.sampled_from([0.1, 1.0, 10.0])


def each(*claims: Claim) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("claim", claims, ids=lambda claim: claim.id)


@pytest.mark.parametrize(("step", "allowed"), [("0.6", True), (Fraction(2, 3), False), (0.7, False), ("1e9", False)])
def test_any_step_is_below_two_over_ell_and_says_so(step: Any, allowed: bool) -> None:
    inputs = {"ell": 3, "D": 1, "zeta": 1, "T": 10, "eta": step}
    if allowed:
        assert 0 < ANY_STEP.bound(**inputs) < math.inf
        return
    with pytest.raises(InputError, match=r"expected eta < eta_max = 0\.666667") as caught:
        ANY_STEP.bound(**inputs)
    assert caught.value.field == "eta"


@given(claim_inputs(AVERAGE), st.integers(1, 64))
def test_the_average_on_a_parabola_lies_between_what_is_attained_and_the_bound(
    inputs: dict[str, Any], horizon: int
) -> None:
    """Exactly, for rational q: E‖∇F(v_t)‖² of F = ℓv²/2 and noise ±ζ, step by step from D = q²ζ²T/ℓ."""
    values = AVERAGE.check(inputs)
    q, noise = 1 / (2 + values[D] / values[ell]), values[zeta] ** 2
    square, total = 2 * q**2 * noise * horizon, sp.Integer(0)
    for _ in range(horizon):
        total += square
        square = (1 - q) ** 2 * square + q**2 * noise
    at = {**values, T: sp.Integer(horizon), D: q**2 * noise * horizon / values[ell]}
    assert sign(AVERAGE.expression("bound") - total / horizon, at) == 1
    assert sign(total / horizon - ATTAINED.expression("attained"), at) >= 0


@dataclass(frozen=True)
class Function:
    """A function on R^n that is never negative, its gradient, and its smoothness constant."""

    dimension: int
    value: Callable[[Vector], float]
    gradient: Callable[[Vector], Vector]
    ell: float


@st.composite
def waves(draw: DrawFn) -> Function:
    """The sum of c_i (1 - cos(w_i x + p_i)), which is nonconvex; no Hessian is above the sum of c_i w_i w_i^T."""
    random = np.random.default_rng(draw(SEEDS))
    dimension, count = draw(st.integers(1, 2)), draw(st.integers(1, 4))
    w, c = random.standard_normal((count, dimension)), random.uniform(0.1, 2, count)
    phase = random.uniform(-np.pi, np.pi, count)
    return Function(
        dimension,
        lambda x: float(c @ (1 - np.cos(w @ x + phase))),
        lambda x: w.T @ (c * np.sin(w @ x + phase)),
        float(np.linalg.eigvalsh((w.T * c) @ w)[-1]),
    )


def descent(gradient: Callable[[Vector], Vector], x: Vector, step: float, T: int) -> list[Vector]:
    """The gradients at v_1, ..., v_T."""
    seen = []
    for _ in range(T):
        seen.append(gradient(x))
        x = x - step * seen[-1]
    return seen


@each(GRADIENT_DESCENT, LONGER_STEP)
@given(function=waves(), T=HORIZONS, seed=SEEDS)
def test_a_descent_on_a_nonconvex_function_meets_its_bound(claim: Claim, function: Function, T: int, seed: int) -> None:
    x = np.random.default_rng(seed).uniform(-4, 4, function.dimension)
    values = claim.values(ell=function.ell, D=function.value(x), T=T)
    gradients = descent(function.gradient, x, values["alpha"], T)
    assert min(g @ g for g in gradients) <= values["bound"] * ROUNDING


def noisy_parabola(ell: float, square: float, step: float, growth: float, noise: float, T: int) -> float:
    """The least E|F'(x_t)|² on ell x²/2, for the gradient ell x (1 + xi) + eta: E x² of the next iterate is exact."""
    least = math.inf
    for _ in range(T):
        least = min(least, ell**2 * square)
        square = ((1 - step * ell) ** 2 + step**2 * ell**2 * growth) * square + step**2 * noise
    return least


@each(GHADIMI, BOUNDED_VARIANCE, EXPECTED_SMOOTHNESS, FROZEN_A, ANY_STEP)
@given(ell=SIZES, zeta=SIZES, gap=SIZES, growth=SIZES, T=HORIZONS, share=st.floats(0.01, 1.999))
def test_noise_on_a_parabola_meets_each_bound(
    claim: Claim, ell: float, zeta: float, gap: float, growth: float, T: int, share: float
) -> None:
    growth = growth if claim is EXPECTED_SMOOTHNESS else 0
    # E|g|² is (1 + growth) |F'|² + zeta², and ell² x² is 2 ell F.
    constants = {"ell": ell, "L": ell, "a": 1, "s": 1, "zeta": zeta, "D": gap, "T": T, "eta": share / ell}
    constants |= {"abc_a": ell * growth, "abc_b": 1, "abc_c": zeta**2}
    values = claim.values(**{p.name: constants[p.name] for p in claim.parameters})
    least = noisy_parabola(ell, 2 * gap / ell, values["alpha"], growth, zeta**2, T)
    assert least <= values["bound"] * ROUNDING


@dataclass(frozen=True)
class Regression:
    """A pseudo-Huber or least-squares f(W) with minimum 0 at M and smoothness L, after W = W_0 + s B A."""

    W0: np.ndarray
    M: np.ndarray
    L: float
    delta: float
    scale: float

    def residual(self, v: Factors) -> np.ndarray:
        return self.W0 + self.scale * (v[1] @ v[0]) - self.M

    def value(self, v: Factors) -> float:
        over = self.residual(v) / self.delta
        # Of sqrt(1 + x²) - 1, without cancellation.
        return float(self.L * self.delta**2 * (over**2 / (1 + np.sqrt(1 + over**2))).sum())

    def gradient(self, v: Factors) -> Factors:
        over = self.residual(v) / self.delta
        M = self.scale * self.L * self.delta * over / np.sqrt(1 + over**2)
        return v[1].T @ M, M @ v[0].T


@st.composite
def regressions(draw: DrawFn) -> tuple[Regression, Factors]:
    """Small ones, nearly quadratic or nearly absolute, and a first iterate: LoRA's with B = 0, or any."""
    shape = d, k = draw(shapes(4))
    rank = draw(st.integers(1, 4))
    W0, M = (draw(ball(shape, draw(SIZES))) for _ in range(2))
    problem = Regression(W0, M, draw(SIZES), draw(st.sampled_from([0.1, 1.0, 1e6])), draw(SIZES))
    B = np.zeros((d, rank)) if draw(st.booleans()) else draw(ball((d, rank), draw(SIZES)))
    return problem, (draw(ball((rank, k), draw(SIZES))), B)


@given(started=regressions(), T=HORIZONS)
def test_descent_on_both_factors_stays_near_and_meets_its_bound(started: tuple[Regression, Factors], T: int) -> None:
    problem, v = started
    start, gap = v, problem.value(v)
    # A bound must be positive, and so must a norm or a gap of 0 be made.
    norms = [max(float(np.linalg.norm(X, 2)), 1e-6) for X in v]
    values = UNCONDITIONAL.values(L=problem.scale**2 * problem.L, D=max(gap, 1e-12), T=T, a_1=norms[0], b_1=norms[1])
    least, height = math.inf, gap
    for _ in range(T):
        gradient = problem.gradient(v)
        least = min(least, sum(float((part**2).sum()) for part in gradient))
        v = tuple(X - values["alpha"] * part for X, part in zip(v, gradient, strict=True))
        assert math.hypot(*(np.linalg.norm(X - Y) for X, Y in zip(v, start, strict=True))) <= values["rho"]
        assert problem.value(v) <= height * ROUNDING
        height = problem.value(v)
    assert least <= values["bound"] * ROUNDING
