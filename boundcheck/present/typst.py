r"""A report as one PDF, without a TeX: typst's compiler and fonts come with its package, the extra `pdf`.

It has what the page has for a reader of paper: its sections, with the tables that have a name, and the figures.
Formulas are made from LaTeX in typst's own markup, sign by sign: none is left out, and an unknown one is shown as the
LaTeX that it is. They are those of the kernel's statements, of claims and of texts: letters, scripts, fractions, roots,
accents, delimiters that grow.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from boundcheck.language import prose
from boundcheck.language.prose import Nested, TooDeepError
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
from boundcheck.present.material import Material
from boundcheck.present.section import Chapter, Drawn, chapters, figures_of, without_tags
from boundcheck.present.style import TWO_COLUMNS, svg
from boundcheck.shown import visible
from boundcheck.verdicts import is_well

PREAMBLE = '#let parallels = math.class("normal", "‖")'
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


# Words with the braces around them, commands, numbers, signs.
_WORDS = re.compile(r"\\(?:text|mathrm|operatorname|mathtt|mathsf|textbf|textrm)\{([^{}$\\]*(?:\\[_&%#][^{}$\\]*)*)\}")
_PIECE = re.compile(rf"{_WORDS.pattern.replace('([', '(?:[', 1)}|\\[A-Za-z]+|\\.|\d+(?:\.\d+)?|\S")
# Commands that are one sign in Unicode; those of Greek letters are typst's names, but for the variants.
_SIGNS = {command[1:]: sign for sign, command in prose.SIGNS.items() if re.fullmatch(r"\\[A-Za-z]+", command)} | {
    "leq": "≤", "geq": "≥", "neq": "≠", "notin": "∉", "subseteq": "⊆", "rightarrow": "→", "cdot": "⋅", "ldots": "…",
    "cdots": "⋯", "mid": "∣", "vert": "∣", "top": "⊤", "star": "⋆", "ast": "∗", "prime": "′", "|": "#parallels;",
    "wedge": "∧", "sim": "∼", "equiv": "≡", "simeq": "≃", "odot": "⊙", "otimes": "⊗",
    "surd": r"\√", "{": r"\{", "}": r"\}", "%": "%", "#": r"\#", "&": r"\&", "_": r"\_", "$": r"\$",
    ",": "thin", ";": "med", ":": "med", "!": "", " ": "space", "quad": "quad", "qquad": "wide",
}  # fmt: skip
_VARIANTS = {"epsilon": "epsilon.alt", "varepsilon": "epsilon", "phi": "phi.alt", "varphi": "phi"}
_GREEK = frozenset(prose.GREEK.values()) - set(_VARIANTS)
_NAMES = frozenset(("arg", "cos", "det", "dim", "exp", "inf", "ker", "lim", "ln", "log", "max", "min", "sin", "sup"))
_OVER = {
    "hat": "hat", "widehat": "hat", "tilde": "tilde", "widetilde": "tilde", "bar": "macron", "overline": "overline",
    "vec": "arrow", "dot": "dot", "ddot": "dot.double", "mathbf": "bold", "boldsymbol": "bold", "bm": "bold",
    "mathbb": "bb", "mathcal": "cal", "mathit": "italic", "underline": "underline",
}  # fmt: skip
_FRACTIONS = frozenset(("frac", "tfrac", "dfrac"))
# Signs that mean something in typst's formulas, and are printed here.
_ESCAPED = frozenset("()[]{},;:\"/#$&'|_^~@`<>")


class UnknownError(ValueError):
    """A formula with a sign that is not known."""


def formula(latex: str) -> str:
    """A formula in the markup of typst's formulas.

    Raises:
        UnknownError: for a command that is not known, and for groups that do not close or are too deep.

    """
    try:
        # A space after what is no sign of typst's own would be printed.
        return _Reader(_PIECE.findall(latex), latex).all().replace("#parallels; ", "#parallels;")
    except TooDeepError:
        raise UnknownError("groups that are too deep inside of one another") from None


def string(text: str) -> str:
    """Text as a string in typst's code."""
    said = visible(text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{said}"'


class _Reader(Nested):
    """A reader of LaTeX, from left to right: each method reads the part in its name."""

    def __init__(self, pieces: list[str], latex: str) -> None:
        super().__init__()
        self._pieces, self._latex, self._at = pieces, latex, 0

    def all(self) -> str:
        made = self._items("")
        if self._at < len(self._pieces):
            raise UnknownError(f"a group that does not open: {self._latex}")
        return made

    def _next(self) -> str:
        return self._pieces[self._at] if self._at < len(self._pieces) else ""

    def _take(self) -> str:
        piece = self._next()
        if not piece:
            raise UnknownError(f"an end too early: {self._latex}")
        self._at += 1
        return piece

    @Nested.inside
    def _items(self, end: str) -> str:
        """Everything up to a closing piece, which is passed, or to the end."""
        made = []
        while self._next() and self._next() != end:
            if self._next() in ("}", r"\right"):
                break
            made.append(self._item())
        if end and self._take() != end:
            raise UnknownError(f"a group that does not close: {self._latex}")
        return " ".join(filter(None, made))

    def _item(self) -> str:
        """A sign with its scripts."""
        # A script may be that of nothing.
        base = '""' if self._next() in ("_", "^") else self._base()
        scripts: dict[str, str] = {}
        while self._next() in ("_", "^", "'"):
            sign = self._take()
            mark, made = ("^", "′") if sign == "'" else (sign, self._argument())
            scripts[mark] = f"{scripts[mark]} {made}" if mark in scripts else made
        if scripts and base.startswith("frac("):
            # A fraction to a power has a bracket, or the power would seem to be that of what is above.
            base = rf"lr(\( {base} \))"
        return base + "".join(f"{mark}({scripts[mark]})" for mark in "_^" if mark in scripts)

    def _argument(self) -> str:
        """Read what a script, a root or a fraction holds: a group, or one sign."""
        if self._next() == "{":
            self._take()
            return self._items("}") or '""'
        return self._base()

    @Nested.inside
    def _base(self) -> str:
        piece = self._take()
        if piece == "{":
            inside = self._items("}")
            # A group of several signs stays one, so that a script is that of all of it.
            return f"lr({inside})" if self._next() in ("_", "^") and " " in inside else inside
        if words := _WORDS.fullmatch(piece):
            return string(re.sub(r"\\(.)", r"\1", words[1]))
        if piece.startswith("\\"):
            return self._command(piece[1:])
        return f"\\{piece}" if piece in _ESCAPED else piece

    def _command(self, name: str) -> str:
        if name in _SIGNS:
            return _SIGNS[name]
        if name in _GREEK or name in _NAMES:
            return name
        if name in _VARIANTS:
            return _VARIANTS[name]
        if name in _OVER:
            return f"{_OVER[name]}({self._argument()})"
        if name in _FRACTIONS:
            return f"frac({self._argument()}, {self._argument()})"
        if name == "sqrt":
            return self._root()
        if name == "left":
            return self._grown()
        if name in ("big", "Big", "bigl", "bigr", "Bigl", "Bigr", "displaystyle", "limits"):
            return ""
        raise UnknownError(f"\\{name}")

    def _root(self) -> str:
        if self._next() != "[":
            return f"sqrt({self._argument()})"
        self._take()
        degree = self._items("]")
        return f"root({degree}, {self._argument()})"

    def _grown(self) -> str:
        """Read what stands between delimiters that grow with it."""
        opening = self._delimiter()
        inside = self._items("")
        if self._take() != r"\right":
            raise UnknownError(f"\\left without \\right: {self._latex}")
        return f"lr({opening} {inside} {self._delimiter()})"

    def _delimiter(self) -> str:
        piece = self._take()
        if piece == ".":
            return ""
        return self._command(piece[1:]) if piece.startswith("\\") else f"\\{piece}" if piece in _ESCAPED else piece
