"""Strategies from which only tests draw: numbers, radii, regressions with unbounded gradients."""

from fractions import Fraction

import hypothesis.strategies as st
import sympy as sp

from boundcheck.functions.objectives.linear import LeastSquares
from boundcheck.properties import SIZES, ball, shapes

POSITIVE_REALS = st.one_of(
    SIZES,
    st.integers(1, 100),
    st.fractions(Fraction(1, 100), 100, max_denominator=1000),
    st.decimals("0.01", 100, places=2).map(str),
)
"""Positive reals of every type that claims take: float, int, Fraction, and decimals as strings."""


@st.composite
def least_squares_problems(draw, shape=None, *, samples=6):
    """Linear regressions on data and targets of any spectrum."""
    d, k = draw(shapes(5)) if shape is None else shape
    n = draw(st.integers(1, samples))
    norms = st.sampled_from([1.0, 0.1, 30.0])
    return LeastSquares(draw(ball((n, k), draw(norms))), draw(ball((n, d), draw(norms))))


@st.composite
def domains(draw, adapter):
    """Radii from 0.05 to 3, or a share of the limit that a condition of the adapter sets."""
    radii = {name: draw(st.sampled_from((1.0, 0.05, 0.5, 3.0))) for name in adapter.radius_names}
    for condition in adapter.conditions():
        limited = [name for name in radii if name in map(str, condition.rhs.free_symbols)]
        if isinstance(condition, sp.StrictGreaterThan) and limited:
            known = adapter.constants(radii | {limited[-1]: 1.0})
            at_one = float(
                condition.rhs.subs({x: known[str(x)] for x in condition.rhs.free_symbols})
            )
            radii[limited[-1]] = (
                draw(st.sampled_from((0.5, 0.01, 0.9))) * known[str(condition.lhs)] / at_one
            )
    return radii
