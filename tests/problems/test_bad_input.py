"""Bad input to objectives and adapters: one line that names the field, before anything is computed."""

import math

import numpy as np
import pytest
import torch

from boundcheck.errors import InputError
from boundcheck.problems.adapter import LoRA
from boundcheck.problems.problem import Problem
from boundcheck.problems.pseudo_huber import PseudoHuber
from boundcheck.problems.softmax import SoftmaxRegression

W0 = torch.zeros(3, 4, dtype=torch.float64)
X = np.ones((3, 2))
LABELS = np.array([0, 1, 1])
TARGETS = np.ones((5, 3, 4))


def assert_names(caught: pytest.ExceptionInfo[InputError], field: str) -> None:
    assert caught.value.field == field
    assert str(caught.value).startswith(f"{field} = ")
    assert "expected " in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("rank", [0, -1, 4, 100])
def test_a_rank_that_is_none_is_refused(rank: int) -> None:
    with pytest.raises(InputError) as caught:
        LoRA(W0, rank)
    assert_names(caught, "adapter.rank")
    assert str(rank) in str(caught.value)


@pytest.mark.parametrize("scale", [0, -1, -0.0, math.nan, math.inf, -math.inf])
def test_a_scale_that_is_not_positive_is_refused(scale: float) -> None:
    with pytest.raises(InputError) as caught:
        LoRA(W0, 1, scale)
    assert_names(caught, "adapter.scale")
    assert str(scale) in str(caught.value)


@pytest.mark.parametrize(
    "weight",
    [
        pytest.param(torch.zeros(3, dtype=torch.float64), id="a vector"),
        pytest.param(torch.zeros(2, 3, 4, dtype=torch.float64), id="a batch"),
        pytest.param(torch.full((3, 4), math.nan, dtype=torch.float64), id="NaN"),
        pytest.param(torch.full((3, 4), math.inf, dtype=torch.float64), id="infinite"),
    ],
)
def test_a_frozen_weight_that_is_no_finite_matrix_is_refused(weight: torch.Tensor) -> None:
    with pytest.raises(InputError):
        LoRA(weight, 1)


@pytest.mark.parametrize("shape", [(3, 1), (1, 4), (4, 3)])
def test_an_adapter_of_another_shape_than_the_objective_is_refused(shape: tuple[int, int]) -> None:
    # A W0 with one row or column would broadcast silently, and train another model.
    with pytest.raises(InputError):
        Problem(PseudoHuber(TARGETS, 1.0), LoRA(torch.zeros(shape, dtype=torch.float64), 1))


@pytest.mark.parametrize(
    "targets",
    [
        pytest.param(np.ones((3, 4)), id="a matrix"),
        pytest.param(np.ones((5, 3, 4, 1)), id="four axes"),
        pytest.param(np.full((5, 3, 4), np.nan), id="NaN"),
        pytest.param(np.full((5, 3, 4), np.inf), id="infinite"),
        pytest.param(np.ones((0, 3, 4)), id="no samples"),
        pytest.param(np.ones((5, 0, 4)), id="no rows"),
    ],
)
def test_targets_that_are_no_finite_batch_of_matrices_are_refused(targets: np.ndarray) -> None:
    with pytest.raises(InputError) as caught:
        PseudoHuber(targets, 1.0)
    assert_names(caught, "targets")


@pytest.mark.parametrize("delta", [0, -1, math.nan, math.inf])
def test_a_width_that_is_not_positive_is_refused(delta: float) -> None:
    with pytest.raises(InputError) as caught:
        PseudoHuber(TARGETS, delta)
    assert_names(caught, "delta")


@pytest.mark.parametrize(
    ("data", "labels"),
    [
        pytest.param(np.ones(3), LABELS, id="a vector"),
        pytest.param(np.ones((3, 2, 1)), LABELS, id="three axes"),
        pytest.param(np.full((3, 2), np.nan), LABELS, id="NaN"),
        pytest.param(np.full((3, 2), np.inf), LABELS, id="infinite"),
        pytest.param(np.ones((0, 2)), np.zeros(0, dtype=int), id="no samples"),
        pytest.param(np.ones((3, 0)), LABELS, id="no pixels"),
    ],
)
def test_data_that_are_no_finite_matrix_are_refused(data: np.ndarray, labels: np.ndarray) -> None:
    with pytest.raises(InputError) as caught:
        SoftmaxRegression("bad", data, labels)
    assert_names(caught, "X")


@pytest.mark.parametrize(
    "labels",
    [
        pytest.param(np.array([0, 1]), id="too few"),
        pytest.param(np.array([[0, 1, 1]]), id="a matrix"),
        pytest.param(np.array([0, -1, 1]), id="negative"),
        pytest.param(np.array([0.0, 0.5, 1.7]), id="fractional"),
        pytest.param(np.array([0.0, np.nan, 1.0]), id="NaN"),
    ],
)
def test_labels_that_are_no_class_numbers_are_refused(labels: np.ndarray) -> None:
    with pytest.raises(InputError) as caught:
        SoftmaxRegression("bad", X, labels)
    assert_names(caught, "labels")
