"""The worst case of a theorem's algorithm and measure, by performance estimation, beside the theorem's bound.

The words of the theorem give the algorithm, the measure and the class of functions; `program` writes, `solver` solves,
and `bracket` puts the worst case between two numbers that are certain.
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
from boundcheck.functions.steps import check_steps
from boundcheck.language.algorithms import GRADIENT_DESCENT, SGD, Algorithm
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim
from boundcheck.language.hypotheses import BOUNDED_VARIANCE, HYPOTHESES, Worst
from boundcheck.language.instance import HOLDS
from boundcheck.language.judge import meets
from boundcheck.language.measures import LEAST_GRADIENT, SMOOTHNESS, PerformanceMeasure
from boundcheck.language.notebook import Shown
from boundcheck.language.sentence import algorithm_of, is_ours, measure_of, words_of
from boundcheck.language.symbols import T, eta
from boundcheck.system.limits import Tick, silent
from boundcheck.system.plugins import theirs
from boundcheck.worst_case.bracket import Exact, NotExactError, above, below, in_json, stated
from boundcheck.worst_case.estimated import OfClass, OfPoints
from boundcheck.worst_case.program import NOISY, Program
from boundcheck.worst_case.solver import TOLERANCE, NotSolvedError, Solver

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "HORIZONS",
    "TOLERANCE",
    "NotSolvedError",
    "WorstCase",
    "WorstCases",
    "gradient_descent",
    "summary",
    "two_point_sgd",
    "worst_cases",
]

HORIZONS = (2, 3, 4)
"""The default values of T."""


@dataclass(frozen=True)
class WorstCase:
    """A theorem's bound beside the worst case of its method.

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
        instance: a run in rational numbers, as `boundcheck.worst_case.bracket.in_json` writes it.
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


class WorstCases(list[WorstCase], Shown):
    """The worst cases of one theorem, in the order of their T."""

    def to_frame(self) -> "pd.DataFrame":
        """One row a T: the fields of `WorstCase.as_json` that have one value, and each letter of the claim."""
        import pandas as pd

        rows = []
        for case in self:
            found = case.as_json()
            found |= {"larger": "; ".join(case.larger), "smaller": "; ".join(case.smaller)}
            plain = {name: x for name, x in found.items() if not isinstance(x, dict | list | tuple)}
            rows.append({name: plain[name] for name in ("claim", "steps")} | found["inputs"] | plain)
        return pd.DataFrame(rows)


def gradient_descent(smoothness: float, step: float, iterates: int) -> float:
    r"""The worst case of gradient descent where :math:`F(v_1) - f^* \le 1`, numerical.

    The maximum, over all functions of any dimension with an L-Lipschitz gradient and infimum f*, of
    :math:`\min_t \|\nabla F(v_t)\|^2` over the iterates :math:`v_1, \dots, v_T`. For another gap D it is D times that.

    Args:
        smoothness: L.
        step: the step size.
        iterates: T, at most 31.

    Raises:
        InputError: for numbers out of range.
        NotSolvedError: where the solver does not converge.

    """
    _check({"smoothness": smoothness, "step": step})
    program = Program(GRADIENT_DESCENT, {GRADIENT_DESCENT.step_size: step}, LEAST_GRADIENT, smoothness, gap=1.0)
    return Solver(program, iterates).value


def two_point_sgd(smoothness: float, gap: float, zeta: float, step: float, iterates: int) -> float:
    r"""The worst case of SGD with two-point noise where :math:`F(v_1) - f^* \le D`, numerical.

    The maximum of :math:`\min_t E\|\nabla F(v_t)\|^2` over all F as in `gradient_descent` and over noise n with
    :math:`g = \nabla F(v) \pm n`, equally likely, :math:`\|n\| \le \zeta`, chosen anew at each of the
    :math:`2^{t-1}` points that v_t can be. It is exact for noise of two points, and so a lower bound on the worst case
    over all noise whose variance is at most :math:`\zeta^2`.

    Args:
        smoothness: L.
        gap: D.
        zeta: the bound on the noise.
        step: the step size.
        iterates: T, at most 5.

    Raises:
        InputError: for numbers out of range.
        NotSolvedError: where the solver does not converge.

    """
    _check({"smoothness": smoothness, "gap": gap, BOUNDED_VARIANCE.letter: zeta, "step": step})
    program = Program(SGD, {SGD.step_size: step}, LEAST_GRADIENT, smoothness, gap=gap, noise=zeta)
    return Solver(program, iterates).value


def worst_cases(
    claim: str | Claim,
    horizons: Sequence[int] = HORIZONS,
    constants: Mapping[str, float] | None = None,
    tick: Tick = silent,
) -> WorstCases:
    r"""Set a theorem's bound beside the worst case of its algorithm and measure, at each T.

    The worst case is over all functions, of any dimension, that the hypotheses' worst faces describe, and over noise of
    two points. A theorem whose F is only an adapter's, a subset of all smooth functions, may be less tight.

    Args:
        claim: an id of the catalogue, or a claim of your own: about a linear method, with a quantity Lhat.
        horizons: values of T.
        constants: values of the claim's other symbols, 1 where left out; zeta is then the one at which
            :math:`T = 4 \hat L D / \zeta^2`, the fewest iterates that jiang2024 speaks of, and what a condition bounds
            from above, such as a step size, half of the most.
        tick: told of progress.

    Raises:
        InputError: for a claim without performance estimation, and for numbers out of range.
        NotSolvedError: where the solver does not converge.

    """
    claim = catalogue.opened(claim) if isinstance(claim, str) else claim
    if not horizons:
        raise InputError(T.name, "(not given)", "one or more horizons")
    with theirs(tick):
        theorem = _Theorem.of(claim)
        if constants and T.name in constants:
            raise InputError(T.name, constants[T.name], "no value: T goes through the horizons")
        # All that can be wrong with the input is found before anything is solved.
        prepared = [theorem.inputs(steps, constants or {}) for steps in horizons]
        found = []
        for done, inputs in enumerate(prepared):
            tick("worst case", done, len(horizons))
            found.append(theorem.worst_case(inputs))
        tick("worst case", len(horizons), len(horizons))
    return WorstCases(found)


def summary(cases: Sequence[WorstCase]) -> dict[str, Any]:
    """The output of `boundcheck falsify --json` for a theorem, from one or more of its worst cases.

    Keys: id, ratio (the largest), violated (whether any is), larger (the hypotheses that are not asked of the
    functions), smaller (why the functions are not all that the hypotheses allow), instance (where the ratio is
    largest), how, and cases, each from `WorstCase.as_json`.
    """
    return {
        "id": cases[0].claim,
        "ratio": max(case.ratio for case in cases),
        "violated": any(case.violated for case in cases),
        "larger": list(cases[0].larger),
        "smaller": list(dict.fromkeys(why for case in cases for why in case.smaller)),
        "instance": max(cases, key=lambda case: case.ratio).instance,
        "how": "performance estimation: the value of a semidefinite program, numerical, between a rational instance "
        "and a theorem of the kernel where a case has them",
        "cases": [case.as_json() for case in cases],
    }


def has_worst_case(claim: Claim) -> bool:
    """True if performance estimation can state a claim: then `worst_cases` takes it."""
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
        _check(constants)
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

    def worst_case(self, inputs: dict[str, float]) -> WorstCase:
        """The worst case beside the bound, at these inputs."""
        values, steps = self.claim.values(**inputs), int(inputs[T.name])
        program = self.program(self.claim.exactly(**inputs))
        solver = Solver(program, steps)
        bound = self.claim.names[-1]
        return WorstCase(
            self.claim.id,
            steps,
            program.method,
            inputs,
            values[SMOOTHNESS.symbol.name],
            (inputs | values)[self.algorithm.step_size],
            values[bound],
            solver.value,
            solver.solution.gap,
            **_bracket(solver, OfClass(self.claim, program, inputs)),
        )


def _bracket(solver: Solver, functions: OfClass) -> dict[str, Any]:
    """The certain ends of a worst case, what they rest on, and over which functions it is."""
    claim, unit = functions.claim, enclose(solver.program.scale, {})
    larger = tuple(part.title for part in meets(functions, claim).parts if part.answer != HOLDS)
    found: dict[str, Any] = {"without": (), "larger": larger, "smaller": functions.leaves_out}
    try:
        exact, bound = Exact.of(solver.program), claim.enclosures(**functions.inputs)[claim.names[-1]]
    except (NotExactError, InputError) as error:
        return found | {"without": (f"no exact end: {error}",)}
    try:
        instance, least = below(solver, exact)
        value = ball_of(least) * unit
        found |= {"lower": lower(value), "instance": in_json(instance)}
        if value > bound:
            met = meets(OfPoints(claim, solver.program, functions.inputs, instance, exact, solver.iterates), claim)
            found |= {"violated": met.holds, "objection": met.objection}
    except NotExactError as error:
        found["without"] += (f"no lower end: {error}",)
    if functions.leaves_out:
        # What is at most this in a part of the class says nothing of the claim.
        found["without"] += ("no upper end: the worst is over a smaller class",)
        return found
    try:
        multipliers, most = above(solver, exact)
        found |= {"upper": upper(ball_of(most) * unit), "theorem": stated(multipliers)}
    except NotExactError as error:
        found["without"] += (f"no upper end: {error}",)
    return found


def _check(numbers: Mapping[str, float]) -> None:
    for name, number in numbers.items():
        if not 0 < number < math.inf:
            raise InputError(name, number, "a positive real")
