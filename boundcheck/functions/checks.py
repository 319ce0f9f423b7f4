"""Checks that functions, adapters and algorithms from outside compute what they say.

A gradient has to be that of its function, a minibatch the mean of its samples, and an algorithm's
step in torch its exact one and what its equations say.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import torch
from flint import arb, arb_mat, ctx
from torch import Tensor

from boundcheck.errors import InputError
from boundcheck.exact.balls import Balls, Blocks, Vector, blocks_of, square_norm_of
from boundcheck.exact.evaluate import Model, VectorFunction
from boundcheck.functions.adapters import Adapter
from boundcheck.functions.arithmetic import (
    EPSILON,
    Bounds,
    Point,
    apart,
    euclidean_norm,
    inner,
    joined,
    moved,
    replica,
    replicate,
    seeded,
    square_norm,
)
from boundcheck.language.algorithms import Algorithm, Space
from boundcheck.language.function import Function
from boundcheck.language.vocabulary import F

# Bounds on rounding errors that come from outside are estimates as often as not: so much more is
# allowed.
MARGIN = 16.0
# The length of a segment, over the size of the point, at least.
_SHORTEST = 2.0**-40


class Segments(NamedTuple):
    """The lengths of segments: a gradient is refused where each of them speaks against it."""

    over: tuple[
        float, ...
    ]  # by how much the change along each is to be larger than what rounding may be of it
    longest: float  # over the size of the point. Farther away a function may turn and come back


FINE = Segments((2.0**12, 2.0**20), 2.0**-20)
COARSE = Segments((2.0**8,), 2.0**-10)
"""Those of a function in float64, and of one that may be in single precision."""


class Slope(NamedTuple):
    """A slope along a segment, by values and by the gradient, and the difference allowed between
    the two.
    """

    seen: float
    said: float
    allowed: float


@dataclass(frozen=True)
class _Through:
    """The function <M, W(v)>, whose gradient is the pull-back of M."""

    adapter: Adapter
    matrix: Tensor

    def loss(self, v: Point) -> Tensor:
        return inner((self.matrix,), (self.adapter.weight(v),))

    def gradient(self, v: Point) -> Point:
        return self.adapter.pull_back(v, self.matrix.expand(len(v[0]), -1, -1))

    def rounding(self, v: Point, loss: Tensor) -> Bounds:
        sizes = self.adapter.sizes(v)
        d, k = self.matrix.shape[-2:]
        size = torch.linalg.matrix_norm(self.matrix)
        off = EPSILON * (sizes.terms + d * k) * size * sizes.weight
        return off, EPSILON * (sizes.terms + d + k) * size * sizes.products * sizes.jacobian

    def retract(self, v: Point, step: Point) -> Point:
        return self.adapter.retract(v, step)


def check_pull_back(adapter: Adapter, v: Point) -> None:
    """Refuse an adapter whose `pull_back` is not the adjoint of the derivative of its `weight` at
    v, with R = 1.
    """
    random = seeded(0)
    M = _drawn((adapter.W0.unsqueeze(0),), random)[0]
    wrong = disagreement(_Through(adapter, M), v, FINE, random)
    if wrong is not None:
        raise InputError(
            "adapter.pull_back",
            f"a slope of {wrong.said:.8g} along a short segment",
            f"{wrong.seen:.8g}, by which `weight` changes, to within {wrong.allowed:.1g}",
        )


def disagreement(f: Any, v: Point, segments: Segments, random: torch.Generator) -> Slope | None:
    r"""The first direction in which a gradient is not that of its function at v, with R = 1; None
    where there is none.

    Between the ends :math:`v_\pm` of a segment through v, the function changes by the mean of
    :math:`\langle\nabla F, v_+ - v_-\rangle`. This mean differs from the value at v by at most
    :math:`|v_+ - v_-|` times the distance of the gradient from that at v. Twice this distance at
    the ends is allowed, and rounding. Directions are along the gradient, each block of length 1, so
    that a small one counts too, and at random. Of a `Function`, or what is like one, it asks
    `loss`, `gradient`, `rounding` and `retract`.
    """
    loss = f.loss(v)
    g = f.gradient(v)
    off = f.rounding(v, loss)[0].item()
    size = euclidean_norm(v).item() or 1.0
    steep = euclidean_norm(g).item()
    wanted = [over * MARGIN * off / steep if steep > 0 else math.inf for over in segments.over]
    lengths = [min(max(length, _SHORTEST * size), segments.longest * size) for length in wanted]
    directions = (_byblocks_of(g), _byblocks_of(_drawn(v, random)))
    steps = [
        tuple(sign * h * part for part in d) for d, h, sign in product(directions, lengths, (1, -1))
    ]
    ends = f.retract(tuple(part.expand(len(steps), -1, -1) for part in v), joined(steps))
    losses = f.loss(ends)
    slopes = f.gradient(ends)
    errors = f.rounding(ends, losses)
    turned = euclidean_norm(apart(slopes, g))
    rows = []
    for i in range(0, len(steps), 2):
        chord = tuple(part[i : i + 1] - part[i + 1 : i + 2] for part in ends)
        length = euclidean_norm(chord).item()
        sums = EPSILON * (
            losses[i : i + 2].abs().sum().item() + (v[0].numel() + 64) * steep * length
        )
        rounding = (
            MARGIN
            * (errors[0][i : i + 2].sum().item() + errors[1][i : i + 2].max().item() * length)
            + sums
        )
        allowed = 2 * length * turned[i : i + 2].max().item() + rounding
        rows.append(
            (losses[i].item() - losses[i + 1].item(), inner(g, chord).item(), allowed, length)
        )
    for along in (rows[: len(lengths)], rows[len(lengths) :]):
        # What is no number speaks against nothing here: a run shows it.
        if all(
            far > 0 and math.isfinite(most) and abs(seen - said) > most
            for seen, said, most, far in along
        ):
            *slope, length = along[-1]
            return Slope(*(x / length for x in slope))
    return None


def _byblocks_of(u: Point) -> Point:
    """Each block over its length, and all over theirs; a block of length 0 stays 0."""
    lengths = [torch.linalg.vector_norm(part) for part in u]
    share = math.sqrt(max(sum(bool(length > 0) for length in lengths), 1))
    return tuple(
        part / (share * length) if length > 0 else part
        for part, length in zip(u, lengths, strict=True)
    )


def _drawn(like: Point, random: torch.Generator) -> Point:
    made = (torch.randn(part.shape, generator=random, dtype=torch.float64) for part in like)
    return tuple(x.to(part.device) for x, part in zip(made, like, strict=True))


def near(v: Point, retract: Callable[[Point, Point], Point], random: torch.Generator) -> Point:
    """A point near v, an eighth of its size away, at which no block is 0."""
    size = euclidean_norm(v).item() or 1.0
    return retract(v, tuple(size / 8 * part for part in _byblocks_of(_drawn(v, random))))


# Minibatches at a time, and samples in them together, at most; samples that are looked at alone,
# about.
_AT_ONCE = 32
_TOGETHER = 2**12
_ALONE = 128

Draws = Sequence[tuple[Point, Tensor]]


class Mean(NamedTuple):
    """The mean of minibatches at a point, held against the gradient there."""

    length: float  # of their mean
    bias: float  # how far it is from the gradient
    allowed: float  # how far it may be for rounding
    squares: float  # the mean of their squared lengths
    spread: float  # how large the terms are that the mean is made of
    blur: float  # the rounding error of one of those terms
    # how far a minibatch as a run draws it is from the mean of its own samples, over what rounding
    # allows
    mixed: float

    @property
    def is_mixed(self) -> bool:
        """True if some minibatch is surely not the mean of its own samples."""
        return math.isfinite(self.allowed) and self.mixed > 1

    @property
    def is_off(self) -> bool:
        """True if rounding does not explain the bias; what is not a number proves nothing."""
        return math.isfinite(self.allowed) and self.bias > self.allowed


def mean_of_minibatches(function: Function, v: Point, batch: int, drawn: Draws = ()) -> Mean:
    r"""Hold minibatches of m samples that go through all n in turn against the gradient at v, with
    R = 1.

    The minibatches in `drawn`, at the points that come with them, are held against their own
    samples one by one. Those
    that go through all samples in turn cannot take their place: perhaps none of them has a sample
    twice, and they come in another order and for other replicas.

    Those that go through all have :math:`N = m \lceil n/m \rceil` places, in which each sample
    stands a times, :math:`a = \lfloor N/n \rfloor`, and the first :math:`s = N - an` samples once
    more. So if they are mean gradients of the function,

    .. math:: \sum_b m\,g_b - s\,g_s = an\,\nabla F,

    where :math:`g_s` is the gradient of the minibatch of those s. A sum, a mean over n, a weight,
    or a term that couples the samples of a minibatch breaks it.
    """
    n = function.samples
    numbers = sum(part.numel() for part in v)
    places = batch * -(-n // batch)
    times, rest = divmod(places, n)
    order = torch.arange(places, device=v[0].device) % n
    pieces = torch.split(order.view(-1, batch), max(min(_AT_ONCE, _TOGETHER // batch), 1))
    weighted = [(rows, batch / (times * n)) for rows in pieces]
    if rest:
        weighted.append((order[:rest].unsqueeze(0), -rest / (times * n)))
    mean = tuple(torch.zeros_like(part) for part in v)
    squares = 0.0
    for rows, weight in weighted:
        found = function.batch_gradient(replicate(v, len(rows)), rows)
        mean = tuple(x + weight * y.sum(0, keepdim=True) for x, y in zip(mean, found, strict=True))
        if weight > 0:
            squares += square_norm(found).sum().item() * batch / places
    loss = function.loss(v)
    gradient = function.gradient(v)
    slope = square_norm(gradient).item()
    spread = math.sqrt(max(squares, function.sample_variance(v).item() + slope, slope))
    blur = function.rounding(v, loss)[1].item() + EPSILON * (places + numbers + 64) * spread
    bias = euclidean_norm(apart(mean, gradient)).item()
    allowed = MARGIN * blur * (places + rest) / (times * n)
    mixed = max((_mixed(function, *each, spread, blur) for each in drawn), default=0.0)
    return Mean(euclidean_norm(mean).item(), bias, allowed, squares, spread, blur, mixed)


def as_drawn(v: Point, indices: Tensor, replaced: bool) -> Draws:
    """Minibatches at v, both with R replicas; with replacement, also some minibatches in which a
    sample comes again.
    """
    drawn = [(v, indices)]
    if replaced and indices.shape[1] > 1:
        replicas, batch = indices.shape
        # Twice in the first replica, thrice in the next.
        often = 2 + torch.arange(replicas, device=indices.device) % (batch - 1)
        again = torch.arange(batch, device=indices.device) < often.unsqueeze(1)
        drawn.append((v, torch.where(again, indices[:, :1], indices)))
    return drawn


def _mixed(function: Function, v: Point, indices: Tensor, spread: float, blur: float) -> float:
    """The distance of the farthest minibatch from the mean of its own samples, over what rounding
    allows.
    """
    found = function.batch_gradient(v, indices)
    batch = indices.shape[1]
    rows = np.unique(
        np.linspace(0, len(indices) - 1, min(len(indices), max(_ALONE // batch, 1))).astype(int)
    )
    worst = 0.0
    for row in rows.tolist():
        point = replica(v, row)
        mean = tuple(torch.zeros_like(part) for part in point)
        largest = 0.0
        often = torch.bincount(indices[row])
        each = often.nonzero().flatten()
        for alone in torch.split(each.unsqueeze(1), _AT_ONCE):
            one_by_one = function.batch_gradient(replicate(point, len(alone)), alone)
            share = (often[alone].double() / batch).unsqueeze(2)
            mean = tuple(
                x + (share.to(y) * y).sum(0, keepdim=True)
                for x, y in zip(mean, one_by_one, strict=True)
            )
            largest = max(largest, square_norm(one_by_one).max().sqrt().item())
        off = apart(replica(found, row), mean)
        # One sample's gradient may be larger than they are together, and its rounding with it.
        allowed = MARGIN * blur * max(1.0, largest / spread if spread else 1.0)
        off_by = euclidean_norm(off).item()
        if math.isfinite(off_by) and off_by > allowed * worst:
            worst = off_by / allowed if allowed else math.inf
    return worst


# Steps that are compared, and by how many units of roundoff of all that is summed up they may
# differ.
_STEPS = 3
_UNITS = 2.0**10
# A number with which any algorithm can be tried.
_SMALL = 0.1
# The precision at which its equations are held against its exact step.
_BITS = 192


def check_steps(
    algorithm: Algorithm,
    numbers: Mapping[str, float] | None = None,
    length: float = 1.0,
    steep: float = 1.0,
    *,
    is_flat: bool = True,
) -> None:
    """Refuse an algorithm whose steps disagree on small matrices, or that begins elsewhere than at
    v_1.

    Its step in torch is held against its exact one, and that against its `recurrence`.

    Args:
        algorithm: one without an exact face, or whose exact face is not written, is let be.
        numbers: a value of each of its parameters, and of what it asks of a function; small ones if
            left out.
        length: of the first iterate.
        steep: the length of each gradient.
        is_flat: whether it moves by sums; else it is given a retraction, as on a curved domain.

    Raises:
        InputError: which names the algorithm, and what its faces say.

    """
    if numbers is None:
        known = dict(algorithm.starting)
        numbers = {each.name: float(known.get(each, _SMALL)) for each in algorithm.parameters}
    random = seeded(0)
    v = _of_size(length, random)
    begun = tuple(tuple(part.shape) for part in algorithm.iterate(algorithm.start(v, numbers)))
    if begun != (asked := tuple(tuple(part.shape) for part in v)):
        given = f"an iterate with blocks of shapes {begun} where v_1 has {asked}"
        raise InputError(f"algorithm.{algorithm.id}.start", given, "one with the blocks of v_1")
    if algorithm.no_exact:
        return
    with suppress(NotImplementedError):
        gradients = [_of_size(steep, random) for _ in range(_STEPS)]
        exact = {name: arb(x) for name, x in numbers.items()}
        state = algorithm.start(v, numbers)
        twin = algorithm.exact_start(_balls(v), exact)
        size = 0.0
        for t, g in enumerate(gradients, start=1):
            # Both steps are taken from the same point with the same gradients, and may differ by
            # rounding alone.
            sizes = [euclidean_norm(vector).max().item() if vector else 0.0 for vector in state]
            size = max(
                size,
                *sizes,
                *algorithm.drift(sizes, steep, t, numbers),
                algorithm.reach(sizes, t, numbers),
            )
            _same(
                algorithm,
                "query",
                algorithm.query(state, t, numbers),
                algorithm.exact_query(twin, t, exact),
                size,
            )
            state = algorithm.step(state, g, t, numbers, None if is_flat else moved)
            twin = algorithm.exact_step(twin, _balls(g), t, exact, Space(square_norm_of, arb.sqrt))
            _same(algorithm, "step", algorithm.iterate(state), algorithm.iterate(twin), size)
        if not algorithm.asks:
            _hold_to_its_equations(algorithm, numbers)


def _same(algorithm: Algorithm, face: str, v: Point, exact: Any, size: float) -> None:
    """Refuse a point that is not the exact one, to within what is rounded of such a size."""
    other = tuple(
        torch.tensor(np.vectorize(float, otypes=[float])(part)).unsqueeze(0) for part in exact
    )
    gap = euclidean_norm(apart(v, other)).item()
    lengths = [euclidean_norm(x).item() for x in (v, other)]
    allowed = _UNITS * EPSILON * max(size, *lengths)
    if math.isfinite(allowed) and gap > allowed:
        expected = f"the point of exact_{face}, of length {lengths[1]:.8g}, to within {allowed:.1g}"
        given = f"a point of length {lengths[0]:.8g}, {gap:.3g} off"
        raise InputError(f"algorithm.{algorithm.id}.{face}", given, expected)


def _hold_to_its_equations(algorithm: Algorithm, numbers: Mapping[str, float]) -> None:
    """Refuse a `beginning` and `recurrence` that do not lead to the iterates of the exact step.

    Both are computed in balls, from the same gradients.
    """
    random = seeded(0)
    v, *gradients = (_balls(_of_size(1.0, random)) for _ in range(1 + _STEPS))
    with ctx.workprec(_BITS):
        exact = {name: arb(x) for name, x in numbers.items()}
        iterates: dict[tuple[str, int], Blocks] = {("v", 1): blocks_of(v)}
        asked: list[tuple[Blocks, Blocks]] = []

        def gradient(point: Blocks) -> Blocks:
            return next(g for query, g in asked if _is_near(query, point))

        model = Model(
            Balls(),
            numbers={symbol: exact[symbol.name] for symbol in algorithm.parameters},
            iterates=lambda name, time, _: iterates[name, time],
            functions={F: VectorFunction(lambda _: arb("nan"), gradient)},
            horizon=_STEPS,
        )
        state = algorithm.exact_start(v, exact)
        for equation in algorithm.beginning:
            iterates[str(equation.args[0].args[0]), 1] = model.vector(equation.args[1])
        for time, g in enumerate(gradients, start=1):
            asked.append((blocks_of(algorithm.exact_query(state, time, exact)), blocks_of(g)))
            iterates["g", time] = blocks_of(g)
            state = algorithm.exact_step(state, g, time, exact, Space(square_norm_of, arb.sqrt))
            made = None
            # The equations may speak of what is not there.
            with suppress(LookupError, StopIteration, TypeError, ValueError):
                for equation in algorithm.recurrence:
                    iterates[str(equation.args[0].args[0]), time + 1] = model.vector(
                        equation.args[1], time
                    )
                made = iterates["v", time + 1]
            if made is None or not _is_near(made, blocks_of(algorithm.iterate(state))):
                said = (
                    ", ".join(f"{each.args[0]} = {each.args[1]}" for each in algorithm.recurrence)
                    or "no equation"
                )
                raise InputError(
                    f"algorithm.{algorithm.id}.recurrence",
                    said,
                    f"equations that lead to v_{time + 1} as exact_step does",
                )


def _is_near(v: Blocks, w: Blocks) -> bool:
    return all((x - y).contains(arb_mat(x.nrows(), x.ncols())) for x, y in zip(v, w, strict=True))


def _of_size(size: float, random: torch.Generator) -> Point:
    """Two small blocks at random, of this length together."""
    parts = [
        torch.randn(shape, generator=random, dtype=torch.float64)
        for shape in ((1, 2, 3), (1, 3, 2))
    ]
    share = size / euclidean_norm(tuple(parts)).item()
    return tuple(share * part for part in parts)


def _balls(v: Point) -> Vector:
    return Vector(np.vectorize(arb, otypes=[object])(part[0].numpy()) for part in v)
