"""MeFT at d = k = r = 1 in exact rational arithmetic: counterexamples that anyone can recompute by
hand.

W = BA is a number, f' a `PiecewiseLinear`, and a sample's loss is f_i(w) = f(w) + c_i w. A run of
Algorithm 1 has finitely many paths, so every expectation is a finite sum of fractions.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TypeAlias

import sympy as sp

from boundcheck.errors import InputError
from boundcheck.exact.balls import Rows, number
from boundcheck.exact.evaluate import Paths, VectorFunction, descent, rational_value
from boundcheck.functions.piecewise import PiecewiseLinear
from boundcheck.language import symbols
from boundcheck.language.claim import Claim

CONSTANTS = tuple(str(x.name) for x in (symbols.L, symbols.G, symbols.C, symbols.sigma))

Point: TypeAlias = tuple[Fraction, Fraction]


@dataclass(frozen=True)
class Setting:
    """The function F(A, B) = f(BA), and the constants that a claim is told. Whole numbers become
    fractions.

    Attributes:
        claim: the lemma, or for a run the theorem, that it is an instance of.
        slope: f'.
        L: the claimed smoothness constant of f.
        G: the claimed bound on |f'|.
        C: the claimed Lipschitz constant of (A, B) -> BA.
        sigma: the claimed bound on |A| and |B|.

    """

    claim: Claim
    slope: PiecewiseLinear
    L: Fraction
    G: Fraction
    C: Fraction
    sigma: Fraction

    def __post_init__(self) -> None:
        """Make whole numbers fractions; refuse constants that no hypothesis allows."""
        self._make_positive(*CONSTANTS)

    def _make_positive(self, *names: str) -> None:
        for name in names:
            object.__setattr__(self, name, Fraction(getattr(self, name)))
            if getattr(self, name) <= 0:
                raise InputError(name, getattr(self, name), "a positive number")

    def loss(self, v: Point) -> Fraction:
        """F(v)."""
        A, B = v
        return self.slope.integral(B * A)

    def gradient(self, v: Point, offset: Fraction = Fraction(0)) -> Point:
        """The gradient at v of F, or of a sample's loss: (B m, m A) with m = f'(BA) + c_i."""
        A, B = v
        m = self.slope.value(B * A) + offset
        return B * m, m * A

    @property
    def functions(self) -> dict[str, VectorFunction]:
        """F and its f, by name, of matrices with one entry."""

        def of_entries(
            blocks: int,
            value: Callable[..., Fraction],
            gradient: Callable[..., tuple[Fraction, ...]],
        ) -> VectorFunction:
            return VectorFunction(
                lambda point: value(*_entries(point, blocks)),
                lambda point: tuple(map(number, gradient(*_entries(point, blocks)))),
            )

        slope = self.slope
        weight = of_entries(1, slope.integral, lambda w: (slope.value(w),))
        return {
            "f": weight,
            "F": of_entries(2, lambda *v: self.loss(v), lambda *v: self.gradient(v)),
        }

    @property
    def constants(self) -> dict[str, Fraction]:
        """What the lemma is told, by name."""
        return {name: getattr(self, name) for name in CONSTANTS}

    @property
    def smoothness(self) -> Fraction:
        """Lhat, the smoothness constant of F by the claim; raises ArithmeticError if it is
        irrational.
        """
        return _rational(self.claim.expression(symbols.Lhat.name), self.constants)


@dataclass(frozen=True)
class Points(Setting):
    """A setting with two points, at which a line about any two is checked."""

    v1: Point
    v2: Point

    @property
    def visited(self) -> tuple[Point, ...]:
        """The two points."""
        return self.v1, self.v2


@dataclass(frozen=True)
class MeftRun(Setting):
    """A setting with a run of Algorithm 1, and the constants that the theorem is told.

    Attributes:
        offsets: c_i, one for each sample; each step draws a fresh one, uniformly.
        start: v_1 = (A, B).
        zeta: the claimed bound on the noise.
        alpha: the step size.
        T: the number of iterations.
        replacement: whether each step draws any sample, and not one that is new.

    """

    offsets: tuple[Fraction, ...]
    start: Point
    zeta: Fraction
    alpha: Fraction
    T: int
    replacement: bool = True

    def __post_init__(self) -> None:
        """Check that T and the offsets describe a run."""
        super().__post_init__()
        self._make_positive(symbols.zeta.name, symbols.alpha.name)
        for name in ("offsets", "start"):
            object.__setattr__(self, name, tuple(Fraction(x) for x in getattr(self, name)))
        if self.T < 1:
            raise InputError("T", self.T, "an integer from 1")
        if not self.offsets:
            raise InputError(
                "offsets", self.offsets, "an offset for each sample, one sample or more"
            )

    @cached_property
    def paths(self) -> Paths[Point, Fraction]:
        """All paths of Algorithm 1."""
        return Paths(
            self.start, self.gradient, descent(self.alpha), self.offsets, self.T, self.replacement
        )

    @property
    def visited(self) -> tuple[Point, ...]:
        """The iterates of all paths."""
        return tuple(self.paths.state(*place) for place in self.paths.places)

    @property
    def gap(self) -> Fraction:
        """D = F(v_1) - f*."""
        return self.loss(self.start) - self.slope.minimum

    @property
    def shortest_horizon(self) -> Fraction:
        """T_min, the fewest iterations that the theorem speaks of; raises ArithmeticError if it is
        irrational.
        """
        told = {
            symbols.D.name: self.gap,
            symbols.T.name: Fraction(self.T),
            symbols.zeta.name: self.zeta,
        }
        return _rational(self.claim.expression(symbols.T_min.name), self.constants | told)


def _entries(point: tuple[Rows, ...], count: int) -> tuple[Fraction, ...]:
    if len(point) != count:
        raise InputError("point", f"{len(point)} blocks", "one" if count == 1 else "two")
    return tuple(block[0][0] for block in point)


def _rational(formula: sp.Expr, given: Mapping[str, Fraction]) -> Fraction:
    result = rational_value(formula, {**given, symbols.r.name: Fraction(1)})
    if result is None:
        raise ArithmeticError(f"{formula} is irrational")
    return result
