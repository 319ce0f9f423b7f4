"""The look of every figure, what figures have in common, and their files: SVG and PDF.

The files are the same byte for byte from the same runs.
"""

import io
import math
import re
import textwrap
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from html import escape
from itertools import pairwise
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import XAxis, YAxis
from matplotlib.figure import Figure
from matplotlib.mathtext import MathTextParser
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator, NullLocator

from boundcheck.experiment.result import Bar, Link
from boundcheck.language.view import Picture
from boundcheck.present.words import with_power
from boundcheck.shown import visible

# Okabe and Ito's colours, which readers with colour blindness can tell apart.
BLUE, ORANGE, GREEN, VERMILLION, PURPLE, GREY = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#666666",
)
# rcParams; matplotlib's stubs want a literal type for every key.
STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.titlesize": 8,
    "legend.fontsize": 7.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "boundcheck",
    "pdf.fonttype": 42,
}
# Marker and colour of each series of a figure, in order; both differ between neighbours.
LOOKS = (
    ("o", BLUE),
    ("s", ORANGE),
    ("^", GREEN),
    ("D", PURPLE),
    ("v", VERMILLION),
    ("P", BLUE),
    ("X", ORANGE),
)
WIDTH = 6.75  # inches, the text width of a two-column paper
# Serif letters and the mathematics that go with Times; what they lack comes from the next font.
TIMES = {"font.family": ["STIXGeneral", "DejaVu Serif"], "mathtext.fontset": "stix"}


@dataclass(frozen=True)
class Layout:
    """A place where figures are to stand: its width in inches, and whether it is a paper.

    A paper is set in Times at 10 points, its footnotes and so the least text of a figure at 8.
    """

    width: float = WIDTH
    is_paper: bool = False


PAGE = Layout()
ONE_COLUMN = Layout(3.25, is_paper=True)
_LOOK: ContextVar[Layout] = ContextVar("look", default=PAGE)
# Points of the least text on paper, and inches of the narrowest panel.
_LEAST = 8.0
_PANEL = 2.2


@contextmanager
def looking(look: Layout) -> Iterator[None]:
    """Draw the figures of a ``with`` block for another place than a page."""
    before = _LOOK.set(look)
    try:
        yield
    finally:
        _LOOK.reset(before)


# Letters of a text in a figure, and of one in which formulas are drawn.
_LONGEST_TEXT = 1000
_LONGEST_FORMULA = 400
# Letters in a line of a legend, of two columns under the panels or of one beside them.
_LEGEND = 60
_BESIDE = 34
# Letters of a legend in an inch of the room that panels leave, and in a square inch of it.
_LETTERS, _MANY = 12, 36


@contextmanager
def _styled() -> Iterator[None]:
    """Apply the figures' own look, whatever a matplotlibrc says: matplotlib reads one from the
    current folder, too.
    """
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)
        if _LOOK.get().is_paper:
            mpl.rcParams.update(
                {name: max(x, _LEAST) for name, x in STYLE.items() if name.endswith("size")} | TIMES
            )
        yield


def svg(figure: Figure) -> str:
    """The figure as an SVG element, without the date that matplotlib would put in."""
    text = _saved(figure, "svg", Date=None, Creator=None).decode()
    return text[text.index("<svg") :]


def pdf(figure: Figure) -> bytes:
    """The figure as a PDF for a paper."""
    return _saved(figure, "pdf", CreationDate=None, Creator=None, Producer=None)


def png(figure: Figure) -> bytes:
    """The figure as pixels."""
    return _saved(figure, "png", Software=None)


def _saved(figure: Figure, form: str, **metadata: None) -> bytes:
    buffer: Any = io.BytesIO()
    with _styled(), _readable(figure):
        figure.savefig(buffer, format=form, metadata=metadata)
    return bytes(buffer.getvalue())


@contextmanager
def _readable(figure: Figure) -> Iterator[None]:
    """Let a figure be drawn whatever its texts say: a text without a formula that can be drawn
    stays as typed.

    A letter that the font lacks is drawn as an empty box, without a word on stderr.
    """
    for axis in (each for axes in figure.axes for each in (axes.xaxis, axes.yaxis)):
        # The names at its ticks are made anew whenever it is drawn.
        if isinstance(places := axis.get_major_locator(), FixedLocator):
            locations = list(places())
            name_of = axis.get_major_formatter()
            names = [name_of(x, i) for i, x in enumerate(locations)]
            if names != (said := list(map(_short, names))):
                axis.set_ticks(locations, said)
    for text in figure.findobj(Text):
        text.set_text(_short(text.get_text()))
        if text.get_parse_math() and not _is_formula(text.get_text()):
            text.set_parse_math(False)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        # A name that leaves a panel no room is drawn all the same.
        warnings.filterwarnings("ignore", "constrained_layout not applied")
        yield


def _short(text: str) -> str:
    said = visible(text)
    return said if len(said) <= _LONGEST_TEXT else f"{said[:_LONGEST_TEXT]}…"


def _is_formula(text: str) -> bool:
    """True if matplotlib can draw what is between dollars in a text; it raises errors of all kinds
    where it cannot.
    """
    if text.count("$") < 2 or len(text) > _LONGEST_FORMULA:
        return False
    try:
        MathTextParser("path").parse(text)
    except Exception:
        return False
    return True


# How a page writes each colour of a figure, which it has in a light and in a dark tone.
_ON_A_PAGE = {"#000000": "currentColor", "#ffffff": "var(--paper)"} | {
    colour.lower(): f"var(--{name})"
    for name, colour in (
        ("blue", BLUE),
        ("orange", ORANGE),
        ("green", GREEN),
        ("vermillion", VERMILLION),
        ("purple", PURPLE),
        ("grey", GREY),
    )
}
_COLOUR = re.compile("|".join(_ON_A_PAGE))


def on_a_page(text: str, told: str) -> str:
    """An SVG as it stands in a page: in the page's colours, with what it shows in words for those
    who do not see it.
    """
    coloured = _COLOUR.sub(lambda match: _ON_A_PAGE[match[0]], text)
    return coloured.replace("<svg", f'<svg role="img" aria-label="{escape(told)}"', 1)


def described(figure: Figure) -> str:
    """A description of a figure in words: the title of each panel, and what is drawn against
    what.
    """
    said = []
    for axis in figure.axes:
        title = " ".join(axis.get_title(loc="left").split())
        across = " against ".join(filter(None, (axis.get_ylabel(), axis.get_xlabel())))
        said.append(": ".join(filter(None, (title, across))))
    return "; ".join(filter(None, said)) or "a figure"


# What an axis can show with room around it; how much of that at a time; and decades with a tick.
_LARGEST = 1e300
_LONGEST = 1e40
_MOST_TICKS = 24
# How far below the largest value of a bar an axis goes.
_DEEPEST = 1e-6


def looks_of(names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """A marker and a colour for each distinct name, in order."""
    return {name: LOOKS[place % len(LOOKS)] for place, name in enumerate(dict.fromkeys(names))}


def panels(
    items: list[Any], draw: Callable[[Axes, Any], None], most: int = 2, tall: float = 2.05
) -> Figure:
    """A figure with one panel for each item, at most `most` in a row, each `tall` inches tall, and
    one legend for all.

    The legend stands where the last row has room for it, or under the panels, or beside a panel
    that has a row for itself.
    """
    look = _LOOK.get()
    columns = min(len(items), most, max(int(look.width / _PANEL), 1))
    rows = -(-len(items) // columns)
    beside = columns == 1 and look.width > 2 * _PANEL
    with _styled():
        figure = Figure(figsize=(look.width, tall * rows), layout="constrained")
        axes = list(figure.subplots(rows, columns, squeeze=False).flat)
        entries = dict[str, Any]()
        typed = list[Text]()
        for axis, item in zip(axes, items, strict=False):
            draw(axis, item)
            entries |= dict(zip(*reversed(axis.get_legend_handles_labels()), strict=True))
            titles = (child for child in axis.get_children() if isinstance(child, Text))
            typed += [axis.xaxis.label, axis.yaxis.label, *titles]
        for axis in axes[len(items) :]:
            axis.set_axis_off()
        # A line of the legend that is wider than its column would be cut at the edge of the figure.
        free = look.width * (len(axes) - len(items)) / columns
        place: Any
        place, ncols, more, letters = "outside lower center", min(columns, 2), 0.7, _LEGEND
        if beside:
            place, more, letters = "outside right upper", 0.3, _BESIDE
        elif columns == 1:
            more = 1.2
        elif sum(map(len, entries)) < free * tall * _MANY:
            place, ncols, more, letters = "lower right", 1, 0.0, int(free * _LETTERS)
        figure.set_figheight(tall * rows + more)
        lines = [wrapped(name, letters) for name in entries]
        legend = figure.legend(entries.values(), lines, loc=place, ncols=ncols, frameon=False)
        # Names that a user gives, with dollars or without, are no formulas.
        for text in (*typed, *legend.get_texts()):
            text.set_parse_math(False)
        for text in figure.findobj(Text) if look.is_paper else ():
            text.set_fontsize(max(text.get_fontsize(), _LEAST))
    return figure


def pictured(
    name: str,
    items: list[Any],
    draw: Callable[[Axes, Any], None],
    caption: str,
    most: int = 2,
    tall: float = 2.05,
) -> Iterator[Picture]:
    """The figure with one panel for each item, as `panels` draws it; none if there are no items."""
    if items:
        yield Picture(name, partial(panels, items, draw, most, tall), caption)


def wrapped(text: str, letters: int) -> str:
    """The text, each of its lines broken after so many letters at most."""
    return "\n".join(textwrap.fill(line, letters) for line in text.split("\n"))


def name_axes(axis: Axes, title: str, x: str = "", y: str = "", letters: int = 1000) -> None:
    """Write a title at the left above a panel, broken after so many letters, and what stands at its
    axes.
    """
    axis.set_title(wrapped(title, letters), loc="left")
    axis.set(xlabel=x, ylabel=y)


def plain(place: float) -> str:
    """The text of a place on an axis: 0.003, 10000, and 10⁻⁶ where there would be many zeros."""
    if not place or 1e-3 <= abs(place) < 1e5:
        return f"{place:g}"
    digits, exponent = f"{place:e}".split("e")
    return with_power(f"{float(digits):g}e{exponent}").removeprefix("1\u202f×\u202f")


def ticks(
    axis: XAxis | YAxis, places: Iterable[float], text: Callable[[float], str] = plain
) -> None:
    """Set ticks at these places and at no others."""
    axis.set_major_locator(FixedLocator(list(places)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(lambda place, _: text(place))


def extent(*values: Any) -> tuple[float, float]:
    """The least and the largest value that a logarithmic axis can show; values of a diverged run
    may be left out.
    """
    flat = np.concatenate([np.ravel(each) for each in values]).astype(float)
    shown = flat[(flat > 1 / _LARGEST) & (flat < _LARGEST)]
    return (float(shown.min()), float(shown.max())) if len(shown) else (1.0, 1.0)


def log_y(axis: Axes, low: float, high: float) -> None:
    """Make the y-axis logarithmic: ticks at 1, 2 and 5 of each decade (only 1 on a long axis), as
    plain numbers.

    A curve that rises by more than any axis can show, such as that of a diverged run, leaves the
    axis at the top.
    """
    high = min(high, low * _LONGEST)
    axis.set_yscale("log")
    axis.set_ylim(low / 1.4, high * 1.4)
    exponents = range(int(np.floor(np.log10(low))) - 1, int(np.ceil(np.log10(high))) + 1)
    digits = (1,) if high / low > 150 else (1, 2, 5)
    apart = -(-len(exponents) // _MOST_TICKS)
    ticks(
        axis.yaxis, [digit * 10.0**exponent for exponent in exponents[::apart] for digit in digits]
    )


def marks(low: float, high: float, most: int = 7) -> list[float]:
    """The ticks between two numbers: 1 and 3 of each decade, or powers of ten if those are more
    than `most`.
    """
    exponents = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    both = [x for e in exponents for digit in (1, 3) if low <= (x := digit * 10.0**e) <= high]
    if len(both) <= most:
        return both
    powers = [e for e in exponents if low <= 10.0**e <= high]
    apart = -(-len(powers) // most)
    return [10.0**e for e in powers[(len(powers) - 1) % apart :: apart]]


_LINKS = {
    BLUE: "what was measured, and the bound",
    ORANGE: "what a step gives away",
    GREY: "chance, with its interval",
    VERMILLION: "a step that goes the wrong way",
}


def draw_links(
    axis: Axes,
    start: str,
    measured: float,
    links: Sequence[Link],
    end: str,
    title: str,
    most: str = "",
) -> None:
    """Draw a bar for what was measured, one for each link, and one for where they end; the factor
    of `most` is bold.

    An asterisk stands at a label whose constant is only estimated.
    """
    levels = [measured, *(math.nan if link.value is None else link.value for link in links)]
    largest = max(levels)
    low = max(min((x for x in levels if x > 0), default=largest), largest * _DEEPEST) / 1.6
    # The label of each bar, from where to where it goes, and its colour.
    rows: list[tuple[str, float, float, str, Link | None]] = [(start, low, measured, BLUE, None)]
    for link, (before, after) in zip(links, pairwise(levels), strict=True):
        colour = ORANGE if after >= before * (1 - 1e-12) else VERMILLION
        label = link.label
        if isinstance(link, Bar):
            colour = GREY if link.is_chance else colour
            label += "\u00a0*" if link.estimated else ""
        rows.append((label, before, after, colour, link))
    rows.append((end, low, levels[-1], BLUE, None))
    for y, (_, before, after, colour, of) in enumerate(reversed(rows)):
        left, right = (max(x, low) for x in sorted((before, after)))
        axis.barh(y, right - left, left=left, height=0.7, color=colour, lw=0, label=_LINKS[colour])
        if of is None:
            continue
        if (
            isinstance(of, Bar)
            and of.lower is not None
            and of.upper is not None
            and of.upper > of.lower
        ):
            limits = [max(before + x, right * _DEEPEST) for x in (of.lower, of.upper)]
            axis.plot(limits, [y, y], color="black", lw=0.8, solid_capstyle="butt")
            right = max(right, limits[1])
        if (factor := f"{after / before:.3g}" if before > 0 else "1") != "1":
            weight = "bold" if of.label == most else "normal"
            axis.text(right * 1.06, y, f"×{factor}", va="center", fontsize=6.5, fontweight=weight)
    axis.set_xscale("log")
    axis.set_xlim(low, largest * 2.6)
    ticks(axis.xaxis, marks(low, largest * 2.6))
    axis.set_yticks(range(len(rows)), [label for label, *_ in rows[::-1]])
    axis.tick_params(axis="y", labelsize=6.5)
    axis.set_title(title, loc="left")
