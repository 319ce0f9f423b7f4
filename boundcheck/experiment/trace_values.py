"""The value of an expression on a run: what is at v_t is read off its trace, a sum over t estimated by its audits."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, NamedTuple

import numpy as np
import sympy as sp

from boundcheck.experiment.audit import Evidence, known_ends
from boundcheck.language.symbols import T, alpha, f_star
from boundcheck.language.vocabulary import (
    SLOPE,
    SQUARE,
    EuclideanNorm,
    F,
    InnerProduct,
    Value,
    ell_t,
    g_t,
    v_first,
    v_last,
    v_t,
)

STEEPEST = sp.Symbol("largest_ell_t", real=True)
"""The largest ell_t that was seen, its rounding error taken off."""
SHARPEST = sp.Symbol("sharpest_Lhat", real=True)
"""The least of all that is known to bound it, of a problem whose constants are known."""


class Level(NamedTuple):
    """A number of each replica: the part that does not vary with t, shape (R, 1), and what each audit adds, (R, M)."""

    base: np.ndarray
    parts: np.ndarray

    @property
    def values(self) -> np.ndarray:
        """The number of each replica, shape (R,)."""
        found: np.ndarray = self.base[:, 0] + self.parts.sum(1)
        return found

    @property
    def mean(self) -> float:
        """The mean over replicas."""
        return float(self.values.mean())

    def plus(self, other: "Level", sign: int = 1) -> "Level":
        """The sum of both, or their difference."""
        return Level(self.base + sign * other.base, self.parts + sign * other.parts)


class _Seen(NamedTuple):
    """Values, and by how much they may be off: shape (R, M), or of an end of the run (R, 1)."""

    value: np.ndarray
    error: np.ndarray


# What a run shows, and the letter that stands for each while it is computed.
_SHOWN = (
    *(SQUARE, InnerProduct(SLOPE, g_t), EuclideanNorm(g_t) ** 2, ell_t, STEEPEST),
    *(Value(F, v_t), Value(F, v_first), Value(F, v_last)),
)
_LETTER = {node: sp.Dummy() for node in _SHOWN}


@cache
def _parted(expression: sp.Expr) -> tuple[sp.Expr, list[tuple[sp.Symbol, sp.Sum]]]:
    """An expression with letters in place of its sums over t, and what they stand for."""
    sums = {total: sp.Dummy() for total in expression.atoms(sp.Sum)}
    return expression.xreplace(sums), [(letter, total) for total, letter in sums.items()]


@cache
def _compiled(expression: sp.Expr) -> tuple[list[sp.Symbol], Callable[..., Any]]:
    """The letters of an expression, with those of what is shown, and its value as a function of them."""
    plain = sp.sympify(expression, strict=True).xreplace(_LETTER)
    letters = sorted(plain.free_symbols, key=str)
    return letters, sp.lambdify(letters, plain, "numpy")


@dataclass(frozen=True)
class OnRun:
    """The values of an expression's letters on a run of v - alpha g, where g_t is the step that was taken.

    Attributes:
        evidence: the run.
        pace: alpha.

    """

    evidence: Evidence
    pace: float

    @cached_property
    def numbers(self) -> dict[str, float]:
        """Constants by name: those of the plan, the infimum of F, and alpha."""
        plan = self.evidence.plan
        known = {name: float(x) for name, x in (plan.inputs | plan.values | plan.numbers).items()}
        own = {f_star: self.evidence.function.infimum.value, alpha: self.pace, SHARPEST: self.sharpest}
        return known | {str(x.name): value for x, value in own.items()}

    @cached_property
    def sharpest(self) -> float:
        """The least constant that is known to bound the smoothness along the steps; infinite where none is."""
        ends = known_ends(self.evidence) if self.evidence.function.is_known else []
        return min((end.value for end in ends), default=math.inf)

    @cached_property
    def seen(self) -> dict[sp.Expr, _Seen]:
        r"""The values that the trace and both ends of the run show, and by how much they may be off.

        The errors are those that the trace has: that of a slope is no more than that of the part of second order,
        :math:`\ell_t\|\Delta\|^2/2`, in which it enters.
        """
        trace, first, last = self.evidence.record.trace, self.evidence.start.v, self.evidence.record.last
        x = {name: trace[name].values for name in ("loss", "loss_error", "gradient_square_norm", "slope")}
        length, ell, off = (trace[name].values for name in ("step_length", "path_smoothness", "path_smoothness_error"))
        exact = np.zeros_like(length)
        return {
            SQUARE: _Seen(x["gradient_square_norm"], trace["gradient_square_norm_error"].values),
            InnerProduct(SLOPE, g_t): _Seen(-x["slope"] / self.pace, off * length**2 / (2 * self.pace)),
            EuclideanNorm(g_t) ** 2: _Seen((length / self.pace) ** 2, exact),
            ell_t: _Seen(ell, off),
            STEEPEST: _Seen(np.full((len(ell), 1), (ell - off).max()), np.zeros((len(ell), 1))),
            Value(F, v_t): _Seen(x["loss"], x["loss_error"]),
            Value(F, v_first): self._end(first),
            Value(F, v_last): self._end(last),
        }

    def _end(self, v: Any) -> _Seen:
        """F at one point of each replica, or at one for all, and by how much it may be off."""
        function, replicas = self.evidence.function, len(self.evidence.record.schedule.times)
        loss = function.loss(v)
        columns = (x.cpu().numpy().astype(float)[:, None] for x in (loss, function.rounding(v, loss)[0]))
        return _Seen(*(np.broadcast_to(x, (replicas, 1)) for x in columns))

    @property
    def is_finite(self) -> bool:
        """True if all values that were seen are finite numbers."""
        return all(np.isfinite(each.value).all() for each in self.seen.values())

    def level(self, expression: sp.Expr, off: sp.Expr | None = None) -> Level:
        """The value of an expression that is affine in sums over t.

        Args:
            expression: over constants, ends of the run, and sums of what is at v_t.
            off: what is to be taken as far too large as it may be.

        """
        times, (outside, sums) = self.evidence.record.schedule.times, _parted(expression)
        added = {letter: self._audits(total, off) for letter, total in sums}
        base = np.broadcast_to(self._value(outside, dict.fromkeys(added, 0.0), off), (len(times), 1))
        whole = np.broadcast_to(self._value(outside, added, off), times.shape)
        return Level(base, whole - base)

    def _audits(self, total: sp.Sum, off: sp.Expr | None) -> np.ndarray:
        """The contribution of each audit to a sum over t, shape (R, M): its term, for as many t as it stands for."""
        schedule, (index, first, last) = self.evidence.record.schedule, total.limits[0]
        term = self._value(total.function, {index: schedule.times.astype(float)}, off)
        low, high = (self.number(end) for end in (first, last))
        counted = (schedule.times >= low) & (schedule.times <= high)
        found: np.ndarray = np.where(counted, term, 0.0) * schedule.weights * self.numbers[T.name]
        return found

    def _value(self, expression: sp.Expr, given: Mapping[sp.Symbol, Any], off: sp.Expr | None) -> Any:
        """The value of an expression without sums; infinite, or NaN, where it divides by 0."""
        letters, function = _compiled(expression)
        shown = {_LETTER[node]: x.value + x.error if node == off else x.value for node, x in self.seen.items()}
        values = [given[x] if x in given else shown[x] if x in shown else self.numbers[str(x.name)] for x in letters]
        with np.errstate(all="ignore"):
            try:
                return np.asarray(function(*values), dtype=float)
            except ZeroDivisionError:
                # Python's numbers raise where numpy's are infinite, or no number.
                return np.asarray(function(*map(np.asarray, values)), dtype=float)

    def rounding(self, expression: sp.Expr) -> float:
        """The amount by which the mean over replicas may be off, by the rounding errors of all that was seen."""
        exact = self.level(expression).values
        moved = [self.level(expression, node).values - exact for node in _SHOWN if expression.has(node)]
        return float(sum(np.abs(each).mean() for each in moved))

    def number(self, expression: sp.Expr) -> float:
        """The value of an expression over constants alone."""
        return float(self._value(expression, {}, None))
