"""`Tilted`: any objective with a linear function added, whose gradient is then where one wants it."""

import math

import numpy as np
import torch
from flint import arb, ctx
from torch import Tensor

from boundcheck.errors import InputError
from boundcheck.exact.balls import length, upper
from boundcheck.functions.constant import EPSILON, Constant
from boundcheck.functions.objective import Objective


class Tilted(Objective):
    r""":math:`f(W) + \langle N, W \rangle`: as smooth as f, the gradient at most :math:`\|N\|_F` larger; no infimum.

    Attributes:
        base: f.
        tilt: N, shape (d, k).

    """

    def __init__(self, base: Objective, tilt: np.ndarray, device: str = "cpu") -> None:
        """Take f and N, a finite matrix of the shape that f takes."""
        tilt = np.array(tilt, dtype=np.float64)
        if tilt.shape != tuple(base.shape) or not np.isfinite(tilt).all():
            raise InputError("tilt", f"of shape {tilt.shape}", f"a matrix of finite numbers of shape {base.shape}")
        self.base, self.tilt = base, tilt
        self.name, self.units, self.shape, self.samples = base.name, base.units, base.shape, base.samples
        self._tilt = torch.tensor(tilt, device=device)
        self._size = float(np.linalg.norm(tilt))
        with ctx.workprec(128):
            size = length(tilt.ravel().tolist())
            bound = (
                upper(arb(base.gradient_bound.value) + size) if math.isfinite(base.gradient_bound.value) else math.inf
            )
        self.smoothness = base.smoothness
        self.gradient_bound = Constant(bound, base.gradient_bound.kind, f"{base.gradient_bound.how}, plus |N|")
        self.infimum = Constant(-math.inf, "certified", "a linear function has no minimum")

    def loss(self, W: Tensor) -> Tensor:
        """f(W) + <N, W>, shape (R,)."""
        return self.base.loss(W) + (self._tilt * W).sum((-2, -1))

    def gradient(self, W: Tensor) -> Tensor:
        """The gradient of f plus N, shape (R, d, k)."""
        return self.base.gradient(W) + self._tilt

    def batch_gradient(self, W: Tensor, indices: Tensor) -> Tensor:
        """The gradient of f on each replica's minibatch, plus N, shape (R, d, k)."""
        return self.base.batch_gradient(W, indices) + self._tilt

    def sample_gradients(self, W: Tensor) -> Tensor:
        """The samples' gradients of f, plus N each, shape (R, n, d, k)."""
        return self.base.sample_gradients(W) + self._tilt

    def rounding(self, W: Tensor, loss: Tensor) -> tuple[Tensor, Tensor]:
        """The errors of f, and those of a sum of dk products and of two sums."""
        linear = self._size * torch.linalg.matrix_norm(W)
        loss_error, gradient_error = self.base.rounding(W, loss.abs() + linear)
        terms = self.tilt.size + 8
        largest = self.base.gradient_bound.value
        gradient = torch.linalg.matrix_norm(self.base.gradient(W)) if largest == math.inf else largest
        return loss_error + EPSILON * (terms * linear + loss.abs()), gradient_error + 4 * EPSILON * (
            gradient + self._size
        )
