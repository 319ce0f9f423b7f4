"""`boundcheck falsify` as its user meets it: one JSON object, exit codes, one line for bad input,
and a replay."""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

import boundcheck as bc
from boundcheck.errors import InputError
from boundcheck.exact.digits import UP, shown
from boundcheck.language.catalogue import catalogue
from boundcheck.language.claim import Claim
from boundcheck.worst_case import search
from tests.experiment.small import with_quantity_scaled
from tests.program import run

THEOREM = "meft.theorem2_repaired"
DESCENT = "nesterov2004.gradient_descent"
QUICK = "--starts 2 --rounds 3 --examples 0 --rank 1"


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Nobody waits for the smallest instance."""
    monkeypatch.setattr(search, "SHRINKING", (16, 8))


@pytest.mark.full
def test_a_search_in_a_process_of_its_own_and_its_replay(command, tmp_path):
    found = run("falsify", "meft.lemma1_sharp", *QUICK.split(), "--json", "--strict", cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    assert found.stdout.count("\n") == 1
    answer = json.loads(found.stdout)
    assert answer["id"] == "meft.lemma1_sharp"
    assert answer["violated"] is False
    assert 0 < answer["ratio"] <= 1
    assert answer["file"] == "instances/meft.lemma1_sharp.json"
    assert json.loads((tmp_path / answer["file"]).read_text()) == answer["instance"]
    replay = command("falsify", "--replay", answer["file"], "--json", "--strict")
    assert replay.code == 0, replay.err
    again = json.loads(replay.out)
    assert all(again[name] == answer[name] for name in again)


def test_options_reach_the_search(command):
    text = (
        f"falsify meft.lora {QUICK} --adapter direft --rank 2 --set a=1/4 --set L=2 --seed 3 --out"
        " here/x.json --json"
    )
    answer = command(*text.split())
    assert answer.code == 0, answer.err
    found = json.loads(answer.out)
    assert [row["rank"] for row in found["rows"]] == [1, 2]
    assert found["rows"][0]["constants"] == {"L": 2.0, "G": 1.0, "a": 0.25, "b": 1.0}
    assert found["instance"]["adapter"]["kind"] == "direft"
    assert found["file"] == "here/x.json"
    assert Path("here/x.json").is_file()
    assert not Path("instances").exists()


def test_a_table_and_a_line_for_a_person(command):
    answer = command(*f"falsify meft.full {QUICK}".split())
    assert answer.code == 0, answer.err
    for words in ("meft.full", "Not violated", "instances/meft.full.json"):
        assert words in answer.out
    again = command("falsify", "--replay", "instances/meft.full.json")
    assert again.code == 0
    assert "not violated" in again.out


class Known(dict[str, Claim]):
    """A catalogue of these claims alone."""

    def opened(self, text, *_):
        return self[text]


def test_a_violation_is_said_and_strict_exits_with_one(command, monkeypatch):
    # Nine tenths of λ*, as a claim of one's own that the command line finds.
    false = replace(
        with_quantity_scaled(catalogue["meft.lemma1_sharp"], Fraction(9, 10)), id="mine.too_sharp"
    )
    monkeypatch.setattr(bc, "claims", Known({false.id: false}))
    search = f"falsify {false.id} --adapter lora --starts 4 --rounds 16 --examples 0 --rank 1"
    strict = command(*search.split(), "--strict", "--json")
    assert strict.code == 1
    assert json.loads(strict.out)["violated"] is True
    assert json.loads(strict.out)["ratio"] > 1.1
    file = f"instances/{false.id}.json"
    replay = command("falsify", false.id, "--replay", file, "--json")
    assert replay.code == 0, "without --strict it exits with 0 whatever it found"
    assert json.loads(replay.out)["ratio"] == json.loads(strict.out)["ratio"]
    said = command("falsify", false.id, "--replay", file, "--strict")
    assert said.code == 1
    assert "violated" in said.out
    assert "not violated" not in said.out
    lenient = command(*search.split())
    assert lenient.code == 0
    assert "VIOLATED" in lenient.out
    assert "Not violated" not in lenient.out


# What only the command line can get wrong: `falsify` and `worst_cases` refuse the rest in tests of
# their own.
BAD = {
    "": ("ID = (not given)", "--replay"),
    "meft.full --replay x.json": ("--replay = x.json",),
    "--replay nowhere.json": ("--replay = nowhere.json",),
    "--replay .": ("--replay = .",),
    "meft.fool": ("claim = meft.fool", "meft.full"),
    "meft.full --rank 1.5": ("--rank", "integer"),
    "meft.full --rank 0": ("rank = 0",),
    "meft.lemma1_sharp --set a=x": ("a = x", "finite"),
    "meft.lemma1_sharp --set a=1e400": ("a = ",),
    "meft.lemma1_sharp --set a": ("--set = a", "NAME=VALUE"),
    "meft.lemma1_sharp --set a=1 --set a=2": ("--set = a=2", "twice"),
    "meft.full --seed x": ("--seed",),
    "meft.full --fast": ("--fast",),
    "meft.full --horizon 2": ("--horizon = 2", "meft.full is not"),
    f"{THEOREM} --rank 1 --rank 2": ("--rank = 1, 2", f"{THEOREM} is"),
    **{
        f"{THEOREM} --{name} {value}": (f"--{name} = {value}",)
        for name, value in {"adapter": "lora", "lipschitz": "sigma", "out": "x.json"}.items()
    },
    **{
        f"{THEOREM} --{name} 7": (f"--{name} = 7",)
        for name in ("starts", "rounds", "examples", "seed")
    },
    f"{THEOREM} --horizon 1.5": ("--horizon", "integer"),
    f"{THEOREM} --horizon 0": ("T = 0", "1 to 5"),
    "--replay x.json --seed 1": ("--seed = 1", "--replay"),
    "--replay x.json --horizon 2": ("--horizon = 2", "--replay"),
    "--replay x.json --set a=1": ("--set = a=1", "--replay"),
    f"meft.full {QUICK} --out file/x.json": ("out = file/x.json",),
    f"meft.full {QUICK} --out folder": ("out = folder",),
}


@pytest.mark.parametrize("text", BAD)
def test_bad_input_ends_in_one_line(command, text, tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    before = sorted(tmp_path.rglob("*"))
    answer = command("falsify", *text.split())
    assert answer.code == 2
    assert answer.out == ""
    assert answer.err.startswith("boundcheck: ")
    assert answer.err.strip().count("\n") == 0
    assert all(word in answer.err for word in BAD[text])
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("seed", ["-1", str(2**64), str(2**70)])
def test_any_seed_will_do_or_is_refused(command, seed):
    answer = command(*f"falsify meft.full {QUICK} --seed {seed}".split())
    assert answer.code in (0, 2)
    assert answer.code == 0 or len(answer.err.strip().splitlines()) == 1


@pytest.mark.full
def test_horizons_and_constants_reach_the_worst_case(command, tmp_path):
    options = "--horizon 7 --horizon 2 --set ell=3 --set D=1/2 --json --strict"
    answer = command("falsify", DESCENT, *options.split())
    assert answer.code == 0, answer.err
    assert answer.out.count("\n") == 1
    found = json.loads(answer.out)
    assert found["id"] == DESCENT
    assert found["violated"] is False
    assert "a theorem of the kernel" in found["how"]
    # What the file says is plain data: tuples are lists in it.
    python = bc.falsify(DESCENT, bc.WorstCase((7, 2), {"ell": 3.0, "D": 0.5})).as_json()
    assert found["cases"] == json.loads(json.dumps(python))["cases"]
    assert found["ratio"] == max(case["ratio"] for case in found["cases"])
    assert [case["steps"] for case in found["cases"]] == [7, 2]
    for case in found["cases"]:
        assert case["inputs"] == {"ell": 3.0, "D": 0.5, "T": case["steps"]}
        # The rate at the step 1/L, by Abbaszadehpeivasti, de Klerk and Zamani.
        assert case["numerical"] == pytest.approx(4 * 3 * 0.5 / (3 * (case["steps"] - 1) + 2))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.full
@pytest.mark.parametrize("id, two_points", [(THEOREM, True), (DESCENT, False)])
def test_a_table_of_worst_cases_and_how_sure_they_are(command, id, two_points):
    answer = command(*f"falsify {id} --horizon 3 --horizon 2".split())
    assert answer.code == 0, answer.err
    words = answer.out.split()
    for case in bc.falsify(id, bc.WorstCase((3, 2))):
        # A bound is rounded up.
        assert shown(case.bound, 6, UP) in words
        for number in (case.step, case.numerical, case.ratio):
            assert f"{number:.6g}" in words
        assert {*case.ends} <= {*words}
    said = " ".join(words)
    assert ("the noise takes two values" in said) == two_points
    assert "Not violated at these T" in said


@pytest.mark.full
def test_a_false_theorem_is_violated(command, monkeypatch):
    false = with_quantity_scaled(catalogue[DESCENT], Fraction(1, 2))
    monkeypatch.setattr(bc, "claims", Known({false.id: false}))
    strict = command(*f"falsify {DESCENT} --horizon 2 --strict".split())
    assert strict.code == 1
    assert "VIOLATED" in strict.out
    lenient = command(*f"falsify {DESCENT} --horizon 2 --json".split())
    assert lenient.code == 0
    assert json.loads(lenient.out)["violated"] is True


def test_a_solver_that_fails_ends_in_one_line(command):
    answer = command("falsify", "ghadimi2013.corollary2_2", "--set", "zeta=1e8", "--json")
    assert answer.code == 2
    assert answer.out == ""
    assert answer.err.strip().startswith("boundcheck: Clarabel")
    assert answer.err.strip().count("\n") == 0


def test_from_python_a_theorem_gets_its_worst_cases():
    for theorem in (DESCENT, catalogue[DESCENT]):
        assert [case.steps for case in bc.falsify(theorem)] == [2, 3, 4]
    with pytest.raises(InputError, match="about the smoothness of an adapter"):
        bc.falsify(THEOREM, bc.Search())
