"""The page of a run of the benchmarks: what holds and what is missing, each line, how costs grow, and the machine."""

from pathlib import Path

import numpy as np
from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.growth import BETWEEN, FITTED, PER_ENTRY, Fit, fit
from benchmarks.line import Curve, Line
from benchmarks.machine import PRODUCT, TRIAD
from benchmarks.results import Results
from boundcheck.report.opening import Headline, Opening
from boundcheck.report.page import write_parts
from boundcheck.report.section import Folder, templates
from boundcheck.report.style import BLUE, GREY, STYLE, VERMILLION, WIDTH, log_y, marks, panels, ticks
from boundcheck.report.words import number, signed

_TITLE = "boundcheck, timed: each figure against its peer"
_LEAD = """Every line was measured on one machine, in a process of its own. Where there is a peer, ours and
the peer's took turns, and the best turn of each counts; a limit in seconds is held against the median."""
_CAPTION = """The factor that each line has left to its limit, or that it misses. An arrow: further off than the axis
goes."""
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
    beside = Folder()
    source = Path(__file__).with_name("page.html.j2").read_text(encoding="utf-8")
    # In the macros of the file each part has its words.
    given = {
        "results": results,
        "figure": lambda name, drawn, caller: beside.figure(name, drawn, caller()),
        **{each.__name__: each for each in (badge, value_and_limit, curves, fitted, amount, decades)},
        "numbers": {"between": BETWEEN, "fitted": FITTED, "per_entry": PER_ENTRY, "product": PRODUCT, "triad": TRIAD},
    }
    parts = templates().from_string(source).make_module(given)
    headings = {"": "summary", "Lines": "table", "How costs grow": "growth", "How near the machine": "roof"}
    headings |= {"Machine": "machine"}
    built = [(heading, Markup(getattr(parts, name)())) for heading, name in headings.items()]
    files = {"results.json": results.as_json()} | beside.files
    return write_parts(folder / "index.html", _TITLE, _LEAD, _opening(results), built, files)


def _opening(results: Results) -> Opening:
    """How many lines hold their limit, and how far each is from it."""
    asked = [line for line in results.lines if line.limit]
    held, missed = ([line for line in asked if line.verdict == word] for word in ("held", "missed"))
    numbers = (
        Headline(f"{len(held)} of {len(asked)}", "lines with a limit that hold it"),
        Headline(number(len(missed)), "lines that miss it"),
        Headline(number(len(results.lines)), "lines in all, each measured in a process of its own"),
    )
    words = f"Of {len(asked)} lines that have a limit {len(held)} hold it and {len(missed)} miss it."
    return Opening(words, numbers, headroom(asked), _CAPTION, "headroom")


def badge(verdict: str) -> Markup:
    """A verdict as pages show it."""
    return Markup('<span class="badge {}">{}</span>').format(_LOOKS[verdict], verdict)


def amount(value: float | None, unit: str) -> str:
    """A number with its unit; a dash for none."""
    if value is None:
        return "–"
    return f"{number(int(value) if value.is_integer() else value)}\u00a0{unit}".strip()


def value_and_limit(line: Line) -> str:
    """What was found and what it is held to, in words."""
    if line.found is None:
        return "–"
    said = f"{signed(line.found.value) if line.found.curve else number(line.found.value)}\u00a0{line.says}"
    if line.limit is None:
        return said
    return f"{said}, {'at least' if line.limit.is_least else 'at most'} {line.limit.value:g}"


def fitted(curve: Curve) -> Fit:
    """The exponent of a curve."""
    return fit(curve.x, curve.seconds)


def decades(curve: Curve) -> float:
    """How many powers of ten it goes through."""
    return float(np.log10(curve.x[-1] / curve.x[0]))


def headroom(lines: list[Line]) -> Figure | None:
    """A bar for each line that has a limit: to the right by the factor that is left, to the left by the one missing."""
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
            axis.barh(place, shown - 1, left=1, height=0.65, color=BLUE if left >= 1 else VERMILLION, lw=0)
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
    axis.plot(through, np.exp(law.intercept) * through**law.slope, color=VERMILLION, lw=1, label="fitted")
    axis.set_xscale("log")
    log_y(axis, y.min(), y.max())
    ticks(axis.yaxis, marks(y.min() / 1.4, y.max() * 1.4), "{:.0e}".format)
    ticks(axis.xaxis, marks(x[0], x[-1]))
    axis.set_xlabel(f"{curve.letter}, {curve.meaning.split(',')[0]}")
    axis.set_ylabel("seconds")
    axis.set_title(f"{curve.letter}: exponent {signed(law.slope)} ± {law.error:.2f}", loc="left")
