"""`Instance`: finite exact data in which a claim is tried, and `Answer`: whether a part of the claim holds there.

An instance says what it knows for certain; a word says what that means for the hypothesis that it is. What an instance
does not know is open, and never taken to hold: finitely many points say nothing of all the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import sympy as sp
from flint import arb

from boundcheck.exact.balls import ball_of

if TYPE_CHECKING:
    from boundcheck.language.algorithms import Algorithm
    from boundcheck.language.claim import Claim, Quantity

Number: TypeAlias = Fraction | arb
"""An exact number, or a ball that contains one."""


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
    """A number of an instance, such as the largest slope of its function, that lies between two ends.

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
        if self.least is None or other.least is None:
            least = other.least if self.least is None else self.least
        else:
            least = _larger(self.least, other.least)
        return Extent(least, None if self.most is None or other.most is None else _larger(self.most, other.most))

    def square(self) -> Extent:
        """The square of a number that is not negative."""
        # A number is multiplied by its own kind alone, which no type says.
        ends: tuple[Any, ...] = (self.least, self.most)
        return Extent(*(x if x is None else x * x for x in ends))


UNKNOWN = Extent()


class Instance:
    """The questions that any instance can be asked.

    Here the answer is that nothing is known; each kind of instance says what it knows.

    Points, values and gradients belong to a function F(v) = f(W(v)), or to F alone. Constants are those that the
    function needs wherever the question says, and not only at the points that are visited.
    """

    def value(self, symbol: sp.Symbol) -> Extent:
        """The number that a letter stands for."""
        return UNKNOWN

    def decide(self, relation: sp.Basic) -> Answer:
        """Decide whether a relation holds, at each time from 1 to T, and in each outcome."""
        return Answer("open", f"nothing says whether {relation}")

    def defines(self, quantity: Quantity) -> Answer:
        """Decide whether a letter stands for its formula; an instance that knows it by the formula alone says so."""
        return self.decide(sp.Eq(quantity.symbol, quantity.expression, evaluate=False))

    def follows(self, algorithm: Algorithm) -> Answer:
        """Decide whether each iterate is the one that the algorithm makes of those before it."""
        return Answer("open", f"nothing says whether its points are steps of {algorithm.title}")

    def ranges(self, hypothesis: Claim) -> Answer:
        """Decide whether a hypothesis holds that no word decides, and that ranges over more than times."""
        return Answer("open", "it ranges over more than the instance has")

    def within(self, quantifier: str) -> Answer:
        """Decide whether it is in the range of a claim's text, where that is more than "for all" of its letters."""
        return Answer("open", "nothing says whether the instance is in this range")

    def on_domain(self) -> Answer:
        """Decide whether its points are where constants are known and the conclusion applies; here, everywhere."""
        return HOLDS

    def smoothness(self, where: str) -> Extent:
        """The Lipschitz constant of the gradient of F, where `Hypothesis.smooth_on` says."""
        return UNKNOWN

    def convexity(self, where: Literal["near", "space"]) -> Extent:
        """The largest m with F(w) >= F(v) + <∇F(v), w - v> + m/2 ‖w - v‖²; 0 where F is only convex.

        For all v and w, or for those as ``near`` a minimiser as v_1.
        """
        return UNKNOWN

    def weight_smoothness(self) -> Extent:
        """The Lipschitz constant of the gradient of f in W."""
        return UNKNOWN

    def weight_gradient(self, norm: Literal["frobenius", "spectral"]) -> Extent:
        """The largest norm of the gradient of f in W, on all W that the hypotheses allow."""
        return UNKNOWN

    def adapter_lipschitz(self) -> Extent:
        """The least C with ‖W_1 - W_2‖_F <= C (‖A_1 - A_2‖_F + ‖B_1 - B_2‖_F) on the domain."""
        return UNKNOWN

    def reach(self, radius: sp.Symbol) -> Extent:
        """The largest norm, over all points that are visited, of the blocks for which a symbol is the radius."""
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
    match _is_at_most(size, limit):
        case True:
            return HOLDS
        case False:
            return Answer("fails", f"{what} is {text(size.least)}, above {name} = {text(limit.most)}")
    return Answer("open", f"{what} is not known to be at most {name}")


def at_least(what: str, size: Extent, name: object, limit: Extent) -> Answer:
    """Decide whether a number, called `what`, is at least a limit, called `name`."""
    match _is_at_most(limit, size):
        case True:
            return HOLDS
        case False:
            return Answer("fails", f"{what} is {text(size.most)}, below {name} = {text(limit.least)}")
    return Answer("open", f"{what} is not known to be at least {name}")


def _is_at_most(x: Extent, y: Extent) -> bool | None:
    """Whether x <= y; None where neither that nor x > y is certain."""
    if x.most is not None and y.least is not None:
        high, low = _alike(x.most, y.least)
        if bool(high <= low):
            return True
    if x.least is not None and y.most is not None:
        low, high = _alike(x.least, y.most)
        if bool(low > high):
            return False
    return None


def _larger(x: Number, y: Number) -> Number:
    a, b = _alike(x, y)
    return max(a, b) if isinstance(a, Fraction) else a.max(b)


def _alike(x: Number, y: Number) -> tuple[Any, Any]:
    """Both as rationals, or both as balls, which decide only what is certain."""
    if isinstance(x, Fraction) and isinstance(y, Fraction):
        return x, y
    return ball_of(x) if isinstance(x, Fraction) else x, ball_of(y) if isinstance(y, Fraction) else y


def text(x: Any) -> str:
    """A number as text for a reader, shortened: an iterate may have thousands of digits."""
    if isinstance(x, Fraction) and max(abs(x.numerator), x.denominator) < 10**9:
        return str(x)
    return f"{float(x):.9g}"
