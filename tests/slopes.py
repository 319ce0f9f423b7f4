"""Hypothesis strategies for problems in exact arithmetic: small fractions, derivatives f', and runs of Algorithm 1."""

from fractions import Fraction

import hypothesis.strategies as st
from hypothesis import assume
from hypothesis.strategies import DrawFn, SearchStrategy

from boundcheck.problems.piecewise import PiecewiseLinear
from boundcheck.prove.instance import Instance


def fractions(least: Fraction | int, most: Fraction | int) -> SearchStrategy[Fraction]:
    """Fractions that a float holds, and others."""
    return st.fractions(least, most, max_denominator=16)


@st.composite
def slopes(draw: DrawFn, most: int = 4) -> PiecewiseLinear:
    """Any f' with a minimum of f: one knot or several, steep or flat, f convex or not."""
    positions = sorted(draw(st.lists(fractions(-most, most), min_size=1, max_size=5, unique=True)))
    values = [draw(fractions(-most, most)) for _ in positions]
    values[0], values[-1] = -abs(values[0]), abs(values[-1])
    if len(values) == 1:
        values = [Fraction(0)]
    return PiecewiseLinear(tuple(zip(positions, values, strict=True)))


@st.composite
def offsets(draw: DrawFn, most: int = 2) -> tuple[Fraction, ...]:
    """One to three offsets whose sum is 0."""
    first = draw(st.lists(fractions(-most, most), max_size=2))
    return (*first, -sum(first, Fraction(0)))


@st.composite
def instances(draw: DrawFn) -> Instance:
    """Runs with true constants and a small step, of either kind, that meet every hypothesis."""
    slope, samples = draw(slopes()), draw(offsets())
    assume(slope.lipschitz > 0)
    start = (draw(fractions(-1, 1)), draw(fractions(-1, 1)))
    sigma, T = draw(fractions(1, 2)), draw(st.integers(1, 3))
    constants = {"slope": slope, "L": slope.lipschitz, "G": slope.bound, "C": sigma, "sigma": sigma}
    run = {"offsets": samples, "start": start, "T": T}
    probe = Instance(**constants, **run, zeta2=1, alpha=1)
    alpha = draw(st.sampled_from([Fraction(1), Fraction(1, 2), Fraction(1, 8)])) / (2 * probe.smoothness)
    step = draw(st.sampled_from(["printed", "any"]))
    # As little as may be: by the step size as printed, or by the noise that there is and the iterations that there are.
    least = max(probe.largest_noise, probe.shortest_horizon / T)
    zeta2 = probe.gap / (alpha**2 * probe.smoothness * T) if step == "printed" else least
    assume(zeta2 > 0)
    instance = Instance(**constants, **run, zeta2=zeta2, alpha=alpha, step=step)
    assume(not instance.failures())
    return instance
