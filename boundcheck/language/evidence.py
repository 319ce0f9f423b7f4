"""Two things that a theorem's words are held against: the `Evidence` of a run, and an `Instance`,
finite exact data.

Of a run a word says rows, each an `Audit`; of an instance an `Answer`, from what the instance knows
for certain. What
that does not know is open, and never taken to hold: finitely many points say nothing of all the
others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, reduce
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import sympy as sp

from boundcheck.exact.balls import Number, Rationals, ball
from boundcheck.exact.digits import Toward, telling
from boundcheck.language.symbols import toward

if TYPE_CHECKING:
    import xarray as xr

    from boundcheck.language.claim import Claim, Quantifier, Quantity
    from boundcheck.language.function import Function

ROUNDING = 1e-12
"""A bound that the relative error of a computed spectral norm stays below; nearer ties are called
inside."""

OFF_SLOPE, OFF_SAMPLES = "gradient_excess", "minibatch_excess"
"""What a run records of how it was computed: how far gradients are off the loss, and off their
samples' gradients."""

Status = Literal["held", "failed", "assumed"]
MatrixNorm = Literal["frobenius", "spectral"]
Guilt = Literal["hypothesis", "constant", "horizon", "statistics", "rounding", "claim"]


@dataclass(frozen=True)
class Audit:
    """A row of the audit: one hypothesis on one run.

    Attributes:
        hypothesis: its id in the catalogue, ``T >= T_min`` or another condition, or what a constant
            is called.
        guilt: whom a failure speaks against: a hypothesis, the constant called `symbol`, or the
            horizon.
        status: ``failed`` on a single counterexample; ``held`` means on everything that was looked
            at; ``assumed`` the same of a constant that is only estimated, or that the spec assumes.
        observed: the largest value seen (or the number itself), None where there is nothing to see.
        limit: what it may be at most (of T: at least).
        how: what was looked at, or the argument.
        symbol: the constant that the limit is.
        error: by how much what was observed may be more than what it stands for: a bound on its
            rounding error.

    """

    hypothesis: str
    guilt: Guilt
    status: Status
    observed: float | None
    limit: float | None
    how: str
    symbol: str = ""
    error: float = 0.0

    @property
    def is_kept(self) -> bool:
        """True if what was observed, less its error, is on the right side of the limit, or if
        either is missing.
        """
        if self.observed is None or self.limit is None:
            return True
        if self.guilt == "horizon":
            return self.observed + self.error >= self.limit
        return self.observed - self.error <= self.limit

    def shown(self, write: Callable[..., str], digits: int) -> tuple[str, str]:
        """The observed number and its limit, as text by `write` at so many digits, or more if a
        failure needs them.
        """
        of_time = self.guilt == "horizon"
        seen, most = Toward.UP if of_time else Toward.NEAREST, toward(self.symbol)
        if self.status == "failed":
            low, high = (
                (self.observed, (self.limit, most))
                if of_time
                else (self.limit, (self.observed, seen))
            )
            digits = telling(low, high, digits=digits)
        return write(self.observed, digits, seen), write(self.limit, digits, most)


@dataclass(frozen=True)
class Evidence:
    """The evidence of a run: what was planned and recorded.

    Attributes:
        claim: the theorem, with what the spec assumes.
        spec: the experiment.
        function: what was minimised.
        start: what is known at v_1; see `experiment.plan.Start`.
        plan: what was fixed before the run.
        record: the trace, its schedule, and the ball watch.
        sampling: what is known of the sampling from how it was made; where it is None the trace
            shows it.
        partial: on which of its samples the function was looked at, where not on all.

    """

    claim: Claim
    spec: Any
    function: Function
    start: Any
    plan: Any
    record: Any
    sampling: tuple[Audit, ...] | None = None
    partial: str = ""

    @property
    def problem(self) -> Any:
        """The function, for a hypothesis that only a problem in one matrix can be held to."""
        return self.function

    @property
    def smoothness(self) -> Any:
        """A bound on the smoothness of F where the run was, whatever its theorem calls L̂."""

    @property
    def minibatches(self) -> Any:
        """The mean of minibatches of the plan's size, against the gradient at the last iterate of
        the first replica.

        A `boundcheck.functions.checks.Mean`; None for an algorithm without noise.
        """
        return None

    @property
    def looks(self) -> str:
        """The iterates and replicas over which the maxima run, in words."""
        replicas, strata = self.record.schedule.times.shape
        some = (
            f"{strata} random iterates" if self.record.schedule.at_random else f"{strata} iterates"
        )
        times = "every iterate" if self.record.schedule.is_every_step else some
        times += f", on {self.partial}" if self.partial else ""
        return (
            f"{times} of each of {replicas} replicas"
            if self.spec.is_stochastic and replicas > 1
            else times
        )

    @property
    def finite(self) -> np.ndarray:
        """True where an audited step led from numbers to numbers, shape (R, M); the others speak
        against nothing.
        """
        numbers = [self.record.trace[name].values for name in self.function.norm_names.values()]
        return np.all([np.isfinite(x).reshape(*x.shape[:2], -1).all(-1) for x in numbers], axis=0)

    @cached_property
    def inside(self) -> np.ndarray:
        """True where an audited step began and ended in the ball, shape (R, M); without a ball,
        where it is finite.
        """
        found = self.finite.copy()
        for radius, name in self.function.norm_names.items():
            if radius in self.plan.radii:
                found &= self.record.trace[name].values <= self.plan.radii[radius] * (1 + ROUNDING)
        return found

    def most(self, name: str) -> float | None:
        """The largest value of an observable inside the ball; NaN where one is; None where nothing
        was inside.
        """
        return largest(self.record.trace[name].values[self.inside])

    def surely(self, name: str) -> float | None:
        """The largest value of an observable inside the ball, less the bound on its rounding error;
        see `most`.
        """
        return largest(less_rounding(self.record.trace, name)[self.inside])

    @property
    def sure_smoothness(self) -> float:
        """The largest descent curvature along the path, less its rounding error; what is no number
        is left out.
        """
        values = less_rounding(self.record.trace, "path_smoothness")[self.inside]
        return float(values[np.isfinite(values)].max(initial=0.0))


def used(evidence: Evidence, name: str) -> float:
    """The value that the plan gives to a parameter."""
    return float(evidence.plan.inputs[name])


def less_rounding(trace: xr.Dataset, name: str) -> np.ndarray:
    """The values of an observable, less the bounds on their rounding errors; NaN where both are
    infinite.
    """
    with np.errstate(invalid="ignore"):
        return np.asarray(trace[name].values - trace[f"{name}_error"].values)


def beyond_rounding(trace: xr.Dataset, name: str) -> np.ndarray:
    """The values of an observable, and NaN where one is no more than its rounding error.

    Where steps are as short as rounding errors, a curvature is nothing but rounding, and may be of
    any size.
    """
    values, error = trace[name].values, trace[f"{name}_error"].values
    return np.where(np.isfinite(error) & (np.abs(values) >= error), values, np.nan)


def largest(values: np.ndarray) -> float | None:
    """The largest value of an array; None for an empty one."""
    return float(values.max()) if values.size else None


def rounding(observed: float | None, surely: float | None) -> float:
    """The excess of the largest value that was seen over what is left of it without its rounding
    error.
    """
    return 0.0 if observed is None or surely is None or not observed > surely else observed - surely


def status_of(observed: float | None, limit: float, certified: bool = True) -> Status:
    """``failed`` for a value above its limit, or NaN; else ``held`` if certified, and ``assumed``
    if not.
    """
    if observed is not None and not observed <= limit:
        return "failed"
    return "held" if certified else "assumed"


@dataclass(frozen=True)
class Answer:
    """The answer to whether a part of a claim holds in an instance.

    Attributes:
        verdict: ``holds`` or ``fails`` where that is certain, else ``open``.
        why: how it fails, or what cannot be decided; empty where it holds.

    """

    verdict: Literal["holds", "fails", "open"]
    why: str = ""

    def __and__(self, other: Answer) -> Answer:
        """The answer for both parts: what fails comes before what is open."""
        return max(self, other, key=lambda each: ("holds", "open", "fails").index(each.verdict))


HOLDS = Answer("holds")


@dataclass(frozen=True)
class Extent:
    """A number of an instance, such as the largest slope of its function, that lies between two
    ends.

    Attributes:
        least: it is at least this; None if nothing is known below it.
        most: it is at most this; None if nothing is known above it.

    """

    least: Number | None = None
    most: Number | None = None

    @classmethod
    def of(cls, x: Number) -> Extent:
        """The extent of a number that is known."""
        return cls(x, x)

    def __or__(self, other: Extent) -> Extent:
        """The larger of two numbers."""
        lower = [x.least for x in (self, other) if x.least is not None]
        upper = [x.most for x in (self, other) if x.most is not None]
        larger = Rationals().larger
        return Extent(
            reduce(larger, lower) if lower else None, larger(*upper) if len(upper) == 2 else None
        )

    def square(self) -> Extent:
        """The square of a number that is not negative."""
        # A number is multiplied by its own kind alone, which no type says.
        ends: tuple[Any, ...] = (self.least, self.most)
        return Extent(*(x if x is None else x * x for x in ends))


UNKNOWN = Extent()


class Instance:
    """The questions that any instance can be asked.

    Here the answer is that nothing is known; each kind of instance says what it knows.

    Points, values and gradients belong to a function F(v) = f(W(v)), or to F alone. Constants are
    those that the function needs wherever the question says, and not only at the points that are
    visited.
    """

    def value(self, symbol: sp.Symbol) -> Extent:
        """The number that a letter stands for."""
        return UNKNOWN

    def decide(self, relation: sp.Basic) -> Answer:
        """Decide whether a relation holds, at each time from 1 to T, and in each outcome."""
        return Answer("open", f"nothing says whether {relation}")

    def defines(self, quantity: Quantity) -> Answer:
        """Decide whether a letter stands for its formula; an instance that knows it by the formula
        alone says so.
        """
        return self.decide(sp.Eq(quantity.symbol, quantity.expression, evaluate=False))

    # An `Algorithm`, whose module is above this one.
    def follows(self, algorithm: Any) -> Answer:
        """Decide whether each iterate is the one that the algorithm makes of those before it."""
        return Answer("open", f"nothing says whether its points are steps of {algorithm.title}")

    def ranges(self, hypothesis: Claim) -> Answer:
        """Decide whether a hypothesis holds that no word decides, and that ranges over more than
        times.
        """
        return Answer("open", "it ranges over more than the instance has")

    def within(self, quantifier: Quantifier) -> Answer:
        """Decide whether it is in the range of a claim, where that is less than all values of its
        letters.
        """
        return Answer("open", "nothing says whether the instance is in this range")

    def on_domain(self) -> Answer:
        """Decide whether its points are where constants are known and the conclusion applies; here,
        everywhere.
        """
        return HOLDS

    def smoothness(self, where: str) -> Extent:
        """The Lipschitz constant of the gradient of F, at the points that `Hypothesis.place`
        says.
        """
        return UNKNOWN

    def convexity(self, where: Literal["near", "space"]) -> Extent:
        """The largest m with F(w) >= F(v) + <∇F(v), w - v> + m/2 ‖w - v‖²; 0 where F is only
        convex.

        For all v and w, or for those as ``near`` a minimiser as v_1.
        """
        return UNKNOWN

    def weight_smoothness(self) -> Extent:
        """The Lipschitz constant of the gradient of f in W."""
        return UNKNOWN

    def weight_gradient(self, norm: MatrixNorm) -> Extent:
        """The largest norm of the gradient of f in W, on all W that the hypotheses allow."""
        return UNKNOWN

    def adapter_lipschitz(self) -> Extent:
        """The least C with ‖W_1 - W_2‖_F <= C (‖A_1 - A_2‖_F + ‖B_1 - B_2‖_F) on the domain."""
        return UNKNOWN

    def reach(self, radius: sp.Symbol) -> Extent:
        """The largest norm, over all points that are visited, of the blocks for which a symbol is
        the radius.
        """
        return UNKNOWN

    def frozen(self, radius: sp.Symbol) -> Extent:
        """The norm of the block for which a symbol is the radius, where that block is frozen."""
        return UNKNOWN

    def infimum(self) -> Extent:
        """The infimum of F."""
        return UNKNOWN

    def gap(self) -> Extent:
        """F(v_1) less the infimum of F."""
        return UNKNOWN

    def distance(self) -> Extent:
        """The distance from v_1 to the nearest minimiser of F."""
        return UNKNOWN

    def bias(self) -> Extent:
        """The largest norm of the mean of g_t, given the past, less the gradient of F."""
        return UNKNOWN

    def variance(self) -> Extent:
        """The largest E‖g - ∇F‖², given the past, on all points that the hypotheses allow."""
        return UNKNOWN


def at_most(what: str, size: Extent, name: object, limit: Extent) -> Answer:
    """Decide whether a number, called `what`, is at most a limit, called `name`."""
    found = _is_at_most(size, limit)
    if found is None:
        return Answer("open", f"{what} is not known to be at most {name}")
    return (
        HOLDS
        if found
        else Answer("fails", f"{what} is {_text(size.least)}, above {name} = {_text(limit.most)}")
    )


def at_least(what: str, size: Extent, name: object, limit: Extent) -> Answer:
    """Decide whether a number, called `what`, is at least a limit, called `name`."""
    found = _is_at_most(limit, size)
    if found is None:
        return Answer("open", f"{what} is not known to be at least {name}")
    return (
        HOLDS
        if found
        else Answer("fails", f"{what} is {_text(size.most)}, below {name} = {_text(limit.least)}")
    )


def _is_at_most(x: Extent, y: Extent) -> bool | None:
    """Whether x <= y; None where neither that nor x > y is certain."""
    for a, b, answer in ((x.most, y.least, True), (x.least, y.most, False)):
        if a is None or b is None:
            continue
        # Rationals are compared exactly, also where they tie. One beside a ball becomes a ball,
        # which decides only what is certain.
        p: Any
        q: Any
        p, q = (a, b) if isinstance(a, Fraction) and isinstance(b, Fraction) else (ball(a), ball(b))
        if bool(p <= q) if answer else bool(p > q):
            return answer
    return None


def _text(x: Any) -> str:
    """A number, shortened: an iterate may have thousands of digits."""
    if isinstance(x, Fraction) and max(abs(x.numerator), x.denominator) < 10**9:
        return str(x)
    return f"{float(x):.9g}"
