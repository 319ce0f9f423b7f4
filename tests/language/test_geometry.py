"""The facts behind the adapters' constants: what DW(v) and D²W(v) can do on the domain, at worst.

Over all f with smoothness L and gradients of norm at most G, the second derivative of F along u at
v is at most L‖DW[u]‖_F² + G‖D²W[u, u]‖_*, and some f has it: the nuclear norm is the largest <M, X>
over matrices M of spectral norm
1. (For DoRA, whose G bounds the Frobenius norm, it is the Frobenius norm.) So a constant is right
if and only if that number nowhere exceeds it, and sharp if and only if the number comes arbitrarily
near, which searches look for.
"""

import hypothesis.strategies as st
import numpy as np
import torch
from hypothesis import given

from boundcheck.exact.balls import upper
from boundcheck.language.catalogue import catalogue
from boundcheck.properties import adapters, directions, domain_points
from tests.experiment.small import each_kind
from tests.language.plain import Plain, dot, single
from tests.layers import examples
from tests.strategies import domains

MIXES = [(1.0, 1e-6), (1.0, 1.0), (1e-6, 1.0)]
# Rounding of the numbers compared, which are of size 1.
ROUNDING = 1e-9


def constant(id, adapter, radii, L, G):
    """L̂ of the claim at the adapter's own numbers, rounded up; None where it says nothing."""
    claim = catalogue[id]
    names = {p.name for p in claim.parameters}
    table = adapter.constants(radii)
    if "s" in table and "s" not in names:
        # Stated of W0 + B A: of f(W0 + s X) as a function of X.
        L = table["s"] ** 2 * L * (1 + 1e-15)
        G = table["s"] * G
    table |= {"L": L, "G": G, "C": table.get("sigma")}
    inputs = {name: table[name] for name in names}
    if "r" in names and id == "meft.loreft_rank1" and inputs["r"] > 1:
        return None
    if not all(value > 0 for value in inputs.values()):
        return None
    return upper(claim.enclosures(**inputs)["Lhat"])


def largest_pairing(kind, X):
    """The largest <M, X> over the gradients M of norm 1."""
    return float(np.linalg.norm(X) if kind == "dora" else np.linalg.svd(X, compute_uv=False).sum())


@each_kind
@examples(20)
@given(st.data())
def test_no_second_derivative_exceeds_a_constant(kind, data):
    adapter = data.draw(adapters(kind))
    radii = data.draw(domains(adapter))
    v = data.draw(domain_points(adapter, radii))
    plain = Plain(adapter)
    at = single(v)
    u = single(adapter.tangent(v, data.draw(directions(adapter))))
    # Blocks of unequal sizes, to be near whichever eigenvector is the top one.
    factors = [10 ** data.draw(st.floats(-2, 2)) for _ in u]
    u = tuple(factor * part for factor, part in zip(factors, u, strict=True))
    square = sum(dot(part, part) for part in u)
    first = plain.first(at, u)
    second = plain.second(at, u)
    for L, G in MIXES:
        most = L * dot(first, first) + G * largest_pairing(kind, second)
        for id in adapter.claims:
            limit = constant(id, adapter, radii, L, G)
            if limit is not None:
                assert most <= limit * square * (1 + ROUNDING), id


@each_kind
@examples(15)
@given(st.data())
def test_both_bounds_of_a_composition_hold_by_themselves(kind, data):
    adapter = data.draw(adapters(kind))
    claim = catalogue[adapter.composition]
    if "J" not in claim.names:
        return
    radii = data.draw(domains(adapter))
    v = data.draw(domain_points(adapter, radii))
    u = single(adapter.tangent(v, data.draw(directions(adapter))))
    size = sum(dot(part, part) for part in u)
    names = {p.name for p in claim.parameters}
    inputs = {
        name: x
        for name, x in (adapter.constants(radii) | {"L": 1.0, "G": 1.0}).items()
        if name in names
    }
    if not all(value > 0 for value in inputs.values()):
        return
    J, H = (upper(claim.enclosures(**inputs)[name]) for name in "JH")
    assert dot(
        Plain(adapter).first(single(v), u), Plain(adapter).first(single(v), u)
    ) <= J**2 * size * (1 + ROUNDING)
    assert largest_pairing(kind, Plain(adapter).second(single(v), u)) <= H * size * (1 + ROUNDING)


def derivatives(adapter, v, u):
    """DW(v)[u], and the second derivative of W along the line or geodesic that leaves v along u, by
    autodiff."""

    def first(*w):
        return torch.func.jvp(lambda *x: adapter.weight(x), w, u)[1]

    bend = adapter.acceleration(v, u)
    bent = torch.func.jvp(lambda *x: adapter.weight(x), v, bend)[1]
    return first(*v), torch.func.jvp(first, v, u)[1] + bent


@each_kind
@examples(15)
@given(st.data())
def test_transcribed_derivatives_are_those_of_automatic_differentiation(kind, data):
    adapter = data.draw(adapters(kind))
    v = data.draw(domain_points(adapter, data.draw(domains(adapter))))
    u = adapter.tangent(v, data.draw(directions(adapter)))
    first, second = derivatives(adapter, v, u)
    for got, transcribed in ((first, Plain(adapter).first), (second, Plain(adapter).second)):
        expected = transcribed(single(v), single(u))
        np.testing.assert_allclose(
            got[0].numpy(), expected, rtol=0, atol=1e-12 * (1 + np.abs(expected).max())
        )
