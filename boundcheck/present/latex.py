r"""A report for a paper: `latex/` beside the page, with tables, theorems, figures, numbers by \newcommand, and BibTeX.

`example.tex` uses each kind of piece once, in two pages: an author copies from it. `main.tex` is an appendix with all
of them. Both compile as they are; `preamble.tex` says what single files need. Numbers are never better than what was
measured or proved: an upper bound is rounded up and a lower one down; what was measured has the digits that its
interval supports.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from boundcheck.exact.digits import Toward, last_place, rounded
from boundcheck.experiment.result import toward_of
from boundcheck.experiment.statistics import Interval
from boundcheck.language import prose
from boundcheck.language.catalogue import boundcheck_entry, catalogue, sources
from boundcheck.language.prose import GREEK, tex
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
from boundcheck.present.section import chapters, figures_of, tables_of, without_tags
from boundcheck.present.sections.proofs import claim_view
from boundcheck.present.stored import StoredRun, known
from boundcheck.present.style import ONE_COLUMN, TWO_COLUMNS, pdf
from boundcheck.present.words import sentence_of, titled
from boundcheck.proof.export import PREAMBLE, apart, display, id_tex
from boundcheck.proof.verdict import JudgedProof
from boundcheck.shown import visible
from boundcheck.system.files import file_name
from boundcheck.verdicts import Verdict, is_well

FOLDER = "latex"
_PREAMBLE = (
    "% What the files of this folder need: \\input it before the document begins.\n"
    + PREAMBLE
    + ("\\usepackage{array,booktabs,tabularx}\n")
)
# Of tables with a verdict in each row what one column has room for: columns, rows, and what the rows are.
_BRIEF = {
    "referee": (("No.", "Where", "Verdict"), 18, "findings"),
    "verdicts": (("Problem", "Theorem", "Measured", "Bound", "Verdict"), 6, "runs"),
    "brackets": (("Problem", "Rank", "Observed", "Sharpest", "Verdict"), 6, "brackets"),
    "network_verdicts": (("Model and text", "Adapter", "Measured", "Bound", "Verdict"), 6, "runs"),
}
# Inches: what fits on a page above its caption, and what is shown in one column of it.
_TALLEST, _NARROW = 8.2, 4.2


@dataclass(frozen=True)
class Placed:
    """A figure at a width: its name, file, caption in LaTeX, height in inches, and whether it takes two columns."""

    name: str
    path: str
    caption: str
    tall: float
    wide: bool


@dataclass(frozen=True)
class Written:
    """A proof in LaTeX: the name of its files, the theorem, empty if not proved, and the argument that shows it."""

    name: str
    proof: JudgedProof
    theorem: str
    argument: str

    @property
    def files(self) -> dict[str, str]:
        """The files, in the order in which they are read."""
        found = {f"theorems/{self.name}.tex": self.theorem, f"proofs/{self.name}.tex": self.argument}
        return {path: text for path, text in found.items() if text}


def files_of(material: Material, title: str, lead: str) -> dict[str, bytes]:
    """The files of the folder `latex`, by their path from the page's folder."""
    numbers = Numbers()
    runs, found = printed(material, numbers), chapters(material)
    latex, tables = Latex(values_of(runs)), tables_of(found)
    floats = {f"tables/{name}.tex": latex.floats(table) for name, table in tables.items()}
    # Tables shortened so that one column has room for them.
    brief = {
        f"tables/{name}_in_brief.tex": latex.column(in_brief(tables[name], *how))
        for name, how in _BRIEF.items()
        if name in tables
    }
    # Each figure at both widths, if it is no taller than a page.
    figures, drawn = list[Placed](), dict[str, bytes]()
    for wide, look in ((True, TWO_COLUMNS), (False, ONE_COLUMN)):
        for each in figures_of(found, look, pdf):
            if each.tall <= _TALLEST:
                path = f"figures/{each.name}_{'two_columns' if wide else 'one_column'}.pdf"
                drawn[f"{FOLDER}/{path}"] = each.content
                figures.append(Placed(each.name, path, tex(each.caption), each.tall, wide))
    proofs = [
        Written(file_name(f"{proof.script.id}-{proof.script.version}"), proof, *apart(proof))
        for claim in (material.proofs.claims if material.proofs else ())
        for proof in claim.proofs
    ]
    claims = []
    for claim in material.claims:
        view, keys = claim_view(claim), ",".join(_keys(claim.id))
        cited = rf"\cite{{{keys}}} " if keys else ""
        claims.append(latex.part(View(view.title, view.name)) + cited + latex.parts(view.parts))
    # The sources of every claim that the page speaks of or has a proof of, and boundcheck.
    proved = (catalogue[id] for each in proofs if (id := each.proof.script.id) in catalogue)
    entries = {each.key: each.text for claim in (*material.claims, *proved) for each in sources(claim)}
    texts = (
        floats
        | brief
        | {path: text for proof in proofs for path, text in proof.files.items()}
        | {
            "preamble.tex": _PREAMBLE,
            "numbers.tex": numbers.text(),
            "claims.tex": "\n".join(claims),
            "references.bib": "\n\n".join([*entries.values(), boundcheck_entry().text, ""]),
        }
    )
    # Sentences on how many findings, lines of proofs and runs have each verdict, each number by its command.
    counts, counted = [], verdict_counts(material)
    for what, name in (("findings from the proofs", "findings"), ("lines of proofs", "lines"), ("runs", "runs")):
        of_each = ", ".join(rf"{command((name, x))} {verdict_tex(x)}" for x in sorted(counted[name]))
        counts += [f"Of {command((name,))} {what}: {of_each}."] if of_each else []
    # Each figure once: in one column if that does not make it tall.
    once = {each.name: each for each in figures if each.wide or each.tall <= _NARROW}
    given = {
        "title": _plain(title),
        "lead": _plain(lead),
        "counts": counts,
        "claims": bool(claims),
        "tables": list(floats),
        "figures": list(once.values()),
        "proofs": [path for proof in proofs for path in proof.files],
    }
    environment = Environment(
        loader=PackageLoader("boundcheck.present", "templates"), undefined=StrictUndefined, trim_blocks=True,
        block_start_string="<%", block_end_string="%>", variable_start_string="<<", variable_end_string=">>",
        comment_start_string="<#", comment_end_string="#>",
    )  # fmt: skip
    for name, with_what in (("main", given), ("example", given | chosen(runs, brief, figures, proofs))):
        texts[f"{name}.tex"] = environment.get_template(f"{name}.tex.j2").render(with_what)
    return {f"{FOLDER}/{name}": text.encode() for name, text in texts.items()} | drawn


def _plain(text: str) -> str:
    # TeX would join the hyphens of an option to one dash.
    return "-{}-".join(map(tex, without_tags(text).split("--")))


def _keys(id: str) -> dict[str, None]:
    """The keys to cite for a claim, in order; none for a claim that is not in the catalogue."""
    return dict.fromkeys(entry.key for entry in sources(catalogue[id])) if id in catalogue else {}


_DIGITS = ("Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
PREFIX = "bc"
# Significant digits of a number that no interval limits.
FREE = 3
# Hexadecimal digits that tell apart experiments with one claim, problem and rank.
_TAG = 4
# Numbers that are printed without a power of ten.
_PLAIN = range(-3, 6)


def place_of(interval: Interval | None, value: float, digits: int = FREE) -> int:
    """The power of ten of the last digit that an interval supports: the second digit of half its width.

    Without an interval, or with one of no width, it is that of the third significant digit. A number keeps one digit at
    least, and so many digits as tell it from its bound, where these are not three.
    """
    first = math.floor(math.log10(abs(value))) if value else 0
    half = (interval.upper - interval.lower) / 2 if interval else 0.0
    place = min(math.floor(math.log10(half)) - 1, first) if 0 < half < math.inf else first - FREE + 1
    return place if digits == FREE else min(place, last_place(value, digits))


def significant(value: float, toward: Toward = Toward.NEAREST, digits: int = FREE) -> str:
    """A number in LaTeX, with this many significant digits."""
    return typeset(value, place_of(None, value) + FREE - digits, toward)


def typeset(value: float | int | None, place: int = 0, toward: Toward = Toward.NEAREST) -> str:
    """A number in LaTeX, in text or in math, with its last digit at this power of ten; a dash for none."""
    if value is None or math.isnan(value):
        return "--"
    if math.isinf(value):
        return r"\ensuremath{\infty}" if value > 0 else r"\ensuremath{-\infty}"
    found = rounded(value, place, toward)
    if found == 0:
        return "0"
    first = found.adjusted()
    sign, size = ("-", -found) if found < 0 else ("", found)
    if first in _PLAIN:
        whole, _, rest = f"{size:.{max(-place, 0)}f}".partition(".")
        text = _grouped(whole) + (f".{rest}" if rest else "")
        return rf"\ensuremath{{{sign}{text}}}"
    mantissa = size.scaleb(-first)
    return rf"\ensuremath{{{sign}{mantissa:.{max(first - place, 0)}f}\times10^{{{first}}}}}"


def whole(number: int) -> str:
    """A whole number in LaTeX."""
    return rf"\ensuremath{{{'-' if number < 0 else ''}{_grouped(str(abs(number)))}}}"


def _grouped(digits: str) -> str:
    return re.sub(r"(?<=\d)(?=(\d{3})+$)", r"\,", digits) if len(digits) > 4 else digits


def letters(*words: object) -> str:
    """A name of letters alone, from words that may have digits, Greek letters and signs."""
    made = ""
    for part in re.findall(r"[^\W\d_]+|\d", unicodedata.normalize("NFD", " ".join(map(str, words)))):
        if part.isdigit():
            made += _DIGITS[int(part)]
            continue
        # The name of a sign ends in what it is.
        said = (x if x.isascii() else GREEK.get(x, unicodedata.name(x, "x").split()[-1]).lower() for x in part)
        made += sentence_of(re.sub("[^A-Za-z]", "", "".join(said)))
    return made


def tag(spec: dict[str, Any]) -> str:
    """Letters that tell an experiment from others, the same wherever and whenever it is run."""
    made = hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()[:_TAG]
    return "".join(chr(ord("a") + int(digit, 16)) for digit in made)


def command(words: tuple[object, ...]) -> str:
    """The command of a number, named by words that say what it is."""
    return rf"\{PREFIX}{letters(*words)}{{}}"


@dataclass
class Numbers:
    r"""The file of \newcommand, with one name for each number.

    Attributes:
        commands: what each name stands for, in LaTeX.
        lines: the file.

    """

    commands: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def heading(self, text: str) -> None:
        """Add a comment above what follows."""
        self.lines += ["", f"% {_comment(text)}"]

    def add(self, words: tuple[object, ...], made: str, note: str = "", kind: str = "") -> str:
        """Give some LaTeX a name; `kind`, the sort of number that it is, gets one too, with Kind at its end.

        Returns:
            The command.

        """
        name = PREFIX + letters(*words)
        if name in self.commands:
            # Different words of the same letters, such as a_1 and a1.
            name += f"X{tag({'words': list(map(str, words)), 'beside': len(self.commands)})}"
        self.commands[name] = made
        said = ", ".join(filter(None, (note, kind)))
        self.lines.append(rf"\newcommand{{\{name}}}{{{made}}}" + (f" % {_comment(said)}" if said else ""))
        if kind:
            self.commands[f"{name}Kind"] = kind
            self.lines.append(rf"\newcommand{{\{name}Kind}}{{{tex(kind)}}}")
        return rf"\{name}{{}}"

    def text(self) -> str:
        """The content of the file."""
        return "\n".join([*self.lines, ""])


def _comment(text: str) -> str:
    return " ".join(visible(text).split()).encode("ascii", "replace").decode()


@dataclass(frozen=True)
class Printed:
    """A run, and the commands of its numbers by what they are, such as measured, lower, upper, bound, steps."""

    run: StoredRun
    commands: dict[str, str]

    def __getitem__(self, name: str) -> str:
        """The command of a number; a dash where the run has none."""
        return self.commands.get(name, "--")


def printed(material: Material, numbers: Numbers) -> list[Printed]:
    """Give every number of the material a command, and return the commands of each run."""
    runs = [Printed(run, _of_run(run, numbers)) for run in material.runs]
    for words, run in material.faults:
        _of_run(run, numbers, "fault", about=f"planted fault: {words}")
    if material.searches:
        numbers.heading("Attacks: the largest ratio of what was measured to the bound, at an instance that was found.")
    for search in material.searches:
        asked = ("attack", search["id"], search["lipschitz"])
        note = f"{search['label']}: a certified instance, rounded down"
        ratios = {(): search["ratio"]} | {("rank", row["rank"]): row["ratio"] for row in search["rows"]}
        for where, ratio in ratios.items():
            numbers.add((*asked, *where, "ratio"), significant(ratio, Toward.DOWN), note, "certified")
    if cases := material.study.worst_cases:
        numbers.heading("Worst cases by performance estimation, over the bound; numerical, and no proof.")
    for case in cases:
        about = ("worst case", case.claim, case.method, "T", case.steps, tag(case.inputs))
        note = f"{case.claim} at T = {case.steps}, {case.method}"
        numbers.add((*about, "ratio"), significant(case.ratio), f"{note}: worst case over bound", "numerical")
        if case.lower is not None:
            low = significant(case.lower, Toward.DOWN)
            numbers.add((*about, "lower"), low, f"{note}: the worst case is at least this, rounded down", "certified")
        if case.upper is not None:
            high = significant(case.upper, Toward.UP)
            numbers.add((*about, "upper"), high, f"{note}: the worst case is at most this, rounded up", "kernel")
    for what, verdicts in verdict_counts(material).items():
        if verdicts:
            numbers.heading(f"How many {what} have each verdict.")
            numbers.add((what,), whole(verdicts.total()))
            for verdict, count in sorted(verdicts.items()):
                numbers.add((what, verdict), whole(count))
    return runs


def values_of(runs: Iterable[Printed]) -> dict[tuple[str, ...], str]:
    """The commands of the numbers of runs, by the names that tables have for them."""
    found: dict[tuple[str, ...], str] = {}
    for each in runs:
        commands, id = each.commands, each.run.result.run_id
        found |= {(id, name): commands[name] for name in ("measured", "steps", "replicas") if name in commands}
        if "bound" in commands:
            found[id, "bound"] = commands["bound"] + commands["mark"]
        if "lower" in commands:
            found[id, "interval"] = f"[{commands['lower']}, {commands['upper']}]"
    return found


def verdict_counts(material: Material) -> dict[str, Counter[str]]:
    """The number of findings from proofs, of lines of proofs and of runs that have each verdict."""
    proofs = [proof for claim in (material.proofs.claims if material.proofs else ()) for proof in claim.proofs]
    return {
        "findings": Counter(str(row.verdict) for row in (material.proofs.rows if material.proofs else ())),
        "lines": Counter(str(step.verdict) for proof in proofs for step in proof.steps),
        "runs": Counter(str(run.verdict) for run in material.runs),
    }


def measured(value: float, interval: Interval | None, digits: int = FREE) -> str:
    """A measured value, with the digits that its interval supports, or with more that tell it from its bound."""
    return typeset(value, place_of(interval, value, digits))


def limits(interval: Interval, value: float | None, digits: int = FREE) -> tuple[str, str]:
    """The ends of an interval, rounded outwards at the last digit of what was measured."""
    place = place_of(interval, value or interval.upper, digits)
    return typeset(interval.lower, place, Toward.DOWN), typeset(interval.upper, place, Toward.UP)


def _of_run(run: StoredRun, numbers: Numbers, *before: str, about: str = "") -> dict[str, str]:
    x = run.result
    rank = ("rank", run.rank) if run.rank is not None else ()
    words = (*before, x.claim, run.problem, *rank, tag(x.spec))
    numbers.heading(", ".join(filter(None, (about, titled(x), run.title, f"run {x.run_id}"))))
    made = {"verdict": numbers.add((*words, "verdict"), str(run.verdict), x.reason)}
    if run.is_theorem:
        made |= _measured(run, numbers, words)
    elif x.measured is not None:
        note = "the largest lower estimate, rounded down"
        made["measured"] = numbers.add(
            (*words, "observed"), significant(x.measured, Toward.DOWN, x.digits(FREE)), note, "observed"
        )
    for end in x.upper:
        of_end = (*words, end.claim, end.lipschitz, "bound")
        numbers.add(of_end, significant(end.value, Toward.UP), "bound on the smoothness of F, rounded up", end.trust)
    if (bound := run.bound) is not None:
        note = f"bound of {x.claim}, rounded up"
        kind = "estimated" if run.is_estimated else ""
        made["bound"] = numbers.add((*words, "bound"), significant(bound, Toward.UP, x.digits(FREE)), note, kind)
        made["mark"] = "$^{*}$" if kind else ""
    if run.ratio is not None:
        # Of a bracket the lower estimate over an upper bound: rounded down it is a lower estimate still.
        text = significant(run.ratio, Toward.DOWN)
        if run.is_theorem:
            ends = x.interval if bound else None
            ends = ends and replace(ends, lower=ends.lower / known(bound), upper=ends.upper / known(bound))
            text = measured(run.ratio, ends)
        made["ratio"] = numbers.add((*words, "ratio"), text, "measured over bound")
    for name, constant in x.constants.items():
        if math.isfinite(constant.value):
            text = significant(constant.value, toward_of(name, constant))
            numbers.add((*words, name), text, constant.how, constant.kind)
    return made


def _measured(run: StoredRun, numbers: Numbers, words: tuple[object, ...]) -> dict[str, str]:
    """Give the numbers of a run of an algorithm their commands, and return these."""
    x, plan, made = run.course, run.course.plan, {}
    kind = x.interval.kind if x.interval else "without interval"
    if x.measured is not None:
        text = r"\ensuremath{\infty}" if run.has_diverged else measured(x.measured, x.interval, x.digits(FREE))
        made["measured"] = numbers.add((*words, "measured"), text, run.shown, kind)
    if x.interval:
        low, high = limits(x.interval, x.measured, x.digits(FREE))
        said = f"at level {x.interval.level:g}, {x.interval.method}"
        made["lower"] = numbers.add((*words, "lower"), low, f"{said}, rounded down", kind)
        made["upper"] = numbers.add((*words, "upper"), high, f"{said}, rounded up", kind)
        made["kind"] = kind
    made["steps"] = numbers.add((*words, "steps"), whole(plan.steps), "T")
    made["replicas"] = numbers.add((*words, "replicas"), whole(x.settings.run.replicas))
    if plan.batch is not None:
        made["batch"] = numbers.add((*words, "batch"), whole(plan.batch))
    if plan.step_size is not None:
        made["step"] = numbers.add((*words, "step size"), significant(plan.step_size), "rounded to the nearest")
    if x.first is not None:
        made["first"] = numbers.add((*words, "first"), significant(x.first, Toward.UP), "known at v_1, rounded up")
    return made


# Lines that a table on a page of its own may have at the size of footnotes, letters in a line across it, and the share
# of that which a column of numbers takes.
_PAGE_LINES, _PAGE_LETTERS, _NUMBER = 56, 125, 0.075


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
        # Paper leaves some columns out.
        kept = [not column.is_aside for column in table.columns]
        narrowed = [row if isinstance(row, Line | Fold) else tuple(compress(row, kept)) for row in table.rows]
        made, narrow = [], replace(table, head=tuple(compress(table.columns, kept)), rows=narrowed)
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
    return all(is_well(x.word) for cell in row for x in _stacked(cell) if isinstance(x, Badge))


def _shared(table: Table) -> Iterator[list[Row]]:
    """The rows in groups, each of which fits on a page."""
    group: list[Row] = []
    total = 0.0
    for row in table.rows:
        tall = _tall(table.columns, row) + 0.4
        if group and total + tall > _PAGE_LINES and not isinstance(row, Line | Fold):
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
        return math.ceil(sum(_letters(cell) for cell in row.cells) / _PAGE_LETTERS)
    free = 1 - sum(_NUMBER if x.is_number else x.width or 0 for x in columns)
    wide = free / max(sum(not (x.is_number or x.width) for x in columns), 1)
    pairs = zip(columns, row, strict=True)
    return max(
        sum(math.ceil(_letters(each) / (_PAGE_LETTERS * (column.width or wide))) for each in _stacked(cell))
        for column, cell in pairs
        if not column.is_number
    )


def _stacked(cell: Cell) -> tuple[Cell, ...]:
    return cell.cells if isinstance(cell, Stack) else (cell,)


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


# Lines of a column for a theorem with its proof and for what is cited, letters in a line, and inches of a figure.
_COLUMN_LINES, _COLUMN_LETTERS, _TALL = 75, 58, 3.4
# Lines that an entry of the bibliography takes.
_ENTRY = 5
# What prints nothing, and commands that print about one sign; the lines around a display are the space there.
_MARKUP = re.compile(r"\\(?:allowbreak|ensuremath|text\w+|math\w+|operatorname)|\\[,;]|[{}$^_&\\]|\s(?=\s)")
_SIGN = re.compile(r"\\(?!allowbreak|ensuremath|text|math|operatorname)[A-Za-z]+")


def column_lines(text: str) -> int:
    """The number of lines of a column that some LaTeX takes, roughly."""
    shown = (_MARKUP.sub("", _SIGN.sub("x", line)) for line in text.splitlines())
    return sum(max(1, math.ceil(len(line) / _COLUMN_LETTERS)) for line in shown)


def chosen(
    runs: Sequence[Printed], tables: Mapping[str, str], figures: Iterable[Placed], proofs: Sequence[Written]
) -> dict[str, Any]:
    """A run in a sentence, tables in brief, at most two figures, the files of a theorem, and the keys to cite.

    A piece that does not exist is left out. Tables are named by their file.
    """
    brief, fitting = [path for path, text in tables.items() if text], [x for x in figures if x.tall <= _TALL]
    # The first figure that fits in one column, and before it the first other figure that fits over two.
    narrow = [each for each in fitting if not each.wide][:1]
    shown = [each for each in fitting if each.wide and each.name not in {x.name for x in narrow}][:1] + narrow
    # The best verdict is the last.
    run = max(runs, key=lambda each: list(Verdict).index(each.run.verdict.plain), default=None)
    of_run = _keys(run.run.result.claim) if run else {}
    theorem, files = _longest(proofs, of_run)
    return {
        "run": _said(run) if run else "",
        "theorem": files,
        "brief": brief,
        "shown": shown,
        "floats": _listed([("table", Path(path).stem) for path in brief] + [("figure", x.name) for x in shown]),
        "cited": ",".join(of_run | (_keys(theorem.proof.script.id) if theorem else {})),
    }


def _listed(floats: Sequence[tuple[str, str]]) -> str:
    """References to floats, in a phrase."""
    words = [rf"{kind.title()}~\ref{{boundcheck:{kind}:{name}}}" for kind, name in floats]
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def _longest(proofs: Sequence[Written], cited: dict[str, None]) -> tuple[Written | None, list[str]]:
    """The theorem with the longest proof that fits with its sources, and its files.

    One with hypotheses comes before others. If no proof fits, it is the theorem of the longest proof, alone.
    """

    def fits(each: Written, text: str) -> bool:
        return column_lines(text) <= _COLUMN_LINES - _ENTRY * len(cited | _keys(each.proof.script.id))

    def most(each: Written) -> tuple[bool, int]:
        return bool(each.proof.hypotheses), len(each.proof.steps)

    theorems = [each for each in proofs if each.theorem]
    if whole := [each for each in theorems if fits(each, each.theorem + each.argument)]:
        found = max(whole, key=most)
        return found, list(found.files)
    alone = max((each for each in theorems if fits(each, each.theorem)), key=most, default=None)
    return alone, list(alone.files)[:1] if alone else []


def _said(each: Printed) -> str:
    """A run in a sentence, each number by its command."""
    result, numbers = each.run.result, each.commands
    about = f"{tex(titled(result))} ({id_tex(result.claim)})"
    if each.run.is_theorem:
        said = rf"the {tex(each.run.shown)} is {each['measured']} over {each['steps']} steps"
        if "lower" in numbers:
            ends = f"[{each['lower']}, {each['upper']}]"
            said += f", with the {each['kind']} confidence interval {ends} from {each['replicas']} replicas"
        said += f". The bound of {about} is {each['bound']}" if "bound" in numbers else f". The claim: {about}"
    else:
        said = f"the constant of {about} is at least {each['measured']}"
        said += f", and at most {each['bound']}" if "bound" in numbers else ""
    seed = f", seed {result.settings.seed}" if result.settings.seed else ""
    return f"On {tex(each.run.title + seed)}, {said}. The verdict: {each['verdict']}."
