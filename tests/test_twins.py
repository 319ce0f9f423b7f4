"""Fast computations against their formulas in plain loops, at equal seed, where no other test of
them has a twin."""

import math
from fractions import Fraction
from inspect import isabstract
from itertools import pairwise

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given
from scipy.linalg import inv, sqrtm

from boundcheck.experiment.statistics import (
    _BETS,
    Schedule,
    betting_limits,
    betting_lower_limit,
    mean_interval,
    simultaneous_lower_limits,
)
from boundcheck.functions.adapters import make_adapter
from boundcheck.functions.arithmetic import seeded
from boundcheck.functions.loss import Loss
from boundcheck.functions.objective import Objective
from boundcheck.functions.objectives.clipped import Separable, Tilted
from boundcheck.functions.objectives.linear import SoftmaxRegression
from boundcheck.functions.objectives.pseudo_huber import PseudoHuber
from boundcheck.functions.problem import Problem, difference_ratio, sure_difference_ratio
from boundcheck.properties import SEEDS
from tests.experiment.small import each_flat_kind, each_kind
from tests.functions.twins import KINDS, exactly, some_examples
from tests.functions.twins import each_kind as each_objective
from tests.language.plain import Plain, single
from tests.properties.small import some

D = 3
K = 4
SAMPLES = 5
RANK = 2
REPLICAS = 3
NEAR = 1e-11

each_seed = pytest.mark.parametrize("seed", range(3))


def softmax(random):
    """On features, and classes that all occur."""
    return SoftmaxRegression(
        "softmax", random.standard_normal((SAMPLES, K)), np.arange(SAMPLES) % D
    )


def pseudo_huber_loss(random):
    return PseudoHuber(random.standard_normal((SAMPLES, D, K)), 0.7)


def close(got, expected, size=1.0):
    """Equal to within some roundoffs of numbers of this size."""
    np.testing.assert_allclose(
        np.asarray(got), np.asarray(expected, dtype=float), rtol=NEAR, atol=NEAR * size
    )


# Objectives.


def own_objectives(of=Objective):
    """All kinds of objectives of the package that can be made."""
    for each in of.__subclasses__():
        if each.__module__.startswith("boundcheck.") and not isabstract(each):
            yield each
        yield from own_objectives(each)


def test_every_kind_of_objective_is_compared():
    compared = {type(some(strategy)) for strategy in KINDS.values()}
    # A loss of one's own is held against closed forms in tests/functions/test_loss.py.
    assert compared | {Loss} == set(own_objectives())


def plain_samples(objective, W):
    """f(W), and the gradient of each f_i at W, from the formula of the loss in 50 digits."""
    if isinstance(objective, Tilted):
        loss, each = plain_samples(objective.base, W)
        return loss + float((objective.tilt * W).sum()), [G + objective.tilt for G in each]
    if isinstance(objective, Separable):
        losses, parts = zip(*(plain_samples(part, W) for part in objective.parts), strict=True)
        return sum(losses), [sum(column) for column in zip(*parts, strict=True)]
    exact = exactly(objective, torch.tensor(W))
    return float(exact.loss), [np.array(G, dtype=float) for G in exact.samples]


def plain_mean(each):
    """1/n Σ_i G_i."""
    return sum(each) / len(each)


@each_objective
@some_examples
@given(data=st.data())
def test_a_survey_is_a_loop_over_samples(kind, data):
    objective = data.draw(KINDS[kind])
    random = np.random.default_rng(data.draw(SEEDS))
    d, k = objective.shape
    W = random.standard_normal((REPLICAS, d, k))
    indices = random.integers(objective.samples, size=(REPLICAS, 3))
    at = torch.tensor(W)
    chosen = torch.tensor(indices)
    # The identity, and products on each side and on both, of each replica or of all.
    left, right = (
        torch.tensor(random.standard_normal(shape)) for shape in ((REPLICAS, 2, d), (k, 3))
    )
    sides = ((None, None), (left, None), (None, right), (left, right))
    loss_there, gradient_there = objective.first_order(at)
    assert torch.equal(loss_there, objective.loss(at))
    whole = objective.survey(at, sides)
    alone = [objective.survey(at, (side,), chosen) for side in sides]
    for r in range(REPLICAS):
        loss, each = plain_samples(objective, W[r])
        size = 100 * (1 + max(np.linalg.norm(G) for G in each)) ** 2
        P = left[r].numpy()
        Q = right.numpy()
        products = [each, [P @ G for G in each], [G @ Q for G in each], [P @ G @ Q for G in each]]
        squares = [[plain_square((X,)) for X in column] for column in products]
        batch = objective.batch_gradient(at, chosen)[r]
        close(batch, plain_mean([each[i] for i in indices[r]]), size)
        close(whole.loss[r], loss, size)
        for gradient in (gradient_there, whole.gradient):
            close(gradient[r], plain_mean(each), size)
        close(whole.in_w[r], np.mean(squares[0]), size)
        close(whole.in_v[r], np.sum(squares) / objective.samples, size)
        for survey, wanted in zip(alone, squares, strict=True):
            close(survey.in_w[r], np.mean([squares[0][i] for i in indices[r]]), size)
            close(survey.in_v[r], np.mean([wanted[i] for i in indices[r]]), size)


# Objectives seen through adapters.


def adapter_of(kind, random):
    W0, A, B = (
        torch.tensor(random.standard_normal(shape)) for shape in ((D, K), (RANK, K), (D, RANK))
    )
    return make_adapter(kind, W0, RANK, 1.5, {"A": A, "B": B})


def points_of(adapter, seed, replicas=REPLICAS):
    radii = dict.fromkeys(adapter.radius_names, 1.25)
    return adapter.draw(radii, replicas, seeded(seed))


def plain_square(v):
    """‖v‖², the sum of the squares of all entries of all blocks."""
    return sum(x * x for block in v for x in block.ravel().tolist())


def plain_difference(v, w):
    """v − w, block by block."""
    return tuple(x - y for x, y in zip(v, w, strict=True))


def plain_mean_point(each):
    """1/n Σ_i g_i, block by block."""
    return tuple(sum(blocks) / len(each) for blocks in zip(*each, strict=True))


def plain_gradients(problem, v):
    """DW(v)*[∇f_i(W(v))] of each sample, the pull-back axis by axis."""
    plain = Plain(problem.adapter)
    return [plain.pull_back(v, G) for G in plain_samples(problem.objective, plain.weight(v))[1]]


@each_kind
@each_seed
def test_a_problem_is_a_loop_over_replicas_and_samples(kind, seed):
    random = np.random.default_rng(seed)
    problem = Problem(softmax(random), adapter_of(kind, random))
    v = points_of(problem.adapter, seed)
    indices = random.integers(SAMPLES, size=(REPLICAS, 3))
    survey = problem.survey(v)
    some = problem.survey(v, torch.tensor(indices))
    for r in range(REPLICAS):
        at = single(v, r)
        W = Plain(problem.adapter).weight(at)
        loss, in_weight = plain_samples(problem.objective, W)
        each = plain_gradients(problem, at)
        mean = plain_mean_point(each)
        batch = plain_mean_point([each[i] for i in indices[r]])
        close(problem.adapter.weight(v)[r], W)
        close(problem.loss(v)[r], loss)
        close(problem.weight_gradient(v)[r], plain_mean(in_weight))
        for got, wanted in zip(single(problem.gradient(v), r), mean, strict=True):
            close(got, wanted, 10)
        for got, wanted in zip(
            single(problem.batch_gradient(v, torch.tensor(indices)), r), batch, strict=True
        ):
            close(got, wanted, 10)
        squares = [plain_square(g) for g in each]
        in_weight_squares = [plain_square((G,)) for G in in_weight]
        close(survey.loss[r], loss)
        close(survey.gradient[r], plain_mean(in_weight))
        for found, row in ((survey, range(SAMPLES)), (some, indices[r])):
            close(found.in_v[r], np.mean([squares[i] for i in row]), 100)
            close(found.in_w[r], np.mean([in_weight_squares[i] for i in row]), 100)
        # Of the deviations, not the difference of two means that is computed.
        variance = sum(plain_square(plain_difference(g, mean)) for g in each) / SAMPLES
        close(problem.sample_variance(v)[r], variance, 100)


def plain_ratio(problem, v, w):
    """‖∇F(v) − ∇F(w)‖ / ‖v − w‖ of one pair."""
    change = plain_difference(*(plain_mean_point(plain_gradients(problem, x)) for x in (v, w)))
    return math.sqrt(plain_square(change) / plain_square(plain_difference(v, w)))


def plain_doubt(problem, v, w):
    """(e(v) + e(w)) / ‖v − w‖, with e the bound on the rounding error of a gradient: how far the
    ratio may be off."""
    at = [tuple(torch.tensor(block).unsqueeze(0) for block in x) for x in (v, w)]
    errors = sum(problem.rounding(x, problem.loss(x))[1].item() for x in at)
    return errors / math.sqrt(plain_square(plain_difference(v, w)))


@each_flat_kind
@pytest.mark.parametrize("apart", [1.0, 1e-3])
def test_difference_ratios_are_those_of_pairs(kind, apart):
    random = np.random.default_rng(0)
    problem = Problem(pseudo_huber_loss(random), adapter_of(kind, random))
    v = points_of(problem.adapter, 0)
    away = points_of(problem.adapter, 1)
    w = tuple(x + apart * y for x, y in zip(v, away, strict=True))
    ratios = difference_ratio(problem, v, w)
    sure = sure_difference_ratio(problem, v, w)
    for r in range(REPLICAS):
        pair = single(v, r), single(w, r)
        # Gradients are off by roundoffs, and the distance divides them.
        close(ratios[r], plain_ratio(problem, *pair), 1 / apart)
        assert (ratios[r] - sure[r]).item() == pytest.approx(plain_doubt(problem, *pair), rel=0.05)
    # It is no less than 0, and 0 where all digits are lost.
    for near in (v, tuple(x * (1 + 1e-15) for x in v)):
        assert not sure_difference_ratio(problem, v, near).any()


# Domains.


def polar(X):
    """(XXᵀ)^(-1/2) X, the nearest matrix with orthonormal rows; with orthonormal columns where X is
    tall."""
    return polar(X.T).T if X.shape[0] > X.shape[1] else inv(np.real(sqrtm(X @ X.T))) @ X


def plain_norm(norm, X):
    """The root of the top eigenvalue of XXᵀ; the largest |entry|; or the distance of XXᵀ from the
    identity."""
    if norm == "max":
        return max(abs(x) for x in X.ravel().tolist())
    gram = X @ X.T
    return float(
        np.sqrt(np.linalg.eigvalsh(gram)[-1])
        if norm == "spectral"
        else np.linalg.norm(gram - np.eye(len(X)), 2)
    )


def plain_projection(norm, X, radius):
    """Σ_i min(σ_i, radius) u_i v_iᵀ; entries cut at ±radius; or the polar factor."""
    if norm == "max":
        return np.array([[min(max(x, -radius), radius) for x in row] for row in X.tolist()])
    if norm == "orthonormal":
        return polar(X)
    U, S, Vt = np.linalg.svd(X)
    return sum(min(s, radius) * np.outer(U[:, i], Vt[i]) for i, s in enumerate(S))


def plain_extreme(norm, G, radius):
    """The X with the largest ⟨G, X⟩: radius · sign(G), or radius · G's polar factor."""
    return (
        radius * np.sign(G)
        if norm == "max"
        else (1.0 if norm == "orthonormal" else radius) * polar(G)
    )


@each_kind
@each_seed
def test_a_domain_is_that_of_its_blocks(kind, seed):
    random = np.random.default_rng(seed)
    adapter = adapter_of(kind, random)
    radii = dict.fromkeys(adapter.radius_names, 0.75)
    v = tuple(
        torch.tensor(random.standard_normal((REPLICAS, *block.shape))) for block in adapter.blocks
    )
    inside = adapter.draw(radii, REPLICAS, seeded(seed))
    half = tuple(torch.cat([x, y]) for x, y in zip(v, inside, strict=True))
    norms = adapter.norms(half)
    projected = adapter.project(half, radii)
    extreme = adapter.extreme(half, radii)
    plain = Plain(adapter)
    inward = adapter.inward(half, radii, 0.25)
    # 1/4 (1 + 1/ν) where U is rounded beside R.
    share = 7 / 12 if kind == "loreft-trained" else 0.25
    for r in range(2 * REPLICAS):
        within = True
        at = plain.bounded(single(half, r))
        slopes = plain.slopes(single(half, r))
        for each, wanted in (
            (adapter.bounded(half), at),
            (adapter.at(half), plain.at(single(half, r))),
        ):
            for number in range(len(at)):
                close(each[number][r], wanted[number])
        found = [plain.bounded(single(x, r)) for x in (projected, extreme, inward)]
        for number, block in enumerate(adapter.blocks):
            X = at[number]
            radius = radii.get(block.radius, 1e-9)
            close(norms[number, r], plain_norm(block.norm, X))
            close(found[0][number], plain_projection(block.norm, X, radius))
            close(found[1][number], plain_extreme(block.norm, slopes[number], radius))
            close(found[2][number], X if block.norm == "orthonormal" else (1 - share) * X)
            within = within and plain_norm(block.norm, X) <= radius
        assert adapter.inside(half, radii)[r].item() == within


@each_kind
@each_seed
def test_directions_and_steps_are_those_of_single_points(kind, seed):
    random = np.random.default_rng(seed)
    adapter = adapter_of(kind, random)
    v = points_of(adapter, seed)
    u = tuple(torch.tensor(random.standard_normal(part.shape)) for part in v)
    for r in range(REPLICAS):
        at = single(v, r)
        way = single(u, r)
        tangent = Plain(adapter).tangent(at, way)
        length = math.sqrt(plain_square(tangent))
        for number, block in enumerate(adapter.blocks):
            moved = at[number] + way[number]
            close(adapter.tangent(v, u)[number][r], tangent[number])
            close(adapter.unit(v, u)[number][r], tangent[number] / length)
            close(
                adapter.retract(v, u)[number][r],
                polar(moved) if block.norm == "orthonormal" else moved,
            )


# Statistics.


def plain_limit(x, delta):
    """The m at which 1/|C| Σ_c Π_i (1 + c(x_i/m − 1)) falls to 1/δ, by bisection on (0, mean]."""
    low = 0.0
    high = float(x.mean())
    for _ in range(60):
        m = (low + high) / 2
        capital = sum(
            math.prod(1 + c * (value / m - 1) for value in x.tolist()) for c in _BETS.tolist()
        ) / len(_BETS)
        low, high = (m, high) if capital > 1 / delta else (low, m)
    return low


@each_seed
@pytest.mark.parametrize("n", [2, 9, 40])
def test_betting_limits_are_roots_found_by_bisection(n, seed):
    random = np.random.default_rng(seed)
    x = 2 * random.beta(0.5, 2, size=(REPLICAS, n))
    lower, upper = betting_limits(x, 2.0, 0.9)
    for r in range(REPLICAS):
        interval = mean_interval(x[r], 2.0, np.inf, 0.9)
        assert (interval.lower, interval.upper) == pytest.approx((lower[r], upper[r]), rel=1e-12)
        for got, wanted in (
            (lower[r], plain_limit(x[r], 0.05)),
            (upper[r], 2 - plain_limit(2 - x[r], 0.05)),
            (betting_lower_limit(x[r], 1e-3), plain_limit(x[r], 1e-3)),
        ):
            assert got == pytest.approx(wanted, rel=1e-7, abs=1e-7)
    # Each of four columns has a fourth of the error.
    columns = random.exponential(size=(n, 4))
    wanted = [plain_limit(column, 0.1 / 4) for column in columns.T]
    assert simultaneous_lower_limits(columns, 0.9) == pytest.approx(wanted, rel=1e-7, abs=1e-7)


def plain_edges(steps, strata):
    """Strata of 1, 1, 2, 4, ..., at most half of all, while shorter than an equal share of the
    rest; then equal."""
    edges = [0]
    left = strata
    while strata - left < strata // 2 and max(edges[-1], 1) < Fraction(steps - edges[-1], left):
        edges.append(edges[-1] + max(edges[-1], 1))
        left -= 1
    return edges + [
        edges[-1] + math.floor(Fraction(steps - edges[-1], left) * j) for j in range(1, left + 1)
    ]


def plain_time_average(h, edges, times):
    """Σ_j (n_j/T) h(t_j), n_j the number of iterations in stratum j, for one replica."""
    sizes = [end - start for start, end in pairwise(edges)]
    return sum(size / edges[-1] * h[t - 1] for size, t in zip(sizes, times, strict=True))


@pytest.mark.parametrize("steps", [1, 2, 3, 8, 17, 60, 110, 1000])
def test_a_schedule_is_that_of_its_docstring(steps):
    for strata in range(1, min(steps, 60) + 1):
        schedule = Schedule.draw(steps, strata, REPLICAS, np.random.default_rng(strata))
        edges = plain_edges(steps, strata)
        assert schedule.edges.tolist() == edges
        h = np.random.default_rng(steps).standard_normal(steps)
        expected = [plain_time_average(h, edges, row) for row in schedule.times.tolist()]
        close(h[schedule.times - 1] @ schedule.weights, expected)
