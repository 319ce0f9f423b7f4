"""A report as one PDF, without a TeX: typst's compiler and fonts come with its package, the extra `pdf`.

It has what the page has for a reader of paper: its sections, with the tables that have a name, and the figures.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from boundcheck.language import prose
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
from boundcheck.present.on_paper import Chapter, Drawn, chapters, figures_of, without_tags
from boundcheck.present.section import Material
from boundcheck.present.style import TWO_COLUMNS, svg
from boundcheck.present.typst.formulas import PREAMBLE, UnknownError, formula, string
from boundcheck.verdicts import is_well

# Centimetres: of a figure, and of a line.
_TALLEST, _WIDTH = 21, 17
_PAGE = f"""#set document(title: TITLE, date: none)
#set page(paper: "a4", margin: 2cm, numbering: "1")
#set text(font: "Libertinus Serif", size: 10pt, lang: "en")
#show math.equation: set text(font: "New Computer Modern Math")
#show heading: set block(above: 1.4em, below: .7em)
#show table.cell.where(y: 0): strong
#set table(stroke: (x, y) => if y == 0 {{ (top: .8pt, bottom: .4pt) }} else {{ none }}, inset: (x: 3pt, y: 2.5pt))
#show table: set text(size: 8.5pt)
#show figure.where(kind: table): set block(breakable: true)
{PREAMBLE}
"""


def files_of(material: Material, title: str, lead: str) -> dict[str, bytes]:
    """`report.pdf`, by its path from the page's folder."""
    import typst

    found = chapters(material)
    figures = figures_of(found, TWO_COLUMNS, lambda drawn: svg(drawn).encode())
    text = document(found, without_tags(title), without_tags(lead), figures)
    with tempfile.TemporaryDirectory() as folder:
        for each in figures:
            (Path(folder) / f"{each.name}.svg").write_bytes(each.content)
        (Path(folder) / "main.typ").write_text(text, encoding="utf-8")
        # The same bytes from the same report, on every machine.
        made = Path(folder) / "report.pdf"
        typst.compile(f"{folder}/main.typ", str(made), folder, ignore_system_fonts=True, timestamp=0)
        return {made.name: made.read_bytes()}


def document(found: Iterable[Chapter], title: str, lead: str, figures: Sequence[Drawn]) -> str:
    """The report in typst's markup: each chapter that shows something on paper, with these figures."""
    drawn = {each.name: each for each in figures}
    made = [
        _PAGE.replace("TITLE", string(title)),
        f'#align(center, text(size: 16pt, weight: "bold", {string(title)}))\n',
        _text(lead),
    ]
    for chapter in found:
        if shown := list(_parts(chapter.parts, drawn)):
            made += [f"= {_text(chapter.title)}\n"] if chapter.title else []
            made += [f"{_text(chapter.see)}\n", *shown]
    return "\n".join(made)


def _parts(parts: Iterable[Part], drawn: Mapping[str, Drawn]) -> Iterator[str]:
    for part in parts:
        match part:
            case Line():
                yield f"{_line(part)}\n"
            case Points():
                yield from (f"- {_line(each)}" for each in part.lines)
                yield ""
            case Table():
                yield from _table(part) if part.name else ()
            case Fold():
                yield from _parts((part.line, *part.parts), drawn) if part.is_for_paper else ()
            case Picture():
                yield from _figure(drawn[part.name]) if part.name in drawn else ()
            case View():
                name = f", #raw({string(part.name)})" if part.name else ""
                yield f"== {_text(part.title)}{name}{f': {_verdict(part.verdict)}' if part.verdict else ''}\n"
                yield from _parts((*part.lines, *part.parts), drawn)
            case File():
                pass


def _figure(each: Drawn) -> Iterator[str]:
    # With its heading and caption it fits on a page.
    height = f", height: {_TALLEST}cm" if each.tall * 2.54 > _TALLEST else ""
    yield f"#figure(image({string(f'{each.name}.svg')}{height}), caption: [{_text(each.caption)}])\n"


def _table(table: Table) -> Iterator[str]:
    kept = [place for place, column in enumerate(table.columns) if not column.is_aside]
    columns = [table.columns[place] for place in kept]
    yield f"{_text(table.caption)}\n"
    yield f"#table(columns: ({', '.join(map(_width, columns))},), align: left,"
    yield f"  table.header({', '.join(f'[{_cell(column.name)}]' for column in columns)}),"
    yield from (f"  {_row(row, kept)}," for row in table.rows if not isinstance(row, Fold))
    yield ")\n"


def _width(column: Column) -> str:
    if column.is_number:
        return "auto"
    return f"{column.width * _WIDTH:.1f}cm" if column.width else "1fr"


def _row(row: Row, kept: Sequence[int]) -> str:
    if isinstance(row, Line | Fold):
        return f"table.cell(colspan: {len(kept)})[{_line(row) if isinstance(row, Line) else ''}]"
    return ", ".join(f"[{_cell(row[place])}]" for place in kept)


def _line(line: Line) -> str:
    return " ".join(filter(None, map(_cell, line.cells)))


def _cell(cell: Cell) -> str:
    match cell:
        case Math():
            return _formula(cell.latex)
        case Prose():
            return f"#strong[{_text(cell.text)}]" if cell.look == "strong" and cell.text else _text(cell.text)
        case Code():
            return f"#raw({string(cell.text)})"
        case Badge():
            return _verdict(cell.word)
        case Value():
            return _text(cell.text)
        case Stack():
            return " #linebreak() ".join(filter(None, map(_cell, cell.cells)))
        case _:
            return _text(cell)


def _verdict(word: str) -> str:
    return _text(word) if is_well(word) else f"#strong[{_text(word)}]"


def _text(text: str) -> str:
    """Text with formulas in it, in typst's markup."""
    return prose.joined(
        text,
        lambda words: f"#{string(words)};" if words else "",
        lambda typed: _formula(prose.latex(typed)),
        lambda name: f"#raw({string(name)});",
    )


def _formula(latex: str) -> str:
    try:
        return f"${formula(latex)}$"
    except UnknownError:
        return f"#raw({string(latex)});"
