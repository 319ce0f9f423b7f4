"""Hypothesis strategies: matrices of every kind of spectrum, adapters, points of their domains, and inputs of claims.

A matrix is drawn as its singular values and a seed for its singular vectors, so that edge cases are common.
"""

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import numpy as np
import sympy as sp
import torch
from hypothesis.strategies import DrawFn, SearchStrategy

from boundcheck.claims import Claim
from boundcheck.claims.enclose import enclose
from boundcheck.claims.inputs import Number, checked
from boundcheck.claims.sign import sign
from boundcheck.problems.adapters import (
    Adapter,
    Block,
    DiReFT,
    DoRA,
    FrozenA,
    FrozenB,
    Full,
    LoHa,
    LoRA,
    LoReFT,
    Radii,
    VeRA,
)
from boundcheck.problems.norms import Point
from boundcheck.problems.objective import Objective
from boundcheck.problems.problem import Problem
from boundcheck.problems.pseudo_huber import synthetic
from boundcheck.problems.softmax import SoftmaxRegression

Shape = tuple[int, int]

SEEDS = st.integers(0, 2**32 - 1)
SIZES = st.floats(-3, 3).map(lambda exponent: 10.0**exponent)
SCALES = st.sampled_from([0.25, 1.0, 2.0])

# Singular values relative to the largest one; `generic` may lie strictly inside the ball.
SPECTRA: dict[str, Callable[[int, np.random.Generator], np.ndarray]] = {
    "zero": lambda count, random: np.zeros(count),
    "generic": lambda count, random: random.uniform(size=count),
    "repeated": lambda count, random: np.ones(count),
    "rank-deficient": lambda count, random: np.where(np.arange(count) < count // 2, 1.0, 0.0),
    "ill-conditioned": lambda count, random: np.logspace(0, -12, count),
}


def shapes(largest: int = 8) -> SearchStrategy[Shape]:
    """Rows and columns, each from 1 to `largest`."""
    return st.tuples(st.integers(1, largest), st.integers(1, largest))


@st.composite
def matrices(draw: DrawFn, shape: Shape | None = None, norm: float | None = None) -> np.ndarray:
    """A matrix with a spectrum of SPECTRA, its spectral norm `norm` or less, up to a few unit roundoffs."""
    rows, columns = shape or draw(shapes())
    norm = draw(SIZES) if norm is None else norm
    spectrum = SPECTRA[draw(st.sampled_from(sorted(SPECTRA)))]
    random = np.random.default_rng(draw(SEEDS))
    count = min(rows, columns)
    left, right = (np.linalg.qr(random.standard_normal((size, count)))[0] for size in (rows, columns))
    return norm * (left * spectrum(count, random)) @ right.T


@st.composite
def points(draw: DrawFn, shape: Shape, rank: int, radii: tuple[float, float], replicas: int = 1) -> Point:
    """Points (A, B) with spectral norms at most `radii`; every spectrum but the generic and zero reaches them."""
    (d, k), (a, b) = shape, radii
    # The computed product must lie inside as well.
    inside = 1 - 1e-14
    A = [draw(matrices((rank, k), a * inside)) for _ in range(replicas)]
    B = [draw(matrices((d, rank), b * inside)) for _ in range(replicas)]
    return torch.tensor(np.stack(A)), torch.tensor(np.stack(B))


@st.composite
def pairs(draw: DrawFn, shape: Shape, rank: int, radii: tuple[float, float]) -> tuple[Point, Point]:
    """Two points of the ball, near or far: the second lies on the way to a third."""
    v, away = (draw(points(shape, rank, radii)) for _ in range(2))
    share = 10 ** draw(st.floats(-4, 0))
    A, B = (x + share * (y - x) for x, y in zip(v, away, strict=True))
    return v, (A, B)


@st.composite
def softmax_problems(draw: DrawFn, largest: int = 5) -> SoftmaxRegression:
    """Small softmax regressions; the data may be rank-deficient, ill-conditioned or zero."""
    samples, k = draw(shapes(largest))
    classes = draw(st.integers(1, largest))
    labels = np.array([classes - 1, *draw(st.lists(st.integers(0, classes - 1), min_size=samples, max_size=samples))])
    return SoftmaxRegression("small", draw(matrices((samples + 1, k), draw(st.sampled_from([0.1, 1.0, 30.0])))), labels)


@st.composite
def pseudo_huber_problems(draw: DrawFn, shape: Shape | None = None) -> Objective:
    """Small pseudo-Huber regressions, from nearly quadratic to nearly absolute."""
    d, k = shape or draw(shapes(5))
    delta, signal, noise = (draw(st.sampled_from([0.1, 1.0, 10.0])) for _ in range(3))
    return synthetic(d, k, draw(st.integers(1, 6)), delta, signal, noise, draw(SEEDS))


def objectives() -> SearchStrategy[Objective]:
    """Small objectives of both kinds."""
    return st.one_of(softmax_problems(), pseudo_huber_problems())


@st.composite
def weights(draw: DrawFn, shape: Shape, replicas: int = 3) -> torch.Tensor:
    """Matrices W, shape (replicas, d, k), from zero to large."""
    sizes = st.sampled_from([0.1, 1.0, 10.0])
    return torch.tensor(np.stack([draw(matrices(shape, draw(sizes))) for _ in range(replicas)]))


@st.composite
def problems(draw: DrawFn, scale: float | None = None) -> Problem:
    """Small problems with a nonzero W0, of every rank that the shape allows."""
    objective = draw(objectives())
    rank = draw(st.integers(1, min(objective.shape)))
    W0 = torch.tensor(draw(matrices(objective.shape, 1.0)))
    return Problem(objective, LoRA(W0, rank, draw(SCALES) if scale is None else scale))


@st.composite
def adapters(draw: DrawFn, kind: str, shape: Shape | None = None, most: int = 4) -> Adapter:
    """An adapter of any rank up to `most` on a W not much larger, of that kind, its frozen matrices of any spectrum."""
    if shape is None:
        least = draw(st.integers(1, most))
        shape = least + draw(st.integers(0, 3)), least + draw(st.integers(0, 3))
    (d, k), scale = shape, draw(SCALES)
    rank = draw(st.integers(1, min(d, k, most)))
    W0 = torch.tensor(draw(matrices(shape, 1.0)))
    A, B = (torch.tensor(draw(matrices(size, draw(st.sampled_from([0.5, 2.0]))))) for size in ((rank, k), (d, rank)))
    match kind:
        case "full":
            return Full(W0)
        case "lora":
            return LoRA(W0, rank, scale)
        case "frozen-a":
            return FrozenA(W0, A, scale)
        case "frozen-b":
            return FrozenB(W0, B, scale)
        case "direft":
            return DiReFT(W0, rank)
        case "loreft":
            return LoReFT(W0, rank)
        case "vera":
            return VeRA(W0, A, B, scale)
        case "dora":
            # No column near 0.
            return DoRA(W0 + 2, rank, scale)
        case "loha":
            return LoHa(W0, rank, scale)
    raise ValueError(kind)


@st.composite
def domains(draw: DrawFn, adapter: Adapter) -> dict[str, float]:
    """Radii, small and large; those of DoRA keep every column of W0 + s B A from 0."""
    radii = {name: draw(st.sampled_from([0.05, 0.5, 1.0, 3.0])) for name in adapter.radius_names}
    if isinstance(adapter, DoRA):
        share = draw(st.sampled_from([0.01, 0.5, 0.9]))
        radii["b"] = share * adapter.constants(radii)["w_0"] / (adapter.scale * radii["a"])
    return radii


# Entries relative to the largest one, of a vector that scales rows.
VECTORS: dict[str, Callable[[int, np.random.Generator], np.ndarray]] = {
    "zero": lambda count, random: np.zeros(count),
    "generic": lambda count, random: random.uniform(-1, 1, count),
    "extremal": lambda count, random: random.choice([-1.0, 1.0], count),
    "one entry": lambda count, random: np.eye(count)[random.integers(count)],
    "ill-conditioned": lambda count, random: np.logspace(0, -12, count),
}


@st.composite
def blocks(draw: DrawFn, block: Block, radii: Radii) -> np.ndarray:
    """One block of a point: inside of its ball, or on the boundary; of a curved one, random or along the axes."""
    rows, columns = block.shape
    if block.norm == "spectral":
        return draw(matrices(block.shape, radii[block.radius] * (1 - 1e-14)))
    random = np.random.default_rng(draw(SEEDS))
    if block.norm == "max":
        entries = VECTORS[draw(st.sampled_from(sorted(VECTORS)))](rows * columns, random)
        return radii[block.radius] * entries.reshape(block.shape)
    if draw(st.booleans()):
        return np.eye(rows, columns)
    return np.linalg.qr(random.standard_normal((columns, rows)))[0].T


@st.composite
def domain_points(draw: DrawFn, adapter: Adapter, radii: Radii, replicas: int = 1) -> Point:
    """Points of the domain of an adapter, with blocks of every kind of spectrum."""
    return tuple(
        torch.tensor(np.stack([draw(blocks(block, radii)) for _ in range(replicas)])) for block in adapter.blocks
    )


@st.composite
def directions(draw: DrawFn, adapter: Adapter, replicas: int = 1) -> Point:
    """Directions in which a point may move, before any projection; blocks of size about 1, of every spectrum."""
    shapes_of_blocks = [block.shape for block in adapter.blocks]
    parts = [[draw(matrices(shape, 1.0)) for _ in range(replicas)] for shape in shapes_of_blocks]
    return tuple(torch.tensor(np.stack(part)) for part in parts)


POSITIVE_REALS: SearchStrategy[Number] = st.one_of(
    SIZES,
    st.integers(1, 100),
    st.fractions(Fraction(1, 100), 100, max_denominator=1000),
    st.decimals("0.01", 100, places=2).map(str),
)


def shortest_horizon(claim: Claim, inputs: Mapping[str, Number]) -> int:
    """The least T that a claim with a T_min allows; T itself, whatever it is in `inputs`, is not looked at."""
    values, T_min = checked(claim.parameters, inputs), claim.expression("T_min")
    floor = sp.Integer(int(enclose(T_min, values, bits=256).lower().ceil().unique_fmpz()))
    return int(floor) if sign(floor - T_min, values) >= 0 else int(floor) + 1


@st.composite
def claim_inputs(draw: DrawFn, claim: Claim) -> dict[str, Number]:
    """A value for each symbol of the claim, in its domain; conditions are met, some of them barely."""
    inputs: dict[str, Any] = {
        p.name: draw(POSITIVE_REALS if p.domain == "positive real" else st.integers(1, 10_000))
        for p in claim.parameters
    }
    for condition in claim.conditions:
        name = str(condition.lhs)
        if name == "T":
            inputs[name] = shortest_horizon(claim, inputs) + draw(st.one_of(st.just(0), st.integers(0, 10**6)))
        elif isinstance(condition, sp.StrictGreaterThan):
            limit = condition.rhs.subs(checked(claim.parameters, inputs))
            inputs[name] = Fraction(int(limit.p), int(limit.q)) * (1 + Fraction(10 ** draw(st.floats(-6, 2))))
        else:
            inputs[name] = draw(st.integers(1, int(condition.rhs)))
    return inputs
