"""Projected ascent: lengths that never fall and never pass what is proved, points that stay in the domain."""

from itertools import pairwise

import pytest
import torch
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from boundcheck.experiment.bracket import ascend
from boundcheck.functions.adapters import ADAPTERS
from boundcheck.functions.arithmetic import square_norm
from boundcheck.functions.curvature import hessian_vector_product
from boundcheck.functions.problem import Problem
from boundcheck.properties import adapters, directions, domain_points, domains, pseudo_huber_problems
from boundcheck.system.limits import silent
from tests.functions.kinds import softmax_problems
from tests.layers import examples, sampled

from .small import pseudo_huber

ROUNDING = 1e-9
each_kind = pytest.mark.parametrize("kind", ADAPTERS)
# Not shrunk: a climb is slow, and a failing one would take minutes.
few_examples = examples(2, phases=[Phase.generate])
one_example = settings(few_examples, max_examples=1)


def lengths_at(problem, v, u):
    """‖H(v)u‖ over ‖u‖ for the tangent part of u, 0 where that is 0."""
    u = problem.adapter.tangent(v, u)
    size = square_norm(u).sqrt()
    image = square_norm(hessian_vector_product(problem, v, u)).sqrt()
    return image / size.where(size > 0, 1.0)


@st.composite
def climbs(draw, kind, replicas=3):
    """A problem through that adapter, radii, points of the domain of any spectrum, and directions."""
    objective = draw(st.one_of(softmax_problems(), pseudo_huber_problems()))
    adapter = draw(adapters(kind, objective.shape))
    radii = draw(domains(adapter))
    # The claims speak of positive constants: of no loss that is constant, and no frozen factor that is zero.
    assume(min(objective.smoothness.value, objective.gradient_bound.value, *adapter.constants(radii).values()) > 0)
    v = draw(domain_points(adapter, radii, replicas))
    return Problem(objective, adapter), v, draw(directions(adapter, replicas)), radii


def same(one, other):
    first, second = ((*climb.v, *climb.u, climb.lengths) for climb in (one, other))
    return all(torch.equal(x, y) for x, y in zip(first, second, strict=True))


@sampled(9, 1)
@each_kind
@few_examples
@given(st.data())
def test_lengths_rise_to_no_more_than_the_claims(kind, data):
    problem, v, u, radii = data.draw(climbs(kind))
    start = lengths_at(problem, v, u)
    found = ascend(problem, v, u, radii, 5, silent)
    # What rounding may take from a length that is all but 0.
    tiny = 1e-12 * (1 + problem.objective.smoothness.value)
    assert (found.lengths >= start * (1 - ROUNDING) - tiny).all()
    ends = problem.upper_ends(radii)
    assert found.lengths.max().item() * (1 - ROUNDING) <= min([end.value for end in ends], default=torch.inf) + tiny


@sampled(9, 6)
@each_kind
@few_examples
@given(st.data())
def test_a_climb_ends_in_the_domain_at_the_length_that_it_says(kind, data):
    problem, v, u, radii = data.draw(climbs(kind))
    assert problem.adapter.inside(v, radii).all()
    found = ascend(problem, v, u, radii, 5, silent)
    problem.adapter.check(found.v, radii)
    assert problem.adapter.inside(found.v, radii).all()
    for x, y in zip(found.u, problem.adapter.tangent(found.v, found.u), strict=True):
        torch.testing.assert_close(x, y, rtol=0, atol=1e-12)
    sizes = square_norm(found.u).sqrt()
    assert ((sizes - 1).abs().le(1e-12) | (sizes == 0)).all()
    expected = square_norm(hessian_vector_product(problem, found.v, found.u)).sqrt()
    torch.testing.assert_close(found.lengths, expected, rtol=1e-12, atol=0)


@sampled(9, 7)
@each_kind
@one_example
@given(st.data())
def test_more_rounds_find_no_less(kind, data):
    problem, v, u, radii = data.draw(climbs(kind))
    heights = [ascend(problem, v, u, radii, rounds, silent).lengths for rounds in (0, 1, 4)]
    for before, after in pairwise(heights):
        assert (after >= before * (1 - ROUNDING) - 1e-12 * (1 + problem.objective.smoothness.value)).all()


@sampled(9, 4)
@each_kind
@one_example
@given(st.data())
def test_a_climb_is_determined_by_where_it_starts(kind, data):
    problem, v, u, radii = data.draw(climbs(kind))
    before = [part.clone() for part in (*v, *u)]
    first, second = (ascend(problem, v, u, radii, 3, silent) for _ in range(2))
    assert same(first, second)
    # What it was given is as it was.
    assert all(torch.equal(x, y) for x, y in zip((*v, *u), before, strict=True))


def start_of(problem, count, radii):
    """Points of the domain, and directions."""
    random = torch.Generator().manual_seed(2)
    return tuple(problem.adapter.draw(radii, count, random) for _ in range(2))


RADII = {"a": 1.5, "b": 2.0}


@sampled(9, 2)
def test_starts_do_not_mix():
    problem = pseudo_huber()
    v, u = start_of(problem, 4, RADII)
    together = ascend(problem, v, u, RADII, 6, silent)
    for i in range(4):
        alone = ascend(problem, *(tuple(x[i : i + 1] for x in point) for point in (v, u)), RADII, 6, silent)
        torch.testing.assert_close(alone.lengths[0], together.lengths[i], rtol=1e-9, atol=0)


@pytest.mark.full
@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_a_climb_gains(scale):
    """A tenth and more, in every one of these starts: a search that stands still finds nothing."""
    problem = pseudo_huber(scale=scale)
    v, u = start_of(problem, 8, RADII)
    # The points as drawn, in their own steepest directions.
    first, last = (ascend(problem, v, u, RADII, rounds, silent) for rounds in (1, 24))
    assert (last.lengths > 1.1 * lengths_at(problem, v, u)).all()
    assert last.lengths.max() > 1.02 * first.lengths.max()
    assert any((x - y).abs().max() > 0.01 for x, y in zip(last.v, v, strict=True))


def test_no_rounds_leave_the_start_as_it_is():
    problem = pseudo_huber()
    v, u = start_of(problem, 3, RADII)
    found = ascend(problem, v, u, RADII, 0, silent)
    assert all(torch.equal(x, y) for x, y in zip(found.v, v, strict=True))
    torch.testing.assert_close(found.lengths, lengths_at(problem, v, u), rtol=1e-12, atol=0)


@pytest.mark.parametrize("where", ["direction", "point"])
def test_a_start_that_is_no_number_gains_nothing_and_takes_nothing_from_others(where):
    problem = pseudo_huber()
    v, u = start_of(problem, 3, RADII)
    sound = ascend(problem, *(tuple(x[::2] for x in point) for point in (v, u)), RADII, 6, silent)
    broken = {"direction": u, "point": v}[where][0]
    broken[1] = torch.nan
    found = ascend(problem, v, u, RADII, 6, silent)
    assert found.lengths[1].isnan()
    torch.testing.assert_close(found.lengths[::2], sound.lengths, rtol=1e-9, atol=0)


def test_a_direction_that_nothing_is_seen_along_stays():
    """u = 0, and a flat point: the length is 0 and not what 0 over 0 would be."""
    problem = pseudo_huber()
    v, _ = start_of(problem, 2, RADII)
    found = ascend(problem, v, tuple(torch.zeros_like(x) for x in v), RADII, 3, silent)
    assert found.lengths.tolist() == [0.0, 0.0]


def test_a_step_to_where_nothing_is_a_number_is_no_gain(monkeypatch):
    """Such as past the range of floats: there f has no gradient, and the climb stays below."""
    problem = pseudo_huber()
    v, u = (tuple(0.5 * part for part in point) for point in start_of(problem, 4, RADII))
    sound, limit = problem.objective.gradient, problem.adapter.weight(v).abs().amax((-2, -1), keepdim=True) + 1e-3

    def broken(W):
        return torch.where(W.abs().amax((-2, -1), keepdim=True) > limit, torch.nan, sound(W.clone()))

    monkeypatch.setattr(problem.objective, "gradient", broken)
    start = lengths_at(problem, v, u)
    found = ascend(problem, v, u, RADII, 6, silent)
    assert all(part.isfinite().all() for part in (*found.v, *found.u, found.lengths))
    assert (found.lengths >= start * (1 - ROUNDING)).all()
