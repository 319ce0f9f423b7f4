"""Curvature of F at a point: Hessian-vector products, and the largest absolute eigenvalue by Lanczos iteration."""

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator, eigsh
from torch import Tensor

from boundcheck.problems.adapter import Point
from boundcheck.problems.problem import Problem, inner, square_norm


def hessian_vector_product(problem: Problem, v: Point, direction: Point) -> Point:
    r""":math:`\nabla^2 F(v)[\delta]` by forward-mode differentiation of the gradient, in the shapes of v.

    Replicas do not mix, so every replica gets the product with its own direction.
    """
    product: Point = torch.func.jvp(lambda A, B: problem.gradient((A, B)), v, direction)[1]
    return product


def top_curvature(problem: Problem, v: Point, random: np.random.Generator, tolerance: float = 1e-6) -> float:
    r"""A lower estimate of :math:`\|\nabla^2 F(v)\|_{op}`, tight when Lanczos has converged.

    The value is the Rayleigh quotient of Lanczos' vector, computed afresh: at any accuracy of the vector it is no
    larger than the true norm, but for rounding.

    Args:
        problem: F.
        v: a single point, R = 1.
        random: draws the first vector.
        tolerance: relative accuracy asked of SciPy's eigsh.

    """
    sizes = [part.numel() for part in v]

    def product(x: np.ndarray) -> np.ndarray:
        return _flat(hessian_vector_product(problem, v, _shaped(x, v)))

    operator = LinearOperator((sum(sizes), sum(sizes)), matvec=product, dtype=np.float64)
    first = random.standard_normal(sum(sizes))
    _, vectors = eigsh(operator, k=1, which="LM", v0=first, tol=tolerance)
    direction = _shaped(vectors[:, 0], v)
    quotient = inner(direction, hessian_vector_product(problem, v, direction)) / square_norm(direction)
    return abs(quotient.item())


def _flat(v: Point) -> np.ndarray:
    return torch.cat([part.reshape(-1) for part in v]).cpu().numpy()


def _shaped(x: np.ndarray, like: Point) -> Point:
    flat = torch.as_tensor(x.reshape(-1), dtype=torch.float64, device=like[0].device)
    A, B = torch.split(flat, [part.numel() for part in like])
    return A.reshape(like[0].shape), B.reshape(like[1].shape)


def difference_ratio(problem: Problem, v: Point, w: Point) -> Tensor:
    r"""The ratio :math:`\|\nabla F(v) - \nabla F(w)\| / \|v - w\|` of each pair, shape (R,); 0 where v = w."""
    (gA, gB), (hA, hB) = problem.gradient(v), problem.gradient(w)
    change, distance = square_norm((gA - hA, gB - hB)), square_norm((v[0] - w[0], v[1] - w[1]))
    return (change / distance.where(distance > 0, 1.0)).sqrt() * (distance > 0)


def sure_difference_ratio(problem: Problem, v: Point, w: Point) -> Tensor:
    """`difference_ratio` less the rounding errors of both gradients: a lower estimate however close v and w are."""
    distance = square_norm((v[0] - w[0], v[1] - w[1])).sqrt()
    errors = [problem.rounding(point, problem.loss(point))[1] for point in (v, w)]
    error = sum(errors) / distance.where(distance > 0, torch.inf)
    return (difference_ratio(problem, v, w) - error).clamp(min=0)
