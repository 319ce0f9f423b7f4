"""Runs from beginning to end, where a theorem loses, and the smoothness of F from below and
above.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from boundcheck.exact.digits import DOWN, UP, shown
from boundcheck.experiment.result import Chain, Waterfall
from boundcheck.experiment.statistics import Schedule, student_interval
from boundcheck.functions.adapters import ADAPTERS, title_of
from boundcheck.language.catalogue import about
from boundcheck.language.evidence import beyond_rounding
from boundcheck.language.view import Code, Fold, Head, Part, Prose, Table, line, numeric, paragraph
from boundcheck.present import style
from boundcheck.present.material import (
    Material,
    StoredRun,
    distinct,
    grouped,
    highest_rank,
    known,
    largest,
    placed,
    settings,
)
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
from boundcheck.present.words import norm_names, number, sentence_of, slug, titled

# Panels of a figure.
_MOST = 6
_GRADIENT = """Mean squared gradient norm of F along the run, from full gradients at audit times
that were drawn at random before it, one in each stratum of t for each replica. Dashed: what was
measured. The red line is the theorem's bound at the constants that were fixed before the run: where
it is about the smallest over t of the expected square and there is noise, the average over t was
measured, which is no less."""


@placed(220, "Bound against measured gradient norm")
def gradient(material: Material) -> Iterator[Part]:
    """Where a run agrees with its theorem, the dashed line lies below the red one; where the bound
    says anything new, the red one lies below the dotted one.
    """
    runs = [
        run
        for run in material.theorems
        if "batch" in run.result.spec["run"] and run.measure.observable.is_of_gradients
    ]
    # Those whose T was chosen to be informative, or, if there are none of these, the first ones.
    chosen = [run for run in runs if run.result.settings.run.steps == "informative"] or runs[:_MOST]

    def draw(axis: Axes, run: StoredRun) -> None:
        result, squares, interval = (
            run.course,
            run.trace["gradient_square_norm"].values,
            run.course.interval,
        )
        bound, first = known(run.bound), known(result.first)
        middle, mean = _middles(run), squares.mean(0)
        axis.plot(middle, mean, color=BLUE, lw=1, label="mean over replicas, by stratum of t")
        low, high = band(axis, middle, squares, mean, result.settings.run.level)
        axis.axhline(bound, color=VERMILLION, lw=1.2, label="the theorem's bound")
        axis.axhline(
            first,
            color=GREY,
            lw=0.8,
            ls=":",
            label="at the first iterate (known without the theorem)",
        )
        if interval is not None:
            axis.axhspan(interval.lower, interval.upper, color=GREEN, alpha=0.25, lw=0)
            words = f"{run.shown}, and its interval"
            axis.axhline(known(result.measured), color=GREEN, lw=1, ls="--", label=words)
        style.log_y(axis, style.extent(low)[0], style.extent(bound, first, high)[1])
        axis.set_xlim(0, run.steps)
        title = f"{run.title}: {run.verdict}\n{titled(result)}"
        name_axes(axis, title, "iteration t", run.axis, letters=40)

    yield from pictured("gradient_norm", chosen, draw, _GRADIENT)


def _middles(run: StoredRun) -> np.ndarray:
    """The middle of each stratum of t."""
    edges = Schedule.edges_of(run.steps, run.trace.sizes["stratum"])
    middles: np.ndarray = (edges[:-1] + 1 + edges[1:]) / 2
    return middles


def band(
    axis: Axes, x: np.ndarray, values: np.ndarray, mean: np.ndarray, level: float
) -> tuple[np.ndarray, np.ndarray]:
    """Draw Student's limits over replicas at each time, for values of shape (R, M); return both."""
    # Of a run that diverged there are none.
    with np.errstate(invalid="ignore", over="ignore"):
        limits = [student_interval(column, level) for column in values.T]
    # A lower limit of 0 has no place on a log axis; the band then ends at a tenth of the mean.
    ends = np.maximum([i.lower for i in limits], 0.1 * mean), np.array([i.upper for i in limits])
    words = f"pointwise asymptotic {level:.0%} interval over replicas"
    axis.fill_between(x, *ends, color=BLUE, alpha=0.25, lw=0, label=words)
    return ends


_DESCENT = """Whatever the algorithm,
$F(v_(t+1)) ≤ F(v_t) + ⟨∇F(v_t), v_(t+1) − v_t⟩ + ½L̂‖v_(t+1) − v_t‖²$
where F is $L̂$-smooth. With the descent curvature $ℓ_t$ in place of $L̂$ this is an
equation, so $ℓ_t/L̂$ is the share of the last term that a step needed: what is missing to 1 is
given away there. A share of 0 or less, on a segment along which F bends down, has no place on the
axis and is marked at its lower edge. The gradient ratio $‖∇F(v_(t+1)) − ∇F(v_t)‖/‖v_(t+1) − v_t‖$
of the same step is at most $L̂$ there too, and a lower estimate of the smoothness of F."""


@placed(320, "What the descent inequality leaves unused")
def descent(material: Material) -> Iterator[Part]:
    """Near 1 a step needed the whole constant; far below 1 the constant is larger than the step
    needed.
    """
    with_constant = [run for run in material.theorems if run.course.plan.smoothness is not None]
    # For each problem and claim the longest run of highest rank.
    chosen = largest(with_constant, lambda run: (_problem(run), titled(run.result)), _size)[:_MOST]
    items = list(zip(settings(chosen), chosen, strict=True))

    def draw(axis: Axes, item: tuple[str, StoredRun]) -> None:
        title, run = item
        constant = known(run.course.plan.smoothness)
        shares = beyond_rounding(run.trace, "path_smoothness") / constant
        middle, finite = _middles(run), np.isfinite(shares).all(0)
        curves = {
            "largest over replicas": shares.max(0),
            "median over replicas": np.median(shares, 0),
        }
        curves = curves if len(shares) > 1 else {"of the only replica": shares[0]}
        shown = np.concatenate([curve[finite & (curve > 0)] for curve in curves.values()])
        if "gradient_ratio" in run.trace and np.isfinite(run.trace["gradient_ratio"].values).all():
            ratio, off = (
                run.trace[name].values for name in ("gradient_ratio", "gradient_ratio_error")
            )
            most = np.where(ratio > off, ratio, 0.0).max(0) / constant
            axis.plot(
                middle,
                np.where(most > 0, most, np.nan),
                color=GREEN,
                lw=1,
                label="gradient ratio, the largest",
            )
            shown = np.concatenate([shown, most[most > 0]])
        low, label_below = (
            float(shown.min(initial=1.0)),
            "at the lower edge: 0 or less, F bends down there",
        )
        for (text, curve), colour in zip(
            curves.items(), (VERMILLION, BLUE)[-len(curves) :], strict=True
        ):
            shape, label = (
                np.where(finite & (curve > 0), curve, np.nan),
                f"descent curvature ℓₜ, {text}",
            )
            axis.plot(middle, shape, ".-", color=colour, lw=1, ms=3, label=label)
            below = middle[finite & (curve <= 0)]
            if len(below):
                axis.plot(
                    below,
                    np.full(len(below), low / 2),
                    "v",
                    color=colour,
                    ms=4,
                    mfc="none",
                    label=label_below,
                )
        axis.axhline(1, color=GREY, lw=1, ls="--", label="1: the claim's own constant")
        bent = float((shares <= 0).mean())
        style.log_y(axis, low / 2 if bent else low, float(shown.max(initial=1.0)))
        axis.set_xlim(0, run.steps)
        across = "iteration t" + (
            f" (F bends down on {bent:.0%} of the audited steps)" if bent else ""
        )
        name_axes(axis, f"{title}\n{titled(run.result)}", across, "smoothness / L̂", letters=46)

    yield from pictured("descent", items, draw, _DESCENT, tall=2.2)


def _size(run: StoredRun) -> tuple[int, int]:
    return run.rank or 0, run.steps


_WATERFALL = """From what was measured to the bound, inequality by inequality. Each step of v − αg
is an equation, $F(v_(t+1)) = F(v_t) − α⟨∇F, g_t⟩ + ½α²ℓ_t‖g_t‖²$, and so is their sum: the factors
are exact, and their product is the bound over what was measured; in another order of the links,
each would be another. Chance is 0 in expectation. *: a constant that is only estimated. Dashed:
what the same sum would say with another step, at which something else would have been measured."""


@placed(310, "Where the theorem loses")
def waterfall(material: Material) -> Iterator[Part]:
    """Read each panel from the top: a bar is an inequality of the proof, and its length is the
    factor that it gives away.
    """
    others = [
        replace(run, name=f"{name}\n{titled(run.result)}")
        for name, run in zip(settings(material.theorems), material.theorems, strict=True)
    ]
    runs = (*material.networks, *others)
    found = [(run, lost) for run in runs if (lost := run.course.waterfall) is not None]
    if not found:
        return
    # Drawn is for each problem and claim the longest run of highest rank, and of networks none that
    # differs in the seed alone.
    linked = [(run, lost) for run, lost in found if lost.links]
    firsts = set(map(id, distinct(material.networks)))
    drawn = largest(
        [(run, lost) for run, lost in linked if not run.is_network or id(run) in firsts],
        lambda x: (x[0].name if x[0].is_network else _problem(x[0]), titled(x[0].result)),
        lambda x: _size(x[0]),
    )[:_MOST]
    most = max((len(lost.links) for _, lost in drawn), default=0)

    def draw(axis: Axes, item: tuple[StoredRun, Waterfall]) -> None:
        run, found = item
        end = "bound" if run.bound is not None else "where it ends"
        title = style.wrapped(run.name, 30)
        style.draw_links(
            axis, found.start, known(found.measured), found.links, end, title, found.most
        )
        if found.at_best is not None:
            words = "what the same sum says with the step at which it is smallest"
            axis.axvline(found.at_best.bound, color=GREEN, lw=0.9, ls="--", zorder=0, label=words)
        axis.set_xlabel(run.axis)

    yield from pictured("waterfall", drawn, draw, _WATERFALL, tall=0.9 + 0.2 * most)
    for run, lost in drawn:
        yield line(Prose(f"{_in_a_line(run)}.", "strong"), Prose(lost.says))
    yield from map(paragraph, dict.fromkeys(lost.says for _, lost in found if not lost.links))
    said = {id(run) for run, _ in drawn}
    for run, lost in linked:
        head = line(Prose(f"{_in_a_line(run)} (run"), Code(f"{run.result.run_id})"))
        says = [] if id(run) in said else [paragraph(lost.says, "small")]
        yield Fold(head, (_links_table(lost, run.result.settings.run.level), *says))


def _in_a_line(run: StoredRun) -> str:
    return run.name.replace("\n", ", ")


def _links_table(lost: Waterfall, level: float) -> Table:
    """A table of the links, with what each adds and gives away."""
    caption = (
        f"It starts at {number(lost.measured)}, the {lost.start}. What each link adds lies between"
        f" these; {lost.intervals}."
    )
    adds = f"Adds, at {100 * level:.0f}\u202f%"
    rows = []
    for link in lost.links:
        limits = "–"
        if link.lower is not None:
            limits = f"{number(link.lower, toward=DOWN)} to {number(link.upper, toward=UP)}"
        estimated = ", ".join(f"`{each}`" for each in link.estimated)
        why = f"{sentence_of(link.why)}. {f'Only estimated: {estimated}.' if estimated else ''}"
        numbers = (
            number(link.value, toward=UP),
            number(link.factor),
            limits,
            number(link.rounding, toward=UP),
        )
        rows.append((link.label, *numbers, Prose(why)))
    head: Head = (
        "Link",
        *map(numeric, ("Value", "Factor", adds, "Rounding")),
        "What is given away",
    )
    return Table(head, rows, caption, most=None)


_BRACKETS = """Lines: what each lemma claims for the smoothness constant of F(v) = f(W(v)) on the
ball. Marks: lower estimates from what was sampled or found{}. The true constant lies between the
highest mark and the lowest line that is a theorem; a sampled ratio is never a bound from above. It
has the unit of F, as v has none."""
_UPPER = {
    "sharp": ("sharpest claim", GREEN, "-"),
    "composition": ("composition lemma, LJ² + GH", GREY, "-."),
    "printed sigma": ("Lemma 1, as printed, C\u00a0=\u00a0σ", ORANGE, "--"),
    "printed sqrt(r) sigma": ("Lemma 1, as printed, C\u00a0=\u00a0√r\u202fσ", VERMILLION, ":"),
}
_LOWER = {
    "ascent": ("largest curvature found by projected ascent", "D", BLUE, "full"),
    "curvature": ("top Hessian eigenvalue (Lanczos)", "s", BLUE, "none"),
    "pairs": ("sampled pairs", "o", PURPLE, "none"),
    "iterates": ("consecutive iterates", "^", GREY, "none"),
    "gradient ratio": ("largest gradient ratio along the run", "D", BLUE, "none"),
    "path": ("largest descent curvature along the run", "s", BLUE, "none"),
    "median of path": ("median descent curvature along the run", "o", PURPLE, "none"),
}


@placed(400, "Smoothness bracket against rank")
def smoothness(material: Material) -> Iterator[Part]:
    """The true constant lies between the highest mark and the lowest line that is a theorem."""
    runs = [*material.theorems, *material.brackets]
    caption = _BRACKETS.format("" if material.brackets else " along the runs")
    # Brackets on one fixed ball if there are any; else the smoothness along the runs, each in its
    # own ball.
    ranked = [run for run in material.brackets or runs if run.rank is not None]
    # A panel for each problem whose runs with a rank have one adapter.
    items = [
        (": ".join(filter(None, (group[0].problem, _radii(chosen)))), chosen)
        for group in grouped(ranked, _problem).values()
        if len({run.adapter for run in group}) == 1 and (chosen := _by_rank(group))
    ]
    yield from pictured("smoothness", items, _draw_bracket, caption)


def ends(run: StoredRun) -> dict[str, float]:
    """The upper ends by role: the printed ones by their C, that of composition, and sharp, the
    least not printed.
    """
    found: dict[str, float] = {}
    for end in run.result.upper:
        said = about(end.claim)
        if said is not None and said.is_printed:
            found[f"printed {end.lipschitz}"] = end.value
            continue
        found["sharp"] = min(found.get("sharp", np.inf), end.value)
        if run.adapter in ADAPTERS and end.claim == ADAPTERS[run.adapter].composition:
            found["composition"] = end.value
    return found


def _problem(run: StoredRun) -> str:
    return json.dumps(run.result.settings.problem, sort_keys=True)


def _by_rank(runs: list[StoredRun]) -> list[StoredRun]:
    """One run of each rank, in the order of ranks: the last of those with the same rank."""
    return [run for _, run in sorted({run.rank or 0: run for run in runs}.items())]


def _radii(runs: list[StoredRun]) -> str:
    """The norms that are equal on all runs, with their radius."""
    if len({json.dumps(run.result.radii) for run in runs}) > 1:
        return "each run's own ball"
    names, radii = norm_names(runs[0].adapter), runs[0].result.radii
    equal = grouped(radii, radii.__getitem__)
    called = {each: names.get(each, each).removeprefix("max ") for each in radii}
    return "; ".join(
        f"{', '.join(called[each] for each in norms)} ≤ {shown(radius, 3, UP)}"
        for radius, norms in equal.items()
    )


def _draw_bracket(axis: Axes, item: tuple[str, list[StoredRun]]) -> None:
    title, runs = item
    positions, shown, upper = np.arange(len(runs)), list[float](), [ends(run) for run in runs]
    series: list[tuple[str, list[float], dict[str, Any]]] = []
    for role, (text, colour, dash) in _UPPER.items():
        values = [each.get(role, np.nan) for each in upper]
        if role != "composition" or values != [each.get("sharp") for each in upper]:
            series.append(
                (text, values, {"color": colour, "ls": dash, "lw": 1.2, "marker": "_", "ms": 9})
            )
    for kind, (text, marker, colour, fill) in _LOWER.items():
        values = [known(run.result.lower.get(kind)) for run in runs]
        series.append(
            (
                text,
                values,
                {"color": colour, "ls": "none", "marker": marker, "ms": 4, "fillstyle": fill},
            )
        )
    for text, values, look in series:
        if np.isfinite(values).any():
            axis.plot(positions, values, label=text, **look)
            shown += values
    if positive := [value for value in shown if value > 0]:
        style.log_y(axis, min(positive), max(positive))
    axis.set_xticks(positions, [str(run.rank or "any") for run in runs])
    axis.set_xlim(-0.4, len(runs) - 0.6)
    name_axes(axis, title, "rank r", f"smoothness of F [{runs[0].result.problem.units}]")


_ADAPTERS = """The same bracket for each reparametrisation W(v), each on its own domain. On LoReFT's
Stiefel manifold all derivatives are Riemannian, and sampled pairs stand for curvatures along random
directions."""
_OF_EACH = """Lines: claims about the adapter, rounded up. Marks: lower estimates. How far a mark
stays below the lowest line is what this f leaves unused of the worst case; the adversary below
shows which lines could not be lower."""


@placed(420, "Every adapter: bracket against rank")
def adapters(material: Material) -> Iterator[Part]:
    """The nearer the marks come to the lowest line of a panel, the less that line can be
    improved.
    """
    # A figure for each problem that has brackets of several adapters.
    figures: list[Part] = []
    for group in grouped(material.brackets, _problem).values():
        of_each = grouped(group, lambda run: run.adapter)
        kinds = [kind for kind in dict.fromkeys((*ADAPTERS, *of_each)) if kind in of_each]
        chosen = [_by_rank(of_each[kind]) for kind in kinds]
        items = [("\n".join(filter(None, (title_of(x[0].adapter), _radii(x)))), x) for x in chosen]
        name = f"adapters_{slug(group[0].problem)}"
        figures += pictured(
            name, items if len(items) > 1 else [], _draw_bracket, _OF_EACH, most=3, tall=1.75
        )
    yield from (paragraph(_ADAPTERS), *figures) if figures else ()


_VERSIONS = {
    "printed": "Lemma 1, as printed",
    "repaired": "Lemma 1, repaired",
    "sharp": "Lemma 1, sharp",
}
_SLACK = """From the measured ratio ‖∇F(v₁) − ∇F(v₂)‖ / ‖v₁ − v₂‖ to the lemma's constant, link by
link, on a logarithmic axis. The wrong way goes the printed (13): it makes the denominator
larger."""


@placed(460, "What each inequality gives away")
def slack(material: Material) -> Iterator[Part]:
    """Read each panel from the top: a bar is an inequality of the proof, and its length is the
    factor that it gives away.
    """
    # The given waterfalls, and for each problem that of its bracket of highest rank, at its
    # steepest sampled pair.
    best = highest_rank(run for run in material.brackets if run.slack)
    found = [*material.waterfalls, *((run.title, run.slack) for run in best)]
    items = [(name, chain) for name, chains in found for chain in chains]

    def draw(axis: Axes, item: tuple[str, Chain]) -> None:
        name, chain = item
        title = f"{_VERSIONS[chain.version]}\n{name}"
        style.draw_links(axis, "measured", chain.measured, chain.links, "bound", title)

    yield from pictured("slack", items, draw, _SLACK, most=3, tall=2.3)


_PARTS = (
    ("gauss-newton", 0, 0, "Gauss–Newton, AA", GREEN, "--"),
    ("gauss-newton", 0, 1, "Gauss–Newton, AB", GREEN, ":"),
    ("gauss-newton", 1, 1, "Gauss–Newton, BB", GREEN, "-"),
    ("bilinear", 0, 1, "bilinear, AB", VERMILLION, "-"),
)
_SPLIT = """Spectral norms of the blocks of ∇²F along Algorithm 1 from B = 0: what the curvature of
f makes (Gauss–Newton), and what the product BA makes of the gradient of f (bilinear), which couples
A with B alone. At B = 0 the blocks AA and AB of the first are 0."""


@placed(480, "Where the curvature comes from")
def curvature_split(material: Material) -> Iterator[Part]:
    """Compare the green curves with the red one: the curvature of $f$, and that which the product
    $BA$ makes.
    """
    chosen = highest_rank(
        run for run in material.runs if run.has_default_adapter and "split" in run.trace
    )

    def draw(axis: Axes, run: StoredRun) -> None:
        split = run.trace["split"]
        times, parts = run.trace["look_time"].values, split.attrs["parts"].split()
        shown: list[float] = []
        for part, row, column, text, colour, dash in _PARTS:
            values = split.values[parts.index(part), row, column]
            axis.plot(
                times, np.where(values > 0, values, np.nan), dash, color=colour, lw=1.2, label=text
            )
            shown += values[values > 0].tolist()
        axis.set_xscale("log")
        style.ticks(axis.xaxis, style.marks(float(times[0]), float(times[-1])))
        style.log_y(axis, max(min(shown), max(shown) * 1e-5), max(shown))
        title = f"{run.problem}, LoRA, rank {run.rank}"
        name_axes(
            axis,
            title,
            "iteration t, from B = 0",
            f"norm of the block [{run.result.problem.units}]",
        )

    yield from pictured("curvature_split", chosen, draw, _SPLIT)
