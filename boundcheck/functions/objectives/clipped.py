r"""Losses of linear functions of W whose derivative is piecewise linear, such as Huber functions;
and a hard instance.

`Clipped` is what a counterexample in exact arithmetic is replayed on: its constants are those of
rational numbers, or their roots. `Separable` is a sum of such losses, `Tilted` any objective with a
linear function added. On the one of `hard_instance` Theorem 2 of jiang2024, repaired, is nearly
attained by LoRA.

In the setting of `hard_instance` the loss is :math:`h_x(W_{11}) + h_y(W_{22})`, and its two samples
are :math:`\pm n W_{22}` apart from it, so that A and B stay diagonal and equal. Put :math:`x =
\sqrt2 A_{11}` and :math:`y = \sqrt2 (A_{22} - m)`, which are Euclidean lengths in v, and :math:`L =
1 / 2\sigma^2`: then :math:`\lambda^*` is 1 + G, the curvature of F is 1 where :math:`h'' = L`, both
but for O(1/u), and x and y do not meet.

- *Noise.* :math:`h_y'(w) = L(w - m^2)` and :math:`n = 1/\sqrt2\sigma` make :math:`y_{t+1} = (1 -
  \alpha) y_t \pm \alpha`. The start is at the stationary level :math:`y_1^2 = \alpha / (2 -
  \alpha)`; so :math:`E y_t^2`, what y adds to :math:`N_t = E\|\nabla F(v_t)\|^2`, is that at every
  t. Two-point noise carries :math:`W_{22}` at most n/L from :math:`m^2`, which is within the ball,
  on which the noise of F is at most :math:`\sqrt2 n\sigma = 1`.
- *Descent.* :math:`h_x'(w) = c/x` at both ends of the way that T - 1 steps of length :math:`\alpha
  c` take, and linear between them, make c the slope of F, which adds :math:`c^2` to N_t. After v_T
  it falls to 0 with curvature 1. This uses up what the noise leaves of the gap, :math:`D - y_1^2 /
  2 = c^2 (\alpha (T - 1) + 1/2)`.

So :math:`N_t = c^2 + y_1^2` for all t. For the paper's step, :math:`\alpha = q` and :math:`D = q^2
T`, it is :math:`q (1 + 1/(2 - q))` but for O(1/T), and the repaired bound :math:`q (1 + 1/2) / (1 -
q/2)`: their ratio is :math:`1 - q/3` but for terms of order 1/qT and 1/u.
"""

import math
from collections.abc import Container, Sequence
from fractions import Fraction
from itertools import combinations
from typing import Literal

import numpy as np
import sympy as sp
import torch
from flint import arb, ctx
from pydantic import Field
from torch import Tensor

from boundcheck.errors import InputError
from boundcheck.exact.balls import ball_of, length, lower, upper
from boundcheck.functions.arithmetic import EPSILON, Bounds
from boundcheck.functions.objective import Objective, ProblemTable, Setting
from boundcheck.functions.piecewise import PiecewiseLinear
from boundcheck.language import symbols
from boundcheck.language.algorithms import SGD
from boundcheck.language.catalogue import catalogue, claims_about
from boundcheck.language.claim import Claim
from boundcheck.language.function import Constant
from boundcheck.language.measures import SMOOTHNESS
from boundcheck.language.sentence import words_of
from boundcheck.system.tables import Real, Side, Steps

# The kind of the adapter that the hard instance is for.
_KIND = "lora"
_BITS = 128
# Below these the two-point noise need not stay in the ball, and the slope of the descent is no
# longer constant.
_LEAST_GAIN = 100.0
_LONGEST_DESCENT = 0.1


class Clipped(Objective):
    r"""The mean of :math:`f_i(W) = h(\langle E, W \rangle) + c_i \langle E, W \rangle` for a fixed
    direction E.

    h' goes through given knots and is constant beyond them. The knots are held as the nearest
    floats, and the
    constants are those of the h that these define: L the largest slope of h' times
    :math:`\|E\|_F^2`, G the largest :math:`|h'|` times :math:`\|E\|_F`, f* the minimum of h, where
    h is 0 at the first knot.

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
        """Take h', an offset c_i for each sample, which sum to 0 exactly, and E, which is [[1]] if
        left out.
        """
        try:
            balanced = len(offsets) > 0 and sum(Fraction(c) for c in offsets) == 0
        except (OverflowError, ValueError):
            # Infinity and NaN are no fractions.
            balanced = False
        if not balanced:
            raise InputError(
                "offsets", ", ".join(map(str, offsets)), "one or more numbers whose sum is 0"
            )
        E = self.direction = (
            np.ones((1, 1)) if direction is None else np.array(direction, dtype=np.float64)
        )
        size = math.hypot(*E.flatten().tolist())
        if E.ndim != 2 or not (size > 0 and size * size < math.inf):
            raise InputError(
                "direction",
                f"array of shape {E.shape}",
                "a matrix that is not zero, of numbers whose squares have a finite sum",
            )
        self.shape: tuple[int, int] = E.shape
        self.samples = len(offsets)
        self._offsets = torch.tensor(
            _floats("offsets", offsets), dtype=torch.float64, device=device
        )
        positions, values = (_floats("knots", column) for column in zip(*slope.knots, strict=True))
        self.slope = PiecewiseLinear.through(*zip(positions, values, strict=True))
        columns = zip(*self.slope.pieces, strict=True)
        # Four rows, one number for each piece.
        self._pieces = torch.tensor(
            [[float(x) for x in row] for row in columns], dtype=torch.float64, device=device
        )
        self._knots = self._pieces[0, 1:].contiguous()
        self._direction = torch.tensor(E, device=device)
        # The product 1 * W is exact.
        self._roundings = 0 if E.tolist() == [[1.0]] else E.size
        square = sum((Fraction(x) ** 2 for x in E.flat), Fraction(0))
        with ctx.workprec(_BITS):
            smoothness = ball_of(self.slope.lipschitz * square)
            minimum = ball_of(self.slope.minimum)
            gradient_bound = ball_of(self.slope.bound) * ball_of(square).sqrt()
        self.smoothness = Constant(
            upper(smoothness), "certified", "the largest slope of h' times |E|^2"
        )
        self.gradient_bound = Constant(
            upper(gradient_bound), "certified", "the largest |h'| at a knot, times |E|"
        )
        self.infimum = Constant(
            lower(minimum), "certified", "the least of h where h' is 0, exactly"
        )

    def loss(self, W: Tensor) -> Tensor:
        step, integral, value, slope = self._at(W)
        return integral + (value + slope * step / 2) * step

    def gradient(self, W: Tensor) -> Tensor:
        """The gradient of f at W, h' times E, shape (R, d, k)."""
        return self._along(self._derivative(W))

    def batch_gradient(self, W: Tensor, indices: Tensor) -> Tensor:
        return self._along(self._derivative(W) + self._offsets[indices].mean(-1))

    def sample_gradients(self, W: Tensor) -> Tensor:
        """The products of h' + c_i and E, one for each i: shape (R, n, d, k)."""
        return self._along(self._derivative(W).unsqueeze(1) + self._offsets)

    def rounding(self, W: Tensor, loss: Tensor) -> Bounds:
        r"""Each term of h is at most 2 |h'| times the way from the first knot, and each of h' at
        most twice its bound.

        Besides, :math:`\langle E, W \rangle` is off by :math:`dk\, \epsilon \|E\| \|W\|` at most: G
        times that over |E| in the loss, and L times that over |E| in the gradient.
        """
        G = self.gradient_bound.value
        L = self.smoothness.value
        bound = float(self.slope.bound)
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

    def _at(self, W: Tensor) -> tuple[Tensor, ...]:
        """The coordinate less the start of its piece; then the integral, the value and the slope of
        the piece.
        """
        w = self._coordinate(W)
        start, integral, value, slope = self._pieces[
            :, torch.searchsorted(self._knots, w.detach().contiguous())
        ]
        return w - start, integral, value, slope


def _floats(field: str, numbers: Sequence[Fraction | float]) -> list[float]:
    try:
        return [float(x) for x in numbers]
    except OverflowError:
        raise InputError(
            field, ", ".join(map(str, numbers)), "numbers within the range of floats"
        ) from None


class ExtremalSpec(ProblemTable):
    """The clipped-linear f on which Lemma 1, sharp, is attained at a corner of the ball.

    f(W) = h(W_1k) with h'(w) = clip(G + L(w - c), -G, G), c the scale times the radii of the
    domain. For LoRA c is the largest s B A that the ball allows in one entry, and F has the
    smoothness λ* at the corner of the ball where W_1k is
    c (theory of Lemma 1, sharp): the last entry of the first row, because [I 0] is 0 there.
    """

    kind: Literal["extremal"]
    d: Side = 8
    """rows of W"""
    k: Side = 8
    """columns of W"""
    L: Real = 1.0
    """the smoothness of f"""
    G: Real = 1.0
    """the largest norm of its gradient"""

    def build(self, setting: Setting) -> Clipped:
        corner = setting.scale * math.prod(setting.radii.values())
        slope = PiecewiseLinear.clipped(self.L, self.G, corner - self.G / self.L)
        direction = np.zeros((self.d, self.k + setting.bias))
        direction[0, -1] = 1
        return Clipped(slope, [0.0], setting.device, direction=direction)


class Separable(Objective):
    r"""The sum of losses along orthogonal directions, :math:`f(W) = \sum_p h_p(\langle E_p, W
    \rangle)`.

    Sample i is the sum of the samples i of the parts. The second derivative of f is diagonal in the
    directions, and its gradient a sum of orthogonal matrices; so L is the largest of the parts'
    own, G the root of the sum of their squares, and f* the sum of their minima, which are attained
    together.

    Attributes:
        parts: the losses, each of one direction.

    """

    name = "separable"
    units = "loss units"

    def __init__(self, parts: Sequence[Clipped]) -> None:
        """Take losses with equally many samples, along directions that are orthogonal exactly.

        Raises InputError where they are not, and for no losses at all.
        """
        self.parts = tuple(parts)
        counts = {part.samples for part in parts}
        shapes = {part.shape for part in parts}
        if len(counts) != 1 or len(shapes) != 1:
            raise InputError(
                "parts",
                f"samples {sorted(counts)}, shapes {sorted(shapes)}",
                "one or more losses, all with the same number of samples and the same shape of W",
            )
        for one, other in combinations(parts, 2):
            entries = zip(one.direction.flat, other.direction.flat, strict=True)
            if sum(Fraction(x) * Fraction(y) for x, y in entries) != 0:
                raise InputError(
                    "parts",
                    "directions with an inner product that is not 0",
                    "orthogonal directions",
                )
        (self.samples,) = counts
        (self.shape,) = shapes
        L = max(part.smoothness.value for part in parts)
        with ctx.workprec(_BITS):
            bound = length(part.gradient_bound.value for part in parts)
            infimum = sum((arb(part.infimum.value) for part in parts), arb(0))
        self.smoothness = Constant(L, "certified", "the largest L of its parts")
        self.gradient_bound = Constant(
            upper(bound), "certified", "the root of the sum of the squares of its parts' G"
        )
        self.infimum = Constant(lower(infimum), "certified", "the sum of its parts' minima")

    def loss(self, W: Tensor) -> Tensor:
        return torch.stack([part.loss(W) for part in self.parts]).sum(0)

    def gradient(self, W: Tensor) -> Tensor:
        return torch.stack([part.gradient(W) for part in self.parts]).sum(0)

    def batch_gradient(self, W: Tensor, indices: Tensor) -> Tensor:
        return torch.stack([part.batch_gradient(W, indices) for part in self.parts]).sum(0)

    def sample_gradients(self, W: Tensor) -> Tensor:
        return torch.stack([part.sample_gradients(W) for part in self.parts]).sum(0)

    def rounding(self, W: Tensor, loss: Tensor) -> Bounds:
        """The sum of the parts' bounds, and a unit of roundoff of each term for each sum of two."""
        losses = torch.stack([part.loss(W) for part in self.parts])
        errors = [part.rounding(W, one) for part, one in zip(self.parts, losses, strict=True)]
        in_loss, in_gradient = (torch.stack(column).sum(0) for column in zip(*errors, strict=True))
        sums = len(self.parts) * EPSILON
        sizes = sum(part.gradient_bound.value for part in self.parts)
        return in_loss + sums * losses.abs().sum(0), in_gradient + sums * sizes


class Tilted(Objective):
    r""":math:`f(W) + \langle N, W \rangle`: as smooth as f, the gradient at most :math:`\|N\|_F`
    larger; no infimum.

    Attributes:
        base: f.
        tilt: N, shape (d, k).

    """

    def __init__(self, base: Objective, tilt: np.ndarray) -> None:
        """Take f and N, a finite matrix of the shape that f takes."""
        tilt = np.array(tilt, dtype=np.float64)
        if tilt.shape != tuple(base.shape) or not np.isfinite(tilt).all():
            raise InputError(
                "tilt",
                f"of shape {tilt.shape}",
                f"a matrix of finite numbers of shape {base.shape}",
            )
        self.base = base
        self.tilt = tilt
        self.name = base.name
        self.units = base.units
        self.shape = base.shape
        self.samples = base.samples
        self._tilt = torch.tensor(tilt)
        self._size = float(np.linalg.norm(tilt))
        G = base.gradient_bound
        with ctx.workprec(_BITS):
            bound = (
                upper(arb(G.value) + length(tilt.ravel().tolist()))
                if math.isfinite(G.value)
                else math.inf
            )
        self.smoothness = base.smoothness
        self.gradient_bound = Constant(bound, G.kind, f"{G.how}, plus |N|")
        self.infimum = Constant(-math.inf, "certified", "a linear function has no minimum")

    def loss(self, W: Tensor) -> Tensor:
        return self.base.loss(W) + (self._tilt * W).sum((-2, -1))

    def gradient(self, W: Tensor) -> Tensor:
        return self.base.gradient(W) + self._tilt

    def batch_gradient(self, W: Tensor, indices: Tensor) -> Tensor:
        return self.base.batch_gradient(W, indices) + self._tilt

    def sample_gradients(self, W: Tensor) -> Tensor:
        return self.base.sample_gradients(W) + self._tilt

    def rounding(self, W: Tensor, loss: Tensor) -> Bounds:
        """The errors of f, and those of a sum of dk products and of two sums."""
        linear = self._size * torch.linalg.matrix_norm(W)
        loss_error, gradient_error = self.base.rounding(W, loss.abs() + linear)
        largest = self.base.gradient_bound.value
        gradient = (
            torch.linalg.matrix_norm(self.base.gradient(W)) if largest == math.inf else largest
        )
        in_loss = EPSILON * ((self.tilt.size + 8) * linear + loss.abs())
        return loss_error + in_loss, gradient_error + 4 * EPSILON * (gradient + self._size)


def hard_instance(
    steps: int, ratio: float, gain: float, claim: str = "", device: str = "cpu"
) -> Separable:
    r"""Build a loss on which SGD on LoRA is about as slow as a theorem about its constant step size
    allows.

    The setting, with u = gain: d = k = r = 2, W0 = 0, scale 1, start A = B = u I, batch 1, domain
    :math:`a = b = \sigma = u + 1`, and :math:`\zeta = 1`. This file's docstring derives what the
    loss is. Every hypothesis holds surely, not only likely.

    Args:
        steps: T.
        ratio: q = (L̂D/T)^(1/2)/ζ, below 1/2; for the paper's step it is L̂ alpha. Least is lost at
            (3/2T)^(1/2).
        gain: u, at least 100 and 10 times the way of the descent; best at 10^4 or more.
        claim: the theorem whose L̂ and step size the loss is made for, if it prescribes the step on
            a ball; else it is made for the sharpest L̂ and the paper's step.
        device: where its tensors are.

    Raises:
        InputError: for a gain out of range, and where the noise alone uses up D.

    """
    if not _LEAST_GAIN <= gain < math.inf:
        raise InputError("gain", gain, f"at least {_LEAST_GAIN:g}")
    # At this L, lambda* would be 1 without G; and 1/u is more than G will be.
    L = 1 / (2 * (gain + 1) ** 2)
    known = dict.fromkeys((symbols.a, symbols.b, symbols.sigma, symbols.C), gain + 1)
    known |= {symbols.L: L, symbols.G: 1 / gain, symbols.r: 2.0, symbols.T: float(steps)}
    known |= dict.fromkeys((symbols.s, symbols.zeta, symbols.D), 1.0)
    theorem = catalogue[claim or claims_about(_KIND)[0]]
    if not (is_prescribed := _prescribes(theorem, known)):
        theorem = catalogue[claims_about(_KIND)[0]]
    used = {p.name: known[p.symbol] for p in theorem.parameters}
    smoothness = float(theorem.function(SMOOTHNESS.letter)(**used))
    gap = ratio**2 * steps / smoothness
    alpha = ratio / smoothness
    if is_prescribed:
        alpha = float(theorem.function(SGD.step_size)(**used | {symbols.D.name: gap}))
    level = alpha / (2 - alpha)
    if not gap > level / 2:
        raise InputError(
            "steps",
            steps,
            f"a horizon at which the gap, {gap:.3g}, exceeds what the noise takes of it",
        )
    c = math.sqrt((gap - level / 2) / (alpha * (steps - 1) + 0.5))
    way = alpha * c * (steps - 1)
    if not _LONGEST_DESCENT * gain >= way:
        raise InputError(
            "gain", gain, f"at least {way / _LONGEST_DESCENT:.6g}, for the descent to be slow"
        )
    n = 1 / (math.sqrt(2) * (gain + 1))
    start = math.sqrt(2) * gain
    end = math.sqrt(2) * gain - way
    knots = [(end**2 / 2 - c / end / L, 0.0), (end**2 / 2, c / end), (start**2 / 2, c / start)]
    descent = PiecewiseLinear.through(*knots[: 2 + (steps > 1)])
    # 1.5 u is farther than n/L, about sqrt(2) u.
    noise = PiecewiseLinear.clipped(L, 1.5 * gain * L, zero=(gain - math.sqrt(level / 2)) ** 2)
    first = np.diag([1.0, 0.0])
    second = np.diag([0.0, 1.0])
    found = Separable(
        (Clipped(descent, (0, 0), device, first), Clipped(noise, (n, -n), device, second))
    )
    found.name = "hard instance"
    return found


def _prescribes(theorem: Claim, known: Container[sp.Symbol]) -> bool:
    """True if a theorem derives L̂ on a ball, and from it the step, of constants that are known."""
    return (
        {SMOOTHNESS.letter, SGD.step_size} <= set(theorem.names)
        and all(p.symbol in known for p in theorem.parameters)
        and any(word and word.smooth_on == "ball" for _, word in words_of(theorem))
    )


class HardSpec(ProblemTable):
    """The instance on which SGD is nearly as slow as Theorem 2 says, in a run of so many steps of
    size ratio/L̂.

    Made for LoRA of rank 2 from a diagonal start, the ball of radii gain + 1, batch 1 and zeta 1.
    """

    kind: Literal["hard"]
    steps: Steps = 400
    """T of the run that it is made for"""
    ratio: float = Field(default=0.06, gt=0, lt=0.5)
    """q = √(L̂D/T)/ζ, for the paper's step L̂α"""

    def build(self, setting: Setting) -> Separable:
        """See `hard_instance`."""
        return hard_instance(self.steps, self.ratio, setting.gain, setting.claim, setting.device)
