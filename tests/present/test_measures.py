"""Pages of runs that are not about gradients: each panel is about one quantity, and none stands for another."""

from __future__ import annotations

from typing import Any

from boundcheck.present.sections.rates import rank_exponents
from boundcheck.present.sections.runs import theorem_figure, theorem_rows
from boundcheck.present.sections.smoothness import gradient_figure
from boundcheck.present.stored import StoredRun

from .test_descent import exact
from .test_sweeps import by_rank, synthetic

GAPS = "drori2014.gradient_descent", "su2016.nesterov"
GRADIENTS = "nesterov2004.gradient_descent", "abbaszadehpeivasti2022.best_step"


def of(claim: str, **result: Any) -> StoredRun:
    return exact(claim, measured=0.5, **result)


def test_a_panel_is_about_one_quantity() -> None:
    runs = [of(claim) for claim in (*GAPS, *GRADIENTS)]
    rows = theorem_rows(runs)
    assert [(row.axis, row.run.shown) for row in rows] == [
        *[("F(vₜ) − f* [loss units]", "last gap")] * 2,
        *[("‖∇F(vₜ)‖² [loss units²]", "smallest squared gradient norm")] * 2,
    ]
    labels = [axis.get_xlabel() for axis in theorem_figure(runs).axes]
    assert labels == ["F(vₜ) − f* [loss units]", "‖∇F(vₜ)‖² [loss units²]"]
    assert theorem_rows([of(GAPS[0]), of(GRADIENTS[0])]) == []


def test_a_gap_is_not_drawn_as_a_gradient() -> None:
    assert gradient_figure([synthetic({"claim": GAPS[0]})]) is None
    (gap, *_) = rank_exponents(by_rank([1, 2, 4], 3, lambda seed, rank: rank**0.5, claim=GAPS[0]))
    assert (gap["quantity"], gap["formula"]) == ("minₜ E[F(vₜ) − f*]", "")
