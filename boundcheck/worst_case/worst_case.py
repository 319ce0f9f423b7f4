"""`WorstCase`: the worst case of a theorem's algorithm and measure, by performance estimation,
beside its bound.

The words of the theorem give the algorithm, the measure and the class of functions; `program`
writes and solves the program, and puts the worst case between two numbers that are certain.
`OfClass` and `OfPoints` answer the judge about all functions that the estimation is over, and about
the worst one's points. A hypothesis that is open for all of them
is not asked of the functions: then the worst is over a larger class.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from functools import cached_property, reduce
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy as sp
from flint import arb, arb_mat, ctx

from boundcheck.errors import InputError
from boundcheck.exact.balls import Balls, Blocks, ball_of, enclose, lower, upper
from boundcheck.exact.digits import DOWN, UP, shown
from boundcheck.exact.evaluate import Model, VectorFunction
from boundcheck.functions.checks import check_steps
from boundcheck.functions.judged import BITS, number
from boundcheck.language.algorithms import Algorithm
from boundcheck.language.claim import Claim
from boundcheck.language.evidence import HOLDS, UNKNOWN, Extent, MatrixNorm
from boundcheck.language.hypotheses import PLACES, Hypothesis, Worst
from boundcheck.language.judge import meets
from boundcheck.language.measures import SMOOTHNESS, PerformanceMeasure
from boundcheck.language.sentence import is_ours, smoothness_of, words_of
from boundcheck.language.stated import stated
from boundcheck.language.symbols import L, T, ell, exact, f_star, zeta
from boundcheck.language.view import Shown
from boundcheck.language.vocabulary import F, v_star
from boundcheck.proof.audit import proof_as_json
from boundcheck.system.files import Json
from boundcheck.system.limits import Tick, silent
from boundcheck.worst_case.instance import OfRun, check_options
from boundcheck.worst_case.program import (
    NOISY,
    Node,
    NotExactError,
    Program,
    RationalRun,
    Solver,
    above,
    below,
    equal,
)

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Case:
    """A theorem's bound beside the worst case of its method, at one T.

    Attributes:
        claim: its id.
        steps: T, the number of iterates.
        method: the algorithm's title, after ``two-point`` if there is noise.
        inputs: the value of each symbol of the claim.
        smoothness, step: the claim's own L̂ and step size, which the method uses.
        bound: the claim's bound.
        numerical: the worst case as the solver has it.
        duality_gap: the solver's own, relative.
        lower: what the worst case certainly is at least, rounded down: the measure of `instance`;
            None where there is none.
        upper: what it certainly is at most, rounded up, by `theorem`; None where there is none.
        violated: whether the measure of the instance certainly exceeds the bound, and everything
            given holds in it.
        larger: the hypotheses that are not asked of the functions, by their titles: the worst is
            over a larger class.
        smaller: why the hypotheses allow more than the functions and the noise that the worst is
            over: then it is one over a smaller class, and has no upper end.
        objection: why an instance whose measure exceeds the bound says nothing against the claim;
            empty of any other.
        instance: a run in rational numbers, as `boundcheck.worst_case.program.RationalRun.as_json`
            writes it.
        theorem: what the kernel proved, in units in which F is 1-smooth: its conclusion and its
            hypotheses. They say so of all of space, also where the claim speaks of the balls alone
            whose diameters are the steps; its inequalities are then of ends of steps, and need no
            more (`program.Course.is_of_steps`).
        without: why an end is missing that is looked for, a line each.

    """

    claim: str
    steps: int
    method: str
    inputs: dict[str, float]
    smoothness: float
    step: float
    bound: float
    numerical: float
    duality_gap: float
    lower: float | None = None
    upper: float | None = None
    violated: bool = False
    instance: Json | None = None
    theorem: Json | None = None
    without: tuple[str, ...] = ()
    larger: tuple[str, ...] = ()
    smaller: tuple[str, ...] = ()
    objection: str = ""

    @property
    def ratio(self) -> float:
        return self.numerical / self.bound

    @property
    def has_noise(self) -> bool:
        """True if the method has noise of two points; over all noise the worst case is then no
        less.
        """
        return self.method.startswith(NOISY)

    @property
    def algorithm(self) -> str:
        """The algorithm's title."""
        return self.method.removeprefix(NOISY)

    @property
    def ends(self) -> tuple[str, str]:
        """`lower` and `upper` at seven digits, rounded away from each other; a dash where there is
        none.
        """
        low, high = (
            "–" if x is None else shown(x, 7, way)
            for x, way in ((self.lower, DOWN), (self.upper, UP))
        )
        return low, high

    @property
    def how(self) -> str:
        """A line on where the numbers come from, and which of them are certain."""
        ends = ["numerical: Clarabel"]
        ends += ["lower: a rational instance, checked exactly"] if self.lower is not None else []
        ends += (
            ["upper: rational multipliers, checked by the kernel"] if self.upper is not None else []
        )
        ends += [f"no upper end over a smaller class: {why}" for why in self.smaller]
        return "; ".join([*ends, *self.without])

    def as_json(self) -> Json:
        """All fields, the ratio, and how the worst case was computed."""
        return asdict(self) | {"ratio": self.ratio, "how": self.how}


class WorstCases(list[Case], Shown):
    """The worst cases of one theorem, in the order of their T."""

    @property
    def ratio(self) -> float:
        """The largest ratio."""
        return max(case.ratio for case in self)

    @property
    def violated(self) -> bool:
        """True if any instance violates the claim."""
        return any(case.violated for case in self)

    @property
    def smaller(self) -> tuple[str, ...]:
        """The reasons why a case is over a smaller class, each once."""
        return tuple(dict.fromkeys(why for case in self for why in case.smaller))

    def as_json(self) -> Json:
        """The output of `boundcheck falsify --json` for a theorem.

        Keys: id, ratio (the largest), violated (whether any is), larger (the hypotheses that are
        not asked of the functions), smaller (why the functions are not all that the hypotheses
        allow), instance (where the ratio is largest), how, and cases, each from `Case.as_json`.
        """
        return {
            "id": self[0].claim,
            "ratio": self.ratio,
            "violated": self.violated,
            "larger": list(self[0].larger),
            "smaller": list(self.smaller),
            "instance": max(self, key=lambda case: case.ratio).instance,
            "how": (
                "performance estimation: the value of a semidefinite program, numerical, between a"
                " rational instance and a theorem of the kernel where a case has them"
            ),
            "cases": [case.as_json() for case in self],
        }

    def to_frame(self) -> pd.DataFrame:
        """One row a T: the fields of `Case.as_json` that have one value, and each letter of the
        claim.
        """
        import pandas as pd

        rows = []
        for case in self:
            found = case.as_json()
            found |= {"larger": "; ".join(case.larger), "smaller": "; ".join(case.smaller)}
            plain = {name: x for name, x in found.items() if not isinstance(x, dict | list | tuple)}
            rows.append(
                {name: plain[name] for name in ("claim", "steps")} | found["inputs"] | plain
            )
        return pd.DataFrame(rows)


@dataclass(frozen=True)
class WorstCase:
    r"""A method of `falsify`: set a theorem's bound beside the worst case of its algorithm and
    measure, at each T.

    The worst case is over all functions, of any dimension, that the hypotheses' worst faces
    describe, and over noise of two points. A theorem whose F is only an adapter's, a subset of all
    smooth functions, may be less tight.

    Attributes:
        horizons: values of T.
        constants: values of the claim's other symbols, 1 where left out; zeta is then the one at
            which :math:`T = 4 \hat L D / \zeta^2`, the fewest iterates that jiang2024 speaks of,
            and what a condition bounds from above, such as a step size, half of the most.

    """

    horizons: Sequence[int] = (2, 3, 4)
    constants: Mapping[str, float] | None = None

    def falsify(self, claim: Claim, tick: Tick = silent) -> WorstCases:
        """The worst cases.

        Raises:
            InputError: for a claim without performance estimation, and for numbers out of range.
            NotSolvedError: where the solver does not converge.

        """
        check_options("horizons", self.horizons, self.constants)
        theorem = _Theorem.of(claim)
        constants = self.constants or {}
        if T.name in constants:
            raise InputError(T.name, constants[T.name], "no value: T goes through the horizons")
        # All that can be wrong with the input is found before anything is solved.
        prepared = [theorem.inputs(steps, constants) for steps in self.horizons]
        found = WorstCases()
        for done, inputs in enumerate(prepared):
            tick("worst case", done, len(prepared))
            found.append(theorem.worst_case(inputs))
        tick("worst case", len(prepared), len(prepared))
        return found


@dataclass(frozen=True)
class _Theorem:
    """A theorem, its words, and what its hypotheses say together."""

    claim: Claim
    algorithm: Algorithm
    measure: PerformanceMeasure
    says: Worst

    @classmethod
    def of(cls, claim: Claim) -> _Theorem:
        """Ask the words for their worst faces; raises InputError for a word without one."""
        algorithm, measure, says = stated(claim)
        # The program moves by the exact step and looks at numbers by their names: the statement
        # must say the same.
        check_steps(algorithm)
        measure.check_exactly()
        return cls(claim, algorithm, measure, says)

    def inputs(self, steps: int, constants: Mapping[str, float]) -> dict[str, float]:
        """Values of the claim's symbols at which it can be evaluated."""
        claim = self.claim
        names = [parameter.name for parameter in self.claim.parameters]
        for name, value in constants.items():
            if not 0 < value < math.inf:
                raise InputError(name, value, "a positive real")
        strong = str(self.says.strong)
        tried = dict.fromkeys((*names, *claim.names), 1.0) | {strong: 0.0}
        self.program(tried).check(steps)
        starting = {symbol.name: float(value) for symbol, value in self.algorithm.starting}
        inputs = dict.fromkeys(names, 1.0) | {
            name: x for name, x in starting.items() if name in names
        }
        inputs |= dict(constants) | {T.name: float(steps)}
        # NumPy's floats overflow to infinity, which is refused below, where Python's raise.
        known = {name: np.float64(inputs[name]) for name in names}
        noise = str(self.says.noise)
        gap = str(self.says.gap)
        with np.errstate(all="ignore"):
            for condition in claim.conditions:
                name = str(condition.lhs)
                most = str(condition.rhs)
                below = isinstance(condition, sp.LessThan | sp.StrictLessThan)
                if below and most in claim.names and name not in constants:
                    limit = float(claim.function(most)(**known))
                    if condition.func is sp.StrictLessThan or inputs[name] > limit:
                        inputs[name] = limit / 2
            if {noise, gap} <= {*names} and noise not in constants:
                square = claim.function(str(SMOOTHNESS.symbol))(**known) * known[gap] / steps
                # A little more, so that rounding does not make T smaller than T_min.
                inputs[noise] = 2 * math.sqrt(square) * (1 + 1e-12)
        if strong in inputs:
            steep = float(claim.function(SMOOTHNESS.letter)(**known))
            self.program(tried | {SMOOTHNESS.letter: steep, strong: inputs[strong]}).check(steps)
        claim.values(**inputs)
        return inputs

    def program(self, numbers: Mapping[str, Any]) -> Program:
        """The program at a value of each parameter and quantity."""
        says = self.says
        names = {parameter.name for parameter in self.claim.parameters}
        strong, gap, distance, noise = (
            numbers[symbol.name] if symbol is not None and symbol.name in names else None
            for symbol in (says.strong, says.gap, says.distance, says.noise)
        )
        return Program(
            self.algorithm,
            {symbol.name: numbers[symbol.name] for symbol in self.algorithm.parameters},
            self.measure,
            numbers[SMOOTHNESS.symbol.name],
            strong or 0,
            says.is_convex,
            gap,
            distance,
            noise or 0,
        )

    def worst_case(self, inputs: dict[str, float]) -> Case:
        """The worst case beside the bound, at these inputs, and its certain ends."""
        claim = self.claim
        values = self.claim.values(**inputs)
        steps = int(inputs[T.name])
        program = self.program(claim.exactly(**inputs))
        bound = claim.names[-1]
        solver = Solver(program, steps)
        unit = enclose(program.scale, {})
        numbers = (
            values[SMOOTHNESS.symbol.name],
            (inputs | values)[self.algorithm.step_size],
            values[bound],
        )
        numerical = solver.value, solver.solution.gap
        functions = OfClass(claim, program, inputs)
        larger = tuple(part.title for part in meets(functions, claim).parts if part.answer != HOLDS)
        smaller = functions.leaves_out
        without = list[str]()
        ends: Json = {"larger": larger, "smaller": smaller}

        try:
            _, limit = program.rational, claim.enclosures(**inputs)[bound]
        except (NotExactError, InputError) as error:
            limit = None
            without = [f"no exact end: {error}"]
        if limit is not None:
            try:
                instance, least = below(solver)
                value = ball_of(least) * unit
                ends |= {"lower": lower(value), "instance": instance.as_json()}
                if value > limit:
                    met = meets(OfPoints(claim, program, inputs, instance), claim)
                    ends |= {"violated": met.holds, "objection": met.objection}
            except NotExactError as error:
                without.append(f"no lower end: {error}")
        # What is at most this in a part of the class says nothing of the claim.
        if limit is not None and not smaller:
            try:
                if functions.is_smooth_in_steps:
                    solver = Solver(program, steps, in_steps=True)
                proof, most = above(solver)
                # Printed from the kernel's own.
                said = proof_as_json(proof)
                theorem = {
                    "conclusion": said["conclusion"],
                    "standard_facts": said["standard_facts"],
                }
                theorem["hypotheses"] = [each["statement"] for each in said["hypotheses"]]
                ends |= {"upper": upper(ball_of(most) * unit), "theorem": theorem}
            except NotExactError as error:
                without.append(f"no upper end: {error}")
        return Case(
            claim.id,
            steps,
            program.method,
            inputs,
            *numbers,
            *numerical,
            without=tuple(without),
            **ends,
        )


# What the judge is asked.


@dataclass(frozen=True)
class OfClass(OfRun):
    """Any function and run of a program: what is known of it is known of all. W(v) is v, f is F,
    and f* is 0.

    Attributes:
        claim: the theorem.
        program: whose properties the functions have.
        given: the value of each parameter of the theorem.

    """

    claim: Claim
    program: Program
    given: Mapping[str, float]

    @property
    def inputs(self) -> Mapping[str, float]:
        return self.given

    @property
    def chosen(self) -> Mapping[str, Any]:
        """The smoothness and the noise of the program."""
        return {
            L.name: self.program.lipschitz,
            ell.name: self.program.lipschitz,
            zeta.name: self.program.noise,
        }

    @property
    def leaves_out(self) -> tuple[str, ...]:
        """The functions and noise that the claim's hypotheses allow and the program does not have,
        a sentence each.
        """
        own = {p.symbol for p in self.claim.parameters} | {q.symbol for q in self.claim.quantities}
        said = [bound for bound in smoothness_of(self.claim) if bound.free_symbols <= own]
        limit = SMOOTHNESS.symbol
        found = []
        if not said:
            found.append(f"no hypothesis says that the smoothness of F is at most {limit}")
        elif not self._is_smooth(said):
            least = " or ".join(map(str, said))
            found.append(
                f"by the hypotheses the smoothness of F is at most {least}, which may be above"
                f" {limit}"
            )
        elif not (self._local or self._is_smooth(smoothness_of(self.claim, everywhere=True))):
            found.append(
                "what says that F is smooth is no word of this package, and nobody vouches for it"
            )
        for hypothesis, word in () if self.is_smooth_in_steps else self._local:
            place = f"‘{hypothesis.title}’ speaks only of F {PLACES[word.place]}"
            found.append(f"{place}, and the worst is over F that has this on all of space")
        if self.program.algorithm.is_stochastic:
            found.append(
                "the noise takes two values, equally likely, and the hypotheses allow any of that"
                " variance"
                if self.program.noise
                else "no noise is allowed, which no hypothesis bounds"
            )
        return tuple(found)

    def _is_smooth(self, bounds: Sequence[sp.Expr]) -> bool:
        """True if one of these bounds on the smoothness of F is known to be no larger than the
        program's.
        """
        return any(
            self.decide(sp.Le(bound, SMOOTHNESS.symbol, evaluate=False)) == HOLDS
            for bound in bounds
        )

    @cached_property
    def _local(self) -> list[tuple[Claim, Hypothesis]]:
        """The hypotheses that ask something of F at some points alone, which none asks of it
        everywhere.
        """
        ours = [(each, word) for each, word in words_of(self.claim) if word and is_ours(word)]
        everywhere = Worst()
        for _, word in ours:
            if word.is_everywhere:
                everywhere |= word.worst or Worst()
        is_smooth = self._is_smooth(smoothness_of(self.claim, everywhere=True))
        everywhere = replace(everywhere, is_smooth=is_smooth)
        local = [(each, word) for each, word in ours if not word.is_everywhere]
        return [(each, x) for each, x in local if everywhere | (x.worst or Worst()) != everywhere]

    @property
    def is_smooth_in_steps(self) -> bool:
        """True if all that is not asked of F everywhere is that it is smooth in the balls of the
        steps.

        There the inequalities of pairs of ends of steps hold, and the upper end needs no others.
        """
        return self.program.curvature == -1 and {word.place for _, word in self._local} == {"steps"}

    def smoothness(self, where: str) -> Extent:
        return Extent(most=number(self.program.lipschitz))

    def weight_smoothness(self) -> Extent:
        return self.smoothness("space")

    def convexity(self, where: str) -> Extent:
        program = self.program
        if program.strong:
            return Extent(least=number(exact("strong", program.strong)))
        return Extent(least=Fraction(0)) if program.is_convex else UNKNOWN

    def infimum(self) -> Extent:
        # F is nowhere below f*.
        return Extent(least=Fraction(0))

    def gap(self) -> Extent:
        gap = self.program.gap
        return UNKNOWN if gap is None else Extent(most=number(exact("gap", gap)))

    def distance(self) -> Extent:
        distance = self.program.distance
        return UNKNOWN if distance is None else Extent(most=number(exact("distance", distance)))

    def variance(self) -> Extent:
        return Extent(most=number(exact("noise", self.program.noise))).square()


@dataclass(frozen=True)
class OfPoints(OfClass):
    """A function that has given values and gradients at the points of a run, and the properties of
    the program.

    Attributes:
        run: the points, in rational numbers.

    """

    run: RationalRun

    @cached_property
    def _walk(self) -> tuple[list[list[Any]], list[Node], list[arb]]:
        """The iterates of each t, the points at which F is asked, and the values there; all with
        their units.

        Noise after the last iterate is 0, where a step leads to one more.
        """
        course = self.run.course
        program = self.program
        length = enclose(program.square_length, {}, BITS).sqrt()
        steepness = enclose(program.lipschitz, {}, BITS) * length

        def ball(x: Any) -> arb:
            return ball_of(x) if isinstance(x, Fraction) else x

        def vector(x: np.ndarray, unit: arb) -> arb_mat:
            return arb_mat([[unit * ball(entry)] for entry in x] or [[arb(0)]])

        nodes = [
            Node(vector(x, length), vector(g, steepness), place) for x, g, place in course.nodes
        ]

        def point(x: np.ndarray) -> arb_mat:
            # The very matrix of the node where F is asked: by it F's values and gradients are
            # looked up.
            at = (
                made.x for node, made in zip(course.nodes, nodes, strict=True) if equal(node.x, x)
            )
            found = next(at, None)
            return vector(x, length) if found is None else found

        points = [
            [point(program.algorithm.iterate(state)) for state in states]
            for states in course.states
        ]
        points += [[vector(x, length) for x in course.after]] if course.after else []
        values = [steepness * length * ball(x) for x in self.run.heights]
        return (
            points,
            nodes,
            [values[node.place] if node.place is not None else arb(0) for node in nodes],
        )

    def weight_gradient(self, norm: MatrixNorm) -> Extent:
        """At least the largest norm of a gradient that was seen."""
        with ctx.workprec(BITS):
            return Extent(
                least=reduce(arb.max, (Balls().length((node.gradient,)) for node in self._walk[1]))
            )

    def model(self) -> Model[arb, arb_mat]:
        """The model of the iterates; F has its values at them, and lies between bounds
        elsewhere.
        """
        points, nodes, heights = self._walk
        leaves, do = len(points[self.run.iterates - 1]), Balls()

        def place(t: int, outcome: int) -> int:
            return outcome * len(points[t - 1]) // leaves

        def iterate(name: str, t: int, outcome: int) -> Blocks:
            if name != "v" or not 1 <= t <= len(points):
                raise LookupError(f"{name} at t = {t}")
            return (points[t - 1][place(t, outcome)],)

        def gradient(point: Blocks) -> Blocks:
            found = next((node.gradient for node in nodes if node.x is point[0]), None)
            if found is None:
                raise LookupError("a gradient where F is not asked")
            return (found,)

        def value(point: Blocks) -> arb:
            known = next(
                (y for node, y in zip(nodes, heights, strict=True) if node.x is point[0]), None
            )
            if known is not None:
                return known
            # The interval that F's curvature leaves, from all points where it is asked.
            most = enclose(self.program.lipschitz, {}, BITS)
            least = most * enclose(self.program.curvature, {}, BITS)
            low = arb(0)
            tops = []
            for node, height in zip(nodes, heights, strict=True):
                way = point[0] - node.x
                linear = height + do.inner((node.gradient,), (way,))
                square = do.inner((way,), (way,)) / 2
                low = low.max(linear + least * square)
                tops.append(linear + most * square)
            return low.union(reduce(arb.min, tops))

        return Model(
            do,
            numbers={f_star: arb(0)},
            matrices={} if self.program.distance is None else {v_star: (nodes[-1].x,)},
            iterates=iterate,
            functions={F: VectorFunction(value, gradient)},
            horizon=self.run.iterates,
            weights=[Fraction(1, leaves)] * leaves,
            past=lambda t: [place(t, outcome) for outcome in range(leaves)],
            values=self.letters,
        )
