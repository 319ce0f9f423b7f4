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
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from boundcheck.exact.digits import Toward, last_place, rounded
from boundcheck.experiment.result import toward_of
from boundcheck.experiment.statistics import Interval
from boundcheck.language import prose, view
from boundcheck.language.catalogue import boundcheck_entry, catalogue, sources
from boundcheck.language.prose import GREEK, tex
from boundcheck.present.material import Material, StoredRun, known
from boundcheck.present.section import Drawn, Writer, chapters, figures_of, tables_of, without_tags
from boundcheck.present.sections.proofs import claim_view
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

Printed = tuple[StoredRun, dict[str, str]]
"""A run, and the commands of its numbers by what they are, such as measured, lower, upper, bound, steps."""
Written = tuple[JudgedProof, dict[str, str]]
"""A proof and its files by path: the theorem, which one that is not proved lacks, and the argument that shows it."""


def files_of(material: Material, title: str, lead: str) -> dict[str, bytes]:
    """The files of the folder `latex`, by their path from the page's folder."""
    numbers = Numbers()
    runs, counts = printed(material, numbers), counted(material, numbers)
    found = chapters(material)
    latex, tables = Latex(runs), tables_of(found)
    floats = {f"tables/{name}.tex": latex.floats(table) for name, table in tables.items()}
    # Tables shortened so that one column has room for them.
    brief = {
        f"tables/{name}_in_brief.tex": latex.column(in_brief(tables[name], *how))
        for name, how in _BRIEF.items()
        if name in tables
    }
    # Each figure at both widths, if it is no taller than a page.
    looks = TWO_COLUMNS, ONE_COLUMN
    figures = [x for look in looks for x in figures_of(found, look, pdf) if x.tall <= _TALLEST]
    proofs = list[Written]()
    for proof in material.judged:
        name, parts = file_name(f"{proof.script.id}-{proof.script.version}"), apart(proof)
        files = zip((f"theorems/{name}.tex", f"proofs/{name}.tex"), parts, strict=True)
        proofs.append((proof, {path: text for path, text in files if text}))
    claims = []
    for claim in material.claims:
        shown, keys = claim_view(claim), ",".join(_keys(claim.id))
        cited = rf"\cite{{{keys}}} " if keys else ""
        claims.append(latex.part(view.View(shown.title, shown.name)) + cited + latex.parts(shown.parts))
    # The sources of every claim that the page speaks of or has a proof of, and boundcheck.
    proved = (catalogue[id] for proof, _ in proofs if (id := proof.script.id) in catalogue)
    entries = {each.key: each.text for claim in (*material.claims, *proved) for each in sources(claim)}
    of_proofs = {path: text for _, files in proofs for path, text in files.items()}
    texts = floats | brief | of_proofs
    texts["preamble.tex"], texts["numbers.tex"] = _PREAMBLE, "\n".join([*numbers.lines, ""])
    texts["claims.tex"] = "\n".join(claims)
    texts["references.bib"] = "\n\n".join([*entries.values(), boundcheck_entry().text, ""])
    # TeX would join the hyphens of an option to one dash.
    head = {
        name: "-{}-".join(map(tex, without_tags(text).split("--"))) for name, text in (("title", title), ("lead", lead))
    }
    given = head | {
        "counts": counts,
        "claims": bool(claims),
        "tables": list(floats),
        # Each figure once: in one column if that does not make it tall.
        "figures": list({each.name: each for each in figures if each.wide or each.tall <= _NARROW}.values()),
        "proofs": list(of_proofs),
    }
    environment = Environment(
        loader=PackageLoader("boundcheck.present", "templates"), undefined=StrictUndefined, trim_blocks=True,
        block_start_string="<%", block_end_string="%>", variable_start_string="<<", variable_end_string=">>",
        comment_start_string="<#", comment_end_string="#>",
    )  # fmt: skip
    environment.filters["tex"] = tex
    for name, with_what in (("main", given), ("example", given | chosen(runs, brief, figures, proofs))):
        texts[f"{name}.tex"] = environment.get_template(f"{name}.tex.j2").render(with_what)
    made = {name: text.encode() for name, text in texts.items()}
    made |= {f"figures/{each.file}.pdf": each.content for each in figures}
    return {f"{FOLDER}/{name}": content for name, content in made.items()}


def _keys(id: str) -> dict[str, None]:
    """The keys to cite for a claim, in order; none for a claim that is not in the catalogue."""
    return dict.fromkeys(entry.key for entry in sources(catalogue[id])) if id in catalogue else {}


_DIGITS = ("Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
PREFIX = "bc"
# Significant digits of a number that no interval limits.
FREE = 3
# Hexadecimal digits that tell apart experiments with one claim, problem and rank.
_TAG = 4
# Powers of ten of the first digit of a number that is printed without one.
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


def significant(
    value: float, toward: Toward = Toward.NEAREST, digits: int = FREE, interval: Interval | None = None
) -> str:
    """A number in LaTeX, with the digits that its interval supports, or with more that tell it from its bound."""
    return typeset(value, place_of(interval, value, digits), toward)


def typeset(value: float | None, place: int = 0, toward: Toward = Toward.NEAREST) -> str:
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

    def add(self, words: tuple[object, ...], made: str | int, note: str = "", kind: str = "") -> str:
        """Give some LaTeX, or a whole number, a name; `kind`, what sort of number it is, gets one with Kind at its end.

        Returns:
            The command.

        """
        name, text = PREFIX + letters(*words), typeset(made) if isinstance(made, int) else made
        if name in self.commands:
            # Different words of the same letters, such as a_1 and a1.
            name += f"X{tag({'words': list(map(str, words)), 'beside': len(self.commands)})}"
        self.commands[name] = text
        said = ", ".join(filter(None, (note, kind)))
        self.lines.append(rf"\newcommand{{\{name}}}{{{text}}}" + (f" % {_comment(said)}" if said else ""))
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
        for end, value, toward, said, kind in (
            ("lower", case.lower, Toward.DOWN, "least this, rounded down", "certified"),
            ("upper", case.upper, Toward.UP, "most this, rounded up", "kernel"),
        ):
            if value is not None:
                numbers.add((*about, end), significant(value, toward), f"{note}: the worst case is at {said}", kind)
    return runs


def counted(material: Material, numbers: Numbers) -> list[str]:
    """Sentences on how many findings, lines of proofs and runs have each verdict, each number by its command."""
    said, write = [], Latex(())
    for what, name, verdicts in (
        ("findings from the proofs", "findings", [x.verdict for x in material.proofs.rows] if material.proofs else []),
        ("lines of proofs", "lines", [step.verdict for proof in material.judged for step in proof.steps]),
        ("runs", "runs", [run.verdict for run in material.runs]),
    ):
        if verdicts:
            numbers.heading(f"How many {name} have each verdict.")
            total = numbers.add((name,), len(verdicts))
            of_each = [
                f"{numbers.add((name, verdict), count)} {write.verdict(verdict)}"
                for verdict, count in sorted(Counter(map(str, verdicts)).items())
            ]
            said.append(f"Of {total} {what}: {', '.join(of_each)}.")
    return said


def _of_run(run: StoredRun, numbers: Numbers, *before: str, about: str = "") -> dict[str, str]:
    """Give the numbers of a run their commands, and return these by what they are."""
    x, digits = run.result, run.result.digits(FREE)
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
            add("measured", text, "the largest lower estimate, rounded down", "observed", "observed")
    else:
        plan, kind = run.course.plan, str(x.interval.kind) if x.interval else "without interval"
        if x.measured is not None:
            text = significant(x.measured, digits=digits, interval=x.interval)
            add("measured", r"\ensuremath{\infty}" if run.has_diverged else text, run.shown, kind)
        if x.interval:
            # The ends are rounded outwards at the last digit of what was measured.
            place = place_of(x.interval, x.measured or x.interval.upper, digits)
            said = f"at level {x.interval.level:g}, {x.interval.method}"
            add("lower", typeset(x.interval.lower, place, Toward.DOWN), f"{said}, rounded down", kind)
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
        numbers.add(of_end, significant(end.value, Toward.UP), "bound on the smoothness of F, rounded up", end.trust)
    if (bound := run.bound) is not None:
        kind = "estimated" if run.is_estimated else ""
        add("bound", significant(bound, Toward.UP, digits), f"bound of {x.claim}, rounded up", kind)
    if run.ratio is not None:
        # Of a bracket the lower estimate over an upper bound: rounded down it is a lower estimate still.
        text = significant(run.ratio, Toward.DOWN)
        if run.is_theorem:
            ends = x.interval if bound else None
            ends = ends and replace(ends, lower=ends.lower / known(bound), upper=ends.upper / known(bound))
            text = significant(run.ratio, interval=ends)
        add("ratio", text, "measured over bound")
    for name, constant in x.constants.items():
        if math.isfinite(constant.value):
            text = significant(constant.value, toward_of(name, constant))
            numbers.add((*words, name), text, constant.how, constant.kind)
    return made


# Lines that a table on a page of its own may have at the size of footnotes, letters in a line across it, and the share
# of that which a column of numbers takes.
_PAGE_LINES, _PAGE_LETTERS, _NUMBER = 56, 125, 0.075


class Latex(Writer):
    """The parts of a view in LaTeX. Tables and figures are floats in files of their own.

    Args:
        runs: those whose numbers stand there as commands.

    """

    bold, broken = r"\textbf{%s}", r" \newline "
    item, points = "\\item %s\n", "\\begin{itemize}\n%s\\end{itemize}"

    def __init__(self, runs: Iterable[Printed]) -> None:
        self._values: dict[tuple[str, ...], str] = {
            (run.result.run_id, name): text for run, made in runs for name, text in made.items()
        }

    def heading(self, part: view.View) -> str:
        name = f", {id_tex(part.name)}" if part.name else ""
        return rf"\paragraph{{{tex(part.title)}{name}.}} "

    def text(self, text: str) -> str:
        return tex(text)

    def code(self, text: str) -> str:
        return id_tex(text)

    def formula(self, cell: view.Math) -> str:
        return display(cell.latex) if cell.apart else rf"\({cell.latex}\)"

    def value(self, value: view.Value) -> str:
        made = self._values.get(value.name)
        # A bound at constants that were only estimated keeps its star.
        return tex(value.text) if made is None else made + ("$^{*}$" if value.text.endswith("*") else "")

    def floats(self, table: view.Table) -> str:
        """A table as floats over both columns, as many as its rows need."""
        # Paper leaves some columns out.
        kept = [not column.is_aside for column in table.columns]
        columns, groups, lines = list(compress(table.columns, kept)), list[list[view.Row]](), 0.0
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
        named = [rf"\caption{{{tex(table.caption)}}}", rf"\label{{boundcheck:table:{table.name}}}"]
        made = []
        for number, rows in enumerate(groups):
            head = [r"\addtocounter{table}{-1}\caption{Continued.}"] if number else named
            tabular = self._tabular(columns, rows, r"\textwidth")
            made += [r"\begin{table*}[tp]", *head, *tabular, r"\end{table*}"]
        return "\n".join([*made, ""])

    def column(self, table: view.Table) -> str:
        """A table as one float in one column."""
        head = [rf"\caption{{{tex(table.caption)}}}", rf"\label{{boundcheck:table:{table.name}}}"]
        tabular = self._tabular(table.columns, table.rows, r"\columnwidth")
        return "\n".join([r"\begin{table}[t]", *head, *tabular, r"\end{table}", ""])

    def _tabular(self, columns: Sequence[view.Column], rows: Iterable[view.Row], width: str) -> list[str]:
        looks = ""
        for each in columns:
            across = f"p{{{each.width}{width}}}" if each.width else "X"
            looks += "r" if each.is_number else rf">{{\raggedright\arraybackslash}}{across}"
        made = [r"\footnotesize\setlength{\tabcolsep}{4pt}", rf"\begin{{tabularx}}{{{width}}}{{@{{}}{looks}@{{}}}}"]
        made += [r"\toprule", " & ".join(self.cell(column.name) for column in columns) + r" \\", r"\midrule"]
        for row in rows:
            if isinstance(row, view.Line):
                made.append(rf"\multicolumn{{{len(columns)}}}{{@{{}}p{{{width}}}@{{}}}}{{{self.line(row)}}} \\[2pt]")
            elif not isinstance(row, view.Fold):
                cells = []
                for column, cell in zip(columns, row, strict=True):
                    cells.append(self.cell(cell))
                    if column.is_number and isinstance(cell, view.Stack):
                        inside = r" \\ ".join(map(self.cell, cell.cells))
                        cells[-1] = rf"\shortstack[r]{{{inside}}}"
                made.append(" & ".join(cells) + r" \\[2pt]")
        return [*made, r"\bottomrule", r"\end{tabularx}"]


def in_brief(table: view.Table, names: Sequence[str], most: int, what: str) -> view.Table:
    """Some columns of a table, in at most `most` rows: those whose verdict is not well are chosen before the rest."""

    def well(place: int) -> bool:
        cells = [x for cell in rows[place] for x in _stacked(cell)]
        return all(is_well(x.word) for x in cells if isinstance(x, view.Badge))

    places = [[column.name for column in table.columns].index(name) for name in names]
    rows = [row for row in table.rows if not isinstance(row, view.Line | view.Fold)]
    chosen = sorted(sorted(range(len(rows)), key=well)[:most])
    caption = f"The {what}."
    if len(chosen) < len(rows):
        caption = f"{len(chosen)} of {len(rows)} {what}; what is well is left out first."
    head = [replace(table.columns[place], width=0.25 if place == places[-1] else None) for place in places]
    cells = [tuple(rows[row][place] for place in places) for row in chosen]
    return view.Table(head, cells, caption, f"{table.name}_in_brief", most=None)


def _tall(columns: Sequence[view.Column], row: view.Row) -> float:
    """The number of lines that a row takes, roughly."""
    if isinstance(row, view.Fold):
        return 0.0
    if isinstance(row, view.Line):
        return math.ceil(sum(map(_letters, row.cells)) / _PAGE_LETTERS)
    free = 1 - sum(_NUMBER if x.is_number else x.width or 0 for x in columns)
    wide = free / max(sum(not (x.is_number or x.width) for x in columns), 1)
    return max(
        sum(math.ceil(_letters(each) / (_PAGE_LETTERS * (column.width or wide))) for each in _stacked(cell))
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
        case _:
            return len(cell)


# Lines of a column for a theorem with its proof and for what is cited, letters in a line, and inches of a figure.
_COLUMN_LINES, _COLUMN_LETTERS, _TALL = 75, 58, 3.4
# Lines that an entry of the bibliography takes.
_ENTRY = 5
# What prints nothing, and commands that print about one sign; the lines around a display are the space there.
_MARKUP = re.compile(r"\\(?:allowbreak|ensuremath|text\w+|math\w+|operatorname)|\\[,;]|[{}$^_&\\]|\s(?=\s)")
_SIGN = re.compile(r"\\(?!allowbreak|ensuremath|text|math|operatorname)[A-Za-z]+")


def chosen(
    runs: Sequence[Printed], tables: Mapping[str, str], figures: Iterable[Drawn], proofs: Sequence[Written]
) -> dict[str, Any]:
    """A run in a sentence, tables in brief, at most two figures, the files of a theorem, and the keys to cite.

    A piece that does not exist is left out. Tables are named by their file.
    """
    brief, fitting = [path for path, text in tables.items() if text], [x for x in figures if x.tall <= _TALL]
    # The first figure that fits in one column, and before it the first other figure that fits over two.
    narrow = [each for each in fitting if not each.wide][:1]
    shown = [each for each in fitting if each.wide and each.name not in {x.name for x in narrow}][:1] + narrow
    floats = [("table", Path(path).stem) for path in brief] + [("figure", x.name) for x in shown]
    *words, last = ["", *(rf"{kind.title()}~\ref{{boundcheck:{kind}:{name}}}" for kind, name in floats)]
    # The best verdict is the last.
    best = max(runs, key=lambda each: list(Verdict).index(each[0].verdict.plain), default=None)
    cited = _keys(best[0].result.claim) if best else {}
    theorem = _longest(proofs, cited)
    return {
        "run": _said(*best) if best else "",
        "theorem": list(theorem[1]) if theorem else [],
        "brief": brief,
        "shown": shown,
        "floats": " and ".join(filter(None, (", ".join(filter(None, words)), last))),
        "cited": ",".join(cited | (_keys(theorem[0].script.id) if theorem else {})),
    }


def _longest(proofs: Sequence[Written], cited: dict[str, None]) -> Written | None:
    """The theorem with the longest proof that fits with its sources, and its files.

    One with hypotheses comes before others. If no proof fits, it is the theorem of the longest proof, alone.
    """
    theorems = [(proof, files) for proof, files in proofs if len(files) > 1]
    for these in (theorems, [(proof, dict([*files.items()][:1])) for proof, files in theorems]):
        fitting = []
        for proof, files in these:
            lines = [_MARKUP.sub("", _SIGN.sub("x", line)) for text in files.values() for line in text.splitlines()]
            tall = sum(max(1, math.ceil(len(line) / _COLUMN_LETTERS)) for line in lines)
            if tall <= _COLUMN_LINES - _ENTRY * len(cited | _keys(proof.script.id)):
                fitting.append((proof, files))
        if fitting:
            return max(fitting, key=lambda each: (bool(each[0].hypotheses), len(each[0].steps)))
    return None


def _said(run: StoredRun, commands: dict[str, str]) -> str:
    """A run in a sentence, each number by its command."""
    result, measured, bound = run.result, commands.get("measured", "--"), commands.get("bound")
    about = f"{tex(titled(result))} ({id_tex(result.claim)})"
    if run.is_theorem:
        said = rf"the {tex(run.shown)} is {measured} over {commands['steps']} steps"
        if "interval" in commands:
            said += f", with the {commands['kind']} confidence interval {commands['interval']}"
            said += f" from {commands['replicas']} replicas"
        said += f". The bound of {about} is {bound}" if bound else f". The claim: {about}"
    else:
        said = f"the constant of {about} is at least {measured}" + (f", and at most {bound}" if bound else "")
    return f"On {tex(run.title + run.seeded)}, {said}. The verdict: {commands['verdict']}."
