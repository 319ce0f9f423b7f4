"""Losses and gradients in 50 digits, a sample at a time, from the formulas: the twin of what is computed in float64."""

from typing import Any, NamedTuple

import mpmath as mp
import torch

from boundcheck.functions.objective import Objective
from boundcheck.functions.objectives.clipped import Clipped
from boundcheck.functions.objectives.linear import LeastSquares, LogisticRegression, ReadoutNetwork, SoftmaxRegression
from boundcheck.functions.objectives.pseudo_huber import PseudoHuber

DIGITS = 50
Vector = list[Any]
Matrix = list[Vector]


class Exact(NamedTuple):
    """f(W), its gradient, and the gradient of every f_i."""

    loss: Any
    gradient: Matrix
    samples: list[Matrix]


def exactly(objective: Objective, W: torch.Tensor) -> Exact:
    """At one W, shape (d, k), whose floats are taken as they are."""
    with mp.workdps(DIGITS):
        weight = matrix(W)
        if isinstance(objective, Clipped):
            return clipped(objective, weight)
        pairs = [sample(objective, i, weight) for i in range(objective.samples)]
        losses, samples = [loss for loss, _ in pairs], [gradient for _, gradient in pairs]
        columns = range(objective.shape[1])
        mean = [[mp.fsum(G[i][j] for G in samples) / len(samples) for j in columns] for i in range(objective.shape[0])]
        return Exact(mp.fsum(losses) / len(losses), mean, samples)


def distance(got: torch.Tensor, exact: Matrix) -> Any:
    """The Frobenius norm of the difference."""
    with mp.workdps(DIGITS):
        rows = zip(got.tolist(), exact, strict=True)
        return mp.sqrt(mp.fsum((x - y) ** 2 for row, other in rows for x, y in zip(row, other, strict=True)))


def matrix(X: torch.Tensor) -> Matrix:
    return [[mp.mpf(x) for x in row] for row in X.tolist()]


def times(M: Matrix, x: Vector) -> Vector:
    return [mp.fsum(a * b for a, b in zip(row, x, strict=True)) for row in M]


def outer(x: Vector, y: Vector) -> Matrix:
    return [[a * b for b in y] for a in x]


def cross_entropy(logits: Vector, label: int) -> tuple[Any, Vector]:
    """The loss and p - e_y."""
    exponentials = [mp.exp(z) for z in logits]
    total = mp.fsum(exponentials)
    residual = [e / total - (j == label) for j, e in enumerate(exponentials)]
    return mp.log(total) - logits[label], residual


def sample(objective: Objective, i: int, W: Matrix) -> tuple[Any, Matrix]:
    """f_i(W) and its gradient."""
    if isinstance(objective, PseudoHuber):
        delta = mp.mpf(objective.delta)
        gaps = [
            [w - M for w, M in zip(*rows, strict=True)] for rows in zip(W, objective._targets[i].tolist(), strict=True)
        ]
        roots = [[mp.sqrt(1 + (x / delta) ** 2) for x in row] for row in gaps]
        loss = mp.fsum(delta**2 * (root - 1) for row in roots for root in row)
        return loss, [[x / root for x, root in zip(*rows, strict=True)] for rows in zip(gaps, roots, strict=True)]
    x = [mp.mpf(entry) for entry in objective._X[i].tolist()]
    z = times(W, x)
    if isinstance(objective, SoftmaxRegression):
        loss, slope = cross_entropy(z, int(objective._targets[i].argmax()))
    elif isinstance(objective, LeastSquares):
        slope = [output - mp.mpf(y) for output, y in zip(z, objective._targets[i].tolist(), strict=True)]
        loss = mp.fsum(r**2 for r in slope) / 2
    elif isinstance(objective, LogisticRegression):
        signs = [int(t) for t in objective._targets[i].tolist()]
        odds = [mp.exp(-t * output) for t, output in zip(signs, z, strict=True)]
        loss, slope = mp.fsum(map(mp.log1p, odds)), [-t * e / (1 + e) for t, e in zip(signs, odds, strict=True)]
    elif isinstance(objective, ReadoutNetwork):
        loss, slope = network(objective, i, z)
    else:
        raise TypeError(objective)
    return loss, outer(slope, x)


def network(objective: ReadoutNetwork, i: int, z: Vector) -> tuple[Any, Vector]:
    tanh, U = objective.activation == "tanh", matrix(objective._readout)
    hidden = [mp.tanh(x) for x in z] if tanh else z
    loss, residual = cross_entropy(times(U, hidden), objective._targets[i].tolist().index(1))
    back = times([list(column) for column in zip(*U, strict=True)], residual)
    return loss, [g * mp.sech(x) ** 2 for g, x in zip(back, z, strict=True)] if tanh else back


def clipped(objective: Clipped, W: Matrix) -> Exact:
    E = matrix(torch.tensor(objective.direction))
    w = mp.fsum(x * e for row, other in zip(W, E, strict=True) for x, e in zip(row, other, strict=True))
    knots = [(number(x), number(y)) for x, y in objective.slope.knots]
    loss, value = mp.mpf(0), knots[0][1]
    if w < knots[0][0]:
        loss = (w - knots[0][0]) * value
    for (start, low), (end, high) in zip(knots, [*knots[1:], (mp.inf, knots[-1][1])], strict=True):
        if w > start:
            there = min(w, end)
            value = high if there == end else low + (high - low) * (there - start) / (end - start)
            loss += (low + value) / 2 * (there - start)
    offsets = [mp.mpf(c) for c in objective._offsets.tolist()]
    along = [[[(value + c) * e for e in row] for row in E] for c in (0, *offsets)]
    return Exact(loss, along[0], along[1:])


def number(x: Any) -> Any:
    return mp.mpf(x.numerator) / x.denominator
