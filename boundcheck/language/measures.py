"""Performance measures, which theorems bound: `Measure`, `PerformanceMeasure`, and those of this
package in `MEASURES`.

A `PerformanceMeasure` is a statistic, over iterates, of what is seen at each. The other measure is
the smoothness constant of F, which the lemmas about adapters bound.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import permutations
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import sympy as sp

from boundcheck.errors import InputError
from boundcheck.exact.evaluate import at_time, t
from boundcheck.language.claim import Claim
from boundcheck.language.evidence import Evidence
from boundcheck.language.hypotheses import Cost
from boundcheck.language.symbols import R_1, Lhat, T, f_star
from boundcheck.language.vocabulary import (
    A,
    B,
    EuclideanNorm,
    Expectation,
    F,
    FrobeniusNorm,
    Gradient,
    Hessian,
    InnerProduct,
    MinimumOver,
    PartialGradient,
    SpectralNorm,
    Value,
    ell_t,
    v_star,
    v_t,
)

LOOKED_AT = ("gradient_square", "gap", "square_distance")
r"""What a look at an iterate v has on every face: :math:`\|\nabla F(v)\|^2`, F(v) - f*, :math:`\|v
- v^*\|^2`.

On the run face they are tensors of shape (R,), elsewhere one exact or symbolic number each; those
that no measure asks for need not be computed.
"""


@dataclass(frozen=True)
class Measure(ABC):
    """A number that a claim bounds.

    Attributes:
        id: its name in a file.
        title: what a reader calls it.

    """

    id: str
    title: str

    @abstractmethod
    def is_bounded_by(self, conclusion: sp.Basic, bound: sp.Symbol) -> bool:
        """True if the conclusion says that this measure is at most `bound`."""

    def is_shown_by(self, algorithm: Any) -> bool:
        """True if there are theorems that an algorithm makes it small."""
        return True

    def denies(self, claim: Claim) -> str:
        """A text of what claims with this measure say, if this claim does not say it; empty if it
        does.
        """
        if claim.algorithm is not None and not self.is_shown_by(claim.algorithm):
            return f"one of an algorithm without noise, which {claim.algorithm.id} has"
        is_stated = claim.quantities and self.is_bounded_by(
            claim.conclusion, claim.quantities[-1].symbol
        )
        return (
            "" if is_stated else f"a bound on the {self.title}, by the last quantity of the claim"
        )


class Statistic(Enum):
    """A statistic over v_1, ..., v_T."""

    LEAST = "least"
    AVERAGE = "average"
    LAST = "last"

    @property
    def word(self) -> str:
        """The word that verdicts and pages use for it."""
        return "smallest" if self is Statistic.LEAST else self.value

    def expression(
        self, of: Callable[[sp.Expr], sp.Expr], mean: Callable[[sp.Expr], sp.Expr] = Expectation
    ) -> sp.Expr:
        """The statistic of the expectation of an expression at the iterates."""
        match self:
            case Statistic.LEAST:
                return MinimumOver(mean(of(v_t)), t, 1, T)
            case Statistic.AVERAGE:
                return sp.Sum(mean(of(v_t)), (t, 1, T)) / T
        return mean(of(at_time(v_t, T)))

    def times(self, horizon: int) -> range:
        """The t at which it looks."""
        return range(horizon, horizon + 1) if self is Statistic.LAST else range(1, horizon + 1)


class Enclosure(NamedTuple):
    """An observable at the audits of a run: a lower bound, the computed value and an upper bound,
    shape (R, M) each.
    """

    low: Any
    value: Any
    high: Any

    @property
    def is_lost(self) -> bool:
        """True if a number was computed of which nothing is known, as in a run that diverged: 0
        because of overflow.
        """
        known = np.isfinite(self.low) & np.isfinite(self.high)
        return bool((np.isfinite(self.value) & ~known).any())


@dataclass(frozen=True)
class Observable:
    """A number that is seen at one iterate.

    Attributes:
        expression: of the expression of v.
        name: the attribute of a look that it is.
        called: what verdicts and pages call it.
        seen: what the trace of a run shows of it, from the evidence: an `Enclosure` of three arrays
            of shape (R, M), between what the observable surely is, rounding errors counted; None
            where no run shows it.
        first: what is known of it at v_1 without any theorem, from the start and the values of the
            claim's parameters: a float that is no less, and what that is called; a bound that is
            not below it says nothing.
        letters: how figures write it at v_t; as it is called where left out.
        units: the unit that it is in, where ``{}`` stands for the unit of F; empty where that is
            not known.
        is_of_gradients: whether it is a squared gradient norm in what is trained.

    """

    expression: Callable[[sp.Expr], sp.Expr]
    name: str
    called: str = ""
    seen: Callable[[Evidence], Enclosure] | None = None
    first: Callable[[Any, Mapping[str, Any]], tuple[float, str]] | None = None
    letters: str = ""
    units: str = ""
    is_of_gradients: bool = False

    def axis(self, units: str) -> str:
        """The label of an axis that shows it, of an F in these units."""
        return (self.letters or self.called or self.name) + (
            f" [{self.units.format(units)}]" if self.units else ""
        )

    def of(self, look: Any) -> Any:
        """The number that the look shows: one function for tensors, exact numbers and performance
        estimation.
        """
        return getattr(look, self.name)


@dataclass(frozen=True)
class PerformanceMeasure(Measure):
    """A statistic over iterates of the expectation of what is seen at one.

    One's own has a statistic of `Statistic`, and an `Observable` of this module
    (`SQUARED_GRADIENT`, `GAP`, `SQUARED_DISTANCE`) or of one's own. The conclusion of its theorems
    is ``at_most(bound)``, as `boundcheck.language.sentence.theorem` makes it.

    Attributes:
        over: the statistic: of v_1, ..., v_T the least, the average, or that of v_T.
        observable: what is seen at one iterate, whose faces must agree: the expression that proofs
            and pages have, the attribute of a look that exact arithmetic and performance estimation
            read, and what a run shows.
        pathwise: whether it is of each path, and no expectation: of a step that depends on where it
            starts, each path has its least at a t of its own. Only an algorithm without noise has
            such theorems.

    """

    over: Statistic
    observable: Observable
    pathwise: bool = False

    @property
    def is_looked_at(self) -> bool:
        """True if looks have its observable by that name; raises InputError if they have another
        number.
        """
        stated = self.observable.expression(v_t)
        try:
            looked = self.observable.of(_STATED)
        except AttributeError:
            return False
        if looked != stated and sp.simplify(looked - stated) != 0:
            raise InputError(
                f"measure.{self.id}.statement", stated, f"{looked}, its {self.observable.name}"
            )
        return True

    @property
    def given(self) -> tuple[str, ...]:
        """The assumptions of a verdict on it: if no look has it, the one that a run sees what it
        states.
        """
        return () if self.is_looked_at else (f"what is seen of {self.id}",)

    def check_exactly(self) -> None:
        """Refuse it if exact arithmetic and performance estimation cannot look at it, or look at
        another number.
        """
        if not self.is_looked_at or self.observable.name not in LOOKED_AT:
            expected = f"one of {', '.join(LOOKED_AT)}"
            raise InputError(f"measure.{self.id}.observable", self.observable.name, expected)

    def called(self, is_stochastic: bool) -> str:
        """Its name in a theorem's text; under noise it names the expectation of its observable."""
        mean = "expected " if is_stochastic else ""
        return f"{self.over.word} {mean}{self.observable.called or self.observable.name}"

    def seen_over(self, is_stochastic: bool) -> Statistic:
        """The statistic by which a run may support a bound on it: under noise the average stands
        for the least.

        The least of T expectations is at most their average, and the average over replicas of a
        time average has no
        bias. The least of T means has one: it is low by chance. So a bound above the average holds
        of the least as well; one below it says nothing of the least, which `verdict` holds against
        every iterate.
        """
        return Statistic.AVERAGE if is_stochastic and self.over is Statistic.LEAST else self.over

    def standing(self, is_stochastic: bool) -> str:
        """The relation to the measure of what a run shows, in brackets; empty where that is the
        measure itself.
        """
        return (
            ""
            if self.seen_over(is_stochastic) is self.over
            else f" (no less than the {self.over.word})"
        )

    def shown(self, is_stochastic: bool) -> str:
        """The name of what a run shows of it, and its relation to the measure; see `seen_over`."""
        called = self.observable.called or self.observable.name
        return f"{self.seen_over(is_stochastic).word} {called}{self.standing(is_stochastic)}"

    @property
    def is_seen(self) -> bool:
        """True if a run shows it."""
        return self.observable.seen is not None and self.observable.first is not None

    def seen(self, evidence: Evidence) -> Enclosure:
        """The enclosure of its observable that the run shows; raises ValueError unless
        `is_seen`.
        """
        if self.observable.seen is None:
            raise ValueError(f"expected a measure that a run shows, not the {self.title}")
        return self.observable.seen(evidence)

    def first(self, start: Any, inputs: Mapping[str, Any]) -> tuple[float, str]:
        """A bound on it at v_1, known without any theorem, and what that is called; raises as
        `seen`.
        """
        if self.observable.first is None:
            raise ValueError(f"expected a measure that a run shows, not the {self.title}")
        return self.observable.first(start, inputs)

    @property
    def statement(self) -> sp.Expr:
        """The measure, over the iterates of an algorithm."""
        mean = (lambda each: each) if self.pathwise else Expectation
        return self.over.expression(self.observable.expression, mean)

    def at_most(self, bound: sp.Symbol) -> sp.Basic:
        """The conclusion of a theorem that bounds it."""
        return sp.Le(self.statement, bound)

    def is_shown_by(self, algorithm: Any) -> bool:
        """True unless the measure is of each path and the algorithm has noise: then runs show
        means.
        """
        return not (self.pathwise and getattr(algorithm, "is_stochastic", False))

    def is_bounded_by(self, conclusion: sp.Basic, bound: sp.Symbol) -> bool:
        """True if the conclusion is `at_most` of the bound."""
        return conclusion == self.at_most(bound)

    def value(self, means: Sequence[Any]) -> Any:
        """The measure of a trajectory, from the mean of the observable at each of `over.times`."""
        return (
            sum(means[1:], means[0]) / len(means) if self.over is Statistic.AVERAGE else min(means)
        )


def gradient_square(v: sp.Expr) -> sp.Expr:
    r""":math:`\|\nabla F(v)\|^2`."""
    return EuclideanNorm(Gradient(F, v)) ** 2


def factor_gradient_square(v: sp.Expr) -> sp.Expr:
    r""":math:`\|\nabla_A F(v)\|_F^2 + \|\nabla_B F(v)\|_F^2`."""
    in_a, in_b = (FrobeniusNorm(PartialGradient(F, v, block)) for block in (A, B))
    return in_a**2 + in_b**2


def gap(v: sp.Expr) -> sp.Expr:
    """F(v) - f*."""
    return Value(F, v) - f_star


def square_distance(v: sp.Expr) -> sp.Expr:
    r""":math:`\|v - v^*\|^2`."""
    return EuclideanNorm(v - v_star) ** 2


def _seen_gradient(e: Evidence) -> Enclosure:
    trace = e.record.trace
    square, error = (
        trace[name].values for name in ("gradient_square_norm", "gradient_square_norm_error")
    )
    with np.errstate(invalid="ignore"):
        return Enclosure(square - error, square, square + error)


def _seen_gap(e: Evidence) -> Enclosure:
    r"""The gap, between :math:`\|\nabla F\|^2/(2\ell)`, where F is :math:`\ell` smooth, and
    :math:`F - \inf f`.

    Its upper end is :math:`\|\nabla F\|^2/(2m)`, if that is less.
    """
    gradient, trace = _seen_gradient(e), e.record.trace
    high = trace["loss"].values + trace["loss_error"].values - e.function.infimum.value
    if (strong := e.problem.strong_convexity) is not None:
        high = high.clip(max=gradient.high / (2 * strong.value))
    return Enclosure(gradient.low.clip(min=0) / (2 * e.smoothness), high, high)


def _seen_distance(e: Evidence) -> Enclosure:
    r"""The squared distance, between two bounds.

    They are :math:`\|\nabla F\|^2/\ell^2`, where F is :math:`\ell` smooth, and :math:`\|\nabla
    F\|^2/m^2`. Without an m nothing is known above.
    """
    gradient, strong = _seen_gradient(e), e.problem.strong_convexity
    high = gradient.high / strong.value**2 if strong is not None else gradient.high + math.inf
    return Enclosure(gradient.low.clip(min=0) / e.smoothness**2, high, high)


# Functions with names, for a claim is pickled with its measure.
def _first_gradient(start: Any, inputs: Mapping[str, Any]) -> tuple[float, str]:
    return start.square_norm, "the squared gradient norm at v_1"


def _first_gap(start: Any, inputs: Mapping[str, Any]) -> tuple[float, str]:
    return start.gap.value, "the gap at v_1"


def _first_distance(start: Any, inputs: Mapping[str, Any]) -> tuple[float, str]:
    return float(inputs[R_1.name]) ** 2, "the distance at v_1"


SQUARED_GRADIENT = Observable(
    gradient_square,
    "gradient_square",
    "squared gradient norm",
    _seen_gradient,
    _first_gradient,
    "‖∇F(vₜ)‖²",
    "{}²",
    is_of_gradients=True,
)
# A run's gradient is that in what a step moves.
SQUARED_FACTOR_GRADIENT = replace(
    SQUARED_GRADIENT,
    expression=factor_gradient_square,
    name="factor_gradient_square",
    called="squared gradient norm in the factors",
)
GAP = Observable(gap, "gap", "gap", _seen_gap, _first_gap, "F(vₜ) − f*", "{}")
SQUARED_DISTANCE = Observable(
    square_distance,
    "square_distance",
    "squared distance",
    _seen_distance,
    _first_distance,
    "‖vₜ − v*‖²",
)

# What a look at an iterate has, as statements write it.
_STATED: Any = SimpleNamespace(
    **{
        each.name: each.expression(v_t)
        for each in (SQUARED_GRADIENT, SQUARED_FACTOR_GRADIENT, GAP, SQUARED_DISTANCE)
    }
)

LEAST_GRADIENT = PerformanceMeasure(
    "least_gradient", "least squared gradient norm", Statistic.LEAST, SQUARED_GRADIENT
)
"""Bounded by theorems about nonconvex functions."""

LEAST_GRADIENT_ON_EACH_PATH = PerformanceMeasure(
    "least_gradient_on_each_path",
    "least squared gradient norm, on each path",
    Statistic.LEAST,
    SQUARED_GRADIENT,
    pathwise=True,
)
"""Of algorithms whose steps depend on where they start."""

AVERAGE_GRADIENT = PerformanceMeasure(
    "average_gradient", "average squared gradient norm", Statistic.AVERAGE, SQUARED_GRADIENT
)
LEAST_FACTOR_GRADIENT = PerformanceMeasure(
    "least_factor_gradient",
    "least squared gradient norm in the factors",
    Statistic.LEAST,
    SQUARED_FACTOR_GRADIENT,
)
"""Where v has a base as well, which no step moves."""

LAST_GAP = PerformanceMeasure("last_gap", "last gap", Statistic.LAST, GAP)
AVERAGE_GAP = PerformanceMeasure("average_gap", "average gap", Statistic.AVERAGE, GAP)
LAST_DISTANCE = PerformanceMeasure(
    "last_distance", "last squared distance", Statistic.LAST, SQUARED_DISTANCE
)
"""Bounded by theorems about strongly convex functions."""


@dataclass(frozen=True)
class SmoothnessConstant(Measure):
    """The Lipschitz constant of the gradient of F, or what takes its place on a manifold."""

    symbol: sp.Symbol
    """The symbol by which lemmas name the bound on it."""

    @property
    def cost(self) -> Cost:
        """The cost in a theorem that bounds it: one constant in place of the smoothness along each
        step.
        """
        why = (
            "the theorem's constant, for whatever step might be taken, stands for what these steps"
            " needed"
        )
        return Cost("the theorem's L̂", ((ell_t, self.symbol),), why)

    @property
    def letter(self) -> str:
        """The name of the quantity by which a claim bounds it."""
        return self.symbol.name

    def is_bounded_by(self, conclusion: sp.Basic, bound: sp.Symbol) -> bool:
        """True if the conclusion bounds it: by gradients, by the Hessian, or by a parabola above F
        at each point.
        """
        points = [each.args[1] for each in conclusion.atoms(Gradient)]
        said = [
            sp.Le(norm(Gradient(F, x) - Gradient(F, y)), bound * norm(x - y))
            for norm in (EuclideanNorm, FrobeniusNorm)
            for x in points
            for y in points
            if x.shape == y.shape and x != y
        ]
        said += [
            sp.Le(SpectralNorm(each), bound)
            for each in conclusion.atoms(Hessian)
            if each.args[0] == F
        ]
        if conclusion in said or not isinstance(conclusion, sp.LessThan):
            return conclusion in said
        # A parabola: F(y) - F(x), less inner products with gradients at x, is at most bound/2 ‖y -
        # x‖².
        slopes = conclusion.atoms(Gradient, PartialGradient)
        return any(
            conclusion.rhs == bound / 2 * EuclideanNorm(y - x) ** 2
            and all(
                isinstance(z, InnerProduct)
                for z in sp.Add.make_args(Value(F, y) - Value(F, x) - conclusion.lhs)
            )
            and {z.args[:2] for z in slopes} == {(F, x)}
            for x, y in permutations(
                [each.args[1] for each in conclusion.atoms(Value) if each.args[0] == F], 2
            )
        )


SMOOTHNESS = SmoothnessConstant("smoothness", "smoothness constant", Lhat)

MEASURES: dict[str, Measure] = {
    each.id: each
    for each in (
        LEAST_GRADIENT,
        LEAST_GRADIENT_ON_EACH_PATH,
        AVERAGE_GRADIENT,
        LEAST_FACTOR_GRADIENT,
        LAST_GAP,
        AVERAGE_GAP,
        LAST_DISTANCE,
        SMOOTHNESS,
    )
}
