"""The length that a run needs for a theorem to say something, and the constant step at which its bound is smallest.

Both are found on the claim's own formulas, in floats: a plan, and no verdict, rests on them.
"""

import math
from collections.abc import Callable, Mapping

import numpy as np
from scipy.optimize import minimize_scalar

from boundcheck.errors import InputError
from boundcheck.language.claim import Claim
from boundcheck.language.inputs import Number
from boundcheck.language.sentence import free_step, limit_of
from boundcheck.language.symbols import T as HORIZON

_LONGEST = 10**12
# How far below the longest step the best one is looked for, as a power of e.
_DECADES = 46.0


# What an assumed formula is where floats end decides nothing: an infinite bound says nothing, and NaN is refused.
@np.errstate(all="ignore")
def informative_horizon(claim: Claim, inputs: Mapping[str, Number], threshold: float) -> int:
    """The fewest iterations T that `claim` allows and at which its bound lies below `threshold`.

    Found by bisection, on bounds that fall with T, not always to 0. Of a theorem that takes a step, and is given none,
    the bound at each T is that at the best step.

    Raises:
        ArithmeticError: if there is none up to 10^12.

    """
    floats = _floats(inputs, HORIZON.name)
    step = free_step(claim)
    if step is not None and step.name not in floats:
        return _fewest(claim, lambda T: float(_at_best(claim, floats, T)[1]), 1, threshold)
    bound = claim.function("bound")
    return _fewest(claim, lambda T: float(bound(**floats, T=np.float64(T))), _shortest(claim, floats), threshold)


def _floats(inputs: Mapping[str, Number], *without: str) -> dict[str, np.float64]:
    return {name: np.float64(value) for name, value in inputs.items() if name not in without}


@np.errstate(all="ignore")
def best_step(claim: Claim, inputs: Mapping[str, Number]) -> float:
    """The constant step at which the bound of a claim that takes one is smallest, at the T of the inputs."""
    step = free_step(claim)
    if step is None:
        raise ValueError(f"expected a theorem about whatever step a run takes, and not {claim.id}")
    return _at_best(claim, _floats(inputs, HORIZON.name, step.name), int(inputs[HORIZON.name]))[0]


def _at_best(claim: Claim, floats: Mapping[str, np.float64], T: int) -> tuple[float, float]:
    """The best step at T, and the bound there."""
    step = free_step(claim)
    limit = limit_of(claim, step.symbol) if step else None
    if step is None or limit is None:
        expected = f"a number, for {claim.id} has no longest step below which the best one could be looked for"
        raise InputError("run.step_size", "best", expected)
    name, known = step.name, dict(floats) | {HORIZON.name: np.float64(T)}
    longest = math.log(float(claim.function(limit)(**known, **{name: np.float64(1)})))
    bound = claim.function("bound")

    def logarithm(x: float) -> float:
        return float(np.log(bound(**known, **{name: np.exp(np.float64(x))})))

    found = minimize_scalar(
        logarithm, bounds=(longest - _DECADES, longest - 1e-9), method="bounded", options={"xatol": 1e-9}
    )
    return math.exp(found.x), math.exp(found.fun)


def _fewest(claim: Claim, bound: Callable[[int], float], low: int, threshold: float) -> int:
    """The fewest iterations, of at least `low`, at which the bound lies below the threshold."""
    if bound(low) < threshold:
        return low
    high = low
    while bound(high) >= threshold:
        if high == _LONGEST:
            raise ArithmeticError(f"no informative horizon up to {_LONGEST} for {claim.id}")
        high = min(2 * high, _LONGEST)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if bound(middle) < threshold else (middle, high)
    return high


@np.errstate(all="ignore")
def at_the_longest(claim: Claim, inputs: Mapping[str, Number]) -> float:
    """The claim's bound at the longest horizon that is looked at, 10^12: what it falls to, where that is not 0."""
    return float(claim.function("bound")(**_floats(inputs) | {HORIZON.name: np.float64(_LONGEST)}))


def _shortest(claim: Claim, floats: Mapping[str, np.float64]) -> int:
    """The fewest iterations that the claim's conditions allow; raises ArithmeticError where they allow none."""
    one = {HORIZON.name: np.float64(1)}
    step = free_step(claim)
    if step is not None and (limit := limit_of(claim, step.symbol)):
        given, longest = floats[step.name], float(claim.function(limit)(**floats, **one))
        # So near to it, as beyond it, the bound has no digits.
        if not given * (1 + 1e-12) < longest:
            raise ArithmeticError(
                f"no informative horizon for {claim.id}, whose {step.name} = {given:.3g} must be below {longest:.3g}"
            )
    limit = limit_of(claim, HORIZON)
    if limit is None:
        return 1
    shortest = float(claim.function(limit)(**floats, **one))
    if not shortest < _LONGEST:
        raise ArithmeticError(
            f"no informative horizon up to {_LONGEST} for {claim.id}, whose {limit} is {shortest:.3g}"
        )
    # A limit that is an integer may have been rounded down by a unit roundoff; one that is assumed may be 0 or less.
    return max(math.ceil(shortest * (1 + 1e-12)), 1)
