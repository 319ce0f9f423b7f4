"""Classifiers with one trained layer under a fixed readout: two-layer networks, and fine-tuning of a representation."""

import math
from typing import ClassVar, Literal

import numpy as np
import torch
from flint import arb, ctx
from pydantic import Field
from torch import Tensor

from boundcheck.errors import InputError
from boundcheck.exact.balls import upper
from boundcheck.functions.certify import largest_gram_eigenvalue, mean_row_norm
from boundcheck.functions.constant import EPSILON, Constant
from boundcheck.functions.datasets import checked_features, checked_labels, checked_matrix, data_of, with_ones
from boundcheck.functions.least_squares import LinearModel
from boundcheck.functions.tables import ProblemTable, Setting
from boundcheck.system.tables import Seed, Side

Activation = Literal["identity", "tanh"]

_BITS = 128
# The centred digits have this rank: three of the 64 pixels are always blank.
_DIGITS_RANK = 61
# The factor of `digits_readout` with the least cross-entropy at W = I is 6 with 4 components, 16 with all of them.
_SHARPNESS = 8.0


class ReadoutNetwork(LinearModel):
    r"""The mean cross-entropy of the logits :math:`U\varphi(Wx_i)`: W is trained, U is fixed, φ acts on each entry.

    With :math:`z = Wx` and p the probabilities, a sample's gradient is :math:`\varphi'(z) \odot U^\top(p - e_y)` times
    :math:`x^\top`. Its Hessian in z, with :math:`H = \mathrm{diag}(p) - pp^\top`, is

    .. math:: \mathrm{diag}(\varphi')\, U^\top H U\, \mathrm{diag}(\varphi')
        + \mathrm{diag}(\varphi'' \odot U^\top(p - e_y)).

    Here :math:`\|H\| \le 1/2` and :math:`|\varphi'| \le 1`. The second term is 0 for the identity; for tanh
    :math:`|\varphi''| \le 4/(3\sqrt3)`, and entry j of :math:`U^\top(p - e_y)` is a convex combination of differences
    of entries of column j of U, at most the column's range. So

    .. math:: L = \Bigl(\tfrac12\|U\|_{op}^2 + \tfrac4{3\sqrt3} \max_j \max_{c, c'} |U_{cj} - U_{c'j}|\Bigr)\,
        \lambda_{\max}(X^\top X / n),

    and :math:`G = \sqrt2 \|U\|_{op}` times the mean of the norms of x, because :math:`\|p - e_y\| \le \sqrt2`; and f is
    at least 0. With the identity f is convex.
    """

    units = "nats"

    def __init__(
        self,
        name: str,
        X: np.ndarray,
        labels: np.ndarray,
        readout: np.ndarray,
        activation: Activation,
        device: str = "cpu",
    ) -> None:
        """Take data X, shape (n, k), labels from 0, shape (n,), and U, shape (classes, h), so W is of shape (h, k)."""
        X = checked_features(X)
        labels = checked_labels(labels, len(X))
        U = checked_matrix("readout", readout, "a finite matrix, one row a class")
        if labels.max() >= len(U):
            raise InputError("labels", f"up to {labels.max()}", f"numbers below {len(U)}, the rows of the readout")
        if activation not in ("identity", "tanh"):
            raise InputError("activation", activation, "identity or tanh")
        super().__init__(name, X, np.eye(len(U))[labels], device)
        self.activation = activation
        self.shape = (U.shape[1], X.shape[1])
        self._readout = torch.tensor(U, device=device)
        with ctx.workprec(_BITS):
            # U^T U and U U^T have the same largest eigenvalue.
            square = arb(largest_gram_eigenvalue(U if U.shape[1] <= len(U) else U.T))
            curvature = square / 2 + (_bending(U) if activation == "tanh" else 0)
            smoothness = curvature * arb(largest_gram_eigenvalue(X)) / self.samples
            gradient_bound = (2 * square).sqrt() * mean_row_norm(X)
        # In the operator norm, and in that of Frobenius.
        self._readout_norms = (upper(square.sqrt()), self._readout.norm().item())
        self.smoothness = Constant(
            upper(smoothness),
            "certified",
            f"the largest curvature of cross-entropy under U and {activation}, times the largest eigenvalue of "
            "X^T X / n, bounded above with Arb",
        )
        self.gradient_bound = Constant(
            upper(gradient_bound),
            "certified",
            "sqrt(2) times the operator norm of U times the mean norm of x, rounded up with Arb",
        )
        self.infimum = Constant(0.0, "certified", "cross-entropy is nonnegative")

    def rounding(self, W: Tensor, loss: Tensor) -> tuple[Tensor, Tensor]:
        r"""Errors of logits, at most :math:`\epsilon((k + 4)\|U\|_{op} + h\|U\|_F) \|W\| \|x\|`; then as in softmax.

        A gradient is U times a softmax, which is off by half as much as its logits, times φ', which is off by at most
        as much as z.
        """
        (h, k), classes = self.shape, len(self._readout)
        size, x, x_square = torch.linalg.matrix_norm(W), self._mean_norm, self._mean_square
        U, U_frobenius = self._readout_norms
        logits = (k + 4) * U + h * U_frobenius
        loss_error = (2 * logits + (2 * classes + 64) * U) * size * x + (classes + 64) * (math.log(classes) + 1)
        loss_error = loss_error + (self.samples + 32) * loss.abs()
        gradient_error = U * (logits / 2 + 2 * k) * size * x_square
        gradient_error = gradient_error + (2 * classes + 32 + self.samples) * math.sqrt(2) * U_frobenius * x
        return EPSILON * loss_error, EPSILON * gradient_error

    def logits(self, W: Tensor) -> Tensor:
        """The logits of every sample, shape (R, n, classes)."""
        return self._logits(self._activated(W @ self._X.mT)).mT

    def _losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        logits = self._logits(self._activated(outputs))
        return logits.logsumexp(-2) - (logits * targets).sum(-2)

    def _residuals(self, outputs: Tensor, targets: Tensor) -> Tensor:
        hidden = self._activated(outputs)
        back = self._readout.mT @ (torch.softmax(self._logits(hidden), -2) - targets)
        return back if self.activation == "identity" else back * (1 - hidden.square())

    def _logits(self, hidden: Tensor) -> Tensor:
        return self._readout @ hidden

    def _activated(self, outputs: Tensor) -> Tensor:
        return outputs if self.activation == "identity" else torch.tanh(outputs)


def _bending(U: np.ndarray) -> arb:
    """An upper bound on the second term of the Hessian in z, for tanh."""
    ranges = [upper(arb(high) - arb(low)) for high, low in zip(U.max(0).tolist(), U.min(0).tolist(), strict=True)]
    return 4 / (3 * arb(3).sqrt()) * arb(max(ranges))


def digits_network(hidden: int, seed: int, device: str = "cpu", bias: bool = False) -> ReadoutNetwork:
    """A tanh network with `hidden` units on the digits of `digits_data`: W of shape (hidden, 64), or 65 with bias.

    Entries of the readout are N(0, 1/hidden), from NumPy's default generator with this seed.
    """
    if hidden < 1:
        raise InputError("hidden", hidden, "a positive integer")
    X, labels = data_of("digits", bias)
    readout = np.random.default_rng(seed).standard_normal((int(labels.max()) + 1, hidden)) / math.sqrt(hidden)
    return ReadoutNetwork("digits network", X, labels, readout, "tanh", device)


def digits_readout(components: int, bias: bool, device: str = "cpu") -> ReadoutNetwork:
    r"""Fine-tuning of a representation h of the digits under a fixed classifier: logits U W h, or U W [h; 1] with bias.

    h are the first principal components of the centred digits, scaled to mean square norm 1; row c of U is 8 times the
    mean of h over class c. So W = I is a classifier by class means: of the digits it gets 68 % right with 4 components
    and 86 % with 16. The factor 8 decides how sure it is, and the cross-entropy at W = I is near the least that any
    factor gives. W - I, or W - [I 0], is an edit of h.

    Args:
        components: the dimension of h, from 1 to 61, the rank of the data.
        bias: whether W has a column more than rows, which is added to h.
        device: where the tensors are.

    """
    if not 1 <= components <= _DIGITS_RANK:
        raise InputError("components", components, f"an integer from 1 to {_DIGITS_RANK}, the rank of the digits")
    X, labels = data_of("digits")
    axes = np.linalg.svd(X, full_matrices=False)[2][:components]
    # An axis has no sign of its own: its largest entry is made positive.
    largest = np.abs(axes).argmax(axis=1)
    h = X @ (axes * np.sign(axes[np.arange(components), largest])[:, None]).T
    h = h / np.sqrt(np.square(h).sum(axis=1).mean())
    readout = _SHARPNESS * np.stack([h[labels == c].mean(axis=0) for c in range(int(labels.max()) + 1)])
    features = with_ones(h) if bias else h
    return ReadoutNetwork("digits readout", features, labels, readout, "identity", device)


class TwoLayerSpec(ProblemTable):
    """The first layer of a two-layer tanh network on digits, its second one fixed at random."""

    kind: Literal["two-layer"]
    hidden: Side = Field(default=16, description="rows of W: hidden units")
    seed: Seed = Field(default=0, description="of the second layer")

    def build(self, setting: Setting) -> ReadoutNetwork:
        """See `digits_network`."""
        return digits_network(self.hidden, self.seed, setting.device, setting.bias)


class ReadoutSpec(ProblemTable):
    """An edit of digits' principal components h, W h or W [h; 1], before a fixed readout; W0 is the identity."""

    kind: Literal["readout"]
    components: int = Field(default=16, ge=1, le=_DIGITS_RANK, description="how many principal components")
    starts_at_identity: ClassVar[bool] = True

    def build(self, setting: Setting) -> ReadoutNetwork:
        """See `digits_readout`."""
        return digits_readout(self.components, setting.bias, setting.device)
