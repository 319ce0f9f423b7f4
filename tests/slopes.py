"""A Hypothesis strategy for runs of Algorithm 1 in exact arithmetic, in which every hypothesis of
the theorem holds."""

from fractions import Fraction
from math import isqrt

import hypothesis.strategies as st
from hypothesis import assume

from boundcheck.language.judge import meets
from boundcheck.proof.instance import MeftRun
from boundcheck.proof.witness import on_run
from boundcheck.properties.problem_strategies import fractions, offsets, slopes
from proofs.jiang2024.claims import THEOREM_2
from proofs.jiang2024.setting import READING


def above_root(x):
    """A positive number with denominator 16 that is at least the square root of x."""
    whole = isqrt(256 * x.numerator // x.denominator)
    return Fraction(whole if whole > 0 and Fraction(whole, 16) ** 2 == x else whole + 1, 16)


def has_printed_step(run):
    """Whether alpha is sqrt(D/(Lhat zeta^2 T)), as Theorem 2 prints it."""
    return run.alpha**2 * run.smoothness * run.zeta**2 * run.T == run.gap


def judged(run, step="printed"):
    """What of Theorem 2 holds in a run; with `step` "any", whatever step size it has."""
    asked = [
        each
        for each in THEOREM_2.quantities
        if each.name in ("Lhat", "T_min", *(["alpha"] * (step == "printed")))
    ]
    return meets(on_run("A run", run).told(READING), THEOREM_2, tuple(asked))


@st.composite
def instances(draw):
    """Runs with true constants and a small step, of either kind, that meet every hypothesis."""
    slope = draw(slopes())
    samples = draw(offsets())
    assume(slope.lipschitz > 0)
    start = (draw(fractions(-1, 1)), draw(fractions(-1, 1)))
    sigma = draw(fractions(1, 2))
    T = draw(st.integers(1, 3))
    constants = {
        "claim": THEOREM_2,
        "slope": slope,
        "L": slope.lipschitz,
        "G": slope.bound,
        "C": sigma,
        "sigma": sigma,
    }
    run = {"offsets": samples, "start": start, "T": T}
    probe = MeftRun(**constants, **run, zeta=1, alpha=1)
    ratio = draw(st.sampled_from([Fraction(1, 2), Fraction(1, 4), Fraction(1, 16)]))
    step = draw(st.sampled_from(["printed", "any"]))
    if step == "printed":
        # A C that is a little too large makes L̂DT a square, and so zeta = sqrt(L̂D/T)/ratio
        # rational.
        assume(probe.gap > 0)
        root = above_root(probe.smoothness * probe.gap * T)
        smoothness = root**2 / (probe.gap * T)
        constants["C"] = (smoothness - slope.bound) / (2 * slope.lipschitz * sigma)
        zeta = root / T / ratio
    else:
        # As little as may be: by the noise that there is and the iterations that there are.
        smoothness = probe.smoothness
        noise = 2 * sigma**2 * sum(c * c for c in samples) / len(samples)
        zeta = above_root(max(noise, probe.shortest_horizon / T))
    instance = MeftRun(**constants, **run, zeta=zeta, alpha=ratio / smoothness)
    assume(judged(instance, step).holds)
    return instance
