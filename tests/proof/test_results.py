"""What an audit of proofs hands out: JSON, HTML, SMT-LIB and the referee's table, true to what was judged."""

import importlib
import itertools
import json
import re
from collections import Counter
from dataclasses import replace
from fractions import Fraction

import pytest

import boundcheck as bc
from boundcheck.errors import InputError
from boundcheck.kernel.meaning import exact
from boundcheck.language.prose import plain
from boundcheck.proof import Proof, ProofAudit, ge
from boundcheck.proof.audit import Ref, Row, judge_row, judge_rows, number_text, opinions, witness_as_json
from boundcheck.proof.export import export
from boundcheck.proof.notation import from_latex, letters, read
from boundcheck.proof.solvers import ask
from tests.judged import of_the_paper

from .entailments import SECONDS, play
from .scripts import audited, judged, lemma, numbers, write, x, y

pytestmark = of_the_paper

QUICK = ("jiang2024.assumption2", "meft.frozen_a", "jiang2024.rate", "jiang2024.direft", "jiang2024.coercivity")


@pytest.fixture(scope="module")
def quick() -> ProofAudit:
    return bc.prove(*QUICK)


@pytest.fixture(scope="module")
def answer(paper) -> dict:
    return json.loads(json.dumps(paper.as_json(), allow_nan=False))


# JSON.


def steps_of(answer: dict) -> list[dict]:
    return [step for claim in answer["claims"] for proof in claim["proofs"] for step in proof["steps"]]


def test_json_says_what_the_objects_say(paper, answer):
    for claim, audit in zip(answer["claims"], paper.claims, strict=True):
        assert (claim["id"], claim["verdict"]) == (audit.id, audit.verdict)
        for proof, judged_ in zip(claim["proofs"], audit.proofs, strict=True):
            assert [(x["label"], x["verdict"], x["trust"]) for x in proof["steps"]] == [
                (plain(x.step.label), x.verdict, x.trust) for x in judged_.steps
            ]
            assert [x["statement"] for x in proof["steps"]] == [str(x.step.theorem.conclusion) for x in judged_.steps]


@pytest.mark.full
def test_what_is_printed_reads_back_as_what_the_kernel_proved(paper, answer):
    """Every theorem of every proof: text and LaTeX, printed, parsed and compared."""
    seen = 0
    for claim, audit in zip(answer["claims"], paper.claims, strict=True):
        for proof, judged_ in zip(claim["proofs"], audit.proofs, strict=True):
            statements = [each.statement for each in judged_.hypotheses]
            texts = [(x["statement"], x["statement_latex"]) for x in proof["hypotheses"]]
            if proof["conclusion"]:
                statements.append(judged_.conclusion)
                texts.append((proof["conclusion"], proof["conclusion_latex"]))
            table = letters(statements)
            # The 1 of a row is no letter.
            assert proof["letters"] == {name: str(role) for name, role in table.items() if name != "one"}
            said = list(zip(texts, statements, itertools.repeat(table)))
            for step, each in zip(proof["steps"], judged_.steps, strict=True):
                fact = each.step.theorem.conclusion
                said.append(((step["statement"], step["statement_latex"]), fact, letters([fact])))
            for (text, made), statement, table in said:
                assert read(text, table) == statement
                assert read(from_latex(made, table), table) == statement
                seen += 1
    assert seen > 500


def test_the_printed_proof_comes_first(paper):
    for claim in paper.claims:
        versions = [proof.script.version for proof in claim.proofs]
        assert "printed" not in versions[1:]


EXACT = re.compile(r"-?\d+(/\d+)?")


def test_only_what_was_refuted_has_a_witness_and_only_what_does_not_follow_has_numbers(answer):
    for step in steps_of(answer):
        assert (step["witness"] is not None) == (step["verdict"] == "refuted")
        assert (step["trust"] != "") == (step["verdict"] == "proved")
        apart = step["does_not_follow_at"]
        assert not apart or step["follows"] is False
        assert all(EXACT.fullmatch(value) for value in (apart or {}).values())
    assert any(step["does_not_follow_at"] for step in steps_of(answer))


def test_witnesses_are_exact_and_their_sides_violate_the_line(paper):
    seen = 0
    for audit in paper.claims:
        for proof in audit.proofs:
            for step in proof.steps:
                found = witness_as_json(proof, step)
                if found is None:
                    continue
                seen += 1
                assert found.keys() == {"about", "numbers", "t", "left", "right"}
                assert all(EXACT.fullmatch(value) for value in found["numbers"].values())
                left, right = Fraction(found["left"]), Fraction(found["right"])
                kept = {"<=": left <= right, ">=": left >= right, "==": left == right, "<": left < right}
                assert not kept[step.step.relation.rel_op], (audit.id, step.step.label)
    assert seen >= 10


def test_an_audit_is_read_by_id_and_version(quick):
    assert quick["meft.frozen_a"].proof("sharp").verdict == "proved"
    with pytest.raises(InputError, match=r"claim = meft: expected one that was audited"):
        quick["meft"]
    with pytest.raises(InputError, match="version = printed: expected one of sharp"):
        quick["meft.frozen_a"].proof("printed")


def test_short_numbers_are_fractions_and_long_ones_have_nine_digits():
    assert number_text(exact(Fraction(-3, 7))) == "-3/7"
    assert number_text(exact(2)) == "2"
    assert number_text(exact(Fraction(1, 3**40))) == "8.22526334e-20"
    assert number_text(exact(2).root()) == "1.41421356"


# Solvers.


def test_solvers_agree_with_the_kernel_on_every_certificate():
    proof = judged(lemma(ge(2 * x, 2), ge(x, 1)))
    assert opinions(proof) == {0: {"z3": "unsat", "cvc5": "unsat"}}


def test_a_solver_that_contradicts_the_kernel_is_heard(monkeypatch):
    proof = judged(lemma(ge(2 * x, 2), ge(x, 1)))
    said = "import sys; sys.stdin.read(); print('sat')"
    play(monkeypatch, z3=said, cvc5=said)
    with pytest.raises(bc.BoundcheckError, match="sat"):
        opinions(proof)


def test_lines_with_one_label_have_an_opinion_each():
    def build(proof: Proof) -> None:
        proof.step("same", ge(2 * x, 2), proof.assume(ge(x, 1)))
        proof.step("same", ge(3 * y, 3), proof.assume(ge(y, 1)))

    assert opinions(judged(build)).keys() == {0, 1}


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


@pytest.mark.full
def test_z3_proves_every_exported_line(quick, tmp_path):
    texts = [path.read_text(encoding="utf-8") for path in export(quick, tmp_path) if path.suffix == ".smt2"]
    assert len(texts) >= 15
    answers = Counter(ask("z3", text, SECONDS).status for text in texts)
    assert answers == {"unsat": len(texts)}


def test_an_export_is_the_same_twice_and_goes_where_it_can(quick, tmp_path):
    first = {path.relative_to(tmp_path / "a"): path.read_bytes() for path in export(quick, tmp_path / "a")}
    second = {path.relative_to(tmp_path / "b"): path.read_bytes() for path in export(quick, tmp_path / "b")}
    assert first == second
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"export = .*expected a folder that can be written"):
        export(quick, tmp_path / "file")


@pytest.mark.parametrize("id", ["../../outside", "a/b", "/a", "..", "a.", "a\\nb", ""])
def test_an_id_that_would_leave_the_folder_of_an_export_is_refused(id, tmp_path):
    with pytest.raises(InputError, match=r"id = .*expected names joined by dots"):
        bc.prove(write(tmp_path / "lemma.py", id))


# The referee's table.


def audits(paper):
    return {claim.id: claim for claim in paper.claims}


def with_verdict(paper, ref: Ref, verdict: str):
    """The audits, with another verdict on what a row refers to."""
    claim = paper[ref.id]
    proof = claim.proof(ref.version)
    changes = {"verdict": verdict, "trust": "kernel" if verdict == "proved" else ""}
    if ref.label:
        steps = tuple(replace(s, **changes) if ref.names(s.step) else s for s in proof.steps)
        changed = replace(proof, steps=steps)
    else:
        changed = replace(proof, **changes)
    proofs = tuple(changed if each is proof else each for each in claim.proofs)
    return audits(paper) | {ref.id: replace(claim, proofs=proofs)}


def test_a_row_is_unknown_once_any_of_its_lines_is(paper):
    for each in paper.rows:
        for ref in each.row.refs:
            again = judge_row(each.row, with_verdict(paper, ref, "unknown"))
            assert again.verdict == "unknown", (each.row.number, ref)


def test_a_row_is_not_refuted_by_a_printed_line_that_is_proved(paper):
    for each in paper.rows:
        for ref in each.row.false:
            if ref.version == "printed":
                again = judge_row(each.row, with_verdict(paper, ref, "proved"))
                assert again.verdict == "unknown", (each.row.number, ref)


GROUNDS = ("false", "holds", "within", "repair", "about")


@pytest.mark.parametrize("missing", ["printed", "reading"])
def test_nothing_is_called_false_that_is_not_quoted_and_read(missing):
    said = {"printed": "what", "reading": "plainly"} | {missing: " "}
    with pytest.raises(InputError, match=rf"^row 7, {missing} = .*expected what the paper prints, and"):
        Row(7, "where", finding="found", false=(Ref("my.claim", "sharp"),), **said)


def table(monkeypatch, *made: Row) -> None:
    module = importlib.import_module("boundcheck.proofs.jiang2024.findings")
    monkeypatch.setattr(module, "ROWS", made)


@pytest.mark.parametrize(
    ("ref", "expected"),
    [
        (Ref("jiang2024.lemma1", "printed", "(99)"), "one of the lines"),
        (Ref("jiang2024.lemma1", "sharp"), "printed, repaired"),
        (Ref("jiang2024.lemma3", "printed"), "a claim that has a proof"),
    ],
    ids=["label", "version", "claim"],
)
def test_a_row_that_refers_to_nothing_raises(ref, expected, paper, monkeypatch):
    for field in GROUNDS:
        table(monkeypatch, Row(1, "where", "what", "found", reading="plainly", **{field: (ref,)}))
        with pytest.raises(InputError, match=expected):
            judge_rows("jiang2024", audits(paper))


def test_the_verdict_of_a_row():
    proved = judged(lemma(ge(x**2, 0)), "my.true")
    refuted = judged(lambda proof: proof.step("line", ge(x, 0), witness=numbers(x=-1)), "my.false", "printed")
    unknown = judged(lemma(ge(x, 0)), "my.open")
    known = {each.script.id: audited(each) for each in (proved, refuted, unknown)}
    yes, no, open_ = Ref("my.true", "sharp"), Ref("my.false", "printed", "line"), Ref("my.open", "sharp")

    def verdict(**refs):
        found = judge_row(Row(1, "where", "what", "found", reading="plainly", **refs), known)
        # The author's finding is told where the lines establish it, and nowhere else.
        assert (found.finding == found.as_json()["finding"] == "found") == (found.verdict != "unknown")
        return found.verdict

    assert verdict() == "editorial"
    assert verdict(false=(no,)) == verdict(false=(yes,)) == verdict(false=(no,), holds=(yes,)) == "refuted"
    assert verdict(holds=(yes,)) == verdict(holds=(yes,), repair=(yes,)) == "proved"
    assert verdict(repair=(yes,)) == verdict(repair=(yes,), about=(no,)) == "repaired"
    assert verdict(within=(yes,)) == verdict(within=(yes,), about=(no,)) == "conditional"
    assert verdict(about=(yes,)) == verdict(about=(no,)) == "remark"
    for field in GROUNDS:
        assert verdict(**{field: (open_,)}) == verdict(**{field: (yes, open_)}) == "unknown"
    for field in ("holds", "within", "repair"):
        assert verdict(**{field: (no,)}) == "unknown"
    row = Row(1, "where", "what", "found", holds=(yes, open_), false=(yes,), reading="plainly")
    told = judge_row(row, known).finding
    assert told.startswith(f"Not established: {unknown.reason} (")
    assert "my.true" not in told
    told = judge_row(Row(1, "where", "what", "found", holds=(no,)), known).finding
    assert told.startswith("Not established: ")
    assert told.endswith("is refuted.")
