"""What a hypothesis is held against on a run, and the rows that say what was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    import numpy as np

    from boundcheck.claims import Claim

Status = Literal["held", "failed", "assumed"]
Guilt = Literal["hypothesis", "constant", "horizon", "statistics", "rounding", "claim"]


@dataclass(frozen=True)
class Audit:
    """One hypothesis on one run.

    Attributes:
        hypothesis: its id in the catalogue, ``T >= T_min`` or another condition, or what a constant is called.
        guilt: whom a failure speaks against: a hypothesis, the constant called `symbol`, or the horizon.
        status: ``failed`` on a single counterexample; ``held`` means on everything that was looked at; ``assumed``
            the same of a constant that is only estimated, or that the spec assumes.
        observed: the largest value seen (or the number itself), None where there is nothing to see.
        limit: what it may be at most (of T: at least).
        how: what was looked at, or the argument.
        symbol: the constant that the limit is.

    """

    hypothesis: str
    guilt: Guilt
    status: Status
    observed: float | None
    limit: float | None
    how: str
    symbol: str = ""


class Evidence(Protocol):
    """What a run recorded, as `measure.audit.Evidence` has it; attributes of runs and problems are looked up there."""

    claim: Claim
    spec: Any
    start: Any
    plan: Any
    record: Any
    partial: str

    @property
    def function(self) -> Any:
        """What was minimised; see `words.function.Function`."""

    @property
    def problem(self) -> Any:
        """The same, of a hypothesis that only a problem in one matrix can be held to."""

    @property
    def looks(self) -> str:
        """Over what the maxima run, in words."""

    @property
    def finite(self) -> np.ndarray:
        """Which audited steps led from numbers to numbers, shape (R, M)."""

    @property
    def inside(self) -> np.ndarray:
        """Which of them began and ended inside the ball."""

    def most(self, name: str) -> float | None:
        """The largest value of an observable inside the ball."""

    def surely(self, name: str) -> float | None:
        """The same, less the bound on its rounding error."""


def used(evidence: Evidence, name: str) -> float:
    """The value that the plan gives to a parameter."""
    return float(evidence.plan.inputs[name])


def largest(values: np.ndarray) -> float | None:
    """The largest of an array; None of an empty one."""
    return float(values.max()) if values.size else None


def status_of(observed: float | None, limit: float, certified: bool = True) -> Status:
    """Whether something stayed at its limit; NaN did not."""
    if observed is not None and not observed <= limit:
        return "failed"
    return "held" if certified else "assumed"
