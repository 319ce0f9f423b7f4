"""Exact linear programming: weights, some of them nonnegative, with which polynomials sum up to a target.

HiGHS gives a vertex in floating arithmetic, which tells only which weights are not zero. Their values are then solved
for exactly, and their signs checked.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache
from typing import Any

import numpy as np
from flint import fmpq

from boundcheck.proof.polynomials import Poly, Rational, combination, plus

# Values below this in the floating solution count as zeros; at a vertex they are exactly zero.
NEGLIGIBLE = 1e-9
MOST_SPARE = 40  # columns that the exact solution may use although the floating one does not
# A certainly positive column is worth this much more than any other column costs.
STRICT_GAIN = 1e4
# The row that adds up the weights of columns which are certainly positive; no monomial is negative.
STRICT_ROW = -1


def combine(target: Poly, columns: Sequence[Poly], costs: Sequence[float], nonnegative: int) -> list[Rational] | None:
    """Few, cheap weights with Σ w_j column_j = target, the first `nonnegative` of them >= 0; None if there are none.

    The cost of a weight is relative to the largest coefficient of its column, so scaling a column changes nothing.
    """
    values = _vertex(target, columns, costs, nonnegative)
    return None if values is None else _exactly(target, columns, values, nonnegative)


def combine_strictly(
    target: Poly, columns: Sequence[Poly], nonnegative: int, certain: Collection[int]
) -> list[Rational] | None:
    """Weights like those of `combine`, at any cost, not all zero on the columns `certain`; None if there are none.

    An additional column, the gauge, equals the sum of these weights; it is at most 1, and as large as possible.
    """
    gauge = {STRICT_ROW: fmpq(-1)}
    counted = [
        plus(column, {STRICT_ROW: _largest(column)}, fmpq(1)) if j in certain else column
        for j, column in enumerate(columns)
    ]
    columns = [gauge, *counted]
    values = _vertex(target, columns, [-STRICT_GAIN, *(1.0 for _ in counted)], nonnegative + 1, 1.0)
    if values is None or values[0] < NEGLIGIBLE:
        return None
    if values[0] > 1 - NEGLIGIBLE:
        # At its bound the gauge belongs to the right side, not to the basis.
        target, values[0] = plus(target, gauge, -_largest(target)), 0.0
    weights = _exactly(target, columns, values, nonnegative + 1)
    return None if weights is None else weights[1:]


def _largest(poly: Poly) -> Rational:
    return max((abs(c) for c in poly.values()), default=fmpq(1))


def _vertex(
    target: Poly, columns: Sequence[Poly], costs: Sequence[float], nonnegative: int, first_at_most: float | None = None
) -> list[float] | None:
    """A floating solution of least cost at a vertex, where columns and target are scaled to largest coefficient 1."""
    monomials = set().union(*columns)
    if not monomials.issuperset(target):
        return None
    if not columns:
        return []
    rows = {monomial: i for i, monomial in enumerate(sorted(monomials))}
    # A free weight is the difference of two nonnegative ones.
    signs = [(j, 1.0) for j in range(len(columns))] + [(j, -1.0) for j in range(nonnegative, len(columns))]
    where = [[rows[monomial] for monomial in column] for column in columns]
    scales = [_largest(column) for column in columns]
    what = [[float(c / scale) for c in column.values()] for column, scale in zip(columns, scales, strict=True)]
    data = np.array([sign * value for j, sign in signs for value in what[j]])
    starts = np.cumsum([0, *(len(where[j]) for j, _ in signs)])
    places = np.array([i for j, _ in signs for i in where[j]])
    right, size = np.zeros(len(rows)), _largest(target)
    for monomial, c in target.items():
        right[rows[monomial]] = float(c / size)
    answer = _least(np.array([costs[j] for j, _ in signs]), (starts, places, data), right, first_at_most)
    if answer is None:
        return None
    values = [0.0] * len(columns)
    for (j, sign), value in zip(signs, answer, strict=True):
        values[j] += sign * value
    return values


def _least(
    costs: np.ndarray, matrix: tuple[np.ndarray, np.ndarray, np.ndarray], right: np.ndarray, first_at_most: float | None
) -> list[float] | None:
    """The x >= 0 of least cost at a vertex with matrix x = right, or None; x_0 may be bounded from above.

    Args:
        costs: shape (n,).
        matrix: by its columns: where each begins, shape (n + 1,), the places of its entries, and these.
        right: shape (m,).
        first_at_most: the bound on x_0, if any.

    """
    # Not SciPy's linprog, which takes three times as long as HiGHS itself to hand it a program of this size. Imported
    # late: pytest loads boundcheck in every project.
    import highspy

    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = len(costs), len(right)
    program.col_cost_, program.col_lower_ = costs, np.zeros(len(costs))
    program.col_upper_ = np.full(len(costs), highspy.kHighsInf)
    if first_at_most is not None:
        program.col_upper_ = np.array([first_at_most, *program.col_upper_[1:]])
    program.row_lower_ = program.row_upper_ = right
    program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    program.a_matrix_.start_, program.a_matrix_.index_, program.a_matrix_.value_ = matrix
    solver = _silent()()
    solver.silent()
    # One thread, and the dual simplex method, which ends at a vertex.
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("solver", "simplex")
    solver.passModel(program)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    return list(map(float, solver.getSolution().col_value))


@cache
def _silent() -> type[Any]:
    import highspy

    class Silent(highspy.Highs):
        """A solver that prints nothing while it is made."""

        # HiGHS's own name for it.
        def enableCallbacks(self) -> None:  # noqa: N802
            """Enable none: none are wanted, and enabling them, as the constructor does, prints a banner on stdout."""

    return Silent


def _exactly(target: Poly, columns: Sequence[Poly], values: Sequence[float], nonnegative: int) -> list[Rational] | None:
    """The exact weights on the columns where the floating ones are not negligible, or None."""
    order = sorted(range(len(columns)), key=lambda j: (-abs(values[j]), j))
    support = sum(abs(value) > NEGLIGIBLE for value in values)
    # A weight below the solver's tolerance is lost; some columns beyond the support bring it back.
    for chosen in (order[:support], order[: support + MOST_SPARE]):
        solution = combination([columns[j] for j in chosen], target)
        if solution is not None and all(w >= 0 for j, w in zip(chosen, solution, strict=True) if j < nonnegative):
            weights = [fmpq(0)] * len(columns)
            for j, weight in zip(chosen, solution, strict=True):
                weights[j] = weight
            return weights
    return None
