"""One path of SGD at a time, in NumPy: the gradients of the losses and adapters that runs are made of, transcribed."""

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np

from boundcheck.problems.clipped import Clipped
from boundcheck.testing import Run

Matrices = tuple[np.ndarray, ...]


def sample_gradients(objective: Any) -> Callable[[np.ndarray], list[np.ndarray]]:
    """The gradients of every f_i at W."""
    if isinstance(objective, Clipped):
        E, shifts = objective.direction, objective._offsets.numpy()
        places, values = (np.array([float(x) for x in column]) for column in zip(*objective.slope.knots, strict=True))
        return lambda W: [(np.interp((E * W).sum(), places, values) + c) * E for c in shifts]
    X, Y = objective._X.numpy(), objective._targets.numpy()
    return lambda W: [np.outer(W @ x - y, x) for x, y in zip(X, Y, strict=True)]


def weight(adapter: Any, v: Matrices) -> np.ndarray:
    W0 = adapter.W0.numpy()
    match adapter.kind:
        case "full":
            return W0 + v[0]
        case "frozen-a":
            return W0 + adapter.scale * v[0] @ adapter.A.numpy()
    return W0 + adapter.scale * v[1] @ v[0]


def pulled_back(adapter: Any, v: Matrices, M: np.ndarray) -> Matrices:
    """The chain rule."""
    match adapter.kind:
        case "full":
            return (M,)
        case "frozen-a":
            return (adapter.scale * M @ adapter.A.numpy().T,)
    A, B = v
    return adapter.scale * B.T @ M, adapter.scale * M @ A.T


def square(v: Matrices) -> float:
    return sum(float((part**2).sum()) for part in v)


def iterates(run: Run) -> list[list[Matrices]]:
    """v_1, ..., v_{T+1} of each path."""
    adapter, gradients = run.problem.adapter, sample_gradients(run.problem.objective)
    paths = []
    for drawn in product(range(run.problem.objective.samples), repeat=run.T):
        path = [tuple(part[0].numpy() for part in run.start)]
        for i in drawn:
            g = pulled_back(adapter, path[-1], gradients(weight(adapter, path[-1]))[i])
            path.append(tuple(x - run.step * y for x, y in zip(path[-1], g, strict=True)))
        paths.append(path)
    return paths


def mean_square_gradients(run: Run, paths: list[list[Matrices]]) -> list[float]:
    """N_1, ..., N_T."""
    return [sum(square(_mean(run, path[t])) for path in paths) / len(paths) for t in range(run.T)]


def noise(run: Run, paths: list[list[Matrices]]) -> float:
    """The largest variance of a sample's gradient at v_1, ..., v_T of any path."""
    return max(_variance(run, v) for path in paths for v in path[:-1])


def _all(run: Run, v: Matrices) -> list[Matrices]:
    adapter = run.problem.adapter
    return [pulled_back(adapter, v, M) for M in sample_gradients(run.problem.objective)(weight(adapter, v))]


def _mean(run: Run, v: Matrices) -> Matrices:
    gradients = _all(run, v)
    return tuple(sum(parts) / len(gradients) for parts in zip(*gradients, strict=True))


def _variance(run: Run, v: Matrices) -> float:
    mean, gradients = _mean(run, v), _all(run, v)
    return sum(square(tuple(x - y for x, y in zip(g, mean, strict=True))) for g in gradients) / len(gradients)
