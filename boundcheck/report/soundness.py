"""The page on how often boundcheck is wrong: wrong verdicts, what was caught by which layer, and how fast."""

from pathlib import Path
from typing import Any

from markupsafe import Markup

from boundcheck.report.bars import shares_figure
from boundcheck.report.opening import Headline, Opening
from boundcheck.report.page import write_page
from boundcheck.report.section import Material
from boundcheck.report.style import GREEN, GREY, VERMILLION
from boundcheck.report.words import number
from boundcheck.soundness.survey import Survey

_TITLE = "boundcheck, checked: how often its verdicts are wrong"
_LEAD = """Every layer of boundcheck was given statements that are false, each shown to be so by an exact instance
before the layer saw it, and statements that are true by construction. A false statement called <em>proved</em>, a run
called <em>supported</em> whose claim, constants or hypotheses were false, and a true statement called <em>refuted</em>
or <em>violated</em> are wrong verdicts. There must be none, and each would be listed here. Malformed inputs, true ones
that a seed has spoilt, must be refused in one line; a traceback, several lines, more than 20 s or more than 2 GiB of
memory count as wrong too. Where the spoiling left an input sound it is read, and counts as true. A layer that dies of
what it is given is wrong, too."""


def write_soundness(found: Survey, folder: Path, command: str) -> list[Path]:
    """Write the page, its figure as SVG and PDF, the counts as results.json and every trial as trials.csv.

    Returns:
        The files written, the page first.

    Raises:
        InputError: where the folder cannot be written.

    """
    material = Material(survey=found, command=command)
    return write_page(material, folder / "index.html", _TITLE, Markup(_LEAD), opening=_opening(found))


_CAPTION = """Of the false statements that each layer was given, the share that it caught, left open, or accepted.
Accepted must be nothing."""


def _opening(found: Survey) -> Opening:
    """How many verdicts were wrong, how much was caught, and by which layer."""
    count = found.as_json()
    layers = {layer: x for layer, x in count["layers"].items() if x["false"]["tried"] or x["true"]["tried"]}
    false, true = count["false"], count["true"]
    caught = sum(layer["false"]["caught"] for layer in layers.values())
    words = (
        f"{number(false['tried'])} false statements were tried, and {number(false['wrong'])} of them accepted; "
        f"{number(true['tried'])} true ones, and {number(true['wrong'])} of them refuted."
    )
    numbers = (
        Headline(number(false["wrong"] + true["wrong"]), "wrong verdicts"),
        Headline(number(false["tried"] + true["tried"]), "statements, files and runs that were tried"),
        Headline(
            f"{100 * caught / max(false['tried'], 1):.1f} %", "of what was false was caught, and not merely left open"
        ),
    )
    rows = [
        (layer, {"caught": x["false"]["caught"], "left open": _left_open(x["false"]), "accepted": x["false"]["wrong"]})
        for layer, x in layers.items()
    ]
    shares = shares_figure(rows, {"caught": GREEN, "left open": GREY, "accepted": VERMILLION}, "of what was false")
    return Opening(
        words,
        numbers,
        shares,
        _CAPTION,
    )


def _left_open(false: dict[str, Any]) -> int:
    return int(false["tried"] - false["caught"] - false["wrong"])
