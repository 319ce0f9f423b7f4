r"""Performance estimation of any linear method, measure and class of smooth functions: the program,
and its solution.

A function with given points, gradients and values exists if and only if they satisfy the
interpolation inequalities of its class. So the worst function, of any dimension, is the solution of
a semidefinite program in the Gram matrix of iterates and gradients (Drori and Teboulle 2014;
Taylor, Hendrickx and Glineur 2017). `Course` walks along the points over any vectors and numbers,
and `Solver` solves the program in floats by Clarabel.

Both ends of its value are exact. `below`: points, gradients and values in rational numbers that
satisfy every interpolation inequality, so that a function of the class has them. `above`: rational
multipliers of these inequalities, and an exact LDLᵀ of the rest, which the kernel checks. A step
size that is no rational number lies between two that are; what is said then holds for every step
between them.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from importlib import import_module
from itertools import permutations
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
from flint import fmpq, fmpq_mat
from sympy.matrices.expressions.matexpr import MatrixExpr

from boundcheck.errors import BoundcheckError, InputError
from boundcheck.exact.balls import ball_of, enclose
from boundcheck.exact.evaluate import fraction
from boundcheck.language.algorithms import Algorithm
from boundcheck.language.measures import PerformanceMeasure, Statistic
from boundcheck.language.symbols import Number, alpha, exact
from boundcheck.language.vocabulary import F, Gradient, n, v_star
from boundcheck.proof import judge
from boundcheck.proof.performance import Multipliers, Squares
from boundcheck.proof.verdict import JudgedProof
from boundcheck.system.files import Json

TOLERANCE = 1e-5
"""The largest gap between the two sides of a numerical solution, relative to it."""

NOISY = "two-point "
"""The beginning of the name of a method with noise of two equally likely points."""

# The cost grows steeply with the number of points: 31 take some ten seconds.
_MOST_POINTS = 31
_ROUNDING = 1e-12
# How much room the solver is asked to leave for rounding, the least first, in units of the program.
_ROOMS = (1e-7, 1e-6, 1e-5, 1e-4)
# Gradients and values are multiples of this, and multipliers.
_UNIT = Fraction(1, 2**40)
# The most iterates that a theorem is about: each point is an expression in those before it.
_MOST_ITERATES = 6
# The decimals of a rational number near one that is not.
_DECIMALS = 12


class NotSolvedError(BoundcheckError, ArithmeticError):
    """Clarabel did not reach the required accuracy, for instance because the constants are too far
    apart.
    """


class NotExactError(BoundcheckError, ArithmeticError):
    """An end of the worst case could not be made exact."""


@dataclass(frozen=True)
class Program:
    r"""The largest measure of T iterates, over all F of any dimension with these properties and
    noise of two points.

    Noise: :math:`g = \nabla F(v) \pm n`, equally likely, :math:`\|n\| \le \zeta`, chosen anew at
    each of the :math:`2^{t-1}` points that v_t can be. Numbers may be exact: rationals, and sympy's
    roots.

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
        """Raise InputError for a number of iterates that cannot be solved, and where the functions
        lack the measure.
        """
        most = _MOST_POINTS.bit_length() if self.noise else _MOST_POINTS
        if not 1 <= iterates <= most:
            raise InputError(
                "T", iterates, f"a number of iterates from 1 to {most}, for {self.method}"
            )
        _ = self.scale

    @cached_property
    def lipschitz(self) -> sp.Expr:
        """The smoothness, exact."""
        return exact("smoothness", self.smoothness)

    @cached_property
    def square_length(self) -> sp.Expr:
        """The square of the unit of length; the unit of values is L times it, so that L and a bound
        at v_1 are 1.
        """
        if (self.gap is None) == (self.distance is None):
            given = "(not given)" if self.gap is None else self.gap
            raise InputError(
                "gap", given, "a bound on F(v_1) - f*, or one on the distance to a minimiser"
            )
        return (
            exact("gap", self.gap) / self.lipschitz
            if self.gap is not None
            else exact("distance", self.distance) ** 2
        )

    @cached_property
    def scale(self) -> sp.Expr:
        """The unit of the measure; raises InputError if these functions do not have it."""
        unit = self.square_length
        L = self.lipschitz
        distance = unit if self.distance else None
        units = SimpleNamespace(gradient_square=L**2 * unit, gap=L * unit, square_distance=distance)
        found = self.measure.observable.of(units)
        if found is None:
            raise InputError(
                "measure", self.measure.title, "a measure of functions that need no minimiser"
            )
        return sp.sympify(found, strict=True)

    @cached_property
    def curvature(self) -> sp.Expr:
        """The least curvature of F in units of L: -1, 0 or the share of the strong convexity.

        Raises InputError for a strong convexity constant of L or more: then F is one parabola, or
        there is none.
        """
        if not self.strong:
            return sp.Integer(0 if self.is_convex else -1)
        if (share := exact("strong", self.strong) / self.lipschitz) >= 1:
            raise InputError(
                "strong", self.strong, f"a strong convexity constant below L = {self.smoothness}"
            )
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
        return {
            x: exact(x, value) for x, value in self.numbers.items() if x != self.algorithm.step_size
        }

    @cached_property
    def rational(self) -> Exact:
        """The numbers as rationals; raises NotExactError if one besides the step size and the noise
        is none.
        """
        found = dict[str, Fraction]()
        for name, x in ({"curvature": self.curvature} | self.rest).items():
            value = sp.simplify(x)
            if not isinstance(value, sp.Rational):
                raise NotExactError(f"{name} = {x} is not a rational number")
            found[name] = fraction(value)
        noise = _interval(sp.simplify(self.square_noise))
        return Exact(
            self.algorithm.step_size, found.pop("curvature"), _interval(self.step), noise, found
        )


Interval = tuple[Fraction, Fraction]


def _interval(x: sp.Expr) -> Interval:
    """Two ends between which the number is: the number itself if it is rational, else two
    decimals.
    """
    if isinstance(x, sp.Rational):
        return fraction(x), fraction(x)
    ball = enclose(x, {})
    unit = 10**_DECIMALS
    low = (ball * unit).floor()
    high = (ball * unit).ceil()
    ends = low.lower().unique_fmpz(), high.upper().unique_fmpz()
    if None in ends:
        raise NotExactError(f"{x} is not known to {_DECIMALS} decimals")
    return Fraction(int(ends[0]), unit), Fraction(int(ends[1]), unit)


class Exact(NamedTuple):
    """The numbers of a program, where L is 1: rational, or between two rational numbers."""

    step_size: str
    curvature: Fraction
    step: Interval
    noise: Interval
    rest: Mapping[str, Fraction]

    @property
    def is_rational(self) -> bool:
        return self.step[0] == self.step[1]

    @property
    def kind(self) -> Callable[[Fraction], Any]:
        """Makes a number to compute with: a fraction, or a ball where the step is in an
        interval.
        """
        return Fraction if self.is_rational else ball_of

    def numbers(self, step: Any, kind: Callable[[Fraction], Any] = Fraction) -> dict[str, Any]:
        """A value of each number of the algorithm."""
        return {self.step_size: step} | {name: kind(x) for name, x in self.rest.items()}


@dataclass(frozen=True)
class Term:
    """A sum of values of F, c f_i for each (c, i), of inner products, c<x, y> for each (c, x, y),
    and a number.
    """

    values: tuple[tuple[Any, int], ...] = ()
    products: tuple[tuple[Any, Any, Any], ...] = ()
    constant: Any = 0

    def __add__(self, other: Term) -> Term:
        return Term(
            self.values + other.values,
            self.products + other.products,
            self.constant + other.constant,
        )

    def __mul__(self, scale: Any) -> Term:
        values = tuple((scale * c, i) for c, i in self.values)
        return Term(
            values, tuple((scale * c, x, y) for c, x, y in self.products), scale * self.constant
        )


class Node(NamedTuple):
    """A point at which F is asked, and its gradient there; `place` is the place of its value, None
    for a minimiser.
    """

    x: Any
    gradient: Any
    place: int | None


class Inequality(NamedTuple):
    """A `Term` that is at least 0, and why: ``pair`` of two nodes, ``floor``, ``gap``,
    ``distance``, ``noise``.
    """

    why: str
    nodes: tuple[int, ...]
    term: Term


class Course:
    """The points of the algorithm over any vectors: over a basis, in coordinates, or as letters.

    Units are those of `Program`: L is 1, and so is the bound at v_1.

    Attributes:
        nodes: the points at which F is asked, each once; a minimiser, where there is one, is the
            last, and is 0.
        asked: the number of nodes but a minimiser.
        kicks: what the noise adds to the gradients.
        states: those at each t = 1, ..., T, all equally likely; each has its two successors, or
            one, in turn.
        order: the node of each question, in turn.
        steps: the two ends of each step, as far as the second one is known.
        after: the points to which a step without noise leads from the last states; none where that
            step asks for a gradient at a further point.
        seen: the nodes that the measure looks at, for each t all equally likely ones.
        columns: the places of the basis in the vectors, for points over a basis.

    """

    def __init__(
        self,
        program: Program,
        iterates: int,
        numbers: Mapping[str, Any],
        start: Any,
        gradient: Callable[[int, Any], Any],
        kick: Callable[[int], Any] = lambda k: None,
        order: Sequence[int] = (),
    ) -> None:
        """Walk along the points.

        Args:
            program: says which method.
            iterates: T.
            numbers: of the algorithm, where L is 1, as numbers of these vectors.
            start: v_1.
            gradient: the gradient at a point, from the place of the point and the point.
            kick: the noise, from its number; left out of a program without noise.
            order: that of another walk of this program, whose points are the same ones where these
                are.

        """
        self.program = program
        algorithm = program.algorithm
        over = program.measure.over
        self.nodes: list[Node] = []
        self.kicks: list[Any] = []
        self.order: list[int] = []
        self.steps: list[tuple[Any, Any]] = []
        self.seen: list[list[Node]] = []

        def ask(x: Any) -> Node:
            place = next(
                (i for i, node in enumerate(self.nodes) if equal(node.x, x)), len(self.nodes)
            )
            if order:
                # Points that are one only by chance stay two.
                known = order[len(self.order)]
                if known < len(self.nodes) and known != place:
                    raise InputError(
                        "step", program.step, "a rational step, as two of its points have to be one"
                    )
                place = known
            self.order.append(place)
            if place == len(self.nodes):
                self.nodes.append(Node(x, gradient(place, x), place))
            return self.nodes[place]

        self.states = [[algorithm.exact_start(start, numbers)]]
        for t in range(1, iterates + 1):
            if t in over.times(iterates):
                self.seen.append([ask(algorithm.iterate(state)) for state in self.states[-1]])
            if t == iterates:
                break
            after = []
            for state in self.states[-1]:
                slope = ask(algorithm.exact_query(state, t, numbers)).gradient
                drawn = [slope]
                if program.noise:
                    self.kicks.append(kick(len(self.kicks)))
                    drawn = [slope - self.kicks[-1], slope + self.kicks[-1]]
                reached = [algorithm.exact_step(state, g, t, numbers) for g in drawn]
                self.steps += [(algorithm.iterate(state), algorithm.iterate(x)) for x in reached]
                after += reached
            self.states.append(after)
        self.asked = len(self.nodes)

        self.after: list[Any] = []
        for state in self.states[-1]:
            query = algorithm.exact_query(state, iterates, numbers)
            found = next((node.gradient for node in self.nodes if equal(node.x, query)), None)
            if found is None:
                self.after = []
                break
            self.after.append(
                algorithm.iterate(algorithm.exact_step(state, found, iterates, numbers))
            )
            self.steps.append((algorithm.iterate(state), self.after[-1]))
        if program.distance is not None:
            self.nodes.append(Node(0 * start, 0 * start, None))
        self.columns: list[int] = []

    @classmethod
    def over_basis(
        cls,
        program: Program,
        iterates: int,
        numbers: Mapping[str, Any],
        zero: Any,
        order: Sequence[int] = (),
    ) -> Course:
        """Walk in terms of v_1 where there is a minimiser, the gradients and the noise, in numbers
        of `zero`'s kind.
        """
        # No walk has more points, nor more noise.
        points = 2 * (2**iterates if program.noise else iterates)
        first = 0 if program.distance is not None else -1

        def unit(place: int) -> np.ndarray:
            kind = float if isinstance(zero, float) else object
            return np.array([zero + int(i == place) for i in range(1 + 2 * points)], dtype=kind)

        course = cls(
            program,
            iterates,
            numbers,
            unit(first),
            lambda place, _: unit(1 + place),
            lambda k: unit(1 + points + k),
            order,
        )
        course.columns = [*range(first + 1), *range(1, 1 + course.asked)]
        course.columns += range(1 + points, 1 + points + len(course.kicks))
        return course

    def gram(self, term: Term) -> np.ndarray:
        """The symmetric matrix of the products of a term, over the basis."""
        total: Any = 0
        for c, x, y in term.products:
            product = np.outer(c * x[self.columns], y[self.columns])
            total = total + (product + product.T) / 2
        return total

    def inequalities(
        self, m: Any, noise: Any, chosen: Collection[tuple[str, tuple[int, ...]]] | None = None
    ) -> list[Inequality]:
        """The inequalities that every function and run satisfies: for pairs, at each node, at v_1,
        for the noise.

        Args:
            m: the least curvature.
            noise: the bound on the squared noise.
            chosen: why and nodes of those that are wanted; all where left out.

        """
        nodes = self.nodes
        # One of the two bounds at v_1 is the unit.
        start = "distance" if self.program.gap is None else "gap"
        keys: list[tuple[str, tuple[int, ...]]] = [
            ("pair", pair) for pair in permutations(range(len(nodes)), 2)
        ]
        keys += [("floor", (i,)) for i in range(self.asked)]
        keys += [(start, (0,)), *(("noise", (k,)) for k in range(len(self.kicks)))]

        def term(why: str, first: int, *second: int) -> Term:
            match why:
                case "pair":
                    return interpolation(nodes[first], nodes[second[0]], m)
                case "floor":
                    # That the infimum fits below the value.
                    return Term(
                        ((2, first),), ((-1, nodes[first].gradient, nodes[first].gradient),)
                    )
                case "gap":
                    return Term(((-1, 0),), (), 1)
                case "distance":
                    return Term((), ((-1, nodes[0].x, nodes[0].x),), 1)
            return Term((), ((-1, self.kicks[first], self.kicks[first]),), noise)

        wanted = (key for key in keys if chosen is None or key in chosen)
        return [Inequality(why, places, term(why, *places)) for why, places in wanted]

    def is_of_steps(self, each: Inequality) -> bool:
        """True if an inequality needs F to be smooth in the balls alone whose diameters are the
        steps.

        The inequality of two points, of F that need not be convex, says that the parabola above F
        from the one is not below the parabola under F from the other, where they are nearest: at (x
        + y - g_x + g_y)/2. Of the ends of a step that is in its ball, for ‖g_x - g_y‖ <= ‖x - y‖. F
        is nowhere below f*, also at x - g_x, which is on a step of -h g_x with h >= 1.
        """
        if each.why == "pair":
            x, y = (self.nodes[place].x for place in each.nodes)
            ends = [*self.steps, *((last, first) for first, last in self.steps)]
            return any(equal(x, first) and equal(y, last) for first, last in ends)
        if each.why == "floor":
            node = self.nodes[each.nodes[0]]
            h = self.program.step
            down = node.x - float(h) * node.gradient
            steps = [last for first, last in self.steps if equal(node.x, first)]
            return bool(h >= 1) and any(equal(last, down) for last in steps)
        return True

    def measured(self, one: Any) -> list[Term]:
        """The numbers of which the measure is the smallest; `one` is the number 1."""
        measure = self.program.measure

        def mean(terms: Sequence[Term]) -> Term:
            return sum(terms[1:], terms[0]) * (one / len(terms))

        means = []
        for nodes in self.seen:
            looks = (
                SimpleNamespace(
                    gradient_square=Term((), ((1, node.gradient, node.gradient),)),
                    gap=Term(((1, node.place),) if node.place is not None else ()),
                    square_distance=Term((), ((1, node.x, node.x),)),
                )
                for node in nodes
            )
            means.append(mean([measure.observable.of(look) for look in looks]))
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

    A function with these values and gradients exists if and only if it holds for all ordered pairs:
    Taylor, Hendrickx and Glineur, Math. Program. 161, 2017, theorem 4, for m >= 0, and SIAM J.
    Optim. 27, 2017, theorem 3.10, for m = -1; where `floor` holds as well one that is nowhere below
    f* exists, Drori and Shamir 2020, theorem 7.
    """
    d = x.x - y.x
    change = x.gradient - y.gradient - m * d
    values = tuple((sign, node.place) for sign, node in ((1, x), (-1, y)) if node.place is not None)
    return Term(values, ((-1, y.gradient, d), (-m / 2, d, d), (-1 / (2 * (1 - m)), change, change)))


@dataclass(frozen=True)
class Solution:
    """A numerical solution.

    Attributes:
        value: the largest measure, in its unit.
        gap: the relative duality gap.
        gram, values: the worst function's.
        weights, shares: the multipliers of the inequalities, and of the numbers of which the
            measure is the smallest.

    """

    value: float
    gap: float
    gram: np.ndarray
    values: np.ndarray
    weights: np.ndarray
    shares: np.ndarray


class Solver:
    """The program in floats; `solve` solves it as it is, or a little changed so that there is room
    for rounding.

    With `in_steps` F is smooth in the balls alone whose diameters are the steps, and is asked for
    less: the value is then no less than the worst.
    """

    def __init__(self, program: Program, iterates: int, in_steps: bool = False) -> None:
        program.check(iterates)
        self.program = program
        self.iterates = iterates
        numbers = {name: float(x) for name, x in program.rest.items()}
        numbers[program.algorithm.step_size] = float(program.step)
        self.course = Course.over_basis(program, iterates, numbers, 0.0)
        known = self.course.inequalities(float(program.curvature), float(program.square_noise))
        self.inequalities = [
            each for each in known if not in_steps or self.course.is_of_steps(each)
        ]
        # Coefficients of the values, the symmetric matrices of the products as rows, and numbers; a
        # row a term. First those of the inequalities, then those of the numbers of which the
        # measure is the smallest.
        self._sides = []
        for terms in ([each.term for each in self.inequalities], self.course.measured(1.0)):
            values = np.zeros((len(terms), self.course.asked))
            grams = np.zeros((len(terms), len(self.course.columns) ** 2))
            for row, term in enumerate(terms):
                for c, i in term.values:
                    values[row, i] += c
                grams[row] += np.ravel(self.course.gram(term))
            self._sides.append((values, grams, np.array([float(term.constant) for term in terms])))

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
            weight: of the trace of the Gram matrix in what is maximised: the least eigenvalue of
                the dual's matrix.

        Raises:
            NotSolvedError: where the solver does not converge.

        """
        # Imported late: it takes longer to import than most claims take to evaluate.
        cp: Any = import_module("cvxpy")

        hold, seen = self._sides
        gram = cp.Variable((len(self.course.columns),) * 2, PSD=True)
        unknown = cp.Variable(self.course.asked)
        least = cp.Variable()
        held, looked = (
            values @ unknown + grams @ cp.vec(gram, order="C") + constants
            for values, grams, constants in (hold, seen)
        )
        holds = held >= room
        measures = looked >= least
        problem = cp.Problem(cp.Maximize(least + weight * cp.trace(gram)), [holds, measures])

        def failed(how: str) -> NotSolvedError:
            return NotSolvedError(
                f"Clarabel {how} at T = {self.iterates}: constants closer to 1 may help"
            )

        with warnings.catch_warnings():
            # The duality gap says how accurate it is.
            warnings.simplefilter("ignore")
            try:
                problem.solve(solver=cp.CLARABEL, max_threads=1)
            except cp.SolverError:
                raise failed("failed") from None
        if gram.value is None or holds.dual_value is None:
            raise failed("found no solution")
        weights = np.array(holds.dual_value)
        shares = np.array(measures.dual_value)
        dual = float(weights @ (hold[2] - room) + shares @ seen[2])
        value = float(least.value) + weight * float(np.trace(gram.value))
        gap = abs(dual - value) / abs(value) if value else np.inf
        if not gap <= TOLERANCE:
            raise failed(f"left a relative duality gap of {gap:.3g}")
        return Solution(float(least.value), gap, gram.value, unknown.value, weights, shares)


# The lower end.

Vector = tuple[Fraction, ...]


@dataclass(frozen=True)
class RationalRun:
    """A run of the method in rational numbers, in the units of `Program`.

    Attributes:
        program, iterates: the method, and T.
        start: v_1, where a minimiser is 0.
        gradients, values: at each point at which F is asked, in turn.
        kicks: the noise, in turn.
        order: which points are one, as `Course` has it.

    """

    program: Program
    iterates: int
    start: Vector
    gradients: tuple[Vector, ...]
    values: tuple[Fraction, ...]
    kicks: tuple[Vector, ...]
    order: tuple[int, ...]

    @cached_property
    def course(self) -> Course:
        """The points of the run: exact, or in balls where the step is in an interval."""
        numbers = self.program.rational
        kind = numbers.kind
        least, most = numbers.step

        def array(x: Vector) -> np.ndarray:
            return np.array(list(map(kind, x)), dtype=object)

        return Course(
            self.program,
            self.iterates,
            numbers.numbers(
                least if numbers.is_rational else ball_of(least).union(ball_of(most)), kind
            ),
            array(self.start),
            lambda place, _: array(self.gradients[place]),
            lambda k: array(self.kicks[k]),
            self.order,
        )

    @property
    def heights(self) -> list[Any]:
        """The values of F, in the numbers of the course."""
        return list(map(self.program.rational.kind, self.values))

    def measure(self) -> Fraction:
        """A lower bound on the measure, for every step within its interval.

        Raises:
            NotExactError: where an interpolation inequality, or a bound at v_1 or on the noise, is
                not certain.

        """
        numbers = self.program.rational
        course = self.course
        heights = self.heights
        kind = numbers.kind

        def value(term: Term) -> Any:
            total = term.constant
            for c, i in term.values:
                total = total + c * heights[i]
            for c, x, y in term.products:
                total = total + c * sum(x * y)
            return total

        for each in course.inequalities(kind(numbers.curvature), kind(numbers.noise[0])):
            if not value(each.term) >= 0:
                raise NotExactError(f"the {each.why} inequality of {each.nodes} does not hold")
        least = [value(term) for term in course.measured(kind(Fraction(1)))]
        if numbers.is_rational:
            return min(least)
        ends = [x.lower().man_exp() for x in least]
        return min(Fraction(int(mantissa)) * Fraction(2) ** int(power) for mantissa, power in ends)

    def as_json(self) -> Json:
        """Plain data: rational numbers as text, in units in which L and the bound at v_1 are 1."""
        gradients, noise = (
            [list(map(str, x)) for x in part] for part in (self.gradients, self.kicks)
        )
        start, values = (list(map(str, x)) for x in (self.start, self.values))
        return {
            "start": start,
            "gradients": gradients,
            "values": values,
            "noise": noise,
            "order": list(self.order),
        }


def below(solver: Solver) -> tuple[RationalRun, Fraction]:
    """An instance, and a lower bound on its measure; raises NotExactError where rounding leaves
    none.
    """
    course = solver.course
    why = ""
    for room in _ROOMS:
        try:
            solution = solver.solve(room=room)
            # Vectors in multiples of the unit, whose inner products are nearly the Gram matrix.
            sizes, vectors = np.linalg.eigh(solution.gram)
            kept = sizes > float(_UNIT)
            rows = [
                tuple(map(_near, row)) for row in (vectors[:, kept] * np.sqrt(sizes[kept])).tolist()
            ]
            start = (Fraction(0),) * int(kept.sum())
            if solver.program.distance is not None:
                start, *rows = rows
            gradients, kicks = tuple(rows[: course.asked]), tuple(rows[course.asked :])
            values = tuple(map(_near, solution.values.tolist()))
            run = RationalRun(
                solver.program,
                solver.iterates,
                start,
                gradients,
                values,
                kicks,
                tuple(course.order),
            )
            return run, run.measure()
        except (NotExactError, NotSolvedError) as error:
            why = str(error)
    raise NotExactError(f"no rational instance: {why}")


def _near(x: float) -> Fraction:
    return round(x / _UNIT) * _UNIT


# The upper end.


def above(solver: Solver) -> tuple[JudgedProof, Fraction]:
    """The kernel's theorem and its bound, for a method without noise.

    Raises:
        NotExactError: where rounding leaves no multipliers, or there are too many points.

    """
    why = ""
    if solver.iterates > _MOST_ITERATES:
        raise NotExactError(
            f"a theorem about more than {_MOST_ITERATES} iterates would be too long"
        )
    for room in _ROOMS:
        try:
            found = _multipliers(solver, solver.solve(weight=room), room)
        except (NotExactError, NotSolvedError) as error:
            why = str(error)
            continue
        proof = judge(found.script)
        if (proof.verdict, proof.trust) != ("proved", "kernel"):
            raise NotExactError(f"the kernel does not prove it: {proof.reason}")
        return proof, found.factor
    raise NotExactError(f"no rational multipliers: {why}")


def _multipliers(solver: Solver, solution: Solution, room: float) -> Multipliers:
    """The solution's multipliers, rational and such that the values of F cancel; the smallest are
    left out.

    Raises NotExactError where one is negative, or the rest is no sum of squares.
    """
    program = solver.program
    course = solver.course
    exact = solver.program.rational
    # What makes the rest positive definite are several multipliers of about `room`.
    kept = [k for k, weight in enumerate(solution.weights) if weight > room / 10]
    used = [solver.inequalities[k] for k in kept]
    chosen = {(each.why, each.nodes) for each in used}
    least, most = exact.step
    walks = [
        Course.over_basis(program, solver.iterates, exact.numbers(step), Fraction(0), course.order)
        for step in ([least] if exact.is_rational else [least, (least + most) / 2, most])
    ]
    terms = []
    for walk in walks:
        held = walk.inequalities(exact.curvature, Fraction(0), chosen)
        terms.append([*(each.term for each in held), *walk.measured(Fraction(1))])

    # The rational weights nearest to rounded ones with which the values cancel and the shares add
    # up to 1. A value that no term has cancels by itself.
    rows = [
        [sum((Fraction(c) for c, i in term.values if i == k), Fraction(0)) for term in terms[0]]
        for k in range(course.asked)
    ]
    rows = [row for row in rows if any(row)] + [
        [Fraction(int(k >= len(used))) for k in range(len(terms[0]))]
    ]
    matrix = fmpq_mat(len(rows), len(rows[0]), [_fmpq(x) for row in rows for x in row])
    floating = [*(float(solution.weights[k]) for k in kept), *map(float, solution.shares)]
    near = fmpq_mat(len(floating), 1, [_fmpq(_near(x)) for x in floating])
    rest = (
        fmpq_mat(len(rows), 1, [fmpq(int(k == len(rows) - 1)) for k in range(len(rows))])
        - matrix * near
    )
    try:
        solved = near + matrix.transpose() * (matrix * matrix.transpose()).solve(rest)
    except ZeroDivisionError:
        raise NotExactError("the values do not cancel") from None
    weights = [fraction(solved[k, 0]) for k in range(len(floating))]
    if min(weights) < 0:
        raise NotExactError("a multiplier is negative")

    rests = [
        -sum(w * walk.gram(term) for w, term in zip(weights, each, strict=True) if w)
        for walk, each in zip(walks, terms, strict=True)
    ]
    if len(rests) == 3:
        # A polynomial of degree 2 in the step, by its Bernstein coefficients.
        rests[1] = (4 * rests[1] - rests[0] - rests[2]) / 2
    by_key = {(each.why, each.nodes): weight for each, weight in zip(used, weights, strict=False)}
    return _named(solver, by_key, weights[len(used) :], tuple(map(_squares, rests)))


def _fmpq(x: Fraction) -> fmpq:
    return fmpq(x.numerator, x.denominator)


def _squares(matrix: np.ndarray) -> Squares:
    """XᵀMX as squares with positive weights, by an exact LDLᵀ; raises NotExactError unless M is
    positive definite.
    """
    left = [[_fmpq(Fraction(x)) for x in row] for row in matrix.tolist()]
    found = []
    for i in range(len(left)):
        pivot = left[i][i]
        if pivot <= 0:
            raise NotExactError("the rest is no sum of squares")
        row = [x / pivot for x in left[i]]
        found.append((fraction(pivot), tuple(map(fraction, row))))
        left = [
            [x - pivot * row[a] * row[b] for b, x in enumerate(line)] for a, line in enumerate(left)
        ]
    return tuple(found)


def _named(
    solver: Solver,
    weights: Mapping[tuple[str, tuple[int, ...]], Fraction],
    shares: Sequence[Fraction],
    squares: tuple[Squares, ...],
) -> Multipliers:
    """The multipliers with the letters of the theorem."""
    program = solver.program
    exact = solver.program.rational
    points = []

    def gradient(place: int, x: MatrixExpr) -> Gradient:
        letter = x if place == 0 else sp.MatrixSymbol(f"x_{place + 1}", n, 1)
        points.append((letter, x))
        return Gradient(F, letter)

    def number(x: Fraction) -> sp.Rational:
        return sp.Rational(x.numerator, x.denominator)

    course = Course(
        program,
        solver.iterates,
        exact.numbers(number(exact.step[0]) if exact.is_rational else alpha, number),
        sp.MatrixSymbol("x_1", n, 1),
        gradient,
        order=solver.course.order,
    )
    shown = program.measure.observable.expression
    means = [
        sp.Add(
            *(shown(points[node.place][0] if node.place is not None else v_star) for node in nodes)
        )
        / len(nodes)
        for nodes in course.seen
    ]
    if program.measure.over is Statistic.AVERAGE:
        means = [sp.Add(*means) / len(means)]
    places = [node.place for node in course.nodes]
    return Multipliers(
        f"{program.method}, {solver.iterates} iterates",
        exact.curvature,
        exact.step,
        tuple(points),
        program.distance is not None,
        tuple((share, mean) for share, mean in zip(shares, means, strict=True) if share),
        {
            (places[x[0]], places[x[1]]): weight
            for (why, x), weight in weights.items()
            if why == "pair"
        },
        {x[0]: weight for (why, x), weight in weights.items() if why == "floor"},
        sum(
            (weight for (why, _), weight in weights.items() if why in ("gap", "distance")),
            Fraction(0),
        ),
        squares,
    )
