"""The page on how often boundcheck is wrong: wrong verdicts, what was caught by which layer, and how fast."""

from pathlib import Path
from typing import Any

from markupsafe import Markup

from boundcheck.checked.survey import Survey
from boundcheck.report.bars import shares_figure
from boundcheck.report.opening import Headline, Opening
from boundcheck.report.page import write_page
from boundcheck.report.section import Material
from boundcheck.report.style import GREEN, GREY, VERMILLION
from boundcheck.report.words import number, per_cent

_TITLE = "boundcheck, checked: how often its verdicts are wrong"
_LEAD = """Every layer of boundcheck was given statements that are false, each shown to be so by an exact instance
before the layer saw it, and statements that are true by construction. A false statement called <em>proved</em>, a run
called <em>supported</em> whose claim, constants or hypotheses were false, and a true statement called <em>refuted</em>
or <em>violated</em> are wrong verdicts. There must be none, and each would be listed here. Malformed inputs, true ones
that a seed has spoilt, must be refused in one line; a traceback, several lines, more than 20 s or more than 2 GiB of
memory count as wrong too. Where the spoiling left an input sound it is read, and counts as true. The engines are
examined together: a claim made of words, whose truth a theorem's known constant or an exact run decides, is put to all
of them, and two answers that contradict each other are wrong as well. A claim of which nothing is known is tried for
such answers alone, and counts as true. A layer that dies of
what it is given is wrong, too. The limits are those of Clopper and Pearson, one-sided, for what the same generator
could make, as if each trial were drawn from it by itself. It changes the same few hundred lines, claims and runs again
and again, so that trials are alike; and it is no sample of papers, of which the limits say nothing."""


def write_soundness(found: Survey, folder: Path, command: str) -> list[Path]:
    """Write the page, its figure as SVG and PDF, the counts as results.json and every trial as trials.csv.

    Returns:
        The files written, the page first.

    Raises:
        InputError: where the folder cannot be written.

    """
    material = Material(survey=found, command=command)
    return write_page(material, folder / "index.html", _TITLE, Markup(_LEAD), opening=_opening(found))


def sentence(count: dict[str, Any]) -> str:
    """What a survey came to, from its results.json: how many verdicts were wrong, and how many more could be."""
    false, true = count["false"], count["true"]
    made, sure = f"{count['date']} boundcheck {count['version']}", f"{count['confidence']:.0%}"
    return (
        f"On {made} accepted {false['wrong']:,} of {false['tried']:,} false ones "
        f"and refuted {true['wrong']:,} of {true['tried']:,} true ones. With {sure} confidence each, it would accept "
        f"at most {per_cent(false['at_most'])} of the false ones that the survey can make, and refute at most "
        f"{per_cent(true['at_most'])} of the true ones."
    )


def by_layer(count: dict[str, Any]) -> str:
    """How much of what is false each layer caught, from a survey's results.json."""
    each = (
        f"{layer} {x['false']['caught']:,} of {x['false']['tried']:,}"
        for layer, x in count["layers"].items()
        if x["false"]["tried"]
    )
    return f"Of the false ones were caught: {', '.join(each)}."


_CAPTION = """Of the false statements that each layer was given, the share that it caught, left open, or accepted.
Accepted must be nothing."""


def _opening(found: Survey) -> Opening:
    """How many verdicts were wrong, how much was caught, and by which layer."""
    count = found.as_json()
    layers = {layer: x for layer, x in count["layers"].items() if x["false"]["tried"] or x["true"]["tried"]}
    false, true = count["false"], count["true"]
    caught = sum(layer["false"]["caught"] for layer in layers.values())
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
        sentence(count),
        numbers,
        shares,
        _CAPTION,
    )


def _left_open(false: dict[str, Any]) -> int:
    return int(false["tried"] - false["caught"] - false["wrong"])
