"""Both ends of worst cases: against exact rates, PEPit, and a naive check of every interpolation inequality."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import permutations
from typing import Any

import hypothesis.strategies as st
import pytest
import sympy as sp
from hypothesis import given

from boundcheck.errors import InputError
from boundcheck.language.algorithms import GRADIENT_DESCENT, HEAVY_BALL, NESTEROV, SGD
from boundcheck.language.catalogue import catalogue
from boundcheck.language.measures import LAST_DISTANCE, LAST_GAP, LEAST_GRADIENT
from boundcheck.proof import judge
from boundcheck.worst_case import falsify
from boundcheck.worst_case import program as estimation
from boundcheck.worst_case.program import NotExactError, Program, RationalRun, Solver, above, below
from boundcheck.worst_case.worst_case import WorstCase
from tests.layers import examples

Vector = list[Fraction]
HALF = Fraction(1, 2)
third = st.fractions(Fraction(1, 10), Fraction(17, 10), max_denominator=20)


def descent(step: Any) -> Program:
    return Program(GRADIENT_DESCENT, {"alpha": step}, LEAST_GRADIENT, 1, gap=1)


def noisy(iterates: int) -> Program:
    return Program(SGD, {"alpha": sp.Rational(1, 2)}, LEAST_GRADIENT, 1, gap=1, noise=2 / sp.sqrt(iterates))


def convex(step: Any) -> Program:
    return Program(GRADIENT_DESCENT, {"alpha": step}, LAST_GAP, 1, is_convex=True, distance=1)


def ends(program: Program, iterates: int) -> tuple[Fraction, Fraction]:
    solver = Solver(program, iterates)
    return below(solver)[1], above(solver)[1]


# Exact rates.


@pytest.mark.full
@given(third, st.integers(2, 4))
@examples(10)
def test_the_exact_rate_of_gradient_descent_is_between(step: Fraction, iterates: int) -> None:
    """Abbaszadehpeivasti, de Klerk and Zamani 2022, Theorem 2, at L = D = 1."""
    rate = 4 / ((iterates - 1) * min(4 * step - step**2, 4 * step - step**3) + 2)
    low, high = ends(descent(step), iterates)
    assert low < rate < high < low * Fraction(100001, 100000)


@pytest.mark.parametrize("iterates", [2, 3])
def test_so_is_the_one_at_a_step_that_is_no_rational_number(iterates: int) -> None:
    step = 2 / sp.sqrt(3)
    rate = 4 / ((iterates - 1) * (4 * step - step**3) + 2)
    low, high = ends(descent(step), iterates)
    assert sp.Rational(low.numerator, low.denominator) < rate < sp.Rational(high.numerator, high.denominator)


@pytest.mark.parametrize("iterates", [1, 2, 3])
def test_so_are_drori_and_teboulles_and_the_quadratics(iterates: int) -> None:
    low, high = ends(convex(1), iterates)
    assert low < Fraction(1, 4 * iterates - 2) < high
    strong = Program(
        GRADIENT_DESCENT, {"alpha": Fraction(4, 3)}, LAST_DISTANCE, 1, strong=HALF, is_convex=True, distance=1
    )
    low, high = ends(strong, iterates)
    assert low < Fraction(1, 9) ** (iterates - 1) < high


@pytest.mark.parametrize("id", ["bottou2018.convex_average", "bottou2018.contraction"])
def test_convex_functions_with_noise_have_both_ends(id: str) -> None:
    (case,) = falsify(id, WorstCase([2]))
    assert case.lower < case.numerical < case.upper < case.lower * 1.00001


# An instance, recomputed with nothing but fractions.


def plain(table: dict[str, Any], name: str) -> list[Vector]:
    return [[Fraction(x) for x in row] for row in table[name]]


def inner(x: Vector, y: Vector) -> Fraction:
    return sum((p * q for p, q in zip(x, y, strict=True)), Fraction(0))


def moved(x: Vector, scale: Fraction, y: Vector) -> Vector:
    return [p + scale * q for p, q in zip(x, y, strict=True)]


def naive(table: dict[str, Any], step: Fraction, iterates: int, square_noise: Fraction = Fraction(0)) -> Fraction:
    """The least mean squared gradient of a run of (stochastic) gradient descent on a smooth function, D = L = 1."""
    gradients, noise = plain(table, "gradients"), plain(table, "noise")
    values = [Fraction(x) for x in table["values"]]
    points, level, kicks = [[Fraction(0)] * len(gradients[0])], [0], iter(noise)
    levels = [level]
    for _ in range(iterates - 1):
        after = []
        for place in level:
            kick = next(kicks, None)
            for sign in (-1, 1) if kick else (0,):
                g = moved(gradients[place], Fraction(sign), kick) if kick else gradients[place]
                after.append(len(points))
                points.append(moved(points[place], -step, g))
        level = after
        levels.append(level)
    assert len(points) == len(gradients) == len(values)
    for x, y in permutations(range(len(points)), 2):
        d, change = moved(points[x], Fraction(-1), points[y]), moved(gradients[x], Fraction(-1), gradients[y])
        mean = [(p + q) / 2 for p, q in zip(gradients[x], gradients[y], strict=True)]
        assert values[x] - values[y] >= inner(mean, d) + inner(change, change) / 4 - inner(d, d) / 4
    assert all(2 * f >= inner(g, g) for f, g in zip(values, gradients, strict=True))
    assert all(inner(n, n) <= square_noise for n in noise)
    assert values[0] <= 1
    return min(sum((inner(gradients[i], gradients[i]) for i in level), Fraction(0)) / len(level) for level in levels)


@given(third, st.integers(1, 4))
@examples(6)
def test_an_instance_is_what_it_says(step: Fraction, iterates: int) -> None:
    instance, least = below(Solver(descent(step), iterates))
    assert least == naive(instance.as_json(), step, iterates)


@pytest.mark.parametrize("iterates", [2, 3])
def test_so_is_one_with_noise(iterates: int) -> None:
    instance, least = below(Solver(noisy(iterates), iterates))
    assert least == naive(instance.as_json(), HALF, iterates, Fraction(4, iterates))


CHANGES: list[Callable[[RationalRun], RationalRun]] = [
    lambda x: replace(x, values=(x.values[0] + Fraction(1, 10**5), *x.values[1:])),
    lambda x: replace(x, values=(*x.values[:-1], x.values[-1] / 2)),
    lambda x: replace(x, gradients=tuple(tuple(e * Fraction(10001, 10000) for e in g) for g in x.gradients)),
    lambda x: replace(x, gradients=(*x.gradients[:-1], x.gradients[0])),
    lambda x: replace(x, kicks=tuple(tuple(e * Fraction(10001, 10000) for e in n) for n in x.kicks)),
]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("program", [noisy(2), replace(noisy(2), numbers={"alpha": 1 / sp.sqrt(3)})])
def test_a_changed_instance_is_refused(program: Program, change: Callable[[RationalRun], RationalRun]) -> None:
    instance, _ = below(Solver(program, 2))
    with pytest.raises(NotExactError, match="does not hold"):
        change(instance).measure()


# The theorem.


def test_a_theorem_rests_on_laws_about_the_function_alone() -> None:
    (case,) = falsify("nesterov2004.gradient_descent", WorstCase([2]))
    assert case.theorem is not None
    assert case.theorem["hypotheses"] == [
        "for all v_1, v_2: ‖∇F(v_1) - ∇F(v_2)‖_F <= ‖v_1 - v_2‖_F",
        "for all v: f_star <= F(v)",
        "‖∇F(x_1) - x_1 + x_2‖_F = 0",
    ]
    assert case.theorem["conclusion"] == (
        "for all m with m <= ‖∇F(x_1)‖_F^2; m <= ‖∇F(x_2)‖_F^2: "
        "2000000401/2500000000*f_star + m <= 2000000401/2500000000*F(x_1)"
    )
    assert case.theorem["standard_facts"] == ["descent_lemma"]
    assert case.upper == pytest.approx(2000000401 / 2500000000, abs=1e-15)


@pytest.mark.full
@pytest.mark.parametrize("program", [noisy(2), descent(2 / sp.sqrt(3)), convex(1)], ids=["noise", "root", "convex"])
def test_a_changed_multiplier_is_refused(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []

    def kept(script: Any) -> Any:
        made.append(script)
        return judge(script)

    multipliers: list[Any] = []
    original = estimation._named
    monkeypatch.setattr(estimation, "_named", lambda *given: multipliers.append(original(*given)) or multipliers[-1])
    above(Solver(program, 2))
    found = multipliers[-1]
    assert judge(found.script).verdict == "proved"
    pair, weight = next(iter(found.pairs.items()))
    (size, root), *squares = found.squares[0]
    changed = [
        replace(found, start=found.start * Fraction(999999, 1000000)),
        replace(found, pairs=found.pairs | {pair: weight + Fraction(1, 10**9)}),
        replace(found, pairs=found.pairs | {pair: -weight}),
        replace(found, squares=(((size + 1, root), *squares), *found.squares[1:])),
        replace(found, curvature=found.curvature + Fraction(1, 100)),
    ]
    for wrong in changed:
        with pytest.raises(InputError, match=r"certificate|exact algebra"):
            judge(wrong.script)


def test_without_an_end_it_says_why() -> None:
    (case,) = falsify("nesterov2004.gradient_descent", WorstCase([7]))
    assert (case.upper, case.theorem) == (None, None)
    assert case.lower is not None
    assert case.without == ("no upper end: a theorem about more than 6 iterates would be too long",)
    assert case.ends[1] == "–"
    assert case.without[0] in case.how


def test_numbers_that_are_not_rational_have_no_exact_end() -> None:
    program = Program(HEAVY_BALL, {"alpha": HALF, "beta": 1 / sp.sqrt(2)}, LEAST_GRADIENT, 1, gap=1)
    with pytest.raises(NotExactError, match="beta"):
        _ = program.rational


def test_an_end_is_in_the_units_of_the_claim() -> None:
    (case,) = falsify("nesterov2004.gradient_descent", WorstCase([2], {"ell": 3.0, "D": 0.5}))
    assert case.lower < 0.8 * 1.5 < case.upper
    assert catalogue[case.claim].bound(**case.inputs) == case.bound


# PEPit, as a twin.

METHODS = {
    "gradient descent": descent(1),
    "convex": convex(1),
    "Nesterov": replace(convex(1), algorithm=NESTEROV),
    "heavy ball": Program(HEAVY_BALL, {"alpha": HALF, "beta": HALF}, LEAST_GRADIENT, 1, gap=1),
}


@pytest.mark.parametrize("name", METHODS)
def test_pepit_finds_the_same(name: str) -> None:
    pepit = pytest.importorskip("PEPit")
    from PEPit.functions import SmoothConvexFunction, SmoothFunction

    program, problem = METHODS[name], pepit.PEP()
    F = problem.declare_function(SmoothConvexFunction if program.is_convex else SmoothFunction, L=1.0)
    v = u = problem.set_initial_point()
    start, seen = v, []
    least: Any = 0
    if program.is_convex:
        star = F.stationary_point()
        least = F.value(star)
        problem.set_initial_condition((start - star) ** 2 <= 1)
    else:
        problem.set_initial_condition(F.value(start) <= 1)
    y = v
    for t in range(1, 4):
        seen.append(v)
        if name == "Nesterov":
            after = y - F.gradient(y)
            v, y = after, after + (t - 1) / (t + 2) * (after - v)
        elif name == "heavy ball":
            v, u = v - F.gradient(v) / 2 + (v - u) / 2, v
        else:
            v = v - F.gradient(v)
    for x in seen[-1:] if program.is_convex else seen:
        gradient, value = F.oracle(x)
        problem.set_performance_metric(value - least if program.is_convex else gradient**2)
        problem.add_constraint(value - least >= gradient**2 / 2)
    low, high = ends(program, 3)
    value = problem.solve(wrapper="cvxpy", solver="CLARABEL", verbose=0)
    assert float(low) - 1e-6 <= value <= float(high) + 1e-6
