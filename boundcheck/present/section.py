"""`Section`, a part of the page; how sections are found; and what paper shows of them, in the paper's fonts.

A section is a module, or an object, with the three names of the protocol. Those of boundcheck are functions in
`boundcheck.present.sections`, under `@placed`. Others are found by an entry point of the group ``boundcheck.sections``,
by their import path, or as files of the folder ``sections`` of a paper. So a new figure is one file.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from html import unescape
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from markupsafe import Markup
from matplotlib.figure import Figure

from boundcheck.errors import CodeError, InputError
from boundcheck.language import view
from boundcheck.present import sections as own
from boundcheck.present.material import Material, Placed
from boundcheck.present.style import TWO_COLUMNS, Layout, looking
from boundcheck.system import plugins
from boundcheck.verdicts import is_well

GROUP = "boundcheck.sections"
# Where a page says that a section could not be opened.
_BROKEN = 890


class Section(Protocol):
    """A part of the page.

    Attributes:
        title: its heading; empty for none.
        see: one sentence below the heading, which says what to see; a section need not have it.
        place: where it stands: sections come in the order of this number, the opening at 0, the claims at 900.

    """

    title: str
    place: int

    def build(self, material: Material) -> Iterable[view.Part]:
        """The parts below the heading; none where the section does not apply."""
        ...


def own_sections() -> list[Any]:
    """The sections of boundcheck, in every module of `boundcheck.present.sections`."""
    modules = [importlib.import_module(f"{own.__name__}.{each.name}") for each in pkgutil.iter_modules(own.__path__)]
    return [each for module in modules for each in vars(module).values() if isinstance(each, Placed)]


def sections(paths: Iterable[str] = (), folders: Iterable[Path] = ()) -> list[Section]:
    """Every section in its place: ours, those of entry points, those at these import paths, and those of papers.

    A paper has its own in its folder ``sections``, one file each. If a section that nobody typed cannot be opened, the
    page is still made, and the place of the section says so.

    Raises:
        InputError: for an import path at which there is no section.

    """

    def opened(open_: Callable[[str, str], Any], path: str) -> Any:
        section = open_("section", path)
        missing = [name for name in ("title", "place", "build") if not hasattr(section, name)]
        if missing:
            raise InputError("section", path, f"a section, which has {', '.join(missing)} too")
        kinds = isinstance(section.title, str), isinstance(section.place, int | float), callable(section.build)
        if not all(kinds):
            expected = "a section: a title that is text, a place that is a number, a function build"
            raise InputError("section", path, expected)
        return section

    def or_broken(open_: Callable[[str, str], Any], path: str) -> Any:
        try:
            return opened(open_, path)
        except InputError as error:
            why = CodeError(error.field, error.value, error.expected)

        def build(material: Material) -> Iterable[view.Part]:
            raise why

        return Placed(_BROKEN, Path(path).name, "", build)

    found: list[Section] = own_sections()
    for path in paths:
        with plugins.typed("section", path):
            found.append(opened(plugins.opened, path))
    found += [or_broken(plugins.installed, entry.value) for entry in entry_points(group=GROUP)]
    for folder in folders:
        with plugins.allowing(folder):
            found += [or_broken(plugins.opened, str(path)) for path in sorted(folder.glob("sections/*.py"))]
    return sorted(found, key=lambda section: section.place)


def parts_of(section: Section, material: Material) -> tuple[view.Part, ...]:
    """The parts that a section shows; raises CodeError if it does not run to its end, or shows something else."""
    with plugins.theirs():
        found: Any = section.build(material)
        parts = tuple(found) if isinstance(found, Iterable) else (found,)
    for each in parts:
        if not isinstance(each, view.Part):
            raise CodeError(f"{section.title}: build", type(each).__name__, "parts of a view, boundcheck.language.view")
    return parts


class Chapter(NamedTuple):
    """A section of a report on paper: its heading, what to see, and what it shows."""

    title: str
    see: str
    parts: tuple[view.Part, ...]


class Drawn(NamedTuple):
    """A figure for a paper: its name, what it shows in a sentence, its height in inches, and its content.

    It takes two columns where it is `wide`.
    """

    name: str
    caption: str
    tall: float
    content: bytes
    wide: bool

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"{self.name}_{'two_columns' if self.wide else 'one_column'}"


def chapters(material: Material) -> list[Chapter]:
    """The sections that show something, as a page has them; one that fails is left out, and the page says why."""
    found = list[Chapter]()
    for section in sections(folders=material.papers):
        try:
            parts = parts_of(section, material)
        except CodeError:
            continue
        if parts:
            found.append(Chapter(section.title, str(getattr(section, "see", "")), parts))
    return found


def figures_of(found: Iterable[Chapter], look: Layout, made: Callable[[Figure], bytes]) -> list[Drawn]:
    """The figures of some chapters in this look, each as a file; one that fails is left out."""
    drawn = list[Drawn]()
    for chapter in found:
        caption = f"{chapter.title}. {chapter.see}".strip()
        for picture in (part for part in on_paper(chapter.parts) if isinstance(part, view.Picture)):
            try:
                with looking(look), plugins.theirs():
                    figure = picture.draw()
            except CodeError:
                continue
            if figure is not None:
                tall, wide = figure.get_figheight(), look == TWO_COLUMNS
                drawn.append(Drawn(picture.name, caption, tall, made(figure), wide))
    return drawn


def tables_of(found: Iterable[Chapter]) -> dict[str, view.Table]:
    """The tables that have a name, by their names."""
    return {
        part.name: part for each in found for part in on_paper(each.parts) if isinstance(part, view.Table) and part.name
    }


def on_paper(parts: Iterable[view.Part]) -> Iterator[view.Part]:
    """The parts that paper shows, at every depth: a view and its parts, and the parts of a fold that is for paper."""
    for part in parts:
        if isinstance(part, view.Fold):
            yield from on_paper(part.parts) if part.is_for_paper else ()
        else:
            yield part
            yield from on_paper(part.parts) if isinstance(part, view.View) else ()


class Writer(ABC):
    """A writer of parts in a typesetter's markup; its class says how each kind of cell is marked there.

    Tables and figures are shown where the class shows them.

    Attributes:
        bold, item, points: how words in bold, an item of a list, and all items stand there, in place of ``%s``.
        broken: what stands between cells that are one below the other.

    """

    bold: str
    item: str
    points: str
    broken: str

    def parts(self, parts: Iterable[view.Part]) -> str:
        """The parts, one below the other."""
        return "\n".join(filter(None, map(self.part, parts)))

    def part(self, part: view.Part) -> str:
        """A part; empty where paper shows nothing of it."""
        match part:
            case view.Line():
                return f"{self.line(part)}\n"
            case view.Points():
                return self.points % "".join(self.item % self.line(each) for each in part.lines)
            case view.View():
                return self.heading(part) + self.parts((*part.lines, *part.parts))
            case view.Fold():
                return self.parts((part.line, *part.parts)) if part.is_for_paper else ""
            case view.Table() | view.Picture() | view.File():
                return ""

    def line(self, line: view.Line) -> str:
        """The cells of a line, one after the other."""
        return " ".join(filter(None, map(self.cell, line.cells)))

    def cell(self, cell: view.Cell) -> str:
        """A cell of a line or of a table."""
        match cell:
            case view.Math():
                return self.formula(cell)
            case view.Prose():
                made = self.text(cell.text)
                return self.bold % made if cell.look == "strong" and made else made
            case view.Code():
                return self.code(cell.text)
            case view.Badge():
                return self.verdict(cell.word)
            case view.Value():
                return self.value(cell)
            case view.Stack():
                return self.broken.join(filter(None, map(self.cell, cell.cells)))
            case _:
                return self.text(cell)

    def verdict(self, word: str) -> str:
        """A verdict, in bold if something is refuted, violated or open."""
        return self.text(word) if is_well(word) else self.bold % self.text(word)

    def value(self, value: view.Value) -> str:
        return self.text(value.text)

    @abstractmethod
    def heading(self, part: view.View) -> str: ...

    @abstractmethod
    def text(self, text: str) -> str:
        """A text that may have formulas."""

    @abstractmethod
    def code(self, text: str) -> str: ...

    @abstractmethod
    def formula(self, cell: view.Math) -> str: ...


def without_tags(text: str) -> str:
    """The text; if it is Markup, what that shows, without tags."""
    return unescape(re.sub(r"<[^>]*>", "", text)) if isinstance(text, Markup) else text
