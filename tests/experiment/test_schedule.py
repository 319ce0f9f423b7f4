"""Audit times: where they may fall, that each iteration has its chance, and that they estimate without bias."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boundcheck.experiment.statistics import Schedule

sizes = st.integers(1, 300).flatmap(lambda steps: st.tuples(st.just(steps), st.integers(1, steps), st.integers(1, 5)))


def strata(schedule):
    """The iterations of each stratum, from the docstring of `Schedule`."""
    return [range(low + 1, high + 1) for low, high in itertools.pairwise(schedule.edges.tolist())]


@given(sizes, st.integers(0, 1000))
def test_strata_cut_the_run_and_each_replica_gets_one_time_in_each(size, seed):
    steps, count, replicas = size
    schedule = Schedule.draw(steps, count, replicas, np.random.default_rng(seed))
    assert [t for stratum in strata(schedule) for t in stratum] == list(range(1, steps + 1))
    lengths = [len(stratum) for stratum in strata(schedule)]
    assert min(lengths) > 0
    # At first they double, in half of them at most; the rest are equal.
    short = 0
    while short < count // 2 and lengths[short] == max(sum(lengths[:short]), 1) < steps / count:
        short += 1
    rest = lengths[short:]
    assert max(rest) - min(rest) <= 1
    assert max(lengths) <= 2 * steps / count + 1
    assert schedule.times.shape == (replicas, count)
    for row in schedule.times:
        assert all(t in stratum for t, stratum in zip(row, strata(schedule), strict=True))


@given(st.integers(1, 200), st.integers(1, 4))
def test_as_many_strata_as_steps_look_at_every_iteration_once(steps, replicas):
    schedule = Schedule.draw(steps, steps, replicas, np.random.default_rng(1))
    assert schedule.is_every_step
    assert (schedule.times == np.arange(1, steps + 1)).all()


@given(sizes.filter(lambda size: size[1] < size[0]))
def test_fewer_strata_do_not_look_at_every_step(size):
    steps, count, replicas = size
    assert not Schedule.draw(steps, count, replicas, np.random.default_rng(2)).is_every_step


@pytest.mark.parametrize(("steps", "count"), [(1, 1), (5, 1), (5, 2), (7, 3), (8, 4), (11, 4), (6, 6), (9, 8)])
def test_the_stratified_estimate_is_unbiased(steps, count):
    """The mean over all equally likely times is the time mean, in exact arithmetic."""
    schedule = Schedule.draw(steps, count, 1, np.random.default_rng(3))
    values = {t: Fraction(t**3 - 40 * t + 7) for t in range(1, steps + 1)}
    shares = [Fraction(len(stratum), steps) for stratum in strata(schedule)]
    assert schedule.weights == pytest.approx([float(share) for share in shares])
    choices = list(itertools.product(*strata(schedule)))
    estimates = [sum(share * values[t] for share, t in zip(shares, times, strict=True)) for times in choices]
    assert sum(estimates) / len(choices) == sum(values.values()) / steps


def test_every_time_of_a_stratum_is_equally_likely_and_replicas_are_independent():
    replicas = 40_000
    schedule = Schedule.draw(12, 4, replicas, np.random.default_rng(4))
    assert schedule.edges.tolist() == [0, 1, 2, 7, 12]
    for column, stratum in zip(schedule.times.T, strata(schedule), strict=True):
        counts, share = np.array([(column == t).sum() for t in stratum]), 1 / len(stratum)
        assert counts.sum() == replicas
        assert np.abs(counts - replicas * share).max() <= 6 * np.sqrt(replicas * share * (1 - share))
    first, second = (schedule.times - schedule.times.mean(0)).T[2:]
    assert abs(np.corrcoef(first, second)[0, 1]) < 6 / np.sqrt(replicas)
    assert abs(np.corrcoef(first[:-1], first[1:])[0, 1]) < 6 / np.sqrt(replicas)


@given(sizes, st.integers(0, 1000))
def test_due_is_the_inverse_of_times(size, seed):
    steps, count, _ = size
    schedule = Schedule.draw(steps, count, 9, np.random.default_rng(seed))
    for stratum in range(count):
        due = schedule.due(stratum)
        found = {int(replica): t for t, who in due.items() for replica in who}
        assert sum(len(who) for who in due.values()) == 9
        assert found == dict(enumerate(schedule.times[:, stratum].tolist()))


def test_times_depend_on_the_generator_alone():
    one, two = (Schedule.draw(50, 10, 4, np.random.default_rng(5)).times for _ in range(2))
    other = Schedule.draw(50, 10, 4, np.random.default_rng(6)).times
    assert (one == two).all()
    assert (one != other).any()
