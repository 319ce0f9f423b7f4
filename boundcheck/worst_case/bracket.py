r"""Both ends of a performance estimation, exact: below by an instance, above by multipliers that the kernel checks.

Below: points, gradients and values in rational numbers that satisfy every interpolation inequality, so that a function
of the class has them (`program.interpolation` cites the theorem). Above: rational multipliers of these inequalities,
and an exact LDLᵀ of the rest. A step size that is no rational number lies between two that are; what is said then
holds for every step between them.

`OfClass` and `OfPoints` answer the judge about all functions that the estimation is over, and about the worst one's
points. A hypothesis that is open for all of them is not asked of the functions: then the worst is over a larger class.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, reduce
from typing import Any, Literal

import numpy as np
import sympy as sp
from flint import arb, arb_mat, ctx, fmpq, fmpq_mat
from sympy.matrices.expressions.matexpr import MatrixExpr

from boundcheck.errors import BoundcheckError
from boundcheck.exact.balls import Balls, ball_of, enclose
from boundcheck.exact.evaluate import Model, VectorFunction
from boundcheck.functions.judged import BITS, OfClaim, number
from boundcheck.language.algorithms import Algorithm
from boundcheck.language.claim import Claim
from boundcheck.language.evidence import HOLDS, UNKNOWN, Answer, Extent
from boundcheck.language.measures import SMOOTHNESS, Statistic
from boundcheck.language.sentence import smoothness_of
from boundcheck.language.symbols import L, alpha, ell, exact, f_star, zeta
from boundcheck.language.vocabulary import F, Gradient, n, v_star
from boundcheck.proof import judge
from boundcheck.proof.audit import proof_as_json
from boundcheck.proof.performance import Multipliers, Squares
from boundcheck.proof.verdict import JudgedProof
from boundcheck.worst_case.program import (
    Based,
    Course,
    Inequality,
    Node,
    NotSolvedError,
    Program,
    Solution,
    Solver,
    Term,
    equal,
)

# How much room the solver is asked to leave for rounding, the least first, in units of the program.
_ROOMS = (1e-7, 1e-6, 1e-5, 1e-4)
# Gradients and values are multiples of this, and multipliers.
_UNIT = Fraction(1, 2**40)
# The most iterates that a theorem is about, without noise and with it: each point is an expression in those before it.
_MOST_ITERATES = (6, 4)
# The decimals of a rational number near one that is not.
_DECIMALS = 12


class NotExactError(BoundcheckError, ArithmeticError):
    """The end of a bracket could not be made exact."""


Interval = tuple[Fraction, Fraction]


def _rational(x: sp.Expr) -> Fraction | None:
    return Fraction(int(x.p), int(x.q)) if isinstance(x, sp.Rational) else None


def _interval(x: sp.Expr) -> Interval:
    """Two ends between which the number is: the number itself if it is rational, else two decimals."""
    if (found := _rational(x)) is not None:
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
        numbers, found = {"curvature": program.curvature} | program.rest, dict[str, Fraction]()
        for name, x in numbers.items():
            value = _rational(sp.simplify(x))
            if value is None:
                raise NotExactError(f"{name} = {x} is not a rational number")
            found[name] = value
        noise = _interval(sp.simplify(program.square_noise))
        return cls(program, found.pop("curvature"), _interval(program.step), noise, found)

    @property
    def is_rational(self) -> bool:
        return self.step[0] == self.step[1]

    @property
    def kind(self) -> Callable[[Fraction], Any]:
        """Makes a number to compute with: a fraction, or a ball where the step is in an interval."""
        return Fraction if self.is_rational else ball_of

    def numbers(self, step: Any, kind: Callable[[Fraction], Any] = Fraction) -> dict[str, Any]:
        """A value of each number of the algorithm, where L is 1."""
        return {self.program.algorithm.step_size: step} | {name: kind(x) for name, x in self.rest.items()}


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
        kind, (least, most) = exact.kind, exact.step
        step = least if exact.is_rational else ball_of(least).union(ball_of(most))

        def array(x: Vector) -> np.ndarray:
            return np.array(list(map(kind, x)), dtype=object)

        course = Course(
            exact.program,
            iterates,
            exact.numbers(step, kind),
            array(self.start),
            lambda place, _: array(self.gradients[place]),
            lambda k: array(self.kicks[k]),
            self.order,
        )
        return course, list(map(kind, self.values))

    def measure(self, exact: Exact, iterates: int) -> Fraction:
        """A lower bound on the measure, for every step within its interval.

        Raises:
            NotExactError: where an interpolation inequality, or a bound at v_1 or on the noise, is not certain.

        """
        kind = exact.kind
        course, values = self.walk(exact, iterates)

        def value(term: Term) -> Any:
            total = term.constant
            for c, i in term.values:
                total = total + c * values[i]
            for c, x, y in term.products:
                total = total + c * sum(x * y)
            return total

        for each in course.inequalities(kind(exact.curvature), kind(exact.noise[0]), course.pairs()):
            if not value(each.term) >= 0:
                raise NotExactError(f"the {each.why} inequality of {each.nodes} does not hold")
        least = [value(term) for term in course.measured(kind(Fraction(1)))]
        if exact.is_rational:
            return min(least)
        ends = [x.lower().man_exp() for x in least]
        return min(Fraction(int(mantissa)) * Fraction(2) ** int(power) for mantissa, power in ends)

    def as_json(self) -> dict[str, Any]:
        """Plain data: rational numbers as text, in units in which L and the bound at v_1 are 1."""
        gradients, noise = ([list(map(str, x)) for x in part] for part in (self.gradients, self.kicks))
        start, values = (list(map(str, x)) for x in (self.start, self.values))
        return {"start": start, "gradients": gradients, "values": values, "noise": noise, "order": list(self.order)}


def below(solver: Solver, exact: Exact) -> tuple[RationalRun, Fraction]:
    """An instance, and a lower bound on its measure; raises NotExactError where rounding leaves none."""
    why = ""
    for room in _ROOMS:
        try:
            found = _rounded(solver, solver.solve(room=room))
            return found, found.measure(exact, solver.iterates)
        except (NotExactError, NotSolvedError) as error:
            why = str(error)
    raise NotExactError(f"no rational instance: {why}")


def _rounded(solver: Solver, solution: Solution) -> RationalRun:
    """The solution in multiples of `_UNIT`: vectors whose inner products are nearly the Gram matrix."""
    sizes, vectors = np.linalg.eigh(solution.gram)
    kept = sizes > float(_UNIT)
    rows = [tuple(map(_near, row)) for row in (vectors[:, kept] * np.sqrt(sizes[kept])).tolist()]
    course, start = solver.based.course, (Fraction(0),) * int(kept.sum())
    if solver.program.distance is not None:
        start, *rows = rows
    asked = len(rows) - len(course.kicks)
    values = tuple(map(_near, solution.values[:asked].tolist()))
    return RationalRun(start, tuple(rows[:asked]), values, tuple(rows[asked:]), tuple(course.order))


def _near(x: float) -> Fraction:
    return round(x / _UNIT) * _UNIT


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
    why, most = "", _MOST_ITERATES[bool(solver.program.noise)]
    if solver.iterates > most:
        raise NotExactError(f"a theorem about more than {most} iterates would be too long")
    for room in _ROOMS:
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


# What the judge is asked.


@dataclass(frozen=True)
class OfClass(OfClaim):
    """Any function and run of a program: what is known of it is known of all. W(v) is v, and f is F.

    Attributes:
        claim: the theorem.
        program: whose properties the functions have.
        at: the value of each parameter of the theorem.

    """

    claim: Claim
    program: Program
    at: Mapping[str, float]

    @property
    def inputs(self) -> Mapping[str, float]:
        """The value of each parameter of the theorem."""
        return self.at

    @property
    def chosen(self) -> Mapping[str, Any]:
        """The smoothness and the noise of the program."""
        return {L.name: self.program.lipschitz, ell.name: self.program.lipschitz, zeta.name: self.program.noise}

    def value(self, symbol: sp.Symbol) -> Extent:
        """The value of a symbol as the claim has it; 0 for f*."""
        return {f_star: Extent.of(Fraction(0))}.get(symbol) or super().value(symbol)

    def follows(self, algorithm: Algorithm) -> Answer:
        """`HOLDS` for the program's algorithm, which makes the iterates; the base class answers for any other."""
        return HOLDS if algorithm == self.program.algorithm else super().follows(algorithm)

    def smoothness(self, where: str) -> Extent:
        """The smoothness of the program, everywhere."""
        return Extent(most=number(self.program.lipschitz))

    @property
    def leaves_out(self) -> tuple[str, ...]:
        """The functions and noise that the claim's hypotheses allow and the program does not have, a sentence each."""
        own = {p.symbol for p in self.claim.parameters} | {q.symbol for q in self.claim.quantities}
        said = [bound for bound in smoothness_of(self.claim) if bound.free_symbols <= own]
        limit, found = SMOOTHNESS.symbol, []
        if not said:
            found.append(f"no hypothesis says that the smoothness of F is at most {limit}")
        elif not any(self.decide(sp.Le(bound, limit, evaluate=False)) == HOLDS for bound in said):
            least = " or ".join(map(str, said))
            found.append(f"by the hypotheses the smoothness of F is at most {least}, which may be above {limit}")
        if self.program.algorithm.is_stochastic and not self.program.noise:
            found.append("no noise is allowed, which no hypothesis bounds")
        return tuple(found)

    def convexity(self, where: Literal["near", "space"]) -> Extent:
        """The convexity of the program, everywhere."""
        program = self.program
        if program.strong:
            return Extent(least=number(exact("strong", program.strong)))
        return Extent(least=Fraction(0)) if program.is_convex else UNKNOWN

    def weight_smoothness(self) -> Extent:
        """The smoothness of F, because f is F."""
        return self.smoothness("space")

    def infimum(self) -> Extent:
        """At least f*, which is 0: F is nowhere below it."""
        return Extent(least=Fraction(0))

    def gap(self) -> Extent:
        """At most the program's bound on the gap; unknown where it has none."""
        gap = self.program.gap
        return UNKNOWN if gap is None else Extent(most=number(exact("gap", gap)))

    def distance(self) -> Extent:
        """At most the program's bound on the distance; unknown where it has none."""
        distance = self.program.distance
        return UNKNOWN if distance is None else Extent(most=number(exact("distance", distance)))

    def bias(self) -> Extent:
        """0: the two points of the noise lie on both sides of the gradient, equally likely and equally far."""
        return Extent.of(Fraction(0))

    def variance(self) -> Extent:
        """At most the square of the program's bound on the noise."""
        return Extent(most=number(exact("noise", self.program.noise))).square()


@dataclass(frozen=True)
class OfPoints(OfClass):
    """A function that has given values and gradients at the points of a run, and the properties of the program.

    Attributes:
        found: the points, in rational numbers.
        exact: the numbers of the program.
        iterates: T.

    """

    found: RationalRun
    exact: Exact
    iterates: int

    @cached_property
    def _length(self) -> arb:
        """The unit of length."""
        return enclose(self.program.square_length, {}, BITS).sqrt()

    @cached_property
    def _steepness(self) -> arb:
        """The unit of gradients."""
        return enclose(self.program.lipschitz, {}, BITS) * self._length

    @cached_property
    def _walk(self) -> tuple[list[list[Any]], list[Node], list[arb]]:
        """The iterates of each t, the points at which F is asked, and the values there; the last two with their units.

        Noise after the last iterate is 0, where a step leads to one more.
        """
        course, values = self.found.walk(self.exact, self.iterates)
        unit = self._steepness * self._length
        nodes = [
            Node(self._vector(node.x, self._length), self._vector(node.gradient, self._steepness), node.place)
            for node in course.nodes
        ]

        def point(x: np.ndarray) -> arb_mat:
            at = (made.x for node, made in zip(course.nodes, nodes, strict=True) if equal(node.x, x))
            found = next(at, None)
            return self._vector(x, self._length) if found is None else found

        points = [[point(self.program.algorithm.iterate(state)) for state in states] for states in course.states]
        points += [[self._vector(x, self._length) for x in course.after]] if course.after else []
        heights = [unit * _ball(values[node.place]) if node.place is not None else arb(0) for node in nodes]
        return points, nodes, heights

    def _vector(self, x: np.ndarray, unit: arb) -> arb_mat:
        return arb_mat([[unit * _ball(entry)] for entry in x] or [[arb(0)]])

    def weight_gradient(self, norm: Literal["frobenius", "spectral"]) -> Extent:
        """At least the largest norm of a gradient that was seen."""
        with ctx.workprec(BITS):
            return Extent(least=reduce(arb.max, (Balls().length((node.gradient,)) for node in self._walk[1])))

    def model(self) -> Model[arb, arb_mat]:
        """The model of the iterates; F has its values at them, and lies between bounds elsewhere."""
        points, nodes, _ = self._walk
        leaves = len(points[self.iterates - 1])

        def place(t: int, outcome: int) -> int:
            return outcome * len(points[t - 1]) // leaves

        def iterate(name: str, t: int, outcome: int) -> tuple[arb_mat, ...]:
            if name != "v" or not 1 <= t <= len(points):
                raise LookupError(f"{name} at t = {t}")
            return (points[t - 1][place(t, outcome)],)

        return Model(
            Balls(),
            numbers={f_star: arb(0)},
            matrices={} if self.program.distance is None else {v_star: (nodes[-1].x,)},
            iterates=iterate,
            functions={F: VectorFunction(self._value, self._gradient)},
            horizon=self.iterates,
            weights=[Fraction(1, leaves)] * leaves,
            past=lambda t: [place(t, outcome) for outcome in range(leaves)],
            values=self.letters,
        )

    def _gradient(self, point: tuple[arb_mat, ...]) -> tuple[arb_mat, ...]:
        found = next((node.gradient for node in self._walk[1] if node.x is point[0]), None)
        if found is None:
            raise LookupError("a gradient where F is not asked")
        return (found,)

    def _value(self, point: tuple[arb_mat, ...]) -> arb:
        """F at a point; where F is not asked, the interval that its curvature leaves, from all points where it is."""
        _, nodes, heights = self._walk
        for node, height in zip(nodes, heights, strict=True):
            if node.x is point[0]:
                return height
        do, most = Balls(), enclose(self.program.lipschitz, {}, BITS)
        least = most * enclose(self.program.curvature, {}, BITS)
        below, above = arb(0), None
        for node, height in zip(nodes, heights, strict=True):
            way = point[0] - node.x
            linear, square = height + do.inner((node.gradient,), (way,)), do.inner((way,), (way,)) / 2
            below, top = below.max(linear + least * square), linear + most * square
            above = top if above is None else above.min(top)
        return below if above is None else below.union(above)


def _ball(x: Any) -> arb:
    return ball_of(x) if isinstance(x, Fraction) else x
