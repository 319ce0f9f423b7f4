"""A paper is one folder, wherever it lies: its claims are bounded, proved, measured, attacked and
audited like ours."""

import json
import os
import shutil
from pathlib import Path

import pytest

import boundcheck as bc
from boundcheck.errors import InputError
from boundcheck.experiment.store import run_id
from boundcheck.proof.audit import judge_rows
from boundcheck.proof.record import PROVED, records
from boundcheck.proofs import GROUP, VARIABLE, paper_at, papers
from tests.experiment.small import refused
from tests.layers import full
from tests.program import said

FOLDER = Path(__file__).parent / "mypaper"
IDS = ["mypaper.bounded", "mypaper.product", "mypaper.smooth", "mypaper.half_step"]


@pytest.fixture(autouse=True)
def _forgotten(monkeypatch):
    # What a test makes known is not known to the next.
    monkeypatch.setenv(VARIABLE, "")


def test_its_claims_are_in_the_catalogue_while_it_is_known(monkeypatch):
    before = list(bc.claims)
    assert "mypaper.smooth" not in before
    monkeypatch.setenv(VARIABLE, str(FOLDER))
    # Claims that other tests have opened by their path come after those of papers.
    assert [id for id in bc.claims if id not in before] == IDS
    assert bc.claims["mypaper.half_step"].bound(ell=3, D=2, T=4) == 4
    monkeypatch.setenv(VARIABLE, "")
    assert bc.claims.get("mypaper.half_step") is None


def test_its_proofs_are_found_by_folder_and_by_id():
    (product,) = bc.prove(FOLDER).claims
    assert product.id == "mypaper.product"
    assert product.verdict == "proved"
    # From then on the paper is known.
    assert [row.verdict for row in bc.prove("mypaper").rows] == ["repaired"]
    assert [claim.id for claim in bc.prove("mypaper.product").claims] == ["mypaper.product"]


@full
def test_the_command_line_knows_it_by_a_variable():
    known = {VARIABLE: str(FOLDER)}
    assert [row["id"] for row in said("claims", **known)["claims"]][-4:] == IDS
    given = "--set", "ell=3", "--set", "D=2", "--set", "T=4"
    assert said("bound", "mypaper.half_step", *given, **known)["values"]["bound"] == 4
    assert [claim["id"] for claim in said("prove", FOLDER)["claims"]] == ["mypaper.product"]


@full
def test_it_is_known_where_it_is_installed(tmp_path):
    shutil.copytree(FOLDER, tmp_path / "mypaper")
    info = tmp_path / "mypaper-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mypaper\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\nmypaper = mypaper\n")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    rows = said("claims", PYTHONPATH=path)["claims"]
    assert [row["id"] for row in rows][-4:] == IDS
    assert said("prove", "mypaper", PYTHONPATH=path)["claims"][0]["verdict"] == "proved"


def test_the_id_of_a_run_depends_on_what_its_claim_says(tmp_path):
    spec = {"claim": "mypaper.half_step"}
    ids = set()
    for number, (old, new) in enumerate(
        [("", ""), ("Rational(8, 3)", "Rational(9, 3)"), ("1 / (2 *", "1 / (3 *")]
    ):
        folder = shutil.copytree(FOLDER, tmp_path / str(number) / "mypaper")
        text = (folder / "claims.py").read_text()
        (folder / "claims.py").write_text("# A remark.\n" + text.replace(old, new))
        os.environ[VARIABLE] = str(folder)
        ids.add(run_id(spec, "cpu"))
        # What is said beside it does not matter.
        os.environ[VARIABLE] = str(
            shutil.copytree(folder, tmp_path / f"{number} again" / "mypaper")
        )
        assert run_id(spec, "cpu") in ids
    assert len(ids) == 3


def paper(folder, claims, **files):
    folder.mkdir()
    for name, text in {"claims": claims, **files}.items():
        (folder / f"{name}.py").write_text(text)
    return folder


HEAD = """import sympy as sp
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim
FULL = catalogue['meft.full']
"""
LINE = "CLAIMS = (Claim('{}', 'Mine', 'me', FULL.conclusion, FULL.quantifier, FULL.hypotheses),)\n"


@pytest.mark.parametrize(
    "claims, expected",
    [
        ("CLAIMS = ()\n", "at least one claim"),
        ("CLAIMS = 3\n", "a tuple of claims"),
        ("CLAIMS = (1,)\n", "a tuple of claims"),
        ("x = \n", "SyntaxError in line 1 of claims.py"),
        ("\n\nx = 1 / 0\n", "ZeroDivisionError in line 3 of claims.py"),
        (HEAD + LINE.format("jiang2024.lemma1"), "an id of its paper's, mine.…"),
        (HEAD + LINE.format("minerals.lemma1"), "an id of its paper's, mine.…"),
        (HEAD + LINE.format("mine.lemma1") + "CLAIMS += CLAIMS\n", "each id once"),
    ],
)
def test_claims_that_are_none_are_refused_in_one_line(claims, expected, tmp_path):
    folder = paper(tmp_path / "mine", claims)
    error = refused(lambda: bc.claims[paper_at(folder).key + ".lemma1"])
    assert expected in str(error)


@pytest.mark.parametrize("given", ["3", "(1,)", "{'a': 1}", "None", "'text'"])
@pytest.mark.parametrize("part, name", [("findings", "ROWS"), ("reading", "CHOICES")])
def test_a_list_of_a_paper_that_is_none_is_refused(part, name, given, tmp_path):
    claims = HEAD + LINE.format("mine.lemma1")
    folder = paper(tmp_path / "mine", claims, **{part: f"{name} = {given}\n"})
    error = refused(judge_rows, paper_at(folder).key, {})
    assert error.field == name
    assert error.value == folder / f"{part}.py"


def test_a_paper_takes_the_place_of_no_other(tmp_path):
    for key in ("jiang2024", "meft"):
        with pytest.raises(InputError, match=f"a folder of another name: {key} is at"):
            paper_at(paper(tmp_path / key, HEAD + LINE.format(f"{key}.mine")))
    # A key of ids of ours that is no folder's name.
    bold = paper_at(paper(tmp_path / "nesterov2004", HEAD + LINE.format("nesterov2004.mine")))
    with pytest.raises(InputError, match="a name with which no id of another paper begins"):
        bc.claims[f"{bold.key}.mine"]
    assert paper_at(papers()["jiang2024"].folder) is papers()["jiang2024"]


@pytest.mark.parametrize("name", ["nothing", "two words"])
def test_a_folder_that_is_no_paper_is_refused(name, tmp_path):
    folder = tmp_path / name
    folder.mkdir()
    if " " in name:
        (folder / "claims.py").write_text(HEAD + LINE.format("mine.lemma1"))
    with pytest.raises(
        InputError,
        match=r"paper = .*expected (a paper \(jiang2024, .*claims\.py|a folder whose name)",
    ):
        paper_at(folder)


PROOF = """
from boundcheck.proof import ge, script
from boundcheck.language.symbols import L
@script("{}", "sharp", title="mine")
def mine(proof):
    proof.conclude(proof.step("(1)", ge(L, 0), proof.positive(L)), relation=ge(L, 0))
"""


@pytest.mark.parametrize("id", ["jiang2024.lemma9", "meft.mine", "other.lemma"])
def test_its_scripts_are_of_its_own_lemmas(id, tmp_path):
    folder = paper(tmp_path / "mine", HEAD + LINE.format("mine.lemma1"), script=PROOF.format(id))
    with pytest.raises(InputError, match="the id of a claim, or one of its paper's"):
        bc.prove(folder)


def test_it_cannot_record_what_is_proved(tmp_path):
    before = records()
    folder = paper(tmp_path / "mine", HEAD + LINE.format("mine.lemma1"))
    entry = {"digest": "0" * 32}
    (folder / PROVED).write_text(json.dumps({"jiang2024.lemma1": entry, "mine.lemma1": entry}))
    paper_at(folder)
    assert records() == before


@full
def test_its_audit_is_a_report_like_any_other(tmp_path):
    outcome = bc.audit(FOLDER, out=tmp_path / "out", runs=tmp_path / "runs")
    found = {each["locator"]: each["verdict"] for each in outcome["findings"]}
    assert found["Lemma 1"] == "repaired"
    assert found["Theorem 3"] == "supported"
    assert found.get("Theorem 3, attacked", "not violated") == "not violated"
    assert [each["number"] for each in outcome["findings"]] == list(
        range(1, len(outcome["findings"]) + 1)
    )
    assert {run["claim"] for run in outcome["runs"]} == {"mypaper.half_step"}
    # Which adapter it is about no one has said.
    assert [each["id"] for each in outcome["not_attacked"]] == ["mypaper.smooth"]
    assert "Nothing attacks mypaper.smooth." in outcome["summary"]
    page = Path(outcome["report"]).read_text()
    assert "mypaper, audited" in page
    assert "Theorem 3" in page


@pytest.mark.parametrize("target", ["nothing", "mypaper", "jiang2024.lemma1"])
def test_an_audit_of_no_paper_is_refused_in_one_line(target, tmp_path):
    (tmp_path / "nothing").mkdir()
    given = str(tmp_path / target) if target == "nothing" else target
    with pytest.raises(
        InputError,
        match=(
            r"expected a paper \(jiang2024, bottou2018, classics, meft, methods\), or a folder with"
            r" a claims.py"
        ),
    ):
        bc.audit(given, runs=tmp_path)


@pytest.mark.parametrize(
    "text, expected", [("claim = [", "a TOML file"), ('claim = "mine.no"', "an id of the")]
)
def test_an_experiment_that_is_none_is_refused_before_anything_runs(text, expected, tmp_path):
    folder = paper(tmp_path / "mine", HEAD + LINE.format("mine.lemma1"))
    (folder / "experiments").mkdir()
    (folder / "experiments" / "one.toml").write_text(text)
    with pytest.raises(InputError, match=expected):
        bc.audit(folder, runs=tmp_path)
