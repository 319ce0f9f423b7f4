"""Algorithm 1 of jiang2024 on an ensemble: one step moves all replicas at once."""

import torch
from torch import Tensor

from boundcheck.problems.norms import Point
from boundcheck.problems.problem import Problem


def draw_batch(replicas: int, batch: int, samples: int, generator: torch.Generator) -> Tensor:
    """Uniform indices with replacement, shape (replicas, batch): conditionally unbiased given the past."""
    return torch.randint(samples, (replicas, batch), generator=generator, device=generator.device)


def sgd_step(problem: Problem, v: Point, step_size: float, indices: Tensor) -> tuple[Point, Point]:
    """One iteration of Algorithm 1: the next point v - alpha g, and the stochastic gradient g it used."""
    g = problem.batch_gradient(v, indices)
    return problem.adapter.retract(v, tuple(-step_size * part for part in g)), g


def replicate(v: Point, replicas: int) -> Point:
    """The same point for every replica, from one with R = 1."""
    return tuple(part.expand(replicas, -1, -1).clone() for part in v)
