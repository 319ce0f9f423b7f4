"""Curvature of F at a point: the top eigenvalue of its Hessian by Lanczos iteration, and the norms of its blocks."""

from collections.abc import Callable

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator, eigsh

from boundcheck.functions.derivatives import hessian_vector_product
from boundcheck.functions.norms import Point, inner, square_norm
from boundcheck.functions.problem import Problem

Product = Callable[[Problem, Point, Point], Point]


def top_curvature(
    problem: Problem,
    v: Point,
    random: np.random.Generator,
    tolerance: float = 1e-6,
    product: Product = hessian_vector_product,
) -> float:
    r"""A lower estimate of :math:`\|\nabla^2 F(v)\|_{op}`, tight when Lanczos has converged; see `largest_eigenvalue`.

    Args:
        problem: F.
        v: a single point, R = 1.
        random: draws the first vector.
        tolerance: relative accuracy asked of SciPy's eigsh.
        product: a part of the Hessian, to have its norm instead.

    """
    return largest_eigenvalue(
        lambda u: product(problem, v, u), v, random, tolerance, lambda u: problem.adapter.tangent(v, u)
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

    def matvec(x: np.ndarray) -> np.ndarray:
        return _flat(product(_shaped(x, like)))

    first = random.standard_normal(sum(sizes))
    if sum(sizes) == 1:
        return abs(matvec(np.ones(1)).item())
    operator = LinearOperator((sum(sizes), sum(sizes)), matvec=matvec, dtype=np.float64)
    image = matvec(first)
    if not image.any():
        # ARPACK refuses a matrix that it sees nothing of.
        return 0.0
    _, vectors = eigsh(operator, k=1, which="LM", v0=first, tol=tolerance, ncv=subspace and min(subspace, sum(sizes)))
    direction = tangent(_shaped(vectors[:, 0], like))
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
    return np.array(
        [
            [torch.linalg.matrix_norm(block, 2).item() for block in torch.split(row, sizes, 1)]
            for row in torch.split(rows, sizes, 0)
        ]
    )


def _flat(v: Point) -> np.ndarray:
    return torch.cat([part.reshape(-1) for part in v]).cpu().numpy()


def _shaped(x: np.ndarray, like: Point) -> Point:
    flat = torch.as_tensor(x.reshape(-1), dtype=torch.float64, device=like[0].device)
    parts = torch.split(flat, [part.numel() for part in like])
    return tuple(part.reshape(block.shape) for part, block in zip(parts, like, strict=True))
