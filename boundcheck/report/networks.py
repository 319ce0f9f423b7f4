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
from boundcheck.errors import InputError
from boundcheck.measure.estimates import is_mostly_rounding
from boundcheck.problems.adapters import ADAPTERS
from boundcheck.report.along import MOST, WAYS, Named, along_figures, distinct, named_runs
from boundcheck.report.page import json_bytes, load_runs, write_files
from boundcheck.report.stored import StoredRun
from boundcheck.report.style import BLUE, ORANGE, panels, pdf, svg
from boundcheck.report.sweeps import Row, groups, rank_exponents, rank_figure, settings
from boundcheck.report.words import badge, mathml, number

TITLE = "Fine-tuning, held against its theorem"
# Rows of a table before it is folded.
_MOST_ROWS = 12
# What each radius is of.
_RADII = {"a": "σ₁(A)", "b": "σ₁(B)", "mu": "max |m|", "nu": "σ₁(V)", "rho": "σ₁(W − W₀)"}
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
        InputError: for a folder that holds no finished run of a network, and where the page's cannot be written.

    """
    runs = load_runs(folders)
    for folder, run in zip(folders, runs, strict=True):
        if not is_network(run.result):
            raise InputError("RUN", folder, "the folder of a run of a network")
    named = named_runs(runs)
    drawn = _figures(named)
    svgs = {name: svg(figure) for name, figure in drawn.items()}
    count = "one run" if len(runs) == 1 else f"{len(runs)} runs"
    lead = lead or f"What {count} of fine-tuning showed of σ, G, ζ and smoothness, and what the theorem says of that."
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
    words = {"number": number, "signed": _signed, "spread": _spread, "mathml": mathml, "badge": badge}
    of_runs = {"adapter_of": _adapter, "way_of": _way, "bound_of": _bound, "seen_of": _seen, "norms_of": _norms}
    environment.globals |= words | of_runs
    runs, firsts = [each.run for each in named], distinct(named)
    shown = named if len(named) <= _MOST_ROWS else firsts[:_MOST_ROWS]
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
        drawn=firsts[:MOST],
        most=MOST,
        by_callback=any(run.result["spec"]["model"]["kind"] == "trainer" for run in runs),
        svgs={name: Markup(text) for name, text in svgs.items()},
        rank_rows=rank_exponents(_repeated(runs)),
        rank_ends=[row for name, group in _held_out(runs) for row in _rank_ends(name, group)],
        claims=[catalogue[id] for id in ("meft.theorem2_any_step", "jiang2024.theorem2")],
        environments=[x for place, x in enumerate(environments) if x not in environments[:place]],
    )


def _figures(named: list[Named]) -> dict[str, Figure]:
    """Every figure that there is something to draw in, by the name of its file."""
    runs = [each.run for each in named]
    ends = [(name, group, key) for name, group in _held_out(runs) for key in _AT_END]
    drawn = {
        **along_figures(named),
        "rank": rank_figure(_repeated(runs)),
        "rank_held_out": panels(ends, _draw_ends, tall=2.2) if ends else None,
    }
    return {name: figure for name, figure in drawn.items() if figure is not None}


def _adapter(run: StoredRun) -> str:
    scale = run.result["spec"]["adapter"]["scale"]
    said = scale.replace("sqrt(r)", "√r") if isinstance(scale, str) else f"{scale:g}"
    return ADAPTERS[run.adapter].title + (f", s\u00a0=\u00a0{said}" if said != "1" else "")


def _way(row: dict[str, Any]) -> str:
    return WAYS[row["way"], row["lipschitz"]][0]


def _bound(each: Named, row: dict[str, Any]) -> str:
    """The bound at the run's own step, or why there is none; a step of another method is none."""
    if not each.steps_as_sgd:
        return "–"
    if row["way"] == "path" and _is_rounding(each.run):
        return "no L̂: rounding"
    if row["bound"] is None and row["longest"] is not None and each.step_size >= row["longest"]:
        return "step too long"
    return number(row["bound"])


def _spread(values: list[float | None]) -> str:
    """The mean of some numbers, and between what they lie."""
    known = [x for x in values if x is not None and math.isfinite(x)]
    if len(known) < 2:
        return number(known[0] if known else None)
    return f"{number(float(np.mean(known)))} ({number(min(known))} to {number(max(known))})"


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def _norms(run: StoredRun) -> dict[str, str]:
    """The radii over all sites, by name: of which norm of which block each is the largest."""
    words = _RADII | ({"a": "max |d|", "b": "max |b|"} if run.adapter == "vera" else {})
    return {name: words[name] for radii in run.result["constants"]["radii"].values() for name in sorted(radii)}


def _seen(run: StoredRun) -> str:
    """What the L̂ by the path was made of, and how the curvature of F compares with it."""
    found = run.result["constants"]
    ends = number(found["path"]), number(found["path_sure"])
    words = f"Largest ℓₜ: {ends[0]} with its rounding error added, {ends[1]} with it taken off"
    if _is_rounding(run):
        words += ", so that most of it may be rounding error and it is no L̂"
    # A largest of nothing is 0.
    if not found["curvature"]:
        return f"{words}. The curvature of F was not looked at."
    times = ", ".join(str(int(t)) for t in run.trace["look_time"].values[0])
    words += f". Largest curvature ‖∇²F‖, by Lanczos iteration at t\u00a0=\u00a0{times}: {number(found['curvature'])}, "
    if found["curvature"] <= (found["path"] or 0):
        return f"{words}which is not above the largest ℓₜ."
    return f"{words}which is more than any ℓₜ: the L̂ by the path is too small for F to be L̂-smooth."


def _is_rounding(run: StoredRun) -> bool:
    """Whether the L̂ by the path is none."""
    return is_mostly_rounding(*(run.result["constants"][name] or 0.0 for name in ("path", "path_sure")))


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


# What is shown of the end against the rank, by key.
_AT_END = {"loss": "F at the end", "accuracy": "accuracy at the end"}


def _held_out(runs: list[StoredRun]) -> list[tuple[str, list[StoredRun]]]:
    """The sweeps over ranks, by name, in which samples were held out."""
    found = [group for group in _by_rank(runs) if all(run.result["ends"]["held_out"] is not None for run in group)]
    return list(zip(settings([group[0] for group in found], ("adapter.rank",)), found, strict=True))


def _at_end(run: StoredRun, key: str) -> tuple[float, float]:
    """On the samples trained on, in the mean over replicas, and on those held out; NaN for what is no number."""
    ends = run.result["ends"]
    values = [*(last for _, last in ends[key]), ends["held_out"][key]]
    trained = np.array([math.nan if x is None else x for x in values], float)
    return float(trained[:-1].mean()), float(trained[-1])


def _rank_ends(name: str, group: list[StoredRun]) -> list[Row]:
    """For each rank what `_at_end` has, a list over seeds."""
    rows = []
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
    axis.xaxis.set_major_locator(FixedLocator([float(rank) for rank in ranks]))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda x, _: number(round(x))))
    axis.xaxis.set_minor_locator(NullLocator())
    units = f" [{group[0].result['problem']['units']}]" if key == "loss" else ""
    axis.set(xlabel="rank r", ylabel=_AT_END[key] + units)
    axis.set_title(name, loc="left")
