"""Exact runs on a function of one number: they decide a claim's truth, and are its instances to be judged.

Written from the definitions, in rational numbers: nothing here is taken from the engines.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, Literal

import sympy as sp

from boundcheck.checked.edits import written_out
from boundcheck.checked.exact_models.exact_model import Setting
from boundcheck.checked.exact_models.functions import Curve, Number
from boundcheck.errors import InputError
from boundcheck.exact.evaluate import VectorFunction, rational_value
from boundcheck.exact.paths import Paths
from boundcheck.exact.rationals import number
from boundcheck.language.algorithms import Algorithm, LinearMethod
from boundcheck.language.claim import Claim
from boundcheck.language.instance import HOLDS, UNKNOWN, Answer, Extent, Instance
from boundcheck.language.vocabulary import v, v_star

_SIDES = dict.fromkeys(("one", "n", "d", "k", "r"), 1)
_ZERO = Fraction(0)


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


def function_of(curve: Curve) -> VectorFunction:
    """A curve as a function of matrices of one entry."""
    return VectorFunction(lambda p: curve.value(p[0][0][0]), lambda p: (number(curve.slope(p[0][0][0])),))


def setting_of(walk: Walk, claim: Claim, letters: Collection[str] = (v_star.name,)) -> Setting:
    """A run with the numbers of a claim; each matrix letter is 0, the minimiser among them.

    Raises:
        InputError: where a quantity of the claim is no rational number.

    """
    known = dict(walk.numbers) | {"f_star": _ZERO}
    for place, quantity in enumerate(claim.quantities):
        found = rational_value(written_out(quantity.expression, claim.quantities[:place]), walk.numbers)
        if found is None:
            raise InputError("quantity", quantity.name, "a rational number")
        known[quantity.name] = found
    paths: Paths[Any, Any] = Paths(None, lambda *_: None, lambda state, *_: state, (None,), walk.steps)
    function = function_of(walk.curve)
    return Setting(
        _SIDES,
        known,
        {name: number(_ZERO) for name in letters},
        {"F": function, "f": function},
        (v.name,),
        paths=paths,
        process=lambda _, time, __: number(walk.points[time - 1]),
    )


@dataclass(frozen=True)
class Asked(Instance):
    """A run without noise, of whose F everything is known.

    Attributes:
        walk: the run.
        claim: what it is an instance of.

    """

    walk: Walk
    claim: Claim

    @cached_property
    def setting(self) -> Setting:
        """The run with the claim's numbers."""
        return setting_of(self.walk, self.claim)

    def value(self, symbol: sp.Symbol) -> Extent:
        found = self.setting.numbers.get(symbol.name)
        return UNKNOWN if found is None else Extent.of(found)

    def decide(self, relation: sp.Basic) -> Answer:
        found = self.setting.verdict(relation, frozenset({v.name}))
        return HOLDS if found else Answer("open" if found is None else "fails", f"{relation}")

    def follows(self, algorithm: Algorithm) -> Answer:
        """Each iterate, by the exact step of a linear method."""
        if not isinstance(algorithm, LinearMethod) or len(self.walk.points) <= self.walk.steps:
            return Answer("open", "its steps are no rational numbers")
        numbers = {x.name: self.setting.numbers[x.name] for x in algorithm.parameters}
        state = algorithm.exact_start(self.walk.points[0], numbers)
        for t, point in enumerate(self.walk.points[1:], 1):
            gradient = self.walk.curve.slope(algorithm.exact_query(state, t, numbers))
            state = algorithm.exact_step(state, gradient, t, numbers)
            if algorithm.iterate(state) != point:
                return Answer("fails", f"v_{t + 1} is {point}")
        return HOLDS

    def smoothness(self, where: str) -> Extent:
        return Extent.of(self.walk.curve.smoothness)

    def convexity(self, where: Literal["near", "space"]) -> Extent:
        return Extent.of(min(self.walk.curve.curvatures))

    def infimum(self) -> Extent:
        return Extent.of(_ZERO) if self.walk.curve.is_least_at_0 else UNKNOWN

    def gap(self) -> Extent:
        return Extent.of(self.walk.gap) if self.walk.curve.is_least_at_0 else UNKNOWN

    def distance(self) -> Extent:
        return Extent(most=abs(self.walk.points[0])) if self.walk.curve.is_least_at_0 else UNKNOWN

    def bias(self) -> Extent:
        return Extent.of(_ZERO)

    def variance(self) -> Extent:
        return Extent.of(_ZERO)
