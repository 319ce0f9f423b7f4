r"""A report as one PDF, without a TeX: typst's compiler and fonts come with its package, the extra `pdf`.

It has what the page has for a reader of paper: its sections, with the tables that have a name, and the figures.
Formulas are made from LaTeX in typst's own markup, sign by sign: none is left out, and an unknown one is shown as the
LaTeX that it is. They are those of the kernel's statements, of claims and of texts: letters, scripts, fractions, roots,
accents, delimiters that grow.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from boundcheck.language import prose, view
from boundcheck.language.prose import TooDeepError, nested
from boundcheck.present.material import Material
from boundcheck.present.section import Chapter, Drawn, Writer, chapters, figures_of, without_tags
from boundcheck.present.style import TWO_COLUMNS, svg
from boundcheck.shown import visible

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
    write = _Typst({each.name: each for each in figures})
    made = [
        _PAGE.replace("TITLE", string(title)),
        f'#align(center, text(size: 16pt, weight: "bold", {string(title)}))\n',
        write.text(lead),
    ]
    for chapter in found:
        if shown := write.parts(chapter.parts):
            made += [f"= {write.text(chapter.title)}\n"] if chapter.title else []
            made += [f"{write.text(chapter.see)}\n", shown]
    return "\n".join(made)


class _Typst(Writer):
    """The parts of a view in typst's markup."""

    bold, broken = "#strong[%s]", " #linebreak() "
    item, points = "- %s\n", "%s"

    def __init__(self, drawn: Mapping[str, Drawn]) -> None:
        self._drawn = drawn

    def heading(self, part: view.View) -> str:
        name = f", #raw({string(part.name)})" if part.name else ""
        return f"== {self.text(part.title)}{name}{f': {self.verdict(part.verdict)}' if part.verdict else ''}\n\n"

    def text(self, text: str) -> str:
        return prose.joined(
            text,
            lambda words: f"#{string(words)};" if words else "",
            lambda typed: self.formula(view.Math(prose.latex(typed))),
            lambda name: f"#raw({string(name)});",
        )

    def code(self, text: str) -> str:
        return f"#raw({string(text)})"

    def formula(self, cell: view.Math) -> str:
        try:
            return f"${formula(cell.latex)}$"
        except UnknownError:
            return f"#raw({string(cell.latex)});"

    def part(self, part: view.Part) -> str:
        if isinstance(part, view.Table):
            return self._table(part) if part.name else ""
        if not isinstance(part, view.Picture) or part.name not in self._drawn:
            return super().part(part)
        each = self._drawn[part.name]
        # With its heading and caption it fits on a page.
        height = f", height: {_TALLEST}cm" if each.tall * 2.54 > _TALLEST else ""
        return f"#figure(image({string(f'{each.name}.svg')}{height}), caption: [{self.text(each.caption)}])\n"

    def _table(self, table: view.Table) -> str:
        kept = [place for place, column in enumerate(table.columns) if not column.is_aside]
        columns, widths = [table.columns[place] for place in kept], []
        for column in columns:
            wide = f"{column.width * _WIDTH:.1f}cm" if column.width else "1fr"
            widths.append("auto" if column.is_number else wide)
        head = ", ".join(f"[{self.cell(column.name)}]" for column in columns)
        made = [f"{self.text(table.caption)}\n", f"#table(columns: ({', '.join(widths)},), align: left,"]
        made.append(f"  table.header({head}),")
        for row in table.rows:
            if isinstance(row, view.Line):
                made.append(f"  table.cell(colspan: {len(kept)})[{self.line(row)}],")
            elif not isinstance(row, view.Fold):
                made.append(f"  {', '.join(f'[{self.cell(row[place])}]' for place in kept)},")
        return "\n".join([*made, ")\n"])


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
    # Of size and place, which print nothing.
    **dict.fromkeys(("big", "Big", "bigl", "bigr", "Bigl", "Bigr", "displaystyle", "limits"), ""),
}  # fmt: skip
_VARIANTS = {"epsilon": "epsilon.alt", "varepsilon": "epsilon", "phi": "phi.alt", "varphi": "phi"}
_GREEK = frozenset(prose.GREEK.values()) - set(_VARIANTS)
_NAMES = frozenset(("arg", "cos", "det", "dim", "exp", "inf", "ker", "lim", "ln", "log", "max", "min", "sin", "sup"))
_OVER = {
    r"\hat": "hat", r"\widehat": "hat", r"\tilde": "tilde", r"\widetilde": "tilde", r"\bar": "macron", r"\vec": "arrow",
    r"\overline": "overline", r"\dot": "dot", r"\ddot": "dot.double", r"\bm": "bold", r"\mathbf": "bold",
    r"\boldsymbol": "bold", r"\mathbb": "bb", r"\mathcal": "cal", r"\mathit": "italic", r"\underline": "underline",
}  # fmt: skip
_FRACTIONS = frozenset((r"\frac", r"\tfrac", r"\dfrac"))
# Signs that mean something in typst's formulas, and are printed here.
_ESCAPED = frozenset("()[]{},;:\"/#$&'|_^~@`<>")


class UnknownError(ValueError):
    """A formula with a sign that is not known."""


def formula(latex: str) -> str:
    """A formula in the markup of typst's formulas.

    Raises:
        UnknownError: for a command that is not known, and for groups that do not close or are too deep.

    """
    reader = _Reader(_PIECE.findall(latex), latex)
    try:
        made = reader.items("")
    except TooDeepError:
        raise UnknownError("groups that are too deep inside of one another") from None
    if reader.next:
        raise UnknownError(f"a group that does not open: {latex}")
    # A space after what is no sign of typst's own would be printed.
    return made.replace("#parallels; ", "#parallels;")


def string(text: str) -> str:
    """Text as a string in typst's code."""
    said = visible(text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{said}"'


class _Reader:
    """A reader of LaTeX, from left to right: each method reads the part in its name."""

    def __init__(self, pieces: list[str], latex: str) -> None:
        self._pieces, self._latex, self._at = pieces, latex, 0

    @property
    def next(self) -> str:
        """The piece that comes next; empty at the end."""
        return self._pieces[self._at] if self._at < len(self._pieces) else ""

    def _take(self) -> str:
        if not (piece := self.next):
            raise UnknownError(f"an end too early: {self._latex}")
        self._at += 1
        return piece

    @nested
    def items(self, end: str) -> str:
        """Everything up to a closing piece, which is passed, or to the end: signs with their scripts."""
        made = []
        while self.next and self.next not in (end, "}", r"\right"):
            # A script may be that of nothing.
            base = '""' if self.next in ("_", "^") else self._base()
            scripts: dict[str, str] = {}
            while self.next in ("_", "^", "'"):
                sign = self._take()
                mark, script = ("^", "′") if sign == "'" else (sign, self._argument())
                scripts[mark] = f"{scripts[mark]} {script}" if mark in scripts else script
            if scripts and base.startswith("frac("):
                # A fraction to a power has a bracket, or the power would seem to be that of what is above.
                base = rf"lr(\( {base} \))"
            made.append(base + "".join(f"{mark}({scripts[mark]})" for mark in "_^" if mark in scripts))
        if end and self._take() != end:
            raise UnknownError(f"a group that does not close: {self._latex}")
        return " ".join(filter(None, made))

    def _argument(self) -> str:
        """Read what a script, a root or a fraction holds: a group, or one sign."""
        if self.next == "{":
            self._take()
            return self.items("}") or '""'
        return self._base()

    @nested
    def _base(self) -> str:
        piece = self._take()
        if piece == "{":
            inside = self.items("}")
            # A group of several signs stays one, so that a script is that of all of it.
            return f"lr({inside})" if self.next in ("_", "^") and " " in inside else inside
        if words := _WORDS.fullmatch(piece):
            return string(re.sub(r"\\(.)", r"\1", words[1]))
        if piece in _OVER:
            return f"{_OVER[piece]}({self._argument()})"
        if piece in _FRACTIONS:
            return f"frac({self._argument()}, {self._argument()})"
        if piece == r"\sqrt" and self.next == "[":
            self._take()
            degree = self.items("]")
            return f"root({degree}, {self._argument()})"
        if piece == r"\sqrt":
            return f"sqrt({self._argument()})"
        if piece != r"\left":
            return self._sign(piece)
        # What stands between delimiters that grow with it.
        opening = self._delimiter()
        inside = self.items("")
        if self._take() != r"\right":
            raise UnknownError(f"\\left without \\right: {self._latex}")
        return f"lr({opening} {inside} {self._delimiter()})"

    def _delimiter(self) -> str:
        piece = self._take()
        return "" if piece == "." else self._sign(piece)

    def _sign(self, piece: str) -> str:
        """Read one sign, or a command that is one."""
        if not piece.startswith("\\"):
            return f"\\{piece}" if piece in _ESCAPED else piece
        name = piece[1:]
        for known in (_SIGNS, _VARIANTS):
            if name in known:
                return known[name]
        if name in _GREEK or name in _NAMES:
            return name
        raise UnknownError(piece)
