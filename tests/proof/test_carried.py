"""What carries each claim is said truly: the kernel where it replays a proof, an argument with a reason, or nothing."""

from dataclasses import replace

import pytest
from boundcheck.proofs.meft import adapters
from boundcheck.proofs.methods import claims as methods

import boundcheck
from boundcheck.errors import InputError
from boundcheck.language.catalogue import catalogue
from boundcheck.proof.audit import Carrier, carrier, counted, standing, told
from boundcheck.proof.script import fixed_statements, of_paper
from boundcheck.proofs import papers

SCRIPTED = {script.id for key in papers() for script in of_paper(key) if script.version != "printed"}
KERNEL = [id for id in catalogue if carrier(catalogue[id]) is Carrier.KERNEL]


@pytest.mark.full
@pytest.mark.parametrize("id", KERNEL)
def test_what_the_kernel_carries_it_replays(id: str) -> None:
    audit = boundcheck.prove(id)[id]
    assert audit.verdict in ("proved", "repaired")
    # What is said without a look at the proofs is what they say.
    assert audit.verdict == standing(catalogue[id])
    printed = [proof for proof in audit.proofs if proof.script.version == "printed"]
    broken = [step.step.label for proof in printed for step in proof.steps if step.verdict == "refuted"]
    assert list(fixed_statements()[id].broken) == broken
    assert all(label in told(catalogue[id]) for label in broken)
    proved = [proof for proof in audit.proofs if proof.verdict == "proved"]
    assert {step.trust for proof in proved for step in proof.steps} <= {"kernel", "assumed"}


def test_each_claim_with_a_proof_is_carried_by_the_kernel_and_has_no_argument_beside_it() -> None:
    assert [id for id in catalogue if id in SCRIPTED] == KERNEL


BY_HAND = [each for each in (*adapters.CLAIMS, *methods.CLAIMS) if each.argument]


def test_a_claim_by_hand_says_why() -> None:
    assert BY_HAND
    assert {carrier(claim) for claim in BY_HAND} == {Carrier.BY_HAND}
    assert all(claim.unproved for claim in BY_HAND)


def test_a_reason_without_an_argument_is_refused() -> None:
    with pytest.raises(InputError, match="unproved"):
        replace(catalogue["meft.frozen_a"], unproved="The kernel has no such word.")
    assert catalogue["meft.loha"].assuming({"J": catalogue["meft.loha"].expression("H")}).unproved == ""


def test_hypotheses_and_what_nobody_vouches_for() -> None:
    assert carrier(catalogue["jiang2024.assumption3"]) is Carrier.HYPOTHESIS
    assert carrier(catalogue["meft.vera_domain"]) is Carrier.HYPOTHESIS
    assert carrier(catalogue["jiang2024.rate"]) is Carrier.NOTHING


def test_the_counts_add_up() -> None:
    claims = list(catalogue.values())
    found = counted(claims)
    assert sum(found.values()) == len(claims)
    assert found[Carrier.KERNEL] == len(KERNEL)
    assert found[Carrier.BY_HAND] == sum(bool(claim.argument) for claim in claims)
    assert counted([]) == {}
