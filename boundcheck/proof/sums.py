"""Exact sums of polynomials: weights with which columns add up to a target, and squares where
weights are not enough.

HiGHS gives a vertex of a linear program in floating arithmetic, which tells only which weights are
not zero; their values are solved for exactly, and their signs checked. Clarabel finds Gram
matrices, which are rounded to exact ones.
Nothing here is trusted: a result goes back to `kernel.terms.Scalar` and to the kernel. Polynomials
are faster than the kernel's: a monomial is one integer that packs its exponents, so that a product
of monomials is a sum of integers.
"""

import warnings
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from importlib import import_module
from itertools import combinations
from typing import Any

import numpy as np
from flint import fmpq, fmpq_mat
from numpy.typing import NDArray

from boundcheck.kernel.terms import Scalar

# Polynomials.

# Bits of an exponent. Polynomials with exponents beyond 2^31 would not fit into memory anyway.
WIDTH = 32
MASK = (1 << WIDTH) - 1

Rational = Any  # flint.fmpq; FLINT ships no types
Poly = dict[int, Rational]
UNIT: Poly = {0: fmpq(1)}


class Packing:
    """The atoms of some scalars, numbered, and the way from scalars to packed polynomials and
    back.
    """

    def __init__(self, scalars: Iterable[Scalar]) -> None:
        self.atoms = sorted({atom for scalar in scalars for atom in scalar.atoms()})
        self._shift = {atom: WIDTH * place for place, atom in enumerate(self.atoms)}
        # One guard bit for each exponent shows whether a subtraction borrowed from it.
        self._guards = sum(1 << (WIDTH * place + WIDTH - 1) for place in range(len(self.atoms)))

    def pack(self, scalar: Scalar) -> Poly:
        return {
            sum(exponent << self._shift[atom] for atom, exponent in monomial): fmpq(
                c.numerator, c.denominator
            )
            for monomial, c in scalar.terms.items()
        }

    def unpack(self, poly: Mapping[int, Rational]) -> Scalar:
        """The scalar that a packed polynomial stands for."""
        terms = {}
        for monomial, c in poly.items():
            powers = zip(self.atoms, self.exponents(monomial), strict=True)
            terms[tuple((atom, exponent) for atom, exponent in powers if exponent)] = fraction(c)
        return Scalar(terms)

    def exponents(self, monomial: int) -> list[int]:
        """The exponents of a monomial, one for each atom."""
        return [monomial >> (WIDTH * place) & MASK for place in range(len(self.atoms))]

    def quotient(self, monomial: int, divisor: int) -> int | None:
        """The monomial over the divisor, or None if it is not a multiple."""
        difference = (monomial | self._guards) - divisor
        return difference ^ self._guards if difference & self._guards == self._guards else None

    def root(self, monomial: int) -> int | None:
        """The square root of the monomial, or None."""
        return None if any(exponent % 2 for exponent in self.exponents(monomial)) else monomial // 2


def fraction(value: Rational) -> Fraction:
    """A rational of FLINT's as one of Python's."""
    return Fraction(int(value.p), int(value.q))


def times(left: Poly, right: Poly) -> Poly:
    """The product of two polynomials."""
    product: Poly = {}
    for m1, c1 in left.items():
        for m2, c2 in right.items():
            monomial = m1 + m2
            product[monomial] = product[monomial] + c1 * c2 if monomial in product else c1 * c2
    return {monomial: c for monomial, c in product.items() if c}


def plus(left: Poly, right: Poly, factor: Rational) -> Poly:
    """`left` + `factor` · `right`."""
    total = dict(left)
    for monomial, c in right.items():
        total[monomial] = total[monomial] + factor * c if monomial in total else factor * c
    return {monomial: c for monomial, c in total.items() if c}


def _reduced(columns: Sequence[Poly], target: Poly) -> list[list[Rational]]:
    """The equations Σ c_j column_j = target, one for each monomial, in reduced echelon form without
    rows of zeros.

    A row has a coefficient for each c_j, and then the right side.
    """
    rows = {monomial: i for i, monomial in enumerate(sorted(set(target).union(*columns)))}
    width = len(columns) + 1
    entries = [fmpq(0)] * (len(rows) * width)
    for j, column in enumerate([*columns, target]):
        for monomial, c in column.items():
            entries[rows[monomial] * width + j] = c
    table, rank = fmpq_mat(len(rows), width, entries).rref()
    return table.tolist()[:rank]


def combination(columns: Sequence[Poly], target: Poly) -> list[Rational] | None:
    """Rational c with Σ c_j column_j = target exactly, or None; columns that depend on earlier ones
    get 0.
    """
    weights = [fmpq(0)] * (len(columns) + 1)
    for row in _reduced(columns, target):
        weights[next(j for j, x in enumerate(row) if x)] = row[-1]
    # A pivot on the right side says 0 = 1.
    return None if weights.pop() else weights


# Weights, some of them nonnegative, by linear programming.

# Values below this in the floating solution count as zeros; at a vertex they are exactly zero.
NEGLIGIBLE_WEIGHT = 1e-9
MOST_SPARE = 40  # columns that the exact solution may use although the floating one does not
# A certainly positive column is worth this much more than any other column costs.
STRICT_GAIN = 1e4
# The row that adds up the weights of columns which are certainly positive; no monomial is negative.
STRICT_ROW = -1


def combine(
    target: Poly,
    columns: Sequence[Poly],
    costs: Sequence[float],
    nonnegative: int,
    certain: Collection[int] | None = None,
) -> list[Rational] | None:
    """Few, cheap weights with Σ w_j column_j = target, the first `nonnegative` of them >= 0; None
    if there are none.

    The cost of a weight is relative to the largest coefficient of its column, so scaling a column
    changes nothing. Where the weights of columns `certain` are not to be all zero, they are so at
    any cost: an additional column, the gauge, equals the sum of these weights; it is at most 1, and
    as large as possible.
    """
    values = _vertex(target, columns, costs, nonnegative)
    weights = None if values is None else _exactly(target, columns, values, nonnegative)
    if weights is None or certain is None or any(weights[j] for j in certain):
        return weights
    gauge = {STRICT_ROW: fmpq(-1)}
    counted = [
        plus(column, {STRICT_ROW: _largest(column)}, fmpq(1)) if j in certain else column
        for j, column in enumerate(columns)
    ]
    columns = [gauge, *counted]
    values = _vertex(target, columns, [-STRICT_GAIN, *(1.0 for _ in counted)], nonnegative + 1, 1.0)
    if values is None or values[0] < NEGLIGIBLE_WEIGHT:
        return None
    if values[0] > 1 - NEGLIGIBLE_WEIGHT:
        # At its bound the gauge belongs to the right side, not to the basis.
        target, values[0] = plus(target, gauge, -_largest(target)), 0.0
    weights = _exactly(target, columns, values, nonnegative + 1)
    return None if weights is None else weights[1:]


def _largest(poly: Poly) -> Rational:
    return max((abs(c) for c in poly.values()), default=fmpq(1))


def _vertex(
    target: Poly,
    columns: Sequence[Poly],
    costs: Sequence[float],
    nonnegative: int,
    first_at_most: float | None = None,
) -> list[float] | None:
    """A floating solution of least cost at a vertex, where columns and target are scaled to largest
    coefficient 1.

    None if there is none. The first weight may be bounded from above.
    """
    monomials = set().union(*columns)
    if not monomials.issuperset(target):
        return None
    if not columns:
        return []
    rows = {monomial: i for i, monomial in enumerate(sorted(monomials))}
    # A free weight is the difference of two nonnegative ones.
    signs = [(j, 1.0) for j in range(len(columns))] + [
        (j, -1.0) for j in range(nonnegative, len(columns))
    ]
    places = [[rows[monomial] for monomial in column] for column in columns]
    entries = []
    for column in columns:
        scale = _largest(column)
        entries.append([float(c / scale) for c in column.values()])
    right, size = np.zeros(len(rows)), _largest(target)
    for monomial, c in target.items():
        right[rows[monomial]] = float(c / size)

    # Not SciPy's linprog, which takes three times as long as HiGHS itself to hand it a program of
    # this size. Imported late: pytest loads boundcheck in every project.
    import highspy

    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = len(signs), len(rows)
    program.col_cost_, program.col_lower_ = (
        np.array([costs[j] for j, _ in signs]),
        np.zeros(len(signs)),
    )
    upper = np.full(len(signs), highspy.kHighsInf)
    if first_at_most is not None:
        upper[0] = first_at_most
    program.col_upper_ = upper
    program.row_lower_ = program.row_upper_ = right
    program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    program.a_matrix_.start_ = np.cumsum([0, *(len(places[j]) for j, _ in signs)])
    program.a_matrix_.index_ = np.array([i for j, _ in signs for i in places[j]])
    program.a_matrix_.value_ = np.array([sign * value for j, sign in signs for value in entries[j]])
    solver = _silent()()
    solver.silent()
    # One thread, and the dual simplex method, which ends at a vertex.
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("solver", "simplex")
    solver.passModel(program)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    values = [0.0] * len(columns)
    for (j, sign), value in zip(signs, map(float, solver.getSolution().col_value), strict=True):
        values[j] += sign * value
    return values


@cache
def _silent() -> type[Any]:
    import highspy

    class Silent(highspy.Highs):
        """A solver that prints nothing while it is made."""

        # HiGHS's own name for it.
        def enableCallbacks(self) -> None:  # noqa: N802
            """Enable none: none are wanted, and enabling them, as the constructor does, prints a
            banner on stdout.
            """

    return Silent


def _exactly(
    target: Poly, columns: Sequence[Poly], values: Sequence[float], nonnegative: int
) -> list[Rational] | None:
    """The exact weights on the columns where the floating ones are not negligible, or None."""
    order = sorted(range(len(columns)), key=lambda j: (-abs(values[j]), j))
    support = sum(abs(value) > NEGLIGIBLE_WEIGHT for value in values)
    # A weight below the solver's tolerance is lost; some columns beyond the support bring it back.
    for chosen in (order[:support], order[: support + MOST_SPARE]):
        solution = combination([columns[j] for j in chosen], target)
        if solution is not None and all(
            w >= 0 for j, w in zip(chosen, solution, strict=True) if j < nonnegative
        ):
            weights = [fmpq(0)] * len(columns)
            for j, weight in zip(chosen, solution, strict=True):
                weights[j] = weight
            return weights
    return None


# Squares, by semidefinite programming.

MOST_BASIS = 28  # monomials in a Gram matrix
MOST_ROWS = 300  # monomials that are compared
MOST_COLUMNS = 1500  # unknowns
MOST_FACES = 4  # how often the search goes on in a face
DENOMINATORS = (
    1,
    2,
    4,
    12,
    120,
    10**4,
    10**7,
)  # tried in this order, so that simple squares are found if they exist
SPARSITY = 1e-4  # the price of a multiplier, where 1 is that of being inside the cone
NEGLIGIBLE = 1e-6  # floating multipliers below this are zeros
NULL = 1e-5  # eigenvalues below this, where the largest is 1, are zeros
SIMPLE = 64  # the largest denominator in a null vector
CLOSE = 1e-3  # how far a null vector may be from its rational reading

Array = NDArray[np.float64]
# For each block its squares with positive weights, and the multipliers of the equations.
Sums = tuple[list[list[tuple[Rational, Poly]]], list[Rational]]


@dataclass(frozen=True)
class Block:
    """A Gram matrix on polynomials `basis`, times a product; `certain` where product · 1 is
    certainly positive.
    """

    product: Poly
    basis: list[Poly]
    certain: bool = False


def gram_basis(packing: Packing, bound: set[int], product: Poly) -> list[int]:
    """Monomials whose squares times the product stay within the monomials `bound`, up to
    `MOST_BASIS` of them.

    Within means: the degree in each atom, in each pair of atoms and in total is between those of
    `bound`.
    """
    n = len(packing.atoms)
    outer, inner = (
        np.array([packing.exponents(m) for m in sorted(x)], dtype=int)
        for x in (bound, set(product))
    )
    counted = [*combinations(range(n), 1), *combinations(range(n), 2), tuple(range(n))]
    gradings = np.array([[place in some for place in range(n)] for some in counted], dtype=int).T
    most = ((outer @ gradings).max(0) - (inner @ gradings).max(0)) // 2
    least = -(((inner @ gradings).min(0) - (outer @ gradings).min(0)) // 2)
    basis = {0: 0} if most[-1] >= 0 else {}
    for place in range(n):
        powers = range(max(0, least[place]), most[place] + 1)
        basis = {
            m + (k << WIDTH * place): d + k
            for m, d in basis.items()
            for k in powers
            if d + k <= most[-1]
        }
    degrees = {m: np.array(packing.exponents(m)) @ gradings for m in basis}
    within = [
        m for m, grades in degrees.items() if (grades <= most).all() and (grades >= least).all()
    ]
    return sorted(within, key=lambda m: (2 * m not in bound, basis[m], m))[:MOST_BASIS]


def possible(basis: list[int], others: set[int]) -> list[int]:
    """The monomials of a basis whose squares can cancel with others, or with products of two of the
    basis.
    """
    while True:
        mixed = {x + y for i, x in enumerate(basis) for y in basis[:i]} | others
        kept = [x for x in basis if 2 * x in mixed]
        if len(kept) == len(basis):
            return basis
        basis = kept


def decompose(
    target: Poly, blocks: Sequence[Block], equations: Sequence[Poly], *, strict: bool
) -> Sums | None:
    """The target as squares times products and multiples of equations, exactly, or None if none was
    found.

    We want target = Σ_b product_b · zᵀ_b G_b z_b + Σ_k f_k equation_k with each G_b positive
    semidefinite and the f_k free. The solver looks for a solution as far inside the cone as
    possible. Its answer is rounded and projected onto the equations exactly, and an exact LDLᵀ
    gives the squares. If all solutions lie on a face of the cone, null vectors of the floating
    answer say which face; the search goes on there if they are simple rationals.

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
        free, still = (
            [k for k, f in zip(free, multipliers, strict=True) if abs(f) > NEGLIGIBLE],
            free,
        )
        faces = [_face(block, gram) for block, gram in zip(blocks, grams, strict=True)]
        smaller = [face for face in faces if face is not None]
        if len(smaller) < len(faces):
            return None
        if free == still and all(
            len(x.basis) == len(y.basis) for x, y in zip(blocks, smaller, strict=True)
        ):
            sums = _rounded(system, grams, multipliers, strict)
            if sums is None:
                return None
            every = [fmpq(0)] * len(equations)
            for k, f in zip(free, sums[1], strict=True):
                every[k] = f
            return sums[0], every
        blocks = smaller
    return None


class _System:
    """The equations, one for each monomial, that entries of Gram matrices and free multipliers must
    satisfy.

    Unknowns are, for each block, the entries on and above the diagonal row by row, and then the
    multipliers.
    """

    def __init__(self, target: Poly, blocks: Sequence[Block], equations: Sequence[Poly]) -> None:
        self.target, self.blocks, self.equations = target, blocks, equations
        self.entries = [
            (b, i, j)
            for b, x in enumerate(blocks)
            for i in range(len(x.basis))
            for j in range(i, len(x.basis))
        ]
        self.small = len(self.entries) + len(equations) <= MOST_COLUMNS
        if not self.small:
            return
        self.columns: list[Poly] = []
        for b, i, j in self.entries:
            column = times(blocks[b].product, times(blocks[b].basis[i], blocks[b].basis[j]))
            self.columns.append(column if i == j else plus(column, column, fmpq(1)))
        self.columns += equations
        self.rows = {m: i for i, m in enumerate(sorted(set(target).union(*self.columns)))}
        self.small = len(self.rows) <= MOST_ROWS
        self.right = [target.get(m, fmpq(0)) for m in self.rows]

    def grams(self, unknowns: Sequence[Any]) -> list[list[list[Any]]]:
        """The symmetric matrices with the unknowns as their entries."""
        grams: list[list[list[Any]]] = [[[0] * len(x.basis) for _ in x.basis] for x in self.blocks]
        for (block, i, j), value in zip(self.entries, unknowns, strict=False):
            grams[block][i][j] = grams[block][j][i] = value
        return grams


def _interior(
    system: _System, strict: bool, weight: float
) -> tuple[float, list[Array], list[float]] | None:
    """The margin, the Gram matrices and the free multipliers of a floating solution.

    The margin, by which the smallest eigenvalues exceed 0, is as large as possible up to 1;
    `weight` is the price of multipliers in units of it.
    """
    # Imported late: they take longer to import than most certificates take to find.
    cp: Any = import_module("cvxpy")
    coo_matrix: Any = import_module("scipy.sparse").coo_matrix
    size = max((float(abs(c)) for c in system.right), default=0.0) or 1.0
    cells = [
        (system.rows[m], j, float(c))
        for j, column in enumerate(system.columns)
        for m, c in column.items()
    ]
    rows, places, data = zip(*cells, strict=True) if cells else ((), (), ())
    matrix = coo_matrix(
        (data, (rows, places)), shape=(len(system.rows), len(system.columns))
    ).tocsc()
    unknowns = cp.Variable(len(system.columns))
    margin = cp.Variable()
    constraints = [
        matrix @ unknowns == np.array([float(c) for c in system.right]) / size,
        margin <= 1,
        margin >= 0,
    ]
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
    """The block on the face of the cone that the null vectors of its floating Gram matrix single
    out, or None.
    """
    if not block.basis:
        return block
    if len(block.basis) == 1:
        return block if gram[0, 0] > NEGLIGIBLE else replace(block, basis=[])
    eigenvalues, vectors = np.linalg.eigh(gram)
    null = vectors[:, eigenvalues < NULL * max(1.0, eigenvalues[-1])].T
    # In reduced echelon form, with the place where a row is largest as its pivot.
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
    simple = [[Fraction(x).limit_denominator(SIMPLE) for x in row] for row in null.tolist()]
    for row, near in zip(null.tolist(), simple, strict=True):
        if any(abs(x - y) > CLOSE for x, y in zip(row, near, strict=True)):
            return None
    # The vectors orthogonal to the null vectors: one for each place that is not a pivot.
    basis = []
    for place in sorted(set(range(len(block.basis))) - set(pivots)):
        poly = block.basis[place]
        for near, pivot in zip(simple, pivots, strict=True):
            poly = plus(
                poly, block.basis[pivot], fmpq(-near[place].numerator, near[place].denominator)
            )
        basis.append(poly)
    return replace(block, basis=basis)


def _rounded(
    system: _System, grams: list[Array], multipliers: list[float], strict: bool
) -> Sums | None:
    """The exact solution nearest to a rounded one, if its Gram matrices are positive
    semidefinite.
    """
    floating = [float(grams[b][i, j]) for b, i, j in system.entries] + multipliers
    # The system without the equations that follow from others; the last row of one without a
    # solution says 0 = 1.
    table = _reduced(system.columns, system.target)
    if not table or not any(table[-1][:-1]):
        return None
    matrix, right = fmpq_mat([row[:-1] for row in table]), fmpq_mat([row[-1:] for row in table])
    products = matrix * matrix.transpose()
    for denominator in DENOMINATORS:
        near = fmpq_mat(
            len(floating), 1, [fmpq(round(x * denominator), denominator) for x in floating]
        )
        exact = near + matrix.transpose() * products.solve(right - matrix * near)
        unknowns = [exact[i, 0] for i in range(len(floating))]
        squares = [
            _squares(block, gram)
            for block, gram in zip(system.blocks, system.grams(unknowns), strict=True)
        ]
        found = [x for x in squares if x is not None]
        certain = any(x for x, block in zip(squares, system.blocks, strict=True) if block.certain)
        if len(found) == len(squares) and (certain or not strict):
            return found, unknowns[len(system.entries) :]
    return None


def _squares(block: Block, gram: list[list[Rational]]) -> list[tuple[Rational, Poly]] | None:
    """zᵀ G z as squares with positive weights, by LDLᵀ, or None if G is not positive
    semidefinite.
    """
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
        gram = [
            [x - pivot * row[a] * row[b] for b, x in enumerate(line)] for a, line in enumerate(gram)
        ]
    return squares
