r"""A report for a paper: `latex/` beside the page, with tables, theorems, figures, numbers by \newcommand, and BibTeX.

`example.tex` uses each kind of piece once, in two pages: an author copies from it. `main.tex` is an appendix with all
of them. Both compile as they are; `preamble.tex` says what single files need.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from boundcheck.claims import Claim, catalogue
from boundcheck.claims.cite import boundcheck, sources
from boundcheck.claims.prose import tex
from boundcheck.files import file_name
from boundcheck.prove.carried import told
from boundcheck.prove.latex import PREAMBLE, apart, display, id_tex
from boundcheck.report.latex.example import Placed, Written, chosen
from boundcheck.report.latex.numbers import Numbers, command
from boundcheck.report.latex.runs import printed, verdict_counts
from boundcheck.report.latex.tables import (
    findings_in_brief,
    referee,
    runs_in_brief,
    side_by_side,
    verdict_tex,
    verdicts,
)
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
    rows = material.proofs.rows if material.proofs else ()
    compared = theorem_rows(material.theorems)
    tables = {
        "tables/referee.tex": referee(rows) if rows else "",
        "tables/verdicts.tex": verdicts(runs) if runs else "",
        "tables/theorems.tex": side_by_side(compared) if compared else "",
    }
    brief = {
        "tables/findings_in_brief.tex": findings_in_brief(rows) if rows else "",
        "tables/runs_in_brief.tex": runs_in_brief(runs) if runs else "",
    }
    figures, drawn = _figures(material)
    proofs = [
        Written(file_name(f"{proof.script.id}-{proof.script.version}"), proof, *apart(proof))
        for claim in (material.proofs.claims if material.proofs else ())
        for proof in claim.proofs
    ]
    texts = {path: text for path, text in (tables | brief).items() if text}
    texts |= {path: text for each in proofs for path, text in each.files.items()} | {
        "preamble.tex": _PREAMBLE,
        "numbers.tex": numbers.text(),
        "claims.tex": _claims(material.claims),
        "references.bib": _bibliography(material, proofs),
    }
    given = {
        "title": _plain(title),
        "lead": _plain(lead),
        "counts": _counts(material),
        "claims": bool(texts["claims.tex"]),
        "tables": [path for path in tables if path in texts],
        "figures": _in_full(figures),
        "proofs": [path for each in proofs for path in each.files],
    }
    texts |= {
        "main.tex": _rendered("main", given),
        "example.tex": _rendered("example", given | chosen(runs, brief, figures, proofs)),
    }
    return {f"{FOLDER}/{name}": text.encode() for name, text in texts.items()} | drawn


def _plain(text: str) -> str:
    # TeX would join the hyphens of an option to one dash.
    return "-{}-".join(map(tex, without_tags(text).split("--")))


def _rendered(name: str, given: dict[str, Any]) -> str:
    environment = templates().overlay(
        block_start_string="<%", block_end_string="%>", variable_start_string="<<", variable_end_string=">>",
        comment_start_string="<#", comment_end_string="#>", autoescape=False, trim_blocks=True,
    )  # fmt: skip
    return environment.get_template(f"latex/{name}.tex.j2").render(given)


def _counts(material: Material) -> list[str]:
    """How many findings, lines of proofs and runs have each verdict, in sentences by their commands."""
    said, counts = [], verdict_counts(material)
    for what, name in (("findings from the proofs", "findings"), ("lines of proofs", "lines"), ("runs", "runs")):
        found = counts[name]
        each = ", ".join(rf"{command((name, verdict))} {verdict_tex(verdict)}" for verdict in sorted(found))
        said += [f"Of {command((name,))} {what}: {each}."] if found else []
    return said


def _figures(material: Material) -> tuple[list[Placed], dict[str, bytes]]:
    """Each figure at both widths, where it is no taller than a page; and their files."""
    placed, files = list[Placed](), dict[str, bytes]()
    for wide, look in ((True, TWO_COLUMNS), (False, ONE_COLUMN)):
        for each in figures_of(material, look, pdf):
            if each.tall <= _TALLEST:
                path = f"figures/{each.name}_{'two_columns' if wide else 'one_column'}.pdf"
                files[f"{FOLDER}/{path}"] = each.content
                placed.append(Placed(each.name, path, tex(each.caption), each.tall, wide))
    return placed, files


def _in_full(figures: Iterable[Placed]) -> list[Placed]:
    """Each figure once: in one column where that does not make it tall."""
    shown = {each.name: each for each in figures if each.wide or each.tall <= _NARROW}
    return list(shown.values())


def _claims(claims: Iterable[Claim]) -> str:
    """Each claim with its formulas, its source, and what carries it."""
    made = []
    for claim in claims:
        keys = ",".join(each.key for each in sources(claim))
        cited = rf"~\cite{{{keys}}}" if keys else ""
        lines = [claim.statement_latex, *claim.definitions_latex]
        made += [
            rf"\paragraph{{{tex(claim.title)}, {id_tex(claim.id)}.}} {tex(claim.source)}{cited}. "
            f"Proof: {tex(told(claim))}.",
            *map(display, lines),
            *([tex(claim.note), ""] if claim.note else []),
        ]
    return "\n".join(made)


def _bibliography(material: Material, proofs: Iterable[Written]) -> str:
    """The sources of every claim that the page speaks of or has a proof of, and boundcheck."""
    proved = (catalogue[id] for each in proofs if (id := each.proof.script.id) in catalogue)
    entries = {each.key: each.text for claim in (*material.claims, *proved) for each in sources(claim)}
    return "\n\n".join([*entries.values(), boundcheck().text, ""])
