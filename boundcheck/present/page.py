"""The page: its sections in order, one self-contained HTML file, with figures for a paper and the logbook beside it.

The logbook is a report in the words of open reproduction efforts, verified, falsified, toy and inconclusive, with an
entry for each finding, proof, run and attack. `RULES` says for each of our verdicts which it becomes.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from html import escape
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from boundcheck.errors import CodeError, InputError
from boundcheck.language.catalogue import catalogue
from boundcheck.language.prose import plain
from boundcheck.language.view import File, Html, Line, Math, Part, Picture, Row, Stack, Table, View, paragraph
from boundcheck.present.material import Material, StoredRun, load_runs
from boundcheck.present.opening import Opening, opening_of
from boundcheck.present.section import parts_of, sections
from boundcheck.present.style import described, on_a_page, pdf, svg
from boundcheck.present.words import said, slug, titled
from boundcheck.proofs import paper_of
from boundcheck.shown import code_span, markdown, visible
from boundcheck.shown import command as typed
from boundcheck.system.ending import say
from boundcheck.system.files import file_name, replace_file
from boundcheck.system.plugins import is_path, theirs
from boundcheck.verdicts import Look, Verdict, look_of
from boundcheck.worst_case.view import rounded_down


class Page(Html):
    """A page: parts as HTML, with the looks of the page's style sheet.

    Attributes:
        sections: the heading of each, and what is below it as HTML.
        files: what is put beside the page, by its path from the page's folder.

    """

    looks: Mapping[str, str] = {
        **{look: f'class="{look}"' for look in ("small", "strong", "see", "formula", "scroll", "inside", "wide")},
        **{look: f'class="{look}"' for look in ("stacks", "across", "more", "opens")},
        "number": 'class="n"',
    }

    def __init__(self) -> None:
        self.sections: list[tuple[str, str]] = []
        self.files: dict[str, bytes] = {}

    def add(self, title: str, see: str, parts: Iterable[Part]) -> None:
        """Add a section, with a sentence below its heading on what to see; nothing where it shows nothing."""
        inside = Page()
        html = inside.parts(parts)
        self.files |= inside.files
        if html.strip():
            self.sections.append((title, (self.part(paragraph(see, "see")) if see else "") + html))

    def write(self, path: Path, title: str, lead: str, opening: Opening, files: Mapping[str, bytes]) -> list[Path]:
        """Write the page, and beside it its figures and these files, named by their paths from the page's folder.

        It takes, returns and raises what `write_page` does.
        """
        front = Page()
        given = {
            "title": title,
            "lead": lead,
            "opening": opening,
            "picture": Markup(front.part(Picture(opening.name, lambda: opening.figure, opening.caption))),
            "parts": [(Markup(escape(head, quote=False)), Markup(html)) for head, html in self.sections],
            # In the page, so that it is one file.
            "style": Markup((Path(__file__).parent / "templates" / "page.css").read_text(encoding="utf-8")),
        }
        environment = Environment(
            loader=PackageLoader("boundcheck.present", "templates"), autoescape=True, undefined=StrictUndefined
        )
        environment.filters |= {"slug": slug, "said": said}
        text = environment.get_template("page.html.j2").render(given)
        # No section may keep a file in the place of these, such as the results.
        beside = {**self.files, **files, **front.files}
        return _write({path: visible(text).encode()} | {path.parent / name: x for name, x in beside.items()})

    def part(self, part: Part) -> str:
        if isinstance(part, Line) and not any(
            isinstance(x, Stack) or (isinstance(x, Math) and x.apart) for x in part.cells
        ):
            return self._element("p", part.look, self.inline(part)) + "\n"
        return super().part(part) + "\n"

    def _rows(self, table: Table, rows: Sequence[Row], caption: str) -> str:
        made = super()._rows(table, rows, caption)
        if not table.stacks:
            return made
        # What stands as paragraphs on a phone is a table still to those who hear it.
        roles = {"table": "table", "thead": "rowgroup", "tbody": "rowgroup", "tr": "row", "td": "cell"}
        return re.sub(r"<(table|thead|tbody|tr|td)\b", lambda x: f'{x[0]} role="{roles[x[1]]}"', made)

    def heading(self, view: View) -> str:
        name = f" <code>{escape(view.name)}</code>" if view.name else ""
        return f"<h3>{self.prose(view.title)}{name}{f' {self.badge(view.verdict)}' if view.verdict else ''}</h3>"

    def prose(self, text: str) -> str:
        return str(said(text))

    def badge(self, word: str, look: str = "") -> str:
        limit = " asymptotic" if look_of(word) is Look.LIMIT else ""
        # By its own first word "not violated" does not look like a violation.
        first = (look or word).split(" ")[0].rstrip(",")
        return str(Markup('<span class="badge {1}{2}">{0}</span>').format(word, first, limit))

    def picture(self, picture: Picture) -> str:
        """A figure with its caption, which is kept as SVG and PDF too; an empty text if none is drawn."""
        drawn = picture.draw()
        if drawn is None:
            return ""
        # Once: a second rendering of a figure would count on in its ids.
        made = svg(drawn)
        self.files |= {f"{picture.name}.svg": made.encode(), f"{picture.name}.pdf": pdf(drawn)}
        shown = f'<div class="drawn">{on_a_page(made, described(drawn))}</div>'
        caption = f"<figcaption>{self.prose(picture.caption)}</figcaption>"
        return f'<figure id="figure_{picture.name}">{shown}\n{caption}</figure>'

    def file(self, file: File) -> str:
        self.files[file.name] = file.content
        return ""


def write_page(
    material: Material,
    page: Path,
    title: str,
    lead: str,
    outside: Iterable[str] = (),
    opening: Opening | None = None,
    latex: bool = False,
) -> list[Path]:
    """Write the page and, beside it, figures as SVG and PDF, results as JSON, the logbook, and what sections keep.

    If a user's own section fails, its place and stderr say so, and nothing else is lost.

    Args:
        material: what it is made from.
        page: the file.
        title: the page's.
        lead: what the page is about, in a paragraph; text, or Markup.
        outside: import paths of sections that are found in no other way.
        opening: what the page begins with; where left out, what the runs do and what their claims say.
        latex: write the folder ``latex`` for a paper too.

    Returns:
        The files written, the page first.

    Raises:
        InputError: where the folder cannot be written, or a section is none.

    """
    made = Page()
    for each in sections(outside, material.papers):
        try:
            with theirs():
                made.add(each.title, str(getattr(each, "see", "")), parts_of(each, material))
        except CodeError as error:
            say(f"the section {each.title or 'without a title'} failed, and the page says so in its place: {error}")
            made.sections.append((each.title, f"<p>This section failed: <code>{escape(str(error))}</code></p>"))
    files = {"results.json": json_bytes(material.as_json()), "logbook.md": logbook(material, title).encode()}
    if material.study.is_new:
        files["statistics.json"] = json_bytes(material.study.as_json())
    if latex:
        # Deferred: most reports need no LaTeX.
        from boundcheck.present.latex import files_of

        files |= files_of(material, title, lead)
    return made.write(page, title, lead, opening or opening_of(material), files)


def write_runs(
    folders: list[Path],
    page: Path,
    title: str,
    lead: str,
    command: str,
    outside: Iterable[str] = (),
    latex: bool = False,
) -> list[Path]:
    """Write the page of the runs; runs of networks get their own, in ``networks`` if there are other runs.

    Raises:
        InputError: for a folder that holds no finished run, one of a claim that is not known, and as `write_page` does.

    """
    runs = load_runs(folders)
    for claim in dict.fromkeys(run.result.claim for run in runs):
        try:
            catalogue[claim]
        except InputError:
            if not is_path(claim):
                expected = "a claim that is known: one of your own is given by --claim MODULE:NAME"
                raise InputError("claim", claim, expected) from None
            # A claim given by its path is opened, where that is allowed.
            catalogue.named(claim)
    networks, others = ([run for run in runs if run.is_network is each] for each in (True, False))
    files = write_page(Material(others, command=command), page, title, lead, outside, latex=latex) if others else []
    if networks:
        beside = page.parent / "networks" / page.name if others else page
        files += write_page(Material(networks, command=command), beside, title, lead, outside, latex=latex)
    return files


def _write(files: Mapping[Path, bytes]) -> list[Path]:
    """Write the files of a page, each whole; raise InputError if its folder cannot be written."""
    try:
        for path, content in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, content)
    except OSError as error:
        folder = next(iter(files)).parent
        raise InputError("out", folder, f"a folder that can be written ({error.strerror})") from None
    return list(files)


def export_data(runs: list[StoredRun], folder: Path) -> list[Path]:
    """Write each run's trace as netCDF and CSV, for other tools; raise InputError if the folder cannot be written."""
    written = []
    for run in runs:
        stem = file_name(str(run.result.run_id))
        files = {folder / f"{stem}.nc": bytes(run.trace.to_netcdf(engine="scipy"))}
        for dims in dict.fromkeys(x.dims for x in run.trace.data_vars.values()):
            names = [key for key, x in run.trace.data_vars.items() if x.dims == dims]
            table = run.trace[names].to_dataframe().to_csv(lineterminator="\n")
            files[folder / f"{stem}.{'-'.join(map(str, dims))}.csv"] = table.encode()
        written += _write(files)
    return written


def json_bytes(value: Any) -> bytes:
    """Plain data as the content of a JSON file, the same bytes for the same data."""
    return (json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n").encode()


class Word(StrEnum):
    """The word that says what an entry comes to."""

    VERIFIED = "verified"
    FALSIFIED = "falsified"
    TOY = "toy"
    INCONCLUSIVE = "inconclusive"


RULES = (
    (
        Word.VERIFIED,
        "The kernel replayed a proof. Where the verdict is `repaired`, what is verified is what was proved in place of "
        "the printed argument, as the evidence says, and not that argument; where it is `conditional`, the statement "
        "under a condition that is not printed with it. Nothing else is called verified.",
    ),
    (
        Word.FALSIFIED,
        "A printed line is refuted by an exact witness, or the kernel proved its contrary; an attack found a certified "
        "instance that breaks the claim; or a run is `violated` and the claim itself is to blame.",
    ),
    (
        Word.TOY,
        "A run is `supported`: the claim held on this one problem, at this size. That proves nothing of another.",
    ),
    (
        Word.INCONCLUSIVE,
        "Everything else: `unknown`, `editorial`, `remark`, a proof that rests on solvers or on an open line, a run "
        "that is `hypothesis-failed`, `uninformative` or `inconclusive`, a run that is `violated` where something else "
        "than the claim is to blame, and an attack that broke nothing.",
    ),
)


Entry = tuple[str, Word, str, str, str]
"""The subject of an entry, the word it comes to, our own verdict, the evidence, and the command that shows it."""


def logbook(material: Material, title: str) -> str:
    """The logbook in Markdown: the rules, how often each word stands, and the entries."""
    entries = list(_entries(material))
    counts = Counter(word for _, word, *_ in entries)
    lines = [f"# Logbook: {_line(title)}", ""]
    lines += ["What the words mean, and from which verdicts of boundcheck they come:", ""]
    lines += [f"- **{word}**: {rule}" for word, rule in RULES]
    told = ", ".join(f"{counts[word]} {word}" for word in Word)
    lines += ["", f"{len(entries)} entries: {told}.", ""]
    for place, (about, word, verdict, evidence, command) in enumerate(entries, 1):
        lines += [f"## {place}. {_line(about)}: {word}", "", f"- verdict: {code_span(verdict)}"]
        lines += [f"- evidence: {_line(evidence)}", f"- command: {code_span(command)}", ""]
    return "\n".join(lines)


def of_proof(verdict: str, trust: str) -> Word:
    """The word for a verdict from proofs, with the trust of the weakest proof; a witness needs none."""
    if verdict == "refuted" and trust in ("kernel", ""):
        return Word.FALSIFIED
    is_proved = verdict in ("proved", "repaired", "conditional") and trust == "kernel"
    return Word.VERIFIED if is_proved else Word.INCONCLUSIVE


def of_run(run: StoredRun) -> Word:
    """The word for a run."""
    if run.verdict.plain is Verdict.VIOLATED and run.result.blame is not None and run.result.blame.kind == "claim":
        return Word.FALSIFIED
    return Word.TOY if run.verdict.is_supported and not run.verdict.given else Word.INCONCLUSIVE


def _entries(material: Material) -> Iterator[Entry]:
    command = material.command or "boundcheck report RUN..."
    for judged in material.proofs.rows if material.proofs else ():
        row, verdict = judged.row, judged.verdict + (f", trust {judged.trust}" if judged.trust else "")
        said = f"printed: {row.printed} " if row.printed else ""
        about = f"{row.locator}, row {row.number} of the referee's table"
        evidence = f"{said}{judged.told} {judged.evidence}"
        proving = typed("prove", paper_of(material.paper.name).typed) if material.paper else material.command
        yield (about, of_proof(judged.verdict, judged.trust), verdict, evidence, proving)
    for claim in material.proofs.claims if material.proofs else ():
        proved = [proof for proof in claim.proofs if proof.verdict == "proved"]
        # The claim is as good as the best of its proofs, and each proof as its weakest line.
        trust = "kernel" if any(proof.trust == "kernel" for proof in proved) else (proved[0].trust if proved else "")
        told = "; ".join(
            f"{proof.script.called}: {proof.verdict}" + (f", {proof.reason}" if proof.reason else "")
            for proof in claim.proofs
        )
        facts = sorted({name for proof in proved for name in proof.ledger})
        rests = f" It rests on the standard facts {', '.join(facts)}." if facts else ""
        verdict, shows = claim.verdict + (f", trust {trust}" if trust else ""), typed("prove", claim.id, "--steps")
        about = f"{claim.title} ({claim.id})"
        yield (about, of_proof(claim.verdict, trust), verdict, f"{told}.{rests}", shows)
    for planted, run in (*(("", run) for run in material.runs), *material.faults):
        x = run.result
        blame = f" To blame: the {x.blame.kind} {x.blame.name}, {x.blame.evidence}." if x.blame else ""
        evidence = f"{x.reason}. Measured {run.numbers.measured} against {run.numbers.bound}.{blame} Run {x.run_id}."
        # A planted fault says something of boundcheck, and nothing of the claim.
        about = f"Planted fault, {planted}" if planted else f"{titled(x)} on {run.title}"
        yield (about, Word.INCONCLUSIVE if planted else of_run(run), str(run.verdict), evidence, command)
    for search in material.searches:
        word, verdict = (Word.FALSIFIED, "violated") if search["violated"] else (Word.INCONCLUSIVE, "not violated")
        ratio = rounded_down(search["ratio"], 5)
        evidence = f"The largest certified ratio of measured over bound is {ratio}; see {search['file']}."
        yield (f"{search['label']}, attacked", word, verdict, evidence, typed("falsify", search["id"]))
    # What was measured of a row of the table, all its runs together.
    for finding in material.findings:
        is_supported = any(each == finding.verdict and each.is_supported for each in Verdict)
        about = f"{finding.locator}, row {finding.number}, measured"
        word = Word.TOY if is_supported else Word.INCONCLUSIVE
        yield (about, word, str(finding.verdict), finding.evidence, command)


def _line(text: str) -> str:
    """Text in one line of Markdown that shows as it is typed."""
    return markdown(plain(text))
