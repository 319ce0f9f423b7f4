"""`BallWatch` against a naive watch that takes every SVD at every step, on walks that stay, leave or blow up."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from boundcheck.experiment.run import BallWatch
from boundcheck.functions.arithmetic import lengths
from tests.layers import sampled

# Ties nearer than this are called inside.
ROUNDING = 1e-12


class NaiveWatch:
    """The largest spectral norms of all iterates, and the first iteration with one outside."""

    def __init__(self, radii):
        self.radii = radii
        self.largest = [0.0, 0.0]
        self.outside = None

    def look(self, v, t):
        for i, (part, radius) in enumerate(zip(v, self.radii, strict=True)):
            for X in part.numpy():
                norm = np.linalg.norm(X, 2) if np.isfinite(X).all() else np.inf
                self.largest[i] = max(self.largest[i], norm)
                if self.outside is None and norm > radius * (1 + ROUNDING):
                    self.outside = t


def walk(radii, v, steps, step_size=1.0):
    """Both watches after the same steps: v <- v - step_size g for each g."""
    watch, naive = BallWatch.start(radii, v), NaiveWatch(radii)
    naive.look(v, 1)
    for t, g in enumerate(steps, start=2):
        v = tuple(x - step_size * y for x, y in zip(v, g, strict=True))
        watch.follow(tuple(x[None] for x in v), step_size, lengths(g)[None], t)
        naive.look(v, t)
    return watch, naive


@given(
    seed=st.integers(0, 10_000),
    size=st.sampled_from([0.01, 0.1, 0.5]),
    cuts=st.sets(st.integers(1, 29)),
    lost=st.booleans(),
)
def test_steps_in_a_row_are_watched_as_one_by_one(seed, size, cuts, lost):
    random = np.random.default_rng(seed)
    v, radii = gaussian(random, size=0.3), (1.0, 1.5)
    steps = [gaussian(random, size=size) for _ in range(30)]
    if lost:
        steps[17][0][1, 0, 0] = np.nan
    points = [v]
    for g in steps:
        points.append(tuple(x - y for x, y in zip(points[-1], g, strict=True)))
    found = []
    for edges in (range(31), sorted({0, 30, *cuts})):
        watch = BallWatch.start(radii, v)
        for first, last in pairwise(edges):
            row = tuple(torch.stack(parts) for parts in zip(*points[first + 1 : last + 1], strict=True))
            watch.follow(row, 1.0, torch.stack([lengths(g) for g in steps[first:last]]), first + 2)
        found.append(watch)
    one, many = found
    assert (many.largest, many.outside) == (one.largest, one.outside)
    assert torch.equal(many.room, one.room)


def gaussian(random, replicas=3, d=4, k=5, rank=2, size=1.0):
    A, B = random.standard_normal((replicas, rank, k)), random.standard_normal((replicas, d, rank))
    return torch.tensor(size * A), torch.tensor(size * B)


def assert_agree(watch, naive):
    assert watch.outside == naive.outside
    for computed, true, radius in zip(watch.largest, naive.largest, naive.radii, strict=True):
        assert computed <= true * (1 + ROUNDING)
        # The watch may not have seen the largest norm inside, but knows that it was inside.
        assert computed == pytest.approx(true, rel=1e-9) or true <= radius * (1 + ROUNDING)


@given(
    seed=st.integers(0, 10_000),
    start=st.floats(0, 0.6),
    size=st.sampled_from([1e-3, 0.03, 0.1, 0.5]),
    radii=st.tuples(st.floats(0.5, 4), st.floats(0.5, 4)),
    step_size=st.sampled_from([0.01, 1.0, 7.0]),
)
def test_watch_reports_what_a_naive_one_reports_on_random_walks(seed, start, size, radii, step_size):
    random = np.random.default_rng(seed)
    steps = [gaussian(random, size=size / step_size) for _ in range(40)]
    assert_agree(*walk(radii, gaussian(random, size=start), steps, step_size))


@pytest.mark.parametrize("factor", [0, 1])
@pytest.mark.parametrize("size", [0.1, 1 / 3, 1e-3])
def test_a_walk_straight_out_is_caught_at_the_very_step(factor, size):
    """Rank-one growth along one direction: the length travelled is the change of the norm, with nothing to spare."""
    v = tuple(torch.zeros(1, *shape, dtype=torch.float64) for shape in ((2, 5), (4, 2)))
    g = tuple(torch.zeros_like(x) for x in v)
    g[factor][0, 0, 0] = -size
    watch, naive = walk((1.0, 1.0), v, [g] * int(1 / size + 5))
    assert naive.outside is not None
    assert_agree(watch, naive)


def test_only_one_replica_of_many_leaves():
    random = np.random.default_rng(1)
    v = gaussian(random, replicas=20, size=0.05)
    steps = [gaussian(random, replicas=20, size=1e-3) for _ in range(30)]
    steps[17][1][13] += 5.0
    watch, naive = walk((1.0, 1.0), v, steps)
    assert naive.outside == 19
    assert_agree(watch, naive)


def test_a_run_that_comes_back_has_left_all_the_same():
    v = gaussian(np.random.default_rng(2), size=0.05)
    away = tuple(torch.full_like(x, 3.0) for x in v)
    back = tuple(-x for x in away)
    watch, naive = walk((1.0, 1.0), v, [away, back, *[tuple(torch.zeros_like(x) for x in v)] * 5])
    assert watch.outside == 2
    assert_agree(watch, naive)


def test_a_start_outside_is_outside_at_the_first_iteration():
    watch = BallWatch.start((1.0, 1.0), gaussian(np.random.default_rng(3), size=10.0))
    assert watch.outside == 1


@pytest.mark.parametrize("radius", [0.1, 1 / 3, 1.0, 7.3])
def test_zero_steps_on_the_boundary_stay_inside(radius):
    A, B = torch.eye(2, 5, dtype=torch.float64)[None], torch.eye(4, 2, dtype=torch.float64)[None]
    v = (radius * A, radius * B)
    watch, naive = walk((radius, radius), v, [(0 * A, 0 * B)] * 20)
    assert watch.outside is None
    assert_agree(watch, naive)


def test_a_walk_that_stays_needs_few_norms(monkeypatch):
    random = np.random.default_rng(4)
    looks = []
    look = BallWatch.look
    monkeypatch.setattr(BallWatch, "look", lambda self, v, t: (looks.append(t), look(self, v, t)))
    steps = [gaussian(random, size=1e-5) for _ in range(500)]
    watch, naive = walk((5.0, 5.0), gaussian(random, size=0.1), steps)
    assert_agree(watch, naive)
    assert looks == [1]


@sampled(11)
@pytest.mark.parametrize("entry", [np.nan, np.inf, -np.inf, 1e100, 1e150, 1e154, 1e155, 1e160, 1e200, 1e300, -1e300])
@pytest.mark.parametrize("factor", [0, 1])
def test_a_run_that_blows_up_has_left_the_ball(factor, entry):
    """Squares overflow from 1e154 on; a norm that cannot be computed is no norm inside."""
    random = np.random.default_rng(5)
    v = gaussian(random, size=0.05)
    quiet = gaussian(random, size=1e-3)
    loud = tuple(x.clone() for x in quiet)
    loud[factor][1, 0, 1] = entry
    watch, _ = walk((1.0, 1.0), v, [quiet, quiet, loud, quiet, quiet])
    assert watch.outside == 4
    assert watch.largest[factor] > 1.0


@pytest.mark.parametrize("growth", [3.0, 1e3, 1e10, 1e60, 1e120, 1e155, 1e200])
def test_exponential_growth_leaves_at_the_step_at_which_it_leaves(growth):
    random = np.random.default_rng(6)
    v = gaussian(random, size=0.01)
    watch, naive = BallWatch.start((1.0, 1.0), v), NaiveWatch((1.0, 1.0))
    naive.look(v, 1)
    for t in range(2, 14):
        g = tuple(-growth * x for x in v)
        v = tuple(x - y for x, y in zip(v, g, strict=True))
        watch.follow(tuple(x[None] for x in v), 1.0, lengths(g)[None], t)
        naive.look(v, t)
    assert naive.outside is not None
    assert watch.outside == naive.outside


@pytest.mark.full
def test_steps_that_round_up_do_not_carry_a_run_out_unseen():
    """In steps of 0.6 units of roundoff, each of which moves the float by a whole unit: 5/3 of its length."""
    radius, unit, nothing = 1.5, 2.0**-52, torch.zeros(1, 1, 1, dtype=torch.float64)
    v = (torch.full_like(nothing, radius * (1 - 2 * ROUNDING)), nothing)
    g = (torch.full_like(nothing, -0.6 * unit), nothing)
    watch = BallWatch.start((radius, radius), v)
    t = 1
    # Twice the tolerance, because how a tie at the tolerance itself is rounded is nobody's concern.
    while v[0].item() <= radius * (1 + 2 * ROUNDING):
        t += 1
        v = (v[0] - g[0], nothing)
        watch.follow(tuple(x[None] for x in v), 1.0, lengths(g)[None], t)
    assert watch.outside is not None
