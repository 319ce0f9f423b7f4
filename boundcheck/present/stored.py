"""`StoredRun`: a finished run as figures and tables read it."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import xarray as xr

from boundcheck.exact.digits import DOWN, UP, telling
from boundcheck.experiment.result import BracketResult, Chain, Ends, Estimates, RunResult
from boundcheck.experiment.spec import AdapterSpec
from boundcheck.language.algorithms import Algorithm
from boundcheck.language.catalogue import catalogue
from boundcheck.language.measures import PerformanceMeasure
from boundcheck.language.sentence import algorithm_of, measure_of
from boundcheck.present.words import number, rooted
from boundcheck.verdicts import Verdict


class Numbers(NamedTuple):
    """The numbers of a run as every table and sentence prints them, a dash for each that is missing.

    The bound is rounded up and the ends of the interval outwards; the largest lower estimate of a bracket is rounded
    down. What lies above the bound is shown above it.
    """

    measured: str
    bound: str
    lower: str
    upper: str
    ratio: str


@dataclass(frozen=True)
class StoredRun:
    """A finished run as a figure needs it: its result and its trace."""

    result: RunResult | BracketResult
    trace: xr.Dataset

    @property
    def is_theorem(self) -> bool:
        """True if an algorithm was run; False for the bracket of a lemma."""
        return isinstance(self.result, RunResult)

    @property
    def is_network(self) -> bool:
        """True for the run of a network, of which all but the infimum of the loss is measured."""
        return isinstance(self.result, RunResult) and self.result.estimates is not None

    @property
    def course(self) -> RunResult:
        """The result of a run of an algorithm; raises TypeError for a bracket."""
        if not isinstance(self.result, RunResult):
            raise TypeError(f"{self.result.run_id} is a bracket")
        return self.result

    @cached_property
    def algorithm(self) -> Algorithm:
        """The algorithm that was run; raises TypeError for a bracket."""
        if (found := algorithm_of(catalogue[self.course.claim])) is None:
            raise TypeError(f"{self.result.claim} is about no algorithm")
        return found

    @cached_property
    def measure(self) -> PerformanceMeasure:
        """The measure that the theorem bounds; raises TypeError for a bracket."""
        found = measure_of(catalogue[self.course.claim])
        if not isinstance(found, PerformanceMeasure):
            raise TypeError(f"{self.result.claim} bounds nothing that a run shows")
        return found

    @property
    def shown(self) -> str:
        """The name of what was measured."""
        return self.measure.shown(self.algorithm.is_stochastic)

    @cached_property
    def has_diverged(self) -> bool:
        """True for a run on matrices if F was not a finite number at one of its audits, all of which are looked at."""
        return self.is_theorem and not self.is_network and not np.isfinite(self.trace["loss"]).all()

    @property
    def estimates(self) -> Estimates:
        """The estimates measured along the run of a network; raises TypeError for any other run."""
        if (found := self.course.estimates) is None:
            raise TypeError(f"{self.result.run_id} is no run of a network")
        return found

    @property
    def ends(self) -> Ends:
        """Both ends of the run of a network; raises TypeError for any other run."""
        if (found := self.course.ends) is None:
            raise TypeError(f"{self.result.run_id} is no run of a network")
        return found

    @property
    def slack(self) -> tuple[Chain, ...]:
        """The chains of a bracket, which say what each inequality of a proof gives away; empty for a run."""
        return self.result.slack if isinstance(self.result, BracketResult) else ()

    @property
    def verdict(self) -> Verdict:
        """The verdict, with the ground that it stands on."""
        return self.result.verdict

    @property
    def bound(self) -> float | None:
        """The claim's bound; None if a hypothesis failed and the formula is below 0, where it has no meaning."""
        value = self.result.bound
        return None if self.verdict is Verdict.HYPOTHESIS_FAILED and value is not None and value < 0 else value

    @property
    def is_estimated(self) -> bool:
        """True if its bound uses constants for which only samples stand."""
        assumed = any(each.status == "assumed" for each in self.result.audit)
        sampled = any(each.kind == "estimated" for each in self.result.constants.values())
        return self.is_network or assumed or sampled

    @property
    def ratio(self) -> float | None:
        """Measured over bound; None where there is no bound."""
        return None if self.bound is None else self.result.ratio

    @cached_property
    def numbers(self) -> Numbers:
        """The numbers of the run as a person reads them: what was measured, beside the bound."""
        x, digits = self.result, self.result.digits(3)
        low, high = (x.interval.lower, x.interval.upper) if x.interval else (None, None)
        ends = number(low, digits, DOWN), number(high, digits, UP)
        over = telling(1.0, (self.ratio, x.toward), digits=2)
        return Numbers(
            number(x.measured, digits, x.toward),
            number(self.bound, digits, UP),
            *ends,
            number(self.ratio, over, x.toward),
        )

    @property
    def problem(self) -> str:
        """The objective's name, as titles print it."""
        return self.result.problem.name

    @property
    def rank(self) -> int | None:
        """The adapter's rank; None for full fine-tuning."""
        return self.result.settings.adapter.rank

    @property
    def title(self) -> str:
        """Its problem, and the adapter's rank where there is one."""
        return self.problem if self.rank is None else f"{self.problem}, rank {self.rank}"

    @property
    def adapter(self) -> str:
        """The adapter's kind."""
        return self.result.settings.adapter.kind

    @property
    def has_default_adapter(self) -> bool:
        """True if the adapter is that of a spec which names none."""
        return self.adapter == AdapterSpec.model_fields["kind"].default

    @property
    def scale(self) -> str:
        """The adapter's scale as titles print it."""
        scale = self.result.settings.adapter.scale
        return rooted(scale) if isinstance(scale, str) else f"{scale:g}"


def known(value: float | None) -> float:
    """The value as a number for a figure; NaN for None."""
    return math.nan if value is None else value


def highest_rank(runs: Iterable[StoredRun]) -> list[StoredRun]:
    """For each problem, the first of its runs of highest rank."""
    best: dict[str, StoredRun] = {}
    for run in runs:
        if run.problem not in best or (run.rank or 0) > (best[run.problem].rank or 0):
            best[run.problem] = run
    return list(best.values())
