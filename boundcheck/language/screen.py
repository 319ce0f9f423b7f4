"""A view in a terminal: tables folded to its width, and colours; elsewhere a line for each row,
whole.

See `boundcheck.system.terminal` for what a screen is, and for `Table`, which is printed in both
ways.
"""

from collections.abc import Sequence
from dataclasses import replace
from textwrap import shorten

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Column
from rich.text import Text

from boundcheck.language import prose, view
from boundcheck.system.terminal import Table, coloured

WIDTH = 100
"""Signs of the longest line that is easily read."""
# Signs of the narrowest column of sentences, of the longest name that is never folded, and between
# two columns.
_NARROW, _SHORT, _GAP = 20, 40, 2
# Lines of a cell beside others, at most, where it would have fewer with the whole width for itself.
_FOLDS = 4
_STYLES = {"": "", "small": "dim", "strong": "bold"}


def show(console: Console, *parts: view.Part) -> None:
    """Print the parts of a view, one below the other."""
    for part in parts:
        match part:
            case view.Line():
                # What is no text alone is not folded: a command or a path could not be copied.
                is_text = all(isinstance(each, view.Prose | view.Badge) for each in part.cells)
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
    columns, is_screen = _settled(table), console.is_interactive
    is_cut, width = table.in_lines and is_screen, min(console.width, WIDTH)
    rows: list[list[Text]] = []
    before: Sequence[view.Cell] = ()
    for row in table.rows:
        if isinstance(row, view.Line | view.Fold):
            # A part across the table stands in its last column.
            across = row if isinstance(row, view.Line) else row.line
            rows.append([Text()] * (len(columns) - 1) + [_line(across)])
            continue
        # Of what fills the rest of a line the first sentence is shown.
        cells = [
            _cell(x, table.in_lines and not column.width)
            for x, column in zip(row, columns, strict=True)
        ]
        if is_cut:
            shares = [round((column.width or 1) * width) for column in columns]
            cells = list(map(_cut, columns, cells, shares))
        if is_screen and tuple(row[: table.grouped]) == tuple(before[: table.grouped]):
            # The eye finds them above; a line of a file says them itself.
            cells[: table.grouped] = [Text()] * table.grouped
        rows.append(cells)
        before = row
    if is_screen and rows:
        # Nothing is lost with an empty column.
        kept = [i for i, cells in enumerate(zip(*rows, strict=True)) if any(cells)]
        columns = [columns[i] for i in kept]
        rows = [[cells[i] for i in kept] for cells in rows]
    heads = [_cell(column.name) for column in columns]
    widths = [1] * len(heads)
    if is_screen:
        widths = _widths(console, columns, [heads, *rows], width, is_cut)
    if table.caption:
        console.print(
            Text(prose.plain(table.caption), "italic"), width=width if is_screen else None
        )
    if not widths:
        _stack(console, columns, heads, rows, width)
        return
    made = Table(
        *(
            Column(
                head, justify="right" if column.is_number else "left", overflow="fold", width=room
            )
            for column, head, room in zip(columns, heads, widths, strict=True)
        ),
        show_header=any(heads),
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, _GAP - 1, 0, 0),
    )
    for cells in rows:
        made.add(*(map(_cut, columns, cells, widths) if is_cut else cells))
    console.print(made)


def _settled(table: view.Table) -> list[view.Column]:
    """The columns of a table; one of short names and numbers, and of no prose, is whole."""
    rows = [row for row in table.rows if not isinstance(row, view.Line | view.Fold)]
    made = []
    for i, column in enumerate(table.columns):
        cells = [row[i] for row in rows]
        is_name = cells and all(isinstance(x, str) and len(x) <= _SHORT for x in cells)
        made.append(replace(column, is_whole=True) if is_name else column)
    return made


def _cut(column: view.Column, text: Text, room: int) -> Text:
    """The words of a text that find room on one line; a verdict is whole, since without its last
    word it may be another one.
    """
    if column.is_whole or text.cell_len <= room:
        return text
    cut = shorten(text.plain, room, break_on_hyphens=False, placeholder="…")
    return Text(cut, text.style)


def _widths(
    console: Console,
    columns: Sequence[view.Column],
    rows: Sequence[Sequence[Text]],
    width: int,
    is_cut: bool,
) -> list[int]:
    """The widths of columns in which no word is split, and no text stands in a narrow column, or is
    folded into many lines; empty where they find no room.
    """
    wanted, widths = list[int](), list[int]()
    # The length of a text, and not the part of it that a screen has room for.
    endless = console.options.update(max_width=max(len(x) for cells in rows for x in cells) + width)
    for column, *cells in zip(columns, *rows, strict=True):
        head, *measured = [Measurement.get(console, endless, cell) for cell in cells]
        longest = max((x.maximum for x in measured), default=0)
        wanted.append(max(head.maximum, longest))
        if column.is_whole:
            widths.append(max(head.minimum, longest))
            continue
        word = 0 if is_cut else max(x.minimum for x in (head, *measured))
        widths.append(min(wanted[-1], max(word, _NARROW)))
    spare = width - _GAP * (len(widths) - 1) - sum(widths)
    if spare < 0:
        return []
    # Those that need little get it, and the others share the rest.
    needs = sorted(range(len(widths)), key=lambda place: wanted[place] - widths[place])
    for done, place in enumerate(needs):
        more = min(wanted[place] - widths[place], spare // (len(needs) - done))
        widths[place] += more
        spare -= more
    is_tall = any(
        x > _FOLDS * room and 2 * room < width for x, room in zip(wanted, widths, strict=True)
    )
    return [] if is_tall and not is_cut else widths


def _stack(
    console: Console,
    columns: Sequence[view.Column],
    heads: Sequence[Text],
    rows: Sequence[Sequence[Text]],
    width: int,
) -> None:
    """Show each row as a line of its short cells, and below it each text with its heading."""
    short = [
        column.is_whole or all(x.cell_len <= _NARROW and "\n" not in x.plain for x in cells)
        for column, *cells in zip(columns, *rows, strict=True)
    ]
    short[0] = True
    for row in rows:
        console.print(
            Text("  ").join(x for x, first in zip(row, short, strict=True) if first and x),
            width=width,
        )
        for head, x, first in zip(heads, row, short, strict=True):
            if not first and x.plain not in ("", "–"):
                below = Text.assemble((f"{head}: " if head else "", "dim"), x)
                for line in below.wrap(console, width - 4):
                    console.print(Text.assemble("    ", line))


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
        case view.Anchor():
            return _cell(cell.cell, in_lines)
        case _:
            return Text(cell)
