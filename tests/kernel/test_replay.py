"""A theorem is what its derivation yields: tampering anywhere is seen, however long the way."""

from dataclasses import FrozenInstanceError, replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boundcheck.kernel import (
    Fact,
    KernelError,
    ReplayError,
    derive,
    replay,
    replay_all,
    rules,
)
from boundcheck.kernel.derive import derivation
from boundcheck.kernel.terms import NOW, ONE, Scalar, Variable
from tests.layers import examples

X = Scalar.of(Variable("x"))
LOW = rules.assume(Fact(">=", X))
STEPS = [
    lambda theorem: rules.expectation(theorem, None),
    lambda theorem: rules.expectation(theorem, NOW),
    lambda theorem: rules.discharge(LOW, theorem),
    lambda theorem: rules.certificate(
        (theorem, rules.horizon_positive()), theorem.fact, ((((Fraction(1), ONE),), (0,)),), (), ()
    ),
]
CHANGES = {
    "conclusion": lambda x: {"conclusion": Fact(">=", x.fact.polynomial - 1)},
    "relation": lambda x: {"conclusion": Fact(">", x.fact.polynomial)},
    "hypotheses": lambda x: {"hypotheses": frozenset()},
    "a hypothesis more": lambda x: {"hypotheses": x.hypotheses | {Fact(">=", Scalar.of(-1))}},
    "no rule": lambda x: {"rule": ""},
    "ledger": lambda x: {"ledger": frozenset({"descent_lemma"})},
    "rule": lambda x: {"rule": "trust_me"},
}


def chain(steps, place=None, change="conclusion"):
    """The steps one after the other, the one at `place` changed."""
    theorem = LOW
    for i, step in enumerate(steps):
        theorem = STEPS[step](theorem)
        if i == place:
            theorem = replace(theorem, **CHANGES[change](theorem))
    return theorem


def test_a_derivation_yields_its_theorem():
    theorem = chain([0, 1, 2, 3])
    again = replay(theorem)
    assert again is not theorem
    assert again.same_as(theorem)
    assert str(again) == "0 <= x ⊢ 0 <= x"


@examples(50)
@given(
    st.lists(st.integers(0, len(STEPS) - 1), min_size=1, max_size=8),
    st.sampled_from(sorted(CHANGES)),
    st.data(),
)
def test_a_change_anywhere_is_refused(steps, change, data):
    place = data.draw(st.integers(0, len(steps) - 1))
    steps = [2 if i == place + 1 and step == 2 else step for i, step in enumerate(steps)]
    try:
        bad = chain(steps, place, change)
    except KernelError:
        # Without its hypothesis, a changed step cannot be discharged.
        return
    with pytest.raises(ReplayError, match=r"yields|is not a rule"):
        replay(bad)


def test_long_derivations_replay():
    length = 1500
    good = chain([0] * length)
    assert len(derivation([good])) == length + 1
    assert replay(good).same_as(good)
    with pytest.raises(ReplayError, match="yields"):
        replay(chain([0] * length, 0))


def test_a_shared_step_is_replayed_once(monkeypatch):
    calls = []
    assume = derive._steps["assume"]
    monkeypatch.setitem(
        derive._steps, "assume", lambda *given: calls.append(given) or assume(*given)
    )
    theorem = LOW
    for _ in range(40):
        theorem = rules.certificate(
            (theorem, theorem), theorem.fact, ((((Fraction(1), ONE),), (0,)),), (), ()
        )
    assert [
        x.same_as(y) for x, y in zip(replay_all([theorem, LOW]), (theorem, LOW), strict=True)
    ] == [True, True]
    assert len(calls) == 1


def test_one_bad_theorem_among_good_ones_is_seen():
    with pytest.raises(ReplayError, match="yields"):
        replay_all([LOW, replace(LOW, conclusion=Fact(">", X)), chain([0])])


def test_equal_facts_of_different_steps_are_not_confused():
    """A forged twin of an honest step, side by side with it."""
    forged = replace(rules.horizon_positive(), conclusion=LOW.conclusion)
    both = rules.certificate((LOW, forged), LOW.fact, ((((Fraction(1), ONE),), (0,)),), (), ())
    with pytest.raises(ReplayError, match="horizon_positive yields"):
        replay(both)


def test_a_theorem_cannot_be_changed_in_place():
    with pytest.raises(FrozenInstanceError):
        LOW.conclusion = Fact(">=", Scalar.of(-1))


def test_replay_ignores_what_was_not_a_field():
    bad = replace(chain([0, 1]), conclusion=Fact(">=", Scalar.of(-1)))
    vars(bad)["derivation"] = (LOW,)
    with pytest.raises(ReplayError, match="yields"):
        replay(bad)
