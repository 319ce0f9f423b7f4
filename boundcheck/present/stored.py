"""Finished runs as figures and tables read them: `StoredRun`, `Named` for those of networks; their titles and groups.

Runs belong together when their specs are equal in everything but what is swept.
"""

from __future__ import annotations

import json
import math
import re
import textwrap
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import xarray as xr

from boundcheck.exact.digits import DOWN, UP, telling
from boundcheck.experiment.result import FROM_BELOW, AtSmoothness, BracketResult, Chain, Ends, Estimates, RunResult
from boundcheck.experiment.spec import AdapterSpec
from boundcheck.experiment.store import finished
from boundcheck.functions.adapters import title_of
from boundcheck.language.algorithms import Algorithm
from boundcheck.language.catalogue import catalogue
from boundcheck.language.hypotheses import READINGS
from boundcheck.language.measures import PerformanceMeasure
from boundcheck.language.sentence import algorithm_of, measure_of
from boundcheck.present.words import c_is, norm_names, number, rooted
from boundcheck.system.tables import fields_of
from boundcheck.verdicts import Verdict

Item = TypeVar("Item")
Key = TypeVar("Key", bound=Hashable)

MOST_ROWS = 12
"""Rows of a table before it is folded."""
# Letters in a line of a panel's title.
_LETTERS = 27
# What a title calls a field by a letter.
_LETTER_OF = {"run.step_size": "η"}
# Fields of a spec that no name of a network's run speaks of.
_UNSAID = ("claim", "lipschitz", "model.start", "run.level", "run.every", "run.looks")
_TITLED = ("claim", "lipschitz", "run.step_size")
# What each way to an L̂ is called, by way and C.
WAYS = {
    ("path", ""): "L̂ by the path: the largest descent curvature ℓₜ",
    ("layers", ""): "L̂ by layers: the largest λ*",
    **{("printed", C): f"L̂ as printed, {c_is(C)}" for C in READINGS},
}


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
    """A finished run as a figure needs it: its result and its trace. What a run is not made for raises TypeError."""

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
        """The result of a run of an algorithm."""
        if not isinstance(self.result, RunResult):
            raise TypeError(f"{self.result.run_id} is a bracket")
        return self.result

    @cached_property
    def algorithm(self) -> Algorithm:
        if (found := algorithm_of(catalogue[self.course.claim])) is None:
            raise TypeError(f"{self.result.claim} is about no algorithm")
        return found

    @cached_property
    def measure(self) -> PerformanceMeasure:
        """The measure that the theorem bounds."""
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
        """The estimates measured along the run of a network."""
        if (found := self.course.estimates) is None:
            raise TypeError(f"{self.result.run_id} is no run of a network")
        return found

    @property
    def ends(self) -> Ends:
        """Both ends of the run of a network."""
        if (found := self.course.ends) is None:
            raise TypeError(f"{self.result.run_id} is no run of a network")
        return found

    @property
    def slack(self) -> tuple[Chain, ...]:
        """The chains of a bracket, which say what each inequality of a proof gives away; empty for a run."""
        return self.result.slack if isinstance(self.result, BracketResult) else ()

    @property
    def verdict(self) -> Verdict:
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
        x, digits = self.result, self.result.digits(3)
        over = telling(1.0, (self.ratio, x.toward), digits=2)
        return Numbers(
            number(x.measured, digits, x.toward),
            number(self.bound, digits, UP),
            number(x.interval.lower if x.interval else None, digits, DOWN),
            number(x.interval.upper if x.interval else None, digits, UP),
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
    def seeded(self) -> str:
        """The seed as titles print it, behind a comma; empty for 0."""
        seed = self.result.settings.seed
        return f", seed {seed}" if seed else ""

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

    @property
    def scaled(self) -> str:
        """The scale behind a comma; empty for 1."""
        return f", s\u00a0=\u00a0{self.scale}" if self.scale != "1" else ""


def load_runs(folders: Iterable[Path]) -> list[StoredRun]:
    """The finished runs in these folders; raises InputError for a folder without one, or with an unknown verdict."""
    return [StoredRun(*finished(folder)) for folder in folders]


def known(value: float | None) -> float:
    """The value as a number for a figure; NaN for None."""
    return math.nan if value is None else value


@dataclass(frozen=True)
class Named:
    """A run of a network, with a name that tells it from the others."""

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
        return title_of(self.run.adapter) + self.run.scaled

    def bound(self, row: AtSmoothness) -> str:
        """The bound at the run's own step, or why there is none; a dash if the steps were not those of SGD."""
        if not self.steps_as_sgd:
            return "–"
        if row.way == "path" and self.run.estimates.is_mostly_rounding:
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
        if found.is_mostly_rounding:
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


def shown_first(named: list[Named]) -> tuple[list[Named], int]:
    """All runs, those that a table shows before those that it folds away, and how many it shows.

    Of more than 12 runs a table shows at most 12; of those that differ only in the seed, the first.
    """
    shown = named if len(named) <= MOST_ROWS else distinct(named)[:MOST_ROWS]
    return [*shown, *without(named, shown)], len(shown)


def without(items: Iterable[Item], others: Sequence[Item]) -> list[Item]:
    """The items but for the others, which are compared by identity: two runs may be equal."""
    left_out = set(map(id, others))
    return [each for each in items if id(each) not in left_out]


def grouped(items: Iterable[Item], key: Callable[[Item], Key]) -> dict[Key, list[Item]]:
    """The items by their keys, in the order in which the keys come."""
    found: dict[Key, list[Item]] = {}
    for each in items:
        found.setdefault(key(each), []).append(each)
    return found


def largest(items: Iterable[Item], key: Callable[[Item], Hashable], size: Callable[[Item], Any]) -> list[Item]:
    """For each key the first of its items of largest size."""
    return [max(group, key=size) for group in grouped(items, key).values()]


def highest_rank(runs: Iterable[StoredRun]) -> list[StoredRun]:
    """For each problem, the first of its runs of highest rank."""
    return largest(runs, lambda run: run.problem, lambda run: run.rank or 0)


def groups(runs: list[StoredRun], free: tuple[str, ...]) -> list[list[StoredRun]]:
    """Groups of runs whose specs are equal in every field but `free`, given by paths such as ``adapter.rank``."""

    def fixed(run: StoredRun) -> str:
        fields = {path: value for path, value in fields_of(run.result.spec).items() if path not in free}
        return json.dumps(fields, sort_keys=True)

    return list(grouped(runs, fixed).values())


def settings(runs: list[StoredRun], free: tuple[str, ...] = _TITLED) -> list[str]:
    """A name for each run: problem, adapter, rank, scale and what else tells them apart, but for `free`.

    By default it leaves out what `words.titled` says, which stands beside it.
    """
    unsaid = {"seed", "run.steps", "adapter.kind", "adapter.rank", "adapter.scale", *free}
    specs, titles = [fields_of(run.result.spec) for run in runs], []
    for run in runs:
        titles.append(run.problem + ("" if run.has_default_adapter else f", {title_of(run.adapter)}"))
        if "adapter.rank" not in free and run.rank is not None:
            titles[-1] += f", rank {run.rank}"
        if "adapter.scale" not in free:
            titles[-1] += run.scaled
    for path in sorted(
        {path for spec in specs for path in spec} - unsaid, key=lambda path: (path[:7] != "problem", path)
    ):
        # What a spec leaves open has no value to say.
        values = ["" if spec.get(path) is None else str(spec[path]) for spec in specs]
        apart = list(zip(titles, values, strict=True))
        if len(set(apart)) > len(set(titles)):
            several = {title for title in titles if len({v for t, v in apart if t == title}) > 1}
            name = _LETTER_OF.get(path, path.removeprefix("problem.").replace("_", " "))
            said = f", {name}\u00a0=\u00a0"
            titles = [title + (said + value if title in several and value else "") for title, value in apart]
    return titles
