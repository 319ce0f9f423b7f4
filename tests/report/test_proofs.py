"""Proofs on the page and in the findings: every row, line, certificate and witness; nothing of them without proofs."""

import html
import io
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from boundcheck.prove import ClaimAudit, Proof, ProofAudit, ge, judge, le, script
from boundcheck.prove.rows import Ref, Row, _judge
from boundcheck.prove.show import show
from boundcheck.prove.verdict import claim_verdict
from boundcheck.report.latex.tables import referee
from boundcheck.report.logbook import logbook
from boundcheck.report.page import write_page
from boundcheck.report.paper import _proof_findings
from boundcheck.report.screen import show_rows
from boundcheck.report.section import Finding, Material
from boundcheck.report.sections.proofs import shown_end, shown_proofs
from boundcheck.report.typst import _document
from boundcheck.report.words import mathml, symbol
from tests.prove.scripts import NUMBERS, numbers, x


def printed(proof: Proof) -> None:
    """A true line, one of mere algebra, and a false one."""
    large = proof.assume(ge(x, 1), name="x is large")
    first = proof.step("(1)", ge(2 * x, 2), large, printed=r"2x \geq 2", meaning="Twice the <hypothesis>.")
    proof.step("algebra", ge(4 * x, 4), first)
    proof.step("(2)", le(x, 1), printed=r"x \leq 1", meaning="The wrong way.", witness=numbers("x is 7/2", x="7/2"))


def repaired(proof: Proof) -> None:
    line = proof.step("(2), mended", ge(x**2, 1), proof.assume(ge(x, 1), name="x is large"), meaning="Squares.")
    proof.conclude(line, relation=ge(x**2, 1))


ROWS = (
    Row(1, "Eq. (1)", "2x ≥ 2", "True & simple.", holds=(Ref("my.claim", "printed", "(1)"),)),
    Row(
        2,
        "Eq. (2)",
        "x ≤ 1",
        "False.",
        false=(Ref("my.claim", "printed", "(2)"),),
        repair=(Ref("my.claim", "repaired"),),
        reading="x is <large>.",
        follows=(Row(3, "Eq. (3)", "x ≤ 0", "Then & there.", about=(Ref("my.claim", "printed", "(1)"),)),),
    ),
    Row(14, "Title", "a word", "Another word."),
)


@pytest.fixture(scope="module")
def audit() -> ProofAudit:
    judged = [
        judge(script("my.claim", version, NUMBERS, title="My claim")(build))
        for version, build in (("printed", printed), ("repaired", repaired))
    ]
    claim = ClaimAudit("my.claim", "My claim", claim_verdict(judged), tuple(judged))
    return ProofAudit((claim,), tuple(_judge(row, {"my.claim": claim}) for row in ROWS), 1.0)


def page(folder: Path, *arguments: Any) -> str:
    return write_page(Material(*arguments, command="command"), folder / "index.html", "Title", "Lead.")[0].read_text()


def test_the_page_has_the_table_the_lines_and_their_evidence(audit, tmp_path):
    text = page(tmp_path, [], [], audit)
    for row in ROWS:
        assert html.escape(row.finding) in text
        assert html.escape(row.printed) in text
    for verdict in ("proved", "refuted", "editorial"):
        assert f'<span class="badge {verdict}">{verdict}</span>' in text
    assert "Referee's table" in text
    assert "line by line" in text
    # Each line that says something, with the kernel's certificate; the others are counted.
    for label in ("(1)", "(2)", "(2), mended"):
        assert f"<strong>{label}</strong>" in text
    assert "<strong>algebra</strong>" not in text
    assert "And 1 line of mere algebra: <code>boundcheck prove my.claim --steps</code>" in text
    certificate = shown_proofs(audit)[0].lines[0]["certificate_latex"]
    assert certificate == ["( - 2 + 2 \\, {x} )", "= 2 \\, ( - 1 + {x} )"]
    assert all(symbol(row) in text for row in certificate)
    assert "Witness: x is 7/2. At t = 1 the left side is 7/2 and the right side 1." in text
    assert f"{symbol('x')} = 7/2" in text
    assert "Concludes, as the kernel has it:" in text
    end = shown_end(audit["my.claim"].proof("repaired"))
    ((role, hypothesis, name),) = end.rests
    assert f'<span class="small">{role}, “{name}”</span>{mathml(hypothesis)}' in text
    assert (role, name) == ("hypothesis", "x is large")
    assert f"{mathml(end.conclusion)}" in text
    ((meant, letters),) = end.letters.items()
    assert f"Letters: {symbol(letters[0])}: {meant}." in text
    # A row opens to its lines, and says how to see them again.
    row = text[text.index('id="finding_2"') : text.index('id="finding_14"')]
    assert "Evidence: 3 lines" in row
    assert "boundcheck prove my.claim --steps" in row
    assert "At t = 1 the left side is 7/2 and the right side 1." in row
    assert mathml(end.conclusion) in row


def test_the_page_escapes_what_a_script_says_and_loads_nothing(audit, tmp_path):
    text = page(tmp_path, [], [], audit)
    assert "<hypothesis>" not in text
    assert "Twice the &lt;hypothesis&gt;." in text
    assert re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?(?!#)([^"')\s>]+)""", text) == []
    assert page(tmp_path, [], [], audit) == text


def test_formulas_are_set_without_a_script(audit, tmp_path):
    text = page(tmp_path, [], [], audit)
    lines = [line for each in shown_proofs(audit) for line in each.lines]
    formulas = [x for line in lines for x in (line["printed"], line["statement_latex"], *line["given_latex"]) if x]
    # What is printed and what is read of two lines, what is read of a third, and what one of them is given.
    assert len(formulas) == 6
    assert all(mathml(each) in text for each in formulas)
    assert "<script" not in text


def test_proofs_are_shown_in_order_and_lines_are_counted(audit):
    shown = shown_proofs(audit)
    assert [(each.id, each.proof["version"]) for each in shown] == [("my.claim", "printed"), ("my.claim", "repaired")]
    for each in shown:
        assert len(each.lines) + each.hidden == len(each.proof["steps"])
        assert all(line["meaning"] or line["printed"] or line["verdict"] != "proved" for line in each.lines)


def test_a_line_that_is_open_is_never_hidden():
    judged = judge(script("my.claim", "sharp", NUMBERS)(lambda proof: proof.step("open", ge(x, 0))))
    audit = ProofAudit((ClaimAudit("my.claim", "My claim", "unknown", (judged,)),), (), 0.0)
    (shown,) = shown_proofs(audit)
    assert [line["label"] for line in shown.lines] == ["open"]


@pytest.mark.full
def test_a_page_of_runs_says_nothing_of_proofs(stored, tmp_path):
    text = page(tmp_path, stored)
    assert "<p>This page holds <em>measurements</em>." in text
    assert ">Verdicts of the runs</h2>" in text
    # What carries each claim is said in their list alone.
    before, _ = text.split(">The claims</h2>")
    for words in ("Referee", "line by line", "certificate</summary>", "kernel", "Witness"):
        assert words not in before
    with_findings = page(tmp_path, stored, [Finding(8, "Lemma 1", "supported", "Seen.")])
    assert "What the runs say" in with_findings
    assert "Referee" not in with_findings


@pytest.mark.full
def test_a_page_of_both_keeps_them_apart(stored, audit, tmp_path):
    text = page(tmp_path, stored, [Finding(8, "Lemma 1", "supported", "Seen.")], audit)
    order = ["Referee's table", "What the runs say", "The proofs, line by line", "Verdicts of the runs"]
    places = [text.index(f">{words}</h2>") for words in order]
    assert places == sorted(places)
    assert "Neither of these two can prove one" in text


def displays(found: ProofAudit, folder: Path) -> dict[str, str]:
    """Every text that shows the referee's table."""
    material = Material([], proofs=found, command="command")
    out = io.StringIO()
    console = Console(file=out, width=4000)
    show(found, console, False, {})
    show_rows(found.rows, console)
    return {
        "page": page(folder, [], [], found),
        "latex": referee(found.rows),
        "typst": "\n".join(_document(material, "Title", "Lead.", ())),
        "notebook": found._repr_html_(),
        "terminal": out.getvalue(),
        "logbook": logbook(material, "Title"),
        "JSON": str(found.as_json()),
        "audit": " ".join(each.summary for each in _proof_findings(found)),
    }


def test_every_display_tells_the_reading_and_what_follows(audit, tmp_path):
    for name, text in displays(audit, tmp_path).items():
        for words in ("large", "Eq. (3)", "there."):
            assert words in text, (name, words)
    (_, row, _) = audit.as_json()["rows"]
    assert row["reading"] == "x is <large>."
    assert [(each["locator"], each["verdict"]) for each in row["follows"]] == [("Eq. (3)", "remark")]


def test_no_display_tells_a_finding_that_is_not_established(audit, tmp_path):
    """The row says that a false line holds: what its author found stands nowhere, and the reason everywhere."""
    claim = audit.claims[0]
    row = Row(1, "Eq. (2)", "x ≤ 1", "Surely so.", holds=(Ref("my.claim", "printed", "(2)"),))
    found = ProofAudit((claim,), (_judge(row, {"my.claim": claim}),), 1.0)
    texts = displays(found, tmp_path)
    for name, text in texts.items():
        assert "Surely so" not in text, name
        assert "Not established" in text, name
    assert texts["terminal"].count("Not established") == 2
