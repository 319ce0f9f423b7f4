"""`Shown` objects in a notebook: a view as HTML that needs no style sheet and no script, and as one formula.

Colours are the notebook's own, but for the badges of verdicts, which bring their background: so all of it can be read
in the light and in the dark.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from importlib import import_module
from itertools import repeat
from typing import Any

from boundcheck.language import prose
from boundcheck.language.prose import mathml_of
from boundcheck.language.view import (
    Badge,
    Cell,
    Code,
    Column,
    File,
    Fold,
    Line,
    Math,
    Part,
    Picture,
    Points,
    Prose,
    Row,
    Stack,
    Table,
    Value,
    View,
    line,
)
from boundcheck.shown import visible
from boundcheck.verdicts import Look, look_of

# Letters of a text that asks for room.
_SENTENCE = 60
# Backgrounds on which white is read.
_BACKGROUNDS = {
    Look.BAD: "#b3261e",
    Look.OPEN: "#8a5a00",
    Look.WELL: "#1b6e3c",
    Look.LIMIT: "#0b6b7a",
    Look.ASIDE: "#5f6368",
}
_LEFT = "text-align:left;vertical-align:top"
_LOOKS = {
    "view": 'style="margin:0.4em 0"',
    "line": 'style="margin:0.25em 0;overflow-x:auto"',
    "small": 'style="font-size:smaller"',
    "strong": 'style="font-weight:bold"',
    "formula": 'style="margin:0.25em 0;overflow-x:auto"',
    "scroll": 'style="margin:0.25em 0;overflow-x:auto"',
    "table": 'style="margin:0"',
    "cell": f'style="{_LEFT}"',
    "number": 'style="text-align:right;vertical-align:top"',
    "wide": f'style="{_LEFT};min-width:18em"',
    "fold": 'style="margin:0.3em 0"',
    "inside": 'style="margin-left:1em"',
}
# The end of a row of an array.
_END = r" \\ "
# Signs that TeX reads as commands, and the same in a formula, where MathJax knows them too.
_TEX_SIGNS = {sign: f"\\{sign}" for sign in "_%&#${}"} | {"\\": r"\backslash ", "^": r"\hat{\ }", "~": r"\sim "}


class Html:
    """A writer of parts as HTML, each element closed. A page has looks of its own, and is another class.

    Attributes:
        looks: the attributes of an element, by what it is.

    """

    looks: Mapping[str, str] = _LOOKS

    def parts(self, parts: Iterable[Part]) -> str:
        """The parts as HTML, one below the other."""
        return "".join(map(self.part, parts))

    def part(self, part: Part) -> str:
        """A part as HTML, as it stands below others."""
        match part:
            case Line():
                return self._element("div", part.look or "line", self.inline(part))
            case Points():
                return f"<ul>{''.join(f'<li>{self.inline(each)}</li>' for each in part.lines)}</ul>"
            case Table():
                return self._table(part)
            case Fold():
                return self._fold(self.inline(part.line), self.parts(part.parts))
            case Picture():
                return self.picture(part)
            case File():
                return self.file(part)
            case View():
                return self._element("div", "view", self.heading(part) + self.parts((*part.lines, *part.parts)))

    def picture(self, picture: Picture) -> str:
        """The caption of a figure; a notebook draws no figure itself, since matplotlib does."""
        return self._element("div", "line", self.prose(picture.caption))

    def file(self, file: File) -> str:
        """An empty text: nothing is shown of a file beside a page."""
        return ""

    def heading(self, view: View) -> str:
        """The heading of a view: its title, its name and its verdict."""
        head = f"<strong>{escape(view.title)}</strong>"
        head += f" <small><code>{escape(view.name)}</code></small>" if view.name else ""
        return self._element("div", "line", head + (f" {self.badge(view.verdict)}" if view.verdict else ""))

    def inline(self, of: Line) -> str:
        """The cells of a line, one after the other."""
        return " ".join(filter(None, map(self.cell, of.cells)))

    def cell(self, cell: Cell) -> str:
        """A cell of a line or of a table as HTML."""
        match cell:
            case Math():
                formula = mathml_of(cell.latex, "block" if cell.apart else "inline")
                return self._element("div", "formula", formula) if cell.apart else formula
            case Prose():
                made = self.prose(cell.text)
                return self._element("span", cell.look, made) if cell.look and made else made
            case Code():
                return f"<code>{escape(cell.text)}</code>"
            case Badge():
                return self.badge(cell.word, cell.look)
            case Value():
                return escape(cell.text)
            case Stack():
                return "".join(f"<div>{self.cell(each)}</div>" for each in cell.cells)
            case _:
                return escape(str(cell))

    def prose(self, text: str) -> str:
        """A text with formulas as HTML."""
        return prose.html(text)

    def badge(self, word: str, look: str = "") -> str:
        """A verdict as a badge, with the look of another one where that is given."""
        style = f"background:{_BACKGROUNDS[look_of(look or word)]};color:#fff"
        return (
            f'<span style="{style};border-radius:0.3em;padding:0.05em 0.4em;white-space:nowrap">{escape(word)}</span>'
        )

    def _table(self, table: Table) -> str:
        shown, rest = table.halves
        if not rest:
            return self._rows(table, shown, table.caption)
        count = sum(not isinstance(row, Line | Fold) for row in rest)
        folded = self._rows(table, rest, "The columns of the table above." if table.caption else "")
        return self._rows(table, shown, table.caption) + self._fold(f"and {count} more", folded)

    def _rows(self, table: Table, rows: Sequence[Row], caption: str) -> str:
        columns = table.columns
        heads = "".join(self._element("th", "number" if x.is_number else "cell", self.cell(x.name)) for x in columns)
        made = f"<caption>{self.prose(caption)}</caption>" if caption else ""
        if any(x.width for x in columns):
            widths = (f' style="width:{x.width:.0%}"' if x.width else "" for x in columns)
            made += f"<colgroup>{''.join(f'<col{width}/>' for width in widths)}</colgroup>"
        made += f"<thead><tr>{heads}</tr></thead>" if any(x.name for x in columns) else ""
        across = [isinstance(row, Line | Fold) for row in (*rows[1:], ())]
        made += f"<tbody>{''.join(map(self._row, repeat(columns), rows, across))}</tbody>"
        return self._element("div", "scroll", self._element("table", "stacks" if table.stacks else "table", made))

    def _row(self, columns: Sequence[Column], row: Row, is_opened: bool) -> str:
        """A row as HTML; if it opens, it goes on in a part below it that stands across the table."""
        if isinstance(row, Line | Fold):
            across = f'<td colspan="{len(columns)}">{self._element("div", "across", self.part(row))}</td>'
            return self._element("tr", "more", across)
        cells = zip(columns, row, strict=True)
        made = "".join(self._element("td", _look(column, x), self.cell(x)) for column, x in cells)
        return self._element("tr", "opens" if is_opened else "", made)

    def _fold(self, summary: str, inside: str) -> str:
        folded = f'<summary style="cursor:pointer">{summary}</summary>{self._element("div", "inside", inside)}'
        return self._element("details", "fold", folded)

    def _element(self, tag: str, look: str, inside: str) -> str:
        return f"<{' '.join(filter(None, (tag, self.looks.get(look, ''))))}>{inside}</{tag}>"


def _look(column: Column, cell: Cell) -> str:
    """The look of a cell; sentences are not set in a narrow column."""
    if isinstance(cell, Prose) and len(cell.text) > _SENTENCE:
        return "wide"
    return "number" if column.is_number else "cell"


def html(view: View) -> str:
    """A view as HTML."""
    return visible(Html().part(view))


def latex(view: View) -> str:
    """A view's lines, or without any its tables, as one formula between dollars for MathJax, or LaTeX with amsmath."""
    rows = [[each] for each in _lines(view)]
    if len(rows) <= bool(view.verdict):
        for table in (part for part in view.parts if isinstance(part, Table)):
            rows.append([_latex_cell(each.name) for each in table.columns])
            for row in table.rows:
                across = row.line if isinstance(row, Fold) else row
                rows.append([_latex_line(across)] if isinstance(across, Line) else list(map(_latex_cell, across)))
    rows = rows or [[_latex_line(_head(view))]]
    if len(rows) == 1:
        return f"$\\displaystyle {' & '.join(rows[0])}$"
    columns = "l" * max(map(len, rows), default=1)
    return rf"$\displaystyle \begin{{array}}{{{columns}}} {_END.join(map(' & '.join, rows))} \end{{array}}$"


def _lines(view: View) -> Iterator[str]:
    """The lines of a view, and of the views in it, in LaTeX; if it has a verdict, its title and that come first."""
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
    match cell:
        case Math():
            return cell.latex
        case Prose():
            return _text(prose.plain(cell.text))
        case Badge():
            return _text(cell.word)
        case Code() | Value():
            return _text(cell.text)
        case Stack():
            return r" \ ".join(map(_latex_cell, cell.cells))
        case _:
            return _text(cell)


def _text(text: str) -> str:
    """Words in a formula. MathJax takes no command in a text, and LaTeX no bare sign: these stand between the texts."""
    parts = re.split(r"([\\_%&#${}^~])", " ".join(visible(str(text)).split()))
    return "".join(_TEX_SIGNS.get(part) or (rf"\text{{{part}}}" if part else "") for part in parts)


class Shown:
    """An object that shows itself in a notebook.

    The class says in `view` what is shown, or `view_of` in the module `view` of its package says it: a result does not
    import what shows it.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        """Give the class IPython's text as its own: IPython takes a class's own `__repr__` before what it inherits."""
        super().__init_subclass__(**options)
        # Mypy takes each assignment to a method for a mistake.
        cls._repr_pretty_ = Shown._repr_pretty_  # type: ignore[method-assign]

    def view(self) -> View:
        """The view that a notebook shows of it."""
        made: View = self.shower.view_of(self)
        return made

    @property
    def shower(self) -> Any:
        """The module `view` of the package that its class is from."""
        home = next(kind for kind in type(self).__mro__ if Shown in kind.__bases__).__module__.rpartition(".")[0]
        return import_module(f"{home}.view")

    def _repr_html_(self) -> str:
        return html(self.view())

    def _repr_latex_(self) -> str:
        return latex(self.view())

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Write IPython's text, which a saved notebook has beside the HTML: title, name and verdict, not all fields."""
        view = self.view()
        printer.text(visible(" ".join(filter(None, (view.title, view.name and f"({view.name})", view.verdict)))))
