"""`Objective`: what a loss f(W) must say of itself, and the noise model that Algorithm 1 samples from.

Every method is batched over a leading replica dimension R; W has shape (R, d, k). All tensors are float64.
"""

from typing import Protocol

from torch import Tensor

from boundcheck.problems.constant import Constant


class Objective(Protocol):
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

    def loss(self, W: Tensor) -> Tensor:
        """f(W), shape (R,)."""
        ...

    def gradient(self, W: Tensor) -> Tensor:
        """The gradient of f at W, shape (R, d, k)."""
        ...

    def batch_gradient(self, W: Tensor, indices: Tensor) -> Tensor:
        """The mean gradient of the samples at `indices`, shape (R, m), each replica with its own: (R, d, k)."""
        ...

    def sample_gradients(self, W: Tensor) -> Tensor:
        """The gradient of every f_i at W, shape (R, n, d, k)."""
        ...

    def rounding(self, W: Tensor, loss: Tensor) -> tuple[Tensor, Tensor]:
        """Bounds on the rounding errors of `loss`, given as computed, and of `gradient` in Frobenius norm: two of (R,).

        For W itself, as the floats that it holds; the errors that it was computed with are not this method's concern.
        """
        ...

    def second_moments(self, W: Tensor) -> tuple[Tensor, Tensor]:
        r"""Row and column second moments of the sample gradients.

        Returns:
            :math:`\frac1n\sum_i G_i G_i^\top`, shape (R, d, d), and :math:`\frac1n\sum_i G_i^\top G_i`, (R, k, k).

        """
        ...
