"""Short runs of Algorithm 1 whose expectations are exact: all paths that the samples can take, each equally likely.

With n samples, batch 1 and T iterations there are n^T of them; so what a theorem says of E is a sum of n^T terms, and
no statistics enter.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from boundcheck.errors import InputError
from boundcheck.exact.paths import all_draws
from boundcheck.functions.norms import Point, square_norm
from boundcheck.functions.problem import Problem
from boundcheck.functions.sgd import replicate, sgd_step

MOST_PATHS = 81
"""The paths of four iterations with three samples."""


@dataclass(frozen=True, eq=False)
class Run:
    """SGD with one sample a step, drawn with replacement, at a constant step size.

    Attributes:
        problem: F, with n samples.
        start: v_1, with R = 1.
        step: alpha > 0.
        T: the number of iterations; n^T is at most 81.

    Raises:
        InputError: for a start of another shape, a step that is not positive, and a T below 1 or too large.

    """

    problem: Problem
    start: Point
    step: float
    T: int

    def __post_init__(self) -> None:
        """Refuse what cannot be run, and what has too many paths."""
        if isinstance(self.T, bool) or not isinstance(self.T, int) or self.T < 1:
            raise InputError("T", self.T, "an integer from 1 on")
        if not 0 < self.step < math.inf:
            raise InputError("step", self.step, "a positive number")
        self.problem.adapter.check(self.start, name="start")
        if len(self.start[0]) != 1:
            raise InputError("start", f"{len(self.start[0])} replicas", "one")
        if self.problem.objective.samples**self.T > MOST_PATHS:
            raise InputError("T", self.T, f"n^T of at most {MOST_PATHS} for n = {self.problem.objective.samples}")

    @cached_property
    def draws(self) -> Tensor:
        """The sample that each path draws in each iteration, shape (n^T, T): all there are, in lexicographic order."""
        return torch.tensor(all_draws(self.problem.objective.samples, self.T))

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
        return self.problem.loss(self.start).item() - self.problem.objective.infimum.value

    @property
    def noise(self) -> float:
        r"""The largest :math:`\frac1n\sum_i\|g_i - \nabla F\|^2` at an iterate from which a step is taken: zeta^2."""
        return max(self._variance(v).max().item() for v in self.paths[:-1])

    @property
    def largest_norms(self) -> dict[str, float]:
        """The largest norm of each block of v over v_1, ..., v_{T+1} and all paths, by the name of the block."""
        largest = torch.stack([self.problem.adapter.norms(v).amax(1) for v in self.paths]).amax(0)
        return {block.name: norm for block, norm in zip(self.problem.adapter.blocks, largest.tolist(), strict=True)}

    def _variance(self, v: Point) -> Tensor:
        """The variance of one sample's gradient given v, (R,); no difference of squares, which would lose digits."""
        mean = self.problem.gradient(v)
        replicas, samples = len(v[0]), self.problem.objective.samples
        squares = []
        for i in range(samples):
            g = self.problem.batch_gradient(v, torch.full((replicas, 1), i))
            squares.append(square_norm(tuple(x - y for x, y in zip(g, mean, strict=True))))
        return torch.stack(squares).mean(0)
