"""Worst cases by performance estimation, and both of their ends: against exact rates, true runs,
theorems and PEPit."""

import itertools
import json
import math
from dataclasses import replace
from fractions import Fraction

import hypothesis.strategies as st
import pytest
import sympy as sp
import torch
from hypothesis import given

import boundcheck as bc
from boundcheck.errors import InputError
from boundcheck.functions.adapters import LoRA
from boundcheck.functions.arithmetic import replicate, square_norm
from boundcheck.functions.objectives.clipped import hard_instance
from boundcheck.functions.problem import Problem
from boundcheck.functions.sgd import sgd_step
from boundcheck.language.algorithms import GRADIENT_DESCENT, HEAVY_BALL, NESTEROV, SGD
from boundcheck.language.catalogue import catalogue
from boundcheck.language.measures import LAST_DISTANCE, LAST_GAP, LEAST_GRADIENT
from boundcheck.language.symbols import L, Lhat, ell, s
from boundcheck.proof import judge
from boundcheck.worst_case import falsify
from boundcheck.worst_case import program as estimation
from boundcheck.worst_case.program import (
    TOLERANCE,
    NotExactError,
    Program,
    Solver,
    above,
    below,
)
from boundcheck.worst_case.stored import replayed, save
from boundcheck.worst_case.view import rounded_down, worst_conclusion
from boundcheck.worst_case.worst_case import WorstCase, WorstCases
from tests.experiment.small import refused, with_quantity_scaled
from tests.layers import examples, full
from tests.present.texts import text_of

few_examples = examples(8)
sizes = st.floats(0.01, 100)
HALF = Fraction(1, 2)
third = st.fractions(Fraction(1, 10), Fraction(17, 10), max_denominator=20)


def descent(step, smoothness=1):
    return Program(GRADIENT_DESCENT, {"alpha": step}, LEAST_GRADIENT, smoothness, gap=1)


def noisy(iterates):
    return Program(
        SGD, {"alpha": sp.Rational(1, 2)}, LEAST_GRADIENT, 1, gap=1, noise=2 / sp.sqrt(iterates)
    )


def convex(step):
    return Program(GRADIENT_DESCENT, {"alpha": step}, LAST_GAP, 1, is_convex=True, distance=1)


SMOOTH = catalogue["classic.smooth_everywhere"]


def everywhere(id):
    """The theorem about F that is smooth on all of space, and not along its iterates alone."""
    claim = catalogue[id]
    return replace(claim, id="everywhere", hypotheses=(SMOOTH, *claim.hypotheses[1:]))


def two_point_sgd(smoothness, gap, zeta, step, iterates):
    return Solver(
        Program(SGD, {"alpha": step}, LEAST_GRADIENT, smoothness, gap=gap, noise=zeta), iterates
    ).value


def ends(program, iterates):
    solver = Solver(program, iterates)
    return below(solver)[1], above(solver)[1]


# Exact rates.


def exact_rate(step, iterates):
    """Abbaszadehpeivasti, de Klerk and Zamani 2022, Theorem 2, at L = D = 1."""
    return 4 / ((iterates - 1) * sp.Min(4 * step - step**2, 4 * step - step**3) + 2)


@given(third, st.integers(2, 4))
@few_examples
def test_gradient_descent_has_its_exact_rate_between_its_ends(step, iterates):
    rate = float(exact_rate(sp.Rational(step.numerator, step.denominator), iterates))
    assert Solver(descent(step), iterates).value == pytest.approx(rate, rel=TOLERANCE)
    low, high = ends(descent(step), iterates)
    assert low < rate < high < low * Fraction(100001, 100000)


@pytest.mark.parametrize("iterates", [2, 3])
def test_so_it_has_at_a_step_that_is_no_rational_number(iterates):
    step = 2 / sp.sqrt(3)
    low, high = ends(descent(step), iterates)
    rate = exact_rate(step, iterates)
    assert (
        sp.Rational(low.numerator, low.denominator)
        < rate
        < sp.Rational(high.numerator, high.denominator)
    )


@pytest.mark.parametrize("iterates", [1, 2, 3])
def test_so_are_drori_and_teboulles_and_the_quadratics(iterates):
    low, high = ends(convex(1), iterates)
    assert low < Fraction(1, 4 * iterates - 2) < high
    strong = Program(
        GRADIENT_DESCENT,
        {"alpha": Fraction(4, 3)},
        LAST_DISTANCE,
        1,
        strong=HALF,
        is_convex=True,
        distance=1,
    )
    low, high = ends(strong, iterates)
    assert low < Fraction(1, 9) ** (iterates - 1) < high


@pytest.mark.parametrize("id", ["bottou2018.convex_average", "bottou2018.contraction"])
def test_noise_of_two_points_has_a_lower_end_alone(id):
    """Other noise of that variance may be worse."""
    (case,) = falsify(id, WorstCase([2]))
    assert case.lower < case.numerical < case.lower * 1.00001
    assert (case.upper, case.theorem, len(case.smaller)) == (None, None, 1)


# An instance, recomputed with nothing but fractions.


def plain(table, name):
    return [[Fraction(x) for x in row] for row in table[name]]


def inner(x, y):
    return sum((p * q for p, q in zip(x, y, strict=True)), Fraction(0))


def moved(x, scale, y):
    return [p + scale * q for p, q in zip(x, y, strict=True)]


def naive(table, step, iterates, square_noise=Fraction(0)):
    """The least mean squared gradient of a run of (stochastic) gradient descent on a smooth
    function, D = L = 1."""
    gradients = plain(table, "gradients")
    noise = plain(table, "noise")
    values = [Fraction(x) for x in table["values"]]
    points = [[Fraction(0)] * len(gradients[0])]
    level = [0]
    kicks = iter(noise)
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
    for x, y in itertools.permutations(range(len(points)), 2):
        d = moved(points[x], Fraction(-1), points[y])
        change = moved(gradients[x], Fraction(-1), gradients[y])
        mean = [(p + q) / 2 for p, q in zip(gradients[x], gradients[y], strict=True)]
        assert values[x] - values[y] >= inner(mean, d) + inner(change, change) / 4 - inner(d, d) / 4
    assert all(2 * f >= inner(g, g) for f, g in zip(values, gradients, strict=True))
    assert all(inner(n, n) <= square_noise for n in noise)
    assert values[0] <= 1
    return min(
        sum((inner(gradients[i], gradients[i]) for i in level), Fraction(0)) / len(level)
        for level in levels
    )


@given(third, st.integers(1, 4))
@examples(6)
def test_an_instance_is_what_it_says(step, iterates):
    instance, least = below(Solver(descent(step), iterates))
    assert least == naive(instance.as_json(), step, iterates)


@pytest.mark.parametrize("iterates", [2, 3])
def test_so_is_one_with_noise(iterates):
    instance, least = below(Solver(noisy(iterates), iterates))
    assert least == naive(instance.as_json(), HALF, iterates, Fraction(4, iterates))


CHANGES = [
    lambda x: replace(x, values=(x.values[0] + Fraction(1, 10**5), *x.values[1:])),
    lambda x: replace(x, values=(*x.values[:-1], x.values[-1] / 2)),
    lambda x: replace(
        x, gradients=tuple(tuple(e * Fraction(10001, 10000) for e in g) for g in x.gradients)
    ),
    lambda x: replace(x, gradients=(*x.gradients[:-1], x.gradients[0])),
    lambda x: replace(
        x, kicks=tuple(tuple(e * Fraction(10001, 10000) for e in n) for n in x.kicks)
    ),
]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    "program", [noisy(2), replace(noisy(2), numbers={"alpha": 1 / sp.sqrt(3)})]
)
def test_a_changed_instance_is_refused(program, change):
    instance, _ = below(Solver(program, 2))
    with pytest.raises(NotExactError, match="does not hold"):
        change(instance).measure()


# The theorem.


def test_a_theorem_rests_on_laws_about_the_function_alone():
    (case,) = falsify(everywhere("nesterov2004.gradient_descent"), WorstCase([2]))
    assert case.theorem is not None
    assert case.theorem["hypotheses"] == [
        "for all v_1, v_2: ‖∇F(v_1) - ∇F(v_2)‖_F <= ‖v_1 - v_2‖_F",
        "for all v: f_star <= F(v)",
        "‖∇F(x_1) - x_1 + x_2‖_F = 0",
    ]
    assert (
        case.theorem["conclusion"] == "for all m with m <= ‖∇F(x_1)‖_F^2; m <= ‖∇F(x_2)‖_F^2: "
        "2000000401/2500000000*f_star + m <= 2000000401/2500000000*F(x_1)"
    )
    assert case.theorem["standard_facts"] == ["descent_lemma"]
    assert case.upper == pytest.approx(2000000401 / 2500000000, abs=1e-15)


@full
@pytest.mark.parametrize("program", [descent(2 / sp.sqrt(3)), convex(1)], ids=["root", "convex"])
def test_a_changed_multiplier_is_refused(program, monkeypatch):
    made = []

    def kept(script):
        made.append(script)
        return judge(script)

    multipliers = []
    original = estimation._named
    monkeypatch.setattr(
        estimation, "_named", lambda *given: multipliers.append(original(*given)) or multipliers[-1]
    )
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


def test_without_an_end_it_says_why():
    (case,) = falsify("abbaszadehpeivasti2022.best_step", WorstCase([7]))
    assert case.upper is None
    assert case.theorem is None
    assert case.lower is not None
    assert case.without == ("no upper end: a theorem about more than 6 iterates would be too long",)
    assert case.ends[1] == "–"
    assert case.without[0] in case.how


def test_numbers_that_are_not_rational_have_no_exact_end():
    program = Program(HEAVY_BALL, {"alpha": HALF, "beta": 1 / sp.sqrt(2)}, LEAST_GRADIENT, 1, gap=1)
    with pytest.raises(NotExactError, match="beta"):
        _ = program.rational


def test_an_end_is_in_the_units_of_the_claim():
    claim = everywhere("nesterov2004.gradient_descent")
    (case,) = falsify(claim, WorstCase([2], {"ell": 3.0, "D": 0.5}))
    assert case.lower < 0.8 * 1.5 < case.upper
    assert claim.bound(**case.inputs) == case.bound


# PEPit, as a twin.

METHODS = {
    "gradient descent": descent(1),
    "convex": convex(1),
    "Nesterov": replace(convex(1), algorithm=NESTEROV),
    "heavy ball": Program(HEAVY_BALL, {"alpha": HALF, "beta": HALF}, LEAST_GRADIENT, 1, gap=1),
}


@pytest.mark.parametrize("name", METHODS)
def test_pepit_finds_the_same(name):
    pepit = pytest.importorskip("PEPit")
    from PEPit.functions import SmoothConvexFunction, SmoothFunction

    program = METHODS[name]
    problem = pepit.PEP()
    F = problem.declare_function(
        SmoothConvexFunction if program.is_convex else SmoothFunction, L=1.0
    )
    v = u = problem.set_initial_point()
    start = v
    seen = []
    least = 0
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


# Theorems, right and wrong.


@given(sizes, sizes, st.floats(0.05, 1.5), st.just(0.0) | st.floats(0.1, 3), st.integers(1, 3))
@few_examples
def test_sgd_scales_with_smoothness_and_gap(smoothness, gap, step, zeta, iterates):
    # F as gap times a function of v sqrt(smoothness/gap): gradients and noise are sqrt(smoothness
    # gap) times as large.
    unit = math.sqrt(smoothness * gap)
    scaled = two_point_sgd(smoothness, gap, zeta * unit, step / smoothness, iterates)
    assert scaled == pytest.approx(
        unit**2 * two_point_sgd(1, 1, zeta, step, iterates), rel=TOLERANCE
    )


@pytest.mark.parametrize("iterates", [1, 2, 3])
def test_sgd_without_noise_is_gradient_descent_and_noise_makes_it_worse(iterates):
    step = 0.7
    quiet = Solver(descent(step), iterates).value
    assert two_point_sgd(1, 1, 1e-4, step, iterates) == pytest.approx(quiet, rel=1e-3)
    if iterates == 1:
        # No step has been taken: the largest gradient that the gap allows.
        assert quiet == pytest.approx(2, rel=TOLERANCE)
    else:
        noisy = [two_point_sgd(1, 1, zeta, step, iterates) for zeta in (0.0001, 0.5, 1)]
        assert noisy[0] < noisy[1] < noisy[2]


@pytest.mark.parametrize("steps", [2, 3, 4])
def test_the_hard_instance_lies_within_a_tenth_of_the_worst_case(steps):
    gain = 1e4
    objective = hard_instance(steps, 0.4999, gain)
    problem = Problem(objective, LoRA(torch.zeros(2, 2, dtype=torch.float64), 2))
    start = gain * torch.eye(2, dtype=torch.float64).unsqueeze(0)
    gap = problem.loss((start, start)).item() - objective.infimum.value
    known = {
        "L": objective.smoothness.value,
        "G": objective.gradient_bound.value,
        "a": gain + 1,
        "b": gain + 1,
        "s": 1,
    }
    values = catalogue["meft.theorem2_repaired"].values(**known, zeta=1, D=gap, T=steps)
    # Every outcome of the noise once: the expectations are exact.
    outcomes = torch.tensor(list(itertools.product((0, 1), repeat=steps)))
    v = replicate((start, start), len(outcomes))
    squares = []
    for t in range(steps):
        squares.append(square_norm(problem.gradient(v)).mean().item())
        v, _ = sgd_step(problem, v, values["alpha"], outcomes[:, t : t + 1])
    worst = two_point_sgd(values["Lhat"], gap, 1.0, values["alpha"], steps)
    assert 0.9 * worst <= min(squares) <= worst <= values["bound"] * (1 + TOLERANCE)


DETERMINISTIC = ("nesterov2004.gradient_descent", "abbaszadehpeivasti2022.best_step")
OF_ANY_SMOOTH = (
    "meft.theorem2_frozen_a",
    "khaled2020.bounded_variance",
    "meft.theorem2_any_step",
    "meft.theorem2_everywhere",
    "meft.theorem2_average",
)
STOCHASTIC = (
    "meft.theorem2_repaired",
    "meft.theorem2_best_step",
    "jiang2024.theorem2",
    "ghadimi2013.corollary2_2",
)
# F is smooth along its path, or in a ball, alone, or there is noise.
OF_A_PART = {DETERMINISTIC[0], *OF_ANY_SMOOTH, *STOCHASTIC}


@full
@pytest.mark.parametrize("id", [*DETERMINISTIC, *STOCHASTIC, *OF_ANY_SMOOTH])
def test_true_theorems_are_not_violated(id):
    horizons = (1, 2, 3) if id in DETERMINISTIC else (1, 2)
    cases = falsify(id, WorstCase(horizons))
    assert tuple(case.steps for case in cases) == horizons
    for case in cases:
        assert 0.25 < case.ratio <= 1 + TOLERANCE
        assert not case.violated
        assert (case.upper is None) == bool(case.smaller) == (id in OF_A_PART)
        assert case.duality_gap <= TOLERANCE
        values = catalogue[id].values(**case.inputs)
        assert values["Lhat"] == case.smoothness
        assert values["alpha"] == case.step
        assert values["bound"] == case.bound
        assert case.method == ("gradient descent" if id in DETERMINISTIC else "two-point SGD")


@full
@pytest.mark.parametrize("share", [0.1, 1.9])
def test_a_given_step_is_the_one_that_is_taken(share):
    (case,) = falsify(
        "meft.theorem2_any_step", WorstCase([2], {"ell": 4.0, "eta": share / 4, "zeta": 0.1})
    )
    assert case.step == share / 4
    assert case.inputs["eta"] == share / 4
    assert not case.violated
    # Half of the longest, where nothing is said of it.
    assert falsify("meft.theorem2_any_step", WorstCase([1], {"ell": 4.0}))[0].step == 0.25


@pytest.mark.parametrize("mu", [1.0, 2.0])
def test_a_class_of_at_most_one_parabola_is_refused(mu):
    claim = replace(catalogue["nesterov2004.theorem2_1_15"], id="own.contraction", conditions=())
    with pytest.raises(InputError):
        falsify(claim, WorstCase([2], {"ell": 1.0, "mu_F": mu, "R_1": 1.0}))


@full
@pytest.mark.parametrize(
    "id, steps",
    [
        ("meft.theorem2_any_step", 2),
        ("meft.theorem2_repaired", 2),
        *((id, 3) for id in DETERMINISTIC),
    ],
)
def test_half_of_a_bound_is_violated_where_the_functions_have_all_that_is_given(id, steps):
    (case,) = falsify(with_quantity_scaled(catalogue[id], sp.Rational(1, 2)), WorstCase([steps]))
    assert case.lower is not None
    assert case.bound < case.lower
    # The worst smooth function is not known to be that of two factors in a ball.
    of_factors = id == "meft.theorem2_repaired"
    assert case.violated == (not of_factors)
    assert bool(case.larger) == of_factors
    assert bool(case.objection) == of_factors
    assert case.ratio == pytest.approx(2 * falsify(id, WorstCase([steps]))[0].ratio, rel=TOLERANCE)


def called(claim, smoothness):
    """The theorem with another formula for what it calls L̂."""
    said = tuple(
        replace(q, expression=smoothness) if q.symbol == Lhat else q for q in claim.quantities
    )
    return replace(claim, quantities=said)


DESCENT = everywhere(DETERMINISTIC[0])
IN_A_BALL = catalogue["meft.theorem2_repaired"]
ON_BALL = IN_A_BALL.expression("Lhat")
BESIDE = catalogue["meft.theorem2_frozen_a"]
VOUCHED_FOR_BY_NOBODY = replace(SMOOTH, id="own.smooth", word=replace(SMOOTH.word, id="own"))
SMALLER = {
    "half of the constant": called(DESCENT, ell / 2),
    "a constant that no hypothesis has": called(DESCENT, L),
    "no hypothesis": replace(DESCENT, hypotheses=DESCENT.hypotheses[1:]),
    "half of that in a ball": called(IN_A_BALL, ON_BALL / 2),
    "that of another adapter": called(IN_A_BALL, L),
    "that of a smaller scale": called(IN_A_BALL, ON_BALL / s),
    "a ball": IN_A_BALL,
    "a word of another": replace(
        DESCENT, hypotheses=(VOUCHED_FOR_BY_NOBODY, DESCENT.hypotheses[1])
    ),
}
AS_LARGE = {
    "the constant": (DESCENT, {}),
    "twice the constant": (called(DESCENT, 2 * ell), {}),
    "said twice": (
        replace(DESCENT, hypotheses=(catalogue["classic.smooth"], *DESCENT.hypotheses)),
        {},
    ),
}
# But for noise of other values.
NOISY = {
    "beside a frozen factor": (BESIDE, {"s": 2.0}),
    "twice that": (called(BESIDE, 2 * BESIDE.expression("Lhat")), {}),
}


@pytest.mark.parametrize("name", SMALLER)
def test_a_worst_case_over_a_smaller_class_has_no_upper_end_and_is_told(name):
    cases = falsify(
        replace(SMALLER[name], id="mine"), WorstCase([2], {"s": 2.0} if "scale" in name else {})
    )
    (case,) = cases
    assert case.upper is None
    assert case.theorem is None
    assert case.lower is not None
    assert case.smaller
    shown = json.dumps(cases.as_json()), "\n".join(worst_conclusion(cases)), cases._repr_html_()
    assert all("smaller" in text for text in shown)
    assert cases.to_frame()["smaller"].item() == "; ".join(case.smaller)
    assert cases.as_json()["smaller"] == [*case.smaller]


@pytest.mark.parametrize("name", AS_LARGE)
def test_a_worst_case_over_all_that_the_hypotheses_allow_has_both_ends(name):
    claim, constants = AS_LARGE[name]
    (case,) = falsify(claim, WorstCase([2], constants))
    assert case.smaller == ()
    assert case.lower < case.upper


@pytest.mark.parametrize("name", NOISY)
def test_of_all_that_the_hypotheses_allow_other_noise_alone_is_left_out(name):
    claim, constants = NOISY[name]
    (case,) = falsify(claim, WorstCase([2], constants))
    assert len(case.smaller) == 1


def test_a_solver_that_fails_is_an_error_of_its_own():
    with pytest.raises(estimation.NotSolvedError, match="Clarabel") as caught:
        two_point_sgd(1, 1, 1e8, 1e-8, 2)
    assert isinstance(caught.value, ArithmeticError)


UNFIT = (
    "jiang2024.lemma1",
    "jiang2024.rate",
    "khaled2020.theorem2",
    "meft.unconditional_gd",
    "jiang2024.assumption1",
)


@pytest.mark.parametrize("id", UNFIT)
def test_claims_that_it_is_not_about_are_refused(id):
    error = refused(falsify, id, WorstCase([2]))
    assert error.field == "claim"
    assert error.value == id


REPAIRED = "meft.theorem2_repaired"
BAD = [
    ("T", lambda: falsify(REPAIRED, WorstCase([0]))),
    *(
        ("horizons", lambda given=given: falsify(REPAIRED, WorstCase(given)))
        for given in ([], 3, "3", {2}, [1.5], ["2"], [True], None)
    ),
    *(
        ("constants", lambda given=given: falsify(REPAIRED, WorstCase([2], given)))
        for given in (3, ["a"], {"a": "1"}, {"a": None})
    ),
    ("zeta", lambda: falsify(REPAIRED, WorstCase([2], {"a": 1e200}))),
    ("T", lambda: falsify(REPAIRED, WorstCase([2], {"T": 3}))),
    # Above 4 L̂ D / zeta^2 = 12.
    ("T", lambda: falsify(REPAIRED, WorstCase([2], {"zeta": 1.0}))),
    ("D", lambda: falsify(REPAIRED, WorstCase([2], {"D": math.nan}))),
    ("ell", lambda: falsify(REPAIRED, WorstCase([2], {"ell": 1.0}))),
    # At least eta_max.
    ("eta", lambda: falsify("meft.theorem2_any_step", WorstCase([3], {"ell": 4.0, "eta": 0.5}))),
]


def test_a_bad_horizon_is_found_before_anything_is_solved():
    told = []
    method = WorstCase((2, 32))
    error = refused(falsify, DETERMINISTIC[0], method, tick=lambda *progress: told.append(progress))
    assert error.field == "T"
    assert told == []


@pytest.mark.parametrize("field, call", BAD)
def test_bad_numbers_are_refused(field, call):
    assert refused(call).field == field


def test_a_search_is_a_frame_and_a_replay_is_shown_with_what_is_certain(tmp_path):
    search = bc.falsify("jiang2024.lemma1", bc.Search((1, 2), starts=2, rounds=8, examples=1))
    assert search.to_frame().to_dict("records") == [
        {
            "claim": search.id,
            "rank": x["rank"],
            **x["constants"],
            "ratio": x["ratio"],
            "share": x["share"],
        }
        for x in search.as_json()["rows"]
    ]
    save(search.instance, path := tmp_path / "instance.json")
    instance, certificate = found = replayed(path)
    assert certificate.violated == search.violated
    assert certificate.lower == search.ratio
    page = text_of(found._repr_html_())
    for said in (
        instance.title,
        "not violated",
        f"at least {rounded_down(certificate.lower, 6)} (certified)",
    ):
        assert said in page


def test_worst_cases_are_a_summary_and_a_frame():
    cases = falsify(DETERMINISTIC[0], WorstCase((3, 2)))
    found = json.loads(json.dumps(cases.as_json(), allow_nan=False))
    assert found["ratio"] == max(case.ratio for case in cases) == cases[1].ratio
    assert found["cases"] == json.loads(json.dumps([case.as_json() for case in cases]))
    assert found["id"] == DETERMINISTIC[0]
    assert found["violated"] is False
    assert found["instance"] == cases[1].instance
    assert WorstCases([*cases, replace(cases[0], violated=True)]).violated
    for row, case in zip(cases.to_frame().to_dict("records"), cases, strict=True):
        said = case.as_json() | case.inputs
        for name in (
            "claim",
            "steps",
            "bound",
            "numerical",
            "lower",
            "upper",
            "ratio",
            "violated",
            "how",
            *case.inputs,
        ):
            assert row[name] == said[name]


def test_a_broken_bound_is_called_violated():
    half = with_quantity_scaled(bc.claims["nesterov2004.gradient_descent"], sp.Rational(1, 2))
    found = bc.falsify(half, bc.WorstCase([2]))
    assert ">violated<" in found._repr_html_()
