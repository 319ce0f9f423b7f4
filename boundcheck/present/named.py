"""Runs of networks, each with a name that tells it from the others."""

import math
import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from boundcheck.exact.digits import DOWN, UP
from boundcheck.experiment.schema import FROM_BELOW, AtSmoothness
from boundcheck.functions.adapters import title_of
from boundcheck.language.hypotheses import READINGS
from boundcheck.present.stored import StoredRun, known
from boundcheck.present.sweeps import groups, settings
from boundcheck.present.words import c_is, norm_names, number

# Letters in a line of a panel's title.
_LETTERS = 27
# Fields of a spec that no name speaks of.
_UNSAID = ("claim", "lipschitz", "model.start", "run.level", "run.every", "run.looks")
MOST_ROWS = 12
"""Rows of a table before it is folded."""
# What each way to an L̂ is called, by way and C.
WAYS = {
    ("path", ""): "L̂ by the path: the largest descent curvature ℓₜ",
    ("layers", ""): "L̂ by layers: the largest λ*",
    **{("printed", C): f"L̂ as printed, {c_is(C)}" for C in READINGS},
}


@dataclass(frozen=True)
class Named:
    """A run, with a name that tells it from the others."""

    name: str
    run: StoredRun

    @property
    def title(self) -> str:
        """The title above a panel: the name, wrapped to lines, and the verdict below it."""
        return "\n".join([*textwrap.wrap(self.name, _LETTERS), self.run.verdict])

    def over(self, name: str, how: Callable[..., Any]) -> np.ndarray:
        """An observable over t, shape (M,): `how` of the replicas that have a number there; NaN where none has."""
        values: np.ndarray = how(np.ma.masked_invalid(self.run.trace[name].values), axis=0).filled(np.nan)
        return values

    def among(self, words: str) -> str:
        """The words if the run has several replicas, else an empty text."""
        return words if self.run.trace.sizes["replica"] > 1 else ""

    @property
    def is_trained(self) -> bool:
        """True if a Trainer made the run; then the callback looked at only some of the samples."""
        return bool(self.run.result.settings.model["kind"] == "trainer")

    @property
    def step_size(self) -> float:
        """The constant step that the theorem is given."""
        return known(self.run.course.plan.step_size)

    @property
    def steps_as_sgd(self) -> bool:
        """True if each step was a step of SGD at that step size, the only steps that the theorem speaks of."""
        audits = self.run.result.audit
        return not any(each.hypothesis == "Algorithm 1" and each.status == "failed" for each in audits)

    @property
    def times(self) -> np.ndarray:
        """The iterations at which the run was looked at, shape (M,), in the mean over replicas."""
        times: np.ndarray = self.run.trace["time"].values.mean(0)
        return times

    @property
    def adapter(self) -> str:
        """The adapter, with its scale where that is not 1."""
        scale = self.run.scale
        return title_of(self.run.adapter) + (f", s\u00a0=\u00a0{scale}" if scale != "1" else "")

    @property
    def is_rounding(self) -> bool:
        """True if the L̂ by the path is mostly rounding error, and so not used."""
        return self.run.estimates.is_mostly_rounding

    def bound(self, row: AtSmoothness) -> str:
        """The bound at the run's own step, or why there is none; a dash if the steps were not those of SGD."""
        if not self.steps_as_sgd:
            return "–"
        if row.way == "path" and self.is_rounding:
            return "none: mostly rounding"
        if row.bound is None and row.longest is not None and self.step_size >= row.longest:
            return "step too long"
        return number(row.bound, self.run.result.digits(3), UP)

    @property
    def seen(self) -> str:
        """Sentences on what the L̂ by the path was made of, and on how the curvature of F compares with it."""
        found = self.run.estimates
        ends = number(found.path, toward=UP), number(found.path_sure, toward=DOWN)
        words = f"Largest descent curvature ℓₜ: {ends[0]} with its rounding error added, {ends[1]} with it taken off"
        if self.is_rounding:
            words += ". Most of it may be rounding error, so it is not used as an L̂"
        if (ratio := self.run.result.gradient_ratio) is not None:
            words += f". Largest gradient ratio: {ratio}, {FROM_BELOW}"
            if not ratio.is_lost and known(ratio.value) - known(ratio.rounding) > found.path:
                words += ": F is not L̂-smooth at the L̂ by the path"
        # A largest of nothing is 0.
        if not found.curvature:
            return f"{words}. The curvature of F was not looked at."
        times = ", ".join(str(int(t)) for t in self.run.trace["look_time"].values[0])
        words += f". Largest curvature ‖∇²F‖, by Lanczos iteration at t\u00a0=\u00a0{times}: "
        words += f"{number(found.curvature)}, "
        if found.curvature <= (found.path or 0):
            return f"{words}which is not above the largest ℓₜ."
        return f"{words}which is more than any ℓₜ: the L̂ by the path is too small for F to be L̂-smooth."

    @property
    def norms(self) -> dict[str, str]:
        """The radii of all sites: their names, and the norm and block of which each is the largest."""
        words, radii = norm_names(self.run.adapter), self.run.estimates.radii.values()
        return {name: words.get(name, name) for each in radii for name in sorted(each)}


def named_runs(runs: list[StoredRun]) -> list[Named]:
    """The runs, each named by adapter, rank and what else tells it from the others; by model too, if models differ."""
    several, names = len({run.problem for run in runs}) > 1, {}
    for run, text in zip(runs, settings(runs, _UNSAID), strict=True):
        # Titles leave the default adapter unsaid, and begin with the problem.
        said = text.removeprefix(run.problem).removeprefix(", ")
        parts = [run.problem] * several + [title_of(run.adapter)] * run.has_default_adapter + [said] * bool(said)
        names[id(run)] = re.sub(r", (?:run|model|adapter)\.", ", ", ", ".join(parts))
    for group in groups(runs, ("seed",)):
        if len(group) > 1:
            names |= {id(run): f"{names[id(run)]}, seed {run.result.spec['seed']}" for run in group}
    return [Named(names[id(run)], run) for run in runs]


def distinct(named: list[Named]) -> list[Named]:
    """The first run of each group of runs that differ only in the seed."""
    firsts = {id(group[0]) for group in groups([each.run for each in named], ("seed",))}
    return [each for each in named if id(each.run) in firsts]


def shown_and_folded(named: list[Named]) -> tuple[list[Named], list[Named]]:
    """The rows that a table shows, and those that it folds away.

    Of more than 12 runs a table shows at most 12; of those that differ only in the seed, the first.
    """
    shown = named if len(named) <= MOST_ROWS else distinct(named)[:MOST_ROWS]
    return shown, [each for each in named if all(each is not other for other in shown)]


def spread(values: list[float | None]) -> str:
    """The mean of the finite values, with the least and the largest in brackets; a lone value by itself."""
    known = [x for x in values if x is not None and math.isfinite(x)]
    if len(known) < 2:
        return number(known[0] if known else None)
    return f"{number(float(np.mean(known)))} ({number(min(known))} to {number(max(known))})"
