"""Runs whose expectations are exact: against a plain loop over paths, and by hand."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from boundcheck.functions.adapters import Full
from boundcheck.functions.objectives.clipped import Clipped
from boundcheck.functions.piecewise import PiecewiseLinear
from boundcheck.functions.problem import Problem
from boundcheck.properties import Run, runs
from tests.layers import examples
from tests.properties import plain

KINDS = ("full", "frozen-a", "lora", "direft")
each_kind = pytest.mark.parametrize("kind", KINDS)


@each_kind
@examples(30)
@given(data=st.data())
def test_runs_are_what_a_plain_loop_over_paths_makes_of_them(kind: str, data: DataObject) -> None:
    run: Run = data.draw(runs(kind))
    paths = plain.iterates(run)
    # Relative to the largest numbers that occur; in four steps rounding errors grow as the iterates do.
    largest = max(plain.square(v) for path in paths for v in path) ** 0.5
    for t, point in enumerate(run.paths):
        for j, part in enumerate(point):
            expected = np.stack([path[t][j] for path in paths])
            np.testing.assert_allclose(part.numpy(), expected, rtol=0, atol=1e-11 * (1 + largest))
    squares, noise = plain.mean_square_gradients(run, paths), plain.noise(run, paths)
    # Of a mean of samples that cancel, the rounding error is that of the samples.
    rounding = 1e-11 * (max(squares) + noise)
    assert run.mean_square_gradients == pytest.approx(squares, rel=1e-9, abs=rounding)
    assert run.noise == pytest.approx(noise, rel=1e-9, abs=rounding)
    for j, norm in enumerate(run.largest_norms.values()):
        assert norm == pytest.approx(max(np.linalg.norm(v[j], 2) for path in paths for v in path), rel=1e-9)


def quadratic(T: int, offsets: tuple[int, ...] = (1, -1)) -> Run:
    """f = w²/2 near 0, from w = 1 with step 1/2, and gradients of samples w ± 1."""
    loss = Clipped(PiecewiseLinear.clipped(1, 8), [Fraction(x) for x in offsets])
    adapter = Full(torch.zeros(1, 1, dtype=torch.float64))
    return Run(Problem(loss, adapter), (torch.ones(1, 1, 1, dtype=torch.float64),), 0.5, T)


def test_a_quadratic_by_hand() -> None:
    run = quadratic(2)
    # w_2 is 0 or 1; w_3 is -1/2 or 1/2, and 0 or 1.
    assert [sorted(v[0].flatten().tolist()) for v in run.paths] == [[1] * 4, [0, 0, 1, 1], [-0.5, 0, 0.5, 1]]
    assert run.mean_square_gradients == (1, 0.5)
    assert run.noise == 1
    assert run.gap == 0.5
    assert run.largest_norms == {"W": 1}


def test_one_sample_has_no_noise() -> None:
    run = quadratic(4, (0,))
    assert len(run.draws) == 1
    assert run.noise == 0
    assert run.mean_square_gradients == (1, 1 / 4, 1 / 16, 1 / 64)


@given(runs())
def test_all_paths_are_there_once(run: Run) -> None:
    assert len({tuple(row) for row in run.draws.tolist()}) == run.problem.objective.samples**run.T <= 81
    assert len(run.paths) == run.T + 1
    assert run.gap >= 0
    assert np.isfinite(run.mean_square_gradients).all()
