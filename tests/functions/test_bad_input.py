"""Bad input to objectives and adapters: one line that names the field, before anything is computed."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from boundcheck.functions.adapters import LoRA
from boundcheck.functions.objectives.clipped import Clipped
from boundcheck.functions.objectives.linear import (
    LeastSquares,
    LogisticRegression,
    ReadoutNetwork,
    SoftmaxRegression,
    digits_network,
    digits_readout,
)
from boundcheck.functions.objectives.pseudo_huber import PseudoHuber
from boundcheck.functions.piecewise import PiecewiseLinear
from boundcheck.functions.problem import Problem
from tests.experiment.small import refused

W0 = torch.zeros(3, 4, dtype=torch.float64)
X = np.ones((3, 2))
LABELS = np.array([0, 1, 1])
TARGETS = np.ones((5, 3, 4))
READOUT = np.ones((2, 5))

# Each objective of features, from its data and labels.
OF_FEATURES: dict[str, Callable[[np.ndarray, np.ndarray], object]] = {
    "softmax": lambda X, labels: SoftmaxRegression("bad", X, labels),
    "logistic": lambda X, labels: LogisticRegression("bad", X, labels),
    "network": lambda X, labels: ReadoutNetwork("bad", X, labels, READOUT, "tanh"),
}
OF_DATA = OF_FEATURES | {"least squares": lambda X, labels: LeastSquares(X, np.ones((len(X), 2)))}

NO_MATRICES = [
    pytest.param(np.ones(3), id="a vector"),
    pytest.param(np.ones((3, 2, 1)), id="three axes"),
    pytest.param(np.full((3, 2), np.nan), id="NaN"),
    pytest.param(np.full((3, 2), np.inf), id="infinite"),
    pytest.param(np.ones((3, 0)), id="no columns"),
    pytest.param(np.ones((0, 2)), id="no rows"),
]


@pytest.mark.parametrize("shape", [(3, 1), (1, 4), (4, 3)])
def test_an_adapter_of_another_shape_than_the_objective_is_refused(shape: tuple[int, int]) -> None:
    # A W0 with one row or column would broadcast silently, and train another model.
    adapter = LoRA(torch.zeros(shape, dtype=torch.float64), 1)
    assert refused(Problem, PseudoHuber(TARGETS, 1.0), adapter).field == "adapter.W0"


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
    assert refused(PseudoHuber, targets, 1.0).field == "targets"


@pytest.mark.parametrize("delta", [0, -1, math.nan, math.inf])
def test_a_width_that_is_not_positive_is_refused(delta: float) -> None:
    assert refused(PseudoHuber, TARGETS, delta).field == "delta"


@pytest.mark.parametrize("kind", OF_DATA)
@pytest.mark.parametrize("data", NO_MATRICES)
def test_data_that_are_no_finite_matrix_are_refused(kind: str, data: np.ndarray) -> None:
    assert refused(lambda: OF_DATA[kind](data, LABELS[: len(data)])).field == "X"


@pytest.mark.parametrize("kind", OF_FEATURES)
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
def test_labels_that_are_no_class_numbers_are_refused(kind: str, labels: np.ndarray) -> None:
    assert refused(OF_FEATURES[kind], X, labels).field == "labels"


@pytest.mark.parametrize("targets", [*NO_MATRICES, pytest.param(np.ones((4, 2)), id="too many rows")])
def test_targets_of_a_regression_that_are_no_finite_matrix_are_refused(targets: np.ndarray) -> None:
    assert refused(LeastSquares, X, targets).field == "Y"


@pytest.mark.parametrize("readout", NO_MATRICES)
def test_a_readout_that_is_no_finite_matrix_is_refused(readout: np.ndarray) -> None:
    assert refused(ReadoutNetwork, "bad", X, LABELS, readout, "tanh").field == "readout"


def test_labels_that_the_readout_has_no_row_for_are_refused() -> None:
    error = refused(lambda: ReadoutNetwork("bad", X, np.array([0, 1, 2]), READOUT, "tanh"))
    assert (error.field, error.value) == ("labels", "up to 2")


@pytest.mark.parametrize("activation", ["relu", "", "Tanh", None])
def test_an_activation_without_constants_is_refused(activation: str) -> None:
    assert refused(ReadoutNetwork, "bad", X, LABELS, READOUT, activation).field == "activation"


@pytest.mark.parametrize("hidden", [0, -1])
def test_a_network_without_units_is_refused(hidden: int) -> None:
    assert refused(digits_network, hidden, 0).field == "hidden"


@pytest.mark.parametrize("components", [0, -1, 62, 65])
@pytest.mark.parametrize("bias", [False, True])
def test_components_that_the_digits_do_not_have_are_refused(components: int, bias: bool) -> None:
    assert refused(digits_readout, components, bias).field == "components"


@pytest.mark.parametrize(
    "direction",
    [
        *NO_MATRICES,
        pytest.param(np.zeros((3, 2)), id="zero"),
        pytest.param(np.full((3, 2), 1e200), id="squares beyond the floats"),
    ],
)
def test_a_direction_that_is_no_finite_nonzero_matrix_is_refused(direction: np.ndarray) -> None:
    assert refused(lambda: Clipped(PiecewiseLinear.clipped(1, 1), [0], direction=direction)).field == "direction"
