"""Parts of a view in LaTeX: tables in booktabs as floats, and the lines around them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import compress

from boundcheck.language import prose
from boundcheck.language.prose import tex
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
)
from boundcheck.proof.export import display, id_tex
from boundcheck.verdicts import is_well

# Lines that a table on a page of its own may have at the size of footnotes, letters in a line across it, and the share
# of that which a column of numbers takes.
_LINES, _LETTERS, _NUMBER = 56, 125, 0.075


def verdict_tex(word: str) -> str:
    """A verdict in LaTeX, in bold if something is refuted, violated or open."""
    return tex(word) if is_well(word) else rf"\textbf{{{tex(word)}}}"


class Latex:
    """The parts of a view in LaTeX.

    Attributes:
        values: LaTeX of its own for values, by their names.

    """

    def __init__(self, values: Mapping[tuple[str, ...], str]) -> None:
        self._values = values

    def parts(self, parts: Iterable[Part]) -> str:
        """The parts, one below the other."""
        return "\n".join(filter(None, map(self.part, parts)))

    def part(self, part: Part) -> str:
        """A part; empty for tables and figures, which are floats in files of their own."""
        match part:
            case Line():
                return f"{self.line(part)}\n"
            case Points():
                items = "\n".join(rf"\item {self.line(each)}" for each in part.lines)
                return f"\\begin{{itemize}}\n{items}\n\\end{{itemize}}"
            case View():
                name = f", {id_tex(part.name)}" if part.name else ""
                return rf"\paragraph{{{tex(part.title)}{name}.}} {self.parts((*part.lines, *part.parts))}"
            case Fold():
                return self.parts((part.line, *part.parts)) if part.is_for_paper else ""
            case Table() | Picture() | File():
                return ""

    def line(self, line: Line) -> str:
        """The cells of a line, one after the other."""
        return " ".join(filter(None, map(self.cell, line.cells)))

    def cell(self, cell: Cell) -> str:
        """A cell of a line or of a table."""
        match cell:
            case Math():
                return display(cell.latex) if cell.apart else rf"\({cell.latex}\)"
            case Prose():
                made = tex(cell.text)
                return rf"\textbf{{{made}}}" if cell.look == "strong" and made else made
            case Code():
                return id_tex(cell.text)
            case Badge():
                return verdict_tex(cell.word)
            case Value():
                return self._values.get(cell.name) or tex(cell.text)
            case Stack():
                return r" \newline ".join(filter(None, map(self.cell, cell.cells)))
            case _:
                return tex(cell)

    def floats(self, table: Table) -> str:
        """A table as floats over both columns, as many as its rows need."""
        made, narrow = [], _narrowed(table)
        for number, rows in enumerate(_shared(narrow)):
            named = [rf"\caption{{{tex(narrow.caption)}}}", rf"\label{{boundcheck:table:{table.name}}}"]
            head = [r"\addtocounter{table}{-1}\caption{Continued.}"] if number else named
            tabular = self._tabular(narrow.columns, rows, r"\textwidth")
            made += [r"\begin{table*}[tp]", *head, *tabular, r"\end{table*}"]
        return "\n".join([*made, ""])

    def column(self, table: Table) -> str:
        """A table as one float in one column."""
        head = [rf"\caption{{{tex(table.caption)}}}", rf"\label{{boundcheck:table:{table.name}}}"]
        tabular = self._tabular(table.columns, table.rows, r"\columnwidth")
        return "\n".join([r"\begin{table}[t]", *head, *tabular, r"\end{table}", ""])

    def _tabular(self, columns: Sequence[Column], rows: Iterable[Row], width: str) -> Iterator[str]:
        yield r"\footnotesize\setlength{\tabcolsep}{4pt}"
        looks = "".join(_look(column, width) for column in columns)
        yield rf"\begin{{tabularx}}{{{width}}}{{@{{}}{looks}@{{}}}}"
        yield from (r"\toprule", " & ".join(self.cell(column.name) for column in columns) + r" \\", r"\midrule")
        for row in rows:
            if isinstance(row, Line):
                yield rf"\multicolumn{{{len(columns)}}}{{@{{}}p{{{width}}}@{{}}}}{{{self.line(row)}}} \\[2pt]"
            elif not isinstance(row, Fold):
                yield " & ".join(map(self._in_column, columns, row)) + r" \\[2pt]"
        yield from (r"\bottomrule", r"\end{tabularx}")

    def _in_column(self, column: Column, cell: Cell) -> str:
        if column.is_number and isinstance(cell, Stack):
            inside = r" \\ ".join(map(self.cell, cell.cells))
            return rf"\shortstack[r]{{{inside}}}"
        return self.cell(cell)


def _look(column: Column, width: str) -> str:
    if column.is_number:
        return "r"
    return r">{\raggedright\arraybackslash}" + (f"p{{{column.width}{width}}}" if column.width else "X")


def _narrowed(table: Table) -> Table:
    """The table without the columns that paper leaves out."""
    kept = [not column.is_aside for column in table.columns]
    rows = [row if isinstance(row, Line | Fold) else tuple(compress(row, kept)) for row in table.rows]
    return replace(table, head=tuple(compress(table.columns, kept)), rows=rows)


def in_brief(table: Table, names: Sequence[str], most: int, what: str) -> Table:
    """Some columns of a table, in at most `most` rows: those whose verdict is not well are chosen before the rest."""
    places = [[column.name for column in table.columns].index(name) for name in names]
    rows = [row for row in table.rows if not isinstance(row, Line | Fold)]
    chosen = sorted(sorted(range(len(rows)), key=lambda place: _is_well(rows[place]))[:most])
    caption = f"The {what}."
    if len(chosen) < len(rows):
        caption = f"{len(chosen)} of {len(rows)} {what}; what is well is left out first."
    head = [replace(table.columns[place], width=0.25 if place == places[-1] else None) for place in places]
    cells = [tuple(rows[row][place] for place in places) for row in chosen]
    return Table(head, cells, caption, f"{table.name}_in_brief", most=None)


def _is_well(row: Sequence[Cell]) -> bool:
    found = [x for cell in row for x in (cell.cells if isinstance(cell, Stack) else (cell,)) if isinstance(x, Badge)]
    return all(is_well(badge.word) for badge in found)


def _shared(table: Table) -> Iterator[list[Row]]:
    """The rows in groups, each of which fits on a page."""
    group: list[Row] = []
    total = 0.0
    for row in table.rows:
        tall = _tall(table.columns, row) + 0.4
        if group and total + tall > _LINES and not isinstance(row, Line | Fold):
            yield group
            group, total = [], 0.0
        group.append(row)
        total += tall
    if group:
        yield group


def _tall(columns: Sequence[Column], row: Row) -> float:
    """The number of lines that a row takes, roughly."""
    if isinstance(row, Fold):
        return 0.0
    if isinstance(row, Line):
        return math.ceil(sum(_letters(cell) for cell in row.cells) / _LETTERS)
    free = 1 - sum(_NUMBER if x.is_number else x.width or 0 for x in columns)
    wide = free / max(sum(not (x.is_number or x.width) for x in columns), 1)
    pairs = zip(columns, row, strict=True)
    return max(_lines(cell, _LETTERS * (column.width or wide)) for column, cell in pairs if not column.is_number)


def _lines(cell: Cell, letters: float) -> float:
    cells = cell.cells if isinstance(cell, Stack) else (cell,)
    return sum(math.ceil(_letters(each) / letters) for each in cells)


def _letters(cell: Cell) -> int:
    match cell:
        case Math():
            return len(cell.latex)
        case Prose() | Code() | Value():
            return len(prose.plain(cell.text))
        case Badge():
            return len(cell.word)
        case Stack():
            return sum(map(_letters, cell.cells))
        case _:
            return len(cell)
