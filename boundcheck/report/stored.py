"""`StoredRun`: a finished run as figures and tables read it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import xarray as xr

from boundcheck.measure.grounds import verdict_of
from boundcheck.verdicts import Verdict


@dataclass(frozen=True)
class StoredRun:
    """A finished run as a figure needs it: its result and its trace."""

    result: dict[str, Any]
    trace: xr.Dataset

    @property
    def is_theorem(self) -> bool:
        """Whether it is a run of Algorithm 1, and not the bracket of a lemma."""
        return "plan" in self.result

    @property
    def is_network(self) -> bool:
        """Whether it is the run of a network, of which all but the infimum of the loss is measured."""
        return "theorems" in self.result

    @property
    def verdict(self) -> Verdict:
        """The verdict, with the ground that it stands on; of results of earlier versions too."""
        return verdict_of(self.result)

    @property
    def problem(self) -> str:
        """The objective's name, as titles print it."""
        return str(self.result["problem"]["name"])

    @property
    def rank(self) -> int | None:
        """The adapter's rank; None of full fine-tuning."""
        rank: int | None = self.result["spec"]["adapter"]["rank"]
        return rank

    @property
    def adapter(self) -> str:
        """The adapter's kind."""
        return str(self.result["spec"]["adapter"]["kind"])

    @property
    def scale(self) -> str:
        """The adapter's scale as titles print it."""
        scale = self.result["spec"]["adapter"]["scale"]
        return str(scale).replace("sqrt(r)", "√r") if isinstance(scale, str) else f"{scale:g}"

    @property
    def ratio(self) -> float | None:
        """Measured average over bound; None where no number was measured."""
        measured = self.result["measured"]
        return None if measured is None else float(measured / self.result["bound"])


def highest_rank(runs: Iterable[StoredRun]) -> list[StoredRun]:
    """Of each problem the first of its runs of highest rank."""
    best: dict[str, StoredRun] = {}
    for run in runs:
        if run.problem not in best or (run.rank or 0) > (best[run.problem].rank or 0):
            best[run.problem] = run
    return list(best.values())
