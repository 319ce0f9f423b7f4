"""How the rank enters the fine-tuning of a network, and what that says of the paper's appendix A.6."""

import math
from dataclasses import replace
from itertools import chain

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from boundcheck.report.sections.rank import rank_exponents, rank_figure
from boundcheck.report.stored import StoredRun
from boundcheck.report.style import BLUE, ORANGE, panels, ticks
from boundcheck.report.sweeps import FEWEST, Row, groups, settings
from boundcheck.report.words import number

__all__ = ["ends_figure", "rank_ends", "rank_exponents", "rank_figure", "repeated"]


def _by_rank(runs: list[StoredRun]) -> list[list[StoredRun]]:
    """Runs that differ in rank and seed alone, where there are enough ranks."""
    found = groups([run for run in runs if run.rank is not None], ("seed", "adapter.rank"))
    return [group for group in found if len({run.rank for run in group}) >= FEWEST]


def repeated(runs: list[StoredRun]) -> list[StoredRun]:
    """Sweeps over ranks as `sweeps` reads them: where there are too few seeds each replica stands for one."""
    found: list[StoredRun] = []
    for group in _by_rank(runs):
        few = len({run.result.settings.seed for run in group}) < FEWEST
        found += chain.from_iterable(map(_replicas, group)) if few else group
    return found


def _replicas(run: StoredRun) -> list[StoredRun]:
    result, trace = run.course, run.trace
    squares, losses = trace["gradient_square_norm"].values, trace["loss"].values
    variances = trace["noise_variance"].values[:, 0] * result.plan.batch
    # Of the replicas but the first the variance of a sample is known where the first iterate was looked at.
    known = (trace["time"].values[:, 0] == 1).all() and result.settings.run.sampling == "with replacement"
    return [
        StoredRun(
            replace(
                result,
                spec=result.spec | {"seed": result.settings.seed * len(squares) + place},
                smallest=float(squares[place].min()),
                first_variance=float(variances[place]) if known else None,
                decrease=float((losses[place, 0] - losses[place]).max()),
            ),
            trace,
        )
        for place in range(len(squares))
    ]


# What is shown of the end against the rank, by key.
_AT_END = {"loss": "F at the end", "accuracy": "accuracy at the end"}


def _held_out(runs: list[StoredRun]) -> list[tuple[str, list[StoredRun]]]:
    """The sweeps over ranks, by name, in which samples were held out."""
    found = [group for group in _by_rank(runs) if all(run.ends.held_out is not None for run in group)]
    return list(zip(settings([group[0] for group in found], ("adapter.rank",)), found, strict=True))


def _at_end(run: StoredRun, key: str) -> tuple[float, float]:
    """On the samples trained on, in the mean over replicas, and on those held out; NaN for what is no number."""
    ends = run.ends
    values = [*(last for _, last in getattr(ends, key)), getattr(ends.held_out, key)]
    trained = np.array([math.nan if x is None else x for x in values], float)
    return float(trained[:-1].mean()), float(trained[-1])


def ends_figure(runs: list[StoredRun]) -> Figure | None:
    """Loss and accuracy at the end against the rank, a panel each for each sweep with samples held out."""
    panes = [(name, group, key) for name, group in _held_out(runs) for key in _AT_END]
    return panels(panes, _draw_ends, tall=2.2) if panes else None


def rank_ends(runs: list[StoredRun]) -> list[Row]:
    """For each sweep and rank what `_at_end` has, a list over seeds."""
    rows = []
    for name, group in _held_out(runs):
        for rank in sorted({run.rank or 0 for run in group}):
            equal = [run for run in group if run.rank == rank]
            row: Row = {"name": name, "rank": rank, "seeds": len(equal)}
            for key in _AT_END:
                ends = [_at_end(run, key) for run in equal]
                row |= {f"{key} trained": [x for x, _ in ends], f"{key} held out": [x for _, x in ends]}
            rows.append(row)
    return rows


def _draw_ends(axis: Axes, item: tuple[str, list[StoredRun], str]) -> None:
    name, group, key = item
    ranks = sorted({run.rank or 0 for run in group})
    values = [np.array([_at_end(run, key) for run in group if run.rank == rank]) for rank in ranks]
    for place, (words, look, colour) in enumerate((("trained on", "o-", BLUE), ("held out", "s-", ORANGE))):
        means = [of_rank[:, place].mean() for of_rank in values]
        axis.plot(ranks, means, look, color=colour, ms=4.5, lw=0.9, label=f"samples {words}, mean over seeds")
        for rank, of_rank in zip(ranks, values, strict=True):
            axis.plot([rank] * len(of_rank), of_rank[:, place], ".", color=colour, ms=2.5, alpha=0.6)
    axis.set_xscale("log")
    ticks(axis.xaxis, ranks, lambda x: number(round(x)))
    units = f" [{group[0].result.problem.units}]" if key == "loss" else ""
    axis.set(xlabel="rank r", ylabel=_AT_END[key] + units)
    axis.set_title(name, loc="left")
