"""The section on gradient descent without a ball: what stands side by side, and what a sum of steps
leaves."""

import numpy as np
import pytest
from boundcheck.proofs.meft.sections import adaptive

import boundcheck as bc
from boundcheck.present.material import Material, load_runs
from boundcheck.present.page import Page

from .conftest import PROBLEM

NO_BALL = {
    "claim": ["meft.adaptive_gd", "meft.unconditional_gd"],
    "problem": PROBLEM,
    "adapter": {"rank": 2, "gain": 1.5},
    "run": {"steps": [6, 12], "audits": None},
}
BALL = NO_BALL | {"claim": "nesterov2004.gradient_descent", "domain": {"a": 1.0, "b": 1.0}}
ELSEWHERE = BALL | {"adapter": {"rank": 1}, "domain": {"a": 3.0, "b": 3.0}}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    return load_runs(
        [
            root / each.run_id
            for table in (ELSEWHERE, BALL, NO_BALL)
            for each in bc.measure(table, root)
        ]
    )


@pytest.mark.full
def test_theorems_on_one_problem_stand_side_by_side_whatever_ball_they_need(runs):
    ((name, found),) = adaptive.compared(runs)
    assert name == "pseudo-Huber, rank 2"
    assert [(run.result.claim, run.course.plan.steps) for run in found] == [
        (claim, steps) for claim in (*NO_BALL["claim"], BALL["claim"]) for steps in (6, 12)
    ]


def test_what_is_left_is_d_over_what_was_spent(runs):
    ((_, found),) = adaptive.compared(runs)
    longest = found[1]
    other = found[2]
    steps = longest.trace["step"].values[0]
    wanted = longest.course.plan.inputs["D"] / (0.75 * np.add.accumulate(steps))
    np.testing.assert_allclose(adaptive.left(longest), wanted, rtol=1e-12)
    assert wanted[-1] <= longest.course.bound
    assert adaptive.left(other) is None


@pytest.mark.full
def test_the_page_has_a_row_for_each_run_and_says_what_was_not_read(runs):
    page = Page()
    html = page.parts(adaptive.build(Material(runs)))
    assert html.count("<tr><td>") == 6
    assert "a = 1.00, b = 1.00" in html
    assert "the abstract alone was read" in " ".join(html.split())
    assert set(page.files) == {"adaptive.svg", "adaptive.pdf"}
    assert list(adaptive.build(Material(runs[:4]))) == []
