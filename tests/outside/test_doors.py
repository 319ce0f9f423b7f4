"""Objectives, adapters, words and claims from outside of the package: each is one file, named by
its import path."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import boundcheck as bc
from boundcheck.errors import InputError
from boundcheck.experiment.result import read
from boundcheck.experiment.spec import parse
from boundcheck.functions.adapters import ADAPTERS, title_of
from boundcheck.functions.objective import PROBLEMS
from boundcheck.language.catalogue import catalogue
from boundcheck.language.evidence import Audit
from boundcheck.language.hypotheses import Hypothesis
from boundcheck.present.material import Material, load_runs
from boundcheck.present.page import write_runs
from boundcheck.properties import ClaimViolatedError, check_claim
from boundcheck.properties.session import using
from boundcheck.system.plugins import opened
from boundcheck.worst_case.instance import certify
from boundcheck.worst_case.stored import replayed
from tests.experiment.small import THEOREM_TABLE, changed, refused
from tests.layers import full
from tests.outside.specs import ADAPTER, BRACKET, HERE, OBJECTIVE
from tests.program import ROOT, run, said

THEOREM, FALSE = (f"tests/outside/my_theorem.py:{name}" for name in ("HALVED_DESCENT", "FALSE"))
DESCENT = {
    "claim": THEOREM,
    "problem": {"kind": OBJECTIVE, "seed": 3},
    "adapter": {"kind": ADAPTER, "scale": 0.5},
    "run": {"steps": 40, "audits": 40},
}


@full
def test_a_theorem_of_ones_own_words_is_run_on_ones_own_objective_and_adapter(tmp_path):
    (true,) = bc.measure(DESCENT, tmp_path)
    assert true.verdict == "supported, given outer.scaled, constants of log-cosh, no_rise", (
        true.reason
    )
    rows = {row.hypothesis: row.status for row in true.audit}
    assert rows["outer.no_rise"] == rows["jiang2024.bounded_below"] == "held"
    (false,) = bc.measure(DESCENT | {"claim": FALSE, "run": {"steps": 2, "audits": 2}}, tmp_path)
    assert false.verdict.plain == "violated"
    assert false.blame.kind == "claim"
    assert true.spec["problem"] == {"kind": OBJECTIVE, "d": 3, "k": 3, "samples": 6, "seed": 3}


def test_noise_is_seen_on_it_too(tmp_path):
    run = {"steps": 200, "step_size": 0.5, "batch": 2, "replicas": 16, "audits": 25, "zeta": 2.0}
    (result,) = bc.measure(DESCENT | {"claim": "meft.theorem2_any_step", "run": run}, tmp_path)
    assert result.verdict.plain in ("supported (asymptotic)", "uninformative"), result.reason
    assert {row.status for row in result.audit} == {"held"}


@full
def test_a_claim_about_ones_own_adapter_is_bracketed_and_attacked(tmp_path):
    (result,) = bc.measure(BRACKET, tmp_path)
    assert result.verdict.plain == "supported", result.reason
    assert [end.claim for end in result.upper] == [BRACKET["claim"]]
    few = {"ranks": (1,), "starts": 2, "rounds": 8, "examples": 4}
    assert not bc.falsify(BRACKET["claim"], bc.Search(**few)).violated
    assert bc.falsify(f"{HERE}.my_adapter:FALSE", bc.Search(adapter=ADAPTER, **few)).violated


@full
def test_a_theorem_is_tried_and_has_a_worst_case(tmp_path):
    assert check_claim(THEOREM, adapter="full", examples=10).ratio > 0
    with using(folder=tmp_path), pytest.raises(ClaimViolatedError):
        check_claim(FALSE, adapter="full", examples=60)
    pytest.importorskip("PEPit")
    assert not any(case.violated for case in bc.falsify(THEOREM, bc.WorstCase((1, 2))))
    assert all(case.violated for case in bc.falsify(FALSE, bc.WorstCase((1, 2))))


NEAR = """
from dataclasses import replace
from boundcheck.language.catalogue import catalogue
from boundcheck.language.hypotheses import BOUNDED_BELOW, Hypothesis
from tests.outside.my_theorem import FALSE, RISES_NOT

def held(evidence, id):
    raise NotImplementedError

WORDS = {"held": Hypothesis("near", "v_1 is near", held=held, says=BOUNDED_BELOW.says)}
WORDS |= {"faceless": replace(WORDS["held"], held=None), "none": None, "another's": BOUNDED_BELOW}
IS_NEAR = replace(catalogue["jiang2024.bounded_below"], id="outer.is_near", word=WORDS[%r])
MINE = replace(FALSE, id="outer.near", hypotheses=(*FALSE.hypotheses[:3], IS_NEAR))
"""


@full
@pytest.mark.parametrize("word", ["held", "faceless", "none", "another's"])
def test_only_a_word_of_the_catalogue_decides_its_statement_under_another_id(word, tmp_path):
    file = tmp_path / "near.py"
    file.write_text(NEAR % word)
    claim = opened("claim", f"{file}:MINE")
    if word != "another's":
        tried = check_claim(claim, adapter="full", examples=20)
        assert tried.open == (catalogue["jiang2024.bounded_below"].title,)
        return
    with using(folder=tmp_path), pytest.raises(ClaimViolatedError) as caught:
        check_claim(claim, adapter="full", examples=60)
    assert certify(caught.value.instance).violated


@full
def test_what_breaks_a_theorem_of_ones_own_is_judged_again_by_its_own_words(tmp_path):
    with using(folder=tmp_path), pytest.raises(ClaimViolatedError):
        check_claim(FALSE, adapter="full", examples=60)
    (stored,) = tmp_path.glob("*.json")
    with pytest.raises(InputError, match=r"instance\.claim = outer\.halved_falsely: "):
        replayed(stored)
    answer = said("falsify", f"{HERE}.my_theorem:FALSE", "--replay", stored)
    assert answer["violated"]
    assert answer["id"] == "outer.halved_falsely"
    with pytest.raises(InputError, match=r"outer\.halved, which was given"):
        replayed(stored, catalogue.opened(THEOREM))


@full
def test_the_command_line_opens_what_a_spec_names_and_reports_it(tmp_path):
    spec = tmp_path / "own.toml"
    spec.write_text(
        f'claim = "{THEOREM}"\n[problem]\nkind = "{OBJECTIVE}"\n[adapter]\nkind = "{ADAPTER}"\n'
        "[run]\nsteps = 40\naudits = 40\n"
    )
    found = said("measure", spec, "--store", tmp_path / "runs", "--allow-code", ROOT / "tests")
    (verdict,) = (run["verdict"] for run in found["runs"])
    assert verdict == "supported, given outer.scaled, constants of log-cosh, no_rise"
    page = Path(found["report"]).read_text()
    assert "Halved descent" in page
    assert "log-cosh" in page


@full
def test_a_claim_that_was_an_object_has_to_be_given_to_a_report(tmp_path):
    (result,) = bc.measure(DESCENT | {"claim": bc.claims.opened(THEOREM)}, tmp_path / "runs")
    stored = tmp_path / "runs" / result.run_id
    again = said("report", stored, "--claim", THEOREM, "--out", tmp_path / "again")
    assert "Halved descent" in Path(again["files"][0]).read_text()
    done = run("report", stored, "--out", tmp_path / "none")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(
        "boundcheck: claim = outer.halved: expected a claim that is known"
    )


def test_reading_a_result_runs_no_code(tmp_path):
    (result,) = bc.measure(DESCENT, tmp_path / "runs")
    stored = result.as_json()
    trap = tmp_path / "trap.py"
    trap.write_text("raise SystemExit('the trap was run')\n")
    text = json.dumps(stored)
    for place in ("tests/outside/my_theorem.py", f"{HERE}.my_objective", f"{HERE}.my_adapter"):
        text = text.replace(place, str(trap))
    again = read(json.loads(text))
    assert again.claim == f"{trap}:HALVED_DESCENT"
    assert title_of(again.settings.adapter.kind) == f"{trap}:Scaled"
    with pytest.raises(InputError, match="an id of the catalogue"):
        bc.claims[again.claim]
    with pytest.raises(KeyError):
        ADAPTERS[again.settings.adapter.kind]
    with pytest.raises(KeyError):
        PROBLEMS[again.spec["problem"]["kind"]]
    # Typed as a spec it is opened.
    with pytest.raises(InputError, match="the trap was run"):
        parse(again.spec)


@pytest.mark.parametrize(
    "changes, field, expected",
    [
        ({"problem.kind": "tests.outside.nothing:LogCosh"}, "problem.kind", "ModuleNotFoundError"),
        (
            {"problem.kind": "tests.outside.my_objective:Nothing"},
            "problem.kind",
            "a name that is in",
        ),
        (
            {"problem.kind": "tests.outside.my_objective:EPSILON"},
            "problem.kind",
            "a class of objectives",
        ),
        ({"problem.kind": "tests.outside.my_objective:"}, "problem.kind", "an import path"),
        ({"problem.kind": "tests/outside/nothing.py:LogCosh"}, "problem.kind", "FileNotFoundError"),
        ({"problem.kind": "math:hypot"}, "problem.kind", "a path to code of one's own"),
        ({"problem.kind": "nothing"}, "problem.kind", ", or an import path"),
        ({"problem.d": "3"}, "problem.d", "an integer"),
        ({"problem.e": 3}, "problem.e", "no such field"),
        ({"adapter.kind": OBJECTIVE}, "adapter.kind", "a class derived from Adapter"),
        (
            {"adapter.kind": "boundcheck.functions.adapters:Adapter"},
            "adapter.kind",
            "with all its methods",
        ),
        ({"adapter.kind": "scaled"}, "adapter.kind", ", or an import path"),
        ({"adapter.rank": 2}, "adapter.rank", "no rank, for scaled"),
        ({"claim": ADAPTER}, "claim", "the path of a Claim"),
        ({"claim": f"{HERE}.my_adapter:SMOOTH", "run": None}, "domain.rho", "radii rho"),
        ({"claim": "meft.lemma1_sharp", "run": None}, "claim", "a lemma about scaled"),
        ({"claim": "jiang2024.theorem2"}, "adapter.kind", "lora or direft, of which"),
    ],
)
def test_what_is_none_is_refused_in_one_line(changes, field, expected):
    error = refused(parse, changed(DESCENT, changes))
    assert error.field == field
    assert expected in error.expected


def test_a_claim_of_ones_own_takes_the_place_of_no_other(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "from dataclasses import replace\nfrom boundcheck.language.catalogue import catalogue\n"
        "BOLD = replace(catalogue['meft.full'], quantities=())\n"
    )
    assert "an id that no other claim has" in refused(bc.claims.opened, f"{file}:BOLD").expected
    before = opened("claim", f"{file}:BOLD")
    file.write_text(file.read_text().replace("()", "catalogue['meft.lora'].quantities"))
    assert opened("claim", f"{file}:BOLD") != before


@full
def test_a_page_refuses_a_claim_that_said_something_else_when_it_was_run(tmp_path):
    file = tmp_path / "edited.py"
    page = tmp_path / "page" / "index.html"
    text = "from tests.outside.my_theorem import sentence\nMINE = sentence('edited', '{}')\n"
    file.write_text(text.format("8/3"))
    (result,) = bc.measure(DESCENT | {"claim": f"{file}:MINE"}, tmp_path / "runs")
    assert (
        result.said.keys()
        == result.named
        == {f"{file}:MINE", DESCENT["adapter"]["kind"].replace("Scaled", "SMOOTH")}
    )
    folder = tmp_path / "runs" / result.run_id
    assert write_runs([folder], page, "Mine", "One run.", "")[0] == page
    # A new process knows nothing of what was opened.
    file.write_text(text.format("1/100"))
    catalogue._opened.pop(f"{file}:MINE")
    now = catalogue.opened(f"{file}:MINE")
    error = refused(lambda: write_runs([folder], page, "Mine", "One run.", ""))
    assert error.field == "claim"
    assert error.value == f"{file}:MINE"
    assert "says something else" in error.expected
    # One of before there were digests is believed.
    stored = load_runs([folder])[0]
    assert now in Material([replace(stored, result=replace(stored.result, said={}))]).claims


ANY_STEP = {"step_size": 0.1, "batch": 2, "replicas": 4, "steps": 20, "audits": 5, "zeta": 2.0}


@full
def test_of_two_claims_of_one_id_the_second_is_refused(tmp_path):
    claim = opened("claim", THEOREM)
    last = claim.quantities[-1]
    other = replace(
        claim, quantities=(*claim.quantities[:-1], replace(last, expression=last.expression / 1000))
    )
    (first,) = bc.measure(DESCENT | {"claim": claim}, tmp_path)
    for more in ({}, {"assume": {"bound": "bound/2"}}, {"claim": [claim, other]}):
        error = refused(lambda more=more: bc.measure(DESCENT | {"claim": other} | more, tmp_path))
        assert error.field == "claim"
        assert error.value == claim.id
        assert "an id that no other claim has" in error.expected
    # The same one, made again, is no other.
    (again,) = bc.measure(DESCENT | {"claim": replace(claim)}, tmp_path)
    assert again == first
    halved = DESCENT | {"claim": replace(claim), "assume": {"bound": "bound/2"}}
    assert bc.measure(halved, tmp_path)[0].bound == first.bound / 2


def test_a_claim_by_other_words_does_not_pass_under_the_name_of_the_catalogues():
    claim = bc.claims["meft.theorem2_any_step"]

    def lying(evidence, id):
        return [Audit(id, "hypothesis", "held", None, None, "believe me")]

    def by_word(each):
        return replace(
            each,
            word=replace(each.word, held=lying) if type(each.word) is Hypothesis else each.word,
        )

    impostor = replace(claim, hypotheses=tuple(map(by_word, claim.hypotheses)))
    # Formulas and ids are the same.
    assert impostor.digest == claim.digest
    assert impostor != claim
    # One that rests on them shows their rows under the catalogue's ids.
    for each in (impostor, replace(impostor, id="outer.any_step")):
        table = DESCENT | {"claim": each, "run": ANY_STEP}
        assert "by other words" in refused(parse, table).expected
    assert parse(table | {"claim": replace(claim)}).said == claim


def test_a_spec_keeps_the_claim_that_it_was_read_with():
    spec = parse(DESCENT | {"claim": THEOREM})
    catalogue._opened[THEOREM] = opened("claim", FALSE)
    assert spec.said.id == spec.theorem.id == "outer.halved"


@full
def test_an_installed_package_names_them_and_needs_no_permission(tmp_path):
    info = tmp_path / "mine-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    groups = (
        f"[boundcheck.objectives]\nlog-cosh = {OBJECTIVE}\n[boundcheck.adapters]\nscaled ="
        f" {ADAPTER}\n"
    )
    (info / "entry_points.txt").write_text(groups)
    code = (
        "from boundcheck.system.plugins import allowing\nfrom boundcheck.experiment.spec import"
        " parse\nimport json, sys\nwith allowing('tests/outside/my_theorem.py'):"
        " print(json.dumps(parse(json.loads(sys.argv[1])).as_json()))"
    )
    table = changed(DESCENT, {"problem.kind": "log-cosh", "adapter.kind": "scaled"})
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(table)], capture_output=True, cwd=ROOT, env=env
    )
    assert json.loads(done.stdout)["problem"]["kind"] == "log-cosh", done.stderr


@full
def test_a_run_on_other_data_is_another_run(tmp_path, monkeypatch):
    table = changed(
        THEOREM_TABLE,
        {"claim": "nesterov2004.gradient_descent", "run": {"steps": 20, "audits": 20}},
    )
    table = changed(table, {"domain": {}, "problem": {"kind": "digits"}})
    (first,), (again,) = (bc.measure(table, tmp_path) for _ in range(2))
    assert first == again

    from boundcheck.functions import data

    X, labels = data.data_of("digits")
    monkeypatch.setattr(data, "data_of", lambda name, bias: (X * np.linspace(0.5, 1.5, 64), labels))
    (other,) = bc.measure(table, tmp_path)
    assert other.run_id != first.run_id
    assert other.measured != first.measured


@full
def test_a_claim_itself_is_measured_in_other_processes_too(tmp_path):
    claim = bc.claims.opened(THEOREM)
    results = bc.measure(DESCENT | {"claim": claim, "seed": [0, 1]}, tmp_path, executor=2)
    assert [each.verdict.plain for each in results] == ["supported"] * 2


def test_a_neighbour_is_taken_for_no_module_of_its_name(tmp_path):
    for folder, number in (("a", 1), ("b", 2)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "beside_them.py").write_text(f"NUMBER = {number}\n")
        (tmp_path / folder / "between.py").write_text("from beside_them import NUMBER\n")
        (tmp_path / folder / "mine.py").write_text("from between import NUMBER\n")
    (tmp_path / "b" / "between.py").rename(tmp_path / "b" / "inbetween.py")
    (tmp_path / "b" / "mine.py").write_text("from inbetween import NUMBER\n")
    assert opened("claim", f"{tmp_path / 'a' / 'mine.py'}:NUMBER") == 1
    with pytest.raises(
        InputError, match=r"beside_them is .*a.beside_them\.py here, and not .*b.beside_them\.py"
    ):
        opened("claim", f"{tmp_path / 'b' / 'mine.py'}:NUMBER")


@pytest.mark.parametrize("named", ["my_part.py", "my_part", "my_part.py:WHOLE"])
def test_a_section_in_the_current_folder_is_found(named, tmp_path, monkeypatch):
    from boundcheck.present.section import sections

    (tmp_path / "my_part.py").write_text(
        "import sys\ntitle, place = 'A part', 5\ndef build(material): ...\nWHOLE ="
        " sys.modules[__name__]\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "my_part", raising=False)
    # What a console script finds lies beside it, and not in the current folder.
    monkeypatch.setattr(sys, "path", [each for each in sys.path if each])
    assert [each.place for each in sections([named]) if each.title == "A part"] == [5]
