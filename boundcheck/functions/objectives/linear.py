"""Losses of Wx: least squares, softmax regression, and classifiers with one layer below a fixed
one.
"""

import math
from abc import abstractmethod
from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
from flint import arb, ctx
from pydantic import Field
from torch import Tensor

from boundcheck.exact.balls import upper
from boundcheck.functions import data
from boundcheck.functions.arithmetic import EPSILON, Bounds, Results, in_blocks
from boundcheck.functions.data import Bundled
from boundcheck.functions.objective import (
    Moments,
    Objective,
    ProblemTable,
    Setting,
    mean_of,
    sides_of,
)
from boundcheck.functions.objective import Side as Map
from boundcheck.language.function import Constant
from boundcheck.system.limits import Demand
from boundcheck.system.plugins import is_ours
from boundcheck.system.tables import Count, Real, Seed, Side

Activation = Literal["identity", "tanh"]

# The centred digits have this rank: three of the 64 pixels are always blank.
_DIGITS_RANK = 61
# The factor of the readout with the least cross-entropy at W = I is 6 with 4 components, 16 with
# all of them.
_SHARPNESS = 8.0


class LinearModel(Objective):
    r"""The mean of :math:`f_i(W) = \ell(Wx_i, y_i)`: the gradient of a sample is :math:`\ell'(Wx_i,
    y_i)\, x_i^\top`.

    A subclass says what :math:`\ell` and its derivative in the output Wx are, and gives the
    constants. Samples are the
    last dimension of outputs, which is long: sums over the d outputs of a sample are then additions
    of long rows.
    """

    is_shared = True
    units = "nats"

    # The id of a run has what its function holds, in the order in which it was set: another order
    # is another id.
    def __init__(self, name: str, X: np.ndarray, targets: np.ndarray, device: str) -> None:
        """Take X, shape (n, k), and the y of each sample, shape (n, outputs), which are float64."""
        self.name = name
        self.samples = len(X)
        self._X = torch.tensor(X, device=device)
        self._targets = torch.tensor(targets, device=device)
        self._square_norms = self._X.square().sum(1)
        self._mean_norm, self._mean_square = (
            self._square_norms.sqrt().mean().item(),
            self._square_norms.mean().item(),
        )

    @property
    def widest(self) -> int:
        """The number of outputs of one replica: a survey is made from them, and from no gradient of
        a sample.
        """
        return self.samples * max(self.shape[0], self._targets.shape[1])

    @abstractmethod
    def _losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The loss of each sample, shape (R, n), from outputs of shape (R, d, n) and targets of
        shape (..., d, n).
        """

    @abstractmethod
    def _residuals(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The gradient of each sample's loss in its output, shape (R, d, n), from the same
        arguments.
        """

    def _in_blocks(self, f: Callable[[slice, Tensor], Results], W: Tensor) -> Results:
        """Join what f gives for some of the replicas and their outputs."""
        return in_blocks(lambda part: f(part, W[part] @ self._X.mT), W, self.samples * W.shape[1])

    def loss(self, W: Tensor) -> Tensor:
        return self._in_blocks(
            lambda _, outputs: self._losses(outputs, self._targets.mT).mean(-1), W
        )

    def gradient(self, W: Tensor) -> Tensor:
        r""":math:`\frac1n R X` with the residuals as the columns of R, shape (R, d, k)."""
        return self._in_blocks(
            lambda _, outputs: self._residuals(outputs, self._targets.mT) @ self._X / self.samples,
            W,
        )

    def batch_gradient(self, W: Tensor, indices: Tensor) -> Tensor:
        def gradient(part: slice) -> Tensor:
            # Whole rows are copied: general indexing goes number by number.
            chosen = indices[part].flatten()
            batch = indices.shape[1]
            X, targets = (
                table.index_select(0, chosen).view(-1, batch, table.shape[1])
                for table in (self._X, self._targets)
            )
            return self._residuals(W[part] @ X.mT, targets.mT) @ X / batch

        return in_blocks(gradient, W, indices.shape[1] * W.shape[2])

    def mean_of_samples(self, W: Tensor, indices: Tensor) -> Tensor:
        # This package's own minibatches are made of these gradients.
        own = is_ours(self)
        return (
            LinearModel.batch_gradient(self, W, indices)
            if own
            else super().mean_of_samples(W, indices)
        )

    def sample_gradients(self, W: Tensor) -> Tensor:
        """The outer products of residuals and x, shape (R, n, d, k)."""
        return self._residuals(W @ self._X.mT, self._targets.mT).mT.unsqueeze(
            -1
        ) * self._X.unsqueeze(-2)

    def survey(self, W: Tensor, sides: tuple[Map, ...], among: Tensor | None = None) -> Moments:
        r"""`Objective.survey`; the norm of :math:`P\,r x^\top Q` is that of Pr times that of
        :math:`Q^\top x`.
        """

        def survey(part: slice, outputs: Tensor) -> Moments:
            residuals = self._residuals(outputs, self._targets.mT)
            squares = residuals.square().sum(-2)
            in_v = []
            for left, right in sides_of(sides, part):
                rows = squares if left is None else (left @ residuals).square().sum(-2)
                in_v.append(
                    rows
                    * (
                        self._square_norms
                        if right is None
                        else (right.mT @ self._X.mT).square().sum(-2)
                    )
                )
            loss = self._losses(outputs, self._targets.mT).mean(-1)
            gradient = residuals @ self._X / self.samples
            each = torch.stack(in_v).sum(0), squares * self._square_norms
            of_v, of_w = (mean_of(x, among, part) for x in each)
            return Moments(loss, gradient, of_v, of_w, gradient)

        return self._in_blocks(survey, W)


class LeastSquares(LinearModel):
    r"""Linear regression, :math:`f(W) = \frac1{2n}\sum_i \|Wx_i - y_i\|^2`.

    The Hessian is :math:`I \otimes X^\top X / n` everywhere, so :math:`L = \lambda_{\max}(X^\top X
    / n)` cannot be made smaller; gradients are unbounded; and f is at least 0.
    """

    is_convex = True
    units = "loss units"

    def __init__(self, X: np.ndarray, Y: np.ndarray, device: str = "cpu") -> None:
        """Take data X, shape (n, k), and targets Y, shape (n, d)."""
        super().__init__("least squares", X, Y, device)
        self.shape = (Y.shape[1], X.shape[1])
        self._target_size = self._targets.square().sum(1).mean().sqrt().item()
        self.smoothness = data.linear_smoothness(X)
        unbounded = (
            "unbounded over all W; on a ball it follows from L and the gradient at its centre"
        )
        self.gradient_bound = Constant(math.inf, "certified", unbounded)
        least = math.nextafter(data.smallest_gram_eigenvalue(X) / self.samples, 0.0)
        if least > 0:
            how = "smallest eigenvalue of X^T X / n, bounded below with Arb"
            self.strong_convexity = Constant(least, "certified", how)
        self.infimum = Constant(0.0, "certified", "squares are nonnegative")

    def rounding(self, W: Tensor, loss: Tensor) -> Bounds:
        r"""A residual is off by :math:`e = (k + 4)\epsilon(\|W\|\|x\| + \|y\|)` at most; a square
        by 2 |r| e + e^2.

        Means over samples are root mean squares here, by Cauchy-Schwarz; that of the residuals is
        sqrt(2 f).
        """
        d, k = self.shape
        x = math.sqrt(self._mean_square)
        size = torch.linalg.matrix_norm(W)
        error = (k + 4) * EPSILON * (size * x + self._target_size)
        residual = (2 * loss).sqrt()
        loss_error = (self.samples + d + 32) * EPSILON * loss + residual * error + error.square()
        return loss_error, x * (error + (self.samples + 32) * EPSILON * residual)

    def _losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return (outputs - targets).square().sum(-2) / 2

    def _residuals(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return outputs - targets


class LeastSquaresSpec(ProblemTable):
    """Least squares on synthetic data, whose gradient is bounded on a ball only."""

    kind: Literal["least-squares"]
    d: Side = 8
    """rows of W"""
    k: Side = 8
    """columns of W"""
    samples: Count = 64
    """n"""
    noise: Real = 1.0
    """standard deviation of the noise of targets"""
    seed: Seed = 0
    """of the data"""

    def demands(self) -> tuple[Demand, ...]:
        """The memory for features and targets, drawn and kept, and for features as balls, from
        which L is certified.
        """
        numbers = 4 * 8 * (self.d + self.k + 1) + 12 * 8 * (self.k + 1)
        return (Demand("problem.samples", self.samples, numbers * self.samples),)

    def build(self, setting: Setting) -> LeastSquares:
        """Targets y = M x + noise: x standard Gaussian, entries of M N(0, 1/k), and Gaussian noise.

        So an entry of y has variance 1 + noise^2.
        """
        random = np.random.default_rng(self.seed)
        k = self.k + setting.bias
        X = random.standard_normal((self.samples, k))
        M = random.standard_normal((self.d, k)) / math.sqrt(k)
        noise = self.noise * random.standard_normal((self.samples, self.d))
        return LeastSquares(X, X @ M.T + noise, setting.device)


class SoftmaxRegression(LinearModel):
    r"""The mean cross-entropy :math:`f(W) = \frac1n\sum_i \log\sum_j e^{(Wx_i)_j} - (Wx_i)_{y_i}`
    of a linear model.

    The Hessian is the mean of :math:`(\mathrm{diag}(p) - pp^\top) \otimes x_i x_i^\top` and the
    first factor is at most 1/2, so :math:`L = \lambda_{\max}(X^\top X / n)/2`; a sample's gradient
    :math:`(p - e_y) x^\top` has norm at most :math:`\sqrt2\|x\|`, so :math:`G = \sqrt2` times the
    mean of the norms; and f is at least 0.
    """

    is_convex = True

    def __init__(self, name: str, X: np.ndarray, labels: np.ndarray, device: str = "cpu") -> None:
        """Take data X, shape (n, k), and labels 0..d-1, shape (n,)."""
        classes = int(labels.max()) + 1
        super().__init__(name, X, np.eye(classes)[labels], device)
        self.shape = (classes, X.shape[1])
        self.smoothness = data.linear_smoothness(X, 2)
        how = "sqrt(2) times the mean norm of x, rounded up with Arb"
        value = upper(data.mean_row_norm(X) * arb(2).sqrt())
        self.gradient_bound = Constant(value, "certified", how)
        self.infimum = Constant(0.0, "certified", "cross-entropy is nonnegative")

    def rounding(self, W: Tensor, loss: Tensor) -> Bounds:
        r"""Errors of logits, at most :math:`k \epsilon \|W\| \|x\|`, through log-sum-exp and
        softmax; then of sums.
        """
        d, k = self.shape
        size = torch.linalg.matrix_norm(W)
        x = self._mean_norm
        x_square = self._mean_square
        loss_error = (
            (2 * k + 2 * d + 64) * size * x
            + (d + 64) * (math.log(d) + 1)
            + (self.samples + 32) * loss.abs()
        )
        gradient_error = (
            k * math.sqrt(d) * size * x_square + (d + 32 + self.samples) * math.sqrt(2) * x
        )
        return EPSILON * loss_error, EPSILON * gradient_error

    def _losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return outputs.logsumexp(-2) - (outputs * targets).sum(-2)

    def _residuals(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return torch.softmax(outputs, -2) - targets


class DataSpec(ProblemTable):
    """Softmax regression on scikit-learn's digits (10 classes, 64 pixels) or breast cancer (2
    classes, 30 features).
    """

    kind: Bundled

    def build(self, setting: Setting) -> SoftmaxRegression:
        return SoftmaxRegression(self.kind, *data.data_of(self.kind, setting.bias), setting.device)


class ReadoutNetwork(LinearModel):
    r"""The mean cross-entropy of the logits :math:`U\varphi(Wx_i)`: W is trained, U is fixed, φ
    acts on each entry.

    With :math:`z = Wx` and p the probabilities, a sample's gradient is :math:`\varphi'(z) \odot
    U^\top(p - e_y)` times :math:`x^\top`. Its Hessian in z, with :math:`H = \mathrm{diag}(p) -
    pp^\top`, is

    .. math:: \mathrm{diag}(\varphi')\, U^\top H U\, \mathrm{diag}(\varphi') +
        \mathrm{diag}(\varphi'' \odot U^\top(p - e_y)).

    Here :math:`\|H\| \le 1/2` and :math:`|\varphi'| \le 1`. The second term is 0 for the identity;
    for tanh :math:`|\varphi''| \le 4/(3\sqrt3)`, and entry j of :math:`U^\top(p - e_y)` is a convex
    combination of differences of entries of column j of U, at most the column's range. So

    .. math:: L = \Bigl(\tfrac12\|U\|_{op}^2 + \tfrac4{3\sqrt3} \max_j \max_{c, c'} |U_{cj} -
        U_{c'j}|\Bigr)\, \lambda_{\max}(X^\top X / n),

    and :math:`G = \sqrt2 \|U\|_{op}` times the mean of the norms of x, because :math:`\|p - e_y\|
    \le \sqrt2`; and f is at least 0. With the identity f is convex.
    """

    def __init__(
        self,
        name: str,
        X: np.ndarray,
        labels: np.ndarray,
        U: np.ndarray,
        activation: Activation,
        device: str = "cpu",
    ) -> None:
        """Take data X, shape (n, k), labels from 0, shape (n,), and U, shape (classes, h), so W is
        of shape (h, k).
        """
        super().__init__(name, X, np.eye(len(U))[labels], device)
        self.activation = activation
        self.shape = (U.shape[1], X.shape[1])
        self._readout = torch.tensor(U, device=device)
        with ctx.workprec(128):
            # U^T U and U U^T have the same largest eigenvalue.
            square = arb(data.largest_gram_eigenvalue(U if U.shape[1] <= len(U) else U.T))
            curvature = square / 2
            if activation == "tanh":
                columns = zip(U.max(0).tolist(), U.min(0).tolist(), strict=True)
                curvature += (
                    4
                    / (3 * arb(3).sqrt())
                    * arb(max(upper(arb(high) - arb(low)) for high, low in columns))
                )
            smoothness = curvature * arb(data.largest_gram_eigenvalue(X)) / self.samples
            gradient_bound = (2 * square).sqrt() * data.mean_row_norm(X)
        # In the operator norm, and in that of Frobenius.
        self._readout_norms = (upper(square.sqrt()), self._readout.norm().item())
        bend = f"the largest curvature of cross-entropy under U and {activation}"
        how = f"{bend}, times the largest eigenvalue of X^T X / n, bounded above with Arb"
        self.smoothness = Constant(upper(smoothness), "certified", how)
        how = "sqrt(2) times the operator norm of U times the mean norm of x, rounded up with Arb"
        self.gradient_bound = Constant(upper(gradient_bound), "certified", how)
        self.infimum = Constant(0.0, "certified", "cross-entropy is nonnegative")

    def rounding(self, W: Tensor, loss: Tensor) -> Bounds:
        r"""Errors of logits, at most :math:`\epsilon((k + 4)\|U\|_{op} + h\|U\|_F) \|W\| \|x\|`;
        then as in softmax.

        A gradient is U times a softmax, which is off by half as much as its logits, times φ', which
        is off by at most as much as z.
        """
        h, k = self.shape
        classes = len(self._readout)
        size = torch.linalg.matrix_norm(W)
        x = self._mean_norm
        x_square = self._mean_square
        U, U_frobenius = self._readout_norms
        logits = (k + 4) * U + h * U_frobenius
        loss_error = (2 * logits + (2 * classes + 64) * U) * size * x + (classes + 64) * (
            math.log(classes) + 1
        )
        loss_error = loss_error + (self.samples + 32) * loss.abs()
        gradient_error = U * (logits / 2 + 2 * k) * size * x_square
        gradient_error = (
            gradient_error + (2 * classes + 32 + self.samples) * math.sqrt(2) * U_frobenius * x
        )
        return EPSILON * loss_error, EPSILON * gradient_error

    def _losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        logits = self._readout @ self._activated(outputs)
        return logits.logsumexp(-2) - (logits * targets).sum(-2)

    def _residuals(self, outputs: Tensor, targets: Tensor) -> Tensor:
        hidden = self._activated(outputs)
        back = self._readout.mT @ (torch.softmax(self._readout @ hidden, -2) - targets)
        return back if self.activation == "identity" else back * (1 - hidden.square())

    def _activated(self, outputs: Tensor) -> Tensor:
        return outputs if self.activation == "identity" else torch.tanh(outputs)


class TwoLayerSpec(ProblemTable):
    """The first layer of a two-layer tanh network on digits, its second one fixed at random."""

    kind: Literal["two-layer"]
    hidden: Side = 16
    """rows of W: hidden units"""
    seed: Seed = 0
    """of the second layer"""

    def build(self, setting: Setting) -> ReadoutNetwork:
        """A network with W of shape (hidden, 64), or 65 with bias; entries of the readout are N(0,
        1/hidden).
        """
        X, labels = data.data_of("digits", setting.bias)
        random = np.random.default_rng(self.seed)
        readout = random.standard_normal((int(labels.max()) + 1, self.hidden)) / math.sqrt(
            self.hidden
        )
        return ReadoutNetwork("digits network", X, labels, readout, "tanh", setting.device)


class ReadoutSpec(ProblemTable):
    """An edit of digits' principal components h, W h or W [h; 1], before a fixed readout; W0 is the
    identity.
    """

    kind: Literal["readout"]
    components: int = Field(default=16, ge=1, le=_DIGITS_RANK)
    """how many principal components"""
    starts_at_identity = True

    def build(self, setting: Setting) -> ReadoutNetwork:
        """Fine-tuning of a representation h of the digits under a fixed classifier: logits U W h,
        or U W [h; 1].

        h are the first principal components of the centred digits, scaled to mean square norm 1;
        row c of U is 8 times the mean of h over class c. So W = I is a classifier by class means:
        of the digits it gets 68 % right with 4 components and 86 % with 16. The factor 8 decides
        how sure it is, and the cross-entropy at W = I is near the least that any factor gives. W -
        I, or W - [I 0], is an edit of h.
        """
        X, labels = data.data_of("digits")
        axes = np.linalg.svd(X, full_matrices=False)[2][: self.components]
        # An axis has no sign of its own: its largest entry is made positive.
        largest = np.abs(axes).argmax(axis=1)
        h = X @ (axes * np.sign(axes[np.arange(self.components), largest])[:, None]).T
        h = h / np.sqrt(np.square(h).sum(axis=1).mean())
        readout = _SHARPNESS * np.stack(
            [h[labels == c].mean(axis=0) for c in range(int(labels.max()) + 1)]
        )
        features = data.with_ones(h) if setting.bias else h
        return ReadoutNetwork(
            "digits readout", features, labels, readout, "identity", setting.device
        )
