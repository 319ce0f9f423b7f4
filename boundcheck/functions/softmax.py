"""Softmax (multinomial logistic) regression."""

import math

import numpy as np
import torch
from torch import Tensor

from boundcheck.functions.certify import linear_gradient_bound, linear_smoothness
from boundcheck.functions.constant import EPSILON, Constant
from boundcheck.functions.datasets import Bundled, checked_features, checked_labels, data_of
from boundcheck.functions.least_squares import LinearModel
from boundcheck.functions.tables import ProblemTable, Setting


class SoftmaxRegression(LinearModel):
    r"""The mean cross-entropy :math:`f(W) = \frac1n\sum_i \log\sum_j e^{(Wx_i)_j} - (Wx_i)_{y_i}` of a linear model.

    The Hessian is the mean of :math:`(\mathrm{diag}(p) - pp^\top) \otimes x_i x_i^\top` and the first factor is at
    most 1/2, so :math:`L = \lambda_{\max}(X^\top X / n)/2`; a sample's gradient :math:`(p - e_y) x^\top` has norm at
    most :math:`\sqrt2\|x\|`, so :math:`G = \sqrt2` times the mean of the norms; and f is at least 0.
    """

    is_convex = True
    units = "nats"

    def __init__(self, name: str, X: np.ndarray, labels: np.ndarray, device: str = "cpu") -> None:
        """Take data X, shape (n, k), and labels 0..d-1, shape (n,)."""
        X = checked_features(X)
        labels = checked_labels(labels, len(X))
        classes = int(labels.max()) + 1
        super().__init__(name, X, np.eye(classes)[labels], device)
        self.shape = (classes, X.shape[1])
        self.smoothness = linear_smoothness(X, 2)
        self.gradient_bound = linear_gradient_bound(X, 2, "2")
        self.infimum = Constant(0.0, "certified", "cross-entropy is nonnegative")

    def rounding(self, W: Tensor, loss: Tensor) -> tuple[Tensor, Tensor]:
        r"""Errors of logits, at most :math:`k \epsilon \|W\| \|x\|`, through log-sum-exp and softmax; then of sums."""
        d, k = self.shape
        size = torch.linalg.matrix_norm(W)
        x, x_square = self._mean_norm, self._mean_square
        loss_error = (2 * k + 2 * d + 64) * size * x + (d + 64) * (math.log(d) + 1) + (self.samples + 32) * loss.abs()
        gradient_error = k * math.sqrt(d) * size * x_square + (d + 32 + self.samples) * math.sqrt(2) * x
        return EPSILON * loss_error, EPSILON * gradient_error

    def _losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return outputs.logsumexp(-2) - (outputs * targets).sum(-2)

    def _residuals(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return torch.softmax(outputs, -2) - targets


class DataSpec(ProblemTable):
    """Softmax regression on scikit-learn's digits (10 classes, 64 pixels) or breast cancer (2 classes, 30 features)."""

    kind: Bundled

    def build(self, setting: Setting) -> SoftmaxRegression:
        """The regression, on [h; 1] where W acts on that."""
        return SoftmaxRegression(self.kind, *data_of(self.kind, setting.bias), setting.device)
