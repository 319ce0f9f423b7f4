"""Exact runs of Algorithm 1: on one kink, on scalar least squares, and on the hard instance by all of its paths.

Written from the definition of each loss in balls of Arb, as plainly as the mathematics: nothing here is taken from the
code that runs and audits experiments. The squared gradient norms that come out are those of the real numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, product

from flint import arb, ctx

from boundcheck.exact.balls import ball_of
from boundcheck.problems.piecewise import PiecewiseLinear

BITS = 256


def ball(x: Fraction | float | int) -> arb:
    """A ball that contains a rational."""
    return ball_of(Fraction(x))


def above(x: arb) -> Fraction:
    """The upper end of a ball, a dyadic rational."""
    mantissa, exponent = x.upper().man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


@dataclass(frozen=True)
class Kink:
    """h with h'(w) = L(w - zero) clipped to [-G, G], and minimum 0; and the loss h(w) where w is trained, or is s p².

    Attributes:
        L, G, zero: of h'.
        scale: s, where w = s B A with both factors 1 x 1 and equal to p; None where w is trained itself.
        start: w or p at the first iterate.

    """

    L: Fraction
    G: Fraction
    zero: Fraction
    scale: Fraction | None
    start: Fraction

    def gap(self) -> Fraction:
        """F(v_1) - f*."""
        w = self.start if self.scale is None else self.scale * self.start**2
        way, width = abs(w - self.zero), self.G / self.L
        return self.L * way**2 / 2 if way <= width else self.G * (way - width / 2)

    def squares(self, alpha: arb, steps: int) -> list[arb]:
        """‖∇F(v_t)‖² for t = 1, ..., T, of steps along the whole gradient."""
        found = []
        with ctx.workprec(BITS):
            p = ball(self.start)
            for _ in range(steps):
                w = p if self.scale is None else ball(self.scale) * p * p
                slope = (ball(self.L) * (w - ball(self.zero))).max(ball(-self.G)).min(ball(self.G))
                # Of each of two equal factors the derivative is s h' p.
                rate = slope if self.scale is None else ball(self.scale) * slope * p
                found.append(rate * rate * (1 if self.scale is None else 2))
                p = p - alpha * rate
        return found


@dataclass(frozen=True)
class Scalar:
    """The mean over samples of (z w - y)²/2 for numbers z and y, of a number w that starts at 0; minibatches of one."""

    z: tuple[Fraction, ...]
    y: tuple[Fraction, ...]

    def _mean(self, powers: tuple[int, int]) -> Fraction:
        i, j = powers
        return sum((z**i * y**j for z, y in zip(self.z, self.y, strict=True)), Fraction(0)) / len(self.z)

    @property
    def curvature(self) -> Fraction:
        """F''."""
        return self._mean((2, 0))

    def loss(self) -> Fraction:
        """F at the start."""
        return self._mean((0, 2)) / 2

    def fall(self) -> Fraction:
        """F at the start less its minimum."""
        return self._mean((1, 1)) ** 2 / (2 * self.curvature)

    def variance(self, w: Fraction) -> Fraction:
        """The variance of one sample's gradient at w."""
        gradients = [z * (z * w - y) for z, y in zip(self.z, self.y, strict=True)]
        mean = sum(gradients, Fraction(0)) / len(gradients)
        return sum(((g - mean) ** 2 for g in gradients), Fraction(0)) / len(gradients)

    def squares(self, alpha: arb, steps: int) -> list[arb]:
        """E‖∇F(w_t)‖² over all sample paths, by the first two moments of w_t, which follow linear recursions."""
        found = []
        with ctx.workprec(BITS):
            H, c = ball(self.curvature), ball(self._mean((1, 1)))
            fourth, third, second = (ball(self._mean(powers)) for powers in ((4, 0), (3, 1), (2, 2)))
            first_moment, second_moment = arb(0), arb(0)
            for _ in range(steps):
                found.append(H * H * second_moment - 2 * H * c * first_moment + c * c)
                # w' = (1 - αz²) w + αzy.
                second_moment = (
                    (1 - 2 * alpha * H + alpha**2 * fourth) * second_moment
                    + 2 * (alpha * c - alpha**2 * third) * first_moment
                    + alpha**2 * second
                )
                first_moment = (1 - alpha * H) * first_moment + alpha * c
        return found

    def bias(self, alpha: arb) -> arb:
        """The squared bias of the second gradient where the first sample was drawn first, and is not drawn again."""
        with ctx.workprec(BITS):
            w = alpha * ball(self.z[0] * self.y[0])
            gradients = [ball(z) * (ball(z) * w - ball(y)) for z, y in zip(self.z, self.y, strict=True)]
            n = len(gradients)
            return (sum(gradients[1:], arb(0)) / (n - 1) - sum(gradients, arb(0)) / n) ** 2

    def largest_variance(self, alpha: arb, steps: int) -> Fraction:
        """An upper bound on the variance at every w that T steps can reach, by the interval of those."""
        low, high = Fraction(0), Fraction(0)
        with ctx.workprec(BITS):
            step = above(alpha)
        largest = self.variance(low)
        for _ in range(steps):
            ends = [
                w - a * z * (z * w - y)
                for z, y in zip(self.z, self.y, strict=True)
                for w in (low, high)
                for a in (0, step)
            ]
            # A few digits, rounded outward, are enough.
            low, high = Fraction(int(min(ends) * 2**20) - 1, 2**20), Fraction(int(max(ends) * 2**20) + 1, 2**20)
            # Convex in w.
            largest = max(largest, self.variance(low), self.variance(high))
        return largest


@dataclass(frozen=True)
class Diagonal:
    """h_x(A₁₁B₁₁) + h_y(A₂₂B₂₂) with two samples that differ by ±2n A₂₂B₂₂, from A = B = u I: the hard instance."""

    first: PiecewiseLinear
    second: PiecewiseLinear
    noise: Fraction
    start: Fraction

    def gap(self) -> Fraction:
        """F(v_1) - f*."""
        return sum((h.integral(self.start**2) - h.minimum for h in (self.first, self.second)), Fraction(0))

    def curvature(self) -> Fraction:
        """The second derivative of F at v_1 along A₂₂ = B₂₂, 2u²h_y'' + h_y'."""
        w, apart = self.start**2, Fraction(1, 2**10)
        steep = (self.second.value(w + apart) - self.second.value(w - apart)) / (2 * apart)
        return 2 * w * steep + self.second.value(w)

    def variance(self) -> Fraction:
        """The variance of one sample's gradient at v_1, 2(nu)²."""
        return 2 * (self.noise * self.start) ** 2

    @property
    def steepness(self) -> Fraction:
        """The largest slope of h_x' or h_y', the smoothness constant of f."""
        knots = [h.knots for h in (self.first, self.second)]
        return max(abs((y - x) / (w - u)) for each in knots for (u, x), (w, y) in pairwise(each))

    @property
    def pull(self) -> Fraction:
        """The larger of |h_x'| and |h_y'| at v_1, the spectral norm of the gradient of f there."""
        return max(abs(h.value(self.start**2)) for h in (self.first, self.second))

    def bias(self, alpha: arb) -> arb:
        """The squared bias of the second gradient given the first, where only the other sample is left: 2(n p_2)²."""
        with ctx.workprec(BITS):
            p = ball(self.start)
            p = p - alpha * (_slope(self.second, p * p) + ball(self.noise)) * p
            return 2 * (ball(self.noise) * p) ** 2

    def squares(self, alpha: arb, steps: int) -> list[arb]:
        """E‖∇F(v_t)‖² over all 2^(t - 1) sample paths, each of which is followed."""
        with ctx.workprec(BITS):
            still = [2 * rate**2 for rate in self._path(self.first, alpha, (arb(0),) * (steps - 1))]
            sums = [arb(0)] * steps
            for signs in product((-1, 1), repeat=steps - 1):
                rates = self._path(self.second, alpha, [sign * ball(self.noise) for sign in signs])
                sums = [total + 2 * rate**2 for total, rate in zip(sums, rates, strict=True)]
            return [x + total / 2 ** (steps - 1) for x, total in zip(still, sums, strict=True)]

    def _path(self, h: PiecewiseLinear, alpha: arb, kicks: Sequence[arb]) -> list[arb]:
        """The derivative h'(p²)p in one of two equal factors, at each iterate."""
        p, found = ball(self.start), []
        for kick in (*kicks, arb(0)):
            slope = _slope(h, p * p)
            found.append(slope * p)
            p = p - alpha * (slope + kick) * p
        return found


def _slope(h: PiecewiseLinear, w: arb) -> arb:
    """H'(w), by the pieces of its graph added up from the left."""
    (start, value), *rest = h.knots
    total = ball(value)
    for end, after in rest:
        share = ((w - ball(start)) / ball(end - start)).max(arb(0)).min(arb(1))
        total += share * ball(after - value)
        start, value = end, after
    return total
