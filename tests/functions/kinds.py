"""A strategy for each kind of objective: all of them go through every property that objectives have."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis.strategies import DrawFn, SearchStrategy

from boundcheck.functions.objective import Objective
from boundcheck.functions.objectives.linear import Activation, LogisticRegression, ReadoutNetwork
from boundcheck.properties import (
    ball,
    clipped_problems,
    least_squares_problems,
    pseudo_huber_problems,
    shapes,
    softmax_problems,
)
from tests.layers import examples

LARGEST = 5


def features(samples: int, k: int) -> SearchStrategy[np.ndarray]:
    """Data that may be rank-deficient, ill-conditioned or zero, small or large."""
    return st.sampled_from([0.1, 1.0, 30.0]).flatmap(lambda norm: ball((samples, k), norm))


def class_numbers(samples: int, classes: int) -> SearchStrategy[np.ndarray]:
    numbers = st.lists(st.integers(0, classes - 1), min_size=samples, max_size=samples)
    return numbers.map(lambda labels: np.array(labels, dtype=np.int64))


@st.composite
def logistic_problems(draw: DrawFn) -> LogisticRegression:
    """From one class, which is told by one row like two are, to five."""
    (samples, k), classes = draw(shapes(LARGEST)), draw(st.integers(1, LARGEST))
    return LogisticRegression("rest", draw(features(samples, k)), draw(class_numbers(samples, classes)))


@st.composite
def networks(draw: DrawFn, activation: Activation) -> ReadoutNetwork:
    (samples, k), (classes, hidden) = draw(shapes(LARGEST)), draw(shapes(LARGEST))
    readout = draw(ball((classes, hidden), draw(st.sampled_from([0.1, 1.0, 3.0]))))
    X, labels = draw(features(samples, k)), draw(class_numbers(samples, classes))
    return ReadoutNetwork("network", X, labels, readout, activation)


KINDS: dict[str, SearchStrategy[Objective]] = {
    "softmax": softmax_problems(),
    "pseudo-Huber": pseudo_huber_problems(),
    "least squares": least_squares_problems(),
    "logistic": logistic_problems(),
    "identity network": networks("identity"),
    "tanh network": networks("tanh"),
    "clipped": clipped_problems(),
}

each_kind = pytest.mark.parametrize("kind", KINDS)
# For each kind, so that one property takes a few hundred examples in all.
some_examples = examples(15)
