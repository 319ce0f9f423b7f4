r"""Losses on which Theorem 2 of jiang2024, repaired, is nearly attained: `Separable`, and `hard_instance` in LoRA.

In the setting of `hard_instance` the loss is :math:`h_x(W_{11}) + h_y(W_{22})`, and its two samples are
:math:`\pm n W_{22}` apart from it, so that A and B stay diagonal and equal. Put :math:`x = \sqrt2 A_{11}` and
:math:`y = \sqrt2 (A_{22} - m)`, which are Euclidean lengths in v, and :math:`L = 1 / 2\sigma^2`: then
:math:`\lambda^*` is 1 + G, the curvature of F is 1 where :math:`h'' = L`, both but for O(1/u), and x and y do not meet.

- *Noise.* :math:`h_y'(w) = L(w - m^2)` and :math:`n = 1/\sqrt2\sigma` make :math:`y_{t+1} = (1 - \alpha) y_t \pm
  \alpha`. The start is at the stationary level :math:`y_1^2 = \alpha / (2 - \alpha)`; so :math:`E y_t^2`, what y adds
  to :math:`N_t = E\|\nabla F(v_t)\|^2`, is that at every t. Two-point noise carries :math:`W_{22}` at most n/L from
  :math:`m^2`, which is within the ball, on which the noise of F is at most :math:`\sqrt2 n\sigma = 1`.
- *Descent.* :math:`h_x'(w) = c/x` at both ends of the way that T - 1 steps of length :math:`\alpha c` take, and linear
  between them, make c the slope of F, which adds :math:`c^2` to N_t. After v_T it falls to 0 with curvature 1. This
  uses up what the noise leaves of the gap, :math:`D - y_1^2 / 2 = c^2 (\alpha (T - 1) + 1/2)`.

So :math:`N_t = c^2 + y_1^2` for all t. For the paper's step, :math:`\alpha = q` and :math:`D = q^2 T`, it is
:math:`q (1 + 1/(2 - q))` but for O(1/T), and the repaired bound :math:`q (1 + 1/2) / (1 - q/2)`: their ratio is
:math:`1 - q/3` but for terms of order 1/qT and 1/u.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations
from typing import Literal

import numpy as np
import torch
from flint import arb, ctx
from pydantic import Field
from torch import Tensor

from boundcheck.errors import InputError
from boundcheck.exact.balls import length, lower, upper
from boundcheck.functions.clipped import Clipped
from boundcheck.functions.constant import EPSILON, Constant
from boundcheck.functions.objective import Objective
from boundcheck.functions.piecewise import PiecewiseLinear
from boundcheck.functions.tables import ProblemTable, Setting
from boundcheck.language import symbols
from boundcheck.language.algorithms import SGD
from boundcheck.language.catalogue import catalogue, hard_theorems
from boundcheck.language.claim import Claim
from boundcheck.language.measures import SMOOTHNESS
from boundcheck.system.tables import Steps

MADE_FOR = hard_theorems()
"""The theorems for whose step size and L̂ an instance can be made; for any other it is made for the first."""
_BITS = 128
# Below these the two-point noise need not stay in the ball, and the slope of the descent is no longer constant.
_LEAST_GAIN, _LONGEST_DESCENT = 100.0, 0.1


class Separable(Objective):
    r"""The sum of losses along orthogonal directions, :math:`f(W) = \sum_p h_p(\langle E_p, W \rangle)`.

    Sample i is the sum of the samples i of the parts. The second derivative of f is diagonal in the directions, and
    its gradient a sum of orthogonal matrices; so L is the largest of the parts' own, G the root of the sum of their
    squares, and f* the sum of their minima, which are attained together.

    Attributes:
        parts: the losses, each of one direction.

    """

    name = "separable"
    units = "loss units"

    def __init__(self, parts: Sequence[Clipped]) -> None:
        """Take losses with equally many samples, along directions that are orthogonal exactly.

        Raises:
            InputError: where they are not, and for no losses at all.

        """
        self.parts = tuple(parts)
        counts, shapes = {part.samples for part in parts}, {part.shape for part in parts}
        if len(counts) != 1 or len(shapes) != 1:
            expected = "one or more losses, all with the same number of samples and the same shape of W"
            raise InputError("parts", f"samples {sorted(counts)}, shapes {sorted(shapes)}", expected)
        if any(_inner(one.direction, other.direction) != 0 for one, other in combinations(parts, 2)):
            raise InputError("parts", "directions with an inner product that is not 0", "orthogonal directions")
        (self.samples,), (self.shape,) = counts, shapes
        with ctx.workprec(_BITS):
            bound = length(part.gradient_bound.value for part in parts)
            infimum = sum((arb(part.infimum.value) for part in parts), arb(0))
        self.smoothness = Constant(
            max(part.smoothness.value for part in parts), "certified", "the largest L of its parts"
        )
        self.gradient_bound = Constant(upper(bound), "certified", "the root of the sum of the squares of its parts' G")
        self.infimum = Constant(lower(infimum), "certified", "the sum of its parts' minima")

    def loss(self, W: Tensor) -> Tensor:
        """f(W), shape (R,)."""
        return torch.stack([part.loss(W) for part in self.parts]).sum(0)

    def gradient(self, W: Tensor) -> Tensor:
        """The gradient of f at W, shape (R, d, k)."""
        return torch.stack([part.gradient(W) for part in self.parts]).sum(0)

    def batch_gradient(self, W: Tensor, indices: Tensor) -> Tensor:
        """The mean of the samples' gradients over each replica's own minibatch, shape (R, d, k)."""
        return torch.stack([part.batch_gradient(W, indices) for part in self.parts]).sum(0)

    def sample_gradients(self, W: Tensor) -> Tensor:
        """The gradient of every f_i at W, shape (R, n, d, k)."""
        return torch.stack([part.sample_gradients(W) for part in self.parts]).sum(0)

    def rounding(self, W: Tensor, loss: Tensor) -> tuple[Tensor, Tensor]:
        """The sum of the parts' bounds, and a unit of roundoff of each term for each sum of two."""
        losses = torch.stack([part.loss(W) for part in self.parts])
        errors = [part.rounding(W, one) for part, one in zip(self.parts, losses, strict=True)]
        in_loss, in_gradient = (torch.stack(column).sum(0) for column in zip(*errors, strict=True))
        sums = len(self.parts) * EPSILON
        sizes = sum(part.gradient_bound.value for part in self.parts)
        return in_loss + sums * losses.abs().sum(0), in_gradient + sums * sizes


def _inner(E: np.ndarray, other: np.ndarray) -> Fraction:
    return sum((Fraction(x) * Fraction(y) for x, y in zip(E.flat, other.flat, strict=True)), Fraction(0))


def hard_instance(steps: int, ratio: float, gain: float, claim: str = MADE_FOR[0], device: str = "cpu") -> Separable:
    r"""Build a loss on which SGD on LoRA is about as slow as a theorem about its constant step size allows.

    The setting, with u = gain: d = k = r = 2, W0 = 0, scale 1, start A = B = u I, batch 1, domain
    :math:`a = b = \sigma = u + 1`, and :math:`\zeta = 1`. This file's docstring derives what the loss is. Every
    hypothesis holds surely, not only likely.

    Args:
        steps: T.
        ratio: q = (L̂D/T)^(1/2)/ζ, below 1/2; for the paper's step it is L̂ alpha. Least is lost at (3/2T)^(1/2).
        gain: u, at least 100 and 10 times the way of the descent; best at 10^4 or more.
        claim: the theorem whose L̂ and step size the loss is made for.
        device: where its tensors are.

    Raises:
        InputError: for a ratio or gain out of range, and where the noise alone uses up D.

    """
    alpha, gap = _step_and_gap(catalogue[claim], steps, ratio, gain)
    level = alpha / (2 - alpha)
    if not gap > level / 2:
        raise InputError("steps", steps, f"a horizon at which the gap, {gap:.3g}, exceeds what the noise takes of it")
    c = math.sqrt((gap - level / 2) / (alpha * (steps - 1) + 0.5))
    way = alpha * c * (steps - 1)
    if not _LONGEST_DESCENT * gain >= way:
        raise InputError("gain", gain, f"at least {way / _LONGEST_DESCENT:.6g}, for the descent to be slow")
    L, n = _smoothness(gain), 1 / (math.sqrt(2) * (gain + 1))
    start, end = math.sqrt(2) * gain, math.sqrt(2) * gain - way
    knots = [(end**2 / 2 - c / end / L, 0.0), (end**2 / 2, c / end), (start**2 / 2, c / start)]
    descent = PiecewiseLinear.through(*knots[: 2 + (steps > 1)])
    # 1.5 u is farther than n/L, about sqrt(2) u.
    noise = PiecewiseLinear.clipped(L, 1.5 * gain * L, zero=(gain - math.sqrt(level / 2)) ** 2)
    first, second = np.diag([1.0, 0.0]), np.diag([0.0, 1.0])
    found = Separable((Clipped(descent, (0, 0), device, first), Clipped(noise, (n, -n), device, second)))
    found.name = "hard instance"
    return found


def _smoothness(gain: float) -> float:
    """L, at which lambda* would be 1 without G."""
    return 1 / (2 * (gain + 1) ** 2)


def _step_and_gap(claim: Claim, steps: int, ratio: float, gain: float) -> tuple[float, float]:
    """The step size of the claim and D at this ratio, with zeta = 1, on the ball; 1/u is more than G will be."""
    if steps < 1:
        raise InputError("steps", steps, "at least 1")
    if not 0 < ratio < 0.5:
        raise InputError("ratio", ratio, "above 0 and below 1/2")
    if not _LEAST_GAIN <= gain < math.inf:
        raise InputError("gain", gain, f"at least {_LEAST_GAIN:g}")
    radius = gain + 1
    known = dict.fromkeys((symbols.a, symbols.b, symbols.sigma, symbols.C), radius)
    known |= {symbols.L: _smoothness(gain), symbols.G: 1 / gain, symbols.r: 2.0, symbols.T: float(steps)}
    known |= dict.fromkeys((symbols.s, symbols.zeta, symbols.D), 1.0)
    used = {p.name: known[p.symbol] for p in claim.parameters}
    gap = ratio**2 * steps / float(claim.function(SMOOTHNESS.letter)(**used))
    return float(claim.function(SGD.step_size)(**used | {symbols.D.name: gap})), gap


class HardSpec(ProblemTable):
    """The instance on which SGD is nearly as slow as Theorem 2 says, in a run of so many steps of size ratio/L̂.

    Made for LoRA of rank 2 from a diagonal start, the ball of radii gain + 1, batch 1 and zeta 1.
    """

    kind: Literal["hard"]
    steps: Steps = Field(default=400, description="T of the run that it is made for")
    ratio: float = Field(default=0.06, gt=0, lt=0.5, description="q = √(L̂D/T)/ζ, for the paper's step L̂α")

    def build(self, setting: Setting) -> Separable:
        """See `hard_instance`; for a theorem that it cannot be made for, it is made for the first that it can."""
        claim = setting.claim if setting.claim in MADE_FOR else MADE_FOR[0]
        return hard_instance(self.steps, self.ratio, setting.gain, claim, setting.device)
