"""Strategies for matrices: of a given rank, spectrum, spectral norm or condition number, in a ball, or orthogonal.

A matrix is U diag(s) Vᵀ. The singular vectors are columns of the identity, of signed permutations, of Householder
reflections along small integer vectors or of random orthogonal matrices, in this order: a failing example shrinks to a
diagonal matrix of few different numbers, unless only others fail. No global random generator is used.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import hypothesis.strategies as st
import numpy as np
import torch
from hypothesis.strategies import DrawFn, SearchStrategy

from boundcheck.errors import InputError
from boundcheck.properties.strategies.spectra import (
    SEEDS,
    SIZES,
    SPECTRA,
    choice,
    kept,
    of_condition,
    relative_spectra,
    signs,
    spectra_in_ball,
)

Shape: TypeAlias = tuple[int, int]
Library: TypeAlias = Literal["numpy", "torch"]
DType: TypeAlias = Literal["float32", "float64"]

_just = kept(st.just)


def shapes(largest: int = 8, *, least: int = 1) -> SearchStrategy[Shape]:
    """Rows and columns, each from `least` to `largest`; shrinks to the least.

    Raises:
        InputError: for sizes that are not 1 <= least <= largest.

    """
    check_size("least", least)
    if not (isinstance(largest, int) and largest >= least):
        raise InputError("largest", largest, f"an integer from least = {least} on")
    return st.tuples(st.integers(least, largest), st.integers(least, largest))


_orders = kept(lambda size: st.permutations(range(size)))
_small_integers = kept(lambda size: st.lists(st.integers(-2, 2), min_size=size, max_size=size).map(np.array))


@kept
@st.composite
def _signed_permutations(draw: DrawFn, size: int) -> np.ndarray:
    columns = draw(signs(size))
    return np.eye(size)[draw(_orders(size))] * columns


@kept
@st.composite
def _reflections(draw: DrawFn, size: int) -> np.ndarray:
    """I - 2vvᵀ/vᵀv for an integer v: entries are fractions of a small denominator; the identity for v = 0."""
    v = draw(_small_integers(size))
    return np.eye(size) - 2 * np.outer(v, v) / max(v @ v, 1)


@kept
@st.composite
def frames(draw: DrawFn, rows: int, columns: int) -> np.ndarray:
    """The first columns, at most all of them, of an orthogonal matrix of one of four kinds; float64."""
    kind = draw(choice(("identity", "signed permutation", "reflection", "random")))
    Q = np.eye(rows)
    # A random one is the product of all the others and one more. Hypothesis counts what takes more choices as less
    # simple, and can shrink by leaving out the last choice.
    if kind in ("reflection", "random"):
        Q = Q @ draw(_reflections(rows))
    if kind in ("signed permutation", "random"):
        Q = Q @ draw(_signed_permutations(rows))
    if kind == "random":
        Q = Q @ _haar(rows, draw(SEEDS))
    return Q[:, :columns]


def _haar(size: int, seed: int) -> np.ndarray:
    Q, R = np.linalg.qr(np.random.default_rng(seed).standard_normal((size, size)))
    # With a positive diagonal of R, Q is uniform (Mezzadri 2007).
    return Q * np.where(R.diagonal() < 0, -1.0, 1.0)


def orthogonal(rows: int, columns: int, *, library: Library = "numpy", dtype: DType = "float64") -> SearchStrategy[Any]:
    """Matrices with orthonormal columns, or rows where there are fewer of them: points of the Stiefel manifold.

    Shape (rows, columns), orthonormal to some units of roundoff of `dtype`. Columns of the identity, of signed
    permutations, of Householder reflections along small integer vectors, or of uniformly random orthogonal matrices;
    shrinks to the identity.

    Raises:
        InputError: for a size below 1, and an unknown library or dtype.

    """
    check_size("rows", rows)
    check_size("columns", columns)
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
    """Matrices with a given rank, spectrum, spectral norm or condition number; what is not given is drawn.

    The exact spectral norm of what is returned is at most the prescribed one, and less by some units of roundoff of
    `dtype` at most; likewise with the largest singular value of a given spectrum. The others are right to some units of
    roundoff of the largest, so that what has to be 0 may be as large as that. A matrix with one number in each row and
    column, to which examples shrink, is exact but for the rounding of these numbers toward 0.

    >>> from hypothesis import find
    >>> find(matrices((3, 3), rank=2, norm=2), lambda X: True).tolist()
    [[2.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 0.0]]

    Args:
        shape: rows and columns, or a strategy of such pairs; left out, each is up to 8, or what the rest needs.
        rank: how many singular values are not 0.
        spectrum: singular values, of which missing ones are 0; or the name of a kind: ``zero``; ``extremal``, all equal
            to the norm; ``repeated``, in pairs; ``rank-deficient``; ``generic``; ``ill-conditioned``, a largest over
            least of 1e12 (1 to 1e-12 of the norm). Any kind if it is left out.
        norm: the spectral norm, positive. Left out, it is from 0.001 to 1000, and the matrix may be 0.
        condition: the largest over the least singular value, of a matrix of full rank.
        library: ``numpy`` for an ndarray, ``torch`` for a Tensor on the CPU.
        dtype: ``float32`` or ``float64``.

    Raises:
        InputError: for values that are malformed, contradict each other or do not fit the shape. If the shape is a
            strategy, this happens when an example is drawn.

    """
    check_kind(library, dtype)
    wanted = _Wanted(
        rank, spectrum if spectrum is None or isinstance(spectrum, str) else tuple(spectrum), norm, condition
    )
    wanted.check(dtype)
    if shape is None:
        shape = shapes(max(8, wanted.least_side), least=wanted.least_side)
    if not isinstance(shape, SearchStrategy):
        check_shape(shape)
        wanted.check_fit(shape)
        shape = _just(tuple(shape))
    return _matrices(shape, wanted, library, dtype)


def ball(shape: Shape, radius: float, *, library: Library = "numpy", dtype: DType = "float64") -> SearchStrategy[Any]:
    """Matrices whose exact spectral norm is at most the radius: on the sphere, 0, or inside, of every kind of spectrum.

    Of the kinds of `matrices` only ``generic`` ones may lie strictly inside. Shrinks to 0.

    Raises:
        InputError: for a malformed shape or radius, and an unknown library or dtype.

    """
    check_kind(library, dtype)
    check_shape(shape)
    check_positive("radius", radius, dtype)
    return _in_ball(tuple(shape), radius, library, dtype)


@kept
@st.composite
def _in_ball(draw: DrawFn, shape: Shape, radius: float, library: Library, dtype: DType) -> Any:
    singular = draw(spectra_in_ball(min(shape), radius))
    return converted(draw(with_spectrum(shape, singular, dtype)), library, dtype)


@kept
@st.composite
def _matrices(draw: DrawFn, shape: SearchStrategy[Shape], wanted: "_Wanted", library: Library, dtype: DType) -> Any:
    rows, columns = draw(shape)
    check_shape((rows, columns))
    wanted.check_fit((rows, columns))
    singular = draw(wanted.singular_values(min(rows, columns)))
    return converted(draw(with_spectrum((rows, columns), singular, dtype)), library, dtype)


@st.composite
def with_spectrum(draw: DrawFn, shape: Shape, singular: np.ndarray, dtype: DType) -> np.ndarray:
    """U diag(s) Vᵀ for given singular values, min(shape) of them, rounded so that none grows beyond the largest."""
    U, V = (draw(frames(size, min(shape))) for size in shape)
    return product(U, singular, V, dtype)


def product(U: np.ndarray, singular: np.ndarray, V: np.ndarray, dtype: DType) -> np.ndarray:
    """U diag(s) Vᵀ in float64, with numbers of `dtype`; its spectral norm is at most the largest of s."""
    X = (U * singular) @ V.T
    is_exact = all(np.isin(np.abs(Q), (0.0, 1.0)).all() for Q in (U, V))
    return rounded(X if is_exact else X * (1 - margin((len(U), len(V)), dtype)), dtype)


def margin(shape: Shape, dtype: DType) -> float:
    """More than the relative error in spectral norm of a product of float64 matrices, rounded to `dtype` at the end."""
    units = 8 * sum(shape) * float(np.finfo(np.float64).eps)
    return units if dtype == "float64" else units + float(np.finfo(np.float32).eps) * math.sqrt(min(shape))


def rounded(X: np.ndarray, dtype: DType) -> np.ndarray:
    """The matrix with each number rounded toward 0 to one of `dtype`."""
    if dtype == "float64":
        return X
    near = X.astype(np.float32)
    return np.where(np.abs(near.astype(np.float64)) > np.abs(X), np.nextafter(near, np.float32(0)), near)


def converted(X: np.ndarray, library: Library, dtype: DType) -> Any:
    """A new array or tensor of that dtype."""
    # The sum makes 0 of -0.
    array = np.ascontiguousarray(X + 0.0, dtype=dtype)
    return array if library == "numpy" else torch.from_numpy(array)


@dataclass(frozen=True)
class _Wanted:
    """The properties that `matrices` is asked for."""

    rank: int | None
    spectrum: tuple[float, ...] | str | None
    norm: float | None
    condition: float | None

    @property
    def least_side(self) -> int:
        """The smallest number of rows and of columns that such a matrix can have."""
        if isinstance(self.spectrum, tuple):
            return max(len(self.spectrum), 1)
        needed = SPECTRA[self.spectrum].least if self.spectrum else 1
        if self.spectrum == "rank-deficient":
            needed = (self.rank or 1) + 1
        return max(needed, self.rank or 1, 2 if (self.condition or 1) > 1 else 1)

    def check(self, dtype: DType) -> None:
        """Raise InputError for malformed values, and for values that contradict each other at any shape."""
        if self.rank is not None and (isinstance(self.rank, bool) or not isinstance(self.rank, int) or self.rank < 0):
            raise InputError("rank", self.rank, "an integer from 0 on")
        if self.norm is not None:
            check_positive("norm", self.norm, dtype)
        if isinstance(self.spectrum, tuple):
            self._check_numbers(self.spectrum, dtype)
        elif self.spectrum is not None:
            self._check_kind(self.spectrum)
        if self.norm is not None and (self.rank == 0 or self.spectrum == "zero"):
            raise InputError("norm", self.norm, "none: the matrix is 0")
        if self.condition is not None:
            self._check_condition(self.condition, dtype)

    def _check_numbers(self, spectrum: tuple[float, ...], dtype: DType) -> None:
        for name in ("rank", "norm", "condition"):
            if getattr(self, name) is not None:
                raise InputError(name, getattr(self, name), "none beside singular values, which determine it")
        for value in spectrum:
            if not (isinstance(value, int | float) and 0 <= value <= np.finfo(dtype).max):
                raise InputError("spectrum", spectrum, f"singular values, which are 0 or more and within {dtype}")

    def _check_kind(self, kind: str) -> None:
        if kind not in SPECTRA:
            raise InputError("spectrum", kind, f"singular values, or one of {', '.join(SPECTRA)}")
        if self.condition is not None:
            raise InputError("condition", self.condition, "none beside a kind of spectrum")
        if self.rank is not None and (self.rank > 0 if kind == "zero" else self.rank < SPECTRA[kind].least):
            expected = "0" if kind == "zero" else f"at least {SPECTRA[kind].least}"
            raise InputError("rank", self.rank, f"{expected}, for a spectrum that is {kind}")

    def _check_condition(self, condition: float, dtype: DType) -> None:
        most = 1e-3 / float(np.finfo(dtype).eps)
        if not 1 <= condition <= most:
            raise InputError("condition", condition, f"from 1 to {most:.3g}, which {dtype} can tell from infinity")
        if self.rank == 0 or (self.rank == 1 and condition > 1):
            raise InputError("condition", condition, "1" if self.rank else "none: the matrix is 0")

    def check_fit(self, shape: Shape) -> None:
        """Raise InputError for a shape that has no such matrix."""
        count = min(shape)
        if count < self.least_side:
            raise InputError("shape", shape, f"at least {self.least_side} rows and columns, for what is prescribed")
        if self.condition is not None and self.rank is not None and self.rank < count:
            raise InputError("rank", self.rank, f"{count}, for a condition number that is finite")

    def singular_values(self, count: int) -> SearchStrategy[np.ndarray]:
        """`count` singular values, decreasing."""
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


def check_kind(library: str, dtype: str) -> None:
    """Raise InputError for an unknown library or dtype."""
    for field, value, known in (("library", library, get_args(Library)), ("dtype", dtype, get_args(DType))):
        if value not in known:
            raise InputError(field, value, " or ".join(known))


def check_shape(shape: Shape) -> None:
    """Raise InputError unless the shape is two positive integers."""
    if not (isinstance(shape, tuple | list) and len(shape) == 2):
        raise InputError("shape", shape, "rows and columns")
    for size in shape:
        check_size("shape", size)


def check_size(field: str, size: int) -> None:
    """Raise InputError unless the size is a positive integer."""
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise InputError(field, size, "a positive integer")


def check_positive(field: str, value: float, dtype: DType = "float64") -> None:
    """Raise InputError unless the value is positive and within the range of the dtype."""
    limits = np.finfo(dtype)
    if not float(limits.tiny) <= value <= float(limits.max):
        raise InputError(field, value, f"a positive real within the range of {dtype}")
