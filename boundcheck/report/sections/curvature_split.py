"""Where the curvature of F comes from along a run of LoRA: from that of f, or from the product BA."""

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from boundcheck.report.section import Folder, Material
from boundcheck.report.stored import StoredRun, highest_rank
from boundcheck.report.style import GREEN, VERMILLION, log_y, marks, panels, ticks

title = "Where the curvature comes from"
see = """Compare the green curves with the red one: the curvature of $f$, and that which the product $BA$ makes."""
place = 480

_PARTS = (
    ("gauss-newton", 0, 0, "Gauss–Newton, AA", GREEN, "--"),
    ("gauss-newton", 0, 1, "Gauss–Newton, AB", GREEN, ":"),
    ("gauss-newton", 1, 1, "Gauss–Newton, BB", GREEN, "-"),
    ("bilinear", 0, 1, "bilinear, AB", VERMILLION, "-"),
)
_CAPTION = """Spectral norms of the blocks of ∇²F along Algorithm 1 from B = 0: what the curvature of f makes
(Gauss–Newton), and what the product BA makes of the gradient of f (bilinear), which couples A with B alone. At B = 0
the blocks AA and AB of the first are 0."""


def build(material: Material, folder: Folder) -> Markup:
    return folder.figure("curvature_split", split_figure(material.runs), _CAPTION)


def _is_split(run: StoredRun) -> bool:
    return run.has_default_adapter and "split" in run.trace


def split_figure(runs: list[StoredRun]) -> Figure | None:
    """The spectral norms of the blocks of both parts of the Hessian along a run, for LoRA."""
    chosen = highest_rank(filter(_is_split, runs))
    return panels(chosen, _draw_split) if chosen else None


def _draw_split(axis: Axes, run: StoredRun) -> None:
    split = run.trace["split"]
    times, parts = run.trace["look_time"].values, split.attrs["parts"].split()
    shown: list[float] = []
    for part, row, column, text, colour, line in _PARTS:
        values = split.values[parts.index(part), row, column]
        axis.plot(times, np.where(values > 0, values, np.nan), line, color=colour, lw=1.2, label=text)
        shown += values[values > 0].tolist()
    axis.set_xscale("log")
    ticks(axis.xaxis, marks(float(times[0]), float(times[-1])))
    log_y(axis, max(min(shown), max(shown) * 1e-5), max(shown))
    axis.set_xlabel("iteration t, from B = 0")
    axis.set_ylabel(f"norm of the block [{run.result.problem.units}]")
    axis.set_title(f"{run.problem}, LoRA, rank {run.rank}", loc="left")
