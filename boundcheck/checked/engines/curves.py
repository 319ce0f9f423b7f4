"""Functions of one number and runs on them, exactly: what a claim's truth is decided by.

Written from the definitions, in rational numbers: nothing here is taken from the engines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise

Number = Fraction | int


@dataclass(frozen=True)
class Curve:
    """F of one number, with F(0) = 0; F' is linear between knots (x, F'(x)), and beyond them as next to its ends."""

    knots: tuple[tuple[Fraction, Fraction], ...]

    @classmethod
    def through(cls, *knots: tuple[Number, Number]) -> Curve:
        """From numbers of either kind, the positions in order."""
        return cls(tuple((Fraction(x), Fraction(slope)) for x, slope in knots))

    @cached_property
    def curvatures(self) -> tuple[Fraction, ...]:
        """F'' on each piece."""
        return tuple((after - slope) / (y - x) for (x, slope), (y, after) in pairwise(self.knots))

    def slope(self, x: Fraction) -> Fraction:
        """F'(x)."""
        place = max(sum(knot <= x for knot, _ in self.knots) - 1, 0)
        place = min(place, len(self.curvatures) - 1)
        start, slope = self.knots[place]
        return slope + self.curvatures[place] * (x - start)

    def value(self, x: Fraction) -> Fraction:
        """F(x), the integral of F' from 0."""
        low, high = sorted((Fraction(0), x))
        stops = [low, *(knot for knot, _ in self.knots if low < knot < high), high]
        total = sum(((self.slope(p) + self.slope(q)) / 2 * (q - p) for p, q in pairwise(stops)), Fraction(0))
        return total if x >= 0 else -total

    @cached_property
    def is_least_at_0(self) -> bool:
        """Whether F is nowhere below F(0) = 0."""
        zeros = [
            x - slope / curvature
            for (x, slope), curvature in zip(self.knots, self.curvatures, strict=False)
            if curvature
        ]
        ends = (
            self.curvatures[0] > 0 or (self.curvatures[0] == 0 and self.knots[0][1] <= 0),
            self.curvatures[-1] > 0 or (self.curvatures[-1] == 0 and self.knots[-1][1] >= 0),
        )
        return all(ends) and all(self.value(x) >= 0 for x in (*zeros, *(x for x, _ in self.knots)))


def parabola(curvature: Number) -> Curve:
    """F(x) = L x²/2."""
    return Curve.through((-1, -curvature), (1, curvature))


def huber(curvature: Number, slope: Fraction) -> Curve:
    """F' = L x clipped to [-G, G]."""
    end = slope / curvature
    return Curve.through((-end - 1, -slope), (-end, -slope), (end, slope), (end + 1, slope))


def teeth(curvature: Fraction, step: Fraction, steps: int) -> Curve:
    """F' is 1 at each iterate of so many steps α, and between two of them falls at the rate L to 1 - Lα/2 halfway.

    Left of the last iterate F is L x²/2. Of all functions whose gradient is 1 at the iterates it falls least.
    """
    last = 1 / curvature
    knots: list[tuple[Fraction, Fraction]] = [(last - 1, 1 - curvature), (last, Fraction(1))]
    for place in range(steps):
        start = last + place * step
        knots += [(start + step / 2, 1 - curvature * step / 2), (start + step, Fraction(1))]
    return Curve((*knots, (knots[-1][0] + 1, Fraction(1))))


def hill(curvature: Number, start: Fraction) -> Curve:
    """F' rises at the rate L from the minimiser 0 half of the way to the start, and falls to 0 there."""
    top = curvature * start / 2
    return Curve.through((-1, -curvature), (0, 0), (start / 2, top), (start, 0), (start + 1, 0))


@dataclass(frozen=True)
class Walk:
    """A run on a curve without noise.

    Attributes:
        about: what it is, in words.
        curve: F.
        points: v_1, ..., v_(T+1), or as many of them as are rational.
        numbers: the value of each letter of the claims that it is an instance of, T among them.

    """

    about: str
    curve: Curve
    points: tuple[Fraction, ...]
    numbers: Mapping[str, Fraction]

    @property
    def steps(self) -> int:
        """T."""
        return int(self.numbers["T"])

    @property
    def seen(self) -> tuple[Fraction, ...]:
        """The iterates v_1, ..., v_T of which measures speak."""
        return self.points[: self.steps]

    @property
    def squares(self) -> list[Fraction]:
        """The squared gradient at each of them."""
        return [self.curve.slope(x) ** 2 for x in self.seen]

    @property
    def gap(self) -> Fraction:
        """F(v_1) - f*."""
        return self.curve.value(self.points[0])

    def __str__(self) -> str:
        letters = ", ".join(f"{name} = {x}" for name, x in self.numbers.items())
        return f"{self.about}, v_1 = {self.points[0]}, {letters}"


Follow = Callable[[Curve, Fraction, Mapping[str, Fraction], int], tuple[Fraction, ...]]


def descended(share: Number) -> Follow:
    """Gradient descent at the step share/ℓ."""

    def follow(curve: Curve, start: Fraction, numbers: Mapping[str, Fraction], steps: int) -> tuple[Fraction, ...]:
        points = [start]
        for _ in range(steps):
            points.append(points[-1] - Fraction(share) / numbers["ell"] * curve.slope(points[-1]))
        return tuple(points)

    return follow


def between(curve: Curve, start: Fraction, numbers: Mapping[str, Fraction], steps: int) -> tuple[Fraction, ...]:
    """Gradient descent at the step 2/(ℓ + μ)."""
    share = 2 * numbers["ell"] / (numbers["ell"] + numbers["mu_F"])
    return descended(share)(curve, start, numbers, steps)


def accelerated(curve: Curve, start: Fraction, numbers: Mapping[str, Fraction], steps: int) -> tuple[Fraction, ...]:
    """Nesterov's method with the momentum (t - 1)/(t + 2)."""
    points, ahead = [start], start
    for t in range(1, steps + 1):
        points.append(ahead - curve.slope(ahead) / numbers["ell"])
        ahead = points[-1] + Fraction(t - 1, t + 2) * (points[-1] - points[-2])
    return tuple(points)


def with_momentum(curve: Curve, start: Fraction, numbers: Mapping[str, Fraction], steps: int) -> tuple[Fraction, ...]:
    """Heavy ball, which begins without a step before it."""
    points = [start, start]
    for _ in range(steps):
        moved = points[-1] - numbers["eta"] * curve.slope(points[-1])
        points.append(moved + numbers["beta"] * (points[-1] - points[-2]))
    return tuple(points[1:])


def unmoved(curve: Curve, start: Fraction, numbers: Mapping[str, Fraction], steps: int) -> tuple[Fraction, ...]:
    """v_1 alone is known: what follows is drawn, or no rational number."""
    return (start,)
