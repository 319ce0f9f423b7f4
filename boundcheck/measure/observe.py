"""What is read off one step of Algorithm 1 at an audited iterate: everything that a hypothesis speaks of."""

import torch
from torch import Tensor

from boundcheck.problems.adapter import Point
from boundcheck.problems.problem import Problem, inner, spectral_norm, square_norm

# Means of nonnegative terms, summed pairwise: relative error below this many units of roundoff.
_LOSS_ROUNDOFF = 64 * torch.finfo(torch.float64).eps

OBSERVABLES = {
    "loss": "F(v_t)",
    "gradient_square_norm": "squared Euclidean norm of the gradient of F at v_t",
    "weight_gradient_frobenius": "Frobenius norm of the gradient of f at W(v_t)",
    "weight_gradient_spectral": "spectral norm of the gradient of f at W(v_t)",
    "noise_variance": "exact conditional variance of the minibatch gradient at v_t",
    "path_smoothness": "2 (F(v_{t+1}) - F(v_t) - <grad F(v_t), step>) / |step|^2",
    "path_smoothness_error": "bound on the rounding error of path_smoothness",
}


def observe(problem: Problem, v: Point, v_next: Point, batch: int) -> dict[str, Tensor]:
    r"""The observables at v, shape (R, ...), for the step that led to v_next.

    The path smoothness :math:`\ell_t` is what the descent inequality uses of smoothness:
    :math:`F(v_{t+1}) \le F(v_t) + \langle\nabla F(v_t), \Delta\rangle + (\hat L/2)\|\Delta\|^2` holds exactly when
    :math:`\ell_t \le \hat L` (jiang2024, Eq. (15)).

    Returns:
        For each name in `OBSERVABLES` a tensor of shape (R,). A step of length zero has path smoothness 0.

    """
    W = problem.adapter.weight(v)
    weight_gradient = problem.objective.gradient(W)
    gradient = problem.adapter.pull_back(v, weight_gradient)
    gradient_square_norm = square_norm(gradient)
    second_moment = problem.adapter.mean_square_pull_back(v, problem.objective.second_moments(W))

    A, B = (y - x for x, y in zip(v, v_next, strict=True))
    length_square = square_norm((A, B))
    loss, loss_next, slope = problem.objective.loss(W), problem.loss(v_next), inner(gradient, (A, B))
    half = torch.where(length_square > 0, length_square / 2, torch.inf)
    rounding = _LOSS_ROUNDOFF * (loss.abs() + loss_next.abs() + (gradient_square_norm * length_square).sqrt())
    return {
        "loss": loss,
        "gradient_square_norm": gradient_square_norm,
        "weight_gradient_frobenius": torch.linalg.matrix_norm(weight_gradient),
        "weight_gradient_spectral": spectral_norm(weight_gradient),
        "noise_variance": (second_moment - gradient_square_norm).clamp(min=0) / batch,
        "path_smoothness": (loss_next - loss - slope) / half,
        "path_smoothness_error": rounding / half,
    }
