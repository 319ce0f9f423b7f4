"""How far computed losses and gradients may be from exact ones: unit roundoffs, counted, times the natural scale."""

import math

import torch
from torch import Tensor

from boundcheck.functions.objective import Objective
from boundcheck.functions.objectives.clipped import Clipped
from boundcheck.functions.problem import Problem

EPSILON = 2.0**-52


def operations(objective: Objective) -> int:
    """About how many additions an entry of a gradient, or the loss, takes."""
    d, k = objective.shape
    return 8 * (objective.samples + d * k)


def gradient_size(objective: Objective, W: Tensor) -> float:
    """What the terms of a gradient in W may add up to: G, where there is one, their sizes at 0, and L on the way."""
    bound = objective.gradient_bound.value
    at_zero = objective.sample_gradients(_zero(objective)).flatten(2).norm(dim=2).mean().item()
    return (bound if math.isfinite(bound) else 0) + at_zero + objective.smoothness.value * W.norm().item()


def gradient_rounding(objective: Objective, W: Tensor) -> float:
    """Error of a gradient in W: that of its terms, and what a rounding of W moves."""
    return operations(objective) * EPSILON * gradient_size(objective, W)


def loss_rounding(objective: Objective, W: Tensor) -> float:
    """Error of a loss, whose size is at most that at W = 0 and what a gradient adds on the way to W."""
    at_zero = abs(objective.loss(_zero(objective)).item())
    if isinstance(objective, Clipped):
        # Which is integrated from the first knot.
        at_zero += float(2 * objective.slope.bound * abs(objective.slope.knots[0][0]))
    return operations(objective) * EPSILON * (at_zero + gradient_size(objective, W) * W.norm().item())


def _zero(objective: Objective) -> Tensor:
    return torch.zeros(1, *objective.shape, dtype=torch.float64)


def pulled_back_rounding(problem: Problem, v: tuple[Tensor, Tensor]) -> float:
    """Error of a gradient in v: that of the gradient in W times the factors, for as many terms again."""
    d, k = problem.objective.shape
    factors = problem.adapter.scale * torch.cat([part.flatten() for part in v]).norm().item()
    in_w = gradient_rounding(problem.objective, problem.adapter.weight(v))
    in_product = 4 * (d + k) * EPSILON * problem.objective.gradient_bound.value
    # The rounding of s B A moves the weight by that much, and the gradient by L times it.
    moved = problem.objective.smoothness.value * 4 * problem.adapter.rank * EPSILON * factors**2
    return factors * (in_w + in_product + moved)
