"""Runs of networks: verdicts, what the theorem says at each L̂, figures along the run, losses, and
the rank.
"""

import math
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from boundcheck.exact.digits import DOWN, UP
from boundcheck.experiment.result import FROM_BELOW, AtSmoothness
from boundcheck.functions.adapters import title_of
from boundcheck.language import view
from boundcheck.language.hypotheses import LARGER, LEAST
from boundcheck.language.view import Part, Prose, Stack, numeric, paragraph
from boundcheck.present import style
from boundcheck.present.material import (
    WAYS,
    Material,
    StoredRun,
    distinct,
    grouped,
    groups,
    known,
    placed,
    settings,
    shown_first,
)
from boundcheck.present.sections import rates
from boundcheck.present.sections.rates import FEWEST, MARKS
from boundcheck.present.sections.runs import blamed, interval_of, measured_of
from boundcheck.present.sections.smoothness import band
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
from boundcheck.present.words import number, sentence_of
from boundcheck.verdicts import Verdict

_VERDICTS = """Measured is the average over t of $‖∇F(v_t)‖²$, in the mean over replicas, which is
no less than the smallest, of which some theorems speak; an interval is Student's over replicas, of
which there have to be three. Bound: the theorem's at the run's own step, with the L̂ by the path,
the largest $ζ_t$ that was seen, and D = F(v₁); where a hypothesis failed it is what the theorem
would say if that had not, and there is none where the steps were not those of SGD. At v₁: the
squared gradient norm that the run began with. F is in nats, ‖∇F‖² in nats²."""
_NEGATIVE = """The average is below 0, which no mean of squares is: it is an estimate without bias
from samples that are too few."""


@placed(200, "Verdicts")
def verdicts(material: Material) -> Iterator[Part]:
    """What each run measured stands beside the bound at the smoothness that was seen; the line
    below each run says why its verdict is what it is.
    """
    if not material.networks:
        return
    runs, most = shown_first(material.networks)
    head: view.Head = (
        "Model and text",
        "Adapter",
        numeric("Rank"),
        numeric("Trained", is_aside=True),
        view.Column("Verdict", width=0.12),
        numeric("Measured"),
        view.Column("Interval", width=0.13),
        numeric("Bound"),
        numeric("At v₁", is_aside=True),
        numeric("T"),
        numeric("Batch", is_aside=True),
        numeric("Step η"),
    )
    rows: list[view.Row] = []
    for run in runs:
        x, blame = run.course, run.course.blame
        about = [
            Prose(words, "small")
            for words in (x.problem.sample, run.seeded.removeprefix(", "))
            if words
        ]
        cells = (
            Stack((view.Anchor(run.problem, f"run-{x.run_id}"), *about)),
            title_of(run.adapter) + run.scaled,
            number(run.rank),
            Stack((number(x.problem.trained), f"of {number(x.problem.parameters)}")),
            view.Badge(run.verdict),
            measured_of(run),
            interval_of(run),
            _bound_at(run, x.theorems[0]),
            number(x.first),
            number(x.plan.steps),
            number(x.plan.batch),
            number(known(x.plan.step_size)),
        )
        why: list[view.Cell] = [Prose(f"{sentence_of(x.reason)}."), *blamed(x)]
        if (
            blame is not None
            and run.verdict is Verdict.HYPOTHESIS_FAILED
            and blame.evidence != x.reason
        ):
            why.append(Prose(f"{blame.evidence}.", "small"))
        if x.measured is not None and x.measured < 0:
            why.append(Prose(_NEGATIVE))
        rows += [cells, view.line(*why)]
    yield view.Table(head, rows, _VERDICTS, "network_verdicts", most)


def _bound_at(run: StoredRun, row: AtSmoothness) -> str:
    """The bound at the run's own step, or why there is none; a dash if the steps were not those of
    SGD.
    """
    if not run.steps_as_sgd:
        return "–"
    if row.way == "path" and row.value is None:
        return "none: mostly rounding"
    if (
        row.bound is None
        and row.longest is not None
        and known(run.course.plan.step_size) >= row.longest
    ):
        return "step too long"
    return number(row.bound, run.result.digits(3), UP)


_LEAD = """What the theorem would say if L̂ were one of these. All are lower estimates of what they
stand for: segments, norms, gradients and L were seen at some iterates, and may be larger
elsewhere."""
_KINDS = (
    (
        "By the path: the largest descent curvature $ℓ_t$ on the segments travelled, its rounding"
        " error added."
    ),
    (
        "By layers: the largest, over the adapted matrices, of what the sharpest claim about the"
        " adapter makes of the norms and gradients that were measured there, and of L. This L is"
        " one for all matrices jointly: the largest smoothness of f in W along the segments, or the"
        " largest curvature in W that was looked at."
    ),
    (
        "As printed: the constant of Lemma 1 with the same L, norms and gradients, and C = σ or"
        " √r\u202fσ. The printed lemma is true, by another proof than its own, and not sharp. It"
        " speaks of LoRA alone, of which DiReFT is one."
    ),
)
_THEOREMS = """Bound at η: of the theorem of the run, for the step that the run took, which has to
be shorter than 2/L̂. T needed: the iterations at which this bound falls below the gradient at v₁,
with the same step and batch. The last three columns are the printed theorem's, for a step α that
the run did not take: α, the shortest run that it speaks of, and its bound 2.5\u202fS."""


@placed(240, "The theorem at each L̂")
def theorems(material: Material) -> Iterator[Part]:
    """Compare, within each run, what the theorem would say at each $L̂$: the larger $L̂$ is, the
    less it says.
    """
    if not material.networks:
        return
    yield paragraph(_LEAD)
    yield view.Points(tuple(map(paragraph, _KINDS)))
    runs, most = shown_first(material.networks)
    numbers = ("Its value", "2/L̂", "Bound at η", "T needed", "Printed α")
    head: view.Head = (
        "Run",
        "L̂",
        *map(numeric, numbers),
        numeric(Prose("$T_min$")),
        numeric("2.5\u202fS"),
    )
    rows: list[view.Row] = []
    for run in runs:
        x = run.course
        name = f"{run.name}, η = {number(known(x.plan.step_size))}, T = {number(x.plan.steps)}"
        for row in x.theorems:
            needed = "at no T" if row.needed is None else number(row.needed)
            least = [number(row.T_min, toward=UP)] + (
                ["above T"] if row.T_min and row.T_min > x.plan.steps else []
            )
            cells = (
                Prose(name),
                WAYS[row.way, row.lipschitz],
                number(row.value, toward=UP),
                number(row.longest, toward=DOWN),
                _bound_at(run, row),
                "–" if row.bound is None or not run.steps_as_sgd else needed,
                number(row.alpha),
                Stack(tuple(least)),
                number(row.printed_bound, toward=UP),
            )
            rows.append(cells)
            # It stands in the first row of the run alone.
            name = ""
        rows.append(paragraph(seen(run), "small"))
    yield view.Table(
        head, rows, _THEOREMS, most=sum(len(run.course.theorems) for run in runs[:most])
    )


def seen(run: StoredRun) -> str:
    """Sentences on what the L̂ by the path was made of, and on how the curvature of F compares with
    it.
    """
    found = run.estimates
    ends = number(found.path, toward=UP), number(found.path_sure, toward=DOWN)
    words = (
        f"Largest descent curvature ℓₜ: {ends[0]} with its rounding error added, {ends[1]} with it"
        " taken off"
    )
    if found.path is None:
        left = "nothing" if found.path_sure is None else ends[1]
        words = (
            f"The largest descent curvature ℓₜ is mostly rounding error, {left} with it taken"
            " off: no L̂"
        )
    if (ratio := run.result.gradient_ratio) is not None:
        words += f". Largest gradient ratio: {ratio}, {FROM_BELOW}"
        if not ratio.is_lost and known(ratio.value) - known(ratio.rounding) > (
            found.path or math.inf
        ):
            words += ": F is not L̂-smooth at the L̂ by the path"
    # A largest of nothing is 0.
    if not found.curvature:
        return f"{words}. The curvature of F was not looked at."
    times = ", ".join(str(int(t)) for t in run.trace["look_time"].values[0])
    words += (
        f". Largest curvature ‖∇²F‖, by Lanczos iteration at t\u00a0=\u00a0{times}:"
        f" {number(found.curvature)}, "
    )
    if found.path is None:
        return f"{words}a lower estimate."
    if found.curvature <= found.path:
        return f"{words}which is not above the largest ℓₜ."
    return f"{words}which is more than any ℓₜ: the L̂ by the path is too small for F to be L̂-smooth."


_LOSSES = """F in nats, over all samples that the run is about, and the share of their labels or
next tokens that were the likeliest; the mean over replicas, and between what they lie. Held out: at
the end of the last replica, on samples that training did not see.{} Neither is what the theorem is
about."""
_DRAWN = " The callback has none of these, and looks at the samples that it drew."


@placed(260, "Loss and accuracy")
def losses(material: Material) -> Iterator[Part]:
    """What training achieved, which is not what the theorem is about."""
    if not material.networks:
        return
    runs, most = shown_first(material.networks)
    names = (
        "F at v₁",
        "F at the end",
        "Accuracy at v₁",
        "Accuracy at the end",
        "Held-out loss",
        "Held-out accuracy",
    )
    caption = _LOSSES.format(_DRAWN if material.by_callback else "")
    rows: list[view.Row] = []
    for run in runs:
        ends, held = run.ends, run.ends.held_out
        found = [
            _spread([end[place] for end in of])
            for of in (ends.loss, ends.accuracy)
            for place in (0, 1)
        ]
        rows.append(
            (
                Prose(run.name),
                *found,
                *map(number, (held.loss, held.accuracy) if held else (None, None)),
            )
        )
    yield view.Table(("Run", *map(numeric, names)), rows, caption, most=most)


def _spread(values: Sequence[float | None]) -> str:
    """The mean of the finite values, with the least and the largest in brackets; a lone value by
    itself.
    """
    finite = [x for x in values if x is not None and math.isfinite(x)]
    if len(finite) < 2:
        return number(finite[0] if finite else None)
    return f"{number(float(np.mean(finite)))} ({number(min(finite))} to {number(max(finite))})"


_RANKS = (
    "Runs that differ in the rank and the seed alone; a seed repeats the start of the adapter and"
    " the minibatches, "
    f"not the model and the text. With fewer than three seeds each replica stands for one. {MARKS}"
)
_BIASED = """The smallest squared gradient norm of a run stands for $min_t E$ and is biased low; the
decrease of F is a lower estimate of D."""
_HELD_OUT = """Loss and accuracy at the end against the rank: on the samples trained on, and on
those held out. Dots: the seeds."""
_ENDS = "At the end of the runs, the mean over seeds, and between what they lie."
# What is shown of the end against the rank, by key; and what a table calls it on samples trained on
# and held out.
_AT_END = {
    "loss": ("F at the end", "F, trained on", "Held-out loss"),
    "accuracy": ("accuracy at the end", "Accuracy, trained on", "Held-out accuracy"),
}


@placed(280, "How the rank enters")
def rank(material: Material) -> Iterator[Part]:
    """The slope of a line is the power of the rank with which a quantity grows; the dashed line has
    the slope of the printed bound.
    """
    parts = tuple(rates.rank_parts(repeated(material.networks), _RANKS, _BIASED))
    if not parts:
        return
    yield from parts
    # The sweeps over ranks, by name, in which samples were held out: of each rank the runs that
    # differ in the seed.
    held = [
        group
        for group in _by_rank(material.networks)
        if all(run.ends.held_out is not None for run in group)
    ]
    names = settings([group[0] for group in held], ("adapter.rank",))
    by_rank = [sorted(grouped(group, lambda run: run.rank or 0).items()) for group in held]
    if not held:
        return

    def draw(axis: Axes, item: tuple[str, list[tuple[int, list[StoredRun]]], str]) -> None:
        name, equal, key = item
        ranks, values = [r for r, _ in equal], [_at_end(runs, key) for _, runs in equal]
        for place, (words, look, colour) in enumerate(
            (("trained on", "o-", BLUE), ("held out", "s-", ORANGE))
        ):
            means = [of_rank[:, place].mean() for of_rank in values]
            axis.plot(
                ranks,
                means,
                look,
                color=colour,
                ms=4.5,
                lw=0.9,
                label=f"samples {words}, mean over seeds",
            )
            for r, of_rank in zip(ranks, values, strict=True):
                axis.plot(
                    [r] * len(of_rank), of_rank[:, place], ".", color=colour, ms=2.5, alpha=0.6
                )
        axis.set_xscale("log")
        style.ticks(axis.xaxis, ranks, lambda x: number(round(x)))
        units = f" [{equal[0][1][0].result.problem.units}]" if key == "loss" else ""
        name_axes(axis, name, "rank r", _AT_END[key][0] + units)

    panes = [
        (name, equal, key) for name, equal in zip(names, by_rank, strict=True) for key in _AT_END
    ]
    yield from pictured("rank_held_out", panes, draw, _HELD_OUT, tall=2.2)
    cells: list[view.Row] = []
    for name, equal in zip(names, by_rank, strict=True):
        for r, runs in equal:
            ends = [_at_end(runs, key)[:, place] for key in _AT_END for place in (0, 1)]
            cells.append(
                (
                    Prose(name),
                    str(r),
                    str(len(runs)),
                    *(_spread(values.tolist()) for values in ends),
                )
            )
    heads = [numeric(words) for _, *names in _AT_END.values() for words in names]
    yield view.Table(("Runs", numeric("Rank"), numeric("Seeds"), *heads), cells, _ENDS)


def _by_rank(runs: list[StoredRun]) -> list[list[StoredRun]]:
    """Groups of runs that differ in rank and seed alone, each with enough ranks."""
    found = groups([run for run in runs if run.rank is not None], ("seed", "adapter.rank"))
    return [group for group in found if len({run.rank for run in group}) >= FEWEST]


def repeated(runs: list[StoredRun]) -> list[StoredRun]:
    """The runs of sweeps over ranks, as `sweeps` reads them: with too few seeds, each replica
    stands for a seed.
    """
    found: list[StoredRun] = []
    for group in _by_rank(runs):
        if len({run.result.settings.seed for run in group}) >= FEWEST:
            found += group
            continue
        for run in group:
            result, trace = run.course, run.trace
            squares, losses = trace["gradient_square_norm"].values, trace["loss"].values
            variances = trace["noise_variance"].values[:, 0] * result.plan.batch
            # Of the replicas but the first the variance of a sample is known where the first
            # iterate was looked at.
            is_known = (
                trace["time"].values[:, 0] == 1
            ).all() and result.settings.run.sampling == "with replacement"
            for place in range(len(squares)):
                alone = replace(
                    result,
                    spec=result.spec | {"seed": result.settings.seed * len(squares) + place},
                    smallest=float(squares[place].min()),
                    first_variance=float(variances[place]) if is_known else None,
                    decrease=float((losses[place, 0] - losses[place]).max()),
                )
                found.append(StoredRun(alone, trace))
    return found


def _at_end(runs: list[StoredRun], key: str) -> np.ndarray:
    """The last loss or accuracy of each run on samples trained on, averaged over replicas, and on
    those held out.

    Shape (runs, 2); NaN where there is none.
    """
    found = []
    for run in runs:
        trained = [known(last) for _, last in getattr(run.ends, key)]
        found.append((np.mean(trained), known(getattr(run.ends.held_out, key))))
    return np.array(found, float)


MOST = 9
"""The most runs that the figures show: as many as there are adapters."""

# How the line of each L̂ looks.
_LINES = {
    ("path", ""): (GREEN, "-"),
    ("layers", ""): (ORANGE, "--"),
    ("printed", LEAST): (GREY, "-."),
    ("printed", LARGER): (GREY, ":"),
}
# Letters in a line of a legend, and of a panel's title.
_LEGEND, _LETTERS = 46, 27
# How far below its largest value an axis goes; what is deeper is marked at its edge.
_DEEPEST = 1e-14
# Numbers within this factor are drawn on a linear axis.
_CLOSE = 4
# The blocks whose spectral norm is measured; of the others it is the largest entry, or 1.
_SPECTRAL = frozenset({"A", "B", "V", "W", "A_1", "A_2", "B_1", "B_2"})

_SQUARES = """Squared gradient norm of F, over all samples{}, at the iterates that were looked at.
The bound is on what its label says, the smallest expectation over t or their average; it is missing
where the step is longer than 2/L̂, and says nothing where it lies above the dotted line."""
_SMOOTHNESS = """$ℓ_t = 2(F(v_(t+1)) − F(v_t) − ⟨∇F(v_t), Δ⟩)/‖Δ‖²$ on the segment Δ from $v_t$ to
$v_(t+1)$: the descent inequality holds there with any $L̂ ≥ ℓ_t$. The gradient ratio of the same
step is $‖∇F(v_(t+1)) − ∇F(v_t)‖/‖Δ‖$, which no Lipschitz constant of the gradient is less than;
where its rounding hides it, it is not drawn. Each L̂ is a lower estimate of what it stands for. An
L̂ above 2/η is one at which the theorem says nothing of a run with this step. All have the unit of
F, as v has none."""
_CONSTANTS = """F, in the mean over replicas, and the constants of the theory along the run, each
the largest over replicas. $ζ_t²$ is the variance of a minibatch gradient given the past, by
enumerating the samples. $σ_t$ is the largest spectral norm of a trained block, of full fine-tuning
that of the change of W; an adapter that has no such block, is not drawn there. $G_t$ is the largest
spectral norm, over the adapted matrices, of the gradient of f in W."""


@placed(220, "Along the run")
def course(material: Material) -> Iterator[Part]:
    """Follow each run from left to right: its gradient, the smoothness of its path, and the
    constants of the theory, at the iterates that were looked at.
    """
    runs = material.networks
    chosen = distinct(runs)[:MOST]
    if len(chosen) < len(runs):
        yield paragraph(
            f"Drawn: {len(chosen)} of the {len(runs)} runs. Of those that differ in the seed alone"
            f" it is the first, and of the rest the first {MOST}."
        )
    sampled = " (of a Trainer: those that the callback drew)" if material.by_callback else ""
    yield from pictured("gradient_norm", chosen, _draw_squares, _SQUARES.format(sampled), most=3)
    yield from pictured("smoothness", chosen, _draw_smoothness, _SMOOTHNESS, most=3, tall=2.2)
    looks = [(style.LOOKS[place % 5][1], ("-", "--")[place // 5]) for place in range(len(chosen))]
    # Of each panel what it shows, whether that has the unit of the loss, and how it is read off a
    # run.
    panes: tuple[tuple[str, bool, Callable[[StoredRun], np.ndarray | None]], ...] = (
        ("F(vₜ)", True, lambda run: _over(run, "loss", np.ma.mean)),
        (
            "ζₜ, deviation of a minibatch gradient",
            True,
            lambda run: np.sqrt(_over(run, "noise_variance", np.ma.max)),
        ),
        ("σₜ, largest spectral norm of a block", False, _sigma),
        (
            "Gₜ, largest ‖∇f‖ of a matrix",
            True,
            lambda run: _largest(run, "weight_gradient_spectral"),
        ),
    )
    courses = []
    for title, has_units, read in panes:
        found = [
            (run, y, look)
            for run, look in zip(chosen, looks, strict=True)
            if (y := read(run)) is not None
        ]
        courses += [(title, has_units, found)] if found else []

    def draw(
        axis: Axes, item: tuple[str, bool, list[tuple[StoredRun, np.ndarray, tuple[str, str]]]]
    ) -> None:
        title, has_units, rows = item
        for run, y, (colour, dash) in rows:
            _curve(
                axis, run.times, y, color=colour, ls=dash, label=textwrap.fill(run.name, _LEGEND)
            )
        _log_axis(axis, [y for _, y, _ in rows])
        units = f" [{rows[0][0].result.problem.units}]" if has_units else ""
        axis.set_xlim(0, max(run.course.plan.steps for run, *_ in rows) + 1)
        name_axes(axis, title, "iteration t", title.split(",")[0] + units)

    yield from pictured("constants", courses, draw, _CONSTANTS, tall=1.9)


def _over(run: StoredRun, name: str, how: Callable[..., Any]) -> np.ndarray:
    """An observable over t, shape (M,): `how` of the replicas that have a number there; NaN where
    none has.
    """
    values: np.ndarray = how(np.ma.masked_invalid(run.trace[name].values), axis=0).filled(np.nan)
    return values


def _log_axis(axis: Axes, shown: list[np.ndarray], below: bool = False) -> float:
    """Make a log axis around the positive numbers that are shown, with room for marks below; return
    its lower edge.

    If the numbers lie close together, and nothing is below, the axis is linear.
    """
    values = np.concatenate([np.asarray(x, float).ravel() for x in shown])
    positive = values[(values > 0) & (values < math.inf)]
    high = float(positive.max(initial=0.0)) or 1.0
    low = max(float(positive.min(initial=high)), high * _DEEPEST)
    below |= bool((positive < low).any())
    if high < _CLOSE * low and not below:
        axis.set_ylim(low - 0.1 * (high - low or high), high + 0.1 * (high - low or high))
        return low
    # Room for two ticks at least.
    widening = math.sqrt(max(10 * low / high, 1.0))
    low, high = low / widening, high * widening
    span = math.log10(high / low)
    low, edge = low / 10 ** (0.1 * span if below else 0), low / 10 ** (0.1 * span)
    style.log_y(axis, low, high)
    places = axis.yaxis.get_major_locator()()
    if span > 3:
        exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        places = [10.0**e for e in exponents[:: math.ceil(span / 5)]]
    style.ticks(axis.yaxis, places)
    return edge


def _curve(axis: Axes, x: np.ndarray, y: np.ndarray, **look: Any) -> None:
    """Draw a line through the positive numbers, with points where there are few."""
    axis.plot(x, np.where(y > 0, y, np.nan), marker="." if len(x) <= 40 else "", ms=3, lw=1, **look)


def _finish(
    axis: Axes, run: StoredRun, y: np.ndarray, shown: list[np.ndarray], below: str, said: str
) -> None:
    """Give a panel of a run its axes; what is below them, most often negative numbers, is marked at
    the lower edge.
    """
    x, edge, share = run.times, _log_axis(axis, shown, bool((y <= 0).any())), ""
    hidden = np.isfinite(y) & (y < edge)
    if hidden.any():
        axis.plot(
            x[hidden],
            np.full(hidden.sum(), edge),
            "v",
            color=BLUE,
            ms=3.5,
            mfc="none",
            mew=0.6,
            label=below,
        )
        share = f"; ≤ 0 at {(y[hidden] <= 0).sum() / np.isfinite(y).sum():.0%}"
    axis.set_xlim(0, run.course.plan.steps + 1)
    title = "\n".join([*textwrap.wrap(run.name, _LETTERS), run.verdict])
    name_axes(axis, title, f"iteration t{share}", said)


def _draw_squares(axis: Axes, run: StoredRun) -> None:
    result, x = run.course, run.times
    squares, level = run.trace["gradient_square_norm"].values, result.settings.run.level
    mean = _over(run, "gradient_square_norm", np.ma.mean)
    among = ", mean over replicas" if len(squares) > 1 else ""
    _curve(axis, x, mean, color=BLUE, label=f"‖∇F(vₜ)‖²{among}")
    shown = [mean]
    if len(squares) >= FEWEST and np.isfinite(squares).all():
        shown += band(axis, x, squares, mean, level)
    for key, words, colour, dash in (
        ("bound", f"bound on the {run.measure.over.word}, at L̂ by the path", VERMILLION, "-"),
        ("measured", f"the {run.measure.seen_over(is_stochastic=True).word} over t", GREEN, "--"),
        ("first", "at v₁", GREY, ":"),
    ):
        value = getattr(result, key)
        if value is not None and value > 0 and (key != "bound" or run.steps_as_sgd):
            axis.axhline(value, color=colour, lw=1.1, ls=dash, label=words)
            shown.append(np.array([value]))
    below = "at the edge: an estimate that is not positive"
    _finish(axis, run, mean, shown, below, f"‖∇F‖² [{result.problem.units}²]")


def _draw_smoothness(axis: Axes, run: StoredRun) -> None:
    result, trace, x, shown = run.course, run.trace, run.times, list[np.ndarray]()
    among = ", the largest over replicas" if trace.sizes["replica"] > 1 else ""
    path = _over(run, "path_smoothness", np.ma.max)
    curves = [("path_smoothness", "descent curvature ℓₜ", "ℓₜ", BLUE)]
    if "gradient_ratio" in trace:
        curves.append(("gradient_ratio", "gradient ratio ‖Δ∇F‖ / ‖Δv‖", "the ratio", PURPLE))
    for key, words, name, colour in curves:
        y, error = _over(run, key, np.ma.max), _over(run, f"{key}_error", np.ma.max)
        if key == "gradient_ratio":
            # A ratio that its rounding hides is not drawn.
            y = np.where(y > error, y, np.nan)
            if not np.isfinite(y).any():
                continue
        _curve(axis, x, y, color=colour, label=words + among)
        shown.append(y)
        # Bars go from what rounding leaves to what it may add; one shorter than the line is wide is
        # left out.
        upper = y + error
        barred = (upper > 0) & (error > 0.02 * np.abs(y))
        if barred.any():
            ends = np.maximum(y - error, 1e-3 * upper)[barred], upper[barred]
            said = f"{name} ± estimate of its rounding error"
            axis.vlines(x[barred], *ends, color=colour, alpha=0.3, lw=2, label=said)
            shown.append(ends[1])
    for row in result.theorems:
        if row.value:
            colour, dash = _LINES[row.way, row.lipschitz]
            axis.axhline(
                row.value, color=colour, lw=1.1, ls=dash, label=WAYS[row.way, row.lipschitz]
            )
            shown.append(np.array([row.value]))
    if run.steps_as_sgd:
        longest = 2 / known(result.plan.step_size)
        words = "2/η: for an L̂ above it the step is too long"
        axis.axhline(longest, color=VERMILLION, lw=0.9, ls=":", label=words)
        shown.append(np.array([longest]))
    looked = trace["curvature"].values[0] if "curvature" in trace else np.array([])
    if np.isfinite(looked).any():
        axis.plot(
            trace["look_time"].values[0],
            looked,
            "D",
            color=GREY,
            ms=4,
            label="curvature |λ| of ∇²F (Lanczos)",
        )
    below = "at the edge: 0 or less, F bends down there"
    _finish(axis, run, path, [*shown, looked], below, f"smoothness of F [{result.problem.units}]")


def _largest(
    run: StoredRun, name: str, keep: Sequence[int] | slice = slice(None)
) -> np.ndarray | None:
    """The largest over replicas and the kept places of an observable of blocks or sites."""
    values = run.trace[name].values[:, :, keep]
    if not values.shape[2]:
        return None
    found: np.ndarray = np.ma.masked_invalid(values).max((0, 2)).filled(np.nan)
    return found


def _sigma(run: StoredRun) -> np.ndarray | None:
    names = str(run.trace.attrs.get("blocks", "")).split("\n")
    return _largest(
        run, "norm", [i for i, name in enumerate(names) if name.rsplit(" ", 1)[-1] in _SPECTRAL]
    )
