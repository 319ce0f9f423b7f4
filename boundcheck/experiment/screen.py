"""The view on the screen of a training run that was recorded: a few records, the verdict, and each L̂."""

import math

import numpy as np
import xarray as xr

from boundcheck.exact.digits import DOWN, UP, Toward, shown
from boundcheck.experiment.result import RunResult
from boundcheck.experiment.schema import FROM_BELOW, GradientRatio
from boundcheck.language.catalogue import catalogue
from boundcheck.system.terminal import Table, screen

# Records that are printed.
_ROWS = 8
# Where loss, ζ², ℓ, its rounding error, σ and G are rounded to.
_TOWARD = (*[Toward.NEAREST] * 3, UP, *[Toward.NEAREST] * 2)
_COLUMNS = ("t", "loss", "‖∇F‖²", "ζ²", "gradient ratio", "descent curvature ℓ", "± rounding", "σ", "G")
_SCALARS = ("loss", "gradient_square_norm", "noise_variance", "path_smoothness", "path_smoothness_error")
_RATIO = ("gradient_ratio", "gradient_ratio_error")


def show_course(trace: xr.Dataset, result: RunResult, noise: list[float]) -> None:
    """Show a few of the records, and what they come to, on stderr.

    Args:
        trace: what was recorded.
        result: what it comes to.
        noise: of each record what was taken off the squared gradient norm, because a part of the samples was looked at.

    """
    title = f"{result.problem.name}, on {result.problem.sample}"
    table = Table(*_COLUMNS, title=title)
    rows = trace.isel(replica=0)
    count = int(np.isfinite(rows["loss"].values).sum())
    for place in np.unique(np.linspace(0, count - 1, min(count, _ROWS)).astype(int)):
        row = rows.isel(stratum=int(place))
        loss, square, *others = (row[name].item() for name in _SCALARS)
        largest = [float(row[name].max()) for name in ("norm", "weight_gradient_spectral")]
        cells = [shown(x, 4, toward) for x, toward in zip((loss, *others, *largest), _TOWARD, strict=True)]
        ratio, off = (row[name].item() for name in _RATIO)
        # On a curved domain there is none.
        told = "–" if math.isnan(ratio) else str(GradientRatio(ratio, off))
        cells[1:2] = [_square(square, noise[place]), cells[1], told]
        table.add(int(row["time"]), *cells)
    console = screen(stderr=True)
    console.print(table)
    for line in _lines(result):
        console.print(line, soft_wrap=True, markup=False, highlight=False)


def _square(estimate: float, noise: float) -> str:
    """The text of an unbiased estimate of a square, which may be negative: then the square is below its noise."""
    return f"{estimate:.4g}" if estimate > 0 or noise == 0 else f"≈ 0, below its noise of {noise:.2g}"


def _lines(result: RunResult) -> list[str]:
    """The verdict, what broke it, and each L̂ with what it says; one that is mostly rounding error is none."""
    lines = [f"{result.verdict}: {result.reason}"]
    failed = [each for each in result.audit if each.status == "failed"]
    lines += [f"  {each.hypothesis}: {each.how}" for each in failed]
    found, meaning = result.estimates, catalogue[result.claim].quantities[-1].meaning
    for each in result.theorems:
        # Of steps that are none of the theorem's it says nothing, and L̂ is all that is known.
        said = "" if failed or each.bound is None else f"; the {meaning} is {shown(each.bound, 4, UP)}"
        way = " ".join(filter(None, (each.way, each.lipschitz and f"C = {each.lipschitz}")))
        # A result has None for infinity.
        ends = (each.value, UP), (each.longest, DOWN)
        value, longest = ("∞" if x is None or math.isinf(x) else shown(x, 4, toward) for x, toward in ends)
        if each.way == "path" and found is not None and (found.is_mostly_rounding or not found.path):
            sure = shown(found.path_sure, 4, DOWN)
            lines.append(f"  no L̂ ({way}): {value} with its rounding error added, {sure} with it taken off")
        else:
            lines.append(f"  L̂ = {value} ({way}): steps of SGD below {longest}{said}")
    if result.gradient_ratio is not None:
        lines.append(f"  largest gradient ratio ‖Δ∇F‖ / ‖Δv‖: {result.gradient_ratio}, {FROM_BELOW}")
    return lines + _waterfall(result)


def _waterfall(result: RunResult) -> list[str]:
    """The links from what was measured to the bound, and what costs most; or why there is no such way."""
    found = result.waterfall
    if found is None:
        return []
    way = " → ".join(
        [f"{found.start} {found.measured:.3g}" if found.measured is not None else found.start]
        + [f"{each.label} {'' if each.factor is None else f'×{each.factor:.3g}'}".strip() for each in found.links]
    )
    return [*([f"  {way}"] if found.links else []), f"  {found.says}"]
