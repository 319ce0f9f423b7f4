"""`Section`: a part of the page, with its heading, its HTML and its files; and how sections are found.

A section is a module, or an object, with the three names of the protocol. Those of boundcheck are in
`boundcheck.report.sections`; where words and tables are most of one, it is a template, which calls the public functions
of the module of its name. Others are found by an entry point of the group ``boundcheck.sections``, by their import
path, or as files of the folder ``sections`` of a paper. So a new figure is one file.
"""

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure

from boundcheck import doors
from boundcheck.claims import Claim, catalogue
from boundcheck.claims.claim import in_prose
from boundcheck.claims.symbols import toward
from boundcheck.errors import CodeError, InputError
from boundcheck.exact.digits import DOWN, UP
from boundcheck.falsify.show import rounded_down
from boundcheck.measure.parts import Chain
from boundcheck.measure.spec import about_its_own_step
from boundcheck.proofs import papers
from boundcheck.prove import ProofAudit
from boundcheck.report.named import MOST_ROWS, WAYS, Named, named_runs, shown_and_folded, spread
from boundcheck.report.stored import StoredRun
from boundcheck.report.study import Study
from boundcheck.report.style import described, on_a_page, pdf, svg
from boundcheck.report.words import (
    badge,
    formulas,
    label,
    mathml,
    number,
    per_cent,
    said,
    sentence,
    signed,
    slug,
    symbol,
    titled,
)
from boundcheck.shown import command

if TYPE_CHECKING:
    from boundcheck.checked.survey import Survey

GROUP = "boundcheck.sections"

Search = dict[str, Any]
"""What `boundcheck falsify --json` says of a claim, with ``label``, what to call it, ``drawn``, whether a figure shows
it, ``curve``, what its ratio can be at most by rank, or nothing, ``proof``, what the kernel says of it or ``by hand``,
the claim's ``argument`` and why it is ``unproved``, and ``file``, where the best instance is written, relative to the
page."""
Waterfall = tuple[str, Sequence[Chain]]
"""The name of a pair of points, and the chains of Lemma 1 there."""


@dataclass(frozen=True)
class Finding:
    """A row of the referee's table: its number in the audit of the paper, where, the verdict, and the evidence.

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
    """What a page is made from. All of it may be missing.

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
        """Runs of theorems on matrices."""
        return [run for run in self.runs if run.is_theorem and not run.is_network]

    @cached_property
    def shown(self) -> list[StoredRun]:
        """Those of a short table: all, or, of many, those whose T is informative by choice, or the first."""
        if len(self.theorems) <= MOST_ROWS:
            return self.theorems
        chosen = [run for run in self.theorems if run.result.settings.run.steps == "informative"]
        return chosen or self.theorems[:MOST_ROWS]

    @cached_property
    def brackets(self) -> list[StoredRun]:
        """Brackets of the constant of a lemma."""
        return [run for run in self.runs if not run.is_theorem]

    @cached_property
    def networks(self) -> list[Named]:
        """Runs of networks, and what to call them."""
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
        """Whether the page is about boundcheck, and not about a paper or runs."""
        return self.survey is not None

    @property
    def by_callback(self) -> bool:
        """Whether a Trainer made any of the runs of networks."""
        return any(each.is_trained for each in self.networks)

    @property
    def environments(self) -> list[dict[str, Any]]:
        """On what the runs were made, each once; all runs on matrices are those of one command."""
        runs = [each.run for each in self.networks] or self.runs[:1]
        found = [{key: x for key, x in run.result.environment.items() if key != "memory_mib"} for run in runs]
        return [x for place, x in enumerate(found) if x not in found[:place]]

    def as_json(self) -> Any:
        """Every result that the page is made from."""
        if self.survey:
            return self.survey.as_json()
        return [run.result.as_json() for run in (*self.runs, *(run for _, run in self.faults))]


class Folder:
    """What sections put beside the page. Nothing is written before all of it is made."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def figure(self, name: str, drawn: Figure | None, caption: str) -> Markup:
        """A figure with its caption; it is kept as SVG and PDF too. Nothing where none is drawn.

        A caption is HTML, which may have formulas between dollars, as `boundcheck.claims.prose` has them.
        """
        if drawn is None:
            return Markup()
        # Once: a second rendering of a figure would count on in its ids.
        text = svg(drawn)
        self.files |= {f"{name}.svg": text.encode(), f"{name}.pdf": pdf(drawn)}
        shown = on_a_page(text, described(drawn))
        return Markup(
            f'<figure id="figure_{name}"><div class="drawn">{shown}</div>\n'
            f"<figcaption>{formulas(caption)}</figcaption></figure>\n"
        )

    def keep(self, name: str, content: bytes) -> str:
        """Keep a file, by its path from the page's folder; returns no text."""
        self.files[name] = content
        return ""


class Section(Protocol):
    """A part of the page.

    Attributes:
        title: its heading; empty for none.
        see: one sentence below the heading, which says what to see; a section need not have it.
        place: where it stands: sections come in the order of this number, the opening at 0, the claims at 900.

    """

    title: str
    place: int

    def build(self, material: Material, folder: Folder) -> Markup:
        """The HTML below the heading, empty where the section does not apply; figures and files go into the folder."""
        ...


class _Template:
    """A section of ours whose words are a template; its first line says place and title, its second what to see."""

    def __init__(self, name: str, functions: dict[str, Any]) -> None:
        self._template, self._functions = templates().get_template(f"sections/{name}.html.j2"), functions
        source = Path(str(self._template.filename)).read_text(encoding="utf-8")
        place, title, see = re.findall(r"{# (\d+): (.*?) #}(?:\n{# (.*) #})?", source)[0]
        self.place, self.title, self.see = int(place), Markup(title), see

    def build(self, material: Material, folder: Folder) -> Markup:
        def figure(name: str, drawn: Figure | None, caller: Callable[[], str]) -> Markup:
            return folder.figure(name, drawn, caller())

        given = {"material": material, "folder": folder, "figure": figure}
        return Markup(self._template.render(**self._functions, **given))


@cache
def templates() -> Environment:
    """What renders templates, with the words that they share."""
    loader = PackageLoader("boundcheck.report", ".")
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
    words = (badge, in_prose, label, mathml, number, per_cent, rounded_down, signed, spread, symbol, titled)
    made.globals |= {each.__name__: each for each in (*words, command, toward, shown_and_folded)} | {
        "ways": WAYS,
        "MOST_ROWS": MOST_ROWS,
    }
    made.globals |= {"UP": UP, "DOWN": DOWN}
    made.filters |= {"slug": slug, "said": said, "sentence": sentence, "formulas": formulas}
    return made


def sections(paths: Iterable[str] = (), folders: Iterable[Path] = ()) -> list[Section]:
    """Every section in its place: ours, those of entry points, those at these import paths, and those of papers.

    A paper has its own in its folder ``sections``, a file each. One that nobody typed, and that cannot be opened, costs
    no page: it is there, and says so.

    Raises:
        InputError: for an import path at which there is no section.

    """
    found = [*_own(), *map(_typed, paths)]
    found += [_or_broken(entry.value, _installed) for entry in entry_points(group=GROUP)]
    for folder in folders:
        with doors.allowing(folder):
            found += [_or_broken(str(path), _opened) for path in sorted(folder.glob("sections/*.py"))]
    return sorted(found, key=lambda section: section.place)


def _own() -> list[Any]:
    from boundcheck.report import sections as own

    modules = {
        each.name: importlib.import_module(f"{own.__name__}.{each.name}") for each in pkgutil.iter_modules(own.__path__)
    }
    named = [path.name.removesuffix(".html.j2") for path in Path(own.__path__[0]).glob("*.html.j2")]
    written = [_Template(name, _public(modules.pop(name, None))) for name in sorted(named)]
    return [*modules.values(), *written]


def _public(module: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(module).items() if name[0] != "_"} if module else {}


def _opened(path: str) -> Any:
    """What is at ``module``, ``module:name``, ``file.py`` or ``file.py:name``."""
    found = doors.opened("section", path) if doors.is_path(path) else doors.module_at("section", path)
    return _checked(found, path)


def _typed(path: str) -> Any:
    with doors.typed("section", path):
        return _opened(path)


@dataclass(frozen=True)
class _Broken:
    """The place of a section that could not be opened."""

    title: str
    error: InputError
    place: int = 890

    def build(self, material: Material, folder: Folder) -> Markup:
        raise CodeError(self.error.field, self.error.value, self.error.expected)


def _installed(path: str) -> Any:
    return _checked(doors.installed("section", path), path)


def _or_broken(path: str, open_: Callable[[str], Any]) -> Any:
    try:
        return open_(path)
    except InputError as error:
        return _Broken(Path(path).name, error)


def built(section: Section, material: Material, folder: Folder) -> tuple[Markup, CodeError | None]:
    """The HTML of a section; of one of a person's own that does not run, one line in its place, and what was raised.

    A section that did not come to its end leaves no figures and files.
    """
    beside = Folder()
    try:
        with doors.theirs():
            html = section.build(material, beside)
        if not isinstance(html, str):
            raise CodeError(f"{section.title}: build", type(html).__name__, "HTML, a markupsafe.Markup")
    except CodeError as error:
        return Markup("<p>This section failed: <code>{}</code></p>").format(error), error
    folder.files |= beside.files
    return html, None


def _checked(section: Any, path: object) -> Any:
    missing = [name for name in ("title", "place", "build") if not hasattr(section, name)]
    if missing:
        raise InputError("section", path, f"a section, which has {', '.join(missing)} too")
    if not isinstance(section.title, str) or not isinstance(section.place, int | float) or not callable(section.build):
        raise InputError("section", path, "a section: a title that is text, a place that is a number, a function build")
    return section
