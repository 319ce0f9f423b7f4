"""`View`: the content that is shown of a result, made once as plain data, which each backend shows.

A view is made of parts: lines, tables, figures, and folds of other parts; a part is made of cells:
words, formulas, verdicts. A backend knows parts and cells and nothing of theorems. `html` below
shows a view in a notebook, `boundcheck.language.screen` in a terminal, `boundcheck.present.page` as
a page, `present.latex` on paper. What is to be said of a result stands beside the result, in no
backend.

A `str` is shown as it is typed; formulas are `Math`, and a text that may have formulas between
dollars is `Prose`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import singledispatch
from html import escape
from typing import Any

from boundcheck.exact.digits import Toward, shown
from boundcheck.language import prose
from boundcheck.language.prose import mathml_of
from boundcheck.shown import visible
from boundcheck.verdicts import Look, look_of, spoken


@dataclass(frozen=True)
class Math:
    """A formula in LaTeX, within a line or, where it stands apart, on lines of its own.

    Where it is `typed`, a terminal shows that.
    """

    latex: str
    apart: bool = False
    typed: str = ""


@dataclass(frozen=True)
class Prose:
    """A text that may have formulas between dollars; see `boundcheck.language.prose`.

    Its look is ``small`` or ``strong``, where it has one.
    """

    text: str
    look: str = ""


@dataclass(frozen=True)
class Code:
    """A name of the code, or a command."""

    text: str


@dataclass(frozen=True)
class Badge:
    """A verdict; one in words other than ours has the look of a verdict of ours."""

    word: str
    look: str = ""


@dataclass(frozen=True)
class Value:
    """A number as it is printed, and a name by which a backend may print it in its own way."""

    text: str
    name: tuple[str, ...]


@dataclass(frozen=True)
class Stack:
    """Cells one below the other."""

    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Anchor:
    """A cell at which people link to a page, by this id."""

    cell: Cell
    id: str


Cell = str | Math | Prose | Code | Badge | Value | Stack | Anchor
"""An entry of a line or of a table; a `str` is shown as it is."""


@dataclass(frozen=True)
class Line:
    """Cells one after the other; its look is ``small`` or ``see``, where it has one."""

    cells: tuple[Cell, ...]
    look: str = ""


@dataclass(frozen=True)
class Points:
    """Lines of a list."""

    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        name: its heading.
        is_number: whether numbers stand in it, which are set at its right.
        is_aside: whether paper, which is narrow, leaves it out.
        width: its share of the table; None where its cells say it.
        is_whole: whether a screen never cuts it: a verdict, or a name that is copied.

    """

    name: Cell
    is_number: bool = False
    is_aside: bool = False
    width: float | None = None
    is_whole: bool = False


def numeric(name: Cell, is_aside: bool = False) -> Column:
    """A column of numbers."""
    return Column(name, is_number=True, is_aside=is_aside)


@dataclass(frozen=True)
class Table:
    """Rows under a head. A row that is a part stands across the table, and belongs to the row above
    it.

    Attributes:
        head: the columns; a `str` is one of text.
        rows: the cells of each.
        caption: what it shows; a text with formulas.
        name: what paper calls it, which prints no table without a name.
        most: how many rows are shown where the others can be folded away; None for all.
        stacks: whether on a narrow screen the cells of a row stand one below the other.
        in_lines: whether a terminal gives each row one line, and cuts what is longer.
        grouped: the cells at the head of a row that a terminal leaves out where they are those of
            the row above.

    """

    head: Sequence[str | Column]
    rows: Sequence[Row]
    caption: str = ""
    name: str = ""
    most: int | None = 12
    stacks: bool = False
    in_lines: bool = False
    grouped: int = 0

    @property
    def columns(self) -> list[Column]:
        """All columns; those of text stand in the head as a `str`."""
        return [each if isinstance(each, Column) else Column(each) for each in self.head]


@dataclass(frozen=True)
class Fold:
    """Parts behind a line, which a click opens; paper shows them where they are for paper, and else
    nothing.
    """

    line: Line
    parts: tuple[Part, ...]
    is_for_paper: bool = False


@dataclass(frozen=True)
class Picture:
    """A figure, drawn where it is shown: `draw` returns matplotlib's, or None where there is
    nothing to draw.
    """

    name: str
    draw: Callable[[], Any]
    caption: str


@dataclass(frozen=True)
class File:
    """A file beside a page, which shows nothing of it."""

    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Widget:
    """What only a page with a script shows: its name there, and the plain data that it is given."""

    name: str
    data: Any = field(repr=False)


@dataclass(frozen=True)
class View:
    """The content that is shown of an object.

    Attributes:
        title: what a person calls it.
        name: its id and source.
        verdict: as a badge; empty where there is none.
        lines: what it says, in few lines; a notebook's LaTeX has these alone, and where there are
            none the tables.
        parts: all else.

    """

    title: str
    name: str = ""
    verdict: str = ""
    lines: tuple[Line, ...] = ()
    parts: tuple[Part, ...] = ()

    @property
    def head(self) -> Line:
        """Its title, name and verdict."""
        return line(self.title, self.name, *([Badge(self.verdict)] if self.verdict else []))


Part = Line | Points | Table | Fold | Picture | File | Widget | View
Row = Sequence[Cell] | Line | Fold
Head = Sequence[str | Column]


def line(*cells: Cell) -> Line:
    """A line of these cells."""
    return Line(cells)


def paragraph(words: str, look: str = "") -> Line:
    """A line of a text that may have formulas."""
    return Line((Prose(words),), look)


def short(value: float | None, digits: int = 4, toward: Toward = Toward.NEAREST) -> str:
    """A number as text, at four digits unless told otherwise; a dash for None."""
    return "–" if value is None else shown(value, digits, toward)


# Letters of a text that asks for room in a table.
_SENTENCE = 60
# Backgrounds on which white is read. All other colours are the notebook's own: it is read in the
# light and in the dark.
_BACKGROUNDS = {
    Look.BAD: "#b3261e",
    Look.OPEN: "#8a5a00",
    Look.IF: "#7a3e8f",
    Look.OTHERWISE: "#1f5fa8",
    Look.WELL: "#1b6e3c",
    Look.LIMIT: "#0b6b7a",
    Look.ASIDE: "#5f6368",
}
_SCROLLS = 'style="margin:0.25em 0;overflow-x:auto"'
_LEFT = "text-align:left;vertical-align:top"


class Html:
    """A writer of parts as HTML that needs no style sheet and no script. A page has looks of its
    own: another class.

    Attributes:
        looks: the attributes of an element, by what it is.

    """

    looks: Mapping[str, str] = {
        "view": 'style="margin:0.4em 0"',
        **dict.fromkeys(("line", "formula", "scroll"), _SCROLLS),
        "small": 'style="font-size:smaller"',
        "strong": 'style="font-weight:bold"',
        "table": 'style="margin:0"',
        "cell": f'style="{_LEFT}"',
        "number": 'style="text-align:right;vertical-align:top"',
        "wide": f'style="{_LEFT};min-width:18em"',
        "fold": 'style="margin:0.3em 0"',
        "inside": 'style="margin-left:1em"',
    }

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
                begins = [
                    place for place, row in enumerate(part.rows) if not isinstance(row, Line | Fold)
                ]
                if part.most is None or part.most >= len(begins):
                    return self._rows(part, part.rows, part.caption)
                end, more = begins[part.most], f"and {len(begins) - part.most} more"
                rest = self._rows(
                    part, part.rows[end:], "The columns of the table above." if part.caption else ""
                )
                return self._rows(part, part.rows[:end], part.caption) + self._fold(more, rest)
            case Fold():
                return self._fold(self.inline(part.line), self.parts(part.parts))
            case Picture():
                return self.picture(part)
            case File():
                return self.file(part)
            case Widget():
                return self.widget(part)
            case View():
                return self._element(
                    "div", "view", self.heading(part) + self.parts((*part.lines, *part.parts))
                )

    def picture(self, picture: Picture) -> str:
        """The caption of a figure; a notebook draws no figure itself, since matplotlib does."""
        return self._element("div", "line", self.prose(picture.caption))

    def file(self, file: File) -> str:
        """An empty text: nothing is shown of a file beside a page."""
        return ""

    def widget(self, widget: Widget) -> str:
        """An empty text: no script runs in a notebook that is read by others."""
        return ""

    def heading(self, view: View) -> str:
        """The heading of a view: its title, its name and its verdict."""
        head = f"<strong>{escape(view.title)}</strong>"
        head += f" <small><code>{escape(view.name)}</code></small>" if view.name else ""
        return self._element(
            "div", "line", head + (f" {self.badge(view.verdict)}" if view.verdict else "")
        )

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
            case Stack():
                return "".join(f"<div>{self.cell(each)}</div>" for each in cell.cells)
            case Anchor():
                return self.anchor(self.cell(cell.cell), cell.id)
        return escape(cell.text if isinstance(cell, Value) else str(cell))

    def anchor(self, made: str, id: str) -> str:
        """A cell, with an anchor where people link to it: nobody does in a notebook."""
        return made

    def prose(self, text: str) -> str:
        """A text with formulas as HTML."""
        return prose.html(text)

    def badge(self, word: str, look: str = "") -> str:
        """A verdict as a badge, with the look of another one where that is given."""
        style = f"background:{_BACKGROUNDS[look_of(look or word)]};color:#fff;border-radius:0.3em"
        said = escape(spoken(word))
        return f'<span style="{style};padding:0.05em 0.4em;white-space:nowrap">{said}</span>'

    def inline(self, of: Line) -> str:
        """The cells of a line, one after the other."""
        return " ".join(filter(None, map(self.cell, of.cells)))

    def _rows(self, table: Table, rows: Sequence[Row], caption: str) -> str:
        columns = table.columns
        made = f"<caption>{self.prose(caption)}</caption>" if caption else ""
        if any(x.width for x in columns):
            widths = (f' style="width:{x.width:.0%}"' if x.width else "" for x in columns)
            made += f"<colgroup>{''.join(f'<col{width}/>' for width in widths)}</colgroup>"
        if any(x.name for x in columns):
            heads = (
                self._element(
                    'th scope="col"', "number" if x.is_number else "cell", self.cell(x.name)
                )
                for x in columns
            )
            made += f"<thead><tr>{''.join(heads)}</tr></thead>"

        body = ""
        for row, after in zip(rows, [*rows[1:], ()], strict=False):
            if isinstance(row, Line | Fold):
                across = (
                    "<td "
                    f'colspan="{len(columns)}">'
                    f"{self._element('div', 'across', self.part(row))}</td>"
                )
                body += self._element("tr", "more", across)
                continue
            cells = ""
            for column, x in zip(columns, row, strict=True):
                # Sentences are not set in a narrow column.
                is_wide = isinstance(x, Prose) and len(x.text) > _SENTENCE
                look = "wide" if is_wide else "number" if column.is_number else "cell"
                cells += self._element("td", look, self.cell(x))
            # A row that opens goes on in a part below it, which stands across the table.
            body += self._element("tr", "opens" if isinstance(after, Line | Fold) else "", cells)
        made += f"<tbody>{body}</tbody>"
        return self._element(
            "div", "scroll", self._element("table", "stacks" if table.stacks else "table", made)
        )

    def _fold(self, summary: str, inside: str) -> str:
        folded = (
            "<summary"
            f' style="cursor:pointer">{summary}</summary>{self._element("div", "inside", inside)}'
        )
        return self._element("details", "fold", folded)

    def _element(self, tag: str, look: str, inside: str) -> str:
        opens = " ".join(filter(None, (tag, self.looks.get(look, ""))))
        return f"<{opens}>{inside}</{tag.partition(' ')[0]}>"


def html(view: View) -> str:
    """A view as HTML."""
    return visible(Html().part(view))


@singledispatch
def view_of(shown: Shown) -> View:
    """The view that a notebook shows of a result; the package of each kind registers it."""
    raise TypeError(f"expected a result, got {type(shown).__name__}")


class Shown:
    """An object that shows itself in a notebook.

    The class says in `view` what is shown, or `view_of` says it: a result does not import what
    shows it.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        """Give the class IPython's text as its own: IPython takes a class's own `__repr__` before
        what it inherits.
        """
        super().__init_subclass__(**options)
        # Mypy takes each assignment to a method for a mistake.
        cls._repr_pretty_ = Shown._repr_pretty_  # type: ignore[method-assign]

    def view(self) -> View:
        """The view that a notebook shows of it."""
        return view_of(self)

    def _repr_html_(self) -> str:
        return html(self.view())

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Write IPython's text, which a saved notebook has beside the HTML: title, name and
        verdict, not all fields.
        """
        view = self.view()
        printer.text(
            visible(
                " ".join(filter(None, (view.title, view.name and f"({view.name})", view.verdict)))
            )
        )
