"""What is fixed as the text of a claim is proved, and is the claim: not what a script assumes, nor what a file says."""

import json
from pathlib import Path
from typing import Any

import pytest
from boundcheck.proofs.jiang2024.claims import LEMMA_1

import boundcheck as bc
from boundcheck.errors import InputError
from boundcheck.language.catalogue import catalogue
from boundcheck.proof import Script, Witness, audit, judge, script
from boundcheck.proof.audit import Carrier, carrier, statements_of, write_statements
from boundcheck.proof.fidelity import digest
from boundcheck.proof.script import of_paper
from boundcheck.proofs import VARIABLE, papers
from tests.layers import sampled

from .cheats import CHEATS, GOAL, IN_WORDS, READING
from .scripts import numbers


@pytest.mark.full
@pytest.mark.parametrize(
    "key", [key for key, paper in papers().items() if (paper.folder / "statements.json").is_file()]
)
def test_the_tables_are_those_of_the_proofs(key: str) -> None:
    text = json.dumps(statements_of(key), indent=1, ensure_ascii=False) + "\n"
    assert text == (papers()[key].folder / "statements.json").read_text(encoding="utf-8")


def fixed(made: Script, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The claims of a paper that are fixed, where this is its one script."""
    monkeypatch.setattr(audit, "of_paper", lambda key: [made])
    return list(statements_of("jiang2024"))


@sampled(4)
@pytest.mark.parametrize("name", [name for name in CHEATS if name != IN_WORDS])
def test_a_cheat_is_not_fixed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError):
        fixed(CHEATS[name].script(), monkeypatch)


@pytest.mark.parametrize("witness", [None, numbers()], ids=["an open line", "a refuted line"])
def test_a_line_that_is_not_proved_is_not_fixed(witness: Witness | None, monkeypatch: pytest.MonkeyPatch) -> None:
    made = script(LEMMA_1, "sharp", READING)(lambda proof: proof.conclude(proof.step("line", GOAL, witness=witness)))
    with pytest.raises(InputError):
        fixed(made, monkeypatch)


def test_what_restricts_the_points_alone_is_fixed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin: the ball of the iterates as a condition on points, which is what Lemma 1 says of them."""
    (mine,) = (each for each in of_paper("jiang2024") if (each.id, each.version) == (LEMMA_1.id, "repaired"))
    assert fixed(mine, monkeypatch) == [LEMMA_1.id]


def test_a_witness_that_refutes_nothing_breaks_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = [each for each in of_paper("jiang2024") if each.id == LEMMA_1.id and each.version != "printed"]
    printed = script(LEMMA_1, "printed", READING)(lambda proof: proof.step("(1)", GOAL, witness=numbers()))
    monkeypatch.setattr(audit, "of_paper", lambda key: [*ours, printed])
    assert "broken" not in statements_of("jiang2024")[LEMMA_1.id]


# A paper of somebody else, whose files may say anything.

CLAIMS = """
import sympy as sp
from boundcheck.language.claim import Claim
from boundcheck.language.symbols import L
GIVEN = Claim("mine.given", "L is at least 1", "me", sp.Ge(L, 1))
FIVE = Claim("mine.five", "L is at least 5", "me", sp.Ge(L, 5), hypotheses=(GIVEN,))
CLAIMS = (GIVEN, FIVE)
"""
PROOF = """
from boundcheck.proof import ge, le, script
from boundcheck.language.symbols import L
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
        write_statements("mine")
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
