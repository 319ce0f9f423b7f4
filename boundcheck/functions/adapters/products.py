"""Updates that are products with more in them than two trained factors: VeRA, DoRA and LoHa; and bases that move."""

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
from boundcheck.functions.adapters.base import Adapter, Block, Radii, Sizes, gaussian, size, spectral_bound
from boundcheck.functions.arithmetic import ROUND_UP, Point
from boundcheck.functions.objective import Side

BASE_RADIUS = "z"
"""The radius of what was merged."""


@dataclass(frozen=True)
class VeRA(Adapter):
    r"""Vector-based random matrix adaptation (Kopiczko, Blankevoort and Asano 2024, Eq. (2)).

    :math:`W(v) = W_0 + s\,\mathrm{diag}(b)\,B\,\mathrm{diag}(d)\,A` with frozen A, B; v = (d, b), two vectors as
    matrices of one column. The radii a and b bound their entries.

    Attributes:
        A: frozen, shape (r, k).
        B: frozen, shape (d, r).
        scale: s > 0.

    """

    kind = "vera"
    place = 70
    title = "VeRA"
    radius_names = ("a", "b")
    radius_of: ClassVar[Mapping[str, str]] = {"a": "max |d|", "b": "max |b|"}
    frozen: ClassVar[Mapping[str, str]] = {"A": "a_0", "B": "b_0"}
    A: Tensor
    B: Tensor
    scale: float = 1.0

    @property
    def rank(self) -> int:
        """r, the number of rows of A."""
        return len(self.A)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The inner vector d, shape (r, 1), and the outer one b, shape (d, 1)."""
        return Block("d", (self.rank, 1), "max", "a"), Block("b", (self.W0.shape[0], 1), "max", "b")

    def weight(self, v: Point) -> Tensor:
        inner, outer = v
        return self.W0 + self.scale * ((outer * self.B) @ (inner * self.A))

    def pull_back(self, v: Point, gradient: Tensor) -> Point:
        r"""The row sums of :math:`s A \circ (B^\top \mathrm{diag}(b) M)`, for d, and other row sums for b.

        Those for b are of :math:`s M \circ (B\,\mathrm{diag}(d) A)`.
        """
        inner, outer = v
        in_rank = self.A * ((outer * self.B).mT @ gradient)
        in_rows = gradient * (self.B @ (inner * self.A))
        return self.scale * in_rank.sum(-1, keepdim=True), self.scale * in_rows.sum(-1, keepdim=True)

    def initial(self, gain: float, generator: torch.Generator) -> Point:
        """The start of its authors: d = 0.1 and b = 0."""
        return self.W0.new_full((1, self.rank, 1), 0.1), self.W0.new_zeros((1, self.W0.shape[0], 1))

    def constants(self, radii: Radii) -> dict[str, float]:
        """s, the radii a and b, and the spectral norms a_0 and b_0 of the frozen factors, rounded up."""
        norms = {"a_0": spectral_bound(self.A), "b_0": spectral_bound(self.B)}
        return {"s": self.scale, "a": radii["a"], "b": radii["b"]} | norms

    def sizes(self, v: Point) -> Sizes:
        """Sums of r products of scaled factors in W; one scaled and one bare factor in the pull-back."""
        inner, outer = v
        A, B = size(inner * self.A), size(outer * self.B)
        jacobian = self.scale * (size(self.A) * B + size(self.B) * A)
        return Sizes(self.rank + 8, size(self.W0) + self.scale * A * B, jacobian)

    def reach(self, radii: Radii) -> float:
        r""":math:`s\sqrt r\,b\,b_0\,a\,a_0`."""
        sizes = radii["a"] * radii["b"] * spectral_bound(self.A) * spectral_bound(self.B)
        return self.scale * math.sqrt(self.rank) * sizes * ROUND_UP


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


@dataclass(frozen=True)
class LoHa(Adapter):
    r"""The Hadamard product of two low-rank products (Hyeon-Woo, Ye-Bin and Oh 2022, Proposition 1).

    :math:`W(v) = W_0 + s (B_1 A_1) \circ (B_2 A_2)` with v = (A_1, B_1, A_2, B_2).

    Attributes:
        rank: r of each product, at most min(d, k); that of the update is up to its square.
        scale: s > 0.

    """

    kind = "loha"
    place = 90
    title = "LoHa"
    radius_names = ("a", "b")
    radius_of: ClassVar[Mapping[str, str]] = {"a": "σ₁(A)", "b": "σ₁(B)"}
    rank: int
    scale: float = 1.0

    @property
    def blocks(self) -> tuple[Block, ...]:
        d, k = self.W0.shape
        shapes = {"A": (self.rank, k), "B": (d, self.rank)}
        return tuple(Block(f"{x}_{i}", shapes[x], "spectral", x.lower()) for i in (1, 2) for x in "AB")

    def weight(self, v: Point) -> Tensor:
        A1, B1, A2, B2 = v
        return self.W0 + self.scale * ((B1 @ A1) * (B2 @ A2))

    def pull_back(self, v: Point, gradient: Tensor) -> Point:
        """LoRA's pull-back for each product, with the gradient times the other product in place of the gradient."""
        A1, B1, A2, B2 = v
        first, second = self.scale * gradient * (B2 @ A2), self.scale * gradient * (B1 @ A1)
        return B1.mT @ first, first @ A1.mT, B2.mT @ second, second @ A2.mT

    def initial(self, gain: float, generator: torch.Generator) -> Point:
        """Gaussian factors but for B_2 = 0, so that W starts at W0."""
        d, k = self.W0.shape
        A1, A2 = (gaussian((self.rank, k), gain / math.sqrt(k), generator) for _ in range(2))
        B1 = gaussian((d, self.rank), gain / math.sqrt(self.rank), generator)
        return A1, B1, A2, torch.zeros_like(B1)

    def constants(self, radii: Radii) -> dict[str, float]:
        return {"s": self.scale, "a": radii["a"], "b": radii["b"]}

    def sizes(self, v: Point) -> Sizes:
        """Two sums of r products, and their product."""
        A1, B1, A2, B2 = (size(part) for part in v)
        jacobian = self.scale * ((A1 + B1) * A2 * B2 + A1 * B1 * (A2 + B2))
        return Sizes(2 * self.rank + 8, size(self.W0) + self.scale * A1 * B1 * A2 * B2, jacobian)

    def reach(self, radii: Radii) -> float:
        r""":math:`s\sqrt r\,(ab)^2`, by :math:`\|X \circ Y\|_F \le \|X\|_F\|Y\|_{op}`."""
        return self.scale * math.sqrt(self.rank) * (radii["a"] * radii["b"]) ** 2 * ROUND_UP


@dataclass(frozen=True)
class Rebased(Adapter):
    """W(v) = Z + U(u) at v = (u, Z), where U(u) is the weight of another adapter, and Z what was merged before.

    No step moves Z: it is no direction of the domain, and gradients have zeros there. So F's smoothness is that of the
    other adapter, whatever Z is.

    Attributes:
        inner: the other adapter, around the same W0.

    """

    inner: Adapter

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
        """False: a step does not move Z."""
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
        """The inner adapter's start; nothing is merged yet."""
        return *self.inner.initial(gain, generator), torch.zeros_like(self.W0).unsqueeze(0)

    def diagonal(self, gain: float) -> Point:
        return *self.inner.diagonal(gain), torch.zeros_like(self.W0).unsqueeze(0)

    def restart(self, v: Point, gain: float, generator: torch.Generator) -> Point:
        """A start for each replica, drawn anew, and the Z at which W is what it was."""
        starts = [self.inner.initial(gain, generator) for _ in range(len(v[0]))]
        fresh: Point = tuple(torch.cat(parts) for parts in zip(*starts, strict=True))
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
        return (self.inner.reach(radii) + math.sqrt(min(self.W0.shape)) * radii[BASE_RADIUS]) * ROUND_UP
