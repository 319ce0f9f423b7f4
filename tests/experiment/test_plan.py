"""Plans: streams, constants, pilots and noise; horizons against a linear scan, steps against any
other."""

import itertools
import math

import numpy as np
import pytest
import sympy as sp
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from boundcheck.errors import InputError
from boundcheck.experiment import experiment, measure
from boundcheck.experiment.plan import Guess, at_the_longest, best_step, informative_horizon, stream
from boundcheck.experiment.spec import parse
from boundcheck.functions.adapters import LoRA
from boundcheck.functions.problem import Problem
from boundcheck.language.catalogue import catalogue
from boundcheck.language.symbols import exact
from boundcheck.properties import adapters, pseudo_huber_problems
from boundcheck.system.limits import silent
from tests.layers import examples, full
from tests.strategies import domains

from .small import (
    THEOREMS,
    changed,
    each_kind,
    each_theorem,
    experiment_of,
    pseudo_huber,
    refused,
    theorem_table,
)

PURPOSES = ("initial", "pilot", "sampling", "audits", "bracket", "frozen", "curvature")
LIPSCHITZ = ("sigma", "sqrt(r) sigma")


def planned(table, tick=silent):
    experiment = experiment_of(table)
    return experiment.start, experiment.make_plan(tick)


@full
def test_streams_differ_by_seed_and_by_nothing_else():
    seeds = {
        stream(parse(theorem_table(seed=seed)), purpose)
        for seed in range(200)
        for purpose in PURPOSES
    }
    assert len(seeds) == 200 * len(PURPOSES)
    one = parse(theorem_table())
    other = parse(theorem_table(run__replicas=99, adapter__rank=3, claim=THEOREMS[0]))
    assert [stream(one, purpose) for purpose in PURPOSES] == [
        stream(other, purpose) for purpose in PURPOSES
    ]


def test_the_first_iterate_is_loras_and_what_is_known_of_it_is_exact():
    experiment = experiment_of(theorem_table(adapter__gain=2.0, adapter__rank=3))
    problem = experiment.problem
    start = experiment.start
    A, B = start.v
    assert A.shape == (1, 3, 4)
    assert B.shape == (1, 4, 3)
    assert not B.any()
    assert start.norms == {"a": pytest.approx(np.linalg.norm(A[0].numpy(), 2)), "b": 0.0}
    M = problem.objective.gradient(problem.adapter.W0[None])[0]
    assert start.square_norm == pytest.approx(torch.linalg.matrix_norm(M @ A[0].mT).item() ** 2)
    each = problem.objective.sample_gradients(problem.adapter.W0[None])[0] @ A[0].mT
    assert start.variance == pytest.approx((each - each.mean(0)).square().sum((1, 2)).mean().item())
    # D is an upper bound on F(v_1) - f*: no smaller than the loss, and by no more than rounding.
    loss = problem.loss(start.v).item()
    assert loss <= start.gap.value <= loss * (1 + 1e-12)
    assert start.gap.kind == "certified"


positive = st.floats(1e-3, 1e3)


@given(
    scale=positive,
    rank=st.integers(1, 4),
    a=positive,
    b=positive,
    lipschitz=st.sampled_from(LIPSCHITZ),
)
@pytest.mark.parametrize("id", [*LoRA.claims, *THEOREMS])
def test_theory_inputs_are_the_constants_of_the_problem(id, scale, rank, a, b, lipschitz):
    problem = pseudo_huber(rank=rank, scale=scale)
    claim = catalogue[id]
    given_ = problem.theory_inputs(claim, {"a": a, "b": b}, lipschitz)
    names = {p.name for p in claim.parameters}
    assert set(given_) == names - {"D", "zeta", "T"}
    s = exact("s", scale)
    L = exact("L", 1.0)
    G = exact("G", problem.gradient_bound({"a": a, "b": b}).value)
    # X -> f(W0 + s X) is s^2 L smooth with gradients bounded by s G; a claim with s says so itself.
    assert (given_["L"], given_["G"]) == ((L, G) if "s" in names else (s**2 * L, s * G))
    if "sigma" in names:
        assert given_["sigma"] == exact("sigma", max(a, b))
    if "C" in names:
        factor = 1 if lipschitz == "sigma" else sp.sqrt(rank)
        assert given_["C"] == factor * exact("sigma", max(a, b))


@each_kind
@examples(30)
@given(data=st.data())
def test_theory_inputs_of_every_adapter_are_its_constants_and_those_of_f(kind, data):
    adapter = data.draw(adapters(kind, most=2))
    radii = data.draw(domains(adapter))
    problem = Problem(data.draw(pseudo_huber_problems(tuple(adapter.W0.shape))), adapter)
    expected = adapter.constants(radii) | {"L": 1.0, "G": problem.gradient_bound(radii).value}
    for id in adapter.claims:
        claim = catalogue[id]
        given_ = problem.theory_inputs(claim, radii, "sigma")
        assert set(given_) == {p.name for p in claim.parameters}
        if "s" in given_ or "s" not in expected:
            known = expected | {"C": expected.get("sigma")}
            assert {name: exact(name, known[name]) for name in given_} == given_


@each_theorem
@pytest.mark.parametrize("a, b", [(2.6, 1.9), (1.0, 3.0), (2.0, 2.0)])
def test_a_claim_with_one_radius_is_given_the_larger(id, a, b):
    _, plan = planned(theorem_table(claim=id, domain={"a": a, "b": b}))
    assert plan.radii == (
        {"a": a, "b": b} if id.startswith("meft") else {"a": max(a, b), "b": max(a, b)}
    )


@each_theorem
@pytest.mark.parametrize("steps", [110, 3])
def test_the_floats_of_a_plan_are_the_claims_exact_values(id, steps):
    """Also of a horizon below T_min, which is the audit's to report."""
    table = theorem_table(claim=id, run__steps=steps, run__audits=1)
    start, plan = planned(table)
    assert plan.inputs["D"] == start.gap.value
    assert plan.inputs["zeta"] == 1.8
    assert plan.inputs["T"] == steps
    assert_floats_are_exact(id, plan)


@pytest.mark.parametrize("zeta", [10.0, 1e-1, 1e-3, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-12])
def test_the_step_size_is_the_claims_however_small_the_noise(zeta):
    """With zeta -> 0 the best step tends to 1/L-hat, as the difference of two numbers that grow
    like zeta^-2."""
    table = theorem_table(
        claim="meft.theorem2_best_step", run__zeta=zeta, run__steps=100, run__audits=1
    )
    _, plan = planned(table)
    assert 0 < plan.step_size <= 1.000_001 / plan.values["Lhat"]
    assert_floats_are_exact("meft.theorem2_best_step", plan)


def assert_floats_are_exact(id, plan):
    claim = catalogue[id]
    numbers = {p.symbol: exact(p.name, plan.inputs[p.name]) for p in claim.parameters}
    for name, value in plan.values.items():
        assert value == pytest.approx(
            float(claim.expression(name).subs(numbers).evalf(60)), rel=1e-9, abs=0
        ), name


@pytest.mark.parametrize("left_out", [None, "domain.a", "domain.b", "run.zeta"])
def test_a_pilot_finds_what_is_left_out_and_leaves_the_rest(left_out):
    stages = []
    table = changed(theorem_table(), {left_out: None} if left_out else {})
    start, plan = planned(table, lambda stage, done, total: stages.append(stage))
    assert set(stages) == ({"pilot"} if left_out else set())
    found = {"domain.a": plan.radii["a"], "domain.b": plan.radii["b"], "run.zeta": plan.zeta}
    given_ = {"domain.a": 2.6, "domain.b": 1.9, "run.zeta": 1.8}
    given_.pop(left_out, None)
    assert given_.items() <= found.items()
    assert plan.batch == 2
    assert plan.steps == 110
    if left_out == "domain.a":
        assert plan.radii["a"] >= 1.1 * start.norms["a"]


def test_a_pilot_knows_nothing_of_the_run():
    """Its seed is its own: the number of replicas and of audits of the run change nothing in what
    it finds."""
    left_out = {"domain": {}, "run.zeta": None}
    table = changed(theorem_table(), left_out)
    _, one = planned(table)
    _, other = planned(changed(table, {"run.replicas": 50, "run.audits": 100}))
    assert one == other


@pytest.mark.parametrize("batch, zeta", [*itertools.product([3, "balanced"], [0.7, None])])
def test_batch_and_noise_fit_each_other(batch, zeta):
    table = changed(theorem_table(run__batch=batch, run__steps="informative"), {"run.zeta": zeta})
    experiment = experiment_of(table)
    variance = 9.0
    drafted = experiment.draft(Guess({"a": 2.6, "b": 1.9}, variance))
    if zeta is None:
        assert drafted.zeta == pytest.approx(math.sqrt(variance / drafted.batch))
    else:
        assert drafted.zeta == zeta
    if batch == 3:
        assert drafted.batch == 3
    else:
        target = zeta**2 if zeta else 0.8 * experiment.start.square_norm
        # The smallest batch whose noise is within the target.
        assert variance / drafted.batch <= target * (1 + 1e-12)
        assert drafted.batch == 1 or variance / (drafted.batch - 1) > target * (1 - 1e-12)


@pytest.mark.parametrize(
    "changes",
    [
        # One sample has no noise, so there is no zeta to be found.
        {"problem.samples": 1, "run.zeta": None},
        {"problem.samples": 1, "run.zeta": None, "domain": {}, "run.batch": "balanced"},
        {"domain.a": 1e200},
        {"adapter.scale": 1e-170, "run.zeta": None, "run.batch": "balanced"},
        {"problem.signal": 1e200},
        {"run.zeta": 1e-200},
    ],
    ids=[
        "no noise, zeta left out",
        "no noise, all left out",
        "huge radius",
        "tiny scale",
        "huge signal",
        "tiny zeta",
    ],
)
def test_numbers_that_no_plan_can_be_made_of_are_an_input_error(changes, tmp_path):
    refused(measure, changed(theorem_table(), changes), tmp_path)


def test_a_horizon_that_nobody_can_wait_for_does_not_lose_the_run(tmp_path):
    """The horizons are an aside of the result; in a wide ball they exceed 10^12 and must not raise
    after the run."""
    (result,) = measure(
        theorem_table(claim="meft.theorem2_best_step", domain={"a": 1e6, "b": 1e6}), tmp_path
    )
    assert result.verdict == "uninformative"


def run_nothing(*arguments):
    raise AssertionError("a run was started")


@each_theorem
def test_an_informative_horizon_out_of_reach_is_an_input_error(id, tmp_path, monkeypatch):
    monkeypatch.setattr(experiment, "run_ensemble", run_nothing)
    with pytest.raises(InputError):
        measure(
            theorem_table(claim=id, domain={"a": 1e6, "b": 1e6}, run__steps="informative"), tmp_path
        )


LONGEST_SCAN = 4000
LONGEST = 10**12
constant = st.floats(0.05, 20)
constants = st.fixed_dictionaries(
    dict.fromkeys(("L", "C", "G", "sigma", "a", "b", "s", "D"), constant)
)


def of_claim(claim, table):
    return {p.name: table[p.name] for p in claim.parameters if p.name in table}


def allowed(claim, inputs, T):
    """Whether T >= T_min, decided without rounding."""
    symbols = {
        p.symbol: exact(p.name, T if p.name == "T" else inputs[p.name]) for p in claim.parameters
    }
    return not claim.failing(symbols)


def scanned(claim, inputs, threshold):
    """The first T of 1, 2, 3, ... that is allowed and informative; None if it takes too long."""
    times = np.arange(1, LONGEST_SCAN)
    informative = claim.function("bound")(**inputs, T=times.astype(float)) < threshold
    # Only to save time: those far below T_min need no exact arithmetic.
    shortest = claim.function("T_min")(**inputs, T=1.0) if "T_min" in claim.names else 0
    candidates = times[informative & (times > shortest - 2)].tolist()
    return next((T for T in candidates if allowed(claim, inputs, T)), None)


def is_tie(claim, inputs, T):
    """Whether T exceeds T_min by too little for floats to tell, which may cost one iteration."""
    return "T_min" in claim.names and claim.function("T_min")(**inputs, T=1.0) * (1 + 2e-12) >= T


@each_theorem
@given(
    table=constants,
    zeta=st.floats(0.3, 30),
    rank=st.integers(1, 8),
    first=st.integers(1, 2000),
    room=st.floats(0, 0.5),
)
def test_the_horizon_is_that_of_a_linear_scan(id, table, zeta, rank, first, room):
    claim = catalogue[id]
    inputs = of_claim(claim, table | {"zeta": zeta, "r": rank})
    # A threshold that some T near `first` meets.
    threshold = claim.function("bound")(**inputs, T=float(first)) * (1 + room)
    expected = scanned(claim, inputs, threshold)
    assume(expected is not None)
    found = informative_horizon(claim, inputs, threshold)
    assert found == expected or (found == expected + 1 and is_tie(claim, inputs, expected))


@each_theorem
@given(
    table=constants,
    zeta=st.floats(-12, 3).map(lambda power: 10.0**power),
    threshold=st.floats(1e-3, 1e3) | st.just(math.inf),
)
def test_long_horizons_are_allowed_informative_and_the_first_such(id, table, zeta, threshold):
    claim = catalogue[id]
    inputs = of_claim(claim, table | {"zeta": zeta, "r": 4})
    bound = claim.function("bound")
    try:
        T = informative_horizon(claim, inputs, threshold)
    except ArithmeticError:
        # None up to 10^12: not allowed there, or not informative there.
        assert not allowed(claim, inputs, LONGEST) or bound(**inputs, T=float(LONGEST)) >= threshold
        return
    assert bound(**inputs, T=float(T)) < threshold
    assert allowed(claim, inputs, T)
    if T > 1 and not is_tie(claim, inputs, T - 1):
        assert not allowed(claim, inputs, T - 1) or bound(**inputs, T=float(T - 1)) >= threshold


ANY_STEP = catalogue["meft.theorem2_any_step"]
any_step_constants = st.fixed_dictionaries(
    {name: st.floats(1e-3, 1e3) for name in ("ell", "D", "zeta")}
)


def bound_at(inputs, T, step):
    """(D/(eta T) + ell eta zeta^2/2)/(1 - ell eta/2) at the share eta ell/2 of the longest step."""
    return (inputs["D"] / (step * T) + inputs["ell"] * step * inputs["zeta"] ** 2 / 2) / (
        1 - inputs["ell"] * step / 2
    )


def best_by_formula(inputs, T):
    """Where the derivative in the step is 0: with p = 2D/(ell T zeta^2), the root of eta^2 + p ell
    eta - p = 0."""
    ell = inputs["ell"]
    p = 2 * inputs["D"] / (inputs["ell"] * T * inputs["zeta"] ** 2)
    return p / (p * ell / 2 + math.sqrt((p * ell / 2) ** 2 + p))


@given(inputs=any_step_constants, T=st.integers(1, 10**9), other=st.floats(1e-9, 1 - 1e-9))
def test_no_other_step_has_a_smaller_bound(inputs, T, other):
    step, _ = best_step(ANY_STEP, inputs | {"T": T})
    assert 0 < step < 2 / inputs["ell"]
    least = ANY_STEP.bound(**inputs, T=T, eta=step)
    assert least == pytest.approx(bound_at(inputs, T, step), rel=1e-9)
    assert least <= bound_at(inputs, T, other * 2 / inputs["ell"]) * (1 + 1e-9)
    assert least == pytest.approx(bound_at(inputs, T, best_by_formula(inputs, T)), rel=1e-9)


@given(inputs=any_step_constants, first=st.integers(1, 2000), room=st.floats(1e-6, 0.5))
def test_the_horizon_at_the_best_step_is_that_of_a_linear_scan_at_the_formulas_step(
    inputs, first, room
):
    times = np.arange(1, LONGEST_SCAN, dtype=float)
    steps = np.array([best_by_formula(inputs, T) for T in times])
    bounds = bound_at(inputs, times, steps)
    threshold = bounds[first - 1] * (1 + room)
    expected = int(np.argmax(bounds < threshold)) + 1
    found = informative_horizon(ANY_STEP, inputs, threshold)
    # Floats may not tell a bound from a threshold that is nearly the same.
    near = abs(bounds[min(found, expected) - 1] / threshold - 1) < 1e-8
    assert found == expected or (abs(found - expected) == 1 and near)
    # No other step brings the bound down sooner, whatever step it is.
    if found > 1:
        shares = np.geomspace(1e-9, 1, 2000)[:-1]
        assert bound_at(inputs, found - 1, shares * 2 / inputs["ell"]).min() >= threshold * (
            1 - 1e-8
        )


def test_with_a_step_that_is_free_every_noise_has_a_horizon():
    """A step that is given leaves ell eta zeta^2/2; a free one does not."""
    inputs = {"ell": 1.0, "D": 1.0, "zeta": 1.0}
    assert at_the_longest(ANY_STEP, inputs | {"eta": 1.0}) > 0.9
    T = informative_horizon(ANY_STEP, inputs, 0.01)
    assert bound_at(inputs, T, best_by_formula(inputs, T)) < 0.01
    with pytest.raises(ArithmeticError, match="no informative horizon"):
        informative_horizon(ANY_STEP, inputs, 1e-7)
