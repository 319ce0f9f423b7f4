"""What `bc.audit` returns: the plain data that the command line prints, which shows itself and has its runs."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from boundcheck.errors import InputError
from boundcheck.experiment.result import Results
from boundcheck.present.audit import Audited
from boundcheck.present.stored import StoredRun

TAG = "<script>alert(1)</script> & $x_1$"


def data(**changes: Any) -> dict[str, Any]:
    findings = [
        {"number": 1, "locator": "Eq. (11)", "verdict": "refuted", "evidence": "a long one", "summary": "a short one"},
        {"number": 2, "locator": TAG, "verdict": "editorial", "evidence": "no machine evidence", "summary": ""},
    ]
    search = {"id": "meft.full", "lipschitz": "sigma", "ratio": 0.9999999, "violated": False}
    found = {"summary": "Of 2 findings 1 is refuted.", "findings": findings, "report": "out/index.html", "runs": []}
    return found | {"faults": [], "searches": [search], "adds": ""} | changes


def told(run: StoredRun, **more: str) -> dict[str, Any]:
    row = run.result.as_json()
    return more | {name: row.get(name) for name in ("run_id", "claim", "verdict", "reason", "blame")}


def text_of(html: str) -> str:
    return " ".join("".join(ElementTree.fromstring(html).itertext()).split())


def test_it_is_the_plain_data() -> None:
    assert Audited(data(), "my_paper", Path()) == data()
    assert json.loads(json.dumps(Audited(data(), "my_paper", Path()))) == data()


def test_a_frame_has_a_row_a_finding() -> None:
    frame = Audited(data(), "my_paper", Path()).to_frame()
    assert frame.to_dict("records") == data()["findings"]
    assert list(Audited(data(findings=[]), "my_paper", Path()).to_frame()) == list(frame)


def test_it_shows_verdict_findings_and_searches() -> None:
    page = Audited(data(), "my_paper", Path())._repr_html_()
    text = text_of(page)
    for said in (
        "my_paper, audited",
        "Of 2 findings 1 is refuted.",
        "Eq. (11)",
        "a short one",
        "no machine evidence",
        "out/index.html",
    ):
        assert said in text
    assert "a long one" not in text
    assert "<script>alert(1)</script>" in text
    assert "0.999999" in text
    assert "1.0" not in text
    assert ">not violated<" in page
    assert "refuted" in Audited(data(), "my_paper", Path())._repr_latex_()


def test_it_has_its_runs_as_results(stored: list[StoredRun], run_folders: list[Path], tmp_path: Path) -> None:
    runs = [told(run) for run in stored]
    found = Audited(data(runs=runs, faults=[told(stored[0], planted="a wrong L")]), "my_paper", run_folders[0].parent)
    results = found.results
    assert isinstance(results, Results)
    assert results == [run.result for run in stored]
    assert results[:1].to_xarray().equals(stored[0].trace)
    text = text_of(found._repr_html_())
    assert f"Runs: {len(stored)}" in text
    assert "a wrong L" in text
    for run in stored:
        assert run.result.reason in text
    with pytest.raises(InputError, match=r"^RUN"):
        _ = Audited(data(runs=runs), "my_paper", tmp_path).results
