"""What claims say to the kernel, on exact runs: few are tried here, and all in the survey."""

from dataclasses import replace
from itertools import product

import pytest

from boundcheck.kernel import Law
from soundness import sequents as layer
from soundness.exact_models import runs_of
from soundness.sequents import Compared, Evaluated, sequents, theorems

EVERY = len(theorems())
SECOND = 1


@pytest.fixture(scope="module")
def trials():
    """Each trial of one theorem, with what came out."""
    return [(each, each.tried()) for each in sequents(EVERY, SECOND)]


def test_a_claim_says_to_the_kernel_what_a_run_evaluates(trials):
    assert not [said for _, said in trials if said.wrong]
    kinds = {(type(each), said.true, said.outcome) for each, said in trials}
    assert {
        (Evaluated, True, "holds"),
        (Evaluated, False, "fails"),
        (Compared, False, "another"),
    } <= kinds


@pytest.mark.parametrize("claim", theorems(), ids=lambda claim: claim.id)
def test_what_a_hypothesis_says_to_the_kernel_holds_on_runs_that_meet_it(claim):
    # Of points of one block; and a parabola is an F without an f.
    runs = [run for run in runs_of(claim)[:4] if run.blocks == ("v",)]
    for given in layer.sequent_of(claim).given:
        for said, run in product(given.says, runs):
            is_law = isinstance(said, Law)
            held = run.obeys(said, given.hypothesis.id) if is_law else run.meets(said)
            assert held or "f(W)" in str(said)


def test_another_claim_in_its_place_is_caught(trials, monkeypatch):
    """The claim's own statement, said of the changed claims, is wrong of each that a run tells from
    it."""
    own = layer.sequent_of
    first = next(each.first for each, _ in trials if isinstance(each, Compared))
    monkeypatch.setattr(layer, "sequent_of", lambda claim: own(first))
    compared = [each for each, _ in trials if isinstance(each, Compared)]
    assert compared
    assert all(each.tried().wrong for each in compared)


def test_a_fact_of_the_other_sign_is_caught(trials):
    true = next(x for x, said in trials if isinstance(x, Evaluated) and said.outcome == "holds")
    assert replace(true, true=False).tried().wrong
    false = next(x for x, said in trials if isinstance(x, Evaluated) and said.outcome == "fails")
    assert replace(false, true=True).tried().wrong
