"""Logistic regression, one class against the rest: the binary cross-entropies of a linear model."""

import math
from typing import Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from boundcheck.functions.certify import linear_gradient_bound, linear_smoothness
from boundcheck.functions.constant import EPSILON, Constant
from boundcheck.functions.datasets import Bundled, checked_features, checked_labels, data_of
from boundcheck.functions.least_squares import LinearModel
from boundcheck.functions.tables import ProblemTable, Setting


class LogisticRegression(LinearModel):
    r"""The mean over samples of :math:`\sum_j \log(1 + e^{-t_{ij} (Wx_i)_j})`, with :math:`t_{ij} = \pm1`.

    Row j tells class j, +1, from the rest, -1. Two classes or fewer need one row only, which tells class 1 from 0.

    The second derivative of each term is at most 1/4, and is 1/4 at W = 0, so
    :math:`L = \lambda_{\max}(X^\top X / n)/4` cannot be made smaller. A sample's gradient is an outer product with x
    of numbers between -1 and 1, so :math:`G = \sqrt d` times the mean of the norms of x; and f is at least 0.
    """

    is_convex = True
    units = "nats"

    def __init__(self, name: str, X: np.ndarray, labels: np.ndarray, device: str = "cpu") -> None:
        """Take data X, shape (n, k), and labels from 0, shape (n,)."""
        X = checked_features(X)
        labels = checked_labels(labels, len(X))
        classes = int(labels.max()) + 1
        # The class that each row calls +1.
        rows = np.arange(classes) if classes > 2 else np.array([1])
        super().__init__(name, X, np.where(labels[:, None] == rows, 1.0, -1.0), device)
        self.shape = (len(rows), X.shape[1])
        self.smoothness = linear_smoothness(X, 4)
        self.gradient_bound = linear_gradient_bound(X, len(rows), "d")
        self.infimum = Constant(0.0, "certified", "cross-entropy is nonnegative")

    def rounding(self, W: Tensor, loss: Tensor) -> tuple[Tensor, Tensor]:
        r"""Errors of Wx, at most :math:`k \epsilon \|W\| \|x\|`, through functions of slope at most 1; then of sums."""
        d, k = self.shape
        size = torch.linalg.matrix_norm(W)
        root = math.sqrt(d)
        loss_error = k * root * size * self._mean_norm + (self.samples + d + 32) * loss
        gradient_error = k * size * self._mean_square + (self.samples + 32) * root * self._mean_norm
        return EPSILON * loss_error, EPSILON * gradient_error

    def _losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        # Not softplus, which Torch cuts off.
        return -torch.nn.functional.logsigmoid(targets * outputs).sum(-2)

    def _residuals(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return -targets * torch.sigmoid(-targets * outputs)


class LogisticSpec(ProblemTable):
    """Logistic regression, one class against the rest, on scikit-learn's data."""

    kind: Literal["logistic"]
    data: Bundled = Field(
        default="breast-cancer", description="`digits`, each class against the rest, or `breast-cancer`"
    )

    def build(self, setting: Setting) -> LogisticRegression:
        """The regression, on [h; 1] where W acts on that."""
        return LogisticRegression(f"logistic, {self.data}", *data_of(self.data, setting.bias), setting.device)
