"""`View`: the content that is shown of a result, made once as plain data, which each backend shows.

A view is made of parts: lines, tables, figures, and folds of other parts; a part is made of cells: words, formulas,
verdicts. A backend knows parts and cells and nothing of theorems: `boundcheck.language.notebook` shows a view as HTML
and as one formula, `boundcheck.language.screen` in a terminal, `boundcheck.present.page` as a page, `present.latex` and
`present.typst` on paper. What is to be said of a result stands beside the result, in no backend.

A `str` is shown as it is typed; formulas are `Math`, and a text that may have formulas between dollars is `Prose`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from boundcheck.exact.digits import Toward, shown


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


Cell = str | Math | Prose | Code | Badge | Value | Stack
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
        is_verdict: whether verdicts stand in it, which a screen never cuts.

    """

    name: Cell
    is_number: bool = False
    is_aside: bool = False
    width: float | None = None
    is_verdict: bool = False


def numeric(name: Cell, is_aside: bool = False) -> Column:
    """A column of numbers."""
    return Column(name, is_number=True, is_aside=is_aside)


@dataclass(frozen=True)
class Table:
    """Rows under a head. A row that is a part stands across the table, and belongs to the row above it.

    Attributes:
        head: the columns; a `str` is one of text.
        rows: the cells of each.
        caption: what it shows; a text with formulas.
        name: what paper calls it, which prints no table without a name.
        most: how many rows are shown where the others can be folded away; None for all.
        stacks: whether on a narrow screen the cells of a row stand one below the other.
        in_lines: whether a terminal gives each row one line, and cuts what is longer.
        grouped: the cells at the head of a row that a terminal leaves out where they are those of the row above.

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

    @property
    def halves(self) -> tuple[Sequence[Row], Sequence[Row]]:
        """The rows that are shown, and those that are folded away."""
        begins = [place for place, row in enumerate(self.rows) if not isinstance(row, Line | Fold)]
        end = len(self.rows) if self.most is None or self.most >= len(begins) else begins[self.most]
        return self.rows[:end], self.rows[end:]


@dataclass(frozen=True)
class Fold:
    """Parts behind a line, which a click opens; paper shows them where they are for paper, and else nothing."""

    line: Line
    parts: tuple[Part, ...]
    is_for_paper: bool = False


@dataclass(frozen=True)
class Picture:
    """A figure, drawn where it is shown: `draw` returns matplotlib's, or None where there is nothing to draw."""

    name: str
    draw: Callable[[], Any]
    caption: str


@dataclass(frozen=True)
class File:
    """A file beside a page, which shows nothing of it."""

    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class View:
    """The content that is shown of an object.

    Attributes:
        title: what a person calls it.
        name: its id and source.
        verdict: as a badge; empty where there is none.
        lines: what it says, in few lines; a notebook's LaTeX has these alone, and where there are none the tables.
        parts: all else.

    """

    title: str
    name: str = ""
    verdict: str = ""
    lines: tuple[Line, ...] = ()
    parts: tuple[Part, ...] = ()


Part = Line | Points | Table | Fold | Picture | File | View
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
