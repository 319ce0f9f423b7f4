"""Full fine-tuning; LoRA, W(v) = W0 + s B A, with both factors trained or one frozen; DiReFT, LoRA on [h; 1]; LoReFT.

LoReFT is an edit inside the row space of R, whose rows stay orthonormal: a point of the Stiefel manifold. It is here in
(R, V), where the domain is one ball for each block, and in (R, U), the parameters that pyreft trains.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from boundcheck.functions.adapters.base import Adapter, Block, Radii, Sizes, gaussian, size, spectral_bound
from boundcheck.functions.arithmetic import ROUND_UP, Point, product, spectral_norm
from boundcheck.functions.objective import Side
from boundcheck.system.plugins import keeps


@dataclass(frozen=True)
class Full(Adapter):
    """W(v) = W0 + v, so that F has the smoothness of f. The ball says where to look, not where the claim holds."""

    kind = "full"
    place = 10
    options: ClassVar[tuple[str, ...]] = ()
    is_run = True
    title = "full fine-tuning"
    is_linear = True
    is_isometry = True
    radius_names = ("rho",)
    radius_of: ClassVar[Mapping[str, str]] = {"rho": "σ₁(W − W₀)"}

    @property
    def rank(self) -> int:
        """min(d, k)."""
        return min(self.W0.shape)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The change of W, shape (d, k)."""
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
        """No constants: the claim speaks of L alone."""
        return {}

    def sizes(self, v: Point) -> Sizes:
        return Sizes(4, size(self.W0) + size(v[0]), torch.ones_like(size(v[0])))

    def reach(self, radii: Radii) -> float:
        r""":math:`\sqrt{\min(d, k)}\,\rho`."""
        return math.sqrt(self.rank) * radii["rho"] * ROUND_UP


@dataclass(frozen=True)
class LoRA(Adapter):
    """Low-rank adaptation of a frozen W0 (Hu et al. 2021; jiang2024, Eq. (1) at scale 1). v = (A, B).

    Attributes:
        rank: r, at most min(d, k).
        scale: s > 0.

    """

    kind = "lora"
    place = 20
    is_run = True
    title = "LoRA"
    radius_names = ("a", "b")
    radius_of: ClassVar[Mapping[str, str]] = {"a": "σ₁(A)", "b": "σ₁(B)"}
    needs_ball = True
    options: ClassVar[tuple[str, ...]] = ("rank", "scale", "diagonal")
    # At B = 0 only B has a gradient, s N Aᵀ, and the mean of |N Aᵀ|² over A is |N|² r gain²/k.
    noise_at_start: ClassVar[tuple[int, int, str] | None] = 2, 1, "s²r, in the mean over A at B = 0"
    rank: int
    scale: float = 1.0

    @property
    def blocks(self) -> tuple[Block, ...]:
        """A, shape (r, k), and B, shape (d, r)."""
        d, k = self.W0.shape
        return Block("A", (self.rank, k), "spectral", "a"), Block("B", (d, self.rank), "spectral", "b")

    def weight(self, v: Point) -> Tensor:
        A, B = v
        return self.W0 + product(self.scale * B, A)

    def pull_back(self, v: Point, gradient: Tensor) -> Point:
        r"""The gradient in v of f(W(v)), :math:`(s B^\top \nabla f, s \nabla f A^\top)`, from that in W.

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
        """The samples' gradients by products with the factors: a d x k matrix for each sample would cost more."""
        A, B = v
        return self.scale * ((outputs @ B).mT @ inputs), self.scale * (outputs.mT @ (inputs @ A.mT))

    def sides(self, v: Point) -> tuple[Side, ...]:
        A, B = v
        return (self.scale * B.mT, None), (None, self.scale * A.mT)

    def initial(self, gain: float, generator: torch.Generator) -> Point:
        r"""LoRA's start: entries of A are :math:`N(0, \mathrm{gain}^2/k)`, B = 0."""
        d, k = self.W0.shape
        return gaussian((self.rank, k), gain / math.sqrt(k), generator), self.W0.new_zeros((1, d, self.rank))

    def diagonal(self, gain: float) -> Point:
        d, k = self.W0.shape
        A, B = (
            gain * torch.eye(*shape, dtype=self.W0.dtype, device=self.W0.device)
            for shape in ((self.rank, k), (d, self.rank))
        )
        return A.unsqueeze(0), B.unsqueeze(0)

    def constants(self, radii: Radii) -> dict[str, float]:
        """The scale s, the radii a and b, the larger one sigma, and r."""
        a, b = radii["a"], radii["b"]
        return {"s": self.scale, "a": a, "b": b, "sigma": max(a, b), "r": self.rank}

    def sizes(self, v: Point) -> Sizes:
        """Sums of r products in W, and A and B in the pull-back."""
        A, B = (size(part) for part in v)
        return Sizes(self.rank + 4, size(self.W0) + self.scale * A * B, self.scale * (A + B))

    def reach(self, radii: Radii) -> float:
        r""":math:`s\sqrt r\,ab`, of an update of rank r and spectral norm at most s a b."""
        return self.scale * math.sqrt(self.rank) * radii["a"] * radii["b"] * ROUND_UP


@dataclass(frozen=True)
class DiReFT(LoRA):
    """DiReFT with bias (jiang2024, Eq. (3)): h + U_2ᵀ(U_1 h + b) is W [h; 1] with W = [I 0] + U_2ᵀ[U_1 b].

    So it is LoRA with k = d + 1 at scale 1: A = [U_1 b], B = U_2ᵀ, and nothing else is different.
    """

    kind = "direft"
    place = 50
    edits_hidden = True
    title = "DiReFT"
    options: ClassVar[tuple[str, ...]] = ("rank", "diagonal")


class _OneFactor(Adapter):
    """W(v) = W0 + s B A, where the factor by the name `frozen` is given, and v is the other one."""

    scale: float
    is_linear = True
    is_run = True

    @property
    def factor(self) -> Tensor:
        """The frozen factor."""
        (name,) = self.frozen
        found: Tensor = getattr(self, name)
        return found

    @property
    def rank(self) -> int:
        """r, the number of rows of A and of columns of B."""
        return min(self.factor.shape)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """A, shape (r, k), or B, shape (d, r)."""
        d, k = self.W0.shape
        if "A" in self.frozen:
            return (Block("B", (d, self.rank), "spectral", "b"),)
        return (Block("A", (self.rank, k), "spectral", "a"),)

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
        """The start, at which the trained factor is 0."""
        return (self.W0.new_zeros((1, *self.blocks[0].shape)),)

    def constants(self, radii: Radii) -> dict[str, float]:
        """The scale s, and the spectral norm of the frozen factor, rounded up."""
        return {"s": self.scale} | dict.fromkeys(self.frozen.values(), spectral_bound(self.factor))

    def sizes(self, v: Point) -> Sizes:
        """Sums of r products in W, and the frozen factor in the pull-back."""
        frozen = self.scale * size(self.factor)
        return Sizes(self.rank + 4, size(self.W0) + frozen * size(v[0]), frozen.expand(len(v[0])))

    def reach(self, radii: Radii) -> float:
        r""":math:`s\sqrt r` times the radius and the spectral norm of the frozen factor."""
        (radius,) = self.radius_names
        return self.scale * math.sqrt(self.rank) * radii[radius] * spectral_bound(self.factor) * ROUND_UP


@dataclass(frozen=True)
class FrozenA(_OneFactor):
    """LoRA with A frozen at random (Zhang et al. 2023, LoRA-FA): W(v) = W0 + s B A with v = (B,).

    Attributes:
        A: the frozen factor, shape (r, k).
        scale: s > 0.

    """

    kind = "frozen-a"
    place = 30
    title = "LoRA, A frozen"
    radius_names = ("b",)
    radius_of: ClassVar[Mapping[str, str]] = {"b": "σ₁(B)"}
    frozen: ClassVar[Mapping[str, str]] = {"A": "a"}
    A: Tensor
    scale: float = 1.0

    def pull_back_outer(self, v: Point, outputs: Tensor, inputs: Tensor) -> Point:
        """The samples' gradients by a product with A: a d x k matrix for each sample would cost more."""
        return (self.scale * (outputs.mT @ (inputs @ self.A.mT)),)


@dataclass(frozen=True)
class FrozenB(_OneFactor):
    """LoRA with B frozen: W(v) = W0 + s B A with v = (A,).

    Attributes:
        B: the frozen factor, shape (d, r).
        scale: s > 0.

    """

    kind = "frozen-b"
    place = 40
    title = "LoRA, B frozen"
    radius_names = ("a",)
    radius_of: ClassVar[Mapping[str, str]] = {"a": "σ₁(A)"}
    frozen: ClassVar[Mapping[str, str]] = {"B": "b"}
    B: Tensor
    scale: float = 1.0


@dataclass(frozen=True)
class LoReFT(Adapter):
    """LoReFT (Wu et al. 2024, Eq. (2)): h + Rᵀ(U h + b - R h) is W [h; 1] with W = W0 + RᵀV, W0 = [I 0].

    v = (R, V) with V = [U - R, b]; R has orthonormal rows, and all derivatives are Riemannian: of F on the Stiefel
    manifold with the metric of the matrices around it, times the space of V.

    Attributes:
        rank: r, at most min(d, k).

    """

    kind = "loreft"
    place = 60
    edits_hidden = True
    title = "LoReFT"
    options: ClassVar[tuple[str, ...]] = ("rank",)
    radius_names = ("nu",)
    radius_of: ClassVar[Mapping[str, str]] = {"nu": "σ₁(V)"}
    rank: int

    @property
    def blocks(self) -> tuple[Block, ...]:
        """R, shape (r, d), with orthonormal rows, and V, shape (r, k)."""
        d, k = self.W0.shape
        return Block("R", (self.rank, d), "orthonormal"), Block("V", (self.rank, k), "spectral", "nu")

    def weight(self, v: Point) -> Tensor:
        R, V = v
        return self.W0 + R.mT @ V

    def pull_back(self, v: Point, gradient: Tensor) -> Point:
        r"""The Riemannian gradient, :math:`(V M^\top, R M)` with the first projected onto the tangent space at R."""
        R, V = v
        return self.tangent(v, (V @ gradient.mT, R @ gradient))

    def tangent(self, v: Point, u: Point) -> Point:
        r"""The tangent part of u: :math:`Z - \mathrm{sym}(Z R^\top) R` for R.

        Source: Absil, Mahony and Sepulchre, "Optimization Algorithms on Matrix Manifolds", 2008, section 3.6.1.
        """
        R, (Z, rest) = v[0], u
        product = Z @ R.mT
        return Z - (product + product.mT) / 2 @ R, rest

    def acceleration(self, v: Point, u: Point) -> Point:
        r""":math:`-\delta_R\delta_R^\top R` in R, which is normal to the manifold, as a geodesic's has to be."""
        return -(u[0] @ u[0].mT) @ v[0], 0 * u[1]

    def retract(self, v: Point, u: Point) -> Point:
        """The nearest matrix with orthonormal rows to R + δR (the polar retraction), and V + δV.

        NaN where R + δR has an entry that is no finite number, as in a run that diverged.
        """
        moved = v[0] + u[0]
        # LAPACK refuses such a matrix.
        U, _, Vh = torch.linalg.svd(moved.nan_to_num(0.0, 0.0, 0.0), full_matrices=False)
        return torch.where(torch.isfinite(moved).all(-1).all(-1)[..., None, None], U @ Vh, torch.nan), v[1] + u[1]

    def initial(self, gain: float, generator: torch.Generator) -> Point:
        """Random orthonormal rows, and V = 0, so that W starts at W0."""
        d, k = self.W0.shape
        Q = torch.linalg.qr(gaussian((d, self.rank), 1.0, generator)).Q
        return Q.mT.contiguous(), self.W0.new_zeros((1, self.rank, k))

    def constants(self, radii: Radii) -> dict[str, float]:
        """The radius nu of V, and r."""
        return {"nu": radii["nu"], "r": self.rank}

    def sizes(self, v: Point) -> Sizes:
        """Sums of r products in W; R and V in the pull-back, and R twice more in the projection."""
        R, V = (size(part) for part in v)
        return Sizes(self.rank + 4, size(self.W0) + R * V, (1 + R * R) * (R + V))

    def reach(self, radii: Radii) -> float:
        r""":math:`\sqrt r\,\nu`."""
        return math.sqrt(self.rank) * radii["nu"] * ROUND_UP


@dataclass(frozen=True)
class LoReFTTrained(LoReFT):
    """LoReFT in (R, U), as pyreft trains it: W = W0 + Rᵀ(U - R E) with E = [I 0], where U holds pyreft's [U, b].

    It is LoReFT at V = U - R E, so that R enters W twice, and the radius bounds V. Wu et al. have W0 = E; another W0
    shifts f, of which the claims suppose nothing that this could change.

    Attributes:
        rank: r, at most min(d, k).

    """

    kind = "loreft-trained"
    place = 65
    title = "LoReFT in (R, U)"
    radius_of: ClassVar[Mapping[str, str]] = {"nu": "σ₁(U - R[I 0])"}

    @property
    def blocks(self) -> tuple[Block, ...]:
        """R, shape (r, d), with orthonormal rows, and U, shape (r, k), whose U - R E is bounded."""
        rows, edit = super().blocks
        return rows, replace(edit, name="U")

    def bounded(self, v: Point) -> Point:
        """(R, U - R E)."""
        R, U = v
        return R, U - R @ self._reads(R)

    def at(self, bounded: Point) -> Point:
        """(R, V + R E)."""
        R, V = bounded
        return R, V + R @ self._reads(R)

    def inward(self, v: Point, radii: Radii, share: float) -> Point:
        """Move v inward by this share, and by what U loses where it is rounded beside R E, which is of size 1."""
        rounding = 2.0**-50 * math.sqrt(math.prod(self.blocks[1].shape))
        return super().inward(v, radii, min((share + rounding) * (1 + 1 / radii["nu"]), 1.0))

    def weight(self, v: Point) -> Tensor:
        return super().weight(self.bounded(v))

    def pull_back(self, v: Point, gradient: Tensor) -> Point:
        r"""The Riemannian gradient, :math:`(V M^\top - R M E^\top, R M)` with the first projected as LoReFT's."""
        R, V = self.bounded(v)
        in_u = R @ gradient
        return self.tangent(v, (V @ gradient.mT - in_u @ self._reads(R).mT, in_u))

    def initial(self, gain: float, generator: torch.Generator) -> Point:
        """Random orthonormal rows, and U = R E, so that W starts at W0."""
        return self.at(super().initial(gain, generator))

    def extreme(self, gradient: Point, radii: Radii) -> Point:
        """The point of the domain at which a linear function with this gradient is largest, by its gradient in V."""
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
