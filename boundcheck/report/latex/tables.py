"""Tables for a paper, in booktabs: the referee's table, the verdicts of runs, theorems side by side; two in brief."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from boundcheck.claims.prose import tex
from boundcheck.exact.digits import Toward
from boundcheck.prove.rows import JudgedRow
from boundcheck.report.latex.numbers import FREE, significant, whole
from boundcheck.report.latex.runs import Printed, measured
from boundcheck.report.stored import StoredRun
from boundcheck.report.sweeps import Row
from boundcheck.report.words import titled
from boundcheck.verdicts import is_well

Each = TypeVar("Each")
# Lines that a table on a page of its own may have at the size of footnotes, and letters in a line of its widest column.
_LINES, _WIDE, _NARROW = 58, 62, 24
# Letters in a line of the column of claims, and in one across the table.
_LETTERS, _ACROSS = 34, 130
# Rows of a table in one column.
_FINDINGS, _RUNS = 18, 6
_FIRST = "those that are not supported come before the rest"
_STAR = " A star: the bound is one at constants that were only estimated."


def verdict_tex(word: str) -> str:
    """A verdict; what is not well stands out."""
    return tex(word) if is_well(word) else rf"\textbf{{{tex(word)}}}"


def referee(rows: Sequence[JudgedRow]) -> str:
    """The referee's table: where, what is printed, the verdict with its trust, and the finding."""
    cells = [
        (
            str(each.row.number),
            tex(each.row.locator),
            tex(each.row.printed),
            verdict_tex(each.verdict) + (rf" \newline ({tex(each.rests_on)})" if each.rests_on else ""),
            each.rocq,
            tex(each.told) + (" (No machine evidence.)" if each.verdict == "editorial" else ""),
        )
        for each in rows
    ]
    tall = [max(len(x.told) / _WIDE, len(x.row.printed) / _NARROW, len(x.row.locator) / 16, 2) for x in rows]
    caption = (
        "The referee's table. A row's verdict is computed from the lines of proofs that it names; in brackets the "
        "trust of the weakest of them, or that it rests on an exact witness alone. Repaired: true, by another proof "
        "than the printed one. Conditional: true under a condition that is not printed with it. Remark: nothing "
        "printed is false. Rocq: whether a second proof checker has checked the proofs, too; a witness is no proof."
    )
    columns = (
        r"r>{\raggedright}p{.13\textwidth}>{\raggedright}p{.19\textwidth}>{\raggedright}p{.09\textwidth}"
        r">{\raggedright}p{.08\textwidth}X"
    )
    return _tables("referee", caption, columns, ("No.", "Where", "Printed", "Verdict", "Rocq", "Finding"), cells, tall)


def verdicts(runs: Sequence[Printed]) -> str:
    """The verdict on each run, with what was measured; below, the reason for each that is not supported."""
    cells, tall = [], []
    for place, each in enumerate(runs, 1):
        where, name = setting_of(each.run), titled(each.run.result)
        told = rf"{tex(where)} \newline {tex(name)}"
        cells.append((str(place), told, verdict_tex(str(each.run.verdict)), *_numbers(each)))
        tall.append(-(-len(where) // _LETTERS) - (-len(name) // _LETTERS))
    head = ("No.", "Problem, claim", "Verdict", "Measured", "Interval, and its kind", "Bound", "$T$", "Replicas")
    for place, each in enumerate(runs, 1):
        if not each.run.verdict.is_supported:
            said = f"{place}: {verdict_tex(str(each.run.verdict))}. {tex(_sentence(each.run.result.reason))}"
            cells.append((rf"\multicolumn{{{len(head)}}}{{@{{}}p{{\textwidth}}@{{}}}}{{{said}}}",))
            tall.append(-(-len(said) // _ACROSS))
    caption = (
        "The verdict on each run: what was measured, its confidence interval, and the bound. Under noise the average "
        "over $t$ is measured for a theorem about the smallest, which is no more than it. A verdict other than "
        "supported is in bold, and has its reason below; of a run that is hypothesis-failed or uninformative the "
        "theorem says nothing. Bounds are rounded up, the ends of intervals outwards."
    )
    if any(each.commands.get("mark") for each in runs):
        caption += _STAR
    columns = r"r>{\raggedright}X>{\raggedright}p{.14\textwidth}r>{\raggedright}p{.19\textwidth}rrr"
    return _tables("verdicts", caption, columns, head, cells, tall)


def side_by_side(rows: Sequence[Row]) -> str:
    """Theorems on one problem, the least bound first."""
    cells, tall = [], []
    for each in rows:
        setting = f"{each['problem']}, $T = {{}}$" + whole(each["steps"])
        where = tex(each["problem"]) + ", $T$~=~" + whole(each["steps"])
        where += f", seed {each['seed']}" if each["seed"] else ""
        cells.append((where, tex(each["claim"]), verdict_tex(str(each["verdict"])), *_of_row(each)))
        tall.append(max(len(setting) / 20, len(each["claim"]) / 26, 1.0))
    caption = (
        "The theorems side by side, the least bound first. Each theorem sets its own step, so that bounds that differ "
        "differ also in the run that they are about."
    )
    columns = r">{\raggedright}p{.2\textwidth}>{\raggedright}X>{\raggedright}p{.13\textwidth}rrrr"
    head = ("Problem", "Claim", "Verdict", "Step", "Bound", "Measured", "Over bound")
    return _tables("theorems", caption, columns, head, cells, tall)


def findings_in_brief(rows: Sequence[JudgedRow]) -> str:
    """Where each finding is and its verdict, in one column; of many those that are not well come first."""
    chosen = sorted(rows, key=lambda each: is_well(each.verdict))[:_FINDINGS]
    cells = [
        (str(each.row.number), tex(each.row.locator), verdict_tex(each.verdict), each.rests_on or "--")
        for each in sorted(chosen, key=lambda each: each.row.number)
    ]
    caption = _counted(rows, chosen, "findings", lambda each: is_well(each.verdict), "what is well is left out first")
    caption += (
        " Rests on: the trust of the weakest proof behind a finding, or an exact witness; a dash where it is neither."
    )
    columns = r"r>{\raggedright}Xll"
    return _column("findings_in_brief", caption, columns, ("No.", "Where", "Verdict", "Rests on"), cells)


def runs_in_brief(runs: Sequence[Printed]) -> str:
    """What was measured and its bound, in one column; of many runs those that are not supported come first."""
    chosen = sorted(runs, key=lambda each: each.run.verdict.is_supported)[:_RUNS]
    cells = [
        (
            rf"{tex(setting_of(each.run))}: {tex(titled(each.run.result))}",
            each["measured"],
            each["bound"] + each.commands.get("mark", ""),
            verdict_tex(str(each.run.verdict)),
        )
        for each in chosen
    ]
    caption = _counted(runs, chosen, "runs", lambda each: each.run.verdict.is_supported, _FIRST)
    caption += " Bounds are rounded up."
    caption += _STAR if any(each.commands.get("mark") for each in chosen) else ""
    columns = r">{\raggedright}Xrr>{\raggedright\arraybackslash}p{.23\columnwidth}"
    return _column("runs_in_brief", caption, columns, ("Problem, claim", "Measured", "Bound", "Verdict"), cells)


def _counted(rows: Sequence[Each], chosen: Sequence[Each], what: str, well: Callable[[Each], bool], how: str) -> str:
    if len(rows) == len(chosen):
        return f"The {what}."
    said = f"{whole(len(chosen))} of {whole(len(rows))} {what}"
    return f"{said}." if all(map(well, rows)) else f"{said}; {how}."


def _column(name: str, caption: str, columns: str, head: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    """One float in one column."""
    made = [r"\begin{table}[t]", *_opened(name, caption, r"\columnwidth", columns, head), *_rows(cells)]
    return "\n".join([*made, r"\end{table}", ""])


def _opened(name: str, caption: str, width: str, columns: str, head: Sequence[str]) -> Iterator[str]:
    """A float up to the rows of its table; without a name it goes on with the one before."""
    yield rf"\caption{{{caption}}}"
    yield rf"\label{{boundcheck:table:{name}}}" if name else r"\addtocounter{table}{-1}"
    yield r"\footnotesize\setlength{\tabcolsep}{4pt}"
    yield rf"\begin{{tabularx}}{{{width}}}{{@{{}}{columns}@{{}}}}"
    yield from (r"\toprule", " & ".join(head) + r" \\", r"\midrule")


def _rows(cells: Iterable[Sequence[str]]) -> Iterator[str]:
    yield from (" & ".join(row) + r" \\[2pt]" for row in cells)
    yield from (r"\bottomrule", r"\end{tabularx}")


def _of_row(row: Row) -> Iterator[str]:
    yield "--" if row["alpha"] is None else significant(row["alpha"])
    yield "--" if row["bound"] is None else significant(row["bound"], Toward.UP, row["digits"])
    yield measured(row["measured"], row["interval"], row["digits"])
    yield "--" if row["ratio"] is None else significant(row["ratio"], digits=FREE - 1)


def _numbers(each: Printed) -> Iterator[str]:
    yield each["measured"]
    if "lower" in each.commands:
        yield rf"[{each['lower']}, {each['upper']}] \newline {each['kind']}"
    else:
        yield "--" if each.run.is_theorem else "a lower estimate"
    yield each["bound"] + each.commands.get("mark", "")
    yield each["steps"]
    yield each["replicas"]


def setting_of(run: StoredRun) -> str:
    """The problem of a run, with what tells it apart from others on the same."""
    seed = run.result.settings.seed
    return run.title + (f", seed {seed}" if seed else "")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _tables(
    name: str,
    caption: str,
    columns: str,
    head: Sequence[str],
    cells: Sequence[Sequence[str]],
    tall: Sequence[float],
) -> str:
    """As many floats over both columns as the rows need."""
    made = []
    for part, rows in enumerate(_shared(list(zip(cells, tall, strict=True)))):
        said = (name, caption) if part == 0 else ("", "Continued.")
        made += [r"\begin{table*}[tp]", *_opened(*said, r"\textwidth", columns, head), *_rows(rows)]
        made += [r"\end{table*}"]
    return "\n".join([*made, ""])


def _shared(rows: Iterable[tuple[Any, float]]) -> Iterator[list[Any]]:
    """Rows in groups, each of which fits on a page."""
    group: list[Any] = []
    total = 0.0
    for row, tall in rows:
        if group and total + tall + 0.4 > _LINES:
            yield group
            group, total = [], 0.0
        group.append(row)
        total += tall + 0.4
    if group:
        yield group
