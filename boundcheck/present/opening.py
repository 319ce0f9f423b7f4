"""`Opening`, the beginning of a page: a verdict in a paragraph, three numbers, and one picture.

A paper's `report.py` may have `opening`, which makes one from the page's `Material`. All other
pages have the one
below: what each claim says, and what the runs of it do.
"""

import math
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from boundcheck.exact.digits import Toward, shown
from boundcheck.language.catalogue import catalogue
from boundcheck.present.material import (
    Material,
    StoredRun,
    distinct,
    highest_rank,
    largest,
    settings,
)
from boundcheck.present.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    VERMILLION,
    marks,
    name_axes,
    panels,
    ticks,
    wrapped,
)
from boundcheck.present.words import label, number, titled
from boundcheck.proof.audit import Carrier, carrier
from boundcheck.verdicts import Verdict, counts, spoken
from boundcheck.worst_case.view import rounded_down

# What stands for what in the picture: what a paper prints, what holds, what a run does, what is
# known without either.
PRINTED = VERMILLION
HOLDS = GREEN
RUN = BLUE
KNOWN = GREY
# What a theorem would say if constants that were only seen were the true ones.
SEEN = ORANGE
_LOOKS = {
    PRINTED: ("|", "what is claimed"),
    HOLDS: ("|", "what is proved"),
    RUN: ("o", "what a run does, measured: no bound"),
    KNOWN: ("|", "what is known without the theorem"),
    SEEN: ("|", "what the theorem would say at constants that were only seen: no bound"),
}
_MOST_PANELS = 4
_TITLE = 34
_LETTERS = 22
# Values further apart than this are drawn on a logarithmic axis.
_FAR = 30.0


@dataclass(frozen=True)
class Headline:
    """A number that a page prints large, and one line that says what it is; both may have
    formulas.
    """

    shown: str
    says: str


@dataclass(frozen=True)
class Opening:
    """The beginning of a page.

    Attributes:
        words: the verdict in a paragraph, a text with formulas.
        numbers: three of them, or fewer where there are no more.
        figure: the picture; None where there is nothing to draw.
        caption: what the picture shows, as `words`.
        name: of the picture's files.

    """

    words: str
    numbers: Sequence[Headline] = ()
    figure: Figure | None = None
    caption: str = ""
    name: str = "opening"


@dataclass(frozen=True)
class Stroke:
    """A line of the picture: a value from 0 on, with what it is.

    Attributes:
        words: at its left.
        value: where it ends.
        look: ``PRINTED``, ``HOLDS``, ``RUN``, ``KNOWN`` or ``SEEN``.
        limits: of a value that was measured, its interval.
        silent: whether the theorem says nothing of the run that measured it.
        toward: where its number is rounded to: up, if it bounds something.

    """

    words: str
    value: float | None
    look: str
    limits: tuple[float, float] | None = None
    silent: bool = False
    toward: Toward = Toward.UP


@dataclass(frozen=True)
class Strokes:
    """A panel of the picture: its title, its axis, and its lines from the top."""

    title: str
    axis: str
    lines: Sequence[Stroke]


def picture(found: Iterable[Strokes]) -> Figure | None:
    """A figure with a panel for each: horizontal lines, their values at their ends; None if nothing
    can be drawn.
    """
    shown = []
    for panel in found:
        # What has a place on an axis.
        lines = [line for line in panel.lines if 0 < (line.value or 0.0) < math.inf]
        shown += [Strokes(panel.title, panel.axis, lines)] if len(lines) > 1 else []
    most = max((len(each.lines) for each in shown), default=0)
    above = max((wrapped(each.title, _TITLE).count("\n") for each in shown), default=0)
    return (
        panels([(each, most) for each in shown], _draw, tall=0.7 + 0.15 * above + 0.3 * most)
        if shown
        else None
    )


_OF_RUNS = """Of each claim the run of highest rank: what the claim says, what is known without it,
and what the run measured, which is an estimate and never a bound: under noise the average over t
where a claim is about the smallest. Hollow: the theorem says nothing of the run."""
_OF_NETWORKS = """What each run measured, beside the bound that the theorem would give if the
largest smoothness that was seen along the run were the largest there is. Nobody knows that it is,
so that this bound is an estimate too. Hollow: the theorem says nothing of the run."""


def in_all(one: str, many: str, verdicts: Iterable[str]) -> str:
    """A sentence that says how many there are in all and of each verdict; of a single one it says
    the verdict.
    """
    found = counts(verdicts)
    told = [_as_said(word, count) for word, count in found]
    total = sum(count for _, count in found)
    if len(told) > 1:
        each = [f"{count} {said}" for (_, count), said in zip(found, told, strict=True)]
        return f"Of {total} {many}, {', '.join(each[:-1])} and {each[-1]}."
    return f"The one {one} {told[0]}." if total == 1 else f"All {total} {many} {told[0]}."


def _as_said(word: str, count: int) -> str:
    """What is said of so many things with a verdict: `is refuted`, `are remarks`."""
    said = ("a remark", "remarks") if word == "remark" else (spoken(word),) * 2
    return f"is {said[0]}" if count == 1 else f"are {said[1]}"


def opening_of(material: Material, summary: str = "") -> Opening:
    """The opening of a page of runs, or of a paper that has none of its own.

    Args:
        material: what the page is made from.
        summary: the verdict in a paragraph, where it is known.

    """
    runs = [*material.theorems, *material.networks, *material.brackets]
    words = summary
    if runs and not words:
        told = f"The run is {spoken(runs[0].verdict)}: {runs[0].result.reason.rstrip('.')}."
        words = told if len(runs) == 1 else in_all("run", "runs", [run.verdict for run in runs])
    if material.networks:
        chosen = distinct(material.networks)
    else:
        # For each claim and problem the run of highest rank; first those of which the theorem says
        # something.
        best = largest(
            [*material.theorems, *material.brackets],
            lambda run: (run.problem, _label(run)),
            lambda run: (
                not run.verdict.is_silent,
                run.rank or 0,
                run.steps if run.is_theorem else 0,
            ),
        )
        chosen = sorted(best, key=lambda run: run.verdict.is_silent)
    found = [_of_run(material, run) for run in chosen[:_MOST_PANELS]]
    caption = _OF_NETWORKS if material.networks else _OF_RUNS
    return Opening(words, tuple(_numbers(material))[:3], picture(found), caption)


def _label(run: StoredRun) -> str:
    """The name of the claim of a run."""
    return (
        titled(run.result)
        if run.is_theorem
        else label(run.result.claim, run.result.settings.lipschitz)
    )


def _numbers(material: Material) -> Iterable[Headline]:
    """The headlines that the material has numbers for, the most telling first."""
    if material.proofs and material.proofs.claims:
        key = material.paper.name if material.paper else None
        # Some claims of a paper are proved in another's folder, and some are not.
        own = {
            id
            for id, x in catalogue.items()
            if id.split(".")[0] == key and carrier(x) is not Carrier.HYPOTHESIS
        }
        proved = [
            _holds(material, id) for id in {claim.id for claim in material.proofs.claims} | own
        ]
        yield Headline(f"{sum(proved)} of {len(proved)}", "claims that are proved")
    theorems = [*material.theorems, *material.networks]
    runs = [*theorems, *material.brackets]
    if runs and not material.networks:
        supported = [run.verdict for run in runs if run.verdict.is_supported]
        rests = ", ".join(dict.fromkeys(name for each in supported for name in each.given))
        words = "runs that support their claim" + (f", given {rests}" if rests else "")
        yield Headline(f"{len(supported)} of {len(runs)}", words)
    told = [run for run in material.theorems if run.result.ratio and not run.verdict.is_silent]
    if told:
        last = max(told, key=lambda run: run.result.ratio or 0.0)
        yield Headline(
            last.numbers.ratio,
            f"the largest share of its bound that a run measured: {last.title}, {_label(last)}",
        )
    if material.searches:
        most = max(material.searches, key=lambda each: each["ratio"])
        yield Headline(
            rounded_down(most["ratio"], 3),
            f"the largest share of its bound that an attack reached: {most['label']}",
        )
    for run in highest_rank(material.brackets)[:1]:
        if run.result.ratio:
            yield Headline(
                run.numbers.ratio,
                f"largest smoothness that was found, over the claim's constant: {run.title},"
                f" {_label(run)}",
            )
    if material.networks:
        silent = sum(run.verdict.is_silent for run in theorems)
        yield Headline(f"{silent} of {len(theorems)}", "runs of which the theorem says nothing")
    for run in material.networks[:1]:
        loss = run.ends.loss[0]
        yield Headline(
            f"{number(loss[0])} → {number(loss[1])}",
            f"the loss at the start and at the end: {run.name}",
        )
        units = run.measure.observable.units.format(run.result.problem.units)
        yield Headline(
            f"{run.numbers.measured} {units}", f"measured, and no bound: the {run.shown}"
        )
    if theorems and not material.networks:
        yield Headline(
            number(max(run.course.plan.steps for run in theorems)), "iterations of the longest run"
        )


def _of_run(material: Material, run: StoredRun) -> Strokes:
    """The panel of a run: what its claim says, and what the run measured."""
    title = f"{settings([run])[0]}\n{_label(run)}"
    result = run.result
    if not run.is_theorem:
        claimed = [
            Stroke(
                label(x.claim, x.lipschitz),
                x.value,
                HOLDS if _holds(material, x.claim) else PRINTED,
            )
            for x in result.upper
        ]
        found = Stroke("largest that was found", result.measured, RUN, toward=Toward.DOWN)
        return Strokes(title, f"smoothness of F [{result.problem.units}]", [*claimed, found])
    limits = (result.interval.lower, result.interval.upper) if result.interval else None
    broken = run.verdict is Verdict.HYPOTHESIS_FAILED
    is_held = not broken and _holds(material, result.claim)
    look = SEEN if run.is_network else HOLDS if is_held else PRINTED
    name = "bound at the L̂ seen" if run.is_network else "the theorem's bound"
    lines = [
        Stroke(name, run.bound, look),
        Stroke("known at the start", run.course.first, KNOWN),
        Stroke(
            "measured on the run",
            result.measured,
            RUN,
            limits,
            run.verdict.is_silent,
            Toward.NEAREST,
        ),
    ]
    return Strokes(title, run.measure.observable.axis(result.problem.units), lines)


def _holds(material: Material, id: str) -> bool:
    """True if a claim is proved: by the proofs of the page, or by one that the kernel replays."""
    proved = {
        claim.id: claim.verdict in ("proved", "repaired")
        for claim in getattr(material.proofs, "claims", ())
    }
    return proved[id] if id in proved else carrier(catalogue[id]) is Carrier.KERNEL


def _draw(axis: Axes, item: tuple[Strokes, int]) -> None:
    panel, most = item
    values = [
        x
        for line in panel.lines
        for x in (line.value or 0.0, *(line.limits or ()))
        if 0 < x < math.inf
    ]
    far = max(values) > _FAR * min(values)
    left = min(values) / 2 if far else 0.0
    for place, line in enumerate(panel.lines):
        y = most - place
        value = line.value or 0.0
        mark, words = _LOOKS[line.look]
        axis.plot([left, value], [y, y], "-", color=line.look, lw=1, alpha=0.45)
        if line.limits:
            ends = [min(max(x, left), max(values)) for x in line.limits]
            axis.plot(ends, [y, y], "-", color=line.look, lw=3, alpha=0.45)
        fill = "none" if line.silent else line.look
        axis.plot(
            [value],
            [y],
            mark,
            color=line.look,
            ms=9 if mark == "|" else 5,
            mew=2,
            mfc=fill,
            label=words,
        )
        # Three digits at most, without zeros at the end.
        said = (
            shown(value, 3, line.toward) if 1e-3 <= value < 1e4 else number(value, 3, line.toward)
        )
        end = min(max(value, *(line.limits or (value,))), max(values))
        axis.annotate(said, (end, y), (6, 0), textcoords="offset points", va="center")
    axis.set_ylim(most - len(panel.lines) + 0.4, most + 0.6)
    names = [textwrap.fill(line.words, _LETTERS) for line in panel.lines]
    axis.set_yticks([most - place for place in range(len(names))], names)
    axis.tick_params(axis="y", length=0)
    if far:
        axis.set_xscale("log")
        axis.set_xlim(left, max(values) * (max(values) / left) ** 0.2)
        ticks(axis.xaxis, marks(left, max(values), most=4))
    else:
        axis.set_xlim(0, 1.2 * max(values))
    name_axes(axis, panel.title, panel.axis, letters=_TITLE)
