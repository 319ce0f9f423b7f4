"""`View`: how an object shows itself in a notebook, written once as data, with two faces: HTML and LaTeX.

Names and statements are cells of plain text, which shows as it is typed; formulas are `Math`, and texts that may have
formulas between dollars are `Prose`. Colours are the notebook's own, but for the badges of verdicts, which bring
their background: so all of it can be read in the light and in the dark.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from boundcheck.exact.digits import Toward, shown
from boundcheck.shown import visible
from boundcheck.verdicts import Look, look_of

# Rows that a table shows before it folds, and letters of a text that asks for room.
_MOST_ROWS, _SENTENCE = 12, 60
# Backgrounds on which white is read.
_BACKGROUNDS = {
    Look.BAD: "#b3261e",
    Look.OPEN: "#8a5a00",
    Look.WELL: "#1b6e3c",
    Look.LIMIT: "#0b6b7a",
    Look.ASIDE: "#5f6368",
}
_LEFT = "text-align:left;vertical-align:top"
# The end of a row of an array.
_END = r" \\ "
# Signs that TeX reads as commands, and the same in a formula, where MathJax knows them too.
_TEX_SIGNS = {sign: f"\\{sign}" for sign in "_%&#${}"} | {"\\": r"\backslash ", "^": r"\hat{\ }", "~": r"\sim "}


@dataclass(frozen=True)
class Math:
    """A formula, in LaTeX."""

    latex: str


@dataclass(frozen=True)
class Prose:
    """A text that may have formulas between dollars; see `boundcheck.claims.prose`."""

    text: str


@dataclass(frozen=True)
class Badge:
    """A verdict."""

    word: str


@dataclass(frozen=True)
class Stack:
    """Cells one below the other."""

    cells: tuple[Cell, ...]


Cell = str | Math | Prose | Badge | Stack
"""What stands in a line or in a table; a `str` is shown as it is."""


@dataclass(frozen=True)
class Line:
    """Cells one after the other."""

    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Table:
    """Rows under a head; a long table folds after its first rows."""

    head: tuple[str, ...]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True)
class Fold:
    """Parts behind a line, which a click opens."""

    line: Line
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class View:
    """What is shown of an object.

    Attributes:
        title: what a person calls it.
        name: its id and source.
        verdict: as a badge; empty where there is none.
        lines: what it says, in few lines; LaTeX has these alone, and where there are none the tables.
        parts: all else.

    """

    title: str
    name: str = ""
    verdict: str = ""
    lines: tuple[Line, ...] = ()
    parts: tuple[Part, ...] = ()


Part = Line | Table | Fold | View


def line(*cells: Cell) -> Line:
    """A line of these cells."""
    return Line(cells)


class Shown(ABC):
    """An object that shows itself in a notebook: its class says what, in `view`."""

    def __init_subclass__(cls, **options: Any) -> None:
        """Give the class IPython's text as its own: IPython takes a class's own `__repr__` before what it inherits."""
        super().__init_subclass__(**options)
        # Mypy takes each assignment to a method for a mistake.
        cls._repr_pretty_ = Shown._repr_pretty_  # type: ignore[method-assign]

    @abstractmethod
    def view(self) -> View:
        """What a notebook shows of it."""

    def _repr_html_(self) -> str:
        return html(self.view())

    def _repr_latex_(self) -> str:
        return latex(self.view())

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """IPython's text, which a saved notebook has beside the HTML: its name alone, and not all of its fields."""
        view = self.view()
        printer.text(visible(" ".join(filter(None, (view.title, view.name and f"({view.name})", view.verdict)))))


def short(value: float | None, digits: int = 4, toward: Toward = Toward.NEAREST) -> str:
    """A number at four digits; a dash for none."""
    return "–" if value is None else shown(value, digits, toward)


def html(view: View) -> str:
    """A view as HTML that needs no style sheet and no script, each element closed."""
    head = f"<strong>{_words(view.title)}</strong>"
    head += f" <small><code>{_words(view.name)}</code></small>" if view.name else ""
    head += f" {_badge(view.verdict)}" if view.verdict else ""
    inside = _paragraph(head) + "".join(map(_part, (*view.lines, *view.parts)))
    return visible(f'<div style="margin:0.4em 0">{inside}</div>')


def _part(part: Part) -> str:
    match part:
        case Line():
            return _paragraph(_inline(part))
        case Table():
            return _table(part)
        case Fold():
            return _fold(_inline(part.line), "".join(map(_part, part.parts)))
        case View():
            return html(part)


def _paragraph(inside: str) -> str:
    return f'<div style="margin:0.25em 0;overflow-x:auto">{inside}</div>'


def _inline(of: Line) -> str:
    return " ".join(filter(None, map(_cell, of.cells)))


def _cell(cell: Cell) -> str:
    # Deferred: only a notebook needs it.
    from boundcheck.claims import prose
    from boundcheck.claims.markup import mathml_of

    match cell:
        case Math():
            return mathml_of(cell.latex)
        case Prose():
            return prose.html(cell.text)
        case Badge():
            return _badge(cell.word)
        case Stack():
            return "".join(f"<div>{_cell(each)}</div>" for each in cell.cells)
        case _:
            return _words(cell)


def _words(text: str) -> str:
    return escape(str(text))


def _badge(word: str) -> str:
    style = f"background:{_BACKGROUNDS[look_of(word)]};color:#fff"
    return f'<span style="{style};border-radius:0.3em;padding:0.05em 0.4em;white-space:nowrap">{_words(word)}</span>'


def _table(table: Table) -> str:
    shown, rest = table.rows[:_MOST_ROWS], table.rows[_MOST_ROWS:]
    if not rest:
        return _rows(table.head, shown)
    return _rows(table.head, shown) + _fold(f"and {len(rest)} more", _rows(table.head, rest))


def _fold(summary: str, inside: str) -> str:
    return (
        f'<details style="margin:0.3em 0"><summary style="cursor:pointer">{summary}</summary>'
        f'<div style="margin-left:1em">{inside}</div></details>'
    )


def _rows(head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    heads = "".join(f'<th style="{_LEFT}">{_words(name)}</th>' for name in head)
    lines = ("".join(f'<td style="{_wide(each)}">{_cell(each)}</td>' for each in row) for row in rows)
    body = "".join(f"<tr>{row}</tr>" for row in lines)
    return _paragraph(f'<table style="margin:0"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>')


def _wide(cell: Cell) -> str:
    """The style of a cell; sentences are not set in a narrow column."""
    return f"{_LEFT};min-width:18em" if isinstance(cell, Prose) and len(cell.text) > _SENTENCE else _LEFT


def latex(view: View) -> str:
    """A view's lines as one formula between dollars, which MathJax and LaTeX with amsmath read; else its tables."""
    rows = [[each] for each in _lines(view)]
    if len(rows) <= bool(view.verdict):
        tables = [part for part in view.parts if isinstance(part, Table)]
        rows += [list(map(_latex_cell, row)) for table in tables for row in (table.head, *table.rows)]
    rows = rows or [[_latex_line(_head(view))]]
    if len(rows) == 1:
        return f"$\\displaystyle {' & '.join(rows[0])}$"
    columns = "l" * max(map(len, rows), default=1)
    return rf"$\displaystyle \begin{{array}}{{{columns}}} {_END.join(map(' & '.join, rows))} \end{{array}}$"


def _lines(view: View) -> Iterator[str]:
    """What a view says; with a verdict only behind that."""
    if view.verdict:
        yield _latex_line(_head(view))
    yield from map(_latex_line, view.lines)
    for part in view.parts:
        if isinstance(part, View):
            yield from _lines(part)


def _head(of: View) -> Line:
    return line(of.title, of.name, *([Badge(of.verdict)] if of.verdict else []))


def _latex_line(of: Line) -> str:
    return r" \ ".join(filter(None, map(_latex_cell, of.cells)))


def _latex_cell(cell: Cell) -> str:
    from boundcheck.claims import prose

    match cell:
        case Math():
            return cell.latex
        case Prose():
            return _text(prose.plain(cell.text))
        case Badge():
            return _text(cell.word)
        case Stack():
            return r" \ ".join(map(_latex_cell, cell.cells))
        case _:
            return _text(cell)


def _text(text: str) -> str:
    """Words in a formula. MathJax takes no command in a text, and LaTeX no bare sign: these stand between the texts."""
    parts = re.split(r"([\\_%&#${}^~])", " ".join(visible(str(text)).split()))
    return "".join(_TEX_SIGNS.get(part) or (rf"\text{{{part}}}" if part else "") for part in parts)
