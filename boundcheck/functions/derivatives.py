"""Second derivatives of F at a point, as products with a direction, and differences of its gradient between two.

All are made by reverse mode: forward mode asks Torch's compiler for the shape of each product with a constant, which
costs a hundred times the arithmetic of a small matrix. On a curved domain the Hessian is the Riemannian one: the
tangent part of the derivative of the Riemannian gradient (Absil, Mahony and Sepulchre, "Optimization Algorithms on
Matrix Manifolds", 2008, Eq. (5.15)).
"""

import torch
from torch import Tensor

from boundcheck.functions.norms import Point, apart, gradient_ratio, square_norm
from boundcheck.functions.problem import Problem


def leaves(v: Point) -> Point:
    """The numbers of v as leaves of a new graph."""
    return tuple(part.detach().requires_grad_() for part in v)


def adjoint(outputs: Point, v: Point, u: Point) -> Point:
    r""":math:`Dg(v)^*[u]` of outputs g(v), in the shapes of v; it can be differentiated again."""
    used = [(x, y) for x, y in zip(outputs, u, strict=True) if x.requires_grad]
    if not used:
        return tuple(torch.zeros_like(part) for part in v)
    functions, vectors = zip(*used, strict=True)
    return torch.autograd.grad(functions, v, vectors, create_graph=True, materialize_grads=True)


def derivative(outputs: Point, v: Point, u: Point) -> Point:
    r""":math:`Dg(v)[u]` of outputs g(v), in their shapes.

    The adjoint derivative is linear in what it pulls back, and its own adjoint is the derivative.
    """
    pulled_back = tuple(torch.zeros_like(part).requires_grad_() for part in outputs)
    return adjoint(adjoint(outputs, v, pulled_back), pulled_back, u)


def hessian_vector_product(problem: Problem, v: Point, direction: Point) -> Point:
    r""":math:`\nabla^2 F(v)[\delta]`, in the shapes of v: the adjoint derivative of the gradient, which is symmetric.

    Replicas do not mix, so every replica gets the product with its own direction.
    """
    with torch.enable_grad():
        return _detached(curved(problem, leaves(v), direction))


def curved(problem: Problem, v: Point, direction: Point) -> Point:
    """The product of `hessian_vector_product` for v of a graph: it can be differentiated again."""
    u = problem.adapter.tangent(v, direction)
    return problem.adapter.tangent(v, adjoint(problem.gradient(v), v, u))


def gauss_newton_product(problem: Problem, v: Point, direction: Point) -> Point:
    r""":math:`DW(v)^* \nabla^2 f(W)[DW(v)[\delta]]`: what the curvature of f alone makes of the Hessian of F."""
    u = problem.adapter.tangent(v, direction)
    with torch.enable_grad():
        at = leaves(v)
        W = problem.adapter.weight(at)
        (change,) = derivative((W,), at, u)
        weight = leaves((W,))
        (turn,) = adjoint((problem.objective.gradient(weight[0]),), weight, (change,))
    return _detached(problem.adapter.pull_back(v, turn))


def bilinear_product(problem: Problem, v: Point, direction: Point) -> Point:
    r"""The rest of :math:`\nabla^2 F(v)[\delta]`, which is :math:`\langle\nabla f, D^2W(v)[\delta, \cdot]\rangle`.

    It is the pull-back's derivative at a fixed ∇f. For LoRA it is :math:`s(\delta_B^\top M, M\delta_A^\top)` with M the
    gradient of f, and couples A with B alone.
    """
    M, u = problem.weight_gradient(v), problem.adapter.tangent(v, direction)
    with torch.enable_grad():
        at = leaves(v)
        product = adjoint(problem.adapter.pull_back(at, M), at, u)
    return _detached(problem.adapter.tangent(v, product))


def _detached(v: Point) -> Point:
    return tuple(part.detach() for part in v)


def difference_ratio(problem: Problem, v: Point, w: Point) -> Tensor:
    """`gradient_ratio` of each pair, shape (R,)."""
    return gradient_ratio(v, w, problem.gradient(v), problem.gradient(w))


def sure_difference_ratio(problem: Problem, v: Point, w: Point) -> Tensor:
    """`difference_ratio` less the rounding errors of both gradients: a lower estimate however close v and w are."""
    distance = square_norm(apart(v, w)).sqrt()
    errors = [problem.rounding(point, problem.loss(point))[1] for point in (v, w)]
    error = sum(errors) / distance.where(distance > 0, torch.inf)
    return (difference_ratio(problem, v, w) - error).clamp(min=0)
