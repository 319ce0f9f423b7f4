"""The page: its sections in order, one self-contained HTML file, with its figures and results
beside it.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from boundcheck.errors import CodeError, InputError
from boundcheck.experiment.result import Results
from boundcheck.language.catalogue import catalogue
from boundcheck.language.prose import plain
from boundcheck.language.view import (
    File,
    Html,
    Line,
    Math,
    Part,
    Picture,
    Row,
    Stack,
    Table,
    View,
    Widget,
    paragraph,
)
from boundcheck.present.card import card
from boundcheck.present.copied import copied
from boundcheck.present.material import Material, StoredRun, load_runs
from boundcheck.present.opening import Opening, opening_of
from boundcheck.present.section import parts_of, sections
from boundcheck.present.shared_out import FIRST, HERE, Section, as_fold, linked, shared_out
from boundcheck.present.style import described, on_a_page, pdf, png, svg
from boundcheck.present.words import said, slug
from boundcheck.shown import visible
from boundcheck.system.ending import say
from boundcheck.system.files import file_name, replace_file
from boundcheck.system.plugins import is_path, theirs
from boundcheck.verdicts import look_of, meanings, spoken

# The picture that a site shows beside a link to the page.
CARD = "card.png"


class Page(Html):
    """A page: parts as HTML, with the looks of the page's style sheet.

    Attributes:
        sections: what stands below the opening.
        files: what is put beside the page, by its path from the page's folder.
        copied: what a button copies, by the id at which it stands; of the whole page at "".

    """

    looks: Mapping[str, str] = {
        **{
            look: f'class="{look}"'
            for look in ("small", "strong", "see", "formula", "scroll", "inside", "wide")
        },
        **{look: f'class="{look}"' for look in ("stacks", "across", "more", "opens")},
        "number": 'class="n"',
    }

    def __init__(self) -> None:
        self.sections: list[Section] = []
        self.files: dict[str, bytes] = {}
        self.copied: dict[str, str] = {}

    def add(self, title: str, see: str, parts: Iterable[Part]) -> None:
        """Add a section, with a sentence below its heading on what to see; nothing where it shows
        nothing.
        """
        inside = Page()
        html = inside.parts(parts)
        self.files |= inside.files
        if html.strip():
            told = self.part(paragraph(see, "see")) if see else ""
            self.sections.append(Section(title, told, html))

    def write(
        self,
        path: Path,
        title: str,
        lead: str,
        opening: Opening,
        files: Mapping[str, bytes],
        source: Markup | str = "",
    ) -> list[Path]:
        """Write the page, and beside it its figures and these files, named by their paths from the
        page's folder.

        It takes, returns and raises what `write_page` does.
        """
        front = Page()
        picture = front.part(Picture(opening.name, lambda: opening.figure, opening.caption))
        folder = Path(__file__).parent / "templates"
        taken = {path.name, *self.files, *files, *front.files}
        given: dict[str, Any] = {
            "title": title,
            # Of a site that is linked to, people are shown these.
            "told": plain(opening.words or Markup(lead).striptags()),
            "card": CARD if CARD in files else "",
            "back": None,
            "lead": lead,
            "source": source,
            "opening": opening,
            "picture": Markup(picture),
            "parts": [],
            # Those that stand on it.
            "words": [
                (Markup(self.badge(word)), meaning)
                for word, meaning in meanings().items()
                if any(f'">{Markup.escape(word)}' in each.html for each in self.sections)
            ],
            "moved": {},
            "copied": self.copied,
            # In the page, so that it is one file.
            "style": Markup((folder / "page.css").read_text(encoding="utf-8")),
            "script": Markup((folder / "page.js").read_text(encoding="utf-8")),
        }
        environment = Environment(
            loader=PackageLoader("boundcheck.present", "templates"),
            autoescape=True,
            undefined=StrictUndefined,
        )
        environment.filters |= {"slug": slug, "said": said}
        template = environment.get_template("page.html.j2")
        room = FIRST - len(template.render(given))
        parts, apart = shared_out(self.sections, room, taken)
        given["parts"] = [
            (Markup(escape(x.title, quote=False)), Markup(x.see + x.html)) for x in parts
        ]
        given["moved"] = {
            id: name for name, (_, html) in apart.items() for id in HERE.findall(html)
        }
        made = {path.name: visible(template.render(given))}
        bare = given | dict.fromkeys(("lead", "source", "picture"), "") | {"moved": {}}
        bare |= {"opening": Opening(""), "back": (path.name, title)}
        for name, (head, html) in apart.items():
            own = {id: self.copied[id] for id in HERE.findall(html) if id in self.copied}
            of_it = bare | {"title": head, "parts": [("", Markup(html))], "copied": own}
            made[name] = visible(template.render(of_it))
        pages = {path.parent / name: text.encode() for name, text in linked(made).items()}
        # No section may keep a file in the place of these, such as the results.
        beside = {**self.files, **files, **front.files}
        return write_files(pages | {path.parent / name: x for name, x in beside.items()})

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
        roles = {
            "table": "table",
            "thead": "rowgroup",
            "tbody": "rowgroup",
            "tr": "row",
            "td": "cell",
        }
        return re.sub(
            r"<(table|thead|tbody|tr|td)\b", lambda x: f'{x[0]} role="{roles[x[1]]}"', made
        )

    def heading(self, view: View) -> str:
        name = f" <code>{escape(view.name)}</code>" if view.name else ""
        badge = f" {self.badge(view.verdict)}" if view.verdict else ""
        here = self.anchor("", view.name) if view.name else ""
        return f"<h3>{self.prose(view.title)}{name}{badge}{here}</h3>"

    def anchor(self, made: str, id: str) -> str:
        name = escape("-".join(id.split()))
        # A link as it stands, which a script copies too.
        return (
            f'{made}<a class="here" id="{name}" href="#{name}" aria-label="Link to {name}"'
            ' title="Copy the link">¶</a>'
        )

    def _fold(self, summary: str, inside: str) -> str:
        return as_fold(super()._fold(summary, inside))

    def prose(self, text: str) -> str:
        return str(said(text))

    def badge(self, word: str, look: str = "") -> str:
        found = look_of(look or word)
        return str(Markup('<span class="badge {}">{}</span>').format(found, spoken(word)))

    def picture(self, picture: Picture) -> str:
        """A figure with its caption, which is kept as SVG and PDF too; an empty text if none is
        drawn.
        """
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

    def widget(self, widget: Widget) -> str:
        # No text in it can end the element.
        data = json.dumps(widget.data).replace("<", "\\u003c")
        return (
            f'<div class="{widget.name}" id="{widget.name}"><script type="application/json">{data}'
            "</script><noscript><p>This part needs JavaScript.</p></noscript></div>"
        )


def write_page(
    material: Material,
    page: Path,
    title: str,
    lead: str,
    outside: Iterable[str] = (),
    opening: Opening | None = None,
    latex: bool = False,
    source: Markup | str = "",
) -> list[Path]:
    """Write the page and, beside it, figures as SVG and PDF, results as JSON, and what sections
    keep.

    If a user's own section fails, its place and stderr say so, and nothing else is lost.

    Args:
        material: what it is made from.
        page: the file.
        title: the page's.
        lead: what the page is about, in a paragraph; text, or Markup.
        outside: import paths of sections that are found in no other way.
        opening: what the page begins with; where left out, what the runs do and what their claims
            say.
        latex: write the folder ``latex`` for a paper too.
        source: who wrote the paper that it is about, and where it is.

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
            say(
                f"the section {each.title or 'without a title'} failed, and the page says so in its"
                f" place: {error}"
            )
            made.sections.append(
                Section(
                    each.title,
                    "",
                    f"<p>This section failed: <code>{escape(str(error))}</code></p>",
                )
            )
    files = {"results.json": json_bytes(material.as_json())}
    made.copied = copied(title, material.told)
    if material.told:
        files["findings.json"] = json_bytes(material.told_as_json)
    if material.study.is_new:
        files["statistics.json"] = json_bytes(material.study.as_json())
    if material.proofs and material.proofs.rows:
        files[CARD] = png(card(title, material.proofs.rows))
    if latex:
        # Deferred: most reports need no LaTeX.
        from boundcheck.present.latex import files_of

        files |= files_of(material, title, lead)
    return made.write(page, title, lead, opening or opening_of(material), files, source)


def write_runs(
    stored: list[Path] | Results,
    page: Path,
    title: str,
    lead: str,
    command: str,
    outside: Iterable[str] = (),
    latex: bool = False,
) -> list[Path]:
    """Write the page of the runs; runs of networks get their own, in ``networks`` if there are
    other runs.

    Raises:
        InputError: for a folder that holds no finished run, one of a claim that is not known, and
            as `write_page` does.

    """
    runs = load_runs(stored)
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
    files = (
        write_page(Material(others, command=command), page, title, lead, outside, latex=latex)
        if others
        else []
    )
    if networks:
        beside = page.parent / "networks" / page.name if others else page
        files += write_page(
            Material(networks, command=command), beside, title, lead, outside, latex=latex
        )
    return files


def write_files(files: Mapping[Path, bytes]) -> list[Path]:
    """Write the files, each whole; raise InputError if their folder cannot be written."""
    try:
        for path, content in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, content)
    except OSError as error:
        folder = next(iter(files)).parent
        raise InputError(
            "out", folder, f"a folder that can be written ({error.strerror})"
        ) from None
    return list(files)


def export_data(runs: list[StoredRun], folder: Path) -> list[Path]:
    """Write each run's trace as netCDF and CSV, for other tools; raise InputError if the folder
    cannot be written.
    """
    written = []
    for run in runs:
        stem = file_name(str(run.result.run_id))
        files = {folder / f"{stem}.nc": bytes(run.trace.to_netcdf(engine="scipy"))}
        for dims in dict.fromkeys(x.dims for x in run.trace.data_vars.values()):
            names = [key for key, x in run.trace.data_vars.items() if x.dims == dims]
            table = run.trace[names].to_dataframe().to_csv(lineterminator="\n")
            files[folder / f"{stem}.{'-'.join(map(str, dims))}.csv"] = table.encode()
        written += write_files(files)
    return written


def json_bytes(value: Any) -> bytes:
    """Plain data as the content of a JSON file, the same bytes for the same data."""
    return (json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n").encode()
