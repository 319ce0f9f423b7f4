r"""Performance estimation of any linear method, measure and class of smooth functions: the program, and its solution.

A function with given points, gradients and values exists if and only if they satisfy the interpolation inequalities of
its class. So the worst function, of any dimension, is the solution of a semidefinite program in the Gram matrix of
iterates and gradients (Drori and Teboulle 2014; Taylor, Hendrickx and Glineur 2017). `Course` walks along the points
over any vectors and numbers, `Solver` solves the program in floats by Clarabel, and `bracket` makes both ends of its
value exact.
"""

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from itertools import permutations
from types import SimpleNamespace
from typing import Any

import numpy as np
import sympy as sp

from boundcheck.errors import BoundcheckError, InputError
from boundcheck.language.algorithms import Algorithm
from boundcheck.language.measures import PerformanceMeasure, Statistic
from boundcheck.language.symbols import Number, exact

TOLERANCE = 1e-5
"""The largest gap between the two sides of a numerical solution, relative to it."""

NOISY = "two-point "
"""The beginning of the name of a method with noise of two equally likely points."""

# The cost grows steeply with the number of points: 31 take some ten seconds.
_MOST_POINTS = 31
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Program:
    r"""The largest measure of T iterates, over all F of any dimension with these properties and noise of two points.

    Noise: :math:`g = \nabla F(v) \pm n`, equally likely, :math:`\|n\| \le \zeta`, chosen anew at each of the
    :math:`2^{t-1}` points that v_t can be. Numbers may be exact: rationals, and sympy's roots.

    Attributes:
        algorithm: with a worst face.
        numbers: a value of each of its parameters.
        measure: what is largest.
        smoothness: L.
        strong: the strong convexity constant, below L; 0 where there is none.
        is_convex: whether F is convex.
        gap: the bound on F(v_1) - f*; None where there is none.
        distance: the bound on the distance from v_1 to a minimiser; None where F need not have one.
        noise: zeta; 0 where there is no noise.

    """

    algorithm: Algorithm
    numbers: Mapping[str, Number]
    measure: PerformanceMeasure
    smoothness: Number
    strong: Number = 0
    is_convex: bool = False
    gap: Number | None = None
    distance: Number | None = None
    noise: Number = 0

    @property
    def method(self) -> str:
        """The name of the algorithm with its noise."""
        return NOISY + self.algorithm.title if self.noise else self.algorithm.title

    def check(self, iterates: int) -> None:
        """Raise InputError for a number of iterates that cannot be solved, and where the functions lack the measure."""
        most = _MOST_POINTS.bit_length() if self.noise else _MOST_POINTS
        if not 1 <= iterates <= most:
            raise InputError("T", iterates, f"a number of iterates from 1 to {most}, for {self.method}")
        _ = self.scale

    @cached_property
    def lipschitz(self) -> sp.Expr:
        """The smoothness, exact."""
        return exact("smoothness", self.smoothness)

    @cached_property
    def square_length(self) -> sp.Expr:
        """The square of the unit of length; the unit of values is L times it, so that L and a bound at v_1 are 1."""
        if (self.gap is None) == (self.distance is None):
            given = "(not given)" if self.gap is None else self.gap
            raise InputError("gap", given, "a bound on F(v_1) - f*, or one on the distance to a minimiser")
        return (
            exact("gap", self.gap) / self.lipschitz if self.gap is not None else exact("distance", self.distance) ** 2
        )

    @cached_property
    def scale(self) -> sp.Expr:
        """The unit of the measure; raises InputError if these functions do not have it."""
        unit = self.square_length
        L, distance = self.lipschitz, unit if self.distance else None
        units = SimpleNamespace(gradient_square=L**2 * unit, gap=L * unit, square_distance=distance)
        found = self.measure.observable.of(units)
        if found is None:
            raise InputError("measure", self.measure.title, "a measure of functions that need no minimiser")
        return sp.sympify(found, strict=True)

    @cached_property
    def curvature(self) -> sp.Expr:
        """The least curvature of F in units of L: -1, 0 or the share of the strong convexity.

        Raises InputError for a strong convexity constant of L or more: then F is one parabola, or there is none.
        """
        if not self.strong:
            return sp.Integer(0 if self.is_convex else -1)
        if (share := exact("strong", self.strong) / self.lipschitz) >= 1:
            raise InputError("strong", self.strong, f"a strong convexity constant below L = {self.smoothness}")
        return share

    @cached_property
    def square_noise(self) -> sp.Expr:
        """The bound on the squared noise, in units of a squared gradient."""
        return exact("noise", self.noise) ** 2 / (self.lipschitz**2 * self.square_length)

    @cached_property
    def step(self) -> sp.Expr:
        """L times the first number of the algorithm, its step size."""
        return sp.simplify(self.lipschitz * exact("step", self.numbers[self.algorithm.step_size]))

    @cached_property
    def rest(self) -> dict[str, sp.Expr]:
        """The algorithm's other numbers."""
        return {x: exact(x, value) for x, value in self.numbers.items() if x != self.algorithm.step_size}


@dataclass(frozen=True)
class Term:
    """A sum of values of F, of inner products, and a number.

    Attributes:
        values: (c, i) for each c f_i.
        products: (c, x, y) for each c<x, y>.
        constant: the number.

    """

    values: tuple[tuple[Any, int], ...] = ()
    products: tuple[tuple[Any, Any, Any], ...] = ()
    constant: Any = 0

    def __add__(self, other: "Term") -> "Term":
        return Term(self.values + other.values, self.products + other.products, self.constant + other.constant)

    def __mul__(self, scale: Any) -> "Term":
        values = tuple((scale * c, i) for c, i in self.values)
        return Term(values, tuple((scale * c, x, y) for c, x, y in self.products), scale * self.constant)


@dataclass(frozen=True)
class Node:
    """A point at which F is asked, and its gradient there; `place` is the place of its value, None for a minimiser."""

    x: Any
    gradient: Any
    place: int | None


@dataclass(frozen=True)
class Inequality:
    """A `Term` that is at least 0, and why: ``pair`` of two nodes, ``floor``, ``gap``, ``distance``, ``noise``."""

    why: str
    nodes: tuple[int, ...]
    term: Term


class Course:
    """The points of the algorithm over any vectors: over a basis, in coordinates, or as letters.

    Units are those of `Program`: L is 1, and so is the bound at v_1.

    Attributes:
        nodes: the points at which F is asked, each once; a minimiser, where there is one, is the last, and is 0.
        kicks: what the noise adds to the gradients.
        states: those at each t = 1, ..., T, all equally likely; each has its two successors, or one, in turn.
        order: the node of each question, in turn.
        after: the points to which a step without noise leads from the last states; none where that step asks for a
            gradient at a further point.
        seen: the nodes that the measure looks at, for each t all equally likely ones.

    """

    def __init__(
        self,
        program: Program,
        iterates: int,
        numbers: Mapping[str, Any],
        start: Any,
        gradient: Callable[[int, Any], Any],
        kick: Callable[[int], Any],
        order: Sequence[int] = (),
    ) -> None:
        """Walk along the points.

        Args:
            program: says which method.
            iterates: T.
            numbers: of the algorithm, where L is 1, as numbers of these vectors.
            start: v_1.
            gradient: the gradient at a point, from the place of the point and the point.
            kick: the noise, from its number.
            order: that of another walk of this program, whose points are the same ones where these are.

        """
        self.program, self._gradient, self._known = program, gradient, list(order)
        self.nodes: list[Node] = []
        self.kicks: list[Any] = []
        self.order: list[int] = []
        self.seen: list[list[Node]] = []
        algorithm, over = program.algorithm, program.measure.over
        self.states = [[algorithm.exact_start(start, numbers)]]
        for t in range(1, iterates + 1):
            if t in over.times(iterates):
                self.seen.append([self.at(algorithm.iterate(state)) for state in self.states[-1]])
            if t == iterates:
                break
            after = []
            for state in self.states[-1]:
                slope = self.at(algorithm.exact_query(state, t, numbers)).gradient
                drawn = [slope]
                if program.noise:
                    self.kicks.append(kick(len(self.kicks)))
                    drawn = [slope - self.kicks[-1], slope + self.kicks[-1]]
                after += [algorithm.exact_step(state, g, t, numbers) for g in drawn]
            self.states.append(after)
        self.after: list[Any] = []
        for state in self.states[-1]:
            query = algorithm.exact_query(state, iterates, numbers)
            found = next((node.gradient for node in self.nodes if equal(node.x, query)), None)
            if found is None:
                self.after = []
                break
            self.after.append(algorithm.iterate(algorithm.exact_step(state, found, iterates, numbers)))
        if program.distance is not None:
            self.nodes.append(Node(0 * start, 0 * start, None))

    def at(self, x: Any) -> Node:
        """The node at a point, a new one where there is none yet."""
        same = next((i for i, node in enumerate(self.nodes) if equal(node.x, x)), len(self.nodes))
        if self._known:
            # Points that are one only by chance stay two.
            known = self._known[len(self.order)]
            if known < len(self.nodes) and known != same:
                raise InputError("step", self.program.step, "a rational step, as two of its points have to be one")
            same = known
        self.order.append(same)
        if same == len(self.nodes):
            self.nodes.append(Node(x, self._gradient(same, x), same))
        return self.nodes[same]

    @property
    def asked(self) -> int:
        """The number of points at which F is asked: all nodes but a minimiser."""
        return sum(node.place is not None for node in self.nodes)

    def pairs(self) -> list[tuple[int, int]]:
        """All ordered pairs of nodes."""
        return list(permutations(range(len(self.nodes)), 2))

    def inequalities(self, m: Any, noise: Any, pairs: Iterable[tuple[int, int]]) -> list[Inequality]:
        """The inequalities that every function and run satisfies: for these pairs, at each node, at v_1, for the noise.

        Args:
            m: the least curvature.
            noise: the bound on the squared noise.
            pairs: of nodes.

        """
        nodes, program = self.nodes, self.program
        found = [Inequality("pair", (i, j), interpolation(nodes[i], nodes[j], m)) for i, j in pairs]
        asked = [(i, node) for i, node in enumerate(nodes) if node.place is not None]
        # That the infimum fits below the value.
        found += [Inequality("floor", (i,), Term(((2, i),), ((-1, x.gradient, x.gradient),))) for i, x in asked]
        # One of the two bounds at v_1 is the unit.
        if program.gap is not None:
            found.append(Inequality("gap", (0,), Term(((-1, 0),), (), 1)))
        else:
            found.append(Inequality("distance", (0,), Term((), ((-1, nodes[0].x, nodes[0].x),), 1)))
        return found + [Inequality("noise", (k,), Term((), ((-1, n, n),), noise)) for k, n in enumerate(self.kicks)]

    def measured(self, one: Any) -> list[Term]:
        """The numbers of which the measure is the smallest; `one` is the number 1."""
        measure = self.program.measure

        def look(node: Node) -> Term:
            numbers = SimpleNamespace(
                gradient_square=Term((), ((1, node.gradient, node.gradient),)),
                gap=Term(((1, node.place),) if node.place is not None else ()),
                square_distance=Term((), ((1, node.x, node.x),)),
            )
            found: Term = measure.observable.of(numbers)
            return found

        def mean(terms: Sequence[Term]) -> Term:
            return sum(terms[1:], terms[0]) * (one / len(terms))

        means = [mean([look(node) for node in nodes]) for nodes in self.seen]
        return [mean(means)] if measure.over is Statistic.AVERAGE else means


def equal(x: Any, y: Any) -> bool:
    """True if two points are certainly one; floats are given some room for rounding."""
    if x is y or not isinstance(x, np.ndarray):
        return bool(x is y or x == y)
    if x.dtype == float:
        return bool(np.abs(x - y).max(initial=0.0) < _ROUNDING)
    return bool((x == y).all())


def interpolation(x: Node, y: Node, m: Any) -> Term:
    r"""The interpolation inequality of functions with curvatures from m to 1.

    .. math:: f_x - f_y - \langle g_y, x - y\rangle - \tfrac m2\|x - y\|^2
        - \tfrac1{2(1 - m)}\|g_x - g_y - m(x - y)\|^2 \ge 0

    A function with these values and gradients exists if and only if it holds for all ordered pairs: Taylor, Hendrickx
    and Glineur, Math. Program. 161, 2017, theorem 4, for m >= 0, and SIAM J. Optim. 27, 2017, theorem 3.10, for m = -1;
    where `floor` holds as well one that is nowhere below f* exists, Drori and Shamir 2020, theorem 7.
    """
    d = x.x - y.x
    change = x.gradient - y.gradient - m * d
    values = tuple((sign, node.place) for sign, node in ((1, x), (-1, y)) if node.place is not None)
    return Term(values, ((-1, y.gradient, d), (-m / 2, d, d), (-1 / (2 * (1 - m)), change, change)))


# The solution.


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

    def _rows(self, terms: Sequence[Term]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Coefficients of the values, the symmetric matrices of the products as rows, and numbers; a row a term."""
        values = np.zeros((len(terms), self.based.course.asked))
        grams = np.zeros((len(terms), len(self.based.columns) ** 2))
        for row, term in enumerate(terms):
            for c, i in term.values:
                values[row, i] += c
            grams[row] += np.ravel(self.based.gram(term))
        return values, grams, np.array([float(term.constant) for term in terms])

    @cached_property
    def _sides(self) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], ...]:
        """The rows of the inequalities, and of the numbers of which the measure is the smallest."""
        return self._rows([each.term for each in self.inequalities]), self._rows(self.based.course.measured(1.0))

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

        hold, seen = self._sides
        gram = cp.Variable((len(self.based.columns),) * 2, PSD=True)
        unknown, least = cp.Variable(self.based.course.asked), cp.Variable()
        held, looked = (
            values @ unknown + grams @ cp.vec(gram, order="C") + constants for values, grams, constants in (hold, seen)
        )
        holds, measures = held >= room, looked >= least
        problem = cp.Problem(cp.Maximize(least + weight * cp.trace(gram)), [holds, measures])

        def failed(how: str) -> NotSolvedError:
            return NotSolvedError(f"Clarabel {how} at T = {self.iterates}: constants closer to 1 may help")

        with warnings.catch_warnings():
            # The duality gap says how accurate it is.
            warnings.simplefilter("ignore")
            try:
                problem.solve(solver=cp.CLARABEL, max_threads=1)
            except cp.SolverError:
                raise failed("failed") from None
        if gram.value is None or holds.dual_value is None:
            raise failed("found no solution")
        weights, shares = np.array(holds.dual_value), np.array(measures.dual_value)
        dual = float(weights @ (hold[2] - room) + shares @ seen[2])
        value = float(least.value) + weight * float(np.trace(gram.value))
        gap = abs(dual - value) / abs(value) if value else np.inf
        if not gap <= TOLERANCE:
            raise failed(f"left a relative duality gap of {gap:.3g}")
        return Solution(float(least.value), gap, gram.value, unknown.value, weights, shares)
