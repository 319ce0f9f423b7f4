"""`Measure`: what a claim bounds; and `PerformanceMeasure`: a statistic, over iterates, of what is seen at each."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

import sympy as sp

from boundcheck.claims.symbols import T, f_star
from boundcheck.claims.vocabulary import EuclideanNorm, Expectation, F, Gradient, MinimumOver, Value, t, v_star, v_t


class Look(Protocol):
    """What can be seen at an iterate v: on the run face tensors of shape (R,), elsewhere one exact or symbolic number.

    The attributes that a look does not have, or that a measure does not ask for, need not be computed.
    """

    @property
    def gradient_square(self) -> Any:
        r""":math:`\|\nabla F(v)\|^2`."""

    @property
    def gap(self) -> Any:
        """F(v) - f*."""

    @property
    def square_distance(self) -> Any:
        r""":math:`\|v - v^*\|^2`."""


@dataclass(frozen=True)
class Measure(ABC):
    """What a claim bounds.

    Attributes:
        id: its name in a file.
        title: what a reader calls it.

    """

    id: str
    title: str

    @property
    def is_of_a_run(self) -> bool:
        """Whether it measures an algorithm, and not a function alone."""
        return True

    @abstractmethod
    def is_bounded_by(self, conclusion: sp.Basic, bound: sp.Symbol) -> bool:
        """Whether the conclusion says that this measure is at most `bound`."""


class Over(Enum):
    """A statistic over v_1, ..., v_T."""

    LEAST = "least"
    AVERAGE = "average"
    LAST = "last"

    def expression(self, of: Callable[[sp.Expr], sp.Expr]) -> sp.Expr:
        """The statistic of the expectation of an expression at the iterates."""
        match self:
            case Over.LEAST:
                return MinimumOver(Expectation(of(v_t)), t, 1, T)
            case Over.AVERAGE:
                return sp.Sum(Expectation(of(v_t)), (t, 1, T)) / T
        return Expectation(of(v_t.xreplace({t: T})))

    def times(self, horizon: int) -> range:
        """The t at which it looks."""
        return range(horizon, horizon + 1) if self is Over.LAST else range(1, horizon + 1)

    def candidates(self, means: Sequence[Any]) -> list[Any]:
        """The numbers of which the statistic is the smallest, of the means at `times`."""
        return [sum(means[1:], means[0]) / len(means)] if self is Over.AVERAGE else list(means)


@dataclass(frozen=True)
class Observable:
    """What is seen at one iterate.

    Attributes:
        expression: of the expression of v.
        name: the attribute of a look that it is.

    """

    expression: Callable[[sp.Expr], sp.Expr]
    name: str

    def of(self, look: Look) -> Any:
        """What the look shows: one function for tensors, exact numbers and performance estimation."""
        return getattr(look, self.name)


@dataclass(frozen=True)
class PerformanceMeasure(Measure):
    """A statistic over iterates of the expectation of what is seen at one."""

    over: Over
    observable: Observable

    @property
    def statement(self) -> sp.Expr:
        """The measure, over the iterates of an algorithm."""
        return self.over.expression(self.observable.expression)

    def at_most(self, bound: sp.Symbol) -> sp.Basic:
        """The conclusion of a theorem that bounds it."""
        return sp.Le(self.statement, bound)

    def is_bounded_by(self, conclusion: sp.Basic, bound: sp.Symbol) -> bool:
        """Whether the conclusion is `at_most`."""
        return bool(conclusion == self.at_most(bound))

    def value(self, means: Sequence[Any]) -> Any:
        """The measure of a trajectory, from the mean of the observable at each of `over.times`."""
        return min(self.over.candidates(means))


def gradient_square(v: sp.Expr) -> sp.Expr:
    r""":math:`\|\nabla F(v)\|^2`."""
    return EuclideanNorm(Gradient(F, v)) ** 2


def gap(v: sp.Expr) -> sp.Expr:
    """F(v) - f*."""
    return Value(F, v) - f_star


def square_distance(v: sp.Expr) -> sp.Expr:
    r""":math:`\|v - v^*\|^2`."""
    return EuclideanNorm(v - v_star) ** 2


SQUARED_GRADIENT = Observable(gradient_square, "gradient_square")
GAP = Observable(gap, "gap")
SQUARED_DISTANCE = Observable(square_distance, "square_distance")
