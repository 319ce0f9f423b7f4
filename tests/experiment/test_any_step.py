"""A run that is given its step: the one that it takes, steps that are too long, and horizons where there is none."""

import pytest

from boundcheck.experiment import measure
from boundcheck.experiment.plan import at_the_longest, informative_horizon
from boundcheck.experiment.spec import parse
from boundcheck.language.catalogue import catalogue
from boundcheck.present.words import titled
from tests.layers import sampled

from .small import THEOREM_TABLE, refused, theorem_table

ID = "meft.theorem2_any_step"
CLAIM = catalogue[ID]
# On pseudo-Huber, trained in full, F is 1-smooth.
RUN = THEOREM_TABLE["run"] | {"step_size": 0.05, "replicas": 8}


def table(**run):
    """A run of all of W, with changes to how it is run."""
    return theorem_table(claim=ID, adapter={"kind": "full"}, domain={}, run=RUN | {"zeta": 2.0} | run)


def outcome(given, folder):
    (result,) = measure(given, folder)
    return result.verdict, result.blame and (result.blame.kind, result.blame.name), result


def test_a_run_takes_the_step_that_it_is_given(tmp_path):
    verdict, blame, result = outcome(table(), tmp_path)
    assert (verdict, blame) == ("supported (asymptotic)", None), result.reason
    values = result.plan.values
    assert values["alpha"] == result.plan.prescribed == result.plan.inputs["eta"] == 0.05
    assert result.bound == pytest.approx(CLAIM.bound(**result.plan.inputs))
    assert {each.hypothesis: each.status for each in result.audit}["eta < eta_max"] == "held"
    assert titled(result) == "Theorem 2, repaired, at any constant step, η\u00a0=\u00a00.05"


@sampled(9, 3)
@pytest.mark.parametrize("step", [2.0 * (1 + 1e-9), 3.0, 1e3])
@pytest.mark.parametrize("assume", [{}, {"eta_max": "1e6*eta_max"}, {"bound": "1"}], ids=str)
def test_a_step_that_is_too_long_is_to_blame(step, assume, tmp_path):
    verdict, blame, result = outcome(table(step_size=step) | {"assume": assume}, tmp_path)
    assert verdict == "hypothesis-failed"
    # Where the run diverges, its noise may exceed zeta too, which no step explains away.
    assert blame in {("constant", "eta"), ("constant", "zeta")}, result.reason
    audits = {each.hypothesis: each for each in result.audit}
    assert audits["eta < eta_max"].status == "failed"
    assert (audits["eta < eta_max"].observed, audits["eta < eta_max"].limit) == (step, pytest.approx(2))


def test_the_longest_step_itself_is_refused_where_the_bound_has_no_value(tmp_path):
    given = table(step_size=1.0) | {"assume": {"Lhat": 2.0}}
    error = refused(measure, given, tmp_path)
    assert str(error) == f"run.step_size = 1.0: expected a number below 1, where {ID} has no bound"


@pytest.mark.full
def test_another_step_than_the_given_one_is_to_blame(tmp_path):
    given = table() | {"assume": {"alpha": "1001*alpha/1000"}}
    assert outcome(given, tmp_path)[:2] == ("hypothesis-failed", ("constant", "alpha"))


def test_a_false_bound_is_never_supported(tmp_path):
    given = table(audits=110, replicas=64) | {"assume": {"bound": "bound/1000"}}
    assert outcome(given, tmp_path)[0] in {"violated", "inconclusive"}


def test_the_shortest_informative_run_is_one(tmp_path):
    verdict, _, result = outcome(table(steps="informative", audits=8), tmp_path)
    assert verdict != "uninformative"
    inputs = result.plan.inputs
    T, known = result.plan.steps, min(result.first, result.trivial)
    assert CLAIM.bound(**inputs | {"T": T}) < known <= CLAIM.bound(**inputs | {"T": T - 1})


NOISY = {"ell": 1.0, "D": 1.0, "zeta": 1.0}


@pytest.mark.parametrize(
    ("eta", "message"),
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
    assert "no informative horizon" in str(error)


@pytest.mark.full
def test_a_bound_that_no_horizon_brings_down_is_blamed_on_the_step(tmp_path):
    verdict, blame, result = outcome(table(step_size=1.9), tmp_path)
    assert (verdict, blame) == ("uninformative", ("constant", "eta")), result.reason
    assert at_the_longest(CLAIM, result.plan.inputs) >= result.first
    short = outcome(table(steps=1, audits=1, step_size=0.01), tmp_path)
    assert short[:2] == ("uninformative", ("horizon", "T"))


def test_a_step_size_is_given_where_none_is_prescribed_and_nowhere_else():
    missing = refused(parse, table() | {"run": THEOREM_TABLE["run"]})
    assert str(missing) == f"run.step_size = (not given): expected a number, for {ID} prescribes no step"
    given = refused(parse, theorem_table(run=RUN))
    expected = f"no such field: {THEOREM_TABLE['claim']} prescribes its own step"
    assert str(given) == f"run.step_size = 0.05: expected {expected}"
    assert refused(parse, table(step_size=-1.0)).field == "run.step_size"
    # A spec that takes none is stored as it was before there was the field.
    assert "step_size" not in parse(THEOREM_TABLE).as_json()["run"]
    assert parse(table()).as_json()["run"]["step_size"] == 0.05
