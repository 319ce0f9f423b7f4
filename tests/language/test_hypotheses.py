"""A hypothesis is its word: no claim has a statement, a range or a formula beside a word that says
something else."""

from dataclasses import replace

import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from boundcheck.errors import InputError
from boundcheck.language.algorithms import SGD
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Quantifier, Quantity, Statement
from boundcheck.language.hypotheses import HYPOTHESES
from boundcheck.language.measures import LEAST_GRADIENT_ON_EACH_PATH, MEASURES
from boundcheck.language.sentence import calls_it_bound, measure_of, word_of
from boundcheck.language.symbols import PARAMETERS, Parameter, T, bound, symbol_of
from soundness.edits import of_relation, put

STATED = [claim for claim in catalogue.values() if claim.word is not None]
THEOREMS = [claim for claim in catalogue.values() if claim.measure is not None]
hypotheses = st.sampled_from(STATED)
theorems = st.sampled_from(THEOREMS)


def edits(conclusion):
    """The conclusion with one edit, of one of its relations where it has several, without those
    that are none."""
    parts = (
        [((i,), part) for i, part in enumerate(conclusion.args)]
        if isinstance(conclusion, sp.And)
        else [((), conclusion)]
    )
    for path, part in parts:
        for edit in of_relation(part):
            if (edited := put(conclusion, path, edit.result)) != conclusion:
                yield edited


def refused(claim, **changes):
    with pytest.raises(InputError) as caught:
        replace(claim, **changes)
    assert caught.value.field in ("claim.word", "claim.measure", "claim.quantifier")
    assert claim.id in caught.value.expected


def test_words_and_claims_of_the_catalogue_say_the_same():
    assert {claim.word.id for claim in STATED} == HYPOTHESES.keys()
    for claim in STATED:
        assert not claim.word.denies(claim)
    for word in HYPOTHESES.values():
        for each in word.says:
            assert word.claim("my.own", "mine", "mine", each).word is word


@pytest.mark.parametrize("claim", STATED, ids=lambda claim: claim.id)
def test_no_edit_of_a_hypothesis_keeps_its_word(claim):
    found = [
        each
        for each in edits(claim.conclusion)
        if each not in {x.conclusion for x in claim.word.says}
    ]
    assert found
    bare = replace(claim, quantifier=Quantifier(), word=None)
    for edited in found:
        refused(claim, conclusion=edited)
        # Without a word it is a statement that no engine knows more of.
        assert word_of(replace(bare, conclusion=edited)) is None


@given(hypotheses, st.sampled_from([*HYPOTHESES.values()]), hypotheses)
def test_another_word_range_or_condition_is_refused(claim, word, other):
    if word.denies(claim):
        refused(claim, word=word)
    if (claim.conclusion, other.quantifier) not in [each[:2] for each in claim.word.says]:
        refused(claim, quantifier=other.quantifier)
    refused(claim, hypotheses=(other,))
    refused(claim, conditions=(sp.Ge(T, 7),))
    refused(claim, quantities=(Quantity(bound, sp.Integer(1)),))


@given(hypotheses)
def test_other_letters_are_another_words(claim):
    """Engines look values up by a word's letters: a claim is renamed one for one with its word, and
    not alone."""
    word = claim.word
    letters = [x for x in word.symbols if x in claim.conclusion.free_symbols]
    new = {x: symbol_of(f"my_{x.name}", PARAMETERS[x.name].domain) for x in letters}
    says = tuple(Statement(x.conclusion.xreplace(new), x.quantifier) for x in word.says)
    renamed = replace(
        word, id="mine", symbols=tuple(new.get(x, x) for x in word.symbols), says=says
    )
    declared = tuple(Parameter(new[x], PARAMETERS[x.name].domain, "mine") for x in letters)
    changes = {"conclusion": claim.conclusion.xreplace(new), "declared": declared}
    assert replace(claim, **changes, word=renamed).word is renamed
    if letters:
        refused(claim, **changes)


@pytest.mark.parametrize("claim", THEOREMS, ids=lambda claim: claim.id)
def test_no_edit_of_a_theorem_keeps_a_measure_that_it_does_not_state(claim):
    for edited in edits(claim.conclusion):
        refused(claim, conclusion=edited)
        assert measure_of(replace(claim, conclusion=edited, measure=None)) is not claim.measure
    for other in MEASURES.values():
        if not other.is_bounded_by(claim.conclusion, claim.quantities[-1].symbol):
            refused(claim, measure=other)
    refused(claim, quantities=claim.quantities[:-1], conditions=())


@given(theorems)
def test_no_run_takes_another_quantity_for_the_one_that_is_the_bound(claim):
    other = Quantity(sp.Symbol("other", positive=True), claim.quantities[-1].expression)
    conclusion = claim.measure.at_most(other.symbol)
    assert calls_it_bound(claim)
    assert not calls_it_bound(
        replace(claim, quantities=(*claim.quantities, other), conclusion=conclusion)
    )


@given(theorems)
def test_no_measure_of_each_path_is_of_an_algorithm_with_noise(claim):
    conclusion = LEAST_GRADIENT_ON_EACH_PATH.at_most(claim.quantities[-1].symbol)
    if claim.algorithm.is_stochastic:
        refused(claim, conclusion=conclusion, measure=LEAST_GRADIENT_ON_EACH_PATH)
        assert measure_of(replace(claim, conclusion=conclusion, measure=None)) is None
    noiseless = catalogue["meft.adaptive_gd"]
    refused(noiseless, algorithm=SGD)


@given(hypotheses)
def test_a_word_is_a_part_of_what_a_claim_is(claim):
    foreign = replace(claim, word=replace(claim.word, held=lambda evidence, id: []))
    assert foreign != claim
    assert replace(claim, word=None) != claim
    assert replace(claim) == claim
