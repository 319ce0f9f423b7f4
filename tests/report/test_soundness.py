"""The page on wrong verdicts: every one is listed, the counts are those of the trials, and the command fails on one."""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from boundcheck import cli
from boundcheck.errors import InputError
from boundcheck.report.soundness import write_soundness
from boundcheck.soundness import survey as surveys
from boundcheck.soundness.survey import Survey, survey
from boundcheck.soundness.trial import Trial
from tests.layers import sampled
from tests.measure.small import refused

FALSE = Trial("proof", "my.lemma, sharp, (1)", "sign", "flip x", False, "x = 1", "refuted", False, True, 0.25)
TRUE = Trial(
    "proof", "my.lemma, sharp, (2)", "true variation: scaled", "2x", True, "x ≤ y", "not proved", False, False, 0.5
)
MISSED = Trial(
    "measurement", "my.theorem", "constant", "ζ/2", False, "ζ² < 1 <script>", "inconclusive", False, False, 2.0
)
LIE = replace(FALSE, outcome="proved", wrong=True, caught=False, change="a planted lie")
HONEST = Survey((FALSE, TRUE, MISSED, replace(FALSE, layer="falsification", outcome="violated")), 7)
BROKEN = Survey((*HONEST.trials, LIE), 7)


def test_counts_are_those_of_the_trials() -> None:
    found = BROKEN.as_json()
    assert (found["false"]["tried"], found["false"]["wrong"], found["true"]["tried"]) == (4, 1, 1)
    assert found["layers"]["proof"]["false"] == {
        "tried": 2,
        "wrong": 1,
        "caught": 1,
        "outcomes": {"proved": 1, "refuted": 1},
    }
    assert found["layers"]["measurement"]["true"]["tried"] == 0
    assert [each["change"] for each in found["wrong"]] == ["a planted lie"]
    (signs,) = (row for row in found["kinds"] if (row["layer"], row["kind"]) == ("proof", "sign"))
    assert (signs["tried"], signs["caught"], signs["seconds"]) == (2, 1, {"median": 0.25, "longest": 0.25})
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize(("found", "wrong"), [(HONEST, False), (BROKEN, True)], ids=["honest", "broken"])
def test_no_wrong_verdict_is_hidden(found: Survey, wrong: bool, tmp_path: Path) -> None:
    files = write_soundness(found, tmp_path, "boundcheck soundness")
    assert {path.name for path in files} == {
        "index.html",
        "results.json",
        "trials.csv",
        "soundness.svg",
        "soundness.pdf",
        "opening.svg",
        "opening.pdf",
    }
    page = (tmp_path / "index.html").read_text()
    assert ("a planted lie" in page) == wrong
    assert ("None." in page) != wrong
    # What was not caught is there too, and is text.
    assert "ζ² &lt; 1 &lt;script&gt;" in page
    with (tmp_path / "trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["change"] for row in rows] == [trial.change for trial in found.trials]
    assert json.loads((tmp_path / "results.json").read_text()) == found.as_json()


def test_a_survey_of_nothing_is_a_page_too(tmp_path: Path) -> None:
    write_soundness(Survey((FALSE,), 0), tmp_path, "boundcheck soundness")
    assert "0 of 0 true variations were not proved" in (tmp_path / "index.html").read_text()


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert refused(write_soundness, HONEST, tmp_path / "file", "").field == "out"


@sampled(2, 1)
@pytest.mark.parametrize(("found", "code"), [(HONEST, 0), (BROKEN, 1)], ids=["honest", "broken"])
def test_the_command_fails_on_a_wrong_verdict(found: Survey, code: int, monkeypatch, capsys, tmp_path) -> None:
    monkeypatch.setattr(surveys, "survey", lambda share, jobs, tick: found)
    for options in ([], ["--json"]):
        monkeypatch.setattr(sys, "argv", ["boundcheck", "soundness", "--out", str(tmp_path), *options])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        assert (caught.value.code or 0) == code
        said = capsys.readouterr().out
        if options:
            assert json.loads(said)["false"]["wrong"] == code
        else:
            assert ("WRONG: my.lemma, sharp, (1), a planted lie: proved, but x = 1" in said) == bool(code)


@pytest.mark.parametrize(("share", "jobs", "field"), [(0, 1, "share"), (1, 0, "jobs"), (True, 1, "share")])
def test_bad_shares_are_refused(share: int, jobs: int, field: str) -> None:
    with pytest.raises(InputError) as caught:
        survey(share, jobs)
    assert caught.value.field == field


@pytest.mark.nightly
def test_a_small_survey_asks_every_layer_and_finds_nothing_wrong() -> None:
    heard: list[tuple[str, int, int]] = []
    found = survey(80, 1, lambda *told: heard.append(told))
    assert found.wrong == ()
    assert {trial.layer for trial in found.trials} == set(surveys.LAYERS)
    assert heard[-1][1] == heard[-1][2] > 1


REPORT = Path(__file__).parents[2] / "reports" / "soundness" / "results.json"


def test_the_committed_report_has_no_wrong_verdict_among_thousands() -> None:
    found = json.loads(REPORT.read_text())
    assert found["wrong"] == []
    for truth in ("false", "true"):
        assert found["layers"]["proof"][truth]["tried"] >= 1000
        assert sum(layer[truth]["wrong"] for layer in found["layers"].values()) == 0
    asked = {row["kind"] for row in found["kinds"]}
    assert {"constant", "hypothesis dropped", "sign", "norm", "exponent", "term lost", "off by one"} <= asked
