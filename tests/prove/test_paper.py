"""jiang2024 as a whole: the verdict on each row of the referee's table, the claims, and what everything rests on."""

import re

import pytest

from boundcheck.claims import catalogue
from boundcheck.claims.symbols import D
from boundcheck.kernel import STANDARD_FACTS
from boundcheck.proofs import paper_of, papers
from tests.judged import of_the_paper

pytestmark = of_the_paper

ROWS = {
    "refuted": {2, 5, 10, 13},
    "repaired": {1, 3, 8, 12, 34},
    "proved": {7, 9, 23, 24, 30},
    "conditional": {4, 14, 21},
    "remark": {16, 17, 18, 26, 27, 28, 31, 32, 33},
    "editorial": {15, 19, 20, 22, 25, 29},
}
# What follows from a row, by its own number.
FOLLOWS = {5: {6: "refuted"}, 10: {11: "repaired"}}
CLAIMS = {
    "jiang2024.lemma1": "repaired",
    "jiang2024.theorem2": "repaired",
    "jiang2024.lemma1.any_points": "refuted",
    "jiang2024.theorem2.any_step": "refuted",
    "jiang2024.algorithm1": "refuted",
    "jiang2024.unbiased.without_replacement": "refuted",
    "jiang2024.training_against_fine_tuning": "refuted",
    "jiang2024.direft.recipe": "refuted",
    "meft.lemma1_sharp": "proved",
    "meft.lemma1_sharp_equal_radii": "proved",
    "meft.frozen_a": "proved",
    "meft.layers": "proved",
    "meft.theorem2_repaired": "proved",
    "meft.theorem2_best_step": "proved",
}
# The paper's own lines that are false where they stand, by proof.
FALSE_LINES = {
    "jiang2024.lemma1": {"(11)", "(13), first $≤$"},
    "jiang2024.theorem2": {"(22)"},
}


def test_the_rows_of_the_table(paper):
    assert {row.row.number: row.verdict for row in paper.rows} == {
        number: verdict for verdict, numbers in ROWS.items() for number in numbers
    }
    numbers = [row.row.number for row in paper.rows]
    assert numbers == sorted(set(numbers))
    assert {
        row.row.number: {each.row.number: each.verdict for each in row.follows} for row in paper.rows if row.follows
    } == FOLLOWS


# Of each line that the table calls false the paper's words, without formulas; and what its reading grants.
BALL = {"jiang2024.assumption1", "jiang2024.assumption2", "jiang2024.assumption3.1", "jiang2024.assumption3.2"}
QUOTES = {
    2: ("There exists a constant such that for any parameters", {"jiang2024.assumption3.1"}),
    5: ("where is Euclidean norm", BALL),
    6: ("", BALL),
    10: (
        "With some simple mathematical manipulations, the following inequality is obtained:",
        {*BALL, "jiang2024.assumption4", "jiang2024.bounded_below", "meft.unbiased", "$T ≥ T_min$"},
    ),
    13: (
        "the convergence rate has a correlation with the rank and the largest eigenvalue of low-rank decomposition "
        "matrices, i.e.,",
        {
            "$C ≥ σ$, as Assumption 3(1) makes it on the ball",
            "$bound ≤ c r^(1/4) σ^(1/2) T^(-1/2)$, squared, at the rank $r = x²$",
        },
    ),
}


def test_what_is_refuted_is_quoted_under_a_reading_that_its_evidence_keeps_to(paper):
    """Where is that printed, and under which reading?"""
    of_papers = {key: getattr(paper_of(key).part("findings"), "ROWS", ()) for key in papers()}
    everything = {key: [each for row in table for each in (row, *row.follows)] for key, table in of_papers.items()}
    assert {key for key, table in everything.items() if any(row.false for row in table)} == {"jiang2024"}
    refuted = [row for row in everything["jiang2024"] if row.false]
    assert {row.number for row in refuted} == QUOTES.keys()
    for row in refuted:
        words, granted = QUOTES[row.number]
        quoted = " ".join(re.findall(r'"(.+?)"', row.printed))
        assert re.sub(r"\$.+?\$", " ", quoted).replace(",", " ").split() == words.replace(",", " ").split(), row.number
        assert row.reading
        for ref in row.false:
            proof = paper[ref.id].proof(ref.version)
            laid = [each for each in proof.script.proof.assumptions if each.role == "hypothesis"]
            assert {each.claim.id if each.claim else each.name for each in laid} <= granted, row.number
            line = next((x for x in proof.steps if ref.names(x.step)), None)
            # A line that is called false is printed as it stands, and an exact instance meets all that is granted.
            assert line is None or (line.step.printed and line.step.witness and line.verdict == "refuted")
            assert line is not None or proof.verdict == "proved"


def test_the_verdicts_on_the_claims(paper):
    verdicts = {claim.id: claim.verdict for claim in paper.claims}
    assert CLAIMS.items() <= verdicts.items()
    assert {verdict for id, verdict in verdicts.items() if id not in CLAIMS} == {"proved"}
    assert "unknown" not in {proof.verdict for claim in paper.claims for proof in claim.proofs}


def test_everything_rests_on_two_standard_facts_and_the_kernel(paper):
    assert paper.ledger == ("chain_rule", "descent_lemma")
    assert set(paper.ledger) <= set(STANDARD_FACTS)
    proved = [proof for claim in paper.claims for proof in claim.proofs if proof.verdict == "proved"]
    assert {proof.trust for proof in proved} == {"kernel"}
    lines = [line for claim in paper.claims for proof in claim.proofs for line in proof.steps]
    assert {line.trust for line in lines if line.verdict == "proved"} == {"kernel", "assumed"}
    assert {line.step.theorem.rule for line in lines if line.trust == "assumed"} == set(paper.ledger)
    assert {line.verdict for line in lines} == {"proved", "refuted"}


@pytest.mark.parametrize("id", FALSE_LINES)
def test_the_false_lines_of_the_printed_proofs(paper, id):
    lines = paper[id].proof("printed").steps
    assert {line.step.label for line in lines if line.verdict == "refuted"} == FALSE_LINES[id]
    # Each is printed in the paper and comes with what refutes it.
    assert all(line.step.printed and line.step.witness for line in lines if line.verdict == "refuted")


def test_lines_that_the_paper_derives_and_that_do_not_follow(paper):
    lines = {line.step.label: line for id in FALSE_LINES for line in paper[id].proof("printed").steps}
    assert {label for label, line in lines.items() if line.follows is False} == {"(13), first $≤$", "(22)"}


def test_every_hypothesis_of_a_proved_claim_is_the_claims_own(paper):
    def below(claim):
        return {claim.id}.union(*(below(each) for each in claim.hypotheses))

    for audit in paper.claims:
        for proof in audit.proofs:
            if proof.verdict != "proved" or proof.script.claim is None:
                continue
            assert proof.script.claim is catalogue[audit.id]
            allowed = below(proof.script.claim) | {claim.id for claim in proof.script.instead.values()}
            used = {each.claim.id for each in proof.hypotheses if each.role == "hypothesis" and each.claim}
            assert used <= allowed, audit.id
            assert not [each for each in proof.hypotheses if each.role in ("local", "choice")], audit.id


def test_what_a_proved_claim_defines_is_its_own_quantities(paper):
    for audit in paper.claims:
        for proof in audit.proofs:
            claim = proof.script.claim
            if proof.verdict != "proved" or claim is None:
                continue
            own = {quantity.symbol: quantity.expression for quantity in claim.quantities}
            for each in proof.hypotheses:
                if each.role == "definition" and each.relation.lhs in own:
                    assert each.relation.rhs == own[each.relation.lhs], (audit.id, each.name)
            # D alone is both: a parameter of the claims, and F(v_1) - f* where it comes from.
            given = {parameter.symbol for parameter in claim.parameters} - {D}
            assert not given & {each.relation.lhs for each in proof.hypotheses if each.role == "definition"}


def test_conclusions_are_those_of_the_claims(paper):
    for audit in paper.claims:
        for proof in audit.proofs:
            claim = proof.script.claim
            if proof.verdict == "proved" and claim is not None:
                said = proof.script.proof.conclusion.conclusion
                fact = getattr(said, "conclusion", said)
                assert fact == proof.script.reading.fact(claim.conclusion), audit.id


def test_claims_are_proved_of_all_points_or_of_all_in_a_ball(paper):
    for audit in paper.claims:
        for proof in audit.proofs:
            said = proof.script.proof.conclusion
            if proof.verdict != "proved" or proof.script.claim is None or not hasattr(said.conclusion, "premises"):
                continue
            for premise in said.conclusion.premises:
                # A spectral norm and its radius, and nothing else.
                assert re.fullmatch(r"‖[AB]'?_[12]‖_op <= (sigma|a|b|a_2|b_2)", str(premise)), audit.id


def test_it_is_quick(paper):
    # Ten seconds cold is the aim; this leaves room for a busy machine.
    assert paper.seconds < 60
