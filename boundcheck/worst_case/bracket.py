r"""Both ends of a performance estimation, exact: below by an instance, above by multipliers that the kernel checks.

Below: points, gradients and values in rational numbers that satisfy every interpolation inequality, so that a function
of the class has them (`program.interpolation` cites the theorem). Above: rational multipliers of these inequalities,
and an exact LDLᵀ of the rest. A step size that is no rational number lies between two that are; what is said then
holds for every step between them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp
from flint import arb, fmpq, fmpq_mat
from sympy.matrices.expressions.matexpr import MatrixExpr

from boundcheck.errors import BoundcheckError
from boundcheck.exact.balls import enclose
from boundcheck.language.measures import Statistic
from boundcheck.language.symbols import alpha
from boundcheck.language.vocabulary import F, Gradient, n, v_star
from boundcheck.proof import judge
from boundcheck.proof.audit import proof_as_json
from boundcheck.proof.performance import Multipliers, Squares
from boundcheck.proof.verdict import JudgedProof
from boundcheck.worst_case.program import Course, Inequality, Program, Term
from boundcheck.worst_case.solver import Based, NotSolvedError, Solution, Solver

# How much room the solver is asked to leave for rounding, the least first, in units of the program.
ROOMS = (1e-7, 1e-6, 1e-5, 1e-4)
# Gradients and values are multiples of this, and multipliers.
UNIT = Fraction(1, 2**40)
# The most iterates that a theorem is about, without noise and with it: each point is an expression in those before it.
MOST_ITERATES = (6, 4)
# The decimals of a rational number near one that is not.
_DECIMALS = 12


class NotExactError(BoundcheckError, ArithmeticError):
    """The end of a bracket could not be made exact."""


Interval = tuple[Fraction, Fraction]


def rational(x: sp.Expr) -> Fraction | None:
    """The number as a fraction; None where SymPy does not have it as a rational number."""
    return Fraction(int(x.p), int(x.q)) if isinstance(x, sp.Rational) else None


def enclosed(x: sp.Expr) -> Interval:
    """Two ends between which the number is: the number itself if it is rational, else two decimals."""
    if (found := rational(x)) is not None:
        return found, found
    ball, unit = enclose(x, {}), 10**_DECIMALS
    low, high = (ball * unit).floor(), (ball * unit).ceil()
    ends = low.lower().unique_fmpz(), high.upper().unique_fmpz()
    if None in ends:
        raise NotExactError(f"{x} is not known to {_DECIMALS} decimals")
    return Fraction(int(ends[0]), unit), Fraction(int(ends[1]), unit)


@dataclass(frozen=True)
class Exact:
    """The numbers of a program: rational, or between two rational numbers.

    Raises:
        NotExactError: where another number than the step size and the noise is not rational.

    """

    program: Program
    curvature: Fraction
    step: Interval
    noise: Interval
    rest: Mapping[str, Fraction]

    @classmethod
    def of(cls, program: Program) -> Exact:
        """The numbers of this program."""
        numbers = {"curvature": program.curvature} | program.rest
        found = {name: rational(sp.simplify(x)) for name, x in numbers.items()}
        for name, value in found.items():
            if value is None:
                raise NotExactError(f"{name} = {numbers[name]} is not a rational number")
        known = {name: x for name, x in found.items() if x is not None}
        noise = enclosed(sp.simplify(program.square_noise))
        return cls(program, known.pop("curvature"), enclosed(program.step), noise, known)

    @property
    def is_rational(self) -> bool:
        return self.step[0] == self.step[1]

    def numbers(self, step: Any) -> dict[str, Any]:
        """A value of each number of the algorithm, where L is 1."""
        return {self.program.algorithm.step_size: step} | dict(self.rest)


Vector = tuple[Fraction, ...]


@dataclass(frozen=True)
class RationalRun:
    """A run of the method in rational numbers, in the units of `Program`.

    Attributes:
        start: v_1, where a minimiser is 0.
        gradients, values: at each point at which F is asked, in turn.
        kicks: the noise, in turn.
        order: which points are one, as `Course` has it.

    """

    start: Vector
    gradients: tuple[Vector, ...]
    values: tuple[Fraction, ...]
    kicks: tuple[Vector, ...]
    order: tuple[int, ...]

    def walk(self, exact: Exact, iterates: int) -> tuple[Course, list[Any]]:
        """The points of the run, and the values of F at them: exact, or balls where the step is in an interval."""
        kind: Callable[[Fraction], Any] = Fraction if exact.is_rational else _ball
        step = exact.step[0] if exact.is_rational else _ball(exact.step[0]).union(_ball(exact.step[1]))
        gradients, kicks = (
            [np.array(list(map(kind, x)), dtype=object) for x in part] for part in (self.gradients, self.kicks)
        )
        numbers = {name: kind(x) for name, x in exact.rest.items()} | {exact.program.algorithm.step_size: step}
        course = Course(
            exact.program,
            iterates,
            numbers,
            np.array(list(map(kind, self.start)), dtype=object),
            lambda place, _: gradients[place],
            kicks.__getitem__,
            self.order,
        )
        return course, list(map(kind, self.values))

    def measure(self, exact: Exact, iterates: int) -> Fraction:
        """A lower bound on the measure, for every step within its interval.

        Raises:
            NotExactError: where an interpolation inequality, or a bound at v_1 or on the noise, is not certain.

        """
        kind: Callable[[Fraction], Any] = Fraction if exact.is_rational else _ball
        course, values = self.walk(exact, iterates)
        for each in course.inequalities(kind(exact.curvature), kind(exact.noise[0]), course.pairs()):
            if not _value(each.term, values) >= 0:
                raise NotExactError(f"the {each.why} inequality of {each.nodes} does not hold")
        return min(_least(_value(term, values)) for term in course.measured(kind(Fraction(1))))


def _ball(x: Fraction) -> arb:
    return arb(fmpq(x.numerator, x.denominator))


def _least(x: Any) -> Fraction:
    if isinstance(x, Fraction):
        return x
    mantissa, exponent = x.lower().man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def _value(term: Term, values: Sequence[Any]) -> Any:
    total = term.constant
    for c, i in term.values:
        total = total + c * values[i]
    for c, x, y in term.products:
        total = total + c * sum(x * y)
    return total


def below(solver: Solver, exact: Exact) -> tuple[RationalRun, Fraction]:
    """An instance, and a lower bound on its measure; raises NotExactError where rounding leaves none."""
    why = ""
    for room in ROOMS:
        try:
            found = _rounded(solver, solver.solve(room=room))
            return found, found.measure(exact, solver.iterates)
        except (NotExactError, NotSolvedError) as error:
            why = str(error)
    raise NotExactError(f"no rational instance: {why}")


def _rounded(solver: Solver, solution: Solution) -> RationalRun:
    """The solution in multiples of `UNIT`: vectors whose inner products are nearly the Gram matrix."""
    sizes, vectors = np.linalg.eigh(solution.gram)
    kept = sizes > float(UNIT)
    rows = [tuple(map(_near, row)) for row in (vectors[:, kept] * np.sqrt(sizes[kept])).tolist()]
    course, start = solver.based.course, (Fraction(0),) * int(kept.sum())
    if solver.program.distance is not None:
        start, *rows = rows
    asked = len(rows) - len(course.kicks)
    values = tuple(map(_near, solution.values[:asked].tolist()))
    return RationalRun(start, tuple(rows[:asked]), values, tuple(rows[asked:]), tuple(course.order))


def _near(x: float) -> Fraction:
    return round(x / UNIT) * UNIT


def _multipliers(solver: Solver, exact: Exact, solution: Solution, room: float) -> Multipliers:
    """The solution's multipliers, rational and such that the values of F cancel; the smallest are left out."""
    course, (least, most) = solver.based.course, exact.step
    # What makes the rest positive definite are several multipliers of about `room`.
    kept = [k for k, weight in enumerate(solution.weights) if weight > room / 10]
    used = [solver.inequalities[k] for k in kept]
    chosen = {(each.why, each.nodes) for each in used}
    pairs = [(each.nodes[0], each.nodes[1]) for each in used if each.why == "pair"]
    steps = [least] if least == most else [least, (least + most) / 2, most]
    walks = [Based.of(solver.program, solver.iterates, exact.numbers(x), Fraction(0), course.order) for x in steps]
    terms = [
        [
            *(
                x.term
                for x in walk.course.inequalities(exact.curvature, exact.noise[1], pairs)
                if (x.why, x.nodes) in chosen
            ),
            *walk.course.measured(Fraction(1)),
        ]
        for walk in walks
    ]
    weights = _projected(
        terms[0], [*(float(solution.weights[k]) for k in kept), *map(float, solution.shares)], len(used), course.asked
    )
    rests = [
        -sum(w * walk.gram(term) for w, term in zip(weights, each, strict=True) if w)
        for walk, each in zip(walks, terms, strict=True)
    ]
    if len(rests) == 3:
        # A polynomial of degree 2 in the step, by its Bernstein coefficients.
        rests[1] = (4 * rests[1] - rests[0] - rests[2]) / 2
    squares = tuple(map(_squares, rests))
    return _named(solver, exact, list(zip(used, weights, strict=False)), weights[len(used) :], squares)


def _projected(terms: Sequence[Term], floating: Sequence[float], inequalities: int, values: int) -> list[Fraction]:
    """The rational weights nearest to rounded ones with which the values cancel and the shares add up to 1."""
    rows = [
        [sum((Fraction(c) for c, i in term.values if i == k), Fraction(0)) for term in terms] for k in range(values)
    ]
    rows.append([Fraction(int(k >= inequalities)) for k in range(len(terms))])
    right = [Fraction(0)] * values + [Fraction(1)]
    used = [k for k, row in enumerate(rows) if any(row)]
    matrix = fmpq_mat(len(used), len(terms), [_fmpq(x) for k in used for x in rows[k]])
    near = fmpq_mat(len(terms), 1, [_fmpq(_near(x)) for x in floating])
    rest = fmpq_mat(len(used), 1, [_fmpq(right[k]) for k in used]) - matrix * near
    try:
        exact = near + matrix.transpose() * (matrix * matrix.transpose()).solve(rest)
    except ZeroDivisionError:
        raise NotExactError("the values do not cancel") from None
    weights = [Fraction(int(x.p), int(x.q)) for x in (exact[k, 0] for k in range(len(terms)))]
    if min(weights) < 0:
        raise NotExactError("a multiplier is negative")
    return weights


def _fmpq(x: Fraction) -> fmpq:
    return fmpq(x.numerator, x.denominator)


def _squares(matrix: np.ndarray) -> Squares:
    """XᵀMX as squares with positive weights, by an exact LDLᵀ; raises NotExactError unless M is positive definite."""
    left = [[_fmpq(Fraction(x)) for x in row] for row in matrix.tolist()]
    found = []
    for i in range(len(left)):
        pivot = left[i][i]
        if pivot <= 0:
            raise NotExactError("the rest is no sum of squares")
        row = [x / pivot for x in left[i]]
        found.append((Fraction(int(pivot.p), int(pivot.q)), tuple(Fraction(int(x.p), int(x.q)) for x in row)))
        left = [[x - pivot * row[a] * row[b] for b, x in enumerate(line)] for a, line in enumerate(left)]
    return tuple(found)


def _named(
    solver: Solver,
    exact: Exact,
    used: Sequence[tuple[Inequality, Fraction]],
    shares: Sequence[Fraction],
    squares: tuple[Squares, ...],
) -> Multipliers:
    """The multipliers with the letters of the theorem."""
    program, points = solver.program, []

    def gradient(place: int, x: MatrixExpr) -> Gradient:
        letter = x if place == 0 else sp.MatrixSymbol(f"x_{place + 1}", n, 1)
        points.append((letter, x))
        return Gradient(F, letter)

    step = sp.Rational(*exact.step[0].as_integer_ratio()) if exact.is_rational else alpha
    numbers = {name: sp.Rational(*x.as_integer_ratio()) for name, x in exact.rest.items()}
    course = Course(
        program,
        solver.iterates,
        numbers | {program.algorithm.step_size: step},
        sp.MatrixSymbol("x_1", n, 1),
        gradient,
        lambda k: sp.MatrixSymbol(f"e_{k + 1}", n, 1),
        solver.based.course.order,
    )
    shown = program.measure.observable.expression
    means = [
        sp.Add(*(shown(points[node.place][0] if node.place is not None else v_star) for node in nodes)) / len(nodes)
        for nodes in course.seen
    ]
    if program.measure.over is Statistic.AVERAGE:
        means = [sp.Add(*means) / len(means)]
    of = {why: {x.nodes: w for x, w in used if x.why == why} for why in ("pair", "floor", "gap", "distance", "noise")}
    places = [node.place for node in course.nodes]
    return Multipliers(
        f"{program.method}, {solver.iterates} iterates",
        exact.curvature,
        exact.step,
        tuple(points),
        tuple(course.kicks),
        program.distance is not None,
        tuple((share, mean) for share, mean in zip(shares, means, strict=True) if share),
        {(places[i], places[j]): weight for (i, j), weight in of["pair"].items()},
        {i: weight for (i,), weight in of["floor"].items()},
        sum((of["gap"] | of["distance"]).values(), Fraction(0)),
        tuple(of["noise"].get((k,), Fraction(0)) for k in range(len(course.kicks))),
        squares,
    )


def above(solver: Solver, exact: Exact) -> tuple[JudgedProof, Fraction]:
    """The kernel's theorem and its bound.

    Raises:
        NotExactError: where rounding leaves no multipliers, or there are too many points.

    """
    why, most = "", MOST_ITERATES[bool(solver.program.noise)]
    if solver.iterates > most:
        raise NotExactError(f"a theorem about more than {most} iterates would be too long")
    for room in ROOMS:
        try:
            found = _multipliers(solver, exact, solver.solve(weight=room), room)
        except (NotExactError, NotSolvedError) as error:
            why = str(error)
            continue
        proof = judge(found.script)
        if (proof.verdict, proof.trust) != ("proved", "kernel"):
            raise NotExactError(f"the kernel does not prove it: {proof.reason}")
        start, noise = found.weights
        return proof, start + noise * exact.noise[1]
    raise NotExactError(f"no rational multipliers: {why}")


def stated(proof: JudgedProof) -> dict[str, Any]:
    """The conclusion, hypotheses and standard facts of a theorem, printed from the kernel's own."""
    found = proof_as_json(proof)
    hypotheses = [each["statement"] for each in found["hypotheses"]]
    return {"conclusion": found["conclusion"], "hypotheses": hypotheses, "standard_facts": found["standard_facts"]}


def in_json(instance: RationalRun) -> dict[str, Any]:
    """An instance as plain data: rational numbers as text, in units in which L and the bound at v_1 are 1."""
    gradients, noise = ([list(map(str, x)) for x in part] for part in (instance.gradients, instance.kicks))
    start, values = (list(map(str, x)) for x in (instance.start, instance.values))
    return {"start": start, "gradients": gradients, "values": values, "noise": noise, "order": list(instance.order)}
