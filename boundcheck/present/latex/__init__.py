r"""A report for a paper: `latex/` beside the page, with tables, theorems, figures, numbers by \newcommand, and BibTeX.

`example.tex` uses each kind of piece once, in two pages: an author copies from it. `main.tex` is an appendix with all
of them. Both compile as they are; `preamble.tex` says what single files need.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from boundcheck.language.catalogue import boundcheck_entry, catalogue, sources
from boundcheck.language.claim import Claim
from boundcheck.language.prose import tex
from boundcheck.language.view import Table, View
from boundcheck.present.latex.example import Placed, Written, chosen
from boundcheck.present.latex.numbers import Numbers, command
from boundcheck.present.latex.parts import Latex, in_brief, verdict_tex
from boundcheck.present.latex.runs import Printed, printed, verdict_counts
from boundcheck.present.on_paper import Chapter, chapters, figures_of, tables_of, without_tags
from boundcheck.present.section import Material
from boundcheck.present.sections.proofs import claim_view
from boundcheck.present.style import ONE_COLUMN, TWO_COLUMNS, pdf
from boundcheck.proof.export import PREAMBLE, apart
from boundcheck.system.files import file_name

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


def files_of(material: Material, title: str, lead: str) -> dict[str, bytes]:
    """The files of the folder `latex`, by their path from the page's folder."""
    numbers = Numbers()
    runs, found = printed(material, numbers), chapters(material)
    latex, tables = Latex(_values(runs)), tables_of(found)
    floats = {f"tables/{name}.tex": latex.floats(table) for name, table in tables.items()}
    brief = _in_brief(tables, latex)
    figures, drawn = _figures(found)
    proofs = [
        Written(file_name(f"{proof.script.id}-{proof.script.version}"), proof, *apart(proof))
        for claim in (material.proofs.claims if material.proofs else ())
        for proof in claim.proofs
    ]
    texts = (
        floats
        | brief
        | {path: text for each in proofs for path, text in each.files.items()}
        | {
            "preamble.tex": _PREAMBLE,
            "numbers.tex": numbers.text(),
            "claims.tex": "\n".join(_claim(claim, latex) for claim in material.claims),
            "references.bib": _bibliography(material, proofs),
        }
    )
    given = {
        "title": _plain(title),
        "lead": _plain(lead),
        "counts": _counts(material),
        "claims": bool(texts["claims.tex"]),
        "tables": list(floats),
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
    environment = Environment(
        loader=PackageLoader("boundcheck.present", "latex"), undefined=StrictUndefined, trim_blocks=True,
        block_start_string="<%", block_end_string="%>", variable_start_string="<<", variable_end_string=">>",
        comment_start_string="<#", comment_end_string="#>",
    )  # fmt: skip
    return environment.get_template(f"{name}.tex.j2").render(given)


def _values(runs: Sequence[Printed]) -> dict[tuple[str, ...], str]:
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


def _in_brief(tables: Mapping[str, Table], latex: Latex) -> dict[str, str]:
    """Tables shortened so that one column has room for them, by their files."""
    return {
        f"tables/{name}_in_brief.tex": latex.column(in_brief(table, *_BRIEF[name]))
        for name, table in tables.items()
        if name in _BRIEF
    }


def _counts(material: Material) -> list[str]:
    """Sentences on how many findings, lines of proofs and runs have each verdict, each number by its command."""
    said, counts = [], verdict_counts(material)
    for what, name in (("findings from the proofs", "findings"), ("lines of proofs", "lines"), ("runs", "runs")):
        found = counts[name]
        each = ", ".join(rf"{command((name, verdict))} {verdict_tex(verdict)}" for verdict in sorted(found))
        said += [f"Of {command((name,))} {what}: {each}."] if found else []
    return said


def _figures(found: Sequence[Chapter]) -> tuple[list[Placed], dict[str, bytes]]:
    """Each figure at both widths, if it is no taller than a page; and the files of the figures."""
    placed, files = list[Placed](), dict[str, bytes]()
    for wide, look in ((True, TWO_COLUMNS), (False, ONE_COLUMN)):
        for each in figures_of(found, look, pdf):
            if each.tall <= _TALLEST:
                path = f"figures/{each.name}_{'two_columns' if wide else 'one_column'}.pdf"
                files[f"{FOLDER}/{path}"] = each.content
                placed.append(Placed(each.name, path, tex(each.caption), each.tall, wide))
    return placed, files


def _in_full(figures: Iterable[Placed]) -> list[Placed]:
    """Each figure once: in one column if that does not make it tall."""
    shown = {each.name: each for each in figures if each.wide or each.tall <= _NARROW}
    return list(shown.values())


def _claim(claim: Claim, latex: Latex) -> str:
    """A claim with its formulas, its sources, and what carries it."""
    view, keys = claim_view(claim), ",".join(each.key for each in sources(claim))
    return latex.part(View(view.title, view.name)) + (rf"\cite{{{keys}}} " if keys else "") + latex.parts(view.parts)


def _bibliography(material: Material, proofs: Iterable[Written]) -> str:
    """The sources of every claim that the page speaks of or has a proof of, and boundcheck."""
    proved = (catalogue[id] for each in proofs if (id := each.proof.script.id) in catalogue)
    entries = {each.key: each.text for claim in (*material.claims, *proved) for each in sources(claim)}
    return "\n\n".join([*entries.values(), boundcheck_entry().text, ""])
