"""The kinds of adapters: full fine-tuning, low-rank updates and edits, magnitudes of columns, and
bases that move.

LoReFT is an edit inside the row space of R, whose rows stay orthonormal: a point of the Stiefel
manifold. It is here in (R, V), where the domain is one ball for each block, and in (R, U), the
parameters that pyreft trains.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
from flint import ctx
from torch import Tensor

from boundcheck.errors import InputError
from boundcheck.exact.balls import length, lower
from boundcheck.functions.adapters.base import (
    Adapter,
    Block,
    Radii,
    Sizes,
    gaussian,
    size,
    spectral_bound,
)
from boundcheck.functions.arithmetic import ROUND_UP, Point, joined, product, spectral_norm
from boundcheck.functions.objective import Side
from boundcheck.system.plugins import keeps

BASE_RADIUS = "z"
"""The radius of what was merged."""
_OF_FACTORS: Mapping[str, str] = {"a": "σ₁(A)", "b": "σ₁(B)"}


def _factors(W0: Tensor, rank: int) -> tuple[Block, Block]:
    """The blocks A, shape (r, k), and B, shape (d, r)."""
    # The last two dimensions: W0 is batched in the adversary's search.
    d, k = W0.shape[-2:]
    return Block("A", (rank, k), "spectral", "a"), Block("B", (d, rank), "spectral", "b")


@dataclass(frozen=True)
class Full(Adapter):
    """W(v) = W0 + v, so that F has the smoothness of f. The ball says where to look, not where the
    claim holds.
    """

    kind = "full"
    options = ()
    is_run = True
    title = "full fine-tuning"
    is_linear = True
    is_isometry = True
    radius_names = ("rho",)
    radius_of: ClassVar[Mapping[str, str]] = {"rho": "σ₁(W − W₀)"}

    @property
    def rank(self) -> int:
        return min(self.W0.shape)

    @property
    def blocks(self) -> tuple[Block, ...]:
        d, k = self.W0.shape
        return (Block("W", (d, k), "spectral", "rho"),)

    def weight(self, v: Point) -> Tensor:
        return self.W0 + v[0]

    def pull_back(self, v: Point, gradient: Tensor) -> Point:
        return (gradient,)

    def sides(self, v: Point) -> tuple[Side, ...]:
        return ((None, None),)

    def initial(self, gain: float, generator: torch.Generator) -> Point:
        return (torch.zeros_like(self.W0).unsqueeze(0),)

    def constants(self, radii: Radii) -> dict[str, float]:
        return {}

    def sizes(self, v: Point) -> Sizes:
        return Sizes(4, size(self.W0) + size(v[0]), torch.ones_like(size(v[0])))

    def reach(self, radii: Radii) -> float:
        return math.sqrt(self.rank) * radii["rho"] * ROUND_UP


@dataclass(frozen=True)
class LoRA(Adapter):
    """Low-rank adaptation of a frozen W0 (Hu et al. 2021; jiang2024, Eq. (1) at scale 1). v = (A,
    B).
    """

    kind = "lora"
    is_run = True
    title = "LoRA"
    radius_names = ("a", "b")
    radius_of = _OF_FACTORS
    needs_ball = True
    options: ClassVar[tuple[str, ...]] = ("rank", "scale", "diagonal")
    # At B = 0 only B has a gradient, s N Aᵀ, and the mean of |N Aᵀ|² over A is |N|² r gain²/k.
    noise_at_start = 2, 1, "s²r, in the mean over A at B = 0"
    rank: int
    scale: float = 1.0

    @property
    def blocks(self) -> tuple[Block, ...]:
        return _factors(self.W0, self.rank)

    def weight(self, v: Point) -> Tensor:
        A, B = v
        return self.W0 + product(self.scale * B, A)

    def pull_back(self, v: Point, gradient: Tensor) -> Point:
        r"""The gradient in v of f(W(v)), :math:`(s B^\top \nabla f, s \nabla f A^\top)`, from that
        in W.

        Source: jiang2024, appendix A.4, the chain rule before Eq. (11).
        """
        A, B = v
        return product((self.scale * B).mT, gradient), product(gradient, (self.scale * A).mT)

    @property
    def scale_of_factors(self) -> float | None:
        """The scale s; None if a subclass has a `weight` or `pull_back` of its own."""
        return self.scale if keeps(self, LoRA, "weight", "pull_back") else None

    def factor_sizes(self, v: Point, gradient: Tensor) -> tuple[Tensor, Tensor]:
        A, B = (spectral_norm(part)[:, None, None] for part in v)
        return A * A + B * B, self.scale * size(gradient)[:, None, None]

    def pull_back_outer(self, v: Point, outputs: Tensor, inputs: Tensor) -> Point:
        """The samples' gradients by products with the factors: a d x k matrix for each sample would
        cost more.
        """
        A, B = v
        return self.scale * ((outputs @ B).mT @ inputs), self.scale * (outputs.mT @ (inputs @ A.mT))

    def sides(self, v: Point) -> tuple[Side, ...]:
        A, B = v
        return (self.scale * B.mT, None), (None, self.scale * A.mT)

    def initial(self, gain: float, generator: torch.Generator) -> Point:
        r"""LoRA's start: entries of A are :math:`N(0, \mathrm{gain}^2/k)`, B = 0."""
        d, k = self.W0.shape
        return gaussian((self.rank, k), gain / math.sqrt(k), generator), self.W0.new_zeros(
            (1, d, self.rank)
        )

    def diagonal(self, gain: float) -> Point:
        eyes = (
            torch.eye(*block.shape, dtype=self.W0.dtype, device=self.W0.device)
            for block in self.blocks
        )
        return tuple(gain * eye.unsqueeze(0) for eye in eyes)

    def constants(self, radii: Radii) -> dict[str, float]:
        a = radii["a"]
        b = radii["b"]
        return {"s": self.scale, "a": a, "b": b, "sigma": max(a, b), "r": self.rank}

    def sizes(self, v: Point) -> Sizes:
        A, B = (size(part) for part in v)
        return Sizes(self.rank + 4, size(self.W0) + self.scale * A * B, self.scale * (A + B))

    def reach(self, radii: Radii) -> float:
        r""":math:`s\sqrt r\,ab`, of an update of rank r and spectral norm at most s a b."""
        return self.scale * math.sqrt(self.rank) * radii["a"] * radii["b"] * ROUND_UP


class _OneFactor(Adapter):
    """W(v) = W0 + s B A, where the factor by the name `frozen` is given, and v is the other one."""

    scale: float
    is_linear = True
    is_run = True

    @property
    def factor(self) -> Tensor:
        return next(getattr(self, name) for name in self.frozen)

    @property
    def rank(self) -> int:
        return min(self.factor.shape)

    @property
    def blocks(self) -> tuple[Block, ...]:
        return tuple(
            block for block in _factors(self.W0, self.rank) if block.name not in self.frozen
        )

    def weight(self, v: Point) -> Tensor:
        B, A = (v[0], self.factor) if "A" in self.frozen else (self.factor, v[0])
        return self.W0 + self.scale * (B @ A)

    def pull_back(self, v: Point, gradient: Tensor) -> Point:
        r"""The gradient in B, :math:`s \nabla f A^\top`, or in A, :math:`s B^\top \nabla f`."""
        other = self.factor.mT
        return (self.scale * (gradient @ other if "A" in self.frozen else other @ gradient),)

    def sides(self, v: Point) -> tuple[Side, ...]:
        other = self.scale * self.factor.mT
        return ((None, other),) if "A" in self.frozen else ((other, None),)

    def initial(self, gain: float, generator: torch.Generator) -> Point:
        return (self.W0.new_zeros((1, *self.blocks[0].shape)),)

    def constants(self, radii: Radii) -> dict[str, float]:
        return {"s": self.scale} | dict.fromkeys(self.frozen.values(), spectral_bound(self.factor))

    def sizes(self, v: Point) -> Sizes:
        frozen = self.scale * size(self.factor)
        return Sizes(self.rank + 4, size(self.W0) + frozen * size(v[0]), frozen.expand(len(v[0])))

    def reach(self, radii: Radii) -> float:
        (radius,) = self.radius_names
        return (
            self.scale
            * math.sqrt(self.rank)
            * radii[radius]
            * spectral_bound(self.factor)
            * ROUND_UP
        )


@dataclass(frozen=True)
class FrozenA(_OneFactor):
    """LoRA with A frozen at random (Zhang et al. 2023, LoRA-FA): W(v) = W0 + s B A with v =
    (B,).
    """

    kind = "frozen-a"
    title = "LoRA, A frozen"
    radius_names = ("b",)
    radius_of: ClassVar[Mapping[str, str]] = {"b": "σ₁(B)"}
    frozen: ClassVar[Mapping[str, str]] = {"A": "a"}
    A: Tensor
    scale: float = 1.0

    def pull_back_outer(self, v: Point, outputs: Tensor, inputs: Tensor) -> Point:
        return (self.scale * (outputs.mT @ (inputs @ self.A.mT)),)


@dataclass(frozen=True)
class FrozenB(_OneFactor):
    """LoRA with B frozen: W(v) = W0 + s B A with v = (A,)."""

    kind = "frozen-b"
    title = "LoRA, B frozen"
    radius_names = ("a",)
    radius_of: ClassVar[Mapping[str, str]] = {"a": "σ₁(A)"}
    frozen: ClassVar[Mapping[str, str]] = {"B": "b"}
    B: Tensor
    scale: float = 1.0


@dataclass(frozen=True)
class DiReFT(LoRA):
    """DiReFT with bias (jiang2024, Eq. (3)): h + U_2ᵀ(U_1 h + b) is W [h; 1] with W = [I 0] +
    U_2ᵀ[U_1 b].

    So it is LoRA with k = d + 1 at scale 1: A = [U_1 b], B = U_2ᵀ, and nothing else is different.
    """

    kind = "direft"
    edits_hidden = True
    title = "DiReFT"
    options = ("rank", "diagonal")


@dataclass(frozen=True)
class LoReFT(Adapter):
    """LoReFT (Wu et al. 2024, Eq. (2)): h + Rᵀ(U h + b - R h) is W [h; 1] with W = W0 + RᵀV, W0 =
    [I 0].

    v = (R, V) with V = [U - R, b]; R has orthonormal rows, and all derivatives are Riemannian: of F
    on the Stiefel manifold with the metric of the matrices around it, times the space of V.
    """

    kind = "loreft"
    edits_hidden = True
    title = "LoReFT"
    options = ("rank",)
    radius_names = ("nu",)
    radius_of: ClassVar[Mapping[str, str]] = {"nu": "σ₁(V)"}
    rank: int

    @property
    def blocks(self) -> tuple[Block, ...]:
        """R, shape (r, d), with orthonormal rows, and V, shape (r, k)."""
        d, k = self.W0.shape
        return Block("R", (self.rank, d), "orthonormal"), Block(
            "V", (self.rank, k), "spectral", "nu"
        )

    def weight(self, v: Point) -> Tensor:
        R, V = v
        return self.W0 + R.mT @ V

    def pull_back(self, v: Point, gradient: Tensor) -> Point:
        r"""The Riemannian gradient, :math:`(V M^\top, R M)` with the first projected onto the
        tangent space at R.
        """
        R, V = v
        return self.tangent(v, (V @ gradient.mT, R @ gradient))

    def tangent(self, v: Point, u: Point) -> Point:
        r"""The tangent part of u: :math:`Z - \mathrm{sym}(Z R^\top) R` for R.

        Source: Absil, Mahony and Sepulchre, "Optimization Algorithms on Matrix Manifolds", 2008,
        section 3.6.1.
        """
        R = v[0]
        Z, rest = u
        product = Z @ R.mT
        return Z - (product + product.mT) / 2 @ R, rest

    def acceleration(self, v: Point, u: Point) -> Point:
        r""":math:`-\delta_R\delta_R^\top R` in R, which is normal to the manifold, as a geodesic's
        has to be.
        """
        return -(u[0] @ u[0].mT) @ v[0], 0 * u[1]

    def retract(self, v: Point, u: Point) -> Point:
        """The nearest matrix with orthonormal rows to R + δR (the polar retraction), and V + δV.

        NaN where R + δR has an entry that is no finite number, as in a run that diverged.
        """
        moved = v[0] + u[0]
        # LAPACK refuses such a matrix.
        U, _, Vh = torch.linalg.svd(moved.nan_to_num(0.0, 0.0, 0.0), full_matrices=False)
        return (
            torch.where(torch.isfinite(moved).all(-1).all(-1)[..., None, None], U @ Vh, torch.nan),
            v[1] + u[1],
        )

    def initial(self, gain: float, generator: torch.Generator) -> Point:
        """Random orthonormal rows, and V = 0, so that W starts at W0."""
        d, k = self.W0.shape
        Q = torch.linalg.qr(gaussian((d, self.rank), 1.0, generator)).Q
        return Q.mT.contiguous(), self.W0.new_zeros((1, self.rank, k))

    def constants(self, radii: Radii) -> dict[str, float]:
        return {"nu": radii["nu"], "r": self.rank}

    def sizes(self, v: Point) -> Sizes:
        """Sums of r products in W; R and V in the pull-back, and R twice more in the projection."""
        R, V = (size(part) for part in v)
        return Sizes(self.rank + 4, size(self.W0) + R * V, (1 + R * R) * (R + V))

    def reach(self, radii: Radii) -> float:
        return math.sqrt(self.rank) * radii["nu"] * ROUND_UP


@dataclass(frozen=True)
class LoReFTTrained(LoReFT):
    """LoReFT in (R, U), as pyreft trains it: W = W0 + Rᵀ(U - R E) with E = [I 0], where U holds
    pyreft's [U, b].

    It is LoReFT at V = U - R E, so that R enters W twice, and the radius bounds V. Wu et al. have
    W0 = E; another W0 shifts f, of which the claims suppose nothing that this could change.
    """

    kind = "loreft-trained"
    title = "LoReFT in (R, U)"
    radius_of: ClassVar[Mapping[str, str]] = {"nu": "σ₁(U - R[I 0])"}

    @property
    def blocks(self) -> tuple[Block, ...]:
        """R, shape (r, d), with orthonormal rows, and U, shape (r, k), whose U - R E is bounded."""
        rows, edit = super().blocks
        return rows, replace(edit, name="U")

    def bounded(self, v: Point) -> Point:
        R, U = v
        return R, U - R @ self._reads(R)

    def at(self, bounded: Point) -> Point:
        R, V = bounded
        return R, V + R @ self._reads(R)

    def inward(self, v: Point, radii: Radii, share: float) -> Point:
        """Move v inward by this share, and by what U loses where it is rounded beside R E, which is
        of size 1.
        """
        rounding = 2.0**-50 * math.sqrt(math.prod(self.blocks[1].shape))
        return super().inward(v, radii, min((share + rounding) * (1 + 1 / radii["nu"]), 1.0))

    def weight(self, v: Point) -> Tensor:
        return super().weight(self.bounded(v))

    def pull_back(self, v: Point, gradient: Tensor) -> Point:
        r"""The Riemannian gradient, :math:`(V M^\top - R M E^\top, R M)` with the first projected
        as LoReFT's.
        """
        R, V = self.bounded(v)
        in_u = R @ gradient
        return self.tangent(v, (V @ gradient.mT - in_u @ self._reads(R).mT, in_u))

    def initial(self, gain: float, generator: torch.Generator) -> Point:
        """Random orthonormal rows, and U = R E, so that W starts at W0."""
        return self.at(super().initial(gain, generator))

    def extreme(self, gradient: Point, radii: Radii) -> Point:
        """The point of the domain at which a linear function with this gradient is largest, by its
        gradient in V.
        """
        in_r, in_u = gradient
        return super().extreme((in_r + in_u @ self._reads(in_r).mT, in_u), radii)

    def sizes(self, v: Point) -> Sizes:
        """The sizes of LoReFT, with U and R E as the terms of V, and one more term in R."""
        R, U = (size(part) for part in v)
        return Sizes(self.rank + 5, size(self.W0) + R * (U + R), (1 + R * R) * (3 * R + U))

    def _reads(self, like: Any) -> Any:
        """E = [I 0], shape (d, k): R E is what R reads of [h; 1]."""
        d, k = self.W0.shape
        if isinstance(like, Tensor):
            return torch.eye(d, k, dtype=like.dtype, device=like.device)
        # Beside an array of exact numbers.
        return np.eye(d, k, dtype=int)


@dataclass(frozen=True)
class DoRA(Adapter):
    r"""Weight-decomposed low-rank adaptation (Liu et al. 2024, Eq. (5)); v = (A, B, m).

    Column j of W(v) is :math:`m_j V_j / \|V_j\|` with V = W0 + s B A. The gradient goes through the
    norms too, which the authors treat as constants.

    By rows, it is the same for the transposed matrix: what its claims say of columns holds for rows
    with A and B exchanged, and the claims are symmetric in A and B. Peft does it by rows.
    """

    kind = "dora"
    needs_columns = True
    title = "DoRA"
    radius_names = ("a", "b", "mu")
    radius_of: ClassVar[Mapping[str, str]] = {"a": "σ₁(A)", "b": "σ₁(B)", "mu": "max |m|"}
    frozen: ClassVar[Mapping[str, str]] = {"W0": "w_0"}
    # Its claims ask for w_0 > s a b.
    starting: ClassVar[Mapping[str, float]] = {"a": 0.5, "b": 0.5}
    rank: int
    scale: float = 1.0
    by_rows: bool = False

    def __post_init__(self) -> None:
        """Refuse a W0 with a column, or row, of zeros, which has no direction, and a bad rank or
        scale.
        """
        super().__post_init__()
        if not (self.W0.abs().amax(self._along) > 0).all():
            line = "row" if self.by_rows else "column"
            raise InputError(
                "adapter.W0", f"with a {line} of zeros", f"{line}s with a direction, for DoRA"
            )

    @property
    def _along(self) -> int:
        return -1 if self.by_rows else -2

    @property
    def blocks(self) -> tuple[Block, ...]:
        """A, shape (r, k), B, shape (d, r), and the magnitudes m, shape (1, k), or (d, 1) of
        rows.
        """
        d, k = self.W0.shape[-2:]
        return *_factors(self.W0, self.rank), Block(
            "m", (d, 1) if self.by_rows else (1, k), "max", "mu"
        )

    def weight(self, v: Point) -> Tensor:
        A, B, m = v
        V = self.W0 + self.scale * (B @ A)
        return V * (m / self._norms(V))

    def pull_back(self, v: Point, gradient: Tensor) -> Point:
        r"""With N the directions: :math:`\langle M_j, N_j\rangle` in m_j, and a pull-back of LoRA
        in A and B.

        What LoRA pulls back is :math:`(M_j - N_j\langle N_j, M_j\rangle) m_j / \|V_j\|` in column
        j, from the part of M across the directions.
        """
        A, B, m = v
        V = self.W0 + self.scale * (B @ A)
        norms = self._norms(V)
        N = V / norms
        along = (N * gradient).sum(self._along, keepdim=True)
        across = self.scale * (m / norms) * (gradient - N * along)
        return B.mT @ across, across @ A.mT, along

    def initial(self, gain: float, generator: torch.Generator) -> Point:
        """LoRA's start, and the norms of W0's columns as magnitudes, so that W starts at W0."""
        d, k = self.W0.shape
        A = gaussian((self.rank, k), gain / math.sqrt(k), generator)
        return A, self.W0.new_zeros((1, d, self.rank)), self._norms(self.W0.unsqueeze(0))

    def constants(self, radii: Radii) -> dict[str, float]:
        """s, the radii a, b and mu, and w_0, the least norm of a column or row of W0, rounded
        down.
        """
        lines = self.W0 if self.by_rows else self.W0.mT
        with ctx.workprec(128):
            least = min(lower(length(line)) for line in lines.tolist())
        return {"s": self.scale, "w_0": least} | {name: radii[name] for name in ("a", "b", "mu")}

    def sizes(self, v: Point) -> Sizes:
        """The sizes for V as LoRA's W.

        Its error over the least norm of a column enters directions, norms and the pull-back.
        """
        A, B, m = v
        columns = self._norms(self.W0 + self.scale * (B @ A)).amin((-2, -1))
        factors = size(A) + size(B)
        large = m.abs().amax((-2, -1))
        stretch = (size(self.W0) + self.scale * size(A) * size(B)) / columns
        weight = 4 * large * stretch + size(m)
        return Sizes(
            sum(self.W0.shape) + 16,
            weight,
            1 + self.scale * large / columns * factors,
            1 + 8 * stretch,
        )

    def reach(self, radii: Radii) -> float:
        r""":math:`\sqrt k\,\mu + \|W_0\|_F`, with d in place of k for rows."""
        size = float(torch.linalg.matrix_norm(self.W0)) * ROUND_UP
        return (math.sqrt(self.W0.shape[0 if self.by_rows else 1]) * radii["mu"] + size) * ROUND_UP

    def _norms(self, V: Tensor) -> Tensor:
        """The norms of the columns, shape (..., 1, k), or of the rows, shape (..., d, 1)."""
        square = (V * V).sum(self._along)
        # NumPy's root, of an array of exact numbers, calls each number's own.
        root: Any = square.sqrt() if isinstance(V, Tensor) else np.sqrt(square)
        return root[..., None] if self.by_rows else root[..., None, :]


@dataclass(frozen=True)
class Rebased(Adapter):
    """W(v) = Z + U(u) at v = (u, Z), where U(u) is the weight of another adapter, and Z what was
    merged before.

    No step moves Z: it is no direction of the domain, and gradients have zeros there. So F's
    smoothness is that of the other adapter, whatever Z is.
    """

    inner: Adapter  # the other adapter, around the same W0

    def __post_init__(self) -> None:
        """Take over what the inner adapter is to others, with one more radius."""
        super().__post_init__()
        inner = self.inner
        # A frozen object has no other way to keep what is not a field.
        said = ("kind", "title", "claims", "composition", "needs_ball", "options", "frozen")
        vars(self).update({name: getattr(inner, name) for name in said})
        vars(self).update(radius_names=(*inner.radius_names, BASE_RADIUS))

    @property
    def blocks(self) -> tuple[Block, ...]:
        d, k = self.W0.shape
        return *self.inner.blocks, Block("Z", (d, k), "spectral", BASE_RADIUS)

    @property
    def is_flat(self) -> bool:
        return False

    def bounded(self, v: Point) -> Point:
        return *self.inner.bounded(v[:-1]), v[-1]

    def at(self, bounded: Point) -> Point:
        return *self.inner.at(bounded[:-1]), bounded[-1]

    def weight(self, v: Point) -> Tensor:
        return v[-1] + self.inner.weight(v[:-1])

    def pull_back(self, v: Point, gradient: Tensor) -> Point:
        return *self.inner.pull_back(v[:-1], gradient), torch.zeros_like(v[-1])

    def sides(self, v: Point) -> tuple[Side, ...] | None:
        return self.inner.sides(v[:-1])

    def initial(self, gain: float, generator: torch.Generator) -> Point:
        return *self.inner.initial(gain, generator), torch.zeros_like(self.W0).unsqueeze(0)

    def diagonal(self, gain: float) -> Point:
        return *self.inner.diagonal(gain), torch.zeros_like(self.W0).unsqueeze(0)

    def restart(self, v: Point, gain: float, generator: torch.Generator) -> Point:
        """A start for each replica, drawn anew, and the Z at which W is what it was."""
        starts = [self.inner.initial(gain, generator) for _ in range(len(v[0]))]
        fresh = joined(starts)
        return *fresh, self.weight(v) - self.inner.weight(fresh)

    def tangent(self, v: Point, u: Point) -> Point:
        return *self.inner.tangent(v[:-1], u[:-1]), torch.zeros_like(u[-1])

    def acceleration(self, v: Point, u: Point) -> Point:
        return *self.inner.acceleration(v[:-1], u[:-1]), torch.zeros_like(u[-1])

    def retract(self, v: Point, u: Point) -> Point:
        return *self.inner.retract(v[:-1], u[:-1]), v[-1]

    def constants(self, radii: Radii) -> dict[str, float]:
        return self.inner.constants(radii)

    def sizes(self, v: Point) -> Sizes:
        """The inner adapter's sizes, with Z as one more term of W."""
        inside = self.inner.sizes(v[:-1])
        return inside._replace(terms=inside.terms + 1, weight=inside.weight + size(v[-1]))

    def reach(self, radii: Radii) -> float:
        r"""The inner adapter's reach, plus :math:`\sqrt{\min(d, k)}` times the radius of Z."""
        return (
            self.inner.reach(radii) + math.sqrt(min(self.W0.shape)) * radii[BASE_RADIUS]
        ) * ROUND_UP
