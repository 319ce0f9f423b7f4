r"""A report for a paper: `latex/` beside the page, with tables, theorems, figures, numbers by \newcommand, and BibTeX.

`main.tex` inputs all of it and compiles as it is. An author takes single files from it: `preamble.tex` says what they
need.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import unescape
from typing import Any

from markupsafe import Markup
from matplotlib.figure import Figure

from boundcheck.claims import Claim
from boundcheck.claims.cite import boundcheck, sources
from boundcheck.claims.prose import tex
from boundcheck.doors import theirs
from boundcheck.errors import CodeError
from boundcheck.files import file_name
from boundcheck.prove.carried import carrier
from boundcheck.prove.latex import PREAMBLE, display, id_tex, latex
from boundcheck.report.latex.numbers import Numbers, command
from boundcheck.report.latex.runs import printed, verdict_counts
from boundcheck.report.latex.tables import referee, side_by_side, verdict_tex, verdicts
from boundcheck.report.section import Folder, Material, sections, templates
from boundcheck.report.sections.theorems import theorem_rows
from boundcheck.report.style import ONE_COLUMN, TWO_COLUMNS, looking, pdf

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
        "title": tex(_plain(title)),
        "lead": tex(_plain(lead)),
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
    said = []
    for what, name in (("findings from the proofs", "findings"), ("lines of proofs", "lines"), ("runs", "runs")):
        found = verdict_counts(material)[name]
        each = ", ".join(rf"{command((name, verdict))} {verdict_tex(verdict)}" for verdict in sorted(found))
        said += [f"Of {command((name,))} {what}: {each}."] if found else []
    return said


class _Figures(Folder):
    """The figures of a section, as PDF for a paper, without those that are taller than a page."""

    def figure(self, name: str, drawn: Figure | None, caption: str) -> Markup:
        if drawn is not None and drawn.get_figheight() <= _TALLEST:
            self.files[name] = pdf(drawn)
            self.tall[name] = drawn.get_figheight()
        return Markup()

    def __init__(self) -> None:
        super().__init__()
        self.tall: dict[str, float] = {}


def _figures(material: Material) -> tuple[list[dict[str, Any]], dict[str, bytes]]:
    """Each figure at the width that it is shown at, with its caption; and the files at both widths."""
    shown, files = dict[str, dict[str, Any]](), dict[str, bytes]()
    for wide, look in ((True, TWO_COLUMNS), (False, ONE_COLUMN)):
        width = "two_columns" if wide else "one_column"
        for section in sections(folders=material.papers):
            folder = _Figures()
            try:
                with looking(look), theirs():
                    section.build(material, folder)
            except CodeError:
                # The page has said so.
                continue
            caption = tex(_plain(" ".join(filter(None, (f"{section.title}.", getattr(section, "see", ""))))))
            for name, content in folder.files.items():
                if name not in folder.tall:
                    continue
                path = f"figures/{name}_{width}.pdf"
                files[f"{FOLDER}/{path}"] = content
                if wide or folder.tall[name] <= _NARROW:
                    shown[name] = {"name": name, "path": path, "caption": caption, "wide": wide}
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


def _plain(text: str) -> str:
    """Text without the tags that it may have."""
    return unescape(re.sub(r"<[^>]*>", "", text)) if isinstance(text, Markup) else text
