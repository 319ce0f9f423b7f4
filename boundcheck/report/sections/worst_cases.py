"""How near to a theorem's bound the worst case comes: solved at short horizons, the hard instance at long ones."""

import math
import textwrap
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from boundcheck.claims import catalogue
from boundcheck.claims.symbols import C, sigma
from boundcheck.falsify.worst_case import WorstCase
from boundcheck.report.stored import StoredRun
from boundcheck.report.style import GREY, looks_of, panels, ticks
from boundcheck.report.words import label, number, titled
from boundcheck.verdicts import Verdict
from boundcheck.words import algorithm_of
from boundcheck.words.hypotheses.lipschitz_adapter import LEAST

# Letters that a line of the legend holds, and horizons that a short axis has ticks for.
_LETTERS, _TICKS = 46, 5

Looks = dict[str, tuple[str, str]]
"""A marker and a colour for each claim, by what the figure calls it."""


def worst_figure(cases: list[WorstCase], runs: list[StoredRun]) -> Figure | None:
    """The worst case over the bound against T: a panel for each algorithm, a look for each claim.

    Joined marks are worst cases over all smooth F, as the solver has them, where there is noise those for noise of two
    points. Hollow marks are what runs on the hard instance measured over the bound, with the interval; those that broke
    a hypothesis or assumed a formula in place of the claim's own are left out. None where there is nothing to draw.
    """
    hard = [run for run in runs if _is_shown(run)]
    looks = looks_of([*map(_name, cases), *(titled(run.result) for run in hard)])
    items: dict[tuple[str, bool], tuple[list[WorstCase], list[StoredRun]]] = {}
    for case in sorted(cases, key=lambda case: case.has_noise):
        items.setdefault((case.algorithm, case.has_noise), ([], []))[0].append(case)
    for run in hard:
        algorithm = algorithm_of(catalogue[run.result.claim])
        items.setdefault((algorithm.title if algorithm else "", True), ([], []))[1].append(run)
    shown = [(_title(*of), *found, looks) for of, found in items.items()]
    return panels(shown, _draw, tall=2.6) if shown else None


def _title(algorithm: str, has_noise: bool) -> str:
    return f"{algorithm[0].upper()}{algorithm[1:]}{', two-point noise' if has_noise else ''}"


def _is_shown(run: StoredRun) -> bool:
    settings = run.result.settings
    if not run.is_theorem or settings.problem["kind"] != "hard" or settings.assume:
        return False
    # The bound is never below the gradient at v_1, which is as large as all others: "uninformative" is no fault here.
    return run.verdict is not Verdict.HYPOTHESIS_FAILED and math.isfinite(run.result.ratio or math.nan)


def _name(case: WorstCase) -> str:
    """What to call the claim of a worst case, with the value of C unless it is sigma."""
    given = case.inputs.get(C.name)
    return label(case.claim, LEAST if given in (None, case.inputs.get(sigma.name)) else number(given))


def _draw(axis: Axes, item: tuple[str, list[WorstCase], list[StoredRun], Looks]) -> None:
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
    """Measured over bound with its interval; returns the largest number that was drawn."""
    steps, ratio, interval = _horizon(run), run.result.ratio or 0.0, run.result.interval
    ends = [getattr(interval, end) / run.result.bound for end in ("lower", "upper")] if interval else [ratio, ratio]
    axis.plot([steps, steps], ends, "-", color=look["color"], lw=1.2)
    axis.plot([steps], [ratio], **look, ls="none", mfc="white", ms=4.5)
    return float(max(ends[1], ratio))


def _log_horizons(axis: Axes, horizons: list[int]) -> None:
    """A logarithmic axis of T with ticks at each horizon, or at 1 and 3 of each decade where there are many."""
    low, high = horizons[0], horizons[-1]
    margin = max((high / low) ** 0.05, 1.1)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    many = [digit * 10.0**exponent for exponent in decades for digit in (1, 3)]
    axis.set_xscale("log")
    axis.set_xlim(low / margin, high * margin)
    ticks(axis.xaxis, horizons if len(horizons) <= _TICKS else many, lambda x: number(round(x)))
    axis.set_xlabel("horizon T")
