"""Steps of an algorithm on an ensemble, all replicas at once; and short runs of SGD whose expectations are exact."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from boundcheck.errors import InputError
from boundcheck.exact.evaluate import all_draws
from boundcheck.functions.arithmetic import Point, State, apart, lengths, replicate, square_norm
from boundcheck.functions.problem import Problem
from boundcheck.language.algorithms import SGD, Algorithm, Numbers
from boundcheck.language.function import Function

MOST_PATHS = 81
"""The paths of four iterations with three samples."""


def sgd_step(function: Function, v: Point, step_size: float, indices: Tensor | None) -> tuple[Point, Point]:
    """One iteration of Algorithm 1 of jiang2024: the next point v - alpha g, and the stochastic gradient g it used.

    Without indices g is the gradient itself, and the step one of gradient descent.
    """
    (v_next,), g = advance(SGD, function, (v,), 1, {SGD.step_size: step_size}, indices)
    return v_next, g


def advance(
    algorithm: Algorithm, function: Function, state: State, t: int, numbers: Numbers, indices: Tensor | None
) -> tuple[State, Point]:
    """Step t of an algorithm: its next state, and the gradient it used, which without indices is that of F."""
    v = algorithm.query(state, t, numbers)
    if algorithm.asks:
        numbers = {**numbers, **algorithm.asked(function, v)}
    g = function.gradient(v) if indices is None else function.batch_gradient(v, indices)
    retract = None if function.is_flat else function.retract
    return algorithm.step(state, g, t, numbers, retract), g


class Walk(NamedTuple):
    """Steps of an algorithm, one after the other."""

    points: Point  # the iterates before the first and after each, their blocks of shape (steps + 1, R, rows, columns)
    lengths: Tensor  # the Frobenius norm of each block of the gradient of each step, shape (steps, blocks, R)
    shown: dict[str, Tensor]  # what the algorithm shows after each step, shape (steps, R)
    state: State  # that after the last


def walk(
    algorithm: Algorithm, function: Function, state: State, t: int, numbers: Numbers, batches: Sequence[Tensor | None]
) -> Walk:
    """Take step t and those after it, one for each minibatch: in one call if the function has one for such steps."""
    v = algorithm.iterate(state)
    sizes = [algorithm.along_gradient(t + i, numbers) for i in range(len(batches))]
    drawn, known = [x for x in batches if x is not None], [a for a in sizes if a is not None]
    if len(drawn) == len(known) == len(batches) and (taken := function.descend(v, drawn, known)) is not None:
        # Not as a view, with which all of the walk would be kept.
        return Walk(*taken, {}, (tuple(part[-1].clone() for part in taken.points),))
    iterates, far, shown = [v], [], []
    for i, indices in enumerate(batches):
        state, g = advance(algorithm, function, state, t + i, numbers, indices)
        iterates.append(algorithm.iterate(state))
        far.append(lengths(g))
        shown.append(algorithm.shown(state))
    points = tuple(torch.stack(parts) for parts in zip(*iterates, strict=True))
    told = {name: torch.stack([each[name] for each in shown]) for name in shown[0]}
    return Walk(points, torch.stack(far), told, state)


def restart(
    algorithm: Algorithm, function: Function, state: State, numbers: Numbers, gain: float, random: torch.Generator
) -> State:
    """The state from which an algorithm goes on after what was trained is merged and begun anew; W is kept."""
    return algorithm.start(function.restart(algorithm.iterate(state), gain, random), numbers)


@dataclass(frozen=True, eq=False)
class Run:
    """SGD with one sample a step, drawn with replacement, at a constant step size, along all paths there are.

    With n samples and T iterations there are n^T paths, each equally likely; so what a theorem says of E is a sum of
    n^T terms, and no statistics enter.

    Raises InputError for a start of another shape, a step that is not positive, and a T below 1 or too large.
    """

    problem: Problem  # F, with n samples
    start: Point  # v_1, with R = 1
    step: float  # alpha > 0
    T: int  # the number of iterations; n^T is at most 81

    def __post_init__(self) -> None:
        """Refuse what cannot be run, and what has too many paths."""
        if isinstance(self.T, bool) or not isinstance(self.T, int) or self.T < 1:
            raise InputError("T", self.T, "an integer from 1 on")
        if not 0 < self.step < math.inf:
            raise InputError("step", self.step, "a positive number")
        self.problem.adapter.check(self.start, name="start")
        if len(self.start[0]) != 1:
            raise InputError("start", f"{len(self.start[0])} replicas", "one")
        if self.problem.samples**self.T > MOST_PATHS:
            raise InputError("T", self.T, f"n^T of at most {MOST_PATHS} for n = {self.problem.samples}")

    @cached_property
    def draws(self) -> Tensor:
        """The sample that each path draws in each iteration, shape (n^T, T): all there are, in lexicographic order."""
        return torch.tensor(all_draws(self.problem.samples, self.T))

    @cached_property
    def paths(self) -> tuple[Point, ...]:
        """The iterates v_1, ..., v_{T+1} of all paths, each a point with R = n^T. Each path has probability n^-T."""
        iterates = [replicate(self.start, len(self.draws))]
        for t in range(self.T):
            iterates.append(sgd_step(self.problem, iterates[-1], self.step, self.draws[:, t : t + 1])[0])
        return tuple(iterates)

    @cached_property
    def mean_square_gradients(self) -> tuple[float, ...]:
        r""":math:`N_t = \mathbb E\|\nabla F(v_t)\|^2` for t = 1, ..., T."""
        return tuple(square_norm(self.problem.gradient(v)).mean().item() for v in self.paths[:-1])

    @property
    def gap(self) -> float:
        """D = F(v_1) - f*, with the infimum that the objective knows."""
        return self.problem.loss(self.start).item() - self.problem.infimum.value

    @property
    def noise(self) -> float:
        r"""The largest :math:`\frac1n\sum_i\|g_i - \nabla F\|^2` at an iterate from which a step is taken: zeta^2.

        No difference of squares, which would lose digits.
        """
        largest = 0.0
        for v in self.paths[:-1]:
            mean, replicas = self.problem.gradient(v), len(v[0])
            each = [self.problem.batch_gradient(v, torch.full((replicas, 1), i)) for i in range(self.problem.samples)]
            variance = torch.stack([square_norm(apart(g, mean)) for g in each]).mean(0)
            largest = max(largest, variance.max().item())
        return largest

    @property
    def largest_norms(self) -> dict[str, float]:
        """The largest norm of each block of v over v_1, ..., v_{T+1} and all paths, by the name of the block."""
        largest = torch.stack([self.problem.adapter.norms(v).amax(1) for v in self.paths]).amax(0)
        return {block.name: norm for block, norm in zip(self.problem.adapter.blocks, largest.tolist(), strict=True)}
