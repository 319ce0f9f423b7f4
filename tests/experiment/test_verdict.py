"""The verdicts, and that none is given to a run that has not earned it."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
import torch

from boundcheck.experiment import measure
from boundcheck.experiment.statistics import betting_lower_limit
from boundcheck.experiment.verdict import _compare, _measured
from boundcheck.functions.adapters import make_adapter
from boundcheck.functions.objectives.clipped import Clipped
from boundcheck.functions.piecewise import PiecewiseLinear
from boundcheck.functions.problem import Problem
from boundcheck.language.catalogue import catalogue
from boundcheck.language.measures import PerformanceMeasure, Statistic
from boundcheck.language.sentence import algorithm_of, measure_of
from boundcheck.language.vocabulary import MinimumOver
from tests import layers

from .small import THEOREMS, run_by_hand, theorem_table, with_quantity_scaled, with_values

# Enough replicas for simultaneous limits over 110 iterates to lie well above 0.
EVERY_STEP = theorem_table(run__audits=110, run__replicas=64)


@pytest.fixture(scope="module")
def every_step(tmp_path_factory):
    return run_by_hand(EVERY_STEP, tmp_path_factory.mktemp("every"))


@pytest.fixture(scope="module")
def sampled(tmp_path_factory):
    return run_by_hand(theorem_table(run__replicas=64), tmp_path_factory.mktemp("sampled"))


def judged_at(measured, bound, **trace):
    """The verdict with the claim's formula multiplied so that the bound is this number."""
    plan = measured.evidence.plan
    factor = sp.Rational(bound) / sp.Rational(plan.values["bound"])
    claim = with_quantity_scaled(measured.evidence.claim, factor)
    return measured.judged(claim, with_values(plan, bound=float(bound)), **trace)


@pytest.mark.full
def test_a_bound_well_above_is_supported(every_step, sampled):
    for measured in (every_step, sampled):
        outcome = measured.judged()
        assert outcome.verdict == "supported (asymptotic)"
        assert outcome.interval.upper < outcome.bound < min(outcome.first, outcome.trivial)
        assert "asymptotic" in outcome.reason
        assert "more than 5% where they are skewed" in outcome.reason


@pytest.mark.parametrize(
    ("replicas", "verdict"), [(2, "inconclusive"), (7, "inconclusive"), (8, "supported (asymptotic)")]
)
def test_an_asymptotic_interval_over_few_replicas_supports_nothing(replicas, verdict, tmp_path):
    (result,) = measure(theorem_table(run__replicas=replicas), tmp_path)
    assert result.interval.kind == "asymptotic"
    assert result.interval.upper < result.bound < result.first
    assert result.verdict == verdict, result.reason
    assert "they are skewed" in result.reason
    if verdict == "inconclusive":
        assert f"{replicas} replicas are too few to rest on that: take 8 or more" in result.reason
        assert (result.blame.kind, result.blame.name) == ("statistics", "replicas")


def test_no_fewer_replicas_are_advised_than_a_verdict_takes(tmp_path):
    """Two that agree well enough would need a third by Student's interval alone."""
    few = run_by_hand(theorem_table(run__replicas=2), tmp_path)
    squares = np.tile([[0.99], [1.0]], (1, 22))
    outcome = judged_at(few, 1.05, gradient_square_norm=squares)
    assert outcome.interval.upper > 1.05
    assert "about 8 replicas would tell" in outcome.reason


def test_a_violation_may_rest_on_few_replicas(tmp_path):
    """Its limits hold at any number of them; those of values that are all the same are close to them."""
    few = run_by_hand(theorem_table(run__audits=110, run__replicas=4), tmp_path)
    squares = np.full_like(few.evidence.record.trace["gradient_square_norm"].values, 0.5)
    assert judged_at(few, 0.02, gradient_square_norm=squares).verdict == "violated"
    assert few.judged().verdict == "inconclusive"


@pytest.mark.full
def test_an_average_whose_rounding_error_reaches_the_bound_is_not_supported(every_step):
    judged = every_step.judged()
    assert judged.verdict.is_supported
    room = judged.bound - judged.interval.upper
    assert every_step.judged(gradient_square_norm_error=0.9 * room).verdict.is_supported
    assert every_step.judged(gradient_square_norm_error=1.1 * room).verdict == "inconclusive"


def test_a_bound_below_every_iterate_is_violated_when_every_iterate_was_seen(every_step):
    outcome = judged_at(every_step, 0.02)
    assert outcome.verdict == "violated"
    assert "every iterate lies above the bound" in outcome.reason


def test_a_bound_below_every_iterate_is_inconclusive_when_some_were_not_seen(sampled):
    outcome = judged_at(sampled, 0.02)
    assert outcome.verdict == "inconclusive"
    assert "the minimum was not seen" in outcome.reason
    assert "run.audits = run.steps" in outcome.reason


def test_a_bound_between_the_smallest_iterate_and_the_average_is_inconclusive(every_step):
    """The theorem bounds the minimum; an average above the bound breaks nothing."""
    honest = every_step.judged()
    bound = (honest.smallest + honest.interval.lower) / 2
    assert honest.smallest < bound < honest.interval.lower
    outcome = judged_at(every_step, bound)
    assert outcome.verdict == "inconclusive"
    assert "not every iterate does" in outcome.reason


NOISE, FAR, LONG = 2.0, Fraction(113, 10), 64


@pytest.fixture(scope="module", params=["meft.theorem2_everywhere", "meft.theorem2_average"])
def on_a_parabola(request, tmp_path_factory):
    """A parabola at q near 1/2, on which the least squared gradient and the average differ by three times."""
    objective = Clipped(PiecewiseLinear.clipped(1, 1000, FAR), [NOISE, -NOISE])
    problem = Problem(objective, make_adapter("full", torch.zeros(1, 1, dtype=torch.float64), 1, 1.0, {}))
    run = {"zeta": NOISE, "batch": 1, "replicas": 256, "steps": LONG, "audits": LONG}
    table = {
        "claim": request.param,
        "problem": {"kind": "hard", "steps": LONG},
        "adapter": {"kind": "full"},
        "run": run,
    }
    return run_by_hand(table, tmp_path_factory.mktemp("parabola"), problem=problem)


def exact_squares(step: float) -> np.ndarray:
    """E‖∇F(v_t)‖² on it, t by t."""
    squares = [float(FAR) ** 2]
    while len(squares) < LONG:
        squares.append((1 - step) ** 2 * squares[-1] + (step * NOISE) ** 2)
    return np.array(squares)


def test_the_least_and_the_average_are_judged_each_by_itself(on_a_parabola):
    """A bound between them is violated for the average, and neither violated nor supported for the least."""
    measure, honest = on_a_parabola.spec.measure, on_a_parabola.judged()
    squares = exact_squares(on_a_parabola.evidence.plan.numbers["alpha"])
    assert squares.min() < honest.interval.lower < squares.mean() < honest.interval.upper
    assert honest.shown.startswith("average")
    assert ("smallest" in honest.shown) is (measure.over is Statistic.LEAST)
    assert judged_at(on_a_parabola, 1.2 * squares.mean()).verdict.is_supported
    between = judged_at(on_a_parabola, 2 * squares.min())
    below = judged_at(on_a_parabola, squares.min() / 4)
    assert below.verdict == "violated"
    if measure.over is Statistic.AVERAGE:
        assert (between.verdict, between.blame.kind) == ("violated", "claim")
    else:
        assert (between.verdict, between.blame.name) == ("inconclusive", "minimum")


def test_a_smaller_factor_for_the_least_is_no_factor_of_the_average(on_a_parabola):
    """(6 + q)/(4 - q) lies below the average that the run shows, and is violated by it only where it is said of it."""
    plan = on_a_parabola.evidence.plan
    q, size = plan.values["q"], plan.values["bound"] / plan.values["kappa"]
    outcome = judged_at(on_a_parabola, (6 + q) / (4 - q) * size)
    assert outcome.interval.lower > outcome.bound
    assert not outcome.verdict.is_supported
    assert on_a_parabola.spec.measure.over is Statistic.AVERAGE or outcome.verdict != "violated"


BOUNDED = [
    id
    for id, claim in catalogue.items()
    if isinstance(measure_of(claim), PerformanceMeasure) and algorithm_of(claim) is not None
]


@pytest.mark.parametrize("id", BOUNDED)
def test_what_a_claim_says_it_bounds_is_what_its_formula_bounds_and_what_a_run_shows(id):
    claim = catalogue[id]
    measure, is_stochastic = measure_of(claim), algorithm_of(claim).is_stochastic
    left, last = claim.conclusion.lhs, claim.quantities[-1]
    said = "smallest" if left.has(MinimumOver) else "average" if left.has(sp.Sum) else "last"
    assert measure.over.word == said
    if last.meaning.startswith("bound on"):
        assert {each.word for each in Statistic if each.word in last.meaning} == {said}
    shown = measure.shown(is_stochastic)
    assert shown.startswith("average" if is_stochastic and said == "smallest" else said)
    assert said in shown


def test_violation_is_decided_by_the_smallest_simultaneous_limit(every_step):
    squares = every_step.evidence.record.trace["gradient_square_norm"].values
    limit = min(betting_lower_limit(column, 0.05 / 110) for column in squares.T)
    assert judged_at(every_step, limit * 0.999).verdict == "violated"
    assert judged_at(every_step, limit * 1.001).verdict == "inconclusive"


def test_one_low_iterate_is_enough_against_a_violation(every_step):
    squares = every_step.evidence.record.trace["gradient_square_norm"].values.copy()
    assert judged_at(every_step, 0.02, gradient_square_norm=squares).verdict == "violated"
    squares[:, 57] = 0.0
    assert judged_at(every_step, 0.02, gradient_square_norm=squares).verdict == "inconclusive"


@pytest.mark.parametrize("end", ["lower", "measured", "upper"])
def test_a_bound_inside_the_interval_is_inconclusive(every_step, sampled, end):
    for measured in (every_step, sampled):
        interval = measured.judged().interval
        bound = {
            "lower": interval.lower * 1.000_001,
            "measured": measured.judged().measured,
            "upper": interval.upper * 0.999_999,
        }[end]
        outcome = judged_at(measured, bound)
        assert outcome.verdict == "inconclusive"
        assert "replicas are needed" in outcome.reason or "replicas would tell" in outcome.reason
        assert (outcome.blame.kind, outcome.blame.name) == ("statistics", "replicas")


def test_supported_begins_at_the_upper_limit(every_step):
    upper = every_step.judged().interval.upper
    assert judged_at(every_step, upper * 1.000_001).verdict.is_supported
    assert judged_at(every_step, upper * 0.999_999).verdict == "inconclusive"


@pytest.mark.parametrize("known", ["first", "trivial"])
def test_a_bound_above_what_is_known_anyway_is_uninformative(every_step, known):
    honest = every_step.judged()
    value = getattr(honest, known)
    outcome = judged_at(every_step, value)
    assert outcome.verdict == "uninformative"
    assert "T is too short" in outcome.reason
    if known == "first":
        assert judged_at(every_step, value * (1 - 1e-12)).verdict.is_supported


@pytest.mark.parametrize("steps", [1, 3, 12])
def test_a_run_too_short_to_say_anything_is_uninformative(steps, tmp_path):
    table = theorem_table(claim="meft.theorem2_best_step", run__steps=steps, run__audits=steps)
    (result,) = measure(table, tmp_path)
    assert result.verdict == "uninformative"
    assert result.bound >= result.first


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
    assert (outcome.verdict, outcome.blame.kind, outcome.blame.name) == ("hypothesis-failed", "constant", "bound")
    assert "not positive" in outcome.reason


def test_measurements_that_are_no_numbers_are_not_compared(every_step):
    """`judge` blames them on rounding before; this is what would stop it, were that forgotten."""
    measured = replace(_measured(every_step.evidence), interval=None, is_finite=False)
    with pytest.raises(ValueError, match="finite measurements"):
        _compare(every_step.evidence, measured)


def test_rounding_of_the_bound_is_on_the_safe_side(every_step):
    """An interval that ends at the float of an irrational bound: neither supported nor violated by luck."""
    plan = every_step.evidence.plan
    irrational = sp.sqrt(2) / 100 / sp.Rational(plan.values["bound"])
    claim = with_quantity_scaled(every_step.evidence.claim, irrational)
    ball = claim.enclosures(**plan.inputs)["bound"]
    constant = np.full(every_step.evidence.record.schedule.times.shape, float(ball.mid()))
    outcome = every_step.judged(claim, with_values(plan, bound=float(ball.mid())), gradient_square_norm=constant)
    assert outcome.verdict.is_supported or outcome.verdict == "inconclusive"
    assert not outcome.verdict.is_supported or outcome.interval.upper <= float(ball.mid())


@pytest.mark.full
def test_many_replicas_in_a_small_range_earn_a_nonasymptotic_verdict(tmp_path):
    table = theorem_table(
        claim="meft.theorem2_best_step",
        problem={"kind": "pseudo-huber", "d": 2, "k": 2, "samples": 8, "signal": 2.0, "noise": 0.2},
        adapter={"rank": 1},
        domain={"a": 2.0, "b": 1.9},
        run={"zeta": 0.8, "batch": 1, "steps": 120, "audits": 40, "replicas": 2000},
    )
    (result,) = measure(table, tmp_path)
    assert result.verdict == "supported", result.reason
    assert result.interval.kind == "nonasymptotic"
    assert "betting" in result.reason


@pytest.mark.full
@layers.sampled(10, 1)
@pytest.mark.parametrize("exponent", [-3, -7, -10, -14, 6])
@pytest.mark.parametrize("replicas", [16, 2000])
def test_a_verdict_does_not_depend_on_the_unit(replicas, exponent, tmp_path):
    """F times c^2, by delta, targets and scale times c: each step of the run is the same to the last bit."""

    def measured(c):
        table = theorem_table(
            claim="meft.theorem2_best_step",
            problem={"kind": "pseudo-huber", "d": 2, "k": 2, "delta": c, "signal": 2.0 * c, "noise": 0.2 * c},
            adapter={"rank": 1, "scale": c},
            domain={"a": 2.0, "b": 1.9},
            run={"zeta": 0.8 * c**2, "batch": 1, "steps": 120, "audits": 40, "replicas": replicas},
        )
        return measure(table, tmp_path)[0]

    one, other = measured(1.0), measured(2.0**exponent)
    assert (other.verdict, other.interval.kind) == (one.verdict, one.interval.kind)
    for end in ("lower", "upper"):
        scaled = getattr(other.interval, end) / 2.0 ** (4 * exponent)
        assert scaled == pytest.approx(getattr(one.interval, end), rel=1e-6), end


@pytest.mark.full
@pytest.mark.parametrize("id", THEOREMS)
def test_a_true_theorem_is_not_violated_on_seeds_that_were_not_chosen(id, tmp_path):
    """Every iterate audited, everything left to a pilot, whose guesses may fail: but they are not called violations."""
    table = theorem_table(claim=id, seed=list(range(6)), run={"replicas": 16, "steps": 250, "audits": 250}, domain={})
    verdicts = {result.verdict for result in measure(table, tmp_path)}
    assert "supported (asymptotic)" in verdicts
    assert verdicts <= {"supported (asymptotic)", "hypothesis-failed"}


@pytest.mark.full
@pytest.mark.parametrize("zeta", [1e-2, 1e-5, 1e-6, 1e-7, 3e-8, 1e-8, 1e-9])
def test_a_true_theorem_is_not_violated_where_there_is_almost_no_noise(zeta, tmp_path):
    """One sample, every iterate audited: gradient descent with a step that is 1/L-hat but for rounding."""
    table = theorem_table(
        claim="meft.theorem2_best_step",
        seed=[2, 5, 6],
        problem={"kind": "pseudo-huber", "d": 4, "k": 4, "samples": 1, "signal": 0.2},
        domain={"a": 3.0, "b": 2.0},
        run={"zeta": zeta, "batch": 1, "steps": 120, "audits": 120, "replicas": 30},
    )
    assert {result.verdict for result in measure(table, tmp_path)} == {"supported (asymptotic)"}


@pytest.mark.full
def test_a_long_run_without_noise_is_not_failed_by_rounding(tmp_path):
    """It converges to the last digit, where differences of F are rounding errors and nothing else."""
    table = theorem_table(
        problem={"kind": "pseudo-huber", "d": 4, "k": 4, "samples": 1, "signal": 0.2, "noise": 0.2},
        adapter={"rank": 4},
        domain={"a": 3.0, "b": 2.0},
        run={"zeta": 0.1, "batch": 1, "replicas": 8, "steps": 12_000, "audits": 1000},
    )
    (result,) = measure(table, tmp_path)
    assert result.verdict == "supported (asymptotic)", result.reason


RUN = {"problem": {"kind": "pseudo-huber", "d": 3, "k": 3, "samples": 6, "noise": 3.0}, "adapter": {"kind": "full"}}


@pytest.mark.full
@pytest.mark.parametrize(("factor", "steps", "verdict"), [(1, 100, "supported"), (Fraction(1, 99), 1, "violated")])
def test_a_run_says_nothing_of_a_claim_whose_range_is_not_read(factor, steps, verdict, tmp_path):
    claim = with_quantity_scaled(catalogue["nesterov2004.gradient_descent"], sp.Rational(factor))
    for at, (quantifier, said) in enumerate(
        ((claim.quantifier, verdict), (r"\text{for every } T \ge 10^6", "inconclusive"))
    ):
        stated = replace(claim, id=f"run.{verdict}.{said}", quantifier=quantifier)
        (result,) = measure(RUN | {"claim": stated, "run": {"steps": steps, "audits": steps}}, tmp_path / str(at))
        assert result.verdict == said, result.reason
    assert result.blame.name == "the range"
