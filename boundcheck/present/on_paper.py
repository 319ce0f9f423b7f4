"""A report as paper shows it: its sections, their tables that have a name, and their figures in the paper's fonts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from html import unescape

from markupsafe import Markup
from matplotlib.figure import Figure

from boundcheck.errors import CodeError
from boundcheck.language.view import Fold, Part, Picture, Table, View
from boundcheck.present.section import Material, parts_of, sections
from boundcheck.present.style import Layout, looking
from boundcheck.system.plugins import theirs


@dataclass(frozen=True)
class Chapter:
    """A section of a report on paper: its heading, what to see, and what it shows."""

    title: str
    see: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Drawn:
    """A figure for a paper: its name, what it shows in a sentence, how tall it is in inches, and its file."""

    name: str
    caption: str
    tall: float
    content: bytes


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
        for picture in (part for part in shown(chapter.parts) if isinstance(part, Picture)):
            try:
                with looking(look), theirs():
                    figure = picture.draw()
            except CodeError:
                continue
            if figure is not None:
                drawn.append(Drawn(picture.name, caption, figure.get_figheight(), made(figure)))
    return drawn


def tables_of(found: Iterable[Chapter]) -> dict[str, Table]:
    """The tables that have a name, by their names."""
    return {part.name: part for each in found for part in shown(each.parts) if isinstance(part, Table) and part.name}


def shown(parts: Iterable[Part]) -> Iterator[Part]:
    """The parts that paper shows, at every depth: a view and its parts, and the parts of a fold that is for paper."""
    for part in parts:
        if isinstance(part, Fold):
            yield from shown(part.parts) if part.is_for_paper else ()
        else:
            yield part
            yield from shown(part.parts) if isinstance(part, View) else ()


def without_tags(text: str) -> str:
    """The text; if it is Markup, what that shows, without tags."""
    return unescape(re.sub(r"<[^>]*>", "", text)) if isinstance(text, Markup) else text
