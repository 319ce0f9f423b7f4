"""`boundcheck falsify` as its user meets it: one JSON object, exit codes, one line for bad input, and a replay."""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

import boundcheck as bc
from boundcheck.claims import Claim, catalogue
from boundcheck.errors import InputError
from boundcheck.exact.digits import UP, shown
from boundcheck.falsify import shrink
from boundcheck.falsify.stored import save
from boundcheck.falsify.worst_case import worst_cases
from tests.falsify.small import instance_of
from tests.measure.small import with_quantity_scaled
from tests.test_cli import run

THEOREM = "meft.theorem2_repaired"
DESCENT = "nesterov2004.gradient_descent"
QUICK = "--starts 2 --rounds 3 --examples 0 --rank 1"


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for the smallest instance."""
    monkeypatch.setattr(shrink, "_ROUNDS", 8)


@pytest.mark.full
def test_a_search_in_a_process_of_its_own_and_its_replay(command, tmp_path: Path) -> None:
    found = run("falsify", "meft.lemma1_sharp", *QUICK.split(), "--json", "--strict", cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    assert found.stdout.count("\n") == 1
    answer = json.loads(found.stdout)
    assert answer.keys() == {"id", "ratio", "violated", "open", "instance", "rows", "explored", "file"}
    assert (answer["id"], answer["violated"]) == ("meft.lemma1_sharp", False)
    assert 0 < answer["ratio"] <= 1
    assert answer["file"] == "instances/meft.lemma1_sharp.json"
    assert json.loads((tmp_path / answer["file"]).read_text()) == answer["instance"]
    replay = command("falsify", "--replay", answer["file"], "--json", "--strict")
    assert replay.code == 0, replay.err
    again = json.loads(replay.out)
    assert again.keys() == {"id", "ratio", "violated", "open", "instance"}
    assert all(again[name] == answer[name] for name in again)


def test_help_names_every_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    answer = run("falsify", "--help")
    assert answer.returncode == 0
    search = "--rank --adapter --lipschitz --starts --rounds --examples --seed --out"
    for option in f"--replay --horizon --set --strict --json {search}".split():
        assert option in answer.stdout


def test_options_reach_the_search(command) -> None:
    text = (
        f"falsify meft.lora {QUICK} --adapter direft --rank 2 --set a=1/4 --set L=2 --seed 3 --out here/x.json --json"
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


def test_a_table_and_a_line_for_a_person(command) -> None:
    answer = command(*f"falsify meft.full {QUICK}".split())
    assert answer.code == 0, answer.err
    for words in ("meft.full", "rank", "measured / bound", "Not violated", "Instance: instances/meft.full.json"):
        assert words in answer.out
    again = command("falsify", "--replay", "instances/meft.full.json")
    assert again.code == 0
    assert "not violated" in again.out
    assert "meft.full on full fine-tuning" in again.out


class Known(dict[str, Claim]):
    """A catalogue of these claims alone."""

    def opened(self, text: str, *_: str) -> Claim:
        return self[text]


@pytest.fixture
def a_false_lemma(monkeypatch: pytest.MonkeyPatch) -> Claim:
    """Nine tenths of λ*, as a claim of one's own that the command line finds."""
    false = replace(with_quantity_scaled(catalogue["meft.lemma1_sharp"], Fraction(9, 10)), id="mine.too_sharp")
    monkeypatch.setattr(bc, "claims", Known({false.id: false}))
    return false


def test_a_violation_is_said_and_strict_exits_with_one(command, a_false_lemma: Claim) -> None:
    search = f"falsify {a_false_lemma.id} --adapter lora --starts 4 --rounds 16 --examples 0 --rank 1"
    strict = command(*search.split(), "--strict", "--json")
    assert strict.code == 1
    assert json.loads(strict.out)["violated"] is True
    assert json.loads(strict.out)["ratio"] > 1.1
    file = f"instances/{a_false_lemma.id}.json"
    replay = command("falsify", "--replay", file, "--json")
    assert replay.code == 0, "without --strict it exits with 0 whatever it found"
    assert json.loads(replay.out)["ratio"] == json.loads(strict.out)["ratio"]
    said = command("falsify", "--replay", file, "--strict")
    assert said.code == 1
    assert ": violated." in said.out


def test_a_violation_is_said_in_words(command, a_false_lemma: Claim) -> None:
    answer = command(*f"falsify {a_false_lemma.id} --adapter lora --starts 4 --rounds 16 --examples 0 --rank 1".split())
    assert answer.code == 0
    assert "VIOLATED" in answer.out
    assert "Not violated" not in answer.out


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ("ID = (not given)", "--replay")),
        ("meft.full --replay x.json", ("--replay = x.json",)),
        ("--replay nowhere.json", ("--replay = nowhere.json",)),
        ("--replay .", ("--replay = .",)),
        ("meft.fool", ("claim = meft.fool", "meft.full")),
        ("jiang2024.assumption1", ("claim = jiang2024.assumption1", "smoothness")),
        ("meft.ball", ("claim = meft.ball",)),
        ("meft.full --rank 0", ("rank = 0",)),
        ("meft.full --rank -3", ("rank = -3",)),
        ("meft.full --rank 1.5", ("--rank", "integer")),
        ("meft.full --rank many", ("--rank", "integer")),
        ("meft.loreft_rank1 --rank 2", ("rank = 2", "meft.loreft_rank1")),
        ("meft.full --set mu=1", ("mu = 1", "L, G, rho")),
        ("meft.lemma1_sharp --set a=0", ("a = 0", "positive")),
        ("meft.lemma1_sharp --set a=-1", ("a = -1", "positive")),
        ("meft.lemma1_sharp --set a=nan", ("a = nan", "finite")),
        ("meft.lemma1_sharp --set a=inf", ("a = inf", "finite")),
        ("meft.lemma1_sharp --set a=1e400", ("a = ",)),
        ("meft.lemma1_sharp --set a=1e-400", ("a = ",)),
        ("meft.lemma1_sharp --set a=x", ("a = x", "finite")),
        ("meft.lemma1_sharp --set a", ("--set = a", "NAME=VALUE")),
        ("meft.lemma1_sharp --set a=1 --set a=2", ("--set = a=2", "twice")),
        ("meft.lemma1_sharp --set r=2", ("r = 2",)),
        ("jiang2024.lemma1 --set a=2", ("a, b = ", "equal")),
        ("jiang2024.lemma1 --lipschitz tau", ("lipschitz = tau", "sigma")),
        ("meft.full --adapter lorra", ("adapter = lorra", "one of full")),
        ("meft.full --adapter lora", ("adapter = lora",)),
        ("meft.frozen_a --adapter lora", ("adapter = lora",)),
        ("jiang2024.lemma1 --adapter loreft", ("adapter = loreft",)),
        ("meft.full --starts 0", ("starts = 0",)),
        ("meft.full --rounds 0", ("rounds = 0",)),
        ("meft.full --examples -1", ("examples = -1",)),
        ("meft.full --seed x", ("--seed",)),
        ("meft.full --fast", ("--fast",)),
        ("meft.full --horizon 2", ("--horizon = 2", "meft.full is not")),
        (f"{THEOREM} --rank 1 --rank 2", ("--rank = 1, 2", f"{THEOREM} is")),
        (f"{THEOREM} --adapter lora", ("--adapter = lora",)),
        (f"{THEOREM} --lipschitz sigma", ("--lipschitz = sigma",)),
        (f"{THEOREM} --starts 16", ("--starts = 16",)),
        (f"{THEOREM} --rounds 96", ("--rounds = 96",)),
        (f"{THEOREM} --examples 64", ("--examples = 64",)),
        (f"{THEOREM} --seed 0", ("--seed = 0",)),
        (f"{THEOREM} --out x.json", ("--out = x.json",)),
        (f"{THEOREM} --horizon 0", ("T = 0", "1 to 5")),
        (f"{THEOREM} --horizon 2 --horizon 6", ("T = 6", "1 to 5")),
        (f"{THEOREM} --horizon 1.5", ("--horizon", "integer")),
        (f"{THEOREM} --set zeta=1", ("T = 2", "T_min")),
        (f"{THEOREM} --set zeta=x", ("zeta = x", "finite")),
        (f"{THEOREM} --set T=2", ("T = 2.0", "horizons")),
        (f"{THEOREM} --set r=2", ("r = ",)),
        (f"{THEOREM} --set a=1e200", ("inf",)),
        ("khaled2020.theorem2", ("claim = khaled2020.theorem2", "smooth F")),
        ("--replay x.json --seed 1", ("--seed = 1", "--replay")),
        ("--replay x.json --horizon 2", ("--horizon = 2", "--replay")),
        ("--replay x.json --set a=1", ("--set = a=1", "--replay")),
        (f"meft.full {QUICK} --out taken/x.json", ("out = taken/x.json",)),
        (f"meft.full {QUICK} --out taken", ("taken/",)),
    ],
)
def test_bad_input_ends_in_one_line(command, text: str, words: tuple[str, ...], tmp_path: Path) -> None:
    if "--out taken/" in text:
        (tmp_path / "taken").touch()
    elif "--out taken" in text:
        (tmp_path / "taken").mkdir()
        words = ("out = taken",)
    before = sorted(tmp_path.rglob("*"))
    quick = QUICK if "--" not in text else QUICK.replace(" --rank 1", "")
    slow = not any(word in text for word in ("--starts", "--rounds", "--examples", "--replay", THEOREM, "khaled2020"))
    added = quick.split() if slow else []
    answer = command("falsify", *text.split(), *(added if text else []))
    assert answer.code == 2
    assert answer.out == ""
    lines = answer.err.strip().splitlines()
    assert len(lines) == 1, answer.err
    assert lines[0].startswith("boundcheck: ")
    for word in words:
        assert word in lines[0]
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("seed", ["-1", str(2**64), str(2**70)])
def test_any_seed_will_do_or_is_refused(command, seed: str) -> None:
    answer = command(*f"falsify meft.full {QUICK} --seed {seed}".split())
    assert answer.code in (0, 2)
    assert answer.code == 0 or len(answer.err.strip().splitlines()) == 1


def test_a_stored_instance_with_a_bad_field_ends_in_one_line(command, tmp_path: Path) -> None:
    data = instance_of("lora").as_json()
    data["adapter"]["scale"] = 0
    (tmp_path / "bad.json").write_text(json.dumps(data))
    answer = command("falsify", "--replay", "bad.json", "--json")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("boundcheck: adapter.scale = 0")
    assert answer.err.count("\n") == 1


def test_a_tight_instance_of_each_shape_is_replayed_as_it_was_saved(command) -> None:
    for kind in ("loreft", "vera", "dora"):
        tight = instance_of(kind)
        save(tight, Path(f"{kind}.json"))
        answer = command("falsify", "--replay", f"{kind}.json", "--json", "--strict")
        assert answer.code == 0, answer.err
        assert json.loads(answer.out)["instance"] == tight.as_json()


@pytest.mark.full
def test_the_worst_cases_of_a_theorem_as_json(command, tmp_path: Path) -> None:
    answer = command("falsify", THEOREM, "--json", "--strict")
    assert answer.code == 0, answer.err
    assert answer.out.count("\n") == 1
    found = json.loads(answer.out)
    assert found.keys() == {"id", "ratio", "violated", "larger", "smaller", "instance", "how", "cases"}
    assert (found["id"], found["violated"]) == (THEOREM, False)
    assert "a theorem of the kernel" in found["how"]
    # What the file says is plain data: tuples are lists in it.
    assert found["cases"] == json.loads(json.dumps([case.as_json() for case in worst_cases(THEOREM, (2, 3, 4))]))
    assert found["instance"] == found["cases"][2]["instance"]
    assert found["ratio"] == max(case["ratio"] for case in found["cases"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.full
def test_horizons_and_constants_reach_the_worst_case(command) -> None:
    answer = command(*f"falsify {DESCENT} --horizon 7 --horizon 2 --set ell=3 --set D=1/2 --json".split())
    assert answer.code == 0, answer.err
    cases = json.loads(answer.out)["cases"]
    assert [case["steps"] for case in cases] == [7, 2]
    for case in cases:
        assert case["inputs"] == {"ell": 3.0, "D": 0.5, "T": case["steps"]}
        # The rate at the step 1/L, by Abbaszadehpeivasti, de Klerk and Zamani.
        assert case["numerical"] == pytest.approx(4 * 3 * 0.5 / (3 * (case["steps"] - 1) + 2))


@pytest.mark.full
@pytest.mark.parametrize(("id", "two_points"), [(THEOREM, True), (DESCENT, False)])
def test_a_table_of_worst_cases_and_how_sure_they_are(command, id: str, two_points: bool) -> None:
    answer = command(*f"falsify {id} --horizon 3 --horizon 2".split())
    assert answer.code == 0, answer.err
    words = answer.out.split()
    for case in worst_cases(id, (3, 2)):
        # A bound is rounded up.
        assert shown(case.bound, 6, UP) in words
        for number in (case.step, case.numerical, case.ratio):
            assert f"{number:.6g}" in words
        assert {*case.ends} <= {*words}
    said = " ".join(words)
    assert "numerical (Clarabel" in said
    assert "a rational instance, checked exactly" in said
    assert ("lower bound on the worst case over all noise" in said) == ("zeta" in said) == two_points
    assert "D = 1" in said
    assert "Not violated at these T" in said


@pytest.mark.full
def test_a_false_theorem_is_violated(command, monkeypatch: pytest.MonkeyPatch) -> None:
    false = with_quantity_scaled(catalogue[DESCENT], Fraction(1, 2))
    monkeypatch.setattr(bc, "claims", Known({false.id: false}))
    strict = command(*f"falsify {DESCENT} --horizon 2 --strict".split())
    assert strict.code == 1
    assert "VIOLATED" in strict.out
    lenient = command(*f"falsify {DESCENT} --horizon 2 --json".split())
    assert lenient.code == 0
    assert json.loads(lenient.out)["violated"] is True


def test_a_solver_that_fails_ends_in_one_line(command) -> None:
    answer = command(*["falsify", "ghadimi2013.corollary2_2", "--set", "zeta=1e8", "--json"])
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.strip().startswith("boundcheck: Clarabel")
    assert answer.err.strip().count("\n") == 0


def test_from_python_a_theorem_is_sent_to_its_worst_cases() -> None:
    for theorem in (THEOREM, catalogue[THEOREM]):
        with pytest.raises(InputError, match=r"boundcheck\.falsify\.worst_case\.worst_cases"):
            bc.falsify(theorem)
