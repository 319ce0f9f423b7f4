"""`Material`, what a page is made from; `Section`, a part of the page; and how sections are found.

A section is a module, or an object, with the three names of the protocol. Those of boundcheck are functions in
`boundcheck.present.sections`, under `@placed`. Others are found by an entry point of the group ``boundcheck.sections``,
by their import path, or as files of the folder ``sections`` of a paper. So a new figure is one file.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from boundcheck.errors import CodeError, InputError
from boundcheck.experiment.schema import Chain
from boundcheck.experiment.spec import about_its_own_step
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim
from boundcheck.language.view import Part
from boundcheck.present.named import MOST_ROWS, Named, named_runs
from boundcheck.present.stored import StoredRun
from boundcheck.present.study import Study
from boundcheck.proof import ProofAudit
from boundcheck.proofs import papers
from boundcheck.system import plugins

if TYPE_CHECKING:
    from boundcheck.checked.survey import Survey

GROUP = "boundcheck.sections"

Search = dict[str, Any]
"""A search for a claim as `boundcheck falsify --json` gives it, with more keys: ``label``, what to call it; ``drawn``,
whether a figure shows it; ``curve``, what its ratio can be at most by rank, or nothing; ``proof``, what the kernel says
of it or ``by hand``; the claim's ``argument`` and why it is ``unproved``; and ``file``, where the best instance is
written, relative to the page."""
Waterfall = tuple[str, Sequence[Chain]]
"""The name of a pair of points, and the chains of Lemma 1 there."""


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
        survey: how often boundcheck is wrong, or whether work is lost.
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
    survey: "Survey | None" = None
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
    def networks(self) -> list[Named]:
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

    @cached_property
    def papers(self) -> list[Path]:
        """The folder of the paper that the page is about, and those of the papers of its claims."""
        keys = {claim.id.split(".")[0] for claim in self.claims}
        of_claims = [paper.folder for key, paper in papers().items() if key in keys]
        return list(dict.fromkeys([*([self.paper] if self.paper else []), *of_claims]))

    @property
    def is_of_boundcheck(self) -> bool:
        """True if the page is about boundcheck, and not about a paper or runs."""
        return self.survey is not None

    @property
    def by_callback(self) -> bool:
        """True if a Trainer made any of the runs of networks."""
        return any(each.is_trained for each in self.networks)

    @property
    def environments(self) -> list[dict[str, Any]]:
        """The environments that the runs were made in, each once; all runs on matrices come from one command."""
        runs = [each.run for each in self.networks] or self.runs[:1]
        found = [{key: x for key, x in run.result.environment.items() if key != "memory_mib"} for run in runs]
        return [x for place, x in enumerate(found) if x not in found[:place]]

    def as_json(self) -> Any:
        """Every result that the page is made from."""
        if self.survey:
            return self.survey.as_json()
        return [run.result.as_json() for run in (*self.runs, *(run for _, run in self.faults))]


class Section(Protocol):
    """A part of the page.

    Attributes:
        title: its heading; empty for none.
        see: one sentence below the heading, which says what to see; a section need not have it.
        place: where it stands: sections come in the order of this number, the opening at 0, the claims at 900.

    """

    title: str
    place: int

    def build(self, material: Material) -> Iterable[Part]:
        """The parts below the heading; none where the section does not apply."""
        ...


@dataclass(frozen=True)
class Placed:
    """One of boundcheck's own sections."""

    place: int
    title: str
    see: str
    build: Callable[[Material], Iterable[Part]]


def placed(place: int, title: str, see: str = "") -> Callable[[Callable[[Material], Iterable[Part]]], Placed]:
    """Return a decorator that makes a section of the function that builds it."""
    return lambda build: Placed(place, title, see, build)


def sections(paths: Iterable[str] = (), folders: Iterable[Path] = ()) -> list[Section]:
    """Every section in its place: ours, those of entry points, those at these import paths, and those of papers.

    A paper has its own in its folder ``sections``, one file each. If a section that nobody typed cannot be opened, the
    page is still made, and the place of the section says so.

    Raises:
        InputError: for an import path at which there is no section.

    """
    found = [*_own(), *map(_typed, paths)]
    found += [_or_broken(entry.value, _installed) for entry in entry_points(group=GROUP)]
    for folder in folders:
        with plugins.allowing(folder):
            found += [_or_broken(str(path), _opened) for path in sorted(folder.glob("sections/*.py"))]
    return sorted(found, key=lambda section: section.place)


def parts_of(section: Section, material: Material) -> tuple[Part, ...]:
    """The parts that a section shows; raises CodeError if it does not run to its end, or shows something else."""
    with plugins.theirs():
        found: Any = section.build(material)
        parts = tuple(found) if isinstance(found, Iterable) else (found,)
    for each in parts:
        if not isinstance(each, Part):
            raise CodeError(f"{section.title}: build", type(each).__name__, "parts of a view, boundcheck.language.view")
    return parts


def _own() -> list[Any]:
    from boundcheck.present import sections as own

    modules = (importlib.import_module(f"{own.__name__}.{each.name}") for each in pkgutil.iter_modules(own.__path__))
    return [each for module in modules for each in vars(module).values() if isinstance(each, Placed)]


def _opened(path: str) -> Any:
    """The section at ``module``, ``module:name``, ``file.py`` or ``file.py:name``."""
    found = plugins.opened("section", path)
    return _checked(found, path)


def _typed(path: str) -> Any:
    with plugins.typed("section", path):
        return _opened(path)


@dataclass(frozen=True)
class _Broken:
    """A stand-in for a section that could not be opened."""

    title: str
    error: InputError
    place: int = 890

    def build(self, material: Material) -> Iterable[Part]:
        raise CodeError(self.error.field, self.error.value, self.error.expected)


def _installed(path: str) -> Any:
    return _checked(plugins.installed("section", path), path)


def _or_broken(path: str, open_: Callable[[str], Any]) -> Any:
    try:
        return open_(path)
    except InputError as error:
        return _Broken(Path(path).name, error)


def _checked(section: Any, path: object) -> Any:
    missing = [name for name in ("title", "place", "build") if not hasattr(section, name)]
    if missing:
        raise InputError("section", path, f"a section, which has {', '.join(missing)} too")
    if not isinstance(section.title, str) or not isinstance(section.place, int | float) or not callable(section.build):
        raise InputError("section", path, "a section: a title that is text, a place that is a number, a function build")
    return section
