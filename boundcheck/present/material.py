"""`StoredRun`, a finished run as figures and tables read it, with titles and groups; and
`Material`, a page's data.

Runs belong together when their specs are equal in everything but what is swept.
"""

from __future__ import annotations

import ast
import inspect
import json
import math
import re
import sys
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import xarray as xr

from boundcheck.errors import InputError, raised
from boundcheck.exact.digits import DOWN, UP, telling
from boundcheck.experiment.coverage import Coverage
from boundcheck.experiment.experiment import read_run
from boundcheck.experiment.result import (
    BracketResult,
    Chain,
    Ends,
    Estimates,
    Result,
    Results,
    RunResult,
    as_written,
)
from boundcheck.experiment.spec import AdapterSpec, about_its_own_step
from boundcheck.experiment.store import NUMERICS
from boundcheck.functions.adapters import title_of
from boundcheck.language import prose
from boundcheck.language.algorithms import Algorithm
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim
from boundcheck.language.hypotheses import READINGS
from boundcheck.language.measures import PerformanceMeasure
from boundcheck.language.sentence import algorithm_of, measure_of
from boundcheck.language.view import Part
from boundcheck.present.words import c_is, number, rooted, slug
from boundcheck.proof import ProofAudit
from boundcheck.proof.verdict import JudgedProof
from boundcheck.proofs import papers
from boundcheck.system.files import parse_json, read_text
from boundcheck.system.tables import fields_of
from boundcheck.verdicts import Verdict
from boundcheck.version import __version__
from boundcheck.worst_case.worst_case import Case

Item = TypeVar("Item")
Key = TypeVar("Key", bound=Hashable)

MOST_ROWS = 12
"""Rows of a table before it is folded."""
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
    """The numbers of a run as every table and sentence prints them, a dash for each that is
    missing.

    The bound is rounded up and the ends of the interval outwards; the largest lower estimate of a
    bracket is rounded down. What lies above the bound is shown above it.
    """

    measured: str
    bound: str
    lower: str
    upper: str
    ratio: str


@dataclass(frozen=True)
class StoredRun:
    """A finished run as a figure needs it: its result and its trace. What a run is not made for
    raises TypeError.
    """

    result: Result
    trace: xr.Dataset
    name: str = ""
    """Of the run of a network, what tells it from the others on a page."""

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
        """True for a run on matrices if F was not a finite number at one of its audits, all of
        which are looked at.
        """
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
    def steps_as_sgd(self) -> bool:
        """True if each step was a step of SGD at that step size, the only steps that the theorem
        speaks of.
        """
        return not any(
            each.hypothesis == "Algorithm 1" and each.status == "failed"
            for each in self.result.audit
        )

    @property
    def steps(self) -> int:
        """T of the run of an algorithm."""
        return self.course.plan.steps

    @property
    def axis(self) -> str:
        """What the theorem bounds, as an axis is called."""
        return self.measure.observable.axis(self.result.problem.units)

    @property
    def times(self) -> np.ndarray:
        """The iterations at which the run was looked at, shape (M,), in the mean over replicas."""
        return self.trace["time"].values.mean(0)

    @property
    def slack(self) -> tuple[Chain, ...]:
        """The chains of a bracket, which say what each inequality of a proof gives away; empty for
        a run.
        """
        return self.result.slack if isinstance(self.result, BracketResult) else ()

    @property
    def verdict(self) -> Verdict:
        return self.result.verdict

    @property
    def bound(self) -> float | None:
        """The claim's bound; None if a hypothesis failed and the formula is below 0, where it has
        no meaning.
        """
        value = self.result.bound
        return (
            None
            if self.verdict is Verdict.HYPOTHESIS_FAILED and value is not None and value < 0
            else value
        )

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
        x = self.result
        digits = self.result.digits(3)
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


def load_runs(stored: Iterable[Path] | Results) -> list[StoredRun]:
    """The finished runs in these folders, judged again where that can be done; or those of results,
    as they are.

    Raises InputError for a folder without one, or with one that is not as its run left it.
    """
    if isinstance(stored, Results):
        return [StoredRun(result, result.to_xarray(stored.runs)) for result in stored]
    return [StoredRun(*read_run(folder)) for folder in stored]


def known(value: float | None) -> float:
    """The value as a number for a figure; NaN for None."""
    return math.nan if value is None else value


def named_runs(runs: list[StoredRun]) -> list[StoredRun]:
    """The runs, each named by adapter, rank and what else tells it from the others; by model too,
    if models differ.
    """
    several = len({run.problem for run in runs}) > 1
    names = {}
    for run, text in zip(runs, settings(runs, _UNSAID), strict=True):
        # Titles leave the default adapter unsaid, and begin with the problem.
        said = text.removeprefix(run.problem).removeprefix(", ")
        parts = (
            [run.problem] * several
            + [title_of(run.adapter)] * run.has_default_adapter
            + [said] * bool(said)
        )
        names[id(run)] = re.sub(r", (?:run|model|adapter)\.", ", ", ", ".join(parts))
    for group in groups(runs, ("seed",)):
        if len(group) > 1:
            names |= {id(run): f"{names[id(run)]}, seed {run.result.spec['seed']}" for run in group}
    return [replace(run, name=names[id(run)]) for run in runs]


def distinct(runs: list[StoredRun]) -> list[StoredRun]:
    """The first run of each group of runs that differ only in the seed."""
    return [group[0] for group in groups(runs, ("seed",))]


def shown_first(runs: list[StoredRun]) -> tuple[list[StoredRun], int]:
    """All runs, those that a table shows before those that it folds away, and how many it shows.

    Of more than 12 runs a table shows at most 12; of those that differ only in the seed, the first.
    """
    shown = runs if len(runs) <= MOST_ROWS else distinct(runs)[:MOST_ROWS]
    return [*shown, *without(runs, shown)], len(shown)


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


def largest(
    items: Iterable[Item], key: Callable[[Item], Hashable], size: Callable[[Item], Any]
) -> list[Item]:
    """For each key the first of its items of largest size."""
    return [max(group, key=size) for group in grouped(items, key).values()]


def highest_rank(runs: Iterable[StoredRun]) -> list[StoredRun]:
    """For each problem, the first of its runs of highest rank."""
    return largest(runs, lambda run: run.problem, lambda run: run.rank or 0)


def groups(runs: list[StoredRun], free: tuple[str, ...]) -> list[list[StoredRun]]:
    """Groups of runs whose specs are equal in every field but `free`, given by paths such as
    ``adapter.rank``.
    """

    def fixed(run: StoredRun) -> str:
        fields = {
            path: value for path, value in fields_of(run.result.spec).items() if path not in free
        }
        return json.dumps(fields, sort_keys=True)

    return list(grouped(runs, fixed).values())


def settings(runs: list[StoredRun], free: tuple[str, ...] = _TITLED) -> list[str]:
    """A name for each run: problem, adapter, rank, scale and what else tells them apart, but for
    `free`.

    By default it leaves out what `words.titled` says, which stands beside it.
    """
    unsaid = {"seed", "run.steps", "adapter.kind", "adapter.rank", "adapter.scale", *free}
    specs = [fields_of(run.result.spec) for run in runs]
    titles = []
    for run in runs:
        titles.append(
            run.problem + ("" if run.has_default_adapter else f", {title_of(run.adapter)}")
        )
        if "adapter.rank" not in free and run.rank is not None:
            titles[-1] += f", rank {run.rank}"
        if "adapter.scale" not in free:
            titles[-1] += run.scaled
    for path in sorted(
        {path for spec in specs for path in spec} - unsaid,
        key=lambda path: (path[:7] != "problem", path),
    ):
        # What a spec leaves open has no value to say.
        values = ["" if spec.get(path) is None else str(spec[path]) for spec in specs]
        apart = list(zip(titles, values, strict=True))
        if len(set(apart)) > len(set(titles)):
            several = {title for title in titles if len({v for t, v in apart if t == title}) > 1}
            name = _LETTER_OF.get(path, path.removeprefix("problem.").replace("_", " "))
            said = f", {name}\u00a0=\u00a0"
            titles = [
                title + (said + value if title in several and value else "")
                for title, value in apart
            ]
    return titles


Search = dict[str, Any]
"""A search for a claim as `boundcheck falsify --json` gives it, with more keys: ``label``, what to
call it; ``drawn``, whether a figure shows it; ``curve``, what its ratio can be at most by rank, or
nothing; ``proof``, what the kernel says of it or ``by hand``; the claim's ``argument`` and why it
is ``unproved``; and ``file``, where the best instance is written, relative to the page."""
_OF_A_SEARCH = ("id", "lipschitz", "ratio", "violated")
_OF_A_PROOF = ("verdict", "trust", "reason", "standard_facts", "hypotheses_added", "conclusion")
Waterfall = tuple[str, Sequence[Chain]]
"""The name of a pair of points, and the chains of Lemma 1 there."""
_PACKAGE = Path(__file__).parents[1]
REPORTS = (_PACKAGE if (_PACKAGE / "reports").is_dir() else _PACKAGE.parent) / "reports"
"""The reports that the repository keeps: in the package if it was installed, beside it in a
checkout."""
_STUDIED: dict[str, Any] = {"coverage": list[Coverage], "worst_cases": list[Case]}


@dataclass(frozen=True)
class Study:
    """A study: simulations and worst cases, which no run of this audit gives, and which are the
    same for every reader.

    They take minutes: `boundcheck audit --full` makes them and the repository keeps them; an audit
    without `--full` reads them back, and says so.

    Attributes:
        coverage: how often the intervals of the verdicts miss.
        worst_cases: the worst cases of theorems, by performance estimation.
        made_by: the version that made it, and its `NUMERICS`.
        kept: whether it was read from what the repository keeps, and not made just now.

    """

    coverage: list[Coverage] = field(default_factory=list)
    worst_cases: list[Case] = field(default_factory=list)
    made_by: dict[str, Any] = field(
        default_factory=lambda: {"boundcheck": __version__, "numerics": NUMERICS}
    )
    kept: bool = False

    @classmethod
    def read(cls, path: Path) -> Study:
        """The study that the repository keeps in a file; raises InputError where there is none, or
        it is damaged.
        """
        try:
            stored = parse_json(read_text(path))
            # What is derived from the fields is written for other readers.
            parts = {part: as_written(kind, stored[part], part) for part, kind in _STUDIED.items()}
            made_by = {name: stored["made_by"][name] for name in ("boundcheck", "numerics")}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                "study",
                path.name,
                f"the study that `boundcheck audit {path.parent.name} --full` makes"
                f" ({raised(error)})",
            ) from None
        return cls(**parts, made_by=made_by, kept=True)

    @property
    def is_new(self) -> bool:
        """True if it holds anything that was made just now."""
        return not self.kept and any(getattr(self, name) for name in _STUDIED)

    def as_json(self) -> dict[str, Any]:
        """Every number, and what made them; parts that hold nothing are left out."""
        found = {name: [each.as_json() for each in getattr(self, name)] for name in _STUDIED}
        return {name: part for name, part in found.items() if part} | {"made_by": self.made_by}


@dataclass(frozen=True)
class Finding:
    """A row of the referee's table: its number in the audit of the paper, its place, the verdict,
    and the evidence.

    Attributes:
        summary: the evidence in a sentence, where it is longer than that.

    """

    number: int
    locator: str
    verdict: str
    evidence: str
    summary: str = ""

    @property
    def anchor(self) -> str:
        """The id of its row on a page."""
        # What the proofs establish has a summary.
        if self.summary:
            return f"row-{self.number}"
        return f"measured-{self.number}-{slug(self.locator)}"


@dataclass(frozen=True)
class Material:
    """The material that a page is made from. Any of it may be missing.

    Attributes:
        runs: what was measured, on matrices or on networks.
        findings: what measurement says of rows of the referee's table.
        proofs: what the proofs say.
        searches: what the adversary found.
        waterfalls: chains of Lemma 1 to draw before those of the runs.
        study: how often the intervals of the verdicts miss, and worst cases.
        faults: what was made wrong on purpose, in words, and the run that shows it.
        command: what makes the page again.
        paper: the folder of the paper that the page is about.

    """

    runs: list[StoredRun] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    proofs: ProofAudit | None = None
    searches: list[Search] = field(default_factory=list)
    waterfalls: list[Waterfall] = field(default_factory=list)
    study: Study = field(default_factory=Study)
    faults: list[tuple[str, StoredRun]] = field(default_factory=list)
    command: str = ""
    paper: Path | None = None

    @cached_property
    def theorems(self) -> list[StoredRun]:
        """The runs of theorems on matrices."""
        return [run for run in self.runs if run.is_theorem and not run.is_network]

    @cached_property
    def shown(self) -> list[StoredRun]:
        """The runs in a short table: all; of many, those whose T was chosen to be informative, or
        the first ones.
        """
        if len(self.theorems) <= MOST_ROWS:
            return self.theorems
        chosen = [run for run in self.theorems if run.result.settings.run.steps == "informative"]
        return chosen or self.theorems[:MOST_ROWS]

    @cached_property
    def brackets(self) -> list[StoredRun]:
        """The brackets of the constant of a lemma."""
        return [run for run in self.runs if not run.is_theorem]

    @cached_property
    def networks(self) -> list[StoredRun]:
        """The runs of networks, each with its name."""
        return named_runs([run for run in self.runs if run.is_network])

    @cached_property
    def claims(self) -> list[Claim]:
        """Every claim that the page speaks of, in the catalogue's order.

        Raises:
            InputError: for a claim that says something else now than when a run was held to it.

        """
        now: dict[str, str] = {}
        for run in self.runs:
            for id, then in run.result.said.items():
                if id in catalogue and now.setdefault(id, catalogue[id].digest) != then:
                    raise InputError(
                        "claim",
                        id,
                        f"the claim that run {run.result.run_id} names; what has this id now says"
                        " something else",
                    )
        if self.networks:
            about = {run.result.claim: catalogue[run.result.claim] for run in self.runs}
            return [*about.values(), about_its_own_step()[0]]
        named = set().union(*(run.result.named for run in self.runs))
        return [claim for id, claim in catalogue.items() if id in named]

    @property
    def judged(self) -> list[JudgedProof]:
        """Every proof of the page."""
        return [
            proof for claim in (self.proofs.claims if self.proofs else ()) for proof in claim.proofs
        ]

    @cached_property
    def papers(self) -> list[Path]:
        """The folder of the paper that the page is about, and those of the papers of its claims."""
        keys = {claim.id.split(".")[0] for claim in self.claims}
        of_claims = [paper.folder for key, paper in papers().items() if key in keys]
        return list(dict.fromkeys([*([self.paper] if self.paper else []), *of_claims]))

    @property
    def by_callback(self) -> bool:
        """True if a Trainer made any of the runs of networks."""
        return any(run.result.settings.model["kind"] == "trainer" for run in self.networks)

    @property
    def environments(self) -> list[dict[str, Any]]:
        """The environments that the runs were made in, each once; all runs on matrices come from
        one command.
        """
        runs = self.networks or self.runs[:1]
        found = [
            {key: x for key, x in run.result.environment.items() if key != "memory_mib"}
            for run in runs
        ]
        return [x for place, x in enumerate(found) if x not in found[:place]]

    @cached_property
    def told(self) -> list[Finding]:
        """Every finding by its number: what the proofs establish, what is editorial, and what was
        measured.
        """
        rows = self.proofs.rows if self.proofs else ()
        proved = [Finding(x.row.number, x.row.locator, x.verdict, x.evidence, x.told) for x in rows]
        return sorted([*proved, *self.findings], key=lambda each: each.number)

    @cached_property
    def told_as_json(self) -> dict[str, Any]:
        """Every finding, with the verdicts on proofs and their lines, and the searches."""
        claims = self.proofs.as_json()["claims"] if self.proofs else []
        proofs = []
        for claim in claims:
            for proof in claim["proofs"]:
                row = {"id": claim["id"], "proof": proof["version"]}
                row |= {name: proof[name] for name in _OF_A_PROOF}
                row["hypotheses"] = [each["statement"] for each in proof["hypotheses"]]
                proofs.append(row | {"lines": {x["label"]: x["verdict"] for x in proof["steps"]}})
        return {
            "findings": [prose.plainly(asdict(each)) for each in self.told],
            "proofs": proofs,
            "searches": [{name: each[name] for name in _OF_A_SEARCH} for each in self.searches],
        }

    def as_json(self) -> Any:
        """Every result that the page is made from."""
        return [run.result.as_json() for run in (*self.runs, *(run for _, run in self.faults))]


@dataclass(frozen=True)
class Placed:
    """One of boundcheck's own sections; see `boundcheck.present.section.Section`."""

    place: int
    title: str
    see: str
    build: Callable[[Material], Iterable[Part]]


def placed(place: int, title: str) -> Callable[[Callable[[Material], Iterable[Part]]], Placed]:
    """Return a decorator that makes a section of the function that builds it, whose docstring says
    what to see.
    """

    def made(build: Callable[[Material], Iterable[Part]]) -> Placed:
        see = build.__doc__
        if sys.flags.optimize > 1:
            # Python has dropped the docstring, which the page says all the same.
            (written,) = ast.parse(inspect.getsource(build)).body
            see = ast.get_docstring(written) if isinstance(written, ast.FunctionDef) else None
        return Placed(place, title, " ".join((see or "").split()), build)

    return made
