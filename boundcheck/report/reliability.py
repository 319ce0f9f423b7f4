"""The page on whether work is ever lost: what commands were put through, and what came of it."""

from pathlib import Path

from markupsafe import Markup

from boundcheck.reliability.survey import Survey
from boundcheck.report.page import write_page
from boundcheck.report.section import Material

_TITLE = "boundcheck, attacked: whether work is ever lost"
_LEAD = """Commands were attacked in the ways that the first table counts, and in no others. After each attack but
those on the files that it reads the same command was run again, and what it left was compared, byte by byte, with
what it leaves where nobody attacks it. Right is what came out <em>as if nothing had happened</em>, and what was
refused in <em>one line</em>. Wrong is everything else: a traceback, several lines, a command that hangs, a process or
half-written file that stays behind, a file that is lost, torn, or written through a link, and a result that is
another one. There must be none, and each would be listed here."""


def write_reliability(found: Survey, folder: Path, command: str) -> list[Path]:
    """Write the page, the counts as results.json and every trial as trials.csv.

    Returns:
        The files written, the page first.

    Raises:
        InputError: where the folder cannot be written.

    """
    return write_page(Material(reliability=found, command=command), folder / "index.html", _TITLE, Markup(_LEAD))
