"""What claims say to the kernel, on exact runs: few are tried here, and all in the survey."""

from dataclasses import replace

import pytest

from soundness import sequents as layer
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
