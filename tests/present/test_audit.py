"""The audit of a paper: its programmes, the table that comes first, the study that is kept, and
what it returns."""

import io
import json
import re
from itertools import chain
from pathlib import Path

import pytest
from boundcheck.proofs.jiang2024 import report
from boundcheck.proofs.jiang2024.programme import REFERENCE, SHORT
from rich.console import Console

import boundcheck as bc
from boundcheck.errors import InputError
from boundcheck.experiment.result import Results
from boundcheck.experiment.spec import parse
from boundcheck.experiment.view import verdicts_table
from boundcheck.language.catalogue import catalogue
from boundcheck.language.screen import show
from boundcheck.present import audit as auditing
from boundcheck.present import paper as written_by
from boundcheck.present import programme
from boundcheck.present.audit import Audited
from boundcheck.present.material import REPORTS, Material, Study
from boundcheck.present.opening import in_all, opening_of
from boundcheck.present.programme import Attack, Programme
from boundcheck.present.screen import findings_parts
from boundcheck.proof.audit import Carrier, carrier, standing
from boundcheck.proof.view import rows_table
from boundcheck.proof.view import show as show_proofs
from boundcheck.proofs import paper_of
from boundcheck.system.terminal import _ENDLESS
from tests.judged import of_the_paper
from tests.present.test_proofs import audit as small_proofs
from tests.present.texts import text_of
from tests.proof.conftest import paper as the_paper

from .made import written_report

proofs = small_proofs
paper = the_paper
PROGRAMMES = {"short": SHORT, "reference": REFERENCE}


def tables(programme):
    return [table for sweep in programme.sweeps for table, _ in sweep.experiments()]


@pytest.mark.parametrize("name", PROGRAMMES)
def test_every_experiment_of_a_programme_can_be_run(name):
    programme = PROGRAMMES[name]
    specs = [
        parse(table) for table in chain(tables(programme), (table for _, table in programme.faults))
    ]
    assert len({json.dumps(spec.as_json(), sort_keys=True) for spec in specs}) == len(specs)
    assert all(attack.claim in bc.claims for attack in programme.attacks)
    assert all(seconds > 0 for sweep in programme.sweeps for _, seconds in sweep.experiments())


def test_the_short_programme_has_what_the_findings_of_the_page_need():
    asked = {(table["claim"], table["problem"]["kind"]) for table in tables(SHORT)}
    assert {("jiang2024.lemma1", "digits"), ("jiang2024.theorem2", "pseudo-huber")} <= asked
    assert {attack.claim for attack in SHORT.attacks} == {"jiang2024.lemma1", "meft.lemma1_sharp"}
    assert not SHORT.worst_cases
    assert SHORT.adds
    # What has been run need not be run again for the whole report.
    whole = [parse(table).as_json() for table in tables(REFERENCE)]
    theorems = [table for table in tables(SHORT) if "bracket" not in table]
    assert all(parse(table).as_json() in whole for table in theorems)


@pytest.fixture(scope="module")
def written(stored, proofs, searches, waterfalls, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "STATEMENTS", ("my.claim",))
        return written_report(
            stored, proofs, searches, waterfalls, tmp_path_factory.mktemp("audit")
        )


@pytest.mark.full
def test_proof_rows_and_measured_rows_are_joined_by_number(written, stored, searches):
    found = [(each["number"], each["verdict"]) for each in written["findings"]]
    assert [number for number, _ in found] == [1, 2, 8, 8, 12, 12, 14, 18]
    assert [each for each in found if each[0] in (1, 2, 14)] == [
        (1, "proved"),
        (2, "refuted"),
        (14, "editorial"),
    ]
    second = next(each for each in written["findings"] if each["number"] == 2)
    assert second.keys() >= {"number", "locator", "verdict", "evidence"}
    assert "7/2 against 1" in second["evidence"]
    assert [each["violated"] for each in written["searches"]] == [False] * len(searches)
    assert [each["run_id"] for each in written["runs"]] == [run.result.run_id for run in stored]
    kept = json.loads(Path(written["report"]).with_name("findings.json").read_text())
    assert kept["findings"] == written["findings"]
    assert {"proved", "refuted"} <= {each["verdict"] for each in kept["proofs"]}


def test_the_page_says_what_it_leaves_out_reads_and_counts(written, stored, searches):
    page = Path(written["report"])
    summary = written["summary"]
    assert "Referee's table" in page.read_text()
    text = "".join(each.read_text() for each in sorted(page.parent.glob("*.html")))
    assert all(run.result.run_id in text for run in stored if run.is_theorem)
    assert "With --full it has more: more of everything." in text
    assert "Read from the study that the repository keeps" in text
    # The study is not this report's own.
    assert not page.with_name("statistics.json").exists()
    assert summary.startswith(("My claim: refuted", "My claim: repaired"))
    assert "Of 3 findings from the proofs, " in summary
    assert in_all("run", "runs", [run.verdict for run in stored]) in summary
    assert f"attacked {len(written['searches'])} bounds and found no counterexample" in summary
    # What carries each attacked claim, those that the kernel proves in another paper's folder too.
    for each in searches:
        assert carrier(catalogue[each["id"]]) is Carrier.KERNEL
        (said,) = set(re.findall(rf"<code>{each['id']}</code></div></td><td>(.*?)</td>", text))
        assert "by hand" not in said
        assert standing(catalogue[each["id"]]) in said


def test_the_card_counts_every_claim_of_the_paper(written, stored, proofs):
    """Those that no proof of the page is about, too."""
    own = {
        id
        for id, claim in catalogue.items()
        if id.startswith("meft.") and carrier(claim) is not Carrier.HYPOTHESIS
    }
    found = opening_of(Material(proofs=proofs, paper=paper_of("meft").folder)).numbers
    counts = [each.shown for each in found if each.says == "claims that are proved"]
    asked = own | {claim.id for claim in proofs.claims}
    proved = sum(carrier(catalogue[id]) is Carrier.KERNEL for id in own)
    proved += sum(
        claim.verdict in ("proved", "repaired") for claim in proofs.claims if claim.id not in own
    )
    assert counts == [f"{proved} of {len(asked)}"]


def printed(draw, width):
    text = io.StringIO()
    draw(Console(file=text, width=width, force_terminal=True, color_system=None))
    return text.getvalue().splitlines()


@of_the_paper
def test_a_row_is_a_line_with_its_verdict(paper):
    rows = paper.rows
    lines = [
        line
        for line in printed(lambda console: show(console, rows_table(rows)), 100)
        if line.strip()
    ]
    assert len(lines) == len(rows) + 2
    for line, row in zip(lines[2:], rows, strict=True):
        number, rest = line.split(maxsplit=1)
        assert int(number) == row.row.number
        assert rest.startswith(row.row.locator)
        assert row.verdict in rest


@pytest.mark.full
@of_the_paper
def test_in_a_pipe_no_finding_is_cut(written, paper):
    out = io.StringIO()
    console = Console(file=out, width=_ENDLESS, force_interactive=False)
    parts = (rows_table(paper.rows), *findings_parts(written), verdicts_table(written["runs"]))
    show(console, *show_proofs(paper), *parts)
    cells = {cell for line in out.getvalue().splitlines() for cell in line.split("\t")}
    for row in (each.as_json() for each in paper.rows):
        assert {row["locator"], row["printed"], row["verdict"], row["trust"]} <= cells
        assert any(cell.startswith(row["finding"]) and row["hypotheses"] in cell for cell in cells)
    for claim in paper.as_json()["claims"]:
        for proof in claim["proofs"]:
            assert {claim["id"], claim["verdict"], proof["version"], proof["trust"]} <= cells | {""}
    for each in written["findings"]:
        assert {each["locator"], each["verdict"]} <= cells or each["summary"]
        short = (x for x in cells if len(x) > 20)
        assert each["summary"] or any(each["evidence"].startswith(x) for x in short)
    for run in written["runs"]:
        assert {run["run_id"], run["claim"], run["verdict"]} <= cells
        assert any(cell and run["reason"].startswith(cell) for cell in cells)
    assert written["summary"] in cells


def test_the_proofs_are_told_before_anything_is_waited_for(proofs, tmp_path, monkeypatch):
    """And the time that is left is known from the start, with that of the page."""
    order = []
    monkeypatch.chdir(tmp_path)
    Path("my words.py").touch()
    asked = Programme(
        "x", (), (Attack("jiang2024.lemma1", "sigma", (1,), 0, 3.0),), ("jiang2024.lemma1", 2)
    )

    class Pool:
        def __init__(self, calls, *_):
            self.calls = calls

        def __enter__(self):
            return self

        def __exit__(self, *_):
            order.append("left")

        def results(self):
            order.append("waited")
            return [call.function.__name__ for call in self.calls]

    monkeypatch.setattr(auditing, "Running", Pool)
    monkeypatch.setattr(programme, "programme_of", lambda paper, full: asked)
    monkeypatch.setattr(auditing, "prove", lambda paper: order.append(f"proved {paper}") or proofs)
    monkeypatch.setattr(
        written_by, "write", lambda *given: {"found": given[3], "command": given[1].command}
    )
    outcome = auditing.audit(
        "jiang2024",
        tmp_path,
        runs=tmp_path,
        tick=lambda *each: order.append(each),
        proved=lambda x: order.append("shown"),
        allow_code=["my words.py"],
    )
    # What is printed to run it again allows what was allowed.
    assert outcome["command"] == "x --allow-code 'my words.py'"
    attacks, waterfall = ([each.__name__] for each in (programme.search, programme.waterfall))
    assert outcome["found"] == {
        "experiments": [],
        "faults": [],
        "attacks": attacks,
        "waterfall": waterfall,
    }
    (first, begun, whole), *between, (last, ended, total) = order
    assert between == ["proved jiang2024", "shown", "waited", "left"]
    assert first == "proofs"
    assert last == "page"
    assert begun == 0
    assert whole == total
    assert whole > ended


def test_the_study_that_is_kept_is_read_back_as_it_was_made():
    path = REPORTS / "jiang2024" / "statistics.json"
    kept = Study.read(path)
    assert kept.kept
    assert kept.coverage
    assert kept.worst_cases
    assert json.loads(json.dumps(kept.as_json())) == json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "text", [None, "{", "{}", '{"coverage": [{}], "worst_cases": [], "made_by": {}}']
)
def test_a_study_that_cannot_be_read_is_refused_by_name(text, tmp_path):
    path = tmp_path / "statistics.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(
        InputError, match=r"study = statistics\.json: expected the study that .* --full"
    ):
        Study.read(path)


TAG = "<script>alert(1)</script> & $x_1$"


def data(**changes):
    findings = [
        {
            "number": 1,
            "locator": "Eq. (11)",
            "verdict": "refuted",
            "evidence": "a long one",
            "summary": "a short one",
        },
        {
            "number": 2,
            "locator": TAG,
            "verdict": "editorial",
            "evidence": "no machine evidence",
            "summary": "",
        },
    ]
    found = {
        "summary": "Of 2 findings 1 is refuted.",
        "findings": findings,
        "report": "out/index.html",
        "runs": [],
    }
    return found | {"faults": [], "searches": [], "adds": ""} | changes


def test_a_frame_has_a_row_a_finding():
    frame = Audited(data(), "my_paper", Path()).to_frame()
    assert frame.to_dict("records") == data()["findings"]
    assert list(Audited(data(findings=[]), "my_paper", Path()).to_frame()) == list(frame)


def test_it_shows_verdict_and_findings():
    page = Audited(data(), "my_paper", Path())._repr_html_()
    text = text_of(page)
    for said in (
        "my_paper, audited",
        "Of 2 findings 1 is refuted.",
        "Eq. (11)",
        "a short one",
        "no machine evidence",
    ):
        assert said in text
    assert "out/index.html" in text
    assert "<script>alert(1)</script>" in text
    assert "a long one" not in text
    assert ">refuted<" in page


def test_it_has_its_runs_as_results(stored, run_folders, tmp_path):
    runs = [{"run_id": run.result.run_id} for run in stored]
    results = Audited(data(runs=runs), "my_paper", run_folders[0].parent).results
    assert isinstance(results, Results)
    assert results == [run.result for run in stored]
    assert results[:1].to_xarray().equals(stored[0].trace)
    with pytest.raises(InputError, match=r"^RUN"):
        _ = Audited(data(runs=runs), "my_paper", tmp_path).results
