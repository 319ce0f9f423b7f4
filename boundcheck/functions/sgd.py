"""Minibatches: how they are drawn, and the law of the next one; and steps of an algorithm on an
ensemble.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor

from boundcheck.functions.arithmetic import Point, State, lengths
from boundcheck.language.algorithms import SGD, Algorithm, Numbers
from boundcheck.language.function import Function
from boundcheck.system.files import Json

Number = TypeVar("Number", float, Tensor)


def draw_batch(replicas: int, batch: int, samples: int, generator: torch.Generator) -> Tensor:
    """Uniform indices with replacement, shape (replicas, batch): conditionally unbiased given the
    past.
    """
    return torch.randint(samples, (replicas, batch), generator=generator, device=generator.device)


@dataclass(frozen=True)
class Draw:
    """The law of the next minibatch given the past."""

    batch: int  # m, its size
    candidates: Tensor  # the indices that it is drawn from, uniformly, shape (R, n_t)
    replaced: bool  # whether with replacement

    def of(self, who: Tensor) -> "Draw":
        # With replacement all replicas draw from the same.
        candidates = (
            self.candidates[:1].expand(len(who), -1) if self.replaced else self.candidates[who]
        )
        return replace(self, candidates=candidates)

    def joined(self, others: list["Draw"]) -> "Draw":
        """The law of these replicas and of those of others, whose kind and number of candidates are
        the same.
        """
        if not others:
            return self
        each = [self.candidates, *(other.candidates for other in others)]
        if self.replaced:
            return replace(self, candidates=self.candidates[:1].expand(sum(map(len, each)), -1))
        return replace(self, candidates=torch.cat(each))

    def noise(self, variance: Number, bias: Number) -> Number:
        r"""The mean squared error of a minibatch's mean gradient given the past, :math:`\mathbb
        E\|g - \nabla F\|^2`.

        With :math:`s^2` the variance of the gradients of the :math:`n_t` candidates, it is the
        square of the bias plus :math:`s^2/m`, times :math:`(n_t - m)/(n_t - 1)` where they are
        drawn without replacement. With it all samples are candidates always, and there is no bias.
        """
        count = self.candidates.shape[1]
        left = 1.0 if self.replaced else (count - self.batch) / max(count - 1, 1)
        return left * variance / self.batch + bias * bias


class Sampler:
    """Draws the minibatches of an ensemble, and says what the next one is drawn from; by itself,
    the whole sample, as gradient descent takes it.
    """

    def law(self) -> Draw | None:
        """The law of the next minibatch given the past; None where it is always the whole
        sample.
        """
        return None

    def draw(self) -> Tensor | None:
        """The next minibatch, shape (R, m); None stands for the whole sample."""
        return None

    def state(self) -> Json:
        """The state that `restore` needs to go on from here."""
        return {}

    def restore(self, state: Json) -> None:
        """Go on where `state` was taken."""


class WithReplacement(Sampler):
    """Every minibatch drawn uniformly from all samples, as the unbiasedness of jiang2024 needs
    it.
    """

    def __init__(self, replicas: int, batch: int, samples: int, generator: torch.Generator) -> None:
        self._replicas = replicas
        self._batch = batch
        self._samples = samples
        self._generator = generator
        everything = torch.arange(samples, device=generator.device)
        self._law = Draw(batch, everything.expand(replicas, -1), replaced=True)

    def law(self) -> Draw:
        return self._law

    def draw(self) -> Tensor:
        return draw_batch(self._replicas, self._batch, self._samples, self._generator)

    def state(self) -> Json:
        return {"generator": self._generator.get_state()}

    def restore(self, state: Json) -> None:
        self._generator.set_state(state["generator"])


class Reshuffled(Sampler):
    """Epochs: each goes through a fresh permutation of the samples, and leaves out a rest smaller
    than a minibatch.

    Given the past, the next minibatch is drawn from what the epoch has left, so that the gradient
    is conditionally biased from the second step of an epoch on.
    """

    def __init__(self, replicas: int, batch: int, samples: int, generator: torch.Generator) -> None:
        self._shape = (replicas, samples)
        self._batch = batch
        self._generator = generator
        self._order = torch.empty(self._shape, dtype=torch.int64, device=generator.device)
        self._next = samples

    def law(self) -> Draw:
        self._begin_epoch_if_due()
        return Draw(self._batch, self._order[:, self._next :], replaced=False)

    def draw(self) -> Tensor:
        self._begin_epoch_if_due()
        first, self._next = self._next, self._next + self._batch
        return self._order[:, first : self._next]

    def _begin_epoch_if_due(self) -> None:
        if self._next + self._batch > self._shape[1]:
            keys = torch.rand(
                self._shape,
                generator=self._generator,
                dtype=torch.float64,
                device=self._order.device,
            )
            self._order = keys.argsort(1)
            self._next = 0

    def state(self) -> Json:
        return {
            "generator": self._generator.get_state(),
            "order": self._order.cpu(),
            "next": self._next,
        }

    def restore(self, state: Json) -> None:
        self._generator.set_state(state["generator"])
        self._order = state["order"].to(self._order.device)
        self._next = state["next"]


def sgd_step(
    function: Function, v: Point, step_size: float, indices: Tensor | None
) -> tuple[Point, Point]:
    """One iteration of Algorithm 1 of jiang2024: the next point v - alpha g, and the stochastic
    gradient g it used.

    Without indices g is the gradient itself, and the step one of gradient descent.
    """
    (v_next,), g = advance(SGD, function, (v,), 1, {SGD.step_size: step_size}, indices)
    return v_next, g


def advance(
    algorithm: Algorithm,
    function: Function,
    state: State,
    t: int,
    numbers: Numbers,
    indices: Tensor | None,
) -> tuple[State, Point]:
    """Step t of an algorithm: its next state, and the gradient it used, which without indices is
    that of F.
    """
    v = algorithm.query(state, t, numbers)
    if algorithm.asks:
        numbers = {**numbers, **algorithm.asked(function, v)}
    g = function.gradient(v) if indices is None else function.batch_gradient(v, indices)
    retract = None if function.is_flat else function.retract
    return algorithm.step(state, g, t, numbers, retract), g


class Walk(NamedTuple):
    """Steps of an algorithm, one after the other."""

    # the iterates before the first and after each, their blocks of shape (steps + 1, R, rows,
    # columns)
    points: Point
    # the Frobenius norm of each block of the gradient of each step, shape (steps, blocks, R)
    lengths: Tensor
    # The gradient of each step, and where it was taken, blocks of shape (steps, R, rows, columns);
    # None where the steps alone are there, and where it was taken at the iterates.
    gradients: Point | None
    queries: Point | None
    shown: dict[str, Tensor]  # what the algorithm shows after each step, shape (steps, R)
    state: State  # that after the last


def walk(
    algorithm: Algorithm,
    function: Function,
    state: State,
    t: int,
    numbers: Numbers,
    batches: Sequence[Tensor | None],
) -> Walk:
    """Take step t and those after it, one for each minibatch: in one call if the function has one
    for such steps.
    """
    v = algorithm.iterate(state)
    sizes = [algorithm.along_gradient(t + i, numbers) for i in range(len(batches))]
    drawn = [x for x in batches if x is not None]
    known = [a for a in sizes if a is not None]
    if (
        len(drawn) == len(known) == len(batches)
        and (taken := function.descend(v, drawn, known)) is not None
    ):
        # Not as a view, with which all of the walk would be kept.
        return Walk(*taken, None, None, {}, (tuple(part[-1].clone() for part in taken.points),))
    iterates = [v]
    gradients = []
    queries = []
    far = []
    shown = []
    for i, indices in enumerate(batches):
        queries.append(algorithm.query(state, t + i, numbers))
        state, g = advance(algorithm, function, state, t + i, numbers, indices)
        iterates.append(algorithm.iterate(state))
        gradients.append(g)
        far.append(lengths(g))
        shown.append(algorithm.shown(state))
    told = {name: torch.stack([each[name] for each in shown]) for name in shown[0]}
    is_elsewhere = any(q is not v for q, v in zip(queries, iterates, strict=False))
    asked = _stacked(queries) if is_elsewhere else None
    return Walk(_stacked(iterates), torch.stack(far), _stacked(gradients), asked, told, state)


def _stacked(points: Sequence[Point]) -> Point:
    return tuple(torch.stack(parts) for parts in zip(*points, strict=True))


def restart(
    algorithm: Algorithm,
    function: Function,
    state: State,
    numbers: Numbers,
    gain: float,
    random: torch.Generator,
) -> State:
    """The state from which an algorithm goes on after what was trained is merged and begun anew; W
    is kept.
    """
    return algorithm.start(function.restart(algorithm.iterate(state), gain, random), numbers)
