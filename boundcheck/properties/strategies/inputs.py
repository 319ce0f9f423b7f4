"""Strategies for inputs of claims: a value for each symbol, in its domain, with the conditions met, some barely."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
import sympy as sp
from hypothesis import assume
from hypothesis.strategies import DrawFn, SearchStrategy

from boundcheck.exact.balls import enclose, sign
from boundcheck.language.claim import Claim, checked
from boundcheck.language.inputs import Number
from boundcheck.language.sentence import limit_of
from boundcheck.language.symbols import T
from boundcheck.properties.strategies.spectra import SIZES

POSITIVE_REALS: SearchStrategy[Number] = st.one_of(
    SIZES,
    st.integers(1, 100),
    st.fractions(Fraction(1, 100), 100, max_denominator=1000),
    st.decimals("0.01", 100, places=2).map(str),
)
"""Positive reals of every type that claims take: float, int, Fraction, and decimals as strings."""


def shortest_horizon(claim: Claim, inputs: Mapping[str, Number]) -> int:
    """The least T that a claim allows. The T in `inputs` is ignored.

    Raises:
        InputError: for an input that is missing or out of its domain.

    """
    values, limit = checked(claim.parameters, inputs), limit_of(claim, T)
    if limit is None:
        return 1
    least = claim.expression(limit)
    lower_end: Any = enclose(least, values, bits=256).lower()
    floor = int(lower_end.ceil().unique_fmpz())
    return floor if sign(sp.Integer(floor) - least, values) >= 0 else floor + 1


@st.composite
def claim_inputs(draw: DrawFn, claim: Claim) -> dict[str, Number]:
    """A value for each symbol of a claim by its name: of every type, in its domain, T often the shortest horizon.

    >>> from boundcheck.language.catalogue import catalogue
    >>> from hypothesis import find
    >>> find(claim_inputs(catalogue["meft.full"]), lambda inputs: True)
    {'L': 1.0}
    """
    exponents = {x for q in claim.quantities for power in q.expression.atoms(sp.Pow) for x in power.exp.free_symbols}
    # A high power leaves the range of floats.
    inputs: dict[str, Any] = {
        p.name: draw(st.integers(1, 10) if p.symbol in exponents else _DOMAINS[p.domain]) for p in claim.parameters
    }
    others = []
    for condition in claim.conditions:
        name = str(condition.lhs)
        value = _within(draw, claim, condition, inputs) if name in inputs else None
        if value is None:
            others.append(condition)
        else:
            inputs[name] = value
    # A condition that does not simply limit one parameter is met by chance, or the example is discarded.
    if others:
        assume(not {*others} & {*claim.failing(checked(claim.parameters, inputs))})
    return inputs


def _within(draw: DrawFn, claim: Claim, condition: Any, inputs: Mapping[str, Number]) -> Any:
    """A value of the left side that meets a condition, some barely; None if the right side is not a plain number."""
    if isinstance(condition, sp.GreaterThan) and condition.lhs == T and str(condition.rhs) == limit_of(claim, T):
        return shortest_horizon(claim, inputs) + draw(st.one_of(st.just(0), st.integers(0, 10**6)))
    # A limit may be a quantity that the claim derives.
    rhs = claim.expression(str(condition.rhs)) if str(condition.rhs) in claim.names else condition.rhs
    limit = rhs.subs(checked(claim.parameters, inputs))
    match condition:
        case sp.StrictGreaterThan() | sp.StrictLessThan() if isinstance(limit, sp.Rational) and limit > 0:
            exact, beyond = Fraction(int(limit.p), int(limit.q)), 1 + Fraction(10 ** draw(st.floats(-6, 2)))
            return exact * beyond if isinstance(condition, sp.StrictGreaterThan) else exact / beyond
        case sp.GreaterThan() if isinstance(limit, sp.Rational) and limit > 0 and not condition.lhs.is_integer:
            return Fraction(int(limit.p), int(limit.q)) * (1 + Fraction(draw(st.sampled_from([0, 1, 8, 800])), 8))
        case sp.GreaterThan() if limit.is_nonpositive:
            # Every value of its domain is beyond it.
            return inputs[str(condition.lhs)]
        case sp.LessThan() if isinstance(limit, sp.Integer) and limit > 0 and condition.lhs.is_integer:
            return draw(st.integers(1, int(limit)))
        case sp.LessThan() if isinstance(limit, sp.Rational) and limit > 0:
            return Fraction(int(limit.p), int(limit.q)) * Fraction(draw(st.sampled_from([8, 7, 1])), 8)
    return None


_DOMAINS: Mapping[str, SearchStrategy[Number]] = {
    "positive real": POSITIVE_REALS,
    "positive integer": st.integers(1, 10_000),
    "real": st.one_of(POSITIVE_REALS, st.integers(-100, 0)),
}
