"""`Problem`: F(v) = f(W(v)), an objective seen through an adapter, batched over replicas."""

from dataclasses import dataclass

import torch
from torch import Tensor

from boundcheck.errors import InputError
from boundcheck.problems.adapter import LoRA, Point
from boundcheck.problems.constant import EPSILON
from boundcheck.problems.objective import Objective


@dataclass(frozen=True)
class Problem:
    """What Algorithm 1 minimises, and what its hypotheses speak of."""

    objective: Objective
    adapter: LoRA

    def __post_init__(self) -> None:
        """Refuse an adapter whose W0 has another shape than the objective's W, which would broadcast."""
        if tuple(self.adapter.W0.shape) != tuple(self.objective.shape):
            raise InputError("adapter.W0", f"of shape {tuple(self.adapter.W0.shape)}", f"shape {self.objective.shape}")

    def loss(self, v: Point) -> Tensor:
        """F(v), shape (R,)."""
        return self.objective.loss(self.adapter.weight(v))

    def weight_gradient(self, v: Point) -> Tensor:
        """The gradient of f at W(v), shape (R, d, k)."""
        return self.objective.gradient(self.adapter.weight(v))

    def gradient(self, v: Point) -> Point:
        """The gradient of F at v, in the shapes of v."""
        return self.adapter.pull_back(v, self.weight_gradient(v))

    def batch_gradient(self, v: Point, indices: Tensor) -> Point:
        """The minibatch gradient g of Algorithm 1, line 3, for indices of shape (R, m)."""
        return self.adapter.pull_back(v, self.objective.batch_gradient(self.adapter.weight(v), indices))

    def sample_variance(self, v: Point) -> Tensor:
        r"""The exact variance of one sample's gradient, :math:`\frac1n\sum_i\|g_i\|^2 - \|\nabla F(v)\|^2`, (R,).

        A minibatch of m samples drawn with replacement has this variance over m.
        """
        moments = self.objective.second_moments(self.adapter.weight(v))
        return self.adapter.mean_square_pull_back(v, moments) - square_norm(self.gradient(v))

    def trivial_bound(self, radii: tuple[float, float]) -> float:
        r"""What is known of :math:`\|\nabla F\|^2` on the ball without any theorem: :math:`J^2 G^2`."""
        largest = self.adapter.jacobian_bound(*radii) * self.objective.gradient_bound.value
        # Not a power, which raises where a product overflows to infinity.
        return largest * largest

    def rounding(self, v: Point, loss: Tensor) -> tuple[Tensor, Tensor]:
        r"""Bounds on the rounding errors of `loss`, given as computed, and `gradient` at v: two of shape (R,).

        W is computed to within :math:`e_W = (r + 4)\epsilon(\|W_0\|_F + s\|B\|_F\|A\|_F)`, which moves the loss by at
        most :math:`G e_W` and its gradient by :math:`L e_W`; the objective's own errors come on top.
        """
        A, B = (torch.linalg.matrix_norm(part) for part in v)
        s, G, L = self.adapter.scale, self.objective.gradient_bound.value, self.objective.smoothness.value
        weight_error = (self.adapter.rank + 4) * EPSILON * (torch.linalg.matrix_norm(self.adapter.W0) + s * A * B)
        loss_error, gradient_error = self.objective.rounding(self.adapter.weight(v), loss)
        products = EPSILON * (sum(self.objective.shape) + 4) * G
        return loss_error + G * weight_error, s * (A + B) * (gradient_error + L * weight_error + products)


def square_norm(v: Point) -> Tensor:
    """The squared Euclidean norm of a point or gradient, summed over all of its parts: shape (R,)."""
    return torch.stack([part.square().sum((-2, -1)) for part in v]).sum(0)


def inner(u: Point, v: Point) -> Tensor:
    """The Euclidean inner product of two points or gradients, shape (R,)."""
    return torch.stack([(x * y).sum((-2, -1)) for x, y in zip(u, v, strict=True)]).sum(0)


def spectral_norm(X: Tensor) -> Tensor:
    """The largest singular value of each matrix in a batch, from the eigenvalues of its smaller Gram matrix.

    The largest singular value loses nothing to squaring, and a rank-r factor costs an r x r eigenproblem. Entries are
    scaled to at most 1 first, so that no square overflows; a matrix with an entry that is no number has norm infinity.
    """
    size = X.abs().amax((-2, -1))
    lost = ~torch.isfinite(size)
    scale = torch.where(lost | (size == 0), 1.0, size)
    scaled = (X / scale[..., None, None]).nan_to_num(0.0, 0.0, 0.0)
    gram = scaled @ scaled.mT if X.shape[-2] <= X.shape[-1] else scaled.mT @ scaled
    return torch.where(lost, torch.inf, torch.linalg.eigvalsh(gram)[..., -1].clamp(min=0).sqrt() * scale)
