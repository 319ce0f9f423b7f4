"""Clarabel's solution of a performance estimation: numbers in floats, for `bracket` to make exact.

The variables are the Gram matrix of a basis (v_1 where there is a minimiser, the gradients, the noise) and the values.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any

import numpy as np

from boundcheck.errors import BoundcheckError
from boundcheck.worst_case.program import Course, Program, Term

TOLERANCE = 1e-5
"""The largest gap between the two sides of a numerical solution, relative to it."""


class NotSolvedError(BoundcheckError, ArithmeticError):
    """Clarabel did not reach the required accuracy, for instance because the constants are too far apart."""


@dataclass(frozen=True)
class Based:
    """The points in terms of a basis: v_1 where there is a minimiser, the gradients, the noise.

    Attributes:
        course: the points, as arrays of numbers.
        columns: the places of the basis in these arrays; the others are 0.

    """

    course: Course
    columns: list[int]

    @classmethod
    def of(
        cls, program: Program, iterates: int, numbers: Mapping[str, Any], zero: Any, order: Sequence[int] = ()
    ) -> "Based":
        """Walk along the points, in numbers of the kind of `zero`."""
        points = 2 * (2**iterates if program.noise else iterates)
        kind, has_start = float if isinstance(zero, float) else object, program.distance is not None

        def unit(place: int) -> np.ndarray:
            return np.array([zero + int(i == place) for i in range(1 + 2 * points)], dtype=kind)

        course = Course(
            program,
            iterates,
            numbers,
            unit(0 if has_start else -1),
            lambda place, _: unit(1 + place),
            lambda k: unit(1 + points + k),
            order,
        )
        gradients, kicks = range(1, 1 + course.asked), range(1 + points, 1 + points + len(course.kicks))
        return cls(course, [*([0] if has_start else []), *gradients, *kicks])

    def gram(self, term: Term) -> np.ndarray:
        """The symmetric matrix of the products of a term."""
        total: Any = 0
        for c, x, y in term.products:
            product = np.outer(c * x[self.columns], y[self.columns])
            total = total + (product + product.T) / 2
        return total


@dataclass(frozen=True)
class Rows:
    """Terms as rows: coefficients of the values, symmetric matrices of the products, and numbers."""

    values: np.ndarray
    grams: np.ndarray
    constants: np.ndarray

    @classmethod
    def of(cls, terms: Sequence[Term], based: Based) -> "Rows":
        """The rows in floats."""
        size = len(based.columns)
        values, grams = np.zeros((len(terms), based.course.asked)), np.zeros((len(terms), size, size))
        for row, term in enumerate(terms):
            for c, i in term.values:
                values[row, i] += c
            grams[row] += based.gram(term)
        return cls(values, grams, np.array([float(term.constant) for term in terms]))


@dataclass(frozen=True)
class Solution:
    """A numerical solution.

    Attributes:
        value: the largest measure, in its unit.
        gap: the relative duality gap.
        gram, values: the worst function's.
        weights, shares: the multipliers of the inequalities, and of the numbers of which the measure is the smallest.

    """

    value: float
    gap: float
    gram: np.ndarray
    values: np.ndarray
    weights: np.ndarray
    shares: np.ndarray


class Solver:
    """The program in floats; `solve` solves it as it is, or a little changed so that there is room for rounding."""

    def __init__(self, program: Program, iterates: int) -> None:
        program.check(iterates)
        self.program, self.iterates = program, iterates
        numbers = {name: float(x) for name, x in program.rest.items()}
        numbers[program.algorithm.step_size] = float(program.step)
        self.based = Based.of(program, iterates, numbers, 0.0)
        course = self.based.course
        self.inequalities = course.inequalities(float(program.curvature), float(program.square_noise), course.pairs())

    @cached_property
    def _rows(self) -> tuple[Rows, Rows]:
        terms = [each.term for each in self.inequalities]
        return Rows.of(terms, self.based), Rows.of(self.based.course.measured(1.0), self.based)

    @cached_property
    def solution(self) -> Solution:
        """The program's solution as it is."""
        return self.solve()

    @property
    def value(self) -> float:
        """The worst case, numerical."""
        return float(self.program.scale) * self.solution.value

    def solve(self, room: float = 0.0, weight: float = 0.0) -> Solution:
        """Solve the program, as it is or with room for rounding.

        Args:
            room: by how much each inequality holds at least.
            weight: of the trace of the Gram matrix in what is maximised: the least eigenvalue of the dual's matrix.

        Raises:
            NotSolvedError: where the solver does not converge.

        """
        # Imported late: it takes longer to import than most claims take to evaluate.
        cp: Any = import_module("cvxpy")

        hold, seen = self._rows
        gram = cp.Variable((len(self.based.columns),) * 2, PSD=True)
        values, least = cp.Variable(hold.values.shape[1]), cp.Variable()

        def sides(rows: Rows) -> Any:
            flat = rows.grams.reshape(len(rows.grams), -1)
            return rows.values @ values + flat @ cp.vec(gram, order="C") + rows.constants

        holds, measures = sides(hold) >= room, sides(seen) >= least
        problem = cp.Problem(cp.Maximize(least + weight * cp.trace(gram)), [holds, measures])
        with warnings.catch_warnings():
            # The duality gap says how accurate it is.
            warnings.simplefilter("ignore")
            try:
                problem.solve(solver=cp.CLARABEL, max_threads=1)
            except cp.SolverError:
                raise self._failed("failed") from None
        if gram.value is None or holds.dual_value is None:
            raise self._failed("found no solution")
        weights, shares = np.array(holds.dual_value), np.array(measures.dual_value)
        dual = float(weights @ (hold.constants - room) + shares @ seen.constants)
        value = float(least.value) + weight * float(np.trace(gram.value))
        gap = abs(dual - value) / abs(value) if value else np.inf
        if not gap <= TOLERANCE:
            raise self._failed(f"left a relative duality gap of {gap:.3g}")
        return Solution(float(least.value), gap, gram.value, values.value, weights, shares)

    def _failed(self, how: str) -> NotSolvedError:
        return NotSolvedError(f"Clarabel {how} at T = {self.iterates}: constants closer to 1 may help")
