"""LoReFT: an edit inside the row space of R, whose rows stay orthonormal: a point of the Stiefel manifold.

In (R, V), where the domain is one ball for each block, and in (R, U), the parameters that pyreft trains.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from boundcheck.functions.adapters.base import ROUND_UP, Adapter, Block, Radii, Sizes, check_rank, gaussian, size
from boundcheck.functions.norms import Point


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
    has_scale = False
    radius_names = ("nu",)
    radius_of: ClassVar[Mapping[str, str]] = {"nu": "σ₁(V)"}
    rank: int

    def __post_init__(self) -> None:
        """Refuse a W0 that is not a finite matrix, and a rank that is not from 1 to min(d, k)."""
        super().__post_init__()
        check_rank(self.rank, self.W0)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """R, shape (r, d), with orthonormal rows, and V, shape (r, k)."""
        d, k = self.W0.shape
        return Block("R", (self.rank, d), "orthonormal"), Block("V", (self.rank, k), "spectral", "nu")

    def weight(self, v: Point) -> Tensor:
        """W0 + RᵀV."""
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
        """W0 + Rᵀ(U - R E)."""
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
