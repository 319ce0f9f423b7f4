"""Attacks on claims: the tightest instance that was found, and how near to a theorem's bound the worst case comes."""

import json
import math
import textwrap
from collections.abc import Iterator
from itertools import cycle
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from boundcheck.exact.digits import UP
from boundcheck.language.catalogue import catalogue
from boundcheck.language.hypotheses import LEAST
from boundcheck.language.sentence import algorithm_of
from boundcheck.language.symbols import C, sigma
from boundcheck.language.view import (
    Badge,
    Cell,
    Code,
    File,
    Fold,
    Head,
    Part,
    Picture,
    Prose,
    Row,
    Stack,
    Table,
    line,
    numeric,
    paragraph,
)
from boundcheck.present.section import Material, Search, placed
from boundcheck.present.stored import StoredRun
from boundcheck.present.study import Study
from boundcheck.present.style import BLUE, GREEN, GREY, ORANGE, PURPLE, VERMILLION, looks_of, panels, ticks
from boundcheck.present.words import label, number, titled
from boundcheck.verdicts import Verdict
from boundcheck.worst_case.view import rounded_down
from boundcheck.worst_case.worst_case import Case

_ATTACKS = """The adversary chooses the loss, the shapes, the points and the frozen matrices. A ratio is a certified
lower bound, from Arb balls and exact rational arithmetic; above 1 it would refute the claim.
`boundcheck falsify --replay` judges a stored instance again."""
_RATIOS = """Largest certified ratio of measured over bound at constants of 1 (DoRA: a = b = 1/2), over all ranks and
choices of radii searched, and at the worst of them; then over other shapes, ranks and constants. Proof: what the kernel
says of the claim, or that it is derived by hand, with the argument and why there is no proof."""
_DRAWN = """Lemma 1, sharp, is reached at every rank; the printed constant less and less, by its √r and, with the
paper's own C, by another. The lines are what the formulas allow at most: λ* over the printed constant, at L = G = σ =
1."""


@placed(
    440,
    "Attacked: the tightest instance of each claim",
    "The nearer a ratio is to 1, the less can be gained in that bound; above 1 the claim would be false.",
)
def attacks(material: Material) -> Iterator[Part]:
    if not material.searches:
        return
    yield paragraph(_ATTACKS)
    counts = map(numeric, ("Largest", "At the worst rank", "Elsewhere", "Structures"))
    head: Head = ("Claim", "Proof", "Verdict", *counts, "Best instance, shrunk")
    rows = [row for search in material.searches for row in _attack(search)]
    yield Table(head, rows, _RATIOS, "attacks", most=None)
    for search in material.searches:
        yield File(search["file"], (json.dumps(search["instance"], indent=1) + "\n").encode())
    yield Picture("falsification", lambda: search_figure(material.searches), _DRAWN)


def _attack(search: Search) -> Iterator[Row]:
    """The row of a search, and below it the argument for a claim that is derived by hand."""
    ratios, explored = [row["ratio"] for row in search["rows"]], search["explored"]
    by_hand = search["proof"] == "by hand"
    elsewhere = rounded_down(explored["ratio"], 5) if explored["structures"] else "–"
    yield (
        Stack((Prose(search["label"]), Code(search["id"]))),
        "by hand" if by_hand else Badge(search["proof"]),
        Badge("violated" if search["violated"] else "not violated"),
        rounded_down(max(ratios), 5),
        rounded_down(min(ratios), 5),
        elsewhere,
        number(explored["structures"]),
        Code(search["file"]),
    )
    if by_hand and search["unproved"]:
        yield paragraph(search["unproved"])
    if by_hand and search["argument"]:
        yield Fold(line("argument"), (paragraph(search["argument"]),))


_LOOKS = (("o", GREEN), ("s", BLUE), ("^", ORANGE), ("v", VERMILLION), ("D", PURPLE))


def search_figure(searches: list[Search]) -> Figure | None:
    """The largest certified ratio of measured over bound against rank, a series for each search and choice of radii.

    A search's ``curve``, what the ratio can be at most by the claims' own formulas, is drawn as a line.
    """
    drawn = [search for search in searches if search["drawn"]]
    return panels([drawn], _draw_searches) if drawn else None


def _draw_searches(axis: Axes, searches: list[Search]) -> None:
    ranks: list[int] = sorted({row["rank"] for search in searches for row in search["rows"]})
    series = [(search, text, rows) for search in searches for text, rows in _series(search).items()]
    for (search, text, rows), (marker, colour) in zip(series, cycle(_LOOKS), strict=False):
        x = [ranks.index(row["rank"]) for row in rows]
        if search["curve"]:
            axis.plot(x, [search["curve"][str(row["rank"])] for row in rows], "-", color=colour, lw=0.8)
        axis.plot(x, [row["ratio"] for row in rows], marker, color=colour, ms=4, mfc="none", label=text)
    axis.axhline(1, color=GREY, lw=0.8, ls=":", label="the bound: above it a claim would be violated")
    axis.set_xticks(range(len(ranks)), [str(rank) for rank in ranks])
    axis.set_xlabel("rank r")
    axis.set_ylabel("measured / bound")
    axis.set_ylim(0, 1.08)
    axis.set_title("Largest certified ratio that was found", loc="left")


def _series(search: Search) -> dict[str, list[dict[str, Any]]]:
    """The rows of a search by its label and radii."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in search["rows"]:
        a, b = row["constants"].get("a"), row["constants"].get("b")
        text = search["label"] + (f", a = {a:g}, b = {b:g}" if a != b else "")
        found.setdefault(text, []).append(row)
    return found


def kept(study: Study) -> Iterator[Part]:
    """A note that a study was read, and what made it; nothing for one that was made just now."""
    if study.kept:
        by = f"made by boundcheck {study.made_by['boundcheck']}, with numerics {study.made_by['numerics']}"
        again = "`boundcheck audit jiang2024 --full` makes it again."
        yield paragraph(f"Read from the study that the repository keeps, {by}; {again}", "small")


_WORST = """Joined marks: the worst case, as the solver has it, over all L̂-smooth F of any dimension at the theorem's
own step size, by performance estimation; of SGD, for noise of two equally likely points, so that over all noise of
that variance it is no less. Hollow marks: what was measured on the hard instance, the average over t, with its
interval, over the bound; its gradient is as large at v₁ as at every later iterate, so that the bound is never below
it, and a run's verdict is uninformative by design."""
_BETWEEN = """The measure of the theorem on the worst F. It is certainly at least what a rational instance shows, whose
interpolation inequalities are checked exactly, and at most what the kernel proves from the dual's multipliers, rounded
to rational numbers; between them it is numerical (Clarabel). Constants are 1, and ζ² = 4L̂D/T where there is noise."""


@placed(
    340,
    "How near to the bound the worst case comes",
    "The nearer a mark is to 1, the less can be gained in that bound.",
)
def worst_cases(material: Material) -> Iterator[Part]:
    cases = material.study.worst_cases
    if cases or any(map(_is_shown, material.theorems)):
        yield from kept(material.study)
        yield Picture("worst_cases", lambda: worst_figure(cases, material.theorems), _WORST)
    if cases:
        rows = [row for case in cases for row in _case(case)]
        head: Head = ("Claim", "Method", *map(numeric, ("T", "Bound", "At least", "At most")), "Numerical / bound")
        yield Table(head, rows, _BETWEEN, "worst_cases", most=None)


def _case(case: Case) -> Iterator[Row]:
    """The row of a worst case, and below it why an end is missing."""
    numbers = (number(case.steps), number(case.bound, 4, UP), *case.ends)
    ratio: list[Cell] = [number(case.ratio, 4), *([Badge("violated")] if case.violated else [])]
    claim = Stack((Prose(label(case.claim, LEAST)), Code(case.claim)))
    yield claim, case.method, *numbers, Stack(tuple(ratio))
    yield from (paragraph(f"T = {case.steps}: {why}") for why in case.without)


# Letters that a line of the legend holds, and horizons that a short axis has ticks for.
_LETTERS, _TICKS = 46, 5

Looks = dict[str, tuple[str, str]]
"""A marker and a colour for each claim, by what the figure calls it."""


def worst_figure(cases: list[Case], runs: list[StoredRun]) -> Figure | None:
    """The worst case over the bound against T: a panel for each algorithm, a look for each claim.

    Joined marks are worst cases over all smooth F, as the solver has them; where there is noise, for noise of two
    points. Hollow marks are what runs on the hard instance measured over the bound, with the interval; those that broke
    a hypothesis or assumed a formula in place of the claim's own are left out. None where there is nothing to draw.
    """
    hard = [run for run in runs if _is_shown(run)]
    looks = looks_of([*map(_name, cases), *(titled(run.result) for run in hard)])
    items: dict[tuple[str, bool], tuple[list[Case], list[StoredRun]]] = {}
    for case in sorted(cases, key=lambda case: case.has_noise):
        items.setdefault((case.algorithm, case.has_noise), ([], []))[0].append(case)
    for run in hard:
        algorithm = algorithm_of(catalogue[run.result.claim])
        items.setdefault((algorithm.title if algorithm else "", True), ([], []))[1].append(run)
    shown = [(_title(*of), *found, looks) for of, found in items.items()]
    return panels(shown, _draw_worst, tall=2.6) if shown else None


def _title(algorithm: str, has_noise: bool) -> str:
    return f"{algorithm[0].upper()}{algorithm[1:]}{', two-point noise' if has_noise else ''}"


def _is_shown(run: StoredRun) -> bool:
    settings = run.result.settings
    if not run.is_theorem or settings.problem["kind"] != "hard" or settings.assume:
        return False
    # The bound is never below the gradient at v_1, which is as large as all others: "uninformative" is no fault here.
    return run.verdict is not Verdict.HYPOTHESIS_FAILED and math.isfinite(run.result.ratio or math.nan)


def _name(case: Case) -> str:
    """The name of the claim of a worst case, with the value of C unless it is sigma."""
    given = case.inputs.get(C.name)
    return label(case.claim, LEAST if given in (None, case.inputs.get(sigma.name)) else number(given))


def _draw_worst(axis: Axes, item: tuple[str, list[Case], list[StoredRun], Looks]) -> None:
    title, cases, runs, looks = item
    shown, horizons = [1.0], [*(case.steps for case in cases), *(_horizon(run) for run in runs)]
    for name, (marker, colour) in looks.items():
        points = sorted((case.steps, case.ratio) for case in cases if _name(case) == name)
        measured = [run for run in runs if titled(run.result) == name]
        if points or measured:
            axis.plot([], [], marker, color=colour, ms=4, label=textwrap.fill(name, _LETTERS))
        axis.plot([x for x, _ in points], [y for _, y in points], marker + "-", color=colour, lw=1, ms=4)
        shown += [y for _, y in points]
        for run in measured:
            shown.append(_draw_run(axis, run, {"color": colour, "marker": marker}))
    if cases:
        axis.plot([], [], ".-", color=GREY, lw=1, label="joined: worst case, numerical")
    if runs:
        axis.plot([], [], "o", color=GREY, mfc="white", ms=4.5, label="hollow: run on the hard instance, interval")
    axis.axhline(1, color=GREY, lw=0.8, ls="--", label="the bound: above it a claim would be violated")
    axis.set_ylim(0, 1.05 * max(shown))
    _log_horizons(axis, sorted(set(horizons)))
    axis.set_ylabel("share of the bound")
    axis.set_title(title, loc="left")


def _horizon(run: StoredRun) -> int:
    return int(run.course.plan.steps)


def _draw_run(axis: Axes, run: StoredRun, look: dict[str, Any]) -> float:
    """Draw measured over bound with its interval; return the largest number that was drawn."""
    steps, ratio, interval = _horizon(run), run.result.ratio or 0.0, run.result.interval
    ends = [getattr(interval, end) / run.result.bound for end in ("lower", "upper")] if interval else [ratio, ratio]
    axis.plot([steps, steps], ends, "-", color=look["color"], lw=1.2)
    axis.plot([steps], [ratio], **look, ls="none", mfc="white", ms=4.5)
    return float(max(ends[1], ratio))


def _log_horizons(axis: Axes, horizons: list[int]) -> None:
    """Make a logarithmic axis of T with ticks at each horizon, or at 1 and 3 of each decade if there are many."""
    low, high = horizons[0], horizons[-1]
    margin = max((high / low) ** 0.05, 1.1)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    many = [digit * 10.0**exponent for exponent in decades for digit in (1, 3)]
    axis.set_xscale("log")
    axis.set_xlim(low / margin, high * margin)
    ticks(axis.xaxis, horizons if len(horizons) <= _TICKS else many, lambda x: number(round(x)))
    axis.set_xlabel("horizon T")
