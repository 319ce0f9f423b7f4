"""The runs on matrices: verdicts, hypotheses, planted faults, how long a run must be, and theorems
side by side.
"""

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from matplotlib.axes import Axes

from boundcheck.exact.digits import UP
from boundcheck.experiment.coverage import STUDENT_ON_SKEWED
from boundcheck.experiment.result import Result
from boundcheck.experiment.spec import DomainSpec, RunSpec
from boundcheck.functions.adapters import title_of
from boundcheck.language import view
from boundcheck.language.catalogue import catalogue
from boundcheck.language.symbols import toward
from boundcheck.language.view import Anchor, Badge, Code, Part, Prose, Stack, Table, line, numeric
from boundcheck.present.material import (
    Material,
    StoredRun,
    grouped,
    groups,
    known,
    placed,
    settings,
    without,
)
from boundcheck.present.sections.smoothness import ends
from boundcheck.present.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    VERMILLION,
    name_axes,
    pictured,
    ticks,
    wrapped,
)
from boundcheck.present.words import label, norm_names, number, sentence_of, titled
from boundcheck.system.tables import fields_of
from boundcheck.verdicts import Verdict, spoken


@placed(120, "What the runs say")
def findings(material: Material) -> Iterator[Part]:
    """What was measured on rows of the referee's table, each with the gravest verdict among its
    runs.
    """
    rows = [
        (
            Anchor(str(x.number), x.anchor),
            Prose(x.locator),
            Badge(x.verdict),
            Prose(x.evidence),
        )
        for x in material.findings
    ]
    if rows:
        head = (numeric("No."), "Where", "Verdict", "Evidence")
        yield Table(head, rows, "The number is that of the row about the same place.", most=None)


_BRACKETS = """Smoothness of F(v) = f(W(v)) on the domain. Observed is the largest lower estimate;
the bounds are the claims' own numbers, rounded up, the sharpest and the composition lemma's of each
adapter, and of LoRA the printed ones."""
_ENDS = {
    "sharp": "Sharpest",
    "composition": "By composition",
    "printed sigma": "Printed, C = σ",
    "printed sqrt(r) sigma": "Printed, C = √r σ",
}


@placed(200, "Verdicts of the runs")
def verdicts(material: Material) -> Iterator[Part]:
    """A run supports a theorem only where every hypothesis held and the bound says more than was
    known without it; the line below each run says why.
    """
    if material.theorems:
        folded = without(material.theorems, material.shown)
        yield verdict_table([*material.shown, *folded], len(material.shown))
    rows: list[view.Row] = []
    for run in material.brackets:
        found, measured = ends(run), run.result.measured
        share = (
            f"{100 * measured / found['sharp']:.0f}"
            if "sharp" in found and measured is not None
            else "–"
        )
        cells = (
            Anchor(run.problem, f"run-{run.result.run_id}"),
            title_of(run.adapter),
            number(run.rank),
            Badge(run.verdict),
            measured_of(run),
        )
        rows.append(
            (*cells, f"{share}\u202f%", *(number(found.get(role), toward=UP) for role in _ENDS))
        )
    if rows:
        head = (
            "Problem",
            "Adapter",
            numeric("Rank"),
            "Verdict",
            numeric("Observed"),
            numeric("Observed / sharpest"),
        )
        yield Table((*head, *map(numeric, _ENDS.values())), rows, _BRACKETS, "brackets", most=None)


_VERDICTS = """Theorems, each run by the algorithm that it is about. Measured is what the line below
each run names, in the mean over replicas; where there is noise, and the theorem is about a smallest
mean over t, it is the average over t, which is no less. $v_1$ is where a run starts: what is known
of the same quantity there, without the theorem. An asymptotic interval holds in the limit of many
replicas, a nonasymptotic one as it is. Bounds are rounded up, the ends of intervals outwards."""
_UNBOUNDED = " A run whose hypothesis failed has no bound where the formula falls below 0."
_STUDENT = """ Supported (asymptotic) stands on Student's interval alone, which misses more often
than it states where replicas are skewed, a few far above the rest. In simulation of replicas that
are 0 but for one in 50, the one stated to miss 5\u202f% missed {}."""
_STAR = " A star: the bound is one at constants that were only estimated."


def verdict_table(runs: list[StoredRun], most: int | None = None) -> Table:
    """A table of what each run of a theorem measured beside its bound, with the reason for its
    verdict below each.
    """
    caption = _VERDICTS + (_UNBOUNDED if any(run.bound is None for run in runs) else "")
    if any(run.verdict == Verdict.SUPPORTED_ASYMPTOTIC for run in runs):
        rates = ", ".join(
            f"{100 * rate:.0f}\u202f% over {number(n)} replicas"
            for n, rate in STUDENT_ON_SKEWED.items()
        )
        caption += _STUDENT.format(rates)
    caption += _STAR if any(run.is_estimated for run in runs) else ""
    head = (
        "Problem",
        numeric("Rank"),
        "Theorem",
        view.Column("Verdict", width=0.12),
        numeric("Measured"),
        view.Column("Interval", width=0.13),
        numeric("Bound"),
        numeric("At v₁", is_aside=True),
        numeric("T"),
        numeric("Batch", is_aside=True),
        numeric("Replicas"),
    )
    rows: list[view.Row] = []
    for run in runs:
        x = run.course
        cells = (
            Anchor(f"{run.problem}{run.seeded}", f"run-{x.run_id}"),
            number(run.rank),
            f"{titled(x)}{run.scaled}",
            Badge(run.verdict),
            measured_of(run),
            interval_of(run),
            _bound_of(run),
            number(x.first, toward=UP),
            view.Value(number(x.plan.steps), (x.run_id, "steps")),
            number(x.plan.batch) if x.plan.batch else "all",
            view.Value(number(x.settings.run.replicas), (x.run_id, "replicas")),
        )
        why = (
            f"{sentence_of(run.algorithm.title)}, measured: the {run.shown}."
            f" {sentence_of(x.reason)}."
        )
        rows += [cells, line(Prose(why), *blamed(x))]
    return Table(head, rows, caption, "verdicts", most)


def measured_of(run: StoredRun) -> view.Cell:
    """The measured value of a run, or the word diverged."""
    return (
        "diverged"
        if run.has_diverged
        else view.Value(run.numbers.measured, (run.result.run_id, "measured"))
    )


def interval_of(run: StoredRun) -> view.Cell:
    """The interval of a run, and its kind; a dash where there is none."""
    id, found = run.result.run_id, run.result.interval
    if found is None:
        return "–"
    return Stack(
        (view.Value(f"{run.numbers.lower}–{run.numbers.upper}", (id, "interval")), found.kind)
    )


def _bound_of(run: StoredRun) -> view.Value:
    """The bound of a run, with a star where constants of it were only estimated."""
    return view.Value(
        run.numbers.bound + ("*" if run.is_estimated else ""), (run.result.run_id, "bound")
    )


def blamed(result: Result) -> tuple[view.Cell, ...]:
    """The cells that say who is to blame for a verdict; none if nobody is."""
    return (f"To blame: the {result.blame.kind}", Code(result.blame.name)) if result.blame else ()


_INFORMATIVE = """The fewest iterations at which each theorem's bound falls below the squared
gradient norm at v₁ (and below J²G², and $T ≥ T_min$), at the run's ball and noise and the batch at
which ζ² is 0.8 of that norm."""


@placed(240, "How long a run must be before a bound says anything")
def informative(material: Material) -> Iterator[Part]:
    """The larger a number, the longer a run must be before that bound says more than the gradient
    at the start.
    """
    runs = [run for run in material.shown if run.course.horizons]
    if not runs:
        return
    names = settings(runs, ("claim", "lipschitz", "adapter.rank"))
    labels = [numeric(label(each.claim, each.lipschitz)) for each in runs[0].course.horizons]
    rows: list[view.Row] = [
        (Prose(name), number(run.rank), *(number(each.steps) for each in run.course.horizons))
        for name, run in zip(names, runs, strict=True)
    ]
    yield Table(("Problem", numeric("Rank"), *labels), rows, _INFORMATIVE)


_FAULTS = """What was made wrong on purpose, on the hard instance, and what verdict and blame were:
a hypothesis, a constant, the horizon, statistics, rounding, or the claim itself."""


@placed(360, "Planted faults")
def faults(material: Material) -> Iterator[Part]:
    """Each fault was planted on purpose: verdict and blame should name it."""
    rows: list[view.Row] = []
    for words, run in material.faults:
        blame = run.result.blame
        who: view.Cell = "–" if blame is None else Stack((blame.kind, Code(blame.name)))
        rows.append(
            (Prose(words), Badge(run.verdict), who, Prose(f"{sentence_of(run.result.reason)}."))
        )
        if blame is not None:
            rows.append(view.Fold(line("evidence"), (line(Prose(blame.evidence)),)))
    if rows:
        yield Table(("Planted", "Verdict", "Blamed", "Why"), rows, _FAULTS, most=None)


@placed(520, "Each run against its hypotheses")
def hypotheses(material: Material) -> Iterator[Part]:
    """Open a run to see each hypothesis with what was observed and the limit that it was held
    to.
    """
    for run in (*material.theorems, *material.networks):
        audit = Table(
            ("Hypothesis", "Status", numeric("Observed"), numeric("Limit"), "How it is known"),
            [
                (Code(x.hypothesis), Badge(x.status), *x.shown(number, 3), Prose(x.how))
                for x in run.result.audit
            ],
            "Each hypothesis, as it was held against the run",
            most=None,
        )
        name = (
            f"{run.problem}, {run.name}" if run.is_network else f"{run.title}, {titled(run.result)}"
        )
        parts = _of_network(run) if run.is_network else [_constants(run)]
        head = line(Prose(f"{name}: {spoken(run.verdict)} (run"), Code(f"{run.result.run_id})"))
        yield view.Fold(head, (audit, *parts))


def _across(cells: Mapping[view.Cell, str], caption: str) -> Table:
    """A table with a row for each number: its name and its value."""
    return Table(("", numeric("")), list(cells.items()), caption, most=None)


def _constants(run: StoredRun) -> Table:
    """Parameters and quantities of the claim as its formulas write them, each with its value."""
    plan, claim, cells = run.course.plan, catalogue[run.course.claim], dict[view.Cell, str]()
    symbols = {each.name: each.symbol for each in claim.parameters}
    symbols |= {each.name: each.symbol for each in claim.quantities}
    for name, value in (plan.inputs | plan.values).items():
        symbol = symbols.get(name)
        letter = Prose(name) if symbol is None else view.Math(claim.latex(symbol))
        is_whole = symbol is not None and symbol.is_integer and value is not None
        cells[letter] = number(int(value or 0) if is_whole else value, toward=toward(name))
    return _across(cells, "Constants, fixed before the run")


def _of_network(run: StoredRun) -> Iterator[Part]:
    """Parts on a network's run: the constants that were seen, what rounding may add, its machine,
    adapted matrices.
    """
    x, c, made = run.course, run.estimates, run.result.environment
    infimum = x.constants["infimum"]
    seen: dict[view.Cell, str] = {
        "D": number(c.D),
        "L": number(c.L),
        "L̂ by the path": number(c.path, toward=UP),
        "ζ²": number(c.zeta_square),
        "Variance of a sample at v₁": number(x.first_variance),
        "Decrease of F": number(x.decrease),
        "Least ‖∇F‖²": number(x.smallest),
    }
    caption = (
        f"Constants, set after the run to the largest that was seen; f* ≥ 0 is {infimum.kind}:"
        f" {infimum.how}"
    )
    yield _across(seen, caption)
    loss, slope = (number(x.rounding[name], toward=UP) for name in ("loss", "gradient"))
    memory = (
        f" and at most {number(made['memory_mib'])} MiB of its memory"
        if "memory_mib" in made
        else ""
    )
    yield view.paragraph(
        f"By an estimate of rounding errors F may be off by {loss} {x.problem.units}, and its"
        f" gradient by a vector of norm {slope}. Ran on {made['device']}, with {made['threads']}"
        f" thread{'' if made['threads'] == 1 else 's'}{memory}.",
        "small",
    )
    # The radii of all sites: each has a norm and block of which it is the largest.
    words = norm_names(run.adapter)
    norms = {name: words.get(name, name) for radii in c.radii.values() for name in sorted(radii)}
    sites: list[view.Row] = [
        (
            Code(site),
            *(number(radii.get(name)) for name in norms),
            number(c.G[site]),
            number(c.G_frobenius[site]),
        )
        for site, radii in c.radii.items()
    ]
    head: view.Head = (
        "Matrix",
        *map(numeric, norms.values()),
        numeric("G, spectral"),
        numeric("G, Frobenius"),
    )
    said = f"Largest norms and gradients at each of the {x.problem.sites} adapted matrices"
    yield view.Fold(line(said), (Table(head, sites, most=None),))


_MOST_PANELS = 6
# How far below the least bound an axis goes.
_DEEPEST = 1e-4
# Letters that a line of a panel holds: of a claim's name beside its bar, and in a title.
_LETTERS, _TITLE = 66, 46
_DRAWN = """Each theorem on the same problem, rank, T and seed, with the step size and batch that it
prescribes or is given, a panel for each quantity that theorems bound: from what was measured of it
to the bound; the factor is bound over measured. The least mean within a stratum estimates
$min_t E$, and is biased low."""
_BESIDE = """The claims side by side, the least bound first. Bounds that differ at one T also differ
in the run that they are about: each theorem sets its own step size."""


class Beside(NamedTuple):
    """A claim beside others, on runs with the same problem, rank, T and seed.

    Attributes:
        problem: what all have in common.
        claim: its name, with what tells it from the others.
        run: the run that it is held against.

    """

    problem: str
    claim: str
    run: StoredRun


@placed(300, "Theorems side by side")
def theorems(material: Material) -> Iterator[Part]:
    """The shorter a bar, the closer a bound is to what was measured."""
    rows = theorem_rows(material.theorems)
    if not rows:
        return
    # Of groups that differ in the seed alone the first is drawn, and those with the most claims.
    tables = _side_by_side(material.theorems)
    alike = grouped(tables, lambda rows: (rows[0].run.axis, rows[0].problem, rows[0].run.steps))
    drawn = sorted((of_seeds[0] for of_seeds in alike.values()), key=len, reverse=True)[
        :_MOST_PANELS
    ]
    most = max(map(len, drawn))

    def draw(axis: Axes, rows: list[Beside]) -> None:
        # Below T_min a formula may be negative, and then there is nothing of it to draw.
        shown: list[float] = [known(x.run.bound) for x in rows if known(x.run.bound) > 0]
        # What is farther below is marked at the edge: gradient descent may come to rest.
        least = _DEEPEST * min(shown, default=1.0)
        for place, row in enumerate(rows):
            y, run, result, bound = most - place, row.run, row.run.course, known(row.run.bound)
            if run.ratio and 0 < run.ratio < math.inf and (measured := result.measured):
                at, mark = max(measured, least), "o" if measured >= least else "<"
                fill, quiet, words = (
                    ("none", GREY, "hollow: the theorem says nothing of the run")
                    if run.verdict.is_silent
                    else (BLUE, BLUE, "measured")
                )
                axis.plot([at, bound], [y, y], "-", color=quiet, lw=1, alpha=0.5)
                axis.plot([at], [y], mark, color=BLUE, ms=4.5, mfc=fill, label=words)
                low, high = (
                    (result.interval.lower, result.interval.upper)
                    if result.interval
                    else (measured, measured)
                )
                # Limits of 0 and of infinity have no place on a log axis.
                low, high = max(low, at / 10, least), min(max(high, least), at * 10)
                # Thin is an interval that holds only in the limit of many replicas.
                axis.plot(
                    [low, high],
                    [y, y],
                    color=GREEN,
                    lw=1.2 if result.ground == "asymptotic" else 3,
                    alpha=0.6,
                    label=f"its {result.ground} interval" if result.ground else None,
                )
                end = max(bound, high)
                factor = f"×{number(bound / measured)}" if mark == "o" else "off the axis"
                axis.annotate(
                    factor, (end, y), (6, 0), textcoords="offset points", va="center", fontsize=7
                )
                shown += [low, end]
            if result.smallest and least <= result.smallest < math.inf:
                words = "least mean over replicas within a stratum of t"
                axis.plot([result.smallest], [y], ".", color=ORANGE, ms=4, label=words)
                shown.append(result.smallest)
            axis.plot([bound], [y], "|", color=VERMILLION, ms=9, mew=2, label="the theorem's bound")
            axis.text(
                0.005,
                y + 0.42,
                wrapped(row.claim, _LETTERS),
                transform=axis.get_yaxis_transform(),
                va="center",
                fontsize=6.3,
            )
        axis.set_xscale("log")
        axis.set_ylim(0.6, most + 0.75)
        axis.set_yticks([])
        # Room at the right for a factor, and ticks at few powers of ten.
        low, high = min(shown, default=1.0), max(shown, default=1.0)
        low, high = low / 2, high * (high / low) ** 0.25 * 2
        exponents = range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)
        axis.set_xlim(low, high)
        ticks(axis.xaxis, [10.0**e for e in exponents[:: len(exponents) // 6 + 1]])
        name_axes(
            axis,
            f"{rows[0].problem}, T\u00a0=\u00a0{number(rows[0].run.steps)}",
            rows[0].run.axis,
            letters=_TITLE,
        )

    yield from pictured("theorems", drawn, draw, _DRAWN, tall=0.75 + 0.38 * most)
    head: view.Head = (
        "Problem",
        "Claim",
        view.Column("Verdict", width=0.12),
        numeric("Step"),
        numeric("Batch", is_aside=True),
        numeric("Bound"),
        numeric("Measured"),
        view.Column("Its interval", width=0.14),
        numeric("Measured / bound"),
    )
    cells: list[view.Row] = [
        (
            Prose(f"{problem}, T = {number(run.steps)}{run.seeded}"),
            Prose(claim),
            Badge(run.verdict),
            number(run.course.plan.step_size),
            number(run.course.plan.batch) if run.course.plan.batch else "all",
            _bound_of(run),
            Stack((measured_of(run), Prose(run.shown, "small"))),
            interval_of(run),
            run.numbers.ratio,
        )
        for problem, claim, run in rows
    ]
    yield Table(head, cells, _BESIDE, "theorems")


def theorem_rows(runs: list[StoredRun]) -> list[Beside]:
    """Claims side by side, on runs with the same problem, rank, T and seed; the least bound first.

    Claims about different quantities are not compared.
    """
    return [row for rows in _side_by_side(runs) for row in rows]


def _side_by_side(runs: list[StoredRun]) -> list[list[Beside]]:
    about = grouped((run for run in runs if run.is_theorem), lambda run: run.measure.observable)
    compared = [group for alike in about.values() for group in _compared(alike)]
    found = []
    # The first of a group has noise, if any has, and so all fields of a spec.
    for title, group in zip(settings([group[0] for group in compared]), compared, strict=True):
        several, rows = len({run.adapter for run in group}) > 1, []
        for run in sorted(
            group, key=lambda run: (known(run.result.bound) <= 0, known(run.result.bound))
        ):
            said = [titled(run.result)] + ([title_of(run.adapter)] if several else [])
            said += ["full batch"] if run.course.plan.batch is not None and _is_exact(run) else []
            rows.append(Beside(title, ", ".join(said), run))
        found.append(rows)
    return found


def _compared(runs: list[StoredRun]) -> list[list[StoredRun]]:
    """Groups of runs equal in all but claim, its C and the adapter's kind, at equal T however it
    was chosen.

    A run without noise stands beside those with noise of every kind, one without a ball beside
    those of every ball.
    """

    def ball_of(run: StoredRun) -> str:
        return str(run.result.settings.domain) if run.course.plan.radii else ""

    noise = tuple(f"run.{name}" for name in RunSpec.model_fields if name != "audits")
    ball = tuple(f"domain.{name}" for name in DomainSpec.model_fields)
    found = []
    for group in groups(runs, ("claim", "lipschitz", "adapter.kind", *noise, *ball)):
        # What is left to differ is noise and ball; T itself stands for how it was chosen.
        paths = {path for run in group for path in fields_of(run.result.spec)}
        rest = tuple(paths - {*noise, *ball} | {"run.steps"})
        for equal in grouped(
            sorted(group, key=lambda run: run.steps), lambda run: run.steps
        ).values():
            noisy, exact = (
                [run for run in equal if _is_exact(run) == each] for each in (False, True)
            )
            for alike in groups(noisy or exact, (*rest, *ball)):
                # Of equal noise: those of each ball, and those without one with each of these.
                free = [run for run in alike if not ball_of(run)]
                for of_ball in groups(list(filter(ball_of, alike)), rest) or [[]]:
                    balls = {"", *map(ball_of, of_ball)}
                    others = [run for run in exact if noisy and ball_of(run) in balls]
                    # The same claim with a C that it does not take is the same run.
                    together = [*of_ball, *free, *others]
                    distinct = {
                        (titled(run.result), run.adapter, _is_exact(run)): run for run in together
                    }
                    if len(distinct) > 1:
                        found.append(list(distinct.values()))
    return found


def _is_exact(run: StoredRun) -> bool:
    """True if each step took the exact gradient: on full batches, or with a spec that has no word
    of noise.
    """
    return bool(run.result.settings.run.batch == "full")
