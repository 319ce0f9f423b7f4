"""The screen of a recorded run says no more than was measured: of L̂ by the path, and of squares below their noise."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from boundcheck.experiment.result import AtSmoothness, GradientRatio, Subject
from boundcheck.experiment.view import show_course
from tests.results import ESTIMATES, a_run

NAMES = ("loss", "gradient_square_norm", "noise_variance", "path_smoothness", "path_smoothness_error")
RATIO = ("gradient_ratio", "gradient_ratio_error")


def shown(
    capsys: pytest.CaptureFixture[str],
    squares: list[float],
    noise: list[float],
    ratio: tuple[float, float] = (0.75, 0.0101),
    **constants: float,
) -> str:
    """What is printed of a run with these squared gradient norms, a gradient ratio, and this L̂ by the path."""
    found = replace(ESTIMATES, **({"path": 2.0, "path_sure": 1.9} | constants))
    rows = [[1.0 + place, square, 0.5, 1.5, 0.01, *ratio] for place, square in enumerate(squares)]
    columns = {
        name: (("replica", "stratum"), [list(column)])
        for name, column in zip(NAMES + RATIO, zip(*rows, strict=True), strict=True)
    }
    whole = {
        name: (("replica", "stratum", "site"), np.ones((1, len(rows), 2)))
        for name in ("norm", "weight_gradient_spectral")
    }
    times = {"time": (("replica", "stratum"), [list(range(1, len(rows) + 1))])}
    result = a_run(
        problem=Subject("Model", "loss", sample="8 of 10 samples"),
        estimates=found,
        gradient_ratio=GradientRatio(*ratio) if math.isfinite(ratio[0]) else None,
        theorems=(
            AtSmoothness("path", "", found.path, "", 1.0, 0.25, None, None, None, None),
            AtSmoothness("layers", "", 8.0, "", 0.25, None, None, None, None, None),
        ),
    )
    show_course(xr.Dataset(columns | whole | times), result, noise)
    return capsys.readouterr().err


def test_a_smoothness_that_is_mostly_rounding_is_no_constant(capsys: pytest.CaptureFixture[str]) -> None:
    """9.96, of which 9.60 may be rounding: no step is short enough for that to say anything."""
    text = shown(capsys, [1.0], [0.0], path=9.96, path_sure=0.36)
    assert "no L̂ (path): 9.96 with its rounding error added, 0.36 with it taken off" in text
    assert "L̂ = 9.96" not in text
    assert "0.25" not in text.split("(path)")[1].splitlines()[0]
    assert "L̂ = 8 (layers): steps of SGD below 0.25" in text
    assert "no L̂ (path)" in shown(capsys, [1.0], [0.0], path=0.0, path_sure=0.0)
    assert "L̂ = 2 (path): steps of SGD below 1; the bound on the smallest" in shown(capsys, [1.0], [0.0])


@pytest.mark.parametrize(
    ("path", "sure", "mostly"), [(2.0, 1.0, False), (2.01, 1.0, True), (9.96, 0.0, True), (0.0, 0.0, False)]
)
def test_most_is_more_than_half(path: float, sure: float, mostly: bool) -> None:
    assert replace(ESTIMATES, path=path, path_sure=sure).is_mostly_rounding is mostly


def test_a_square_is_never_printed_as_a_negative_number(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, [-0.125, 0.5, 0.0], [0.25, 0.25, 0.0])
    assert "-0.1" not in text
    assert "−" not in text
    first, second, third = (line for line in text.splitlines() if "\t" in line and line[0].isdigit())
    assert "\t≈ 0, below its noise of 0.25\t" in first
    assert "\t0.5\t" in second
    assert "noise" not in second + third


@pytest.mark.parametrize(
    ("ratio", "row", "line"),
    [
        ((0.75, 0.0101), "0.75 ± 0.011", "0.75 ± 0.011, a lower estimate"),
        ((0.75, 0.0), "0.75 ± 0", "0.75 ± 0, a lower estimate"),
        ((0.75, 0.75), "lost in rounding", "lost in rounding, a lower estimate"),
        ((0.0, 2.0), "lost in rounding", "lost in rounding, a lower estimate"),
        ((math.nan, math.nan), "–", None),
    ],
)
def test_a_gradient_ratio_that_rounding_hides_is_no_number(
    capsys: pytest.CaptureFixture[str], ratio: tuple[float, float], row: str, line: str | None
) -> None:
    """Its rounding is rounded up; on a curved domain there is no ratio."""
    text = shown(capsys, [1.0], [0.0], ratio)
    (cells,) = (each.split("\t") for each in text.splitlines() if each.startswith("1\t"))
    assert row in cells
    assert "1.5" in cells
    assert (line is not None) == ("‖Δ∇F‖ / ‖Δv‖" in text)
    assert line is None or line in text
