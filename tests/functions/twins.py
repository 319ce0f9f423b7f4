"""What the tests of functions share: plain twins of what is computed, and how far rounding may take
the two apart."""

import math
from fractions import Fraction
from typing import Any, NamedTuple

import hypothesis.strategies as st
import mpmath as mp
import numpy as np
import pytest
import torch
from flint import arb, arb_mat, ctx, fmpq

from boundcheck.functions.objectives.clipped import Clipped, Separable, Tilted
from boundcheck.functions.objectives.linear import (
    LeastSquares,
    ReadoutNetwork,
    SoftmaxRegression,
)
from boundcheck.functions.objectives.pseudo_huber import PseudoHuber
from boundcheck.properties import (
    ball,
    clipped_problems,
    pseudo_huber_problems,
    shapes,
    softmax_problems,
)
from boundcheck.properties.problem_strategies import fractions, slopes
from tests.layers import examples
from tests.strategies import least_squares_problems

BITS = 256


def top_eigenvalue(X):
    """To some 50 digits, for small matrices."""
    with mp.workdps(60):
        exact = mp.matrix(X.tolist())
        return max(mp.eigsy(exact.T * exact, eigvals_only=True))


def is_above_the_top(bound, X):
    """Whether elimination in interval arithmetic, all pivots positive, proves bound I - X^T X
    positive definite."""
    with ctx.workprec(BITS):
        rows = _gram(X).tolist()
        level = arb(fmpq(bound.numerator, bound.denominator))
        rest = [
            [level - x if i == j else -x for j, x in enumerate(row)] for i, row in enumerate(rows)
        ]
        while rest:
            (pivot, *across), *below = rest
            if not pivot > 0:
                return False
            rest = [
                [x - row[0] * y / pivot for x, y in zip(row[1:], across, strict=True)]
                for row in below
            ]
        return True


def is_below_the_top(bound, X):
    """Whether a vector has a Rayleigh quotient above the bound, for certain."""
    vector = np.linalg.eigh(X.T @ X)[1][:, -1:]
    with ctx.workprec(BITS):
        v = arb_mat(vector.tolist())
        quotient = (v.transpose() * _gram(X) * v)[0, 0] / (v.transpose() * v)[0, 0]
        return bool(quotient > arb(fmpq(bound.numerator, bound.denominator)))


def _gram(X):
    exact = arb_mat(X.tolist())
    return exact.transpose() * exact


EPSILON = 2.0**-52


def operations(objective):
    """About how many additions an entry of a gradient, or the loss, takes."""
    d, k = objective.shape
    return 8 * (objective.samples + d * k)


def gradient_size(objective, W):
    """What the terms of a gradient in W may add up to: G, where there is one, their sizes at 0, and
    L on the way."""
    bound = objective.gradient_bound.value
    at_zero = objective.sample_gradients(_zero(objective)).flatten(2).norm(dim=2).mean().item()
    return (
        (bound if math.isfinite(bound) else 0)
        + at_zero
        + objective.smoothness.value * W.norm().item()
    )


def gradient_rounding(objective, W):
    """Error of a gradient in W: that of its terms, and what a rounding of W moves."""
    return operations(objective) * EPSILON * gradient_size(objective, W)


def loss_rounding(objective, W):
    """Error of a loss, whose size is at most that at W = 0 and what a gradient adds on the way to
    W."""
    at_zero = abs(objective.loss(_zero(objective)).item())
    for part in (objective, *getattr(objective, "parts", ())):
        if isinstance(part, Clipped):
            # Which is integrated from the first knot.
            at_zero += float(2 * part.slope.bound * abs(part.slope.knots[0][0]))
    return (
        operations(objective) * EPSILON * (at_zero + gradient_size(objective, W) * W.norm().item())
    )


def _zero(objective):
    return torch.zeros(1, *objective.shape, dtype=torch.float64)


LARGEST = 5


def features(samples, k):
    """Data that may be rank-deficient, ill-conditioned or zero, small or large."""
    return st.sampled_from([0.1, 1.0, 30.0]).flatmap(lambda norm: ball((samples, k), norm))


def weights(shape, replicas=3):
    """Matrices W in a tensor of shape (R, d, k), small or large."""
    one = st.sampled_from([1.0, 0.1, 10.0]).flatmap(
        lambda radius: ball(tuple(shape), radius, library="torch")
    )
    return st.lists(one, min_size=replicas, max_size=replicas).map(torch.stack)


def class_numbers(samples, classes):
    numbers = st.lists(st.integers(0, classes - 1), min_size=samples, max_size=samples)
    return numbers.map(lambda labels: np.array(labels, dtype=np.int64))


@st.composite
def networks(draw, activation):
    samples, k = draw(shapes(LARGEST))
    classes, hidden = draw(shapes(LARGEST))
    readout = draw(ball((classes, hidden), draw(st.sampled_from([0.1, 1.0, 3.0]))))
    X = draw(features(samples, k))
    labels = draw(class_numbers(samples, classes))
    return ReadoutNetwork("network", X, labels, readout, activation)


# Orthogonal in pairs, none of them a multiple of an entry, of sizes that differ.
DIRECTIONS = [
    np.array(E, dtype=float)
    for E in ([[1, 2, 0], [0, 1, 0]], [[2, -1, 3], [0, 0, 1]], [[0, 1, 0], [5, -2, 1]])
]


@st.composite
def separable_problems(draw):
    count = draw(st.integers(1, 3))
    samples = draw(st.integers(1, 3))
    parts = []
    for E in DIRECTIONS[:count]:
        first = draw(st.lists(fractions(-2, 2), min_size=samples - 1, max_size=samples - 1))
        parts.append(Clipped(draw(slopes()), (*first, -sum(first, Fraction(0))), direction=E))
    return Separable(parts)


@st.composite
def tilted_problems(draw):
    """An objective with N of any spectrum and size."""
    base = draw(st.one_of(softmax_problems(), pseudo_huber_problems(), least_squares_problems()))
    return Tilted(base, draw(ball(tuple(base.shape), draw(st.sampled_from([1e-6, 0.1, 1.0, 1e3])))))


KINDS = {
    "softmax": softmax_problems(),
    "pseudo-Huber": pseudo_huber_problems(),
    "least squares": least_squares_problems(),
    "identity network": networks("identity"),
    "tanh network": networks("tanh"),
    "clipped": clipped_problems(),
    "separable": separable_problems(),
    "tilted": tilted_problems(),
}
# The Hessian of the others jumps.
SMOOTH = [kind for kind in KINDS if kind not in ("clipped", "separable")]

each_kind = pytest.mark.parametrize("kind", KINDS)
# For each kind, so that one property takes a few hundred examples in all.
some_examples = examples(15)


DIGITS = 50
Vector = list[Any]
Matrix = list[Vector]


class Exact(NamedTuple):
    """f(W), its gradient, and the gradient of every f_i."""

    loss: Any
    gradient: Matrix
    samples: list[Matrix]


def exactly(objective, W):
    """At one W, shape (d, k), whose floats are taken as they are."""
    with mp.workdps(DIGITS):
        weight = matrix(W)
        if isinstance(objective, Clipped):
            return clipped(objective, weight)
        if isinstance(objective, Separable):
            parts = [clipped(part, weight) for part in objective.parts]
            samples = [total(*each) for each in zip(*(part.samples for part in parts), strict=True)]
            return Exact(
                mp.fsum(part.loss for part in parts),
                total(*(part.gradient for part in parts)),
                samples,
            )
        if isinstance(objective, Tilted):
            base = exactly(objective.base, W)
            N = matrix(torch.tensor(objective.tilt))
            shift = mp.fsum(
                x * y for rows in zip(N, weight, strict=True) for x, y in zip(*rows, strict=True)
            )
            return Exact(
                base.loss + shift, total(base.gradient, N), [total(G, N) for G in base.samples]
            )
        pairs = [sample(objective, i, weight) for i in range(objective.samples)]
        losses = [loss for loss, _ in pairs]
        samples = [gradient for _, gradient in pairs]
        columns = range(objective.shape[1])
        mean = [
            [mp.fsum(G[i][j] for G in samples) / len(samples) for j in columns]
            for i in range(objective.shape[0])
        ]
        return Exact(mp.fsum(losses) / len(losses), mean, samples)


def distance(got, exact):
    """The Frobenius norm of the difference."""
    with mp.workdps(DIGITS):
        rows = zip(got.tolist(), exact, strict=True)
        return mp.sqrt(
            mp.fsum((x - y) ** 2 for row, other in rows for x, y in zip(row, other, strict=True))
        )


def matrix(X):
    return [[mp.mpf(x) for x in row] for row in X.tolist()]


def total(*terms):
    return [
        [mp.fsum(entries) for entries in zip(*rows, strict=True)]
        for rows in zip(*terms, strict=True)
    ]


def times(M, x):
    return [mp.fsum(a * b for a, b in zip(row, x, strict=True)) for row in M]


def outer(x, y):
    return [[a * b for b in y] for a in x]


def cross_entropy(logits, label):
    """The loss and p - e_y."""
    exponentials = [mp.exp(z) for z in logits]
    total = mp.fsum(exponentials)
    residual = [e / total - (j == label) for j, e in enumerate(exponentials)]
    return mp.log(total) - logits[label], residual


def sample(objective, i, W):
    """f_i(W) and its gradient."""
    if isinstance(objective, PseudoHuber):
        delta = mp.mpf(objective.delta)
        gaps = [
            [w - M for w, M in zip(*rows, strict=True)]
            for rows in zip(W, objective._targets[i].tolist(), strict=True)
        ]
        roots = [[mp.sqrt(1 + (x / delta) ** 2) for x in row] for row in gaps]
        loss = mp.fsum(delta**2 * (root - 1) for row in roots for root in row)
        return loss, [
            [x / root for x, root in zip(*rows, strict=True)]
            for rows in zip(gaps, roots, strict=True)
        ]
    x = [mp.mpf(entry) for entry in objective._X[i].tolist()]
    z = times(W, x)
    if isinstance(objective, SoftmaxRegression):
        loss, slope = cross_entropy(z, int(objective._targets[i].argmax()))
    elif isinstance(objective, LeastSquares):
        slope = [
            output - mp.mpf(y) for output, y in zip(z, objective._targets[i].tolist(), strict=True)
        ]
        loss = mp.fsum(r**2 for r in slope) / 2
    elif isinstance(objective, ReadoutNetwork):
        loss, slope = network(objective, i, z)
    else:
        raise TypeError(objective)
    return loss, outer(slope, x)


def network(objective, i, z):
    tanh = objective.activation == "tanh"
    U = matrix(objective._readout)
    hidden = [mp.tanh(x) for x in z] if tanh else z
    loss, residual = cross_entropy(times(U, hidden), objective._targets[i].tolist().index(1))
    back = times([list(column) for column in zip(*U, strict=True)], residual)
    return loss, [g * mp.sech(x) ** 2 for g, x in zip(back, z, strict=True)] if tanh else back


def clipped(objective, W):
    E = matrix(torch.tensor(objective.direction))
    w = mp.fsum(
        x * e for row, other in zip(W, E, strict=True) for x, e in zip(row, other, strict=True)
    )
    knots = [(number(x), number(y)) for x, y in objective.slope.knots]
    loss = mp.mpf(0)
    value = knots[0][1]
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


def number(x):
    return mp.mpf(x.numerator) / x.denominator


def geodesic(R, Z, t):
    """The geodesic that leaves R along Z, in the metric of the matrices around.

    Source: Edelman, Arias and Smith, "The geometry of algorithms with orthogonality constraints",
    1998, Eq. (2.7).
    """
    r = len(R)
    Y = R.mT
    dY = Z.mT
    skew = Y.mT @ dY
    one = torch.eye(r, dtype=torch.float64)
    block = torch.cat([torch.cat([skew, -dY.mT @ dY], 1), torch.cat([one, skew], 1)])
    moved = (
        torch.cat([Y, dY], 1)
        @ torch.matrix_exp(t * block)
        @ torch.eye(2 * r, r, dtype=torch.float64)
    )
    return (moved @ torch.matrix_exp(-t * skew)).mT


def on_the_geodesic(v, u, t):
    """Points (R, V) of LoReFT after a time t: R along its geodesic, V along a line."""
    return (
        torch.stack([geodesic(R, dR, t) for R, dR in zip(v[0], u[0], strict=True)]),
        v[1] + t * u[1],
    )
