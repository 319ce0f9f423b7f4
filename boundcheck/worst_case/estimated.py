"""Answers to the judge about a performance estimation: about all functions that it is over, and the worst one's points.

A hypothesis that is open for all of them is not asked of the functions, and then the worst is over a larger class.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, reduce
from typing import Any, Literal

import numpy as np
import sympy as sp
from flint import arb, arb_mat, ctx

from boundcheck.exact.balls import Balls, ball_of, enclose
from boundcheck.exact.evaluate import Model, VectorFunction
from boundcheck.functions.judged import BITS, OfClaim, number
from boundcheck.language.algorithms import Algorithm
from boundcheck.language.claim import Claim
from boundcheck.language.inputs import exact
from boundcheck.language.instance import HOLDS, UNKNOWN, Answer, Extent
from boundcheck.language.measures import SMOOTHNESS
from boundcheck.language.sentence import smoothness_of
from boundcheck.language.symbols import L, ell, f_star, zeta
from boundcheck.language.vocabulary import F, v_star
from boundcheck.worst_case import bracket
from boundcheck.worst_case.program import Node, Program, equal


@dataclass(frozen=True)
class OfClass(OfClaim):
    """Any function and run of a program: what is known of it is known of all. W(v) is v, and f is F.

    Attributes:
        claim: the theorem.
        program: whose properties the functions have.
        at: the value of each parameter of the theorem.

    """

    claim: Claim
    program: Program
    at: Mapping[str, float]

    @property
    def inputs(self) -> Mapping[str, float]:
        """The value of each parameter of the theorem."""
        return self.at

    @property
    def chosen(self) -> Mapping[str, Any]:
        """The smoothness and the noise of the program."""
        return {L.name: self.program.lipschitz, ell.name: self.program.lipschitz, zeta.name: self.program.noise}

    def value(self, symbol: sp.Symbol) -> Extent:
        """The value of a symbol as the claim has it; 0 for f*."""
        return {f_star: Extent.of(Fraction(0))}.get(symbol) or super().value(symbol)

    def follows(self, algorithm: Algorithm) -> Answer:
        """`HOLDS` for the program's algorithm, which makes the iterates; the base class answers for any other."""
        return HOLDS if algorithm == self.program.algorithm else super().follows(algorithm)

    def smoothness(self, where: str) -> Extent:
        """The smoothness of the program, everywhere."""
        return Extent(most=number(self.program.lipschitz))

    @property
    def leaves_out(self) -> tuple[str, ...]:
        """The functions and noise that the claim's hypotheses allow and the program does not have, a sentence each."""
        own = {p.symbol for p in self.claim.parameters} | {q.symbol for q in self.claim.quantities}
        said = [bound for bound in smoothness_of(self.claim) if bound.free_symbols <= own]
        limit, found = SMOOTHNESS.symbol, []
        if not said:
            found.append(f"no hypothesis says that the smoothness of F is at most {limit}")
        elif not any(self.decide(sp.Le(bound, limit, evaluate=False)) == HOLDS for bound in said):
            least = " or ".join(map(str, said))
            found.append(f"by the hypotheses the smoothness of F is at most {least}, which may be above {limit}")
        if self.program.algorithm.is_stochastic and not self.program.noise:
            found.append("no noise is allowed, which no hypothesis bounds")
        return tuple(found)

    def convexity(self, where: Literal["near", "space"]) -> Extent:
        """The convexity of the program, everywhere."""
        program = self.program
        if program.strong:
            return Extent(least=number(exact("strong", program.strong)))
        return Extent(least=Fraction(0)) if program.is_convex else UNKNOWN

    def weight_smoothness(self) -> Extent:
        """The smoothness of F, because f is F."""
        return self.smoothness("space")

    def infimum(self) -> Extent:
        """At least f*, which is 0: F is nowhere below it."""
        return Extent(least=Fraction(0))

    def gap(self) -> Extent:
        """At most the program's bound on the gap; unknown where it has none."""
        gap = self.program.gap
        return UNKNOWN if gap is None else Extent(most=number(exact("gap", gap)))

    def distance(self) -> Extent:
        """At most the program's bound on the distance; unknown where it has none."""
        distance = self.program.distance
        return UNKNOWN if distance is None else Extent(most=number(exact("distance", distance)))

    def bias(self) -> Extent:
        """0: the two points of the noise lie on both sides of the gradient, equally likely and equally far."""
        return Extent.of(Fraction(0))

    def variance(self) -> Extent:
        """At most the square of the program's bound on the noise."""
        return Extent(most=number(exact("noise", self.program.noise))).square()


@dataclass(frozen=True)
class OfPoints(OfClass):
    """A function that has given values and gradients at the points of a run, and the properties of the program.

    Attributes:
        found: the points, in rational numbers.
        exact: the numbers of the program.
        iterates: T.

    """

    found: bracket.RationalRun
    exact: bracket.Exact
    iterates: int

    @cached_property
    def _length(self) -> arb:
        """The unit of length."""
        return enclose(self.program.square_length, {}, BITS).sqrt()

    @cached_property
    def _steepness(self) -> arb:
        """The unit of gradients."""
        return enclose(self.program.lipschitz, {}, BITS) * self._length

    @cached_property
    def _walk(self) -> tuple[list[list[Any]], list[Node], list[arb]]:
        """The iterates of each t, the points at which F is asked, and the values there; the last two with their units.

        Noise after the last iterate is 0, where a step leads to one more.
        """
        course, values = self.found.walk(self.exact, self.iterates)
        unit = self._steepness * self._length
        nodes = [
            Node(self._vector(node.x, self._length), self._vector(node.gradient, self._steepness), node.place)
            for node in course.nodes
        ]

        def point(x: np.ndarray) -> arb_mat:
            at = (made.x for node, made in zip(course.nodes, nodes, strict=True) if equal(node.x, x))
            found = next(at, None)
            return self._vector(x, self._length) if found is None else found

        points = [[point(self.program.algorithm.iterate(state)) for state in states] for states in course.states]
        points += [[self._vector(x, self._length) for x in course.after]] if course.after else []
        heights = [unit * _ball(values[node.place]) if node.place is not None else arb(0) for node in nodes]
        return points, nodes, heights

    def _vector(self, x: np.ndarray, unit: arb) -> arb_mat:
        return arb_mat([[unit * _ball(entry)] for entry in x] or [[arb(0)]])

    def weight_gradient(self, norm: Literal["frobenius", "spectral"]) -> Extent:
        """At least the largest norm of a gradient that was seen."""
        with ctx.workprec(BITS):
            return Extent(least=reduce(arb.max, (Balls().length((node.gradient,)) for node in self._walk[1])))

    def model(self) -> Model[arb, arb_mat]:
        """The model of the iterates; F has its values at them, and lies between bounds elsewhere."""
        points, nodes, _ = self._walk
        leaves = len(points[self.iterates - 1])

        def place(t: int, outcome: int) -> int:
            return outcome * len(points[t - 1]) // leaves

        def iterate(name: str, t: int, outcome: int) -> tuple[arb_mat, ...]:
            if name != "v" or not 1 <= t <= len(points):
                raise LookupError(f"{name} at t = {t}")
            return (points[t - 1][place(t, outcome)],)

        return Model(
            Balls(),
            numbers={f_star: arb(0)},
            matrices={} if self.program.distance is None else {v_star: (nodes[-1].x,)},
            iterates=iterate,
            functions={F: VectorFunction(self._value, self._gradient)},
            horizon=self.iterates,
            weights=[Fraction(1, leaves)] * leaves,
            past=lambda t: [place(t, outcome) for outcome in range(leaves)],
            values=self.letters,
        )

    def _gradient(self, point: tuple[arb_mat, ...]) -> tuple[arb_mat, ...]:
        found = next((node.gradient for node in self._walk[1] if node.x is point[0]), None)
        if found is None:
            raise LookupError("a gradient where F is not asked")
        return (found,)

    def _value(self, point: tuple[arb_mat, ...]) -> arb:
        """F at a point; where F is not asked, the interval that its curvature leaves, from all points where it is."""
        _, nodes, heights = self._walk
        for node, height in zip(nodes, heights, strict=True):
            if node.x is point[0]:
                return height
        do, most = Balls(), enclose(self.program.lipschitz, {}, BITS)
        least = most * enclose(self.program.curvature, {}, BITS)
        below, above = arb(0), None
        for node, height in zip(nodes, heights, strict=True):
            way = point[0] - node.x
            linear, square = height + do.inner((node.gradient,), (way,)), do.inner((way,), (way,)) / 2
            below, top = below.max(linear + least * square), linear + most * square
            above = top if above is None else above.min(top)
        return below if above is None else below.union(above)


def _ball(x: Any) -> arb:
    return ball_of(x) if isinstance(x, Fraction) else x
