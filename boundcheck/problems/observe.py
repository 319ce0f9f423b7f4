"""What is read off one step of Algorithm 1 at an audited iterate: everything that a hypothesis speaks of."""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from boundcheck.problems.adapters import Adapter
from boundcheck.problems.constant import EPSILON
from boundcheck.problems.norms import Point, apart, gradient_ratio, inner, spectral_norm, square_norm
from boundcheck.problems.objective import Survey
from boundcheck.words.function import Observable

if TYPE_CHECKING:
    from boundcheck.problems.problem import Problem
    from boundcheck.problems.sgd import Draw

_OBSERVABLES = {
    "loss": "F(v_t)",
    "loss_error": "bound on the rounding error of loss",
    "gradient_square_norm": "squared Euclidean norm of the gradient of F at v_t",
    "gradient_square_norm_error": "bound on the rounding error of gradient_square_norm",
    "weight_gradient_frobenius": "Frobenius norm of the gradient of f at W(v_t)",
    "weight_gradient_spectral": "spectral norm of the gradient of f at W(v_t)",
    "noise_variance": "exact E[||g_t - grad F(v_t)||^2 | past], by enumerating the samples",
    "noise_variance_error": "bound on the rounding error of noise_variance",
    "conditional_bias": "exact ||E[g_t | past] - grad F(v_t)||; 0 with replacement, else by enumerating the samples",
    "conditional_bias_error": "bound on the rounding error of conditional_bias",
    "step_length": "||v_{t+1} - v_t||",
    "slope": "<grad F(v_t), v_{t+1} - v_t>",
    "path_smoothness": "2 (F(v_{t+1}) - F(v_t) - <grad F(v_t), step>) / |step|^2",
    "path_smoothness_error": "bound on the rounding error of path_smoothness",
    "gradient_ratio": "||grad F(v_{t+1}) - grad F(v_t)|| / ||v_{t+1} - v_t||",
    "gradient_ratio_error": "bound on the rounding error of gradient_ratio",
}


def observables(adapter: Adapter) -> dict[str, Observable]:
    """Everything that `observe` reads off, by name."""
    norms = {
        norm_name(block.name): f"largest spectral norm of {block.name} at v_t and v_(t+1)" for block in adapter.blocks
    }
    return {name: Observable(meaning) for name, meaning in (_OBSERVABLES | norms).items()}


def norm_name(block: str) -> str:
    """The observable that is the norm of a block."""
    return f"norm_{block}"


def observe(problem: "Problem", v: Point, v_next: Point, law: "Draw | None") -> dict[str, Tensor]:
    r"""The observables at v, shape (R, ...), for the step that led to v_next.

    The descent curvature :math:`\ell_t`, by the name ``path_smoothness``, is what the descent inequality uses of
    smoothness: :math:`F(v_{t+1}) \le F(v_t) + \langle\nabla F(v_t), \Delta\rangle + (\hat L/2)\|\Delta\|^2` holds
    exactly when :math:`\ell_t \le \hat L` (jiang2024, Eq. (15)). The gradient ratio is what Lemma 1 bounds: where F
    is :math:`\hat L`-smooth on the segment, it is at most :math:`\hat L`. Either may be the larger.

    Args:
        problem: f seen through an adapter.
        v: the iterates.
        v_next: the ones after them.
        law: what the minibatch between them was drawn from; None where it was the whole sample.

    Returns:
        For each name in `observables` a tensor of shape (R,). A step of length zero has smoothness 0 of both kinds. On
        a curved domain, where two gradients cannot be subtracted, the gradient ratio is NaN.

    """
    survey = None if law is None else problem.survey(v, None if law.replaced else law.candidates)
    if survey is None:
        W = problem.adapter.weight(v)
        loss, weight_gradient = problem.objective.loss(W), problem.objective.gradient(W)
    else:
        loss, weight_gradient = survey.loss, survey.gradient
    gradient = problem.adapter.pull_back(v, weight_gradient)
    gradient_square_norm = square_norm(gradient)
    step = apart(v_next, v)
    length_square = square_norm(step)
    loss_next, weight_gradient_next = problem.objective.first_order(problem.adapter.weight(v_next))
    slope = inner(gradient, step)
    half = torch.where(length_square > 0, length_square / 2, torch.inf)
    path_smoothness = (loss_next - loss - slope) / half
    terms = problem.objective.samples + sum(part[0].numel() for part in v) + 64
    size = loss.abs() + loss_next.abs() + (gradient_square_norm * length_square).sqrt()
    errors = problem.rounding(v, loss), problem.rounding(v_next, loss_next)
    (loss_error, gradient_error), (loss_next_error, gradient_next_error) = errors
    rounding = loss_error + loss_next_error + gradient_error * length_square.sqrt() + EPSILON * terms * size
    length = gradient_square_norm.sqrt()
    ratio = gradient_ratio(v, v_next, gradient, problem.adapter.pull_back(v_next, weight_gradient_next))
    ratio_error = (gradient_error + gradient_next_error) / length_square.sqrt().where(length_square > 0, torch.inf)
    ratio_error += EPSILON * terms * ratio
    if problem.adapter.is_curved:
        ratio, ratio_error = (torch.full_like(ratio, torch.nan) for _ in range(2))
    norms = {
        norm_name(block.name): torch.maximum(spectral_norm(x), spectral_norm(y))
        for block, x, y in zip(problem.adapter.blocks, *map(problem.adapter.bounded, (v, v_next)), strict=True)
    }
    return norms | {
        "loss": loss,
        "loss_error": loss_error,
        "gradient_square_norm": gradient_square_norm,
        "gradient_square_norm_error": gradient_error * (2 * length + gradient_error) + EPSILON * terms * length**2,
        "weight_gradient_frobenius": torch.linalg.matrix_norm(weight_gradient),
        "weight_gradient_spectral": spectral_norm(weight_gradient),
        "step_length": length_square.sqrt(),
        "slope": slope,
        "path_smoothness": path_smoothness,
        "path_smoothness_error": rounding / half + EPSILON * terms * path_smoothness.abs(),
        "gradient_ratio": ratio,
        "gradient_ratio_error": ratio_error,
        **_noise(problem, v, gradient, gradient_error, law, survey),
    }


def _noise(
    problem: "Problem", v: Point, gradient: Point, gradient_error: Tensor, law: "Draw | None", survey: Survey | None
) -> dict[str, Tensor]:
    r"""Bias and mean squared error of the minibatch gradient given the past.

    For m of n_t candidates, whose gradients have mean :math:`\mu` and variance :math:`s^2`, the bias is
    :math:`\|\mu - \nabla F\|`, and the mean squared error is its square plus :math:`s^2/m`, times
    :math:`(n_t - m)/(n_t - 1)` where they are drawn without replacement. With it all samples are candidates always, and
    there is no bias.
    """
    zero = torch.zeros_like(gradient_error)
    if law is None or survey is None:
        return dict.fromkeys(
            ("noise_variance", "noise_variance_error", "conditional_bias", "conditional_bias_error"), zero
        )
    if law.replaced:
        variance = survey.in_v - square_norm(gradient)
        left, bias, bias_error = 1.0, zero, zero
    else:
        mean = problem.batch_gradient(v, law.candidates)
        bias = square_norm(tuple(x - y for x, y in zip(mean, gradient, strict=True))).sqrt()
        # Each of the two means is off by its own rounding error at most; the second one sums in another order.
        bias_error = 4 * gradient_error
        variance = survey.in_v - square_norm(mean)
        left = (law.candidates.shape[1] - law.batch) / max(law.candidates.shape[1] - 1, 1)
    # The second moment is a sum over terms as large as this square, which may cancel; the gradient is off it by less.
    spread = problem.adapter.sizes(v).jacobian * survey.in_w.sqrt()
    terms = problem.objective.samples + sum(part[0].numel() for part in v) + 64
    error = 4 * (EPSILON * terms * spread * spread + gradient_error * spread) / law.batch
    return {
        "noise_variance": left * variance.clamp(min=0) / law.batch + bias * bias,
        "noise_variance_error": error + bias_error * (2 * bias + bias_error),
        "conditional_bias": bias,
        "conditional_bias_error": bias_error,
    }
