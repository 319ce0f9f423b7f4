"""Geodesics of matrices with orthonormal rows: the naive twin of LoReFT's retraction, acceleration and Hessian."""

import torch

from boundcheck.functions.arithmetic import Point


def geodesic(R: torch.Tensor, Z: torch.Tensor, t: torch.Tensor | float) -> torch.Tensor:
    """The geodesic that leaves R along Z, in the metric of the matrices around.

    Source: Edelman, Arias and Smith, "The geometry of algorithms with orthogonality constraints", 1998, Eq. (2.7).
    """
    r, Y, dY = len(R), R.mT, Z.mT
    skew, one = Y.mT @ dY, torch.eye(r, dtype=torch.float64)
    block = torch.cat([torch.cat([skew, -dY.mT @ dY], 1), torch.cat([one, skew], 1)])
    moved = torch.cat([Y, dY], 1) @ torch.matrix_exp(t * block) @ torch.eye(2 * r, r, dtype=torch.float64)
    return (moved @ torch.matrix_exp(-t * skew)).mT


def on_the_geodesic(v: Point, u: Point, t: float) -> Point:
    """Points (R, V) of LoReFT after a time t: R along its geodesic, V along a line."""
    return torch.stack([geodesic(R, dR, t) for R, dR in zip(v[0], u[0], strict=True)]), v[1] + t * u[1]
