"""`PiecewiseLinear`, `Clipped`, `Separable`, `Tilted` and the hard instance against exact
arithmetic and theorems."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given

from boundcheck.functions.adapters import LoRA
from boundcheck.functions.arithmetic import replicate, seeded, spectral_norm, square_norm
from boundcheck.functions.objectives.clipped import Clipped, Separable, Tilted, hard_instance
from boundcheck.functions.objectives.pseudo_huber import synthetic
from boundcheck.functions.piecewise import PiecewiseLinear
from boundcheck.functions.problem import Problem
from boundcheck.functions.sgd import draw_batch, sgd_step
from boundcheck.language.catalogue import catalogue
from boundcheck.language.function import Constant
from boundcheck.properties.problem_strategies import fractions, slopes
from tests.experiment.small import refused
from tests.functions.twins import DIRECTIONS, separable_problems, tilted_problems

PLACES = fractions(-6, 6)
ZERO = (Fraction(0),)


def held(slope):
    """The f' whose knots are the nearest floats."""
    return PiecewiseLinear.through(*((float(w), float(value)) for w, value in slope.knots))


def at(*places):
    return torch.tensor([float(w) for w in places], dtype=torch.float64).reshape(-1, 1, 1)


@given(slopes(), PLACES, PLACES)
def test_integral_is_the_limit_of_sums_within_the_constants(slope, start, end):
    cells = 32
    width = (end - start) / cells
    total = sum(slope.value(start + i * width) for i in range(cells)) * width
    # f' moves by at most L |width| within a cell, half of that on average.
    allowed = slope.lipschitz * width**2 * cells / 2
    assert abs(slope.integral(end) - slope.integral(start) - total) <= allowed
    assert abs(slope.value(start) - slope.value(end)) <= slope.lipschitz * abs(width * cells)
    assert abs(slope.value(end)) <= slope.bound
    assert slope.integral(end) >= slope.minimum


@given(slopes())
def test_the_knots_are_gone_through_and_constants_attained(slope):
    values = dict(slope.knots)
    assert all(slope.value(w) == value for w, value in slope.knots)
    first, low = slope.knots[0]
    last, high = slope.knots[-1]
    assert slope.value(first - 7) == low
    assert slope.value(last + 7) == high
    for (w, value), (after, value_after) in itertools.pairwise(slope.knots):
        assert slope.value((w + after) / 2) == (value + value_after) / 2
    assert Clipped(slope, ZERO).slope == held(slope)
    steepest = [abs(values[u] - values[w]) / (w - u) for u, w in itertools.pairwise(values)]
    assert slope.lipschitz == max(steepest, default=0)
    assert slope.bound in {abs(value) for value in values.values()}
    # Where f' rises through 0, which it does somewhere, unless it is 0 at a knot.
    zeros = [w for w, value in slope.knots if value == 0]
    for (u, low), (w, high) in itertools.pairwise(slope.knots):
        if low < 0 < high:
            zeros.append(u + (w - u) * low / (low - high))
    assert all(slope.value(zero) == 0 for zero in zeros)
    assert slope.minimum == min(map(slope.integral, zeros))


def test_clipped_is_a_huber_function():
    slope = PiecewiseLinear.clipped(slope=2, bound="1/3", zero=5)
    assert slope.lipschitz == 2
    assert slope.bound == Fraction(1, 3)
    assert [slope.value(Fraction(w)) for w in (4, 5, 6)] == [Fraction(-1, 3), 0, Fraction(1, 3)]
    assert slope.integral(Fraction(5)) == slope.minimum
    assert slope.integral(Fraction(51, 10)) - slope.minimum == Fraction(1, 100)


THEOREMS = ("meft.theorem2_repaired", "meft.theorem2_best_step", "jiang2024.theorem2")
each_theorem = pytest.mark.parametrize("id", THEOREMS)


@given(separable_problems())
def test_constants_of_a_sum_are_those_of_its_parts(objective):
    """What holds along each of orthogonal directions; all parts attain theirs at one W."""
    parts = objective.parts
    L = objective.smoothness
    G = objective.gradient_bound
    least = objective.infimum
    assert (L.kind, G.kind, least.kind) == ("certified",) * 3
    assert L.value == max(part.smoothness.value for part in parts)
    square = sum(Fraction(part.gradient_bound.value) ** 2 for part in parts)
    assert square <= Fraction(G.value) ** 2 <= square * (1 + Fraction(1, 10**14))
    total = sum(Fraction(part.infimum.value) for part in parts)
    assert Fraction(least.value) <= total
    assert least.value == pytest.approx(float(total), rel=1e-14)


@given(tilted_problems())
def test_constants_of_a_tilted_loss_are_those_of_the_sum(objective):
    G = objective.gradient_bound
    own = objective.base.gradient_bound
    L = objective.base.smoothness
    assert objective.smoothness == L
    assert objective.infimum.value == -math.inf
    assert G.kind == own.kind == "certified"
    if own.value == math.inf:
        assert G.value == math.inf
        return
    # Not less than the sum, exactly, and by no more than the last digit.
    square = sum((Fraction(x) ** 2 for x in objective.tilt.ravel().tolist()), Fraction(0))
    assert (Fraction(G.value) - Fraction(own.value)) ** 2 >= square
    assert G.value >= own.value
    below = Fraction(float(np.nextafter(G.value, 0))) - Fraction(own.value)
    assert below <= 0 or below**2 <= square
    objective.base.gradient_bound = Constant(own.value, "estimated", "a guess")
    assert Tilted(objective.base, objective.tilt).gradient_bound.kind == "estimated"


GAIN = 1e4


def hard_problem(steps, ratio, id, gain=GAIN):
    """The problem, v_1, and what the theorem says with its constants."""
    objective = hard_instance(steps, ratio, gain, id)
    problem = Problem(objective, LoRA(torch.zeros(2, 2, dtype=torch.float64), 2))
    start = gain * torch.eye(2, dtype=torch.float64).unsqueeze(0)
    v = (start, start.clone())
    radius = gain + 1
    known = {
        "L": objective.smoothness.value,
        "G": objective.gradient_bound.value,
        "D": gap(problem, v),
        "T": steps,
    }
    known |= {"a": radius, "b": radius, "sigma": radius, "C": radius, "s": 1, "r": 2, "zeta": 1}
    claim = catalogue[id]
    return problem, v, claim.values(**{p.name: known[p.name] for p in claim.parameters})


def gap(problem, v):
    return problem.loss(v).item() - problem.objective.infimum.value


@each_theorem
@pytest.mark.parametrize("steps, ratio", [(30, 0.3), (400, 0.06)])
def test_smoothness_and_gap_are_those_it_is_made_for(id, steps, ratio):
    problem, v, values = hard_problem(steps, ratio, id)
    assert values["Lhat"] == pytest.approx(
        math.sqrt(2) if id == "jiang2024.theorem2" else 1, rel=3 / GAIN
    )
    assert math.sqrt(values["Lhat"] * gap(problem, v) / steps) == pytest.approx(ratio, rel=3 / GAIN)


@pytest.mark.full
@each_theorem
def test_every_hypothesis_holds_and_no_expectation_moves(id):
    steps = 100
    replicas = 4000
    problem, start, values = hard_problem(steps, 0.12, id)
    random = seeded(0)
    v = replicate(start, replicas)
    first = square_norm(problem.gradient(start)).item()
    for _ in range(steps):
        squares = square_norm(problem.gradient(v))
        # In five standard deviations of the mean, at every t; a part in a thousand for terms of
        # order 1/u.
        allowed = 5 * squares.std().item() / math.sqrt(replicas) + 1e-3 * first
        assert abs(squares.mean().item() - first) <= allowed
        assert problem.sample_variance(v).max().item() <= 1
        assert max(spectral_norm(part).max().item() for part in v) <= GAIN + 1
        v, _ = sgd_step(problem, v, values["alpha"], draw_batch(replicas, 1, 2, random))
    assert torch.equal(v[0], v[1])
    assert v[0][:, [0, 1], [1, 0]].abs().max().item() == 0
    # Once v_T is behind, the descent is over, as far as the gap of the theorem's own step goes.
    assert problem.loss(v).mean().item() - problem.objective.infimum.value < 0.2 * gap(
        problem, start
    )


def test_noise_of_one_sign_stays_in_the_ball():
    problem, start, values = hard_problem(40, 0.3, THEOREMS[0], gain=100.0)
    v = replicate(start, 2)
    for _ in range(400):
        v, _ = sgd_step(problem, v, values["alpha"], torch.tensor([[0], [1]]))
        assert max(spectral_norm(part).max().item() for part in v) <= 101
        assert problem.sample_variance(v).max().item() <= 1


@pytest.mark.parametrize(
    "id, steps, ratio, found",
    [
        # What was found, less 0.002: 1 - q/3 - 1/(2qT) or so for the repaired theorem.
        (THEOREMS[0], 100, 0.12, 0.922),
        (THEOREMS[0], 400, 0.06, 0.959),
        (THEOREMS[0], 2000, 0.03, 0.979),
        (THEOREMS[0], 10_000, 0.0122, 0.989),
        (THEOREMS[1], 10_000, 0.0122, 0.985),
    ],
)
def test_a_repaired_theorem_is_nearly_attained(id, steps, ratio, found):
    problem, v, values = hard_problem(steps, ratio, id)
    assert found <= square_norm(problem.gradient(v)).item() / values["bound"] < 1


def test_with_one_for_its_factor_the_printed_theorem_is_false():
    problem, v, values = hard_problem(400, 0.06, "jiang2024.theorem2")
    root = values["bound"] / 2.5
    assert 1.25 * root <= square_norm(problem.gradient(v)).item() <= values["bound"]


SLOPE = PiecewiseLinear.clipped(1, 1)
BASE = synthetic(d=2, k=3, samples=4, delta=0.5, signal=1.0, noise=0.1, seed=0)
NAN = math.nan
INF = math.inf
HUGE = 10**400
KNOTS = [
    (),
    ((1, -1), (0, 1)),
    ((0, -1), (0, 1)),
    ((0, 1), (1, 1)),
    ((0, -1), (1, "-1/9")),
    ((0, 1),),
    ((0, NAN), (1, 1)),
    ((-INF, -1), (1, 1)),
    (("1/0", -1), (1, 1)),
    (("left", -1), (1, 1)),
]
OFFSETS = [
    (),
    (1,),
    (1, 1, -1),
    (0.1, 0.2, -0.3),
    (Fraction(1, 3), Fraction(-1, 4)),
    (NAN,),
    (INF, -INF),
]
NO_MATRICES = [
    np.ones(3),
    np.ones((3, 2, 1)),
    np.full((3, 2), NAN),
    np.full((3, 2), INF),
    np.ones((3, 0)),
]
DIRECTIONLESS = [*NO_MATRICES, np.ones((0, 2)), np.zeros((3, 2)), np.full((3, 2), 1e200)]
TILTS = [
    np.ones((3, 2)),
    np.ones(6),
    np.ones((1, 2, 3)),
    np.float64(1),
    np.full((2, 3), NAN),
    np.full((2, 3), INF),
]
HARD = [
    ("steps", (10, 0.01, 1e4)),
    ("gain", (100, 0.1, 99.0)),
    ("gain", (100, 0.1, INF)),
    ("gain", (100, 0.1, NAN)),
    ("gain", (10_000, 0.4, 1e3)),
]
ONE, OTHER, SINGLE, SMALL, OBLIQUE = (
    Clipped(SLOPE, [0] * samples, direction=E)
    for samples, E in (
        (2, DIRECTIONS[0]),
        (2, DIRECTIONS[1]),
        (1, DIRECTIONS[1]),
        (2, np.eye(2)),
        (2, DIRECTIONS[1] + np.array([[0, 2.0**-50, 0], [0, 0, 0]])),
    )
)
REFUSED = [
    *(("knots", PiecewiseLinear.through, knots) for knots in KNOTS),
    # Of numbers that floats cannot tell apart, or do not have.
    ("knots", Clipped, (PiecewiseLinear.through((1, -1), (1 + Fraction(1, 10**30), 1)), ZERO)),
    ("knots", Clipped, (PiecewiseLinear.through((-HUGE, -1), (0, 1)), (1, -1))),
    *(("offsets", Clipped, (SLOPE, bad)) for bad in (*OFFSETS, (HUGE, -HUGE))),
    *(
        ("parts", Separable, (parts,))
        for parts in ([], *([ONE, bad] for bad in (ONE, OBLIQUE, SINGLE, SMALL)))
    ),
    *(("tilt", Tilted, (BASE, tilt)) for tilt in TILTS),
    *(("direction", Clipped, (SLOPE, [0], "cpu", bad)) for bad in DIRECTIONLESS),
    *((field, hard_instance, arguments) for field, arguments in HARD),
]


@pytest.mark.parametrize("field, make, given", REFUSED)
def test_what_cannot_be_built_is_refused(field, make, given):
    assert Separable([ONE, OTHER]).shape == (2, 3)
    assert hard_instance(1, 0.49, 100.0).samples == 2
    assert refused(make, *given).field == field
