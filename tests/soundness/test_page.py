"""The page on wrong verdicts: every one is listed, the counts are those of the trials, and the
command fails on one."""

from __future__ import annotations

import csv
import json
import runpy
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from boundcheck.errors import InputError
from boundcheck.experiment.coverage import clopper_pearson
from soundness import survey as surveys
from soundness.page import write_survey
from soundness.survey import Soundness, soundness
from soundness.trial import Answer, Mutant, Trial

FALSE = Trial(
    "proof", "my.lemma, sharp, (1)", "sign", "flip x", False, "x = 1", "refuted", False, True, 0.25
)
TRUE = Trial(
    "proof",
    "my.lemma, sharp, (2)",
    "true variation: scaled",
    "2x",
    True,
    "x ≤ y",
    "not proved",
    False,
    False,
    0.5,
)
MISSED = Trial(
    "measurement",
    "my.theorem",
    "constant",
    "ζ/2",
    False,
    "ζ² < 1 <script>",
    "inconclusive",
    False,
    False,
    2.0,
)
LIE = replace(FALSE, outcome="proved", wrong=True, caught=False, change="a planted lie")
HONEST = Soundness(
    (FALSE, TRUE, MISSED, replace(FALSE, layer="falsification", outcome="violated")), 7
)
BROKEN = Soundness((*HONEST.trials, LIE), 7)


def test_counts_are_those_of_the_trials():
    found = BROKEN.as_json()
    assert found["false"]["tried"] == 4
    assert found["false"]["wrong"] == 1
    assert found["true"]["tried"] == 1
    assert found["layers"]["proof"]["false"] == {
        "tried": 2,
        "wrong": 1,
        "at_most": clopper_pearson(1, 2, 0.05)[1],
        "caught": 1,
        "outcomes": {"proved": 1, "refuted": 1},
    }
    assert found["layers"]["measurement"]["true"]["tried"] == 0
    assert [each["change"] for each in found["wrong"]] == ["a planted lie"]
    (signs,) = (row for row in found["kinds"] if (row["layer"], row["kind"]) == ("proof", "sign"))
    assert signs["tried"] == 2
    assert signs["caught"] == 1
    assert signs["seconds"] == {"median": 0.25, "longest": 0.25}
    assert json.loads(json.dumps(found)) == found


@pytest.mark.full
@pytest.mark.parametrize(
    "found, wrong", [(HONEST, False), (BROKEN, True)], ids=["honest", "broken"]
)
def test_no_wrong_verdict_is_hidden(found, wrong, tmp_path):
    files = write_survey(found, tmp_path, "python -m soundness")
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


def test_a_survey_of_nothing_is_a_page_too(tmp_path):
    write_survey(Soundness((FALSE,), 0), tmp_path, "python -m soundness")
    assert "0 of 0 true variations were not proved" in (tmp_path / "index.html").read_text()


@pytest.mark.full
@pytest.mark.parametrize("found, code", [(HONEST, 0), (BROKEN, 1)], ids=["honest", "broken"])
def test_the_command_fails_on_a_wrong_verdict(found, code, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(surveys, "soundness", lambda share, jobs, tick, keep: found)
    for options in ([], ["--json"]):
        monkeypatch.setattr(sys, "argv", ["soundness", "--out", str(tmp_path), *options])
        with pytest.raises(SystemExit) as caught:
            runpy.run_module("soundness", run_name="__main__")
        assert (caught.value.code or 0) == code
        said = capsys.readouterr().out
        if options:
            assert json.loads(said)["false"]["wrong"] == code
        else:
            assert (
                "WRONG: my.lemma, sharp, (1), a planted lie: proved, but x = 1" in said
            ) == bool(code)


class Asked(Mutant):
    """A false line; of how many times it was asked a list keeps count."""

    layer = "proof"
    times: list[str] = []  # noqa: RUF012

    def ask(self):
        self.times.append(self.change)
        return Answer("refuted", accepts=False, rejects=True)


def test_a_survey_that_was_ended_goes_on_where_it_was(tmp_path, monkeypatch):
    """Parts that are finished are read, and those that are torn or not there are made again."""
    none = {
        name: lambda *share: []
        for name in (
            "malformed",
            "run_mutants",
            "rereadings",
            "gallery",
            "examinations",
            "sequents",
        )
    }
    for name, made in none.items():
        monkeypatch.setattr(surveys, name, made)
    monkeypatch.setattr(surveys, "drawn", lambda share: ((), 0))
    monkeypatch.setattr(
        surveys,
        "mutants",
        lambda every, first: [Asked("a line", "sign", f"{first}", False, "x = 1")],
    )
    found = soundness(1, 1, keep=tmp_path)
    assert len(Asked.times) == len(found.trials) > 4
    torn, lost, *_ = (path for path in sorted(tmp_path.rglob("*.json")) if path.stat().st_size > 2)
    torn.write_text("[{")
    lost.unlink()
    again = soundness(1, 1, keep=tmp_path)
    assert [trial.change for trial in again.trials] == [trial.change for trial in found.trials]
    assert len(Asked.times) == len(found.trials) + 2


@pytest.mark.parametrize(
    "share, jobs, field", [(0, 1, "share"), (1, 0, "jobs"), (True, 1, "share")]
)
def test_bad_shares_are_refused(share, jobs, field):
    with pytest.raises(InputError) as caught:
        soundness(share, jobs)
    assert caught.value.field == field


@pytest.mark.nightly
def test_a_small_survey_asks_every_layer_and_finds_nothing_wrong():
    heard = []
    found = soundness(80, 1, lambda *told: heard.append(told))
    assert found.wrong == ()
    assert {trial.layer for trial in found.trials} == set(surveys.LAYERS)
    assert heard[-1][1] == heard[-1][2] > 1


REPORT = Path(__file__).parents[2] / "reports" / "soundness" / "results.json"


def test_the_committed_report_has_no_wrong_verdict_among_thousands():
    found = json.loads(REPORT.read_text())
    assert found["wrong"] == []
    for truth in ("false", "true"):
        assert found["layers"]["proof"][truth]["tried"] >= 1000
        assert sum(layer[truth]["wrong"] for layer in found["layers"].values()) == 0
    asked = {row["kind"] for row in found["kinds"]}
    assert {
        "constant",
        "hypothesis dropped",
        "sign",
        "norm",
        "exponent",
        "term lost",
        "off by one",
    } <= asked
