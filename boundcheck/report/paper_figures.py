"""The figures of a report, drawn again for a paper: at its width, in its fonts, each with its caption as text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape

from markupsafe import Markup
from matplotlib.figure import Figure

from boundcheck.doors import theirs
from boundcheck.errors import CodeError
from boundcheck.report.section import Folder, Material, sections
from boundcheck.report.style import Look, looking


@dataclass(frozen=True)
class Drawn:
    """A figure for a paper: its name, what it shows in a sentence, how tall it is in inches, and its file."""

    name: str
    caption: str
    tall: float
    content: bytes


class _Kept(Folder):
    """Where sections put their figures, which are kept as files of one kind; all else that they make is not."""

    def __init__(self, caption: str, made: Callable[[Figure], bytes]) -> None:
        super().__init__()
        self.drawn: list[Drawn] = []
        self._caption, self._made = caption, made

    def figure(self, name: str, drawn: Figure | None, caption: str) -> Markup:
        if drawn is not None:
            self.drawn.append(Drawn(name, self._caption, drawn.get_figheight(), self._made(drawn)))
        return Markup()


def figures_of(material: Material, look: Look, made: Callable[[Figure], bytes]) -> list[Drawn]:
    """Every figure of the sections, as a page has them, with this look, each made a file of.

    A section that fails has no figures; the page says why.
    """
    found: list[Drawn] = []
    for section in sections(folders=material.papers):
        said = " ".join(filter(None, (f"{without_tags(section.title)}.", getattr(section, "see", ""))))
        kept = _Kept(said, made)
        try:
            with looking(look), theirs():
                section.build(material, kept)
        except CodeError:
            continue
        found += kept.drawn
    return found


def without_tags(text: str) -> str:
    """Text, and of Markup what it shows."""
    return unescape(re.sub(r"<[^>]*>", "", text)) if isinstance(text, Markup) else text
