"""The verdict on each line and claim of the paper, what it rests on, and each witness replayed in floating point."""

from __future__ import annotations

from fractions import Fraction

import pytest

from boundcheck.kernel import STANDARD_FACTS, replay_all
from boundcheck.kernel.facts import derivation
from boundcheck.prove import Script
from boundcheck.prove.instance import Instance, Setting
from boundcheck.prove.latex import latex
from boundcheck.prove.verdict import JudgedProof, claim_verdict
from boundcheck.prove.witness import Witness
from tests.judged import PRINTED, SCRIPTS, judged, names, of_the_paper, proof_of

pytestmark = of_the_paper

scripts = pytest.mark.parametrize("script", SCRIPTS, ids=names(SCRIPTS))


def verdict_on(id: str) -> str:
    """The verdict on a claim from all of its proofs."""
    return claim_verdict([judged(each) for each in SCRIPTS if each.id == id])


def refuted(proof: JudgedProof) -> list[str]:
    return [each.step.label for each in proof.steps if each.verdict == "refuted"]


CLAIMS = {
    "jiang2024.lemma1": "repaired",
    "jiang2024.theorem2": "repaired",
    "meft.lemma1_sharp": "proved",
    "meft.lemma1_sharp_equal_radii": "proved",
    "meft.theorem2_repaired": "proved",
    "meft.theorem2_best_step": "proved",
    "meft.theorem2_frozen_a": "proved",
    "meft.theorem2_any_step": "proved",
    "meft.theorem2_everywhere": "proved",
    "meft.theorem2_average": "proved",
    "meft.theorem2_average_sharp": "proved",
}


@pytest.mark.parametrize(("id", "verdict"), CLAIMS.items(), ids=list(CLAIMS))
def test_claims(id: str, verdict: str) -> None:
    assert verdict_on(id) == verdict


def test_no_claim_with_a_proof_is_refuted() -> None:
    for each in SCRIPTS:
        if judged(each).verdict == "proved":
            assert verdict_on(each.id) in ("proved", "repaired")


def test_printed_lemma_1() -> None:
    proof = proof_of("jiang2024.lemma1", "printed")
    assert proof.verdict == "refuted"
    assert refuted(proof) == ["(11)", "(13), first $≤$"]
    assert {each.verdict for each in proof.steps if each.step.label not in refuted(proof)} == {"proved"}


def test_printed_theorem_2() -> None:
    proof = proof_of("jiang2024.theorem2", "printed")
    assert proof.verdict == "refuted"
    assert refuted(proof) == ["(22)"]
    verdicts = {each.step.label: each.verdict for each in proof.steps}
    assert set(verdicts.values()) == {"proved", "refuted"}
    # Each line of the paper is there: (23) and (24) are true for the printed step size.
    printed = (
        "(15)",
        "(16)",
        "(17)",
        "(18)",
        "(19)",
        "(20)",
        "(21)",
        "(23)",
        "(24), first $≤$",
        "(24), second $≤$",
        "(14)",
    )
    assert [label for label in printed if verdicts.get(label) != "proved"] == []


def test_the_repaired_theorem_has_constant_2() -> None:
    proof = proof_of("jiang2024.theorem2", "repaired")
    assert proof.verdict == "proved"
    (line,) = (each for each in proof.steps if each.step.label == "constant 2")
    assert (line.verdict, line.trust) == ("proved", "kernel")


@scripts
def test_every_line_has_a_verdict_that_its_trust_supports(script: Script) -> None:
    proof = judged(script)
    for each in proof.steps:
        assert each.verdict in ("proved", "refuted"), each
        if each.verdict == "refuted":
            assert each.trust == ""
        elif each.trust != "kernel":
            assert each.trust == "assumed"
            assert each.step.theorem.rule in STANDARD_FACTS
    assert set(proof.ledger) <= {"chain_rule", "descent_lemma"}
    assert proof.verdict in ("proved", "refuted")
    assert proof.trust == ("kernel" if proof.verdict == "proved" else "")


@scripts
def test_the_ledger_is_what_the_derivation_uses(script: Script) -> None:
    theorems = [each.theorem for each in script.proof.steps]
    theorems += [script.proof.conclusion] if script.proof.conclusion else []
    for theorem, again in zip(theorems, replay_all(theorems), strict=True):
        assert again.same_as(theorem)
        used = {each.rule for each in derivation([theorem])}
        assert theorem.ledger == used & set(STANDARD_FACTS)


@scripts
def test_a_proof_starts_from_what_its_claim_allows(script: Script) -> None:
    proof = judged(script)
    if proof.verdict == "proved":
        assert script.proof.conclusion is not None
        assert script.proof.conclusion.conclusion == script.proof.goal
        assert {each.statement for each in proof.hypotheses} == set(script.proof.conclusion.hypotheses)
        assert all(each.role != "local" for each in proof.hypotheses)


@scripts
def test_printed_proofs_alone_have_witnesses(script: Script) -> None:
    assert any(step.witness for step in script.proof.steps) == (script.version == "printed")


STATEMENTS = tuple(script for script in PRINTED if script.is_statement)


@pytest.mark.parametrize("script", STATEMENTS, ids=names(STATEMENTS))
def test_no_text_calls_a_sentence_printed_that_is_tried_by_itself(script: Script) -> None:
    (told, *_) = latex(judged(script)).partition(r"\label")
    assert "printed" not in told.partition("\n")[2]


@pytest.mark.parametrize("script", PRINTED, ids=names(PRINTED))
def test_the_numeric_layer_replays_each_witness(script: Script) -> None:
    for step in script.proof.steps:
        if step.witness:
            assert_replayed_by_numbers(step.witness)


def assert_replayed_by_numbers(witness: Witness) -> None:
    match witness.setting:
        case Instance() as run:
            assert_replayed(run)
        case Setting() as setting:
            numbers = witness.numbers
            for i in (1, 2):
                v = numbers[f"A_{i}"], numbers[f"B_{i}"]
                exact = [float(x) for x in setting.gradient(v)]
                assert numeric_gradient(setting, v) == pytest.approx(exact, rel=1e-9, abs=0)
        case None:
            # No instance of MeFT, so that there is nothing to run.
            assert witness.numbers


def assert_replayed(run: Instance) -> None:
    replay = run.replay()
    assert replay.mean_square_norms == pytest.approx([float(x) for x in run.mean_square_norms], rel=1e-9, abs=0)
    assert replay.mean_losses == pytest.approx([float(x) for x in run.mean_losses], rel=1e-9, abs=0)


def numeric_gradient(setting: Setting, v: tuple[Fraction, Fraction]) -> list[float]:
    import torch

    A, B = (torch.full((1, 1, 1), float(x), dtype=torch.float64) for x in v)
    return [part.item() for part in setting.numeric().gradient((A, B))]
