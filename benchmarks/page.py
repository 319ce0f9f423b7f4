"""The page of a run of the benchmarks: what holds and what is missing, each line, how costs grow,
and the machine."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.growth import BETWEEN, FITTED, PER_ENTRY, Fit, fit
from benchmarks.line import Curve, Line
from benchmarks.machine import LOAD, PRODUCT, TRIAD
from benchmarks.results import Results
from boundcheck.language.view import (
    Badge,
    Code,
    Part,
    Picture,
    Points,
    Prose,
    Row,
    Stack,
    Table,
    line,
    numeric,
    paragraph,
)
from boundcheck.present.opening import Headline, Opening
from boundcheck.present.page import Page
from boundcheck.present.style import (
    BLUE,
    GREY,
    STYLE,
    VERMILLION,
    WIDTH,
    log_y,
    marks,
    panels,
    ticks,
)
from boundcheck.present.words import number, signed

_TITLE = "boundcheck, timed: each figure against its peer"
_LEAD = """Every line was measured on one machine, in a process of its own. Where there is a peer,
ours and the peer's took turns, and the best turn of each counts; a limit in seconds is held against
the median."""
_CAPTION = """The factor that each line has left to its limit, or that it misses. An arrow: further
off than the axis goes."""
# Where the figure of ratios ends; what is further off is drawn there.
_FURTHEST = 20.0
_LOOKS = {"held": "held", "missed": "failed", "not measured": "unknown", "measured": "unknown"}


def write(results: Results, folder: Path) -> list[Path]:
    """Write the page, its figures as SVG and PDF, and results.json.

    Returns:
        The files written, the page first.

    Raises:
        InputError: where the folder cannot be written.

    """
    page = Page()
    page.add("", "", _summary(results))
    page.add("Lines", "", _lines(results))
    page.add("How costs grow", "", _growth(results))
    page.add("How near the machine", "", _roof(results))
    page.add("Machine", "", _machine(results))
    files = {"results.json": results.as_json()}
    return page.write(folder / "index.html", _TITLE, _LEAD, _opening(results), files)


def _summary(results: Results) -> Iterator[Part]:
    """What misses its limit and what was not measured; when all of it was, and how much was
    done."""
    missed = [each for each in results.lines if each.limit and each.verdict == "missed"]
    absent = [each for each in results.lines if each.verdict == "not measured"]
    if missed:
        yield paragraph("These miss their limit:")
        yield Points(tuple(line(Code(f"{each.name},"), Prose(_missed(each))) for each in missed))
    if absent:
        yield paragraph("Not measured here:")
        said = ((each.name, f"{each.what} against {each.peer}: {each.failed}") for each in absent)
        yield Points(tuple(line(Code(f"{name},"), Prose(words)) for name, words in said))
    share = results.effort.share
    quick = f", a quick run of {share} of the work, whose numbers say little" if share < 1 else ""
    yield paragraph(
        f"{results.made}; {results.minutes} minutes{quick}; {results.effort.turns} turns, fixed"
        f" beforehand. Load of the machine when it began: {results.machine[LOAD]}. Made by `make"
        " bench`; `results.json` has the seconds of every turn.",
        "small",
    )


def _missed(each: Line) -> str:
    """What a line found, and the factor that is missing to its limit."""
    missing = each.limit.missed_by(each.found.value) if each.limit and each.found else 1.0
    why = f" {each.why}" if each.why else ""
    return f"{each.what}: {value_and_limit(each)}; a factor of {missing:.2f} is missing.{why}"


def _lines(results: Results) -> Iterator[Part]:
    head = (
        "line",
        "ours, and what it is held against",
        numeric("ours"),
        numeric("theirs"),
        "found",
        "verdict",
    )
    yield Table(head, [_line(each) for each in results.lines if each.limit], most=None)


def _line(each: Line) -> Row:
    found = each.found
    said = " ".join(found.notes) if found else each.failed
    sides = [amount(x, each.unit) for x in (found.ours, found.theirs)] if found else ["–", "–"]
    about = Stack((Prose(f"{each.what} / {each.peer}"), Prose(f"{each.means} {said}", "small")))
    return (
        Code(each.name),
        about,
        *sides,
        value_and_limit(each),
        Badge(each.verdict, _LOOKS[each.verdict]),
    )


_GROWTH = """The cost of an iteration of the ensemble of `ensemble.numpy` over each of its sizes,
and of a whole run over T. Each replica is audited every {} iterations, but none in r. The exponent
is the slope of least squares in logarithms through the largest {} points: at small sizes what does
not grow rules, and the slope would be less than that of the arithmetic, which is 1 in every
letter."""


def _growth(results: Results) -> Iterator[Part]:
    lines = [each for each in results.lines if each.found and each.found.curve]
    if not lines:
        return
    yield paragraph(_GROWTH.format(BETWEEN, FITTED))
    caption = "How the cost grows; the line goes through the points that it was fitted to."
    yield Picture("growth", lambda: curves(lines), caption)
    numbers = map(numeric, ("from", "to", "decades", "exponent", "standard error"))
    rows = [_grown(each.found.curve) for each in lines if each.found and each.found.curve]
    yield Table(
        ("letter", "what grows", *numbers, "the others", "ends there, for"), rows, most=None
    )


def _grown(curve: Curve) -> Row:
    law, ends = fitted(curve), (number(int(curve.x[0])), number(int(curve.x[-1])))
    decades = f"{np.log10(curve.x[-1] / curve.x[0]):.1f}"
    slope = signed(law.slope), f"{law.error:.2f}"
    return curve.letter, curve.meaning, *ends, decades, *slope, curve.setting, curve.ends


_ROOF = """An iteration without its audit has R(6drk + {}mdk + 4r(d + k)) operations: the products
BA, $BᵀG$ and $GAᵀ$; for each entry of each sample of a minibatch a difference, a square and a sum,
a root, a product and a sum; and the step. It moves at least 8R(2r(d + k) + mdk + 2m) bytes: A and B
are read and written, the targets of the minibatch read, its indices written and read. The machine's
rates are measured in the same process: a float64 product of two matrices of size {}, and a triad a
= b + s·c on arrays of {} numbers. A root counts as one operation but takes many times as long as
one of a product, and minibatches are read from a cache, not from memory."""


def _roof(results: Results) -> Iterator[Part]:
    rows = [
        (
            each.what.replace("an iteration of ", ""),
            amount(each.found.ours, each.unit),
            amount(each.found.theirs, each.unit),
            f"{100 * each.found.value:.1f} %",
            " ".join(each.found.notes),
        )
        for each in results.lines
        if not each.limit and each.found and not each.found.curve
    ]
    if rows:
        yield paragraph(_ROOF.format(PER_ENTRY, PRODUCT, number(TRIAD)))
        numbers = map(numeric, ("an iteration takes", "the rates allow", "share"))
        yield Table(("sizes", *numbers, "of each rate"), rows, most=None)


def _machine(results: Results) -> Iterator[Part]:
    machine = sorted(results.machine.items(), key=lambda item: item[0].lower())
    yield Table(
        ("", ""), [(name, Code(value)) for name, value in machine], "What it ran on", most=None
    )
    yield paragraph(
        f"{'; '.join(f'{name} {value}' for name, value in results.versions.items())}.", "small"
    )


def _opening(results: Results) -> Opening:
    """How many lines hold their limit, and how far each is from it."""
    asked = [line for line in results.lines if line.limit]
    held, missed = ([line for line in asked if line.verdict == word] for word in ("held", "missed"))
    numbers = (
        Headline(f"{len(held)} of {len(asked)}", "lines with a limit that hold it"),
        Headline(number(len(missed)), "lines that miss it"),
        Headline(number(len(results.lines)), "lines in all, each measured in a process of its own"),
    )
    words = (
        f"Of {len(asked)} lines that have a limit {len(held)} hold it and {len(missed)} miss it."
    )
    return Opening(words, numbers, headroom(asked), _CAPTION, "headroom")


def amount(value: float | None, unit: str) -> str:
    """A number with its unit; a dash for none."""
    if value is None:
        return "–"
    return f"{number(int(value) if value.is_integer() else value)}\u00a0{unit}".strip()


def value_and_limit(line: Line) -> str:
    """What was found and what it is held to, in words."""
    if line.found is None:
        return "–"
    form = signed if line.found.curve else number
    said = f"{form(line.found.value)}\u00a0{line.says}"
    if line.limit is None:
        return said
    return f"{said}, {'at least' if line.limit.is_least else 'at most'} {line.limit.value:g}"


def fitted(curve: Curve) -> Fit:
    """The exponent of a curve."""
    return fit(curve.x, curve.seconds)


def headroom(lines: list[Line]) -> Figure | None:
    """A bar for each line that has a limit: to the right by the factor that is left, to the left by
    the one missing."""
    if not lines:
        return None
    with rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 0.29 * len(lines) + 0.6), layout="constrained")
        axis = figure.subplots()
        for place, line in enumerate(reversed(lines)):
            if line.found is None or line.limit is None:
                continue
            left = 1 / line.limit.missed_by(line.found.value) if line.found.value else _FURTHEST
            shown = float(np.clip(left, 1 / _FURTHEST, _FURTHEST))
            axis.barh(
                place, shown - 1, left=1, height=0.65, color=BLUE if left >= 1 else VERMILLION, lw=0
            )
            text, beyond = f"×{number(left)}", shown != left
            axis.text(
                shown * (1.05 if left >= 1 else 1 / 1.05),
                place,
                text + (" →" if beyond else ""),
                va="center",
                ha="left" if left >= 1 else "right",
                fontsize=6.5,
            )
        axis.axvline(1, color=GREY, lw=0.8)
        axis.set_xscale("log")
        axis.set_xlim(1 / (2 * _FURTHEST), 2 * _FURTHEST)
        ticks(axis.xaxis, [0.1, 0.3, 1, 3, 10])
        axis.set_yticks(range(len(lines)), [line.name for line in reversed(lines)])
        axis.set_xlabel("factor left to the limit; below 1 the line misses it")
    return figure


def curves(lines: list[Line]) -> Figure | None:
    """A panel for each cost that grows, with the line that was fitted."""
    found = [line.found.curve for line in lines if line.found and line.found.curve]
    return panels(found, _curve, most=3, tall=1.9) if found else None


def _curve(axis: Axes, curve: Curve) -> None:
    law, x, y = fitted(curve), np.array(curve.x), np.array(curve.seconds)
    axis.plot(x, y, "o", color=BLUE, ms=3, label="measured")
    through = np.array([law.first, x[-1]])
    axis.plot(
        through, np.exp(law.intercept) * through**law.slope, color=VERMILLION, lw=1, label="fitted"
    )
    axis.set_xscale("log")
    log_y(axis, y.min(), y.max())
    ticks(axis.yaxis, marks(y.min() / 1.4, y.max() * 1.4), "{:.0e}".format)
    ticks(axis.xaxis, marks(x[0], x[-1]))
    axis.set_xlabel(f"{curve.letter}, {curve.meaning.split(',')[0]}")
    axis.set_ylabel("seconds")
    axis.set_title(f"{curve.letter}: exponent {signed(law.slope)} ± {law.error:.2f}", loc="left")
