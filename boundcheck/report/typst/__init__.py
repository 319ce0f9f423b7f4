"""A report as one PDF, without a TeX: typst's compiler and fonts come with its package, the extra `pdf`.

It has what the page has for a reader of paper: the verdict, the referee's table with its formulas, the theorems as the
kernel has them, the runs, the figures.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from boundcheck.claims import prose
from boundcheck.prove.display import shown
from boundcheck.prove.rows import JudgedRow
from boundcheck.prove.verdict import JudgedProof
from boundcheck.report.paper_figures import Drawn, figures_of, without_tags
from boundcheck.report.section import Material
from boundcheck.report.stored import StoredRun
from boundcheck.report.style import TWO_COLUMNS, svg
from boundcheck.report.typst.formulas import PREAMBLE, UnknownError, formula, string
from boundcheck.report.words import titled
from boundcheck.verdicts import is_well

# Centimetres.
_TALLEST = 21
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

    figures = figures_of(material, TWO_COLUMNS, lambda drawn: svg(drawn).encode())
    text = "\n".join(_document(material, without_tags(title), without_tags(lead), figures))
    with tempfile.TemporaryDirectory() as folder:
        for each in figures:
            (Path(folder) / f"{each.name}.svg").write_bytes(each.content)
        (Path(folder) / "main.typ").write_text(text, encoding="utf-8")
        # The same bytes from the same report, on every machine.
        made = Path(folder) / "report.pdf"
        typst.compile(f"{folder}/main.typ", str(made), folder, ignore_system_fonts=True, timestamp=0)
        return {made.name: made.read_bytes()}


def _document(material: Material, title: str, lead: str, figures: Sequence[Drawn]) -> Iterator[str]:
    yield _PAGE.replace("TITLE", string(title))
    yield f'#align(center, text(size: 16pt, weight: "bold", {string(title)}))\n'
    yield _text(lead)
    rows = material.proofs.rows if material.proofs else ()
    if rows:
        yield "= Referee's table\n"
        yield "A row's verdict is computed from the lines of proofs that it names. Repaired: true by another proof.\n"
        columns = ("No.", "Where", "Printed", "Verdict", "Rocq", "Finding")
        yield from _table("(auto, 2.6cm, 3.6cm, 1.7cm, 1.5cm, 1fr)", columns, map(_row, rows))
    proved = [x for claim in (material.proofs.claims if material.proofs else ()) for x in claim.proofs]
    if proved:
        yield "= What the proofs come to\n"
        yield "Each statement is the kernel's own. A proof that is not proved has the reason in its place.\n"
        for proof in proved:
            yield from _proof(proof)
    if material.runs:
        yield "= Verdicts of the runs\n"
        head = ("Problem, claim", "Verdict", "Measured", "Interval", "Bound")
        yield from _table("(1fr, 2.6cm, auto, 3.4cm, auto)", head, map(_run, material.runs))
        silent = [run for run in material.runs if not run.verdict.is_supported]
        for run in silent:
            yield f"- {_text(run.title)}: {_verdict(run.verdict)}. {_text(run.result.reason)}.\n"
    if figures:
        yield "= Figures\n"
        for each in figures:
            # With its heading and caption it fits on a page.
            height = f", height: {_TALLEST}cm" if each.tall * 2.54 > _TALLEST else ""
            yield f"#figure(image({string(f'{each.name}.svg')}{height}), caption: [{_text(each.caption)}])\n"


def _row(each: JudgedRow) -> tuple[str, ...]:
    trust = f" ({each.rests_on})" if each.rests_on else ""
    finding = each.told + (" (No machine evidence.)" if each.verdict == "editorial" else "")
    cells = (str(each.row.number), each.row.locator, each.row.printed)
    return (*map(_text, cells), _verdict(each.verdict) + _text(trust), _text(each.rocq), _text(finding))


def _proof(proof: JudgedProof) -> Iterator[str]:
    name = f"{_text(proof.script.title)}, {proof.script.called}, #raw({string(proof.script.id)})"
    yield f"== {name}: {_verdict(proof.verdict)}\n"
    if proof.verdict != "proved" or proof.conclusion is None:
        yield f"{_text(proof.reason)}.\n"
        return
    rests = [each.statement for each in proof.hypotheses]
    *given, concludes = shown(*rests, proof.conclusion).latex
    yield f"Trust: {_text(proof.trust)}. {_formula(concludes)}\n"
    roles: dict[str, list[str]] = {}
    for each, made in zip(proof.hypotheses, given, strict=False):
        roles.setdefault(each.role, []).append(_formula(made))
    yield from (f"- {_text(role)}: {'; '.join(each)}" for role, each in roles.items())
    yield ""


def _run(run: StoredRun) -> tuple[str, ...]:
    x = run.result
    found = run.numbers
    interval = f"{found.lower}–{found.upper}, {x.interval.kind}" if x.interval else "–"
    told = f"{_text(run.title)} #linebreak() {_text(titled(x))}"
    return (
        told,
        _verdict(run.verdict),
        *map(_text, ("diverged" if run.has_diverged else found.measured, interval, found.bound)),
    )


def _table(columns: str, head: Sequence[str], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    yield f"#table(columns: {columns}, align: left,"
    yield f"  table.header({', '.join(f'[{_text(each)}]' for each in head)}),"
    for row in rows:
        yield "  " + ", ".join(f"[{cell}]" for cell in row) + ","
    yield ")\n"


def _verdict(word: str) -> str:
    return _text(word) if is_well(word) else f"#strong[{_text(word)}]"


def _text(text: str) -> str:
    """Text with formulas in it."""
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
