"""The page on runs of networks: what of the theory was measured along each, and what the theorem says of it.

No number of a network but the infimum of its loss is certified, so that no run here is supported or violated.
"""

import math
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from boundcheck.claims import catalogue
from boundcheck.problems.adapters import ADAPTERS
from boundcheck.report.along import MOST, WAYS, Named, along_figures, distinct, named_runs
from boundcheck.report.page import json_bytes, load_runs, write_files
from boundcheck.report.stored import StoredRun
from boundcheck.report.style import BLUE, ORANGE, panels, pdf, svg
from boundcheck.report.sweeps import Row, groups, rank_exponents, rank_figure, settings
from boundcheck.report.words import mathml, number

TITLE = "Fine-tuning, held against its theorem"
# Rows of a table before it is folded.
_MOST_ROWS = 12
# Ranks that make a sweep, and seeds that make an interval.
_FEWEST = 3


def is_network(result: dict[str, Any]) -> bool:
    """Whether a result is that of a network, which has a page of its own."""
    return "theorems" in result


def write_networks(
    folders: list[Path], page: Path, title: str = TITLE, lead: str | None = None, command: str | None = None
) -> list[Path]:
    """Write the page on runs of networks and, beside it, each figure as SVG and PDF, and all results as JSON.

    Args:
        folders: of finished runs, all of networks.
        page: the file.
        title: the page's.
        lead: its first paragraph.
        command: what makes it again.

    Returns:
        The files written, the page first.

    Raises:
        InputError: for a folder that holds no finished run, and where the page's cannot be written.

    """
    runs = load_runs(folders)
    named = [Named(name, run) for name, run in zip(_names(runs), runs, strict=True)]
    drawn = _figures(named)
    svgs = {name: svg(figure) for name, figure in drawn.items()}
    lead = lead or f"{len(runs)} run{'s' if len(runs) != 1 else ''} of fine-tuning: σ, G, ζ and smoothness as measured."
    command = command or f"boundcheck report {' '.join(folder.name for folder in folders)}"
    files = {
        page: _html(named, title, lead, command, svgs).encode(),
        page.with_name("results.json"): json_bytes([run.result for run in runs]),
    }
    for name, figure in drawn.items():
        files[page.with_name(f"{name}.svg")] = svgs[name].encode()
        files[page.with_name(f"{name}.pdf")] = pdf(figure)
    return write_files(files)


def _html(named: list[Named], title: str, lead: str, command: str, svgs: dict[str, str]) -> str:
    environment = Environment(
        loader=PackageLoader("boundcheck.report", "."), autoescape=True, undefined=StrictUndefined
    )
    words = {"number": number, "mathml": mathml, "adapter_of": _adapter, "step_of": _step, "way_of": _way}
    environment.globals |= words | {"badge": _badge, "seen_of": _seen, "bound_of": _bound, "spread": _spread}
    runs = [each.run for each in named]
    shown = named if len(named) <= _MOST_ROWS else _distinct(named)[:_MOST_ROWS]
    environments = [
        {key: value for key, value in run.result["environment"].items() if key != "memory_mib"} for run in runs
    ]
    return environment.get_template("networks.html.j2").render(
        title=title,
        lead=lead,
        command=command,
        named=named,
        shown=shown,
        folded=[each for each in named if all(each is not other for other in shown)],
        drawn=len(_distinct(named)[:_MOST]),
        svgs={name: Markup(text) for name, text in svgs.items()},
        rank_rows=rank_exponents(_repeated(runs)),
        held_out=[row for group in _by_rank(runs) for row in _held_out_rows(group)],
        claims=[catalogue[id] for id in ("meft.theorem2_any_step", "jiang2024.theorem2")],
        environments=[x for place, x in enumerate(environments) if x not in environments[:place]],
    )


def _figures(named: list[Named]) -> dict[str, Figure]:
    """Every figure that there is something to draw in, by the name of its file."""
    chosen, runs = _distinct(named)[:_MOST], [each.run for each in named]
    looks = {id(each): (LOOKS[i % 5][1], ("-", "--")[i // 5]) for i, each in enumerate(chosen)}
    courses = [(name, what, how, [(each, looks[id(each)]) for each in chosen]) for name, what, how in _COURSES]
    ranks = [(group, key, what) for group in _by_rank(runs) for key, what in _HELD_OUT if _ends(group[0])["held_out"]]
    drawn = {
        "gradient_norm": panels(chosen, _draw_gradient, most=3) if chosen else None,
        "smoothness": panels(chosen, _draw_smoothness, most=3, tall=2.2) if chosen else None,
        "constants": panels(courses, _draw_course, tall=1.9) if chosen else None,
        "rank": rank_figure(_repeated(runs)),
        "held_out": panels(ranks, _draw_held_out, tall=2.2) if ranks else None,
    }
    return {name: figure for name, figure in drawn.items() if figure is not None}


def _badge(verdict: str) -> Markup:
    return Markup('<span class="badge {0}">{0}</span>').format(verdict)


def _adapter(run: StoredRun) -> str:
    scale = run.result["spec"]["adapter"]["scale"]
    return ADAPTERS[run.adapter].title + (f", s\u00a0=\u00a0{scale}" if scale != 1 else "")


def _step(run: StoredRun) -> float:
    return float(run.result["plan"]["inputs"]["eta"])


def _way(row: dict[str, Any]) -> str:
    return _WAYS[row["way"], row["lipschitz"]][0]


def _bound(run: StoredRun, row: dict[str, Any]) -> str:
    """The bound at the run's own step, or why there is none."""
    if row["bound"] is None and row["longest"] is not None and _step(run) >= row["longest"]:
        return "step too long"
    return number(row["bound"])


def _spread(values: list[float | None]) -> str:
    """The mean of some numbers, and between what they lie."""
    known = [x for x in values if x is not None]
    if not known or len(known) == 1:
        return number(known[0] if known else None)
    return f"{number(float(np.mean(known)))} ({number(min(known))} to {number(max(known))})"


def _ends(run: StoredRun) -> dict[str, Any]:
    found: dict[str, Any] = run.result["ends"]
    return found


def _seen(run: StoredRun) -> str:
    """What the L̂ by the path was made of, and how the curvature of F compares with it."""
    found = run.result["constants"]
    words = f"Largest ℓₜ {number(found['path'])} with its rounding error added, {number(found['path_sure'])} without"
    if (found["path"] or 0) > 2 * (found["path_sure"] or 0):
        words += ", so that most of it may be rounding"
    # A largest of nothing is 0.
    if not found["curvature"]:
        return f"{words}; the curvature of F was not looked at."
    # Dataset attributes may be lacking; the times are those of the first replica, the only one looked at.
    times = ", ".join(str(int(t)) for t in run.trace["look_time"].values[0])
    words += f"; the largest curvature |λ| of ∇²F, by Lanczos iteration at t\u00a0=\u00a0{times}: "
    above = found["curvature"] > (found["path"] or 0)
    said = "above all ℓₜ, so that L̂ by the path is certainly too small" if above else "not above the largest ℓₜ"
    return f"{words}{number(found['curvature'])}, {said}."


def _by_rank(runs: list[StoredRun]) -> list[list[StoredRun]]:
    """Runs that differ in rank and seed alone, where there are enough ranks."""
    found = groups([run for run in runs if run.rank is not None], ("seed", "adapter.rank"))
    return [group for group in found if len({run.rank for run in group}) >= _FEWEST]


def _repeated(runs: list[StoredRun]) -> list[StoredRun]:
    """Sweeps over ranks as `sweeps` reads them: where there are too few seeds each replica stands for one."""
    found: list[StoredRun] = []
    for group in _by_rank(runs):
        few = len({run.result["spec"]["seed"] for run in group}) < _FEWEST
        found += chain.from_iterable(map(_replicas, group)) if few else group
    # Its claim takes no C, of which the specs of networks do not speak.
    return [StoredRun(run.result | {"spec": run.result["spec"] | {"lipschitz": ""}}, run.trace) for run in found]


def _replicas(run: StoredRun) -> list[StoredRun]:
    result, trace = run.result, run.trace
    squares, losses = trace["gradient_square_norm"].values, trace["loss"].values
    variances = trace["noise_variance"].values[:, 0] * result["plan"]["batch"]
    # Of the replicas but the first the variance of a sample is known where the first iterate was looked at.
    known = (trace["time"].values[:, 0] == 1).all() and result["spec"]["run"].get("sampling") == "with replacement"
    return [
        StoredRun(
            result
            | {"spec": result["spec"] | {"seed": (result["spec"]["seed"], place)}}
            | {"smallest": float(squares[place].min()), "first_variance": float(variances[place]) if known else None}
            | {"decrease": float((losses[place, 0] - losses[place]).max())},
            trace,
        )
        for place in range(len(squares))
    ]


# What is shown against the rank: its key, and what it is called.
_HELD_OUT = (("loss", "F at the end"), ("accuracy", "accuracy at the end"))


def _at_end(run: StoredRun, key: str) -> tuple[float, float]:
    """On the samples trained on, in the mean over replicas, and on those held out."""
    trained = [math.nan if x is None else x for _, x in _ends(run)[key]]
    held_out = _ends(run)["held_out"][key]
    return float(np.mean(trained)), math.nan if held_out is None else float(held_out)


def _held_out_rows(group: list[StoredRun]) -> list[dict[str, Any]]:
    """For each rank the loss and the accuracy at the end, a list over seeds."""
    rows = []
    for rank in sorted({run.rank or 0 for run in group}):
        equal = [run for run in group if run.rank == rank]
        row: dict[str, Any] = {"name": settings(group, ("adapter.rank",))[0], "rank": rank, "seeds": len(equal)}
        for key, _ in _HELD_OUT:
            row[key] = [list(each[key])[-1][-1] if False else None for each in []]
        rows.append(row)
    return rows


def _draw_held_out(axis: Axes, item: tuple[list[StoredRun], str, str]) -> None:
    group, key, what = item
    ranks = sorted({run.rank or 0 for run in group})
    values = {rank: np.array([_at_end(run, key) for run in group if run.rank == rank]) for rank in ranks}
    for place, (words, marker, colour) in enumerate((("trained on", "o", BLUE), ("held out", "s", ORANGE))):
        means = [values[rank][:, place].mean() for rank in ranks]
        axis.plot(ranks, means, marker + "-", color=colour, ms=4.5, lw=0.9, label=f"samples {words}, mean over seeds")
        for rank in ranks:
            axis.plot([rank] * len(values[rank]), values[rank][:, place], ".", color=colour, ms=2.5, alpha=0.6)
    axis.set_xscale("log")
    axis.xaxis.set_major_locator(FixedLocator([float(rank) for rank in ranks]))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda x, _: number(round(x))))
    axis.xaxis.set_minor_locator(NullLocator())
    units = f" [{group[0].result['problem']['units']}]" if key == "loss" else ""
    axis.set(xlabel="rank r", ylabel=what + units)
