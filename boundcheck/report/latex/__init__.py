r"""A report for a paper: `latex/` beside the page, with tables, theorems, figures, numbers by \newcommand, and BibTeX.

`main.tex` inputs all of it and compiles as it is. An author takes single files from it: `preamble.tex` says what they
need.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from boundcheck.claims import Claim
from boundcheck.claims.cite import boundcheck, sources
from boundcheck.claims.prose import tex
from boundcheck.files import file_name
from boundcheck.prove.carried import carrier
from boundcheck.prove.latex import PREAMBLE, display, id_tex, latex
from boundcheck.report.latex.numbers import Numbers, command
from boundcheck.report.latex.runs import printed, verdict_counts
from boundcheck.report.latex.tables import referee, side_by_side, verdict_tex, verdicts
from boundcheck.report.paper_figures import figures_of, without_tags
from boundcheck.report.section import Material, templates
from boundcheck.report.sections.theorems import theorem_rows
from boundcheck.report.style import ONE_COLUMN, TWO_COLUMNS, pdf

FOLDER = "latex"
_PREAMBLE = (
    "% What the files of this folder need: \\input it before the document begins.\n"
    + PREAMBLE
    + ("\\usepackage{array,booktabs,tabularx}\n")
)
# Inches: what fits on a page above its caption, and what is shown in one column of it.
_TALLEST, _NARROW = 8.2, 4.2


def files_of(material: Material, title: str, lead: str) -> dict[str, bytes]:
    """The files of the folder `latex`, by their path from the page's folder."""
    numbers = Numbers()
    runs = printed(material, numbers)
    tables = {"verdicts": verdicts(runs) if runs else ""}
    if material.proofs and material.proofs.rows:
        tables = {"referee": referee(material.proofs.rows)} | tables
    if rows := theorem_rows(material.theorems):
        tables["theorems"] = side_by_side(rows)
    figures, drawn = _figures(material)
    texts = {f"tables/{name}.tex": text for name, text in tables.items() if text}
    proofs = {
        f"proofs/{file_name(f'{proof.script.id}-{proof.script.version}')}.tex": latex(proof)
        for claim in (material.proofs.claims if material.proofs else ())
        for proof in claim.proofs
    }
    claims = _claims(material.claims)
    given = {
        "title": tex(without_tags(title)),
        "lead": tex(without_tags(lead)),
        "claims": bool(claims),
        "tables": list(texts),
        "figures": figures,
        "proofs": list(proofs),
        "counts": _counts(material),
    }
    environment = templates().overlay(
        block_start_string="<%", block_end_string="%>", variable_start_string="<<", variable_end_string=">>",
        comment_start_string="<#", comment_end_string="#>", autoescape=False, trim_blocks=True,
    )  # fmt: skip
    texts |= proofs | {
        "main.tex": environment.get_template("latex/main.tex.j2").render(given),
        "preamble.tex": _PREAMBLE,
        "numbers.tex": numbers.text(),
        "claims.tex": claims,
        "references.bib": _bibliography(material.claims),
    }
    return {f"{FOLDER}/{name}": text.encode() for name, text in texts.items()} | drawn


def _counts(material: Material) -> list[str]:
    """How many findings, lines of proofs and runs have each verdict, in sentences by their commands."""
    said, counts = [], verdict_counts(material)
    for what, name in (("findings from the proofs", "findings"), ("lines of proofs", "lines"), ("runs", "runs")):
        found = counts[name]
        each = ", ".join(rf"{command((name, verdict))} {verdict_tex(verdict)}" for verdict in sorted(found))
        said += [f"Of {command((name,))} {what}: {each}."] if found else []
    return said


def _figures(material: Material) -> tuple[list[dict[str, Any]], dict[str, bytes]]:
    """Each figure at the width that it is shown at, with its caption; and the files at both widths."""
    shown, files = dict[str, dict[str, Any]](), dict[str, bytes]()
    for wide, look in ((True, TWO_COLUMNS), (False, ONE_COLUMN)):
        for each in figures_of(material, look, pdf):
            path = f"figures/{each.name}_{'two_columns' if wide else 'one_column'}.pdf"
            if each.tall <= _TALLEST:
                files[f"{FOLDER}/{path}"] = each.content
            if each.tall <= (_TALLEST if wide else _NARROW):
                shown[each.name] = {"name": each.name, "path": path, "caption": tex(each.caption), "wide": wide}
    return list(shown.values()), files


def _claims(claims: Iterable[Claim]) -> str:
    """Each claim with its formulas, its source, and what carries it."""
    made = []
    for claim in claims:
        keys = ",".join(each.key for each in sources(claim))
        cited = rf"~\cite{{{keys}}}" if keys else ""
        lines = [claim.statement_latex, *claim.definitions_latex]
        made += [
            rf"\paragraph{{{tex(claim.title)}, {id_tex(claim.id)}.}} {tex(claim.source)}{cited}. "
            f"Proof: {tex(str(carrier(claim)))}.",
            *map(display, lines),
            *([tex(claim.note), ""] if claim.note else []),
        ]
    return "\n".join(made)


def _bibliography(claims: Iterable[Claim]) -> str:
    entries = {each.key: each.text for claim in claims for each in sources(claim)}
    return "\n\n".join([*entries.values(), boundcheck().text, ""])
