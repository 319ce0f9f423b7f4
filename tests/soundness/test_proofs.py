"""No false mutant of a line or of a claim is accepted, no true one refuted; each false one has an
exact instance."""

from functools import cache
from itertools import islice

import pytest
import sympy as sp

from boundcheck.errors import InputError
from boundcheck.kernel import rules
from boundcheck.language.symbols import L, T, nu
from boundcheck.language.vocabulary import FrobeniusNorm, InnerProduct
from boundcheck.proof import Proof
from boundcheck.proof.script import find
from boundcheck.proof.solver import Counterexample
from soundness import proofs
from soundness.edits import KINDS, is_nonnegative, mixed_up, of_relation, variations, with_formula
from soundness.exact_model import ExactModel
from tests.judged import names, of_the_paper, proof_of

pytestmark = of_the_paper

# The scripts that prove a claim with a formula: those that are quick to run once more, and to
# refute with an edit.
PROVABLE = tuple(x for x in find(()) if x.version != "printed" and x.claim and x.claim.quantities)
SHORT = tuple(
    x
    for x in PROVABLE
    if x.id in ("meft.lemma1_sharp_equal_radii", "meft.frozen_a", "meft.frozen_b")
)
# So many tests between them look at every fourth line.
SHARES = 16

short_scripts = pytest.mark.parametrize("script", SHORT, ids=names(SHORT))


@cache
def sample(every):
    """Each so manieth line; `make nightly` takes more."""
    return mixed_up(proofs.all_lines())[::every]


def right(mutant):
    """The trial of a mutant, about which the proof layer may not be wrong."""
    trial = mutant.tried()
    assert not trial.wrong, f"{'ACCEPTED' if not trial.true else 'REFUTED'}: {mutant}"
    return trial


@pytest.mark.full
def test_almost_every_line_has_a_model():
    """None has a line whose hypotheses contradict each other, or whose constants are irrational:
    ν² + 1 and ν² + 4 are both squares of rationals at ν = 0 alone.
    """
    lines = proofs.all_lines()
    assert sum(bool(proofs.allowed(line, 1)) for line in lines) >= 0.95 * len(lines)


@pytest.mark.full
@pytest.mark.parametrize("every, kinds", [(80, 1), pytest.param(20, 6, marks=pytest.mark.nightly)])
def test_no_false_mutant_of_a_line_is_accepted(every, kinds):
    lines = [line for line in sample(every) if proofs.allowed(line, 1)]
    trials = [right(mutant) for line in lines for mutant in proofs.false_of(line, 1)]
    # No mutant of ‖∇F(0)‖ = 0 is false where ∇F(0) is 0.
    assert len(trials) >= 0.9 * len(lines)
    assert all(trial.caught and not trial.true and trial.witness for trial in trials)
    assert {trial.outcome for trial in trials} == {"refuted"}
    assert len({trial.kind for trial in trials}) >= kinds


@pytest.mark.full
def test_no_true_variation_of_a_line_is_refuted():
    trials = [right(mutant) for line in sample(20) for mutant in proofs.true_of(line, 2)]
    assert len(trials) == 2 * len(sample(20))
    proved = [trial for trial in trials if trial.outcome == "proved"]
    assert len(proved) >= 0.8 * len(trials)
    assert all(trial.true and not trial.caught for trial in trials)


@pytest.mark.full
def test_no_script_is_left_out_and_the_short_ones_are_short():
    assert {(x.id, x.version) for x in PROVABLE} == {(x.id, x.version) for x in proofs.provable()}
    assert [x for x in SHORT if len(x.proof.steps) >= 25 or "alpha" in x.claim.names] == []


@pytest.mark.full
@short_scripts
def test_no_false_claim_is_proved(script):
    (trial,) = [right(mutant) for mutant in proofs.false_edits(script, 1)]
    assert trial.outcome == "refuted"


@pytest.mark.full
@short_scripts
def test_no_true_variation_of_a_claim_is_refuted(script):
    trials = {trial.change: trial for trial in map(right, proofs.true_claims(script))}
    # What says the same is proved again: edited claims are refused for the edit, and not for being
    # edited.
    kept = ("rewritten", "hypothesis strengthened")
    same = [x for x in trials.values() if x.kind.split(": ")[1] in kept]
    assert len(same) >= 2
    assert {trial.outcome for trial in same} == {"proved"}


@pytest.mark.nightly
def test_a_thousand_false_and_a_thousand_true_ones():
    trials = [x.tried() for x in proofs.mutants()]
    assert [trial for trial in trials if trial.wrong] == []
    for true in (False, True):
        assert sum(trial.true is true for trial in trials) >= 1000
    assert set(KINDS.values()) - {"transpose lost"} <= {trial.kind for trial in trials}


@pytest.mark.nightly
@pytest.mark.parametrize("first", range(SHARES))
def test_all_false_mutants_of_a_line(first):
    for line in mixed_up(proofs.all_lines())[::4][first::SHARES]:
        for mutant in proofs.false_of(line, most_worlds=1000):
            right(mutant)


@short_scripts
def test_true_claims_are_false_nowhere(script):
    assert proofs.false_in(script.claim, script, proofs.runs_for(script.claim)) is None


@pytest.mark.nightly
def test_the_printed_bound_is_not_proved_with_1_7():
    script = proof_of("jiang2024.theorem2", "repaired").script

    def scaled_to(expression, constant):
        return sp.Mul(
            constant,
            *(x for x in expression.args if not isinstance(x, sp.Rational)),
            evaluate=False,
        )

    last = script.claim.names[-1]
    bound = script.claim.quantities[-1].expression
    for constant in (sp.Rational(17, 10), sp.Rational(19, 10)):
        assert (
            proofs.verdict_on(script, with_formula(script.claim, last, scaled_to(bound, constant)))
            != "proved"
        )
    assert (
        proofs.verdict_on(
            script, with_formula(script.claim, last, scaled_to(bound, sp.Rational(3)))
        )
        == "proved"
    )


# The books are kept right: whatever is wrong is counted.


def some_lines():
    """Lines that are quick to close, and that a world makes false once they are changed."""
    return (
        line for line in sample(20) if len(line.premises) <= 3 and any(proofs.false_of(line, 1))
    )


@pytest.mark.full
def test_a_closer_that_accepts_everything_is_wrong(monkeypatch):
    mutants = (mutant for line in some_lines() for mutant in proofs.false_of(line, 2))
    false = list(islice(mutants, 10))
    monkeypatch.setattr(
        Proof, "close", lambda self, relation, *because: rules.assume(self.reading.fact(relation))
    )
    trials = [mutant.tried() for mutant in false]
    assert len(trials) == 10
    assert all(trial.wrong and not trial.caught and trial.outcome == "proved" for trial in trials)


@pytest.mark.full
@pytest.mark.parametrize("by", ["refutes", "says", "counterexample"])
def test_whatever_refutes_a_true_line_is_wrong(by, monkeypatch):
    mutant = next(proofs.true_of(next(some_lines()), 1))
    assert not mutant.tried().wrong
    if by == "refutes":
        monkeypatch.setattr(proofs, "refutes", lambda *_: True)
    elif by == "says":
        monkeypatch.setattr(ExactModel, "says", lambda *_: False)
    else:
        monkeypatch.setattr(Proof, "close", lambda *_: None)
        monkeypatch.setattr(proofs, "counterexample", lambda *_: object.__new__(Counterexample))
    trial = mutant.tried()
    assert trial.wrong is True
    assert trial.caught is False
    assert trial.outcome == "refuted"


@pytest.mark.full
@pytest.mark.parametrize(
    "word, make", [("refuted", proofs.true_claims), ("proved", proofs.false_edits)]
)
def test_a_verdict_on_a_claim_that_is_always_the_same_is_wrong(word, make, monkeypatch):
    mutant = next(iter(make(SHORT[0])))
    monkeypatch.setattr(proofs, "verdict_on", lambda script, claim: word)
    trial = mutant.tried()
    assert trial.wrong is True
    assert trial.caught is False
    assert trial.outcome == word


@pytest.mark.full
def test_a_mutant_that_one_evaluation_calls_true_is_no_false_mutant(monkeypatch):
    line = next(some_lines())
    assert any(proofs.false_of(line))
    monkeypatch.setattr(ExactModel, "says", lambda *_: None)
    assert not any(proofs.false_of(line))
    monkeypatch.setattr(ExactModel, "says", lambda *_: True)
    with pytest.raises(proofs.DisagreementError, match="differ"):
        list(proofs.false_of(line))


@pytest.mark.full
def test_shares_are_the_same_every_time_and_overlap_nowhere():
    def changes(every, first):
        return [
            f"{x}" for x in proofs.mutants(every, first, [True]) if isinstance(x, proofs.LineMutant)
        ]

    assert changes(60, 7) == changes(60, 7)
    assert set(changes(60, 7)).isdisjoint(changes(60, 8))
    assert set(changes(60, 7)) == set(changes(120, 7)) | set(changes(120, 67))
    with pytest.raises(InputError, match="first = 3: expected a number from 0 to 2"):
        list(proofs.mutants(3, 3))


# Edits and variations.

X, Y = (sp.MatrixSymbol(name, 2, 3) for name in "XY")
x, y = sp.symbols("x y", positive=True)
RELATION = sp.Le(FrobeniusNorm(X - Y) / T, 2 * x + y**2, evaluate=False)


def test_every_kind_of_edit_is_made_of_a_relation_that_has_room_for_it():
    found = {edit.kind for edit in of_relation(RELATION)}
    assert found == set(KINDS) - {"scale quantity", "transpose"}
    results = {edit.result for edit in of_relation(RELATION)}
    assert sp.Le(FrobeniusNorm(X - Y) / (T + 1), 2 * x + y**2, evaluate=False) in results
    assert RELATION not in results


def test_variations_of_numbers_hold():
    """At numbers at which a relation holds, so do its variations."""
    left = x * y
    right_ = x**2 + y**2
    for relation in (
        sp.Le(left, right_),
        sp.Gt(2 * right_, left),
        sp.Eq(left, y * x, evaluate=False),
    ):
        found = list(variations(relation))
        assert len({(each.kind, each.where) for each in found}) == len(found) > 8
        for each in found:
            assert each.result.subs({x: sp.Rational(2, 7), y: sp.Rational(5, 3)}) == sp.true, each
    found = [each.result for each in variations(sp.Ge(FrobeniusNorm(X), InnerProduct(X, Y)))]
    assert {FrobeniusNorm(X.T), FrobeniusNorm(-X)} <= {each.lhs for each in found}
    assert InnerProduct(Y, X) in {each.rhs for each in found}


@pytest.mark.parametrize(
    "node", [sp.Integer(-1), sp.Symbol("z"), InnerProduct(X, Y), x - y, -FrobeniusNorm(X)]
)
def test_what_may_be_negative(node):
    assert not is_nonnegative(node)
    assert is_nonnegative(sp.Pow(node, 2, evaluate=False))


def test_a_world_that_has_no_value_of_a_letter_refutes_nothing():
    script = next(each for each in PROVABLE if each.id == "meft.loreft_sharp")
    world = next(each for each in proofs.mixed_worlds() if nu.name not in each.numbers)
    assert not proofs.refutes(world, sp.Lt(nu, L), script.proof, ())
