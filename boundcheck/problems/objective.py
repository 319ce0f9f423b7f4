"""`Objective`: what a loss f(W) must say of itself, and the noise model that Algorithm 1 samples from.

Every method is batched over a leading replica dimension R; W has shape (R, d, k). All tensors are float64.
"""

from abc import ABC, abstractmethod
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor

from boundcheck.problems.blocks import in_blocks
from boundcheck.problems.constant import Constant

Side: TypeAlias = tuple[Tensor | None, Tensor | None]
r"""A map :math:`M \mapsto PMQ` of gradients in W: P and Q, batched over replicas or not; None is the identity."""


class Survey(NamedTuple):
    r"""What all samples say at a W.

    Attributes:
        loss: f(W), shape (R,).
        gradient: of f at W, shape (R, d, k).
        in_v: for each sample :math:`\sum \|P G_i Q\|_F^2` over the sides that were given, shape (R, n).
        in_w: :math:`\|G_i\|_F^2` of each sample's gradient, shape (R, n).

    """

    loss: Tensor
    gradient: Tensor
    in_v: Tensor
    in_w: Tensor


class Objective(ABC):
    r"""A finite sum :math:`f(W) = \frac1n \sum_i f_i(W)` over matrices, with the constants of its theory.

    Attributes:
        name: what figures and tables call it.
        units: the unit of the loss, for axis labels.
        shape: (d, k), the shape of W.
        samples: n.
        smoothness: L with :math:`\|\nabla f(W_1) - \nabla f(W_2)\|_F \le L \|W_1 - W_2\|_F`.
        gradient_bound: G with :math:`\|\nabla f(W)\|_F \le G` for all W.
        infimum: a lower bound on f.

    """

    name: str
    units: str
    shape: tuple[int, int]
    samples: int
    smoothness: Constant
    gradient_bound: Constant
    infimum: Constant

    @abstractmethod
    def loss(self, W: Tensor) -> Tensor:
        """f(W), shape (R,)."""

    @abstractmethod
    def gradient(self, W: Tensor) -> Tensor:
        """The gradient of f at W, shape (R, d, k)."""

    @abstractmethod
    def batch_gradient(self, W: Tensor, indices: Tensor) -> Tensor:
        """The mean gradient of the samples at `indices`, shape (R, m), each replica with its own: (R, d, k)."""

    @abstractmethod
    def sample_gradients(self, W: Tensor) -> Tensor:
        """The gradient of every f_i at W, shape (R, n, d, k)."""

    @abstractmethod
    def rounding(self, W: Tensor, loss: Tensor) -> tuple[Tensor, Tensor]:
        """Bounds on the rounding errors of `loss`, given as computed, and of `gradient` in Frobenius norm: two of (R,).

        For W itself, as the floats that it holds; the errors that it was computed with are not this method's concern.
        """

    def survey(self, W: Tensor, sides: tuple[Side, ...]) -> Survey:
        """Loss, gradient, and the samples' squared norms, of which one that shares its arithmetic may do better."""

        def survey(part: slice) -> Survey:
            G = self.sample_gradients(W[part]).transpose(1, 2).contiguous()
            return Survey(self.loss(W[part]), self.gradient(W[part]), *square_norms(G, sides_of(sides, part)))

        return in_blocks(survey, len(W), self.samples * W[0].numel())


def square_norms(G: Tensor, sides: tuple[Side, ...]) -> tuple[Tensor, Tensor]:
    """`Survey.in_v` and `Survey.in_w` from the samples' gradients, shape (R, d, n, k): each side is one product."""
    replicas, _, samples, k = G.shape
    in_v = []
    for left, right in sides:
        X = G
        if left is not None:
            X = (left @ X.flatten(2)).view(replicas, -1, samples, k)
        if right is not None:
            X = (X.flatten(1, 2) @ right).view(replicas, X.shape[1], samples, -1)
        in_v.append(X.square().sum((1, 3)))
    return torch.stack(in_v).sum(0), G.square().sum((1, 3))


def sides_of(sides: tuple[Side, ...], part: slice) -> tuple[Side, ...]:
    """The sides of some of the replicas."""
    return tuple((_of(left, part), _of(right, part)) for left, right in sides)


def _of(X: Tensor | None, part: slice) -> Tensor | None:
    return X if X is None or X.ndim == 2 else X[part]
