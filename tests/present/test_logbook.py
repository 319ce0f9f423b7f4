"""The logbook never says more than was found: only the kernel verifies, and no run does."""

from __future__ import annotations

import itertools
import re

import pytest

from boundcheck.present.latex import Numbers, printed
from boundcheck.present.material import Finding, Material, StoredRun
from boundcheck.present.page import RULES, Word, logbook, of_proof, of_run, write_page
from boundcheck.proof.audit import ClaimAudit, JudgedRow, ProofAudit, Row
from boundcheck.verdicts import Verdict
from tests.judged import of_the_paper, proof_of

from .made import changed


def test_only_what_the_kernel_proved_is_verified() -> None:
    verdicts, trusts = (
        ("proved", "repaired", "conditional", "remark", "refuted", "unknown", "editorial"),
        ("kernel", "solvers", "solver", "assumed", ""),
    )
    words = {pair: of_proof(*pair) for pair in itertools.product(verdicts, trusts)}
    assert {pair for pair, word in words.items() if word is Word.VERIFIED} == {
        ("proved", "kernel"),
        ("repaired", "kernel"),
        ("conditional", "kernel"),
    }
    # A witness needs no proof.
    assert {pair for pair, word in words.items() if word is Word.FALSIFIED} == {("refuted", "kernel"), ("refuted", "")}
    assert Word.TOY not in words.values()


BLAMES = ("hypothesis", "constant", "horizon", "statistics", "rounding", "claim")


@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_run_is_a_toy_at_best(stored: list[StoredRun], verdict: Verdict) -> None:
    (run,) = (each for each in stored if each.is_theorem)
    if verdict.is_supported:
        kind = "nonasymptotic" if verdict is Verdict.SUPPORTED else "asymptotic"
        interval = run.result.as_json()["interval"] | {"kind": kind}
        assert of_run(changed(run, verdict=str(verdict), interval=interval)) is Word.TOY
        return
    assert of_run(changed(run, verdict=str(verdict), blame=None)) is Word.INCONCLUSIVE
    for kind in BLAMES:
        blamed = changed(run, verdict=str(verdict), blame={"kind": kind, "name": "a name", "evidence": "a reason"})
        falsified = verdict is Verdict.VIOLATED and kind == "claim"
        assert of_run(blamed) is (Word.FALSIFIED if falsified else Word.INCONCLUSIVE)


@of_the_paper
def test_an_entry_has_verdict_evidence_and_command(stored: list[StoredRun]) -> None:
    proof = proof_of("jiang2024.lemma1", "repaired")
    row = JudgedRow(Row(7, "Eq. (12)", "‖XY‖_F", "True # and *more*.\nSecond line"), "editorial", "", "No evidence.")
    claims = (ClaimAudit("jiang2024.lemma1", "Lemma 1", "repaired", (proof_of("jiang2024.lemma1", "printed"), proof)),)
    (run,) = (each for each in stored if each.is_theorem)
    material = Material(
        stored,
        [Finding(8, "Lemma 1", "supported", "all of them")],
        proofs=ProofAudit(claims, (row,), seconds=0.0),
        faults=[("a fault", run)],
        command="boundcheck audit mine",
    )
    text = logbook(material, "Mine")
    entries = text.split("\n## ")[1:]
    assert len(entries) == len(stored) + 4
    assert all(re.search(r"\n- verdict: `.+`\n- evidence: .+\n- command: `boundcheck .+`\n", each) for each in entries)
    found = [each.splitlines()[0].rpartition(": ")[2] for each in entries]
    assert found[:2] == ["inconclusive", "verified"]
    # What was planted says nothing of the claim.
    assert found[-2:] == ["inconclusive", "toy"]
    assert r"True \# and \*more\*. Second line" in text
    head = text.split("\n## ")[0]
    assert all(f"- **{word}**: " in head for word, _ in RULES)
    assert f"{found.count('toy')} toy" in head


@pytest.mark.full
@pytest.mark.parametrize(("verdict", "value", "shown"), [("hypothesis-failed", -0.4, "–"), ("violated", -0.4, "-0.4")])
def test_a_formula_below_0_is_a_bound_where_the_hypotheses_held_alone(stored, tmp_path, verdict, value, shown) -> None:
    """What a step too long makes of the formula is no bound; where the theorem holds, it is what the run broke."""
    (run,) = (each for each in stored if each.is_theorem)
    broken = changed(run, verdict=verdict, bound=value, measured=0.1)
    assert (broken.bound is None, broken.ratio is None) == (shown == "–",) * 2
    _, made = printed(Material([broken]), Numbers())[0]
    assert ("bound" in made, "ratio" in made) == (shown != "–",) * 2
    page = write_page(Material([broken]), tmp_path / "index.html", "Title", "Lead.")[0].read_text()
    for text in (logbook(Material([broken]), "Mine"), page):
        assert ("-0.4" in text.replace("−", "-")) == (shown != "–")
