"""A run on a curve as a setting of the worlds, and as an instance that the judge of claims can ask."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Literal

import sympy as sp

from boundcheck.checked.edited import written_out
from boundcheck.checked.engines.curves import Walk
from boundcheck.checked.worlds.setting import Setting
from boundcheck.claims import Claim
from boundcheck.claims.vocabulary import v, v_star
from boundcheck.errors import InputError
from boundcheck.exact.evaluate import Function, rational_value
from boundcheck.exact.paths import Paths
from boundcheck.exact.rationals import number
from boundcheck.words.algorithms import Algorithm
from boundcheck.words.algorithms.linear import LinearMethod
from boundcheck.words.instance import HOLDS, UNKNOWN, Answer, Extent, Instance

_SIDES = dict.fromkeys(("one", "n", "d", "k", "r"), 1)
_ZERO = Fraction(0)


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
    curve, paths = walk.curve, Paths(None, lambda *_: None, lambda state, *_: state, (None,), walk.steps)
    function = Function(lambda p: curve.value(p[0][0][0]), lambda p: (number(curve.slope(p[0][0][0])),))
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
        return Extent.of(max(map(abs, self.walk.curve.curvatures)))

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
