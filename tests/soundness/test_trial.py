"""The engine of mutation: what the record makes of an answer, and the order in which changes are
tried."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from soundness.edits import Change, in_turn, mixed_up
from soundness.runs import run_mutants
from soundness.smoothness import drawn
from soundness.statements import examinations
from soundness.trial import Answer, Mutant


@dataclass(frozen=True)
class Answered(Mutant):
    layer = "proof"
    answer: Answer | None

    def ask(self):
        if self.answer is None:
            raise ZeroDivisionError("by nothing")
        return self.answer


@pytest.mark.parametrize("true", [True, False])
@pytest.mark.parametrize("accepts", [True, False])
@pytest.mark.parametrize("rejects", [True, False])
def test_to_vouch_for_a_false_one_or_to_reject_a_true_one_is_wrong(true, accepts, rejects):
    mutant = Answered(
        "my.lemma", "sign", "flip x", true, "x = 1", Answer("said", accepts, rejects, seconds=100.0)
    )
    trial = mutant.tried()
    assert trial.wrong == (rejects if true else accepts)
    assert trial.caught == (rejects and not true)
    assert trial.layer == "proof"
    assert trial.outcome == "said"
    assert str(mutant) == "my.lemma: sign, flip x; x = 1"
    # Shared work counts.
    assert 100 <= trial.seconds < 200


@pytest.mark.parametrize("true", [True, False])
def test_a_layer_that_dies_is_wrong_and_says_where(true):
    trial = Answered("my.lemma", "sign", "flip x", true, "x = 1", None).tried()
    assert trial.wrong is True
    assert trial.caught is False
    assert trial.outcome == "traceback"
    assert trial.witness.startswith("x = 1; ")
    assert trial.witness.strip().endswith("ZeroDivisionError: by nothing")


@pytest.mark.full
@pytest.mark.parametrize(
    "make, share, most_missed",
    [
        (lambda: drawn(90)[0][::9], 0.9, 0),
        (lambda: run_mutants(90), 1, 2),
        (lambda: examinations(60), 1 / 3, 0),
    ],
    ids=["statements", "runs", "engines"],
)
def test_every_trial_of_a_sample_is_right(make, share, most_missed):
    trials = [each.tried() for each in make()]
    assert not [trial for trial in trials if trial.wrong]
    assert {trial.true for trial in trials} == {True, False}
    false = [trial for trial in trials if not trial.true]
    assert sum(trial.caught for trial in false) >= share * len(false) - most_missed
    assert all(trial.seconds > 0 for trial in trials)


def test_kinds_take_turns_and_relations_come_last():
    kinds = ["norm", "norm", "sign", "relation", "constant"]
    changes = [Change(kind, str(i), i) for i, kind in enumerate(kinds)]
    assert [x.kind for x in in_turn(changes, 0)] == ["constant", "norm", "sign", "norm", "relation"]
    assert [x.kind for x in in_turn(changes, 4)] == ["norm", "sign", "constant", "norm", "relation"]
    assert sorted(x.result for x in in_turn(changes, 7)) == list(range(5))
    assert in_turn([], 3) == []


def test_what_is_mixed_up_is_all_there_and_the_same_each_time():
    assert sorted(mixed_up(range(50))) == list(range(50))
    assert mixed_up(range(50)) == mixed_up(range(50)) != list(range(50))
