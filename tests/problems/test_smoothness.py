"""Lemma 1 and its like on sampled points and pairs: no curvature or Lipschitz ratio of F exceeds a claim's constant.

The extremal function of the theory attains lambda*, so that nothing smaller would do.
"""

from collections.abc import Callable
from fractions import Fraction

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given, target
from hypothesis.strategies import DataObject, DrawFn, SearchStrategy
from torch import Tensor

from boundcheck.claims import catalogue
from boundcheck.errors import InputError
from boundcheck.exact.balls import upper
from boundcheck.problems.adapters import ADAPTERS, Adapter, DiReFT, FrozenA, FrozenB, Full, LoHa, LoRA, VeRA
from boundcheck.problems.clipped import Clipped
from boundcheck.problems.derivatives import difference_ratio, hessian_vector_product, sure_difference_ratio
from boundcheck.problems.inputs import theory_inputs
from boundcheck.problems.norms import Point, square_norm
from boundcheck.problems.objective import Objective
from boundcheck.problems.piecewise import PiecewiseLinear
from boundcheck.problems.problem import Problem
from boundcheck.testing import adapters, ball, domain_points, domains, pairs, pseudo_huber_problems
from tests.layers import examples, sampled
from tests.problems.rounding import pulled_back_rounding

RADII = st.sampled_from([0.05, 0.5, 1.0, 3.0])


def sharp(problem: Problem, a: float, b: float) -> float:
    """lambda* of this problem on the ball, rounded up."""
    L, G = problem.objective.smoothness.value, problem.objective.gradient_bound.value
    claim = catalogue["meft.lemma1_sharp"]
    return upper(claim.enclosures(L=L, G=G, s=problem.adapter.scale, a=a, b=b)["Lhat"])


def printed(problem: Problem, sigma: float) -> float:
    """The constant of Eq. (8) with C = sigma, which is for scale 1, rounded up."""
    L, G = problem.objective.smoothness.value, problem.objective.gradient_bound.value
    claim = catalogue["jiang2024.lemma1"]
    return upper(claim.enclosures(L=L, G=G, C=sigma, sigma=sigma, r=problem.adapter.rank)["Lhat"])


def minus(u: Point, v: Point) -> Point:
    return u[0] - v[0], u[1] - v[1]


def distances(problem: Problem, v1: Point, v2: Point) -> tuple[float, float]:
    """How far apart two points are, and the gradients of F at them."""
    change = minus(problem.gradient(v1), problem.gradient(v2))
    return square_norm(minus(v1, v2)).sqrt().item(), square_norm(change).sqrt().item()


def assert_lipschitz(problem: Problem, v1: Point, v2: Point, constant: float) -> None:
    apart, change = distances(problem, v1, v2)
    assert change <= constant * apart + pulled_back_rounding(problem, v1) + pulled_back_rounding(problem, v2)


@sampled(3, 1)
@pytest.mark.parametrize("rank", range(1, 9))
@given(data=st.data())
def test_both_constants_hold_at_every_rank(rank: int, data: DataObject) -> None:
    shape = (rank + data.draw(st.integers(0, 3)), rank + data.draw(st.integers(0, 3)))
    objective = data.draw(pseudo_huber_problems(shape))
    W0 = torch.tensor(data.draw(ball(shape, 1.0)))
    a, b = data.draw(RADII), data.draw(RADII)
    v1, v2 = data.draw(pairs(shape, rank, (a, b)))
    for scale in (0.3, 1.0):
        problem = Problem(objective, LoRA(W0, rank, scale))
        assert_lipschitz(problem, v1, v2, sharp(problem, a, b))
    assert_lipschitz(problem, v1, v2, printed(problem, max(a, b)))


def test_lemma_1_fails_off_the_ball() -> None:
    # "For any v_1, v_2": at (A, B) = (t, 0) the constant of a quadratic bowl, here in its linear part, is t^2.
    huber = Clipped(PiecewiseLinear.clipped(1, 1, -1), [0])
    problem = Problem(huber, LoRA(-torch.ones(1, 1, dtype=torch.float64), 1))
    t, zero = torch.full((1, 1, 1), 100.0, dtype=torch.float64), torch.zeros(1, 1, 1, dtype=torch.float64)
    apart, change = distances(problem, (t, zero), (t, zero + 1e-6))
    assert change / apart == pytest.approx(100.0**2, rel=1e-3)
    assert change / apart > printed(problem, 1.0)


def ridges(shape: tuple[int, int]) -> SearchStrategy[Objective]:
    """Clipped-linear functions along any direction, steep or flat, whose gradients may be far from G and at it."""

    def ridge(L: Fraction, G: Fraction, zero: Fraction, direction: np.ndarray) -> Objective:
        return Clipped(PiecewiseLinear.clipped(L, G, zero), [0], direction=direction)

    sizes = st.fractions(Fraction(1, 10), 10, max_denominator=10)
    places = st.fractions(-3, 3, max_denominator=10)
    return st.builds(ridge, sizes, sizes, places, ball(shape, 1.0).filter(np.any))


@st.composite
def of_kind(draw: DrawFn, kind: str) -> tuple[Problem, dict[str, float], dict[str, float]]:
    """A problem with this adapter, a domain, and the constant of each claim that speaks of them, rounded up."""
    adapter = draw(adapters(kind, most=2))
    shape = tuple(adapter.W0.shape)
    objective = draw(st.one_of(pseudo_huber_problems(shape), ridges(shape)))
    problem, radii, constants = Problem(objective, adapter), draw(domains(adapter)), {}
    for id in adapter.claims:
        claim = catalogue[id]
        try:
            inputs = theory_inputs(claim, problem, radii, "sigma")
            constants[id] = upper(claim.enclosures(**inputs)["Lhat"])
        except InputError as error:
            # A frozen factor of norm 0, or a condition on the rank.
            if error.field not in {"a", "b", "a_0", "b_0", "r"}:
                raise
    return problem, radii, constants


def hessian(problem: Problem, v: Point) -> np.ndarray:
    """The whole matrix at one point, row by row."""
    parts = [part.numel() for part in v]
    units = torch.eye(sum(parts), dtype=torch.float64)
    rows = tuple(x.reshape(-1, *part.shape[1:]) for x, part in zip(torch.split(units, parts, 1), v, strict=True))
    many = tuple(part.repeat(sum(parts), 1, 1) for part in v)
    return torch.cat([part.flatten(1) for part in hessian_vector_product(problem, many, rows)], 1).numpy()


@sampled(3, 2)
@pytest.mark.parametrize("kind", ADAPTERS)
@examples(20)
@given(data=st.data())
def test_no_curvature_exceeds_a_constant(kind: str, data: DataObject) -> None:
    problem, radii, constants = data.draw(of_kind(kind))
    v = data.draw(domain_points(problem.adapter, radii))
    top = np.abs(np.linalg.eigvalsh(hessian(problem, v))).max()
    for id, constant in constants.items():
        assert top <= constant * (1 + 1e-9), id
    if constants:
        target(top / min(constants.values()))
        # The composition, where there is one, is no smaller than the first, which is the sharpest.
        assert min(constants, key=constants.__getitem__) in {*problem.adapter.claims[:2]}
        assert constants.get(problem.adapter.claims[0], 0) <= min(constants.values()) * (1 + 1e-15)


@sampled(3, 0)
@pytest.mark.parametrize("kind", sorted(kind for kind in ADAPTERS if not kind.startswith("loreft")))
@examples(20)
@given(data=st.data())
def test_no_lipschitz_ratio_exceeds_a_constant(kind: str, data: DataObject) -> None:
    problem, radii, constants = data.draw(of_kind(kind))
    v, away = (data.draw(domain_points(problem.adapter, radii)) for _ in range(2))
    share = 10 ** data.draw(st.floats(-4, 0))
    near = tuple(x + share * (y - x) for x, y in zip(v, away, strict=True))
    ratio, sure = (f(problem, v, near).item() for f in (difference_ratio, sure_difference_ratio))
    assert sure <= ratio
    for id, constant in constants.items():
        assert sure <= constant * (1 + 1e-12), id


def corner(rows: int, columns: int, entry: float) -> Tensor:
    X = torch.zeros(rows, columns, dtype=torch.float64)
    X[0, 0] = entry
    return X


# Of each kind whose constant is sharp on a flat domain, the adapter on which the extremal function reaches it.
EXTREMAL: dict[str, Callable[[int, int, int], Adapter]] = {
    "meft.full": lambda d, k, r: Full(corner(d, k, 0.5)),
    "meft.lemma1_sharp": lambda d, k, r: LoRA(corner(d, k, 0.5), r, 0.7),
    "meft.frozen_a": lambda d, k, r: FrozenA(corner(d, k, 0.5), corner(r, k, 1.3), 0.7),
    "meft.frozen_b": lambda d, k, r: FrozenB(corner(d, k, 0.5), corner(d, r, 1.3), 0.7),
    "meft.direft": lambda d, k, r: DiReFT(corner(d, k, 0.5), r),
    "meft.vera_sharp": lambda d, k, r: VeRA(corner(d, k, 0.5), corner(r, k, 1.3), corner(d, r, 0.8), 0.7),
    "meft.loha_sharp": lambda d, k, r: LoHa(corner(d, k, 0.5), r, 0.7),
}


@sampled(5)
@pytest.mark.parametrize("id", EXTREMAL)
@pytest.mark.parametrize(("d", "k", "rank"), [(1, 1, 1), (3, 2, 2)])
@pytest.mark.parametrize(("L", "G"), [(1.0, 1.0), (4.0, 0.25), (0.5, 3.0)])
def test_a_sharp_constant_is_the_curvature_at_the_corner(
    id: str, d: int, k: int, rank: int, L: float, G: float
) -> None:
    """All of W_11 is made by the factors' first entries, and h' is at G and still rising there."""
    adapter = EXTREMAL[id](d, k, rank)
    radii = dict(zip(adapter.radius_names, (0.9, 0.6), strict=False))
    v = tuple(corner(*block.shape, radii[block.radius]).unsqueeze(0) for block in adapter.blocks)
    place = adapter.weight(v)[0, 0, 0].item()
    slope = PiecewiseLinear.clipped(L, G, place + 1e-9 - G / L)
    problem = Problem(Clipped(slope, [0], direction=corner(d, k, 1.0).numpy()), adapter)
    assert adapter.inside(v, radii).all()
    inputs = theory_inputs(catalogue[id], problem, radii, "sigma")
    constant = upper(catalogue[id].enclosures(**inputs)["Lhat"])
    top = np.linalg.eigvalsh(hessian(problem, v)).max()
    assert constant * (1 - 1e-6) <= top <= constant * (1 + 1e-12)
