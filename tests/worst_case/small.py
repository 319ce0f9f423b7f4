"""Climbs and instances small enough to make in a test, each climb made once; random instances;
their exact ratio."""

from dataclasses import replace
from functools import cache

import hypothesis.strategies as st
import numpy as np
import torch
from mpmath import mp

from boundcheck.functions.adapters import ADAPTERS, LoRA
from boundcheck.functions.arithmetic import apart, square_norm
from boundcheck.language.catalogue import catalogue
from boundcheck.language.sentence import gradient_norm
from boundcheck.properties import adapters, ball, directions, domain_points
from boundcheck.worst_case.instance import AdapterInstance
from boundcheck.worst_case.search import Climber, Structure, constants_of
from boundcheck.worst_case.short_run import ShortRun
from tests.functions.twins import clipped
from tests.language.plain import Plain, dot, exactly, single
from tests.strategies import domains

DIGITS = 50
PAIRS = [(kind, id) for kind, adapter in ADAPTERS.items() for id in adapter.claims]
# Where a test's constants are not all 1. The claims that speak of sigma have both radii equal.
UNEQUAL = {"L": 3.0, "G": 0.5, "s": 2.0, "a": 0.5, "b": 1.5, "mu": 2.0, "nu": 0.75, "rho": 2.0}
UNEQUAL |= {"w_0": 4.0}


def about(id):
    """The fields of a stored instance that say which claim it is about."""
    return {"claim": id, "digest": catalogue[id].digest}


def constants(kind, claim, given):
    """Those of `given` that a claim about such an adapter has, and 1 for the others."""
    known = constants_of(kind, claim, {})
    mine = {name: value for name, value in given.items() if name in known}
    if any(p.name == "sigma" for p in claim.parameters):
        mine = {
            name: value for name, value in mine.items() if name not in ADAPTERS[kind].radius_names
        }
        mine |= {"sigma": given["b"]} if given else {}
    return constants_of(kind, claim, mine)


def rank_for(claim, rank):
    """The rank, or 1 for a claim of rank 1 alone."""
    return (
        rank if all(bool(c.subs(c.lhs, rank)) for c in claim.conditions if str(c.lhs) == "r") else 1
    )


def structure(kind, id, sizes, given):
    claim = catalogue[id]
    return Structure(
        kind, *sizes, constants(kind, claim, given), gradient_norm(claim) == "spectral"
    )


@cache
def _climbed(kind, sizes, items, spectral):
    id, *_ = ADAPTERS[kind].claims
    made = replace(structure(kind, id, sizes, dict(items)), spectral=spectral)
    return Climber(made, 8, 0).run(16)


def climbed(kind, id, rank, given=None):
    """A short climb at W with one row and column more than the rank, shared by the claims about the
    adapter."""
    claim = catalogue[id]
    given = dict(given or {})
    if given and any(p.name == "sigma" for p in claim.parameters):
        given |= dict.fromkeys(ADAPTERS[kind].radius_names, given["b"])
    rank = rank_for(claim, rank)
    items = tuple(sorted(given.items()))
    return _climbed(kind, (rank + 1, rank + 1, rank), items, gradient_norm(claim) == "spectral")


@cache
def instance_of(kind):
    """A tight instance of the first claim about a kind of adapter, at constants that differ."""
    id = ADAPTERS[kind].claims[0]
    return climbed(kind, id, 2, UNEQUAL).best(catalogue[id], "sigma")


@st.composite
def instances(draw, kind):
    """Points of any spectrum, near or far from each other, around a kink of any direction and
    tilt."""
    # Of a frozen factor that is 0 no claim speaks.
    moving = adapters(kind, most=3).filter(
        lambda adapter: all(getattr(adapter, name).any() for name in adapter.frozen)
    )
    adapter = draw(moving)
    claim = catalogue[draw(st.sampled_from(adapter.claims))]
    if rank_for(claim, adapter.rank) != adapter.rank:
        claim = catalogue[adapter.composition]
    radii = draw(domains(adapter))
    if any(p.name == "sigma" for p in claim.parameters):
        radii = dict.fromkeys(radii, radii["a"])
    v = draw(domain_points(adapter, radii))
    if adapter.is_flat:
        share = 10 ** draw(st.floats(-5, 0))
        away = draw(domain_points(adapter, radii))
        other = tuple(x + share * (y - x) for x, y in zip(v, away, strict=True))
    else:
        other = draw(directions(adapter))
    E = draw(ball(tuple(adapter.W0.shape), 1.0).filter(lambda X: X.any()))
    N = draw(ball(tuple(adapter.W0.shape), 1.0))
    L, G = (draw(st.sampled_from([0.25, 1.0, 3.0])) for _ in range(2))
    made = AdapterInstance.around(claim, adapter, radii | {"L": L, "G": G}, "sigma", E, N, v, other)
    # Where the ends of the step lie on the slope or beyond it.
    shift = draw(st.sampled_from([0.0, 0.3, -0.7, 1.5])) * made.height / L
    return replace(made, zero=made.zero + shift)


def moves(instance):
    """Whether the two points differ, or the tangent is one."""
    if instance.adapter.is_flat:
        return any(not torch.equal(x, y) for x, y in zip(instance.v, instance.other, strict=True))
    return square_norm(instance.adapter.tangent(instance.v, instance.other)).item() > 1e-20


def exact_bound(instance):
    """The claim's formula at the instance's inputs, in many digits, without Arb."""
    values = {p.symbol: instance.inputs[p.name] for p in instance.claim.parameters}
    return mp.mpf(str(instance.claim.expression("Lhat").subs(values).evalf(DIGITS)))


def exact_gradient(instance, v):
    """The gradient of F at a point, by the plain formulas; call it at many digits."""
    plain = Plain(instance.adapter, exactly)
    ridge = clipped(instance.ridge, plain.weight(v).tolist()).gradient
    M = exactly(torch.tensor(instance.tilt))
    for index in ((i, j) for i in range(M.shape[0]) for j in range(M.shape[1])):
        M[index] += ridge[index[0]][index[1]]
    return plain.pull_back(v, M)


def exact_change(instance):
    """The difference of the gradients at both points, and the distance between these; call it at
    many digits."""
    v, w = (single(point, read=exactly) for point in (instance.v, instance.other))
    gradients = [exact_gradient(instance, point) for point in (v, w)]
    change = apart(*gradients)
    return change, exact_length(apart(v, w))


def exact_length(u):
    return mp.sqrt(sum(dot(part, part) for part in u))


def exact_bend(instance):
    """The second derivative of F along the unit tangent, on the slope of the kink; call it at many
    digits."""
    plain = Plain(instance.adapter, exactly)
    v = single(instance.v, read=exactly)
    u = plain.tangent(v, single(instance.other, read=exactly))
    E, N = (exactly(torch.tensor(X)) for X in (instance.direction, instance.tilt))
    first = plain.first(v, u)
    second = plain.second(v, u)
    w = dot(E, plain.weight(v))
    (start, _), (end, top) = (
        (mp.mpf(x.numerator) / x.denominator for x in knot) for knot in instance.ridge.slope.knots
    )
    steep = 2 * top / (end - start)
    value = min(max(steep * (w - (start + end) / 2), -top), top)
    bent = (
        dot(E, second) * value
        + dot(N, second)
        + (steep if start < w < end else 0) * dot(E, first) ** 2
    )
    return abs(bent) / sum(dot(part, part) for part in u)


REPAIRED = catalogue["meft.theorem2_repaired"]


def run(claim=REPAIRED, steps=3, offset=1.0, start=0.75):
    """W = BA at d = k = r = 1 with f'(w) = clip(w - 1/4, ±1/8), within |A|, |B| <= 2."""
    knots = np.array([[0.125, -0.125], [0.375, 0.125]])
    v = tuple(torch.full((1, 1, 1), start, dtype=torch.float64) for _ in "AB")
    adapter = LoRA(torch.zeros(1, 1, dtype=torch.float64), 1)
    return ShortRun(
        claim, adapter, {"a": 2.0, "b": 2.0}, "sigma", knots, np.ones((1, 1)), offset, v, steps
    )
