"""Theorems side by side on one problem: from what was measured to what each claims."""

import math
import textwrap
from collections.abc import Iterator

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from boundcheck.experiment.tables import DomainSpec, RunSpec
from boundcheck.functions.adapters import title_of
from boundcheck.language.measures import Observable
from boundcheck.language.view import Badge, Cell, Column, Part, Picture, Prose, Stack, Table, numeric
from boundcheck.present.section import Material, placed
from boundcheck.present.sections.runs import bound_of, interval_of, measured_of
from boundcheck.present.stored import StoredRun, known
from boundcheck.present.style import BLUE, GREEN, GREY, ORANGE, VERMILLION, panels, ticks
from boundcheck.present.sweeps import Row, groups, settings
from boundcheck.present.words import number, titled
from boundcheck.system.tables import fields_of

_MOST_PANELS = 6
# How far below the least bound an axis goes.
_DEEPEST = 1e-4
# Letters that a line of a panel holds: of a claim's name beside its bar, and in a title.
_LETTERS, _TITLE = 66, 46


_DRAWN = """Each theorem on the same problem, rank, T and seed, with the step size and batch that it prescribes or is
given, a panel for each quantity that theorems bound: from what was measured of it to the bound; the factor is bound
over measured. The least mean within a stratum estimates $min_t E$, and is biased low."""
_BESIDE = """The claims side by side, the least bound first. Bounds that differ at one T also differ in the run that
they are about: each theorem sets its own step size."""


@placed(300, "Theorems side by side", "The shorter a bar, the closer a bound is to what was measured.")
def theorems(material: Material) -> Iterator[Part]:
    rows = theorem_rows(material.theorems)
    if rows:
        yield Picture("theorems", lambda: theorem_figure(material.theorems), _DRAWN)
        yield theorem_table(rows)


def theorem_table(rows: list[Row]) -> Table:
    """A table of the claims side by side."""
    head: list[str | Column] = ["Problem", "Claim", Column("Verdict", width=0.12), numeric("Step")]
    head += [numeric("Batch", is_aside=True), numeric("Bound"), numeric("Measured")]
    head += [Column("Its interval", width=0.14), numeric("Measured / bound")]
    return Table(head, list(map(_row, rows)), _BESIDE, "theorems")


def _row(row: Row) -> tuple[Cell, ...]:
    run, seed = row["run"], f", seed {row['seed']}" if row["seed"] else ""
    return (
        Prose(f"{row['problem']}, T = {number(row['steps'])}{seed}"),
        Prose(row["claim"]),
        Badge(row["verdict"]),
        number(row["alpha"]),
        number(row["batch"]) if row["batch"] else "all",
        bound_of(run),
        Stack((measured_of(run), Prose(row["shown"], "small"))),
        interval_of(run),
        run.numbers.ratio,
    )


def theorem_rows(runs: list[StoredRun]) -> list[Row]:
    """Rows that set claims side by side, on runs with the same problem, rank, T and seed; the least bound first.

    Claims about different quantities are not compared. Keys: problem, axis (how the quantity is written), steps, seed,
    claim, shown (what was measured of it), batch, alpha, bound, measured, smallest, interval, ratio (measured/bound),
    verdict, ground (that it stands on), silent (whether the theorem says nothing of the run), run, digits (that tell
    measured from bound).
    """
    return [row for rows in _tables(runs) for row in rows]


def theorem_figure(runs: list[StoredRun]) -> Figure | None:
    """A panel for each group of claims: from what was measured to the bound, on a log axis, the least bound first.

    Of groups that differ in the seed alone the first is drawn, and the six with the most claims. None where no group
    has two claims.
    """
    distinct: dict[tuple[str, str, int], list[Row]] = {}
    for rows in _tables(runs):
        distinct.setdefault((rows[0]["axis"], rows[0]["problem"], rows[0]["steps"]), rows)
    tables = sorted(distinct.values(), key=len, reverse=True)[:_MOST_PANELS]
    most = max(map(len, tables), default=0)
    return panels([(rows, most) for rows in tables], _draw_theorems, tall=0.75 + 0.38 * most) if tables else None


def _tables(runs: list[StoredRun]) -> list[list[Row]]:
    """The rows of each group of claims."""
    about: dict[Observable, list[StoredRun]] = {}
    for run in runs:
        if run.is_theorem:
            about.setdefault(run.measure.observable, []).append(run)
    compared = [group for alike in about.values() for group in _compared(alike)]
    # The first of a group has noise, if any has, and so all fields of a spec.
    titles = settings([group[0] for group in compared])
    return [_rows(group, title) for title, group in zip(titles, compared, strict=True)]


def _compared(runs: list[StoredRun]) -> list[list[StoredRun]]:
    """Groups of runs equal in all but claim, its C and the adapter's kind, at equal T however it was chosen.

    A run without noise stands beside those with noise of every kind, one without a ball beside those of every ball.
    """
    noise = tuple(f"run.{name}" for name in RunSpec.model_fields if name != "audits")
    ball = tuple(f"domain.{name}" for name in DomainSpec.model_fields)
    found = []
    for group in groups(runs, ("claim", "lipschitz", "adapter.kind", *noise, *ball)):
        # What is left to differ is noise and ball; T itself stands for how it was chosen.
        paths = {path for run in group for path in fields_of(run.result.spec)}
        rest = tuple(paths - {*noise, *ball} | {"run.steps"})
        for steps in sorted({run.course.plan.steps for run in group}):
            equal = [run for run in group if run.course.plan.steps == steps]
            noisy, exact = ([run for run in equal if _is_exact(run) == each] for each in (False, True))
            for alike in _beside(noisy or exact, rest, ball):
                balls = {_ball(run) for run in alike if _has_ball(run)}
                others = [run for run in exact if noisy and (not _has_ball(run) or _ball(run) in balls)]
                # The same claim with a C that it does not take is the same run.
                distinct = {(titled(run.result), run.adapter, _is_exact(run)): run for run in alike + others}
                if len(distinct) > 1:
                    found.append(list(distinct.values()))
    return found


def _beside(runs: list[StoredRun], rest: tuple[str, ...], ball: tuple[str, ...]) -> list[list[StoredRun]]:
    """Groups of runs with equal noise and ball; runs without a ball are in each group of their noise."""
    found = []
    for alike in groups(runs, (*rest, *ball)):
        without = [run for run in alike if not _has_ball(run)]
        found += [[*each, *without] for each in groups(list(filter(_has_ball, alike)), rest)] or [without]
    return found


def _has_ball(run: StoredRun) -> bool:
    return bool(run.course.plan.radii)


def _ball(run: StoredRun) -> str:
    return str(run.result.settings.domain)


def _is_exact(run: StoredRun) -> bool:
    """True if each step took the exact gradient: on full batches, or with a spec that has no word of noise."""
    return bool(run.result.settings.run.batch == "full")


def _rows(group: list[StoredRun], title: str) -> list[Row]:
    several, rows = len({run.adapter for run in group}) > 1, []
    for run in sorted(group, key=lambda run: (known(run.result.bound) <= 0, known(run.result.bound))):
        result, plan = run.course, run.course.plan
        said = [titled(run.result)] + ([title_of(run.adapter)] if several else [])
        said += ["full batch"] if plan.batch is not None and result.settings.run.batch == "full" else []
        rows.append(
            {"problem": title, "axis": run.measure.observable.axis(result.problem.units), "steps": plan.steps}
            | {"seed": result.settings.seed, "claim": ", ".join(said), "batch": plan.batch}
            | {"shown": run.shown, "alpha": plan.step_size, "ratio": run.ratio, "silent": run.verdict.is_silent}
            | {key: getattr(result, key) for key in ("measured", "smallest", "interval")}
            | {"bound": run.bound, "verdict": run.verdict, "ground": result.ground, "run": run}
            | {"digits": result.digits(3)}
        )
    return rows


def _draw_theorems(axis: Axes, item: tuple[list[Row], int]) -> None:
    rows, most = item
    # Below T_min a formula may be negative, and then there is nothing of it to draw.
    shown = [row["bound"] for row in rows if known(row["bound"]) > 0]
    # What is farther below is marked at the edge: gradient descent may come to rest.
    least = _DEEPEST * min(shown, default=1.0)
    for place, row in enumerate(rows):
        y, fill = most - place, "none" if row["silent"] else BLUE
        measured = row["measured"] if row["ratio"] and 0 < row["ratio"] < math.inf else None
        if measured:
            at, mark = max(measured, least), "o" if measured >= least else "<"
            axis.plot([at, row["bound"]], [y, y], "-", color=GREY if row["silent"] else BLUE, lw=1, alpha=0.5)
            axis.plot([at], [y], mark, color=BLUE, ms=4.5, mfc=fill)
            low, high = (getattr(row["interval"], end) if row["interval"] else measured for end in ("lower", "upper"))
            # Limits of 0 and of infinity have no place on a log axis.
            low, high = max(low, at / 10, least), min(max(high, least), at * 10)
            axis.plot([low, high], [y, y], "-", color=GREEN, lw=_width(row["ground"]), alpha=0.6)
            end = max(row["bound"], high)
            factor = f"×{number(row['bound'] / measured)}" if mark == "o" else "off the axis"
            axis.annotate(factor, (end, y), (6, 0), textcoords="offset points", va="center", fontsize=7)
            shown += [low, end]
        if row["smallest"] and least <= row["smallest"] < math.inf:
            axis.plot(
                [row["smallest"]], [y], ".", color=ORANGE, ms=4, label="least mean over replicas within a stratum of t"
            )
            shown.append(row["smallest"])
        axis.plot([known(row["bound"])], [y], "|", color=VERMILLION, ms=9, mew=2, label="the theorem's bound")
        words = textwrap.shorten(row["claim"], _LETTERS, placeholder="…")
        axis.text(0.005, y + 0.42, words, transform=axis.get_yaxis_transform(), va="center", fontsize=6.3)
    axis.plot([], [], "o", color=BLUE, ms=4.5, label="measured")
    for kind in sorted({row["ground"] for row in rows if row["ground"]}):
        axis.plot([], [], "-", color=GREEN, lw=_width(kind), alpha=0.6, label=f"its {kind} interval")
    axis.plot([], [], "o", color=BLUE, mfc="none", ms=4.5, label="hollow: the theorem says nothing of the run")
    axis.set_xscale("log")
    axis.set_ylim(0.6, most + 0.75)
    axis.set_yticks([])
    _log_limits(axis, min(shown, default=1.0), max(shown, default=1.0))
    axis.set_xlabel(rows[0]["axis"])
    axis.set_title(textwrap.fill(f"{rows[0]['problem']}, T\u00a0=\u00a0{number(rows[0]['steps'])}", _TITLE), loc="left")


def _width(ground: str | None) -> float:
    """The width of an interval's line: thin if the interval holds only in the limit of many replicas."""
    return 1.2 if ground == "asymptotic" else 3


def _log_limits(axis: Axes, low: float, high: float) -> None:
    """Set limits with room at the right for a factor, and ticks at few powers of ten."""
    low, high = low / 2, high * (high / low) ** 0.25 * 2
    exponents = range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)
    axis.set_xlim(low, high)
    ticks(axis.xaxis, [10.0**e for e in exponents[:: len(exponents) // 6 + 1]])
