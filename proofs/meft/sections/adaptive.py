"""Gradient descent on both factors without a ball: what that costs, what it improves on, and what
was not read.
"""

import textwrap
from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from boundcheck.language.algorithms import ADAPTIVE_LORA_GD, left_by
from boundcheck.language.view import Badge, Cell, Part, Picture, Table, numeric, paragraph
from boundcheck.present.material import Material, StoredRun, groups, known, settings
from boundcheck.present.style import log_y, looks_of, panels
from boundcheck.present.words import number, titled

title = "Without a ball: what it costs, and what it improves on"
place = 310

# What may differ between runs that stand side by side: the theorem, and what it needs.
_FREE = ("claim", "lipschitz", "domain.a", "domain.b")
_NO_BALL = """Theorem 2 of jiang2024 supposes that the iterates stay in a ball and that the gradient
in W is bounded there, and its step size needs both numbers and T before the run. Gradient descent
on both factors needs neither, where f is L-smooth and bounded below. Two theorems say so, by the
same descent in W, and `boundcheck prove meft.adaptive_gd meft.unconditional_gd` replays both. At
the constant step 1/L̂ the iterates stay within ρ of $v_1$, and the step needs L, D and T. At the
step $1/(2(L(σ_1(A_t)² + σ_1(B_t)²) + ‖∇f(W_t)‖))$ it needs L alone, and the bound holds at every T
at once."""
_BOTH = """Both bounds fall as $T^(-1/2)$. For large T that of the adaptive step is 0.54 times the
other. Where a ball is known beforehand and held, a bound by the ball falls as $T^-1$ without noise,
and is the smaller one for large T: that is the price. D over 3/4 of the sum of the steps is what
the adaptive step leaves on the run itself. It is no theorem about runs to come, but needs no ball
either, and falls as $T^-1$ where the norms of the factors stay bounded."""
_OTHERS = """Mu and Klabjan (arXiv 2512.18248) also do without a ball. Of their work the abstract
alone was read, which states the rate O(1/log T) for the gradient norm of gradient descent on LoRA,
and O(1/T) where the norms of the factors stay bounded. Their theorem, its hypotheses and its step
size were not read, and nothing here says that these bounds improve on it."""
_CAPTION = """The least squared gradient norm so far, at the longest T of each theorem; its bound at
each T that was run, joined by dashes, hollow where the theorem says nothing of the run; dotted:
what D and the sum of the steps leave after so many. Norms below a ten-thousandth of the least bound
are off the axis."""
_NEEDED = """What each theorem needs beforehand, and what it says. The last column is D over 3/4 of
the sum of the steps, on the run itself."""
_DEEPEST, _LETTERS = 1e-4, 46


def build(material: Material) -> Iterator[Part]:
    """Text, figure and table on a page with runs at adaptive steps, beside others on the same
    problems.
    """
    if not (found := compared(material.theorems)):
        return
    yield from map(paragraph, (_NO_BALL, _BOTH, _OTHERS))
    yield Picture("adaptive", lambda: adaptive_figure(found), _CAPTION)
    head = (
        "Problem",
        "Theorem",
        "Ball",
        numeric("T"),
        "Verdict",
        numeric("Step"),
        numeric("Bound"),
    )
    rows = [_cells(name, run) for name, runs in found for run in runs]
    yield Table((*head, *map(numeric, ("Measured", "Left by the steps"))), rows, _NEEDED, most=None)


def compared(runs: list[StoredRun]) -> list[tuple[str, list[StoredRun]]]:
    """The runs on each problem with a run at adaptive steps, by what to call it: by theorem, and
    then by T.
    """
    free = (*_FREE, *(f"run.{name}" for run in runs for name in run.result.spec["run"]))
    found = [
        group
        for group in groups(runs, free)
        if any(run.algorithm is ADAPTIVE_LORA_GD for run in group)
    ]
    names = settings([group[0] for group in found])
    return [
        (
            name,
            sorted(
                group,
                key=lambda run: (
                    run.algorithm is not ADAPTIVE_LORA_GD,
                    titled(run.result),
                    _steps(run),
                ),
            ),
        )
        for name, group in zip(names, found, strict=True)
    ]


def adaptive_figure(found: list[tuple[str, list[StoredRun]]]) -> Figure:
    """A panel for each problem: least squared gradient norms, bounds over T, and what the sum of
    steps leaves.
    """
    looks = looks_of(titled(run.result) for _, runs in found for run in runs)
    return panels([(*item, looks) for item in found], _draw, tall=2.6)


def left(run: StoredRun) -> np.ndarray | None:
    """What D and the sum of the steps leave at each audit; None where steps are not adaptive."""
    if run.algorithm is not ADAPTIVE_LORA_GD:
        return None
    plan = run.course.plan
    gap, numerator = known(plan.inputs["D"]), known(plan.numbers["share"])
    return np.asarray(left_by(gap, numerator, run.trace["sum_of_steps"].values[0]))


def _steps(run: StoredRun) -> int:
    return run.course.plan.steps


def _cells(name: str, run: StoredRun) -> tuple[Cell, ...]:
    result, plan, remains = run.course, run.course.plan, left(run)
    ball = ", ".join(f"{radius} = {number(size)}" for radius, size in plan.radii.items()) or "none"
    step = "found as it goes" if remains is not None else number(plan.step_size)
    rest = "–" if remains is None else number(float(remains[-1]))
    shown = Badge(run.verdict), step, run.numbers.bound, run.numbers.measured, rest
    return name, titled(result), ball, number(plan.steps), *shown


def _draw(axis: Axes, item: tuple[str, list[StoredRun], dict[str, tuple[str, str]]]) -> None:
    name, runs, looks = item
    deepest = _DEEPEST * min(known(run.result.bound) for run in runs)
    ends = []
    for words in dict.fromkeys(titled(run.result) for run in runs):
        of_it = [run for run in runs if titled(run.result) == words]
        (mark, color), longest = looks[words], of_it[-1]
        x = longest.trace["time"].values.mean(0)
        least = np.minimum.accumulate(longest.trace["gradient_square_norm"].values.mean(0))
        axis.plot(x, np.maximum(least, deepest / 10), color=color, lw=1, label=f"{words}: measured")
        steps, bounds = [_steps(run) for run in of_it], [known(run.result.bound) for run in of_it]
        axis.plot(steps, bounds, "--", color=color, lw=0.8)
        for run, T, bound in zip(of_it, steps, bounds, strict=True):
            axis.plot(
                [T],
                [bound],
                mark,
                color=color,
                mfc="none" if run.verdict.is_silent else color,
                ms=4.5,
            )
        axis.plot([], [], f"{mark}--", color=color, ms=4.5, lw=0.8, label=f"{words}: bound")
        if (remains := left(longest)) is not None:
            axis.plot(x, remains, ":", color=color, lw=1.2, label=f"{words}: left by its steps")
            ends.append(float(remains[-1]))
        ends += [*bounds, float(least[0]), float(least[-1])]
    axis.set_xscale("log")
    log_y(axis, max(deepest, min(ends)), max(ends))
    axis.set(
        xlabel="iterations T", ylabel=runs[0].measure.observable.axis(runs[0].course.problem.units)
    )
    axis.set_title(textwrap.fill(name, _LETTERS), loc="left")
