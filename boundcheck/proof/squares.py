"""Sums of squares: semidefinite programming finds a Gram matrix, which is then rounded to an exact one.

We want target = Σ_b product_b · zᵀ_b G_b z_b + Σ_k f_k equation_k with each G_b positive semidefinite and the f_k free.
The solver (CVXPY with Clarabel) looks for a solution as far inside the cone as possible. Its answer is rounded and
projected exactly onto the equations, and an exact LDLᵀ gives the squares. If all solutions lie on a face of the cone,
null vectors of the floating answer say which face; the search goes on there if they are simple rationals.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from importlib import import_module
from itertools import combinations
from typing import Any

import numpy as np
from flint import fmpq, fmpq_mat
from numpy.typing import NDArray

from boundcheck.proof.polynomials import WIDTH, Packing, Poly, Rational, plus, reduced, times

MOST_BASIS = 28  # monomials in a Gram matrix
MOST_ROWS = 300  # monomials that are compared
MOST_COLUMNS = 1500  # unknowns
MOST_FACES = 4  # how often the search goes on in a face
DENOMINATORS = (1, 2, 4, 12, 120, 10**4, 10**7)  # tried in this order, so that simple squares are found if they exist
SPARSITY = 1e-4  # the price of a multiplier, where 1 is that of being inside the cone
NEGLIGIBLE = 1e-6  # floating multipliers below this are zeros
NULL = 1e-5  # eigenvalues below this, where the largest is 1, are zeros
SIMPLE = 64  # the largest denominator in a null vector
CLOSE = 1e-3  # how far a null vector may be from its rational reading

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Block:
    """A Gram matrix on polynomials `basis`, times a product; `certain` where product · 1 is certainly positive."""

    product: Poly
    basis: list[Poly]
    certain: bool = False


@dataclass(frozen=True)
class Sums:
    """A decomposition: for each block its squares with positive weights, and the multipliers of the equations."""

    squares: list[list[tuple[Rational, Poly]]]
    free: list[Rational]


def gram_basis(packing: Packing, bound: set[int], product: Poly) -> list[int]:
    """Monomials whose squares times the product stay within the monomials `bound`, up to `MOST_BASIS` of them.

    Within means: the degree in each atom, in each pair of atoms and in total is between those of `bound`.
    """
    n = len(packing.atoms)
    outer, inner = (np.array([packing.exponents(m) for m in sorted(x)], dtype=int) for x in (bound, set(product)))
    counted = [*combinations(range(n), 1), *combinations(range(n), 2), tuple(range(n))]
    gradings = np.array([[place in some for place in range(n)] for some in counted], dtype=int).T
    most = ((outer @ gradings).max(0) - (inner @ gradings).max(0)) // 2
    least = -(((inner @ gradings).min(0) - (outer @ gradings).min(0)) // 2)
    basis = {0: 0} if most[-1] >= 0 else {}
    for place in range(n):
        powers = range(max(0, least[place]), most[place] + 1)
        basis = {m + (k << WIDTH * place): d + k for m, d in basis.items() for k in powers if d + k <= most[-1]}
    degrees = {m: np.array(packing.exponents(m)) @ gradings for m in basis}
    within = [m for m, grades in degrees.items() if (grades <= most).all() and (grades >= least).all()]
    return sorted(within, key=lambda m: (2 * m not in bound, basis[m], m))[:MOST_BASIS]


def possible(basis: list[int], others: set[int]) -> list[int]:
    """The monomials of a basis whose squares can cancel with others, or with products of two of the basis."""
    while True:
        mixed = {x + y for i, x in enumerate(basis) for y in basis[:i]} | others
        kept = [x for x in basis if 2 * x in mixed]
        if len(kept) == len(basis):
            return basis
        basis = kept


def decompose(target: Poly, blocks: Sequence[Block], equations: Sequence[Poly], *, strict: bool) -> Sums | None:
    """The target as squares times products and multiples of equations, exactly, or None if none was found.

    Args:
        target: the polynomial to decompose.
        blocks: the products that squares may multiply.
        equations: polynomials with free multipliers.
        strict: whether the weights of the blocks that are `certain` must not all be zero.

    """
    free = list(range(len(equations)))
    for _ in range(MOST_FACES):
        system = _System(target, blocks, [equations[k] for k in free])
        if not system.small:
            return None
        floating = _interior(system, strict, SPARSITY)
        if floating is not None and floating[0] < NULL:
            # All solutions lie on a face: the solver goes to the middle of it only without a price.
            floating = _interior(system, strict, 0.0)
        if floating is None:
            return None
        _, grams, multipliers = floating
        free, still = [k for k, f in zip(free, multipliers, strict=True) if abs(f) > NEGLIGIBLE], free
        faces = [_face(block, gram) for block, gram in zip(blocks, grams, strict=True)]
        if any(face is None for face in faces):
            return None
        smaller = [face for face in faces if face is not None]
        if free == still and all(len(x.basis) == len(y.basis) for x, y in zip(blocks, smaller, strict=True)):
            sums = _rounded(system, grams, multipliers, strict)
            if sums is None:
                return None
            every = [fmpq(0)] * len(equations)
            for k, f in zip(free, sums.free, strict=True):
                every[k] = f
            return replace(sums, free=every)
        blocks = smaller
    return None


class _System:
    """The equations, one for each monomial, that entries of Gram matrices and free multipliers must satisfy.

    Unknowns are, for each block, the entries on and above the diagonal row by row, and then the multipliers.
    """

    def __init__(self, target: Poly, blocks: Sequence[Block], equations: Sequence[Poly]) -> None:
        self.target, self.blocks, self.equations = target, blocks, equations
        self.entries = [
            (b, i, j) for b, x in enumerate(blocks) for i in range(len(x.basis)) for j in range(i, len(x.basis))
        ]
        self.small = len(self.entries) + len(equations) <= MOST_COLUMNS
        if not self.small:
            return
        self.columns = [self._column(*entry) for entry in self.entries] + list(equations)
        self.rows = {m: i for i, m in enumerate(sorted(set(target).union(*self.columns)))}
        self.small = len(self.rows) <= MOST_ROWS
        self.right = [target.get(m, fmpq(0)) for m in self.rows]

    def _column(self, block: int, i: int, j: int) -> Poly:
        product, basis = self.blocks[block].product, self.blocks[block].basis
        column = times(product, times(basis[i], basis[j]))
        return column if i == j else plus(column, column, fmpq(1))

    def grams(self, unknowns: Sequence[Any]) -> list[list[list[Any]]]:
        """The symmetric matrices with the unknowns as their entries."""
        grams: list[list[list[Any]]] = [[[0] * len(x.basis) for _ in x.basis] for x in self.blocks]
        for (block, i, j), value in zip(self.entries, unknowns, strict=False):
            grams[block][i][j] = grams[block][j][i] = value
        return grams


def _interior(system: _System, strict: bool, weight: float) -> tuple[float, list[Array], list[float]] | None:
    """The margin, the Gram matrices and the free multipliers of a floating solution.

    The margin, by which the smallest eigenvalues exceed 0, is as large as possible up to 1; `weight` is the price of
    multipliers in units of it.
    """
    # Imported late: they take longer to import than most certificates take to find.
    cp: Any = import_module("cvxpy")
    coo_matrix: Any = import_module("scipy.sparse").coo_matrix
    size = max((float(abs(c)) for c in system.right), default=0.0) or 1.0
    cells = [
        (i, j, float(c)) for j, x in enumerate(system.columns) for i, c in ((system.rows[m], c) for m, c in x.items())
    ]
    rows, places, data = zip(*cells, strict=True) if cells else ((), (), ())
    matrix = coo_matrix((data, (rows, places)), shape=(len(system.rows), len(system.columns))).tocsc()
    unknowns = cp.Variable(len(system.columns))
    margin = cp.Variable()
    constraints = [matrix @ unknowns == np.array([float(c) for c in system.right]) / size, margin <= 1, margin >= 0]
    ones, start = [], 0
    for block in system.blocks:
        n = len(block.basis)
        if n == 1:
            ones.append(start)
        elif n:
            gram = cp.Variable((n, n), PSD=True)
            above = [i * n + j for i in range(n) for j in range(i, n)]
            shifted = cp.vec(gram, order="C") + margin * np.eye(n).ravel()
            constraints.append(unknowns[start : start + len(above)] == shifted[above])
        start += n * (n + 1) // 2
    price = cp.norm1(unknowns[len(system.entries) :]) if system.equations else 0
    if ones:
        constraints.append(unknowns[ones] >= 0)
        price = price + cp.sum(unknowns[ones])
    certain = [start for start in ones if system.blocks[system.entries[start][0]].certain]
    if strict:
        if not certain:
            return None
        constraints.append(cp.sum(unknowns[certain]) >= margin)
    problem = cp.Problem(cp.Maximize(margin - weight * price), constraints)
    with warnings.catch_warnings():
        # An inaccurate answer does no harm: it is rounded, and checked exactly.
        warnings.simplefilter("ignore")
        try:
            problem.solve(solver=cp.CLARABEL, max_threads=1)
        except cp.SolverError:
            return None
    if unknowns.value is None:
        return None
    values = unknowns.value * size
    grams = [np.array(gram, dtype=float) for gram in system.grams(values)]
    return float(margin.value), grams, list(values[len(system.entries) :])


def _face(block: Block, gram: Array) -> Block | None:
    """The block on the face of the cone that the null vectors of its floating Gram matrix single out, or None."""
    if not block.basis:
        return block
    if len(block.basis) == 1:
        return block if gram[0, 0] > NEGLIGIBLE else replace(block, basis=[])
    eigenvalues, vectors = np.linalg.eigh(gram)
    null = vectors[:, eigenvalues < NULL * max(1.0, eigenvalues[-1])].T
    pivots = _reduce(null)
    simple = [[Fraction(x).limit_denominator(SIMPLE) for x in row] for row in null.tolist()]
    if any(
        abs(x - y) > CLOSE
        for row, near in zip(null.tolist(), simple, strict=True)
        for x, y in zip(row, near, strict=True)
    ):
        return None
    # The vectors orthogonal to the null vectors: one for each place that is not a pivot.
    basis = []
    for place in sorted(set(range(len(block.basis))) - set(pivots)):
        poly = block.basis[place]
        for row, pivot in zip(simple, pivots, strict=True):
            poly = plus(poly, block.basis[pivot], fmpq(-row[place].numerator, row[place].denominator))
        basis.append(poly)
    return replace(block, basis=basis)


def _reduce(null: Array) -> list[int]:
    """Bring rows into reduced echelon form, in place, and return the pivots: the places where a row is largest."""
    pivots: list[int] = []
    for i in range(len(null)):
        rest = np.abs(null[i:])
        rest[:, pivots] = 0
        below, pivot = divmod(int(rest.argmax()), null.shape[1])
        null[[i, i + below]] = null[[i + below, i]]
        null[i] /= null[i, pivot]
        for k in range(len(null)):
            if k != i:
                null[k] -= null[k, pivot] * null[i]
        pivots.append(pivot)
    return pivots


def _rounded(system: _System, grams: list[Array], multipliers: list[float], strict: bool) -> Sums | None:
    """The exact solution nearest to a rounded one, if its Gram matrices are positive semidefinite."""
    floating = [float(grams[b][i, j]) for b, i, j in system.entries] + multipliers
    reduced = _independent(system)
    if reduced is None:
        return None
    matrix, right = reduced
    products = matrix * matrix.transpose()
    for denominator in DENOMINATORS:
        near = fmpq_mat(len(floating), 1, [fmpq(round(x * denominator), denominator) for x in floating])
        exact = near + matrix.transpose() * products.solve(right - matrix * near)
        unknowns = [exact[i, 0] for i in range(len(floating))]
        squares = [_squares(block, gram) for block, gram in zip(system.blocks, system.grams(unknowns), strict=True)]
        found = [x for x in squares if x is not None]
        certain = any(x for x, block in zip(squares, system.blocks, strict=True) if block.certain)
        if len(found) == len(squares) and (certain or not strict):
            return Sums(found, unknowns[len(system.entries) :])
    return None


def _independent(system: _System) -> tuple[fmpq_mat, fmpq_mat] | None:
    """The system without the equations that follow from others, or None if it has no solution."""
    table = reduced(system.columns, system.target)
    if not table or not any(table[-1][:-1]):
        return None
    return fmpq_mat([row[:-1] for row in table]), fmpq_mat([row[-1:] for row in table])


def _squares(block: Block, gram: list[list[Rational]]) -> list[tuple[Rational, Poly]] | None:
    """zᵀ G z as squares with positive weights, by LDLᵀ, or None if G is not positive semidefinite."""
    squares = []
    for i in range(len(gram)):
        pivot = gram[i][i]
        if pivot < 0 or (pivot == 0 and any(gram[i])):
            return None
        if pivot == 0:
            continue
        row = [entry / pivot for entry in gram[i]]
        root: Poly = {}
        for weight, poly in zip(row, block.basis, strict=True):
            root = plus(root, poly, weight)
        squares.append((pivot, root))
        gram = [[x - pivot * row[a] * row[b] for b, x in enumerate(line)] for a, line in enumerate(gram)]
    return squares
