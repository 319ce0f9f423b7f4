"""`Program`: performance estimation of any linear method, measure and class of smooth functions.

The worst function of any dimension is the solution of a semidefinite program in the Gram matrix of iterates and
gradients (Drori and Teboulle 2014; Taylor, Hendrickx and Glineur 2017). PEPit writes the program, Clarabel solves it:
the values are numerical and not certified; they are usually right to about 1e-7 and to the duality gap beside them.
"""

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from boundcheck.errors import BoundcheckError, InputError
from boundcheck.words.algorithms import Algorithm
from boundcheck.words.measures import PerformanceMeasure

TOLERANCE = 1e-5
"""How far above 1 a ratio must be to count as a violation, and how far apart the two sides of a solution may be."""

RESOLUTION = 1e-7
"""The solver's absolute error in the units of the program; it matters if the worst case is far below them."""

NOISY = "two-point "
"""What the name of a method with noise of two equally likely points begins with."""

# The cost grows steeply with the number of points: 31 take some ten seconds.
_MOST_POINTS = 31


class NotSolvedError(BoundcheckError, ArithmeticError):
    """Clarabel did not reach the required accuracy, for instance because the constants are too far apart."""


@dataclass(frozen=True)
class Program:
    r"""The largest measure of T iterates, over all F of any dimension with these properties and noise of two points.

    Noise: :math:`g = \nabla F(v) \pm n`, equally likely, :math:`\|n\| \le \zeta`, chosen anew at each of the
    :math:`2^{t-1}` points that v_t can be.

    Attributes:
        algorithm: with a worst face.
        numbers: a value of each of its parameters.
        measure: what is largest.
        smoothness: L.
        strong: the strong convexity constant, at most L; 0 where there is none.
        is_convex: whether F is convex.
        gap: the bound on F(v_1) - f*; None where there is none.
        distance: the bound on the distance from v_1 to a minimiser; None where F need not have one.
        noise: zeta; 0 where there is no noise.

    """

    algorithm: Algorithm
    numbers: Mapping[str, float]
    measure: PerformanceMeasure
    smoothness: float
    strong: float = 0.0
    is_convex: bool = False
    gap: float | None = None
    distance: float | None = None
    noise: float = 0.0

    @property
    def method(self) -> str:
        """The name of the algorithm with its noise."""
        return NOISY + self.algorithm.title if self.noise else self.algorithm.title

    def check(self, iterates: int) -> None:
        """Raise InputError for more iterates than can be solved."""
        most = _MOST_POINTS.bit_length() if self.noise else _MOST_POINTS
        if not 1 <= iterates <= most:
            raise InputError("T", iterates, f"a number of iterates from 1 to {most}, for {self.method}")
        _ = self.scale

    def solve(self, iterates: int) -> tuple[float, float]:
        """The worst case, and the relative duality gap.

        Raises:
            InputError: for a T out of range, and where PEPit is not installed.
            NotSolvedError: where the solver does not converge.

        """
        self.check(iterates)
        try:
            from cvxpy import SolverError

            written = _Written(self, iterates)
        except ImportError:
            raise InputError("pep", "(not installed)", 'the extra: pip install "boundcheck[pep]"') from None
        with warnings.catch_warnings():
            # The duality gap says how accurate it is.
            warnings.filterwarnings("ignore", "Solution may be inaccurate", UserWarning)
            try:
                upper = float(written.problem.solve(wrapper="cvxpy", solver="CLARABEL", verbose=0))
            except SolverError:
                raise NotSolvedError(f"Clarabel failed at T = {iterates}: constants closer to 1 may help") from None
        duality_gap = abs(upper - float(written.problem.objective.eval())) / upper
        if not duality_gap <= TOLERANCE:
            raise NotSolvedError(f"Clarabel left a relative duality gap of {duality_gap:.3g} at T = {iterates}")
        return self.scale * upper, duality_gap

    @cached_property
    def length(self) -> float:
        """The unit of length that makes the program of order 1; the unit of values is L times its square."""
        if self.gap is not None:
            return math.sqrt(self.gap / self.smoothness)
        if self.distance is None:
            raise InputError("gap", "(not given)", "a bound on F(v_1) - f* or on the distance to a minimiser")
        return self.distance

    @cached_property
    def scale(self) -> float:
        """The unit of the measure; raises InputError if these functions do not have it."""
        return float(self.measure.observable.of(_Units(self)))


@dataclass(frozen=True)
class _Units:
    """The units of the observed numbers at an iterate."""

    program: Program

    @property
    def gradient_square(self) -> float:
        return self.program.smoothness**2 * self.square_length

    @property
    def gap(self) -> float:
        return self.program.smoothness * self.square_length

    @property
    def square_distance(self) -> float:
        if self.program.distance is None:
            raise InputError("measure", self.program.measure.title, "a measure of functions that need no minimiser")
        return self.square_length

    @property
    def square_length(self) -> float:
        return self.program.length**2


class _Written:
    """The program in PEPit's words, where L and one of the bounds at v_1 are 1."""

    def __init__(self, program: Program, iterates: int) -> None:
        from PEPit import PEP

        self.program, self.problem, self.units = program, PEP(), _Units(program)
        self.F = self._function()
        self._known: dict[int, tuple[Any, Any, Any]] = {}
        start = self.problem.set_initial_point()
        # A function without a minimiser has the infimum 0.
        self.minimiser, self.least = None, 0
        if program.distance is not None:
            self.minimiser = self.F.stationary_point()
            self.least = self.F.value(self.minimiser)
            self.problem.set_initial_condition(
                (start - self.minimiser) ** 2 <= (program.distance / program.length) ** 2
            )
        if program.gap is not None:
            self.problem.set_initial_condition(self.at(start)[1] - self.least <= program.gap / self.units.gap)
        self._write(start, iterates)

    def _function(self) -> Any:
        from PEPit.functions import SmoothConvexFunction, SmoothFunction, SmoothStronglyConvexFunction

        program = self.program
        if program.strong:
            share = program.strong / program.smoothness
            return self.problem.declare_function(SmoothStronglyConvexFunction, mu=share, L=1.0)
        return self.problem.declare_function(SmoothConvexFunction if program.is_convex else SmoothFunction, L=1.0)

    def at(self, v: Any) -> tuple[Any, Any]:
        """Gradient and value at a point; the first time, also the constraint that the infimum fits below the value.

        This holds exactly if a smooth function with these values exists that is nowhere below f* (Drori and Shamir
        2020).
        """
        if id(v) not in self._known:
            gradient, value = self.F.oracle(v)
            self.problem.add_constraint(value - self.least >= gradient**2 / 2)
            # The point is kept, so that no other object gets its id.
            self._known[id(v)] = v, gradient, value
        return self._known[id(v)][1:]

    def _write(self, start: Any, iterates: int) -> None:
        program, algorithm = self.program, self.program.algorithm
        over, means = program.measure.over, []
        states = [algorithm.exact_start(start, program.numbers)]
        for t in range(1, iterates + 1):
            if t in over.times(iterates):
                seen = [program.measure.observable.of(_Look(self, algorithm.iterate(state))) for state in states]
                means.append(sum(seen[1:], seen[0]) / len(seen))
            if t < iterates:
                states = [each for state in states for each in self._next(state, t)]
        for candidate in over.candidates(means):
            self.problem.set_performance_metric(candidate)

    def _next(self, state: tuple[Any, ...], t: int) -> list[tuple[Any, ...]]:
        """The equally likely next states: one, or two with noise."""
        from PEPit import Point

        program = self.program
        gradient, _ = self.at(program.algorithm.exact_query(state, t, program.numbers))
        found = [gradient]
        if program.noise:
            kick = Point()
            unit = program.smoothness * program.length
            self.problem.add_constraint(kick**2 <= (program.noise / unit) ** 2)
            found = [gradient - kick, gradient + kick]
        # The gradient of the program is that of F in units of L times a length.
        return [program.algorithm.exact_step(state, program.smoothness * g, t, program.numbers) for g in found]


@dataclass(frozen=True)
class _Look:
    """The observed numbers at an iterate, as expressions of PEPit in units of the measure."""

    written: _Written
    v: Any

    def _share(self, unit: float) -> float:
        return unit / self.written.program.scale

    @property
    def gradient_square(self) -> Any:
        return self._share(self.written.units.gradient_square) * self.written.at(self.v)[0] ** 2

    @property
    def gap(self) -> Any:
        return self._share(self.written.units.gap) * (self.written.at(self.v)[1] - self.written.least)

    @property
    def square_distance(self) -> Any:
        return self._share(self.written.units.square_distance) * (self.v - self.written.minimiser) ** 2
