"""The page on whether work is ever lost: what commands were put through, and what came of it."""

from pathlib import Path

from markupsafe import Markup

from boundcheck.checked.attacks.survey import Survey
from boundcheck.report.bars import shares_figure
from boundcheck.report.opening import Headline, Opening
from boundcheck.report.page import write_page
from boundcheck.report.section import Material
from boundcheck.report.style import BLUE, GREEN, GREY, VERMILLION
from boundcheck.report.words import number

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
    material = Material(reliability=found, command=command)
    return write_page(material, folder / "index.html", _TITLE, Markup(_LEAD), opening=_opening(found))


_LOOKS = {
    "as if nothing had happened": GREEN,
    "refused in one line": BLUE,
    "read as what it says": GREY,
    "wrong": VERMILLION,
}
_CAPTION = "Of each kind of attack, what came of it. Wrong must be nothing."


def _opening(found: Survey) -> Opening:
    """How many attacks went wrong, and what came of the others."""
    total = found.total
    words = (
        f"Of {number(total['tried'])} attacks on commands {number(total['wrong'])} went wrong. After "
        f"{number(total['same'])} it was as if nothing had happened, and {number(total['line'])} were refused in one "
        "line."
    )
    numbers = (
        Headline(number(total["wrong"]), "attacks that went wrong"),
        Headline(number(total["tried"]), "attacks that were made"),
        Headline(number(len(found.kinds)), f"kinds of attack, on {number(len(found.subjects))} commands and files"),
    )
    keys = ("same", "line", "read", "wrong")
    rows = [(x["kind"], dict(zip(_LOOKS, (x[key] for key in keys), strict=True))) for x in found.kinds]
    return Opening(
        words,
        numbers,
        shares_figure(rows, _LOOKS, "of the attacks"),
        _CAPTION,
    )
