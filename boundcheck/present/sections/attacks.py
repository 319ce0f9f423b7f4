"""Attacks on claims, how near to a bound the worst case comes, and whether the intervals of
verdicts hold.
"""

import json
import math
import textwrap
from collections.abc import Iterator
from itertools import cycle
from typing import Any

from matplotlib.axes import Axes

from boundcheck.exact.digits import UP
from boundcheck.experiment.coverage import Coverage
from boundcheck.language import view
from boundcheck.language.hypotheses import LEAST
from boundcheck.language.symbols import C, sigma
from boundcheck.language.view import Badge, Code, Part, Prose, Stack, numeric, paragraph
from boundcheck.present import style
from boundcheck.present.material import Material, Search, StoredRun, Study, grouped, placed
from boundcheck.present.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    VERMILLION,
    name_axes,
    pictured,
)
from boundcheck.present.words import label, number, sentence_of, titled
from boundcheck.verdicts import Verdict
from boundcheck.worst_case.view import rounded_down
from boundcheck.worst_case.worst_case import Case

_ATTACKS = """The adversary chooses the loss, the shapes, the points and the frozen matrices. A
ratio is a certified lower bound, from Arb balls and exact rational arithmetic; above 1 it would
refute the claim. `boundcheck falsify --replay` judges a stored instance again."""
_RATIOS = """Largest certified ratio of measured over bound at constants of 1 (DoRA: a = b = 1/2),
over all ranks and choices of radii searched, and at the worst of them; then over other shapes,
ranks and constants. Proof: what the kernel says of the claim, or that it is derived by hand, with
the argument and why there is no proof."""
_DRAWN = """Lemma 1, sharp, is reached at every rank; the printed constant less and less, by its √r
and, with the paper's own C, by another. The lines are what the formulas allow at most: λ* over the
printed constant, at L = G = σ = 1."""


@placed(440, "Attacked: the tightest instance of each claim")
def attacks(material: Material) -> Iterator[Part]:
    """The nearer a ratio is to 1, the less can be gained in that bound; above 1 the claim would be
    false.
    """
    if not material.searches:
        return
    yield paragraph(_ATTACKS)
    counts = map(numeric, ("Largest", "At the worst rank", "Elsewhere", "Structures"))
    head: view.Head = ("Claim", "Proof", "Verdict", *counts, "Best instance, shrunk")
    rows: list[view.Row] = []
    for search in material.searches:
        ratios, explored = [row["ratio"] for row in search["rows"]], search["explored"]
        by_hand = search["proof"] == "by hand"
        cells = (
            Stack((Prose(search["label"]), Code(search["id"]))),
            "by hand" if by_hand else Badge(search["proof"]),
            Badge("violated" if search["violated"] else "not violated"),
            rounded_down(max(ratios), 5),
            rounded_down(min(ratios), 5),
            rounded_down(explored["ratio"], 5) if explored["structures"] else "–",
            number(explored["structures"]),
            Code(search["file"]),
        )
        rows.append(cells)
        if by_hand and search["unproved"]:
            rows.append(paragraph(search["unproved"]))
        if by_hand and search["argument"]:
            rows.append(view.Fold(view.line("argument"), (paragraph(search["argument"]),)))
    yield view.Table(head, rows, _RATIOS, "attacks", most=None)
    for search in material.searches:
        yield view.File(search["file"], (json.dumps(search["instance"], indent=1) + "\n").encode())
    # What a search's ratio can be at most by the claims' own formulas, its curve, is drawn as a
    # line.
    drawn = [search for search in material.searches if search["drawn"]]

    def draw(axis: Axes, searches: list[Search]) -> None:
        ranks: list[int] = sorted({row["rank"] for search in searches for row in search["rows"]})

        def radii(row: dict[str, Any]) -> str:
            a, b = row["constants"].get("a"), row["constants"].get("b")
            return f", a = {a:g}, b = {b:g}" if a != b else ""

        series = [
            (search, *each)
            for search in searches
            for each in grouped(search["rows"], radii).items()
        ]
        for (search, text, rows), (marker, colour) in zip(series, cycle(_SERIES), strict=False):
            x = [ranks.index(row["rank"]) for row in rows]
            if search["curve"]:
                axis.plot(
                    x,
                    [search["curve"][str(row["rank"])] for row in rows],
                    "-",
                    color=colour,
                    lw=0.8,
                )
            ratios = [row["ratio"] for row in rows]
            axis.plot(
                x, ratios, marker, color=colour, ms=4, mfc="none", label=search["label"] + text
            )
        axis.axhline(
            1, color=GREY, lw=0.8, ls=":", label="the bound: above it a claim would be violated"
        )
        axis.set_xticks(range(len(ranks)), [str(rank) for rank in ranks])
        axis.set_ylim(0, 1.08)
        name_axes(axis, "Largest certified ratio that was found", "rank r", "measured / bound")

    yield from pictured("falsification", [drawn] if drawn else [], draw, _DRAWN)


_SERIES = (("o", GREEN), ("s", BLUE), ("^", ORANGE), ("v", VERMILLION), ("D", PURPLE))


def _kept(study: Study) -> Iterator[Part]:
    """A note that a study was read, and what made it; nothing for one that was made just now."""
    if study.kept:
        by = (
            f"made by boundcheck {study.made_by['boundcheck']}, with numerics"
            f" {study.made_by['numerics']}"
        )
        again = "`boundcheck audit jiang2024 --full` makes it again."
        yield paragraph(f"Read from the study that the repository keeps, {by}; {again}", "small")


_WORST = """Joined marks: the worst case, as the solver has it, over all L̂-smooth F of any
dimension at the theorem's own step size, by performance estimation; of SGD, for noise of two
equally likely points, so that over all noise of that variance it is no less. Hollow marks: what was
measured on the hard instance, the average over t, with its interval, over the bound; its gradient
is as large at v₁ as at every later iterate, so that the bound is never below it, and a run's
verdict is uninformative by design."""
_BETWEEN = """The measure of the theorem on the worst F. It is certainly at least what a rational
instance shows, whose interpolation inequalities are checked exactly, and at most what the kernel
proves from the dual's multipliers, rounded to rational numbers; between them it is numerical
(Clarabel). A theorem about F that is smooth in a part of space alone speaks of more functions, and
one about SGD of more noise than of two equally likely points: neither has an upper end. Constants
are 1, and ζ² = 4L̂D/T where there is noise."""


@placed(340, "How near to the bound the worst case comes")
def worst_cases(material: Material) -> Iterator[Part]:
    """The nearer a mark is to 1, the less can be gained in that bound."""
    cases, hard = material.study.worst_cases, list(filter(_is_shown, material.theorems))
    if cases or hard:
        yield from _kept(material.study)
    # A panel for each algorithm, a look for each claim in both kinds of evidence.
    looks = style.looks_of([*map(_name, cases), *(titled(run.result) for run in hard)])
    of_cases = grouped(
        sorted(cases, key=lambda x: x.has_noise), lambda x: (x.algorithm, x.has_noise)
    )
    of_runs = grouped(hard, lambda run: (run.algorithm.title, True))

    def draw(axis: Axes, key: tuple[str, bool]) -> None:
        cases, runs = of_cases.get(key, []), of_runs.get(key, [])
        shown, horizons = (
            [1.0],
            sorted({*(case.steps for case in cases), *(run.steps for run in runs)}),
        )
        for name, (marker, colour) in looks.items():
            points = sorted((case.steps, case.ratio) for case in cases if _name(case) == name)
            measured = [run for run in runs if titled(run.result) == name]
            if points or measured:
                axis.plot([], [], marker, color=colour, ms=4, label=textwrap.fill(name, _LETTERS))
            axis.plot(
                [x for x, _ in points],
                [y for _, y in points],
                marker + "-",
                color=colour,
                lw=1,
                ms=4,
            )
            shown += [y for _, y in points]
            for run in measured:
                steps, ratio, found = run.steps, run.result.ratio or 0.0, run.result.interval
                bound = run.result.bound or math.nan
                ends = (found.lower / bound, found.upper / bound) if found else (ratio, ratio)
                axis.plot([steps, steps], ends, "-", color=colour, lw=1.2)
                axis.plot(
                    [steps], [ratio], color=colour, marker=marker, ls="none", mfc="white", ms=4.5
                )
                shown.append(max(ends[1], ratio))
        if cases:
            axis.plot([], [], ".-", color=GREY, lw=1, label="joined: worst case, numerical")
        if runs:
            axis.plot(
                [],
                [],
                "o",
                color=GREY,
                mfc="white",
                ms=4.5,
                label="hollow: run on the hard instance, interval",
            )
        axis.axhline(
            1, color=GREY, lw=0.8, ls="--", label="the bound: above it a claim would be violated"
        )
        axis.set_ylim(0, 1.05 * max(shown))
        # Ticks at each horizon, or at 1 and 3 of each decade if there are many.
        low, high = horizons[0], horizons[-1]
        margin = max((high / low) ** 0.05, 1.1)
        decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        many = [digit * 10.0**exponent for exponent in decades for digit in (1, 3)]
        axis.set_xscale("log")
        axis.set_xlim(low / margin, high * margin)
        style.ticks(
            axis.xaxis, horizons if len(horizons) <= _TICKS else many, lambda x: number(round(x))
        )
        title = f"{sentence_of(key[0])}{', two-point noise' if key[1] else ''}"
        name_axes(axis, title, "horizon T", "share of the bound")

    yield from pictured(
        "worst_cases", list(dict.fromkeys((*of_cases, *of_runs))), draw, _WORST, tall=2.6
    )
    if not cases:
        return
    rows: list[view.Row] = []
    for solved in grouped(cases, lambda case: case.claim).values():
        for case in solved:
            ratio: list[view.Cell] = [
                number(case.ratio, 4),
                *([Badge("violated")] if case.violated else []),
            ]
            claim = Stack((Prose(label(case.claim, LEAST)), Code(case.claim)))
            numbers = (number(case.steps), number(case.bound, 4, UP), *case.ends)
            rows.append((claim, case.method, *numbers, Stack(tuple(ratio))))
            # Why an end is missing.
            rows += [paragraph(f"T = {case.steps}: {why}") for why in case.without]
        smaller = dict.fromkeys(why for case in solved for why in case.smaller)
        rows += [paragraph(f"No upper end over a smaller class: {why}.") for why in smaller]
    head: view.Head = (
        "Claim",
        "Method",
        *map(numeric, ("T", "Bound", "At least", "At most")),
        "Numerical / bound",
    )
    yield view.Table(head, rows, _BETWEEN, "worst_cases", most=None)


# Letters that a line of the legend holds, and horizons that a short axis has ticks for.
_LETTERS, _TICKS = 46, 5


def _is_shown(run: StoredRun) -> bool:
    settings = run.result.settings
    if settings.problem["kind"] != "hard" or settings.assume:
        return False
    # The bound is never below the gradient at v_1, which is as large as all others: "uninformative"
    # is no fault here.
    return run.verdict is not Verdict.HYPOTHESIS_FAILED and math.isfinite(
        run.result.ratio or math.nan
    )


def _name(case: Case) -> str:
    """The name of the claim of a worst case, with the value of C unless it is sigma."""
    given = case.inputs.get(C.name)
    return label(
        case.claim, LEAST if given in (None, case.inputs.get(sigma.name)) else number(given)
    )


# Rates below this are drawn on a linear scale, so that a rate of 0 has a place.
_LINEAR = 1e-3
_RATES = (0, 0.001, 0.01, 0.1, 1)
_MISSES = """Share of simulated experiments with a known mean in which the interval does not contain
it, with the 99\u202f% limits of Clopper and Pearson, for each distribution and number of replicas.
Dashed: the stated error. A nonasymptotic interval must lie left of it or on it; an asymptotic one
only comes to do so as replicas grow, and later the more skewed the replicas are."""
_RATES_OF = """{} experiments each. Above: misses with the mean above the upper limit, of which a
wrong “supported” would come. Only where the lower of the 99\u202f% limits exceeds the stated error
is a method said to miss more often than it states."""


@placed(370, "How often the intervals miss")
def coverage(material: Material) -> Iterator[Part]:
    """A nonasymptotic interval must lie left of the dashed line or on it, and then misses no more
    often than it says.
    """
    found = material.study.coverage
    if not found:
        return
    yield from _kept(material.study)
    methods = list(grouped(found, lambda each: each.method).values())

    def draw(axis: Axes, found: list[Coverage]) -> None:
        names = list(dict.fromkeys(each.distribution for each in found))
        sizes = sorted({each.n for each in found})
        for each in found:
            place = sizes.index(each.n)
            y = names.index(each.distribution) + 0.25 * (place - (len(sizes) - 1) / 2)
            marker, colour = style.LOOKS[place]
            axis.plot([each.low, each.high], [y, y], color=colour, lw=1)
            axis.plot(each.rate, y, marker, color=colour, ms=3.5, label=f"{each.n:,} replicas")
            if not each.holds:
                axis.plot(
                    each.rate,
                    y,
                    "o",
                    color=VERMILLION,
                    ms=7,
                    mfc="none",
                    label="misses more than stated",
                )
        axis.axvline(found[0].error, color=GREY, lw=1, ls="--", label="stated")
        axis.set_xscale("symlog", linthresh=_LINEAR, linscale=0.5)
        axis.set_xlim(-_LINEAR / 4, 1.2)
        style.ticks(axis.xaxis, _RATES)
        axis.set_yticks(range(len(names)), names)
        axis.set_ylim(len(names) - 0.5, -0.5)
        name_axes(axis, f"{found[0].method}: {found[0].kind}", "rate of misses")

    yield from pictured("coverage", methods, draw, _MISSES, tall=2.15)
    head: view.Head = (
        "Method",
        "Kind",
        "Replicas",
        numeric("Stated"),
        numeric("Largest rate"),
        "Where",
        numeric("Above, there"),
        "Holds in",
    )
    rows = []
    for group in grouped(found, lambda each: (each.method, each.n)).values():
        worst = max(group, key=lambda each: each.rate)
        above = worst.above / worst.experiments
        held = f"{sum(each.holds for each in group)} of {len(group)}"
        numbers = (f"{worst.error:.3g}", f"{worst.rate:.2g}", worst.distribution, f"{above:.2g}")
        rows.append((worst.method, worst.kind, str(worst.n), *numbers, held))
    yield view.Table(head, rows, _RATES_OF.format(number(found[0].experiments)), most=None)
