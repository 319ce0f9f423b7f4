"""`Clipped`: a loss of one linear function of W, whose derivative is piecewise linear, such as a Huber function.

What a counterexample in exact arithmetic is replayed on: its constants are those of rational numbers, or their roots.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

import numpy as np
import torch
from flint import arb, ctx
from pydantic import Field
from torch import Tensor

from boundcheck.errors import InputError
from boundcheck.exact.balls import ball_of, lower, upper
from boundcheck.functions.constant import EPSILON, Constant
from boundcheck.functions.objective import Objective
from boundcheck.functions.piecewise import PiecewiseLinear
from boundcheck.functions.tables import ProblemTable, Setting
from boundcheck.system.tables import Real, Side

_BITS = 128


class Clipped(Objective):
    r"""The mean of :math:`f_i(W) = h(\langle E, W \rangle) + c_i \langle E, W \rangle` for a fixed direction E.

    h' goes through given knots and is constant beyond them. The knots are held as the nearest floats, and the
    constants are those of the h that these define: L the largest slope of h' times :math:`\|E\|_F^2`, G the largest
    :math:`|h'|` times :math:`\|E\|_F`, f* the minimum of h, where h is 0 at the first knot.

    Attributes:
        slope: h' as it is held, exactly.
        direction: E, shape (d, k); 1 where W is a number.

    """

    name = "clipped"
    units = "loss units"

    def __init__(
        self,
        slope: PiecewiseLinear,
        offsets: Sequence[Fraction | float],
        device: str = "cpu",
        direction: np.ndarray | None = None,
    ) -> None:
        """Take h', an offset c_i for each sample, which sum to 0 exactly, and E, which is [[1]] if left out."""
        if not _sum_to_zero(offsets):
            raise InputError("offsets", ", ".join(map(str, offsets)), "one or more numbers whose sum is 0")
        self.direction = np.ones((1, 1)) if direction is None else _nonzero_matrix(direction)
        self.shape: tuple[int, int] = self.direction.shape
        self.samples = len(offsets)
        self._offsets = torch.tensor(_floats("offsets", offsets), dtype=torch.float64, device=device)
        positions, values = (_floats("knots", column) for column in zip(*slope.knots, strict=True))
        self.slope = PiecewiseLinear.through(*zip(positions, values, strict=True))
        columns = zip(*self.slope.pieces, strict=True)
        # Four rows, one number for each piece.
        self._pieces = torch.tensor([[float(x) for x in row] for row in columns], dtype=torch.float64, device=device)
        self._knots = self._pieces[0, 1:].contiguous()
        self._direction = torch.tensor(self.direction, device=device)
        # The product 1 * W is exact.
        self._roundings = 0 if self.direction.tolist() == [[1.0]] else self.direction.size
        square = sum((Fraction(x) ** 2 for x in self.direction.flat), Fraction(0))
        with ctx.workprec(_BITS):
            gradient_bound = _enclosed(self.slope.bound) * _enclosed(square).sqrt()
        self.smoothness = Constant(
            upper(_enclosed(self.slope.lipschitz * square)), "certified", "the largest slope of h' times |E|^2"
        )
        self.gradient_bound = Constant(upper(gradient_bound), "certified", "the largest |h'| at a knot, times |E|")
        self.infimum = Constant(
            lower(_enclosed(self.slope.minimum)), "certified", "the least of h where h' is 0, exactly"
        )

    def loss(self, W: Tensor) -> Tensor:
        """f(W), shape (R,)."""
        step, integral, value, slope = self._at(W)
        return integral + (value + slope * step / 2) * step

    def gradient(self, W: Tensor) -> Tensor:
        """The gradient of f at W, h' times E, shape (R, d, k)."""
        return self._along(self._derivative(W))

    def batch_gradient(self, W: Tensor, indices: Tensor) -> Tensor:
        """The mean of the samples' gradients over each replica's own minibatch, shape (R, d, k)."""
        return self._along(self._derivative(W) + self._offsets[indices].mean(-1))

    def sample_gradients(self, W: Tensor) -> Tensor:
        """The products of h' + c_i and E, one for each i: shape (R, n, d, k)."""
        return self._along(self._sample_derivatives(W))

    def rounding(self, W: Tensor, loss: Tensor) -> tuple[Tensor, Tensor]:
        r"""Each term of h is at most 2 |h'| times the way from the first knot, and each of h' at most twice its bound.

        Besides, :math:`\langle E, W \rangle` is off by :math:`dk\, \epsilon \|E\| \|W\|` at most: G times that over |E|
        in the loss, and L times that over |E| in the gradient.
        """
        G, L, bound = self.gradient_bound.value, self.smoothness.value, float(self.slope.bound)
        way = (self._coordinate(W) - self._knots[0]).abs()
        moved = self._roundings * EPSILON * torch.linalg.matrix_norm(W)
        return 16 * EPSILON * bound * way + G * moved, 8 * EPSILON * G + L * moved

    def _coordinate(self, W: Tensor) -> Tensor:
        return (W * self._direction).flatten(1).sum(1)

    def _along(self, derivative: Tensor) -> Tensor:
        return derivative[..., None, None] * self._direction

    def _derivative(self, W: Tensor) -> Tensor:
        step, _, value, slope = self._at(W)
        return value + slope * step

    def _sample_derivatives(self, W: Tensor) -> Tensor:
        return self._derivative(W).unsqueeze(1) + self._offsets

    def _at(self, W: Tensor) -> tuple[Tensor, ...]:
        """The coordinate less the start of its piece; then the integral, the value and the slope of the piece."""
        w = self._coordinate(W)
        start, integral, value, slope = self._pieces[:, torch.searchsorted(self._knots, w.detach().contiguous())]
        return w - start, integral, value, slope


def _nonzero_matrix(direction: np.ndarray) -> np.ndarray:
    E = np.array(direction, dtype=np.float64)
    size = math.hypot(*E.flatten().tolist())
    if E.ndim != 2 or not (size > 0 and size * size < math.inf):
        expected = "a matrix that is not zero, of numbers whose squares have a finite sum"
        raise InputError("direction", f"array of shape {E.shape}", expected)
    return E


def _sum_to_zero(offsets: Sequence[Fraction | float]) -> bool:
    try:
        return len(offsets) > 0 and sum(Fraction(c) for c in offsets) == 0
    except (OverflowError, ValueError):
        # Infinity and NaN are no fractions.
        return False


def _floats(field: str, numbers: Sequence[Fraction | float]) -> list[float]:
    try:
        return [float(x) for x in numbers]
    except OverflowError:
        raise InputError(field, ", ".join(map(str, numbers)), "numbers within the range of floats") from None


def _enclosed(x: Fraction) -> arb:
    with ctx.workprec(_BITS):
        return ball_of(x)


class ExtremalSpec(ProblemTable):
    """The clipped-linear f on which Lemma 1, sharp, is attained at a corner of the ball.

    f(W) = h(W_1k) with h'(w) = clip(G + L(w - c), -G, G), c the scale times the radii of the domain. For LoRA c is the
    largest s B A that the ball allows in one entry, and F has the smoothness λ* at the corner of the ball where W_1k is
    c (theory of Lemma 1, sharp): the last entry of the first row, because [I 0] is 0 there.
    """

    kind: Literal["extremal"]
    d: Side = Field(default=8, description="rows of W")
    k: Side = Field(default=8, description="columns of W")
    L: Real = Field(default=1.0, description="the smoothness of f")
    G: Real = Field(default=1.0, description="the largest norm of its gradient")

    def build(self, setting: Setting) -> Clipped:
        """The loss for the scale and the radii of the setting."""
        corner = setting.scale * math.prod(setting.radii.values())
        slope = PiecewiseLinear.clipped(self.L, self.G, corner - self.G / self.L)
        direction = np.zeros((self.d, self.k + setting.bias))
        direction[0, -1] = 1
        return Clipped(slope, [0.0], setting.device, direction=direction)
