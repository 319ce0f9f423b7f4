"""The facts behind the adapters' constants: what DW(v) and D²W(v) can do on the domain, at worst.

Over all f with smoothness L and gradients of norm at most G, the second derivative of F along u at v is at most
L‖DW[u]‖_F² + G‖D²W[u, u]‖_*, and some f has it: the nuclear norm is the largest <M, X> over matrices M of spectral norm
1. (For DoRA, whose G bounds the Frobenius norm, it is the Frobenius norm.) So a constant is right if and only if that
number nowhere exceeds it, and sharp if and only if the number comes arbitrarily near: what ascent looks for here.
"""

from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis.strategies import DataObject
from torch import Tensor

from boundcheck.exact.balls import upper
from boundcheck.functions.adapters import (
    ADAPTERS,
    Adapter,
    DiReFT,
    DoRA,
    FrozenA,
    FrozenB,
    Full,
    LoHa,
    LoRA,
    LoReFT,
    VeRA,
)
from boundcheck.functions.arithmetic import Point, square_norm
from boundcheck.language.catalogue import catalogue
from boundcheck.properties import adapters, directions, domain_points, domains
from tests.language.plain import Plain, dot, single
from tests.layers import examples

each_kind = pytest.mark.parametrize("kind", ADAPTERS)
MIXES = [(1.0, 1e-6), (1.0, 1.0), (1e-6, 1.0)]
# Rounding of the numbers compared, which are of size 1.
ROUNDING = 1e-9


def constant(id: str, adapter: Adapter, radii: dict[str, float], L: float, G: float) -> float | None:
    """L̂ of the claim at the adapter's own numbers, rounded up; None where it says nothing."""
    claim = catalogue[id]
    names = {p.name for p in claim.parameters}
    table: dict[str, Any] = adapter.constants(radii)
    if "s" in table and "s" not in names:
        # Stated of W0 + B A: of f(W0 + s X) as a function of X.
        L, G = table["s"] ** 2 * L * (1 + 1e-15), table["s"] * G
    table |= {"L": L, "G": G, "C": table.get("sigma")}
    inputs = {name: table[name] for name in names}
    if "r" in names and id == "meft.loreft_rank1" and inputs["r"] > 1:
        return None
    if not all(value > 0 for value in inputs.values()):
        return None
    return upper(claim.enclosures(**inputs)["Lhat"])


def largest_pairing(kind: str, X: np.ndarray) -> float:
    """The largest <M, X> over the gradients M of norm 1."""
    return float(np.linalg.norm(X) if kind == "dora" else np.linalg.svd(X, compute_uv=False).sum())


@each_kind
@examples(20)
@given(st.data())
def test_no_second_derivative_exceeds_a_constant(kind: str, data: DataObject) -> None:
    adapter = data.draw(adapters(kind))
    radii = data.draw(domains(adapter))
    v = data.draw(domain_points(adapter, radii))
    plain, at, u = Plain(adapter), single(v), single(adapter.tangent(v, data.draw(directions(adapter))))
    # Blocks of unequal sizes, to be near whichever eigenvector is the top one.
    factors = [10 ** data.draw(st.floats(-2, 2)) for _ in u]
    u = tuple(factor * part for factor, part in zip(factors, u, strict=True))
    square = sum(dot(part, part) for part in u)
    first, second = plain.first(at, u), plain.second(at, u)
    for L, G in MIXES:
        most = L * dot(first, first) + G * largest_pairing(kind, second)
        for id in adapter.claims:
            limit = constant(id, adapter, radii, L, G)
            if limit is not None:
                assert most <= limit * square * (1 + ROUNDING), id


@each_kind
@examples(15)
@given(st.data())
def test_both_bounds_of_a_composition_hold_by_themselves(kind: str, data: DataObject) -> None:
    adapter = data.draw(adapters(kind))
    claim = catalogue[adapter.composition]
    if "J" not in claim.names:
        return
    radii = data.draw(domains(adapter))
    v = data.draw(domain_points(adapter, radii))
    u = single(adapter.tangent(v, data.draw(directions(adapter))))
    size = sum(dot(part, part) for part in u)
    names = {p.name for p in claim.parameters}
    inputs = {name: x for name, x in (adapter.constants(radii) | {"L": 1.0, "G": 1.0}).items() if name in names}
    if not all(value > 0 for value in inputs.values()):
        return
    J, H = (upper(claim.enclosures(**inputs)[name]) for name in "JH")
    assert dot(Plain(adapter).first(single(v), u), Plain(adapter).first(single(v), u)) <= J**2 * size * (1 + ROUNDING)
    assert largest_pairing(kind, Plain(adapter).second(single(v), u)) <= H * size * (1 + ROUNDING)


def derivatives(adapter: Adapter, v: Point, u: Point) -> tuple[Tensor, Tensor]:
    """DW(v)[u], and the second derivative of W along the line or geodesic that leaves v along u, by autodiff."""

    def first(*w: Tensor) -> Tensor:
        return torch.func.jvp(lambda *x: adapter.weight(x), w, u)[1]

    bend = adapter.acceleration(v, u)
    bent = torch.func.jvp(lambda *x: adapter.weight(x), v, bend)[1]
    return first(*v), torch.func.jvp(first, v, u)[1] + bent


@each_kind
@examples(15)
@given(st.data())
def test_transcribed_derivatives_are_those_of_automatic_differentiation(kind: str, data: DataObject) -> None:
    adapter = data.draw(adapters(kind))
    v = data.draw(domain_points(adapter, data.draw(domains(adapter))))
    u = adapter.tangent(v, data.draw(directions(adapter)))
    first, second = derivatives(adapter, v, u)
    for got, transcribed in ((first, Plain(adapter).first), (second, Plain(adapter).second)):
        expected = transcribed(single(v), single(u))
        np.testing.assert_allclose(got[0].numpy(), expected, rtol=0, atol=1e-12 * (1 + np.abs(expected).max()))


def curvature(adapter: Adapter, v: Point, u: Point, L: float, G: float) -> Tensor:
    """The largest second derivative of F along u over all such f, for |u| = 1."""
    first, second = derivatives(adapter, v, u)
    norm = second.flatten(1).norm(dim=1) if adapter.kind == "dora" else torch.linalg.svdvals(second).sum(-1)
    return (L * first.square().sum((1, 2)) + G * norm) / square_norm(u)


def directed(adapter: Adapter, v: Point, u: Point) -> Point:
    u = adapter.tangent(v, u)
    size = square_norm(u).sqrt()[:, None, None]
    return tuple(part / size for part in u)


def climbed(adapter: Adapter, radii: dict[str, float], L: float, G: float) -> float:
    """The largest curvature that projected gradient ascent finds from a few starts; steps that lose are undone."""
    random = torch.Generator().manual_seed(0)
    v = adapter.draw(radii, 16, random)
    u = directed(adapter, v, tuple(torch.randn(x.shape, generator=random, dtype=torch.float64) for x in v))
    found, steps = curvature(adapter, v, u, L, G), torch.full((16, 1, 1), 0.3, dtype=torch.float64)
    for _ in range(150):
        leaves = tuple(part.clone().requires_grad_() for part in (*v, *u))
        value = curvature(adapter, leaves[: len(v)], leaves[len(v) :], L, G).sum()
        uphill = torch.autograd.grad(value, leaves, allow_unused=True, materialize_grads=True)
        size = square_norm(uphill).sqrt().clamp(min=1e-300)[:, None, None]
        moved = tuple(x + steps / size * y for x, y in zip((*v, *u), uphill, strict=True))
        to = adapter.project(moved[: len(v)], radii)
        turned = directed(adapter, to, moved[len(v) :])
        reached = curvature(adapter, to, turned, L, G)
        better = (reached > found)[:, None, None]
        v = tuple(torch.where(better, x, y) for x, y in zip(to, v, strict=True))
        u = tuple(torch.where(better, x, y) for x, y in zip(turned, u, strict=True))
        found, steps = torch.maximum(found, reached.nan_to_num(-1)), torch.where(better, 1.5 * steps, 0.4 * steps)
        if steps.max() < ROUNDING:
            # Nowhere to go: each start has shortened its step ever since it arrived.
            break
    return found.max().item()


def corner(rows: int, columns: int, entry: float) -> Tensor:
    X = torch.zeros(rows, columns, dtype=torch.float64)
    X[0, 0] = entry
    return X


# The worst frozen matrices are of rank one and along an axis; DoRA's W0 has equal columns.
WORST: dict[str, Callable[[int, int, int], Adapter]] = {
    "full": lambda d, k, r: Full(corner(d, k, 0.0)),
    "lora": lambda d, k, r: LoRA(corner(d, k, 0.0), r, 0.7),
    "frozen-a": lambda d, k, r: FrozenA(corner(d, k, 0.0), corner(r, k, 1.3), 0.7),
    "frozen-b": lambda d, k, r: FrozenB(corner(d, k, 0.0), corner(d, r, 1.3), 0.7),
    "direft": lambda d, k, r: DiReFT(corner(d, k, 0.0), r),
    "loreft": lambda d, k, r: LoReFT(corner(d, k, 0.0), r),
    "vera": lambda d, k, r: VeRA(corner(d, k, 0.0), corner(r, k, 1.3), corner(d, r, 0.8), 0.7),
    "dora": lambda d, k, r: DoRA(1.5 * torch.eye(d, 1, dtype=torch.float64).repeat(1, k), r, 0.7),
    "loha": lambda d, k, r: LoHa(corner(d, k, 0.0), r, 0.7),
}
# Claims that are called sharp, or are of one term: with the least shape and rank at which they are reached.
SHARP = {
    "meft.full": (1, 1, 1),
    "meft.lemma1_sharp": (1, 1, 1),
    "meft.frozen_a": (1, 1, 1),
    "meft.frozen_b": (1, 1, 1),
    "meft.direft": (1, 1, 1),
    "meft.vera_sharp": (1, 1, 1),
    "meft.loha_sharp": (1, 1, 1),
    "meft.loreft_rank1": (2, 2, 1),
    "meft.loreft_sharp": (3, 2, 2),
}


@pytest.mark.full
@pytest.mark.parametrize("id", SHARP)
@pytest.mark.parametrize(("larger", "L", "G"), [(0, *mix) for mix in MIXES] + [(1, *MIXES[1])])
def test_a_sharp_constant_is_found_by_ascent(id: str, larger: int, L: float, G: float) -> None:
    kind = next(kind for kind, adapter in ADAPTERS.items() if id in adapter.claims)
    d, k, rank = SHARP[id]
    adapter = WORST[kind](d + larger, k + larger, rank)
    radii = dict(zip(adapter.radius_names, (0.9, 0.6), strict=False))
    found, limit = climbed(adapter, radii, L, G), constant(id, adapter, radii, L, G)
    assert limit is not None
    assert 0.999 * limit <= found <= limit * (1 + ROUNDING)
