"""`Adapter`: a reparametrisation W(v), its derivative, its domain, and the claims that bound F's
smoothness on it.

A point v is a tuple of blocks, batched over replicas. Each block has a norm of its own and a radius
for it; together they make the convex domain on which the theory speaks (for LoReFT, a manifold
times a convex set).
"""

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, ClassVar, Literal, NamedTuple, TypeVar

import numpy as np
import sympy as sp
import torch
from flint import arb, ctx
from torch import Tensor

from boundcheck.errors import InputError
from boundcheck.exact.balls import upper
from boundcheck.functions.arithmetic import (
    ROUND_UP,
    Point,
    euclidean_norm,
    moved,
    spectral_norm,
)
from boundcheck.functions.data import largest_gram_eigenvalue
from boundcheck.functions.objective import Objective, Side
from boundcheck.language.catalogue import catalogue, claims_about
from boundcheck.language.claim import Claim
from boundcheck.language.symbols import G, J, L, Lhat, exact
from boundcheck.system.plugins import is_ours

Radii = Mapping[str, float]
"""The radius of each norm that bounds the domain, by its name in a spec: ``a`` for A, ``b`` for B,
and so on."""

# Points are drawn inside by more than the rounding errors of the products that make them.
_INSIDE = 1 - 1e-13
Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Block:
    """A block of v: its name, its shape without the replicas, its norm, and the name of the radius
    that bounds it.

    ``spectral`` is the largest singular value, ``max`` the largest absolute entry (of a vector that
    scales rows or columns, the spectral norm of its diagonal matrix), ``orthonormal`` a matrix with
    orthonormal rows and no radius.
    """

    name: str
    shape: tuple[int, int]
    norm: Literal["spectral", "max", "orthonormal"]
    radius: str = ""

    def size(self, part: Tensor) -> Tensor:
        """The norm of each matrix, shape (R,); of an orthonormal one, its distance from being
        so.
        """
        if self.norm == "max":
            return part.abs().amax((-2, -1))
        if self.norm == "orthonormal":
            identity = torch.eye(self.shape[0], dtype=part.dtype, device=part.device)
            return spectral_norm(part @ part.mT - identity)
        return spectral_norm(part)

    def projected(self, part: Tensor, radii: Radii) -> Tensor:
        """The nearest matrix of the domain: singular values or entries cut, or rows made
        orthonormal.
        """
        if self.norm == "max":
            return part.clamp(-radii[self.radius], radii[self.radius])
        U, S, Vh = torch.linalg.svd(part, full_matrices=False)
        if self.norm == "orthonormal":
            return U @ Vh
        limit = radii[self.radius]
        # What is inside already stays as it is, to the last bit.
        inside = (spectral_norm(part) <= limit)[:, None, None]
        return torch.where(inside, part, (U * S.clamp(max=limit * _INSIDE).unsqueeze(-2)) @ Vh)

    def extreme(self, part: Tensor, radii: Radii) -> Tensor:
        """The matrix of the domain at which a linear function with this gradient is largest."""
        if self.norm == "max":
            return radii[self.radius] * part.sign()
        U, _, Vh = torch.linalg.svd(part, full_matrices=False)
        return U @ Vh if self.norm == "orthonormal" else radii[self.radius] * _INSIDE * (U @ Vh)

    def drawn(self, radii: Radii, count: int, generator: torch.Generator) -> Tensor:
        """Random matrices of the domain; in every other one all singular values or entries are at
        their radius.
        """
        uniform = partial(
            torch.rand, generator=generator, dtype=torch.float64, device=generator.device
        )
        if self.norm == "max":
            part = 2 * uniform((count, *self.shape)) - 1
            part[::2] = part[::2].sign()
            return radii[self.radius] * part
        normal = torch.randn(
            (count, *self.shape), generator=generator, dtype=torch.float64, device=generator.device
        )
        U, _, Vh = torch.linalg.svd(normal, full_matrices=False)
        if self.norm == "orthonormal":
            return U @ Vh
        S = uniform((count, U.shape[-1]))
        S[::2] = 1
        return radii[self.radius] * _INSIDE * (U * S.unsqueeze(-2)) @ Vh


class Sizes(NamedTuple):
    """The sizes that the rounding errors of an adapter's arithmetic are proportional to, each
    tensor of shape (R,).

    W(v) is right to within ``terms`` units of roundoff of ``weight``. The pull-back of M is right
    to within as many units of roundoff as W has rows and columns, of ``products`` times
    ``jacobian`` times the norm of M. ``jacobian`` bounds the pull-back's norm as well.
    """

    terms: int
    weight: Tensor
    jacobian: Tensor
    products: Tensor | float = 1.0


class _OfPapers:
    """What papers say of a kind of adapter whose class says nothing itself: its claims, or the
    composition lemma.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, adapter: "Adapter | None", of: type["Adapter"]) -> Any:
        if self._name == "claims":
            return claims_about(of.kind)
        if not of.claims:
            raise AttributeError(f"no claim about {of.__name__} is known")
        return next((id for id in of.claims if J.name in catalogue[id].names), of.claims[-1])


@dataclass(frozen=True)
class Adapter(ABC):
    """W(v) around a frozen W0, shape (d, k).

    Attributes:
        kind: its name in a spec; one from outside gets it when it is opened.
        title: what figures call it.
        claims: ids of the claims that bound the smoothness of F on its domain, the sharpest first;
            of a class that names none, those that papers say are about its kind.
        composition: the one of them that derives J, whose L̂ is LJ² + GH, or the last where none
            does.
        radius_names: the radii that make the domain, in the order of the blocks.
        radius_of: of which norm each radius is, as figures say it.
        noise_at_start: the powers of s and r with which the variance of the noise goes, in the mean
            over the adapter's own start, and a formula that says so; None where none is known.
        frozen: the claims' parameter that bounds each frozen matrix, by the name of its field.
        options: what a spec may choose of it: its ``rank``, the ``scale`` s of its formula, a
            ``diagonal`` start.
        needs_ball: whether W has a bounded derivative on a ball alone.
        edits_hidden: whether it edits a hidden state h, by W [h; 1], and not the weight of a layer.
        needs_columns: whether W0 must have no column of zeros.
        is_run: whether theorems about an algorithm are run on it: all radii bound spectral norms,
            one of each block.
        is_linear: whether W is an affine function of v, so that F is convex, or smooth on all of
            space, where f is.
        starting: radii to begin a search with where 1 is no choice.
        is_isometry: whether it keeps distances, so that F is as strongly convex as f.
        W0: the frozen weight.

    Kinds have, of these fields, rank: r, at most min(d, k); scale: s > 0; A and B: frozen, (r, k)
    and (d, r).

    """

    kind: ClassVar[str] = ""
    title: ClassVar[str]
    claims: ClassVar[tuple[str, ...]] = _OfPapers()  # type: ignore[assignment]
    composition: ClassVar[str] = _OfPapers()  # type: ignore[assignment]
    radius_names: ClassVar[tuple[str, ...]]
    radius_of: ClassVar[Mapping[str, str]] = {}
    noise_at_start: ClassVar[tuple[int, int, str] | None] = None
    frozen: ClassVar[Mapping[str, str]] = {}
    options: ClassVar[tuple[str, ...]] = ("rank", "scale")
    needs_ball: ClassVar[bool] = False
    edits_hidden: ClassVar[bool] = False
    needs_columns: ClassVar[bool] = False
    is_run: ClassVar[bool] = False
    is_linear: ClassVar[bool] = False
    is_isometry: ClassVar[bool] = False
    starting: ClassVar[Mapping[str, float]] = {}
    W0: Tensor

    def __post_init__(self) -> None:
        """Refuse a W0 that is not a finite matrix, and a rank, scale or frozen A or B that does not
        fit it.
        """
        given = {each.name: getattr(self, each.name) for each in fields(self)}
        matrices = {name: given[name] for name in ("W0", *(x for x in "AB" if x in self.frozen))}
        for name, X in matrices.items():
            if X.ndim != 2 or not torch.isfinite((X * X).sum()):
                raise InputError(
                    f"adapter.{name}",
                    f"of shape {tuple(X.shape)}",
                    "a matrix of finite numbers, whose squares are finite",
                )
        if "rank" in given:
            check_rank(given["rank"], self.W0)
        if len(matrices) > 1:
            d, k = self.W0.shape
            rank = len(matrices["A"]) if "A" in matrices else matrices["B"].shape[1]
            check_rank(rank, self.W0)
            for name, shape in (("A", (rank, k)), ("B", (d, rank))):
                if name in matrices and tuple(found := matrices[name].shape) != shape:
                    raise InputError(
                        f"adapter.{name}", f"of shape {tuple(found)}", f"shape {shape}"
                    )
        if "scale" in given and not 0 < given["scale"] < math.inf:
            raise InputError("adapter.scale", given["scale"], "a positive real")

    @classmethod
    def is_subject_of(cls, claim: Claim) -> bool:
        """True if a claim bounds the smoothness of F on this adapter's domain."""
        return any(catalogue[id].id == claim.id for id in cls.claims)

    @classmethod
    def conditions(cls) -> tuple[sp.Basic, ...]:
        """The conditions on its constants under which, by its claims, W has bounded derivatives."""
        return catalogue[cls.composition].conditions if cls.claims else ()

    @property
    def given(self) -> tuple[str, ...]:
        """Its claims that are nobody's theorems: those with only an argument, and all of an adapter
        from outside.

        That a theorem is about an adapter from outside is only that adapter's own word.
        """
        named = dict.fromkeys((*self.claims, *((self.composition,) if self.claims else ())))
        said = (catalogue[id] for id in named)
        return tuple(dict.fromkeys(each.id for each in said if each.argument or not is_ours(self)))

    @property
    def size(self) -> int:
        """The number of entries of v."""
        return sum(math.prod(block.shape) for block in self.blocks)

    @property
    @abstractmethod
    def blocks(self) -> tuple[Block, ...]:
        """The blocks of v, in order."""

    @abstractmethod
    def weight(self, v: Point) -> Tensor:
        """W(v), shape (R, d, k). Written so that arrays of exact numbers can take the place of
        tensors.
        """

    @abstractmethod
    def pull_back(self, v: Point, gradient: Tensor) -> Point:
        """The gradient in v of f(W(v)) from that in W, shape (R, d, k): the adjoint of DW(v)."""

    @property
    def scale_of_factors(self) -> float | None:
        """The scale s if v = (A, B) and W(v) = W0 + sBA, for loops that are written for this case;
        else None.
        """
        return None

    def pull_back_outer(self, v: Point, outputs: Tensor, inputs: Tensor) -> Point:
        r"""The gradients in v of samples whose gradients in W are :math:`M_i = G_i^\top X_i`, shape
        (R, ...).

        This is the case for a layer y = W x: over the positions of sample i, the rows of G_i are
        the gradients in y, and those of X_i are x.

        Args:
            v: a single point, R = 1.
            outputs: the G_i, shape (R, positions, d).
            inputs: the X_i, shape (R, positions, k).

        """
        return self.pull_back(
            tuple(part.expand(len(outputs), -1, -1) for part in v), outputs.mT @ inputs
        )

    def sides(self, v: Point) -> tuple[Side, ...] | None:
        r"""The products :math:`PMQ` that the pull-back of M consists of, block by block; None if it
        has another form.

        With them the norm of a sample's gradient in v is found without the gradient.
        """
        return None

    @abstractmethod
    def initial(self, gain: float, generator: torch.Generator) -> Point:
        """The point where training starts, with R = 1."""

    def diagonal(self, gain: float) -> Point:
        """A start with `gain` on the diagonals, for an adapter that has one."""
        raise InputError("adapter.start", "diagonal", f"lora, for {self.title}")

    def restart(self, v: Point, gain: float, generator: torch.Generator) -> Point:
        """A new random point for each replica, whose W is that of v; for an adapter whose base
        moves.
        """
        raise InputError(
            "adapter.kind", self.title, "an adapter whose base moves, so that it can begin again"
        )

    @abstractmethod
    def constants(self, radii: Radii) -> dict[str, float]:
        """The values that the parameters of its claims have on the domain; upper bounds are rounded
        up.
        """

    @abstractmethod
    def sizes(self, v: Point) -> Sizes:
        """The sizes of the terms from which W(v) and the pull-back are computed."""

    @abstractmethod
    def reach(self, radii: Radii) -> float:
        r"""An upper bound on :math:`\|W(v) - W_0\|_F` over the domain."""

    def tangent(self, v: Point, u: Point) -> Point:
        """The projection of u onto the directions in which v can move: u itself unless the domain
        is curved.
        """
        return u

    def acceleration(self, v: Point, u: Point) -> Point:
        """The second derivative of the geodesic that leaves v along the tangent u: 0 unless the
        domain is curved.
        """
        return tuple(0 * part for part in u)

    def unit(self, v: Point, u: Point) -> Point:
        """The tangent part of u at v over its length; one of length 0 stays 0."""
        u = self.tangent(v, u)
        length = euclidean_norm(u)
        return tuple(part / length.where(length > 0, 1.0)[:, None, None] for part in u)

    def retract(self, v: Point, u: Point) -> Point:
        """The point reached from v by a step u."""
        return moved(v, u)

    @property
    def is_curved(self) -> bool:
        """True if the domain is a manifold, on which gradients at two points cannot be
        subtracted.
        """
        return any(block.norm == "orthonormal" for block in self.blocks)

    @property
    def is_flat(self) -> bool:
        """True if the domain is a convex set of a vector space, in which a step leads from v to the
        sum v + u.
        """
        return not self.is_curved

    def jacobian_bound(self, radii: Radii) -> float:
        r"""J with :math:`\|DW(v)\| \le J` on the domain: the root of the composition lemma's L̂ at
        L = 1, G = 0.

        Infinity where the lemma's conditions fail, as DoRA's do where a column may vanish.
        """
        claim = catalogue[self.composition]
        values = self.constants(radii) | {L.name: 1.0, G.name: 0.0}
        # G = 0 is a limit: no condition is about it.
        known = {p.symbol: exact(p.name, values[p.name] or 1.0) for p in claim.parameters}
        if claim.failing(known):
            return math.inf
        # NumPy's floats, which overflow to infinity where Python's raise.
        with np.errstate(over="ignore"):
            square = float(
                claim.function(Lhat.name)(
                    **{p.name: np.float64(values[p.name]) for p in claim.parameters}
                )
            )
        return math.sqrt(square) * ROUND_UP

    def factor_sizes(self, v: Point, gradient: Tensor) -> tuple[Tensor, Tensor]:
        """`Function.factor_sizes`, computed from the gradient in W."""
        raise InputError(
            "adapter.kind", self.kind, "one whose W is W0 + sBA with both factors trained"
        )

    def bounded(self, v: Point) -> Point:
        """The matrices that the domain bounds, one for each block: v itself, unless v has other
        coordinates.

        Written so that arrays of exact numbers can take the place of tensors.
        """
        return v

    def at(self, bounded: Point) -> Point:
        """The point v whose `bounded` these are."""
        return bounded

    def norms(self, v: Point) -> Tensor:
        """The norm of each block, shape (blocks, R); of an orthonormal one, its distance from being
        so.
        """
        return torch.stack(
            [block.size(part) for block, part in zip(self.blocks, self.bounded(v), strict=True)]
        )

    def inside(self, v: Point, radii: Radii) -> Tensor:
        """True where a point is in the domain as computed, shape (R,)."""
        limits = [radii[block.radius] if block.radius else 1e-9 for block in self.blocks]
        norms = self.norms(v)
        return (norms <= norms.new_tensor(limits).unsqueeze(1)).all(0)

    def project(self, v: Point, radii: Radii) -> Point:
        """The point of the domain that is nearest in `bounded`: singular values or entries cut,
        rows orthonormal.
        """
        parts = zip(self.blocks, self.bounded(v), strict=True)
        return self._placed((block.projected(part, radii) for block, part in parts), radii)

    def inward(self, v: Point, radii: Radii, share: float) -> Point:
        """The point v with norms smaller by this share, or by more where v is rounded beside larger
        numbers.
        """
        parts = zip(self.blocks, self.bounded(v), strict=True)
        return self.at(
            tuple(
                part if block.norm == "orthonormal" else (1 - share) * part for block, part in parts
            )
        )

    def extreme(self, gradient: Point, radii: Radii) -> Point:
        """The point of the domain at which a linear function with this gradient is largest."""
        parts = zip(self.blocks, gradient, strict=True)
        return self._placed((block.extreme(part, radii) for block, part in parts), radii)

    def draw(self, radii: Radii, count: int, generator: torch.Generator) -> Point:
        """Random points of the domain; in every other one all singular values or entries are at
        their radius.
        """
        return self._placed((block.drawn(radii, count, generator) for block in self.blocks), radii)

    def _placed(self, bounded: Iterable[Tensor], radii: Radii) -> Point:
        return self.inward(self.at(tuple(bounded)), radii, 0.0)

    def check(self, v: Point, radii: Radii | None = None, name: str = "v") -> None:
        """Refuse a point of another shape, with a number that is not finite, or outside a domain
        that is given.

        Raises InputError naming the point and its block.
        """
        if len(v) != len(self.blocks):
            raise InputError(
                name, f"{len(v)} blocks", " and ".join(block.name for block in self.blocks)
            )
        missing = next(
            (each for each in self.radius_names if radii is not None and each not in radii), None
        )
        if missing is not None:
            raise InputError(
                f"radii.{missing}", "(not given)", "a radius for each block of the adapter"
            )
        replicas = len(v[0]) if v[0].ndim else 0
        for block, part in zip(self.blocks, v, strict=True):
            field = f"{name}.{block.name}"
            if replicas == 0 or tuple(part.shape) != (replicas, *block.shape):
                rows, columns = block.shape
                raise InputError(
                    field,
                    f"of shape {tuple(part.shape)}",
                    f"shape (R, {rows}, {columns}), with the same R >= 1 in each block",
                )
            if not torch.isfinite(part).all():
                raise InputError(field, "with NaN or an infinity", "finite numbers")
        if radii is None:
            return
        for block, norm in zip(self.blocks, self.norms(v).amax(1).tolist(), strict=True):
            field = f"{name}.{block.name}"
            if block.norm == "orthonormal":
                if norm > 1e-9:
                    raise InputError(
                        field, f"with rows {norm:.3g} from orthonormal", "orthonormal rows"
                    )
            elif norm > radii[block.radius] * (1 + 1e-12):
                raise InputError(
                    field,
                    f"of {block.norm} norm {norm:.12g}",
                    f"at most {block.radius} = {radii[block.radius]:.12g}, the radius of the ball",
                )


def check_rank(rank: int, W0: Tensor) -> None:
    """Refuse a rank that is not an integer from 1 to min(d, k)."""
    if type(rank) is not int or not 1 <= rank <= min(W0.shape):
        raise InputError("adapter.rank", rank, f"an integer from 1 to min(d, k) = {min(W0.shape)}")


def gaussian(shape: tuple[int, int], size: float, generator: torch.Generator) -> Tensor:
    """A matrix of independent Gaussian entries of standard deviation `size`, with R = 1."""
    return size * torch.randn(
        (1, *shape), generator=generator, dtype=torch.float64, device=generator.device
    )


def spectral_bound(X: Tensor) -> float:
    """A certified upper bound on the spectral norm of a fixed matrix, with Arb."""
    matrix = X if X.shape[0] >= X.shape[1] else X.mT
    with ctx.workprec(128):
        return upper(arb(largest_gram_eigenvalue(matrix.cpu().numpy())).sqrt())


size = torch.linalg.matrix_norm
"""The Frobenius norm, of one matrix or of each in a batch."""


def with_frozen(adapter: Adapter, frozen: Mapping[str, Any]) -> Adapter:
    """A copy of the adapter with these frozen matrices: a batch of them, or exact numbers; its
    formulas accept both.
    """
    made = copy.copy(adapter)
    for name, X in frozen.items():
        object.__setattr__(made, name, X)
    return made


def cast_to(thing: Thing, dtype: torch.dtype, device: str) -> Thing:
    """A copy of a problem, objective or adapter with its tensors on this device, the floating ones
    in this type.

    It shows what computations lose in float32, or on CUDA. Its constants stay what they are: those
    of the original.
    """
    made = copy.copy(thing)
    for name, value in vars(thing).items():
        if isinstance(value, Tensor):
            kept = value.to(device, dtype) if value.is_floating_point() else value.to(device)
            object.__setattr__(made, name, kept)
        elif isinstance(value, Adapter | Objective):
            object.__setattr__(made, name, cast_to(value, dtype, device))
        elif isinstance(value, tuple) and all(isinstance(x, Objective) for x in value):
            object.__setattr__(made, name, tuple(cast_to(x, dtype, device) for x in value))
    return made
