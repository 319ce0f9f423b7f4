"""What a notebook shows of proofs, and their frames: what the kernel's theorem says, and what
`as_json` has."""

import pandas as pd
import pytest

import boundcheck as bc
from boundcheck.language.prose import mathml_of
from boundcheck.proof.audit import proof_as_json
from boundcheck.proof.notation import shown
from tests.present.texts import text_of

ID = "jiang2024.lemma1"


@pytest.fixture(scope="module")
def audit():
    return bc.prove(ID)


@pytest.mark.full
def test_what_is_proved_is_shown_from_the_theorem_with_all_that_it_rests_on(audit):
    proof = audit[ID].proof("repaired")
    page = proof._repr_html_()
    made = shown(*(each.statement for each in proof.hypotheses), proof.conclusion)
    assert mathml_of(made.latex[-1], "block") in page
    parts = list(zip(proof.hypotheses, made.latex, strict=False))
    assert (
        mathml_of(r" ,\; ".join(latex for each, latex in parts if each.role == "domain"), "block")
        in page
    )
    for each, latex in parts:
        assert each.role == "domain" or mathml_of(latex, "block") in page


@pytest.mark.full
def test_a_proof_that_proves_nothing_shows_no_statement_as_proved(audit):
    proof = audit[ID].proof("printed")
    assert proof.verdict == "refuted"
    assert not proof.view().lines
    page = text_of(proof._repr_html_())
    assert "proves" not in page
    assert "refuted" in page


def test_a_refuted_line_is_shown_with_its_witness(audit):
    proof = audit[ID].proof("printed")
    page = text_of(proof._repr_html_())
    refuted = [each for each in proof_as_json(proof)["steps"] if each["verdict"] == "refuted"]
    assert refuted
    for each in refuted:
        witness = each["witness"]
        assert f"the left side is {witness['left']} and the right side {witness['right']}." in page


def test_a_frame_has_a_row_for_each_line_with_the_values_of_the_json(audit):
    frame = audit.to_frame()
    found = [
        (claim["id"], proof["version"], step)
        for claim in audit.as_json()["claims"]
        for proof in claim["proofs"]
        for step in proof["steps"]
    ]
    assert len(frame) == len(found) > 40
    for row, (id, version, step) in zip(frame.to_dict("records"), found, strict=True):
        assert row["claim"] == id
        assert row["version"] == version
        for name in (
            "label",
            "verdict",
            "trust",
            "statement",
            "statement_latex",
            "reason",
            "meaning",
        ):
            assert row[name] == step[name]
        assert row["given"] == "; ".join(step["given"])
        for name in ("about", "left", "right"):
            assert (
                row[f"witness_{name}"] == step["witness"][name]
                if step["witness"]
                else pd.isna(row[f"witness_{name}"])
            )
    assert (
        audit[ID]
        .to_frame()
        .equals(frame[frame["claim"] == ID].reset_index(drop=True)[audit[ID].to_frame().columns])
    )
    printed = audit[ID].proof("printed").to_frame()
    assert printed.equals(audit[ID].to_frame()[: len(printed)])
