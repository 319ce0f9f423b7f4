"""A check that minibatches of a function have its gradient as their mean."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from boundcheck.functions.constant import EPSILON
from boundcheck.functions.norms import Point, square_norm
from boundcheck.functions.sgd import replicate
from boundcheck.functions.slopes import MARGIN
from boundcheck.language.function import Function

# Minibatches at a time, and samples in them together, at most; samples that are looked at alone, about.
_AT_ONCE, _TOGETHER, _ALONE = 32, 2**12, 128

Draws = Sequence[tuple[Point, Tensor]]


class Mean(NamedTuple):
    """The mean of minibatches at a point, held against the gradient there.

    Attributes:
        length: of their mean.
        bias: how far it is from the gradient.
        allowed: how far it may be for rounding.
        squares: the mean of their squared lengths.
        spread: how large the terms are that the mean is made of.
        blur: the rounding error of one of those terms.
        mixed: how far a minibatch as a run draws it is from the mean of its own samples, over what rounding allows.

    """

    length: float
    bias: float
    allowed: float
    squares: float
    spread: float
    blur: float
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
    r"""Hold minibatches of m samples that go through all n in turn against the gradient at v, with R = 1.

    The minibatches in `drawn`, at the points that come with them, are held against their own samples one by one. Those
    that go through all samples in turn cannot take their place: perhaps none of them has a sample twice, and they come
    in another order and for other replicas.

    Those that go through all have :math:`N = m \lceil n/m \rceil` places, in which each sample stands a times,
    :math:`a = \lfloor N/n \rfloor`, and the first :math:`s = N - an` samples once more. So if they are
    mean gradients of the function,

    .. math:: \sum_b m\,g_b - s\,g_s = an\,\nabla F,

    where :math:`g_s` is the gradient of the minibatch of those s. A sum, a mean over n, a weight, or a term that
    couples the samples of a minibatch breaks it.
    """
    n, numbers = function.samples, sum(part.numel() for part in v)
    places = batch * -(-n // batch)
    times, rest = divmod(places, n)
    order = torch.arange(places, device=v[0].device) % n
    pieces = torch.split(order.view(-1, batch), max(min(_AT_ONCE, _TOGETHER // batch), 1))
    weighted = [(rows, batch / (times * n)) for rows in pieces]
    if rest:
        weighted.append((order[:rest].unsqueeze(0), -rest / (times * n)))
    mean, squares = tuple(torch.zeros_like(part) for part in v), 0.0
    for rows, weight in weighted:
        found = function.batch_gradient(replicate(v, len(rows)), rows)
        mean = tuple(x + weight * y.sum(0, keepdim=True) for x, y in zip(mean, found, strict=True))
        if weight > 0:
            squares += square_norm(found).sum().item() * batch / places
    loss, gradient = function.loss(v), function.gradient(v)
    slope = square_norm(gradient).item()
    spread = math.sqrt(max(squares, function.sample_variance(v).item() + slope, slope))
    blur = function.rounding(v, loss)[1].item() + EPSILON * (places + numbers + 64) * spread
    bias = square_norm(tuple(x - y for x, y in zip(mean, gradient, strict=True))).sqrt().item()
    allowed = MARGIN * blur * (places + rest) / (times * n)
    apart = max((_mixed(function, *each, spread, blur) for each in drawn), default=0.0)
    return Mean(square_norm(mean).sqrt().item(), bias, allowed, squares, spread, blur, apart)


def as_drawn(v: Point, indices: Tensor, replaced: bool) -> Draws:
    """Minibatches at v, both with R replicas; with replacement, also some minibatches in which a sample comes again."""
    drawn = [(v, indices)]
    if replaced and indices.shape[1] > 1:
        replicas, batch = indices.shape
        # Twice in the first replica, thrice in the next.
        often = 2 + torch.arange(replicas, device=indices.device) % (batch - 1)
        again = torch.arange(batch, device=indices.device) < often.unsqueeze(1)
        drawn.append((v, torch.where(again, indices[:, :1], indices)))
    return drawn


def _mixed(function: Function, v: Point, indices: Tensor, spread: float, blur: float) -> float:
    """The distance of the farthest minibatch from the mean of its own samples, over what rounding allows."""
    found, batch = function.batch_gradient(v, indices), indices.shape[1]
    rows = np.unique(np.linspace(0, len(indices) - 1, min(len(indices), max(_ALONE // batch, 1))).astype(int))
    worst = 0.0
    for row in rows.tolist():
        point = tuple(part[row : row + 1] for part in v)
        mean, largest = tuple(torch.zeros_like(part) for part in point), 0.0
        often = torch.bincount(indices[row])
        each = often.nonzero().flatten()
        for alone in torch.split(each.unsqueeze(1), _AT_ONCE):
            one_by_one = function.batch_gradient(replicate(point, len(alone)), alone)
            share = (often[alone].double() / batch).unsqueeze(2)
            mean = tuple(x + (share.to(y) * y).sum(0, keepdim=True) for x, y in zip(mean, one_by_one, strict=True))
            largest = max(largest, square_norm(one_by_one).max().sqrt().item())
        off = tuple(x[row : row + 1] - y for x, y in zip(found, mean, strict=True))
        # One sample's gradient may be larger than they are together, and its rounding with it.
        allowed = MARGIN * blur * max(1.0, largest / spread if spread else 1.0)
        off_by = square_norm(off).sqrt().item()
        if math.isfinite(off_by) and off_by > allowed * worst:
            worst = off_by / allowed if allowed else math.inf
    return worst
