"""The verdicts, whom they blame for a planted fault of each kind, and that none is given
unearned."""

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
import torch

from boundcheck.experiment import measure
from boundcheck.experiment.plan import at_the_longest, build, informative_horizon
from boundcheck.experiment.result import Blame
from boundcheck.experiment.spec import Spec, parse
from boundcheck.experiment.statistics import betting_lower_limit
from boundcheck.experiment.verdict import blamed
from boundcheck.functions.adapters import make_adapter
from boundcheck.functions.objectives.clipped import Clipped
from boundcheck.functions.piecewise import PiecewiseLinear
from boundcheck.functions.problem import Problem
from boundcheck.language.algorithms import GRADIENT_DESCENT
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Quantifier
from boundcheck.language.evidence import Audit
from boundcheck.language.function import Constant
from boundcheck.language.measures import LEAST_GRADIENT, PerformanceMeasure, Statistic
from boundcheck.language.sentence import algorithm_of, measure_of
from boundcheck.language.vocabulary import MinimumOver
from boundcheck.present.words import titled
from tests import layers
from tests.layers import full

from .small import (
    MEASURABLE,
    THEOREM_TABLE,
    blame_of,
    each_theorem,
    refused,
    run_by_hand,
    theorem_table,
    with_quantity_scaled,
    with_values,
)

# Enough replicas for simultaneous limits over 110 iterates to lie well above 0.
EVERY_STEP = theorem_table(run__audits=110, run__replicas=64)


@pytest.fixture(scope="module")
def every_step(tmp_path_factory):
    return run_by_hand(EVERY_STEP, tmp_path_factory.mktemp("every"))


@pytest.fixture(scope="module")
def some_times(tmp_path_factory):
    return run_by_hand(theorem_table(run__replicas=64), tmp_path_factory.mktemp("sampled"))


def judged_at(measured, bound, **trace):
    """The verdict with the claim's formula multiplied so that the bound is this number."""
    plan = measured.evidence.plan
    factor = sp.Rational(bound) / sp.Rational(plan.values["bound"])
    claim = with_quantity_scaled(measured.evidence.claim, factor)
    return measured.judged(claim, with_values(plan, bound=float(bound)), **trace)


def test_no_fewer_replicas_are_advised_than_a_verdict_takes(tmp_path):
    """Two that agree well enough would need a third by Student's interval alone."""
    few = run_by_hand(theorem_table(run__replicas=2), tmp_path)
    squares = np.tile([[0.99], [1.0]], (1, 22))
    outcome = judged_at(few, 1.05, gradient_square_norm=squares)
    assert outcome.interval.upper > 1.05
    assert "about 8 replicas would tell" in outcome.reason


def test_a_violation_may_rest_on_few_replicas(tmp_path):
    """Its limits hold at any number of them; those of values that are all the same are close to
    them."""
    few = run_by_hand(theorem_table(run__audits=110, run__replicas=4), tmp_path)
    squares = np.full_like(few.evidence.record.trace["gradient_square_norm"].values, 0.5)
    assert judged_at(few, 0.02, gradient_square_norm=squares).verdict == "violated"
    assert few.judged().verdict == "inconclusive"


@full
def test_an_average_whose_rounding_error_reaches_the_bound_is_not_supported(every_step):
    judged = every_step.judged()
    assert judged.verdict.is_supported
    room = judged.bound - judged.interval.upper
    assert every_step.judged(gradient_square_norm_error=0.9 * room).verdict.is_supported
    assert every_step.judged(gradient_square_norm_error=1.1 * room).verdict == "inconclusive"


NOISE = 2.0
FAR = Fraction(113, 10)
LONG = 64


@pytest.fixture(scope="module", params=["meft.theorem2_everywhere", "meft.theorem2_average"])
def on_a_parabola(request, tmp_path_factory):
    """A parabola at q near 1/2, on which the least squared gradient and the average differ by three
    times."""
    objective = Clipped(PiecewiseLinear.clipped(1, 1000, FAR), [NOISE, -NOISE])
    problem = Problem(
        objective, make_adapter("full", torch.zeros(1, 1, dtype=torch.float64), 1, 1.0, {})
    )
    run = {"zeta": NOISE, "batch": 1, "replicas": 256, "steps": LONG, "audits": LONG}
    table = {
        "claim": request.param,
        "problem": {"kind": "hard", "steps": LONG},
        "adapter": {"kind": "full"},
        "run": run,
    }
    return run_by_hand(table, tmp_path_factory.mktemp("parabola"), problem=problem)


def exact_squares(step):
    """E‖∇F(v_t)‖² on it, t by t."""
    squares = [float(FAR) ** 2]
    while len(squares) < LONG:
        squares.append((1 - step) ** 2 * squares[-1] + (step * NOISE) ** 2)
    return np.array(squares)


def test_the_least_and_the_average_are_judged_each_by_itself(on_a_parabola):
    """A bound between them is violated for the average, and neither violated nor supported for the
    least."""
    measure = on_a_parabola.evidence.spec.measure
    honest = on_a_parabola.judged()
    squares = exact_squares(on_a_parabola.evidence.plan.numbers["alpha"])
    assert squares.min() < honest.interval.lower < squares.mean() < honest.interval.upper
    assert honest.shown.startswith("average")
    assert ("smallest" in honest.shown) is (measure.over is Statistic.LEAST)
    assert judged_at(on_a_parabola, 1.2 * squares.mean()).verdict.is_supported
    between = judged_at(on_a_parabola, 2 * squares.min())
    below = judged_at(on_a_parabola, squares.min() / 4)
    assert below.verdict == "violated"
    if measure.over is Statistic.AVERAGE:
        assert between.verdict == "violated"
        assert between.blame.kind == "claim"
    else:
        assert between.verdict == "inconclusive"
        assert between.blame.name == "minimum"


BOUNDED = [
    id
    for id, claim in catalogue.items()
    if isinstance(measure_of(claim), PerformanceMeasure) and algorithm_of(claim) is not None
]


@pytest.mark.parametrize("id", BOUNDED)
def test_what_a_claim_says_it_bounds_is_what_its_formula_bounds_and_what_a_run_shows(id):
    claim = catalogue[id]
    measure = measure_of(claim)
    is_stochastic = algorithm_of(claim).is_stochastic
    left = claim.conclusion.lhs
    last = claim.quantities[-1]
    said = "smallest" if left.has(MinimumOver) else "average" if left.has(sp.Sum) else "last"
    assert measure.over.word == said
    if last.meaning.startswith("bound on"):
        assert {each.word for each in Statistic if each.word in last.meaning} == {said}
    shown = measure.shown(is_stochastic)
    assert shown.startswith("average" if is_stochastic and said == "smallest" else said)
    assert said in shown


def test_a_violation_takes_a_simultaneous_limit_above_the_bound_at_every_iterate(
    every_step, some_times
):
    squares = every_step.evidence.record.trace["gradient_square_norm"].values.copy()
    limit = min(betting_lower_limit(column, 0.05 / 110) for column in squares.T)
    violated = judged_at(every_step, limit * 0.999)
    assert violated.verdict == "violated"
    assert judged_at(every_step, limit * 1.001).verdict == "inconclusive"
    squares[:, 57] = 0.0
    assert (
        judged_at(every_step, limit * 0.999, gradient_square_norm=squares).verdict == "inconclusive"
    )
    unseen = judged_at(some_times, 0.02)
    assert unseen.verdict == "inconclusive"
    assert "the minimum was not seen: set run.audits = run.steps" in unseen.reason


def test_a_bound_inside_the_interval_is_inconclusive_and_one_above_it_is_supported(
    every_step, some_times
):
    for measured in (every_step, some_times):
        honest = measured.judged()
        assert (
            judged_at(measured, honest.interval.upper * 1.000_001).verdict
            == "supported (asymptotic)"
        )
        for bound in (
            honest.interval.lower * 1.000_001,
            honest.measured,
            honest.interval.upper * 0.999_999,
        ):
            outcome = judged_at(measured, bound)
            assert outcome.verdict == "inconclusive"
            assert blame_of(outcome) == ("statistics", "replicas")
            assert (
                "replicas are needed" in outcome.reason or "replicas would tell" in outcome.reason
            )


@pytest.mark.parametrize("known", ["first", "trivial"])
def test_a_bound_above_what_is_known_anyway_is_uninformative(every_step, known):
    honest = every_step.judged()
    value = getattr(honest, known)
    outcome = judged_at(every_step, value)
    assert outcome.verdict == "uninformative"
    if known == "first":
        assert judged_at(every_step, value * (1 - 1e-12)).verdict.is_supported


def test_the_trivial_bound_is_what_the_ball_and_the_gradient_bound_give(every_step):
    outcome = every_step.judged()
    G = every_step.evidence.problem.objective.gradient_bound.value
    assert outcome.trivial == pytest.approx((2.6**2 + 1.9**2) * G**2)
    assert every_step.evidence.record.trace["gradient_square_norm"].max() <= outcome.trivial


@pytest.mark.parametrize("bound", [0.02, 1.0, 3.0, 1e4])
@pytest.mark.parametrize("fault", ["noise_variance", "path_smoothness", "weight_gradient_spectral"])
def test_a_broken_hypothesis_comes_before_every_other_verdict(every_step, bound, fault):
    values = every_step.evidence.record.trace[fault].values.copy()
    values[0, 0] = 1e9
    assert judged_at(every_step, bound, **{fault: values}).verdict == "hypothesis-failed"


def test_a_run_that_left_the_ball_is_never_a_violation(every_step):
    ball = replace(every_step.evidence.record.ball, outside=7, largest=(2.7, 1.0))
    record = replace(every_step.evidence.record, ball=ball)
    left = replace(every_step, evidence=replace(every_step.evidence, record=record))
    assert judged_at(left, 0.02).verdict == "hypothesis-failed"


@pytest.mark.parametrize("bound", [0.0, -1.0])
def test_a_bound_that_is_not_positive_says_nothing(every_step, bound):
    """No claim of the catalogue has one; an edited formula may."""
    outcome = every_step.judged(plan=with_values(every_step.evidence.plan, bound=bound))
    assert outcome.verdict == "hypothesis-failed"
    assert outcome.blame.kind == "constant"
    assert outcome.blame.name == "bound"
    assert "not positive" in outcome.reason


def test_rounding_of_the_bound_is_on_the_safe_side(every_step):
    """An interval that ends at the float of an irrational bound: neither supported nor violated by
    luck."""
    plan = every_step.evidence.plan
    irrational = sp.sqrt(2) / 100 / sp.Rational(plan.values["bound"])
    claim = with_quantity_scaled(every_step.evidence.claim, irrational)
    ball = claim.enclosures(**plan.inputs)["bound"]
    constant = np.full(every_step.evidence.record.schedule.times.shape, float(ball.mid()))
    outcome = every_step.judged(
        claim, with_values(plan, bound=float(ball.mid())), gradient_square_norm=constant
    )
    assert outcome.verdict.is_supported or outcome.verdict == "inconclusive"
    assert not outcome.verdict.is_supported or outcome.interval.upper <= float(ball.mid())


@full
@layers.sampled(10, 1)
@pytest.mark.parametrize("exponent", [-3, -7, -10, -14, 6])
@pytest.mark.parametrize("replicas", [16, 2000])
def test_a_verdict_does_not_depend_on_the_unit(replicas, exponent, tmp_path):
    """F times c^2, by delta, targets and scale times c: each step of the run is the same to the
    last bit."""

    def measured(c):
        table = theorem_table(
            claim="meft.theorem2_best_step",
            problem={
                "kind": "pseudo-huber",
                "d": 2,
                "k": 2,
                "delta": c,
                "signal": 2.0 * c,
                "noise": 0.2 * c,
            },
            adapter={"rank": 1, "scale": c},
            domain={"a": 2.0, "b": 1.9},
            run={"zeta": 0.8 * c**2, "batch": 1, "steps": 120, "audits": 40, "replicas": replicas},
        )
        return measure(table, tmp_path)[0]

    one = measured(1.0)
    other = measured(2.0**exponent)
    kinds = {16: ("supported (asymptotic)", "asymptotic"), 2000: ("supported", "nonasymptotic")}
    assert (
        (other.verdict, other.interval.kind) == (one.verdict, one.interval.kind) == kinds[replicas]
    )
    for end in ("lower", "upper"):
        scaled = getattr(other.interval, end) / 2.0 ** (4 * exponent)
        assert scaled == pytest.approx(getattr(one.interval, end), rel=1e-6), end


@full
@each_theorem
def test_a_true_theorem_is_not_violated_on_seeds_that_were_not_chosen(id, tmp_path):
    """Every iterate audited, everything left to a pilot, whose guesses may fail: but they are not
    called violations."""
    table = theorem_table(
        claim=id, seed=list(range(6)), run={"replicas": 16, "steps": 250, "audits": 250}, domain={}
    )
    verdicts = {result.verdict for result in measure(table, tmp_path)}
    assert "supported (asymptotic)" in verdicts
    assert verdicts <= {"supported (asymptotic)", "hypothesis-failed"}


@full
@pytest.mark.parametrize("zeta", [1e-2, 1e-5, 1e-6, 1e-7, 3e-8, 1e-8, 1e-9])
def test_a_true_theorem_is_not_violated_where_there_is_almost_no_noise(zeta, tmp_path):
    """One sample, every iterate audited: gradient descent with a step that is 1/L-hat but for
    rounding."""
    table = theorem_table(
        claim="meft.theorem2_best_step",
        seed=[2, 5, 6],
        problem={"kind": "pseudo-huber", "d": 4, "k": 4, "samples": 1, "signal": 0.2},
        domain={"a": 3.0, "b": 2.0},
        run={"zeta": zeta, "batch": 1, "steps": 120, "audits": 120, "replicas": 30},
    )
    assert {result.verdict for result in measure(table, tmp_path)} == {"supported (asymptotic)"}


@full
def test_a_long_run_without_noise_is_not_failed_by_rounding(tmp_path):
    """It converges to the last digit, where differences of F are rounding errors and nothing
    else."""
    table = theorem_table(
        problem={"kind": "pseudo-huber", "d": 4, "k": 4, "samples": 1, "signal": 0.2, "noise": 0.2},
        adapter={"rank": 4},
        domain={"a": 3.0, "b": 2.0},
        run={"zeta": 0.1, "batch": 1, "replicas": 8, "steps": 4000, "audits": 400},
    )
    (result,) = measure(table, tmp_path)
    assert result.verdict == "supported (asymptotic)", result.reason


RUN = {
    "problem": {"kind": "pseudo-huber", "d": 3, "k": 3, "samples": 6, "noise": 3.0},
    "adapter": {"kind": "full"},
}


@full
@pytest.mark.parametrize(
    "factor, steps, verdict", [(1, 100, "supported"), (Fraction(1, 99), 1, "violated")]
)
def test_a_run_says_nothing_of_a_claim_whose_range_is_not_read(factor, steps, verdict, tmp_path):
    claim = with_quantity_scaled(catalogue["nesterov2004.gradient_descent"], sp.Rational(factor))
    for at, (quantifier, said) in enumerate(
        ((claim.quantifier, verdict), (Quantifier(within="for a large T"), "inconclusive"))
    ):
        stated = replace(claim, id=f"run.{verdict}.{said}", quantifier=quantifier)
        (result,) = measure(
            RUN | {"claim": stated, "run": {"steps": steps, "audits": steps}}, tmp_path / str(at)
        )
        assert result.verdict == said, result.reason
    assert result.blame.name == "the range"


GAIN = 1e4
STEPS = 60
NOISELESS = [
    id
    for id in MEASURABLE
    if algorithm_of(catalogue[id]) is GRADIENT_DESCENT
    and measure_of(catalogue[id]) is LEAST_GRADIENT
]
# SGD is nearly as slow on it as the theorem allows, so that few replicas tell a wrong constant.
HARD = {
    "claim": "jiang2024.theorem2",
    "problem": {"kind": "hard", "steps": STEPS, "ratio": 0.15},
    "adapter": {"rank": 2, "start": "diagonal", "gain": GAIN},
    "domain": {"a": GAIN + 1, "b": GAIN + 1},
    "run": {"zeta": 1.0, "batch": 1, "replicas": 1024, "steps": STEPS, "audits": STEPS},
}


def hard(**changes):
    """The hard instance's run with changes to its tables."""
    return HARD | {name: HARD.get(name, {}) | change for name, change in changes.items()}


def outcome(table, folder):
    (result,) = measure(table, folder)
    return result.verdict, blame_of(result), result


@full
@pytest.mark.parametrize(
    "changes, verdict, blame",
    [
        ({"assume": {"bound": "bound/2.5"}}, "violated", ("claim", "jiang2024.theorem2")),
        *(
            ({"assume": {"bound": "bound/2.5"}, "run": few}, "inconclusive", ("statistics", *few))
            for few in ({"replicas": 24}, {"audits": 20})
        ),
        *(
            (change, "hypothesis-failed", blame)
            for change, blame in (
                ({"assume": {"Lhat": "Lhat/2"}}, ("constant", "Lhat")),
                ({"run": {"zeta": 0.5}}, ("constant", "zeta")),
                ({"assume": {"D": "D/4"}}, ("constant", "D")),
                ({"assume": {"C": "C/2"}}, ("constant", "C")),
                ({"assume": {"alpha": "10*alpha"}}, ("constant", "alpha")),
                (
                    {"domain": {"a": GAIN + 0.1, "b": GAIN + 0.1}},
                    ("hypothesis", "jiang2024.assumption2"),
                ),
                ({"run": {"steps": 2, "audits": 2}}, ("horizon", "T")),
                (
                    {"run": {"sampling": "without replacement"}},
                    ("hypothesis", "jiang2024.unbiased"),
                ),
            )
        ),
    ],
    ids=str,
)
def test_a_planted_fault_is_blamed(changes, verdict, blame, tmp_path):
    found = outcome(hard(**changes), tmp_path)
    assert found[:2] == (verdict, blame), found[2].reason
    assert found[2].blame.evidence


FROZEN = {
    "claim": "meft.theorem2_frozen_a",
    "adapter": {"kind": "frozen-a", "rank": 2},
    "domain": {},
}
LINEAR = {"kind": "extremal", "d": 1, "k": 1, "L": 7.746, "G": 7.7459999029887765}
DESCENT = {"claim": "nesterov2004.gradient_descent", "domain": {}, "run": {"steps": 1, "audits": 1}}
UNCONDITIONAL = {
    "claim": "meft.unconditional_gd",
    "domain": {},
    "run": {"steps": 900, "audits": 100},
}
BEST = "meft.theorem2_best_step"


@layers.sampled(2)
@pytest.mark.parametrize(
    "changes, verdict, blame",
    [
        # On the small problem, whose G is certified and nearly reached.
        ({"assume": {"G": "G/4"}}, "hypothesis-failed", ("constant", "G")),
        # No assumption makes another step the prescribed one, or shortens the horizon that the
        # theorem needs.
        *(
            ({"claim": BEST, "assume": assumed}, "hypothesis-failed", ("constant", "alpha"))
            for assumed in ({"kappa": "kappa/3"}, {"q": "2*q"}, {"alpha": "alpha*1.001"})
        ),
        (
            {"assume": {"T_min": "T_min/4"}, "run__steps": 50, "run__audits": 50},
            "hypothesis-failed",
            ("horizon", "T"),
        ),
        # What goes into the smoothness is as little certified as it, and blamed before what follows
        # from it.
        (UNCONDITIONAL | {"assume": {"rho": "rho/10"}}, "inconclusive", ("constant", "rho")),
        (UNCONDITIONAL | {"assume": {"rho": "2*rho"}}, "supported", None),
        (FROZEN | {"assume": {"L": "L/20"}}, "hypothesis-failed", ("constant", "L")),
        # A short time of large gradients may lie between few audits, in all replicas.
        ({"run__audits": 7, "run__replicas": 64}, "inconclusive", ("statistics", "audits")),
        ({"run__audits": 8, "run__replicas": 64}, "supported (asymptotic)", None),
        # F(v_1) is within rounding of f*, where the difference of the two has lost its digits.
        (
            DESCENT | {"problem": LINEAR, "adapter": {"kind": "full"}},
            "uninformative",
            ("horizon", "T"),
        ),
        # A ball in which a pilot stayed is not made smaller unseen.
        (DESCENT, "uninformative", ("horizon", "T")),
        # Far outside of the ball F is steeper than on it, and its noise larger: the ball is to
        # blame, and nothing else.
        ({"domain": {"a": 0.3, "b": 0.3}}, "hypothesis-failed", ("hypothesis", "meft.ball")),
        # A loss whose gradient has no bound is run where none is needed.
        *(
            (
                DESCENT | {"problem": {"kind": "least-squares"}, "adapter": adapter, "run": {}},
                "supported",
                None,
            )
            for adapter in (
                {"kind": "full"},
                {"kind": "frozen-a", "rank": 2},
                {"kind": "frozen-b", "rank": 2},
            )
        ),
    ],
    ids=str,
)
def test_what_is_assumed_or_too_little_is_blamed(changes, verdict, blame, tmp_path):
    found = outcome(theorem_table(**changes), tmp_path)
    assert found[:2] == (verdict, blame), found[2].reason
    if blame == ("hypothesis", "meft.ball"):
        assert {each.hypothesis for each in found[2].audit if each.status == "failed"} == {
            "meft.ball"
        }


def test_a_violation_by_rounding_alone_is_blamed_on_rounding(tmp_path):
    """What is left at the end of a long run without noise is rounding, and no bound below it is
    refuted."""
    table = theorem_table(
        claim="nesterov2004.gradient_descent",
        problem={"kind": "pseudo-huber", "d": 2, "k": 2, "samples": 1, "signal": 0.2, "noise": 0.2},
        adapter={"kind": "full"},
        domain={},
        run={"steps": 200, "audits": 200},
    )
    measured = run_by_hand(table, tmp_path)
    record = measured.evidence.record
    squares, error = (
        record.trace[name].values for name in ("gradient_square_norm", "gradient_square_norm_error")
    )
    least = int(np.argmin(squares + error))
    assert squares[0, least] < error[0, least]
    # A bound of 0, as nearly as a positive number can be.
    tiny = with_quantity_scaled(measured.evidence.claim, sp.Rational(1, 10**40))
    found = measured.judged(tiny, with_values(measured.evidence.plan, bound=1e-40))
    assert found.verdict == "inconclusive"
    assert found.blame.kind == "rounding"


def test_a_gradient_that_overflows_outside_of_all_blame_is_rounding(some_times):
    values = some_times.evidence.record.trace["gradient_square_norm"].values.copy()
    values[1, 3] = np.inf
    found = some_times.judged(gradient_square_norm=values)
    assert found.verdict == "hypothesis-failed"
    assert found.blame.kind == "rounding"
    assert found.interval is None


@pytest.mark.parametrize("name", ["smoothness", "infimum", "gradient_bound"])
def test_an_estimated_constant_earns_neither_support_nor_violation(name, tmp_path):
    """Its run is as good as any, and the constant may still be wrong where nobody looked."""
    table = theorem_table(run__audits=110, run__replicas=64)
    problem = build(parse(table), "cpu")
    known = getattr(problem.objective, name)
    setattr(problem.objective, name, Constant(known.value, "estimated", "sampled"))
    # A problem says what its objective said when it was made.
    problem = Problem(problem.objective, problem.adapter)
    measured = run_by_hand(table, tmp_path, problem=problem)
    symbol = {"smoothness": "L", "infimum": "D", "gradient_bound": "G"}[name]
    for found in (
        measured.judged(),
        judged_at(measured, measured.evidence.plan.values["bound"] / 100),
    ):
        assert found.verdict == "inconclusive"
        assert blame_of(found) == ("constant", symbol)


@full
@pytest.mark.parametrize(
    "assumed, earned",
    [
        ({"L": "2*L"}, True),
        ({"L": "0.999*L"}, False),
        ({"D": "1.5*D"}, True),
        ({"Lhat": "1.1*Lhat"}, True),
        ({"G": "2*G"}, True),
    ],
    ids=str,
)
def test_an_assumed_constant_counts_where_the_certified_one_vouches_for_it(
    assumed, earned, tmp_path
):
    verdict, blame, result = outcome(
        theorem_table(assume=assumed, run__steps=260, run__replicas=64), tmp_path
    )
    if earned:
        assert (verdict, blame) == ("supported (asymptotic)", None), result.reason
    else:
        assert (verdict, blame) == ("inconclusive", ("constant", "L")), result.reason


def test_blame_is_in_the_order_of_the_audits_and_told_in_words_where_two_numbers_are_missing():
    row = Audit("one", "constant", "failed", 2.0, 1.0, "seen", symbol="L")
    held = replace(row, status="held")
    other = replace(row, hypothesis="two", symbol="C")
    assert blamed([held, other, row], "failed").name == "C"
    assert blamed([held, other], "assumed") is None
    assert blamed([replace(row, observed=math.nan)], "failed") == Blame(
        "rounding", "one", "one: what was observed is no number (seen)"
    )
    for missing in ("observed", "limit"):
        told = replace(row, guilt="hypothesis", symbol="", **{missing: None})
        assert blamed([told], "failed") == Blame("hypothesis", "one", "one: seen")


@full
@pytest.mark.parametrize("id", NOISELESS)
def test_gradient_descent_has_one_exact_trajectory(id, tmp_path):
    kind = "frozen-a" if id.startswith("abba") else "lora"
    domain = {"a": 2.6, "b": 1.9} if id.startswith("nesterov") else {}
    table = theorem_table(
        claim=id,
        adapter={"kind": kind, "rank": 2},
        domain=domain,
        run={"steps": 400, "audits": 400},
    )
    verdict, blame, result = outcome(table, tmp_path)
    assert (verdict, blame) == ("supported", None), result.reason
    assert result.interval.kind == "exact"
    assert result.interval.lower <= result.measured <= result.interval.upper <= result.bound
    assert result.plan.batch is None
    sparse = outcome(table | {"run": {"steps": 400, "audits": 5}}, tmp_path)[2]
    # The smallest of fewer looks is no smaller, and what was not seen may be 0.
    assert sparse.interval.lower == 0
    assert sparse.measured >= result.measured


@pytest.fixture(scope="module", params=[30, 7])
def descent(request, tmp_path_factory):
    """Gradient descent, seen at every iterate or at some."""
    run = {"steps": 30, "audits": request.param}
    table = theorem_table(
        claim="nesterov2004.gradient_descent", adapter={"kind": "full"}, domain={}, run=run
    )
    return run_by_hand(table, tmp_path_factory.mktemp("descent"))


@pytest.mark.parametrize("over", Statistic)
def test_each_statistic_of_one_trajectory_is_exact_where_it_was_seen(over, descent, monkeypatch):
    measure = replace(descent.evidence.spec.measure, over=over)
    schedule = descent.evidence.record.schedule
    monkeypatch.setattr(Spec, "measure", property(lambda spec: measure))
    squares = descent.evidence.record.trace["gradient_square_norm"].values[0]
    found = descent.judged()
    expected = {"least": squares.min(), "last": squares[-1], "average": squares @ schedule.weights}[
        over.value
    ]
    assert found.measured == pytest.approx(expected, rel=1e-12)
    if over is Statistic.AVERAGE and not schedule.is_every_step:
        assert found.verdict == "inconclusive"
        assert found.blame.name == "audits"
        assert found.interval is None
    else:
        assert found.interval.kind == "exact"
        assert found.interval.lower <= found.measured <= found.interval.upper


def test_a_trajectory_whose_least_may_be_on_either_side_of_the_bound_tells_nothing(descent):
    """Of one iterate, not the least that was seen, all may be rounding."""
    schedule = descent.evidence.record.schedule
    is_every_step = schedule.is_every_step
    squares = np.linspace(2.0, 1.0, schedule.times.size)
    error = np.where(squares == 2.0, 4.0, 1e-9)
    found = judged_at(descent, 0.5, gradient_square_norm=squares, gradient_square_norm_error=error)
    assert found.verdict == "inconclusive"
    assert ("and so is the bound" in found.reason) == is_every_step
    assert (found.blame.kind, found.blame.name) == (
        ("constant", "Lhat") if is_every_step else ("statistics", "audits")
    )


def test_a_square_above_what_g_allows_contradicts_g(descent):
    plan = descent.evidence.plan
    found = descent.judged(plan=replace(plan, trivial=0.99 * descent.judged().first))
    assert found.verdict == "hypothesis-failed"
    assert found.blame.kind == "constant"
    assert found.blame.name == "G"
    assert "J²G²" in found.reason


@pytest.mark.parametrize("factor", [0.99, 0.5])
def test_a_false_theorem_about_gradient_descent_is_violated(factor, tmp_path):
    """On a quadratic, whose gradient at v_1 is what the bound of one step allows at most."""
    table = theorem_table(
        claim="nesterov2004.gradient_descent",
        problem={
            "kind": "pseudo-huber",
            "d": 2,
            "k": 2,
            "samples": 1,
            "delta": 1e6,
            "signal": 1.0,
            "noise": 1.0,
        },
        adapter={"kind": "full"},
        domain={},
        assume={"bound": f"{factor}*bound"},
        run={"steps": 1, "audits": 1},
    )
    verdict, blame, result = outcome(table, tmp_path)
    assert (verdict, blame) == (
        "violated",
        ("claim", "nesterov2004.gradient_descent"),
    ), result.reason


@pytest.mark.parametrize(
    "changes, field",
    [
        ({"claim": "khaled2020.theorem2", "domain": {}}, "assume.abc_a"),
        ({"claim": "nesterov2004.gradient_descent"}, "run.batch"),
        ({"claim": "meft.theorem2_frozen_a"}, "adapter.kind"),
        ({"claim": "abbaszadehpeivasti2022.best_step", "run": None}, "adapter.kind"),
        ({"claim": "meft.unconditional_gd", "run": None}, "domain.a"),
        ({"assume.x": 2.0}, "assume.x"),
        ({"assume.zeta": 2.0}, "assume.zeta"),
        ({"assume.bound": "bound/0"}, "assume.bound"),
        ({"assume.bound": "bound*"}, "assume.bound"),
        ({"assume.bound": "__import__('os')"}, "assume.bound"),
        ({"assume.Lhat": "bound"}, "assume.Lhat"),
        ({"assume.bound": -1.0}, "assume.bound"),
        ({"run.sampling": "by hand"}, "run.sampling"),
        ({"run.sampling": "without replacement", "run.batch": 9}, "run.batch"),
        (
            {
                "adapter.start": "diagonal",
                "adapter.kind": "frozen-a",
                "claim": "meft.theorem2_frozen_a",
            },
            "adapter.start",
        ),
    ],
    ids=str,
)
def test_bad_input_is_refused_by_its_field(changes, field, tmp_path):
    table = theorem_table(**{name.replace(".", "__"): value for name, value in changes.items()})
    assert refused(measure, table, tmp_path).field == field


@pytest.mark.parametrize("formula", ["bound/bound", "2*Lhat*D", "2*Lhat/T"])
def test_an_assumed_bound_may_be_free_of_a_symbol_of_the_theorem(formula, tmp_path):
    spec = {
        "claim": "nesterov2004.gradient_descent",
        "problem": {"kind": "pseudo-huber", "d": 3, "k": 3},
        "adapter": {"kind": "full"},
        "assume": {"bound": formula},
        "run": {"steps": 20, "audits": 5},
    }
    (found,) = measure(spec, tmp_path)
    assert found.bound > 0
    assert found.verdict in ("supported", "uninformative", "violated", "inconclusive")


ID = "meft.theorem2_any_step"
CLAIM = catalogue[ID]
# On pseudo-Huber, trained in full, F is 1-smooth.
GIVEN_STEP = THEOREM_TABLE["run"] | {"step_size": 0.05, "replicas": 8}


def table(**run):
    """A run of all of W, with changes to how it is run."""
    return theorem_table(
        claim=ID, adapter={"kind": "full"}, domain={}, run=GIVEN_STEP | {"zeta": 2.0} | run
    )


def test_a_run_takes_the_step_that_it_is_given(tmp_path):
    verdict, blame, result = outcome(table(), tmp_path)
    assert (verdict, blame) == ("supported (asymptotic)", None), result.reason
    values = result.plan.values
    assert values["alpha"] == result.plan.prescribed == result.plan.inputs["eta"] == 0.05
    assert result.bound == pytest.approx(CLAIM.bound(**result.plan.inputs))
    assert {each.hypothesis: each.status for each in result.audit}["eta < eta_max"] == "held"
    assert titled(result) == "Theorem 2, repaired, at any constant step, η\u00a0=\u00a00.05"


@pytest.mark.parametrize("step", [2.0 * (1 + 1e-9), 3.0, 1e3])
@pytest.mark.parametrize("assume", [{}, {"eta_max": "1e6*eta_max"}, {"bound": "1"}], ids=str)
def test_a_step_that_is_too_long_is_to_blame(step, assume, tmp_path):
    verdict, blame, result = outcome(table(step_size=step) | {"assume": assume}, tmp_path)
    # Where the run diverges, its noise may exceed zeta too, which no step explains away.
    assert verdict == "hypothesis-failed"
    assert blame[0] == "constant"
    assert blame[1] in ("eta", "zeta"), result.reason
    (row,) = (each for each in result.audit if each.hypothesis == "eta < eta_max")
    assert row.status == "failed"
    assert row.observed == step
    assert row.limit == pytest.approx(2)


def test_the_longest_step_itself_is_refused_where_the_bound_has_no_value(tmp_path):
    given = table(step_size=1.0) | {"assume": {"Lhat": 2.0}}
    error = refused(measure, given, tmp_path)
    assert str(error) == f"run.step_size = 1.0: expected a number below 1, where {ID} has no bound"


def test_the_shortest_informative_run_is_one(tmp_path):
    verdict, _, result = outcome(table(steps="informative", audits=8), tmp_path)
    assert verdict != "uninformative"
    inputs = result.plan.inputs
    T = result.plan.steps
    known = min(result.first, result.trivial)
    assert CLAIM.bound(**inputs | {"T": T}) < known <= CLAIM.bound(**inputs | {"T": T - 1})


NOISY = {"ell": 1.0, "D": 1.0, "zeta": 1.0}


@pytest.mark.parametrize(
    "eta, message",
    [
        (1.0, f"no informative horizon up to 1000000000000 for {ID}$"),
        (2.0, "whose eta = 2 must be below 2$"),
        (2.0 - 1e-15, "whose eta = 2 must be below 2$"),
        (3.0, "whose eta = 3 must be below 2$"),
    ],
)
def test_where_the_noise_leaves_too_much_there_is_no_horizon(eta, message):
    with pytest.raises(ArithmeticError, match=message):
        informative_horizon(CLAIM, NOISY | {"eta": eta}, 0.9)


def test_a_horizon_that_does_not_exist_is_refused_in_one_line(tmp_path):
    error = refused(measure, table(steps="informative", step_size=1.9), tmp_path)
    assert error.field == "run.steps"


@full
def test_a_bound_that_no_horizon_brings_down_is_blamed_on_the_step(tmp_path):
    verdict, blame, result = outcome(table(step_size=1.9), tmp_path)
    assert (verdict, blame) == ("uninformative", ("constant", "eta")), result.reason
    assert at_the_longest(CLAIM, result.plan.inputs) >= result.first
    short = outcome(table(steps=1, audits=1, step_size=0.01), tmp_path)
    assert short[:2] == ("uninformative", ("horizon", "T"))


def test_a_step_size_is_given_where_none_is_prescribed_and_nowhere_else():
    missing = refused(parse, table() | {"run": THEOREM_TABLE["run"]})
    assert (
        str(missing)
        == f"run.step_size = (not given): expected a number, for {ID} prescribes no step"
    )
    given = refused(parse, theorem_table(run=GIVEN_STEP))
    expected = f"no such field: {THEOREM_TABLE['claim']} prescribes its own step"
    assert str(given) == f"run.step_size = 0.05: expected {expected}"
    assert refused(parse, table(step_size=-1.0)).field == "run.step_size"
    # A spec that takes none is stored as it was before there was the field.
    assert "step_size" not in parse(THEOREM_TABLE).as_json()["run"]
    assert parse(table()).as_json()["run"]["step_size"] == 0.05
