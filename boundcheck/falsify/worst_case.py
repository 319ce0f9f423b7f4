"""The exact worst case of a method over all smooth functions, by performance estimation, beside a theorem's bound.

The worst function of any dimension is the solution of a semidefinite program in the Gram matrix of iterates and
gradients (Drori and Teboulle 2014; Taylor, Hendrickx and Glineur 2017). PEPit writes the program, Clarabel solves it:
the values are numerical, right to about 1e-7 as a rule and to the duality gap that comes with them, and not certified.
"""

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from boundcheck.claims import Claim, catalogue
from boundcheck.errors import BoundcheckError, InputError
from boundcheck.progress import Tick, silent

TOLERANCE = 1e-5
"""How far above 1 a ratio must be to count as a violation, and how far apart the two sides of a solution may be."""

HORIZONS = (2, 3, 4)
"""Values of T, where nothing is said of it."""

# The cost grows steeply with the number of points: 31 take some ten seconds.
_MOST_POINTS = 31
_MOST_ITERATES = {"gradient descent": _MOST_POINTS, "two-point SGD": _MOST_POINTS.bit_length()}
# All that a theorem about every smooth F, with a constant step and noise of bounded variance, may speak of.
_CONSTANTS = frozenset({"L", "ell", "C", "G", "sigma", "a", "b", "s", "r", "D", "zeta", "T", "eta"})


class NotSolvedError(BoundcheckError, ArithmeticError):
    """Clarabel did not solve the program to the accuracy asked for, as with constants too far apart."""


@dataclass(frozen=True)
class WorstCase:
    """A theorem's bound beside the exact worst case of the method that it is about.

    Attributes:
        claim: its id.
        steps: T, the number of iterates.
        method: ``two-point SGD`` for a theorem with noise, else ``gradient descent``.
        inputs: the value of each symbol of the claim.
        smoothness, step: the claim's own L̂ and alpha, which the method is given.
        bound: what the claim says.
        exact: the worst case, numerical.
        duality_gap: how far apart the two sides of the solution are, relative to it.

    """

    claim: str
    steps: int
    method: str
    inputs: dict[str, float]
    smoothness: float
    step: float
    bound: float
    exact: float
    duality_gap: float

    @property
    def ratio(self) -> float:
        """The worst case over the bound."""
        return self.exact / self.bound

    @property
    def violated(self) -> bool:
        """Whether the worst case exceeds the bound by more than what a solver may be off by."""
        return self.ratio > 1 + TOLERANCE

    def as_json(self) -> dict[str, Any]:
        """All fields, the ratio, the verdict, and how the worst case was had."""
        how = "numerical, Clarabel, not certified"
        return asdict(self) | {"ratio": self.ratio, "violated": self.violated, "how": how}


def gradient_descent(smoothness: float, step: float, iterates: int) -> float:
    r"""The worst case of gradient descent where :math:`F(v_1) - f^* \le 1`, numerical.

    The maximum, over all functions of any dimension with an L-Lipschitz gradient and infimum f*, of
    :math:`\min_t \|\nabla F(v_t)\|^2` over the iterates :math:`v_1, \dots, v_T`. For another gap D it is D times that.

    Args:
        smoothness: L.
        step: the step size.
        iterates: T, at most 31.

    Raises:
        InputError: for numbers out of range, and where PEPit is not installed.
        NotSolvedError: where the solver does not converge.

    """
    _check({"smoothness": smoothness, "step": step}, iterates, "gradient descent")
    return smoothness * _solve(smoothness * step, 0.0, iterates)[0]


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
        InputError: for numbers out of range, and where PEPit is not installed.
        NotSolvedError: where the solver does not converge.

    """
    _check({"smoothness": smoothness, "gap": gap, "zeta": zeta, "step": step}, iterates, "two-point SGD")
    scale = smoothness * gap
    return scale * _solve(smoothness * step, zeta**2 / scale, iterates)[0]


def worst_cases(
    claim: str | Claim,
    horizons: Sequence[int] = HORIZONS,
    constants: Mapping[str, float] | None = None,
    tick: Tick = silent,
) -> list[WorstCase]:
    r"""Set a theorem's bound beside the worst case at its own L̂ and step size, at each T.

    A theorem that speaks of zeta is about SGD, and compared with `two_point_sgd`; any other is about
    `gradient_descent`. A theorem whose F is only an adapter's, a subset of all smooth functions, may be less tight.

    Args:
        claim: an id of the catalogue, or a claim of your own with the quantities Lhat, alpha and bound.
        horizons: values of T.
        constants: values of the claim's other symbols, 1 where left out; zeta is then the one at which
            :math:`T = 4 \hat L D / \zeta^2`, the fewest iterates that jiang2024 speaks of, and eta half of the longest.
        tick: told of progress.

    Raises:
        InputError: for a claim that is not about all smooth F and noise of bounded variance, for numbers out of
            range, and where PEPit is not installed.
        NotSolvedError: where the solver does not converge.

    """
    claim = catalogue[claim] if isinstance(claim, str) else claim
    names = {parameter.name for parameter in claim.parameters}
    if not horizons:
        raise InputError("T", "(not given)", "one or more horizons")
    if not (
        {"Lhat", "alpha", "bound"} <= set(claim.names)
        and {"D", "T"} <= names <= _CONSTANTS | {p.name for p in claim.own}
    ):
        expected = "a theorem about every smooth F with a constant step size, such as meft.theorem2_repaired"
        raise InputError("claim", claim.id, expected)
    if constants and "T" in constants:
        raise InputError("T", constants["T"], "no value: T goes through the horizons")
    # All that can be wrong with the input is found before anything is solved.
    prepared = [_inputs(claim, steps, constants or {}) for steps in horizons]
    found = []
    for done, inputs in enumerate(prepared):
        tick("worst case", done, len(horizons))
        found.append(_worst_case(claim, inputs))
    tick("worst case", len(horizons), len(horizons))
    return found


def summary(cases: Sequence[WorstCase]) -> dict[str, Any]:
    """What `boundcheck falsify --json` says of a theorem, from one or more of its worst cases.

    Keys: id, ratio (the largest), violated (whether any is), instance (None), how, and cases, each as
    `WorstCase.as_json` has it.
    """
    return {
        "id": cases[0].claim,
        "ratio": max(case.ratio for case in cases),
        "violated": any(case.violated for case in cases),
        "instance": None,
        "how": "performance estimation, numerical, not certified; it gives the worst case as the value of a "
        "semidefinite program, and no instance",
        "cases": [case.as_json() for case in cases],
    }


def _method(claim: Claim) -> str:
    return "two-point SGD" if "zeta" in {parameter.name for parameter in claim.parameters} else "gradient descent"


def _inputs(claim: Claim, steps: int, constants: Mapping[str, float]) -> dict[str, float]:
    """A value of each symbol of the claim, at which it can be evaluated."""
    _check(constants, steps, _method(claim))
    names = [parameter.name for parameter in claim.parameters]
    inputs = dict.fromkeys(names, 1.0) | dict(constants) | {"T": float(steps)}
    # NumPy's floats overflow to infinity, which is refused below, where Python's raise.
    known = {name: np.float64(inputs[name]) for name in names}
    if "eta_max" in claim.names and "eta" not in constants:
        with np.errstate(all="ignore"):
            inputs["eta"] = float(claim.function("eta_max")(**known)) / 2
    if "zeta" in names and "zeta" not in constants:
        with np.errstate(all="ignore"):
            square = claim.function("Lhat")(**known) * known["D"] / steps
        # A little more, so that rounding does not put T below T_min.
        inputs["zeta"] = 2 * math.sqrt(square) * (1 + 1e-12)
    claim.values(**inputs)
    return inputs


def _worst_case(claim: Claim, inputs: dict[str, float]) -> WorstCase:
    values, steps, method = claim.values(**inputs), int(inputs["T"]), _method(claim)
    smoothness, step, scale = values["Lhat"], values["alpha"], values["Lhat"] * inputs["D"]
    noise = inputs["zeta"] ** 2 / scale if method == "two-point SGD" else 0.0
    exact, duality_gap = _solve(smoothness * step, noise, steps)
    return WorstCase(claim.id, steps, method, inputs, smoothness, step, values["bound"], scale * exact, duality_gap)


def _check(numbers: Mapping[str, float], iterates: int, method: str) -> None:
    for name, number in numbers.items():
        if not 0 < number < math.inf:
            raise InputError(name, number, "a positive real")
    most = _MOST_ITERATES[method]
    if not 1 <= iterates <= most:
        raise InputError("T", iterates, f"a number of iterates from 1 to {most}, for {method}")


def _solve(step: float, noise: float, iterates: int) -> tuple[float, float]:
    """The worst case in units of L = D = 1, and the relative duality gap; noise is the bound on its square."""
    try:
        from cvxpy import SolverError
        from PEPit import PEP, Point
        from PEPit.functions import SmoothFunction
    except ImportError:
        raise InputError("pep", "(not installed)", 'the extra: pip install "boundcheck[pep]"') from None
    problem = PEP()
    F = problem.declare_function(SmoothFunction, L=1.0)
    points = [problem.set_initial_point()]
    for t in range(1, iterates + 1):
        known = [F.oracle(v) for v in points]
        if t == 1:
            problem.set_initial_condition(known[0][1] <= 1)
        for gradient, value in known:
            # What values at points leave possible for the infimum, here 0: a smooth function can go on from them
            # with no value below f* if and only if this holds (Drori and Shamir 2020).
            problem.add_constraint(value >= gradient**2 / 2)
        problem.set_performance_metric(sum(gradient**2 for gradient, _ in known) / len(known))
        means = [v - step * gradient for v, (gradient, _) in zip(points, known, strict=True)]
        if noise == 0:
            points = means
        elif t < iterates:
            kicks = [Point() for _ in means]
            for kick in kicks:
                problem.add_constraint(kick**2 <= noise)
            points = [v + sign * kick for v, kick in zip(means, kicks, strict=True) for sign in (-step, step)]
    with warnings.catch_warnings():
        # The duality gap says how accurate it is.
        warnings.filterwarnings("ignore", "Solution may be inaccurate", UserWarning)
        try:
            upper = float(problem.solve(wrapper="cvxpy", solver="CLARABEL", verbose=0))
        except SolverError:
            raise NotSolvedError(f"Clarabel failed at T = {iterates}: constants closer to 1 may help") from None
    duality_gap = abs(upper - float(problem.objective.eval())) / upper
    if not duality_gap <= TOLERANCE:
        raise NotSolvedError(f"Clarabel left a relative duality gap of {duality_gap:.3g} at T = {iterates}")
    return upper, duality_gap
