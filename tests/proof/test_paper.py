"""jiang2024 as a whole: the verdict on each row of the referee's table, the claims, and what
everything rests on."""

import re

import pytest
from boundcheck.proofs.jiang2024.witnesses import ROW_10

from boundcheck.kernel import STANDARD_FACTS, replay_all
from boundcheck.kernel.derive import derivation
from boundcheck.language.catalogue import catalogue
from boundcheck.proofs import paper_of, papers
from soundness.edits import with_formula
from soundness.proofs import verdict_on
from tests.judged import SCRIPTS, judged, names, of_the_paper

pytestmark = of_the_paper

ROWS = {
    "refuted": {10},
    "repaired": {1, 3, 8, 12, 34},
    "proved": {7, 9, 23, 24, 30, 36},
    "conditional": {2, 4, 5, 13, 14, 21, 35},
    "remark": {16, 17, 18, 26, 27, 28, 31, 32, 33},
    "editorial": {15, 19, 20, 22, 25, 29},
}
# What follows from a row, by its own number.
FOLLOWS = {5: {6: "conditional"}, 10: {11: "repaired"}}


def test_the_rows_of_the_table(paper):
    assert {row.row.number: row.verdict for row in paper.rows} == {
        number: verdict for verdict, numbers in ROWS.items() for number in numbers
    }
    numbers = [row.row.number for row in paper.rows]
    assert numbers == sorted(set(numbers))
    assert {
        row.row.number: {each.row.number: each.verdict for each in row.follows}
        for row in paper.rows
        if row.follows
    } == FOLLOWS


# Of each line that the table calls false the paper's words, without formulas; and what its reading
# grants.
BALL = {
    "jiang2024.assumption1",
    "jiang2024.assumption2",
    "jiang2024.assumption3.1",
    "jiang2024.assumption3.2",
}
QUOTES = {
    2: ("There exists a constant such that for any parameters", {"jiang2024.assumption3.1"}),
    5: ("where is Euclidean norm", BALL),
    6: ("", BALL),
    10: (
        "With some simple mathematical manipulations, the following inequality is obtained:",
        {
            *BALL,
            "jiang2024.assumption4",
            "jiang2024.bounded_below",
            "jiang2024.unbiased",
            "$T ≥ T_min$",
        },
    ),
    13: (
        (
            "the convergence rate has a correlation with the rank and the largest eigenvalue of"
            " low-rank decomposition matrices, i.e.,"
        ),
        {
            "$C ≥ σ$, as Assumption 3(1) makes it on the ball",
            "$bound ≤ c r^(1/4) σ^(1/2) T^(-1/2)$, squared",
        },
    ),
    14: (
        "the learning rate has now become dependent on the model size,",
        {"$α ≥ c r^(-1/4)$, squared"},
    ),
}


def test_what_fails_is_quoted_under_readings_that_its_evidence_keeps_to(paper):
    """Where is that printed, and under which reading?"""
    of_papers = {key: getattr(paper_of(key).part("findings"), "ROWS", ()) for key in papers()}
    everything = {
        key: [each for row in table for each in (row, *row.follows)]
        for key, table in of_papers.items()
    }
    assert {key for key, table in everything.items() if any(row.has("fails") for row in table)} == {
        "jiang2024"
    }
    failing = [row for row in everything["jiang2024"] if row.has("fails")]
    assert {row.number for row in failing} == QUOTES.keys()
    for row in failing:
        words, granted = QUOTES[row.number]
        quoted = " ".join(re.findall(r'"(.+?)"', row.printed))
        assert (
            re.sub(r"\$.+?\$", " ", quoted).replace(",", " ").split()
            == words.replace(",", " ").split()
        ), row.number
        for ref in {ref for each in row.under for ref in each.fails}:
            proof = paper[ref.id].proof(ref.version)
            laid = [each for each in proof.script.proof.assumptions if each.role == "hypothesis"]
            assert {each.claim.id if each.claim else each.name for each in laid} <= granted, (
                row.number
            )
            line = next((x for x in proof.steps if ref.names(x.step)), None)
            # A line that is called false is printed as it stands, and an exact instance meets all
            # that is granted.
            assert line is None or (
                line.step.printed and line.step.witness and line.verdict == "refuted"
            )
            assert line is not None or (
                proof.verdict == "proved" and str(proof.conclusion) == "1 <= 0"
            )


def test_the_instance_of_22_keeps_to_every_reading_of_the_constant_and_of_a_sample():
    """At r = 1 C is σ, the least on the ball, and √r·σ, the text's example; and each sample is
    drawn anew."""
    assert ROW_10.sigma == ROW_10.C
    assert ROW_10.replacement
    assert sum(ROW_10.offsets) == 0


def test_everything_rests_on_two_standard_facts_and_the_kernel_and_nothing_is_unknown(paper):
    """By script the verdict on each line, and its trust, are in tests/goldens."""
    assert paper.ledger == ("chain_rule", "descent_lemma")
    assert set(paper.ledger) <= set(STANDARD_FACTS)
    proofs = [proof for claim in paper.claims for proof in claim.proofs]
    assert {proof.trust for proof in proofs if proof.verdict == "proved"} == {"kernel"}
    assert "unknown" not in {proof.verdict for proof in proofs} | {
        claim.verdict for claim in paper.claims
    }
    lines = [line for proof in proofs for line in proof.steps]
    assert {line.step.theorem.rule for line in lines if line.trust == "assumed"} == set(
        paper.ledger
    )
    lines = [
        line
        for id in ("jiang2024.lemma1", "jiang2024.theorem2")
        for line in paper[id].proof("printed").steps
    ]
    # Lines that the paper derives, and that do not follow; what is refuted is printed, and comes
    # with what refutes it.
    assert {line.step.label for line in lines if line.follows is False} == {
        "(13), first $≤$",
        "(22)",
    }
    assert all(
        line.step.printed and line.step.witness for line in lines if line.verdict == "refuted"
    )


PROVED = [script for script in SCRIPTS if script.version != "printed" and script.claim is not None]
proofs = pytest.mark.parametrize("script", PROVED, ids=names(PROVED))


def below(claim):
    return {claim.id}.union(*(below(each) for each in claim.hypotheses))


@proofs
def test_every_hypothesis_of_a_proved_claim_is_the_claims_own(script):
    assert script.claim is catalogue[script.id]
    proof = judged(script)
    assert {
        each.claim.id for each in proof.hypotheses if each.role == "hypothesis" and each.claim
    } <= below(script.claim)
    assert {each.role for each in proof.hypotheses} <= {"hypothesis", "definition", "domain"}


@proofs
def test_a_proof_ends_in_its_claim_of_all_points_or_of_all_in_a_ball(script):
    theorem = script.proof.conclusion
    assert {each.statement for each in judged(script).hypotheses} == set(theorem.hypotheses)
    said = theorem.conclusion
    assert getattr(said, "conclusion", said) == script.reading.fact(script.claim.conclusion)
    for premise in getattr(said, "premises", ()):
        # A spectral norm and its radius, and nothing else.
        assert re.fullmatch(r"‖[AB]'?_[12]‖_op <= (sigma|a|b|a_2|b_2)", str(premise))


@pytest.mark.parametrize("script", SCRIPTS, ids=names(SCRIPTS))
def test_the_ledger_is_what_the_derivation_uses(script):
    theorems = [each.theorem for each in script.proof.steps]
    theorems += [script.proof.conclusion] if script.proof.conclusion else []
    for theorem, again in zip(theorems, replay_all(theorems), strict=True):
        assert again.same_as(theorem)
        used = {each.rule for each in derivation([theorem])}
        assert theorem.ledger == used & set(STANDARD_FACTS)


def test_printed_proofs_alone_have_witnesses():
    for script in SCRIPTS:
        assert any(step.witness for step in script.proof.steps) == (script.version == "printed")


@pytest.mark.parametrize(
    "id", ["meft.theorem2_repaired", "meft.theorem2_best_step", "meft.theorem2_frozen_a"]
)
def test_the_constant_of_a_cited_lemma_is_the_claims_own(id):
    """The claim says λ*/4, and the proof goes on with the λ* of the lemma that it cites.

    At d = k = r = 1, L = 1, G = 1/256, radii 1, T = 1 and q = 1/2 the claim of theorem2_repaired is
    false.
    """
    (sharp,) = (each for each in PROVED if (each.id, each.version) == (id, "sharp"))
    quarter = sharp.claim.quantities[0].expression / 4
    assert verdict_on(sharp, with_formula(sharp.claim, sharp.claim.names[0], quarter)) != "proved"
