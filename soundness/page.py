"""The pages on how often boundcheck is wrong: in its verdicts, and in commands that are
attacked.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from boundcheck.exact.digits import Toward, shown
from boundcheck.language import view
from boundcheck.language.view import Code, Part, Prose, numeric, paragraph
from boundcheck.present.material import MOST_ROWS, grouped
from boundcheck.present.opening import Headline, Opening
from boundcheck.present.page import Page, json_bytes
from boundcheck.present.style import (
    BLUE,
    GREEN,
    GREY,
    VERMILLION,
    name_axes,
    panels,
    pictured,
    ticks,
)
from boundcheck.present.words import number
from soundness.survey import LAYERS, Reliability, Soundness
from soundness.trial import Trial

_OF_VERDICTS = """\
Every layer of boundcheck was given statements that are false, each shown to be so by an exact
instance before the layer saw it, and statements that are true by construction. A false statement
called <em>proved</em>, a run called <em>supported</em> whose claim, constants or hypotheses were
false, and a true statement called <em>refuted</em> or <em>violated</em> are wrong verdicts.
There must be none, and each would be listed here. Malformed inputs, true ones that a seed has
spoilt, must be refused in one line; a traceback, several lines, more than 20 s or more than 2
GiB of memory count as wrong too. Where the spoiling left an input sound it is read, and counts
as true. The engines are examined together: a claim made of words, whose truth a theorem's known
constant or an exact run decides, is put to all of them, and two answers that contradict each
other are wrong as well. A claim of which nothing is known is tried for such answers alone, and
counts as true. A layer that dies of what it is given is wrong, too. The limits are those of
Clopper and Pearson, one-sided, for what the same generator could make, as if each trial were
drawn from it by itself. It changes the same few hundred lines, claims and runs again and again,
so that trials are alike; and it is no sample of papers, of which the limits say nothing."""
_OF_ATTACKS = """\
Commands were attacked in the ways that the first table counts, and in no others. After each
attack but those on the files that it reads the same command was run again, and what it left was
compared, byte by byte, with what it leaves where nobody attacks it. Right is what came out
<em>as if nothing had happened</em>, and what was refused in <em>one line</em>. Wrong is
everything else: a traceback, several lines, a command that hangs, a process or half-written file
that stays behind, a file that is lost, torn, or written through a link, and a result that is
another one. There must be none, and each would be listed here."""


# What came of an attack, by its key in the counts, as the picture calls it.
_LOOKS = {
    "same": ("as if nothing had happened", GREEN),
    "line": ("refused in one line", BLUE),
    "read": ("read as what it says", GREY),
    "wrong": ("wrong", VERMILLION),
}


def per_cent(share: float | None) -> str:
    """An upper limit for a share, in per cent, rounded up; a dash for none."""
    return "–" if share is None else f"{shown(100 * share, 2, Toward.UP)} %"


def write_survey(survey: Soundness | Reliability, folder: Path, command: str) -> list[Path]:
    """Write the page of a survey, its figures as SVG and PDF, the counts as results.json and every
    trial as trials.csv.

    Returns:
        The files written, the page first.

    Raises:
        InputError: where the folder cannot be written.

    """
    page = Page()
    count = survey.as_json()
    files = {"results.json": json_bytes(count), "trials.csv": survey.as_csv()}
    wrong = (
        [_trials(survey.wrong, "Why it is true or false, or what it said")]
        if survey.wrong
        else [paragraph("None.")]
    )
    page.add(
        "What went wrong",
        "Wrong is a verdict that says something false, or work that is lost. There must be none.",
        wrong,
    )
    said = (
        f"`{command}`, in {sum(trial.seconds for trial in survey.trials) / 60:.0f} minutes of"
        " trials"
    )
    kept = "Every trial is a row of `trials.csv`; the counts are in `results.json`."
    if isinstance(survey, Soundness):
        page.add(
            "What each layer was asked, and what it said",
            "In the columns Accepted and Refuted there must be nothing but zeros.",
            _layers(count),
        )
        page.add(
            "What is caught, and how fast",
            "At the right of each line is how many false statements of that kind the layer caught,"
            " of how many.",
            _caught(survey, count),
        )
        page.add("What is true and not found so", "", _unproved(survey, count))
        again = "All of it is the same each time but for the day, the seconds and the memory."
        page.add(
            "How this page was made", "", [paragraph(f"{said}, on {survey.made}. {kept} {again}")]
        )
    else:
        see = "In the last column there must be nothing but zeros."
        page.add("What was tried, and what came of it", see, _attacked(count))
        machine = view.Table(
            tuple(survey.machine), [[Code(value) for value in survey.machine.values()]]
        )
        page.add("How this page was made", "", [paragraph(f"{said}. {kept}"), machine])
    return page.write(folder / "index.html", *_head(survey, count), files)


def _head(survey: Soundness | Reliability, count: dict[str, Any]) -> tuple[str, Markup, Opening]:
    """The title of the page of a survey, what it is about, and its opening."""
    if isinstance(survey, Soundness):
        layers = {
            layer: x
            for layer, x in count["layers"].items()
            if x["false"]["tried"] or x["true"]["tried"]
        }
        false = count["false"]
        true = count["true"]
        share = (
            100
            * sum(layer["false"]["caught"] for layer in layers.values())
            / max(false["tried"], 1)
        )
        numbers = (
            Headline(number(false["wrong"] + true["wrong"]), "wrong verdicts"),
            Headline(
                number(false["tried"] + true["tried"]), "statements, files and runs that were tried"
            ),
            Headline(f"{share:.1f} %", "of what was false was caught, and not merely left open"),
        )
        rows = []
        for layer, x in layers.items():
            tried, caught, wrong = (x["false"][name] for name in ("tried", "caught", "wrong"))
            rows.append(
                (layer, {"caught": caught, "left open": tried - caught - wrong, "accepted": wrong})
            )
        looks = {"caught": GREEN, "left open": GREY, "accepted": VERMILLION}
        caption = (
            "Of the false statements that each layer was given, the share that it caught, left"
            " open, or accepted.\nAccepted must be nothing."
        )
        opening = Opening(
            sentence(count), numbers, _shares_figure(rows, looks, "of what was false"), caption
        )
        return (
            "boundcheck, checked: how often its verdicts are wrong",
            Markup(_OF_VERDICTS),
            opening,
        )
    total = count["all"]
    kinds = count["kinds"]
    words = (
        f"Of {number(total['tried'])} attacks on commands {number(total['wrong'])} went wrong."
        f" After {number(total['same'])} it was as if nothing had happened, and"
        f" {number(total['line'])} were refused in one line."
    )
    numbers = (
        Headline(number(total["wrong"]), "attacks that went wrong"),
        Headline(number(total["tried"]), "attacks that were made"),
        Headline(
            number(len(kinds)),
            f"kinds of attack, on {number(len(count['subjects']))} commands and files",
        ),
    )
    rows = [(x["kind"], {words: x[key] for key, (words, _) in _LOOKS.items()}) for x in kinds]
    figure = _shares_figure(rows, dict(_LOOKS.values()), "of the attacks")
    opening = Opening(
        words, numbers, figure, "Of each kind of attack, what came of it. Wrong must be nothing."
    )
    return "boundcheck, attacked: whether work is ever lost", Markup(_OF_ATTACKS), opening


def sentence(count: dict[str, Any]) -> str:
    """The outcome of a survey, from its results.json: how many verdicts were wrong, and how many
    more could be.
    """
    false = count["false"]
    true = count["true"]
    made = f"{count['date']} boundcheck {count['version']}"
    sure = f"{count['confidence']:.0%}"
    return (
        f"On {made} accepted {false['wrong']:,} of {false['tried']:,} false ones and refuted"
        f" {true['wrong']:,} of {true['tried']:,} true ones. With {sure} confidence each, it would"
        f" accept at most {per_cent(false['at_most'])} of the false ones that the survey can make,"
        f" and refute at most {per_cent(true['at_most'])} of the true ones."
    )


def by_layer(count: dict[str, Any]) -> str:
    """A sentence on how much of what is false each layer caught, from a survey's results.json."""
    each = (
        f"{layer} {x['false']['caught']:,} of {x['false']['tried']:,}"
        for layer, x in count["layers"].items()
        if x["false"]["tried"]
    )
    return f"Of the false ones were caught: {', '.join(each)}."


def _shares_figure(
    rows: Sequence[tuple[str, dict[str, int]]], looks: dict[str, str], of: str
) -> Figure | None:
    """A figure with a bar for each row, cut into the shares of what is counted there, with the
    total beside it.
    """
    counted = [(name, counts) for name, counts in rows if sum(counts.values())]

    def draw(axis: Axes, _: None) -> None:
        for place, (_name, counts) in enumerate(counted):
            whole = sum(counts.values())
            left = 0.0
            for what, count in counts.items():
                axis.barh(
                    place,
                    100 * count / whole,
                    left=left,
                    height=0.7,
                    color=looks[what],
                    lw=0,
                    label=what,
                )
                left += 100 * count / whole
            axis.text(101, place, number(whole), va="center", fontsize=7)
        axis.set_xlim(0, 100)
        axis.set_ylim(len(counted) - 0.5, -0.5)
        axis.set_yticks(range(len(counted)), [name for name, _ in counted])
        ticks(axis.xaxis, range(0, 101, 25))
        axis.set_xlabel(f"% {of}; at the right, of how many")

    return panels([None], draw, tall=0.4 + 0.26 * len(counted)) if counted else None


def _trials(trials: Sequence[Trial], why: str) -> view.Table:
    rows = [
        (Code(x.subject), x.layer, Prose(f"{x.kind}: {x.change}"), x.outcome, Prose(x.witness))
        for x in trials
    ]
    return view.Table(("What", "Layer", "Change", "Outcome", why), rows, most=None)


_WRONG = """For each layer of boundcheck, how many statements it was asked about, and how many
verdicts were wrong. At most: the {:.0f}\u202f% upper limit for the share of wrong verdicts."""


def _layers(count: dict[str, Any]) -> Iterator[Part]:
    names = ("False, tried", "Accepted", "At most", "Caught", "True, tried", "Refuted", "At most")
    rows: list[view.Row] = []
    of_layers = [(layer, LAYERS[layer], x) for layer, x in count["layers"].items()]
    for layer, asked, x in (*of_layers, ("all", "", count)):
        share = "–"
        cells = []
        if x["false"]["tried"] and "caught" in x["false"]:
            share = f"{100 * x['false']['caught'] / x['false']['tried']:.1f}\u202f%"
        for of in (x["false"], x["true"]):
            cells += [number(of["tried"]), str(of["wrong"]), per_cent(of["at_most"])]
        rows.append((layer, asked, *cells[:3], share, *cells[3:]))
    head: view.Head = ("Layer", "What it was asked about", *map(numeric, names))
    yield view.Table(head, rows, _WRONG.format(100 * count["confidence"]), most=None)
    yield paragraph(
        f"Of changed claims {number(count['undecided'])} more could neither be shown false at an"
        " exact point nor are true by construction; they were not tried.",
        "small",
    )


_CAUGHT = """Proof catches a false statement by not proving it; {} of {} are refuted by a witness
too, which is less of a surprise, because one was known before. The reading catches what would
mislead by refusing it in one line; each entry of its gallery has a true twin, which passes.
Falsification catches by an instance that Arb certifies, measurement by a verdict that names the
planted fault. Of what the engines were examined on, a claim counts as caught where one of them
shows it to be false."""
_INPUTS = """Of {} malformed inputs {} were refused in one line and {} read, as far as reading,
planning and checking goes, without a run. The slowest took {:.1f} s; the most memory that one
took beyond what Python and torch hold at their start was {} MiB."""
_TIMES = """Seconds on one core that a layer took to catch a false mutant, by the kind of change;
at the right, how many it caught of how many."""


def _caught(survey: Soundness, count: dict[str, Any]) -> Iterator[Part]:
    proof = count["layers"]["proof"]["false"]
    read = count["layers"]["input"]
    yield paragraph(
        _CAUGHT.format(number(proof["outcomes"].get("refuted", 0)), number(proof["tried"]))
    )
    if tried := read["false"]["tried"] + read["true"]["tried"]:
        found = number(tried), number(read["false"]["caught"]), number(read["true"]["tried"])
        yield paragraph(
            _INPUTS.format(
                *found, read["most"]["seconds"], number(round(read["most"]["mebibytes"]))
            )
        )
    # A processor's time is counted in hundredths of a second, and may be 0.
    times = [max(x, _LEAST) for row in count["kinds"] for x in row["seconds"].values()] or [1.0]
    limits = min(times) / 1.5, max(times) * 1.5
    items = list(grouped(count["kinds"], lambda row: row["layer"]).values())

    def draw(axis: Axes, rows: list[dict[str, Any]]) -> None:
        for y, row in enumerate(rows):
            if row["seconds"]:
                median, longest = (
                    max(row["seconds"][name], _LEAST) for name in ("median", "longest")
                )
                axis.plot(
                    [median, longest],
                    [y, y],
                    color=BLUE,
                    lw=1,
                    label="from the median to the longest",
                )
                axis.plot(median, y, "o", color=BLUE, ms=4, label="median time to catch")
            whole = row["caught"] == row["tried"]
            axis.annotate(
                f"{row['caught']:,} of {row['tried']:,}",
                (1.02, y),
                xycoords=("axes fraction", "data"),
                va="center",
                fontsize=7,
                color=GREY if whole else VERMILLION,
            )
        axis.set_xscale("log")
        axis.set_xlim(*limits)
        axis.xaxis.set_minor_locator(NullLocator())
        axis.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        axis.set_yticks(range(len(rows)), [row["kind"] for row in rows])
        axis.set_ylim(len(rows) - 0.5, -0.5)
        caught, tried = (sum(row[name] for row in rows) for name in ("caught", "tried"))
        name_axes(axis, f"{rows[0]['layer']}: {caught:,} of {tried:,} caught", "seconds")

    yield from pictured("soundness", items, draw, _TIMES, tall=2.5)
    missed = tuple(x for x in survey.trials if not (x.true or x.caught or x.layer == "engines"))
    if missed:
        said = f"{len(missed)} false mutants that were not caught, and not accepted either"
        yield view.Fold(view.line(said), (_trials(missed, "False because"),))


def _unproved(survey: Soundness, count: dict[str, Any]) -> Iterator[Part]:
    layers = count["layers"]
    left = [trial for trial in survey.of("proof", True) if trial.outcome == "not proved"]
    found = (
        f"{number(len(left))} of {number(layers['proof']['true']['tried'])} true variations were"
        " not proved"
    )
    yield paragraph(
        f"No error, but what the tool cannot do. Proof: {found}{', such as:' if left else '.'}"
    )
    if left:
        rows = [
            (Code(each.subject), Prose(f"{each.kind}: {each.change}")) for each in left[:MOST_ROWS]
        ]
        yield view.Table(("Line", "Variation"), rows)
    runs = layers["measurement"]["true"]
    outcomes = ", ".join(
        f"{number(count)} {outcome}" for outcome, count in runs["outcomes"].items()
    )
    yield paragraph(
        f"Measurement: {outcomes}, of {number(runs['tried'])} runs whose hypotheses held for"
        " certain. A run that nearly attains a bound cannot be informative, so that most of these"
        " are not."
    )


_WRITES = """A write is a file that is opened for writing, renamed or removed, or a folder that
is made. Which write, which moment and which byte is drawn from a seed. A disk that fails at a
write is the one that the operating system tells Python of: the call raises what the system
would; a disk that is full in the middle of a file is the system's own limit on the size of
files. Read as what it says: a spec or an instance is whatever its author writes, so that another
one there is a sound one too."""
_HEAD = tuple(
    map(
        numeric,
        ("Tried", "As if nothing had happened", "One line", "Read as what it says", "Wrong"),
    )
)


def _attacked(count: dict[str, Any]) -> Iterator[Part]:
    def counts(found: Sequence[dict[str, Any]], name: str, head: str) -> view.Table:
        rows = [(x[name], *(number(x[key]) for key in ("tried", *_LOOKS))) for x in found]
        return view.Table((head, *_HEAD), rows, most=None)

    yield counts((*count["kinds"], {"kind": "all"} | count["all"]), "kind", "Attack")
    yield paragraph(_WRITES)
    yield view.View("Who was attacked", parts=(counts(count["subjects"], "subject", "Subject"),))


# Seconds; what took less is drawn here.
_LEAST = 1e-3
