"""`Clipped`: a loss on 1 x 1 matrices whose derivative is piecewise linear, such as a Huber function.

What a counterexample in exact arithmetic is replayed on: its constants are those of rational numbers.
"""

from collections.abc import Sequence
from fractions import Fraction

import torch
from flint import arb, ctx, fmpq
from torch import Tensor

from boundcheck.claims.enclose import lower, upper
from boundcheck.errors import InputError
from boundcheck.problems.constant import EPSILON, Constant
from boundcheck.problems.piecewise import PiecewiseLinear


class Clipped:
    r"""The mean of :math:`f_i(w) = f(w) + c_i w`, with f' through given knots and constant beyond them.

    The knots are held as the nearest floats, and the constants are those of the f that these define: L the largest
    slope of f', G the largest :math:`|f'|`, f* the minimum of f, where f is 0 at the first knot.
    """

    name = "clipped"
    units = "loss units"
    shape = (1, 1)

    def __init__(self, slope: PiecewiseLinear, offsets: Sequence[Fraction | float], device: str = "cpu") -> None:
        """Take f' and an offset c_i for each sample, which sum to 0 exactly."""
        if not _sum_to_zero(offsets):
            raise InputError("offsets", ", ".join(map(str, offsets)), "one or more numbers whose sum is 0")
        self.samples = len(offsets)
        self._offsets = torch.tensor(_floats("offsets", offsets), dtype=torch.float64, device=device)
        positions, values = (_floats("knots", column) for column in zip(*slope.knots, strict=True))
        held = PiecewiseLinear.through(*zip(positions, values, strict=True))
        columns = zip(*held.pieces, strict=True)
        # Four rows, one number for each piece.
        self._pieces = torch.tensor([[float(x) for x in row] for row in columns], dtype=torch.float64, device=device)
        self._knots = self._pieces[0, 1:].contiguous()
        self.smoothness = Constant(upper(_enclosed(held.lipschitz)), "certified", "the largest slope of f'")
        self.gradient_bound = Constant(upper(_enclosed(held.bound)), "certified", "the largest |f'| at a knot")
        self.infimum = Constant(lower(_enclosed(held.minimum)), "certified", "the least of f where f' is 0, exactly")

    def loss(self, W: Tensor) -> Tensor:
        """f(W), shape (R,)."""
        step, integral, value, slope = self._at(W)
        return (integral + (value + slope * step / 2) * step).flatten(1).sum(1)

    def gradient(self, W: Tensor) -> Tensor:
        """The gradient of f at W, shape (R, 1, 1)."""
        step, _, value, slope = self._at(W)
        return value + slope * step

    def batch_gradient(self, W: Tensor, indices: Tensor) -> Tensor:
        """The mean of the samples' gradients over each replica's own minibatch, shape (R, 1, 1)."""
        return self.gradient(W) + self._offsets[indices].mean(-1)[:, None, None]

    def sample_gradients(self, W: Tensor) -> Tensor:
        """f'(W) + c_i for each i, shape (R, n, 1, 1)."""
        return self.gradient(W).unsqueeze(1) + self._offsets[:, None, None]

    def rounding(self, W: Tensor, loss: Tensor) -> tuple[Tensor, Tensor]:
        """Each term of f is at most 2 G times the way from the first knot to W, and each of f' at most 2 G."""
        G = self.gradient_bound.value
        way = (W - self._knots[0]).abs().flatten(1).sum(1)
        return 16 * EPSILON * G * way, torch.full_like(loss, 8 * EPSILON * G)

    def second_moments(self, W: Tensor) -> tuple[Tensor, Tensor]:
        """Row and column second moments of the sample gradients, which are one number: shapes (R, 1, 1)."""
        moment = self.sample_gradients(W).square().mean(1)
        return moment, moment

    def _at(self, W: Tensor) -> tuple[Tensor, ...]:
        """W less the start of its piece; then the integral, the value and the slope of the piece."""
        start, integral, value, slope = self._pieces[:, torch.searchsorted(self._knots, W.detach().contiguous())]
        return W - start, integral, value, slope


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
    with ctx.workprec(128):
        return arb(fmpq(x.numerator, x.denominator))
