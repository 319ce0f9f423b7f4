"""Short runs of theorems: both sides against exact rational arithmetic, what is certain of them,
and stored runs."""

from dataclasses import replace
from fractions import Fraction
from itertools import product

import pytest
from sympy import Le, Symbol

from boundcheck.functions.piecewise import PiecewiseLinear
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim
from boundcheck.worst_case.instance import certify
from tests.experiment.small import refused, with_quantity_scaled
from tests.worst_case.small import REPAIRED, run


def rational_mean_squares(made, alpha):
    """N_1, ..., N_T by a loop over all paths, in fractions."""
    slope = PiecewiseLinear.through(*made.knots.tolist())
    offsets = [Fraction(made.offset), -Fraction(made.offset)]
    A, B = (Fraction(part.item()) for part in made.v)
    points = [(A, B)]
    means = []
    for _ in range(made.steps):
        m = [slope.value(B * A) for A, B in points]
        squares = [(B * g) ** 2 + (A * g) ** 2 for (A, B), g in zip(points, m, strict=True)]
        means.append(sum(squares) / len(points))
        points = [
            (A - alpha * B * (g + c), B - alpha * A * (g + c))
            for ((A, B), g), c in product(zip(points, m, strict=True), offsets)
        ]
    return means


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_both_sides_agree_with_fractions(steps):
    made = run(steps=steps)
    alpha = Fraction(made.claim.values(**made.inputs)["alpha"])
    exact = min(rational_mean_squares(made, alpha))
    compared = made.compare()
    assert abs(Fraction(compared.measured.value) - exact) <= Fraction(compared.measured.error)
    assert compared.measured.error <= 1e-10 * compared.measured.value
    assert compared.bound.value == made.claim.bound(**made.inputs)
    found = certify(made)
    assert found.inside
    # At the exact step size, of which alpha is the nearest float.
    assert found.lower == pytest.approx(float(exact) / compared.bound.value, rel=1e-12)


def test_the_constants_are_those_of_the_run():
    made = run()
    inputs = {name: float(x) for name, x in made.inputs.items()}
    w = 0.75**2
    gap = 0.125 * (w - 0.375) + 0.125**2 / 2
    assert inputs["D"] == pytest.approx(gap, rel=1e-8)
    assert inputs["D"] >= gap
    # The noise of the gradient at the corner of the ball.
    assert inputs["zeta"] == pytest.approx(8**0.5, rel=1e-8)
    assert inputs["zeta"] ** 2 >= 8
    assert inputs["L"] == pytest.approx(1)
    assert inputs["G"] == pytest.approx(0.125)
    assert inputs["T"] == 3


def test_a_false_theorem_is_violated_and_a_true_one_is_not():
    made = run(steps=1)
    share = certify(made).lower
    assert 0 < share < 1
    # The same run, and a bound a little above and below what was measured.
    for factor, violated in ((share * 1.001, False), (share * 0.999, True)):
        other = with_quantity_scaled(REPAIRED, Fraction(factor))
        assert certify(replace(made, claim=other)).violated == violated
        assert replace(made, claim=other).compare().fails == violated


def test_a_run_that_leaves_the_ball_violates_nothing():
    weak = with_quantity_scaled(REPAIRED, Fraction(1, 10**6))
    made = replace(run(weak), radii={"a": 0.76, "b": 0.76})
    assert not made.stays
    assert not certify(made).inside
    assert not certify(made).violated
    # Nor one of which the theorem does not speak, because T is too short.
    short = run(weak, offset=1e-3)
    assert refused(short.check).field == "T"
    assert not certify(short).violated


@pytest.mark.parametrize(
    "id", ["jiang2024.theorem2", "meft.theorem2_best_step", "ghadimi2013.corollary2_2"]
)
def test_other_theorems_hold_on_it(id):
    found = certify(run(catalogue[id]))
    assert found.inside is True
    assert found.violated is False
    assert 0.001 < found.lower < 1


def test_gradient_descent_has_one_path_and_no_noise():
    made = run(catalogue["nesterov2004.gradient_descent"], offset=0.0)
    assert "zeta" not in made.inputs
    assert made.problem.objective.samples == 1
    assert certify(made).inside


def test_a_theorem_about_something_else_is_refused():
    thousandfold = Le(1000 * REPAIRED.conclusion.lhs, REPAIRED.conclusion.rhs)
    last = replace(REPAIRED, id="mine", measure=None, conclusion=thousandfold)
    assert refused(run(last).check).field == "claim.conclusion"


def test_a_hypothesis_that_no_run_can_decide_makes_it_a_candidate():
    strange = Claim("strange", "Strange", "test", Le(Symbol("x"), 1))
    half = replace(REPAIRED.quantities[-1], expression=REPAIRED.quantities[-1].expression / 1000)
    false = replace(REPAIRED, id="mine", quantities=(*REPAIRED.quantities[:-1], half))
    assert certify(run(false)).violated
    found = certify(run(replace(false, hypotheses=(*false.hypotheses, strange))))
    assert found.inside is True
    assert found.exceeds is True
    assert found.violated is False
    assert found.open == ("Strange",)
