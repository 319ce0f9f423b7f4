"""LoReFT: an edit inside the row space of R, whose rows stay orthonormal: a point of the Stiefel manifold."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from boundcheck.problems.adapters.base import ROUND_UP, Adapter, Block, Radii, Sizes, check_rank, gaussian, size
from boundcheck.problems.norms import Point


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
        """Refuse a W0 that is no finite matrix, and a rank that it has not."""
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
