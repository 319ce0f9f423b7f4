"""What is fixed as the text of a claim is proved, and is the claim: not what a script assumes, nor what a file says."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sympy as sp
from boundcheck.proofs.jiang2024.claims import ASSUMPTION_1, ASSUMPTION_2, LEMMA_1
from boundcheck.proofs.jiang2024.setting import READING

import boundcheck as bc
from boundcheck.claims import catalogue
from boundcheck.claims.symbols import sigma
from boundcheck.claims.vocabulary import A1, A2, B1, B2, A_t, B_t, F, SpectralNorm, Value, v, v1, v2
from boundcheck.errors import InputError
from boundcheck.kernel import rules
from boundcheck.proofs import VARIABLE, papers
from boundcheck.prove import Proof, eq, judge, le, script, statements
from boundcheck.prove.carried import Carrier, carrier
from boundcheck.prove.fidelity import digest
from boundcheck.prove.proof import Assumption
from boundcheck.prove.script import of_paper
from boundcheck.prove.statements import statements_of, write

from .scripts import numbers

GOAL = LEMMA_1.conclusion
BALL = [le(SpectralNorm(x), sigma) for x in (A1, A2, B1, B2)]


@pytest.mark.full
@pytest.mark.parametrize(
    "key", [key for key, paper in papers().items() if (paper.folder / "statements.json").is_file()]
)
def test_the_tables_are_those_of_the_proofs(key: str) -> None:
    text = json.dumps(statements_of(key), indent=1, ensure_ascii=False) + "\n"
    assert text == (papers()[key].folder / "statements.json").read_text(encoding="utf-8")


def assumed(proof: Proof) -> None:
    proof.conclude(proof.assume(GOAL))


def assumed_as_a_hypothesis(proof: Proof) -> None:
    proof.conclude(proof.assume(ASSUMPTION_1, where={ASSUMPTION_1.conclusion: GOAL}))


def entered_by_hand(proof: Proof) -> None:
    fact = proof.reading.fact(GOAL)
    proof.assumptions.append(Assumption("mine", "hypothesis", fact, ASSUMPTION_1, ASSUMPTION_1.conclusion))
    proof.conclude(rules.assume(fact))


def itself_as_a_condition(proof: Proof) -> None:
    proof.conclude(proof.local(GOAL), forall=[v1, v2], such_that=[GOAL])


def open_line(proof: Proof) -> None:
    proof.conclude(proof.step("line", GOAL))


def refuted_line(proof: Proof) -> None:
    proof.conclude(proof.step("line", GOAL, witness=numbers()))


def another_statement(proof: Proof) -> None:
    proof.conclude(proof.step("line", le(0, 1)), relation=le(0, 1))


def of_all_points(proof: Proof) -> None:
    """The ball of the iterates as a law about all A and B, which no instance meets."""
    laws = proof.assume(ASSUMPTION_2, where={A_t: A1, B_t: B1}, forall=[A1, B1])
    proof.conclude(proof.step("line", GOAL, [proof.by.instance(law, {A1: 2 * A1, B1: B1}) for law in laws]))


def of_constants(proof: Proof) -> None:
    """F is a constant: by a definition that the claim has not."""
    law = proof.define(Value(F, v), sp.Integer(0), forall=[v])
    proof.conclude(proof.step("line", GOAL, proof.by.instance(law, {v: v1})))


def of_a_function_of_nothing(proof: Proof) -> None:
    law = proof.assume(eq(Value(F, v), Value(F, v1)), forall=[v], role="hypothesis")
    proof.conclude(proof.step("line", GOAL, proof.by.instance(law, {v: v2})))


LAUNDERED = [
    *(assumed, assumed_as_a_hypothesis, entered_by_hand, itself_as_a_condition, open_line, refuted_line),
    *(another_statement, of_all_points, of_constants, of_a_function_of_nothing),
]


@pytest.mark.parametrize("build", LAUNDERED, ids=lambda each: each.__name__)
def test_what_is_not_proved_is_not_fixed(build: Callable[[Proof], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    mine = script(LEMMA_1, "sharp", READING)(build)
    monkeypatch.setattr(statements, "of_paper", lambda key: [mine])
    with pytest.raises(InputError):
        statements_of("jiang2024")


def test_what_restricts_the_points_alone_is_fixed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin: the ball of the iterates as a condition on points, which is what Lemma 1 says of them."""
    (mine,) = (each for each in of_paper("jiang2024") if (each.id, each.version) == (LEMMA_1.id, "repaired"))
    monkeypatch.setattr(statements, "of_paper", lambda key: [mine])
    assert list(statements_of("jiang2024")) == [LEMMA_1.id]


def test_a_witness_that_refutes_nothing_breaks_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = [each for each in of_paper("jiang2024") if each.id == LEMMA_1.id and each.version != "printed"]
    printed = script(LEMMA_1, "printed", READING)(lambda proof: proof.step("(1)", GOAL, witness=numbers()))
    monkeypatch.setattr(statements, "of_paper", lambda key: [*ours, printed])
    assert "broken" not in statements_of("jiang2024")[LEMMA_1.id]


# A paper of somebody else, whose files may say anything.

CLAIMS = """
import sympy as sp
from boundcheck.claims import Claim
from boundcheck.claims.symbols import L
GIVEN = Claim("mine.given", "L is at least 1", "me", sp.Ge(L, 1))
FIVE = Claim("mine.five", "L is at least 5", "me", sp.Ge(L, 5), hypotheses=(GIVEN,))
CLAIMS = (GIVEN, FIVE)
"""
PROOF = """
from boundcheck.prove import ge, le, script
from boundcheck.claims.symbols import L
from .claims import FIVE, GIVEN
@script(FIVE, "sharp")
def mine(proof):
    {}
"""
BODIES = {
    "its conclusion": "proof.conclude(proof.assume(FIVE))",
    "its conclusion, as a relation": "proof.conclude(proof.assume(ge(L, 5)))",
    "another statement": 'proof.conclude(proof.step("line", ge(L, 0), proof.positive(L)))',
    "what is true": 'proof.conclude(proof.step("line", le(0, 1)))',
    "an open line": 'proof.conclude(proof.step("line", ge(L, 5), proof.assume(GIVEN)))',
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_no_file_makes_a_paper_of_somebody_else_proved(
    body: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "claims.py").write_text(CLAIMS)
    (folder / "five.py").write_text(PROOF.format(body))
    monkeypatch.setenv(VARIABLE, str(folder))
    with pytest.raises(InputError):
        write("mine")
    assert not (folder / "statements.json").exists()
    # The same by hand: what the script ends in, and all that it starts from.
    (made,) = of_paper("mine")
    theorem = made.proof.conclusion
    assert theorem is not None

    def entry(statement: Any) -> dict[str, str]:
        return {"digest": digest(statement), "text": "True."}

    table = {"mine.five": {"conclusion": entry(theorem.conclusion), "hypotheses": list(map(entry, theorem.hypotheses))}}
    (folder / "statements.json").write_text(json.dumps(table))
    assert judge(made).verdict == "unknown"
    assert [claim.verdict for claim in bc.prove("mine").claims] == ["unknown"]
    assert carrier(catalogue["mine.five"]) is not Carrier.KERNEL
