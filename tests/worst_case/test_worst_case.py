"""Worst cases by performance estimation against exact rates, scaling laws, true runs, and theorems right and wrong."""

import itertools
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import hypothesis.strategies as st
import pytest
import sympy as sp
import torch
from hypothesis import given
from sympy import Rational

import boundcheck as bc
from boundcheck.errors import InputError
from boundcheck.functions.adapters import LoRA
from boundcheck.functions.arithmetic import replicate, square_norm
from boundcheck.functions.objectives.clipped import hard_instance
from boundcheck.functions.problem import Problem
from boundcheck.functions.sgd import sgd_step
from boundcheck.language.algorithms import GRADIENT_DESCENT, SGD
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim
from boundcheck.language.measures import LEAST_GRADIENT
from boundcheck.language.symbols import G, L, Lhat, a, b, ell, s
from boundcheck.worst_case import falsify
from boundcheck.worst_case.program import TOLERANCE, NotSolvedError, Program, Solver
from boundcheck.worst_case.stored import replayed, save
from boundcheck.worst_case.view import rounded_down, worst_conclusion
from boundcheck.worst_case.worst_case import WorstCase, WorstCases
from tests.experiment.small import refused, with_quantity_scaled
from tests.layers import examples

few_examples = examples(8)
sizes = st.floats(0.01, 100)


def gradient_descent(smoothness: float, step: float, iterates: int) -> float:
    program = Program(GRADIENT_DESCENT, {"alpha": step}, LEAST_GRADIENT, smoothness, gap=1.0)
    return Solver(program, iterates).value


def two_point_sgd(smoothness: float, gap: float, zeta: float, step: float, iterates: int) -> float:
    return Solver(Program(SGD, {"alpha": step}, LEAST_GRADIENT, smoothness, gap=gap, noise=zeta), iterates).value


def exact_rate(step: float, iterates: int) -> float:
    """Abbaszadehpeivasti, de Klerk and Zamani 2022, Theorem 2, at L = D = 1."""
    return 4 / ((iterates - 1) * min(4 * step - step**2, 4 * step - step**3) + 2)


@given(st.floats(0.01, 0.999).map(lambda part: part * math.sqrt(3)), st.integers(2, 5))
@examples(25)
def test_gradient_descent_has_its_exact_rate(step: float, iterates: int) -> None:
    assert gradient_descent(1, step, iterates) == pytest.approx(exact_rate(step, iterates), rel=TOLERANCE)


@given(sizes, sizes, st.floats(0.05, 1.5), st.just(0.0) | st.floats(0.1, 3), st.integers(1, 3))
@few_examples
def test_sgd_scales_with_smoothness_and_gap(
    smoothness: float, gap: float, step: float, zeta: float, iterates: int
) -> None:
    # F as gap times a function of v sqrt(smoothness/gap): gradients and noise are sqrt(smoothness gap) times as large.
    unit = math.sqrt(smoothness * gap)
    scaled = two_point_sgd(smoothness, gap, zeta * unit, step / smoothness, iterates)
    assert scaled == pytest.approx(unit**2 * two_point_sgd(1, 1, zeta, step, iterates), rel=TOLERANCE)


@pytest.mark.parametrize("iterates", [1, 2, 3])
def test_sgd_without_noise_is_gradient_descent_and_noise_makes_it_worse(iterates: int) -> None:
    step = 0.7
    quiet = gradient_descent(1, step, iterates)
    assert two_point_sgd(1, 1, 1e-4, step, iterates) == pytest.approx(quiet, rel=1e-3)
    if iterates == 1:
        # No step has been taken: the largest gradient that the gap allows.
        assert quiet == pytest.approx(2, rel=TOLERANCE)
    else:
        noisy = [two_point_sgd(1, 1, zeta, step, iterates) for zeta in (0.0001, 0.5, 1)]
        assert noisy[0] < noisy[1] < noisy[2]


@pytest.mark.parametrize("steps", [2, 3, 4])
def test_the_hard_instance_lies_within_a_tenth_of_the_worst_case(steps: int) -> None:
    gain = 1e4
    objective = hard_instance(steps, 0.4999, gain)
    problem = Problem(objective, LoRA(torch.zeros(2, 2, dtype=torch.float64), 2))
    start = gain * torch.eye(2, dtype=torch.float64).unsqueeze(0)
    gap = problem.loss((start, start)).item() - objective.infimum.value
    known = {"L": objective.smoothness.value, "G": objective.gradient_bound.value, "a": gain + 1, "b": gain + 1, "s": 1}
    values = catalogue["meft.theorem2_repaired"].values(**known, zeta=1, D=gap, T=steps)
    # Every outcome of the noise once: the expectations are exact.
    outcomes = torch.tensor(list(itertools.product((0, 1), repeat=steps)))
    v, squares = replicate((start, start), len(outcomes)), []
    for t in range(steps):
        squares.append(square_norm(problem.gradient(v)).mean().item())
        v, _ = sgd_step(problem, v, values["alpha"], outcomes[:, t : t + 1])
    worst = two_point_sgd(values["Lhat"], gap, 1.0, values["alpha"], steps)
    assert 0.9 * worst <= min(squares) <= worst <= values["bound"] * (1 + TOLERANCE)


DETERMINISTIC = ("nesterov2004.gradient_descent", "abbaszadehpeivasti2022.best_step")
OF_ANY_SMOOTH = (
    *("meft.theorem2_frozen_a", "khaled2020.bounded_variance", "meft.theorem2_any_step"),
    *("meft.theorem2_everywhere", "meft.theorem2_average"),
)
STOCHASTIC = ("meft.theorem2_repaired", "meft.theorem2_best_step", "jiang2024.theorem2", "ghadimi2013.corollary2_2")


@pytest.mark.full
@pytest.mark.parametrize("id", [*DETERMINISTIC, *STOCHASTIC, *OF_ANY_SMOOTH])
def test_true_theorems_are_not_violated(id: str) -> None:
    horizons = (1, 2, 3) if id in DETERMINISTIC else (1, 2)
    cases = falsify(id, WorstCase(horizons))
    assert tuple(case.steps for case in cases) == horizons
    for case in cases:
        assert 0.25 < case.ratio <= 1 + TOLERANCE
        assert not case.violated
        assert case.smaller == ()
        assert case.duality_gap <= TOLERANCE
        values = catalogue[id].values(**case.inputs)
        assert (values["Lhat"], values["alpha"], values["bound"]) == (case.smoothness, case.step, case.bound)
        assert case.method == ("gradient descent" if id in DETERMINISTIC else "two-point SGD")


def test_an_exact_rate_is_attained() -> None:
    for case in falsify("abbaszadehpeivasti2022.best_step", WorstCase((2, 9), {"ell": 3.0, "D": 0.5})):
        assert case.ratio == pytest.approx(1, rel=TOLERANCE)


@pytest.mark.full
@pytest.mark.parametrize(
    ("id", "constants"),
    [("meft.theorem2_best_step", {"zeta": 0.3, "D": 2.0, "G": 0.1}), (DETERMINISTIC[0], {"D": 3.0})],
)
def test_the_worst_case_is_that_of_the_methods_functions(id: str, constants: dict[str, float]) -> None:
    (case,) = falsify(id, WorstCase([2], constants))
    assert {name: case.inputs[name] for name in constants} == constants
    if "zeta" in constants:
        alone = two_point_sgd(case.smoothness, constants["D"], constants["zeta"], case.step, 2)
    else:
        alone = constants["D"] * gradient_descent(case.smoothness, case.step, 2)
    assert case.numerical == pytest.approx(alone, rel=TOLERANCE)


@pytest.mark.full
@pytest.mark.parametrize("share", [0.1, 1.9])
def test_a_given_step_is_the_one_that_is_taken(share: float) -> None:
    (case,) = falsify("meft.theorem2_any_step", WorstCase([2], {"ell": 4.0, "eta": share / 4, "zeta": 0.1}))
    assert (case.step, case.inputs["eta"]) == (share / 4, share / 4)
    assert not case.violated
    # Half of the longest, where nothing is said of it.
    assert falsify("meft.theorem2_any_step", WorstCase([1], {"ell": 4.0}))[0].step == 0.25


@pytest.mark.parametrize("mu", [1.0, 2.0])
def test_a_class_of_at_most_one_parabola_is_refused(mu: float) -> None:
    claim = replace(catalogue["nesterov2004.theorem2_1_15"], id="own.contraction", conditions=())
    with pytest.raises(InputError):
        falsify(claim, WorstCase([2], {"ell": 1.0, "mu_F": mu, "R_1": 1.0}))


@pytest.mark.full
@pytest.mark.parametrize(
    ("id", "steps"), [("meft.theorem2_any_step", 2), ("meft.theorem2_repaired", 2), *((id, 3) for id in DETERMINISTIC)]
)
def test_half_of_a_bound_is_violated_where_the_functions_have_all_that_is_given(id: str, steps: int) -> None:
    (case,) = falsify(with_quantity_scaled(catalogue[id], sp.Rational(1, 2)), WorstCase([steps]))
    assert case.lower is not None
    assert case.bound < case.lower
    # The worst smooth function is not known to be that of two factors in a ball.
    of_factors = id == "meft.theorem2_repaired"
    assert (case.violated, bool(case.larger), bool(case.objection)) == (not of_factors, of_factors, of_factors)
    assert case.ratio == pytest.approx(2 * falsify(id, WorstCase([steps]))[0].ratio, rel=TOLERANCE)


def called(id: str, smoothness: sp.Expr) -> Claim:
    """The theorem with another formula for what it calls L̂."""
    claim = catalogue[id]
    said = tuple(replace(q, expression=smoothness) if q.symbol == Lhat else q for q in claim.quantities)
    return replace(claim, quantities=said)


DESCENT, ON_BALL = catalogue[DETERMINISTIC[0]], catalogue["meft.theorem2_repaired"].expression("Lhat")
SMALLER = {
    "half of the constant": called(DETERMINISTIC[0], ell / 2),
    "a constant that no hypothesis has": called(DETERMINISTIC[0], L),
    "no hypothesis": replace(DESCENT, hypotheses=DESCENT.hypotheses[1:]),
    "half of that in a ball": called("meft.theorem2_repaired", ON_BALL / 2),
    "that of another adapter": called("meft.theorem2_repaired", L),
    "that of a smaller scale": called("meft.theorem2_repaired", ON_BALL / s),
}
AS_LARGE = {
    "the constant": (DESCENT, {}),
    "twice the constant": (called(DETERMINISTIC[0], 2 * ell), {}),
    "that of another lemma": (called("meft.theorem2_repaired", L * s**2 * (a**2 + b**2) + G * s), {"s": 2.0}),
}


@pytest.mark.parametrize("name", SMALLER)
def test_a_worst_case_over_a_smaller_class_has_no_upper_end_and_is_told(name: str) -> None:
    cases = falsify(replace(SMALLER[name], id="mine"), WorstCase([2], {"s": 2.0} if "scale" in name else {}))
    (case,) = cases
    assert (case.upper, case.theorem) == (None, None)
    assert case.lower is not None
    assert case.smaller
    shown = json.dumps(cases.as_json()), "\n".join(worst_conclusion(cases)), cases._repr_html_()
    assert all("smaller" in text for text in shown)
    assert cases.to_frame()["smaller"].item() == "; ".join(case.smaller)
    assert cases.as_json()["smaller"] == [*case.smaller]


@pytest.mark.parametrize("name", AS_LARGE)
def test_a_worst_case_over_all_that_the_hypotheses_allow_has_both_ends(name: str) -> None:
    claim, constants = AS_LARGE[name]
    (case,) = falsify(claim, WorstCase([2], constants))
    assert case.smaller == ()
    assert case.lower < case.upper


@pytest.mark.full
def test_at_shortest_horizons_sgd_is_within_a_fifth_of_the_repaired_bound() -> None:
    cases = falsify("meft.theorem2_repaired", WorstCase((2, 3)))
    assert [case.ratio for case in cases] == pytest.approx([0.6963087, 0.7646192], rel=1e-5)
    for case in cases:
        assert case.lower < case.numerical < case.upper < 1.00001 * case.lower


def test_a_solver_that_fails_is_an_error_of_its_own() -> None:
    with pytest.raises(NotSolvedError, match="Clarabel") as caught:
        two_point_sgd(1, 1, 1e8, 1e-8, 2)
    assert isinstance(caught.value, ArithmeticError)


UNFIT = ("jiang2024.lemma1", "jiang2024.rate", "khaled2020.theorem2", "meft.unconditional_gd", "jiang2024.assumption1")


@pytest.mark.parametrize("id", UNFIT)
def test_claims_that_it_is_not_about_are_refused(id: str) -> None:
    error = refused(falsify, id, WorstCase([2]))
    assert (error.field, error.value) == ("claim", id)


REPAIRED = "meft.theorem2_repaired"
BAD: list[tuple[str, Callable[[], object]]] = [
    ("T", lambda: falsify(REPAIRED, WorstCase([0]))),
    ("T", lambda: falsify(REPAIRED, WorstCase([]))),
    ("zeta", lambda: falsify(REPAIRED, WorstCase([2], {"a": 1e200}))),
    ("T", lambda: falsify(REPAIRED, WorstCase([2], {"T": 3}))),
    # Above 4 L̂ D / zeta^2 = 12.
    ("T", lambda: falsify(REPAIRED, WorstCase([2], {"zeta": 1.0}))),
    ("D", lambda: falsify(REPAIRED, WorstCase([2], {"D": math.nan}))),
    ("ell", lambda: falsify(REPAIRED, WorstCase([2], {"ell": 1.0}))),
    # At least eta_max.
    ("eta", lambda: falsify("meft.theorem2_any_step", WorstCase([3], {"ell": 4.0, "eta": 0.5}))),
]


def test_a_bad_horizon_is_found_before_anything_is_solved() -> None:
    told: list[tuple[str, int, int]] = []
    assert refused(falsify, DETERMINISTIC[0], WorstCase((2, 32)), lambda *progress: told.append(progress)).field == "T"
    assert told == []


@pytest.mark.parametrize(("field", "call"), BAD)
def test_bad_numbers_are_refused(field: str, call: Callable[[], object]) -> None:
    assert refused(call).field == field


def test_a_search_is_a_frame_and_a_replay_is_shown_with_what_is_certain(tmp_path: Path) -> None:
    search = bc.falsify("jiang2024.lemma1", bc.Search((1, 2), starts=2, rounds=8, examples=1))
    assert search.to_frame().to_dict("records") == [
        {"claim": search.id, "rank": x["rank"], **x["constants"], "ratio": x["ratio"], "share": x["share"]}
        for x in search.as_json()["rows"]
    ]
    save(search.instance, path := tmp_path / "instance.json")
    instance, certificate = found = replayed(path)
    assert (certificate.violated, certificate.lower) == (search.violated, search.ratio)
    page = " ".join("".join(ElementTree.fromstring(found._repr_html_()).itertext()).split())
    for said in (instance.title, "not violated", f"at least {rounded_down(certificate.lower, 6)} (certified)"):
        assert said in page


def test_worst_cases_are_a_summary_and_a_frame() -> None:
    cases = falsify(DETERMINISTIC[0], WorstCase((3, 2)))
    found = json.loads(json.dumps(cases.as_json(), allow_nan=False))
    assert found["ratio"] == max(case.ratio for case in cases) == cases[1].ratio
    assert found["cases"] == json.loads(json.dumps([case.as_json() for case in cases]))
    assert (found["id"], found["violated"], found["instance"]) == (DETERMINISTIC[0], False, cases[1].instance)
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


def test_a_broken_bound_is_called_violated() -> None:
    half = with_quantity_scaled(bc.claims["nesterov2004.gradient_descent"], Rational(1, 2))
    found = bc.falsify(half, bc.WorstCase([2]))
    assert ">violated<" in found._repr_html_()
    assert "violated" in found._repr_latex_()
