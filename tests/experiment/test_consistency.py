"""Whatever the objective, the adapter and the point are, the faces of what is in the package agree as computed."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given
from hypothesis.strategies import DataObject

from boundcheck import Loss
from boundcheck.errors import InputError
from boundcheck.experiment.audit import check_function
from boundcheck.functions.adapters import ADAPTERS, make_adapter
from boundcheck.functions.problem import Problem
from boundcheck.language.hypotheses import MOST_SAMPLES
from tests.functions.kinds import KINDS, each_kind, some_examples
from tests.layers import covering

SIZES = st.sampled_from([0.0, 1e-6, 0.1, 1.0, 30.0, 1e4])


def problem_of(data: DataObject, kind: str, name: str) -> tuple[Problem, torch.Generator]:
    objective = data.draw(KINDS[kind])
    d, k = objective.shape
    random = torch.Generator().manual_seed(data.draw(st.integers(0, 2**16)))
    made = ADAPTERS[name]
    rank = data.draw(st.integers(1, min(d, k))) if made.has_rank else 1
    W0 = data.draw(SIZES) * torch.randn((d, k), generator=random, dtype=torch.float64)
    if made.needs_columns or made.edits_hidden:
        W0 = torch.randn((d, k), generator=random, dtype=torch.float64)
    factors = {
        "A": torch.randn((rank, k), generator=random, dtype=torch.float64),
        "B": torch.randn((d, rank), generator=random, dtype=torch.float64),
    }
    scale = data.draw(st.sampled_from([0.1, 1.0, 8.0]))
    return Problem(objective, make_adapter(name, W0, rank if made.has_rank else None, scale, factors)), random


@covering
@each_kind
@pytest.mark.parametrize("name", ADAPTERS)
@some_examples
@given(data=st.data())
def test_no_face_of_a_true_function_is_refused(kind: str, name: str, data: DataObject) -> None:
    problem, random = problem_of(data, kind, name)
    start = problem.adapter.initial(data.draw(SIZES) or 1.0, random)
    size = data.draw(SIZES)
    step = tuple(size * torch.randn(part.shape, generator=random, dtype=torch.float64) for part in start)
    check_function(problem, problem.retract(start, step), data.draw(st.sampled_from([None, 1, 3, 10])))


LOSSES: dict[str, Any] = {
    "square": lambda W, X, y: (X @ W.mT - y).square().sum(-1),
    "kinked": lambda W, X, y: (X @ W.mT - y).relu().square().sum(-1),
    "steep": lambda W, X, y: (X @ W.mT - y).abs().pow(1.5).sum(-1),
    "huber": lambda W, X, y: torch.nn.functional.huber_loss(X @ W.mT, y, reduction="none").sum(-1),
    "exponential": lambda W, X, y: (X @ W.mT - y).exp().sum(-1),
    "far from 0": lambda W, X, y: (X @ W.mT - y).cosh().log().sum(-1) + 1e5,
}


@pytest.mark.parametrize("samples", [1, 7, MOST_SAMPLES + 1])
@pytest.mark.parametrize("name", LOSSES)
def test_no_loss_of_a_persons_own_is_refused(name: str, samples: int) -> None:
    random = torch.Generator().manual_seed(1)
    X, y = (torch.randn((samples, n), generator=random, dtype=torch.float64) for n in (4, 3))
    objective = Loss(LOSSES[name], X, y, shape=(3, 4))
    for kind in ("full", "lora"):
        adapter = make_adapter(kind, torch.zeros(3, 4).double(), 2 if kind == "lora" else None, 1.0, {})
        problem = Problem(objective, adapter)
        check_function(problem, problem.initial("lora", 1.0, random), batch=3)


def test_of_many_samples_the_mean_is_looked_at() -> None:
    class Off(Loss):
        """Minibatches are off by a hundredth."""

        def batch_gradient(self, W, indices):
            return 1.01 * super().batch_gradient(W, indices)

    X = torch.randn((MOST_SAMPLES + 1, 4), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    problem = Problem(
        Off(lambda W, X: (X @ W.mT - 1).square().sum(-1), X, shape=(3, 4)),
        make_adapter("full", torch.zeros(3, 4).double(), None, 1.0, {}),
    )
    with pytest.raises(InputError, match=r"problem.batch_gradient"):
        check_function(problem, (torch.zeros(1, 3, 4).double(),))
