"""The pages on boundcheck itself: how often a verdict is wrong, and whether work is ever lost.

Each has the wrong ones first and every trial as trials.csv beside it.
"""

from pathlib import Path
from typing import Any

from markupsafe import Markup

from boundcheck.checked.survey import Reliability, Soundness
from boundcheck.report.bars import shares_figure
from boundcheck.report.opening import Headline, Opening
from boundcheck.report.page import write_page
from boundcheck.report.section import Material
from boundcheck.report.style import BLUE, GREEN, GREY, VERMILLION
from boundcheck.report.words import number, per_cent

_CHECKED = "boundcheck, checked: how often its verdicts are wrong"
_CHECKED_LEAD = """\
Every layer of boundcheck was given statements that are false, each shown to be so by an exact instance
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
_ATTACKED = "boundcheck, attacked: whether work is ever lost"
_ATTACKED_LEAD = """\
Commands were attacked in the ways that the first table counts, and in no others. After each attack but
those on the files that it reads the same command was run again, and what it left was compared, byte by byte, with
what it leaves where nobody attacks it. Right is what came out <em>as if nothing had happened</em>, and what was
refused in <em>one line</em>. Wrong is everything else: a traceback, several lines, a command that hangs, a process or
half-written file that stays behind, a file that is lost, torn, or written through a link, and a result that is
another one. There must be none, and each would be listed here."""


def write_soundness(found: Soundness, folder: Path, command: str) -> list[Path]:
    """Write the page, its figures as SVG and PDF, the counts as results.json and every trial as trials.csv.

    Returns:
        The files written, the page first.

    Raises:
        InputError: where the folder cannot be written.

    """
    material = Material(survey=found, command=command)
    page = folder / "index.html"
    return write_page(material, page, _CHECKED, Markup(_CHECKED_LEAD), opening=_of_verdicts(found.as_json()))


def write_reliability(found: Reliability, folder: Path, command: str) -> list[Path]:
    """Write the page on attacks on commands, with the same files beside it."""
    material = Material(survey=found, command=command)
    page = folder / "index.html"
    return write_page(material, page, _ATTACKED, Markup(_ATTACKED_LEAD), opening=_of_attacks(found.as_json()))


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


def _of_verdicts(count: dict[str, Any]) -> Opening:
    """How many verdicts were wrong, how much was caught, and by which layer."""
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
    rows = []
    for layer, x in layers.items():
        tried, was_caught, wrong = (x["false"][name] for name in ("tried", "caught", "wrong"))
        rows.append((layer, {"caught": was_caught, "left open": tried - was_caught - wrong, "accepted": wrong}))
    shares = shares_figure(rows, {"caught": GREEN, "left open": GREY, "accepted": VERMILLION}, "of what was false")
    caption = """Of the false statements that each layer was given, the share that it caught, left open, or accepted.
Accepted must be nothing."""
    return Opening(sentence(count), numbers, shares, caption)


_LOOKS = {
    "as if nothing had happened": GREEN,
    "refused in one line": BLUE,
    "read as what it says": GREY,
    "wrong": VERMILLION,
}


def _of_attacks(count: dict[str, Any]) -> Opening:
    """How many attacks went wrong, and what came of the others."""
    total, kinds, subjects = count["all"], count["kinds"], count["subjects"]
    words = (
        f"Of {number(total['tried'])} attacks on commands {number(total['wrong'])} went wrong. After "
        f"{number(total['same'])} it was as if nothing had happened, and {number(total['line'])} were refused in one "
        "line."
    )
    numbers = (
        Headline(number(total["wrong"]), "attacks that went wrong"),
        Headline(number(total["tried"]), "attacks that were made"),
        Headline(number(len(kinds)), f"kinds of attack, on {number(len(subjects))} commands and files"),
    )
    keys = ("same", "line", "read", "wrong")
    rows = [(x["kind"], dict(zip(_LOOKS, (x[key] for key in keys), strict=True))) for x in kinds]
    caption = "Of each kind of attack, what came of it. Wrong must be nothing."
    return Opening(words, numbers, shares_figure(rows, _LOOKS, "of the attacks"), caption)
