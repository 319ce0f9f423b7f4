"""What earns a verdict: a proof, a witness that stands, the claim's own conclusion; and what must
not earn one."""

import itertools

import pytest
import sympy as sp
from boundcheck.proofs.jiang2024.claims import LEMMA_1
from hypothesis import given
from hypothesis import strategies as st

from boundcheck.errors import InputError
from boundcheck.exact.evaluate import t
from boundcheck.kernel import Theorem
from boundcheck.language.claim import Claim
from boundcheck.language.symbols import L, Parameter
from boundcheck.language.vocabulary import A1, EuclideanNorm, Iterate, Value, f, i
from boundcheck.proof import Process, Reading, eq, ge, gt, judge, le, script
from boundcheck.proof import proof as proofs
from boundcheck.proof.audit import step_as_json
from boundcheck.proof.script import find
from boundcheck.proof.verdict import claim_verdict

from .entailments import play
from .scripts import NUMBERS, judged, line, numbers, x, y, z

u = sp.Symbol("u", real=True)
w = sp.Symbol("w", real=True)
NONNEGATIVE = Claim("my.nonnegative", "w is not negative", "me", ge(w, 0))
LARGE = Claim("my.large", "x is large", "me", ge(x, 1), hypotheses=(NONNEGATIVE,))
CLAIM = Claim(
    "my.claim",
    "A claim",
    "me",
    ge(x + u, 0),
    hypotheses=(LARGE, NONNEGATIVE),
    conditions=(ge(u, w),),
    declared=(Parameter(u, "real", "a number"), Parameter(w, "real", "another")),
)
# What is proved.


def test_a_claim_is_proved_from_its_hypotheses_its_conditions_and_domains():
    def build(proof):
        proof.positive(L)
        large = proof.assume(LARGE)
        condition = proof.assume(ge(u, w))
        nonnegative = proof.assume(NONNEGATIVE)
        proof.conclude(proof.step("line", CLAIM.conclusion, large, condition, nonnegative))

    proof = judged(build, CLAIM)
    assert proof.verdict == "proved"
    assert proof.trust == "kernel"
    assert {each.name for each in proof.hypotheses} == {
        "x is large",
        "$u ≥ w$",
        "w is not negative",
    }


# What stays unknown.


def test_a_line_that_does_not_follow_stays_unknown_and_so_does_what_rests_on_it():
    at = Value(f, sp.MatrixSymbol("Z", 2, 2))

    def build(proof):
        first = proof.step("false", ge(at, 1))
        second = proof.step("next", ge(2 * at, 2), first)
        proof.step("apart", ge(y**2, 0))
        third = proof.step("last", ge(4 * at, 4), second)
        proof.conclude(third, relation=ge(4 * at, 4))

    reading = Reading(constants={y, sp.MatrixSymbol("Z", 2, 2)})
    proof = judge(script("my.lemma", "sharp", reading)(build))
    assert [each.verdict for each in proof.steps] == ["unknown", "unknown", "proved", "unknown"]
    assert "its premises hold at f(Z) = 0, where it fails" in line(proof, "false").reason
    assert line(proof, "next").reason == line(proof, "last").reason == "rests on false"
    assert proof.verdict == "unknown"
    assert proof.trust == ""
    assert "it rests on false" in proof.reason


@pytest.mark.parametrize("is_statement", [False, True])
def test_a_refuted_line_does_not_help_either_and_refuting_takes_a_printed_script(is_statement):
    def build(proof):
        first = proof.step("false", ge(x, 1), witness=numbers(x=0))
        proof.conclude(proof.step("next", ge(2 * x, 2), first), relation=ge(2 * x, 2))

    for version in ("repaired", "sharp"):
        proof = judged(build, version=version, is_statement=is_statement)
        assert [each.verdict for each in proof.steps] == ["refuted", "unknown"]
        assert proof.verdict == claim_verdict([proof]) == "unknown"
        assert "it rests on false, which is false" in proof.reason
    assert judged(build, version="printed", is_statement=is_statement).verdict == "refuted"


def replaced(proof):
    large = proof.assume(LARGE)
    nonnegative = proof.assume(NONNEGATIVE, where={w: u}, name="u ≥ 0")
    proof.conclude(proof.step("line", CLAIM.conclusion, large, nonnegative))


def left_over(proof):
    proof.conclude(
        proof.step("line", ge(2 * x, 2), proof.local(ge(x, 1), name="x ≥ 1")), relation=ge(2 * x, 2)
    )


def below_a_law(proof):
    line = proof.step("wish", ge(x, 2), proof.local(ge(x, 1)))
    proof.conclude(line, forall=[x], such_that=[ge(x, 1)], relation=ge(x, 2))


STRAY = "it rests on {}, which is not a hypothesis of the claim"
# A claim, a script that does not prove it, and the beginning of the reason.
UNPROVED = {
    "nothing is concluded": ("my.lemma", lambda proof: proof.step("line", ge(x**2, 0)), ""),
    "nothing is said": ("my.lemma", lambda proof: None, ""),
    "another conclusion": (
        "my.lemma",
        lambda proof: proof.conclude(proof.step("line", ge(x**2, 0)), relation=ge(x**2, 1)),
        "it ends in 0 <= x^2, and not in ",
    ),
    "a hypothesis with a number replaced": (CLAIM, replaced, STRAY.format("u ≥ 0")),
    "what is local": ("my.lemma", left_over, STRAY.format("x ≥ 1")),
    "a hypothesis that is local": (
        Claim("my.other", "Other", "me", ge(x, 0), hypotheses=(LARGE,)),
        lambda proof: proof.conclude(
            proof.step("line", ge(x, 0), proof.assume(LARGE, role="local"))
        ),
        "",
    ),
    "an open line below a law": ("my.lemma", below_a_law, ""),
}


@pytest.mark.parametrize("claim, build, reason", UNPROVED.values(), ids=UNPROVED)
def test_what_proves_nothing_is_unknown(claim, build, reason):
    proof = judged(build, claim)
    assert proof.verdict == "unknown"
    assert proof.reason.startswith(reason)


# Witnesses.


def printed(relation, witness, *hypotheses):
    def build(proof):
        for each in hypotheses:
            proof.assume(each, name=f"given {each}")
        proof.step("line", relation, witness=witness)

    return judged(build, version="printed", is_statement=True)


def test_a_witness_that_meets_all_refutes():
    proof = printed(le(x, y), numbers("Two numbers", x=2, y=1), ge(x, y), gt(y, 0))
    assert proof.verdict == "refuted"
    assert proof.reason == "false: line"
    step = line(proof, "line")
    assert step.verdict == "refuted"
    assert step.trust == ""
    assert step.reason == ""
    found = step_as_json(proof, step)["witness"]
    assert found == {
        "about": "Two numbers",
        "numbers": {"x": "2", "y": "1"},
        "t": 1,
        "left": "2",
        "right": "1",
    }
    assert claim_verdict([proof]) == "refuted"


@given(*[st.fractions(-3, 3, max_denominator=4)] * 4)
def test_a_witness_refutes_just_where_the_hypotheses_hold_and_the_line_does_not(a, b, c, d):
    proof = printed(le(x + c, d * y), numbers(x=a, y=b), ge(x, y))
    holds = a >= b
    false = a + c > d * b
    assert (proof.verdict == "refuted") == (holds and false)


def test_numbers_that_are_irrational_refute_where_the_intervals_say_so():
    root = sp.sqrt(x)
    assert printed(le(root, sp.Rational(1414, 1000)), numbers(x=2)).verdict == "refuted"
    assert printed(le(root, sp.Rational(1415, 1000)), numbers(x=2)).verdict == "unknown"
    # Equal, which no enclosure of an irrational number shows to be false.
    assert printed(eq(sp.Pow(root, 2, evaluate=False), 2), numbers(x=2)).verdict == "unknown"


def test_definitions_that_come_after_a_line_bind_its_witness_too():
    def build(proof):
        proof.step("line", le(x, 1), witness=numbers(x=2, y=3))
        proof.define(x, y)

    assert line(judged(build, version="printed"), "line").verdict == "unknown"


def test_a_line_that_does_not_follow_is_told_from_one_that_is_false():
    def build(proof):
        premise = proof.assume(ge(x, 1))
        proof.step("follows", ge(x, 0), premise, derived_from=[premise])
        proof.step("does not", ge(x, 0), premise, derived_from=[proof.assume(ge(x, -1))])

    proof = judged(build)
    follows, not_ = proof.steps
    assert follows.verdict == "proved"
    assert follows.follows is True
    assert follows.numbers is None
    assert not_.verdict == "proved"
    assert not_.follows is False
    (value,) = not_.numbers.values.values()
    assert -1 <= value < 0


# Trust.


def without_certificate(monkeypatch, *relations):
    """Let the search find nothing for these lines."""
    hopeless = {NUMBERS.fact(relation) for relation in relations}
    real = proofs.entailed
    monkeypatch.setattr(
        proofs,
        "entailed",
        lambda goal, *rest, **options: None if goal in hopeless else real(goal, *rest, **options),
    )


def chain(proof):
    """Three lines, of which the second rests on the first, and the third on neither."""
    first = proof.step("first", ge(x, 0), proof.assume(ge(x, 1)))
    second = proof.step("second", ge(2 * x, 0), first)
    proof.step("third", ge(y**2, 0))
    proof.conclude(second, relation=ge(2 * x, 0))


SAY = "import sys; sys.stdin.read(); print('{}')"


@pytest.mark.parametrize("said, trust", [("unsat", "solver"), ("unknown", "")])
def test_a_line_that_the_solver_proves_has_its_trust_and_so_has_what_rests_on_it(
    said, trust, monkeypatch
):
    without_certificate(monkeypatch, ge(x, 0))
    play(monkeypatch, SAY.format(said))
    proof = judged(chain)
    assert [each.trust for each in proof.steps] == [trust, trust, "kernel"]
    assert proof.verdict == ("proved" if trust else "unknown")
    assert proof.trust == trust


@pytest.mark.parametrize(
    "known", ["an open line", "a refuted line", "a stray hypothesis", "what is local"]
)
def test_a_line_that_the_solver_proves_is_no_better_than_its_premises(known, monkeypatch):
    without_certificate(monkeypatch, ge(x, 2))

    def build(proof):
        first = {
            "an open line": lambda: proof.step("wish", ge(x, 3)),
            "a refuted line": lambda: proof.step("wish", ge(x, 3), witness=numbers(x=0)),
            "a stray hypothesis": lambda: proof.assume(ge(x, 3)),
            "what is local": lambda: proof.local(ge(x, 3)),
        }[known]()
        proof.conclude(proof.step("solved", ge(x, 2), first))

    proof = judged(build, Claim("my.two", "x is at least 2", "me", ge(x, 2)))
    assert proof.verdict == "unknown"


def test_standard_facts_are_assumed_and_in_the_ledger():
    proof = judge(next(each for each in find(["meft.frozen_a"])))
    assert proof.ledger == ("chain_rule",)
    assumed = [each for each in proof.steps if each.trust == "assumed"]
    assert assumed
    assert {each.step.theorem.rule for each in assumed} == {"chain_rule"}
    assert proof.trust == "kernel"


# Forgeries: of theorems there are more in the tests of the kernel.


@pytest.mark.parametrize("place", ["conclusion", "a line", "below a line"])
def test_forged_theorems_are_refused(place):
    def build(proof):
        fact = NUMBERS.fact(ge(x, 1))
        theorem = Theorem(frozenset(), fact, frozenset(), "assume", (), (fact,))
        if place == "below a line":
            theorem = proof.step("line", ge(2 * x, 2), theorem)
        if place == "a line":
            proof.step("line", ge(x, 1), theorem)
        else:
            proof.conclude(theorem, relation=ge(x, 1))

    with pytest.raises(InputError, match="ReplayError"):
        judged(build)


def test_a_role_is_one_of_ours():
    with pytest.raises(InputError, match="role = proved: expected one of hypothesis, "):
        judged(
            lambda proof: proof.conclude(proof.assume(ge(x, 1), role="proved"), relation=ge(x, 1))
        )


@pytest.mark.parametrize("left", [sp.Integer(1), z + 1, 2 * z, A1], ids=str)
def test_a_definition_defines_a_name(left):
    with pytest.raises(InputError, match=r"definition = .*expected a symbol"):
        judged(lambda proof: proof.define(left, 0))


def test_a_claim_is_refuted_by_its_own_conclusion_alone():
    made = judged(
        lambda proof: proof.step("another matter", le(x, 0), witness=numbers(x=1)),
        LEMMA_1,
        version="printed",
        fresh=[x],
        is_statement=True,
    )
    assert claim_verdict([made]) == "unknown"


# The verdict on a claim.


def make(version, verdict, is_statement=False):
    def build(proof):
        if verdict == "refuted":
            proof.step("line", le(x, 0), witness=numbers(x=1))
        elif verdict == "proved":
            proof.conclude(proof.step("line", ge(x**2, 0)), relation=ge(x**2, 0))

    proof = judged(build, version=version, is_statement=is_statement)
    assert proof.verdict == verdict
    return proof


TABLE = [
    ("proved", [("printed", "proved")]),
    ("proved", [("repaired", "proved")]),
    ("proved", [("sharp", "proved")]),
    ("proved", [("printed", "proved"), ("sharp", "proved")]),
    ("repaired", [("printed", "refuted"), ("repaired", "proved")]),
    # Too little is known of the printed proof to call it broken.
    ("proved", [("printed", "unknown"), ("repaired", "proved")]),
    ("repaired", [("printed", "refuted"), ("repaired", "unknown"), ("sharp", "proved")]),
    ("unknown", [("printed", "refuted")]),
    ("unknown", [("printed", "refuted"), ("repaired", "unknown")]),
    ("unknown", [("printed", "unknown")]),
    ("unknown", [("sharp", "unknown")]),
    ("unknown", []),
    ("refuted", [("printed", "refuted", True)]),
    ("refuted", [("printed", "refuted", True), ("repaired", "unknown")]),
    ("unknown", [("printed", "unknown", True)]),
]


@pytest.mark.parametrize(
    "verdict, versions", TABLE, ids=lambda x: x if isinstance(x, str) else str(x)
)
def test_the_verdict_on_a_claim(verdict, versions):
    judged_proofs = [make(*each) for each in versions]
    for order in itertools.permutations(judged_proofs):
        assert claim_verdict(list(order)) == verdict


# x times the sum of ‖v_s‖² over s < t: 0 at t = 1, and if x ≥ 0 it never falls. Of two dimensions
# no small run is tried, which would refute a false one.
AT = Iterate("v", t, 2, 1)
SUM = x * sp.Sum(EuclideanNorm(AT).xreplace({t: i}) ** 2, (i, 1, t - 1))
MOVING = Reading(processes={AT: Process((sp.MatrixSymbol("v", 2, 1),))}, constants={x})
# What may be premised in the step of an induction: x ≥ 0, nothing, and a line that is open.
GIVEN, NOTHING, OPEN = (
    lambda proof: [proof.assume(ge(x, 0))],
    lambda proof: [],
    lambda proof: [proof.step("open", ge(x, -5))],
)
INDUCTIONS = {
    # What is claimed of it, what its step is premised on, and the half that is open.
    "both close": (ge(SUM, 0), GIVEN, ""),
    "the first line is false": (ge(SUM, 1), GIVEN, "at t = 1"),
    "the step lacks a premise": (ge(SUM, -1), NOTHING, "from t to t + 1"),
    "the step rests on an open line": (ge(SUM, -1), OPEN, "from t to t + 1"),
    "the step is false": (le(SUM, 0), GIVEN, "from t to t + 1"),
    "neither closes": (ge(SUM, 2), NOTHING, "at t = 1"),
}


@pytest.mark.parametrize("relation, premises, half", INDUCTIONS.values(), ids=INDUCTIONS)
def test_an_induction_that_does_not_close_says_which_half_is_open(relation, premises, half):
    found = line(
        judged(
            lambda proof: proof.induct("line", relation, first=[], then=premises(proof)),
            reading=MOVING,
        ),
        "line",
    )
    assert found.verdict == ("unknown" if half else "proved")
    for each in ("at t = 1", "from t to t + 1"):
        assert (f"the induction is open {each}" in found.reason) == (each == half)
