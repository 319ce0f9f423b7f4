"""Strategies for points: pairs (A, B) of factors in the ball, points of an adapter's domain, directions, and weights.

Tensors for a `Problem` are batched over a leading dimension of replicas, as everything in boundcheck.functions is.
"""

from collections.abc import Callable
from typing import Any, Literal, TypeAlias, get_args

import hypothesis.strategies as st
import numpy as np
import torch
from hypothesis.strategies import DrawFn, SearchStrategy
from torch import Tensor

from boundcheck.errors import InputError
from boundcheck.functions.adapters import Adapter, Block, Radii
from boundcheck.functions.arithmetic import Point
from boundcheck.properties.strategies.matrices import (
    DType,
    Library,
    Shape,
    ball,
    check_kind,
    check_positive,
    check_shape,
    check_size,
    converted,
    frames,
    margin,
    matrices,
    orthogonal,
    product,
    rounded,
)
from boundcheck.properties.strategies.spectra import SEEDS, choice, signs, spectra_in_ball

PairKind: TypeAlias = Literal["aligned", "adversarial", "free"]


def factor_pairs(
    shape: Shape,
    rank: int,
    radii: tuple[float, float],
    *,
    kind: PairKind | None = None,
    library: Library = "numpy",
    dtype: DType = "float64",
) -> SearchStrategy[tuple[Any, Any]]:
    r"""Pairs (A, B) with :math:`\sigma_1(A) \le a` and :math:`\sigma_1(B) \le b`, of the exact numbers returned.

    ``aligned``: the left singular vectors of A are the right ones of B, so that the spectral norm of BA is the product
    of theirs. ``adversarial``: aligned, and both norms at their radii; either all singular values are, or A and B have
    rank one, which is the instance at which the sharp form of Lemma 1 of jiang2024 is attained, wherever it is put.
    ``free``: each from `ball` by itself. Shrinks to diagonal matrices.

    >>> from hypothesis import find
    >>> A, B = find(factor_pairs((2, 3), 1, (1.0, 2.0), kind="adversarial"), lambda pair: True)
    >>> A.tolist(), B.tolist()
    ([[1.0, 0.0, 0.0]], [[2.0], [0.0]])

    Args:
        shape: (d, k), of W.
        rank: r; A has shape (r, k), and B (d, r). It may be larger than d or k.
        radii: (a, b), positive.
        kind: one of the three, or None for all.
        library: ``numpy`` for arrays, ``torch`` for tensors on the CPU.
        dtype: ``float32`` or ``float64``.

    Raises:
        InputError: for any other value.

    """
    check_kind(library, dtype)
    _check_ball(shape, rank, radii, dtype)
    if kind is not None and kind not in get_args(PairKind):
        raise InputError("kind", kind, f"one of {', '.join(get_args(PairKind))}")
    pairs_of_arrays = _factor_pairs(shape, rank, radii, kind, dtype)
    return pairs_of_arrays.map(lambda pair: (converted(pair[0], library, dtype), converted(pair[1], library, dtype)))


@st.composite
def _factor_pairs(
    draw: DrawFn, shape: Shape, rank: int, radii: tuple[float, float], kind: PairKind | None, dtype: DType
) -> tuple[np.ndarray, np.ndarray]:
    (d, k), (a, b) = shape, radii
    if kind is None:
        kind = draw(choice(get_args(PairKind)))
    if kind == "free":
        return draw(ball((rank, k), a, dtype=dtype)), draw(ball((d, rank), b, dtype=dtype))
    in_a, in_b = min(rank, k), min(d, rank)
    if kind == "aligned":
        singular_a, singular_b = draw(spectra_in_ball(in_a, a)), draw(spectra_in_ball(in_b, b))
    else:
        rank_one = draw(st.booleans())
        singular_a, singular_b = (
            radius * (np.arange(count) < (1 if rank_one else count)) for count, radius in ((in_a, a), (in_b, b))
        )
    shared, right, left = draw(frames(rank, rank)), draw(frames(k, in_a)), draw(frames(d, in_b))
    return product(shared[:, :in_a], singular_a, right, dtype), product(left, singular_b, shared[:, :in_b], dtype)


def points(
    shape: Shape,
    rank: int,
    radii: tuple[float, float],
    replicas: int = 1,
    *,
    kind: PairKind | None = None,
    dtype: DType = "float64",
) -> SearchStrategy[Point]:
    """Points v = (A, B) of LoRA's ball, tensors of shapes (R, r, k) and (R, d, r): each replica from `factor_pairs`.

    Raises:
        InputError: as `factor_pairs` does, and for replicas below 1.

    """
    return _replicated(factor_pairs(shape, rank, radii, kind=kind, library="torch", dtype=dtype), replicas)


@st.composite
def _pairs(draw: DrawFn, shape: Shape, rank: int, radii: tuple[float, float], dtype: DType) -> tuple[Point, Point]:
    v, away = (draw(points(shape, rank, radii, dtype=dtype)) for _ in range(2))
    return v, draw(_between(v, away))


def pairs(
    shape: Shape, rank: int, radii: tuple[float, float], *, dtype: DType = "float64"
) -> SearchStrategy[tuple[Point, Point]]:
    """Two points of the ball, as `points` draws them with R = 1: the second is on the way to a third.

    The way is all of it, or a share from 1e-4 on; the points may be equal.

    Raises:
        InputError: as `factor_pairs` does.

    """
    _check_ball(shape, rank, radii, dtype)
    return _pairs(shape, rank, radii, dtype)


def _check_ball(shape: Shape, rank: int, radii: tuple[float, float], dtype: DType) -> None:
    check_shape(shape)
    check_size("rank", rank)
    if len(radii) != 2:
        raise InputError("radii", radii, "two, for A and for B")
    for name, radius in zip("ab", radii, strict=True):
        check_positive(f"radii.{name}", radius, dtype)


@st.composite
def _between(draw: DrawFn, v: Point, away: Point) -> Point:
    """A point between v and another, no farther from 0 than the farther of the two, all roundings included."""
    share = 10 ** draw(st.floats(-4, 0))
    if share == 1:
        return away
    return tuple(_mixed(x, y, share) for x, y in zip(v, away, strict=True))


def _mixed(x: Tensor, y: Tensor, share: float) -> Tensor:
    dtype: DType = "float32" if x.dtype == torch.float32 else "float64"
    between = (1 - share) * x.numpy().astype(np.float64) + share * y.numpy().astype(np.float64)
    inside = 1 - margin((x.shape[-2], x.shape[-1]), dtype)
    mixed: Tensor = converted(rounded(between * inside, dtype), "torch", dtype)
    return mixed


def _replicated(one: SearchStrategy[tuple[Tensor, ...]], replicas: int) -> SearchStrategy[Point]:
    """A strategy for `replicas` points, stacked over a leading dimension."""
    check_size("replicas", replicas)
    several = st.lists(one, min_size=replicas, max_size=replicas)
    return several.map(lambda drawn: tuple(torch.stack(parts) for parts in zip(*drawn, strict=True)))


# Entries relative to the largest one, of a vector that scales rows or columns; the simplest first.
VECTORS: dict[str, Callable[[int], SearchStrategy[np.ndarray]]] = {
    "zero": lambda count: st.just(np.zeros(count)),
    "one entry": lambda count: st.integers(0, count - 1).map(lambda i: np.eye(count)[i]),
    "extremal": signs,
    "generic": lambda count: SEEDS.map(lambda seed: np.random.default_rng(seed).uniform(-1, 1, count)),
    "ill-conditioned": lambda count: st.just(np.logspace(0, -12, count)),
}


@st.composite
def _blocks(draw: DrawFn, block: Block, radii: Radii, extremal: bool) -> Tensor:
    rows, columns = block.shape
    part: Tensor
    if block.norm == "orthonormal":
        part = draw(orthogonal(rows, columns, library="torch"))
    elif block.norm == "max":
        entries = draw(VECTORS["extremal" if extremal else draw(choice(tuple(VECTORS)))](rows * columns))
        part = torch.from_numpy(radii[block.radius] * entries.reshape(block.shape))
    elif extremal:
        part = draw(matrices(block.shape, spectrum="extremal", norm=radii[block.radius], library="torch"))
    else:
        part = draw(ball(block.shape, radii[block.radius], library="torch"))
    return part


@st.composite
def _domain_points(draw: DrawFn, adapter: Adapter, radii: Radii) -> Point:
    extremal = draw(st.booleans())
    parts = [draw(_blocks(block, radii, extremal)) for block in adapter.blocks]
    v = adapter.inward(adapter.at(tuple(part.unsqueeze(0) for part in parts)), radii, 0.0)
    return tuple(part[0] for part in v)


def domain_points(adapter: Adapter, radii: Radii, replicas: int = 1) -> SearchStrategy[Point]:
    """Points of the domain of an adapter, float64, a tensor of shape (R, rows, columns) for each block.

    Either all blocks of a point are at their radius, with all singular values or entries, or each is drawn by itself:
    from `ball`, or a vector that is 0, has one entry, or is of any size up to the radius. Blocks with orthonormal rows
    are from `orthogonal`. Shrinks to the radius times columns of the identity, or 1 in place of each entry.

    Raises:
        InputError: for radii that are missing or not positive, and for replicas below 1.

    """
    for name in adapter.radius_names:
        if name not in radii:
            raise InputError("radii", sorted(radii), f"a radius for each of {', '.join(adapter.radius_names)}")
        check_positive(f"radii.{name}", radii[name])
    return _replicated(_domain_points(adapter, radii), replicas)


def directions(adapter: Adapter, replicas: int = 1) -> SearchStrategy[Point]:
    """Directions in which a point may move, before any projection: blocks from `ball` of radius 1, float64.

    Raises:
        InputError: for replicas below 1.

    """
    return _replicated(st.tuples(*(ball(block.shape, 1.0, library="torch") for block in adapter.blocks)), replicas)


def weights(shape: Shape, replicas: int = 3) -> SearchStrategy[Tensor]:
    """Matrices W in a tensor of shape (R, d, k), float64: from `ball` of radius 0.1, 1 or 10 each. Shrinks to 0.

    Raises:
        InputError: for a malformed shape, and for replicas below 1.

    """
    check_shape(shape)
    one = st.sampled_from([1.0, 0.1, 10.0]).flatmap(lambda radius: ball(shape, radius, library="torch"))
    return _replicated(st.tuples(one), replicas).map(lambda point: point[0])
