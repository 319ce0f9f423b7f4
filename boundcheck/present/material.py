"""`Material`, the data that a page is made from, and `placed`, which makes a section of the function that builds it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import MISSING, dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boundcheck.checked.coverage import Coverage, Power
from boundcheck.errors import InputError, raised
from boundcheck.experiment.result import Chain
from boundcheck.experiment.spec import about_its_own_step
from boundcheck.experiment.store import NUMERICS
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim
from boundcheck.language.view import Part
from boundcheck.present.stored import MOST_ROWS, StoredRun, named_runs
from boundcheck.proof import ProofAudit
from boundcheck.proof.verdict import JudgedProof
from boundcheck.proofs import papers
from boundcheck.system.files import parse_json, read_text
from boundcheck.version import __version__
from boundcheck.worst_case.worst_case import Case

if TYPE_CHECKING:
    from boundcheck.checked.survey import Survey

Search = dict[str, Any]
"""A search for a claim as `boundcheck falsify --json` gives it, with more keys: ``label``, what to call it; ``drawn``,
whether a figure shows it; ``curve``, what its ratio can be at most by rank, or nothing; ``proof``, what the kernel says
of it or ``by hand``; the claim's ``argument`` and why it is ``unproved``; and ``file``, where the best instance is
written, relative to the page."""
Waterfall = tuple[str, Sequence[Chain]]
"""The name of a pair of points, and the chains of Lemma 1 there."""
_PACKAGE = Path(__file__).parents[1]
REPORTS = (_PACKAGE if (_PACKAGE / "reports").is_dir() else _PACKAGE.parent) / "reports"
"""The reports that the repository keeps: in the package if it was installed, beside it in a checkout."""
_STUDIED: dict[str, type[Any]] = {"coverage": Coverage, "power": Power, "worst_cases": Case}


@dataclass(frozen=True)
class Study:
    """A study: simulations and worst cases, which no run of this audit gives, and which are the same for every reader.

    They take minutes: `boundcheck audit --full` makes them and the repository keeps them; an audit without `--full`
    reads them back, and says so.

    Attributes:
        coverage, power: how often the intervals of the verdicts miss, and how many replicas they need.
        worst_cases: the worst cases of theorems, by performance estimation.
        made_by: the version that made it, and its `NUMERICS`.
        kept: whether it was read from what the repository keeps, and not made just now.

    """

    coverage: list[Coverage] = field(default_factory=list)
    power: list[Power] = field(default_factory=list)
    worst_cases: list[Case] = field(default_factory=list)
    made_by: dict[str, Any] = field(default_factory=lambda: {"boundcheck": __version__, "numerics": NUMERICS})
    kept: bool = False

    @classmethod
    def read(cls, path: Path) -> Study:
        """The study that the repository keeps in a file; raises InputError where there is none, or it is damaged."""
        parts: dict[str, Any] = {}
        try:
            stored = parse_json(read_text(path))
            for part, kind in _STUDIED.items():
                # What is derived from the fields is written for other readers; a field with a default may be newer.
                for_kind = [(each.name, each.default is MISSING) for each in fields(kind)]
                parts[part] = [
                    kind(**{name: row[name] for name, is_needed in for_kind if is_needed or name in row})
                    for row in stored[part]
                ]
            made_by = {name: stored["made_by"][name] for name in ("boundcheck", "numerics")}
        except (OSError, ValueError, KeyError, TypeError) as error:
            expected = f"the study that `boundcheck audit {path.parent.name} --full` makes ({raised(error)})"
            raise InputError("study", path.name, expected) from None
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
    """A row of the referee's table: its number in the audit of the paper, its place, the verdict, and the evidence.

    Attributes:
        summary: the evidence in a sentence, where it is longer than that.

    """

    number: int
    locator: str
    verdict: str
    evidence: str
    summary: str = ""


@dataclass(frozen=True)
class Material:
    """The material that a page is made from. Any of it may be missing.

    Attributes:
        runs: what was measured, on matrices or on networks.
        findings: what measurement says of rows of the referee's table.
        proofs: what the proofs say.
        searches: what the adversary found.
        waterfalls: chains of Lemma 1 to draw before those of the runs.
        study: how often the intervals of the verdicts miss, how many replicas they need, and worst cases.
        faults: what was made wrong on purpose, in words, and the run that shows it.
        survey: how often boundcheck is wrong, or whether work is lost: then the page is about boundcheck.
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
    survey: Survey | None = None
    command: str = ""
    paper: Path | None = None

    @cached_property
    def theorems(self) -> list[StoredRun]:
        """The runs of theorems on matrices."""
        return [run for run in self.runs if run.is_theorem and not run.is_network]

    @cached_property
    def shown(self) -> list[StoredRun]:
        """The runs in a short table: all; of many, those whose T was chosen to be informative, or the first ones."""
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
                    expected = f"the claim that run {run.result.run_id} names; what has this id now says something else"
                    raise InputError("claim", id, expected)
        if self.networks:
            about = {run.result.claim: catalogue[run.result.claim] for run in self.runs}
            return [*about.values(), about_its_own_step()[0]]
        named = set().union(*(run.result.named for run in self.runs))
        return [claim for id, claim in catalogue.items() if id in named]

    @property
    def judged(self) -> list[JudgedProof]:
        """Every proof of the page."""
        return [proof for claim in (self.proofs.claims if self.proofs else ()) for proof in claim.proofs]

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
        """The environments that the runs were made in, each once; all runs on matrices come from one command."""
        runs = self.networks or self.runs[:1]
        found = [{key: x for key, x in run.result.environment.items() if key != "memory_mib"} for run in runs]
        return [x for place, x in enumerate(found) if x not in found[:place]]

    def as_json(self) -> Any:
        """Every result that the page is made from."""
        if self.survey:
            return self.survey.as_json()
        return [run.result.as_json() for run in (*self.runs, *(run for _, run in self.faults))]


@dataclass(frozen=True)
class Placed:
    """One of boundcheck's own sections; see `boundcheck.present.section.Section`."""

    place: int
    title: str
    see: str
    build: Callable[[Material], Iterable[Part]]


def placed(place: int, title: str, see: str = "") -> Callable[[Callable[[Material], Iterable[Part]]], Placed]:
    """Return a decorator that makes a section of the function that builds it."""
    return lambda build: Placed(place, title, see, build)
