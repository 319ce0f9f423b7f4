"""Proofs on the page and in the findings: every row, line, certificate and witness; nothing of them
without proofs."""

import html
import io
import re

import pytest
from rich.console import Console

from boundcheck.language.prose import mathml_of
from boundcheck.language.screen import show as show_parts
from boundcheck.present.latex import Latex
from boundcheck.present.material import Finding, Material
from boundcheck.present.page import write_page
from boundcheck.proof import ClaimAudit, ProofAudit, ge, judge, le, script
from boundcheck.proof.audit import Choice, Ref, Row, Under, judge_row
from boundcheck.proof.notation import identity_latex, shown
from boundcheck.proof.verdict import claim_verdict
from boundcheck.proof.view import referee_table, rows_table, show
from tests.proof.scripts import NUMBERS, numbers, x


def printed(proof):
    """A true line, one of mere algebra, and a false one."""
    large = proof.assume(ge(x, 1), name="x is large")
    first = proof.step(
        "(1)", ge(2 * x, 2), large, printed=r"2x \geq 2", meaning="Twice the <hypothesis>."
    )
    proof.step("algebra", ge(4 * x, 4), first)
    proof.step(
        "(2)",
        le(x, 1),
        printed=r"x \leq 1",
        meaning="The wrong way.",
        witness=numbers("x is 7/2", x="7/2"),
    )


def repaired(proof):
    line = proof.step(
        "(2), mended", ge(x**2, 1), proof.assume(ge(x, 1), name="x is large"), meaning="Squares."
    )
    proof.conclude(line, relation=ge(x**2, 1))


ROWS = (
    Row(1, "Eq. (1)", "2x ≥ 2", "True & simple.", holds=(Ref("my.claim", "printed", "(1)"),)),
    Row(
        2,
        "Eq. (2)",
        "x ≤ 1",
        "False.",
        under=(Under("x is <large>", fails=(Ref("my.claim", "printed", "(2)"),)),),
        mend="Turn it & go.",
        repair=(Ref("my.claim", "repaired"),),
        follows=(
            Row(3, "Eq. (3)", "x ≤ 0", "Then & there.", about=(Ref("my.claim", "printed", "(1)"),)),
        ),
    ),
    Row(14, "Title", "a word", "Another word."),
)
CHOICES = (Choice("Its size", "“not small”", ("x is <large>",)),)


@pytest.fixture(scope="module")
def audit():
    judged = [
        judge(script("my.claim", version, NUMBERS, title="My claim")(build))
        for version, build in (("printed", printed), ("repaired", repaired))
    ]
    claim = ClaimAudit("my.claim", "My claim", claim_verdict(judged), tuple(judged))
    return ProofAudit(
        (claim,), tuple(judge_row(row, {"my.claim": claim}, CHOICES) for row in ROWS), 1.0
    )


def page(folder, *arguments):
    return write_page(
        Material(*arguments, command="command"), folder / "index.html", "Title", "Lead."
    )[0].read_text()


def test_the_page_has_the_table_the_lines_and_their_evidence(audit, tmp_path):
    text = page(tmp_path, [], [], audit)
    proof = audit["my.claim"].proof("repaired")
    (hypothesis,) = (shown(each.statement).latex for each in proof.hypotheses)
    conclusion = shown(proof.conclusion)
    # A row opens to its lines, and says how to see them again.
    row = text[text.index("Eq. (2)") : text.index("Another word.")]
    again = "boundcheck prove my.claim -v"
    witness = "At t = 1 the left side is 7/2 and the right side 1."
    for words in (": 3 lines", again, witness, apart(conclusion.latex[0])):
        assert words in row
    certificate = ["( - 2 + 2 \\, {x} )", "= 2 \\, ( - 1 + {x} )"]
    assert identity_latex(audit.claims[0].proofs[0].steps[0].step.theorem) == certificate
    for words in (
        *(html.escape(words) for row in ROWS for words in (row.finding, row.printed)),
        *(
            f'<span class="badge {look}">{verdict}</span>'
            for verdict, look in (("proved", "well"), ("refuted", "bad"), ("editorial", "aside"))
        ),
        # Each line that says something, with the kernel's certificate; the others are counted, and
        # folded away.
        *(f'<span class="strong">{label}</span>' for label in ("(1)", "(2)", "(2), mended")),
        "And 1 line of mere algebra:",
        f"<code>{again}</code>",
        "Witness: x is 7/2.",
        witness,
        "“x is large”",
        *map(apart, (*certificate, hypothesis[0], conclusion.latex[0])),
    ):
        assert words in text
    assert '<span class="strong">algebra</span>' not in text


def apart(latex):
    """A formula on lines of its own, as a page has it."""
    return mathml_of(latex, "block")


def test_the_page_escapes_what_a_script_says_and_loads_nothing(audit, tmp_path):
    text = page(tmp_path, [], [], audit)
    assert "<hypothesis>" not in text
    assert "Twice the &lt;hypothesis&gt;." in text
    assert re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?(?!#)([^"')\s>]+)""", text) == []
    assert page(tmp_path, [], [], audit) == text


def test_a_line_that_is_open_is_never_hidden():
    judged = judge(script("my.claim", "sharp", NUMBERS)(lambda proof: proof.step("open", ge(x, 0))))
    html_ = judged._repr_html_()
    assert html_.index(">open<") < html_.index("The lines of the proof: 1")


@pytest.mark.full
def test_a_page_of_runs_says_nothing_of_proofs(stored, tmp_path):
    text = page(tmp_path, stored)
    assert "<p>This page holds measurements." in text
    assert ">Verdicts of the runs</h2>" in text
    # What carries each claim is said in their list alone.
    before, _ = text.split(">The claims</h2>")
    for words in ("Referee", "line by line", "certificate</summary>", "kernel", "Witness"):
        assert words not in before
    with_findings = page(tmp_path, stored, [Finding(8, "Lemma 1", "supported", "Seen.")])
    assert "What the runs say" in with_findings
    assert "Referee" not in with_findings


def displays(found, folder):
    """Every text that shows the referee's table."""
    out = io.StringIO()
    console = Console(file=out, width=4000)
    show_parts(console, *show(found), rows_table(found.rows))
    return {
        "page": page(folder, [], [], found),
        "latex": "".join(map(Latex(()).floats, referee_table(found.rows))),
        "notebook": found._repr_html_(),
        "terminal": out.getvalue(),
        "JSON": str(found.as_json()),
        "audit": " ".join(each.told for each in found.rows),
    }


def test_every_display_tells_the_readings_the_mend_and_what_follows(audit, tmp_path):
    for name, text in displays(audit, tmp_path).items():
        for words in ("fails", "large", "go.", "eq. (3)", "there."):
            assert words in text.lower(), (name, words)
    _, row, _ = audit.as_json()["rows"]
    evidence = ["my.claim, printed, (2)"]
    assert row["readings"] == [
        {"reading": "x is <large>", "outcome": "fails", "evidence": evidence}
    ]
    assert row["mend"] == "Turn it & go."
    # The choice and the paper's words for it stand where the table stands.
    for name in ("page", "latex", "notebook"):
        assert "not small" in displays(audit, tmp_path)[name], name
    assert [(each["locator"], each["verdict"]) for each in row["follows"]] == [
        ("Eq. (3)", "remark")
    ]


def test_no_display_tells_a_finding_that_is_not_established(audit, tmp_path):
    """The row says that a false line holds: what its author found stands nowhere, and the reason
    everywhere."""
    claim = audit.claims[0]
    row = Row(1, "Eq. (2)", "x ≤ 1", "Surely so.", holds=(Ref("my.claim", "printed", "(2)"),))
    found = ProofAudit((claim,), (judge_row(row, {"my.claim": claim}),), 1.0)
    texts = displays(found, tmp_path)
    for name, text in texts.items():
        assert "Surely so" not in text, name
        assert "Not established" in text, name
    assert texts["terminal"].count("Not established") == 3
