"""Second derivatives of F at a point: products with a direction, the top eigenvalue of its Hessian, and its blocks.

All products are made by reverse mode: forward mode asks Torch's compiler for the shape of each product with a constant,
which costs a hundred times the arithmetic of a small matrix. On a curved domain the Hessian is the Riemannian one: the
tangent part of the derivative of the Riemannian gradient (Absil, Mahony and Sepulchre, "Optimization Algorithms on
Matrix Manifolds", 2008, Eq. (5.15)).
"""

from collections.abc import Callable

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator, eigsh
from torch import Tensor

from boundcheck.functions.arithmetic import Point, apart, gradient_ratio, inner, square_norm
from boundcheck.functions.problem import Problem

Product = Callable[[Problem, Point, Point], Point]


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
        return tuple(part.detach() for part in curved(problem, leaves(v), direction))


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
    return tuple(part.detach() for part in problem.adapter.pull_back(v, turn))


def bilinear_product(problem: Problem, v: Point, direction: Point) -> Point:
    r"""The rest of :math:`\nabla^2 F(v)[\delta]`, which is :math:`\langle\nabla f, D^2W(v)[\delta, \cdot]\rangle`.

    It is the pull-back's derivative at a fixed ∇f. For LoRA it is :math:`s(\delta_B^\top M, M\delta_A^\top)` with M the
    gradient of f, and couples A with B alone.
    """
    M, u = problem.weight_gradient(v), problem.adapter.tangent(v, direction)
    with torch.enable_grad():
        at = leaves(v)
        product = adjoint(problem.adapter.pull_back(at, M), at, u)
    return tuple(part.detach() for part in problem.adapter.tangent(v, product))


def difference_ratio(problem: Problem, v: Point, w: Point) -> Tensor:
    """`gradient_ratio` of each pair, shape (R,)."""
    return gradient_ratio(v, w, problem.gradient(v), problem.gradient(w))


def sure_difference_ratio(problem: Problem, v: Point, w: Point) -> Tensor:
    """`difference_ratio` less the rounding errors of both gradients: a lower estimate however close v and w are."""
    distance = square_norm(apart(v, w)).sqrt()
    errors = [problem.rounding(point, problem.loss(point))[1] for point in (v, w)]
    error = sum(errors) / distance.where(distance > 0, torch.inf)
    return (difference_ratio(problem, v, w) - error).clamp(min=0)


def top_curvature(problem: Problem, v: Point, random: np.random.Generator, tolerance: float = 1e-6) -> float:
    r"""A lower estimate of :math:`\|\nabla^2 F(v)\|_{op}` at a single point; see `largest_eigenvalue`."""
    return largest_eigenvalue(
        lambda u: hessian_vector_product(problem, v, u), v, random, tolerance, lambda u: problem.adapter.tangent(v, u)
    )


def largest_eigenvalue(
    product: Callable[[Point], Point],
    like: Point,
    random: np.random.Generator,
    tolerance: float = 1e-6,
    tangent: Callable[[Point], Point] = lambda u: u,
    subspace: int | None = None,
) -> float:
    r"""A lower estimate of :math:`\max|\lambda|` of a symmetric map, tight when Lanczos has converged.

    The value is the Rayleigh quotient of Lanczos' vector, computed afresh: at any accuracy of the vector it is no
    larger than the true norm, but for rounding.

    Args:
        product: the map, on tuples of matrices.
        like: matrices of its shapes and on its device.
        random: draws the first vector.
        tolerance: relative accuracy asked of SciPy's eigsh.
        tangent: the projection onto the space that the map acts on.
        subspace: vectors that Lanczos keeps, at least 2; by default SciPy's 20. Where one eigenvalue stands out, or
            little accuracy is asked, fewer take fewer products.

    """
    sizes = [part.numel() for part in like]

    def shaped(x: np.ndarray) -> Point:
        flat = torch.as_tensor(x.reshape(-1), dtype=torch.float64, device=like[0].device)
        return tuple(part.reshape(block.shape) for part, block in zip(torch.split(flat, sizes), like, strict=True))

    def matvec(x: np.ndarray) -> np.ndarray:
        return torch.cat([part.reshape(-1) for part in product(shaped(x))]).cpu().numpy()

    first = random.standard_normal(sum(sizes))
    if sum(sizes) == 1:
        return abs(matvec(np.ones(1)).item())
    operator = LinearOperator((sum(sizes), sum(sizes)), matvec=matvec, dtype=np.float64)
    image = matvec(first)
    if not image.any():
        # ARPACK refuses a matrix that it sees nothing of.
        return 0.0
    _, vectors = eigsh(operator, k=1, which="LM", v0=first, tol=tolerance, ncv=subspace and min(subspace, sum(sizes)))
    direction = tangent(shaped(vectors[:, 0]))
    quotient = inner(direction, product(direction)) / square_norm(direction)
    return abs(quotient.item())


def block_norms(problem: Problem, v: Point, product: Product) -> np.ndarray:
    """The spectral norm of every block of a part of the Hessian at one point, from the whole matrix: shape (m, m).

    It takes as many products as v has numbers, all at once; it is for the small problems of a report.
    """
    sizes = [part.numel() for part in v]
    total = sum(sizes)
    units = torch.eye(total, dtype=torch.float64, device=v[0].device)
    directions = tuple(
        part.reshape(total, *block.shape[1:]) for part, block in zip(torch.split(units, sizes, 1), v, strict=True)
    )
    many = tuple(part.expand(total, -1, -1).clone() for part in v)
    rows = torch.cat([part.reshape(total, -1) for part in product(problem, many, directions)], 1)
    blocks = [torch.split(row, sizes, 1) for row in torch.split(rows, sizes, 0)]
    return np.array([[torch.linalg.matrix_norm(block, 2).item() for block in row] for row in blocks])
