"""Linear models, which are losses of W x, and the simplest of them: least squares, whose Hessian is constant."""

import math
from abc import abstractmethod
from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from boundcheck.errors import InputError
from boundcheck.functions.blocks import Results, in_blocks
from boundcheck.functions.certify import linear_smoothness, smallest_gram_eigenvalue
from boundcheck.functions.constant import EPSILON, Constant
from boundcheck.functions.datasets import checked_features, checked_matrix
from boundcheck.functions.objective import Moments, Objective, mean_of, sides_of, some
from boundcheck.functions.objective import Side as Map
from boundcheck.functions.tables import ProblemTable, Setting
from boundcheck.system.limits import Demand
from boundcheck.system.tables import Count, Real, Seed, Side


class LinearModel(Objective):
    r"""The mean of :math:`f_i(W) = \ell(Wx_i, y_i)`: the gradient of a sample is :math:`\ell'(Wx_i, y_i)\, x_i^\top`.

    A subclass says what :math:`\ell` and its derivative in the output Wx are, and gives the constants. Samples are the
    last dimension of outputs, which is long: sums over the d outputs of a sample are then additions of long rows.
    """

    is_shared = True

    def __init__(self, name: str, X: np.ndarray, targets: np.ndarray, device: str) -> None:
        """Take X, shape (n, k), and the y of each sample, shape (n, outputs), which are float64."""
        self.name = name
        self.samples = len(X)
        self._X = torch.tensor(X, device=device)
        self._targets = torch.tensor(targets, device=device)
        norms = self._X.square().sum(1)
        self._square_norms = norms
        self._mean_norm, self._mean_square = norms.sqrt().mean().item(), norms.mean().item()

    @property
    def widest(self) -> int:
        """The number of outputs of one replica: a survey is made from them, and from no gradient of a sample."""
        return self.samples * max(self.shape[0], self._targets.shape[1])

    @abstractmethod
    def _losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The loss of each sample, shape (R, n), from outputs of shape (R, d, n) and targets of shape (..., d, n)."""

    @abstractmethod
    def _residuals(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The gradient of each sample's loss in its output, shape (R, d, n), from the same arguments."""

    @abstractmethod
    def rounding(self, W: Tensor, loss: Tensor) -> tuple[Tensor, Tensor]:
        """Bounds on the rounding errors of `loss`, given as computed, and of `gradient`: two of (R,)."""

    def loss(self, W: Tensor) -> Tensor:
        """f(W), shape (R,)."""
        return self._in_blocks(lambda part: self._losses(W[part] @ self._X.mT, self._targets.mT).mean(-1), W)

    def gradient(self, W: Tensor) -> Tensor:
        r""":math:`\frac1n R X` with the residuals as the columns of R, shape (R, d, k)."""
        return self._in_blocks(lambda part: self._all_residuals(W[part]) @ self._X / self.samples, W)

    def batch_gradient(self, W: Tensor, indices: Tensor) -> Tensor:
        """The mean of the samples' gradients over each replica's own minibatch, shape (R, d, k)."""

        def gradient(part: slice) -> Tensor:
            # Whole rows are copied: general indexing goes number by number.
            chosen, batch = indices[part].flatten(), indices.shape[1]
            X, targets = (
                table.index_select(0, chosen).view(-1, batch, table.shape[1]) for table in (self._X, self._targets)
            )
            return self._residuals(W[part] @ X.mT, targets.mT) @ X / batch

        return in_blocks(gradient, W, indices.shape[1] * W.shape[2])

    def sample_gradients(self, W: Tensor) -> Tensor:
        """The outer products of residuals and x, shape (R, n, d, k)."""
        return self._all_residuals(W).mT.unsqueeze(-1) * self._X.unsqueeze(-2)

    def survey(self, W: Tensor, sides: tuple[Map, ...], among: Tensor | None = None) -> Moments:
        r"""`Objective.survey`; the norm of :math:`P\,r x^\top Q` is that of Pr times that of :math:`Q^\top x`."""

        def survey(part: slice) -> Moments:
            outputs = W[part] @ self._X.mT
            residuals = self._residuals(outputs, self._targets.mT)
            squares, in_v = residuals.square().sum(-2), []
            for left, right in sides_of(sides, part):
                rows = squares if left is None else (left @ residuals).square().sum(-2)
                in_v.append(rows * (self._square_norms if right is None else (right.mT @ self._X.mT).square().sum(-2)))
            loss, gradient = self._losses(outputs, self._targets.mT).mean(-1), residuals @ self._X / self.samples
            each = torch.stack(in_v).sum(0), squares * self._square_norms
            return Moments(loss, gradient, *(mean_of(x, some(among, part)) for x in each))

        return self._in_blocks(survey, W)

    def _in_blocks(self, f: Callable[[slice], Results], W: Tensor) -> Results:
        return in_blocks(f, W, self.samples * W.shape[1])

    def _all_residuals(self, W: Tensor) -> Tensor:
        return self._residuals(W @ self._X.mT, self._targets.mT)


class LeastSquares(LinearModel):
    r"""Linear regression, :math:`f(W) = \frac1{2n}\sum_i \|Wx_i - y_i\|^2`.

    The Hessian is :math:`I \otimes X^\top X / n` everywhere, so :math:`L = \lambda_{\max}(X^\top X / n)` cannot be
    made smaller; gradients are unbounded; and f is at least 0.
    """

    is_convex = True
    units = "loss units"

    def __init__(self, X: np.ndarray, Y: np.ndarray, device: str = "cpu") -> None:
        """Take data X, shape (n, k), and targets Y, shape (n, d)."""
        X = checked_features(X)
        expected = f"a finite matrix of {len(X)} rows, one a sample"
        Y = checked_matrix("Y", Y, expected)
        if len(Y) != len(X):
            raise InputError("Y", f"array of shape {Y.shape}", expected)
        super().__init__("least squares", X, Y, device)
        self.shape = (Y.shape[1], X.shape[1])
        self._target_size = self._targets.square().sum(1).mean().sqrt().item()
        self.smoothness = linear_smoothness(X)
        self.gradient_bound = Constant(
            math.inf,
            "certified",
            "unbounded over all W; on a ball it follows from L and the gradient at its centre",
        )
        least = math.nextafter(smallest_gram_eigenvalue(X) / self.samples, 0.0)
        if least > 0:
            how = "smallest eigenvalue of X^T X / n, bounded below with Arb"
            self.strong_convexity = Constant(least, "certified", how)
        self.infimum = Constant(0.0, "certified", "squares are nonnegative")

    def rounding(self, W: Tensor, loss: Tensor) -> tuple[Tensor, Tensor]:
        r"""A residual is off by :math:`e = (k + 4)\epsilon(\|W\|\|x\| + \|y\|)` at most; a square by 2 |r| e + e^2.

        Means over samples are root mean squares here, by Cauchy-Schwarz; that of the residuals is sqrt(2 f).
        """
        d, k = self.shape
        x, size = math.sqrt(self._mean_square), torch.linalg.matrix_norm(W)
        error = (k + 4) * EPSILON * (size * x + self._target_size)
        residual = (2 * loss).sqrt()
        loss_error = (self.samples + d + 32) * EPSILON * loss + residual * error + error.square()
        return loss_error, x * (error + (self.samples + 32) * EPSILON * residual)

    def _losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return (outputs - targets).square().sum(-2) / 2

    def _residuals(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return outputs - targets


def synthetic_regression(d: int, k: int, samples: int, noise: float, seed: int, device: str = "cpu") -> LeastSquares:
    """Targets y = M x + noise: x standard Gaussian, entries of M N(0, 1/k), and Gaussian noise of size `noise`.

    So an entry of y has variance 1 + noise^2.
    """
    random = np.random.default_rng(seed)
    X, M = random.standard_normal((samples, k)), random.standard_normal((d, k)) / math.sqrt(k)
    return LeastSquares(X, X @ M.T + noise * random.standard_normal((samples, d)), device)


class LeastSquaresSpec(ProblemTable):
    """Least squares on synthetic data, whose gradient is bounded on a ball only."""

    kind: Literal["least-squares"]
    d: Side = Field(default=8, description="rows of W")
    k: Side = Field(default=8, description="columns of W")
    samples: Count = Field(default=64, description="n")
    noise: Real = Field(default=1.0, description="standard deviation of the noise of targets")
    seed: Seed = Field(default=0, description="of the data")

    def demands(self) -> tuple[Demand, ...]:
        """The memory for features and targets, drawn and kept, and for features as balls, from which L is certified."""
        numbers = 4 * 8 * (self.d + self.k + 1) + 12 * 8 * (self.k + 1)
        return (Demand("problem.samples", self.samples, numbers * self.samples),)

    def build(self, setting: Setting) -> LeastSquares:
        """See `synthetic_regression`."""
        columns = self.k + setting.bias
        return synthetic_regression(self.d, columns, self.samples, self.noise, self.seed, setting.device)
