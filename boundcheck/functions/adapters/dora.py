"""DoRA: the direction of each column, or row, of W0 + s B A, times a magnitude of its own."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from flint import ctx
from torch import Tensor

from boundcheck.errors import InputError
from boundcheck.exact.balls import length, lower
from boundcheck.functions.adapters.base import (
    ROUND_UP,
    Adapter,
    Block,
    Radii,
    Sizes,
    check_rank,
    check_scale,
    gaussian,
    size,
)
from boundcheck.functions.norms import Point


@dataclass(frozen=True)
class DoRA(Adapter):
    r"""Weight-decomposed low-rank adaptation (Liu et al. 2024, Eq. (5)); v = (A, B, m).

    Column j of W(v) is :math:`m_j V_j / \|V_j\|` with V = W0 + s B A. The gradient goes through the norms too, which
    the authors treat as constants.

    By rows, it is the same for the transposed matrix: what its claims say of columns holds for rows with A and B
    exchanged, and the claims are symmetric in A and B. Peft does it by rows.

    Attributes:
        rank: r, at most min(d, k).
        scale: s > 0.
        by_rows: whether rows have magnitudes, and not columns.

    """

    kind = "dora"
    place = 80
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
        """Refuse a W0 with a column, or row, of zeros, which has no direction, and a bad rank or scale."""
        super().__post_init__()
        check_rank(self.rank, self.W0)
        check_scale(self.scale)
        if not (self.W0.abs().amax(self._along) > 0).all():
            line = "row" if self.by_rows else "column"
            raise InputError("adapter.W0", f"with a {line} of zeros", f"{line}s with a direction, for DoRA")

    @property
    def _along(self) -> int:
        """The axis that norms are taken along."""
        return -1 if self.by_rows else -2

    @property
    def blocks(self) -> tuple[Block, ...]:
        """A, shape (r, k), B, shape (d, r), and the magnitudes m, shape (1, k), or (d, 1) of rows."""
        # Batched in the adversary's search.
        d, k = self.W0.shape[-2:]
        factors = Block("A", (self.rank, k), "spectral", "a"), Block("B", (d, self.rank), "spectral", "b")
        return *factors, Block("m", (d, 1) if self.by_rows else (1, k), "max", "mu")

    def weight(self, v: Point) -> Tensor:
        """The columns m_j V_j / ‖V_j‖ of V = W0 + s B A."""
        A, B, m = v
        V = self.W0 + self.scale * (B @ A)
        return V * (m / self._norms(V))

    def pull_back(self, v: Point, gradient: Tensor) -> Point:
        r"""With N the directions: :math:`\langle M_j, N_j\rangle` in m_j, and a pull-back of LoRA in A and B.

        What LoRA pulls back is :math:`(M_j - N_j\langle N_j, M_j\rangle) m_j / \|V_j\|` in column j, from the part of M
        across the directions.
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
        """s, the radii a, b and mu, and w_0, the least norm of a column or row of W0, rounded down."""
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
        factors, large = size(A) + size(B), m.abs().amax((-2, -1))
        stretch = (size(self.W0) + self.scale * size(A) * size(B)) / columns
        weight = 4 * large * stretch + size(m)
        return Sizes(sum(self.W0.shape) + 16, weight, 1 + self.scale * large / columns * factors, 1 + 8 * stretch)

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
