"""A proof while it is written: what it may start from, how lines are closed, and what is
refused."""

import pytest
import sympy as sp
from boundcheck.proofs.jiang2024.claims import STEP_SIZE

from boundcheck.errors import InputError
from boundcheck.exact.evaluate import t
from boundcheck.kernel import Fact, Law, TermError, Theorem, replay
from boundcheck.kernel.builders import norm
from boundcheck.kernel.terms import Matrix, Norm, Root, Scalar, Symbol, Variable
from boundcheck.language import vocabulary as words
from boundcheck.language.claim import Claim
from boundcheck.language.symbols import Lhat, T, alpha, r
from boundcheck.language.vocabulary import FrobeniusNorm, Iterate, SpectralNorm, d, k
from boundcheck.proof import Process, Proof, Reading, eq, ge, gt, le
from boundcheck.proof.certificate import signs

from .scripts import numbers, x, y, z

A = sp.MatrixSymbol("A", r, k)
W = sp.MatrixSymbol("W", d, k)
v_t = Iterate("v", t, words.n, 1)
READING = Reading(
    processes={v_t: Process((sp.MatrixSymbol("v", words.n, 1),))},
    constants={x, y, z},
    arbitrary={A, W},
)
PAIR = Claim("my.pair", "A pair", "me", sp.And(le(x, 1), le(y, 2)))


@pytest.fixture
def proof():
    return Proof(None, READING)


def test_what_is_assumed_is_a_theorem_about_itself_under_its_name(proof):
    theorem = proof.assume(ge(x, y), name="x ≥ y")
    assert theorem.hypotheses == {theorem.conclusion} == {proof.reading.fact(ge(x, y))}
    assert proof.recall("x ≥ y").same_as(theorem)
    parts = proof.assume(PAIR, where={x: z})
    # In the order of sympy, and not in the claim's.
    assert {each.conclusion for each in parts} == {
        proof.reading.fact(each) for each in (le(z, 1), le(y, 2))
    }
    law = proof.assume(le(FrobeniusNorm(A), x), forall=[A], given=[le(SpectralNorm(A), y)])
    assert [str(each) for each in law.conclusion.variables] == ["A"]
    assert law.conclusion.premises == (proof.reading.fact(le(SpectralNorm(A), y)),)
    assert [(each.name, each.claim) for each in proof.assumptions][:3] == [
        ("x ≥ y", None),
        *[("A pair", PAIR)] * 2,
    ]
    assert {each.role for each in proof.assumptions} == {"hypothesis"}
    for name, count in (("A pair", 2), ("nothing", 0)):
        with pytest.raises(
            InputError, match=f"name = {name}: expected the name of one assumption, not of {count}"
        ):
            proof.recall(name)


def test_a_definition_and_a_domain_are_those_of_the_symbol(proof):
    assert proof.define(x, y + 1).conclusion == proof.reading.fact(eq(x, y + 1))
    assert proof.quantity(STEP_SIZE).conclusion == proof.reading.fact(
        eq(alpha, STEP_SIZE.expression)
    )
    assert proof.recall("alpha").conclusion == proof.reading.fact(eq(alpha, STEP_SIZE.expression))
    length, long, rank = proof.positive(Lhat, T, r)
    assert length.conclusion == proof.reading.fact(gt(Lhat, 0))
    assert long.hypotheses == rank.hypotheses == frozenset()
    assert long.conclusion == proof.reading.fact(ge(T, 1))
    assert [each.role for each in proof.assumptions] == ["definition", "definition", "domain"]
    with pytest.raises(
        InputError, match="symbol = z: expected a symbol that sympy knows to be positive"
    ):
        proof.positive(z)


def test_a_line_is_closed_from_what_is_named(proof):
    first = proof.assume(ge(x, y))
    second = proof.assume(ge(y, z))
    theorem = proof.step("sum", ge(x, z), first, [second], meaning="Both.", printed="x \\ge z")
    assert theorem.hypotheses == {first.conclusion, second.conclusion}
    assert replay(theorem).same_as(theorem)
    (step,) = proof.steps
    assert step.label == "sum"
    assert step.meaning == "Both."
    assert step.printed == "x \\ge z"
    assert step.theorem == theorem
    open_ = proof.step("more", ge(x, z + 1), first, second)
    assert open_.rule == "assume"
    assert open_.hypotheses == {proof.reading.fact(ge(x, z + 1))}


def test_a_line_that_is_a_premise_is_that_premise(proof):
    premise = proof.assume(ge(x, y))
    assert (
        proof.step("again", ge(x, y), premise) is proof.step("turned", le(y, x), premise) is premise
    )


def test_what_has_no_translation_or_is_no_fact_ends_there(proof):
    with pytest.raises(InputError, match="expression"):
        proof.step("log", le(sp.log(x), x))
    with pytest.raises(InputError, match="single relation"):
        proof.step("both", sp.And(le(x, 1), le(y, 1)))
    law = proof.assume(ge(x, 0), forall=[x])
    with pytest.raises(TermError, match="a law must be applied"):
        proof.step("law", ge(y, 0), law)
    assert proof.steps == []


def test_a_stated_line_is_what_the_rule_says(proof):
    theorem = proof.by.nonnegative("F", W)
    assert proof.state("size", ge(FrobeniusNorm(W), 0), theorem) is theorem
    with pytest.raises(InputError, match=r"size = .*expected what the rule says"):
        proof.state("size", gt(FrobeniusNorm(W), 0), theorem)


def test_a_witness_is_kept_and_nothing_is_searched(proof):
    assert proof.step("false", ge(x**2, 0), witness=numbers(x=1)).rule == "assume"
    assert proof.steps[0].witness is not None


def test_a_conclusion_closes_over_what_is_local_and_discharges_what_is_given(proof):
    assumed = proof.assume(ge(y, 1))
    known = proof.step("known", ge(z**2, 0))
    line = proof.step("line", ge(2 * x + y + z**2, 3), proof.local(ge(x, 1)), assumed, known)
    theorem = proof.conclude(
        line, forall=[x], such_that=[ge(x, 1)], relation=ge(2 * x + y + z**2, 3)
    )
    assert theorem.hypotheses == {assumed.conclusion}
    assert theorem.conclusion == proof.goal
    assert isinstance(proof.goal, Law)
    with pytest.raises(InputError, match="conclusion = None: expected a relation"):
        proof.conclude(line)


def test_a_cited_proof_brings_its_assumptions(proof):
    other = Proof(None, READING)
    premise = other.assume(ge(x, 1), name="x ≥ 1")
    other.assume(ge(y, 1), name="unused")
    other.conclude(other.step("line", ge(2 * x, 1), premise), relation=ge(2 * x, 1))
    theorem = proof.cite(other, "lemma", "As there.")
    assert theorem is other.conclusion
    assert [each.name for each in proof.assumptions] == ["x ≥ 1"]
    assert [step.label for step in proof.steps] == ["lemma"]
    with pytest.raises(InputError, match="a proof that concludes"):
        proof.cite(Proof(None, Reading()), "nothing")


def test_signs_of_all_that_has_one():
    block = Matrix.of(Symbol("X", ("m", "n")))
    atoms = Scalar.of(Root(Scalar.of(Variable("x")))) + norm("F", block) + norm("op", block)
    reading = Reading()
    found = signs([Fact(">=", atoms + reading.scalar(T) + reading.scalar(r) + Variable("y"))])
    assert sorted(str(each.conclusion) for each in found) == sorted(
        ["0 <= root(x)", "0 <= ‖X‖_F", "0 <= ‖X‖_op", "1 <= T", "1 <= r"]
    )
    assert all(isinstance(each, Theorem) and not each.hypotheses for each in found)
    assert Norm("F", (block,)) in norm("F", block).atoms()
