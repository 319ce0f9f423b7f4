"""All sample paths: against plain loops, of an algorithm with memory, and of draws without
replacement."""

from fractions import Fraction
from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boundcheck.exact.evaluate import Paths, descent

HALF = Fraction(1, 2)


def slope(v, c):
    """Of a sample's loss v^4/4 + c v."""
    return v**3 + c


def sgd(samples, T, replacement=True):
    return Paths(
        (Fraction(1),), lambda v, c: (slope(v[0], c),), descent(HALF), samples, T, replacement
    )


@given(st.lists(st.integers(-2, 2).map(Fraction), min_size=1, max_size=3), st.integers(1, 3))
def test_states_and_gradients_are_those_of_a_plain_loop(samples, T):
    paths = sgd(samples, T)
    assert len(paths.draws) == len(samples) ** T
    for path, draw in enumerate(product(samples, repeat=T)):
        v = Fraction(1)
        for t, c in enumerate(draw, 1):
            assert paths.state(t, path) == (v,)
            assert paths.drawn(t, path) == (slope(v, c),)
            v -= HALF * slope(v, c)
        assert paths.state(T + 1, path) == (v,)


def test_an_algorithm_may_remember_and_know_the_time():
    """Nesterov's with a step 1/t, whose state is (v_t, v_{t-1}), and gradients at v_t + (t-1)/2
    (v_t - v_{t-1})."""
    samples = [Fraction(-1), Fraction(1)]
    T = 3

    def ahead(state, t):
        return state[0] + HALF * (t - 1) * (state[0] - state[1])

    paths = Paths(
        (Fraction(1), Fraction(1)),
        slope,
        lambda s, g, t: (ahead(s, t) - g / t, s[0]),
        samples,
        T,
        query=ahead,
    )
    for path, draw in enumerate(product(samples, repeat=T)):
        before = now = Fraction(1)
        for t, c in enumerate(draw, 1):
            y = now + (now - before) * (t - 1) / 2
            before = now
            now = y - (y**3 + c) / t
        assert paths.state(T + 1, path) == (now, before)


def test_paths_look_alike_until_they_part_and_draw_no_sample_twice_without_replacement():
    paths = sgd([Fraction(-1), Fraction(1)], 2)
    assert len(set(paths.past(1))) == 1
    assert [label == paths.past(2)[0] for label in paths.past(2)] == [True, True, False, False]
    assert len(set(paths.past(3))) == len(set(paths.past(9))) == 4
    assert paths.places == [(1, 0), (2, 0), (2, 2), (3, 0), (3, 1), (3, 2), (3, 3)]
    paths = sgd([Fraction(-1), Fraction(0), Fraction(2)], 2, replacement=False)
    assert paths.draws == list(permutations(range(3), 2))
    assert paths.weights == (Fraction(1, 6),) * 6


@pytest.mark.parametrize("t", [-1, 0, 3, 4])
def test_there_is_nothing_before_or_after_a_run(t):
    paths = sgd([Fraction(0)], 2)
    with pytest.raises(IndexError, match="of a run of"):
        paths.drawn(t, 0)
    with pytest.raises(IndexError, match="of a run of"):
        paths.state(t + (t > 0), 0)
