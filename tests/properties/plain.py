"""One path of SGD at a time, in NumPy: the gradients of the losses that runs are made of, transcribed."""

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np

from boundcheck.functions.objectives.clipped import Clipped
from boundcheck.properties import Run
from tests.language.plain import Plain, PlainPoint, single


def sample_gradients(objective: Any) -> Callable[[np.ndarray], list[np.ndarray]]:
    """The gradients of every f_i at W."""
    if isinstance(objective, Clipped):
        E, shifts = objective.direction, objective._offsets.numpy()
        places, values = (np.array([float(x) for x in column]) for column in zip(*objective.slope.knots, strict=True))
        return lambda W: [(np.interp((E * W).sum(), places, values) + c) * E for c in shifts]
    X, Y = objective._X.numpy(), objective._targets.numpy()
    return lambda W: [np.outer(W @ x - y, x) for x, y in zip(X, Y, strict=True)]


def chain_rule(adapter: Any, v: PlainPoint, M: np.ndarray) -> PlainPoint:
    match adapter.kind:
        case "full":
            return (M,)
        case "frozen-a":
            return (adapter.scale * M @ adapter.A.numpy().T,)
    A, B = v
    return adapter.scale * B.T @ M, adapter.scale * M @ A.T


def pulled_back(run: Run) -> Callable[[PlainPoint], list[PlainPoint]]:
    """The gradients of every sample at v."""
    adapter, gradients = run.problem.adapter, sample_gradients(run.problem.objective)
    return lambda v: [chain_rule(adapter, v, G) for G in gradients(Plain(adapter).weight(v))]


def square(v: PlainPoint) -> float:
    return sum(float((part**2).sum()) for part in v)


def iterates(run: Run) -> list[list[PlainPoint]]:
    """v_1, ..., v_{T+1} of each path."""
    gradients, paths = pulled_back(run), []
    for drawn in product(range(run.problem.objective.samples), repeat=run.T):
        path = [single(run.start)]
        for i in drawn:
            path.append(tuple(x - run.step * y for x, y in zip(path[-1], gradients(path[-1])[i], strict=True)))
        paths.append(path)
    return paths


def mean_square_gradients(run: Run, paths: list[list[PlainPoint]]) -> list[float]:
    """N_1, ..., N_T."""
    gradients = pulled_back(run)
    return [sum(square(_mean(gradients(path[t]))) for path in paths) / len(paths) for t in range(run.T)]


def noise(run: Run, paths: list[list[PlainPoint]]) -> float:
    """The largest variance of a sample's gradient at v_1, ..., v_T of any path."""
    gradients = pulled_back(run)
    return max(_variance(gradients(v)) for path in paths for v in path[:-1])


def _mean(gradients: list[PlainPoint]) -> PlainPoint:
    return tuple(sum(parts) / len(gradients) for parts in zip(*gradients, strict=True))


def _variance(gradients: list[PlainPoint]) -> float:
    mean = _mean(gradients)
    return sum(square(tuple(x - y for x, y in zip(g, mean, strict=True))) for g in gradients) / len(gradients)
