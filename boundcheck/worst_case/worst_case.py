"""`WorstCase`: the worst case of a theorem's algorithm and measure, by performance estimation, beside its bound.

The words of the theorem give the algorithm, the measure and the class of functions; `program` writes and solves the
program, and `bracket` puts the worst case between two numbers that are certain.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy as sp

from boundcheck.errors import InputError
from boundcheck.exact.balls import ball_of, enclose, lower, upper
from boundcheck.exact.digits import DOWN, UP, shown
from boundcheck.functions.checks import check_steps
from boundcheck.language.algorithms import Algorithm
from boundcheck.language.claim import Claim
from boundcheck.language.evidence import HOLDS
from boundcheck.language.hypotheses import HYPOTHESES, Worst
from boundcheck.language.judge import meets
from boundcheck.language.measures import SMOOTHNESS, PerformanceMeasure
from boundcheck.language.sentence import algorithm_of, is_ours, measure_of, words_of
from boundcheck.language.symbols import T, eta
from boundcheck.language.view import Shown
from boundcheck.system.limits import Tick, silent
from boundcheck.worst_case.bracket import Exact, NotExactError, OfClass, OfPoints, above, below, stated
from boundcheck.worst_case.program import NOISY, Program, Solver

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
        lower: what the worst case certainly is at least, rounded down: the measure of `instance`; None where there is
            none.
        upper: what it certainly is at most, rounded up, by `theorem`; None where there is none.
        violated: whether the measure of the instance certainly exceeds the bound, and everything given holds in it.
        larger: the hypotheses that are not asked of the functions, by their titles: the worst is over a larger class.
        smaller: why the hypotheses allow more than the functions and the noise that the worst is over: then it is one
            over a smaller class, and has no upper end.
        objection: why an instance whose measure exceeds the bound says nothing against the claim; empty of any other.
        instance: a run in rational numbers, as `boundcheck.worst_case.bracket.RationalRun.as_json` writes it.
        theorem: what the kernel proved, in units in which F is 1-smooth: its conclusion and its hypotheses.
        without: why an end is missing, a line each.

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
    instance: dict[str, Any] | None = None
    theorem: dict[str, Any] | None = None
    without: tuple[str, ...] = ()
    larger: tuple[str, ...] = ()
    smaller: tuple[str, ...] = ()
    objection: str = ""

    @property
    def ratio(self) -> float:
        return self.numerical / self.bound

    @property
    def has_noise(self) -> bool:
        """True if the method has noise of two points; over all noise the worst case is then no less."""
        return self.method.startswith(NOISY)

    @property
    def algorithm(self) -> str:
        """The algorithm's title."""
        return self.method.removeprefix(NOISY)

    @property
    def ends(self) -> tuple[str, str]:
        """`lower` and `upper` at seven digits, rounded away from each other; a dash where there is none."""
        low, high = ("–" if x is None else shown(x, 7, way) for x, way in ((self.lower, DOWN), (self.upper, UP)))
        return low, high

    @property
    def how(self) -> str:
        """A line on where the numbers come from, and which of them are certain."""
        ends = ["numerical: Clarabel"]
        ends += ["lower: a rational instance, checked exactly"] if self.lower is not None else []
        ends += ["upper: rational multipliers, checked by the kernel"] if self.upper is not None else []
        return "; ".join([*ends, *self.without])

    def as_json(self) -> dict[str, Any]:
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

    def as_json(self) -> dict[str, Any]:
        """The output of `boundcheck falsify --json` for a theorem.

        Keys: id, ratio (the largest), violated (whether any is), larger (the hypotheses that are not asked of the
        functions), smaller (why the functions are not all that the hypotheses allow), instance (where the ratio is
        largest), how, and cases, each from `Case.as_json`.
        """
        return {
            "id": self[0].claim,
            "ratio": self.ratio,
            "violated": self.violated,
            "larger": list(self[0].larger),
            "smaller": list(self.smaller),
            "instance": max(self, key=lambda case: case.ratio).instance,
            "how": "performance estimation: the value of a semidefinite program, numerical, between a rational "
            "instance and a theorem of the kernel where a case has them",
            "cases": [case.as_json() for case in self],
        }

    def to_frame(self) -> "pd.DataFrame":
        """One row a T: the fields of `Case.as_json` that have one value, and each letter of the claim."""
        import pandas as pd

        rows = []
        for case in self:
            found = case.as_json()
            found |= {"larger": "; ".join(case.larger), "smaller": "; ".join(case.smaller)}
            plain = {name: x for name, x in found.items() if not isinstance(x, dict | list | tuple)}
            rows.append({name: plain[name] for name in ("claim", "steps")} | found["inputs"] | plain)
        return pd.DataFrame(rows)


@dataclass(frozen=True)
class WorstCase:
    r"""A method of `falsify`: set a theorem's bound beside the worst case of its algorithm and measure, at each T.

    The worst case is over all functions, of any dimension, that the hypotheses' worst faces describe, and over noise of
    two points. A theorem whose F is only an adapter's, a subset of all smooth functions, may be less tight.

    Attributes:
        horizons: values of T.
        constants: values of the claim's other symbols, 1 where left out; zeta is then the one at which
            :math:`T = 4 \hat L D / \zeta^2`, the fewest iterates that jiang2024 speaks of, and what a condition bounds
            from above, such as a step size, half of the most.

    """

    horizons: Sequence[int] = (2, 3, 4)
    constants: Mapping[str, float] | None = None

    def falsify(self, claim: Claim, tick: Tick = silent) -> WorstCases:
        """The worst cases.

        Raises:
            InputError: for a claim without performance estimation, and for numbers out of range.
            NotSolvedError: where the solver does not converge.

        """
        if not self.horizons:
            raise InputError(T.name, "(not given)", "one or more horizons")
        theorem, constants = _Theorem.of(claim), self.constants or {}
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


def has_worst_case(claim: Claim) -> bool:
    """True if performance estimation can state a claim: then `WorstCase` takes it."""
    try:
        _Theorem.of(claim)
    except InputError:
        return False
    return True


@dataclass(frozen=True)
class _Theorem:
    """A theorem, its words, and what its hypotheses say together."""

    claim: Claim
    algorithm: Algorithm
    measure: PerformanceMeasure
    says: Worst

    @classmethod
    def of(cls, claim: Claim) -> "_Theorem":
        """Ask the words for their worst faces; raises InputError for a word without one."""
        algorithm, measure = algorithm_of(claim), measure_of(claim)
        words = dict(words_of(claim))
        # Letters whose meaning performance estimation knows.
        known = {T, eta, *(p.symbol for p in claim.own)}
        known |= {symbol for word in HYPOTHESES.values() if word.worst for symbol in word.symbols}
        if (
            algorithm is None
            or not isinstance(measure, PerformanceMeasure)
            or SMOOTHNESS.symbol not in {quantity.symbol for quantity in claim.quantities}
            or not {p.symbol for p in claim.parameters} <= known.union(algorithm.parameters)
        ):
            expected = "a theorem about every smooth F with a constant step size"
            raise InputError("claim", claim.id, expected)
        if algorithm.no_worst:
            expected = f"a linear method: no performance estimation of {algorithm.title}, for {algorithm.no_worst}"
            raise InputError("claim", claim.id, expected)
        # The program moves by the exact step and looks at numbers by their names: the statement must say the same.
        check_steps(algorithm)
        measure.check_exactly()
        says = Worst()
        for hypothesis, word in words.items():
            if word is None or word.worst is None:
                raise InputError("claim.hypotheses", hypothesis.id, "hypotheses that performance estimation can state")
            # What another's word says of the functions is not asked of them; the judge is asked of the instance.
            says |= word.worst if is_ours(word) else Worst()
        if algorithm.is_stochastic and says.noise is None:
            raise InputError("claim.hypotheses", claim.id, "a bound on the noise that performance estimation can state")
        made = cls(claim, algorithm, measure, says)
        if T not in made.letters or made.letters.isdisjoint({says.gap, says.distance}):
            raise InputError(
                "claim", claim.id, "a theorem with T and with a distance of v_1 from the minimum, such as D"
            )
        return made

    @property
    def letters(self) -> set[sp.Symbol]:
        return {parameter.symbol for parameter in self.claim.parameters}

    def inputs(self, steps: int, constants: Mapping[str, float]) -> dict[str, float]:
        """Values of the claim's symbols at which it can be evaluated."""
        claim, names = self.claim, [parameter.name for parameter in self.claim.parameters]
        for name, number in constants.items():
            if not 0 < number < math.inf:
                raise InputError(name, number, "a positive real")
        strong = str(self.says.strong)
        tried = dict.fromkeys((*names, *claim.names), 1.0) | {strong: 0.0}
        self.program(tried).check(steps)
        starting = {str(symbol.name): float(value) for symbol, value in self.algorithm.starting}
        inputs = dict.fromkeys(names, 1.0) | {name: x for name, x in starting.items() if name in names}
        inputs |= dict(constants) | {T.name: float(steps)}
        # NumPy's floats overflow to infinity, which is refused below, where Python's raise.
        known = {name: np.float64(inputs[name]) for name in names}
        noise, gap = self.says.noise, self.says.gap
        with np.errstate(all="ignore"):
            for condition in claim.conditions:
                name, most = str(condition.lhs), str(condition.rhs)
                if isinstance(condition, sp.StrictLessThan) and most in claim.names and name not in constants:
                    inputs[name] = float(claim.function(most)(**known)) / 2
            if {noise, gap} <= self.letters and str(noise) not in constants:
                square = claim.function(str(SMOOTHNESS.symbol))(**known) * known[str(gap)] / steps
                # A little more, so that rounding does not make T smaller than T_min.
                inputs[str(noise)] = 2 * math.sqrt(square) * (1 + 1e-12)
        if strong in inputs:
            steep = float(claim.function(SMOOTHNESS.letter)(**known))
            self.program(tried | {SMOOTHNESS.letter: steep, strong: inputs[strong]}).check(steps)
        claim.values(**inputs)
        return inputs

    def program(self, numbers: Mapping[str, Any]) -> Program:
        """The program at a value of each parameter and quantity."""

        def given(symbol: sp.Symbol | None) -> Any:
            return numbers[symbol.name] if symbol is not None and symbol in self.letters else None

        says = self.says
        return Program(
            self.algorithm,
            {symbol.name: numbers[symbol.name] for symbol in self.algorithm.parameters},
            self.measure,
            numbers[SMOOTHNESS.symbol.name],
            given(says.strong) or 0,
            says.is_convex,
            given(says.gap),
            given(says.distance),
            given(says.noise) or 0,
        )

    def worst_case(self, inputs: dict[str, float]) -> Case:
        """The worst case beside the bound, at these inputs, and its certain ends."""
        claim, values, steps = self.claim, self.claim.values(**inputs), int(inputs[T.name])
        program = self.program(claim.exactly(**inputs))
        solver, bound = Solver(program, steps), claim.names[-1]
        functions, unit = OfClass(claim, program, inputs), enclose(program.scale, {})
        numbers = values[SMOOTHNESS.symbol.name], (inputs | values)[self.algorithm.step_size], values[bound]
        numerical = solver.value, solver.solution.gap
        larger = tuple(part.title for part in meets(functions, claim).parts if part.answer != HOLDS)
        smaller, without = functions.leaves_out, list[str]()
        ends: dict[str, Any] = {"larger": larger, "smaller": smaller}

        try:
            exact, limit = Exact.of(program), claim.enclosures(**inputs)[bound]
        except (NotExactError, InputError) as error:
            exact, without = None, [f"no exact end: {error}"]
        if exact is not None:
            try:
                instance, least = below(solver, exact)
                value = ball_of(least) * unit
                ends |= {"lower": lower(value), "instance": instance.as_json()}
                if value > limit:
                    met = meets(OfPoints(claim, program, inputs, instance, exact, steps), claim)
                    ends |= {"violated": met.holds, "objection": met.objection}
            except NotExactError as error:
                without.append(f"no lower end: {error}")
        if exact is not None and smaller:
            # What is at most this in a part of the class says nothing of the claim.
            without.append("no upper end: the worst is over a smaller class")
        elif exact is not None:
            try:
                multipliers, most = above(solver, exact)
                ends |= {"upper": upper(ball_of(most) * unit), "theorem": stated(multipliers)}
            except NotExactError as error:
                without.append(f"no upper end: {error}")
        ends |= {"without": tuple(without)}
        return Case(claim.id, steps, program.method, inputs, *numbers, *numerical, **ends)
