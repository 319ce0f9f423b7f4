"""Second derivatives of F at a point, as products with a direction, and differences of its gradient between two.

On a curved domain the Hessian is the Riemannian one: the tangent part of the derivative of the Riemannian gradient
(Absil, Mahony and Sepulchre, "Optimization Algorithms on Matrix Manifolds", 2008, Eq. (5.15)).
"""

import warnings

import torch
from torch import Tensor

from boundcheck.problems.norms import Point, square_norm
from boundcheck.problems.problem import Problem

with warnings.catch_warnings():
    # The first use of forward mode loads parts of Torch that warn of themselves, in whoever's test that happens to be.
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    torch.func.jvp(torch.sin, (torch.zeros(1),), (torch.ones(1),))


def hessian_vector_product(problem: Problem, v: Point, direction: Point) -> Point:
    r""":math:`\nabla^2 F(v)[\delta]` by forward-mode differentiation of the gradient, in the shapes of v.

    Replicas do not mix, so every replica gets the product with its own direction.
    """
    u = problem.adapter.tangent(v, direction)
    product: Point = torch.func.jvp(lambda *w: problem.gradient(w), v, u)[1]
    return problem.adapter.tangent(v, product)


def gauss_newton_product(problem: Problem, v: Point, direction: Point) -> Point:
    r""":math:`DW(v)^* \nabla^2 f(W)[DW(v)[\delta]]`: what the curvature of f alone makes of the Hessian of F."""
    u = problem.adapter.tangent(v, direction)
    change = torch.func.jvp(lambda *w: problem.adapter.weight(w), v, u)[1]
    turn = torch.func.jvp(problem.objective.gradient, (problem.adapter.weight(v),), (change,))[1]
    return problem.adapter.pull_back(v, turn)


def bilinear_product(problem: Problem, v: Point, direction: Point) -> Point:
    r"""The rest, :math:`\langle\nabla f, D^2W(v)[\delta, \cdot]\rangle`: the pull-back's derivative at a fixed ∇f.

    For LoRA it is :math:`s(\delta_B^\top M, M\delta_A^\top)` with M the gradient of f, and couples A with B alone.
    """
    M, u = problem.weight_gradient(v), problem.adapter.tangent(v, direction)
    product: Point = torch.func.jvp(lambda *w: problem.adapter.pull_back(w, M), v, u)[1]
    return problem.adapter.tangent(v, product)


def difference_ratio(problem: Problem, v: Point, w: Point) -> Tensor:
    r"""The ratio :math:`\|\nabla F(v) - \nabla F(w)\| / \|v - w\|` of each pair, shape (R,); 0 where v = w."""
    change = square_norm(_difference(problem.gradient(v), problem.gradient(w)))
    distance = square_norm(_difference(v, w))
    return (change / distance.where(distance > 0, 1.0)).sqrt() * (distance > 0)


def sure_difference_ratio(problem: Problem, v: Point, w: Point) -> Tensor:
    """`difference_ratio` less the rounding errors of both gradients: a lower estimate however close v and w are."""
    distance = square_norm(_difference(v, w)).sqrt()
    errors = [problem.rounding(point, problem.loss(point))[1] for point in (v, w)]
    error = sum(errors) / distance.where(distance > 0, torch.inf)
    return (difference_ratio(problem, v, w) - error).clamp(min=0)


def _difference(v: Point, w: Point) -> Point:
    return tuple(x - y for x, y in zip(v, w, strict=True))
