"""Whether minibatches of a function have its gradient as their mean."""

import math
from typing import NamedTuple

import torch

from boundcheck.problems.constant import EPSILON
from boundcheck.problems.norms import Point, square_norm
from boundcheck.problems.sgd import replicate
from boundcheck.problems.slopes import MARGIN
from boundcheck.words.function import Function

# Minibatches at a time, and samples in them together, at most.
_AT_ONCE, _TOGETHER = 32, 2**12


class Mean(NamedTuple):
    """What minibatches say of the gradient at a point.

    Attributes:
        length: of their mean.
        bias: how far it is from the gradient.
        allowed: how far it may be for rounding.
        squares: the mean of their squared lengths.
        spread: how large the terms are that the mean is made of.
        blur: the rounding error of one of those terms.

    """

    length: float
    bias: float
    allowed: float
    squares: float
    spread: float
    blur: float

    @property
    def is_off(self) -> bool:
        """Whether rounding does not explain the bias; what is no number says nothing."""
        return math.isfinite(self.allowed) and self.bias > self.allowed


def mean_of_minibatches(function: Function, v: Point, batch: int) -> Mean:
    r"""Hold minibatches of m samples that go through all n in turn against the gradient at v, with R = 1.

    They have :math:`N = m \lceil n/m \rceil` places, in which each sample stands a times, :math:`a = \lfloor N/n
    \rfloor`, and the first :math:`s = N - an` samples once more. So of a function of which they are mean gradients

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
    return Mean(square_norm(mean).sqrt().item(), bias, allowed, squares, spread, blur)
