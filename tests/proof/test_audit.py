"""What an audit of proofs hands out, true to what was judged; what is fixed of a claim, and what
vouches for it."""

import importlib
import json
import re
from collections import Counter
from dataclasses import replace
from fractions import Fraction

import pytest
from boundcheck.proofs.jiang2024.claims import LEMMA_1
from boundcheck.proofs.meft import adapters
from boundcheck.proofs.methods import claims as methods
from hypothesis import given
from hypothesis import strategies as st

import boundcheck as bc
from boundcheck.errors import InputError
from boundcheck.language.catalogue import catalogue
from boundcheck.proof import audit as auditing
from boundcheck.proof import ge, judge, le, script
from boundcheck.proof.audit import (
    Carrier,
    Choice,
    Ref,
    Row,
    Under,
    carrier,
    judge_row,
    record_of,
    told,
)
from boundcheck.proof.export import export
from boundcheck.proof.notation import shown
from boundcheck.proof.record import PROVED, records, signature
from boundcheck.proof.script import of_paper
from boundcheck.proof.solver import ask
from boundcheck.proofs import VARIABLE, papers
from tests.experiment.small import refused
from tests.judged import of_the_paper

from .cheats import CHEATS, GOAL
from .entailments import SECONDS
from .scripts import audited, judged, lemma, numbers, write, x

pytestmark = of_the_paper

QUICK = (
    "jiang2024.assumption2",
    "meft.frozen_a",
    "jiang2024.rate",
    "jiang2024.direft",
    "jiang2024.coercivity",
)


@pytest.fixture(scope="module")
def quick():
    return bc.prove(*QUICK)


@pytest.fixture(scope="module")
def answer(paper):
    return json.loads(json.dumps(paper.as_json(), allow_nan=False))


# JSON.


def steps_of(answer):
    return [
        step for claim in answer["claims"] for proof in claim["proofs"] for step in proof["steps"]
    ]


@pytest.mark.full
def test_what_is_printed_is_what_the_kernel_proved(paper, answer):
    """Every theorem of every proof, whose text and LaTeX read back: `test_notation` tries that."""
    for claim, audit in zip(answer["claims"], paper.claims, strict=True):
        for proof, found in zip(claim["proofs"], audit.proofs, strict=True):
            said = shown(
                *(x.statement for x in found.hypotheses),
                *([found.conclusion] if proof["conclusion"] else []),
            )
            told = [*((x["statement"], x["statement_latex"]) for x in proof["hypotheses"])]
            told += (
                [(proof["conclusion"], proof["conclusion_latex"])] if proof["conclusion"] else []
            )
            assert told == list(zip(said.texts, said.latex, strict=True))
            for step, each in zip(proof["steps"], found.steps, strict=True):
                theorem = shown(each.step.theorem.conclusion)
                assert (step["statement"], step["statement_latex"]) == (
                    *theorem.texts,
                    *theorem.latex,
                )


EXACT = re.compile(r"-?\d+(/\d+)?")


def test_only_what_was_refuted_has_a_witness_which_is_exact_and_violates_the_line(paper, answer):
    for step in steps_of(answer):
        assert (step["witness"] is not None) == (step["verdict"] == "refuted")
        assert (step["trust"] != "") == (step["verdict"] == "proved")
        apart = step["does_not_follow_at"]
        assert not apart or step["follows"] is False
        assert all(EXACT.fullmatch(value) for value in (apart or {}).values())
    assert any(step["does_not_follow_at"] for step in steps_of(answer))
    lines = [
        (proof, step) for audit in paper.claims for proof in audit.proofs for step in proof.steps
    ]
    witnesses = [
        (step, auditing.witness_as_json(proof, step))
        for proof, step in lines
        if step.verdict == "refuted"
    ]
    assert len(witnesses) >= 10
    for step, found in witnesses:
        assert found.keys() == {"about", "numbers", "t", "left", "right"}
        assert all(EXACT.fullmatch(value) for value in found["numbers"].values())
        left = Fraction(found["left"])
        right = Fraction(found["right"])
        kept = {"<=": left <= right, ">=": left >= right, "==": left == right, "<": left < right}
        assert not kept[step.step.relation.rel_op], step.step.label


def test_an_audit_is_read_by_id_and_version(quick):
    assert quick["meft.frozen_a"].proof("sharp").verdict == "proved"
    with pytest.raises(InputError, match=r"claim = meft: expected one that was audited"):
        quick["meft"]
    with pytest.raises(InputError, match="version = printed: expected sharp"):
        quick["meft.frozen_a"].proof("printed")


# Exports.


def test_an_export_has_a_file_for_each_proof_and_each_certificate(quick, tmp_path):
    files = export(quick, tmp_path / "out")
    assert sorted(path for path in (tmp_path / "out").rglob("*") if path.is_file()) == sorted(files)
    proofs = [proof for claim in quick.claims for proof in claim.proofs]
    assert {path.stem for path in files if path.suffix == ".tex"} == {
        "preamble",
        *(f"{proof.script.id}-{proof.script.version}" for proof in proofs),
    }
    count = Counter(path.parent.name for path in files if path.suffix == ".smt2")
    for proof in proofs:
        closed = [line for line in proof.steps if line.step.theorem.rule == "certificate"]
        assert count[f"{proof.script.id}-{proof.script.version}"] == len(closed)
    assert not list(tmp_path.rglob("*.part"))
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"export = .*expected a folder that can be written"):
        export(quick, tmp_path / "file")


@pytest.mark.full
def test_z3_proves_every_exported_line(quick, tmp_path):
    texts = [
        path.read_text(encoding="utf-8")
        for path in export(quick, tmp_path)
        if path.suffix == ".smt2"
    ]
    assert len(texts) >= 15
    answers = Counter(ask(text, SECONDS).status for text in texts)
    assert answers == {"unsat": len(texts)}


@pytest.mark.parametrize("id", ["../../outside", "a/b", "/a", "..", "a.", "a\\nb", ""])
def test_an_id_that_would_leave_the_folder_of_an_export_is_refused(id, tmp_path):
    with pytest.raises(InputError, match=r"id = .*expected names joined by dots"):
        bc.prove(write(tmp_path / "lemma.py", id))


# The referee's table.


def audits(paper):
    return {claim.id: claim for claim in paper.claims}


GROUNDS = ("holds", "within", "repair", "about")
KINDS = ("fails", "holds", "empty")


@pytest.mark.parametrize("missing", ["printed", "mend"])
def test_nothing_is_called_false_that_is_not_quoted_and_has_no_mend(missing):
    said = {"printed": "what", "mend": "otherwise"} | {missing: " "}
    with pytest.raises(
        InputError, match=rf"^row 7, {missing} = .*expected what the paper prints, and"
    ):
        Row(
            7,
            "where",
            finding="found",
            under=(Under("plainly", fails=(Ref("my.claim", "sharp"),)),),
            **said,
        )


def test_evidence_under_a_reading_is_of_one_kind_and_the_reading_has_a_name():
    ref = (Ref("my.claim", "sharp"),)
    for kinds in ((), ("fails", "holds"), ("holds", "empty"), KINDS):
        with pytest.raises(InputError, match="expected evidence of one kind"):
            Under("plainly", **dict.fromkeys(kinds, ref))
    with pytest.raises(InputError, match=r"^reading = "):
        Under(" ", holds=ref)
    with pytest.raises(InputError, match="expected each reading once"):
        Row(
            7,
            "where",
            "what",
            "found",
            (Under("plainly", holds=ref), Under("plainly", fails=ref)),
            "otherwise",
        )


def table(monkeypatch, *made):
    module = importlib.import_module("boundcheck.proofs.jiang2024.findings")
    monkeypatch.setattr(module, "ROWS", made)


@pytest.mark.parametrize(
    "ref, expected",
    [
        (Ref("jiang2024.lemma1", "printed", "(99)"), "one of the lines"),
        (Ref("jiang2024.lemma1", "sharp"), "printed, repaired"),
        (Ref("jiang2024.lemma3", "printed"), "a claim that has a proof"),
    ],
    ids=["label", "version", "claim"],
)
def test_a_row_that_refers_to_nothing_raises(ref, expected, paper, monkeypatch):
    grounds = [{field: (ref,)} for field in GROUNDS]
    for refs in (*grounds, *({"under": (Under("plainly", **{kind: (ref,)}),)} for kind in KINDS)):
        row = Row(1, "where", "what", "found", mend="otherwise", **refs)
        with pytest.raises(InputError, match=expected):
            judge_row(row, audits(paper))
        table(
            monkeypatch,
            Row(1, "where", "what", "found", follows=(replace(row, under=(), about=(ref,)),)),
        )
        with pytest.raises(InputError, match=expected):
            auditing.judge_rows("jiang2024", audits(paper))


def absurd(proof):
    """From x >= 1 and x <= 0."""
    large = proof.assume(ge(x, 1), name="large")
    small = proof.assume(le(x, 0), name="small")
    proof.conclude(proof.step("absurd", le(1, 0), large, small), relation=le(1, 0))


@pytest.fixture(scope="module")
def known():
    """A proof, a line that a witness refutes, an open line, and a proof that ends in a
    contradiction."""
    proofs = (
        judged(lemma(ge(x**2, 0)), "my.true"),
        judged(
            lambda proof: proof.step("line", ge(x, 0), witness=numbers(x=-1)), "my.false", "printed"
        ),
        judged(lemma(ge(x, 0)), "my.open"),
        judged(absurd, "my.absurd"),
    )
    return {each.script.id: audited(each) for each in proofs}


YES = Ref("my.true", "sharp")
NO = Ref("my.false", "printed", "line")
OPEN = Ref("my.open", "sharp")
ABSURD = Ref("my.absurd", "sharp")


def verdict_on(known, choices=(), **refs):
    found = judge_row(Row(1, "where", "what", "found", mend="otherwise", **refs), known, choices)
    # The author's finding, and what becomes of it under each reading, are told where the lines
    # establish it.
    data = found.as_json()
    is_open = found.verdict == "unknown"
    assert (found.finding == data["finding"] == "found") != is_open
    assert (data["readings"] == [] and "otherwise" not in found.told) or not is_open
    return found.verdict


def test_the_verdict_of_a_row(known):
    def verdict(**refs):
        return verdict_on(known, **refs)

    assert verdict() == "editorial"
    assert verdict(holds=(YES,)) == verdict(holds=(YES,), repair=(YES,)) == "proved"
    assert verdict(repair=(YES,)) == verdict(repair=(YES,), about=(NO,)) == "repaired"
    assert verdict(within=(YES,)) == verdict(within=(YES,), about=(NO,)) == "conditional"
    assert verdict(about=(YES,)) == verdict(about=(NO,)) == "remark"
    for field in GROUNDS:
        assert verdict(**{field: (OPEN,)}) == verdict(**{field: (YES, OPEN)}) == "unknown"
    for field in ("holds", "within", "repair"):
        assert verdict(**{field: (NO,)}) == "unknown"
    told = judge_row(Row(1, "where", "what", "found", holds=(YES, OPEN)), known).finding
    assert told.startswith(f"Not established: {known['my.open'].proofs[0].reason} (")
    assert "my.true" not in told
    told = judge_row(Row(1, "where", "what", "found", holds=(NO,)), known).finding
    assert told.startswith("Not established: ")
    assert told.endswith("is refuted.")


# What each kind of evidence may be: only a witness or a contradiction shows that something fails,
# and so on.
SHOWS = {"fails": {NO, ABSURD}, "holds": {YES}, "empty": {ABSURD}}


@given(
    st.lists(
        st.tuples(st.sampled_from(KINDS), st.sampled_from((YES, NO, OPEN, ABSURD))),
        min_size=1,
        max_size=4,
    )
)
def test_a_row_is_refuted_only_if_it_fails_under_every_reading_that_was_tried(known, tried):
    """The naive twin: count what the evidence shows, whatever the row's author says."""
    choices = (Choice("all of them", "words", tuple(map(str, range(len(tried))))),)
    under = tuple(Under(str(i), **{kind: (ref,)}) for i, (kind, ref) in enumerate(tried))
    shown_ = [kind if ref in SHOWS[kind] else "nothing" for kind, ref in tried]
    if "nothing" in shown_:
        expected = "unknown"
    elif "fails" in shown_:
        expected = "conditional" if "holds" in shown_ else "refuted"
    else:
        expected = "proved" if "holds" in shown_ else "remark"
    assert verdict_on(known, choices, under=under) == expected
    # A proof of something else than a contradiction does not show that what is printed fails.
    if expected == "refuted":
        assert all(ref in (NO, ABSURD) for _, ref in tried)


CHOICES = (
    Choice("the region", "“any”", ("in the ball", "anywhere")),
    Choice("the norm", "‖·‖", ("sum", "root")),
)


@given(
    st.dictionaries(
        st.sampled_from([x for each in CHOICES for x in each.readings]), st.booleans(), min_size=1
    )
)
def test_no_reading_of_a_choice_is_left_out(known, tried):
    """Of a row that holds under some reading the other readings of the same choice; of any other
    all of them."""
    under = tuple(
        Under(reading, **({"holds": (YES,)} if holds else {"fails": (NO,)}))
        for reading, holds in tried.items()
    )
    asked = [
        each for each in CHOICES if not any(tried.values()) or tried.keys() & set(each.readings)
    ]
    row = {"under": under}
    if all(set(each.readings) <= tried.keys() for each in asked):
        assert verdict_on(known, CHOICES, **row) in ("proved", "conditional", "refuted")
    else:
        with pytest.raises(
            InputError, match=r"row 1, under = .*evidence under each reading of the choice"
        ):
            verdict_on(known, CHOICES, **row)


def test_a_reading_that_is_none_of_the_papers_is_refused(known):
    with pytest.raises(InputError, match="row 1, under = at night: expected one of the readings"):
        verdict_on(known, CHOICES, under=(Under("at night", holds=(YES,)),))
    assert verdict_on(known, under=(Under("at night", fails=(NO,)),)) == "refuted"


@pytest.mark.full
@pytest.mark.parametrize(
    "key", [key for key, paper in papers().items() if (paper.folder / PROVED).is_file()]
)
def test_the_records_are_those_of_the_proofs(key):
    assert json.loads((papers()[key].folder / PROVED).read_text()) == record_of(key)


def recorded(made, monkeypatch):
    """The claims of a paper that are recorded as proved, where this is its one script."""
    monkeypatch.setattr("boundcheck.proof.audit.of_paper", lambda key: [made])
    return list(record_of("jiang2024"))


@pytest.mark.parametrize("name", CHEATS)
def test_a_cheat_is_not_recorded(name, monkeypatch):
    refused(lambda: recorded(CHEATS[name].script(), monkeypatch))


@pytest.mark.parametrize("witness", [None, numbers()], ids=["an open line", "a refuted line"])
def test_a_line_that_is_not_proved_is_not_recorded(witness, monkeypatch):
    made = script(LEMMA_1, "sharp")(
        lambda proof: proof.conclude(proof.step("line", GOAL, witness=witness))
    )
    refused(recorded, made, monkeypatch)


def test_what_restricts_the_points_alone_is_recorded(monkeypatch):
    """The twin: the ball of the iterates as a condition on points, which is what Lemma 1 says of
    them."""
    (mine,) = (
        each
        for each in of_paper("jiang2024")
        if (each.id, each.version) == (LEMMA_1.id, "repaired")
    )
    assert recorded(mine, monkeypatch) == [LEMMA_1.id]


def test_a_witness_that_refutes_nothing_breaks_no_line(monkeypatch):
    ours = [
        each
        for each in of_paper("jiang2024")
        if each.id == LEMMA_1.id and each.version != "printed"
    ]
    printed = script(LEMMA_1, "printed")(lambda proof: proof.step("(1)", GOAL, witness=numbers()))
    monkeypatch.setattr("boundcheck.proof.audit.of_paper", lambda key: [*ours, printed])
    assert "broken" not in record_of("jiang2024")[LEMMA_1.id]


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
def test_no_file_makes_a_paper_of_somebody_else_proved(body, tmp_path, monkeypatch):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "claims.py").write_text(CLAIMS)
    (folder / "five.py").write_text(PROOF.format(body))
    monkeypatch.setenv(VARIABLE, str(folder))
    refused(auditing.write_record, "mine")
    assert not (folder / PROVED).exists()
    # The same by hand.
    (made,) = of_paper("mine")
    table = {"mine.five": {"digest": signature(catalogue["mine.five"])}}
    (folder / PROVED).write_text(json.dumps(table))
    assert judge(made).verdict == "unknown"
    assert [claim.verdict for claim in bc.prove("mine").claims] == ["unknown"]
    assert carrier(catalogue["mine.five"]) is not Carrier.KERNEL


SCRIPTED = {
    script.id for key in papers() for script in of_paper(key) if script.version != "printed"
}
KERNEL = [id for id in catalogue if carrier(catalogue[id]) is Carrier.KERNEL]


def test_each_claim_with_a_proof_is_carried_by_the_kernel_and_has_no_argument_beside_it():
    assert [id for id in catalogue if id in SCRIPTED] == KERNEL


@pytest.mark.full
def test_what_is_said_without_a_look_at_the_proofs_is_what_they_say(paper):
    for audit in paper.claims:
        if audit.id in KERNEL:
            assert audit.verdict == auditing.standing(catalogue[audit.id])
            assert all(label in told(catalogue[audit.id]) for label in records()[audit.id].broken)


BY_HAND = [each for each in (*adapters.CLAIMS, *methods.CLAIMS) if each.argument]


def test_a_claim_by_hand_says_why():
    assert BY_HAND
    assert {carrier(claim) for claim in BY_HAND} == {Carrier.BY_HAND}
    assert all(claim.unproved for claim in BY_HAND)


def test_a_reason_without_an_argument_is_refused():
    with pytest.raises(InputError, match="unproved"):
        replace(catalogue["meft.frozen_a"], unproved="The kernel has no such word.")
    assert (
        catalogue["meft.dora"].assuming({"J": catalogue["meft.dora"].expression("H")}).unproved
        == ""
    )


def test_hypotheses_and_what_nobody_vouches_for():
    assert carrier(catalogue["jiang2024.assumption3"]) is Carrier.HYPOTHESIS
    assert carrier(catalogue["meft.dora_domain"]) is Carrier.HYPOTHESIS
    assert carrier(catalogue["jiang2024.rate"]) is Carrier.NOTHING


def test_a_claim_of_the_catalogue_that_was_changed_is_refused(monkeypatch):
    """The object is shared, and the code of a script may change it."""
    (made, *_) = (each for each in of_paper("meft") if each.id == "meft.full")
    assert judge(made).verdict == "proved"
    monkeypatch.setitem(vars(made.claim), "conditions", (le(0, 1),))
    with pytest.raises(InputError, match="as its paper recorded it"):
        judge(made)
