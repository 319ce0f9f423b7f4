"""`Evidence` of a run, against which words are held, and `Audit`: a row that says what was found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from boundcheck.exact.digits import Toward, telling
from boundcheck.language.symbols import toward

if TYPE_CHECKING:
    import xarray as xr

    from boundcheck.language.claim import Claim
    from boundcheck.language.function import Function

ROUNDING = 1e-12
"""A bound that the relative error of a computed spectral norm stays below; nearer ties are called inside."""

Status = Literal["held", "failed", "assumed"]
Guilt = Literal["hypothesis", "constant", "horizon", "statistics", "rounding", "claim"]


@dataclass(frozen=True)
class Audit:
    """A row of the audit: one hypothesis on one run.

    Attributes:
        hypothesis: its id in the catalogue, ``T >= T_min`` or another condition, or what a constant is called.
        guilt: whom a failure speaks against: a hypothesis, the constant called `symbol`, or the horizon.
        status: ``failed`` on a single counterexample; ``held`` means on everything that was looked at; ``assumed``
            the same of a constant that is only estimated, or that the spec assumes.
        observed: the largest value seen (or the number itself), None where there is nothing to see.
        limit: what it may be at most (of T: at least).
        how: what was looked at, or the argument.
        symbol: the constant that the limit is.
        error: by how much what was observed may be more than what it stands for: a bound on its rounding error.

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
        """True if what was observed, less its error, is on the right side of the limit, or if either is missing."""
        if self.observed is None or self.limit is None:
            return True
        if self.guilt == "horizon":
            return self.observed + self.error >= self.limit
        return self.observed - self.error <= self.limit

    def shown(self, write: Callable[..., str], digits: int) -> tuple[str, str]:
        """The observed number and its limit, as text by `write` at so many digits, or more if a failure needs them."""
        of_time = self.guilt == "horizon"
        seen, most = Toward.UP if of_time else Toward.NEAREST, toward(self.symbol)
        if self.status == "failed":
            low, high = (self.observed, (self.limit, most)) if of_time else (self.limit, (self.observed, seen))
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
        sampling: what is known of the sampling from how it was made; where it is None the trace shows it.
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
        """The mean of minibatches of the plan's size, against the gradient at the last iterate of the first replica.

        A `boundcheck.functions.checks.Mean`; None for an algorithm without noise.
        """
        return None

    @property
    def looks(self) -> str:
        """The iterates and replicas over which the maxima run, in words."""
        replicas, strata = self.record.schedule.times.shape
        some = f"{strata} random iterates" if self.record.schedule.at_random else f"{strata} iterates"
        times = "every iterate" if self.record.schedule.is_every_step else some
        times += f", on {self.partial}" if self.partial else ""
        return f"{times} of each of {replicas} replicas" if self.spec.is_stochastic and replicas > 1 else times

    @property
    def finite(self) -> np.ndarray:
        """True where an audited step led from numbers to numbers, shape (R, M); the others speak against nothing."""
        numbers = [self.record.trace[name].values for name in self.function.norm_names.values()]
        return np.all([np.isfinite(x).reshape(*x.shape[:2], -1).all(-1) for x in numbers], axis=0)

    @cached_property
    def inside(self) -> np.ndarray:
        """True where an audited step began and ended in the ball, shape (R, M); without a ball, where it is finite."""
        found = self.finite.copy()
        for radius, name in self.function.norm_names.items():
            if radius in self.plan.radii:
                found &= self.record.trace[name].values <= self.plan.radii[radius] * (1 + ROUNDING)
        return found

    def most(self, name: str) -> float | None:
        """The largest value of an observable inside the ball; NaN where one is; None where nothing was inside."""
        return largest(self.record.trace[name].values[self.inside])

    def surely(self, name: str) -> float | None:
        """The largest value of an observable inside the ball, less the bound on its rounding error; see `most`."""
        return largest(less_rounding(self.record.trace, name)[self.inside])

    @property
    def sure_smoothness(self) -> float:
        """The largest descent curvature along the path, less its rounding error; what is no number is left out."""
        values = less_rounding(self.record.trace, "path_smoothness")[self.inside]
        return float(values[np.isfinite(values)].max(initial=0.0))


def used(evidence: Evidence, name: str) -> float:
    """The value that the plan gives to a parameter."""
    return float(evidence.plan.inputs[name])


def less_rounding(trace: xr.Dataset, name: str) -> np.ndarray:
    """The values of an observable, less the bounds on their rounding errors; NaN where both are infinite."""
    with np.errstate(invalid="ignore"):
        return np.asarray(trace[name].values - trace[f"{name}_error"].values)


def beyond_rounding(trace: xr.Dataset, name: str) -> np.ndarray:
    """The values of an observable, and NaN where one is no more than its rounding error.

    Where steps are as short as rounding errors, a curvature is nothing but rounding, and may be of any size.
    """
    values, error = trace[name].values, trace[f"{name}_error"].values
    return np.where(np.isfinite(error) & (np.abs(values) >= error), values, np.nan)


def largest(values: np.ndarray) -> float | None:
    """The largest value of an array; None for an empty one."""
    return float(values.max()) if values.size else None


def rounding(observed: float | None, surely: float | None) -> float:
    """The excess of the largest value that was seen over what is left of it without its rounding error."""
    return 0.0 if observed is None or surely is None or not observed > surely else observed - surely


def status_of(observed: float | None, limit: float, certified: bool = True) -> Status:
    """``failed`` for a value above its limit, or NaN; else ``held`` if certified, and ``assumed`` if not."""
    if observed is not None and not observed <= limit:
        return "failed"
    return "held" if certified else "assumed"
