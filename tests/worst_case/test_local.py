"""No exact instance exceeds an upper end that is printed, wherever the hypotheses of a claim ask
something of F.

The instances share no code with the package: functions of one variable whose slope is piecewise
linear and may jump, with runs in fractions. Whether they meet a hypothesis is decided here, from
what its statement says.
"""

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from itertools import pairwise, product

import hypothesis.strategies as st
import pytest
import sympy as sp
from hypothesis import given

from boundcheck.language.algorithms import GRADIENT_DESCENT, NESTEROV
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Quantifier, Quantity
from boundcheck.language.measures import (
    AVERAGE_GAP,
    AVERAGE_GRADIENT,
    LAST_DISTANCE,
    LAST_GAP,
    LEAST_GRADIENT,
)
from boundcheck.language.sentence import algorithm_of, theorem, words_of
from boundcheck.language.stated import has_worst_case
from boundcheck.language.symbols import R_1, D, Lhat, T, alpha, bound, ell, mu_F
from boundcheck.worst_case import falsify
from boundcheck.worst_case.worst_case import WorstCase
from tests.layers import examples, full

MU = Fraction(1, 4)


@dataclass(frozen=True)
class Curve:
    """F of one variable: F' on each piece, from its start on, is value + slope (x - start); the
    first has no start."""

    pieces: tuple[tuple[Fraction, Fraction, Fraction], ...]

    @property
    def ends(self):
        return [start for start, _, _ in self.pieces[1:]]

    def slope(self, x):
        start, value, slope = self.pieces[0]
        for piece in self.pieces[1:]:
            if piece[0] <= x:
                start, value, slope = piece
        return value + slope * (x - start)

    def rise(self, x, y):
        """F(y) - F(x), by trapezoids, for x <= y."""
        cuts = [x, *(end for end in self.ends if x < end < y), y]
        total = Fraction(0)
        for p, q in pairwise(cuts):
            total += (q - p) * self.slope((p + q) / 2)
        return total

    def value(self, x):
        return self.rise(Fraction(0), x) if x >= 0 else -self.rise(x, Fraction(0))

    def jump(self, end):
        place = self.ends.index(end)
        start, value, slope = self.pieces[place]
        return self.slope(end) - (value + slope * (end - start))

    def within(self, low, high):
        """The curvatures on an interval, and the jumps there, ends included."""
        edges = [None, *self.ends, None]
        curvatures = []
        for (_, _, slope), (left, right) in zip(self.pieces, pairwise(edges), strict=True):
            if (high is None or left is None or left < high) and (
                low is None or right is None or right > low
            ):
                curvatures.append(slope)
        inside = [x for x in self.ends if (low is None or low <= x) and (high is None or x <= high)]
        return curvatures, [self.jump(x) for x in inside]

    def is_smooth(self, low=None, high=None):
        curvatures, jumps = self.within(low, high)
        return all(abs(x) <= 1 for x in curvatures) and not any(jumps)

    def is_convex(self, least, low=None, high=None):
        curvatures, jumps = self.within(low, high)
        return all(x >= least for x in curvatures) and all(x >= 0 for x in jumps)

    @property
    def minimiser(self):
        """A point where F is least; None where F has no least value."""
        _, first, left = self.pieces[0]
        start, last, right = self.pieces[-1]
        if left < 0 or right < 0 or (left == 0 and first > 0) or (right == 0 and last < 0):
            return None
        points = list(self.ends)
        for start, value, slope in self.pieces:
            if slope:
                points.append(start - value / slope)
        return min(points, key=self.value)


@dataclass(frozen=True)
class Run:
    """A run on a curve, with ℓ = R_1 = D = 1.

    Attributes:
        points: v_1, ..., v_T.
        steps: the two ends of each step, the last one to v_{T+1}.
        mu: the constant of strong convexity.

    """

    curve: Curve
    points: list[Fraction]
    steps: list[tuple[Fraction, Fraction]]
    mu: Fraction = MU

    @property
    def least(self):
        return self.curve.minimiser

    @property
    def first(self):
        return self.points[0]

    def gap(self, x):
        return self.curve.value(x) - self.curve.value(self.least)

    @property
    def is_smooth_on_steps(self):
        # On a line the ball of a step is its segment.
        return all(self.curve.is_smooth(min(ends), max(ends)) for ends in self.steps)

    def each(self, of):
        return [of(x) for x in self.points]


def descended(curve, first, step, steps, **more):
    """Gradient descent."""
    xs = [first]
    for _ in range(steps):
        xs.append(xs[-1] - step * curve.slope(xs[-1]))
    return Run(curve, xs[:-1], [*pairwise(xs)], **more)


def accelerated(curve, first, step, steps):
    """Su, Boyd and Candès: x_k = y_{k-1} - s∇f(y_{k-1}), y_k = x_k + (k - 1)/(k + 2)(x_k -
    x_{k-1}); v_t is x_{t-1}."""
    xs = [first]
    y = first
    for k in range(1, steps + 1):
        xs.append(y - step * curve.slope(y))
        y = xs[-1] + Fraction(k - 1, k + 2) * (xs[-1] - xs[-2])
    return Run(curve, xs[:-1], [*pairwise(xs)])


WORDS = {
    "smooth": lambda run: run.is_smooth_on_steps,
    "smooth_around": lambda run: run.is_smooth_on_steps,
    "smooth_everywhere": lambda run: run.curve.is_smooth(),
    "convex": lambda run: run.curve.is_convex(Fraction(0)),
    "strongly_convex": lambda run: run.curve.is_convex(run.mu, run.least - 1, run.least + 1),
    "strongly_convex_everywhere": lambda run: run.curve.is_convex(run.mu),
    "near_minimiser": lambda run: abs(run.first - run.least) <= 1,
    "bounded_below": lambda run: run.gap(run.first) <= 1,
    # What is drawn has mean 0, and the variance that the claim speaks of.
    "unbiased": lambda run: True,
    "bounded_variance": lambda run: True,
}
MEASURES = {
    LEAST_GRADIENT: lambda run: min(run.each(lambda x: run.curve.slope(x) ** 2)),
    AVERAGE_GRADIENT: lambda run: mean(run.each(lambda x: run.curve.slope(x) ** 2)),
    LAST_GAP: lambda run: run.each(run.gap)[-1],
    AVERAGE_GAP: lambda run: mean(run.each(run.gap)),
    LAST_DISTANCE: lambda run: run.each(lambda x: (x - run.least) ** 2)[-1],
}


def mean(numbers):
    return sum(numbers, Fraction(0)) / len(numbers)


def measured(claim, run):
    """The measure of a run; None where it breaks a hypothesis."""
    if run.least is None or not all(WORDS[word.id](run) for _, word in words_of(claim)):
        return None
    return MEASURES[claim.measure](run)


def made(smooth, *others, size, measure):
    """Gradient descent of this size/ℓ, of which nothing is known but its worst case."""
    said = tuple(
        catalogue[f"classic.{id}"] if id != "bounded_below" else BELOW for id in (smooth, *others)
    )
    limit = 100 * T * (D if "bounded_below" in others else R_1)
    quantities = (
        Quantity(Lhat, ell),
        Quantity(alpha, sp.Rational(str(size)) / Lhat),
        Quantity(bound, limit),
    )
    narrow = (sp.Lt(mu_F, Lhat),) if any(mu_F in x.conclusion.free_symbols for x in said) else ()
    words = {"algorithm": GRADIENT_DESCENT, "measure": measure}
    return theorem("mine", "Mine", "test", Quantifier(), said, quantities, narrow, **words)


BELOW = catalogue["jiang2024.bounded_below"]
SMOOTH = ("smooth", "smooth_around", "smooth_everywhere")
CLASSES = (
    *product([("bounded_below",)], (LEAST_GRADIENT, AVERAGE_GRADIENT, LAST_GAP)),
    *product(
        [("convex", "near_minimiser"), ("strongly_convex", "near_minimiser")],
        (LAST_GAP, LAST_DISTANCE, LEAST_GRADIENT),
    ),
    (("strongly_convex_everywhere", "near_minimiser"), LAST_DISTANCE),
)
SIZES = tuple(map(Fraction, ("1/2", "1", "3/2", "9/4")))


@cache
def worst(smooth, others, measure, size, steps):
    claim = made(smooth, *others, size=size, measure=measure)
    constants = {"mu_F": float(MU)} if "mu_F" in {p.name for p in claim.parameters} else {}
    (case,) = falsify(claim, WorstCase([steps], constants))
    return claim, case


small = st.fractions(-2, 2, max_denominator=4)
curvatures = st.sampled_from([Fraction(x) for x in ("1", "1", "0", "1/4", "1/2", "-1", "2")])


@st.composite
def curves(draw):
    """Of up to four pieces, with a jump between two of them or none."""
    starts = sorted(draw(st.sets(small, min_size=1, max_size=3)))
    value = draw(small)
    slope = draw(curvatures)
    pieces = [(starts[0], value, slope)]
    for start in starts:
        begun, height, rise = pieces[-1]
        jump = draw(
            st.sampled_from(
                [Fraction(0), Fraction(0), Fraction(1, 2), Fraction(1), Fraction(-1, 2)]
            )
        )
        pieces.append((start, height + rise * (start - begun) + jump, draw(curvatures)))
    return Curve(tuple(pieces))


# |x|, whose kink a step need not meet; a Huber function; one that is less steep beyond 1.
KINK = Curve(
    ((Fraction(0), Fraction(-49, 100), Fraction(0)), (Fraction(0), Fraction(49, 100), Fraction(0)))
)
FLAT = Curve(
    (
        (Fraction(-1), Fraction(-1), Fraction(0)),
        (Fraction(-1), Fraction(-1), Fraction(1)),
        (Fraction(1), Fraction(1), Fraction(0)),
    )
)
PARABOLA = Curve(((Fraction(0), Fraction(0), Fraction(1)),))
LOWER = replace(FLAT, pieces=((Fraction(-1), Fraction(-1), Fraction(1, 4)), *FLAT.pieces[1:]))


def cases():
    for smooth, (others, measure), size in product(SMOOTH, CLASSES, SIZES):
        yield smooth, others, measure, size, 2
        if size <= 1:
            yield smooth, others, measure, size, 3


@full
@given(st.sampled_from([*cases()]), st.lists(st.tuples(curves(), small), min_size=30, max_size=30))
@examples(120)
def test_no_exact_instance_exceeds_an_upper_end(made, drawn):
    claim, case = worst(*made)
    *_, size, steps = made
    for curve, first in (*drawn, *product((KINK, FLAT, LOWER), map(Fraction, (1, -1)))):
        found = measured(claim, descended(curve, first, size, steps))
        if found is not None and case.upper is not None:
            assert float(found) <= case.upper


@cache
def of_catalogue():
    """Each theorem of the catalogue with a worst case that has an upper end, where F itself is what
    is smooth."""
    claims = [claim for claim in catalogue.values() if has_worst_case(claim)]
    claims = [claim for claim in claims if all(word.id in WORDS for _, word in words_of(claim))]
    found = [(claim, case) for claim in claims for case in falsify(claim, WorstCase([2, 3]))]
    return [(claim, case) for claim, case in found if case.upper is not None]


@full
@given(st.lists(st.tuples(curves(), small), min_size=40, max_size=40))
@examples(40)
def test_none_exceeds_an_upper_end_of_a_theorem_of_the_catalogue(drawn):
    cases = of_catalogue()
    assert len({claim.id for claim, _ in cases}) >= 4
    curves = product((KINK, FLAT, LOWER, PARABOLA), map(Fraction, (1, -1)))
    for (claim, case), (curve, first) in product(cases, (*drawn, *curves)):
        step = Fraction(case.step)
        if algorithm_of(claim) is NESTEROV:
            run = accelerated(curve, first, step, case.steps)
        else:
            mu = Fraction(case.inputs.get("mu_F", 0))
            run = descended(curve, first, step, case.steps, mu=mu)
        found = measured(claim, run)
        assert found is None or float(found) <= case.upper * (1 + 1e-9), (
            claim.id,
            curve,
            first,
        )


@pytest.mark.parametrize(
    "smooth, size, curve, others, measure",
    [
        ("smooth", Fraction(1), KINK, ("convex", "near_minimiser"), LAST_GAP),
        ("smooth_around", Fraction(1), KINK, ("convex", "near_minimiser"), LAST_GAP),
    ],
)
def test_a_local_class_has_more_functions_than_the_worst_case_is_over(
    smooth, size, curve, others, measure
):
    claim, case = worst(smooth, others, measure, size, 2)
    found = measured(claim, descended(curve, Fraction(1), size, 2))
    assert found is not None
    assert float(found) > 1.1 * case.numerical
    assert case.upper is None
    assert case.theorem is None
    assert case.smaller
    assert case.lower < case.numerical
