"""The page: its sections in order, one self-contained HTML file, with figures as files for a paper beside it."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from boundcheck.claims import catalogue
from boundcheck.doors import is_path
from boundcheck.errors import InputError
from boundcheck.files import file_name, replace_file
from boundcheck.measure.store import finished
from boundcheck.report.forms import Form
from boundcheck.report.logbook import logbook
from boundcheck.report.opening import Opening, opening_of
from boundcheck.report.section import Folder, Material, built, sections, templates
from boundcheck.report.stored import StoredRun
from boundcheck.report.words import said
from boundcheck.shown import visible
from boundcheck.sinks import say


def load_runs(folders: list[Path]) -> list[StoredRun]:
    """Finished runs from their folders; raises InputError for one that holds none, or whose verdict is none."""
    return [StoredRun(*finished(folder)) for folder in folders]


def write_page(
    material: Material,
    page: Path,
    title: str,
    lead: str,
    outside: Iterable[str] = (),
    opening: Opening | None = None,
    also: Iterable[Form] = (),
) -> list[Path]:
    """Write the page and, beside it, figures as SVG and PDF, results as JSON, the logbook, and what sections keep.

    Args:
        material: what it is made from.
        page: the file.
        title: the page's.
        lead: what the page is about, in a paragraph; text, or Markup.
        outside: import paths of sections that are found in no other way.
        opening: what the page begins with; where left out, what the runs do and what their claims say.
        also: the other forms of the report that are wanted.

    A section of a person's own that fails says so in its place and on stderr, and costs nothing else.

    Returns:
        The files written, the page first.

    Raises:
        InputError: where the folder cannot be written, or a section is none.

    """
    folder = Folder()
    parts = []
    for each in sections(outside, material.papers):
        html, error = built(each, material, folder)
        see = str(getattr(each, "see", "")) if html.strip() else ""
        parts.append((each.title, _see(see) + html))
        if error is not None:
            say(f"the section {each.title or 'without a title'} failed, and the page says so in its place: {error}")
    files = {"results.json": json_bytes(material.as_json())}
    if not material.is_of_boundcheck:
        files["logbook.md"] = logbook(material, title).encode()
    if material.study.is_new:
        files["statistics.json"] = json_bytes(material.study.as_json())
    for form in also:
        files |= form(material, title, lead)
    return write_parts(page, title, lead, opening or opening_of(material), parts, files | folder.files)


def write_parts(
    page: Path,
    title: str,
    lead: str,
    opening: Opening,
    parts: Iterable[tuple[str, Markup]],
    files: Mapping[str, bytes],
) -> list[Path]:
    """Write a page of headings and what is below each, without those that are empty, and files beside it.

    Args:
        page: the file.
        title: the page's.
        lead: what the page is about, in a paragraph; text, or Markup.
        opening: what the page begins with.
        parts: the headings, and what is below them.
        files: their content, by their path from the page's folder.

    Returns:
        The files written, the page first.

    Raises:
        InputError: where the folder cannot be written.

    """
    shown = [(heading, part) for heading, part in parts if part.strip()]
    beside = Folder()
    picture = beside.figure(opening.name, opening.figure, said(opening.caption))
    given = {"title": title, "lead": lead, "opening": opening, "picture": picture, "parts": shown, "style": _style()}
    text = templates().get_template("page.html.j2").render(given)
    written = {page: visible(text).encode()}
    return _write(written | {page.parent / name: x for name, x in {**files, **beside.files}.items()})


def _see(text: str) -> Markup:
    """One sentence below a heading, which says what to see; nothing of none."""
    return Markup('<p class="see">{}</p>\n').format(said(text)) if text else Markup()


def _style() -> Markup:
    """The style sheet, which stands in the page, so that the page is one file."""
    return Markup(Path(__file__).with_name("page.css").read_text(encoding="utf-8"))


def write_runs(
    folders: list[Path],
    page: Path,
    title: str,
    lead: str,
    command: str,
    outside: Iterable[str] = (),
    also: Iterable[Form] = (),
) -> list[Path]:
    """Write the page of runs; those of networks have one of their own, in ``networks`` where there are others.

    Raises:
        InputError: for a folder that holds no finished run, one of a claim that is not known, and as `write_page` does.

    """
    runs = load_runs(folders)
    for run in runs:
        _check_known(run.result.claim)
    networks, others = ([run for run in runs if run.is_network is each] for each in (True, False))
    files = write_page(Material(others, command=command), page, title, lead, outside, also=also) if others else []
    if networks:
        beside = page.parent / "networks" / page.name if others else page
        files += write_page(Material(networks, command=command), beside, title, lead, outside, also=also)
    return files


def _check_known(claim: str) -> None:
    """Refuse a claim of one's own that is not known; where that is allowed, one is opened by its path."""
    try:
        catalogue[claim]
    except InputError:
        if not is_path(claim):
            expected = "a claim that is known: one of your own is given by --claim MODULE:NAME"
            raise InputError("claim", claim, expected) from None
        catalogue.named(claim)


def _write(files: Mapping[Path, bytes]) -> list[Path]:
    """Write the files of a page, each whole; raises InputError where its folder cannot be written."""
    try:
        for path, content in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, content)
    except OSError as error:
        folder = next(iter(files)).parent
        raise InputError("out", folder, f"a folder that can be written ({error.strerror})") from None
    return list(files)


def export_data(runs: list[StoredRun], folder: Path) -> list[Path]:
    """Each run's trace as netCDF and as CSV, for other tools; raises InputError where the folder cannot be written."""
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
    """A file of plain data, the same bytes for the same data."""
    return (json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n").encode()
