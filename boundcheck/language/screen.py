"""A view in a terminal: tables folded to its width, and colours; elsewhere a line for each row,
whole.

See `boundcheck.system.terminal` for what a screen is, and for `Table`, which is printed in both
ways.
"""

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Column
from rich.text import Text

from boundcheck.language import prose, view
from boundcheck.system.terminal import Table, coloured

WIDTH = 100
"""Signs of a line of a table that has one line for each row."""
_STYLES = {"": "", "small": "dim", "strong": "bold"}


def show(console: Console, *parts: view.Part) -> None:
    """Print the parts of a view, one below the other."""
    for part in parts:
        match part:
            case view.Line():
                # What is no text alone is not folded: a command or a path could not be copied.
                is_text = all(isinstance(each, view.Prose) for each in part.cells)
                width = min(console.width, WIDTH) if is_text and console.is_interactive else None
                console.print(_line(part), soft_wrap=not is_text, width=width)
            case view.Points():
                show(console, *(view.line("-", *each.cells) for each in part.lines))
            case view.Table():
                _show_table(console, part)
            case view.Fold():
                show(console, part.line, *part.parts)
            case view.View():
                badge = [view.Badge(part.verdict)] if part.verdict else []
                head = view.line(view.Prose(part.title, "strong"), part.name, *badge)
                show(console, head, *part.lines, *part.parts)
            case view.Picture() | view.File():
                pass


def _show_table(console: Console, table: view.Table) -> None:
    columns, in_lines = table.columns, table.in_lines and console.is_interactive
    look: dict[str, Any] = {"show_header": any(column.name for column in columns)}
    if table.in_lines:
        look |= {
            "box": box.SIMPLE_HEAD,
            "pad_edge": False,
            "padding": (0, 1),
            "expand": True,
            "show_edge": False,
        }
    elif not look["show_header"]:
        look |= {"box": None, "pad_edge": False, "padding": (0, 2, 0, 0)}
    made = Table(
        *(_column(each, table.in_lines) for each in columns),
        title=prose.plain(table.caption),
        **look,
    )
    before: Sequence[view.Cell] = ()
    for row in table.rows:
        if isinstance(row, view.Line | view.Fold):
            # A part across the table stands in its last column.
            across = row if isinstance(row, view.Line) else row.line
            made.add(*[""] * (len(columns) - 1), _line(across))
            continue
        # Of what fills the rest of a line the first sentence is shown.
        cells = [
            _cell(x, in_lines and not column.width) for x, column in zip(row, columns, strict=True)
        ]
        if console.is_interactive and tuple(row[: table.grouped]) == tuple(before[: table.grouped]):
            # The eye finds them above; a line of a file says them itself.
            cells[: table.grouped] = [Text()] * table.grouped
        made.add(*cells)
        before = row
    console.print(made, width=min(console.width, WIDTH) if in_lines else None)


def _column(column: view.Column, in_lines: bool) -> Column:
    """A column that is folded; of a table in lines, one that is cut to its share of the width."""
    made = Column(
        _cell(column.name), justify="right" if column.is_number else "left", overflow="fold"
    )
    if in_lines:
        made.width, made.ratio = (round(column.width * WIDTH), None) if column.width else (None, 1)
        # A verdict is never cut: without its last word it may be another one.
        made.no_wrap, made.overflow = (
            not column.is_verdict,
            ("fold" if column.is_verdict else "ellipsis"),
        )
    return made


def _line(line: view.Line) -> Text:
    made = Text(" ").join(filter(None, map(_cell, line.cells)))
    made.stylize(_STYLES.get(line.look, ""))
    return made


def _cell(cell: view.Cell, in_lines: bool = False) -> Text:
    """A cell as text; of a table in lines the first sentence of a text."""
    match cell:
        case view.Math():
            return Text(cell.typed or prose.typed(cell.latex))
        case view.Prose():
            first, stop, _ = prose.plain(cell.text).partition(". ")
            return Text(
                first + stop.strip() if in_lines else prose.plain(cell.text), _STYLES[cell.look]
            )
        case view.Badge():
            return coloured(cell.word)
        case view.Code() | view.Value():
            return Text(cell.text)
        case view.Stack():
            return Text("\n").join(map(_cell, cell.cells))
        case _:
            return Text(cell)
