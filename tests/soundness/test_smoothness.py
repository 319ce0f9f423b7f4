"""Mutants of statements: shown false by numbers that add up, tried without an error, and recorded
as they are."""

import pickle
from dataclasses import replace

import pytest

from boundcheck.language.catalogue import catalogue
from boundcheck.worst_case import falsify
from boundcheck.worst_case.search import Search
from soundness import smoothness
from soundness.smoothness import (
    Statement,
    drawn,
    inputs_at,
    pairs,
    shown_false,
    suspects,
    variations,
)

EVERY = 90
PAIRS = [pytest.param(pair, id=f"{pair[0]}, {pair[1].id}") for pair in pairs()]


def values_of(mutant):
    """L̂ at each rank, in floats."""
    function = mutant.claim.function("Lhat")
    constants = dict(mutant.constants)
    return [
        function(**{name: float(x) for name, x in inputs_at(mutant.claim, constants, rank).items()})
        for rank in mutant.ranks
    ]


@pytest.mark.full
def test_the_mutants_tell_true_from_false():
    """Every subject has both; and the witnesses' two numbers are those of the mutant's formula, in
    floats."""
    found = drawn(EVERY)[0]
    assert {mutant.true for mutant in found} == {True, False}
    for mutant in found:
        names = {p.name for p in mutant.claim.parameters}
        assert names <= {"s", "r", *dict(mutant.constants), "sigma", "C"}
        if mutant.true:
            assert mutant.witness
            continue
        measured, bound = (
            float(part.split()[0]) for part in mutant.witness.split("≥ ")[1].split("> ")
        )
        assert any(bound == pytest.approx(value, rel=1e-4) for value in values_of(mutant))
        assert measured >= bound


@pytest.mark.parametrize("pair", PAIRS)
def test_what_is_true_is_no_smaller_and_shown_false_nowhere_and_half_of_it_is(pair):
    """A true variation is never below its original in floats, or is the original under stronger
    hypotheses.

    The exact points, which decide, contradict none of them.
    """
    kind, claim = pair
    known = dict.fromkeys((p.name for p in claim.parameters), 1.25) | {"r": 1, "w_0": 8.0}
    own = claim.function("Lhat")(**{p.name: known[p.name] for p in claim.parameters})
    true = list(variations(kind, claim))
    for mutation in true:
        changed = {p.name: known[p.name] for p in mutation.claim.parameters}
        assert mutation.claim.function("Lhat")(**changed) >= own * (1 - 1e-15), mutation.change
    assert [mutation.change for mutation in true[::12] if shown_false(mutation)] == []
    assert (
        shown_false(next(m for m in suspects(kind, claim) if m.change == "Lhat by 1/2")) is not None
    )


def test_a_false_statement_called_true_would_be_wrong():
    """A planted error of the deciding: half of L, said to be true, is refuted and so recorded as
    wrong."""
    claim = catalogue["meft.full"]
    mutation = next(m for m in suspects("full", claim) if m.change == "Lhat by 1/2")
    statement = shown_false(mutation)
    assert statement.tried().caught
    assert replace(statement, true=True).tried().wrong


@pytest.mark.parametrize("share", ["Lhat by 9/10", "true"])
def test_the_shared_climb_says_what_falsify_says(share):
    claim = catalogue["meft.frozen_a"]
    changes = [*suspects("frozen-a", claim), Statement.of("frozen-a", claim, "", "true", claim)]
    mutation = next(m for m in changes if m.change == share)
    mutant = shown_false(mutation)
    whole = falsify(
        mutation.claim, Search([1], {"L": 2.0}, "frozen-a", starts=4, rounds=30, examples=0)
    )
    assert whole.violated == (mutant is not None)
    if mutant is not None:
        assert mutant.tried().caught


@pytest.mark.full
def test_mutants_are_the_same_each_time_and_in_another_process(monkeypatch):
    monkeypatch.setattr(smoothness, "pairs", lambda: list(pairs())[:2])
    first, again = (drawn.__wrapped__(9)[0] for _ in range(2))
    assert list(map(str, first)) == list(map(str, again))
    sent = pickle.loads(pickle.dumps(first))
    assert list(map(values_of, sent)) == list(map(values_of, first))
    assert [mutant.witness for mutant in sent] == [mutant.witness for mutant in first]
