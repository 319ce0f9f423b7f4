"""Strategies for matrices, points and directions: of a given rank, spectrum, norm or condition
number, or in a domain.

A matrix is U diag(s) Vᵀ, with singular values of every kind. The singular vectors are columns of
the identity, signed permutations, Householder reflections along small integer vectors or random
orthogonal matrices, in this order: a failing example shrinks to a diagonal matrix of few different
numbers, unless only others fail. No global random generator is used. Tensors for a `Problem` are
batched over a leading dimension of replicas.
"""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Literal, NamedTuple, get_args

import hypothesis.strategies as st
import numpy as np
import torch
from hypothesis.strategies import DrawFn, SearchStrategy
from torch import Tensor

from boundcheck.errors import InputError, check_count, one_of
from boundcheck.functions.adapters import Adapter, Block, Radii
from boundcheck.functions.arithmetic import Point

Shape = tuple[int, int]
Library = Literal["numpy", "torch"]
DType = Literal["float32", "float64"]

SEEDS = st.integers(0, 2**32 - 1)
"""Seeds of random generators."""
SIZES = st.floats(-3, 3).map(lambda exponent: 10.0**exponent)
"""Positive floats from 0.001 to 1000; shrinks to 1."""

LARGEST_CONDITION = 1e12

# Hypothesis examines a strategy when it is first drawn from, which takes longer than to draw: so
# each is made once.
kept = lru_cache(maxsize=1024)
choice = kept(st.sampled_from)


@kept
def signs(count: int) -> SearchStrategy[np.ndarray]:
    """Arrays of `count` numbers, each 1 or -1; shrinks to all 1."""
    return st.lists(st.sampled_from([1.0, -1.0]), min_size=count, max_size=count).map(np.array)


@kept
@st.composite
def _generic(draw: DrawFn, count: int) -> np.ndarray:
    """Singular values over the largest, evenly spaced down to 1/count, or random."""
    seed = draw(st.none() | SEEDS)
    if seed is None:
        return np.arange(count, 0, -1) / max(count, 1)
    rest = np.random.default_rng(seed).uniform(size=max(count - 1, 0))
    return np.concatenate([np.ones(min(count, 1)), np.sort(rest)[::-1]])


@kept
@st.composite
def of_condition(draw: DrawFn, count: int, condition: float) -> np.ndarray:
    """Singular values from 1 to 1/condition: all 1 but the last, or evenly spaced in their
    logarithm.
    """
    if count == 1:
        return np.ones(1)
    middle = draw(choice((0.0, 1.0))) * np.arange(count - 1) / (count - 1)
    # The last one is exactly 1/condition, and not a power of about that size.
    return np.append(condition**-middle, 1 / condition)


class _Kind(NamedTuple):
    """The fewest singular values, not 0, of a kind; and all over the largest, decreasing, given how
    many are not 0.
    """

    least: int
    values: Callable[[int], SearchStrategy[np.ndarray]]


SPECTRA: dict[str, _Kind] = {
    "zero": _Kind(0, kept(lambda count: st.just(np.zeros(count)))),
    "extremal": _Kind(1, kept(lambda count: st.just(np.ones(count)))),
    "repeated": _Kind(2, kept(lambda count: st.just(0.5 ** (np.arange(count) // 2)))),
    "rank-deficient": _Kind(1, kept(lambda count: st.just(np.ones(count)))),
    "generic": _Kind(1, _generic),
    "ill-conditioned": _Kind(2, lambda count: of_condition(count, LARGEST_CONDITION)),
}
"""Kinds of spectra by name, the simplest first."""


@kept
@st.composite
def relative_spectra(
    draw: DrawFn, count: int, rank: int | None = None, kind: str | None = None
) -> np.ndarray:
    """`count` singular values over the largest, decreasing, of one kind or any; all are 0 at rank
    0.
    """
    if rank == 0 or kind == "zero":
        return np.zeros(count)
    if kind is None:
        kind = draw(
            choice(tuple(name for name in SPECTRA if name != "zero" and _fits(name, count, rank)))
        )
    if rank is None:
        rank = draw(st.integers(1, count - 1)) if kind == "rank-deficient" else count
    return np.append(draw(SPECTRA[kind].values(rank)), np.zeros(count - rank))


def _fits(kind: str, count: int, rank: int | None) -> bool:
    if kind == "rank-deficient":
        return count > (1 if rank is None else rank)
    return SPECTRA[kind].least <= (count if rank is None else rank)


@kept
@st.composite
def spectra_in_ball(draw: DrawFn, count: int, radius: float) -> np.ndarray:
    """Singular values of any kind, decreasing: the largest equal to the radius, all 0, or generic
    inside the ball.
    """
    kind = draw(choice(tuple(name for name in SPECTRA if _fits(name, count, None))))
    share = draw(choice((1.0, 0.5, 0.01))) if kind == "generic" else 1.0
    return radius * share * draw(relative_spectra(count, None, kind))


# What is refused.


def check_kind(library: str, dtype: str) -> None:
    """Raise InputError for an unknown library or dtype."""
    for field, value, known in (
        ("library", library, get_args(Library)),
        ("dtype", dtype, get_args(DType)),
    ):
        if value not in known:
            raise InputError(field, value, one_of(value, known))


def check_shape(shape: Shape) -> None:
    """Raise InputError unless the shape is two positive integers."""
    if not (isinstance(shape, tuple | list) and len(shape) == 2):
        raise InputError("shape", shape, "rows and columns")
    for size in shape:
        check_count("shape", size)


def check_positive(field: str, value: float, dtype: DType = "float64") -> None:
    """Raise InputError unless the value is positive and within the range of the dtype."""
    limits = np.finfo(dtype)
    if not float(limits.tiny) <= value <= float(limits.max):
        raise InputError(field, value, f"a positive real within the range of {dtype}")


# Matrices.

_just = kept(st.just)


def shapes(largest: int = 8, *, least: int = 1) -> SearchStrategy[Shape]:
    """Rows and columns, each from `least` to `largest`; shrinks to the least.

    Raises InputError for sizes that are not 1 <= least <= largest.
    """
    check_count("least", least)
    if not (isinstance(largest, int) and largest >= least):
        raise InputError("largest", largest, f"an integer from least = {least} on")
    return st.tuples(st.integers(least, largest), st.integers(least, largest))


_orders = kept(lambda size: st.permutations(range(size)))
_small_integers = kept(
    lambda size: st.lists(st.integers(-2, 2), min_size=size, max_size=size).map(np.array)
)


@kept
@st.composite
def frames(draw: DrawFn, rows: int, columns: int) -> np.ndarray:
    """The first columns, at most all of them, of an orthogonal matrix of one of four kinds;
    float64.
    """
    kind = draw(choice(("identity", "signed permutation", "reflection", "random")))
    Q = np.eye(rows)
    # A random one is the product of all the others and one more. Hypothesis counts what takes more
    # choices as less simple, and can shrink by leaving out the last choice.
    if kind in ("reflection", "random"):
        # I - 2vvᵀ/vᵀv for an integer v: entries are fractions of a small denominator; the identity
        # for v = 0.
        v = draw(_small_integers(rows))
        Q = Q @ (np.eye(rows) - 2 * np.outer(v, v) / max(v @ v, 1))
    if kind in ("signed permutation", "random"):
        columns_signs = draw(signs(rows))
        Q = Q @ (np.eye(rows)[draw(_orders(rows))] * columns_signs)
    if kind == "random":
        uniform, R = np.linalg.qr(np.random.default_rng(draw(SEEDS)).standard_normal((rows, rows)))
        # With a positive diagonal of R it is uniform (Mezzadri 2007).
        Q = Q @ (uniform * np.where(R.diagonal() < 0, -1.0, 1.0))
    return Q[:, :columns]


def orthogonal(
    rows: int, columns: int, *, library: Library = "numpy", dtype: DType = "float64"
) -> SearchStrategy[Any]:
    """Matrices with orthonormal columns, or rows where there are fewer of them: points of the
    Stiefel manifold.

    Shape (rows, columns), orthonormal to some units of roundoff of `dtype`. Columns of the
    identity, of signed permutations, of Householder reflections along small integer vectors, or of
    uniformly random orthogonal matrices; shrinks to the identity. Raises InputError for a size
    below 1, and an unknown library or dtype.
    """
    check_count("rows", rows)
    check_count("columns", columns)
    check_kind(library, dtype)
    return _orthogonal(rows, columns, library, dtype)


@kept
def _orthogonal(rows: int, columns: int, library: Library, dtype: DType) -> SearchStrategy[Any]:
    tall = frames(max(rows, columns), min(rows, columns))
    return tall.map(lambda Q: converted(Q if rows >= columns else Q.T, library, dtype))


def matrices(
    shape: Shape | SearchStrategy[Shape] | None = None,
    *,
    rank: int | None = None,
    spectrum: Sequence[float] | str | None = None,
    norm: float | None = None,
    condition: float | None = None,
    library: Library = "numpy",
    dtype: DType = "float64",
) -> SearchStrategy[Any]:
    """Matrices with a given rank, spectrum, spectral norm or condition number; what is not given is
    drawn.

    The exact spectral norm of what is returned is at most the prescribed one, and less by some
    units of roundoff of `dtype` at most; likewise with the largest singular value of a given
    spectrum. The others are right to some units of roundoff of the largest, so that what has to be
    0 may be as large as that. A matrix with one number in each row and column, to which examples
    shrink, is exact but for the rounding of these numbers toward 0.

    >>> from hypothesis import find
    >>> find(matrices((3, 3), rank=2, norm=2), lambda X: True).tolist()
    [[2.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 0.0]]

    Args:
        shape: rows and columns, or a strategy of such pairs; left out, each is up to 8, or what the
            rest needs.
        rank: how many singular values are not 0.
        spectrum: singular values, of which missing ones are 0; or the name of a kind: ``zero``;
            ``extremal``, all equal to the norm; ``repeated``, in pairs; ``rank-deficient``;
            ``generic``; ``ill-conditioned``, a largest over least of 1e12 (1 to 1e-12 of the norm).
            Any kind if it is left out.
        norm: the spectral norm, positive. Left out, it is from 0.001 to 1000, and the matrix may be
            0.
        condition: the largest over the least singular value, of a matrix of full rank.
        library: ``numpy`` for an ndarray, ``torch`` for a Tensor on the CPU.
        dtype: ``float32`` or ``float64``.

    Raises:
        InputError: for values that are malformed, contradict each other or do not fit the shape. If
            the shape is a strategy, this happens when an example is drawn.

    """
    check_kind(library, dtype)
    wanted = _Wanted(
        rank,
        spectrum if spectrum is None or isinstance(spectrum, str) else tuple(spectrum),
        norm,
        condition,
    )
    wanted.check(dtype)
    if shape is None:
        least = wanted.least_side or 1
        shape = shapes(max(8, least), least=least)
    if not isinstance(shape, SearchStrategy):
        check_shape(shape)
        wanted.check_fit(shape)
        shape = _just(tuple(shape))
    return _matrices(shape, wanted, library, dtype)


def ball(
    shape: Shape, radius: float, *, library: Library = "numpy", dtype: DType = "float64"
) -> SearchStrategy[Any]:
    """Matrices whose exact spectral norm is at most the radius: on the sphere, 0, or inside, of
    every kind of spectrum.

    Of the kinds of `matrices` only ``generic`` ones may lie strictly inside. Shrinks to 0. Raises
    InputError for a malformed shape or radius, and an unknown library or dtype.
    """
    check_kind(library, dtype)
    check_shape(shape)
    check_positive("radius", radius, dtype)
    return _matrices(_just(tuple(shape)), _Wanted(radius=radius), library, dtype)


@kept
@st.composite
def _matrices(
    draw: DrawFn, shape: SearchStrategy[Shape], wanted: "_Wanted", library: Library, dtype: DType
) -> Any:
    rows, columns = draw(shape)
    check_shape((rows, columns))
    wanted.check_fit((rows, columns))
    count = min(rows, columns)
    singular = draw(wanted.singular_values(count))
    U, V = (draw(frames(size, count)) for size in (rows, columns))
    return converted(product(U, singular, V, dtype), library, dtype)


def product(U: np.ndarray, singular: np.ndarray, V: np.ndarray, dtype: DType) -> np.ndarray:
    """U diag(s) Vᵀ in float64, with numbers of `dtype`; its spectral norm is at most the largest of
    s.
    """
    X = (U * singular) @ V.T
    is_exact = all(np.isin(np.abs(Q), (0.0, 1.0)).all() for Q in (U, V))
    return rounded(X if is_exact else X * (1 - margin((len(U), len(V)), dtype)), dtype)


def margin(shape: Shape, dtype: DType = "float64") -> float:
    """More than the relative error in spectral norm of a product of float64 matrices, rounded to
    `dtype` at the end.
    """
    units = 8 * sum(shape) * float(np.finfo(np.float64).eps)
    return (
        units
        if dtype == "float64"
        else units + float(np.finfo(np.float32).eps) * math.sqrt(min(shape))
    )


def rounded(X: np.ndarray, dtype: DType) -> np.ndarray:
    """The matrix with each number rounded toward 0 to one of `dtype`."""
    if dtype == "float64":
        return X
    near = X.astype(np.float32)
    return np.where(
        np.abs(near.astype(np.float64)) > np.abs(X), np.nextafter(near, np.float32(0)), near
    )


def converted(X: np.ndarray, library: Library, dtype: DType) -> Any:
    """A new array or tensor of that dtype."""
    # The sum makes 0 of -0.
    array = np.ascontiguousarray(X + 0.0, dtype=dtype)
    return array if library == "numpy" else torch.from_numpy(array)


class _Wanted(NamedTuple):
    """The properties that `matrices` is asked for, or the radius of a ball."""

    rank: int | None = None
    spectrum: tuple[float, ...] | str | None = None
    norm: float | None = None
    condition: float | None = None
    radius: float | None = None

    def has_any(self, count: int) -> bool:
        """True if there is such a matrix with so many rows or columns, whichever are fewer."""
        kind = self.spectrum
        least = 0 if self.norm is None else 1
        most = count
        if isinstance(kind, tuple):
            return len(kind) <= count
        if kind is not None:
            least = max(least, SPECTRA[kind].least)
            most = {"zero": 0, "rank-deficient": count - 1}.get(kind, count)
        if self.condition is not None:
            least = max(count, 2 if self.condition > 1 else 1)
        return least <= (most if self.rank is None else self.rank) <= most

    @property
    def least_side(self) -> int | None:
        """The smallest number of rows and of columns that such a matrix can have; None where there
        is none.
        """
        most = (
            max(self.rank or 0, len(self.spectrum) if isinstance(self.spectrum, tuple) else 0) + 2
        )
        return next((count for count in range(1, most + 1) if self.has_any(count)), None)

    def check(self, dtype: DType) -> None:
        """Raise InputError for malformed values, and for values that contradict each other at any
        shape.
        """
        given = {
            name: x
            for name in ("norm", "condition", "rank")
            if (x := getattr(self, name)) is not None
        }
        if self.rank is not None and (type(self.rank) is not int or self.rank < 0):
            raise InputError("rank", self.rank, "an integer from 0 on")
        if self.norm is not None:
            check_positive("norm", self.norm, dtype)
        most = 1e-3 / float(np.finfo(dtype).eps)
        if self.condition is not None and not 1 <= self.condition <= most:
            raise InputError(
                "condition",
                self.condition,
                f"from 1 to {most:.3g}, which {dtype} can tell from infinity",
            )
        if isinstance(self.spectrum, tuple):
            if given:
                raise InputError(
                    *given.popitem(), "none beside singular values, which determine it"
                )
            if not all(
                isinstance(x, int | float) and 0 <= x <= np.finfo(dtype).max for x in self.spectrum
            ):
                raise InputError(
                    "spectrum",
                    self.spectrum,
                    f"singular values, which are 0 or more and within {dtype}",
                )
        elif self.spectrum is not None and self.spectrum not in SPECTRA:
            raise InputError(
                "spectrum", self.spectrum, f"singular values, or one of {', '.join(SPECTRA)}"
            )
        elif self.spectrum is not None and self.condition is not None:
            raise InputError("condition", self.condition, "none beside a kind of spectrum")
        if self.least_side is None:
            # It contradicts the rest if there are such matrices without it.
            name = next(name for name in given if self._replace(**{name: None}).least_side)
            raise InputError(name, given[name], "one that a matrix with all the rest has")

    def check_fit(self, shape: Shape) -> None:
        """Raise InputError for a shape that has no such matrix."""
        if not self.has_any(min(shape)):
            raise InputError("shape", tuple(shape), "one of a matrix with all that is prescribed")

    def singular_values(self, count: int) -> SearchStrategy[np.ndarray]:
        """`count` singular values, decreasing."""
        if self.radius is not None:
            return spectra_in_ball(count, self.radius)
        if isinstance(self.spectrum, tuple):
            values = sorted(map(float, self.spectrum), reverse=True)
            return st.just(np.array(values + [0.0] * (count - len(values))))
        if self.condition is not None:
            relative = of_condition(count, float(self.condition))
        else:
            relative = relative_spectra(count, self.rank, self.spectrum)
            if self.norm is None and self.rank is None and self.spectrum is None:
                relative = st.just(np.zeros(count)) | relative
        sizes = SIZES if self.norm is None else st.just(float(self.norm))
        return st.builds(lambda size, values: size * values, sizes, relative)


# Points.


def _replicated(one: SearchStrategy[tuple[Tensor, ...]], replicas: int) -> SearchStrategy[Point]:
    """A strategy for `replicas` points, stacked over a leading dimension."""
    check_count("replicas", replicas)
    several = st.lists(one, min_size=replicas, max_size=replicas)
    return several.map(
        lambda drawn: tuple(torch.stack(parts) for parts in zip(*drawn, strict=True))
    )


# Entries relative to the largest one, of a vector that scales rows or columns; the simplest first.
VECTORS: dict[str, Callable[[int], SearchStrategy[np.ndarray]]] = {
    "zero": lambda count: st.just(np.zeros(count)),
    "one entry": lambda count: st.integers(0, count - 1).map(lambda i: np.eye(count)[i]),
    "extremal": signs,
    "generic": lambda count: SEEDS.map(
        lambda seed: np.random.default_rng(seed).uniform(-1, 1, count)
    ),
    "ill-conditioned": lambda count: st.just(np.logspace(0, -12, count)),
}


def domain_points(adapter: Adapter, radii: Radii, replicas: int = 1) -> SearchStrategy[Point]:
    """Points of the domain of an adapter, float64, a tensor of shape (R, rows, columns) for each
    block.

    Either all blocks of a point are at their radius, with all singular values or entries, or each
    is drawn by itself: from `ball`, or a vector that is 0, has one entry, or is of any size up to
    the radius. Blocks with orthonormal rows are from `orthogonal`. Shrinks to the radius times
    columns of the identity, or 1 in place of each entry. Raises InputError for radii that are
    missing or not positive, and for replicas below 1.
    """
    for name in adapter.radius_names:
        if name not in radii:
            raise InputError(
                "radii", sorted(radii), f"a radius for each of {', '.join(adapter.radius_names)}"
            )
        check_positive(f"radii.{name}", radii[name])

    def part_of(block: Block, extremal: bool) -> SearchStrategy[Tensor]:
        rows, columns = block.shape
        if block.norm == "orthonormal":
            return orthogonal(rows, columns, library="torch")
        radius = radii[block.radius]
        if block.norm == "max":
            kinds = choice(("extremal",) if extremal else tuple(VECTORS))
            entries = kinds.flatmap(lambda kind: VECTORS[kind](rows * columns))
            return entries.map(lambda x: torch.from_numpy(radius * x.reshape(block.shape)))
        if extremal:
            return matrices(block.shape, spectrum="extremal", norm=radius, library="torch")
        return ball(block.shape, radius, library="torch")

    @st.composite
    def drawn(draw: DrawFn) -> Point:
        extremal = draw(st.booleans())
        parts = [draw(part_of(block, extremal)) for block in adapter.blocks]
        v = adapter.inward(adapter.at(tuple(part.unsqueeze(0) for part in parts)), radii, 0.0)
        return tuple(part[0] for part in v)

    return _replicated(drawn(), replicas)


def directions(adapter: Adapter, replicas: int = 1) -> SearchStrategy[Point]:
    """Directions in which a point may move, before any projection: blocks from `ball` of radius 1,
    float64.

    Raises InputError for replicas below 1.
    """
    return _replicated(
        st.tuples(*(ball(block.shape, 1.0, library="torch") for block in adapter.blocks)), replicas
    )
