"""What is read off one step of Algorithm 1 at an audited iterate: everything that a hypothesis speaks of."""

import torch
from torch import Tensor

from boundcheck.problems.constant import EPSILON
from boundcheck.problems.norms import Point, inner, spectral_norm, square_norm
from boundcheck.problems.problem import Problem

OBSERVABLES = {
    "loss": "F(v_t)",
    "gradient_square_norm": "squared Euclidean norm of the gradient of F at v_t",
    "weight_gradient_frobenius": "Frobenius norm of the gradient of f at W(v_t)",
    "weight_gradient_spectral": "spectral norm of the gradient of f at W(v_t)",
    "noise_variance": "exact conditional variance of the minibatch gradient at v_t",
    "noise_variance_error": "bound on the rounding error of noise_variance",
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
    second_moment, weight_moment = problem.mean_squares(v)
    # The second moment is a sum over terms as large as this square, which may cancel; the gradient is off it by less.
    spread = problem.adapter.sizes(v).jacobian * weight_moment.sqrt()

    A, B = (y - x for x, y in zip(v, v_next, strict=True))
    length_square = square_norm((A, B))
    loss, loss_next, slope = problem.objective.loss(W), problem.loss(v_next), inner(gradient, (A, B))
    half = torch.where(length_square > 0, length_square / 2, torch.inf)
    path_smoothness = (loss_next - loss - slope) / half
    terms = problem.objective.samples + sum(x.numel() for x in (v[0][0], v[1][0])) + 64
    size = loss.abs() + loss_next.abs() + (gradient_square_norm * length_square).sqrt()
    (loss_error, gradient_error), (loss_next_error, _) = problem.rounding(v, loss), problem.rounding(v_next, loss_next)
    rounding = loss_error + loss_next_error + gradient_error * length_square.sqrt() + EPSILON * terms * size
    return {
        "loss": loss,
        "gradient_square_norm": gradient_square_norm,
        "weight_gradient_frobenius": torch.linalg.matrix_norm(weight_gradient),
        "weight_gradient_spectral": spectral_norm(weight_gradient),
        "noise_variance": (second_moment - gradient_square_norm).clamp(min=0) / batch,
        "noise_variance_error": 4 * (EPSILON * terms * spread * spread + gradient_error * spread) / batch,
        "path_smoothness": path_smoothness,
        "path_smoothness_error": rounding / half + EPSILON * terms * path_smoothness.abs(),
    }
