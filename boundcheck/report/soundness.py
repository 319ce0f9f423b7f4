"""The page on how often boundcheck is wrong: wrong verdicts, what was caught by which layer, and how fast."""

from pathlib import Path

from markupsafe import Markup

from boundcheck.report.page import write_page
from boundcheck.report.section import Material
from boundcheck.soundness.survey import Survey

_TITLE = "boundcheck, checked: how often its verdicts are wrong"
_LEAD = """Every layer of boundcheck was given statements that are false, each shown to be so by an exact instance
before the layer saw it, and statements that are true by construction. A false statement called <em>proved</em>, a run
called <em>supported</em> whose claim, constants or hypotheses were false, and a true statement called <em>refuted</em>
or <em>violated</em> are wrong verdicts. There must be none, and each would be listed here. Malformed inputs, true ones
that a seed has spoilt, must be refused in one line; a traceback, several lines, more than 20 s or more than 2 GiB of
memory count as wrong too. Where the spoiling left an input sound it is read, and counts as true."""


def write_soundness(found: Survey, folder: Path, command: str) -> list[Path]:
    """Write the page, its figure as SVG and PDF, the counts as results.json and every trial as trials.csv.

    Returns:
        The files written, the page first.

    Raises:
        InputError: where the folder cannot be written.

    """
    return write_page(Material(survey=found, command=command), folder / "index.html", _TITLE, Markup(_LEAD))
