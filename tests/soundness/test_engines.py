"""The engines examined against each other: what is known of the claims, and that an engine that
errs is caught."""

from collections import Counter
from dataclasses import replace
from fractions import Fraction

import pytest
import sympy as sp

from boundcheck.language.catalogue import catalogue
from boundcheck.language.judge import meets
from boundcheck.language.sentence import algorithm_of
from boundcheck.worst_case.worst_case import OfClass
from soundness import engines
from soundness.edits import mixed_up
from soundness.engines import Asked, Examined
from soundness.theorems import HORIZONS, MEASURED, known, limit, recipes, speaks_of
from soundness.trial import Answer

KNOWN = [pytest.param(each, id=each.claim.id) for each in known()]
# Enough to meet every kind.
EVERY = 41
SOME = [make() for make in mixed_up(list(recipes()))[::EVERY]]


def shares(each):
    """The runs of a theorem of which it speaks, and what its measure comes to on each, over the
    bound."""
    for walk in (
        walk
        for steps in HORIZONS
        for walk in each.walks(steps)
        if speaks_of(each.claim, walk.numbers)
    ):
        seen = sp.Rational(*MEASURED[each.claim.measure](walk).as_integer_ratio())
        yield walk, seen / limit(each.claim, walk.numbers)


@pytest.mark.parametrize("each", KNOWN)
def test_no_run_exceeds_a_constant_that_is_known(each):
    """And where a run attains it, the algorithm's own exact steps are the run's."""
    for walk, share in shares(each):
        assert share <= 1
        if walk.is_whole:
            assert not meets(Asked(walk, each.claim), each.claim).failures
            assert Asked(walk, each.claim).follows(algorithm_of(each.claim)).verdict == "holds"


def test_most_constants_are_attained():
    attained = [
        each for each in known() if any(share >= sp.Rational(99, 100) for _, share in shares(each))
    ]
    assert len(attained) >= len(known()) - 4


def test_no_true_claim_is_shown_to_be_false():
    """What is true because another claim is, no run breaks that meets all of its hypotheses."""
    true = [recipe for recipe in SOME if recipe.why]
    assert len(true) > len(SOME) / 4
    for recipe in true:
        assert replace(recipe, why="").broken_by() is None, recipe.change


def test_every_false_claim_is_broken_by_a_run_that_meets_it():
    """By a second evaluation of its conclusion, and of all of its parts that are decided in the
    run."""
    found = [(recipe, recipe.broken_by()) for recipe in SOME if not recipe.why]
    false = [(recipe, walk) for recipe, walk in found if walk is not None]
    assert len(false) > len(SOME) / 4
    for recipe, walk in false:
        if len(walk.points) <= walk.steps or algorithm_of(recipe.claim).is_stochastic:
            continue
        asked = Asked(walk, recipe.claim)
        assert asked.decide(recipe.claim.conclusion).verdict == "fails", recipe.change
        assert asked.follows(algorithm_of(recipe.claim)).verdict == "holds", recipe.change


def test_every_witness_of_a_true_claim_breaks_its_bound_or_nothing():
    """A run that is held against a true claim does not meet it."""
    cheats = [(recipe, recipe.cheat(turn)) for turn, recipe in enumerate(SOME) if recipe.why]
    for recipe, walk in cheats:
        if walk is not None and not algorithm_of(recipe.claim).is_stochastic:
            asked = Asked(walk, recipe.claim)
            broken = asked.decide(recipe.claim.conclusion).verdict == "fails"
            follows = asked.follows(algorithm_of(recipe.claim)).verdict == "holds"
            met = follows and all(each.holds(walk) for each in recipe.assumed)
            assert not (broken and met and speaks_of(recipe.claim, walk.numbers)), recipe.change


@pytest.mark.full
def test_no_two_claims_have_one_id():
    """But for those that take another's on purpose."""
    every = [make() for make in recipes()]
    ids = Counter(recipe.claim.id for recipe in every if recipe.kind != "id of another claim")
    assert ids.most_common(1)[0][1] == 1, ids.most_common(3)


VOUCHES = Answer("proved", accepts=True)
REJECTS = Answer("violated", rejects=True)
CONTRADICTS = Answer("a bracket", wrong="from 2 to 1")
TRUE = Examined(
    "my.theorem", "constant", "twice", True, "it is", catalogue["drori2014.gradient_descent"]
)
FALSE = replace(TRUE, true=False)
OPEN = replace(TRUE, is_known=False)


@pytest.mark.parametrize(
    "examined, said, wrong",
    [
        (TRUE, (VOUCHES,), False),
        (TRUE, (None, REJECTS), True),
        (TRUE, (CONTRADICTS,), True),
        (FALSE, (REJECTS, None), False),
        (FALSE, (VOUCHES,), True),
        (FALSE, (CONTRADICTS,), True),
        (OPEN, (VOUCHES,), False),
        (OPEN, (REJECTS,), False),
        (OPEN, (VOUCHES, REJECTS), True),
        (OPEN, (), False),
    ],
)
def test_an_engine_that_errs_is_caught(examined, said, wrong, monkeypatch):
    """Against what is known, against another engine, and against a bound on its own numbers."""
    stubs = [("a stub", lambda each, claim, word=word: word) for word in said]
    monkeypatch.setattr(engines, "ENGINES", stubs)
    answer = examined.ask()
    assert (answer.rejects if examined.true else answer.accepts) is wrong
    assert answer.outcome.count("a stub") == len([word for word in said if word])


def test_a_claim_that_refuses_to_be_made_is_an_answer():
    for true in (True, False):
        trial = replace(TRUE, claim=None, true=true).tried()
        assert trial.wrong is False
        assert trial.outcome == "refused when it is made"


@pytest.mark.full
def test_brackets_are_held_against_the_constant():
    """A planted error: the constant of a theorem is said to be half, and to be twice, of what it
    is. An upper end is there where F is smooth everywhere."""
    everywhere = catalogue["classic.smooth_everywhere"]
    made = (make() for make in recipes())
    right = next(x for x in made if x.factor == 1 and everywhere in x.claim.hypotheses).examined(0)
    assert not right.tried().wrong
    for worst in ((None, Fraction(1, 2)), (Fraction(2), None)):
        assert replace(right, worst=worst, script=None).tried().wrong


@pytest.mark.full
def test_an_upper_end_over_a_part_of_a_class_is_found_out(monkeypatch):
    """Of F that is smooth along its iterates alone."""
    made = (make() for make in recipes() if "smooth in a part" in make.args)
    about = "engines.drori2014_gradient_descent", "1 of the bound, under classic.smooth"
    each = next(x for x in made if (x.subject, x.change) == about).examined(0)
    assert not each.true
    assert not engines.falsified(each, each.claim).wrong
    monkeypatch.setattr(OfClass, "leaves_out", ())
    assert "is attained" in engines.falsified(each, each.claim).wrong
