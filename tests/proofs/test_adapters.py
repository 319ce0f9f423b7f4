"""Claims about adapters say truly whether the kernel has them: those without an argument in words are proved by it."""

import pytest

import boundcheck
from boundcheck.claims import catalogue
from boundcheck.problems.adapters import ADAPTERS
from boundcheck.prove.script import of_paper

IDS = sorted({id for adapter in ADAPTERS.values() for id in adapter.claims})
SCRIPTED = {script.id for script in of_paper("jiang2024")}


@pytest.mark.parametrize("id", [id for id in IDS if not catalogue[id].argument])
def test_a_claim_without_an_argument_is_proved_by_the_kernel(id: str) -> None:
    audit = boundcheck.prove(id)[id]
    assert audit.verdict in ("proved", "repaired")
    trusts = {step.trust for proof in audit.proofs if proof.verdict == "proved" for step in proof.steps}
    assert trusts <= {"kernel", "assumed"}


@pytest.mark.parametrize("id", [id for id in IDS if catalogue[id].argument])
def test_a_claim_with_an_argument_in_words_has_no_script_that_would_say_more(id: str) -> None:
    assert id not in SCRIPTED
    assert len(catalogue[id].argument.split()) > 5
