r"""A report for a paper: `latex/` beside the page, with tables, figures, numbers by \newcommand,
and BibTeX.

`example.tex` uses a piece of each kind, and compiles as it is: an author copies from it.
`preamble.tex` says what the other files need. Numbers are never better than what was measured or
proved: an upper bound is rounded up and a lower one down; what was measured has the digits that its
interval supports.
"""

import hashlib
import json
import math
import re
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from html import unescape
from itertools import compress
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from boundcheck.errors import CodeError
from boundcheck.exact.digits import Toward, last_place, rounded
from boundcheck.experiment.result import toward_of
from boundcheck.experiment.statistics import Interval
from boundcheck.language import prose, view
from boundcheck.language.catalogue import boundcheck_entry, catalogue, sources
from boundcheck.language.prose import GREEK, tex
from boundcheck.present.material import Material, StoredRun, known
from boundcheck.present.section import parts_of, sections
from boundcheck.present.style import ONE_COLUMN, looking, pdf
from boundcheck.present.words import sentence_of, titled
from boundcheck.proof.export import PREAMBLE, display, id_tex
from boundcheck.shown import visible
from boundcheck.system.plugins import theirs
from boundcheck.verdicts import Verdict, is_well

FOLDER = "latex"
_PREAMBLE = (
    "% What the files of this folder need: \\input it before the document begins.\n"
    + PREAMBLE
    + "\\usepackage{array,booktabs,tabularx}\n"
)
# Inches: what fits on a page above its caption.
_TALLEST = 8.2

Printed = tuple[StoredRun, dict[str, str]]
"""A run, and the commands of its numbers by what they are, such as measured, lower, upper, bound,
steps."""


def files_of(material: Material, title: str, lead: str) -> dict[str, bytes]:
    """The files of the folder `latex`, by their path from the page's folder."""
    numbers = Numbers()
    runs = printed(material, numbers)
    latex = Latex(runs)
    tables, figures = floats_of(material)
    floats = {f"tables/{name}.tex": latex.floats(table) for name, table in tables.items()}
    # The sources of every claim that the page speaks of or has a proof of, and boundcheck.
    proved = (catalogue[id] for proof in material.judged if (id := proof.script.id) in catalogue)
    entries = {
        each.key: each.text for claim in (*material.claims, *proved) for each in sources(claim)
    }
    texts = dict(floats)
    texts["preamble.tex"], texts["numbers.tex"] = _PREAMBLE, "\n".join([*numbers.lines, ""])
    texts["references.bib"] = "\n\n".join([*entries.values(), boundcheck_entry().text, ""])
    # TeX would join the hyphens of an option to one dash.
    head = {
        name: "-{}-".join(map(tex, without_tags(text).split("--")))
        for name, text in (("title", title), ("lead", lead))
    }
    environment = Environment(
        loader=PackageLoader("boundcheck.present", "templates"),
        undefined=StrictUndefined, trim_blocks=True,
        block_start_string="<%", block_end_string="%>",
        variable_start_string="<<", variable_end_string=">>",
        comment_start_string="<#", comment_end_string="#>",
    )  # fmt: skip
    environment.filters["tex"] = tex
    # The example shows the first table: one of a column if there is any, and the shortest of these.
    ordered = sorted(floats, key=lambda path: ("{table*}" in floats[path], len(floats[path])))
    given = head | chosen(runs) | {"tables": ordered, "figures": figures}
    texts["example.tex"] = environment.get_template("example.tex.j2").render(given)
    made = {name: text.encode() for name, text in texts.items()}
    made |= {f"figures/{each.name}.pdf": each.content for each in figures}
    return {f"{FOLDER}/{name}": content for name, content in made.items()}


class Drawn(NamedTuple):
    """A figure of one column: its name, what it shows in a sentence, and its content."""

    name: str
    caption: str
    content: bytes


def floats_of(material: Material) -> tuple[dict[str, view.Table], list[Drawn]]:
    """The tables that have a name, by it, and the figures that fit on a page; of a section that
    fails, none.
    """
    tables = dict[str, view.Table]()
    figures = list[Drawn]()
    for section in sections(folders=material.papers):
        caption = f"{section.title}. {getattr(section, 'see', '')}".strip()
        try:
            parts = [*on_paper(parts_of(section, material))]
        except CodeError:
            # The page says so.
            continue
        for part in parts:
            if isinstance(part, view.Table) and part.name:
                tables[part.name] = part
            if not isinstance(part, view.Picture):
                continue
            try:
                with looking(ONE_COLUMN), theirs():
                    figure = part.draw()
            except CodeError:
                continue
            if figure is not None and figure.get_figheight() <= _TALLEST:
                figures.append(Drawn(part.name, caption, pdf(figure)))
    return tables, figures


def on_paper(parts: Iterable[view.Part]) -> Iterator[view.Part]:
    """The parts that paper shows, at every depth: a view and its parts, and the parts of a fold
    that is for paper.
    """
    for part in parts:
        if isinstance(part, view.Fold):
            yield from on_paper(part.parts) if part.is_for_paper else ()
        else:
            yield part
            yield from on_paper(part.parts) if isinstance(part, view.View) else ()


def without_tags(text: str) -> str:
    """The text; if it is Markup, what that shows, without tags."""
    return unescape(re.sub(r"<[^>]*>", "", text)) if isinstance(text, Markup) else text


_DIGITS = ("Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
PREFIX = "bc"
# Significant digits of a number that no interval limits.
FREE = 3
# Hexadecimal digits that tell apart experiments with one claim, problem and rank.
_TAG = 4
# Powers of ten of the first digit of a number that is printed without one.
_PLAIN = range(-3, 6)


def place_of(interval: Interval | None, value: float, digits: int = FREE) -> int:
    """The power of ten of the last digit that an interval supports: the second digit of half its
    width.

    Without an interval, or with one of no width, it is that of the third significant digit. A
    number keeps one digit at least, and so many digits as tell it from its bound, where these are
    not three. An interval however narrow supports no more digits than a float holds.
    """
    first = math.floor(math.log10(abs(value))) if value else 0
    half = (interval.upper - interval.lower) / 2 if interval else 0.0
    place = (
        min(math.floor(math.log10(half)) - 1, first) if 0 < half < math.inf else first - FREE + 1
    )
    place = max(place, first + 1 - sys.float_info.dig)
    return place if digits == FREE else min(place, last_place(value, digits))


def significant(
    value: float,
    toward: Toward = Toward.NEAREST,
    digits: int = FREE,
    interval: Interval | None = None,
) -> str:
    """A number in LaTeX, with the digits that its interval supports, or with more that tell it from
    its bound.
    """
    return typeset(value, place_of(interval, value, digits), toward)


def typeset(value: float | None, place: int = 0, toward: Toward = Toward.NEAREST) -> str:
    """A number in LaTeX, in text or in math, with its last digit at this power of ten; a dash for
    none.
    """
    if value is None or math.isnan(value):
        return "--"
    if math.isinf(value):
        return r"\ensuremath{\infty}" if value > 0 else r"\ensuremath{-\infty}"
    found = rounded(value, place, toward)
    if found == 0:
        return "0"
    first = found.adjusted()
    sign, size = ("-", -found) if found < 0 else ("", found)
    if first in _PLAIN or isinstance(value, int):
        whole, point, rest = f"{size:.{max(-place, 0)}f}".partition(".")
        if len(whole) > 4:
            whole = re.sub(r"(?<=\d)(?=(\d{3})+$)", r"\,", whole)
        return rf"\ensuremath{{{sign}{whole}{point}{rest}}}"
    mantissa = size.scaleb(-first)
    return rf"\ensuremath{{{sign}{mantissa:.{max(first - place, 0)}f}\times10^{{{first}}}}}"


def letters(*words: object) -> str:
    """A name of letters alone, from words that may have digits, Greek letters and signs."""
    made = ""
    for part in re.findall(
        r"[^\W\d_]+|\d", unicodedata.normalize("NFD", " ".join(map(str, words)))
    ):
        if part.isdecimal():
            made += _DIGITS[int(part)]
            continue
        # The name of a sign ends in what it is.
        said = (
            x if x.isascii() else GREEK.get(x, unicodedata.name(x, "x").split()[-1]).lower()
            for x in part
        )
        made += sentence_of(re.sub("[^A-Za-z]", "", "".join(said)))
    return made


def tag(spec: dict[str, Any]) -> str:
    """Letters that tell an experiment from others, the same wherever and whenever it is run."""
    made = hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()[:_TAG]
    return "".join(chr(ord("a") + int(digit, 16)) for digit in made)


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

    def add(
        self, words: tuple[object, ...], made: str | int, note: str = "", kind: str = ""
    ) -> str:
        """Give some LaTeX, or a whole number, a name; `kind`, what sort of number it is, gets one
        with Kind at its end.

        Returns:
            The command.

        """
        name = PREFIX + letters(*words)
        text = typeset(made) if isinstance(made, int) else made
        if name in self.commands:
            # Different words of the same letters, such as a_1 and a1.
            name += f"X{tag({'words': list(map(str, words)), 'beside': len(self.commands)})}"
        self.commands[name] = text
        said = ", ".join(filter(None, (note, kind)))
        self.lines.append(
            rf"\newcommand{{\{name}}}{{{text}}}" + (f" % {_comment(said)}" if said else "")
        )
        if kind:
            self.commands[f"{name}Kind"] = kind
            self.lines.append(rf"\newcommand{{\{name}Kind}}{{{tex(kind)}}}")
        return rf"\{name}{{}}"


def _comment(text: str) -> str:
    return " ".join(visible(text).split()).encode("ascii", "replace").decode()


def printed(material: Material, numbers: Numbers) -> list[Printed]:
    """Give every number of the material a command, and return the commands of each run."""
    runs = [(run, _of_run(run, numbers)) for run in material.runs]
    for words, run in material.faults:
        _of_run(run, numbers, "fault", about=f"planted fault: {words}")
    if material.searches:
        numbers.heading(
            "Attacks: the largest ratio of what was measured to the bound, at an instance that was"
            " found."
        )
    for search in material.searches:
        asked = ("attack", search["id"], search["lipschitz"])
        note = f"{search['label']}: a certified instance, rounded down"
        ratios = {(): search["ratio"]} | {
            ("rank", row["rank"]): row["ratio"] for row in search["rows"]
        }
        for where, ratio in ratios.items():
            numbers.add(
                (*asked, *where, "ratio"), significant(ratio, Toward.DOWN), note, "certified"
            )
    if cases := material.study.worst_cases:
        numbers.heading(
            "Worst cases by performance estimation, over the bound; numerical, and no proof."
        )
    for case in cases:
        about = ("worst case", case.claim, case.method, "T", case.steps, tag(case.inputs))
        note = f"{case.claim} at T = {case.steps}, {case.method}"
        numbers.add(
            (*about, "ratio"),
            significant(case.ratio),
            f"{note}: worst case over bound",
            "numerical",
        )
        for end, value, toward, said, kind in (
            ("lower", case.lower, Toward.DOWN, "least this, rounded down", "certified"),
            ("upper", case.upper, Toward.UP, "most this, rounded up", "kernel"),
        ):
            if value is not None:
                numbers.add(
                    (*about, end),
                    significant(value, toward),
                    f"{note}: the worst case is at {said}",
                    kind,
                )
    return runs


def _of_run(run: StoredRun, numbers: Numbers, *before: str, about: str = "") -> dict[str, str]:
    """Give the numbers of a run their commands, and return these by what they are."""
    x = run.result
    digits = run.result.digits(FREE)
    rank = ("rank", run.rank) if run.rank is not None else ()
    words = (*before, x.claim, run.problem, *rank, tag(x.spec))
    made: dict[str, str] = {}

    def add(name: str, text: str | int, note: str = "", kind: str = "", called: str = "") -> None:
        made[name] = numbers.add((*words, called or name), text, note, kind)

    numbers.heading(", ".join(filter(None, (about, titled(x), run.title, f"run {x.run_id}"))))
    add("verdict", str(run.verdict), x.reason)
    if not run.is_theorem:
        if x.measured is not None:
            text = significant(x.measured, Toward.DOWN, digits)
            add(
                "measured", text, "the largest lower estimate, rounded down", "observed", "observed"
            )
    else:
        plan = run.course.plan
        kind = str(x.interval.kind) if x.interval else "without interval"
        if x.measured is not None:
            text = significant(x.measured, digits=digits, interval=x.interval)
            add("measured", r"\ensuremath{\infty}" if run.has_diverged else text, run.shown, kind)
        if x.interval:
            # The ends are rounded outwards at the last digit of what was measured.
            place = place_of(x.interval, x.measured or x.interval.upper, digits)
            said = f"at level {x.interval.level:g}, {x.interval.method}"
            add(
                "lower",
                typeset(x.interval.lower, place, Toward.DOWN),
                f"{said}, rounded down",
                kind,
            )
            add("upper", typeset(x.interval.upper, place, Toward.UP), f"{said}, rounded up", kind)
            made |= {"kind": kind, "interval": f"[{made['lower']}, {made['upper']}]"}
        add("steps", plan.steps, "T")
        add("replicas", run.course.settings.run.replicas)
        if plan.batch is not None:
            add("batch", plan.batch)
        if plan.step_size is not None:
            add("step size", significant(plan.step_size), "rounded to the nearest")
        if run.course.first is not None:
            add("first", significant(run.course.first, Toward.UP), "known at v_1, rounded up")
    for end in x.upper:
        of_end = (*words, end.claim, end.lipschitz, "bound")
        numbers.add(
            of_end,
            significant(end.value, Toward.UP),
            "bound on the smoothness of F, rounded up",
            end.trust,
        )
    if (bound := run.bound) is not None:
        kind = "estimated" if run.is_estimated else ""
        add("bound", significant(bound, Toward.UP, digits), f"bound of {x.claim}, rounded up", kind)
    if run.ratio is not None:
        # Of a bracket the lower estimate over an upper bound: rounded down it is a lower estimate
        # still.
        text = significant(run.ratio, Toward.DOWN)
        if run.is_theorem:
            ends = x.interval if bound else None
            ends = ends and replace(
                ends, lower=ends.lower / known(bound), upper=ends.upper / known(bound)
            )
            text = significant(run.ratio, interval=ends)
        add("ratio", text, "measured over bound")
    for name, constant in x.constants.items():
        if math.isfinite(constant.value):
            text = significant(constant.value, toward_of(name, constant))
            numbers.add((*words, name), text, constant.how, constant.kind)
    return made


# For tables at the size of footnotes: the lines of a page, the letters of a line across it and of
# one in a column, and the share of a line that a column of numbers takes.
_PAGE_LINES = 56
_PAGE_LETTERS = 125
_COLUMN_LETTERS = 58
_NUMBER = 0.075


class Latex:
    """Tables in LaTeX, as floats in files of their own.

    Args:
        runs: those whose numbers stand there as commands.

    """

    def __init__(self, runs: Iterable[Printed]) -> None:
        self._values: dict[tuple[str, ...], str] = {
            (run.result.run_id, name): text for run, made in runs for name, text in made.items()
        }

    def line(self, line: view.Line) -> str:
        """The cells of a line, one after the other."""
        return " ".join(filter(None, map(self.cell, line.cells)))

    def cell(self, cell: view.Cell) -> str:
        """A cell of a line or of a table."""
        match cell:
            case view.Math():
                return display(cell.latex) if cell.apart else rf"\({cell.latex}\)"
            case view.Prose():
                made = tex(cell.text)
                return rf"\textbf{{{made}}}" if cell.look == "strong" and made else made
            case view.Code():
                return id_tex(cell.text)
            case view.Badge():
                return self.verdict(cell.word)
            case view.Value():
                number = self._values.get(cell.name)
                # A bound at constants that were only estimated keeps its star.
                return (
                    tex(cell.text)
                    if number is None
                    else number + ("$^{*}$" if cell.text.endswith("*") else "")
                )
            case view.Stack():
                return r" \newline ".join(filter(None, map(self.cell, cell.cells)))
            case view.Anchor():
                return self.cell(cell.cell)
            case _:
                return tex(cell)

    def verdict(self, word: str) -> str:
        """A verdict, in bold if something is refuted, violated or open."""
        return tex(word) if is_well(word) else rf"\textbf{{{tex(word)}}}"

    def floats(self, table: view.Table) -> str:
        """A table as floats, as many as its rows need: in one column where each row is one line
        there.
        """
        # Paper leaves some columns out.
        kept = [not column.is_aside for column in table.columns]
        columns = list(compress(table.columns, kept))
        groups = list[list[view.Row]]()
        lines = 0.0
        for row in table.rows:
            narrow = row if isinstance(row, view.Line | view.Fold) else tuple(compress(row, kept))
            tall = _tall(columns, narrow) + 0.4
            # What stands across the table stays with the row above it.
            is_full = lines + tall > _PAGE_LINES and not isinstance(row, view.Line | view.Fold)
            if not groups or is_full:
                groups.append([])
                lines = 0.0
            groups[-1].append(narrow)
            lines += tall
        head: view.Row = tuple(column.name for column in columns)
        is_narrow = all(_wide(row) <= _COLUMN_LETTERS for rows in ([head], *groups) for row in rows)
        star, width = ("", r"\columnwidth") if is_narrow else ("*", r"\textwidth")
        named = [rf"\caption{{{tex(table.caption)}}}", rf"\label{{boundcheck:table:{table.name}}}"]
        made = []
        for number, rows in enumerate(groups):
            above = [r"\addtocounter{table}{-1}\caption{Continued.}"] if number else named
            tabular = self._tabular(columns, rows, width)
            made += [rf"\begin{{table{star}}}[tp]", *above, *tabular, rf"\end{{table{star}}}"]
        return "\n".join([*made, ""])

    def _tabular(
        self, columns: Sequence[view.Column], rows: Iterable[view.Row], width: str
    ) -> list[str]:
        looks = ""
        for each in columns:
            across = f"p{{{each.width}{width}}}" if each.width else "X"
            looks += "r" if each.is_number else rf">{{\raggedright\arraybackslash}}{across}"
        made = [
            r"\footnotesize\setlength{\tabcolsep}{4pt}",
            rf"\begin{{tabularx}}{{{width}}}{{@{{}}{looks}@{{}}}}",
            r"\toprule",
            " & ".join(self.cell(column.name) for column in columns) + r" \\",
            r"\midrule",
        ]
        for row in rows:
            if isinstance(row, view.Line):
                made.append(
                    rf"\multicolumn{{{len(columns)}}}{{@{{}}p{{{width}}}@{{}}}}{{{self.line(row)}}}"
                    r" \\[2pt]"
                )
            elif not isinstance(row, view.Fold):
                cells = []
                for column, cell in zip(columns, row, strict=True):
                    cells.append(self.cell(cell))
                    if column.is_number and isinstance(cell, view.Stack):
                        inside = r" \\ ".join(map(self.cell, cell.cells))
                        cells[-1] = rf"\shortstack[r]{{{inside}}}"
                made.append(" & ".join(cells) + r" \\[2pt]")
        return [*made, r"\bottomrule", r"\end{tabularx}"]


def _wide(row: view.Row) -> int:
    """The letters of a row, if it stands in one line."""
    if isinstance(row, view.Fold):
        return 0
    # With the space between cells.
    return sum(_letters(cell) + 2 for cell in (row.cells if isinstance(row, view.Line) else row))


def _tall(columns: Sequence[view.Column], row: view.Row) -> float:
    """The number of lines that a row takes, roughly."""
    if isinstance(row, view.Fold):
        return 0.0
    if isinstance(row, view.Line):
        return math.ceil(sum(map(_letters, row.cells)) / _PAGE_LETTERS)
    free = 1 - sum(_NUMBER if x.is_number else x.width or 0 for x in columns)
    wide = free / max(sum(not (x.is_number or x.width) for x in columns), 1)
    return max(
        sum(
            math.ceil(_letters(each) / (_PAGE_LETTERS * (column.width or wide)))
            for each in _stacked(cell)
        )
        for column, cell in zip(columns, row, strict=True)
        if not column.is_number
    )


def _stacked(cell: view.Cell) -> tuple[view.Cell, ...]:
    return cell.cells if isinstance(cell, view.Stack) else (cell,)


def _letters(cell: view.Cell) -> int:
    match cell:
        case view.Math():
            return len(cell.latex)
        case view.Prose() | view.Code() | view.Value():
            return len(prose.plain(cell.text))
        case view.Badge():
            return len(cell.word)
        case view.Stack():
            return sum(map(_letters, cell.cells))
        case view.Anchor():
            return _letters(cell.cell)
        case _:
            return len(cell)


def chosen(runs: Sequence[Printed]) -> dict[str, Any]:
    """A run in a sentence, and the keys to cite; empty if there is none."""
    # The best verdict is the last.
    best = max(runs, key=lambda each: list(Verdict).index(each[0].verdict.plain), default=None)
    cited: Iterable[str] = ()
    if best and (id := best[0].result.claim) in catalogue:
        cited = (entry.key for entry in sources(catalogue[id]))
    return {"run": _said(*best) if best else "", "cited": ",".join(dict.fromkeys(cited))}


def _said(run: StoredRun, commands: dict[str, str]) -> str:
    """A run in a sentence, each number by its command."""
    result = run.result
    measured = commands.get("measured", "--")
    bound = commands.get("bound")
    about = f"{tex(titled(result))} ({id_tex(result.claim)})"
    if run.is_theorem:
        said = rf"the {tex(run.shown)} is {measured} over {commands['steps']} steps"
        if "interval" in commands:
            said += (
                f", with the {commands['kind']} confidence interval {commands['interval']}"
                f" from {commands['replicas']} replicas"
            )
        said += f". The bound of {about} is {bound}" if bound else f". The claim: {about}"
    else:
        said = f"the constant of {about} is at least {measured}" + (
            f", and at most {bound}" if bound else ""
        )
    return f"On {tex(run.title + run.seeded)}, {said}. The verdict: {commands['verdict']}."
